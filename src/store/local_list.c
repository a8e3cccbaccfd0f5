/*
 * Listing a local store. One folder at a time is read into memory and sorted, with the folders'
 * names as if they ended in '/': this gives whole keys in byte order ("a-b" comes before "a/b").
 * Memory is bounded by the names of the folders on one path, whatever the store holds;
 * each of these folders is open meanwhile.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/keys.h"
#include "store/local.h"

/* ---- the names of one folder ----------------------------------------------------------------- */

typedef struct name {
    union {
        size_t offset;    /* in names.text while that grows */
        const char *text; /* afterwards */
    } at;
    akidb_file_kind kind;
} name;

typedef struct names {
    name *items;
    size_t count;
    size_t capacity;
    akidb_buffer text;
    /* Which names are wanted, and whether there was memory for them. */
    bool (*wanted)(const char *text, akidb_file_kind kind, const char *prefix);
    const char *prefix;
    akidb_status status;
    akidb_error *err;
} names;

static void names_free(names *n)
{
    akidb_buffer_free(&n->text);
    free(n->items);
}

static bool names_add(void *context, const char *text, akidb_file_kind kind)
{
    names *n = context;
    if (!n->wanted(text, kind, n->prefix))
        return true;
    void *items = n->items;
    n->status = ak_array_reserve(&items, &n->capacity, n->count + 1, sizeof *n->items, n->err);
    n->items = items;
    if (n->status != AKIDB_OK)
        return false;
    n->items[n->count++] = (name){.at.offset = n->text.size, .kind = kind};
    n->status = ak_buffer_append(&n->text, text, strlen(text) + 1, n->err);
    return n->status == AKIDB_OK;
}

static int compare_names(const void *left, const void *right)
{
    const name *a = left;
    const name *b = right;
    size_t i = 0;
    while (a->at.text[i] != '\0' && a->at.text[i] == b->at.text[i])
        i++;
    unsigned char x = (unsigned char)a->at.text[i];
    unsigned char y = (unsigned char)b->at.text[i];
    if (x == '\0' && a->kind == AKIDB_FILE_FOLDER)
        x = '/';
    if (y == '\0' && b->kind == AKIDB_FILE_FOLDER)
        y = '/';
    return (x > y) - (x < y);
}

/* Reads and sorts the names of a folder that `visitor` hands to names_add; `key` is the folder's,
 * for messages. A folder that is gone has none. On failure nothing is held. */
static akidb_status names_read(names *n, const ak_local *local, akidb_folder folder,
                               akidb_name_visitor *visitor, void *context, const char *key,
                               akidb_error *err)
{
    n->err = err;
    const akidb_files *files = local->files;
    int error_number = files->ops->list(files->handle, folder, visitor, context);
    if (n->status == AKIDB_OK && error_number != 0 && error_number != ENOENT)
        n->status = ak_local_fail(local, error_number, key, "listing it", err);
    akidb_status status = n->status;
    if (status != AKIDB_OK) {
        names_free(n);
        return status;
    }
    for (size_t i = 0; i < n->count; i++)
        n->items[i].at.text = (const char *)n->text.data + n->items[i].at.offset;
    if (n->count > 1)
        qsort(n->items, n->count, sizeof *n->items, compare_names);
    return AKIDB_OK;
}

/* A file or folder that can be in a key: foreign files whose names cannot are not ours to tell. */
static bool wanted_in_list(const char *text, akidb_file_kind kind, const char *prefix)
{
    return kind != AKIDB_FILE_OTHER && strncmp(text, prefix, strlen(prefix)) == 0 &&
           ak_key_check(text, NULL) == AKIDB_OK;
}

/* ---- walking --------------------------------------------------------------------------------- */

typedef struct walk {
    const ak_local *local;
    bool delimited; /* folders are told as prefixes */
    akidb_list_visitor *visitor;
    void *context;
    akidb_error *err;
    bool stopped; /* by the visitor */
    size_t size;  /* of key */
    char key[AKIDB_KEY_MAX + 1];
} walk;

/* Adds a name to the key, and '/' if it is a folder's; false when the key would be too long. */
static bool key_push(walk *w, const name *n)
{
    size_t size = strlen(n->at.text);
    bool folder = n->kind == AKIDB_FILE_FOLDER;
    size_t least = folder ? 2 : 0; /* '/' and at least one character below it */
    if (w->size + size + least > AKIDB_KEY_MAX)
        return false;
    memcpy(w->key + w->size, n->at.text, size);
    w->size += size;
    if (folder)
        w->key[w->size++] = '/';
    w->key[w->size] = '\0';
    return true;
}

static void key_cut(walk *w, size_t size)
{
    w->size = size;
    w->key[size] = '\0';
}

static void tell(walk *w, bool is_prefix, akidb_object_info info)
{
    akidb_list_entry entry = {.key = w->key, .is_prefix = is_prefix, .info = info};
    w->stopped = w->visitor(w->context, &entry) == AKIDB_VISIT_STOP;
}

