#ifndef AK_WAL_REPLAY_H
#define AK_WAL_REPLAY_H
/*
 * Reads a log from its first segment to its last and decides what is damage and what is the torn
 * end of a log that nobody was promised. Changes nothing on the disk: repair.h does.
 */
#include "wal/reader.h"
#include "wal/wal.h"

/* Who is told what; each may be NULL. */
typedef struct ak_wal_audience {
    ak_wal_visitor *entry;
    void *entry_context;
    const ak_wal_check_visitor *check;
} ak_wal_audience;

/* What was found. */
typedef struct ak_wal_outcome {
    ak_wal_report report;
    ak_wal_segment *segments; /* those that were replayed; the caller's to free() */
    size_t count;
    ak_wal_segment *replaced; /* segments that a rewritten one replaced; likewise */
    size_t replaced_count;
    bool dropped;      /* by AK_WAL_UP_TO or AK_WAL_SALVAGE */
    uint64_t next_lsn; /* of the next entry */
    /* Of the last segment: */
    bool unfinished;  /* the log ends with a part of an entry, or with part of a record */
    bool sealed;      /* it ends with a seal */
    uint64_t end;     /* behind the last record of the last whole entry in it */
    uint64_t torn_to; /* behind the last byte after that */
    uint64_t records; /* up to `end` */
    uint32_t chain;   /* likewise */
    uint64_t unsure;  /* all records before this offset were known to be on the disk */
} ak_wal_outcome;

/* Status and error as ak_wal_open has them. The outcome is for ak_wal_outcome_free either way. */
AKIDB_CHECK akidb_status ak_wal_replay(const ak_wal_folder *folder, ak_wal_recovery recovery,
                                       const ak_wal_audience *audience, ak_wal_outcome *outcome_out,
                                       akidb_error *err);
void ak_wal_outcome_free(ak_wal_outcome *outcome);

#endif
