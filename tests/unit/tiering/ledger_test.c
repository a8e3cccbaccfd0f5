/* The ledger: windows, syncs, and many threads at once. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tiering/ledger.h"

#include "fake_tiers.h"
#include "test.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define NOW    (INT64_C(500000) * HOUR)

static ak_ledger *new_ledger(void)
{
    akidb_error err;
    ak_ledger *ledger;
    assert_ok(err, ak_ledger_new((uint64_t)HOUR, &ledger, &err));
    return ledger;
}

static akidb_collection_info info(uint64_t number, akidb_tier tier)
{
    return (akidb_collection_info){
        .id = fake_id(number),
        .tier = tier,
        .dimension = 8,
        .documents = 1000,
        .memory_bytes = tier == AKIDB_TIER_HOT ? 500000 : 0,
        .warm_bytes = tier == AKIDB_TIER_WARM ? 70000 : 0,
    };
}

static void sync_at(ak_ledger *ledger, const akidb_collection_info *infos, size_t count, int64_t at)
{
    akidb_error err;
    assert_ok(err, ak_ledger_sync(ledger, infos, count, at, true, NULL, NULL, &err));
}

static ak_ledger_view look(ak_ledger *ledger, uint64_t number, int64_t now)
{
    ak_ledger_view view;
    akidb_uuid id = fake_id(number);
    assert_true(ak_ledger_look(ledger, &id, now, &view));
    return view;
}

static bool access_at(ak_ledger *ledger, uint64_t number, int64_t now)
{
    akidb_uuid id = fake_id(number);
    return ak_ledger_access(ledger, &id, now);
}

/* ---- windows --------------------------------------------------------------------------------- */

static void accesses_count_for_a_window_and_never_longer(void **state)
{
    (void)state;
    ak_ledger *ledger = new_ledger();
    for (int i = 0; i < 10; i++)
        access_at(ledger, 1, NOW + i * 5 * MINUTE);
    assert_int_equal(look(ledger, 1, NOW + 45 * MINUTE).accesses, 10);
    assert_int_equal(look(ledger, 1, NOW + HOUR - 1).accesses, 10);
    assert_int_equal(look(ledger, 1, NOW + HOUR).accesses, 9);
    assert_int_equal(look(ledger, 1, NOW + HOUR + 5 * MINUTE).accesses, 8);
    assert_int_equal(look(ledger, 1, NOW + 3 * HOUR).accesses, 0);
    assert_int_equal(look(ledger, 1, NOW + 3 * HOUR).record.accesses, 10);
    assert_int_equal(look(ledger, 1, NOW).record.last_access, NOW + 45 * MINUTE);
    ak_ledger_free(ledger);
}

/* Against a list of all times: the count holds what happened in the last 59 minutes, and nothing
 * that happened more than an hour ago. */
static void any_times_are_counted_right(void **state)
{
    (void)state;
    enum { TIMES = 3000 };
    uint64_t seed = 5;
    int64_t *times = calloc(TIMES, sizeof *times), now = NOW;
    assert_non_null(times);
    ak_ledger *ledger = new_ledger();
    for (size_t i = 0; i < TIMES; i++) {
        now += (int64_t)(test_random(&seed) %
                         (uint64_t)(test_random(&seed) % 50 == 0 ? 3 * HOUR : MINUTE));
        times[i] = now;
        access_at(ledger, 1, now);
        uint32_t least = 0, most = 0, found = look(ledger, 1, now).accesses;
        for (size_t j = 0; j <= i; j++) {
            least += now - times[j] < 59 * MINUTE ? 1 : 0;
            most += now - times[j] < HOUR ? 1 : 0;
        }
        assert_in_range(found, least, most);
    }
    free(times);
    ak_ledger_free(ledger);
}

