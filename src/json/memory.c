#include "json/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

enum { ALIGNMENT = _Alignof(max_align_t), BLOCK_BYTES = 8192 };

struct ak_json_block {
    _Alignas(max_align_t) ak_json_block *next;
};

void ak_json_memory_begin(ak_json_memory *memory)
{
    memory->blocks = NULL;
    memory->at = memory->first;
    memory->left = sizeof memory->first;
    memory->out = NULL;
}

void *ak_json_memory_take(ak_json_memory *memory, size_t size)
{
    size_t rounded;
    if (!ak_add_size(size, ALIGNMENT - 1, &rounded))
        return NULL;
    rounded -= rounded % ALIGNMENT;
    if (rounded > memory->left) {
        size_t bytes = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        size_t with_head;
        if (!ak_add_size(bytes, sizeof(ak_json_block), &with_head))
            return NULL;
        ak_json_block *block = malloc(with_head);
        if (block == NULL)
            return NULL;
        block->next = memory->blocks;
        memory->blocks = block;
        memory->at = (unsigned char *)(block + 1);
        memory->left = bytes;
    }
    void *taken = memory->at;
    memory->at += rounded;
    memory->left -= rounded;
    return taken;
}

void ak_json_memory_end(ak_json_memory *memory)
{
    while (memory->blocks != NULL) {
        ak_json_block *next = memory->blocks->next;
        free(memory->blocks);
        memory->blocks = next;
    }
}

/* The size stands before each piece of the library's, because its realloc must copy. */
typedef struct piece {
    _Alignas(max_align_t) size_t size;
} piece;

void *ak_json_library_malloc(void *context, size_t size)
{
    ak_json_memory *memory = context;
    size_t with_head;
    piece *taken = NULL;
    if (ak_add_size(size, sizeof(piece), &with_head))
        taken = ak_json_memory_take(memory, with_head);
    if (taken == NULL)
        longjmp(*memory->out, 1);
    taken->size = size;
    return taken + 1;
}

void *ak_json_library_realloc(void *context, void *old, size_t size)
{
    void *moved = ak_json_library_malloc(context, size);
    if (old != NULL) {
        size_t before = ((piece *)old - 1)->size;
        memcpy(moved, old, before < size ? before : size);
    }
    return moved;
}

void ak_json_library_free(void *context, void *old)
{
    (void)context; /* all of it is freed at once */
    (void)old;
}
