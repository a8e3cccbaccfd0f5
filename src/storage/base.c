#include "storage/base.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "storage/storage.h"

static bool same(const akidb_uuid *a, const akidb_uuid *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The bucket of what belongs to a snapshot, of both tables. */
static size_t bucket_of(const akidb_storage *storage, const akidb_uuid *snapshot)
{
    return XXH3_64bits_withSeed(snapshot, sizeof *snapshot, storage->hash_seed) % AK_BASE_BUCKETS;
}

/* ---- local copies ---------------------------------------------------------------------------- */

/* The caller holds the lock. */
static ak_local *find_local(akidb_storage *storage, const ak_catalogue_collection *of)
{
    ak_local *local = storage->locals[bucket_of(storage, &of->snapshot_id)];
    while (local != NULL &&
           (!same(&local->collection, &of->id) || !same(&local->snapshot, &of->snapshot_id)))
        local = local->next;
    return local;
}

akidb_status ak_local_claim(akidb_storage *storage, const ak_catalogue_collection *of,
                            ak_local **local_out, akidb_error *err)
{
    ak_local *fresh = calloc(1, sizeof *fresh), *local;
    *local_out = NULL;
    if (fresh == NULL)
        return ak_fail_memory(err, sizeof *fresh);
    pthread_mutex_lock(&storage->bases_lock);
    while ((local = find_local(storage, of)) != NULL && local->removing)
        pthread_cond_wait(&storage->local_removed, &storage->bases_lock);
    if (local == NULL) {
        local = fresh;
        fresh = NULL;
        local->collection = of->id;
        local->snapshot = of->snapshot_id;
        local->bytes = of->snapshot_bytes;
        ak_local **first = &storage->locals[bucket_of(storage, &of->snapshot_id)];
        local->next = *first;
        *first = local;
    }
    local->references++;
    local->given_up = false;
    pthread_mutex_unlock(&storage->bases_lock);
    free(fresh);
    *local_out = local;
    return AKIDB_OK;
}

void ak_local_give_up(akidb_storage *storage, ak_local *local)
{
    pthread_mutex_lock(&storage->bases_lock);
    local->given_up = true;
    pthread_mutex_unlock(&storage->bases_lock);
}

static void remove_files(akidb_storage *storage, const ak_local *local)
{
    akidb_error cause;
    akidb_status status = akidb_snapshot_delete(storage->background.warm, &local->collection,
                                                &local->snapshot, &cause);
    if (status != AKIDB_OK && status != AKIDB_E_NOT_FOUND)
        ak_storage_log(storage, AKIDB_LOG_WARNING, &cause,
                       "a local copy stays until the next open");
}

void ak_local_release(akidb_storage *storage, ak_local *local)
{
    if (local == NULL)
        return;
    pthread_mutex_lock(&storage->bases_lock);
    bool last = --local->references == 0;
    local->removing = last && local->given_up;
    if (local->removing) {
        pthread_mutex_unlock(&storage->bases_lock);
        remove_files(storage, local);
        pthread_mutex_lock(&storage->bases_lock);
    }
    if (last) {
        ak_local **at = &storage->locals[bucket_of(storage, &local->snapshot)];
        while (*at != local)
            at = &(*at)->next;
        *at = local->next;
        pthread_cond_broadcast(&storage->local_removed);
    }
    pthread_mutex_unlock(&storage->bases_lock);
    if (last)
        free(local);
}

/* ---- life ------------------------------------------------------------------------------------ */

akidb_status ak_base_new(akidb_storage *storage, const ak_catalogue_collection *of, ak_local *local,
                         ak_base **base_out, akidb_error *err)
{
    ak_base *base = calloc(1, sizeof *base);
    *base_out = base;
    if (base == NULL) {
        ak_local_release(storage, local);
        return ak_fail_memory(err, sizeof *base);
    }
    atomic_init(&base->references, 1);
    base->storage = storage;
    base->of = *of;
    base->local = local;
    pthread_mutex_init(&base->opening, NULL);
    pthread_mutex_init(&base->indexing, NULL);
    pthread_mutex_lock(&storage->bases_lock);
    ak_base **first = &storage->bases[bucket_of(storage, &of->snapshot_id)];
    base->next = *first;
    *first = base;
    pthread_mutex_unlock(&storage->bases_lock);
    return AKIDB_OK;
}

void ak_base_retain(ak_base *base)
{
    atomic_fetch_add(&base->references, 1);
}

void ak_base_release(ak_base *base)
{
    if (base == NULL || atomic_fetch_sub(&base->references, 1) > 1)
        return;
    akidb_storage *storage = base->storage;
    pthread_mutex_lock(&storage->bases_lock);
    ak_base **at = &storage->bases[bucket_of(storage, &base->of.snapshot_id)];
    while (*at != base)
        at = &(*at)->next;
    *at = base->next;
    pthread_mutex_unlock(&storage->bases_lock);
    if (!ak_base_exists(storage, &base->of.snapshot_id))
        ak_cache_forget(storage->cache, &base->of.snapshot_id);
    atomic_fetch_sub(&storage->memory, atomic_load(&base->bytes));
    for (int side = 0; side < AK_SIDES; side++)
        ak_snapshot_rows_close(atomic_load(&base->opened[side]));
    ak_row_index *index = atomic_load(&base->index);
    if (index != NULL)
        ak_row_index_free(index);
    free(index);
    ak_local_release(storage, base->local);
    pthread_mutex_destroy(&base->opening);
    pthread_mutex_destroy(&base->indexing);
    free(base);
}

bool ak_base_exists(akidb_storage *storage, const akidb_uuid *snapshot)
{
    pthread_mutex_lock(&storage->bases_lock);
    const ak_base *base = storage->bases[bucket_of(storage, snapshot)];
    while (base != NULL && !same(&base->of.snapshot_id, snapshot))
        base = base->next;
    pthread_mutex_unlock(&storage->bases_lock);
    return base != NULL;
}

bool ak_base_is_local(const ak_base *base)
{
    return base->local != NULL && !atomic_load(&base->local->damaged);
}

bool ak_is_local_failure(akidb_status status)
{
    switch (status) {
    case AKIDB_E_CORRUPTION:
    case AKIDB_E_NOT_FOUND:
    case AKIDB_E_IO:
    case AKIDB_E_STORE:
    case AKIDB_E_PERMISSION:
    case AKIDB_E_UNSUPPORTED: return true;
    default: return false;
    }
}

void ak_base_note_damage(ak_base *base, const akidb_error *problem)
{
    if (atomic_exchange(&base->local->damaged, true))
        return;
    char id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&base->of.id, id);
    atomic_fetch_add(&base->storage->counters.local_damage, 1);
    ak_storage_log(base->storage, AKIDB_LOG_WARNING, problem,
                   "the local copy of collection %s is damaged, and the store serves it", id);
}
