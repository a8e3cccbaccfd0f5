/*
 * One collection in each tier: how long a get takes, what it costs in memory, how fast it moves.
 *
 *     akidb_tiers_bench [--rows N] [--dimension N] [--gets N] [--folder FOLDER] [--store URI]
 *
 * The folder, which must not be there, is removed in the end unless something failed; without
 * --store the object store lies in it, too. "Not cached" means not in the storage's page cache: the
 * operating system's has the files. Moves are told in bytes of vectors by the second, and by the
 * second of processor time. One line of JSON for each figure goes to standard output.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/akidb.h"

#include "bench.h"

typedef struct settings {
    size_t rows, gets;
    uint32_t dimension;
    const char *folder, *store;
} settings;

typedef struct bench {
    settings s;
    bench_data data;
    akidb_uuid collection;
    akidb_store *store;
    akidb_storage *storage;
} bench;

static void check(akidb_status status, const akidb_error *err)
{
    if (status == AKIDB_OK)
        return;
    fprintf(stderr, "akidb_tiers_bench: %s\n", err->message);
    exit(1);
}

/* ---- the storage ----------------------------------------------------------------------------- */

static void open_storage(bench *b, uint64_t cache_bytes)
{
    akidb_error err;
    akidb_parquet_options parquet = {.struct_size = sizeof parquet,
                                     .compression = AKIDB_COMPRESSION_NONE};
    akidb_snapshotter_options snapshots = {
        .struct_size = sizeof snapshots, .parquet = &parquet, .threads = 2};
    akidb_storage_options options = {
        .struct_size = sizeof options,
        .data_folder = b->s.folder,
        .store = b->store,
        .snapshots = &snapshots,
        .durability = AKIDB_DURABLE_BY_CALL,
        .flush_wal_bytes = AKIDB_NEVER,
        .flush_age = AKIDB_NEVER,
        .page_cache_bytes = cache_bytes,
    };
    check(akidb_storage_open(&options, &b->storage, NULL, &err), &err);
}

static void close_storage(bench *b)
{
    akidb_error err;
    check(akidb_storage_close(b->storage, &err), &err);
}

static void fill(bench *b)
{
    enum { AT_ONCE = 8000 }; /* a multiple of 8, as akidb_batch_rows has it */
    akidb_error err;
    check(akidb_storage_create_collection(b->storage, &b->collection, b->s.dimension, NULL, &err),
          &err);
    for (size_t row = 0; row < b->s.rows; row += AT_ONCE) {
        size_t count = b->s.rows - row < AT_ONCE ? b->s.rows - row : AT_ONCE;
        akidb_batch batch = akidb_batch_rows(&b->data.batch, row, count);
        check(akidb_storage_upsert(b->storage, &b->collection, &batch, NULL, &err), &err);
    }
    check(akidb_storage_flush(b->storage, &b->collection, NULL, &err), &err);
}

/* ---- figures --------------------------------------------------------------------------------- */

static void tell(const char *what, double value, const char *unit)
{
    printf("{\"bench\":\"tiers\",\"what\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"}\n", what, value,
           unit);
    fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Gets of single documents, all over the collection or among the first `among`. */
static void measure_gets(bench *b, const char *what, size_t gets, size_t among)
{
    akidb_error err;
    akidb_documents *documents;
    char name[128];
    uint64_t random = 1;
    double *times = calloc(gets, sizeof *times);
    check(akidb_documents_new(b->s.dimension, &documents, &err), &err);
    for (size_t i = 0; i < gets && times != NULL; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
        const akidb_uuid *id = &b->data.batch.document_ids[(random >> 33) % among];
        size_t found;
        akidb_documents_clear(documents);
        double begun = bench_now();
        check(akidb_storage_get(b->storage, &b->collection, id, 1, documents, &found, &err), &err);
        times[i] = (bench_now() - begun) * 1e6;
        if (found != 1)
            exit(1);
    }
    akidb_documents_free(documents);
    if (times == NULL)
        exit(1);
    qsort(times, gets, sizeof *times, compare);
    snprintf(name, sizeof name, "get %s p50", what);
    tell(name, times[gets / 2], "us");
    snprintf(name, sizeof name, "get %s p99", what);
    tell(name, times[gets * 99 / 100], "us");
    free(times);
}

