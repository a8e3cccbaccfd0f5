/* akidb/wal.h: what a log is told to be, whole, torn and damaged. */
#include "akidb/wal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "test.h"

enum { ENTRIES = 8, BATCHES = 4, ROWS = 3, DIMENSION = 2 };

typedef struct seen {
    size_t segments, count, incomplete;
    akidb_wal_entry entries[ENTRIES];
    char name[16];
} seen;

static akidb_status see_segment(void *context, const akidb_wal_segment *segment, akidb_error *err)
{
    (void)err;
    seen *s = context;
    s->segments++;
    assert_true(segment->bytes > 0 && segment->created_at > 0);
    return AKIDB_OK;
}

static akidb_status see_entry(void *context, const akidb_wal_entry *entry, akidb_error *err)
{
    (void)err;
    seen *s = context;
    assert_true(s->count < ENTRIES);
    s->incomplete += !entry->whole;
    s->entries[s->count++] = *entry;
    if (entry->name != NULL)
        snprintf(s->name, sizeof s->name, "%s", entry->name);
    return AKIDB_OK;
}

static akidb_status check(const char *folder, akidb_recovery recovery, seen *s,
                          akidb_wal_report *report, akidb_error *err)
{
    *s = (seen){0};
    const akidb_wal_visitor visitor = {s, see_segment, see_entry};
    return akidb_wal_check(folder, recovery, &visitor, report, err);
}

/* A create, BATCHES upserts and a delete. */
static void fill(const char *folder)
{
    akidb_error err;
    akidb_storage *storage;
    const akidb_uuid collection = {{7}};
    const akidb_storage_options options = {.struct_size = sizeof options, .data_folder = folder};
    assert_ok(err, akidb_storage_open(&options, &storage, NULL, &err));
    assert_ok(err, akidb_storage_create_collection(storage, &collection, DIMENSION, "words", &err));
    for (int i = 0; i < BATCHES; i++) {
        const float vectors[ROWS * DIMENSION] = {(float)i, 1, 2, 3, 4, 5};
        akidb_uuid ids[ROWS] = {{{1}}, {{2}}, {{3}}};
        const akidb_batch batch = {
            .rows = ROWS, .dimension = DIMENSION, .vectors = vectors, .document_ids = ids};
        assert_ok(err, akidb_storage_upsert(storage, &collection, &batch, NULL, &err));
    }
    const akidb_uuid gone[2] = {{{1}}, {{2}}};
    assert_ok(err, akidb_storage_delete(storage, &collection, gone, 2, NULL, &err));
    assert_ok(err, akidb_storage_close(storage, &err));
}

static void segment_path(const char *folder, char path[1024])
{
    snprintf(path, 1024, "%s/wal/00000000000000000001.wal", folder);
}

static void each_entry_is_told_with_what_it_wrote(void **state)
{
    char folder[TEST_FOLDER_SIZE];
    (void)state;
    assert_true(test_folder_make(folder));
    fill(folder);
    seen s;
    akidb_wal_report report;
    akidb_error err;
    assert_ok(err, check(folder, AKIDB_RECOVER_STRICT, &s, &report, &err));
    assert_int_equal(s.segments, 1);
    assert_int_equal(s.count, BATCHES + 2);
    assert_int_equal(s.incomplete, 0);
    assert_int_equal(s.entries[0].kind, AKIDB_WAL_CREATE);
    assert_int_equal(s.entries[0].dimension, DIMENSION);
    assert_string_equal(s.name, "words");
    assert_int_equal(s.entries[1].kind, AKIDB_WAL_UPSERT);
    assert_int_equal(s.entries[1].documents, ROWS);
    assert_int_equal(s.entries[1].collection.bytes[0], 7);
    assert_int_equal(s.entries[BATCHES + 1].kind, AKIDB_WAL_DELETE);
    assert_int_equal(s.entries[BATCHES + 1].documents, 2);
    assert_int_equal(report.entries, BATCHES + 2);
    assert_int_equal(report.last_lsn, BATCHES + 2);
    assert_false(report.torn);
    test_folder_remove(folder);
}

static void a_torn_end_is_told_and_left_as_it_is(void **state)
{
    char folder[TEST_FOLDER_SIZE], path[1024];
    (void)state;
    assert_true(test_folder_make(folder));
    fill(folder);
    seen s;
    akidb_wal_report report;
    akidb_error err;
    assert_ok(err, check(folder, AKIDB_RECOVER_STRICT, &s, &report, &err));
    segment_path(folder, path);
    assert_int_equal(truncate(path, (off_t)s.entries[BATCHES + 1].offset + 40), 0);
    for (int again = 0; again < 2; again++) {
        assert_ok(err, check(folder, AKIDB_RECOVER_STRICT, &s, &report, &err));
        assert_true(report.torn);
        assert_int_equal(report.entries, BATCHES + 1);
    }
    test_folder_remove(folder);
}

static void a_damaged_log_is_told_up_to_the_damage(void **state)
{
    char folder[TEST_FOLDER_SIZE], path[1024];
    (void)state;
    assert_true(test_folder_make(folder));
    fill(folder);
    seen s;
    akidb_wal_report report;
    akidb_error err;
    assert_ok(err, check(folder, AKIDB_RECOVER_STRICT, &s, &report, &err));
    segment_path(folder, path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    uint8_t byte;
    off_t at = (off_t)s.entries[2].offset + 48;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);

    assert_status(AKIDB_E_CORRUPTION, check(folder, AKIDB_RECOVER_STRICT, &s, &report, &err));
    assert_int_equal(s.count, 2);
    assert_ok(err, check(folder, AKIDB_RECOVER_SALVAGE, &s, &report, &err));
    assert_int_equal(report.entries, BATCHES + 1);
    assert_int_equal(report.dropped_entries, 1);
    assert_ok(err, check(folder, AKIDB_RECOVER_UP_TO, &s, &report, &err));
    assert_int_equal(report.entries, 2);
    test_folder_remove(folder);
}

static void where_there_is_no_log_none_is_made(void **state)
{
    char folder[TEST_FOLDER_SIZE], path[1024];
    (void)state;
    assert_true(test_folder_make(folder));
    akidb_error err;
    assert_int_equal(akidb_wal_check(folder, AKIDB_RECOVER_STRICT, NULL, NULL, &err),
                     AKIDB_E_NOT_FOUND);
    snprintf(path, sizeof path, "%s/wal", folder);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(akidb_wal_check("", AKIDB_RECOVER_STRICT, NULL, NULL, &err),
                     AKIDB_E_VALIDATION);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_entry_is_told_with_what_it_wrote),
        cmocka_unit_test(a_torn_end_is_told_and_left_as_it_is),
        cmocka_unit_test(a_damaged_log_is_told_up_to_the_damage),
        cmocka_unit_test(where_there_is_no_log_none_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
