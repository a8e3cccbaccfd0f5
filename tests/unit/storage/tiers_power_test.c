/* A disk under log, catalogue, DATA/warm and snapshots that loses power at every change of moves
 * and flushes: after each open everything is readable and equal, wherever the collection then lies.
 */
#include "simulated_disk.h"

#include "tiers_support.h"

enum { ROWS = 20, SAMPLE = 7 };

typedef enum deed { UPSERT, DELETE, FLUSH, MOVE } deed;

typedef struct step {
    deed what;
    uint64_t argument; /* a batch of documents, or a tier */
} step;

static const step steps[] = {
    {UPSERT, 0}, {UPSERT, 1}, {MOVE, 1}, /* writes the first snapshot into DATA/warm */
    {UPSERT, 2}, {DELETE, 0}, {FLUSH, 0},  {MOVE, 2},
    {UPSERT, 3}, {UPSERT, 0}, {MOVE, 1}, /* copies down, with an overlay */
    {DELETE, 3}, {MOVE, 0},   {UPSERT, 4}, {MOVE, 2},
    {DELETE, 2}, {FLUSH, 0},  {MOVE, 0},   {MOVE, 1},
};
enum { STEPS = sizeof steps / sizeof steps[0], BATCHES = 5 };

/* Which batches are there, as bits. */
static unsigned batches_after(size_t count)
{
    unsigned there = 0;
    for (size_t i = 0; i < count; i++) {
        if (steps[i].what == UPSERT)
            there |= 1u << steps[i].argument;
        if (steps[i].what == DELETE)
            there &= ~(1u << steps[i].argument);
    }
    return there;
}

static akidb_tier tier_after(size_t count)
{
    akidb_tier tier = AKIDB_TIER_HOT;
    for (size_t i = 0; i < count; i++)
        if (steps[i].what == MOVE)
            tier = (akidb_tier)steps[i].argument;
    return tier;
}

typedef struct life {
    simulated_disk *disk;
    akidb_store *store;
    size_t done; /* steps that returned */
} life;

static akidb_status open_storage(life *l, akidb_storage **storage, akidb_error *err)
{
    akidb_storage_options options = test_options("/data");
    options.store = l->store;
    akidb_status status =
        ak_storage_open_with(&options, simulated_disk_files(l->disk), storage, NULL, err);
    if (status != AKIDB_OK)
        return status;
    status = akidb_storage_create_collection(*storage, &books, TEST_DIMENSION, NULL, err);
    if (status == AKIDB_OK || status == AKIDB_E_ALREADY_EXISTS)
        return AKIDB_OK;
    (void)akidb_storage_close(*storage, NULL);
    return status;
}

static akidb_status do_step(akidb_storage *storage, const step *s, akidb_error *err)
{
    akidb_uuid ids[ROWS];
    for (uint64_t i = 0; i < ROWS; i++)
        ids[i] = test_id(s->argument * ROWS + i);
    switch (s->what) {
    case UPSERT: {
        akidb_documents *documents = test_documents(s->argument * ROWS, ROWS, 1);
        akidb_batch batch = akidb_documents_batch(documents);
        akidb_status status = akidb_storage_upsert(storage, &books, &batch, NULL, err);
        akidb_documents_free(documents);
        return status;
    }
    case DELETE: return akidb_storage_delete(storage, &books, ids, ROWS, NULL, err);
    case FLUSH: return akidb_storage_flush(storage, &books, NULL, err);
    case MOVE: return akidb_storage_move(storage, &books, (akidb_tier)s->argument, NULL, NULL, err);
    }
    return AKIDB_OK;
}

static void live(life *l)
{
    akidb_error err;
    akidb_storage *storage;
    if (open_storage(l, &storage, &err) != AKIDB_OK)
        return;
    akidb_status status = AKIDB_OK;
    while (l->done < STEPS && status == AKIDB_OK) {
        status = do_step(storage, &steps[l->done], &err);
        l->done += status == AKIDB_OK;
    }
    (void)akidb_storage_close(storage, &err);
}

static unsigned look(akidb_storage *storage)
{
    akidb_error err;
    unsigned there = 0;
    uint64_t count;
    assert_ok(err, akidb_storage_count(storage, &books, &count, &err));
    for (uint64_t batch = 0; batch < BATCHES; batch++) {
        akidb_documents *documents;
        akidb_uuid id = test_id(batch * ROWS);
        size_t found;
        assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
        assert_ok(err, akidb_storage_get(storage, &books, &id, 1, documents, &found, &err));
        akidb_documents_free(documents);
        for (uint64_t i = 0; i < ROWS; i += SAMPLE)
            assert_has(storage, &books, batch * ROWS + i, found);
        there |= (unsigned)found << batch;
        count -= found * ROWS;
    }
    assert_int_equal(count, 0);
    return there;
}

static akidb_visit count_key(void *context, const akidb_list_entry *entry)
{
    (void)entry;
    ++*(int *)context;
    return AKIDB_VISIT_CONTINUE;
}

/* DATA/warm has the copy of a warm collection, whole, and nothing else. */
static void check_files(life *l, akidb_storage *storage)
{
    akidb_error err;
    akidb_collection_info info;
    akidb_store *warm;
    int keys = 0;
    assert_ok(err, akidb_storage_collection(storage, &books, &info, &err));
    assert_ok(
        err, akidb_store_local_open_with("/data/warm", simulated_disk_files(l->disk), &warm, &err));
    assert_ok(err, akidb_store_list(warm, "", 0, count_key, &keys, &err));
    akidb_store_close(warm);
    assert_int_equal(keys, info.tier == AKIDB_TIER_WARM ? 2 : 0);
    assert_int_equal(info.warm_bytes > 0, info.tier == AKIDB_TIER_WARM);
}

/* The step under way may turn out to be done. */
static void check(life *l, uint64_t cut)
{
    akidb_error err;
    akidb_collection_info info;
    akidb_storage *storage;
    assert_ok(err, open_storage(l, &storage, &err));
    check_files(l, storage);
    assert_ok(err, akidb_storage_collection(storage, &books, &info, &err));
    unsigned found = look(storage);
    bool same = found == batches_after(l->done) && info.tier == tier_after(l->done);
    bool next = l->done < STEPS && found == batches_after(l->done + 1) &&
                info.tier == tier_after(l->done + 1);
    if (!same && !next)
        fail_msg("cut %llu, %zu steps done: tier %d, batches %x", (unsigned long long)cut, l->done,
                 (int)info.tier, found);
    l->done += same ? 0 : 1;
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

static void a_power_cut_in_a_move_loses_nothing(void **state)
{
    (void)state;
    enum { CUTS_MIN = 100, LOSSES = 2 };
    life whole = new_life();
    live(&whole);
    assert_int_equal(whole.done, STEPS);
    uint64_t changes = simulated_disk_changes(whole.disk);
    check(&whole, changes);
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
        cmocka_unit_test(a_power_cut_in_a_move_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
