/* From memory into snapshots; and what the log no longer needs then. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "snapshot/writer.h"
#include "storage/storage.h"

/* ---- the catalogue, and the end of the log --------------------------------------------------- */

static void describe(ak_collection *collection, ak_catalogue_collection *to, uint64_t *needed)
{
    pthread_rwlock_rdlock(&collection->lock);
    *to = (ak_catalogue_collection){
        .id = collection->id,
        .incarnation = collection->incarnation,
        .created = collection->created,
        .created_lsn = collection->created_lsn,
        .replay_after = collection->replay_after,
        .has_snapshot = collection->has_snapshot,
        .snapshot_id = collection->snapshot_id,
        .snapshot_lsn = collection->snapshot_lsn,
        .snapshot_at = collection->snapshot_at,
    };
    if (collection->dirty_lsn != 0 && collection->dirty_lsn < *needed)
        *needed = collection->dirty_lsn;
    if (collection->flushing_lsn != 0 && collection->flushing_lsn < *needed)
        *needed = collection->flushing_lsn;
    pthread_rwlock_unlock(&collection->lock);
}

static akidb_status capture(akidb_storage *storage, ak_catalogue *catalogue, akidb_error *err)
{
    catalogue->log_id = storage->log_id;
    /* Before the table is looked at: what is applied meanwhile counts as later. */
    catalogue->lsn = ak_applied_lsn(storage);
    catalogue->log_from = catalogue->lsn + 1;
    ak_collection **all;
    size_t count;
    akidb_status status = ak_collections_all(storage, &all, &count, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        ak_catalogue_collection *added;
        status = ak_catalogue_add(catalogue, &added, err);
        if (status == AKIDB_OK)
            describe(all[i], added, &catalogue->log_from);
    }
    ak_collections_release(all, count);
    return status;
}

akidb_status ak_save_catalogue(akidb_storage *storage, akidb_error *err)
{
    ak_catalogue catalogue = {0};
    pthread_mutex_lock(&storage->catalogue_lock);
    akidb_status status = capture(storage, &catalogue, err);
    /* What it says must not be later than what the log can lose; else LSNs would come twice. */
    if (status == AKIDB_OK && storage->durability != AKIDB_DURABLE_EVERY_COMMIT)
        status = ak_wal_sync(storage->wal, err);
    if (status == AKIDB_OK)
        status = ak_catalogue_write(&catalogue, storage->files, storage->folder, err);
    atomic_store(&storage->catalogue_stale, status != AKIDB_OK);
    if (status == AKIDB_OK)
        status = ak_wal_remove_before(storage->wal, catalogue.log_from, err);
    pthread_mutex_unlock(&storage->catalogue_lock);
    ak_catalogue_free(&catalogue);
    return status;
}

/* ---- one snapshot ---------------------------------------------------------------------------- */

static akidb_time_unit choose_unit(const akidb_storage *storage, const ak_view *view)
{
    if (storage->time_unit != AKIDB_TIME_UNIT_DEFAULT)
        return storage->time_unit;
    return ak_view_needs_micros(view) ? AKIDB_TIME_UNIT_MICROS : AKIDB_TIME_UNIT_MILLIS;
}

static akidb_status append_view(ak_view *view, akidb_snapshot_writer *writer, akidb_error *err)
{
    enum { BYTES_AT_ONCE = 32 << 20 };
    size_t rows = BYTES_AT_ONCE / (view->dimension * sizeof(float) + 1) + 1;
    akidb_documents *documents;
    akidb_status status = akidb_documents_new(view->dimension, &documents, err);
    while (status == AKIDB_OK) {
        akidb_documents_clear(documents);
        status = ak_view_next(view, rows > 10000 ? 10000 : rows, documents, err);
        akidb_batch batch = akidb_documents_batch(documents);
        if (status != AKIDB_OK || batch.rows == 0)
            break;
        status = akidb_snapshot_append(writer, &batch, err);
    }
    akidb_documents_free(documents);
    return status;
}

static akidb_status write_snapshot(akidb_storage *storage, const ak_collection *collection,
                                   akidb_snapshotter *snapshotter, ak_view *view,
                                   akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    *metadata_out = NULL;
    akidb_label name = {"name", collection->created.name};
    ak_lineage lineage = {storage->log_id, collection->incarnation, view->lsn};
    ak_begin_options options = {
        .create = {.struct_size = sizeof options.create,
                   .labels = &name,
                   .label_count = collection->created.has_name ? 1 : 0,
                   .allow_empty = true,
                   .trust_ids = true,
                   .rows_hint = view->live},
        .time_unit = choose_unit(storage, view),
        .bytes_hint = view->live * (28 + (uint64_t)view->dimension * sizeof(float)),
        .lineage = &lineage,
    };
    akidb_snapshot_writer *writer;
    akidb_status status =
        ak_snapshot_begin(snapshotter, &collection->id, view->dimension, &options, &writer, err);
    if (status != AKIDB_OK)
        return status;
    status = append_view(view, writer, err);
    if (status != AKIDB_OK) {
        akidb_snapshot_abort(writer);
        return status;
    }
    return akidb_snapshot_commit(writer, NULL, metadata_out, err);
}

