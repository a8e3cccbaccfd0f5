#include "storage/chunk.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "document/documents.h"
#include "os/memory.h"

/* Of a row, beside its vector. */
enum {
    ROW_BYTES = sizeof(akidb_uuid) + sizeof(int64_t) + sizeof(uint64_t) + sizeof(ak_text *) +
                2 * sizeof(uint32_t) + 2 * sizeof(ak_row)
};

ak_text *ak_text_new(size_t size)
{
    ak_text *text = malloc(sizeof *text + size);
    if (text != NULL)
        atomic_init(&text->references, 1);
    return text;
}

void ak_text_retain(ak_text *text)
{
    if (text != NULL)
        atomic_fetch_add(&text->references, 1);
}

void ak_text_release(ak_text *text)
{
    if (text != NULL && atomic_fetch_sub(&text->references, 1) == 1)
        free(text);
}

uint64_t ak_chunk_bytes(uint32_t dimension, uint32_t capacity)
{
    return sizeof(ak_chunk) +
           (uint64_t)capacity * (ROW_BYTES + (uint64_t)dimension * sizeof(float));
}

static bool allocate(ak_chunk *chunk)
{
    size_t n = chunk->capacity;
    chunk->ids = malloc(n * sizeof *chunk->ids);
    chunk->times = malloc(n * sizeof *chunk->times);
    chunk->vectors = ak_memory_new(n * chunk->dimension * sizeof *chunk->vectors);
    chunk->dead_at = calloc(n, sizeof *chunk->dead_at);
    chunk->texts = calloc(n, sizeof *chunk->texts);
    chunk->external_sizes = malloc(n * sizeof *chunk->external_sizes);
    chunk->metadata_sizes = malloc(n * sizeof *chunk->metadata_sizes);
    chunk->next_same = malloc(n * sizeof *chunk->next_same);
    chunk->previous_same = malloc(n * sizeof *chunk->previous_same);
    return chunk->ids != NULL && chunk->times != NULL && chunk->vectors != NULL &&
           chunk->dead_at != NULL && chunk->texts != NULL && chunk->external_sizes != NULL &&
           chunk->metadata_sizes != NULL && chunk->next_same != NULL &&
           chunk->previous_same != NULL;
}

akidb_status ak_chunk_new(uint32_t dimension, uint32_t capacity, _Atomic uint64_t *memory,
                          ak_chunk **chunk_out, akidb_error *err)
{
    *chunk_out = NULL;
    uint64_t bytes = ak_chunk_bytes(dimension, capacity);
    ak_chunk *chunk = calloc(1, sizeof *chunk);
    if (chunk == NULL)
        return ak_fail_memory(err, (size_t)bytes);
    atomic_init(&chunk->references, 1);
    chunk->memory = memory;
    chunk->bytes = bytes;
    chunk->dimension = dimension;
    chunk->capacity = capacity;
    atomic_fetch_add(memory, bytes);
    if (!allocate(chunk)) {
        ak_chunk_release(chunk);
        return ak_fail_memory(err, (size_t)bytes);
    }
    *chunk_out = chunk;
    return AKIDB_OK;
}

void ak_chunk_retain(ak_chunk *chunk)
{
    atomic_fetch_add(&chunk->references, 1);
}

void ak_chunk_release(ak_chunk *chunk)
{
    if (chunk == NULL || atomic_fetch_sub(&chunk->references, 1) > 1)
        return;
    for (uint32_t row = 0; row < chunk->rows; row++)
        ak_text_release(chunk->texts[row]);
    atomic_fetch_sub(chunk->memory, chunk->bytes);
    free(chunk->ids);
    free(chunk->times);
    free(chunk->vectors);
    free((void *)chunk->dead_at);
    free(chunk->texts);
    free(chunk->external_sizes);
    free(chunk->metadata_sizes);
    free(chunk->next_same);
    free(chunk->previous_same);
    free(chunk);
}

/* `size` bytes of a text from `at` on. */
static akidb_slice text_of(const ak_text *text, size_t at, uint32_t size)
{
    if (size == AK_LOG_NULL)
        return (akidb_slice){NULL, 0};
    return (akidb_slice){text == NULL ? "" : text->bytes + at, size};
}

akidb_slice ak_chunk_external_id(const ak_chunk *chunk, uint32_t row)
{
    return text_of(chunk->texts[row], 0, chunk->external_sizes[row]);
}

akidb_slice ak_chunk_metadata(const ak_chunk *chunk, uint32_t row)
{
    uint32_t before = chunk->external_sizes[row];
    return text_of(chunk->texts[row], before == AK_LOG_NULL ? 0 : before,
                   chunk->metadata_sizes[row]);
}

akidb_status ak_chunk_copy_row(const ak_chunk *chunk, uint32_t row, akidb_documents *documents,
                               akidb_error *err)
{
    size_t at = documents->rows, d = chunk->dimension;
    akidb_status status = ak_documents_reserve(documents, 1, err);
    if (status == AKIDB_OK)
        status =
            ak_texts_append(&documents->external_ids, at, ak_chunk_external_id(chunk, row), err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->metadata, at, ak_chunk_metadata(chunk, row), err);
    if (status != AKIDB_OK) {
        ak_documents_truncate(documents, at);
        return status;
    }
    documents->document_ids[at] = chunk->ids[row];
    documents->inserted_at[at] = chunk->times[row];
    memcpy(documents->vectors + at * d, chunk->vectors + row * d, d * sizeof(float));
    documents->rows++;
    return AKIDB_OK;
}
