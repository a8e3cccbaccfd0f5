/* From tier to tier. */
#include <stdlib.h>

#include "base/error.h"
#include "base/options.h"
#include "os/pool.h"
#include "snapshot/snapshotter.h"
#include "storage/mover.h"
#include "storage/scan.h"

/* ---- to hot ---------------------------------------------------------------------------------- */

static akidb_status begin_loading(akidb_storage *storage, ak_collection *collection, ak_scan *scan,
                                  akidb_error *err)
{
    uint64_t applied = ak_applied_lsn(storage);
    pthread_rwlock_wrlock(&collection->lock);
    akidb_status status =
        collection->dropped
            ? ak_collection_fail_gone(&collection->id, err)
            : ak_scan_take(storage, collection, ak_collection_lsn(collection, applied), scan, err);
    if (status == AKIDB_OK)
        status = ak_collection_begin_next(storage, collection, err);
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

/* Rows on their way into the contents, on another thread than the one that reads. */
typedef struct loading {
    akidb_storage *storage;
    ak_contents *contents;
    akidb_batch batch;
} loading;

static akidb_status put_batch(void *context, akidb_error *err)
{
    const loading *l = context;
    return ak_load_batch(l->storage, l->contents, &l->batch, err);
}

/* Reads the next rows while those before them are put into the contents. */
static akidb_status load_rows(ak_scan *scan, loading *l, ak_pool *pool, akidb_documents *rooms[2],
                              akidb_error *err)
{
    ak_task task = {0};
    for (size_t i = 0;; i++) {
        akidb_batch batch;
        akidb_status status = ak_scan_show(scan, rooms[i % 2], &batch, err);
        akidb_status put = ak_pool_wait(pool, &task, status == AKIDB_OK ? err : NULL);
        if (status != AKIDB_OK || put != AKIDB_OK || batch.rows == 0)
            return status != AKIDB_OK ? status : put;
        l->batch = batch;
        ak_pool_submit(pool, &task, put_batch, l);
    }
}

static akidb_status load_scan(akidb_storage *storage, ak_scan *scan, ak_contents *contents,
                              akidb_error *err)
{
    loading l = {.storage = storage, .contents = contents};
    akidb_documents *rooms[2] = {NULL, NULL};
    ak_pool *pool = NULL;
    scan->keeps_shown = true;
    akidb_status status = akidb_documents_new(scan->dimension, &rooms[0], err);
    if (status == AKIDB_OK)
        status = akidb_documents_new(scan->dimension, &rooms[1], err);
    if (status == AKIDB_OK)
        status = ak_pool_new(storage->background.store->threads > 1 ? 2 : 1, &pool, err);
    if (status == AKIDB_OK)
        status = load_rows(scan, &l, pool, rooms, err);
    ak_pool_free(pool);
    akidb_documents_free(rooms[0]);
    akidb_documents_free(rooms[1]);
    return status;
}

/* Does to the contents what was written while they were loaded; the caller holds the lock. */
static akidb_status catch_up(const ak_collection *collection, ak_contents *contents,
                             akidb_error *err)
{
    const ak_layer *next = &collection->next;
    size_t rows = (size_t)next->contents->live;
    akidb_status status =
        ak_contents_reserve(contents, rows + collection->contents->reserved, 0, err);
    if (status != AKIDB_OK)
        return status;
    size_t written = ak_shadow_count(next->shadow);
    for (size_t i = 0; i < written; i++) {
        akidb_uuid id = ak_shadow_at(next->shadow, i);
        (void)ak_contents_delete(contents, id.bytes, 1, 0);
    }
    ak_contents_merge(contents, next->contents);
    return AKIDB_OK;
}

/* Puts the contents in place of base and overlay, which `old` receives. */
static akidb_status finish_loading(ak_collection *collection, ak_contents *contents,
                                   ak_remains *old, akidb_error *err)
{
    pthread_rwlock_wrlock(&collection->lock);
    akidb_status status = collection->dropped ? ak_collection_fail_gone(&collection->id, err)
                                              : catch_up(collection, contents, err);
    if (status == AKIDB_OK) {
        *old = ak_collection_empty(collection);
        collection->contents = contents;
        collection->tier = AKIDB_TIER_HOT;
    }
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

static akidb_status promote(akidb_storage *storage, ak_collection *collection,
                            const ak_route *route, akidb_error *err)
{
    ak_scan scan = {0};
    ak_contents *contents = NULL;
    ak_remains old = {0};
    akidb_status status = begin_loading(storage, collection, &scan, err);
    if (status != AKIDB_OK) {
        ak_scan_end(&scan);
        return status;
    }
    scan.route = *route;
    status = ak_contents_new(scan.dimension, storage->hash_seed, &storage->memory, &contents, err);
    if (status == AKIDB_OK)
        status = load_scan(storage, &scan, contents, err);
    ak_scan_end(&scan);
    if (status == AKIDB_OK)
        status = finish_loading(collection, contents, &old, err);
    if (status != AKIDB_OK) {
        ak_collection_end_next(collection);
        ak_contents_free(contents);
        return status;
    }
    status = ak_save_catalogue(storage, err);
    ak_remains_release(storage, &old, status == AKIDB_OK);
    if (status != AKIDB_OK)
        ak_error_context(err, "the move is made, but the catalogue does not have it yet");
    return status;
}

/* ---- a local copy made again ----------------------------------------------------------------- */

bool ak_needs_repair(ak_collection *collection)
{
    pthread_rwlock_rdlock(&collection->lock);
    bool needed = !collection->dropped && collection->tier == AKIDB_TIER_WARM &&
                  !ak_base_is_local(collection->base);
    pthread_rwlock_unlock(&collection->lock);
    return needed;
}

static akidb_status copy_down(akidb_storage *storage, ak_collection *collection,
                              const ak_route *route, akidb_error *err)
{
    const ak_settling how = {
        .tier = AKIDB_TIER_WARM, .route = *route, .is_move = true, .keeps_overlay = true};
    return ak_settle(storage, collection, &how, err);
}

akidb_status ak_repair(akidb_storage *storage, ak_collection *collection, akidb_error *err)
{
    return copy_down(storage, collection, &storage->background, err);
}

/* ---- moves ----------------------------------------------------------------------------------- */

static akidb_status move(akidb_storage *storage, ak_collection *collection, akidb_tier from,
                         akidb_tier to, const ak_route *route, akidb_error *err)
{
    if (to == AKIDB_TIER_HOT)
        return promote(storage, collection, route, err);
    if (to == AKIDB_TIER_WARM && from != AKIDB_TIER_HOT)
        return copy_down(storage, collection, route, err);
    const ak_settling how = {.tier = to, .route = *route, .is_move = true};
    return ak_settle(storage, collection, &how, err);
}

static akidb_status check_move(const akidb_storage *storage, akidb_tier tier, akidb_error *err)
{
    if ((unsigned)tier > AKIDB_TIER_COLD)
        return ak_fail(err, AKIDB_E_VALIDATION, "tier: expected 0 to 2, found %d", (int)tier);
    if (tier != AKIDB_TIER_HOT && storage->foreground.store->format != AKIDB_FORMAT_PARQUET)
        return ak_fail(err, AKIDB_E_UNSUPPORTED,
                       "expected a storage that writes Parquet snapshots, for warm and cold "
                       "collections are read from those; found one that writes JSON");
    return AKIDB_OK;
}

static void count_move(akidb_storage *storage, const akidb_move_report *report, akidb_status status)
{
    ak_tier_counters *counters = &storage->counters.tiers[report->from];
    if (status != AKIDB_OK) {
        atomic_fetch_add(&counters->failures[report->to], 1);
        return;
    }
    atomic_fetch_add(&counters->moves[report->to], 1);
    atomic_fetch_add(&counters->move_micros[report->to],
                     report->duration < 0 ? 0 : (uint64_t)report->duration);
}

/* The caller has entered. */
static akidb_status move_entered(akidb_storage *storage, ak_collection *collection,
                                 const akidb_move_options *options, akidb_move_report *report,
                                 akidb_error *err)
{
    ak_mover mover;
    pthread_rwlock_rdlock(&collection->lock);
    report->from = collection->tier;
    pthread_rwlock_unlock(&collection->lock);
    if (report->from == report->to && !ak_needs_repair(collection))
        return AKIDB_OK;
    int64_t begun = akidb_clock_now(NULL);
    bool warm_counts = report->from == AKIDB_TIER_WARM && report->to == AKIDB_TIER_HOT;
    akidb_status status = ak_mover_open(&mover, storage, options, warm_counts, err);
    if (status != AKIDB_OK)
        return status;
    status = move(storage, collection, report->from, report->to, &mover.route, err);
    report->bytes = atomic_load(&mover.bytes);
    report->duration = akidb_clock_now(NULL) - begun;
    ak_mover_close(&mover);
    count_move(storage, report, status);
    return status;
}

akidb_status akidb_storage_move(akidb_storage *storage, const akidb_uuid *id, akidb_tier tier,
                                const akidb_move_options *options, akidb_move_report *report_out,
                                akidb_error *err)
{
    akidb_move_options own;
    akidb_move_report report = {.to = tier};
    ak_collection *collection = NULL;
    if (report_out != NULL)
        *report_out = (akidb_move_report){0};
    akidb_status status = ak_options_copy(&own, sizeof own, options, "akidb_move_options", err);
    if (status == AKIDB_OK)
        status = ak_collection_get(storage, id, &collection, err);
    if (status == AKIDB_OK)
        status = check_move(storage, tier, err);
    if (status == AKIDB_OK) {
        ak_flush_enter(storage, collection);
        status = move_entered(storage, collection, &own, &report, err);
        ak_flush_leave(storage, collection);
    }
    ak_collection_release(collection);
    if (status == AKIDB_OK && report_out != NULL)
        *report_out = report;
    return status;
}
