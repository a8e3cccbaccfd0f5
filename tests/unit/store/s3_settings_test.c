/* Where a bucket lies and how it is spoken with: options, environment, profile, defaults. */
#include <stdlib.h>
#include <string.h>

#include "folder.h"
#include "s3_server.h"
#include "store/s3/client.h"
#include "test.h"

static char folder[TEST_FOLDER_SIZE];

static akidb_s3_options with_keys(void)
{
    return (akidb_s3_options){.struct_size = sizeof(akidb_s3_options),
                              .access_key_id = "id",
                              .secret_access_key = "the-secret"};
}

static ak_s3_client *open_client(const char *bucket, const char *prefix,
                                 const akidb_s3_options *options)
{
    ak_s3_client *client;
    akidb_error err;
    assert_ok(err, ak_s3_client_open(bucket, prefix, options, &client, &err));
    return client;
}

static void assert_refused(const char *bucket, const char *prefix, const akidb_s3_options *options,
                           const char *word)
{
    ak_s3_client *client = NULL;
    akidb_error err = {0};
    assert_status(AKIDB_E_VALIDATION, ak_s3_client_open(bucket, prefix, options, &client, &err));
    assert_null(client);
    if (strstr(err.message, word) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", word, err.message);
    assert_null(strstr(err.message, "the-secret"));
}

static void assert_place(const akidb_s3_options *options, const char *region, const char *scheme,
                         const char *host, bool path_style)
{
    ak_s3_client *client = open_client("a-bucket", NULL, options);
    assert_string_equal(client->region, region);
    assert_string_equal(client->scheme, scheme);
    if (host == NULL)
        assert_true(client->is_aws);
    else
        assert_string_equal(client->host, host);
    assert_int_equal(client->path_style, path_style);
    ak_s3_client_close(client);
}

static void write_config(const char *text)
{
    char path[TEST_FOLDER_SIZE + 16];
    snprintf(path, sizeof path, "%s/config", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    setenv("AWS_CONFIG_FILE", path, 1);
}

static void settings_come_from_the_nearest_place(void **state)
{
    (void)state;
    s3_clear_environment();
    akidb_s3_options options = with_keys();
    assert_place(&options, "us-east-1", "https", NULL, false);
    write_config("[default]\nregion = from-profile\nendpoint_url = http://profile:1\n");
    assert_place(&options, "from-profile", "http", "profile:1", true);
    setenv("AWS_DEFAULT_REGION", "from-default", 1);
    setenv("AWS_ENDPOINT_URL", "https://general:2/", 1);
    assert_place(&options, "from-default", "https", "general:2", true);
    setenv("AWS_REGION", "from-region", 1);
    setenv("AWS_ENDPOINT_URL_S3", "https://special:3", 1);
    assert_place(&options, "from-region", "https", "special:3", true);
    options.region = "from-option";
    options.endpoint = "http://option:4";
    assert_place(&options, "from-option", "http", "option:4", true);
    options.path_style = AKIDB_OFF;
    assert_place(&options, "from-option", "http", "option:4", false);
}

static void a_port_that_goes_without_saying_is_left_out(void **state)
{
    (void)state;
    static const char *const endpoints[][2] = {
        {"https://h:443", "h"},       {"https://h:443/", "h"},   {"https://h:80", "h:80"},
        {"http://h:80/", "h"},        {"http://h:443", "h:443"}, {"HTTP://H.example", "H.example"},
        {"http://[::1]:9", "[::1]:9"}};
    s3_clear_environment();
    akidb_s3_options options = with_keys();
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        options.endpoint = endpoints[i][0];
        ak_s3_client *client = open_client("a-bucket", "", &options);
        assert_string_equal(client->host, endpoints[i][1]);
        ak_s3_client_close(client);
    }
}

static void bodies_are_signed_where_there_is_no_tls_unless_told_otherwise(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint;
        akidb_toggle option;
        const char *variable;
        bool signs;
    } cases[] = {
        {"http://127.0.0.1:9000", AKIDB_DEFAULT, NULL, true},
        {"http://localhost", AKIDB_DEFAULT, "", true},
        {"http://minio:9000", AKIDB_DEFAULT, "off", false},
        {"http://minio:9000", AKIDB_ON, "off", true},
        {"http://minio:9000", AKIDB_OFF, "on", false},
        {"https://minio:9000", AKIDB_DEFAULT, NULL, false},
        {"https://minio:9000", AKIDB_DEFAULT, "on", true},
        {"https://minio:9000", AKIDB_ON, NULL, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_s3_options options = with_keys();
        options.endpoint = cases[i].endpoint;
        options.sign_payload = cases[i].option;
        if (cases[i].variable != NULL)
            setenv("AKIDB_S3_SIGN_PAYLOAD", cases[i].variable, 1);
        ak_s3_client *client = open_client("a-bucket", NULL, &options);
        unsetenv("AKIDB_S3_SIGN_PAYLOAD");
        if (client->signs_payload != cases[i].signs)
            fail_msg("case %zu", i);
        ak_s3_client_close(client);
    }
    setenv("AKIDB_S3_SIGN_PAYLOAD", "yes", 1);
    const akidb_s3_options options = with_keys();
    assert_refused("a-bucket", "", &options, "AKIDB_S3_SIGN_PAYLOAD");
    unsetenv("AKIDB_S3_SIGN_PAYLOAD");
}

static void an_endpoint_with_a_password_is_refused_without_showing_it(void **state)
{
    (void)state;
    akidb_s3_options options = with_keys();
    options.endpoint = "https://someone:hunter2@minio:9000";
    ak_s3_client *client;
    akidb_error err;
    assert_status(AKIDB_E_VALIDATION, ak_s3_client_open("a-bucket", "", &options, &client, &err));
    assert_non_null(strstr(err.message, "@"));
    assert_null(strstr(err.message, "hunter2"));
}

static void endpoints_and_regions_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const endpoints[] = {
        "h:9",        "ftp://h",         "https://",   "https:///",
        "http://a/b", "http://user:x@h", "http://h?x", "http://h#x",
        "http://a b", "http://h\r\nx: y"};
    static const char *const regions[] = {"eu central", "eu/central", "x\r\ny", "\xc3\xa9"};
    s3_clear_environment();
    akidb_s3_options options = with_keys();
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        options.endpoint = endpoints[i];
        assert_refused("a-bucket", "", &options, "endpoint");
    }
    options.endpoint = NULL;
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        options.region = regions[i];
        assert_refused("a-bucket", "", &options, "region");
    }
}

