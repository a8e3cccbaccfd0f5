/* From memory into snapshots; and what the log no longer needs then. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "snapshot/writer.h"
#include "storage/scan.h"

/* ---- the catalogue, and the end of the log --------------------------------------------------- */

ak_catalogue_collection ak_collection_describe(ak_collection *collection, uint64_t *needed_lsn)
{
    pthread_rwlock_rdlock(&collection->lock);
    ak_catalogue_collection described = {
        .id = collection->id,
        .incarnation = collection->incarnation,
        .created = collection->created,
        .created_lsn = collection->created_lsn,
        .replay_after = collection->replay_after,
        .tier = collection->tier,
        .has_snapshot = collection->has_snapshot,
        .snapshot_id = collection->snapshot_id,
        .snapshot_lsn = collection->snapshot_lsn,
        .snapshot_at = collection->snapshot_at,
        .snapshot_rows = collection->snapshot_rows,
        .snapshot_bytes = collection->snapshot_bytes,
    };
    if (needed_lsn != NULL && collection->dirty_lsn != 0 && collection->dirty_lsn < *needed_lsn)
        *needed_lsn = collection->dirty_lsn;
    if (needed_lsn != NULL && collection->flushing_lsn != 0 &&
        collection->flushing_lsn < *needed_lsn)
        *needed_lsn = collection->flushing_lsn;
    pthread_rwlock_unlock(&collection->lock);
    return described;
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
            *added = ak_collection_describe(all[i], &catalogue->log_from);
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
    /* What is recorded is done, whatever becomes of the log's old segments: the next time takes
     * them along. */
    akidb_error cause;
    akidb_status removed = status == AKIDB_OK
                               ? ak_wal_remove_before(storage->wal, catalogue.log_from, &cause)
                               : AKIDB_OK;
    atomic_store(&storage->log_is_long, removed != AKIDB_OK);
    pthread_mutex_unlock(&storage->catalogue_lock);
    if (removed != AKIDB_OK)
        ak_storage_log(storage, AKIDB_LOG_WARNING, &cause,
                       "segments that the log no longer needs stay for now");
    ak_catalogue_free(&catalogue);
    return status;
}

bool ak_catalogue_is_due(const akidb_storage *storage)
{
    return atomic_load(&storage->catalogue_stale) || atomic_load(&storage->log_is_long);
}

/* ---- one snapshot ---------------------------------------------------------------------------- */

static akidb_status append_scan(ak_scan *scan, akidb_snapshot_writer *writer, akidb_error *err)
{
    akidb_documents *room;
    akidb_batch batch = {.rows = 1};
    akidb_status status = akidb_documents_new(scan->dimension, &room, err);
    while (status == AKIDB_OK && batch.rows > 0) {
        status = ak_scan_show(scan, room, &batch, err);
        if (status == AKIDB_OK && batch.rows > 0)
            status = akidb_snapshot_append(writer, &batch, err);
    }
    akidb_documents_free(room);
    return status;
}

static akidb_status write_to(const ak_collection *collection, akidb_snapshotter *snapshotter,
                             ak_scan *scan, akidb_snapshot_metadata **metadata_out,
                             akidb_error *err)
{
    *metadata_out = NULL;
    const akidb_storage *storage = scan->storage;
    akidb_label name = {"name", collection->created.name};
    ak_lineage lineage = {storage->log_id, collection->incarnation, scan->lsn};
    ak_begin_options options = {
        .create = {.struct_size = sizeof options.create,
                   .labels = &name,
                   .label_count = collection->created.has_name ? 1 : 0,
                   .allow_empty = true,
                   .trust_ids = true,
                   .rows_hint = scan->rows_max},
        .time_unit = storage->time_unit,
        .bytes_hint = scan->rows_max * (28 + (uint64_t)scan->dimension * sizeof(float)),
        .lineage = &lineage,
    };
    bool micros = false;
    akidb_status status = AKIDB_OK;
    if (options.time_unit == AKIDB_TIME_UNIT_DEFAULT) {
        status = ak_scan_needs_micros(scan, &micros, err);
        options.time_unit = micros ? AKIDB_TIME_UNIT_MICROS : AKIDB_TIME_UNIT_MILLIS;
    }
    akidb_snapshot_writer *writer;
    if (status == AKIDB_OK)
        status = ak_snapshot_begin(snapshotter, &collection->id, scan->dimension, &options, &writer,
                                   err);
    if (status != AKIDB_OK)
        return status;
    status = append_scan(scan, writer, err);
    if (status != AKIDB_OK) {
        akidb_snapshot_abort(writer);
        return status;
    }
    return akidb_snapshot_commit(writer, NULL, metadata_out, err);
}

