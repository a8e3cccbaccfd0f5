#ifndef AK_TEST_TIERS_SUPPORT_H
#define AK_TEST_TIERS_SUPPORT_H
/* One collection whose documents are known, on a store that may go away. */
#include <stdatomic.h>

#include "storage/storage.h"

#include "support.h"

enum { WORLD_DOCUMENTS = 300 };

static const akidb_uuid books = {{1}};

typedef struct world {
    akidb_storage_options options;
    akidb_snapshotter_options snapshots;
    akidb_parquet_options parquet;
    akidb_store *inner, *store; /* the second one may fail */
    akidb_storage *storage;
    _Atomic bool away;           /* every call to the store fails */
    _Atomic uint64_t calls;      /* to the store */
    _Atomic uint64_t calls_left; /* before it goes away; UINT64_MAX: never */
    _Atomic int warnings;
    char last_warning[512];
    uint64_t versions[WORLD_DOCUMENTS]; /* 0: not there */
} world;

static inline akidb_fault world_decide(void *context, akidb_store_op op, const char *key)
{
    world *w = context;
    (void)op;
    (void)key;
    atomic_fetch_add(&w->calls, 1);
    if (atomic_load(&w->calls_left) != UINT64_MAX && atomic_fetch_sub(&w->calls_left, 1) == 0)
        atomic_store(&w->away, true);
    return (akidb_fault){atomic_load(&w->away) ? AKIDB_FAULT_BEFORE : AKIDB_FAULT_NONE, AKIDB_OK};
}

static inline void world_log(void *context, akidb_log_level level, const char *message)
{
    world *w = context;
    if (level != AKIDB_LOG_WARNING)
        return;
    snprintf(w->last_warning, sizeof w->last_warning, "%s", message);
    atomic_fetch_add(&w->warnings, 1);
}

/* Small row groups, so that there are many. Takes the store over. */
static inline world *world_new_on(const char *folder, akidb_store *store)
{
    akidb_error err;
    world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->calls_left = UINT64_MAX;
    w->inner = store;
    assert_ok(err, akidb_store_fault_open(w->inner, world_decide, w, &w->store, &err));
    w->parquet = (akidb_parquet_options){.struct_size = sizeof w->parquet, .row_group_size = 50};
    w->snapshots = (akidb_snapshotter_options){
        .struct_size = sizeof w->snapshots,
        .parquet = &w->parquet,
        .hooks = {.context = w, .log = world_log},
    };
    w->options = test_options(folder);
    w->options.store = w->store;
    w->options.snapshots = &w->snapshots;
    w->storage = test_open(&w->options, NULL);
    test_create(w->storage, &books);
    return w;
}

static inline world *world_new(const char *folder)
{
    akidb_error err;
    akidb_store *store;
    assert_ok(err, akidb_store_memory_open(&store, &err));
    return world_new_on(folder, store);
}

static inline void world_free(world *w)
{
    test_close(w->storage);
    akidb_store_close(w->store);
    akidb_store_close(w->inner);
    free(w);
}

static inline void world_reopen(world *w)
{
    w->storage = test_reopen(w->storage, &w->options);
}

static inline void world_upsert(world *w, uint64_t first, size_t count, uint64_t version)
{
    test_upsert(w->storage, &books, first, count, version);
    for (size_t i = 0; i < count; i++)
        w->versions[first + i] = version;
}

static inline void world_delete(world *w, uint64_t first, size_t count)
{
    uint64_t there = 0;
    for (size_t i = 0; i < count; i++) {
        there += w->versions[first + i] != 0;
        w->versions[first + i] = 0;
    }
    test_delete(w->storage, &books, first, count, there);
}

static inline akidb_collection_info world_info(const world *w)
{
    akidb_error err;
    akidb_collection_info info;
    assert_ok(err, akidb_storage_collection(w->storage, &books, &info, &err));
    return info;
}

static inline void world_move(world *w, akidb_tier to)
{
    akidb_error err;
    akidb_move_report report;
    akidb_tier from = world_info(w).tier;
    assert_ok(err, akidb_storage_move(w->storage, &books, to, NULL, &report, &err));
    assert_int_equal(report.from, from);
    assert_int_equal(report.to, to);
    assert_int_equal(world_info(w).tier, to);
}

