/* Catalogue, snapshots and log into memory. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "storage/storage.h"

typedef struct recovery {
    akidb_storage *storage;
    ak_catalogue catalogue;
    bool found; /* there is a catalogue */
    bool allow_older;
    bool rewrite;     /* the catalogue must not stay as it is */
    uint64_t orphans; /* entries whose collection is not there, though nobody has dropped it; or a
                         write that came just after the drop */
} recovery;

/* Adds a sentence to the report's detail, as far as there is room. */
static void tell(akidb_storage *storage, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void tell(akidb_storage *storage, const char *format, ...)
{
    char *detail = storage->report.detail;
    size_t room = sizeof storage->report.detail, used = strlen(detail);
    if (used > 0 && used + 2 < room) {
        memcpy(detail + used, "; ", 3);
        used += 2;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail + used, room - used, format, arguments);
    va_end(arguments);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

/* The last snapshot of this log and incarnation before an LSN, or NULL. The list is in the order of
 * the clock, which may have been set back. */
static const akidb_snapshot_metadata *find_before(const akidb_storage *storage,
                                                  const akidb_snapshot_list *list,
                                                  const akidb_uuid *incarnation, uint64_t lsn)
{
    const akidb_snapshot_metadata *found = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const akidb_snapshot_metadata *metadata = list->entries[i].metadata;
        if (metadata != NULL && metadata->has_lineage && metadata->lsn < lsn &&
            akidb_uuid_compare(&metadata->log_id, &storage->log_id) == 0 &&
            akidb_uuid_compare(&metadata->incarnation, incarnation) == 0 &&
            (found == NULL || metadata->lsn > found->lsn))
            found = metadata;
    }
    return found;
}

/* The newest whole snapshot of this log and incarnation that is older than the one that failed. */
static akidb_status load_older(recovery *r, const ak_catalogue_collection *from,
                               ak_catalogue_collection *older, ak_contents **contents_out,
                               akidb_error *err)
{
    akidb_storage *storage = r->storage;
    *contents_out = NULL;
    akidb_snapshot_list list;
    akidb_status status = akidb_snapshot_list_all(storage->foreground.store, &from->id, &list, err);
    if (status != AKIDB_OK)
        return status;
    status = AKIDB_E_NOT_FOUND;
    uint64_t lsn = from->snapshot_lsn;
    const akidb_snapshot_metadata *metadata;
    while (status != AKIDB_OK &&
           (metadata = find_before(storage, &list, &from->incarnation, lsn)) != NULL) {
        lsn = metadata->lsn;
        *older = *from;
        older->snapshot_id = metadata->snapshot_id;
        older->snapshot_lsn = metadata->lsn;
        older->snapshot_at = metadata->created_at;
        older->snapshot_rows = metadata->vector_count;
        older->snapshot_bytes = metadata->size_bytes;
        older->replay_after = metadata->lsn;
        status = ak_load_snapshot(storage, &from->id, &older->snapshot_id, from->created.dimension,
                                  older, contents_out, NULL);
    }
    akidb_snapshot_list_free(&list);
    return status;
}

static void fill_snapshot(ak_collection *collection, const ak_catalogue_collection *from)
{
    collection->replay_after = from->replay_after;
    collection->has_snapshot = from->has_snapshot;
    collection->snapshot_id = from->snapshot_id;
    collection->snapshot_lsn = from->snapshot_lsn;
    collection->snapshot_at = from->snapshot_at;
    collection->snapshot_rows = from->snapshot_rows;
    collection->snapshot_bytes = from->snapshot_bytes;
    collection->last_lsn = from->replay_after;
}

/* A failure is kept in the collection: the log may drop or replace it yet, and then nobody needs
 * the snapshot. */
static void load(recovery *r, ak_collection *collection, const ak_catalogue_collection *from)
{
    akidb_storage *storage = r->storage;
    fill_snapshot(collection, from);
    if (!from->has_snapshot)
        return;
    ak_contents *contents;
    ak_catalogue_collection older;
    collection->load_status =
        ak_load_snapshot(storage, &from->id, &from->snapshot_id, from->created.dimension, from,
                         &contents, &collection->load_error);
    bool damaged = collection->load_status == AKIDB_E_CORRUPTION ||
                   collection->load_status == AKIDB_E_NOT_FOUND;
    if (damaged && r->allow_older && load_older(r, from, &older, &contents, NULL) == AKIDB_OK) {
        char id[AKIDB_UUID_TEXT_SIZE], used[AKIDB_UUID_TEXT_SIZE];
        akidb_uuid_format(&from->id, id);
        akidb_uuid_format(&older.snapshot_id, used);
        tell(storage,
             "collection %s came back from snapshot %s of LSN %" PRIu64 " instead of LSN %" PRIu64
             ", with what the log still has: %.300s",
             id, used, older.snapshot_lsn, from->snapshot_lsn, collection->load_error.message);
        storage->report.older_snapshots++;
        collection->load_status = AKIDB_OK;
        fill_snapshot(collection, &older);
        r->rewrite = true;
    }
    if (collection->load_status == AKIDB_OK) {
        ak_contents_free(collection->contents);
        collection->contents = contents;
    }
}

/* A collection that is read where its snapshot lies: nothing is read yet. */
static akidb_status attach(recovery *r, ak_collection *collection,
                           const ak_catalogue_collection *from, akidb_error *err)
{
    akidb_storage *storage = r->storage;
    ak_local *local = NULL;
    fill_snapshot(collection, from);
    akidb_status status = AKIDB_OK;
    if (from->tier == AKIDB_TIER_WARM)
        status = ak_local_claim(storage, from, &local, err);
    if (status == AKIDB_OK)
        status = ak_base_new(storage, from, local, &collection->base, err);
    if (status == AKIDB_OK)
        status = ak_shadow_new(storage->hash_seed, &storage->memory, &collection->shadow, err);
    collection->tier = from->tier;
    return status;
}

static akidb_status load_collections(recovery *r, akidb_error *err)
{
    akidb_storage *storage = r->storage;
    for (size_t i = 0; i < r->catalogue.count; i++) {
        const ak_catalogue_collection *from = &r->catalogue.collections[i];
        ak_collection *collection;
        akidb_status status = ak_collection_new(storage, &from->id, &from->incarnation,
                                                &from->created, &collection, err);
        if (status != AKIDB_OK)
            return status;
        collection->created_lsn = from->created_lsn;
        if (from->tier == AKIDB_TIER_HOT)
            load(r, collection, from);
        else
            status = attach(r, collection, from, err);
        if (status == AKIDB_OK)
            status = ak_collections_promise(storage, err);
        if (status == AKIDB_OK && !ak_collections_add(storage, collection))
            status = ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(AK_CATALOGUE_NAME),
                                "expected each collection once, found one twice");
        ak_collection_release(collection);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

/* ---- the log --------------------------------------------------------------------------------- */

/* The collection in the life that the entry means, retained; NULL when it is not there any more. */
static ak_collection *find(akidb_storage *storage, const ak_log_entry *entry)
{
    ak_collection *collection = ak_collection_find(storage, &entry->collection);
    if (collection != NULL &&
        akidb_uuid_compare(&collection->incarnation, &entry->incarnation) == 0)
        return collection;
    ak_collection_release(collection);
    return NULL;
}

static akidb_status replay_create(recovery *r, const ak_log_entry *entry, ak_pending *pending,
                                  akidb_error *err)
{
    akidb_storage *storage = r->storage;
    /* What the catalogue knows already: also that it was dropped since. */
    if (pending->lsn <= r->catalogue.lsn)
        return AKIDB_OK;
    akidb_status status = ak_collection_new(storage, &entry->collection, &entry->incarnation,
                                            &entry->created, &pending->collection, err);
    if (status == AKIDB_OK && entry->kind == AK_LOG_RESTORE) {
        ak_collection *collection = pending->collection;
        ak_contents *contents = NULL;
        collection->load_status =
            ak_load_snapshot(storage, &entry->collection, &entry->snapshot,
                             entry->created.dimension, NULL, &contents, &collection->load_error);
        if (contents != NULL) {
            ak_contents_free(collection->contents);
            collection->contents = contents;
        }
    }
    if (status == AKIDB_OK)
        status = ak_collections_promise(storage, err);
    if (status == AKIDB_OK)
        ak_apply(storage, pending); /* a create that came second is passed over, as it was then */
    return status;
}

static akidb_status replay_upsert(recovery *r, const ak_log_entry *entry, ak_pending *pending,
                                  akidb_error *err)
{
    ak_row_texts texts = {0};
    ak_collection *collection = pending->collection;
    if (entry->rows.dimension != collection->created.dimension)
        return ak_fail(err, AKIDB_E_CORRUPTION,
                       "log entry %" PRIu64 ": expected dimension %" PRIu32 ", found %" PRIu32,
                       pending->lsn, collection->created.dimension, entry->rows.dimension);
    akidb_status status = ak_row_texts_make(&texts, &entry->rows, err);
    if (status == AKIDB_OK)
        status = ak_collection_reserve(r->storage, collection, entry->rows.rows, 0, err);
    pending->texts = &texts;
    if (status == AKIDB_OK)
        ak_apply(r->storage, pending);
    pending->texts = NULL;
    ak_row_texts_free(&texts);
    return status;
}

static akidb_status replay_delete(recovery *r, const ak_log_entry *entry, ak_pending *pending,
                                  akidb_error *err)
{
    akidb_status status = ak_collection_reserve_ids(pending->collection, entry->id_count, err);
    if (status == AKIDB_OK)
        ak_apply(r->storage, pending);
    return status;
}

static void replay_restore(recovery *r, const ak_log_entry *entry, ak_pending *pending)
{
    ak_collection *collection = pending->collection;
    collection->load_status = ak_load_snapshot(r->storage, &entry->collection, &entry->snapshot,
                                               collection->created.dimension, NULL,
                                               &collection->incoming, &collection->load_error);
    if (collection->load_status == AKIDB_OK)
        ak_apply(r->storage, pending);
}

/* An entry of a collection that is there. */
static akidb_status replay_into(recovery *r, ak_log_entry *entry, ak_pending *pending,
                                akidb_error *err)
{
    ak_collection *collection = pending->collection;
    entry->creates = false; /* it is there: of a restore that creates, the restore is left */
    if (entry->kind == AK_LOG_DROP) {
        ak_apply(r->storage, pending);
    } else if (pending->lsn > collection->replay_after) {
        if (entry->kind == AK_LOG_RESTORE)
            replay_restore(r, entry, pending);
        else if (collection->load_status != AKIDB_OK)
            return AKIDB_OK; /* unless the log helps, the open will fail with that */
        else if (entry->kind == AK_LOG_UPSERT)
            return replay_upsert(r, entry, pending, err);
        else if (entry->kind == AK_LOG_DELETE)
            return replay_delete(r, entry, pending, err);
    }
    return AKIDB_OK;
}

static akidb_status replay(void *context, uint64_t lsn, ak_wal_kind kind, akidb_slice payload,
                           akidb_error *err)
{
    recovery *r = context;
    ak_log_entry entry;
    akidb_status status = ak_log_decode((ak_log_kind)kind, payload, &entry, err);
    if (status != AKIDB_OK) {
        ak_error_context(err, "entry %" PRIu64, lsn);
        return status;
    }
    r->storage->report.log_entries++;
    ak_pending pending = {.entry = &entry, .lsn = lsn, .collection = find(r->storage, &entry)};
    if (pending.collection != NULL)
        status = replay_into(r, &entry, &pending, err);
    else if (kind == AK_WAL_CREATE || (kind == AK_WAL_RESTORE && entry.creates))
        status = replay_create(r, &entry, &pending, err);
    else if (kind != AK_WAL_DROP && kind != AK_WAL_CHECKPOINT && lsn > r->catalogue.lsn)
        r->orphans++;
    ak_collection_release(pending.collection);
    return status;
}

/* ---- what must hold -------------------------------------------------------------------------- */

static akidb_status check_loaded(akidb_storage *storage, akidb_error *err)
{
    for (size_t i = 0; i < storage->collection_count; i++) {
        ak_collection *collection = storage->collections[i];
        if (collection->load_status == AKIDB_OK) {
            uint64_t documents;
            (void)ak_collection_count(collection, &documents);
            storage->report.documents += documents;
            continue;
        }
        char id[AKIDB_UUID_TEXT_SIZE];
        akidb_uuid_format(&collection->id, id);
        if (err != NULL)
            *err = collection->load_error;
        ak_error_context(err, "recovering collection %s from its newest snapshot", id);
        /* A snapshot that recovery cannot do without is missing: that is damage. */
        if (err != NULL && collection->load_status == AKIDB_E_NOT_FOUND)
            err->status = AKIDB_E_CORRUPTION;
        return collection->load_status == AKIDB_E_NOT_FOUND ? AKIDB_E_CORRUPTION
                                                            : collection->load_status;
    }
    storage->report.collections = storage->collection_count;
    return AKIDB_OK;
}

/* The log that was found must be the catalogue's, and reach from where it is needed to where the
 * snapshots are. What a recovery option gave up of its end is never given out again as an LSN that
 * a snapshot seems to hold: then replay begins at the log's end. */
static akidb_status check_log(recovery *r, const ak_wal_report *found, uint64_t last_lsn,
                              akidb_recovery option, akidb_error *err)
{
    akidb_storage *storage = r->storage;
    const ak_catalogue *catalogue = &r->catalogue;
    uint64_t first_lsn = found->first_lsn != 0 ? found->first_lsn : last_lsn + 1;
    if (memcmp(found->log_id, catalogue->log_id.bytes, sizeof found->log_id) != 0)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN("wal"),
                          "expected the log that the catalogue names, found another");
    if (first_lsn > catalogue->log_from && option == AKIDB_RECOVER_STRICT)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN("wal"),
                          "expected entries from LSN %" PRIu64 " on, found them from %" PRIu64,
                          catalogue->log_from, first_lsn);
    /* What is given up is given up once: the next open shall not miss it again. */
    r->rewrite |= first_lsn > catalogue->log_from;
    uint64_t needed = catalogue->lsn;
    for (size_t i = 0; i < storage->collection_count; i++) {
        ak_collection *collection = storage->collections[i];
        if (collection->replay_after > needed)
            needed = collection->replay_after;
        if (collection->replay_after <= last_lsn)
            continue;
        collection->replay_after = collection->last_lsn = last_lsn;
        r->rewrite = true;
    }
    if (last_lsn >= needed)
        return AKIDB_OK;
    r->rewrite = true;
    if (option == AKIDB_RECOVER_STRICT)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN("wal"),
                          "expected entries up to LSN %" PRIu64 " at least, found them up to "
                          "%" PRIu64,
                          needed, last_lsn);
    tell(storage, "the log ends at LSN %" PRIu64 ", before LSN %" PRIu64 " of a snapshot", last_lsn,
         needed);
    return AKIDB_OK;
}

