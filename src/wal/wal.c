#include "wal/wal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "wal/log.h"

enum {
    DEFAULT_INTERVAL_MS = 100,
    DEFAULT_SEGMENT_BYTES = 64 << 20,
    MIN_SEGMENT_BYTES = 64 << 10,
    MAX_BYTES_LEAST = 2 * MIN_SEGMENT_BYTES
};

/* ---- the thread of AK_WAL_INTERVAL ----------------------------------------------------------- */

static struct timespec after_ms(uint32_t ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at); /* cannot fail: the clock exists, the pointer is good */
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

static void *sync_now_and_then(void *context)
{
    ak_wal *wal = context;
    pthread_mutex_lock(&wal->mutex);
    while (!wal->closing) {
        struct timespec at = after_ms(wal->interval_ms);
        while (!wal->closing && pthread_cond_timedwait(&wal->closed, &wal->mutex, &at) != ETIMEDOUT)
            continue;
        if (!wal->closing && !wal->failed)
            (void)ak_wal_until_durable(wal, wal->next_lsn - 1, NULL); /* kept in wal->failure */
    }
    pthread_mutex_unlock(&wal->mutex);
    return NULL;
}

static akidb_status start_thread(ak_wal *wal, akidb_error *err)
{
    if (wal->read_only || wal->durability != AK_WAL_INTERVAL)
        return AKIDB_OK;
    int error_number = pthread_create(&wal->thread, NULL, sync_now_and_then, wal);
    if (error_number != 0)
        return ak_fail_errno(err, error_number, wal->folder.path, "starting a thread");
    wal->have_thread = true;
    return AKIDB_OK;
}

static void stop_thread(ak_wal *wal)
{
    if (!wal->have_thread)
        return;
    pthread_mutex_lock(&wal->mutex);
    wal->closing = true;
    pthread_cond_signal(&wal->closed);
    pthread_mutex_unlock(&wal->mutex);
    pthread_join(wal->thread, NULL);
    wal->have_thread = false;
}

/* ---- open ------------------------------------------------------------------------------------ */

static akidb_status check_options(const ak_wal_options *options, akidb_error *err)
{
    if (options->folder == NULL || options->folder[0] == '\0')
        return ak_fail(err, AKIDB_E_VALIDATION, "a log needs a folder");
    if (options->segment_bytes != 0 &&
        (options->segment_bytes < MIN_SEGMENT_BYTES || options->segment_bytes > INT64_MAX / 2))
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(options->folder),
                          "segments of %llu bytes: expected %d at least",
                          (unsigned long long)options->segment_bytes, MIN_SEGMENT_BYTES);
    if (options->max_bytes != 0 && options->max_bytes < MAX_BYTES_LEAST)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(options->folder),
                          "a limit of %llu bytes: expected %d at least",
                          (unsigned long long)options->max_bytes, MAX_BYTES_LEAST);
    if (options->durability > AK_WAL_BY_CALL || options->recovery > AK_WAL_SALVAGE)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(options->folder),
                          "there is no durability %d or no recovery %d", (int)options->durability,
                          (int)options->recovery);
    return AKIDB_OK;
}

/* The last segment stays when all others are removed: it must leave room for what comes then. */
static uint64_t segment_bytes_of(const ak_wal_options *options)
{
    uint64_t bytes =
        options->segment_bytes != 0 ? options->segment_bytes & ~UINT64_C(7) : DEFAULT_SEGMENT_BYTES;
    uint64_t most = (options->max_bytes / 4) & ~UINT64_C(7);
    if (options->max_bytes == 0 || bytes <= most)
        return bytes;
    return most > MIN_SEGMENT_BYTES ? most : MIN_SEGMENT_BYTES;
}

static akidb_status new_log(const ak_wal_options *options, ak_wal **wal_out, akidb_error *err)
{
    ak_wal *wal = calloc(1, sizeof *wal);
    if (wal == NULL)
        return ak_fail_memory(err, sizeof *wal);
    wal->segment_bytes = segment_bytes_of(options);
    uint64_t room =
        wal->segment_bytes - AK_WAL_SEGMENT_HEAD - AK_WAL_RECORD_HEAD - AK_WAL_SEAL_BYTES;
    wal->max_payload =
        room < AK_WAL_RECORD_MAX_PAYLOAD ? (uint32_t)room : AK_WAL_RECORD_MAX_PAYLOAD;
    wal->max_bytes = options->max_bytes;
    wal->interval_ms = options->interval_ms != 0 ? options->interval_ms : DEFAULT_INTERVAL_MS;
    wal->durability = options->durability;
    wal->read_only = options->read_only;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&wal->mutex, NULL);
    pthread_cond_init(&wal->changed, NULL);
    pthread_cond_init(&wal->closed, &attributes);
    pthread_condattr_destroy(&attributes);
    *wal_out = wal;
    return AKIDB_OK;
}

