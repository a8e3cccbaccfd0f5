#include "snapshot/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"

static int compare_uuids(const void *a, const void *b)
{
    return akidb_uuid_compare(a, b);
}

static int compare_slices(const void *a, const void *b)
{
    const akidb_slice *left = a, *right = b;
    size_t common = left->size < right->size ? left->size : right->size;
    int order = common == 0 ? 0 : memcmp(left->data, right->data, common);
    if (order != 0)
        return order;
    return (left->size > right->size) - (left->size < right->size);
}

/* A sorted copy of `count` elements of `size` bytes. */
static akidb_status copy_sorted(const void *from, size_t count, size_t size,
                                int (*compare)(const void *, const void *), void *out,
                                akidb_error *err)
{
    if (count == 0)
        return AKIDB_OK;
    void *copy = calloc(count, size);
    if (copy == NULL)
        return ak_fail_memory(err, count);
    memcpy(copy, from, count * size);
    qsort(copy, count, size, compare);
    memcpy(out, &copy, sizeof copy);
    return AKIDB_OK;
}

akidb_status ak_filter_init(ak_filter *filter, const akidb_filter *wanted, akidb_error *err)
{
    *filter = (ak_filter){0};
    akidb_filter *own = &filter->wanted;
    akidb_status status = ak_options_copy(own, sizeof *own, wanted, "akidb_filter", err);
    if (status != AKIDB_OK)
        return status;
    if ((own->columns & ~(unsigned)AKIDB_COLUMNS_ALL) != 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "akidb_filter.columns: expected bits of akidb_column, found %#x",
                       own->columns);
    if ((own->id_count > 0 && own->ids == NULL) ||
        (own->external_id_count > 0 && own->external_ids == NULL))
        return ak_fail(err, AKIDB_E_VALIDATION, "akidb_filter: expected ids, found NULL");
    own->columns = own->columns == 0 ? AKIDB_COLUMNS_ALL : own->columns | AKIDB_COLUMN_DOCUMENT_ID;
    filter->conditional = own->id_count > 0 || own->external_id_count > 0 ||
                          own->inserted_from != NULL || own->inserted_until != NULL;
    status =
        copy_sorted(own->ids, own->id_count, sizeof *own->ids, compare_uuids, &filter->ids, err);
    if (status == AKIDB_OK)
        status = copy_sorted(own->external_ids, own->external_id_count, sizeof *own->external_ids,
                             compare_slices, &filter->external_ids, err);
    if (status != AKIDB_OK)
        ak_filter_free(filter);
    return status;
}

void ak_filter_free(ak_filter *filter)
{
    free(filter->ids);
    free(filter->external_ids);
    *filter = (ak_filter){0};
}

unsigned ak_filter_columns(const ak_filter *filter)
{
    const akidb_filter *wanted = &filter->wanted;
    unsigned columns = wanted->columns;
    if (wanted->external_id_count > 0)
        columns |= AKIDB_COLUMN_EXTERNAL_ID;
    if (wanted->inserted_from != NULL || wanted->inserted_until != NULL)
        columns |= AKIDB_COLUMN_INSERTED_AT;
    return columns;
}

/* ---- row groups ------------------------------------------------------------------------------ */

/* Whether one of the sorted elements lies within [least, most]. */
static bool any_within(const void *sorted, size_t count, size_t size, const void *least,
                       const void *most, int (*compare)(const void *, const void *))
{
    size_t low = 0, high = count; /* the first element that is not below `least` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare((const char *)sorted + middle * size, least) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && compare((const char *)sorted + low * size, most) <= 0;
}

static bool may_be_named(const ak_filter *filter, const akidb_parquet_row_group_bounds *bounds)
{
    const akidb_filter *wanted = &filter->wanted;
    if (wanted->id_count == 0 && wanted->external_id_count == 0)
        return true;
    if (wanted->id_count > 0 &&
        (!bounds->has_document_id ||
         any_within(filter->ids, wanted->id_count, sizeof *filter->ids, &bounds->document_id_min,
                    &bounds->document_id_max, compare_uuids)))
        return true;
    return wanted->external_id_count > 0 &&
           (!bounds->has_external_id ||
            any_within(filter->external_ids, wanted->external_id_count,
                       sizeof *filter->external_ids, &bounds->external_id_min,
                       &bounds->external_id_max, compare_slices));
}

bool ak_filter_may_match(const ak_filter *filter, const akidb_parquet_row_group_bounds *bounds)
{
    const akidb_filter *wanted = &filter->wanted;
    if (bounds->has_inserted_at) {
        if (wanted->inserted_from != NULL && bounds->inserted_at_max < *wanted->inserted_from)
            return false;
        if (wanted->inserted_until != NULL && bounds->inserted_at_min >= *wanted->inserted_until)
            return false;
    }
    return may_be_named(filter, bounds);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static bool is_named(const ak_filter *filter, const akidb_batch *batch, size_t row)
{
    const akidb_filter *wanted = &filter->wanted;
    if (wanted->id_count == 0 && wanted->external_id_count == 0)
        return true;
    if (wanted->id_count > 0 && bsearch(&batch->document_ids[row], filter->ids, wanted->id_count,
                                        sizeof *filter->ids, compare_uuids) != NULL)
        return true;
    if (wanted->external_id_count == 0)
        return false;
    akidb_slice id = akidb_texts_at(&batch->external_ids, row);
    return id.data != NULL && bsearch(&id, filter->external_ids, wanted->external_id_count,
                                      sizeof *filter->external_ids, compare_slices) != NULL;
}

size_t ak_filter_rows(const ak_filter *filter, const akidb_batch *batch, size_t *rows)
{
    const akidb_filter *wanted = &filter->wanted;
    size_t count = 0;
    for (size_t row = 0; row < batch->rows; row++) {
        if (wanted->inserted_from != NULL && batch->inserted_at[row] < *wanted->inserted_from)
            continue;
        if (wanted->inserted_until != NULL && batch->inserted_at[row] >= *wanted->inserted_until)
            continue;
        if (is_named(filter, batch, row))
            rows[count++] = row;
    }
    return count;
}

akidb_batch ak_filter_project(const ak_filter *filter, const akidb_batch *batch)
{
    akidb_batch projected = *batch;
    unsigned columns = filter->wanted.columns;
    if ((columns & AKIDB_COLUMN_EXTERNAL_ID) == 0)
        projected.external_ids = (akidb_texts){0};
    if ((columns & AKIDB_COLUMN_VECTOR) == 0)
        projected.vectors = NULL;
    if ((columns & AKIDB_COLUMN_METADATA) == 0)
        projected.metadata = (akidb_texts){0};
    if ((columns & AKIDB_COLUMN_INSERTED_AT) == 0)
        projected.inserted_at = NULL;
    return projected;
}
