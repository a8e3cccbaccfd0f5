/* Checking, the tree of a small document, and strings in both directions. */
#include "json/json.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "json/string.h"

static akidb_slice slice(const char *text)
{
    return (akidb_slice){text, strlen(text)};
}

/* ---- checking -------------------------------------------------------------------------------- */

static void json_values_of_every_kind_are_accepted(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1.5e-7",
        "1E+2",
        "\"\"",
        "{}",
        "[]",
        " \t\r\n[1]\n",
        "[1,2,[3,{\"a\":null}]]",
        "{\"a\":1,\"a\":2,\"\":{}}",
        "\"\\u0000\\ud83d\\ude00\\/\\b\"",
        "\"\xC3\xA9\xF0\x9F\x98\x80\x7F\"",
        "1e999999",
        "123456789012345678901234567890",
        "\"\\ud800\"", /* half a pair: the grammar allows it */
    };
    akidb_error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_ok(err, ak_json_check(slice(texts[i]), &err));
}

static void what_is_not_one_json_value_is_refused_with_its_offset(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t at_least, at_most; /* where the library may see it */
    } cases[] = {
        {"", 0, 0},
        {" ", 1, 1},
        {"nul", 3, 3},
        {"nulL", 3, 4},
        {"tru e", 3, 4},
        {"{", 1, 1},
        {"[", 1, 1},
        {"[1", 2, 2},
        {"[1,]", 3, 4},
        {"[,1]", 1, 2},
        {"{\"a\"}", 4, 5},
        {"{\"a\":}", 5, 6},
        {"{\"a\":1,}", 7, 8},
        {"{a:1}", 1, 2},
        {"{1:1}", 1, 2},
        {"]", 0, 1},
        {"[}", 1, 2},
        {"1 2", 2, 3},
        {"{} x", 3, 4},
        {"[1]]", 3, 4},
        {"01", 1, 2},
        {"+1", 0, 1},
        {"1.", 2, 2},
        {".5", 0, 1},
        {"1e", 2, 2},
        {"-", 1, 1},
        {"NaN", 0, 1},
        {"Infinity", 0, 1},
        {"'a'", 0, 1},
        {"\"a", 2, 2},
        {"\"\\x\"", 2, 3},
        {"\"\\u12g4\"", 5, 6},
        {"\"\n\"", 1, 2},
        {"\"\t\"", 1, 2},
        {"/* c */ 1", 0, 2},
        {"1 // c", 2, 4},
        {"\xEF\xBB\xBF{}", 0, 1},
        {"\"\xC0\x80\"", 1, 1},
        {"\"\xED\xA0\x80\"", 1, 1},
        {"\"\xF4\x90\x80\x80\"", 1, 1},
        {"\"ab\xFF\"", 3, 3},
        {"\xC2\xA0", 0, 1},
        {"[1]\v", 3, 4},
        {"0x10", 1, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_error err = {.offset = -1};
        if (ak_json_check(slice(cases[i].text), &err) != AKIDB_E_VALIDATION)
            fail_msg("<%s> was accepted", cases[i].text);
        if (err.offset < cases[i].at_least || err.offset > cases[i].at_most)
            fail_msg("<%s>: offset %lld: %s", cases[i].text, (long long)err.offset, err.message);
    }
    assert_status(AKIDB_E_VALIDATION, ak_json_check((akidb_slice){"1\0", 2}, NULL));
    assert_status(AKIDB_E_VALIDATION, ak_json_check((akidb_slice){"\"\0\"", 3}, NULL));
    assert_status(AKIDB_E_VALIDATION, ak_json_check((akidb_slice){NULL, 0}, NULL));
}

static void nesting_is_limited(void **state)
{
    (void)state;
    for (int extra = 0; extra <= 1; extra++) {
        size_t depth = (size_t)AK_JSON_DEPTH_MAX + (size_t)extra;
        char text[2 * (AK_JSON_DEPTH_MAX + 1)];
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        akidb_error err = {0};
        ak_json_tree *tree;
        akidb_slice all = {text, 2 * depth};
        if (extra == 0) {
            assert_ok(err, ak_json_check(all, &err));
            assert_ok(err, ak_json_parse(all, &tree, &err));
        } else {
            assert_status(AKIDB_E_VALIDATION, ak_json_check(all, &err));
            assert_non_null(strstr(err.message, "256 levels"));
            assert_int_equal(err.offset, AK_JSON_DEPTH_MAX + 1);
            assert_status(AKIDB_E_VALIDATION, ak_json_parse(all, &tree, &err));
        }
        ak_json_tree_free(tree);
    }
}

