/* What a get of a warm or a cold collection reads: how many bytes, in how many requests. */
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ---- many ids of a cold collection -------------------------------------------------------------
 */

/* A store of which each ranged read takes a while, so that reads meet. */
typedef struct slow_store {
    pthread_mutex_t lock;
    uint64_t requests, in_flight, in_flight_max;
    int fails_after; /* so many reads; -1: never */
    akidb_store *faulty, *traced;
} slow_store;

static akidb_fault begin_read(void *context, akidb_store_op op, const char *key)
{
    slow_store *s = context;
    bool fails = false;
    (void)key;
    if (op != AKIDB_STORE_GET_RANGE)
        return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
    pthread_mutex_lock(&s->lock);
    s->requests++;
    if (++s->in_flight > s->in_flight_max)
        s->in_flight_max = s->in_flight;
    fails = s->fails_after == 0;
    if (s->fails_after > 0)
        s->fails_after--;
    pthread_mutex_unlock(&s->lock);
    usleep(5000);
    return (akidb_fault){fails ? AKIDB_FAULT_BEFORE : AKIDB_FAULT_NONE, AKIDB_OK};
}

static void end_read(void *context, const akidb_store_call *call)
{
    slow_store *s = context;
    if (call->op != AKIDB_STORE_GET_RANGE)
        return;
    pthread_mutex_lock(&s->lock);
    s->in_flight--;
    pthread_mutex_unlock(&s->lock);
}

/* A cold collection of which nothing has been read, on such a store. */
static world *cold_and_slow(const char *folder, uint32_t group_rows, uint64_t cache_bytes,
                            slow_store *s)
{
    akidb_error err;
    world *w = world_new(folder);
    w->options.page_cache_bytes = cache_bytes;
    w->parquet.row_group_size = group_rows;
    w->parquet.page_bytes = PAGE_BYTES;
    world_reopen(w);
    test_upsert(w->storage, &books, 0, DOCUMENTS, 1);
    world_move(w, AKIDB_TIER_COLD);
    *s = (slow_store){.fails_after = -1};
    pthread_mutex_init(&s->lock, NULL);
    assert_ok(err, akidb_store_fault_open(w->store, begin_read, s, &s->faulty, &err));
    assert_ok(err, akidb_store_trace_open(s->faulty, end_read, s, &s->traced, &err));
    w->options.store = s->traced;
    world_reopen(w);
    s->requests = s->in_flight_max = 0;
    return w;
}

static void cold_and_slow_free(world *w, slow_store *s)
{
    world_free(w);
    akidb_store_close(s->traced);
    akidb_store_close(s->faulty);
    pthread_mutex_destroy(&s->lock);
}

