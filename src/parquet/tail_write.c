#include "parquet/tail_write.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/endian.h"
#include "base/error.h"
#include "parquet/arrow_schema.h"

/* Readers look at the application and the version to work around the bugs of writers; the build is
 * there because some of them cannot parse a text without it. */
#define CREATED_BY "akidb version " AKIDB_VERSION_STRING " (build libakidb)"

static const int plain[] = {AK_ENCODING_PLAIN, AK_ENCODING_RLE};
static const int split[] = {AK_ENCODING_BYTE_STREAM_SPLIT, AK_ENCODING_RLE};
static const int dictionary[] = {AK_ENCODING_PLAIN, AK_ENCODING_RLE, AK_ENCODING_RLE_DICTIONARY};

static void set_encodings(ak_column_chunk *column, const ak_chunk_record *record)
{
    column->encodings = plain;
    column->encoding_count = 2;
    if (record->encoding == AK_ENCODING_BYTE_STREAM_SPLIT) {
        column->encodings = split;
    } else if (record->has_dictionary) {
        column->encodings = dictionary;
        column->encoding_count = 3;
    }
}

static akidb_slice bound_slice(const ak_bound *bound)
{
    return bound->present ? (akidb_slice){bound->bytes, bound->size} : (akidb_slice){NULL, 0};
}

static ak_column_chunk describe_chunk(const ak_chunk_record *record, ak_leaf leaf,
                                      uint64_t row_group_offset)
{
    const ak_leaf_schema *schema = ak_leaf_schema_of(leaf);
    int64_t offset = (int64_t)row_group_offset;
    ak_column_chunk column = {
        .type = (int)schema->type,
        .path_in_schema = schema->path,
        .path_count = schema->path_count,
        .codec = record->codec,
        .num_values = record->num_values,
        .total_uncompressed_size = (int64_t)record->uncompressed_size,
        .total_compressed_size = (int64_t)record->size,
        .data_page_offset = offset + record->data_page_offset,
        .statistics = {.has_null_count = true,
                       .null_count = (int64_t)record->null_count,
                       .min_value = bound_slice(&record->min),
                       .max_value = bound_slice(&record->max),
                       .is_min_exact = record->min.exact,
                       .is_max_exact = record->max.exact},
    };
    if (record->dictionary_page_offset >= 0)
        column.dictionary_page_offset = offset + record->dictionary_page_offset;
    set_encodings(&column, record);
    return column;
}

/* Fills the row groups and their columns; the places of Bloom filters and indexes follow from their
 * sizes. */
static void describe_row_groups(const ak_row_group_record *records, size_t count,
                                uint64_t blooms_offset, uint64_t indexes_offset,
                                ak_row_group *groups, ak_column_chunk *columns)
{
    for (size_t i = 0; i < count; i++, columns += AK_LEAF_COUNT) {
        ak_row_group *group = &groups[i];
        *group = (ak_row_group){
            .columns = columns,
            .column_count = AK_LEAF_COUNT,
            .num_rows = (int64_t)records[i].rows,
            .file_offset = (int64_t)records[i].offset,
        };
        for (int leaf = 0; leaf < AK_LEAF_COUNT; leaf++) {
            const ak_chunk_record *record = &records[i].chunks[leaf];
            columns[leaf] = describe_chunk(record, (ak_leaf)leaf, records[i].offset);
            columns[leaf].offset_index_offset = (int64_t)indexes_offset;
            columns[leaf].offset_index_length = (int32_t)record->index_size;
            indexes_offset += record->index_size;
            if (record->bloom_size > 0) {
                columns[leaf].bloom_filter_offset = (int64_t)blooms_offset;
                columns[leaf].bloom_filter_length = (int32_t)record->bloom_size;
                blooms_offset += record->bloom_size;
            }
            group->total_byte_size += columns[leaf].total_uncompressed_size;
            group->total_compressed_size += columns[leaf].total_compressed_size;
        }
    }
}

static akidb_status append_length_and_magic(akidb_buffer *footer, size_t size, akidb_error *err)
{
    if (size > AK_FOOTER_BYTES_MAX)
        return ak_fail(err, AKIDB_E_LIMIT,
                       "footer of %zu bytes: at most %d can be read; larger row groups need less",
                       size, AK_FOOTER_BYTES_MAX);
    uint8_t length[4];
    ak_store_u32(length, (uint32_t)size);
    akidb_status status = ak_buffer_append(footer, length, sizeof length, err);
    if (status == AKIDB_OK)
        status = ak_buffer_append(footer, AK_PARQUET_MAGIC, AK_PARQUET_MAGIC_SIZE, err);
    return status;
}

static akidb_status append_metadata(const ak_writer_settings *settings, const ak_row_group *groups,
                                    size_t count, akidb_buffer *footer, akidb_error *err)
{
    static const int orders[AK_LEAF_COUNT] = {1, 1, 1, 1, 1, 1}; /* TYPE_ORDER */
    ak_schema_element schema[AK_SCHEMA_ELEMENTS];
    ak_schema_fill(schema, settings->unit);
    akidb_buffer arrow = {0};
    akidb_status status = ak_arrow_schema_append(&arrow, settings->dimension, settings->unit, err);
    if (status != AKIDB_OK)
        goto done;
    char dimension[12];
    snprintf(dimension, sizeof dimension, "%u", settings->dimension);
    const ak_key_value key_values[] = {
        {"ARROW:schema", (const char *)arrow.data},
        {AK_KEY_DIMENSION, dimension},
    };
    ak_file_metadata metadata = {
        .version = 1,
        .schema = schema,
        .schema_count = AK_SCHEMA_ELEMENTS,
        .row_groups = groups,
        .row_group_count = count,
        .key_values = key_values,
        .key_value_count = sizeof key_values / sizeof key_values[0],
        .created_by = CREATED_BY,
        .column_orders = orders,
        .column_order_count = AK_LEAF_COUNT,
    };
    for (size_t i = 0; i < count; i++)
        metadata.num_rows += groups[i].num_rows;
    size_t start = footer->size;
    status = ak_file_metadata_write(&metadata, footer, err);
    if (status == AKIDB_OK)
        status = append_length_and_magic(footer, footer->size - start, err);
done:
    akidb_buffer_free(&arrow);
    return status;
}

akidb_status ak_footer_append(const ak_writer_settings *settings,
                              const ak_row_group_record *row_groups, size_t count,
                              uint64_t blooms_offset, uint64_t indexes_offset, akidb_buffer *footer,
                              akidb_error *err)
{
    ak_row_group *groups = calloc(count + 1, sizeof *groups);
    ak_column_chunk *columns = calloc(count + 1, AK_LEAF_COUNT * sizeof *columns);
    akidb_status status;
    if (groups == NULL || columns == NULL) {
        status = ak_fail_memory(err, (count + 1) * AK_LEAF_COUNT * sizeof *columns);
    } else {
        describe_row_groups(row_groups, count, blooms_offset, indexes_offset, groups, columns);
        status = append_metadata(settings, groups, count, footer, err);
    }
    free(groups);
    free(columns);
    return status;
}
