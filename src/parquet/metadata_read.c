#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "parquet/arena.h"
#include "parquet/metadata.h"
#include "parquet/thrift_read.h"

const char *ak_encoding_name(int encoding)
{
    switch (encoding) {
    case AK_ENCODING_PLAIN: return "PLAIN";
    case AK_ENCODING_PLAIN_DICTIONARY: return "PLAIN_DICTIONARY";
    case AK_ENCODING_RLE: return "RLE";
    case AK_ENCODING_BIT_PACKED: return "BIT_PACKED";
    case AK_ENCODING_DELTA_BINARY_PACKED: return "DELTA_BINARY_PACKED";
    case AK_ENCODING_DELTA_LENGTH_BYTE_ARRAY: return "DELTA_LENGTH_BYTE_ARRAY";
    case AK_ENCODING_DELTA_BYTE_ARRAY: return "DELTA_BYTE_ARRAY";
    case AK_ENCODING_RLE_DICTIONARY: return "RLE_DICTIONARY";
    case AK_ENCODING_BYTE_STREAM_SPLIT: return "BYTE_STREAM_SPLIT";
    default: return NULL;
    }
}

/* The set of required fields, as ak_thrift_require takes it. */
#define FIELD(id) (UINT64_C(1) << (id))

/* The bytes that the shortest legal element takes, so that a list's count is bounded by them. */
enum {
    LEAST_SCHEMA_ELEMENT = 3, /* a name and the stop */
    LEAST_COLUMN_CHUNK = 17,  /* ColumnMetaData with its required numbers */
    LEAST_ROW_GROUP = 7,      /* columns, total_byte_size, num_rows */
    LEAST_KEY_VALUE = 3,
    LEAST_PAGE_LOCATION = 7
};

/* What the parsers below share. */
typedef struct parser {
    ak_thrift t;
    ak_arena *arena;
} parser;

static void *allocate(parser *p, size_t count, size_t size)
{
    void *memory = NULL;
    if (p->t.status != AKIDB_OK)
        return NULL;
    akidb_status status = ak_arena_alloc(p->arena, count, size, &memory, p->t.err);
    if (status != AKIDB_OK) {
        p->t.status = status;
        p->t.at = p->t.end;
    }
    return memory;
}

/* A name: UTF-8 without U+0000, since it becomes a C string. Empty after a failure. */
static const char *keep_name(parser *p, akidb_slice text)
{
    if (memchr(text.data, 0, text.size) != NULL ||
        ak_utf8_valid_prefix(text.data, text.size) != text.size)
        ak_thrift_fail(&p->t, "expected a name in UTF-8, found other bytes");
    char *copy = allocate(p, text.size + 1, 1);
    if (copy == NULL)
        return "";
    memcpy(copy, text.data, text.size);
    return copy;
}

/* With a NUL behind them, so that they may be taken for a C string, up to their first NUL. */
static akidb_slice keep_bytes(parser *p, akidb_slice bytes)
{
    void *copy = allocate(p, bytes.size + 1, 1);
    if (copy == NULL)
        return (akidb_slice){NULL, 0};
    memcpy(copy, bytes.data, bytes.size);
    return (akidb_slice){copy, bytes.size};
}

/* ---- schema ---------------------------------------------------------------------------------- */

/* The field that is set in a union; what is in it is skipped. 0 when none is. */
static int read_union(ak_thrift *t, const ak_thrift_struct *field)
{
    int kind = 0;
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return 0;
    while (ak_thrift_next(t, &s)) {
        kind = s.id;
        ak_thrift_skip(t, &s);
    }
    return kind;
}

static void read_timestamp_type(ak_thrift *t, const ak_thrift_struct *field, ak_logical_type *type)
{
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return;
    while (ak_thrift_next(t, &s)) {
        if (s.id == 1)
            type->is_adjusted_to_utc = ak_thrift_bool(t, &s);
        else if (s.id == 2)
            type->unit = read_union(t, &s);
        else
            ak_thrift_skip(t, &s);
    }
    if (type->unit < AK_UNIT_MILLIS || type->unit > AK_UNIT_NANOS)
        type->unit = 0;
}

