#ifndef AK_STORAGE_SHADOW_H
#define AK_STORAGE_SHADOW_H
/*
 * The ids that were written since a snapshot was taken, each with the LSN that did it first: what
 * the snapshot has under them is out of date.
 *
 *   Room     ak_shadow_reserve promises room, so that adding cannot fail.
 *   Threads  One thread at a time adds and reserves; any others may ask ak_shadow_hides meanwhile.
 *   Life     Counted: whoever reads the snapshot as of an LSN keeps the shadow, which hides from
 * him just what that LSN saw written.
 */
#include "akidb/base.h"

typedef struct ak_shadow ak_shadow;

/* `memory`, in which its bytes are counted, must outlive it. */
AKIDB_CHECK akidb_status ak_shadow_new(uint64_t hash_seed, _Atomic uint64_t *memory,
                                       ak_shadow **shadow_out, akidb_error *err);
void ak_shadow_retain(ak_shadow *shadow);
void ak_shadow_release(ak_shadow *shadow); /* NULL is fine */

AKIDB_CHECK akidb_status ak_shadow_reserve(ak_shadow *shadow, size_t ids, akidb_error *err);
void ak_shadow_unreserve(ak_shadow *shadow, size_t ids);

/* Adds an id, for which there is room; false when it is in already. */
bool ak_shadow_add(ak_shadow *shadow, const akidb_uuid *id, uint64_t lsn);

/* Whether the id was written by a write up to this LSN. */
bool ak_shadow_hides(ak_shadow *shadow, const akidb_uuid *id, uint64_t lsn);

/* What it takes in memory. */
uint64_t ak_shadow_bytes(ak_shadow *shadow); /* NULL is fine */

/* For the thread that may add: the ids in the order in which they came. */
size_t ak_shadow_count(const ak_shadow *shadow);
akidb_uuid ak_shadow_at(const ak_shadow *shadow, size_t number);

#endif
