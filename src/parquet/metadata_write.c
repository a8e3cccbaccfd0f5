/* The structures of parquet.thrift, written. Field numbers are those of that file. */
#include "parquet/metadata.h"
#include "parquet/thrift_write.h"

static void write_time_unit(ak_thrift_writer *w, int field, int unit)
{
    int enclosing = ak_thrift_begin_struct(w, field);
    ak_thrift_end_struct(w, ak_thrift_begin_struct(w, unit));
    ak_thrift_end_struct(w, enclosing);
}

/* A union: a struct with the one field that is set. */
static void write_logical_type(ak_thrift_writer *w, int field, const ak_logical_type *logical)
{
    int enclosing = ak_thrift_begin_struct(w, field);
    int inner = ak_thrift_begin_struct(w, logical->kind);
    if (logical->kind == AK_LOGICAL_TIMESTAMP) {
        ak_thrift_put_bool(w, 1, logical->is_adjusted_to_utc);
        write_time_unit(w, 2, logical->unit);
    } else if (logical->kind == AK_LOGICAL_INTEGER) {
        ak_thrift_put_i8(w, 1, (int8_t)logical->bit_width);
        ak_thrift_put_bool(w, 2, logical->is_signed);
    }
    ak_thrift_end_struct(w, inner);
    ak_thrift_end_struct(w, enclosing);
}

static void write_schema_element(ak_thrift_writer *w, const ak_schema_element *element)
{
    int enclosing = ak_thrift_begin_element(w);
    if (element->type >= 0)
        ak_thrift_put_i32(w, 1, element->type);
    if (element->type == AK_TYPE_FIXED_LEN_BYTE_ARRAY)
        ak_thrift_put_i32(w, 2, element->type_length);
    if (element->repetition >= 0)
        ak_thrift_put_i32(w, 3, element->repetition);
    ak_thrift_put_string(w, 4, element->name);
    if (element->type < 0)
        ak_thrift_put_i32(w, 5, element->num_children);
    if (element->converted_type != AK_CONVERTED_NONE)
        ak_thrift_put_i32(w, 6, element->converted_type);
    if (element->logical_type.kind != AK_LOGICAL_NONE)
        write_logical_type(w, 10, &element->logical_type);
    ak_thrift_end_struct(w, enclosing);
}

static void write_statistics(ak_thrift_writer *w, int field, const ak_statistics *statistics)
{
    bool has_min = statistics->min_value.data != NULL;
    bool has_max = statistics->max_value.data != NULL;
    if (!statistics->has_null_count && !has_min && !has_max)
        return;
    int enclosing = ak_thrift_begin_struct(w, field);
    if (statistics->has_null_count)
        ak_thrift_put_i64(w, 3, statistics->null_count);
    if (has_max)
        ak_thrift_put_binary(w, 5, statistics->max_value);
    if (has_min)
        ak_thrift_put_binary(w, 6, statistics->min_value);
    if (has_max)
        ak_thrift_put_bool(w, 7, statistics->is_max_exact);
    if (has_min)
        ak_thrift_put_bool(w, 8, statistics->is_min_exact);
    ak_thrift_end_struct(w, enclosing);
}

static void write_column_metadata(ak_thrift_writer *w, const ak_column_chunk *chunk)
{
    int enclosing = ak_thrift_begin_struct(w, 3);
    ak_thrift_put_i32(w, 1, chunk->type);
    ak_thrift_begin_list(w, 2, AK_THRIFT_I32, chunk->encoding_count);
    for (size_t i = 0; i < chunk->encoding_count; i++)
        ak_thrift_element_i32(w, chunk->encodings[i]);
    ak_thrift_begin_list(w, 3, AK_THRIFT_BINARY, chunk->path_count);
    for (size_t i = 0; i < chunk->path_count; i++)
        ak_thrift_element_string(w, chunk->path_in_schema[i]);
    ak_thrift_put_i32(w, 4, chunk->codec);
    ak_thrift_put_i64(w, 5, chunk->num_values);
    ak_thrift_put_i64(w, 6, chunk->total_uncompressed_size);
    ak_thrift_put_i64(w, 7, chunk->total_compressed_size);
    ak_thrift_put_i64(w, 9, chunk->data_page_offset);
    if (chunk->dictionary_page_offset != 0)
        ak_thrift_put_i64(w, 11, chunk->dictionary_page_offset);
    write_statistics(w, 12, &chunk->statistics);
    if (chunk->bloom_filter_offset != 0) {
        ak_thrift_put_i64(w, 14, chunk->bloom_filter_offset);
        ak_thrift_put_i32(w, 15, chunk->bloom_filter_length);
    }
    ak_thrift_end_struct(w, enclosing);
}

