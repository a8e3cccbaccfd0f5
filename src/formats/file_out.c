#include "formats/file_out.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "os/random.h"
#include "os/temporary.h"

enum { GATHER_BYTES = 1 << 20, TAKEN_NAMES_MAX = 100 };

struct ak_file_out {
    char *path;
    char *folder;    /* of the path; "." when it has none; NULL on standard output */
    char *temporary; /* path of the file while it is written; NULL when there is none */
    int fd;
    bool is_standard;
    akidb_buffer gathered; /* not written yet */
};

static void free_out(ak_file_out *out)
{
    if (out->fd >= 0 && !out->is_standard)
        close(out->fd);
    if (out->temporary != NULL)
        unlink(out->temporary);
    akidb_buffer_free(&out->gathered);
    free(out->temporary);
    free(out->folder);
    free(out->path);
    free(out);
}

/* ---- open ------------------------------------------------------------------------------------ */

static akidb_status check_target(const char *path, akidb_error *err)
{
    struct stat info;
    size_t length = strlen(path);
    if (length == 0 || path[length - 1] == '/')
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(path), "expected the name of a file");
    if (stat(path, &info) != 0)
        return errno == ENOENT ? AKIDB_OK : ak_fail_errno(err, errno, path, "cannot be written");
    if (!S_ISREG(info.st_mode))
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(path),
                          "expected a regular file or none, found %s",
                          S_ISDIR(info.st_mode) ? "a folder" : "something else");
    return AKIDB_OK;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* A name in the same folder, so that the rename stays within one file system. */
static akidb_status make_temporary(ak_file_out *out, akidb_error *err)
{
    size_t size = strlen(out->path) + 32;
    char *name = malloc(size);
    if (name == NULL)
        return ak_fail_memory(err, size);
    const char *slash = strrchr(out->path, '/');
    int before = slash == NULL ? 0 : (int)(slash + 1 - out->path);
    for (int i = 0; i < TAKEN_NAMES_MAX; i++) {
        uint64_t random;
        akidb_status status = ak_random_bytes(&random, sizeof random, err);
        if (status != AKIDB_OK) {
            free(name);
            return status;
        }
        snprintf(name, size, "%.*s.akidb-%016llx.tmp", before, out->path,
                 (unsigned long long)random);
        out->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (out->fd >= 0) {
            out->temporary = name;
            return AKIDB_OK;
        }
        if (errno != EEXIST)
            break;
    }
    int reason = errno;
    free(name);
    return ak_fail_errno(err, reason, out->path, "cannot be written");
}

akidb_status ak_file_out_open(const char *path, ak_file_out **out_out, akidb_error *err)
{
    *out_out = NULL;
    bool is_standard = strcmp(path, "-") == 0;
    akidb_status status = is_standard ? AKIDB_OK : check_target(path, err);
    if (status != AKIDB_OK)
        return status;
    ak_file_out *out = calloc(1, sizeof *out);
    if (out == NULL)
        return ak_fail_memory(err, sizeof *out);
    out->fd = is_standard ? STDOUT_FILENO : -1;
    out->is_standard = is_standard;
    out->path = strdup(is_standard ? "standard output" : path);
    out->folder = folder_of(path);
    if (out->path == NULL || out->folder == NULL)
        status = ak_fail_memory(err, strlen(path) + 1);
    else if (!is_standard)
        status = make_temporary(out, err);
    if (status != AKIDB_OK) {
        free_out(out);
        return status;
    }
    *out_out = out;
    return AKIDB_OK;
}

/* ---- write ----------------------------------------------------------------------------------- */

static akidb_status write_all(ak_file_out *out, const uint8_t *bytes, size_t size, akidb_error *err)
{
    while (size > 0) {
        ssize_t written = write(out->fd, bytes, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ak_fail_errno(err, errno, out->path, "writing %zu bytes", size);
        bytes += written;
        size -= (size_t)written;
    }
    return AKIDB_OK;
}

static akidb_status flush(ak_file_out *out, akidb_error *err)
{
    akidb_status status = write_all(out, out->gathered.data, out->gathered.size, err);
    out->gathered.size = 0;
    return status;
}

akidb_status ak_file_out_write(ak_file_out *out, akidb_slice bytes, akidb_error *err)
{
    if (bytes.size < GATHER_BYTES / 4) {
        akidb_status status = ak_buffer_append(&out->gathered, bytes.data, bytes.size, err);
        if (status != AKIDB_OK || out->gathered.size < GATHER_BYTES)
            return status;
        return flush(out, err);
    }
    akidb_status status = flush(out, err);
    return status != AKIDB_OK ? status : write_all(out, bytes.data, bytes.size, err);
}

akidb_status ak_file_out_patch(ak_file_out *out, akidb_slice bytes, akidb_error *err)
{
    akidb_status status = flush(out, err);
    if (status != AKIDB_OK)
        return status;
    return ak_fd_write_at(out->fd, out->path, 0, bytes.data, bytes.size, err);
}

static akidb_status output_write(void *handle, const akidb_slice *slices, size_t count,
                                 akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; status == AKIDB_OK && i < count; i++)
        status = ak_file_out_write(handle, slices[i], err);
    return status;
}

akidb_output ak_file_out_output(ak_file_out *out)
{
    static const akidb_output_ops ops = {output_write};
    return (akidb_output){&ops, out};
}

/* ---- end ------------------------------------------------------------------------------------- */

static akidb_status sync_folder(const ak_file_out *out, akidb_error *err)
{
    int fd = open(out->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return ak_fail_errno(err, errno, out->folder, "opening the folder to make it durable");
    /* Some file systems cannot sync a folder, and say so by EINVAL. */
    int reason = fsync(fd) != 0 && errno != EINVAL ? errno : 0;
    close(fd);
    return reason == 0 ? AKIDB_OK
                       : ak_fail_errno(err, reason, out->folder, "making the folder durable");
}

static akidb_status finish(ak_file_out *out, akidb_error *err)
{
    akidb_status status = flush(out, err);
    if (status != AKIDB_OK || out->is_standard)
        return status;
    if (fsync(out->fd) != 0)
        return ak_fail_errno(err, errno, out->path, "making the file durable");
    int fd = out->fd;
    out->fd = -1;
    if (close(fd) != 0 && errno != EINTR)
        return ak_fail_errno(err, errno, out->path, "closing the file");
    if (rename(out->temporary, out->path) != 0)
        return ak_fail_errno(err, errno, out->path, "giving the file its name");
    free(out->temporary);
    out->temporary = NULL;
    return sync_folder(out, err);
}

akidb_status ak_file_out_commit(ak_file_out *out, akidb_error *err)
{
    akidb_status status = finish(out, err);
    free_out(out);
    return status;
}

void ak_file_out_abort(ak_file_out *out)
{
    if (out != NULL)
        free_out(out);
}
