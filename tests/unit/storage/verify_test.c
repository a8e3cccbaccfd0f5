/* akidb/verify.h: what a data folder is told to be, from outside. */
#include "akidb/verify.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support.h"

enum { FINDINGS = 16, HOT = 0, WARM = 1, COLD = 2, COLLECTIONS = 3, ROWS = 20 };

static const akidb_uuid ids[COLLECTIONS] = {{{1}}, {{2}}, {{3}}};

typedef struct seen {
    akidb_data_finding all[FINDINGS];
    size_t count;
    /* What a storage at work does after this part has been told ... */
    akidb_storage *storage;
    const char *folder;
    akidb_data_part after;
    void (*meanwhile)(struct seen *s);
    /* ... and what after so many segments and entries of the log have been read. */
    size_t read;
    void (*while_reading)(struct seen *s);
    akidb_status answer;
    akidb_store *store;
} seen;

static akidb_status see(void *context, const akidb_data_finding *finding, akidb_error *err)
{
    (void)err;
    seen *s = context;
    assert_true(s->count < FINDINGS);
    s->all[s->count++] = *finding;
    if (s->meanwhile != NULL && finding->part == s->after) {
        s->meanwhile(s);
        s->meanwhile = NULL;
    }
    return s->answer;
}

static bool read_on(void *context, const akidb_progress *progress)
{
    (void)progress;
    seen *s = context;
    void (*now)(seen *) = s->while_reading;
    if (now == NULL || --s->read > 0)
        return true;
    s->while_reading = NULL;
    now(s);
    return true;
}

static akidb_verify_outcome verify(const char *folder, seen *s)
{
    akidb_error err;
    akidb_verify_outcome worst;
    const akidb_snapshotter_options snapshots = {.struct_size = sizeof snapshots,
                                                 .hooks = {.context = s, .progress = read_on}};
    const akidb_storage_verify_options options = {.struct_size = sizeof options,
                                                  .data_folder = folder,
                                                  .store = s->store,
                                                  .snapshots = &snapshots,
                                                  .context = s,
                                                  .finding = see};
    s->count = 0;
    s->folder = folder;
    assert_ok(err, akidb_storage_verify(&options, &worst, &err));
    return worst;
}

/* The one finding that is neither good nor unchecked. */
static const akidb_data_finding *bad(const seen *s)
{
    const akidb_data_finding *found = NULL;
    for (size_t i = 0; i < s->count; i++)
        if (s->all[i].outcome > AKIDB_VERIFY_UNCHECKED) {
            assert_null(found);
            assert_int_not_equal(s->all[i].problem.status, AKIDB_OK);
            found = &s->all[i];
        }
    assert_non_null(found);
    return found;
}

/* A collection in each tier, with a write in the log that no snapshot has. */
static akidb_storage *fill(const char *folder)
{
    akidb_error err;
    const akidb_storage_options options = test_options(folder);
    akidb_storage *storage = test_open(&options, NULL);
    for (int i = 0; i < COLLECTIONS; i++) {
        test_create(storage, &ids[i]);
        test_upsert(storage, &ids[i], 1, ROWS, 1);
        test_flush(storage, &ids[i]);
        assert_ok(err, akidb_storage_move(storage, &ids[i], (akidb_tier)i, NULL, NULL, &err));
    }
    test_upsert(storage, &ids[HOT], ROWS + 1, 1, 1);
    return storage;
}

static akidb_uuid snapshot_of(akidb_storage *storage, int collection)
{
    akidb_error err;
    akidb_collection_info info;
    assert_ok(err, akidb_storage_collection(storage, &ids[collection], &info, &err));
    return info.snapshot_id;
}

/* The path of a file of a snapshot; `ending` as in ".parquet". */
static void snapshot_path(const char *folder, const char *store, int collection,
                          const akidb_uuid *snapshot, const char *ending, char path[1024])
{
    char of[AKIDB_UUID_TEXT_SIZE], id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&ids[collection], of);
    akidb_uuid_format(snapshot, id);
    snprintf(path, 1024, "%s/%s/snapshots/%s/%s%s", folder, store, of, id, ending);
    if (access(path, F_OK) != 0)
        snprintf(path, 1024, "%s/%s/snapshots/%s/%s/part-00000%s", folder, store, of, id, ending);
}

