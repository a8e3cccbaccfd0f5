/* Filtered restore, against an oracle that looks at every document. */
#include "document/documents.h"

#include "support.h"

static const akidb_uuid collection = {{3, 1, 4}};
enum { ROWS = 600, DIMENSION = 5 };

typedef struct subject {
    akidb_store *store;
    akidb_snapshotter *snapshotter;
    akidb_documents *documents;
    akidb_batch batch;
    akidb_uuid id;
} subject;

static subject subject_open(akidb_snapshot_format format)
{
    akidb_error err;
    subject s = {.store = test_store()};
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .format = format,
        .part_rows = 250,
        .threads = 2,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .row_group_size = 40},
    };
    assert_ok(err, akidb_snapshotter_open(s.store, &options, &s.snapshotter, &err));
    s.documents = test_documents(11, ROWS, DIMENSION);
    s.batch = akidb_documents_batch(s.documents);
    /* Times that rise, so that row groups can be told apart by them. */
    for (size_t i = 0; i < ROWS; i++)
        ((int64_t *)s.batch.inserted_at)[i] = TEST_NOW + (int64_t)i * 1000;
    s.id = test_create(s.snapshotter, &collection, s.documents);
    return s;
}

static void subject_close(subject *s)
{
    akidb_documents_free(s->documents);
    akidb_snapshotter_close(s->snapshotter);
    akidb_store_close(s->store);
}

