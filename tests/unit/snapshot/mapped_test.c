/* The vectors of a snapshot in place: the same as a restore gives, over all parts; what cannot be
 * mapped says so; what is damaged is told; deleting does no harm. */
#include "akidb/mapped.h"

#include "folder.h"
#include "support.h"

enum { ROWS = 700, DIMENSION = 33 };

static const akidb_uuid collection = {{9}};

typedef struct fixture {
    char folder[TEST_FOLDER_SIZE];
    akidb_store *store;
    akidb_snapshotter *snapshotter;
    akidb_documents *documents;
    akidb_uuid id;
} fixture;

static akidb_snapshotter *open_snapshotter(akidb_store *store, akidb_snapshot_format format,
                                           akidb_vector_encoding encoding)
{
    akidb_error err;
    akidb_snapshotter *snapshotter;
    const akidb_parquet_options parquet = {.struct_size = sizeof parquet,
                                           .compression = AKIDB_COMPRESSION_NONE,
                                           .vector_encoding = encoding,
                                           .row_group_size = 90,
                                           .page_bytes = 4096};
    const akidb_snapshotter_options options = {.struct_size = sizeof options,
                                               .format = format,
                                               .parquet = &parquet,
                                               .part_rows =
                                                   format == AKIDB_FORMAT_PARQUET ? 200 : 0};
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    return snapshotter;
}

static int fixture_open(void **state)
{
    akidb_error err;
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_true(test_folder_make(f->folder));
    assert_ok(err, akidb_store_local_open(f->folder, &f->store, &err));
    f->snapshotter =
        open_snapshotter(f->store, AKIDB_FORMAT_PARQUET, AKIDB_VECTOR_ENCODING_DEFAULT);
    f->documents = test_documents(21, ROWS, DIMENSION);
    f->id = test_create(f->snapshotter, &collection, f->documents);
    *state = f;
    return 0;
}

static int fixture_close(void **state)
{
    fixture *f = *state;
    akidb_documents_free(f->documents);
    akidb_snapshotter_close(f->snapshotter);
    akidb_store_close(f->store);
    test_folder_remove(f->folder);
    free(f);
    return 0;
}

static akidb_mapped_vectors *map(const fixture *f, akidb_snapshotter *snapshotter)
{
    akidb_error err;
    akidb_mapped_vectors *mapped;
    const akidb_mapped_options options = {.struct_size = sizeof options, .threads = 3};
    assert_ok(err, akidb_mapped_vectors_open_snapshot(snapshotter, &collection, &f->id, &options,
                                                      &mapped, &err));
    return mapped;
}

static void assert_mapped(const fixture *f, const akidb_mapped_vectors *mapped)
{
    akidb_batch batch = akidb_documents_batch(f->documents);
    assert_int_equal(akidb_mapped_vectors_rows(mapped), ROWS);
    assert_int_equal(akidb_mapped_vectors_dimension(mapped), DIMENSION);
    size_t count, row = 0;
    const akidb_mapped_piece *pieces = akidb_mapped_vectors_pieces(mapped, &count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pieces[i].first_row, row);
        assert_int_equal((uintptr_t)pieces[i].vectors % 64, 0);
        row += pieces[i].rows;
    }
    assert_int_equal(row, ROWS);
    for (row = 0; row < ROWS; row++)
        assert_memory_equal(akidb_mapped_vectors_row(mapped, row), batch.vectors + row * DIMENSION,
                            DIMENSION * sizeof(float));
    assert_null(akidb_mapped_vectors_row(mapped, ROWS));
}

static void assert_refused(const fixture *f, akidb_snapshotter *snapshotter, const akidb_uuid *id,
                           akidb_status expected, const char *text)
{
    akidb_error err = {0};
    akidb_mapped_vectors *mapped = (akidb_mapped_vectors *)&err;
    (void)f;
    akidb_status status =
        akidb_mapped_vectors_open_snapshot(snapshotter, &collection, id, NULL, &mapped, &err);
    if (status != expected || strstr(err.message, text) == NULL)
        fail_msg("expected \"%s\" with \"%s\", found \"%s\": %s", akidb_status_name(expected), text,
                 akidb_status_name(status), err.message);
    assert_null(mapped);
}

static void all_parts_are_handed_out_in_place(void **state)
{
    const fixture *f = *state;
    akidb_mapped_vectors *mapped = map(f, f->snapshotter);
    assert_mapped(f, mapped);
    akidb_mapped_vectors_close(mapped);
    assert_restores(f->snapshotter, &collection, &f->id, f->documents);
}

static void ignore_call(void *context, const akidb_store_call *call)
{
    (void)context;
    (void)call;
}

