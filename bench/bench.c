/*
 * akidb_bench WHAT DATA FOLDER [option value...]: one piece of work on the documents of the folder
 * DATA, done once, in FOLDER; prints what it took as one JSON object. bench.py calls it, in turn
 * with the other engines, and makes tables of what it says.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <isa-l.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct bench_settings {
    const char *data;
    const char *folder;
    unsigned threads;
    akidb_snapshot_format format;
    akidb_compression compression;
    akidb_vector_encoding encoding;
    akidb_profile profile;
    size_t rows; /* of `data` and `stream` */
    uint32_t dimension;
    uint64_t memory; /* bytes, for bench_begin */
} bench_settings;

/* What is told of the work beside its cost. */
typedef struct bench_outcome {
    bench_cost cost;
    uint64_t bytes; /* size of what was written or read */
    uint64_t rows;
} bench_outcome;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "akidb_bench: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void must(akidb_status status, const akidb_error *err)
{
    if (status != AKIDB_OK)
        die(akidb_status_name(status), err->message);
}

static void *must_allocate(size_t size)
{
    void *memory = malloc(size);
    if (memory == NULL)
        die("malloc", strerror(ENOMEM));
    return memory;
}

static void path_in(char path_out[4096], const char *folder, const char *name)
{
    if (snprintf(path_out, 4096, "%s/%s", folder, name) >= 4096)
        die(folder, "too long");
}

/* ---- the documents --------------------------------------------------------------------------- */

static bench_outcome work_data(const bench_settings *s)
{
    bench_outcome outcome = {.cost = bench_begin(s->memory), .rows = s->rows};
    bench_data data = bench_data_make(s->rows, s->dimension);
    bench_data_save(&data, s->data);
    outcome.bytes = data.vector_bytes;
    bench_data_free(&data);
    bench_end(&outcome.cost);
    return outcome;
}

/* ---- the limits of the machine ---------------------------------------------------------------
 * Each moves the same bytes as the vectors have, with one thread. */

/* Into memory that was not in use before: the faults of its pages belong to the work. */
static bench_outcome work_memcpy(const bench_settings *s)
{
    bench_data data = bench_data_load(s->data);
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    char *copy = must_allocate(data.vector_bytes);
    memcpy(copy, data.batch.vectors, data.vector_bytes);
    bench_end(&outcome.cost);
    if (memcmp(copy, data.batch.vectors, data.vector_bytes) != 0)
        die("memcpy", "the copy differs");
    free(copy);
    bench_data_free(&data);
    return outcome;
}

static void write_all(int file, const char *bytes, uint64_t size)
{
    while (size > 0) {
        ssize_t written = write(file, bytes, size < (1u << 20) ? (size_t)size : 1u << 20);
        if (written <= 0)
            die("write", strerror(errno));
        bytes += written;
        size -= (uint64_t)written;
    }
}

static bench_outcome work_write(const bench_settings *s)
{
    char path[4096];
    path_in(path, s->folder, "raw");
    bench_data data = bench_data_load(s->data);
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        die(path, strerror(errno));
    write_all(file, (const char *)data.batch.vectors, data.vector_bytes);
    if (fsync(file) != 0 || close(file) != 0)
        die(path, strerror(errno));
    bench_end(&outcome.cost);
    unlink(path);
    bench_data_free(&data);
    return outcome;
}

/* Of a file in the page cache, into memory that was not in use before. */
static bench_outcome work_read(const bench_settings *s)
{
    char path[4096];
    path_in(path, s->data, "vectors");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (file < 0 || fstat(file, &info) != 0)
        die(path, strerror(errno));
    size_t size = (size_t)info.st_size, done = 0;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = size};
    char *bytes = must_allocate(size);
    while (done < size) {
        ssize_t got = read(file, bytes + done, size - done);
        if (got <= 0)
            die(path, strerror(errno));
        done += (size_t)got;
    }
    bench_end(&outcome.cost);
    free(bytes);
    close(file);
    return outcome;
}

static bench_outcome work_crc32(const bench_settings *s)
{
    bench_data data = bench_data_load(s->data);
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    volatile uint32_t crc =
        crc32_gzip_refl(0, (const unsigned char *)data.batch.vectors, data.vector_bytes);
    (void)crc;
    bench_end(&outcome.cost);
    bench_data_free(&data);
    return outcome;
}

/* ---- create and restore ---------------------------------------------------------------------- */

typedef struct bench_session {
    akidb_store *store;
    akidb_snapshotter *snapshotter;
    akidb_uuid collection;
} bench_session;

static akidb_parquet_options parquet_options(const bench_settings *s)
{
    return (akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                   .compression = s->compression,
                                   .vector_encoding = s->encoding,
                                   .profile = s->profile,
                                   .threads = s->threads};
}

static bench_session session_open(const bench_settings *s)
{
    bench_session result = {0};
    akidb_error err = {0};
    akidb_parquet_options parquet = parquet_options(s);
    akidb_snapshotter_options options = {.struct_size = sizeof options,
                                         .format = s->format,
                                         .parquet = &parquet,
                                         .threads = s->threads};
    must(akidb_store_open(s->folder, &result.store, &err), &err);
    must(akidb_snapshotter_open(result.store, &options, &result.snapshotter, &err), &err);
    must(akidb_collection_id("bench", &result.collection, &err), &err);
    return result;
}

