#ifndef AK_PARQUET_WRITER_H
#define AK_PARQUET_WRITER_H
/* Steps of the public writer that encode_batch and snapshots take on their own. */
#include "parquet/writer_options.h"

/* Like akidb_parquet_writer_open, with settings that have been made already. */
AKIDB_CHECK akidb_status ak_parquet_writer_open(const akidb_output *output,
                                                const ak_writer_settings *settings,
                                                akidb_parquet_writer **writer_out,
                                                akidb_error *err);

/* As they were made, and once a row group has been written, with what the profile has decided. They
 * live as long as the writer. */
const ak_writer_settings *ak_parquet_writer_settings(const akidb_parquet_writer *writer);

/* Like akidb_parquet_writer_append for the last batch of a file: nothing is collected for a later
 * one, so no float is copied. */
AKIDB_CHECK akidb_status ak_parquet_writer_append_last(akidb_parquet_writer *writer,
                                                       const akidb_batch *batch, akidb_error *err);

/* Like akidb_parquet_writer_append, or with `is_last` like the function above, for a batch that has
 * passed ak_check_batch with the writer's settings, and has document ids and times. */
AKIDB_CHECK akidb_status ak_parquet_writer_append_checked(akidb_parquet_writer *writer,
                                                          const akidb_batch *batch, bool is_last,
                                                          akidb_error *err);

#endif
