#ifndef AK_STORAGE_MOVER_H
#define AK_STORAGE_MOVER_H
/* What one move reads and writes snapshots through: it counts the bytes, holds back when they come
 * faster than they should, and asks the caller's hooks whether to go on. */
#include "storage/storage.h"

typedef struct ak_mover {
    akidb_storage *storage;
    akidb_hooks hooks; /* the caller's; without a log hook, the storage's */
    uint64_t bytes_per_second;
    pthread_t owner; /* the thread that made the call, which hooks are called from */
    akidb_store *store, *warm;
    ak_route route;
    pthread_mutex_t lock;
    int64_t due; /* when what was transferred so far should have been, in steady microseconds */
    akidb_progress progress; /* that was told last; of the owner */
    _Atomic bool cancelled;
    _Atomic uint64_t bytes;
} ak_mover;

/* Must stay where it is until the close. `warm_counts`: it is DATA/warm whose bytes count, and not
 * the object store's. */
AKIDB_CHECK akidb_status ak_mover_open(ak_mover *mover, akidb_storage *storage,
                                       const akidb_move_options *options, bool warm_counts,
                                       akidb_error *err);
void ak_mover_close(ak_mover *mover);

#endif
