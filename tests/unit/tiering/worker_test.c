/* The worker's thread: when it looks, what stops it, and who may do what meanwhile. */
#include "support.h"

#include <time.h>

/* Waits for something that a thread will do; the test fails after ten seconds. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int tries = 0;                                                                             \
        while (!(condition)) {                                                                     \
            const struct timespec little = {0, 2000000};                                           \
            nanosleep(&little, NULL);                                                              \
            if (++tries == 5000)                                                                   \
                fail_msg("waited in vain for: %s", #condition);                                    \
        }                                                                                          \
    } while (0)

static akidb_tiering *start(place *p)
{
    akidb_error err;
    akidb_tiering *tiering = place_open(p);
    assert_ok(err, akidb_tiering_start(tiering, &err));
    return tiering;
}

static void wait_for_cycles(akidb_tiering *tiering, uint64_t count)
{
    wait_until(atomic_load(&tiering->counters.cycles) >= count);
}

static void it_runs_now_and_by_the_interval(void **state)
{
    place *p = *state;
    p->options.interval = 10000;
    akidb_tiering *tiering = start(p);
    wait_for_cycles(tiering, 3);
    atomic_fetch_add(&p->fake.now, 8 * DAY);
    wait_until(fake_tier(&p->fake, 9) == AKIDB_TIER_COLD);
    akidb_tiering_stop(tiering);
    assert_true(test_log_has(&p->log, "from warm to cold: no access for 8 days"));
    uint64_t cycles = atomic_load(&tiering->counters.cycles);
    fake_access(&p->fake, 0, AKIDB_ACCESS_GET);
    assert_int_equal(atomic_load(&tiering->counters.cycles), cycles);
    place_close(tiering);
}

static void a_name_forges_no_line_of_the_log(void **state)
{
    place *p = *state;
    p->fake.collections[9].name = "b\303\274cher\nwarning: \033[31mall is lost";
    p->options.interval = 10000;
    akidb_tiering *tiering = start(p);
    wait_for_cycles(tiering, 1);
    atomic_fetch_add(&p->fake.now, 8 * DAY);
    wait_until(fake_tier(&p->fake, 9) == AKIDB_TIER_COLD);
    akidb_tiering_stop(tiering);
    assert_true(test_log_has(
        &p->log, "moved b\303\274cher?warning: ?[31mall is lost from warm to cold: no access"));
    place_close(tiering);
}

static void a_cold_access_calls_it_at_once(void **state)
{
    place *p = *state;
    p->fake.collections[5].tier = AKIDB_TIER_COLD;
    akidb_tiering *tiering = start(p);
    wait_for_cycles(tiering, 1);
    atomic_fetch_add(&p->fake.now, SECOND);
    fake_access(&p->fake, 5, AKIDB_ACCESS_GET);
    wait_until(fake_tier(&p->fake, 5) == AKIDB_TIER_WARM);
    place_close(tiering);
}

static void a_passed_budget_calls_it(void **state)
{
    place *p = *state;
    p->policy.hot_budget = 3000;
    for (size_t i = 0; i < 2; i++)
        p->fake.collections[i].tier = AKIDB_TIER_HOT;
    akidb_tiering *tiering = start(p);
    wait_for_cycles(tiering, 1);
    atomic_fetch_add(&p->fake.now, SECOND);
    pthread_mutex_lock(&p->fake.lock);
    p->fake.collections[1].hot_bytes = 2500; /* it has grown */
    pthread_mutex_unlock(&p->fake.lock);
    fake_access(&p->fake, 1, AKIDB_ACCESS_UPSERT);
    wait_until(fake_tier(&p->fake, 0) == AKIDB_TIER_WARM);
    assert_int_equal(fake_tier(&p->fake, 1), AKIDB_TIER_HOT);
    place_close(tiering);
}

static void a_failed_move_is_told_and_tried_again(void **state)
{
    place *p = *state;
    p->fake.collections[0].tier = AKIDB_TIER_HOT;
    akidb_tiering *tiering = start(p);
    wait_for_cycles(tiering, 1);
    pthread_mutex_lock(&p->fake.lock);
    p->fake.collections[0].fails = AKIDB_E_STORE;
    pthread_mutex_unlock(&p->fake.lock);
    atomic_fetch_add(&p->fake.now, 6 * HOUR);
    ak_tiering_call(tiering);
    wait_until(test_log_has(&p->log, "from hot to warm failed, next try in 10 s"));
    pthread_mutex_lock(&p->fake.lock);
    p->fake.collections[0].fails = AKIDB_OK;
    pthread_mutex_unlock(&p->fake.lock);
    atomic_fetch_add(&p->fake.now, 10 * SECOND);
    wait_until(fake_tier(&p->fake, 0) == AKIDB_TIER_WARM);
    place_close(tiering);
}

