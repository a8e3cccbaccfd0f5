/* Raw pieces of large JSON: elements of a stream, members of an object. */
#include "json/scan.h"

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

/* Feeds `text` by pieces of `step` bytes and joins the elements found, each in angle brackets with
 * its offset before it, as in "1<[2]>5<{}>". Returns the status of the first failure. */
static akidb_status scan_all(const char *text, bool lines, size_t step, size_t limit,
                             akidb_buffer *joined, akidb_error *err)
{
    ak_json_scan scan;
    ak_json_scan_begin(&scan, lines, limit);
    size_t size = strlen(text);
    size_t at = 0;
    akidb_status status = AKIDB_OK;
    ak_json_found found = AK_JSON_FOUND_NOTHING;
    while (status == AKIDB_OK && found != AK_JSON_FOUND_END) {
        akidb_slice element;
        uint64_t offset;
        status = ak_json_scan_next(&scan, &found, &element, &offset, err);
        if (status != AKIDB_OK)
            break;
        if (found == AK_JSON_FOUND_ELEMENT) {
            assert_ok(*err, ak_buffer_printf(joined, err, "%d<%.*s>", (int)offset,
                                             (int)element.size, (const char *)element.data));
        } else if (found == AK_JSON_FOUND_NOTHING) {
            size_t piece = size - at < step ? size - at : step;
            assert_ok(*err, ak_json_scan_feed(&scan, (akidb_slice){text + at, piece}, err));
            at += piece;
            if (at == size)
                ak_json_scan_finish(&scan);
        }
    }
    ak_json_scan_end(&scan);
    return status;
}

static void check_elements(const char *text, bool lines, const char *expected)
{
    for (size_t step = 1; step <= strlen(text) + 1; step++) {
        akidb_error err;
        akidb_buffer joined = {0};
        assert_ok(err, scan_all(text, lines, step, 1000, &joined, &err));
        assert_int_equal(joined.size, strlen(expected));
        if (joined.size > 0)
            assert_memory_equal(joined.data, expected, joined.size);
        akidb_buffer_free(&joined);
    }
}

static void elements_of_an_array_come_raw_however_it_is_fed(void **state)
{
    (void)state;
    check_elements("[]", false, "");
    check_elements(" \n[ ] \t", false, "");
    check_elements("[1]", false, "1<1>");
    check_elements("[1,true , \"a\"\n,null]", false, "1<1>3<true>10<\"a\">15<null>");
    check_elements(" [ {\"a\" : [1, 2]} ,{}, [[]] ] ", false, "3<{\"a\" : [1, 2]}>19<{}>23<[[]]>");
    check_elements("[{\"]}\\\"[\":\"\\\\\"},\"x\\\\\"]", false,
                   "1<{\"]}\\\"[\":\"\\\\\"}>16<\"x\\\\\">");
}

/* Arrays of numbers are passed in large steps; whatever ends or hides a bracket must stop them. */
static void what_matters_is_found_anywhere_in_a_long_array(void **state)
{
    (void)state;
    static const char *const pieces[] = {"\"]\"",   "[]",   "{}",     "\"[\\\"\"",
                                         "[\"]\"]", "true", "_Y~\x7F"};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        for (size_t at = 0; at < 200; at++) {
            char text[300];
            char expected[320];
            memset(text, '1', sizeof text);
            memcpy(text, "[[", 2);
            memcpy(text + 2 + at, pieces[i], strlen(pieces[i]));
            memcpy(text + 2 + at + 70, "],7]", sizeof "],7]");
            snprintf(expected, sizeof expected, "1<%.*s>%zu<7>", (int)(at + 72), text + 1, at + 74);
            akidb_error err;
            akidb_buffer joined = {0};
            assert_ok(err, scan_all(text, false, 1 + at, 1000, &joined, &err));
            assert_int_equal(joined.size, strlen(expected));
            assert_memory_equal(joined.data, expected, joined.size);
            akidb_buffer_free(&joined);
        }
    }
}

static void lines_come_without_their_ends(void **state)
{
    (void)state;
    check_elements("", true, "");
    check_elements("\n\r\n  \n", true, "");
    check_elements("{}", true, "0<{}>");
    check_elements("{\"a\":1}\r\n\n { } \n[", true, "0<{\"a\":1}>11<{ }>16<[>");
}

static void a_byte_order_mark_is_passed_before_the_first_line_only(void **state)
{
    (void)state;
    check_elements("\xEF\xBB\xBF{}\n[]", true, "3<{}>6<[]>");
    check_elements("\xEF\xBB\xBF\n{}\n", true, "4<{}>");
    check_elements("\xEF\xBB\xBF", true, "");
    check_elements("\xEF\xBB", true, "0<\xEF\xBB>"); /* for the reader to refuse */
    check_elements("{}\n\xEF\xBB\xBF{}", true, "0<{}>3<\xEF\xBB\xBF{}>");
}

