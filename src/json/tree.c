/* Small documents as a tree. Values are collected on a stack while their container is open; when it
 * closes, they move to one array of their own, so that an element is found by its index. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "json/json.h"
#include "json/memory.h"
#include "json/parse.h"

typedef enum value_kind {
    KIND_NULL,
    KIND_BOOL,
    KIND_NUMBER,
    KIND_STRING,
    KIND_OBJECT,
    KIND_ARRAY
} value_kind;

struct ak_json_value {
    value_kind kind;
    bool boolean;
    const char *name; /* as a member of an object; else NULL */
    const char *text; /* of a string, or of a number as it was written; NUL-terminated */
    size_t text_size;
    const ak_json_value *children;
    size_t count;
};

struct ak_json_tree {
    ak_json_value root;
    ak_json_memory memory;
};

typedef struct builder {
    ak_json_tree *tree;
    ak_json_value *stack; /* the root's array, then values of the containers that are open */
    size_t count;
    size_t capacity;
    size_t open[AK_JSON_DEPTH_MAX]; /* where on the stack each open container stands */
    size_t depth;
    const char *name; /* of the member whose value comes next */
    akidb_status status;
    const char *problem;
} builder;

static int stop(builder *b, akidb_status status, const char *problem)
{
    b->status = status;
    b->problem = problem;
    return 0;
}

static int out_of_memory(builder *b)
{
    return stop(b, AKIDB_E_OUT_OF_MEMORY, NULL);
}

static const char *copy_text(builder *b, const void *text, size_t size)
{
    char *copy = ak_json_memory_take(&b->tree->memory, size + 1);
    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

static int push(builder *b, ak_json_value value)
{
    void *stack = b->stack;
    if (ak_array_reserve(&stack, &b->capacity, b->count + 1, sizeof *b->stack, NULL) != AKIDB_OK)
        return out_of_memory(b);
    b->stack = stack;
    value.name = b->name;
    b->name = NULL;
    b->stack[b->count++] = value;
    return 1;
}

static int push_text(builder *b, value_kind kind, const void *text, size_t size)
{
    const char *copy = copy_text(b, text, size);
    if (copy == NULL)
        return out_of_memory(b);
    return push(b, (ak_json_value){.kind = kind, .text = copy, .text_size = size});
}

static int open_container(builder *b, value_kind kind)
{
    b->open[b->depth++] = b->count;
    return push(b, (ak_json_value){.kind = kind});
}

static int close_container(void *context)
{
    builder *b = context;
    size_t at = b->open[--b->depth];
    ak_json_value *container = &b->stack[at];
    container->count = b->count - at - 1;
    if (container->count > 0) {
        size_t bytes = container->count * sizeof *container;
        ak_json_value *children = ak_json_memory_take(&b->tree->memory, bytes);
        if (children == NULL)
            return out_of_memory(b);
        memcpy(children, container + 1, bytes);
        container->children = children;
    }
    b->count = at + 1;
    return 1;
}

static int on_null(void *context)
{
    return push(context, (ak_json_value){.kind = KIND_NULL});
}

static int on_boolean(void *context, int value)
{
    return push(context, (ak_json_value){.kind = KIND_BOOL, .boolean = value != 0});
}

static int on_number(void *context, const char *text, size_t size)
{
    return push_text(context, KIND_NUMBER, text, size);
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
    return push_text(context, KIND_STRING, text, size);
}

static int on_start_map(void *context)
{
    return open_container(context, KIND_OBJECT);
}

static int on_start_array(void *context)
{
    return open_container(context, KIND_ARRAY);
}

static int on_map_key(void *context, const unsigned char *text, size_t size)
{
    builder *b = context;
    if (memchr(text, '\0', size) != NULL)
        return stop(b, AKIDB_E_VALIDATION, "expected a member's name without U+0000, found one");
    b->name = copy_text(b, text, size);
    return b->name == NULL ? out_of_memory(b) : 1;
}

static const yajl_callbacks building = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_map_key = on_map_key,
    .yajl_start_map = on_start_map,
    .yajl_end_map = close_container,
    .yajl_start_array = on_start_array,
    .yajl_end_array = close_container,
};