static bool same_slice(akidb_slice a, akidb_slice b)
{
    return a.data != NULL && a.size == b.size &&
           (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Whether the filter takes a document, as its contract says. */
static bool wanted(const akidb_filter *filter, const akidb_batch *batch, size_t row)
{
    bool named = filter->id_count == 0 && filter->external_id_count == 0;
    for (size_t i = 0; i < filter->id_count; i++)
        named |= akidb_uuid_compare(&filter->ids[i], &batch->document_ids[row]) == 0;
    for (size_t i = 0; i < filter->external_id_count; i++)
        named |= same_slice(akidb_texts_at(&batch->external_ids, row), filter->external_ids[i]);
    int64_t time = batch->inserted_at[row];
    return named && (filter->inserted_from == NULL || time >= *filter->inserted_from) &&
           (filter->inserted_until == NULL || time < *filter->inserted_until);
}

static void check_column(bool expected, const void *found)
{
    assert_int_equal(expected, found != NULL);
}

static void check_filter(const subject *s, const akidb_filter *filter)
{
    akidb_error err;
    akidb_documents *restored;
    assert_ok(err,
              akidb_snapshot_restore(s->snapshotter, &collection, &s->id, filter, &restored, &err));
    akidb_batch found = akidb_documents_batch(restored);
    unsigned columns = filter->columns == 0 ? AKIDB_COLUMNS_ALL : filter->columns;
    size_t at = 0;
    for (size_t row = 0; row < ROWS; row++) {
        if (!wanted(filter, &s->batch, row) || (filter->limit > 0 && at == filter->limit))
            continue;
        assert_true(at < found.rows);
        assert_memory_equal(&found.document_ids[at], &s->batch.document_ids[row],
                            sizeof(akidb_uuid));
        if (columns & AKIDB_COLUMN_VECTOR)
            assert_memory_equal(found.vectors + at * DIMENSION, s->batch.vectors + row * DIMENSION,
                                DIMENSION * sizeof(float));
        if (columns & AKIDB_COLUMN_EXTERNAL_ID)
            assert_same_text(&found.external_ids, &s->batch.external_ids, at, row);
        if (columns & AKIDB_COLUMN_METADATA)
            assert_same_text(&found.metadata, &s->batch.metadata, at, row);
        if (columns & AKIDB_COLUMN_INSERTED_AT)
            assert_int_equal(found.inserted_at[at], s->batch.inserted_at[row]);
        at++;
    }
    assert_int_equal(at, found.rows);
    if (at > 0) {
        check_column(columns & AKIDB_COLUMN_VECTOR, found.vectors);
        check_column(columns & AKIDB_COLUMN_INSERTED_AT, found.inserted_at);
    }
    if ((columns & AKIDB_COLUMN_METADATA) == 0)
        assert_null(found.metadata.offsets);
    if ((columns & AKIDB_COLUMN_EXTERNAL_ID) == 0)
        assert_null(found.external_ids.offsets);
    akidb_documents_free(restored);
}

static void any_filter_gives_what_the_oracle_gives(void **state)
{
    (void)state;
    for (int format = AKIDB_FORMAT_PARQUET; format <= AKIDB_FORMAT_JSON; format++) {
        subject s = subject_open((akidb_snapshot_format)format);
        uint64_t random = 17;
        for (int round = 0; round < 150; round++) {
            akidb_filter filter = {.struct_size = sizeof filter};
            akidb_uuid ids[4];
            akidb_slice external_ids[3];
            uint64_t choice = test_random(&random);
            if (choice & 1) {
                filter.ids = ids;
                filter.id_count = 1 + test_random(&random) % 4;
                for (size_t i = 0; i < filter.id_count; i++)
                    ids[i] = test_random(&random) % 5 == 0
                                 ? test_uuid(test_random(&random))
                                 : s.batch.document_ids[test_random(&random) % ROWS];
            }
            if (choice & 2) {
                filter.external_ids = external_ids;
                filter.external_id_count = 1 + test_random(&random) % 3;
                for (size_t i = 0; i < filter.external_id_count; i++)
                    external_ids[i] =
                        akidb_texts_at(&s.batch.external_ids, test_random(&random) % 200 * 3 + 1);
            }
            int64_t from = TEST_NOW + (int64_t)(test_random(&random) % ROWS) * 1000;
            int64_t until = TEST_NOW + (int64_t)(test_random(&random) % ROWS) * 1000;
            filter.inserted_from = choice & 4 ? &from : NULL;
            filter.inserted_until = choice & 8 ? &until : NULL;
            filter.limit = choice & 16 ? 1 + test_random(&random) % 50 : 0;
            filter.columns = choice & 32 ? (unsigned)(test_random(&random) % AKIDB_COLUMNS_ALL) : 0;
            check_filter(&s, &filter);
        }
        subject_close(&s);
    }
}

static void a_filter_that_asks_for_nonsense_is_refused(void **state)
{
    (void)state;
    akidb_error err;
    subject s = subject_open(AKIDB_FORMAT_PARQUET);
    static const akidb_filter refused[] = {
        {.struct_size = sizeof(akidb_filter), .columns = 64},
        {.struct_size = sizeof(akidb_filter), .id_count = 1},
        {.struct_size = sizeof(akidb_filter), .external_id_count = 1},
        {.struct_size = 3},
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        akidb_documents *restored;
        assert_status(AKIDB_E_VALIDATION, akidb_snapshot_restore(s.snapshotter, &collection, &s.id,
                                                                 &refused[i], &restored, &err));
        assert_null(restored);
    }
    subject_close(&s);
}

static void add_bytes(void *context, const akidb_store_call *call)
{
    if (call->op == AKIDB_STORE_GET_RANGE)
        *(uint64_t *)context += call->bytes;
}

static void row_groups_that_cannot_match_are_not_read(void **state)
{
    (void)state;
    akidb_error err;
    subject s = subject_open(AKIDB_FORMAT_PARQUET);
    uint64_t all = 0, some = 0;
    akidb_store *store;
    akidb_snapshotter *snapshotter;
    akidb_documents *restored;
    assert_ok(err, akidb_store_trace_open(s.store, add_bytes, &all, &store, &err));
    snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    assert_restores(snapshotter, &collection, &s.id, s.documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    assert_ok(err, akidb_store_trace_open(s.store, add_bytes, &some, &store, &err));
    snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    int64_t from = TEST_NOW, until = TEST_NOW + 10 * 1000;
    akidb_filter filter = {
        .struct_size = sizeof filter, .inserted_from = &from, .inserted_until = &until};
    assert_ok(err,
              akidb_snapshot_restore(snapshotter, &collection, &s.id, &filter, &restored, &err));
    assert_int_equal(akidb_documents_batch(restored).rows, 10);
    assert_true(some < all * 3 / 4); /* one row group of fifteen, and the tails */
    akidb_documents_free(restored);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    subject_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_filter_gives_what_the_oracle_gives),
        cmocka_unit_test(a_filter_that_asks_for_nonsense_is_refused),
        cmocka_unit_test(row_groups_that_cannot_match_are_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
