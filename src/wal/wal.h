#ifndef AK_WAL_WAL_H
#define AK_WAL_WAL_H
/*
 * Write-ahead log: entries that survive a crash, in the order in which they were appended.
 * docs/formats/wal.md has every byte and the rules of recovery.
 *
 *   Entry     What callers append: a kind and a payload of any size, with one LSN. On disk it is
 *             one record or several; it is replayed whole or not at all.
 *   LSN       Log sequence number of an entry: 1 for the first one ever, then one more each. What
 *             was not promised when the power went may be gone, and its LSN is given again: whoever
 *             keeps an LSN elsewhere (in a snapshot) calls ak_wal_sync before.
 *   Order     Entries are replayed in the order of their LSNs. begin hands out LSNs; wait returns
 *             when an entry's promise holds. Many threads append at once and share one sync.
 *   Failure   After a failed write or sync nothing more can be appended: those who wait and all who
 *             come later get AKIDB_E_IO until the log is closed and opened again, which recovers. A
 *             sync that failed is never tried again: the kernel may have dropped the bytes. An
 *             append that failed may be there after the next open, whole, or not.
 *   Space     Segments are preallocated where the file system can, so that a full disk is noticed
 *             before an entry is accepted, and then only that append fails (AKIDB_E_IO) and the log
 *             goes on.
 *   Memory    Two batches of 16 MiB at most, or of one entry if that is larger.
 *   Threads   Any calls may run at once on one log, except that close runs alone. A second open of
 *             the same folder, but for a read-only one, is AKIDB_E_PRECONDITION.
 */
#include "akidb/base.h"
#include "akidb/sys/files.h"

typedef struct ak_wal ak_wal;

typedef enum ak_wal_kind {
    AK_WAL_CREATE = 1, /* a collection */
    AK_WAL_DROP = 2,
    AK_WAL_UPSERT = 3, /* one document or a whole batch */
    AK_WAL_DELETE = 4,
    AK_WAL_RESTORE = 5,    /* a snapshot replaces the contents of a collection */
    AK_WAL_CHECKPOINT = 6, /* a snapshot holds a collection up to an LSN */
    AK_WAL_SEAL = 7        /* written by the log itself, last in a segment */
} ak_wal_kind;

/* When an append returns. */
typedef enum ak_wal_durability {
    AK_WAL_EVERY_COMMIT = 0, /* when it is on the disk: nothing acknowledged is lost */
    AK_WAL_INTERVAL = 1,     /* when it is with the kernel, which is made to write every interval: a
                                power cut may lose the last interval, a crash of the process none */
    AK_WAL_BY_CALL = 2       /* likewise, and on the disk when ak_wal_sync returns */
} ak_wal_durability;

typedef enum ak_wal_recovery {
    AK_WAL_STRICT = 0, /* damage to what was acknowledged is AKIDB_E_CORRUPTION */
    AK_WAL_UP_TO = 1,  /* everything from the first damage on is dropped */
    AK_WAL_SALVAGE = 2 /* damaged entries are dropped, whole ones after them kept */
} ak_wal_recovery;

typedef struct ak_wal_options {
    const akidb_files *files; /* NULL: the system's; outlives the log */
    const char *folder;       /* made if it is not there */
    uint64_t segment_bytes;   /* default 64 MiB; at least 64 KiB; smaller where max_bytes asks it */
    ak_wal_durability durability;
    uint32_t interval_ms; /* of AK_WAL_INTERVAL; default 100 */
    ak_wal_recovery recovery;
    bool read_only;     /* look, do not mend: replay only; a torn tail is told, not cut off */
    uint64_t max_bytes; /* of all segments, as far as they are written; 0: no limit; at least
                           128 KiB. An entry that would pass it, unless it is a checkpoint, is
                           AKIDB_E_LIMIT. Segments have a quarter of it at most */
} ak_wal_options;

/* What was found when the log was opened. */
typedef struct ak_wal_report {
    uint8_t log_id[16];
    uint64_t segments;
    uint64_t entries;
    uint64_t bytes;
    uint64_t first_lsn, last_lsn; /* 0, 0: none */
    bool torn;                    /* bytes that nobody was promised were cut off the end ... */
    char torn_segment[64];
    uint64_t torn_offset, torn_bytes;
    char torn_copy[64];       /* ... after they were copied to this file beside it */
    uint64_t dropped_entries; /* by AK_WAL_UP_TO or AK_WAL_SALVAGE, as far as LSNs tell */
    uint64_t dropped_bytes;
    char dropped_from[96]; /* "segment 3, offset 4096" */
} ak_wal_report;

