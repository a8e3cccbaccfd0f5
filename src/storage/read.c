/* Reads: get, count, cursors, and what is known of collections. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/documents.h"
#include "storage/scan.h"

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

/* Where each id of a get is found, decided at one moment. */
enum { NOWHERE, IN_MEMORY, IN_BASE };

typedef struct lookup {
    const akidb_uuid *ids;
    size_t count;
    uint8_t *where; /* NULL: all lie in memory, and are in the caller's documents already */
    akidb_documents *memory; /* those of IN_MEMORY, in order */
    ak_base *base;           /* retained */
    /* When the store serves the base, and more than one id is looked for there: */
    akidb_uuid *wanted; /* those of IN_BASE, in order */
    akidb_documents *fetched;
    size_t *places; /* of each of them in `fetched`; SIZE_MAX: not there */
} lookup;

static void lookup_free(lookup *l)
{
    free(l->where);
    akidb_documents_free(l->memory);
    free(l->wanted);
    akidb_documents_free(l->fetched);
    free(l->places);
    ak_base_release(l->base);
}

static akidb_status get_from_memory(const ak_contents *contents, lookup *l,
                                    akidb_documents *documents, size_t *found_out, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < l->count && status == AKIDB_OK; i++) {
        bool found;
        status = ak_contents_get(contents, &l->ids[i], documents, &found, err);
        *found_out += found ? 1 : 0;
        if (l->where != NULL)
            l->where[i] = found ? IN_MEMORY : NOWHERE;
    }
    return status;
}

/* The part of a get that looks at the collection; the caller holds its lock. */
static akidb_status look(const ak_collection *collection, lookup *l, akidb_documents *documents,
                         size_t *found_out, akidb_error *err)
{
    if (collection->dropped)
        return ak_collection_fail_gone(&collection->id, err);
    if (collection->base == NULL || l->count == 0)
        return get_from_memory(collection->contents, l, documents, found_out, err);
    l->base = collection->base;
    ak_base_retain(l->base);
    l->where = malloc(l->count);
    if (l->where == NULL)
        return ak_fail_memory(err, l->count);
    akidb_status status = akidb_documents_new(collection->created.dimension, &l->memory, err);
    if (status == AKIDB_OK)
        status = get_from_memory(collection->contents, l, l->memory, found_out, err);
    for (size_t i = 0; i < l->count && status == AKIDB_OK; i++)
        if (l->where[i] == NOWHERE && !ak_shadow_hides(collection->shadow, &l->ids[i], UINT64_MAX))
            l->where[i] = IN_BASE;
    return status;
}

/* Fetches what the store has of a get, several requests at once, if that is worth it. */
static akidb_status fetch(lookup *l, akidb_error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++)
        count += l->where[i] == IN_BASE ? 1 : 0;
    if (count < 2 || ak_base_is_local(l->base))
        return AKIDB_OK;
    l->wanted = malloc(count * sizeof *l->wanted);
    l->places = malloc(count * sizeof *l->places);
    if (l->wanted == NULL || l->places == NULL)
        return ak_fail_memory(err, count * sizeof *l->wanted);
    count = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->where[i] == IN_BASE)
            l->wanted[count++] = l->ids[i];
    akidb_status status = akidb_documents_new(l->base->of.created.dimension, &l->fetched, err);
    return status != AKIDB_OK
               ? status
               : ak_base_get_many(l->base, l->wanted, count, l->fetched, l->places, err);
}

/* Appends the next document of those that were fetched, if it is there. */
static akidb_status take_fetched(const lookup *l, const size_t *place, akidb_documents *documents,
                                 bool *found_out, akidb_error *err)
{
    *found_out = *place != SIZE_MAX;
    if (!*found_out)
        return AKIDB_OK;
    akidb_batch fetched = akidb_documents_batch(l->fetched);
    return ak_documents_append_rows(documents, &fetched, place, 1, err);
}

