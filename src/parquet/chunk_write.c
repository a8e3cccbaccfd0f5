#include "parquet/chunk_write.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/error.h"
#include "codec/split.h"

void ak_chunk_clear(ak_chunk *chunk)
{
    chunk->page_count = 0;
    chunk->location_count = 0;
    chunk->body.size = 0;
    chunk->headers.size = 0;
    chunk->packed.size = 0;
}

void ak_chunk_free(ak_chunk *chunk)
{
    free(chunk->pages);
    free(chunk->locations);
    akidb_buffer_free(&chunk->body);
    akidb_buffer_free(&chunk->headers);
    akidb_buffer_free(&chunk->packed);
}

akidb_status ak_chunk_add_page(ak_chunk *chunk, const ak_page *page, akidb_error *err)
{
    void *pages = chunk->pages;
    akidb_status status = ak_array_reserve(&pages, &chunk->page_capacity, chunk->page_count + 1,
                                           sizeof *chunk->pages, err);
    chunk->pages = pages;
    if (status == AKIDB_OK)
        chunk->pages[chunk->page_count++] = *page;
    return status;
}

static size_t raw_size(const ak_page *page)
{
    return page->body_size + page->float_count * sizeof(float);
}

static bool is_split(const ak_page *page)
{
    return page->encoding == AK_ENCODING_BYTE_STREAM_SPLIT;
}

/* Appends the page's floats, split, to `bytes`. */
static akidb_status append_split(const ak_page *page, akidb_buffer *bytes, akidb_error *err)
{
    size_t size = page->float_count * sizeof(float);
    akidb_status status = ak_buffer_reserve(bytes, size, err);
    if (status != AKIDB_OK)
        return status;
    ak_split_encode(page->floats, page->float_count, sizeof(float), bytes->data + bytes->size);
    bytes->size += size;
    return AKIDB_OK;
}

/* Splits the floats to where the levels lie already: codecs want one piece, and would copy two. */
static akidb_status compress_split_page(ak_chunk *chunk, const ak_page *page, ak_chunk_tools *tools,
                                        akidb_error *err)
{
    akidb_buffer *whole = &tools->split;
    whole->size = 0;
    akidb_status status = ak_buffer_reserve(whole, raw_size(page), err);
    if (status == AKIDB_OK)
        status =
            ak_buffer_append(whole, chunk->body.data + page->body_offset, page->body_size, err);
    if (status == AKIDB_OK)
        status = append_split(page, whole, err);
    if (status == AKIDB_OK)
        status =
            ak_compress_split_floats(tools->compressor, (akidb_slice){whole->data, whole->size},
                                     page->body_size, &chunk->packed, err);
    return status;
}

static akidb_status compress_page(ak_chunk *chunk, ak_page *page, ak_chunk_tools *tools,
                                  akidb_error *err)
{
    const akidb_slice slices[] = {
        {chunk->body.data + page->body_offset, page->body_size},
        {page->floats, page->float_count * sizeof(float)},
    };
    size_t count = page->float_count > 0 ? 2 : 1;
    page->packed_offset = chunk->packed.size;
    akidb_status status = is_split(page)
                              ? compress_split_page(chunk, page, tools, err)
                              : ak_compress(tools->compressor, slices, count, &chunk->packed, err);
    if (status == AKIDB_OK)
        page->packed_size = chunk->packed.size - page->packed_offset;
    return status;
}

/* Levels shrink to nearly nothing, which for short vectors would look like a gain: so the page is
 * compared with its floats alone. A reader takes uncompressed floats without touching each. */
static bool sample_shrinks(const ak_page *page)
{
    size_t floats = page->float_count * sizeof(float);
    return page->packed_size <= floats - floats / 50;
}

