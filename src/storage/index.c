#include "storage/index.h"

#include <stdlib.h>

#include "base/checked.h"
#include "base/error.h"

#define EMPTY UINT64_MAX

void ak_index_free(ak_index *index)
{
    free(index->slots);
    *index = (ak_index){0};
}

void ak_index_add(ak_index *index, uint64_t hash, uint64_t reference)
{
    size_t mask = index->capacity - 1, at = (size_t)hash & mask;
    /* Every slot is set: NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult) */
    while (index->slots[at].reference != EMPTY)
        at = (at + 1) & mask;
    index->slots[at] = (ak_index_slot){hash, reference};
    index->count++;
}

akidb_status ak_index_reserve(ak_index *index, size_t count, akidb_error *err)
{
    enum { CAPACITY_MIN = 16 };
    size_t wanted, size, capacity = CAPACITY_MIN;
    if (!ak_add_size(count, count / 2, &wanted)) /* at most two thirds full */
        return ak_fail_memory(err, SIZE_MAX);
    if (wanted < index->capacity)
        return AKIDB_OK;
    while (capacity <= wanted)
        if (!ak_mul_size(capacity, 2, &capacity))
            return ak_fail_memory(err, SIZE_MAX);
    if (!ak_mul_size(capacity, sizeof *index->slots, &size))
        return ak_fail_memory(err, SIZE_MAX);
    ak_index grown = {malloc(size), capacity, 0};
    if (grown.slots == NULL)
        return ak_fail_memory(err, size);
    for (size_t i = 0; i < capacity; i++)
        grown.slots[i].reference = EMPTY;
    for (size_t i = 0; i < index->capacity; i++)
        if (index->slots[i].reference != EMPTY)
            ak_index_add(&grown, index->slots[i].hash, index->slots[i].reference);
    free(index->slots);
    *index = grown;
    return AKIDB_OK;
}

static size_t scan(const ak_index *index, uint64_t hash, size_t at)
{
    size_t mask = index->capacity - 1;
    for (; index->slots[at].reference != EMPTY; at = (at + 1) & mask)
        if (index->slots[at].hash == hash)
            return at;
    return AK_INDEX_NONE;
}

size_t ak_index_first(const ak_index *index, uint64_t hash)
{
    if (index->capacity == 0)
        return AK_INDEX_NONE;
    return scan(index, hash, (size_t)hash & (index->capacity - 1));
}

size_t ak_index_next(const ak_index *index, uint64_t hash, size_t position)
{
    return scan(index, hash, (position + 1) & (index->capacity - 1));
}

void ak_index_remove(ak_index *index, size_t position)
{
    size_t mask = index->capacity - 1, hole = position;
    for (size_t at = (hole + 1) & mask; index->slots[at].reference != EMPTY; at = (at + 1) & mask) {
        size_t home = (size_t)index->slots[at].hash & mask;
        /* An entry may move up unless its home lies behind the hole. */
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        index->slots[hole] = index->slots[at];
        hole = at;
    }
    index->slots[hole].reference = EMPTY;
    index->count--;
}
