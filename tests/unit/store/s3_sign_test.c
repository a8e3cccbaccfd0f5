/* The examples that AWS publishes for S3 ("Signature Calculations for the Authorization Header"),
 * and the cases that signers get wrong. */
#include "store/s3/sign.h"

#include <string.h>

#include "test.h"

static const char empty_hash[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char host[] = "examplebucket.s3.amazonaws.com";
static const int64_t may_24_2013 = INT64_C(1369353600) * 1000000;

static const ak_s3_signer signer = {
    .access_key_id = "AKIAIOSFODNN7EXAMPLE",
    .secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    .region = "us-east-1",
    .service = "s3",
};

static void assert_authorization(const ak_s3_to_sign *request, const char *names,
                                 const char *signature)
{
    akidb_error err = {0};
    akidb_buffer found = {0};
    assert_ok(err, ak_s3_sign(&signer, request, &found, &err));
    char expected[512];
    snprintf(expected, sizeof expected,
             "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
             "SignedHeaders=%s,Signature=%s",
             names, signature);
    assert_string_equal((const char *)found.data, expected);
    assert_int_equal(found.size, strlen(expected));
    akidb_buffer_free(&found);
}

static void signs_a_get_with_a_range_as_published(void **state)
{
    (void)state;
    const ak_s3_header headers[] = {
        {"host", host},
        {"range", "bytes=0-9"},
        {"x-amz-content-sha256", empty_hash},
        {"x-amz-date", "20130524T000000Z"},
    };
    const ak_s3_to_sign request = {"GET", "/test.txt", "", headers, 4, empty_hash, may_24_2013};
    assert_authorization(&request, "host;range;x-amz-content-sha256;x-amz-date",
                         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void signs_a_put_of_a_strange_key_as_published(void **state)
{
    (void)state;
    akidb_error err = {0};
    char hash[AK_S3_HASH_SIZE];
    const akidb_slice body = {"Welcome to Amazon S3.", 21};
    assert_ok(err, ak_s3_hash(&body, 1, hash, &err));
    akidb_buffer path = {0};
    assert_ok(err, ak_s3_encode("/test$file.text", true, &path, &err));
    char path_text[64] = {0};
    memcpy(path_text, path.data, path.size);
    akidb_buffer_free(&path);
    assert_string_equal(path_text, "/test%24file.text");

    const ak_s3_header headers[] = {
        {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
        {"x-amz-date", "20130524T000000Z"},
        {"x-amz-content-sha256", hash},
        {"host", host},
        {"date", "Fri, 24 May 2013 00:00:00 GMT"},
    };
    const ak_s3_to_sign request = {"PUT", path_text, "", headers, 5, hash, may_24_2013};
    assert_authorization(&request, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void assert_query(const ak_s3_parameter *parameters, size_t count,
                         const char *expected_query, const char *signature)
{
    akidb_error err = {0};
    akidb_buffer query = {0};
    assert_ok(err, ak_s3_append_query(parameters, count, &query, &err));
    char text[256] = {0};
    memcpy(text, query.data, query.size);
    akidb_buffer_free(&query);
    assert_string_equal(text, expected_query);
    const ak_s3_header headers[] = {
        {"host", host},
        {"x-amz-content-sha256", empty_hash},
        {"x-amz-date", "20130524T000000Z"},
    };
    const ak_s3_to_sign request = {"GET", "/", text, headers, 3, empty_hash, may_24_2013};
    if (signature != NULL)
        assert_authorization(&request, "host;x-amz-content-sha256;x-amz-date", signature);
}

static void signs_a_parameter_without_value_as_published(void **state)
{
    (void)state;
    assert_query(&(const ak_s3_parameter){"lifecycle", ""}, 1,
                 "lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

static void signs_a_list_as_published(void **state)
{
    (void)state;
    const ak_s3_parameter parameters[] = {{"prefix", "J"}, {"max-keys", "2"}};
    assert_query(parameters, 2, "max-keys=2&prefix=J",
                 "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void encodes_every_byte_that_is_not_unreserved(void **state)
{
    (void)state;
    const ak_s3_parameter parameters[] = {
        {"list-type", "2"},
        {"continuation-token", "a+b/c=d e!$'()*,;:@&%2B\xC3\xA9~-._"},
    };
    assert_query(parameters, 2,
                 "continuation-token=a%2Bb%2Fc%3Dd%20e%21%24%27%28%29%2A%2C%3B%3A%40%26%252B%C3%A9"
                 "~-._&list-type=2",
                 NULL);
}

/* x-amz-copy-source sorts before x-amz-copy-source-range, though ':' sorts after '-'; an inner run
 * of blanks counts as one; an empty value stays. The signature is that of an independent
 * implementation. */
static void header_order_is_that_of_names_not_of_lines(void **state)
{
    (void)state;
    const ak_s3_header tidy[] = {
        {"host", host},
        {"x-amz-copy-source", "/a/b"},
        {"x-amz-copy-source-range", "bytes=0-9"},
        {"x-amz-date", "20130524T000000Z"},
        {"x-amz-meta-a", "two words"},
        {"x-amz-meta-a-b", ""},
    };
    const ak_s3_header untidy[] = {
        {"x-amz-meta-a-b", "  "},
        {"x-amz-meta-a", "  two \t words "},
        {"x-amz-copy-source-range", "bytes=0-9"},
        {"x-amz-date", "20130524T000000Z"},
        {"x-amz-copy-source", "/a/b"},
        {"host", host},
    };
    const char *names = "host;x-amz-copy-source;x-amz-copy-source-range;x-amz-date;x-amz-meta-a;"
                        "x-amz-meta-a-b";
    const char *signature = "8e47ed537283e132341b4d1fc898ea50718f67e82bd4c82a5ae6618c260e164e";
    const ak_s3_to_sign first = {"PUT", "/b", "", tidy, 6, "UNSIGNED-PAYLOAD", may_24_2013};
    const ak_s3_to_sign second = {"PUT", "/b", "", untidy, 6, "UNSIGNED-PAYLOAD", may_24_2013};
    assert_authorization(&first, names, signature);
    assert_authorization(&second, names, signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_a_get_with_a_range_as_published),
        cmocka_unit_test(signs_a_put_of_a_strange_key_as_published),
        cmocka_unit_test(signs_a_parameter_without_value_as_published),
        cmocka_unit_test(signs_a_list_as_published),
        cmocka_unit_test(encodes_every_byte_that_is_not_unreserved),
        cmocka_unit_test(header_order_is_that_of_names_not_of_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
