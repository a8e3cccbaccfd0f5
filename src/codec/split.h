#ifndef AK_CODEC_SPLIT_H
#define AK_CODEC_SPLIT_H
/* BYTE_STREAM_SPLIT of Parquet (Encodings.md): byte j of every value, then byte j + 1 of every
 * value, and so on. The buffers do not overlap and hold count x width bytes each. Width 4 (and 8
 * for doubles) is fast; a vectorised variant stands beside the portable one and is tested against
 * it. */
#include <stddef.h>
#include <stdint.h>

void ak_split_encode(const void *values, size_t count, size_t width, uint8_t *bytes_out);
void ak_split_decode(const uint8_t *bytes, size_t count, size_t width, void *values_out);

#endif
