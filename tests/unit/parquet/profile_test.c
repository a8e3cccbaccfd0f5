/* Profiles: what they choose for data of different kinds, and that every bit comes back. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/parquet.h"

#include "test.h"

enum { DIMENSION = 96, ROWS = 3000 };

typedef enum kind { SPREAD, RANDOM_BITS, REPEATED, INTEGERS, ZEROS, KINDS } kind;

/* Floats of a kind; to be freed. */
static float *make_floats(kind k, size_t count)
{
    float *floats = malloc(count * sizeof *floats);
    assert_non_null(floats);
    uint64_t state = 11 + (uint64_t)k;
    size_t row = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)test_random(&state);
        switch (k) {
        case SPREAD: /* a sum of three, as embeddings are spread */
            floats[i] = (float)(int32_t)bits / 4e9f + (float)(int32_t)test_random(&state) / 4e9f +
                        (float)(int32_t)test_random(&state) / 4e9f;
            break;
        case RANDOM_BITS: memcpy(&floats[i], &bits, sizeof bits); break;
        case REPEATED: /* few vectors, in no order */
            row = i % DIMENSION == 0 ? bits % 16 : row;
            floats[i] = sinf((float)(row * DIMENSION + i % DIMENSION));
            break;
        case INTEGERS: floats[i] = (float)(int8_t)bits; break;
        default: floats[i] = 0;
        }
    }
    return floats;
}

static akidb_batch make_batch(const float *floats, size_t rows, uint32_t dimension,
                              akidb_uuid **ids_out, int64_t **times_out)
{
    akidb_uuid *ids = calloc(rows, sizeof *ids);
    int64_t *times = calloc(rows, sizeof *times);
    assert_true(ids != NULL && times != NULL);
    test_random_bytes(3, ids[0].bytes, rows * sizeof *ids);
    *ids_out = ids;
    *times_out = times;
    return (akidb_batch){.rows = rows,
                         .dimension = dimension,
                         .vectors = floats,
                         .document_ids = ids,
                         .inserted_at = times};
}

static akidb_buffer encode(const akidb_batch *batch, akidb_parquet_options options)
{
    akidb_error err;
    akidb_buffer file;
    options.struct_size = sizeof options;
    assert_ok(err, akidb_parquet_encode_batch(batch, &options, &file, &err));
    return file;
}

static void assert_decodes(const akidb_buffer *file, const akidb_batch *batch)
{
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_parquet_decode_batch((akidb_slice){file->data, file->size}, NULL,
                                              &documents, &err));
    akidb_batch found = akidb_documents_batch(documents);
    assert_int_equal(found.rows, batch->rows);
    assert_memory_equal(found.vectors, batch->vectors,
                        batch->rows * batch->dimension * sizeof(float));
    assert_memory_equal(found.document_ids, batch->document_ids,
                        batch->rows * sizeof *batch->document_ids);
    akidb_documents_free(documents);
}

typedef struct memory_input {
    akidb_slice bytes;
} memory_input;

static akidb_status read_memory(void *handle, uint64_t offset, void *dst, size_t size,
                                akidb_error *err)
{
    (void)err;
    const memory_input *memory = handle;
    assert_true(offset + size <= memory->bytes.size);
    memcpy(dst, (const uint8_t *)memory->bytes.data + offset, size);
    return AKIDB_OK;
}

/* "CODEC ENCODINGS" of the vectors in the first row group. */
static void assert_vectors_are(const akidb_buffer *file, const char *codec, const char *encoding)
{
    static const akidb_input_ops ops = {.read_at = read_memory};
    memory_input memory = {{file->data, file->size}};
    const akidb_input input = {&ops, &memory, file->size, "memory"};
    akidb_error err;
    akidb_parquet_reader *reader;
    assert_ok(err, akidb_parquet_reader_open(&input, NULL, &reader, &err));
    bool seen = false;
    for (size_t c = 0; c < akidb_parquet_reader_columns(reader); c++) {
        akidb_parquet_chunk_info info;
        assert_ok(err, akidb_parquet_reader_chunk(reader, 0, c, &info, &err));
        if (strcmp(info.column, "vector") != 0)
            continue;
        seen = true;
        assert_string_equal(info.codec, codec);
        assert_non_null(strstr(info.encodings, encoding));
    }
    assert_true(seen);
    akidb_parquet_reader_close(reader);
}

