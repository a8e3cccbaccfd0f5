#ifndef AK_STORAGE_CHUNK_H
#define AK_STORAGE_CHUNK_H
/* Rows in memory, column by column. Rows are filled in order; a filled row changes only its mark
 * and its links, and those belong to the contents that hold the chunk. */
#include <stdatomic.h>

#include "akidb/batch.h"
#include "storage/log_entry.h"

enum { AK_CHUNK_ROWS_MAX = 4096 };

/* A row among all chunks of some contents: the chunk's place and the row in it. */
typedef uint64_t ak_row;
#define AK_NO_ROW UINT64_MAX

/* The texts of one row, which rows of several contents may share. */
typedef struct ak_text {
    _Atomic uint32_t references;
    char bytes[];
} ak_text;

/* NULL when there is no memory. */
ak_text *ak_text_new(size_t size);
void ak_text_retain(ak_text *text); /* NULL is fine, here and below */
void ak_text_release(ak_text *text);

struct ak_chunk {
    _Atomic uint32_t references;
    _Atomic uint64_t *memory; /* the storage's count, which `bytes` is part of */
    uint64_t bytes;
    uint32_t dimension, capacity;
    uint32_t rows; /* filled */
    uint32_t dead;
    akidb_uuid *ids;
    int64_t *times;
    float *vectors;
    _Atomic uint64_t *dead_at;         /* the LSN that replaced or deleted the row; 0: alive */
    ak_text **texts;                   /* external id, then metadata; NULL: no bytes */
    uint32_t *external_sizes;          /* AK_LOG_NULL for null */
    uint32_t *metadata_sizes;          /* likewise */
    ak_row *next_same, *previous_same; /* living rows with the same external id */
};
typedef struct ak_chunk ak_chunk;

/* The bytes that a chunk of so many rows takes, without texts. */
uint64_t ak_chunk_bytes(uint32_t dimension, uint32_t capacity);

AKIDB_CHECK akidb_status ak_chunk_new(uint32_t dimension, uint32_t capacity,
                                      _Atomic uint64_t *memory, ak_chunk **chunk_out,
                                      akidb_error *err);
void ak_chunk_retain(ak_chunk *chunk);
void ak_chunk_release(ak_chunk *chunk); /* NULL is fine */

akidb_slice ak_chunk_external_id(const ak_chunk *chunk, uint32_t row);
akidb_slice ak_chunk_metadata(const ak_chunk *chunk, uint32_t row);

/* Appends one row to documents. */
AKIDB_CHECK akidb_status ak_chunk_copy_row(const ak_chunk *chunk, uint32_t row,
                                           akidb_documents *documents, akidb_error *err);

#endif
