#include <string.h>

#include "base/endian.h"
#include "parquet/arrow_schema.h"

#include "test.h"

static unsigned digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *found = strchr(digits, c);
    assert_true(c != '\0' && found != NULL);
    return (unsigned)(found - digits);
}

/* The bytes of the message; returns their number. */
static size_t decode(uint32_t dimension, ak_time_unit_kind unit, uint8_t bytes_out[2048])
{
    akidb_buffer text = {0};
    akidb_error err = {0};
    assert_ok(err, ak_arrow_schema_append(&text, dimension, unit, &err));
    assert_int_equal(text.data[text.size - 1], 0);
    assert_int_equal(text.size % 4, 1);
    size_t size = 0;
    const char *at = (const char *)text.data;
    for (; *at != '\0'; at += 4) {
        unsigned group = digit(at[0]) << 18 | digit(at[1]) << 12;
        group |= at[2] == '=' ? 0 : digit(at[2]) << 6;
        group |= at[3] == '=' ? 0 : digit(at[3]);
        bytes_out[size++] = (uint8_t)(group >> 16);
        if (at[2] != '=')
            bytes_out[size++] = (uint8_t)(group >> 8);
        if (at[3] != '=')
            bytes_out[size++] = (uint8_t)group;
    }
    akidb_buffer_free(&text);
    return size;
}

static void the_message_has_its_prefix_and_whole_words(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    size_t size = decode(512, AK_UNIT_MILLIS, bytes);
    assert_true(ak_load_u32(bytes) == 0xFFFFFFFFu);
    assert_int_equal(ak_load_u32(bytes + 4), size - 8);
    assert_int_equal(size % 8, 0);
}

/* Follows field `number` of the table at `at`; returns the position of its value. */
static size_t field(const uint8_t *flat, size_t at, unsigned number)
{
    size_t vtable = at - ak_load_u32(flat + at);
    assert_true(4 + 2 * number < ak_load_u16(flat + vtable));
    size_t offset = ak_load_u16(flat + vtable + 4 + 2 * number);
    assert_true(offset != 0);
    return at + offset;
}

static size_t follow(const uint8_t *flat, size_t cell)
{
    return cell + ak_load_u32(flat + cell);
}

/* As a reader of FlatBuffers walks it: message, header, fields, the vector's type. */
static void the_vector_is_a_list_of_fixed_size(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    decode(384, AK_UNIT_MICROS, bytes);
    const uint8_t *flat = bytes + 8;
    size_t message = follow(flat, 0);
    assert_int_equal(flat[field(flat, message, 0)], 4); /* metadata version 5 */
    assert_int_equal(flat[field(flat, message, 1)], 1); /* a schema */
    size_t schema = follow(flat, field(flat, message, 2));
    size_t fields = follow(flat, field(flat, schema, 1));
    assert_int_equal(ak_load_u32(flat + fields), 6);

    size_t vector = follow(flat, fields + 4 + 4 * 3);
    size_t name = follow(flat, field(flat, vector, 0));
    assert_int_equal(ak_load_u32(flat + name), 6);
    assert_string_equal((const char *)flat + name + 4, "vector");
    assert_int_equal(flat[field(flat, vector, 1)], 0);  /* not nullable */
    assert_int_equal(flat[field(flat, vector, 2)], 16); /* FixedSizeList */
    size_t type = follow(flat, field(flat, vector, 3));
    assert_int_equal(ak_load_u32(flat + field(flat, type, 0)), 384);
    size_t children = follow(flat, field(flat, vector, 5));
    assert_int_equal(ak_load_u32(flat + children), 1);
    size_t element = follow(flat, children + 4);
    assert_int_equal(flat[field(flat, element, 2)], 3); /* FloatingPoint */

    size_t time = follow(flat, fields + 4 + 4 * 5);
    assert_int_equal(flat[field(flat, time, 2)], 10); /* Timestamp */
    type = follow(flat, field(flat, time, 3));
    assert_int_equal(flat[field(flat, type, 0)], 2); /* microseconds */
    size_t zone = follow(flat, field(flat, type, 1));
    assert_string_equal((const char *)flat + zone + 4, "UTC");
}

static void only_the_size_changes_with_the_dimension(void **state)
{
    (void)state;
    uint8_t a[2048], b[2048];
    size_t size = decode(1, AK_UNIT_MILLIS, a);
    assert_int_equal(decode(65536, AK_UNIT_MILLIS, b), size);
    size_t differ = 0;
    for (size_t i = 0; i < size; i++)
        differ += a[i] != b[i];
    assert_int_equal(differ, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_message_has_its_prefix_and_whole_words),
        cmocka_unit_test(the_vector_is_a_list_of_fixed_size),
        cmocka_unit_test(only_the_size_changes_with_the_dimension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
