#include "document/documents.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "test.h"

#define TEXT(text) ((akidb_slice){(text), sizeof(text) - 1})
#define NO_TEXT    ((akidb_slice){NULL, 0})

static akidb_documents *new_documents(uint32_t dimension)
{
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(dimension, &documents, &err));
    return documents;
}

static void assert_text(akidb_slice found, akidb_slice expected)
{
    assert_int_equal(found.data == NULL, expected.data == NULL);
    assert_int_equal(found.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(found.data, expected.data, expected.size);
}

static void the_dimension_is_checked(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents;
    assert_status(AKIDB_E_VALIDATION, akidb_documents_new(0, &documents, &err));
    assert_null(documents);
    assert_status(AKIDB_E_VALIDATION, akidb_documents_new(65537, &documents, &err));
    assert_null(documents);
    documents = new_documents(65536);
    assert_int_equal(akidb_documents_batch(documents).rows, 0);
    akidb_documents_free(documents);
    akidb_documents_free(NULL);
}

static void one_document_at_a_time_makes_a_batch(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents = new_documents(2);
    const float vector[] = {1.5f, -0.0f};
    const akidb_uuid id = {{9}};
    const int64_t time = -5;
    const akidb_document full = {&id, TEXT("one"), vector, 2, TEXT("{\"a\":1}"), &time};
    const akidb_document bare = {NULL, NO_TEXT, vector, 2, NO_TEXT, NULL};
    int64_t before = akidb_clock_now(NULL);
    assert_ok(err, akidb_documents_append(documents, &bare, &err));
    assert_ok(err, akidb_documents_append(documents, &full, &err));
    assert_ok(err, akidb_documents_append(documents, &bare, &err));
    int64_t after = akidb_clock_now(NULL);

    akidb_batch batch = akidb_documents_batch(documents);
    assert_ok(err, akidb_batch_validate(&batch, &err));
    assert_int_equal(batch.rows, 3);
    for (size_t row = 0; row < 3; row++)
        assert_memory_equal(batch.vectors + 2 * row, vector, sizeof vector);
    assert_int_equal(batch.inserted_at[1], -5);
    assert_true(batch.inserted_at[0] >= before && batch.inserted_at[2] <= after);
    assert_int_equal(akidb_uuid_compare(&batch.document_ids[1], &id), 0);
    assert_true(akidb_uuid_compare(&batch.document_ids[0], &batch.document_ids[2]) < 0);
    assert_int_equal(batch.document_ids[0].bytes[6] >> 4, 7);
    assert_text(akidb_texts_at(&batch.external_ids, 0), NO_TEXT);
    assert_text(akidb_texts_at(&batch.external_ids, 1), TEXT("one"));
    assert_text(akidb_texts_at(&batch.external_ids, 2), NO_TEXT);
    assert_text(akidb_texts_at(&batch.metadata, 1), TEXT("{\"a\":1}"));
    akidb_documents_free(documents);
}

static void a_document_that_breaks_a_rule_is_not_appended(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents = new_documents(2);
    const float vector[] = {1, 2};
    const int64_t late = AKIDB_TIME_MAX + 1;
    const akidb_document good = {NULL, TEXT("x"), vector, 2, TEXT("1"), NULL};
    assert_ok(err, akidb_documents_append(documents, &good, &err));
    const struct {
        akidb_document document;
        const char *column;
    } cases[] = {
        {{NULL, NO_TEXT, vector, 3, NO_TEXT, NULL}, "vector"},
        {{NULL, NO_TEXT, NULL, 2, NO_TEXT, NULL}, "vector"},
        {{NULL, TEXT("\xFF"), vector, 2, NO_TEXT, NULL}, "external_id"},
        {{NULL, TEXT("y"), vector, 2, TEXT("{"), NULL}, "metadata"},
        {{NULL, TEXT("y"), vector, 2, TEXT(""), NULL}, "metadata"},
        {{NULL, TEXT("y"), vector, 2, TEXT("2"), &late}, "inserted_at"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_status(AKIDB_E_VALIDATION,
                      akidb_documents_append(documents, &cases[i].document, &err));
        assert_string_equal(err.column, cases[i].column);
        assert_int_equal(err.row, 1);
    }
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, 1);
    assert_int_equal(batch.external_ids.offsets[1], 1);
    akidb_documents_free(documents);
}

/* ---- against a plain array of rows ----------------------------------------------------------- */

enum { ROWS_MAX = 300, TEXT_MAX = 40, DIMENSION = 3 };

typedef struct row {
    akidb_uuid id;
    int64_t time;
    size_t external_size, metadata_size;
    char external[TEXT_MAX], metadata[TEXT_MAX];
    float vector[DIMENSION];
    bool has_external, has_metadata;
} row;

static void random_row(row *r, unsigned null_share, uint64_t *random)
{
    memset(r, 0, sizeof *r);
    test_random_bytes(test_random(random), r->id.bytes, 16);
    test_random_bytes(test_random(random), (uint8_t *)r->vector, sizeof r->vector);
    r->time = (int64_t)(test_random(random) % 1000000);
    r->has_external = test_random(random) % 10 >= null_share;
    r->has_metadata = test_random(random) % 10 >= null_share;
    r->external_size = test_random(random) % TEXT_MAX;
    memset(r->external, 'a' + (int)(test_random(random) % 26), r->external_size);
    r->metadata_size = test_random(random) % (TEXT_MAX - 1) + 1;
    memset(r->metadata, '1' + (int)(test_random(random) % 9), r->metadata_size);
}

static akidb_slice external_of(const row *r)
{
    return (akidb_slice){r->has_external ? r->external : NULL,
                         r->has_external ? r->external_size : 0};
}

static akidb_slice metadata_of(const row *r)
{
    return (akidb_slice){r->has_metadata ? r->metadata : NULL,
                         r->has_metadata ? r->metadata_size : 0};
}

static void assert_rows(const akidb_documents *documents, const row *rows, size_t count)
{
    akidb_error err;
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, count);
    if (count > 0)
        assert_ok(err, akidb_batch_validate(&batch, &err));
    for (size_t i = 0; i < count; i++) {
        assert_memory_equal(&batch.document_ids[i], &rows[i].id, 16);
        assert_memory_equal(batch.vectors + i * DIMENSION, rows[i].vector, sizeof rows[i].vector);
        assert_int_equal(batch.inserted_at[i], rows[i].time);
        assert_text(akidb_texts_at(&batch.external_ids, i), external_of(&rows[i]));
        assert_text(akidb_texts_at(&batch.metadata, i), metadata_of(&rows[i]));
    }
}

