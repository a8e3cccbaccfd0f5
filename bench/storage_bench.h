#ifndef STORAGE_BENCH_H
#define STORAGE_BENCH_H
/* What the files of akidb_storage_bench share: the inserts that it measures, those who make them,
 * and the results. */
#include "bench.h"

#include <stdio.h>

typedef struct storage_settings {
    const char *folder; /* on the disk that is measured */
    FILE *json;         /* a line for each result; NULL: none */
    double seconds;     /* of one run of inserts */
    int runs;           /* of which the median counts */
    uint64_t wal_bytes; /* of the log that is recovered */
    size_t rows;        /* of the collection that is flushed */
    /* Inserts of just these; 0: of all. */
    uint32_t dimension;
    size_t batch;
    unsigned threads;
} storage_settings;

/* ---- storage_contenders.c: who keeps rows ---------------------------------------------------- */

/* One way to keep rows. Insert returns when what it promises holds for the whole batch; it is
 * called by several threads at once. 0 is success; failures are printed. */
typedef struct contender {
    const char *name;
    int durable; /* it promises that a power cut takes nothing */
    void *(*open)(const char *folder, uint32_t dimension);
    int (*insert)(void *self, const akidb_batch *batch);
    int (*close)(void *self);
} contender;

/* The first is the raw disk: the same bytes, written and synced. */
extern const contender contenders[];
extern const size_t contender_count;

/* Bytes of a batch: vectors, ids, times and texts. */
uint64_t batch_bytes(const akidb_batch *batch);

/* ---- storage_inserts.c, storage_large.c ------------------------------------------------------ */

/* `count` rows of the data from row `first` on, which must be there. With new ids in `ids`, made of
 * `number`, so that rows may be inserted again as others. */
akidb_batch batch_of(const bench_data *data, size_t first, size_t count, akidb_uuid *ids,
                     uint64_t number);

/* Sorts; the value below which `fraction` of them lie. */
double quantile(double *values, size_t count, double fraction);

/* Removes the folder with all in it, and makes it again, empty. */
int fresh_folder(const char *path);

int run_inserts(const storage_settings *settings);
int run_recovery(const storage_settings *settings);
int run_flush(const storage_settings *settings);

/* Prints "akidb_storage_bench: what: message" unless the status is AKIDB_OK; then 0. */
int bench_report(const char *what, akidb_status status, const akidb_error *err);

#endif
