#include "snapshot/retention.h"

#include <string.h>

#include "test.h"

enum { MOST = 400 };
static const int64_t day = INT64_C(86400000000);
static const int64_t hour = INT64_C(3600000000);

static int64_t at(const char *text)
{
    akidb_error err;
    int64_t time;
    assert_ok(err, akidb_time_parse(text, &time, &err));
    return time;
}

typedef struct snapshots {
    size_t count;
    akidb_retention_decision decisions[MOST];
    bool damaged[MOST];
} snapshots;

/* Newest first, as a listing gives them. */
static void add(snapshots *s, int64_t created_at)
{
    assert_true(s->count < MOST);
    s->decisions[s->count++].created_at = created_at;
}

static void decide(snapshots *s, akidb_retention policy, int64_t now)
{
    akidb_error err;
    assert_ok(err, ak_retention_check(&policy, &err));
    ak_retention_decide(&policy, now, s->decisions, s->damaged, s->count);
}

static size_t kept(const snapshots *s)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += s->decisions[i].keep ? 1 : 0;
    return count;
}

static void a_policy_without_a_rule_is_refused(void **state)
{
    (void)state;
    static const akidb_retention refused[] = {{0},
                                              {.keep_last = AKIDB_KEEP_NONE},
                                              {.older_than = -1},
                                              {.keep_last = 1, .keep_within = -1}};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_status(AKIDB_E_VALIDATION, ak_retention_check(&refused[i], NULL));
    static const akidb_retention taken[] = {{.older_than = 1},  {.keep_within = 1},
                                            {.keep_last = 1},   {.keep_daily = 1},
                                            {.keep_weekly = 1}, {.keep_monthly = 1}};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        assert_status(AKIDB_OK, ak_retention_check(&taken[i], NULL));
}

static void keep_last_keeps_the_newest(void **state)
{
    (void)state;
    for (uint32_t n = 1; n < 8; n++) {
        snapshots s = {0};
        for (int i = 0; i < 5; i++)
            add(&s, at("2026-11-22T12:00:00Z") - i * hour);
        decide(&s, (akidb_retention){.keep_last = n}, at("2026-11-23"));
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(s.decisions[i].keep, i < n);
    }
}

static void older_than_spares_what_is_younger(void **state)
{
    (void)state;
    int64_t now = at("2026-11-22T12:00:00Z");
    snapshots s = {0};
    add(&s, now + hour); /* a clock that was ahead */
    add(&s, now - 7 * day);
    add(&s, now - 7 * day - 1);
    add(&s, now - 30 * day);
    decide(&s, (akidb_retention){.older_than = 7 * day}, now);
    assert_true(s.decisions[0].keep);
    assert_true(s.decisions[1].keep);
    assert_string_equal(s.decisions[1].reason, "not older than 7d");
    assert_false(s.decisions[2].keep);
    assert_string_equal(s.decisions[2].reason, "older than 7d");
    assert_false(s.decisions[3].keep);
}

static void older_than_and_keep_rules_unite(void **state)
{
    (void)state;
    int64_t now = at("2026-11-22T12:00:00Z");
    snapshots s = {0};
    for (int i = 0; i < 10; i++)
        add(&s, now - i * day);
    decide(&s, (akidb_retention){.older_than = 2 * day, .keep_last = 5}, now);
    assert_int_equal(kept(&s), 5);
    assert_string_equal(s.decisions[0].reason, "last 5, not older than 2d");
    assert_string_equal(s.decisions[4].reason, "last 5");
    decide(&s, (akidb_retention){.older_than = 6 * day, .keep_last = 2}, now);
    assert_int_equal(kept(&s), 7);
}

static void keep_within_looks_back_from_now(void **state)
{
    (void)state;
    int64_t now = at("2026-11-22T12:00:00Z");
    snapshots s = {0};
    add(&s, now - 5 * hour);
    add(&s, now - 36 * hour);
    add(&s, now - 36 * hour - 1);
    decide(&s, (akidb_retention){.keep_within = 36 * hour}, now);
    assert_true(s.decisions[0].keep);
    assert_true(s.decisions[1].keep);
    assert_string_equal(s.decisions[1].reason, "within 36h");
    assert_false(s.decisions[2].keep);
    assert_string_equal(s.decisions[2].reason, "kept by no rule");
}

