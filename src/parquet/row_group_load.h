#ifndef AK_PARQUET_ROW_GROUP_LOAD_H
#define AK_PARQUET_ROW_GROUP_LOAD_H
/* The bytes of a row group: fetched by few reads, compared with what an earlier summary says of
 * them, floats already where they belong when they lie in the file as they are. */
#include "parquet/row_group_read.h"

typedef struct ak_loaded {
    ak_chunk chunks[AK_FIELD_COUNT]; /* leaf NULL: not read */
    bool places;                     /* floats straight to the matrix, where that can be done */
} ak_loaded;

/* Every wanted column. Start from a zeroed struct but for `places`. The chunks live in the job. */
AKIDB_CHECK akidb_status ak_row_group_load(ak_row_group_job *job, ak_loaded *l, akidb_error *err);

/* The first `size` bytes of the vector's chunk alone, of at most as many as it has. */
AKIDB_CHECK akidb_status ak_row_group_load_vector(ak_row_group_job *job, ak_loaded *l,
                                                  uint64_t size, akidb_error *err);

#endif