static const akidb_files *files_of(const ak_wal_options *options)
{
    return options->files != NULL ? options->files : akidb_files_system();
}

/* Two logs on one folder would destroy each other. */
static akidb_status take_lock(ak_wal *wal, akidb_error *err)
{
    static const char name[] = "lock";
    const akidb_files *files = wal->folder.files;
    akidb_folder folder = wal->folder.folder;
    int error_number =
        files->ops->open_file(files->handle, folder, name, AKIDB_FILE_CREATE, &wal->lock);
    if (error_number == EEXIST)
        error_number =
            files->ops->open_file(files->handle, folder, name, AKIDB_FILE_UPDATE, &wal->lock);
    if (error_number != 0)
        return ak_wal_fail_errno(&wal->folder, error_number, name, "opening the lock", err);
    error_number = files->ops->lock(files->handle, wal->lock);
    if (error_number == 0)
        return AKIDB_OK;
    (void)files->ops->close_file(files->handle, wal->lock); /* nothing was written */
    if (error_number == EWOULDBLOCK)
        return ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(wal->folder.path),
                          "the log is open already, here or in another process");
    return ak_wal_fail_errno(&wal->folder, error_number, name, "locking the log", err);
}

static void release_lock(ak_wal *wal)
{
    (void)wal->folder.files->ops->close_file(wal->folder.files->handle, wal->lock);
}

static void adopt(ak_wal *wal, ak_wal_outcome *outcome, const ak_wal_ready *ready)
{
    memcpy(wal->log_id, outcome->report.log_id, sizeof wal->log_id);
    wal->file = ready->file;
    wal->file_open = !wal->read_only;
    wal->tail = ready->tail;
    wal->capacity = ready->capacity;
    wal->next_lsn = outcome->next_lsn;
    wal->written_lsn = wal->durable_lsn = wal->next_lsn - 1;
    wal->segments = outcome->segments;
    wal->segment_count = wal->segment_capacity = outcome->count;
    outcome->segments = NULL;
    for (size_t i = 0; i < wal->segment_count; i++)
        wal->total_bytes += wal->segments[i].end;
}

