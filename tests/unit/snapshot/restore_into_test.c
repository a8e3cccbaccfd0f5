/* Restoring into the caller's arrays gives what a restore gives, and never a byte beyond them. */
#include "support.h"

enum { ROWS = 137, DIMENSION = 7, GUARD = 64 };

static const akidb_uuid collection = {{7}};

/* Arrays with guards behind them. */
typedef struct arrays {
    akidb_restore_target target;
    float *vectors;
    akidb_uuid *ids;
    int64_t *times;
} arrays;

static void *guarded(size_t size)
{
    uint8_t *bytes = malloc(size + GUARD);
    assert_non_null(bytes);
    memset(bytes, 0x5A, size + GUARD);
    return bytes;
}

static arrays arrays_of(size_t capacity)
{
    arrays a = {.vectors = guarded(capacity * DIMENSION * sizeof *a.vectors),
                .ids = guarded(capacity * sizeof *a.ids),
                .times = guarded(capacity * sizeof *a.times)};
    a.target = (akidb_restore_target){.struct_size = sizeof a.target,
                                      .capacity = capacity,
                                      .dimension = DIMENSION,
                                      .vectors = a.vectors,
                                      .document_ids = a.ids,
                                      .inserted_at = a.times};
    return a;
}

static void assert_guard(const void *array, size_t size)
{
    for (size_t i = 0; i < GUARD; i++)
        assert_int_equal(((const uint8_t *)array)[size + i], 0x5A);
}

/* Checks the guards and frees. */
static void arrays_free(arrays *a)
{
    size_t rows = a->target.capacity;
    assert_guard(a->vectors, rows * DIMENSION * sizeof *a->vectors);
    assert_guard(a->ids, rows * sizeof *a->ids);
    assert_guard(a->times, rows * sizeof *a->times);
    free(a->vectors);
    free(a->ids);
    free(a->times);
}

typedef struct fixture {
    akidb_store *store;
    akidb_snapshotter *snapshotter;
    akidb_documents *documents;
    akidb_uuid id;
} fixture;

static fixture fixture_open(akidb_snapshot_format format, akidb_compression compression,
                            unsigned threads)
{
    akidb_error err;
    fixture f = {.store = test_store(), .documents = test_documents(11, ROWS, DIMENSION)};
    akidb_parquet_options parquet = {
        .struct_size = sizeof parquet, .compression = compression, .row_group_size = 10};
    akidb_snapshotter_options options = {.struct_size = sizeof options,
                                         .format = format,
                                         .parquet = &parquet,
                                         .part_rows = format == AKIDB_FORMAT_PARQUET ? 60 : 0,
                                         .threads = threads};
    assert_ok(err, akidb_snapshotter_open(f.store, &options, &f.snapshotter, &err));
    f.id = test_create(f.snapshotter, &collection, f.documents);
    return f;
}

static void fixture_close(fixture *f)
{
    akidb_documents_free(f->documents);
    akidb_snapshotter_close(f->snapshotter);
    akidb_store_close(f->store);
}

/* Restores both ways through the filter, into arrays of just the room that is needed. */
static void compare_with_restore(const fixture *f, const akidb_filter *filter)
{
    akidb_error err;
    akidb_documents *restored, *view;
    assert_ok(err,
              akidb_snapshot_restore(f->snapshotter, &collection, &f->id, filter, &restored, &err));
    akidb_batch expected = akidb_documents_batch(restored);
    arrays a = arrays_of(expected.rows);
    size_t rows = 12345;
    assert_ok(err, akidb_snapshot_restore_into(f->snapshotter, &collection, &f->id, filter,
                                               &a.target, &rows, &view, &err));
    assert_int_equal(rows, expected.rows);
    akidb_batch found = akidb_documents_batch(view);
    assert_ptr_equal(found.vectors, a.vectors);
    assert_ptr_equal(found.document_ids, a.ids);
    assert_ptr_equal(found.inserted_at, a.times);
    assert_same_batch(&expected, &found);
    akidb_documents_free(view);
    arrays_free(&a);
    if (expected.rows > 0) {
        arrays small = arrays_of(expected.rows - 1);
        assert_status(AKIDB_E_LIMIT,
                      akidb_snapshot_restore_into(f->snapshotter, &collection, &f->id, filter,
                                                  &small.target, &rows, &view, &err));
        assert_int_equal(rows, 0);
        assert_null(view);
        arrays_free(&small);
    }
    akidb_documents_free(restored);
}

