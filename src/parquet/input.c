#include "akidb/sys/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/error.h"

static akidb_status past_the_end(const akidb_input *input, uint64_t offset, size_t size,
                                 akidb_error *err)
{
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(input->name),
                      "expected %zu bytes from byte %llu on, found an end at byte %llu", size,
                      (unsigned long long)offset, (unsigned long long)input->size);
}

akidb_status akidb_input_read_at(const akidb_input *input, uint64_t offset, void *dst, size_t size,
                                 akidb_error *err)
{
    if (!ak_range_fits(offset, size, input->size)) {
        memset(dst, 0, size);
        return past_the_end(input, offset, size, err);
    }
    return size == 0 ? AKIDB_OK : input->ops->read_at(input->handle, offset, dst, size, err);
}

/* None of the pieces is empty. */
static akidb_status read_filled(const akidb_input *input, uint64_t offset,
                                const akidb_piece *pieces, size_t count, akidb_error *err)
{
    if (count > 1 && input->ops->read_pieces != NULL)
        return input->ops->read_pieces(input->handle, offset, pieces, count, err);
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; status == AKIDB_OK && i < count; i++) {
        status = input->ops->read_at(input->handle, offset, pieces[i].data, pieces[i].size, err);
        offset += pieces[i].size;
    }
    return status;
}

akidb_status akidb_input_read_pieces(const akidb_input *input, uint64_t offset,
                                     const akidb_piece *pieces, size_t count, akidb_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        if (!ak_add_size(total, pieces[i].size, &total))
            return past_the_end(input, offset, SIZE_MAX, err);
    if (!ak_range_fits(offset, total, input->size))
        return past_the_end(input, offset, total, err);
    /* Runs of pieces between empty ones, so that no implementation meets those. */
    akidb_status status = AKIDB_OK;
    for (size_t first = 0; status == AKIDB_OK && first < count;) {
        size_t end = first, size = 0;
        while (end < count && pieces[end].size > 0)
            size += pieces[end++].size;
        status = read_filled(input, offset, pieces + first, end - first, err);
        offset += size;
        first = end + 1;
    }
    return status;
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
    static const akidb_input_ops ops = {.read_at = memory_read_at, .is_near = true};
    /* The handle is only ever read through. */
    return (akidb_input){&ops, (void *)(uintptr_t)bytes.data, bytes.size,
                         name == NULL ? "memory" : name};
}

/* ---- a file ---------------------------------------------------------------------------------- */

typedef struct file_input {
    int fd;
    char path[];
} file_input;

static akidb_status became_shorter(const file_input *file, uint64_t offset, akidb_error *err)
{
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(file->path, offset),
                      "expected more bytes, found the end: the file became shorter");
}

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
            return became_shorter(file, offset, err);
        to += got;
        offset += (uint64_t)got;
        size -= (size_t)got;
    }
    return AKIDB_OK;
}

/* What is left of up to so many pieces from number `first` on, of which `skip` bytes are there. */
static size_t fill_vector(struct iovec *vector, size_t room, const akidb_piece *pieces,
                          size_t count, size_t skip)
{
    size_t used = count < room ? count : room;
    for (size_t i = 0; i < used; i++)
        vector[i] = (struct iovec){pieces[i].data, pieces[i].size};
    vector[0].iov_base = (uint8_t *)vector[0].iov_base + skip;
    vector[0].iov_len -= skip;
    return used;
}

static akidb_status file_read_pieces(void *handle, uint64_t offset, const akidb_piece *pieces,
                                     size_t count, akidb_error *err)
{
    enum { ROOM = 64 };
    const file_input *file = handle;
    size_t skip = 0; /* bytes of the first piece that are there */
    while (count > 0) {
        struct iovec vector[ROOM];
        size_t used = fill_vector(vector, ROOM, pieces, count, skip);
        ssize_t got = preadv(file->fd, vector, (int)used, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ak_fail_errno(err, errno, file->path, "read at byte %llu",
                                 (unsigned long long)offset);
        if (got == 0)
            return became_shorter(file, offset, err);
        offset += (uint64_t)got;
        skip += (size_t)got;
        for (; count > 0 && skip >= pieces->size; pieces++, count--)
            skip -= pieces->size;
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
    static const akidb_input_ops ops = {.read_at = file_read_at,
                                        .close = file_close,
                                        .read_pieces = file_read_pieces,
                                        .is_near = true};
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