static akidb_status tell_file(walk *w, akidb_folder folder, const name *n)
{
    const akidb_files *files = w->local->files;
    akidb_file_info info;
    int error_number = files->ops->stat(files->handle, folder, n->at.text, &info);
    if (error_number == ENOENT || (error_number == 0 && info.kind != AKIDB_FILE_REGULAR))
        return AKIDB_OK; /* deleted meanwhile */
    if (error_number != 0)
        return ak_local_fail(w->local, error_number, w->key, "looking at it", w->err);
    tell(w, false, (akidb_object_info){info.size, info.modified_at});
    return AKIDB_OK;
}

/* ---- whether a folder leads to an object ----------------------------------------------------- */

typedef struct probe {
    names folders;
    bool found;
} probe;

static bool probe_visit(void *context, const char *text, akidb_file_kind kind)
{
    probe *p = context;
    if (kind == AKIDB_FILE_REGULAR && wanted_in_list(text, kind, "")) {
        p->found = true;
        return false;
    }
    return kind != AKIDB_FILE_FOLDER || names_add(&p->folders, text, kind);
}

/* Opens the folder `n` of a folder; *found_out is false when it is gone or a link now. */
static akidb_status open_child(const ak_local *local, akidb_folder folder, const name *n,
                               const char *key, akidb_folder *child_out, bool *found_out,
                               akidb_error *err)
{
    const akidb_files *files = local->files;
    int error_number = files->ops->open_folder(files->handle, folder, n->at.text, child_out);
    *found_out = error_number == 0;
    if (error_number == 0 || error_number == ENOENT || error_number == ENOTDIR ||
        error_number == ELOOP)
        return AKIDB_OK;
    return ak_local_fail(local, error_number, key, "listing it", err);
}

/* Folders without objects, left by a crash or about to be filled, are the beginning of no key.
 * Calls itself, as deep as keys have parts. */
static akidb_status has_object(const ak_local *local, akidb_folder folder, const char *key,
                               bool *found_out, akidb_error *err)
{
    probe p = {.folders = {.wanted = wanted_in_list, .prefix = ""}};
    akidb_status status = names_read(&p.folders, local, folder, probe_visit, &p, key, err);
    if (status != AKIDB_OK)
        return status;
    const akidb_files *files = local->files;
    for (size_t i = 0; i < p.folders.count && status == AKIDB_OK && !p.found; i++) {
        akidb_folder child;
        bool there;
        status = open_child(local, folder, &p.folders.items[i], key, &child, &there, err);
        if (status != AKIDB_OK || !there)
            continue;
        status = has_object(local, child, key, &p.found, err);
        files->ops->close_folder(files->handle, child);
    }
    names_free(&p.folders);
    *found_out = p.found;
    return status;
}

/* ---- telling --------------------------------------------------------------------------------- */

static akidb_status walk_folder(walk *w, akidb_folder folder, const char *prefix);

static akidb_status tell_prefix(walk *w, akidb_folder folder)
{
    bool found = false;
    akidb_status status = has_object(w->local, folder, w->key, &found, w->err);
    if (status == AKIDB_OK && found)
        tell(w, true, (akidb_object_info){0});
    return status;
}

static akidb_status tell_folder(walk *w, akidb_folder folder, const name *n)
{
    akidb_folder child;
    bool found;
    akidb_status status = open_child(w->local, folder, n, w->key, &child, &found, w->err);
    if (status != AKIDB_OK || !found)
        return status;
    status = w->delimited ? tell_prefix(w, child) : walk_folder(w, child, "");
    w->local->files->ops->close_folder(w->local->files->handle, child);
    return status;
}

/* Tells what the folder holds whose key, with '/' at its end, is in w->key: names that begin with
 * `prefix`. Calls itself, as deep as keys have parts. */
static akidb_status walk_folder(walk *w, akidb_folder folder, const char *prefix)
{
    names n = {.wanted = wanted_in_list, .prefix = prefix};
    akidb_status status = names_read(&n, w->local, folder, names_add, &n, w->key, w->err);
    if (status != AKIDB_OK)
        return status;
    size_t size = w->size;
    for (size_t i = 0; i < n.count && status == AKIDB_OK && !w->stopped; i++) {
        if (!key_push(w, &n.items[i]))
            continue;
        status = n.items[i].kind == AKIDB_FILE_FOLDER ? tell_folder(w, folder, &n.items[i])
                                                      : tell_file(w, folder, &n.items[i]);
        key_cut(w, size);
    }
    names_free(&n);
    return status;
}

