/* Where keys come from, and how they are kept fresh; against stand-ins for the services. */
#include "store/s3/credentials.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "akidb/s3.h"
#include "folder.h"
#include "s3_server.h"
#include "test.h"

static s3_server server;
static char folder[TEST_FOLDER_SIZE];

static int64_t clock_now(void *handle)
{
    return *(int64_t *)handle;
}

typedef struct place {
    ak_http *http;
    ak_s3_profile profile;
    ak_s3_provider *provider;
    int64_t now; /* microseconds */
    akidb_clock clock;
    bool wants_to_stop;
    akidb_error err;
} place;

enum { START_SECONDS = 1800000000 }; /* 2027 */

static void clear(void)
{
    s3_server_reset(&server);
    s3_clear_environment();
    s3_server_tell(&server, "{\"set\": {\"now\": %d}}", START_SECONDS);
}

static bool wants_to_stop(void *context)
{
    return ((place *)context)->wants_to_stop;
}

/* With what is given, beyond what every test has. */
static akidb_status open_with(place *p, const char *profile, ak_s3_provider_options options)
{
    *p = (place){.now = (int64_t)START_SECONDS * 1000000};
    p->clock = (akidb_clock){clock_now, &p->now};
    assert_ok(p->err, ak_http_open(NULL, &p->http, &p->err));
    assert_ok(p->err, ak_s3_profile_read(profile, &p->profile, &p->err));
    options.profile = &p->profile;
    options.profile_is_named = profile != NULL;
    options.region = "us-east-1";
    options.http = p->http;
    options.clock = &p->clock;
    options.cancelled = wants_to_stop;
    options.context = p;
    return ak_s3_provider_open(&options, &p->provider, &p->err);
}

static akidb_status open_place(place *p, const char *id, const char *secret, const char *token)
{
    return open_with(p, NULL,
                     (ak_s3_provider_options){
                         .access_key_id = id, .secret_access_key = secret, .session_token = token});
}

static void close_place(place *p)
{
    ak_s3_provider_close(p->provider);
    ak_s3_profile_free(&p->profile);
    ak_http_close(p->http);
}

static void assert_keys(place *p, const char *id, const char *secret, const char *token)
{
    ak_s3_credentials keys;
    assert_ok(p->err, ak_s3_provider_get(p->provider, false, &keys, &p->err));
    assert_string_equal(keys.access_key_id, id);
    assert_string_equal(keys.secret_access_key, secret);
    assert_string_equal(keys.session_token, token);
    ak_s3_credentials_wipe(&keys);
    assert_string_equal(keys.secret_access_key, "");
}

static void write_file(char path[TEST_FOLDER_SIZE + 32], const char *name, const char *text)
{
    snprintf(path, TEST_FOLDER_SIZE + 32, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void use_profile(const char *text)
{
    char path[TEST_FOLDER_SIZE + 32];
    write_file(path, "credentials", text);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
}

static void use_web_identity(void)
{
    char path[TEST_FOLDER_SIZE + 32], url[256];
    write_file(path, "token", "identity+token/=\n");
    snprintf(url, sizeof url, "%s/-/sts", server.endpoint);
    setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path, 1);
    setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/test", 1);
    setenv("AWS_ENDPOINT_URL_STS", url, 1);
}

static void use_container(void)
{
    char url[256];
    snprintf(url, sizeof url, "%s/-/container", server.endpoint);
    setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url, 1);
}

static void use_ec2(void)
{
    char url[256];
    snprintf(url, sizeof url, "%s/-/imds/", server.endpoint);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url, 1);
}

/* ---- the order ------------------------------------------------------------------------------- */

