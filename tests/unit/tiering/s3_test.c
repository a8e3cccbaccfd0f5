/* Tiering with its snapshots in a bucket: the policy decides, the worker moves, and the server
 * stands still for a while. On the tests' own server or, where AKIDB_TEST_S3_ENDPOINT is set, on
 * the server that it names, with the bucket AKIDB_TEST_S3_BUCKET and the keys of the environment;
 * AKIDB_TEST_S3_FOLDER is where its process ids stand, for those that may be stopped. */
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "akidb/s3.h"
#include "real.h"
#include "s3_server.h"

static s3_server server; /* our own; pid 0: it is somebody else's */
static pid_t server_pid; /* 0: unknown */

/* The last that was started is the one that answers; what others it needs were there before. */
static void find_server_pid(void)
{
    const char *folder = getenv("AKIDB_TEST_S3_FOLDER");
    char path[4096];
    long pid = 0;
    snprintf(path, sizeof path, "%s/pids", folder == NULL ? "/nowhere" : folder);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    while (fscanf(file, "%ld", &pid) == 1)
        server_pid = (pid_t)pid;
    fclose(file);
}

static akidb_store *open_bucket(real *r)
{
    akidb_error err;
    akidb_store *store;
    char prefix[64];
    const char *endpoint = getenv("AKIDB_TEST_S3_ENDPOINT"), *bucket = S3_TEST_BUCKET;
    akidb_s3_options options = {.struct_size = sizeof options,
                                .attempts = 2,
                                .connect_timeout_ms = 1000,
                                .stall_timeout_ms = 1000};
    (void)r;
    snprintf(prefix, sizeof prefix, "tiering-%lld-%ld", (long long)time(NULL), (long)getpid());
    server.pid = 0;
    server_pid = 0;
    if (endpoint != NULL && endpoint[0] != '\0') {
        bucket = getenv("AKIDB_TEST_S3_BUCKET");
        assert_non_null(bucket);
        options.endpoint = endpoint;
        find_server_pid();
    } else {
        s3_server_start(&server);
        server_pid = server.pid;
        options.endpoint = server.endpoint;
        options.access_key_id = S3_TEST_KEY;
        options.secret_access_key = S3_TEST_SECRET;
    }
    assert_ok(err, akidb_s3_store_open(bucket, prefix, &options, &store, &err));
    return store;
}

static int setup(void **state)
{
    *state = real_new(open_bucket);
    return *state == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    akidb_status status = real_free(*state);
    if (server.pid != 0)
        s3_server_stop(&server);
    return status == AKIDB_OK ? 0 : -1;
}

/* ---- what the worker did --------------------------------------------------------------------- */

static void pause_a_little(void)
{
    const struct timespec little = {0, 2000000};
    nanosleep(&little, NULL);
}

/* Whether the worker tells, within `tries` times two milliseconds, that it moved this collection
 * so. Moves that are asked for are not in the log. */
static bool is_moved(real *r, size_t collection, const char *how, int tries)
{
    char line[128], id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&r->ids[collection], id);
    snprintf(line, sizeof line, "%s from %s", id, how);
    for (int i = 0; i < tries && !test_log_has(&r->log, line); i++)
        pause_a_little();
    return test_log_has(&r->log, line);
}

static void wait_for_move(real *r, size_t collection, const char *how)
{
    if (!is_moved(r, collection, how, 15000))
        fail_msg("expected a move from %s, found:\n%s", how, r->log.text);
}

/* Until the store has been called by somebody, or for a second: most likely a move is under way. */
static void wait_for_call(real *r, uint64_t before)
{
    for (int i = 0; i < 500 && atomic_load(&r->calls) == before; i++)
        pause_a_little();
}

static akidb_tiering *start(real *r)
{
    akidb_error err;
    r->options.interval = 20000;
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_start(tiering, &err));
    return tiering;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void assert_values(real *r, const float values[DOCUMENTS + 1])
{
    for (uint64_t i = 1; i <= DOCUMENTS; i++)
        assert_document(r, 0, i, values[i]);
}

/* Some documents are written and read while the move is under way, as far as the timing goes. */
static void use(real *r, uint64_t step, float values[DOCUMENTS + 1])
{
    for (uint64_t i = 1; i <= 10; i++) {
        uint64_t number = 20 * step + i;
        values[number] = (float)(100 * step);
        upsert(r, 0, number, 1, values[number]);
        assert_document(r, 0, number, values[number]);
        assert_document(r, 0, DOCUMENTS - i, values[DOCUMENTS - i]);
    }
}

