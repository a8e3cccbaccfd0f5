#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "base/error.h"
#include "base/options.h"
#include "os/path.h"
#include "os/random.h"
#include "snapshot/snapshotter.h"
#include "storage/storage.h"

/* ---- hooks and clock ------------------------------------------------------------------------- */

int64_t ak_storage_now(const akidb_storage *storage)
{
    return akidb_clock_now(storage->has_clock ? &storage->clock : NULL);
}

/* The one way to the caller's log: also of both snapshotters, so that one call comes at a time. */
static void log_hook(void *context, akidb_log_level level, const char *message)
{
    akidb_storage *storage = context;
    pthread_mutex_lock(&storage->log_lock);
    storage->hooks.log(storage->hooks.context, level, message);
    pthread_mutex_unlock(&storage->log_lock);
}

static bool progress_hook(void *context, const akidb_progress *progress)
{
    akidb_storage *storage = context;
    return storage->hooks.progress(storage->hooks.context, progress);
}

void ak_storage_log(akidb_storage *storage, akidb_log_level level, const akidb_error *err,
                    const char *format, ...)
{
    if (storage->hooks.log == NULL)
        return;
    char text[256], line[sizeof text + sizeof err->message + 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "%s: %s", text, err->message);
    log_hook(storage, level, line);
}

/* ---- options --------------------------------------------------------------------------------- */

static akidb_status check_options(const akidb_storage_options *options, akidb_error *err)
{
    if (options->data_folder == NULL || options->data_folder[0] == '\0')
        return ak_fail(err, AKIDB_E_VALIDATION, "data_folder: expected a path, found none");
    if ((unsigned)options->durability > AKIDB_DURABLE_BY_CALL)
        return ak_fail(err, AKIDB_E_VALIDATION, "durability: expected 0 to 2, found %d",
                       (int)options->durability);
    if ((unsigned)options->recovery > AKIDB_RECOVER_SALVAGE)
        return ak_fail(err, AKIDB_E_VALIDATION, "recovery: expected 0 to 2, found %d",
                       (int)options->recovery);
    return AKIDB_OK;
}

/* `snapshots` is the library's own copy. */
static akidb_status set_options(akidb_storage *storage, const akidb_storage_options *options,
                                const akidb_snapshotter_options *snapshots, akidb_error *err)
{
    const uint64_t wal_default = UINT64_C(256) << 20, age_default = UINT64_C(15) * 60 * 1000000;
    storage->hooks = snapshots->hooks;
    storage->has_clock = snapshots->clock != NULL;
    if (storage->has_clock)
        storage->clock = *snapshots->clock;
    storage->durability = options->durability;
    storage->flush_wal_bytes =
        options->flush_wal_bytes == 0 ? wal_default : options->flush_wal_bytes;
    storage->flush_age = options->flush_age == 0 ? age_default : options->flush_age;
    storage->has_retention = options->retention != NULL;
    akidb_status status = ak_options_copy(&storage->retention, sizeof storage->retention,
                                          options->retention, "akidb_retention", err);
    storage->retention.struct_size = sizeof storage->retention;
    return status;
}

/* ---- folder and lock ------------------------------------------------------------------------- */

/* Makes the folder below its parent, which must be there. */
static int make_folder(const akidb_files *files, const char *path)
{
    char *parent = strdup(path);
    if (parent == NULL)
        return ENOMEM;
    char *slash = strrchr(parent, '/'); /* absolute: there is one */
    const char *name = slash + 1;
    *slash = '\0';
    akidb_folder folder;
    int error_number =
        files->ops->open_root(files->handle, slash == parent ? "/" : parent, &folder);
    if (error_number == 0) {
        error_number = files->ops->make_folder(files->handle, folder, name);
        if (error_number == 0 || error_number == EEXIST)
            error_number = files->ops->sync_folder(files->handle, folder);
        files->ops->close_folder(files->handle, folder);
    }
    free(parent);
    return error_number;
}

/* Makes the folder and all above it that are missing; cuts `path` on the way and mends it. */
static int make_folders(const akidb_files *files, char *path)
{
    akidb_folder folder;
    int error_number = files->ops->open_root(files->handle, path, &folder);
    if (error_number == 0)
        files->ops->close_folder(files->handle, folder);
    char *slash = strrchr(path, '/');
    if (error_number != ENOENT || slash == NULL || slash == path)
        return error_number == ENOENT && slash == path ? make_folder(files, path) : error_number;
    *slash = '\0';
    error_number = make_folders(files, path);
    *slash = '/';
    return error_number == 0 ? make_folder(files, path) : error_number;
}

static int take_lock(akidb_storage *storage)
{
    const akidb_files *files = storage->files;
    const char *name = "lock";
    int error_number = files->ops->open_file(files->handle, storage->folder, name,
                                             AKIDB_FILE_CREATE, &storage->lock_file);
    if (error_number == EEXIST)
        error_number = files->ops->open_file(files->handle, storage->folder, name,
                                             AKIDB_FILE_UPDATE, &storage->lock_file);
    storage->has_lock_file = error_number == 0;
    return error_number == 0 ? files->ops->lock(files->handle, storage->lock_file) : error_number;
}