/* ---- settling: a flush, or a move to warm or cold -------------------------------------------- */

typedef struct settling {
    akidb_storage *storage;
    ak_collection *collection;
    const ak_settling *how;
    bool afresh;   /* the snapshot that there is cannot be read by row, or not at all */
    bool verified; /* every byte of it, if the tier is cold */
    bool writes;   /* a snapshot */
    bool replaces; /* with a base, and the layer `next` beside it */
    int64_t dirty_since;
    ak_scan scan;
    akidb_snapshot_metadata *written;
    ak_local *local;
    ak_base *base;
} settling;

/* A snapshot that is gone is damage: "not found" is said of collections. */
static akidb_status as_damage(akidb_status status, akidb_error *err)
{
    if (status != AKIDB_E_NOT_FOUND)
        return status;
    if (err != NULL)
        err->status = AKIDB_E_CORRUPTION;
    return AKIDB_E_CORRUPTION;
}

/* Every byte that the store has is read and compared before it is the only copy. */
static akidb_status verify_remote(const settling *s, const ak_catalogue_collection *of,
                                  akidb_error *err)
{
    akidb_verify_report report;
    akidb_status status = akidb_snapshot_verify(s->how->route.store, &of->id, &of->snapshot_id,
                                                AKIDB_VERIFY_CHECKSUM, &report, err);
    if (status != AKIDB_OK || report.outcome == AKIDB_VERIFY_GOOD)
        return as_damage(status, err);
    if (report.outcome == AKIDB_VERIFY_UNCHECKED)
        return ak_fail(err, AKIDB_E_UNSUPPORTED, "expected a snapshot with checksums, found none");
    if (err != NULL)
        *err = report.problem;
    return as_damage(report.problem.status, err);
}

/* What the store has of the newest snapshot of a hot collection that is to rest on it. */
static akidb_status look_at_metadata(settling *s, const ak_catalogue_collection *of,
                                     akidb_error *err)
{
    ak_collection *collection = s->collection;
    akidb_snapshot_metadata *metadata;
    akidb_status status =
        as_damage(ak_base_metadata(s->storage, s->how->route.store, of, &metadata, err), err);
    if (status != AKIDB_OK)
        return status;
    s->afresh = metadata->format != AKIDB_FORMAT_PARQUET || !metadata->checked;
    pthread_rwlock_wrlock(&collection->lock);
    collection->snapshot_rows = metadata->vector_count;
    collection->snapshot_bytes = metadata->size_bytes;
    pthread_rwlock_unlock(&collection->lock);
    akidb_snapshot_metadata_free(metadata);
    return AKIDB_OK;
}

/* Before a move down of a collection that nothing was written to since its newest snapshot: whether
 * that one will do. One that is damaged or gone is written anew, while memory or the local copy
 * still have the documents. */
static akidb_status look_at_snapshot(settling *s, akidb_error *err)
{
    ak_collection *collection = s->collection;
    uint64_t dirty_lsn = UINT64_MAX;
    ak_catalogue_collection of = ak_collection_describe(collection, &dirty_lsn);
    akidb_error cause = {0};
    akidb_status status = AKIDB_OK;
    if (!s->how->is_move || s->how->tier <= of.tier || !of.has_snapshot || dirty_lsn != UINT64_MAX)
        return AKIDB_OK;
    if (of.tier == AKIDB_TIER_HOT)
        status = look_at_metadata(s, &of, &cause);
    if (status == AKIDB_OK && !s->afresh && s->how->tier == AKIDB_TIER_COLD)
        status = verify_remote(s, &of, &cause);
    s->verified = status == AKIDB_OK;
    if (status == AKIDB_E_CORRUPTION) {
        ak_storage_log(s->storage, AKIDB_LOG_WARNING, &cause,
                       "a damaged snapshot in the store is written anew");
        s->afresh = true;
        return AKIDB_OK;
    }
    if (status != AKIDB_OK && err != NULL)
        *err = cause;
    return status;
}

