#ifndef AK_TEST_TIERING_REAL_H
#define AK_TEST_TIERING_REAL_H
/* Tiering on a real storage, on a store that may go away. */
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
    _Atomic uint64_t calls; /* to the store */
    _Atomic int64_t now;
    akidb_clock clock;
    test_log log;
    akidb_hooks hooks;
    akidb_tier_policy policy;
    akidb_tiering_options options;
} real;

static inline int64_t now_of(void *handle)
{
    const real *r = handle;
    return atomic_load(&r->now);
}

static inline akidb_fault decide(void *context, akidb_store_op op, const char *key)
{
    real *r = context;
    (void)op;
    (void)key;
    atomic_fetch_add(&r->calls, 1);
    return (akidb_fault){atomic_load(&r->down) ? AKIDB_FAULT_BEFORE : AKIDB_FAULT_NONE,
                         AKIDB_E_STORE};
}

static inline void upsert(real *r, size_t collection, uint64_t first, size_t count, float value)
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
static inline void assert_document(real *r, size_t collection, uint64_t number, float value)
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

static inline akidb_status try_to_get(real *r, size_t collection, uint64_t number, akidb_error *err)
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

static inline void open_storage(real *r)
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

/* With three collections in memory. Takes the store over; NULL when there is no folder. */
static inline real *real_new(akidb_store *(*open_store)(real *))
{
    akidb_error err;
    real *r = calloc(1, sizeof *r);
    if (r == NULL || !test_folder_make(r->folder)) {
        free(r);
        return NULL;
    }
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
    r->inner = open_store(r);
    assert_ok(err, akidb_store_fault_open(r->inner, decide, r, &r->store, &err));
    open_storage(r);
    for (size_t i = 0; i < 3; i++) {
        r->ids[i] = fake_id(1000 + i);
        assert_ok(err,
                  akidb_storage_create_collection(r->storage, &r->ids[i], DIMENSION, NULL, &err));
        upsert(r, i, 1, DOCUMENTS, (float)i);
    }
    return r;
}

static inline akidb_status real_free(real *r)
{
    akidb_error err;
    akidb_status status = akidb_storage_close(r->storage, &err);
    akidb_store_close(r->store);
    akidb_store_close(r->inner);
    test_folder_remove(r->folder);
    pthread_mutex_destroy(&r->log.lock);
    free(r);
    return status;
}

static inline akidb_tiering *real_open(real *r)
{
    akidb_error err;
    akidb_tiering *tiering;
    assert_ok(err, akidb_tiering_open(r->storage, &r->options, &tiering, &err));
    return tiering;
}

static inline akidb_tier tier_of(real *r, size_t collection)
{
    akidb_error err;
    akidb_collection_info info;
    assert_ok(err, akidb_storage_collection(r->storage, &r->ids[collection], &info, &err));
    return info.tier;
}

static inline void cycle(real *r, akidb_tiering *tiering, int64_t later, size_t moved)
{
    atomic_fetch_add(&r->now, later);
    akidb_tier_report report = place_run(tiering);
    for (size_t i = 0; i < report.count; i++)
        if (report.moves[i].outcome == AKIDB_TIER_FAILED)
            fail_msg("%s", report.moves[i].detail);
    assert_int_equal(report.moved, moved);
    akidb_tier_report_free(&report);
}

#endif
