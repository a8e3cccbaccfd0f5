#include "parquet/page_read.h"

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/endian.h"
#include "base/error.h"

/* A header is a few dozen bytes, more when it carries statistics of long texts. */
enum { HEADER_BYTES_MAX = 16 << 20 };

ak_place ak_page_place(const ak_chunk *chunk, uint64_t offset)
{
    return (ak_place){chunk->file, chunk->leaf->column, -1, (int64_t)offset};
}

ak_place ak_row_place(const ak_chunk *chunk, uint64_t row)
{
    return AK_ROW(chunk->file, chunk->first_row + row, chunk->leaf->column);
}

void ak_page_context(const ak_chunk *chunk, uint64_t offset, akidb_error *err)
{
    if (err == NULL)
        return;
    akidb_error inner = *err;
    (void)ak_fail_at(err, inner.status, ak_page_place(chunk, offset), "in this page: %s",
                     inner.message);
}

void ak_page_reader_begin(ak_page_reader *reader, const ak_chunk *chunk,
                          ak_decompressor *decompressor)
{
    reader->chunk = chunk;
    reader->decompressor = decompressor;
    reader->at = 0;
    reader->page = 0;
    reader->values = 0;
    reader->has_dictionary = false;
    reader->dictionary_count = 0;
    reader->dictionary = (akidb_slice){NULL, 0};
}

void ak_page_reader_end(ak_page_reader *reader)
{
    akidb_buffer_free(&reader->dictionary_storage);
    akidb_buffer_free(&reader->page_storage);
    *reader = (ak_page_reader){0};
}

/* The most bytes that `size` compressed ones can stand for, by the codec's own format. What claims
 * more is not worth an allocation. */
static uint64_t most_expanded(int codec, uint64_t size)
{
    switch (codec) {
    case AK_CODEC_SNAPPY: return size * 64; /* a copy of 64 bytes takes at least 2 */
    case AK_CODEC_GZIP: return size * 1040; /* deflate: 258 bytes from 2 bits */
    case AK_CODEC_LZ4_HADOOP:
    case AK_CODEC_LZ4_RAW: return (size + 1) * 256; /* a length byte adds at most 255 */
    default: return size * (128 << 10);             /* zstd: 128 KiB from a block of 4 bytes */
    }
}

/* ---- one page's body ------------------------------------------------------------------------- */

typedef struct body {
    ak_page_header header;
    uint64_t offset; /* of the header in the file */
    akidb_slice bytes;
    const ak_placed_page *placed; /* NULL, or where the rest of it lies */
} body;

static akidb_status corrupt(const ak_page_reader *reader, uint64_t offset, akidb_error *err,
                            const char *what, uint64_t expected, uint64_t found)
{
    return ak_fail_at(err, AKIDB_E_CORRUPTION, ak_page_place(reader->chunk, offset),
                      "expected %s%llu, found %llu", what, (unsigned long long)expected,
                      (unsigned long long)found);
}

static akidb_status check_crc(const ak_page_reader *reader, const body *b, akidb_error *err)
{
    if (!b->header.has_crc || reader->chunk->is_checked)
        return AKIDB_OK;
    uint32_t found =
        b->placed != NULL ? b->placed->crc32 : ak_crc32(0, b->bytes.data, b->bytes.size);
    if (found == b->header.crc)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, ak_page_place(reader->chunk, b->offset),
                      "expected a page with CRC-32 %08x, found %08x", b->header.crc, found);
}

/* The bytes that the next page may take, but for those that lie elsewhere. */
static akidb_slice next_bytes(ak_page_reader *reader, body *b)
{
    const ak_chunk *chunk = reader->chunk;
    const uint8_t *bytes = chunk->bytes.data;
    b->placed = NULL;
    b->offset = chunk->offset + reader->at;
    if (chunk->placed == NULL)
        return (akidb_slice){bytes + reader->at, chunk->bytes.size - reader->at};
    b->placed = &chunk->placed[reader->page++];
    b->offset = b->placed->offset;
    return (akidb_slice){bytes + reader->at, b->placed->head_size};
}

/* Takes the header and the bytes behind it. */
static akidb_status take_body(ak_page_reader *reader, body *b, akidb_error *err)
{
    const ak_chunk *chunk = reader->chunk;
    akidb_slice left = next_bytes(reader, b);
    size_t used;
    akidb_slice window = {left.data, left.size < HEADER_BYTES_MAX ? left.size : HEADER_BYTES_MAX};
    akidb_status status =
        ak_page_header_read(window, chunk->file, b->offset, &b->header, &used, err);
    if (status != AKIDB_OK)
        return status;
    size_t size = (size_t)b->header.compressed_size;
    if (b->placed != NULL) {
        size_t there = left.size - used + b->placed->values.size;
        if (size != there)
            return corrupt(reader, b->offset, err, "a page of the bytes that were planned for it, ",
                           there, size);
        size = left.size - used;
    }
    if (size > left.size - used)
        return corrupt(reader, b->offset, err, "a page within the bytes left in its column chunk, ",
                       left.size - used, size);
    b->bytes = (akidb_slice){(const uint8_t *)left.data + used, size};
    reader->at += used + size;
    return check_crc(reader, b, err);
}

