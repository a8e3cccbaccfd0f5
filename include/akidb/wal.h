#ifndef AKIDB_WAL_H
#define AKIDB_WAL_H
/*
 * Looking at the write-ahead log of a storage (akidb/storage.h): which segments and entries there
 * are, and what the next open would say of them.
 *
 *   Read only  No lock is taken and nothing is changed or cut off. A log that akidb_storage_open
 *              refuses can be looked at, and one that a storage is using; its end may then seem
 *              torn.
 *   Memory     One entry.
 *   Threads    Calls share nothing.
 */
#include "akidb/storage.h"

AKIDB_BEGIN_DECLS

typedef enum akidb_wal_kind {
    AKIDB_WAL_CREATE = 1, /* a collection */
    AKIDB_WAL_DROP = 2,
    AKIDB_WAL_UPSERT = 3,
    AKIDB_WAL_DELETE = 4,
    AKIDB_WAL_RESTORE = 5,   /* a snapshot replaces the contents of a collection */
    AKIDB_WAL_CHECKPOINT = 6 /* a snapshot holds a collection up to an LSN */
} akidb_wal_kind;

/* "create", "upsert", ...; "unknown" for a value that is none. */
AKIDB_API const char *akidb_wal_kind_name(akidb_wal_kind kind);

typedef struct akidb_wal_segment {
    uint64_t number;
    uint64_t first_lsn; /* of the first entry that begins in it or later */
    int64_t created_at; /* microseconds since the epoch */
    uint64_t bytes;     /* of the file, with what is not written yet */
    bool rewritten;     /* by a recovery: it replaces all before it */
} akidb_wal_segment;

typedef struct akidb_wal_entry {
    uint64_t lsn;
    akidb_wal_kind kind;
    bool whole;       /* false: records of it are missing; what follows in this struct, up to
                         `durable_lsn`, is told, and the rest is zero */
    uint64_t segment; /* of its first record */
    uint64_t offset;  /* in that segment, in bytes */
    uint64_t records;
    uint64_t bytes;       /* of its payload, as far as it is there */
    uint64_t durable_lsn; /* all entries up to this one were known to be on the disk when its last
                             record was written */
    akidb_uuid collection, incarnation;
    uint64_t documents;      /* of an upsert; of a delete, how many ids it names */
    uint32_t dimension;      /* of an upsert, a create, a restore */
    const char *name;        /* of a create or restore; borrowed for the call; NULL: none */
    akidb_uuid snapshot_id;  /* of a restore or checkpoint */
    uint64_t checkpoint_lsn; /* of a checkpoint: the snapshot holds all up to it */
} akidb_wal_entry;

/* Either may be NULL. A status other than AKIDB_OK ends the check with it. */
typedef struct akidb_wal_visitor {
    void *context;
    akidb_status (*segment)(void *context, const akidb_wal_segment *segment, akidb_error *err);
    akidb_status (*entry)(void *context, const akidb_wal_entry *entry, akidb_error *err);
} akidb_wal_visitor;

/* What a recovery that allows as much as `recovery` does would make of the log. */
typedef struct akidb_wal_report {
    akidb_uuid log_id;
    uint64_t segments;
    uint64_t entries; /* that count */
    uint64_t bytes;   /* written, in all segments */
    uint64_t first_lsn, last_lsn;
    bool torn; /* the end is an unfinished write: nobody was promised it */
    char torn_segment[64];
    uint64_t torn_offset, torn_bytes;
    uint64_t dropped_entries; /* by AKIDB_RECOVER_UP_TO or AKIDB_RECOVER_SALVAGE, at least */
    uint64_t dropped_bytes;
    char dropped_from[96]; /* "segment 3, offset 4096" */
} akidb_wal_report;

/* Reads the whole log in DATA/wal, every checksum and every payload, and tells `visitor` (NULL:
 * nobody) of its segments and entries, in order, with those that a recovery would drop.
 * AKIDB_E_CORRUPTION names segment and offset, after all before them has been told: the answer that
 * akidb_storage_open would give with the same `recovery`. AKIDB_E_NOT_FOUND: there is no log.
 * `report_out` may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status akidb_wal_check(const char *data_folder, akidb_recovery recovery,
                                                   const akidb_wal_visitor *visitor,
                                                   akidb_wal_report *report_out, akidb_error *err);

AKIDB_END_DECLS
#endif
