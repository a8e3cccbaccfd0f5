/* Stores that are away, local copies that are damaged, moves that are cut short. */
#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fault_files.h"
#include "tiers_support.h"

/* ---- the store is away ----------------------------------------------------------------------- */

static akidb_status get_one(world *w, uint64_t number, akidb_error *err)
{
    akidb_documents *documents;
    akidb_uuid id = test_id(number);
    assert_ok(*err, akidb_documents_new(TEST_DIMENSION, &documents, err));
    akidb_status status = akidb_storage_get(w->storage, &books, &id, 1, documents, NULL, err);
    akidb_documents_free(documents);
    return status;
}

static void without_the_store_hot_and_warm_go_on(void **state)
{
    akidb_error err;
    world *w = world_new(*state);
    world_upsert(w, 0, 200, 1);
    for (int tier = AKIDB_TIER_HOT; tier <= AKIDB_TIER_WARM; tier++) {
        world_move(w, (akidb_tier)tier);
        atomic_store(&w->away, true);
        world_upsert(w, 150, 60, 2 + (uint64_t)tier);
        world_delete(w, 10, 5);
        assert_world(w);
        assert_status(AKIDB_E_STORE,
                      akidb_storage_move(w->storage, &books, AKIDB_TIER_COLD, NULL, NULL, &err));
        assert_status(AKIDB_E_STORE, akidb_storage_flush(w->storage, &books, NULL, &err));
        assert_int_equal(world_info(w).tier, tier);
        assert_world(w);
        atomic_store(&w->away, false);
    }
    atomic_store(&w->away, true);
    world_move(w, AKIDB_TIER_HOT); /* by the local copy */
    assert_world(w);
    atomic_store(&w->away, false);
    world_move(w, AKIDB_TIER_COLD);
    assert_world(w);
    world_free(w);
}

static void without_the_store_a_cold_collection_takes_writes(void **state)
{
    akidb_error err;
    uint64_t count;
    akidb_uuid ids[] = {test_id(10), test_id(11)};
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    world_move(w, AKIDB_TIER_COLD);
    world_reopen(w);
    atomic_store(&w->away, true);
    assert_status(AKIDB_E_STORE, get_one(w, 5, &err));
    world_upsert(w, 90, 20, 2);
    assert_int_equal(get_one(w, 95, &err), AKIDB_OK);
    assert_ok(err, akidb_storage_delete(w->storage, &books, ids, 1, NULL, &err));
    w->versions[10] = 0;
    /* How many there were nobody can say now, so nothing is deleted. */
    assert_status(AKIDB_E_STORE,
                  akidb_storage_delete(w->storage, &books, &ids[1], 1, &count, &err));
    assert_status(AKIDB_E_STORE, akidb_storage_count(w->storage, &books, &count, &err));
    assert_true(world_info(w).documents_at_most);
    assert_true(world_info(w).documents >= world_count(w));
    assert_status(AKIDB_E_STORE,
                  akidb_storage_move(w->storage, &books, AKIDB_TIER_WARM, NULL, NULL, &err));
    assert_status(AKIDB_E_STORE,
                  akidb_storage_move(w->storage, &books, AKIDB_TIER_HOT, NULL, NULL, &err));
    world_reopen(w); /* a cold collection is opened without the store */
    assert_int_equal(get_one(w, 95, &err), AKIDB_OK);
    atomic_store(&w->away, false);
    assert_world(w);
    assert_false(world_info(w).documents_at_most);
    world_move(w, AKIDB_TIER_HOT);
    assert_world(w);
    world_free(w);
}

static void an_open_reads_nothing_of_cold_and_little_of_warm(void **state)
{
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    for (int tier = AKIDB_TIER_WARM; tier <= AKIDB_TIER_COLD; tier++) {
        world_move(w, (akidb_tier)tier);
        uint64_t before = atomic_load(&w->calls);
        world_reopen(w);
        assert_int_equal(atomic_load(&w->calls), before);
        assert_int_equal(world_info(w).documents, 100);
        /* The index comes with the first get. */
        assert_true(world_info(w).memory_bytes < 1000);
        assert_world(w);
    }
    world_free(w);
}

