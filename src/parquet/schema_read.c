#include "parquet/schema_read.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

enum { SCHEMA_DEPTH_MAX = 64, UUID_BYTES = 16, FLOAT16_BYTES = 2, VECTOR_REPETITION = 3 };

const char *ak_physical_type_name(int type)
{
    switch (type) {
    case AK_TYPE_BOOLEAN: return "BOOLEAN";
    case AK_TYPE_INT32: return "INT32";
    case AK_TYPE_INT64: return "INT64";
    case AK_TYPE_INT96: return "INT96";
    case AK_TYPE_FLOAT: return "FLOAT";
    case AK_TYPE_DOUBLE: return "DOUBLE";
    case AK_TYPE_BYTE_ARRAY: return "BYTE_ARRAY";
    case AK_TYPE_FIXED_LEN_BYTE_ARRAY: return "FIXED_LEN_BYTE_ARRAY";
    default: return "group";
    }
}

/* ---- the tree -------------------------------------------------------------------------------- */

/* A group on the way from the root to where the walk is. */
typedef struct level {
    int32_t children_left;
    unsigned max_definition;
    unsigned max_repetition;
} level;

typedef struct walk {
    const ak_file_metadata *metadata;
    const char *file;
    level levels[SCHEMA_DEPTH_MAX];
    size_t depth; /* of `levels`; 1: only the root */
    size_t top;
    ak_file_leaf *leaves;
    size_t leaf_count;
    akidb_error *err;
} walk;

static akidb_status bad_schema(const walk *w, const ak_schema_element *element, const char *text)
{
    ak_place place = {w->file, element->name, -1, -1};
    return ak_fail_at(w->err, AKIDB_E_CORRUPTION, place, "in the schema: %s", text);
}

static akidb_status check_element(const walk *w, const ak_schema_element *element)
{
    ak_place place = {w->file, element->name, -1, -1};
    if (element->repetition == VECTOR_REPETITION)
        return ak_fail_at(w->err, AKIDB_E_UNSUPPORTED, place,
                          "the VECTOR repetition of a draft of the format is not read; expected a "
                          "list");
    if (element->repetition < AK_REQUIRED || element->repetition > AK_REPEATED)
        return bad_schema(w, element, "expected required, optional or repeated, found neither");
    if (element->num_children < 0)
        return bad_schema(w, element, "expected 0 or more children, found fewer");
    if (element->type < 0)
        return AKIDB_OK;
    if (element->type > AK_TYPE_FIXED_LEN_BYTE_ARRAY)
        return bad_schema(w, element, "expected a known physical type, found another");
    if (element->num_children > 0)
        return bad_schema(w, element, "expected a type or children, found both");
    if (element->type == AK_TYPE_FIXED_LEN_BYTE_ARRAY && element->type_length <= 0)
        return bad_schema(w, element, "expected a length over 0 for fixed bytes");
    if (element->logical_type.kind == AK_LOGICAL_UUID &&
        (element->type != AK_TYPE_FIXED_LEN_BYTE_ARRAY || element->type_length != UUID_BYTES))
        return bad_schema(w, element, "expected 16 fixed bytes for a UUID");
    if (element->logical_type.kind == AK_LOGICAL_FLOAT16 &&
        (element->type != AK_TYPE_FIXED_LEN_BYTE_ARRAY || element->type_length != FLOAT16_BYTES))
        return bad_schema(w, element, "expected 2 fixed bytes for a FLOAT16");
    return AKIDB_OK;
}

static akidb_status enter_group(walk *w, const ak_schema_element *element, const level *inside)
{
    if (w->depth == SCHEMA_DEPTH_MAX)
        return bad_schema(w, element, "expected at most 64 levels, found more");
    w->levels[w->depth++] = *inside;
    return AKIDB_OK;
}

static akidb_status visit(walk *w, size_t index)
{
    const ak_schema_element *element = &w->metadata->schema[index];
    akidb_status status = check_element(w, element);
    if (status != AKIDB_OK)
        return status;
    while (w->depth > 0 && w->levels[w->depth - 1].children_left == 0)
        w->depth--;
    if (w->depth == 0)
        return bad_schema(w, element, "expected no more elements than the groups have children");
    level *parent = &w->levels[w->depth - 1];
    parent->children_left--;
    if (w->depth == 1)
        w->top = index;
    level inside = {element->num_children,
                    parent->max_definition + (element->repetition != AK_REQUIRED),
                    parent->max_repetition + (element->repetition == AK_REPEATED)};
    if (element->type < 0)
        return enter_group(w, element, &inside);
    w->leaves[w->leaf_count] = (ak_file_leaf){.element = element,
                                              .column = w->metadata->schema[w->top].name,
                                              .index = w->leaf_count,
                                              .top = w->top,
                                              .depth = w->depth,
                                              .max_definition = inside.max_definition,
                                              .max_repetition = inside.max_repetition};
    w->leaf_count++;
    return AKIDB_OK;
}

