/* The thread that flushes by the size and the age of the log. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "base/error.h"
#include "storage/storage.h"

enum { LOOK_EVERY_MS = 100 };

static const int64_t retry_first = 1000000, retry_longest = INT64_C(300) * 1000000;

/* Steady, so that a clock that is set does not stop retries. */
static int64_t steady_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The wait after a failure that follows on one of `delay`; 0: there was none. */
static int64_t longer(int64_t delay)
{
    delay = delay == 0 ? retry_first : delay * 2;
    return delay < retry_longest ? delay : retry_longest;
}

static bool log_is_large(const akidb_storage *storage)
{
    ak_wal_statistics statistics;
    if (storage->flush_wal_bytes == AKIDB_NEVER)
        return false;
    ak_wal_get_statistics(storage->wal, &statistics);
    return statistics.segment_bytes >= storage->flush_wal_bytes;
}

/* The clock was set back: the age is counted from there. */
static void begin_age(ak_collection *collection, int64_t now)
{
    pthread_rwlock_wrlock(&collection->lock);
    if (collection->dirty_since > now)
        collection->dirty_since = now;
    pthread_rwlock_unlock(&collection->lock);
}

static bool is_due(akidb_storage *storage, ak_collection *collection, bool large)
{
    int64_t now = ak_storage_now(storage);
    pthread_rwlock_rdlock(&collection->lock);
    bool dirty = !collection->dropped && collection->dirty_lsn != 0;
    int64_t since = collection->dirty_since;
    pthread_rwlock_unlock(&collection->lock);
    int64_t age;
    if (!dirty || steady_now() < collection->retry_at)
        return false;
    if (large)
        return true;
    if (since > now)
        begin_age(collection, now);
    return storage->flush_age != AKIDB_NEVER && since <= now &&
           !__builtin_sub_overflow(now, since, &age) && (uint64_t)age >= storage->flush_age;
}

/* A collection that somebody else is flushing, restoring or moving is left to him. */
static void flush_one(akidb_storage *storage, ak_collection *collection, bool repair)
{
    akidb_error err;
    if (!ak_flush_try_enter(storage, collection))
        return;
    akidb_status status = repair
                              ? ak_repair(storage, collection, &err)
                              : ak_flush_entered(storage, collection, &storage->background, &err);
    ak_flush_leave(storage, collection);
    if (status == AKIDB_OK || status == AKIDB_E_NOT_FOUND) {
        collection->retry_delay = 0;
        return;
    }
    collection->retry_delay = longer(collection->retry_delay);
    collection->retry_at = steady_now() + collection->retry_delay;
    char id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&collection->id, id);
    ak_storage_log(storage, AKIDB_LOG_WARNING, &err, "%s of %s failed; %s, next try in %lld s",
                   repair ? "a local copy" : "flush", id,
                   repair ? "the store serves it" : "the log keeps everything",
                   (long long)(collection->retry_delay / 1000000));
}

static bool is_stopping(akidb_storage *storage)
{
    pthread_mutex_lock(&storage->flush_lock);
    bool stopping = storage->stopping;
    pthread_mutex_unlock(&storage->flush_lock);
    return stopping;
}

/* Catalogue and log, when the last save of them failed. */
static void save_again(akidb_storage *storage)
{
    akidb_error err;
    if (!ak_catalogue_is_due(storage)) {
        storage->save_retry_delay = 0;
        storage->save_retry_at = 0;
        return;
    }
    if (steady_now() < storage->save_retry_at)
        return;
    if (ak_save_catalogue(storage, &err) != AKIDB_OK)
        ak_storage_log(storage, AKIDB_LOG_WARNING, &err, "the catalogue is still the old one");
    storage->save_retry_delay = longer(storage->save_retry_delay);
    storage->save_retry_at = steady_now() + storage->save_retry_delay;
}

static void look(akidb_storage *storage)
{
    ak_collection **all;
    size_t count;
    if (ak_collections_all(storage, &all, &count, NULL) != AKIDB_OK)
        return; /* no memory: at the next look */
    for (size_t i = 0; i < count && !is_stopping(storage); i++) {
        if (is_due(storage, all[i], log_is_large(storage)))
            flush_one(storage, all[i], false);
        else if (ak_needs_repair(all[i]) && steady_now() >= all[i]->retry_at)
            flush_one(storage, all[i], true);
    }
    ak_collections_release(all, count);
    save_again(storage);
}

static void *work(void *context)
{
    akidb_storage *storage = context;
    pthread_mutex_lock(&storage->flush_lock);
    while (!storage->stopping) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_EVERY_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        int waited =
            pthread_cond_timedwait(&storage->background_wake, &storage->flush_lock, &until);
        if (storage->stopping || waited != ETIMEDOUT)
            continue;
        pthread_mutex_unlock(&storage->flush_lock);
        look(storage);
        pthread_mutex_lock(&storage->flush_lock);
    }
    pthread_mutex_unlock(&storage->flush_lock);
    return NULL;
}

akidb_status ak_background_start(akidb_storage *storage, akidb_error *err)
{
    if (storage->flush_wal_bytes == AKIDB_NEVER && storage->flush_age == AKIDB_NEVER)
        return AKIDB_OK;
    /* The host's signals are not for this thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error_number = pthread_create(&storage->thread, NULL, work, storage);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    storage->has_thread = error_number == 0;
    return error_number == 0
               ? AKIDB_OK
               : ak_fail_errno(err, error_number, NULL, "starting the thread that flushes");
}

void ak_background_stop(akidb_storage *storage)
{
    pthread_mutex_lock(&storage->flush_lock);
    storage->stopping = true;
    pthread_cond_broadcast(&storage->background_wake);
    pthread_mutex_unlock(&storage->flush_lock);
    if (storage->has_thread)
        pthread_join(storage->thread, NULL);
    storage->has_thread = false;
}