static void append_one(akidb_documents *documents, const row *r)
{
    akidb_error err;
    const akidb_document document = {&r->id,    external_of(r), r->vector,
                                     DIMENSION, metadata_of(r), &r->time};
    assert_ok(err, akidb_documents_append(documents, &document, &err));
}

static size_t choose(size_t *chosen, size_t count, uint64_t *random)
{
    size_t taken = 0;
    for (size_t i = 0; i < count; i++)
        if (test_random(random) % 2 == 0)
            chosen[taken++] = i;
    return taken;
}

/* Appends, appends of batches, of chosen rows, truncations and clears, in any order. */
static void any_sequence_of_changes_keeps_the_rows(void **state)
{
    (void)state;
    akidb_error err;
    uint64_t random = 31;
    static row rows[ROWS_MAX * 4];
    size_t chosen[ROWS_MAX];
    for (int round = 0; round < 60; round++) {
        akidb_documents *documents = new_documents(DIMENSION);
        size_t count = 0;
        unsigned null_share = (unsigned)(test_random(&random) % 11); /* 0: none, 10: all */
        for (int step = 0; step < 25; step++) {
            uint64_t kind = test_random(&random) % 8;
            akidb_documents *source = new_documents(DIMENSION);
            size_t added = test_random(&random) % 40;
            row *next = rows + count;
            for (size_t i = 0; i < added; i++) {
                random_row(&next[i], null_share, &random);
                append_one(source, &next[i]);
            }
            akidb_batch batch = akidb_documents_batch(source);
            if (kind == 0) {
                count = count == 0 ? 0 : test_random(&random) % count;
                ak_documents_truncate(documents, count);
            } else if (kind == 1 && step % 5 == 0) {
                akidb_documents_clear(documents);
                count = 0;
                null_share = (unsigned)(test_random(&random) % 11);
            } else if (kind < 4) {
                assert_ok(err, akidb_documents_append_batch(documents, &batch, &err));
                count += added;
            } else if (kind < 6) {
                size_t taken = choose(chosen, added, &random);
                assert_ok(err, ak_documents_append_rows(documents, &batch, chosen, taken, &err));
                for (size_t i = 0; i < taken; i++)
                    next[i] = next[chosen[i]];
                count += taken;
            } else {
                for (size_t i = 0; i < added; i++)
                    append_one(documents, &next[i]);
                count += added;
            }
            akidb_documents_free(source);
            assert_rows(documents, rows, count);
        }
        akidb_documents_free(documents);
    }
}

static void a_batch_without_ids_and_times_gets_new_ones(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents = new_documents(1);
    float vectors[100] = {0};
    const akidb_batch batch = {.rows = 100, .dimension = 1, .vectors = vectors};
    for (int i = 0; i < 3; i++)
        assert_ok(err, akidb_documents_append_batch(documents, &batch, &err));
    akidb_batch found = akidb_documents_batch(documents);
    assert_int_equal(found.rows, 300);
    for (size_t i = 1; i < 300; i++)
        assert_true(akidb_uuid_compare(&found.document_ids[i - 1], &found.document_ids[i]) < 0);
    assert_true(found.inserted_at[299] > INT64_C(1600000000000000));
    assert_null(found.metadata.offsets);
    akidb_documents_free(documents);
}

