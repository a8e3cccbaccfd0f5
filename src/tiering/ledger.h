#ifndef AK_TIERING_LEDGER_H
#define AK_TIERING_LEDGER_H
/*
 * What is known of each collection: accesses, pins, moves. In memory; state.h keeps it on the disk.
 *
 *   Window    The policy's window is counted in AK_LEDGER_SLOTS slots, the running one and those
 *             before it: what it holds happened within the window, never before it, and at most a
 *             slot's length of the window is left out.
 *   Threads   All functions but free may be called from many threads at once. Collections are
 *             spread over stripes, each with a lock that is held for a few instructions.
 *   Bounds    Between two syncs an access may make known a limited number of new collections;
 *             beyond that it is only counted as unrecorded.
 */
#include "tiering/policy.h"

enum { AK_LEDGER_SLOTS = 60 };

/* What outlives the process. Times are microseconds since the epoch. */
typedef struct ak_record {
    akidb_uuid id;
    akidb_tier tier; /* where it was when it was last looked at */
    ak_tier_cause cause;
    bool pinned;
    int64_t fresh_at;       /* when it was first seen or moved up: counts as use, not as access */
    int64_t last_access;    /* 0: none */
    int64_t moved_at;       /* 0: never */
    uint64_t accesses;      /* all of them */
    uint64_t hot_bytes;     /* that it took in memory when it was last there ... */
    uint64_t hot_documents; /* ... with so many documents; 0: not known */
    int64_t newest_slot;    /* time / the length of a slot */
    uint32_t slots[AK_LEDGER_SLOTS]; /* accesses since it moved; slot s at s % AK_LEDGER_SLOTS */
} ak_record;

typedef struct ak_ledger ak_ledger;

/* `window` is the policy's, in microseconds. */
AKIDB_CHECK akidb_status ak_ledger_new(uint64_t window, ak_ledger **ledger_out, akidb_error *err);
void ak_ledger_free(ak_ledger *ledger); /* NULL is fine */

int64_t ak_ledger_slot_length(const ak_ledger *ledger);
/* Before anything is counted. */
void ak_ledger_set_slot_length(ak_ledger *ledger, int64_t length);

/* Counts an access. True when somebody should look soon: the collection is cold, and nobody was
 * told since the last ak_ledger_sync that asked for it. */
bool ak_ledger_access(ak_ledger *ledger, const akidb_uuid *id, int64_t now);

/* Puts in what a file remembered of a collection. */
AKIDB_CHECK akidb_status ak_ledger_restore(ak_ledger *ledger, const ak_record *record,
                                           akidb_error *err);

/* Brings the ledger to what the storage says: knows new collections, sees moves that others made,
 * measures, and forgets what is gone. `listed_at` is a time before the list was made; what became
 * known later stays. `ask_again`: cold collections may call for attention again. `forgotten_out`,
 * which may be NULL, is freed with free(). */
AKIDB_CHECK akidb_status ak_ledger_sync(ak_ledger *ledger, const akidb_collection_info *infos,
                                        size_t count, int64_t listed_at, bool ask_again,
                                        akidb_uuid **forgotten_out, size_t *forgotten_count_out,
                                        akidb_error *err);

/* The same for one collection, which may be new. */
AKIDB_CHECK akidb_status ak_ledger_meet(ak_ledger *ledger, const akidb_collection_info *info,
                                        int64_t now, akidb_error *err);

/* A record, and what only this process knows. */
typedef struct ak_ledger_view {
    ak_record record;
    uint32_t accesses; /* within the window */
    uint32_t failures; /* of moves, since the last that succeeded */
    int64_t retry_at;  /* not before; 0: at any time */
} ak_ledger_view;

/* False when it is not known. */
bool ak_ledger_look(ak_ledger *ledger, const akidb_uuid *id, int64_t now, ak_ledger_view *view_out);

/* What the policy is told of a collection. */
ak_tier_subject ak_ledger_subject(ak_ledger *ledger, const akidb_collection_info *info,
                                  int64_t now);

/* A move to `tier` that began at `at` has succeeded. */
void ak_ledger_moved(ak_ledger *ledger, const akidb_uuid *id, akidb_tier tier, ak_tier_cause cause,
                     int64_t at);
/* A move has failed; returns after how long it may be tried again. */
int64_t ak_ledger_failed(ak_ledger *ledger, const akidb_uuid *id, int64_t now);

/* Returns whether it was pinned before. */
bool ak_ledger_pin(ak_ledger *ledger, const akidb_uuid *id, bool pinned);

/* Copies at most `max` records that have changed since they were last taken. */
size_t ak_ledger_take_changed(ak_ledger *ledger, ak_record *records, size_t max);
/* They could not be written: they count as changed again. */
void ak_ledger_put_back(ak_ledger *ledger, const ak_record *records, size_t count);

typedef struct ak_ledger_counts {
    uint64_t unrecorded; /* accesses, since the ledger was made */
    uint64_t pinned;
} ak_ledger_counts;
ak_ledger_counts ak_ledger_count(ak_ledger *ledger);

#endif
