#include "parquet/chunk_pieces.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

enum {
    READ_BYTES = 1 << 20,          /* at once, at least */
    HEADER_BYTES_FIRST = 64 << 10, /* a page's header is tried with so many, then with more */
    HEADER_BYTES_MAX = 16 << 20
};

static const ak_column_chunk *chunk_of(const ak_chunk_pieces *p)
{
    return ak_reader_chunk(p->reader, p->group, p->leaf);
}

static const ak_extent *extent_of(const ak_chunk_pieces *p)
{
    return ak_reader_extent(p->reader, p->group, p->leaf);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static akidb_status read_more(ak_chunk_pieces *p, uint64_t from, size_t size, akidb_error *err)
{
    akidb_status status = ak_buffer_reserve(&p->bytes, size, err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(p->reader->input, extent_of(p)->offset + from,
                                     p->bytes.data + p->bytes.size, size, err);
    if (status == AKIDB_OK)
        p->bytes.size += size;
    return status;
}

/* Has `size` bytes from `at` on in memory, or as many as the chunk has. */
static akidb_status hold(ak_chunk_pieces *p, size_t size, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    if (p->bytes.size < p->dictionary_size)
        status = read_more(p, 0, p->dictionary_size, err);
    size_t held = p->bytes.size - p->dictionary_size;
    if (status != AKIDB_OK || size <= held)
        return status;
    size_t wanted = size - held < READ_BYTES ? READ_BYTES : size - held;
    uint64_t left = extent_of(p)->size - p->at - held;
    if (wanted > left)
        wanted = (size_t)left;
    return wanted == 0 ? AKIDB_OK : read_more(p, p->at + held, wanted, err);
}

/* The header of the page that begins `from` bytes behind `at`, and the page's size with it. */
static akidb_status find_page(ak_chunk_pieces *p, size_t from, ak_page_header *header,
                              size_t *size_out, akidb_error *err)
{
    const uint64_t offset = extent_of(p)->offset + p->at + from;
    const uint64_t left = extent_of(p)->size - p->at - from;
    size_t used = 0;
    akidb_status status = AKIDB_E_CORRUPTION;
    for (size_t window = HEADER_BYTES_FIRST;; window *= 4) {
        akidb_status held = hold(p, from + window, err);
        if (held != AKIDB_OK)
            return held;
        size_t there = p->bytes.size - p->dictionary_size - from;
        akidb_slice bytes = {p->bytes.data + p->dictionary_size + from,
                             there < window ? there : window};
        status = ak_page_header_read(bytes, p->reader->input->name, offset, header, &used, err);
        if (status != AKIDB_E_CORRUPTION || window >= HEADER_BYTES_MAX || bytes.size >= left)
            break;
    }
    if (status != AKIDB_OK)
        return status;
    if ((uint64_t)header->compressed_size > left - used)
        return ak_fail_at(err, AKIDB_E_CORRUPTION,
                          (ak_place){p->reader->input->name, p->leaf->column, -1, (int64_t)offset},
                          "expected a page within the bytes left in its column chunk, %llu, found "
                          "%d",
                          (unsigned long long)(left - used), header->compressed_size);
    *size_out = used + (size_t)header->compressed_size;
    return AKIDB_OK;
}

/* ---- pieces ---------------------------------------------------------------------------------- */

/* The dictionary stands before all other pages, and is kept for each piece. */
static akidb_status find_dictionary(ak_chunk_pieces *p, akidb_error *err)
{
    ak_page_header header;
    size_t size;
    akidb_status status = find_page(p, 0, &header, &size, err);
    if (status != AKIDB_OK || header.type != AK_PAGE_DICTIONARY)
        return status;
    status = hold(p, size, err);
    if (status != AKIDB_OK)
        return status;
    p->dictionary_size = size;
    p->at = size;
    return AKIDB_OK;
}

/* A piece that begins with it would take it for its own. */
static akidb_status fail_late_dictionary(const ak_chunk_pieces *p, size_t from, akidb_error *err)
{
    const uint64_t offset = extent_of(p)->offset + p->at + from;
    return ak_fail_at(err, AKIDB_E_CORRUPTION,
                      (ak_place){p->reader->input->name, p->leaf->column, -1, (int64_t)offset},
                      "expected a dictionary before all other pages, found %s",
                      p->dictionary_size > 0 ? "a second one" : "one behind them");
}

/* How many pages make the next piece: their bytes and values. */
static akidb_status find_pages(ak_chunk_pieces *p, size_t *size_out, uint64_t *values_out,
                               akidb_error *err)
{
    const uint64_t end = extent_of(p)->size - p->at;
    size_t size = 0;
    uint64_t values = 0;
    while (size < end) {
        ak_page_header header;
        size_t page;
        akidb_status status = find_page(p, size, &header, &page, err);
        if (status == AKIDB_OK && header.type == AK_PAGE_DICTIONARY)
            status = fail_late_dictionary(p, size, err);
        if (status != AKIDB_OK)
            return status;
        size += page;
        if (header.type == AK_PAGE_DATA || header.type == AK_PAGE_DATA_V2)
            values += (uint64_t)header.num_values;
        bool enough = size >= p->piece_bytes || values >= p->piece_bytes;
        if (enough && values > 0 && values % p->values_per_row == 0)
            break;
    }
    *size_out = size;
    *values_out = values;
    return hold(p, size, err);
}

bool ak_chunk_pieces_at_end(const ak_chunk_pieces *p)
{
    return p->at == extent_of(p)->size;
}

akidb_status ak_chunk_pieces_find(ak_chunk_pieces *p, ak_chunk *piece_out, bool *done_out,
                                  akidb_error *err)
{
    const akidb_parquet_reader *reader = p->reader;
    const uint64_t rows = ak_reader_rows(reader, p->group);
    *piece_out = (ak_chunk){0};
    *done_out = ak_chunk_pieces_at_end(p);
    if (*done_out)
        return AKIDB_OK;
    akidb_status status = p->at == 0 ? find_dictionary(p, err) : AKIDB_OK;
    size_t size = 0;
    uint64_t values = 0;
    if (status == AKIDB_OK)
        status = find_pages(p, &size, &values, err);
    if (status != AKIDB_OK)
        return status;
    const uint64_t first = p->values / p->values_per_row;
    const uint64_t rows_left = first < rows ? rows - first : 0;
    const uint64_t all = (uint64_t)chunk_of(p)->num_values;
    const bool is_last = p->at + size == extent_of(p)->size;
    p->size = size;
    p->info = *chunk_of(p);
    p->info.num_values = (int64_t)(is_last ? (all > p->values ? all - p->values : 0) : values);
    uint64_t piece_rows = is_last ? rows_left : values / p->values_per_row;
    *piece_out = (ak_chunk){
        .file = reader->input->name,
        .leaf = p->leaf,
        .info = &p->info,
        .bytes = {p->bytes.data, p->dictionary_size + size},
        .offset = extent_of(p)->offset + p->at - p->dictionary_size,
        .first_row = reader->first_rows[p->group] + first,
        .rows = piece_rows < rows_left ? piece_rows : rows_left,
        .max_page_bytes = reader->options.max_page_bytes,
    };
    return AKIDB_OK;
}

void ak_chunk_pieces_pass(ak_chunk_pieces *p)
{
    p->at += p->size;
    p->values += (uint64_t)p->info.num_values;
    p->bytes.size -= p->size;
    uint8_t *rest = p->bytes.data + p->dictionary_size;
    memmove(rest, rest + p->size, p->bytes.size - p->dictionary_size);
    p->size = 0;
}

void ak_chunk_pieces_forget(ak_chunk_pieces *p)
{
    if (p->at == p->dictionary_size) /* before the first piece: the dictionary may be the damage */
        p->at = p->dictionary_size = 0;
    p->bytes.size = 0;
}

void ak_chunk_pieces_end(ak_chunk_pieces *p)
{
    akidb_buffer_free(&p->bytes);
}