/* `bytes` as they were before compression, `size` of them by the header's claim. */
static akidb_status expand(ak_page_reader *reader, const body *b, bool is_compressed,
                           akidb_slice bytes, size_t size, akidb_buffer *storage, akidb_slice *out,
                           akidb_error *err)
{
    int codec = reader->chunk->info->codec;
    if (codec == AK_CODEC_UNCOMPRESSED || !is_compressed) {
        size_t there = bytes.size + (b->placed == NULL ? 0 : b->placed->values.size);
        *out = bytes;
        if (there == size)
            return AKIDB_OK;
        return corrupt(reader, b->offset, err, "a page that is not compressed with a size of ",
                       there, size);
    }
    if (size == 0 && bytes.size == 0) { /* a V2 page of nulls alone: nothing, not even a frame */
        *out = bytes;
        return AKIDB_OK;
    }
    if (size > reader->chunk->max_page_bytes)
        return ak_fail_at(err, AKIDB_E_LIMIT, ak_page_place(reader->chunk, b->offset),
                          "expected a page of at most %llu bytes, found one of %zu; "
                          "max_page_bytes allows more",
                          (unsigned long long)reader->chunk->max_page_bytes, size);
    if (size > most_expanded(codec, bytes.size))
        return corrupt(reader, b->offset, err, "a page of a size that its bytes can hold, at most ",
                       most_expanded(codec, bytes.size), size);
    storage->size = 0;
    akidb_status status = ak_buffer_reserve(storage, size, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_decompress(reader->decompressor, codec, bytes, storage->data, size, err);
    if (status != AKIDB_OK) {
        ak_page_context(reader->chunk, b->offset, err);
        return status;
    }
    storage->size = size;
    *out = (akidb_slice){storage->data, size};
    return AKIDB_OK;
}

/* ---- dictionary ------------------------------------------------------------------------------ */

/* It is the first page, or there is none (parquet.thrift, DictionaryPageHeader). */
static akidb_status take_dictionary(ak_page_reader *reader, const body *b, akidb_error *err)
{
    const ak_page_header *header = &b->header;
    ak_place place = ak_page_place(reader->chunk, b->offset);
    if (b->offset != reader->chunk->offset)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, place,
                          "expected at most one dictionary page, before all others, found %s",
                          reader->has_dictionary ? "a second one" : "one behind them");
    if (header->encoding != AK_ENCODING_PLAIN && header->encoding != AK_ENCODING_PLAIN_DICTIONARY)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, place,
                          "expected a dictionary in encoding PLAIN, found encoding %d",
                          header->encoding);
    reader->has_dictionary = true;
    reader->dictionary_count = (uint32_t)header->num_values;
    return expand(reader, b, true, b->bytes, (size_t)header->uncompressed_size,
                  &reader->dictionary_storage, &reader->dictionary, err);
}

/* ---- data pages ------------------------------------------------------------------------------ */

/* Levels of a V1 page: a length and so many bytes, when there can be any. */
static akidb_status take_levels_v1(const ak_page_reader *reader, const body *b, unsigned maximum,
                                   int encoding, akidb_slice *left, akidb_slice *levels,
                                   akidb_error *err)
{
    *levels = (akidb_slice){NULL, 0};
    if (maximum == 0) /* some writers then name BIT_PACKED: it does not matter */
        return AKIDB_OK;
    if (encoding == AK_ENCODING_BIT_PACKED)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, ak_page_place(reader->chunk, b->offset),
                          "levels in the deprecated encoding BIT_PACKED are not read");
    if (encoding != AK_ENCODING_RLE)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, ak_page_place(reader->chunk, b->offset),
                          "expected levels in encoding RLE, found encoding %d", encoding);
    if (left->size < 4)
        return corrupt(reader, b->offset, err, "4 bytes with the length of the levels, not ", 4,
                       left->size);
    size_t size = ak_load_u32(left->data);
    if (size > left->size - 4)
        return corrupt(reader, b->offset, err, "levels within the page's last bytes, ",
                       left->size - 4, size);
    *levels = (akidb_slice){(const uint8_t *)left->data + 4, size};
    *left = (akidb_slice){(const uint8_t *)left->data + 4 + size, left->size - 4 - size};
    return AKIDB_OK;
}

/* The values are what the levels left, or what was read to elsewhere. */
static akidb_status take_values(const ak_page_reader *reader, const body *b, akidb_slice left,
                                ak_page *page, akidb_error *err)
{
    page->data = left;
    if (b->placed == NULL)
        return AKIDB_OK;
    page->data = (akidb_slice){b->placed->values.data, b->placed->values.size};
    return left.size == 0 ? AKIDB_OK
                          : corrupt(reader, b->offset, err,
                                    "values where they were planned, after ", 0, left.size);
}

