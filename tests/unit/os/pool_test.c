#include "os/pool.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "test.h"

static const size_t pool_sizes[] = {1, 2, 3, 8};
#define EACH_POOL(i) (size_t i = 0; i < sizeof pool_sizes / sizeof pool_sizes[0]; i++)

typedef struct job {
    ak_task task;
    ak_pool *pool;
    size_t number;
    size_t answer;
} job;

static akidb_status square(void *context, akidb_error *err)
{
    (void)err;
    job *j = context;
    j->answer = j->number * j->number;
    return AKIDB_OK;
}

static akidb_status refuse(void *context, akidb_error *err)
{
    job *j = context;
    return ak_fail(err, AKIDB_E_VALIDATION, "job %zu refuses", j->number);
}

static void a_pipeline_keeps_its_order(void **state)
{
    (void)state;
    akidb_error err = {0};
    for
        EACH_POOL(p)
        {
            ak_pool *pool;
            assert_ok(err, ak_pool_new(pool_sizes[p], &pool, &err));
            assert_int_equal(ak_pool_threads(pool), pool_sizes[p]);
            enum { SLOTS = 4, JOBS = 500 };
            job *jobs = calloc(SLOTS, sizeof *jobs);
            for (size_t n = 0; n < JOBS + SLOTS; n++) {
                job *j = &jobs[n % SLOTS];
                assert_ok(err, ak_pool_wait(pool, &j->task, &err));
                if (n >= SLOTS)
                    assert_int_equal(j->answer, (n - SLOTS) * (n - SLOTS));
                j->number = n;
                if (n < JOBS)
                    ak_pool_submit(pool, &j->task, square, j);
            }
            free(jobs);
            ak_pool_free(pool);
        }
}

static void a_wait_hands_over_status_and_error(void **state)
{
    (void)state;
    for
        EACH_POOL(p)
        {
            ak_pool *pool;
            akidb_error err = {0};
            assert_ok(err, ak_pool_new(pool_sizes[p], &pool, &err));
            job *j = calloc(1, sizeof *j);
            j->number = 7;
            ak_pool_submit(pool, &j->task, refuse, j);
            for (int times = 0; times < 2; times++) {
                err = (akidb_error){0};
                assert_status(AKIDB_E_VALIDATION, ak_pool_wait(pool, &j->task, &err));
                assert_int_equal(err.status, AKIDB_E_VALIDATION);
                assert_string_equal(err.message, "job 7 refuses");
            }
            assert_status(AKIDB_E_VALIDATION, ak_pool_wait(pool, &j->task, NULL));
            free(j);
            ak_pool_free(pool);
        }
}

/* Each level waits for the one below it: with fewer threads than levels this ends only because a
 * waiting thread runs what nobody has begun. */
static akidb_status nest(void *context, akidb_error *err)
{
    job *j = context;
    if (j->number == 0) {
        j->answer = 1;
        return AKIDB_OK;
    }
    job *below = calloc(1, sizeof *below);
    if (below == NULL)
        return ak_fail_memory(err, sizeof *below);
    *below = (job){.pool = j->pool, .number = j->number - 1};
    ak_pool_submit(j->pool, &below->task, nest, below);
    akidb_status status = ak_pool_wait(j->pool, &below->task, err);
    j->answer = below->answer + 1;
    free(below);
    return status;
}

static void tasks_may_wait_for_tasks(void **state)
{
    (void)state;
    akidb_error err = {0};
    for
        EACH_POOL(p)
        {
            ak_pool *pool;
            assert_ok(err, ak_pool_new(pool_sizes[p], &pool, &err));
            job *j = calloc(1, sizeof *j);
            *j = (job){.pool = pool, .number = 20};
            ak_pool_submit(pool, &j->task, nest, j);
            assert_ok(err, ak_pool_wait(pool, &j->task, &err));
            assert_int_equal(j->answer, 21);
            free(j);
            ak_pool_free(pool);
        }
}

typedef struct counts {
    uint8_t calls[1000]; /* each index has its own byte: no lock */
    size_t fail_from;    /* indices at and above fail */
} counts;

