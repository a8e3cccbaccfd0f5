#ifndef AK_PARQUET_COLUMN_READ_H
#define AK_PARQUET_COLUMN_READ_H
/*
 * Whole column chunks of a row group, decoded to where the documents lie. A row that is no document
 * (a null, a vector of another length, text that is not UTF-8) is AKIDB_E_VALIDATION and names the
 * row, counted in the file, and the column.
 */
#include "document/documents.h"
#include "parquet/page_read.h"
#include "parquet/values_read.h"

/* Storage for decoding, used again from chunk to chunk. One thread at a time. */
typedef struct ak_decoding {
    ak_decompressor *decompressor;
    ak_page_reader pages;
    ak_values values;
    uint32_t *levels;
    size_t level_capacity;
    uint64_t *wide; /* values before they are converted; aligned for each of them */
    size_t wide_capacity;
} ak_decoding;

AKIDB_CHECK akidb_status ak_decoding_new(ak_decoding *decoding_out, akidb_error *err);
void ak_decoding_free(ak_decoding *decoding);

/* rows x k floats. DOUBLE is rounded, FLOAT16 widened. (vector_read.c) */
AKIDB_CHECK akidb_status ak_read_vectors(ak_decoding *decoding, const ak_chunk *chunk, uint32_t k,
                                         float *vectors_out, akidb_error *err);

/* Gets a page of vectors, and how many of the chunk's values stand before it. */
typedef akidb_status ak_page_visitor(void *context, const ak_page *page, uint64_t first_value,
                                     akidb_error *err);

/* Checks all that ak_read_vectors checks but the values, and hands the pages to `visit`, whose
 * failure ends it, instead of decoding them. (vector_read.c) */
AKIDB_CHECK akidb_status ak_visit_vectors(ak_decoding *decoding, const ak_chunk *chunk, uint32_t k,
                                          ak_page_visitor *visit, void *context, akidb_error *err);

/* The number of values of the first row that has any; 0 when none is found. (vector_read.c) */
AKIDB_CHECK akidb_status ak_read_first_length(ak_decoding *decoding, const ak_chunk *chunk,
                                              uint64_t *length_out, akidb_error *err);

/* rows ids: 16 bytes, or text where the column is text or has 36 bytes. When `others` is given,
 * what is no UUID goes there as text, the rest of it is null, and is_other[row] is set; *bytes_left
 * is for them as below. */
AKIDB_CHECK akidb_status ak_read_ids(ak_decoding *decoding, const ak_chunk *chunk,
                                     akidb_uuid *ids_out, ak_texts *others, uint8_t *is_other,
                                     uint64_t *bytes_left, akidb_error *err);

/* Appends rows texts to an empty column. *bytes_left is the most that they may take; it falls by
 * what they took. AKIDB_E_LIMIT. */
AKIDB_CHECK akidb_status ak_read_texts(ak_decoding *decoding, const ak_chunk *chunk,
                                       uint64_t *bytes_left, ak_texts *texts, akidb_error *err);

/* rows times in microseconds; nanoseconds are rounded down. */
AKIDB_CHECK akidb_status ak_read_times(ak_decoding *decoding, const ak_chunk *chunk,
                                       int64_t *times_out, akidb_error *err);

/* A time of INT64 in microseconds; false when it is outside AKIDB_TIME_MIN and AKIDB_TIME_MAX. */
bool ak_time_to_micros(ak_time_unit_kind unit, int64_t value, int64_t *micros_out);

/* Whether each of the column's integers is k: AKIDB_E_CORRUPTION otherwise, for the file
 * contradicts itself. */
AKIDB_CHECK akidb_status ak_check_dimensions(ak_decoding *decoding, const ak_chunk *chunk,
                                             uint32_t k, akidb_error *err);

/* Makes room in decoding->levels. */
AKIDB_CHECK akidb_status ak_decoding_reserve_levels(ak_decoding *decoding, size_t count,
                                                    akidb_error *err);

/* Makes room in decoding->wide for `count` values of `width` bytes. */
AKIDB_CHECK akidb_status ak_decoding_reserve_wide(ak_decoding *decoding, size_t count, size_t width,
                                                  akidb_error *err);

#endif
