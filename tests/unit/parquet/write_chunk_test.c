/* Sealing: compression and when it is given up, page headers, checksums, places. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "codec/split.h"
#include "parquet/chunk_write.h"
#include "parquet/column_write.h"

#include "test.h"

enum { ROWS = 200, DIMENSION = 64, PAGE = 4096 }; /* 16 rows a page: 13 pages */

typedef struct sealed {
    ak_chunk chunk;
    ak_chunk_tools tools;
    akidb_buffer file; /* the chunk's slices, one after the other */
    float *vectors;
} sealed;

static void fill(float *vectors, bool is_random)
{
    uint64_t seed = 1;
    for (size_t i = 0; i < ROWS * DIMENSION; i++) {
        uint32_t bits = is_random ? (uint32_t)test_random(&seed) : (uint32_t)(i % 3) << 29;
        memcpy(&vectors[i], &bits, sizeof bits);
    }
}

static void place(sealed *s, uint64_t offset)
{
    akidb_error err = {0};
    assert_ok(err, ak_chunk_place(&s->chunk, offset, &err));
    akidb_slice *slices = calloc(s->chunk.page_count * AK_PAGE_SLICES, sizeof *slices);
    size_t count = ak_chunk_slices(&s->chunk, slices);
    s->file.size = 0;
    for (size_t i = 0; i < count; i++)
        assert_ok(err, ak_buffer_append(&s->file, slices[i].data, slices[i].size, &err));
    free(slices);
}

static void seal(sealed *s, ak_codec codec, bool is_random, int encoding)
{
    akidb_error err = {0};
    *s = (sealed){.vectors = calloc(ROWS * DIMENSION, sizeof(float))};
    fill(s->vectors, is_random);
    if (codec != AK_CODEC_UNCOMPRESSED)
        assert_ok(err, ak_compressor_new(codec, codec == AK_CODEC_ZSTD ? 1 : 0,
                                         &s->tools.compressor, &err));
    assert_ok(err, ak_write_vectors(&s->chunk, s->vectors, ROWS, DIMENSION, encoding, PAGE, &err));
    assert_ok(err, ak_chunk_seal(&s->chunk, &s->tools, true, &err));
    place(s, 0);
}

static void sealed_free(sealed *s)
{
    ak_chunk_free(&s->chunk);
    ak_compressor_free(s->tools.compressor);
    akidb_buffer_free(&s->tools.split);
    akidb_buffer_free(&s->file);
    free(s->vectors);
}

/* Every page is where its location says, its header tells its sizes, and its checksum fits. */
static void assert_pages(const sealed *s)
{
    akidb_error err = {0};
    uint64_t at = 0, uncompressed = 0;
    assert_int_equal(s->chunk.location_count, s->chunk.page_count);
    for (size_t i = 0; i < s->chunk.page_count; i++) {
        ak_page_header header;
        size_t used;
        assert_ok(err, ak_page_header_read((akidb_slice){s->file.data + at, s->file.size - at},
                                           "file", at, &header, &used, &err));
        const ak_page_location *location = &s->chunk.locations[i];
        assert_int_equal(location->offset, at);
        assert_int_equal(location->compressed_page_size, used + (size_t)header.compressed_size);
        assert_int_equal(location->first_row_index, i * 16);
        assert_true(header.has_crc);
        assert_int_equal(header.crc,
                         ak_crc32(0, s->file.data + at + used, (size_t)header.compressed_size));
        if (!s->chunk.is_compressed)
            assert_int_equal(header.compressed_size, header.uncompressed_size);
        at += used + (size_t)header.compressed_size;
        uncompressed += used + (size_t)header.uncompressed_size;
    }
    assert_int_equal(at, s->file.size);
    assert_int_equal(s->chunk.size, s->file.size);
    assert_int_equal(s->chunk.uncompressed_size, uncompressed);
    assert_int_equal(s->chunk.crc32c, ak_crc32c(0, s->file.data, s->file.size));
}

static void pages_without_compression_point_to_the_callers_floats(void **state)
{
    (void)state;
    sealed s;
    seal(&s, AK_CODEC_UNCOMPRESSED, true, AK_ENCODING_PLAIN);
    akidb_slice slices[16 * AK_PAGE_SLICES];
    assert_int_equal(s.chunk.page_count, 13);
    assert_int_equal(ak_chunk_slices(&s.chunk, slices), 13 * 3);
    for (size_t i = 0; i < 13; i++)
        assert_ptr_equal(slices[3 * i + 2].data, s.vectors + i * 16 * DIMENSION);
    assert_pages(&s);
    sealed_free(&s);
}