static void a_batch_of_broken_structure_is_not_appended(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents = new_documents(2);
    float vectors[4] = {0};
    const uint64_t falling[] = {0, 2, 1};
    akidb_batch batch = {.rows = 2, .dimension = 2, .vectors = vectors};
    assert_ok(err, akidb_documents_append_batch(documents, &batch, &err));
    batch.metadata = (akidb_texts){falling, "ab", NULL};
    assert_status(AKIDB_E_VALIDATION, akidb_documents_append_batch(documents, &batch, &err));
    batch.metadata = (akidb_texts){NULL, NULL, NULL};
    batch.dimension = 1;
    assert_status(AKIDB_E_VALIDATION, akidb_documents_append_batch(documents, &batch, &err));
    batch.dimension = 2;
    batch.vectors = NULL; /* rows with vectors are there already */
    assert_status(AKIDB_E_VALIDATION, akidb_documents_append_batch(documents, &batch, &err));
    assert_string_equal(err.column, "vector");
    assert_int_equal(akidb_documents_batch(documents).rows, 2);
    batch.rows = 0;
    assert_ok(err, akidb_documents_append_batch(documents, &batch, &err));
    akidb_documents_free(documents);
}

static void columns_that_were_not_read_stay_away(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents = new_documents(2);
    const akidb_uuid ids[] = {{{1}}, {{2}}};
    const size_t rows[] = {1, 0};
    const int64_t times[] = {10, 20};
    akidb_batch batch = {.rows = 2, .dimension = 2, .document_ids = ids};
    assert_ok(err, ak_documents_append_rows(documents, &batch, rows, 2, &err));
    akidb_batch found = akidb_documents_batch(documents);
    assert_int_equal(found.rows, 2);
    assert_null(found.vectors);
    assert_null(found.inserted_at);
    assert_int_equal(found.document_ids[0].bytes[0], 2);
    batch.inserted_at = times;
    assert_status(AKIDB_E_VALIDATION, ak_documents_append_rows(documents, &batch, rows, 2, &err));
    assert_string_equal(err.column, "inserted_at");
    akidb_documents_clear(documents);
    assert_ok(err, ak_documents_append_rows(documents, &batch, rows, 2, &err));
    assert_int_equal(akidb_documents_batch(documents).inserted_at[0], 20);
    batch.document_ids = NULL;
    assert_status(AKIDB_E_VALIDATION, ak_documents_append_rows(documents, &batch, rows, 2, &err));
    akidb_documents_free(documents);
}

/* What a caller undoes by counting its rows anew leaves nothing behind. */
static void bytes_after_the_last_row_are_nobodys(void **state)
{
    (void)state;
    akidb_error err;
    ak_texts texts = {0};
    assert_ok(err, ak_texts_append(&texts, 0, TEXT("first"), &err));
    assert_ok(err, ak_texts_append(&texts, 1, TEXT("undone"), &err));
    assert_ok(err, ak_texts_append(&texts, 1, TEXT("second"), &err));
    akidb_texts view = ak_texts_view(&texts);
    assert_text(akidb_texts_at(&view, 0), TEXT("first"));
    assert_text(akidb_texts_at(&view, 1), TEXT("second"));
    ak_texts_free(&texts);
    assert_null(ak_texts_view(&texts).offsets);
}

static void reserved_room_is_for_the_columns_that_there_are(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents = new_documents(4);
    documents->has_vectors = false;
    assert_ok(err, ak_documents_reserve(documents, 10, &err));
    assert_null(documents->vectors);
    assert_true(documents->id_capacity >= 10 && documents->time_capacity >= 10);
    assert_status(AKIDB_E_OUT_OF_MEMORY, ak_documents_reserve(documents, SIZE_MAX, &err));
    documents->has_vectors = true;
    assert_status(AKIDB_E_OUT_OF_MEMORY, ak_documents_reserve(documents, SIZE_MAX / 4, &err));
    akidb_documents_free(documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dimension_is_checked),
        cmocka_unit_test(one_document_at_a_time_makes_a_batch),
        cmocka_unit_test(a_document_that_breaks_a_rule_is_not_appended),
        cmocka_unit_test(any_sequence_of_changes_keeps_the_rows),
        cmocka_unit_test(a_batch_without_ids_and_times_gets_new_ones),
        cmocka_unit_test(a_batch_of_broken_structure_is_not_appended),
        cmocka_unit_test(columns_that_were_not_read_stay_away),
        cmocka_unit_test(bytes_after_the_last_row_are_nobodys),
        cmocka_unit_test(reserved_room_is_for_the_columns_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
