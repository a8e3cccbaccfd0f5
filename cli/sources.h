#ifndef CLI_SOURCES_H
#define CLI_SOURCES_H
/* How files of documents are read: the options that create and db insert share, a first look at the
 * files, and what is said when one of them is wrong. */
#include "ahead.h"

#include <stddef.h>

typedef struct cli_source_values {
    int input_format;
    cli_list ids;
    const char *vector_column;
    const char *id_column;
    const char *external_id_column;
    const char *metadata_column;
    const char *inserted_at_column;
    bool narrow;
} cli_source_values;

/* Rows of an options table; `at` is the offset of the cli_source_values in the values. */
#define CLI_SOURCE_OPTIONS(at)                                                                     \
    {"input-format",                                                                               \
     0,                                                                                            \
     "FORMAT",                                                                                     \
     "The format of each FILE; default: by its ending",                                            \
     cli_read_choice,                                                                              \
     (at) + offsetof(cli_source_values, input_format),                                             \
     cli_file_formats,                                                                             \
     0,                                                                                            \
     0},                                                                                           \
        {"ids",                                                                                    \
         0,                                                                                        \
         "FILE",                                                                                   \
         "A text file of external ids, one a line, in order; once for each FILE",                  \
         cli_read_files,                                                                           \
         (at) + offsetof(cli_source_values, ids),                                                  \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"vector-column",                                                                          \
         0,                                                                                        \
         "NAME",                                                                                   \
         "The column of vectors in .parquet files; default: 'vector', else the only list of "      \
         "floats",                                                                                 \
         cli_read_text,                                                                            \
         (at) + offsetof(cli_source_values, vector_column),                                        \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"id-column",                                                                              \
         0,                                                                                        \
         "NAME",                                                                                   \
         "The column of ids in .parquet files: document ids if they are UUIDs, external ids if "   \
         "not",                                                                                    \
         cli_read_text,                                                                            \
         (at) + offsetof(cli_source_values, id_column),                                            \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"external-id-column",                                                                     \
         0,                                                                                        \
         "NAME",                                                                                   \
         "The column of external ids in .parquet files",                                           \
         cli_read_text,                                                                            \
         (at) + offsetof(cli_source_values, external_id_column),                                   \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"metadata-column",                                                                        \
         0,                                                                                        \
         "NAME",                                                                                   \
         "The column of JSON metadata in .parquet files",                                          \
         cli_read_text,                                                                            \
         (at) + offsetof(cli_source_values, metadata_column),                                      \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"inserted-at-column",                                                                     \
         0,                                                                                        \
         "NAME",                                                                                   \
         "The column of times in .parquet files",                                                  \
         cli_read_text,                                                                            \
         (at) + offsetof(cli_source_values, inserted_at_column),                                   \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
    {                                                                                              \
        "narrow", 0, NULL, "Take 64-bit floats, rounded to the nearest 32-bit float",              \
            cli_read_flag, (at) + offsetof(cli_source_values, narrow), NULL, 0, 0                  \
    }

/* The files as cli_ahead takes them. `parquet` is filled, and outlives the sources, as the values
 * and the paths do. Returns an exit code, having said why. */
int cli_sources_make(cli *session, const cli_source_values *v, char *const *paths, size_t count,
                     size_t batch_rows, akidb_parquet_read_options *parquet, cli_sources *made_out);

/* Opens each regular file once before anything is written, so that a file which is missing or does
 * not fit is told at once. *rows_out is the number of documents, or 0 when a file does not tell. */
akidb_status cli_sources_survey(const cli_sources *sources, uint64_t *rows_out, akidb_error *err);

/* Tells a failure to read or to take documents. `row_base` is the number of rows, of all files
 * together, before those that the error counts; this names the file and counts from its beginning.
 * A damaged FILE is invalid input: "corrupt" is said of what is stored alone, so that whoever
 * watches exit codes is not alarmed by a bad download. Returns the exit code. `ahead` may be NULL.
 */
int cli_sources_fail(cli *session, cli_ahead *ahead, uint64_t row_base, const akidb_error *err);

#endif
