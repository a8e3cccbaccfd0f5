#include "wal/segment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "os/path.h"

/* ---- failures -------------------------------------------------------------------------------- */

/* "folder/name", cut if it must be. */
typedef struct full_name {
    char text[1024];
} full_name;

static full_name full_name_of(const ak_wal_folder *folder, const char *name)
{
    full_name full;
    if (name == NULL)
        snprintf(full.text, sizeof full.text, "%s", folder->path);
    else
        snprintf(full.text, sizeof full.text, "%s/%s", folder->path, name);
    return full;
}

akidb_status ak_wal_fail_errno(const ak_wal_folder *folder, int error_number, const char *name,
                               const char *doing, akidb_error *err)
{
    full_name full = full_name_of(folder, name);
    akidb_status status = ak_fail_errno(err, error_number, full.text, "%s", doing);
    if (status == AKIDB_E_NOT_FOUND || status == AKIDB_E_ALREADY_EXISTS)
        status = AKIDB_E_IO;
    if (err != NULL)
        err->status = status;
    return status;
}

akidb_status ak_wal_fail_at(const ak_wal_folder *folder, akidb_status status, const char *name,
                            uint64_t offset, akidb_error *err, const char *format, ...)
{
    full_name full = full_name_of(folder, name);
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return ak_fail_at(err, status, AK_AT(full.text, offset), "%s", text);
}

/* ---- the folder ------------------------------------------------------------------------------ */

/* Makes the folder `name` within the folder at `parent`, and its name durable. */
static int make_below(const akidb_files *files, const char *parent, const char *name)
{
    akidb_folder folder;
    int error_number = files->ops->open_root(files->handle, parent, &folder);
    if (error_number != 0)
        return error_number;
    error_number = files->ops->make_folder(files->handle, folder, name);
    if (error_number == 0 || error_number == EEXIST)
        error_number = files->ops->sync_folder(files->handle, folder);
    files->ops->close_folder(files->handle, folder);
    return error_number;
}

/* Makes the folder at an absolute path. What is above it is made first, if it is missing: each `/`
 * that is cut away is put back on the way down. */
static int make_folders(const akidb_files *files, char *path)
{
    size_t size = strlen(path);
    for (;;) {
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            return ENOENT;
        *slash = '\0';
        int error_number = make_below(files, slash == path ? "/" : path, slash + 1);
        if (error_number == ENOENT && slash != path)
            continue; /* its parent is missing: make that first */
        *slash = '/';
        if (error_number != 0)
            return error_number;
        size_t made = strlen(path);
        if (made == size)
            return 0;
        path[made] = '/'; /* one step down, and up again by the loop's strrchr */
    }
}

/* Whoever made the folder may not have come to the sync: done on every open that may make. */
static int sync_name(const akidb_files *files, char *path)
{
    char *slash = strrchr(path, '/');
    if (slash == NULL || slash[1] == '\0')
        return 0;
    akidb_folder parent;
    *slash = '\0';
    int error_number = files->ops->open_root(files->handle, slash == path ? "/" : path, &parent);
    *slash = '/';
    if (error_number == EACCES)
        return 0; /* a folder of others: the log's was not made here */
    if (error_number != 0)
        return error_number;
    error_number = files->ops->sync_folder(files->handle, parent);
    files->ops->close_folder(files->handle, parent);
    return error_number;
}

akidb_status ak_wal_folder_open(const akidb_files *files, const char *path, bool make,
                                ak_wal_folder *folder_out, akidb_error *err)
{
    *folder_out = (ak_wal_folder){.files = files};
    akidb_status status = ak_path_absolute(path, &folder_out->path, err);
    if (status != AKIDB_OK)
        return status;
    path = folder_out->path;
    int error_number = files->ops->open_root(files->handle, path, &folder_out->folder);
    if (error_number == ENOENT && make) {
        error_number = make_folders(files, folder_out->path);
        if (error_number == 0)
            error_number = files->ops->open_root(files->handle, path, &folder_out->folder);
    }
    if (error_number == 0 && make) {
        error_number = sync_name(files, folder_out->path);
        if (error_number != 0)
            files->ops->close_folder(files->handle, folder_out->folder);
    }
    if (error_number == 0)
        return AKIDB_OK;
    status = ak_fail_errno(err, error_number, path, "opening the folder of the log");
    free(folder_out->path);
    *folder_out = (ak_wal_folder){0};
    return status;
}

