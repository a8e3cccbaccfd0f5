#include "codec/delta.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/bits.h"
#include "test.h"

#define SLICE(array) ((akidb_slice){(array), sizeof(array)})

/* ---- a writer, straight from the specification ----------------------------------------------- */

static void put_varint(akidb_buffer *buffer, uint64_t value)
{
    akidb_error err;
    uint8_t bytes[10];
    assert_ok(err, ak_buffer_append(buffer, bytes, ak_put_varint(bytes, value), &err));
}

static void put_zigzag(akidb_buffer *buffer, int64_t value)
{
    put_varint(buffer, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static unsigned width_of(uint64_t value)
{
    unsigned width = 0;
    for (; value != 0; value >>= 1)
        width++;
    return width;
}

static void put_packed(akidb_buffer *buffer, const uint64_t *values, size_t count, size_t whole,
                       unsigned width)
{
    akidb_error err;
    uint8_t byte = 0;
    for (size_t bit = 0; bit < whole * width; bit++) {
        size_t i = bit / width;
        uint64_t set = i < count ? values[i] >> bit % width & 1 : 0;
        byte = (uint8_t)(byte | set << bit % 8);
        if (bit % 8 == 7) {
            assert_ok(err, ak_buffer_put(buffer, byte, &err));
            byte = 0;
        }
    }
}

/* Deltas are taken in the type's own width, so that they wrap as those of a writer do. */
static int64_t wrapped_delta(int64_t from, int64_t to, unsigned bits)
{
    uint64_t difference = (uint64_t)to - (uint64_t)from;
    return bits == 32 ? (int32_t)(uint32_t)difference : (int64_t)difference;
}

static void put_block(akidb_buffer *buffer, const int64_t *deltas, size_t count, size_t block,
                      size_t miniblocks, unsigned bits)
{
    akidb_error err;
    size_t size = block / miniblocks;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < count; i++)
        least = deltas[i] < least ? deltas[i] : least;
    put_zigzag(buffer, least);
    uint64_t rest[2048];
    uint64_t mask = bits == 32 ? UINT32_MAX : UINT64_MAX;
    for (size_t i = 0; i < count; i++)
        rest[i] = ((uint64_t)deltas[i] - (uint64_t)least) & mask;
    unsigned widths[64];
    for (size_t m = 0; m < miniblocks; m++) {
        widths[m] = m * size < count ? 0 : 99; /* of those not needed: arbitrary */
        for (size_t i = m * size; i < count && i < (m + 1) * size; i++)
            widths[m] = width_of(rest[i]) > widths[m] ? width_of(rest[i]) : widths[m];
        assert_ok(err, ak_buffer_put(buffer, (uint8_t)widths[m], &err));
    }
    for (size_t m = 0; m * size < count; m++)
        put_packed(buffer, rest + m * size, count - m * size < size ? count - m * size : size, size,
                   widths[m]);
}

static void put_delta(akidb_buffer *buffer, const int64_t *values, size_t count, size_t block,
                      size_t miniblocks, unsigned bits)
{
    put_varint(buffer, block);
    put_varint(buffer, miniblocks);
    put_varint(buffer, count);
    put_zigzag(buffer, count == 0 ? 0 : values[0]);
    for (size_t done = 1; done < count; done += block) {
        int64_t deltas[2048];
        size_t part = count - done < block ? count - done : block;
        for (size_t i = 0; i < part; i++)
            deltas[i] = wrapped_delta(values[done + i - 1], values[done + i], bits);
        put_block(buffer, deltas, part, block, miniblocks, bits);
    }
}

/* ---- numbers --------------------------------------------------------------------------------- */

static const struct {
    size_t block, miniblocks;
} geometries[] = {{128, 4}, {256, 4}, {128, 1}, {2048, 8}, {1024, 32}};
enum { GEOMETRIES = sizeof geometries / sizeof geometries[0] };

static akidb_slice exact_copy(const akidb_buffer *buffer, size_t size)
{
    uint8_t *bytes = malloc(size == 0 ? 1 : size);
    assert_non_null(bytes);
    if (size > 0)
        memcpy(bytes, buffer->data, size);
    return (akidb_slice){bytes, size};
}

static void free_slice(akidb_slice slice)
{
    free((void *)(uintptr_t)slice.data);
}

static void the_examples_of_the_specification(void **state)
{
    (void)state;
    akidb_error err;
    const int64_t rising[] = {1, 2, 3, 4, 5}, mixed[] = {7, 5, 3, 1, 2, 3, 4, 5};
    const uint8_t rising_bytes[] = {0x80, 0x01, 0x04, 0x05, 0x02, 0x02, 0, 0, 0, 0};
    const uint8_t mixed_bytes[] = {0x80, 0x01, 0x04, 0x08, 0x0E, 0x03, 2, 0, 0,
                                   0,    0xC0, 0x3F, 0,    0,    0,    0, 0, 0};
    int64_t values[8];
    size_t size;
    assert_ok(err, ak_delta_decode_i64(SLICE(rising_bytes), 5, values, &size, &err));
    assert_int_equal(size, sizeof rising_bytes);
    assert_memory_equal(values, rising, sizeof rising);
    assert_ok(err, ak_delta_decode_i64(SLICE(mixed_bytes), 8, values, &size, &err));
    assert_int_equal(size, sizeof mixed_bytes);
    assert_memory_equal(values, mixed, sizeof mixed);
}

static int64_t random_value(uint64_t *random, unsigned bits, unsigned spread)
{
    uint64_t value = test_random(random) >> spread;
    if (test_random(random) % 50 == 0)
        value = test_random(random) % 2 == 0 ? UINT64_C(1) << 63 : UINT64_MAX >> 1;
    return bits == 32 ? (int32_t)(uint32_t)(value >> (value >> 32 ? 32 : 0)) : (int64_t)value;
}

static void any_values_of_any_geometry_come_back(void **state)
{
    (void)state;
    akidb_error err;
    uint64_t random = 21;
    static int64_t values[5000], wide[5000];
    static int32_t narrow[5000];
    for (int round = 0; round < 400; round++) {
        size_t g = test_random(&random) % GEOMETRIES;
        size_t count = test_random(&random) % (round % 8 == 0 ? 5000 : 300);
        unsigned bits = round % 2 == 0 ? 32 : 64;
        unsigned spread = (unsigned)(test_random(&random) % 64);
        for (size_t i = 0; i < count; i++)
            values[i] = random_value(&random, bits, spread);
        akidb_buffer buffer = {0};
        put_delta(&buffer, values, count, geometries[g].block, geometries[g].miniblocks, bits);
        size_t header_end = buffer.size;
        assert_ok(err, ak_buffer_append(&buffer, "next", 4, &err));
        akidb_slice bytes = exact_copy(&buffer, buffer.size);
        size_t size;
        if (bits == 64) {
            assert_ok(err, ak_delta_decode_i64(bytes, count, wide, &size, &err));
            assert_memory_equal(wide, values, count * sizeof wide[0]);
        } else {
            assert_ok(err, ak_delta_decode_i32(bytes, count, narrow, &size, &err));
            for (size_t i = 0; i < count; i++)
                assert_int_equal(narrow[i], values[i]);
        }
        assert_int_equal(size, header_end);
        assert_status(AKIDB_E_CORRUPTION, ak_delta_decode_i64(bytes, count + 1, wide, &size, &err));
        assert_int_equal(size, 0);
        free_slice(bytes);
        akidb_buffer_free(&buffer);
    }
}

static void the_last_miniblock_need_not_be_padded(void **state)
{
    (void)state;
    akidb_error err;
    const uint8_t bytes[] = {0x80, 0x01, 0x04, 0x08, 0x0E, 0x03, 2, 0, 0, 0, 0xC0, 0x3F};
    const int64_t expected[] = {7, 5, 3, 1, 2, 3, 4, 5};
    int64_t values[8];
    size_t size;
    assert_ok(err, ak_delta_decode_i64(SLICE(bytes), 8, values, &size, &err));
    assert_int_equal(size, sizeof bytes);
    assert_memory_equal(values, expected, sizeof expected);
    assert_status(AKIDB_E_CORRUPTION, ak_delta_decode_i64((akidb_slice){bytes, sizeof bytes - 1}, 8,
                                                          values, NULL, &err));
}

static void no_values_may_have_no_bytes(void **state)
{
    (void)state;
    akidb_error err;
    int64_t value;
    size_t size;
    assert_ok(err, ak_delta_decode_i64((akidb_slice){NULL, 0}, 0, &value, &size, &err));
    assert_int_equal(size, 0);
    assert_status(AKIDB_E_CORRUPTION,
                  ak_delta_decode_i64((akidb_slice){NULL, 0}, 1, &value, &size, &err));
}

static void hostile_headers_are_corruption(void **state)
{
    (void)state;
    akidb_error err;
    const struct {
        const char *what;
        uint8_t bytes[16];
        size_t size;
    } cases[] = {
        {"a block of no values", {0x00, 0x04, 0x02, 0x02, 0, 0, 0, 0, 0}, 9},
        {"a block that is no multiple of 128", {0x40, 0x02, 0x02, 0x02, 0, 0, 0}, 7},
        {"no miniblocks", {0x80, 0x01, 0x00, 0x02, 0x02, 0}, 6},
        {"miniblocks of 16 values", {0x80, 0x01, 0x08, 0x02, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 14},
        {"miniblocks that do not divide", {0x80, 0x01, 0x03, 0x02, 0x02, 0, 0, 0, 0}, 9},
        {"too few values", {0x80, 0x01, 0x04, 0x01, 0x02}, 5},
        {"too many values", {0x80, 0x01, 0x04, 0x03, 0x02, 0, 0, 0, 0, 0}, 10},
        {"no block", {0x80, 0x01, 0x04, 0x02, 0x02}, 5},
        {"a block without all widths", {0x80, 0x01, 0x04, 0x02, 0x02, 0, 0, 0, 0}, 9},
        {"a width over the type's", {0x80, 0x01, 0x04, 0x02, 0x02, 0, 65, 0, 0, 0, 1}, 11},
        {"a miniblock without its bytes", {0x80, 0x01, 0x04, 0x02, 0x02, 0, 8, 0, 0, 0}, 10},
        {"a varint of eleven bytes",
         {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01},
         11},
        {"a varint over 64 bits",
         {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 0x01},
         11},
        {"a block over all bounds", {0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0x01, 0x02, 0x02}, 9},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t values[2];
        akidb_buffer buffer = {(uint8_t *)(uintptr_t)cases[i].bytes, cases[i].size, 0};
        akidb_slice bytes = exact_copy(&buffer, cases[i].size);
        akidb_status status = ak_delta_decode_i64(bytes, 2, values, NULL, &err);
        if (status != AKIDB_E_CORRUPTION)
            fail_msg("%s: %s", cases[i].what, akidb_status_name(status));
        free_slice(bytes);
    }
    int32_t values[2];
    const uint8_t width33[] = {0x80, 0x01, 0x04, 0x02, 0x02, 0, 33, 0, 0, 0, 1, 1, 1, 1, 1};
    assert_status(AKIDB_E_CORRUPTION, ak_delta_decode_i32(SLICE(width33), 2, values, NULL, &err));
}

/* ---- byte arrays ----------------------------------------------------------------------------- */

static void put_lengths(akidb_buffer *buffer, const int64_t *lengths, size_t count)
{
    put_delta(buffer, lengths, count, 128, 4, 32);
}

static void lengths_then_bytes(void **state)
{
    (void)state;
    akidb_error err;
    const int64_t lengths[] = {5, 5, 0, 6, 6};
    akidb_buffer buffer = {0};
    put_lengths(&buffer, lengths, 5);
    size_t at = buffer.size;
    assert_ok(err, ak_buffer_append(&buffer, "HelloWorldFoobarABCDEF", 22, &err));
    akidb_slice bytes = exact_copy(&buffer, buffer.size);
    akidb_slice slices[6];
    assert_ok(err, ak_delta_length_decode(bytes, 5, slices, &err));
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(slices[i].size, lengths[i]);
        assert_ptr_equal(slices[i].data, (const uint8_t *)bytes.data + at);
        at += slices[i].size;
    }
    assert_status(AKIDB_E_CORRUPTION, ak_delta_length_decode(bytes, 6, slices, &err));
    bytes.size--;
    assert_status(AKIDB_E_CORRUPTION, ak_delta_length_decode(bytes, 5, slices, &err));
    free_slice(bytes);
    akidb_buffer_free(&buffer);
}

static void a_negative_length_is_corruption(void **state)
{
    (void)state;
    akidb_error err;
    const int64_t lengths[] = {3, -1};
    akidb_buffer buffer = {0};
    put_lengths(&buffer, lengths, 2);
    assert_ok(err, ak_buffer_append(&buffer, "abcdef", 6, &err));
    akidb_slice slices[2];
    assert_status(AKIDB_E_CORRUPTION,
                  ak_delta_length_decode((akidb_slice){buffer.data, buffer.size}, 2, slices, &err));
    akidb_buffer_free(&buffer);
}

static akidb_status decode_strings(const int64_t *prefixes, const int64_t *lengths,
                                   const char *text, size_t count, uint64_t max_bytes,
                                   akidb_buffer *storage, akidb_slice *slices)
{
    akidb_error err;
    akidb_buffer buffer = {0};
    put_lengths(&buffer, prefixes, count);
    put_lengths(&buffer, lengths, count);
    assert_ok(err, ak_buffer_append(&buffer, text, strlen(text), &err));
    akidb_slice bytes = exact_copy(&buffer, buffer.size);
    akidb_status status =
        ak_delta_byte_array_decode(bytes, count, max_bytes, storage, slices, &err);
    free_slice(bytes);
    akidb_buffer_free(&buffer);
    return status;
}

static void values_share_prefixes(void **state)
{
    (void)state;
    akidb_error err;
    static const char *const expected[] = {"axis", "axle", "babble", "babyhood", "", "x"};
    const int64_t prefixes[] = {0, 2, 0, 3, 0, 0}, lengths[] = {4, 2, 6, 5, 0, 1};
    akidb_buffer storage = {0};
    akidb_slice slices[6];
    assert_ok(err, ak_buffer_append(&storage, "before", 6, &err));
    assert_status(AKIDB_OK,
                  decode_strings(prefixes, lengths, "axislebabbleyhoodx", 6, 23, &storage, slices));
    assert_int_equal(storage.size, 6 + 23);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(slices[i].size, strlen(expected[i]));
        assert_memory_equal(slices[i].data, expected[i], slices[i].size);
    }
    assert_status(AKIDB_E_LIMIT,
                  decode_strings(prefixes, lengths, "axislebabbleyhoodx", 6, 22, &storage, slices));
    assert_int_equal(storage.size, 6 + 23); /* what was there before stays, nothing is added */
    akidb_buffer_free(&storage);
}

