/* The policy: each rule by itself, and what holds whatever the state. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tiering/policy.h"

#include "test.h"

#define SECOND INT64_C(1000000)
#define HOUR   (INT64_C(3600) * SECOND)
#define DAY    (24 * HOUR)
#define NOW    (INT64_C(20000) * DAY)

enum { SUBJECTS_MAX = 64 };

typedef struct decided {
    ak_tier_decision *all;
    size_t count;
} decided;

static decided decide_at(const akidb_tier_policy *given, int64_t now,
                         const ak_tier_subject *subjects, size_t count)
{
    akidb_error err;
    akidb_tier_policy policy;
    decided d;
    assert_ok(err, ak_policy_copy(&policy, given, &err));
    assert_ok(err, ak_policy_decide(&policy, now, subjects, count, &d.all, &d.count, &err));
    return d;
}

/* What becomes of one subject; its own tier when nothing does. */
static akidb_tier decide_one(const akidb_tier_policy *policy, const ak_tier_subject *subject,
                             char reason_out[128])
{
    decided d = decide_at(policy, NOW, subject, 1);
    akidb_tier tier = subject->tier;
    reason_out[0] = '\0';
    assert_true(d.count <= 1);
    if (d.count == 1) {
        tier = d.all[0].to;
        snprintf(reason_out, 128, "%s", d.all[0].reason);
    }
    free(d.all);
    return tier;
}

static ak_tier_subject subject(akidb_tier tier, int64_t idle)
{
    return (ak_tier_subject){
        .tier = tier, .used_at = NOW - idle, .hot_bytes = 100, .warm_bytes = 100};
}

static void assert_becomes(const akidb_tier_policy *policy, ak_tier_subject s, akidb_tier expected,
                           const char *reason)
{
    char found[128];
    assert_string_equal(akidb_tier_name(decide_one(policy, &s, found)), akidb_tier_name(expected));
    assert_string_equal(found, reason);
}

/* ---- rules ----------------------------------------------------------------------------------- */

static void age_moves_down_at_the_default_times(void **state)
{
    (void)state;
    assert_becomes(NULL, subject(AKIDB_TIER_HOT, 6 * HOUR - 1), AKIDB_TIER_HOT, "");
    assert_becomes(NULL, subject(AKIDB_TIER_HOT, 6 * HOUR), AKIDB_TIER_WARM, "no access for 6 h");
    assert_becomes(NULL, subject(AKIDB_TIER_WARM, 7 * DAY - 1), AKIDB_TIER_WARM, "");
    assert_becomes(NULL, subject(AKIDB_TIER_WARM, 7 * DAY), AKIDB_TIER_COLD,
                   "no access for 7 days");
    assert_becomes(NULL, subject(AKIDB_TIER_COLD, 700 * DAY), AKIDB_TIER_COLD, "");
}

static void what_nobody_used_for_long_goes_from_hot_to_cold_at_once(void **state)
{
    (void)state;
    assert_becomes(NULL, subject(AKIDB_TIER_HOT, 8 * DAY), AKIDB_TIER_COLD, "no access for 8 days");
}

static void never_is_never(void **state)
{
    (void)state;
    const akidb_tier_policy hot_only = {.struct_size = sizeof hot_only, .hot_idle = AKIDB_NEVER};
    assert_becomes(&hot_only, subject(AKIDB_TIER_HOT, 9999 * DAY), AKIDB_TIER_HOT, "");
    assert_becomes(&hot_only, subject(AKIDB_TIER_WARM, 9 * DAY), AKIDB_TIER_COLD,
                   "no access for 9 days");
    const akidb_tier_policy policy = {
        .struct_size = sizeof policy, .hot_idle = AKIDB_NEVER, .warm_idle = AKIDB_NEVER};
    assert_becomes(&policy, subject(AKIDB_TIER_HOT, 9999 * DAY), AKIDB_TIER_HOT, "");
    assert_becomes(&policy, subject(AKIDB_TIER_WARM, 9999 * DAY), AKIDB_TIER_WARM, "");
}