void ak_wal_folder_close(ak_wal_folder *folder)
{
    if (folder->path == NULL)
        return;
    folder->files->ops->close_folder(folder->files->handle, folder->folder);
    free(folder->path);
    *folder = (ak_wal_folder){0};
}

/* ---- names ----------------------------------------------------------------------------------- */

static const char segment_suffix[] = ".wal";
enum { NUMBER_DIGITS = 20 };

void ak_wal_segment_name(uint64_t number, char name_out[AK_WAL_NAME_SIZE])
{
    snprintf(name_out, AK_WAL_NAME_SIZE, "%020llu%s", (unsigned long long)number, segment_suffix);
}

static bool parse_segment_name(const char *name, uint64_t *number_out)
{
    if (strlen(name) != NUMBER_DIGITS + strlen(segment_suffix) ||
        strcmp(name + NUMBER_DIGITS, segment_suffix) != 0)
        return false;
    uint64_t number = 0;
    for (int i = 0; i < NUMBER_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return false;
        if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, (uint64_t)(name[i] - '0'), &number))
            return false;
    }
    *number_out = number;
    return number != 0 && number < UINT64_MAX;
}

akidb_status ak_wal_free_name(const ak_wal_folder *folder, const char *stem, const char *suffix,
                              char name_out[AK_WAL_NAME_SIZE], akidb_error *err)
{
    enum { TRIES = 10000 };
    const akidb_files *files = folder->files;
    for (int i = 1; i < TRIES; i++) {
        if (i == 1)
            snprintf(name_out, AK_WAL_NAME_SIZE, "%s%s", stem, suffix);
        else
            snprintf(name_out, AK_WAL_NAME_SIZE, "%s-%d%s", stem, i, suffix);
        akidb_file_info info;
        int error_number = files->ops->stat(files->handle, folder->folder, name_out, &info);
        if (error_number == ENOENT)
            return AKIDB_OK;
        if (error_number != 0)
            return ak_wal_fail_errno(folder, error_number, name_out, "looking for a free name",
                                     err);
    }
    return ak_wal_fail_errno(folder, EEXIST, name_out, "looking for a free name", err);
}

/* ---- lists ----------------------------------------------------------------------------------- */

typedef struct listing {
    ak_wal_segment *segments;
    size_t count;
    size_t capacity;
    akidb_buffer temporary; /* names, each with its NUL */
    akidb_status status;
    akidb_error *err;
} listing;

static bool list_name(void *context, const char *name, akidb_file_kind kind)
{
    listing *l = context;
    uint64_t number;
    size_t size = strlen(name);
    size_t suffix = strlen(AK_WAL_TEMPORARY);
    if (kind == AKIDB_FILE_FOLDER)
        return true;
    if (parse_segment_name(name, &number)) {
        l->status = ak_array_reserve((void **)&l->segments, &l->capacity, l->count + 1,
                                     sizeof *l->segments, l->err);
        if (l->status == AKIDB_OK)
            l->segments[l->count++] = (ak_wal_segment){.number = number};
    } else if (size > suffix && strcmp(name + size - suffix, AK_WAL_TEMPORARY) == 0) {
        l->status = ak_buffer_append(&l->temporary, name, size + 1, l->err);
    }
    return l->status == AKIDB_OK;
}

static akidb_status list_folder(const ak_wal_folder *folder, listing *l, akidb_error *err)
{
    *l = (listing){.err = err};
    const akidb_files *files = folder->files;
    int error_number = files->ops->list(files->handle, folder->folder, list_name, l);
    if (l->status == AKIDB_OK && error_number != 0)
        l->status = ak_wal_fail_errno(folder, error_number, NULL, "listing the log", err);
    return l->status;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = ((const ak_wal_segment *)a)->number;
    uint64_t y = ((const ak_wal_segment *)b)->number;
    return (x > y) - (x < y);
}

