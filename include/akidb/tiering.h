#ifndef AKIDB_TIERING_H
#define AKIDB_TIERING_H
/*
 * Tiering: keeps the collections of a storage where their use says: hot in memory, warm in Parquet
 * files on the local disk, cold in the object store. It watches what is accessed, decides, and asks
 * the storage to move; docs/tiering.md has the rules, sizing and costs.
 *
 *   Sequence   Open a storage, then a tiering on it; start its worker, or call akidb_tiering_run
 *              from a timer of your own. Close the tiering before the storage. A storage has one
 *              tiering at a time, which takes its access hook (akidb_storage_on_access).
 *   Reads      never wait for a move: every call of the storage works in every tier, and goes on
 *              while its collection moves.
 *   State      DATA/tiering.sqlite keeps what is known of accesses, pins and moves. No data depends
 *              on it: without it every collection counts as accessed when it is first seen, and
 *              nothing is pinned. Accesses are kept in memory and written by each cycle and by
 *              close; a kill may forget those of the last interval. Pins are written at once.
 *   Failure    A move that fails leaves the collection where it was, is told to the log hook, and
 *              is tried again, later each time. While the object store cannot be reached, what
 *              needs it waits.
 *   Threads    Any calls may run at once on one tiering, except that close runs alone. One cycle
 *              and one move run at a time; promote and demote go before the next move of a cycle,
 *              and wait for the one that is under way.
 */
#include "akidb/storage.h"

AKIDB_BEGIN_DECLS

/* ---- policy ---------------------------------------------------------------------------------- */

/* When a collection moves. Times are microseconds, sizes bytes. */
typedef struct akidb_tier_policy {
    size_t struct_size;        /* sizeof(akidb_tier_policy) */
    uint64_t hot_idle;         /* hot to warm after so long without access; default 6 hours;
                                  AKIDB_NEVER */
    uint64_t warm_idle;        /* to cold; default 7 days, or hot_idle if that is longer;
                                  AKIDB_NEVER; not less than hot_idle, unless that is AKIDB_NEVER */
    uint32_t promote_accesses; /* warm to hot after so many accesses; default 10 ... */
    uint64_t promote_window;   /* ... within so long; default 1 hour, at most a year. Whatever has
                                  moved up stays up, and what was moved down to make room stays
                                  down, for as long */
    akidb_toggle promote_cold; /* cold to warm at the first access; default on */
    /* Over a budget the least recently used move down until what is left fits, and nothing moves up
     * that would pass it. 0: none. */
    uint64_t hot_budget;  /* of memory_bytes of hot collections */
    uint64_t warm_budget; /* of warm_bytes */
} akidb_tier_policy;

typedef struct akidb_tiering_options {
    size_t struct_size;              /* sizeof(akidb_tiering_options) */
    const akidb_tier_policy *policy; /* NULL: all defaults, but for promote_window, which is what
                                        the state was kept with */
    const char *data_folder;   /* the storage's, for tiering.sqlite; NULL: the state lies in memory
                                  alone and ends with the tiering */
    uint64_t interval;         /* between two cycles of the worker, in microseconds; default 5
                                  minutes */
    uint64_t bytes_per_second; /* of moves; 0: no limit */
    const akidb_clock *clock;  /* of accesses and ages; NULL: the system's */
    /* The progress hook is called by akidb_tiering_run, _promote and _demote, the log hook also by
     * the worker. NULL: none. */
    const akidb_hooks *hooks;
} akidb_tiering_options;

typedef struct akidb_tiering akidb_tiering;

/* A damaged tiering.sqlite is set aside as tiering.sqlite.damaged, with a word to the log hook, and
 * one that cannot be opened or written leaves the state in memory. AKIDB_E_UNSUPPORTED: a newer
 * version wrote it; AKIDB_E_TIMEOUT: another program keeps it locked; AKIDB_E_VALIDATION: the
 * policy contradicts itself. */
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_open(akidb_storage *storage,
                                                      const akidb_tiering_options *options,
                                                      akidb_tiering **tiering_out,
                                                      akidb_error *err);

/* Stops the worker and writes the state. The handle is gone whatever the status, which tells
 * whether the state was written. NULL is fine. */
AKIDB_API akidb_status akidb_tiering_close(akidb_tiering *tiering, akidb_error *err);

/* ---- cycles ---------------------------------------------------------------------------------- */

