#include "os/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Below two of them a block may hold no large page at all. */
enum { LARGE_PAGE = 2 << 20, WORTH_IT = 2 * LARGE_PAGE };

void *ak_memory_new(size_t size)
{
    if (size < WORTH_IT)
        return malloc(size);
    void *block;
    if (posix_memalign(&block, LARGE_PAGE, size) != 0)
        return NULL;
    ak_memory_prefer_large_pages(block, size);
    return block;
}

void ak_memory_prefer_large_pages(void *block, size_t size)
{
#ifdef MADV_HUGEPAGE
    if (size < WORTH_IT)
        return;
    /* Only whole large pages of the block itself: its ends share theirs with strangers. */
    uintptr_t begin = ((uintptr_t)block + LARGE_PAGE - 1) & ~(uintptr_t)(LARGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)block + size) & ~(uintptr_t)(LARGE_PAGE - 1);
    (void)!madvise((void *)begin, end - begin, MADV_HUGEPAGE);
#else
    (void)block;
    (void)size;
#endif
}

void ak_memory_back_now(void *block, size_t size)
{
#ifdef MADV_POPULATE_WRITE
    if (size == 0)
        return;
    /* The first page and the last may hold strangers: having them backed does those no harm. */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t begin = (uintptr_t)block & ~(page - 1);
    uintptr_t end = ((uintptr_t)block + size + page - 1) & ~(page - 1);
    (void)!madvise((void *)begin, end - begin, MADV_POPULATE_WRITE);
#else
    (void)block;
    (void)size;
#endif
}
