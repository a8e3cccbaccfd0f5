/* Single documents out of a snapshot: the right ones, by few and small reads. */
#include <sys/stat.h>

#include "folder.h"
#include "snapshot/keys.h"

#include "support.h"

static const akidb_uuid collection = {{4, 2}};

/* ---- a store that counts --------------------------------------------------------------------- */

typedef struct traffic {
    int calls;
    int lists, heads;
    uint64_t bytes;
} traffic;

static void count_call(void *context, const akidb_store_call *call)
{
    traffic *t = context;
    t->calls++;
    t->bytes += call->bytes;
    t->lists += call->op == AKIDB_STORE_LIST;
    t->heads += call->op == AKIDB_STORE_HEAD;
}

/* ---- the right documents --------------------------------------------------------------------- */

static akidb_snapshotter *open_with(akidb_store *store, akidb_snapshot_format format,
                                    const akidb_parquet_options *parquet, uint64_t part_rows)
{
    akidb_error err;
    akidb_snapshotter_options options = {
        .struct_size = sizeof options, .format = format, .part_rows = part_rows};
    if (parquet != NULL)
        options.parquet = parquet;
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    return snapshotter;
}

/* Get and restore must give the same documents for a filter. */
static size_t assert_same_answers(akidb_snapshotter *snapshotter, const akidb_uuid *id,
                                  const akidb_filter *filter)
{
    akidb_error err;
    akidb_documents *got, *restored;
    assert_ok(err, akidb_snapshot_get(snapshotter, &collection, id, filter, &got, &err));
    assert_ok(err, akidb_snapshot_restore(snapshotter, &collection, id, filter, &restored, &err));
    akidb_batch left = akidb_documents_batch(got), right = akidb_documents_batch(restored);
    size_t rows = left.rows;
    assert_int_equal(rows, right.rows);
    assert_true(rows == 0 || (left.vectors == NULL) == (right.vectors == NULL));
    assert_true(rows == 0 || (left.inserted_at == NULL) == (right.inserted_at == NULL));
    for (size_t i = 0; i < rows; i++) {
        assert_memory_equal(&left.document_ids[i], &right.document_ids[i], sizeof(akidb_uuid));
        assert_same_text(&left.external_ids, &right.external_ids, i, i);
        assert_same_text(&left.metadata, &right.metadata, i, i);
        if (left.vectors != NULL)
            assert_memory_equal(left.vectors + i * left.dimension,
                                right.vectors + i * right.dimension,
                                left.dimension * sizeof(float));
        if (left.inserted_at != NULL)
            assert_int_equal(left.inserted_at[i], right.inserted_at[i]);
    }
    akidb_documents_free(got);
    akidb_documents_free(restored);
    return rows;
}

/* Asks in many ways, for what is there and what is not. */
static void check_answers(akidb_snapshotter *snapshotter, const akidb_uuid *id,
                          const akidb_documents *documents)
{
    akidb_batch batch = akidb_documents_batch(documents);
    uint64_t state = 7;
    for (size_t round = 0; round < 40; round++) {
        akidb_uuid ids[6];
        akidb_slice names[3];
        size_t id_count = round % 6, name_count = round % 4;
        if (id_count + name_count == 0)
            continue;
        for (size_t i = 0; i < id_count; i++)
            ids[i] = test_random(&state) % 4 == 0
                         ? test_uuid(state)
                         : batch.document_ids[test_random(&state) % batch.rows];
        for (size_t i = 0; i < name_count; i++) {
            names[i] = akidb_texts_at(&batch.external_ids, test_random(&state) % batch.rows);
            if (names[i].data == NULL)
                names[i] = (akidb_slice){"no such name", 12};
        }
        akidb_filter filter = {
            .struct_size = sizeof filter,
            .ids = ids,
            .id_count = id_count,
            .external_ids = names,
            .external_id_count = name_count,
            .limit = round % 5 == 0 ? 2 : 0,
        };
        static const unsigned columns[] = {0, AKIDB_COLUMN_VECTOR, AKIDB_COLUMN_METADATA,
                                           AKIDB_COLUMN_EXTERNAL_ID | AKIDB_COLUMN_INSERTED_AT};
        filter.columns = columns[round % 4];
        (void)assert_same_answers(snapshotter, id, &filter);
        filter.inserted_from = &batch.inserted_at[round];
        (void)assert_same_answers(snapshotter, id, &filter);
    }
}

