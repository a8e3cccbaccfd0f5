#ifndef AK_STORAGE_INDEX_H
#define AK_STORAGE_INDEX_H
/* A hash index from 64-bit hashes to references: open addressing with linear probing; removal moves
 * the following entries up, so that there are no tombstones. What a key is, and whether two are the
 * same, the caller knows. Start from {0}. */
#include "akidb/base.h"

#define AK_INDEX_NONE SIZE_MAX

typedef struct ak_index_slot {
    uint64_t hash;
    uint64_t reference; /* UINT64_MAX: the slot is empty */
} ak_index_slot;

typedef struct ak_index {
    ak_index_slot *slots;
    size_t capacity; /* a power of 2, or 0 */
    size_t count;
} ak_index;

void ak_index_free(ak_index *index);

/* Makes sure that `count` entries together fit, so that adding up to so many cannot fail. */
AKIDB_CHECK akidb_status ak_index_reserve(ak_index *index, size_t count, akidb_error *err);

/* Adds an entry, for which there must be room. */
void ak_index_add(ak_index *index, uint64_t hash, uint64_t reference);

/* The first position with this hash, and the next one after a position; AK_INDEX_NONE: no more. */
size_t ak_index_first(const ak_index *index, uint64_t hash);
size_t ak_index_next(const ak_index *index, uint64_t hash, size_t position);

/* Removes the entry at a position; positions found before are no longer valid. */
void ak_index_remove(ak_index *index, size_t position);

#endif
