/* A data folder that is opened with another store than its own. */
#include "tiers_support.h"

static akidb_visit count_object(void *context, const akidb_list_entry *entry)
{
    (void)entry;
    (*(size_t *)context)++;
    return AKIDB_VISIT_CONTINUE;
}

static size_t objects_in(akidb_store *store)
{
    akidb_error err;
    size_t objects = 0;
    assert_ok(err, akidb_store_list(store, "", 0, count_object, &objects, &err));
    return objects;
}

static void another_store_gets_no_snapshot(void **state)
{
    static const akidb_uuid films = {{2}};
    akidb_error err;
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    world_move(w, AKIDB_TIER_COLD);
    test_close(w->storage);

    akidb_store *other;
    assert_ok(err, akidb_store_memory_open(&other, &err));
    akidb_storage_options options = w->options;
    options.store = other;
    w->storage = test_open(&options, NULL);
    test_create(w->storage, &films);
    test_upsert(w->storage, &films, 0, 10, 1);
    const akidb_uuid *both[] = {&books, &films};
    for (int i = 0; i < 2; i++) {
        assert_status(AKIDB_E_PRECONDITION, akidb_storage_flush(w->storage, both[i], NULL, &err));
        assert_non_null(strstr(err.message, "open the folder with the store that has it"));
    }
    assert_int_equal(objects_in(other), 0);
    test_close(w->storage);

    w->storage = test_open(&w->options, NULL);
    (void)test_flush(w->storage, &films);
    assert_count(w->storage, &films, 10);
    assert_count(w->storage, &books, 100);
    world_free(w);
    akidb_store_close(other);
}

static void a_store_that_is_down_is_not_taken_for_another(void **state)
{
    akidb_error err;
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    world_move(w, AKIDB_TIER_COLD);
    world_upsert(w, 0, 10, 2);
    world_reopen(w);
    w->away = true;
    assert_status(AKIDB_E_STORE, akidb_storage_flush(w->storage, &books, NULL, &err));
    w->away = false;
    (void)test_flush(w->storage, &books);
    assert_count(w->storage, &books, 100);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(another_store_gets_no_snapshot),
        storage_test(a_store_that_is_down_is_not_taken_for_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