static akidb_status build(builder *b, akidb_slice text, akidb_error *err)
{
    akidb_error refused = {.offset = -1};
    akidb_status status = ak_json_events(text, &building, b, &refused);
    if (b->status == AKIDB_E_OUT_OF_MEMORY)
        return ak_fail_memory(err, text.size);
    if (b->status != AKIDB_OK)
        return ak_fail_at(err, b->status, AK_AT(NULL, refused.offset), "%s", b->problem);
    if (status != AKIDB_OK && err != NULL)
        *err = refused;
    return status;
}

akidb_status ak_json_parse(akidb_slice text, ak_json_tree **tree_out, akidb_error *err)
{
    *tree_out = NULL;
    builder b = {.tree = malloc(sizeof *b.tree)};
    if (b.tree == NULL)
        return ak_fail_memory(err, sizeof *b.tree);
    ak_json_memory_begin(&b.tree->memory);
    akidb_status status = build(&b, text, err);
    if (status == AKIDB_OK) {
        b.tree->root = b.stack[0]; /* one value in all: the parse has said so */
        *tree_out = b.tree;
    } else {
        ak_json_tree_free(b.tree);
    }
    free(b.stack);
    return status;
}

void ak_json_tree_free(ak_json_tree *tree)
{
    if (tree == NULL)
        return;
    ak_json_memory_end(&tree->memory);
    free(tree);
}

/* ---- looking --------------------------------------------------------------------------------- */

const ak_json_value *ak_json_root(const ak_json_tree *tree)
{
    return &tree->root;
}

bool ak_json_is_object(const ak_json_value *value)
{
    return value != NULL && value->kind == KIND_OBJECT;
}

bool ak_json_is_array(const ak_json_value *value)
{
    return value != NULL && value->kind == KIND_ARRAY;
}

size_t ak_json_count(const ak_json_value *value)
{
    return ak_json_is_object(value) || ak_json_is_array(value) ? value->count : 0;
}

const ak_json_value *ak_json_member(const ak_json_value *object, const char *name)
{
    if (!ak_json_is_object(object))
        return NULL;
    for (size_t i = 0; i < object->count; i++)
        if (strcmp(object->children[i].name, name) == 0)
            return &object->children[i];
    return NULL;
}

const ak_json_value *ak_json_element(const ak_json_value *array, size_t index)
{
    return ak_json_is_array(array) && index < array->count ? &array->children[index] : NULL;
}

const char *ak_json_member_name(const ak_json_value *object, size_t index)
{
    return ak_json_is_object(object) && index < object->count ? object->children[index].name : NULL;
}

const ak_json_value *ak_json_member_value(const ak_json_value *object, size_t index)
{
    return ak_json_is_object(object) && index < object->count ? &object->children[index] : NULL;
}

const char *ak_json_string(const ak_json_value *value)
{
    if (value == NULL || value->kind != KIND_STRING || strlen(value->text) != value->text_size)
        return NULL;
    return value->text;
}

bool ak_json_u64(const ak_json_value *value, uint64_t *out)
{
    *out = 0;
    if (value == NULL || value->kind != KIND_NUMBER)
        return false;
    uint64_t number = 0;
    for (const char *at = value->text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || __builtin_mul_overflow(number, 10u, &number) ||
            __builtin_add_overflow(number, (uint64_t)(*at - '0'), &number))
            return false;
    }
    *out = number;
    return true;
}

bool ak_json_bool(const ak_json_value *value, bool *out)
{
    *out = value != NULL && value->kind == KIND_BOOL && value->boolean;
    return value != NULL && value->kind == KIND_BOOL;
}
