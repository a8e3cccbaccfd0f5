/* The state on the disk: what comes back, and what becomes of files that are damaged, foreign,
 * newer or locked. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tiering/state.h"

#include "fake_tiers.h"
#include "folder.h"
#include "test.h"

#define HOUR (INT64_C(3600) * 1000000)
#define NOW  (INT64_C(500000) * HOUR)

static int setup(void **state)
{
    char *folder = malloc(TEST_FOLDER_SIZE);
    if (folder == NULL || !test_folder_make(folder))
        return -1;
    *state = folder;
    return 0;
}

static int teardown(void **state)
{
    test_folder_remove(*state);
    free(*state);
    return 0;
}

static const char *path_of(const char *folder, const char *name)
{
    static char path[TEST_FOLDER_SIZE + 64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool exists(const char *folder, const char *name)
{
    return access(path_of(folder, name), F_OK) == 0;
}

static ak_ledger *new_ledger(uint64_t window)
{
    akidb_error err;
    ak_ledger *ledger;
    assert_ok(err, ak_ledger_new(window, &ledger, &err));
    return ledger;
}

static ak_record record(uint64_t number)
{
    ak_record r = {
        .id = fake_id(number),
        .tier = (akidb_tier)(number % 3),
        .cause = (ak_tier_cause)(number % 4),
        .pinned = number % 2 == 0,
        .fresh_at = NOW - (int64_t)number,
        .last_access = NOW,
        .moved_at = NOW - 2 * (int64_t)number,
        .accesses = number * 1000,
        .hot_bytes = number * 7,
        .hot_documents = number,
        .newest_slot = NOW / (HOUR / 60),
    };
    for (uint32_t i = 0; i < AK_LEDGER_SLOTS; i++)
        r.slots[i] = (uint32_t)number * 100 + i;
    return r;
}

static ak_state *open_into(const char *folder, ak_ledger *ledger, char note[AK_STATE_NOTE_SIZE])
{
    akidb_error err;
    ak_state *opened;
    assert_ok(err, ak_state_open(folder, ledger, false, &opened, note, &err));
    return opened;
}

/* A new state with records 1 to 3, closed again. */
static void make_state(const char *folder)
{
    akidb_error err;
    char note[AK_STATE_NOTE_SIZE];
    ak_ledger *ledger = new_ledger((uint64_t)HOUR);
    ak_state *opened = open_into(folder, ledger, note);
    const ak_record records[] = {record(1), record(2), record(3)};
    assert_string_equal(note, "");
    assert_ok(err, ak_state_write(opened, records, 3, true, &err));
    ak_state_close(opened);
    ak_ledger_free(ledger);
}

static void assert_begins_anew(const char *folder, const char *note_part)
{
    char note[AK_STATE_NOTE_SIZE];
    ak_ledger_view view;
    akidb_uuid id = fake_id(2);
    ak_ledger *ledger = new_ledger((uint64_t)HOUR);
    ak_state *opened = open_into(folder, ledger, note);
    assert_non_null(strstr(note, note_part));
    assert_false(ak_ledger_look(ledger, &id, NOW, &view));
    assert_true(exists(folder, "tiering.sqlite.damaged"));
    ak_state_close(opened);
    opened = open_into(folder, ledger, note);
    assert_string_equal(note, "");
    ak_state_close(opened);
    ak_ledger_free(ledger);
}

