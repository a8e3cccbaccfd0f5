/* layers: json */
/* Property: whatever the text, checking it and making a tree of it agree; a tree can be walked. */
#include <stdlib.h>

#include "json/json.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    akidb_slice text = {data, size};
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
