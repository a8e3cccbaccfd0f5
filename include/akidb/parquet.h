#ifndef AKIDB_PARQUET_H
#define AKIDB_PARQUET_H
/*
 * Batches of documents to Parquet and back, in memory or as a stream. The files are plain Parquet
 * (docs/formats/parquet.md has every byte); the reader takes the same columns from any writer.
 *
 *   Sequence  writer: open, append any number of times, finish, free.
 *             reader: open, then next until it says done, or read row groups in any order; close.
 *   Threads   A writer or a reader belongs to one thread at a time; it may use others of its own.
 *   Memory    (threads + 1) row groups, whatever the size of the file; a reader of an input that is
 *             not near, `reads` of them or 128 MiB.
 *   Damage    Every byte is compared with a checksum before it is used: with that of an earlier
 *             summary when there is one, else with that of its page. What differs is read once
 * more, since bytes are also damaged on their way; if it differs again, the file is damaged. A
 * damaged or hostile file gives AKIDB_E_CORRUPTION, never a crash and never wrong values.
 */
#include "akidb/batch.h"
#include "akidb/sys/input.h"
#include "akidb/sys/output.h"

AKIDB_BEGIN_DECLS

/* ---- options --------------------------------------------------------------------------------- */

typedef enum akidb_compression {
    AKIDB_COMPRESSION_DEFAULT = 0, /* snappy */
    AKIDB_COMPRESSION_NONE = 1,
    AKIDB_COMPRESSION_SNAPPY = 2,
    AKIDB_COMPRESSION_ZSTD = 3,
    AKIDB_COMPRESSION_LZ4 = 4, /* Parquet's LZ4_RAW; not offered for JSON */
    AKIDB_COMPRESSION_GZIP = 5
} akidb_compression;

/* The name in the metadata: "None", "Snappy", "Zstd", "Lz4", "Gzip"; NULL for no such value. */
AKIDB_API const char *akidb_compression_name(akidb_compression compression);

typedef enum akidb_vector_encoding {
    AKIDB_VECTOR_ENCODING_DEFAULT = 0, /* plain */
    AKIDB_VECTOR_PLAIN = 1,            /* every engine reads it */
    AKIDB_VECTOR_BYTE_STREAM_SPLIT = 2 /* compresses better; Spark up to 4.1 and Impala cannot */
} akidb_vector_encoding;

typedef enum akidb_time_unit {
    AKIDB_TIME_UNIT_DEFAULT = 0, /* one call: micros if a time needs them; a stream: millis */
    AKIDB_TIME_UNIT_MILLIS = 1,  /* a time with finer digits is AKIDB_E_VALIDATION */
    AKIDB_TIME_UNIT_MICROS = 2
} akidb_time_unit;

/* What a file is to be good at. The writer compresses a sample of the first row group's vectors, at
 * most 2 MiB, in the ways that suit the aim, and keeps to the best one; docs/profiles.md has the
 * table. Options that are not left at their default stay as they are, and the profile picks only
 * the rest. The same documents and options give the same file. */
typedef enum akidb_profile {
    AKIDB_PROFILE_NONE = 0,       /* the other options and their defaults */
    AKIDB_PROFILE_FAST = 1,       /* least work: uncompressed, unless Snappy halves the vectors */
    AKIDB_PROFILE_COMPATIBLE = 2, /* for every engine: plain vectors, Snappy where it pays */
    AKIDB_PROFILE_BALANCED = 3,   /* smaller at hardly any cost: split floats, zstd at level 1 */
    AKIDB_PROFILE_SMALL = 4       /* smallest: high levels of zstd where they pay */
} akidb_profile;

/* "fast", "compatible", "balanced", "small"; "none"; NULL for no such value. */
AKIDB_API const char *akidb_profile_name(akidb_profile profile);

#define AKIDB_ROW_GROUP_ROWS_DEFAULT  10000u
#define AKIDB_ROW_GROUP_BYTES_DEFAULT (128u << 20)
#define AKIDB_PAGE_BYTES_DEFAULT      (1u << 20)

typedef struct akidb_parquet_options {
    size_t struct_size; /* sizeof(akidb_parquet_options) */
    akidb_compression compression;
    int compression_level;    /* zstd: 1 to 19, default 1; gzip: 1 to 9, default 6; others: 0 */
    uint32_t row_group_size;  /* rows in a row group; default 10,000 */
    uint64_t row_group_bytes; /* and at most so many bytes before encoding; default 128 MiB */
    uint32_t page_bytes;      /* aim for a page before compression; default 1 MiB */
    akidb_toggle enable_dictionary; /* metadata and external ids; default on; given up where it
                                       does not pay */
    akidb_vector_encoding vector_encoding;
    akidb_time_unit time_unit;
    unsigned threads;          /* that encode; default 1 */
    akidb_toggle bloom_filter; /* of document and external ids, 2 to 4 bytes for each, by which one
                                  document is found with few reads; default off, on in snapshots */
    akidb_profile profile;     /* picks compression, its level and vector_encoding if left open */
} akidb_parquet_options;

