#ifndef AK_TEST_SNAPSHOT_SUPPORT_H
#define AK_TEST_SNAPSHOT_SUPPORT_H
/* What the tests of snapshots share: documents made of a seed, comparison bit by bit, a clock that
 * stands where a test puts it, a snapshotter over a store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/snapshot.h"
#include "akidb/sys/store_backend.h"

#include "test.h"

#define TEST_NOW INT64_C(1795000000000000) /* 2026-11-18 */

static inline int64_t test_clock_now(void *handle)
{
    return *(int64_t *)handle;
}

static inline akidb_clock test_clock(int64_t *now)
{
    return (akidb_clock){test_clock_now, now};
}

static inline akidb_uuid test_uuid(uint64_t seed)
{
    akidb_uuid id;
    test_random_bytes(seed, id.bytes, sizeof id.bytes);
    return id;
}

static inline float test_float(uint64_t *state)
{
    uint32_t bits = (uint32_t)test_random(state);
    float value;
    if (test_random(state) % 50 != 0)
        return (float)(int32_t)bits / 2147483648.0f;
    memcpy(&value, &bits, sizeof value); /* any bits at all: NaN, infinities, subnormals */
    return value;
}

/* Documents of every kind: with and without texts, ids in no order. */
static inline akidb_documents *test_documents(uint64_t seed, size_t rows, uint32_t dimension)
{
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(dimension, &documents, &err));
    float *vector = malloc(dimension * sizeof *vector);
    assert_non_null(vector);
    uint64_t state = seed;
    for (size_t i = 0; i < rows; i++) {
        char external[32], metadata[64];
        akidb_uuid id = test_uuid(test_random(&state));
        int64_t time = TEST_NOW - (int64_t)(test_random(&state) % 1000000) * 1000;
        for (uint32_t d = 0; d < dimension; d++)
            vector[d] = test_float(&state);
        snprintf(external, sizeof external, "doc-%zu", i);
        snprintf(metadata, sizeof metadata, "{\"row\": %zu, \"tag\": \"t%zu\"}", i, i % 7);
        akidb_document document = {
            .document_id = &id,
            .vector = vector,
            .dimension = dimension,
            .inserted_at = &time,
        };
        if (i % 3 != 0)
            document.external_id = (akidb_slice){external, i % 11 == 1 ? 0 : strlen(external)};
        if (i % 5 != 0)
            document.metadata = (akidb_slice){metadata, strlen(metadata)};
        assert_ok(err, akidb_documents_append(documents, &document, &err));
    }
    free(vector);
    return documents;
}

static inline void assert_same_text(const akidb_texts *a, const akidb_texts *b, size_t a_row,
                                    size_t b_row)
{
    akidb_slice left = akidb_texts_at(a, a_row), right = akidb_texts_at(b, b_row);
    assert_int_equal(left.data == NULL, right.data == NULL);
    assert_int_equal(left.size, right.size);
    if (left.size > 0)
        assert_memory_equal(left.data, right.data, left.size);
}

static inline void assert_same_row(const akidb_batch *a, size_t a_row, const akidb_batch *b,
                                   size_t b_row)
{
    size_t d = a->dimension;
    assert_memory_equal(&a->document_ids[a_row], &b->document_ids[b_row], sizeof(akidb_uuid));
    assert_memory_equal(a->vectors + a_row * d, b->vectors + b_row * d, d * sizeof(float));
    assert_same_text(&a->external_ids, &b->external_ids, a_row, b_row);
    assert_same_text(&a->metadata, &b->metadata, a_row, b_row);
    assert_int_equal(a->inserted_at[a_row], b->inserted_at[b_row]);
}

static inline void assert_same_batch(const akidb_batch *a, const akidb_batch *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->dimension, b->dimension);
    for (size_t row = 0; row < a->rows; row++)
        assert_same_row(a, row, b, row);
}

static inline void assert_same_documents(const akidb_documents *a, const akidb_documents *b)
{
    akidb_batch left = akidb_documents_batch(a), right = akidb_documents_batch(b);
    assert_same_batch(&left, &right);
}

static inline akidb_store *test_store(void)
{
    akidb_error err;
    akidb_store *store;
    assert_ok(err, akidb_store_memory_open(&store, &err));
    return store;
}

static inline akidb_snapshotter *test_snapshotter(akidb_store *store, akidb_snapshot_format format)
{
    akidb_error err;
    akidb_snapshotter *snapshotter;
    akidb_snapshotter_options options = {.struct_size = sizeof options, .format = format};
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    return snapshotter;
}

static inline akidb_uuid test_create(akidb_snapshotter *snapshotter, const akidb_uuid *collection,
                                     const akidb_documents *documents)
{
    akidb_error err;
    akidb_uuid id;
    akidb_batch batch = akidb_documents_batch(documents);
    assert_ok(err, akidb_snapshot_create(snapshotter, collection, &batch, NULL, &id, NULL, &err));
    return id;
}

static inline void assert_restores(akidb_snapshotter *snapshotter, const akidb_uuid *collection,
                                   const akidb_uuid *id, const akidb_documents *expected)
{
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_snapshot_restore(snapshotter, collection, id, NULL, &documents, &err));
    assert_same_documents(expected, documents);
    akidb_documents_free(documents);
}

static inline void assert_verifies(akidb_snapshotter *snapshotter, const akidb_uuid *collection,
                                   const akidb_uuid *id, akidb_verify_outcome outcome)
{
    akidb_error err;
    akidb_verify_report report;
    assert_ok(err, akidb_snapshot_verify(snapshotter, collection, id, AKIDB_VERIFY_DECODE, &report,
                                         &err));
    if (report.outcome != outcome)
        fail_msg("expected outcome %d, found %d: %s", (int)outcome, (int)report.outcome,
                 report.problem.message);
}

static inline akidb_visit test_count_key(void *context, const akidb_list_entry *entry)
{
    (void)entry;
    ++*(size_t *)context;
    return AKIDB_VISIT_CONTINUE;
}

static inline size_t test_count_objects(akidb_store *store)
{
    akidb_error err;
    size_t count = 0;
    assert_ok(err, akidb_store_list(store, "", 0, test_count_key, &count, &err));
    return count;
}

static inline void test_put(akidb_store *store, const char *key, const void *bytes, size_t size)
{
    akidb_error err;
    akidb_slice slice = {bytes, size};
    assert_ok(err, akidb_store_put(store, key, &slice, 1, AKIDB_PUT_ALWAYS, &err));
}

#endif
