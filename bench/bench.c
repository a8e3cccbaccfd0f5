/*
 * akidb_bench [options] FOLDER: how long create and restore take on a local store in FOLDER, fsync
 * included, and what they need, beside memcpy and write + fsync of the same vectors. Prints a
 * table; --json FILE receives one JSON object for each line of it. Times are medians.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct bench_settings {
    const char *folder;
    const char *json_path;
    int runs;
    double seconds_limit; /* for one line of the table */
    unsigned threads;
    uint32_t dimension;
    size_t rows[8];
    size_t rows_count;
} bench_settings;

/* One kind of snapshot. */
typedef struct variant {
    const char *name;
    akidb_snapshot_format format;
    akidb_compression compression;
    akidb_vector_encoding encoding;
} variant;

static const variant variants[] = {
    {"parquet snappy (default)", AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_DEFAULT,
     AKIDB_VECTOR_ENCODING_DEFAULT},
    {"parquet none", AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_NONE, AKIDB_VECTOR_ENCODING_DEFAULT},
    {"parquet zstd", AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_ZSTD, AKIDB_VECTOR_ENCODING_DEFAULT},
    {"parquet zstd, split", AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_ZSTD,
     AKIDB_VECTOR_BYTE_STREAM_SPLIT},
    {"json", AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_NONE, AKIDB_VECTOR_ENCODING_DEFAULT},
};

/* What one line of the table works on. */
typedef struct bench_job {
    const bench_settings *settings;
    const bench_data *data;
    const variant *variant;
    uint64_t calls;
} bench_job;

/* ---- the raw limits -------------------------------------------------------------------------- */

static int work_memcpy(void *context, bench_run *run)
{
    const bench_data *data = ((bench_job *)context)->data;
    char *copy = malloc(data->vector_bytes);
    if (copy == NULL)
        return -1;
    memset(copy, 1, data->vector_bytes); /* so that the time is not that of page faults */
    double start = bench_now();
    memcpy(copy, data->batch.vectors, data->vector_bytes);
    run->seconds = bench_now() - start;
    run->stored_bytes = data->vector_bytes;
    int result = memcmp(copy, data->batch.vectors, data->vector_bytes) == 0 ? 0 : -1;
    free(copy);
    return result;
}

static int write_all(int file, const char *bytes, uint64_t size)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size < (1u << 20) ? (size_t)size : 1u << 20);
        if (written <= 0)
            return -1;
        bytes += written;
        size -= (uint64_t)written;
    }
    return 0;
}

static int work_write(void *context, bench_run *run)
{
    const bench_job *job = context;
    char path[4096];
    snprintf(path, sizeof path, "%s/raw", job->settings->folder);
    double start = bench_now();
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0)
        return -1;
    int result = write_all(file, (const char *)job->data->batch.vectors, job->data->vector_bytes);
    if (fsync(file) != 0)
        result = -1;
    if (close(file) != 0)
        result = -1;
    run->seconds = bench_now() - start;
    run->stored_bytes = job->data->vector_bytes;
    unlink(path);
    return result;
}

/* ---- create and restore ---------------------------------------------------------------------- */

/* A store in the folder, and a snapshotter on it that counts the calls. */
typedef struct session {
    akidb_store *local;
    akidb_store *traced;
    akidb_snapshotter *snapshotter;
    akidb_uuid collection;
} session;

static void count_call(void *context, const akidb_store_call *call)
{
    (void)call;
    __atomic_add_fetch((uint64_t *)context, 1, __ATOMIC_RELAXED);
}

static void session_close(session *s)
{
    akidb_snapshotter_close(s->snapshotter);
    akidb_store_close(s->traced);
    akidb_store_close(s->local);
}

static akidb_status session_open(session *s, bench_job *job, akidb_error *err)
{
    *s = (session){0};
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .format = job->variant->format,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .compression = job->variant->compression,
                                            .vector_encoding = job->variant->encoding},
        .threads = job->settings->threads,
    };
    akidb_status status = akidb_store_local_open(job->settings->folder, &s->local, err);
    if (status == AKIDB_OK)
        status = akidb_store_trace_open(s->local, count_call, &job->calls, &s->traced, err);
    if (status == AKIDB_OK)
        status = akidb_snapshotter_open(s->traced, &options, &s->snapshotter, err);
    if (status == AKIDB_OK)
        status = akidb_collection_id("bench", &s->collection, err);
    return status;
}

static int report(akidb_status status, const akidb_error *err)
{
    if (status == AKIDB_OK)
        return 0;
    fprintf(stderr, "akidb_bench: %s\n", err->message);
    return -1;
}