static void ten_accesses_within_the_window_make_a_warm_one_hot(void **state)
{
    (void)state;
    ak_tier_subject s = subject(AKIDB_TIER_WARM, HOUR / 2);
    s.accesses = 9;
    assert_becomes(NULL, s, AKIDB_TIER_WARM, "");
    s.accesses = 10;
    assert_becomes(NULL, s, AKIDB_TIER_HOT, "10 accesses within 60 min");
}

static void the_first_access_makes_a_cold_one_warm(void **state)
{
    (void)state;
    ak_tier_subject s = subject(AKIDB_TIER_COLD, 0);
    assert_becomes(NULL, s, AKIDB_TIER_COLD, "");
    s.accessed = true;
    assert_becomes(NULL, s, AKIDB_TIER_WARM, "accessed while cold");
    ak_tier_subject late = s;
    late.used_at = NOW - 7 * DAY; /* it would only come to go again */
    assert_becomes(NULL, late, AKIDB_TIER_COLD, "");
    const akidb_tier_policy off = {.struct_size = sizeof off, .promote_cold = AKIDB_OFF};
    assert_becomes(&off, s, AKIDB_TIER_COLD, "");
}

static void a_pinned_one_stays_up_and_may_rise(void **state)
{
    (void)state;
    ak_tier_subject s = subject(AKIDB_TIER_HOT, 30 * DAY);
    s.pinned = true;
    assert_becomes(NULL, s, AKIDB_TIER_HOT, "");
    s.tier = AKIDB_TIER_WARM;
    assert_becomes(NULL, s, AKIDB_TIER_WARM, "");
    const akidb_tier_policy tight = {
        .struct_size = sizeof tight, .hot_budget = 1, .warm_budget = 1};
    assert_becomes(&tight, s, AKIDB_TIER_WARM, "");
    s.used_at = NOW;
    s.accesses = 10;
    assert_becomes(NULL, s, AKIDB_TIER_HOT, "10 accesses within 60 min");
}

static void a_held_one_does_not_move(void **state)
{
    (void)state;
    ak_tier_subject s = subject(AKIDB_TIER_HOT, 30 * DAY);
    s.held = true;
    assert_becomes(NULL, s, AKIDB_TIER_HOT, "");
}

static void what_has_just_come_up_is_not_too_old(void **state)
{
    (void)state;
    const akidb_tier_policy hasty = {
        .struct_size = sizeof hasty, .hot_idle = 10 * SECOND, .warm_idle = 20 * SECOND};
    ak_tier_subject s = subject(AKIDB_TIER_HOT, HOUR / 2);
    s.cause = AK_CAME_UP;
    s.moved_at = NOW - HOUR + 1;
    assert_becomes(&hasty, s, AKIDB_TIER_HOT, "");
    s.moved_at = NOW - HOUR;
    assert_becomes(&hasty, s, AKIDB_TIER_COLD, "no access for 30 min");
    s.moved_at = NOW + DAY; /* the clock was set back: it does not hold for days */
    assert_becomes(&hasty, s, AKIDB_TIER_COLD, "no access for 30 min");
}

static void what_made_room_does_not_come_back_at_once(void **state)
{
    (void)state;
    ak_tier_subject s = subject(AKIDB_TIER_COLD, 0);
    s.accessed = true;
    s.cause = AK_CAME_FOR_ROOM;
    s.moved_at = NOW - HOUR + 1;
    assert_becomes(NULL, s, AKIDB_TIER_COLD, "");
    s.moved_at = NOW - HOUR;
    assert_becomes(NULL, s, AKIDB_TIER_WARM, "accessed while cold");
}

/* Of one moved down by age the first access decides, and by hand likewise. */
static void what_went_by_age_comes_back_with_the_first_access(void **state)
{
    (void)state;
    ak_tier_subject s = subject(AKIDB_TIER_COLD, 0);
    s.accessed = true;
    s.cause = AK_CAME_BY_AGE;
    s.moved_at = NOW - SECOND;
    assert_becomes(NULL, s, AKIDB_TIER_WARM, "accessed while cold");
}

