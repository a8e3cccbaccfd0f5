/* Fifty collections of one storage with its snapshots on S3: written, flushed, restored, dropped
 * and created by several threads, whose process is killed again and again. Each has just its own
 * documents afterwards.
 *
 * On the tests' own server or, where AKIDB_TEST_S3_ENDPOINT is set, on the server that it names,
 * with the bucket AKIDB_TEST_S3_BUCKET and the keys of the environment. AKIDB_TEST_S3_KILLS is how
 * often it is killed. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "akidb/s3.h"
#include "s3_server.h"
#include "storage_killer.h"

#include "../unit/storage/support.h"

enum { COLLECTIONS = 50, THREADS = 4, KILLS = 10 };

typedef struct place {
    const char *folder, *bucket;
    char prefix[64];
    akidb_s3_options s3;
} place;

static akidb_storage_options options_in(const place *p)
{
    akidb_storage_options options = test_options(p->folder);
    options.durability = AKIDB_DURABLE_INTERVAL;
    return options;
}

static akidb_storage *open_to_be_killed(void *context, akidb_error *err)
{
    place *p = context;
    akidb_storage_options options = options_in(p);
    options.flush_wal_bytes = 4 << 20; /* so that it flushes by itself as well */
    akidb_storage *storage = NULL;
    if (akidb_s3_store_open(p->bucket, p->prefix, &p->s3, &options.store, err) != AKIDB_OK)
        return NULL;
    return akidb_storage_open(&options, &storage, NULL, err) == AKIDB_OK ? storage : NULL;
}

static void check(story_watch *w, place *p)
{
    akidb_error err;
    akidb_storage_options options = options_in(p);
    assert_ok(err, akidb_s3_store_open(p->bucket, p->prefix, &p->s3, &options.store, &err));
    akidb_storage *storage = test_open(&options, NULL);
    story_watch_check(w, storage);
    test_close(storage);
    akidb_store_close(options.store);
}

static void run(place *p)
{
    const char *asked = getenv("AKIDB_TEST_S3_KILLS");
    uint64_t kills = asked == NULL ? KILLS : strtoull(asked, NULL, 10), random = 9;
    story_watch w;
    story_watch_init(&w, COLLECTIONS, THREADS);
    p->s3.struct_size = sizeof p->s3;
    for (uint64_t i = 0; i < kills; i++) {
        /* Each third one dies early, most likely while it reads what there is. */
        uint64_t steps = 50 + test_random(&random) % 200;
        useconds_t moment = i % 3 == 2 ? (useconds_t)(test_random(&random) % 300000) : 60000000;
        story_run_and_kill(&w, open_to_be_killed, p, moment, steps);
        check(&w, p);
    }
    story_watch_print(&w, kills);
    for (size_t i = 0; i < COLLECTIONS; i++)
        assert_true(w.stories[i].done > 0);
    story_watch_free(&w);
}

static void fifty_collections_keep_their_own_documents(void **state)
{
    const char *endpoint = getenv("AKIDB_TEST_S3_ENDPOINT");
    place p = {.folder = *state, .bucket = getenv("AKIDB_TEST_S3_BUCKET")};
    /* The bucket may not be empty. */
    snprintf(p.prefix, sizeof p.prefix, "storage-%lld-%ld", (long long)time(NULL), (long)getpid());
    if (endpoint != NULL && endpoint[0] != '\0') {
        assert_non_null(p.bucket);
        p.s3.endpoint = endpoint;
        run(&p);
        return;
    }
    s3_server server;
    s3_server_start(&server);
    p.bucket = S3_TEST_BUCKET;
    p.s3.endpoint = server.endpoint;
    p.s3.access_key_id = S3_TEST_KEY;
    p.s3.secret_access_key = S3_TEST_SECRET;
    run(&p);
    s3_server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(fifty_collections_keep_their_own_documents),
    };
    return cmocka_run_group_tests_name("s3 storage", tests, NULL, NULL);
}
