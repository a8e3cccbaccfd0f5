/*
 * Store on a local disk: the object of key "a/b/c" is the file a/b/c below the root.
 *
 *   Put       The bytes go into a temporary file in the folder of the key and are synced (fsync,
 *             not fdatasync: its size is new). Then the file gets the key's name, by rename or, if
 *             the key must be absent, by link, which fails when the name is taken; then the folder
 *             is synced. Only then is the put reported. The folders on the way were synced before,
 *             each after the next was seen in it; a folder that holds a temporary file cannot be
 *             removed.
 *   Failure   Before the name is given, the temporary file is removed and nothing has happened. A
 *             failed sync of a file is never tried again, since a second one proves nothing. When
 *             only the sync of the folder failed, the object is there but may not last:
 *             AKIDB_E_UNCERTAIN.
 *   Exists    "Already exists" and a delete of what is gone sync the folder too: the answer must
 *             not rest on what another caller has not made durable yet. Once the sync of a folder
 *             has failed, "already exists" is AKIDB_E_UNCERTAIN for this handle.
 *   Delete    Unlink, and a sync of the folder that was open before it. Folders that have become
 *             empty are removed when possible; a put that finds its folder gone makes it again.
 *   Names     No step follows a symbolic link, so no key leads out of the root. What is neither a
 *             regular file nor a folder is not listed, and reading it is AKIDB_E_PERMISSION.
 *   Conflict  A disk cannot hold "a" and "a/b" at once: the later put is AKIDB_E_VALIDATION.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "os/path.h"
#include "os/random.h"
#include "store/keys.h"
#include "store/local.h"
#include "store/uri.h"

/* ---- failures -------------------------------------------------------------------------------- */

static akidb_status fail_special(const ak_local *local, int error_number, const char *key,
                                 akidb_error *err)
{
    if (error_number == AK_ROOT_IS_NO_FOLDER)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key), "%s is not a folder", local->root);
    if (error_number == ELOOP)
        return ak_fail_at(err, AKIDB_E_PERMISSION, AK_IN(key),
                          "a symbolic link stands in the way below %s, and none is followed",
                          local->root);
    if (error_number == AK_NOT_REGULAR)
        return ak_fail_at(err, AKIDB_E_PERMISSION, AK_IN(key), "not a regular file below %s",
                          local->root);
    return AKIDB_OK;
}

akidb_status ak_local_fail(const ak_local *local, int error_number, const char *key,
                           const char *doing, akidb_error *err)
{
    if (key[0] == '\0')
        key = NULL;
    akidb_status status = fail_special(local, error_number, key, err);
    if (status != AKIDB_OK)
        return status;
    if (error_number == ENOENT || error_number == ENOTDIR || error_number == EISDIR)
        return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(key), "there is no such object below %s",
                          local->root);
    return ak_fail_errno(err, error_number, key, "%s below %s", doing, local->root);
}

static akidb_status fail_write(const ak_local *local, int error_number, const char *key,
                               akidb_error *err)
{
    akidb_status status = fail_special(local, error_number, key, err);
    if (status != AKIDB_OK)
        return status;
    if (error_number == ENOTDIR || error_number == EISDIR)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key),
                          "%s below %s, and a disk cannot hold both",
                          error_number == EISDIR ? "there are keys that begin with this key and '/'"
                                                 : "the beginning of the key up to a '/' is a key",
                          local->root);
    /* These would say something else of a key than is meant: another program is at work here. */
    if (error_number == ENOENT || error_number == EEXIST)
        return ak_fail_at(err, AKIDB_E_IO, AK_IN(key),
                          "storing it below %s: its folder or temporary file %s", local->root,
                          error_number == ENOENT ? "cannot be made, or was removed meanwhile"
                                                 : "was made meanwhile");
    return ak_fail_errno(err, error_number, key, "storing it below %s", local->root);
}

/* What was done can be seen, but the sync that would make it last failed. */
static akidb_status fail_uncertain(const ak_local *local, int error_number, const char *key,
                                   const char *done, akidb_error *err)
{
    ak_fail_errno(err, error_number, key, "%s below %s, but a crash may undo that", done,
                  local->root);
    if (err != NULL)
        err->status = AKIDB_E_UNCERTAIN;
    return AKIDB_E_UNCERTAIN;
}