static void a_clock_that_is_set_back_loses_no_access_and_keeps_none_for_ever(void **state)
{
    (void)state;
    ak_ledger *ledger = new_ledger();
    access_at(ledger, 1, NOW);
    access_at(ledger, 1, NOW - 10 * MINUTE);
    assert_int_equal(look(ledger, 1, NOW - 10 * MINUTE).accesses, 2);
    access_at(ledger, 1, NOW - 9000 * HOUR);
    assert_int_equal(look(ledger, 1, NOW - 9000 * HOUR).accesses, 1);
    assert_int_equal(look(ledger, 1, NOW - 8998 * HOUR).accesses, 0);
    assert_int_equal(look(ledger, 1, NOW).record.accesses, 3);
    ak_ledger_free(ledger);
}

static void a_move_begins_the_count_anew(void **state)
{
    (void)state;
    ak_ledger *ledger = new_ledger();
    akidb_uuid id = fake_id(1);
    akidb_collection_info infos[] = {info(1, AKIDB_TIER_WARM)};
    sync_at(ledger, infos, 1, NOW);
    access_at(ledger, 1, NOW + SECOND);
    ak_ledger_moved(ledger, &id, AKIDB_TIER_HOT, AK_CAME_UP, NOW + 2 * SECOND);
    ak_ledger_view view = look(ledger, 1, NOW + 3 * SECOND);
    assert_int_equal(view.accesses, 0);
    assert_int_equal(view.record.accesses, 1);
    assert_int_equal(view.record.fresh_at, NOW + 2 * SECOND);
    infos[0] = info(1, AKIDB_TIER_HOT);
    ak_tier_subject s = ak_ledger_subject(ledger, &infos[0], NOW + 3 * SECOND);
    assert_false(s.accessed);
    assert_int_equal(s.cause, AK_CAME_UP);
    assert_int_equal(s.used_at, NOW + 2 * SECOND);
    ak_ledger_free(ledger);
}

/* ---- syncs ----------------------------------------------------------------------------------- */

static void a_sync_meets_sees_moves_and_forgets(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid *forgotten;
    size_t count;
    ak_ledger_view view;
    ak_ledger *ledger = new_ledger();
    akidb_collection_info infos[] = {info(1, AKIDB_TIER_HOT), info(2, AKIDB_TIER_WARM),
                                     info(3, AKIDB_TIER_COLD)};
    sync_at(ledger, infos, 3, NOW);
    assert_int_equal(look(ledger, 1, NOW).record.fresh_at, NOW);
    assert_int_equal(look(ledger, 1, NOW).record.moved_at, 0);

    infos[1] = info(2, AKIDB_TIER_COLD); /* somebody else has moved it */
    access_at(ledger, 9, NOW + SECOND);  /* made after the list was */
    assert_ok(err, ak_ledger_sync(ledger, infos, 2, NOW + SECOND, true, &forgotten, &count, &err));
    assert_int_equal(count, 1);
    assert_int_equal(akidb_uuid_compare(&forgotten[0], &infos[2].id), 0);
    free(forgotten);
    assert_int_equal(look(ledger, 2, NOW).record.tier, AKIDB_TIER_COLD);
    assert_int_equal(look(ledger, 2, NOW).record.moved_at, NOW + SECOND);
    assert_int_equal(look(ledger, 9, NOW + SECOND).accesses, 1);
    assert_false(ak_ledger_look(ledger, &infos[2].id, NOW, &view));

    sync_at(ledger, infos, 2, NOW + 2 * SECOND);
    akidb_uuid stranger = fake_id(9);
    assert_false(ak_ledger_look(ledger, &stranger, NOW, &view));
    ak_ledger_free(ledger);
}

