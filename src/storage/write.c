/* Writes: create, drop, upsert, delete. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "document/check.h"
#include "storage/storage.h"

/* ---- collections ----------------------------------------------------------------------------- */

static akidb_status describe(uint32_t dimension, const char *name, ak_log_collection *created,
                             akidb_error *err)
{
    *created = (ak_log_collection){.dimension = dimension};
    akidb_status status = ak_check_dimension(dimension, err);
    if (status != AKIDB_OK || name == NULL)
        return status;
    size_t length = strlen(name);
    if (length == 0 || length > AK_COLLECTION_NAME_MAX ||
        ak_utf8_valid_prefix(name, length) != length)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "name: expected 1 to %d bytes of UTF-8, found %zu bytes",
                       AK_COLLECTION_NAME_MAX, length);
    created->has_name = true;
    memcpy(created->name, name, length);
    return AKIDB_OK;
}

static akidb_status fail_exists(const akidb_uuid *id, akidb_error *err)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    return ak_fail_at(err, AKIDB_E_ALREADY_EXISTS, AK_IN(text),
                      "there is such a collection already");
}

akidb_status akidb_storage_create_collection(akidb_storage *storage, const akidb_uuid *id,
                                             uint32_t dimension, const char *name, akidb_error *err)
{
    if (storage == NULL || id == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "expected a storage and a collection, found NULL");
    ak_log_entry entry = {.kind = AK_LOG_CREATE, .collection = *id};
    ak_collection *there = ak_collection_find(storage, id);
    ak_collection_release(there);
    if (there != NULL)
        return fail_exists(id, err);
    akidb_status status = describe(dimension, name, &entry.created, err);
    if (status == AKIDB_OK)
        status = akidb_uuid_new_v4(&entry.incarnation, err);
    ak_pending pending = {0};
    if (status == AKIDB_OK)
        status = ak_collection_new(storage, id, &entry.incarnation, &entry.created,
                                   &pending.collection, err);
    if (status == AKIDB_OK)
        status = ak_collections_promise(storage, err);
    if (status == AKIDB_OK) {
        status = ak_submit(storage, &entry, &pending, err);
        if (status != AKIDB_OK)
            ak_collections_unpromise(storage);
    }
    ak_collection_release(pending.collection);
    if (status == AKIDB_OK && pending.status != AKIDB_OK)
        return fail_exists(id, err);
    return status;
}

akidb_status akidb_storage_drop_collection(akidb_storage *storage, const akidb_uuid *id,
                                           akidb_error *err)
{
    ak_pending pending = {0};
    akidb_status status = ak_collection_get(storage, id, &pending.collection, err);
    if (status != AKIDB_OK)
        return status;
    ak_log_entry entry = {
        .kind = AK_LOG_DROP, .collection = *id, .incarnation = pending.collection->incarnation};
    status = ak_submit(storage, &entry, &pending, err);
    ak_collection_release(pending.collection);
    if (status == AKIDB_OK && pending.status != AKIDB_OK)
        return ak_collection_fail_gone(id, err);
    /* The drop is in the log. With the catalogue, too, recovery does not even look for a snapshot
     * of the collection, so that it may be deleted; until then it must not be missing. */
    akidb_error cause;
    if (status == AKIDB_OK && ak_save_catalogue(storage, &cause) != AKIDB_OK)
        ak_storage_log(storage, AKIDB_LOG_WARNING, &cause, "after a drop");
    return status;
}

/* ---- upsert ---------------------------------------------------------------------------------- */

/* A batch on its way, with all that it needs. */
typedef struct upsert {
    akidb_batch batch;
    akidb_uuid *ids; /* made here */
    int64_t *times;  /* likewise */
    ak_log_columns columns;
    ak_row_texts texts;
} upsert;

static void upsert_free(upsert *u)
{
    free(u->ids);
    free(u->times);
    ak_log_columns_free(&u->columns);
    ak_row_texts_free(&u->texts);
}

