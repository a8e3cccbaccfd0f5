#ifndef AK_OS_TEMPORARY_H
#define AK_OS_TEMPORARY_H
#include "akidb/base.h"

/* Opens a file without a name, for reading and writing, which is gone when it is closed or the
 * process ends. `folder` may be NULL: TMPDIR if it is set, otherwise /tmp. The descriptor is
 * yours to close; -1 on failure. */
AKIDB_CHECK akidb_status ak_temporary_file(const char *folder, int *fd_out, akidb_error *err);

/* All of `size` bytes at `offset`, however often the system call must be made. Reading fewer
 * because the file ends is AKIDB_E_CORRUPTION. `name` is for messages. */
AKIDB_CHECK akidb_status ak_fd_write_at(int fd, const char *name, uint64_t offset,
                                        const void *bytes, size_t size, akidb_error *err);
AKIDB_CHECK akidb_status ak_fd_read_at(int fd, const char *name, uint64_t offset, void *dst,
                                       size_t size, akidb_error *err);

#endif
