#include <string.h>
#include <time.h>

#include "test.h"

static int64_t parsed(const char *text)
{
    akidb_error err;
    int64_t time;
    assert_ok(err, akidb_time_parse(text, &time, &err));
    return time;
}

static void assert_formats_to(int64_t time, const char *expected)
{
    char text[AKIDB_TIME_TEXT_SIZE];
    akidb_time_format(time, text);
    assert_string_equal(text, expected);
}

static void times_are_written_with_six_decimals(void **state)
{
    (void)state;
    assert_formats_to(0, "1970-01-01T00:00:00.000000Z");
    assert_formats_to(-1, "1969-12-31T23:59:59.999999Z");
    assert_formats_to(INT64_C(1762575825152660), "2025-11-08T04:23:45.152660Z");
    assert_formats_to(AKIDB_TIME_MIN, "0001-01-01T00:00:00.000000Z");
    assert_formats_to(AKIDB_TIME_MAX, "9999-12-31T23:59:59.999999Z");
}

static void times_outside_of_the_limits_are_written_as_the_limits(void **state)
{
    (void)state;
    assert_formats_to(INT64_MIN, "0001-01-01T00:00:00.000000Z");
    assert_formats_to(INT64_MAX, "9999-12-31T23:59:59.999999Z");
}

static void the_forms_of_rfc_3339_are_read(void **state)
{
    (void)state;
    const int64_t time = INT64_C(1762575825152660);
    assert_int_equal(parsed("2025-11-08T04:23:45.152660Z"), time);
    assert_int_equal(parsed("2025-11-08t04:23:45.15266z"), time);
    assert_int_equal(parsed("2025-11-08 04:23:45.152660000Z"), time);
    assert_int_equal(parsed("2025-11-08T05:23:45.15266+01:00"), time);
    assert_int_equal(parsed("2025-11-07T22:53:45.15266-05:30"), time);
    assert_int_equal(parsed("2025-11-08T04:23:45Z"), time - 152660);
    assert_int_equal(parsed("2025-11-08T04:23:45.1Z"), time - 52660);
    assert_int_equal(parsed("1970-01-01"), 0);
    assert_int_equal(parsed("2024-02-29"), INT64_C(1709164800000000));
    assert_int_equal(parsed("2000-02-29"), INT64_C(951782400000000));
    assert_int_equal(parsed("0001-01-01"), AKIDB_TIME_MIN);
    assert_int_equal(parsed("9999-12-31T23:59:59.999999Z"), AKIDB_TIME_MAX);
    assert_int_equal(parsed("0001-01-01T01:00:00+01:00"), AKIDB_TIME_MIN);
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "2",
        "2025",
        "2025-",
        "2025-1-08",
        "2025-13-01",
        "2025-00-01",
        "2025-02-29",
        "1900-02-29",
        "2025-04-31",
        "2025-11-00",
        "0000-12-31",
        "10000-01-01",
        "2025-11-08T",
        "2025-11-08T04",
        "2025-11-08T04:23",
        "2025-11-08T04:23:45",
        "2025-11-08T24:00:00Z",
        "2025-11-08T04:60:00Z",
        "2025-11-08T04:23:60Z",
        "2025-11-08T04:23:45.Z",
        "2025-11-08T04:23:45.1234567Z",
        "2025-11-08T04:23:45.1234560000Z",
        "2025-11-08T04:23:45+1:00",
        "2025-11-08T04:23:45+24:00",
        "2025-11-08T04:23:45+01:60",
        "2025-11-08T04:23:45+0100",
        "2025-11-08T04:23:45Zz",
        "2025-11-08X04:23:45Z",
        " 2025-11-08",
        "2025-11-08 ",
        "+025-11-08",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
    };
    akidb_error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t time = 7;
        if (akidb_time_parse(texts[i], &time, &err) != AKIDB_E_VALIDATION)
            fail_msg("\"%s\" was read", texts[i]);
        assert_int_equal(time, 0);
    }
    int64_t time;
    assert_status(AKIDB_E_VALIDATION, akidb_time_parse(NULL, &time, &err));
}

/* Against the C library's calendar, on every day around each turn of a year and at random. */
static void the_calendar_is_that_of_the_c_library(void **state)
{
    (void)state;
    uint64_t random = 6;
    for (int i = 0; i < 40000; i++) {
        int64_t second;
        if (i < 10000)
            second = (int64_t)((i - 1970 + 1) * 365.2425 * 86400) + (i % 7 - 3) * 86400;
        else
            second = AKIDB_TIME_MIN / 1000000 +
                     (int64_t)(test_random(&random) %
                               (uint64_t)((AKIDB_TIME_MAX - AKIDB_TIME_MIN) / 1000000));
        if (second < AKIDB_TIME_MIN / 1000000 || second > AKIDB_TIME_MAX / 1000000)
            continue;
        int micros = (int)(test_random(&random) % 1000000);
        time_t clock = (time_t)second;
        struct tm tm;
        assert_non_null(gmtime_r(&clock, &tm));
        char expected[128], found[AKIDB_TIME_TEXT_SIZE];
        snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
                 micros);
        akidb_time_format(second * 1000000 + micros, found);
        assert_string_equal(found, expected);
        assert_int_equal(parsed(expected), second * 1000000 + micros);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_with_six_decimals),
        cmocka_unit_test(times_outside_of_the_limits_are_written_as_the_limits),
        cmocka_unit_test(the_forms_of_rfc_3339_are_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(the_calendar_is_that_of_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