static void tell_memory(bench *b, const char *what)
{
    akidb_error err;
    akidb_collection_info info;
    check(akidb_storage_collection(b->storage, &b->collection, &info, &err), &err);
    tell(what, (double)info.memory_bytes / 1e6, "MB");
}

static void measure_move(bench *b, const char *what, akidb_tier to)
{
    akidb_error err;
    char name[128];
    bench_cost cost = bench_begin(3 * b->data.vector_bytes);
    check(akidb_storage_move(b->storage, &b->collection, to, NULL, NULL, &err), &err);
    bench_end(&cost);
    tell(what, (double)b->data.vector_bytes / cost.seconds / 1e9, "GB/s");
    snprintf(name, sizeof name, "%s, by CPU time", what);
    tell(name, (double)b->data.vector_bytes / cost.cpu_seconds / 1e9, "GB/s");
}

/* What no move can beat: the vectors copied to memory that is fresh. */
static void measure_copy(const bench *b)
{
    bench_cost cost = bench_begin(3 * b->data.vector_bytes);
    char *copy = malloc(b->data.vector_bytes);
    if (copy == NULL)
        exit(1);
    memcpy(copy, b->data.batch.vectors, b->data.vector_bytes);
    volatile char *last = copy + b->data.vector_bytes - 1;
    (void)*last;
    free(copy);
    bench_end(&cost);
    tell("copy in memory", (double)b->data.vector_bytes / cost.seconds / 1e9, "GB/s");
    tell("copy in memory, by CPU time", (double)b->data.vector_bytes / cost.cpu_seconds / 1e9,
         "GB/s");
}

static void run(bench *b)
{
    const uint64_t small = 1, large = UINT64_C(4) << 30;
    size_t few = b->s.gets / 10 + 1, page = b->s.rows < 500 ? b->s.rows : 500;
    open_storage(b, large);
    fill(b);
    measure_gets(b, "hot", b->s.gets, b->s.rows);
    tell_memory(b, "memory hot");
    measure_move(b, "move hot to warm", AKIDB_TIER_WARM);
    tell_memory(b, "memory warm");
    measure_gets(b, "warm, not cached at first", b->s.gets, b->s.rows);
    measure_gets(b, "warm, cached", b->s.gets, b->s.rows);
    for (int i = 0; i < 3; i++) {
        measure_copy(b);
        measure_move(b, "move warm to hot", AKIDB_TIER_HOT);
        measure_move(b, "move hot to warm", AKIDB_TIER_WARM);
    }
    close_storage(b);
    open_storage(b, small);
    measure_gets(b, "warm, not cached", few, b->s.rows);
    measure_move(b, "move warm to cold", AKIDB_TIER_COLD);
    measure_gets(b, "cold, not cached", few, b->s.rows);
    tell_memory(b, "memory cold");
    close_storage(b);
    open_storage(b, large);
    measure_gets(b, "cold, page cached", b->s.gets, page);
    measure_move(b, "move cold to warm", AKIDB_TIER_WARM);
    close_storage(b);
}

/* ---- the program ----------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st;
    (void)type;
    (void)place;
    return remove(path);
}

static settings parse(int argc, char **argv)
{
    settings s = {.rows = 100000, .gets = 20000, .dimension = 512, .folder = "tiers-bench-data"};
    for (int i = 1; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        if (strcmp(name, "--rows") == 0)
            s.rows = strtoull(value, NULL, 10);
        else if (strcmp(name, "--dimension") == 0)
            s.dimension = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--gets") == 0)
            s.gets = strtoull(value, NULL, 10);
        else if (strcmp(name, "--folder") == 0)
            s.folder = value;
        else if (strcmp(name, "--store") == 0)
            s.store = value;
        else
            s.rows = 0;
    }
    if (argc % 2 == 1 && s.rows > 0 && s.gets > 0 && s.dimension > 0)
        return s;
    fprintf(stderr, "usage: akidb_tiers_bench [--rows N] [--dimension N] [--gets N] "
                    "[--folder FOLDER] [--store URI]\n");
    exit(2);
}

int main(int argc, char **argv)
{
    akidb_error err;
    bench b = {.s = parse(argc, argv), .collection = {{1}}};
    b.data = bench_data_make(b.s.rows, b.s.dimension);
    if (b.s.store != NULL)
        check(akidb_store_open(b.s.store, &b.store, &err), &err);
    run(&b);
    akidb_store_close(b.store);
    bench_data_free(&b.data);
    nftw(b.s.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