static void session_close(bench_session *s)
{
    akidb_snapshotter_close(s->snapshotter);
    akidb_store_close(s->store);
}

static bench_outcome work_create(const bench_settings *s)
{
    akidb_error err = {0};
    bench_data data = bench_data_load(s->data);
    bench_session session = session_open(s);
    akidb_snapshot_metadata *metadata;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .rows = data.batch.rows};
    must(akidb_snapshot_create(session.snapshotter, &session.collection, &data.batch, NULL, NULL,
                               &metadata, &err),
         &err);
    bench_end(&outcome.cost);
    outcome.bytes = metadata->size_bytes;
    akidb_snapshot_metadata_free(metadata);
    session_close(&session);
    bench_data_free(&data);
    return outcome;
}

static void must_be_same(const akidb_batch *found, const bench_data *data)
{
    if (found->rows != data->batch.rows || found->dimension != data->batch.dimension ||
        memcmp(found->vectors, data->batch.vectors, data->vector_bytes) != 0)
        die("restore", "the vectors differ from those that were written");
}

static bench_outcome work_restore(const bench_settings *s)
{
    akidb_error err = {0};
    bench_session session = session_open(s);
    akidb_uuid snapshot;
    must(
        akidb_snapshot_resolve(session.snapshotter, &session.collection, "latest", &snapshot, &err),
        &err);
    akidb_documents *documents;
    bench_outcome outcome = {.cost = bench_begin(s->memory)};
    must(akidb_snapshot_restore(session.snapshotter, &session.collection, &snapshot, NULL,
                                &documents, &err),
         &err);
    bench_end(&outcome.cost);
    akidb_batch batch = akidb_documents_batch(documents);
    bench_data data = bench_data_load(s->data);
    must_be_same(&batch, &data);
    outcome.bytes = data.vector_bytes;
    outcome.rows = batch.rows;
    bench_data_free(&data);
    akidb_documents_free(documents);
    session_close(&session);
    return outcome;
}

/* Into arrays that the caller has, whose pages are there. */
static bench_outcome work_restore_into(const bench_settings *s)
{
    akidb_error err = {0};
    bench_data data = bench_data_load(s->data);
    bench_session session = session_open(s);
    akidb_uuid snapshot;
    must(
        akidb_snapshot_resolve(session.snapshotter, &session.collection, "latest", &snapshot, &err),
        &err);
    akidb_restore_target target = {.struct_size = sizeof target,
                                   .capacity = data.batch.rows,
                                   .dimension = data.batch.dimension,
                                   .vectors = must_allocate(data.vector_bytes)};
    memset(target.vectors, 0xFF, data.vector_bytes);
    akidb_documents *documents;
    size_t rows;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    must(akidb_snapshot_restore_into(session.snapshotter, &session.collection, &snapshot, NULL,
                                     &target, &rows, &documents, &err),
         &err);
    bench_end(&outcome.cost);
    akidb_batch batch = akidb_documents_batch(documents);
    must_be_same(&batch, &data);
    outcome.rows = rows;
    akidb_documents_free(documents);
    free(target.vectors);
    session_close(&session);
    bench_data_free(&data);
    return outcome;
}

/* ---- a file of another engine ---------------------------------------------------------------- */

/* FOLDER is the file here; all of it is read at once, as the other engines do. */
static bench_outcome work_import(const bench_settings *s)
{
    akidb_error err = {0};
    akidb_parquet_read_options parquet = {.struct_size = sizeof parquet, .threads = s->threads};
    akidb_import_options options = {.struct_size = sizeof options, .parquet = &parquet};
    bench_data data = bench_data_load(s->data);
    akidb_import *import;
    akidb_documents *documents;
    bool done;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    must(akidb_import_open(s->folder, &options, &import, &err), &err);
    must(akidb_documents_new(akidb_import_dimension(import), &documents, &err), &err);
    must(akidb_import_next(import, data.batch.rows, documents, &done, &err), &err);
    bench_end(&outcome.cost);
    akidb_batch found = akidb_documents_batch(documents);
    must_be_same(&found, &data);
    outcome.rows = found.rows;
    akidb_documents_free(documents);
    akidb_import_close(import);
    bench_data_free(&data);
    return outcome;
}

/* ---- streams --------------------------------------------------------------------------------- */

enum { STREAM_BLOCK_ROWS = 100000 };

/* Ids count up, so that no two rows of a stream have the same. */
static void number_ids(bench_data *block, uint64_t first)
{
    akidb_uuid *ids = (akidb_uuid *)(uintptr_t)block->batch.document_ids;
    for (size_t i = 0; i < block->batch.rows; i++) {
        for (unsigned byte = 0; byte < 8; byte++)
            ids[i].bytes[15 - byte] = (uint8_t)((first + i) >> (8 * byte));
    }
}

/* The same block of documents again and again, each time under other ids, until there are --rows.
 */
