/* akidb/verify.h: a data folder looked at from outside, part by part. */
#include "akidb/verify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/wal.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"
#include "os/path.h"
#include "storage/storage.h"

/* How often a part is looked at while a storage at work changes it. */
enum { TRIES = 4 };

/* A restore or a drop in the log: what stands there decides which snapshot recovery needs. */
typedef struct change {
    akidb_uuid collection, incarnation, snapshot_id;
    uint64_t lsn;
    bool drop;
} change;

typedef struct verifier {
    const akidb_storage_verify_options *options;
    char *path; /* of the data folder, absolute */
    const akidb_files *files;
    akidb_folder folder;
    bool has_folder;
    akidb_store *own_store, *warm_store;
    akidb_snapshotter *store, *warm;
    ak_catalogue catalogue; /* as it was last read */
    bool has_catalogue;
    akidb_uuid log_id;    /* of the folder; set before the snapshots */
    akidb_buffer changes; /* of the log, struct change each; sorted once it has been read */
    uint64_t next_lsn;    /* while the log is read: where its last segment begins */
    akidb_verify_outcome worst;
} verifier;

static akidb_status tell(verifier *v, const akidb_data_finding *finding, akidb_error *err)
{
    if (finding->outcome > v->worst)
        v->worst = finding->outcome;
    const akidb_storage_verify_options *o = v->options;
    return o->finding == NULL ? AKIDB_OK : o->finding(o->context, finding, err);
}

/* The outcome of a look that ended with a failure. */
static akidb_verify_outcome outcome_of(akidb_status status)
{
    switch (status) {
    case AKIDB_OK: return AKIDB_VERIFY_GOOD;
    case AKIDB_E_NOT_FOUND: return AKIDB_VERIFY_MISSING;
    case AKIDB_E_CORRUPTION:
    case AKIDB_E_VALIDATION: return AKIDB_VERIFY_CORRUPT;
    default: return AKIDB_VERIFY_UNREACHABLE;
    }
}

/* Failures that say nothing about the folder. */
static bool ends_all(akidb_status status)
{
    return status == AKIDB_E_CANCELLED || status == AKIDB_E_OUT_OF_MEMORY;
}

/* ---- the catalogue --------------------------------------------------------------------------- */

/* On failure what was read before stays. */
static akidb_status read_catalogue(verifier *v, akidb_error *err)
{
    ak_catalogue now;
    bool found;
    akidb_status status = ak_catalogue_read(v->files, v->folder, &now, &found, err);
    if (status != AKIDB_OK) {
        ak_catalogue_free(&now);
        return status;
    }
    ak_catalogue_free(&v->catalogue);
    v->catalogue = now;
    v->has_catalogue = found;
    return AKIDB_OK;
}

static akidb_status verify_catalogue(verifier *v, akidb_error *err)
{
    akidb_data_finding finding = {.part = AKIDB_DATA_CATALOGUE};
    akidb_status status = read_catalogue(v, &finding.problem);
    if (ends_all(status) || status == AKIDB_E_UNSUPPORTED) {
        if (err != NULL)
            *err = finding.problem;
        return status;
    }
    finding.outcome = outcome_of(status);
    finding.count = v->catalogue.count;
    /* A new folder has none until the first flush. */
    return status == AKIDB_OK && !v->has_catalogue ? AKIDB_OK : tell(v, &finding, err);
}

/* ---- the log --------------------------------------------------------------------------------- */

static akidb_status check_cancelled(const verifier *v, akidb_error *err)
{
    const akidb_snapshotter_options *o = v->options->snapshots;
    const akidb_progress progress = {0};
    if (o == NULL || o->hooks.progress == NULL || o->hooks.progress(o->hooks.context, &progress))
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_CANCELLED, "cancelled by the caller");
}

static akidb_status see_segment(void *context, const akidb_wal_segment *segment, akidb_error *err)
{
    verifier *v = context;
    v->next_lsn = segment->first_lsn;
    return check_cancelled(v, err);
}

