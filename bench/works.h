#ifndef WORKS_H
#define WORKS_H
/* The pieces of work of akidb_bench. Each does one thing once, and exits with a message when it
 * cannot: a figure of something else would be worse than none. */
#include "bench.h"

typedef struct bench_settings {
    const char *data;   /* folder of documents: bench_data_load */
    const char *folder; /* of the work's own */
    unsigned threads;
    akidb_snapshot_format format;
    akidb_compression compression;
    akidb_vector_encoding encoding;
    akidb_profile profile;
    size_t rows; /* of data, stream-create and encode */
    uint32_t dimension;
    uint64_t memory; /* bytes, for bench_begin */
} bench_settings;

/* What is told of the work. */
typedef struct bench_outcome {
    bench_cost cost;
    uint64_t bytes; /* size of what was written or read */
    uint64_t rows;
    uint64_t vector_bytes; /* of those, the column of vectors as it is stored; 0: not known */
} bench_outcome;

typedef bench_outcome bench_work(const bench_settings *settings);

/* limits.c: what the machine can do at best with the bytes of the vectors, with one thread */
bench_work bench_memcpy, bench_write, bench_read, bench_crc32, bench_entropy;

/* snapshots.c */
bench_work bench_create, bench_restore, bench_restore_into, bench_import;

/* streams.c */
bench_work bench_stream_create, bench_stream_restore, bench_encode, bench_encode_data;

/* ---- shared by them -------------------------------------------------------------------------- */

_Noreturn void bench_die(const char *what, const char *why);
void bench_must(akidb_status status, const akidb_error *err);
void *bench_allocate(size_t size);
void bench_path_in(char path_out[4096], const char *folder, const char *name);

akidb_parquet_options bench_parquet_options(const bench_settings *settings);

/* The store and the collection that are measured. */
typedef struct bench_session {
    akidb_store *store;
    akidb_snapshotter *snapshotter;
    akidb_uuid collection;
} bench_session;

bench_session bench_session_open(const bench_settings *settings);
void bench_session_close(bench_session *session);
akidb_uuid bench_latest(const bench_session *session);

#endif
