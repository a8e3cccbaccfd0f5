/* A tiering from begin to end: options, hooks, clock, state. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/options.h"
#include "base/utf8.h"
#include "tiering/tiering.h"

enum { SAVE_RECORDS = 256 };

/* ---- hooks and clock ------------------------------------------------------------------------- */

int64_t ak_tiering_now(const akidb_tiering *tiering)
{
    return akidb_clock_now(tiering->has_clock ? &tiering->clock : NULL);
}

void ak_tiering_log(akidb_tiering *tiering, akidb_log_level level, const char *format, ...)
{
    if (tiering->hooks.log == NULL)
        return;
    char line[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    ak_utf8_make_line(line, strlen(line)); /* names may have newlines */
    pthread_mutex_lock(&tiering->log_lock);
    tiering->hooks.log(tiering->hooks.context, level, line);
    pthread_mutex_unlock(&tiering->log_lock);
}

/* The storage's hook: any thread, many at once. */
static void on_access(void *context, const akidb_uuid *id, akidb_access kind)
{
    akidb_tiering *tiering = context;
    if (kind == AKIDB_ACCESS_UPSERT &&
        !atomic_load_explicit(&tiering->written, memory_order_relaxed))
        atomic_store(&tiering->written, true);
    if (ak_ledger_access(tiering->ledger, id, ak_tiering_now(tiering)))
        ak_tiering_call(tiering);
}

/* ---- state ----------------------------------------------------------------------------------- */

/* What only makes tiering forget is told and lived with. */
static akidb_status open_state(akidb_tiering *tiering, const akidb_tiering_options *options,
                               akidb_error *err)
{
    char note[AK_STATE_NOTE_SIZE];
    akidb_error found;
    if (options->data_folder == NULL)
        return AKIDB_OK;
    akidb_status status = ak_state_open(options->data_folder, tiering->ledger,
                                        options->policy == NULL, &tiering->state, note, &found);
    if (options->policy == NULL)
        tiering->policy.promote_window =
            (uint64_t)ak_ledger_slot_length(tiering->ledger) * AK_LEDGER_SLOTS;
    if (note[0] != '\0')
        ak_tiering_log(tiering, AKIDB_LOG_WARNING, "%s", note);
    if (status == AKIDB_E_IO || status == AKIDB_E_PERMISSION || status == AKIDB_E_CORRUPTION) {
        tiering->state_is_lost = true;
        ak_tiering_log(tiering, AKIDB_LOG_WARNING, "accesses and pins are kept in memory alone: %s",
                       found.message);
        return AKIDB_OK;
    }
    if (status != AKIDB_OK && err != NULL)
        *err = found;
    return status;
}

static akidb_status save(akidb_tiering *tiering, akidb_error *err)
{
    ak_record *records = calloc(SAVE_RECORDS, sizeof *records);
    if (records == NULL)
        return ak_fail_memory(err, SAVE_RECORDS * sizeof *records);
    akidb_status status = AKIDB_OK;
    size_t taken = SAVE_RECORDS;
    while (status == AKIDB_OK && taken == SAVE_RECORDS) {
        taken = ak_ledger_take_changed(tiering->ledger, records, SAVE_RECORDS);
        if (taken > 0)
            status = ak_state_write(tiering->state, records, taken, false, err);
        if (status != AKIDB_OK)
            ak_ledger_put_back(tiering->ledger, records, taken);
    }
    free(records);
    return status;
}

akidb_status ak_tiering_save(akidb_tiering *tiering, akidb_error *err)
{
    akidb_error found;
    pthread_mutex_lock(&tiering->state_lock);
    akidb_status status = tiering->state == NULL ? AKIDB_OK : save(tiering, &found);
    bool news = (status != AKIDB_OK) != tiering->state_fails;
    tiering->state_fails = status != AKIDB_OK;
    pthread_mutex_unlock(&tiering->state_lock);
    if (status == AKIDB_OK) {
        if (news)
            ak_tiering_log(tiering, AKIDB_LOG_INFO, "the state of tiering is written again");
        return AKIDB_OK;
    }
    atomic_fetch_add(&tiering->counters.state_failures, 1);
    if (news)
        ak_tiering_log(tiering, AKIDB_LOG_WARNING,
                       "the state of tiering cannot be written and stays in memory: %s",
                       found.message);
    if (err != NULL)
        *err = found;
    return status;
}

/* ---- from begin to end ----------------------------------------------------------------------- */

static akidb_status set_options(akidb_tiering *tiering, const akidb_tiering_options *given,
                                akidb_tiering_options *options, akidb_error *err)
{
    akidb_status status =
        ak_options_copy(options, sizeof *options, given, "akidb_tiering_options", err);
    if (status == AKIDB_OK)
        status = ak_policy_copy(&tiering->policy, options->policy, err);
    if (status != AKIDB_OK)
        return status;
    const uint64_t interval_default = UINT64_C(300) * 1000000,
                   interval_max = UINT64_C(366) * 86400 * 1000000;
    if (options->interval > interval_max)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "interval: expected at most 366 days, found %llu microseconds",
                       (unsigned long long)options->interval);
    tiering->interval = options->interval == 0 ? interval_default : options->interval;
    tiering->bytes_per_second = options->bytes_per_second;
    tiering->has_clock = options->clock != NULL;
    if (tiering->has_clock)
        tiering->clock = *options->clock;
    if (options->hooks != NULL)
        tiering->hooks = *options->hooks;
    return AKIDB_OK;
}