static akidb_status see_entry(void *context, const akidb_wal_entry *entry, akidb_error *err)
{
    verifier *v = context;
    akidb_status status = check_cancelled(v, err);
    if (status != AKIDB_OK || !entry->whole ||
        (entry->kind != AKIDB_WAL_RESTORE && entry->kind != AKIDB_WAL_DROP))
        return status;
    const change seen = {.collection = entry->collection,
                         .incarnation = entry->incarnation,
                         .snapshot_id = entry->snapshot_id,
                         .lsn = entry->lsn,
                         .drop = entry->kind == AKIDB_WAL_DROP};
    return ak_buffer_append(&v->changes, &seen, sizeof seen, err);
}

/* Whether a log that is whole is the one that a recovery by the catalogue needs: `before` was read
 * before the log, and what it names is there, v->catalogue after it, and nothing that it needs has
 * been removed. */
static akidb_status check_fit(const verifier *v, bool has_before, const ak_catalogue *before,
                              const akidb_wal_report *log, akidb_error *err)
{
    uint64_t last = log->last_lsn != 0 ? log->last_lsn : v->next_lsn > 0 ? v->next_lsn - 1 : 0;
    uint64_t first = log->first_lsn != 0 ? log->first_lsn : last + 1;
    if (!v->has_catalogue || !has_before) {
        if (last == 0 || first == 1 || v->has_catalogue)
            return AKIDB_OK;
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(AK_CATALOGUE_NAME),
                          "expected it beside a log that does not begin at LSN 1, found none");
    }
    if (akidb_uuid_compare(&log->log_id, &before->log_id) != 0)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN("wal"),
                          "expected the log that the catalogue names, found another");
    if (first > v->catalogue.log_from)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN("wal"),
                          "expected entries from LSN %" PRIu64 " on, found them from %" PRIu64,
                          v->catalogue.log_from, first);
    uint64_t needed = before->lsn;
    for (size_t i = 0; i < before->count; i++)
        if (before->collections[i].replay_after > needed)
            needed = before->collections[i].replay_after;
    if (last >= needed)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN("wal"),
                      "expected entries up to LSN %" PRIu64 " at least, found them up to %" PRIu64,
                      needed, last);
}

/* By collection and incarnation, then by LSN. */
static int compare_changes(const void *a, const void *b)
{
    const change *x = a, *y = b;
    int order = akidb_uuid_compare(&x->collection, &y->collection);
    if (order == 0)
        order = akidb_uuid_compare(&x->incarnation, &y->incarnation);
    return order != 0 ? order : (x->lsn > y->lsn) - (x->lsn < y->lsn);
}

/* Also what was read before a failure counts. */
static akidb_status read_log(verifier *v, akidb_wal_report *report, akidb_error *err)
{
    const akidb_wal_visitor visitor = {v, see_segment, see_entry};
    v->changes.size = 0;
    v->next_lsn = 0;
    akidb_status status = akidb_wal_check(v->path, AKIDB_RECOVER_STRICT, &visitor, report, err);
    if (v->changes.size > 0)
        qsort(v->changes.data, v->changes.size / sizeof(change), sizeof(change), compare_changes);
    return status;
}

/* One look at the log, between two at the catalogue. */
static akidb_status look_at_log(verifier *v, akidb_wal_report *report, akidb_error *err)
{
    akidb_error cause = {0};
    ak_catalogue before = v->catalogue;
    bool has_before = v->has_catalogue;
    v->catalogue = (ak_catalogue){0};
    akidb_status status = read_log(v, report, err);
    akidb_status reread = read_catalogue(v, &cause);
    if (reread != AKIDB_OK) {
        v->catalogue = before;
        if (status != AKIDB_OK || v->worst != AKIDB_VERIFY_GOOD) /* that has been told */
            return status;
        *err = cause;
        return reread;
    }
    if (status == AKIDB_OK)
        status = check_fit(v, has_before, &before, report, err);
    ak_catalogue_free(&before);
    return status;
}

/* A storage at work writes what was read as empty, and removes what was listed; but damage stays
 * where it is. */
