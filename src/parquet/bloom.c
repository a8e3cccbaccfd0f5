#include "parquet/bloom.h"

#include <xxhash.h>

#include "base/endian.h"

enum { WORDS = AK_BLOOM_BLOCK_BYTES / 4, BITS_PER_VALUE = 16, SIZE_LARGEST = 128 << 20 };

static const uint32_t salts[WORDS] = {0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d,
                                      0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31};

size_t ak_bloom_size(uint64_t values)
{
    size_t size = AK_BLOOM_BLOCK_BYTES;
    while (size < SIZE_LARGEST && size / (BITS_PER_VALUE / 8) < values)
        size *= 2;
    return size;
}

uint64_t ak_bloom_hash(akidb_slice value)
{
    return XXH64(value.data, value.size, 0);
}

/* The upper half of the hash chooses the block, the lower half the bits. */
static size_t block_of(size_t size, uint64_t hash)
{
    uint64_t blocks = size / AK_BLOOM_BLOCK_BYTES;
    return (size_t)((hash >> 32) * blocks >> 32) * AK_BLOOM_BLOCK_BYTES;
}

static uint32_t mask_of(uint64_t hash, size_t word)
{
    return UINT32_C(1) << ((uint32_t)hash * salts[word] >> 27);
}

void ak_bloom_insert(uint8_t *bits, size_t size, uint64_t hash)
{
    uint8_t *block = bits + block_of(size, hash);
    for (size_t word = 0; word < WORDS; word++) {
        uint8_t *at = block + 4 * word;
        ak_store_u32(at, ak_load_u32(at) | mask_of(hash, word));
    }
}

bool ak_bloom_may_hold(akidb_slice bits, uint64_t hash)
{
    const uint8_t *block = (const uint8_t *)bits.data + block_of(bits.size, hash);
    for (size_t word = 0; word < WORDS; word++)
        if ((ak_load_u32(block + 4 * word) & mask_of(hash, word)) == 0)
            return false;
    return true;
}