static void buckets_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"",    "ab",    "-abc", ".abc",
                                        "a/b", "a b c", "a:bc", "\xc3\xa9x"};
    s3_clear_environment();
    const akidb_s3_options options = with_keys();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_refused(names[i], "", &options, "bucket");
    assert_refused(NULL, "", &options, "bucket");
    ak_s3_client *client = open_client("Old_Bucket.v1", "", &options);
    assert_true(client->path_style); /* its dot is not in Amazon's certificate */
    ak_s3_client_close(client);
}

static void a_prefix_is_part_of_every_key(void **state)
{
    (void)state;
    static const char *const prefixes[][2] = {
        {"", ""}, {"/", ""}, {"a", "a/"}, {"/a/b//", "a/b/"}, {"a b", "a b/"}};
    static const char *const refused[] = {"a//b", "a/../b", ".", "a\nb", "\xff"};
    s3_clear_environment();
    const akidb_s3_options options = with_keys();
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        ak_s3_client *client = open_client("a-bucket", prefixes[i][0], &options);
        assert_string_equal(client->prefix, prefixes[i][1]);
        ak_s3_client_close(client);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_refused("a-bucket", refused[i], &options, "key");
    char long_prefix[AKIDB_KEY_MAX + 1];
    memset(long_prefix, 'x', sizeof long_prefix - 1);
    long_prefix[sizeof long_prefix - 1] = '\0';
    assert_refused("a-bucket", long_prefix, &options, "prefix");
}

static void numbers_have_limits(void **state)
{
    (void)state;
    s3_clear_environment();
    akidb_s3_options options = with_keys();
    options.part_bytes = (5 << 20) - 1;
    assert_refused("a-bucket", "", &options, "part");
    options.part_bytes = (UINT64_C(1) << 30) + 1;
    assert_refused("a-bucket", "", &options, "part");
    options = with_keys();
    options.single_put_bytes = (UINT64_C(5) << 30) + 1;
    assert_refused("a-bucket", "", &options, "5 GiB");
    options = with_keys();
    options.parallel = 1000;
    assert_refused("a-bucket", "", &options, "at once");
}

static void encryption_has_three_forms(void **state)
{
    (void)state;
    s3_clear_environment();
    akidb_s3_options options = with_keys();
    options.sse = "aws:kms:arn:aws:kms:x:1:key/2";
    ak_s3_client *client = open_client("a-bucket", "", &options);
    assert_string_equal(client->sse, "aws:kms");
    assert_string_equal(client->sse_key, "arn:aws:kms:x:1:key/2");
    ak_s3_client_close(client);
    options.sse = "AES256";
    client = open_client("a-bucket", "", &options);
    assert_string_equal(client->sse, "AES256");
    assert_null(client->sse_key);
    ak_s3_client_close(client);
    options.sse = "aws:kms:";
    assert_refused("a-bucket", "", &options, "encryption");
    options.sse = "rot13";
    assert_refused("a-bucket", "", &options, "encryption");
}

static void a_uri_names_bucket_and_prefix(void **state)
{
    (void)state;
    static const char *const uris[][2] = {{"s3://a-bucket", "s3://a-bucket"},
                                          {"s3://a-bucket/", "s3://a-bucket"},
                                          {"S3://a-bucket/b/c d/", "s3://a-bucket/b/c d"}};
    static const char *const refused[] = {"s3:",     "s3:a-bucket", "s3://",
                                          "s3:///a", "s3://b@d/x",  "s3://a-bucket/../x"};
    s3_clear_environment();
    setenv("AWS_ACCESS_KEY_ID", "id", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "the-secret", 1);
    akidb_store *store;
    akidb_error err;
    for (size_t i = 0; i < sizeof uris / sizeof uris[0]; i++) {
        assert_ok(err, akidb_store_open(uris[i][0], &store, &err));
        assert_string_equal(akidb_store_name(store), uris[i][1]);
        akidb_store_close(store);
    }
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_status(AKIDB_E_VALIDATION, akidb_store_open(refused[i], &store, &err));
}

static int make_folder(void **state)
{
    (void)state;
    return test_folder_make(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_come_from_the_nearest_place),
        cmocka_unit_test(a_port_that_goes_without_saying_is_left_out),
        cmocka_unit_test(an_endpoint_with_a_password_is_refused_without_showing_it),
        cmocka_unit_test(bodies_are_signed_where_there_is_no_tls_unless_told_otherwise),
        cmocka_unit_test(endpoints_and_regions_that_cannot_be_are_refused),
        cmocka_unit_test(buckets_that_cannot_be_are_refused),
        cmocka_unit_test(a_prefix_is_part_of_every_key),
        cmocka_unit_test(numbers_have_limits),
        cmocka_unit_test(encryption_has_three_forms),
        cmocka_unit_test(a_uri_names_bucket_and_prefix),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
