#ifndef AKIDB_FORMATS_H
#define AKIDB_FORMATS_H
/*
 * Documents in and out of files that other tools read and write: .npy, .fvecs, .jsonl, .parquet.
 *
 *   .npy      two-dimensional float16, float32 or float64 arrays, C or Fortran order, versions 1 to
 *             3, either endianness; vectors only. Writes float32, C order.
 *   .fvecs    int32 dimension, then that many float32, for each vector, little-endian; vectors only
 *   .jsonl    one JSON object a line, as docs/formats/json.md spells a document; what begins as
 *             gzip or zstd is read decompressed (.jsonl.gz and .jsonl.zst by their ending too)
 *   .parquet  columns by name, or found (akidb_parquet_read_options)
 *
 *   Threads   A reader or a writer belongs to one thread at a time.
 *   Memory    Readers and writers stream; none holds the file. Row groups of Parquet with more
 *             than 64 MiB of vectors are read by pieces of whole pages, unless there are fewer rows
 *             than asked for; Fortran order with one positional read per column and block.
 *   Errors    AKIDB_E_VALIDATION or AKIDB_E_CORRUPTION names file, row or line, and column.
 */
#include "akidb/batch.h"
#include "akidb/parquet.h"

AKIDB_BEGIN_DECLS

typedef enum akidb_file_format {
    AKIDB_FILE_BY_ENDING = 0, /* .npy, .fvecs, .jsonl (also .ndjson), .parquet */
    AKIDB_FILE_NPY = 1,
    AKIDB_FILE_FVECS = 2,
    AKIDB_FILE_JSONL = 3,
    AKIDB_FILE_PARQUET = 4
} akidb_file_format;

/* ---- in -------------------------------------------------------------------------------------- */

typedef struct akidb_import_options {
    size_t struct_size; /* sizeof(akidb_import_options) */
    akidb_file_format format;
    const akidb_parquet_read_options *parquet; /* column names, narrowing, threads; .parquet only.
                                                  Borrowed until close. NULL: all defaults */
    const char *external_ids_path; /* text file of external ids, one a line, in order, an empty line
                                      for none; as many as documents, or AKIDB_E_VALIDATION. NULL:
                                      the file's own */
    bool narrow_doubles; /* take float64 vectors (.npy, .parquet), rounded to the nearest float32;
                            one beyond its range is AKIDB_E_VALIDATION */
    unsigned threads;    /* that decode .jsonl; the outcome does not depend on it. 0: one */
    const akidb_hooks *hooks; /* .jsonl: `log` is told once when members are none of a document's,
                                 with the first one's name and line; what they hold is left out.
                                 Called by akidb_import_next; borrowed until close. NULL: silence */
} akidb_import_options;

typedef struct akidb_import akidb_import;

/* Opens a file. Path "-" with format JSONL reads standard input. */
AKIDB_API AKIDB_CHECK akidb_status akidb_import_open(const char *path,
                                                     const akidb_import_options *options,
                                                     akidb_import **import_out, akidb_error *err);
AKIDB_API void akidb_import_close(akidb_import *import);

/* The vectors' dimension; read from the first document where the file does not say it. 0 for a file
 * of no documents that does not say it either. */
AKIDB_API uint32_t akidb_import_dimension(const akidb_import *import);

/* The number of documents, or 0 where only reading the file to its end would tell. */
AKIDB_API uint64_t akidb_import_rows(const akidb_import *import);

/* Replaces the contents of `documents` by the next ones, at most about `max_rows`; *done_out is
 * true, and no documents come, after the last. */
AKIDB_API AKIDB_CHECK akidb_status akidb_import_next(akidb_import *import, size_t max_rows,
                                                     akidb_documents *documents, bool *done_out,
                                                     akidb_error *err);

/* ---- out ------------------------------------------------------------------------------------- */

typedef struct akidb_export_options {
    size_t struct_size; /* sizeof(akidb_export_options) */
    akidb_file_format format;
    unsigned columns;                     /* akidb_column bits that .jsonl tells; 0: all */
    const akidb_parquet_options *parquet; /* .parquet only; NULL: all defaults */
    unsigned threads; /* that make the text of .jsonl; the bytes do not depend on it. 0: one */
} akidb_export_options;

typedef struct akidb_export akidb_export;

/* Begins a file, which appears under its name, whole and durable, at the commit; what stood there
 * is replaced then. AKIDB_E_VALIDATION when the name is taken by a folder or another special file.
 * Path "-" with format JSONL writes to standard output as it goes. */
AKIDB_API AKIDB_CHECK akidb_status akidb_export_open(const char *path, uint32_t dimension,
                                                     const akidb_export_options *options,
                                                     akidb_export **export_out, akidb_error *err);
AKIDB_API AKIDB_CHECK akidb_status akidb_export_append(akidb_export *exporter,
                                                       const akidb_batch *batch, akidb_error *err);
/* Frees the export, whatever the outcome. */
AKIDB_API AKIDB_CHECK akidb_status akidb_export_commit(akidb_export *exporter, akidb_error *err);
/* Removes what was written and frees the export. NULL is fine. */
AKIDB_API void akidb_export_abort(akidb_export *exporter);

AKIDB_END_DECLS
#endif