static void read_integer_type(ak_thrift *t, const ak_thrift_struct *field, ak_logical_type *type)
{
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return;
    while (ak_thrift_next(t, &s)) {
        if (s.id == 1)
            type->bit_width = ak_thrift_i8(t, &s);
        else if (s.id == 2)
            type->is_signed = ak_thrift_bool(t, &s);
        else
            ak_thrift_skip(t, &s);
    }
}

static void read_logical_type(ak_thrift *t, const ak_thrift_struct *field, ak_logical_type *type)
{
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return;
    while (ak_thrift_next(t, &s)) {
        if (type->kind != AK_LOGICAL_NONE)
            ak_thrift_fail(t, "expected one logical type, found several");
        type->kind = s.id;
        if (s.id == AK_LOGICAL_TIMESTAMP)
            read_timestamp_type(t, &s, type);
        else if (s.id == AK_LOGICAL_INTEGER)
            read_integer_type(t, &s, type);
        else
            ak_thrift_skip(t, &s);
    }
}

static void read_schema_element(parser *p, ak_schema_element *element)
{
    ak_thrift *t = &p->t;
    ak_thrift_struct s = {0};
    *element = (ak_schema_element){
        .type = -1, .repetition = -1, .name = "", .converted_type = AK_CONVERTED_NONE};
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 1: element->type = ak_thrift_i32(t, &s); break;
        case 2: element->type_length = ak_thrift_i32(t, &s); break;
        case 3: element->repetition = ak_thrift_i32(t, &s); break;
        case 4: element->name = keep_name(p, ak_thrift_binary(t, &s)); break;
        case 5: element->num_children = ak_thrift_i32(t, &s); break;
        case 6: element->converted_type = ak_thrift_i32(t, &s); break;
        case 10: read_logical_type(t, &s, &element->logical_type); break;
        default: ak_thrift_skip(t, &s);
        }
    }
    ak_thrift_require(t, &s, FIELD(4), "SchemaElement");
}

/* ---- column chunks --------------------------------------------------------------------------- */

static void read_statistics(parser *p, const ak_thrift_struct *field, ak_statistics *statistics)
{
    ak_thrift *t = &p->t;
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return;
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 3:
            statistics->has_null_count = true;
            statistics->null_count = ak_thrift_i64(t, &s);
            break;
        case 5: statistics->max_value = keep_bytes(p, ak_thrift_binary(t, &s)); break;
        case 6: statistics->min_value = keep_bytes(p, ak_thrift_binary(t, &s)); break;
        case 7: statistics->is_max_exact = ak_thrift_bool(t, &s); break;
        case 8: statistics->is_min_exact = ak_thrift_bool(t, &s); break;
        default: ak_thrift_skip(t, &s); /* 1 and 2 are the old bounds, whose order is unclear */
        }
    }
}

static void read_encodings(parser *p, const ak_thrift_struct *s, ak_column_chunk *chunk)
{
    size_t count = ak_thrift_list(&p->t, s, AK_THRIFT_I32, 1);
    int *encodings = allocate(p, count, sizeof *encodings);
    for (size_t i = 0; i < count && p->t.status == AKIDB_OK; i++)
        encodings[i] = ak_thrift_list_i32(&p->t);
    chunk->encodings = encodings;
    chunk->encoding_count = encodings == NULL ? 0 : count;
}

static void read_path(parser *p, const ak_thrift_struct *s, ak_column_chunk *chunk)
{
    size_t count = ak_thrift_list(&p->t, s, AK_THRIFT_BINARY, 1);
    const char **path = allocate(p, count, sizeof *path);
    for (size_t i = 0; i < count && p->t.status == AKIDB_OK; i++)
        path[i] = keep_name(p, ak_thrift_list_binary(&p->t));
    chunk->path_in_schema = path;
    chunk->path_count = path == NULL ? 0 : count;
}

