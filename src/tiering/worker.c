/* The thread that runs cycles. */
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "tiering/tiering.h"

/* How often the worker looks for what nobody calls it for: budgets, and moves to be tried again. */
static const int64_t tick = 1000000;

static const int64_t retry_longest = INT64_C(3600) * 1000000;

/* Steady, so that a clock that is set does not stop the worker. */
static int64_t steady_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void ak_tiering_call(akidb_tiering *tiering)
{
    pthread_mutex_lock(&tiering->lock);
    tiering->called = true;
    pthread_cond_broadcast(&tiering->changed);
    pthread_mutex_unlock(&tiering->lock);
}

typedef struct work {
    akidb_tiering *tiering;
    int64_t next; /* cycle by the interval, on the steady clock */
    bool stuck;   /* over a budget, and the last cycle could not help it */
} work;

static bool retry_is_due(akidb_tiering *tiering)
{
    int64_t at = atomic_load(&tiering->retry_at), now = ak_tiering_now(tiering);
    return at != 0 && (now >= at || now < at - retry_longest);
}

static bool budget_is_passed(work *w)
{
    akidb_tiering *tiering = w->tiering;
    if (w->stuck || (tiering->policy.hot_budget == 0 && tiering->policy.warm_budget == 0) ||
        !atomic_exchange(&tiering->written, false))
        return false;
    return ak_tiering_is_over(tiering);
}

static void cycle(work *w, bool by_interval)
{
    akidb_tiering *tiering = w->tiering;
    akidb_error err;
    akidb_status status = ak_tiering_cycle(tiering, AK_BY_WORKER, false, by_interval, NULL, &err);
    if (status != AKIDB_OK && status != AKIDB_E_CANCELLED)
        ak_tiering_log(tiering, AKIDB_LOG_WARNING, "a cycle of tiering failed: %s", err.message);
    w->stuck = ak_tiering_is_over(tiering);
    if (by_interval)
        w->next = steady_now() + (int64_t)tiering->interval;
}

/* Waits until the next look; true when there is something to do. */
static bool wait_for_work(work *w, bool *by_interval)
{
    akidb_tiering *tiering = w->tiering;
    int64_t now = steady_now();
    int64_t until = w->next < now + tick ? w->next : now + tick;
    struct timespec time = {(time_t)(until / 1000000), (long)(until % 1000000 * 1000)};
    pthread_mutex_lock(&tiering->lock);
    while (!tiering->stopping && !tiering->called &&
           pthread_cond_timedwait(&tiering->changed, &tiering->lock, &time) != ETIMEDOUT)
        continue;
    bool called = tiering->called;
    tiering->called = false;
    bool stopping = tiering->stopping;
    pthread_mutex_unlock(&tiering->lock);
    *by_interval = steady_now() >= w->next;
    return !stopping && (*by_interval || called || retry_is_due(tiering) || budget_is_passed(w));
}

static bool is_stopping(akidb_tiering *tiering)
{
    pthread_mutex_lock(&tiering->lock);
    bool stopping = tiering->stopping;
    pthread_mutex_unlock(&tiering->lock);
    return stopping;
}

static void *run(void *context)
{
    work w = {.tiering = context, .next = steady_now()};
    bool by_interval;
    while (!is_stopping(w.tiering))
        if (wait_for_work(&w, &by_interval))
            cycle(&w, by_interval);
    return NULL;
}

akidb_status akidb_tiering_start(akidb_tiering *tiering, akidb_error *err)
{
    sigset_t all, before;
    akidb_status status = AKIDB_OK;
    pthread_mutex_lock(&tiering->lock);
    if (tiering->has_thread) {
        status = ak_fail(err, AKIDB_E_ALREADY_EXISTS, "the worker of tiering runs already");
    } else {
        /* The host's signals are not for this thread. */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        int error_number = pthread_create(&tiering->thread, NULL, run, tiering);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        tiering->has_thread = error_number == 0;
        if (error_number != 0)
            status = ak_fail_errno(err, error_number, NULL, "starting the worker of tiering");
    }
    pthread_mutex_unlock(&tiering->lock);
    return status;
}

void akidb_tiering_stop(akidb_tiering *tiering)
{
    pthread_mutex_lock(&tiering->lock);
    while (tiering->has_thread && tiering->stopping)
        pthread_cond_wait(&tiering->changed, &tiering->lock); /* another call stops it */
    bool mine = tiering->has_thread;
    pthread_t thread = tiering->thread;
    tiering->stopping = mine;
    pthread_cond_broadcast(&tiering->changed);
    pthread_mutex_unlock(&tiering->lock);
    if (!mine)
        return;
    pthread_join(thread, NULL);
    pthread_mutex_lock(&tiering->lock);
    tiering->has_thread = tiering->stopping = false;
    pthread_cond_broadcast(&tiering->changed);
    pthread_mutex_unlock(&tiering->lock);
}
