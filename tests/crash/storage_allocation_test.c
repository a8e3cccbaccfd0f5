/*
 * Each allocation of a storage fails once: of an open with a recovery, of writes and reads, of a
 * flush, of moves between the tiers and of a restore. Whatever fails is "out of memory", what was
 * acknowledged stays, what failed has not happened, the storage goes on, and (by the sanitizer)
 * nothing leaks.
 *
 * Every fifth allocation, for there are thousands; AKIDB_ALLOCATION_STRIDE=1 in the environment
 * asks for each of them.
 */
#include "failing_allocator.h"

#include "../unit/storage/support.h"

enum { DOCUMENTS = 60, STRIDE = 5, MANY = 100000 };

static const akidb_uuid books = {{1}}, films = {{2}};

/* What must be there: of `books` the version of each document, 0 for none. */
typedef struct expectation {
    bool films;
    uint64_t versions[DOCUMENTS];
} expectation;

/* All that a step needs is made before the allocator fails. */
typedef struct walk {
    akidb_storage_options options;
    akidb_storage *storage;
    akidb_documents *second, *third, *found;
    akidb_uuid snapshot; /* of what there is at the beginning */
    expectation now;
} walk;

static void set(walk *w, size_t first, size_t count, uint64_t version)
{
    for (size_t i = first; i < first + count; i++)
        w->now.versions[i] = version;
}

static expectation at_the_beginning(void)
{
    walk w = {.now = {.films = false}};
    set(&w, 0, 40, 1);
    set(&w, 5, 5, 0);
    return w.now;
}

/* A folder with a snapshot and a log behind it, closed. */
static void prepare(walk *w)
{
    akidb_storage *storage = test_open(&w->options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 20, 1);
    w->snapshot = test_flush(storage, &books);
    test_upsert(storage, &books, 20, 20, 1);
    test_delete(storage, &books, 5, 5, 5);
    test_close(storage);
    w->now = at_the_beginning();
    w->second = test_documents(10, 20, 2);
    w->third = test_documents(30, 30, 3);
    akidb_error err;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &w->found, &err));
    w->storage = NULL;
}

/* ---- the steps ------------------------------------------------------------------------------- */

static akidb_status step_open(walk *w, akidb_error *err)
{
    akidb_recovery_report report;
    return akidb_storage_open(&w->options, &w->storage, &report, err);
}

static akidb_status step_create(walk *w, akidb_error *err)
{
    akidb_status status =
        akidb_storage_create_collection(w->storage, &films, TEST_DIMENSION, "films", err);
    w->now.films |= status == AKIDB_OK;
    return status;
}

static akidb_status step_upsert(walk *w, akidb_error *err)
{
    akidb_batch batch = akidb_documents_batch(w->second);
    akidb_status status = akidb_storage_upsert(w->storage, &books, &batch, NULL, err);
    if (status == AKIDB_OK)
        set(w, 10, 20, 2);
    return status;
}

static akidb_status step_delete(walk *w, akidb_error *err)
{
    akidb_uuid ids[10];
    uint64_t deleted;
    for (uint64_t i = 0; i < 10; i++)
        ids[i] = test_id(i);
    akidb_status status = akidb_storage_delete(w->storage, &books, ids, 10, &deleted, err);
    if (status == AKIDB_OK)
        set(w, 0, 10, 0);
    return status;
}

static akidb_status step_read(walk *w, akidb_error *err)
{
    akidb_uuid ids[] = {test_id(20), test_id(30), test_id(20)};
    size_t found;
    akidb_cursor *cursor = NULL;
    bool done;
    akidb_buffer text = {0};
    akidb_collection_info *infos = NULL;
    akidb_snapshot_list list = {0};
    akidb_status status = akidb_storage_get(w->storage, &books, ids, 3, w->found, &found, err);
    if (status == AKIDB_OK)
        status = akidb_storage_get_by_external_id(w->storage, &books, (akidb_slice){"doc-20", 6},
                                                  w->found, &found, err);
    if (status == AKIDB_OK)
        status = akidb_storage_iterate(w->storage, &books, &cursor, err);
    if (status == AKIDB_OK)
        status = akidb_cursor_next(cursor, 100, w->found, &done, err);
    akidb_cursor_close(cursor);
    if (status == AKIDB_OK)
        status = akidb_storage_metrics(w->storage, &text, err);
    akidb_buffer_free(&text);
    if (status == AKIDB_OK)
        status = akidb_storage_collections(w->storage, &infos, &found, err);
    free(infos);
    if (status == AKIDB_OK)
        status = akidb_storage_list_snapshots(w->storage, &books, &list, err);
    akidb_snapshot_list_free(&list);
    return status;
}

static akidb_status step_flush(walk *w, akidb_error *err)
{
    return akidb_storage_flush(w->storage, &books, NULL, err);
}

static akidb_status step_write_more(walk *w, akidb_error *err)
{
    akidb_batch batch = akidb_documents_batch(w->third);
    akidb_status status = akidb_storage_upsert(w->storage, &books, &batch, NULL, err);
    if (status == AKIDB_OK)
        set(w, 30, 30, 3);
    return status;
}

