#ifndef AK_SNAPSHOT_FILTER_H
#define AK_SNAPSHOT_FILTER_H
/* A filter made ready for use: which row groups may hold wanted documents, and which rows are. */
#include "akidb/snapshot.h"

typedef struct ak_filter {
    akidb_filter wanted;       /* columns is never 0 */
    akidb_uuid *ids;           /* sorted */
    akidb_slice *external_ids; /* sorted bytewise, shorter first */
    bool conditional;          /* some documents may not be wanted */
} ak_filter;

/* `wanted` may be NULL: everything. AKIDB_E_VALIDATION: unknown columns, or NULL where a count says
 * that there is something. Pointers within stay borrowed. */
AKIDB_CHECK akidb_status ak_filter_init(ak_filter *filter, const akidb_filter *wanted,
                                        akidb_error *err);
void ak_filter_free(ak_filter *filter);

/* The columns to read: those wanted and those that the conditions look at. */
unsigned ak_filter_columns(const ak_filter *filter);

/* False when the bounds rule out that the row group holds a wanted document. */
bool ak_filter_may_match(const ak_filter *filter, const akidb_parquet_row_group_bounds *bounds);

/* Puts the rows of the batch that are wanted into `rows`, which has room for all; returns how many.
 */
size_t ak_filter_rows(const ak_filter *filter, const akidb_batch *batch, size_t *rows);

/* The batch without the columns that are not wanted. */
akidb_batch ak_filter_project(const ak_filter *filter, const akidb_batch *batch);

#endif
