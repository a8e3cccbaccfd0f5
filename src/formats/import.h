#ifndef AK_FORMATS_IMPORT_H
#define AK_FORMATS_IMPORT_H
/* What stands behind akidb_import: one source per file format, and what they share. */
#include "akidb/formats.h"
#include "akidb/sys/input.h"
#include "document/new_ids.h"

/* A file that is read as documents. The struct begins the source's own. */
typedef struct ak_source ak_source;

typedef struct ak_source_ops {
    /* Appends at most about max_rows documents; none only after the last. */
    akidb_status (*next)(ak_source *source, size_t max_rows, akidb_documents *documents,
                         akidb_error *err);
    /* Frees the source. */
    void (*close)(ak_source *source);
} ak_source_ops;

struct ak_source {
    const ak_source_ops *ops;
    uint32_t dimension; /* 0: no documents, and nothing says it */
    uint64_t rows;      /* 0: only the end will tell */
};

/* Sources over an input that is theirs to close, whatever the outcome. */
AKIDB_CHECK akidb_status ak_npy_source_new(akidb_input input, bool narrow_doubles,
                                           ak_source **source_out, akidb_error *err);
AKIDB_CHECK akidb_status ak_fvecs_source_new(akidb_input input, ak_source **source_out,
                                             akidb_error *err);
AKIDB_CHECK akidb_status ak_parquet_source_new(akidb_input input,
                                               const akidb_parquet_read_options *options,
                                               ak_source **source_out, akidb_error *err);

/* Opens a file, or standard input for "-". The path is copied; of the options, threads and hooks
 * are taken. */
AKIDB_CHECK akidb_status ak_jsonl_source_open(const char *path, const akidb_import_options *options,
                                              ak_source **source_out, akidb_error *err);

/* ---- for files that hold nothing but vectors ------------------------------------------------- */

/* How many rows a block should have: what the caller wants, what is left, and what fits a bounded
 * block of memory; at least 1. */
size_t ak_block_rows(size_t max_rows, uint64_t left, uint32_t dimension);

/* Makes room for `count` documents after the last, whose vectors the caller has yet to fill at
 * *vectors_out; new ids, the time `now`, no texts. ak_add_vectors then makes them part of it. */
AKIDB_CHECK akidb_status ak_prepare_vectors(akidb_documents *documents, size_t count,
                                            ak_id_sequence *ids, int64_t now, float **vectors_out,
                                            akidb_error *err);
AKIDB_CHECK akidb_status ak_add_vectors(akidb_documents *documents, size_t count, akidb_error *err);

/* The time for documents that come without one: whole milliseconds, so that a snapshot in
 * milliseconds can hold it. */
int64_t ak_import_time(void);

#endif
