/*
 * The shortest decimal of a float, by Raffaello Giulietti, "The Schubfach way to render doubles"
 * (2020), for 32 bits.
 *
 * A float v = c * 2^q owns the interval of reals that round to it, from half a unit below to half a
 * unit above (a quarter below, where c is the least of its binade). With k = floor(log10(2^q)), the
 * interval is wider than 10^k and narrower than 2 * 10^(k+1), so it holds a multiple of 10^k and at
 * most two of 10^(k+1). So only four candidates are looked at: the multiples of 10^(k+1), then of
 * 10^k, on either side of v. The comparisons need v and the ends of the interval, times 4 * 10^-k,
 * only to the nearest integer "rounded to odd": exact integers stay, all else becomes odd, which
 * keeps it on its side of every even number; the candidates, times four, are even. A power of ten
 * of 64 bits is enough for that; the test tries all floats.
 */
#include <string.h>

#include "json/float_powers.h"
#include "json/json.h"

enum { DIGITS_MAX = 9, FRACTION_BITS = 23, EXPONENT_BIAS = 150, EXPONENT_OF_SPECIALS = 255 };

/* value = digits * 10^exponent */
typedef struct decimal {
    uint32_t digits;
    int exponent;
} decimal;

/* floor(log10(2^e)), and floor(log10(3/4 * 2^e)); exact for |e| < 1650 */
static int floor_log10_pow2(int e)
{
    return (e * 1262611) >> 22;
}

static int floor_log10_three_quarters_pow2(int e)
{
    return (e * 1262611 - 524031) >> 22;
}

/* floor(log2(10^e)), exact for |e| < 1233 */
static int floor_log2_pow10(int e)
{
    return (e * 1741647) >> 19;
}

/* g * c / 2^64, rounded to odd. g is too large by less than one unit, so what is less than 2^32 in
 * the lower half of the product may be nothing but that. */
static uint32_t multiply_round_to_odd(uint64_t g, uint32_t c)
{
    uint64_t low = (g & UINT32_MAX) * c;
    uint64_t high = (g >> 32) * c + (low >> 32); /* the product without its last 32 bits */
    return (uint32_t)(high >> 32) | ((uint32_t)high > 1);
}

static decimal shortest(uint32_t fraction, uint32_t biased)
{
    uint32_t c = biased == 0 ? fraction : fraction | 1u << FRACTION_BITS;
    int q = (biased == 0 ? 1 : (int)biased) - EXPONENT_BIAS;
    uint32_t odd = c & 1; /* the ends of the interval round to an even neighbour */
    bool least_of_binade = fraction == 0 && biased > 1;

    int k = least_of_binade ? floor_log10_three_quarters_pow2(q) : floor_log10_pow2(q);
    int shift = q + floor_log2_pow10(-k) + 1; /* 1 to 4 */
    uint64_t g = ak_float_powers[-k - AK_FLOAT_POWER_MIN];
    uint32_t low = multiply_round_to_odd(g, (4 * c - 2 + least_of_binade) << shift) + odd;
    uint32_t middle = multiply_round_to_odd(g, (4 * c) << shift);
    uint32_t high = multiply_round_to_odd(g, (4 * c + 2) << shift) - odd;

    uint32_t s = middle / 4;
    if (s >= 10) { /* one digit less, when just one of the neighbours lies within */
        uint32_t tens = s / 10;
        bool below_fits = low <= 40 * tens;
        bool above_fits = 40 * tens + 40 <= high;
        if (below_fits != above_fits)
            return (decimal){tens + above_fits, k + 1};
    }
    bool below_fits = low <= 4 * s;
    bool above_fits = 4 * s + 4 <= high;
    if (below_fits != above_fits)
        return (decimal){s + above_fits, k};
    uint32_t half_way = 4 * s + 2; /* both fit: the nearer one, then the even one */
    bool up = middle > half_way || (middle == half_way && (s & 1) != 0);
    return (decimal){s + up, k};
}

/* ---- text ------------------------------------------------------------------------------------ */

/* Writes the digits of a number that is not 0; returns how many. */
static int put_digits(uint32_t number, char out[DIGITS_MAX])
{
    char reversed[10];
    int count = 0;
    for (; number > 0; number /= 10)
        reversed[count++] = (char)('0' + number % 10);
    for (int i = 0; i < count; i++)
        out[i] = reversed[count - 1 - i];
    return count;
}

/* "12.5", "1200", "0.0012": `point` is where the decimal point stands, counted in digits. */
static char *put_plain(char *out, const char *digits, int count, int point)
{
    if (point <= 0) {
        *out++ = '0';
        *out++ = '.';
        for (int i = point; i < 0; i++)
            *out++ = '0';
        memcpy(out, digits, (size_t)count);
        return out + count;
    }
    for (int i = 0; i < count; i++) {
        if (i == point)
            *out++ = '.';
        *out++ = digits[i];
    }
    for (int i = count; i < point; i++)
        *out++ = '0';
    return out;
}

/* "1.25e-7" */
static char *put_exponent(char *out, const char *digits, int count, int exponent)
{
    *out++ = digits[0];
    if (count > 1) {
        *out++ = '.';
        memcpy(out, digits + 1, (size_t)count - 1);
        out += count - 1;
    }
    *out++ = 'e';
    if (exponent < 0) {
        *out++ = '-';
        exponent = -exponent;
    }
    if (exponent >= 10)
        *out++ = (char)('0' + exponent / 10);
    *out++ = (char)('0' + exponent % 10);
    return out;
}

static int plain_length(int count, int point)
{
    if (point <= 0)
        return 2 - point + count;
    return point < count ? count + 1 : point;
}

static int exponent_length(int count, int exponent)
{
    int size = exponent < 0 ? -exponent : exponent;
    return count + (count > 1) + 1 + (exponent < 0) + (size >= 10 ? 2 : 1);
}

size_t ak_float_print(float value, char text_out[AK_FLOAT_TEXT_SIZE])
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t biased = bits >> FRACTION_BITS & 0xFF;
    uint32_t fraction = bits & ((1u << FRACTION_BITS) - 1);
    bool negative = bits >> 31 != 0;
    if (biased == EXPONENT_OF_SPECIALS)
        return 0;
    char *out = text_out;
    if (negative)
        *out++ = '-';
    if (biased == 0 && fraction == 0) { /* "-0" would be read as an integer, and lose its sign */
        memcpy(out, "0.0", 3);
        return negative ? 4 : 1;
    }
    decimal number = shortest(fraction, biased);
    while (number.digits % 10 == 0) {
        number.digits /= 10;
        number.exponent++;
    }
    char digits[DIGITS_MAX + 1];
    int count = put_digits(number.digits, digits);
    int point = count + number.exponent;
    if (plain_length(count, point) <= exponent_length(count, point - 1))
        out = put_plain(out, digits, count, point);
    else
        out = put_exponent(out, digits, count, point - 1);
    return (size_t)(out - text_out);
}
