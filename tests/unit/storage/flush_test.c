/* When flushes come, by call, by age and by size; what a store that is away does to writers. */
#include <stdatomic.h>
#include <unistd.h>

#include "akidb/sys/clock.h"
#include "support.h"

static const akidb_uuid books = {{1}};

/* ---- the plan's own test --------------------------------------------------------------------- */

static void insert_one(akidb_storage *storage, uint64_t number, uint32_t dimension)
{
    akidb_error err;
    float vector[512];
    uint64_t random = number;
    akidb_uuid id = test_id(number);
    akidb_documents *documents;
    for (uint32_t i = 0; i < dimension; i++)
        vector[i] = (float)(int64_t)test_random(&random) / 0x1p63f;
    akidb_document document = {.document_id = &id, .vector = vector, .dimension = dimension};
    assert_ok(err, akidb_documents_new(dimension, &documents, &err));
    assert_ok(err, akidb_documents_append(documents, &document, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_ok(err, akidb_storage_upsert(storage, &books, &batch, NULL, &err));
    akidb_documents_free(documents);
}

static void ten_thousand_inserts_and_a_flush_make_one_parquet_snapshot(void **state)
{
    enum { ROWS = 10000, DIMENSION = 512 };
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    options.wal_segment_bytes = 0;
    akidb_storage *storage = test_open(&options, NULL);
    assert_ok(err, akidb_storage_create_collection(storage, &books, DIMENSION, NULL, &err));
    for (uint64_t i = 0; i < ROWS; i++)
        insert_one(storage, i, DIMENSION);
    akidb_uuid id = test_flush(storage, &books);
    akidb_snapshot_list list;
    assert_ok(err, akidb_storage_list_snapshots(storage, &books, &list, &err));
    assert_int_equal(list.count, 1);
    const akidb_snapshot_metadata *metadata = list.entries[0].metadata;
    assert_non_null(metadata);
    assert_memory_equal(&metadata->snapshot_id, &id, sizeof id);
    assert_int_equal(metadata->format, AKIDB_FORMAT_PARQUET);
    assert_int_equal(metadata->vector_count, ROWS);
    assert_int_equal(metadata->dimension, DIMENSION);
    akidb_snapshot_list_free(&list);
    storage = test_reopen(storage, &options);
    assert_count(storage, &books, ROWS);
    test_close(storage);
}

/* ---- by age and by size ---------------------------------------------------------------------- */

#define SECOND INT64_C(1000000)

static int64_t read_clock(void *handle)
{
    return atomic_load((_Atomic int64_t *)handle);
}

static uint64_t flushed_lsn(akidb_storage *storage)
{
    akidb_error err;
    akidb_collection_info info;
    assert_ok(err, akidb_storage_collection(storage, &books, &info, &err));
    return info.flushed_lsn;
}

/* The storage looks ten times a second what there is to do. */
static void let_it_look(void)
{
    usleep(350000);
}

static bool wait_until_flushed(akidb_storage *storage, uint64_t lsn)
{
    for (int i = 0; i < 3000 && flushed_lsn(storage) < lsn; i++)
        usleep(10000);
    return flushed_lsn(storage) >= lsn;
}

static void a_flush_comes_when_the_oldest_write_is_old_enough(void **state)
{
    _Atomic int64_t now = TEST_TIME;
    akidb_clock clock = {read_clock, (void *)&now};
    akidb_snapshotter_options snapshots = {.struct_size = sizeof snapshots, .clock = &clock};
    akidb_storage_options options = test_options(*state);
    options.flush_age = 60 * (uint64_t)SECOND;
    options.snapshots = &snapshots;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 10, 1);
    atomic_fetch_add(&now, 59 * SECOND);
    test_upsert(storage, &books, 10, 10, 1); /* a younger one does not put it off */
    let_it_look();
    assert_int_equal(flushed_lsn(storage), 0);
    atomic_fetch_add(&now, SECOND);
    assert_true(wait_until_flushed(storage, 3));
    /* The next age begins with the next write, not with the flush. */
    atomic_fetch_add(&now, 1000 * SECOND);
    test_upsert(storage, &books, 20, 10, 1);
    uint64_t before = flushed_lsn(storage);
    let_it_look();
    assert_int_equal(flushed_lsn(storage), before);
    atomic_fetch_add(&now, 60 * SECOND);
    assert_true(wait_until_flushed(storage, before + 1));
    storage = test_reopen(storage, &options);
    assert_count(storage, &books, 30);
    test_close(storage);
}

static void a_clock_that_is_set_back_puts_a_flush_off_by_one_age_at_most(void **state)
{
    _Atomic int64_t now = TEST_TIME;
    akidb_clock clock = {read_clock, (void *)&now};
    akidb_snapshotter_options snapshots = {.struct_size = sizeof snapshots, .clock = &clock};
    akidb_storage_options options = test_options(*state);
    options.flush_age = 60 * (uint64_t)SECOND;
    options.snapshots = &snapshots;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 10, 1);
    atomic_fetch_sub(&now, 1000000 * SECOND);
    let_it_look();
    assert_int_equal(flushed_lsn(storage), 0);
    atomic_fetch_add(&now, 60 * SECOND);
    assert_true(wait_until_flushed(storage, 2));
    test_close(storage);
}

