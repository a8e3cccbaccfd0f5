/* Tiering on a real storage: all tiers by real moves, and an object store that goes away. */
#include "akidb/sys/store_backend.h"
#include "support.h"

enum { DIMENSION = 8, DOCUMENTS = 300 };

/* A storage in a folder, on a store whose calls all fail while it is down. */
typedef struct real {
    char folder[TEST_FOLDER_SIZE], store_folder[TEST_FOLDER_SIZE + 8];
    akidb_store *inner, *store;
    akidb_storage *storage;
    akidb_uuid ids[3];
    _Atomic bool down;
    _Atomic int64_t now;
    akidb_clock clock;
    test_log log;
    akidb_hooks hooks;
    akidb_tier_policy policy;
    akidb_tiering_options options;
} real;

static int64_t now_of(void *handle)
{
    const real *r = handle;
    return atomic_load(&r->now);
}

static akidb_fault decide(void *context, akidb_store_op op, const char *key)
{
    const real *r = context;
    (void)op;
    (void)key;
    return (akidb_fault){atomic_load(&r->down) ? AKIDB_FAULT_BEFORE : AKIDB_FAULT_NONE,
                         AKIDB_E_STORE};
}

static void upsert(real *r, size_t collection, uint64_t first, size_t count, float value)
{
    akidb_error err;
    float *vectors = calloc(count * DIMENSION, sizeof *vectors);
    akidb_uuid *ids = calloc(count, sizeof *ids);
    assert_true(vectors != NULL && ids != NULL);
    for (size_t i = 0; i < count; i++) {
        ids[i] = fake_id(first + i);
        for (size_t d = 0; d < DIMENSION; d++)
            vectors[i * DIMENSION + d] = value + (float)(first + i) + (float)d / 16;
    }
    const akidb_batch batch = {
        .rows = count, .dimension = DIMENSION, .vectors = vectors, .document_ids = ids};
    assert_ok(err, akidb_storage_upsert(r->storage, &r->ids[collection], &batch, NULL, &err));
    free(vectors);
    free(ids);
}

/* Document `number` must be there, with that value. */
static void assert_document(real *r, size_t collection, uint64_t number, float value)
{
    akidb_error err;
    akidb_documents *documents;
    size_t found;
    akidb_uuid id = fake_id(number);
    assert_ok(err, akidb_documents_new(DIMENSION, &documents, &err));
    assert_ok(err,
              akidb_storage_get(r->storage, &r->ids[collection], &id, 1, documents, &found, &err));
    assert_int_equal(found, 1);
    akidb_batch batch = akidb_documents_batch(documents);
    for (size_t d = 0; d < DIMENSION; d++)
        assert_true(batch.vectors[d] == value + (float)number + (float)d / 16);
    akidb_documents_free(documents);
}

static akidb_status try_to_get(real *r, size_t collection, uint64_t number, akidb_error *err)
{
    akidb_documents *documents;
    size_t found;
    akidb_uuid id = fake_id(number);
    assert_ok(*err, akidb_documents_new(DIMENSION, &documents, err));
    akidb_status status =
        akidb_storage_get(r->storage, &r->ids[collection], &id, 1, documents, &found, err);
    akidb_documents_free(documents);
    return status;
}

static void open_storage(real *r)
{
    akidb_error err;
    const akidb_snapshotter_options snapshots = {.struct_size = sizeof snapshots,
                                                 .clock = &r->clock};
    const akidb_storage_options options = {
        .struct_size = sizeof options,
        .data_folder = r->folder,
        .store = r->store,
        .snapshots = &snapshots,
        .durability = AKIDB_DURABLE_BY_CALL,
        .flush_wal_bytes = AKIDB_NEVER,
        .flush_age = AKIDB_NEVER,
    };
    assert_ok(err, akidb_storage_open(&options, &r->storage, NULL, &err));
}

