#include "codec/split.h"

#include "base/endian.h"
#include "codec/split_variants.h"

/* ---- portable -------------------------------------------------------------------------------- */

/* Values first to count - 1 of four bytes each; to end - 1 of them. The compiler vectorises these
 * loops. */
static void encode4(const uint8_t *values, size_t first, size_t count, uint8_t *bytes_out)
{
    for (size_t i = first; i < count; i++) {
        uint32_t value = ak_load_u32(values + 4 * i);
        bytes_out[i] = (uint8_t)value;
        bytes_out[count + i] = (uint8_t)(value >> 8);
        bytes_out[2 * count + i] = (uint8_t)(value >> 16);
        bytes_out[3 * count + i] = (uint8_t)(value >> 24);
    }
}

static void decode4(const uint8_t *bytes, size_t first, size_t end, size_t count,
                    uint8_t *values_out)
{
    for (size_t i = first; i < end; i++) {
        uint32_t value = bytes[i] | (uint32_t)bytes[count + i] << 8 |
                         (uint32_t)bytes[2 * count + i] << 16 |
                         (uint32_t)bytes[3 * count + i] << 24;
        ak_store_u32(values_out + 4 * i, value);
    }
}

/* Of any width. A block of values at a time, so that the strided side stays in the cache. */
enum { BLOCK = 512 };

static void encode_any(const uint8_t *values, size_t count, size_t width, uint8_t *bytes_out)
{
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t end = count - first < BLOCK ? count : first + BLOCK;
        for (size_t j = 0; j < width; j++)
            for (size_t i = first; i < end; i++)
                bytes_out[j * count + i] = values[i * width + j];
    }
}

static void decode_any(const uint8_t *bytes, size_t count, size_t width, uint8_t *values_out)
{
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t end = count - first < BLOCK ? count : first + BLOCK;
        for (size_t j = 0; j < width; j++)
            for (size_t i = first; i < end; i++)
                values_out[i * width + j] = bytes[j * count + i];
    }
}

/* ---- variants for four bytes ----------------------------------------------------------------- */

static bool always(void)
{
    return true;
}

static void portable_encode(const void *values, size_t count, uint8_t *bytes_out)
{
    encode4(values, 0, count, bytes_out);
}

static void portable_decode(const uint8_t *bytes, size_t count, void *values_out)
{
    decode4(bytes, 0, count, count, values_out);
}

#if defined(__x86_64__)
static void avx2_encode(const void *values, size_t count, uint8_t *bytes_out)
{
    encode4(values, ak_split_avx2_encode(values, count, bytes_out), count, bytes_out);
}

static void avx2_decode(const uint8_t *bytes, size_t count, void *values_out)
{
    /* So many values, a page of vectors, will hardly be looked at before they have left the cache
     * again: to write past it takes half of the time, for the memory is not read first. */
    enum { PAST_CACHES = 1 << 15, ALIGNMENT = 32 };
    uintptr_t beyond = (uintptr_t)values_out % ALIGNMENT;
    bool past_caches = count >= PAST_CACHES && beyond % 4 == 0;
    size_t first = past_caches ? (ALIGNMENT - beyond) % ALIGNMENT / 4 : 0;
    decode4(bytes, 0, first, count, values_out);
    first = ak_split_avx2_decode(bytes, first, count, values_out, past_caches);
    decode4(bytes, first, count, count, values_out);
}
#endif

static const ak_split_variant variants[] = {
#if defined(__x86_64__)
    {"AVX2", ak_split_avx2_available, avx2_encode, avx2_decode},
#endif
    {"portable", always, portable_encode, portable_decode},
};

const ak_split_variant *ak_split_variants(size_t *count_out)
{
    *count_out = sizeof variants / sizeof variants[0];
    return variants;
}

static const ak_split_variant *best_variant(void)
{
    const ak_split_variant *variant = variants;
    while (!variant->available())
        variant++;
    return variant;
}

void ak_split_encode(const void *values, size_t count, size_t width, uint8_t *bytes_out)
{
    if (width == 4)
        best_variant()->encode(values, count, bytes_out);
    else
        encode_any(values, count, width, bytes_out);
}

void ak_split_decode(const uint8_t *bytes, size_t count, size_t width, void *values_out)
{
    if (width == 4)
        best_variant()->decode(bytes, count, values_out);
    else
        decode_any(bytes, count, width, values_out);
}
