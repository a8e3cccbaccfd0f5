#include "parquet/schema_write.h"

#include <string.h>

static const ak_leaf_schema leaves[AK_LEAF_COUNT] = {
    [AK_LEAF_DOCUMENT_ID] = {AK_TYPE_BYTE_ARRAY, {"document_id"}, 1},
    [AK_LEAF_EXTERNAL_ID] = {AK_TYPE_BYTE_ARRAY, {"external_id"}, 1},
    [AK_LEAF_DIMENSION] = {AK_TYPE_INT32, {"dimension"}, 1},
    [AK_LEAF_VECTOR] = {AK_TYPE_FLOAT, {"vector", "list", "element"}, 3},
    [AK_LEAF_METADATA] = {AK_TYPE_BYTE_ARRAY, {"metadata_json"}, 1},
    [AK_LEAF_INSERTED_AT] = {AK_TYPE_INT64, {"inserted_at"}, 1},
};

const ak_leaf_schema *ak_leaf_schema_of(ak_leaf leaf)
{
    return &leaves[leaf];
}

/* Logical and converted type stand side by side: the specification asks for both, and some readers
 * know only the older one. */
static const ak_schema_element schema[AK_SCHEMA_ELEMENTS] = {
    {.type = -1,
     .repetition = -1,
     .name = "schema",
     .num_children = 6,
     .converted_type = AK_CONVERTED_NONE},
    {.type = AK_TYPE_BYTE_ARRAY,
     .repetition = AK_REQUIRED,
     .name = "document_id",
     .converted_type = AK_CONVERTED_NONE},
    {.type = AK_TYPE_BYTE_ARRAY,
     .repetition = AK_OPTIONAL,
     .name = "external_id",
     .converted_type = AK_CONVERTED_UTF8,
     .logical_type = {.kind = AK_LOGICAL_STRING}},
    {.type = AK_TYPE_INT32,
     .repetition = AK_REQUIRED,
     .name = "dimension",
     .converted_type = AK_CONVERTED_UINT_32,
     .logical_type = {.kind = AK_LOGICAL_INTEGER, .bit_width = 32, .is_signed = false}},
    {.type = -1,
     .repetition = AK_REQUIRED,
     .name = "vector",
     .num_children = 1,
     .converted_type = AK_CONVERTED_LIST,
     .logical_type = {.kind = AK_LOGICAL_LIST}},
    {.type = -1,
     .repetition = AK_REPEATED,
     .name = "list",
     .num_children = 1,
     .converted_type = AK_CONVERTED_NONE},
    {.type = AK_TYPE_FLOAT,
     .repetition = AK_REQUIRED,
     .name = "element",
     .converted_type = AK_CONVERTED_NONE},
    {.type = AK_TYPE_BYTE_ARRAY,
     .repetition = AK_OPTIONAL,
     .name = "metadata_json",
     .converted_type = AK_CONVERTED_UTF8,
     .logical_type = {.kind = AK_LOGICAL_STRING}},
    {.type = AK_TYPE_INT64,
     .repetition = AK_REQUIRED,
     .name = "inserted_at",
     .converted_type = AK_CONVERTED_TIMESTAMP_MILLIS,
     .logical_type = {.kind = AK_LOGICAL_TIMESTAMP,
                      .is_adjusted_to_utc = true,
                      .unit = AK_UNIT_MILLIS}},
};

void ak_schema_fill(ak_schema_element elements_out[AK_SCHEMA_ELEMENTS], ak_time_unit_kind unit)
{
    memcpy(elements_out, schema, sizeof schema);
    if (unit == AK_UNIT_MICROS) {
        ak_schema_element *inserted_at = &elements_out[AK_SCHEMA_ELEMENTS - 1];
        inserted_at->converted_type = AK_CONVERTED_TIMESTAMP_MICROS;
        inserted_at->logical_type.unit = AK_UNIT_MICROS;
    }
}
