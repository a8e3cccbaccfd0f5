/* The parts of tiers that need no storage: shadow, index of rows, cache, catalogue; and pages. */
#include "storage/cache.h"
#include "storage/catalogue.h"
#include "storage/row_index.h"
#include "storage/shadow.h"

#include "support.h"

/* ---- shadow ---------------------------------------------------------------------------------- */

static void a_shadow_hides_what_was_written_up_to_an_lsn(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    akidb_error err;
    _Atomic uint64_t memory = 0;
    ak_shadow *shadow;
    assert_ok(err, ak_shadow_new(7, &memory, &shadow, &err));
    assert_ok(err, ak_shadow_reserve(shadow, 2 * COUNT, &err));
    assert_true(memory > COUNT * sizeof(akidb_uuid));
    for (uint64_t i = 0; i < COUNT; i++) {
        akidb_uuid id = test_id(i);
        assert_true(ak_shadow_add(shadow, &id, i + 10));
        assert_false(ak_shadow_add(shadow, &id, i + 20)); /* the first LSN counts */
    }
    assert_int_equal(ak_shadow_count(shadow), COUNT);
    for (uint64_t i = 0; i < 2 * COUNT; i++) {
        akidb_uuid id = test_id(i);
        assert_int_equal(ak_shadow_hides(shadow, &id, i + 10), i < COUNT);
        assert_false(ak_shadow_hides(shadow, &id, i + 9));
    }
    akidb_uuid last = test_id(COUNT - 1), found = ak_shadow_at(shadow, COUNT - 1);
    assert_memory_equal(&last, &found, sizeof last);
    ak_shadow_retain(shadow);
    ak_shadow_release(shadow);
    ak_shadow_release(shadow);
    assert_int_equal(memory, 0);
}

/* ---- index of rows --------------------------------------------------------------------------- */

static void an_index_of_rows_finds_each_id_and_nothing_else(void **state)
{
    (void)state;
    enum { ROWS = 5000 };
    akidb_error err;
    ak_row_index index = {.hash_seed = 3};
    for (uint64_t first = 0; first < ROWS; first += 500) {
        akidb_documents *documents = test_documents(first, 500, 1);
        akidb_batch batch = akidb_documents_batch(documents);
        assert_ok(err, ak_row_index_add(&index, &batch, &err));
        akidb_documents_free(documents);
    }
    assert_ok(err, ak_row_index_finish(&index, &err));
    for (uint64_t i = 0; i < 2 * ROWS; i++) {
        uint32_t row;
        akidb_uuid id = test_id(i);
        assert_int_equal(ak_row_index_find(&index, &id, &row), i < ROWS);
        if (i < ROWS)
            assert_int_equal(row, i);
    }
    size_t with_text = 0;
    for (uint64_t i = 0; i < ROWS; i++) {
        test_document d;
        test_document_make(&d, i, 1);
        if (d.external_id.data == NULL)
            continue;
        const ak_row_text *candidates;
        size_t count, hits = 0;
        ak_row_index_find_external(&index, d.external_id, &candidates, &count);
        for (size_t n = 0; n < count; n++)
            hits += candidates[n].row == i;
        assert_int_equal(hits, 1);
        with_text++;
    }
    assert_int_equal(index.external_count, with_text);
    assert_true(ak_row_index_bytes(&index) < ROWS * 40);
    ak_row_index_free(&index);
}

static void an_empty_index_of_rows_finds_nothing(void **state)
{
    (void)state;
    akidb_error err;
    uint32_t row;
    akidb_uuid id = test_id(1);
    const ak_row_text *candidates;
    size_t count;
    ak_row_index index = {0};
    assert_ok(err, ak_row_index_finish(&index, &err));
    assert_false(ak_row_index_find(&index, &id, &row));
    ak_row_index_find_external(&index, (akidb_slice){"x", 1}, &candidates, &count);
    assert_int_equal(count, 0);
    ak_row_index_free(&index);
}

/* ---- cache ----------------------------------------------------------------------------------- */

static int destroyed;

static void destroy(void *value)
{
    destroyed++;
    free(value);
}

