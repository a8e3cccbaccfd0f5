/* The parts of the backend that need no disk: log entries, index, catalogue, rows in memory. */
#include "base/buffer.h"
#include "storage/catalogue.h"
#include "storage/contents.h"
#include "storage/index.h"
#include "storage/log_entry.h"

#include "support.h"

/* ---- log entries ----------------------------------------------------------------------------- */

static void encode(const ak_log_entry *entry, akidb_buffer *payload)
{
    akidb_error err;
    akidb_buffer head = {0};
    akidb_slice slices[AK_LOG_SLICES_MAX];
    size_t count;
    payload->size = 0;
    assert_ok(err, ak_log_encode(entry, &head, slices, &count, &err));
    for (size_t i = 0; i < count; i++)
        assert_ok(err, ak_buffer_append(payload, slices[i].data, slices[i].size, &err));
    akidb_buffer_free(&head);
}

static akidb_slice view(const akidb_buffer *payload)
{
    return (akidb_slice){payload->data, payload->size};
}

/* All prefixes and one byte more must be refused; in memory of their own, so that a sanitizer sees
 * a read beyond. */
static void assert_exact(ak_log_kind kind, const akidb_buffer *payload)
{
    for (size_t size = 0; size <= payload->size + 1; size++) {
        if (size == payload->size)
            continue;
        akidb_error err;
        ak_log_entry entry;
        uint8_t *copy = calloc(1, size == 0 ? 1 : size);
        assert_non_null(copy);
        memcpy(copy, payload->data, size < payload->size ? size : payload->size);
        assert_status(AKIDB_E_CORRUPTION,
                      ak_log_decode(kind, (akidb_slice){copy, size}, &entry, &err));
        free(copy);
    }
}

static void entries_are_read_as_they_were_written(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer payload = {0};
    ak_log_entry entry = {.kind = AK_LOG_RESTORE,
                          .collection = test_id(1),
                          .incarnation = test_id(2),
                          .snapshot = test_id(3),
                          .creates = true,
                          .lsn = 77,
                          .created = {7, true,
                                      "b\xc3\xbc"
                                      "cher"}};
    ak_log_entry found;
    for (int kind = AK_LOG_CREATE; kind <= AK_LOG_CHECKPOINT; kind++) {
        entry.kind = (ak_log_kind)kind;
        entry.creates = kind == AK_LOG_RESTORE;
        if (kind == AK_LOG_UPSERT || kind == AK_LOG_DELETE)
            continue;
        encode(&entry, &payload);
        assert_exact(entry.kind, &payload);
        assert_ok(err, ak_log_decode(entry.kind, view(&payload), &found, &err));
        assert_memory_equal(&found.collection, &entry.collection, 16);
        assert_memory_equal(&found.incarnation, &entry.incarnation, 16);
        if (kind == AK_LOG_CREATE || kind == AK_LOG_RESTORE) {
            assert_string_equal(found.created.name, entry.created.name);
            assert_int_equal(found.created.dimension, 7);
        }
        if (kind == AK_LOG_RESTORE || kind == AK_LOG_CHECKPOINT)
            assert_memory_equal(&found.snapshot, &entry.snapshot, 16);
        assert_int_equal(found.creates, entry.creates);
        assert_int_equal(found.lsn, kind == AK_LOG_CHECKPOINT ? 77 : 0);
    }
    akidb_uuid ids[3] = {test_id(4), test_id(5), test_id(6)};
    entry = (ak_log_entry){.kind = AK_LOG_DELETE, .ids = (uint8_t *)ids, .id_count = 3};
    encode(&entry, &payload);
    assert_ok(err, ak_log_decode(AK_LOG_DELETE, view(&payload), &found, &err));
    assert_int_equal(found.id_count, 3);
    assert_memory_equal(found.ids, ids, sizeof ids);
    assert_status(AKIDB_E_CORRUPTION, ak_log_decode((ak_log_kind)9, view(&payload), &found, &err));
    akidb_buffer_free(&payload);
}