static void of_each_day_the_newest_stays(void **state)
{
    (void)state;
    snapshots s = {0};
    add(&s, at("2026-11-22T23:59:59.999999Z")); /* kept */
    add(&s, at("2026-11-22T00:00:00Z"));
    add(&s, at("2026-11-21T23:59:59.999999Z")); /* kept */
    add(&s, at("2026-11-21T10:00:00Z"));
    add(&s, at("2026-11-18T10:00:00Z")); /* kept: days without a snapshot do not count */
    add(&s, at("2026-11-17T10:00:00Z"));
    decide(&s, (akidb_retention){.keep_daily = 3}, at("2026-12-01"));
    static const bool expected[] = {true, false, true, false, true, false};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(s.decisions[i].keep, expected[i]);
    assert_string_equal(s.decisions[4].reason, "daily 2026-11-18");
}

static void weeks_are_iso_weeks(void **state)
{
    (void)state;
    static const struct {
        const char *day;
        const char *week;
    } cases[] = {
        /* the examples of ISO 8601's week date, and the ends of our calendar */
        {"9999-12-31", "weekly 9999-W52"}, {"2026-11-22", "weekly 2026-W47"},
        {"2021-01-03", "weekly 2020-W53"}, {"2010-01-03", "weekly 2009-W53"},
        {"2008-12-29", "weekly 2009-W01"}, {"2005-01-02", "weekly 2004-W53"},
        {"1970-01-01", "weekly 1970-W01"}, {"1969-12-28", "weekly 1969-W52"},
        {"0001-01-01", "weekly 0001-W01"},
    };
    enum { CASES = sizeof cases / sizeof cases[0] };
    snapshots s = {0};
    for (size_t i = 0; i < CASES; i++)
        add(&s, at(cases[i].day));
    decide(&s, (akidb_retention){.keep_weekly = 1000}, at("9999-12-31"));
    for (size_t i = 0; i < CASES; i++)
        assert_string_equal(s.decisions[i].reason, cases[i].week);
}

static void of_each_week_the_newest_stays(void **state)
{
    (void)state;
    snapshots s = {0};
    add(&s, at("2026-01-05T00:00:00Z"));        /* Monday: week 2 */
    add(&s, at("2026-01-04T23:59:59.999999Z")); /* Sunday: week 1 */
    add(&s, at("2026-01-01T00:00:00Z"));
    add(&s, at("2025-12-29T00:00:00Z"));        /* Monday: week 1 of 2026 too */
    add(&s, at("2025-12-28T23:59:59.999999Z")); /* Sunday: week 52 of 2025 */
    decide(&s, (akidb_retention){.keep_weekly = 3}, at("2026-02-01"));
    static const bool expected[] = {true, true, false, false, true};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(s.decisions[i].keep, expected[i]);
}

static void of_each_month_the_newest_stays(void **state)
{
    (void)state;
    snapshots s = {0};
    add(&s, at("2024-03-01T00:00:00Z"));
    add(&s, at("2024-02-29T23:59:59.999999Z"));
    add(&s, at("2024-02-01T00:00:00Z"));
    add(&s, at("2024-01-31T23:59:59.999999Z"));
    add(&s, at("2023-12-31T00:00:00Z"));
    decide(&s, (akidb_retention){.keep_monthly = 3}, at("2024-04-01"));
    static const bool expected[] = {true, true, false, true, false};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(s.decisions[i].keep, expected[i]);
    assert_string_equal(s.decisions[1].reason, "monthly 2024-02");
}

static void rules_unite_and_all_reasons_are_told(void **state)
{
    (void)state;
    snapshots s = {0};
    for (int i = 0; i < 365; i++)
        add(&s, at("2026-11-22T12:00:00Z") - i * day);
    decide(&s,
           (akidb_retention){.keep_last = 2, .keep_daily = 7, .keep_weekly = 4, .keep_monthly = 12},
           at("2026-11-22T13:00:00Z"));
    assert_string_equal(s.decisions[0].reason,
                        "last 2, daily 2026-11-22, weekly 2026-W47, monthly 2026-11");
    assert_string_equal(s.decisions[7].reason, "weekly 2026-W46"); /* Sunday, 15 November */
    /* 7 days; of 4 weeks the first two Sundays are among or next to them; 12 months, one of which
     * is the newest day's. */
    assert_int_equal(kept(&s), 7 + 3 + 11);
}