static akidb_status open_folder(akidb_storage *storage, char *path, akidb_error *err)
{
    const akidb_files *files = storage->files;
    int error_number = make_folders(files, path);
    if (error_number == 0)
        error_number = files->ops->open_root(files->handle, path, &storage->folder);
    if (error_number != 0)
        return ak_fail_errno(err, error_number, path, "opening the data folder");
    storage->has_folder = true;
    error_number = take_lock(storage);
    if (error_number == EWOULDBLOCK)
        return ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(path),
                          "the data folder is in use by another process or storage");
    return error_number == 0 ? AKIDB_OK
                             : ak_fail_errno(err, error_number, path, "locking the data folder");
}

/* `name` within the data folder; yours to free. */
static char *path_within(const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%s/%s", folder, name);
    return path;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static akidb_status open_store(akidb_storage *storage, const akidb_storage_options *options,
                               const char *path, akidb_error *err)
{
    akidb_store *inner = options->store;
    akidb_status status = AKIDB_OK;
    if (inner == NULL) {
        char *folder = path_within(path, "store");
        if (folder == NULL)
            return ak_fail_memory(err, strlen(path));
        status = akidb_store_local_open(folder, &storage->own_store, err);
        free(folder);
        inner = storage->own_store;
    }
    if (status != AKIDB_OK)
        return status;
    storage->store = inner;
    akidb_store_get_statistics(inner, &storage->store_before);
    return AKIDB_OK;
}

static akidb_status open_warm(akidb_storage *storage, const char *path, akidb_error *err)
{
    char *folder = path_within(path, "warm");
    if (folder == NULL)
        return ak_fail_memory(err, strlen(path));
    akidb_status status = akidb_store_local_open_with(folder, storage->files, &storage->warm, err);
    free(folder);
    return status;
}

static akidb_status open_route(akidb_storage *storage, const akidb_snapshotter_options *options,
                               ak_route *route, akidb_error *err)
{
    akidb_status status = akidb_snapshotter_open(storage->store, options, &route->store, err);
    return status != AKIDB_OK ? status
                              : akidb_snapshotter_open(storage->warm, options, &route->warm, err);
}

static akidb_status open_snapshotters(akidb_storage *storage,
                                      const akidb_snapshotter_options *snapshots, akidb_error *err)
{
    akidb_snapshotter_options own = *snapshots;
    own.hooks = (akidb_hooks){
        .context = storage,
        .progress = storage->hooks.progress == NULL ? NULL : progress_hook,
        .log = storage->hooks.log == NULL ? NULL : log_hook,
    };
    akidb_status status = open_route(storage, &own, &storage->foreground, err);
    if (status != AKIDB_OK)
        return status;
    storage->time_unit = storage->foreground.store->parquet.time_unit;
    own.hooks.progress = NULL;
    return open_route(storage, &own, &storage->background, err);
}

static akidb_status recover(akidb_storage *storage, const akidb_storage_options *options,
                            const char *path, akidb_error *err)
{
    char *folder = path_within(path, "wal");
    if (folder == NULL)
        return ak_fail_memory(err, strlen(path));
    ak_wal_options wal = {
        .files = storage->files,
        .folder = folder,
        .segment_bytes =
            options->wal_segment_bytes == 0 ? UINT64_C(64) << 20 : options->wal_segment_bytes,
        .durability = (ak_wal_durability)options->durability,
        .interval_ms = options->interval_ms == 0 ? 100 : options->interval_ms,
        .recovery = (ak_wal_recovery)options->recovery,
        .max_bytes = options->wal_max_bytes == 0 ? UINT64_C(8) << 30 : options->wal_max_bytes,
    };
    akidb_status status = ak_recover(storage, &wal, options->allow_older_snapshot, err);
    free(folder);
    return status;
}

static akidb_status open_all(akidb_storage *storage, const akidb_storage_options *options,
                             akidb_error *err)
{
    const uint64_t cache_default = UINT64_C(64) << 20;
    akidb_snapshotter_options snapshots;
    int64_t begun = akidb_clock_now(NULL);
    akidb_status status = ak_options_copy(&snapshots, sizeof snapshots, options->snapshots,
                                          "akidb_snapshotter_options", err);
    snapshots.struct_size = sizeof snapshots;
    if (status == AKIDB_OK)
        status = set_options(storage, options, &snapshots, err);
    char *path = NULL;
    if (status == AKIDB_OK)
        status = ak_path_absolute(options->data_folder, &path, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_random_bytes(&storage->hash_seed, sizeof storage->hash_seed, err);
    if (status == AKIDB_OK)
        status = open_folder(storage, path, err);
    if (status == AKIDB_OK)
        status = open_store(storage, options, path, err);
    if (status == AKIDB_OK)
        status = open_warm(storage, path, err);
    if (status == AKIDB_OK)
        status =
            ak_cache_new(options->page_cache_bytes == 0 ? cache_default : options->page_cache_bytes,
                         &storage->cache, err);
    if (status == AKIDB_OK)
        status = open_snapshotters(storage, &snapshots, err);
    if (status == AKIDB_OK)
        status = recover(storage, options, path, err);
    if (status == AKIDB_OK)
        ak_warm_check(storage);
    free(path);
    /* Only now: what the log has accepted comes back whatever the limit. */
    storage->memory_limit = options->memory_limit;
    storage->report.duration = akidb_clock_now(NULL) - begun;
    return status != AKIDB_OK ? status : ak_background_start(storage, err);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void init_locks(akidb_storage *storage)
{
    pthread_mutex_init(&storage->log_lock, NULL);
    pthread_mutex_init(&storage->catalogue_lock, NULL);
    pthread_mutex_init(&storage->submit_lock, NULL);
    pthread_mutex_init(&storage->lock, NULL);
    pthread_mutex_init(&storage->queue_lock, NULL);
    pthread_cond_init(&storage->queue_moved, NULL);
    pthread_mutex_init(&storage->bases_lock, NULL);
    pthread_cond_init(&storage->local_removed, NULL);
    pthread_rwlock_init(&storage->access_lock, NULL);
    pthread_mutex_init(&storage->ids_lock, NULL);
    pthread_mutex_init(&storage->flush_lock, NULL);
    pthread_cond_init(&storage->flush_ended, NULL);
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&storage->background_wake, &steady);
    pthread_condattr_destroy(&steady);
}

static void destroy_locks(akidb_storage *storage)
{
    pthread_cond_destroy(&storage->background_wake);
    pthread_cond_destroy(&storage->flush_ended);
    pthread_mutex_destroy(&storage->flush_lock);
    pthread_mutex_destroy(&storage->ids_lock);
    pthread_rwlock_destroy(&storage->access_lock);
    pthread_cond_destroy(&storage->local_removed);
    pthread_mutex_destroy(&storage->bases_lock);
    pthread_cond_destroy(&storage->queue_moved);
    pthread_mutex_destroy(&storage->queue_lock);
    pthread_mutex_destroy(&storage->lock);
    pthread_mutex_destroy(&storage->submit_lock);
    pthread_mutex_destroy(&storage->catalogue_lock);
    pthread_mutex_destroy(&storage->log_lock);
}

void ak_route_close(ak_route *route)
{
    akidb_snapshotter_close(route->store);
    akidb_snapshotter_close(route->warm);
    *route = (ak_route){0};
}

akidb_status akidb_storage_close(akidb_storage *storage, akidb_error *err)
{
    if (storage == NULL)
        return AKIDB_OK;
    ak_background_stop(storage);
    akidb_status status = ak_wal_close(storage->wal, err);
    for (size_t i = 0; i < storage->collection_count; i++)
        ak_collection_release(storage->collections[i]);
    free(storage->collections);
    ak_pool_free(atomic_load(&storage->readers));
    ak_cache_free(storage->cache);
    ak_route_close(&storage->background);
    ak_route_close(&storage->foreground);
    akidb_store_close(storage->warm);
    akidb_store_close(storage->own_store);
    const akidb_files *files = storage->files;
    if (storage->has_lock_file)
        files->ops->close_file(files->handle, storage->lock_file);
    if (storage->has_folder)
        files->ops->close_folder(files->handle, storage->folder);
    destroy_locks(storage);
    free(storage);
    return status;
}

akidb_status ak_storage_open_with(const akidb_storage_options *options, const akidb_files *files,
                                  akidb_storage **storage_out, akidb_recovery_report *report_out,
                                  akidb_error *err)
{
    *storage_out = NULL;
    if (report_out != NULL)
        *report_out = (akidb_recovery_report){0};
    akidb_storage_options own;
    akidb_status status = ak_options_copy(&own, sizeof own, options, "akidb_storage_options", err);
    if (status == AKIDB_OK)
        status = check_options(&own, err);
    if (status != AKIDB_OK)
        return status;
    akidb_storage *storage = calloc(1, sizeof *storage);
    if (storage == NULL)
        return ak_fail_memory(err, sizeof *storage);
    storage->files = files;
    init_locks(storage);
    status = open_all(storage, &own, err);
    if (status != AKIDB_OK) {
        (void)akidb_storage_close(storage, NULL);
        return status;
    }
    if (report_out != NULL)
        *report_out = storage->report;
    *storage_out = storage;
    return AKIDB_OK;
}

akidb_status akidb_storage_open(const akidb_storage_options *options, akidb_storage **storage_out,
                                akidb_recovery_report *report_out, akidb_error *err)
{
    return ak_storage_open_with(options, akidb_files_system(), storage_out, report_out, err);
}

akidb_status akidb_storage_sync(akidb_storage *storage, akidb_error *err)
{
    return ak_wal_sync(storage->wal, err);
}
