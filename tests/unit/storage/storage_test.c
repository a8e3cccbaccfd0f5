/* The storage backend as its callers see it. */
#include "support.h"

static const akidb_uuid books = {{1}}, films = {{2}}, nothing = {{3}};

static void what_was_written_is_there_after_a_reopen(void **state)
{
    akidb_storage_options options = test_options(*state);
    akidb_recovery_report report;
    akidb_storage *storage = test_open(&options, &report);
    assert_int_equal(report.collections, 0);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 100, 1);
    test_upsert(storage, &books, 50, 10, 2);
    test_delete(storage, &books, 95, 10, 5);
    for (int round = 0; round < 2; round++) {
        assert_count(storage, &books, 95);
        assert_has(storage, &books, 0, 1);
        assert_has(storage, &books, 49, 1);
        assert_has(storage, &books, 50, 2);
        assert_has(storage, &books, 94, 1);
        assert_has(storage, &books, 95, 0);
        test_close(storage);
        storage = test_open(&options, &report);
        assert_int_equal(report.collections, 1);
        assert_int_equal(report.documents, 95);
        assert_int_equal(report.log_entries, 4);
        assert_false(report.torn);
    }
    test_close(storage);
}

static void a_second_storage_on_a_folder_is_refused(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL), *second;
    assert_status(AKIDB_E_PRECONDITION, akidb_storage_open(&options, &second, NULL, &err));
    assert_null(second);
    test_close(storage);
}

static void folders_are_made(void **state)
{
    char folder[TEST_FOLDER_SIZE + 16];
    snprintf(folder, sizeof folder, "%s/a/b/c", (const char *)*state);
    akidb_storage_options options = test_options(folder);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_close(storage);
}

static void what_is_not_there_is_not_found(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    akidb_documents *documents = test_documents(0, 1, 1);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_uuid id = test_id(0);
    uint64_t count;
    akidb_cursor *cursor;
    akidb_collection_info info;
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_upsert(storage, &nothing, &batch, NULL, &err));
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_delete(storage, &nothing, &id, 1, NULL, &err));
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_storage_get(storage, &nothing, &id, 1, documents, NULL, &err));
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_count(storage, &nothing, &count, &err));
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_iterate(storage, &nothing, &cursor, &err));
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_flush(storage, &nothing, NULL, &err));
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_drop_collection(storage, &nothing, &err));
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_collection(storage, &nothing, &info, &err));
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_restore(storage, &nothing, &id, &err));
    test_create(storage, &books);
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_restore(storage, &books, &id, &err));
    assert_status(AKIDB_E_ALREADY_EXISTS,
                  akidb_storage_create_collection(storage, &books, 3, NULL, &err));
    akidb_documents_free(documents);
    test_close(storage);
}

