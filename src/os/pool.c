#include "os/pool.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/error.h"

enum { TASK_IDLE = 0, TASK_QUEUED, TASK_RUNNING, TASK_DONE };

struct ak_pool {
    pthread_mutex_t lock; /* of all below and of the members of every task */
    pthread_cond_t work;  /* the queue got longer, or the pool ends */
    pthread_cond_t done;  /* some task became done */
    ak_task *first;       /* queue, oldest first */
    ak_task *last;
    bool ending;
    size_t worker_count; /* 0: tasks run inline; constant once the pool is made */
    pthread_t workers[];
};

/* ---- the queue; the caller holds the lock ---------------------------------------------------- */

static void queue_append(ak_pool *pool, ak_task *task)
{
    task->next = NULL;
    task->previous = pool->last;
    if (pool->last != NULL)
        pool->last->next = task;
    else
        pool->first = task;
    pool->last = task;
}

static void queue_remove(ak_pool *pool, ak_task *task)
{
    if (task->previous != NULL)
        task->previous->next = task->next;
    else
        pool->first = task->next;
    if (task->next != NULL)
        task->next->previous = task->previous;
    else
        pool->last = task->previous;
    task->next = task->previous = NULL;
}

/* Takes a queued task out and runs it, without the lock meanwhile. */
static void run_queued(ak_pool *pool, ak_task *task)
{
    queue_remove(pool, task);
    task->state = TASK_RUNNING;
    pthread_mutex_unlock(&pool->lock);
    akidb_status status = task->function(task->context, &task->error);
    pthread_mutex_lock(&pool->lock);
    task->status = status;
    task->state = TASK_DONE;
    pthread_cond_broadcast(&pool->done);
}

static void *work(void *context)
{
    ak_pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        while (pool->first == NULL && !pool->ending)
            pthread_cond_wait(&pool->work, &pool->lock);
        if (pool->first == NULL)
            break;
        run_queued(pool, pool->first);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

/* ---- life ------------------------------------------------------------------------------------ */

size_t ak_pool_threads_for(size_t wanted)
{
    if (wanted == 0) {
        cpu_set_t processors;
        long count = sched_getaffinity(0, sizeof processors, &processors) == 0
                         ? CPU_COUNT(&processors)
                         : sysconf(_SC_NPROCESSORS_ONLN);
        wanted = count < 1 ? 1 : (size_t)count;
    }
    return wanted < AK_POOL_THREADS_MAX ? wanted : AK_POOL_THREADS_MAX;
}

/* The host's signals are for the host's threads: workers block them all. */
static void start_workers(ak_pool *pool, size_t wanted)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    size_t started = 0;
    while (started < wanted && pthread_create(&pool->workers[started], NULL, work, pool) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pool->worker_count = started;
}

akidb_status ak_pool_new(size_t threads, ak_pool **pool_out, akidb_error *err)
{
    *pool_out = NULL;
    threads = ak_pool_threads_for(threads);
    size_t wanted = threads == 1 ? 0 : threads;
    size_t size = sizeof(ak_pool) + wanted * sizeof(pthread_t);
    ak_pool *pool = calloc(1, size);
    if (pool == NULL)
        return ak_fail_memory(err, size);
    pthread_mutex_init(&pool->lock, NULL); /* cannot fail on Linux with default attributes */
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    start_workers(pool, wanted);
    *pool_out = pool;
    return AKIDB_OK;
}

void ak_pool_free(ak_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->worker_count; i++)
        pthread_join(pool->workers[i], NULL);
    pthread_cond_destroy(&pool->done);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

size_t ak_pool_threads(const ak_pool *pool)
{
    return pool->worker_count == 0 ? 1 : pool->worker_count;
}

/* ---- tasks ----------------------------------------------------------------------------------- */

void ak_pool_submit(ak_pool *pool, ak_task *task, ak_task_function *function, void *context)
{
    *task = (ak_task){.function = function, .context = context, .state = TASK_QUEUED};
    pthread_mutex_lock(&pool->lock);
    queue_append(pool, task);
    if (pool->worker_count == 0)
        run_queued(pool, task);
    else
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

akidb_status ak_pool_wait(ak_pool *pool, ak_task *task, akidb_error *err)
{
    pthread_mutex_lock(&pool->lock);
    if (task->state == TASK_QUEUED)
        run_queued(pool, task);
    while (task->state == TASK_RUNNING)
        pthread_cond_wait(&pool->done, &pool->lock);
    akidb_status status = task->status;
    pthread_mutex_unlock(&pool->lock);
    if (status != AKIDB_OK && err != NULL)
        *err = task->error;
    return status;
}

/* ---- loops ----------------------------------------------------------------------------------- */

typedef struct loop {
    pthread_mutex_t lock; /* of next and of the failure */
    size_t next;
    size_t count;
    ak_index_function *function;
    void *context;
    size_t failed_index;
    akidb_status status;
    akidb_error error;
} loop;

/* The next index to run: false when there is none, or when one has failed. */
static bool loop_take(loop *l, size_t *index_out)
{
    pthread_mutex_lock(&l->lock);
    bool taken = l->status == AKIDB_OK && l->next < l->count;
    if (taken)
        *index_out = l->next++;
    pthread_mutex_unlock(&l->lock);
    return taken;
}

static void loop_fail(loop *l, size_t index, akidb_status status, const akidb_error *error)
{
    pthread_mutex_lock(&l->lock);
    if (l->status == AKIDB_OK || index < l->failed_index) {
        l->failed_index = index;
        l->status = status;
        l->error = *error;
    }
    pthread_mutex_unlock(&l->lock);
}

/* Failures are told through the loop, not through the task: the smallest index must win. */
static akidb_status loop_run(void *context, akidb_error *err)
{
    (void)err;
    loop *l = context;
    size_t index;
    while (loop_take(l, &index)) {
        akidb_error error = {0};
        akidb_status status = l->function(l->context, index, &error);
        if (status != AKIDB_OK)
            loop_fail(l, index, status, &error);
    }
    return AKIDB_OK;
}

akidb_status ak_pool_run_indexed(ak_pool *pool, size_t count, ak_index_function *function,
                                 void *context, akidb_error *err)
{
    loop l = {.count = count, .function = function, .context = context};
    size_t helpers = pool == NULL ? 0 : ak_pool_threads(pool) - 1;
    if (helpers >= count)
        helpers = count == 0 ? 0 : count - 1;
    ak_task *tasks = helpers == 0 ? NULL : calloc(helpers, sizeof *tasks);
    if (tasks == NULL)
        helpers = 0; /* without memory for helpers this thread does all of it */

    pthread_mutex_init(&l.lock, NULL);
    for (size_t i = 0; i < helpers; i++)
        ak_pool_submit(pool, &tasks[i], loop_run, &l);
    loop_run(&l, NULL);
    for (size_t i = 0; i < helpers; i++)
        (void)!ak_pool_wait(pool, &tasks[i], NULL); /* loop_run itself never fails */
    pthread_mutex_destroy(&l.lock);
    free(tasks);

    if (l.status != AKIDB_OK && err != NULL)
        *err = l.error;
    return l.status;
}
