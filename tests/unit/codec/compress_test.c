#include "codec/compress.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/buffer.h"
#include "codec/split.h"
#include "test.h"

static const ak_codec writable[] = {AK_CODEC_UNCOMPRESSED, AK_CODEC_SNAPPY, AK_CODEC_GZIP,
                                    AK_CODEC_ZSTD, AK_CODEC_LZ4_RAW};
enum { WRITABLE = sizeof writable / sizeof writable[0] };

static akidb_slice slice_of(const akidb_buffer *buffer)
{
    return (akidb_slice){buffer->data, buffer->size};
}

static akidb_buffer compressed(ak_codec codec, int level, const akidb_slice *slices, size_t count)
{
    akidb_error err;
    ak_compressor *compressor;
    akidb_buffer buffer = {0};
    assert_ok(err, ak_compressor_new(codec, level, &compressor, &err));
    assert_ok(err, ak_compress(compressor, slices, count, &buffer, &err));
    ak_compressor_free(compressor);
    return buffer;
}

/* Decompresses from and into memory of just the right size, so that a sanitizer sees more. */
static akidb_status decompress(int codec, akidb_slice bytes, uint8_t *out, size_t out_size)
{
    akidb_error err;
    ak_decompressor *decompressor;
    assert_ok(err, ak_decompressor_new(&decompressor, &err));
    uint8_t *from = malloc(bytes.size + (bytes.size == 0));
    uint8_t *to = malloc(out_size + (out_size == 0));
    assert_non_null(from);
    assert_non_null(to);
    if (bytes.data != NULL)
        memcpy(from, bytes.data, bytes.size);
    akidb_status status =
        ak_decompress(decompressor, codec, (akidb_slice){from, bytes.size}, to, out_size, &err);
    if (status == AKIDB_OK && out_size > 0)
        memcpy(out, to, out_size);
    free(from);
    free(to);
    ak_decompressor_free(decompressor);
    return status;
}

/* Half noise, half repetition. */
static void fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    test_random_bytes(seed, bytes, size);
    for (size_t i = 0; i < size; i++)
        if (i / 64 % 2 == 0)
            bytes[i] = (uint8_t)(i % 7);
}

static void what_is_compressed_comes_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 17, 1000, 65536, 300001};
    static uint8_t bytes[300001], back[300001];
    fill(bytes, sizeof bytes, 1);
    for (size_t c = 0; c < WRITABLE; c++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            size_t size = sizes[s], third = size / 3;
            const akidb_slice one = {bytes, size};
            const akidb_slice three[] = {{bytes, third},
                                         {NULL, 0},
                                         {bytes + third, third},
                                         {bytes + 2 * third, size - 2 * third}};
            akidb_buffer whole = compressed(writable[c], 0, &one, 1);
            akidb_buffer pieces = compressed(writable[c], 0, three, 4);
            assert_status(AKIDB_OK, decompress((int)writable[c], slice_of(&whole), back, size));
            assert_memory_equal(back, bytes, size);
            assert_status(AKIDB_OK, decompress((int)writable[c], slice_of(&pieces), back, size));
            assert_memory_equal(back, bytes, size);
            if (size >= 1000 && writable[c] != AK_CODEC_UNCOMPRESSED)
                assert_true(whole.size < size);
            akidb_buffer_free(&whole);
            akidb_buffer_free(&pieces);
        }
    }
}

