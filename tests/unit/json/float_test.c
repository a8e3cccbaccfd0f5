/* Floats as decimals and back. `float_test --all` tries all 2^32 on all processors (`make soak`);
 * `float_test --from BITS --to BITS` those of which the magnitude, as bits, lies between. */
#include "test.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json/float_powers.h"
#include "json/json.h"

#define INFINITY_BITS 0x7F800000u

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of_float(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static const char *printed(float value, char text[AK_FLOAT_TEXT_SIZE + 1])
{
    text[ak_float_print(value, text)] = '\0';
    return text;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void floats_print_as_short_json_numbers(void **state)
{
    (void)state;
    static const struct {
        float value;
        const char *text;
    } cases[] = {
        {0.0f, "0"},
        {-0.0f, "-0.0"},
        {1.0f, "1"},
        {-1.0f, "-1"},
        {0.1f, "0.1"},
        {0.5f, "0.5"},
        {10.0f, "10"},
        {100.0f, "100"},
        {1000.0f, "1e3"},
        {1200.0f, "1200"},
        {-12.5f, "-12.5"},
        {0.001f, "1e-3"},
        {0.015f, "0.015"},
        {0.0015f, "0.0015"},
        {0.00012345f, "1.2345e-4"},
        {1e10f, "1e10"},
        {3.4028235e38f, "3.4028235e38"},
        {1.17549435e-38f, "1.1754944e-38"},
        {1e-45f, "1e-45"},
        {16777216.0f, "16777216"},
        {0.3f, "0.3"},
        {2.0f / 3.0f, "0.6666667"},
    };
    char text[AK_FLOAT_TEXT_SIZE + 1];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(printed(cases[i].value, text), cases[i].text);
    assert_int_equal(0, ak_float_print(INFINITY, text));
    assert_int_equal(0, ak_float_print(NAN, text));
}

/* Digits that count: without sign, point, exponent, and zeros at either end. */
static int significant_digits(const char *text)
{
    int count = 0;
    int zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9')
            continue;
        if (*text == '0') {
            zeros++;
            continue;
        }
        count += (count > 0 ? zeros : 0) + 1;
        zeros = 0;
    }
    return count;
}

static size_t parsed(const char *text, uint32_t *bits_out)
{
    float value;
    size_t taken = ak_float_parse(text, strlen(text), &value);
    *bits_out = bits_of_float(value);
    return taken;
}

/* The C library and we read the text as these bits, and behind a minus sign as their negative,
 * which is printed so. */
static bool reads_back(uint32_t bits, const char *text)
{
    char negative[AK_FLOAT_TEXT_SIZE + 1];
    uint32_t found, found_negative;
    printed(-float_of_bits(bits), negative);
    return bits_of_float(strtof(text, NULL)) == bits && parsed(text, &found) == strlen(text) &&
           found == bits && negative[0] == '-' && strcmp(negative + 1, text) == 0 &&
           parsed(negative, &found_negative) == strlen(negative) &&
           found_negative == (bits | 0x80000000u);
}

enum { PROBLEM_SIZE = 160 };

/* Reads back as the same bits; with one digit less it would not; of the same length it is the
 * nearest. For a float above 0. */
static bool prints_exactly(uint32_t bits, char problem[PROBLEM_SIZE])
{
    float value = float_of_bits(bits);
    char text[AK_FLOAT_TEXT_SIZE + 1];
    printed(value, text);
    if (!reads_back(bits, text)) {
        snprintf(problem, PROBLEM_SIZE, "0x%08x was printed as %s, which does not read back", bits,
                 text);
        return false;
    }
    int digits = significant_digits(text);
    if (digits <= 1)
        return true;
    char other[40];
    snprintf(other, sizeof other, "%.*e", digits - 2, (double)value);
    if (bits_of_float(strtof(other, NULL)) == bits) {
        snprintf(problem, PROBLEM_SIZE, "0x%08x was printed as %s, but %s is shorter", bits, text,
                 other);
        return false;
    }
    snprintf(other, sizeof other, "%.*e", digits - 1, (double)value);
    if (bits_of_float(strtof(other, NULL)) == bits && strtod(other, NULL) != strtod(text, NULL)) {
        snprintf(problem, PROBLEM_SIZE, "0x%08x was printed as %s, but %s is nearer", bits, text,
                 other);
        return false;
    }
    return true;
}

static void check_print(uint32_t bits)
{
    char problem[PROBLEM_SIZE];
    if (!prints_exactly(bits, problem))
        fail_msg("%s", problem);
}

static void every_power_of_two_and_its_neighbours_print_exactly(void **state)
{
    (void)state;
    for (uint32_t biased = 0; biased < 255; biased++)
        for (uint32_t near = 0; near < 8; near++) {
            uint32_t bits = (biased << 23) + near;
            if (bits > 0)
                check_print(bits);
            if (bits > 8)
                check_print(bits - 8);
        }
    for (int i = 0; i < 23; i++) /* subnormals of a single bit, and all bits below it */ {
        check_print(1u << i);
        check_print((2u << i) - 1);
    }
    check_print(0x7F7FFFFF);
}

static void random_floats_print_exactly(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int i = 0; i < 200000; i++) {
        uint32_t bits = (uint32_t)test_random(&random) & 0x7FFFFFFF;
        if (bits > 0 && bits < INFINITY_BITS)
            check_print(bits);
    }
    for (int i = 0; i < 100000; i++) { /* as in normalised vectors */
        float value = ((float)(test_random(&random) >> 40) - 8388608.0f) / 8388608.0f / 16.0f;
        if (value != 0)
            check_print(bits_of_float(fabsf(value)));
    }
}

