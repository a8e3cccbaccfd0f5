/* Tiering on a real storage: all tiers by real moves, and an object store that goes away. */
#include "real.h"

static akidb_store *open_folder(real *r)
{
    akidb_error err;
    akidb_store *store;
    snprintf(r->store_folder, sizeof r->store_folder, "%s/far", r->folder);
    assert_ok(err, akidb_store_local_open(r->store_folder, &store, &err));
    return store;
}

static int real_setup(void **state)
{
    *state = real_new(open_folder);
    return *state == NULL ? -1 : 0;
}

static int real_teardown(void **state)
{
    return real_free(*state) == AKIDB_OK ? 0 : -1;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void documents_are_the_same_in_every_tier(void **state)
{
    real *r = *state;
    akidb_tiering *tiering = real_open(r);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(tier_of(r, i), AKIDB_TIER_HOT);
    cycle(r, tiering, 6 * HOUR, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tier_of(r, i), AKIDB_TIER_WARM);
        assert_document(r, i, 7, (float)i);
    }
    cycle(r, tiering, 7 * DAY, 3);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_COLD);
    assert_document(r, 1, 299, 1);
    upsert(r, 1, 5, 1, 50);
    assert_document(r, 1, 5, 50);
    cycle(r, tiering, MINUTE, 1);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_WARM);
    assert_int_equal(tier_of(r, 0), AKIDB_TIER_COLD);
    for (uint64_t i = 1; i <= 10; i++)
        assert_document(r, 1, i, i == 5 ? 50 : 1);
    cycle(r, tiering, MINUTE, 1);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_HOT);
    for (uint64_t i = 1; i <= DOCUMENTS; i++)
        assert_document(r, 1, i, i == 5 ? 50 : 1);
    place_close(tiering);
}

static void where_a_collection_lies_outlives_a_restart(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[1], AKIDB_TIER_WARM, NULL, &err));
    assert_ok(err, akidb_tiering_pin(tiering, &r->ids[1], &err));
    place_close(tiering);
    assert_ok(err, akidb_storage_close(r->storage, &err));
    open_storage(r);
    tiering = real_open(r);
    assert_int_equal(place_status(tiering, 0).tier, AKIDB_TIER_COLD);
    assert_int_equal(place_status(tiering, 1).tier, AKIDB_TIER_WARM);
    assert_true(place_status(tiering, 1).pinned);
    assert_int_equal(place_status(tiering, 2).tier, AKIDB_TIER_HOT);
    cycle(r, tiering, 8 * DAY, 1);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_WARM);
    for (size_t i = 0; i < 3; i++)
        assert_document(r, i, 11, (float)i);
    place_close(tiering);
}

static void an_order_makes_a_missing_local_copy_again(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_move_report report;
    char path[sizeof r->folder + 32];
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_WARM, NULL, &err));
    uint64_t bytes = place_status(tiering, 0).bytes;
    assert_ok(err, akidb_tiering_promote(tiering, &r->ids[0], AKIDB_TIER_WARM, &report, &err));
    assert_int_equal(report.bytes, 0); /* there is nothing to do */
    place_close(tiering);
    assert_ok(err, akidb_storage_close(r->storage, &err));
    snprintf(path, sizeof path, "%s/warm/snapshots", r->folder);
    test_folder_remove(path);
    open_storage(r);
    tiering = real_open(r);
    assert_int_equal(place_status(tiering, 0).bytes, 0);
    assert_ok(err, akidb_tiering_promote(tiering, &r->ids[0], AKIDB_TIER_WARM, &report, &err));
    assert_int_equal(report.from, AKIDB_TIER_WARM);
    assert_int_equal(report.to, AKIDB_TIER_WARM);
    assert_true(report.bytes > 0);
    assert_int_equal(place_status(tiering, 0).bytes, bytes);
    atomic_store(&r->down, true);
    assert_document(r, 0, 7, 0);
    atomic_store(&r->down, false);
    place_close(tiering);
}

static void with_the_store_away_hot_and_warm_go_on_and_demotions_wait(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[1], AKIDB_TIER_WARM, NULL, &err));
    atomic_store(&r->down, true);
    assert_document(r, 2, 3, 2);
    assert_document(r, 1, 3, 1);
    upsert(r, 1, 4, 1, 70);
    assert_document(r, 1, 4, 70);
    upsert(r, 2, 4, 1, 80);
    assert_status(AKIDB_E_STORE, try_to_get(r, 0, 3, &err));

    /* Both should go down now, and nothing may be lost because they cannot. */
    atomic_fetch_add(&r->now, 8 * DAY);
    akidb_tier_report report = place_run(tiering);
    assert_int_equal(report.moved, 0);
    assert_int_equal(report.failed, 1);
    assert_int_equal(report.waiting, 1);
    akidb_tier_report_free(&report);
    assert_document(r, 1, 4, 70);
    assert_document(r, 2, 4, 80);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_WARM);
    assert_int_equal(tier_of(r, 2), AKIDB_TIER_HOT);

    atomic_store(&r->down, false);
    cycle(r, tiering, 9 * DAY, 2);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_COLD);
    assert_int_equal(tier_of(r, 2), AKIDB_TIER_COLD);
    assert_document(r, 1, 4, 70);
    assert_document(r, 2, 4, 80);
    assert_document(r, 0, 3, 0);
    place_close(tiering);
}

static void a_budget_of_memory_is_kept_with_real_sizes(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_collection_info info;
    assert_ok(err, akidb_storage_collection(r->storage, &r->ids[0], &info, &err));
    r->policy.hot_budget = info.memory_bytes + info.memory_bytes / 2;
    akidb_tiering *tiering = real_open(r);
    atomic_fetch_add(&r->now, SECOND);
    assert_document(r, 2, 1, 2);
    cycle(r, tiering, SECOND, 2);
    assert_int_equal(tier_of(r, 2), AKIDB_TIER_HOT);
    akidb_tier_status status = place_status(tiering, 2);
    assert_int_equal(status.bytes, info.memory_bytes);
    assert_int_equal(status.documents, DOCUMENTS);
    place_close(tiering);
}

/* The worker goes by the clock of the test, and is called by what really happens. */
static void the_worker_promotes_what_is_read_while_cold(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_start(tiering, &err));
    atomic_fetch_add(&r->now, SECOND);
    assert_document(r, 0, 17, 0);
    for (int i = 0; i < 5000 && tier_of(r, 0) != AKIDB_TIER_WARM; i++) {
        const struct timespec little = {0, 2000000};
        nanosleep(&little, NULL);
    }
    assert_int_equal(tier_of(r, 0), AKIDB_TIER_WARM);
    assert_document(r, 0, 17, 0);
    place_close(tiering);
}

#define real_test(f) cmocka_unit_test_setup_teardown(f, real_setup, real_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        real_test(documents_are_the_same_in_every_tier),
        real_test(where_a_collection_lies_outlives_a_restart),
        real_test(an_order_makes_a_missing_local_copy_again),
        real_test(with_the_store_away_hot_and_warm_go_on_and_demotions_wait),
        real_test(a_budget_of_memory_is_kept_with_real_sizes),
        real_test(the_worker_promotes_what_is_read_while_cold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
