/*
 * Every allocation of a tiering fails once: of an open with a state file, of accesses, a cycle,
 * pins and orders. Whatever fails is "out of memory", a pin is there if and only if its call
 * succeeded, the tiering goes on, and (by the sanitizer) nothing leaks.
 */
#include "failing_allocator.h"

#include "../unit/tiering/support.h"

enum { MANY = 10000 };

typedef struct walk {
    place *p;
    akidb_tiering *tiering;
    bool pinned[10];
} walk;

static akidb_status step_open(walk *w, akidb_error *err)
{
    return ak_tiering_open_on(fake_backend(&w->p->fake), &w->p->options, &w->tiering, err);
}

/* Of a collection that the tiering does not know yet, too. What is not recorded is no failure. */
static akidb_status step_access(walk *w, akidb_error *err)
{
    (void)err;
    for (size_t i = 0; i < 10; i++)
        fake_access(&w->p->fake, i, AKIDB_ACCESS_UPSERT);
    w->p->fake.collections[9].gone = false;
    fake_access(&w->p->fake, 9, AKIDB_ACCESS_GET);
    return AKIDB_OK;
}

static akidb_status step_run(walk *w, akidb_error *err)
{
    akidb_tier_report report;
    atomic_fetch_add(&w->p->fake.now, 8 * DAY);
    akidb_status status = akidb_tiering_run(w->tiering, false, &report, err);
    akidb_tier_report_free(&report);
    return status;
}

static akidb_status step_pin(walk *w, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < 4 && status == AKIDB_OK; i++) {
        status = akidb_tiering_pin(w->tiering, &w->p->fake.collections[i].id, err);
        w->pinned[i] |= status == AKIDB_OK;
    }
    if (status == AKIDB_OK)
        status = akidb_tiering_unpin(w->tiering, &w->p->fake.collections[0].id, err);
    w->pinned[0] &= status != AKIDB_OK;
    return status;
}

static akidb_status step_order(walk *w, akidb_error *err)
{
    const akidb_uuid *id = &w->p->fake.collections[5].id;
    akidb_status status = akidb_tiering_promote(w->tiering, id, AKIDB_TIER_HOT, NULL, err);
    return status != AKIDB_OK ? status
                              : akidb_tiering_demote(w->tiering, id, AKIDB_TIER_COLD, NULL, err);
}

static akidb_status step_tell(walk *w, akidb_error *err)
{
    akidb_tier_status *all;
    size_t count;
    akidb_buffer text;
    akidb_status status = akidb_tiering_status(w->tiering, &all, &count, err);
    free(all);
    if (status == AKIDB_OK)
        status = akidb_tiering_metrics(w->tiering, &text, err);
    if (status == AKIDB_OK)
        akidb_buffer_free(&text);
    return status;
}

static akidb_status step_close(walk *w, akidb_error *err)
{
    akidb_tiering *tiering = w->tiering;
    w->tiering = NULL;
    return akidb_tiering_close(tiering, err);
}

typedef akidb_status walk_step(walk *w, akidb_error *err);

static walk_step *const steps[] = {
    step_open,  step_access, step_run, step_pin,   step_order, step_tell,
    step_close, step_open,   step_run, step_order, step_close,
};
enum { STEPS = sizeof steps / sizeof steps[0] };

static void assert_pins(walk *w)
{
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(place_status(w->tiering, i).pinned, w->pinned[i]);
}

/* False when the allocation to fail was never reached. */
static bool walk_with_failure(walk *w, long nth)
{
    akidb_error err = {0};
    size_t at = 0;
    akidb_status status = AKIDB_OK;
    failing_allocator_arm(nth);
    for (; at < STEPS && status == AKIDB_OK; at++)
        status = steps[at](w, &err);
    bool reached = failing_allocator_disarm();
    if (status != AKIDB_OK && status != AKIDB_E_OUT_OF_MEMORY)
        fail_msg("allocation %ld, step %zu: expected \"out of memory\", found \"%s\": %s", nth,
                 at - 1, akidb_status_name(status), err.message);
    assert_true(status == AKIDB_OK || reached);
    w->p->fake.collections[9].gone = false;
    if (w->tiering != NULL) {
        assert_pins(w);
        assert_ok(err, step_tell(w, &err));
        assert_ok(err, step_run(w, &err));
        assert_ok(err, step_close(w, &err));
    }
    assert_ok(err, step_open(w, &err));
    assert_pins(w);
    assert_ok(err, step_close(w, &err));
    return reached;
}

static void every_failed_allocation_of_a_tiering_is_clean(void **state)
{
    long nth = 1;
    (void)state;
    for (bool reached = true; reached && nth < MANY; nth++) {
        void *made = NULL;
        assert_int_equal(place_setup(&made), 0);
        walk w = {.p = made};
        w.p->fake.collections[9].gone = true;
        w.p->policy.warm_budget = BUDGET;
        w.p->policy.hot_budget = BUDGET;
        reached = walk_with_failure(&w, nth);
        assert_int_equal(place_teardown(&made), 0);
    }
    print_message("%ld allocations failed in turn\n", nth - 2);
    assert_true(nth > 50 && nth < MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_of_a_tiering_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
