#include "parquet/row_group_queue.h"

#include <stdlib.h>

#include "base/error.h"
#include "os/pool.h"

typedef struct row_group_job {
    ak_task task;
    ak_row_group_encoder encoder;
    akidb_batch batch;
    size_t first;
    size_t rows;
    bool borrows;
    akidb_documents *documents; /* memory for row groups that are not borrowed; NULL until needed */
} row_group_job;

/* A ring: jobs[oldest], and the `count` - 1 after it, are in flight. */
struct ak_row_group_queue {
    const ak_writer_settings *settings;
    ak_parquet_file *file;
    ak_pool *pool;
    size_t capacity;
    size_t oldest;
    size_t count;
    size_t borrowing; /* of those in flight */
    row_group_job jobs[];
};

akidb_status ak_row_group_queue_new(const ak_writer_settings *settings, ak_parquet_file *file,
                                    ak_row_group_queue **queue_out, akidb_error *err)
{
    *queue_out = NULL;
    size_t size = sizeof(ak_row_group_queue) + settings->threads * sizeof(row_group_job);
    ak_row_group_queue *queue = calloc(1, size);
    if (queue == NULL)
        return ak_fail_memory(err, size);
    queue->settings = settings;
    queue->file = file;
    akidb_status status = ak_pool_new(settings->threads, &queue->pool, err);
    for (; status == AKIDB_OK && queue->capacity < settings->threads; queue->capacity++)
        ak_row_group_encoder_init(&queue->jobs[queue->capacity].encoder, settings);
    if (status != AKIDB_OK) {
        ak_row_group_queue_free(queue);
        return status;
    }
    *queue_out = queue;
    return AKIDB_OK;
}

void ak_row_group_queue_free(ak_row_group_queue *queue)
{
    if (queue == NULL)
        return;
    ak_row_group_queue_stop(queue);
    for (size_t i = 0; i < queue->capacity; i++) {
        ak_row_group_encoder_free(&queue->jobs[i].encoder);
        akidb_documents_free(queue->jobs[i].documents);
    }
    ak_pool_free(queue->pool);
    free(queue);
}

static row_group_job *take_oldest(ak_row_group_queue *queue)
{
    row_group_job *oldest = &queue->jobs[queue->oldest];
    queue->oldest = (queue->oldest + 1) % queue->capacity;
    queue->count--;
    queue->borrowing -= oldest->borrows;
    return oldest;
}

void ak_row_group_queue_stop(ak_row_group_queue *queue)
{
    while (queue->count > 0) {
        /* What the job answers no longer matters: an earlier failure is being reported. */
        akidb_status ignored = ak_pool_wait(queue->pool, &take_oldest(queue)->task, NULL);
        (void)ignored;
    }
}

static akidb_status write_oldest(ak_row_group_queue *queue, akidb_error *err)
{
    row_group_job *oldest = take_oldest(queue);
    akidb_status status = ak_pool_wait(queue->pool, &oldest->task, err);
    return status != AKIDB_OK ? status : ak_parquet_file_add(queue->file, &oldest->encoder, err);
}

akidb_status ak_row_group_queue_return_borrowed(ak_row_group_queue *queue, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    while (queue->borrowing > 0 && status == AKIDB_OK)
        status = write_oldest(queue, err);
    return status;
}

akidb_status ak_row_group_queue_finish(ak_row_group_queue *queue, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    while (queue->count > 0 && status == AKIDB_OK)
        status = write_oldest(queue, err);
    return status;
}

static akidb_status run(void *context, akidb_error *err)
{
    row_group_job *job = context;
    return ak_row_group_encode(&job->encoder, &job->batch, job->first, job->rows, err);
}

/* The job after the newest, once it is free. It joins the queue when it is submitted. */
static akidb_status free_job(ak_row_group_queue *queue, row_group_job **job_out, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    if (queue->count == queue->capacity)
        status = write_oldest(queue, err);
    *job_out = &queue->jobs[(queue->oldest + queue->count) % queue->capacity];
    return status;
}

static akidb_status submit(ak_row_group_queue *queue, row_group_job *job, akidb_error *err)
{
    queue->count++;
    queue->borrowing += job->borrows;
    ak_pool_submit(queue->pool, &job->task, run, job);
    return queue->capacity == 1 ? write_oldest(queue, err) : AKIDB_OK;
}

akidb_status ak_row_group_queue_add_borrowed(ak_row_group_queue *queue, const akidb_batch *batch,
                                             size_t first, size_t rows, akidb_error *err)
{
    row_group_job *job;
    akidb_status status = free_job(queue, &job, err);
    if (status != AKIDB_OK)
        return status;
    job->batch = *batch;
    job->first = first;
    job->rows = rows;
    job->borrows = true;
    return submit(queue, job, err);
}

akidb_status ak_row_group_queue_add_owned(ak_row_group_queue *queue, akidb_documents **documents,
                                          akidb_error *err)
{
    row_group_job *job;
    akidb_status status = free_job(queue, &job, err);
    if (status == AKIDB_OK && job->documents == NULL)
        status = akidb_documents_new(queue->settings->dimension, &job->documents, err);
    if (status != AKIDB_OK)
        return status;
    akidb_documents *empty = job->documents;
    akidb_documents_clear(empty);
    job->documents = *documents;
    *documents = empty;
    job->batch = akidb_documents_batch(job->documents);
    job->first = 0;
    job->rows = job->batch.rows;
    job->borrows = false;
    return submit(queue, job, err);
}