static void read_column_metadata(parser *p, const ak_thrift_struct *field, ak_column_chunk *chunk)
{
    ak_thrift *t = &p->t;
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return;
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 1: chunk->type = ak_thrift_i32(t, &s); break;
        case 2: read_encodings(p, &s, chunk); break;
        case 3: read_path(p, &s, chunk); break;
        case 4: chunk->codec = ak_thrift_i32(t, &s); break;
        case 5: chunk->num_values = ak_thrift_i64(t, &s); break;
        case 6: chunk->total_uncompressed_size = ak_thrift_i64(t, &s); break;
        case 7: chunk->total_compressed_size = ak_thrift_i64(t, &s); break;
        case 9: chunk->data_page_offset = ak_thrift_i64(t, &s); break;
        case 11: chunk->dictionary_page_offset = ak_thrift_i64(t, &s); break;
        case 12: read_statistics(p, &s, &chunk->statistics); break;
        case 14: chunk->bloom_filter_offset = ak_thrift_i64(t, &s); break;
        case 15: chunk->bloom_filter_length = ak_thrift_i32(t, &s); break;
        default: ak_thrift_skip(t, &s);
        }
    }
    /* path_in_schema is required by the format, but new writers may leave it out. */
    ak_thrift_require(t, &s,
                      FIELD(1) | FIELD(2) | FIELD(4) | FIELD(5) | FIELD(6) | FIELD(7) | FIELD(9),
                      "ColumnMetaData");
}

static void read_column_chunk(parser *p, ak_column_chunk *chunk)
{
    ak_thrift *t = &p->t;
    ak_thrift_struct s = {0};
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 1:
            chunk->has_file_path = true;
            ak_thrift_skip(t, &s);
            break;
        case 3: read_column_metadata(p, &s, chunk); break;
        case 4: chunk->offset_index_offset = ak_thrift_i64(t, &s); break;
        case 5: chunk->offset_index_length = ak_thrift_i32(t, &s); break;
        case 8: /* crypto_metadata */
        case 9: /* encrypted_column_metadata */
            chunk->is_encrypted = true;
            ak_thrift_skip(t, &s);
            break;
        default: ak_thrift_skip(t, &s);
        }
    }
    if (!chunk->is_encrypted)
        ak_thrift_require(t, &s, FIELD(3), "ColumnChunk");
}

static void read_row_group(parser *p, ak_row_group *group)
{
    ak_thrift *t = &p->t;
    ak_thrift_struct s = {0};
    ak_column_chunk *columns = NULL;
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 1:
            group->column_count = ak_thrift_list(t, &s, AK_THRIFT_STRUCT, LEAST_COLUMN_CHUNK);
            columns = allocate(p, group->column_count, sizeof *columns);
            for (size_t i = 0; i < group->column_count && t->status == AKIDB_OK; i++)
                read_column_chunk(p, &columns[i]);
            group->columns = columns;
            break;
        case 2: group->total_byte_size = ak_thrift_i64(t, &s); break;
        case 3: group->num_rows = ak_thrift_i64(t, &s); break;
        case 5: group->file_offset = ak_thrift_i64(t, &s); break;
        case 6: group->total_compressed_size = ak_thrift_i64(t, &s); break;
        default: ak_thrift_skip(t, &s);
        }
    }
    ak_thrift_require(t, &s, FIELD(1) | FIELD(2) | FIELD(3), "RowGroup");
}

/* ---- the footer ------------------------------------------------------------------------------ */

static void read_schema(parser *p, const ak_thrift_struct *s, ak_file_metadata *metadata)
{
    size_t count = ak_thrift_list(&p->t, s, AK_THRIFT_STRUCT, LEAST_SCHEMA_ELEMENT);
    ak_schema_element *schema = allocate(p, count, sizeof *schema);
    for (size_t i = 0; i < count && p->t.status == AKIDB_OK; i++)
        read_schema_element(p, &schema[i]);
    metadata->schema = schema;
    metadata->schema_count = count;
}

