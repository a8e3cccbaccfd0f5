#ifndef AK_PARQUET_TAIL_WRITE_H
#define AK_PARQUET_TAIL_WRITE_H
/* The end of the file, after Bloom filters and offset indexes: footer, its length, magic. */
#include "parquet/row_group_write.h"

/* The magic at both ends of a file. */
#define AK_PARQUET_MAGIC      "PAR1"
#define AK_PARQUET_MAGIC_SIZE 4u

/* Appends the footer of a file whose Bloom filters, of the chunks that have one, begin at
 * `blooms_offset`, and whose offset indexes, one per chunk, at `indexes_offset`, both row group by
 * row group and in the order of the schema; then the footer's length and the magic. */
AKIDB_CHECK akidb_status ak_footer_append(const ak_writer_settings *settings,
                                          const ak_row_group_record *row_groups, size_t count,
                                          uint64_t blooms_offset, uint64_t indexes_offset,
                                          akidb_buffer *footer, akidb_error *err);

#endif
