#include "net/retry.h"

#include "test.h"

static const ak_retry_policy policy = {
    .attempts = 5, .base_ms = 100, .cap_ms = 1000, .total_ms = 60000};

static void waits_are_random_up_to_a_limit_that_doubles(void **state)
{
    (void)state;
    static const uint32_t limits[] = {100, 200, 400, 800};
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint64_t random = seed;
        ak_retry_budget budget = {AK_RETRY_TOKENS};
        ak_retry retry = ak_retry_begin(&policy, 0);
        for (size_t i = 0; i < 4; i++) {
            uint32_t delay;
            assert_true(ak_retry_again(&retry, &budget, 0, 0, test_random(&random), &delay));
            assert_true(delay <= limits[i]);
        }
    }
    /* Both ends are reached. */
    ak_retry_budget budget = {AK_RETRY_TOKENS};
    ak_retry retry = ak_retry_begin(&policy, 0);
    uint32_t delay;
    assert_true(ak_retry_again(&retry, &budget, 0, 0, 0, &delay));
    assert_int_equal(delay, 0);
    assert_true(ak_retry_again(&retry, &budget, 0, 0, 200, &delay));
    assert_int_equal(delay, 200);
}

static void the_limit_is_capped(void **state)
{
    (void)state;
    const ak_retry_policy many = {100, 100, 1000, 1000000};
    ak_retry_budget budget = {AK_RETRY_TOKENS};
    ak_retry retry = ak_retry_begin(&many, 0);
    uint32_t delay;
    for (int i = 0; i < 90; i++)
        assert_true(ak_retry_again(&retry, &budget, 0, 0, 1000, &delay));
    assert_int_equal(delay, 1000);
}

static void the_attempts_count_the_first(void **state)
{
    (void)state;
    ak_retry_budget budget = {AK_RETRY_TOKENS};
    ak_retry retry = ak_retry_begin(&policy, 0);
    uint32_t delay;
    for (int i = 0; i < 4; i++)
        assert_true(ak_retry_again(&retry, &budget, 0, 0, 1, &delay));
    assert_false(ak_retry_again(&retry, &budget, 0, 0, 1, &delay));
    assert_int_equal(delay, 0);
}

static void no_try_begins_after_the_total_time(void **state)
{
    (void)state;
    ak_retry_budget budget = {AK_RETRY_TOKENS};
    uint32_t delay;
    ak_retry retry = ak_retry_begin(&policy, 1000);
    assert_true(ak_retry_again(&retry, &budget, 1000 + 60000, 0, 0, &delay));
    retry = ak_retry_begin(&policy, 1000);
    assert_false(ak_retry_again(&retry, &budget, 1000 + 60000, 0, 1, &delay));
    retry = ak_retry_begin(&policy, 1000);
    assert_false(ak_retry_again(&retry, &budget, 999, 0, 1, &delay)); /* a clock that went back */
}

static void what_the_server_asks_for_is_waited_at_least(void **state)
{
    (void)state;
    ak_retry_budget budget = {AK_RETRY_TOKENS};
    uint32_t delay;
    ak_retry retry = ak_retry_begin(&policy, 0);
    assert_true(ak_retry_again(&retry, &budget, 0, 5000, 7, &delay));
    assert_int_equal(delay, 5000);
    retry = ak_retry_begin(&policy, 0);
    assert_false(ak_retry_again(&retry, &budget, 0, 60001, 7, &delay)); /* too long for us */
}

/* Answers how many of 2,000 requests were given up when each try fails with that probability. */
static unsigned given_up(unsigned percent)
{
    const ak_retry_policy patient = {20, 1, 1, 1000000};
    ak_retry_budget budget = {AK_RETRY_TOKENS};
    uint64_t random = 5;
    unsigned count = 0;
    for (int i = 0; i < 2000; i++) {
        ak_retry retry = ak_retry_begin(&patient, 0);
        uint32_t delay;
        bool again = true;
        while (again && test_random(&random) % 100 < percent)
            again = ak_retry_again(&retry, &budget, 0, 0, 0, &delay);
        if (again)
            ak_retry_succeeded(&retry, &budget);
        else
            count++;
        assert_true(budget.tokens <= AK_RETRY_TOKENS);
    }
    return count;
}

static void the_budget_lasts_for_trouble_and_not_for_an_outage(void **state)
{
    (void)state;
    assert_int_equal(given_up(10), 0);
    assert_int_equal(given_up(30), 0);
    assert_true(given_up(100) == 2000);
    ak_retry_budget budget = {AK_RETRY_TOKENS};
    unsigned tries = 0;
    for (int i = 0; i < 1000; i++) { /* an outage: each request is tried once, and hardly again */
        ak_retry retry = ak_retry_begin(&policy, 0);
        uint32_t delay;
        while (ak_retry_again(&retry, &budget, 0, 0, 0, &delay))
            tries++;
    }
    assert_int_equal(tries, AK_RETRY_TOKENS / AK_RETRY_COST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_are_random_up_to_a_limit_that_doubles),
        cmocka_unit_test(the_limit_is_capped),
        cmocka_unit_test(the_attempts_count_the_first),
        cmocka_unit_test(no_try_begins_after_the_total_time),
        cmocka_unit_test(what_the_server_asks_for_is_waited_at_least),
        cmocka_unit_test(the_budget_lasts_for_trouble_and_not_for_an_outage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