static void a_policy_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    akidb_error err;
    akidb_tier_policy to;
    const akidb_tier_policy wrong[] = {
        {.struct_size = sizeof to, .hot_idle = 9 * DAY, .warm_idle = 8 * DAY},
        {.struct_size = sizeof to, .hot_idle = HOUR, .warm_idle = HOUR - 1},
        {.struct_size = sizeof to, .promote_window = 367 * (uint64_t)DAY},
        {.struct_size = sizeof to, .promote_cold = (akidb_toggle)3},
        {.struct_size = 3},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_status(AKIDB_E_VALIDATION, ak_policy_copy(&to, &wrong[i], &err));
}

/* ---- budgets --------------------------------------------------------------------------------- */

static void over_budget_the_least_recently_used_go_until_it_fits(void **state)
{
    (void)state;
    const akidb_tier_policy policy = {.struct_size = sizeof policy, .hot_budget = 250};
    const ak_tier_subject subjects[] = {
        subject(AKIDB_TIER_HOT, 3 * HOUR), subject(AKIDB_TIER_HOT, 1 * HOUR),
        subject(AKIDB_TIER_HOT, 4 * HOUR), subject(AKIDB_TIER_HOT, 2 * HOUR)};
    decided d = decide_at(&policy, NOW, subjects, 4);
    assert_int_equal(d.count, 2);
    assert_int_equal(d.all[0].subject, 2);
    assert_int_equal(d.all[1].subject, 0);
    assert_int_equal(d.all[0].to, AKIDB_TIER_WARM);
    assert_string_equal(d.all[0].reason,
                        "hot is over its budget of 250 B; least recently used, 4 h ago");
    free(d.all);
}

static void moves_by_age_count_before_a_budget_moves_more(void **state)
{
    (void)state;
    const akidb_tier_policy policy = {.struct_size = sizeof policy, .hot_budget = 100};
    const ak_tier_subject subjects[] = {subject(AKIDB_TIER_HOT, 1 * HOUR),
                                        subject(AKIDB_TIER_HOT, 7 * HOUR)};
    decided d = decide_at(&policy, NOW, subjects, 2);
    assert_int_equal(d.count, 1);
    assert_int_equal(d.all[0].subject, 1);
    free(d.all);
}

static void what_leaves_hot_pushes_older_ones_out_of_a_full_warm(void **state)
{
    (void)state;
    const akidb_tier_policy policy = {.struct_size = sizeof policy, .warm_budget = 100};
    const ak_tier_subject subjects[] = {subject(AKIDB_TIER_HOT, 7 * HOUR),
                                        subject(AKIDB_TIER_WARM, 2 * DAY)};
    decided d = decide_at(&policy, NOW, subjects, 2);
    assert_int_equal(d.count, 2);
    assert_int_equal(d.all[0].subject, 1); /* the room is made first */
    assert_int_equal(d.all[0].to, AKIDB_TIER_COLD);
    assert_int_equal(d.all[1].subject, 0);
    assert_int_equal(d.all[1].to, AKIDB_TIER_WARM);
    free(d.all);
}

static void a_rise_makes_room_only_of_what_is_hardly_used(void **state)
{
    (void)state;
    const akidb_tier_policy policy = {.struct_size = sizeof policy, .hot_budget = 100};
    ak_tier_subject subjects[] = {subject(AKIDB_TIER_HOT, HOUR), subject(AKIDB_TIER_WARM, 0)};
    subjects[1].accesses = 20;
    subjects[0].accesses = 5; /* half of what brings one up */
    decided d = decide_at(&policy, NOW, subjects, 2);
    assert_int_equal(d.count, 0);
    free(d.all);
    subjects[0].accesses = 4;
    d = decide_at(&policy, NOW, subjects, 2);
    assert_int_equal(d.count, 2);
    assert_int_equal(d.all[0].subject, 0);
    assert_string_equal(d.all[0].reason, "makes room; least recently used, 60 min ago");
    assert_int_equal(d.all[1].subject, 1);
    free(d.all);
    subjects[0].cause = AK_CAME_UP;
    subjects[0].moved_at = NOW - HOUR / 2;
    d = decide_at(&policy, NOW, subjects, 2);
    assert_int_equal(d.count, 0);
    free(d.all);
}