static void get_gives_what_restore_gives(void **state)
{
    (void)state;
    static const akidb_parquet_options shapes[] = {
        {.struct_size = sizeof shapes[0]},
        {.struct_size = sizeof shapes[0], .row_group_size = 37, .page_bytes = 4096},
        {.struct_size = sizeof shapes[0],
         .row_group_size = 100,
         .page_bytes = 4096,
         .compression = AKIDB_COMPRESSION_ZSTD,
         .vector_encoding = AKIDB_VECTOR_BYTE_STREAM_SPLIT},
        {.struct_size = sizeof shapes[0], .row_group_size = 50, .bloom_filter = AKIDB_OFF},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (uint64_t part_rows = 0; part_rows <= 210; part_rows += 210) {
            akidb_store *store = test_store();
            akidb_snapshotter *snapshotter =
                open_with(store, AKIDB_FORMAT_PARQUET, &shapes[i], part_rows);
            akidb_documents *documents = test_documents(i + 1, 500, 40);
            akidb_uuid id = test_create(snapshotter, &collection, documents);
            check_answers(snapshotter, &id, documents);
            akidb_documents_free(documents);
            akidb_snapshotter_close(snapshotter);
            akidb_store_close(store);
        }
}

static void get_reads_a_json_snapshot_too(void **state)
{
    (void)state;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = open_with(store, AKIDB_FORMAT_JSON, NULL, 0);
    akidb_documents *documents = test_documents(3, 60, 5);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    check_answers(snapshotter, &id, documents);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void get_without_ids_is_refused(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents;
    akidb_filter filter = {.struct_size = sizeof filter, .limit = 3};
    akidb_uuid id = {{1}};
    assert_status(AKIDB_E_VALIDATION,
                  akidb_snapshot_get(snapshotter, &collection, &id, NULL, &documents, &err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_snapshot_get(snapshotter, &collection, &id, &filter, &documents, &err));
    assert_null(documents);
    filter.ids = &id;
    filter.id_count = 1;
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_get(snapshotter, &collection, &id, &filter, &documents, &err));
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* ---- few calls ------------------------------------------------------------------------------- */

enum { LARGE_ROWS = 100000, LARGE_DIMENSION = 512, LARGE_STEP = 10000 };

static akidb_uuid large_id(size_t row)
{
    return test_uuid(row + 1000); /* as good as random: in no order */
}

/* Writes the large snapshot; the floats of each step are the same, but for the first of a row. */
static akidb_uuid create_large(akidb_snapshotter *snapshotter)
{
    akidb_error err;
    akidb_create_options options = {.struct_size = sizeof options, .rows_hint = LARGE_ROWS};
    akidb_snapshot_writer *writer;
    assert_ok(err, akidb_snapshot_begin(snapshotter, &collection, LARGE_DIMENSION, &options,
                                        &writer, &err));
    float *vectors = malloc((size_t)LARGE_STEP * LARGE_DIMENSION * sizeof *vectors);
    assert_non_null(vectors);
    uint64_t state = 1;
    for (size_t i = 0; i < (size_t)LARGE_STEP * LARGE_DIMENSION; i++)
        vectors[i] = (float)(int32_t)(uint32_t)test_random(&state) / 2147483648.0f;
    for (size_t row = 0; row < LARGE_ROWS; row += LARGE_STEP) {
        akidb_documents *documents;
        assert_ok(err, akidb_documents_new(LARGE_DIMENSION, &documents, &err));
        for (size_t i = 0; i < LARGE_STEP; i++) {
            char name[32], metadata[64];
            akidb_uuid id = large_id(row + i);
            int64_t time = TEST_NOW;
            float *vector = vectors + i * LARGE_DIMENSION;
            vector[0] = (float)(row + i);
            snprintf(name, sizeof name, "name-%zu", row + i);
            snprintf(metadata, sizeof metadata, "{\"row\":%zu,\"tag\":\"some words\"}", row + i);
            akidb_document document = {.document_id = &id,
                                       .external_id = {name, strlen(name)},
                                       .vector = vector,
                                       .dimension = LARGE_DIMENSION,
                                       .metadata = {metadata, strlen(metadata)},
                                       .inserted_at = &time};
            assert_ok(err, akidb_documents_append(documents, &document, &err));
        }
        akidb_batch batch = akidb_documents_batch(documents);
        assert_ok(err, akidb_snapshot_append(writer, &batch, &err));
        akidb_documents_free(documents);
    }
    akidb_uuid id;
    akidb_snapshot_metadata *metadata;
    assert_ok(err, akidb_snapshot_commit(writer, &id, &metadata, &err));
    assert_int_equal(metadata->part_count, 1);
    akidb_snapshot_metadata_free(metadata);
    free(vectors);
    return id;
}

static void one_document_of_a_large_snapshot_takes_four_calls_and_four_mebibytes(void **state)
{
    (void)state;
    akidb_error err;
    char folder[TEST_FOLDER_SIZE];
    assert_true(test_folder_make(folder));
    traffic t = {0};
    akidb_store *inner, *store;
    assert_ok(err, akidb_store_local_open(folder, &inner, &err));
    assert_ok(err, akidb_store_trace_open(inner, count_call, &t, &store, &err));
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_uuid id = create_large(snapshotter);
    for (size_t i = 0; i < 20; i++) {
        size_t row = (i * 5279 + 17) % LARGE_ROWS;
        char name[32];
        snprintf(name, sizeof name, "name-%zu", row);
        akidb_uuid wanted = large_id(row);
        akidb_slice text = {name, strlen(name)};
        akidb_filter filter = {.struct_size = sizeof filter};
        if (i % 2 == 0) {
            filter.ids = &wanted;
            filter.id_count = 1;
        } else {
            filter.external_ids = &text;
            filter.external_id_count = 1;
        }
        t = (traffic){0};
        akidb_documents *documents;
        assert_ok(err,
                  akidb_snapshot_get(snapshotter, &collection, &id, &filter, &documents, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        assert_int_equal(batch.rows, 1);
        assert_memory_equal(&batch.document_ids[0], &wanted, sizeof wanted);
        assert_true(batch.vectors[0] == (float)row);
        assert_true(t.calls <= 4);
        assert_true(t.bytes <= 4 << 20);
        assert_int_equal(t.lists + t.heads, 0);
        akidb_documents_free(documents);
    }
    /* What is not there costs no look at any row group. */
    akidb_uuid nobody = test_uuid(1);
    akidb_filter filter = {.struct_size = sizeof filter, .ids = &nobody, .id_count = 1};
    t = (traffic){0};
    akidb_documents *documents;
    assert_ok(err, akidb_snapshot_get(snapshotter, &collection, &id, &filter, &documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, 0);
    assert_true(t.calls <= 2);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    akidb_store_close(inner);
    test_folder_remove(folder);
}

/* ---- damage and faults ----------------------------------------------------------------------- */

static akidb_snapshotter *open_small(akidb_store *store)
{
    static const akidb_parquet_options shape = {
        .struct_size = sizeof shape, .row_group_size = 20, .page_bytes = 4096};
    return open_with(store, AKIDB_FORMAT_PARQUET, &shape, 0);
}

/* Each byte in turn: what comes is right, or it is said that the snapshot is damaged. */
static void a_flipped_byte_never_gives_a_wrong_document(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = open_small(store);
    akidb_documents *documents = test_documents(5, 40, 60);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    akidb_batch all = akidb_documents_batch(documents);
    const size_t row = 31;
    akidb_filter filter = {
        .struct_size = sizeof filter, .ids = &all.document_ids[row], .id_count = 1};
    char key[AK_KEY_SIZE];
    ak_key_single_part(&collection, &id, AKIDB_FORMAT_PARQUET, AKIDB_COMPRESSION_NONE, key);
    akidb_buffer object;
    size_t corrupt = 0;
    assert_ok(err, akidb_store_get(store, key, 1 << 20, &object, &err));
    for (size_t i = 0; i < object.size; i++) {
        uint8_t change = (uint8_t)(i % 8 == 7 ? 0xFF : 1u << i % 8);
        object.data[i] ^= change;
        test_put(store, key, object.data, object.size);
        object.data[i] ^= change;
        akidb_documents *got;
        akidb_status status =
            akidb_snapshot_get(snapshotter, &collection, &id, &filter, &got, &err);
        if (status == AKIDB_OK) {
            akidb_batch batch = akidb_documents_batch(got);
            assert_int_equal(batch.rows, 1);
            assert_same_row(&batch, 0, &all, row);
            akidb_documents_free(got);
            continue;
        }
        corrupt++;
        if (status != AKIDB_E_CORRUPTION)
            fail_msg("byte %zu: status %d: %s", i, (int)status, err.message);
    }
    /* At least the tail, the small columns of one row group and one page of two were looked at. */
    assert_true(corrupt > object.size / 4);
    assert_true(corrupt < object.size);
    akidb_buffer_free(&object);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

typedef struct faults {
    int at, times, calls;
    akidb_store_op hit;
    akidb_fault fault;
} faults;

static akidb_fault decide(void *context, akidb_store_op op, const char *key)
{
    (void)key;
    faults *f = context;
    int call = f->calls++;
    if (f->at < 0 || call < f->at || call >= f->at + f->times)
        return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
    f->hit = op;
    return f->fault;
}

/* Bytes that are spoiled once are read again, but for the metadata, which is fetched whole; bytes
 * that are spoiled twice are corruption. */
static void check_faults(akidb_fault fault, int times)
{
    akidb_error err;
    faults f = {.at = -1, .times = times, .fault = fault};
    akidb_store *inner = test_store(), *store;
    assert_ok(err, akidb_store_fault_open(inner, decide, &f, &store, &err));
    akidb_snapshotter *snapshotter = open_small(store);
    akidb_documents *documents = test_documents(5, 40, 60);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    akidb_batch all = akidb_documents_batch(documents);
    akidb_filter filter = {
        .struct_size = sizeof filter, .ids = &all.document_ids[31], .id_count = 1};
    bool went_through = false;
    for (int at = 0; !went_through; at++) {
        f.calls = 0;
        f.at = at;
        akidb_documents *got;
        akidb_status status =
            akidb_snapshot_get(snapshotter, &collection, &id, &filter, &got, &err);
        went_through = f.calls <= at;
        if (status == AKIDB_OK) {
            akidb_batch batch = akidb_documents_batch(got);
            bool mended =
                times == 1 && fault.effect != AKIDB_FAULT_BEFORE && f.hit == AKIDB_STORE_GET_RANGE;
            assert_true(went_through || mended);
            assert_true(!went_through || at == 4);
            assert_same_row(&batch, 0, &all, 31);
            akidb_documents_free(got);
        } else {
            assert_null(got);
            assert_int_equal(status, fault.effect == AKIDB_FAULT_BEFORE ? fault.status
                                                                        : AKIDB_E_CORRUPTION);
        }
    }
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    akidb_store_close(inner);
}

static void a_get_that_fails_at_any_call_says_so(void **state)
{
    (void)state;
    check_faults((akidb_fault){AKIDB_FAULT_BEFORE, AKIDB_E_STORE}, 1);
    for (int times = 1; times <= 2; times++) {
        check_faults((akidb_fault){AKIDB_FAULT_FLIP, AKIDB_OK}, times);
        check_faults((akidb_fault){AKIDB_FAULT_SHORT, AKIDB_OK}, times);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_gives_what_restore_gives),
        cmocka_unit_test(get_reads_a_json_snapshot_too),
        cmocka_unit_test(get_without_ids_is_refused),
        cmocka_unit_test(one_document_of_a_large_snapshot_takes_four_calls_and_four_mebibytes),
        cmocka_unit_test(a_flipped_byte_never_gives_a_wrong_document),
        cmocka_unit_test(a_get_that_fails_at_any_call_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