/* From here on writes go into the layer that will lie over the new base, too. The caller holds the
 * lock. */
akidb_status ak_collection_begin_next(akidb_storage *storage, ak_collection *collection,
                                      akidb_error *err)
{
    ak_layer next = {0};
    akidb_status status = ak_contents_new(collection->created.dimension, storage->hash_seed,
                                          &storage->memory, &next.contents, err);
    if (status == AKIDB_OK)
        status = ak_contents_reserve(next.contents, collection->contents->reserved, 0, err);
    if (status == AKIDB_OK)
        status = ak_shadow_new(storage->hash_seed, &storage->memory, &next.shadow, err);
    if (status == AKIDB_OK)
        status = ak_shadow_reserve(next.shadow, collection->promised, err);
    if (status != AKIDB_OK) {
        ak_contents_free(next.contents);
        ak_shadow_release(next.shadow);
        return status;
    }
    collection->next = next;
    return AKIDB_OK;
}

void ak_collection_end_next(ak_collection *collection)
{
    pthread_rwlock_wrlock(&collection->lock);
    ak_layer next = collection->next;
    collection->next = (ak_layer){0};
    pthread_rwlock_unlock(&collection->lock);
    ak_contents_free(next.contents);
    ak_shadow_release(next.shadow);
}

/* Takes the view, and notes which writes only the snapshot to come will hold. */
static akidb_status begin_locked(settling *s, uint64_t applied, akidb_error *err)
{
    ak_collection *collection = s->collection;
    akidb_status status = AKIDB_OK;
    if (collection->dropped)
        return ak_collection_fail_gone(&collection->id, err);
    s->dirty_since = collection->dirty_since;
    s->writes = !s->how->keeps_overlay &&
                (!collection->has_snapshot || collection->dirty_lsn != 0 || s->afresh);
    s->replaces =
        s->how->tier != AKIDB_TIER_HOT && (s->writes || collection->tier == AKIDB_TIER_HOT);
    if (s->writes)
        status = ak_scan_take(s->storage, collection, ak_collection_lsn(collection, applied),
                              &s->scan, err);
    if (status == AKIDB_OK && s->replaces)
        status = ak_collection_begin_next(s->storage, collection, err);
    if (status != AKIDB_OK || !s->writes)
        return status;
    s->scan.route = s->how->route;
    collection->flushing_lsn = collection->dirty_lsn;
    collection->dirty_lsn = 0;
    return AKIDB_OK;
}

/* What could not be made durable here goes to the store alone. */
static akidb_status write_warm(settling *s, akidb_error *err)
{
    const ak_route *route = &s->how->route;
    ak_catalogue_collection of = ak_collection_describe(s->collection, NULL);
    akidb_status status = write_to(s->collection, route->warm, &s->scan, &s->written, err);
    if (status != AKIDB_OK)
        return status;
    of.snapshot_id = s->written->snapshot_id;
    of.snapshot_bytes = s->written->size_bytes;
    status = ak_local_claim(s->storage, &of, &s->local, err);
    /* Every byte of the local copy is read again on the way, and compared. */
    if (status == AKIDB_OK)
        status = akidb_snapshot_copy(route->warm, &of.id, &of.snapshot_id, route->store->store,
                                     NULL, err);
    if (status == AKIDB_OK)
        return AKIDB_OK;
    if (s->local != NULL)
        ak_local_give_up(s->storage, s->local);
    ak_local_release(s->storage, s->local);
    s->local = NULL;
    akidb_snapshot_metadata_free(s->written);
    s->written = NULL;
    return status;
}

static akidb_status write_snapshot(settling *s, akidb_error *err)
{
    akidb_error cause = {0};
    /* The log must not lose what the snapshot has: its LSNs would be given out again. */
    akidb_status status = ak_wal_sync(s->storage->wal, err);
    if (status != AKIDB_OK)
        return status;
    if (s->how->tier != AKIDB_TIER_WARM)
        return write_to(s->collection, s->how->route.store, &s->scan, &s->written, err);
    status = write_warm(s, &cause);
    if (status != AKIDB_OK && !s->how->is_move && ak_is_local_failure(status)) {
        ak_storage_log(s->storage, AKIDB_LOG_WARNING, &cause,
                       "a snapshot could not be made in DATA/warm, and is made in the store alone");
        ak_scan_rewind(&s->scan);
        return write_to(s->collection, s->how->route.store, &s->scan, &s->written, err);
    }
    if (status != AKIDB_OK && err != NULL)
        *err = cause;
    return status;
}

