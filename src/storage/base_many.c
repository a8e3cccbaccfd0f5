/* Many documents out of a snapshot that the store serves: the row groups that may have them side by
 * side, and in each the pages of vectors side by side. What is held at one time is the small
 * columns and a page of vectors for each thread. */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "storage/base_pages.h"
#include "storage/storage.h"

/* Threads of a storage that fetch, beside those that call. */
enum { READERS = 16 };

/* A place where an id is looked for. */
typedef struct wanted {
    akidb_uuid id;
    size_t number; /* of the id in the call */
    size_t group;
    size_t row; /* of the row group; SIZE_MAX: not known, or not there */
} wanted;

typedef struct many {
    ak_base *base;
    const ak_snapshot_rows *rows;
    const ak_row_index *index; /* NULL: not loaded when the call began */
    ak_pool *pool;             /* NULL: there is no memory for one */
    wanted *wanted;
    size_t count, capacity;
    size_t *starts; /* of each row group's part of `wanted`, and the end */
    size_t group_count;
    pthread_mutex_t lock; /* of both below */
    akidb_documents *documents;
    size_t *places;
} many;

/* The part of a row group. */
typedef struct group_part {
    many *all;
    const akidb_documents *small;
    wanted *wanted; /* in the order of the rows */
    size_t *starts; /* of each page's part of `wanted`, and the end */
} group_part;

static ak_pool *readers_of(akidb_storage *storage)
{
    ak_pool *pool = atomic_load(&storage->readers), *before = NULL;
    if (pool != NULL || ak_pool_new(READERS, &pool, NULL) != AKIDB_OK)
        return pool;
    if (atomic_compare_exchange_strong(&storage->readers, &before, pool))
        return pool;
    ak_pool_free(pool);
    return before;
}

/* ---- what is wanted -------------------------------------------------------------------------- */

static akidb_status add_wanted(many *m, const wanted *w, akidb_error *err)
{
    enum { CAPACITY_MIN = 16 };
    if (m->count == m->capacity) {
        size_t capacity = m->capacity == 0 ? CAPACITY_MIN : m->capacity, size;
        if (!ak_mul_size(capacity, 2, &capacity) || !ak_mul_size(capacity, sizeof *w, &size))
            return ak_fail_memory(err, SIZE_MAX);
        wanted *grown = realloc(m->wanted, size);
        if (grown == NULL)
            return ak_fail_memory(err, size);
        m->wanted = grown;
        m->capacity = capacity;
    }
    m->wanted[m->count++] = *w;
    return AKIDB_OK;
}

/* By the index, when it is loaded; else each row group that may have the id. */
static akidb_status look_for(many *m, const akidb_uuid *id, size_t number, akidb_error *err)
{
    wanted w = {.id = *id, .number = number, .row = SIZE_MAX};
    uint32_t row;
    if (m->index != NULL) {
        if (!ak_row_index_find(m->index, id, &row))
            return AKIDB_OK;
        w.group = ak_snapshot_group_of(m->rows, row);
        w.row = (size_t)(row - ak_snapshot_first_row(m->rows, w.group));
        return add_wanted(m, &w, err);
    }
    akidb_status status = AKIDB_OK;
    size_t groups = ak_snapshot_group_count(m->rows);
    for (; status == AKIDB_OK && w.group < groups; w.group++) {
        bool possible;
        status = ak_snapshot_may_hold_id(m->rows, w.group, id, &possible, err);
        if (status == AKIDB_OK && possible)
            status = add_wanted(m, &w, err);
    }
    return status;
}

