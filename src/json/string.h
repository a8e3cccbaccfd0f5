#ifndef AK_JSON_STRING_H
#define AK_JSON_STRING_H
#include "akidb/base.h"

/* Appends to `buffer` the text that a JSON string stands for; `raw` is the string with its quotes.
 * AKIDB_E_VALIDATION, with the offset in `raw`, for a bad escape, a surrogate without its partner,
 * a control character, a quote that comes too early, or bytes that are not UTF-8; the buffer is
 * then as it was. */
AKIDB_CHECK akidb_status ak_json_unescape(akidb_slice raw, akidb_buffer *buffer, akidb_error *err);

#endif
