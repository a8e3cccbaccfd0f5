#include "codec/levels.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/rle.h"
#include "test.h"

#define SLICE(array) ((akidb_slice){(array), sizeof(array)})

static akidb_slice slice_of(const akidb_buffer *buffer)
{
    return (akidb_slice){buffer->data, buffer->size};
}

static akidb_buffer fixed_levels(uint64_t rows, uint32_t k)
{
    akidb_error err;
    akidb_buffer buffer = {0};
    assert_ok(err, ak_levels_append_fixed_repetition(&buffer, rows, k, &err));
    return buffer;
}

/* The levels begin with `start` and then repeat `again` so many times, and nothing else. */
static void assert_levels(uint64_t rows, uint32_t k, akidb_slice start, akidb_slice again,
                          size_t times)
{
    akidb_buffer buffer = fixed_levels(rows, k);
    assert_int_equal(buffer.size, start.size + times * again.size);
    assert_memory_equal(buffer.data, start.data, start.size);
    for (size_t i = 0; i < times; i++)
        assert_memory_equal(buffer.data + start.size + i * again.size, again.data, again.size);
    akidb_buffer_free(&buffer);
}

/* As found in files of parquet-rs, pyarrow and ClickHouse. */
static void the_bytes_are_those_of_other_writers(void **state)
{
    (void)state;
    const uint8_t k4[] = {0x65}, ee[] = {0xEE}, fe[] = {0xFE};
    assert_levels(100, 4, SLICE(k4), SLICE(ee), 50);

    uint8_t k8[1 + 63 + 1] = {0x7F};
    memset(k8 + 1, 0xFE, 63);
    k8[64] = 0x4B;
    assert_levels(100, 8, SLICE(k8), SLICE(fe), 37);

    const akidb_slice none = {"", 0};
    const uint8_t k12[] = {0x05, 0xFE, 0xEF, 0x10, 0x01};
    assert_levels(100, 12, none, SLICE(k12), 50);
    const uint8_t k16[] = {0x03, 0xFE, 0x10, 0x01};
    assert_levels(100, 16, none, SLICE(k16), 100);
    const uint8_t k100[] = {0x03, 0xFE, 0xB8, 0x01, 0x01};
    assert_levels(300, 100, none, SLICE(k100), 300);
    const uint8_t k384[] = {0x03, 0xFE, 0xF0, 0x05, 0x01};
    assert_levels(7, 384, none, SLICE(k384), 7);
    const uint8_t k512[] = {0x03, 0xFE, 0xF0, 0x07, 0x01};
    assert_levels(300, 512, none, SLICE(k512), 300);
    const uint8_t k768[] = {0x03, 0xFE, 0xF0, 0x0B, 0x01};
    assert_levels(300, 768, none, SLICE(k768), 300);
    const uint8_t k1024[] = {0x03, 0xFE, 0xF0, 0x0F, 0x01};
    assert_levels(1, 1024, none, SLICE(k1024), 1);
    const uint8_t k1536[] = {0x03, 0xFE, 0xF0, 0x17, 0x01};
    assert_levels(2, 1536, none, SLICE(k1536), 2);
    const uint8_t k65536[] = {0x03, 0xFE, 0xF0, 0xFF, 0x07, 0x01};
    assert_levels(3, 65536, none, SLICE(k65536), 3);
    const uint8_t k1[] = {0xD8, 0x04, 0x00};
    assert_levels(300, 1, SLICE(k1), none, 0);
}