static void contexts_are_used_for_many_pages(void **state)
{
    (void)state;
    akidb_error err;
    uint8_t bytes[5000], back[5000];
    ak_decompressor *decompressor;
    assert_ok(err, ak_decompressor_new(&decompressor, &err));
    for (size_t c = 0; c < WRITABLE; c++) {
        ak_compressor *compressor;
        akidb_buffer buffer = {0};
        assert_ok(err, ak_compressor_new(writable[c], 0, &compressor, &err));
        for (size_t page = 0; page < 20; page++) {
            size_t size = 5000 - page * 100, before = buffer.size;
            fill(bytes, size, page);
            assert_ok(err, ak_compress(compressor, &(akidb_slice){bytes, size}, 1, &buffer, &err));
            akidb_slice added = {buffer.data + before, buffer.size - before};
            assert_ok(err, ak_decompress(decompressor, (int)writable[c], added, back, size, &err));
            assert_memory_equal(back, bytes, size);
            /* A damaged page between two good ones leaves no trace. */
            if (writable[c] != AK_CODEC_UNCOMPRESSED)
                assert_status(AKIDB_E_CORRUPTION,
                              ak_decompress(decompressor, (int)writable[c],
                                            (akidb_slice){added.data, added.size / 2}, back, size,
                                            &err));
        }
        akidb_buffer_free(&buffer);
        ak_compressor_free(compressor);
    }
    ak_decompressor_free(decompressor);
}

static void another_size_than_expected_is_corruption(void **state)
{
    (void)state;
    uint8_t bytes[1000], back[2000];
    fill(bytes, sizeof bytes, 2);
    for (size_t c = 0; c < WRITABLE; c++) {
        akidb_buffer buffer = compressed(writable[c], 0, &(akidb_slice){bytes, 1000}, 1);
        static const size_t wrong[] = {0, 1, 999, 1001, 2000};
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
            assert_status(AKIDB_E_CORRUPTION,
                          decompress((int)writable[c], slice_of(&buffer), back, wrong[i]));
        akidb_buffer_free(&buffer);
    }
}

static void every_truncation_is_corruption(void **state)
{
    (void)state;
    uint8_t bytes[600], back[600];
    fill(bytes, sizeof bytes, 3);
    for (size_t c = 0; c < WRITABLE; c++) {
        akidb_buffer buffer = compressed(writable[c], 0, &(akidb_slice){bytes, 600}, 1);
        for (size_t size = 0; size < buffer.size; size++)
            assert_status(
                AKIDB_E_CORRUPTION,
                decompress((int)writable[c], (akidb_slice){buffer.data, size}, back, 600));
        akidb_buffer_free(&buffer);
    }
}

