#include "ahead.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS = 2, BATCH_BYTES = 64 << 20, POLL_MS = 100 };

struct cli_ahead {
    cli_sources sources;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed;

    /* Under the mutex. Slot `taken % SLOTS` is the taker's next one, `filled % SLOTS` the
     * reader's; the reader owns a slot from taken + SLOTS on, the taker below filled. */
    uint64_t filled;
    uint64_t taken;
    bool stop;
    bool ended;
    uint32_t dimension;
    uint64_t *rows;  /* read so far, of each source */
    akidb_error err; /* .status is AKIDB_OK unless reading failed */

    akidb_documents *slots[SLOTS];
    bool holding; /* the taker still uses slot taken % SLOTS */
};

akidb_status cli_source_open(const cli_sources *sources, size_t index, akidb_import **import_out,
                             akidb_error *err)
{
    akidb_import_options options = sources->options;
    const char *path = sources->paths[index];
    if (strcmp(path, "-") == 0 && options.format == AKIDB_FILE_BY_ENDING)
        options.format = AKIDB_FILE_JSONL;
    if (sources->ids != NULL && sources->ids->count > 0)
        options.external_ids_path = sources->ids->items[index];
    return akidb_import_open(path, &options, import_out, err);
}

akidb_status cli_source_check_dimension(const cli_sources *sources, size_t index,
                                        uint32_t dimension, uint32_t *earlier, akidb_error *err)
{
    if (*earlier == 0)
        *earlier = dimension;
    if (dimension == 0 || dimension == *earlier)
        return AKIDB_OK;
    return cli_set_error(err, AKIDB_E_VALIDATION,
                         "%s: expected vectors of dimension %u as in the files before it, found "
                         "dimension %u",
                         sources->paths[index], *earlier, dimension);
}

/* ---- the thread that reads ------------------------------------------------------------------- */

/* Waits for a slot that the taker is done with. False when there is nothing more to do. */
static bool wait_for_slot(cli_ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    while (!ahead->stop && ahead->filled - ahead->taken == SLOTS)
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    bool stop = ahead->stop;
    pthread_mutex_unlock(&ahead->mutex);
    return !stop;
}

static void hand_over(cli_ahead *ahead, size_t source, size_t rows)
{
    pthread_mutex_lock(&ahead->mutex);
    ahead->filled++;
    ahead->rows[source] += rows;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}

static size_t batch_rows(const cli_sources *sources, uint32_t dimension)
{
    size_t most = BATCH_BYTES / (sizeof(float) * dimension);
    return sources->batch_rows < most ? sources->batch_rows : most > 0 ? most : 1;
}

static akidb_status read_documents(cli_ahead *ahead, size_t source, akidb_import *import,
                                   akidb_error *err)
{
    uint32_t dimension = akidb_import_dimension(import);
    while (wait_for_slot(ahead)) {
        akidb_documents **slot = &ahead->slots[ahead->filled % SLOTS];
        akidb_status status = AKIDB_OK;
        if (*slot == NULL)
            status = akidb_documents_new(dimension, slot, err);
        bool done = false;
        if (status == AKIDB_OK)
            status = akidb_import_next(import, batch_rows(&ahead->sources, dimension), *slot, &done,
                                       err);
        if (status != AKIDB_OK || done)
            return status;
        hand_over(ahead, source, akidb_documents_batch(*slot).rows);
    }
    return AKIDB_OK;
}

static akidb_status read_source(cli_ahead *ahead, size_t index, akidb_error *err)
{
    akidb_import *import;
    akidb_status status = cli_source_open(&ahead->sources, index, &import, err);
    if (status != AKIDB_OK)
        return status;
    uint32_t dimension = akidb_import_dimension(import);
    pthread_mutex_lock(&ahead->mutex);
    status = cli_source_check_dimension(&ahead->sources, index, dimension, &ahead->dimension, err);
    pthread_mutex_unlock(&ahead->mutex);
    if (status == AKIDB_OK && dimension != 0)
        status = read_documents(ahead, index, import, err);
    akidb_import_close(import);
    return status;
}

