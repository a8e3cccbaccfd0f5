#ifndef AK_PARQUET_ROW_PAGES_H
#define AK_PARQUET_ROW_PAGES_H
/*
 * The pages of the small columns that hold a row, so that one document of a near file takes no more
 * than a page of each. For readers that were opened with keep_tail, as parquet/find.h has it.
 */
#include "document/documents.h"
#include "parquet/reader_state.h"

/* A page of a column: its bytes in the file, its rows in the row group. */
typedef struct ak_row_page {
    uint64_t offset;
    size_t size;
    size_t first, count;
} ak_row_page;

/* Whether external ids, metadata and times of a row group can be read so. */
bool ak_parquet_has_row_pages(const akidb_parquet_reader *reader, size_t group);

/* The page of external ids, metadata or times that holds a row of a row group. A chunk with a
 * dictionary, which each of its pages needs, counts as one page. */
AKIDB_CHECK akidb_status ak_parquet_find_row_page(const akidb_parquet_reader *reader, size_t group,
                                                  akidb_column column, size_t row,
                                                  ak_row_page *page_out, akidb_error *err);

/* The values of such a page, by one read; each page must carry its checksum, which is compared.
 * Texts go to an empty column, times to page->count places, which are malloc'ed: only one of the
 * two is filled. */
AKIDB_CHECK akidb_status ak_parquet_read_row_page(const akidb_parquet_reader *reader, size_t group,
                                                  akidb_column column, const ak_row_page *page,
                                                  ak_texts *texts_out, int64_t **times_out,
                                                  akidb_error *err);

#endif
