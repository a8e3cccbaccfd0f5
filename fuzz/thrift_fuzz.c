/* layers: codec os json document parquet */
/* Any bytes as each of the structures that a file holds in Thrift's compact protocol. */
#include <stdlib.h>
#include <string.h>

#include "parquet/arena.h"
#include "parquet/metadata.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

/* Touches every name and number of a footer, so that a sanitizer sees what is not there. */
static size_t sum_footer(const ak_file_metadata *metadata)
{
    size_t sum = metadata->created_by == NULL ? 0 : strlen(metadata->created_by);
    for (size_t i = 0; i < metadata->schema_count; i++)
        sum += strlen(metadata->schema[i].name);
    for (size_t i = 0; i < metadata->key_value_count; i++) {
        const ak_key_value *pair = &metadata->key_values[i];
        sum += strlen(pair->key) + (pair->value == NULL ? 0 : strlen(pair->value));
    }
    for (size_t i = 0; i < metadata->column_order_count; i++)
        sum += (size_t)metadata->column_orders[i];
    for (size_t i = 0; i < metadata->row_group_count; i++)
        for (size_t j = 0; j < metadata->row_groups[i].column_count; j++) {
            const ak_column_chunk *chunk = &metadata->row_groups[i].columns[j];
            for (size_t k = 0; k < chunk->path_count; k++)
                sum += strlen(chunk->path_in_schema[k]);
            for (size_t k = 0; k < chunk->encoding_count; k++)
                sum += (size_t)chunk->encodings[k];
        }
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    akidb_error err;
    akidb_slice bytes = {data, size};
    ak_arena *arena;
    if (ak_arena_new(&arena, &err) != AKIDB_OK)
        return 0;
    ak_file_metadata metadata;
    volatile size_t sum = 0;
    if (ak_file_metadata_read(bytes, "fuzz", 0, arena, &metadata, &err) == AKIDB_OK)
        sum = sum_footer(&metadata);
    (void)sum;
    ak_page_header header;
    size_t used, count;
    if (ak_page_header_read(bytes, "fuzz", 0, &header, &used, &err) == AKIDB_OK)
        require(used <= size && header.compressed_size >= 0 && header.num_values >= 0);
    const ak_page_location *pages;
    if (ak_offset_index_read(bytes, "fuzz", 0, arena, &pages, &count, &err) == AKIDB_OK)
        require(count <= size);
    ak_arena_free(arena);
    return 0;
}