static void floats_that_do_not_shrink_are_stored_as_they_are(void **state)
{
    (void)state;
    const ak_codec codecs[] = {AK_CODEC_SNAPPY, AK_CODEC_ZSTD, AK_CODEC_LZ4_RAW};
    for (size_t i = 0; i < 3; i++) {
        sealed s;
        seal(&s, codecs[i], true, AK_ENCODING_PLAIN);
        assert_false(s.chunk.is_compressed);
        assert_int_equal(s.chunk.size, s.chunk.uncompressed_size);
        assert_pages(&s);
        sealed_free(&s);
    }
}

static void floats_that_shrink_are_compressed(void **state)
{
    (void)state;
    const ak_codec codecs[] = {AK_CODEC_SNAPPY, AK_CODEC_ZSTD, AK_CODEC_LZ4_RAW};
    for (size_t i = 0; i < 3; i++) {
        sealed s;
        seal(&s, codecs[i], false, AK_ENCODING_PLAIN);
        assert_true(s.chunk.is_compressed);
        assert_true(s.chunk.size < s.chunk.uncompressed_size / 2);
        assert_pages(&s);
        sealed_free(&s);
    }
}

static void split_floats_are_written_by_byte_position(void **state)
{
    (void)state;
    for (int compressed = 0; compressed < 2; compressed++) {
        sealed s;
        seal(&s, compressed ? AK_CODEC_ZSTD : AK_CODEC_UNCOMPRESSED, !compressed,
             AK_ENCODING_BYTE_STREAM_SPLIT);
        assert_int_equal(s.chunk.is_compressed, compressed);
        assert_pages(&s);
        if (!compressed) {
            const uint8_t *page = s.chunk.packed.data, *floats = (const uint8_t *)s.vectors;
            for (size_t i = 0; i < 16 * DIMENSION; i++)
                assert_int_equal(page[i], floats[4 * i]);
            assert_int_equal(page[3 * 16 * DIMENSION + 5], floats[4 * 5 + 3]);
        }
        sealed_free(&s);
    }
}

/* The compressor is told which pages hold split floats, and only those. It shows in pages of the
 * usual size. */
static void zstd_is_told_of_split_floats(void **state)
{
    (void)state;
    enum { COUNT = 1 << 18 };
    const int encodings[] = {AK_ENCODING_BYTE_STREAM_SPLIT, AK_ENCODING_PLAIN};
    akidb_error err = {0};
    uint64_t seed = 2;
    float *floats = calloc(COUNT, sizeof *floats), *split = calloc(COUNT, sizeof *split);
    for (size_t i = 0; i < COUNT; i++)
        floats[i] = (float)(test_random(&seed) >> 52) / (1 << 12);
    ak_split_encode(floats, COUNT, sizeof *floats, (uint8_t *)split);
    ak_chunk_tools tools = {0};
    assert_ok(err, ak_compressor_new(AK_CODEC_ZSTD, 1, &tools.compressor, &err));
    for (size_t i = 0; i < 2; i++) {
        ak_chunk chunk = {0};
        akidb_buffer expected = {0}, other = {0};
        assert_ok(err, ak_write_vectors(&chunk, floats, COUNT / DIMENSION, DIMENSION, encodings[i],
                                        COUNT * sizeof *floats, &err));
        assert_ok(err, ak_chunk_seal(&chunk, &tools, true, &err));
        assert_ok(err, ak_chunk_place(&chunk, 0, &err));
        assert_true(chunk.is_compressed);
        akidb_buffer page = {0};
        assert_ok(err, ak_buffer_append(&page, chunk.body.data, chunk.body.size, &err));
        assert_ok(err,
                  ak_buffer_append(&page, i == 0 ? split : floats, COUNT * sizeof *floats, &err));
        const akidb_slice whole = {page.data, page.size};
        akidb_buffer *as_split = i == 0 ? &expected : &other, *as_any = i == 0 ? &other : &expected;
        assert_ok(err, ak_compress_split_floats(tools.compressor, whole, chunk.body.size, as_split,
                                                &err));
        assert_ok(err, ak_compress(tools.compressor, &whole, 1, as_any, &err));
        akidb_buffer_free(&page);
        assert_int_not_equal(other.size, expected.size);
        assert_int_equal(chunk.packed.size, expected.size);
        assert_memory_equal(chunk.packed.data, expected.data, expected.size);
        akidb_buffer_free(&expected);
        akidb_buffer_free(&other);
        ak_chunk_free(&chunk);
    }
    ak_compressor_free(tools.compressor);
    akidb_buffer_free(&tools.split);
    free(floats);
    free(split);
}

