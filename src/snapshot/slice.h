#ifndef AK_SNAPSHOT_SLICE_H
#define AK_SNAPSHOT_SLICE_H
/* Rows of a batch as a batch, from any row on: akidb_batch_rows wants a multiple of 8 where there
 * are bitmaps, which are copied here, shifted. */
#include "akidb/batch.h"

/* Start from {0}; may be used again for other rows. */
typedef struct ak_batch_slice {
    akidb_batch batch; /* of the memory of the one it was taken from, and of the bitmaps below */
    akidb_buffer external_validity;
    akidb_buffer metadata_validity;
} ak_batch_slice;

AKIDB_CHECK akidb_status ak_batch_slice_take(ak_batch_slice *slice, const akidb_batch *batch,
                                             size_t first, size_t rows, akidb_error *err);
void ak_batch_slice_free(ak_batch_slice *slice);

#endif
