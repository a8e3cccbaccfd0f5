#include "akidb/sys/output.h"

#include "test.h"

static void a_buffer_takes_all_slices_in_order(void **state)
{
    (void)state;
    akidb_buffer buffer = {0};
    const akidb_output output = akidb_output_to_buffer(&buffer);
    const akidb_slice slices[] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
    akidb_error err = {0};
    assert_ok(err, akidb_output_write(&output, slices, 3, &err));
    assert_ok(err, akidb_output_write(&output, slices, 1, &err));
    assert_ok(err, akidb_output_write(&output, NULL, 0, &err));
    assert_int_equal(buffer.size, 7);
    assert_memory_equal(buffer.data, "abcdeab", 7);
    akidb_buffer_free(&buffer);
}

static void an_output_without_a_function_is_refused(void **state)
{
    (void)state;
    const akidb_output_ops none = {NULL};
    const akidb_output outputs[] = {{NULL, NULL}, {&none, NULL}};
    const akidb_slice slice = {"a", 1};
    assert_status(AKIDB_E_VALIDATION, akidb_output_write(NULL, &slice, 1, NULL));
    assert_status(AKIDB_E_VALIDATION, akidb_output_write(&outputs[0], &slice, 1, NULL));
    assert_status(AKIDB_E_VALIDATION, akidb_output_write(&outputs[1], &slice, 1, NULL));
}

static void slices_that_are_missing_are_refused(void **state)
{
    (void)state;
    akidb_buffer buffer = {0};
    const akidb_output output = akidb_output_to_buffer(&buffer);
    assert_status(AKIDB_E_VALIDATION, akidb_output_write(&output, NULL, 1, NULL));
    assert_int_equal(buffer.size, 0);
}

static void sizes_that_overflow_are_out_of_memory(void **state)
{
    (void)state;
    akidb_buffer buffer = {0};
    const akidb_output output = akidb_output_to_buffer(&buffer);
    const akidb_slice slices[] = {{"a", SIZE_MAX}, {"b", 2}};
    assert_status(AKIDB_E_OUT_OF_MEMORY, akidb_output_write(&output, slices, 2, NULL));
    assert_null(buffer.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_takes_all_slices_in_order),
        cmocka_unit_test(an_output_without_a_function_is_refused),
        cmocka_unit_test(slices_that_are_missing_are_refused),
        cmocka_unit_test(sizes_that_overflow_are_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