static bench_outcome work_stream_create(const bench_settings *s)
{
    akidb_error err = {0};
    bench_session session = session_open(s);
    bench_data block = bench_data_make(STREAM_BLOCK_ROWS, s->dimension);
    akidb_snapshot_writer *writer;
    akidb_snapshot_metadata *metadata;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .rows = s->rows};
    must(akidb_snapshot_begin(session.snapshotter, &session.collection, s->dimension, NULL, &writer,
                              &err),
         &err);
    for (uint64_t row = 0; row < s->rows; row += block.batch.rows) {
        uint64_t left = s->rows - row;
        number_ids(&block, row);
        akidb_batch batch = akidb_batch_rows(
            &block.batch, 0, left < block.batch.rows ? (size_t)left : block.batch.rows);
        must(akidb_snapshot_append(writer, &batch, &err), &err);
    }
    must(akidb_snapshot_commit(writer, NULL, &metadata, &err), &err);
    bench_end(&outcome.cost);
    outcome.bytes = metadata->size_bytes;
    akidb_snapshot_metadata_free(metadata);
    bench_data_free(&block);
    session_close(&session);
    return outcome;
}

static bench_outcome work_stream_restore(const bench_settings *s)
{
    akidb_error err = {0};
    bench_session session = session_open(s);
    akidb_uuid snapshot;
    must(
        akidb_snapshot_resolve(session.snapshotter, &session.collection, "latest", &snapshot, &err),
        &err);
    akidb_snapshot_reader *reader;
    akidb_documents *documents;
    bench_outcome outcome = {.cost = bench_begin(s->memory)};
    must(akidb_snapshot_open(session.snapshotter, &session.collection, &snapshot, NULL, &reader,
                             &err),
         &err);
    outcome.bytes = akidb_snapshot_reader_metadata(reader)->size_bytes;
    must(akidb_documents_new(akidb_snapshot_reader_metadata(reader)->dimension, &documents, &err),
         &err);
    for (bool done = false; !done;) {
        must(akidb_snapshot_next(reader, documents, &done, &err), &err);
        outcome.rows += akidb_documents_batch(documents).rows;
    }
    akidb_snapshot_close(reader);
    akidb_documents_free(documents);
    bench_end(&outcome.cost);
    session_close(&session);
    return outcome;
}

static akidb_status discard(void *handle, const akidb_slice *slices, size_t count, akidb_error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++)
        *(uint64_t *)handle += slices[i].size;
    return AKIDB_OK;
}

/* Encoding alone: the bytes go nowhere. */
static bench_outcome work_encode(const bench_settings *s)
{
    static const akidb_output_ops ops = {.write = discard};
    akidb_error err = {0};
    uint64_t size = 0;
    akidb_output output = {.ops = &ops, .handle = &size};
    akidb_parquet_options options = parquet_options(s);
    akidb_parquet_writer *writer;
    akidb_parquet_summary summary;
    bench_data block = bench_data_make(STREAM_BLOCK_ROWS, s->dimension);
    bench_outcome outcome = {.cost = bench_begin(s->memory), .rows = s->rows};
    must(akidb_parquet_writer_open(&output, s->dimension, &options, &writer, &err), &err);
    for (uint64_t row = 0; row < s->rows; row += block.batch.rows) {
        uint64_t left = s->rows - row;
        number_ids(&block, row);
        akidb_batch batch = akidb_batch_rows(
            &block.batch, 0, left < block.batch.rows ? (size_t)left : block.batch.rows);
        must(akidb_parquet_writer_append(writer, &batch, &err), &err);
    }
    must(akidb_parquet_writer_finish(writer, &summary, &err), &err);
    bench_end(&outcome.cost);
    akidb_parquet_writer_free(writer);
    bench_data_free(&block);
    outcome.bytes = size;
    return outcome;
}

/* ---- arguments ------------------------------------------------------------------------------- */

typedef bench_outcome bench_work(const bench_settings *settings);

static const struct {
    const char *name;
    bench_work *work;
    const char *help;
} works[] = {
    {"data", work_data, "make the documents: --rows of --dimension"},
    {"memcpy", work_memcpy, "copy the vectors into new memory"},
    {"write", work_write, "write the vectors to a file and sync it"},
    {"read", work_read, "read the vectors' file into new memory"},
    {"crc32", work_crc32, "the CRC-32 of the vectors"},
    {"create", work_create, "make a snapshot in FOLDER or at an s3:// URI"},
    {"restore", work_restore, "restore the latest snapshot, and compare"},
    {"restore-into", work_restore_into, "the same, into arrays of the caller"},
    {"import", work_import, "read FOLDER, a Parquet file of another engine, and compare"},
    {"stream-create", work_stream_create, "make a snapshot of --rows in batches; DATA is not used"},
    {"stream-restore", work_stream_restore, "restore the latest batch by batch, and drop them"},
    {"encode", work_encode, "encode --rows as Parquet and discard it; DATA is not used"},
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
           ",\"rows\":%" PRIu64 "}\n",
           outcome.cost.seconds, outcome.cost.cpu_seconds, outcome.cost.peak_bytes, outcome.bytes,
           outcome.rows);
    return EXIT_SUCCESS;
}
