/* The suite of all stores on S3: on the tests' own server or, where AKIDB_TEST_S3_ENDPOINT is set,
 * on the server that it names, with the bucket AKIDB_TEST_S3_BUCKET and the keys of the
 * environment. There objects of over AKIDB_TEST_S3_SINGLE_PUT bytes, 1,000 unless told, are
 * uploaded in parts the second time; less shows whether the completion of an upload heeds
 * If-None-Match, which Ceph before 20 does not. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "akidb/s3.h"
#include "s3_server.h"
#include "store_suite.h"
#include "test.h"

static void print_log(void *context, akidb_log_level level, const char *message)
{
    (void)context;
    if (level >= AKIDB_LOG_WARNING)
        fprintf(stderr, "s3: %s\n", message);
}

/* Objects of more than `single` bytes are multipart uploads. */
static int run(const char *name, const char *bucket, const akidb_s3_options *options, size_t many)
{
    akidb_store *store;
    akidb_error err = {0};
    char prefix[64];
    snprintf(prefix, sizeof prefix, "suite-%lld-%ld", (long long)time(NULL), (long)getpid());
    if (akidb_s3_store_open(bucket, "in/a bucket", options, &store, &err) != AKIDB_OK) {
        fprintf(stderr, "%s: %s\n", name, err.message);
        return 1;
    }
    const store_suite_target target = {.name = name,
                                       .store = store,
                                       .prefix = prefix,
                                       .key_max = AKIDB_KEY_MAX - strlen("in/a bucket/"),
                                       .many = many};
    int failures = store_suite_run(&target);
    akidb_store_close(store);
    return failures;
}

static int run_on_own_server(akidb_s3_options options)
{
    s3_server server;
    s3_server_start(&server);
    options.endpoint = server.endpoint;
    options.access_key_id = S3_TEST_KEY;
    options.secret_access_key = S3_TEST_SECRET;
    int failures = 0;
    s3_server_tell(&server, "{\"set\": {\"page\": 7}}");
    failures += run("s3, small pages", S3_TEST_BUCKET, &options, 150);
    s3_server_reset(&server);
    options.single_put_bytes = 2;
    options.part_bytes = 5 << 20;
    failures += run("s3, multipart", S3_TEST_BUCKET, &options, 300);
    s3_server_tell(&server, "{\"set\": {\"crc32c\": false}}");
    failures += run("s3, server without CRC-32C", S3_TEST_BUCKET, &options, 20);
    if (s3_server_uploads(&server) != 0) {
        fprintf(stderr, "uploads were left behind\n");
        failures++;
    }
    s3_server_stop(&server);
    return failures;
}

int main(void)
{
    akidb_s3_options options = {.struct_size = sizeof options, .log = print_log};
    const char *endpoint = getenv("AKIDB_TEST_S3_ENDPOINT");
    if (endpoint == NULL || endpoint[0] == '\0')
        return run_on_own_server(options) == 0 ? 0 : 1;
    const char *bucket = getenv("AKIDB_TEST_S3_BUCKET");
    const char *single = getenv("AKIDB_TEST_S3_SINGLE_PUT");
    if (bucket == NULL) {
        fprintf(stderr, "AKIDB_TEST_S3_BUCKET must name a bucket\n");
        return 1;
    }
    options.endpoint = endpoint;
    int failures = run("s3, whole objects", bucket, &options, 0);
    options.single_put_bytes = single == NULL ? 1000 : strtoull(single, NULL, 10);
    options.part_bytes = 5 << 20;
    failures += run("s3, multipart", bucket, &options, 50);
    return failures == 0 ? 0 : 1;
}
