#include "base/checksum.h"

#include <isa-l/crc.h>
#include <limits.h>

/* ISA-L takes the size of crc32_iscsi as an int and does not invert; so pieces, and ~ around it. */
enum { PIECE = 1 << 30 };

uint32_t ak_crc32(uint32_t crc, const void *bytes, size_t size)
{
    return crc32_gzip_refl(crc, bytes, size);
}

uint32_t ak_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    crc = ~crc;
    while (size > 0) {
        int piece = size > PIECE ? PIECE : (int)size;
        /* The parameter lacks const in ISA-L 2.30; the bytes are only read. */
        crc = crc32_iscsi((unsigned char *)(uintptr_t)at, piece, crc);
        at += piece;
        size -= (size_t)piece;
    }
    return ~crc;
}

/* CRCs are linear over GF(2): appending size_b zero bytes to A multiplies its register by
 * x^(8 size_b) modulo the polynomial; the CRC of B is then added. */
static uint32_t multiply_mod(uint32_t a, uint32_t b)
{
    const uint32_t castagnoli = 0x82F63B78u; /* bit-reflected */
    uint32_t product = 0;
    for (int bit = 31; bit >= 0; bit--) { /* bit 31 is x^0 when reflected */
        if (a >> bit & 1)
            product ^= b;
        b = b & 1 ? b >> 1 ^ castagnoli : b >> 1;
    }
    return product;
}

uint32_t ak_crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t size_b)
{
    uint32_t power = 0x00800000u; /* x^8 */
    uint32_t shift = 0x80000000u; /* x^0 */
    for (uint64_t n = size_b; n != 0; n >>= 1) {
        if (n & 1)
            shift = multiply_mod(shift, power);
        power = multiply_mod(power, power);
    }
    return multiply_mod(shift, crc_a) ^ crc_b;
}
