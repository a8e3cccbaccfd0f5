/* Each call to the disk fails in turn: an error, no half object, nothing lost, no file left open.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "fault_files.h"
#include "folder.h"
#include "test.h"

typedef struct disk {
    char folder[TEST_FOLDER_SIZE];
    fault_files faults;
    akidb_store *store;
    akidb_store *healthy; /* the same folder by the system's files */
    akidb_error err;
} disk;

static disk *disk_open(void)
{
    disk *d = calloc(1, sizeof *d);
    assert_non_null(d);
    assert_true(test_folder_make(d->folder));
    fault_files_init(&d->faults, akidb_files_system());
    assert_ok(d->err, akidb_store_local_open_with(d->folder, &d->faults.files, &d->store, &d->err));
    assert_ok(d->err, akidb_store_local_open(d->folder, &d->healthy, &d->err));
    return d;
}

static void disk_close(disk *d)
{
    akidb_store_close(d->store);
    akidb_store_close(d->healthy);
    test_folder_remove(d->folder);
    free(d);
}

static size_t open_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    size_t count = 0;
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}

static akidb_visit count_visit(void *context, const akidb_list_entry *entry)
{
    (void)entry;
    ++*(size_t *)context;
    return AKIDB_VISIT_CONTINUE;
}

static size_t count_objects(disk *d)
{
    size_t count = 0;
    assert_ok(d->err, akidb_store_list(d->healthy, "", 0, count_visit, &count, &d->err));
    return count;
}

/* The object's text, or "" when there is none. */
static void read_object(disk *d, const char *key, char text[64])
{
    akidb_buffer bytes;
    memset(text, 0, 64);
    akidb_status status = akidb_store_get(d->healthy, key, 63, &bytes, &d->err);
    if (status == AKIDB_E_NOT_FOUND)
        return;
    assert_ok(d->err, status);
    memcpy(text, bytes.data, bytes.size);
    akidb_buffer_free(&bytes);
}

/* ---- what is tried; each changes the key "a/b/key" from "old" or nothing to "new" ------------ */

#define KEY "a/b/key"

typedef akidb_status attempt(disk *d, akidb_put_mode mode);

static akidb_status try_put(disk *d, akidb_put_mode mode)
{
    akidb_slice slices[2] = {{"n", 1}, {"ew", 2}};
    return akidb_store_put(d->store, KEY, slices, 2, mode, &d->err);
}

static akidb_status try_upload(disk *d, akidb_put_mode mode)
{
    akidb_upload *upload;
    akidb_status status = akidb_store_upload_begin(d->store, KEY, mode, &upload, &d->err);
    for (size_t i = 0; i < 3 && status == AKIDB_OK; i++) {
        akidb_slice slice = {&"new"[i], 1};
        status = akidb_upload_write(upload, &slice, 1, &d->err);
        if (status != AKIDB_OK)
            akidb_upload_abort(upload);
    }
    return status == AKIDB_OK ? akidb_upload_commit(upload, &d->err) : status;
}

static akidb_status try_copy(disk *d, akidb_put_mode mode)
{
    return akidb_store_copy(d->store, "from", KEY, mode, &d->err);
}

static void put_healthy(disk *d, const char *key, const char *text)
{
    akidb_slice slice = {text, strlen(text)};
    assert_ok(d->err, akidb_store_put(d->healthy, key, &slice, 1, AKIDB_PUT_ALWAYS, &d->err));
}

static void check_after(disk *d, akidb_status status, const char *before, const char *what)
{
    char text[64];
    read_object(d, KEY, text);
    const char *expected = before;
    if (status == AKIDB_OK)
        expected = "new";
    if (status == AKIDB_E_UNCERTAIN && strcmp(text, before) != 0)
        expected = "new"; /* either is fine, but nothing else */
    if (strcmp(text, expected) != 0)
        fail_msg("%s: %s failed with \"%s\": expected \"%s\", found \"%s\"", what,
                 file_call_name(d->faults.failed), akidb_status_name(status), expected, text);
    read_object(d, "from", text);
    assert_string_equal(text, "new");
    assert_int_equal(count_objects(d), strcmp(expected, "") == 0 ? 1 : 2);
}

static bool may_be_ignored(file_call call)
{
    /* Cleaning up, and closing what was only read. */
    return call == CALL_UNLINK || call == CALL_REMOVE_FOLDER || call == CALL_STAT ||
           call == CALL_CLOSE_FILE || call == CALL_OPEN_FOLDER || call == CALL_OPEN_ROOT;
}