static void a_store_that_goes_away_at_any_call_stops_a_move_and_loses_nothing(void **state)
{
    static const akidb_tier path[] = {AKIDB_TIER_WARM, AKIDB_TIER_COLD, AKIDB_TIER_WARM,
                                      AKIDB_TIER_HOT,  AKIDB_TIER_COLD, AKIDB_TIER_HOT};
    akidb_error err;
    world *w = world_new(*state);
    world_upsert(w, 0, 120, 1);
    for (size_t step = 0; step < sizeof path / sizeof path[0]; step++) {
        bool failed = true;
        for (uint64_t call = 0; failed; call++) {
            akidb_tier from = world_info(w).tier;
            world_upsert(w, (call * 7) % 250, 3, 10 + call);
            atomic_store(&w->calls_left, call);
            failed =
                akidb_storage_move(w->storage, &books, path[step], NULL, NULL, &err) != AKIDB_OK;
            atomic_store(&w->calls_left, UINT64_MAX);
            atomic_store(&w->away, false);
            assert_int_equal(world_info(w).tier, failed ? from : path[step]);
            if (call % 3 == 1)
                world_reopen(w);
            assert_world(w);
        }
    }
    world_free(w);
}

/* ---- local copies ---------------------------------------------------------------------------- */

/* Does something to the only part in DATA/warm, by the shell. */
static void damage_local(const world *w, const char *what)
{
    char command[TEST_FOLDER_SIZE + 200];
    snprintf(command, sizeof command, "f=$(find %s/warm -name '*.parquet') && test -f \"$f\" && %s",
             w->options.data_folder, what);
    assert_int_equal(system(command), 0);
}

static void damage_of_a_local_copy_is_told_and_mended(void **state)
{
    static const char *const damages[] = {
        "rm \"$f\"", "truncate -s 100 \"$f\"",
        /* each byte from the 5th one on, far more than one page */
        "tr '\\000-\\377' '\\001-\\377\\000' <\"$f\" >\"$f.new\" && mv \"$f.new\" \"$f\"",
        "printf x | dd of=\"$f\" bs=1 seek=600 conv=notrunc 2>/dev/null",
        "printf xyz | dd of=\"$f\" bs=1 seek=1800 conv=notrunc 2>/dev/null"};
    akidb_error err;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++)
        for (int reopens = 0; reopens < 2; reopens++) {
            world *w = world_new(*state);
            world_upsert(w, 0, 200, 1);
            world_move(w, AKIDB_TIER_WARM);
            world_upsert(w, 100, 5, 2);
            damage_local(w, damages[i]);
            akidb_cursor *cursor = reopens ? NULL : world_iterate(w);
            if (reopens)
                world_reopen(w);
            else
                assert_cursor(cursor, w->versions);
            akidb_cursor_close(cursor);
            assert_world(w);
            assert_int_equal(w->warnings, 1);
            assert_non_null(strstr(w->last_warning, "the store serves it"));
            assert_int_equal(world_info(w).tier, AKIDB_TIER_WARM);
            assert_int_equal(world_info(w).warm_bytes, 0);
            assert_ok(err,
                      akidb_storage_move(w->storage, &books, AKIDB_TIER_WARM, NULL, NULL, &err));
            assert_true(world_info(w).warm_bytes > 0);
            atomic_store(&w->away, true);
            assert_world(w);
            atomic_store(&w->away, false);
            world_free(w);
            test_folder_remove(*state);
            assert_int_equal(mkdir(*state, 0700), 0);
        }
}

static void the_background_mends_a_local_copy(void **state)
{
    world *w = world_new(*state);
    w->options.flush_wal_bytes = UINT64_C(1) << 40;
    world_reopen(w);
    world_upsert(w, 0, 100, 1);
    world_move(w, AKIDB_TIER_WARM);
    damage_local(w, "rm \"$f\"");
    world_reopen(w);
    for (int i = 0; i < 1000 && world_info(w).warm_bytes == 0; i++)
        usleep(10000);
    assert_true(world_info(w).warm_bytes > 0);
    atomic_store(&w->away, true);
    assert_world(w);
    atomic_store(&w->away, false);
    world_free(w);
}

