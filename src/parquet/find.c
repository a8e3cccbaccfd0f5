#include "parquet/find.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "parquet/again.h"
#include "parquet/bloom.h"
#include "parquet/column_read.h"
#include "parquet/vector_pages.h"

/* ---- Bloom filters --------------------------------------------------------------------------- */

/* The bits of a chunk's filter; of size 0 when there is none that can be used. */
static akidb_status find_bloom(const akidb_parquet_reader *reader, size_t group,
                               const ak_file_leaf *leaf, akidb_slice *bits_out, akidb_error *err)
{
    const ak_column_chunk *chunk = ak_reader_chunk(reader, group, leaf);
    *bits_out = (akidb_slice){NULL, 0};
    if (chunk->bloom_filter_offset == 0 || chunk->bloom_filter_length == 0)
        return AKIDB_OK;
    akidb_slice bytes;
    ak_bloom_header header = {0};
    size_t used;
    uint64_t offset = (uint64_t)chunk->bloom_filter_offset;
    akidb_status status = ak_tail_bytes(reader, leaf, "a Bloom filter", chunk->bloom_filter_offset,
                                        chunk->bloom_filter_length, &bytes, err);
    if (status == AKIDB_OK)
        status = ak_bloom_header_read(bytes, reader->input->name, offset, &header, &used, err);
    if (status != AKIDB_OK || !header.is_known)
        return status;
    if (header.size <= 0 || header.size % AK_BLOOM_BLOCK_BYTES != 0 ||
        (size_t)header.size != bytes.size - used) {
        ak_place place = {reader->input->name, leaf->column, -1, (int64_t)offset};
        return ak_fail_at(err, AKIDB_E_CORRUPTION, place,
                          "expected a Bloom filter of the %zu bytes behind its header, found one "
                          "of %d",
                          bytes.size - used, (int)header.size);
    }
    *bits_out = (akidb_slice){(const uint8_t *)bytes.data + used, (size_t)header.size};
    return AKIDB_OK;
}

static akidb_status may_hold(const akidb_parquet_reader *reader, size_t group,
                             const ak_file_leaf *leaf, akidb_slice value, bool *result_out,
                             akidb_error *err)
{
    akidb_slice bits;
    *result_out = true;
    akidb_status status = find_bloom(reader, group, leaf, &bits, err);
    if (status == AKIDB_OK && bits.size > 0)
        *result_out = ak_bloom_may_hold(bits, ak_bloom_hash(value));
    return status;
}

/* The filter is of an id's bytes as they are stored: as 16 of them, not as text. */
akidb_status ak_parquet_may_hold_id(const akidb_parquet_reader *reader, size_t group,
                                    const akidb_uuid *id, bool *result_out, akidb_error *err)
{
    const ak_file_leaf *leaf = reader->columns.document_id;
    *result_out = true;
    if (leaf == NULL || ak_leaf_is_text(leaf) || reader->columns.has_other_ids)
        return AKIDB_OK;
    return may_hold(reader, group, leaf, (akidb_slice){id->bytes, sizeof id->bytes}, result_out,
                    err);
}

akidb_status ak_parquet_may_hold_external_id(const akidb_parquet_reader *reader, size_t group,
                                             akidb_slice text, bool *result_out, akidb_error *err)
{
    const ak_file_leaf *leaf = reader->columns.external_id;
    *result_out = leaf != NULL;
    if (leaf == NULL || reader->columns.has_other_ids)
        return AKIDB_OK;
    const ak_statistics *statistics = &ak_reader_chunk(reader, group, leaf)->statistics;
    *result_out = !statistics->has_null_count ||
                  (uint64_t)statistics->null_count != ak_reader_rows(reader, group);
    return *result_out ? may_hold(reader, group, leaf, text, result_out, err) : AKIDB_OK;
}

/* ---- pages of vectors ------------------------------------------------------------------------ */