static void what_is_no_array_is_refused_with_its_offset(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t offset;
    } cases[] = {
        {"", 0},     {"  ", 2},   {"{}", 0},    {"[", 1},     {"[1", 2},
        {"[1,", 3},  {"[1,]", 3}, {"[,]", 1},   {"[1 2]", 3}, {"[1] x", 4},
        {"[1]]", 3}, {"[{]", 3},  {"[\"a]", 4}, {"[}", 1},    {"[\"a\\", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t step = 1; step <= 8; step++) {
            akidb_error err = {.offset = -1};
            akidb_buffer joined = {0};
            if (scan_all(cases[i].text, false, step, 1000, &joined, &err) != AKIDB_E_VALIDATION)
                fail_msg("<%s> was accepted", cases[i].text);
            if (err.offset != cases[i].offset)
                fail_msg("<%s>: offset %lld: %s", cases[i].text, (long long)err.offset,
                         err.message);
            akidb_buffer_free(&joined);
        }
}

static void an_element_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer joined = {0};
    assert_ok(err, scan_all("[[1,2,3],[1,2,3]]", false, 3, 7, &joined, &err));
    assert_status(AKIDB_E_LIMIT, scan_all("[[1,2,3],[1,2,34]]", false, 3, 7, &joined, &err));
    assert_int_equal(err.offset, 9);
    assert_status(AKIDB_E_LIMIT, scan_all("12345678", true, 3, 7, &joined, &err));
    akidb_buffer_free(&joined);
}

static void an_element_that_was_put_back_comes_again(void **state)
{
    (void)state;
    for (int lines = 0; lines <= 1; lines++) {
        const char *text = lines ? "{\"a\":1}\n{}" : "[{\"a\":1},{}]";
        akidb_error err;
        ak_json_scan scan;
        ak_json_scan_begin(&scan, lines != 0, 100);
        assert_ok(err, ak_json_scan_feed(&scan, (akidb_slice){text, strlen(text)}, &err));
        for (int i = 0; i < 3; i++) {
            ak_json_found found;
            akidb_slice element;
            uint64_t offset;
            assert_ok(err, ak_json_scan_next(&scan, &found, &element, &offset, &err));
            assert_int_equal(found, AK_JSON_FOUND_ELEMENT);
            assert_memory_equal(element.data, "{\"a\":1}", element.size);
            ak_json_scan_put_back(&scan);
            assert_ok(err, ak_json_scan_feed(&scan, (akidb_slice){" ", 1}, &err));
        }
        ak_json_scan_end(&scan);
    }
}

static akidb_status walk(const char *text, akidb_buffer *joined, akidb_error *err)
{
    ak_json_members members;
    akidb_status status = ak_json_members_begin(&members, (akidb_slice){text, strlen(text)}, err);
    bool found = true;
    while (status == AKIDB_OK && found) {
        akidb_slice name, value;
        status = ak_json_members_next(&members, &name, &value, &found, err);
        if (status == AKIDB_OK && found)
            assert_ok(*err, ak_buffer_printf(joined, err, "%.*s=%.*s;", (int)name.size,
                                             (const char *)name.data, (int)value.size,
                                             (const char *)value.data));
    }
    return status;
}

static void members_come_raw_and_in_order(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer joined = {0};
    assert_ok(err, walk("{ \"a\" : 1 , \"b\":[ 1, {\"c\":\"}\"} ],\"a\":\"x,y\" ,\"\\\"\":-1e5}",
                        &joined, &err));
    assert_ok(err, walk("{}", &joined, &err));
    assert_ok(err, walk(" { } ", &joined, &err));
    const char *expected = "\"a\"=1;\"b\"=[ 1, {\"c\":\"}\"} ];\"a\"=\"x,y\";\"\\\"\"=-1e5;";
    assert_int_equal(joined.size, strlen(expected));
    assert_memory_equal(joined.data, expected, joined.size);
    akidb_buffer_free(&joined);
}

static void what_is_no_object_is_refused_with_its_offset(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t offset;
    } cases[] = {
        {"", 0},
        {"[]", 0},
        {"{", 1},
        {"{,", 1},
        {"{\"a\"", 4},
        {"{\"a\"}", 4},
        {"{\"a\":", 5},
        {"{\"a\":}", 5},
        {"{\"a\":1", 6},
        {"{\"a\":1,}", 7},
        {"{\"a\":1,,\"b\":2}", 7},
        {"{\"a\":1 2}", 7},
        {"{\"a\":[1}", 8},
        {"{a:1}", 1},
        {"{} {}", 3},
        {"{\"a\":1}}", 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_error err = {.offset = -1};
        akidb_buffer joined = {0};
        if (walk(cases[i].text, &joined, &err) != AKIDB_E_VALIDATION)
            fail_msg("<%s> was accepted", cases[i].text);
        if (err.offset != cases[i].offset)
            fail_msg("<%s>: offset %lld: %s", cases[i].text, (long long)err.offset, err.message);
        akidb_buffer_free(&joined);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_of_an_array_come_raw_however_it_is_fed),
        cmocka_unit_test(what_matters_is_found_anywhere_in_a_long_array),
        cmocka_unit_test(lines_come_without_their_ends),
        cmocka_unit_test(a_byte_order_mark_is_passed_before_the_first_line_only),
        cmocka_unit_test(what_is_no_array_is_refused_with_its_offset),
        cmocka_unit_test(an_element_beyond_the_limit_is_refused),
        cmocka_unit_test(an_element_that_was_put_back_comes_again),
        cmocka_unit_test(members_come_raw_and_in_order),
        cmocka_unit_test(what_is_no_object_is_refused_with_its_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
