#ifndef AK_JSON_FLOAT_POWERS_H
#define AK_JSON_FLOAT_POWERS_H
/*
 * Powers of ten for printing floats: for k from -31 to 45, the 64 highest bits of 10^k, plus one:
 *
 *     g(k) = floor(10^k * 2^(63 - floor(log2(10^k)))) + 1,   2^63 <= g(k) < 2^64
 *
 * so that g(k) lies above 10^k, scaled, by at most one unit. tests/unit/json/float_test.c computes
 * every entry anew with whole numbers of any size.
 */
#include <stdint.h>

enum { AK_FLOAT_POWER_MIN = -31, AK_FLOAT_POWER_MAX = 45 };

extern const uint64_t ak_float_powers[AK_FLOAT_POWER_MAX - AK_FLOAT_POWER_MIN + 1];

#endif
