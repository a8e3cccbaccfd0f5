#include "codec/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codec/stream_ops.h"

/* `ops` is NULL for the codec that leaves bytes as they are. */
struct ak_stream_encoder {
    const ak_stream_ops *ops;
    void *state;
};

struct ak_stream_decoder {
    const ak_stream_ops *ops;
    void *state;
};

static akidb_status find_ops(ak_stream_codec codec, const ak_stream_ops **ops_out, akidb_error *err)
{
    switch (codec) {
    case AK_STREAM_NONE: *ops_out = NULL; return AKIDB_OK;
    case AK_STREAM_GZIP: *ops_out = &ak_stream_gzip; return AKIDB_OK;
    case AK_STREAM_SNAPPY: *ops_out = &ak_stream_snappy; return AKIDB_OK;
    case AK_STREAM_ZSTD: *ops_out = &ak_stream_zstd; return AKIDB_OK;
    }
    return ak_fail(err, AKIDB_E_VALIDATION, "stream codec: expected 0 to 3, found %d", (int)codec);
}

/* ---- encoder --------------------------------------------------------------------------------- */

static akidb_status check_level(const ak_stream_ops *ops, int level, akidb_error *err)
{
    int most = ops == NULL ? 0 : ops->level_max;
    if (level >= 0 && level <= most)
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_VALIDATION, "compression level of %s: expected 0 to %d, found %d",
                   ops == NULL ? "none" : ops->name, most, level);
}

akidb_status ak_stream_encoder_new(ak_stream_codec codec, int level,
                                   ak_stream_encoder **encoder_out, akidb_error *err)
{
    *encoder_out = NULL;
    const ak_stream_ops *ops;
    akidb_status status = find_ops(codec, &ops, err);
    if (status == AKIDB_OK)
        status = check_level(ops, level, err);
    if (status != AKIDB_OK)
        return status;
    ak_stream_encoder *encoder = calloc(1, sizeof *encoder);
    if (encoder == NULL)
        return ak_fail_memory(err, sizeof *encoder);
    encoder->ops = ops;
    if (ops != NULL)
        status = ops->encoder_new(level == 0 ? ops->level_default : level, &encoder->state, err);
    if (status != AKIDB_OK) {
        free(encoder);
        return status;
    }
    *encoder_out = encoder;
    return AKIDB_OK;
}

void ak_stream_encoder_free(ak_stream_encoder *encoder)
{
    if (encoder == NULL)
        return;
    if (encoder->ops != NULL)
        encoder->ops->encoder_free(encoder->state);
    free(encoder);
}

akidb_status ak_stream_encode(ak_stream_encoder *encoder, akidb_slice bytes, akidb_buffer *out,
                              akidb_error *err)
{
    if (encoder->ops == NULL)
        return ak_buffer_append(out, bytes.data, bytes.size, err);
    return encoder->ops->encode(encoder->state, bytes, false, out, err);
}

akidb_status ak_stream_encoder_finish(ak_stream_encoder *encoder, akidb_buffer *out,
                                      akidb_error *err)
{
    if (encoder->ops == NULL)
        return AKIDB_OK;
    return encoder->ops->encode(encoder->state, (akidb_slice){NULL, 0}, true, out, err);
}

/* ---- decoder --------------------------------------------------------------------------------- */

akidb_status ak_stream_decoder_new(ak_stream_codec codec, ak_stream_decoder **decoder_out,
                                   akidb_error *err)
{
    *decoder_out = NULL;
    const ak_stream_ops *ops;
    akidb_status status = find_ops(codec, &ops, err);
    if (status != AKIDB_OK)
        return status;
    ak_stream_decoder *decoder = calloc(1, sizeof *decoder);
    if (decoder == NULL)
        return ak_fail_memory(err, sizeof *decoder);
    decoder->ops = ops;
    if (ops != NULL)
        status = ops->decoder_new(&decoder->state, err);
    if (status != AKIDB_OK) {
        free(decoder);
        return status;
    }
    *decoder_out = decoder;
    return AKIDB_OK;
}

void ak_stream_decoder_free(ak_stream_decoder *decoder)
{
    if (decoder == NULL)
        return;
    if (decoder->ops != NULL)
        decoder->ops->decoder_free(decoder->state);
    free(decoder);
}

akidb_status ak_stream_decode(ak_stream_decoder *decoder, akidb_slice *bytes, uint8_t *out,
                              size_t capacity, size_t *size_out, akidb_error *err)
{
    *size_out = 0;
    if (decoder->ops != NULL)
        return decoder->ops->decode(decoder->state, bytes, out, capacity, size_out, err);
    size_t size = bytes->size < capacity ? bytes->size : capacity;
    if (size == 0) /* the slice may be of no memory at all */
        return AKIDB_OK;
    memcpy(out, bytes->data, size);
    *bytes = (akidb_slice){(const uint8_t *)bytes->data + size, bytes->size - size};
    *size_out = size;
    return AKIDB_OK;
}

akidb_status ak_stream_decoder_finish(const ak_stream_decoder *decoder, akidb_error *err)
{
    if (decoder->ops == NULL || decoder->ops->at_end(decoder->state))
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_CORRUPTION, "%s stream: expected its end, found no more bytes",
                   decoder->ops->name);
}
