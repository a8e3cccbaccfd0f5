#include "codec/rle.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "test.h"

#define SLICE(array) ((akidb_slice){(array), sizeof(array)})

static akidb_slice slice_of(const akidb_buffer *buffer)
{
    return (akidb_slice){buffer->data, buffer->size};
}

static void assert_encodes_to(const uint32_t *values, size_t count, unsigned bit_width,
                              akidb_slice expected)
{
    akidb_error err;
    akidb_buffer buffer = {0};
    assert_ok(err, ak_rle_encode(&buffer, values, count, bit_width, &err));
    assert_int_equal(buffer.size, expected.size);
    assert_memory_equal(buffer.data, expected.data, expected.size);
    akidb_buffer_free(&buffer);
}

static void the_example_of_the_specification_is_packed_as_it_says(void **state)
{
    (void)state;
    const uint32_t values[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const uint8_t expected[] = {0x03, 0x88, 0xC6, 0xFA};
    assert_encodes_to(values, 8, 3, SLICE(expected));
}

static void eight_equal_values_at_a_group_start_are_one_run(void **state)
{
    (void)state;
    uint32_t values[20];
    for (size_t i = 0; i < 20; i++)
        values[i] = 300;
    const uint8_t twenty[] = {40, 0x2C, 0x01};
    assert_encodes_to(values, 20, 9, SLICE(twenty));
    values[0] = 1; /* now the first group is packed, and the run begins at the second */
    const uint8_t shifted[] = {0x03, 0x01, 0x58, 0xB2, 0x64, 0xC9, 0x92,
                               0x25, 0x4B, 0x96, 24,   0x2C, 0x01};
    assert_encodes_to(values, 20, 9, SLICE(shifted));
}

static void a_short_end_is_a_run_when_equal_and_padded_when_not(void **state)
{
    (void)state;
    const uint32_t equal[] = {1, 1, 1}, mixed[] = {1, 0, 1};
    const uint8_t run[] = {6, 1}, packed[] = {3, 5};
    assert_encodes_to(equal, 3, 1, SLICE(run));
    assert_encodes_to(mixed, 3, 1, SLICE(packed));
    assert_encodes_to(NULL, 0, 1, (akidb_slice){"", 0});
}

static void a_packed_run_has_at_most_63_groups(void **state)
{
    (void)state;
    uint32_t values[64 * 8];
    for (size_t i = 0; i < 64 * 8; i++)
        values[i] = i % 2;
    akidb_error err;
    akidb_buffer buffer = {0};
    assert_ok(err, ak_rle_encode(&buffer, values, 64 * 8, 1, &err));
    assert_int_equal(buffer.size, 1 + 63 + 1 + 1);
    assert_int_equal(buffer.data[0], 63 << 1 | 1);
    assert_int_equal(buffer.data[64], 1 << 1 | 1);
    akidb_buffer_free(&buffer);
}

static void any_values_come_back(void **state)
{
    (void)state;
    akidb_error err;
    uint64_t random = 11;
    for (int round = 0; round < 3000; round++) {
        unsigned width = (unsigned)(test_random(&random) % 33);
        size_t count = test_random(&random) % 700;
        uint32_t mask = width == 0 ? 0 : (uint32_t)(UINT32_MAX >> (32 - width));
        uint32_t *values = malloc((count + 1) * sizeof *values);
        uint32_t *found = malloc((count + 1) * sizeof *found);
        assert_true(values != NULL && found != NULL);
        uint64_t changes = test_random(&random) % 20 + 1; /* how often the value changes */
        uint32_t value = (uint32_t)test_random(&random) & mask;
        for (size_t i = 0; i < count; i++) {
            if (test_random(&random) % changes == 0)
                value = (uint32_t)test_random(&random) & mask;
            values[i] = value;
        }
        akidb_buffer buffer = {0};
        assert_ok(err, ak_rle_encode(&buffer, values, count, width, &err));
        size_t size = buffer.size, used = 0;
        uint8_t *exact = malloc(size + 1);
        assert_non_null(exact);
        memcpy(exact, buffer.data, size);
        akidb_slice bytes = {exact, size};
        assert_ok(err, ak_rle_decode(bytes, width, mask, count, found, &used, &err));
        assert_int_equal(used, size);
        assert_memory_equal(values, found, count * sizeof *values);
        if (count > 0) {
            bytes.size = 0;
            assert_status(AKIDB_E_CORRUPTION,
                          ak_rle_decode(bytes, width, mask, count, found, &used, &err));
        }
        free(exact);
        free(values);
        free(found);
        akidb_buffer_free(&buffer);
    }
}

static void padding_after_the_last_value_is_ignored(void **state)
{
    (void)state;
    akidb_error err;
    const uint8_t bytes[] = {0x03, 0xFA, 0x99}; /* 0 1 0, then bits that are nobody's */
    uint32_t values[3];
    size_t used;
    assert_ok(err, ak_rle_decode(SLICE(bytes), 1, 1, 3, values, &used, &err));
    assert_int_equal(used, 2);
    assert_true(values[0] == 0 && values[1] == 1 && values[2] == 0);
}

static void a_last_packed_run_may_lack_bytes_that_nobody_needs(void **state)
{
    (void)state;
    akidb_error err;
    const uint8_t bytes[] = {0x07, 0x05, 0x01}; /* three groups claimed, two there */
    uint32_t values[24];
    assert_ok(err, ak_rle_decode(SLICE(bytes), 1, 1, 16, values, NULL, &err));
    assert_true(values[0] == 1 && values[2] == 1 && values[8] == 1 && values[15] == 0);
    assert_status(AKIDB_E_CORRUPTION, ak_rle_decode(SLICE(bytes), 1, 1, 17, values, NULL, &err));
}

static void a_width_of_zero_needs_no_value_byte(void **state)
{
    (void)state;
    akidb_error err;
    const uint8_t bytes[] = {0xC8, 0x01};
    uint32_t values[100];
    memset(values, 1, sizeof values);
    assert_ok(err, ak_rle_decode(SLICE(bytes), 0, 0, 100, values, NULL, &err));
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(values[i], 0);
}

static void hostile_runs_are_corruption(void **state)
{
    (void)state;
    akidb_error err;
    uint32_t values[64];
    const struct {
        const char *what;
        uint8_t bytes[8];
        size_t size;
        unsigned width;
        uint32_t maximum;
    } cases[] = {
        {"nothing", {0}, 0, 1, 1},
        {"an RLE run of no values", {0x00, 0x01}, 2, 1, 1},
        {"a packed run of no groups", {0x01, 0xFF}, 2, 1, 1},
        {"a length of six bytes", {0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, 6, 1, 1},
        {"a length over 32 bits", {0x80, 0x80, 0x80, 0x80, 0x10, 0x01}, 6, 1, 1},
        {"a length cut off", {0x80}, 1, 1, 1},
        {"a run without its value", {0x20}, 1, 1, 1},
        {"a run with half its value", {0x20, 0x01}, 2, 9, 511},
        {"a packed run without bytes", {0x03}, 1, 1, 1},
        {"a value with too many bits", {0x20, 0x02}, 2, 1, 1},
        {"an RLE value over the maximum", {0x20, 0x03}, 2, 2, 2},
        {"a packed value over the maximum", {0x05, 0, 0, 0, 0xC0}, 5, 2, 2},
        {"one value too few", {0x1E, 0x01}, 2, 1, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t used = 1;
        akidb_slice bytes = {cases[i].bytes, cases[i].size};
        akidb_status status =
            ak_rle_decode(bytes, cases[i].width, cases[i].maximum, 16, values, &used, &err);
        if (status != AKIDB_E_CORRUPTION || used != 0)
            fail_msg("%s: %s", cases[i].what, akidb_status_name(status));
    }
    const uint8_t run[] = {0x20, 1, 0, 0, 0};
    assert_status(AKIDB_E_CORRUPTION, ak_rle_decode(SLICE(run), 33, 1, 16, values, NULL, &err));
}

static void the_widths_of_numbers(void **state)
{
    (void)state;
    assert_int_equal(ak_bit_width(0), 0);
    assert_int_equal(ak_bit_width(1), 1);
    assert_int_equal(ak_bit_width(255), 8);
    assert_int_equal(ak_bit_width(256), 9);
    assert_int_equal(ak_bit_width(UINT32_MAX), 32);
}

static void encoding_appends(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer buffer = {0};
    const uint32_t values[] = {1, 1};
    const uint8_t expected[] = {7, 4, 1};
    assert_ok(err, ak_buffer_put(&buffer, 7, &err));
    assert_ok(err, ak_rle_encode(&buffer, values, 2, 1, &err));
    assert_int_equal(slice_of(&buffer).size, 3);
    assert_memory_equal(buffer.data, expected, 3);
    akidb_buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_the_specification_is_packed_as_it_says),
        cmocka_unit_test(eight_equal_values_at_a_group_start_are_one_run),
        cmocka_unit_test(a_short_end_is_a_run_when_equal_and_padded_when_not),
        cmocka_unit_test(a_packed_run_has_at_most_63_groups),
        cmocka_unit_test(any_values_come_back),
        cmocka_unit_test(padding_after_the_last_value_is_ignored),
        cmocka_unit_test(a_last_packed_run_may_lack_bytes_that_nobody_needs),
        cmocka_unit_test(a_width_of_zero_needs_no_value_byte),
        cmocka_unit_test(hostile_runs_are_corruption),
        cmocka_unit_test(the_widths_of_numbers),
        cmocka_unit_test(encoding_appends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