static void flip(const char *path, long offset)
{
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    unsigned char byte;
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void each_part_of_a_good_folder_is_told_also_while_it_is_in_use(void **state)
{
    akidb_storage *storage = fill(*state);
    for (int round = 0; round < 2; round++) {
        seen s = {0};
        assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
        static const akidb_data_part parts[] = {AKIDB_DATA_CATALOGUE,  AKIDB_DATA_LOG,
                                                AKIDB_DATA_SNAPSHOT,   AKIDB_DATA_SNAPSHOT,
                                                AKIDB_DATA_LOCAL_COPY, AKIDB_DATA_SNAPSHOT};
        assert_int_equal(s.count, sizeof parts / sizeof parts[0]);
        for (size_t i = 0; i < s.count; i++) {
            assert_int_equal(s.all[i].part, parts[i]);
            assert_int_equal(s.all[i].problem.status, AKIDB_OK);
        }
        assert_int_equal(s.all[0].count, COLLECTIONS);
        assert_true(s.all[1].count > 0 && s.all[1].bytes_read > 0);
        for (size_t i = 2; i < s.count; i++)
            assert_int_equal(s.all[i].count, ROWS);
        assert_int_equal(s.all[5].tier, AKIDB_TIER_COLD);
        if (round == 0)
            test_close(storage);
    }
}

static void a_new_folder_needs_no_catalogue(void **state)
{
    const akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &ids[HOT]);
    test_close(storage);
    seen s = {0};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
}

static void a_snapshot_that_is_missing_or_damaged_is_named(void **state)
{
    akidb_storage *storage = fill(*state);
    const akidb_uuid cold = snapshot_of(storage, COLD), hot = snapshot_of(storage, HOT);
    test_close(storage);
    char path[1024], elsewhere[1024];
    snapshot_path(*state, "store", COLD, &cold, ".metadata.json", path);
    snprintf(elsewhere, sizeof elsewhere, "%s/away", (const char *)*state);
    assert_int_equal(rename(path, elsewhere), 0);
    seen s = {0};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_MISSING);
    assert_int_equal(bad(&s)->part, AKIDB_DATA_SNAPSHOT);
    assert_memory_equal(&bad(&s)->snapshot_id, &cold, sizeof cold);
    assert_int_equal(rename(elsewhere, path), 0);

    snapshot_path(*state, "store", HOT, &hot, ".parquet", path);
    flip(path, 100);
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_CORRUPT);
    assert_memory_equal(&bad(&s)->collection, &ids[HOT], sizeof ids[HOT]);
}

static void a_damaged_local_copy_is_told_apart_from_the_snapshot(void **state)
{
    akidb_storage *storage = fill(*state);
    const akidb_uuid warm = snapshot_of(storage, WARM);
    test_close(storage);
    char path[1024];
    snapshot_path(*state, "warm", WARM, &warm, ".parquet", path);
    flip(path, 100);
    seen s = {0};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_CORRUPT);
    assert_int_equal(bad(&s)->part, AKIDB_DATA_LOCAL_COPY);
    assert_int_equal(bad(&s)->tier, AKIDB_TIER_WARM);
}

