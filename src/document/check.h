#ifndef AK_DOCUMENT_CHECK_H
#define AK_DOCUMENT_CHECK_H
/* The rules of akidb/batch.h, one by one. Each fails with AKIDB_E_VALIDATION and names the row and
 * the column. */
#include "akidb/batch.h"

AKIDB_CHECK akidb_status ak_check_dimension(uint32_t dimension, akidb_error *err);

/* Of one row's value; a text with data NULL is null, which is legal. */
AKIDB_CHECK akidb_status ak_check_external_id(akidb_slice text, uint64_t row, akidb_error *err);
AKIDB_CHECK akidb_status ak_check_metadata(akidb_slice text, uint64_t row, akidb_error *err);
AKIDB_CHECK akidb_status ak_check_time(int64_t time, uint64_t row, akidb_error *err);

/* What must hold before any value of a batch can be looked at: the dimension, sizes that fit
 * memory, offsets that never fall. Any column may be absent, and there may be no rows. */
AKIDB_CHECK akidb_status ak_check_structure(const akidb_batch *batch, akidb_error *err);

#endif