static void a_cold_one_calls_once_until_it_may_call_again(void **state)
{
    (void)state;
    akidb_error err;
    ak_ledger *ledger = new_ledger();
    akidb_collection_info infos[] = {info(1, AKIDB_TIER_COLD), info(2, AKIDB_TIER_WARM)};
    sync_at(ledger, infos, 2, NOW);
    assert_true(access_at(ledger, 1, NOW));
    assert_false(access_at(ledger, 1, NOW));
    assert_false(access_at(ledger, 2, NOW));
    assert_ok(err, ak_ledger_sync(ledger, infos, 2, NOW, false, NULL, NULL, &err));
    assert_false(access_at(ledger, 1, NOW));
    assert_ok(err, ak_ledger_sync(ledger, infos, 2, NOW, true, NULL, NULL, &err));
    assert_true(access_at(ledger, 1, NOW));
    ak_ledger_free(ledger);
}

static void strangers_are_bounded_and_counted(void **state)
{
    (void)state;
    enum { MANY = 200000 };
    ak_ledger *ledger = new_ledger();
    for (uint64_t i = 0; i < MANY; i++)
        access_at(ledger, i, NOW);
    ak_ledger_counts counts = ak_ledger_count(ledger);
    assert_in_range(counts.unrecorded, MANY - 16 * 4096, MANY - 1);
    sync_at(ledger, NULL, 0, NOW + 1);
    assert_false(access_at(ledger, 1, NOW + 2));
    assert_int_equal(look(ledger, 1, NOW + 2).record.accesses, 1);
    ak_ledger_free(ledger);
}

static void sizes_are_those_that_were_seen_or_guessed_from_the_documents(void **state)
{
    (void)state;
    ak_ledger *ledger = new_ledger();
    akidb_collection_info one = info(1, AKIDB_TIER_WARM);
    one.snapshot_bytes = 60000;
    sync_at(ledger, &one, 1, NOW);
    ak_tier_subject s = ak_ledger_subject(ledger, &one, NOW);
    assert_int_equal(s.warm_bytes, 70000);
    assert_int_equal(s.hot_bytes, 1000 * (8 * 4 + 112 + 256));
    one = info(1, AKIDB_TIER_HOT);
    one.snapshot_bytes = 60000;
    sync_at(ledger, &one, 1, NOW);
    s = ak_ledger_subject(ledger, &one, NOW);
    assert_int_equal(s.hot_bytes, 500000);
    assert_int_equal(s.warm_bytes, 60000);
    one.last_lsn = 1; /* not in the snapshot yet */
    s = ak_ledger_subject(ledger, &one, NOW);
    assert_int_equal(s.warm_bytes, 500000);
    one = info(1, AKIDB_TIER_COLD);
    one.snapshot_bytes = 60000;
    one.documents = 2000;
    sync_at(ledger, &one, 1, NOW);
    s = ak_ledger_subject(ledger, &one, NOW);
    assert_int_equal(s.hot_bytes, 1000000);
    assert_int_equal(s.warm_bytes, 60000);
    one.documents = 5000; /* what was measured says little about so many */
    s = ak_ledger_subject(ledger, &one, NOW);
    assert_int_equal(s.hot_bytes, 5000 * (8 * 4 + 112 + 256));
    ak_ledger_free(ledger);
}

static void each_failure_holds_for_longer(void **state)
{
    (void)state;
    ak_ledger *ledger = new_ledger();
    akidb_collection_info one = info(1, AKIDB_TIER_WARM);
    sync_at(ledger, &one, 1, NOW);
    assert_int_equal(ak_ledger_failed(ledger, &one.id, NOW), 10 * SECOND);
    assert_int_equal(ak_ledger_failed(ledger, &one.id, NOW), 20 * SECOND);
    assert_true(ak_ledger_subject(ledger, &one, NOW + 20 * SECOND - 1).held);
    assert_false(ak_ledger_subject(ledger, &one, NOW + 20 * SECOND).held);
    assert_false(ak_ledger_subject(ledger, &one, NOW - 10000 * HOUR).held);
    int64_t longest = 0;
    for (int i = 0; i < 100; i++)
        longest = ak_ledger_failed(ledger, &one.id, NOW);
    assert_int_equal(longest, HOUR);
    ak_ledger_moved(ledger, &one.id, AKIDB_TIER_COLD, AK_CAME_BY_AGE, NOW);
    assert_int_equal(ak_ledger_failed(ledger, &one.id, NOW), 10 * SECOND);
    ak_ledger_free(ledger);
}