static void a_damaged_log_or_catalogue_is_told_and_a_missing_log(void **state)
{
    test_close(fill(*state));
    char path[1024], wal[1024], elsewhere[1024];
    seen s = {0};
    snprintf(wal, sizeof wal, "%s/wal", (const char *)*state);
    snprintf(elsewhere, sizeof elsewhere, "%s/away", (const char *)*state);
    assert_int_equal(rename(wal, elsewhere), 0);
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_MISSING);
    assert_int_equal(bad(&s)->part, AKIDB_DATA_LOG);
    assert_int_equal(rename(elsewhere, wal), 0);

    snprintf(path, sizeof path, "%s/catalogue", (const char *)*state);
    flip(path, 30);
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_CORRUPT);
    assert_int_equal(s.count, 2);
    assert_int_equal(s.all[0].outcome, AKIDB_VERIFY_CORRUPT);
    flip(path, 30);
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    /* A log that begins at LSN 1 tells everything, as for a new folder. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    assert_int_equal(s.all[0].part, AKIDB_DATA_LOG);
}

static void a_log_of_another_folder_does_not_fit(void **state)
{
    test_close(fill(*state));
    char other[1024], wal[1024], from[1024];
    snprintf(other, sizeof other, "%s/other", (const char *)*state);
    test_close(fill(other));
    snprintf(wal, sizeof wal, "%s/wal", (const char *)*state);
    snprintf(from, sizeof from, "%s/other/wal", (const char *)*state);
    test_folder_remove(wal);
    assert_int_equal(rename(from, wal), 0);
    seen s = {0};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_CORRUPT);
    assert_int_equal(bad(&s)->part, AKIDB_DATA_LOG);
    assert_non_null(strstr(bad(&s)->problem.message, "another"));
}

static void a_snapshot_that_only_the_log_names_is_looked_at(void **state)
{
    akidb_error err;
    akidb_storage *storage = fill(*state);
    const akidb_uuid first = snapshot_of(storage, HOT);
    const akidb_uuid second = test_flush(storage, &ids[HOT]);
    assert_ok(err, akidb_storage_restore(storage, &ids[HOT], &first, &err));
    test_close(storage);
    char path[1024];
    seen s = {0};
    /* The log has put the first one in the place of the second. */
    snapshot_path(*state, "store", HOT, &second, ".metadata.json", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    snapshot_path(*state, "store", HOT, &first, ".metadata.json", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_MISSING);
    assert_memory_equal(&bad(&s)->snapshot_id, &first, sizeof first);
}

/* ---- beside a storage at work ---------------------------------------------------------------- */

static void drop_the_cold_one(seen *s)
{
    akidb_error err;
    assert_ok(err, akidb_storage_drop_collection(s->storage, &ids[COLD], &err));
}

static void promote_the_warm_one(seen *s)
{
    akidb_error err;
    assert_ok(err, akidb_storage_move(s->storage, &ids[WARM], AKIDB_TIER_HOT, NULL, NULL, &err));
}

static void what_a_storage_takes_away_meanwhile_is_no_damage(void **state)
{
    akidb_storage *storage = fill(*state);
    const akidb_uuid cold = snapshot_of(storage, COLD);
    seen s = {.storage = storage, .after = AKIDB_DATA_LOG, .meanwhile = promote_the_warm_one};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    assert_int_equal(s.count, 5); /* no local copy any more */

    s = (seen){.storage = storage, .after = AKIDB_DATA_LOG, .meanwhile = drop_the_cold_one};
    char path[1024];
    snapshot_path(*state, "store", COLD, &cold, ".metadata.json", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    assert_int_equal(s.count, 4);
    test_close(storage);
}

static void restore_the_warm_one(seen *s)
{
    akidb_error err;
    const akidb_uuid snapshot = snapshot_of(s->storage, WARM);
    assert_ok(err, akidb_storage_restore(s->storage, &ids[WARM], &snapshot, &err));
}

static void drop_the_warm_one(seen *s)
{
    akidb_error err;
    assert_ok(err, akidb_storage_drop_collection(s->storage, &ids[WARM], &err));
}

/* The catalogue has them until the next flush. */
static void a_local_copy_that_a_restore_or_a_drop_removes_is_no_damage(void **state)
{
    akidb_storage *storage = fill(*state);
    seen s = {.storage = storage, .after = AKIDB_DATA_LOG, .meanwhile = restore_the_warm_one};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    assert_null(s.meanwhile);
    assert_int_equal(s.count, 5);
    (void)test_flush(storage, &ids[WARM]);
    akidb_error err;
    assert_ok(err, akidb_storage_move(storage, &ids[WARM], AKIDB_TIER_WARM, NULL, NULL, &err));
    s.meanwhile = drop_the_warm_one;
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    assert_null(s.meanwhile);
    assert_int_equal(s.count, 5);
    test_close(storage);
}

/* As retention does it. */
static void flush_and_delete_what_was_restored(seen *s)
{
    akidb_snapshot_list list;
    akidb_error err;
    char path[1024];
    const akidb_uuid newest = test_flush(s->storage, &ids[HOT]);
    assert_ok(err, akidb_storage_list_snapshots(s->storage, &ids[HOT], &list, &err));
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < list.count; i++) {
        const akidb_uuid *id = &list.entries[i].metadata->snapshot_id;
        snapshot_path(s->folder, "store", HOT, id, ".metadata.json", path);
        if (akidb_uuid_compare(id, &newest) != 0)
            assert_int_equal(unlink(path), 0);
    }
    akidb_snapshot_list_free(&list);
}

