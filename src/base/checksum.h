#ifndef AK_BASE_CHECKSUM_H
#define AK_BASE_CHECKSUM_H
/* Checksums at hardware speed. Each continues from the value of the bytes before; begin with 0. */
#include <stddef.h>
#include <stdint.h>

/* CRC-32 of zlib and gzip: what Parquet pages carry. */
uint32_t ak_crc32(uint32_t crc, const void *bytes, size_t size);

/* CRC-32C (Castagnoli): what our metadata, our log and S3 carry. */
uint32_t ak_crc32c(uint32_t crc, const void *bytes, size_t size);

/* The CRC-32C of A followed by B, from the CRC-32C of each and the size of B. */
uint32_t ak_crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t size_b);

#endif