static void each_profile_chooses_by_the_data(void **state)
{
    (void)state;
    static const struct {
        kind kind;
        akidb_profile profile;
        const char *codec, *encoding;
    } cases[] = {
        {SPREAD, AKIDB_PROFILE_FAST, "UNCOMPRESSED", "PLAIN"},
        {SPREAD, AKIDB_PROFILE_COMPATIBLE, "UNCOMPRESSED", "PLAIN"},
        {SPREAD, AKIDB_PROFILE_BALANCED, "ZSTD", "BYTE_STREAM_SPLIT"},
        {SPREAD, AKIDB_PROFILE_SMALL, "ZSTD", "BYTE_STREAM_SPLIT"},
        {RANDOM_BITS, AKIDB_PROFILE_BALANCED, "UNCOMPRESSED", "PLAIN"},
        {REPEATED, AKIDB_PROFILE_FAST, "SNAPPY", "PLAIN"},
        {REPEATED, AKIDB_PROFILE_BALANCED, "ZSTD", "PLAIN"},
        {INTEGERS, AKIDB_PROFILE_COMPATIBLE, "SNAPPY", "PLAIN"},
        {INTEGERS, AKIDB_PROFILE_BALANCED, "ZSTD", "BYTE_STREAM_SPLIT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        float *floats = make_floats(cases[i].kind, ROWS * DIMENSION);
        akidb_uuid *ids;
        int64_t *times;
        akidb_batch batch = make_batch(floats, ROWS, DIMENSION, &ids, &times);
        akidb_buffer file = encode(&batch, (akidb_parquet_options){.profile = cases[i].profile});
        assert_vectors_are(&file, cases[i].codec, cases[i].encoding);
        assert_decodes(&file, &batch);
        akidb_buffer_free(&file);
        free(floats);
        free(ids);
        free(times);
    }
}

static void every_profile_gives_back_what_the_plain_way_does(void **state)
{
    (void)state;
    static const struct {
        size_t rows;
        uint32_t dimension;
    } shapes[] = {{1, 1}, {1, 70000 / 2}, {2, 16}, {777, 13}, {2500, 128}};
    for (int k = 0; k < KINDS; k++) {
        for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
            float *floats = make_floats((kind)k, shapes[i].rows * shapes[i].dimension);
            akidb_uuid *ids;
            int64_t *times;
            akidb_batch batch =
                make_batch(floats, shapes[i].rows, shapes[i].dimension, &ids, &times);
            for (int p = AKIDB_PROFILE_NONE; p <= AKIDB_PROFILE_SMALL; p++) {
                akidb_buffer file =
                    encode(&batch, (akidb_parquet_options){.profile = (akidb_profile)p,
                                                           .row_group_size = i == 3 ? 100 : 0,
                                                           .page_bytes = i == 4 ? 64u << 10 : 0});
                assert_decodes(&file, &batch);
                akidb_buffer_free(&file);
            }
            free(floats);
            free(ids);
            free(times);
        }
    }
}

