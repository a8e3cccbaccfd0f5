#ifndef AK_STORE_SUITE_H
#define AK_STORE_SUITE_H
/*
 * What every object store must do: each line of akidb/store.h as a test. Works on a store that
 * others use too: all its keys lie below one prefix, and it deletes nothing else.
 */
#include "akidb/store.h"

typedef struct store_suite_target {
    const char *name;   /* for the report */
    akidb_store *store; /* borrowed */
    const char *prefix; /* of all keys of this run, without '/' at its end; new for each run */
    size_t key_max;     /* the longest key in bytes; 0: AKIDB_KEY_MAX; less behind a prefix store */
    size_t many;        /* keys in the test of long lists; 0: 2,500 */
} store_suite_target;

/* Runs all tests; the number of those that failed. */
int store_suite_run(const store_suite_target *target);

#endif
