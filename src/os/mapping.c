#include "os/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

static akidb_status map(int descriptor, const char *name, ak_mapping *mapping_out, akidb_error *err)
{
    struct stat st;
    if (fstat(descriptor, &st) != 0)
        return ak_fail_errno(err, errno, name, "stat");
    if (!S_ISREG(st.st_mode))
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(name), "expected a regular file, found %s",
                          S_ISDIR(st.st_mode) ? "a folder" : "something else");
    if ((uintmax_t)st.st_size > SIZE_MAX)
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(name),
                          "expected a file that fits in the addresses of a process, found %lld "
                          "bytes",
                          (long long)st.st_size);
    size_t size = (size_t)st.st_size;
    if (size == 0) /* the system maps no empty file */
        return AKIDB_OK;
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (data == MAP_FAILED)
        return ak_fail_errno(err, errno, name, "%zu bytes cannot be mapped", size);
    *mapping_out = (ak_mapping){data, size};
    return AKIDB_OK;
}

akidb_status ak_mapping_take(int descriptor, const char *name, ak_mapping *mapping_out,
                             akidb_error *err)
{
    *mapping_out = (ak_mapping){NULL, 0};
    akidb_status status = map(descriptor, name, mapping_out, err);
    close(descriptor); /* the mapping stays */
    return status;
}

akidb_status ak_mapping_open(const char *path, ak_mapping *mapping_out, akidb_error *err)
{
    *mapping_out = (ak_mapping){NULL, 0};
    /* Without O_NONBLOCK a FIFO would hang here; for a regular file it means nothing. */
    int descriptor;
    do
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0)
        return ak_fail_errno(err, errno, path, "cannot be opened");
    return ak_mapping_take(descriptor, path, mapping_out, err);
}

void ak_mapping_close(ak_mapping *mapping)
{
    if (mapping->data != NULL)
        (void)munmap((void *)(uintptr_t)mapping->data, mapping->size);
    *mapping = (ak_mapping){NULL, 0};
}
