/* The life of a snapshot, in both formats, on the memory store and on a local disk. */
#include <pthread.h>

#include "akidb/snapshot.h"

#include "folder.h"
#include "support.h"

static const akidb_snapshot_format formats[] = {AKIDB_FORMAT_PARQUET, AKIDB_FORMAT_JSON};
enum { FORMATS = 2 };

static const akidb_uuid collection = {{1, 2, 3}};

/* ---- creation -------------------------------------------------------------------------------- */

static void check_created(akidb_store *store, akidb_snapshot_format format, size_t rows,
                          uint32_t dimension)
{
    akidb_error err;
    akidb_snapshotter *snapshotter = test_snapshotter(store, format);
    akidb_documents *documents = test_documents(rows, rows, dimension);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_uuid id;
    akidb_snapshot_metadata *metadata;
    assert_ok(err,
              akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, &metadata, &err));
    assert_int_equal(id.bytes[6] >> 4, 4); /* a random UUID */
    assert_int_equal(metadata->vector_count, rows);
    assert_int_equal(metadata->dimension, dimension);
    assert_int_equal(metadata->format, format);
    assert_int_equal(metadata->part_count, 1);
    assert_true(metadata->checked);
    assert_int_equal(test_count_objects(store), 2);
    akidb_object_info info;
    assert_ok(err, akidb_store_head(store, metadata->parts[0].key, &info, &err));
    assert_int_equal(info.size, metadata->size_bytes);
    assert_restores(snapshotter, &collection, &id, documents);
    assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_GOOD);
    akidb_snapshot_metadata_free(metadata);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
}

static void create_snapshot_10k_vectors(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_store *store = test_store();
        check_created(store, formats[f], 10000, 16);
        akidb_store_close(store);
    }
}

static void create_snapshot_on_a_local_disk(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store;
        char folder[TEST_FOLDER_SIZE];
        assert_true(test_folder_make(folder));
        assert_ok(err, akidb_store_local_open(folder, &store, &err));
        check_created(store, formats[f], 1000, 48);
        akidb_store_close(store);
        test_folder_remove(folder);
    }
}

