/* The files of the operating system, by descriptors of folders: each name is one step from an open
 * folder (openat and its kin) and never follows a symbolic link. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "akidb/sys/files.h"

/* ---- folders --------------------------------------------------------------------------------- */

static int open_retrying(int at, const char *path, int flags)
{
    int fd;
    do
        fd = openat(at, path, flags | O_CLOEXEC, 0600);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static int posix_open_root(void *handle, const char *path, akidb_folder *folder_out)
{
    (void)handle;
    int fd = open_retrying(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return errno;
    folder_out->descriptor = fd;
    return 0;
}

static int posix_open_folder(void *handle, akidb_folder folder, const char *name,
                             akidb_folder *folder_out)
{
    (void)handle;
    int fd = open_retrying(folder.descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd >= 0) {
        folder_out->descriptor = fd;
        return 0;
    }
    int error_number = errno;
    struct stat st;
    /* Linux says ENOTDIR for a link too. */
    if (error_number == ENOTDIR &&
        fstatat(folder.descriptor, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode))
        return ELOOP;
    return error_number;
}

static void posix_close_folder(void *handle, akidb_folder folder)
{
    (void)handle;
    close(folder.descriptor);
}

static int sync_descriptor(int fd, int (*sync_call)(int))
{
    while (sync_call(fd) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

/* Some file systems (FUSE, network) cannot sync a folder and say EINVAL: there is nothing that a
 * caller could do instead. */
static int posix_sync_folder(void *handle, akidb_folder folder)
{
    (void)handle;
    int error_number = sync_descriptor(folder.descriptor, fsync);
    return error_number == EINVAL ? 0 : error_number;
}

static int posix_make_folder(void *handle, akidb_folder folder, const char *name)
{
    (void)handle;
    return mkdirat(folder.descriptor, name, 0700) == 0 ? 0 : errno;
}

static int posix_remove_folder(void *handle, akidb_folder folder, const char *name)
{
    (void)handle;
    return unlinkat(folder.descriptor, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

static void info_of_stat(const struct stat *st, akidb_file_info *info_out)
{
    *info_out = (akidb_file_info){0};
    info_out->modified_at = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
    if (S_ISREG(st->st_mode)) {
        info_out->kind = AKIDB_FILE_REGULAR;
        info_out->size = (uint64_t)st->st_size;
    } else {
        info_out->kind = S_ISDIR(st->st_mode) ? AKIDB_FILE_FOLDER : AKIDB_FILE_OTHER;
    }
}

static int posix_stat(void *handle, akidb_folder folder, const char *name,
                      akidb_file_info *info_out)
{
    (void)handle;
    struct stat st;
    if (fstatat(folder.descriptor, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno;
    info_of_stat(&st, info_out);
    return 0;
}

/* The kind of a name that readdir gave; false when the name has gone meanwhile. */
static bool kind_of_entry(akidb_folder folder, const struct dirent *entry, akidb_file_kind *kind)
{
    if (entry->d_type == DT_UNKNOWN) {
        akidb_file_info info = {0};
        if (posix_stat(NULL, folder, entry->d_name, &info) != 0)
            return false;
        *kind = info.kind;
    } else if (entry->d_type == DT_REG) {
        *kind = AKIDB_FILE_REGULAR;
    } else {
        *kind = entry->d_type == DT_DIR ? AKIDB_FILE_FOLDER : AKIDB_FILE_OTHER;
    }
    return true;
}

static int visit_entries(DIR *dir, akidb_folder folder, akidb_name_visitor *visitor, void *context)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno; /* 0, or what readdir set */
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        akidb_file_kind kind;
        if (kind_of_entry(folder, entry, &kind) && !visitor(context, entry->d_name, kind))
            return 0;
    }
}

/* The folder is opened anew, since a cursor belongs to the opening and lists may run at once. */
static int posix_list(void *handle, akidb_folder folder, akidb_name_visitor *visitor, void *context)
{
    (void)handle;
    int fd = open_retrying(folder.descriptor, ".", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return errno;
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int error_number = errno;
        close(fd);
        return error_number;
    }
    /* The analyzer takes errno for unset. NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign)
     */
    int error_number = visit_entries(dir, folder, visitor, context);
    closedir(dir);
    return error_number;
}

static int posix_rename(void *handle, akidb_folder folder, const char *from, const char *to)
{
    (void)handle;
    return renameat(folder.descriptor, from, folder.descriptor, to) == 0 ? 0 : errno;
}

static int posix_link(void *handle, akidb_folder folder, const char *from, const char *to)
{
    (void)handle;
    return linkat(folder.descriptor, from, folder.descriptor, to, 0) == 0 ? 0 : errno;
}

static int posix_unlink(void *handle, akidb_folder folder, const char *name)
{
    (void)handle;
    return unlinkat(folder.descriptor, name, 0) == 0 ? 0 : errno;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int check_regular(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return errno;
    if (S_ISREG(st.st_mode))
        return 0;
    return S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
}

/* O_NONBLOCK, so that opening a FIFO cannot wait; it means nothing to a regular file. */
static int posix_open_file(void *handle, akidb_folder folder, const char *name,
                           akidb_file_mode mode, akidb_file *file_out)
{
    (void)handle;
    int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    if (mode == AKIDB_FILE_CREATE)
        flags |= O_RDWR | O_CREAT | O_EXCL;
    else
        flags |= mode == AKIDB_FILE_UPDATE ? O_RDWR : O_RDONLY;
    int fd = open_retrying(folder.descriptor, name, flags);
    if (fd < 0)
        return errno == ENXIO ? EINVAL : errno; /* ENXIO: a socket, a FIFO or a device */
    int error_number = check_regular(fd);
    if (error_number != 0) {
        close(fd);
        return error_number;
    }
    file_out->descriptor = fd;
    return 0;
}

static int posix_file_info(void *handle, akidb_file file, akidb_file_info *info_out)
{
    (void)handle;
    struct stat st;
    if (fstat(file.descriptor, &st) != 0)
        return errno;
    info_of_stat(&st, info_out);
    return 0;
}

static int posix_read_at(void *handle, akidb_file file, uint64_t offset, void *dst, size_t size,
                         size_t *read_out)
{
    (void)handle;
    size_t done = 0;
    while (done < size) {
        ssize_t n =
            pread(file.descriptor, (uint8_t *)dst + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *read_out = done;
    return 0;
}

/* What is left to write: the slices from the first on, less `skip` bytes of it. */
typedef struct rest {
    const akidb_slice *slices;
    size_t count;
    size_t skip;
} rest;

static void rest_advance(rest *r, size_t written)
{
    r->skip += written;
    while (r->count > 0 && r->skip >= r->slices->size) {
        r->skip -= r->slices->size;
        r->slices++;
        r->count--;
    }
}

static int posix_write_at(void *handle, akidb_file file, uint64_t offset, const akidb_slice *slices,
                          size_t count)
{
    (void)handle;
    enum { BATCH = 64 };
    rest r = {slices, count, 0};
    rest_advance(&r,
                 0); /* past empty slices at the beginning: r.skip bytes of the first are done */
    while (r.count > 0) {
        struct iovec pieces[BATCH];
        int used = 0;
        for (size_t i = 0; i < r.count && used < BATCH; i++) {
            size_t skip = i == 0 ? r.skip : 0;
            pieces[used].iov_base = (uint8_t *)(uintptr_t)r.slices[i].data + skip;
            pieces[used++].iov_len = r.slices[i].size - skip;
        }
        ssize_t n = pwritev(file.descriptor, pieces, used, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (n == 0)
            return EIO; /* a disk that takes nothing and gives no reason */
        offset += (uint64_t)n;
        rest_advance(&r, (size_t)n);
    }
    return 0;
}

static int posix_allocate(void *handle, akidb_file file, uint64_t size)
{
    (void)handle;
    int error_number;
    do
        error_number = posix_fallocate(file.descriptor, 0, (off_t)size);
    while (error_number == EINTR);
    return error_number;
}

static int posix_truncate(void *handle, akidb_file file, uint64_t size)
{
    (void)handle;
    while (ftruncate(file.descriptor, (off_t)size) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

static int posix_sync_file(void *handle, akidb_file file)
{
    (void)handle;
    return sync_descriptor(file.descriptor, fsync);
}

static int posix_sync_data(void *handle, akidb_file file)
{
    (void)handle;
    return sync_descriptor(file.descriptor, fdatasync);
}

/* Linux leaves written pages in memory for seconds, or until a sync, during which the disk would
 * otherwise have had time to take them. */
static void posix_start_writing(void *handle, akidb_file file, uint64_t offset, uint64_t size)
{
    (void)handle;
#if defined(SYNC_FILE_RANGE_WRITE)
    (void)sync_file_range(file.descriptor, (off_t)offset, (off_t)size, SYNC_FILE_RANGE_WRITE);
#else
    (void)file;
    (void)offset;
    (void)size;
#endif
}

static int posix_lock(void *handle, akidb_file file)
{
    (void)handle;
    while (flock(file.descriptor, LOCK_EX | LOCK_NB) != 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

/* On Linux the descriptor is gone after EINTR too: closing again could close another's. */
static int posix_close_file(void *handle, akidb_file file)
{
    (void)handle;
    if (close(file.descriptor) == 0 || errno == EINTR)
        return 0;
    return errno;
}

static const akidb_files_ops posix_ops = {
    .open_root = posix_open_root,
    .open_folder = posix_open_folder,
    .close_folder = posix_close_folder,
    .sync_folder = posix_sync_folder,
    .make_folder = posix_make_folder,
    .remove_folder = posix_remove_folder,
    .list = posix_list,
    .stat = posix_stat,
    .rename = posix_rename,
    .link = posix_link,
    .unlink = posix_unlink,
    .open_file = posix_open_file,
    .file_info = posix_file_info,
    .read_at = posix_read_at,
    .write_at = posix_write_at,
    .allocate = posix_allocate,
    .truncate = posix_truncate,
    .sync_file = posix_sync_file,
    .sync_data = posix_sync_data,
    .start_writing = posix_start_writing,
    .lock = posix_lock,
    .close_file = posix_close_file,
};

const akidb_files *akidb_files_system(void)
{
    static const akidb_files files = {&posix_ops, NULL};
    return &files;
}
