#ifndef AK_STORAGE_ROW_INDEX_H
#define AK_STORAGE_ROW_INDEX_H
/*
 * Which row of a snapshot has an id: all that a warm collection keeps in memory. 100,000 documents
 * take 3.4 MB: the ids in the order of the rows, a hash table of row numbers, and for each external
 * id 32 bits of its hash beside its row. Start from {0}; built once, then read by many threads.
 */
#include "akidb/batch.h"

typedef struct ak_row_text {
    uint32_t hash, row;
} ak_row_text;

typedef struct ak_row_index {
    uint64_t hash_seed;
    akidb_uuid *ids; /* by row */
    size_t rows, capacity;
    uint32_t *slots;        /* row + 1; 0 is empty */
    size_t slot_count;      /* a power of 2 */
    ak_row_text *externals; /* sorted by hash, then by row */
    size_t external_count, external_capacity;
} ak_row_index;

void ak_row_index_free(ak_row_index *index);

/* Adds the next rows: ids and external ids of a batch. AKIDB_E_LIMIT past 2^32 - 2 rows. */
AKIDB_CHECK akidb_status ak_row_index_add(ak_row_index *index, const akidb_batch *batch,
                                          akidb_error *err);

/* After the last row, and before anybody asks. */
AKIDB_CHECK akidb_status ak_row_index_finish(ak_row_index *index, akidb_error *err);

uint64_t ak_row_index_bytes(const ak_row_index *index);

bool ak_row_index_find(const ak_row_index *index, const akidb_uuid *id, uint32_t *row_out);

/* The rows that may have the external id: *count_out of them from *first_out on; by the hash alone,
 * so that each must be looked at. */
void ak_row_index_find_external(const ak_row_index *index, akidb_slice text,
                                const ak_row_text **first_out, size_t *count_out);

#endif