static void put_page(ak_cache *cache, uint64_t snapshot, uint64_t page, uint64_t bytes, bool hold,
                     ak_cached **held)
{
    akidb_error err;
    ak_cached *cached;
    ak_cache_key key = {test_id(snapshot), 3, 0, page};
    uint64_t *value = malloc(sizeof *value);
    assert_non_null(value);
    *value = page;
    assert_ok(err, ak_cache_add(cache, &key, value, destroy, bytes, &cached, &err));
    assert_int_equal(*(uint64_t *)cached->value, page);
    if (hold)
        *held = cached;
    else
        ak_cache_release(cache, cached);
}

static bool has_page(ak_cache *cache, uint64_t snapshot, uint64_t page)
{
    ak_cache_key key = {test_id(snapshot), 3, 0, page};
    ak_cached *found = ak_cache_find(cache, &key);
    if (found == NULL)
        return false;
    assert_int_equal(*(uint64_t *)found->value, page);
    ak_cache_release(cache, found);
    return true;
}

static void a_cache_keeps_what_was_used_last_and_what_is_held(void **state)
{
    (void)state;
    akidb_error err;
    ak_cache *cache;
    ak_cached *held;
    destroyed = 0;
    assert_ok(err, ak_cache_new(10000, &cache, &err));
    put_page(cache, 1, 0, 3000, true, &held);
    put_page(cache, 1, 1, 3000, false, NULL);
    put_page(cache, 1, 2, 3000, false, NULL);
    assert_true(has_page(cache, 1, 1)); /* so that 0 and 2 are older */
    put_page(cache, 2, 3, 5000, false, NULL);
    assert_false(has_page(cache, 1, 0));
    assert_false(has_page(cache, 1, 2));
    assert_true(has_page(cache, 1, 1));
    assert_true(has_page(cache, 2, 3));
    assert_int_equal(*(uint64_t *)held->value, 0); /* gone from the cache, not from who has it */
    assert_int_equal(destroyed, 1);
    ak_cache_release(cache, held);
    assert_int_equal(destroyed, 2);
    put_page(cache, 2, 4, 20000, true, &held); /* larger than all */
    assert_false(has_page(cache, 2, 4));
    ak_cache_release(cache, held);
    assert_int_equal(destroyed, 3);
    put_page(cache, 2, 3, 100, false, NULL); /* a second one of the same key */
    assert_int_equal(destroyed, 4);
    akidb_uuid second = test_id(2);
    ak_cache_forget(cache, &second);
    assert_false(has_page(cache, 2, 3));
    assert_true(has_page(cache, 1, 1));
    assert_true(ak_cache_get_statistics(cache).bytes < 4000);
    ak_cache_free(cache);
    assert_int_equal(destroyed, 6);
}

/* ---- catalogue ------------------------------------------------------------------------------- */

static void round_trip(const ak_catalogue *catalogue, ak_catalogue *found, akidb_status expected)
{
    akidb_error err;
    akidb_buffer text = {0};
    assert_ok(err, ak_catalogue_encode(catalogue, &text, &err));
    assert_status(expected, ak_catalogue_decode((akidb_slice){text.data, text.size}, found, &err));
    akidb_buffer_free(&text);
}

static void the_tier_is_in_the_catalogue_with_what_it_needs(void **state)
{
    (void)state;
    akidb_error err;
    ak_catalogue catalogue = {0}, found;
    for (int tier = AKIDB_TIER_HOT; tier <= AKIDB_TIER_COLD; tier++) {
        ak_catalogue_collection *added;
        assert_ok(err, ak_catalogue_add(&catalogue, &added, &err));
        added->id = test_id((uint64_t)tier);
        added->created.dimension = 3;
        added->tier = (akidb_tier)tier;
        added->has_snapshot = true;
        added->snapshot_rows = 100 + (uint64_t)tier;
        added->snapshot_bytes = 5000;
    }
    round_trip(&catalogue, &found, AKIDB_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(found.collections[i].tier, i);
        assert_int_equal(found.collections[i].snapshot_rows, 100 + i);
        assert_int_equal(found.collections[i].snapshot_bytes, 5000);
    }
    ak_catalogue_free(&found);
    /* As catalogues were before there were tiers. */
    catalogue.collections[0].snapshot_bytes = 0;
    round_trip(&catalogue, &found, AKIDB_OK);
    assert_int_equal(found.collections[0].tier, AKIDB_TIER_HOT);
    assert_int_equal(found.collections[0].snapshot_rows, 0);
    ak_catalogue_free(&found);
    catalogue.collections[2].snapshot_bytes = 0;
    round_trip(&catalogue, &found, AKIDB_E_CORRUPTION);
    ak_catalogue_free(&catalogue);
}

