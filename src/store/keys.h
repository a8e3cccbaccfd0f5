#ifndef AK_STORE_KEYS_H
#define AK_STORE_KEYS_H
/* The rules for keys, as akidb/store.h states them. */
#include "akidb/base.h"

/* How the names of temporary files begin; no part of a key may. */
#define AK_TEMPORARY_PREFIX ".akidb-tmp-"
#define AK_KEY_PART_MAX     255u

/* AKIDB_E_VALIDATION, naming the rule that is broken, when `key` (which may be NULL) is no key. */
AKIDB_CHECK akidb_status ak_key_check(const char *key, akidb_error *err);

/* Whether `size` bytes may stand between two '/' of a key, as far as their form goes: not empty,
 * "." or "..", not temporary, not too long. Says nothing of the characters. */
bool ak_key_part_is_legal(const char *part, size_t size);

#endif
