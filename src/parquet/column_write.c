#include "parquet/column_write.h"

#include <string.h>

#include "base/buffer.h"
#include "base/endian.h"
#include "codec/levels.h"

static size_t rows_of_page(size_t rows_left, size_t row_bytes, uint32_t page_bytes)
{
    size_t rows = page_bytes / row_bytes;
    if (rows == 0)
        rows = 1;
    return rows < rows_left ? rows : rows_left;
}

/* Pages over a body that holds `rows` values of the same size and nothing else: a required column
 * outside a list has no levels. */
static akidb_status add_pages(ak_chunk *chunk, size_t rows, size_t row_bytes, uint32_t page_bytes,
                              akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    size_t first = 0;
    while (first < rows && status == AKIDB_OK) {
        size_t count = rows_of_page(rows - first, row_bytes, page_bytes);
        const ak_page page = {
            .type = AK_PAGE_DATA,
            .encoding = AK_ENCODING_PLAIN,
            .num_values = (uint32_t)count,
            .first_row = first,
            .body_offset = first * row_bytes,
            .body_size = count * row_bytes,
        };
        status = ak_chunk_add_page(chunk, &page, err);
        first += count;
    }
    return status;
}

akidb_status ak_write_document_ids(ak_chunk *chunk, const akidb_uuid *ids, size_t rows,
                                   uint32_t page_bytes, akidb_error *err)
{
    enum { ROW = 4 + sizeof(akidb_uuid) };
    akidb_status status = ak_buffer_reserve(&chunk->body, rows * ROW, err);
    if (status != AKIDB_OK)
        return status;
    uint8_t *at = chunk->body.data;
    for (size_t i = 0; i < rows; i++, at += ROW) {
        ak_store_u32(at, sizeof ids[i].bytes);
        memcpy(at + 4, ids[i].bytes, sizeof ids[i].bytes);
    }
    chunk->body.size = rows * ROW;
    return add_pages(chunk, rows, ROW, page_bytes, err);
}

akidb_status ak_write_dimension(ak_chunk *chunk, uint32_t dimension, size_t rows,
                                uint32_t page_bytes, akidb_error *err)
{
    enum { ROW = sizeof dimension };
    akidb_status status = ak_buffer_reserve(&chunk->body, rows * ROW, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < rows; i++)
        ak_store_u32(chunk->body.data + i * ROW, dimension);
    chunk->body.size = rows * ROW;
    return add_pages(chunk, rows, ROW, page_bytes, err);
}

akidb_status ak_write_times(ak_chunk *chunk, const int64_t *times, size_t rows, int64_t divisor,
                            uint32_t page_bytes, akidb_error *err)
{
    enum { ROW = sizeof times[0] };
    akidb_status status = ak_buffer_reserve(&chunk->body, rows * ROW, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < rows; i++)
        ak_store_u64(chunk->body.data + i * ROW, (uint64_t)(times[i] / divisor));
    chunk->body.size = rows * ROW;
    return add_pages(chunk, rows, ROW, page_bytes, err);
}

/* One stream of levels in a V1 page: its length in four bytes, then the hybrid. */
static akidb_status append_vector_levels(akidb_buffer *body, size_t rows, uint32_t dimension,
                                         akidb_error *err)
{
    static const uint8_t length[4] = {0};
    size_t start = body->size;
    akidb_status status = ak_buffer_append(body, length, sizeof length, err);
    if (status == AKIDB_OK)
        status = ak_levels_append_fixed_repetition(body, rows, dimension, err);
    if (status != AKIDB_OK)
        return status;
    ak_store_u32(body->data + start, (uint32_t)(body->size - start - sizeof length));

    start = body->size;
    status = ak_buffer_append(body, length, sizeof length, err);
    if (status == AKIDB_OK)
        status = ak_levels_append_constant(body, (uint64_t)rows * dimension, 1, err);
    if (status == AKIDB_OK)
        ak_store_u32(body->data + start, (uint32_t)(body->size - start - sizeof length));
    return status;
}

akidb_status ak_write_vectors(ak_chunk *chunk, const float *vectors, size_t rows,
                              uint32_t dimension, int encoding, uint32_t page_bytes,
                              akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    size_t levels_rows = 0; /* for which the levels at the body's end were written */
    size_t levels = 0;
    size_t first = 0;
    while (first < rows && status == AKIDB_OK) {
        size_t count = rows_of_page(rows - first, (size_t)dimension * sizeof(float), page_bytes);
        if (count != levels_rows) {
            levels = chunk->body.size;
            levels_rows = count;
            status = append_vector_levels(&chunk->body, count, dimension, err);
            if (status != AKIDB_OK)
                return status;
        }
        const ak_page page = {
            .type = AK_PAGE_DATA,
            .encoding = encoding,
            .num_values = (uint32_t)(count * dimension),
            .first_row = first,
            .body_offset = levels,
            .body_size = chunk->body.size - levels,
            .floats = vectors + first * dimension,
            .float_count = count * dimension,
        };
        status = ak_chunk_add_page(chunk, &page, err);
        first += count;
    }
    return status;
}