static void a_restored_snapshot_that_a_flush_makes_needless_is_not_missed(void **state)
{
    akidb_error err;
    akidb_storage *storage = fill(*state);
    const akidb_uuid first = snapshot_of(storage, HOT);
    (void)test_flush(storage, &ids[HOT]);
    assert_ok(err, akidb_storage_restore(storage, &ids[HOT], &first, &err));
    seen s = {.storage = storage,
              .after = AKIDB_DATA_LOG,
              .meanwhile = flush_and_delete_what_was_restored};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    assert_null(s.meanwhile);
    assert_int_equal(s.count, 5);
    test_close(storage);
}

/* Further than what was read of the file at one time. */
static void write_much(seen *s)
{
    test_upsert(s->storage, &ids[HOT], 1000, 40000, 1);
}

static void what_is_written_behind_the_end_of_the_log_meanwhile_is_no_damage(void **state)
{
    akidb_storage_options options = test_options(*state);
    options.wal_segment_bytes = 16 << 20;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &ids[HOT]);
    test_upsert(storage, &ids[HOT], 1, ROWS, 1);
    seen s = {.storage = storage, .read = 3, .while_reading = write_much};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    assert_null(s.while_reading);
    test_close(storage);
}

static void in_folder(const char *folder, const char *what)
{
    char command[TEST_FOLDER_SIZE + 200];
    snprintf(command, sizeof command, "cd '%s' && %s", folder, what);
    assert_int_equal(system(command), 0);
}

static void remove_segments(seen *s)
{
    in_folder(s->folder, "for f in before/*; do f=${f#before/}; "
                         "grep -qxF \"$f\" left || rm -f \"wal/$f\"; done");
}

/* Between the new catalogue and the last removal. */
static void a_segment_that_is_removed_meanwhile_is_no_damage(void **state)
{
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &ids[HOT]);
    for (uint64_t version = 1; version <= 20; version++)
        test_upsert(storage, &ids[HOT], 1, 300, version);
    in_folder(*state, "cp -r wal before");
    (void)test_flush(storage, &ids[HOT]);
    in_folder(*state, "ls wal >left && for f in before/*; do "
                      "test -e \"wal/${f#before/}\" || cp \"$f\" wal; done");
    seen s = {.storage = storage, .read = 1, .while_reading = remove_segments};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_GOOD);
    assert_null(s.while_reading);
    test_close(storage);
}

static void damage_the_catalogue(seen *s)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/catalogue", s->folder);
    flip(path, 30);
}

static void a_catalogue_that_cannot_be_read_again_is_told(void **state)
{
    test_close(fill(*state));
    seen s = {.read = 1, .while_reading = damage_the_catalogue};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_CORRUPT);
    assert_null(s.while_reading);
    assert_int_equal(bad(&s)->part, AKIDB_DATA_LOG);
    assert_non_null(strstr(bad(&s)->problem.message, "catalogue"));
    assert_int_equal(s.count, 6); /* by what was read before */
}

static void a_local_copy_stays_good_when_the_catalogue_cannot_be_read_again(void **state)
{
    akidb_storage *storage = fill(*state);
    const akidb_uuid warm = snapshot_of(storage, WARM);
    test_close(storage);
    char path[1024];
    snapshot_path(*state, "store", WARM, &warm, ".metadata.json", path);
    assert_int_equal(unlink(path), 0);
    seen s = {.after = AKIDB_DATA_LOG, .meanwhile = damage_the_catalogue};
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_MISSING);
    assert_int_equal(bad(&s)->part, AKIDB_DATA_SNAPSHOT);
    assert_int_equal(s.count, 6);
}