typedef enum akidb_tier_outcome {
    AKIDB_TIER_PLANNED = 0, /* a dry run: it would move */
    AKIDB_TIER_MOVED = 1,
    AKIDB_TIER_FAILED = 2, /* `detail` says why */
    AKIDB_TIER_WAITS = 3   /* it was not tried; `detail` says what for */
} akidb_tier_outcome;

typedef struct akidb_tier_move {
    akidb_uuid collection;
    char name[256]; /* or "" */
    akidb_tier from, to;
    akidb_tier_outcome outcome;
    akidb_status status; /* of a failure */
    uint64_t bytes;      /* that were copied or read */
    int64_t duration;    /* microseconds */
    char reason[128];    /* e.g. "no access for 6 h" */
    char detail[512];    /* or "" */
} akidb_tier_move;

/* What a cycle did, in its order. */
typedef struct akidb_tier_report {
    akidb_tier_move *moves;
    size_t count;
    size_t moved, failed, waiting; /* of them */
} akidb_tier_report;

/* One cycle: decides about every collection and moves those that the policy has elsewhere, one
 * after the other. A dry run moves nothing and writes nothing. Moves that fail are told in the
 * report, not by the status. AKIDB_E_CANCELLED: the progress hook asked to stop; what had moved is
 * reported all the same. `report_out`, which may be NULL, goes back to akidb_tier_report_free. */
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_run(akidb_tiering *tiering, bool dry_run,
                                                     akidb_tier_report *report_out,
                                                     akidb_error *err);
AKIDB_API void akidb_tier_report_free(akidb_tier_report *report);

/* Starts a thread that runs a cycle now and after each interval, and at once when a cold collection
 * is accessed or a budget is passed. AKIDB_E_ALREADY_EXISTS: it runs. */
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_start(akidb_tiering *tiering, akidb_error *err);

/* Stops the thread within a second; a move that is under way is cancelled, and its collection stays
 * where it was. Nothing happens when none runs. */
AKIDB_API void akidb_tiering_stop(akidb_tiering *tiering);

/* ---- control --------------------------------------------------------------------------------- */

typedef struct akidb_tier_status {
    akidb_uuid id;
    char name[256]; /* or "" */
    akidb_tier tier;
    bool pinned;
    uint64_t documents;
    uint64_t bytes;          /* in memory, on the local disk, or in the object store */
    int64_t last_access;     /* microseconds since the epoch; 0: none is known */
    uint32_t accesses;       /* within the policy's window, and since it last moved */
    uint64_t accesses_total; /* since the state began */
    int64_t moved_at;        /* 0: never, as far as is known */
    uint32_t failures;       /* of moves, since the last that succeeded */
} akidb_tier_status;

/* All collections, in the order of their ids; `status_out` is freed with free(). */
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_status(akidb_tiering *tiering,
                                                        akidb_tier_status **status_out,
                                                        size_t *count_out, akidb_error *err);

/* A pinned collection never moves down, by the policy or by hand; it may move up. On success the
 * pin is on the disk. AKIDB_E_NOT_FOUND: no such collection. */
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_pin(akidb_tiering *tiering,
                                                     const akidb_uuid *collection,
                                                     akidb_error *err);
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_unpin(akidb_tiering *tiering,
                                                       const akidb_uuid *collection,
                                                       akidb_error *err);

/* Moves a collection up or down now. One that is in `to` stays; if its copy in DATA/warm is
 * damaged, it is made again. Without room under a budget the least recently used others move down
 * first; AKIDB_E_LIMIT when that is not enough. AKIDB_E_VALIDATION: `to` lies the other way;
 * AKIDB_E_PRECONDITION: it is pinned (demote). `report_out` may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_promote(akidb_tiering *tiering,
                                                         const akidb_uuid *collection,
                                                         akidb_tier to,
                                                         akidb_move_report *report_out,
                                                         akidb_error *err);
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_demote(akidb_tiering *tiering,
                                                        const akidb_uuid *collection, akidb_tier to,
                                                        akidb_move_report *report_out,
                                                        akidb_error *err);

/* "hot", "warm" or "cold"; "?" for a value that is none. */
AKIDB_API const char *akidb_tier_name(akidb_tier tier);

/* ---- metrics --------------------------------------------------------------------------------- */

/* Budgets, pins, cycles and the causes of moves, in Prometheus' text format. akidb_storage_metrics
 * has the rest: bytes, collections and hits of each tier, moves, their durations and failures.
 * `text_out` is yours to free. */
AKIDB_API AKIDB_CHECK akidb_status akidb_tiering_metrics(akidb_tiering *tiering,
                                                         akidb_buffer *text_out, akidb_error *err);

AKIDB_END_DECLS
#endif
