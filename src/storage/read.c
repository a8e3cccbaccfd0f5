/* Reads: get, count, cursors, and what is known of collections. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/documents.h"
#include "storage/storage.h"

/* Documents into which rows of a collection may be copied. */
static akidb_status check_documents(akidb_documents *documents, uint32_t dimension,
                                    akidb_error *err)
{
    if (documents == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "documents: expected some to fill, found NULL");
    if (documents->dimension != dimension)
        return ak_fail(err, AKIDB_E_VALIDATION, "documents: expected dimension %u, found %u",
                       dimension, documents->dimension);
    if (documents->rows == 0)
        documents->has_vectors = documents->has_times = true;
    if (!documents->has_vectors || !documents->has_times)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "documents: expected rows with all columns, found some without");
    return AKIDB_OK;
}

/* ---- documents ------------------------------------------------------------------------------- */

static akidb_status get(const ak_collection *collection, const akidb_uuid *ids, size_t count,
                        akidb_documents *documents, size_t *found_out, akidb_error *err)
{
    if (collection->dropped)
        return ak_collection_fail_gone(&collection->id, err);
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        bool found;
        status = ak_contents_get(collection->contents, &ids[i], documents, &found, err);
        *found_out += found ? 1 : 0;
    }
    return status;
}

akidb_status akidb_storage_get(akidb_storage *storage, const akidb_uuid *id, const akidb_uuid *ids,
                               size_t count, akidb_documents *documents, size_t *found_out,
                               akidb_error *err)
{
    size_t found = 0;
    if (found_out != NULL)
        *found_out = 0;
    if (ids == NULL && count > 0)
        return ak_fail(err, AKIDB_E_VALIDATION, "ids: expected %zu, found NULL", count);
    ak_collection *collection;
    akidb_status status = ak_collection_get(storage, id, &collection, err);
    if (status == AKIDB_OK)
        status = check_documents(documents, collection->created.dimension, err);
    if (status == AKIDB_OK) {
        size_t before = documents->rows;
        pthread_rwlock_rdlock(&collection->lock);
        status = get(collection, ids, count, documents, &found, err);
        pthread_rwlock_unlock(&collection->lock);
        if (status != AKIDB_OK)
            ak_documents_truncate(documents, before);
    }
    ak_collection_release(collection);
    if (status != AKIDB_OK)
        return status;
    atomic_fetch_add(&storage->counters.gets, 1);
    if (found_out != NULL)
        *found_out = found;
    return AKIDB_OK;
}

akidb_status akidb_storage_get_by_external_id(akidb_storage *storage, const akidb_uuid *id,
                                              akidb_slice external_id, akidb_documents *documents,
                                              size_t *found_out, akidb_error *err)
{
    size_t found = 0;
    if (found_out != NULL)
        *found_out = 0;
    if (external_id.data == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "external_id: expected a text, found NULL");
    ak_collection *collection;
    akidb_status status = ak_collection_get(storage, id, &collection, err);
    if (status == AKIDB_OK)
        status = check_documents(documents, collection->created.dimension, err);
    if (status == AKIDB_OK) {
        pthread_rwlock_rdlock(&collection->lock);
        status = collection->dropped ? ak_collection_fail_gone(id, err)
                                     : ak_contents_get_external(collection->contents, external_id,
                                                                documents, &found, err);
        pthread_rwlock_unlock(&collection->lock);
    }
    ak_collection_release(collection);
    if (status != AKIDB_OK)
        return status;
    atomic_fetch_add(&storage->counters.gets, 1);
    if (found_out != NULL)
        *found_out = found;
    return AKIDB_OK;
}

akidb_status akidb_storage_count(akidb_storage *storage, const akidb_uuid *id, uint64_t *count_out,
                                 akidb_error *err)
{
    akidb_collection_info info;
    akidb_status status = akidb_storage_collection(storage, id, &info, err);
    *count_out = info.documents;
    return status;
}

