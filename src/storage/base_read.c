/* Documents out of a snapshot where it lies, page by page through the cache. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "document/documents.h"
#include "storage/base.h"
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

static void count_bytes(ak_base *base, uint64_t bytes)
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
        count_bytes(base, ak_snapshot_rows_bytes(*rows_out));
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

/* What is read from one side; on failure nothing may be left of it, since the other side is next.
 */
typedef akidb_status reading(const ak_snapshot_rows *rows, void *context, akidb_error *err);

static akidb_status read_side(ak_base *base, int side, reading *read, void *context,
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

static akidb_status read_base(ak_base *base, reading *read, void *context, akidb_error *err)
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

/* ---- tails and index ------------------------------------------------------------------------- */

static akidb_status note_rows(const ak_snapshot_rows *rows, void *context, akidb_error *err)
{
    const ak_snapshot_rows **to = context;
    (void)err;
    *to = rows;
    return AKIDB_OK;
}

/* What the tails say, of whichever side; it stays as long as the base. */
static akidb_status tails_of(ak_base *base, const ak_snapshot_rows **rows_out, akidb_error *err)
{
    *rows_out = NULL;
    return read_base(base, note_rows, rows_out, err);
}

akidb_status ak_base_in_micros(ak_base *base, bool *result_out, akidb_error *err)
{
    const ak_snapshot_rows *rows;
    akidb_status status = tails_of(base, &rows, err);
    *result_out = status == AKIDB_OK && ak_snapshot_rows_in_micros(rows);
    return status;
}

typedef struct indexing {
    const ak_base *base;
    ak_row_index index;
} indexing;

static akidb_status read_ids(const ak_snapshot_rows *rows, void *context, akidb_error *err)
{
    indexing *i = context;
    akidb_documents *small;
    i->index = (ak_row_index){.hash_seed = i->base->storage->hash_seed};
    akidb_status status = akidb_documents_new(i->base->of.created.dimension, &small, err);
    size_t groups = ak_snapshot_group_count(rows);
    for (size_t group = 0; status == AKIDB_OK && group < groups; group++) {
        akidb_documents_clear(small);
        status = ak_snapshot_read_small(rows, group, small, err);
        akidb_batch batch = akidb_documents_batch(small);
        if (status == AKIDB_OK)
            status = ak_row_index_add(&i->index, &batch, err);
    }
    akidb_documents_free(small);
    if (status == AKIDB_OK)
        status = ak_row_index_finish(&i->index, err);
    if (status != AKIDB_OK)
        ak_row_index_free(&i->index);
    return status;
}

const ak_row_index *ak_base_index(const ak_base *base)
{
    return atomic_load(&base->index);
}

static akidb_status load_index(ak_base *base, akidb_error *err)
{
    indexing i = {.base = base};
    ak_row_index *index = malloc(sizeof *index);
    if (index == NULL)
        return ak_fail_memory(err, sizeof *index);
    akidb_status status = read_base(base, read_ids, &i, err);
    if (status != AKIDB_OK) {
        free(index);
        return status;
    }
    *index = i.index;
    count_bytes(base, ak_row_index_bytes(index));
    atomic_store(&base->index, index);
    return AKIDB_OK;
}

akidb_status ak_base_load_index(ak_base *base, akidb_error *err)
{
    if (ak_base_index(base) != NULL)
        return AKIDB_OK;
    pthread_mutex_lock(&base->indexing);
    akidb_status status = ak_base_index(base) != NULL ? AKIDB_OK : load_index(base, err);
    pthread_mutex_unlock(&base->indexing);
    return status;
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
static akidb_status hold_small(ak_base *base, size_t group, ak_cached **held_out, akidb_error *err)
{
    ak_cache *cache = base->storage->cache;
    const ak_cache_key key = {.snapshot = base->of.snapshot_id, .group = group};
    *held_out = ak_cache_find(cache, &key);
    if (*held_out != NULL)
        return AKIDB_OK;
    small_reading r = {.group = group};
    akidb_status status = akidb_documents_new(base->of.created.dimension, &r.documents, err);
    if (status == AKIDB_OK)
        status = read_base(base, read_small, &r, err);
    if (status != AKIDB_OK) {
        akidb_documents_free(r.documents);
        return status;
    }
    return ak_cache_add(cache, &key, r.documents, free_documents, bytes_of_small(r.documents),
                        held_out, err);
}

/* The values of a page of a small column. */
typedef struct column_page {
    ak_row_span span;
    ak_texts texts;
    int64_t *times;
} column_page;

typedef struct column_reading {
    size_t group, row;
    akidb_column column;
    column_page *page;
} column_reading;

static void free_column_page(void *context)
{
    column_page *page = context;
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

static uint64_t bytes_of_column(const column_page *page)
{
    return sizeof *page + page->texts.offset_capacity * sizeof(uint64_t) +
           page->texts.bytes.capacity +
           (page->times == NULL ? 0 : page->span.count * sizeof *page->times);
}

/* The page of a small column with a row of a row group, as column_page. */
static akidb_status hold_column(ak_base *base, const ak_snapshot_rows *rows, size_t group,
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
    status = read_base(base, read_column, &r, err);
    if (status != AKIDB_OK) {
        free_column_page(r.page);
        return status;
    }
    return ak_cache_add(cache, &key, r.page, free_column_page, bytes_of_column(r.page), held_out,
                        err);
}

typedef struct vector_page {
    size_t first, count;
    float floats[];
} vector_page;

typedef struct vector_reading {
    size_t group;
    vector_page *page;
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
        !ak_add_size(size, sizeof(vector_page), &size))
        return ak_fail_memory(err, SIZE_MAX);
    vector_reading r = {key->group, malloc(size)};
    if (r.page == NULL)
        return ak_fail_memory(err, size);
    r.page->first = first;
    r.page->count = count;
    akidb_status status = read_base(base, read_vectors, &r, err);
    if (status != AKIDB_OK) {
        free(r.page);
        return status;
    }
    return ak_cache_add(base->storage->cache, key, r.page, free, size, held_out, err);
}

/* The page with the vector of a row of a row group, as vector_page. */
static akidb_status hold_vectors(ak_base *base, const ak_snapshot_rows *rows, size_t group,
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

/* One document, of memory that is held. */
typedef struct found {
    akidb_uuid id;
    akidb_slice external_id, metadata;
    int64_t inserted_at;
    const float *vector;
} found;

static akidb_status append(akidb_documents *documents, const found *f, akidb_error *err)
{
    size_t at = documents->rows, d = documents->dimension;
    akidb_status status = ak_documents_reserve(documents, 1, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->external_ids, at, f->external_id, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->metadata, at, f->metadata, err);
    if (status != AKIDB_OK) {
        ak_documents_truncate(documents, at);
        return status;
    }
    documents->document_ids[at] = f->id;
    documents->inserted_at[at] = f->inserted_at;
    memcpy(documents->vectors + at * d, f->vector, d * sizeof(float));
    documents->rows++;
    return AKIDB_OK;
}

/* Appends a document of which all but the vector is found. */
static akidb_status append_with_vector(ak_base *base, const ak_snapshot_rows *rows, size_t group,
                                       size_t row, found *f, akidb_documents *documents,
                                       akidb_error *err)
{
    ak_cached *held;
    akidb_status status = hold_vectors(base, rows, group, row, &held, err);
    if (status != AKIDB_OK)
        return status;
    const vector_page *page = held->value;
    f->vector = page->floats + (row - page->first) * base->of.created.dimension;
    status = append(documents, f, err);
    ak_cache_release(base->storage->cache, held);
    return status;
}

/* Appends the document of a row of a row group, whose small columns are held. */
static akidb_status take(ak_base *base, const ak_snapshot_rows *rows, size_t group, size_t row,
                         const akidb_documents *small, akidb_documents *documents, akidb_error *err)
{
    akidb_batch batch = akidb_documents_batch(small);
    found f = {
        .id = batch.document_ids[row],
        .external_id = akidb_texts_at(&batch.external_ids, row),
        .metadata = akidb_texts_at(&batch.metadata, row),
        .inserted_at = batch.inserted_at[row],
    };
    return append_with_vector(base, rows, group, row, &f, documents, err);
}

static akidb_slice text_in(const ak_cached *held, size_t row)
{
    const column_page *page = held->value;
    akidb_texts texts = ak_texts_view(&page->texts);
    return akidb_texts_at(&texts, row - page->span.first);
}

/* The same, by the page of each column that holds the row; `id` is what the index has of it. */
static akidb_status take_by_pages(ak_base *base, const ak_snapshot_rows *rows, size_t group,
                                  size_t row, const akidb_uuid *id, akidb_documents *documents,
                                  akidb_error *err)
{
    static const akidb_column columns[] = {AKIDB_COLUMN_EXTERNAL_ID, AKIDB_COLUMN_METADATA,
                                           AKIDB_COLUMN_INSERTED_AT};
    enum { COLUMNS = sizeof columns / sizeof columns[0] };
    ak_cached *held[COLUMNS] = {NULL};
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < COLUMNS && status == AKIDB_OK; i++)
        status = hold_column(base, rows, group, columns[i], row, &held[i], err);
    if (status == AKIDB_OK) {
        const column_page *times = held[2]->value;
        found f = {
            .id = *id,
            .external_id = text_in(held[0], row),
            .metadata = text_in(held[1], row),
            .inserted_at = times->times[row - times->span.first],
        };
        status = append_with_vector(base, rows, group, row, &f, documents, err);
    }
    for (size_t i = 0; i < COLUMNS; i++)
        if (held[i] != NULL)
            ak_cache_release(base->storage->cache, held[i]);
    return status;
}

/* Whether a get reads a page of each column, rather than all small columns of a row group by one
 * request. */
static bool reads_pages(const ak_base *base, const ak_snapshot_rows *rows, size_t group)
{
    return ak_base_is_local(base) && ak_snapshot_has_row_pages(rows, group);
}

/* Appends the document of a row that the index knows. */
static akidb_status get_row(ak_base *base, const ak_snapshot_rows *rows, const ak_row_index *index,
                            uint32_t number, akidb_documents *documents, akidb_error *err)
{
    size_t group = ak_snapshot_group_of(rows, number);
    size_t row = (size_t)(number - ak_snapshot_first_row(rows, group));
    ak_cached *held;
    if (reads_pages(base, rows, group))
        return take_by_pages(base, rows, group, row, &index->ids[number], documents, err);
    akidb_status status = hold_small(base, group, &held, err);
    if (status != AKIDB_OK)
        return status;
    status = take(base, rows, group, row, held->value, documents, err);
    ak_cache_release(base->storage->cache, held);
    return status;
}

/* Looks for an id in a row group that may hold it. */
static akidb_status get_from_group(ak_base *base, const ak_snapshot_rows *rows, size_t group,
                                   const akidb_uuid *id, akidb_documents *documents,
                                   bool *found_out, akidb_error *err)
{
    ak_cached *held;
    akidb_status status = hold_small(base, group, &held, err);
    if (status != AKIDB_OK)
        return status;
    const akidb_documents *small = held->value;
    size_t row = 0;
    while (row < small->rows && memcmp(&small->document_ids[row], id, sizeof *id) != 0)
        row++;
    if (row < small->rows)
        status = take(base, rows, group, row, small, documents, err);
    *found_out = status == AKIDB_OK && row < small->rows;
    ak_cache_release(base->storage->cache, held);
    return status;
}

akidb_status ak_base_get(ak_base *base, const akidb_uuid *id, akidb_documents *documents,
                         bool *found_out, akidb_error *err)
{
    const ak_snapshot_rows *rows;
    uint32_t row;
    *found_out = false;
    akidb_status status = tails_of(base, &rows, err);
    if (status == AKIDB_OK && ak_base_is_local(base))
        status = ak_base_load_index(base, err);
    if (status != AKIDB_OK)
        return status;
    const ak_row_index *index = ak_base_index(base);
    if (index != NULL) {
        if (!ak_row_index_find(index, id, &row))
            return AKIDB_OK;
        status = get_row(base, rows, index, row, documents, err);
        *found_out = status == AKIDB_OK;
        return status;
    }
    size_t groups = ak_snapshot_group_count(rows);
    for (size_t group = 0; status == AKIDB_OK && !*found_out && group < groups; group++) {
        bool possible;
        status = ak_snapshot_may_hold_id(rows, group, id, &possible, err);
        if (status == AKIDB_OK && possible)
            status = get_from_group(base, rows, group, id, documents, found_out, err);
    }
    return status;
}

static bool is_same_text(akidb_slice a, akidb_slice b)
{
    return a.data != NULL && a.size == b.size && memcmp(a.data, b.data, b.size) == 0;
}

static bool has_text(const akidb_documents *small, size_t row, akidb_slice text)
{
    akidb_texts texts = ak_texts_view(&small->external_ids);
    return is_same_text(akidb_texts_at(&texts, row), text);
}

/* Appends those of `count` rows of a row group (NULL: of all its rows) that have the text. */
static akidb_status take_matching(ak_base *base, const ak_snapshot_rows *rows, size_t group,
                                  const ak_row_text *candidates, size_t count, akidb_slice text,
                                  akidb_documents *documents, akidb_error *err)
{
    ak_cached *held;
    akidb_status status = hold_small(base, group, &held, err);
    if (status != AKIDB_OK)
        return status;
    const akidb_documents *small = held->value;
    uint64_t first = ak_snapshot_first_row(rows, group);
    if (candidates == NULL)
        count = small->rows;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        size_t row = candidates == NULL ? i : (size_t)(candidates[i].row - first);
        if (has_text(small, row, text))
            status = take(base, rows, group, row, small, documents, err);
    }
    ak_cache_release(base->storage->cache, held);
    return status;
}

/* Appends the document of a row that the index knows, if it has the text. */
static akidb_status take_candidate(ak_base *base, const ak_snapshot_rows *rows,
                                   const ak_row_index *index, uint32_t number, akidb_slice text,
                                   akidb_documents *documents, akidb_error *err)
{
    size_t group = ak_snapshot_group_of(rows, number);
    size_t row = (size_t)(number - ak_snapshot_first_row(rows, group));
    ak_cached *held;
    akidb_status status = hold_column(base, rows, group, AKIDB_COLUMN_EXTERNAL_ID, row, &held, err);
    if (status != AKIDB_OK)
        return status;
    bool has_it = is_same_text(text_in(held, row), text);
    ak_cache_release(base->storage->cache, held);
    return has_it ? take_by_pages(base, rows, group, row, &index->ids[number], documents, err)
                  : AKIDB_OK;
}

static akidb_status get_indexed(ak_base *base, const ak_snapshot_rows *rows,
                                const ak_row_index *index, akidb_slice text,
                                akidb_documents *documents, akidb_error *err)
{
    const ak_row_text *candidates;
    size_t count, done = 0;
    akidb_status status = AKIDB_OK;
    ak_row_index_find_external(index, text, &candidates, &count);
    while (done < count && status == AKIDB_OK) {
        size_t group = ak_snapshot_group_of(rows, candidates[done].row), end = done + 1;
        if (reads_pages(base, rows, group)) {
            status =
                take_candidate(base, rows, index, candidates[done++].row, text, documents, err);
            continue;
        }
        while (end < count && ak_snapshot_group_of(rows, candidates[end].row) == group)
            end++;
        status =
            take_matching(base, rows, group, candidates + done, end - done, text, documents, err);
        done = end;
    }
    return status;
}

akidb_status ak_base_get_external(ak_base *base, akidb_slice text, akidb_documents *documents,
                                  akidb_error *err)
{
    const ak_snapshot_rows *rows;
    akidb_status status = tails_of(base, &rows, err);
    if (status == AKIDB_OK && ak_base_is_local(base))
        status = ak_base_load_index(base, err);
    if (status != AKIDB_OK)
        return status;
    const ak_row_index *index = ak_base_index(base);
    if (index != NULL)
        return get_indexed(base, rows, index, text, documents, err);
    size_t groups = ak_snapshot_group_count(rows);
    for (size_t group = 0; status == AKIDB_OK && group < groups; group++) {
        bool possible;
        status = ak_snapshot_may_hold_external_id(rows, group, text, &possible, err);
        if (status == AKIDB_OK && possible)
            status = take_matching(base, rows, group, NULL, 0, text, documents, err);
    }
    return status;
}
