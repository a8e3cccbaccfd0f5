#include "document/unique_ids.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "test.h"

/* The smallest memory that there is: 16 ids. */
enum { LITTLE_MEMORY = 512 };

/* Feeds the ids in pieces of random size. */
static akidb_status check(const akidb_uuid *ids, size_t count, uint64_t memory, uint64_t seed,
                          akidb_error *err)
{
    ak_unique_ids *checker;
    akidb_status status = ak_unique_ids_new(NULL, memory, &checker, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t done = 0; done < count && status == AKIDB_OK;) {
        size_t piece = test_random(&seed) % 60;
        piece = piece < count - done ? piece : count - done;
        status = ak_unique_ids_add(checker, ids + done, piece, err);
        done += piece;
    }
    if (status == AKIDB_OK)
        status = ak_unique_ids_finish(checker, err);
    ak_unique_ids_free(checker);
    return status;
}

/* The error must name an id that really comes twice, and two of its rows. */
static void assert_names_a_duplicate(const akidb_uuid *ids, size_t count, const akidb_error *err)
{
    assert_string_equal(err->column, "document_id");
    assert_in_range(err->row, 1, count - 1);
    const char *at = strstr(err->message, "found ");
    assert_non_null(at);
    char text[AKIDB_UUID_TEXT_SIZE] = {0};
    memcpy(text, at + 6, AKIDB_UUID_TEXT_SIZE - 1);
    akidb_uuid id;
    assert_int_equal(akidb_uuid_parse(text, &id, NULL), AKIDB_OK);
    const char *rows = at + 6 + AKIDB_UUID_TEXT_SIZE - 1;
    assert_memory_equal(rows, " in row ", 8);
    unsigned long long first = strtoull(rows + 8, NULL, 10);
    assert_true(first < (unsigned long long)err->row);
    assert_int_equal(akidb_uuid_compare(&ids[first], &id), 0);
    assert_int_equal(akidb_uuid_compare(&ids[err->row], &id), 0);
}

static int compare(const void *a, const void *b)
{
    return akidb_uuid_compare(a, b);
}

static bool has_duplicate(const akidb_uuid *ids, size_t count)
{
    akidb_uuid *sorted = malloc((count + 1) * sizeof *sorted);
    assert_non_null(sorted);
    memcpy(sorted, ids, count * sizeof *ids);
    qsort(sorted, count, sizeof *sorted, compare);
    bool found = false;
    for (size_t i = 1; i < count; i++)
        found = found || compare(&sorted[i], &sorted[i - 1]) == 0;
    free(sorted);
    return found;
}

static void assert_agrees_with_sorting(const akidb_uuid *ids, size_t count, uint64_t memory,
                                       uint64_t seed)
{
    akidb_error err;
    akidb_status status = check(ids, count, memory, seed, &err);
    if (has_duplicate(ids, count)) {
        assert_int_equal(status, AKIDB_E_VALIDATION);
        assert_names_a_duplicate(ids, count, &err);
    } else {
        assert_ok(err, status);
    }
}

/* Ids that have all but a few bits in common, at either end or in the middle. */
static void make_similar(akidb_uuid *ids, size_t count, uint64_t range, size_t at, uint64_t *random)
{
    memset(ids, 0xAB, count * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        uint64_t value = test_random(random) % range;
        memcpy(ids[i].bytes + at, &value, 4);
    }
}

static void sets_of_similar_ids_are_told_from_those_with_duplicates(void **state)
{
    (void)state;
    uint64_t random = 1;
    akidb_uuid ids[400];
    for (int round = 0; round < 1500; round++) {
        size_t count = test_random(&random) % 400;
        uint64_t range = count == 0 ? 1 : count * count / (test_random(&random) % 6 + 1) + 1;
        make_similar(ids, count, range, test_random(&random) % 13, &random);
        uint64_t memory = LITTLE_MEMORY * (test_random(&random) % 6); /* 0: the default */
        assert_agrees_with_sorting(ids, count, memory, random);
    }
}

static void one_duplicate_is_found_wherever_its_rows_are(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static akidb_uuid ids[COUNT];
    uint64_t random = 2;
    akidb_error err;
    for (int round = 0; round < 40; round++) {
        test_random_bytes(test_random(&random), (uint8_t *)ids, sizeof ids);
        assert_ok(err, check(ids, COUNT, LITTLE_MEMORY * 4, random, &err));
        size_t a = test_random(&random) % COUNT, b = test_random(&random) % COUNT;
        if (a == b)
            continue;
        ids[a] = ids[b];
        assert_int_equal(check(ids, COUNT, LITTLE_MEMORY * 4, random, &err), AKIDB_E_VALIDATION);
        assert_int_equal(err.row, a > b ? a : b);
        assert_names_a_duplicate(ids, COUNT, &err);
    }
}

