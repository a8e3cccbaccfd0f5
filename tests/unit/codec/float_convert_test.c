#include "codec/float_convert.h"

#include <math.h>
#include <string.h>

#include "test.h"

static void float16_is_widened_exactly(void **state)
{
    (void)state;
    assert_true(ak_float_from_half(0x3C00) == 1.0f);
    assert_true(ak_float_from_half(0xC000) == -2.0f);
    assert_true(ak_float_from_half(0x7BFF) == 65504.0f);
    assert_true(ak_float_from_half(0x0400) == 0x1p-14f);
    assert_true(ak_float_from_half(0x03FF) == 1023 * 0x1p-24f);
    assert_true(ak_float_from_half(0x8000) == 0 && signbit(ak_float_from_half(0x8000)));
    assert_true(ak_float_from_half(0xFC00) == -INFINITY);
    float nan = ak_float_from_half(0xFE01);
    uint32_t bits;
    memcpy(&bits, &nan, sizeof bits);
    assert_int_equal(bits, 0xFFC02000);
}

static void doubles_out_of_range_are_told(void **state)
{
    (void)state;
    const double values[] = {1.5, (double)INFINITY, 3.4028235677973366e38, -1e300, 1e39};
    float floats[5] = {0};
    size_t bad;
    ak_floats_convert((const uint8_t *)values, 2, 8, false, floats, 1, &bad);
    assert_int_equal(bad, 2);
    assert_true(floats[0] == 1.5f && floats[1] == INFINITY);
    ak_floats_convert((const uint8_t *)values, 5, 8, false, floats, 1, &bad);
    assert_int_equal(bad, 2); /* the least that is rounded to infinity */
    ak_floats_convert((const uint8_t *)(values + 3), 2, 8, false, floats, 1, &bad);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float16_is_widened_exactly),
        cmocka_unit_test(doubles_out_of_range_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
