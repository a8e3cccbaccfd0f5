#ifndef AK_OS_POOL_H
#define AK_OS_POOL_H
/*
 * A pool of worker threads for work that is independent: row groups to encode or to decode.
 *
 *   Tasks    An ak_task is memory of the caller, usually a member of his job. It must stay where it
 *            is from the submit until ak_pool_wait for it returns. Submitting allocates nothing and
 *            cannot fail. How many tasks are in flight is the caller's bound, not the pool's.
 *   Inline   A pool of one thread starts no threads: a task runs within ak_pool_submit. So does the
 *            part of the caller in ak_pool_run_indexed.
 *   Waiting  A thread that waits for a task that nobody has begun runs it itself, so that tasks may
 *            submit tasks and wait for them without a deadlock.
 *   Threads  All functions but ak_pool_free may be called from many threads at once. What a task
 *            wrote is seen by the thread that waited for it.
 */
#include "akidb/base.h"

typedef struct ak_pool ak_pool;

/* What a task does; its status and error are handed to the thread that waits. Must fill *err when
 * it fails. */
typedef akidb_status ak_task_function(void *context, akidb_error *err);

/* Start from {0} or leave as it is after a wait; the members belong to the pool. */
typedef struct ak_task {
    ak_task_function *function;
    void *context;
    struct ak_task *next;     /* in the queue of tasks that nobody has begun */
    struct ak_task *previous; /* likewise */
    int state;                /* one of the states in pool.c */
    akidb_status status;
    akidb_error error;
} ak_task;

/* The number of threads for a caller who asked for `wanted`: 0 means one for each processor that
 * the process may run on. At least 1, at most AK_POOL_THREADS_MAX. */
#define AK_POOL_THREADS_MAX 256u
size_t ak_pool_threads_for(size_t wanted);

/* `threads` as ak_pool_threads_for has them. When the system gives fewer threads than asked for,
 * the pool works with what it got: the result is the same, only later. */
AKIDB_CHECK akidb_status ak_pool_new(size_t threads, ak_pool **pool_out, akidb_error *err);

/* Ends the threads. Every submitted task must have been waited for. NULL is fine. */
void ak_pool_free(ak_pool *pool);

/* The threads that may run tasks at once: 1 for an inline pool. */
size_t ak_pool_threads(const ak_pool *pool);

/* Has `function` called with `context` on some thread, in the order of the submits. */
void ak_pool_submit(ak_pool *pool, ak_task *task, ak_task_function *function, void *context);

/* Returns when the task has run, with its status and error. A task that was never submitted is
 * AKIDB_OK, so that a loop that stopped early can wait for all its jobs. Waiting again gives the
 * same answer. */
AKIDB_CHECK akidb_status ak_pool_wait(ak_pool *pool, ak_task *task, akidb_error *err);

/* One index of a parallel loop. */
typedef akidb_status ak_index_function(void *context, size_t index, akidb_error *err);

/* Calls `function` once for each index below `count`, on the threads of the pool and the calling
 * one, in no order but begun in ascending order. After a failure no further index is begun. Returns
 * when all that were begun have ended: with the failure of the smallest index that failed, so that
 * the error does not depend on the threads' luck. `pool` may be NULL: all on the calling thread. */
AKIDB_CHECK akidb_status ak_pool_run_indexed(ak_pool *pool, size_t count,
                                             ak_index_function *function, void *context,
                                             akidb_error *err);

#endif
