#ifndef AK_PARQUET_BATCH_CHECK_H
#define AK_PARQUET_BATCH_CHECK_H
/* What the writer asks of a batch before it takes any of it. */
#include "parquet/writer_options.h"

/* The rules of akidb/batch.h, the writer's dimension, texts that fit into a page, and times that
 * the file's unit can hold. Rows in the error count from the start of the file, in which the
 * batch's first row is `first_row`. The batch has one row at least. */
AKIDB_CHECK akidb_status ak_check_batch(const akidb_batch *batch,
                                        const ak_writer_settings *settings, uint64_t first_row,
                                        akidb_error *err);

/* Whether a time of the batch has finer digits than milliseconds; its row is then in *row_out,
 * which may be NULL. */
bool ak_batch_needs_micros(const akidb_batch *batch, size_t *row_out);

#endif