/* Without a catalogue the log must tell everything. */
static akidb_status check_whole_log(const ak_wal_report *found, uint64_t last_lsn, akidb_error *err)
{
    if (last_lsn == 0 || found->first_lsn == 1)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(AK_CATALOGUE_NAME),
                      "expected it beside a log that does not begin at LSN 1, found none");
}

static void report_log(const recovery *r, const ak_wal_report *found)
{
    akidb_storage *storage = r->storage;
    akidb_recovery_report *report = &storage->report;
    report->log_bytes = found->bytes;
    report->torn = found->torn;
    report->dropped_entries = found->dropped_entries;
    if (found->torn)
        tell(storage,
             "%" PRIu64 " bytes of an unfinished write were cut off %s at offset %" PRIu64
             " and kept in %s",
             found->torn_bytes, found->torn_segment, found->torn_offset, found->torn_copy);
    if (found->dropped_entries > 0 || found->dropped_bytes > 0)
        tell(storage, "at least %" PRIu64 " entr%s, %" PRIu64 " bytes, dropped from %s on",
             found->dropped_entries, found->dropped_entries == 1 ? "y" : "ies",
             found->dropped_bytes, found->dropped_from);
    if (found->dropped_entries == 0 || r->orphans == 0)
        return;
    report->dropped_entries += r->orphans;
    tell(storage, "with the creation of a collection, %" PRIu64 " whole entries of it went",
         r->orphans);
}

