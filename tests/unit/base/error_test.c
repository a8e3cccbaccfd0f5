#include "base/error.h"

#include <errno.h>
#include <string.h>

#include "base/utf8.h"
#include "test.h"

static void the_place_comes_before_the_text(void **state)
{
    (void)state;
    akidb_error err;
    assert_status(AKIDB_E_CORRUPTION, ak_fail_at(&err, AKIDB_E_CORRUPTION, AK_AT("a/b.parquet", 0),
                                                 "expected %d, found %d", 1, 2));
    assert_string_equal(err.message, "a/b.parquet: at byte 0: expected 1, found 2");
    assert_int_equal(err.status, AKIDB_E_CORRUPTION);
    assert_string_equal(err.object, "a/b.parquet");
    assert_int_equal(err.offset, 0);
    assert_int_equal(err.row, -1);
    assert_string_equal(err.column, "");

    assert_status(AKIDB_E_VALIDATION,
                  ak_fail_at(&err, AKIDB_E_VALIDATION, AK_ROW(NULL, 7, "vector"), "no"));
    assert_string_equal(err.message, "row 7: column vector: no");
    assert_int_equal(err.row, 7);
    assert_int_equal(err.offset, -1);
    assert_string_equal(err.object, "");

    assert_status(AKIDB_E_LIMIT, ak_fail(&err, AKIDB_E_LIMIT, "too much"));
    assert_string_equal(err.message, "too much");
}

static void no_error_may_be_given(void **state)
{
    (void)state;
    assert_status(AKIDB_E_IO, ak_fail(NULL, AKIDB_E_IO, "nobody listens"));
    assert_status(AKIDB_E_NOT_FOUND, ak_fail_errno(NULL, ENOENT, "x", "opening"));
    assert_status(AKIDB_E_OUT_OF_MEMORY, ak_fail_memory(NULL, 5));
    ak_error_context(NULL, "reading %s", "x");
}

static void failed_system_calls_give_their_reason(void **state)
{
    (void)state;
    static const struct {
        int number;
        akidb_status status;
    } cases[] = {
        {ENOENT, AKIDB_E_NOT_FOUND},
        {ENOTDIR, AKIDB_E_NOT_FOUND},
        {EEXIST, AKIDB_E_ALREADY_EXISTS},
        {EACCES, AKIDB_E_PERMISSION},
        {EPERM, AKIDB_E_PERMISSION},
        {EROFS, AKIDB_E_PERMISSION},
        {ENOMEM, AKIDB_E_OUT_OF_MEMORY},
        {ENOSPC, AKIDB_E_IO},
        {EIO, AKIDB_E_IO},
        {ENAMETOOLONG, AKIDB_E_VALIDATION},
        {123456, AKIDB_E_IO},
    };
    akidb_error err;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_status(cases[i].status, ak_fail_errno(&err, cases[i].number, "f", "x"));
    assert_status(AKIDB_E_IO, ak_fail_errno(&err, ENOSPC, "/d/f", "writing %d bytes", 9));
    assert_string_equal(err.message, "/d/f: writing 9 bytes: No space left on device");
    assert_status(AKIDB_E_IO, ak_fail_errno(&err, 123456, NULL, "x"));
    assert_non_null(strstr(err.message, "123456"));
}

static void long_texts_are_cut_at_a_character(void **state)
{
    (void)state;
    akidb_error err;
    char name[3000];
    for (size_t shift = 0; shift < 4; shift++) { /* 4-byte characters at each alignment */
        memset(name, 'x', shift);
        for (size_t i = shift; i + 4 < sizeof name; i += 4)
            memcpy(name + i, "\xF0\x9F\x98\x80", 5);
        assert_status(AKIDB_E_IO, ak_fail_at(&err, AKIDB_E_IO, AK_IN(name), "lost"));
        size_t object = strlen(err.object), message = strlen(err.message);
        assert_in_range(object, sizeof err.object - 6, sizeof err.object - 1);
        assert_in_range(message, sizeof err.message - 12, sizeof err.message - 1);
        assert_int_equal(ak_utf8_valid_prefix(err.object, object), object);
        assert_int_equal(ak_utf8_valid_prefix(err.message, message), message);
    }
}

static void a_message_is_one_line_of_utf8(void **state)
{
    (void)state;
    akidb_error err;
    assert_status(AKIDB_E_IO, ak_fail(&err, AKIDB_E_IO,
                                      "a\nb\tc\x7F"
                                      "d\xFF"
                                      "e\xC3\xA9"));
    assert_string_equal(err.message, "a?b?c?d?e\xC3\xA9");
    /* A precision may cut a character in two. */
    assert_status(AKIDB_E_IO, ak_fail(&err, AKIDB_E_IO, "\"%.2s\"", "a\xC3\xA9"));
    assert_string_equal(err.message, "\"a?\"");
}

static void context_comes_first_and_changes_nothing_else(void **state)
{
    (void)state;
    akidb_error err;
    assert_status(AKIDB_E_CORRUPTION,
                  ak_fail_at(&err, AKIDB_E_CORRUPTION, AK_AT("part", 9), "torn"));
    ak_error_context(&err, "restoring %s", "abc");
    assert_string_equal(err.message, "restoring abc: part: at byte 9: torn");
    assert_int_equal(err.offset, 9);
    assert_string_equal(err.object, "part");
    for (int i = 0; i < 300; i++)
        ak_error_context(&err, "again");
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(err.status, AKIDB_E_CORRUPTION);
}

static void every_status_has_a_name(void **state)
{
    (void)state;
    for (int status = AKIDB_OK; status <= AKIDB_E_CANCELLED; status++)
        assert_string_not_equal(akidb_status_name((akidb_status)status), "unknown status");
    assert_string_equal(akidb_status_name((akidb_status)99), "unknown status");
    assert_string_equal(akidb_version(), AKIDB_VERSION_STRING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_place_comes_before_the_text),
        cmocka_unit_test(no_error_may_be_given),
        cmocka_unit_test(failed_system_calls_give_their_reason),
        cmocka_unit_test(long_texts_are_cut_at_a_character),
        cmocka_unit_test(a_message_is_one_line_of_utf8),
        cmocka_unit_test(context_comes_first_and_changes_nothing_else),
        cmocka_unit_test(every_status_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