static akidb_status step_restore(walk *w, akidb_error *err)
{
    akidb_status status = akidb_storage_restore(w->storage, &books, &w->snapshot, err);
    if (status == AKIDB_OK) {
        set(w, 0, DOCUMENTS, 0);
        set(w, 0, 20, 1);
    }
    return status;
}

static akidb_status step_to_warm(walk *w, akidb_error *err)
{
    return akidb_storage_move(w->storage, &books, AKIDB_TIER_WARM, NULL, NULL, err);
}

static akidb_status step_to_cold(walk *w, akidb_error *err)
{
    return akidb_storage_move(w->storage, &books, AKIDB_TIER_COLD, NULL, NULL, err);
}

static akidb_status step_to_hot(walk *w, akidb_error *err)
{
    return akidb_storage_move(w->storage, &books, AKIDB_TIER_HOT, NULL, NULL, err);
}

static akidb_status step_drop(walk *w, akidb_error *err)
{
    akidb_status status = akidb_storage_drop_collection(w->storage, &films, err);
    w->now.films &= status != AKIDB_OK;
    return status;
}

static akidb_status step_close(walk *w, akidb_error *err)
{
    akidb_storage *storage = w->storage;
    w->storage = NULL;
    return akidb_storage_close(storage, err);
}

typedef akidb_status walk_step(walk *w, akidb_error *err);

static walk_step *const steps[] = {
    step_open,    step_create,  step_upsert,     step_delete, step_read,    step_flush,
    step_to_warm, step_read,    step_write_more, step_flush,  step_to_cold, step_write_more,
    step_close,   step_open,    step_read,       step_to_hot, step_restore, step_flush,
    step_upsert,  step_restore, step_drop,       step_close,
};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* ---- the walks ------------------------------------------------------------------------------- */

static void assert_expected(akidb_storage *storage, const expectation *expected)
{
    akidb_error err;
    uint64_t count = 0;
    for (uint64_t i = 0; i < DOCUMENTS; i++) {
        assert_has(storage, &books, i, expected->versions[i]);
        count += expected->versions[i] != 0;
    }
    assert_count(storage, &books, count);
    akidb_status status = akidb_storage_count(storage, &films, &count, &err);
    assert_int_equal(status, expected->films ? AKIDB_OK : AKIDB_E_NOT_FOUND);
}

/* The same step again, with memory, when it failed for the want of it; all of it otherwise. Then
 * everything must be as if nothing had failed. */
static void go_on(walk *w, size_t at)
{
    akidb_error err;
    for (; at < STEPS; at++) {
        if (w->storage == NULL && steps[at] != step_open) /* a close has closed whatever it said */
            continue;
        akidb_documents_clear(w->found);
        assert_ok(err, steps[at](w, &err));
    }
    akidb_storage *storage = test_open(&w->options, NULL);
    assert_expected(storage, &w->now);
    test_close(storage);
}

/* False when the allocation to fail was never reached. */
static bool walk_with_failure(walk *w, long nth)
{
    akidb_error err = {0};
    size_t at = 0;
    akidb_status status = AKIDB_OK;
    failing_allocator_arm(nth);
    for (; at < STEPS; at++) {
        akidb_documents_clear(w->found);
        status = steps[at](w, &err);
        if (status != AKIDB_OK)
            break;
    }
    bool reached = failing_allocator_disarm();
    if (status != AKIDB_OK && status != AKIDB_E_OUT_OF_MEMORY)
        fail_msg("allocation %ld, step %zu: expected \"out of memory\", found \"%s\": %s", nth, at,
                 akidb_status_name(status), err.message);
    assert_true(status == AKIDB_OK || reached);
    if (w->storage != NULL)
        assert_expected(w->storage, &w->now);
    go_on(w, at);
    return reached;
}

static void every_failed_allocation_of_a_storage_is_clean(void **state)
{
    akidb_error err;
    const char *asked = getenv("AKIDB_ALLOCATION_STRIDE");
    long stride = asked == NULL ? STRIDE : strtol(asked, NULL, 10), nth = 1, walks = 0;
    assert_true(stride > 0);
    for (bool reached = true; reached && nth < MANY; nth += stride) {
        char folder[TEST_FOLDER_SIZE + 32];
        snprintf(folder, sizeof folder, "%s/%ld", (const char *)*state, nth);
        walk w = {.options = test_options(folder)};
        assert_ok(err, akidb_store_memory_open(&w.options.store, &err));
        prepare(&w);
        reached = walk_with_failure(&w, nth);
        akidb_documents_free(w.second);
        akidb_documents_free(w.third);
        akidb_documents_free(w.found);
        akidb_store_close(w.options.store);
        test_folder_remove(folder);
        walks += reached ? 1 : 0;
    }
    print_message("%ld allocations failed in turn\n", walks);
    assert_true(nth > 200 && nth < MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(every_failed_allocation_of_a_storage_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