/* ---- what has changed ------------------------------------------------------------------------ */

static void what_has_changed_is_taken_once_and_can_be_put_back(void **state)
{
    (void)state;
    ak_record records[8];
    ak_ledger *ledger = new_ledger();
    akidb_collection_info infos[] = {info(1, AKIDB_TIER_WARM), info(2, AKIDB_TIER_WARM),
                                     info(3, AKIDB_TIER_WARM)};
    sync_at(ledger, infos, 3, NOW);
    assert_int_equal(ak_ledger_take_changed(ledger, records, 2), 2);
    assert_int_equal(ak_ledger_take_changed(ledger, records, 8), 1);
    assert_int_equal(ak_ledger_take_changed(ledger, records, 8), 0);
    sync_at(ledger, infos, 3, NOW + SECOND);
    assert_int_equal(ak_ledger_take_changed(ledger, records, 8), 0);
    access_at(ledger, 2, NOW);
    assert_int_equal(ak_ledger_take_changed(ledger, records, 8), 1);
    assert_int_equal(akidb_uuid_compare(&records[0].id, &infos[1].id), 0);
    ak_ledger_put_back(ledger, records, 1);
    assert_int_equal(ak_ledger_take_changed(ledger, records, 8), 1);
    assert_false(ak_ledger_pin(ledger, &infos[0].id, true));
    assert_true(ak_ledger_pin(ledger, &infos[0].id, true));
    assert_int_equal(ak_ledger_take_changed(ledger, records, 8), 1);
    assert_true(records[0].pinned);
    ak_ledger_free(ledger);
}

/* ---- threads --------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 20000, COLLECTIONS = 50 };

static void *access_many(void *context)
{
    uint64_t seed = (uint64_t)(uintptr_t)&context;
    for (int i = 0; i < ROUNDS; i++)
        access_at(context, 1 + test_random(&seed) % COLLECTIONS, NOW + i);
    return NULL;
}

static void many_threads_lose_no_access(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    ak_record records[COLLECTIONS];
    akidb_collection_info infos[COLLECTIONS];
    ak_ledger *ledger = new_ledger();
    for (uint64_t i = 0; i < COLLECTIONS; i++)
        infos[i] = info(i + 1, (akidb_tier)(i % 3));
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, access_many, ledger), 0);
    for (int i = 0; i < 200; i++) {
        sync_at(ledger, infos, COLLECTIONS, NOW);
        size_t taken = ak_ledger_take_changed(ledger, records, COLLECTIONS);
        ak_ledger_put_back(ledger, records, taken);
        ak_ledger_moved(ledger, &infos[0].id, (akidb_tier)(i % 3), AK_CAME_UP, NOW);
        ak_ledger_subject(ledger, &infos[0], NOW);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < COLLECTIONS; i++)
        sum += look(ledger, i + 1, NOW).record.accesses;
    assert_int_equal(sum, THREADS * ROUNDS);
    ak_ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accesses_count_for_a_window_and_never_longer),
        cmocka_unit_test(any_times_are_counted_right),
        cmocka_unit_test(a_clock_that_is_set_back_loses_no_access_and_keeps_none_for_ever),
        cmocka_unit_test(a_move_begins_the_count_anew),
        cmocka_unit_test(a_sync_meets_sees_moves_and_forgets),
        cmocka_unit_test(a_cold_one_calls_once_until_it_may_call_again),
        cmocka_unit_test(strangers_are_bounded_and_counted),
        cmocka_unit_test(sizes_are_those_that_were_seen_or_guessed_from_the_documents),
        cmocka_unit_test(each_failure_holds_for_longer),
        cmocka_unit_test(what_has_changed_is_taken_once_and_can_be_put_back),
        cmocka_unit_test(many_threads_lose_no_access),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
