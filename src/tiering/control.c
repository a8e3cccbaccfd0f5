/* What people ask for: status, pins, orders. */
#include <stdlib.h>
#include <string.h>

#include "tiering/tiering.h"

/* ---- status ---------------------------------------------------------------------------------- */

static akidb_tier_status status_of(akidb_tiering *tiering, const akidb_collection_info *info,
                                   int64_t now)
{
    ak_ledger_view view;
    ak_ledger_look(tiering->ledger, &info->id, now, &view);
    akidb_tier_status status = {
        .id = info->id,
        .tier = info->tier,
        .pinned = view.record.pinned,
        .documents = info->documents,
        .bytes = info->tier == AKIDB_TIER_HOT    ? info->memory_bytes
                 : info->tier == AKIDB_TIER_WARM ? info->warm_bytes
                                                 : info->snapshot_bytes,
        .last_access = view.record.last_access,
        .accesses = view.accesses,
        .accesses_total = view.record.accesses,
        .moved_at = view.record.moved_at,
        .failures = view.failures,
    };
    memcpy(status.name, info->name, sizeof status.name);
    return status;
}

akidb_status akidb_tiering_status(akidb_tiering *tiering, akidb_tier_status **status_out,
                                  size_t *count_out, akidb_error *err)
{
    *status_out = NULL;
    *count_out = 0;
    akidb_collection_info *infos;
    size_t count;
    akidb_status status =
        tiering->backend.ops->collections(tiering->backend.handle, &infos, &count, err);
    if (status != AKIDB_OK)
        return status;
    akidb_tier_status *all = calloc(count + 1, sizeof *all);
    int64_t now = ak_tiering_now(tiering);
    for (size_t i = 0; i < count && all != NULL; i++)
        all[i] = status_of(tiering, &infos[i], now);
    free(infos);
    if (all == NULL)
        return ak_fail_memory(err, count * sizeof *all);
    *status_out = all;
    *count_out = count;
    return AKIDB_OK;
}

/* ---- pins ------------------------------------------------------------------------------------ */

/* A pin that is not on the disk would be forgotten when it matters. */
static akidb_status write_pin(akidb_tiering *tiering, const akidb_uuid *id, akidb_error *err)
{
    ak_ledger_view view;
    akidb_status status = AKIDB_OK;
    pthread_mutex_lock(&tiering->state_lock);
    if (tiering->state_is_lost)
        status = ak_fail(err, AKIDB_E_IO,
                         "the state of tiering could not be opened, so a pin would not last");
    else if (tiering->state != NULL &&
             ak_ledger_look(tiering->ledger, id, ak_tiering_now(tiering), &view))
        status = ak_state_write(tiering->state, &view.record, 1, true, err);
    pthread_mutex_unlock(&tiering->state_lock);
    return status;
}

static akidb_status set_pin(akidb_tiering *tiering, const akidb_uuid *id, bool pinned,
                            akidb_error *err)
{
    akidb_collection_info info;
    akidb_status status = tiering->backend.ops->collection(tiering->backend.handle, id, &info, err);
    if (status == AKIDB_OK)
        status = ak_ledger_meet(tiering->ledger, &info, ak_tiering_now(tiering), err);
    if (status != AKIDB_OK)
        return status;
    bool before = ak_ledger_pin(tiering->ledger, id, pinned);
    if (before == pinned)
        return AKIDB_OK;
    status = write_pin(tiering, id, err);
    if (status != AKIDB_OK)
        ak_ledger_pin(tiering->ledger, id, before);
    return status;
}

akidb_status akidb_tiering_pin(akidb_tiering *tiering, const akidb_uuid *collection,
                               akidb_error *err)
{
    return set_pin(tiering, collection, true, err);
}

akidb_status akidb_tiering_unpin(akidb_tiering *tiering, const akidb_uuid *collection,
                                 akidb_error *err)
{
    return set_pin(tiering, collection, false, err);
}

/* ---- orders ---------------------------------------------------------------------------------- */

