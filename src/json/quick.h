#ifndef AK_JSON_QUICK_H
#define AK_JSON_QUICK_H
#include "akidb/base.h"

/* What ak_json_check wants to know, without where and why: much faster than the library, which
 * moreover takes an unfinished token behind a value, such as the quote of 1". */
bool ak_json_is_valid(akidb_slice text);

#endif
