/*
 * akidb_bench WHAT DATA FOLDER [option value...]: one piece of work on the documents of the folder
 * DATA, done once, in FOLDER; prints what it took as one JSON object. bench.py calls it, in turn
 * with the other engines, and makes tables of what it says.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "works.h"

/* ---- shared by the works --------------------------------------------------------------------- */

_Noreturn void bench_die(const char *what, const char *why)
{
    fprintf(stderr, "akidb_bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

void bench_must(akidb_status status, const akidb_error *err)
{
    if (status != AKIDB_OK)
        bench_die(akidb_status_name(status), err->message);
}

void *bench_allocate(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL)
        bench_die("malloc", strerror(ENOMEM));
    return memory;
}

void bench_path_in(char path_out[4096], const char *folder, const char *name)
{
    if (snprintf(path_out, 4096, "%s/%s", folder, name) >= 4096)
        bench_die(folder, "too long");
}

akidb_parquet_options bench_parquet_options(const bench_settings *s)
{
    return (akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                   .compression = s->compression,
                                   .vector_encoding = s->encoding,
                                   .profile = s->profile,
                                   .threads = s->threads};
}

bench_session bench_session_open(const bench_settings *s)
{
    bench_session result = {0};
    akidb_error err = {0};
    akidb_parquet_options parquet = bench_parquet_options(s);
    akidb_snapshotter_options options = {.struct_size = sizeof options,
                                         .format = s->format,
                                         .parquet = &parquet,
                                         .threads = s->threads};
    bench_must(akidb_store_open(s->folder, &result.store, &err), &err);
    bench_must(akidb_snapshotter_open(result.store, &options, &result.snapshotter, &err), &err);
    bench_must(akidb_collection_id("bench", &result.collection, &err), &err);
    return result;
}

void bench_session_close(bench_session *s)
{
    akidb_snapshotter_close(s->snapshotter);
    akidb_store_close(s->store);
}

akidb_uuid bench_latest(const bench_session *s)
{
    akidb_error err = {0};
    akidb_uuid snapshot;
    bench_must(akidb_snapshot_resolve(s->snapshotter, &s->collection, "latest", &snapshot, &err),
               &err);
    return snapshot;
}

static bench_outcome make_data(const bench_settings *s)
{
    bench_outcome outcome = {.cost = bench_begin(0), .rows = s->rows};
    bench_data data = bench_data_make(s->rows, s->dimension);
    bench_data_save(&data, s->data);
    outcome.bytes = data.vector_bytes;
    bench_data_free(&data);
    bench_end(&outcome.cost);
    return outcome;
}

/* ---- arguments ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    bench_work *work;
    const char *help;
} works[] = {
    {"data", make_data, "make the documents: --rows of --dimension"},
    {"memcpy", bench_memcpy, "copy the vectors into new memory"},
    {"write", bench_write, "write the vectors to a file and sync it"},
    {"read", bench_read, "read the vectors' file into new memory"},
    {"crc32", bench_crc32, "the CRC-32 of the vectors"},
    {"entropy", bench_entropy, "the least size of the vectors, byte by byte"},
    {"create", bench_create, "make a snapshot in FOLDER or at an s3:// URI"},
    {"restore", bench_restore, "restore the latest snapshot, and compare"},
    {"restore-into", bench_restore_into, "the same, into arrays of the caller"},
    {"import", bench_import, "read FOLDER, a Parquet file of another engine, and compare"},
    {"stream-create", bench_stream_create,
     "make a snapshot of --rows in batches; DATA is not used"},
    {"stream-restore", bench_stream_restore, "restore the latest batch by batch, and drop them"},
    {"encode", bench_encode, "encode --rows as Parquet and discard it; DATA is not used"},
    {"encode-data", bench_encode_data, "encode DATA as Parquet and discard it"},
};

enum { WORK_COUNT = sizeof works / sizeof works[0] };

static _Noreturn void usage(void)
{
    fputs("usage: akidb_bench WHAT DATA FOLDER [--threads N] [--format parquet|json]\n"
          "           [--compression none|snappy|zstd|lz4] [--encoding plain|split]\n"
          "           [--profile fast|compatible|balanced|small] [--rows N] [--dimension N]\n"
          "           [--memory BYTES]\n",
          stderr);
    for (size_t i = 0; i < WORK_COUNT; i++)
        fprintf(stderr, "  %-15s %s\n", works[i].name, works[i].help);
    exit(2);
}

static uint64_t read_number(const char *text, uint64_t max)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text || number < 1 || number > max)
        usage();
    return number;
}

/* The place of a word among those that may stand there. */
static int read_word(const char *text, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
    }
    usage();
}

