/* Collections in every tier, and on the way between them. */
#include <pthread.h>
#include <sys/stat.h>

#include "tiers_support.h"

static const akidb_tier all_tiers[] = {AKIDB_TIER_HOT, AKIDB_TIER_WARM, AKIDB_TIER_COLD};
enum { TIERS = 3 };

/* Documents that were flushed, and some writes after that: replaced, new and deleted ones. */
static void fill(world *w)
{
    world_upsert(w, 0, 200, 1);
    (void)test_flush(w->storage, &books);
    world_upsert(w, 150, 80, 2);
    world_delete(w, 20, 30);
}

static void each_move_keeps_every_document(void **state)
{
    for (int from = 0; from < TIERS; from++)
        for (int to = 0; to < TIERS; to++) {
            world *w = world_new(*state);
            fill(w);
            world_move(w, all_tiers[from]);
            assert_world(w);
            world_upsert(w, 0, 10, 3);
            world_delete(w, 195, 10);
            world_move(w, all_tiers[to]);
            assert_world(w);
            assert_int_equal(world_files(w, "warm"), to == AKIDB_TIER_WARM ? 2 : 0);
            world_reopen(w);
            assert_int_equal(world_info(w).tier, to);
            assert_world(w);
            world_free(w);
            test_folder_remove(*state);
            assert_int_equal(mkdir(*state, 0700), 0);
        }
}

/* Row groups of the base, 50 documents each, of which all or some are hidden. */
static void a_promotion_passes_row_groups_of_which_nothing_is_left(void **state)
{
    for (int from = AKIDB_TIER_WARM; from <= AKIDB_TIER_COLD; from++) {
        world *w = world_new(*state);
        w->snapshots.threads = 2;
        world_reopen(w);
        world_upsert(w, 0, WORLD_DOCUMENTS, 1);
        world_move(w, (akidb_tier)from);
        world_delete(w, 50, 50);
        world_upsert(w, 110, 5, 2);
        world_upsert(w, 150, 50, 2);
        world_delete(w, 200, 50);
        world_move(w, AKIDB_TIER_HOT);
        assert_world(w);
        world_free(w);
        test_folder_remove(*state);
        assert_int_equal(mkdir(*state, 0700), 0);
    }
}

static void a_collection_is_written_and_flushed_in_every_tier(void **state)
{
    world *w = world_new(*state);
    fill(w);
    for (uint64_t round = 0; round < 4 * TIERS; round++) {
        world_move(w, all_tiers[round * 2 % TIERS]);
        world_upsert(w, (round * 31) % 200, 40, 10 + round);
        world_delete(w, (round * 53) % 200, 25);
        world_upsert(w, 299, 1, 10 + round);
        assert_world(w);
        if (round % 3 == 0)
            world_reopen(w);
        if (round % 2 == 0)
            (void)test_flush(w->storage, &books);
        assert_world(w);
        world_delete(w, 299, 1);
        assert_int_equal(world_info(w).tier, all_tiers[round * 2 % TIERS]);
    }
    world_free(w);
}

static void an_empty_collection_moves_as_well(void **state)
{
    world *w = world_new(*state);
    for (int i = 0; i < 2 * TIERS; i++) {
        world_move(w, all_tiers[i % TIERS]);
        assert_world(w);
        world_reopen(w);
        assert_world(w);
        assert_int_equal(world_info(w).tier, all_tiers[i % TIERS]);
    }
    world_move(w, AKIDB_TIER_COLD);
    world_upsert(w, 0, 3, 1);
    world_delete(w, 0, 3);
    (void)test_flush(w->storage, &books);
    assert_world(w);
    world_free(w);
}

/* Else a collection would gather for good what it was asked to delete in vain, for nothing of it is
 * ever flushed. */
static void deletes_of_what_is_not_there_take_no_memory(void **state)
{
    enum { ABSENT = 1000, ROUNDS = 50 };
    akidb_error err;
    akidb_uuid ids[ABSENT];
    uint64_t deleted;
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    world_move(w, AKIDB_TIER_WARM);
    assert_gets(w);
    uint64_t before = 0;
    for (uint64_t round = 0; round < ROUNDS; round++) {
        for (uint64_t i = 0; i < ABSENT; i++)
            ids[i] = test_id(WORLD_DOCUMENTS + round * ABSENT + i);
        assert_ok(err, akidb_storage_delete(w->storage, &books, ids, ABSENT, &deleted, &err));
        assert_int_equal(deleted, 0);
        before = round == 0 ? atomic_load(&w->storage->memory) : before; /* with its room */
    }
    assert_int_equal(atomic_load(&w->storage->memory), before);
    assert_world(w);
    world_free(w);
}

/* ---- cursors --------------------------------------------------------------------------------- */

static void a_cursor_goes_on_whatever_moves(void **state)
{
    for (int from = 0; from < TIERS; from++) {
        akidb_error err;
        world *w = world_new(*state);
        /* Only the newest snapshot is kept, and those that somebody reads. */
        akidb_retention newest = {.struct_size = sizeof newest, .keep_last = 1};
        w->options.retention = &newest;
        world_reopen(w);
        fill(w);
        world_move(w, all_tiers[from]);
        world_upsert(w, 60, 5, 4);
        akidb_cursor *cursors[2 * TIERS];
        uint64_t versions[2 * TIERS][WORLD_DOCUMENTS];
        for (int i = 0; i < 2 * TIERS; i++) {
            cursors[i] = world_iterate(w);
            memcpy(versions[i], w->versions, sizeof w->versions);
            world_upsert(w, 3 * (uint64_t)i, 2, 100 + (uint64_t)i);
            world_move(w, all_tiers[(from + 1 + i) % TIERS]);
            (void)test_flush(w->storage, &books);
        }
        assert_ok(err, akidb_storage_drop_collection(w->storage, &books, &err));
        for (int i = 0; i < 2 * TIERS; i++) {
            assert_cursor(cursors[i], versions[i]);
            akidb_cursor_close(cursors[i]);
        }
        assert_int_equal(world_files(w, "warm"), 0);
        world_free(w);
        test_folder_remove(*state);
        assert_int_equal(mkdir(*state, 0700), 0);
    }
}