static void every_cut_of_a_document_is_refused(void **state)
{
    (void)state;
    const char text[] = "{\"a\":[1.5e3,\"\\u00e9\\n\",true,false,null,{\"b\":{}}],\"c\":-1}";
    for (size_t size = 0; size < sizeof text - 1; size++) {
        char *copy = malloc(size + 1); /* so that a read beyond the end is seen */
        memcpy(copy, text, size);
        copy = realloc(copy, size > 0 ? size : 1);
        assert_status(AKIDB_E_VALIDATION, ak_json_check((akidb_slice){copy, size}, NULL));
        free(copy);
    }
}

static void a_large_value_is_checked_in_bounded_pieces(void **state)
{
    (void)state;
    size_t size = 3u << 20;
    char *text = malloc(size);
    memset(text, 'x', size);
    text[0] = text[size - 1] = '"';
    akidb_error err;
    ak_json_tree *tree = NULL;
    assert_ok(err, ak_json_check((akidb_slice){text, size}, &err));
    text[size / 2] = '\\'; /* makes the library copy it */
    text[size / 2 + 1] = 'n';
    assert_ok(err, ak_json_parse((akidb_slice){text, size}, &tree, &err));
    assert_int_equal(strlen(ak_json_string(ak_json_root(tree))), size - 3);
    ak_json_tree_free(tree);
    memset(text, '7', size); /* a number that never ends */
    assert_ok(err, ak_json_check((akidb_slice){text, size}, &err));
    free(text);
}

/* ---- the tree -------------------------------------------------------------------------------- */

static void a_tree_tells_members_elements_and_values(void **state)
{
    (void)state;
    akidb_error err;
    ak_json_tree *tree;
    assert_ok(err, ak_json_parse(
                       slice("{\"name\":\"caf\\u00e9\",\"n\":18446744073709551615,\"list\":[1,[],"
                             "{\"deep\":{\"x\":true}},null],\"no\":false,\"n\":7,\"e\":{}}"),
                       &tree, &err));
    const ak_json_value *root = ak_json_root(tree);
    assert_true(ak_json_is_object(root));
    assert_int_equal(ak_json_count(root), 6);
    assert_string_equal(ak_json_member_name(root, 1), "n");
    assert_string_equal(ak_json_string(ak_json_member(root, "name")), "caf\xC3\xA9");
    uint64_t number;
    assert_true(ak_json_u64(ak_json_member(root, "n"), &number)); /* the first of the two */
    assert_true(number == UINT64_MAX);
    const ak_json_value *list = ak_json_member(root, "list");
    assert_true(ak_json_is_array(list));
    assert_int_equal(ak_json_count(list), 4);
    assert_true(ak_json_u64(ak_json_element(list, 0), &number));
    assert_int_equal(number, 1);
    assert_int_equal(ak_json_count(ak_json_element(list, 1)), 0);
    bool flag;
    assert_true(
        ak_json_bool(ak_json_member(ak_json_member(ak_json_element(list, 2), "deep"), "x"), &flag));
    assert_true(flag);
    assert_true(ak_json_bool(ak_json_member(root, "no"), &flag));
    assert_false(flag);
    assert_true(ak_json_is_object(ak_json_member(root, "e")));
    ak_json_tree_free(tree);
}

static void looking_for_what_is_not_there_gives_nothing(void **state)
{
    (void)state;
    akidb_error err;
    ak_json_tree *tree;
    assert_ok(err, ak_json_parse(slice("{\"s\":\"a\\u0000b\",\"a\":[1]}"), &tree, &err));
    const ak_json_value *root = ak_json_root(tree);
    uint64_t number = 5;
    bool flag = true;
    assert_null(ak_json_member(root, "x"));
    assert_null(ak_json_member(NULL, "x"));
    assert_null(ak_json_member(ak_json_member(root, "a"), "x"));
    assert_null(ak_json_element(root, 0));
    assert_null(ak_json_element(ak_json_member(root, "a"), 1));
    assert_null(ak_json_string(ak_json_member(root, "s"))); /* it holds U+0000 */
    assert_null(ak_json_string(root));
    assert_null(ak_json_member_name(root, 2));
    assert_null(ak_json_member_value(root, 2));
    assert_int_equal(ak_json_count(ak_json_member(root, "s")), 0);
    assert_false(ak_json_u64(root, &number));
    assert_int_equal(number, 0);
    assert_false(ak_json_bool(root, &flag));
    assert_false(flag);
    ak_json_tree_free(tree);
    ak_json_tree_free(NULL);
    assert_status(AKIDB_E_VALIDATION, ak_json_parse(slice("{\"a\\u0000\":1}"), &tree, NULL));
    assert_null(tree);
    assert_status(AKIDB_E_VALIDATION, ak_json_parse(slice("{\"a\":[1,{\"b\":2"), &tree, &err));
    assert_null(tree);
}

