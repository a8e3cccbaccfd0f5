#include "codec/float_convert.h"

#include <math.h>
#include <string.h>

#include "base/endian.h"

float ak_float_from_half(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    uint32_t exponent = half >> 10 & 0x1F;
    uint32_t fraction = half & 0x3FF;
    float value;
    if (exponent == 0) { /* fraction * 2^-24, which a float32 holds as a normal number */
        value = (float)fraction * 0x1p-24f;
        return sign != 0 ? -value : value;
    }
    uint32_t biased = exponent == 0x1F ? 0xFF : exponent + 127 - 15;
    uint32_t bits = sign | biased << 23 | fraction << 13;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void convert_halves(const uint8_t *from, size_t count, bool big_endian, float *to,
                           size_t stride)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t bits = ak_load_u16(from + 2 * i);
        to[i * stride] = ak_float_from_half(big_endian ? __builtin_bswap16(bits) : bits);
    }
}

static void convert_floats(const uint8_t *from, size_t count, bool big_endian, float *to,
                           size_t stride)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = ak_load_u32(from + 4 * i);
        if (big_endian)
            bits = __builtin_bswap32(bits);
        memcpy(&to[i * stride], &bits, sizeof bits);
    }
}

static size_t convert_doubles(const uint8_t *from, size_t count, bool big_endian, float *to,
                              size_t stride)
{
    size_t bad = count;
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = ak_load_u64(from + 8 * i);
        if (big_endian)
            bits = __builtin_bswap64(bits);
        double value;
        memcpy(&value, &bits, sizeof value);
        to[i * stride] = (float)value;
        if (isinf(to[i * stride]) && !isinf(value) && bad == count)
            bad = i;
    }
    return bad;
}

void ak_floats_convert(const uint8_t *from, size_t count, unsigned float_size, bool big_endian,
                       float *to, size_t stride, size_t *bad_out)
{
    *bad_out = count;
    if (float_size == 2)
        convert_halves(from, count, big_endian, to, stride);
    else if (float_size == 4)
        convert_floats(from, count, big_endian, to, stride);
    else
        *bad_out = convert_doubles(from, count, big_endian, to, stride);
}
