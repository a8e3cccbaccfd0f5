/* The tiers with their snapshots in a bucket: on the tests' own server or, where
 * AKIDB_TEST_S3_ENDPOINT is set, on the server that it names, with the bucket AKIDB_TEST_S3_BUCKET
 * and the keys of the environment; and on a local disk. */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "akidb/s3.h"
#include "s3_server.h"
#include "tiers_support.h"

typedef struct place {
    s3_server server;
    bool own; /* the server is ours */
    akidb_store *store;
} place;

/* Whether the server is somebody else's. */
static bool is_real(void)
{
    const char *endpoint = getenv("AKIDB_TEST_S3_ENDPOINT");
    return endpoint != NULL && endpoint[0] != '\0';
}

static place open_place(void)
{
    akidb_error err;
    place p = {0};
    char prefix[64];
    const char *endpoint = getenv("AKIDB_TEST_S3_ENDPOINT"), *bucket = S3_TEST_BUCKET;
    akidb_s3_options options = {
        .struct_size = sizeof options, .attempts = 2, .connect_timeout_ms = 2000};
    snprintf(prefix, sizeof prefix, "tiers-%lld-%ld", (long long)time(NULL), (long)getpid());
    p.own = !is_real();
    if (p.own) {
        s3_server_start(&p.server);
        options.endpoint = p.server.endpoint;
        options.access_key_id = S3_TEST_KEY;
        options.secret_access_key = S3_TEST_SECRET;
    } else {
        bucket = getenv("AKIDB_TEST_S3_BUCKET");
        assert_non_null(bucket);
        options.endpoint = endpoint;
    }
    assert_ok(err, akidb_s3_store_open(bucket, prefix, &options, &p.store, &err));
    return p;
}

static void move_everywhere(world *w)
{
    static const akidb_tier path[] = {AKIDB_TIER_WARM, AKIDB_TIER_COLD, AKIDB_TIER_WARM,
                                      AKIDB_TIER_HOT,  AKIDB_TIER_COLD, AKIDB_TIER_HOT};
    world_upsert(w, 0, 200, 1);
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++) {
        world_move(w, path[i]);
        assert_world(w);
        world_upsert(w, i * 20, 30, 2 + i);
        world_delete(w, i * 31, 10);
        assert_world(w);
        if (i % 2 == 0)
            (void)test_flush(w->storage, &books);
        else
            world_reopen(w);
        assert_world(w);
    }
}

static void every_tier_works_with_a_bucket(void **state)
{
    place p = open_place();
    world *w = world_new_on(*state, p.store);
    move_everywhere(w);
    world_free(w);
    if (p.own)
        s3_server_stop(&p.server);
}

static void every_tier_works_with_a_folder(void **state)
{
    akidb_error err;
    akidb_store *store;
    char folder[TEST_FOLDER_SIZE + 8];
    snprintf(folder, sizeof folder, "%s/store", (const char *)*state);
    assert_ok(err, akidb_store_local_open(folder, &store, &err));
    world *w = world_new_on(*state, store);
    move_everywhere(w);
    world_free(w);
}

/* Nobody listens any more. */
static void a_server_that_is_gone_fails_a_cold_read_and_no_other(void **state)
{
    akidb_error err;
    akidb_documents *documents;
    akidb_uuid id = test_id(1);
    if (is_real())
        skip();
    place p = open_place();
    world *w = world_new_on(*state, p.store);
    world_upsert(w, 0, 100, 1);
    world_move(w, AKIDB_TIER_COLD);
    world_reopen(w);
    s3_server_stop(&p.server);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    akidb_status status = akidb_storage_get(w->storage, &books, &id, 1, documents, NULL, &err);
    assert_true(status == AKIDB_E_STORE || status == AKIDB_E_TIMEOUT);
    akidb_documents_free(documents);
    world_upsert(w, 0, WORLD_DOCUMENTS, 2);
    assert_gets(w); /* all lie in memory */
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(every_tier_works_with_a_folder),
        storage_test(every_tier_works_with_a_bucket),
        storage_test(a_server_that_is_gone_fails_a_cold_read_and_no_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
