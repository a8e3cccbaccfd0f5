#include "failing_allocator.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
int __real_posix_memalign(void **memory, size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

/* Counts down while armed; the allocation that takes it to 0 fails. The library may allocate from
 * threads of its own. */
static long countdown;

static bool must_fail(void)
{
    if (__atomic_load_n(&countdown, __ATOMIC_RELAXED) <= 0)
        return false;
    return __atomic_sub_fetch(&countdown, 1, __ATOMIC_RELAXED) == 0;
}

void *__wrap_malloc(size_t size)
{
    return must_fail() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return must_fail() ? NULL : __real_realloc(memory, size);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t size)
{
    return must_fail() ? ENOMEM : __real_posix_memalign(memory, alignment, size);
}

char *__wrap_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = __wrap_malloc(size);
    return copy == NULL ? NULL : memcpy(copy, text, size);
}

void failing_allocator_arm(long nth)
{
    __atomic_store_n(&countdown, nth, __ATOMIC_RELAXED);
}

bool failing_allocator_disarm(void)
{
    return __atomic_exchange_n(&countdown, 0, __ATOMIC_RELAXED) <= 0;
}