static akidb_status verify_log(verifier *v, akidb_error *err)
{
    akidb_data_finding finding = {.part = AKIDB_DATA_LOG};
    akidb_wal_report report = {0};
    akidb_status status = AKIDB_OK;
    bool again = true;
    for (int i = 0; i < TRIES && again; i++) {
        const akidb_error last = finding.problem;
        memset(&finding.problem, 0, sizeof finding.problem);
        status = look_at_log(v, &report, &finding.problem);
        again = status != AKIDB_OK && !ends_all(status) &&
                strcmp(finding.problem.message, last.message) != 0;
    }
    bool nothing =
        status == AKIDB_E_NOT_FOUND && !v->has_catalogue && v->worst == AKIDB_VERIFY_GOOD;
    if (nothing)
        return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(v->path), "no data folder is there");
    if (ends_all(status)) {
        if (err != NULL)
            *err = finding.problem;
        return status;
    }
    finding.outcome = outcome_of(status);
    finding.count = report.entries;
    finding.bytes_read = report.bytes;
    finding.torn = report.torn;
    return tell(v, &finding, err);
}

/* ---- snapshots ------------------------------------------------------------------------------- */

/* The last change of this collection in the log, or NULL. */
static const change *last_change(const verifier *v, const akidb_uuid *collection,
                                 const akidb_uuid *incarnation)
{
    const change *changes = (const change *)(const void *)v->changes.data;
    const change key = {.collection = *collection, .incarnation = *incarnation, .lsn = UINT64_MAX};
    size_t low = 0, high = v->changes.size / sizeof *changes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_changes(&changes[middle], &key) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || akidb_uuid_compare(&changes[low - 1].collection, collection) != 0 ||
        akidb_uuid_compare(&changes[low - 1].incarnation, incarnation) != 0)
        return NULL;
    return &changes[low - 1];
}

static const ak_catalogue_collection *find(const ak_catalogue *catalogue, const akidb_uuid *id,
                                           const akidb_uuid *incarnation)
{
    for (size_t i = 0; i < catalogue->count; i++)
        if (akidb_uuid_compare(&catalogue->collections[i].id, id) == 0 &&
            akidb_uuid_compare(&catalogue->collections[i].incarnation, incarnation) == 0)
            return &catalogue->collections[i];
    return NULL;
}

/* One look at a snapshot; `lineage`, when given, says which one it must be. */
static akidb_status look_at(verifier *v, akidb_snapshotter *snapshotter,
                            const ak_catalogue_collection *lineage, akidb_data_finding *finding)
{
    akidb_verify_report report = {0};
    akidb_snapshot_metadata *metadata = NULL;
    akidb_error *problem = &finding->problem;
    memset(problem, 0, sizeof *problem);
    akidb_status status =
        akidb_snapshot_verify(snapshotter, &finding->collection, &finding->snapshot_id,
                              v->options->level, &report, problem);
    finding->outcome = status == AKIDB_OK ? report.outcome : outcome_of(status);
    finding->count = report.rows_decoded;
    finding->bytes_read = report.bytes_read;
    if (status == AKIDB_OK)
        *problem = report.problem;
    if (status != AKIDB_OK || lineage == NULL || finding->outcome > AKIDB_VERIFY_UNCHECKED)
        return status;
    status = akidb_snapshot_get_metadata(snapshotter, &finding->collection, &finding->snapshot_id,
                                         &metadata, problem);
    if (status == AKIDB_OK)
        status = ak_check_lineage(&v->log_id, metadata, lineage, problem);
    akidb_snapshot_metadata_free(metadata);
    if (status != AKIDB_OK)
        finding->outcome = outcome_of(status);
    return status;
}

/* Whether the log has by now put something else in the place of what a collection was at an LSN. */
static akidb_status ask_log(verifier *v, const akidb_uuid *collection,
                            const akidb_uuid *incarnation, uint64_t lsn, bool *replaced_out,
                            akidb_error *err)
{
    akidb_error cause = {0};
    akidb_wal_report report;
    akidb_buffer before = v->changes;
    v->changes = (akidb_buffer){0};
    akidb_status status = read_log(v, &report, &cause);
    const change *last = last_change(v, collection, incarnation);
    *replaced_out = last != NULL && last->lsn > lsn;
    akidb_buffer_free(&v->changes);
    v->changes = before;
    if (!ends_all(status))
        return AKIDB_OK;
    *err = cause;
    return status;
}

/* What has become of a snapshot in which something is wrong. */
typedef enum news {
    AS_BEFORE,
    OTHER, /* the collection rests on another one */
    GONE   /* it was dropped, moved or replaced */
} news;

