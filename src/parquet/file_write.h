#ifndef AK_PARQUET_FILE_WRITE_H
#define AK_PARQUET_FILE_WRITE_H
/* The file as it grows: row groups go to the output one after the other, and what the footer and
 * the summary say of them is kept. */
#include "akidb/parquet.h"
#include "os/spool.h"
#include "parquet/row_group_write.h"

typedef struct ak_parquet_file {
    akidb_output output;
    uint64_t size; /* handed to the output */
    uint32_t crc32c;
    uint64_t rows;
    size_t row_group_count;
    ak_row_group_record *records;
    size_t record_capacity;
    akidb_parquet_row_group_summary *summaries;
    size_t summary_capacity;
    ak_spool blooms;      /* Bloom filters, for the tail */
    akidb_buffer indexes; /* offset indexes, behind them */
} ak_parquet_file;

void ak_parquet_file_init(ak_parquet_file *file, const akidb_output *output,
                          const ak_writer_settings *settings);
void ak_parquet_file_free(ak_parquet_file *file);

/* Writes what the encoder has encoded last, and the magic before the first. */
AKIDB_CHECK akidb_status ak_parquet_file_add(ak_parquet_file *file, ak_row_group_encoder *encoder,
                                             akidb_error *err);

/* Writes Bloom filters, offset indexes and footer. The summary's row groups live as long as `file`.
 */
AKIDB_CHECK akidb_status ak_parquet_file_end(ak_parquet_file *file,
                                             const ak_writer_settings *settings,
                                             akidb_parquet_summary *summary_out, akidb_error *err);

#endif
