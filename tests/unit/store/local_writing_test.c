/* How a local store hands a large object to the disk: in pieces, of which the disk is told early.
 */
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/store_backend.h"
#include "folder.h"
#include "test.h"

enum { SLICE = 1 << 20, SLICES = 37, BYTES = SLICE * SLICES - 5 };

/* The system's files, with a note of what the disk was told of. */
typedef struct watched {
    akidb_files_ops ops;
    const akidb_files *inner;
    uint64_t started; /* bytes from the beginning on, without a gap */
    int times;
} watched;

static watched *current; /* the slots get the handle of the system's files */

static void start_writing(void *handle, akidb_file file, uint64_t offset, uint64_t size)
{
    akidb_file_info info;
    assert_int_equal(current->inner->ops->file_info(handle, file, &info), 0);
    assert_int_equal(offset, current->started);
    assert_true(offset + size <= info.size); /* it has been written */
    current->started += size;
    current->times++;
    current->inner->ops->start_writing(handle, file, offset, size);
}

static void check_put(bool with_start)
{
    akidb_error err;
    char folder[TEST_FOLDER_SIZE];
    assert_true(test_folder_make(folder));
    watched w = {.inner = akidb_files_system()};
    w.ops = *w.inner->ops;
    w.ops.start_writing = with_start ? start_writing : NULL;
    current = &w;
    const akidb_files files = {&w.ops, w.inner->handle};
    akidb_store *store;
    assert_ok(err, akidb_store_local_open_with(folder, &files, &store, &err));

    uint8_t *bytes = malloc(BYTES);
    assert_non_null(bytes);
    test_random_bytes(7, bytes, BYTES);
    akidb_slice slices[SLICES + 1];
    for (size_t i = 0; i < SLICES; i++)
        slices[i] = (akidb_slice){bytes + i * SLICE, i + 1 < SLICES ? SLICE : SLICE - 5};
    slices[SLICES] = (akidb_slice){NULL, 0};
    assert_ok(err, akidb_store_put(store, "a", slices, SLICES + 1, AKIDB_PUT_ALWAYS, &err));
    if (with_start) {
        assert_true(w.times >= 3);
        assert_true(w.started > BYTES / 2);
    }
    akidb_buffer found;
    assert_ok(err, akidb_store_get(store, "a", BYTES, &found, &err));
    assert_int_equal(found.size, BYTES);
    assert_memory_equal(found.data, bytes, BYTES);
    akidb_buffer_free(&found);
    free(bytes);
    akidb_store_close(store);
    test_folder_remove(folder);
}

static void the_disk_is_told_of_each_piece_once_it_is_written(void **state)
{
    (void)state;
    check_put(true);
}

static void files_that_cannot_be_told_are_written_all_the_same(void **state)
{
    (void)state;
    check_put(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_disk_is_told_of_each_piece_once_it_is_written),
        cmocka_unit_test(files_that_cannot_be_told_are_written_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
