#ifndef BENCH_H
#define BENCH_H
/* What the benchmark's files share: the documents it works on, and how something is measured. */
#include "akidb/akidb.h"

/* ---- data.c: documents from a fixed seed ----------------------------------------------------- */

/* Owns the memory that `batch` shows. Vectors are Gaussian and normalised, document ids random,
 * external ids and metadata short texts that differ from row to row. */
typedef struct bench_data {
    akidb_batch batch;
    uint64_t vector_bytes;
} bench_data;

/* Exits when memory runs out: there is nothing to measure then. */
bench_data bench_data_make(size_t rows, uint32_t dimension);
void bench_data_free(bench_data *data);

/* ---- measure.c: the same work several times, in a process of its own ------------------------- */

enum { BENCH_RUNS_MAX = 64 };

/* What a run of the work adds to the result. */
typedef struct bench_run {
    double seconds;
    uint64_t stored_bytes; /* size of what was written or read */
    uint64_t store_calls;
} bench_run;

typedef struct bench_result {
    int failed; /* the child ended in error, which it has printed */
    int runs;
    double seconds; /* median */
    double seconds_min;
    uint64_t stored_bytes;
    uint64_t store_calls;
    uint64_t peak_bytes; /* most memory in use, on top of what was there at the start */
} bench_result;

/* One run of the work; 0 is success. Prepares and cleans up outside of the time that it reports. */
typedef int bench_work(void *context, bench_run *run_out);

/* Forks; the child works `runs` times, or fewer (one at least) once `seconds_limit` have gone by.
 */
bench_result bench_measure(bench_work *work, void *context, int runs, double seconds_limit);

double bench_now(void); /* monotonic seconds */

#endif
