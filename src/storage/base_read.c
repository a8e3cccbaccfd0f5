/* The index of a snapshot, and single documents out of it. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "storage/base_pages.h"
#include "storage/storage.h"

/* ---- tails and index ------------------------------------------------------------------------- */

akidb_status ak_base_in_micros(ak_base *base, bool *result_out, akidb_error *err)
{
    const ak_snapshot_rows *rows;
    akidb_status status = ak_base_tails(base, &rows, err);
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
    akidb_status status = ak_base_read(base, read_ids, &i, err);
    if (status != AKIDB_OK) {
        free(index);
        return status;
    }
    *index = i.index;
    ak_base_count_bytes(base, ak_row_index_bytes(index));
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

/* ---- documents ------------------------------------------------------------------------------- */

/* Appends a document of which all but the vector is found. */
static akidb_status append_with_vector(ak_base *base, const ak_snapshot_rows *rows, size_t group,
                                       size_t row, ak_found *f, akidb_documents *documents,
                                       akidb_error *err)
{
    ak_cached *held;
    akidb_status status = ak_base_hold_vectors(base, rows, group, row, &held, err);
    if (status != AKIDB_OK)
        return status;
    f->vector = ak_vector_in_page(held->value, base->of.created.dimension, row);
    status = ak_found_append(f, documents, err);
    ak_cache_release(base->storage->cache, held);
    return status;
}

/* Appends the document of a row of a row group, whose small columns are held. */
static akidb_status take(ak_base *base, const ak_snapshot_rows *rows, size_t group, size_t row,
                         const akidb_documents *small, akidb_documents *documents, akidb_error *err)
{
    ak_found f = ak_found_in_small(small, row);
    return append_with_vector(base, rows, group, row, &f, documents, err);
}

static akidb_slice text_in(const ak_cached *held, size_t row)
{
    const ak_column_page *page = held->value;
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
        status = ak_base_hold_column(base, rows, group, columns[i], row, &held[i], err);
    if (status == AKIDB_OK) {
        const ak_column_page *times = held[2]->value;
        ak_found f = {
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
    akidb_status status = ak_base_hold_small(base, group, &held, err);
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
    akidb_status status = ak_base_hold_small(base, group, &held, err);
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
    akidb_status status = ak_base_tails(base, &rows, err);
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
    akidb_status status = ak_base_hold_small(base, group, &held, err);
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
    akidb_status status =
        ak_base_hold_column(base, rows, group, AKIDB_COLUMN_EXTERNAL_ID, row, &held, err);
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
    akidb_status status = ak_base_tails(base, &rows, err);
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
