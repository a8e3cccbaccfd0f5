#ifndef AK_OS_RANDOM_H
#define AK_OS_RANDOM_H
#include "akidb/base.h"

/* Fills `bytes` from the operating system's random numbers. AKIDB_E_IO when there are none. */
AKIDB_CHECK akidb_status ak_random_bytes(void *bytes, size_t size, akidb_error *err);

#endif
