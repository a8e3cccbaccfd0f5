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
    ak_contents_free(collection->next.contents);
    ak_shadow_release(collection->next.shadow);
    ak_shadow_release(collection->shadow);
    ak_base_release(collection->base);
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

/* ---- room ------------------------------------------------------------------------------------ */

static akidb_status check_texts(const akidb_storage *storage, uint64_t text_bytes, akidb_error *err)
{
    uint64_t limit = storage->memory_limit, used = atomic_load(&storage->memory);
    /* The texts are made already; the limit for the rest is what they leave. */
    if (limit == 0 || text_bytes == 0)
        return AKIDB_OK;
    if (text_bytes >= limit)
        return ak_fail(err, AKIDB_E_LIMIT,
                       "memory_limit: expected at most %llu bytes, found texts of %llu",
                       (unsigned long long)limit, (unsigned long long)text_bytes);
    if (used <= limit - text_bytes)
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_LIMIT,
                   "memory_limit: expected at most %llu bytes, found %llu in use and %llu needed",
                   (unsigned long long)limit, (unsigned long long)used,
                   (unsigned long long)text_bytes);
}

static akidb_status reserve_ids(ak_collection *collection, size_t ids, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    ak_shadow *shadow = collection->shadow, *next = collection->next.shadow;
    if (shadow != NULL)
        status = ak_shadow_reserve(shadow, ids, err);
    if (status == AKIDB_OK && next != NULL) {
        status = ak_shadow_reserve(next, ids, err);
        if (status != AKIDB_OK && shadow != NULL)
            ak_shadow_unreserve(shadow, ids);
    }
    if (status == AKIDB_OK)
        collection->promised += ids;
    return status;
}

static void unreserve_ids(ak_collection *collection, size_t ids)
{
    collection->promised -= ids;
    if (collection->shadow != NULL)
        ak_shadow_unreserve(collection->shadow, ids);
    if (collection->next.shadow != NULL)
        ak_shadow_unreserve(collection->next.shadow, ids);
}

/* Rows in all contents that a write will go into. */
static akidb_status reserve_rows(ak_collection *collection, size_t rows, uint64_t limit,
                                 akidb_error *err)
{
    ak_contents *all[] = {collection->contents, collection->incoming, collection->next.contents};
    akidb_status status = AKIDB_OK;
    size_t done = 0;
    for (; done < sizeof all / sizeof all[0] && status == AKIDB_OK; done++)
        if (all[done] != NULL)
            status = ak_contents_reserve(all[done], rows, limit, err);
    for (size_t i = 0; status != AKIDB_OK && i + 1 < done; i++)
        if (all[i] != NULL)
            ak_contents_unreserve(all[i], rows);
    return status;
}

static void unreserve_rows(ak_collection *collection, size_t rows)
{
    ak_contents *all[] = {collection->contents, collection->incoming, collection->next.contents};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i] != NULL)
            ak_contents_unreserve(all[i], rows);
}

