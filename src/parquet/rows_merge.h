#ifndef AK_PARQUET_ROWS_MERGE_H
#define AK_PARQUET_ROWS_MERGE_H
/* From columns that were decoded to documents: what readers of whole row groups and of pieces of
 * them have in common. */
#include "parquet/row_group_read.h"

/* Bytes of the wanted chunks of a row group, as they lie in the file. */
uint64_t ak_stored_bytes(const akidb_parquet_reader *reader, size_t group);

/* Row counts are claims: before memory is reserved by them, they must be such as the bytes of the
 * row groups can hold (AKIDB_E_LIMIT). *bytes_out is the most that their texts may take. */
AKIDB_CHECK akidb_status ak_rows_allowed(const akidb_parquet_reader *reader, size_t first,
                                         size_t count, uint64_t *rows_out, uint64_t *bytes_out,
                                         akidb_error *err);

/* Gives `rows` rows that a job collected, the first of them row `file_row` of the file, to the
 * documents, behind `before` of them: their texts, and ids and times where the file has none. What
 * has a fixed width is in the documents already. */
AKIDB_CHECK akidb_status ak_rows_merge(const ak_row_group_job *job, uint64_t file_row, size_t rows,
                                       size_t before, int64_t now, akidb_documents *documents,
                                       akidb_error *err);

#endif