static void sources_are_used_in_aws_order(void **state)
{
    (void)state;
    place p;
    clear();
    use_ec2();
    use_container();
    use_web_identity();
    use_profile("[default]\naws_access_key_id = P\naws_secret_access_key = ps\n"
                "aws_session_token = pt\n");
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
    setenv("AWS_SESSION_TOKEN", "et", 1);
    assert_ok(p.err, open_place(&p, "X", "xs", "xt"));
    assert_keys(&p, "X", "xs", "xt");
    close_place(&p);
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    assert_keys(&p, "E", "es", "et");
    close_place(&p);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    assert_keys(&p, "P", "ps", "pt");
    close_place(&p);
    assert_int_equal(s3_server_count(&server, "sts-keys"), 0);
    setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null/none", 1);

    static const char *const services[] = {"sts-keys", "container-keys", "imds-keys"};
    for (size_t i = 0; i < 3; i++) {
        ak_s3_credentials keys;
        assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
        assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
        assert_memory_equal(keys.access_key_id, "TEMP", 4);
        assert_memory_equal(keys.session_token, "token+of/", 9);
        close_place(&p);
        assert_int_not_equal(s3_server_count(&server, services[i]), 0);
        unsetenv(i == 0 ? "AWS_WEB_IDENTITY_TOKEN_FILE" : "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    }
    assert_int_equal(s3_server_count(&server, "imds-token"), 1);
    assert_int_equal(s3_server_count(&server, "sts-keys"), 1);
}

/* As the AWS command line has it: --profile goes before the environment, AWS_PROFILE does not. */
static void a_profile_that_is_named_goes_before_the_environment(void **state)
{
    (void)state;
    place p;
    ak_s3_credentials keys;
    clear();
    use_web_identity();
    use_profile("[default]\naws_access_key_id = D\naws_secret_access_key = ds\n"
                "[other]\naws_access_key_id = P\naws_secret_access_key = ps\n"
                "[empty]\nregion = eu-central-1\n");
    setenv("AWS_ACCESS_KEY_ID", "E", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "es", 1);
    setenv("AWS_SESSION_TOKEN", "et", 1);
    setenv("AWS_PROFILE", "other", 1);
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    assert_keys(&p, "E", "es", "et");
    close_place(&p);
    assert_ok(p.err, open_with(&p, "other", (ak_s3_provider_options){0}));
    assert_keys(&p, "P", "ps", "");
    close_place(&p);
    assert_ok(p.err, open_with(&p, "default", (ak_s3_provider_options){0}));
    assert_keys(&p, "D", "ds", "");
    close_place(&p);
    assert_ok(p.err,
              open_with(&p, "other",
                        (ak_s3_provider_options){.access_key_id = "X", .secret_access_key = "xs"}));
    assert_keys(&p, "X", "xs", "");
    close_place(&p);

    /* One without keys leads to the machine's own, never to the environment's. */
    assert_status(AKIDB_E_PERMISSION, open_with(&p, "empty", (ak_s3_provider_options){0}));
    assert_non_null(strstr(p.err.message, "in the profile that was asked for"));
    close_place(&p);
    use_container();
    assert_ok(p.err, open_with(&p, "empty", (ak_s3_provider_options){0}));
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_int_equal(s3_server_count(&server, "container-keys"), 1);
    assert_int_equal(s3_server_count(&server, "sts-keys"), 0);
    close_place(&p);
}

static void a_cancel_ends_the_wait_for_keys(void **state)
{
    (void)state;
    place p;
    ak_s3_credentials keys;
    clear();
    use_web_identity();
    s3_server_tell(&server, "{\"set\": {\"stall_seconds\": 4}}");
    s3_server_fault(&server, "*", "stall", 0, 1);
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    p.wants_to_stop = true;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_status(AKIDB_E_CANCELLED, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(after.tv_sec - before.tv_sec <= 2);
    close_place(&p);
}

static void half_a_pair_is_refused(void **state)
{
    (void)state;
    place p;
    clear();
    assert_status(AKIDB_E_VALIDATION, open_place(&p, "X", NULL, NULL));
    close_place(&p);
    setenv("AWS_SECRET_ACCESS_KEY", "a-secret", 1);
    assert_status(AKIDB_E_VALIDATION, open_place(&p, NULL, NULL, NULL));
    assert_null(strstr(p.err.message, "a-secret"));
    close_place(&p);
}

/* Each goes into a header as it is. */
static void keys_with_control_characters_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
                                        "AWS_SESSION_TOKEN"};
    static const char *const ends[] = {
        "\r\nx-amz-acl: public-read", "\n", "\r", " ", "\x7f", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
            place p;
            char value[64];
            clear();
            for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
                setenv(names[j], "a-secret", 1);
            snprintf(value, sizeof value, "a-secret%s", ends[k]);
            setenv(names[i], value, 1);
            assert_status(AKIDB_E_VALIDATION, open_place(&p, NULL, NULL, NULL));
            assert_null(strstr(p.err.message, "a-secret"));
            assert_null(p.provider);
            close_place(&p);
        }
}

static void no_source_at_all_is_said(void **state)
{
    (void)state;
    place p;
    clear();
    assert_status(AKIDB_E_PERMISSION, open_place(&p, NULL, NULL, NULL));
    assert_non_null(strstr(p.err.message, "AWS_ACCESS_KEY_ID"));
    close_place(&p);
}

static void the_services_of_this_machine_are_asked_without_a_proxy(void **state)
{
    (void)state;
    for (int ec2 = 0; ec2 < 2; ec2++) {
        place p;
        ak_s3_credentials keys;
        clear();
        ec2 ? use_ec2() : use_container();
        setenv("http_proxy", "http://127.0.0.1:1", 1);
        assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
        assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
        close_place(&p);
    }
    s3_clear_environment();
}

static void what_a_profile_asks_for_in_vain_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"credential_process", "sso_session", "source_profile"};
    for (size_t i = 0; i < 3; i++) {
        char text[128];
        place p;
        clear();
        snprintf(text, sizeof text, "[default]\n%s = x\n", names[i]);
        use_profile(text);
        assert_status(AKIDB_E_UNSUPPORTED, open_place(&p, NULL, NULL, NULL));
        assert_non_null(strstr(p.err.message, names[i]));
        close_place(&p);
    }
}

