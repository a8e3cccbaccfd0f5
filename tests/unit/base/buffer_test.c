#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/sys/output.h"
#include "base/checked.h"
#include "test.h"

static void bytes_are_appended(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer buffer = {0};
    assert_ok(err, ak_buffer_append(&buffer, "abc", 3, &err));
    assert_ok(err, ak_buffer_put(&buffer, 'd', &err));
    assert_ok(err, ak_buffer_append(&buffer, NULL, 0, &err));
    assert_ok(err, ak_buffer_printf(&buffer, &err, "%d-%s", 5, "xyz"));
    assert_int_equal(buffer.size, 9);
    assert_memory_equal(buffer.data, "abcd5-xyz", 9);
    akidb_buffer_free(&buffer);
    assert_true(buffer.data == NULL && buffer.size == 0 && buffer.capacity == 0);
    akidb_buffer_free(NULL);
}

static void many_appends_take_few_reallocations(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer buffer = {0};
    size_t grown = 0, capacity = 0;
    for (size_t i = 0; i < 100000; i++) {
        assert_ok(err, ak_buffer_put(&buffer, (uint8_t)i, &err));
        grown += buffer.capacity != capacity;
        capacity = buffer.capacity;
    }
    assert_true(grown < 30);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(buffer.data[i], (uint8_t)i);
    akidb_buffer_free(&buffer);
}

static void a_failure_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer buffer = {0};
    assert_ok(err, ak_buffer_append(&buffer, "abc", 3, &err));
    const akidb_buffer before = buffer;
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 2, PTRDIFF_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_status(AKIDB_E_OUT_OF_MEMORY, ak_buffer_reserve(&buffer, sizes[i], &err));
        assert_memory_equal(&buffer, &before, sizeof buffer);
    }
    assert_memory_equal(buffer.data, "abc", 3);
    akidb_buffer_free(&buffer);
}

static void arrays_grow_by_half_and_are_checked_for_overflow(void **state)
{
    (void)state;
    akidb_error err;
    void *array = NULL;
    size_t capacity = 0;
    assert_ok(err, ak_array_reserve(&array, &capacity, 100, 8, &err));
    assert_int_equal(capacity, 100);
    assert_ok(err, ak_array_reserve(&array, &capacity, 101, 8, &err));
    assert_int_equal(capacity, 150);
    assert_ok(err, ak_array_reserve(&array, &capacity, 7, 8, &err));
    assert_int_equal(capacity, 150);
    void *before = array;
    assert_status(AKIDB_E_OUT_OF_MEMORY,
                  ak_array_reserve(&array, &capacity, SIZE_MAX / 8 + 2, 8, &err));
    assert_true(array == before && capacity == 150);
    free(array);
}

static void an_output_to_a_buffer_takes_all_slices(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer buffer = {0};
    akidb_output output = akidb_output_to_buffer(&buffer);
    const akidb_slice slices[] = {{"ab", 2}, {NULL, 0}, {"c", 1}};
    assert_ok(err, akidb_output_write(&output, slices, 3, &err));
    assert_ok(err, akidb_output_write(&output, NULL, 0, &err));
    assert_ok(err, akidb_output_write(&output, slices, 1, &err));
    assert_int_equal(buffer.size, 5);
    assert_memory_equal(buffer.data, "abcab", 5);
    assert_status(AKIDB_E_VALIDATION, akidb_output_write(&output, NULL, 1, &err));
    const akidb_slice huge[] = {{"ab", SIZE_MAX}, {"ab", 2}};
    assert_status(AKIDB_E_OUT_OF_MEMORY, akidb_output_write(&output, huge, 2, &err));
    assert_int_equal(buffer.size, 5);
    akidb_buffer_free(&buffer);
}

static void checked_arithmetic_tells_what_fits(void **state)
{
    (void)state;
    uint64_t wide;
    size_t size;
    assert_true(ak_add_u64(UINT64_MAX - 1, 1, &wide) && wide == UINT64_MAX);
    assert_false(ak_add_u64(UINT64_MAX, 1, &wide));
    assert_true(ak_mul_u64(UINT64_C(1) << 32, UINT32_MAX, &wide));
    assert_false(ak_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &wide));
    assert_false(ak_add_size(SIZE_MAX, 1, &size));
    assert_false(ak_mul_size(SIZE_MAX, 2, &size));
    assert_true(ak_range_fits(10, 0, 10) && ak_range_fits(0, 10, 10) && ak_range_fits(3, 7, 10));
    assert_false(ak_range_fits(11, 0, 10) || ak_range_fits(3, 8, 10) ||
                 ak_range_fits(UINT64_MAX, 2, 10) || ak_range_fits(2, UINT64_MAX, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_appended),
        cmocka_unit_test(many_appends_take_few_reallocations),
        cmocka_unit_test(a_failure_leaves_the_buffer_as_it_was),
        cmocka_unit_test(arrays_grow_by_half_and_are_checked_for_overflow),
        cmocka_unit_test(an_output_to_a_buffer_takes_all_slices),
        cmocka_unit_test(checked_arithmetic_tells_what_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
