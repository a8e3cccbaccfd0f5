#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codec/stream_ops.h"

enum {
    GZIP_WINDOW = 15 + 16, /* the greatest window, in a gzip wrapper */
    PIECE = 64 * 1024
};

typedef struct gzip {
    z_stream stream;
    bool between; /* decoder: at the end of a member, and none begun */
} gzip;

/* zlib counts in unsigned int. */
static uInt bounded(size_t size)
{
    return size < UINT_MAX ? (uInt)size : UINT_MAX;
}

static akidb_status fail_zlib(akidb_error *err, int code, const char *doing)
{
    if (code == Z_MEM_ERROR)
        return ak_fail_memory(err, 0);
    return ak_fail(err, AKIDB_E_CORRUPTION, "gzip stream: %s: expected a gzip stream, found %s",
                   doing, code == Z_DATA_ERROR ? "damaged data" : "something else");
}

static akidb_status encoder_new(int level, void **state_out, akidb_error *err)
{
    gzip *state = calloc(1, sizeof *state);
    if (state == NULL)
        return ak_fail_memory(err, sizeof *state);
    int code = deflateInit2(&state->stream, level, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY);
    if (code != Z_OK) {
        free(state);
        return fail_zlib(err, code, "compressing");
    }
    *state_out = state;
    return AKIDB_OK;
}

static akidb_status encode(void *handle, akidb_slice bytes, bool finish, akidb_buffer *out,
                           akidb_error *err)
{
    gzip *state = handle;
    const uint8_t *next = bytes.data;
    size_t left = bytes.size;
    int code = Z_OK;
    do {
        akidb_status status = ak_buffer_reserve(out, PIECE, err);
        if (status != AKIDB_OK)
            return status;
        state->stream.next_in = (Bytef *)(uintptr_t)next;
        state->stream.avail_in = bounded(left);
        state->stream.next_out = out->data + out->size;
        state->stream.avail_out = PIECE;
        code = deflate(&state->stream, finish ? Z_FINISH : Z_NO_FLUSH);
        if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
            return fail_zlib(err, code, "compressing");
        size_t taken = bounded(left) - state->stream.avail_in;
        if (taken > 0)
            next += taken;
        left -= taken;
        out->size += PIECE - state->stream.avail_out;
        /* A full piece means that more may be waiting. */
    } while (left > 0 || state->stream.avail_out == 0 || (finish && code != Z_STREAM_END));
    return AKIDB_OK;
}

static void encoder_free(void *handle)
{
    gzip *state = handle;
    deflateEnd(&state->stream);
    free(state);
}

static akidb_status decoder_new(void **state_out, akidb_error *err)
{
    gzip *state = calloc(1, sizeof *state);
    if (state == NULL)
        return ak_fail_memory(err, sizeof *state);
    int code = inflateInit2(&state->stream, GZIP_WINDOW);
    if (code != Z_OK) {
        free(state);
        return fail_zlib(err, code, "decompressing");
    }
    *state_out = state;
    return AKIDB_OK;
}

static akidb_status decode(void *handle, akidb_slice *bytes, uint8_t *out, size_t capacity,
                           size_t *size_out, akidb_error *err)
{
    gzip *state = handle;
    if (state->between) {
        if (bytes->size == 0)
            return AKIDB_OK;
        if (inflateReset(&state->stream) != Z_OK)
            return fail_zlib(err, Z_STREAM_ERROR, "decompressing");
        state->between = false;
    }
    uInt offered = bounded(bytes->size), room = bounded(capacity);
    state->stream.next_in = (Bytef *)(uintptr_t)bytes->data;
    state->stream.avail_in = offered;
    state->stream.next_out = out;
    state->stream.avail_out = room;
    int code = inflate(&state->stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        return fail_zlib(err, code, "decompressing");
    state->between = code == Z_STREAM_END;
    size_t taken = offered - state->stream.avail_in;
    if (taken > 0)
        *bytes = (akidb_slice){(const uint8_t *)bytes->data + taken, bytes->size - taken};
    *size_out = room - state->stream.avail_out;
    return AKIDB_OK;
}

static bool at_end(const void *handle)
{
    return ((const gzip *)handle)->between;
}

static void decoder_free(void *handle)
{
    gzip *state = handle;
    inflateEnd(&state->stream);
    free(state);
}

const ak_stream_ops ak_stream_gzip = {
    .name = "gzip",
    .level_max = 9,
    .level_default = 6,
    .encoder_new = encoder_new,
    .encode = encode,
    .encoder_free = encoder_free,
    .decoder_new = decoder_new,
    .decode = decode,
    .at_end = at_end,
    .decoder_free = decoder_free,
};
