#ifndef AK_OS_MEMORY_H
#define AK_OS_MEMORY_H
#include <stddef.h>

/* Memory that will be filled as a whole, and is freed with free(): a large block begins where a
 * large page does, and is advised as below. NULL when there is none. */
void *ak_memory_new(size_t size);

/* Asks the system to back a large block of memory, which has hardly been touched yet, with large
 * pages: to fill 200 MB for the first time takes a quarter of the time by pages of 2 MiB that it
 * takes by pages of 4 KiB. This is advice: it does nothing to a small block, nor where the system
 * has no such pages, and it cannot fail. */
void ak_memory_prefer_large_pages(void *block, size_t size);

/* Has the system back all pages of a block now, so that whoever fills it meets none that is
 * missing. What is in the block stays, also what another thread writes to it meanwhile. Advice
 * only, too. */
void ak_memory_back_now(void *block, size_t size);

#endif
