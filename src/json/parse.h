#ifndef AK_JSON_PARSE_H
#define AK_JSON_PARSE_H
/* One call into the JSON library: a whole text, checked, told as events. */
#include <yajl/yajl_parse.h>

#include "akidb/base.h"

/* Parses `text`, which must be exactly one JSON value in UTF-8, at most AK_JSON_DEPTH_MAX deep.
 * `events` (may be NULL) are the library's callbacks, with `context`; one that returns 0 ends the
 * parse with AKIDB_E_VALIDATION, in which the caller knows the reason better. */
AKIDB_CHECK akidb_status ak_json_events(akidb_slice text, const yajl_callbacks *events,
                                        void *context, akidb_error *err);

#endif