/* ---- flush ----------------------------------------------------------------------------------- */

/* Takes the view, and notes which writes only the snapshot to come will hold. *needed_out is false
 * when the newest snapshot holds all. */
static akidb_status begin(akidb_storage *storage, ak_collection *collection, ak_view *view,
                          bool *needed_out, akidb_error *err)
{
    uint64_t applied = ak_applied_lsn(storage);
    pthread_rwlock_wrlock(&collection->lock);
    uint64_t lsn = applied > collection->last_lsn ? applied : collection->last_lsn;
    akidb_status status = AKIDB_OK;
    *needed_out = !collection->has_snapshot || collection->dirty_lsn != 0;
    if (collection->dropped)
        status = ak_collection_fail_gone(&collection->id, err);
    else if (*needed_out)
        status = ak_view_take(collection->contents, lsn, view, err);
    if (status == AKIDB_OK && *needed_out) {
        collection->flushing_lsn = collection->dirty_lsn;
        collection->dirty_lsn = 0;
    }
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

/* The snapshot did not come about: its writes are those of the next one. */
static void undo(ak_collection *collection, int64_t dirty_since)
{
    pthread_rwlock_wrlock(&collection->lock);
    if (collection->flushing_lsn != 0) {
        collection->dirty_lsn = collection->flushing_lsn;
        collection->dirty_since = dirty_since;
    }
    collection->flushing_lsn = 0;
    pthread_rwlock_unlock(&collection->lock);
}

/* False when the collection was dropped meanwhile. */
static bool finish(ak_collection *collection, const akidb_snapshot_metadata *metadata)
{
    pthread_rwlock_wrlock(&collection->lock);
    collection->flushing_lsn = 0;
    collection->has_snapshot = true;
    collection->snapshot_id = metadata->snapshot_id;
    collection->snapshot_lsn = metadata->lsn;
    collection->snapshot_at = metadata->created_at;
    collection->replay_after = metadata->lsn;
    bool there = !collection->dropped;
    pthread_rwlock_unlock(&collection->lock);
    return there;
}

/* For those who look at the log; recovery goes by the catalogue. */
static void append_checkpoint(akidb_storage *storage, const ak_collection *collection,
                              const akidb_snapshot_metadata *metadata)
{
    ak_log_entry entry = {.kind = AK_LOG_CHECKPOINT,
                          .collection = collection->id,
                          .incarnation = collection->incarnation,
                          .snapshot = metadata->snapshot_id,
                          .lsn = metadata->lsn};
    akidb_buffer head = {0};
    akidb_slice slices[AK_LOG_SLICES_MAX];
    size_t count;
    uint64_t lsn;
    akidb_error cause;
    akidb_status status = ak_log_encode(&entry, &head, slices, &count, &cause);
    if (status == AKIDB_OK)
        status = ak_wal_append(storage->wal, AK_WAL_CHECKPOINT, slices, count, &lsn, &cause);
    if (status != AKIDB_OK)
        ak_storage_log(storage, AKIDB_LOG_WARNING, &cause, "the log has no checkpoint");
    akidb_buffer_free(&head);
}

/* Removes what the policy does not keep, but never the snapshot that recovery begins with, whatever
 * the clock says about its age. */
static akidb_status clean_up(akidb_storage *storage, const ak_collection *collection,
                             const akidb_uuid *newest, akidb_error *err)
{
    akidb_retention_report report;
    akidb_status status = akidb_snapshot_cleanup(storage->background, &collection->id,
                                                 &storage->retention, true, &report, err);
    for (size_t i = report.count; i > 0 && status == AKIDB_OK; i--) {
        const akidb_retention_decision *decision = &report.decisions[i - 1];
        if (decision->keep || akidb_uuid_compare(&decision->snapshot_id, newest) == 0)
            continue;
        status = akidb_snapshot_delete(storage->background, &collection->id, &decision->snapshot_id,
                                       err);
        if (status == AKIDB_E_NOT_FOUND)
            status = AKIDB_OK; /* somebody else was first */
    }
    akidb_retention_report_free(&report);
    return status;
}

/* A snapshot that a restore has taken its documents from is needed until they are in one of ours:
 * restores and flushes of a collection exclude each other, so that now they are. */
static void apply_retention(akidb_storage *storage, ak_collection *collection)
{
    pthread_rwlock_rdlock(&collection->lock);
    akidb_uuid newest = collection->snapshot_id;
    pthread_rwlock_unlock(&collection->lock);
    akidb_error cause;
    if (storage->has_retention && clean_up(storage, collection, &newest, &cause) != AKIDB_OK)
        ak_storage_log(storage, AKIDB_LOG_WARNING, &cause, "retention after a flush");
}

static akidb_status publish(akidb_storage *storage, ak_collection *collection,
                            const akidb_snapshot_metadata *metadata, akidb_error *err)
{
    if (!finish(collection, metadata)) {
        akidb_error cause;
        if (akidb_snapshot_delete(storage->background, &collection->id, &metadata->snapshot_id,
                                  &cause) != AKIDB_OK)
            ak_storage_log(storage, AKIDB_LOG_WARNING, &cause,
                           "a snapshot of a collection that was dropped meanwhile stays");
        return ak_collection_fail_gone(&collection->id, err);
    }
    akidb_status status = ak_save_catalogue(storage, err);
    if (status != AKIDB_OK) {
        ak_error_context(err, "the snapshot was made, but the catalogue does not have it yet");
        return status;
    }
    append_checkpoint(storage, collection, metadata);
    apply_retention(storage, collection);
    return AKIDB_OK;
}

static akidb_status flush_now(akidb_storage *storage, ak_collection *collection,
                              akidb_snapshotter *snapshotter, akidb_error *err)
{
    ak_view view = {0};
    bool needed;
    pthread_rwlock_rdlock(&collection->lock);
    int64_t dirty_since = collection->dirty_since;
    pthread_rwlock_unlock(&collection->lock);
    akidb_status status = begin(storage, collection, &view, &needed, err);
    if (status != AKIDB_OK || !needed)
        return status != AKIDB_OK || !atomic_load(&storage->catalogue_stale)
                   ? status
                   : ak_save_catalogue(storage, err);
    akidb_snapshot_metadata *metadata = NULL;
    /* The log must not lose what the snapshot has: its LSNs would be given out again. */
    status = ak_wal_sync(storage->wal, err);
    if (status == AKIDB_OK)
        status = write_snapshot(storage, collection, snapshotter, &view, &metadata, err);
    ak_view_free(&view);
    if (status == AKIDB_OK) {
        atomic_fetch_add(&storage->counters.snapshots_made, 1);
        atomic_fetch_add(&storage->counters.snapshot_bytes, metadata->size_bytes);
        status = publish(storage, collection, metadata, err);
    } else {
        atomic_fetch_add(&storage->counters.snapshots_failed, 1);
        undo(collection, dirty_since);
    }
    akidb_snapshot_metadata_free(metadata);
    return status;
}

void ak_flush_enter(akidb_storage *storage, ak_collection *collection)
{
    pthread_mutex_lock(&storage->flush_lock);
    while (collection->flushing)
        pthread_cond_wait(&storage->flush_ended, &storage->flush_lock);
    collection->flushing = true;
    pthread_mutex_unlock(&storage->flush_lock);
}

void ak_flush_leave(akidb_storage *storage, ak_collection *collection)
{
    pthread_mutex_lock(&storage->flush_lock);
    collection->flushing = false;
    pthread_cond_broadcast(&storage->flush_ended);
    pthread_mutex_unlock(&storage->flush_lock);
}

akidb_status ak_flush(akidb_storage *storage, ak_collection *collection,
                      akidb_snapshotter *snapshotter, akidb_uuid *snapshot_id_out, akidb_error *err)
{
    ak_flush_enter(storage, collection);
    akidb_status status = flush_now(storage, collection, snapshotter, err);
    if (status == AKIDB_OK && snapshot_id_out != NULL) {
        pthread_rwlock_rdlock(&collection->lock);
        *snapshot_id_out = collection->snapshot_id;
        pthread_rwlock_unlock(&collection->lock);
    }
    ak_flush_leave(storage, collection);
    return status;
}

akidb_status akidb_storage_flush(akidb_storage *storage, const akidb_uuid *id,
                                 akidb_uuid *snapshot_id_out, akidb_error *err)
{
    if (snapshot_id_out != NULL)
        *snapshot_id_out = (akidb_uuid){{0}};
    ak_collection *collection;
    akidb_status status = ak_collection_get(storage, id, &collection, err);
    if (status == AKIDB_OK)
        status = ak_flush(storage, collection, storage->snapshotter, snapshot_id_out, err);
    ak_collection_release(collection);
    return status;
}
