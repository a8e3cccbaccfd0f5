#ifndef AK_PARQUET_COLUMN_WRITE_H
#define AK_PARQUET_COLUMN_WRITE_H
/* The columns of a fixed width, as pages of a chunk. Each function takes `rows` >= 1 values, cuts
 * pages at rows so that a page has about page_bytes, and leaves the chunk to be sealed. */
#include "parquet/chunk_write.h"

/* BYTE_ARRAY: a length of four bytes before each id. */
AKIDB_CHECK akidb_status ak_write_document_ids(ak_chunk *chunk, const akidb_uuid *ids, size_t rows,
                                               uint32_t page_bytes, akidb_error *err);

/* INT32: the same number in every row. */
AKIDB_CHECK akidb_status ak_write_dimension(ak_chunk *chunk, uint32_t dimension, size_t rows,
                                            uint32_t page_bytes, akidb_error *err);

/* INT64: microseconds divided by `divisor`, of which they are multiples. */
AKIDB_CHECK akidb_status ak_write_times(ak_chunk *chunk, const int64_t *times, size_t rows,
                                        int64_t divisor, uint32_t page_bytes, akidb_error *err);

/* FLOAT in a list: levels from a template before the rows' floats, which stay where they are until
 * the chunk has been written. `encoding` is PLAIN or BYTE_STREAM_SPLIT. */
AKIDB_CHECK akidb_status ak_write_vectors(ak_chunk *chunk, const float *vectors, size_t rows,
                                          uint32_t dimension, int encoding, uint32_t page_bytes,
                                          akidb_error *err);

#endif
