#ifndef AK_PARQUET_ARROW_SCHEMA_H
#define AK_PARQUET_ARROW_SCHEMA_H
/* The value of the footer's key "ARROW:schema": the same columns as an Arrow schema, which tells
 * Arrow readers that the vector is a FixedSizeList<float, dimension>. Parquet alone cannot say so.
 */
#include "akidb/base.h"
#include "parquet/metadata.h"

/* Appends the base64 text of the IPC message and a NUL (counted in the buffer's size). */
AKIDB_CHECK akidb_status ak_arrow_schema_append(akidb_buffer *text, uint32_t dimension,
                                                ak_time_unit_kind unit, akidb_error *err);

#endif