static void what_a_recovery_found_has_an_age_too(void **state)
{
    _Atomic int64_t now = TEST_TIME;
    akidb_clock clock = {read_clock, (void *)&now};
    akidb_snapshotter_options snapshots = {.struct_size = sizeof snapshots, .clock = &clock};
    akidb_storage_options options = test_options(*state);
    options.flush_age = 60 * (uint64_t)SECOND;
    options.snapshots = &snapshots;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 10, 1);
    storage = test_reopen(storage, &options);
    let_it_look();
    assert_int_equal(flushed_lsn(storage), 0);
    atomic_fetch_add(&now, 60 * SECOND);
    assert_true(wait_until_flushed(storage, 2));
    test_close(storage);
}

static void a_flush_comes_when_the_log_is_large_enough(void **state)
{
    akidb_storage_options options = test_options(*state);
    options.flush_wal_bytes = 200000;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 1000, 1); /* some 60 bytes each */
    let_it_look();
    assert_int_equal(flushed_lsn(storage), 0);
    for (uint64_t version = 2; version < 5; version++)
        test_upsert(storage, &books, 0, 1000, version);
    assert_true(wait_until_flushed(storage, 2));
    storage = test_reopen(storage, &options);
    assert_count(storage, &books, 1000);
    assert_has(storage, &books, 999, 4);
    test_close(storage);
}

/* ---- the store is away ----------------------------------------------------------------------- */

static akidb_fault away(void *context, akidb_store_op op, const char *key)
{
    (void)op;
    (void)key;
    bool is_away = atomic_load((_Atomic bool *)context);
    return (akidb_fault){is_away ? AKIDB_FAULT_BEFORE : AKIDB_FAULT_NONE, AKIDB_OK};
}

static akidb_status try_upsert(akidb_storage *storage, uint64_t version)
{
    akidb_error err;
    akidb_documents *documents = test_documents(0, 100, version);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_status status = akidb_storage_upsert(storage, &books, &batch, NULL, &err);
    akidb_documents_free(documents);
    return status;
}

static void writers_go_on_without_the_store_until_the_log_is_full(void **state)
{
    akidb_error err;
    akidb_store *memory, *store;
    _Atomic bool is_away = true;
    assert_ok(err, akidb_store_memory_open(&memory, &err));
    assert_ok(err, akidb_store_fault_open(memory, away, (void *)&is_away, &store, &err));
    akidb_storage_options options = test_options(*state);
    options.store = store;
    options.flush_wal_bytes = 64 << 10;
    options.wal_max_bytes = 512 << 10;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    uint64_t version = 1;
    akidb_status status = AKIDB_OK;
    for (; status == AKIDB_OK && version < 1000; version++)
        status = try_upsert(storage, version);
    version -= 2; /* the last that was taken */
    assert_int_equal(status, AKIDB_E_LIMIT);
    assert_true(version > 50); /* 500 kB of 6 kB each */
    assert_status(AKIDB_E_STORE, akidb_storage_flush(storage, &books, NULL, &err));
    assert_status(AKIDB_E_LIMIT, try_upsert(storage, version + 1));
    assert_has(storage, &books, 99, version); /* reads go on */
    /* A reopen does not help, and loses nothing. */
    storage = test_reopen(storage, &options);
    assert_has(storage, &books, 99, version);
    assert_status(AKIDB_E_LIMIT, try_upsert(storage, version + 1));
    atomic_store(&is_away, false);
    assert_true(wait_until_flushed(storage, version + 1)); /* by itself */
    for (int i = 0; i < 1000 && try_upsert(storage, version + 1) == AKIDB_E_LIMIT; i++)
        usleep(10000);
    assert_has(storage, &books, 99, version + 1);
    storage = test_reopen(storage, &options);
    assert_has(storage, &books, 99, version + 1);
    assert_count(storage, &books, 100);
    test_close(storage);
    akidb_store_close(store);
    akidb_store_close(memory);
}

/* The last segment of the log is never removed: of a small log it must not be all. */
static void a_flush_makes_room_in_the_smallest_log(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    options.wal_max_bytes = 1 << 16;
    akidb_storage *storage = NULL;
    assert_status(AKIDB_E_VALIDATION, akidb_storage_open(&options, &storage, NULL, &err));
    options.wal_max_bytes = 0;
    storage = test_open(&options, NULL); /* with a segment that is larger than the limit to come */
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 1500, 1);
    (void)test_flush(storage, &books);
    options.wal_max_bytes = 128 << 10;
    storage = test_reopen(storage, &options);
    uint64_t version = 2;
    for (int i = 0; i < 5; i++) {
        akidb_status status = AKIDB_OK;
        for (int n = 0; n < 100 && status == AKIDB_OK; n++)
            status = try_upsert(storage, version++);
        assert_int_equal(status, AKIDB_E_LIMIT);
        version--;
        if (i % 2 == 0)
            storage = test_reopen(storage, &options);
        (void)test_flush(storage, &books);
        assert_int_equal(try_upsert(storage, version), AKIDB_OK);
    }
    storage = test_reopen(storage, &options);
    assert_has(storage, &books, 99, version);
    assert_count(storage, &books, 1500);
    test_close(storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(ten_thousand_inserts_and_a_flush_make_one_parquet_snapshot),
        storage_test(a_flush_comes_when_the_oldest_write_is_old_enough),
        storage_test(a_clock_that_is_set_back_puts_a_flush_off_by_one_age_at_most),
        storage_test(what_a_recovery_found_has_an_age_too),
        storage_test(a_flush_comes_when_the_log_is_large_enough),
        storage_test(writers_go_on_without_the_store_until_the_log_is_full),
        storage_test(a_flush_makes_room_in_the_smallest_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
