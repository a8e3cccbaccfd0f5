/* What the footer says about a file's row groups, for those who skip or show them. */
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "base/error.h"
#include "parquet/bounds_write.h"
#include "parquet/column_read.h"
#include "parquet/reader_state.h"

/* ---- bounds ---------------------------------------------------------------------------------- */

/* The statistics of a column in a row group, when they bound its values in the order of their type:
 * the footer must say that the column has that order. */
static const ak_statistics *ordered_statistics(const akidb_parquet_reader *reader, size_t group,
                                               const ak_file_leaf *leaf)
{
    enum { TYPE_ORDER = 1 };
    const ak_file_metadata *metadata = &reader->footer.metadata;
    if (leaf == NULL || metadata->column_order_count != reader->columns.leaf_count ||
        metadata->column_orders[leaf->index] != TYPE_ORDER)
        return NULL;
    const ak_statistics *statistics = &ak_reader_chunk(reader, group, leaf)->statistics;
    bool has_both = statistics->min_value.data != NULL && statistics->max_value.data != NULL;
    return has_both ? statistics : NULL;
}

/* Whether the column's statistics can only be those of UUIDs as 16 bytes. Of BYTE_ARRAY they may
 * also be the beginnings of longer texts, and where ids may be anything, documents get new ones. */
static bool bounds_uuids(const akidb_parquet_reader *reader, const ak_file_leaf *leaf,
                         const ak_statistics *statistics)
{
    if (statistics->min_value.size != sizeof(akidb_uuid) ||
        statistics->max_value.size != sizeof(akidb_uuid))
        return false;
    switch (leaf->element->type) {
    case AK_TYPE_FIXED_LEN_BYTE_ARRAY: return true;
    case AK_TYPE_BYTE_ARRAY:
        return !ak_leaf_is_text(leaf) && !reader->columns.has_other_ids &&
               statistics->is_min_exact && statistics->is_max_exact;
    default: return false;
    }
}

/* Ids as text sort like their bytes only in one case of letters: their bounds are not used. */
static void find_id_bounds(const akidb_parquet_reader *reader, size_t group,
                           akidb_parquet_row_group_bounds *bounds)
{
    const ak_file_leaf *leaf = reader->columns.document_id;
    const ak_statistics *statistics = ordered_statistics(reader, group, leaf);
    if (statistics == NULL || !bounds_uuids(reader, leaf, statistics) ||
        ak_compare_bytes(statistics->min_value, statistics->max_value) > 0)
        return;
    bounds->has_document_id = true;
    memcpy(&bounds->document_id_min, statistics->min_value.data, sizeof(akidb_uuid));
    memcpy(&bounds->document_id_max, statistics->max_value.data, sizeof(akidb_uuid));
}

/* The minimum may be cut and the maximum cut and raised: they bound the values all the same. */
static void find_text_bounds(const akidb_parquet_reader *reader, size_t group,
                             akidb_parquet_row_group_bounds *bounds)
{
    const ak_file_leaf *leaf = reader->columns.external_id;
    const ak_statistics *statistics = ordered_statistics(reader, group, leaf);
    if (statistics == NULL || reader->columns.has_other_ids ||
        ak_compare_bytes(statistics->min_value, statistics->max_value) > 0)
        return;
    bounds->has_external_id = true;
    bounds->external_id_min = statistics->min_value;
    bounds->external_id_max = statistics->max_value;
}

static void find_time_bounds(const akidb_parquet_reader *reader, size_t group,
                             akidb_parquet_row_group_bounds *bounds)
{
    const ak_file_leaf *leaf = reader->columns.inserted_at;
    const ak_statistics *statistics = ordered_statistics(reader, group, leaf);
    if (statistics == NULL || leaf->element->type != AK_TYPE_INT64 ||
        statistics->min_value.size != sizeof(int64_t) ||
        statistics->max_value.size != sizeof(int64_t))
        return;
    ak_time_unit_kind unit = ak_leaf_time_unit(leaf);
    int64_t min, max;
    if (!ak_time_to_micros(unit, (int64_t)ak_load_u64(statistics->min_value.data), &min) ||
        !ak_time_to_micros(unit, (int64_t)ak_load_u64(statistics->max_value.data), &max) ||
        min > max)
        return;
    bounds->has_inserted_at = true;
    bounds->inserted_at_min = min;
    bounds->inserted_at_max = max;
}

static akidb_status check_group(const akidb_parquet_reader *reader, size_t group, akidb_error *err)
{
    size_t groups = reader->footer.metadata.row_group_count;
    if (group < groups)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(reader->input->name),
                      "expected one of %zu row groups, asked for number %zu", groups, group);
}

akidb_status akidb_parquet_reader_bounds(const akidb_parquet_reader *reader, size_t row_group,
                                         akidb_parquet_row_group_bounds *bounds_out,
                                         akidb_error *err)
{
    *bounds_out = (akidb_parquet_row_group_bounds){0};
    akidb_status status = check_group(reader, row_group, err);
    if (status != AKIDB_OK)
        return status;
    bounds_out->rows = ak_reader_rows(reader, row_group);
    find_id_bounds(reader, row_group, bounds_out);
    find_text_bounds(reader, row_group, bounds_out);
    find_time_bounds(reader, row_group, bounds_out);
    return AKIDB_OK;
}

/* ---- chunks ---------------------------------------------------------------------------------- */

size_t akidb_parquet_reader_columns(const akidb_parquet_reader *reader)
{
    return reader->columns.leaf_count;
}

/* Names that do not fit are left out. */
static void list_encodings(const ak_column_chunk *chunk, char *text, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < chunk->encoding_count; i++) {
        const char *name = ak_encoding_name(chunk->encodings[i]);
        char number[24];
        snprintf(number, sizeof number, "encoding %d", chunk->encodings[i]);
        int n = snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
                         name == NULL ? number : name);
        if (n < 0 || (size_t)n >= size - used) {
            text[used] = '\0';
            return;
        }
        used += (size_t)n;
    }
}

akidb_status akidb_parquet_reader_chunk(const akidb_parquet_reader *reader, size_t row_group,
                                        size_t column, akidb_parquet_chunk_info *info_out,
                                        akidb_error *err)
{
    *info_out = (akidb_parquet_chunk_info){0};
    akidb_status status = check_group(reader, row_group, err);
    if (status != AKIDB_OK)
        return status;
    if (column >= reader->columns.leaf_count)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(reader->input->name),
                          "expected one of %zu columns, asked for number %zu",
                          reader->columns.leaf_count, column);
    const ak_file_leaf *leaf = &reader->columns.leaves[column];
    const ak_column_chunk *chunk = ak_reader_chunk(reader, row_group, leaf);
    const char *codec = ak_codec_name(chunk->codec);
    info_out->column = leaf->column;
    info_out->codec = codec == NULL ? "unknown" : codec;
    info_out->values = (uint64_t)chunk->num_values;
    info_out->compressed_bytes = (uint64_t)chunk->total_compressed_size;
    info_out->uncompressed_bytes = (uint64_t)chunk->total_uncompressed_size;
    if (chunk->bloom_filter_offset > 0 && chunk->bloom_filter_length > 0)
        info_out->bloom_filter_bytes = (uint64_t)chunk->bloom_filter_length;
    list_encodings(chunk, info_out->encodings, sizeof info_out->encodings);
    return AKIDB_OK;
}
