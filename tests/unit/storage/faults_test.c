/* Stores and disks that fail, damaged snapshots: what was acknowledged stays. */
#include <errno.h>
#include <unistd.h>

#include "akidb/sys/clock.h"
#include "storage/storage.h"

#include "fault_files.h"
#include "support.h"

static const akidb_uuid books = {{1}};

/* ---- the store fails during a flush ---------------------------------------------------------- */

typedef struct faults {
    uint64_t seen, fail_at; /* which call, counted from 0 */
    bool from_then_on;
    akidb_fault_effect effect;
} faults;

static akidb_fault decide(void *context, akidb_store_op op, const char *key)
{
    (void)op;
    (void)key;
    faults *f = context;
    uint64_t call = f->seen++;
    bool fails = f->from_then_on ? call >= f->fail_at : call == f->fail_at;
    return (akidb_fault){fails ? f->effect : AKIDB_FAULT_NONE, AKIDB_OK};
}

static void fail_flush(const char *folder, faults f)
{
    enum { CALLS = 8 };
    akidb_error err;
    akidb_store *memory, *store;
    assert_ok(err, akidb_store_memory_open(&memory, &err));
    faults now = {.fail_at = UINT64_MAX};
    assert_ok(err, akidb_store_fault_open(memory, decide, &now, &store, &err));
    akidb_storage_options options = test_options(folder);
    options.store = store;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    for (uint64_t call = 0; call < CALLS; call++) {
        uint64_t version = call + 1;
        test_upsert(storage, &books, 0, 20, version);
        now = f;
        now.fail_at = call;
        akidb_status status = akidb_storage_flush(storage, &books, NULL, &err);
        bool reached = now.seen > call;
        now = (faults){.fail_at = UINT64_MAX};
        if (!reached)
            assert_int_equal(status, AKIDB_OK);
        else if (f.from_then_on)
            assert_int_not_equal(status, AKIDB_OK);
        test_upsert(storage, &books, 20, 1, version);
        if (call % 2 == 0)
            storage = test_reopen(storage, &options);
        assert_has(storage, &books, 3, version);
        assert_has(storage, &books, 20, version);
        (void)test_flush(storage, &books);
        storage = test_reopen(storage, &options);
        assert_count(storage, &books, 21);
        assert_has(storage, &books, 3, version);
    }
    test_close(storage);
    akidb_store_close(store);
    akidb_store_close(memory);
}

static void a_store_that_fails_once_loses_nothing(void **state)
{
    fail_flush(*state, (faults){.effect = AKIDB_FAULT_BEFORE});
}

static void a_store_that_stays_away_loses_nothing(void **state)
{
    fail_flush(*state, (faults){.effect = AKIDB_FAULT_BEFORE, .from_then_on = true});
}

static void a_lost_answer_loses_nothing(void **state)
{
    fail_flush(*state, (faults){.effect = AKIDB_FAULT_AFTER});
}

/* ---- the background flushes, and tries again ------------------------------------------------- */

static void wait_for_snapshot(akidb_storage *storage, uint64_t lsn)
{
    akidb_error err;
    akidb_collection_info info = {.id = books};
    for (int i = 0; i < 1000 && info.flushed_lsn < lsn; i++) {
        usleep(10000);
        assert_ok(err, akidb_storage_collection(storage, &books, &info, &err));
    }
    assert_true(info.flushed_lsn >= lsn);
}

static void count_logs(void *context, akidb_log_level level, const char *message)
{
    assert_int_equal(level, AKIDB_LOG_WARNING);
    assert_non_null(strstr(message, "the log keeps everything"));
    ++*(_Atomic int *)context;
}

