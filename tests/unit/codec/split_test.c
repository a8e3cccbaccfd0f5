#include "codec/split.h"

#include <stdlib.h>
#include <string.h>

#include "codec/split_variants.h"
#include "test.h"

static void the_example_of_the_specification(void **state)
{
    (void)state;
    const uint8_t values[] = {0xAA, 0xBB, 0xCC, 0xDD, 0x00, 0x11,
                              0x22, 0x33, 0xA3, 0xB4, 0xC5, 0xD6};
    const uint8_t expected[] = {0xAA, 0x00, 0xA3, 0xBB, 0x11, 0xB4,
                                0xCC, 0x22, 0xC5, 0xDD, 0x33, 0xD6};
    uint8_t bytes[12], back[12];
    ak_split_encode(values, 3, 4, bytes);
    assert_memory_equal(bytes, expected, 12);
    ak_split_decode(bytes, 3, 4, back);
    assert_memory_equal(back, values, 12);
}

/* Allocations of the exact size, so that a variant that reads or writes too far is seen. */
static uint8_t *bytes_of(size_t size)
{
    uint8_t *bytes = malloc(size == 0 ? 1 : size);
    assert_non_null(bytes);
    return bytes;
}

static void every_width_follows_the_definition(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 7, 31, 32, 33, 63, 64, 100, 511, 512, 513, 1500};
    for (size_t width = 1; width <= 17; width++) {
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
            size_t count = counts[c], size = count * width;
            uint8_t *values = bytes_of(size), *bytes = bytes_of(size), *back = bytes_of(size);
            test_random_bytes(width * 1000 + count, values, size);
            ak_split_encode(values, count, width, bytes);
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < width; j++)
                    assert_int_equal(bytes[j * count + i], values[i * width + j]);
            ak_split_decode(bytes, count, width, back);
            assert_memory_equal(back, values, size);
            free(values);
            free(bytes);
            free(back);
        }
    }
}

static void all_variants_agree_at_any_address(void **state)
{
    (void)state;
    size_t variant_count;
    const ak_split_variant *variants = ak_split_variants(&variant_count);
    const ak_split_variant *portable = &variants[variant_count - 1];
    assert_true(portable->available());
    for (size_t v = 0; v < variant_count; v++) {
        if (!variants[v].available()) {
            print_message("%s: not on this processor\n", variants[v].name);
            continue;
        }
        for (size_t count = 0; count < 300; count++) {
            size_t shift = count % 5;
            uint8_t *values = bytes_of(4 * count + shift), *bytes = bytes_of(4 * count + shift);
            uint8_t *expected = bytes_of(4 * count), *back = bytes_of(4 * count + shift);
            test_random_bytes(count, values, 4 * count + shift);
            portable->encode(values + shift, count, expected);
            variants[v].encode(values + shift, count, bytes + shift);
            assert_memory_equal(bytes + shift, expected, 4 * count);
            variants[v].decode(bytes + shift, count, back + shift);
            assert_memory_equal(back + shift, values + shift, 4 * count);
            free(values);
            free(bytes);
            free(expected);
            free(back);
        }
    }
}

/* Pages are large enough to be written past the caches, from any multiple of four bytes on. */
static void a_page_comes_back_at_any_address(void **state)
{
    (void)state;
    static const size_t counts[] = {(1 << 15) - 1, 1 << 15, (1 << 15) + 45, 100000};
    size_t variant_count;
    const ak_split_variant *variants = ak_split_variants(&variant_count);
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        size_t count = counts[c];
        uint8_t *values = bytes_of(4 * count), *bytes = bytes_of(4 * count);
        test_random_bytes(count, values, 4 * count);
        ak_split_encode(values, count, 4, bytes);
        for (size_t shift = 0; shift < 40; shift += shift % 4 == 0 ? 1 : 3) {
            uint8_t *back = bytes_of(4 * count + shift);
            for (size_t v = 0; v < variant_count; v++) {
                if (!variants[v].available())
                    continue;
                memset(back, 0, 4 * count + shift);
                variants[v].decode(bytes, count, back + shift);
                assert_memory_equal(back + shift, values, 4 * count);
            }
            free(back);
        }
        free(values);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_comes_back_at_any_address),
        cmocka_unit_test(the_example_of_the_specification),
        cmocka_unit_test(every_width_follows_the_definition),
        cmocka_unit_test(all_variants_agree_at_any_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