static void definition_levels_are_one_run(void **state)
{
    (void)state;
    akidb_error err;
    const struct {
        uint64_t count;
        uint8_t bytes[8];
        size_t size;
    } cases[] = {
        {400, {0xA0, 0x06, 0x01}, 3},
        {800, {0xC0, 0x0C, 0x01}, 3},
        {10000, {0xA0, 0x9C, 0x01, 0x01}, 4},
        {512 * 300, {0x80, 0xE0, 0x12, 0x01}, 4},
        {768 * 300, {0x80, 0x90, 0x1C, 0x01}, 4},
        {0, {0}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_buffer buffer = {0};
        assert_ok(err, ak_levels_append_constant(&buffer, cases[i].count, 1, &err));
        assert_int_equal(buffer.size, cases[i].size);
        if (buffer.size > 0)
            assert_memory_equal(buffer.data, cases[i].bytes, cases[i].size);
        akidb_buffer_free(&buffer);
    }
}

static void a_constant_of_more_than_a_run_holds_is_several_runs(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer buffer = {0};
    uint64_t count = UINT64_C(5000000000);
    assert_ok(err, ak_levels_append_constant(&buffer, count, 1, &err));
    assert_int_equal(ak_levels_all_equal(slice_of(&buffer), 1, count, 1), AK_LEVELS_YES);
    assert_int_equal(ak_levels_all_equal(slice_of(&buffer), 1, count + 1, 1), AK_LEVELS_MALFORMED);
    akidb_buffer_free(&buffer);
}

/* What the general writer of the hybrid makes of the same levels. */
static akidb_buffer general_levels(uint64_t rows, uint32_t k)
{
    akidb_error err;
    akidb_buffer buffer = {0};
    size_t count = (size_t)rows * k;
    uint32_t *levels = malloc((count + 1) * sizeof *levels);
    assert_non_null(levels);
    for (size_t i = 0; i < count; i++)
        levels[i] = i % k != 0;
    assert_ok(err, ak_rle_encode(&buffer, levels, count, 1, &err));
    free(levels);
    return buffer;
}

static void the_template_gives_what_the_general_writer_gives(void **state)
{
    (void)state;
    static const uint32_t dimensions[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,   10,   11,
                                          12, 13, 14, 15, 16, 17, 71, 72, 100, 8199, 8200};
    uint64_t random = 3;
    for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++) {
        uint32_t k = dimensions[i];
        for (int round = 0; round < 12; round++) {
            uint64_t rows = test_random(&random) % (k < 16 ? 2000 : 12) + 1;
            akidb_buffer expected = general_levels(rows, k);
            akidb_buffer found = fixed_levels(rows, k);
            assert_int_equal(found.size, expected.size);
            assert_memory_equal(found.data, expected.data, expected.size);
            akidb_buffer_free(&expected);
            akidb_buffer_free(&found);
        }
    }
}

/* ---- the detector ---------------------------------------------------------------------------- */

/* DuckDB's writer: bit-packed runs of 256 values, RLE from four equal ones at the start of a run;
 * the last run is padded past the end. */
static void encode_in_long_runs(akidb_buffer *buffer, const uint8_t *levels, size_t count)
{
    akidb_error err;
    for (size_t at = 0; at < count;) {
        size_t equal = 1;
        while (at + equal < count && levels[at + equal] == levels[at])
            equal++;
        if (equal >= 4) {
            assert_ok(err, ak_levels_append_constant(buffer, equal, levels[at], &err));
            at += equal;
            continue;
        }
        uint8_t packed[33] = {0x41};
        memset(packed + 1, 0xA5, 32); /* stale bits */
        for (size_t i = 0; i < 256 && at + i < count; i++) {
            uint8_t bit = (uint8_t)(1 << i % 8);
            packed[1 + i / 8] = (uint8_t)((packed[1 + i / 8] & ~bit) | (levels[at + i] ? bit : 0));
        }
        assert_ok(err, ak_buffer_append(buffer, packed, sizeof packed, &err));
        at += 256;
    }
}

/* Runs of random kinds and lengths: legal, if odd. */
static void encode_at_random(akidb_buffer *buffer, const uint8_t *levels, size_t count,
                             uint64_t *random)
{
    akidb_error err;
    for (size_t at = 0; at < count;) {
        size_t equal = 1;
        while (at + equal < count && levels[at + equal] == levels[at])
            equal++;
        if (test_random(random) % 2 == 0) {
            size_t part = test_random(random) % equal + 1;
            assert_ok(err, ak_levels_append_constant(buffer, part, levels[at], &err));
            at += part;
            continue;
        }
        size_t groups = test_random(random) % 20 + 1;
        assert_ok(err, ak_buffer_put(buffer, (uint8_t)(groups << 1 | 1), &err));
        for (size_t group = 0; group < groups; group++, at += 8) {
            uint8_t byte = (uint8_t)test_random(random);
            for (size_t i = 0; i < 8 && at + i < count; i++)
                byte = (uint8_t)((byte & ~(1 << i)) | levels[at + i] << i);
            assert_ok(err, ak_buffer_put(buffer, byte, &err));
        }
    }
}