static void part_key(const world *w, char key[256])
{
    char collection[AKIDB_UUID_TEXT_SIZE], snapshot[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid newest = world_info(w).snapshot_id;
    akidb_uuid_format(&books, collection);
    akidb_uuid_format(&newest, snapshot);
    snprintf(key, 256, "snapshots/%s/%s.parquet", collection, snapshot);
}

static void flip_in_store(const world *w)
{
    akidb_error err;
    akidb_buffer part;
    char key[256];
    part_key(w, key);
    assert_ok(err, akidb_store_get(w->inner, key, 1 << 20, &part, &err));
    part.data[part.size / 3] ^= 4;
    akidb_slice slice = {part.data, part.size};
    assert_ok(err, akidb_store_put(w->inner, key, &slice, 1, AKIDB_PUT_ALWAYS, &err));
    akidb_buffer_free(&part);
}

/* As long as memory or the local copy have the documents. */
static void a_damaged_snapshot_is_written_anew_before_it_is_the_only_copy(void **state)
{
    akidb_error err;
    char key[256];
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    for (int tier = AKIDB_TIER_HOT; tier <= AKIDB_TIER_WARM; tier++) {
        world_move(w, (akidb_tier)tier);
        (void)test_flush(w->storage, &books);
        int warnings = w->warnings;
        flip_in_store(w);
        assert_world(w);
        world_move(w, AKIDB_TIER_COLD);
        assert_int_equal(w->warnings, warnings + 1);
        assert_world(w);
        world_move(w, (akidb_tier)tier);
        part_key(w, key);
        assert_ok(err, akidb_store_delete(w->inner, key, &err));
        world_move(w, AKIDB_TIER_COLD);
        assert_world(w);
    }
    world_free(w);
}

static void damage_in_the_store_of_a_cold_collection_is_corruption(void **state)
{
    akidb_error err;
    char key[256];
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    world_move(w, AKIDB_TIER_COLD);
    flip_in_store(w);
    for (int tier = AKIDB_TIER_HOT; tier <= AKIDB_TIER_WARM; tier++)
        assert_status(AKIDB_E_CORRUPTION,
                      akidb_storage_move(w->storage, &books, (akidb_tier)tier, NULL, NULL, &err));
    flip_in_store(w);
    assert_world(w);
    /* Somebody else deletes the snapshot: that is no missing document, nor a missing collection. */
    world_reopen(w);
    part_key(w, key);
    assert_ok(err, akidb_store_delete(w->inner, key, &err));
    assert_status(AKIDB_E_CORRUPTION, get_one(w, 1, &err));
    for (int tier = AKIDB_TIER_HOT; tier <= AKIDB_TIER_WARM; tier++)
        assert_status(AKIDB_E_CORRUPTION,
                      akidb_storage_move(w->storage, &books, (akidb_tier)tier, NULL, NULL, &err));
    world_free(w);
}

/* An open does not read it, so that there is nothing to pass over: who reads it is told. */
static void
an_older_snapshot_takes_the_place_of_a_damaged_one_of_a_cold_collection_by_a_restore(void **state)
{
    for (int tier = AKIDB_TIER_WARM; tier <= AKIDB_TIER_COLD; tier++) {
        akidb_error err;
        akidb_recovery_report report;
        world *w = world_new(*state);
        world_upsert(w, 0, 100, 1);
        akidb_uuid older = test_flush(w->storage, &books);
        test_upsert(w->storage, &books, 50, 100, 2);
        world_move(w, (akidb_tier)tier);
        test_upsert(w->storage, &books, 10, 1, 3);
        flip_in_store(w);
        if (tier == AKIDB_TIER_WARM)
            damage_local(w, "rm \"$f\"");
        test_close(w->storage);
        w->options.allow_older_snapshot = true;
        w->storage = test_open(&w->options, &report);
        assert_int_equal(report.older_snapshots, 0);
        assert_status(AKIDB_E_CORRUPTION, get_one(w, 60, &err));
        assert_ok(err, get_one(w, 10, &err)); /* lies in memory */
        assert_ok(err, akidb_storage_restore(w->storage, &books, &older, &err));
        assert_world(w);
        world_reopen(w);
        assert_world(w);
        world_free(w);
        test_folder_remove(*state);
        assert_int_equal(mkdir(*state, 0700), 0);
    }
}

static void leftovers_in_the_warm_folder_go_at_the_open(void **state)
{
    world *w = world_new(*state);
    char command[TEST_FOLDER_SIZE + 300];
    world_upsert(w, 0, 100, 1);
    world_move(w, AKIDB_TIER_WARM);
    snprintf(command, sizeof command,
             "cd %s/warm && f=$(find . -name '*.parquet') && mkdir other && cp $f other && "
             "cp $f ${f%%.parquet}0.parquet && cp $f stray && cp $f other/.akidb-tmp-1 && "
             "cp $f $(dirname $f)/00000000-0000-4000-8000-000000000001.parquet",
             w->options.data_folder);
    assert_int_equal(system(command), 0);
    assert_int_equal(world_files(w, "warm"), 7);
    world_reopen(w);
    assert_int_equal(world_files(w, "warm"), 2);
    atomic_store(&w->away, true);
    assert_world(w);
    atomic_store(&w->away, false);
    world_free(w);
}

/* ---- a disk that fails ----------------------------------------------------------------------- */

static void a_disk_that_fails_at_any_call_of_a_move_loses_nothing(void **state)
{
    static const akidb_tier path[] = {AKIDB_TIER_WARM, AKIDB_TIER_HOT, AKIDB_TIER_WARM,
                                      AKIDB_TIER_COLD, AKIDB_TIER_WARM};
    akidb_error err;
    world *w = world_new(*state);
    world_upsert(w, 0, 60, 1);
    fault_files disk;
    fault_files_init(&disk, akidb_files_system());
    for (size_t step = 0; step < sizeof path / sizeof path[0]; step++) {
        bool failed = true;
        for (uint64_t nth = 0; failed; nth++) {
            test_close(w->storage);
            assert_ok(err, ak_storage_open_with(&w->options, &disk.files, &w->storage, NULL, &err));
            if (step == 0 || step == 2)
                world_upsert(w, nth % 200, 2, 5 + nth);
            fault_files_fail(&disk, ALL_CALLS, nth, nth % 2 == 0 ? EIO : ENOSPC);
            (void)!akidb_storage_move(w->storage, &books, path[step], NULL, NULL, &err);
            failed = disk.failed != CALL_COUNT;
            fault_files_heal(&disk);
            assert_gets(w);
            world_reopen(w);
            assert_world(w);
            if (failed && nth % 7 == 0 && step > 0)
                world_move(w, path[step - 1]);
        }
        world_move(w, path[step]);
        assert_world(w);
        assert_int_equal(world_files(w, "warm"), path[step] == AKIDB_TIER_WARM ? 2 : 0);
    }
    world_free(w);
}

/* A move with a log of several segments, of which the nth unlink fails; returns whether that was
 * one of a segment. */
static bool move_without_unlink(const char *folder, uint64_t nth, bool *unlinked_out)
{
    enum { SEGMENT = 64 << 10, ROUNDS = 20 };
    akidb_error err;
    fault_files disk;
    world *w = world_new(folder);
    w->options.wal_segment_bytes = SEGMENT;
    fault_files_init(&disk, akidb_files_system());
    test_close(w->storage);
    assert_ok(err, ak_storage_open_with(&w->options, &disk.files, &w->storage, NULL, &err));
    for (uint64_t i = 1; i <= ROUNDS; i++)
        world_upsert(w, 0, WORLD_DOCUMENTS, i);
    int files = world_files(w, "wal");
    fault_files_fail(&disk, UINT32_C(1) << CALL_UNLINK, nth, EACCES);
    akidb_status status = akidb_storage_move(w->storage, &books, AKIDB_TIER_WARM, NULL, NULL, &err);
    *unlinked_out = disk.failed == CALL_UNLINK;
    fault_files_heal(&disk);
    bool segment = strstr(w->last_warning, "segments that the log no longer needs") != NULL;
    if (segment) {
        assert_ok(err, status);
        assert_int_equal(w->warnings, 1);
        assert_int_equal(world_info(w).tier, AKIDB_TIER_WARM);
        world_move(w, AKIDB_TIER_COLD); /* takes them along */
        assert_true(world_files(w, "wal") < files);
    }
    world_reopen(w);
    assert_world(w);
    world_free(w);
    return segment;
}

static void a_log_segment_that_cannot_be_removed_fails_no_move(void **state)
{
    bool unlinked = true;
    int segments = 0;
    for (uint64_t nth = 0; unlinked; nth++) {
        segments += move_without_unlink(*state, nth, &unlinked);
        test_folder_remove(*state);
        assert_int_equal(mkdir(*state, 0700), 0);
    }
    assert_true(segments > 1);
}

/* ---- options, hooks -------------------------------------------------------------------------- */

static bool stop_at_once(void *context, const akidb_progress *progress)
{
    (void)progress;
    ++*(int *)context;
    return false;
}

static void a_cancelled_move_leaves_the_collection_where_it_was(void **state)
{
    static const akidb_tier tiers[] = {AKIDB_TIER_HOT, AKIDB_TIER_WARM, AKIDB_TIER_COLD};
    akidb_error err;
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    int told = 0;
    akidb_hooks hooks = {.context = &told, .progress = stop_at_once};
    akidb_move_options options = {.struct_size = sizeof options, .hooks = &hooks};
    for (int from = 0; from < 3; from++)
        for (int to = 0; to < 3; to++) {
            if (from == to)
                continue;
            world_move(w, tiers[from]);
            assert_status(AKIDB_E_CANCELLED,
                          akidb_storage_move(w->storage, &books, tiers[to], &options, NULL, &err));
            /* A budget that lasts for days ends with the first word of the hook. */
            options.bytes_per_second = 1;
            assert_status(AKIDB_E_CANCELLED,
                          akidb_storage_move(w->storage, &books, tiers[to], &options, NULL, &err));
            options.bytes_per_second = 0;
            assert_int_equal(world_info(w).tier, tiers[from]);
            assert_int_equal(world_files(w, "warm"), tiers[from] == AKIDB_TIER_WARM ? 2 : 0);
            assert_world(w);
        }
    assert_true(told > 0);
    world_free(w);
}

static void bytes_per_second_are_kept(void **state)
{
    akidb_error err;
    akidb_move_report report;
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    (void)test_flush(w->storage, &books);
    akidb_move_options options = {.struct_size = sizeof options, .bytes_per_second = 100000};
    assert_ok(err,
              akidb_storage_move(w->storage, &books, AKIDB_TIER_WARM, &options, &report, &err));
    assert_true(report.bytes > world_info(w).warm_bytes);
    /* No faster than it may be; how much slower depends on the machine. */
    assert_true(report.duration >= (int64_t)(report.bytes * 10) * 9 / 10);
    world_free(w);
}

static void count_access(void *context, const akidb_uuid *collection, akidb_access kind)
{
    int *counts = context;
    assert_memory_equal(collection, &books, sizeof books);
    counts[kind]++;
}

static void accesses_are_told(void **state)
{
    akidb_error err;
    int counts[3] = {0};
    world *w = world_new(*state);
    akidb_storage_on_access(w->storage, counts, count_access);
    world_upsert(w, 0, 10, 1);
    world_upsert(w, 0, 10, 2);
    assert_int_equal(get_one(w, 3, &err), AKIDB_OK);
    akidb_cursor_close(world_iterate(w));
    (void)test_flush(w->storage, &books);
    world_move(w, AKIDB_TIER_COLD);
    world_move(w, AKIDB_TIER_WARM);
    assert_count(w->storage, &books, 10);
    assert_int_equal(counts[AKIDB_ACCESS_GET], 1);
    assert_int_equal(counts[AKIDB_ACCESS_ITERATE], 1);
    assert_int_equal(counts[AKIDB_ACCESS_UPSERT], 2);
    akidb_storage_on_access(w->storage, NULL, NULL);
    assert_external(w, "doc-7");
    assert_int_equal(counts[AKIDB_ACCESS_GET], 1);
    akidb_buffer text;
    assert_ok(err, akidb_storage_metrics(w->storage, &text, &err));
    char *copy = strndup((const char *)text.data, text.size);
    assert_non_null(copy);
    assert_non_null(strstr(copy, "akidb_tier_collections{tier=\"warm\"} 1\n"));
    assert_non_null(strstr(copy, "akidb_tier_hits_total{tier=\"hot\"} 4\n"));
    assert_non_null(strstr(copy, "akidb_tier_hits_total{tier=\"warm\"} 1\n"));
    assert_non_null(strstr(copy, "akidb_tier_moves_total{from=\"cold\",to=\"warm\"} 1\n"));
    free(copy);
    akidb_buffer_free(&text);
    world_free(w);
}

static void json_snapshots_are_never_warm_or_cold(void **state)
{
    akidb_error err;
    world *w = world_new(*state);
    w->snapshots.format = AKIDB_FORMAT_JSON;
    world_reopen(w);
    world_upsert(w, 0, 100, 1);
    (void)test_flush(w->storage, &books);
    assert_status(AKIDB_E_UNSUPPORTED,
                  akidb_storage_move(w->storage, &books, AKIDB_TIER_WARM, NULL, NULL, &err));
    /* One that is left from before is written anew. */
    w->snapshots.format = AKIDB_FORMAT_PARQUET;
    world_reopen(w);
    world_move(w, AKIDB_TIER_COLD);
    assert_world(w);
    world_free(w);
}

static void a_full_memory_refuses_a_promotion(void **state)
{
    akidb_error err;
    world *w = world_new(*state);
    world_upsert(w, 0, 200, 1);
    world_move(w, AKIDB_TIER_COLD);
    w->options.memory_limit = 10000;
    world_reopen(w);
    assert_status(AKIDB_E_LIMIT,
                  akidb_storage_move(w->storage, &books, AKIDB_TIER_HOT, NULL, NULL, &err));
    assert_int_equal(world_info(w).tier, AKIDB_TIER_COLD);
    assert_world(w);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(without_the_store_hot_and_warm_go_on),
        storage_test(without_the_store_a_cold_collection_takes_writes),
        storage_test(an_open_reads_nothing_of_cold_and_little_of_warm),
        storage_test(a_store_that_goes_away_at_any_call_stops_a_move_and_loses_nothing),
        storage_test(damage_of_a_local_copy_is_told_and_mended),
        storage_test(the_background_mends_a_local_copy),
        storage_test(a_damaged_snapshot_is_written_anew_before_it_is_the_only_copy),
        storage_test(damage_in_the_store_of_a_cold_collection_is_corruption),
        storage_test(
            an_older_snapshot_takes_the_place_of_a_damaged_one_of_a_cold_collection_by_a_restore),
        storage_test(leftovers_in_the_warm_folder_go_at_the_open),
        storage_test(a_disk_that_fails_at_any_call_of_a_move_loses_nothing),
        storage_test(a_log_segment_that_cannot_be_removed_fails_no_move),
        storage_test(a_cancelled_move_leaves_the_collection_where_it_was),
        storage_test(bytes_per_second_are_kept),
        storage_test(accesses_are_told),
        storage_test(json_snapshots_are_never_warm_or_cold),
        storage_test(a_full_memory_refuses_a_promotion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