static void upserts_are_read_as_they_were_written(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer payload = {0};
    akidb_documents *documents = test_documents(1, 4, 9);
    akidb_batch batch = akidb_documents_batch(documents);
    ak_log_columns columns = {0};
    assert_ok(err, ak_log_columns_take(&columns, &batch, &err));
    ak_log_entry entry = {.kind = AK_LOG_UPSERT, .rows = columns.rows}, found;
    encode(&entry, &payload);
    assert_exact(AK_LOG_UPSERT, &payload);
    assert_ok(err, ak_log_decode(AK_LOG_UPSERT, view(&payload), &found, &err));
    assert_int_equal(found.rows.rows, 4);
    assert_int_equal(found.rows.text_size, columns.rows.text_size);
    assert_memory_equal(found.rows.ids, batch.document_ids, 64);
    assert_memory_equal(found.rows.times, batch.inserted_at, 32);
    assert_memory_equal(found.rows.vectors, batch.vectors, 4 * TEST_DIMENSION * sizeof(float));
    assert_memory_equal(found.rows.external_sizes, columns.external_sizes.data, 16);
    assert_memory_equal(found.rows.metadata_bytes, columns.metadata_bytes.data,
                        columns.metadata_bytes.size);
    /* A count that no payload can hold is no reason to believe it. */
    memset(payload.data + 32, 0xFF, 8);
    assert_status(AKIDB_E_CORRUPTION, ak_log_decode(AK_LOG_UPSERT, view(&payload), &found, &err));
    ak_log_columns_free(&columns);
    akidb_documents_free(documents);
    akidb_buffer_free(&payload);
}

/* ---- index ----------------------------------------------------------------------------------- */

static void an_index_finds_what_was_added_and_not_removed(void **state)
{
    (void)state;
    enum { KEYS = 500, STEPS = 20000 };
    akidb_error err;
    ak_index index = {0};
    bool there[KEYS] = {false};
    uint64_t seed = 7;
    assert_int_equal(ak_index_first(&index, 5), AK_INDEX_NONE);
    for (int step = 0; step < STEPS; step++) {
        uint64_t key = test_random(&seed) % KEYS;
        uint64_t hash = key / 3 * 16; /* three keys share one, many share their place */
        size_t at = ak_index_first(&index, hash);
        while (at != AK_INDEX_NONE && index.slots[at].reference != key)
            at = ak_index_next(&index, hash, at);
        assert_int_equal(at != AK_INDEX_NONE, there[key]);
        if (there[key]) {
            ak_index_remove(&index, at);
        } else {
            assert_ok(err, ak_index_reserve(&index, index.count + 1, &err));
            ak_index_add(&index, hash, key);
        }
        there[key] = !there[key];
    }
    ak_index_free(&index);
}

/* ---- catalogue ------------------------------------------------------------------------------- */

static void make_catalogue(ak_catalogue *catalogue)
{
    akidb_error err;
    ak_catalogue_collection *added;
    *catalogue = (ak_catalogue){.log_id = test_id(1), .lsn = UINT64_MAX, .log_from = 5};
    assert_ok(err, ak_catalogue_add(catalogue, &added, &err));
    *added = (ak_catalogue_collection){.id = test_id(2),
                                       .incarnation = test_id(3),
                                       .created = {512, true, "\"q\" \\"},
                                       .created_lsn = 4,
                                       .replay_after = 99,
                                       .has_snapshot = true,
                                       .snapshot_id = test_id(4),
                                       .snapshot_lsn = 99,
                                       .snapshot_at = TEST_TIME + 1};
    assert_ok(err, ak_catalogue_add(catalogue, &added, &err));
    *added = (ak_catalogue_collection){.id = test_id(5), .created = {1, false, ""}};
}

static void a_catalogue_is_read_as_it_was_written(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer text = {0};
    ak_catalogue catalogue, found;
    make_catalogue(&catalogue);
    assert_ok(err, ak_catalogue_encode(&catalogue, &text, &err));
    assert_ok(err, ak_catalogue_decode(view(&text), &found, &err));
    assert_true(found.lsn == UINT64_MAX);
    assert_int_equal(found.log_from, 5);
    assert_int_equal(found.count, 2);
    assert_memory_equal(found.collections, catalogue.collections, 2 * sizeof *found.collections);
    ak_catalogue_free(&found);
    ak_catalogue_free(&catalogue);
    akidb_buffer_free(&text);
}

