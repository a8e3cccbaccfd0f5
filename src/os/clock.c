#include <time.h>

#include "akidb/sys/clock.h"

int64_t akidb_clock_now(const akidb_clock *clock)
{
    if (clock != NULL)
        return clock->now(clock->handle);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now); /* cannot fail: the clock exists, the pointer is good */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