static int work_create(void *context, bench_run *run)
{
    bench_job *job = context;
    akidb_error err = {0};
    session s;
    akidb_uuid snapshot;
    akidb_snapshot_metadata *metadata = NULL;
    akidb_status status = session_open(&s, job, &err);
    if (status == AKIDB_OK) {
        job->calls = 0;
        double start = bench_now();
        status = akidb_snapshot_create(s.snapshotter, &s.collection, &job->data->batch, NULL,
                                       &snapshot, &metadata, &err);
        run->seconds = bench_now() - start;
        run->store_calls = job->calls;
    }
    if (status == AKIDB_OK) {
        run->stored_bytes = metadata->size_bytes;
        status = akidb_snapshot_delete(s.snapshotter, &s.collection, &snapshot, &err);
    }
    akidb_snapshot_metadata_free(metadata);
    session_close(&s);
    return report(status, &err);
}

static int same_vectors(const akidb_documents *documents, const bench_data *data)
{
    akidb_batch batch = akidb_documents_batch(documents);
    return batch.rows == data->batch.rows &&
           memcmp(batch.vectors, data->batch.vectors, data->vector_bytes) == 0;
}

static int work_restore(void *context, bench_run *run)
{
    bench_job *job = context;
    akidb_error err = {0};
    session s;
    akidb_uuid snapshot;
    akidb_documents *documents = NULL;
    akidb_status status = session_open(&s, job, &err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_resolve(s.snapshotter, &s.collection, "latest", &snapshot, &err);
    if (status == AKIDB_OK) {
        job->calls = 0;
        double start = bench_now();
        status =
            akidb_snapshot_restore(s.snapshotter, &s.collection, &snapshot, NULL, &documents, &err);
        run->seconds = bench_now() - start;
        run->store_calls = job->calls;
    }
    int result = report(status, &err);
    if (result == 0 && !same_vectors(documents, job->data)) {
        fprintf(stderr, "akidb_bench: what was restored differs\n");
        result = -1;
    }
    akidb_documents_free(documents);
    session_close(&s);
    return result;
}

/* ---- the table ------------------------------------------------------------------------------- */

static void print_line(FILE *json, const bench_job *job, const char *name, const char *what,
                       const bench_result *r)
{
    double megabytes = (double)job->data->vector_bytes / 1e6;
    if (r->failed) {
        printf("  %-26s %-8s failed\n", name, what);
        return;
    }
    printf("  %-26s %-8s %9.1f %9.0f %10.1f %10.1f %6" PRIu64 " %5d\n", name, what,
           r->seconds * 1e3, megabytes / r->seconds, (double)r->stored_bytes / 1e6,
           (double)r->peak_bytes / 1e6, r->store_calls, r->runs);
    fflush(stdout);
    if (json == NULL)
        return;
    fprintf(
        json,
        "{\"rows\":%zu,\"dimension\":%" PRIu32 ",\"threads\":%u,\"name\":\"%s\",\"what\":\"%s\","
        "\"runs\":%d,\"seconds\":%.6f,\"seconds_min\":%.6f,\"vector_bytes\":%" PRIu64
        ",\"stored_bytes\":%" PRIu64 ",\"peak_bytes\":%" PRIu64 ",\"store_calls\":%" PRIu64 "}\n",
        job->data->batch.rows, job->data->batch.dimension, job->settings->threads, name, what,
        r->runs, r->seconds, r->seconds_min, job->data->vector_bytes, r->stored_bytes,
        r->peak_bytes, r->store_calls);
}

static bench_result measure(bench_job *job, bench_work *work)
{
    return bench_measure(work, job, job->settings->runs, job->settings->seconds_limit);
}

/* Makes the snapshot that the restores read. */
static int work_make(void *context, bench_run *run)
{
    bench_job *job = context;
    akidb_error err = {0};
    session s;
    akidb_uuid snapshot;
    akidb_snapshot_metadata *metadata = NULL;
    akidb_status status = session_open(&s, job, &err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_create(s.snapshotter, &s.collection, &job->data->batch, NULL,
                                       &snapshot, &metadata, &err);
    if (status == AKIDB_OK)
        run->stored_bytes = metadata->size_bytes;
    akidb_snapshot_metadata_free(metadata);
    session_close(&s);
    return report(status, &err);
}

static int work_remove(void *context, bench_run *run)
{
    akidb_error err = {0};
    session s;
    akidb_uuid snapshot;
    (void)run;
    akidb_status status = session_open(&s, context, &err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_resolve(s.snapshotter, &s.collection, "latest", &snapshot, &err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_delete(s.snapshotter, &s.collection, &snapshot, &err);
    session_close(&s);
    return report(status, &err);
}

static int run_variant(bench_job *job, FILE *json)
{
    bench_result created = measure(job, work_create);
    print_line(json, job, job->variant->name, "create", &created);
    /* In a child as well, so that no measurement inherits the memory of another. */
    bench_result made = bench_measure(work_make, job, 1, 0);
    bench_result restored = {.failed = 1};
    if (!made.failed) {
        restored = measure(job, work_restore);
        restored.stored_bytes = made.stored_bytes;
        made = bench_measure(work_remove, job, 1, 0);
    }
    print_line(json, job, job->variant->name, "restore", &restored);
    return created.failed || restored.failed || made.failed ? -1 : 0;
}

static int run_size(const bench_settings *settings, size_t rows, FILE *json)
{
    bench_data data = bench_data_make(rows, settings->dimension);
    bench_job job = {.settings = settings, .data = &data};
    printf("\n%zu x %" PRIu32 ", %.1f MB of vectors, %u threads\n", rows, settings->dimension,
           (double)data.vector_bytes / 1e6, settings->threads);
    printf("  %-26s %-8s %9s %9s %10s %10s %6s %5s\n", "", "", "ms", "MB/s", "stored MB",
           "memory MB", "calls", "runs");
    bench_result copied = measure(&job, work_memcpy);
    print_line(json, &job, "memcpy", "", &copied);
    bench_result written = measure(&job, work_write);
    print_line(json, &job, "write + fsync", "", &written);
    int result = copied.failed || written.failed ? -1 : 0;
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        job.variant = &variants[i];
        if (run_variant(&job, json) != 0)
            result = -1;
    }
    bench_data_free(&data);
    return result;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static const char usage[] =
    "usage: akidb_bench [options] FOLDER\n"
    "  --rows N        rows of the collection; may be repeated (10000 and 100000)\n"
    "  --dimension N   floats of a vector (512)\n"
    "  --threads N     threads of the library (as many as there are processors)\n"
    "  --runs N        runs of which the median is told (5)\n"
    "  --seconds N     stop repeating a line after so many seconds (20)\n"
    "  --json FILE     write the results as JSON lines too\n";

static int read_number(const char *text, long long max, long long *number_out)
{
    char *end;
    errno = 0;
    *number_out = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' && end != text && *number_out >= 1 && *number_out <= max;
}

/* Takes one option and its value; 0 when there is no such option or the value is wrong. */
static int read_option(bench_settings *s, const char *option, const char *value)
{
    long long number = 0;
    if (strcmp(option, "--json") == 0) {
        s->json_path = value;
        return 1;
    }
    if (!read_number(value, 1000000000, &number))
        return 0;
    if (strcmp(option, "--rows") == 0 && s->rows_count < sizeof s->rows / sizeof s->rows[0])
        s->rows[s->rows_count++] = (size_t)number;
    else if (strcmp(option, "--dimension") == 0 && number <= AKIDB_DIMENSION_MAX)
        s->dimension = (uint32_t)number;
    else if (strcmp(option, "--threads") == 0 && number <= 1024)
        s->threads = (unsigned)number;
    else if (strcmp(option, "--runs") == 0 && number <= BENCH_RUNS_MAX)
        s->runs = (int)number;
    else if (strcmp(option, "--seconds") == 0)
        s->seconds_limit = (double)number;
    else
        return 0;
    return 1;
}

static int read_arguments(bench_settings *s, int argc, char **argv)
{
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        if (!read_option(s, argv[i], argv[i + 1]))
            return 0;
    }
    if (i + 1 != argc || argv[i][0] == '-')
        return 0;
    s->folder = argv[i];
    if (s->rows_count == 0) {
        s->rows[s->rows_count++] = 10000;
        s->rows[s->rows_count++] = 100000;
    }
    return 1;
}

int main(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    bench_settings s = {.runs = 5,
                        .seconds_limit = 20,
                        .threads = processors > 0 ? (unsigned)processors : 1,
                        .dimension = 512};
    if (!read_arguments(&s, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (mkdir(s.folder, 0700) != 0 && errno != EEXIST) {
        fprintf(stderr, "akidb_bench: %s: %s\n", s.folder, strerror(errno));
        return EXIT_FAILURE;
    }
    FILE *json = s.json_path == NULL ? NULL : fopen(s.json_path, "w");
    if (s.json_path != NULL && json == NULL) {
        fprintf(stderr, "akidb_bench: %s: %s\n", s.json_path, strerror(errno));
        return EXIT_FAILURE;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("akidb %s\n", akidb_version());
    int result = EXIT_SUCCESS;
    for (size_t i = 0; i < s.rows_count; i++) {
        if (run_size(&s, s.rows[i], json) != 0)
            result = EXIT_FAILURE;
    }
    if (json != NULL && fclose(json) != 0)
        result = EXIT_FAILURE;
    return result;
}
