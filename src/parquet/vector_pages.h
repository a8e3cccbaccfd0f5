#ifndef AK_PARQUET_VECTOR_PAGES_H
#define AK_PARQUET_VECTOR_PAGES_H
/* Where the pages of vectors, and of other columns, lie, by the offset indexes in the tail. */
#include "parquet/reader_state.h"

/* The bytes of the file from `offset` on, out of the tail that the reader has kept; `what` names
 * them for the message of AKIDB_E_CORRUPTION when they do not lie in it whole. */
AKIDB_CHECK akidb_status ak_tail_bytes(const akidb_parquet_reader *reader, const ak_file_leaf *leaf,
                                       const char *what, int64_t offset, int32_t size,
                                       akidb_slice *bytes_out, akidb_error *err);

/* The pages of a row group, of which there is one at least: one behind the other, in bytes and in
 * rows, from the chunk's first byte to its last, each with a row at least. AKIDB_E_CORRUPTION when
 * the index says otherwise. The list is in the arena. */
AKIDB_CHECK akidb_status ak_vector_pages_read(const akidb_parquet_reader *reader, size_t group,
                                              ak_arena *arena, ak_page_list *list_out,
                                              akidb_error *err);

/* The same of another column, which has no dictionary. */
AKIDB_CHECK akidb_status ak_column_pages_read(const akidb_parquet_reader *reader, size_t group,
                                              const ak_file_leaf *leaf, ak_arena *arena,
                                              ak_page_list *list_out, akidb_error *err);

/* The row behind the last one of a page. */
static inline uint64_t ak_page_list_end(const ak_page_list *list, size_t page, uint64_t rows)
{
    return page + 1 < list->count ? (uint64_t)list->pages[page + 1].first_row_index : rows;
}

/* Fills reader->vector_pages from the tail. A row group whose index is missing or says nothing of
 * use has no list: its pages are read without one. */
AKIDB_CHECK akidb_status ak_vector_pages_load(akidb_parquet_reader *reader, akidb_error *err);

#endif
