#ifndef AK_PARQUET_ROW_GROUP_QUEUE_H
#define AK_PARQUET_ROW_GROUP_QUEUE_H
/*
 * Row groups that are being encoded by the threads of a pool, as many at once as there are threads,
 * and written to the file in the order in which they came, by the thread that calls. With one
 * thread a row group is encoded and written within the call.
 */
#include "parquet/file_write.h"

typedef struct ak_row_group_queue ak_row_group_queue;

/* `settings` and `file` must outlive the queue. */
AKIDB_CHECK akidb_status ak_row_group_queue_new(const ak_writer_settings *settings,
                                                ak_parquet_file *file,
                                                ak_row_group_queue **queue_out, akidb_error *err);

/* Waits for what is being encoded; nothing more is written. NULL is fine. */
void ak_row_group_queue_free(ak_row_group_queue *queue);

/* Adds rows of a batch that is borrowed until ak_row_group_queue_return_borrowed or
 * ak_row_group_queue_stop returns. Rows as ak_row_group_encode takes them. */
AKIDB_CHECK akidb_status ak_row_group_queue_add_borrowed(ak_row_group_queue *queue,
                                                         const akidb_batch *batch, size_t first,
                                                         size_t rows, akidb_error *err);

/* Adds documents, at least one, which it takes, leaving others that are empty in their place. */
AKIDB_CHECK akidb_status ak_row_group_queue_add_owned(ak_row_group_queue *queue,
                                                      akidb_documents **documents,
                                                      akidb_error *err);

/* Writes row groups until none is left that borrows. */
AKIDB_CHECK akidb_status ak_row_group_queue_return_borrowed(ak_row_group_queue *queue,
                                                            akidb_error *err);

/* Writes all that are left. */
AKIDB_CHECK akidb_status ak_row_group_queue_finish(ak_row_group_queue *queue, akidb_error *err);

/* After a failure: waits for the workers and forgets the row groups. */
void ak_row_group_queue_stop(ak_row_group_queue *queue);

#endif
