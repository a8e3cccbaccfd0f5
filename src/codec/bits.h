#ifndef AK_CODEC_BITS_H
#define AK_CODEC_BITS_H
/* Numbers that lie packed in bytes: varints, and fields of some bits each, least significant bit
 * first. Nothing here reads a byte outside of what it is given. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/endian.h"

/* Reads an unsigned LEB128 of at most `bits` bits (32 or 64) at *at, which it moves on; false when
 * it is cut off or too large. */
static inline bool ak_take_varint(const uint8_t **at, const uint8_t *end, unsigned bits,
                                  uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits && *at < end; shift += 7) {
        uint8_t byte = *(*at)++;
        uint64_t part = byte & 0x7F;
        if (bits - shift < 7 && part >> (bits - shift) != 0)
            return false;
        value |= part << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* Writes an unsigned LEB128 and returns its size, at most ten bytes. */
static inline size_t ak_put_varint(uint8_t *to, uint64_t value)
{
    size_t size = 0;
    for (; value >= 0x80; value >>= 7)
        to[size++] = (uint8_t)(value | 0x80);
    to[size++] = (uint8_t)value;
    return size;
}

/* The `width` bits (0 to 64) that begin at bit `first` of the bytes. Bits past the end are 0. */
static inline uint64_t ak_bits_at(const uint8_t *bytes, size_t size, uint64_t first, unsigned width)
{
    if (width == 0)
        return 0;
    uint64_t byte = first / 8;
    unsigned shift = (unsigned)(first % 8);
    uint64_t value = 0;
    if (size >= 8 && byte <= size - 8)
        value = ak_load_u64(bytes + byte);
    else if (byte < size)
        memcpy(&value, bytes + byte, (size_t)(size - byte));
    value >>= shift;
    if (shift + width > 64 && byte + 8 < size)
        value |= (uint64_t)bytes[byte + 8] << (64 - shift);
    return width == 64 ? value : value & ((UINT64_C(1) << width) - 1);
}

#endif