bool ak_parquet_has_vector_pages(const akidb_parquet_reader *reader)
{
    for (size_t group = 0; group < reader->footer.metadata.row_group_count; group++) {
        const ak_column_chunk *chunk = ak_reader_chunk(reader, group, reader->columns.vector);
        if (chunk->offset_index_offset == 0 || chunk->dictionary_page_offset != 0)
            return false;
    }
    return reader->tail.size > 0;
}

/* Reading vectors of one row group. */
typedef struct search {
    const akidb_parquet_reader *reader;
    size_t group;
    ak_page_list list;
    ak_arena *arena; /* of the list */
    ak_decoding decoding;
    size_t page;        /* that is being read */
    akidb_buffer bytes; /* of it, as the next two are */
    float *floats;
    size_t float_capacity;
    akidb_error *err;
} search;

static ak_place chunk_place(const search *s)
{
    return (ak_place){s->reader->input->name, s->reader->columns.vector->column, -1, -1};
}

static uint64_t page_end(const search *s, size_t page)
{
    return ak_page_list_end(&s->list, page, ak_reader_rows(s->reader, s->group));
}

static akidb_status find_pages(search *s)
{
    akidb_status status = ak_arena_new(&s->arena, s->err);
    return status == AKIDB_OK
               ? ak_vector_pages_read(s->reader, s->group, s->arena, &s->list, s->err)
               : status;
}

/* The page must be one whole page of vectors, with a checksum, and of a size that its floats fit:
 * then memory for them may be claimed. */
static akidb_status check_header(search *s, const ak_page_location *location, uint64_t floats)
{
    akidb_slice bytes = {s->bytes.data, s->bytes.size};
    uint64_t offset = (uint64_t)location->offset;
    ak_place place = chunk_place(s);
    place.offset = location->offset;
    ak_page_header header;
    size_t used;
    akidb_status status =
        ak_page_header_read(bytes, s->reader->input->name, offset, &header, &used, s->err);
    if (status != AKIDB_OK)
        return status;
    if (header.type != AK_PAGE_DATA || !header.has_crc)
        return ak_fail_at(s->err, AKIDB_E_CORRUPTION, place,
                          "expected a data page with a checksum, found a page of type %d%s",
                          header.type, header.has_crc ? "" : " without one");
    if ((size_t)header.compressed_size != bytes.size - used)
        return ak_fail_at(s->err, AKIDB_E_CORRUPTION, place,
                          "expected a page of the %zu bytes that the offset index leaves it, found "
                          "one of %d",
                          bytes.size - used, (int)header.compressed_size);
    if (floats > (uint64_t)header.uncompressed_size / sizeof(float))
        return ak_fail_at(s->err, AKIDB_E_CORRUPTION, place,
                          "expected a page of %llu floats, as the offset index has it, found one "
                          "of %d bytes",
                          (unsigned long long)floats, (int)header.uncompressed_size);
    if ((uint64_t)header.uncompressed_size > s->reader->options.max_page_bytes)
        return ak_fail_at(
            s->err, AKIDB_E_LIMIT, place, "expected a page of at most %llu bytes, found one of %d",
            (unsigned long long)s->reader->options.max_page_bytes, (int)header.uncompressed_size);
    return AKIDB_OK;
}