static void a_container_url_may_not_lead_anywhere(void **state)
{
    (void)state;
    static const char *const refused[] = {"http://example.com/x", "http://127.0.0.1.evil.example/",
                                          "http://localhost@evil.example/", "ftp://127.0.0.1/",
                                          "http://169.254.170.21/"};
    static const char *const taken[] = {"https://example.com/x", "http://localhost:80/",
                                        "http://169.254.170.2/v2", "http://169.254.170.23/"};
    place p;
    clear();
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", refused[i], 1);
        assert_status(AKIDB_E_VALIDATION, open_place(&p, NULL, NULL, NULL));
        close_place(&p);
    }
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", taken[i], 1);
        assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
        close_place(&p);
    }
}

static void a_container_gets_its_token(void **state)
{
    (void)state;
    char path[TEST_FOLDER_SIZE + 32];
    place p;
    ak_s3_credentials keys;
    clear();
    use_container();
    s3_server_tell(&server, "{\"set\": {\"container_token\": \"Bearer abc\"}}");
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    assert_status(AKIDB_E_PERMISSION, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_non_null(strstr(p.err.message, "401"));
    close_place(&p);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer abc", 1);
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    close_place(&p);
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "wrong", 1);
    write_file(path, "container-token", "Bearer abc\r\n");
    setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path, 1);
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    close_place(&p);
}

/* ---- keeping fresh --------------------------------------------------------------------------- */

static void keys_are_fetched_anew_before_they_expire(void **state)
{
    (void)state;
    place p;
    ak_s3_credentials keys;
    clear();
    use_web_identity();
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    for (int i = 0; i < 3; i++)
        assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_int_equal(s3_server_count(&server, "sts-keys"), 1);
    p.now += INT64_C(3299) * 1000000; /* they last 3,600 s */
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_int_equal(s3_server_count(&server, "sts-keys"), 1);
    p.now += INT64_C(2) * 1000000;
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_int_equal(s3_server_count(&server, "sts-keys"), 2);
    assert_ok(p.err, ak_s3_provider_get(p.provider, true, &keys, &p.err)); /* the server says so */
    assert_int_equal(s3_server_count(&server, "sts-keys"), 3);
    close_place(&p);
}

static void old_keys_serve_while_new_ones_cannot_be_had(void **state)
{
    (void)state;
    place p;
    ak_s3_credentials first, keys;
    clear();
    use_ec2();
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &first, &p.err));
    s3_server_fault(&server, "*", "500", 0, 1000);
    p.now += INT64_C(3400) * 1000000;
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_string_equal(keys.access_key_id, first.access_key_id);
    unsigned asked = s3_server_count(&server, "imds-token");
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_int_equal(s3_server_count(&server, "imds-token"), asked); /* not at each request */
    p.now += INT64_C(31) * 1000000;
    assert_ok(p.err, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_int_equal(s3_server_count(&server, "imds-token"), asked + 1);
    p.now += INT64_C(201) * 1000000; /* now they are over */
    assert_status(AKIDB_E_PERMISSION, ak_s3_provider_get(p.provider, false, &keys, &p.err));
    assert_non_null(strstr(p.err.message, "EC2"));
    assert_null(strstr(p.err.message, first.secret_access_key));
    assert_string_equal(keys.secret_access_key, "");
    close_place(&p);
}

