#ifndef AK_OS_MAPPING_H
#define AK_OS_MAPPING_H
/* Files mapped for reading. What that can do to a process stands in akidb/mapped.h: nothing is
 * mapped but for its functions. */
#include "akidb/base.h"

typedef struct ak_mapping {
    const uint8_t *data; /* at the beginning of a page of memory; NULL for an empty file */
    size_t size;
} ak_mapping;

/* Maps the whole of a regular file. AKIDB_E_NOT_FOUND, AKIDB_E_PERMISSION, AKIDB_E_IO. */
AKIDB_CHECK akidb_status ak_mapping_open(const char *path, ak_mapping *mapping_out,
                                         akidb_error *err);

/* The same of a file that is open for reading; `name` is for messages. The descriptor is closed,
 * whatever the outcome. */
AKIDB_CHECK akidb_status ak_mapping_take(int descriptor, const char *name, ak_mapping *mapping_out,
                                         akidb_error *err);

/* A zeroed one is fine. */
void ak_mapping_close(ak_mapping *mapping);

#endif