static void *read_all(void *argument)
{
    cli_ahead *ahead = argument;
    akidb_error err;
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < ahead->sources.count && status == AKIDB_OK; i++)
        status = read_source(ahead, i, &err);

    pthread_mutex_lock(&ahead->mutex);
    if (status != AKIDB_OK)
        ahead->err = err;
    ahead->ended = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    return NULL;
}

/* ---- the thread that takes ------------------------------------------------------------------- */

static struct timespec soon(void)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_nsec += POLL_MS * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_nsec -= 1000000000L;
        at.tv_sec++;
    }
    return at;
}

static void free_ahead(cli_ahead *ahead)
{
    for (size_t i = 0; i < SLOTS; i++)
        akidb_documents_free(ahead->slots[i]);
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->mutex);
    free(ahead->rows);
    free(ahead);
}

akidb_status cli_ahead_open(const cli_sources *sources, cli_ahead **ahead_out, akidb_error *err)
{
    *ahead_out = NULL;
    cli_ahead *ahead = calloc(1, sizeof *ahead);
    uint64_t *rows = calloc(sources->count, sizeof *rows);
    if (ahead == NULL || rows == NULL) {
        free(ahead);
        free(rows);
        return cli_set_error(err, AKIDB_E_OUT_OF_MEMORY, "out of memory");
    }
    ahead->sources = *sources;
    ahead->rows = rows;
    pthread_mutex_init(&ahead->mutex, NULL);
    pthread_cond_init(&ahead->changed, NULL);
    if (pthread_create(&ahead->thread, NULL, read_all, ahead) != 0) {
        free_ahead(ahead);
        return cli_set_error(err, AKIDB_E_IO, "a thread could not be started");
    }
    *ahead_out = ahead;
    return AKIDB_OK;
}

akidb_status cli_ahead_next(cli_ahead *ahead, const akidb_documents **documents_out,
                            akidb_error *err)
{
    *documents_out = NULL;
    akidb_status status = AKIDB_OK;
    pthread_mutex_lock(&ahead->mutex);
    if (ahead->holding) {
        ahead->taken++;
        ahead->holding = false;
        pthread_cond_broadcast(&ahead->changed);
    }
    while (ahead->filled == ahead->taken && !ahead->ended && cli_interrupted() == 0) {
        struct timespec until = soon();
        pthread_cond_timedwait(&ahead->changed, &ahead->mutex, &until);
    }
    if (cli_interrupted() != 0) {
        status = cli_set_error(err, AKIDB_E_CANCELLED, "interrupted");
    } else if (ahead->filled > ahead->taken) {
        *documents_out = ahead->slots[ahead->taken % SLOTS];
        ahead->holding = true;
    } else if (ahead->err.status != AKIDB_OK) {
        *err = ahead->err;
        status = ahead->err.status;
    }
    pthread_mutex_unlock(&ahead->mutex);
    return status;
}

uint32_t cli_ahead_dimension(cli_ahead *ahead)
{
    pthread_mutex_lock(&ahead->mutex);
    uint32_t dimension = ahead->dimension;
    pthread_mutex_unlock(&ahead->mutex);
    return dimension;
}

const char *cli_ahead_source_of(cli_ahead *ahead, uint64_t row, uint64_t *row_in_source_out)
{
    const char *path = NULL;
    pthread_mutex_lock(&ahead->mutex);
    for (size_t i = 0; i < ahead->sources.count && path == NULL; i++) {
        if (row < ahead->rows[i]) {
            path = ahead->sources.paths[i];
            *row_in_source_out = row;
        } else {
            row -= ahead->rows[i];
        }
    }
    pthread_mutex_unlock(&ahead->mutex);
    return path;
}

void cli_ahead_close(cli_ahead *ahead)
{
    if (ahead == NULL)
        return;
    pthread_mutex_lock(&ahead->mutex);
    ahead->stop = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
    struct timespec until = soon();
    if (pthread_timedjoin_np(ahead->thread, NULL, &until) == 0)
        free_ahead(ahead);
    else
        pthread_detach(ahead->thread); /* it waits for a pipe: what it uses stays */
}
