/* JSON snapshots by many threads: the same bytes, the same documents, the same errors as by one. */
#include "support.h"

static const akidb_uuid collection = {{7, 7, 7}};

static akidb_snapshotter *json_snapshotter(akidb_store *store, akidb_compression compression,
                                           unsigned threads)
{
    akidb_error err;
    akidb_snapshotter *snapshotter;
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .format = AKIDB_FORMAT_JSON,
        .threads = threads,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .compression = compression},
    };
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    return snapshotter;
}

static akidb_uuid create_by_pieces(akidb_snapshotter *snapshotter, const akidb_batch *batch,
                                   size_t step)
{
    akidb_error err;
    akidb_snapshot_writer *writer;
    assert_ok(
        err, akidb_snapshot_begin(snapshotter, &collection, batch->dimension, NULL, &writer, &err));
    for (size_t row = 0; row < batch->rows; row += step) {
        size_t rows = batch->rows - row < step ? batch->rows - row : step;
        akidb_batch piece = akidb_batch_rows(batch, row, rows);
        assert_ok(err, akidb_snapshot_append(writer, &piece, &err));
    }
    akidb_uuid id;
    assert_ok(err, akidb_snapshot_commit(writer, &id, NULL, &err));
    return id;
}

static akidb_buffer part_bytes(akidb_snapshotter *snapshotter, akidb_store *store,
                               const akidb_uuid *id, char key_out[256])
{
    akidb_error err;
    akidb_snapshot_metadata *metadata;
    assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, id, &metadata, &err));
    snprintf(key_out, 256, "%s", metadata->parts[0].key);
    akidb_snapshot_metadata_free(metadata);
    akidb_buffer bytes = {0};
    assert_ok(err, akidb_store_get(store, key_out, SIZE_MAX, &bytes, &err));
    return bytes;
}

static void check_threads(akidb_compression compression, size_t rows, uint32_t dimension,
                          size_t step)
{
    akidb_documents *documents = test_documents(rows, rows, dimension);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_store *store = test_store();
    akidb_snapshotter *one = json_snapshotter(store, compression, 1);
    akidb_snapshotter *many = json_snapshotter(store, compression, 4);
    akidb_uuid by_one = create_by_pieces(one, &batch, step);
    akidb_uuid by_many = create_by_pieces(many, &batch, step);
    char key[256];
    akidb_buffer a = part_bytes(one, store, &by_one, key);
    akidb_buffer b = part_bytes(one, store, &by_many, key);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_restores(one, &collection, &by_many, documents);
    assert_restores(many, &collection, &by_many, documents);
    akidb_buffer_free(&a);
    akidb_buffer_free(&b);
    akidb_snapshotter_close(one);
    akidb_snapshotter_close(many);
    akidb_store_close(store);
    akidb_documents_free(documents);
}

static void the_bytes_do_not_depend_on_the_threads(void **state)
{
    (void)state;
    static const akidb_compression all[] = {AKIDB_COMPRESSION_NONE, AKIDB_COMPRESSION_GZIP,
                                            AKIDB_COMPRESSION_SNAPPY, AKIDB_COMPRESSION_ZSTD};
    for (size_t c = 0; c < sizeof all / sizeof all[0]; c++) {
        check_threads(all[c], 2000, 60, SIZE_MAX);
        check_threads(all[c], 2000, 60, 328);
    }
    check_threads(AKIDB_COMPRESSION_NONE, 1, 3, SIZE_MAX);
    check_threads(AKIDB_COMPRESSION_NONE, 7, 40000, SIZE_MAX); /* more than a piece each */
}

/* Without stored checksums damage is found in the text; with them, in a block. */
static void the_same_damage_is_told_whatever_the_threads(void **state)
{
    (void)state;
    static const akidb_compression all[] = {AKIDB_COMPRESSION_NONE, AKIDB_COMPRESSION_ZSTD};
    akidb_documents *documents = test_documents(1, 1500, 100);
    uint64_t random = 3;
    for (size_t c = 0; c < sizeof all / sizeof all[0]; c++) {
        akidb_store *store = test_store();
        akidb_snapshotter *one = json_snapshotter(store, all[c], 1);
        akidb_snapshotter *many = json_snapshotter(store, all[c], 4);
        akidb_uuid id = test_create(one, &collection, documents);
        char key[256];
        akidb_buffer bytes = part_bytes(one, store, &id, key);
        for (int i = 0; i < 20; i++) {
            size_t at = test_random(&random) % bytes.size;
            bytes.data[at] ^= 0x15;
            test_put(store, key, bytes.data, bytes.size);
            bytes.data[at] ^= 0x15;
            akidb_error by_one, by_many;
            akidb_documents *restored;
            assert_status(AKIDB_E_CORRUPTION,
                          akidb_snapshot_restore(one, &collection, &id, NULL, &restored, &by_one));
            assert_status(AKIDB_E_CORRUPTION, akidb_snapshot_restore(many, &collection, &id, NULL,
                                                                     &restored, &by_many));
            assert_string_equal(by_one.message, by_many.message);
        }
        akidb_buffer_free(&bytes);
        akidb_snapshotter_close(one);
        akidb_snapshotter_close(many);
        akidb_store_close(store);
    }
    akidb_documents_free(documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_do_not_depend_on_the_threads),
        cmocka_unit_test(the_same_damage_is_told_whatever_the_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