/* A flush and a deletion come before each look at the newest snapshot. */
static akidb_fault replace_it(void *context, akidb_store_op op, const char *key)
{
    (void)op;
    seen *s = context;
    char id[AKIDB_UUID_TEXT_SIZE], path[1024];
    const akidb_uuid newest = snapshot_of(s->storage, HOT);
    akidb_uuid_format(&newest, id);
    if (strstr(key, id) != NULL) {
        test_upsert(s->storage, &ids[HOT], ROWS + 1, 1, 2);
        (void)test_flush(s->storage, &ids[HOT]);
        snapshot_path(s->folder, "store", HOT, &newest, ".metadata.json", path);
        assert_int_equal(unlink(path), 0);
    }
    return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
}

static void a_snapshot_that_changes_faster_than_it_is_read_is_not_missing(void **state)
{
    akidb_error err;
    char path[1024];
    akidb_store *inner;
    seen s = {.storage = fill(*state)};
    snprintf(path, sizeof path, "%s/store", (const char *)*state);
    assert_ok(err, akidb_store_local_open(path, &inner, &err));
    assert_ok(err, akidb_store_fault_open(inner, replace_it, &s, &s.store, &err));
    assert_int_equal(verify(*state, &s), AKIDB_VERIFY_UNREACHABLE);
    assert_int_equal(bad(&s)->part, AKIDB_DATA_SNAPSHOT);
    assert_memory_equal(&bad(&s)->collection, &ids[HOT], sizeof ids[HOT]);
    akidb_store_close(s.store);
    akidb_store_close(inner);
    test_close(s.storage);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void what_is_no_data_folder_is_not_found_and_stays_as_it_is(void **state)
{
    akidb_error err;
    akidb_verify_outcome worst;
    char path[1024];
    snprintf(path, sizeof path, "%s/nowhere", (const char *)*state);
    const char *folders[] = {path, *state};
    for (int i = 0; i < 2; i++) {
        const akidb_storage_verify_options options = {.struct_size = sizeof options,
                                                      .data_folder = folders[i]};
        assert_int_equal(akidb_storage_verify(&options, &worst, &err), AKIDB_E_NOT_FOUND);
    }
    assert_int_not_equal(access(path, F_OK), 0);
    const akidb_storage_verify_options none = {.struct_size = sizeof none};
    assert_int_equal(akidb_storage_verify(&none, &worst, &err), AKIDB_E_VALIDATION);
}

static void whoever_is_told_may_end_the_check(void **state)
{
    test_close(fill(*state));
    akidb_error err;
    akidb_verify_outcome worst;
    seen s = {.answer = AKIDB_E_CANCELLED};
    const akidb_storage_verify_options options = {
        .struct_size = sizeof options, .data_folder = *state, .context = &s, .finding = see};
    assert_int_equal(akidb_storage_verify(&options, &worst, &err), AKIDB_E_CANCELLED);
    assert_int_equal(s.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(each_part_of_a_good_folder_is_told_also_while_it_is_in_use),
        storage_test(a_new_folder_needs_no_catalogue),
        storage_test(a_snapshot_that_is_missing_or_damaged_is_named),
        storage_test(a_damaged_local_copy_is_told_apart_from_the_snapshot),
        storage_test(a_damaged_log_or_catalogue_is_told_and_a_missing_log),
        storage_test(a_log_of_another_folder_does_not_fit),
        storage_test(a_snapshot_that_only_the_log_names_is_looked_at),
        storage_test(what_a_storage_takes_away_meanwhile_is_no_damage),
        storage_test(a_local_copy_that_a_restore_or_a_drop_removes_is_no_damage),
        storage_test(a_restored_snapshot_that_a_flush_makes_needless_is_not_missed),
        storage_test(what_is_written_behind_the_end_of_the_log_meanwhile_is_no_damage),
        storage_test(a_segment_that_is_removed_meanwhile_is_no_damage),
        storage_test(a_catalogue_that_cannot_be_read_again_is_told),
        storage_test(a_local_copy_stays_good_when_the_catalogue_cannot_be_read_again),
        storage_test(a_snapshot_that_changes_faster_than_it_is_read_is_not_missing),
        storage_test(what_is_no_data_folder_is_not_found_and_stays_as_it_is),
        storage_test(whoever_is_told_may_end_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