/* ---- pages ----------------------------------------------------------------------------------- */

enum { WIDE = 512, WIDE_ROWS = 700 };

static akidb_documents *wide_documents(void)
{
    akidb_error err;
    akidb_documents *documents;
    float vector[WIDE];
    assert_ok(err, akidb_documents_new(WIDE, &documents, &err));
    for (uint64_t number = 0; number < WIDE_ROWS; number++) {
        test_document d;
        test_document_make(&d, number, 1);
        d.time += number == 650; /* microseconds */
        for (size_t i = 0; i < WIDE; i++)
            vector[i] = (float)(number * 1000 + i) * 0.37f;
        akidb_document document = {.document_id = &d.id,
                                   .external_id = d.external_id,
                                   .vector = vector,
                                   .dimension = WIDE,
                                   .metadata = d.meta,
                                   .inserted_at = &d.time};
        assert_ok(err, akidb_documents_append(documents, &document, &err));
    }
    return documents;
}

/* Several pages in a row group, several row groups, several parts, each codec, with and without
 * room in the cache: each document is the one that was written, bit for bit. */
static void each_page_of_a_large_snapshot_is_found(void **state)
{
    static const akidb_compression codecs[] = {AKIDB_COMPRESSION_NONE, AKIDB_COMPRESSION_SNAPPY,
                                               AKIDB_COMPRESSION_ZSTD};
    const akidb_uuid collection = {{9}};
    akidb_error err;
    akidb_documents *documents = wide_documents(), *found;
    akidb_batch batch = akidb_documents_batch(documents);
    assert_ok(err, akidb_documents_new(WIDE, &found, &err));
    for (size_t round = 0; round < 6; round++) {
        akidb_parquet_options parquet = {
            .struct_size = sizeof parquet,
            .compression = codecs[round % 3],
            .page_bytes = 16 << 10,
            .vector_encoding = round % 2 == 0 ? AKIDB_VECTOR_PLAIN : AKIDB_VECTOR_BYTE_STREAM_SPLIT,
            .row_group_size = 300};
        akidb_snapshotter_options snapshots = {
            .struct_size = sizeof snapshots, .parquet = &parquet, .part_rows = 400};
        akidb_storage_options options = test_options(*state);
        options.snapshots = &snapshots;
        options.page_cache_bytes = round < 3 ? 1 : 0;
        akidb_storage *storage = test_open(&options, NULL);
        assert_ok(err, akidb_storage_create_collection(storage, &collection, WIDE, NULL, &err));
        assert_ok(err, akidb_storage_upsert(storage, &collection, &batch, NULL, &err));
        for (int tier = AKIDB_TIER_COLD; tier >= AKIDB_TIER_WARM; tier--) {
            size_t count;
            akidb_documents_clear(found);
            assert_ok(err,
                      akidb_storage_move(storage, &collection, (akidb_tier)tier, NULL, NULL, &err));
            assert_ok(err, akidb_storage_get(storage, &collection, batch.document_ids, WIDE_ROWS,
                                             found, &count, &err));
            akidb_batch got = akidb_documents_batch(found);
            assert_int_equal(count, WIDE_ROWS);
            assert_memory_equal(got.vectors, batch.vectors, sizeof(float) * WIDE * WIDE_ROWS);
            assert_memory_equal(got.inserted_at, batch.inserted_at, sizeof(int64_t) * WIDE_ROWS);
            for (size_t row = 0; row < WIDE_ROWS; row++) {
                assert_same_text(akidb_texts_at(&got.external_ids, row),
                                 akidb_texts_at(&batch.external_ids, row));
                assert_same_text(akidb_texts_at(&got.metadata, row),
                                 akidb_texts_at(&batch.metadata, row));
            }
        }
        assert_ok(err, akidb_storage_drop_collection(storage, &collection, &err));
        test_close(storage);
    }
    akidb_documents_free(found);
    akidb_documents_free(documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shadow_hides_what_was_written_up_to_an_lsn),
        cmocka_unit_test(an_index_of_rows_finds_each_id_and_nothing_else),
        cmocka_unit_test(an_empty_index_of_rows_finds_nothing),
        cmocka_unit_test(a_cache_keeps_what_was_used_last_and_what_is_held),
        cmocka_unit_test(the_tier_is_in_the_catalogue_with_what_it_needs),
        storage_test(each_page_of_a_large_snapshot_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
