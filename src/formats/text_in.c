#include "formats/text_in.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

enum { TEXT_BYTES = 256 << 10, MAGIC_MAX = 4 };

akidb_status ak_text_in_open(ak_text_in *text, const char *path, akidb_error *err)
{
    *text = (ak_text_in){0};
    return ak_stream_in_open(&text->in, path, err);
}

void ak_text_in_close(ak_text_in *text)
{
    ak_stream_in_close(&text->in);
    ak_stream_decoder_free(text->decoder);
    akidb_buffer_free(&text->stored);
    text->decoder = NULL;
}

static akidb_status read_stored(ak_text_in *text, akidb_error *err)
{
    size_t before = text->stored.size;
    akidb_status status = ak_stream_in_read(&text->in, &text->stored, err);
    text->ended = status == AKIDB_OK && text->stored.size == before;
    return status;
}

/* Neither can begin a text. A zstd file may begin with a frame to be skipped (RFC 8878, 3.1.2), as
 * those of pzstd do. */
static ak_stream_codec codec_of(const akidb_buffer *bytes)
{
    if (bytes->size >= 2 && memcmp(bytes->data, "\x1F\x8B", 2) == 0)
        return AK_STREAM_GZIP;
    if (bytes->size >= 4 && memcmp(bytes->data, "\x28\xB5\x2F\xFD", 4) == 0)
        return AK_STREAM_ZSTD;
    if (bytes->size >= 4 && (bytes->data[0] & 0xF0) == 0x50 &&
        memcmp(bytes->data + 1, "\x2A\x4D\x18", 3) == 0)
        return AK_STREAM_ZSTD;
    return AK_STREAM_NONE;
}

static akidb_status begin(ak_text_in *text, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    text->begun = true;
    while (status == AKIDB_OK && !text->ended && text->stored.size < MAGIC_MAX)
        status = read_stored(text, err);
    ak_stream_codec codec = codec_of(&text->stored);
    if (status != AKIDB_OK || codec == AK_STREAM_NONE)
        return status;
    return ak_stream_decoder_new(codec, &text->decoder, err);
}

/* Decodes some of what is stored; nothing when more must be read. */
static akidb_status decode(ak_text_in *text, akidb_buffer *buffer, size_t *size_out,
                           akidb_error *err)
{
    *size_out = 0;
    akidb_status status = ak_buffer_reserve(buffer, TEXT_BYTES, err);
    while (status == AKIDB_OK && *size_out == 0) {
        akidb_slice rest = {text->stored.data + text->at, text->stored.size - text->at};
        size_t before = rest.size;
        status = ak_stream_decode(text->decoder, &rest, buffer->data + buffer->size, TEXT_BYTES,
                                  size_out, err);
        text->at = text->stored.size - rest.size;
        if (status == AKIDB_OK && *size_out == 0 && rest.size == before && before > 0)
            return ak_fail(err, AKIDB_E_CORRUPTION,
                           "expected compressed data, found bytes that mean nothing");
        if (before == 0)
            break;
    }
    if (status == AKIDB_OK)
        buffer->size += *size_out;
    return status;
}

static akidb_status read_compressed(ak_text_in *text, akidb_buffer *buffer, akidb_error *err)
{
    for (;;) {
        size_t size;
        akidb_status status = decode(text, buffer, &size, err);
        if (status != AKIDB_OK || size > 0)
            return status;
        if (text->ended)
            return ak_stream_decoder_finish(text->decoder, err);
        text->stored.size = text->at = 0;
        status = read_stored(text, err);
        if (status != AKIDB_OK)
            return status;
    }
}

akidb_status ak_text_in_read(ak_text_in *text, akidb_buffer *buffer, akidb_error *err)
{
    akidb_status status = text->begun ? AKIDB_OK : begin(text, err);
    if (status != AKIDB_OK)
        return status;
    if (text->decoder != NULL) {
        akidb_error inner = {.offset = -1};
        status = read_compressed(text, buffer, &inner);
        if (status == AKIDB_E_CORRUPTION)
            return ak_fail_at(err, status, AK_IN(text->in.name), "%s", inner.message);
        if (status != AKIDB_OK && err != NULL)
            *err = inner;
        return status;
    }
    if (text->stored.size == 0)
        return text->ended ? AKIDB_OK : ak_stream_in_read(&text->in, buffer, err);
    status = ak_buffer_append(buffer, text->stored.data, text->stored.size, err);
    text->stored.size = 0;
    return status;
}

bool ak_text_in_ready(const ak_text_in *text)
{
    return text->ended || text->at < text->stored.size || ak_stream_in_ready(&text->in);
}