static void each_changed_byte_of_a_catalogue_is_corruption(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer text = {0};
    ak_catalogue catalogue, found;
    make_catalogue(&catalogue);
    assert_ok(err, ak_catalogue_encode(&catalogue, &text, &err));
    for (size_t i = 0; i < text.size; i++) {
        text.data[i] ^= 4;
        assert_status(AKIDB_E_CORRUPTION, ak_catalogue_decode(view(&text), &found, &err));
        text.data[i] ^= 4;
        assert_status(AKIDB_E_CORRUPTION,
                      ak_catalogue_decode((akidb_slice){text.data, i}, &found, &err));
    }
    ak_catalogue_free(&catalogue);
    akidb_buffer_free(&text);
}

/* ---- rows in memory -------------------------------------------------------------------------- */

static void load(ak_contents *contents, uint64_t first, size_t count, uint64_t version,
                 uint64_t lsn)
{
    akidb_error err;
    akidb_documents *documents = test_documents(first, count, version);
    akidb_batch batch = akidb_documents_batch(documents);
    ak_log_columns columns = {0};
    assert_ok(err, ak_log_columns_take(&columns, &batch, &err));
    assert_ok(err, ak_contents_load(contents, &columns.rows, lsn, 0, &err));
    ak_contents_compact(contents, lsn);
    ak_log_columns_free(&columns);
    akidb_documents_free(documents);
}

static void assert_view(const ak_view *from, uint64_t first, size_t count, uint64_t version)
{
    akidb_error err;
    ak_view copy = *from; /* from its beginning, without owning anything */
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, ak_view_next(&copy, SIZE_MAX, documents, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, count);
    assert_int_equal(from->live, count);
    for (size_t i = 0; i < batch.rows; i++) {
        uint64_t number = (uint64_t)batch.vectors[i * TEST_DIMENSION];
        assert_true(number >= first && number < first + count);
        assert_document(&batch, i, number, version);
    }
    akidb_documents_free(documents);
}

static void views_stay_and_memory_comes_back(void **state)
{
    (void)state;
    enum { ROWS = 300, VERSIONS = 40 };
    akidb_error err;
    _Atomic uint64_t memory = 0;
    ak_contents *contents;
    ak_view views[VERSIONS];
    assert_ok(err, ak_contents_new(TEST_DIMENSION, 42, &memory, &contents, &err));
    uint64_t most = 0;
    for (uint64_t version = 0; version < VERSIONS; version++) {
        load(contents, 0, ROWS, version + 1, version + 1);
        assert_ok(err, ak_view_take(contents, version + 1, &views[version], &err));
        most = atomic_load(&memory);
    }
    for (uint64_t version = 0; version < VERSIONS; version++)
        assert_view(&views[version], 0, ROWS, version + 1);
    for (size_t i = 0; i < VERSIONS; i++)
        ak_view_free(&views[i]);
    assert_true(atomic_load(&memory) < most / 4);
    assert_true(ak_contents_bytes(contents) == atomic_load(&memory));
    akidb_documents *documents;
    bool found;
    akidb_uuid id = test_id(ROWS - 1);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, ak_contents_get(contents, &id, documents, &found, &err));
    assert_true(found);
    akidb_batch batch = akidb_documents_batch(documents);
    assert_document(&batch, 0, ROWS - 1, VERSIONS);
    akidb_documents_free(documents);
    ak_contents_free(contents);
    assert_true(atomic_load(&memory) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read_as_they_were_written),
        cmocka_unit_test(upserts_are_read_as_they_were_written),
        cmocka_unit_test(an_index_finds_what_was_added_and_not_removed),
        cmocka_unit_test(a_catalogue_is_read_as_it_was_written),
        cmocka_unit_test(each_changed_byte_of_a_catalogue_is_corruption),
        cmocka_unit_test(views_stay_and_memory_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
