#ifndef AK_JSON_JSON_H
#define AK_JSON_JSON_H
/* JSON (RFC 8259): checking, small documents as a tree, and writing. The only folder that meets the
 * JSON library; large data goes through json/scan.h, which never holds more than one value. */
#include "akidb/base.h"

enum { AK_JSON_DEPTH_MAX = 256 }; /* deeper nesting is refused everywhere */

/* Whether `text` is exactly one JSON value in UTF-8, with white space around it allowed; no byte
 * order mark, no comments. An escape of half a surrogate pair ("\ud800") passes, as RFC 8259, 8.2
 * has it. AKIDB_E_VALIDATION says where (err->offset) and what. */
AKIDB_CHECK akidb_status ak_json_check(akidb_slice text, akidb_error *err);

/* ---- small documents ------------------------------------------------------------------------- */

typedef struct ak_json_tree ak_json_tree;   /* owns everything below */
typedef struct ak_json_value ak_json_value; /* borrowed from its tree */

/* Refuses what ak_json_check refuses, and names of members with U+0000 in them. Half a surrogate
 * pair becomes a question mark. `text` is not needed any more after the call. */
AKIDB_CHECK akidb_status ak_json_parse(akidb_slice text, ak_json_tree **tree_out, akidb_error *err);
void ak_json_tree_free(ak_json_tree *tree);
const ak_json_value *ak_json_root(const ak_json_tree *tree);

/* NULL when `value` is NULL, of another kind, or has no such member; so calls can be chained. A
 * name that comes twice gives its first value. */
const ak_json_value *ak_json_member(const ak_json_value *object, const char *name);
const ak_json_value *ak_json_element(const ak_json_value *array, size_t index);
const char *ak_json_string(const ak_json_value *value); /* no U+0000 in it: NULL then */
bool ak_json_is_object(const ak_json_value *value);
bool ak_json_is_array(const ak_json_value *value);
size_t ak_json_count(const ak_json_value *value); /* members or elements; 0 for other kinds */
const char *ak_json_member_name(const ak_json_value *object, size_t index);
const ak_json_value *ak_json_member_value(const ak_json_value *object, size_t index);
/* false unless it is an integer, written without point and exponent, that fits. */
bool ak_json_u64(const ak_json_value *value, uint64_t *out);
bool ak_json_bool(const ak_json_value *value, bool *out);

/* ---- writing --------------------------------------------------------------------------------- */

/* Appends a string with its quotes, escaping what JSON wants escaped and nothing else. The text
 * must be UTF-8. On failure (AKIDB_E_OUT_OF_MEMORY) the buffer holds what it held. */
AKIDB_CHECK akidb_status ak_json_append_string(akidb_buffer *buffer, akidb_slice text,
                                               akidb_error *err);

/* ---- float32 --------------------------------------------------------------------------------- */

/* The most characters that ak_float_print writes. */
enum { AK_FLOAT_TEXT_SIZE = 24 };

/* Writes the shortest decimal that reads back as exactly this finite float (round to nearest even),
 * of those the nearest; as a JSON number, without a NUL, plain ("0.0012") unless an exponent makes
 * it shorter ("1.2e-4"); -0.0 is "-0.0". Returns its length; 0 for NaN and infinities, which have
 * no JSON number. */
size_t ak_float_print(float value, char text_out[AK_FLOAT_TEXT_SIZE]);

/* Reads a JSON number at the beginning of text as the nearest float, ties to even. Returns the
 * number of bytes that it takes, or 0 when there is no JSON number. Beyond the range it gives
 * infinity, and the caller decides. The locale does not matter. */
size_t ak_float_parse(const char *text, size_t size, float *value_out);

#endif
