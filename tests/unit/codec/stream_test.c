#include "codec/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

#include "test.h"

static const ak_stream_codec codecs[] = {AK_STREAM_NONE, AK_STREAM_GZIP, AK_STREAM_SNAPPY,
                                         AK_STREAM_ZSTD};
enum { CODECS = 4 };

/* Encodes in pieces of `piece` bytes. */
static akidb_buffer encode(ak_stream_codec codec, akidb_slice bytes, size_t piece)
{
    akidb_error err;
    akidb_buffer out = {0};
    ak_stream_encoder *encoder;
    assert_ok(err, ak_stream_encoder_new(codec, 0, &encoder, &err));
    for (size_t at = 0; at < bytes.size; at += piece) {
        size_t size = bytes.size - at < piece ? bytes.size - at : piece;
        akidb_slice slice = {(const uint8_t *)bytes.data + at, size};
        assert_ok(err, ak_stream_encode(encoder, slice, &out, &err));
    }
    assert_ok(err, ak_stream_encoder_finish(encoder, &out, &err));
    ak_stream_encoder_free(encoder);
    return out;
}

/* Decodes, handed over in pieces of `piece` bytes and asked for as many. */
static akidb_status decode(ak_stream_codec codec, akidb_slice bytes, size_t piece,
                           akidb_buffer *out)
{
    akidb_error err;
    ak_stream_decoder *decoder;
    assert_ok(err, ak_stream_decoder_new(codec, &decoder, &err));
    akidb_status status = AKIDB_OK;
    for (size_t at = 0; at < bytes.size && status == AKIDB_OK; at += piece) {
        size_t size = bytes.size - at < piece ? bytes.size - at : piece;
        akidb_slice left = {(const uint8_t *)bytes.data + at, size};
        size_t given;
        do {
            assert_ok(err, ak_buffer_reserve(out, piece, &err));
            status = ak_stream_decode(decoder, &left, out->data + out->size, piece, &given, &err);
            out->size += given;
        } while (status == AKIDB_OK && (given > 0 || left.size > 0));
    }
    if (status == AKIDB_OK)
        status = ak_stream_decoder_finish(decoder, &err);
    ak_stream_decoder_free(decoder);
    return status;
}

static akidb_buffer make_bytes(size_t size, bool random)
{
    akidb_error err;
    akidb_buffer bytes = {0};
    assert_ok(err, ak_buffer_reserve(&bytes, size, &err));
    bytes.size = size;
    if (random)
        test_random_bytes(size + 1, bytes.data, size);
    for (size_t i = 0; i < size && !random; i++)
        bytes.data[i] = (uint8_t) "0.125, -3.5"[i % 11];
    return bytes;
}

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 65535, 65536, 65537, 300000};
    static const size_t pieces[] = {7, 4096, 1 << 20};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        akidb_buffer bytes = make_bytes(sizes[s], s % 2 == 1);
        akidb_slice slice = {bytes.data, bytes.size};
        for (size_t c = 0; c < CODECS; c++) {
            for (size_t p = sizes[s] > 100000 ? 1 : 0; p < 3; p++) {
                akidb_buffer packed = encode(codecs[c], slice, pieces[p]);
                akidb_buffer back = {0};
                assert_status(AKIDB_OK, decode(codecs[c], (akidb_slice){packed.data, packed.size},
                                               pieces[2 - p], &back));
                assert_int_equal(back.size, bytes.size);
                if (bytes.size > 0)
                    assert_memory_equal(back.data, bytes.data, bytes.size);
                akidb_buffer_free(&packed);
                akidb_buffer_free(&back);
            }
        }
        akidb_buffer_free(&bytes);
    }
}

static void streams_in_a_row_are_one(void **state)
{
    (void)state;
    for (size_t c = 0; c < CODECS; c++) {
        akidb_error err;
        akidb_buffer both = encode(codecs[c], (akidb_slice){"first ", 6}, 100);
        akidb_buffer second = encode(codecs[c], (akidb_slice){"second", 6}, 100);
        assert_ok(err, ak_buffer_append(&both, second.data, second.size, &err));
        akidb_buffer back = {0};
        assert_status(AKIDB_OK, decode(codecs[c], (akidb_slice){both.data, both.size}, 3, &back));
        assert_int_equal(back.size, 12);
        assert_memory_equal(back.data, "first second", 12);
        akidb_buffer_free(&both);
        akidb_buffer_free(&second);
        akidb_buffer_free(&back);
    }
}