static akidb_status make_base(settling *s, akidb_error *err)
{
    ak_catalogue_collection of = ak_collection_describe(s->collection, NULL);
    akidb_status status = AKIDB_OK;
    if (s->written != NULL) {
        of.snapshot_id = s->written->snapshot_id;
        of.snapshot_lsn = s->written->lsn;
        of.snapshot_at = s->written->created_at;
        of.snapshot_rows = s->written->vector_count;
        of.snapshot_bytes = s->written->size_bytes;
    }
    if (s->how->tier == AKIDB_TIER_COLD && s->how->is_move && (s->written != NULL || !s->verified))
        status = verify_remote(s, &of, err);
    if (s->how->tier == AKIDB_TIER_WARM && s->how->is_move && s->local == NULL)
        status = as_damage(ak_warm_copy(s->storage, &s->how->route, &of, &s->local, err), err);
    if (status != AKIDB_OK)
        return status;
    bool is_local = s->local != NULL;
    status = ak_base_new(s->storage, &of, s->local, &s->base, err);
    s->local = NULL;
    if (status == AKIDB_OK && is_local)
        status = ak_base_load_index(s->base, err);
    return status;
}

/* The snapshot did not come about, or is of no use: its writes are those of the next one. */
static void undo(settling *s)
{
    ak_collection *collection = s->collection;
    pthread_rwlock_wrlock(&collection->lock);
    if (s->writes && collection->flushing_lsn != 0) {
        collection->dirty_lsn = collection->flushing_lsn;
        collection->dirty_since = s->dirty_since;
    }
    collection->flushing_lsn = 0;
    pthread_rwlock_unlock(&collection->lock);
    if (s->replaces)
        ak_collection_end_next(collection);
    ak_base *base = ak_collection_base(collection);
    ak_local *local = s->base != NULL ? s->base->local : s->local;
    if (local != NULL && (base == NULL || base->local != local))
        ak_local_give_up(s->storage, local);
    ak_base_release(base);
    ak_base_release(s->base);
    ak_local_release(s->storage, s->local);
    akidb_error cause;
    if (s->written != NULL && akidb_snapshot_delete(s->storage->background.store, &collection->id,
                                                    &s->written->snapshot_id, &cause) != AKIDB_OK)
        ak_storage_log(s->storage, AKIDB_LOG_WARNING, &cause, "a snapshot that nobody needs stays");
}

