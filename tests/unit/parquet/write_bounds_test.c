#include <string.h>

#include "base/utf8.h"
#include "parquet/bounds_write.h"

#include "test.h"

static akidb_slice slice(const char *text)
{
    return (akidb_slice){text, strlen(text)};
}

static void assert_bound(ak_bound bound, const char *expected, bool exact)
{
    assert_true(bound.present);
    assert_int_equal(bound.exact, exact);
    assert_int_equal(bound.size, strlen(expected));
    assert_memory_equal(bound.bytes, expected, bound.size);
}

#define A16 "aaaaaaaaaaaaaaaa"
#define A60 A16 A16 A16 "aaaaaaaaaaaa"

static void a_text_of_64_bytes_is_exact(void **state)
{
    (void)state;
    assert_bound(ak_bound_below_text(slice(A60 "bbbb")), A60 "bbbb", true);
    assert_bound(ak_bound_above_text(slice(A60 "bbbb")), A60 "bbbb", true);
    assert_bound(ak_bound_above_text(slice("")), "", true);
}

static void a_longer_one_is_cut_and_the_upper_bound_raised(void **state)
{
    (void)state;
    assert_bound(ak_bound_below_text(slice(A60 "bbbbc")), A60 "bbbb", false);
    assert_bound(ak_bound_above_text(slice(A60 "bbbbc")), A60 "bbbc", false);
}

static void a_character_is_never_cut(void **state)
{
    (void)state;
    /* U+1D11E has 4 bytes: with 61 before it, it does not fit into 64. */
    assert_bound(ak_bound_below_text(slice(A60 "b\xF0\x9D\x84\x9E")), A60 "b", false);
    assert_bound(ak_bound_above_text(slice(A60 "b\xF0\x9D\x84\x9E")), A60 "c", false);
    /* It does with 60, and is raised as a character. */
    assert_bound(ak_bound_above_text(slice(A60 "\xF0\x9D\x84\x9Ez")), A60 "\xF0\x9D\x84\x9F",
                 false);
}

static void a_character_without_a_next_one_is_dropped(void **state)
{
    (void)state;
    /* U+10FFFF is the last character. */
    assert_bound(ak_bound_above_text(slice(A60 "\xF4\x8F\xBF\xBFz")), A16 A16 A16 "aaaaaaaaaaab",
                 false);
    /* The one after U+007F has two bytes, and there is room for one. */
    assert_bound(ak_bound_above_text(slice(A60 "bbb\x7Fz")), A60 "bbc", false);
    /* After U+D7FF come the surrogates, then U+E000. */
    assert_bound(ak_bound_above_text(slice(A60 "b\xED\x9F\xBFz")), A60 "b\xEE\x80\x80", false);
}

static void there_may_be_no_upper_bound(void **state)
{
    (void)state;
    char text[80];
    for (size_t i = 0; i < sizeof text; i += 4)
        memcpy(text + i, "\xF4\x8F\xBF\xBF", 4);
    const akidb_slice longest = {text, sizeof text};
    assert_false(ak_bound_above_text(longest).present);
    assert_true(ak_bound_below_text(longest).present);
}

static size_t random_text(uint64_t *seed, uint8_t *text, size_t characters)
{
    static const char *const alphabet[] = {
        "a", "\x7F", "\xC2\x80", "\xDF\xBF", "\xED\x9F\xBF", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF"};
    size_t size = 0;
    for (size_t i = 0; i < characters; i++) {
        const char *character = alphabet[test_random(seed) % 7];
        memcpy(text + size, character, strlen(character));
        size += strlen(character);
    }
    return size;
}

static void bounds_of_random_texts_hold_and_are_text(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[40 * 4];
        const akidb_slice text = {bytes, random_text(&seed, bytes, test_random(&seed) % 40)};
        ak_bound below = ak_bound_below_text(text), above = ak_bound_above_text(text);
        const akidb_slice low = {below.bytes, below.size}, high = {above.bytes, above.size};
        assert_true(below.present && below.size <= AK_BOUND_MAX);
        assert_true(ak_compare_bytes(low, text) <= 0);
        assert_int_equal(ak_utf8_valid_prefix(low.data, low.size), low.size);
        assert_int_equal(below.exact, text.size <= AK_BOUND_MAX);
        if (!above.present)
            continue;
        assert_true(above.size <= AK_BOUND_MAX);
        assert_true(ak_compare_bytes(high, text) >= 0);
        assert_int_equal(ak_compare_bytes(high, text) == 0, above.exact);
        assert_int_equal(ak_utf8_valid_prefix(high.data, high.size), high.size);
    }
}

static void bytes_are_compared_unsigned_and_a_prefix_first(void **state)
{
    (void)state;
    assert_true(ak_compare_bytes(slice("a"), slice("\xC3\xA9")) < 0);
    assert_true(ak_compare_bytes(slice("ab"), slice("abc")) < 0);
    assert_true(ak_compare_bytes(slice("b"), slice("abc")) > 0);
    assert_int_equal(ak_compare_bytes(slice(""), slice("")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_of_64_bytes_is_exact),
        cmocka_unit_test(a_longer_one_is_cut_and_the_upper_bound_raised),
        cmocka_unit_test(a_character_is_never_cut),
        cmocka_unit_test(a_character_without_a_next_one_is_dropped),
        cmocka_unit_test(there_may_be_no_upper_bound),
        cmocka_unit_test(bounds_of_random_texts_hold_and_are_text),
        cmocka_unit_test(bytes_are_compared_unsigned_and_a_prefix_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