/* `c` follows the catalogue. The log comes first: what the catalogue has, it may have lost. */
static akidb_status ask_again(verifier *v, ak_catalogue_collection *c, bool local, news *news_out,
                              akidb_error *err)
{
    bool replaced = false;
    akidb_status status = AKIDB_OK;
    if (local) /* those in the store stay when a collection is dropped or replaced */
        status = ask_log(v, &c->id, &c->incarnation, c->replay_after, &replaced, err);
    *news_out = replaced ? GONE : AS_BEFORE;
    if (status != AKIDB_OK || replaced || read_catalogue(v, NULL) != AKIDB_OK || !v->has_catalogue)
        return status;
    const ak_catalogue_collection *now = find(&v->catalogue, &c->id, &c->incarnation);
    if (now == NULL || !now->has_snapshot || (local && now->tier != AKIDB_TIER_WARM)) {
        *news_out = GONE;
        return AKIDB_OK;
    }
    if (akidb_uuid_compare(&now->snapshot_id, &c->snapshot_id) != 0)
        *news_out = OTHER;
    *c = *now;
    return AKIDB_OK;
}

/* The snapshot of a collection of the catalogue, in the store or as a local copy. */
static akidb_status verify_base(verifier *v, ak_catalogue_collection *c, bool local,
                                akidb_error *err)
{
    akidb_data_finding finding = {.part = local ? AKIDB_DATA_LOCAL_COPY : AKIDB_DATA_SNAPSHOT,
                                  .collection = c->id};
    news later = OTHER;
    for (int i = 0; i < TRIES && later == OTHER; i++) {
        later = AS_BEFORE;
        finding.snapshot_id = c->snapshot_id;
        akidb_status status = look_at(v, local ? v->warm : v->store, c, &finding);
        if (!ends_all(status) && finding.outcome > AKIDB_VERIFY_UNCHECKED)
            status = ask_again(v, c, local, &later, &finding.problem);
        if (ends_all(status)) {
            if (err != NULL)
                *err = finding.problem;
            return status;
        }
    }
    if (later == GONE)
        return AKIDB_OK;
    if (later == OTHER) {
        finding.outcome = AKIDB_VERIFY_UNREACHABLE;
        ak_error_context(&finding.problem, "another snapshot took its place at each of %d looks",
                         TRIES);
    }
    finding.name = c->created.has_name ? c->created.name : NULL;
    finding.tier = c->tier;
    return tell(v, &finding, err);
}

static akidb_status verify_collection(verifier *v, ak_catalogue_collection *c, akidb_error *err)
{
    const change *last = last_change(v, &c->id, &c->incarnation);
    bool replaced = last != NULL && last->lsn > c->replay_after;
    if (!c->has_snapshot || replaced)
        return AKIDB_OK; /* the log has all of it, or has put something else in its place */
    akidb_status status = verify_base(v, c, false, err);
    if (status == AKIDB_OK && c->tier == AKIDB_TIER_WARM)
        status = verify_base(v, c, true, err);
    return status;
}

/* Whether a restore is to be done again: no flush has written anew what it brought. */
static bool is_needed(const ak_catalogue *catalogue, const change *restore)
{
    const ak_catalogue_collection *c = find(catalogue, &restore->collection, &restore->incarnation);
    return restore->lsn > (c != NULL ? c->replay_after : catalogue->lsn);
}

/* What the log puts in place of a collection's contents. */
static akidb_status verify_restored(verifier *v, const ak_catalogue *catalogue, const change *last,
                                    akidb_error *err)
{
    if (last->drop || !is_needed(catalogue, last))
        return AKIDB_OK;
    const ak_catalogue_collection *c = find(catalogue, &last->collection, &last->incarnation);
    akidb_data_finding finding = {.part = AKIDB_DATA_SNAPSHOT,
                                  .collection = last->collection,
                                  .snapshot_id = last->snapshot_id,
                                  .name =
                                      c != NULL && c->created.has_name ? c->created.name : NULL};
    bool replaced = false;
    akidb_status status = look_at(v, v->store, NULL, &finding);
    bool wrong = finding.outcome > AKIDB_VERIFY_UNCHECKED;
    if (!ends_all(status) && wrong)
        status = ask_log(v, &last->collection, &last->incarnation, last->lsn, &replaced,
                         &finding.problem);
    if (ends_all(status)) {
        if (err != NULL)
            *err = finding.problem;
        return status;
    }
    if (replaced ||
        (wrong && read_catalogue(v, NULL) == AKIDB_OK && !is_needed(&v->catalogue, last)))
        return AKIDB_OK;
    return tell(v, &finding, err);
}