/* ---- one call, in memory --------------------------------------------------------------------- */

/* The batch as one Parquet file. AKIDB_E_VALIDATION when the batch is empty or breaks a rule of
 * akidb/batch.h; duplicate document ids are not looked for. `file_out` is yours to free. */
AKIDB_API AKIDB_CHECK akidb_status akidb_parquet_encode_batch(const akidb_batch *batch,
                                                              const akidb_parquet_options *options,
                                                              akidb_buffer *file_out,
                                                              akidb_error *err);

typedef struct akidb_parquet_read_options akidb_parquet_read_options;

/* All documents of a Parquet file. AKIDB_E_CORRUPTION, AKIDB_E_VALIDATION (a row that is no
 * document), AKIDB_E_UNSUPPORTED (an encrypted file, an encoding that this version cannot read). */
AKIDB_API AKIDB_CHECK akidb_status
akidb_parquet_decode_batch(akidb_slice file, const akidb_parquet_read_options *options,
                           akidb_documents **documents_out, akidb_error *err);

/* ---- writer ---------------------------------------------------------------------------------- */

typedef struct akidb_parquet_writer akidb_parquet_writer;

/* A contiguous range of the file's bytes. */
typedef struct akidb_parquet_range {
    uint64_t offset;
    uint64_t size;
    uint32_t crc32c;
} akidb_parquet_range;

typedef struct akidb_parquet_row_group_summary {
    uint64_t rows;
    akidb_parquet_range all;   /* every column chunk of the row group */
    akidb_parquet_range small; /* its beginning: every chunk but the vector's */
} akidb_parquet_row_group_summary;

/* What was written, for whoever wants to check it later without reading Parquet. The file is the
 * four bytes "PAR1", the row groups without gaps, and the tail (indexes and footer). */
typedef struct akidb_parquet_summary {
    uint64_t rows;
    akidb_parquet_range file;
    akidb_parquet_range tail;
    size_t row_group_count;
    const akidb_parquet_row_group_summary *row_groups; /* lives as long as the writer */
} akidb_parquet_summary;

/* Begins a file. The output must outlive the writer. */
AKIDB_API AKIDB_CHECK akidb_status akidb_parquet_writer_open(const akidb_output *output,
                                                             uint32_t dimension,
                                                             const akidb_parquet_options *options,
                                                             akidb_parquet_writer **writer_out,
                                                             akidb_error *err);

/* Adds documents. The batch is borrowed for the call. A batch that breaks a rule changes nothing
 * (rows in the error count from the start of the file); after any other failure only free is left.
 * An empty batch adds nothing. */
AKIDB_API AKIDB_CHECK akidb_status akidb_parquet_writer_append(akidb_parquet_writer *writer,
                                                               const akidb_batch *batch,
                                                               akidb_error *err);

/* Bytes handed to the output so far. */
AKIDB_API uint64_t akidb_parquet_writer_size(const akidb_parquet_writer *writer);

/* Writes the tail. A file without rows is legal and has no row group. */
AKIDB_API AKIDB_CHECK akidb_status akidb_parquet_writer_finish(akidb_parquet_writer *writer,
                                                               akidb_parquet_summary *summary_out,
                                                               akidb_error *err);

/* Frees the writer. One that was not finished has written no valid file. */
AKIDB_API void akidb_parquet_writer_free(akidb_parquet_writer *writer);

/* ---- reader ---------------------------------------------------------------------------------- */

/* What the reader makes of other writers' files:
 *   Ids      16 bytes, or 36 characters. A column that is not there: new UUIDs of version 7.
 *   Times    to microseconds; nanoseconds are rounded down; integers without a unit are
 *            microseconds. A column that is not there: the time of the call.
 *   Vectors  every row as long as the first one; float16 is widened.
 *   Texts    are checked to be UTF-8. That metadata is JSON is for akidb_batch_validate to check.
 *   Limits   row groups that are read by one call may stand for 1,024 times their own bytes and 512
 *            MiB more, or 1,048,576 times with a summary of the file: AKIDB_E_LIMIT.
 * A row that is no document is AKIDB_E_VALIDATION and names row and column. */

/* The fields of a document, as bits. A text that was not asked for reads as null, a vector or time
 * leaves NULL in the batch. */
typedef enum akidb_column {
    AKIDB_COLUMN_DOCUMENT_ID = 1,
    AKIDB_COLUMN_EXTERNAL_ID = 2,
    AKIDB_COLUMN_VECTOR = 4,
    AKIDB_COLUMN_METADATA = 8,
    AKIDB_COLUMN_INSERTED_AT = 16,
    AKIDB_COLUMNS_ALL = 31
} akidb_column;

