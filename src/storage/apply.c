/* From the log into memory, in the order of the log. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "storage/storage.h"

/* ---- what an entry does to memory ------------------------------------------------------------ */

static void mark_dirty(akidb_storage *storage, ak_collection *collection, uint64_t lsn)
{
    collection->last_lsn = lsn;
    if (collection->dirty_lsn != 0)
        return;
    collection->dirty_lsn = lsn;
    collection->dirty_since = ak_storage_now(storage);
}

static void apply_create(akidb_storage *storage, ak_pending *pending)
{
    ak_collection *collection = pending->collection;
    pthread_rwlock_wrlock(&collection->lock);
    collection->created_lsn = pending->lsn;
    collection->replay_after = pending->lsn;
    collection->last_lsn = pending->lsn;
    if (pending->entry->kind == AK_LOG_RESTORE) {
        collection->replay_after = pending->lsn - 1; /* the entry itself brings the documents */
        mark_dirty(storage, collection, pending->lsn);
    }
    pthread_rwlock_unlock(&collection->lock);
    if (!ak_collections_add(storage, collection))
        pending->status = AKIDB_E_ALREADY_EXISTS;
}

static void apply_drop(akidb_storage *storage, ak_pending *pending)
{
    ak_collection *collection = pending->collection;
    if (!ak_collections_remove(storage, collection)) {
        pending->status = AKIDB_E_NOT_FOUND;
        return;
    }
    pthread_rwlock_wrlock(&collection->lock);
    collection->dropped = true;
    ak_remains remains = ak_collection_empty(collection);
    pthread_rwlock_unlock(&collection->lock);
    ak_remains_release(storage, &remains, true);
}

/* Hides ids from a base; `index`, when it is known, tells which of them that has, and the others
 * need no hiding: a collection would else gather them for good that was only asked to delete what
 * is not there. */
static void hide_from(ak_shadow *shadow, const ak_row_index *index, const uint8_t *ids,
                      size_t count, uint64_t lsn)
{
    for (size_t i = 0; i < count; i++) {
        akidb_uuid id;
        uint32_t row;
        memcpy(&id, ids + i * sizeof id, sizeof id);
        if (index == NULL || ak_row_index_find(index, &id, &row))
            (void)ak_shadow_add(shadow, &id, lsn);
    }
    ak_shadow_unreserve(shadow, count);
}

/* Hides the ids of a write from the base that is and from the one that will be. */
static void hide(ak_collection *collection, const uint8_t *ids, size_t count, uint64_t lsn)
{
    if (collection->shadow != NULL)
        hide_from(collection->shadow, ak_base_index(collection->base), ids, count, lsn);
    if (collection->next.shadow != NULL)
        hide_from(collection->next.shadow, NULL, ids, count, lsn);
    collection->promised -= count;
}

static void apply_upsert(akidb_storage *storage, ak_pending *pending)
{
    ak_collection *collection = pending->collection;
    const ak_log_rows *rows = &pending->entry->rows;
    if (collection->incoming != NULL)
        ak_contents_unreserve(collection->incoming, rows->rows);
    ak_contents_upsert(collection->contents, rows, pending->texts, pending->lsn);
    ak_contents_compact(collection->contents, pending->lsn);
    if (collection->next.contents != NULL)
        ak_contents_upsert(collection->next.contents, rows, pending->texts, pending->lsn);
    hide(collection, rows->ids, rows->rows, pending->lsn);
    mark_dirty(storage, collection, pending->lsn);
}

/* Deletes ids of the base that were not written since; counts those that it has, or notes that it
 * may have them. Before the ids are hidden. Returns how many there may be. */
static uint64_t delete_from_base(ak_pending *pending)
{
    ak_collection *collection = pending->collection;
    const ak_row_index *index = ak_base_index(collection->base);
    uint64_t possible = 0;
    for (size_t i = 0; i < pending->entry->id_count; i++) {
        akidb_uuid id;
        uint32_t row;
        memcpy(&id, pending->entry->ids + i * sizeof id, sizeof id);
        if ((index != NULL && !ak_row_index_find(index, &id, &row)) ||
            !ak_shadow_add(collection->shadow, &id, pending->lsn))
            continue;
        possible++;
        if (index != NULL)
            pending->deleted++;
        else if (pending->unknown != NULL)
            pending->unknown[i] = 1;
    }
    if (index == NULL && possible > 0 && pending->unknown != NULL) {
        ak_base_retain(collection->base);
        pending->base = collection->base;
    }
    return possible;
}

static void apply_delete(akidb_storage *storage, ak_pending *pending)
{
    ak_collection *collection = pending->collection;
    const uint8_t *ids = pending->entry->ids;
    size_t count = pending->entry->id_count;
    pending->deleted = ak_contents_delete(collection->contents, ids, count, pending->lsn);
    uint64_t touched = pending->deleted;
    if (collection->base != NULL)
        touched += delete_from_base(pending);
    if (collection->next.contents != NULL)
        (void)ak_contents_delete(collection->next.contents, ids, count, pending->lsn);
    hide(collection, ids, count, pending->lsn);
    if (touched == 0)
        return;
    ak_contents_compact(collection->contents, pending->lsn);
    mark_dirty(storage, collection, pending->lsn);
}

