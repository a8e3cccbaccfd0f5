/* Whole snapshots, created and restored by several threads while 30 % of all requests fail at
 * random: nothing that was acknowledged is lost, no byte is wrong, no upload stays.
 *
 * On the tests' own server or, where AKIDB_TEST_S3_ENDPOINT is set, on what it names: that should
 * be proxy.py before a real server, with the bucket AKIDB_TEST_S3_BUCKET and the keys of the
 * environment. AKIDB_TEST_S3_CYCLES is the number of cycles. */
#include <pthread.h>
#include <time.h>

#include "../unit/snapshot/support.h"
#include "akidb/s3.h"
#include "s3_server.h"

enum { WORKERS = 8, CYCLES = 200, ROWS = 60, DIMENSION = 32, TRIES = 20 };

typedef struct worker {
    pthread_t thread;
    akidb_snapshotter *snapshotter;
    akidb_uuid collection;
    size_t cycles;
    uint64_t seed;
    size_t kept;        /* snapshots that were created and not deleted */
    size_t told_damage; /* restores that noticed a damaged answer and were made again */
    char problem[1500]; /* "": none */
} worker;

static bool fails(worker *w, akidb_status status, const akidb_error *err, const char *what)
{
    if (status != AKIDB_OK)
        snprintf(w->problem, sizeof w->problem, "%s: %s", what, err->message);
    return status != AKIDB_OK;
}

static bool same_batch(const akidb_documents *a, const akidb_documents *b)
{
    akidb_batch left = akidb_documents_batch(a), right = akidb_documents_batch(b);
    return left.rows == right.rows && left.dimension == right.dimension &&
           memcmp(left.document_ids, right.document_ids, left.rows * sizeof(akidb_uuid)) == 0 &&
           memcmp(left.vectors, right.vectors, left.rows * left.dimension * sizeof(float)) == 0 &&
           memcmp(left.inserted_at, right.inserted_at, left.rows * sizeof(int64_t)) == 0;
}

static void restore_and_compare(worker *w, const akidb_uuid *id, const akidb_documents *expected)
{
    akidb_error err = {0};
    akidb_documents *found = NULL;
    akidb_status status = AKIDB_E_CORRUPTION;
    /* A damaged answer to a ranged GET is noticed by the snapshot's own checksums. */
    for (int i = 0; i < TRIES && status == AKIDB_E_CORRUPTION; i++) {
        status = akidb_snapshot_restore(w->snapshotter, &w->collection, id, NULL, &found, &err);
        w->told_damage += status == AKIDB_E_CORRUPTION;
    }
    if (fails(w, status, &err, "restore"))
        return;
    if (!same_batch(expected, found))
        snprintf(w->problem, sizeof w->problem, "restored other bytes than were stored");
    akidb_documents_free(found);
}

static void cycle(worker *w, size_t number, const akidb_documents *documents)
{
    akidb_error err = {0};
    akidb_uuid id;
    akidb_batch batch = akidb_documents_batch(documents);
    if (fails(w,
              akidb_snapshot_create(w->snapshotter, &w->collection, &batch, NULL, &id, NULL, &err),
              &err, "create"))
        return;
    restore_and_compare(w, &id, documents);
    if (w->problem[0] != '\0')
        return;
    if (number % 2 == 0)
        w->kept++;
    else
        fails(w, akidb_snapshot_delete(w->snapshotter, &w->collection, &id, &err), &err, "delete");
}

static void *work(void *context)
{
    worker *w = context;
    akidb_documents *documents = test_documents(w->seed, ROWS, DIMENSION);
    for (size_t i = 0; i < w->cycles && w->problem[0] == '\0'; i++)
        cycle(w, i, documents);
    akidb_documents_free(documents);
    return NULL;
}

static void assert_all_are_there(const worker *w)
{
    akidb_error err;
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(w->snapshotter, &w->collection, &list, &err));
    assert_int_equal(list.count, w->kept);
    for (size_t i = 0; i < list.count; i++)
        assert_non_null(list.entries[i].metadata);
    akidb_snapshot_list_free(&list);
}

static void run_workers(worker workers[WORKERS], akidb_snapshotter *snapshotter)
{
    const char *wanted = getenv("AKIDB_TEST_S3_CYCLES");
    size_t cycles = wanted == NULL ? CYCLES : (size_t)strtoul(wanted, NULL, 10);
    uint64_t seed = (uint64_t)time(NULL); /* of names only, in a bucket that may not be empty */
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i] = (worker){.snapshotter = snapshotter,
                              .seed = i + 1,
                              .collection = test_uuid(test_random(&seed)),
                              .cycles = (cycles + WORKERS - 1) / WORKERS};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
}

