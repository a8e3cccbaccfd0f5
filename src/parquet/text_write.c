#include "parquet/text_write.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/buffer.h"
#include "base/endian.h"
#include "codec/levels.h"
#include "codec/rle.h"

enum { LENGTH_BYTES = 4 }; /* before each PLAIN BYTE_ARRAY value */

void ak_text_tools_free(ak_text_tools *tools)
{
    free(tools->values);
    free(tools->numbers);
    free(tools->levels);
    free(tools->table);
    free(tools->entries);
}

/* Reserves an array whose type is not void. */
#define RESERVE(array, capacity, wanted, status, err)                                              \
    do {                                                                                           \
        void *reserved = (array);                                                                  \
        (status) = ak_array_reserve(&reserved, &(capacity), (wanted), sizeof *(array), (err));     \
        (array) = reserved;                                                                        \
    } while (0)

/* One column while it is being written. */
typedef struct column {
    ak_chunk *chunk;
    ak_text_tools *tools;
    size_t rows;
    size_t null_count;
    uint64_t plain_bytes; /* of all values, with their lengths */
    uint32_t page_bytes;
    size_t entry_count;
    uint64_t entry_bytes; /* with their lengths */
} column;

static akidb_status collect_values(column *c, const akidb_texts *texts, size_t first,
                                   akidb_error *err)
{
    akidb_status status;
    RESERVE(c->tools->values, c->tools->value_capacity, c->rows, status, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < c->rows; i++) {
        akidb_slice value = akidb_texts_at(texts, first + i);
        c->tools->values[i] = value;
        if (value.data == NULL)
            c->null_count++;
        else
            c->plain_bytes += LENGTH_BYTES + value.size;
    }
    return AKIDB_OK;
}

static void find_bounds(const column *c, ak_text_summary *summary)
{
    const akidb_slice *values = c->tools->values, *min = NULL, *max = NULL;
    for (size_t i = 0; i < c->rows; i++) {
        if (values[i].data == NULL)
            continue;
        if (min == NULL || ak_compare_bytes(values[i], *min) < 0)
            min = &values[i];
        if (max == NULL || ak_compare_bytes(values[i], *max) > 0)
            max = &values[i];
    }
    if (min != NULL) {
        summary->min = ak_bound_below_text(*min);
        summary->max = ak_bound_above_text(*max);
    }
}

/* ---- dictionary ------------------------------------------------------------------------------ */

static bool same_text(akidb_slice a, akidb_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* The number of the value's entry, which is added when it is new. The table has more places than
 * there are values, so the search ends. */
static uint32_t entry_of(column *c, akidb_slice value, size_t table_mask)
{
    ak_text_tools *tools = c->tools;
    size_t place = XXH3_64bits(value.data, value.size) & table_mask;
    for (; tools->table[place] != 0; place = (place + 1) & table_mask)
        if (same_text(tools->entries[tools->table[place] - 1], value))
            return tools->table[place] - 1;
    tools->entries[c->entry_count++] = value;
    tools->table[place] = (uint32_t)c->entry_count;
    c->entry_bytes += LENGTH_BYTES + value.size;
    return (uint32_t)c->entry_count - 1;
}

static unsigned index_width(const column *c)
{
    /* One entry would need no bits, but not every reader takes a width of 0. */
    unsigned width = ak_bit_width((uint32_t)c->entry_count - 1);
    return width > 0 ? width : 1;
}

/* Numbers the values. *pays_out is false when they had better be plain. */
static akidb_status build_dictionary(column *c, bool *pays_out, akidb_error *err)
{
    ak_text_tools *tools = c->tools;
    *pays_out = false;
    size_t count = c->rows - c->null_count;
    if (count < 2 || count > UINT32_MAX / 4)
        return AKIDB_OK;
    size_t table_size = 16;
    while (table_size < 2 * count)
        table_size *= 2;

    akidb_status status;
    RESERVE(tools->numbers, tools->number_capacity, count, status, err);
    if (status == AKIDB_OK)
        RESERVE(tools->entries, tools->entry_capacity, count, status, err);
    if (status == AKIDB_OK)
        RESERVE(tools->table, tools->table_capacity, table_size, status, err);
    if (status != AKIDB_OK)
        return status;
    memset(tools->table, 0, table_size * sizeof *tools->table);

    size_t numbered = 0;
    for (size_t i = 0; i < c->rows; i++) {
        if (tools->values[i].data == NULL)
            continue;
        tools->numbers[numbered++] = entry_of(c, tools->values[i], table_size - 1);
        if (c->entry_bytes > c->page_bytes)
            return AKIDB_OK;
    }
    uint64_t index_bytes = (uint64_t)count * index_width(c) / 8;
    *pays_out = c->entry_bytes + index_bytes < c->plain_bytes - c->plain_bytes / 4;
    return AKIDB_OK;
}

static akidb_status append_plain(akidb_buffer *body, akidb_slice value, akidb_error *err)
{
    uint8_t length[LENGTH_BYTES];
    ak_store_u32(length, (uint32_t)value.size);
    akidb_status status = ak_buffer_append(body, length, sizeof length, err);
    return status != AKIDB_OK ? status : ak_buffer_append(body, value.data, value.size, err);
}

static akidb_status add_dictionary_page(column *c, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < c->entry_count && status == AKIDB_OK; i++)
        status = append_plain(&c->chunk->body, c->tools->entries[i], err);
    if (status != AKIDB_OK)
        return status;
    const ak_page page = {
        .type = AK_PAGE_DICTIONARY,
        .encoding = AK_ENCODING_PLAIN,
        .num_values = (uint32_t)c->entry_count,
        .body_size = c->chunk->body.size,
    };
    return ak_chunk_add_page(c->chunk, &page, err);
}

