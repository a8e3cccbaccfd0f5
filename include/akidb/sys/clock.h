#ifndef AKIDB_SYS_CLOCK_H
#define AKIDB_SYS_CLOCK_H
/*
 * Clock: where times come from, so that a test can run years in seconds. Functions that take a
 * clock take NULL for the system's. The clock is borrowed until the handle that took it is closed.
 */
#include "akidb/base.h"

AKIDB_BEGIN_DECLS

typedef struct akidb_clock {
    /* Must. UTC in microseconds since the epoch. Called from many threads at once. */
    int64_t (*now)(void *handle);
    void *handle;
} akidb_clock;

/* The clock's time, or the system's when clock is NULL. */
AKIDB_API int64_t akidb_clock_now(const akidb_clock *clock);

AKIDB_END_DECLS
#endif
