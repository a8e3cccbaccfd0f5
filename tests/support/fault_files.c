#include "fault_files.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

const char *file_call_name(file_call call)
{
    static const char *const names[] = {
        "open root", "open folder", "sync folder", "make folder", "remove folder", "list", "stat",
        "rename",    "link",        "unlink",      "open file",   "file info",     "read", "write",
        "sync file", "close file",  "sync data",   "allocate",    "truncate",      "lock",
    };
    return call < CALL_COUNT ? names[call] : "nothing";
}

/* 0, or what the call is to fail with. */
static int check(fault_files *f, file_call call)
{
    pthread_mutex_lock(&f->lock);
    int error_number = 0;
    if ((f->kinds >> call & 1) != 0) {
        uint64_t number = f->seen++;
        if (number == f->fail_at || (f->from_then_on && number > f->fail_at)) {
            error_number = f->error_number;
            f->failed = call;
        }
    }
    bool ends = error_number != 0 && f->kills && call != CALL_WRITE_AT;
    pthread_mutex_unlock(&f->lock);
    if (ends)
        raise(SIGKILL);
    return error_number;
}

/* Each slot: fail when it is the turn, otherwise hand on. */
#define HAND_ON(call, slot, ...)                                                                   \
    do {                                                                                           \
        fault_files *f = handle;                                                                   \
        int error_number = check(f, (call));                                                       \
        return error_number != 0 ? error_number                                                    \
                                 : f->inner->ops->slot(f->inner->handle, __VA_ARGS__);             \
    } while (0)

static int open_root(void *handle, const char *path, akidb_folder *folder_out)
{
    HAND_ON(CALL_OPEN_ROOT, open_root, path, folder_out);
}

static int open_folder(void *handle, akidb_folder folder, const char *name,
                       akidb_folder *folder_out)
{
    HAND_ON(CALL_OPEN_FOLDER, open_folder, folder, name, folder_out);
}

static void close_folder(void *handle, akidb_folder folder)
{
    fault_files *f = handle;
    f->inner->ops->close_folder(f->inner->handle, folder);
}

static int sync_folder(void *handle, akidb_folder folder)
{
    HAND_ON(CALL_SYNC_FOLDER, sync_folder, folder);
}

static int make_folder(void *handle, akidb_folder folder, const char *name)
{
    HAND_ON(CALL_MAKE_FOLDER, make_folder, folder, name);
}

static int remove_folder(void *handle, akidb_folder folder, const char *name)
{
    HAND_ON(CALL_REMOVE_FOLDER, remove_folder, folder, name);
}

static int list(void *handle, akidb_folder folder, akidb_name_visitor *visitor, void *context)
{
    HAND_ON(CALL_LIST, list, folder, visitor, context);
}

static int stat_name(void *handle, akidb_folder folder, const char *name, akidb_file_info *info_out)
{
    HAND_ON(CALL_STAT, stat, folder, name, info_out);
}

static int rename_file(void *handle, akidb_folder folder, const char *from, const char *to)
{
    HAND_ON(CALL_RENAME, rename, folder, from, to);
}

static int link_file(void *handle, akidb_folder folder, const char *from, const char *to)
{
    HAND_ON(CALL_LINK, link, folder, from, to);
}

static int unlink_file(void *handle, akidb_folder folder, const char *name)
{
    HAND_ON(CALL_UNLINK, unlink, folder, name);
}

static int open_file(void *handle, akidb_folder folder, const char *name, akidb_file_mode mode,
                     akidb_file *file_out)
{
    HAND_ON(CALL_OPEN_FILE, open_file, folder, name, mode, file_out);
}

static int file_info(void *handle, akidb_file file, akidb_file_info *info_out)
{
    HAND_ON(CALL_FILE_INFO, file_info, file, info_out);
}

static int read_at(void *handle, akidb_file file, uint64_t offset, void *dst, size_t size,
                   size_t *read_out)
{
    HAND_ON(CALL_READ_AT, read_at, file, offset, dst, size, read_out);
}

static int write_at(void *handle, akidb_file file, uint64_t offset, const akidb_slice *slices,
                    size_t count)
{
    fault_files *f = handle;
    int error_number = check(f, CALL_WRITE_AT);
    if (error_number == 0)
        return f->inner->ops->write_at(f->inner->handle, file, offset, slices, count);
    if (f->half_write && count > 0) {
        akidb_slice half = {slices[0].data, slices[0].size / 2};
        (void)f->inner->ops->write_at(f->inner->handle, file, offset, &half, 1);
    }
    if (f->kills)
        raise(SIGKILL);
    return error_number;
}

static int sync_file(void *handle, akidb_file file)
{
    HAND_ON(CALL_SYNC_FILE, sync_file, file);
}

static int sync_data(void *handle, akidb_file file)
{
    HAND_ON(CALL_SYNC_DATA, sync_data, file);
}

static int allocate(void *handle, akidb_file file, uint64_t size)
{
    HAND_ON(CALL_ALLOCATE, allocate, file, size);
}

static int truncate_file(void *handle, akidb_file file, uint64_t size)
{
    HAND_ON(CALL_TRUNCATE, truncate, file, size);
}

static int lock_file(void *handle, akidb_file file)
{
    HAND_ON(CALL_LOCK, lock, file);
}

/* The file is closed all the same, as the contract has it. */
static int close_file(void *handle, akidb_file file)
{
    fault_files *f = handle;
    int error_number = check(f, CALL_CLOSE_FILE);
    int inner_error = f->inner->ops->close_file(f->inner->handle, file);
    return error_number != 0 ? error_number : inner_error;
}

static const akidb_files_ops fault_ops = {
    .open_root = open_root,
    .open_folder = open_folder,
    .close_folder = close_folder,
    .sync_folder = sync_folder,
    .make_folder = make_folder,
    .remove_folder = remove_folder,
    .list = list,
    .stat = stat_name,
    .rename = rename_file,
    .link = link_file,
    .unlink = unlink_file,
    .open_file = open_file,
    .file_info = file_info,
    .read_at = read_at,
    .write_at = write_at,
    .allocate = allocate,
    .truncate = truncate_file,
    .sync_file = sync_file,
    .sync_data = sync_data,
    .lock = lock_file,
    .close_file = close_file,
};

void fault_files_init(fault_files *f, const akidb_files *inner)
{
    memset(f, 0, sizeof *f);
    f->files = (akidb_files){&fault_ops, f};
    f->inner = inner;
    pthread_mutex_init(&f->lock, NULL);
    fault_files_heal(f);
}

void fault_files_fail(fault_files *f, uint32_t kinds, uint64_t nth, int error_number)
{
    pthread_mutex_lock(&f->lock);
    f->kinds = kinds;
    f->seen = 0;
    f->fail_at = nth;
    f->error_number = error_number;
    f->failed = CALL_COUNT;
    f->kills = false;
    pthread_mutex_unlock(&f->lock);
}

void fault_files_kill(fault_files *f, uint32_t kinds, uint64_t nth)
{
    fault_files_fail(f, kinds, nth, EIO);
    f->half_write = true;
    f->kills = true;
}

void fault_files_heal(fault_files *f)
{
    fault_files_fail(f, 0, UINT64_MAX, EIO);
}