static akidb_status read_head(const ak_wal_folder *folder, ak_wal_segment *segment,
                              akidb_error *err)
{
    const akidb_files *files = folder->files;
    char name[AK_WAL_NAME_SIZE];
    ak_wal_segment_name(segment->number, name);
    akidb_file file;
    int error_number =
        files->ops->open_file(files->handle, folder->folder, name, AKIDB_FILE_READ, &file);
    if (error_number != 0)
        return ak_wal_fail_errno(folder, error_number, name, "opening the segment", err);
    uint8_t head[AK_WAL_SEGMENT_HEAD];
    size_t found = 0;
    akidb_file_info info;
    error_number = files->ops->file_info(files->handle, file, &info);
    if (error_number == 0)
        error_number = files->ops->read_at(files->handle, file, 0, head, sizeof head, &found);
    (void)files->ops->close_file(files->handle, file); /* it was only read */
    if (error_number != 0)
        return ak_wal_fail_errno(folder, error_number, name, "reading the segment", err);
    segment->size = info.size;
    segment->state = AK_WAL_HEAD_BAD;
    if (found == sizeof head)
        segment->state = ak_wal_segment_head_read(head, &segment->head, &segment->version);
    segment->first_lsn = segment->head.first_lsn;
    return AKIDB_OK;
}

akidb_status ak_wal_segments_list(const ak_wal_folder *folder, ak_wal_segment **segments_out,
                                  size_t *count_out, akidb_error *err)
{
    *segments_out = NULL;
    *count_out = 0;
    listing l;
    akidb_status status = list_folder(folder, &l, err);
    akidb_buffer_free(&l.temporary);
    if (status == AKIDB_OK && l.count > 0)
        qsort(l.segments, l.count, sizeof *l.segments, compare_numbers);
    for (size_t i = 0; i < l.count && status == AKIDB_OK; i++)
        status = read_head(folder, &l.segments[i], err);
    if (status != AKIDB_OK) {
        free(l.segments);
        return status;
    }
    *segments_out = l.segments;
    *count_out = l.count;
    return AKIDB_OK;
}

akidb_status ak_wal_remove_temporary(const ak_wal_folder *folder, akidb_error *err)
{
    const akidb_files *files = folder->files;
    listing l;
    akidb_status status = list_folder(folder, &l, err);
    free(l.segments);
    const char *name = (const char *)l.temporary.data;
    for (size_t at = 0; at < l.temporary.size && status == AKIDB_OK;) {
        int error_number = files->ops->unlink(files->handle, folder->folder, name + at);
        if (error_number != 0 && error_number != ENOENT)
            status = ak_wal_fail_errno(folder, error_number, name + at, "removing a leftover", err);
        at += strlen(name + at) + 1;
    }
    akidb_buffer_free(&l.temporary);
    return status;
}

/* ---- a file for a segment to come ------------------------------------------------------------ */

akidb_status ak_wal_spare_make(const ak_wal_folder *folder, const char *name, uint64_t size,
                               akidb_file *file_out, akidb_error *err)
{
    const akidb_files *files = folder->files;
    int error_number =
        files->ops->open_file(files->handle, folder->folder, name, AKIDB_FILE_CREATE, file_out);
    if (error_number != 0)
        return ak_wal_fail_errno(folder, error_number, name, "making a segment", err);
    error_number = EOPNOTSUPP;
    if (files->ops->allocate != NULL)
        error_number = files->ops->allocate(files->handle, *file_out, size);
    if (error_number == EOPNOTSUPP || error_number == EINVAL || error_number == ENOSYS)
        error_number = files->ops->truncate(files->handle, *file_out, size);
    if (error_number == 0)
        return AKIDB_OK;
    (void)files->ops->close_file(files->handle, *file_out); /* it goes */
    (void)files->ops->unlink(files->handle, folder->folder, name);
    char doing[96];
    snprintf(doing, sizeof doing,
             "making room for a segment of %" PRIu64 " bytes (wal_segment_bytes)", size);
    return ak_wal_fail_errno(folder, error_number, name, doing, err);
}