/* Wrappers around a local store lead to its files. */
static void a_wrapped_store_is_mapped_too(void **state)
{
    fixture *f = *state;
    akidb_error err;
    akidb_store *trace, *prefix;
    assert_ok(err, akidb_store_trace_open(f->store, ignore_call, NULL, &trace, &err));
    assert_ok(err, akidb_store_prefix_open(trace, "below", &prefix, &err));
    akidb_snapshotter *snapshotter =
        open_snapshotter(prefix, AKIDB_FORMAT_PARQUET, AKIDB_VECTOR_ENCODING_DEFAULT);
    f->id = test_create(snapshotter, &collection, f->documents);
    akidb_mapped_vectors *mapped = map(f, snapshotter);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(prefix);
    akidb_store_close(trace);
    assert_mapped(f, mapped);
    akidb_mapped_vectors_close(mapped);
}

static void a_deleted_snapshot_stays_mapped(void **state)
{
    const fixture *f = *state;
    akidb_error err;
    akidb_mapped_vectors *mapped = map(f, f->snapshotter);
    assert_ok(err, akidb_snapshot_delete(f->snapshotter, &collection, &f->id, &err));
    assert_int_equal(test_count_objects(f->store), 0);
    assert_mapped(f, mapped);
    akidb_mapped_vectors_close(mapped);
    assert_refused(f, f->snapshotter, &f->id, AKIDB_E_NOT_FOUND, "no such snapshot");
}

static void what_is_no_local_parquet_is_refused(void **state)
{
    const fixture *f = *state;
    akidb_store *memory = test_store();
    akidb_snapshotter *snapshotter =
        open_snapshotter(memory, AKIDB_FORMAT_PARQUET, AKIDB_VECTOR_ENCODING_DEFAULT);
    akidb_uuid id = test_create(snapshotter, &collection, f->documents);
    assert_refused(f, snapshotter, &id, AKIDB_E_UNSUPPORTED,
                   "expected a store whose objects are files of this machine, found memory:");
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(memory);

    snapshotter = open_snapshotter(f->store, AKIDB_FORMAT_JSON, AKIDB_VECTOR_ENCODING_DEFAULT);
    akidb_documents *few = test_documents(3, 4, DIMENSION);
    akidb_error err;
    akidb_batch batch = akidb_documents_batch(few);
    float finite[4 * DIMENSION] = {0};
    batch.vectors = finite;
    assert_ok(err, akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, NULL, &err));
    akidb_documents_free(few);
    assert_refused(f, snapshotter, &id, AKIDB_E_UNSUPPORTED, "found JSON");
    akidb_snapshotter_close(snapshotter);

    snapshotter = open_snapshotter(f->store, AKIDB_FORMAT_PARQUET, AKIDB_VECTOR_BYTE_STREAM_SPLIT);
    id = test_create(snapshotter, &collection, f->documents);
    assert_refused(f, snapshotter, &id, AKIDB_E_UNSUPPORTED, "found BYTE_STREAM_SPLIT");
    akidb_snapshotter_close(snapshotter);
}

/* The key of the part with the third hundred of rows. */
static void second_part(const fixture *f, char key_out[AKIDB_KEY_MAX + 1])
{
    akidb_error err;
    akidb_snapshot_metadata *metadata;
    assert_ok(err,
              akidb_snapshot_get_metadata(f->snapshotter, &collection, &f->id, &metadata, &err));
    assert_int_equal(metadata->part_count, 4);
    snprintf(key_out, AKIDB_KEY_MAX + 1, "%s", metadata->parts[1].key);
    akidb_snapshot_metadata_free(metadata);
}

static void a_damaged_part_is_corruption(void **state)
{
    const fixture *f = *state;
    char key[AKIDB_KEY_MAX + 1];
    akidb_error err;
    akidb_buffer part;
    second_part(f, key);
    assert_ok(err, akidb_store_get(f->store, key, 1 << 30, &part, &err));
    for (size_t at = 10; at < part.size; at += part.size / 40) {
        part.data[at] ^= 16;
        test_put(f->store, key, part.data, part.size);
        assert_refused(f, f->snapshotter, &f->id, AKIDB_E_CORRUPTION, "with CRC-32C");
        part.data[at] ^= 16;
    }
    test_put(f->store, key, part.data, part.size - 1);
    assert_refused(f, f->snapshotter, &f->id, AKIDB_E_CORRUPTION, "as the metadata has it");
    akidb_buffer_free(&part);
    assert_ok(err, akidb_store_delete(f->store, key, &err));
    assert_refused(f, f->snapshotter, &f->id, AKIDB_E_NOT_FOUND, "part is missing");
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(all_parts_are_handed_out_in_place),
        WITH_FIXTURE(a_wrapped_store_is_mapped_too),
        WITH_FIXTURE(a_deleted_snapshot_stays_mapped),
        WITH_FIXTURE(what_is_no_local_parquet_is_refused),
        WITH_FIXTURE(a_damaged_part_is_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
