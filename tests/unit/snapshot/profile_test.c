/* What a snapshot says of the profile that it was written with. */
#include "support.h"

static const akidb_uuid collection = {{0xC0}};

static akidb_snapshotter *open_with(akidb_store *store, akidb_snapshot_format format,
                                    const akidb_parquet_options *parquet, uint64_t part_rows)
{
    akidb_error err;
    akidb_snapshotter *snapshotter;
    const akidb_snapshotter_options options = {.struct_size = sizeof options,
                                               .format = format,
                                               .parquet = parquet,
                                               .part_rows = part_rows,
                                               .threads = 2};
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    return snapshotter;
}

static void check_profile(akidb_profile profile, akidb_compression expected)
{
    akidb_error err;
    akidb_store *store = test_store();
    const akidb_parquet_options parquet = {
        .struct_size = sizeof parquet, .profile = profile, .row_group_size = 200};
    akidb_snapshotter *snapshotter = open_with(store, AKIDB_FORMAT_PARQUET, &parquet, 500);
    akidb_documents *documents = test_documents(8, 1700, 24);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_uuid id;
    akidb_snapshot_metadata *metadata, *again;
    assert_ok(err,
              akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, &metadata, &err));
    assert_true(metadata->part_count > 1);
    assert_string_equal(metadata->profile, akidb_profile_name(profile));
    assert_non_null(strstr(metadata->profile_choice, "of a sample of"));
    assert_int_equal(metadata->compression, expected);
    assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &again, &err));
    assert_string_equal(again->profile, metadata->profile);
    assert_string_equal(again->profile_choice, metadata->profile_choice);
    akidb_snapshot_metadata_free(again);
    akidb_snapshot_metadata_free(metadata);

    akidb_documents *found;
    assert_ok(err, akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &found, &err));
    assert_same_documents(documents, found);
    akidb_documents_free(found);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void the_metadata_says_what_a_profile_has_chosen(void **state)
{
    (void)state;
    check_profile(AKIDB_PROFILE_FAST, AKIDB_COMPRESSION_NONE);
    check_profile(AKIDB_PROFILE_COMPATIBLE, AKIDB_COMPRESSION_NONE);
    check_profile(AKIDB_PROFILE_BALANCED, AKIDB_COMPRESSION_ZSTD);
    check_profile(AKIDB_PROFILE_SMALL, AKIDB_COMPRESSION_ZSTD);
}

static void without_a_profile_nothing_is_said_of_one(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = open_with(store, AKIDB_FORMAT_PARQUET, NULL, 0);
    akidb_documents *documents = test_documents(8, 10, 4);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_snapshot_metadata *metadata;
    assert_ok(err,
              akidb_snapshot_create(snapshotter, &collection, &batch, NULL, NULL, &metadata, &err));
    assert_null(metadata->profile);
    assert_null(metadata->profile_choice);
    assert_null(strstr(metadata->text, "profile"));
    akidb_snapshot_metadata_free(metadata);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* The first row group alone decides: all parts are stored alike, though the later ones would have
 * been stored in another way. */
static void later_parts_are_stored_as_the_first_one_is(void **state)
{
    (void)state;
    enum { ROWS = 900, DIMENSION = 64 };
    akidb_error err;
    akidb_store *store = test_store();
    const akidb_parquet_options parquet = {
        .struct_size = sizeof parquet, .profile = AKIDB_PROFILE_BALANCED, .row_group_size = 300};
    akidb_snapshotter *snapshotter = open_with(store, AKIDB_FORMAT_PARQUET, &parquet, 300);
    float *vectors = calloc(ROWS * DIMENSION, sizeof *vectors);
    assert_non_null(vectors);
    uint64_t seed = 5;
    for (size_t i = 0; i < 300 * DIMENSION; i++)
        vectors[i] = (float)(int32_t)test_random(&seed) / 4e9f;
    akidb_batch batch = {.rows = ROWS, .dimension = DIMENSION, .vectors = vectors};
    akidb_snapshot_metadata *metadata;
    assert_ok(err,
              akidb_snapshot_create(snapshotter, &collection, &batch, NULL, NULL, &metadata, &err));
    assert_int_equal(metadata->part_count, 3);
    assert_non_null(strstr(metadata->profile_choice, "BYTE_STREAM_SPLIT, ZSTD 1"));
    assert_true(metadata->parts[2].summary.file.size < metadata->parts[0].summary.file.size / 4);
    for (size_t i = 0; i < 3; i++) {
        akidb_buffer file;
        assert_ok(err, akidb_store_get(store, metadata->parts[i].key, 1u << 20, &file, &err));
        akidb_documents *found;
        assert_ok(err, akidb_parquet_decode_batch((akidb_slice){file.data, file.size}, NULL, &found,
                                                  &err));
        akidb_batch part = akidb_documents_batch(found);
        assert_memory_equal(part.vectors, vectors + i * 300 * DIMENSION,
                            300 * DIMENSION * sizeof(float));
        akidb_documents_free(found);
        akidb_buffer_free(&file);
    }
    akidb_snapshot_metadata_free(metadata);
    free(vectors);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void a_snapshot_of_no_documents_has_nothing_to_choose_by(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    const akidb_parquet_options parquet = {.struct_size = sizeof parquet,
                                           .profile = AKIDB_PROFILE_SMALL};
    akidb_snapshotter *snapshotter = open_with(store, AKIDB_FORMAT_PARQUET, &parquet, 0);
    const akidb_create_options create = {.struct_size = sizeof create, .allow_empty = true};
    akidb_snapshot_writer *writer;
    akidb_snapshot_metadata *metadata;
    assert_ok(err, akidb_snapshot_begin(snapshotter, &collection, 4, &create, &writer, &err));
    assert_ok(err, akidb_snapshot_commit(writer, NULL, &metadata, &err));
    assert_string_equal(metadata->profile, "small");
    assert_string_equal(metadata->profile_choice, "");
    akidb_snapshot_metadata_free(metadata);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void json_has_no_profiles(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    const akidb_parquet_options parquet = {.struct_size = sizeof parquet,
                                           .profile = AKIDB_PROFILE_FAST};
    const akidb_snapshotter_options options = {
        .struct_size = sizeof options, .format = AKIDB_FORMAT_JSON, .parquet = &parquet};
    akidb_snapshotter *snapshotter;
    assert_status(AKIDB_E_VALIDATION, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    assert_non_null(strstr(err.message, "profile"));
    akidb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_metadata_says_what_a_profile_has_chosen),
        cmocka_unit_test(without_a_profile_nothing_is_said_of_one),
        cmocka_unit_test(later_parts_are_stored_as_the_first_one_is),
        cmocka_unit_test(a_snapshot_of_no_documents_has_nothing_to_choose_by),
        cmocka_unit_test(json_has_no_profiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
