/* A JSON part: one array of documents, as formats/json_documents.h spells them, maybe compressed.
 * Its stored bytes are divided into blocks with a checksum each, so that a reader can check a block
 * before it hands out the documents in it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/error.h"
#include "codec/stream.h"
#include "document/documents.h"
#include "formats/json_documents.h"
#include "formats/json_texts.h"
#include "os/pool.h"
#include "snapshot/format.h"

enum {
    BLOCK_SIZE = 1 << 20,      /* of stored bytes with a checksum of their own */
    BLOCK_SIZE_MAX = 16 << 20, /* what is taken of other writers */
    TEXT_SIZE = 256 << 10      /* about so much text is decoded at once, by each thread */
};

static akidb_status stream_codec(akidb_compression compression, const char *name,
                                 ak_stream_codec *codec_out, akidb_error *err)
{
    switch (compression) {
    case AKIDB_COMPRESSION_NONE: *codec_out = AK_STREAM_NONE; return AKIDB_OK;
    case AKIDB_COMPRESSION_GZIP: *codec_out = AK_STREAM_GZIP; return AKIDB_OK;
    case AKIDB_COMPRESSION_SNAPPY: *codec_out = AK_STREAM_SNAPPY; return AKIDB_OK;
    case AKIDB_COMPRESSION_ZSTD: *codec_out = AK_STREAM_ZSTD; return AKIDB_OK;
    default: break;
    }
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(name),
                      "JSON compressed with %s: expected none, gzip, snappy or zstd",
                      akidb_compression_name(compression));
}

/* ---- writing --------------------------------------------------------------------------------- */

typedef struct json_writer {
    akidb_output output;
    ak_stream_encoder *encoder;
    ak_json_texts *texts;
    akidb_buffer stored; /* encoded, not yet a block */
    akidb_parquet_row_group_summary *blocks;
    size_t block_count, block_capacity;
    uint64_t size;
    uint32_t crc32c;
} json_writer;

static void writer_free(void *handle)
{
    json_writer *writer = handle;
    if (writer == NULL)
        return;
    ak_json_texts_free(writer->texts);
    ak_stream_encoder_free(writer->encoder);
    akidb_buffer_free(&writer->stored);
    free(writer->blocks);
    free(writer);
}

/* Writes the first `size` stored bytes as a block. */
static akidb_status put_block(json_writer *writer, const uint8_t *bytes, size_t size,
                              akidb_error *err)
{
    void *blocks = writer->blocks;
    akidb_status status = ak_array_reserve(&blocks, &writer->block_capacity,
                                           writer->block_count + 1, sizeof *writer->blocks, err);
    writer->blocks = blocks;
    akidb_slice slice = {bytes, size};
    if (status == AKIDB_OK)
        status = akidb_output_write(&writer->output, &slice, 1, err);
    if (status != AKIDB_OK)
        return status;
    uint32_t crc = ak_crc32c(0, bytes, size);
    writer->blocks[writer->block_count++] = (akidb_parquet_row_group_summary){
        .all = {.offset = writer->size, .size = size, .crc32c = crc},
        .small = {.offset = writer->size, .size = 0, .crc32c = 0},
    };
    writer->crc32c = ak_crc32c_combine(writer->crc32c, crc, size);
    writer->size += size;
    return AKIDB_OK;
}

/* Writes the stored bytes that fill blocks; at the end the rest too. */
static akidb_status put_blocks(json_writer *writer, bool end, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    size_t at = 0;
    while (status == AKIDB_OK && writer->stored.size - at >= (end ? 1 : BLOCK_SIZE)) {
        size_t left = writer->stored.size - at;
        size_t size = left < BLOCK_SIZE ? left : BLOCK_SIZE;
        status = put_block(writer, writer->stored.data + at, size, err);
        at += size;
    }
    if (status == AKIDB_OK && at > 0) {
        memmove(writer->stored.data, writer->stored.data + at, writer->stored.size - at);
        writer->stored.size -= at;
    }
    return status;
}

static akidb_slice literal(const char *text)
{
    return (akidb_slice){text, strlen(text)};
}

static akidb_status encode(json_writer *writer, akidb_slice text, akidb_error *err)
{
    akidb_status status = ak_stream_encode(writer->encoder, text, &writer->stored, err);
    return status == AKIDB_OK ? put_blocks(writer, false, err) : status;
}

static akidb_status writer_open(const ak_part_target *target, void **writer_out, akidb_error *err)
{
    *writer_out = NULL;
    const akidb_parquet_options *options = &target->snapshotter->parquet;
    ak_stream_codec codec;
    akidb_status status = stream_codec(options->compression, NULL, &codec, err);
    if (status != AKIDB_OK)
        return status;
    json_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return ak_fail_memory(err, sizeof *writer);
    writer->output = target->output;
    status = ak_stream_encoder_new(codec, options->compression_level, &writer->encoder, err);
    if (status == AKIDB_OK)
        status = ak_json_texts_new((ak_json_style){.lines = false}, target->snapshotter->threads,
                                   &writer->texts, err);
    if (status == AKIDB_OK)
        status = encode(writer, literal(AK_JSON_ARRAY_BEGIN), err);
    if (status != AKIDB_OK) {
        writer_free(writer);
        return status;
    }
    *writer_out = writer;
    return AKIDB_OK;
}