akidb_status ak_collection_reserve(akidb_storage *storage, ak_collection *collection, size_t rows,
                                   uint64_t text_bytes, akidb_error *err)
{
    uint64_t limit = storage->memory_limit;
    akidb_status status = check_texts(storage, text_bytes, err);
    if (status != AKIDB_OK)
        return status;
    pthread_rwlock_wrlock(&collection->lock);
    if (collection->dropped)
        status = ak_collection_fail_gone(&collection->id, err);
    if (status == AKIDB_OK)
        status = reserve_rows(collection, rows, limit == 0 ? 0 : limit - text_bytes, err);
    if (status == AKIDB_OK) {
        status = reserve_ids(collection, rows, err);
        if (status != AKIDB_OK)
            unreserve_rows(collection, rows);
    }
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

akidb_status ak_collection_reserve_ids(ak_collection *collection, size_t ids, akidb_error *err)
{
    pthread_rwlock_wrlock(&collection->lock);
    akidb_status status = collection->dropped ? ak_collection_fail_gone(&collection->id, err)
                                              : reserve_ids(collection, ids, err);
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

void ak_collection_unreserve(ak_collection *collection, size_t rows)
{
    pthread_rwlock_wrlock(&collection->lock);
    unreserve_rows(collection, rows);
    unreserve_ids(collection, rows);
    pthread_rwlock_unlock(&collection->lock);
}

void ak_collection_unreserve_ids(ak_collection *collection, size_t ids)
{
    pthread_rwlock_wrlock(&collection->lock);
    unreserve_ids(collection, ids);
    pthread_rwlock_unlock(&collection->lock);
}

/* ---- what it is ------------------------------------------------------------------------------ */

uint64_t ak_collection_lsn(const ak_collection *collection, uint64_t applied)
{
    /* What is being applied right now may be in this collection already, but not in `applied`. */
    return applied > collection->last_lsn ? applied : collection->last_lsn;
}

bool ak_collection_count(ak_collection *collection, uint64_t *count_out)
{
    *count_out = collection->contents->live;
    if (collection->base == NULL)
        return true;
    const ak_row_index *index = ak_base_index(collection->base);
    size_t written = ak_shadow_count(collection->shadow);
    uint32_t row;
    for (; index != NULL && collection->resolved < written; collection->resolved++) {
        akidb_uuid id = ak_shadow_at(collection->shadow, collection->resolved);
        collection->hidden += ak_row_index_find(index, &id, &row) ? 1 : 0;
    }
    *count_out += collection->base->of.snapshot_rows - collection->hidden;
    return collection->resolved == written;
}

ak_base *ak_collection_base(ak_collection *collection)
{
    pthread_rwlock_rdlock(&collection->lock);
    ak_base *base = collection->base;
    if (base != NULL)
        ak_base_retain(base);
    pthread_rwlock_unlock(&collection->lock);
    return base;
}

ak_remains ak_collection_empty(ak_collection *collection)
{
    ak_remains remains = {
        .contents = {collection->contents, collection->incoming, collection->next.contents},
        .shadows = {collection->shadow, collection->next.shadow},
        .base = collection->base,
    };
    collection->contents = collection->incoming = NULL;
    collection->next = (ak_layer){0};
    collection->shadow = NULL;
    collection->base = NULL;
    collection->resolved = 0;
    collection->hidden = 0;
    return remains;
}

void ak_remains_release(akidb_storage *storage, ak_remains *remains, bool give_up_local)
{
    for (size_t i = 0; i < sizeof remains->contents / sizeof remains->contents[0]; i++)
        ak_contents_free(remains->contents[i]);
    for (size_t i = 0; i < sizeof remains->shadows / sizeof remains->shadows[0]; i++)
        ak_shadow_release(remains->shadows[i]);
    if (give_up_local && remains->base != NULL && remains->base->local != NULL)
        ak_local_give_up(storage, remains->base->local);
    ak_base_release(remains->base);
    *remains = (ak_remains){0};
}

/* ---- accesses -------------------------------------------------------------------------------- */

void ak_collection_accessed(akidb_storage *storage, ak_collection *collection, akidb_access kind)
{
    pthread_rwlock_rdlock(&collection->lock);
    akidb_tier tier = collection->tier;
    pthread_rwlock_unlock(&collection->lock);
    atomic_fetch_add(&storage->counters.tiers[tier].hits, 1);
    if (!atomic_load(&storage->has_access))
        return;
    pthread_rwlock_rdlock(&storage->access_lock);
    if (storage->access != NULL)
        storage->access(storage->access_context, &collection->id, kind);
    pthread_rwlock_unlock(&storage->access_lock);
}

/* Without `has_access` nobody new takes the lock, so that the wait for it ends. */
void akidb_storage_on_access(akidb_storage *storage, void *context,
                             void (*access)(void *context, const akidb_uuid *collection,
                                            akidb_access kind))
{
    atomic_store(&storage->has_access, false);
    pthread_rwlock_wrlock(&storage->access_lock);
    storage->access_context = context;
    storage->access = access;
    atomic_store(&storage->has_access, access != NULL);
    pthread_rwlock_unlock(&storage->access_lock);
}
