#ifndef AK_FORMATS_JSON_VECTOR_H
#define AK_FORMATS_JSON_VECTOR_H
#include "akidb/base.h"

/* Reads a JSON array of numbers, and of the strings that stand for NaN and infinities. The first
 * `capacity` go to `values`; *count_out is how many there are. AKIDB_E_VALIDATION, with the offset
 * in `raw`, for anything else and for a number beyond the range of float32. */
AKIDB_CHECK akidb_status ak_json_read_vector(akidb_slice raw, float *values, size_t capacity,
                                             size_t *count_out, akidb_error *err);

#endif
