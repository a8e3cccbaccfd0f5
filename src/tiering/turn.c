/* One turn: waiting for it, looking at the storage, and single moves. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tiering/tiering.h"

enum { WAIT_MS = 100 };

static const int64_t store_retry_first = INT64_C(5) * 1000000,
                     store_retry_longest = INT64_C(300) * 1000000;

/* ---- waiting --------------------------------------------------------------------------------- */

bool ak_turn_goes_on(ak_turn *turn, const akidb_progress *progress)
{
    akidb_tiering *tiering = turn->tiering;
    if (turn->who != AK_BY_WORKER)
        return tiering->hooks.progress == NULL ||
               tiering->hooks.progress(tiering->hooks.context, progress);
    pthread_mutex_lock(&tiering->lock);
    bool stopping = tiering->stopping;
    pthread_mutex_unlock(&tiering->lock);
    return !stopping;
}

/* Waits a little, or until something has changed. */
static void wait_a_little(akidb_tiering *tiering)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += WAIT_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&tiering->changed, &tiering->lock, &until);
}

static akidb_status take_turn(ak_turn *turn, akidb_error *err)
{
    akidb_tiering *tiering = turn->tiering;
    const akidb_progress none = {0};
    bool goes_on = true;
    pthread_mutex_lock(&tiering->lock);
    tiering->orders += turn->who == AK_BY_ORDER ? 1 : 0;
    while (goes_on && (tiering->taken || (turn->who != AK_BY_ORDER && tiering->orders > 0))) {
        wait_a_little(tiering);
        pthread_mutex_unlock(&tiering->lock);
        goes_on = ak_turn_goes_on(turn, &none);
        pthread_mutex_lock(&tiering->lock);
    }
    tiering->orders -= turn->who == AK_BY_ORDER ? 1 : 0;
    tiering->taken = tiering->taken || goes_on;
    pthread_cond_broadcast(&tiering->changed);
    pthread_mutex_unlock(&tiering->lock);
    return goes_on ? AKIDB_OK : ak_fail(err, AKIDB_E_CANCELLED, "tiering: cancelled");
}

void ak_turn_end(ak_turn *turn)
{
    free(turn->infos);
    free(turn->subjects);
    turn->infos = NULL;
    turn->subjects = NULL;
    pthread_mutex_lock(&turn->tiering->lock);
    turn->tiering->taken = false;
    pthread_cond_broadcast(&turn->tiering->changed);
    pthread_mutex_unlock(&turn->tiering->lock);
}

/* ---- looking --------------------------------------------------------------------------------- */

/* Rows of collections that are gone are no harm: what cannot be removed now goes another time. */
static void forget(akidb_tiering *tiering, const akidb_uuid *ids, size_t count)
{
    pthread_mutex_lock(&tiering->state_lock);
    if (tiering->state != NULL && count > 0 &&
        ak_state_forget(tiering->state, ids, count, NULL) != AKIDB_OK)
        atomic_fetch_add(&tiering->counters.state_failures, 1);
    pthread_mutex_unlock(&tiering->state_lock);
}

static akidb_status look(ak_turn *turn, bool ask_again, akidb_error *err)
{
    akidb_tiering *tiering = turn->tiering;
    akidb_uuid *forgotten;
    size_t forgotten_count;
    turn->now = ak_tiering_now(tiering);
    akidb_status status =
        tiering->backend.ops->collections(tiering->backend.handle, &turn->infos, &turn->count, err);
    if (status == AKIDB_OK)
        status = ak_ledger_sync(tiering->ledger, turn->infos, turn->count, turn->now, ask_again,
                                &forgotten, &forgotten_count, err);
    if (status != AKIDB_OK)
        return status;
    if (!turn->dry_run)
        forget(tiering, forgotten, forgotten_count);
    free(forgotten);
    turn->subjects = calloc(turn->count + 1, sizeof *turn->subjects);
    if (turn->subjects == NULL)
        return ak_fail_memory(err, turn->count * sizeof *turn->subjects);
    for (size_t i = 0; i < turn->count; i++)
        turn->subjects[i] = ak_ledger_subject(tiering->ledger, &turn->infos[i], turn->now);
    tiering->used = ak_policy_usage(turn->subjects, turn->count);
    return AKIDB_OK;
}

akidb_status ak_turn_begin(ak_turn *turn, akidb_tiering *tiering, ak_tier_who who, bool dry_run,
                           bool ask_again, akidb_error *err)
{
    *turn = (ak_turn){.tiering = tiering, .who = who, .dry_run = dry_run};
    akidb_status status = take_turn(turn, err);
    if (status != AKIDB_OK)
        return status;
    status = look(turn, ask_again, err);
    if (status != AKIDB_OK)
        ak_turn_end(turn);
    return status;
}

