#include "storage/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "document/documents.h"

akidb_status ak_scan_take(akidb_storage *storage, const ak_collection *collection, uint64_t lsn,
                          ak_scan *scan_out, akidb_error *err)
{
    *scan_out = (ak_scan){.storage = storage,
                          .route = storage->background,
                          .lsn = lsn,
                          .dimension = collection->created.dimension,
                          .rows_max = collection->contents->live,
                          .base_done = true};
    akidb_status status = ak_view_take(collection->contents, lsn, &scan_out->view, err);
    if (status != AKIDB_OK || collection->base == NULL)
        return status;
    scan_out->base_done = false;
    scan_out->base = collection->base;
    scan_out->shadow = collection->shadow;
    scan_out->rows_max += collection->base->of.snapshot_rows;
    ak_base_retain(scan_out->base);
    ak_shadow_retain(scan_out->shadow);
    return AKIDB_OK;
}

akidb_status ak_scan_collection(akidb_storage *storage, ak_collection *collection,
                                ak_scan *scan_out, akidb_error *err)
{
    *scan_out = (ak_scan){0};
    uint64_t applied = ak_applied_lsn(storage);
    pthread_rwlock_rdlock(&collection->lock);
    akidb_status status = collection->dropped
                              ? ak_collection_fail_gone(&collection->id, err)
                              : ak_scan_take(storage, collection,
                                             ak_collection_lsn(collection, applied), scan_out, err);
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

static void close_reader(ak_scan *scan)
{
    akidb_snapshot_close(scan->reader);
    scan->reader = NULL;
}

void ak_scan_end(ak_scan *scan)
{
    close_reader(scan);
    akidb_documents_free(scan->group);
    akidb_documents_free(scan->shown);
    free(scan->rows);
    ak_view_free(&scan->view);
    ak_shadow_release(scan->shadow);
    ak_base_release(scan->base);
    *scan = (ak_scan){0};
}

void ak_scan_rewind(ak_scan *scan)
{
    close_reader(scan);
    if (scan->group != NULL)
        akidb_documents_clear(scan->group);
    scan->group_is_shown = false;
    scan->at = 0;
    scan->passed = 0;
    scan->base_done = scan->base == NULL;
    scan->view.at = 0;
    scan->view.row = 0;
}

/* ---- the base -------------------------------------------------------------------------------- */

static akidb_status open_reader(ak_scan *scan, akidb_error *err)
{
    const ak_catalogue_collection *of = &scan->base->of;
    scan->from_local = ak_base_is_local(scan->base);
    akidb_status status =
        akidb_snapshot_open(scan->from_local ? scan->route.warm : scan->route.store, &of->id,
                            &of->snapshot_id, NULL, &scan->reader, err);
    if (status == AKIDB_OK)
        status = ak_check_snapshot(scan->storage, akidb_snapshot_reader_metadata(scan->reader),
                                   scan->dimension, of, err);
    return status;
}

/* The next row group that has not been passed. */
static akidb_status read_group(ak_scan *scan, akidb_error *err)
{
    uint64_t left = scan->reader == NULL ? scan->passed : 0;
    akidb_status status = scan->reader == NULL ? open_reader(scan, err) : AKIDB_OK;
    while (status == AKIDB_OK && !scan->base_done) {
        status = akidb_snapshot_next(scan->reader, scan->group, &scan->base_done, err);
        if (status != AKIDB_OK || left < scan->group->rows)
            break;
        left -= scan->group->rows;
    }
    scan->at = (size_t)left;
    return status;
}

/* Only what was shown: a call that meets row groups of which nothing is seen reads several. */
static void keep_shown(ak_scan *scan)
{
    akidb_documents *shown = scan->group;
    scan->group = scan->shown;
    scan->shown = shown;
    scan->group_is_shown = false;
}

/* The same; when the local copy fails, the store goes on where it stood. */
static akidb_status fill(ak_scan *scan, akidb_error *err)
{
    akidb_error cause = {0};
    akidb_status status = AKIDB_OK;
    scan->passed += scan->group == NULL ? 0 : scan->group->rows;
    if (scan->group_is_shown)
        keep_shown(scan);
    if (scan->group == NULL)
        status = akidb_documents_new(scan->dimension, &scan->group, err);
    if (status != AKIDB_OK)
        return status;
    akidb_documents_clear(scan->group);
    scan->at = 0;
    status = read_group(scan, &cause);
    if (status != AKIDB_OK && scan->from_local && ak_is_local_failure(status)) {
        close_reader(scan);
        ak_base_note_damage(scan->base, &cause);
        status = read_group(scan, &cause);
    }
    if (status == AKIDB_OK) {
        scan->passed -= scan->base_done ? 0 : scan->at; /* the rows of the group count as one */
        return AKIDB_OK;
    }
    akidb_documents_clear(scan->group);
    close_reader(scan);
    if (status == AKIDB_E_NOT_FOUND) {
        status = cause.status = AKIDB_E_CORRUPTION;
        ak_error_context(&cause, "the newest snapshot of a collection is gone");
    }
    if (err != NULL)
        *err = cause;
    return status;
}

/* Notes which rows of the rest of the group are seen, at most max_rows of them, and passes them. */
static akidb_status choose_rows(ak_scan *scan, size_t max_rows, size_t *count_out, akidb_error *err)
{
    const akidb_documents *group = scan->group;
    void *rows = scan->rows;
    *count_out = 0;
    akidb_status status =
        ak_array_reserve(&rows, &scan->row_capacity, group->rows, sizeof *scan->rows, err);
    scan->rows = rows;
    if (status != AKIDB_OK)
        return status;
    for (; scan->at < group->rows && *count_out < max_rows; scan->at++)
        if (!ak_shadow_hides(scan->shadow, &group->document_ids[scan->at], scan->lsn))
            scan->rows[(*count_out)++] = scan->at;
    return AKIDB_OK;
}

/* Goes to the next rows of the base that are seen: scan->rows, at most max_rows; none at its end.
 */
static akidb_status next_rows(ak_scan *scan, size_t max_rows, size_t *count_out, akidb_error *err)
{
    *count_out = 0;
    while (!scan->base_done && *count_out == 0) {
        akidb_status status = AKIDB_OK;
        if (scan->group == NULL || scan->at == scan->group->rows)
            status = fill(scan, err);
        if (status == AKIDB_OK && !scan->base_done)
            status = choose_rows(scan, max_rows, count_out, err);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

akidb_status ak_scan_next(ak_scan *scan, size_t max_rows, akidb_documents *documents,
                          akidb_error *err)
{
    size_t count;
    akidb_status status = next_rows(scan, max_rows, &count, err);
    if (status != AKIDB_OK)
        return status;
    if (count == 0)
        return ak_view_next(&scan->view, max_rows, documents, err);
    akidb_batch batch = akidb_documents_batch(scan->group);
    status = ak_documents_append_rows(documents, &batch, scan->rows, count, err);
    if (status != AKIDB_OK)
        scan->at = scan->rows[0]; /* so that they come again */
    return status;
}

akidb_status ak_scan_show(ak_scan *scan, akidb_documents *room, akidb_batch *batch_out,
                          akidb_error *err)
{
    enum { BYTES_AT_ONCE = 32 << 20, ROWS_AT_ONCE = 10000 };
    size_t rows = BYTES_AT_ONCE / (scan->dimension * sizeof(float) + 1) + 1, count;
    *batch_out = (akidb_batch){0};
    akidb_documents_clear(room);
    akidb_status status = next_rows(scan, SIZE_MAX, &count, err);
    if (status != AKIDB_OK)
        return status;
    if (count > 0 && count == scan->group->rows) {
        scan->group_is_shown = scan->keeps_shown;
        *batch_out = akidb_documents_batch(scan->group);
        return AKIDB_OK;
    }
    if (count == 0) {
        status = ak_view_next(&scan->view, rows < ROWS_AT_ONCE ? rows : ROWS_AT_ONCE, room, err);
    } else {
        akidb_batch batch = akidb_documents_batch(scan->group);
        status = ak_documents_append_rows(room, &batch, scan->rows, count, err);
    }
    if (status == AKIDB_OK)
        *batch_out = akidb_documents_batch(room);
    return status;
}

akidb_status ak_scan_needs_micros(ak_scan *scan, bool *result_out, akidb_error *err)
{
    *result_out = ak_view_needs_micros(&scan->view);
    if (*result_out || scan->base == NULL)
        return AKIDB_OK;
    return ak_base_in_micros(scan->base, result_out, err);
}