/* ---- the table, by numbers of any size ------------------------------------------------------- */

enum { LIMBS = 10 };

static void big_times(uint32_t big[LIMBS], uint32_t factor)
{
    uint64_t carry = 0;
    for (int i = 0; i < LIMBS; i++) {
        carry += (uint64_t)big[i] * factor;
        big[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void big_divide(uint32_t big[LIMBS], uint32_t divisor)
{
    uint64_t rest = 0;
    for (int i = LIMBS; i-- > 0;) {
        rest = rest << 32 | big[i];
        big[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
}

/* floor(big / 2^n) with n such that 64 bits are left. */
static uint64_t highest_64_bits(const uint32_t big[LIMBS])
{
    uint64_t high = 0;
    int bits = 0;
    for (int i = LIMBS * 32; i-- > 0 && bits < 64;) {
        uint32_t bit = big[i / 32] >> (i % 32) & 1;
        if (bit != 0 || bits > 0) {
            high = high << 1 | bit;
            bits++;
        }
    }
    return high << (64 - bits);
}

static void the_table_holds_the_highest_64_bits_of_powers_of_ten(void **state)
{
    (void)state;
    for (int k = AK_FLOAT_POWER_MIN; k <= AK_FLOAT_POWER_MAX; k++) {
        uint32_t big[LIMBS] = {0};
        if (k >= 0) {
            big[0] = 1;
            for (int i = 0; i < k; i++)
                big_times(big, 10);
        } else { /* 2^319 / 10^-k; rounding down at each step rounds down the whole */
            big[LIMBS - 1] = 0x80000000u;
            for (int i = 0; i < -k; i++)
                big_divide(big, 10);
        }
        assert_true(ak_float_powers[k - AK_FLOAT_POWER_MIN] == highest_64_bits(big) + 1);
    }
}

/* ---- parsing --------------------------------------------------------------------------------- */

static void check_parse(const char *text)
{
    float value;
    size_t taken = ak_float_parse(text, strlen(text), &value);
    if (taken != strlen(text))
        fail_msg("%s: %zu characters were taken", text, taken);
    float expected = strtof(text, NULL);
    if (bits_of_float(value) != bits_of_float(expected))
        fail_msg("%s: expected %.9g, found %.9g", text, (double)expected, (double)value);
}

static void numbers_parse_as_the_nearest_float(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "0",
        "-0",
        "-0.0",
        "0e5",
        "0.0e-999999999999999999999",
        "1",
        "-1",
        "0.1",
        "1e0",
        "1E+2",
        "16777217",
        "16777219",
        "16777217.0000000000000000000000000000000000000001",
        "16777216.9999999999999999999999999999999999999999",
        "33554433e0",
        "1e38",
        "1e39",
        "-1e39",
        "3.4028235e38",
        "3.4028235677973366e38",
        "3.4028235677973367e38",
        "340282356779733661637539395458142568447",
        "340282356779733661637539395458142568448",
        "340282356779733661637539395458142568448.1",
        "1e99999999999999999999",
        "1e-99999999999999999999",
        "1.17549435e-38",
        "1.1754942e-38",
        "1e-45",
        "7e-46",
        "7.006492321624085e-46",
        "7.0064923216240853546186479164495806564013097093825788587853e-46",
        "7.0064923216240853546186479164495806564013097093825788587854e-46",
        "1e-46",
        "9.99e-47",
        "2.1019476964872256063855943749348741969203929128147736576356e-45",
        "0.000000000000000000000000000000000000000000000000000000000000000000000001e60",
        "100000000000000000000000000000000000000000000000000000000000000000000e-60",
        "0.044194173824159216",
        "0.09999999403953552",
        "123456789012345678901234567890e-25",
        "9007199254740993e-10",
        "4503599627370497.5",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_parse(cases[i]);
}

static void only_the_number_at_the_beginning_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t taken;
    } cases[] = {
        {"", 0},      {"-", 0},  {"+1", 0},  {".5", 0},    {"NaN", 0},  {"Infinity", 0},
        {"inf", 0},   {"e5", 0}, {" 1", 0},  {"01", 1},    {"-01", 2},  {"1.", 1},
        {"1.e5", 1},  {"1e", 1}, {"1e+", 1}, {"1e5e5", 3}, {"0x10", 1}, {"1,5", 1},
        {"12.5]", 4}, {"1 ", 1}, {"--1", 0}, {"1..2", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float value;
        size_t taken = ak_float_parse(cases[i].text, strlen(cases[i].text), &value);
        if (taken != cases[i].taken)
            fail_msg("\"%s\": expected %zu characters, found %zu", cases[i].text, cases[i].taken,
                     taken);
    }
    float value;
    assert_int_equal(2, ak_float_parse("123", 2, &value)); /* never beyond the given size */
    assert_true(value == 12.0f);
}

/* Digits are taken eight at a time: nothing else may pass for one, wherever it stands. */
static void a_number_ends_at_the_first_byte_that_is_no_digit(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        if (byte == '.' || byte == 'e' || byte == 'E' || (byte >= '0' && byte <= '9'))
            continue;
        for (size_t digits = 1; digits <= 24; digits++) {
            char text[40];
            memset(text, '7', sizeof text);
            text[digits] = (char)byte;
            float value;
            assert_int_equal(digits, ak_float_parse(text, sizeof text, &value));
            text[digits] = '\0';
            assert_true(value == strtof(text, NULL));
            memset(text, '7', sizeof text);
            memcpy(text, "0.", 2);
            text[2 + digits] = (char)byte;
            assert_int_equal(2 + digits, ak_float_parse(text, sizeof text, &value));
            text[2 + digits] = '\0';
            assert_true(value == strtof(text, NULL));
        }
    }
}

/* Every midpoint between two floats has at most 113 digits, and printf knows them all. */
static void check_midpoint(uint32_t bits)
{
    double low = (double)float_of_bits(bits);
    double high = (double)float_of_bits(bits + 1);
    char text[400];
    snprintf(text, sizeof text, "%.160e", low + (high - low) / 2);
    check_parse(text);
    char *exponent = strchr(text, 'e');
    char longer[500];
    snprintf(longer, sizeof longer, "%.*s000000000001%s", (int)(exponent - text), text, exponent);
    check_parse(longer);
    for (char *at = exponent - 1; at > text; at--) { /* just below: the last digit that is not 0 */
        if (*at > '0' && *at <= '9') {
            (*at)--;
            break;
        }
    }
    check_parse(text);
}

static void midpoints_and_what_lies_just_beside_them_round_correctly(void **state)
{
    (void)state;
    for (uint32_t biased = 0; biased < 254; biased += 7)
        for (uint32_t near = 0; near < 3; near++)
            check_midpoint((biased << 23) + near);
    uint64_t random = 2;
    for (int i = 0; i < 2000; i++)
        check_midpoint((uint32_t)(test_random(&random) % 0x7F7FFFFF));
}

static void random_texts_parse_as_strtof_has_it(void **state)
{
    (void)state;
    uint64_t random = 3;
    for (int i = 0; i < 100000; i++) {
        char text[80];
        unsigned long long whole = test_random(&random) >> (test_random(&random) % 64);
        unsigned long long part = test_random(&random) >> (test_random(&random) % 64);
        int exponent = (int)(test_random(&random) % 100) - 60;
        snprintf(text, sizeof text, "%s%llu.%llue%d", i % 2 == 0 ? "" : "-", whole, part, exponent);
        check_parse(text);
    }
    for (int i = 0; i < 100000; i++) { /* doubles, as other programs print them */
        char text[80];
        double value = (double)(int64_t)test_random(&random) * 0x1p-66;
        snprintf(text, sizeof text, "%.17g", value);
        check_parse(text);
    }
}

/* ---- all of them -------------------------------------------------------------------------------
 * printf takes most of the time that prints_exactly does. A long double tells nearly always whether
 * a decimal lies within an interval or clear of it; where it does not, prints_exactly decides. */

enum { POWER_MAX = 60 };

/* text = digits * 10^exponent, the last digit not 0. */
static void take_text(const char *text, uint32_t *digits_out, int *exponent_out)
{
    uint32_t digits = 0;
    int exponent = 0;
    bool behind_point = false;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text == '.') {
            behind_point = true;
            continue;
        }
        digits = digits * 10 + (uint32_t)(*text - '0');
        exponent -= behind_point;
    }
    exponent += *text == 'e' ? (int)strtol(text + 1, NULL, 10) : 0;
    for (; digits % 10 == 0; exponent++)
        digits /= 10;
    *digits_out = digits;
    *exponent_out = exponent;
}

/* false: perhaps not. */
static bool surely_prints_exactly(uint32_t bits, const long double powers[POWER_MAX + 1])
{
    const long double error = 0x1p-50L; /* more than the few roundings that come here can make */
    char text[AK_FLOAT_TEXT_SIZE + 1];
    printed(float_of_bits(bits), text);
    if (!reads_back(bits, text))
        return false;
    uint32_t digits;
    int exponent;
    take_text(text, &digits, &exponent);
    long double value = (long double)float_of_bits(bits);
    long double before = (long double)float_of_bits(bits - 1);
    long double after = bits + 1 == INFINITY_BITS ? 0x1p128L : (long double)float_of_bits(bits + 1);
    long double unit = exponent < 0 ? 1 / powers[-exponent] : powers[exponent];
    if (fabsl((long double)digits * unit - value) + value * error >= unit / 2)
        return false;
    uint32_t shorter = digits / 10 * 10; /* it and the next are the only ones that could do */
    return digits < 10 || ((long double)shorter * unit < (before + value) / 2 * (1 - error) &&
                           (long double)(shorter + 10) * unit > (value + after) / 2 * (1 + error));
}

typedef struct range {
    atomic_uint next; /* to be tried by the thread that takes it, with the CHUNK - 1 after it */
    uint32_t end;
    atomic_uint undecided; /* how many prints_exactly had to look at */
    pthread_mutex_t lock;
    char problem[PROBLEM_SIZE];
} range;

enum { CHUNK = 1 << 20, THREADS_MAX = 64 };

static void *try_range(void *context)
{
    range *r = context;
    long double powers[POWER_MAX + 1] = {1};
    for (int i = 1; i <= POWER_MAX; i++)
        powers[i] = powers[i - 1] * 10;
    for (uint32_t first; (first = atomic_fetch_add(&r->next, CHUNK)) < r->end;) {
        uint32_t end = r->end - first < CHUNK ? r->end : first + CHUNK;
        for (uint32_t bits = first; bits < end; bits++) {
            if (surely_prints_exactly(bits, powers))
                continue;
            char problem[PROBLEM_SIZE];
            atomic_fetch_add(&r->undecided, 1);
            if (prints_exactly(bits, problem))
                continue;
            pthread_mutex_lock(&r->lock);
            memcpy(r->problem, problem, sizeof problem);
            pthread_mutex_unlock(&r->lock);
            return NULL;
        }
        if (first / CHUNK % 128 == 0)
            print_message("0x%08x ...\n", first);
    }
    return NULL;
}

static void all_floats_of_a_range_print_exactly(void **state)
{
    range *r = *state;
    pthread_t threads[THREADS_MAX];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    long wanted = processors < 1 ? 1 : processors < THREADS_MAX ? processors : THREADS_MAX;
    for (long i = 0; i < wanted; i++)
        assert_int_equal(0, pthread_create(&threads[i], NULL, try_range, r));
    for (long i = 0; i < wanted; i++)
        pthread_join(threads[i], NULL);
    print_message("%u were left to printf\n", atomic_load(&r->undecided));
    if (r->problem[0] != '\0')
        fail_msg("%s", r->problem);
}

/* Magnitudes from 1: zeros have a test of their own. */
static int try_magnitudes(uint32_t from, uint32_t to)
{
    range r = {.lock = PTHREAD_MUTEX_INITIALIZER};
    r.end = to > INFINITY_BITS ? INFINITY_BITS : to;
    atomic_store(&r.next, from == 0 ? 1 : from);
    const struct CMUnitTest all[] = {
        cmocka_unit_test_prestate(all_floats_of_a_range_print_exactly, &r)};
    return cmocka_run_group_tests(all, NULL, NULL);
}

static void the_quick_check_of_a_range_decides(void **state)
{
    (void)state;
    range r = {.end = 0x3F800000u + 50000, .lock = PTHREAD_MUTEX_INITIALIZER};
    atomic_store(&r.next, 0x3F800000u - 50000);
    try_range(&r);
    assert_string_equal(r.problem, "");
    assert_in_range(atomic_load(&r.undecided), 0, 1000); /* so the quick way does decide */
}

static uint32_t bits_option(int argc, char **argv, const char *name, uint32_t otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return (uint32_t)strtoul(argv[i + 1], NULL, 0);
    return otherwise;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(floats_print_as_short_json_numbers),
        cmocka_unit_test(every_power_of_two_and_its_neighbours_print_exactly),
        cmocka_unit_test(random_floats_print_exactly),
        cmocka_unit_test(the_table_holds_the_highest_64_bits_of_powers_of_ten),
        cmocka_unit_test(numbers_parse_as_the_nearest_float),
        cmocka_unit_test(only_the_number_at_the_beginning_is_taken),
        cmocka_unit_test(a_number_ends_at_the_first_byte_that_is_no_digit),
        cmocka_unit_test(midpoints_and_what_lies_just_beside_them_round_correctly),
        cmocka_unit_test(random_texts_parse_as_strtof_has_it),
        cmocka_unit_test(the_quick_check_of_a_range_decides),
    };
    if (argc > 1)
        return try_magnitudes(bits_option(argc, argv, "--from", 0),
                              bits_option(argc, argv, "--to", INFINITY_BITS));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
