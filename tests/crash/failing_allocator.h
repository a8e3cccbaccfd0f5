#ifndef AK_TEST_FAILING_ALLOCATOR_H
#define AK_TEST_FAILING_ALLOCATOR_H
/*
 * An allocator of which the nth call fails. A program that has failing_allocator.c and is linked
 * with -Wl,--wrap for malloc, calloc, realloc and strdup allocates by it; other libraries do not.
 */
#include <stdbool.h>

/* The nth allocation from now on fails, counted from 1, whichever thread makes it. */
void failing_allocator_arm(long nth);

/* From now on nothing fails. Whether the allocation that was to fail was reached. */
bool failing_allocator_disarm(void);

#endif