static akidb_status count_index(void *context, size_t index, akidb_error *err)
{
    counts *c = context;
    c->calls[index]++;
    if (index >= c->fail_from)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT("thing", index), "broken");
    return AKIDB_OK;
}

static void a_loop_calls_each_index_once(void **state)
{
    (void)state;
    akidb_error err = {0};
    for
        EACH_POOL(p)
        {
            ak_pool *pool;
            assert_ok(err, ak_pool_new(pool_sizes[p], &pool, &err));
            for (size_t count = 0; count <= 1000; count = count < 10 ? count + 1 : count * 10) {
                counts c = {.fail_from = SIZE_MAX};
                assert_ok(err, ak_pool_run_indexed(pool, count, count_index, &c, &err));
                for (size_t i = 0; i < sizeof c.calls; i++)
                    assert_int_equal(c.calls[i], i < count ? 1 : 0);
            }
            ak_pool_free(pool);
        }
    counts c = {.fail_from = SIZE_MAX};
    assert_ok(err, ak_pool_run_indexed(NULL, 1000, count_index, &c, &err));
    assert_int_equal(c.calls[999], 1);
}

static void a_loop_tells_its_smallest_failure(void **state)
{
    (void)state;
    for
        EACH_POOL(p)
        {
            ak_pool *pool;
            akidb_error err = {0};
            assert_ok(err, ak_pool_new(pool_sizes[p], &pool, &err));
            for (size_t round = 0; round < 50; round++) {
                counts c = {.fail_from = round * 19};
                err = (akidb_error){0};
                assert_status(AKIDB_E_CORRUPTION,
                              ak_pool_run_indexed(pool, 1000, count_index, &c, &err));
                assert_int_equal(err.offset, round * 19);
                for (size_t i = 0; i <= c.fail_from; i++)
                    assert_int_equal(c.calls[i], 1);
                /* Each thread may have begun one index before it saw the failure. */
                for (size_t i = c.fail_from + pool_sizes[p]; i < 1000; i++)
                    assert_int_equal(c.calls[i], 0);
            }
            ak_pool_free(pool);
        }
}

static akidb_status loop_in_a_task(void *context, akidb_error *err)
{
    job *j = context;
    counts c = {.fail_from = SIZE_MAX};
    akidb_status status = ak_pool_run_indexed(j->pool, 100, count_index, &c, err);
    for (size_t i = 0; i < 100; i++)
        j->answer += c.calls[i];
    return status;
}

static void loops_may_run_within_tasks(void **state)
{
    (void)state;
    akidb_error err = {0};
    for
        EACH_POOL(p)
        {
            ak_pool *pool;
            assert_ok(err, ak_pool_new(pool_sizes[p], &pool, &err));
            job *jobs = calloc(20, sizeof *jobs);
            for (size_t i = 0; i < 20; i++) {
                jobs[i].pool = pool;
                ak_pool_submit(pool, &jobs[i].task, loop_in_a_task, &jobs[i]);
            }
            for (size_t i = 20; i-- > 0;) {
                assert_ok(err, ak_pool_wait(pool, &jobs[i].task, &err));
                assert_int_equal(jobs[i].answer, 100);
            }
            free(jobs);
            ak_pool_free(pool);
        }
}

static void the_number_of_threads_is_bounded(void **state)
{
    (void)state;
    assert_true(ak_pool_threads_for(0) >= 1);
    assert_true(ak_pool_threads_for(0) <= AK_POOL_THREADS_MAX);
    assert_int_equal(ak_pool_threads_for(5), 5);
    assert_int_equal(ak_pool_threads_for(SIZE_MAX), AK_POOL_THREADS_MAX);
    ak_pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipeline_keeps_its_order),
        cmocka_unit_test(a_wait_hands_over_status_and_error),
        cmocka_unit_test(tasks_may_wait_for_tasks),
        cmocka_unit_test(a_loop_calls_each_index_once),
        cmocka_unit_test(a_loop_tells_its_smallest_failure),
        cmocka_unit_test(loops_may_run_within_tasks),
        cmocka_unit_test(the_number_of_threads_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