static void a_cut_stream_is_corruption(void **state)
{
    (void)state;
    akidb_buffer bytes = make_bytes(2000, true);
    for (size_t c = 1; c < CODECS; c++) {
        akidb_buffer packed = encode(codecs[c], (akidb_slice){bytes.data, bytes.size}, 500);
        for (size_t cut = 0; cut < packed.size; cut++) {
            akidb_buffer back = {0};
            akidb_status status = decode(codecs[c], (akidb_slice){packed.data, cut}, 4096, &back);
            /* Ten bytes are Snappy's identifier alone: a whole stream of nothing. */
            bool whole = codecs[c] == AK_STREAM_SNAPPY && cut == 10;
            assert_int_equal(status, whole ? AKIDB_OK : AKIDB_E_CORRUPTION);
            akidb_buffer_free(&back);
        }
        akidb_buffer_free(&packed);
    }
    akidb_buffer_free(&bytes);
}

static void a_flipped_bit_never_gives_other_bytes(void **state)
{
    (void)state;
    akidb_buffer bytes = make_bytes(300, true);
    for (size_t c = 1; c < CODECS; c++) {
        akidb_buffer packed = encode(codecs[c], (akidb_slice){bytes.data, bytes.size}, 500);
        for (size_t bit = 0; bit < packed.size * 8; bit++) {
            packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
            akidb_buffer back = {0};
            akidb_slice slice = {packed.data, packed.size};
            if (decode(codecs[c], slice, 4096, &back) == AKIDB_OK && back.size > 0) {
                assert_int_equal(back.size, bytes.size);
                assert_memory_equal(back.data, bytes.data, bytes.size);
            }
            akidb_buffer_free(&back);
            packed.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        akidb_buffer_free(&packed);
    }
    akidb_buffer_free(&bytes);
}

static void snappy_frames_are_spelled_as_the_format_has_them(void **state)
{
    (void)state;
    akidb_buffer packed = encode(AK_STREAM_SNAPPY, (akidb_slice){"123456789", 9}, 100);
    /* CRC-32C of the digits is 0xE3069283, stored rotated and offset. */
    uint8_t wanted[] = "\xFF\x06\0\0sNaPpY\x01\x0D\0\0----123456789";
    uint32_t crc = UINT32_C(0xE3069283);
    crc = ((crc >> 15) | (crc << 17)) + UINT32_C(0xA282EAD8);
    for (int i = 0; i < 4; i++)
        wanted[14 + i] = (uint8_t)(crc >> (8 * i));
    assert_int_equal(packed.size, sizeof wanted - 1);
    assert_memory_equal(packed.data, wanted, sizeof wanted - 1);
    akidb_buffer_free(&packed);
}

static void snappy_skips_what_may_be_skipped(void **state)
{
    (void)state;
    akidb_error err;
    static const uint8_t skippable[] = {0x80, 3, 0, 0, 'a', 'b', 'c', 0xFE, 1, 0, 0, 0};
    static const uint8_t reserved[] = {0x02, 1, 0, 0, 'a'};
    akidb_buffer packed = encode(AK_STREAM_SNAPPY, (akidb_slice){"text", 4}, 100);
    assert_ok(err, ak_buffer_append(&packed, skippable, sizeof skippable, &err));
    akidb_buffer back = {0};
    assert_status(AKIDB_OK,
                  decode(AK_STREAM_SNAPPY, (akidb_slice){packed.data, packed.size}, 2, &back));
    assert_int_equal(back.size, 4);
    akidb_buffer_free(&back);
    assert_ok(err, ak_buffer_append(&packed, reserved, sizeof reserved, &err));
    assert_status(AKIDB_E_CORRUPTION,
                  decode(AK_STREAM_SNAPPY, (akidb_slice){packed.data, packed.size}, 2, &back));
    akidb_buffer_free(&back);
    akidb_buffer_free(&packed);
}

static void a_level_out_of_range_is_refused(void **state)
{
    (void)state;
    ak_stream_encoder *encoder;
    assert_status(AKIDB_E_VALIDATION, ak_stream_encoder_new(AK_STREAM_GZIP, 10, &encoder, NULL));
    assert_status(AKIDB_E_VALIDATION, ak_stream_encoder_new(AK_STREAM_ZSTD, 20, &encoder, NULL));
    assert_status(AKIDB_E_VALIDATION, ak_stream_encoder_new(AK_STREAM_SNAPPY, 1, &encoder, NULL));
    assert_status(AKIDB_E_VALIDATION, ak_stream_encoder_new(AK_STREAM_NONE, -1, &encoder, NULL));
    assert_null(encoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(streams_in_a_row_are_one),
        cmocka_unit_test(a_cut_stream_is_corruption),
        cmocka_unit_test(a_flipped_bit_never_gives_other_bytes),
        cmocka_unit_test(snappy_frames_are_spelled_as_the_format_has_them),
        cmocka_unit_test(snappy_skips_what_may_be_skipped),
        cmocka_unit_test(a_level_out_of_range_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