/* Fails the nth call; false when there was no nth call any more. */
static bool fail_nth(attempt *try, akidb_put_mode mode, const char *before, uint64_t nth,
                     bool from_then_on, int error_number, const char *what)
{
    disk *d = disk_open();
    put_healthy(d, "from", "new");
    if (before[0] != '\0')
        put_healthy(d, KEY, before);
    size_t descriptors = open_descriptors();
    d->faults.from_then_on = from_then_on;
    d->faults.half_write = true;
    fault_files_fail(&d->faults, ALL_CALLS, nth, error_number);
    d->err = (akidb_error){0};
    akidb_status status = try(d, mode);
    file_call failed = d->faults.failed;
    if (failed != CALL_COUNT && status == AKIDB_OK && !may_be_ignored(failed))
        fail_msg("%s: %s failed, but the call did not", what, file_call_name(failed));
    if (status != AKIDB_OK) {
        assert_int_equal(d->err.status, status);
        assert_non_null(strstr(d->err.message, d->folder));
        assert_true(strstr(d->err.message, KEY) != NULL || strstr(d->err.message, "from") != NULL);
    }
    check_after(d, status, before, what);
    assert_int_equal(open_descriptors(), descriptors);

    /* Once the disk is well again, the same call works; but whether an object whose folder could
     * not be synced lasts, no later sync proves. */
    fault_files_heal(&d->faults);
    char text[64];
    read_object(d, KEY, text);
    akidb_status again = try(d, mode);
    bool taken = mode == AKIDB_PUT_IF_ABSENT && text[0] != '\0';
    akidb_status expected =
        status == AKIDB_E_UNCERTAIN ? AKIDB_E_UNCERTAIN : AKIDB_E_ALREADY_EXISTS;
    assert_int_equal(again, taken ? expected : AKIDB_OK);
    disk_close(d);
    return failed != CALL_COUNT;
}

static void fail_each(attempt *try, const char *what)
{
    static const int errors[] = {EIO, ENOSPC};
    for (size_t e = 0; e < 2; e++) {
        bool from_then_on = e == 1; /* a full disk stays full */
        uint64_t nth = 0;
        while (fail_nth(try, AKIDB_PUT_ALWAYS, "old", nth, from_then_on, errors[e], what))
            nth++;
        assert_true(nth > 8);
        for (nth = 0; fail_nth(try, AKIDB_PUT_IF_ABSENT, "", nth, from_then_on, errors[e], what);)
            nth++;
        assert_true(nth > 8);
    }
}

static void every_failure_of_a_put_is_told(void **state)
{
    (void)state;
    fail_each(try_put, "put");
}

static void every_failure_of_an_upload_is_told(void **state)
{
    (void)state;
    fail_each(try_upload, "upload");
}

static void every_failure_of_a_copy_is_told(void **state)
{
    (void)state;
    fail_each(try_copy, "copy");
}

static void a_failed_sync_of_the_file_is_not_tried_again(void **state)
{
    (void)state;
    disk *d = disk_open();
    fault_files_fail(&d->faults, 1u << CALL_SYNC_FILE, 0, EIO);
    assert_status(AKIDB_E_IO, try_put(d, AKIDB_PUT_ALWAYS));
    assert_int_equal(d->faults.seen, 1);
    assert_int_equal(count_objects(d), 0);
    disk_close(d);
}

/* The object can be seen then, so that "failed" would be a lie. */
static void a_failed_last_sync_is_uncertain(void **state)
{
    (void)state;
    for (int mode = AKIDB_PUT_ALWAYS; mode <= AKIDB_PUT_IF_ABSENT; mode++) {
        disk *d = disk_open();
        assert_ok(d->err, try_put(d, AKIDB_PUT_ALWAYS)); /* counts the syncs of a put */
        assert_ok(d->err, akidb_store_delete(d->store, KEY, &d->err));
        fault_files_fail(&d->faults, 1u << CALL_SYNC_FOLDER, UINT64_MAX, EIO);
        assert_ok(d->err, try_put(d, (akidb_put_mode)mode));
        uint64_t last = d->faults.seen - 1;
        assert_ok(d->err, akidb_store_delete(d->store, KEY, &d->err));
        fault_files_fail(&d->faults, 1u << CALL_SYNC_FOLDER, last, EIO);
        assert_status(AKIDB_E_UNCERTAIN, try_put(d, (akidb_put_mode)mode));
        assert_int_equal(d->err.status, AKIDB_E_UNCERTAIN);
        assert_int_equal(count_objects(d), 1);
        disk_close(d);
    }
}

