#ifndef AK_STORAGE_BASE_PAGES_H
#define AK_STORAGE_BASE_PAGES_H
/*
 * The pages of a base, by way of the storage's cache. What is held stays until ak_cache_release,
 * whatever the cache lets go of meanwhile. All do I/O; any calls from any threads at once.
 */
#include "document/documents.h"
#include "storage/base.h"
#include "storage/cache.h"

/* What is read from one side; on failure nothing may be left of it, since the other side is next.
 */
typedef akidb_status ak_base_reading(const ak_snapshot_rows *rows, void *context, akidb_error *err);

/* From the local copy if it is good, else from the store. A missing snapshot, which somebody else
 * has deleted, is AKIDB_E_CORRUPTION, as any damage that the store has, too. */
AKIDB_CHECK akidb_status ak_base_read(ak_base *base, ak_base_reading *read, void *context,
                                      akidb_error *err);

/* What the tails say, of whichever side; it stays as long as the base. */
AKIDB_CHECK akidb_status ak_base_tails(ak_base *base, const ak_snapshot_rows **rows_out,
                                       akidb_error *err);

/* Counts memory that the base keeps from now on. */
void ak_base_count_bytes(ak_base *base, uint64_t bytes);

/* The small columns of a row group, as akidb_documents. */
AKIDB_CHECK akidb_status ak_base_hold_small(ak_base *base, size_t group, ak_cached **held_out,
                                            akidb_error *err);

/* The values of a page of a small column. */
typedef struct ak_column_page {
    ak_row_span span;
    ak_texts texts;
    int64_t *times;
} ak_column_page;

/* The page of a small column with a row of a row group. */
AKIDB_CHECK akidb_status ak_base_hold_column(ak_base *base, const ak_snapshot_rows *rows,
                                             size_t group, akidb_column column, size_t row,
                                             ak_cached **held_out, akidb_error *err);

typedef struct ak_vector_page {
    size_t first, count; /* rows of the row group */
    float floats[];
} ak_vector_page;

/* The page with the vector of a row of a row group. */
AKIDB_CHECK akidb_status ak_base_hold_vectors(ak_base *base, const ak_snapshot_rows *rows,
                                              size_t group, size_t row, ak_cached **held_out,
                                              akidb_error *err);

/* One document, of memory that is held. */
typedef struct ak_found {
    akidb_uuid id;
    akidb_slice external_id, metadata;
    int64_t inserted_at;
    const float *vector;
} ak_found;

/* All but the vector, of the small columns of a row group. */
ak_found ak_found_in_small(const akidb_documents *small, size_t row);
/* The vector of a row of the row group that the page has. */
const float *ak_vector_in_page(const ak_vector_page *page, uint32_t dimension, size_t row);

/* On failure nothing is appended. */
AKIDB_CHECK akidb_status ak_found_append(const ak_found *found, akidb_documents *documents,
                                         akidb_error *err);

#endif
