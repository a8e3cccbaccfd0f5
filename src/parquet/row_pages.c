#include "parquet/row_pages.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "parquet/again.h"
#include "parquet/column_read.h"
#include "parquet/vector_pages.h"

/* ---- where they lie -------------------------------------------------------------------------- */

static const ak_file_leaf *leaf_of(const akidb_parquet_reader *reader, akidb_column column)
{
    switch (column) {
    case AKIDB_COLUMN_EXTERNAL_ID: return reader->columns.external_id;
    case AKIDB_COLUMN_METADATA: return reader->columns.metadata;
    default: return reader->columns.inserted_at;
    }
}

bool ak_parquet_has_row_pages(const akidb_parquet_reader *reader, size_t group)
{
    static const akidb_column columns[] = {AKIDB_COLUMN_EXTERNAL_ID, AKIDB_COLUMN_METADATA,
                                           AKIDB_COLUMN_INSERTED_AT};
    if (reader->columns.document_id == NULL || reader->columns.has_other_ids)
        return false;
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        const ak_file_leaf *leaf = leaf_of(reader, columns[i]);
        if (leaf == NULL)
            return false;
        const ak_column_chunk *chunk = ak_reader_chunk(reader, group, leaf);
        if (chunk->offset_index_offset == 0 || !ak_codec_can_read(chunk->codec))
            return false;
    }
    return reader->tail.size > 0;
}

static ak_row_page whole_chunk(const akidb_parquet_reader *reader, size_t group,
                               const ak_file_leaf *leaf)
{
    const ak_extent *extent = ak_reader_extent(reader, group, leaf);
    return (ak_row_page){extent->offset, (size_t)extent->size, 0,
                         (size_t)ak_reader_rows(reader, group)};
}

static ak_row_page page_with(const ak_page_list *list, size_t row, uint64_t rows)
{
    size_t low = 0, high = list->count;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if ((uint64_t)list->pages[middle].first_row_index <= row)
            low = middle;
        else
            high = middle;
    }
    const ak_page_location *page = &list->pages[low];
    size_t first = (size_t)page->first_row_index;
    return (ak_row_page){(uint64_t)page->offset, (size_t)page->compressed_page_size, first,
                         (size_t)ak_page_list_end(list, low, rows) - first};
}

akidb_status ak_parquet_find_row_page(const akidb_parquet_reader *reader, size_t group,
                                      akidb_column column, size_t row, ak_row_page *page_out,
                                      akidb_error *err)
{
    const ak_file_leaf *leaf = leaf_of(reader, column);
    uint64_t rows = ak_reader_rows(reader, group);
    ak_arena *arena;
    ak_page_list list;
    *page_out = (ak_row_page){0};
    if (row >= rows)
        return ak_fail(err, AKIDB_E_VALIDATION, "row %zu: expected one of row group %zu", row,
                       group);
    if (ak_reader_chunk(reader, group, leaf)->dictionary_page_offset != 0) {
        *page_out = whole_chunk(reader, group, leaf);
        return AKIDB_OK;
    }
    akidb_status status = ak_arena_new(&arena, err);
    if (status == AKIDB_OK)
        status = ak_column_pages_read(reader, group, leaf, arena, &list, err);
    if (status == AKIDB_OK)
        *page_out = page_with(&list, row, rows);
    ak_arena_free(arena);
    return status;
}

/* ---- their values ---------------------------------------------------------------------------- */

typedef struct reading {
    const akidb_parquet_reader *reader;
    size_t group;
    akidb_column column;
    const ak_row_page *page;
    akidb_buffer bytes;
    ak_texts texts;
    int64_t *times;
} reading;

/* The most bytes that the page may stand for: as the reader of whole row groups has it for a file
 * whose summary was recorded. */
static uint64_t most_of(size_t size)
{
    const uint64_t per_byte = UINT64_C(1) << 20, more = UINT64_C(64) << 20;
    uint64_t most;
    return ak_mul_u64(size, per_byte, &most) && ak_add_u64(most, more, &most) ? most : UINT64_MAX;
}

