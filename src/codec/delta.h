#ifndef AK_CODEC_DELTA_H
#define AK_CODEC_DELTA_H
/* The DELTA encodings of Parquet (Encodings.md), decoding only: we never write them. */
#include "akidb/base.h"

/* DELTA_BINARY_PACKED of INT32 or INT64. `count` values must be there; wraps as two's complement
 * does. *used_out, when not NULL, is the number of bytes taken. AKIDB_E_CORRUPTION on a block that
 * is no multiple of 128, a miniblock that is no multiple of 32, a width over the type's, or fewer
 * or more values than count. A last miniblock may lack its padding, and no values may have no
 * bytes.
 */
AKIDB_CHECK akidb_status ak_delta_decode_i64(akidb_slice bytes, size_t count, int64_t *values_out,
                                             size_t *used_out, akidb_error *err);
AKIDB_CHECK akidb_status ak_delta_decode_i32(akidb_slice bytes, size_t count, int32_t *values_out,
                                             size_t *used_out, akidb_error *err);

/* DELTA_LENGTH_BYTE_ARRAY: slices_out[i] points into `bytes`. */
AKIDB_CHECK akidb_status ak_delta_length_decode(akidb_slice bytes, size_t count,
                                                akidb_slice *slices_out, akidb_error *err);

/* DELTA_BYTE_ARRAY: the values are put together in `storage` (appended), at most max_bytes of them
 * in all (AKIDB_E_LIMIT), and slices_out point into it: until it changes again. */
AKIDB_CHECK akidb_status ak_delta_byte_array_decode(akidb_slice bytes, size_t count,
                                                    uint64_t max_bytes, akidb_buffer *storage,
                                                    akidb_slice *slices_out, akidb_error *err);

#endif
