#ifndef AK_CODEC_RLE_H
#define AK_CODEC_RLE_H
/* The RLE/bit-packing hybrid of Parquet (Encodings.md): levels, booleans, dictionary indices. */
#include "akidb/base.h"

/* Decodes `count` values of bit_width bits (0 to 32) into values_out. Stops there: bits that pad
 * the last run are ignored. AKIDB_E_CORRUPTION on a run of 0 values, a varint over five bytes, a
 * value over `maximum`, or too few values; a last bit-packed run may lack bytes that hold none of
 * the `count`. *used_out, when not NULL, is the number of bytes taken. */
AKIDB_CHECK akidb_status ak_rle_decode(akidb_slice bytes, unsigned bit_width, uint32_t maximum,
                                       size_t count, uint32_t *values_out, size_t *used_out,
                                       akidb_error *err);

/* Appends the values, each below 2^bit_width: runs of 8 or more equal ones as RLE, the rest
 * bit-packed. */
AKIDB_CHECK akidb_status ak_rle_encode(akidb_buffer *buffer, const uint32_t *values, size_t count,
                                       unsigned bit_width, akidb_error *err);

/* The bits that `maximum` takes: 0 for 0. */
unsigned ak_bit_width(uint32_t maximum);

#endif
