/*
 * A JSON number as the nearest float. Nearly always a double decides: its error is so small that
 * it lies on the same side of every midpoint between two floats as the number itself. Where it does
 * not lie clear of a midpoint, whole numbers of any size decide.
 */
#include <float.h>
#include <string.h>

#include "base/endian.h"
#include "json/json.h"

enum {
    FAST_DIGITS = 19,   /* what a uint64_t holds */
    EXACT_DIGITS = 120, /* a midpoint between two floats has at most 113 significant digits */
    EXPONENT_FAR = 100  /* beyond it, only whole numbers of any size look */
};

/* ---- the text -------------------------------------------------------------------------------- */

/* The number is all its digits, as one whole number, times 10^exponent; nearly the same as
 * `leading` times 10^leading_exponent. */
typedef struct number {
    bool negative;
    const char *digits;     /* from the first digit, with the point in it, */
    const char *digits_end; /* to the last before the exponent */
    int64_t exponent;
    uint64_t leading; /* the first FAST_DIGITS digits, not counting zeros before them */
    int64_t leading_exponent;
} number;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* How many of eight characters, the first in the lowest byte, are digits up to the first that is
 * none; XORed with "00000000" before. */
static unsigned count_digits(uint64_t eight)
{
    const uint64_t high_bits = UINT64_C(0x8080808080808080);
    /* 10 and more carry into the high bit; a carry beyond it meets only bytes after the first. */
    uint64_t others = ((eight + UINT64_C(0x7676767676767676)) | eight) & high_bits;
    return others == 0 ? 8 : (unsigned)__builtin_ctzll(others) / 8;
}

/* The number that eight digits make, of values 0 to 9, the first in the lowest byte: pairs of
 * neighbours, three times. */
static uint64_t number_of_digits(uint64_t eight)
{
    const uint64_t pairs = UINT64_C(0x00FF00FF00FF00FF);
    const uint64_t fours = UINT64_C(0x0000FFFF0000FFFF);
    eight = (eight & pairs) * 10 + (eight >> 8 & pairs);
    eight = (eight & fours) * 100 + (eight >> 16 & fours);
    return (eight & UINT32_MAX) * 10000 + (eight >> 32);
}

/* Adds the digits at `at` to *value, modulo 2^64; returns where they end. */
static inline const char *take_digits(const char *at, const char *end, uint64_t *value)
{
    static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    uint64_t sum = *value;
    while (end - at >= 8) {
        uint64_t eight = ak_load_u64(at) ^ UINT64_C(0x3030303030303030);
        unsigned count = count_digits(eight);
        if (count < 8) { /* behind so many zeros that they are eight */
            *value = sum * powers[count] + number_of_digits(eight << (56 - 8 * count) << 8);
            return at + count;
        }
        sum = sum * 100000000 + number_of_digits(eight);
        at += 8;
    }
    for (; at < end && is_digit(*at); at++)
        sum = sum * 10 + (uint64_t)(*at - '0');
    *value = sum;
    return at;
}

/* "e-12" and its like; returns where it ends, `at` when there is none. */
static const char *take_exponent(const char *at, const char *end, int64_t *exponent)
{
    const char *digit = at;
    if (digit == end || (*digit != 'e' && *digit != 'E'))
        return at;
    digit++;
    bool negative = digit < end && *digit == '-';
    if (digit < end && (*digit == '-' || *digit == '+'))
        digit++;
    if (digit == end || !is_digit(*digit))
        return at;
    int64_t value = 0;
    for (; digit < end && is_digit(*digit); digit++)
        if (value < INT64_C(1000000000000000)) /* no text is long enough to make up for more */
            value = value * 10 + (*digit - '0');
    *exponent = negative ? -value : value;
    return digit;
}

/* For more digits than a uint64_t holds: the leading ones again, and no more. */
static void take_leading(number *n)
{
    int held = 0;
    n->leading = 0;
    n->leading_exponent = n->exponent;
    for (const char *at = n->digits; at < n->digits_end; at++) {
        if (*at == '.' || (held == 0 && *at == '0'))
            continue;
        if (held == FAST_DIGITS) {
            n->leading_exponent++;
            continue;
        }
        n->leading = n->leading * 10 + (uint64_t)(*at - '0');
        held++;
    }
}

/* Returns where the number ends, or NULL when there is none. */
static const char *take_number(const char *text, const char *end, number *n)
{
    const char *at = text;
    n->negative = at < end && *at == '-';
    at += n->negative; /* no jump: signs cannot be foreseen */
    if (at == end || !is_digit(*at))
        return NULL;
    n->digits = at;
    n->leading = 0;
    at = *at == '0' ? at + 1 : take_digits(at, end, &n->leading);
    int64_t decimals = 0;
    if (end - at >= 2 && *at == '.' && is_digit(at[1])) {
        const char *after_point = at + 1;
        at = take_digits(after_point, end, &n->leading);
        decimals = at - after_point;
    }
    n->digits_end = at;
    int64_t exponent = 0;
    at = take_exponent(at, end, &exponent);
    n->exponent = exponent - decimals;
    n->leading_exponent = n->exponent;
    if (n->digits_end - n->digits > FAST_DIGITS)
        take_leading(n);
    return at;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* ---- by a double ----------------------------------------------------------------------------- */

static double times_power(double value, int exponent)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}; /* all exact */
    for (; exponent > 22; exponent -= 22)
        value *= powers[22];
    for (; exponent < -22; exponent += 22)
        value /= powers[22];
    return exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
}