static akidb_status walk_tree(walk *w)
{
    const ak_schema_element *root = w->metadata->schema;
    if (w->metadata->schema_count == 0)
        return ak_fail_at(w->err, AKIDB_E_CORRUPTION, AK_IN(w->file),
                          "expected a schema, found none");
    if (root->type >= 0 || root->num_children < 0)
        return bad_schema(w, root, "expected a group as the root");
    w->levels[0] = (level){root->num_children, 0, 0};
    w->depth = 1;
    for (size_t i = 1; i < w->metadata->schema_count; i++) {
        akidb_status status = visit(w, i);
        if (status != AKIDB_OK)
            return status;
    }
    for (size_t i = 0; i < w->depth; i++)
        if (w->levels[i].children_left != 0)
            return bad_schema(w, root, "expected as many elements as the groups have children");
    return AKIDB_OK;
}

/* ---- what a leaf can be ---------------------------------------------------------------------- */

bool ak_leaf_is_text(const ak_file_leaf *leaf)
{
    int logical = leaf->element->logical_type.kind;
    int converted = leaf->element->converted_type;
    return logical == AK_LOGICAL_STRING || logical == AK_LOGICAL_ENUM ||
           logical == AK_LOGICAL_JSON || converted == AK_CONVERTED_UTF8 ||
           converted == AK_CONVERTED_ENUM || converted == AK_CONVERTED_JSON;
}

ak_time_unit_kind ak_leaf_time_unit(const ak_file_leaf *leaf)
{
    const ak_schema_element *element = leaf->element;
    if (element->logical_type.kind == AK_LOGICAL_TIMESTAMP)
        return (ak_time_unit_kind)element->logical_type.unit;
    return element->converted_type == AK_CONVERTED_TIMESTAMP_MILLIS ? AK_UNIT_MILLIS
                                                                    : AK_UNIT_MICROS;
}

static bool is_flat(const ak_file_leaf *leaf)
{
    return leaf->depth == 1 && leaf->max_repetition == 0;
}

/* Numbers in bytes or integers, with digits behind a point: neither ids nor text nor times. */
static bool is_decimal(const ak_schema_element *element)
{
    return element->logical_type.kind == AK_LOGICAL_DECIMAL ||
           element->converted_type == AK_CONVERTED_DECIMAL;
}

/* An INT32 or INT64 that counts, and is no date, time or decimal. */
static bool is_plain_integer(const ak_schema_element *element)
{
    bool is_converted = element->converted_type >= AK_CONVERTED_UINT_8 &&
                        element->converted_type <= AK_CONVERTED_INT_64;
    return (element->logical_type.kind == AK_LOGICAL_NONE ||
            element->logical_type.kind == AK_LOGICAL_INTEGER) &&
           (element->converted_type == AK_CONVERTED_NONE || is_converted);
}

static bool is_id(const ak_file_leaf *leaf, const akidb_parquet_read_options *options)
{
    const ak_schema_element *element = leaf->element;
    if (!is_flat(leaf) || is_decimal(element))
        return false;
    switch (element->type) {
    case AK_TYPE_BYTE_ARRAY: return true;
    case AK_TYPE_FIXED_LEN_BYTE_ARRAY: return element->type_length == UUID_BYTES;
    case AK_TYPE_INT32:
    case AK_TYPE_INT64: return options->allow_other_ids && is_plain_integer(element);
    default: return false;
    }
}

static bool is_texts(const ak_file_leaf *leaf)
{
    return is_flat(leaf) && leaf->element->type == AK_TYPE_BYTE_ARRAY && !is_decimal(leaf->element);
}

static bool is_time(const ak_file_leaf *leaf)
{
    const ak_schema_element *element = leaf->element;
    if (!is_flat(leaf))
        return false;
    if (element->type == AK_TYPE_INT96)
        return true;
    if (element->type != AK_TYPE_INT64)
        return false;
    if (element->logical_type.kind == AK_LOGICAL_TIMESTAMP)
        return element->logical_type.unit != 0;
    return element->converted_type == AK_CONVERTED_TIMESTAMP_MILLIS ||
           element->converted_type == AK_CONVERTED_TIMESTAMP_MICROS || is_plain_integer(element);
}

