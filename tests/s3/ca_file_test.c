/* The option ca_file: whom it makes the library trust. What the environment names, and all that can
 * be wrong with a certificate, is in test_tls.py. */
#include <stdlib.h>

#include "akidb/s3.h"
#include "folder.h"
#include "s3_server.h"
#include "test.h"

typedef struct world {
    char folder[TEST_FOLDER_SIZE];
    s3_server server;
} world;

static const char *path_of(const world *w, const char *name, char path[TEST_FOLDER_SIZE + 64])
{
    snprintf(path, TEST_FOLDER_SIZE + 64, "%s/certificates/%s", w->folder, name);
    return path;
}

static int set_up(void **state)
{
    char command[TEST_FOLDER_SIZE + 256], certificate[TEST_FOLDER_SIZE + 64],
        key[TEST_FOLDER_SIZE + 64];
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    assert_true(test_folder_make(w->folder));
    snprintf(command, sizeof command, "%s/../s3/make_certificates.sh %s/certificates",
             AKIDB_GOLDEN_DIR, w->folder);
    assert_int_equal(system(command), 0);
    s3_server_start_tls(&w->server, path_of(w, "good.pem", certificate),
                        path_of(w, "good.key", key));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world *w = *state;
    s3_server_stop(&w->server);
    test_folder_remove(w->folder);
    free(w);
    return 0;
}

/* Puts an object and reads it again, or says why not. */
static akidb_status put_and_get(world *w, const char *ca_file, akidb_error *err)
{
    const akidb_s3_options options = {.struct_size = sizeof options,
                                      .endpoint = w->server.endpoint,
                                      .access_key_id = S3_TEST_KEY,
                                      .secret_access_key = S3_TEST_SECRET,
                                      .ca_file = ca_file};
    akidb_store *store;
    akidb_buffer found = {0};
    akidb_status status = akidb_s3_store_open(S3_TEST_BUCKET, "", &options, &store, err);
    if (status != AKIDB_OK)
        return status;
    status = akidb_store_put(store, "key", &(akidb_slice){"text", 4}, 1, AKIDB_PUT_ALWAYS, err);
    if (status == AKIDB_OK)
        status = akidb_store_get(store, "key", 100, &found, err);
    if (status == AKIDB_OK)
        assert_int_equal(found.size, 4);
    akidb_buffer_free(&found);
    akidb_store_close(store);
    return status;
}

static void an_authority_of_ca_file_is_trusted(void **state)
{
    char path[TEST_FOLDER_SIZE + 64];
    akidb_error err = {0};
    assert_ok(err, put_and_get(*state, path_of(*state, "ca.pem", path), &err));
}

static void another_authority_is_not(void **state)
{
    char path[TEST_FOLDER_SIZE + 64];
    akidb_error err = {0};
    assert_status(AKIDB_E_STORE, put_and_get(*state, path_of(*state, "stranger.pem", path), &err));
    assert_non_null(strstr(err.message, "certificate"));
    assert_status(AKIDB_E_STORE, put_and_get(*state, NULL, &err));
    assert_non_null(strstr(err.message, "certificate"));
}

static void ca_file_goes_before_the_environment(void **state)
{
    char good[TEST_FOLDER_SIZE + 64], stranger[TEST_FOLDER_SIZE + 64];
    akidb_error err = {0};
    path_of(*state, "ca.pem", good);
    path_of(*state, "stranger.pem", stranger);
    setenv("AWS_CA_BUNDLE", stranger, 1);
    assert_ok(err, put_and_get(*state, good, &err));
    assert_status(AKIDB_E_STORE, put_and_get(*state, NULL, &err));
    setenv("AWS_CA_BUNDLE", good, 1);
    assert_ok(err, put_and_get(*state, NULL, &err));
    assert_status(AKIDB_E_STORE, put_and_get(*state, stranger, &err));
    unsetenv("AWS_CA_BUNDLE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_authority_of_ca_file_is_trusted),
        cmocka_unit_test(another_authority_is_not),
        cmocka_unit_test(ca_file_goes_before_the_environment),
    };
    return cmocka_run_group_tests_name("ca_file", tests, set_up, tear_down);
}
