#ifndef AK_TEST_STORAGE_SUPPORT_H
#define AK_TEST_STORAGE_SUPPORT_H
/* What the tests of the storage backend share: a storage in a folder of its own, and documents that
 * are made of a number, so that any of them can be checked without having kept it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/storage.h"
#include "akidb/sys/store_backend.h"

#include "folder.h"
#include "test.h"

enum { TEST_DIMENSION = 3 };
#define TEST_TIME INT64_C(1795000000000000) /* 2026-11-18 */

static inline akidb_uuid test_id(uint64_t number)
{
    akidb_uuid id;
    test_random_bytes(number, id.bytes, sizeof id.bytes);
    return id;
}

/* A document that follows from its number and its version. */
typedef struct test_document {
    akidb_uuid id;
    float vector[TEST_DIMENSION];
    int64_t time;
    char external[32], metadata[64];
    akidb_slice external_id, meta; /* in those two, or null */
} test_document;

static inline void test_document_make(test_document *d, uint64_t number, uint64_t version)
{
    *d = (test_document){
        .id = test_id(number),
        .vector = {(float)number, (float)version, -0.5f},
        .time = TEST_TIME + (int64_t)(number * 1000),
    };
    snprintf(d->external, sizeof d->external, "doc-%llu", (unsigned long long)(number % 100));
    snprintf(d->metadata, sizeof d->metadata, "{\"v\":%llu}", (unsigned long long)version);
    if (number % 3 != 0)
        d->external_id = (akidb_slice){d->external, number % 7 == 1 ? 0 : strlen(d->external)};
    if (number % 5 != 0)
        d->meta = (akidb_slice){d->metadata, strlen(d->metadata)};
}

/* Documents first .. first + count - 1 in version `version`; free with akidb_documents_free. */
static inline akidb_documents *test_documents(uint64_t first, size_t count, uint64_t version)
{
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    for (uint64_t number = first; number < first + count; number++) {
        test_document d;
        test_document_make(&d, number, version);
        akidb_document document = {
            .document_id = &d.id,
            .vector = d.vector,
            .dimension = TEST_DIMENSION,
            .inserted_at = &d.time,
            .external_id = d.external_id,
            .metadata = d.meta,
        };
        assert_ok(err, akidb_documents_append(documents, &document, &err));
    }
    return documents;
}

static inline void assert_same_text(akidb_slice a, akidb_slice b)
{
    assert_int_equal(a.data == NULL, b.data == NULL);
    assert_int_equal(a.size, b.size);
    if (a.size > 0)
        assert_memory_equal(a.data, b.data, a.size);
}

/* Row `row` must be document `number` in version `version`. */
static inline void assert_document(const akidb_batch *batch, size_t row, uint64_t number,
                                   uint64_t version)
{
    test_document expected;
    test_document_make(&expected, number, version);
    assert_memory_equal(&batch->document_ids[row], &expected.id, sizeof(akidb_uuid));
    assert_memory_equal(batch->vectors + row * TEST_DIMENSION, expected.vector,
                        sizeof expected.vector);
    assert_int_equal(batch->inserted_at[row], expected.time);
    assert_same_text(akidb_texts_at(&batch->external_ids, row), expected.external_id);
    assert_same_text(akidb_texts_at(&batch->metadata, row), expected.meta);
}

static inline void test_upsert(akidb_storage *storage, const akidb_uuid *collection, uint64_t first,
                               size_t count, uint64_t version)
{
    akidb_error err;
    akidb_documents *documents = test_documents(first, count, version);
    akidb_batch batch = akidb_documents_batch(documents);
    assert_ok(err, akidb_storage_upsert(storage, collection, &batch, NULL, &err));
    akidb_documents_free(documents);
}

static inline void test_delete(akidb_storage *storage, const akidb_uuid *collection, uint64_t first,
                               size_t count, uint64_t expected)
{
    akidb_error err;
    uint64_t deleted;
    akidb_uuid *ids = calloc(count, sizeof *ids);
    assert_non_null(ids);
    for (size_t i = 0; i < count; i++)
        ids[i] = test_id(first + i);
    assert_ok(err, akidb_storage_delete(storage, collection, ids, count, &deleted, &err));
    assert_int_equal(deleted, expected);
    free(ids);
}

/* version 0: the document must not be there. */
static inline void assert_has(akidb_storage *storage, const akidb_uuid *collection, uint64_t number,
                              uint64_t version)
{
    akidb_error err;
    akidb_documents *documents;
    size_t found;
    akidb_uuid id = test_id(number);
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_storage_get(storage, collection, &id, 1, documents, &found, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(found, version == 0 ? 0 : 1);
    assert_int_equal(batch.rows, found);
    if (found == 1)
        assert_document(&batch, 0, number, version);
    akidb_documents_free(documents);
}

static inline void assert_count(akidb_storage *storage, const akidb_uuid *collection,
                                uint64_t expected)
{
    akidb_error err;
    uint64_t count;
    assert_ok(err, akidb_storage_count(storage, collection, &count, &err));
    assert_int_equal(count, expected);
}

/* Flushes only when told to; a small log, so that segments come and go. */
static inline akidb_storage_options test_options(const char *folder)
{
    return (akidb_storage_options){
        .struct_size = sizeof(akidb_storage_options),
        .data_folder = folder,
        .wal_segment_bytes = 64 << 10,
        .flush_wal_bytes = AKIDB_NEVER,
        .flush_age = AKIDB_NEVER,
    };
}

static inline akidb_storage *test_open(const akidb_storage_options *options,
                                       akidb_recovery_report *report)
{
    akidb_error err;
    akidb_storage *storage;
    assert_ok(err, akidb_storage_open(options, &storage, report, &err));
    return storage;
}

static inline void test_close(akidb_storage *storage)
{
    akidb_error err;
    assert_ok(err, akidb_storage_close(storage, &err));
}

static inline akidb_storage *test_reopen(akidb_storage *storage,
                                         const akidb_storage_options *options)
{
    test_close(storage);
    return test_open(options, NULL);
}

static inline void test_create(akidb_storage *storage, const akidb_uuid *collection)
{
    akidb_error err;
    assert_ok(err,
              akidb_storage_create_collection(storage, collection, TEST_DIMENSION, "books", &err));
}

static inline akidb_uuid test_flush(akidb_storage *storage, const akidb_uuid *collection)
{
    akidb_error err;
    akidb_uuid id;
    assert_ok(err, akidb_storage_flush(storage, collection, &id, &err));
    return id;
}

/* setup and teardown of a test: *state is the name of a folder */
static inline int test_folder_setup(void **state)
{
    char *folder = malloc(TEST_FOLDER_SIZE);
    if (folder == NULL || !test_folder_make(folder))
        return -1;
    *state = folder;
    return 0;
}

static inline int test_folder_teardown(void **state)
{
    test_folder_remove(*state);
    free(*state);
    return 0;
}

#define storage_test(f) cmocka_unit_test_setup_teardown(f, test_folder_setup, test_folder_teardown)

#endif