/* Called for each entry of the replay, in order. The payload is borrowed for the call. A failure
 * ends the open with it. */
typedef akidb_status ak_wal_visitor(void *context, uint64_t lsn, ak_wal_kind kind,
                                    akidb_slice payload, akidb_error *err);

/* Opens or makes a log, replaying it into `visitor`. AKIDB_E_CORRUPTION names segment and offset;
 * AKIDB_E_UNSUPPORTED: a version that this library does not know; AKIDB_E_IO: a read failed, which
 * is never taken for a torn tail. */
AKIDB_CHECK akidb_status ak_wal_open(const ak_wal_options *options, ak_wal_visitor *visitor,
                                     void *context, ak_wal **wal_out, ak_wal_report *report_out,
                                     akidb_error *err);

/* Makes everything appended durable and closes. NULL is fine. The status is that of the last sync.
 */
akidb_status ak_wal_close(ak_wal *wal, akidb_error *err);

/* Appends an entry and returns its LSN at once; the slices are borrowed for the call. Entries that
 * two threads append are in the log in the order of their LSNs. Call ak_wal_wait before anybody is
 * told that it was done. */
AKIDB_CHECK akidb_status ak_wal_begin(ak_wal *wal, ak_wal_kind kind, const akidb_slice *slices,
                                      size_t count, uint64_t *lsn_out, akidb_error *err);

/* Returns when what the durability promises holds for the entry and all before it. */
AKIDB_CHECK akidb_status ak_wal_wait(ak_wal *wal, uint64_t lsn, akidb_error *err);

/* begin and wait. */
AKIDB_CHECK akidb_status ak_wal_append(ak_wal *wal, ak_wal_kind kind, const akidb_slice *slices,
                                       size_t count, uint64_t *lsn_out, akidb_error *err);

/* Returns when everything appended before the call is on the disk, whatever the durability. */
AKIDB_CHECK akidb_status ak_wal_sync(ak_wal *wal, akidb_error *err);

/* Removes segments that hold only entries before `lsn`; the one that is being written stays. The
 * log asks nobody: what makes those entries needless must be durable. */
AKIDB_CHECK akidb_status ak_wal_remove_before(ak_wal *wal, uint64_t lsn, akidb_error *err);

typedef struct ak_wal_statistics {
    uint64_t last_lsn;    /* appended */
    uint64_t durable_lsn; /* on the disk */
    uint64_t entries;     /* appended since the open */
    uint64_t bytes;       /* likewise, with headers */
    uint64_t syncs;
    uint64_t segments;      /* on the disk now */
    uint64_t segment_bytes; /* of them, as far as they are written */
    bool failed;            /* a write or sync has failed: read-only */
} ak_wal_statistics;

void ak_wal_get_statistics(const ak_wal *wal, ak_wal_statistics *statistics_out);

/* ---- looking at a log, record by record ------------------------------------------------------ */

typedef struct ak_wal_segment_info {
    uint64_t number;
    uint64_t first_lsn;  /* of the first entry that begins in it or later */
    uint64_t created_ms; /* since the epoch */
    uint64_t bytes;      /* of the file */
    bool rewritten;      /* by a recovery: it replaces all before it */
} ak_wal_segment_info;

typedef struct ak_wal_record_info {
    uint64_t segment;
    uint64_t offset;
    uint64_t lsn;
    uint64_t durable_lsn; /* known to be on the disk when this was written */
    ak_wal_kind kind;
    bool first, last;    /* of its entry; neither for a seal */
    akidb_slice payload; /* borrowed for the call */
} ak_wal_record_info;

/* A failure of either ends the check with it. Either may be NULL. */
typedef struct ak_wal_check_visitor {
    akidb_status (*segment)(void *context, const ak_wal_segment_info *segment, akidb_error *err);
    akidb_status (*record)(void *context, const ak_wal_record_info *record, akidb_error *err);
    void *context;
} ak_wal_check_visitor;

/* Reads a log without changing anything and tells of its segments and their whole records, in
 * order, with those of entries that a replay would drop. Uses files, folder and recovery of the
 * options; the status is what ak_wal_open would return. A log that is being written may seem torn.
 */
AKIDB_CHECK akidb_status ak_wal_check(const ak_wal_options *options,
                                      const ak_wal_check_visitor *visitor,
                                      ak_wal_report *report_out, akidb_error *err);

#endif
