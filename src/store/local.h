#ifndef AK_STORE_LOCAL_H
#define AK_STORE_LOCAL_H
/*
 * Inside of the local store: local.c holds the operations, local_tree.c finds and makes folders,
 * local_list.c lists and removes leftovers. Functions that return int give 0, a number of errno.h,
 * or one of the two below.
 */
#include "akidb/store.h"
#include "akidb/sys/files.h"

typedef struct ak_local {
    const akidb_files *files;
    char *root;             /* absolute path */
    _Atomic bool root_made; /* this handle has seen to it that the root and what is above last */
    /* A sync of a folder failed after a name was given: a later sync that succeeds proves nothing
     * of that name, so that "already exists" can no longer be said of what lasts. */
    _Atomic bool doubtful;
} ak_local;

/* No numbers of errno.h. ENOTDIR within the root means that a key is not there; that the root
 * itself is no folder means that nothing can be there. */
enum { AK_ROOT_IS_NO_FOLDER = -1, AK_NOT_REGULAR = -2 };

/* ---- local_tree.c ---------------------------------------------------------------------------- */

int ak_local_open_root(const ak_local *local, akidb_folder *folder_out);

/* Opens the folder that holds the key's last part, which *name_out is set to (within `key`). */
int ak_local_open_parent(const ak_local *local, const char *key, akidb_folder *folder_out,
                         const char **name_out);

/* The same, and makes the folders that are missing. Whatever is then made in the folder is as
 * lasting as the folder: each step from the root, and those above it, have been synced. ENOENT when
 * another caller removed a folder just now, because it was empty: try again. */
int ak_local_make_parent(ak_local *local, const char *key, akidb_folder *folder_out,
                         const char **name_out);

/* Makes durable that a key is missing because a folder on the way to it is. */
int ak_local_sync_deepest(const ak_local *local, const char *key);

/* Removes the folders above the key that are empty, from the lowest up, as far as it goes. */
void ak_local_prune(const ak_local *local, const char *key);

/* ---- local.c --------------------------------------------------------------------------------- */

/* The failure of an operation that only looks. `key` may be "". */
akidb_status ak_local_fail(const ak_local *local, int error_number, const char *key,
                           const char *doing, akidb_error *err);

/* ---- local_list.c: slots of akidb_store_ops; the handle is an ak_local ----------------------- */

akidb_status ak_local_list(void *handle, const char *prefix, char delimiter,
                           akidb_list_visitor *visitor, void *context, akidb_error *err);
akidb_status ak_local_remove_leftovers(void *handle, int64_t before, bool dry_run,
                                       uint64_t *count_out, uint64_t *bytes_out, akidb_error *err);

#endif
