/* Removing snapshots by age or by a policy. */
#include <stdlib.h>

#include "base/error.h"
#include "base/options.h"
#include "snapshot/retention.h"
#include "snapshot/snapshotter.h"

/* So many at once: a store that takes many keys in one request gets few requests, and one that
 * takes one at a time is not deaf to a cancel for long. */
enum { AT_ONCE = 100 };

/* Deletes those of a list that are marked, the oldest first. One may be gone already, which is as
 * good. */
static akidb_status delete_marked(akidb_snapshotter *snapshotter, const akidb_snapshot_list *list,
                                  const bool *marked, uint64_t *deleted, akidb_error *err)
{
    const akidb_snapshot_metadata *some[AT_ONCE];
    akidb_status status = AKIDB_OK;
    for (size_t left = list->count; left > 0 && status == AKIDB_OK;) {
        size_t count = 0;
        for (; left > 0 && count < AT_ONCE; left--)
            if (marked[left - 1] && list->entries[left - 1].metadata != NULL)
                some[count++] = list->entries[left - 1].metadata;
        uint64_t done;
        status = ak_delete_snapshots(snapshotter, some, count, &done, err);
        *deleted += done;
        akidb_progress progress = {.rows_done = *deleted};
        if (status == AKIDB_OK)
            status = ak_snapshotter_progress(snapshotter, &progress, err);
    }
    return status;
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
    bool *marked = calloc(list.count + 1, sizeof *marked);
    if (marked == NULL)
        status = ak_fail_memory(err, list.count + 1);
    for (size_t i = 0; i < list.count && status == AKIDB_OK; i++)
        marked[i] = list.entries[i].metadata != NULL &&
                    ak_retention_older(list.entries[i].metadata->created_at, now, age);
    if (status == AKIDB_OK)
        status = delete_marked(snapshotter, &list, marked, &deleted, err);
    free(marked);
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

static akidb_status delete_unkept(akidb_snapshotter *snapshotter, const akidb_snapshot_list *list,
                                  akidb_retention_report *report, akidb_error *err)
{
    bool *marked = calloc(list->count + 1, sizeof *marked);
    if (marked == NULL)
        return ak_fail_memory(err, list->count + 1);
    for (size_t i = 0; i < list->count; i++)
        marked[i] = !report->decisions[i].keep;
    akidb_status status = delete_marked(snapshotter, list, marked, &report->deleted, err);
    free(marked);
    return status;
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
    if (status == AKIDB_OK && !dry_run)
        status = delete_unkept(snapshotter, &list, &report, err);
    akidb_snapshot_list_free(&list);
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
