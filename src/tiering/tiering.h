#ifndef AK_TIERING_TIERING_H
#define AK_TIERING_TIERING_H
/*
 * The inside of a tiering.
 *
 *   Turns     A cycle, or an order (promote, demote), has the turn from its look at the storage to
 *             its last move. So there is one move at a time, budgets are checked against what is
 *             really there, and bytes_per_second holds for all moves together. An order comes
 *             before the next move of a cycle.
 *   Locks     ledger stripes (ledger.h), for a few instructions each; `lock`; state_lock, which is
 *             held while SQLite works and which no call of the storage ever waits for. None is held
 *             during a move, and none within another, except log_lock, within which nothing is.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/error.h"
#include "tiering/backend.h"
#include "tiering/ledger.h"
#include "tiering/policy.h"
#include "tiering/state.h"

/* The storage counts moves by their tiers; here is why they were made. */
typedef struct ak_tiering_counters {
    _Atomic uint64_t cycles, moved[4] /* by cause */, waiting /* after the last cycle */;
    _Atomic int64_t cycle_at; /* the end of the last */
    _Atomic uint64_t state_failures;
} ak_tiering_counters;

struct akidb_tiering {
    ak_tier_backend backend;
    akidb_tier_policy policy;
    uint64_t interval, bytes_per_second;
    akidb_clock clock;
    bool has_clock;
    akidb_hooks hooks;
    pthread_mutex_t log_lock;
    ak_ledger *ledger;
    ak_tiering_counters counters;
    _Atomic bool written; /* there was an upsert since the worker looked at the budgets */

    pthread_mutex_t state_lock;
    ak_state *state;    /* NULL: memory alone */
    bool state_is_lost; /* there should be one, and it could not be opened */
    bool state_fails;   /* the last write did, and was told */

    pthread_mutex_t lock;   /* of all below */
    pthread_cond_t changed; /* any of it */
    bool taken;             /* somebody has the turn */
    size_t orders;          /* that wait for it */
    bool has_thread, stopping;
    pthread_t thread;
    bool called; /* the worker should look at once */

    /* Of who has the turn. */
    ak_tier_usage used;
    uint32_t store_failures;  /* since what needs the object store last succeeded */
    int64_t store_retry_at;   /* what needs it waits until then; 0: for nothing */
    _Atomic int64_t retry_at; /* the earliest that a failed move may be tried again; 0: none; the
                                 worker reads it at any time */
};

/* ---- open.c ---------------------------------------------------------------------------------- */

/* akidb_tiering_open on another backend than a storage. */
AKIDB_CHECK akidb_status ak_tiering_open_on(ak_tier_backend backend,
                                            const akidb_tiering_options *options,
                                            akidb_tiering **tiering_out, akidb_error *err);

int64_t ak_tiering_now(const akidb_tiering *tiering);
void ak_tiering_log(akidb_tiering *tiering, akidb_log_level level, const char *format, ...)
    AK_PRINTF(3, 4);

/* Writes what has changed. A failure is told to the log once, and tried again with the next call.
 */
AKIDB_CHECK akidb_status ak_tiering_save(akidb_tiering *tiering, akidb_error *err);

/* ---- turn.c ---------------------------------------------------------------------------------- */

typedef enum ak_tier_who { AK_BY_CALL = 0, AK_BY_WORKER = 1, AK_BY_ORDER = 2 } ak_tier_who;

/* One turn: what is known at its beginning, and the way to stop it. */
typedef struct ak_turn {
    akidb_tiering *tiering;
    ak_tier_who who;
    bool dry_run;
    int64_t now; /* when it looked at the storage */
    akidb_collection_info *infos;
    ak_tier_subject *subjects;
    size_t count;
} ak_turn;

/* Waits for the turn and looks. `ask_again` as in ak_ledger_sync. AKIDB_E_CANCELLED. On failure the
 * turn has ended. */
AKIDB_CHECK akidb_status ak_turn_begin(ak_turn *turn, akidb_tiering *tiering, ak_tier_who who,
                                       bool dry_run, bool ask_again, akidb_error *err);
void ak_turn_end(ak_turn *turn);

/* False: whoever runs it wants it to stop. */
bool ak_turn_goes_on(ak_turn *turn, const akidb_progress *progress);

/* Does one decision, or finds that it has to wait; *move_out tells. Fails as the move did. */
AKIDB_CHECK akidb_status ak_turn_move(ak_turn *turn, const ak_tier_decision *decision,
                                      akidb_tier_move *move_out, akidb_error *err);

/* Has the local copy of a warm collection made again, if it is damaged or missing. */
AKIDB_CHECK akidb_status ak_turn_mend(ak_turn *turn, size_t subject, akidb_move_report *report_out,
                                      akidb_error *err);

/* ---- cycle.c --------------------------------------------------------------------------------- */

/* akidb_tiering_run; `ask_again` as in ak_ledger_sync. */
AKIDB_CHECK akidb_status ak_tiering_cycle(akidb_tiering *tiering, ak_tier_who who, bool dry_run,
                                          bool ask_again, akidb_tier_report *report_out,
                                          akidb_error *err);

/* Whether a budget is passed, by what the storage holds now. */
bool ak_tiering_is_over(akidb_tiering *tiering);

/* ---- worker.c -------------------------------------------------------------------------------- */

/* Has the worker look at once. */
void ak_tiering_call(akidb_tiering *tiering);

#endif
