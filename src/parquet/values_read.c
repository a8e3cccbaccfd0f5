#include "parquet/values_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/endian.h"
#include "base/error.h"
#include "codec/delta.h"
#include "codec/rle.h"
#include "codec/split.h"

void ak_values_free(ak_values *values)
{
    free(values->indices);
    free(values->slices);
    free(values->entries);
    akidb_buffer_free(&values->bytes);
    *values = (ak_values){0};
}

size_t ak_value_width(const ak_file_leaf *leaf)
{
    switch (leaf->element->type) {
    case AK_TYPE_INT32:
    case AK_TYPE_FLOAT: return 4;
    case AK_TYPE_INT64:
    case AK_TYPE_DOUBLE: return 8;
    case AK_TYPE_INT96: return 12;
    case AK_TYPE_FIXED_LEN_BYTE_ARRAY: return (size_t)leaf->element->type_length;
    default: return 0;
    }
}

/* What the functions below share. */
typedef struct source {
    ak_values *values;
    const ak_page_reader *pages;
    const ak_page *page;
    size_t count;
    akidb_error *err;
} source;

static akidb_status corrupt(const source *s, const char *text, uint64_t expected, uint64_t found)
{
    return ak_fail_at(s->err, AKIDB_E_CORRUPTION, ak_page_place(s->pages->chunk, s->page->offset),
                      "expected %s %llu, found %llu", text, (unsigned long long)expected,
                      (unsigned long long)found);
}

static akidb_status not_read(const source *s)
{
    const ak_file_leaf *leaf = s->pages->chunk->leaf;
    return ak_fail_at(s->err, AKIDB_E_UNSUPPORTED, ak_page_place(s->pages->chunk, s->page->offset),
                      "%s values in encoding %s are not read",
                      ak_physical_type_name(leaf->element->type),
                      ak_encoding_name(s->page->encoding));
}

/* Hands on a codec's failure with the place of the page. */
static akidb_status in_page(const source *s, akidb_status status)
{
    if (status != AKIDB_OK)
        ak_page_context(s->pages->chunk, s->page->offset, s->err);
    return status;
}

/* ---- dictionary indices ---------------------------------------------------------------------- */

static akidb_status read_indices(const source *s)
{
    ak_values *values = s->values;
    const uint8_t *data = s->page->data.data;
    if (!s->pages->has_dictionary)
        return corrupt(s, "a dictionary page before this page; their number is", 1, 0);
    if (s->count == 0)
        return AKIDB_OK;
    if (s->page->data.size == 0)
        return corrupt(s, "the bit width of indices; bytes of it:", 1, 0);
    if (data[0] > 32)
        return corrupt(s, "indices of a bit width up to", 32, data[0]);
    if (s->pages->dictionary_count == 0)
        return corrupt(s, "no index into an empty dictionary; the indices are", 0, s->count);
    void *indices = values->indices;
    akidb_status status = ak_array_reserve(&indices, &values->index_capacity, s->count,
                                           sizeof *values->indices, s->err);
    values->indices = indices;
    if (status != AKIDB_OK)
        return status;
    akidb_slice runs = {data + 1, s->page->data.size - 1};
    return in_page(s, ak_rle_decode(runs, data[0], s->pages->dictionary_count - 1, s->count,
                                    values->indices, NULL, s->err));
}

/* ---- fixed width ----------------------------------------------------------------------------- */

static akidb_status check_size(const source *s, size_t width)
{
    uint64_t expected = (uint64_t)s->count * width; /* both below 2^32 */
    return s->page->data.size == expected
               ? AKIDB_OK
               : corrupt(s, "values of this many bytes:", expected, s->page->data.size);
}

