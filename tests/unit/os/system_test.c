/* Random numbers, the clock and temporary files. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "akidb/sys/clock.h"
#include "os/memory.h"
#include "os/random.h"
#include "os/temporary.h"
#include "test.h"

static void version_4_uuids_say_so_and_differ(void **state)
{
    (void)state;
    akidb_error err = {0};
    akidb_uuid last = {{0}};
    for (int i = 0; i < 200; i++) {
        akidb_uuid uuid;
        assert_ok(err, akidb_uuid_new_v4(&uuid, &err));
        assert_int_equal(uuid.bytes[6] >> 4, 4);
        assert_int_equal(uuid.bytes[8] >> 6, 2);
        assert_int_not_equal(akidb_uuid_compare(&uuid, &last), 0);
        last = uuid;
    }
}

static void random_bytes_fill_all_of_the_range(void **state)
{
    (void)state;
    akidb_error err = {0};
    enum { SIZE = 1000 };
    uint8_t united[SIZE + 1] = {0};
    for (int i = 0; i < 10; i++) { /* a byte that stays 0 ten times: one in 2^80 */
        uint8_t bytes[SIZE + 1] = {0};
        assert_ok(err, ak_random_bytes(bytes, SIZE, &err));
        for (size_t k = 0; k <= SIZE; k++)
            united[k] |= bytes[k];
    }
    for (size_t k = 0; k < SIZE; k++)
        assert_int_not_equal(united[k], 0);
    assert_int_equal(united[SIZE], 0);
    assert_ok(err, ak_random_bytes(NULL, 0, &err));
}

static int64_t stopped(void *handle)
{
    return *(int64_t *)handle;
}

static void a_clock_stands_in_for_the_system(void **state)
{
    (void)state;
    int64_t time = 42;
    akidb_clock clock = {stopped, &time};
    assert_int_equal(akidb_clock_now(&clock), 42);
    assert_true(akidb_clock_now(NULL) > INT64_C(1700000000000000));
    assert_true(akidb_clock_now(NULL) < AKIDB_TIME_MAX);
}

static size_t count_entries(const char *folder)
{
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    size_t count = 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(dir);
    return count;
}

static void a_temporary_file_has_no_name_and_keeps_bytes(void **state)
{
    (void)state;
    char folder[] = "/tmp/akidb-system-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    akidb_error err = {0};
    int fd = -1;
    assert_ok(err, ak_temporary_file(folder, &fd, &err));
    assert_int_equal(count_entries(folder), 0);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);

    assert_ok(err, ak_fd_write_at(fd, "scratch", 5, "hello", 5, &err));
    char bytes[10];
    assert_ok(err, ak_fd_read_at(fd, "scratch", 0, bytes, 10, &err));
    assert_memory_equal(bytes, "\0\0\0\0\0hello", 10);
    assert_status(AKIDB_E_CORRUPTION, ak_fd_read_at(fd, "scratch", 1, bytes, 10, &err));
    assert_int_equal(err.offset, 1);
    close(fd);
    assert_int_equal(rmdir(folder), 0);
}

static void a_temporary_file_in_no_folder_is_not_found(void **state)
{
    (void)state;
    akidb_error err = {0};
    int fd = 7;
    assert_status(AKIDB_E_NOT_FOUND, ak_temporary_file("/nowhere/at/all", &fd, &err));
    assert_int_equal(fd, -1);
    assert_non_null(strstr(err.message, "/nowhere/at/all"));
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        skip();
    akidb_error err = {0};
    assert_status(AKIDB_E_IO, ak_fd_write_at(fd, "/dev/full", 0, "x", 1, &err));
    assert_non_null(strstr(err.message, "No space left"));
    close(fd);
}

static void large_pages_change_no_byte(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 1, 4095, (4 << 20) - 1, 4 << 20, (9 << 20) + 17};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *block = malloc(sizes[i] + 1);
        uint8_t *copy = malloc(sizes[i] + 1);
        assert_non_null(block);
        assert_non_null(copy);
        test_random_bytes(i, block, sizes[i] + 1);
        memcpy(copy, block, sizes[i] + 1);
        ak_memory_prefer_large_pages(block, sizes[i]);
        ak_memory_back_now(block, sizes[i]);
        assert_memory_equal(block, copy, sizes[i] + 1);
        memset(block, 0x5A, sizes[i]);
        assert_int_equal(block[sizes[i]], copy[sizes[i]]);
        free(copy);
        free(block);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_4_uuids_say_so_and_differ),
        cmocka_unit_test(random_bytes_fill_all_of_the_range),
        cmocka_unit_test(a_clock_stands_in_for_the_system),
        cmocka_unit_test(a_temporary_file_has_no_name_and_keeps_bytes),
        cmocka_unit_test(a_temporary_file_in_no_folder_is_not_found),
        cmocka_unit_test(a_full_disk_is_told),
        cmocka_unit_test(large_pages_change_no_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