static akidb_status put_text(void *handle, akidb_slice text, akidb_error *err)
{
    return encode(handle, text, err);
}

static akidb_status append(void *handle, const akidb_batch *batch, bool last, akidb_error *err)
{
    (void)last;
    json_writer *writer = handle;
    return ak_json_texts_append(writer->texts, batch, put_text, writer, err);
}

static uint64_t size(const void *handle)
{
    return ((const json_writer *)handle)->size;
}

static akidb_status finish(void *handle, akidb_parquet_summary *summary_out, akidb_error *err)
{
    json_writer *writer = handle;
    *summary_out = (akidb_parquet_summary){0};
    akidb_status status = encode(writer, literal(AK_JSON_ARRAY_END), err);
    if (status == AKIDB_OK)
        status = ak_stream_encoder_finish(writer->encoder, &writer->stored, err);
    if (status == AKIDB_OK)
        status = put_blocks(writer, true, err);
    if (status != AKIDB_OK)
        return status;
    *summary_out = (akidb_parquet_summary){
        .rows = ak_json_texts_rows(writer->texts),
        .file = {.offset = 0, .size = writer->size, .crc32c = writer->crc32c},
        .tail = {.offset = writer->size, .size = 0, .crc32c = 0},
        .row_group_count = writer->block_count,
        .row_groups = writer->blocks,
    };
    return AKIDB_OK;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Text is made of stored bytes by pieces, on any thread, one at a time, while the documents of the
 * piece before are decoded. */
typedef struct json_part {
    ak_part_source source;
    ak_pool *pool;
    ak_task making; /* `text`, the next piece; nothing else may touch what follows meanwhile */
    ak_stream_decoder *decoder;
    size_t next_block;
    uint64_t offset;       /* of the next block */
    akidb_buffer block;    /* stored bytes, checked */
    akidb_slice undecoded; /* the rest of the block */
    uint8_t *text;
    size_t text_size, text_capacity; /* no text: the end */
    akidb_status failed;             /* what comes after the text */
    akidb_error failure;
    ak_json_reader *reader;
    bool fed_all;
} json_part;

static void reader_close(void *handle)
{
    json_part *part = handle;
    if (part == NULL)
        return;
    if (part->pool != NULL)
        (void)!ak_pool_wait(part->pool, &part->making, NULL);
    ak_json_reader_free(part->reader);
    ak_pool_free(part->pool);
    ak_stream_decoder_free(part->decoder);
    akidb_buffer_free(&part->block);
    free(part->text);
    free(part);
}

/* Reads the next block and checks it; without stored checksums any cut is as good as another. */
static akidb_status read_block(json_part *part, akidb_error *err)
{
    const akidb_parquet_summary *summary = &part->source.part->summary;
    const char *key = part->source.part->key;
    uint64_t left = part->source.input->size - part->offset;
    bool checked = part->source.metadata->checked;
    uint64_t wanted = left < BLOCK_SIZE ? left : BLOCK_SIZE;
    if (checked)
        wanted = summary->row_groups[part->next_block].all.size;
    if (wanted > BLOCK_SIZE_MAX)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(key, part->offset),
                          "expected a block of at most %d bytes, found %" PRIu64, BLOCK_SIZE_MAX,
                          wanted);
    part->block.size = 0;
    akidb_status status = ak_buffer_reserve(&part->block, (size_t)wanted, err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(part->source.input, part->offset, part->block.data,
                                     (size_t)wanted, err);
    if (status != AKIDB_OK)
        return status;
    part->block.size = (size_t)wanted;
    if (checked) {
        uint32_t expected = summary->row_groups[part->next_block].all.crc32c;
        uint32_t found = ak_crc32c(0, part->block.data, part->block.size);
        if (found != expected)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(key, part->offset),
                              "block of %" PRIu64 " bytes: expected crc32c %08" PRIx32
                              ", found %08" PRIx32,
                              wanted, expected, found);
    }
    part->next_block++;
    part->offset += wanted;
    part->undecoded = (akidb_slice){part->block.data, part->block.size};
    return AKIDB_OK;
}

/* Decodes some more text, after what is there; none only at the end. */
static akidb_status decode_text(json_part *part, akidb_error *err)
{
    const char *key = part->source.part->key;
    for (;;) {
        size_t size = 0, before = part->undecoded.size;
        akidb_status status =
            ak_stream_decode(part->decoder, &part->undecoded, part->text + part->text_size,
                             part->text_capacity - part->text_size, &size, err);
        part->text_size += size;
        if (status != AKIDB_OK)
            ak_error_context(err, "%s", key);
        if (status != AKIDB_OK || size > 0)
            return status;
        if (part->undecoded.size > 0 && part->undecoded.size < before)
            continue;
        if (part->undecoded.size > 0)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(key, part->offset),
                              "expected compressed data, found bytes that mean nothing");
        if (part->offset < part->source.input->size) {
            status = read_block(part, err);
            if (status != AKIDB_OK)
                return status;
            continue;
        }
        status = ak_stream_decoder_finish(part->decoder, err);
        if (status != AKIDB_OK)
            ak_error_context(err, "%s", key);
        return status;
    }
}