static akidb_status make_ids(akidb_storage *storage, upsert *u, akidb_error *err)
{
    if (u->batch.document_ids != NULL)
        return AKIDB_OK;
    u->ids = calloc(u->batch.rows, sizeof *u->ids);
    if (u->ids == NULL)
        return ak_fail_memory(err, u->batch.rows * sizeof *u->ids);
    u->batch.document_ids = u->ids;
    pthread_mutex_lock(&storage->ids_lock);
    akidb_status status =
        ak_id_sequence_take(&storage->new_ids, ak_storage_now(storage), u->ids, u->batch.rows, err);
    pthread_mutex_unlock(&storage->ids_lock);
    return status;
}

/* Whole milliseconds, which every format of a snapshot has room for. */
static akidb_status make_times(akidb_storage *storage, upsert *u, akidb_error *err)
{
    if (u->batch.inserted_at != NULL)
        return AKIDB_OK;
    u->times = calloc(u->batch.rows, sizeof *u->times);
    if (u->times == NULL)
        return ak_fail_memory(err, u->batch.rows * sizeof *u->times);
    int64_t now = ak_storage_now(storage);
    now -= ((now % 1000) + 1000) % 1000;
    akidb_status status = ak_check_time(now, 0, err);
    for (size_t i = 0; i < u->batch.rows; i++)
        u->times[i] = now;
    u->batch.inserted_at = u->times;
    return status;
}

static akidb_status prepare(akidb_storage *storage, const ak_collection *collection, upsert *u,
                            akidb_error *err)
{
    akidb_status status = akidb_batch_validate(&u->batch, err);
    if (status == AKIDB_OK && u->batch.dimension != collection->created.dimension)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, 0, "vector"),
                          "expected dimension %u, found %u", collection->created.dimension,
                          u->batch.dimension);
    if (status == AKIDB_OK)
        status = make_ids(storage, u, err);
    if (status == AKIDB_OK)
        status = make_times(storage, u, err);
    if (status == AKIDB_OK)
        status = ak_log_columns_take(&u->columns, &u->batch, err);
    return status != AKIDB_OK ? status : ak_row_texts_make(&u->texts, &u->columns.rows, err);
}

static akidb_status submit_upsert(akidb_storage *storage, ak_collection *collection, upsert *u,
                                  akidb_error *err)
{
    size_t rows = u->batch.rows;
    akidb_status status = ak_collection_reserve(storage, collection, rows, u->texts.bytes, err);
    if (status != AKIDB_OK)
        return status;
    ak_log_entry entry = {.kind = AK_LOG_UPSERT,
                          .collection = collection->id,
                          .incarnation = collection->incarnation,
                          .rows = u->columns.rows};
    ak_pending pending = {.collection = collection, .texts = &u->texts};
    status = ak_submit(storage, &entry, &pending, err);
    if (status != AKIDB_OK)
        ak_collection_unreserve(collection, rows);
    else if (pending.status != AKIDB_OK)
        status = ak_collection_fail_gone(&collection->id, err);
    return status;
}

akidb_status akidb_storage_upsert(akidb_storage *storage, const akidb_uuid *id,
                                  const akidb_batch *batch, akidb_uuid *ids_out, akidb_error *err)
{
    if (batch == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "batch: expected documents, found NULL");
    ak_collection *collection;
    upsert u = {.batch = *batch};
    akidb_status status = ak_collection_get(storage, id, &collection, err);
    if (status == AKIDB_OK)
        ak_collection_accessed(storage, collection, AKIDB_ACCESS_UPSERT);
    if (status == AKIDB_OK)
        status = prepare(storage, collection, &u, err);
    if (status == AKIDB_OK)
        status = submit_upsert(storage, collection, &u, err);
    if (status == AKIDB_OK) {
        atomic_fetch_add(&storage->counters.upserts, 1);
        atomic_fetch_add(&storage->counters.upserted, batch->rows);
    }
    if (ids_out != NULL && status == AKIDB_OK)
        memcpy(ids_out, u.batch.document_ids, batch->rows * sizeof *ids_out);
    else if (ids_out != NULL && batch->rows > 0)
        memset(ids_out, 0, batch->rows * sizeof *ids_out);
    upsert_free(&u);
    ak_collection_release(collection);
    return status;
}