/* Cursors of what was there before keep it. The collection is hot now. */
static ak_remains apply_restore(akidb_storage *storage, ak_pending *pending)
{
    ak_collection *collection = pending->collection;
    ak_contents *incoming = collection->incoming;
    ak_remains remains = ak_collection_empty(collection);
    remains.contents[1] = NULL;
    collection->contents = incoming;
    collection->tier = AKIDB_TIER_HOT;
    mark_dirty(storage, collection, pending->lsn);
    return remains;
}

static void apply_documents(akidb_storage *storage, ak_pending *pending)
{
    ak_collection *collection = pending->collection;
    ak_remains remains = {0};
    pthread_rwlock_wrlock(&collection->lock);
    if (collection->dropped)
        pending->status = AKIDB_E_NOT_FOUND;
    else if (pending->entry->kind == AK_LOG_UPSERT)
        apply_upsert(storage, pending);
    else if (pending->entry->kind == AK_LOG_DELETE)
        apply_delete(storage, pending);
    else
        remains = apply_restore(storage, pending);
    pthread_rwlock_unlock(&collection->lock);
    ak_remains_release(storage, &remains, true);
}

void ak_apply(akidb_storage *storage, ak_pending *pending)
{
    const ak_log_entry *entry = pending->entry;
    if (entry->kind == AK_LOG_CREATE || (entry->kind == AK_LOG_RESTORE && entry->creates))
        apply_create(storage, pending);
    else if (entry->kind == AK_LOG_DROP)
        apply_drop(storage, pending);
    else
        apply_documents(storage, pending);
}

/* ---- the queue ------------------------------------------------------------------------------- */

uint64_t ak_applied_lsn(akidb_storage *storage)
{
    pthread_mutex_lock(&storage->queue_lock);
    uint64_t applied = storage->applied;
    pthread_mutex_unlock(&storage->queue_lock);
    return applied;
}

static akidb_status append(akidb_storage *storage, const ak_log_entry *entry, ak_pending *pending,
                           akidb_error *err)
{
    akidb_buffer head = {0};
    akidb_slice slices[AK_LOG_SLICES_MAX];
    size_t count;
    akidb_status status = ak_log_encode(entry, &head, slices, &count, err);
    pthread_mutex_lock(&storage->submit_lock);
    if (status == AKIDB_OK)
        status =
            ak_wal_begin(storage->wal, (ak_wal_kind)entry->kind, slices, count, &pending->lsn, err);
    if (status == AKIDB_OK) {
        pthread_mutex_lock(&storage->queue_lock);
        if (storage->last != NULL)
            storage->last->next = pending;
        else
            storage->first = pending;
        storage->last = pending;
        pthread_mutex_unlock(&storage->queue_lock);
    }
    pthread_mutex_unlock(&storage->submit_lock);
    akidb_buffer_free(&head);
    return status;
}

static void take_first(akidb_storage *storage)
{
    storage->first = storage->first->next;
    if (storage->first == NULL)
        storage->last = NULL;
}

/* Takes back an entry that the log could not keep. */
static void take_out(akidb_storage *storage, const ak_pending *pending)
{
    ak_pending *before = NULL;
    for (ak_pending *at = storage->first; at != pending; at = at->next)
        before = at;
    if (before == NULL) {
        take_first(storage);
        return;
    }
    before->next = pending->next;
    if (storage->last == pending)
        storage->last = before;
}

/* Applies all that is durable. The caller holds the lock, which is open while it works. */
static void apply_durable(akidb_storage *storage)
{
    storage->applying = true;
    while (storage->first != NULL && storage->first->lsn <= storage->durable) {
        ak_pending *pending = storage->first;
        take_first(storage);
        pthread_mutex_unlock(&storage->queue_lock);
        ak_apply(storage, pending);
        pthread_mutex_lock(&storage->queue_lock);
        storage->applied = pending->lsn;
        pending->applied = true; /* from here on it may be gone */
    }
    storage->applying = false;
    pthread_cond_broadcast(&storage->queue_moved);
}

/* Returns when the entry was applied, or, when the log failed, taken back: false. */
static bool settle(akidb_storage *storage, ak_pending *pending, bool promised)
{
    pthread_mutex_lock(&storage->queue_lock);
    if (promised && pending->lsn > storage->durable)
        storage->durable = pending->lsn;
    while (!pending->applied) {
        if (pending->lsn > storage->durable) {
            take_out(storage, pending);
            break;
        }
        if (storage->applying)
            pthread_cond_wait(&storage->queue_moved, &storage->queue_lock);
        else
            apply_durable(storage);
    }
    bool applied = pending->applied;
    pthread_mutex_unlock(&storage->queue_lock);
    return applied;
}

akidb_status ak_submit(akidb_storage *storage, const ak_log_entry *entry, ak_pending *pending,
                       akidb_error *err)
{
    pending->entry = entry;
    pending->status = AKIDB_OK;
    akidb_status status = append(storage, entry, pending, err);
    if (status != AKIDB_OK)
        return status;
    akidb_error cause = {0};
    status = ak_wal_wait(storage->wal, pending->lsn, &cause);
    if (settle(storage, pending, status == AKIDB_OK))
        return AKIDB_OK;
    ak_error_context(&cause, "whether entry %llu of the log was kept is known after the next open",
                     (unsigned long long)pending->lsn);
    if (err != NULL)
        *err = cause;
    return status;
}