static int compare(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_groups(const void *a, const void *b)
{
    const wanted *first = a, *second = b;
    int order = compare(first->group, second->group);
    return order != 0 ? order : akidb_uuid_compare(&first->id, &second->id);
}

static int compare_rows(const void *a, const void *b)
{
    const wanted *first = a, *second = b;
    return compare(first->row, second->row);
}

static akidb_status list_groups(many *m, akidb_error *err)
{
    qsort(m->wanted, m->count, sizeof *m->wanted, compare_groups);
    m->starts = calloc(m->count + 1, sizeof *m->starts);
    if (m->starts == NULL)
        return ak_fail_memory(err, (m->count + 1) * sizeof *m->starts);
    for (size_t i = 0; i < m->count; i++)
        if (i == 0 || m->wanted[i].group != m->wanted[i - 1].group)
            m->starts[m->group_count++] = i;
    m->starts[m->group_count] = m->count;
    return AKIDB_OK;
}

/* ---- a row group ----------------------------------------------------------------------------- */

/* Appends the documents of one page of vectors. */
static akidb_status take_page(void *context, size_t index, akidb_error *err)
{
    const group_part *part = context;
    many *m = part->all;
    const wanted *w = part->wanted + part->starts[index],
                 *end = part->wanted + part->starts[index + 1];
    ak_cached *held;
    akidb_status status = ak_base_hold_vectors(m->base, m->rows, w->group, w->row, &held, err);
    if (status != AKIDB_OK)
        return status;
    pthread_mutex_lock(&m->lock);
    for (; w < end && status == AKIDB_OK; w++) {
        ak_found found = ak_found_in_small(part->small, w->row);
        found.vector = ak_vector_in_page(held->value, m->base->of.created.dimension, w->row);
        m->places[w->number] = m->documents->rows;
        status = ak_found_append(&found, m->documents, err);
    }
    pthread_mutex_unlock(&m->lock);
    ak_cache_release(m->base->storage->cache, held);
    return status;
}

/* Sets the rows of the ids that are there; `w` is in the order of the ids, which may repeat. */
static void find_rows(const akidb_documents *small, wanted *w, size_t count)
{
    for (size_t row = 0; row < small->rows; row++) {
        const akidb_uuid *id = &small->document_ids[row];
        size_t low = 0, high = count;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (akidb_uuid_compare(&w[middle].id, id) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        for (; low < count && akidb_uuid_compare(&w[low].id, id) == 0; low++)
            w[low].row = row;
    }
}

/* Tells the pages that the rows lie in; they end with the rows that are not there. */
static akidb_status list_pages(const many *m, const wanted *w, size_t count, size_t *starts,
                               size_t *pages_out, akidb_error *err)
{
    size_t pages = 0, at = 0, end = 0;
    for (; at < count && w[at].row != SIZE_MAX; at++) {
        size_t first, rows;
        if (at > 0 && w[at].row < end)
            continue;
        akidb_status status =
            ak_snapshot_vector_page(m->rows, w[at].group, w[at].row, &first, &rows, err);
        if (status != AKIDB_OK)
            return status;
        end = first + rows;
        starts[pages++] = at;
    }
    starts[pages] = at;
    *pages_out = pages;
    return AKIDB_OK;
}

static akidb_status take_rows(many *m, const akidb_documents *small, wanted *w, size_t count,
                              akidb_error *err)
{
    group_part part = {m, small, w, calloc(count + 1, sizeof *part.starts)};
    size_t pages;
    if (part.starts == NULL)
        return ak_fail_memory(err, (count + 1) * sizeof *part.starts);
    if (m->index == NULL)
        find_rows(small, w, count);
    qsort(w, count, sizeof *w, compare_rows);
    akidb_status status = list_pages(m, w, count, part.starts, &pages, err);
    if (status == AKIDB_OK)
        status = ak_pool_run_indexed(m->pool, pages, take_page, &part, err);
    free(part.starts);
    return status;
}

static akidb_status take_group(void *context, size_t index, akidb_error *err)
{
    many *m = context;
    wanted *w = m->wanted + m->starts[index];
    ak_cached *held;
    akidb_status status = ak_base_hold_small(m->base, w->group, &held, err);
    if (status != AKIDB_OK)
        return status;
    status = take_rows(m, held->value, w, m->starts[index + 1] - m->starts[index], err);
    ak_cache_release(m->base->storage->cache, held);
    return status;
}

akidb_status ak_base_get_many(ak_base *base, const akidb_uuid *ids, size_t count,
                              akidb_documents *documents, size_t *places_out, akidb_error *err)
{
    many m = {
        .base = base, .index = ak_base_index(base), .documents = documents, .places = places_out};
    for (size_t i = 0; i < count; i++)
        places_out[i] = SIZE_MAX;
    akidb_status status = ak_base_tails(base, &m.rows, err);
    for (size_t i = 0; status == AKIDB_OK && i < count; i++)
        status = look_for(&m, &ids[i], i, err);
    if (status == AKIDB_OK && m.count > 0)
        status = list_groups(&m, err);
    if (status == AKIDB_OK && m.count > 0) {
        m.pool = readers_of(base->storage);
        pthread_mutex_init(&m.lock, NULL);
        status = ak_pool_run_indexed(m.pool, m.group_count, take_group, &m, err);
        pthread_mutex_destroy(&m.lock);
    }
    free(m.wanted);
    free(m.starts);
    return status;
}