static void the_newest_stays_unless_told_otherwise(void **state)
{
    (void)state;
    int64_t now = at("2026-11-22T12:00:00Z");
    snapshots s = {0};
    add(&s, now - 30 * day);
    add(&s, now - 40 * day);
    decide(&s, (akidb_retention){.older_than = 7 * day}, now);
    assert_true(s.decisions[0].keep);
    assert_string_equal(s.decisions[0].reason, "newest");
    assert_false(s.decisions[1].keep);
    decide(&s, (akidb_retention){.older_than = 7 * day, .keep_last = AKIDB_KEEP_NONE}, now);
    assert_int_equal(kept(&s), 0);
}

static void damaged_snapshots_stay_and_count_for_nothing(void **state)
{
    (void)state;
    int64_t now = at("2026-11-22T12:00:00Z");
    snapshots s = {0};
    for (int i = 0; i < 4; i++)
        add(&s, now - i * hour);
    s.damaged[0] = s.damaged[3] = true;
    decide(&s, (akidb_retention){.keep_last = 1}, now);
    assert_string_equal(s.decisions[0].reason, "damaged: left alone");
    assert_true(s.decisions[0].keep);
    assert_true(s.decisions[1].keep);
    assert_false(s.decisions[2].keep);
    assert_true(s.decisions[3].keep);
}

static void ties_are_decided_by_the_order_of_the_list(void **state)
{
    (void)state;
    snapshots s = {0};
    for (int i = 0; i < 3; i++)
        add(&s, at("2026-11-22T12:00:00Z"));
    decide(&s, (akidb_retention){.keep_daily = 5}, at("2026-11-23"));
    assert_true(s.decisions[0].keep);
    assert_false(s.decisions[1].keep);
    assert_false(s.decisions[2].keep);
}

static void ages_beyond_the_calendar_keep_everything(void **state)
{
    (void)state;
    snapshots s = {0};
    add(&s, AKIDB_TIME_MAX);
    add(&s, AKIDB_TIME_MIN);
    decide(&s, (akidb_retention){.older_than = INT64_MAX}, AKIDB_TIME_MIN);
    assert_int_equal(kept(&s), 2);
    assert_false(ak_retention_older(AKIDB_TIME_MIN, INT64_MIN + 5, INT64_MAX));
}

static void durations_are_told_in_the_greatest_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t micros;
        const char *text;
    } cases[] = {{INT64_C(604800000000), "7d"}, {INT64_C(129600000000), "36h"},
                 {INT64_C(5400000000), "90m"},  {45000000, "45s"},
                 {1500000, "1500ms"},           {7, "7us"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[AK_DURATION_TEXT_SIZE];
        ak_duration_format(cases[i].micros, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_without_a_rule_is_refused),
        cmocka_unit_test(keep_last_keeps_the_newest),
        cmocka_unit_test(older_than_spares_what_is_younger),
        cmocka_unit_test(older_than_and_keep_rules_unite),
        cmocka_unit_test(keep_within_looks_back_from_now),
        cmocka_unit_test(of_each_day_the_newest_stays),
        cmocka_unit_test(weeks_are_iso_weeks),
        cmocka_unit_test(of_each_week_the_newest_stays),
        cmocka_unit_test(of_each_month_the_newest_stays),
        cmocka_unit_test(rules_unite_and_all_reasons_are_told),
        cmocka_unit_test(the_newest_stays_unless_told_otherwise),
        cmocka_unit_test(damaged_snapshots_stay_and_count_for_nothing),
        cmocka_unit_test(ties_are_decided_by_the_order_of_the_list),
        cmocka_unit_test(ages_beyond_the_calendar_keep_everything),
        cmocka_unit_test(durations_are_told_in_the_greatest_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