static int real_setup(void **state)
{
    akidb_error err;
    real *r = calloc(1, sizeof *r);
    if (r == NULL || !test_folder_make(r->folder))
        return -1;
    pthread_mutex_init(&r->log.lock, NULL);
    atomic_store(&r->now, NOW);
    r->clock = (akidb_clock){now_of, r};
    r->hooks = (akidb_hooks){&r->log, test_progress_hook, test_log_hook};
    r->policy.struct_size = sizeof r->policy;
    r->options = (akidb_tiering_options){.struct_size = sizeof r->options,
                                         .policy = &r->policy,
                                         .data_folder = r->folder,
                                         .clock = &r->clock,
                                         .hooks = &r->hooks};
    snprintf(r->store_folder, sizeof r->store_folder, "%s/far", r->folder);
    assert_ok(err, akidb_store_local_open(r->store_folder, &r->inner, &err));
    assert_ok(err, akidb_store_fault_open(r->inner, decide, r, &r->store, &err));
    open_storage(r);
    for (size_t i = 0; i < 3; i++) {
        r->ids[i] = fake_id(1000 + i);
        assert_ok(err,
                  akidb_storage_create_collection(r->storage, &r->ids[i], DIMENSION, NULL, &err));
        upsert(r, i, 1, DOCUMENTS, (float)i);
    }
    *state = r;
    return 0;
}

static int real_teardown(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_status status = akidb_storage_close(r->storage, &err);
    akidb_store_close(r->store);
    akidb_store_close(r->inner);
    test_folder_remove(r->folder);
    pthread_mutex_destroy(&r->log.lock);
    free(r);
    return status == AKIDB_OK ? 0 : -1;
}

static akidb_tiering *real_open(real *r)
{
    akidb_error err;
    akidb_tiering *tiering;
    assert_ok(err, akidb_tiering_open(r->storage, &r->options, &tiering, &err));
    return tiering;
}

static akidb_tier tier_of(real *r, size_t collection)
{
    akidb_error err;
    akidb_collection_info info;
    assert_ok(err, akidb_storage_collection(r->storage, &r->ids[collection], &info, &err));
    return info.tier;
}

static void cycle(real *r, akidb_tiering *tiering, int64_t later, size_t moved)
{
    atomic_fetch_add(&r->now, later);
    akidb_tier_report report = place_run(tiering);
    for (size_t i = 0; i < report.count; i++)
        if (report.moves[i].outcome == AKIDB_TIER_FAILED)
            fail_msg("%s", report.moves[i].detail);
    assert_int_equal(report.moved, moved);
    akidb_tier_report_free(&report);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void documents_are_the_same_in_every_tier(void **state)
{
    real *r = *state;
    akidb_tiering *tiering = real_open(r);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(tier_of(r, i), AKIDB_TIER_HOT);
    cycle(r, tiering, 6 * HOUR, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tier_of(r, i), AKIDB_TIER_WARM);
        assert_document(r, i, 7, (float)i);
    }
    cycle(r, tiering, 7 * DAY, 3);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_COLD);
    assert_document(r, 1, 299, 1);
    upsert(r, 1, 5, 1, 50);
    assert_document(r, 1, 5, 50);
    cycle(r, tiering, MINUTE, 1);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_WARM);
    assert_int_equal(tier_of(r, 0), AKIDB_TIER_COLD);
    for (uint64_t i = 1; i <= 10; i++)
        assert_document(r, 1, i, i == 5 ? 50 : 1);
    cycle(r, tiering, MINUTE, 1);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_HOT);
    for (uint64_t i = 1; i <= DOCUMENTS; i++)
        assert_document(r, 1, i, i == 5 ? 50 : 1);
    place_close(tiering);
}

static void where_a_collection_lies_outlives_a_restart(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[1], AKIDB_TIER_WARM, NULL, &err));
    assert_ok(err, akidb_tiering_pin(tiering, &r->ids[1], &err));
    place_close(tiering);
    assert_ok(err, akidb_storage_close(r->storage, &err));
    open_storage(r);
    tiering = real_open(r);
    assert_int_equal(place_status(tiering, 0).tier, AKIDB_TIER_COLD);
    assert_int_equal(place_status(tiering, 1).tier, AKIDB_TIER_WARM);
    assert_true(place_status(tiering, 1).pinned);
    assert_int_equal(place_status(tiering, 2).tier, AKIDB_TIER_HOT);
    cycle(r, tiering, 8 * DAY, 1);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_WARM);
    for (size_t i = 0; i < 3; i++)
        assert_document(r, i, 11, (float)i);
    place_close(tiering);
}