static void a_failed_flush_of_the_background_is_tried_again(void **state)
{
    akidb_error err;
    akidb_store *memory, *store;
    assert_ok(err, akidb_store_memory_open(&memory, &err));
    faults once = {.effect = AKIDB_FAULT_BEFORE};
    assert_ok(err, akidb_store_fault_open(memory, decide, &once, &store, &err));
    _Atomic int logged = 0;
    akidb_storage_options options = test_options(*state);
    options.store = store;
    options.flush_age = 1;
    akidb_snapshotter_options snapshots = {
        .struct_size = sizeof snapshots,
        .hooks = {.context = (void *)&logged, .log = count_logs},
    };
    options.snapshots = &snapshots;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 20, 1);
    wait_for_snapshot(storage, 2);
    assert_int_equal(logged, 1);
    options.snapshots = NULL;
    storage = test_reopen(storage, &options);
    assert_count(storage, &books, 20);
    test_close(storage);
    akidb_store_close(store);
    akidb_store_close(memory);
}

/* ---- the log's segments stay ----------------------------------------------------------------- */

static akidb_status upsert_some(akidb_storage *storage, akidb_error *err)
{
    akidb_documents *documents = test_documents(0, 300, 1);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_status status = akidb_storage_upsert(storage, &books, &batch, NULL, err);
    akidb_documents_free(documents);
    return status;
}

/* Fills the log up to its limit; then a flush that cannot remove its first segment. */
static akidb_storage *fill_log(const akidb_storage_options *options, fault_files *disk)
{
    enum { UPSERTS_MAX = 100 };
    akidb_error err;
    akidb_storage *storage;
    int upserts = 0;
    fault_files_init(disk, akidb_files_system());
    assert_ok(err, ak_storage_open_with(options, &disk->files, &storage, NULL, &err));
    test_create(storage, &books);
    akidb_status status = AKIDB_OK;
    for (; upserts < UPSERTS_MAX && status == AKIDB_OK; upserts++)
        status = upsert_some(storage, &err);
    assert_status(AKIDB_E_LIMIT, status);
    /* The one before is of the catalogue. */
    fault_files_fail(disk, UINT32_C(1) << CALL_UNLINK, 1, EACCES);
    (void)test_flush(storage, &books);
    assert_int_equal(disk->failed, CALL_UNLINK);
    fault_files_heal(disk);
    return storage;
}

static void a_flush_without_news_removes_segments_that_stayed(void **state)
{
    akidb_error err;
    fault_files disk;
    akidb_storage_options options = test_options(*state);
    options.wal_max_bytes = 512 << 10;
    akidb_storage *storage = fill_log(&options, &disk);
    assert_status(AKIDB_E_LIMIT, upsert_some(storage, &err));
    (void)test_flush(storage, &books);
    assert_ok(err, upsert_some(storage, &err));
    test_close(storage);
}

static void the_background_removes_segments_that_stayed(void **state)
{
    akidb_error err;
    fault_files disk;
    akidb_storage_options options = test_options(*state);
    options.wal_max_bytes = 512 << 10;
    options.flush_age = UINT64_C(1) << 60; /* there is a thread, but it flushes nothing */
    akidb_storage *storage = fill_log(&options, &disk);
    akidb_status status = AKIDB_E_LIMIT;
    for (int i = 0; i < 1000 && status == AKIDB_E_LIMIT; i++) {
        usleep(10000);
        status = upsert_some(storage, &err);
    }
    assert_ok(err, status);
    test_close(storage);
}

/* ---- the disk fails -------------------------------------------------------------------------- */

/* Opens, writes and flushes until something fails; how many upserts were acknowledged. */
static uint64_t write_until_failure(const akidb_storage_options *options, const akidb_files *files,
                                    uint64_t from)
{
    akidb_error err;
    akidb_storage *storage;
    uint64_t done = from;
    if (ak_storage_open_with(options, files, &storage, NULL, &err) != AKIDB_OK)
        return done;
    akidb_status status = AKIDB_OK;
    for (int i = 0; i < 3 && status == AKIDB_OK; i++) {
        akidb_documents *documents = test_documents(done * 5, 5, 1);
        akidb_batch batch = akidb_documents_batch(documents);
        status = akidb_storage_upsert(storage, &books, &batch, NULL, &err);
        done += status == AKIDB_OK;
        akidb_documents_free(documents);
        if (status == AKIDB_OK && i == 1)
            status = akidb_storage_flush(storage, &books, NULL, &err);
    }
    (void)akidb_storage_close(storage, &err);
    return done;
}