static void create_snapshot_empty_vectors(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = test_snapshotter(store, formats[f]);
        akidb_batch empty = {.rows = 0, .dimension = 8};
        akidb_uuid id;
        assert_status(AKIDB_E_VALIDATION, akidb_snapshot_create(snapshotter, &collection, &empty,
                                                                NULL, &id, NULL, &err));
        assert_int_equal(test_count_objects(store), 0);
        akidb_create_options options = {.struct_size = sizeof options, .allow_empty = true};
        assert_ok(err, akidb_snapshot_create(snapshotter, &collection, &empty, &options, &id, NULL,
                                             &err));
        akidb_documents *documents;
        assert_ok(err,
                  akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &documents, &err));
        assert_int_equal(akidb_documents_batch(documents).rows, 0);
        assert_int_equal(akidb_documents_batch(documents).dimension, 8);
        assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_GOOD);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void create_snapshot_dimension_mismatch(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = test_snapshotter(store, formats[f]);
        akidb_documents *right = test_documents(1, 100, 12), *wrong = test_documents(2, 1, 6);
        akidb_batch right_batch = akidb_documents_batch(right);
        akidb_batch wrong_batch = akidb_documents_batch(wrong);
        akidb_snapshot_writer *writer;
        assert_ok(err, akidb_snapshot_begin(snapshotter, &collection, 12, NULL, &writer, &err));
        assert_status(AKIDB_E_VALIDATION, akidb_snapshot_append(writer, &wrong_batch, &err));
        /* The refused batch has changed nothing. */
        assert_ok(err, akidb_snapshot_append(writer, &right_batch, &err));
        akidb_uuid id;
        assert_ok(err, akidb_snapshot_commit(writer, &id, NULL, &err));
        assert_restores(snapshotter, &collection, &id, right);
        wrong_batch.dimension = 0;
        assert_status(
            AKIDB_E_VALIDATION,
            akidb_snapshot_create(snapshotter, &collection, &wrong_batch, NULL, &id, NULL, &err));
        wrong_batch.dimension = AKIDB_DIMENSION_MAX + 1;
        assert_status(
            AKIDB_E_VALIDATION,
            akidb_snapshot_create(snapshotter, &collection, &wrong_batch, NULL, &id, NULL, &err));
        akidb_documents_free(right);
        akidb_documents_free(wrong);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void a_document_id_that_comes_twice_is_named(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = test_snapshotter(store, formats[f]);
        akidb_documents *documents = test_documents(1, 50, 4);
        akidb_batch batch = akidb_documents_batch(documents);
        akidb_uuid *ids = (akidb_uuid *)batch.document_ids, id;
        ids[40] = ids[3];
        char text[AKIDB_UUID_TEXT_SIZE];
        akidb_uuid_format(&ids[3], text);
        assert_status(AKIDB_E_VALIDATION, akidb_snapshot_create(snapshotter, &collection, &batch,
                                                                NULL, &id, NULL, &err));
        assert_non_null(strstr(err.message, text));
        assert_int_equal(test_count_objects(store), 0);
        akidb_create_options trust = {.struct_size = sizeof trust, .trust_ids = true};
        assert_ok(err,
                  akidb_snapshot_create(snapshotter, &collection, &batch, &trust, &id, NULL, &err));
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void ids_and_times_that_are_missing_are_made(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        int64_t now = TEST_NOW + 123456;
        akidb_clock clock = test_clock(&now);
        akidb_store *store = test_store();
        akidb_snapshotter_options options = {
            .struct_size = sizeof options, .format = formats[f], .clock = &clock};
        akidb_snapshotter *snapshotter;
        assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
        akidb_documents *documents = test_documents(1, 20, 4);
        akidb_batch batch = akidb_documents_batch(documents);
        batch.document_ids = NULL;
        batch.inserted_at = NULL;
        akidb_uuid id;
        akidb_snapshot_metadata *metadata;
        assert_ok(err, akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, &metadata,
                                             &err));
        assert_int_equal(metadata->created_at, now);
        akidb_documents *restored;
        assert_ok(err,
                  akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &restored, &err));
        akidb_batch found = akidb_documents_batch(restored);
        for (size_t i = 0; i < found.rows; i++) {
            assert_int_equal(found.document_ids[i].bytes[6] >> 4, 7);
            if (i > 0)
                assert_true(akidb_uuid_compare(&found.document_ids[i - 1], &found.document_ids[i]) <
                            0);
            int64_t lost = formats[f] == AKIDB_FORMAT_PARQUET ? now % 1000 : 0;
            assert_int_equal(found.inserted_at[i], now - lost);
        }
        akidb_documents_free(restored);
        akidb_documents_free(documents);
        akidb_snapshot_metadata_free(metadata);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void microseconds_are_kept_or_refused_but_never_lost(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 20, 4);
    akidb_batch batch = akidb_documents_batch(documents);
    ((int64_t *)batch.inserted_at)[7] += 1;
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    assert_restores(snapshotter, &collection, &id, documents);
    akidb_snapshot_writer *writer;
    assert_ok(err, akidb_snapshot_begin(snapshotter, &collection, 4, NULL, &writer, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_snapshot_append(writer, &batch, &err));
    assert_int_equal(err.row, 7);
    assert_non_null(strstr(err.message, "time_unit"));
    akidb_snapshot_abort(writer);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* ---- restore --------------------------------------------------------------------------------- */

static void roundtrip_10k_vectors(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = test_snapshotter(store, formats[f]);
        akidb_documents *documents = test_documents(7, 10000, 24);
        akidb_batch batch = akidb_documents_batch(documents);
        akidb_snapshot_writer *writer;
        assert_ok(err, akidb_snapshot_begin(snapshotter, &collection, 24, NULL, &writer, &err));
        for (size_t row = 0; row < batch.rows;) {
            size_t rows = batch.rows - row < 1608 ? batch.rows - row : 1608;
            akidb_batch piece = akidb_batch_rows(&batch, row, rows);
            assert_ok(err, akidb_snapshot_append(writer, &piece, &err));
            row += rows;
        }
        akidb_uuid id;
        assert_ok(err, akidb_snapshot_commit(writer, &id, NULL, &err));
        akidb_snapshot_reader *reader;
        akidb_documents *next;
        assert_ok(err, akidb_snapshot_open(snapshotter, &collection, &id, NULL, &reader, &err));
        assert_ok(err, akidb_documents_new(24, &next, &err));
        size_t row = 0;
        for (bool done = false; !done;) {
            assert_ok(err, akidb_snapshot_next(reader, next, &done, &err));
            akidb_batch found = akidb_documents_batch(next);
            assert_true(done == (found.rows == 0));
            for (size_t i = 0; i < found.rows; i++)
                assert_same_row(&found, i, &batch, row++);
        }
        assert_int_equal(row, batch.rows);
        bool done = false;
        assert_ok(err, akidb_snapshot_next(reader, next, &done, &err));
        assert_true(done);
        akidb_snapshot_close(reader);
        akidb_documents_free(next);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void every_compression_round_trips(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        for (int c = AKIDB_COMPRESSION_DEFAULT; c <= AKIDB_COMPRESSION_GZIP; c++) {
            akidb_error err;
            akidb_store *store = test_store();
            akidb_snapshotter_options options = {
                .struct_size = sizeof options,
                .format = formats[f],
                .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                                    .compression = (akidb_compression)c},
            };
            akidb_snapshotter *snapshotter;
            if (formats[f] == AKIDB_FORMAT_JSON && c == AKIDB_COMPRESSION_LZ4) {
                assert_status(AKIDB_E_VALIDATION,
                              akidb_snapshotter_open(store, &options, &snapshotter, &err));
                assert_null(snapshotter);
            } else {
                assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
                akidb_documents *documents = test_documents(3, 3000, 20);
                akidb_uuid id = test_create(snapshotter, &collection, documents);
                assert_restores(snapshotter, &collection, &id, documents);
                assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_GOOD);
                akidb_documents_free(documents);
            }
            akidb_snapshotter_close(snapshotter);
            akidb_store_close(store);
        }
    }
}