static void an_order_makes_a_missing_local_copy_again(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_move_report report;
    char path[sizeof r->folder + 32];
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_WARM, NULL, &err));
    uint64_t bytes = place_status(tiering, 0).bytes;
    assert_ok(err, akidb_tiering_promote(tiering, &r->ids[0], AKIDB_TIER_WARM, &report, &err));
    assert_int_equal(report.bytes, 0); /* there is nothing to do */
    place_close(tiering);
    assert_ok(err, akidb_storage_close(r->storage, &err));
    snprintf(path, sizeof path, "%s/warm/snapshots", r->folder);
    test_folder_remove(path);
    open_storage(r);
    tiering = real_open(r);
    assert_int_equal(place_status(tiering, 0).bytes, 0);
    assert_ok(err, akidb_tiering_promote(tiering, &r->ids[0], AKIDB_TIER_WARM, &report, &err));
    assert_int_equal(report.from, AKIDB_TIER_WARM);
    assert_int_equal(report.to, AKIDB_TIER_WARM);
    assert_true(report.bytes > 0);
    assert_int_equal(place_status(tiering, 0).bytes, bytes);
    atomic_store(&r->down, true);
    assert_document(r, 0, 7, 0);
    atomic_store(&r->down, false);
    place_close(tiering);
}

static void with_the_store_away_hot_and_warm_go_on_and_demotions_wait(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[1], AKIDB_TIER_WARM, NULL, &err));
    atomic_store(&r->down, true);
    assert_document(r, 2, 3, 2);
    assert_document(r, 1, 3, 1);
    upsert(r, 1, 4, 1, 70);
    assert_document(r, 1, 4, 70);
    upsert(r, 2, 4, 1, 80);
    assert_status(AKIDB_E_STORE, try_to_get(r, 0, 3, &err));

    /* Both should go down now, and nothing may be lost because they cannot. */
    atomic_fetch_add(&r->now, 8 * DAY);
    akidb_tier_report report = place_run(tiering);
    assert_int_equal(report.moved, 0);
    assert_int_equal(report.failed, 1);
    assert_int_equal(report.waiting, 1);
    akidb_tier_report_free(&report);
    assert_document(r, 1, 4, 70);
    assert_document(r, 2, 4, 80);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_WARM);
    assert_int_equal(tier_of(r, 2), AKIDB_TIER_HOT);

    atomic_store(&r->down, false);
    cycle(r, tiering, 9 * DAY, 2);
    assert_int_equal(tier_of(r, 1), AKIDB_TIER_COLD);
    assert_int_equal(tier_of(r, 2), AKIDB_TIER_COLD);
    assert_document(r, 1, 4, 70);
    assert_document(r, 2, 4, 80);
    assert_document(r, 0, 3, 0);
    place_close(tiering);
}

static void a_budget_of_memory_is_kept_with_real_sizes(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_collection_info info;
    assert_ok(err, akidb_storage_collection(r->storage, &r->ids[0], &info, &err));
    r->policy.hot_budget = info.memory_bytes + info.memory_bytes / 2;
    akidb_tiering *tiering = real_open(r);
    atomic_fetch_add(&r->now, SECOND);
    assert_document(r, 2, 1, 2);
    cycle(r, tiering, SECOND, 2);
    assert_int_equal(tier_of(r, 2), AKIDB_TIER_HOT);
    akidb_tier_status status = place_status(tiering, 2);
    assert_int_equal(status.bytes, info.memory_bytes);
    assert_int_equal(status.documents, DOCUMENTS);
    place_close(tiering);
}

/* The worker goes by the clock of the test, and is called by what really happens. */
static void the_worker_promotes_what_is_read_while_cold(void **state)
{
    real *r = *state;
    akidb_error err;
    akidb_tiering *tiering = real_open(r);
    assert_ok(err, akidb_tiering_demote(tiering, &r->ids[0], AKIDB_TIER_COLD, NULL, &err));
    assert_ok(err, akidb_tiering_start(tiering, &err));
    atomic_fetch_add(&r->now, SECOND);
    assert_document(r, 0, 17, 0);
    for (int i = 0; i < 5000 && tier_of(r, 0) != AKIDB_TIER_WARM; i++) {
        const struct timespec little = {0, 2000000};
        nanosleep(&little, NULL);
    }
    assert_int_equal(tier_of(r, 0), AKIDB_TIER_WARM);
    assert_document(r, 0, 17, 0);
    place_close(tiering);
}

#define real_test(f) cmocka_unit_test_setup_teardown(f, real_setup, real_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        real_test(documents_are_the_same_in_every_tier),
        real_test(where_a_collection_lies_outlives_a_restart),
        real_test(an_order_makes_a_missing_local_copy_again),
        real_test(with_the_store_away_hot_and_warm_go_on_and_demotions_wait),
        real_test(a_budget_of_memory_is_kept_with_real_sizes),
        real_test(the_worker_promotes_what_is_read_while_cold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