static void encode(akidb_buffer *buffer, const uint8_t *levels, size_t count, unsigned style,
                   uint64_t *random)
{
    akidb_error err;
    if (style == 0) {
        uint32_t *values = calloc(count + 1, sizeof *values);
        assert_non_null(values);
        for (size_t i = 0; i < count; i++)
            values[i] = levels[i];
        assert_ok(err, ak_rle_encode(buffer, values, count, 1, &err));
        free(values);
    } else if (style == 1) {
        encode_in_long_runs(buffer, levels, count);
    } else {
        encode_at_random(buffer, levels, count, random);
    }
}

static ak_levels_verdict ask(const akidb_buffer *buffer, uint64_t count, uint32_t k,
                             uint64_t *carry)
{
    uint8_t *exact = malloc(buffer->size + 1); /* so that a read past the end shows */
    assert_non_null(exact);
    if (buffer->size > 0)
        memcpy(exact, buffer->data, buffer->size);
    exact = realloc(exact, buffer->size == 0 ? 1 : buffer->size);
    assert_non_null(exact);
    ak_levels_verdict verdict =
        ak_levels_fixed_repetition((akidb_slice){exact, buffer->size}, count, k, carry);
    free(exact);
    return verdict;
}

/* Random rows of k, cut into pages anywhere, by three writers, each also with one level wrong. */
static void the_detector_is_right_about_any_writer(void **state)
{
    (void)state;
    uint64_t random = 5;
    uint8_t levels[3000];
    for (int round = 0; round < 6000; round++) {
        uint32_t k = (uint32_t)(test_random(&random) % (round % 2 == 0 ? 20 : 600) + 1);
        size_t count = test_random(&random) % sizeof levels;
        uint64_t carry = test_random(&random) % 2 == 0 ? 0 : test_random(&random) % k;
        uint64_t start = carry;
        for (size_t i = 0; i < count; i++)
            levels[i] = (i + k - start) % k != 0;
        unsigned style = (unsigned)(test_random(&random) % 3);
        akidb_buffer buffer = {0};
        encode(&buffer, levels, count, style, &random);
        assert_int_equal(ask(&buffer, count, k, &carry), AK_LEVELS_YES);
        assert_int_equal(carry, (start + (k - count % k)) % k);

        if (count > 0) {
            size_t wrong = test_random(&random) % count;
            levels[wrong] ^= 1;
            buffer.size = 0;
            encode(&buffer, levels, count, style, &random);
            carry = start;
            assert_int_equal(ask(&buffer, count, k, &carry), AK_LEVELS_NO);
            assert_int_equal(carry, start);
        }
        akidb_buffer_free(&buffer);
    }
}

static void rows_may_span_pages(void **state)
{
    (void)state;
    /* DuckDB, rows of 1,000: the second page begins with the last 999 values of a row. */
    akidb_error err;
    akidb_buffer page = {0};
    uint64_t carry = 0;
    uint8_t levels[2001];
    for (size_t i = 0; i < 2001; i++)
        levels[i] = i % 1000 != 0;
    encode_in_long_runs(&page, levels, 2001);
    assert_int_equal(ask(&page, 2001, 1000, &carry), AK_LEVELS_YES);
    assert_int_equal(carry, 999);
    page.size = 0;
    assert_ok(err, ak_levels_append_constant(&page, 999, 1, &err));
    assert_int_equal(page.data[0], 0xCE);
    assert_int_equal(page.data[1], 0x0F);
    assert_int_equal(ask(&page, 999, 1000, &carry), AK_LEVELS_YES);
    assert_int_equal(carry, 0);
    assert_int_equal(ask(&page, 999, 1000, &carry), AK_LEVELS_NO); /* a row begins with 0 */
    akidb_buffer_free(&page);
}

