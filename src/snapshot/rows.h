#ifndef AK_SNAPSHOT_ROWS_H
#define AK_SNAPSHOT_ROWS_H
/*
 * A Parquet snapshot, open to read some of its rows: the tails of its parts stay in memory, and
 * then a row takes two reads, one of the small columns of its row group and one of the page with
 * its vector; or, where small reads cost little, one of a page of each column. Rows and row groups
 * are counted over all parts. Every byte is compared with its checksum. Many threads may read at
 * once.
 */
#include "document/documents.h"
#include "snapshot/snapshotter.h"

typedef struct ak_snapshot_rows ak_snapshot_rows;

/* Takes the metadata over, whatever the outcome; the store must outlive the rows.
 * AKIDB_E_UNSUPPORTED: JSON, no checksums, or no offset indexes. */
AKIDB_CHECK akidb_status ak_snapshot_rows_open(akidb_snapshotter *snapshotter,
                                               akidb_snapshot_metadata *metadata,
                                               ak_snapshot_rows **rows_out, akidb_error *err);
void ak_snapshot_rows_close(ak_snapshot_rows *rows); /* NULL is fine */

/* Bytes of memory that it takes, nearly. */
uint64_t ak_snapshot_rows_bytes(const ak_snapshot_rows *rows);

/* Whether its times are stored in microseconds. */
bool ak_snapshot_rows_in_micros(const ak_snapshot_rows *rows);

/* Row group g holds the rows from ak_snapshot_first_row(rows, g) to that of g + 1. */
size_t ak_snapshot_group_count(const ak_snapshot_rows *rows);
uint64_t ak_snapshot_first_row(const ak_snapshot_rows *rows, size_t group);
/* The row group of a row that is there. */
size_t ak_snapshot_group_of(const ak_snapshot_rows *rows, uint64_t row);

/* Whether a row group may hold a document: by its bounds and Bloom filters. */
AKIDB_CHECK akidb_status ak_snapshot_may_hold_id(const ak_snapshot_rows *rows, size_t group,
                                                 const akidb_uuid *id, bool *result_out,
                                                 akidb_error *err);
AKIDB_CHECK akidb_status ak_snapshot_may_hold_external_id(const ak_snapshot_rows *rows,
                                                          size_t group, akidb_slice text,
                                                          bool *result_out, akidb_error *err);

/* Appends all of a row group but its vectors. */
AKIDB_CHECK akidb_status ak_snapshot_read_small(const ak_snapshot_rows *rows, size_t group,
                                                akidb_documents *documents, akidb_error *err);

/* The rows of a page of a small column, counted in the row group. */
typedef struct ak_row_span {
    size_t first, count;
} ak_row_span;

/* Whether external ids, metadata and times of a row group can be read page by page. */
bool ak_snapshot_has_row_pages(const ak_snapshot_rows *rows, size_t group);

/* The rows of the page of one of these columns that holds a row. */
AKIDB_CHECK akidb_status ak_snapshot_row_page(const ak_snapshot_rows *rows, size_t group,
                                              akidb_column column, size_t row,
                                              ak_row_span *span_out, akidb_error *err);

/* The values of that page: texts, or span_out->count times, which are malloc'ed. */
AKIDB_CHECK akidb_status ak_snapshot_read_row_page(const ak_snapshot_rows *rows, size_t group,
                                                   akidb_column column, size_t row,
                                                   ak_row_span *span_out, ak_texts *texts_out,
                                                   int64_t **times_out, akidb_error *err);

/* The rows of the page that holds the vector of a row; rows are counted in the row group. */
AKIDB_CHECK akidb_status ak_snapshot_vector_page(const ak_snapshot_rows *rows, size_t group,
                                                 size_t row, size_t *first_out, size_t *count_out,
                                                 akidb_error *err);

/* The vectors of rows first .. first + count - 1 of a row group. */
AKIDB_CHECK akidb_status ak_snapshot_read_vectors(const ak_snapshot_rows *rows, size_t group,
                                                  size_t first, size_t count, float *floats_out,
                                                  akidb_error *err);

#endif
