/* Recovery of a long log, and writers beside a flush. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage_bench.h"

enum { DIMENSION = 512, BATCH = 100, ROWS = 20000, RUNS_MAX = 64 };

static const akidb_uuid collection = {{1}};

static akidb_storage_options options_in(const char *folder, akidb_durability durability)
{
    return (akidb_storage_options){.struct_size = sizeof(akidb_storage_options),
                                   .data_folder = folder,
                                   .durability = durability,
                                   .flush_wal_bytes = AKIDB_NEVER,
                                   .flush_age = AKIDB_NEVER};
}

/* Inserts rows number .. number + rows - 1. */
static akidb_status insert_many(akidb_storage *storage, const bench_data *data, uint64_t number,
                                size_t rows, akidb_error *err)
{
    akidb_uuid ids[BATCH];
    akidb_status status = AKIDB_OK;
    for (size_t done = 0; done < rows && status == AKIDB_OK; done += BATCH) {
        size_t count = rows - done < BATCH ? rows - done : BATCH;
        size_t first = (number + done) % (data->batch.rows - BATCH);
        akidb_batch batch = batch_of(data, first, count, ids, number + done);
        status = akidb_storage_upsert(storage, &collection, &batch, NULL, err);
    }
    return status;
}

/* ---- recovery -------------------------------------------------------------------------------- */

static int make_log(const storage_settings *settings, const char *folder, const bench_data *data)
{
    akidb_error err = {0};
    akidb_storage *storage;
    akidb_storage_options options = options_in(folder, AKIDB_DURABLE_BY_CALL);
    uint64_t rows = settings->wal_bytes / (DIMENSION * sizeof(float) + 64);
    akidb_status status = akidb_storage_open(&options, &storage, NULL, &err);
    if (status != AKIDB_OK)
        return bench_report("open", status, &err);
    status = akidb_storage_create_collection(storage, &collection, DIMENSION, NULL, &err);
    if (status == AKIDB_OK)
        status = insert_many(storage, data, 0, (size_t)rows, &err);
    if (status == AKIDB_OK)
        status = akidb_storage_close(storage, &err);
    return bench_report("making a log", status, &err);
}

/* Seconds to read the segments into one small window: what the kernel's cache gives at best. */
static double read_segments(const char *folder)
{
    enum { WINDOW = 1 << 20 };
    static char window[WINDOW];
    double begin = bench_now();
    for (uint64_t number = 1;; number++) {
        char path[4096 + 64];
        snprintf(path, sizeof path, "%s/wal/%020" PRIu64 ".wal", folder, number);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            return bench_now() - begin;
        while (read(file, window, sizeof window) > 0)
            continue;
        close(file);
    }
}

/* A recovery ends with a new segment, so that each begins with what the one before it has left. */
int run_recovery(const storage_settings *settings)
{
    char folder[4096];
    double opened[RUNS_MAX], busy[RUNS_MAX], read[RUNS_MAX];
    akidb_recovery_report report = {0};
    snprintf(folder, sizeof folder, "%s/recovery", settings->folder);
    bench_data data = bench_data_make(ROWS, DIMENSION);
    int result = fresh_folder(folder) != 0 ? -1 : make_log(settings, folder, &data);
    for (int run = 0; run < settings->runs && result == 0; run++) {
        akidb_error err = {0};
        akidb_storage *storage;
        akidb_storage_options options = options_in(folder, AKIDB_DURABLE_EVERY_COMMIT);
        read[run] = read_segments(folder);
        bench_cost cost = bench_begin(2 * data.vector_bytes);
        akidb_status status = akidb_storage_open(&options, &storage, &report, &err);
        bench_end(&cost);
        opened[run] = cost.seconds;
        busy[run] = cost.cpu_seconds;
        if (status == AKIDB_OK)
            status = akidb_storage_close(storage, &err);
        result = bench_report("recovery", status, &err);
    }
    bench_data_free(&data);
    if (result != 0)
        return result;
    double seconds = quantile(opened, (size_t)settings->runs, 0.5);
    double limit = quantile(read, (size_t)settings->runs, 0.5);
    double cpu = quantile(busy, (size_t)settings->runs, 0.5);
    double bytes = (double)report.log_bytes;
    printf("\nrecovery of a log of %.2f GB, %" PRIu64 " rows of dimension %d, from the cache\n",
           bytes / 1e9, report.documents, DIMENSION);
    printf("  read of the segments %20.2f s %8.2f GB/s\n", limit, bytes / limit / 1e9);
    printf("  open                 %20.2f s %8.2f GB/s\n", seconds, bytes / seconds / 1e9);
    printf("  of that, a processor %20.2f s %8.2f GB/s\n", cpu, bytes / cpu / 1e9);
    if (settings->json != NULL)
        fprintf(settings->json,
                "{\"what\":\"recovery\",\"log_bytes\":%" PRIu64 ",\"documents\":%" PRIu64
                ",\"seconds\":%.4f,\"cpu_seconds\":%.4f,\"read_seconds\":%.4f}\n",
                report.log_bytes, report.documents, seconds, cpu, limit);
    return fresh_folder(folder);
}

/* ---- flush beside a writer ------------------------------------------------------------------- */

typedef enum phase { QUIET, FLUSHING, STOPPED } phase;

