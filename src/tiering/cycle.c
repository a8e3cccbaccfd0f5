/* A cycle: the policy's decisions about all collections, carried out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "tiering/tiering.h"

typedef struct moves {
    akidb_tier_report *report;
    size_t capacity;
} moves;

static akidb_status note(moves *all, const akidb_tier_move *move, akidb_error *err)
{
    akidb_tier_report *report = all->report;
    void *grown = report->moves;
    akidb_status status =
        ak_array_reserve(&grown, &all->capacity, report->count + 1, sizeof *report->moves, err);
    report->moves = grown;
    if (status != AKIDB_OK)
        return status;
    report->moves[report->count++] = *move;
    report->moved += move->outcome == AKIDB_TIER_MOVED ? 1 : 0;
    report->failed += move->outcome == AKIDB_TIER_FAILED ? 1 : 0;
    report->waiting += move->outcome == AKIDB_TIER_WAITS ? 1 : 0;
    return AKIDB_OK;
}

/* An order goes before what is left of a cycle, which then begins anew. */
static bool gives_way(akidb_tiering *tiering)
{
    pthread_mutex_lock(&tiering->lock);
    bool orders = tiering->orders > 0;
    pthread_mutex_unlock(&tiering->lock);
    if (orders)
        ak_tiering_call(tiering);
    return orders;
}

static akidb_status carry_out(ak_turn *turn, const ak_tier_decision *decisions, size_t count,
                              akidb_tier_report *report, size_t *moved_out, akidb_error *err)
{
    const akidb_progress none = {0};
    moves all = {report, 0};
    *moved_out = 0;
    for (size_t i = 0; i < count; i++) {
        akidb_tier_move move;
        akidb_error found;
        if (!ak_turn_goes_on(turn, &none))
            return ak_fail(err, AKIDB_E_CANCELLED, "tiering: cancelled");
        if (!turn->dry_run && gives_way(turn->tiering))
            return AKIDB_OK;
        akidb_status moved = ak_turn_move(turn, &decisions[i], &move, &found);
        *moved_out += moved == AKIDB_OK && move.outcome == AKIDB_TIER_MOVED ? 1 : 0;
        akidb_status status = report == NULL ? AKIDB_OK : note(&all, &move, err);
        if (status != AKIDB_OK)
            return status;
        if (moved == AKIDB_E_CANCELLED) {
            if (err != NULL)
                *err = found;
            return moved;
        }
    }
    return AKIDB_OK;
}

akidb_status ak_tiering_cycle(akidb_tiering *tiering, ak_tier_who who, bool dry_run, bool ask_again,
                              akidb_tier_report *report_out, akidb_error *err)
{
    ak_turn turn;
    ak_tier_decision *decisions;
    size_t count, moved = 0;
    akidb_status status = ak_turn_begin(&turn, tiering, who, dry_run, ask_again, err);
    if (status != AKIDB_OK)
        return status;
    if (!dry_run)
        atomic_store(&tiering->retry_at, 0);
    status = ak_policy_decide(&tiering->policy, turn.now, turn.subjects, turn.count, &decisions,
                              &count, err);
    if (status == AKIDB_OK)
        status = carry_out(&turn, decisions, count, report_out, &moved, err);
    free(decisions);
    if (!dry_run) {
        atomic_fetch_add(&tiering->counters.cycles, 1);
        atomic_store(&tiering->counters.waiting, count - moved);
        atomic_store(&tiering->counters.cycle_at, ak_tiering_now(tiering));
        /* A state that cannot be written is told by the log: the moves are made all the same. */
        akidb_status saved = ak_tiering_save(tiering, NULL);
        (void)saved;
    }
    ak_turn_end(&turn);
    return status;
}

akidb_status akidb_tiering_run(akidb_tiering *tiering, bool dry_run, akidb_tier_report *report_out,
                               akidb_error *err)
{
    if (report_out != NULL)
        *report_out = (akidb_tier_report){.count = 0};
    akidb_status status = ak_tiering_cycle(tiering, AK_BY_CALL, dry_run, true, report_out, err);
    if (status != AKIDB_OK && status != AKIDB_E_CANCELLED)
        akidb_tier_report_free(report_out);
    return status;
}

void akidb_tier_report_free(akidb_tier_report *report)
{
    if (report == NULL)
        return;
    free(report->moves);
    *report = (akidb_tier_report){.count = 0};
}

bool ak_tiering_is_over(akidb_tiering *tiering)
{
    const akidb_tier_policy *policy = &tiering->policy;
    akidb_collection_info *infos;
    size_t count;
    uint64_t hot = 0, warm = 0;
    if (tiering->backend.ops->collections(tiering->backend.handle, &infos, &count, NULL) !=
        AKIDB_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        hot += infos[i].tier == AKIDB_TIER_HOT ? infos[i].memory_bytes : 0;
        warm += infos[i].tier == AKIDB_TIER_WARM ? infos[i].warm_bytes : 0;
    }
    free(infos);
    return (policy->hot_budget != 0 && hot > policy->hot_budget) ||
           (policy->warm_budget != 0 && warm > policy->warm_budget);
}
