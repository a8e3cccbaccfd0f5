/* Inserts per second: every contender in turn, again and again, and the medians. */
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "storage_bench.h"

enum { CONTENDERS_MAX = 8, RUNS_MAX = 64, THREADS_MAX = 64, BATCH_MAX = 1000, ROWS = 20000 };
enum { MEMORY = 256 << 20 }; /* of one run */

/* ---- batches --------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

akidb_batch batch_of(const bench_data *data, size_t first, size_t count, akidb_uuid *ids,
                     uint64_t number)
{
    akidb_batch batch = data->batch;
    batch.rows = count;
    batch.vectors += first * batch.dimension;
    batch.inserted_at += first;
    batch.external_ids.offsets += first;
    batch.metadata.offsets += first;
    for (size_t i = 0; i < count; i++) {
        uint64_t halves[2] = {mix(2 * (number + i) + 1), mix(2 * (number + i) + 2)};
        memcpy(ids[i].bytes, halves, sizeof ids[i].bytes);
    }
    batch.document_ids = ids;
    return batch;
}

/* ---- one run --------------------------------------------------------------------------------- */

typedef struct cell {
    const bench_data *data;
    size_t batch;
    unsigned threads;
} cell;

typedef struct inserter {
    pthread_t thread;
    const cell *cell;
    const contender *contender;
    void *target;
    uint64_t number; /* of its first row */
    double end;
    uint64_t rows;
    int failed;
} inserter;

static void *insert(void *context)
{
    inserter *w = context;
    akidb_uuid ids[BATCH_MAX];
    size_t n = w->cell->batch, all = w->cell->data->batch.rows;
    do {
        akidb_batch batch =
            batch_of(w->cell->data, (w->number + w->rows) % (all - n), n, ids, w->number + w->rows);
        w->failed = w->contender->insert(w->target, &batch) != 0;
        w->rows += n;
    } while (!w->failed && bench_now() < w->end);
    return NULL;
}

/* How fast, and at what cost. */
typedef struct pace {
    double rows_per_second; /* negative: it failed */
    double cpu;             /* seconds of a processor for a row, of all threads */
} pace;

static const pace no_pace = {-1, -1};

static pace run_once(const storage_settings *settings, const cell *c, const contender *who)
{
    char folder[4096];
    inserter workers[THREADS_MAX];
    snprintf(folder, sizeof folder, "%s/inserts", settings->folder);
    if (fresh_folder(folder) != 0)
        return no_pace;
    void *target = who->open(folder, c->data->batch.dimension);
    if (target == NULL)
        return no_pace;
    uint64_t rows = 0;
    int failed = 0;
    bench_cost cost = bench_begin(MEMORY);
    double begin = bench_now();
    for (unsigned i = 0; i < c->threads; i++) {
        workers[i] = (inserter){.cell = c,
                                .contender = who,
                                .target = target,
                                .number = (uint64_t)i << 40,
                                .end = begin + settings->seconds};
        if (pthread_create(&workers[i].thread, NULL, insert, &workers[i]) != 0)
            exit(EXIT_FAILURE);
    }
    for (unsigned i = 0; i < c->threads; i++) {
        pthread_join(workers[i].thread, NULL);
        rows += workers[i].rows;
        failed |= workers[i].failed;
    }
    bench_end(&cost);
    failed |= who->close(target) != 0;
    return failed ? no_pace : (pace){(double)rows / cost.seconds, cost.cpu_seconds / (double)rows};
}

/* ---- the table ------------------------------------------------------------------------------- */

static void print_rate(const storage_settings *settings, const cell *c, const contender *who,
                       double rate, double cpu, double raw)
{
    akidb_uuid ids[BATCH_MAX];
    akidb_batch batch = batch_of(c->data, 0, c->batch, ids, 0);
    double bytes = (double)batch_bytes(&batch) / (double)c->batch;
    printf("  %-28s %12.0f %10.1f %10.2f", who->name, rate, rate * bytes / 1e6, cpu * 1e6);
    if (who->durable)
        printf(" %10.2f", raw / rate);
    putchar('\n');
    fflush(stdout);
    if (settings->json == NULL)
        return;
    fprintf(settings->json,
            "{\"what\":\"inserts\",\"name\":\"%s\",\"dimension\":%" PRIu32
            ",\"batch\":%zu,\"threads\":%u,\"rows_per_second\":%.1f,\"cpu_seconds_per_row\":%.9f,"
            "\"bytes_per_row\":%.1f}\n",
            who->name, c->data->batch.dimension, c->batch, c->threads, rate, cpu, bytes);
}

static int run_cell(const storage_settings *settings, const cell *c)
{
    double rates[CONTENDERS_MAX][RUNS_MAX], costs[CONTENDERS_MAX][RUNS_MAX];
    printf("\ndimension %" PRIu32 ", %s, %u thread%s\n", c->data->batch.dimension,
           c->batch == 1 ? "one row at a time" : "batches of 100", c->threads,
           c->threads == 1 ? "" : "s");
    printf("  %-28s %12s %10s %10s %10s\n", "", "rows/s", "MB/s", "cpu us/row", "cost/raw");
    for (int run = 0; run < settings->runs; run++)
        for (size_t i = 0; i < contender_count; i++) {
            pace p = run_once(settings, c, &contenders[i]);
            rates[i][run] = p.rows_per_second;
            costs[i][run] = p.cpu;
            if (p.rows_per_second < 0)
                return -1;
        }
    double raw = quantile(rates[0], (size_t)settings->runs, 0.5);
    for (size_t i = 0; i < contender_count; i++)
        print_rate(settings, c, &contenders[i], quantile(rates[i], (size_t)settings->runs, 0.5),
                   quantile(costs[i], (size_t)settings->runs, 0.5), raw);
    return 0;
}

int run_inserts(const storage_settings *settings)
{
    static const uint32_t dimensions[] = {128, 512};
    static const size_t batches[] = {1, 100};
    static const unsigned threads[] = {1, 8};
    int result = 0;
    for (size_t d = 0; d < 2 && result == 0; d++) {
        if (settings->dimension != 0 && settings->dimension != dimensions[d])
            continue;
        bench_data data = bench_data_make(ROWS, dimensions[d]);
        for (size_t i = 0; i < 4 && result == 0; i++) {
            cell c = {&data, batches[i / 2], threads[i % 2]};
            bool wanted = (settings->batch == 0 || settings->batch == c.batch) &&
                          (settings->threads == 0 || settings->threads == c.threads);
            if (wanted)
                result = run_cell(settings, &c);
        }
        bench_data_free(&data);
    }
    return result;
}

/* ---- what the others use, too ---------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double quantile(double *values, size_t count, double fraction)
{
    if (count == 0)
        return 0;
    qsort(values, count, sizeof *values, compare);
    size_t at = (size_t)((double)count * fraction);
    return values[at < count ? at : count - 1];
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

int fresh_folder(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (mkdir(path, 0700) == 0)
        return 0;
    perror(path);
    return -1;
}

int bench_report(const char *what, akidb_status status, const akidb_error *err)
{
    if (status == AKIDB_OK)
        return 0;
    fprintf(stderr, "akidb_storage_bench: %s: %s\n", what, err->message);
    return -1;
}
