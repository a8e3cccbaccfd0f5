/* A process that is killed at any moment: what it had said was done is there, what it was doing is
 * there as a whole or not at all, and nothing else is. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { ROUNDS = 20, ROWS = 5, LONGEST_MS = 120 };

static const akidb_uuid books = {{1}};

/* Step n inserts batch n; every fifth then deletes the batch three before; every eleventh flushes
 * first. It says n when the step is done. */
static bool deletes(uint64_t step)
{
    return step % 5 == 4;
}

static void do_step(akidb_storage *storage, uint64_t step)
{
    akidb_error err;
    if (step % 11 == 10)
        (void)test_flush(storage, &books);
    test_upsert(storage, &books, step * ROWS, ROWS, step + 1);
    akidb_uuid ids[ROWS];
    for (uint64_t i = 0; i < ROWS; i++)
        ids[i] = test_id((step - 3) * ROWS + i);
    if (deletes(step))
        assert_ok(err, akidb_storage_delete(storage, &books, ids, ROWS, NULL, &err));
}

static void child(const akidb_storage_options *options, uint64_t step, int to)
{
    akidb_storage *storage = test_open(options, NULL);
    for (;; step++) {
        do_step(storage, step);
        if (write(to, &step, sizeof step) != sizeof step)
            _exit(1);
    }
}

static uint64_t run_and_kill(const akidb_storage_options *options, uint64_t next, uint64_t *seed)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        child(options, next, ends[1]);
    }
    close(ends[1]);
    usleep((useconds_t)(test_random(seed) % LONGEST_MS) * 1000);
    kill(pid, SIGKILL);
    uint64_t step;
    while (read(ends[0], &step, sizeof step) == sizeof step) {
        assert_int_equal(step, next);
        next++;
    }
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status)); /* it did not fail by itself */
    return next;
}

/* Whether the documents of a batch are all there or all not. */
static bool has_batch(akidb_storage *storage, uint64_t step)
{
    akidb_error err;
    akidb_documents *documents;
    size_t found;
    akidb_uuid id = test_id(step * ROWS);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_storage_get(storage, &books, &id, 1, documents, &found, &err));
    akidb_documents_free(documents);
    for (uint64_t i = 0; i < ROWS; i++)
        assert_has(storage, &books, step * ROWS + i, found == 1 ? step + 1 : 0);
    return found == 1;
}

/* `next` steps were acknowledged; returns the step to go on with. */
static uint64_t check(const akidb_storage_options *options, uint64_t next)
{
    akidb_storage *storage = test_open(options, NULL);
    uint64_t batches = 0;
    for (uint64_t step = 0; step < next; step++) {
        bool there = has_batch(storage, step), deleted = step % 5 == 1 && step + 3 < next;
        bool may_be_deleted = step % 5 == 1 && step + 3 == next;
        assert_true(there == !deleted || (may_be_deleted && !there));
        batches += there;
    }
    bool begun = has_batch(storage, next);
    assert_count(storage, &books, (batches + begun) * ROWS);
    if (begun && deletes(next)) /* finish what the killed one was at */
        do_step(storage, next);
    test_close(storage);
    return begun ? next + 1 : next;
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_close(storage);
    uint64_t next = 0, seed = 5;
    for (int round = 0; round < ROUNDS; round++) {
        options.durability = (akidb_durability)(round % 3);
        next = run_and_kill(&options, next, &seed);
        next = check(&options, next);
    }
    assert_true(next > ROUNDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(what_was_acknowledged_survives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
