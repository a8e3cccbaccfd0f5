/* The raw disk, the storage in its durabilities, and SQLite. */
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage_bench.h"

uint64_t batch_bytes(const akidb_batch *batch)
{
    uint64_t rows = batch->rows;
    return rows * (batch->dimension * sizeof(float) + sizeof(akidb_uuid) + sizeof(int64_t)) +
           batch->external_ids.offsets[rows] - batch->external_ids.offsets[0] +
           batch->metadata.offsets[rows] - batch->metadata.offsets[0];
}

/* ---- the raw disk ---------------------------------------------------------------------------- */

/* One file, given its room beforehand as a log's segment is. Each insert is one write and one
 * fdatasync; the kernel may join those of several threads. */
typedef struct raw_file {
    int file;
    _Atomic uint64_t end;
} raw_file;

static void *raw_open(const char *folder, uint32_t dimension)
{
    enum { ROOM = 1 << 30 };
    (void)dimension;
    char path[4096];
    snprintf(path, sizeof path, "%s/raw", folder);
    raw_file *raw = calloc(1, sizeof *raw);
    if (raw == NULL)
        return NULL;
    raw->file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (raw->file < 0 || posix_fallocate(raw->file, 0, ROOM) != 0 || fsync(raw->file) != 0) {
        perror(path);
        free(raw);
        return NULL;
    }
    return raw;
}

static int raw_insert(void *self, const akidb_batch *batch)
{
    raw_file *raw = self;
    uint64_t size = batch_bytes(batch), begin = atomic_fetch_add(&raw->end, size);
    uint64_t vectors = batch->rows * batch->dimension * sizeof(float);
    /* The vectors, and for the rest any bytes: as many of the vectors again. */
    ssize_t first = pwrite(raw->file, batch->vectors, vectors, (off_t)begin);
    ssize_t rest = pwrite(raw->file, batch->vectors, size - vectors, (off_t)(begin + vectors));
    if (first != (ssize_t)vectors || rest != (ssize_t)(size - vectors) ||
        fdatasync(raw->file) != 0) {
        perror("raw write");
        return -1;
    }
    return 0;
}

static int raw_close(void *self)
{
    raw_file *raw = self;
    close(raw->file);
    free(raw);
    return 0;
}

/* ---- the storage ----------------------------------------------------------------------------- */

static const akidb_uuid collection = {{1}};

static void *storage_open(const char *folder, uint32_t dimension, akidb_durability durability)
{
    akidb_error err = {0};
    akidb_storage *storage = NULL;
    akidb_storage_options options = {.struct_size = sizeof options,
                                     .data_folder = folder,
                                     .durability = durability,
                                     .flush_wal_bytes = AKIDB_NEVER,
                                     .flush_age = AKIDB_NEVER};
    akidb_status status = akidb_storage_open(&options, &storage, NULL, &err);
    if (status == AKIDB_OK)
        status = akidb_storage_create_collection(storage, &collection, dimension, NULL, &err);
    return bench_report("open", status, &err) == 0 ? storage : NULL;
}

static void *every_commit_open(const char *folder, uint32_t dimension)
{
    return storage_open(folder, dimension, AKIDB_DURABLE_EVERY_COMMIT);
}

static void *interval_open(const char *folder, uint32_t dimension)
{
    return storage_open(folder, dimension, AKIDB_DURABLE_INTERVAL);
}

static void *by_call_open(const char *folder, uint32_t dimension)
{
    return storage_open(folder, dimension, AKIDB_DURABLE_BY_CALL);
}

static int storage_insert(void *self, const akidb_batch *batch)
{
    akidb_error err = {0};
    return bench_report("upsert", akidb_storage_upsert(self, &collection, batch, NULL, &err), &err);
}

static int storage_close(void *self)
{
    akidb_error err = {0};
    return bench_report("close", akidb_storage_close(self, &err), &err);
}

/* ---- SQLite ---------------------------------------------------------------------------------- */

/* One connection, which threads take in turn: SQLite has one writer at a time, and waiting for a
 * lock here is quicker than its own waiting between connections. Its log is never copied back, just
 * as the storage does not flush. */
typedef struct sqlite_table {
    pthread_mutex_t lock;
    sqlite3 *db;
    sqlite3_stmt *insert, *begin, *commit;
} sqlite_table;

