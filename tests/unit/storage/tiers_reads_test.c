/* What a get of a warm or a cold collection reads: how many bytes, in how many requests. */
#include "snapshot/snapshotter.h"
#include "tiers_support.h"

enum { DOCUMENTS = 4000, PAGE_BYTES = 4096 };

/* Reads of parts, but not of metadata. */
typedef struct reads {
    _Atomic uint64_t requests, bytes;
} reads;

static void count_reads(void *context, const akidb_store_call *call)
{
    reads *r = context;
    if (call->op != AKIDB_STORE_GET_RANGE)
        return;
    atomic_fetch_add(&r->requests, 1);
    atomic_fetch_add(&r->bytes, call->bytes);
}

static void forget(reads *r)
{
    atomic_store(&r->requests, 0);
    atomic_store(&r->bytes, 0);
}

/* A world of two row groups with many small pages. */
static world *small_pages(const char *folder)
{
    world *w = world_new(folder);
    w->parquet.row_group_size = DOCUMENTS / 2;
    w->parquet.page_bytes = PAGE_BYTES;
    world_reopen(w);
    test_upsert(w->storage, &books, 0, DOCUMENTS, 1);
    return w;
}

/* The local copy is read through a store that counts. */
static akidb_store *watch_warm(world *w, reads *r)
{
    akidb_error err;
    akidb_store *traced;
    assert_ok(err, akidb_store_trace_open(w->storage->warm, count_reads, r, &traced, &err));
    w->storage->background.warm->store = traced;
    return traced;
}

static void a_warm_get_reads_one_page_of_each_column(void **state)
{
    reads r = {0};
    world *w = small_pages(*state);
    world_move(w, AKIDB_TIER_WARM);
    world_reopen(w);
    akidb_store *traced = watch_warm(w, &r);
    assert_has(w->storage, &books, 1, 1); /* tails and index come with the first one */
    forget(&r);
    assert_has(w->storage, &books, DOCUMENTS - 500, 1); /* in the other row group */
    assert_int_equal(r.requests, 4);                    /* external ids, metadata, times, vectors */
    assert_true(r.bytes <= 4 * (PAGE_BYTES + 1024));    /* a page has its header besides */
    forget(&r);
    assert_has(w->storage, &books, DOCUMENTS - 500, 1);
    assert_int_equal(r.requests, 0);
    assert_has(w->storage, &books, DOCUMENTS, 0);
    assert_int_equal(r.requests, 0);
    for (uint64_t i = 0; i < DOCUMENTS; i += 7)
        assert_has(w->storage, &books, i, 1);
    world_free(w);
    akidb_store_close(traced);
}

static void a_warm_get_by_external_id_reads_no_more(void **state)
{
    akidb_error err;
    reads r = {0};
    size_t found;
    akidb_documents *documents;
    world *w = small_pages(*state);
    world_move(w, AKIDB_TIER_WARM);
    world_reopen(w);
    akidb_store *traced = watch_warm(w, &r);
    assert_has(w->storage, &books, 1, 1);
    forget(&r);
    uint64_t number = DOCUMENTS / 2;
    test_document d;
    test_document_make(&d, number, 1);
    while (d.external_id.size == 0)
        test_document_make(&d, ++number, 1);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_storage_get_by_external_id(w->storage, &books, d.external_id, documents,
                                                    &found, &err));
    assert_true(found >= 1);
    assert_true(r.requests <= 4 * found);
    assert_true(r.bytes <= 4 * found * (PAGE_BYTES + 1024));
    akidb_documents_free(documents);
    world_free(w);
    akidb_store_close(traced);
}

static void the_memory_of_a_collection_counts_the_ids_that_were_written(void **state)
{
    enum { WRITTEN = 1000, ENTRY = sizeof(akidb_uuid) + sizeof(uint64_t) };
    akidb_error err;
    akidb_uuid ids[WRITTEN];
    world *w = small_pages(*state);
    world_move(w, AKIDB_TIER_COLD);
    uint64_t before = world_info(w).memory_bytes;
    for (uint64_t i = 0; i < WRITTEN; i++)
        ids[i] = test_id(i);
    /* A delete leaves no document in memory, only that its id is hidden. */
    assert_ok(err, akidb_storage_delete(w->storage, &books, ids, WRITTEN, NULL, &err));
    assert_true(world_info(w).memory_bytes >= before + WRITTEN * ENTRY);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(a_warm_get_reads_one_page_of_each_column),
        storage_test(a_warm_get_by_external_id_reads_no_more),
        storage_test(the_memory_of_a_collection_counts_the_ids_that_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