/* Puts everything in its place. False when the collection was dropped meanwhile. */
static bool finish(settling *s, ak_remains *old)
{
    ak_collection *collection = s->collection;
    pthread_rwlock_wrlock(&collection->lock);
    bool there = !collection->dropped;
    if (there && s->written != NULL) {
        collection->flushing_lsn = 0;
        collection->has_snapshot = true;
        collection->snapshot_id = s->written->snapshot_id;
        collection->snapshot_lsn = s->written->lsn;
        collection->snapshot_at = s->written->created_at;
        collection->snapshot_rows = s->written->vector_count;
        collection->snapshot_bytes = s->written->size_bytes;
        collection->replay_after = s->written->lsn;
    }
    if (there && s->replaces) {
        old->contents[0] = collection->contents;
        old->shadows[0] = collection->shadow;
        collection->contents = collection->next.contents;
        collection->shadow = collection->next.shadow;
        collection->next = (ak_layer){0};
        collection->resolved = 0;
        collection->hidden = 0;
    }
    if (there && s->base != NULL) {
        old->base = collection->base;
        collection->base = s->base;
        collection->tier = s->how->tier;
        s->base = NULL;
    }
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
 * the clock says about its age, and none that somebody is reading. */
static akidb_status clean_up(akidb_storage *storage, const ak_collection *collection,
                             const akidb_uuid *newest, akidb_error *err)
{
    akidb_retention_report report;
    akidb_status status = akidb_snapshot_cleanup(storage->background.store, &collection->id,
                                                 &storage->retention, true, &report, err);
    for (size_t i = report.count; i > 0 && status == AKIDB_OK; i--) {
        const akidb_retention_decision *decision = &report.decisions[i - 1];
        if (decision->keep || akidb_uuid_compare(&decision->snapshot_id, newest) == 0 ||
            ak_base_exists(storage, &decision->snapshot_id))
            continue;
        status = akidb_snapshot_delete(storage->background.store, &collection->id,
                                       &decision->snapshot_id, err);
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

/* The old local copy goes when the catalogue no longer names it, with its last reader. */
static akidb_status publish(settling *s, akidb_error *err)
{
    akidb_storage *storage = s->storage;
    ak_remains old = {0};
    if (!finish(s, &old)) {
        undo(s);
        return ak_collection_fail_gone(&s->collection->id, err);
    }
    akidb_status status = ak_save_catalogue(storage, err);
    ak_base *base = ak_collection_base(s->collection);
    bool leaves = old.base != NULL && (base == NULL || base->local != old.base->local);
    ak_base_release(base);
    ak_remains_release(storage, &old, leaves && status == AKIDB_OK);
    if (status != AKIDB_OK) {
        ak_error_context(err, "all is done, but the catalogue does not have it yet");
        return status;
    }
    if (s->written != NULL) {
        append_checkpoint(storage, s->collection, s->written);
        apply_retention(storage, s->collection);
    }
    return AKIDB_OK;
}

static akidb_status settle(settling *s, akidb_error *err)
{
    akidb_storage *storage = s->storage;
    akidb_status status = look_at_snapshot(s, err);
    if (status != AKIDB_OK)
        return status;
    uint64_t applied = ak_applied_lsn(storage);
    pthread_rwlock_wrlock(&s->collection->lock);
    status = begin_locked(s, applied, err);
    pthread_rwlock_unlock(&s->collection->lock);
    if (status != AKIDB_OK)
        return status;
    if (!s->writes && !s->how->is_move)
        return ak_catalogue_is_due(storage) ? ak_save_catalogue(storage, err) : AKIDB_OK;
    if (s->writes) {
        status = write_snapshot(s, err);
        atomic_fetch_add(status == AKIDB_OK ? &storage->counters.snapshots_made
                                            : &storage->counters.snapshots_failed,
                         1);
    }
    if (s->written != NULL)
        atomic_fetch_add(&storage->counters.snapshot_bytes, s->written->size_bytes);
    if (status == AKIDB_OK && s->how->tier != AKIDB_TIER_HOT)
        status = make_base(s, err);
    if (status != AKIDB_OK) {
        undo(s);
        return status;
    }
    return publish(s, err);
}

akidb_status ak_settle(akidb_storage *storage, ak_collection *collection, const ak_settling *how,
                       akidb_error *err)
{
    settling s = {.storage = storage, .collection = collection, .how = how};
    akidb_status status = ak_recognize_store(storage, how->route.store, err);
    if (status == AKIDB_OK)
        status = settle(&s, err);
    ak_scan_end(&s.scan);
    akidb_snapshot_metadata_free(s.written);
    return status;
}

bool ak_flush_try_enter(akidb_storage *storage, ak_collection *collection)
{
    pthread_mutex_lock(&storage->flush_lock);
    bool entered = !collection->flushing;
    collection->flushing = true;
    pthread_mutex_unlock(&storage->flush_lock);
    return entered;
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

akidb_status ak_flush_entered(akidb_storage *storage, ak_collection *collection,
                              const ak_route *route, akidb_error *err)
{
    ak_settling how = {.route = *route};
    pthread_rwlock_rdlock(&collection->lock);
    how.tier = collection->tier;
    pthread_rwlock_unlock(&collection->lock);
    return ak_settle(storage, collection, &how, err);
}

static akidb_status flush(akidb_storage *storage, ak_collection *collection,
                          akidb_uuid *snapshot_id_out, akidb_error *err)
{
    ak_flush_enter(storage, collection);
    akidb_status status = ak_flush_entered(storage, collection, &storage->foreground, err);
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
        status = flush(storage, collection, snapshot_id_out, err);
    ak_collection_release(collection);
    return status;
}