static akidb_status open_log(recovery *r, const ak_wal_options *options, akidb_error *err)
{
    akidb_storage *storage = r->storage;
    ak_wal_report found;
    akidb_status status = ak_wal_open(options, replay, r, &storage->wal, &found, err);
    if (status != AKIDB_OK)
        return status;
    ak_wal_statistics statistics;
    ak_wal_get_statistics(storage->wal, &statistics);
    storage->applied = storage->durable = statistics.last_lsn;
    memcpy(storage->log_id.bytes, found.log_id, sizeof found.log_id);
    report_log(r, &found);
    return r->found
               ? check_log(r, &found, statistics.last_lsn, (akidb_recovery)options->recovery, err)
               : check_whole_log(&found, statistics.last_lsn, err);
}

/* Segments that a crash left between the catalogue and their removal. Without room on the disk the
 * storage must open all the same. */
static void shorten_log(akidb_storage *storage)
{
    ak_wal_statistics statistics;
    akidb_error cause;
    ak_wal_get_statistics(storage->wal, &statistics);
    if (statistics.segments > 1 && ak_save_catalogue(storage, &cause) != AKIDB_OK)
        ak_storage_log(storage, AKIDB_LOG_WARNING, &cause, "what the log no longer needs stays");
}

akidb_status ak_recover(akidb_storage *storage, const ak_wal_options *wal_options,
                        bool allow_older_snapshot, akidb_error *err)
{
    recovery r = {.storage = storage, .allow_older = allow_older_snapshot};
    akidb_status status =
        ak_catalogue_read(storage->files, storage->folder, &r.catalogue, &r.found, err);
    storage->log_id = r.catalogue.log_id;
    r.rewrite = !r.found;
    if (status == AKIDB_OK)
        status = load_collections(&r, err);
    if (status == AKIDB_OK)
        status = open_log(&r, wal_options, err);
    if (status == AKIDB_OK)
        status = check_loaded(storage, err);
    if (status == AKIDB_OK && r.rewrite)
        status = ak_save_catalogue(storage, err);
    else if (status == AKIDB_OK)
        shorten_log(storage);
    ak_catalogue_free(&r.catalogue);
    return status;
}