/* ---- data pages ------------------------------------------------------------------------------ */

/* Definition levels of a V1 page: their length in four bytes, then a hybrid of width 1. */
static akidb_status append_levels(column *c, size_t first, size_t count, size_t nulls,
                                  akidb_error *err)
{
    static const uint8_t length[4] = {0};
    akidb_buffer *body = &c->chunk->body;
    size_t start = body->size;
    akidb_status status = ak_buffer_append(body, length, sizeof length, err);
    if (status != AKIDB_OK)
        return status;
    if (nulls == 0 || nulls == count) {
        status = ak_levels_append_constant(body, count, nulls == 0, err);
    } else {
        RESERVE(c->tools->levels, c->tools->level_capacity, count, status, err);
        if (status != AKIDB_OK)
            return status;
        for (size_t i = 0; i < count; i++)
            c->tools->levels[i] = c->tools->values[first + i].data != NULL;
        status = ak_rle_encode(body, c->tools->levels, count, 1, err);
    }
    if (status == AKIDB_OK)
        ak_store_u32(body->data + start, (uint32_t)(body->size - start - sizeof length));
    return status;
}

/* The values of a page that are not null: plain, or as indices. */
static akidb_status append_values(column *c, bool with_dictionary, size_t first, size_t count,
                                  size_t first_number, size_t numbers, akidb_error *err)
{
    akidb_buffer *body = &c->chunk->body;
    akidb_status status = AKIDB_OK;
    if (with_dictionary) {
        unsigned width = index_width(c);
        status = ak_buffer_put(body, (uint8_t)width, err);
        return status != AKIDB_OK
                   ? status
                   : ak_rle_encode(body, c->tools->numbers + first_number, numbers, width, err);
    }
    for (size_t i = first; i < first + count && status == AKIDB_OK; i++)
        if (c->tools->values[i].data != NULL)
            status = append_plain(body, c->tools->values[i], err);
    return status;
}

/* The rows from `first` on that make a page, one at least, and how many of them are null. */
static size_t rows_of_page(const column *c, bool with_dictionary, size_t first, size_t *nulls_out)
{
    uint64_t bytes = 0;
    size_t row = first;
    *nulls_out = 0;
    for (; row < c->rows; row++) {
        akidb_slice value = c->tools->values[row];
        uint64_t cost = with_dictionary      ? sizeof(uint32_t)
                        : value.data == NULL ? 1
                                             : LENGTH_BYTES + value.size;
        if (row > first && bytes + cost > c->page_bytes)
            break;
        bytes += cost;
        *nulls_out += value.data == NULL;
    }
    return row - first;
}

static akidb_status add_data_pages(column *c, bool with_dictionary, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    size_t first = 0, first_number = 0;
    while (first < c->rows && status == AKIDB_OK) {
        size_t nulls;
        size_t count = rows_of_page(c, with_dictionary, first, &nulls);
        size_t start = c->chunk->body.size;
        status = append_levels(c, first, count, nulls, err);
        if (status == AKIDB_OK)
            status =
                append_values(c, with_dictionary, first, count, first_number, count - nulls, err);
        if (status != AKIDB_OK)
            return status;
        const ak_page page = {
            .type = AK_PAGE_DATA,
            .encoding = with_dictionary ? AK_ENCODING_RLE_DICTIONARY : AK_ENCODING_PLAIN,
            .num_values = (uint32_t)count,
            .first_row = first,
            .body_offset = start,
            .body_size = c->chunk->body.size - start,
        };
        status = ak_chunk_add_page(c->chunk, &page, err);
        first += count;
        first_number += count - nulls;
    }
    return status;
}

akidb_status ak_write_texts(ak_chunk *chunk, ak_text_tools *tools, const akidb_texts *texts,
                            size_t first, size_t rows, bool try_dictionary, uint32_t page_bytes,
                            ak_text_summary *summary_out, akidb_error *err)
{
    column c = {.chunk = chunk, .tools = tools, .rows = rows, .page_bytes = page_bytes};
    *summary_out = (ak_text_summary){0};
    akidb_status status = collect_values(&c, texts, first, err);
    if (status == AKIDB_OK && try_dictionary)
        status = build_dictionary(&c, &summary_out->has_dictionary, err);
    if (status == AKIDB_OK && summary_out->has_dictionary)
        status = add_dictionary_page(&c, err);
    if (status == AKIDB_OK)
        status = add_data_pages(&c, summary_out->has_dictionary, err);
    if (status != AKIDB_OK)
        return status;
    summary_out->null_count = c.null_count;
    find_bounds(&c, summary_out);
    return AKIDB_OK;
}