akidb_status ak_local_list(void *handle, const char *prefix, char delimiter,
                           akidb_list_visitor *visitor, void *context, akidb_error *err)
{
    walk w = {.local = handle,
              .delimited = delimiter != '\0',
              .visitor = visitor,
              .context = context,
              .err = err};
    const char *slash = strrchr(prefix, '/');
    size_t size = slash == NULL ? 0 : (size_t)(slash + 1 - prefix);
    if (size > AKIDB_KEY_MAX)
        return AKIDB_OK;
    memcpy(w.key, prefix, size);
    key_cut(&w, size == 0 ? 0 : size - 1);
    if (size > 0 && ak_key_check(w.key, NULL) != AKIDB_OK)
        return AKIDB_OK; /* no key can begin like this */
    if (size > 0)
        w.key[w.size++] = '/'; /* the NUL after it is there: the array began as zeros */

    akidb_folder folder;
    const char *rest;
    int error_number = ak_local_open_parent(w.local, w.key, &folder, &rest);
    if (error_number == ENOENT || error_number == ENOTDIR || error_number == ELOOP)
        return AKIDB_OK;
    if (error_number != 0)
        return ak_local_fail(w.local, error_number, prefix, "listing it", err);
    akidb_status status = walk_folder(&w, folder, prefix + size);
    w.local->files->ops->close_folder(w.local->files->handle, folder);
    return status;
}

/* ---- leftovers ------------------------------------------------------------------------------- */

typedef struct sweep {
    const ak_local *local;
    int64_t before;
    bool dry_run;
    uint64_t count;
    uint64_t bytes;
    akidb_error *err;
} sweep;

static bool is_temporary(const char *text)
{
    return strncmp(text, AK_TEMPORARY_PREFIX, strlen(AK_TEMPORARY_PREFIX)) == 0;
}

static bool wanted_in_sweep(const char *text, akidb_file_kind kind, const char *prefix)
{
    if (kind == AKIDB_FILE_FOLDER)
        return wanted_in_list(text, kind, prefix);
    return kind == AKIDB_FILE_REGULAR && is_temporary(text);
}

/* Counts and removes a temporary file, unless it is young; *removed_out only ever becomes true,
 * here and below. */
static akidb_status sweep_file(sweep *s, akidb_folder folder, const char *text, bool *removed_out)
{
    const akidb_files *files = s->local->files;
    akidb_file_info info;
    int error_number = files->ops->stat(files->handle, folder, text, &info);
    if (error_number == 0 && info.modified_at >= s->before)
        return AKIDB_OK;
    if (error_number == 0 && !s->dry_run) {
        error_number = files->ops->unlink(files->handle, folder, text);
        *removed_out = *removed_out || error_number == 0;
    }
    if (error_number == ENOENT)
        return AKIDB_OK; /* its upload has just ended */
    if (error_number != 0)
        return ak_local_fail(s->local, error_number, text, "removing it", s->err);
    s->count++;
    s->bytes += info.size;
    return AKIDB_OK;
}

static akidb_status sweep_folder(sweep *s, akidb_folder folder, bool *removed_out);

/* A folder that has become empty by this goes too: a put that finds its folder gone makes it again.
 * One that was empty before stays, for it may be anybody's: the root may hold more than a store. */
static akidb_status sweep_child(sweep *s, akidb_folder folder, const name *n, bool *removed_out)
{
    const akidb_files *files = s->local->files;
    akidb_folder child;
    bool found;
    akidb_status status = open_child(s->local, folder, n, n->at.text, &child, &found, s->err);
    if (status != AKIDB_OK || !found)
        return status;
    bool removed = false;
    status = sweep_folder(s, child, &removed);
    files->ops->close_folder(files->handle, child);
    if (status == AKIDB_OK && removed &&
        files->ops->remove_folder(files->handle, folder, n->at.text) == 0)
        *removed_out = true;
    return status;
}

static akidb_status sweep_folder(sweep *s, akidb_folder folder, bool *removed_out)
{
    names n = {.wanted = wanted_in_sweep, .prefix = ""};
    akidb_status status = names_read(&n, s->local, folder, names_add, &n, "", s->err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < n.count && status == AKIDB_OK; i++)
        status = n.items[i].kind == AKIDB_FILE_FOLDER
                     ? sweep_child(s, folder, &n.items[i], removed_out)
                     : sweep_file(s, folder, n.items[i].at.text, removed_out);
    names_free(&n);
    if (!*removed_out)
        return status;
    int error_number = s->local->files->ops->sync_folder(s->local->files->handle, folder);
    if (status == AKIDB_OK && error_number != 0)
        status = ak_local_fail(s->local, error_number, "", "removing leftovers", s->err);
    return status;
}

akidb_status ak_local_remove_leftovers(void *handle, int64_t before, bool dry_run,
                                       uint64_t *count_out, uint64_t *bytes_out, akidb_error *err)
{
    sweep s = {.local = handle, .before = before, .dry_run = dry_run, .err = err};
    akidb_folder root;
    int error_number = ak_local_open_root(s.local, &root);
    if (error_number == ENOENT)
        return AKIDB_OK;
    if (error_number != 0)
        return ak_local_fail(s.local, error_number, "", "looking for leftovers", err);
    bool removed = false;
    akidb_status status = sweep_folder(&s, root, &removed);
    s.local->files->ops->close_folder(s.local->files->handle, root);
    *count_out = s.count;
    *bytes_out = s.bytes;
    return status;
}
