#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

/* The definition, by decoding: what Unicode allows is what an encoder can write. */
static size_t encode(uint32_t point, uint8_t bytes[4])
{
    if (point < 0x80) {
        bytes[0] = (uint8_t)point;
        return 1;
    }
    size_t size = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = size - 1; i > 0; i--, point >>= 6)
        bytes[i] = (uint8_t)(0x80 | (point & 0x3F));
    bytes[0] = (uint8_t)(lead[size] | point);
    return size;
}

static void every_character_is_well_formed_but_surrogates(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x110000; point++) {
        uint8_t bytes[4];
        size_t size = encode(point, bytes);
        bool legal = point < 0xD800 || point > 0xDFFF;
        if (ak_utf8_valid_prefix(bytes, size) != (legal ? size : 0))
            fail_msg("U+%04X", (unsigned)point);
    }
}

/* All three bytes that begin as a character of three does: well-formed exactly if one is written
 * so. */
static void other_sequences_of_three_bytes_are_not(void **state)
{
    (void)state;
    static uint8_t legal[1 << 21]; /* by the 24 bits of three bytes */
    memset(legal, 0, sizeof legal);
    for (uint32_t point = 0; point < 0x10000; point++) {
        uint8_t bytes[4] = {0};
        if (point >= 0xD800 && point <= 0xDFFF)
            continue;
        if (encode(point, bytes) == 3) {
            size_t key = (size_t)bytes[0] << 16 | (size_t)bytes[1] << 8 | bytes[2];
            legal[key / 8] |= (uint8_t)(1 << key % 8);
        }
    }
    for (size_t key = (size_t)0xE0 << 16; key < (size_t)0xF0 << 16; key++) {
        const uint8_t bytes[] = {(uint8_t)(key >> 16), (uint8_t)(key >> 8), (uint8_t)key};
        bool expected = (legal[key / 8] >> key % 8 & 1) != 0;
        if ((ak_utf8_valid_prefix(bytes, 3) == 3) != expected)
            fail_msg("%02X %02X %02X", bytes[0], bytes[1], bytes[2]);
    }
}

static void ill_formed_sequences_end_the_prefix(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size, valid;
    } cases[] = {
        {"", 0, 0},
        {"plain", 5, 5},
        {"a\0b", 3, 3},
        {"\x80", 1, 0},
        {"a\xC3", 2, 1},
        {"a\xC3(", 3, 1},
        {"\xC0\x80", 2, 0},             /* overlong */
        {"\xC1\xBF", 2, 0},             /* overlong */
        {"\xE0\x9F\xBF", 3, 0},         /* overlong */
        {"\xF0\x8F\xBF\xBF", 4, 0},     /* overlong */
        {"\xED\xA0\x80", 3, 0},         /* a surrogate */
        {"\xF4\x90\x80\x80", 4, 0},     /* above U+10FFFF */
        {"\xF5\x80\x80\x80", 4, 0},     /* no such lead */
        {"\xF8\x88\x80\x80\x80", 5, 0}, /* nor that */
        {"ab\xF0\x9F\x98", 5, 2},
        {"12345678\xFF", 9, 8},
        {"1234567\xC3\xA9\xC3", 10, 9},
        {"12345678 12345678 \xC3\xA9 12345678\xFE", 30, 29},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t *exact = malloc(cases[i].size + (cases[i].size == 0));
        assert_non_null(exact);
        memcpy(exact, cases[i].text, cases[i].size);
        assert_int_equal(ak_utf8_valid_prefix(exact, cases[i].size), cases[i].valid);
        free(exact);
    }
}

static void a_line_has_no_control_characters_and_nothing_but_utf8(void **state)
{
    (void)state;
    char text[] = "a\n\033[0m\x7F \xC3\xA9\xC3(\xFF\xE2\x82";
    ak_utf8_make_line(text, sizeof text - 1);
    assert_string_equal(text, "a??[0m? \xC3\xA9?(???");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_well_formed_but_surrogates),
        cmocka_unit_test(other_sequences_of_three_bytes_are_not),
        cmocka_unit_test(ill_formed_sequences_end_the_prefix),
        cmocka_unit_test(a_line_has_no_control_characters_and_nothing_but_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