struct akidb_parquet_read_options {
    size_t struct_size; /* sizeof(akidb_parquet_read_options) */
    unsigned columns;   /* akidb_column bits; 0 means all. The document id is always read */
    unsigned threads;   /* that decode; default 1 */
    /* Names of columns in files by other writers. NULL: found by the names in docs/formats, then,
     * for the vector, as the only list of floats. "" for the ids, metadata and time: not there. */
    const char *document_id_column;
    const char *external_id_column;
    const char *vector_column;
    const char *metadata_column;
    const char *inserted_at_column;
    bool narrow_doubles;  /* take float64 vectors, rounded to the nearest float32; a finite one
                             beyond its range is AKIDB_E_VALIDATION */
    bool allow_other_ids; /* ids that are no UUID become external ids, and document ids are new */
    uint64_t max_page_bytes; /* of one page once decompressed; default 1 GiB; AKIDB_E_LIMIT */
    /* What an earlier summary says of this file: the reader then checks every byte that it reads
     * against it. Borrowed until the reader is closed. NULL: the file's own checksums only. */
    const akidb_parquet_summary *expected;
    unsigned reads;   /* row groups that are fetched at once from an input that is not near, of at
                         most 128 MiB together, but as many as `threads`; default 8 */
    bool check_pages; /* with `expected`: compare the pages with their own checksums as well, which
                         tell the same again; without it they are always compared */
    const akidb_hooks *hooks; /* borrowed until the reader is closed; `log` alone is called, from
                                 the thread of the call: what was read again */
};

typedef struct akidb_parquet_reader akidb_parquet_reader;

/* Reads the footer and checks the schema; the input must outlive the reader. */
AKIDB_API AKIDB_CHECK akidb_status
akidb_parquet_reader_open(const akidb_input *input, const akidb_parquet_read_options *options,
                          akidb_parquet_reader **reader_out, akidb_error *err);
AKIDB_API void akidb_parquet_reader_close(akidb_parquet_reader *reader);

AKIDB_API uint64_t akidb_parquet_reader_rows(const akidb_parquet_reader *reader);
/* 0 for a file without rows that does not say its dimension. */
AKIDB_API uint32_t akidb_parquet_reader_dimension(const akidb_parquet_reader *reader);
AKIDB_API size_t akidb_parquet_reader_row_groups(const akidb_parquet_reader *reader);
/* "akidb version 0.1.0 (build ...)", as the file has it, or "". Lives as long as the reader. */
AKIDB_API const char *akidb_parquet_reader_created_by(const akidb_parquet_reader *reader);

/* Appends the documents of row groups first .. first + count - 1, in the file's order, decoding
 * `threads` of them at a time. On failure nothing is appended. */
AKIDB_API AKIDB_CHECK akidb_status akidb_parquet_reader_read(akidb_parquet_reader *reader,
                                                             size_t first, size_t count,
                                                             akidb_documents *documents,
                                                             akidb_error *err);

/* What the footer's statistics say about a row group; `has_…` false where they say nothing. Bounds
 * may be wider than the values. Strings are borrowed from the reader. */
typedef struct akidb_parquet_row_group_bounds {
    uint64_t rows;
    bool has_document_id;
    akidb_uuid document_id_min, document_id_max;
    bool has_external_id;
    akidb_slice external_id_min, external_id_max;
    bool has_inserted_at;
    int64_t inserted_at_min, inserted_at_max;
} akidb_parquet_row_group_bounds;

AKIDB_API AKIDB_CHECK akidb_status
akidb_parquet_reader_bounds(const akidb_parquet_reader *reader, size_t row_group,
                            akidb_parquet_row_group_bounds *bounds_out, akidb_error *err);

/* How one column chunk is stored, for people who look: `akidb show`. */
typedef struct akidb_parquet_chunk_info {
    const char *column;  /* top-level name in the file */
    const char *codec;   /* "UNCOMPRESSED", "SNAPPY", ...: the names of parquet.thrift */
    char encodings[128]; /* names of parquet.thrift, divided by ", " */
    uint64_t values;     /* for the vector: floats */
    uint64_t compressed_bytes;
    uint64_t uncompressed_bytes;
    uint64_t bloom_filter_bytes; /* 0: it has none, or does not say */
} akidb_parquet_chunk_info;

AKIDB_API size_t akidb_parquet_reader_columns(const akidb_parquet_reader *reader);
AKIDB_API AKIDB_CHECK akidb_status akidb_parquet_reader_chunk(const akidb_parquet_reader *reader,
                                                              size_t row_group, size_t column,
                                                              akidb_parquet_chunk_info *info_out,
                                                              akidb_error *err);

AKIDB_END_DECLS
#endif