/* Compresses the pages as long as that seems to pay; *pays_out is the verdict. */
static akidb_status try_compression(ak_chunk *chunk, ak_chunk_tools *tools, bool by_sample,
                                    bool *pays_out, akidb_error *err)
{
    *pays_out = false;
    uint64_t raw = 0;
    for (size_t i = 0; i < chunk->page_count; i++) {
        ak_page *page = &chunk->pages[i];
        akidb_status status = compress_page(chunk, page, tools, err);
        if (status != AKIDB_OK)
            return status;
        /* A page that grew past what a header can hold cannot be written compressed. */
        if (page->packed_size > INT32_MAX)
            return AKIDB_OK;
        raw += raw_size(page);
        if (i == 0 && by_sample && !sample_shrinks(page))
            return AKIDB_OK;
    }
    *pays_out = chunk->packed.size < raw;
    return AKIDB_OK;
}

static akidb_status split_pages(ak_chunk *chunk, akidb_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < chunk->page_count; i++)
        if (is_split(&chunk->pages[i]))
            total += chunk->pages[i].float_count * sizeof(float);
    akidb_status status = total > 0 ? ak_buffer_reserve(&chunk->packed, total, err) : AKIDB_OK;
    for (size_t i = 0; i < chunk->page_count && status == AKIDB_OK; i++) {
        ak_page *page = &chunk->pages[i];
        if (!is_split(page))
            continue;
        page->packed_offset = chunk->packed.size;
        status = append_split(page, &chunk->packed, err);
        page->packed_size = chunk->packed.size - page->packed_offset;
    }
    return status;
}

/* The page's bytes in the file after its header. Returns the number of slices. */
static size_t page_slices(const ak_chunk *chunk, const ak_page *page, akidb_slice slices_out[2])
{
    if (chunk->is_compressed) {
        slices_out[0] = (akidb_slice){chunk->packed.data + page->packed_offset, page->packed_size};
        return 1;
    }
    slices_out[0] = (akidb_slice){chunk->body.data + page->body_offset, page->body_size};
    if (page->float_count == 0)
        return 1;
    const void *floats =
        is_split(page) ? (const void *)(chunk->packed.data + page->packed_offset) : page->floats;
    slices_out[1] = (akidb_slice){floats, page->float_count * sizeof(float)};
    return 2;
}

static akidb_status add_location(ak_chunk *chunk, const ak_page *page, uint64_t size,
                                 akidb_error *err)
{
    void *locations = chunk->locations;
    akidb_status status =
        ak_array_reserve(&locations, &chunk->location_capacity, chunk->location_count + 1,
                         sizeof *chunk->locations, err);
    chunk->locations = locations;
    if (status != AKIDB_OK)
        return status;
    if (chunk->location_count == 0)
        chunk->data_page_offset = (int64_t)chunk->size;
    chunk->locations[chunk->location_count++] = (ak_page_location){
        .offset = (int64_t)chunk->size,
        .compressed_page_size = (int32_t)size,
        .first_row_index = (int64_t)page->first_row,
    };
    return AKIDB_OK;
}

/* Both checksums are taken page by page, so that the second one finds the bytes in the cache. */
static void sum_page(const ak_chunk *chunk, ak_page *page)
{
    akidb_slice slices[2];
    size_t count = page_slices(chunk, page, slices);
    page->stored_size = 0;
    page->stored_crc32 = 0;
    page->stored_crc32c = 0;
    for (size_t i = 0; i < count; i++) {
        page->stored_crc32 = ak_crc32(page->stored_crc32, slices[i].data, slices[i].size);
        page->stored_size += slices[i].size;
    }
    for (size_t i = 0; i < count; i++)
        page->stored_crc32c = ak_crc32c(page->stored_crc32c, slices[i].data, slices[i].size);
}

akidb_status ak_chunk_seal(ak_chunk *chunk, ak_chunk_tools *tools, bool by_sample, akidb_error *err)
{
    chunk->is_compressed = false;
    for (size_t i = 0; i < chunk->page_count; i++)
        if (raw_size(&chunk->pages[i]) > INT32_MAX)
            return ak_fail(err, AKIDB_E_LIMIT, "page of %zu bytes: at most %d are possible",
                           raw_size(&chunk->pages[i]), INT32_MAX);

    akidb_status status = AKIDB_OK;
    if (tools->compressor != NULL)
        status = try_compression(chunk, tools, by_sample, &chunk->is_compressed, err);
    if (status == AKIDB_OK && !chunk->is_compressed) {
        chunk->packed.size = 0;
        status = split_pages(chunk, err);
    }
    for (size_t i = 0; i < chunk->page_count && status == AKIDB_OK; i++)
        sum_page(chunk, &chunk->pages[i]);
    return status;
}

