#include "document/new_ids.h"

#include <stdlib.h>
#include <string.h>

#include "test.h"

static uint64_t milliseconds_in(const akidb_uuid *id)
{
    uint64_t milliseconds = 0;
    for (size_t i = 0; i < 6; i++)
        milliseconds = milliseconds << 8 | id->bytes[i];
    return milliseconds;
}

static void assert_version_7(const akidb_uuid *id)
{
    assert_int_equal(id->bytes[6] >> 4, 7);
    assert_int_equal(id->bytes[8] >> 6, 2);
}

static void ids_have_the_version_the_variant_and_the_time(void **state)
{
    (void)state;
    akidb_error err;
    ak_id_sequence sequence = {0};
    akidb_uuid ids[3];
    /* The example of RFC 9562, appendix A.6: 2022-02-22T19:22:22Z. */
    assert_ok(err, ak_id_sequence_take(&sequence, INT64_C(0x017F22E279B0) * 1000, ids, 3, &err));
    for (size_t i = 0; i < 3; i++) {
        assert_version_7(&ids[i]);
        assert_int_equal(milliseconds_in(&ids[i]), UINT64_C(0x017F22E279B0));
    }
}

static void later_ids_sort_later_whatever_the_clock_does(void **state)
{
    (void)state;
    akidb_error err;
    ak_id_sequence sequence = {0};
    uint64_t random = 4;
    akidb_uuid last = {{0}}, ids[50];
    int64_t now = INT64_C(1700000000000000);
    for (int round = 0; round < 500; round++) {
        size_t count = test_random(&random) % 50 + 1;
        assert_ok(err, ak_id_sequence_take(&sequence, now, ids, count, &err));
        for (size_t i = 0; i < count; i++) {
            assert_true(akidb_uuid_compare(&ids[i], &last) > 0);
            last = ids[i];
        }
        now += (int64_t)(test_random(&random) % 5000) - 2000; /* back now and then */
    }
}

static void many_ids_of_one_millisecond_ascend(void **state)
{
    (void)state;
    enum { COUNT = 200000 };
    akidb_error err;
    ak_id_sequence sequence = {0};
    akidb_uuid *ids = malloc(COUNT * sizeof *ids);
    assert_non_null(ids);
    assert_ok(err, ak_id_sequence_take(&sequence, 1000, ids, COUNT, &err));
    for (size_t i = 1; i < COUNT; i++)
        assert_true(akidb_uuid_compare(&ids[i], &ids[i - 1]) > 0);
    assert_int_equal(milliseconds_in(&ids[COUNT - 1]), 1);
    free(ids);
}

static void the_random_bits_carry_over(void **state)
{
    (void)state;
    akidb_error err;
    const uint64_t low_most = (UINT64_C(1) << 62) - 1, high_most = (UINT64_C(1) << 12) - 1;
    akidb_uuid id;
    ak_id_sequence sequence = {5, 7, low_most};
    assert_ok(err, ak_id_sequence_take(&sequence, 5000, &id, 1, &err));
    assert_int_equal(sequence.high, 8);
    assert_int_equal(milliseconds_in(&id), 5);
    assert_version_7(&id);
    sequence = (ak_id_sequence){5, high_most, low_most};
    assert_ok(err, ak_id_sequence_take(&sequence, 5000, &id, 1, &err));
    assert_int_equal(milliseconds_in(&id), 6); /* borrowed from the next millisecond */
    assert_version_7(&id);
}

static void clocks_outside_of_48_bits_are_cut(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid id, other;
    ak_id_sequence sequence = {0}, second = {0};
    assert_ok(err, ak_id_sequence_take(&sequence, AKIDB_TIME_MIN, &id, 1, &err));
    assert_int_equal(milliseconds_in(&id), 0);
    assert_ok(err, ak_id_sequence_take(&second, 0, &other, 1, &err));
    assert_memory_not_equal(&id.bytes[7], &other.bytes[7], 9); /* random even at time 0 */
    assert_ok(err, ak_id_sequence_take(&sequence, INT64_MAX, &id, 1, &err));
    assert_version_7(&id);
    assert_int_equal(milliseconds_in(&id), (UINT64_C(1) << 48) - 1);
}

static void one_call_gives_ids_of_now(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid ids[2000];
    assert_ok(err, ak_new_ids(ids, 2000, &err));
    for (size_t i = 1; i < 2000; i++)
        assert_true(akidb_uuid_compare(&ids[i], &ids[i - 1]) > 0);
    assert_true(milliseconds_in(&ids[0]) > UINT64_C(1600000000000));
    assert_ok(err, ak_new_ids(ids, 0, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_have_the_version_the_variant_and_the_time),
        cmocka_unit_test(later_ids_sort_later_whatever_the_clock_does),
        cmocka_unit_test(many_ids_of_one_millisecond_ascend),
        cmocka_unit_test(the_random_bits_carry_over),
        cmocka_unit_test(clocks_outside_of_48_bits_are_cut),
        cmocka_unit_test(one_call_gives_ids_of_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