/* The collection in this tier, and no access to it within the last hour; unless the worker moves it
 * at the same time. */
static void bring_to(real *r, akidb_tiering *tiering, akidb_tier tier)
{
    atomic_fetch_add(&r->now, 2 * HOUR);
    if (tier_of(r, 0) < tier)
        (void)!akidb_tiering_demote(tiering, &r->ids[0], tier, NULL, NULL);
    else
        (void)!akidb_tiering_promote(tiering, &r->ids[0], tier, NULL, NULL);
    atomic_fetch_add(&r->now, 2 * HOUR);
}

/* The documents are used while the worker moves their collection. Where it looks only after that,
 * it sees a collection in use and does something else: then once more. */
static void the_worker_moves_by_the_policy_and_every_document_stays(void **state)
{
    static const struct {
        akidb_tier from;
        int64_t later;
        const char *how;
    } steps[] = {
        {AKIDB_TIER_HOT, 6 * HOUR, "hot to warm"}, {AKIDB_TIER_WARM, 7 * DAY, "warm to cold"},
        {AKIDB_TIER_COLD, 0, "cold to warm"},      {AKIDB_TIER_WARM, 0, "warm to hot"},
        {AKIDB_TIER_HOT, 7 * DAY, "hot to cold"},
    };
    real *r = *state;
    float values[DOCUMENTS + 1] = {0};
    akidb_tiering *tiering = start(r);
    for (uint64_t step = 0; step < sizeof steps / sizeof steps[0]; step++) {
        bool is_done = false;
        for (int attempt = 0; attempt < 20 && !is_done; attempt++) {
            bring_to(r, tiering, steps[step].from);
            uint64_t before = atomic_load(&r->calls);
            atomic_fetch_add(&r->now, steps[step].later);
            if (steps[step].later > 0)
                wait_for_call(r, before);
            use(r, step, values);
            is_done = is_moved(r, 0, steps[step].how, 1500);
            assert_values(r, values);
        }
        if (!is_done)
            fail_msg("expected a move from %s, found:\n%s", steps[step].how, r->log.text);
    }
    place_close(tiering);
    for (size_t i = 1; i < 3; i++)
        for (uint64_t number = 1; number <= DOCUMENTS; number++)
            assert_document(r, i, number, (float)i);
    assert_values(r, values);
}

static void while_the_server_stands_still_only_cold_reads_fail_and_demotions_wait(void **state)
{
    real *r = *state;
    akidb_error err;
    if (server_pid == 0)
        skip();
    r->policy.promote_cold = AKIDB_OFF;
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[1], AKIDB_TIER_WARM, NULL, &err));
    place_close(tiering);
    assert_ok(err, akidb_storage_close(r->storage, &err));
    open_storage(r); /* nothing of the cold one is in the cache */
    assert_int_equal(kill(server_pid, SIGSTOP), 0);
    akidb_status status = try_to_get(r, 0, 3, &err);
    assert_true(status == AKIDB_E_STORE || status == AKIDB_E_TIMEOUT);
    assert_true(strlen(err.message) > 0);
    assert_document(r, 1, 3, 1);
    assert_document(r, 2, 3, 2);
    upsert(r, 1, 4, 1, 70);
    upsert(r, 2, 4, 1, 80);

    tiering = start(r);
    atomic_fetch_add(&r->now, 8 * DAY);
    for (int i = 0; i < 15000 && !test_log_has(&r->log, "failed, next try"); i++)
        pause_a_little();
    assert_true(test_log_has(&r->log, "failed, next try"));
    assert_document(r, 1, 4, 70);
    assert_document(r, 2, 4, 80);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_WARM);
    assert_int_equal(tier_of(r, 2), AKIDB_TIER_HOT);

    assert_int_equal(kill(server_pid, SIGCONT), 0);
    atomic_fetch_add(&r->now, 9 * DAY);
    wait_for_move(r, 1, "warm to cold");
    wait_for_move(r, 2, "hot to cold");
    assert_document(r, 0, 3, 0);
    assert_document(r, 1, 4, 70);
    assert_document(r, 2, 4, 80);
    place_close(tiering);
}

#define bucket_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bucket_test(the_worker_moves_by_the_policy_and_every_document_stays),
        bucket_test(while_the_server_stands_still_only_cold_reads_fail_and_demotions_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
