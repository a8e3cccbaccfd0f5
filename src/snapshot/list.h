#ifndef AK_SNAPSHOT_LIST_H
#define AK_SNAPSHOT_LIST_H
/* Keys of a listing, kept until the listing has ended. */
#include "snapshot/snapshotter.h"

typedef struct ak_key_list {
    char **keys;
    size_t count, capacity;
} ak_key_list;

AKIDB_CHECK akidb_status ak_key_list_add(ak_key_list *list, const char *key, akidb_error *err);
void ak_key_list_free(ak_key_list *list);

/* Adds the metadata keys that begin with `prefix` and have no '/' after it. */
AKIDB_CHECK akidb_status ak_list_metadata_keys(akidb_store *store, const char *prefix,
                                               ak_key_list *list, akidb_error *err);

#endif