static void a_prefix_longer_than_the_value_before_is_corruption(void **state)
{
    (void)state;
    akidb_buffer storage = {0};
    akidb_slice slices[2];
    const int64_t first[] = {1, 0}, second[] = {0, 5}, negative[] = {0, -1}, lengths[] = {4, 2};
    assert_status(AKIDB_E_CORRUPTION,
                  decode_strings(first, lengths, "axisle", 2, 100, &storage, slices));
    assert_status(AKIDB_E_CORRUPTION,
                  decode_strings(second, lengths, "axisle", 2, 100, &storage, slices));
    assert_status(AKIDB_E_CORRUPTION,
                  decode_strings(negative, lengths, "axisle", 2, 100, &storage, slices));
    assert_status(AKIDB_E_CORRUPTION, decode_strings((const int64_t[]){0, 4}, lengths, "axisl", 2,
                                                     100, &storage, slices));
    akidb_buffer_free(&storage);
}

/* A few bytes could stand for quadratically many: 5,000 values, each the one before. */
static void the_values_together_are_bounded(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static int64_t prefixes[COUNT], lengths[COUNT];
    static akidb_slice slices[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        prefixes[i] = (int64_t)i;
        lengths[i] = 1;
    }
    char text[COUNT + 1];
    memset(text, 'a', COUNT);
    text[COUNT] = '\0';
    akidb_buffer storage = {0};
    assert_status(AKIDB_E_LIMIT,
                  decode_strings(prefixes, lengths, text, COUNT, 100000, &storage, slices));
    assert_int_equal(storage.size, 0);
    assert_true(storage.capacity < 300000);
    assert_status(AKIDB_OK,
                  decode_strings(prefixes, lengths, text, COUNT, 100000000, &storage, slices));
    assert_int_equal(slices[COUNT - 1].size, COUNT);
    akidb_buffer_free(&storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_specification),
        cmocka_unit_test(any_values_of_any_geometry_come_back),
        cmocka_unit_test(the_last_miniblock_need_not_be_padded),
        cmocka_unit_test(no_values_may_have_no_bytes),
        cmocka_unit_test(hostile_headers_are_corruption),
        cmocka_unit_test(lengths_then_bytes),
        cmocka_unit_test(a_negative_length_is_corruption),
        cmocka_unit_test(values_share_prefixes),
        cmocka_unit_test(a_prefix_longer_than_the_value_before_is_corruption),
        cmocka_unit_test(the_values_together_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
