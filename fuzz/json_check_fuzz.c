/* layers: json */
/* Properties: the quick check takes what the library takes, unless a value has something unfinished
 * behind it; checking a text and making a tree of it agree; a tree can be walked. */
#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "json/parse.h"
#include "json/quick.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Meets every value; the depth is bounded by AK_JSON_DEPTH_MAX. */
static size_t walk(const ak_json_value *value)
{
    uint64_t number;
    bool flag;
    size_t met = 1;
    if (ak_json_u64(value, &number) || ak_json_bool(value, &flag) || ak_json_string(value) != NULL)
        met++;
    for (size_t i = 0; i < ak_json_count(value); i++) {
        if (ak_json_is_array(value))
            met += walk(ak_json_element(value, i));
        else if (ak_json_member(value, ak_json_member_name(value, i)) == NULL)
            abort();
        else
            met += walk(ak_json_member_value(value, i));
    }
    return met;
}

static bool begins_with_a_value(akidb_slice text)
{
    for (size_t size = 1; size < text.size; size++)
        if (ak_json_is_valid((akidb_slice){text.data, size}))
            return true;
    return false;
}

static void compare_with_the_library(akidb_slice text)
{
    akidb_error err = {0};
    akidb_status told = ak_json_events(text, NULL, NULL, &err);
    if ((told == AKIDB_OK) != ak_json_is_valid(text))
        abort();
    if (strstr(err.message, "unfinished") != NULL && !begins_with_a_value(text))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    akidb_slice text = {data, size};
    compare_with_the_library(text);
    akidb_error err = {.offset = -1};
    akidb_status checked = ak_json_check(text, &err);
    ak_json_tree *tree;
    akidb_status parsed = ak_json_parse(text, &tree, NULL);
    if (checked != AKIDB_OK) {
        if (parsed == AKIDB_OK || tree != NULL || err.offset < 0 || (size_t)err.offset > size)
            abort();
        return 0;
    }
    if (parsed == AKIDB_OK) { /* it also refuses U+0000 in names */
        if (walk(ak_json_root(tree)) == 0)
            abort();
        ak_json_tree_free(tree);
    }
    return 0;
}
