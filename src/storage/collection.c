/* The table of collections, and what all who use one need. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "storage/storage.h"

akidb_status ak_collection_new(akidb_storage *storage, const akidb_uuid *id,
                               const akidb_uuid *incarnation, const ak_log_collection *created,
                               ak_collection **collection_out, akidb_error *err)
{
    *collection_out = NULL;
    ak_collection *collection = calloc(1, sizeof *collection);
    if (collection == NULL)
        return ak_fail_memory(err, sizeof *collection);
    collection->id = *id;
    collection->incarnation = *incarnation;
    collection->created = *created;
    atomic_init(&collection->references, 1);
    pthread_rwlock_init(&collection->lock, NULL);
    akidb_status status = ak_contents_new(created->dimension, storage->hash_seed, &storage->memory,
                                          &collection->contents, err);
    if (status != AKIDB_OK) {
        ak_collection_release(collection);
        return status;
    }
    *collection_out = collection;
    return AKIDB_OK;
}

static void retain(ak_collection *collection)
{
    atomic_fetch_add(&collection->references, 1);
}

void ak_collection_release(ak_collection *collection)
{
    if (collection == NULL || atomic_fetch_sub(&collection->references, 1) > 1)
        return;
    ak_contents_free(collection->contents);
    ak_contents_free(collection->incoming);
    pthread_rwlock_destroy(&collection->lock);
    free(collection);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* The place of the id, or where it would be; the caller holds the lock. */
static size_t place_of(const akidb_storage *storage, const akidb_uuid *id, bool *found_out)
{
    size_t low = 0, high = storage->collection_count;
    *found_out = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = akidb_uuid_compare(&storage->collections[middle]->id, id);
        if (order == 0) {
            *found_out = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

ak_collection *ak_collection_find(akidb_storage *storage, const akidb_uuid *id)
{
    bool found;
    pthread_mutex_lock(&storage->lock);
    size_t at = place_of(storage, id, &found);
    ak_collection *collection = found ? storage->collections[at] : NULL;
    if (found)
        retain(collection);
    pthread_mutex_unlock(&storage->lock);
    return collection;
}

akidb_status ak_collection_fail_gone(const akidb_uuid *id, akidb_error *err)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(text), "there is no such collection");
}

akidb_status ak_collection_get(akidb_storage *storage, const akidb_uuid *id,
                               ak_collection **collection_out, akidb_error *err)
{
    *collection_out = NULL;
    if (storage == NULL || id == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "expected a storage and a collection, found NULL");
    *collection_out = ak_collection_find(storage, id);
    return *collection_out != NULL ? AKIDB_OK : ak_collection_fail_gone(id, err);
}

akidb_status ak_collections_all(akidb_storage *storage, ak_collection ***all_out, size_t *count_out,
                                akidb_error *err)
{
    *count_out = 0;
    pthread_mutex_lock(&storage->lock);
    size_t count = storage->collection_count;
    size_t size = (count == 0 ? 1 : count) * sizeof **all_out;
    *all_out = malloc(size);
    for (size_t i = 0; i < count && *all_out != NULL; i++) {
        (*all_out)[i] = storage->collections[i];
        retain(storage->collections[i]);
    }
    pthread_mutex_unlock(&storage->lock);
    if (*all_out == NULL)
        return ak_fail_memory(err, size);
    *count_out = count;
    return AKIDB_OK;
}

void ak_collections_release(ak_collection **all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ak_collection_release(all[i]);
    free(all);
}

akidb_status ak_collections_promise(akidb_storage *storage, akidb_error *err)
{
    pthread_mutex_lock(&storage->lock);
    void *collections = storage->collections;
    size_t wanted = storage->collection_count + storage->creating + 1;
    akidb_status status = ak_array_reserve(&collections, &storage->collection_capacity, wanted,
                                           sizeof *storage->collections, err);
    storage->collections = collections;
    if (status == AKIDB_OK)
        storage->creating++;
    pthread_mutex_unlock(&storage->lock);
    return status;
}