static void a_disk_that_fails_at_any_call_loses_nothing(void **state)
{
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_close(storage);
    fault_files disk;
    fault_files_init(&disk, akidb_files_system());
    uint64_t done = 0;
    bool failed = true;
    uint64_t nth = 0;
    for (; failed && nth < 300; nth++) {
        fault_files_fail(&disk, ALL_CALLS, nth, nth % 2 == 0 ? EIO : ENOSPC);
        done = write_until_failure(&options, &disk.files, done);
        failed = disk.failed != CALL_COUNT;
        fault_files_heal(&disk);
        storage = test_open(&options, NULL);
        akidb_error err;
        uint64_t count;
        assert_ok(err, akidb_storage_count(storage, &books, &count, &err));
        /* The write that failed may be there, as a whole. */
        assert_true(count == done * 5 || count == done * 5 + 5);
        if (done > 0)
            assert_has(storage, &books, done * 5 - 1, 1);
        done = count / 5;
        test_close(storage);
    }
    assert_false(failed); /* every call has had its turn */
}

/* ---- damage ---------------------------------------------------------------------------------- */

static akidb_storage *two_snapshots(akidb_storage_options *options, akidb_uuid ids[2])
{
    akidb_storage *storage = test_open(options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 20, 1);
    ids[0] = test_flush(storage, &books);
    test_upsert(storage, &books, 10, 20, 2);
    ids[1] = test_flush(storage, &books);
    test_upsert(storage, &books, 40, 5, 3);
    return storage;
}

static void flip_part(akidb_store *store, const akidb_uuid *id)
{
    akidb_error err;
    char key[256], collection[AKIDB_UUID_TEXT_SIZE], snapshot[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&books, collection);
    akidb_uuid_format(id, snapshot);
    snprintf(key, sizeof key, "snapshots/%s/%s.parquet", collection, snapshot);
    akidb_buffer part;
    assert_ok(err, akidb_store_get(store, key, 1 << 20, &part, &err));
    part.data[part.size / 2] ^= 1;
    akidb_slice slice = {part.data, part.size};
    assert_ok(err, akidb_store_put(store, key, &slice, 1, AKIDB_PUT_ALWAYS, &err));
    akidb_buffer_free(&part);
}

static void a_damaged_newest_snapshot_is_named_or_passed_over(void **state)
{
    akidb_error err;
    akidb_store *store;
    akidb_uuid ids[2];
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_recovery_report report;
    assert_ok(err, akidb_store_memory_open(&store, &err));
    akidb_storage_options options = test_options(*state);
    options.store = store;
    akidb_storage *storage = two_snapshots(&options, ids);
    test_close(storage);
    flip_part(store, &ids[1]);
    akidb_uuid_format(&ids[1], text);
    assert_status(AKIDB_E_CORRUPTION, akidb_storage_open(&options, &storage, NULL, &err));
    assert_non_null(strstr(err.message, text));
    options.allow_older_snapshot = true;
    storage = test_open(&options, &report);
    assert_int_equal(report.older_snapshots, 1);
    assert_non_null(strstr(report.detail, text));
    /* The log is not so long that a segment was removed: everything comes back. */
    assert_count(storage, &books, 35);
    assert_has(storage, &books, 10, 2);
    assert_has(storage, &books, 44, 3);
    options.allow_older_snapshot = false;
    storage = test_reopen(storage, &options); /* the catalogue knows now */
    assert_count(storage, &books, 35);
    test_close(storage);
    akidb_store_close(store);
}

static int64_t read_clock(void *handle)
{
    return *(int64_t *)handle;
}

