/* What goes into a spool comes out of it, whether it lay in memory or in a file. */
#include "os/spool.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buffer.h"

#include "test.h"

static akidb_status gather(void *context, akidb_slice bytes, akidb_error *err)
{
    assert_true(bytes.size > 0);
    return ak_buffer_append(context, bytes.data, bytes.size, err);
}

/* Appends `size` bytes in pieces of up to 3,000. */
static void append(ak_spool *spool, const uint8_t *bytes, size_t size, uint64_t seed)
{
    akidb_error err = {0};
    for (size_t done = 0; done < size;) {
        size_t piece = (size_t)(test_random(&seed) % 3001);
        piece = piece < size - done ? piece : size - done;
        assert_ok(err, ak_spool_append(spool, (akidb_slice){bytes + done, piece}, &err));
        done += piece;
    }
    assert_int_equal(ak_spool_size(spool), size);
}

static void assert_holds(const ak_spool *spool, const uint8_t *bytes, size_t size)
{
    akidb_error err = {0};
    akidb_buffer found = {0};
    assert_ok(err, ak_spool_read(spool, gather, &found, &err));
    assert_int_equal(found.size, size);
    assert_memory_equal(found.data == NULL ? (const uint8_t *)"" : found.data, bytes, size);
    akidb_buffer_free(&found);
}

enum { SIZE = 700000 };

static uint8_t *make_bytes(void)
{
    uint8_t *bytes = malloc(SIZE);
    assert_non_null(bytes);
    test_random_bytes(1, bytes, SIZE);
    return bytes;
}

static void bytes_come_back_with_any_memory(void **state)
{
    (void)state;
    static const size_t limits[] = {0, 1, 2999, 65536, SIZE - 1, SIZE, 2 * SIZE, SIZE_MAX};
    uint8_t *bytes = make_bytes();
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        ak_spool spool;
        ak_spool_init(&spool, NULL, limits[i]);
        append(&spool, bytes, SIZE, i);
        assert_int_equal(spool.in_file > 0, limits[i] < SIZE);
        assert_true(spool.memory.size <= limits[i] || spool.memory.size <= 3000);
        assert_holds(&spool, bytes, SIZE);
        assert_holds(&spool, bytes, SIZE); /* as often as one likes */
        ak_spool_free(&spool);
        assert_int_equal(ak_spool_size(&spool), 0);
    }
    free(bytes);
}

static void an_empty_spool_hands_out_nothing(void **state)
{
    (void)state;
    ak_spool spool;
    ak_spool_init(&spool, NULL, 10);
    append(&spool, (const uint8_t *)"", 0, 1);
    assert_holds(&spool, (const uint8_t *)"", 0);
    ak_spool_free(&spool);
}

static void without_a_folder_bytes_stay_in_memory(void **state)
{
    (void)state;
    uint8_t *bytes = make_bytes();
    ak_spool spool;
    ak_spool_init(&spool, "/nonexistent/folder", 5000);
    append(&spool, bytes, SIZE, 2);
    assert_int_equal(spool.memory.size, SIZE);
    assert_holds(&spool, bytes, SIZE);
    ak_spool_free(&spool);
    free(bytes);
}

/* The nearest thing to a full disk that needs no disk: files may not grow past a size. */
static void what_a_full_disk_does_not_take_stays_in_memory(void **state)
{
    (void)state;
    uint8_t *bytes = make_bytes();
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){100001, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    ak_spool spool;
    ak_spool_init(&spool, NULL, 5000);
    append(&spool, bytes, SIZE, 3);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_true(spool.in_file > 0 && spool.in_file <= 100001);
    assert_holds(&spool, bytes, SIZE);
    ak_spool_free(&spool);
    free(bytes);
}

static void a_file_that_was_changed_is_corruption(void **state)
{
    (void)state;
    akidb_error err = {0};
    uint8_t *bytes = make_bytes();
    ak_spool spool;
    ak_spool_init(&spool, NULL, 5000);
    append(&spool, bytes, SIZE, 4);
    uint8_t flipped = bytes[1234] ^ 1;
    assert_int_equal(pwrite(spool.file, &flipped, 1, 1234), 1);
    akidb_buffer found = {0};
    assert_status(AKIDB_E_CORRUPTION, ak_spool_read(&spool, gather, &found, &err));
    assert_non_null(strstr(err.message, "temporary file"));
    akidb_buffer_free(&found);
    assert_int_equal(ftruncate(spool.file, 4), 0);
    assert_status(AKIDB_E_CORRUPTION, ak_spool_read(&spool, gather, &found, &err));
    akidb_buffer_free(&found);
    ak_spool_free(&spool);
    free(bytes);
}

static akidb_status refuse(void *context, akidb_slice bytes, akidb_error *err)
{
    (void)bytes, (void)err;
    (*(int *)context)++;
    return AKIDB_E_STORE;
}

static void reading_ends_where_the_taker_fails(void **state)
{
    (void)state;
    akidb_error err = {0};
    uint8_t *bytes = make_bytes();
    static const size_t limits[] = {5000, SIZE};
    for (size_t i = 0; i < 2; i++) {
        ak_spool spool;
        ak_spool_init(&spool, NULL, limits[i]);
        append(&spool, bytes, SIZE, 5);
        int calls = 0;
        assert_status(AKIDB_E_STORE, ak_spool_read(&spool, refuse, &calls, &err));
        assert_int_equal(calls, 1);
        ak_spool_free(&spool);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_back_with_any_memory),
        cmocka_unit_test(an_empty_spool_hands_out_nothing),
        cmocka_unit_test(without_a_folder_bytes_stay_in_memory),
        cmocka_unit_test(what_a_full_disk_does_not_take_stays_in_memory),
        cmocka_unit_test(a_file_that_was_changed_is_corruption),
        cmocka_unit_test(reading_ends_where_the_taker_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