/* One page that shrinks and one that grows by more: the first must not decide. */
static void a_chunk_that_does_not_shrink_in_all_is_not_compressed(void **state)
{
    (void)state;
    uint8_t bytes[10000];
    test_random_bytes(2, bytes, sizeof bytes);
    memset(bytes, 0, 12);
    ak_chunk chunk = {0};
    ak_chunk_tools tools = {0};
    akidb_error err = {0};
    assert_ok(err, ak_compressor_new(AK_CODEC_SNAPPY, 0, &tools.compressor, &err));
    assert_ok(err, ak_buffer_append(&chunk.body, bytes, sizeof bytes, &err));
    const ak_page first = {.type = AK_PAGE_DATA, .num_values = 1, .body_size = 12};
    assert_ok(err, ak_chunk_add_page(&chunk, &first, &err));
    for (size_t at = 12; at + 2 <= sizeof bytes; at += 2) { /* two bytes take four */
        const ak_page next = {.type = AK_PAGE_DATA, .body_offset = at, .body_size = 2};
        assert_ok(err, ak_chunk_add_page(&chunk, &next, &err));
    }
    assert_ok(err, ak_chunk_seal(&chunk, &tools, false, &err));
    assert_ok(err, ak_chunk_place(&chunk, 0, &err));
    assert_false(chunk.is_compressed);
    ak_chunk_free(&chunk);
    ak_compressor_free(tools.compressor);
}

/* Of each page that is stored as it is; `offset` is the chunk's in the file. */
static void assert_aligned(const sealed *s, uint64_t offset)
{
    for (size_t i = 0; i < s->chunk.page_count; i++) {
        const ak_page *page = &s->chunk.pages[i];
        uint64_t floats =
            offset + (uint64_t)s->chunk.locations[i].offset + page->header_size + page->body_size;
        assert_int_equal(floats % AK_FLOATS_ALIGNMENT, 0);
    }
}

static void plain_floats_are_aligned_wherever_the_chunk_lies(void **state)
{
    (void)state;
    sealed s;
    seal(&s, AK_CODEC_UNCOMPRESSED, true, AK_ENCODING_PLAIN);
    for (uint64_t offset = 1000; offset < 1000 + 2 * AK_FLOATS_ALIGNMENT; offset++) {
        place(&s, offset);
        assert_aligned(&s, offset);
        assert_pages(&s);
    }
    place(&s, (uint64_t)1 << 40);
    assert_aligned(&s, (uint64_t)1 << 40);
    sealed_free(&s);
}

/* What nobody can use in place needs no longer header. */
static void only_plain_floats_are_aligned(void **state)
{
    (void)state;
    sealed s[3];
    seal(&s[0], AK_CODEC_UNCOMPRESSED, true, AK_ENCODING_PLAIN);
    seal(&s[1], AK_CODEC_UNCOMPRESSED, true, AK_ENCODING_BYTE_STREAM_SPLIT);
    seal(&s[2], AK_CODEC_ZSTD, false, AK_ENCODING_PLAIN);
    for (size_t i = 0; i < 13; i++) {
        assert_true(s[0].chunk.pages[i].header_size > 40);
        assert_true(s[1].chunk.pages[i].header_size < 40);
        assert_true(s[2].chunk.pages[i].header_size < 40);
    }
    for (size_t i = 0; i < 3; i++)
        sealed_free(&s[i]);
}

static void a_dictionary_page_has_a_place_of_its_own(void **state)
{
    (void)state;
    ak_chunk chunk = {0};
    ak_chunk_tools tools = {0};
    akidb_error err = {0};
    assert_ok(err, ak_buffer_append(&chunk.body, "abcdef", 6, &err));
    const ak_page dictionary = {.type = AK_PAGE_DICTIONARY, .num_values = 1, .body_size = 4};
    const ak_page data = {.type = AK_PAGE_DATA, .body_offset = 4, .body_size = 2};
    assert_ok(err, ak_chunk_add_page(&chunk, &dictionary, &err));
    assert_ok(err, ak_chunk_add_page(&chunk, &data, &err));
    assert_ok(err, ak_chunk_seal(&chunk, &tools, false, &err));
    assert_ok(err, ak_chunk_place(&chunk, 0, &err));
    assert_int_equal(chunk.dictionary_page_offset, 0);
    assert_int_equal(chunk.data_page_offset, chunk.pages[0].header_size + 4);
    assert_int_equal(chunk.location_count, 1);
    assert_int_equal(chunk.locations[0].offset, chunk.data_page_offset);
    ak_chunk_free(&chunk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_without_compression_point_to_the_callers_floats),
        cmocka_unit_test(floats_that_do_not_shrink_are_stored_as_they_are),
        cmocka_unit_test(floats_that_shrink_are_compressed),
        cmocka_unit_test(split_floats_are_written_by_byte_position),
        cmocka_unit_test(zstd_is_told_of_split_floats),
        cmocka_unit_test(a_chunk_that_does_not_shrink_in_all_is_not_compressed),
        cmocka_unit_test(plain_floats_are_aligned_wherever_the_chunk_lies),
        cmocka_unit_test(only_plain_floats_are_aligned),
        cmocka_unit_test(a_dictionary_page_has_a_place_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