static void sql(const char *folder, const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path_of(folder, "tiering.sqlite"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- what is kept ---------------------------------------------------------------------------- */

static void a_record_comes_back_whole(void **state)
{
    make_state(*state);
    akidb_error err;
    char note[AK_STATE_NOTE_SIZE];
    ak_ledger *ledger = new_ledger((uint64_t)HOUR);
    ak_state *opened = open_into(*state, ledger, note);
    akidb_uuid third = fake_id(3);
    for (uint64_t number = 1; number <= 3; number++) {
        ak_ledger_view view;
        ak_record expected = record(number);
        assert_true(ak_ledger_look(ledger, &expected.id, NOW, &view));
        assert_memory_equal(&view.record.id, &expected.id, sizeof expected.id);
        assert_int_equal(view.record.tier, expected.tier);
        assert_int_equal(view.record.cause, expected.cause);
        assert_int_equal(view.record.pinned, expected.pinned);
        assert_int_equal(view.record.fresh_at, expected.fresh_at);
        assert_int_equal(view.record.last_access, expected.last_access);
        assert_int_equal(view.record.moved_at, expected.moved_at);
        assert_int_equal(view.record.accesses, expected.accesses);
        assert_int_equal(view.record.hot_bytes, expected.hot_bytes);
        assert_int_equal(view.record.hot_documents, expected.hot_documents);
        assert_int_equal(view.record.newest_slot, expected.newest_slot);
        assert_memory_equal(view.record.slots, expected.slots, sizeof expected.slots);
    }
    assert_ok(err, ak_state_forget(opened, &third, 1, &err));
    ak_state_close(opened);
    ak_ledger_free(ledger);

    ak_ledger_view view;
    ledger = new_ledger((uint64_t)HOUR);
    ak_state_close(open_into(*state, ledger, note));
    assert_false(ak_ledger_look(ledger, &third, NOW, &view));
    ak_ledger_free(ledger);
}

static void another_window_keeps_all_but_the_counts(void **state)
{
    make_state(*state);
    char note[AK_STATE_NOTE_SIZE];
    ak_ledger_view view;
    akidb_uuid id = fake_id(2);
    ak_ledger *ledger = new_ledger(2 * (uint64_t)HOUR);
    ak_state_close(open_into(*state, ledger, note));
    assert_true(ak_ledger_look(ledger, &id, NOW, &view));
    assert_true(view.record.pinned);
    assert_int_equal(view.accesses, 0);
    assert_int_equal(view.record.accesses, 2000);
    ak_ledger_free(ledger);
}

static void the_file_is_its_owners_alone(void **state)
{
    make_state(*state);
    struct stat st;
    assert_int_equal(stat(path_of(*state, "tiering.sqlite"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* ---- what is not ours or not whole ----------------------------------------------------------- */

static void a_lost_file_is_made_anew(void **state)
{
    make_state(*state);
    char note[AK_STATE_NOTE_SIZE];
    ak_ledger_view view;
    akidb_uuid id = fake_id(2);
    unlink(path_of(*state, "tiering.sqlite"));
    ak_ledger *ledger = new_ledger((uint64_t)HOUR);
    ak_state_close(open_into(*state, ledger, note));
    assert_string_equal(note, "");
    assert_false(ak_ledger_look(ledger, &id, NOW, &view));
    ak_ledger_free(ledger);
}

static void a_file_of_something_else_is_set_aside(void **state)
{
    int file = open(path_of(*state, "tiering.sqlite"), O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(write(file, "this is no database, whatever its name says\n", 44), 44);
    close(file);
    assert_begins_anew(*state, "file is not a database");
}

static void another_programs_database_is_set_aside(void **state)
{
    sql(*state, "CREATE TABLE theirs (x); PRAGMA user_version = 9");
    assert_begins_anew(*state, "found another SQLite file");
}

static void a_row_that_breaks_the_rules_is_damage(void **state)
{
    make_state(*state);
    sql(*state, "PRAGMA ignore_check_constraints = 1; UPDATE collections SET tier = 7 WHERE "
                "accesses = 2000");
    assert_begins_anew(*state, "damaged");
}

static void a_newer_file_is_refused_and_left_alone(void **state)
{
    akidb_error err;
    char note[AK_STATE_NOTE_SIZE];
    ak_state *opened;
    make_state(*state);
    sql(*state, "PRAGMA user_version = 2");
    ak_ledger *ledger = new_ledger((uint64_t)HOUR);
    assert_status(AKIDB_E_UNSUPPORTED, ak_state_open(*state, ledger, false, &opened, note, &err));
    assert_null(opened);
    assert_non_null(strstr(err.message, "remove the file to begin anew"));
    assert_false(exists(*state, "tiering.sqlite.damaged"));
    ak_ledger_free(ledger);
}

/* Whatever byte is wrong, opening ends well: with what was written, or anew. */
static void any_flipped_byte_is_harmless(void **state)
{
    make_state(*state);
    uint8_t whole[64 << 10];
    int file = open(path_of(*state, "tiering.sqlite"), O_RDONLY);
    ssize_t size = read(file, whole, sizeof whole);
    close(file);
    assert_in_range(size, 4096, sizeof whole - 1);
    uint64_t seed = 3;
    for (int round = 0; round < 200; round++) {
        char note[AK_STATE_NOTE_SIZE];
        akidb_error err;
        size_t at = test_random(&seed) % (uint64_t)(round % 2 == 0 ? 120 : size);
        uint8_t bits = (uint8_t)(1 + test_random(&seed) % 255);
        file = open(path_of(*state, "tiering.sqlite"), O_WRONLY | O_TRUNC);
        whole[at] ^= bits;
        assert_int_equal(write(file, whole, (size_t)size), size);
        whole[at] ^= bits;
        close(file);
        ak_ledger *ledger = new_ledger((uint64_t)HOUR);
        ak_state *opened;
        akidb_status status = ak_state_open(*state, ledger, false, &opened, note, &err);
        if (status != AKIDB_OK && status != AKIDB_E_UNSUPPORTED && status != AKIDB_E_PERMISSION)
            fail_msg("byte %zu, bits %u: %s", at, (unsigned)bits, err.message);
        ak_state_close(opened);
        ak_ledger_free(ledger);
    }
}

/* ---- what cannot be written ------------------------------------------------------------------ */

static void a_locked_file_is_waited_for_and_written_later(void **state)
{
    make_state(*state);
    akidb_error err;
    char note[AK_STATE_NOTE_SIZE];
    sqlite3 *other;
    ak_ledger *ledger = new_ledger((uint64_t)HOUR);
    ak_state *opened = open_into(*state, ledger, note);
    const ak_record records[] = {record(7)};
    assert_int_equal(sqlite3_open(path_of(*state, "tiering.sqlite"), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_status(AKIDB_E_TIMEOUT, ak_state_write(opened, records, 1, false, &err));
    assert_non_null(strstr(err.message, "locked"));
    assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    assert_ok(err, ak_state_write(opened, records, 1, false, &err));
    ak_state_close(opened);
    ak_ledger_free(ledger);
}

static void a_full_disk_changes_nothing(void **state)
{
    make_state(*state);
    enum { MANY = 500 };
    akidb_error err;
    char note[AK_STATE_NOTE_SIZE];
    struct rlimit before, small = {16384, 16384};
    ak_ledger *ledger = new_ledger((uint64_t)HOUR);
    ak_state *opened = open_into(*state, ledger, note);
    ak_record *records = calloc(MANY, sizeof *records);
    assert_non_null(records);
    for (uint64_t i = 0; i < MANY; i++)
        records[i] = record(100 + i);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    akidb_status status = ak_state_write(opened, records, MANY, false, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, AKIDB_E_IO);
    ak_state_close(opened);
    ak_ledger_free(ledger);

    ak_ledger_view view;
    ledger = new_ledger((uint64_t)HOUR);
    opened = open_into(*state, ledger, note);
    assert_string_equal(note, "");
    assert_true(ak_ledger_look(ledger, &(akidb_uuid){{0}}, NOW, &view) == false);
    akidb_uuid kept = fake_id(2), lost = fake_id(100);
    assert_true(ak_ledger_look(ledger, &kept, NOW, &view));
    assert_false(ak_ledger_look(ledger, &lost, NOW, &view));
    assert_ok(err, ak_state_write(opened, records, MANY, false, &err));
    free(records);
    ak_state_close(opened);
    ak_ledger_free(ledger);
}

static void a_folder_in_its_place_is_an_error(void **state)
{
    akidb_error err;
    char note[AK_STATE_NOTE_SIZE];
    ak_state *opened;
    assert_int_equal(mkdir(path_of(*state, "tiering.sqlite"), 0700), 0);
    ak_ledger *ledger = new_ledger((uint64_t)HOUR);
    assert_status(AKIDB_E_IO, ak_state_open(*state, ledger, false, &opened, note, &err));
    ak_ledger_free(ledger);
}

#define state_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        state_test(a_record_comes_back_whole),
        state_test(another_window_keeps_all_but_the_counts),
        state_test(the_file_is_its_owners_alone),
        state_test(a_lost_file_is_made_anew),
        state_test(a_file_of_something_else_is_set_aside),
        state_test(another_programs_database_is_set_aside),
        state_test(a_row_that_breaks_the_rules_is_damage),
        state_test(a_newer_file_is_refused_and_left_alone),
        state_test(any_flipped_byte_is_harmless),
        state_test(a_locked_file_is_waited_for_and_written_later),
        state_test(a_full_disk_changes_nothing),
        state_test(a_folder_in_its_place_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
