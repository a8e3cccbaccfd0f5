#include "os/temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"

/* For file systems that cannot make a file without a name: it has one for a moment. */
static akidb_status open_and_unlink(const char *folder, int *fd_out, akidb_error *err)
{
    akidb_buffer path = {0};
    akidb_status status = ak_buffer_printf(&path, err, "%s/akidb-XXXXXX", folder);
    if (status != AKIDB_OK)
        return status;
    *fd_out = mkostemp((char *)path.data, O_CLOEXEC); /* mode 0600 */
    if (*fd_out < 0)
        status = ak_fail_errno(err, errno, folder, "making a temporary file");
    else
        unlink((const char *)path.data);
    akidb_buffer_free(&path);
    return status;
}

akidb_status ak_temporary_file(const char *folder, int *fd_out, akidb_error *err)
{
    if (folder == NULL)
        folder = getenv("TMPDIR");
    if (folder == NULL || folder[0] == '\0')
        folder = "/tmp";
    *fd_out = open(folder, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
    if (*fd_out >= 0)
        return AKIDB_OK;
    /* What kernels and file systems say that do not know the flag. */
    if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
        return open_and_unlink(folder, fd_out, err);
    return ak_fail_errno(err, errno, folder, "making a temporary file");
}

akidb_status ak_fd_write_at(int fd, const char *name, uint64_t offset, const void *bytes,
                            size_t size, akidb_error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pwrite(fd, (const uint8_t *)bytes + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return ak_fail_errno(err, n < 0 ? errno : EIO, name, "writing %zu bytes at offset %llu",
                                 size, (unsigned long long)offset);
        done += (size_t)n;
    }
    return AKIDB_OK;
}

akidb_status ak_fd_read_at(int fd, const char *name, uint64_t offset, void *dst, size_t size,
                           akidb_error *err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(fd, (uint8_t *)dst + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ak_fail_errno(err, errno, name, "reading %zu bytes at offset %llu", size,
                                 (unsigned long long)offset);
        if (n == 0)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(name, offset),
                              "expected %zu bytes, found the end of the file after %zu", size,
                              done);
        done += (size_t)n;
    }
    return AKIDB_OK;
}
