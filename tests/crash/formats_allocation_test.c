/* Each allocation of reading and writing files fails in turn: the call says so, and nothing leaks
 * or is touched after it was freed. */
#include <fcntl.h>
#include <sys/stat.h>

#include "akidb/formats.h"
#include "akidb/sys/output.h"
#include "base/buffer.h"
#include "codec/stream.h"
#include "failing_allocator.h"
#include "folder.h"
#include "parquet/row_stream.h"

#include "test.h"

enum { ROWS = 600, DIMENSION = 8, MANY = 20000 };

typedef akidb_status work(void *context, akidb_error *err);

static void fail_every_allocation(work *do_it, void *context)
{
    long nth = 1;
    for (bool reached = true; reached && nth < MANY; nth++) {
        akidb_error err = {0};
        failing_allocator_arm(nth);
        akidb_status status = do_it(context, &err);
        reached = failing_allocator_disarm();
        if (status != AKIDB_OK && status != AKIDB_E_OUT_OF_MEMORY)
            fail_msg("allocation %ld: expected \"out of memory\", found \"%s\": %s", nth,
                     akidb_status_name(status), err.message);
        assert_true(status == AKIDB_OK || reached);
    }
    assert_in_range(nth, 20, MANY - 1);
}

static akidb_documents *make_documents(void)
{
    akidb_error err;
    akidb_documents *documents;
    uint64_t seed = 3;
    assert_ok(err, akidb_documents_new(DIMENSION, &documents, &err));
    for (size_t row = 0; row < ROWS; row++) {
        float vector[DIMENSION];
        char external[24];
        for (size_t j = 0; j < DIMENSION; j++)
            vector[j] = (float)(test_random(&seed) % 100000) / 7;
        snprintf(external, sizeof external, "\"%zu\"\n", row);
        const char *metadata = row % 3 == 0 ? NULL : "{\"n\":[1,\"\\u00e9\"]}";
        akidb_document document = {.external_id = {external, strlen(external)},
                                   .vector = vector,
                                   .dimension = DIMENSION,
                                   .metadata = {metadata, metadata == NULL ? 0 : strlen(metadata)}};
        assert_ok(err, akidb_documents_append(documents, &document, &err));
    }
    return documents;
}

/* ---- a row group by pieces ------------------------------------------------------------------- */

static akidb_status read_by_pieces(void *context, akidb_error *err)
{
    const akidb_buffer *file = context;
    akidb_input input = akidb_input_from_memory((akidb_slice){file->data, file->size}, "memory");
    akidb_parquet_reader *reader = NULL;
    ak_row_stream *stream = NULL;
    akidb_documents *documents = NULL;
    size_t rows = 0, found = 1;
    akidb_status status = akidb_parquet_reader_open(&input, NULL, &reader, err);
    if (status == AKIDB_OK)
        status = akidb_documents_new(DIMENSION, &documents, err);
    if (status == AKIDB_OK)
        status = ak_row_stream_open(reader, 0, 1, &stream, err);
    for (; status == AKIDB_OK && found > 0; rows += found) {
        akidb_documents_clear(documents);
        status = ak_row_stream_next(stream, 7, documents, err);
        found = akidb_documents_batch(documents).rows;
        assert_true(status == AKIDB_OK || found == 0);
    }
    assert_true(status != AKIDB_OK || rows == ROWS);
    ak_row_stream_close(stream);
    akidb_documents_free(documents);
    akidb_parquet_reader_close(reader);
    return status;
}

static void every_failed_allocation_of_a_row_group_by_pieces_is_clean(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer file;
    akidb_documents *documents = make_documents();
    akidb_batch batch = akidb_documents_batch(documents);
    const akidb_parquet_options options = {.struct_size = sizeof options, .page_bytes = 4096};
    assert_ok(err, akidb_parquet_encode_batch(&batch, &options, &file, &err));
    akidb_documents_free(documents);
    fail_every_allocation(read_by_pieces, &file);
    akidb_buffer_free(&file);
}

/* ---- .jsonl ---------------------------------------------------------------------------------- */

typedef struct jsonl {
    char path[TEST_FOLDER_SIZE + 16];
    akidb_documents *documents;
} jsonl;

static akidb_status write_lines(void *context, akidb_error *err)
{
    const jsonl *j = context;
    const akidb_export_options options = {.struct_size = sizeof options, .threads = 2};
    akidb_batch batch = akidb_documents_batch(j->documents);
    akidb_export *exporter;
    akidb_status status = akidb_export_open(j->path, DIMENSION, &options, &exporter, err);
    if (status != AKIDB_OK)
        return status;
    status = akidb_export_append(exporter, &batch, err);
    if (status == AKIDB_OK)
        return akidb_export_commit(exporter, err);
    akidb_export_abort(exporter);
    return status;
}

static akidb_status read_lines(void *context, akidb_error *err)
{
    const jsonl *j = context;
    const akidb_import_options options = {
        .struct_size = sizeof options, .format = AKIDB_FILE_JSONL, .threads = 2};
    akidb_import *import = NULL;
    akidb_documents *documents = NULL;
    size_t rows = 0;
    akidb_status status = akidb_import_open(j->path, &options, &import, err);
    if (status == AKIDB_OK)
        status = akidb_documents_new(DIMENSION, &documents, err);
    for (bool done = false; status == AKIDB_OK && !done;) {
        status = akidb_import_next(import, 100, documents, &done, err);
        rows += akidb_documents_batch(documents).rows;
    }
    assert_true(status != AKIDB_OK || rows == ROWS);
    akidb_documents_free(documents);
    akidb_import_close(import);
    return status;
}

static void compress(const char *path, ak_stream_codec codec)
{
    static uint8_t text[256 << 10];
    akidb_error err;
    akidb_buffer stored = {0};
    ak_stream_encoder *encoder;
    int file = open(path, O_RDWR | O_CLOEXEC);
    ssize_t size = read(file, text, sizeof text);
    assert_in_range(size, 1, sizeof text - 1);
    assert_ok(err, ak_stream_encoder_new(codec, 0, &encoder, &err));
    assert_ok(err, ak_stream_encode(encoder, (akidb_slice){text, (size_t)size}, &stored, &err));
    assert_ok(err, ak_stream_encoder_finish(encoder, &stored, &err));
    assert_int_equal(ftruncate(file, 0), 0);
    assert_int_equal(pwrite(file, stored.data, stored.size, 0), stored.size);
    close(file);
    ak_stream_encoder_free(encoder);
    akidb_buffer_free(&stored);
}

static void every_failed_allocation_of_jsonl_is_clean(void **state)
{
    (void)state;
    static const ak_stream_codec codecs[] = {AK_STREAM_NONE, AK_STREAM_GZIP, AK_STREAM_ZSTD};
    akidb_error err;
    char folder[TEST_FOLDER_SIZE];
    assert_true(test_folder_make(folder));
    jsonl j = {.documents = make_documents()};
    snprintf(j.path, sizeof j.path, "%s/a.jsonl", folder);
    fail_every_allocation(write_lines, &j);
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        assert_ok(err, write_lines(&j, &err));
        if (codecs[i] != AK_STREAM_NONE)
            compress(j.path, codecs[i]);
        fail_every_allocation(read_lines, &j);
    }
    akidb_documents_free(j.documents);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_of_a_row_group_by_pieces_is_clean),
        cmocka_unit_test(every_failed_allocation_of_jsonl_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
