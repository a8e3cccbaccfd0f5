#ifndef AK_TEST_SIMULATED_DISK_H
#define AK_TEST_SIMULATED_DISK_H
/*
 * A disk in memory that forgets as a real one may. What programs see is the cache; beside it the
 * disk keeps, for each file and folder, what the last successful sync made stable and every change
 * since. After a power cut each of those changes is there or not, writes sector by sector (512
 * bytes), in any order: just what akidb/sys/files.h allows.
 *
 * The power goes off at a chosen change (write, truncation, name, sync); that one may still have
 * its effect, in part. From then on every call fails with EIO, but for closing.
 */
#include "akidb/sys/files.h"

typedef struct simulated_disk simulated_disk;

/* NULL when there is no memory. */
simulated_disk *simulated_disk_new(void);
void simulated_disk_free(simulated_disk *disk);

/* The files of the disk. They hold one folder, "/", to begin with. */
const akidb_files *simulated_disk_files(simulated_disk *disk);

/* Changes and syncs seen so far. */
uint64_t simulated_disk_changes(const simulated_disk *disk);

/* The power goes off with that change, counted from 0; UINT64_MAX: never. */
void simulated_disk_cut_at(simulated_disk *disk, uint64_t number);

/* That sync of a file or folder, counted from 0 over all of them, fails with EIO, and what it
 * should have made stable is marked as if it had been, as Linux does; UINT64_MAX: none. */
void simulated_disk_fail_sync(simulated_disk *disk, uint64_t sync);

/* Power is back, after a cut: of what was not stable, `seed` decides what is there. Nothing may be
 * open. */
void simulated_disk_power_on(simulated_disk *disk, uint64_t seed);

/* The process has gone, the power not: all that was written is there. Nothing may be open. */
void simulated_disk_process_gone(simulated_disk *disk);

/* The disk has room for so many bytes of files, as they are allocated; UINT64_MAX: no limit. */
void simulated_disk_set_room(simulated_disk *disk, uint64_t bytes);

/* The bytes of the file at a path, as programs see them; NULL: no such file. Changing them is bit
 * rot. Valid until the next call. */
uint8_t *simulated_disk_bytes(simulated_disk *disk, const char *path, uint64_t *size_out);

/* Puts a file's bytes there, as stable. False when there is no memory. */
bool simulated_disk_put(simulated_disk *disk, const char *path, const void *bytes, size_t size);

#endif