/* Fetches and decodes the page into s->floats; an ak_read_function over a search. */
static akidb_status fetch_page(void *context, akidb_error *err)
{
    search *s = context;
    size_t page = s->page;
    const akidb_parquet_reader *reader = s->reader;
    const ak_page_location *location = &s->list.pages[page];
    s->err = err;
    uint64_t first = (uint64_t)location->first_row_index, rows = page_end(s, page) - first, floats;
    size_t size = (size_t)location->compressed_page_size;
    s->bytes.size = 0;
    akidb_status status = ak_buffer_reserve(&s->bytes, size, s->err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(reader->input, (uint64_t)location->offset, s->bytes.data, size,
                                     s->err);
    if (status != AKIDB_OK)
        return status;
    s->bytes.size = size;
    if (!ak_mul_u64(rows, reader->dimension, &floats) || floats > INT64_MAX)
        floats = INT64_MAX; /* no page is so large */
    status = check_header(s, location, floats);
    void *room = s->floats;
    if (status == AKIDB_OK)
        status = ak_array_reserve(&room, &s->float_capacity, (size_t)floats, sizeof(float), s->err);
    s->floats = room;
    if (status != AKIDB_OK)
        return status;
    /* The page as if it were a chunk of its own. */
    ak_column_chunk info = *ak_reader_chunk(reader, s->group, reader->columns.vector);
    info.num_values = (int64_t)floats;
    const ak_chunk chunk = {
        .file = reader->input->name,
        .leaf = reader->columns.vector,
        .info = &info,
        .bytes = {s->bytes.data, size},
        .offset = (uint64_t)location->offset,
        .first_row = reader->first_rows[s->group] + first,
        .rows = rows,
        .max_page_bytes = reader->options.max_page_bytes,
    };
    return ak_read_vectors(&s->decoding, &chunk, reader->dimension, s->floats, s->err);
}

static akidb_status read_page(search *s, size_t page)
{
    akidb_error *err = s->err;
    s->page = page;
    akidb_status status = ak_read_again(fetch_page, s, s->reader->options.hooks, err);
    s->err = err;
    return status;
}

static akidb_status read_rows(search *s, const size_t *rows, size_t count, float *floats_out)
{
    size_t dimension = s->reader->dimension, page = 0;
    for (size_t i = 0; i < count;) {
        while (page + 1 < s->list.count && rows[i] >= page_end(s, page))
            page++;
        if (rows[i] >= page_end(s, page))
            return ak_fail(s->err, AKIDB_E_VALIDATION, "row %zu: expected one of row group %zu",
                           rows[i], s->group);
        akidb_status status = read_page(s, page);
        if (status != AKIDB_OK)
            return status;
        size_t first = (size_t)s->list.pages[page].first_row_index;
        for (; i < count && rows[i] < page_end(s, page); i++)
            memcpy(floats_out + i * dimension, s->floats + (rows[i] - first) * dimension,
                   dimension * sizeof(float));
    }
    return AKIDB_OK;
}

akidb_status ak_parquet_read_vectors_of(const akidb_parquet_reader *reader, size_t group,
                                        const size_t *rows, size_t count, float *floats_out,
                                        akidb_error *err)
{
    search s = {.reader = reader, .group = group, .err = err};
    akidb_status status = find_pages(&s);
    if (status == AKIDB_OK)
        status = ak_decoding_new(&s.decoding, err);
    if (status == AKIDB_OK) {
        status = read_rows(&s, rows, count, floats_out);
        ak_decoding_free(&s.decoding);
    }
    ak_arena_free(s.arena);
    akidb_buffer_free(&s.bytes);
    free(s.floats);
    return status;
}

akidb_status ak_parquet_vector_page(const akidb_parquet_reader *reader, size_t group, size_t row,
                                    size_t *first_out, size_t *count_out, akidb_error *err)
{
    search s = {.reader = reader, .group = group, .err = err};
    *first_out = *count_out = 0;
    akidb_status status = row < ak_reader_rows(reader, group)
                              ? find_pages(&s)
                              : ak_fail(err, AKIDB_E_VALIDATION,
                                        "row %zu: expected one of row group %zu", row, group);
    size_t page = 0;
    while (status == AKIDB_OK && row >= page_end(&s, page))
        page++;
    if (status == AKIDB_OK) {
        *first_out = (size_t)s.list.pages[page].first_row_index;
        *count_out = (size_t)page_end(&s, page) - *first_out;
    }
    ak_arena_free(s.arena);
    return status;
}
