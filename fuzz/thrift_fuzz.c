/* layers: codec os json document parquet */
/* Any bytes as each of the structures that a file holds in Thrift's compact protocol. What parses
 * as a footer must, written again, parse as the same. */
#include <stdlib.h>
#include <string.h>

#include "parquet/arena.h"
#include "parquet/metadata.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void read_footer(akidb_slice bytes, ak_arena *arena)
{
    akidb_error err;
    ak_file_metadata metadata, again;
    akidb_buffer written = {0};
    if (ak_file_metadata_read(bytes, "fuzz", 0, arena, &metadata, &err) != AKIDB_OK)
        return;
    if (ak_file_metadata_write(&metadata, &written, &err) == AKIDB_OK && !metadata.is_encrypted) {
        akidb_slice slice = {written.data, written.size};
        bool encrypted_column = false;
        for (size_t i = 0; i < metadata.row_group_count; i++)
            for (size_t j = 0; j < metadata.row_groups[i].column_count; j++)
                encrypted_column |= metadata.row_groups[i].columns[j].is_encrypted;
        akidb_status status = ak_file_metadata_read(slice, "again", 0, arena, &again, &err);
        require(status == AKIDB_OK || encrypted_column);
        if (status == AKIDB_OK) {
            require(again.num_rows == metadata.num_rows);
            require(again.schema_count == metadata.schema_count);
            require(again.row_group_count == metadata.row_group_count);
        }
    }
    akidb_buffer_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    akidb_error err;
    akidb_slice bytes = {data, size};
    ak_arena *arena;
    if (ak_arena_new(&arena, &err) != AKIDB_OK)
        return 0;
    read_footer(bytes, arena);
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
