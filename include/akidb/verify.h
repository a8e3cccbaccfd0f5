#ifndef AKIDB_VERIFY_H
#define AKIDB_VERIFY_H
/*
 * Checking the data folder of a storage (akidb/storage.h) without opening it: the catalogue, the
 * whole log, and the snapshots without which the folder would not open or a collection not be read.
 *
 *   Read only  No lock is taken and nothing is changed, cut off or mended. It works on a folder
 *              that akidb_storage_open refuses, and on one that a storage is using.
 *   In use     What a flush, a restore, a move or a drop takes away meanwhile is no damage: what
 *              seems wrong is compared with what catalogue and log say by then, and damage of the
 *              log is told when it is found a second time. What changes faster than it can be read
 *              is AKIDB_VERIFY_UNREACHABLE. The end of the log may seem torn.
 *   Store      Must be that of the storage; with another one every snapshot is missing.
 *   Memory     One entry of the log; of snapshots what akidb_snapshot_verify needs.
 *   Threads    Calls share nothing.
 */
#include "akidb/storage.h"

AKIDB_BEGIN_DECLS

typedef enum akidb_data_part {
    AKIDB_DATA_CATALOGUE = 0,
    AKIDB_DATA_LOG = 1,       /* and whether it fits the catalogue */
    AKIDB_DATA_SNAPSHOT = 2,  /* in the object store; of a cold collection the only copy */
    AKIDB_DATA_LOCAL_COPY = 3 /* in DATA/warm, of a snapshot that the store has as well */
} akidb_data_part;

/* One thing that was looked at. */
typedef struct akidb_data_finding {
    akidb_data_part part;
    akidb_verify_outcome outcome;
    akidb_uuid collection, snapshot_id; /* of SNAPSHOT and LOCAL_COPY; else zero */
    const char *name;                   /* of the collection, or NULL; borrowed for the call */
    akidb_tier tier;                    /* of the collection */
    uint64_t count;      /* collections of the catalogue, entries of the log, documents decoded */
    uint64_t bytes_read; /* of log, snapshot or copy */
    bool torn;           /* the log ends in an unfinished write, which nobody was promised */
    akidb_error problem; /* .status is AKIDB_OK when good or unchecked */
} akidb_data_finding;

typedef struct akidb_storage_verify_options {
    size_t struct_size; /* sizeof(akidb_storage_verify_options) */
    const char *data_folder;
    akidb_store *store;       /* outlives the call; NULL: the folder DATA/store */
    akidb_verify_level level; /* of snapshots and local copies; the log is always read whole */
    const akidb_snapshotter_options *snapshots; /* threads and hooks count; NULL: all defaults */
    /* Told of each thing in the order of akidb_data_part, collection by collection; a status other
     * than AKIDB_OK ends the check with it. NULL: nobody is told. */
    void *context;
    akidb_status (*finding)(void *context, const akidb_data_finding *finding, akidb_error *err);
} akidb_storage_verify_options;

/* AKIDB_OK when the question was answered, whatever the answer: *worst_out, the last in the list of
 * akidb_verify_outcome that was found. Without a readable catalogue it ends with the log.
 * AKIDB_E_NOT_FOUND: no data folder is there; AKIDB_E_UNSUPPORTED: its catalogue is of a later
 * version. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_verify(const akidb_storage_verify_options *options,
                                                        akidb_verify_outcome *worst_out,
                                                        akidb_error *err);

AKIDB_END_DECLS
#endif