static void nothing_makes_room_for_what_cannot_fit(void **state)
{
    (void)state;
    const akidb_tier_policy policy = {.struct_size = sizeof policy, .warm_budget = 150};
    ak_tier_subject subjects[] = {subject(AKIDB_TIER_WARM, HOUR), subject(AKIDB_TIER_COLD, 0)};
    subjects[1].accessed = true;
    subjects[1].warm_bytes = 151;
    decided d = decide_at(&policy, NOW, subjects, 2);
    assert_int_equal(d.count, 0);
    free(d.all);
}

static void an_order_makes_room_or_says_that_there_is_none(void **state)
{
    (void)state;
    akidb_error err;
    akidb_tier_policy policy;
    const akidb_tier_policy given = {.struct_size = sizeof given, .hot_budget = 150};
    ak_tier_subject subjects[] = {subject(AKIDB_TIER_HOT, HOUR), subject(AKIDB_TIER_COLD, 0)};
    ak_tier_decision *all;
    size_t count;
    assert_ok(err, ak_policy_copy(&policy, &given, &err));
    subjects[0].accesses = 100; /* an order counts for more */
    assert_ok(err,
              ak_policy_order(&policy, NOW, subjects, 2, 1, AKIDB_TIER_HOT, &all, &count, &err));
    assert_int_equal(count, 2);
    assert_int_equal(all[0].subject, 0);
    assert_int_equal(all[1].subject, 1);
    assert_string_equal(all[1].reason, "by hand");
    free(all);
    subjects[0].pinned = true;
    assert_status(AKIDB_E_LIMIT, ak_policy_order(&policy, NOW, subjects, 2, 1, AKIDB_TIER_HOT, &all,
                                                 &count, &err));
    assert_null(all);
    assert_string_equal(err.message,
                        "hot holds 100 B and would need 100 B more: its budget is 150 B, and what "
                        "is pinned or has just come up stays");
}

/* ---- any state ------------------------------------------------------------------------------- */

static akidb_tier_policy random_policy(uint64_t *seed)
{
    return (akidb_tier_policy){
        .struct_size = sizeof(akidb_tier_policy),
        .hot_budget = test_random(seed) % 3 == 0 ? 0 : 1 + test_random(seed) % 2000,
        .warm_budget = test_random(seed) % 3 == 0 ? 0 : 1 + test_random(seed) % 2000,
    };
}

static ak_tier_subject random_subject(uint64_t *seed)
{
    ak_tier_subject s = {
        .tier = (akidb_tier)(test_random(seed) % 3),
        .cause = (ak_tier_cause)(test_random(seed) % 4),
        .pinned = test_random(seed) % 8 == 0,
        .held = test_random(seed) % 8 == 0,
        .accessed = test_random(seed) % 2 == 0,
        .accesses = (uint32_t)(test_random(seed) % 2 == 0 ? 0 : test_random(seed) % 30),
        .hot_bytes = test_random(seed) % 300,
        .warm_bytes = test_random(seed) % 300,
    };
    s.used_at = NOW - (int64_t)(test_random(seed) %
                                (uint64_t)(test_random(seed) % 2 == 0 ? HOUR : 10 * DAY));
    s.moved_at = NOW - (int64_t)(test_random(seed) % (uint64_t)(3 * HOUR));
    return s;
}

static bool came(const ak_tier_subject *s, ak_tier_cause cause)
{
    return s->cause == cause && NOW - s->moved_at < HOUR;
}

static uint64_t used_of(ak_tier_usage usage, akidb_tier tier)
{
    return tier == AKIDB_TIER_HOT ? usage.hot : tier == AKIDB_TIER_WARM ? usage.warm : 0;
}