static void every_failure_of_a_delete_is_told(void **state)
{
    (void)state;
    for (uint64_t nth = 0;; nth++) {
        disk *d = disk_open();
        put_healthy(d, KEY, "old");
        fault_files_fail(&d->faults, ALL_CALLS, nth, EIO);
        akidb_status status = akidb_store_delete(d->store, KEY, &d->err);
        file_call failed = d->faults.failed;
        size_t left = count_objects(d);
        if (status == AKIDB_OK)
            assert_int_equal(left, 0);
        else if (status == AKIDB_E_UNCERTAIN)
            assert_int_equal(failed, CALL_SYNC_FOLDER);
        else
            assert_int_equal(left, 1);
        if (failed == CALL_UNLINK)
            assert_int_equal(status, AKIDB_E_IO);
        if (failed == CALL_SYNC_FOLDER)
            assert_int_equal(status, AKIDB_E_UNCERTAIN);
        disk_close(d);
        if (failed == CALL_COUNT) {
            assert_true(nth > 3);
            return;
        }
    }
}

/* A put that comes second must not say "exists" of what may be gone after a power cut. */
static void exists_is_told_after_a_sync_only(void **state)
{
    (void)state;
    disk *d = disk_open();
    assert_ok(d->err, try_put(d, AKIDB_PUT_IF_ABSENT)); /* the first also syncs what is above */
    fault_files_fail(&d->faults, 1u << CALL_SYNC_FOLDER, UINT64_MAX, EIO);
    assert_status(AKIDB_E_ALREADY_EXISTS, try_put(d, AKIDB_PUT_IF_ABSENT));
    fault_files_fail(&d->faults, 1u << CALL_SYNC_FOLDER, d->faults.seen - 1, EIO);
    assert_status(AKIDB_E_IO, try_put(d, AKIDB_PUT_IF_ABSENT));
    disk_close(d);
}

static akidb_status read_all(disk *d)
{
    akidb_buffer bytes;
    char byte;
    size_t read;
    size_t count = 0;
    akidb_object_info info;
    akidb_status status = akidb_store_get(d->store, KEY, 100, &bytes, &d->err);
    if (status != AKIDB_OK)
        assert_null(bytes.data);
    akidb_buffer_free(&bytes);
    if (status == AKIDB_OK)
        status = akidb_store_get_range(d->store, KEY, 1, &byte, 1, &read, &d->err);
    if (status == AKIDB_OK)
        status = akidb_store_head(d->store, KEY, &info, &d->err);
    if (status == AKIDB_OK)
        status = akidb_store_list(d->store, "", 0, count_visit, &count, &d->err);
    if (status == AKIDB_OK)
        status = akidb_store_list(d->store, "", '/', count_visit, &count, &d->err);
    if (status == AKIDB_OK)
        assert_int_equal(count, 2);
    return status;
}

/* "Unreachable" is neither "missing" nor a list with holes. */
static void a_disk_that_cannot_be_read_is_not_empty(void **state)
{
    (void)state;
    disk *d = disk_open();
    put_healthy(d, KEY, "old");
    size_t descriptors = open_descriptors();
    for (uint64_t nth = 0;; nth++) {
        fault_files_fail(&d->faults, ALL_CALLS & ~(1u << CALL_CLOSE_FILE), nth, EIO);
        akidb_status status = read_all(d);
        assert_int_equal(open_descriptors(), descriptors);
        if (d->faults.failed == CALL_COUNT) {
            assert_ok(d->err, status);
            assert_true(nth > 15);
            break;
        }
        assert_int_equal(status, AKIDB_E_IO);
    }
    disk_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_of_a_put_is_told),
        cmocka_unit_test(every_failure_of_an_upload_is_told),
        cmocka_unit_test(every_failure_of_a_copy_is_told),
        cmocka_unit_test(a_failed_sync_of_the_file_is_not_tried_again),
        cmocka_unit_test(a_failed_last_sync_is_uncertain),
        cmocka_unit_test(every_failure_of_a_delete_is_told),
        cmocka_unit_test(exists_is_told_after_a_sync_only),
        cmocka_unit_test(a_disk_that_cannot_be_read_is_not_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