static void bad_input_changes_nothing(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    akidb_documents *documents = test_documents(0, 4, 1);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_batch narrow = batch, empty = batch, timeless = batch;
    int64_t times[4] = {0, 0, AKIDB_TIME_MAX + 1, 0};
    narrow.dimension = 2;
    empty.rows = 0;
    timeless.inserted_at = times;
    akidb_uuid ids[4];
    assert_status(AKIDB_E_VALIDATION, akidb_storage_upsert(storage, &books, &narrow, ids, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_storage_upsert(storage, &books, &empty, NULL, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_storage_upsert(storage, &books, &timeless, ids, &err));
    assert_int_equal(err.row, 2);
    assert_status(AKIDB_E_VALIDATION,
                  akidb_storage_create_collection(storage, &films, 0, NULL, &err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_storage_create_collection(storage, &films, 3, "\xff", &err));
    assert_count(storage, &books, 0);
    akidb_documents_free(documents);
    test_close(storage);
}

static void ids_and_times_are_made_when_none_come(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    float vectors[2 * TEST_DIMENSION] = {1, 2, 3, 4, 5, 6};
    akidb_batch batch = {.rows = 2, .dimension = TEST_DIMENSION, .vectors = vectors};
    akidb_uuid ids[2];
    assert_ok(err, akidb_storage_upsert(storage, &books, &batch, ids, &err));
    assert_true(akidb_uuid_compare(&ids[0], &ids[1]) < 0);
    akidb_documents *documents;
    size_t found;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_storage_get(storage, &books, ids, 2, documents, &found, &err));
    assert_int_equal(found, 2);
    akidb_batch got = akidb_documents_batch(documents);
    assert_memory_equal(got.vectors, vectors, sizeof vectors);
    assert_int_equal(got.inserted_at[0] % 1000, 0);
    akidb_documents_free(documents);
    test_close(storage);
}

static void the_last_of_an_id_in_a_batch_wins(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    akidb_documents *documents = test_documents(7, 1, 1), *second = test_documents(7, 1, 2);
    akidb_batch more = akidb_documents_batch(second);
    assert_ok(err, akidb_documents_append_batch(documents, &more, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_ok(err, akidb_storage_upsert(storage, &books, &batch, NULL, &err));
    assert_count(storage, &books, 1);
    assert_has(storage, &books, 7, 2);
    storage = test_reopen(storage, &options);
    assert_has(storage, &books, 7, 2);
    akidb_documents_free(documents);
    akidb_documents_free(second);
    test_close(storage);
}

static void external_ids_find_all_their_documents_in_order(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 1000, 1); /* doc-17 is 17, 117, ... without those by 3 */
    test_delete(storage, &books, 317, 1, 1);
    test_upsert(storage, &books, 517, 1, 2);
    akidb_documents *documents;
    size_t found;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    akidb_slice text = {"doc-17", 6};
    assert_ok(err,
              akidb_storage_get_by_external_id(storage, &books, text, documents, &found, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    size_t expected = 0;
    for (uint64_t n = 17; n < 1000; n += 100)
        expected += n % 3 != 0 && n % 7 != 1 && n != 317;
    assert_int_equal(found, expected);
    assert_int_equal(batch.rows, found);
    for (size_t i = 1; i < batch.rows; i++)
        assert_true(akidb_uuid_compare(&batch.document_ids[i - 1], &batch.document_ids[i]) < 0);
    text = (akidb_slice){"doc-1700", 8};
    assert_ok(err,
              akidb_storage_get_by_external_id(storage, &books, text, documents, &found, &err));
    assert_int_equal(found, 0);
    akidb_documents_free(documents);
    test_close(storage);
}

/* Goes through the cursor; every document must be one of 0 .. count - 1 in version 1. */
static void assert_cursor_gives(akidb_cursor *cursor, size_t count)
{
    akidb_error err;
    akidb_documents *documents;
    bool done = false;
    size_t rows = 0;
    bool *seen = calloc(count, sizeof *seen);
    assert_non_null(seen);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    while (!done) {
        assert_ok(err, akidb_cursor_next(cursor, 37, documents, &done, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        assert_int_equal(done, batch.rows == 0);
        for (size_t i = 0; i < batch.rows; i++) {
            size_t number = (size_t)batch.vectors[i * TEST_DIMENSION];
            assert_true(number < count && !seen[number]);
            seen[number] = true;
            assert_document(&batch, i, number, 1);
        }
        rows += batch.rows;
    }
    assert_int_equal(rows, count);
    free(seen);
    akidb_documents_free(documents);
}

static void a_cursor_sees_one_moment(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 500, 1);
    akidb_cursor *cursor, *second;
    assert_ok(err, akidb_storage_iterate(storage, &books, &cursor, &err));
    assert_ok(err, akidb_storage_iterate(storage, &books, &second, &err));
    for (uint64_t version = 2; version < 6; version++) /* enough to compact, several times */
        test_upsert(storage, &books, 0, 600, version);
    test_delete(storage, &books, 100, 300, 300);
    assert_cursor_gives(cursor, 500);
    assert_ok(err, akidb_storage_drop_collection(storage, &books, &err));
    assert_cursor_gives(second, 500);
    akidb_cursor_close(cursor);
    akidb_cursor_close(second);
    test_close(storage);
}

static uint64_t wal_entries_after_reopen(akidb_storage **storage,
                                         const akidb_storage_options *options)
{
    akidb_recovery_report report;
    test_close(*storage);
    *storage = test_open(options, &report);
    return report.log_entries;
}

static void a_flush_makes_a_snapshot_and_shortens_the_log(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    for (uint64_t i = 0; i < 100; i++)
        test_upsert(storage, &books, i * 50, 50, 1);
    akidb_uuid first = test_flush(storage, &books), again = test_flush(storage, &books);
    assert_memory_equal(&first, &again, sizeof first); /* nothing has changed */
    akidb_snapshot_list list;
    assert_ok(err, akidb_storage_list_snapshots(storage, &books, &list, &err));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.entries[0].metadata->vector_count, 5000);
    assert_int_equal(list.entries[0].metadata->format, AKIDB_FORMAT_PARQUET);
    assert_true(list.entries[0].metadata->has_lineage);
    assert_int_equal(list.entries[0].metadata->lsn, 101);
    assert_string_equal(akidb_snapshot_label(list.entries[0].metadata, "name"), "books");
    akidb_snapshot_list_free(&list);
    akidb_collection_info info;
    assert_ok(err, akidb_storage_collection(storage, &books, &info, &err));
    assert_int_equal(info.flushed_lsn, 101);
    assert_string_equal(info.name, "books");
    assert_true(wal_entries_after_reopen(&storage, &options) < 50);
    assert_count(storage, &books, 5000);
    assert_has(storage, &books, 4999, 1);
    test_upsert(storage, &books, 4990, 20, 2);
    storage = test_reopen(storage, &options);
    assert_count(storage, &books, 5010);
    assert_has(storage, &books, 4999, 2);
    test_close(storage);
}

static void fine_times_and_empty_collections_are_flushed(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_create(storage, &films);
    akidb_documents *documents = test_documents(0, 2, 1);
    akidb_batch batch = akidb_documents_batch(documents);
    int64_t times[2] = {TEST_TIME + 1, TEST_TIME};
    batch.inserted_at = times;
    assert_ok(err, akidb_storage_upsert(storage, &books, &batch, NULL, &err));
    (void)test_flush(storage, &books);
    (void)test_flush(storage, &films);
    storage = test_reopen(storage, &options);
    assert_count(storage, &films, 0);
    size_t found;
    akidb_documents_clear(documents);
    akidb_uuid id = test_id(0);
    assert_ok(err, akidb_storage_get(storage, &books, &id, 1, documents, &found, &err));
    assert_int_equal(akidb_documents_batch(documents).inserted_at[0], TEST_TIME + 1);
    akidb_documents_free(documents);
    test_close(storage);
}

static void a_dropped_collection_never_comes_back(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 10, 1);
    akidb_uuid snapshot = test_flush(storage, &books);
    test_upsert(storage, &books, 10, 10, 1);
    assert_ok(err, akidb_storage_drop_collection(storage, &books, &err));
    storage = test_reopen(storage, &options);
    akidb_collection_info info;
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_collection(storage, &books, &info, &err));
    test_create(storage, &books);
    test_upsert(storage, &books, 3, 1, 5);
    for (int i = 0; i < 3; i++) {
        assert_count(storage, &books, 1);
        assert_has(storage, &books, 3, 5);
        if (i == 1)
            (void)test_flush(storage, &books);
        storage = test_reopen(storage, &options);
    }
    /* Its snapshot stays, and can be restored by who asks for it. */
    assert_ok(err, akidb_storage_restore(storage, &books, &snapshot, &err));
    assert_count(storage, &books, 10);
    assert_has(storage, &books, 3, 1);
    test_close(storage);
}

static void a_restore_is_one_write(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 20, 1);
    akidb_uuid first = test_flush(storage, &books);
    test_upsert(storage, &books, 10, 20, 2);
    (void)test_flush(storage, &books);
    akidb_cursor *cursor;
    assert_ok(err, akidb_storage_iterate(storage, &books, &cursor, &err));
    assert_ok(err, akidb_storage_restore(storage, &books, &first, &err));
    test_upsert(storage, &books, 100, 1, 3);
    akidb_documents *documents;
    bool done;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_cursor_next(cursor, 1000, documents, &done, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, 30);
    akidb_documents_free(documents);
    akidb_cursor_close(cursor);
    for (int i = 0; i < 3; i++) {
        assert_count(storage, &books, 21);
        assert_has(storage, &books, 10, 1);
        assert_has(storage, &books, 29, 0);
        assert_has(storage, &books, 100, 3);
        if (i == 1)
            (void)test_flush(storage, &books);
        storage = test_reopen(storage, &options);
    }
    test_close(storage);
}

static void an_existing_store_is_adopted(void **state)
{
    akidb_error err;
    akidb_store *store;
    assert_ok(err, akidb_store_memory_open(&store, &err));
    akidb_storage_options options = test_options(*state);
    options.store = store;
    akidb_storage *storage = test_open(&options, NULL);
    uint64_t adopted;
    test_create(storage, &books);
    test_create(storage, &films);
    test_upsert(storage, &books, 0, 10, 1);
    (void)test_flush(storage, &books);
    (void)test_flush(storage, &films);
    assert_ok(err, akidb_storage_adopt(storage, &adopted, &err));
    assert_int_equal(adopted, 0);
    test_close(storage);
    char other[TEST_FOLDER_SIZE + 8];
    snprintf(other, sizeof other, "%s/other", (const char *)*state);
    options.data_folder = other;
    storage = test_open(&options, NULL);
    akidb_collection_info info;
    assert_status(AKIDB_E_NOT_FOUND, akidb_storage_collection(storage, &books, &info, &err));
    assert_ok(err, akidb_storage_adopt(storage, &adopted, &err));
    assert_int_equal(adopted, 2);
    test_upsert(storage, &books, 5, 10, 2);
    for (int i = 0; i < 3; i++) {
        assert_count(storage, &books, 15);
        assert_has(storage, &books, 4, 1);
        assert_has(storage, &books, 5, 2);
        assert_ok(err, akidb_storage_collection(storage, &books, &info, &err));
        assert_string_equal(info.name, "books");
        if (i == 1)
            (void)test_flush(storage, &books);
        storage = test_reopen(storage, &options);
    }
    test_close(storage);
    akidb_store_close(store);
}

static void collections_are_listed_by_id(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &films);
    assert_ok(err, akidb_storage_create_collection(storage, &books, 7, NULL, &err));
    storage = test_reopen(storage, &options);
    akidb_collection_info *infos;
    size_t count;
    assert_ok(err, akidb_storage_collections(storage, &infos, &count, &err));
    assert_int_equal(count, 2);
    assert_memory_equal(&infos[0].id, &books, sizeof books);
    assert_int_equal(infos[0].dimension, 7);
    assert_string_equal(infos[0].name, "");
    assert_string_equal(infos[1].name, "books");
    free(infos);
    test_close(storage);
}

static void a_full_memory_is_a_limit_and_the_log_is_another(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    options.memory_limit = 200000;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    akidb_status status = AKIDB_OK;
    uint64_t rows = 0;
    while (status == AKIDB_OK && rows < 10000) {
        akidb_documents *documents = test_documents(rows, 10, 1);
        akidb_batch batch = akidb_documents_batch(documents);
        status = akidb_storage_upsert(storage, &books, &batch, NULL, &err);
        rows += status == AKIDB_OK ? 10 : 0;
        akidb_documents_free(documents);
    }
    assert_int_equal(status, AKIDB_E_LIMIT);
    assert_true(rows > 100);
    assert_count(storage, &books, rows);
    test_delete(storage, &books, 0, 1, 1); /* a delete needs none */
    test_close(storage);
    options.memory_limit = 1000; /* what is there comes back all the same */
    options.wal_max_bytes = 512 << 10;
    storage = test_open(&options, NULL);
    assert_count(storage, &books, rows - 1);
    test_close(storage);
    options.memory_limit = 0;
    storage = test_open(&options, NULL);
    for (rows = 0, status = AKIDB_OK; status == AKIDB_OK && rows < 100000; rows += 100) {
        akidb_documents *documents = test_documents(0, 100, 2);
        akidb_batch batch = akidb_documents_batch(documents);
        status = akidb_storage_upsert(storage, &books, &batch, NULL, &err);
        akidb_documents_free(documents);
    }
    assert_int_equal(status, AKIDB_E_LIMIT);
    (void)test_flush(storage, &books); /* makes room */
    test_upsert(storage, &books, 0, 100, 3);
    storage = test_reopen(storage, &options);
    assert_has(storage, &books, 0, 3);
    test_close(storage);
}

static void metrics_count_what_was_done(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_storage *storage = test_open(&options, NULL);
    assert_ok(err, akidb_storage_create_collection(storage, &books, 3, "a\"b\\", &err));
    test_upsert(storage, &books, 0, 10, 1);
    test_delete(storage, &books, 8, 4, 2);
    (void)test_flush(storage, &books);
    akidb_buffer text;
    assert_ok(err, akidb_storage_metrics(storage, &text, &err));
    char *metrics = calloc(1, text.size + 1);
    assert_non_null(metrics);
    memcpy(metrics, text.data, text.size);
    static const char *const lines[] = {
        "\nakidb_upserted_documents_total 10\n",
        "\nakidb_deleted_documents_total 2\n",
        "\nakidb_snapshots_made_total 1\n",
        "\nakidb_store_requests_total{kind=\"PUT\"} 2\n",
        "\nakidb_store_requests_total{kind=\"POST\"} 0\n",
        "\nakidb_store_requests_failed_total 0\n",
        "\n# TYPE akidb_wal_syncs_total counter\n",
        "\nakidb_documents{collection=\"01000000-0000-0000-0000-000000000000\",name=\"a\\\"b\\\\\"}"
        " "
        "8\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        if (strstr(metrics, lines[i]) == NULL)
            fail_msg("no %s in %s", lines[i], metrics);
    free(metrics);
    akidb_buffer_free(&text);
    test_close(storage);
}

static void retention_follows_a_flush(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    akidb_retention policy = {.struct_size = sizeof policy, .keep_last = 2};
    options.retention = &policy;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    for (uint64_t version = 1; version <= 4; version++) {
        test_upsert(storage, &books, 0, 3, version);
        (void)test_flush(storage, &books);
    }
    akidb_snapshot_list list;
    assert_ok(err, akidb_storage_list_snapshots(storage, &books, &list, &err));
    assert_int_equal(list.count, 2);
    akidb_snapshot_list_free(&list);
    storage = test_reopen(storage, &options);
    assert_has(storage, &books, 2, 4);
    test_close(storage);
}

static void durability_by_interval_and_by_call(void **state)
{
    akidb_error err;
    akidb_storage_options options = test_options(*state);
    options.durability = AKIDB_DURABLE_INTERVAL;
    akidb_storage *storage = test_open(&options, NULL);
    test_create(storage, &books);
    test_upsert(storage, &books, 0, 10, 1);
    test_close(storage);
    options.durability = AKIDB_DURABLE_BY_CALL;
    storage = test_open(&options, NULL);
    test_upsert(storage, &books, 10, 10, 1);
    assert_ok(err, akidb_storage_sync(storage, &err));
    (void)test_flush(storage, &books);
    storage = test_reopen(storage, &options);
    assert_count(storage, &books, 20);
    test_close(storage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(what_was_written_is_there_after_a_reopen),
        storage_test(a_second_storage_on_a_folder_is_refused),
        storage_test(folders_are_made),
        storage_test(what_is_not_there_is_not_found),
        storage_test(bad_input_changes_nothing),
        storage_test(ids_and_times_are_made_when_none_come),
        storage_test(the_last_of_an_id_in_a_batch_wins),
        storage_test(external_ids_find_all_their_documents_in_order),
        storage_test(a_cursor_sees_one_moment),
        storage_test(a_flush_makes_a_snapshot_and_shortens_the_log),
        storage_test(fine_times_and_empty_collections_are_flushed),
        storage_test(a_dropped_collection_never_comes_back),
        storage_test(a_restore_is_one_write),
        storage_test(an_existing_store_is_adopted),
        storage_test(collections_are_listed_by_id),
        storage_test(a_full_memory_is_a_limit_and_the_log_is_another),
        storage_test(metrics_count_what_was_done),
        storage_test(retention_follows_a_flush),
        storage_test(durability_by_interval_and_by_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