/* Nothing else vouches for these bytes than the checksums of their pages. */
static akidb_status check_headers(const reading *r, akidb_error *err)
{
    const akidb_parquet_reader *reader = r->reader;
    ak_place place = {reader->input->name, leaf_of(reader, r->column)->column, -1, -1};
    for (size_t at = 0; at < r->bytes.size;) {
        akidb_slice left = {r->bytes.data + at, r->bytes.size - at};
        ak_page_header header;
        size_t used;
        place.offset = (int64_t)(r->page->offset + at);
        akidb_status status = ak_page_header_read(left, reader->input->name, r->page->offset + at,
                                                  &header, &used, err);
        if (status != AKIDB_OK)
            return status;
        if (!header.has_crc || header.compressed_size < 0 ||
            (size_t)header.compressed_size > left.size - used)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, place,
                              "expected a page of at most %zu bytes with a checksum, found one of "
                              "%d bytes%s",
                              left.size - used, (int)header.compressed_size,
                              header.has_crc ? "" : " without one");
        at += used + (size_t)header.compressed_size;
    }
    return AKIDB_OK;
}

static akidb_status reserve_times(reading *r, akidb_error *err)
{
    size_t size;
    if (!ak_mul_size(r->page->count, sizeof *r->times, &size) || size > most_of(r->page->size))
        return ak_fail(err, AKIDB_E_LIMIT,
                       "expected a page of %zu bytes to hold fewer than %zu times", r->page->size,
                       r->page->count);
    free(r->times);
    r->times = malloc(size);
    return r->times == NULL ? ak_fail_memory(err, size) : AKIDB_OK;
}

/* The page as if it were a chunk of its own: the offset index has it that rows do not span pages.
 */
static akidb_status decode(reading *r, akidb_error *err)
{
    const akidb_parquet_reader *reader = r->reader;
    const ak_file_leaf *leaf = leaf_of(reader, r->column);
    ak_column_chunk info = *ak_reader_chunk(reader, r->group, leaf);
    info.num_values = (int64_t)r->page->count;
    const ak_chunk chunk = {
        .file = reader->input->name,
        .leaf = leaf,
        .info = &info,
        .bytes = {r->bytes.data, r->bytes.size},
        .offset = r->page->offset,
        .first_row = reader->first_rows[r->group] + r->page->first,
        .rows = r->page->count,
        .max_page_bytes = reader->options.max_page_bytes,
    };
    uint64_t bytes_left = most_of(r->page->size);
    ak_decoding decoding;
    akidb_status status = AKIDB_OK;
    if (r->column == AKIDB_COLUMN_INSERTED_AT)
        status = reserve_times(r, err);
    if (status == AKIDB_OK)
        status = ak_decoding_new(&decoding, err);
    if (status != AKIDB_OK)
        return status;
    if (r->column == AKIDB_COLUMN_INSERTED_AT)
        status = ak_read_times(&decoding, &chunk, r->times, err);
    else
        status = ak_read_texts(&decoding, &chunk, &bytes_left, &r->texts, err);
    ak_decoding_free(&decoding);
    return status;
}

/* An ak_read_function. */
static akidb_status read_page(void *context, akidb_error *err)
{
    reading *r = context;
    r->bytes.size = 0;
    ak_texts_truncate(&r->texts, 0);
    akidb_status status = ak_buffer_reserve(&r->bytes, r->page->size, err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(r->reader->input, r->page->offset, r->bytes.data,
                                     r->page->size, err);
    if (status != AKIDB_OK)
        return status;
    r->bytes.size = r->page->size;
    status = check_headers(r, err);
    return status == AKIDB_OK ? decode(r, err) : status;
}

akidb_status ak_parquet_read_row_page(const akidb_parquet_reader *reader, size_t group,
                                      akidb_column column, const ak_row_page *page,
                                      ak_texts *texts_out, int64_t **times_out, akidb_error *err)
{
    reading r = {.reader = reader, .group = group, .column = column, .page = page};
    akidb_error own = {0};
    *texts_out = (ak_texts){0};
    *times_out = NULL;
    akidb_status status = ak_read_again(read_page, &r, reader->options.hooks, &own);
    akidb_buffer_free(&r.bytes);
    if (status != AKIDB_OK) {
        if (err != NULL)
            *err = own;
        ak_texts_free(&r.texts);
        free(r.times);
        return status;
    }
    *texts_out = r.texts;
    *times_out = r.times;
    return AKIDB_OK;
}