static void read_row_groups(parser *p, const ak_thrift_struct *s, ak_file_metadata *metadata)
{
    size_t count = ak_thrift_list(&p->t, s, AK_THRIFT_STRUCT, LEAST_ROW_GROUP);
    ak_row_group *groups = allocate(p, count, sizeof *groups);
    for (size_t i = 0; i < count && p->t.status == AKIDB_OK; i++)
        read_row_group(p, &groups[i]);
    metadata->row_groups = groups;
    metadata->row_group_count = count;
}

static void read_key_value(parser *p, ak_key_value *pair)
{
    ak_thrift *t = &p->t;
    ak_thrift_struct s = {0};
    pair->key = "";
    while (ak_thrift_next(t, &s)) {
        if (s.id == 1)
            pair->key = keep_name(p, ak_thrift_binary(t, &s));
        else if (s.id == 2)
            pair->value = keep_bytes(p, ak_thrift_binary(t, &s)).data;
        else
            ak_thrift_skip(t, &s);
    }
    ak_thrift_require(t, &s, FIELD(1), "KeyValue");
}

static void read_key_values(parser *p, const ak_thrift_struct *s, ak_file_metadata *metadata)
{
    size_t count = ak_thrift_list(&p->t, s, AK_THRIFT_STRUCT, LEAST_KEY_VALUE);
    ak_key_value *pairs = allocate(p, count, sizeof *pairs);
    for (size_t i = 0; i < count && p->t.status == AKIDB_OK; i++)
        read_key_value(p, &pairs[i]);
    metadata->key_values = pairs;
    metadata->key_value_count = count;
}

static void read_column_orders(parser *p, const ak_thrift_struct *s, ak_file_metadata *metadata)
{
    size_t count = ak_thrift_list(&p->t, s, AK_THRIFT_STRUCT, 1);
    int *orders = allocate(p, count, sizeof *orders);
    const ak_thrift_struct element = {.type = AK_THRIFT_STRUCT};
    for (size_t i = 0; i < count && p->t.status == AKIDB_OK; i++)
        orders[i] = read_union(&p->t, &element);
    metadata->column_orders = orders;
    metadata->column_order_count = count;
}

static void read_footer(parser *p, ak_file_metadata *metadata)
{
    ak_thrift *t = &p->t;
    ak_thrift_struct s = {0};
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 1: metadata->version = ak_thrift_i32(t, &s); break;
        case 2: read_schema(p, &s, metadata); break;
        case 3: metadata->num_rows = ak_thrift_i64(t, &s); break;
        case 4: read_row_groups(p, &s, metadata); break;
        case 5: read_key_values(p, &s, metadata); break;
        case 6: metadata->created_by = keep_name(p, ak_thrift_binary(t, &s)); break;
        case 7: read_column_orders(p, &s, metadata); break;
        case 8: /* encryption_algorithm */
            metadata->is_encrypted = true;
            ak_thrift_skip(t, &s);
            break;
        default: ak_thrift_skip(t, &s);
        }
    }
    ak_thrift_require(t, &s, FIELD(1) | FIELD(2) | FIELD(3) | FIELD(4), "FileMetaData");
}

akidb_status ak_file_metadata_read(akidb_slice bytes, const char *file, uint64_t file_offset,
                                   ak_arena *arena, ak_file_metadata *metadata_out,
                                   akidb_error *err)
{
    *metadata_out = (ak_file_metadata){0};
    parser p = {.t = ak_thrift_from(bytes, file, file_offset, err), .arena = arena};
    read_footer(&p, metadata_out);
    if (p.t.status != AKIDB_OK)
        *metadata_out = (ak_file_metadata){0};
    return p.t.status;
}

/* ---- page headers ---------------------------------------------------------------------------- */