/* ---- writing: an object on its way ----------------------------------------------------------- */

typedef struct draft {
    akidb_folder folder;
    akidb_file file;
    uint64_t size;    /* bytes written so far */
    uint64_t started; /* of them, those that the system has been told to carry to the disk */
    akidb_put_mode mode;
    const char *name;                                    /* last part of key */
    char temporary[sizeof AK_TEMPORARY_PREFIX + 2 * 16]; /* the name until it has that one */
    char key[AKIDB_KEY_MAX + 1];
} draft;

static akidb_status name_temporary(draft *d, akidb_error *err)
{
    uint8_t random[16];
    akidb_status status = ak_random_bytes(random, sizeof random, err);
    if (status != AKIDB_OK)
        return status;
    size_t used = strlen(AK_TEMPORARY_PREFIX);
    memcpy(d->temporary, AK_TEMPORARY_PREFIX, used);
    for (size_t i = 0; i < sizeof random; i++, used += 2)
        snprintf(d->temporary + used, sizeof d->temporary - used, "%02x", random[i]);
    return AKIDB_OK;
}

/* A delete elsewhere may remove the folder, when it is empty, between two steps: then again. The
 * bound is for a disk that says ENOENT for another reason. */
static int open_temporary(ak_local *local, draft *d)
{
    const akidb_files *files = local->files;
    enum { TRIES = 100 };
    int error_number = ENOENT;
    for (int i = 0; i < TRIES && error_number == ENOENT; i++) {
        error_number = ak_local_make_parent(local, d->key, &d->folder, &d->name);
        if (error_number != 0)
            continue;
        error_number = files->ops->open_file(files->handle, d->folder, d->temporary,
                                             AKIDB_FILE_CREATE, &d->file);
        if (error_number != 0)
            files->ops->close_folder(files->handle, d->folder);
    }
    return error_number;
}

static akidb_status draft_begin(ak_local *local, const char *key, akidb_put_mode mode, draft *d,
                                akidb_error *err)
{
    *d = (draft){.mode = mode};
    memcpy(d->key, key, strlen(key) + 1);
    akidb_status status = name_temporary(d, err);
    if (status != AKIDB_OK)
        return status;
    int error_number = open_temporary(local, d);
    if (error_number == 0)
        return AKIDB_OK;
    ak_local_prune(local, key); /* folders that were made for nothing */
    return fail_write(local, error_number, key, err);
}

/* The disk works while the next piece is being made, instead of all at once in the sync at the end:
 * docs/decisions has the figures. */
enum { WRITE_PIECE = 8 << 20 };

static void start_writing(const ak_local *local, draft *d)
{
    const akidb_files *files = local->files;
    if (files->ops->start_writing == NULL || d->size - d->started < WRITE_PIECE)
        return;
    files->ops->start_writing(files->handle, d->file, d->started, d->size - d->started);
    d->started = d->size;
}

/* As many slices as make a piece, one at least; *size_out is their size. */
static size_t slices_of_piece(const akidb_slice *slices, size_t count, uint64_t *size_out)
{
    size_t used = 0;
    *size_out = 0;
    while (used < count && *size_out < WRITE_PIECE)
        *size_out += slices[used++].size;
    return used;
}

static akidb_status draft_write(ak_local *local, draft *d, const akidb_slice *slices, size_t count,
                                akidb_error *err)
{
    uint64_t end = d->size;
    for (size_t i = 0; i < count; i++)
        if (!ak_add_u64(end, slices[i].size, &end) || end > INT64_MAX)
            return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(d->key), "no file can be this long");
    const akidb_files *files = local->files;
    while (count > 0) {
        uint64_t size;
        size_t used = slices_of_piece(slices, count, &size);
        int error_number = files->ops->write_at(files->handle, d->file, d->size, slices, used);
        if (error_number != 0)
            return fail_write(local, error_number, d->key, err);
        d->size += size;
        slices += used;
        count -= used;
        start_writing(local, d);
    }
    return AKIDB_OK;
}