/* file_offset is 0: the specification has deprecated it, and no reader may rely on it. */
static void write_column_chunk(ak_thrift_writer *w, const ak_column_chunk *chunk)
{
    int enclosing = ak_thrift_begin_element(w);
    ak_thrift_put_i64(w, 2, 0);
    write_column_metadata(w, chunk);
    if (chunk->offset_index_offset != 0) {
        ak_thrift_put_i64(w, 4, chunk->offset_index_offset);
        ak_thrift_put_i32(w, 5, chunk->offset_index_length);
    }
    ak_thrift_end_struct(w, enclosing);
}

/* No ordinal: it is 16 bits wide, and a file may have more row groups than that. */
static void write_row_group(ak_thrift_writer *w, const ak_row_group *group)
{
    int enclosing = ak_thrift_begin_element(w);
    ak_thrift_begin_list(w, 1, AK_THRIFT_STRUCT, group->column_count);
    for (size_t i = 0; i < group->column_count; i++)
        write_column_chunk(w, &group->columns[i]);
    ak_thrift_put_i64(w, 2, group->total_byte_size);
    ak_thrift_put_i64(w, 3, group->num_rows);
    ak_thrift_put_i64(w, 5, group->file_offset);
    ak_thrift_put_i64(w, 6, group->total_compressed_size);
    ak_thrift_end_struct(w, enclosing);
}

static void write_key_value(ak_thrift_writer *w, const ak_key_value *pair)
{
    int enclosing = ak_thrift_begin_element(w);
    ak_thrift_put_string(w, 1, pair->key);
    if (pair->value != NULL)
        ak_thrift_put_string(w, 2, pair->value);
    ak_thrift_end_struct(w, enclosing);
}

static void write_column_order(ak_thrift_writer *w, int order)
{
    int enclosing = ak_thrift_begin_element(w);
    ak_thrift_end_struct(w, ak_thrift_begin_struct(w, order));
    ak_thrift_end_struct(w, enclosing);
}

akidb_status ak_file_metadata_write(const ak_file_metadata *metadata, akidb_buffer *buffer,
                                    akidb_error *err)
{
    ak_thrift_writer writer = {buffer, err, AKIDB_OK, 0}, *w = &writer;
    int enclosing = ak_thrift_begin_element(w);
    ak_thrift_put_i32(w, 1, metadata->version);
    ak_thrift_begin_list(w, 2, AK_THRIFT_STRUCT, metadata->schema_count);
    for (size_t i = 0; i < metadata->schema_count; i++)
        write_schema_element(w, &metadata->schema[i]);
    ak_thrift_put_i64(w, 3, metadata->num_rows);
    ak_thrift_begin_list(w, 4, AK_THRIFT_STRUCT, metadata->row_group_count);
    for (size_t i = 0; i < metadata->row_group_count; i++)
        write_row_group(w, &metadata->row_groups[i]);
    if (metadata->key_value_count > 0) {
        ak_thrift_begin_list(w, 5, AK_THRIFT_STRUCT, metadata->key_value_count);
        for (size_t i = 0; i < metadata->key_value_count; i++)
            write_key_value(w, &metadata->key_values[i]);
    }
    if (metadata->created_by != NULL)
        ak_thrift_put_string(w, 6, metadata->created_by);
    if (metadata->column_order_count > 0) {
        ak_thrift_begin_list(w, 7, AK_THRIFT_STRUCT, metadata->column_order_count);
        for (size_t i = 0; i < metadata->column_order_count; i++)
            write_column_order(w, metadata->column_orders[i]);
    }
    ak_thrift_end_struct(w, enclosing);
    return writer.status;
}