static void read_data_header(ak_thrift *t, const ak_thrift_struct *field, ak_page_header *header)
{
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return;
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 1: header->num_values = ak_thrift_i32(t, &s); break;
        case 2: header->encoding = ak_thrift_i32(t, &s); break;
        case 3: header->definition_encoding = ak_thrift_i32(t, &s); break;
        case 4: header->repetition_encoding = ak_thrift_i32(t, &s); break;
        default: ak_thrift_skip(t, &s);
        }
    }
    ak_thrift_require(t, &s, FIELD(1) | FIELD(2) | FIELD(3) | FIELD(4), "DataPageHeader");
}

static void read_dictionary_header(ak_thrift *t, const ak_thrift_struct *field,
                                   ak_page_header *header)
{
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return;
    while (ak_thrift_next(t, &s)) {
        if (s.id == 1)
            header->num_values = ak_thrift_i32(t, &s);
        else if (s.id == 2)
            header->encoding = ak_thrift_i32(t, &s);
        else
            ak_thrift_skip(t, &s);
    }
    ak_thrift_require(t, &s, FIELD(1) | FIELD(2), "DictionaryPageHeader");
}

static void read_data_header_v2(ak_thrift *t, const ak_thrift_struct *field, ak_page_header *header)
{
    ak_thrift_struct s = {0};
    if (!ak_thrift_enter(t, field))
        return;
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 1: header->num_values = ak_thrift_i32(t, &s); break;
        case 2: header->num_nulls = ak_thrift_i32(t, &s); break;
        case 3: header->num_rows = ak_thrift_i32(t, &s); break;
        case 4: header->encoding = ak_thrift_i32(t, &s); break;
        case 5: header->definition_bytes = ak_thrift_i32(t, &s); break;
        case 6: header->repetition_bytes = ak_thrift_i32(t, &s); break;
        case 7: header->is_compressed = ak_thrift_bool(t, &s); break;
        default: ak_thrift_skip(t, &s);
        }
    }
    ak_thrift_require(t, &s, FIELD(1) | FIELD(2) | FIELD(3) | FIELD(4) | FIELD(5) | FIELD(6),
                      "DataPageHeaderV2");
}

/* The field of PageHeader that a page of this type must have, as a set; other types need none. */
static uint64_t header_field(int page_type)
{
    switch (page_type) {
    case AK_PAGE_DATA: return FIELD(5);
    case AK_PAGE_DICTIONARY: return FIELD(7);
    case AK_PAGE_DATA_V2: return FIELD(8);
    default: return 0;
    }
}

/* Only the sub-header of the page's own type counts, and the type is the first field. */
static void read_page_header(ak_thrift *t, ak_page_header *header)
{
    ak_thrift_struct s = {0};
    header->type = -1;
    header->is_compressed = true;
    while (ak_thrift_next(t, &s)) {
        if (s.id == 1)
            header->type = ak_thrift_i32(t, &s);
        else if (s.id == 2)
            header->uncompressed_size = ak_thrift_i32(t, &s);
        else if (s.id == 3)
            header->compressed_size = ak_thrift_i32(t, &s);
        else if (s.id == 4) {
            header->has_crc = true;
            header->crc = (uint32_t)ak_thrift_i32(t, &s);
        } else if (s.id == 5 && header->type == AK_PAGE_DATA)
            read_data_header(t, &s, header);
        else if (s.id == 7 && header->type == AK_PAGE_DICTIONARY)
            read_dictionary_header(t, &s, header);
        else if (s.id == 8 && header->type == AK_PAGE_DATA_V2)
            read_data_header_v2(t, &s, header);
        else
            ak_thrift_skip(t, &s);
    }
    ak_thrift_require(t, &s, FIELD(1) | FIELD(2) | FIELD(3) | header_field(header->type),
                      "PageHeader");
    if (header->uncompressed_size < 0 || header->compressed_size < 0 || header->num_values < 0)
        ak_thrift_fail(t,
                       "expected sizes and counts of 0 or more in a page header, found %d, %d "
                       "and %d",
                       header->uncompressed_size, header->compressed_size, header->num_values);
    if (header->num_nulls < 0 || header->num_rows < 0 || header->definition_bytes < 0 ||
        header->repetition_bytes < 0)
        ak_thrift_fail(t, "expected counts of 0 or more in a V2 page header, found a negative one");
}

