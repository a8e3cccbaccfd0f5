#ifndef AK_JSON_MEMORY_H
#define AK_JSON_MEMORY_H
/*
 * Memory that is given out piece by piece and freed at once: for the nodes of a tree, and for the
 * JSON library, which does not look whether an allocation failed. For the library there is a way
 * out: when memory is short, ak_json_library_memory jumps back to the setjmp that guards the call
 * into the library, and whatever it had taken is freed with the rest.
 */
#include <setjmp.h>
#include <stddef.h>

typedef struct ak_json_block ak_json_block;

enum { AK_JSON_FIRST_BYTES = 3072 }; /* what checking a usual text takes, without malloc */

typedef struct ak_json_memory {
    ak_json_block *blocks; /* from malloc, the newest first */
    unsigned char *at;     /* free bytes */
    size_t left;
    jmp_buf *out; /* where a failing allocation of the library jumps to */
    _Alignas(max_align_t) unsigned char first[AK_JSON_FIRST_BYTES];
} ak_json_memory;

void ak_json_memory_begin(ak_json_memory *memory);

/* Bytes for any type, or NULL. They last until ak_json_memory_end. */
void *ak_json_memory_take(ak_json_memory *memory, size_t size);

void ak_json_memory_end(ak_json_memory *memory);

/* The library's three functions; `context` is an ak_json_memory whose `out` is set. */
void *ak_json_library_malloc(void *context, size_t size);
void *ak_json_library_realloc(void *context, void *old, size_t size);
void ak_json_library_free(void *context, void *old);

#endif