/* Which snapshot is the one before is a matter of LSNs. */
static void the_clock_does_not_say_which_snapshot_is_the_one_before(void **state)
{
    akidb_error err;
    akidb_store *store;
    akidb_uuid ids[3];
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_recovery_report report;
    int64_t now = TEST_TIME;
    akidb_clock clock = {read_clock, &now};
    akidb_snapshotter_options snapshots = {.struct_size = sizeof snapshots, .clock = &clock};
    assert_ok(err, akidb_store_memory_open(&store, &err));
    akidb_storage_options options = test_options(*state);
    options.store = store;
    options.snapshots = &snapshots;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    for (uint64_t i = 0; i < 3; i++) {
        now = TEST_TIME - (int64_t)i * 3600000000; /* set back each time */
        test_upsert(storage, &books, 10 * i, 10, i + 1);
        ids[i] = test_flush(storage, &books);
    }
    test_close(storage);
    flip_part(store, &ids[2]);
    options.allow_older_snapshot = true;
    storage = test_open(&options, &report);
    akidb_uuid_format(&ids[1], text);
    assert_non_null(strstr(report.detail, text));
    assert_count(storage, &books, 30);
    test_close(storage);
    akidb_store_close(store);
}

static void a_snapshot_that_is_gone_is_damage_unless_its_collection_is_gone_too(void **state)
{
    akidb_error err;
    akidb_store *store;
    akidb_snapshotter *snapshotter;
    akidb_uuid ids[2];
    assert_ok(err, akidb_store_memory_open(&store, &err));
    assert_ok(err, akidb_snapshotter_open(store, NULL, &snapshotter, &err));
    akidb_storage_options options = test_options(*state);
    options.store = store;
    akidb_storage *storage = two_snapshots(&options, ids);
    assert_ok(err, akidb_snapshot_delete(snapshotter, &books, &ids[1], &err));
    test_close(storage);
    assert_status(AKIDB_E_CORRUPTION, akidb_storage_open(&options, &storage, NULL, &err));
    options.allow_older_snapshot = true;
    storage = test_open(&options, NULL);
    assert_ok(err, akidb_storage_drop_collection(storage, &books, &err));
    assert_ok(err, akidb_snapshot_delete(snapshotter, &books, &ids[0], &err));
    options.allow_older_snapshot = false;
    storage = test_reopen(storage, &options);
    test_close(storage);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void a_missing_or_foreign_log_is_damage(void **state)
{
    akidb_error err;
    akidb_uuid ids[2];
    char path[TEST_FOLDER_SIZE + 16];
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = two_snapshots(&options, ids);
    test_close(storage);
    snprintf(path, sizeof path, "%s/wal", (const char *)*state);
    test_folder_remove(path);
    assert_status(AKIDB_E_CORRUPTION, akidb_storage_open(&options, &storage, NULL, &err));
}

static void a_damaged_catalogue_is_refused(void **state)
{
    akidb_error err;
    char path[TEST_FOLDER_SIZE + 16];
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_close(storage);
    snprintf(path, sizeof path, "%s/catalogue", (const char *)*state);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    fputc('[', file);
    fclose(file);
    assert_status(AKIDB_E_CORRUPTION, akidb_storage_open(&options, &storage, NULL, &err));
    assert_string_equal(err.object, "catalogue");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(a_store_that_fails_once_loses_nothing),
        storage_test(a_store_that_stays_away_loses_nothing),
        storage_test(a_lost_answer_loses_nothing),
        storage_test(a_failed_flush_of_the_background_is_tried_again),
        storage_test(a_flush_without_news_removes_segments_that_stayed),
        storage_test(the_background_removes_segments_that_stayed),
        storage_test(a_disk_that_fails_at_any_call_loses_nothing),
        storage_test(a_damaged_newest_snapshot_is_named_or_passed_over),
        storage_test(the_clock_does_not_say_which_snapshot_is_the_one_before),
        storage_test(a_snapshot_that_is_gone_is_damage_unless_its_collection_is_gone_too),
        storage_test(a_missing_or_foreign_log_is_damage),
        storage_test(a_damaged_catalogue_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
