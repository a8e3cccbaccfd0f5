#include "base/checksum.h"

#include "test.h"

static const char digits[] = "123456789"; /* the check input of the CRC catalogue */

static void crc32_of_the_check_input(void **state)
{
    (void)state;
    assert_int_equal(ak_crc32(0, digits, 9), 0xCBF43926);
    assert_int_equal(ak_crc32(0, "", 0), 0);
}

static void crc32c_of_the_check_input(void **state)
{
    (void)state;
    assert_int_equal(ak_crc32c(0, digits, 9), 0xE3069283);
    assert_int_equal(ak_crc32c(0, "", 0), 0);
}

static void checksums_continue(void **state)
{
    (void)state;
    for (size_t cut = 0; cut <= 9; cut++) {
        uint32_t crc = ak_crc32(0, digits, cut);
        assert_int_equal(ak_crc32(crc, digits + cut, 9 - cut), 0xCBF43926);
        uint32_t crc32c = ak_crc32c(0, digits, cut);
        assert_int_equal(ak_crc32c(crc32c, digits + cut, 9 - cut), 0xE3069283);
    }
}

static void crc32c_combines(void **state)
{
    (void)state;
    uint8_t bytes[5000];
    test_random_bytes(1, bytes, sizeof bytes);
    uint32_t whole = ak_crc32c(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut += 7) {
        uint32_t a = ak_crc32c(0, bytes, cut);
        uint32_t b = ak_crc32c(0, bytes + cut, sizeof bytes - cut);
        assert_int_equal(ak_crc32c_combine(a, b, sizeof bytes - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32_of_the_check_input),
        cmocka_unit_test(crc32c_of_the_check_input),
        cmocka_unit_test(checksums_continue),
        cmocka_unit_test(crc32c_combines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