static akidb_status find(const ak_turn *turn, const akidb_uuid *id, size_t *at_out,
                         akidb_error *err)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    for (size_t i = 0; i < turn->count; i++)
        if (akidb_uuid_compare(&turn->infos[i].id, id) == 0) {
            *at_out = i;
            return AKIDB_OK;
        }
    akidb_uuid_format(id, text);
    return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(text), "there is no such collection");
}

static akidb_status check_order(const ak_tier_subject *subject, const akidb_uuid *id, akidb_tier to,
                                bool up, akidb_error *err)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    if (up ? to > subject->tier : to < subject->tier)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(text),
                          "%s: expected a tier %s %s, found %s", up ? "promote" : "demote",
                          up ? "above" : "below", akidb_tier_name(subject->tier),
                          akidb_tier_name(to));
    if (!up && subject->pinned)
        return ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(text),
                          "it is pinned to stay in %s: unpin it first",
                          akidb_tier_name(subject->tier));
    return AKIDB_OK;
}

/* The last decision is the order itself, those before make room for it. */
static akidb_status carry_out(ak_turn *turn, const ak_tier_decision *decisions, size_t count,
                              size_t subject, akidb_move_report *report, akidb_error *err)
{
    for (size_t i = 0; i < count; i++) {
        akidb_tier_move move;
        akidb_status status = ak_turn_move(turn, &decisions[i], &move, err);
        if (decisions[i].subject == subject) {
            *report = (akidb_move_report){move.from, move.to, move.bytes, move.duration};
            if (status == AKIDB_OK && move.outcome == AKIDB_TIER_WAITS)
                status = ak_fail(err, AKIDB_E_LIMIT, "%s", move.detail);
        } else if (status != AKIDB_OK) {
            ak_error_context(err, "making room in %s", akidb_tier_name(move.from));
        }
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

static akidb_status order(akidb_tiering *tiering, const akidb_uuid *id, akidb_tier to, bool up,
                          akidb_move_report *report, akidb_error *err)
{
    ak_turn turn;
    size_t at = 0, count = 0;
    ak_tier_decision *decisions = NULL;
    if ((unsigned)to > AKIDB_TIER_COLD)
        return ak_fail(err, AKIDB_E_VALIDATION, "tier: expected 0 to 2, found %d", (int)to);
    akidb_status status = ak_turn_begin(&turn, tiering, AK_BY_ORDER, false, false, err);
    if (status != AKIDB_OK)
        return status;
    status = find(&turn, id, &at, err);
    if (status == AKIDB_OK && to == turn.subjects[at].tier) {
        status = ak_turn_mend(&turn, at, report, err);
    } else if (status == AKIDB_OK) {
        status = check_order(&turn.subjects[at], id, to, up, err);
        if (status == AKIDB_OK)
            status = ak_policy_order(&tiering->policy, turn.now, turn.subjects, turn.count, at, to,
                                     &decisions, &count, err);
        if (status == AKIDB_OK)
            status = carry_out(&turn, decisions, count, at, report, err);
        free(decisions);
    }
    ak_turn_end(&turn);
    /* What cannot be written is told by the log, and written later. */
    akidb_status saved = ak_tiering_save(tiering, NULL);
    (void)saved;
    return status;
}

static akidb_status order_and_report(akidb_tiering *tiering, const akidb_uuid *id, akidb_tier to,
                                     bool up, akidb_move_report *report_out, akidb_error *err)
{
    akidb_move_report report = {.bytes = 0};
    akidb_status status = order(tiering, id, to, up, &report, err);
    if (report_out != NULL)
        *report_out = status == AKIDB_OK ? report : (akidb_move_report){.bytes = 0};
    return status;
}

akidb_status akidb_tiering_promote(akidb_tiering *tiering, const akidb_uuid *collection,
                                   akidb_tier to, akidb_move_report *report_out, akidb_error *err)
{
    return order_and_report(tiering, collection, to, true, report_out, err);
}

akidb_status akidb_tiering_demote(akidb_tiering *tiering, const akidb_uuid *collection,
                                  akidb_tier to, akidb_move_report *report_out, akidb_error *err)
{
    return order_and_report(tiering, collection, to, false, report_out, err);
}
