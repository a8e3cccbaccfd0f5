#ifndef AK_PARQUET_AGAIN_H
#define AK_PARQUET_AGAIN_H
/* Bytes may be damaged on their way and whole where they are stored: what is found damaged is read
 * once more before the file is called damaged. */
#include "akidb/base.h"

/* Reads something and compares it with its checksum. Must fill *err when it fails. */
typedef akidb_status ak_read_function(void *context, akidb_error *err);

/* Calls `read`, and once more when it gives AKIDB_E_CORRUPTION. If it is well then, the log hears
 * of it; `hooks` may be NULL. */
AKIDB_CHECK akidb_status ak_read_again(ak_read_function *read, void *context,
                                       const akidb_hooks *hooks, akidb_error *err);

/* Tells the log of damage that was gone when the bytes were read again. */
void ak_log_read_again(const akidb_hooks *hooks, const akidb_error *damage);

#endif
