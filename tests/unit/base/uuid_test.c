#include <string.h>

#include "test.h"

static const char dns_text[] = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"; /* RFC 9562, table 3 */

static akidb_uuid parsed(const char *text)
{
    akidb_error err;
    akidb_uuid uuid;
    assert_ok(err, akidb_uuid_parse(text, &uuid, &err));
    return uuid;
}

static void assert_formats_to(const akidb_uuid *uuid, const char *expected)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(uuid, text);
    assert_string_equal(text, expected);
}

static void text_and_bytes_are_in_the_same_order(void **state)
{
    (void)state;
    akidb_uuid uuid = parsed(dns_text);
    const uint8_t expected[] = {0x6B, 0xA7, 0xB8, 0x10, 0x9D, 0xAD, 0x11, 0xD1,
                                0x80, 0xB4, 0x00, 0xC0, 0x4F, 0xD4, 0x30, 0xC8};
    assert_memory_equal(uuid.bytes, expected, 16);
    assert_formats_to(&uuid, dns_text);
}

static void any_case_is_read_and_lower_case_is_written(void **state)
{
    (void)state;
    akidb_uuid uuid = parsed("6BA7B810-9dAD-11D1-80b4-00C04FD430C8");
    assert_formats_to(&uuid, dns_text);
}

static void any_bytes_come_back(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 1000; i++) {
        akidb_uuid uuid;
        char text[AKIDB_UUID_TEXT_SIZE];
        test_random_bytes(test_random(&random), uuid.bytes, 16);
        akidb_uuid_format(&uuid, text);
        akidb_uuid found = parsed(text);
        assert_int_equal(akidb_uuid_compare(&uuid, &found), 0);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "6",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8 ",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c80",
        " 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "6ba7b8109dad11d180b400c04fd430c8",
        "6ba7b810-9dad-11d1-80b4+00c04fd430c8",
        "6ba7b81-09dad-11d1-80b4-00c04fd430c8",
        "6ba7b810-9dad-11d1-80b4-00c04fd430cg",
        "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}",
        "6ba7b810-9dad-11d1-80b4-00c04fd430-8",
    };
    akidb_error err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        akidb_uuid uuid, nil = {{0}};
        memset(&uuid, 0xFF, sizeof uuid);
        if (akidb_uuid_parse(texts[i], &uuid, &err) != AKIDB_E_VALIDATION)
            fail_msg("\"%s\" was read", texts[i]);
        assert_int_equal(akidb_uuid_compare(&uuid, &nil), 0);
    }
    akidb_uuid uuid;
    assert_status(AKIDB_E_VALIDATION, akidb_uuid_parse(NULL, &uuid, &err));
}

static void bytes_sort_as_the_text_does(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (int i = 0; i < 1000; i++) {
        akidb_uuid a, b;
        char a_text[AKIDB_UUID_TEXT_SIZE], b_text[AKIDB_UUID_TEXT_SIZE];
        test_random_bytes(test_random(&random), a.bytes, 16);
        b = a;
        b.bytes[test_random(&random) % 16] = (uint8_t)test_random(&random);
        akidb_uuid_format(&a, a_text);
        akidb_uuid_format(&b, b_text);
        int bytes = akidb_uuid_compare(&a, &b), text = strcmp(a_text, b_text);
        assert_true((bytes < 0) == (text < 0) && (bytes > 0) == (text > 0));
    }
}

static void version_5_is_that_of_the_specification(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid space = parsed(dns_text), uuid;
    const akidb_slice name = {"www.example.com", 15}; /* RFC 9562, appendix A.4 */
    assert_ok(err, akidb_uuid_new_v5(&space, name, &uuid, &err));
    assert_formats_to(&uuid, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    assert_ok(err, akidb_uuid_new_v5(&space, name, &space, &err)); /* out may be the name space */
    assert_int_equal(akidb_uuid_compare(&space, &uuid), 0);
}

static void a_collection_is_named_by_its_uuid_or_any_name(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid found, expected, space = parsed("0945db03-3ed2-5aea-b1b9-96709bcb3b20");
    assert_ok(err, akidb_collection_id("6BA7B810-9DAD-11D1-80B4-00C04FD430C8", &found, &err));
    assert_formats_to(&found, dns_text);
    assert_ok(err, akidb_collection_id("glove \xC3\xA9", &found, &err));
    assert_ok(err, akidb_uuid_new_v5(&space, (akidb_slice){"glove \xC3\xA9", 8}, &expected, &err));
    assert_int_equal(akidb_uuid_compare(&found, &expected), 0);
    assert_ok(err, akidb_collection_id("Glove \xC3\xA9", &found, &err));
    assert_true(akidb_uuid_compare(&found, &expected) != 0);
}

static void names_of_collections_have_limits(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid uuid;
    char name[1026];
    memset(name, 'n', sizeof name);
    name[1024] = '\0';
    assert_ok(err, akidb_collection_id(name, &uuid, &err));
    name[1024] = 'n';
    name[1025] = '\0';
    assert_status(AKIDB_E_VALIDATION, akidb_collection_id(name, &uuid, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_collection_id("", &uuid, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_collection_id(NULL, &uuid, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_collection_id("a\xFF", &uuid, &err));
    assert_non_null(strstr(err.message, "byte 1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_and_bytes_are_in_the_same_order),
        cmocka_unit_test(any_case_is_read_and_lower_case_is_written),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(bytes_sort_as_the_text_does),
        cmocka_unit_test(version_5_is_that_of_the_specification),
        cmocka_unit_test(a_collection_is_named_by_its_uuid_or_any_name),
        cmocka_unit_test(names_of_collections_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
