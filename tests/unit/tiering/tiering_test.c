/* Cycles, orders, pins and metrics on a storage that is faked. */
#include "support.h"

#include <sqlite3.h>
#include <sys/stat.h>

static void assert_tier(place *p, size_t at, akidb_tier expected)
{
    assert_string_equal(akidb_tier_name(fake_tier(&p->fake, at)), akidb_tier_name(expected));
}

static void access_times(place *p, size_t at, int times)
{
    for (int i = 0; i < times; i++)
        fake_access(&p->fake, at, AKIDB_ACCESS_GET);
}

/* ---- cycles ---------------------------------------------------------------------------------- */

static void a_collection_goes_all_the_way_down_and_up_again(void **state)
{
    place *p = *state;
    p->fake.collections[0].tier = AKIDB_TIER_HOT;
    akidb_tiering *tiering = place_open(p);
    fake_access(&p->fake, 0, AKIDB_ACCESS_UPSERT);

    akidb_tier_report report = place_cycle(p, tiering, 6 * HOUR);
    assert_int_equal(report.count, 1);
    assert_int_equal(report.moved, 1);
    assert_string_equal(report.moves[0].reason, "no access for 6 h");
    assert_int_equal(report.moves[0].outcome, AKIDB_TIER_MOVED);
    assert_tier(p, 0, AKIDB_TIER_WARM);
    akidb_tier_report_free(&report);

    report = place_cycle(p, tiering, 7 * DAY);
    assert_int_equal(report.moved, 10);
    assert_tier(p, 0, AKIDB_TIER_COLD);
    akidb_tier_report_free(&report);

    fake_access(&p->fake, 0, AKIDB_ACCESS_GET);
    report = place_cycle(p, tiering, MINUTE);
    assert_int_equal(report.moved, 1);
    assert_string_equal(report.moves[0].reason, "accessed while cold");
    assert_tier(p, 0, AKIDB_TIER_WARM);
    akidb_tier_report_free(&report);

    access_times(p, 0, 9);
    report = place_cycle(p, tiering, MINUTE);
    assert_int_equal(report.count, 0);
    access_times(p, 0, 1);
    report = place_cycle(p, tiering, MINUTE);
    assert_int_equal(report.moved, 1);
    assert_string_equal(report.moves[0].reason, "10 accesses within 60 min");
    assert_tier(p, 0, AKIDB_TIER_HOT);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

static void a_dry_run_tells_and_moves_nothing(void **state)
{
    place *p = *state;
    akidb_error err;
    akidb_tier_report report;
    akidb_tiering *tiering = place_open(p);
    atomic_fetch_add(&p->fake.now, 8 * DAY);
    for (int i = 0; i < 2; i++) {
        assert_ok(err, akidb_tiering_run(tiering, true, &report, &err));
        assert_int_equal(report.count, 10);
        assert_int_equal(report.moved + report.failed + report.waiting, 0);
        assert_int_equal(report.moves[3].outcome, AKIDB_TIER_PLANNED);
        assert_string_equal(report.moves[3].reason, "no access for 8 days");
        akidb_tier_report_free(&report);
    }
    assert_int_equal(atomic_load(&p->fake.tries), 0);
    place_close(tiering);
}

static void budgets_hold_with_what_is_really_there(void **state)
{
    place *p = *state;
    p->policy.warm_budget = BUDGET;
    akidb_tiering *tiering = place_open(p);
    for (size_t i = 0; i < 10; i++) {
        atomic_fetch_add(&p->fake.now, SECOND);
        fake_access(&p->fake, i, AKIDB_ACCESS_GET);
    }
    akidb_tier_report report = place_run(tiering);
    assert_int_equal(report.moved, 7);
    for (size_t i = 0; i < 10; i++)
        assert_tier(p, i, i < 7 ? AKIDB_TIER_COLD : AKIDB_TIER_WARM);
    akidb_tier_report_free(&report);

    atomic_fetch_add(&p->fake.now, 2 * HOUR);
    fake_access(&p->fake, 0, AKIDB_ACCESS_GET);
    report = place_run(tiering);
    assert_int_equal(report.moved, 2);
    assert_tier(p, 7, AKIDB_TIER_COLD);
    assert_tier(p, 0, AKIDB_TIER_WARM);
    akidb_tier_report_free(&report);

    /* It grows: what is oldest leaves with the next cycle, not what has just come. */
    p->fake.collections[0].warm_bytes = 3000;
    report = place_run(tiering);
    assert_int_equal(report.moved, 2);
    assert_tier(p, 0, AKIDB_TIER_WARM);
    assert_tier(p, 8, AKIDB_TIER_COLD);
    assert_tier(p, 9, AKIDB_TIER_COLD);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

/* The first move of a cycle lets another collection be used, or pinned, before its own turn. */
typedef struct meanwhile {
    akidb_tiering *tiering;
    bool pin;
} meanwhile;

static void use_the_third(fake_tiers *fake, void *context, size_t at, akidb_tier from)
{
    meanwhile *m = context;
    (void)from;
    if (at != 0)
        return;
    atomic_fetch_add(&fake->now, 1);
    if (m->pin)
        ak_ledger_pin(m->tiering->ledger, &fake->collections[2].id, true);
    else
        fake_access(fake, 2, AKIDB_ACCESS_GET);
}

static void what_is_used_meanwhile_stays(void **state)
{
    place *p = *state;
    akidb_tiering *tiering = place_open(p);
    meanwhile m = {tiering, false};
    p->fake.moved = use_the_third;
    p->fake.moved_context = &m;
    akidb_tier_report report = place_cycle(p, tiering, 8 * DAY);
    assert_int_equal(report.moved, 9);
    assert_int_equal(report.waiting, 1);
    assert_string_equal(report.moves[2].detail, "it was accessed meanwhile");
    assert_tier(p, 2, AKIDB_TIER_WARM);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

static void what_is_pinned_meanwhile_stays(void **state)
{
    place *p = *state;
    akidb_tiering *tiering = place_open(p);
    meanwhile m = {tiering, true};
    p->fake.moved = use_the_third;
    p->fake.moved_context = &m;
    akidb_tier_report report = place_cycle(p, tiering, 8 * DAY);
    assert_int_equal(report.waiting, 1);
    assert_string_equal(report.moves[2].detail, "it was pinned meanwhile");
    akidb_tier_report_free(&report);
    place_close(tiering);
}

static void a_dropped_collection_is_forgotten(void **state)
{
    place *p = *state;
    akidb_error err;
    akidb_tiering *tiering = place_open(p);
    assert_ok(err, akidb_tiering_pin(tiering, &p->fake.collections[4].id, &err));
    p->fake.collections[4].gone = true;
    akidb_tier_report report = place_cycle(p, tiering, MINUTE);
    akidb_tier_report_free(&report);
    assert_status(AKIDB_E_NOT_FOUND, akidb_tiering_pin(tiering, &p->fake.collections[4].id, &err));
    p->fake.collections[4].gone = false;
    assert_false(place_status(tiering, 4).pinned);
    place_close(tiering);
    tiering = place_open(p);
    assert_false(place_status(tiering, 4).pinned);
    place_close(tiering);
}

static void a_cancelled_run_reports_what_it_did(void **state)
{
    place *p = *state;
    akidb_error err;
    akidb_tier_report report;
    akidb_tiering *tiering = place_open(p);
    atomic_fetch_add(&p->fake.now, 8 * DAY);
    atomic_store(&p->log.cancel, true);
    assert_status(AKIDB_E_CANCELLED, akidb_tiering_run(tiering, false, &report, &err));
    assert_int_equal(report.moved, 0);
    akidb_tier_report_free(&report);
    atomic_store(&p->log.cancel, false);
    report = place_run(tiering);
    assert_int_equal(report.moved, 10);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

/* ---- failures -------------------------------------------------------------------------------- */

static void a_collection_that_cannot_move_holds_up_no_other(void **state)
{
    place *p = *state;
    akidb_tiering *tiering = place_open(p);
    p->fake.collections[0].fails = AKIDB_E_CORRUPTION;
    akidb_tier_report report = place_cycle(p, tiering, 8 * DAY);
    assert_int_equal(report.moved, 9);
    assert_int_equal(report.failed, 1);
    assert_int_equal(report.moves[0].status, AKIDB_E_CORRUPTION);
    assert_string_equal(report.moves[0].detail, "this collection cannot be moved");
    akidb_tier_report_free(&report);
    report = place_cycle(p, tiering, 9 * SECOND);
    assert_int_equal(report.count, 0);
    report = place_cycle(p, tiering, SECOND);
    assert_int_equal(report.failed, 1);
    akidb_tier_report_free(&report);
    assert_int_equal(place_status(tiering, 0).failures, 2);
    p->fake.collections[0].fails = AKIDB_OK;
    report = place_cycle(p, tiering, MINUTE);
    assert_int_equal(report.moved, 1);
    akidb_tier_report_free(&report);
    assert_int_equal(place_status(tiering, 0).failures, 0);
    place_close(tiering);
}

static void with_the_store_down_what_needs_it_waits_and_resumes(void **state)
{
    place *p = *state;
    akidb_tiering *tiering = place_open(p);
    p->fake.store_fails = AKIDB_E_STORE;
    atomic_fetch_add(&p->fake.now, 8 * DAY);
    access_times(p, 9, 10); /* from warm into memory it needs none */
    akidb_tier_report report = place_run(tiering);
    assert_int_equal(report.failed, 1);
    assert_int_equal(report.waiting, 8);
    assert_int_equal(report.moved, 1);
    assert_string_equal(report.moves[1].detail, "the object store failed; next try in 5 s");
    assert_tier(p, 9, AKIDB_TIER_HOT);
    akidb_tier_report_free(&report);

    uint64_t tries = atomic_load(&p->fake.tries);
    report = place_cycle(p, tiering, 4 * SECOND);
    assert_int_equal(report.waiting, 8);
    assert_int_equal(atomic_load(&p->fake.tries), tries);
    akidb_tier_report_free(&report);

    p->fake.store_fails = AKIDB_OK;
    report = place_cycle(p, tiering, 2 * SECOND);
    assert_int_equal(report.moved, 8);
    akidb_tier_report_free(&report);
    report = place_cycle(p, tiering, 10 * SECOND);
    assert_int_equal(report.moved, 1);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

static void a_broken_collection_is_not_taken_for_a_store_that_is_down(void **state)
{
    place *p = *state;
    akidb_tiering *tiering = place_open(p);
    p->fake.collections[0].fails = AKIDB_E_IO;
    akidb_tier_report report = place_cycle(p, tiering, 8 * DAY);
    assert_int_equal(report.failed, 1);
    assert_int_equal(report.waiting, 9);
    akidb_tier_report_free(&report);
    report = place_cycle(p, tiering, 5 * SECOND);
    assert_int_equal(report.moved, 9);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

/* ---- pins and orders ------------------------------------------------------------------------- */

static void pins_hold_and_outlive_a_restart(void **state)
{
    place *p = *state;
    akidb_error err;
    akidb_tiering *tiering = place_open(p);
    assert_ok(err, akidb_tiering_pin(tiering, &p->fake.collections[1].id, &err));
    assert_ok(err, akidb_tiering_pin(tiering, &p->fake.collections[1].id, &err));
    assert_ok(err, akidb_tiering_pin(tiering, &p->fake.collections[2].id, &err));
    assert_ok(err, akidb_tiering_unpin(tiering, &p->fake.collections[2].id, &err));
    place_close(tiering);
    tiering = place_open(p);
    akidb_tier_report report = place_cycle(p, tiering, 30 * DAY);
    assert_int_equal(report.moved, 9);
    assert_tier(p, 1, AKIDB_TIER_WARM);
    assert_true(place_status(tiering, 1).pinned);
    assert_int_equal(metric_of(tiering, "\nakidb_tiering_pinned_collections "), 1);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

static void accesses_outlive_a_restart(void **state)
{
    place *p = *state;
    akidb_tiering *tiering = place_open(p);
    access_times(p, 3, 6);
    place_close(tiering);
    assert_null(p->fake.access);
    tiering = place_open(p);
    access_times(p, 3, 4);
    assert_int_equal(place_status(tiering, 3).accesses, 10);
    akidb_tier_report report = place_cycle(p, tiering, MINUTE);
    assert_int_equal(report.moved, 1);
    assert_tier(p, 3, AKIDB_TIER_HOT);
    assert_int_equal(place_status(tiering, 3).accesses_total, 10);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

static void without_a_policy_the_window_stays_as_it_was(void **state)
{
    place *p = *state;
    p->policy.promote_window = 5 * HOUR;
    akidb_tiering *tiering = place_open(p);
    access_times(p, 3, 6);
    place_close(tiering);
    p->options.policy = NULL;
    tiering = place_open(p);
    atomic_fetch_add(&p->fake.now, 4 * HOUR);
    access_times(p, 3, 4);
    assert_int_equal(place_status(tiering, 3).accesses, 10);
    place_close(tiering);
    p->options.policy = &p->policy;
    tiering = place_open(p);
    assert_int_equal(place_status(tiering, 3).accesses, 10);
    place_close(tiering);
}

static void a_lost_state_counts_everything_as_fresh(void **state)
{
    place *p = *state;
    char path[TEST_FOLDER_SIZE + 32];
    akidb_tiering *tiering = place_open(p);
    place_close(tiering);
    snprintf(path, sizeof path, "%s/tiering.sqlite", p->folder);
    assert_int_equal(unlink(path), 0);
    atomic_fetch_add(&p->fake.now, 8 * DAY);
    tiering = place_open(p);
    akidb_tier_report report = place_cycle(p, tiering, 7 * DAY - 1);
    assert_int_equal(report.count, 0);
    report = place_cycle(p, tiering, 1);
    assert_int_equal(report.moved, 10);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

static void orders_move_at_once_and_are_checked(void **state)
{
    place *p = *state;
    akidb_error err;
    akidb_move_report report;
    akidb_uuid id = p->fake.collections[0].id, none = fake_id(999);
    akidb_tiering *tiering = place_open(p);
    assert_ok(err, akidb_tiering_promote(tiering, &id, AKIDB_TIER_HOT, &report, &err));
    assert_int_equal(report.from, AKIDB_TIER_WARM);
    assert_int_equal(report.to, AKIDB_TIER_HOT);
    assert_tier(p, 0, AKIDB_TIER_HOT);
    assert_ok(err, akidb_tiering_promote(tiering, &id, AKIDB_TIER_HOT, &report, &err));
    assert_int_equal(report.bytes, 0);
    assert_status(AKIDB_E_VALIDATION,
                  akidb_tiering_promote(tiering, &id, AKIDB_TIER_COLD, NULL, &err));
    assert_non_null(strstr(err.message, "promote: expected a tier above hot, found cold"));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_tiering_promote(tiering, &id, (akidb_tier)3, NULL, &err));
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_tiering_demote(tiering, &none, AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_pin(tiering, &id, &err));
    assert_status(AKIDB_E_PRECONDITION,
                  akidb_tiering_demote(tiering, &id, AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_unpin(tiering, &id, &err));
    assert_ok(err, akidb_tiering_demote(tiering, &id, AKIDB_TIER_COLD, NULL, &err));
    assert_tier(p, 0, AKIDB_TIER_COLD);
    p->fake.store_fails = AKIDB_E_STORE;
    assert_status(AKIDB_E_STORE,
                  akidb_tiering_promote(tiering, &id, AKIDB_TIER_WARM, &report, &err));
    assert_string_equal(err.message, "the object store is down");
    assert_int_equal(place_status(tiering, 0).failures, 1);
    p->fake.store_fails = AKIDB_OK; /* an order does not wait for the time of the next try */
    assert_ok(err, akidb_tiering_promote(tiering, &id, AKIDB_TIER_WARM, NULL, &err));
    place_close(tiering);
}

static void an_order_keeps_to_the_budget(void **state)
{
    place *p = *state;
    akidb_error err;
    p->policy.hot_budget = BUDGET;
    akidb_tiering *tiering = place_open(p);
    for (size_t i = 0; i < 3; i++) {
        atomic_fetch_add(&p->fake.now, SECOND);
        assert_ok(err, akidb_tiering_promote(tiering, &p->fake.collections[i].id, AKIDB_TIER_HOT,
                                             NULL, &err));
    }
    assert_status(AKIDB_E_LIMIT, akidb_tiering_promote(tiering, &p->fake.collections[3].id,
                                                       AKIDB_TIER_HOT, NULL, &err));
    atomic_fetch_add(&p->fake.now, HOUR); /* what came up by hand stays for a while, too */
    assert_ok(err, akidb_tiering_promote(tiering, &p->fake.collections[3].id, AKIDB_TIER_HOT, NULL,
                                         &err));
    assert_tier(p, 0, AKIDB_TIER_WARM);
    assert_tier(p, 3, AKIDB_TIER_HOT);
    place_close(tiering);
}

/* ---- the state file -------------------------------------------------------------------------- */

static void without_a_state_file_it_goes_on_in_memory_and_takes_no_pins(void **state)
{
    place *p = *state;
    akidb_error err;
    char path[TEST_FOLDER_SIZE + 32];
    snprintf(path, sizeof path, "%s/tiering.sqlite", p->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    akidb_tiering *tiering = place_open(p);
    assert_true(test_log_has(&p->log, "warning: accesses and pins are kept in memory alone"));
    assert_status(AKIDB_E_IO, akidb_tiering_pin(tiering, &p->fake.collections[0].id, &err));
    assert_false(place_status(tiering, 0).pinned);
    akidb_tier_report report = place_cycle(p, tiering, 8 * DAY);
    assert_int_equal(report.moved, 10);
    akidb_tier_report_free(&report);
    place_close(tiering);
}

static void memory_alone_is_a_choice(void **state)
{
    place *p = *state;
    akidb_error err;
    p->options.data_folder = NULL;
    akidb_tiering *tiering = place_open(p);
    assert_ok(err, akidb_tiering_pin(tiering, &p->fake.collections[0].id, &err));
    assert_true(place_status(tiering, 0).pinned);
    place_close(tiering);
    assert_int_equal(p->log.lines, 0);
    tiering = place_open(p);
    assert_false(place_status(tiering, 0).pinned);
    place_close(tiering);
}

static void a_state_that_cannot_be_written_is_told_once_and_written_later(void **state)
{
    place *p = *state;
    akidb_error err;
    char path[TEST_FOLDER_SIZE + 32];
    sqlite3 *other;
    snprintf(path, sizeof path, "%s/tiering.sqlite", p->folder);
    akidb_tiering *tiering = place_open(p);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    access_times(p, 0, 3);
    akidb_tier_report report = place_run(tiering);
    assert_int_equal(p->log.lines, 1);
    report = place_run(tiering);
    assert_int_equal(p->log.lines, 1);
    assert_true(test_log_has(&p->log, "cannot be written and stays in memory"));
    assert_int_equal(metric_of(tiering, "\nakidb_tiering_state_failures_total "), 2);
    assert_status(AKIDB_E_TIMEOUT, akidb_tiering_pin(tiering, &p->fake.collections[0].id, &err));
    assert_false(place_status(tiering, 0).pinned);
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    report = place_run(tiering);
    akidb_tier_report_free(&report);
    assert_true(test_log_has(&p->log, "written again"));
    place_close(tiering);
    tiering = place_open(p);
    assert_int_equal(place_status(tiering, 0).accesses_total, 3);
    place_close(tiering);
}

/* ---- options and metrics --------------------------------------------------------------------- */

static void wrong_options_are_refused(void **state)
{
    place *p = *state;
    akidb_error err;
    akidb_tiering *tiering;
    p->policy.warm_idle = HOUR;
    assert_status(AKIDB_E_VALIDATION,
                  ak_tiering_open_on(fake_backend(&p->fake), &p->options, &tiering, &err));
    assert_null(tiering);
    p->policy.warm_idle = 0;
    p->options.interval = UINT64_MAX;
    assert_status(AKIDB_E_VALIDATION,
                  ak_tiering_open_on(fake_backend(&p->fake), &p->options, &tiering, &err));
    p->options.struct_size = 1;
    assert_status(AKIDB_E_VALIDATION,
                  ak_tiering_open_on(fake_backend(&p->fake), &p->options, &tiering, &err));
    assert_ok(err, akidb_tiering_close(NULL, &err));
}

static void metrics_tell_of_budgets_causes_and_cycles(void **state)
{
    place *p = *state;
    p->policy.warm_budget = 20000;
    p->fake.collections[0].tier = AKIDB_TIER_HOT;
    p->fake.collections[1].tier = AKIDB_TIER_HOT;
    akidb_tiering *tiering = place_open(p);
    assert_int_equal(metric_of(tiering, "\nakidb_tiering_last_cycle_timestamp_seconds "), 0);
    p->fake.collections[1].fails = AKIDB_E_CORRUPTION;
    akidb_tier_report report = place_cycle(p, tiering, 7 * HOUR);
    akidb_tier_report_free(&report);
    assert_int_equal(metric_of(tiering, "\nakidb_tiering_budget_bytes{tier=\"warm\"} "), 20000);
    assert_int_equal(metric_of(tiering, "\nakidb_tiering_moves_total{cause=\"age\"} "), 1);
    assert_int_equal(metric_of(tiering, "\nakidb_tiering_waiting_moves "), 1);
    assert_int_equal(metric_of(tiering, "\nakidb_tiering_cycles_total "), 1);
    assert_int_equal(metric_of(tiering, "\nakidb_tiering_last_cycle_timestamp_seconds "),
                     (NOW + 7 * HOUR) / SECOND);
    place_close(tiering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        place_test(a_collection_goes_all_the_way_down_and_up_again),
        place_test(a_dry_run_tells_and_moves_nothing),
        place_test(budgets_hold_with_what_is_really_there),
        place_test(what_is_used_meanwhile_stays),
        place_test(what_is_pinned_meanwhile_stays),
        place_test(a_dropped_collection_is_forgotten),
        place_test(a_cancelled_run_reports_what_it_did),
        place_test(a_collection_that_cannot_move_holds_up_no_other),
        place_test(with_the_store_down_what_needs_it_waits_and_resumes),
        place_test(a_broken_collection_is_not_taken_for_a_store_that_is_down),
        place_test(pins_hold_and_outlive_a_restart),
        place_test(accesses_outlive_a_restart),
        place_test(without_a_policy_the_window_stays_as_it_was),
        place_test(a_lost_state_counts_everything_as_fresh),
        place_test(orders_move_at_once_and_are_checked),
        place_test(an_order_keeps_to_the_budget),
        place_test(without_a_state_file_it_goes_on_in_memory_and_takes_no_pins),
        place_test(memory_alone_is_a_choice),
        place_test(a_state_that_cannot_be_written_is_told_once_and_written_later),
        place_test(wrong_options_are_refused),
        place_test(metrics_tell_of_budgets_causes_and_cycles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
