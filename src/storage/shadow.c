#include "storage/shadow.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "storage/index.h"

typedef struct entry {
    akidb_uuid id;
    uint64_t lsn;
} entry;

struct ak_shadow {
    _Atomic uint32_t references;
    _Atomic uint64_t *memory;
    uint64_t counted; /* in *memory */
    uint64_t hash_seed;
    size_t reserved;       /* of the thread that adds */
    pthread_rwlock_t lock; /* of all below, against those who only ask */
    entry *entries;
    size_t count, capacity;
    ak_index index; /* to numbers of entries */
};

akidb_status ak_shadow_new(uint64_t hash_seed, _Atomic uint64_t *memory, ak_shadow **shadow_out,
                           akidb_error *err)
{
    *shadow_out = calloc(1, sizeof **shadow_out);
    if (*shadow_out == NULL)
        return ak_fail_memory(err, sizeof **shadow_out);
    atomic_init(&(*shadow_out)->references, 1);
    (*shadow_out)->memory = memory;
    (*shadow_out)->hash_seed = hash_seed;
    pthread_rwlock_init(&(*shadow_out)->lock, NULL);
    return AKIDB_OK;
}

void ak_shadow_retain(ak_shadow *shadow)
{
    atomic_fetch_add(&shadow->references, 1);
}

void ak_shadow_release(ak_shadow *shadow)
{
    if (shadow == NULL || atomic_fetch_sub(&shadow->references, 1) > 1)
        return;
    atomic_fetch_sub(shadow->memory, shadow->counted);
    pthread_rwlock_destroy(&shadow->lock);
    ak_index_free(&shadow->index);
    free(shadow->entries);
    free(shadow);
}

static void count_memory(ak_shadow *shadow)
{
    uint64_t bytes = shadow->capacity * sizeof *shadow->entries +
                     shadow->index.capacity * sizeof *shadow->index.slots;
    atomic_fetch_add(shadow->memory, bytes - shadow->counted);
    shadow->counted = bytes;
}

akidb_status ak_shadow_reserve(ak_shadow *shadow, size_t ids, akidb_error *err)
{
    size_t reserved, wanted;
    if (!ak_add_size(shadow->reserved, ids, &reserved) ||
        !ak_add_size(shadow->count, reserved, &wanted))
        return ak_fail_memory(err, SIZE_MAX);
    pthread_rwlock_wrlock(&shadow->lock);
    void *entries = shadow->entries;
    akidb_status status =
        ak_array_reserve(&entries, &shadow->capacity, wanted, sizeof *shadow->entries, err);
    shadow->entries = entries;
    if (status == AKIDB_OK)
        status = ak_index_reserve(&shadow->index, wanted, err);
    count_memory(shadow);
    pthread_rwlock_unlock(&shadow->lock);
    if (status == AKIDB_OK)
        shadow->reserved = reserved;
    return status;
}

void ak_shadow_unreserve(ak_shadow *shadow, size_t ids)
{
    shadow->reserved -= ids;
}

/* The number of the id's entry, or AK_INDEX_NONE. */
static size_t find(const ak_shadow *shadow, const akidb_uuid *id, uint64_t hash)
{
    size_t at = ak_index_first(&shadow->index, hash);
    while (at != AK_INDEX_NONE) {
        size_t number = (size_t)shadow->index.slots[at].reference;
        if (memcmp(&shadow->entries[number].id, id, sizeof *id) == 0)
            return number;
        at = ak_index_next(&shadow->index, hash, at);
    }
    return AK_INDEX_NONE;
}

static uint64_t hash_id(const ak_shadow *shadow, const akidb_uuid *id)
{
    return XXH3_64bits_withSeed(id->bytes, sizeof id->bytes, shadow->hash_seed);
}

bool ak_shadow_add(ak_shadow *shadow, const akidb_uuid *id, uint64_t lsn)
{
    uint64_t hash = hash_id(shadow, id);
    if (find(shadow, id, hash) != AK_INDEX_NONE)
        return false;
    pthread_rwlock_wrlock(&shadow->lock);
    shadow->entries[shadow->count] = (entry){*id, lsn};
    ak_index_add(&shadow->index, hash, shadow->count++);
    pthread_rwlock_unlock(&shadow->lock);
    return true;
}

bool ak_shadow_hides(ak_shadow *shadow, const akidb_uuid *id, uint64_t lsn)
{
    pthread_rwlock_rdlock(&shadow->lock);
    size_t number = find(shadow, id, hash_id(shadow, id));
    bool hides = number != AK_INDEX_NONE && shadow->entries[number].lsn <= lsn;
    pthread_rwlock_unlock(&shadow->lock);
    return hides;
}

uint64_t ak_shadow_bytes(ak_shadow *shadow)
{
    if (shadow == NULL)
        return 0;
    pthread_rwlock_rdlock(&shadow->lock);
    uint64_t bytes = shadow->counted;
    pthread_rwlock_unlock(&shadow->lock);
    return bytes;
}

size_t ak_shadow_count(const ak_shadow *shadow)
{
    return shadow->count;
}

akidb_uuid ak_shadow_at(const ak_shadow *shadow, size_t number)
{
    return shadow->entries[number].id;
}