/* Replays, and unless it is only looked at, repairs. */
static akidb_status recover(ak_wal *wal, const ak_wal_options *options, ak_wal_visitor *visitor,
                            void *context, ak_wal_report *report, akidb_error *err)
{
    ak_wal_audience audience = {.entry = visitor, .entry_context = context};
    ak_wal_outcome outcome;
    ak_wal_ready ready = {0};
    akidb_status status = wal->read_only ? AKIDB_OK : ak_wal_remove_temporary(&wal->folder, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_wal_replay(&wal->folder, options->recovery, &audience, &outcome, err);
    if (status == AKIDB_OK && !wal->read_only)
        status = ak_wal_repair(&wal->folder, options->recovery, wal->segment_bytes, &outcome,
                               &ready, err);
    if (status == AKIDB_OK) {
        *report = outcome.report;
        adopt(wal, &outcome, &ready);
    }
    ak_wal_outcome_free(&outcome);
    return status;
}

static void free_log(ak_wal *wal)
{
    ak_wal_folder_close(&wal->folder);
    free(wal->segments);
    free(wal->spares);
    free(wal->filling.pieces);
    free(wal->flushing.pieces);
    akidb_buffer_free(&wal->filling.bytes);
    akidb_buffer_free(&wal->flushing.bytes);
    pthread_mutex_destroy(&wal->mutex);
    pthread_cond_destroy(&wal->changed);
    pthread_cond_destroy(&wal->closed);
    free(wal);
}

akidb_status ak_wal_open(const ak_wal_options *options, ak_wal_visitor *visitor, void *context,
                         ak_wal **wal_out, ak_wal_report *report_out, akidb_error *err)
{
    *wal_out = NULL;
    ak_wal_report report = {0};
    if (report_out != NULL)
        *report_out = report;
    ak_wal *wal = NULL;
    akidb_status status = check_options(options, err);
    if (status == AKIDB_OK)
        status = new_log(options, &wal, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_wal_folder_open(files_of(options), options->folder, !options->read_only,
                                &wal->folder, err);
    if (status == AKIDB_OK && !wal->read_only)
        status = take_lock(wal, err);
    if (status != AKIDB_OK) {
        free_log(wal);
        return status;
    }
    status = recover(wal, options, visitor, context, &report, err);
    if (status == AKIDB_OK)
        status = start_thread(wal, err);
    if (status != AKIDB_OK) {
        if (wal->file_open)
            (void)wal->folder.files->ops->close_file(wal->folder.files->handle, wal->file);
        if (!wal->read_only)
            release_lock(wal);
        free_log(wal);
        return status;
    }
    *wal_out = wal;
    if (report_out != NULL)
        *report_out = report;
    return AKIDB_OK;
}

akidb_status ak_wal_close(ak_wal *wal, akidb_error *err)
{
    if (wal == NULL)
        return AKIDB_OK;
    stop_thread(wal);
    akidb_status status = AKIDB_OK;
    if (!wal->read_only) {
        const akidb_files *files = wal->folder.files;
        status = ak_wal_sync(wal, err);
        if (status == AKIDB_OK && wal->failed)
            status = ak_wal_fail_failed(wal, err);
        ak_wal_discard_spares(wal);
        int error_number = wal->file_open ? files->ops->close_file(files->handle, wal->file) : 0;
        if (status == AKIDB_OK && error_number != 0)
            status = ak_wal_fail_errno(&wal->folder, error_number, NULL, "closing the log", err);
        release_lock(wal);
    }
    free_log(wal);
    return status;
}

akidb_status ak_wal_check(const ak_wal_options *options, const ak_wal_check_visitor *visitor,
                          ak_wal_report *report_out, akidb_error *err)
{
    if (report_out != NULL)
        *report_out = (ak_wal_report){0};
    akidb_status status = check_options(options, err);
    if (status != AKIDB_OK)
        return status;
    ak_wal_folder folder;
    status = ak_wal_folder_open(files_of(options), options->folder, false, &folder, err);
    if (status != AKIDB_OK)
        return status;
    ak_wal_audience audience = {.check = visitor};
    ak_wal_outcome outcome;
    status = ak_wal_replay(&folder, options->recovery, &audience, &outcome, err);
    if (status == AKIDB_OK && report_out != NULL)
        *report_out = outcome.report;
    ak_wal_outcome_free(&outcome);
    ak_wal_folder_close(&folder);
    return status;
}

/* ---- the front of the log -------------------------------------------------------------------- */

/* Removes the first segment. The names are synced one by one: after a power cut no segment may be
 * missing before one that is there. */
static akidb_status remove_first(ak_wal *wal, uint64_t number, bool *sync_failed_out,
                                 akidb_error *err)
{
    const akidb_files *files = wal->folder.files;
    char name[AK_WAL_NAME_SIZE];
    ak_wal_segment_name(number, name);
    *sync_failed_out = false;
    int error_number = files->ops->unlink(files->handle, wal->folder.folder, name);
    if (error_number != 0 && error_number != ENOENT)
        return ak_wal_fail_errno(&wal->folder, error_number, name, "removing a segment", err);
    error_number = files->ops->sync_folder(files->handle, wal->folder.folder);
    *sync_failed_out = error_number != 0;
    if (error_number != 0)
        return ak_wal_fail_errno(&wal->folder, error_number, NULL, "syncing the folder of the log",
                                 err);
    return AKIDB_OK;
}

akidb_status ak_wal_remove_before(ak_wal *wal, uint64_t lsn, akidb_error *err)
{
    if (wal->read_only)
        return ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(wal->folder.path),
                          "the log was opened read-only");
    akidb_error own;
    if (err == NULL)
        err = &own;
    akidb_status status = AKIDB_OK;
    pthread_mutex_lock(&wal->mutex);
    while (wal->removing)
        pthread_cond_wait(&wal->changed, &wal->mutex);
    wal->removing = true;
    while (status == AKIDB_OK && wal->segment_count > 1 && wal->segments[1].first_lsn <= lsn) {
        if (wal->failed) {
            status = ak_wal_fail_failed(wal, err);
            break;
        }
        uint64_t number = wal->segments[0].number;
        bool sync_failed;
        pthread_mutex_unlock(&wal->mutex);
        status = remove_first(wal, number, &sync_failed, err);
        pthread_mutex_lock(&wal->mutex);
        if (sync_failed)
            ak_wal_set_failed(wal, err);
        if (status != AKIDB_OK)
            break;
        wal->total_bytes -= wal->segments[0].end;
        wal->segment_count--;
        memmove(wal->segments, wal->segments + 1, wal->segment_count * sizeof *wal->segments);
    }
    wal->removing = false;
    pthread_cond_broadcast(&wal->changed);
    pthread_mutex_unlock(&wal->mutex);
    return status;
}

void ak_wal_get_statistics(const ak_wal *wal, ak_wal_statistics *statistics_out)
{
    ak_wal *shared = (ak_wal *)(uintptr_t)wal; /* only its mutex changes */
    pthread_mutex_lock(&shared->mutex);
    *statistics_out = (ak_wal_statistics){
        .last_lsn = wal->next_lsn - 1,
        .durable_lsn = wal->durable_lsn,
        .entries = wal->entries,
        .bytes = wal->bytes,
        .syncs = wal->syncs,
        .segments = wal->segment_count,
        .failed = wal->failed,
    };
    for (size_t i = 0; i < wal->segment_count; i++)
        statistics_out->segment_bytes += wal->segments[i].end;
    pthread_mutex_unlock(&shared->mutex);
}