/* Ends a draft whose file is closed and has not got its name. */
static void draft_discard(ak_local *local, draft *d)
{
    const akidb_files *files = local->files;
    (void)files->ops->unlink(files->handle, d->folder, d->temporary); /* else it is a leftover */
    files->ops->close_folder(files->handle, d->folder);
    ak_local_prune(local, d->key);
}

static void draft_abort(ak_local *local, draft *d)
{
    (void)local->files->ops->close_file(local->files->handle, d->file); /* nobody wants the bytes */
    draft_discard(local, d);
}

/* Syncs and closes the file: its bytes and size will outlive a power cut. */
static int draft_close(ak_local *local, draft *d)
{
    const akidb_files *files = local->files;
    int sync_error = files->ops->sync_file(files->handle, d->file);
    int close_error = files->ops->close_file(files->handle, d->file);
    return sync_error != 0 ? sync_error : close_error;
}

/* Gives the file the key's name. EEXIST: the key is taken by an object. */
static int give_name(ak_local *local, draft *d)
{
    const akidb_files *files = local->files;
    if (d->mode == AKIDB_PUT_ALWAYS)
        return files->ops->rename(files->handle, d->folder, d->temporary, d->name);
    int error_number = files->ops->link(files->handle, d->folder, d->temporary, d->name);
    if (error_number == 0) {
        /* The object is there; a temporary name that cannot be removed is only a leftover. */
        (void)files->ops->unlink(files->handle, d->folder, d->temporary);
        return 0;
    }
    akidb_file_info info;
    if (error_number == EEXIST && files->ops->stat(files->handle, d->folder, d->name, &info) == 0 &&
        info.kind == AKIDB_FILE_FOLDER)
        return EISDIR;
    return error_number;
}

/* As give_name; an empty folder of that name, which no key needs, makes way. */
static int take_name(ak_local *local, draft *d)
{
    const akidb_files *files = local->files;
    int error_number = give_name(local, d);
    if (error_number == EISDIR && files->ops->remove_folder(files->handle, d->folder, d->name) == 0)
        error_number = give_name(local, d);
    return error_number;
}

/* Ends a draft that another object has forestalled. */
static akidb_status fail_exists(ak_local *local, draft *d, akidb_error *err)
{
    const akidb_files *files = local->files;
    int error_number = files->ops->sync_folder(files->handle, d->folder);
    draft_discard(local, d);
    if (error_number != 0)
        return fail_write(local, error_number, d->key, err);
    if (local->doubtful)
        return fail_uncertain(local, EIO, d->key, "the object is there already", err);
    return ak_fail_at(err, AKIDB_E_ALREADY_EXISTS, AK_IN(d->key),
                      "the object is there already below %s", local->root);
}

/* Makes the object visible and durable. The draft is over, whatever the outcome. */
static akidb_status draft_commit(ak_local *local, draft *d, akidb_error *err)
{
    const akidb_files *files = local->files;
    int error_number = draft_close(local, d);
    if (error_number == 0)
        error_number = take_name(local, d);
    if (error_number == EEXIST)
        return fail_exists(local, d, err);
    if (error_number != 0) {
        draft_discard(local, d);
        return fail_write(local, error_number, d->key, err);
    }
    error_number = files->ops->sync_folder(files->handle, d->folder);
    files->ops->close_folder(files->handle, d->folder);
    if (error_number == 0)
        return AKIDB_OK;
    local->doubtful = true;
    return fail_uncertain(local, error_number, d->key, "stored", err);
}

static akidb_status local_put(void *handle, const char *key, const akidb_slice *slices,
                              size_t count, akidb_put_mode mode, akidb_error *err)
{
    draft d;
    akidb_status status = draft_begin(handle, key, mode, &d, err);
    if (status != AKIDB_OK)
        return status;
    status = draft_write(handle, &d, slices, count, err);
    if (status != AKIDB_OK) {
        draft_abort(handle, &d);
        return status;
    }
    return draft_commit(handle, &d, err);
}

