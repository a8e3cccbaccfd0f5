#ifndef AK_CODEC_FLOAT_CONVERT_H
#define AK_CODEC_FLOAT_CONVERT_H
/* Floats of other widths and byte orders, many at a time, to float32. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* float16 (IEEE 754 binary16): always exact; a NaN keeps its payload. */
float ak_float_from_half(uint16_t half);

/* Converts `count` floats of float_size (2, 4 or 8) bytes at `from` to floats at to[0], to[stride],
 * to[2 * stride] and so on. float64 is rounded to the nearest, ties to even; *bad_out is the index
 * of the first finite one beyond the range of float32, or `count`. */
void ak_floats_convert(const uint8_t *from, size_t count, unsigned float_size, bool big_endian,
                       float *to, size_t stride, size_t *bad_out);

#endif