static akidb_status split_v1(ak_page_reader *reader, const body *b, ak_page *page, akidb_error *err)
{
    const ak_file_leaf *leaf = reader->chunk->leaf;
    akidb_slice left;
    akidb_status status = expand(reader, b, true, b->bytes, (size_t)b->header.uncompressed_size,
                                 &reader->page_storage, &left, err);
    if (status == AKIDB_OK)
        status = take_levels_v1(reader, b, leaf->max_repetition, b->header.repetition_encoding,
                                &left, &page->repetition, err);
    if (status == AKIDB_OK)
        status = take_levels_v1(reader, b, leaf->max_definition, b->header.definition_encoding,
                                &left, &page->definition, err);
    return status == AKIDB_OK ? take_values(reader, b, left, page, err) : status;
}

static akidb_status split_v2(ak_page_reader *reader, const body *b, ak_page *page, akidb_error *err)
{
    const ak_page_header *header = &b->header;
    const uint8_t *bytes = b->bytes.data;
    uint64_t levels = (uint64_t)header->repetition_bytes + (uint64_t)header->definition_bytes;
    if (levels > b->bytes.size || levels > (uint64_t)header->uncompressed_size)
        return corrupt(reader, b->offset, err, "levels within the page, at most ", b->bytes.size,
                       levels);
    if (header->num_nulls > header->num_values)
        return corrupt(reader, b->offset, err, "at most as many nulls as values, ",
                       (uint64_t)header->num_values, (uint64_t)header->num_nulls);
    page->is_v2 = true;
    page->rows = (uint32_t)header->num_rows;
    page->nulls = (uint32_t)header->num_nulls;
    page->repetition = (akidb_slice){bytes, (size_t)header->repetition_bytes};
    page->definition =
        (akidb_slice){bytes + header->repetition_bytes, (size_t)header->definition_bytes};
    akidb_slice values = {bytes + levels, b->bytes.size - (size_t)levels};
    akidb_slice left;
    akidb_status status = expand(reader, b, header->is_compressed, values,
                                 (size_t)header->uncompressed_size - (size_t)levels,
                                 &reader->page_storage, &left, err);
    return status == AKIDB_OK ? take_values(reader, b, left, page, err) : status;
}

static bool is_dictionary_encoding(int encoding)
{
    return encoding == AK_ENCODING_RLE_DICTIONARY || encoding == AK_ENCODING_PLAIN_DICTIONARY;
}

/* The footer lists the encodings of a chunk: a page with another one was damaged, for nothing else
 * guards its header. */
static akidb_status check_encoding(const ak_page_reader *reader, const body *b, akidb_error *err)
{
    const ak_column_chunk *info = reader->chunk->info;
    int found = b->header.encoding;
    const char *name = ak_encoding_name(found);
    if (name == NULL)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, ak_page_place(reader->chunk, b->offset),
                          "encoding %d%s is not read", found, found == 10 ? " (ALP)" : "");
    for (size_t i = 0; i < info->encoding_count; i++)
        if (info->encodings[i] == found ||
            (is_dictionary_encoding(found) && is_dictionary_encoding(info->encodings[i])))
            return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, ak_page_place(reader->chunk, b->offset),
                      "expected a page in an encoding that the footer lists, found %s", name);
}

static akidb_status take_data(ak_page_reader *reader, const body *b, ak_page *page,
                              akidb_error *err)
{
    uint64_t left = (uint64_t)reader->chunk->info->num_values - reader->values;
    uint64_t values = (uint64_t)b->header.num_values;
    if (values > left)
        return corrupt(reader, b->offset, err,
                       "a page within the values that the footer counts, at most ", left, values);
    akidb_status status = check_encoding(reader, b, err);
    if (status != AKIDB_OK)
        return status;
    reader->values += values;
    *page =
        (ak_page){.offset = b->offset, .values = (uint32_t)values, .encoding = b->header.encoding};
    return b->header.type == AK_PAGE_DATA ? split_v1(reader, b, page, err)
                                          : split_v2(reader, b, page, err);
}

akidb_status ak_page_reader_next(ak_page_reader *reader, ak_page *page_out, bool *done_out,
                                 akidb_error *err)
{
    *page_out = (ak_page){0};
    *done_out = false;
    while (reader->at < reader->chunk->bytes.size) {
        body b;
        akidb_status status = take_body(reader, &b, err);
        if (status == AKIDB_OK && b.header.type == AK_PAGE_DICTIONARY)
            status = take_dictionary(reader, &b, err);
        if (status != AKIDB_OK)
            return status;
        if (b.header.type == AK_PAGE_DATA || b.header.type == AK_PAGE_DATA_V2)
            return take_data(reader, &b, page_out, err);
    }
    *done_out = true;
    if (reader->values == (uint64_t)reader->chunk->info->num_values)
        return AKIDB_OK;
    return corrupt(reader, reader->chunk->offset, err,
                   "pages with as many values as the footer counts, ",
                   (uint64_t)reader->chunk->info->num_values, reader->values);
}