/* Every stride-th document, last first, one of them twice, and one that is not there. */
static void assert_gets_many(const world *w, uint64_t stride)
{
    enum { IDS = 66 };
    akidb_error err;
    akidb_documents *documents;
    akidb_uuid ids[IDS];
    uint64_t numbers[IDS];
    size_t found, row = 0;
    for (uint64_t i = 0; i < IDS; i++)
        numbers[i] = (IDS - 1 - i) * stride;
    numbers[20] = numbers[40];
    numbers[30] = DOCUMENTS + 1;
    for (size_t i = 0; i < IDS; i++)
        ids[i] = test_id(numbers[i]);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_storage_get(w->storage, &books, ids, IDS, documents, &found, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(found, IDS - 1);
    assert_int_equal(batch.rows, IDS - 1);
    for (size_t i = 0; i < IDS; i++)
        if (i != 30)
            assert_document(&batch, row++, numbers[i], 1);
    akidb_documents_free(documents);
}

static void many_ids_of_a_cold_collection_are_fetched_at_once_and_no_page_twice(void **state)
{
    slow_store s;
    world *w = cold_and_slow(*state, 125, 0, &s);
    assert_gets_many(w, 60); /* about two of each of 32 row groups */
    uint64_t requests = s.requests;
    assert_true(s.in_flight_max >= 4);
    assert_true(s.in_flight_max <= 17); /* the threads of the storage, and this one */
    assert_gets_many(w, 60);
    assert_int_equal(s.requests, requests); /* the cache has all */
    cold_and_slow_free(w, &s);
}

static void many_ids_of_one_row_group_share_its_small_columns(void **state)
{
    slow_store s;
    world *w = cold_and_slow(*state, DOCUMENTS, 0, &s);
    assert_gets_many(w, 60);
    assert_true(s.in_flight_max >= 4);
    /* The tail, all small columns, and at most a page for each of 65 documents. */
    assert_true(s.requests <= 67);
    cold_and_slow_free(w, &s);
}

static void a_cache_that_keeps_nothing_makes_no_page_of_a_get_come_twice(void **state)
{
    slow_store s;
    world *w = cold_and_slow(*state, 500, 0, &s);
    assert_gets_many(w, 60);
    uint64_t requests = s.requests;
    cold_and_slow_free(w, &s);
    test_folder_remove(*state);
    assert_int_equal(mkdir(*state, 0700), 0);
    w = cold_and_slow(*state, 500, 1, &s);
    assert_gets_many(w, 60);
    assert_int_equal(s.requests, requests);
    cold_and_slow_free(w, &s);
}

static void many_ids_are_found_by_the_index_as_well(void **state)
{
    slow_store s;
    uint64_t count;
    akidb_error err;
    world *w = cold_and_slow(*state, 500, 0, &s);
    test_upsert(w->storage, &books, 0, 1, 1); /* so that the exact count needs the index */
    assert_ok(err, akidb_storage_count(w->storage, &books, &count, &err));
    assert_int_equal(count, DOCUMENTS);
    assert_non_null(ak_base_index(w->storage->collections[0]->base));
    assert_gets_many(w, 60);
    cold_and_slow_free(w, &s);
}

/* The documents of a failed get stay as they were. */
static void assert_get_many_fails(const world *w, akidb_status status, akidb_error *err)
{
    akidb_documents *documents;
    akidb_uuid ids[64];
    size_t found;
    for (uint64_t i = 0; i < 64; i++)
        ids[i] = test_id(i * 60);
    assert_ok(*err, akidb_documents_new(TEST_DIMENSION, &documents, err));
    assert_status(status, akidb_storage_get(w->storage, &books, ids, 64, documents, &found, err));
    assert_int_equal(found, 0);
    assert_int_equal(akidb_documents_batch(documents).rows, 0);
    akidb_documents_free(documents);
}

static void many_ids_stop_at_the_first_request_that_fails(void **state)
{
    akidb_error err;
    slow_store s;
    world *w = cold_and_slow(*state, 125, 0, &s);
    s.fails_after = 5;
    assert_get_many_fails(w, AKIDB_E_STORE, &err);
    assert_true(s.requests <= 6 + 2 * 17); /* what had begun */
    s.fails_after = -1;
    assert_gets_many(w, 60);
    cold_and_slow_free(w, &s);
}

static void damage_among_many_ids_is_corruption_and_says_where(void **state)
{
    akidb_error err;
    akidb_buffer part;
    slow_store s;
    char collection[AKIDB_UUID_TEXT_SIZE], snapshot[AKIDB_UUID_TEXT_SIZE], key[256];
    world *w = cold_and_slow(*state, 125, 0, &s);
    akidb_uuid newest = world_info(w).snapshot_id;
    akidb_uuid_format(&books, collection);
    akidb_uuid_format(&newest, snapshot);
    snprintf(key, sizeof key, "snapshots/%s/%s.parquet", collection, snapshot);
    assert_ok(err, akidb_store_get(w->inner, key, 1 << 24, &part, &err));
    part.data[part.size / 3] ^= 4;
    akidb_slice slice = {part.data, part.size};
    assert_ok(err, akidb_store_put(w->inner, key, &slice, 1, AKIDB_PUT_ALWAYS, &err));
    assert_get_many_fails(w, AKIDB_E_CORRUPTION, &err);
    assert_non_null(strstr(err.message, key));
    assert_non_null(strstr(err.message, "at byte"));
    assert_non_null(strstr(err.message, "row group"));
    akidb_buffer_free(&part);
    cold_and_slow_free(w, &s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(a_warm_get_reads_one_page_of_each_column),
        storage_test(a_warm_get_by_external_id_reads_no_more),
        storage_test(many_ids_of_a_cold_collection_are_fetched_at_once_and_no_page_twice),
        storage_test(many_ids_of_one_row_group_share_its_small_columns),
        storage_test(a_cache_that_keeps_nothing_makes_no_page_of_a_get_come_twice),
        storage_test(many_ids_are_found_by_the_index_as_well),
        storage_test(many_ids_stop_at_the_first_request_that_fails),
        storage_test(damage_among_many_ids_is_corruption_and_says_where),
        storage_test(the_memory_of_a_collection_counts_the_ids_that_were_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