static akidb_compression read_compression(const char *text)
{
    static const char *const words[] = {"none", "snappy", "zstd", "lz4", NULL};
    static const akidb_compression values[] = {AKIDB_COMPRESSION_NONE, AKIDB_COMPRESSION_SNAPPY,
                                               AKIDB_COMPRESSION_ZSTD, AKIDB_COMPRESSION_LZ4};
    return values[read_word(text, words)];
}

static akidb_profile read_profile(const char *text)
{
    static const char *const words[] = {"fast", "compatible", "balanced", "small", NULL};
    static const akidb_profile values[] = {AKIDB_PROFILE_FAST, AKIDB_PROFILE_COMPATIBLE,
                                           AKIDB_PROFILE_BALANCED, AKIDB_PROFILE_SMALL};
    return values[read_word(text, words)];
}

static void read_option(bench_settings *s, const char *option, const char *value)
{
    static const char *const formats[] = {"parquet", "json", NULL};
    static const char *const encodings[] = {"plain", "split", NULL};
    if (strcmp(option, "--threads") == 0)
        s->threads = (unsigned)read_number(value, 1024);
    else if (strcmp(option, "--rows") == 0)
        s->rows = (size_t)read_number(value, UINT64_C(1000000000000));
    else if (strcmp(option, "--dimension") == 0)
        s->dimension = (uint32_t)read_number(value, AKIDB_DIMENSION_MAX);
    else if (strcmp(option, "--memory") == 0)
        s->memory = read_number(value, UINT64_C(1) << 40);
    else if (strcmp(option, "--compression") == 0)
        s->compression = read_compression(value);
    else if (strcmp(option, "--profile") == 0)
        s->profile = read_profile(value);
    else if (strcmp(option, "--format") == 0)
        s->format = read_word(value, formats) == 0 ? AKIDB_FORMAT_PARQUET : AKIDB_FORMAT_JSON;
    else if (strcmp(option, "--encoding") == 0)
        s->encoding =
            read_word(value, encodings) == 0 ? AKIDB_VECTOR_PLAIN : AKIDB_VECTOR_BYTE_STREAM_SPLIT;
    else
        usage();
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc % 2 != 0)
        usage();
    bench_settings s = {.data = argv[2],
                        .folder = argv[3],
                        .threads = 1,
                        .format = AKIDB_FORMAT_PARQUET,
                        .rows = 10000,
                        .dimension = 128,
                        .memory = 64 << 20};
    for (int i = 4; i < argc; i += 2)
        read_option(&s, argv[i], argv[i + 1]);
    size_t at = 0;
    while (at < WORK_COUNT && strcmp(argv[1], works[at].name) != 0)
        at++;
    if (at == WORK_COUNT)
        usage();
    bench_outcome outcome = works[at].work(&s);
    printf("{\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"peak_bytes\":%" PRIu64 ",\"bytes\":%" PRIu64
           ",\"rows\":%" PRIu64 ",\"vector_bytes\":%" PRIu64 "}\n",
           outcome.cost.seconds, outcome.cost.cpu_seconds, outcome.cost.peak_bytes, outcome.bytes,
           outcome.rows, outcome.vector_bytes);
    return EXIT_SUCCESS;
}