static void the_arrays_get_what_a_restore_gives(void **state)
{
    (void)state;
    static const struct {
        akidb_snapshot_format format;
        akidb_compression compression;
    } kinds[] = {{AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_NONE},
                 {AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_ZSTD},
                 {AKIDB_FORMAT_JSON, AKIDB_COMPRESSION_NONE}};
    for (size_t kind = 0; kind < 3; kind++)
        for (unsigned threads = 1; threads <= 3; threads += 2) {
            fixture f = fixture_open(kinds[kind].format, kinds[kind].compression, threads);
            akidb_batch all = akidb_documents_batch(f.documents);
            int64_t half = TEST_NOW - INT64_C(500000000);
            const akidb_filter filters[] = {
                {.struct_size = sizeof(akidb_filter)},
                {.struct_size = sizeof(akidb_filter), .limit = 1},
                {.struct_size = sizeof(akidb_filter), .limit = 15},
                {.struct_size = sizeof(akidb_filter), .limit = 1000},
                {.struct_size = sizeof(akidb_filter), .ids = &all.document_ids[33], .id_count = 40},
                {.struct_size = sizeof(akidb_filter), .inserted_from = &half},
                {.struct_size = sizeof(akidb_filter), .inserted_from = &half, .limit = 13},
            };
            for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
                compare_with_restore(&f, &filters[i]);
            compare_with_restore(&f, NULL);
            fixture_close(&f);
        }
}

static void only_what_the_target_has_room_for_is_read(void **state)
{
    (void)state;
    akidb_error err;
    fixture f = fixture_open(AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_NONE, 1);
    akidb_batch all = akidb_documents_batch(f.documents);
    arrays a = arrays_of(ROWS);
    akidb_documents *view;
    size_t rows;
    a.target.document_ids = NULL;
    a.target.inserted_at = NULL;
    assert_ok(err, akidb_snapshot_restore_into(f.snapshotter, &collection, &f.id, NULL, &a.target,
                                               &rows, NULL, &err));
    assert_int_equal(rows, ROWS);
    assert_memory_equal(a.vectors, all.vectors, sizeof(float) * ROWS * DIMENSION);
    assert_int_equal(a.ids[0].bytes[0], 0x5A);
    a.target.vectors = NULL;
    a.target.dimension = 0;
    a.target.document_ids = a.ids;
    assert_ok(err, akidb_snapshot_restore_into(f.snapshotter, &collection, &f.id, NULL, &a.target,
                                               &rows, &view, &err));
    assert_memory_equal(a.ids, all.document_ids, sizeof(akidb_uuid) * ROWS);
    akidb_batch batch = akidb_documents_batch(view);
    assert_null(batch.vectors);
    assert_null(batch.inserted_at);
    for (size_t i = 0; i < ROWS; i++)
        assert_same_text(&all.metadata, &batch.metadata, i, i);
    akidb_documents_free(view);
    arrays_free(&a);
    fixture_close(&f);
}

static void a_target_of_another_dimension_is_refused(void **state)
{
    (void)state;
    akidb_error err = {0};
    fixture f = fixture_open(AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_NONE, 1);
    arrays a = arrays_of(ROWS);
    size_t rows;
    a.target.dimension = DIMENSION - 1;
    assert_status(AKIDB_E_VALIDATION,
                  akidb_snapshot_restore_into(f.snapshotter, &collection, &f.id, NULL, &a.target,
                                              &rows, NULL, &err));
    assert_non_null(strstr(err.message, "expected dimension 7"));
    akidb_filter filter = {.struct_size = sizeof filter, .columns = 1u << 20};
    a.target.dimension = DIMENSION;
    assert_status(AKIDB_E_VALIDATION,
                  akidb_snapshot_restore_into(f.snapshotter, &collection, &f.id, &filter, &a.target,
                                              &rows, NULL, &err));
    arrays_free(&a);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_arrays_get_what_a_restore_gives),
        cmocka_unit_test(only_what_the_target_has_room_for_is_read),
        cmocka_unit_test(a_target_of_another_dimension_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
