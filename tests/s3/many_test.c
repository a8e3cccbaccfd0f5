/* Many keys deleted at once, on the tests' own server. */
#include <string.h>

#include "world.h"

enum { MANY = 2500 };

static void put_many(world *w, char names[][16], const char *keys[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(names[i], 16, "many/%u", (unsigned)i);
        keys[i] = names[i];
    }
    assert_ok(w->err, put(w, keys[0], SMALL, AKIDB_PUT_ALWAYS));
    assert_ok(w->err, put(w, keys[count - 1], SMALL, AKIDB_PUT_ALWAYS));
}

static void assert_none(world *w, const char *prefix)
{
    size_t count = 0;
    assert_ok(w->err, akidb_store_list(w->store, prefix, 0, count_entry, &count, &w->err));
    assert_int_equal(count, 0);
}

static void a_thousand_keys_are_deleted_by_one_request(void **state)
{
    (void)state;
    static char names[MANY][16];
    static const char *keys[MANY];
    world *w = world_open();
    put_many(w, names, keys, MANY);
    assert_ok(w->err, akidb_store_delete_many(w->store, keys, MANY, NULL, &w->err));
    assert_int_equal(s3_server_count(&server, "DeleteObjects"), 3);
    assert_int_equal(s3_server_count(&server, "DeleteObject"), 0);
    assert_none(w, "many/");
    assert_ok(w->err, akidb_store_delete_many(w->store, keys, 1, NULL, &w->err));
    assert_int_equal(s3_server_count(&server, "DeleteObject"), 1);
    world_close(w);
}

static void a_key_that_stays_does_not_keep_the_others(void **state)
{
    (void)state;
    static const char *const keys[] = {"a & b", "denied", "passing", "odd", "absent"};
    akidb_status outcomes[5];
    world *w = world_open();
    for (size_t i = 0; i < 4; i++)
        assert_ok(w->err, put(w, keys[i], SMALL, AKIDB_PUT_ALWAYS));
    s3_server_tell(&server, "{\"set\": {\"key_errors\": {\"p/denied\": \"AccessDenied\", "
                            "\"p/passing\": \"InternalError\", \"p/odd\": \"NeverHeardOf\", "
                            "\"p/absent\": \"NoSuchKey\"}}}");
    assert_status(AKIDB_E_PERMISSION,
                  akidb_store_delete_many(w->store, keys, 5, outcomes, &w->err));
    static const akidb_status expected[] = {AKIDB_OK, AKIDB_E_PERMISSION, AKIDB_OK, AKIDB_E_STORE,
                                            AKIDB_OK};
    assert_memory_equal(outcomes, expected, sizeof expected);
    assert_non_null(strstr(w->err.message, "s3://" S3_TEST_BUCKET "/p/denied"));
    assert_non_null(strstr(w->err.message, "AccessDenied: for this key"));
    assert_int_equal(s3_server_count(&server, "DeleteObject"), 1); /* the one that may pass */
    world_close(w);
}

static void an_answer_about_other_keys_is_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "b", "c"};
    static const char *const told[] = {"p/x", "other", "p/a"}; /* the last one more than once */
    akidb_status outcomes[3];
    world *w = world_open();
    for (size_t i = 0; i < 3; i++) {
        s3_server_tell(&server,
                       "{\"set\": {\"told_key\": \"%s\", \"key_errors\": {\"p/a\": \"X\", "
                       "\"p/b\": \"X\"}}}",
                       told[i]);
        assert_status(AKIDB_E_STORE, akidb_store_delete_many(w->store, keys, 3, outcomes, &w->err));
        assert_int_equal(outcomes[0], AKIDB_E_STORE);
    }
    world_close(w);
}

static void a_server_without_delete_many_gets_single_deletes(void **state)
{
    (void)state;
    static char names[20][16];
    static const char *keys[20];
    world *w = world_open();
    s3_server_tell(&server, "{\"set\": {\"delete_many\": false}}");
    for (size_t i = 1; i <= 2; i++) {
        put_many(w, names, keys, 20);
        assert_ok(w->err, akidb_store_delete_many(w->store, keys, 20, NULL, &w->err));
        assert_none(w, "many/");
        assert_int_equal(s3_server_count(&server, "DeleteObjects"), 1); /* not asked again */
        assert_int_equal(s3_server_count(&server, "DeleteObject"), 20 * i);
    }
    assert_non_null(strstr(last_log, "DeleteObjects"));
    world_close(w);
}

static void a_key_that_xml_cannot_hold_is_deleted_all_the_same(void **state)
{
    (void)state;
    static const char *const keys[] = {"odd \xEF\xBF\xBE", "odd", "odd \xEF\xBF\xBF"};
    world *w = world_open();
    for (size_t i = 0; i < 3; i++)
        assert_ok(w->err, put(w, keys[i], SMALL, AKIDB_PUT_ALWAYS));
    assert_ok(w->err, akidb_store_delete_many(w->store, keys, 3, NULL, &w->err));
    assert_none(w, "odd");
    assert_int_equal(s3_server_count(&server, "DeleteObjects"), 1);
    assert_int_equal(s3_server_count(&server, "DeleteObject"), 2);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_keys_are_deleted_by_one_request),
        cmocka_unit_test(a_key_that_stays_does_not_keep_the_others),
        cmocka_unit_test(an_answer_about_other_keys_is_refused),
        cmocka_unit_test(a_server_without_delete_many_gets_single_deletes),
        cmocka_unit_test(a_key_that_xml_cannot_hold_is_deleted_all_the_same),
    };
    return cmocka_run_group_tests_name("s3 many keys", tests, world_start_server,
                                       world_stop_server);
}