/* ---- placing --------------------------------------------------------------------------------- */

static bool wants_alignment(const ak_chunk *chunk, const ak_page *page)
{
    return page->float_count > 0 && !chunk->is_compressed && !is_split(page);
}

/* Writes the header again, for a page that begins at `offset`, as long as it must be for the floats
 * behind it and the levels to be aligned. `size` is its length without an extension. */
static akidb_status write_aligned_header(ak_chunk *chunk, const ak_page *page,
                                         ak_page_header *header, uint64_t offset, size_t size,
                                         akidb_error *err)
{
    /* The field's head of 4 bytes (its number is far from the one before it), and a length of 1,
     * for an extension is shorter than 128 bytes. */
    enum { FIELD = 5, NAME = 16 };
    /* The name tells this extension from others of the same number; zeros fill it up. All of it is
     * text: Polars takes what it passes over for a string, and refuses what is not UTF-8. */
    static const char extension[NAME + AK_FLOATS_ALIGNMENT] = "akidb: alignment";
    uint64_t floats = offset + size + FIELD + NAME + page->body_size;
    size_t zeros = (AK_FLOATS_ALIGNMENT - floats % AK_FLOATS_ALIGNMENT) % AK_FLOATS_ALIGNMENT;
    header->extension = (akidb_slice){extension, NAME + zeros};
    chunk->headers.size = page->header_offset;
    return ak_page_header_write(header, &chunk->headers, err);
}

/* `offset` is that of the chunk in the file. */
static akidb_status place_page(ak_chunk *chunk, ak_page *page, uint64_t offset, akidb_error *err)
{
    ak_page_header header = {
        .type = page->type,
        .uncompressed_size = (int32_t)raw_size(page),
        .compressed_size = (int32_t)page->stored_size,
        .has_crc = true,
        .crc = page->stored_crc32,
        .num_values = (int32_t)page->num_values,
        .encoding = page->encoding,
        .definition_encoding = AK_ENCODING_RLE,
        .repetition_encoding = AK_ENCODING_RLE,
    };
    page->header_offset = chunk->headers.size;
    akidb_status status = ak_page_header_write(&header, &chunk->headers, err);
    if (status == AKIDB_OK && wants_alignment(chunk, page))
        status = write_aligned_header(chunk, page, &header, offset + chunk->size,
                                      chunk->headers.size - page->header_offset, err);
    if (status != AKIDB_OK)
        return status;
    page->header_size = chunk->headers.size - page->header_offset;

    if (page->type == AK_PAGE_DICTIONARY)
        chunk->dictionary_page_offset = (int64_t)chunk->size;
    else
        status = add_location(chunk, page, page->header_size + page->stored_size, err);
    chunk->crc32c =
        ak_crc32c(chunk->crc32c, chunk->headers.data + page->header_offset, page->header_size);
    chunk->crc32c = ak_crc32c_combine(chunk->crc32c, page->stored_crc32c, page->stored_size);
    chunk->size += page->header_size + page->stored_size;
    chunk->uncompressed_size += page->header_size + raw_size(page);
    return status;
}

akidb_status ak_chunk_place(ak_chunk *chunk, uint64_t offset, akidb_error *err)
{
    chunk->size = 0;
    chunk->uncompressed_size = 0;
    chunk->crc32c = 0;
    chunk->dictionary_page_offset = -1;
    chunk->location_count = 0;
    chunk->headers.size = 0;
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < chunk->page_count && status == AKIDB_OK; i++)
        status = place_page(chunk, &chunk->pages[i], offset, err);
    return status;
}

size_t ak_chunk_slices(const ak_chunk *chunk, akidb_slice *slices_out)
{
    size_t count = 0;
    for (size_t i = 0; i < chunk->page_count; i++) {
        const ak_page *page = &chunk->pages[i];
        slices_out[count++] =
            (akidb_slice){chunk->headers.data + page->header_offset, page->header_size};
        count += page_slices(chunk, page, slices_out + count);
    }
    return count;
}
