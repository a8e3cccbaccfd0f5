#ifndef AK_WAL_REPAIR_H
#define AK_WAL_REPAIR_H
/* Makes the disk say what a replay has decided. Each step may be cut off by a crash and is done
 * again by the next open; nothing is removed before it was kept elsewhere. */
#include "wal/replay.h"
#include "wal/tail.h"

/* Where a log goes on after it was opened: at the tail of its last segment, whose file is open. */
typedef struct ak_wal_ready {
    akidb_file file;
    ak_wal_tail tail;
    uint64_t capacity; /* of the segment, in bytes */
} ak_wal_ready;

/* Brings the log in order: writes anew what was not known to be on the disk, cuts off what was
 * torn, replaces segments of which something was dropped, and begins a segment if there is none
 * that can be continued. The segments of the outcome are then those that are on the disk, the last
 * of them open; its report tells the names of what was kept aside. */
AKIDB_CHECK akidb_status ak_wal_repair(const ak_wal_folder *folder, ak_wal_recovery recovery,
                                       uint64_t segment_bytes, ak_wal_outcome *outcome,
                                       ak_wal_ready *ready_out, akidb_error *err);

/* Gives a temporary file the name of segment `number`, after its bytes from 0 on, which this
 * writes, are on the disk. 0 or the error number; *step_out says what failed. */
int ak_wal_publish(const ak_wal_folder *folder, const char *temporary, akidb_file file,
                   uint64_t number, akidb_slice bytes, const char **step_out);

#endif
