#ifndef AK_PARQUET_PAGED_READ_H
#define AK_PARQUET_PAGED_READ_H
/*
 * A column chunk of compressed or encoded vectors, page by page: each page is fetched into a little
 * memory, which stays in a processor's cache, and decoded to where its vectors belong, on all
 * threads of the reader's pool. For near inputs of which a summary and offset indexes are known.
 */
#include "parquet/reader_state.h"

/* The memory of the threads that read pages, of which each row group borrows: what a page was
 * fetched and decompressed in is warm for the next one, and not new from the system. As many are
 * made as were ever at work at the same time. Thread-safe. */
AKIDB_CHECK akidb_status ak_paged_workers_new(ak_paged_workers **workers_out, akidb_error *err);

/* NULL is allowed. None may be borrowed. */
void ak_paged_workers_free(ak_paged_workers *workers);

/* Whether it can be done, by what the reader knows. */
bool ak_paged_can_read(const akidb_parquet_reader *reader, size_t group);

/* Fills `vectors` with those of the row group. *crc32c, of the bytes before the chunk, continues
 * over all of it: the vectors are those that were written if it is then what it should be. Each
 * page is compared with its own checksum too, where the options want that. */
AKIDB_CHECK akidb_status ak_paged_read(const akidb_parquet_reader *reader, size_t group,
                                       float *vectors, uint32_t *crc32c, akidb_error *err);

#endif