static bool is_integer(const ak_file_leaf *leaf)
{
    return is_flat(leaf) &&
           (leaf->element->type == AK_TYPE_INT32 || leaf->element->type == AK_TYPE_INT64);
}

/* Whether the leaf is alone below its top-level column and repeated once: at the top, as the only
 * child of a group, or in or below the repeated middle of a three-level list. */
static bool is_list(const ak_file_metadata *metadata, const ak_file_leaf *leaf)
{
    const ak_schema_element *chain = &metadata->schema[leaf->top];
    if (leaf->max_repetition != 1 || leaf->depth > 3)
        return false;
    for (size_t i = 0; i + 1 < leaf->depth; i++)
        if (chain[i].num_children != 1)
            return false;
    return chain[leaf->depth == 1 ? 0 : 1].repetition == AK_REPEATED;
}

static bool is_float16(const ak_file_leaf *leaf)
{
    return leaf->element->logical_type.kind == AK_LOGICAL_FLOAT16;
}

static bool is_vector(const ak_file_metadata *metadata, const ak_file_leaf *leaf,
                      const akidb_parquet_read_options *options)
{
    int type = leaf->element->type;
    return is_list(metadata, leaf) && (type == AK_TYPE_FLOAT || is_float16(leaf) ||
                                       (type == AK_TYPE_DOUBLE && options->narrow_doubles));
}

/* ---- finding --------------------------------------------------------------------------------- */

typedef struct finder {
    const ak_file_metadata *metadata;
    const char *file;
    const akidb_parquet_read_options *options;
    const ak_file_columns *columns;
    akidb_error *err;
} finder;

static const ak_file_leaf *first_leaf_named(const ak_file_columns *columns, const char *name)
{
    for (size_t i = 0; i < columns->leaf_count; i++)
        if (strcmp(columns->leaves[i].column, name) == 0)
            return &columns->leaves[i];
    for (size_t i = 0; i < columns->leaf_count; i++)
        if (strcasecmp(columns->leaves[i].column, name) == 0)
            return &columns->leaves[i];
    return NULL;
}

/* The names of the top-level columns, for messages; cut when there are too many. */
static void list_columns(const ak_file_columns *columns, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < columns->leaf_count; i++) {
        if (i > 0 && columns->leaves[i].top == columns->leaves[i - 1].top)
            continue;
        int n = snprintf(text + used, size - used, "%s%s", used == 0 ? "" : ", ",
                         columns->leaves[i].column);
        if (n < 0 || (size_t)n >= size - used)
            break;
        used += (size_t)n;
    }
}

static akidb_status not_there(const finder *f, const char *name)
{
    char names[400];
    list_columns(f->columns, names, sizeof names);
    return ak_fail_at(f->err, AKIDB_E_VALIDATION, AK_IN(f->file),
                      "expected a column \"%s\", found: %s", name, names);
}

/* The leaf of the column that the caller named, or of the first default name that is there. "" and
 * a default that is not there give NULL. */
static akidb_status find_named(const finder *f, const char *asked, const char *const defaults[2],
                               const ak_file_leaf **leaf_out)
{
    *leaf_out = NULL;
    if (asked != NULL) {
        if (asked[0] == '\0')
            return AKIDB_OK;
        *leaf_out = first_leaf_named(f->columns, asked);
        return *leaf_out == NULL ? not_there(f, asked) : AKIDB_OK;
    }
    for (size_t i = 0; i < 2 && *leaf_out == NULL && defaults[i] != NULL; i++)
        *leaf_out = first_leaf_named(f->columns, defaults[i]);
    return AKIDB_OK;
}

static akidb_status wrong_type(const finder *f, const ak_file_leaf *leaf, const char *expected)
{
    ak_place place = {f->file, leaf->column, -1, -1};
    return ak_fail_at(f->err, AKIDB_E_VALIDATION, place, "expected %s, found %s%s%s", expected,
                      leaf->depth > 1            ? "a group with "
                      : leaf->max_repetition > 0 ? "repeated "
                                                 : "",
                      is_float16(leaf) ? "FLOAT16" : ak_physical_type_name(leaf->element->type),
                      f->metadata->schema[leaf->top].num_children > 1 ? " and more" : "");
}

static bool is_double_list(const finder *f, const ak_file_leaf *leaf)
{
    return is_list(f->metadata, leaf) && leaf->element->type == AK_TYPE_DOUBLE;
}

static akidb_status not_a_vector(const finder *f, const ak_file_leaf *leaf)
{
    return wrong_type(f, leaf,
                      is_double_list(f, leaf)
                          ? "a list of float32, or of float64 with the option narrow"
                          : "a list of float32");
}