/* Makes the next piece of text. What comes before a failure is a piece of its own, so that it does
 * not depend on the size of pieces which of two failures is told. */
static akidb_status make_piece(void *context, akidb_error *err)
{
    json_part *part = context;
    if (part->failed != AKIDB_OK) {
        *err = part->failure;
        return part->failed;
    }
    part->text_size = 0;
    akidb_status status = AKIDB_OK;
    bool more = true;
    while (status == AKIDB_OK && more && part->text_size < part->text_capacity) {
        size_t before = part->text_size;
        status = decode_text(part, err);
        more = part->text_size > before;
    }
    if (status == AKIDB_OK || part->text_size == 0)
        return status;
    part->failed = status;
    part->failure = *err;
    return AKIDB_OK;
}

/* Feeds the JSON reader with the piece of text that was made, and has the next one made; or tells
 * the reader that there is none. */
static akidb_status feed(json_part *part, akidb_error *err)
{
    akidb_status status = ak_pool_wait(part->pool, &part->making, err);
    if (status != AKIDB_OK)
        return status;
    if (part->text_size == 0) {
        ak_json_reader_finish(part->reader);
        part->fed_all = true;
        return AKIDB_OK;
    }
    status = ak_json_reader_feed(part->reader, (akidb_slice){part->text, part->text_size}, err);
    if (status == AKIDB_OK)
        ak_pool_submit(part->pool, &part->making, make_piece, part);
    return status;
}

static akidb_status open_part(json_part *part, akidb_error *err)
{
    const ak_part_source *source = &part->source;
    ak_stream_codec codec;
    akidb_status status =
        stream_codec(source->metadata->compression, source->part->key, &codec, err);
    if (status == AKIDB_OK)
        status = ak_stream_decoder_new(codec, &part->decoder, err);
    if (status == AKIDB_OK)
        status = ak_pool_new(source->threads, &part->pool, err);
    if (status != AKIDB_OK)
        return status;
    part->text_capacity = TEXT_SIZE * ak_pool_threads(part->pool);
    part->text = malloc(part->text_capacity);
    if (part->text == NULL)
        return ak_fail_memory(err, part->text_capacity);
    ak_json_read_options options = {
        .name = source->part->key,
        .stored = true,
        .columns = ak_filter_columns(source->filter),
        .dimension = source->metadata->dimension,
        .pool = part->pool,
    };
    return ak_json_reader_new(&options, &part->reader, err);
}

static akidb_status reader_open(const ak_part_source *source, void **reader_out, akidb_error *err)
{
    *reader_out = NULL;
    json_part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return ak_fail_memory(err, sizeof *part);
    part->source = *source;
    akidb_status status = open_part(part, err);
    if (status != AKIDB_OK) {
        reader_close(part);
        return status;
    }
    ak_pool_submit(part->pool, &part->making, make_piece, part);
    *reader_out = part;
    return AKIDB_OK;
}

static akidb_status check_rows(const json_part *part, akidb_error *err)
{
    uint64_t expected = part->source.part->summary.rows;
    uint64_t found = ak_json_reader_rows(part->reader);
    if (found == expected)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(part->source.part->key),
                      "expected %" PRIu64 " documents, as the metadata has it, found %" PRIu64,
                      expected, found);
}

/* As many rows as a Parquet row group would have by default. */
static size_t group_rows(const json_part *part)
{
    size_t by_bytes = AKIDB_ROW_GROUP_BYTES_DEFAULT / (part->source.metadata->dimension * 4);
    return by_bytes < AKIDB_ROW_GROUP_ROWS_DEFAULT ? by_bytes : AKIDB_ROW_GROUP_ROWS_DEFAULT;
}

static akidb_status next(void *handle, size_t groups, akidb_documents *documents, bool *done_out,
                         akidb_error *err)
{
    json_part *part = handle;
    *done_out = false;
    size_t most = documents->rows + groups * group_rows(part);
    for (;;) {
        bool more = false;
        akidb_status status = ak_json_reader_read(part->reader, most, documents, &more, err);
        if (status != AKIDB_OK)
            return status;
        if (more)
            return AKIDB_OK;
        if (part->fed_all) {
            *done_out = true;
            return check_rows(part, err);
        }
        status = feed(part, err);
        if (status != AKIDB_OK)
            return status;
    }
}

const ak_format_ops ak_format_json = {
    .writer_open = writer_open,
    .append = append,
    .size = size,
    .finish = finish,
    .writer_free = writer_free,
    .reader_open = reader_open,
    .next = next,
    .reader_close = reader_close,
};