static void flipped_bits_never_read_or_write_outside(void **state)
{
    (void)state;
    uint8_t bytes[300], back[300];
    fill(bytes, sizeof bytes, 4);
    for (size_t c = 1; c < WRITABLE; c++) {
        akidb_buffer buffer = compressed(writable[c], 0, &(akidb_slice){bytes, 300}, 1);
        for (size_t bit = 0; bit < buffer.size * 8; bit++) {
            buffer.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            akidb_status status = decompress((int)writable[c], slice_of(&buffer), back, 300);
            assert_true(status == AKIDB_OK || status == AKIDB_E_CORRUPTION);
            buffer.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        akidb_buffer_free(&buffer);
    }
}

static void an_empty_page_may_have_no_bytes(void **state)
{
    (void)state;
    uint8_t back[1];
    for (size_t c = 0; c < WRITABLE; c++) {
        assert_status(AKIDB_OK, decompress((int)writable[c], (akidb_slice){NULL, 0}, back, 0));
        assert_status(AKIDB_E_CORRUPTION,
                      decompress((int)writable[c], (akidb_slice){NULL, 0}, back, 1));
    }
}

static void gzip_members_follow_each_other(void **state)
{
    (void)state;
    akidb_error err;
    uint8_t bytes[3000], back[3000];
    fill(bytes, sizeof bytes, 5);
    akidb_buffer buffer = {0};
    for (size_t i = 0; i < 3; i++) {
        akidb_buffer member =
            compressed(AK_CODEC_GZIP, 0, &(akidb_slice){bytes + 1000 * i, 1000}, 1);
        assert_ok(err, ak_buffer_append(&buffer, member.data, member.size, &err));
        akidb_buffer_free(&member);
    }
    akidb_buffer empty = compressed(AK_CODEC_GZIP, 0, NULL, 0);
    assert_ok(err, ak_buffer_append(&buffer, empty.data, empty.size, &err));
    assert_status(AKIDB_OK, decompress(AK_CODEC_GZIP, slice_of(&buffer), back, 3000));
    assert_memory_equal(back, bytes, 3000);
    assert_status(AKIDB_E_CORRUPTION, decompress(AK_CODEC_GZIP, slice_of(&buffer), back, 2999));
    assert_ok(err, ak_buffer_append(&buffer, "rest", 4, &err));
    assert_status(AKIDB_E_CORRUPTION, decompress(AK_CODEC_GZIP, slice_of(&buffer), back, 3000));
    akidb_buffer_free(&empty);
    akidb_buffer_free(&buffer);
}

static void zstd_frames_need_no_content_size_and_follow_each_other(void **state)
{
    (void)state;
    uint8_t bytes[2000], back[2000], packed[6000];
    fill(bytes, sizeof bytes, 6);
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_non_null(context);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t first = ZSTD_compress2(context, packed, sizeof packed, bytes, 1500);
    assert_false(ZSTD_isError(first));
    assert_int_equal(ZSTD_getFrameContentSize(packed, first), ZSTD_CONTENTSIZE_UNKNOWN);
    size_t second =
        ZSTD_compress2(context, packed + first, sizeof packed - first, bytes + 1500, 500);
    assert_false(ZSTD_isError(second));
    ZSTD_freeCCtx(context);
    akidb_slice both = {packed, first + second};
    assert_status(AKIDB_OK, decompress(AK_CODEC_ZSTD, both, back, 2000));
    assert_memory_equal(back, bytes, 2000);
    assert_status(AKIDB_E_CORRUPTION, decompress(AK_CODEC_ZSTD, both, back, 1500));
    packed[first - 1] ^= 1; /* the frame's checksum */
    assert_status(AKIDB_E_CORRUPTION, decompress(AK_CODEC_ZSTD, both, back, 2000));
}

static void put_big_endian(uint8_t *to, size_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void the_old_lz4_is_frames_or_a_bare_block(void **state)
{
    (void)state;
    uint8_t bytes[2000], back[2000], frames[5000];
    fill(bytes, sizeof bytes, 7);
    size_t size = 0;
    for (size_t i = 0; i < 2; i++) {
        int block = LZ4_compress_default((const char *)bytes + 1000 * i, (char *)frames + size + 8,
                                         1000, (int)(sizeof frames - size - 8));
        assert_true(block > 0);
        put_big_endian(frames + size, 1000);
        put_big_endian(frames + size + 4, (size_t)block);
        size += 8 + (size_t)block;
    }
    assert_status(AKIDB_OK,
                  decompress(AK_CODEC_LZ4_HADOOP, (akidb_slice){frames, size}, back, 2000));
    assert_memory_equal(back, bytes, 2000);
    assert_status(AKIDB_E_CORRUPTION,
                  decompress(AK_CODEC_LZ4_HADOOP, (akidb_slice){frames, size - 1}, back, 2000));
    put_big_endian(frames, 0xFFFFFFFF);
    assert_status(AKIDB_E_CORRUPTION,
                  decompress(AK_CODEC_LZ4_HADOOP, (akidb_slice){frames, size}, back, 2000));

    akidb_buffer block = compressed(AK_CODEC_LZ4_RAW, 0, &(akidb_slice){bytes, 2000}, 1);
    assert_status(AKIDB_OK, decompress(AK_CODEC_LZ4_HADOOP, slice_of(&block), back, 2000));
    assert_memory_equal(back, bytes, 2000);
    akidb_buffer_free(&block);
}

static void a_length_that_snappy_claims_is_not_believed(void **state)
{
    (void)state;
    uint8_t back[16];
    const uint8_t huge[] = {0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x00, 'a'};
    assert_status(AKIDB_E_CORRUPTION,
                  decompress(AK_CODEC_SNAPPY, (akidb_slice){huge, sizeof huge}, back, 16));
}

static void codecs_have_the_names_and_abilities_of_the_format(void **state)
{
    (void)state;
    static const char *const names[] = {"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO",
                                        "BROTLI",       "LZ4",    "ZSTD", "LZ4_RAW"};
    for (int codec = 0; codec < 8; codec++) {
        assert_string_equal(ak_codec_name(codec), names[codec]);
        bool read = codec != AK_CODEC_LZO && codec != AK_CODEC_BROTLI;
        assert_int_equal(ak_codec_can_read(codec), read);
        assert_int_equal(ak_codec_can_write(codec), read && codec != AK_CODEC_LZ4_HADOOP);
    }
    assert_null(ak_codec_name(8));
    assert_null(ak_codec_name(-1));
    assert_false(ak_codec_can_read(8));
    assert_false(ak_codec_can_write(-1));
}

static void what_is_not_read_or_written_is_unsupported(void **state)
{
    (void)state;
    akidb_error err;
    uint8_t back[4];
    ak_compressor *compressor;
    static const int codecs[] = {AK_CODEC_LZO, AK_CODEC_BROTLI, 8, -1, 1000};
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        assert_status(AKIDB_E_UNSUPPORTED, decompress(codecs[i], (akidb_slice){"abc", 3}, back, 4));
        assert_status(AKIDB_E_UNSUPPORTED,
                      ak_compressor_new((ak_codec)codecs[i], 0, &compressor, &err));
        assert_null(compressor);
    }
    assert_status(AKIDB_E_UNSUPPORTED,
                  ak_compressor_new(AK_CODEC_LZ4_HADOOP, 0, &compressor, &err));
}

static void levels_are_those_of_the_options(void **state)
{
    (void)state;
    akidb_error err;
    ak_compressor *compressor;
    static const struct {
        ak_codec codec;
        int least, most;
    } cases[] = {{AK_CODEC_ZSTD, 0, 19},
                 {AK_CODEC_GZIP, 0, 9},
                 {AK_CODEC_SNAPPY, 0, 0},
                 {AK_CODEC_LZ4_RAW, 0, 0},
                 {AK_CODEC_UNCOMPRESSED, 0, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(err, ak_compressor_new(cases[i].codec, cases[i].most, &compressor, &err));
        ak_compressor_free(compressor);
        assert_status(AKIDB_E_VALIDATION,
                      ak_compressor_new(cases[i].codec, cases[i].most + 1, &compressor, &err));
        assert_null(compressor);
        assert_status(AKIDB_E_VALIDATION,
                      ak_compressor_new(cases[i].codec, cases[i].least - 1, &compressor, &err));
    }
}

/* What a block cannot hold is refused before a byte of it is read. */
static void blocks_have_a_largest_size(void **state)
{
    (void)state;
    static const struct {
        ak_codec codec;
        size_t size;
    } cases[] = {{AK_CODEC_SNAPPY, (size_t)UINT32_MAX + 1},
                 {AK_CODEC_LZ4_RAW, (size_t)LZ4_MAX_INPUT_SIZE + 1},
                 {AK_CODEC_ZSTD, SIZE_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_error err;
        ak_compressor *compressor;
        akidb_buffer buffer = {0};
        const akidb_slice huge = {"x", cases[i].size};
        assert_ok(err, ak_compressor_new(cases[i].codec, 0, &compressor, &err));
        assert_status(AKIDB_E_LIMIT, ak_compress(compressor, &huge, 1, &buffer, &err));
        assert_int_equal(buffer.size, 0);
        ak_compressor_free(compressor);
        akidb_buffer_free(&buffer);
    }
}

static void a_higher_level_compresses_better(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    uint8_t words[512 * 5]; /* a text of words that come again and again */
    uint64_t random = 9;
    test_random_bytes(8, words, sizeof words);
    for (size_t i = 0; i + 5 <= sizeof bytes; i += 5)
        memcpy(bytes + i, words + test_random(&random) % 512 * 5, 5);
    static const ak_codec codecs[] = {AK_CODEC_ZSTD, AK_CODEC_GZIP};
    for (size_t i = 0; i < 2; i++) {
        akidb_buffer fast = compressed(codecs[i], 1, &(akidb_slice){bytes, sizeof bytes}, 1);
        akidb_buffer good = compressed(codecs[i], 9, &(akidb_slice){bytes, sizeof bytes}, 1);
        assert_true(good.size < fast.size);
        akidb_buffer_free(&fast);
        akidb_buffer_free(&good);
    }
}

static void split_floats_take_less_of_zstd(void **state)
{
    (void)state;
    enum { COUNT = 1 << 18, SIZE = COUNT * sizeof(float) };
    akidb_error err;
    float *floats = malloc(SIZE);
    uint8_t *split = malloc(SIZE), *back = malloc(SIZE);
    assert_true(floats != NULL && split != NULL && back != NULL);
    uint64_t random = 10;
    for (size_t i = 0; i < COUNT; i++) { /* near 0 more often, as embeddings are */
        float value = 0;
        for (int j = 0; j < 6; j++)
            value += (float)(test_random(&random) >> 40) / (1 << 24) - 0.5f;
        floats[i] = value / 20;
    }
    ak_split_encode(floats, COUNT, sizeof(float), split);
    const akidb_slice bytes = {split, SIZE};
    for (size_t c = 0; c < WRITABLE; c++) {
        ak_compressor *compressor;
        akidb_buffer usual = {0}, aimed = {0}, again = {0};
        assert_ok(err, ak_compressor_new(writable[c], 0, &compressor, &err));
        assert_ok(err, ak_compress(compressor, &bytes, 1, &usual, &err));
        assert_ok(err, ak_compress_split_floats(compressor, bytes, 0, &aimed, &err));
        assert_ok(err, ak_compress(compressor, &bytes, 1, &again, &err));
        ak_compressor_free(compressor);
        if (writable[c] == AK_CODEC_ZSTD)
            assert_true(aimed.size < usual.size);
        else
            assert_int_equal(aimed.size, usual.size);
        assert_int_equal(again.size, usual.size);
        assert_memory_equal(again.data, usual.data, usual.size);
        assert_status(AKIDB_OK, decompress((int)writable[c], slice_of(&aimed), back, SIZE));
        assert_memory_equal(back, split, SIZE);
        akidb_buffer_free(&usual);
        akidb_buffer_free(&aimed);
        akidb_buffer_free(&again);
    }
    free(floats);
    free(split);
    free(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_compressed_comes_back),
        cmocka_unit_test(contexts_are_used_for_many_pages),
        cmocka_unit_test(another_size_than_expected_is_corruption),
        cmocka_unit_test(every_truncation_is_corruption),
        cmocka_unit_test(flipped_bits_never_read_or_write_outside),
        cmocka_unit_test(an_empty_page_may_have_no_bytes),
        cmocka_unit_test(gzip_members_follow_each_other),
        cmocka_unit_test(zstd_frames_need_no_content_size_and_follow_each_other),
        cmocka_unit_test(the_old_lz4_is_frames_or_a_bare_block),
        cmocka_unit_test(a_length_that_snappy_claims_is_not_believed),
        cmocka_unit_test(codecs_have_the_names_and_abilities_of_the_format),
        cmocka_unit_test(what_is_not_read_or_written_is_unsupported),
        cmocka_unit_test(levels_are_those_of_the_options),
        cmocka_unit_test(blocks_have_a_largest_size),
        cmocka_unit_test(a_higher_level_compresses_better),
        cmocka_unit_test(split_floats_take_less_of_zstd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
