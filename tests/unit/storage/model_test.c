/* Random operations of several threads on many collections against a simple model, with flushes and
 * moves in between and reopens at random moments; equal after each. Each thread has documents of
 * its own in collections that all share, so that its part of the model is exact whatever the others
 * do; and one collection that it alone drops, creates and restores. */
#include <pthread.h>

#include "storage_story.h"

#include "support.h"

enum { THREADS = 4, COLLECTIONS = 50, DOCUMENTS = 24, ROUNDS = 8, STEPS_MAX = 120 };

typedef struct model {
    akidb_storage *storage;
    unsigned thread;
    uint64_t seed;
    uint64_t version;                          /* the last that was given */
    uint64_t versions[COLLECTIONS][DOCUMENTS]; /* 0: not there */
    story own;
} model;

static akidb_uuid collection_id(size_t number)
{
    return test_id(1000000 + number);
}

/* Documents of a thread are numbered apart; no two collections have the same ones. */
static uint64_t number_of(const model *m, size_t collection, size_t document)
{
    return (collection * THREADS + m->thread) * DOCUMENTS + document;
}

static void upsert_some(model *m, size_t collection)
{
    akidb_uuid id = collection_id(collection);
    size_t first = test_random(&m->seed) % DOCUMENTS;
    size_t count = 1 + test_random(&m->seed) % (DOCUMENTS - first);
    m->version++;
    test_upsert(m->storage, &id, number_of(m, collection, first), count, m->version);
    for (size_t i = first; i < first + count; i++)
        m->versions[collection][i] = m->version;
}

static void delete_some(model *m, size_t collection)
{
    akidb_uuid id = collection_id(collection);
    size_t first = test_random(&m->seed) % DOCUMENTS;
    size_t count = 1 + test_random(&m->seed) % (DOCUMENTS - first);
    uint64_t there = 0;
    for (size_t i = first; i < first + count; i++) {
        there += m->versions[collection][i] != 0;
        m->versions[collection][i] = 0;
    }
    test_delete(m->storage, &id, number_of(m, collection, first), count, there);
}

static void go_on_with_own(model *m)
{
    akidb_error err;
    story_step step = story_next(&m->own);
    assert_ok(err, story_do(&m->own, m->storage, &step, &err));
    story_note(&m->own, &step);
}

/* Any collection may be anywhere at any time; its own one may not be there at all. */
static void move_some(model *m, size_t collection)
{
    akidb_error err;
    akidb_uuid id = collection_id(collection);
    bool own = test_random(&m->seed) % 4 == 0;
    akidb_tier tier = (akidb_tier)(test_random(&m->seed) % 3);
    akidb_status status =
        akidb_storage_move(m->storage, own ? &m->own.collection : &id, tier, NULL, NULL, &err);
    if (!own || status != AKIDB_E_NOT_FOUND)
        assert_int_equal(status, AKIDB_OK);
}

static void *work(void *context)
{
    model *m = context;
    uint64_t steps = test_random(&m->seed) % STEPS_MAX;
    for (uint64_t step = 0; step < steps; step++) {
        size_t collection = test_random(&m->seed) % COLLECTIONS;
        size_t document = test_random(&m->seed) % DOCUMENTS;
        akidb_uuid id = collection_id(collection);
        switch (test_random(&m->seed) % 12) {
        case 0:
        case 1: delete_some(m, collection); break;
        case 2:
        case 3:
        case 4:
            assert_has(m->storage, &id, number_of(m, collection, document),
                       m->versions[collection][document]);
            break;
        case 5:
            if (test_random(&m->seed) % 4 == 0)
                (void)test_flush(m->storage, &id);
            break;
        case 6:
        case 7: go_on_with_own(m); break;
        case 8: move_some(m, collection); break;
        default: upsert_some(m, collection);
        }
    }
    return NULL;
}

