/* Pages of a snapshot, through the cache. */
#include "storage/base_pages.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "storage/storage.h"

/* ---- the sides ------------------------------------------------------------------------------- */

akidb_status ak_base_metadata(const akidb_storage *storage, akidb_snapshotter *snapshotter,
                              const ak_catalogue_collection *of,
                              akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    akidb_status status =
        akidb_snapshot_get_metadata(snapshotter, &of->id, &of->snapshot_id, metadata_out, err);
    if (status == AKIDB_OK)
        status = ak_check_snapshot(storage, *metadata_out, of->created.dimension, of, err);
    if (status != AKIDB_OK) {
        akidb_snapshot_metadata_free(*metadata_out);
        *metadata_out = NULL;
    }
    return status;
}

void ak_base_count_bytes(ak_base *base, uint64_t bytes)
{
    atomic_fetch_add(&base->bytes, bytes);
    atomic_fetch_add(&base->storage->memory, bytes);
}

static akidb_status open_rows(ak_base *base, int side, ak_snapshot_rows **rows_out,
                              akidb_error *err)
{
    akidb_storage *storage = base->storage;
    akidb_snapshotter *snapshotter =
        side == AK_SIDE_LOCAL ? storage->background.warm : storage->background.store;
    akidb_snapshot_metadata *metadata;
    *rows_out = NULL;
    akidb_status status = ak_base_metadata(storage, snapshotter, &base->of, &metadata, err);
    if (status == AKIDB_OK)
        status = ak_snapshot_rows_open(snapshotter, metadata, rows_out, err);
    if (status == AKIDB_OK)
        ak_base_count_bytes(base, ak_snapshot_rows_bytes(*rows_out));
    return status;
}

static akidb_status open_side(ak_base *base, int side, ak_snapshot_rows **rows_out,
                              akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    *rows_out = atomic_load(&base->opened[side]);
    if (*rows_out != NULL)
        return AKIDB_OK;
    pthread_mutex_lock(&base->opening);
    *rows_out = atomic_load(&base->opened[side]);
    if (*rows_out == NULL)
        status = open_rows(base, side, rows_out, err);
    if (status == AKIDB_OK)
        atomic_store(&base->opened[side], *rows_out);
    pthread_mutex_unlock(&base->opening);
    return status;
}

static akidb_status read_side(ak_base *base, int side, ak_base_reading *read, void *context,
                              akidb_error *err)
{
    ak_snapshot_rows *rows;
    akidb_status status = open_side(base, side, &rows, err);
    return status != AKIDB_OK ? status : read(rows, context, err);
}

/* A collection whose snapshot is gone is not a collection that is not there. */
static akidb_status as_damage(const ak_base *base, akidb_status status, akidb_error *err)
{
    if (status != AKIDB_E_NOT_FOUND)
        return status;
    char id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&base->of.id, id);
    ak_error_context(err, "reading collection %s from its newest snapshot", id);
    if (err != NULL)
        err->status = AKIDB_E_CORRUPTION;
    return AKIDB_E_CORRUPTION;
}

akidb_status ak_base_read(ak_base *base, ak_base_reading *read, void *context, akidb_error *err)
{
    if (ak_base_is_local(base)) {
        akidb_error cause = {0};
        akidb_status status = read_side(base, AK_SIDE_LOCAL, read, context, &cause);
        if (!ak_is_local_failure(status)) {
            if (status != AKIDB_OK && err != NULL)
                *err = cause;
            return status;
        }
        ak_base_note_damage(base, &cause);
    }
    return as_damage(base, read_side(base, AK_SIDE_STORE, read, context, err), err);
}

static akidb_status note_rows(const ak_snapshot_rows *rows, void *context, akidb_error *err)
{
    const ak_snapshot_rows **to = context;
    (void)err;
    *to = rows;
    return AKIDB_OK;
}

/* What the tails say, of whichever side; it stays as long as the base. */
akidb_status ak_base_tails(ak_base *base, const ak_snapshot_rows **rows_out, akidb_error *err)
{
    *rows_out = NULL;
    return ak_base_read(base, note_rows, rows_out, err);
}

/* ---- pages ----------------------------------------------------------------------------------- */

typedef struct small_reading {
    size_t group;
    akidb_documents *documents;
} small_reading;

static akidb_status read_small(const ak_snapshot_rows *rows, void *context, akidb_error *err)
{
    const small_reading *r = context;
    return ak_snapshot_read_small(rows, r->group, r->documents, err);
}

static void free_documents(void *documents)
{
    akidb_documents_free(documents);
}

static uint64_t bytes_of_small(const akidb_documents *small)
{
    return small->id_capacity * sizeof(akidb_uuid) + small->time_capacity * sizeof(int64_t) +
           (small->external_ids.offset_capacity + small->metadata.offset_capacity) *
               sizeof(uint64_t) +
           small->external_ids.bytes.capacity + small->metadata.bytes.capacity;
}

/* The small columns of a row group, as akidb_documents. */
akidb_status ak_base_hold_small(ak_base *base, size_t group, ak_cached **held_out, akidb_error *err)
{
    ak_cache *cache = base->storage->cache;
    const ak_cache_key key = {.snapshot = base->of.snapshot_id, .group = group};
    *held_out = ak_cache_find(cache, &key);
    if (*held_out != NULL)
        return AKIDB_OK;
    small_reading r = {.group = group};
    akidb_status status = akidb_documents_new(base->of.created.dimension, &r.documents, err);
    if (status == AKIDB_OK)
        status = ak_base_read(base, read_small, &r, err);
    if (status != AKIDB_OK) {
        akidb_documents_free(r.documents);
        return status;
    }
    return ak_cache_add(cache, &key, r.documents, free_documents, bytes_of_small(r.documents),
                        held_out, err);
}

