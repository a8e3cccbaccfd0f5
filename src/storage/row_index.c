#include "storage/row_index.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"

void ak_row_index_free(ak_row_index *index)
{
    free(index->ids);
    free(index->slots);
    free(index->externals);
    *index = (ak_row_index){0};
}

static uint64_t hash_bytes(const ak_row_index *index, const void *bytes, size_t size)
{
    return XXH3_64bits_withSeed(size == 0 ? "" : bytes, size, index->hash_seed);
}

static akidb_status reserve(ak_row_index *index, size_t rows, akidb_error *err)
{
    void *ids = index->ids, *externals = index->externals;
    akidb_status status =
        ak_array_reserve(&ids, &index->capacity, index->rows + rows, sizeof *index->ids, err);
    index->ids = ids;
    if (status == AKIDB_OK)
        status = ak_array_reserve(&externals, &index->external_capacity,
                                  index->external_count + rows, sizeof *index->externals, err);
    index->externals = externals;
    return status;
}

akidb_status ak_row_index_add(ak_row_index *index, const akidb_batch *batch, akidb_error *err)
{
    if (batch->rows >= UINT32_MAX - index->rows)
        return ak_fail(err, AKIDB_E_LIMIT,
                       "expected a snapshot of fewer than %u documents, to index them, found more",
                       UINT32_MAX);
    akidb_status status = reserve(index, batch->rows, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < batch->rows; i++) {
        akidb_slice text = akidb_texts_at(&batch->external_ids, i);
        if (text.data != NULL)
            index->externals[index->external_count++] = (ak_row_text){
                (uint32_t)hash_bytes(index, text.data, text.size), (uint32_t)index->rows};
        index->ids[index->rows++] = batch->document_ids[i];
    }
    return AKIDB_OK;
}

static int compare_texts(const void *a, const void *b)
{
    const ak_row_text *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

/* Gives back what the arrays grew too much; they stay as they are where that fails. */
static void trim(ak_row_index *index)
{
    void *ids = realloc(index->ids, (index->rows + 1) * sizeof *index->ids);
    if (ids != NULL) {
        index->ids = ids;
        index->capacity = index->rows + 1;
    }
    void *externals =
        realloc(index->externals, (index->external_count + 1) * sizeof *index->externals);
    if (externals != NULL) {
        index->externals = externals;
        index->external_capacity = index->external_count + 1;
    }
}

akidb_status ak_row_index_finish(ak_row_index *index, akidb_error *err)
{
    size_t wanted, slots = 2;
    if (!ak_add_size(index->rows, index->rows / 2, &wanted)) /* at most two thirds full */
        return ak_fail_memory(err, SIZE_MAX);
    while (slots <= wanted)
        slots *= 2; /* rows are fewer than 2^32 */
    index->slots = calloc(slots, sizeof *index->slots);
    if (index->slots == NULL)
        return ak_fail_memory(err, slots * sizeof *index->slots);
    index->slot_count = slots;
    for (size_t row = 0; row < index->rows; row++) {
        size_t at = (size_t)hash_bytes(index, &index->ids[row], sizeof *index->ids) & (slots - 1);
        while (index->slots[at] != 0)
            at = (at + 1) & (slots - 1);
        index->slots[at] = (uint32_t)row + 1;
    }
    if (index->external_count > 0)
        qsort(index->externals, index->external_count, sizeof *index->externals, compare_texts);
    trim(index);
    return AKIDB_OK;
}

uint64_t ak_row_index_bytes(const ak_row_index *index)
{
    return index->capacity * sizeof *index->ids + index->slot_count * sizeof *index->slots +
           index->external_capacity * sizeof *index->externals;
}

bool ak_row_index_find(const ak_row_index *index, const akidb_uuid *id, uint32_t *row_out)
{
    size_t mask = index->slot_count - 1;
    size_t at = (size_t)hash_bytes(index, id, sizeof *id) & mask;
    for (; index->slots[at] != 0; at = (at + 1) & mask) {
        *row_out = index->slots[at] - 1;
        if (memcmp(&index->ids[*row_out], id, sizeof *id) == 0)
            return true;
    }
    return false;
}

void ak_row_index_find_external(const ak_row_index *index, akidb_slice text,
                                const ak_row_text **first_out, size_t *count_out)
{
    uint32_t hash = (uint32_t)hash_bytes(index, text.data, text.size);
    size_t low = 0, high = index->external_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (index->externals[middle].hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    *first_out = index->externals + low;
    *count_out = 0;
    while (low + *count_out < index->external_count &&
           index->externals[low + *count_out].hash == hash)
        ++*count_out;
}