static void options_that_are_given_outvote_the_profile(void **state)
{
    (void)state;
    float *floats = make_floats(SPREAD, ROWS * DIMENSION);
    akidb_uuid *ids;
    int64_t *times;
    akidb_batch batch = make_batch(floats, ROWS, DIMENSION, &ids, &times);
    static const struct {
        akidb_parquet_options options;
        const char *codec, *encoding;
    } cases[] = {
        {{.profile = AKIDB_PROFILE_BALANCED, .vector_encoding = AKIDB_VECTOR_PLAIN},
         "ZSTD",
         "PLAIN"},
        {{.profile = AKIDB_PROFILE_BALANCED, .compression = AKIDB_COMPRESSION_GZIP},
         "GZIP",
         "BYTE_STREAM_SPLIT"},
        {{.profile = AKIDB_PROFILE_SMALL, .compression = AKIDB_COMPRESSION_NONE},
         "UNCOMPRESSED",
         "PLAIN"},
        {{.profile = AKIDB_PROFILE_FAST, .vector_encoding = AKIDB_VECTOR_BYTE_STREAM_SPLIT},
         "UNCOMPRESSED",
         "BYTE_STREAM_SPLIT"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_buffer file = encode(&batch, cases[i].options);
        assert_vectors_are(&file, cases[i].codec, cases[i].encoding);
        assert_decodes(&file, &batch);
        akidb_buffer_free(&file);
    }
    free(floats);
    free(ids);
    free(times);
}

/* Appends the batch in helpings of `rows`. */
static akidb_buffer stream(const akidb_batch *batch, size_t rows, unsigned threads)
{
    akidb_error err;
    akidb_buffer file = {0};
    const akidb_output output = akidb_output_to_buffer(&file);
    const akidb_parquet_options options = {.struct_size = sizeof options,
                                           .row_group_size = 1000,
                                           .threads = threads,
                                           .profile = AKIDB_PROFILE_BALANCED};
    akidb_parquet_writer *writer;
    assert_ok(err, akidb_parquet_writer_open(&output, batch->dimension, &options, &writer, &err));
    for (size_t row = 0; row < batch->rows; row += rows) {
        size_t count = batch->rows - row < rows ? batch->rows - row : rows;
        akidb_batch part = akidb_batch_rows(batch, row, count);
        assert_ok(err, akidb_parquet_writer_append(writer, &part, &err));
    }
    akidb_parquet_summary summary;
    assert_ok(err, akidb_parquet_writer_finish(writer, &summary, &err));
    akidb_parquet_writer_free(writer);
    return file;
}

static void the_choice_depends_on_the_documents_alone(void **state)
{
    (void)state;
    float *floats = make_floats(SPREAD, ROWS * DIMENSION);
    akidb_uuid *ids;
    int64_t *times;
    akidb_batch batch = make_batch(floats, ROWS, DIMENSION, &ids, &times);
    akidb_buffer once = stream(&batch, ROWS, 1);
    static const size_t helpings[] = {1, 7, 999, 1000, 1001};
    for (size_t i = 0; i < sizeof helpings / sizeof helpings[0]; i++) {
        akidb_buffer again = stream(&batch, helpings[i], i % 2 == 0 ? 1 : 3);
        assert_int_equal(again.size, once.size);
        assert_memory_equal(again.data, once.data, once.size);
        akidb_buffer_free(&again);
    }
    akidb_buffer_free(&once);
    free(floats);
    free(ids);
    free(times);
}

static void profiles_have_names_and_others_are_refused(void **state)
{
    (void)state;
    assert_string_equal(akidb_profile_name(AKIDB_PROFILE_NONE), "none");
    assert_string_equal(akidb_profile_name(AKIDB_PROFILE_SMALL), "small");
    assert_null(akidb_profile_name((akidb_profile)5));
    akidb_error err;
    akidb_buffer buffer = {0};
    const akidb_output output = akidb_output_to_buffer(&buffer);
    const akidb_parquet_options options = {.struct_size = sizeof options,
                                           .profile = (akidb_profile)5};
    akidb_parquet_writer *writer;
    assert_status(AKIDB_E_VALIDATION,
                  akidb_parquet_writer_open(&output, 4, &options, &writer, &err));
    assert_non_null(strstr(err.message, "option profile"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_profile_chooses_by_the_data),
        cmocka_unit_test(every_profile_gives_back_what_the_plain_way_does),
        cmocka_unit_test(options_that_are_given_outvote_the_profile),
        cmocka_unit_test(the_choice_depends_on_the_documents_alone),
        cmocka_unit_test(profiles_have_names_and_others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
