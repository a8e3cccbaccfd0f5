#include "parquet/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

enum { BLOCK_BYTES = 16384 };

typedef struct block {
    struct block *next;
    size_t size;
    size_t used;
    alignas(max_align_t) uint8_t bytes[];
} block;

struct ak_arena {
    block *blocks; /* the newest first; pieces come from it alone */
};

akidb_status ak_arena_new(ak_arena **arena_out, akidb_error *err)
{
    *arena_out = calloc(1, sizeof **arena_out);
    return *arena_out == NULL ? ak_fail_memory(err, sizeof **arena_out) : AKIDB_OK;
}

void ak_arena_free(ak_arena *arena)
{
    if (arena == NULL)
        return;
    for (block *b = arena->blocks; b != NULL;) {
        block *next = b->next;
        free(b);
        b = next;
    }
    free(arena);
}

static akidb_status add_block(ak_arena *arena, size_t wanted, akidb_error *err)
{
    size_t size = wanted < BLOCK_BYTES ? BLOCK_BYTES : wanted;
    size_t bytes;
    if (!ak_add_size(size, sizeof(block), &bytes) || bytes > PTRDIFF_MAX)
        return ak_fail_memory(err, SIZE_MAX);
    block *b = calloc(1, bytes);
    if (b == NULL)
        return ak_fail_memory(err, bytes);
    b->size = size;
    b->next = arena->blocks;
    arena->blocks = b;
    return AKIDB_OK;
}

akidb_status ak_arena_alloc(ak_arena *arena, size_t count, size_t size, void *memory_out,
                            akidb_error *err)
{
    void *none = NULL;
    memcpy(memory_out, &none, sizeof none);
    size_t wanted;
    if (!ak_mul_size(count, size, &wanted) || wanted > PTRDIFF_MAX - alignof(max_align_t))
        return ak_fail_memory(err, SIZE_MAX);
    wanted = wanted == 0 ? 1 : wanted;
    wanted = (wanted + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (arena->blocks == NULL || arena->blocks->size - arena->blocks->used < wanted) {
        akidb_status status = add_block(arena, wanted, err);
        if (status != AKIDB_OK)
            return status;
    }
    void *piece = arena->blocks->bytes + arena->blocks->used;
    arena->blocks->used += wanted;
    memcpy(memory_out, &piece, sizeof piece);
    return AKIDB_OK;
}
