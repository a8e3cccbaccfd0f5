/* Removing snapshots by age or by a policy. */
#include <stdlib.h>

#include "base/error.h"
#include "base/options.h"
#include "snapshot/retention.h"
#include "snapshot/snapshotter.h"

/* Deletes a snapshot that a listing has named; it may be gone already, which is as good. */
static akidb_status delete_listed(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                  const akidb_uuid *snapshot_id, uint64_t *deleted,
                                  akidb_error *err)
{
    akidb_error cause = {0};
    akidb_status status = akidb_snapshot_delete(snapshotter, collection_id, snapshot_id, &cause);
    if (status == AKIDB_E_NOT_FOUND)
        return AKIDB_OK;
    if (status != AKIDB_OK) {
        if (err != NULL)
            *err = cause;
        return status;
    }
    ++*deleted;
    akidb_progress progress = {.rows_done = *deleted};
    return ak_snapshotter_progress(snapshotter, &progress, err);
}

akidb_status akidb_snapshot_cleanup_old(akidb_snapshotter *snapshotter,
                                        const akidb_uuid *collection_id, int64_t age,
                                        uint64_t *deleted_out, akidb_error *err)
{
    *deleted_out = 0;
    if (age < 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "age: expected microseconds that are not negative, found %lld",
                       (long long)age);
    akidb_snapshot_list list;
    akidb_status status = akidb_snapshot_list_all(snapshotter, collection_id, &list, err);
    if (status != AKIDB_OK)
        return status;
    int64_t now = ak_snapshotter_now(snapshotter);
    uint64_t deleted = 0;
    for (size_t i = list.count; i > 0 && status == AKIDB_OK; i--) {
        const akidb_snapshot_entry *entry = &list.entries[i - 1];
        if (entry->metadata != NULL && ak_retention_older(entry->metadata->created_at, now, age))
            status = delete_listed(snapshotter, collection_id, &entry->snapshot_id, &deleted, err);
    }
    akidb_snapshot_list_free(&list);
    if (status == AKIDB_OK)
        *deleted_out = deleted;
    return status;
}

/* ---- policy ---------------------------------------------------------------------------------- */

static akidb_status decide(const akidb_snapshotter *snapshotter, const akidb_snapshot_list *list,
                           const akidb_retention *policy, akidb_retention_report *report,
                           akidb_error *err)
{
    size_t count = list->count;
    report->decisions = calloc(count == 0 ? 1 : count, sizeof *report->decisions);
    bool *damaged = calloc(count == 0 ? 1 : count, sizeof *damaged);
    if (report->decisions == NULL || damaged == NULL) {
        free(damaged);
        return ak_fail_memory(err, count * sizeof *report->decisions);
    }
    report->count = count;
    for (size_t i = 0; i < count; i++) {
        const akidb_snapshot_entry *entry = &list->entries[i];
        report->decisions[i].snapshot_id = entry->snapshot_id;
        damaged[i] = entry->metadata == NULL;
        if (damaged[i])
            continue;
        report->decisions[i].created_at = entry->metadata->created_at;
        report->decisions[i].size_bytes = entry->metadata->size_bytes;
    }
    ak_retention_decide(policy, ak_snapshotter_now(snapshotter), report->decisions, damaged, count);
    free(damaged);
    return AKIDB_OK;
}

akidb_status akidb_snapshot_cleanup(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                    const akidb_retention *policy, bool dry_run,
                                    akidb_retention_report *report_out, akidb_error *err)
{
    *report_out = (akidb_retention_report){0};
    akidb_retention own;
    akidb_status status = ak_options_copy(&own, sizeof own, policy, "akidb_retention", err);
    if (status == AKIDB_OK)
        status = ak_retention_check(&own, err);
    akidb_snapshot_list list = {0};
    if (status == AKIDB_OK)
        status = akidb_snapshot_list_all(snapshotter, collection_id, &list, err);
    akidb_retention_report report = {0};
    if (status == AKIDB_OK)
        status = decide(snapshotter, &list, &own, &report, err);
    akidb_snapshot_list_free(&list);
    for (size_t i = report.count; i > 0 && status == AKIDB_OK && !dry_run; i--)
        if (!report.decisions[i - 1].keep)
            status = delete_listed(snapshotter, collection_id, &report.decisions[i - 1].snapshot_id,
                                   &report.deleted, err);
    if (status != AKIDB_OK) {
        akidb_retention_report_free(&report);
        return status;
    }
    *report_out = report;
    return AKIDB_OK;
}

void akidb_retention_report_free(akidb_retention_report *report)
{
    if (report == NULL)
        return;
    free(report->decisions);
    *report = (akidb_retention_report){0};
}
