#include "base/options.h"

#include <string.h>

#include "test.h"

typedef struct old_options {
    size_t struct_size;
    int level;
    int mode;
} old_options;

typedef struct new_options {
    size_t struct_size;
    int level;
    int mode;
    uint64_t limit;
} new_options;

static void no_options_are_all_defaults(void **state)
{
    (void)state;
    akidb_error err;
    new_options to;
    memset(&to, 0xFF, sizeof to);
    assert_ok(err, ak_options_copy(&to, sizeof to, NULL, "options", &err));
    assert_true(to.struct_size == 0 && to.level == 0 && to.mode == 0 && to.limit == 0);
}

static void an_older_caller_gets_defaults_for_the_rest(void **state)
{
    (void)state;
    akidb_error err;
    new_options to;
    const old_options from = {sizeof from, 3, 4};
    memset(&to, 0xFF, sizeof to);
    assert_ok(err, ak_options_copy(&to, sizeof to, &from, "options", &err));
    assert_true(to.level == 3 && to.mode == 4 && to.limit == 0);
}

static void a_newer_caller_may_not_ask_for_what_is_unknown(void **state)
{
    (void)state;
    akidb_error err;
    old_options to;
    new_options from = {sizeof from, 3, 4, 0};
    assert_ok(err, ak_options_copy(&to, sizeof to, &from, "options", &err));
    assert_true(to.level == 3 && to.mode == 4);
    from.limit = 1;
    assert_status(AKIDB_E_UNSUPPORTED, ak_options_copy(&to, sizeof to, &from, "options", &err));
    assert_true(to.level == 0 && to.mode == 0);
}

static void a_size_that_was_never_set_is_refused(void **state)
{
    (void)state;
    akidb_error err;
    static const size_t sizes[] = {0, 1, 7, 4097, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        new_options to;
        const new_options from = {sizes[i], 1, 1, 1};
        assert_status(AKIDB_E_VALIDATION, ak_options_copy(&to, sizeof to, &from, "options", &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_options_are_all_defaults),
        cmocka_unit_test(an_older_caller_gets_defaults_for_the_rest),
        cmocka_unit_test(a_newer_caller_may_not_ask_for_what_is_unknown),
        cmocka_unit_test(a_size_that_was_never_set_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
