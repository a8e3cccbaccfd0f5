/* What a scan shows, and how long that stays. */
#include "storage/scan.h"

#include "tiers_support.h"

enum { GROUPS = 5, GROUP_ROWS = 50, ROWS = GROUPS * GROUP_ROWS };

/* How much of each row group is hidden, as the digits of a number. */
enum { NOTHING, PART, ALL, WAYS, PATTERNS = WAYS * WAYS * WAYS * WAYS * WAYS };

static bool is_hidden(int pattern, size_t number)
{
    for (size_t group = number / GROUP_ROWS; group > 0; group--)
        pattern /= WAYS;
    return pattern % WAYS == ALL || (pattern % WAYS == PART && number % 3 == 0);
}

static ak_shadow *shadow_of(akidb_storage *storage, int pattern)
{
    akidb_error err;
    ak_shadow *shadow;
    assert_ok(err, ak_shadow_new(storage->hash_seed, &storage->memory, &shadow, &err));
    assert_ok(err, ak_shadow_reserve(shadow, ROWS, &err));
    for (size_t number = 0; number < ROWS; number++) {
        akidb_uuid id = test_id(number);
        if (is_hidden(pattern, number))
            (void)ak_shadow_add(shadow, &id, 1);
    }
    return shadow;
}

/* Looks at each batch only after the next call. */
static void assert_shown(akidb_storage *storage, int pattern)
{
    akidb_error err;
    akidb_documents *rooms[2];
    akidb_batch before = {0}, shown = {.rows = 1};
    ak_scan scan;
    size_t number = 0;
    ak_collection *collection = ak_collection_find(storage, &books);
    assert_non_null(collection);
    assert_ok(err, ak_scan_collection(storage, collection, &scan, &err));
    ak_shadow_release(scan.shadow);
    scan.shadow = shadow_of(storage, pattern);
    scan.keeps_shown = true;
    for (size_t i = 0; i < 2; i++)
        assert_ok(err, akidb_documents_new(TEST_DIMENSION, &rooms[i], &err));
    for (size_t i = 0; shown.rows > 0; i++) {
        assert_ok(err, ak_scan_show(&scan, rooms[i % 2], &shown, &err));
        for (size_t row = 0; row < before.rows; row++, number++) {
            while (is_hidden(pattern, number))
                number++;
            assert_document(&before, row, number, 1);
        }
        before = shown;
    }
    while (number < ROWS && is_hidden(pattern, number))
        number++;
    assert_int_equal(number, ROWS);
    for (size_t i = 0; i < 2; i++)
        akidb_documents_free(rooms[i]);
    ak_scan_end(&scan);
    ak_collection_release(collection);
}

static void what_is_shown_stays_until_the_call_after_the_next_one(void **state)
{
    world *w = world_new(*state);
    world_upsert(w, 0, ROWS, 1);
    world_move(w, AKIDB_TIER_COLD);
    for (int pattern = 0; pattern < PATTERNS; pattern++)
        assert_shown(w->storage, pattern);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(what_is_shown_stays_until_the_call_after_the_next_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