static inline uint64_t world_count(const world *w)
{
    uint64_t count = 0;
    for (size_t i = 0; i < WORLD_DOCUMENTS; i++)
        count += w->versions[i] != 0;
    return count;
}

/* What a cursor gives from here on must be each document of `versions` once. */
static inline void assert_cursor(akidb_cursor *cursor, const uint64_t versions[WORLD_DOCUMENTS])
{
    akidb_error err;
    akidb_documents *documents;
    bool done = false, seen[WORLD_DOCUMENTS] = {false};
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    while (!done) {
        assert_ok(err, akidb_cursor_next(cursor, 37, documents, &done, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        for (size_t row = 0; row < batch.rows; row++) {
            uint64_t number = (uint64_t)batch.vectors[row * TEST_DIMENSION];
            assert_true(number < WORLD_DOCUMENTS);
            assert_false(seen[number]);
            seen[number] = true;
            assert_document(&batch, row, number, versions[number]);
        }
    }
    for (size_t i = 0; i < WORLD_DOCUMENTS; i++)
        assert_int_equal(seen[i], versions[i] != 0);
    akidb_documents_free(documents);
}

static inline akidb_cursor *world_iterate(const world *w)
{
    akidb_error err;
    akidb_cursor *cursor;
    assert_ok(err, akidb_storage_iterate(w->storage, &books, &cursor, &err));
    return cursor;
}

/* All ids in one get, in the order in which they are asked for. */
static inline void assert_gets(const world *w)
{
    akidb_error err;
    akidb_documents *documents;
    akidb_uuid ids[WORLD_DOCUMENTS];
    size_t found, row = 0;
    for (size_t i = 0; i < WORLD_DOCUMENTS; i++)
        ids[i] = test_id(WORLD_DOCUMENTS - 1 - i);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err,
              akidb_storage_get(w->storage, &books, ids, WORLD_DOCUMENTS, documents, &found, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(found, world_count(w));
    assert_int_equal(batch.rows, found);
    for (size_t i = WORLD_DOCUMENTS; i > 0; i--)
        if (w->versions[i - 1] != 0)
            assert_document(&batch, row++, i - 1, w->versions[i - 1]);
    akidb_documents_free(documents);
}

/* Documents with an external id, sorted by their own. */
static inline void assert_external(const world *w, const char *text)
{
    akidb_error err;
    akidb_documents *documents;
    size_t found, expected = 0;
    for (uint64_t i = 0; i < WORLD_DOCUMENTS; i++) {
        test_document d;
        test_document_make(&d, i, 1);
        expected += w->versions[i] != 0 && d.external_id.data != NULL &&
                    d.external_id.size == strlen(text) &&
                    memcmp(d.external_id.data, text, strlen(text)) == 0;
    }
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_storage_get_by_external_id(w->storage, &books,
                                                    (akidb_slice){text, strlen(text)}, documents,
                                                    &found, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(found, expected);
    assert_int_equal(batch.rows, expected);
    for (size_t row = 0; row < batch.rows; row++) {
        uint64_t number = (uint64_t)batch.vectors[row * TEST_DIMENSION];
        assert_document(&batch, row, number, w->versions[number]);
        if (row > 0)
            assert_true(akidb_uuid_compare(&batch.document_ids[row - 1], &batch.document_ids[row]) <
                        0);
    }
    akidb_documents_free(documents);
}

/* Everything that can be asked must say what the world knows. */
static inline void assert_world(const world *w)
{
    assert_gets(w);
    assert_external(w, "doc-7");
    assert_external(w, "");
    assert_external(w, "no such text");
    assert_count(w->storage, &books, world_count(w));
    akidb_cursor *cursor = world_iterate(w);
    assert_cursor(cursor, w->versions);
    akidb_cursor_close(cursor);
}

/* Files below a folder of the data folder. */
static inline int world_files(const world *w, const char *name)
{
    char command[TEST_FOLDER_SIZE + 64];
    int count = -1;
    snprintf(command, sizeof command, "find %s/%s -type f 2>/dev/null | wc -l",
             w->options.data_folder, name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_int_equal(fscanf(pipe, "%d", &count), 1);
    pclose(pipe);
    return count;
}

#endif