void ak_collections_unpromise(akidb_storage *storage)
{
    pthread_mutex_lock(&storage->lock);
    storage->creating--;
    pthread_mutex_unlock(&storage->lock);
}

bool ak_collections_add(akidb_storage *storage, ak_collection *collection)
{
    bool taken;
    pthread_mutex_lock(&storage->lock);
    storage->creating--;
    size_t at = place_of(storage, &collection->id, &taken);
    if (!taken) {
        ak_collection **place = &storage->collections[at];
        memmove(place + 1, place, (storage->collection_count - at) * sizeof *place);
        *place = collection;
        storage->collection_count++;
        retain(collection);
    }
    pthread_mutex_unlock(&storage->lock);
    return !taken;
}

bool ak_collections_remove(akidb_storage *storage, ak_collection *collection)
{
    bool found;
    pthread_mutex_lock(&storage->lock);
    size_t at = place_of(storage, &collection->id, &found);
    found = found && storage->collections[at] == collection;
    if (found) {
        ak_collection **place = &storage->collections[at];
        storage->collection_count--;
        memmove(place, place + 1, (storage->collection_count - at) * sizeof *place);
    }
    pthread_mutex_unlock(&storage->lock);
    if (found)
        ak_collection_release(collection);
    return found;
}

/* ---- room and views -------------------------------------------------------------------------- */

static akidb_status reserve(akidb_storage *storage, ak_collection *collection, size_t rows,
                            uint64_t text_bytes, akidb_error *err)
{
    uint64_t limit = storage->memory_limit;
    if (collection->dropped)
        return ak_collection_fail_gone(&collection->id, err);
    /* The texts are made already; the limit for the rest is what they leave. */
    if (limit > 0 && text_bytes >= limit)
        return ak_fail(err, AKIDB_E_LIMIT,
                       "memory_limit: expected at most %llu bytes, found texts of %llu",
                       (unsigned long long)limit, (unsigned long long)text_bytes);
    if (limit > 0)
        limit -= text_bytes;
    if (limit > 0 && text_bytes > 0 && atomic_load(&storage->memory) > limit)
        return ak_fail(err, AKIDB_E_LIMIT,
                       "memory_limit: expected at most %llu bytes, found %llu in use and %llu "
                       "needed",
                       (unsigned long long)storage->memory_limit,
                       (unsigned long long)atomic_load(&storage->memory),
                       (unsigned long long)text_bytes);
    akidb_status status = ak_contents_reserve(collection->contents, rows, limit, err);
    if (status == AKIDB_OK && collection->incoming != NULL) {
        status = ak_contents_reserve(collection->incoming, rows, limit, err);
        if (status != AKIDB_OK)
            ak_contents_unreserve(collection->contents, rows);
    }
    return status;
}

akidb_status ak_collection_reserve(akidb_storage *storage, ak_collection *collection, size_t rows,
                                   uint64_t text_bytes, akidb_error *err)
{
    pthread_rwlock_wrlock(&collection->lock);
    akidb_status status = reserve(storage, collection, rows, text_bytes, err);
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

void ak_collection_unreserve(ak_collection *collection, size_t rows)
{
    pthread_rwlock_wrlock(&collection->lock);
    if (collection->contents != NULL)
        ak_contents_unreserve(collection->contents, rows);
    if (collection->incoming != NULL)
        ak_contents_unreserve(collection->incoming, rows);
    pthread_rwlock_unlock(&collection->lock);
}

akidb_status ak_collection_view(akidb_storage *storage, ak_collection *collection,
                                ak_view *view_out, akidb_error *err)
{
    *view_out = (ak_view){0};
    uint64_t applied = ak_applied_lsn(storage);
    pthread_rwlock_rdlock(&collection->lock);
    /* What is being applied right now may be in this collection already, but not in `applied`. */
    uint64_t lsn = applied > collection->last_lsn ? applied : collection->last_lsn;
    akidb_status status = collection->dropped
                              ? ak_collection_fail_gone(&collection->id, err)
                              : ak_view_take(collection->contents, lsn, view_out, err);
    pthread_rwlock_unlock(&collection->lock);
    return status;
}