static void write_data_page_header(ak_thrift_writer *w, const ak_page_header *header)
{
    int enclosing = ak_thrift_begin_struct(w, 5);
    ak_thrift_put_i32(w, 1, header->num_values);
    ak_thrift_put_i32(w, 2, header->encoding);
    ak_thrift_put_i32(w, 3, header->definition_encoding);
    ak_thrift_put_i32(w, 4, header->repetition_encoding);
    ak_thrift_end_struct(w, enclosing);
}

static void write_dictionary_page_header(ak_thrift_writer *w, const ak_page_header *header)
{
    int enclosing = ak_thrift_begin_struct(w, 7);
    ak_thrift_put_i32(w, 1, header->num_values);
    ak_thrift_put_i32(w, 2, header->encoding);
    ak_thrift_end_struct(w, enclosing);
}

static void write_data_page_header_v2(ak_thrift_writer *w, const ak_page_header *header)
{
    int enclosing = ak_thrift_begin_struct(w, 8);
    ak_thrift_put_i32(w, 1, header->num_values);
    ak_thrift_put_i32(w, 2, header->num_nulls);
    ak_thrift_put_i32(w, 3, header->num_rows);
    ak_thrift_put_i32(w, 4, header->encoding);
    ak_thrift_put_i32(w, 5, header->definition_bytes);
    ak_thrift_put_i32(w, 6, header->repetition_bytes);
    ak_thrift_put_bool(w, 7, header->is_compressed);
    ak_thrift_end_struct(w, enclosing);
}

/* BinaryProtocolExtensions.md of the format keeps this field of every struct free for extensions,
 * which readers skip as they do any field that they do not know. */
enum { EXTENSION_FIELD = 32767 };

akidb_status ak_page_header_write(const ak_page_header *header, akidb_buffer *buffer,
                                  akidb_error *err)
{
    ak_thrift_writer writer = {buffer, err, AKIDB_OK, 0}, *w = &writer;
    int enclosing = ak_thrift_begin_element(w);
    ak_thrift_put_i32(w, 1, header->type);
    ak_thrift_put_i32(w, 2, header->uncompressed_size);
    ak_thrift_put_i32(w, 3, header->compressed_size);
    if (header->has_crc)
        ak_thrift_put_i32(w, 4, (int32_t)header->crc);
    switch (header->type) {
    case AK_PAGE_DATA: write_data_page_header(w, header); break;
    case AK_PAGE_DICTIONARY: write_dictionary_page_header(w, header); break;
    case AK_PAGE_DATA_V2: write_data_page_header_v2(w, header); break;
    default: break;
    }
    if (header->extension.size > 0)
        ak_thrift_put_binary(w, EXTENSION_FIELD, header->extension);
    ak_thrift_end_struct(w, enclosing);
    return writer.status;
}

akidb_status ak_offset_index_write(const ak_page_location *pages, size_t count,
                                   akidb_buffer *buffer, akidb_error *err)
{
    ak_thrift_writer writer = {buffer, err, AKIDB_OK, 0}, *w = &writer;
    int enclosing = ak_thrift_begin_element(w);
    ak_thrift_begin_list(w, 1, AK_THRIFT_STRUCT, count);
    for (size_t i = 0; i < count; i++) {
        int list = ak_thrift_begin_element(w);
        ak_thrift_put_i64(w, 1, pages[i].offset);
        ak_thrift_put_i32(w, 2, pages[i].compressed_page_size);
        ak_thrift_put_i64(w, 3, pages[i].first_row_index);
        ak_thrift_end_struct(w, list);
    }
    ak_thrift_end_struct(w, enclosing);
    return writer.status;
}

/* Algorithm, hash and compression are unions, of which the first and only member is set. */
akidb_status ak_bloom_header_write(size_t size, akidb_buffer *buffer, akidb_error *err)
{
    ak_thrift_writer writer = {buffer, err, AKIDB_OK, 0}, *w = &writer;
    int enclosing = ak_thrift_begin_element(w);
    ak_thrift_put_i32(w, 1, (int32_t)size);
    for (int field = 2; field <= 4; field++) {
        int header = ak_thrift_begin_struct(w, field);
        ak_thrift_end_struct(w, ak_thrift_begin_struct(w, 1));
        ak_thrift_end_struct(w, header);
    }
    ak_thrift_end_struct(w, enclosing);
    return writer.status;
}