static void only_whole_numbers_that_fit_are_u64(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "18446744073709551616", "-1", "1.0", "1e2", "\"1\"", "true"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        akidb_error err;
        ak_json_tree *tree;
        uint64_t number;
        assert_ok(err, ak_json_parse(slice(texts[i]), &tree, &err));
        assert_false(ak_json_u64(ak_json_root(tree), &number));
        ak_json_tree_free(tree);
    }
}

/* ---- strings --------------------------------------------------------------------------------- */

static void strings_are_escaped_as_little_as_may_be(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer buffer = {0};
    akidb_slice text = {"a\"b\\c/\b\f\n\r\t\x01\x1f\0\x7f\xC3\xA9", 17};
    assert_ok(err, ak_json_append_string(&buffer, text, &err));
    assert_ok(err, ak_json_append_string(&buffer, (akidb_slice){NULL, 0}, &err));
    static const char expected[] =
        "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\\u0000\x7f\xC3\xA9\"\"\"";
    assert_int_equal(buffer.size, sizeof expected - 1);
    assert_memory_equal(buffer.data, expected, buffer.size);
    akidb_buffer_free(&buffer);
}

static void strings_survive_escaping_and_back(void **state)
{
    (void)state;
    akidb_error err;
    uint64_t random = 4;
    for (int round = 0; round < 500; round++) {
        char text[64];
        size_t size = 0;
        while (size < 50) {
            if (test_random(&random) % 4 == 0) {
                memcpy(text + size, "\xF0\x9F\x98\x80", 4);
                size += 4;
            } else {
                text[size++] = (char)(test_random(&random) % 128);
            }
        }
        akidb_buffer raw = {0};
        akidb_buffer back = {0};
        assert_ok(err, ak_json_append_string(&raw, (akidb_slice){text, size}, &err));
        assert_ok(err, ak_json_check((akidb_slice){raw.data, raw.size}, &err));
        assert_ok(err, ak_json_unescape((akidb_slice){raw.data, raw.size}, &back, &err));
        assert_int_equal(back.size, size);
        assert_memory_equal(back.data, text, size);
        akidb_buffer_free(&raw);
        akidb_buffer_free(&back);
    }
}

static void escapes_are_read_and_bad_ones_refused(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer text = {0};
    assert_ok(err, ak_json_unescape(slice("\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00\\/\\\"\\\\\\n\""),
                                    &text, &err));
    static const char expected[] = "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80/\"\\\n";
    assert_int_equal(text.size, sizeof expected - 1);
    assert_memory_equal(text.data, expected, text.size);
    static const struct {
        const char *raw;
        int64_t offset;
    } bad[] = {
        {"", 0},
        {"\"", 0},
        {"a", 0},
        {"\"a", 0},
        {"a\"", 0},
        {"\"\\\"", 1},
        {"\"a\\x\"", 2},
        {"\"\\u12\"", 1},
        {"\"\\u12G4\"", 1},
        {"\"\\ud800\"", 1},
        {"\"\\ud800\\n12345\"", 1},
        {"\"\\udc00\"", 1},
        {"\"\\ud800\\ud800\"", 1},
        {"\"\n\"", 1},
        {"\"a\"b\"", 2},
        {"\"\xC3\"", 1},
        {"\"\\ud83d\\ude0\"", 1},
        {"\"ab\x1f\"", 3},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        err.offset = -1;
        if (ak_json_unescape(slice(bad[i].raw), &text, &err) != AKIDB_E_VALIDATION ||
            err.offset != bad[i].offset)
            fail_msg("<%s>: offset %lld", bad[i].raw, (long long)err.offset);
        assert_int_equal(text.size, sizeof expected - 1); /* as it was */
    }
    akidb_buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_values_of_every_kind_are_accepted),
        cmocka_unit_test(what_is_not_one_json_value_is_refused_with_its_offset),
        cmocka_unit_test(nesting_is_limited),
        cmocka_unit_test(every_cut_of_a_document_is_refused),
        cmocka_unit_test(a_large_value_is_checked_in_bounded_pieces),
        cmocka_unit_test(a_tree_tells_members_elements_and_values),
        cmocka_unit_test(looking_for_what_is_not_there_gives_nothing),
        cmocka_unit_test(only_whole_numbers_that_fit_are_u64),
        cmocka_unit_test(strings_are_escaped_as_little_as_may_be),
        cmocka_unit_test(strings_survive_escaping_and_back),
        cmocka_unit_test(escapes_are_read_and_bad_ones_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