static uint64_t budget_of(const akidb_tier_policy *policy, akidb_tier tier)
{
    uint64_t budget = tier == AKIDB_TIER_HOT ? policy->hot_budget : policy->warm_budget;
    return budget == 0 ? UINT64_MAX : budget;
}

/* Of each single decision. */
static void check_decision(const ak_tier_decision *d, const ak_tier_subject *s)
{
    assert_true(d->to != s->tier);
    assert_true((unsigned)d->to <= AKIDB_TIER_COLD);
    assert_false(s->held);
    assert_true(d->reason[0] != '\0');
    if (d->to > s->tier) {
        assert_false(s->pinned);
        assert_true(d->cause == AK_CAME_BY_AGE || d->cause == AK_CAME_FOR_ROOM);
        assert_false(d->cause == AK_CAME_BY_AGE && came(s, AK_CAME_UP));
    } else {
        assert_int_equal(d->to + 1, s->tier);
        assert_int_equal(d->cause, AK_CAME_UP);
        assert_false(came(s, AK_CAME_FOR_ROOM));
    }
}

/* In the order given no move into a tier passes its budget. */
static void check_steps(const akidb_tier_policy *policy, decided d, ak_tier_subject *subjects,
                        size_t count)
{
    for (size_t i = 0; i < d.count; i++) {
        ak_tier_subject *s = &subjects[d.all[i].subject];
        ak_tier_usage usage = ak_policy_usage(subjects, count);
        /* Only what leaves hot because hot is too full may find warm full, of what cannot leave. */
        if (d.all[i].to < s->tier || d.all[i].to == AKIDB_TIER_WARM)
            assert_false(ak_policy_passes(policy, usage, d.all[i].to, s));
        s->tier = d.all[i].to;
        s->cause = d.all[i].cause;
        s->moved_at = NOW;
        s->accesses = 0;
        s->accessed = false;
    }
}

/* A budget is passed afterwards only by what cannot move down. */
static void check_budgets(const akidb_tier_policy *policy, const ak_tier_subject *subjects,
                          size_t count)
{
    ak_tier_usage usage = ak_policy_usage(subjects, count);
    for (akidb_tier tier = AKIDB_TIER_HOT; tier < AKIDB_TIER_COLD; tier++) {
        if (used_of(usage, tier) <= budget_of(policy, tier))
            continue;
        for (size_t i = 0; i < count; i++)
            assert_true(subjects[i].tier != tier || subjects[i].pinned || subjects[i].held);
    }
}

static void whatever_the_state_budgets_hold_pins_hold_and_nothing_turns_back(void **state)
{
    (void)state;
    uint64_t seed = 20261122;
    size_t moves = 0;
    for (int round = 0; round < 20000; round++) {
        ak_tier_subject subjects[SUBJECTS_MAX];
        size_t count = test_random(&seed) % SUBJECTS_MAX;
        int went[SUBJECTS_MAX] = {0}; /* 1: down, -1: up */
        akidb_tier_policy policy = random_policy(&seed);
        for (size_t i = 0; i < count; i++)
            subjects[i] = random_subject(&seed);
        decided d = decide_at(&policy, NOW, subjects, count);
        for (size_t i = 0; i < d.count; i++) {
            assert_true(d.all[i].subject < count);
            const ak_tier_subject *s = &subjects[d.all[i].subject];
            assert_int_equal(went[d.all[i].subject], 0);
            went[d.all[i].subject] = d.all[i].to > s->tier ? 1 : -1;
            check_decision(&d.all[i], s);
        }
        moves += d.count;
        check_steps(&policy, d, subjects, count);
        check_budgets(&policy, subjects, count);
        decided again = decide_at(&policy, NOW, subjects, count);
        for (size_t i = 0; i < again.count; i++) {
            size_t at = again.all[i].subject;
            assert_true(went[at] * (again.all[i].to > subjects[at].tier ? 1 : -1) >= 0);
        }
        free(again.all);
        free(d.all);
    }
    assert_true(moves > 100000);
}