akidb_status ak_page_header_read(akidb_slice bytes, const char *file, uint64_t file_offset,
                                 ak_page_header *header_out, size_t *used_out, akidb_error *err)
{
    *header_out = (ak_page_header){0};
    *used_out = 0;
    ak_thrift t = ak_thrift_from(bytes, file, file_offset, err);
    read_page_header(&t, header_out);
    if (t.status != AKIDB_OK)
        *header_out = (ak_page_header){0};
    else
        *used_out = (size_t)(t.at - t.begin);
    return t.status;
}

/* ---- the offset index ------------------------------------------------------------------------ */

static void read_page_location(ak_thrift *t, ak_page_location *page)
{
    ak_thrift_struct s = {0};
    while (ak_thrift_next(t, &s)) {
        switch (s.id) {
        case 1: page->offset = ak_thrift_i64(t, &s); break;
        case 2: page->compressed_page_size = ak_thrift_i32(t, &s); break;
        case 3: page->first_row_index = ak_thrift_i64(t, &s); break;
        default: ak_thrift_skip(t, &s);
        }
    }
    ak_thrift_require(t, &s, FIELD(1) | FIELD(2) | FIELD(3), "PageLocation");
}

akidb_status ak_offset_index_read(akidb_slice bytes, const char *file, uint64_t file_offset,
                                  ak_arena *arena, const ak_page_location **pages_out,
                                  size_t *count_out, akidb_error *err)
{
    *pages_out = NULL;
    *count_out = 0;
    parser p = {.t = ak_thrift_from(bytes, file, file_offset, err), .arena = arena};
    ak_thrift_struct s = {0};
    while (ak_thrift_next(&p.t, &s)) {
        if (s.id != 1) {
            ak_thrift_skip(&p.t, &s);
            continue;
        }
        size_t count = ak_thrift_list(&p.t, &s, AK_THRIFT_STRUCT, LEAST_PAGE_LOCATION);
        ak_page_location *pages = allocate(&p, count, sizeof *pages);
        for (size_t i = 0; i < count && p.t.status == AKIDB_OK; i++)
            read_page_location(&p.t, &pages[i]);
        *pages_out = pages;
        *count_out = count;
    }
    ak_thrift_require(&p.t, &s, FIELD(1), "OffsetIndex");
    if (p.t.status != AKIDB_OK) {
        *pages_out = NULL;
        *count_out = 0;
    }
    return p.t.status;
}

/* ---- the header of a Bloom filter ------------------------------------------------------------ */

akidb_status ak_bloom_header_read(akidb_slice bytes, const char *file, uint64_t file_offset,
                                  ak_bloom_header *header_out, size_t *used_out, akidb_error *err)
{
    *header_out = (ak_bloom_header){.is_known = true};
    *used_out = 0;
    ak_thrift reader = ak_thrift_from(bytes, file, file_offset, err), *t = &reader;
    ak_thrift_struct s = {0};
    while (ak_thrift_next(t, &s)) {
        if (s.id == 1)
            header_out->size = ak_thrift_i32(t, &s);
        else if (s.id >= 2 && s.id <= 4)
            header_out->is_known = read_union(t, &s) == 1 && header_out->is_known;
        else
            ak_thrift_skip(t, &s);
    }
    ak_thrift_require(t, &s, FIELD(1) | FIELD(2) | FIELD(3) | FIELD(4), "BloomFilterHeader");
    if (t->status != AKIDB_OK)
        *header_out = (ak_bloom_header){0};
    else
        *used_out = (size_t)(t->at - t->begin);
    return t->status;
}
