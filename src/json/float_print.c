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

#include "base/endian.h"
#include "json/float_powers.h"
#include "json/json.h"

enum { DIGITS_MAX = 9, FRACTION_BITS = 23, EXPONENT_BIAS = 150, EXPONENT_OF_SPECIALS = 255 };

#define EIGHT_ZEROS UINT64_C(0x3030303030303030) /* "00000000" */

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

/* `a` or `b`, without a jump: nobody can foresee which it is, and jumps taken wrongly were a third
 * of the time. */
static uint32_t choose(bool which, uint32_t a, uint32_t b)
{
    uint32_t mask = 0u - (uint32_t)which;
    return (a & mask) | (b & ~mask);
}

/* Of s and s + 1 the one that lies within the interval, in units of 1/4; if both do, the nearer
 * one, then the even one. */
static uint32_t nearer(uint32_t s, uint32_t low, uint32_t middle, uint32_t high)
{
    bool below_fits = low <= 4 * s;
    bool above_fits = 4 * s + 4 <= high;
    bool is_nearer_above = middle + (s & 1) > 4 * s + 2;
    return s + choose(below_fits != above_fits, above_fits, is_nearer_above);
}

/* May end in zeros. */
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
    uint32_t tens = s / 10; /* one digit less, when just one of the neighbours lies within */
    bool below_fits = low <= 40 * tens;
    bool above_fits = 40 * tens + 40 <= high;
    bool shorter = (s >= 10) & (below_fits != above_fits);
    uint32_t number = choose(shorter, 10 * (tens + above_fits), nearer(s, low, middle, high));
    return (decimal){number, k};
}

/* ---- text ------------------------------------------------------------------------------------ */

/* The digits of a number from the first that is not 0, nine with the zeros after them: stored by
 * words, whatever the lengths, which decide nothing but where to go on. */
typedef struct digits {
    char first;
    uint64_t rest; /* the eight after it, as text */
    int count;     /* without zeros at the end; at least 1 */
    int size;      /* of the whole number */
} digits;

/* The eight digits of a number below 10^8 as the bytes of a word, the first digit the lowest: split
 * in halves three times, all halves of a step at once. */
static uint64_t eight_digits(uint32_t number)
{
    const uint64_t of_fours = UINT64_C(0x0000007F0000007F);
    const uint64_t of_twos = UINT64_C(0x000F000F000F000F);
    uint64_t fours = number / 10000 | (uint64_t)(number % 10000) << 32;
    uint64_t hundreds = (fours * 10486 >> 20) & of_fours; /* n / 100 for n < 10000 */
    uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
    uint64_t tens = (twos * 103 >> 10) & of_twos; /* n / 10 for n < 100 */
    return tens | (twos - 10 * tens) << 8;
}

/* For 0 < number < 10^9. */
static digits digits_of(uint32_t number)
{
    static const uint32_t powers[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};
    int bits = 32 - __builtin_clz(number);
    int size = bits * 1233 >> 12; /* floor(bits * log10(2)): right, or one too small */
    size += number >= powers[size];
    uint32_t nine = number * powers[DIGITS_MAX - size];
    uint32_t first = nine / powers[8];
    uint64_t rest = eight_digits(nine - first * powers[8]);
    return (digits){
        .first = (char)('0' + first),
        .rest = rest | EIGHT_ZEROS,
        .count = rest == 0 ? 1 : DIGITS_MAX - __builtin_clzll(rest) / 8,
        .size = size,
    };
}

/* "12.5", "1200", "0.0012": `point` is where the decimal point stands, counted in digits. It is at
 * least -2 and at most 4 beyond the digits: otherwise an exponent is shorter. */
static char *put_plain(char *out, const digits *d, int point)
{
    if (point <= 0) {
        memcpy(out, "0.00", 4);
        out += 2 - point;
        *out = d->first;
        ak_store_u64(out + 1, d->rest);
        return out + d->count;
    }
    *out = d->first;
    ak_store_u64(out + 1, d->rest);
    if (point >= d->count) {
        memcpy(out + DIGITS_MAX, "0000", 4);
        return out + point;
    }
    out[point] = '.';
    ak_store_u64(out + point + 1, d->rest >> 8 * (point - 1));
    return out + d->count + 1;
}

/* "1.25e-7" */
static char *put_exponent(char *out, const digits *d, int exponent)
{
    out[0] = d->first;
    out[1] = '.';
    ak_store_u64(out + 2, d->rest);
    out += d->count + (d->count > 1);
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
    *out = '-';
    out += negative;
    if (biased == 0 && fraction == 0) { /* "-0" would be read as an integer, and lose its sign */
        memcpy(out, "0.0", 3);
        return negative ? 4 : 1;
    }
    decimal number = shortest(fraction, biased);
    digits d = digits_of(number.digits);
    int point = d.size + number.exponent;
    if (plain_length(d.count, point) <= exponent_length(d.count, point - 1))
        out = put_plain(out, &d, point);
    else
        out = put_exponent(out, &d, point - 1);
    return (size_t)(out - text_out);
}
