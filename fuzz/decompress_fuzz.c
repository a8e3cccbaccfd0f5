/* layers: codec */
/* Damaged compressed bytes, as whole blocks and as streams: exactly the expected size, or an error.
 * Input: codec (from 128 on: of a stream), expected size (two bytes), then the bytes. */
#include <stdlib.h>
#include <string.h>

#include "codec/compress.h"
#include "codec/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_block(int codec, size_t out_size, akidb_slice bytes)
{
    ak_decompressor *decompressor;
    uint8_t *first = malloc(out_size + (out_size == 0));
    uint8_t *second = malloc(out_size + (out_size == 0));
    require(first != NULL && second != NULL);
    require(ak_decompressor_new(&decompressor, NULL) == AKIDB_OK);
    memset(first, 0x55, out_size);
    memset(second, 0xAA, out_size);
    akidb_error err;
    akidb_status status = ak_decompress(decompressor, codec, bytes, first, out_size, &err);
    require(status == AKIDB_OK || status == AKIDB_E_CORRUPTION || status == AKIDB_E_UNSUPPORTED);
    require((status == AKIDB_E_UNSUPPORTED) == !ak_codec_can_read(codec));
    /* The used decompressor says the same again, and has set every byte. */
    require(ak_decompress(decompressor, codec, bytes, second, out_size, &err) == status);
    if (status == AKIDB_OK)
        require(memcmp(first, second, out_size) == 0);
    ak_decompressor_free(decompressor);
    free(first);
    free(second);
}

static void check_stream(ak_stream_codec codec, size_t room, akidb_slice bytes)
{
    enum { STEPS_MAX = 2000 }; /* a bomb need not be blown up to its end */
    ak_stream_decoder *decoder;
    uint8_t *out = malloc(room);
    require(out != NULL);
    require(ak_stream_decoder_new(codec, &decoder, NULL) == AKIDB_OK);
    for (int step = 0; step < STEPS_MAX; step++) {
        size_t left = bytes.size, given = 0;
        akidb_error err;
        akidb_status status = ak_stream_decode(decoder, &bytes, out, room, &given, &err);
        require(given <= room && bytes.size <= left);
        require(status == AKIDB_OK || status == AKIDB_E_CORRUPTION ||
                status == AKIDB_E_UNSUPPORTED || status == AKIDB_E_LIMIT);
        if (status != AKIDB_OK || (given == 0 && bytes.size == left))
            break;
    }
    ak_stream_decoder_free(decoder);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    size_t expected = (size_t)data[1] | (size_t)data[2] << 8;
    const akidb_slice bytes = {data + 3, size - 3};
    if (data[0] < 128)
        check_block(data[0] % 10, expected, bytes);
    else
        check_stream((ak_stream_codec)(data[0] % 4), expected + 1, bytes);
    return 0;
}
