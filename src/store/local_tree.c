#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/keys.h"
#include "store/local.h"

int ak_local_open_root(const ak_local *local, akidb_folder *folder_out)
{
    const akidb_files *files = local->files;
    int error_number = files->ops->open_root(files->handle, local->root, folder_out);
    return error_number == ENOTDIR ? AK_ROOT_IS_NO_FOLDER : error_number;
}

/* ---- from the root to a key ------------------------------------------------------------------ */

/* Opens a part of the key; makes it first when it is missing and `make` says so. Then the name of
 * the child is durable in its folder, whoever made it: he may not have come to the sync yet. */
static int step(const ak_local *local, akidb_folder folder, const char *name, bool make,
                akidb_folder *child_out)
{
    const akidb_files *files = local->files;
    int error_number = files->ops->open_folder(files->handle, folder, name, child_out);
    if (!make)
        return error_number;
    if (error_number == ENOENT) {
        error_number = files->ops->make_folder(files->handle, folder, name);
        if (error_number == 0 || error_number == EEXIST)
            error_number = files->ops->open_folder(files->handle, folder, name, child_out);
    }
    if (error_number != 0)
        return error_number;
    error_number = files->ops->sync_folder(files->handle, folder);
    if (error_number != 0)
        files->ops->close_folder(files->handle, *child_out);
    return error_number;
}

typedef enum walk_mode {
    WALK_FIND,   /* ENOENT when a folder is missing */
    WALK_MAKE,   /* make what is missing */
    WALK_DEEPEST /* where a folder is missing, the one before it is the answer */
} walk_mode;

/* Walks from an open root, which it closes unless it is the answer. */
static int walk(const ak_local *local, akidb_folder root, const char *key, walk_mode mode,
                akidb_folder *folder_out, const char **name_out)
{
    const akidb_files *files = local->files;
    akidb_folder folder = root;
    const char *part = key;
    for (const char *slash = strchr(part, '/'); slash != NULL; slash = strchr(part, '/')) {
        char name[AK_KEY_PART_MAX + 1];
        size_t size = (size_t)(slash - part); /* at most AK_KEY_PART_MAX: the key is legal */
        memcpy(name, part, size);
        name[size] = '\0';
        akidb_folder child;
        int error_number = step(local, folder, name, mode == WALK_MAKE, &child);
        if (error_number == ENOENT && mode == WALK_DEEPEST)
            break;
        files->ops->close_folder(files->handle, folder);
        if (error_number != 0)
            return error_number;
        folder = child;
        part = slash + 1;
    }
    *folder_out = folder;
    *name_out = part;
    return 0;
}

int ak_local_open_parent(const ak_local *local, const char *key, akidb_folder *folder_out,
                         const char **name_out)
{
    akidb_folder root;
    int error_number = ak_local_open_root(local, &root);
    if (error_number != 0)
        return error_number;
    return walk(local, root, key, WALK_FIND, folder_out, name_out);
}

int ak_local_sync_deepest(const ak_local *local, const char *key)
{
    akidb_folder folder;
    const char *rest;
    int error_number = ak_local_open_root(local, &folder);
    if (error_number == 0)
        error_number = walk(local, folder, key, WALK_DEEPEST, &folder, &rest);
    if (error_number != 0)
        return error_number;
    error_number = local->files->ops->sync_folder(local->files->handle, folder);
    local->files->ops->close_folder(local->files->handle, folder);
    return error_number;
}

/* ---- the root -------------------------------------------------------------------------------- */

/* Makes `name` within the folder at `parent` unless it is there, and durable. */
static int make_below(const ak_local *local, const char *parent, const char *name)
{
    const akidb_files *files = local->files;
    akidb_folder folder;
    int error_number = files->ops->open_root(files->handle, parent, &folder);
    if (error_number == EACCES)
        return 0; /* a folder of others that we only pass through; nothing is made in it */
    if (error_number != 0)
        return error_number;
    error_number = files->ops->make_folder(files->handle, folder, name);
    if (error_number == 0 || error_number == EEXIST)
        error_number = files->ops->sync_folder(files->handle, folder);
    files->ops->close_folder(files->handle, folder);
    return error_number;
}

/* The root and all above it, from "/" down. */
static int make_root(const ak_local *local)
{
    char *path = strdup(local->root);
    if (path == NULL)
        return ENOMEM;
    int error_number = 0;
    char *slash = path; /* the one before the name to make; what is before it is the parent */
    while (slash != NULL && error_number == 0) {
        char *name = slash + 1;
        char *next = strchr(name, '/');
        if (next != NULL)
            *next = '\0';
        if (name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
            *slash = '\0';
            error_number = make_below(local, slash == path ? "/" : path, name);
            *slash = '/';
        }
        if (next != NULL)
            *next = '/';
        slash = next;
    }
    free(path);
    return error_number == ENOTDIR ? AK_ROOT_IS_NO_FOLDER : error_number;
}

int ak_local_make_parent(ak_local *local, const char *key, akidb_folder *folder_out,
                         const char **name_out)
{
    akidb_folder root;
    int error_number = local->root_made ? ak_local_open_root(local, &root) : ENOENT;
    if (error_number == ENOENT) {
        error_number = make_root(local);
        if (error_number == 0)
            error_number = ak_local_open_root(local, &root);
    }
    if (error_number != 0)
        return error_number;
    local->root_made = true;
    return walk(local, root, key, WALK_MAKE, folder_out, name_out);
}

/* ---- empty folders --------------------------------------------------------------------------- */

void ak_local_prune(const ak_local *local, const char *key)
{
    const akidb_files *files = local->files;
    char path[AKIDB_KEY_MAX + 1];
    memcpy(path, key, strlen(key) + 1);
    int error_number = 0;
    for (char *slash = strrchr(path, '/'); slash != NULL && error_number == 0;
         slash = strrchr(path, '/')) {
        *slash = '\0';
        akidb_folder folder;
        const char *name;
        error_number = ak_local_open_parent(local, path, &folder, &name);
        if (error_number != 0)
            return;
        error_number = files->ops->remove_folder(files->handle, folder, name);
        files->ops->close_folder(files->handle, folder);
    }
}
