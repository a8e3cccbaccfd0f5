/* By which checksums a body is guarded on its way, on the tests' own server. */
#include <stdlib.h>
#include <string.h>

#include "world.h"

enum { HASHED = (1 << 20) - 1, UNHASHED = 1 << 20 }; /* sizes, where nobody can change a body */

/* One object with a client that knows nothing of the server yet. */
static void put_anew(size_t size, uint64_t single_put_bytes)
{
    akidb_error err = {0};
    akidb_s3_options options = usual();
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

static void a_large_body_is_hashed_unless_nobody_can_change_it(void **state)
{
    (void)state;
    world *w = world_open();
    put_anew(UNHASHED, UNHASHED);
    assert_true(last_had("PutObject", "\"UNSIGNED-PAYLOAD\""));
    assert_true(last_had("PutObject", "x-amz-checksum-crc32c"));
    put_anew(HASHED, UNHASHED);
    assert_false(last_had("PutObject", "\"UNSIGNED-PAYLOAD\""));
    /* Who has a proxy may have it here, too, whatever the exceptions say. */
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "127.0.0.1", 1);
    put_anew(UNHASHED, UNHASHED);
    assert_false(last_had("PutObject", "\"UNSIGNED-PAYLOAD\""));
    unsetenv("http_proxy");
    unsetenv("no_proxy");
    world_close(w);
}

static void parts_need_no_md5_once_the_server_has_named_its_checksum(void **state)
{
    (void)state;
    world *w = world_open();
    put_anew(UNHASHED, SMALL);
    assert_true(last_had("UploadPart", "x-amz-checksum-crc32c"));
    assert_true(last_had("UploadPart", "\"UNSIGNED-PAYLOAD\""));
    assert_false(last_had("UploadPart", "content-md5"));
    s3_server_tell(&server, "{\"set\": {\"crc32c\": false}}");
    put_anew(UNHASHED, SMALL);
    assert_true(last_had("UploadPart", "content-md5"));
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_body_is_hashed_unless_nobody_can_change_it),
        cmocka_unit_test(parts_need_no_md5_once_the_server_has_named_its_checksum),
    };
    return cmocka_run_group_tests(tests, world_start_server, world_stop_server);
}