/* Within EXPONENT_FAR, `value` differs from the number by less than 8 units of its last place: half
 * a unit each for taking the digits as a double and for up to five powers of ten, doubled where a
 * later step enters another binade, and nearly nothing for digits that were left out. A midpoint
 * between two normal floats ends in a one and 28 zeros. */
static bool is_clear_of_midpoints(double value)
{
    const uint64_t midpoint = UINT64_C(1) << 28;
    const uint64_t margin = 16;
    if (!(value >= (double)FLT_MIN && value <= (double)FLT_MAX))
        return false;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t rest = bits & ((UINT64_C(1) << 29) - 1);
    return rest + margin < midpoint || rest > midpoint + margin;
}

/* ---- by whole numbers of any size --------------------------------------------------------------
 * The largest are 10^(EXACT_DIGITS + 1) and a few steps beyond its other side: 10^167 * 2^26, and
 * 10^121 * 2^150; all below 2^768. */

enum { LIMBS = 24 };

typedef struct big {
    uint32_t limbs[LIMBS]; /* the least significant first */
} big;

static void big_multiply_add(big *b, uint32_t factor, uint32_t add)
{
    uint64_t carry = add;
    for (size_t i = 0; i < LIMBS; i++) {
        carry += (uint64_t)b->limbs[i] * factor;
        b->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
}

static void big_times_power_of_ten(big *b, int64_t exponent)
{
    for (; exponent >= 9; exponent -= 9)
        big_multiply_add(b, 1000000000, 0);
    for (; exponent > 0; exponent--)
        big_multiply_add(b, 10, 0);
}

static void big_times_power_of_two(big *b, int exponent)
{
    for (; exponent >= 31; exponent -= 31)
        big_multiply_add(b, 1u << 31, 0);
    if (exponent > 0)
        big_multiply_add(b, 1u << exponent, 0);
}

static int big_compare(const big *a, const big *b)
{
    for (size_t i = LIMBS; i-- > 0;)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

/* digits * 10^exponent, where a tail that was cut off is told by one more digit: it is enough to
 * compare with a midpoint. */
typedef struct exact {
    big digits;
    int64_t exponent;
    int64_t magnitude; /* the number lies below 10^magnitude, and at or above a tenth of it */
} exact;

static exact exact_number(const number *n)
{
    exact x = {.exponent = n->exponent};
    int64_t held = 0;
    bool tail = false;
    for (const char *at = n->digits; at < n->digits_end; at++) {
        if (*at == '.' || (held == 0 && *at == '0'))
            continue;
        if (held < EXACT_DIGITS) {
            big_multiply_add(&x.digits, 10, (uint32_t)(*at - '0'));
            held++;
        } else {
            tail = tail || *at != '0';
            x.exponent++;
        }
    }
    x.magnitude = held + x.exponent;
    if (tail) {
        big_multiply_add(&x.digits, 10, 1);
        x.exponent--;
    }
    return x;
}

/* The number against the midpoint between the float of these bits and the next. Infinity is taken
 * as 2^128, as its bits would have it. */
static int compare_with_midpoint(const exact *x, uint32_t bits)
{
    uint32_t biased = bits >> 23;
    uint32_t fraction = bits & 0x7FFFFF;
    uint32_t c = biased == 0 ? fraction : fraction | 0x800000;
    int half_unit = (biased == 0 ? 1 : (int)biased) - 151; /* midpoint = (2c + 1) * 2^half_unit */
    big left = x->digits;
    big right = {{2 * c + 1}};
    big_times_power_of_ten(&left, x->exponent);
    big_times_power_of_ten(&right, -x->exponent);
    big_times_power_of_two(&left, -half_unit);
    big_times_power_of_two(&right, half_unit);
    return big_compare(&left, &right);
}

static bool goes_above(const exact *x, uint32_t bits)
{
    int order = compare_with_midpoint(x, bits);
    return order > 0 || (order == 0 && (bits & 1) != 0); /* a tie goes to the even neighbour */
}

/* Steps from a float nearby to the nearest. Kept apart, so that its variables do not burden the way
 * that nearly all numbers go. */
__attribute__((noinline)) static uint32_t nearest_bits(const number *n)
{
    const uint32_t infinity = 0x7F800000;
    exact x = exact_number(n);
    if (x.magnitude > 40) /* at least 10^40 */
        return infinity;
    if (x.magnitude < -45) /* below 10^-46, which is less than half of the least float */
        return 0;
    double guess = times_power((double)n->leading, (int)n->leading_exponent);
    uint32_t bits = bits_of(guess < (double)FLT_MAX ? (float)guess : FLT_MAX);
    while (bits < infinity && goes_above(&x, bits))
        bits++;
    while (bits > 0 && !goes_above(&x, bits - 1))
        bits--;
    return bits;
}

/* ---- all together ---------------------------------------------------------------------------- */

/* The bits of the nearest float, without the sign. */
static uint32_t nearest(const number *n)
{
    if (n->leading == 0)
        return 0;
    if (n->leading_exponent > -EXPONENT_FAR && n->leading_exponent < EXPONENT_FAR) {
        double value = times_power((double)n->leading, (int)n->leading_exponent);
        if (is_clear_of_midpoints(value))
            return bits_of((float)value);
    }
    return nearest_bits(n);
}

size_t ak_float_parse(const char *text, size_t size, float *value_out)
{
    *value_out = 0.0f;
    number n;
    const char *end = size == 0 ? NULL : take_number(text, text + size, &n);
    if (end == NULL)
        return 0;
    uint32_t bits = nearest(&n) | (uint32_t)n.negative << 31;
    memcpy(value_out, &bits, sizeof bits);
    return (size_t)(end - text);
}