/* ---- at once --------------------------------------------------------------------------------- */

typedef struct busy {
    world *w;
    _Atomic bool stop;
    uint64_t first, rounds; /* documents of its own: first .. first + 49 */
    uint64_t versions[50];
} busy;

static void *write_busily(void *context)
{
    busy *b = context;
    uint64_t seed = b->first;
    while (!atomic_load(&b->stop)) {
        uint64_t at = test_random(&seed) % 40, count = 1 + test_random(&seed) % 10;
        b->rounds++;
        if (b->rounds % 3 == 2) {
            uint64_t there = 0;
            for (uint64_t i = at; i < at + count; i++) {
                there += b->versions[i] != 0;
                b->versions[i] = 0;
            }
            test_delete(b->w->storage, &books, b->first + at, count, there);
        } else {
            test_upsert(b->w->storage, &books, b->first + at, count, b->rounds);
            for (uint64_t i = at; i < at + count; i++)
                b->versions[i] = b->rounds;
        }
        assert_has(b->w->storage, &books, b->first + at, b->versions[at]);
    }
    return NULL;
}

/* Documents that nobody writes must be there at every moment. */
static void *read_busily(void *context)
{
    busy *b = context;
    akidb_error err;
    while (!atomic_load(&b->stop)) {
        akidb_documents *documents;
        akidb_cursor *cursor = world_iterate(b->w);
        bool done = false;
        size_t still = 0;
        assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
        while (!done) {
            assert_ok(err, akidb_cursor_next(cursor, 64, documents, &done, &err));
            akidb_batch batch = akidb_documents_batch(documents);
            for (size_t row = 0; row < batch.rows; row++)
                still += batch.vectors[row * TEST_DIMENSION] < 100;
        }
        assert_int_equal(still, 100);
        akidb_cursor_close(cursor);
        akidb_documents_free(documents);
        assert_has(b->w->storage, &books, b->rounds++ % 100, 1);
    }
    return NULL;
}

static void nothing_is_lost_that_is_written_during_moves(void **state)
{
    enum { WRITERS = 3, MOVES = 40 };
    world *w = world_new(*state);
    world_upsert(w, 0, 100, 1);
    busy threads[WRITERS + 1] = {0};
    pthread_t ids[WRITERS + 1];
    for (size_t i = 0; i <= WRITERS; i++) {
        threads[i] = (busy){.w = w, .first = 100 + 50 * i};
        assert_int_equal(
            pthread_create(&ids[i], NULL, i < WRITERS ? write_busily : read_busily, &threads[i]),
            0);
    }
    uint64_t seed = 3;
    for (int i = 0; i < MOVES; i++) {
        world_move(w, all_tiers[test_random(&seed) % TIERS]);
        if (i % 5 == 4)
            (void)test_flush(w->storage, &books);
    }
    for (size_t i = 0; i <= WRITERS; i++) {
        atomic_store(&threads[i].stop, true);
        pthread_join(ids[i], NULL);
        assert_true(threads[i].rounds > 0);
    }
    for (size_t i = 0; i < WRITERS; i++)
        memcpy(&w->versions[100 + 50 * i], threads[i].versions, sizeof threads[i].versions);
    assert_world(w);
    world_reopen(w);
    assert_world(w);
    world_free(w);
}

/* ---- restore, drop --------------------------------------------------------------------------- */

static void a_restore_makes_hot_and_a_drop_leaves_nothing(void **state)
{
    for (int tier = 1; tier < TIERS; tier++) {
        akidb_error err;
        world *w = world_new(*state);
        world_upsert(w, 0, 50, 1);
        akidb_uuid first = test_flush(w->storage, &books);
        uint64_t then[WORLD_DOCUMENTS];
        memcpy(then, w->versions, sizeof then);
        world_upsert(w, 40, 50, 2);
        world_move(w, all_tiers[tier]);
        assert_ok(err, akidb_storage_restore(w->storage, &books, &first, &err));
        memcpy(w->versions, then, sizeof then);
        assert_int_equal(world_info(w).tier, AKIDB_TIER_HOT);
        assert_int_equal(world_files(w, "warm"), 0);
        world_upsert(w, 10, 5, 3);
        assert_world(w);
        world_reopen(w); /* the log has the restore, the catalogue still the tier */
        assert_int_equal(world_info(w).tier, AKIDB_TIER_HOT);
        assert_world(w);
        world_move(w, all_tiers[tier]);
        assert_ok(err, akidb_storage_drop_collection(w->storage, &books, &err));
        assert_int_equal(world_files(w, "warm"), 0);
        world_reopen(w);
        test_create(w->storage, &books);
        memset(w->versions, 0, sizeof w->versions);
        assert_world(w);
        world_free(w);
        test_folder_remove(*state);
        assert_int_equal(mkdir(*state, 0700), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(each_move_keeps_every_document),
        storage_test(a_promotion_passes_row_groups_of_which_nothing_is_left),
        storage_test(a_collection_is_written_and_flushed_in_every_tier),
        storage_test(an_empty_collection_moves_as_well),
        storage_test(deletes_of_what_is_not_there_take_no_memory),
        storage_test(a_cursor_goes_on_whatever_moves),
        storage_test(nothing_is_lost_that_is_written_during_moves),
        storage_test(a_restore_makes_hot_and_a_drop_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