static void restore_nonexistent_snapshot(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_uuid id = test_uuid(1), other = test_uuid(2);
    akidb_documents *documents = test_documents(1, 10, 4), *restored = documents;
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &restored, &err));
    assert_null(restored);
    id = test_create(snapshotter, &collection, documents);
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_restore(snapshotter, &other, &id, NULL, &restored, &err));
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void restore_corrupted_parquet(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = test_snapshotter(store, formats[f]);
        akidb_documents *documents = test_documents(1, 10, 4), *restored;
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        akidb_snapshot_metadata *metadata;
        assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &metadata, &err));
        test_put(store, metadata->parts[0].key, "not parquet", 11);
        assert_status(AKIDB_E_CORRUPTION,
                      akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &restored, &err));
        assert_non_null(strstr(err.message, metadata->parts[0].key));
        assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_CORRUPT);
        akidb_snapshot_metadata_free(metadata);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void restore_large_snapshot_100k(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter_options options = {.struct_size = sizeof options, .threads = 2};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    akidb_documents *documents = test_documents(5, 100000, 4);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    assert_restores(snapshotter, &collection, &id, documents);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* ---- list, delete, cleanup ------------------------------------------------------------------- */

static void list_empty_snapshots(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &collection, &list, &err));
    assert_int_equal(list.count, 0);
    akidb_snapshot_list_free(&list);
    akidb_uuid *ids;
    size_t count;
    assert_ok(err, akidb_snapshot_collections(snapshotter, &ids, &count, &err));
    assert_int_equal(count, 0);
    free(ids);
    akidb_uuid id;
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_resolve(snapshotter, &collection, "latest", &id, &err));
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void list_multiple_snapshots(void **state)
{
    (void)state;
    akidb_error err;
    int64_t now = TEST_NOW;
    akidb_clock clock = test_clock(&now);
    akidb_store *store = test_store();
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_uuid ids[5];
    akidb_snapshotter *snapshotter = NULL;
    for (int i = 0; i < 5; i++) {
        akidb_snapshotter_close(snapshotter);
        akidb_snapshotter_options options = {
            .struct_size = sizeof options, .format = formats[i % 2], .clock = &clock};
        assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
        ids[i] = test_create(snapshotter, &collection, documents);
        now += 1000000;
    }
    akidb_uuid other = test_uuid(99);
    test_create(snapshotter, &other, documents);
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &collection, &list, &err));
    assert_int_equal(list.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_memory_equal(&list.entries[i].snapshot_id, &ids[4 - i], sizeof ids[0]);
        assert_int_equal(list.entries[i].problem.status, AKIDB_OK);
        assert_int_equal(list.entries[i].metadata->created_at,
                         TEST_NOW + (4 - (int64_t)i) * 1000000);
    }
    akidb_snapshot_list_free(&list);
    akidb_uuid found, *collections;
    assert_ok(err, akidb_snapshot_resolve(snapshotter, &collection, "latest", &found, &err));
    assert_memory_equal(&found, &ids[4], sizeof found);
    size_t count;
    assert_ok(err, akidb_snapshot_collections(snapshotter, &collections, &count, &err));
    assert_int_equal(count, 2);
    free(collections);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void of_one_moment_the_greatest_id_comes_first(void **state)
{
    (void)state;
    akidb_error err;
    int64_t now = TEST_NOW;
    akidb_clock clock = test_clock(&now);
    akidb_store *store = test_store();
    akidb_snapshotter_options options = {.struct_size = sizeof options, .clock = &clock};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    akidb_documents *documents = test_documents(1, 2, 2);
    for (int i = 0; i < 5; i++)
        test_create(snapshotter, &collection, documents);
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &collection, &list, &err));
    assert_int_equal(list.count, 5);
    for (size_t i = 1; i < list.count; i++)
        assert_true(
            akidb_uuid_compare(&list.entries[i - 1].snapshot_id, &list.entries[i].snapshot_id) > 0);
    akidb_uuid latest;
    assert_ok(err, akidb_snapshot_resolve(snapshotter, &collection, "latest", &latest, &err));
    assert_int_equal(akidb_uuid_compare(&latest, &list.entries[0].snapshot_id), 0);
    akidb_snapshot_list_free(&list);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void a_damaged_snapshot_is_listed_as_such(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_uuid good = test_create(snapshotter, &collection, documents);
    akidb_uuid bad = test_create(snapshotter, &collection, documents);
    akidb_snapshot_metadata *metadata;
    assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &bad, &metadata, &err));
    test_put(store, metadata->key, "", 0);
    akidb_snapshot_metadata_free(metadata);
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &collection, &list, &err));
    assert_int_equal(list.count, 2);
    assert_memory_equal(&list.entries[0].snapshot_id, &good, sizeof good);
    assert_memory_equal(&list.entries[1].snapshot_id, &bad, sizeof bad);
    assert_null(list.entries[1].metadata);
    assert_int_equal(list.entries[1].problem.status, AKIDB_E_CORRUPTION);
    akidb_snapshot_list_free(&list);
    assert_verifies(snapshotter, &collection, &bad, AKIDB_VERIFY_CORRUPT);
    akidb_documents *restored;
    assert_status(AKIDB_E_CORRUPTION,
                  akidb_snapshot_restore(snapshotter, &collection, &bad, NULL, &restored, &err));
    /* It can be deleted all the same, with its part. */
    assert_ok(err, akidb_snapshot_delete(snapshotter, &collection, &bad, &err));
    assert_int_equal(test_count_objects(store), 2);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void latest_passes_over_damaged_snapshots(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_uuid ids[2], found;
    for (size_t i = 0; i < 2; i++)
        ids[i] = test_create(snapshotter, &collection, documents);
    for (size_t damaged = 0; damaged <= 2; damaged++) {
        akidb_status status =
            akidb_snapshot_resolve(snapshotter, &collection, "latest", &found, &err);
        if (damaged == 2) {
            assert_status(AKIDB_E_CORRUPTION, status);
            break;
        }
        assert_ok(err, status);
        assert_memory_equal(&found, &ids[1 - damaged], sizeof found);
        akidb_snapshot_metadata *metadata;
        assert_ok(err,
                  akidb_snapshot_get_metadata(snapshotter, &collection, &found, &metadata, &err));
        test_put(store, metadata->key, "", 0);
        akidb_snapshot_metadata_free(metadata);
    }
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void resolve_takes_a_unique_beginning(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_uuid ids[17], found; /* of 17 ids, two begin with the same digit */
    for (int i = 0; i < 17; i++)
        ids[i] = test_create(snapshotter, &collection, documents);
    char text[AKIDB_UUID_TEXT_SIZE];
    size_t ambiguous = 0;
    for (int i = 0; i < 17; i++) {
        akidb_uuid_format(&ids[i], text);
        assert_ok(err, akidb_snapshot_resolve(snapshotter, &collection, text, &found, &err));
        assert_memory_equal(&found, &ids[i], sizeof found);
        for (char *c = text; *c != '\0'; c++)
            if (*c >= 'a' && *c <= 'f')
                *c = (char)(*c - 'a' + 'A');
        text[20] = '\0';
        assert_ok(err, akidb_snapshot_resolve(snapshotter, &collection, text, &found, &err));
        assert_memory_equal(&found, &ids[i], sizeof found);
        text[1] = '\0';
        ambiguous += akidb_snapshot_resolve(snapshotter, &collection, text, &found, &err) ==
                             AKIDB_E_VALIDATION
                         ? 1
                         : 0;
    }
    assert_true(ambiguous > 0);
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_resolve(snapshotter, &collection, "nonsense", &found, &err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_snapshot_resolve(snapshotter, &collection, "", &found, &err));
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void delete_snapshot(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = test_snapshotter(store, formats[f]);
        akidb_documents *documents = test_documents(1, 1000, 4), *restored;
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        assert_ok(err, akidb_snapshot_delete(snapshotter, &collection, &id, &err));
        assert_status(AKIDB_E_NOT_FOUND,
                      akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &restored, &err));
        assert_status(AKIDB_E_NOT_FOUND,
                      akidb_snapshot_delete(snapshotter, &collection, &id, &err));
        assert_int_equal(test_count_objects(store), 0);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void cleanup_old_snapshots(void **state)
{
    (void)state;
    akidb_error err;
    const int64_t day = INT64_C(86400000000);
    int64_t now = TEST_NOW - 10 * day;
    akidb_clock clock = test_clock(&now);
    akidb_store *store = test_store();
    akidb_snapshotter_options options = {.struct_size = sizeof options, .clock = &clock};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    akidb_documents *documents = test_documents(1, 10, 4);
    for (int i = 0; i < 3; i++, now += day) /* 10, 9 and 8 days old */
        test_create(snapshotter, &collection, documents);
    now = TEST_NOW - 7 * day; /* just as old as is allowed */
    test_create(snapshotter, &collection, documents);
    now = TEST_NOW;
    test_create(snapshotter, &collection, documents);
    uint64_t deleted;
    assert_ok(err, akidb_snapshot_cleanup_old(snapshotter, &collection, 7 * day, &deleted, &err));
    assert_int_equal(deleted, 3);
    assert_int_equal(test_count_objects(store), 4);
    assert_status(AKIDB_E_VALIDATION,
                  akidb_snapshot_cleanup_old(snapshotter, &collection, -1, &deleted, &err));

    akidb_retention policy = {.struct_size = sizeof policy, .keep_last = 1};
    akidb_retention_report report;
    assert_ok(err, akidb_snapshot_cleanup(snapshotter, &collection, &policy, true, &report, &err));
    assert_int_equal(report.count, 2);
    assert_int_equal(report.deleted, 0);
    assert_true(report.decisions[0].keep);
    assert_false(report.decisions[1].keep);
    akidb_retention_report_free(&report);
    assert_int_equal(test_count_objects(store), 4);
    assert_ok(err, akidb_snapshot_cleanup(snapshotter, &collection, &policy, false, &report, &err));
    assert_int_equal(report.deleted, 1);
    akidb_retention_report_free(&report);
    assert_int_equal(test_count_objects(store), 2);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* ---- many at once ---------------------------------------------------------------------------- */

typedef struct worker {
    akidb_snapshotter *snapshotter;
    const akidb_documents *documents;
    akidb_uuid ids[4];
} worker;

static void *create_some(void *context)
{
    worker *w = context;
    for (int i = 0; i < 4; i++)
        w->ids[i] = test_create(w->snapshotter, &collection, w->documents);
    return NULL;
}

static void concurrent_snapshots(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = test_snapshotter(store, formats[f]);
        worker workers[4];
        pthread_t threads[4];
        akidb_documents *documents[4];
        for (int i = 0; i < 4; i++) {
            documents[i] = test_documents((uint64_t)i, 300, 8);
            workers[i] = (worker){.snapshotter = snapshotter, .documents = documents[i]};
            assert_int_equal(pthread_create(&threads[i], NULL, create_some, &workers[i]), 0);
        }
        for (int i = 0; i < 4; i++)
            pthread_join(threads[i], NULL);
        akidb_snapshot_list list;
        assert_ok(err, akidb_snapshot_list_all(snapshotter, &collection, &list, &err));
        assert_int_equal(list.count, 16);
        akidb_snapshot_list_free(&list);
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < 4; j++)
                assert_restores(snapshotter, &collection, &workers[i].ids[j], documents[i]);
            akidb_documents_free(documents[i]);
        }
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

/* ---- labels and hooks
 * ---------------------------------------------------------------------------- */

static void labels_are_kept_and_checked(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_label labels[] = {{"z\"\n", "last"}, {"name", "caf\xC3\xA9"}};
    akidb_create_options options = {
        .struct_size = sizeof options, .labels = labels, .label_count = 2};
    akidb_uuid id;
    akidb_snapshot_metadata *metadata;
    assert_ok(err, akidb_snapshot_create(snapshotter, &collection, &batch, &options, &id, &metadata,
                                         &err));
    assert_int_equal(metadata->label_count, 2);
    assert_string_equal(metadata->labels[0].key, "name");
    assert_string_equal(akidb_snapshot_label(metadata, "name"), "caf\xC3\xA9");
    assert_string_equal(akidb_snapshot_label(metadata, "z\"\n"), "last");
    assert_null(akidb_snapshot_label(metadata, "other"));
    akidb_snapshot_metadata_free(metadata);
    static const akidb_label wrong[] = {{"", "x"}, {"a\xFF", "x"}, {"a", "\xC0\x80"}, {NULL, "x"}};
    options.label_count = 1;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        options.labels = &wrong[i];
        assert_status(AKIDB_E_VALIDATION, akidb_snapshot_create(snapshotter, &collection, &batch,
                                                                &options, &id, NULL, &err));
    }
    static const akidb_label twice[] = {{"a", "1"}, {"a", "2"}};
    options.labels = twice;
    options.label_count = 2;
    assert_status(AKIDB_E_VALIDATION, akidb_snapshot_create(snapshotter, &collection, &batch,
                                                            &options, &id, NULL, &err));
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

typedef struct patience {
    int calls;
    int limit;
} patience;

static bool until_patience_ends(void *context, const akidb_progress *progress)
{
    (void)progress;
    patience *p = context;
    return ++p->calls <= p->limit;
}

static void a_cancelled_create_leaves_nothing(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        patience p = {0};
        akidb_snapshotter_options options = {
            .struct_size = sizeof options,
            .format = formats[f],
            .part_rows = 30,
            .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                                .row_group_size = 10},
            .hooks = {.context = &p, .progress = until_patience_ends},
        };
        akidb_snapshotter *snapshotter;
        assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
        akidb_documents *documents = test_documents(1, 100, 4);
        akidb_batch batch = akidb_documents_batch(documents);
        akidb_uuid id;
        akidb_status status = AKIDB_E_CANCELLED;
        int stops = 0;
        for (p.limit = 0; status == AKIDB_E_CANCELLED; p.limit++, stops++) {
            p.calls = 0;
            status = akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, NULL, &err);
            if (status == AKIDB_E_CANCELLED)
                assert_int_equal(test_count_objects(store), 0);
        }
        assert_int_equal(status, AKIDB_OK);
        assert_true(stops > 1);
        p.calls = 0;
        p.limit = 0;
        akidb_documents *restored;
        assert_status(AKIDB_E_CANCELLED,
                      akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &restored, &err));
        assert_null(restored);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void after_a_failure_only_abort_is_left(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    patience p = {0};
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .hooks = {.context = &p, .progress = until_patience_ends},
    };
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_snapshot_writer *writer;
    assert_ok(err, akidb_snapshot_begin(snapshotter, &collection, 4, NULL, &writer, &err));
    assert_status(AKIDB_E_CANCELLED, akidb_snapshot_append(writer, &batch, &err));
    assert_status(AKIDB_E_PRECONDITION, akidb_snapshot_append(writer, &batch, &err));
    akidb_uuid id;
    assert_status(AKIDB_E_PRECONDITION, akidb_snapshot_commit(writer, &id, NULL, &err));
    assert_int_equal(test_count_objects(store), 0);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_snapshot_10k_vectors),
        cmocka_unit_test(create_snapshot_on_a_local_disk),
        cmocka_unit_test(create_snapshot_empty_vectors),
        cmocka_unit_test(create_snapshot_dimension_mismatch),
        cmocka_unit_test(a_document_id_that_comes_twice_is_named),
        cmocka_unit_test(ids_and_times_that_are_missing_are_made),
        cmocka_unit_test(microseconds_are_kept_or_refused_but_never_lost),
        cmocka_unit_test(roundtrip_10k_vectors),
        cmocka_unit_test(every_compression_round_trips),
        cmocka_unit_test(restore_nonexistent_snapshot),
        cmocka_unit_test(restore_corrupted_parquet),
        cmocka_unit_test(restore_large_snapshot_100k),
        cmocka_unit_test(list_empty_snapshots),
        cmocka_unit_test(list_multiple_snapshots),
        cmocka_unit_test(of_one_moment_the_greatest_id_comes_first),
        cmocka_unit_test(a_damaged_snapshot_is_listed_as_such),
        cmocka_unit_test(latest_passes_over_damaged_snapshots),
        cmocka_unit_test(resolve_takes_a_unique_beginning),
        cmocka_unit_test(delete_snapshot),
        cmocka_unit_test(cleanup_old_snapshots),
        cmocka_unit_test(concurrent_snapshots),
        cmocka_unit_test(labels_are_kept_and_checked),
        cmocka_unit_test(a_cancelled_create_leaves_nothing),
        cmocka_unit_test(after_a_failure_only_abort_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