/* ---- delete ---------------------------------------------------------------------------------- */

/* Deletes under an LSN of their own. What of the base was deleted is known when its index is in
 * memory; otherwise *pending names the ids and the base that would know. */
static akidb_status submit_delete(akidb_storage *storage, ak_pending *pending,
                                  const akidb_uuid *ids, size_t count, akidb_error *err)
{
    ak_collection *collection = pending->collection;
    ak_log_entry entry = {.kind = AK_LOG_DELETE,
                          .collection = collection->id,
                          .incarnation = collection->incarnation,
                          .ids = (const uint8_t *)ids,
                          .id_count = count};
    akidb_status status = ak_collection_reserve_ids(collection, count, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_submit(storage, &entry, pending, err);
    if (status != AKIDB_OK)
        ak_collection_unreserve_ids(collection, count);
    else if (pending->status != AKIDB_OK)
        status = ak_collection_fail_gone(&collection->id, err);
    return status;
}

/* Before a delete whose caller wants to know how many there were: what it takes to say so. */
static akidb_status prepare_count(ak_pending *pending, size_t count, akidb_error *err)
{
    ak_base *base = ak_collection_base(pending->collection);
    akidb_status status = base == NULL ? AKIDB_OK : ak_base_load_index(base, err);
    ak_base_release(base);
    if (status != AKIDB_OK)
        return status;
    pending->unknown = calloc(count, 1);
    return pending->unknown != NULL ? AKIDB_OK : ak_fail_memory(err, count);
}

/* The collection got another base between the two, whose index is not in memory. */
static akidb_status count_unknown(ak_pending *pending, const akidb_uuid *ids, size_t count,
                                  akidb_error *err)
{
    uint32_t row;
    if (pending->base == NULL)
        return AKIDB_OK;
    akidb_status status = ak_base_load_index(pending->base, err);
    if (status != AKIDB_OK) {
        ak_error_context(err, "the documents are deleted, but how many there were is not known");
        return status;
    }
    const ak_row_index *index = ak_base_index(pending->base);
    for (size_t i = 0; i < count; i++)
        if (pending->unknown[i] != 0 && ak_row_index_find(index, &ids[i], &row))
            pending->deleted++;
    return AKIDB_OK;
}

akidb_status akidb_storage_delete(akidb_storage *storage, const akidb_uuid *id,
                                  const akidb_uuid *ids, size_t count, uint64_t *deleted_out,
                                  akidb_error *err)
{
    if (deleted_out != NULL)
        *deleted_out = 0;
    if (ids == NULL && count > 0)
        return ak_fail(err, AKIDB_E_VALIDATION, "ids: expected %zu, found NULL", count);
    ak_pending pending = {0};
    akidb_status status = ak_collection_get(storage, id, &pending.collection, err);
    if (status != AKIDB_OK)
        return status;
    if (count > 0 && deleted_out != NULL)
        status = prepare_count(&pending, count, err);
    if (status == AKIDB_OK && count > 0)
        status = submit_delete(storage, &pending, ids, count, err);
    if (status == AKIDB_OK)
        status = count_unknown(&pending, ids, count, err);
    ak_base_release(pending.base);
    free(pending.unknown);
    ak_collection_release(pending.collection);
    if (status != AKIDB_OK)
        return status;
    atomic_fetch_add(&storage->counters.deletes, 1);
    atomic_fetch_add(&storage->counters.deleted, pending.deleted);
    if (deleted_out != NULL)
        *deleted_out = pending.deleted;
    return AKIDB_OK;
}
