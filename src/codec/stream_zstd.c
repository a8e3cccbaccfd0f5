#include <stdlib.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codec/stream_ops.h"

static akidb_status encoder_new(int level, void **state_out, akidb_error *err)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    if (context == NULL)
        return ak_fail_memory(err, 0);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1))) {
        ZSTD_freeCCtx(context);
        return ak_fail(err, AKIDB_E_UNSUPPORTED, "zstd level %d: refused by the library", level);
    }
    *state_out = context;
    return AKIDB_OK;
}

static akidb_status encode(void *handle, akidb_slice bytes, bool finish, akidb_buffer *out,
                           akidb_error *err)
{
    const size_t piece = ZSTD_CStreamOutSize();
    ZSTD_inBuffer in = {bytes.data, bytes.size, 0};
    size_t waiting;
    do {
        akidb_status status = ak_buffer_reserve(out, piece, err);
        if (status != AKIDB_OK)
            return status;
        ZSTD_outBuffer space = {out->data + out->size, piece, 0};
        waiting = ZSTD_compressStream2(handle, &space, &in, finish ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(waiting))
            return ak_fail_memory(err, 0); /* the only way in which compression fails */
        out->size += space.pos;
    } while (in.pos < in.size || (finish && waiting > 0));
    return AKIDB_OK;
}

static void encoder_free(void *handle)
{
    ZSTD_freeCCtx(handle);
}

typedef struct decoder {
    ZSTD_DCtx *context;
    bool between; /* at the end of a frame, and none begun */
} decoder;

static akidb_status decoder_new(void **state_out, akidb_error *err)
{
    decoder *state = calloc(1, sizeof *state);
    if (state == NULL)
        return ak_fail_memory(err, sizeof *state);
    state->context = ZSTD_createDCtx();
    if (state->context == NULL) {
        free(state);
        return ak_fail_memory(err, 0);
    }
    *state_out = state;
    return AKIDB_OK;
}

static akidb_status decode(void *handle, akidb_slice *bytes, uint8_t *out, size_t capacity,
                           size_t *size_out, akidb_error *err)
{
    decoder *state = handle;
    if (state->between && bytes->size == 0)
        return AKIDB_OK;
    ZSTD_inBuffer in = {bytes->data, bytes->size, 0};
    ZSTD_outBuffer space = {out, capacity, 0};
    size_t hint = ZSTD_decompressStream(state->context, &space, &in);
    if (ZSTD_isError(hint))
        return ak_fail(err, AKIDB_E_CORRUPTION,
                       "zstd stream: expected a zstd frame, found damaged data: %s",
                       ZSTD_getErrorName(hint));
    state->between = hint == 0;
    if (in.pos > 0)
        *bytes = (akidb_slice){(const uint8_t *)bytes->data + in.pos, bytes->size - in.pos};
    *size_out = space.pos;
    return AKIDB_OK;
}

static bool at_end(const void *handle)
{
    return ((const decoder *)handle)->between;
}

static void decoder_free(void *handle)
{
    decoder *state = handle;
    ZSTD_freeDCtx(state->context);
    free(state);
}

const ak_stream_ops ak_stream_zstd = {
    .name = "zstd",
    .level_max = 19,
    .level_default = 1,
    .encoder_new = encoder_new,
    .encode = encode,
    .encoder_free = encoder_free,
    .decoder_new = decoder_new,
    .decode = decode,
    .at_end = at_end,
    .decoder_free = decoder_free,
};