static akidb_status find_only_list(const finder *f, const ak_file_leaf **leaf_out)
{
    const ak_file_columns *columns = f->columns;
    const ak_file_leaf *doubles = NULL;
    *leaf_out = NULL;
    for (size_t i = 0; i < columns->leaf_count; i++) {
        const ak_file_leaf *leaf = &columns->leaves[i];
        if (doubles == NULL && is_double_list(f, leaf))
            doubles = leaf;
        if (!is_vector(f->metadata, leaf, f->options))
            continue;
        if (*leaf_out != NULL)
            return ak_fail_at(f->err, AKIDB_E_VALIDATION, AK_IN(f->file),
                              "expected one list of floats, found several: \"%s\", \"%s\"; the "
                              "option vector_column chooses one",
                              (*leaf_out)->column, leaf->column);
        *leaf_out = leaf;
    }
    if (*leaf_out != NULL)
        return AKIDB_OK;
    if (doubles != NULL)
        return not_a_vector(f, doubles);
    char names[400];
    list_columns(columns, names, sizeof names);
    return ak_fail_at(f->err, AKIDB_E_VALIDATION, AK_IN(f->file),
                      "expected a column \"vector\" or a list of float32, found: %s", names);
}

static akidb_status find_vector(const finder *f, const ak_file_leaf **leaf_out)
{
    static const char *const names[2] = {"vector", NULL};
    const char *asked = f->options->vector_column;
    akidb_status status =
        find_named(f, asked != NULL && asked[0] == '\0' ? NULL : asked, names, leaf_out);
    if (status != AKIDB_OK)
        return status;
    if (*leaf_out == NULL)
        return find_only_list(f, leaf_out);
    if (is_vector(f->metadata, *leaf_out, f->options))
        return AKIDB_OK;
    return not_a_vector(f, *leaf_out);
}

static akidb_status find_all(const finder *f, ak_file_columns *columns)
{
    static const char *const id_names[2] = {"document_id", "doc_id"};
    static const char *const external_names[2] = {"external_id", NULL};
    static const char *const metadata_names[2] = {"metadata_json", "metadata"};
    static const char *const time_names[2] = {"inserted_at", NULL};
    static const char *const dimension_names[2] = {"dimension", NULL};
    const akidb_parquet_read_options *options = f->options;
    akidb_status status = find_vector(f, &columns->vector);
    if (status == AKIDB_OK)
        status = find_named(f, options->document_id_column, id_names, &columns->document_id);
    if (status == AKIDB_OK && columns->document_id != NULL && !is_id(columns->document_id, options))
        return wrong_type(f, columns->document_id, "UUIDs as 16 bytes or as text");
    if (status == AKIDB_OK)
        status = find_named(f, options->external_id_column, external_names, &columns->external_id);
    if (status == AKIDB_OK && columns->external_id != NULL && !is_texts(columns->external_id))
        return wrong_type(f, columns->external_id, "text");
    if (status == AKIDB_OK)
        status = find_named(f, options->metadata_column, metadata_names, &columns->metadata);
    if (status == AKIDB_OK && columns->metadata != NULL && !is_texts(columns->metadata))
        return wrong_type(f, columns->metadata, "JSON as text");
    if (status == AKIDB_OK)
        status = find_named(f, options->inserted_at_column, time_names, &columns->inserted_at);
    if (status == AKIDB_OK && columns->inserted_at != NULL && !is_time(columns->inserted_at))
        return wrong_type(f, columns->inserted_at, "timestamps");
    if (status == AKIDB_OK)
        status = find_named(f, NULL, dimension_names, &columns->dimension);
    if (columns->dimension != NULL && !is_integer(columns->dimension))
        columns->dimension = NULL; /* somebody's column of that name: only a check is lost */
    columns->has_other_ids = options->allow_other_ids;
    return status;
}

akidb_status ak_file_columns_find(const ak_file_metadata *metadata, const char *file,
                                  const akidb_parquet_read_options *options, ak_arena *arena,
                                  ak_file_columns *columns_out, akidb_error *err)
{
    *columns_out = (ak_file_columns){0};
    walk w = {.metadata = metadata, .file = file, .err = err};
    akidb_status status =
        ak_arena_alloc(arena, metadata->schema_count, sizeof *w.leaves, &w.leaves, err);
    if (status == AKIDB_OK)
        status = walk_tree(&w);
    if (status != AKIDB_OK)
        return status;
    ak_file_columns columns = {.leaves = w.leaves, .leaf_count = w.leaf_count};
    finder f = {metadata, file, options, &columns, err};
    status = find_all(&f, &columns);
    if (status == AKIDB_OK)
        *columns_out = columns;
    return status;
}