static akidb_status local_upload_begin(void *handle, const char *key, akidb_put_mode mode,
                                       void **upload_out, akidb_error *err)
{
    draft *d = malloc(sizeof *d);
    if (d == NULL)
        return ak_fail_memory(err, sizeof *d);
    akidb_status status = draft_begin(handle, key, mode, d, err);
    if (status == AKIDB_OK)
        *upload_out = d;
    else
        free(d);
    return status;
}

static akidb_status local_upload_write(void *handle, void *upload, const akidb_slice *slices,
                                       size_t count, akidb_error *err)
{
    return draft_write(handle, upload, slices, count, err);
}

static akidb_status local_upload_commit(void *handle, void *upload, akidb_error *err)
{
    akidb_status status = draft_commit(handle, upload, err);
    free(upload);
    return status;
}

static void local_upload_abort(void *handle, void *upload)
{
    draft_abort(handle, upload);
    free(upload);
}

/* ---- reading --------------------------------------------------------------------------------- */

/* An open object: the file stays the same version, whatever is put or deleted meanwhile. */
static akidb_status open_object(const ak_local *local, const char *key, akidb_file *file_out,
                                uint64_t *size_out, akidb_error *err)
{
    const akidb_files *files = local->files;
    akidb_folder folder;
    const char *name;
    int error_number = ak_local_open_parent(local, key, &folder, &name);
    if (error_number == 0) {
        error_number =
            files->ops->open_file(files->handle, folder, name, AKIDB_FILE_READ, file_out);
        files->ops->close_folder(files->handle, folder);
        if (error_number == EINVAL)
            error_number = AK_NOT_REGULAR;
    }
    akidb_file_info info;
    if (error_number == 0) {
        error_number = files->ops->file_info(files->handle, *file_out, &info);
        if (error_number == 0) {
            *size_out = info.size;
            return AKIDB_OK;
        }
        (void)files->ops->close_file(files->handle, *file_out);
    }
    return ak_local_fail(local, error_number, key, "opening it", err);
}

static void close_object(const ak_local *local, akidb_file file)
{
    (void)local->files->ops->close_file(local->files->handle, file); /* it was only read */
}

/* Reads exactly `size` bytes, which the file had when it was opened. */
static akidb_status read_exactly(const ak_local *local, const char *key, akidb_file file,
                                 uint64_t offset, void *dst, size_t size, akidb_error *err)
{
    const akidb_files *files = local->files;
    size_t found;
    int error_number = files->ops->read_at(files->handle, file, offset, dst, size, &found);
    if (error_number != 0)
        return ak_local_fail(local, error_number, key, "reading it", err);
    if (found < size)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(key, offset + found),
                          "the file below %s became shorter while it was read", local->root);
    return AKIDB_OK;
}

static akidb_status local_get(void *handle, const char *key, uint64_t max_size,
                              akidb_buffer *buffer_out, akidb_error *err)
{
    const ak_local *local = handle;
    akidb_file file = {0};
    uint64_t size = 0;
    akidb_status status = open_object(local, key, &file, &size, err);
    if (status != AKIDB_OK)
        return status;
    if (size > max_size)
        status = ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(key),
                            "the object has %llu bytes, more than the %llu allowed",
                            (unsigned long long)size, (unsigned long long)max_size);
    else if (size > 0)
        status = ak_buffer_reserve(buffer_out, (size_t)size, err);
    if (status == AKIDB_OK)
        status = read_exactly(local, key, file, 0, buffer_out->data, (size_t)size, err);
    if (status == AKIDB_OK)
        buffer_out->size = (size_t)size;
    close_object(local, file);
    return status;
}

static akidb_status local_get_range(void *handle, const char *key, uint64_t offset, void *dst,
                                    size_t size, size_t *read_out, akidb_error *err)
{
    const ak_local *local = handle;
    akidb_file file = {0};
    uint64_t total = 0;
    akidb_status status = open_object(local, key, &file, &total, err);
    if (status != AKIDB_OK)
        return status;
    uint64_t left = offset < total ? total - offset : 0;
    size_t wanted = size < left ? size : (size_t)left;
    status = read_exactly(local, key, file, offset, dst, wanted, err);
    if (status == AKIDB_OK)
        *read_out = wanted;
    close_object(local, file);
    return status;
}