static void run_cycles(const char *bucket, akidb_s3_options options)
{
    akidb_error err;
    akidb_store *store;
    worker *workers = calloc(WORKERS, sizeof *workers);
    assert_non_null(workers);
    options.struct_size = sizeof options;
    options.attempts = 20;
    options.single_put_bytes = 4000; /* so that parts are uploads, and metadata one PUT */
    options.stall_timeout_ms = 5000;
    assert_ok(err, akidb_s3_store_open(bucket, "cycles", &options, &store, &err));
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    run_workers(workers, snapshotter);
    size_t told = 0;
    for (size_t i = 0; i < WORKERS; i++) {
        if (workers[i].problem[0] != '\0')
            fail_msg("%s", workers[i].problem);
        assert_all_are_there(&workers[i]);
        told += workers[i].told_damage;
    }
    printf("%zu restores met a damaged answer and were made again\n", told);
    uint64_t count, bytes;
    assert_ok(err,
              akidb_store_remove_leftovers(store, AKIDB_TIME_MAX, false, &count, &bytes, &err));
    printf("%llu uploads were left where the answer to their creation was lost\n",
           (unsigned long long)count);
    assert_ok(err, akidb_store_remove_leftovers(store, AKIDB_TIME_MAX, true, &count, &bytes, &err));
    assert_int_equal(count, 0);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    free(workers);
}

static void nothing_is_lost_while_a_third_of_all_requests_fails(void **state)
{
    (void)state;
    const char *endpoint = getenv("AKIDB_TEST_S3_ENDPOINT");
    const char *bucket = getenv("AKIDB_TEST_S3_BUCKET");
    if (endpoint != NULL && endpoint[0] != '\0') {
        assert_non_null(bucket);
        run_cycles(bucket, (akidb_s3_options){.endpoint = endpoint});
        return;
    }
    s3_server server;
    s3_server_start(&server);
    s3_server_tell(&server, "{\"random\": {\"rate\": 0.3, \"seed\": 7}}");
    run_cycles(S3_TEST_BUCKET, (akidb_s3_options){.endpoint = server.endpoint,
                                                  .access_key_id = S3_TEST_KEY,
                                                  .secret_access_key = S3_TEST_SECRET});
    assert_int_equal(s3_server_uploads(&server), 0);
    s3_server_stop(&server);
}

/* How many requests the store has sent, which is what has come to the server. */
static uint64_t count_requests(akidb_store *store, s3_server *server)
{
    static uint64_t before;
    akidb_store_statistics statistics;
    uint64_t all = 0;
    akidb_store_get_statistics(store, &statistics);
    for (int kind = 0; kind < AKIDB_REQUEST_KIND_COUNT; kind++)
        all += statistics.requests[kind];
    uint64_t fresh = all - before;
    before = all;
    assert_int_equal(fresh, s3_server_requests(server));
    assert_int_equal(statistics.failed, 0);
    return fresh;
}

/* Counts of a snapshot of 10,000 x 512, made by a key that may put and restored by one that may
 * get.
 */
static void few_requests_and_few_rights_are_enough(void **state)
{
    (void)state;
    s3_server server;
    akidb_error err;
    akidb_store *store;
    s3_server_start(&server);
    const akidb_s3_options options = {.struct_size = sizeof options,
                                      .endpoint = server.endpoint,
                                      .access_key_id = S3_TEST_KEY,
                                      .secret_access_key = S3_TEST_SECRET};
    assert_ok(err, akidb_s3_store_open(S3_TEST_BUCKET, "", &options, &store, &err));
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 10000, 512);
    const akidb_uuid collection = test_uuid(1);
    s3_server_tell(&server, "{\"allow\": {\"testkey\": [\"s3:PutObject\"]}}");
    const akidb_uuid id = test_create(snapshotter, &collection, documents);
    assert_true(count_requests(store, &server) <= 3);
    s3_server_reset(&server);
    s3_server_tell(&server, "{\"allow\": {\"testkey\": [\"s3:GetObject\"]}}");
    assert_restores(snapshotter, &collection, &id, documents);
    assert_true(count_requests(store, &server) <= 4);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    s3_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_while_a_third_of_all_requests_fails),
        cmocka_unit_test(few_requests_and_few_rights_are_enough),
    };
    return cmocka_run_group_tests_name("s3 cycles", tests, NULL, NULL);
}