static akidb_status verify_snapshots(verifier *v, akidb_error *err)
{
    ak_catalogue all = v->catalogue;
    bool has_catalogue = v->has_catalogue;
    v->log_id = all.log_id;
    v->catalogue = (ak_catalogue){0};
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; has_catalogue && status == AKIDB_OK && i < all.count; i++) {
        ak_catalogue_collection c = all.collections[i];
        status = verify_collection(v, &c, err);
    }
    const change *changes = (const change *)(const void *)v->changes.data;
    size_t count = v->changes.size / sizeof *changes;
    for (size_t i = 0; status == AKIDB_OK && i < count; i++)
        if (last_change(v, &changes[i].collection, &changes[i].incarnation) == &changes[i])
            status = verify_restored(v, &all, &changes[i], err);
    ak_catalogue_free(&all);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static akidb_status open_store(const verifier *v, const char *name, akidb_store **store_out,
                               akidb_error *err)
{
    size_t size = strlen(v->path) + strlen(name) + 2;
    char *path = malloc(size);
    if (path == NULL)
        return ak_fail_memory(err, size);
    snprintf(path, size, "%s/%s", v->path, name);
    akidb_status status = akidb_store_local_open(path, store_out, err);
    free(path);
    return status;
}

static akidb_status open_all(verifier *v, akidb_error *err)
{
    const akidb_storage_verify_options *o = v->options;
    akidb_status status = ak_path_absolute(o->data_folder, &v->path, err);
    if (status != AKIDB_OK)
        return status;
    int error_number = v->files->ops->open_root(v->files->handle, v->path, &v->folder);
    if (error_number == ENOENT)
        return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(v->path), "no data folder is there");
    if (error_number != 0)
        return ak_fail_errno(err, error_number, v->path, "opening the data folder");
    v->has_folder = true;
    if (o->store == NULL)
        status = open_store(v, "store", &v->own_store, err);
    if (status == AKIDB_OK)
        status = open_store(v, "warm", &v->warm_store, err);
    if (status == AKIDB_OK)
        status = akidb_snapshotter_open(o->store != NULL ? o->store : v->own_store, o->snapshots,
                                        &v->store, err);
    if (status == AKIDB_OK)
        status = akidb_snapshotter_open(v->warm_store, o->snapshots, &v->warm, err);
    return status;
}

static void close_all(verifier *v)
{
    akidb_snapshotter_close(v->warm);
    akidb_snapshotter_close(v->store);
    akidb_store_close(v->warm_store);
    akidb_store_close(v->own_store);
    if (v->has_folder)
        v->files->ops->close_folder(v->files->handle, v->folder);
    ak_catalogue_free(&v->catalogue);
    akidb_buffer_free(&v->changes);
    free(v->path);
}

akidb_status akidb_storage_verify(const akidb_storage_verify_options *options,
                                  akidb_verify_outcome *worst_out, akidb_error *err)
{
    *worst_out = AKIDB_VERIFY_GOOD;
    akidb_storage_verify_options own;
    akidb_status status =
        ak_options_copy(&own, sizeof own, options, "akidb_storage_verify_options", err);
    if (status == AKIDB_OK && (own.data_folder == NULL || own.data_folder[0] == '\0'))
        status = ak_fail(err, AKIDB_E_VALIDATION, "data_folder: expected a path, found none");
    if (status != AKIDB_OK)
        return status;
    verifier v = {.options = &own, .files = akidb_files_system()};
    status = open_all(&v, err);
    if (status == AKIDB_OK)
        status = verify_catalogue(&v, err);
    bool readable = v.worst == AKIDB_VERIFY_GOOD;
    if (status == AKIDB_OK)
        status = verify_log(&v, err);
    if (status == AKIDB_OK && readable)
        status = verify_snapshots(&v, err);
    close_all(&v);
    if (status == AKIDB_OK)
        *worst_out = v.worst;
    return status;
}