static int sqlite_report(const sqlite_table *t, const char *what, int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE)
        return 0;
    fprintf(stderr, "akidb_storage_bench: SQLite: %s: %s\n", what, sqlite3_errmsg(t->db));
    return -1;
}

static int sqlite_close(void *self)
{
    sqlite_table *t = self;
    sqlite3_finalize(t->insert);
    sqlite3_finalize(t->begin);
    sqlite3_finalize(t->commit);
    sqlite3_close(t->db);
    pthread_mutex_destroy(&t->lock);
    free(t);
    return 0;
}

static void *sqlite_open(const char *folder, const char *synchronous)
{
    char path[4096], setup[512];
    snprintf(path, sizeof path, "%s/rows.sqlite", folder);
    snprintf(setup, sizeof setup,
             "PRAGMA journal_mode=WAL; PRAGMA synchronous=%s; PRAGMA wal_autocheckpoint=0;"
             "CREATE TABLE documents(document_id BLOB PRIMARY KEY, external_id TEXT, vector BLOB,"
             "                       metadata TEXT, inserted_at INTEGER)",
             synchronous);
    sqlite_table *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    pthread_mutex_init(&t->lock, NULL);
    static const char insert[] = "INSERT OR REPLACE INTO documents VALUES(?, ?, ?, ?, ?)";
    int code = sqlite3_open(path, &t->db);
    if (code == SQLITE_OK)
        code = sqlite3_exec(t->db, setup, NULL, NULL, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(t->db, insert, -1, &t->insert, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(t->db, "BEGIN IMMEDIATE", -1, &t->begin, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(t->db, "COMMIT", -1, &t->commit, NULL);
    if (sqlite_report(t, "open", code) == 0)
        return t;
    sqlite_close(t);
    return NULL;
}

static void *sqlite_full_open(const char *folder, uint32_t dimension)
{
    (void)dimension;
    return sqlite_open(folder, "FULL");
}

static void *sqlite_normal_open(const char *folder, uint32_t dimension)
{
    (void)dimension;
    return sqlite_open(folder, "NORMAL");
}

static int step(const sqlite_table *t, sqlite3_stmt *statement, const char *what)
{
    int code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return sqlite_report(t, what, code);
}

static void bind_text(sqlite3_stmt *statement, int column, const akidb_texts *texts, size_t row)
{
    akidb_slice text = akidb_texts_at(texts, row);
    sqlite3_bind_text(statement, column, text.data, (int)text.size, SQLITE_STATIC);
}

static int sqlite_insert(void *self, const akidb_batch *batch)
{
    sqlite_table *t = self;
    int vector_size = (int)(batch->dimension * sizeof(float));
    pthread_mutex_lock(&t->lock);
    int result = batch->rows > 1 ? step(t, t->begin, "begin") : 0;
    for (size_t row = 0; row < batch->rows && result == 0; row++) {
        sqlite3_bind_blob(t->insert, 1, &batch->document_ids[row], sizeof(akidb_uuid),
                          SQLITE_STATIC);
        bind_text(t->insert, 2, &batch->external_ids, row);
        sqlite3_bind_blob(t->insert, 3, batch->vectors + row * batch->dimension, vector_size,
                          SQLITE_STATIC);
        bind_text(t->insert, 4, &batch->metadata, row);
        sqlite3_bind_int64(t->insert, 5, batch->inserted_at[row]);
        result = step(t, t->insert, "insert");
    }
    if (result == 0 && batch->rows > 1)
        result = step(t, t->commit, "commit");
    pthread_mutex_unlock(&t->lock);
    return result;
}

/* ---- the table ------------------------------------------------------------------------------- */

const contender contenders[] = {
    {"raw: write + fdatasync", 1, raw_open, raw_insert, raw_close},
    {"akidb, every commit", 1, every_commit_open, storage_insert, storage_close},
    {"SQLite, synchronous=FULL", 1, sqlite_full_open, sqlite_insert, sqlite_close},
    {"akidb, interval", 0, interval_open, storage_insert, storage_close},
    {"akidb, by call", 0, by_call_open, storage_insert, storage_close},
    {"SQLite, synchronous=NORMAL", 0, sqlite_normal_open, sqlite_insert, sqlite_close},
};
const size_t contender_count = sizeof contenders / sizeof contenders[0];
