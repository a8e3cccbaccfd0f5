#include "storage/mover.h"

#include <time.h>

#include "base/error.h"
#include "snapshot/snapshotter.h"

static int64_t steady_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool tell_progress(void *context, const akidb_progress *progress)
{
    ak_mover *mover = context;
    mover->progress = *progress;
    if (!atomic_load(&mover->cancelled) && mover->hooks.progress != NULL &&
        !mover->hooks.progress(mover->hooks.context, progress))
        atomic_store(&mover->cancelled, true);
    return !atomic_load(&mover->cancelled);
}

static void tell_log(void *context, akidb_log_level level, const char *message)
{
    ak_mover *mover = context;
    mover->hooks.log(mover->hooks.context, level, message);
}

/* Sleeps until `until`, in steps short enough for the hooks. */
static void wait_until(ak_mover *mover, int64_t until)
{
    const int64_t step = 100000;
    bool is_owner = pthread_equal(pthread_self(), mover->owner) != 0;
    for (int64_t now = steady_now(); now < until && !atomic_load(&mover->cancelled);
         now = steady_now()) {
        int64_t rest = until - now < step ? until - now : step;
        struct timespec pause = {0, rest * 1000};
        nanosleep(&pause, NULL);
        if (is_owner)
            (void)tell_progress(mover, &mover->progress);
    }
}

/* Bytes are paid for after they were transferred: a bucket that never holds more than it needs. */
static void pay(ak_mover *mover, uint64_t bytes)
{
    atomic_fetch_add(&mover->bytes, bytes);
    if (mover->bytes_per_second == 0 || bytes == 0)
        return;
    double micros = (double)bytes * 1e6 / (double)mover->bytes_per_second;
    pthread_mutex_lock(&mover->lock);
    int64_t now = steady_now();
    if (mover->due < now)
        mover->due = now;
    mover->due += micros < 1e15 ? (int64_t)micros : INT64_C(1000000000000000);
    int64_t due = mover->due;
    pthread_mutex_unlock(&mover->lock);
    wait_until(mover, due);
}

static void count_call(void *context, const akidb_store_call *call)
{
    switch (call->op) {
    case AKIDB_STORE_PUT:
    case AKIDB_STORE_UPLOAD_WRITE:
    case AKIDB_STORE_GET:
    case AKIDB_STORE_GET_RANGE: pay(context, call->bytes); break;
    default: break;
    }
}

/* A snapshotter like the storage's own, on another store. */
static akidb_status open_snapshotter(ak_mover *mover, akidb_store *store, unsigned threads,
                                     akidb_snapshotter **out, akidb_error *err)
{
    const akidb_snapshotter *like = mover->storage->background.store;
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .format = like->format,
        .parquet = &like->parquet,
        .layout = like->layout,
        .part_rows = like->part_rows,
        .part_bytes = like->part_bytes,
        .threads = threads,
        .temporary_folder = like->temporary_folder,
        .clock = like->has_clock ? &like->clock : NULL,
        .hooks = {.context = mover,
                  .progress = tell_progress,
                  .log = mover->hooks.log == NULL ? NULL : tell_log},
    };
    return akidb_snapshotter_open(store, &options, out, err);
}

akidb_status ak_mover_open(ak_mover *mover, akidb_storage *storage,
                           const akidb_move_options *options, bool warm_counts, akidb_error *err)
{
    *mover = (ak_mover){
        .storage = storage, .bytes_per_second = options->bytes_per_second, .owner = pthread_self()};
    if (options->hooks != NULL)
        mover->hooks = *options->hooks;
    pthread_mutex_init(&mover->lock, NULL);
    akidb_store *store = storage->store, *warm = storage->warm;
    /* One that is held back reads on the caller's thread alone, which tells the hooks; and so does
     * one from a disk nearby into memory, which another thread fills meanwhile: two row groups at a
     * time would only take more memory. */
    bool alone = options->bytes_per_second != 0 || warm_counts;
    unsigned threads = alone ? 1 : storage->background.store->threads;
    akidb_status status;
    if (warm_counts) {
        status = akidb_store_trace_open(warm, count_call, mover, &mover->warm, err);
        warm = mover->warm;
    } else {
        status = akidb_store_trace_open(store, count_call, mover, &mover->store, err);
        store = mover->store;
    }
    if (status == AKIDB_OK)
        status = open_snapshotter(mover, store, threads, &mover->route.store, err);
    if (status == AKIDB_OK)
        status = open_snapshotter(mover, warm, threads, &mover->route.warm, err);
    if (status != AKIDB_OK)
        ak_mover_close(mover);
    return status;
}

void ak_mover_close(ak_mover *mover)
{
    ak_route_close(&mover->route);
    akidb_store_close(mover->store);
    akidb_store_close(mover->warm);
    pthread_mutex_destroy(&mover->lock);
    mover->store = mover->warm = NULL;
}