static void one_id_again_and_again_is_found(void **state)
{
    (void)state;
    akidb_uuid ids[500];
    memset(ids, 0, sizeof ids);
    for (size_t i = 0; i < 500; i += 2)
        ids[i].bytes[0] = (uint8_t)(1 + i / 2); /* between them, always the same */
    akidb_error err;
    assert_int_equal(check(ids, 500, LITTLE_MEMORY, 3, &err), AKIDB_E_VALIDATION);
    assert_names_a_duplicate(ids, 500, &err);
}

static void make_ascending(akidb_uuid *ids, size_t count)
{
    memset(ids, 0, count * sizeof *ids);
    for (size_t i = 0; i < count; i++) {
        ids[i].bytes[14] = (uint8_t)(i >> 8);
        ids[i].bytes[15] = (uint8_t)i;
    }
}

static void an_equal_neighbour_is_found_at_once(void **state)
{
    (void)state;
    akidb_uuid ids[10];
    make_ascending(ids, 10);
    ids[6] = ids[5];
    akidb_error err;
    for (size_t cut = 0; cut < 10; cut++) {
        ak_unique_ids *checker;
        assert_ok(err, ak_unique_ids_new(NULL, 0, &checker, &err));
        akidb_status status = ak_unique_ids_add(checker, ids, cut, &err);
        if (status == AKIDB_OK)
            status = ak_unique_ids_add(checker, ids + cut, 10 - cut, &err);
        assert_int_equal(status, AKIDB_E_VALIDATION);
        assert_int_equal(err.row, 6);
        assert_string_equal(err.message,
                            "row 6: column document_id: expected ids that differ, found "
                            "00000000-0000-0000-0000-000000000005 in row 5 already");
        ak_unique_ids_free(checker);
    }
}

static void the_first_id_may_be_nil_and_none_may_be_given(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid nil = {{0}};
    assert_ok(err, check(&nil, 1, 0, 1, &err));
    assert_ok(err, check(&nil, 0, 0, 1, &err));
}

static void ascending_ids_need_no_disk(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static akidb_uuid ids[COUNT];
    make_ascending(ids, COUNT);
    akidb_error err;
    ak_unique_ids *checker;
    const char *nowhere = "/nonexistent/folder";
    assert_ok(err, ak_unique_ids_new(nowhere, LITTLE_MEMORY, &checker, &err));
    assert_ok(err, ak_unique_ids_add(checker, ids, COUNT, &err));
    assert_ok(err, ak_unique_ids_finish(checker, &err));
    ak_unique_ids_free(checker);

    /* But once the order breaks, what could not be kept is missing. */
    assert_ok(err, ak_unique_ids_new(nowhere, LITTLE_MEMORY, &checker, &err));
    assert_ok(err, ak_unique_ids_add(checker, ids, COUNT, &err));
    assert_status(AKIDB_E_IO, ak_unique_ids_add(checker, ids, 1, &err));
    assert_int_equal(err.status, AKIDB_E_IO);
    assert_non_null(strstr(err.message, nowhere));
    ak_unique_ids_free(checker);
}

static void a_late_return_of_an_early_id_is_found(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static akidb_uuid ids[COUNT];
    make_ascending(ids, COUNT);
    ids[COUNT - 1] = ids[3];
    akidb_error err;
    assert_int_equal(check(ids, COUNT, LITTLE_MEMORY, 7, &err), AKIDB_E_VALIDATION);
    assert_int_equal(err.row, COUNT - 1);
    assert_names_a_duplicate(ids, COUNT, &err);
}

/* The nearest thing to a full disk that needs no disk: files may not grow past a size. */
static void a_file_that_cannot_grow_is_an_io_error(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static akidb_uuid ids[COUNT];
    test_random_bytes(8, (uint8_t *)ids, sizeof ids);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    small = (struct rlimit){20000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    akidb_error err = {0};
    akidb_status status = check(ids, COUNT, LITTLE_MEMORY, 9, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    assert_int_equal(status, AKIDB_E_IO);
    assert_non_null(strstr(err.message, "too large"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_of_similar_ids_are_told_from_those_with_duplicates),
        cmocka_unit_test(one_duplicate_is_found_wherever_its_rows_are),
        cmocka_unit_test(one_id_again_and_again_is_found),
        cmocka_unit_test(an_equal_neighbour_is_found_at_once),
        cmocka_unit_test(the_first_id_may_be_nil_and_none_may_be_given),
        cmocka_unit_test(ascending_ids_need_no_disk),
        cmocka_unit_test(a_late_return_of_an_early_id_is_found),
        cmocka_unit_test(a_file_that_cannot_grow_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
