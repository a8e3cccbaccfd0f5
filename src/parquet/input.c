#include "akidb/sys/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"

akidb_status akidb_input_read_at(const akidb_input *input, uint64_t offset, void *dst, size_t size,
                                 akidb_error *err)
{
    if (!ak_range_fits(offset, size, input->size)) {
        memset(dst, 0, size);
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(input->name),
                          "expected %zu bytes from byte %llu on, found an end at byte %llu", size,
                          (unsigned long long)offset, (unsigned long long)input->size);
    }
    return size == 0 ? AKIDB_OK : input->ops->read_at(input->handle, offset, dst, size, err);
}

void akidb_input_close(akidb_input *input)
{
    if (input == NULL)
        return;
    if (input->ops != NULL && input->ops->close != NULL)
        input->ops->close(input->handle);
    *input = (akidb_input){0};
}

/* ---- memory ---------------------------------------------------------------------------------- */

static akidb_status memory_read_at(void *handle, uint64_t offset, void *dst, size_t size,
                                   akidb_error *err)
{
    (void)err;
    memcpy(dst, (const uint8_t *)handle + offset, size);
    return AKIDB_OK;
}

akidb_input akidb_input_from_memory(akidb_slice bytes, const char *name)
{
    static const akidb_input_ops ops = {memory_read_at, NULL};
    /* The handle is only ever read through. */
    return (akidb_input){&ops, (void *)(uintptr_t)bytes.data, bytes.size,
                         name == NULL ? "memory" : name};
}

/* ---- a file ---------------------------------------------------------------------------------- */

typedef struct file_input {
    int fd;
    char path[];
} file_input;

static akidb_status file_read_at(void *handle, uint64_t offset, void *dst, size_t size,
                                 akidb_error *err)
{
    const file_input *file = handle;
    uint8_t *to = dst;
    while (size > 0) {
        ssize_t got = pread(file->fd, to, size, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ak_fail_errno(err, errno, file->path, "read at byte %llu",
                                 (unsigned long long)offset);
        if (got == 0)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(file->path, offset),
                              "expected %zu more bytes, found the end: the file became shorter",
                              size);
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return AKIDB_OK;
}

static void file_close(void *handle)
{
    file_input *file = handle;
    close(file->fd);
    free(file);
}

static akidb_status check_regular(int fd, const char *path, uint64_t *size_out, akidb_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return ak_fail_errno(err, errno, path, "stat");
    if (!S_ISREG(st.st_mode))
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(path), "expected a regular file, found %s",
                          S_ISDIR(st.st_mode) ? "a folder" : "something else");
    *size_out = (uint64_t)st.st_size;
    return AKIDB_OK;
}

akidb_status akidb_input_open_file(const char *path, akidb_input *input_out, akidb_error *err)
{
    static const akidb_input_ops ops = {file_read_at, file_close};
    *input_out = (akidb_input){0};
    /* Without O_NONBLOCK a FIFO would hang here; for a regular file it means nothing. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return ak_fail_errno(err, errno, path, "cannot be opened");
    uint64_t size;
    akidb_status status = check_regular(fd, path, &size, err);
    size_t path_size = strlen(path) + 1;
    file_input *file = status == AKIDB_OK ? malloc(sizeof *file + path_size) : NULL;
    if (file == NULL) {
        close(fd);
        return status != AKIDB_OK ? status : ak_fail_memory(err, sizeof *file + path_size);
    }
    file->fd = fd;
    memcpy(file->path, path, path_size);
    *input_out = (akidb_input){&ops, file, size, file->path};
    return AKIDB_OK;
}