/* ---- whether a move can be tried ------------------------------------------------------------- */

/* A time to come, but not further off than it was ever set: clocks are set back. */
static bool lies_ahead(int64_t now, int64_t time, int64_t longest)
{
    return now < time && now >= time - longest;
}

/* Only from warm into memory needs nothing of the object store: all else begins with a flush, or
 * reads what lies there. */
static bool needs_store(akidb_tier from, akidb_tier to)
{
    return from != AKIDB_TIER_WARM || to != AKIDB_TIER_HOT;
}

/* Whether the decision still holds, moves later; `why` receives what it waits for. */
static bool must_wait(ak_turn *turn, const ak_tier_decision *d, char *why, size_t why_size)
{
    akidb_tiering *tiering = turn->tiering;
    const ak_tier_subject *subject = &turn->subjects[d->subject];
    const akidb_collection_info *info = &turn->infos[d->subject];
    int64_t now = ak_tiering_now(tiering);
    ak_ledger_view view;
    ak_ledger_look(tiering->ledger, &info->id, now, &view);
    bool down = d->to > subject->tier;
    if (down && view.record.pinned) {
        snprintf(why, why_size, "it was pinned meanwhile");
        return true;
    }
    if (ak_policy_passes(&tiering->policy, tiering->used, d->to, subject)) {
        snprintf(why, why_size, "there is no room in %s yet", akidb_tier_name(d->to));
        return true;
    }
    if (turn->who == AK_BY_ORDER)
        return false;
    if (down && view.record.last_access > turn->now) {
        snprintf(why, why_size, "it was accessed meanwhile");
        return true;
    }
    if (needs_store(subject->tier, d->to) &&
        lies_ahead(now, tiering->store_retry_at, store_retry_longest)) {
        snprintf(why, why_size, "the object store failed; next try in %lld s",
                 (long long)((tiering->store_retry_at - now + 999999) / 1000000));
        return true;
    }
    return false;
}

/* ---- moves ----------------------------------------------------------------------------------- */

static bool progress_hook(void *context, const akidb_progress *progress)
{
    return ak_turn_goes_on(context, progress);
}

static void log_hook(void *context, akidb_log_level level, const char *message)
{
    const ak_turn *turn = context;
    ak_tiering_log(turn->tiering, level, "%s", message);
}

static void count_usage(ak_tier_usage *used, const akidb_collection_info *info)
{
    if (info->tier == AKIDB_TIER_HOT)
        used->hot += info->memory_bytes;
    else if (info->tier == AKIDB_TIER_WARM)
        used->warm += info->warm_bytes;
}

/* What is there now, instead of what was: also after a move that failed, which may have got far. */
static void measure_again(ak_turn *turn, size_t i)
{
    akidb_tiering *tiering = turn->tiering;
    ak_tier_usage *used = &tiering->used;
    const ak_tier_subject *subject = &turn->subjects[i];
    akidb_collection_info info;
    if (tiering->backend.ops->collection(tiering->backend.handle, &turn->infos[i].id, &info,
                                         NULL) != AKIDB_OK)
        info.tier = AKIDB_TIER_COLD; /* it was dropped, and takes nothing */
    if (subject->tier == AKIDB_TIER_HOT)
        used->hot -= used->hot < subject->hot_bytes ? used->hot : subject->hot_bytes;
    else if (subject->tier == AKIDB_TIER_WARM)
        used->warm -= used->warm < subject->warm_bytes ? used->warm : subject->warm_bytes;
    count_usage(used, &info);
}

static bool is_of_store(akidb_status status)
{
    return status == AKIDB_E_STORE || status == AKIDB_E_TIMEOUT || status == AKIDB_E_IO ||
           status == AKIDB_E_PERMISSION || status == AKIDB_E_UNCERTAIN;
}

/* What people call the collection, or its id, written to `id`. */
static const char *name_of(const akidb_tier_move *move, char id[AKIDB_UUID_TEXT_SIZE])
{
    akidb_uuid_format(&move->collection, id);
    return move->name[0] != '\0' ? move->name : id;
}

/* Neither one broken collection nor a store that is down may hold up the rest for long, or be asked
 * too often: the collection waits by itself, and so does all that needs the store. */
