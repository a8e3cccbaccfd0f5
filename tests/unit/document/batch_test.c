#include "akidb/batch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* A legal batch of three rows, for the tests to break. */
typedef struct sample {
    float vectors[3 * 2];
    akidb_uuid ids[3];
    int64_t times[3];
    uint64_t external_offsets[4];
    uint64_t metadata_offsets[4];
    char external[16];
    char metadata[16];
    uint8_t validity[1];
    akidb_batch batch;
} sample;

static void make_sample(sample *s)
{
    *s = (sample){
        .vectors = {1, 2, -0.0f, NAN, INFINITY, 1e-45f},
        .ids = {{{1}}, {{2}}, {{3}}},
        .times = {0, AKIDB_TIME_MIN, AKIDB_TIME_MAX},
        .external_offsets = {0, 1, 1, 4},
        .metadata_offsets = {0, 2, 6, 9},
        .external = "a\xC3\xA9z",
        .metadata = "{}nullxyz",
        .validity = {3},
    };
    s->batch = (akidb_batch){
        .rows = 3,
        .dimension = 2,
        .vectors = s->vectors,
        .document_ids = s->ids,
        .external_ids = {s->external_offsets, s->external, NULL},
        .metadata = {s->metadata_offsets, s->metadata, s->validity}, /* the third is null */
        .inserted_at = s->times,
    };
}

static void assert_refused(const akidb_batch *batch, int64_t row, const char *column,
                           const char *message)
{
    akidb_error err;
    assert_status(AKIDB_E_VALIDATION, akidb_batch_validate(batch, &err));
    assert_int_equal(err.row, row);
    assert_string_equal(err.column, column);
    if (strstr(err.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, err.message);
    assert_status(AKIDB_E_VALIDATION, akidb_batch_validate(batch, NULL));
}

static void a_legal_batch_is_valid_with_any_float(void **state)
{
    (void)state;
    akidb_error err;
    sample s;
    make_sample(&s);
    assert_ok(err, akidb_batch_validate(&s.batch, &err));
    s.batch.document_ids = NULL;
    s.batch.inserted_at = NULL;
    s.batch.external_ids = s.batch.metadata = (akidb_texts){NULL, NULL, NULL};
    assert_ok(err, akidb_batch_validate(&s.batch, &err));
}

static void texts_are_found_by_row(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    akidb_slice text = akidb_texts_at(&s.batch.external_ids, 2);
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.data, "\xC3\xA9z", 3);
    text = akidb_texts_at(&s.batch.external_ids, 1); /* empty is not null */
    assert_int_equal(text.size, 0);
    assert_non_null(text.data);
    text = akidb_texts_at(&s.batch.metadata, 2);
    assert_int_equal(text.size, 0);
    assert_null(text.data);
    const akidb_texts absent = {NULL, NULL, NULL};
    assert_null(akidb_texts_at(&absent, 0).data);
    const uint64_t zeros[] = {0, 0, 0};
    const akidb_texts empty = {zeros, NULL, NULL}; /* empty texts need no bytes */
    assert_non_null(akidb_texts_at(&empty, 1).data);
}

static void an_empty_batch_is_refused(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.batch.rows = 0;
    assert_refused(&s.batch, -1, "", "empty");
}

static void a_dimension_of_0_or_over_65536_is_refused(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.batch.dimension = 0;
    assert_refused(&s.batch, -1, "", "dimension: expected 1 to 65536, found 0");
    s.batch.dimension = 65537;
    assert_refused(&s.batch, -1, "", "found 65537");
    s.batch.dimension = 65536;
    s.batch.rows = SIZE_MAX / 8;
    assert_refused(&s.batch, -1, "", "more than memory can hold");
}

static void a_batch_without_vectors_is_refused(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.batch.vectors = NULL;
    assert_refused(&s.batch, 0, "vector", "expected a vector");
}

static void offsets_that_fall_are_refused(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.external_offsets[2] = 0;
    assert_refused(&s.batch, 1, "external_id", "found 0 after 1");
    make_sample(&s);
    s.metadata_offsets[2] = UINT64_MAX;
    assert_refused(&s.batch, 2, "metadata", "never fall");
    s.metadata_offsets[3] = UINT64_MAX;
    assert_refused(&s.batch, -1, "metadata", "within memory");
}

static void texts_without_offsets_or_bytes_are_refused(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.batch.metadata.bytes = NULL;
    assert_refused(&s.batch, -1, "metadata", "expected 9 bytes, found none");
    make_sample(&s);
    s.batch.metadata.offsets = NULL;
    assert_refused(&s.batch, -1, "metadata", "expected offsets");
}