/* ---- cursors --------------------------------------------------------------------------------- */

struct akidb_cursor {
    ak_view view;
};

akidb_status akidb_storage_iterate(akidb_storage *storage, const akidb_uuid *id,
                                   akidb_cursor **cursor_out, akidb_error *err)
{
    *cursor_out = NULL;
    ak_collection *collection;
    akidb_status status = ak_collection_get(storage, id, &collection, err);
    if (status != AKIDB_OK)
        return status;
    akidb_cursor *cursor = calloc(1, sizeof *cursor);
    status = cursor == NULL ? ak_fail_memory(err, sizeof *cursor)
                            : ak_collection_view(storage, collection, &cursor->view, err);
    ak_collection_release(collection);
    if (status != AKIDB_OK) {
        akidb_cursor_close(cursor);
        return status;
    }
    *cursor_out = cursor;
    return AKIDB_OK;
}

akidb_status akidb_cursor_next(akidb_cursor *cursor, size_t max_rows, akidb_documents *documents,
                               bool *done_out, akidb_error *err)
{
    *done_out = false;
    if (cursor == NULL || max_rows == 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "cursor: expected one, and at least one row asked for");
    if (documents != NULL)
        akidb_documents_clear(documents);
    akidb_status status = check_documents(documents, cursor->view.dimension, err);
    if (status == AKIDB_OK)
        status = ak_view_next(&cursor->view, max_rows, documents, err);
    if (status == AKIDB_OK)
        *done_out = documents->rows == 0;
    return status;
}

void akidb_cursor_close(akidb_cursor *cursor)
{
    if (cursor == NULL)
        return;
    ak_view_free(&cursor->view);
    free(cursor);
}

/* ---- collections ----------------------------------------------------------------------------- */

/* False when it was dropped. */
static bool fill_info(ak_collection *collection, akidb_collection_info *info)
{
    *info =
        (akidb_collection_info){.id = collection->id, .dimension = collection->created.dimension};
    memcpy(info->name, collection->created.name, sizeof info->name);
    pthread_rwlock_rdlock(&collection->lock);
    bool there = !collection->dropped;
    if (there) {
        info->documents = collection->contents->live;
        info->memory_bytes = ak_contents_bytes(collection->contents);
        info->last_lsn = collection->last_lsn;
        info->flushed_lsn = collection->snapshot_lsn;
        info->snapshot_id = collection->snapshot_id;
        info->flushed_at = collection->snapshot_at;
    }
    pthread_rwlock_unlock(&collection->lock);
    return there;
}

akidb_status akidb_storage_collection(akidb_storage *storage, const akidb_uuid *id,
                                      akidb_collection_info *info_out, akidb_error *err)
{
    *info_out = (akidb_collection_info){0};
    ak_collection *collection;
    akidb_status status = ak_collection_get(storage, id, &collection, err);
    if (status != AKIDB_OK)
        return status;
    if (!fill_info(collection, info_out)) {
        *info_out = (akidb_collection_info){0};
        status = ak_collection_fail_gone(id, err);
    }
    ak_collection_release(collection);
    return status;
}

akidb_status akidb_storage_collections(akidb_storage *storage, akidb_collection_info **infos_out,
                                       size_t *count_out, akidb_error *err)
{
    *infos_out = NULL;
    *count_out = 0;
    ak_collection **all;
    size_t count, filled = 0;
    akidb_status status = ak_collections_all(storage, &all, &count, err);
    if (status != AKIDB_OK)
        return status;
    akidb_collection_info *infos = calloc(count == 0 ? 1 : count, sizeof *infos);
    if (infos == NULL)
        status = ak_fail_memory(err, count * sizeof *infos);
    for (size_t i = 0; i < count && infos != NULL; i++)
        filled += fill_info(all[i], &infos[filled]) ? 1 : 0;
    ak_collections_release(all, count);
    *infos_out = infos;
    *count_out = filled;
    return status;
}