static void assert_collection(akidb_storage *storage, const model *models, size_t collection)
{
    akidb_error err;
    akidb_uuid id = collection_id(collection);
    akidb_cursor *cursor;
    akidb_documents *documents;
    uint64_t expected = 0, found = 0;
    bool done = false;
    for (size_t t = 0; t < THREADS; t++)
        for (size_t i = 0; i < DOCUMENTS; i++)
            expected += models[t].versions[collection][i] != 0;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_storage_iterate(storage, &id, &cursor, &err));
    while (!done) {
        assert_ok(err, akidb_cursor_next(cursor, 16, documents, &done, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        for (size_t row = 0; row < batch.rows; row++) {
            uint64_t number = (uint64_t)batch.vectors[row * TEST_DIMENSION];
            assert_int_equal(number / DOCUMENTS / THREADS, collection);
            const model *m = &models[number / DOCUMENTS % THREADS];
            assert_document(&batch, row, number, m->versions[collection][number % DOCUMENTS]);
        }
        found += batch.rows;
    }
    assert_int_equal(found, expected); /* so none is twice: each is one of those */
    assert_count(storage, &id, expected);
    akidb_cursor_close(cursor);
    akidb_documents_free(documents);
}

static void assert_model(akidb_storage *storage, model *models)
{
    for (size_t collection = 0; collection < COLLECTIONS; collection++)
        assert_collection(storage, models, collection);
    for (size_t t = 0; t < THREADS; t++)
        story_check(&models[t].own, storage, NULL);
}

static void run_threads(model *models, akidb_storage *storage)
{
    pthread_t threads[THREADS];
    for (size_t t = 0; t < THREADS; t++) {
        models[t].storage = storage;
        assert_int_equal(pthread_create(&threads[t], NULL, work, &models[t]), 0);
    }
    for (size_t t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
}

static void what_threads_did_is_what_is_there(void **state)
{
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    model *models = calloc(THREADS, sizeof *models);
    assert_non_null(models);
    for (unsigned t = 0; t < THREADS; t++) {
        models[t] = (model){.thread = t, .seed = 11 + t};
        story_begin(&models[t].own, 10 + t, 11 + t);
    }
    for (size_t i = 0; i < COLLECTIONS; i++) {
        akidb_uuid id = collection_id(i);
        test_create(storage, &id);
    }
    for (int round = 0; round < ROUNDS; round++) {
        run_threads(models, storage);
        assert_model(storage, models);
        /* Every other round the log asks for flushes, too. */
        options.flush_wal_bytes = round % 2 == 0 ? 1 : AKIDB_NEVER;
        options.durability = (akidb_durability)(round % 3);
        storage = test_reopen(storage, &options);
        assert_model(storage, models);
    }
    for (unsigned t = 0; t < THREADS; t++)
        assert_true(models[t].own.done > ROUNDS);
    free(models);
    test_close(storage);
}

typedef struct race {
    akidb_storage *storage;
    const akidb_uuid *collection;
    akidb_uuid snapshot;
    uint64_t first;
} race;

static void *write_race(void *context)
{
    race *r = context;
    for (uint64_t i = 0; i < 60; i++)
        test_upsert(r->storage, r->collection, r->first + i * 10, 10, i + 1);
    return NULL;
}

static void *restore_race(void *context)
{
    akidb_error err;
    race *r = context;
    for (int i = 0; i < 10; i++)
        assert_ok(err, akidb_storage_restore(r->storage, r->collection, &r->snapshot, &err));
    return NULL;
}

/* What comes out depends on the order, but memory and log must agree on it. */
static void restores_among_writes_replay_to_the_same(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    const akidb_uuid id = {{1}};
    test_create(storage, &id);
    test_upsert(storage, &id, 0, 20, 1);
    race one = {storage, &id, test_flush(storage, &id), 100}, two = one;
    two.first = 5000;
    pthread_t threads[3];
    assert_int_equal(pthread_create(&threads[0], NULL, write_race, &one), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, write_race, &two), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, restore_race, &one), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    akidb_documents *before;
    akidb_cursor *cursor;
    bool done;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &before, &err));
    assert_ok(err, akidb_storage_iterate(storage, &id, &cursor, &err));
    assert_ok(err, akidb_cursor_next(cursor, SIZE_MAX, before, &done, &err));
    akidb_cursor_close(cursor);
    storage = test_reopen(storage, &options);
    akidb_batch batch = akidb_documents_batch(before);
    assert_true(batch.rows >= 20);
    assert_count(storage, &id, batch.rows);
    for (size_t row = 0; row < batch.rows; row++)
        assert_has(storage, &id, (uint64_t)batch.vectors[row * TEST_DIMENSION],
                   (uint64_t)batch.vectors[row * TEST_DIMENSION + 1]);
    akidb_documents_free(before);
    test_close(storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(what_threads_did_is_what_is_there),
        storage_test(restores_among_writes_replay_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
