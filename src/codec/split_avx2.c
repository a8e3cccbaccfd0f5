#include "codec/split_variants.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { PIECE = 32 }; /* values of four bytes: four registers */

bool ak_split_avx2_available(void)
{
    return __builtin_cpu_supports("avx2") != 0;
}

__attribute__((target("avx2"))) static __m256i load(const uint8_t *from)
{
    return _mm256_loadu_si256((const __m256i_u *)from);
}

__attribute__((target("avx2"))) static void store(uint8_t *to, __m256i value)
{
    _mm256_storeu_si256((__m256i_u *)to, value);
}

/* Eight values to four quadwords: byte 0 of all eight, byte 1 of all eight, and so on. */
__attribute__((target("avx2"))) static __m256i gather_bytes(__m256i values)
{
    const __m256i within_lane =
        _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0, 4, 8, 12, 1, 5, 9,
                         13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m256i across_lanes = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(values, within_lane), across_lanes);
}

__attribute__((target("avx2"))) size_t ak_split_avx2_encode(const uint8_t *values, size_t count,
                                                            uint8_t *bytes_out)
{
    size_t done = 0;
    for (; count - done >= PIECE; done += PIECE) {
        const uint8_t *from = values + 4 * done;
        __m256i a = gather_bytes(load(from));
        __m256i b = gather_bytes(load(from + 32));
        __m256i c = gather_bytes(load(from + 64));
        __m256i d = gather_bytes(load(from + 96));
        /* A transposition of 4 x 4 quadwords. */
        __m256i ab02 = _mm256_unpacklo_epi64(a, b);
        __m256i ab13 = _mm256_unpackhi_epi64(a, b);
        __m256i cd02 = _mm256_unpacklo_epi64(c, d);
        __m256i cd13 = _mm256_unpackhi_epi64(c, d);
        uint8_t *to = bytes_out + done;
        store(to, _mm256_permute2x128_si256(ab02, cd02, 0x20));
        store(to + count, _mm256_permute2x128_si256(ab13, cd13, 0x20));
        store(to + 2 * count, _mm256_permute2x128_si256(ab02, cd02, 0x31));
        store(to + 3 * count, _mm256_permute2x128_si256(ab13, cd13, 0x31));
    }
    return done;
}

/* Stores that go past the caches need an address that is a multiple of 32. */
__attribute__((target("avx2"), always_inline)) static inline void put(uint8_t *to, __m256i value,
                                                                      bool past_caches)
{
    if (past_caches)
        _mm256_stream_si256((__m256i *)(void *)to, value);
    else
        store(to, value);
}

__attribute__((target("avx2"), always_inline)) static inline size_t
decode(const uint8_t *bytes, size_t first, size_t count, uint8_t *values_out, bool past_caches)
{
    size_t done = first;
    for (; count - done >= PIECE; done += PIECE) {
        const uint8_t *from = bytes + done;
        __m256i byte0 = load(from);
        __m256i byte1 = load(from + count);
        __m256i byte2 = load(from + 2 * count);
        __m256i byte3 = load(from + 3 * count);
        /* Each lane by itself: pairs of bytes, then pairs of pairs. */
        __m256i low01 = _mm256_unpacklo_epi8(byte0, byte1);
        __m256i high01 = _mm256_unpackhi_epi8(byte0, byte1);
        __m256i low23 = _mm256_unpacklo_epi8(byte2, byte3);
        __m256i high23 = _mm256_unpackhi_epi8(byte2, byte3);
        __m256i one = _mm256_unpacklo_epi16(low01, low23);
        __m256i two = _mm256_unpackhi_epi16(low01, low23);
        __m256i three = _mm256_unpacklo_epi16(high01, high23);
        __m256i four = _mm256_unpackhi_epi16(high01, high23);
        uint8_t *to = values_out + 4 * done;
        put(to, _mm256_permute2x128_si256(one, two, 0x20), past_caches);
        put(to + 32, _mm256_permute2x128_si256(three, four, 0x20), past_caches);
        put(to + 64, _mm256_permute2x128_si256(one, two, 0x31), past_caches);
        put(to + 96, _mm256_permute2x128_si256(three, four, 0x31), past_caches);
    }
    return done;
}

__attribute__((target("avx2"))) size_t ak_split_avx2_decode(const uint8_t *bytes, size_t first,
                                                            size_t count, uint8_t *values_out,
                                                            bool past_caches)
{
    if (!past_caches)
        return decode(bytes, first, count, values_out, false);
    size_t done = decode(bytes, first, count, values_out, true);
    _mm_sfence(); /* before anybody is told that the values are there */
    return done;
}
#else
typedef int ak_no_avx2_here; /* C wants a declaration in every file */
#endif