static void external_ids_must_be_utf8(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.external[2] = 'e';
    assert_refused(&s.batch, 2, "external_id", "found byte 0xC3 at 0 of 3");
    make_sample(&s);
    s.external_offsets[2] = 2; /* a character cut in two by the border of two rows */
    assert_refused(&s.batch, 1, "external_id", "UTF-8");
}

static void metadata_must_be_json(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.metadata[1] = ']';
    assert_refused(&s.batch, 0, "metadata", "row 0: column metadata: ");
    akidb_error err;
    assert_status(AKIDB_E_VALIDATION, akidb_batch_validate(&s.batch, &err));
    assert_true(err.offset >= 0 && err.offset <= 2);
    make_sample(&s);
    s.metadata[3] = '\xFF';
    assert_refused(&s.batch, 1, "metadata", "");
    make_sample(&s);
    s.validity[0] = 7; /* the third row is not null any more, and "xyz" is no JSON */
    assert_refused(&s.batch, 2, "metadata", "");
    make_sample(&s);
    s.metadata_offsets[1] = 0; /* an empty text is no JSON value either */
    assert_refused(&s.batch, 0, "metadata", "");
}

static void times_must_lie_in_the_years_1_to_9999(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.times[1]--;
    assert_refused(&s.batch, 1, "inserted_at", "found -62135596800000001");
    make_sample(&s);
    s.times[2]++;
    assert_refused(&s.batch, 2, "inserted_at", "found 253402300800000000");
}

static void the_first_bad_row_is_named(void **state)
{
    (void)state;
    sample s;
    make_sample(&s);
    s.external[2] = 'e'; /* row 2 */
    s.times[1]--;        /* row 1 */
    assert_refused(&s.batch, 1, "inserted_at", "");
}

static void rows_of_a_batch_are_a_view(void **state)
{
    (void)state;
    enum { ROWS = 40, DIMENSION = 3 };
    float vectors[ROWS * DIMENSION];
    akidb_uuid ids[ROWS];
    int64_t times[ROWS];
    uint64_t offsets[ROWS + 1] = {0};
    char bytes[ROWS];
    uint8_t validity[ROWS / 8] = {0x12, 0x34, 0x56, 0x78, 0x9A};
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < DIMENSION; j++)
            vectors[i * DIMENSION + j] = (float)(i * 10 + j);
        ids[i] = (akidb_uuid){{(uint8_t)i}};
        times[i] = (int64_t)i;
        offsets[i + 1] = i + 1;
        bytes[i] = (char)('A' + i);
    }
    const akidb_batch batch = {
        ROWS, DIMENSION, vectors, ids, {offsets, bytes, validity}, {NULL, NULL, NULL}, times};
    akidb_batch view = akidb_batch_rows(&batch, 16, 9);
    assert_int_equal(view.rows, 9);
    assert_int_equal(view.dimension, DIMENSION);
    for (size_t i = 0; i < 9; i++) {
        assert_true(view.vectors[i * DIMENSION + 1] == (float)((16 + i) * 10 + 1));
        assert_int_equal(view.document_ids[i].bytes[0], 16 + i);
        assert_int_equal(view.inserted_at[i], 16 + i);
        akidb_slice whole = akidb_texts_at(&batch.external_ids, 16 + i);
        akidb_slice part = akidb_texts_at(&view.external_ids, i);
        assert_ptr_equal(part.data, whole.data);
        assert_int_equal(part.size, whole.size);
        assert_null(akidb_texts_at(&view.metadata, i).data);
    }
    const akidb_batch bare = {
        ROWS, DIMENSION, vectors, NULL, {NULL, NULL, NULL}, {NULL, NULL, NULL}, NULL};
    view = akidb_batch_rows(&bare, 7, 1);
    assert_null(view.document_ids);
    assert_null(view.inserted_at);
    assert_null(view.external_ids.offsets);
    assert_true(view.vectors == vectors + 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_legal_batch_is_valid_with_any_float),
        cmocka_unit_test(texts_are_found_by_row),
        cmocka_unit_test(an_empty_batch_is_refused),
        cmocka_unit_test(a_dimension_of_0_or_over_65536_is_refused),
        cmocka_unit_test(a_batch_without_vectors_is_refused),
        cmocka_unit_test(offsets_that_fall_are_refused),
        cmocka_unit_test(texts_without_offsets_or_bytes_are_refused),
        cmocka_unit_test(external_ids_must_be_utf8),
        cmocka_unit_test(metadata_must_be_json),
        cmocka_unit_test(times_must_lie_in_the_years_1_to_9999),
        cmocka_unit_test(the_first_bad_row_is_named),
        cmocka_unit_test(rows_of_a_batch_are_a_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