static void init_locks(akidb_tiering *tiering)
{
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&tiering->changed, &steady);
    pthread_condattr_destroy(&steady);
    pthread_mutex_init(&tiering->lock, NULL);
    pthread_mutex_init(&tiering->log_lock, NULL);
    pthread_mutex_init(&tiering->state_lock, NULL);
}

static void free_tiering(akidb_tiering *tiering)
{
    ak_state_close(tiering->state);
    ak_ledger_free(tiering->ledger);
    pthread_cond_destroy(&tiering->changed);
    pthread_mutex_destroy(&tiering->lock);
    pthread_mutex_destroy(&tiering->log_lock);
    pthread_mutex_destroy(&tiering->state_lock);
    free(tiering);
}

/* A first look, so that an access knows from the beginning which collections are cold. */
static akidb_status look(akidb_tiering *tiering, akidb_error *err)
{
    akidb_collection_info *infos;
    size_t count;
    int64_t now = ak_tiering_now(tiering);
    akidb_status status =
        tiering->backend.ops->collections(tiering->backend.handle, &infos, &count, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = ak_ledger_meet(tiering->ledger, &infos[i], now, err);
    free(infos);
    return status;
}

akidb_status ak_tiering_open_on(ak_tier_backend backend, const akidb_tiering_options *given,
                                akidb_tiering **tiering_out, akidb_error *err)
{
    *tiering_out = NULL;
    akidb_tiering_options options;
    akidb_tiering *tiering = calloc(1, sizeof *tiering);
    if (tiering == NULL)
        return ak_fail_memory(err, sizeof *tiering);
    init_locks(tiering);
    tiering->backend = backend;
    akidb_status status = set_options(tiering, given, &options, err);
    if (status == AKIDB_OK)
        status = ak_ledger_new(tiering->policy.promote_window, &tiering->ledger, err);
    if (status == AKIDB_OK)
        status = open_state(tiering, &options, err);
    if (status == AKIDB_OK)
        status = look(tiering, err);
    if (status != AKIDB_OK) {
        free_tiering(tiering);
        return status;
    }
    backend.ops->on_access(backend.handle, tiering, on_access);
    *tiering_out = tiering;
    return AKIDB_OK;
}

akidb_status akidb_tiering_close(akidb_tiering *tiering, akidb_error *err)
{
    if (tiering == NULL)
        return AKIDB_OK;
    akidb_tiering_stop(tiering);
    tiering->backend.ops->on_access(tiering->backend.handle, NULL, NULL);
    akidb_status status = ak_tiering_save(tiering, err);
    free_tiering(tiering);
    return status;
}
