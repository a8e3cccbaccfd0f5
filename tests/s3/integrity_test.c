/* By which checksums a body is guarded on its way, on the tests' own server. */
#include <stdlib.h>
#include <string.h>

#include "store/s3/objects.h"
#include "world.h"

enum { HASHED = (1 << 20) - 1, UNHASHED = 1 << 20 }; /* sizes, where bodies are not signed */

/* One object with a client that knows nothing of the server yet. */
static void put_anew(size_t size, uint64_t single_put_bytes, akidb_toggle sign_payload)
{
    akidb_error err = {0};
    akidb_s3_options options = usual();
    options.sign_payload = sign_payload;
    options.single_put_bytes = single_put_bytes;
    akidb_store *store = open_with(&options);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    test_random_bytes(7, bytes, size);
    assert_ok(err,
              akidb_store_put(store, "a", &(akidb_slice){bytes, size}, 1, AKIDB_PUT_ALWAYS, &err));
    free(bytes);
    akidb_store_close(store);
}

/* Whether the last request of that operation had these words among its headers. */
static bool last_had(const char *op, const char *words)
{
    char command[64];
    snprintf(command, sizeof command, "{\"last\": \"%s\"}", op);
    char *answer = s3_server_ask(&server, command);
    assert_non_null(strstr(answer, "x-amz-content-sha256"));
    bool found = strstr(answer, words) != NULL;
    free(answer);
    return found;
}

static void a_body_is_hashed_without_tls_unless_that_is_switched_off(void **state)
{
    (void)state;
    world *w = world_open();
    put_anew(UNHASHED, UNHASHED, AKIDB_DEFAULT);
    assert_false(last_had("PutObject", "\"UNSIGNED-PAYLOAD\""));
    put_anew(UNHASHED, SMALL, AKIDB_DEFAULT);
    assert_false(last_had("UploadPart", "\"UNSIGNED-PAYLOAD\""));
    put_anew(UNHASHED, UNHASHED, AKIDB_OFF);
    assert_true(last_had("PutObject", "\"UNSIGNED-PAYLOAD\""));
    assert_true(last_had("PutObject", "x-amz-checksum-crc32c"));
    put_anew(HASHED, UNHASHED, AKIDB_OFF);
    assert_false(last_had("PutObject", "\"UNSIGNED-PAYLOAD\""));
    world_close(w);
}

static void parts_need_no_md5_once_the_server_has_named_its_checksum(void **state)
{
    (void)state;
    world *w = world_open();
    put_anew(UNHASHED, SMALL, AKIDB_OFF);
    assert_true(last_had("UploadPart", "x-amz-checksum-crc32c"));
    assert_true(last_had("UploadPart", "\"UNSIGNED-PAYLOAD\""));
    assert_false(last_had("UploadPart", "content-md5"));
    s3_server_tell(&server, "{\"set\": {\"crc32c\": false}}");
    put_anew(UNHASHED, SMALL, AKIDB_OFF);
    assert_true(last_had("UploadPart", "content-md5"));
    world_close(w);
}

/* Where only FIPS algorithms are allowed, OpenSSL has no MD5. */
static void without_md5_the_signature_covers_what_no_checksum_does(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "b"};
    world *w = world_open();
    for (int knows = 0; knows < 2; knows++) {
        akidb_s3_options options = usual();
        akidb_status outcomes[2];
        ak_s3_client *client;
        const akidb_slice small = {w->bytes, SMALL}, large = {w->bytes, LARGE};
        s3_server_tell(&server, "{\"set\": {\"crc32c\": %s}}", knows ? "true" : "false");
        assert_ok(w->err, ak_s3_client_open(S3_TEST_BUCKET, "p", &options, &client, &w->err));
        client->lacks_md5 = true;
        assert_ok(w->err, ak_s3_put(client, "a", &small, 1, AKIDB_PUT_IF_ABSENT, &w->err));
        assert_ok(w->err, ak_s3_put(client, "b", &large, 1, AKIDB_PUT_ALWAYS, &w->err));
        assert_object(w, "b", LARGE);
        assert_false(last_had("PutObject", "\"UNSIGNED-PAYLOAD\""));
        assert_false(last_had("CompleteMultipartUpload", "x-amz-checksum-crc32c"));
        assert_ok(w->err, ak_s3_remove_many(client, keys, 2, outcomes, &w->err));
        assert_true(last_had("DeleteObjects", "x-amz-checksum-crc32c"));
        static const char *const ops[] = {"PutObject", "UploadPart", "CompleteMultipartUpload",
                                          "DeleteObjects"};
        for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
            assert_false(last_had(ops[i], "content-md5"));
        ak_s3_client_close(client);
    }
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_hashed_without_tls_unless_that_is_switched_off),
        cmocka_unit_test(parts_need_no_md5_once_the_server_has_named_its_checksum),
        cmocka_unit_test(without_md5_the_signature_covers_what_no_checksum_does),
    };
    return cmocka_run_group_tests(tests, world_start_server, world_stop_server);
}