/* The part that reads the base, and puts all together in the order of the ids. */
static akidb_status gather(lookup *l, akidb_documents *documents, size_t *found_out,
                           akidb_error *err)
{
    akidb_batch memory = akidb_documents_batch(l->memory);
    size_t next = 0, next_place = 0;
    akidb_status status = fetch(l, err);
    for (size_t i = 0; i < l->count && status == AKIDB_OK; i++) {
        bool found = false;
        if (l->where[i] == IN_MEMORY) {
            status = ak_documents_append_rows(documents, &memory, &next, 1, err);
            next++;
        } else if (l->where[i] == IN_BASE && l->places != NULL) {
            status = take_fetched(l, &l->places[next_place++], documents, &found, err);
        } else if (l->where[i] == IN_BASE) {
            status = ak_base_get(l->base, &l->ids[i], documents, &found, err);
        }
        *found_out += found ? 1 : 0;
    }
    return status;
}

static akidb_status get(ak_collection *collection, const akidb_uuid *ids, size_t count,
                        akidb_documents *documents, size_t *found_out, akidb_error *err)
{
    lookup l = {.ids = ids, .count = count};
    pthread_rwlock_rdlock(&collection->lock);
    akidb_status status = look(collection, &l, documents, found_out, err);
    pthread_rwlock_unlock(&collection->lock);
    if (status == AKIDB_OK && l.where != NULL)
        status = gather(&l, documents, found_out, err);
    lookup_free(&l);
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
        ak_collection_accessed(storage, collection, AKIDB_ACCESS_GET);
        status = get(collection, ids, count, documents, &found, err);
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

/* By external id, from a collection with a base: what lies in memory, what the base has, and which
 * moment decides between them. */
typedef struct external {
    ak_base *base;
    ak_shadow *shadow;
    uint64_t lsn;
    akidb_documents *found;
    size_t *rows; /* of `found`, by id */
} external;

static void external_free(external *e)
{
    akidb_documents_free(e->found);
    free(e->rows);
    ak_shadow_release(e->shadow);
    ak_base_release(e->base);
}

static akidb_status look_external(const ak_collection *collection, akidb_slice text,
                                  uint64_t applied, external *e, akidb_documents *documents,
                                  size_t *found_out, akidb_error *err)
{
    if (collection->dropped)
        return ak_collection_fail_gone(&collection->id, err);
    if (collection->base == NULL)
        return ak_contents_get_external(collection->contents, text, documents, found_out, err);
    e->base = collection->base;
    e->shadow = collection->shadow;
    e->lsn = ak_collection_lsn(collection, applied);
    ak_base_retain(e->base);
    ak_shadow_retain(e->shadow);
    akidb_status status = akidb_documents_new(collection->created.dimension, &e->found, err);
    return status != AKIDB_OK
               ? status
               : ak_contents_get_external(collection->contents, text, e->found, found_out, err);
}

/* Sorts rows by the ids of their documents: there are few. */
static void sort_rows(const akidb_batch *batch, size_t *rows, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        size_t row = rows[i], at = i;
        for (; at > 0 && akidb_uuid_compare(&batch->document_ids[rows[at - 1]],
                                            &batch->document_ids[row]) > 0;
             at--)
            rows[at] = rows[at - 1];
        rows[at] = row;
    }
}

static akidb_status gather_external(external *e, akidb_slice text, akidb_documents *documents,
                                    size_t *found_out, akidb_error *err)
{
    size_t in_memory = e->found->rows, count = 0;
    akidb_status status = ak_base_get_external(e->base, text, e->found, err);
    if (status != AKIDB_OK)
        return status;
    akidb_batch batch = akidb_documents_batch(e->found);
    e->rows = calloc(batch.rows + 1, sizeof *e->rows);
    if (e->rows == NULL)
        return ak_fail_memory(err, (batch.rows + 1) * sizeof *e->rows);
    for (size_t row = 0; row < batch.rows; row++)
        if (row < in_memory || !ak_shadow_hides(e->shadow, &batch.document_ids[row], e->lsn))
            e->rows[count++] = row;
    sort_rows(&batch, e->rows, count);
    *found_out = count;
    return count == 0 ? AKIDB_OK : ak_documents_append_rows(documents, &batch, e->rows, count, err);
}

