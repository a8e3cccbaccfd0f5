#ifndef BENCH_H
#define BENCH_H
/* What the benchmark programs share: the documents that they work on, and how a piece of work is
 * measured. */
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

/* As a folder of plain arrays, which programs in any language can read: `shape` (rows and
 * dimension, as text), `vectors` (float32), `ids` (16 bytes each), `times` (int64), and of each
 * text column NAME.offsets (uint64, rows + 1) and NAME.bytes. Little-endian. Exit when a file
 * cannot be written or read. */
void bench_data_save(const bench_data *data, const char *folder);
bench_data bench_data_load(const char *folder);

/* ---- measure.c ------------------------------------------------------------------------------- */

double bench_now(void); /* monotonic seconds */

/* What a piece of work took. */
typedef struct bench_cost {
    double seconds;
    double cpu_seconds;  /* of all threads, in user and system */
    uint64_t peak_bytes; /* most memory in use, beyond what was there at the start */
} bench_cost;

/* Between the two: the work.
 *
 * A virtual machine may give free memory back to its host within seconds, and the next program that
 * touches it pays three to ten times as much. So bench_begin touches memory_bytes, which should be
 * all that the work needs, with its files in the page cache, and gives them back to the kernel,
 * before the clock starts; peers.py does the same. */
bench_cost bench_begin(uint64_t memory_bytes);
void bench_end(bench_cost *cost);

#endif
