#ifndef AK_PARQUET_FIND_H
#define AK_PARQUET_FIND_H
/*
 * Single documents out of a large file, by its tail alone: Bloom filters tell which row groups may
 * hold an id, offset indexes which page holds the vector of a row. For readers that were opened
 * with keep_tail; the tail's bytes have been compared with its checksum then. One thread at a time
 * or many: nothing in the reader changes.
 */
#include "parquet/reader_state.h"

/* Whether a row group may hold a document with that id; true as well when the row group has no
 * filter that can be used. AKIDB_E_CORRUPTION when the filter's place or header is wrong. */
AKIDB_CHECK akidb_status ak_parquet_may_hold_id(const akidb_parquet_reader *reader, size_t group,
                                                const akidb_uuid *id, bool *result_out,
                                                akidb_error *err);
AKIDB_CHECK akidb_status ak_parquet_may_hold_external_id(const akidb_parquet_reader *reader,
                                                         size_t group, akidb_slice text,
                                                         bool *result_out, akidb_error *err);

/* Whether the vectors of all row groups can be read page by page: there are offset indexes, and no
 * dictionary. */
bool ak_parquet_has_vector_pages(const akidb_parquet_reader *reader);

/* The page that holds the vector of a row of a row group: its first row, and how many it has. */
AKIDB_CHECK akidb_status ak_parquet_vector_page(const akidb_parquet_reader *reader, size_t group,
                                                size_t row, size_t *first_out, size_t *count_out,
                                                akidb_error *err);

/* The vectors of `count` rows of a row group, ascending, into floats_out (count x dimension), by
 * one read for each page that holds some of them. Each page must carry its checksum. */
AKIDB_CHECK akidb_status ak_parquet_read_vectors_of(const akidb_parquet_reader *reader,
                                                    size_t group, const size_t *rows, size_t count,
                                                    float *floats_out, akidb_error *err);

#endif