typedef struct column_reading {
    size_t group, row;
    akidb_column column;
    ak_column_page *page;
} column_reading;

static void free_column_page(void *context)
{
    ak_column_page *page = context;
    ak_texts_free(&page->texts);
    free(page->times);
    free(page);
}

static akidb_status read_column(const ak_snapshot_rows *rows, void *context, akidb_error *err)
{
    const column_reading *r = context;
    return ak_snapshot_read_row_page(rows, r->group, r->column, r->row, &r->page->span,
                                     &r->page->texts, &r->page->times, err);
}

static uint64_t bytes_of_column(const ak_column_page *page)
{
    return sizeof *page + page->texts.offset_capacity * sizeof(uint64_t) +
           page->texts.bytes.capacity +
           (page->times == NULL ? 0 : page->span.count * sizeof *page->times);
}

/* The page of a small column with a row of a row group, as ak_column_page. */
akidb_status ak_base_hold_column(ak_base *base, const ak_snapshot_rows *rows, size_t group,
                                 akidb_column column, size_t row, ak_cached **held_out,
                                 akidb_error *err)
{
    ak_cache *cache = base->storage->cache;
    ak_row_span span;
    *held_out = NULL;
    akidb_status status = ak_snapshot_row_page(rows, group, column, row, &span, err);
    if (status != AKIDB_OK)
        return status;
    const ak_cache_key key = {base->of.snapshot_id, group, column, span.first};
    *held_out = ak_cache_find(cache, &key);
    if (*held_out != NULL)
        return AKIDB_OK;
    column_reading r = {group, row, column, calloc(1, sizeof *r.page)};
    if (r.page == NULL)
        return ak_fail_memory(err, sizeof *r.page);
    status = ak_base_read(base, read_column, &r, err);
    if (status != AKIDB_OK) {
        free_column_page(r.page);
        return status;
    }
    return ak_cache_add(cache, &key, r.page, free_column_page, bytes_of_column(r.page), held_out,
                        err);
}

typedef struct vector_reading {
    size_t group;
    ak_vector_page *page;
} vector_reading;

static akidb_status read_vectors(const ak_snapshot_rows *rows, void *context, akidb_error *err)
{
    const vector_reading *r = context;
    return ak_snapshot_read_vectors(rows, r->group, r->page->first, r->page->count, r->page->floats,
                                    err);
}

static akidb_status load_vectors(ak_base *base, const ak_cache_key *key, size_t first, size_t count,
                                 ak_cached **held_out, akidb_error *err)
{
    size_t floats, size;
    if (!ak_mul_size(count, base->of.created.dimension, &floats) ||
        !ak_mul_size(floats, sizeof(float), &size) ||
        !ak_add_size(size, sizeof(ak_vector_page), &size))
        return ak_fail_memory(err, SIZE_MAX);
    vector_reading r = {key->group, malloc(size)};
    if (r.page == NULL)
        return ak_fail_memory(err, size);
    r.page->first = first;
    r.page->count = count;
    akidb_status status = ak_base_read(base, read_vectors, &r, err);
    if (status != AKIDB_OK) {
        free(r.page);
        return status;
    }
    return ak_cache_add(base->storage->cache, key, r.page, free, size, held_out, err);
}

/* The page with the vector of a row of a row group, as ak_vector_page. */
akidb_status ak_base_hold_vectors(ak_base *base, const ak_snapshot_rows *rows, size_t group,
                                  size_t row, ak_cached **held_out, akidb_error *err)
{
    size_t first, count;
    *held_out = NULL;
    akidb_status status = ak_snapshot_vector_page(rows, group, row, &first, &count, err);
    if (status != AKIDB_OK)
        return status;
    const ak_cache_key key = {base->of.snapshot_id, group, AKIDB_COLUMN_VECTOR, first};
    *held_out = ak_cache_find(base->storage->cache, &key);
    return *held_out != NULL ? AKIDB_OK : load_vectors(base, &key, first, count, held_out, err);
}

/* ---- documents ------------------------------------------------------------------------------- */

ak_found ak_found_in_small(const akidb_documents *small, size_t row)
{
    akidb_batch batch = akidb_documents_batch(small);
    return (ak_found){
        .id = batch.document_ids[row],
        .external_id = akidb_texts_at(&batch.external_ids, row),
        .metadata = akidb_texts_at(&batch.metadata, row),
        .inserted_at = batch.inserted_at[row],
    };
}

const float *ak_vector_in_page(const ak_vector_page *page, uint32_t dimension, size_t row)
{
    return page->floats + (row - page->first) * dimension;
}

akidb_status ak_found_append(const ak_found *found, akidb_documents *documents, akidb_error *err)
{
    size_t at = documents->rows, d = documents->dimension;
    akidb_status status = ak_documents_reserve(documents, 1, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->external_ids, at, found->external_id, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->metadata, at, found->metadata, err);
    if (status != AKIDB_OK) {
        ak_documents_truncate(documents, at);
        return status;
    }
    documents->document_ids[at] = found->id;
    documents->inserted_at[at] = found->inserted_at;
    memcpy(documents->vectors + at * d, found->vector, d * sizeof(float));
    documents->rows++;
    return AKIDB_OK;
}