static void gather(const uint32_t *indices, size_t count, const uint8_t *from, size_t width,
                   uint8_t *out)
{
    if (width == 4) {
        for (size_t i = 0; i < count; i++)
            memcpy(out + 4 * i, from + 4 * (size_t)indices[i], 4);
        return;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(out + width * i, from + width * indices[i], width);
}

static akidb_status read_fixed_dictionary(const source *s, size_t width, uint8_t *out)
{
    akidb_slice dictionary = s->pages->dictionary;
    uint64_t expected = (uint64_t)s->pages->dictionary_count * width;
    if (s->pages->has_dictionary && dictionary.size != expected)
        return corrupt(s, "a dictionary of this many bytes:", expected, dictionary.size);
    akidb_status status = read_indices(s);
    if (status == AKIDB_OK)
        gather(s->values->indices, s->count, dictionary.data, width, out);
    return status;
}

static akidb_status reserve_slices(const source *s)
{
    void *slices = s->values->slices;
    akidb_status status = ak_array_reserve(&slices, &s->values->slice_capacity, s->count,
                                           sizeof *s->values->slices, s->err);
    s->values->slices = slices;
    return status;
}

/* DELTA_BYTE_ARRAY of FIXED_LEN_BYTE_ARRAY: each text must be of the type's length. */
static akidb_status read_fixed_delta_bytes(const source *s, size_t width, uint8_t *out)
{
    akidb_status status = reserve_slices(s);
    if (status != AKIDB_OK)
        return status;
    s->values->bytes.size = 0;
    status =
        in_page(s, ak_delta_byte_array_decode(s->page->data, s->count, (uint64_t)s->count * width,
                                              &s->values->bytes, s->values->slices, s->err));
    for (size_t i = 0; status == AKIDB_OK && i < s->count; i++) {
        akidb_slice slice = s->values->slices[i];
        if (slice.size != width)
            return corrupt(s, "values of this many bytes each:", width, slice.size);
        memcpy(out + width * i, slice.data, width);
    }
    return status;
}

/* `out` is aligned: integers are only ever read to be converted. */
static akidb_status read_fixed_delta(const source *s, size_t width, uint8_t *out)
{
    if (width == 4)
        return in_page(
            s, ak_delta_decode_i32(s->page->data, s->count, (int32_t *)(void *)out, NULL, s->err));
    return in_page(
        s, ak_delta_decode_i64(s->page->data, s->count, (int64_t *)(void *)out, NULL, s->err));
}

akidb_status ak_values_read_fixed(ak_values *values, const ak_page_reader *pages,
                                  const ak_page *page, size_t count, void *out, akidb_error *err)
{
    const source s = {values, pages, page, count, err};
    const ak_file_leaf *leaf = pages->chunk->leaf;
    size_t width = ak_value_width(leaf);
    bool is_integer = leaf->element->type == AK_TYPE_INT32 || leaf->element->type == AK_TYPE_INT64;
    akidb_status status;
    switch (page->encoding) {
    case AK_ENCODING_PLAIN:
        status = check_size(&s, width);
        if (status == AKIDB_OK && count > 0 && out != page->data.data) /* unless it is there */
            memcpy(out, page->data.data, page->data.size);
        return status;
    case AK_ENCODING_PLAIN_DICTIONARY:
    case AK_ENCODING_RLE_DICTIONARY: return read_fixed_dictionary(&s, width, out);
    case AK_ENCODING_BYTE_STREAM_SPLIT:
        if (leaf->element->type == AK_TYPE_INT96)
            return not_read(&s);
        status = check_size(&s, width);
        if (status == AKIDB_OK && count > 0)
            ak_split_decode(page->data.data, count, width, out);
        return status;
    case AK_ENCODING_DELTA_BINARY_PACKED:
        return is_integer ? read_fixed_delta(&s, width, out) : not_read(&s);
    case AK_ENCODING_DELTA_BYTE_ARRAY:
        return leaf->element->type == AK_TYPE_FIXED_LEN_BYTE_ARRAY
                   ? read_fixed_delta_bytes(&s, width, out)
                   : not_read(&s);
    default: return not_read(&s);
    }
}

/* ---- byte arrays ----------------------------------------------------------------------------- */

/* PLAIN: each value behind its length, and nothing left over. */
static akidb_status split_plain(const source *s, akidb_slice bytes, size_t count, akidb_slice *out)
{
    const uint8_t *at = bytes.data;
    size_t left = bytes.size;
    for (size_t i = 0; i < count; i++) {
        if (left < 4)
            return corrupt(s, "the length of a value in bytes:", 4, left);
        size_t size = ak_load_u32(at);
        if (size > left - 4)
            return corrupt(s, "a value within the bytes left,", left - 4, size);
        out[i] = (akidb_slice){at + 4, size};
        at += 4 + size;
        left -= 4 + size;
    }
    return left == 0 ? AKIDB_OK : corrupt(s, "no bytes after the last value:", 0, left);
}

/* The entries of the dictionary, found once for all pages of the chunk. */
static akidb_status find_entries(const source *s)
{
    ak_values *values = s->values;
    size_t count = s->pages->dictionary_count;
    if (values->has_entries || !s->pages->has_dictionary)
        return AKIDB_OK;
    if (count > s->pages->dictionary.size / 4)
        return corrupt(s, "a dictionary with entries within its bytes, at most",
                       s->pages->dictionary.size / 4, count);
    void *entries = values->entries;
    akidb_status status =
        ak_array_reserve(&entries, &values->entry_capacity, count, sizeof *values->entries, s->err);
    values->entries = entries;
    if (status == AKIDB_OK)
        status = split_plain(s, s->pages->dictionary, count, values->entries);
    values->has_entries = status == AKIDB_OK;
    return status;
}

static akidb_status read_slices_dictionary(const source *s)
{
    akidb_status status = find_entries(s);
    if (status == AKIDB_OK)
        status = read_indices(s);
    for (size_t i = 0; status == AKIDB_OK && i < s->count; i++)
        s->values->slices[i] = s->values->entries[s->values->indices[i]];
    return status;
}

akidb_status ak_values_read_slices(ak_values *values, const ak_page_reader *pages,
                                   const ak_page *page, size_t count, uint64_t max_bytes,
                                   const akidb_slice **slices_out, akidb_error *err)
{
    const source s = {values, pages, page, count, err};
    *slices_out = NULL;
    akidb_status status = reserve_slices(&s);
    if (status != AKIDB_OK)
        return status;
    switch (page->encoding) {
    case AK_ENCODING_PLAIN: status = split_plain(&s, page->data, count, values->slices); break;
    case AK_ENCODING_PLAIN_DICTIONARY:
    case AK_ENCODING_RLE_DICTIONARY: status = read_slices_dictionary(&s); break;
    case AK_ENCODING_DELTA_LENGTH_BYTE_ARRAY:
        status = in_page(&s, ak_delta_length_decode(page->data, count, values->slices, err));
        break;
    case AK_ENCODING_DELTA_BYTE_ARRAY:
        values->bytes.size = 0;
        status = in_page(&s, ak_delta_byte_array_decode(page->data, count, max_bytes,
                                                        &values->bytes, values->slices, err));
        break;
    default: return not_read(&s);
    }
    *slices_out = values->slices;
    return status;
}