static void a_single_bad_row_among_many_repetitions_is_seen(void **state)
{
    (void)state;
    akidb_buffer buffer = fixed_levels(1000, 512);
    uint64_t carry = 0;
    assert_int_equal(ask(&buffer, 512000, 512, &carry), AK_LEVELS_YES);
    for (size_t at = 0; at < buffer.size; at += 97) {
        buffer.data[at] ^= 4;
        carry = 0;
        assert_true(ask(&buffer, 512000, 512, &carry) != AK_LEVELS_YES);
        buffer.data[at] ^= 4;
    }
    assert_true(ask(&buffer, 512001, 512, &carry) == AK_LEVELS_MALFORMED);
    akidb_buffer_free(&buffer);
}

static void another_dimension_is_no(void **state)
{
    (void)state;
    akidb_buffer buffer = fixed_levels(100, 100);
    for (uint32_t k = 1; k < 300; k++) {
        uint64_t carry = 0;
        ak_levels_verdict expected = k == 100 ? AK_LEVELS_YES : AK_LEVELS_NO;
        assert_int_equal(ask(&buffer, 10000, k, &carry), expected);
    }
    uint64_t carry = 0;
    assert_int_equal(ask(&buffer, 10000, 0, &carry), AK_LEVELS_NO);
    akidb_buffer_free(&buffer);
}

static void malformed_levels_are_told_from_other_levels(void **state)
{
    (void)state;
    const uint8_t no_values[] = {0x00, 0x00}, large[] = {0x02, 0x02}, cut[] = {0x03};
    uint64_t carry = 0;
    assert_int_equal(ak_levels_fixed_repetition(SLICE(no_values), 1, 1, &carry),
                     AK_LEVELS_MALFORMED);
    assert_int_equal(ak_levels_fixed_repetition(SLICE(large), 1, 1, &carry), AK_LEVELS_MALFORMED);
    assert_int_equal(ak_levels_fixed_repetition(SLICE(cut), 1, 1, &carry), AK_LEVELS_MALFORMED);
    assert_int_equal(ak_levels_fixed_repetition((akidb_slice){NULL, 0}, 1, 1, &carry),
                     AK_LEVELS_MALFORMED);
    assert_int_equal(ak_levels_fixed_repetition((akidb_slice){NULL, 0}, 0, 1, &carry),
                     AK_LEVELS_YES);
    assert_int_equal(ak_levels_all_equal(SLICE(no_values), 1, 1, 0), AK_LEVELS_MALFORMED);
    assert_int_equal(ak_levels_all_equal(SLICE(cut), 33, 1, 0), AK_LEVELS_MALFORMED);
}

static void all_equal_takes_packed_and_equal_runs(void **state)
{
    (void)state;
    const uint8_t mixed[] = {0x06, 0x03, 0x03, 0xFF, 0x3F}; /* 3 x 3, then 7 x 3 and a 0 */
    assert_int_equal(ak_levels_all_equal(SLICE(mixed), 2, 10, 3), AK_LEVELS_YES);
    assert_int_equal(ak_levels_all_equal(SLICE(mixed), 2, 11, 3), AK_LEVELS_NO);
    assert_int_equal(ak_levels_all_equal(SLICE(mixed), 2, 10, 2), AK_LEVELS_NO);
    assert_int_equal(ak_levels_all_equal(SLICE(mixed), 2, 0, 2), AK_LEVELS_YES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_those_of_other_writers),
        cmocka_unit_test(definition_levels_are_one_run),
        cmocka_unit_test(a_constant_of_more_than_a_run_holds_is_several_runs),
        cmocka_unit_test(the_template_gives_what_the_general_writer_gives),
        cmocka_unit_test(the_detector_is_right_about_any_writer),
        cmocka_unit_test(rows_may_span_pages),
        cmocka_unit_test(a_single_bad_row_among_many_repetitions_is_seen),
        cmocka_unit_test(another_dimension_is_no),
        cmocka_unit_test(malformed_levels_are_told_from_other_levels),
        cmocka_unit_test(all_equal_takes_packed_and_equal_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
