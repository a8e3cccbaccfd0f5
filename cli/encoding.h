#ifndef CLI_ENCODING_H
#define CLI_ENCODING_H
/* How a new snapshot is written: the options that create and migrate share. */
#include "cli.h"

#include <stddef.h>

typedef struct cli_encoding {
    int profile;
    cli_compression compression;
    int vector_encoding;
    cli_count row_group_size;
    cli_count page_size;
    bool no_dictionary;
    cli_count part_rows;
    int layout;
} cli_encoding;

/* Rows of an options table; `field` is the offset of the cli_encoding in the values. */
#define CLI_ENCODING_OPTIONS(field)                                                                \
    {"profile",                                                                                    \
     0,                                                                                            \
     "AIM",                                                                                        \
     "Look at a sample of the vectors and store them in the best way for an aim: the least work, " \
     "every engine, small at hardly any cost, or the smallest. --compression and "                 \
     "--vector-encoding outvote it. 'akidb show' tells what was chosen. Parquet only",             \
     cli_read_choice,                                                                              \
     (field) + offsetof(cli_encoding, profile),                                                    \
     cli_profiles,                                                                                 \
     0,                                                                                            \
     0},                                                                                           \
        {"compression",                                                                            \
         0,                                                                                        \
         "CODEC[:LEVEL]",                                                                          \
         "How to compress; default snappy, and none for JSON, where lz4 is not offered. Levels: "  \
         "zstd "                                                                                   \
         "1 to 19, default 1; gzip 1 to 9, default 6",                                             \
         cli_read_compression,                                                                     \
         (field) + offsetof(cli_encoding, compression),                                            \
         cli_compressions,                                                                         \
         0,                                                                                        \
         0},                                                                                       \
        {"vector-encoding",                                                                        \
         0,                                                                                        \
         "ENCODING",                                                                               \
         "How to lay out the floats; plain (the default) is read by every engine, "                \
         "byte-stream-split compresses better. Parquet only",                                      \
         cli_read_choice,                                                                          \
         (field) + offsetof(cli_encoding, vector_encoding),                                        \
         cli_vector_encodings,                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"row-group-size",                                                                         \
         0,                                                                                        \
         "ROWS",                                                                                   \
         "Documents in a row group; default 10000. Parquet only",                                  \
         cli_read_count,                                                                           \
         (field) + offsetof(cli_encoding, row_group_size),                                         \
         NULL,                                                                                     \
         1,                                                                                        \
         UINT32_MAX},                                                                              \
        {"page-size",                                                                              \
         0,                                                                                        \
         "BYTES",                                                                                  \
         "Aim for pages of this size before compression; K and M are understood; default 1M. "     \
         "Parquet only",                                                                           \
         cli_read_size,                                                                            \
         (field) + offsetof(cli_encoding, page_size),                                              \
         NULL,                                                                                     \
         4096,                                                                                     \
         256u << 20},                                                                              \
        {"no-dictionary",                                                                          \
         0,                                                                                        \
         NULL,                                                                                     \
         "Do not encode metadata and external ids by a dictionary. Parquet only",                  \
         cli_read_flag,                                                                            \
         (field) + offsetof(cli_encoding, no_dictionary),                                          \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"part-rows",                                                                              \
         0,                                                                                        \
         "ROWS",                                                                                   \
         "Begin a new file after so many documents; default: only at 4 GiB. Parquet only",         \
         cli_read_count,                                                                           \
         (field) + offsetof(cli_encoding, part_rows),                                              \
         NULL,                                                                                     \
         1,                                                                                        \
         UINT64_MAX},                                                                              \
    {                                                                                              \
        "layout", 0, "LAYOUT",                                                                     \
            "One file, or a folder of parts, which some engines want; default: one file when the " \
            "number of documents is known beforehand and fits one part. Parquet only",             \
            cli_read_choice, (field) + offsetof(cli_encoding, layout), cli_layouts, 0, 0           \
    }

/* Fills the options of a snapshotter that writes `format`, and those of Parquet that they point to.
 * Refuses what the format does not have: returns an exit code, having said why. */
int cli_encoding_apply(cli *session, const cli_encoding *encoding, akidb_snapshot_format format,
                       akidb_snapshotter_options *options, akidb_parquet_options *parquet);

#endif