static akidb_status get_external(akidb_storage *storage, ak_collection *collection,
                                 akidb_slice text, akidb_documents *documents, size_t *found_out,
                                 akidb_error *err)
{
    external e = {0};
    uint64_t applied = ak_applied_lsn(storage);
    pthread_rwlock_rdlock(&collection->lock);
    akidb_status status = look_external(collection, text, applied, &e, documents, found_out, err);
    pthread_rwlock_unlock(&collection->lock);
    if (status == AKIDB_OK && e.base != NULL)
        status = gather_external(&e, text, documents, found_out, err);
    external_free(&e);
    return status;
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
        ak_collection_accessed(storage, collection, AKIDB_ACCESS_GET);
        status = get_external(storage, collection, external_id, documents, &found, err);
    }
    ak_collection_release(collection);
    if (status != AKIDB_OK)
        return status;
    atomic_fetch_add(&storage->counters.gets, 1);
    if (found_out != NULL)
        *found_out = found;
    return AKIDB_OK;
}

/* The number of documents as far as it is known without I/O; false when that is not exact. */
static akidb_status count_known(ak_collection *collection, uint64_t *count_out, bool *exact_out,
                                akidb_error *err)
{
    pthread_rwlock_wrlock(&collection->lock);
    akidb_status status =
        collection->dropped ? ak_collection_fail_gone(&collection->id, err) : AKIDB_OK;
    if (status == AKIDB_OK)
        *exact_out = ak_collection_count(collection, count_out);
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

/* Each round loads the index of the base that is in the way; it is another one only when a flush or
 * move came between. */
static akidb_status count_documents(ak_collection *collection, uint64_t *count_out,
                                    akidb_error *err)
{
    for (;;) {
        bool exact = false;
        akidb_status status = count_known(collection, count_out, &exact, err);
        if (status != AKIDB_OK || exact)
            return status;
        ak_base *base = ak_collection_base(collection);
        status = base == NULL ? AKIDB_OK : ak_base_load_index(base, err);
        ak_base_release(base);
        if (status != AKIDB_OK)
            return status;
    }
}

akidb_status akidb_storage_count(akidb_storage *storage, const akidb_uuid *id, uint64_t *count_out,
                                 akidb_error *err)
{
    uint64_t count = 0;
    ak_collection *collection;
    *count_out = 0;
    akidb_status status = ak_collection_get(storage, id, &collection, err);
    if (status == AKIDB_OK)
        status = count_documents(collection, &count, err);
    ak_collection_release(collection);
    if (status == AKIDB_OK)
        *count_out = count;
    return status;
}

/* ---- cursors --------------------------------------------------------------------------------- */

struct akidb_cursor {
    ak_scan scan;
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
                            : ak_scan_collection(storage, collection, &cursor->scan, err);
    if (status == AKIDB_OK)
        ak_collection_accessed(storage, collection, AKIDB_ACCESS_ITERATE);
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
    akidb_status status = check_documents(documents, cursor->scan.dimension, err);
    if (status == AKIDB_OK)
        status = ak_scan_next(&cursor->scan, max_rows, documents, err);
    if (status == AKIDB_OK)
        *done_out = documents->rows == 0;
    return status;
}

void akidb_cursor_close(akidb_cursor *cursor)
{
    if (cursor == NULL)
        return;
    ak_scan_end(&cursor->scan);
    free(cursor);
}

/* ---- collections ----------------------------------------------------------------------------- */

/* False when it was dropped. */
static bool fill_info(ak_collection *collection, akidb_collection_info *info)
{
    *info =
        (akidb_collection_info){.id = collection->id, .dimension = collection->created.dimension};
    memcpy(info->name, collection->created.name, sizeof info->name);
    pthread_rwlock_wrlock(&collection->lock);
    bool there = !collection->dropped;
    if (there) {
        const ak_base *base = collection->base;
        info->documents_at_most = !ak_collection_count(collection, &info->documents);
        info->memory_bytes = ak_contents_bytes(collection->contents);
        info->memory_bytes += ak_shadow_bytes(collection->shadow);
        info->memory_bytes += base == NULL ? 0 : atomic_load(&base->bytes);
        info->tier = collection->tier;
        info->warm_bytes = base != NULL && ak_base_is_local(base) ? base->local->bytes : 0;
        info->snapshot_bytes = collection->snapshot_bytes;
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
