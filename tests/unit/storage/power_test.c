/* A disk under log, catalogue and snapshots that loses power at every change in turn, and keeps
 * whatever a real one may: after each open everything is as it was after the last call that
 * returned, or as the call that was under way would have left it. */
#include "simulated_disk.h"
#include "storage/storage.h"

#include "support.h"

/* Two or three batches fill a segment of the log. */
enum { ROWS = 400, BATCHES = 6, SAMPLE = 133 };

static const akidb_uuid books = {{1}};

typedef enum deed { CREATE, DROP, UPSERT, DELETE, FLUSH, RESTORE } deed;

typedef struct step {
    deed what;
    uint64_t batch; /* UPSERT, DELETE */
} step;

/* The restore brings back what the first flush wrote. */
static const step steps[] = {
    {CREATE, 0}, {UPSERT, 0}, {UPSERT, 1},  {FLUSH, 0},  {UPSERT, 2}, {DELETE, 1},
    {FLUSH, 0},  {UPSERT, 3}, {RESTORE, 0}, {UPSERT, 4}, {FLUSH, 0},  {DROP, 0},
    {CREATE, 0}, {UPSERT, 5}, {FLUSH, 0},   {UPSERT, 0},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

typedef struct model {
    bool exists;
    unsigned batches;  /* bit n: batch n is there */
    unsigned restored; /* what a restore brings back */
} model;

static model model_after(size_t count)
{
    model m = {0};
    for (size_t i = 0; i < count; i++) {
        switch (steps[i].what) {
        case CREATE: m.exists = true; break;
        case DROP:
            m.exists = false;
            m.batches = 0;
            break;
        case UPSERT: m.batches |= 1u << steps[i].batch; break;
        case DELETE: m.batches &= ~(1u << steps[i].batch); break;
        case FLUSH: m.restored = m.restored == 0 ? m.batches : m.restored; break;
        case RESTORE: m.batches = m.restored; break;
        }
    }
    return m;
}

/* One disk and what was done on it. */
typedef struct life {
    simulated_disk *disk;
    akidb_store *store;
    akidb_uuid snapshot; /* the first */
    size_t done;         /* steps that returned */
} life;

static akidb_status open_storage(life *l, akidb_storage **storage, akidb_error *err)
{
    akidb_storage_options options = test_options("/data");
    options.store = l->store;
    return ak_storage_open_with(&options, simulated_disk_files(l->disk), storage, NULL, err);
}

static akidb_status upsert(akidb_storage *storage, uint64_t batch_number, akidb_error *err)
{
    akidb_documents *documents = test_documents(batch_number * ROWS, ROWS, 1);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_status status = akidb_storage_upsert(storage, &books, &batch, NULL, err);
    akidb_documents_free(documents);
    return status;
}

static akidb_status do_step(life *l, akidb_storage *storage, const step *s, akidb_error *err)
{
    akidb_uuid ids[ROWS], snapshot;
    akidb_status status;
    for (uint64_t i = 0; i < ROWS; i++)
        ids[i] = test_id(s->batch * ROWS + i);
    switch (s->what) {
    case CREATE: return akidb_storage_create_collection(storage, &books, TEST_DIMENSION, NULL, err);
    case DROP: return akidb_storage_drop_collection(storage, &books, err);
    case UPSERT: return upsert(storage, s->batch, err);
    case DELETE: return akidb_storage_delete(storage, &books, ids, ROWS, NULL, err);
    case FLUSH:
        status = akidb_storage_flush(storage, &books, &snapshot, err);
        if (status == AKIDB_OK && l->done < 5)
            l->snapshot = snapshot;
        return status;
    case RESTORE: return akidb_storage_restore(storage, &books, &l->snapshot, err);
    }
    return AKIDB_OK;
}

/* Goes on with the steps until something fails. */
static void live(life *l)
{
    akidb_error err;
    akidb_storage *storage;
    if (open_storage(l, &storage, &err) != AKIDB_OK)
        return;
    akidb_status status = AKIDB_OK;
    while (l->done < STEPS && status == AKIDB_OK) {
        status = do_step(l, storage, &steps[l->done], &err);
        l->done += status == AKIDB_OK;
    }
    (void)akidb_storage_close(storage, &err);
}

static model look(akidb_storage *storage)
{
    akidb_error err;
    uint64_t count;
    model m = {0};
    akidb_status status = akidb_storage_count(storage, &books, &count, &err);
    if (status == AKIDB_E_NOT_FOUND)
        return m;
    assert_int_equal(status, AKIDB_OK);
    m.exists = true;
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        akidb_documents *documents;
        akidb_uuid id = test_id(batch * ROWS);
        size_t found;
        assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
        assert_ok(err, akidb_storage_get(storage, &books, &id, 1, documents, &found, &err));
        akidb_documents_free(documents);
        for (uint64_t i = 0; i < ROWS; i += SAMPLE)
            assert_has(storage, &books, batch * ROWS + i, found);
        m.batches |= (unsigned)found << batch;
        count -= found * ROWS;
    }
    assert_int_equal(count, 0);
    return m;
}

static bool is_model(const model *found, size_t steps_done)
{
    model expected = model_after(steps_done);
    return found->exists == expected.exists && found->batches == expected.batches;
}

/* Opens, which must succeed; the step under way may turn out to be done. */
static void check(life *l, uint64_t cut)
{
    akidb_error err;
    akidb_storage *storage;
    assert_ok(err, open_storage(l, &storage, &err));
    model found = look(storage);
    bool next = l->done < STEPS && is_model(&found, l->done + 1);
    if (!is_model(&found, l->done) && !next)
        fail_msg("cut %llu, %zu steps done: exists %d, batches %x", (unsigned long long)cut,
                 l->done, found.exists, found.batches);
    if (!is_model(&found, l->done))
        l->done++;
    test_close(storage);
}

static life new_life(void)
{
    akidb_error err;
    life l = {.disk = simulated_disk_new()};
    assert_non_null(l.disk);
    assert_ok(err, akidb_store_local_open_with("/snapshots", simulated_disk_files(l.disk), &l.store,
                                               &err));
    return l;
}

static void end_life(life *l)
{
    akidb_store_close(l->store);
    simulated_disk_free(l->disk);
}

static void nothing_acknowledged_is_lost_whenever_the_power_goes(void **state)
{
    (void)state;
    enum { CUTS_MIN = 50, LOSSES = 2 };
    life whole = new_life();
    live(&whole);
    assert_int_equal(whole.done, STEPS);
    uint64_t changes = simulated_disk_changes(whole.disk);
    end_life(&whole);
    assert_true(changes > CUTS_MIN);
    for (uint64_t cut = 0; cut < changes; cut++) {
        for (uint64_t loss = 0; loss < LOSSES; loss++) {
            life l = new_life();
            simulated_disk_cut_at(l.disk, cut);
            live(&l);
            simulated_disk_power_on(l.disk, cut * LOSSES + loss);
            check(&l, cut);
            live(&l); /* the rest */
            assert_int_equal(l.done, STEPS);
            check(&l, cut);
            end_life(&l);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_acknowledged_is_lost_whenever_the_power_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