static void *fetch_keys(void *context)
{
    ak_s3_credentials keys;
    akidb_status status = ak_s3_provider_get(context, false, &keys, NULL);
    return status == AKIDB_OK && keys.access_key_id[0] != '\0' ? context : NULL;
}

static void one_thread_asks_for_all(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    place p;
    clear();
    use_container();
    assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fetch_keys, p.provider), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_non_null(result);
    }
    assert_int_equal(s3_server_count(&server, "container-keys"), 1);
    close_place(&p);
}

static void a_service_that_answers_nonsense_is_no_source(void **state)
{
    (void)state;
    static const char *const kinds[] = {"garbage", "doctype", "empty-200", "lost", "truncate"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        for (int service = 0; service < 2; service++) {
            place p;
            ak_s3_credentials keys;
            clear();
            service == 0 ? use_web_identity() : use_container();
            s3_server_fault(&server, "*", kinds[i], 0, 1);
            assert_ok(p.err, open_place(&p, NULL, NULL, NULL));
            akidb_status status = ak_s3_provider_get(p.provider, false, &keys, &p.err);
            assert_true(status == AKIDB_E_PERMISSION || status == AKIDB_E_STORE);
            assert_null(strstr(p.err.message, "secret+of"));
            close_place(&p);
        }
    }
}

/* ---- as a store uses them -------------------------------------------------------------------- */

static char logged[4096];

static void keep_log(void *context, akidb_log_level level, const char *message)
{
    (void)context, (void)level;
    size_t used = strlen(logged);
    snprintf(logged + used, sizeof logged - used, "%s\n", message);
}

static void an_expired_token_is_renewed_once(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store;
    clear();
    s3_server_tell(&server, "{\"set\": {\"now\": null}}");
    use_container();
    logged[0] = '\0';
    const akidb_s3_options options = {
        .struct_size = sizeof options, .endpoint = server.endpoint, .log = keep_log};
    assert_ok(err, akidb_s3_store_open(S3_TEST_BUCKET, "", &options, &store, &err));
    const akidb_slice slice = {"x", 1};
    assert_ok(err, akidb_store_put(store, "a", &slice, 1, AKIDB_PUT_ALWAYS, &err));
    char *last = s3_server_ask(&server, "{\"last\": \"PutObject\"}");
    char token[64] = {0};
    const char *found = strstr(last, "token+of/");
    assert_non_null(found);
    memcpy(token, found, strcspn(found, "\""));
    free(last);
    s3_server_tell(&server, "{\"set\": {\"expired_tokens\": [\"%s\"]}}", token);
    assert_ok(err, akidb_store_put(store, "a", &slice, 1, AKIDB_PUT_ALWAYS, &err));
    assert_int_equal(s3_server_count(&server, "container-keys"), 2);
    bool there;
    assert_ok(err, akidb_store_exists(store, "a", &there, &err));
    assert_true(there);
    assert_null(strstr(logged, token));
    assert_null(strstr(logged, "secret+of"));
    akidb_store_close(store);
}

static int start(void **state)
{
    (void)state;
    s3_server_start(&server);
    return test_folder_make(folder) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    s3_server_stop(&server);
    test_folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_used_in_aws_order),
        cmocka_unit_test(a_profile_that_is_named_goes_before_the_environment),
        cmocka_unit_test(a_cancel_ends_the_wait_for_keys),
        cmocka_unit_test(half_a_pair_is_refused),
        cmocka_unit_test(keys_with_control_characters_are_refused),
        cmocka_unit_test(no_source_at_all_is_said),
        cmocka_unit_test(the_services_of_this_machine_are_asked_without_a_proxy),
        cmocka_unit_test(what_a_profile_asks_for_in_vain_is_named),
        cmocka_unit_test(a_container_url_may_not_lead_anywhere),
        cmocka_unit_test(a_container_gets_its_token),
        cmocka_unit_test(keys_are_fetched_anew_before_they_expire),
        cmocka_unit_test(old_keys_serve_while_new_ones_cannot_be_had),
        cmocka_unit_test(one_thread_asks_for_all),
        cmocka_unit_test(a_service_that_answers_nonsense_is_no_source),
        cmocka_unit_test(an_expired_token_is_renewed_once),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