/* The file is opened once for all of them. */
static akidb_status local_get_pieces(void *handle, const char *key, uint64_t offset,
                                     const akidb_piece *pieces, size_t count, size_t *read_out,
                                     akidb_error *err)
{
    const ak_local *local = handle;
    akidb_file file = {0};
    uint64_t total = 0;
    akidb_status status = open_object(local, key, &file, &total, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < count && status == AKIDB_OK && offset < total; i++) {
        uint64_t left = total - offset;
        size_t wanted = pieces[i].size < left ? pieces[i].size : (size_t)left;
        status = read_exactly(local, key, file, offset, pieces[i].data, wanted, err);
        *read_out += wanted;
        offset += wanted;
    }
    close_object(local, file);
    return status;
}

static akidb_status local_descriptor(void *handle, const char *key, int *descriptor_out,
                                     akidb_error *err)
{
    const ak_local *local = handle;
    if (local->files != akidb_files_system())
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(key),
                          "expected files of the system below %s, found others", local->root);
    akidb_file file = {0};
    uint64_t size;
    akidb_status status = open_object(local, key, &file, &size, err);
    if (status == AKIDB_OK)
        *descriptor_out = file.descriptor;
    return status;
}

static bool local_is_near(const void *handle)
{
    (void)handle;
    return true;
}

static akidb_status local_head(void *handle, const char *key, akidb_object_info *info_out,
                               akidb_error *err)
{
    const ak_local *local = handle;
    const akidb_files *files = local->files;
    akidb_folder folder;
    const char *name;
    akidb_file_info info;
    int error_number = ak_local_open_parent(local, key, &folder, &name);
    if (error_number == 0) {
        error_number = files->ops->stat(files->handle, folder, name, &info);
        files->ops->close_folder(files->handle, folder);
    }
    if (error_number == 0 && info.kind == AKIDB_FILE_FOLDER)
        error_number = EISDIR;
    if (error_number == 0 && info.kind == AKIDB_FILE_OTHER)
        error_number = AK_NOT_REGULAR;
    if (error_number != 0)
        return ak_local_fail(local, error_number, key, "looking at it", err);
    *info_out = (akidb_object_info){info.size, info.modified_at};
    return AKIDB_OK;
}

static akidb_status copy_bytes(ak_local *local, akidb_file from, const char *from_key,
                               uint64_t size, draft *to, akidb_error *err)
{
    enum { PIECE = 1 << 20 };
    size_t piece = size < PIECE ? (size_t)size : PIECE;
    void *bytes = malloc(piece == 0 ? 1 : piece);
    if (bytes == NULL)
        return ak_fail_memory(err, piece);
    akidb_status status = AKIDB_OK;
    while (to->size < size && status == AKIDB_OK) {
        uint64_t left = size - to->size;
        akidb_slice slice = {bytes, left < piece ? (size_t)left : piece};
        status = read_exactly(local, from_key, from, to->size, bytes, slice.size, err);
        if (status == AKIDB_OK)
            status = draft_write(local, to, &slice, 1, err);
    }
    free(bytes);
    return status;
}

static akidb_status local_copy(void *handle, const char *from_key, const char *to_key,
                               akidb_put_mode mode, akidb_error *err)
{
    ak_local *local = handle;
    akidb_file from = {0};
    uint64_t size = 0;
    akidb_status status = open_object(local, from_key, &from, &size, err);
    if (status != AKIDB_OK)
        return status;
    draft to;
    status = draft_begin(local, to_key, mode, &to, err);
    if (status == AKIDB_OK) {
        status = copy_bytes(local, from, from_key, size, &to, err);
        if (status == AKIDB_OK)
            status = draft_commit(local, &to, err);
        else
            draft_abort(local, &to);
    }
    close_object(local, from);
    return status;
}

/* ---- deleting -------------------------------------------------------------------------------- */

static bool is_absent(int error_number)
{
    return error_number == ENOENT || error_number == ENOTDIR || error_number == EISDIR;
}