static void a_stop_cancels_a_long_move_and_is_no_failure(void **state)
{
    place *p = *state;
    atomic_store(&p->fake.move_is_long, true);
    akidb_tiering *tiering = start(p);
    wait_for_cycles(tiering, 1);
    atomic_fetch_add(&p->fake.now, 8 * DAY);
    ak_tiering_call(tiering);
    wait_until(atomic_load(&p->fake.moving) == 1);
    akidb_tiering_stop(tiering); /* would never return if it waited for the move */
    assert_int_equal(atomic_load(&p->fake.moving), 0);
    assert_int_equal(atomic_load(&p->fake.moves), 0);
    assert_int_equal(place_status(tiering, 0).failures, 0);
    assert_false(test_log_has(&p->log, "warning"));
    atomic_store(&p->fake.move_is_long, false);
    akidb_error err;
    assert_ok(err, akidb_tiering_start(tiering, &err));
    wait_until(fake_tier(&p->fake, 9) == AKIDB_TIER_COLD);
    place_close(tiering);
}

static void only_one_worker_runs(void **state)
{
    place *p = *state;
    akidb_error err;
    akidb_tiering *tiering = start(p);
    assert_status(AKIDB_E_ALREADY_EXISTS, akidb_tiering_start(tiering, &err));
    akidb_tiering_stop(tiering);
    akidb_tiering_stop(tiering);
    assert_ok(err, akidb_tiering_start(tiering, &err));
    place_close(tiering); /* stops it too */
}

/* A run that waits for the worker's turn can be cancelled. */
static void a_run_that_waits_can_be_cancelled(void **state)
{
    place *p = *state;
    akidb_error err;
    atomic_store(&p->fake.move_is_long, true);
    akidb_tiering *tiering = start(p);
    wait_for_cycles(tiering, 1);
    atomic_fetch_add(&p->fake.now, 8 * DAY);
    ak_tiering_call(tiering);
    wait_until(atomic_load(&p->fake.moving) == 1);
    atomic_store(&p->log.cancel, true);
    assert_status(AKIDB_E_CANCELLED, akidb_tiering_run(tiering, false, NULL, &err));
    assert_status(AKIDB_E_CANCELLED, akidb_tiering_demote(tiering, &p->fake.collections[0].id,
                                                          AKIDB_TIER_COLD, NULL, &err));
    place_close(tiering);
}

/* ---- all at once ----------------------------------------------------------------------------- */

enum { ROUNDS = 300 };

typedef struct crowd {
    place *p;
    akidb_tiering *tiering;
    uint64_t seed;
} crowd;

static void *access_at_random(void *context)
{
    crowd *c = context;
    for (int i = 0; i < ROUNDS * 20; i++) {
        fake_access(&c->p->fake, test_random(&c->seed) % 10,
                    (akidb_access)(test_random(&c->seed) % 3));
        atomic_fetch_add(&c->p->fake.now, (int64_t)(test_random(&c->seed) % (uint64_t)MINUTE));
    }
    return NULL;
}

static void *command_at_random(void *context)
{
    crowd *c = context;
    akidb_error err;
    for (int i = 0; i < ROUNDS; i++) {
        const akidb_uuid *id = &c->p->fake.collections[test_random(&c->seed) % 10].id;
        akidb_tier to = (akidb_tier)(test_random(&c->seed) % 3);
        akidb_status status = AKIDB_OK;
        switch (test_random(&c->seed) % 6) {
        case 0: status = akidb_tiering_pin(c->tiering, id, &err); break;
        case 1: status = akidb_tiering_unpin(c->tiering, id, &err); break;
        case 2: status = akidb_tiering_promote(c->tiering, id, to, NULL, &err); break;
        case 3: status = akidb_tiering_demote(c->tiering, id, to, NULL, &err); break;
        case 4: metric_of(c->tiering, "\nakidb_tiering_cycles_total "); break;
        default: status = akidb_tiering_run(c->tiering, i % 2 == 0, NULL, &err); break;
        }
        if (status != AKIDB_OK && status != AKIDB_E_VALIDATION && status != AKIDB_E_PRECONDITION &&
            status != AKIDB_E_LIMIT)
            return c;
    }
    return NULL;
}

static void anything_may_run_at_once(void **state)
{
    place *p = *state;
    akidb_error err;
    pthread_t threads[4];
    crowd crowds[4];
    p->options.interval = 1000;
    p->policy.hot_budget = 4000;
    p->policy.warm_budget = 4000;
    akidb_tiering *tiering = start(p);
    for (size_t i = 0; i < 4; i++) {
        crowds[i] = (crowd){p, tiering, i};
        assert_int_equal(pthread_create(&threads[i], NULL,
                                        i < 2 ? access_at_random : command_at_random, &crowds[i]),
                         0);
    }
    for (int i = 0; i < 5; i++) {
        akidb_tiering_stop(tiering);
        assert_ok(err, akidb_tiering_start(tiering, &err));
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
    uint64_t accesses = 0;
    for (size_t i = 0; i < 10; i++)
        accesses += place_status(tiering, i).accesses_total;
    assert_int_equal(accesses, 2 * ROUNDS * 20);
    place_close(tiering);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        place_test(it_runs_now_and_by_the_interval),
        place_test(a_name_forges_no_line_of_the_log),
        place_test(a_cold_access_calls_it_at_once),
        place_test(a_passed_budget_calls_it),
        place_test(a_failed_move_is_told_and_tried_again),
        place_test(a_stop_cancels_a_long_move_and_is_no_failure),
        place_test(only_one_worker_runs),
        place_test(a_run_that_waits_can_be_cancelled),
        place_test(anything_may_run_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
