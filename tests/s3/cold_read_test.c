/* Reading a snapshot out of a bucket: few requests, several of them under way at once, everything
 * where and in the order in which it belongs. */
#include "../unit/snapshot/support.h"
#include "akidb/s3.h"
#include "s3_server.h"

enum { GROUPS = 12, GROUP_ROWS = 50, DIMENSION = 96 };

static s3_server server;
static const akidb_uuid collection = {{3}};

static akidb_store *open_bucket(void)
{
    akidb_error err;
    akidb_store *store;
    akidb_s3_options options = {.struct_size = sizeof options,
                                .endpoint = server.endpoint,
                                .region = "us-east-1",
                                .access_key_id = S3_TEST_KEY,
                                .secret_access_key = S3_TEST_SECRET};
    assert_ok(err, akidb_s3_store_open(S3_TEST_BUCKET, "cold", &options, &store, &err));
    return store;
}

static akidb_snapshotter *open_groups(akidb_store *store, akidb_compression compression,
                                      uint32_t rows)
{
    akidb_error err;
    akidb_snapshotter *snapshotter;
    akidb_parquet_options parquet = {
        .struct_size = sizeof parquet, .compression = compression, .row_group_size = rows};
    akidb_snapshotter_options options = {
        .struct_size = sizeof options, .parquet = &parquet, .threads = 1};
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    return snapshotter;
}

static unsigned most_at_once(void)
{
    char *answer = s3_server_ask(&server, "{\"most\": true}");
    const char *found = strstr(answer, "\"most\": ");
    assert_non_null(found);
    unsigned most = (unsigned)strtoul(found + strlen("\"most\": "), NULL, 10);
    free(answer);
    return most;
}

/* One thread decodes; the requests overlap all the same. */
static void row_groups_come_by_overlapping_requests(void **state)
{
    (void)state;
    static const akidb_compression compressions[] = {AKIDB_COMPRESSION_NONE,
                                                     AKIDB_COMPRESSION_ZSTD};
    for (size_t i = 0; i < 2; i++) {
        akidb_store *store = open_bucket();
        akidb_snapshotter *snapshotter = open_groups(store, compressions[i], GROUP_ROWS);
        akidb_documents *documents = test_documents(i, GROUPS * GROUP_ROWS, DIMENSION);
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        s3_server_reset(&server);
        s3_server_tell(&server, "{\"set\": {\"delay\": 0.1}}");
        assert_restores(snapshotter, &collection, &id, documents);
        /* The metadata, the tail, and one for each row group. */
        assert_int_equal(s3_server_requests(&server), 2 + GROUPS);
        assert_true(most_at_once() >= 4);
        s3_server_reset(&server);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void a_snapshot_of_one_row_group_takes_three_requests(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = open_bucket();
    akidb_snapshotter *snapshotter = open_groups(store, AKIDB_COMPRESSION_NONE, 10000);
    akidb_documents *documents = test_documents(5, 1000, DIMENSION);
    akidb_batch all = akidb_documents_batch(documents);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    float *matrix = malloc(1000 * DIMENSION * sizeof *matrix);
    assert_non_null(matrix);
    const akidb_restore_target target = {
        .struct_size = sizeof target, .capacity = 1000, .dimension = DIMENSION, .vectors = matrix};
    size_t rows;
    s3_server_reset(&server);
    assert_ok(err, akidb_snapshot_restore_into(snapshotter, &collection, &id, NULL, &target, &rows,
                                               NULL, &err));
    assert_int_equal(s3_server_requests(&server), 3);
    assert_int_equal(rows, 1000);
    assert_memory_equal(matrix, all.vectors, 1000 * DIMENSION * sizeof *matrix);
    free(matrix);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static int start(void **state)
{
    (void)state;
    s3_server_start(&server);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    s3_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_groups_come_by_overlapping_requests),
        cmocka_unit_test(a_snapshot_of_one_row_group_takes_three_requests),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
