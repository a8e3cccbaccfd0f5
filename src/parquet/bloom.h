#ifndef AK_PARQUET_BLOOM_H
#define AK_PARQUET_BLOOM_H
/*
 * Parquet's split-block Bloom filter (BloomFilter.md of parquet-format): tells of a value that it
 * is surely not in a column chunk, or may be. Blocks of 32 bytes; a value sets one bit in each of
 * the eight words of one block. Values are hashed by XXH64 with seed 0 over their plain bytes,
 * without a length.
 */
#include "akidb/base.h"

enum { AK_BLOOM_BLOCK_BYTES = 32 };

/* The bytes of a filter for so many values: a power of two, which some readers insist on, with 16
 * to 32 bits for each, so that of 1,000 other values fewer than two seem to be there. Never more
 * than 128 MiB. */
size_t ak_bloom_size(uint64_t values);

uint64_t ak_bloom_hash(akidb_slice value);

/* `size` is a multiple of the block. */
void ak_bloom_insert(uint8_t *bits, size_t size, uint64_t hash);

/* The size of `bits` is a multiple of the block and not 0. */
bool ak_bloom_may_hold(akidb_slice bits, uint64_t hash);

#endif