/* Unlinks the name; *gone_out says whether it was an object's. */
static int unlink_object(const ak_local *local, akidb_folder folder, const char *name,
                         bool *gone_out)
{
    const akidb_files *files = local->files;
    int error_number = files->ops->unlink(files->handle, folder, name);
    *gone_out = error_number == 0;
    akidb_file_info info;
    if (error_number == EPERM && files->ops->stat(files->handle, folder, name, &info) == 0 &&
        info.kind == AKIDB_FILE_FOLDER)
        return EISDIR; /* what some systems mean by EPERM */
    return error_number;
}

static akidb_status local_remove(void *handle, const char *key, akidb_error *err)
{
    const ak_local *local = handle;
    const akidb_files *files = local->files;
    akidb_folder folder;
    const char *name;
    bool gone = false;
    int error_number = ak_local_open_parent(local, key, &folder, &name);
    if (error_number == 0) {
        error_number = unlink_object(local, folder, name, &gone);
        if (error_number == 0 || is_absent(error_number))
            error_number = files->ops->sync_folder(files->handle, folder);
        files->ops->close_folder(files->handle, folder);
    } else if (is_absent(error_number)) {
        error_number = ak_local_sync_deepest(local, key);
        if (is_absent(error_number))
            error_number = 0; /* no root, or an object where a folder would have to be */
    }
    if (error_number != 0 && gone)
        return fail_uncertain(local, error_number, key, "deleted", err);
    if (error_number != 0)
        return ak_local_fail(local, error_number, key, "deleting it", err);
    if (gone)
        ak_local_prune(local, key);
    return AKIDB_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void local_close(void *handle)
{
    ak_local *local = handle;
    free(local->root);
    free(local);
}

static const akidb_store_ops local_ops = {
    .put = local_put,
    .get = local_get,
    .get_range = local_get_range,
    .get_pieces = local_get_pieces,
    .is_near = local_is_near,
    .descriptor = local_descriptor,
    .head = local_head,
    .remove = local_remove,
    .list = ak_local_list,
    .copy = local_copy,
    .upload_begin = local_upload_begin,
    .upload_write = local_upload_write,
    .upload_commit = local_upload_commit,
    .upload_abort = local_upload_abort,
    .remove_leftovers = ak_local_remove_leftovers,
    .close = local_close,
};

/* A root that is not there is fine; one that is something else is told at once. */
static akidb_status check_root(const ak_local *local, akidb_error *err)
{
    akidb_folder folder;
    int error_number = ak_local_open_root(local, &folder);
    if (error_number == 0)
        local->files->ops->close_folder(local->files->handle, folder);
    if (error_number == 0 || error_number == ENOENT)
        return AKIDB_OK;
    if (error_number == AK_ROOT_IS_NO_FOLDER)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(local->root),
                          "expected a folder for a store, found something else");
    return ak_fail_errno(err, error_number, local->root, "opening the folder of a store");
}

static akidb_status wrap(ak_local *local, akidb_store **store_out, akidb_error *err)
{
    akidb_buffer name = {0};
    akidb_status status = ak_uri_of_path(local->root, &name, err);
    if (status == AKIDB_OK)
        status = akidb_store_new(&local_ops, local, (const char *)name.data, store_out, err);
    akidb_buffer_free(&name);
    return status;
}

akidb_status akidb_store_local_open_with(const char *path, const akidb_files *files,
                                         akidb_store **store_out, akidb_error *err)
{
    *store_out = NULL;
    if (path == NULL || path[0] == '\0')
        return ak_fail(err, AKIDB_E_VALIDATION, "the path of the store's folder is empty");
    ak_local *local = calloc(1, sizeof *local);
    if (local == NULL)
        return ak_fail_memory(err, sizeof *local);
    local->files = files == NULL ? akidb_files_system() : files;
    akidb_status status = ak_path_absolute(path, &local->root, err);
    if (status == AKIDB_OK)
        status = check_root(local, err);
    if (status == AKIDB_OK)
        status = wrap(local, store_out, err);
    if (status != AKIDB_OK)
        local_close(local);
    return status;
}

akidb_status akidb_store_local_open(const char *path, akidb_store **store_out, akidb_error *err)
{
    return akidb_store_local_open_with(path, NULL, store_out, err);
}