/* What a budget moved down was used no later than what it left there, unless that had just come up.
 */
static void a_budget_takes_the_least_recently_used_whatever_the_state(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 5000; round++) {
        ak_tier_subject subjects[SUBJECTS_MAX];
        bool left[SUBJECTS_MAX] = {false};
        for (size_t i = 0; i < SUBJECTS_MAX; i++) {
            subjects[i] = random_subject(&seed);
            subjects[i].accesses = 0;
            subjects[i].accessed = false;
            subjects[i].tier = AKIDB_TIER_WARM;
        }
        const akidb_tier_policy policy = {.struct_size = sizeof policy,
                                          .warm_budget = 1 + test_random(&seed) % 9000};
        decided d = decide_at(&policy, NOW, subjects, SUBJECTS_MAX);
        int64_t latest = INT64_MIN;
        for (size_t i = 0; i < d.count; i++) {
            const ak_tier_subject *s = &subjects[d.all[i].subject];
            left[d.all[i].subject] = true;
            if (d.all[i].cause == AK_CAME_FOR_ROOM && !came(s, AK_CAME_UP) && s->used_at > latest)
                latest = s->used_at;
        }
        for (size_t i = 0; i < SUBJECTS_MAX; i++) {
            const ak_tier_subject *s = &subjects[i];
            assert_true(left[i] || s->pinned || s->held || came(s, AK_CAME_UP) ||
                        s->used_at >= latest);
        }
        free(d.all);
    }
}

static void sizes_near_the_end_of_numbers_are_no_trouble(void **state)
{
    (void)state;
    ak_tier_subject subjects[3];
    const akidb_tier_policy policy = {.struct_size = sizeof policy,
                                      .hot_budget = UINT64_MAX / 4 - 1};
    for (size_t i = 0; i < 3; i++) {
        subjects[i] = subject(AKIDB_TIER_HOT, (int64_t)i * HOUR);
        subjects[i].hot_bytes = UINT64_MAX / 4;
        subjects[i].warm_bytes = UINT64_MAX / 4;
    }
    decided d = decide_at(&policy, NOW, subjects, 3);
    assert_int_equal(d.count, 3);
    free(d.all);
    subjects[0].used_at = INT64_MIN;
    subjects[1].used_at = INT64_MAX;
    d = decide_at(NULL, NOW, subjects, 3);
    assert_int_equal(d.count, 1);
    free(d.all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(age_moves_down_at_the_default_times),
        cmocka_unit_test(what_nobody_used_for_long_goes_from_hot_to_cold_at_once),
        cmocka_unit_test(never_is_never),
        cmocka_unit_test(ten_accesses_within_the_window_make_a_warm_one_hot),
        cmocka_unit_test(the_first_access_makes_a_cold_one_warm),
        cmocka_unit_test(a_pinned_one_stays_up_and_may_rise),
        cmocka_unit_test(a_held_one_does_not_move),
        cmocka_unit_test(what_has_just_come_up_is_not_too_old),
        cmocka_unit_test(what_made_room_does_not_come_back_at_once),
        cmocka_unit_test(what_went_by_age_comes_back_with_the_first_access),
        cmocka_unit_test(a_policy_that_contradicts_itself_is_refused),
        cmocka_unit_test(over_budget_the_least_recently_used_go_until_it_fits),
        cmocka_unit_test(moves_by_age_count_before_a_budget_moves_more),
        cmocka_unit_test(what_leaves_hot_pushes_older_ones_out_of_a_full_warm),
        cmocka_unit_test(a_rise_makes_room_only_of_what_is_hardly_used),
        cmocka_unit_test(nothing_makes_room_for_what_cannot_fit),
        cmocka_unit_test(an_order_makes_room_or_says_that_there_is_none),
        cmocka_unit_test(whatever_the_state_budgets_hold_pins_hold_and_nothing_turns_back),
        cmocka_unit_test(a_budget_takes_the_least_recently_used_whatever_the_state),
        cmocka_unit_test(sizes_near_the_end_of_numbers_are_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