static void note_failure(ak_turn *turn, const akidb_tier_move *move, const akidb_error *err)
{
    akidb_tiering *tiering = turn->tiering;
    int64_t now = ak_tiering_now(tiering);
    int64_t delay = ak_ledger_failed(tiering->ledger, &move->collection, now);
    int64_t first = delay;
    if (is_of_store(move->status) && needs_store(move->from, move->to)) {
        int64_t wait = store_retry_first;
        for (uint32_t i = 0; i < tiering->store_failures && wait < store_retry_longest; i++)
            wait *= 2;
        wait = wait < store_retry_longest ? wait : store_retry_longest;
        tiering->store_failures += tiering->store_failures < UINT32_MAX ? 1 : 0;
        tiering->store_retry_at = now + wait;
        first = wait < first ? wait : first;
    }
    int64_t retry_at = atomic_load(&tiering->retry_at);
    if (retry_at == 0 || now + first < retry_at)
        atomic_store(&tiering->retry_at, now + first);
    char id[AKIDB_UUID_TEXT_SIZE];
    if (turn->who == AK_BY_WORKER)
        ak_tiering_log(tiering, AKIDB_LOG_WARNING,
                       "moving %s from %s to %s failed, next try in %lld s: %s", name_of(move, id),
                       akidb_tier_name(move->from), akidb_tier_name(move->to),
                       (long long)(delay / 1000000), err->message);
}

static void note_success(ak_turn *turn, const ak_tier_decision *d, const akidb_tier_move *move,
                         int64_t began)
{
    akidb_tiering *tiering = turn->tiering;
    ak_ledger_moved(tiering->ledger, &move->collection, d->to, d->cause, began);
    atomic_fetch_add(&tiering->counters.moved[d->cause], 1);
    if (needs_store(move->from, move->to)) {
        tiering->store_failures = 0;
        tiering->store_retry_at = 0;
    }
    char id[AKIDB_UUID_TEXT_SIZE];
    if (turn->who == AK_BY_WORKER)
        ak_tiering_log(tiering, AKIDB_LOG_INFO, "moved %s from %s to %s: %s", name_of(move, id),
                       akidb_tier_name(move->from), akidb_tier_name(move->to), move->reason);
}

static akidb_status move(ak_turn *turn, size_t i, akidb_tier to, akidb_move_report *report,
                         akidb_error *err)
{
    akidb_tiering *tiering = turn->tiering;
    const akidb_hooks hooks = {turn, progress_hook, log_hook};
    const akidb_move_options options = {
        .struct_size = sizeof options,
        .bytes_per_second = tiering->bytes_per_second,
        .hooks = &hooks,
    };
    akidb_status status = tiering->backend.ops->move(tiering->backend.handle, &turn->infos[i].id,
                                                     to, &options, report, err);
    measure_again(turn, i);
    return status;
}

akidb_status ak_turn_mend(ak_turn *turn, size_t subject, akidb_move_report *report_out,
                          akidb_error *err)
{
    const akidb_collection_info *info = &turn->infos[subject];
    *report_out = (akidb_move_report){.from = info->tier, .to = info->tier};
    if (info->tier != AKIDB_TIER_WARM || info->warm_bytes > 0)
        return AKIDB_OK;
    return move(turn, subject, AKIDB_TIER_WARM, report_out, err);
}

akidb_status ak_turn_move(ak_turn *turn, const ak_tier_decision *d, akidb_tier_move *move_out,
                          akidb_error *err)
{
    akidb_tiering *tiering = turn->tiering;
    const akidb_collection_info *info = &turn->infos[d->subject];
    *move_out = (akidb_tier_move){.collection = info->id, .from = info->tier, .to = d->to};
    memcpy(move_out->name, info->name, sizeof move_out->name);
    memcpy(move_out->reason, d->reason, sizeof move_out->reason);
    if (turn->dry_run)
        return AKIDB_OK;
    move_out->outcome = AKIDB_TIER_WAITS;
    if (must_wait(turn, d, move_out->detail, sizeof move_out->detail))
        return AKIDB_OK;

    akidb_error found = {.status = AKIDB_OK};
    akidb_move_report report = {.bytes = 0};
    int64_t began = ak_tiering_now(tiering);
    akidb_status status = move(turn, d->subject, d->to, &report, &found);
    move_out->bytes = report.bytes;
    move_out->duration = report.duration > 0 ? report.duration : 0;
    if (status == AKIDB_OK) {
        move_out->outcome = AKIDB_TIER_MOVED;
        note_success(turn, d, move_out, began);
        return AKIDB_OK;
    }
    move_out->status = status;
    snprintf(move_out->detail, sizeof move_out->detail, "%.*s", (int)sizeof move_out->detail - 1,
             found.message);
    if (status != AKIDB_E_CANCELLED && status != AKIDB_E_NOT_FOUND) {
        move_out->outcome = AKIDB_TIER_FAILED;
        note_failure(turn, move_out, &found);
    }
    if (err != NULL)
        *err = found;
    return status;
}