enum { LATENCIES_MAX = 1 << 20 };

/* A writer that inserts one row after the other and notes how long each took, by phase. */
typedef struct writer {
    akidb_storage *storage;
    const bench_data *data;
    _Atomic int phase;
    double *latencies[2];
    size_t counts[2];
    int failed;
} writer;

static void *write_rows(void *context)
{
    writer *w = context;
    akidb_uuid id;
    int now;
    for (uint64_t number = UINT64_C(1) << 40; (now = atomic_load(&w->phase)) != STOPPED; number++) {
        akidb_error err = {0};
        akidb_batch batch = batch_of(w->data, number % ROWS, 1, &id, number);
        double begin = bench_now();
        akidb_status status = akidb_storage_upsert(w->storage, &collection, &batch, NULL, &err);
        double seconds = bench_now() - begin;
        if (bench_report("a writer", status, &err) != 0) {
            w->failed = 1;
            break;
        }
        /* What lay in both phases counts as beside the flush. */
        int during = atomic_load(&w->phase) == FLUSHING ? FLUSHING : now;
        if (w->counts[during] < LATENCIES_MAX)
            w->latencies[during][w->counts[during]++] = seconds;
    }
    return NULL;
}

static void sleep_seconds(double seconds)
{
    usleep((useconds_t)(seconds * 1e6));
}

/* Quiet, flush, quiet, flush, ...; each flush finds what the writer has written since. */
static akidb_status alternate(const storage_settings *settings, writer *w, double *flushes,
                              akidb_error *err)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_rows, w) != 0)
        exit(EXIT_FAILURE);
    akidb_status status = AKIDB_OK;
    for (int run = 0; run < settings->runs && status == AKIDB_OK; run++) {
        atomic_store(&w->phase, QUIET);
        sleep_seconds(1);
        atomic_store(&w->phase, FLUSHING);
        double begin = bench_now();
        status = akidb_storage_flush(w->storage, &collection, NULL, err);
        flushes[run] = bench_now() - begin;
    }
    atomic_store(&w->phase, STOPPED);
    pthread_join(thread, NULL);
    return status;
}

static void print_flush(const storage_settings *settings, writer *w, double flush)
{
    static const char *const names[] = {"quiet", "beside the flush"};
    double p99[2], megabytes = (double)settings->rows * DIMENSION * sizeof(float) / 1e6;
    printf("\nflush of %zu x %d while a writer goes on: %.2f s, %.0f MB/s\n", settings->rows,
           DIMENSION, flush, megabytes / flush);
    printf("  %-20s %10s %10s %10s %10s\n", "a writer's insert", "rows", "p50 ms", "p99 ms",
           "max ms");
    for (int i = 0; i < 2; i++) {
        double *values = w->latencies[i];
        size_t count = w->counts[i];
        p99[i] = quantile(values, count, 0.99);
        printf("  %-20s %10zu %10.3f %10.3f %10.3f\n", names[i], count,
               quantile(values, count, 0.5) * 1e3, p99[i] * 1e3, quantile(values, count, 1) * 1e3);
    }
    printf("  p99 beside the flush is %.1f times the quiet one\n", p99[1] / p99[0]);
    if (settings->json != NULL)
        fprintf(settings->json,
                "{\"what\":\"flush\",\"rows\":%zu,\"dimension\":%d,\"seconds\":%.4f,"
                "\"quiet_p99\":%.6f,\"flush_p99\":%.6f}\n",
                settings->rows, DIMENSION, flush, p99[0], p99[1]);
}

int run_flush(const storage_settings *settings)
{
    char folder[4096];
    double flushes[RUNS_MAX];
    akidb_error err = {0};
    akidb_storage *storage;
    snprintf(folder, sizeof folder, "%s/flush", settings->folder);
    if (fresh_folder(folder) != 0)
        return -1;
    akidb_storage_options options = options_in(folder, AKIDB_DURABLE_EVERY_COMMIT);
    akidb_status status = akidb_storage_open(&options, &storage, NULL, &err);
    if (status != AKIDB_OK)
        return bench_report("open", status, &err);
    bench_data data = bench_data_make(ROWS, DIMENSION);
    writer w = {.storage = storage, .data = &data};
    for (int i = 0; i < 2; i++)
        w.latencies[i] = calloc(LATENCIES_MAX, sizeof *w.latencies[i]);
    if (w.latencies[0] == NULL || w.latencies[1] == NULL)
        exit(EXIT_FAILURE);
    status = akidb_storage_create_collection(storage, &collection, DIMENSION, NULL, &err);
    if (status == AKIDB_OK)
        status = insert_many(storage, &data, 0, settings->rows, &err);
    if (status == AKIDB_OK)
        status = alternate(settings, &w, flushes, &err);
    if (status == AKIDB_OK)
        status = akidb_storage_close(storage, &err);
    int result = bench_report("flush", status, &err) != 0 || w.failed ? -1 : 0;
    if (result == 0)
        print_flush(settings, &w, quantile(flushes, (size_t)settings->runs, 0.5));
    for (int i = 0; i < 2; i++)
        free(w.latencies[i]);
    bench_data_free(&data);
    return result != 0 ? result : fresh_folder(folder);
}
