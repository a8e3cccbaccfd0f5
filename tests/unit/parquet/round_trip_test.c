/* Random documents through the encoder and back: every bit must be the same. */
#include <stdlib.h>
#include <string.h>

#include "akidb/parquet.h"
#include "base/buffer.h"

#include "same.h"
#include "test.h"

/* ---- random documents ------------------------------------------------------------------------ */

typedef struct column {
    uint64_t *offsets;
    akidb_buffer bytes;
    uint8_t *validity;
} column;

typedef struct sample {
    akidb_batch batch;
    float *vectors;
    akidb_uuid *ids;
    int64_t *times;
    column external_ids;
    column metadata;
} sample;

enum { ABSENT, NONE_NULL, SOME_NULL, ALL_NULL, TEXT_SHAPES };

/* What a sample looks like. */
typedef struct sample_shape {
    size_t rows;
    uint32_t dimension;
    int external_ids, metadata; /* ABSENT and so on */
    bool micros;
    bool few_values;  /* floats and texts that compress */
    size_t long_text; /* bytes of one metadata text, or 0 */
} sample_shape;

static void add_text(column *c, size_t row, const sample_shape *shape, bool is_json, uint64_t *seed)
{
    akidb_error err = {0};
    char text[64];
    uint64_t number = test_random(seed) % (shape->few_values ? 5 : 1000000);
    if (is_json)
        snprintf(text, sizeof text, "{\"n\":%llu,\"s\":\"\xC3\xA9\"}", (unsigned long long)number);
    else if (number % 5 == 0)
        text[0] = '\0'; /* an empty text is not null */
    else
        snprintf(text, sizeof text, "\xE2\x82\xAC%llu", (unsigned long long)number);
    assert_ok(err, ak_buffer_append(&c->bytes, text, strlen(text), &err));
    if (is_json && row == 0 && shape->long_text > 0) {
        assert_ok(err, ak_buffer_put(&c->bytes, ' ', &err));
        assert_ok(err, ak_buffer_reserve(&c->bytes, shape->long_text, &err));
        memset(c->bytes.data + c->bytes.size, ' ', shape->long_text);
        c->bytes.size += shape->long_text;
    }
}

static akidb_texts make_column(column *c, const sample_shape *shape, int nulls, bool is_json,
                               uint64_t *seed)
{
    if (nulls == ABSENT)
        return (akidb_texts){0};
    c->offsets = calloc(shape->rows + 1, sizeof *c->offsets);
    c->validity = calloc(shape->rows / 8 + 1, 1);
    assert_true(c->offsets != NULL && c->validity != NULL);
    for (size_t i = 0; i < shape->rows; i++) {
        if (nulls == NONE_NULL || (nulls == SOME_NULL && test_random(seed) % 3 != 0)) {
            c->validity[i / 8] |= (uint8_t)(1 << i % 8);
            add_text(c, i, shape, is_json, seed);
        }
        c->offsets[i + 1] = c->bytes.size;
    }
    return (akidb_texts){c->offsets, (const char *)c->bytes.data,
                         nulls == NONE_NULL ? NULL : c->validity};
}

static void make_sample(sample *s, const sample_shape *shape, uint64_t seed)
{
    size_t floats = shape->rows * shape->dimension;
    *s = (sample){.vectors = calloc(floats, sizeof *s->vectors),
                  .ids = calloc(shape->rows, sizeof *s->ids),
                  .times = calloc(shape->rows, sizeof *s->times)};
    assert_true(s->vectors != NULL && s->ids != NULL && s->times != NULL);
    for (size_t i = 0; i < floats; i++) {
        /* Random bits: NaN of every payload, infinities, subnormals and -0.0 among them. */
        static const uint32_t few[] = {0x80000000, 0x7FC00001, 0x3F800000, 0xFF800000};
        uint32_t bits = (uint32_t)test_random(&seed);
        if (shape->few_values)
            bits = few[bits % 4];
        memcpy(&s->vectors[i], &bits, sizeof bits);
    }
    for (size_t i = 0; i < shape->rows; i++) {
        test_random_bytes(test_random(&seed), s->ids[i].bytes, sizeof s->ids[i].bytes);
        uint64_t span = (uint64_t)AKIDB_TIME_MAX - (uint64_t)AKIDB_TIME_MIN;
        s->times[i] = (int64_t)((uint64_t)AKIDB_TIME_MIN + test_random(&seed) % span);
        if (!shape->micros)
            s->times[i] -= s->times[i] % 1000;
    }
    s->times[0] = AKIDB_TIME_MIN;
    s->batch = (akidb_batch){
        .rows = shape->rows,
        .dimension = shape->dimension,
        .vectors = s->vectors,
        .document_ids = s->ids,
        .inserted_at = s->times,
        .external_ids = make_column(&s->external_ids, shape, shape->external_ids, false, &seed),
        .metadata = make_column(&s->metadata, shape, shape->metadata, true, &seed),
    };
}

static void column_free(column *c)
{
    free(c->offsets);
    free(c->validity);
    akidb_buffer_free(&c->bytes);
}

static void sample_free(sample *s)
{
    free(s->vectors);
    free(s->ids);
    free(s->times);
    column_free(&s->external_ids);
    column_free(&s->metadata);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void assert_same(const akidb_batch *a, const akidb_batch *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->dimension, b->dimension);
    assert_memory_equal(a->vectors, b->vectors, a->rows * a->dimension * sizeof(float));
    assert_memory_equal(a->document_ids, b->document_ids, a->rows * sizeof(akidb_uuid));
    assert_memory_equal(a->inserted_at, b->inserted_at, a->rows * sizeof(int64_t));
    assert_same_texts(&a->external_ids, &b->external_ids, a->rows);
    assert_same_texts(&a->metadata, &b->metadata, a->rows);
}

static void round_trip(const sample *s, const akidb_parquet_options *options, unsigned read_threads)
{
    akidb_error err = {0};
    akidb_buffer file;
    assert_ok(err, akidb_parquet_encode_batch(&s->batch, options, &file, &err));
    const akidb_parquet_read_options read = {.struct_size = sizeof read, .threads = read_threads};
    akidb_documents *documents;
    assert_ok(err, akidb_parquet_decode_batch((akidb_slice){file.data, file.size}, &read,
                                              &documents, &err));
    const akidb_batch found = akidb_documents_batch(documents);
    assert_same(&s->batch, &found);
    akidb_documents_free(documents);
    akidb_buffer_free(&file);
}

/* ---- the tests ------------------------------------------------------------------------------- */

static const akidb_compression compressions[] = {AKIDB_COMPRESSION_NONE, AKIDB_COMPRESSION_SNAPPY,
                                                 AKIDB_COMPRESSION_ZSTD, AKIDB_COMPRESSION_LZ4,
                                                 AKIDB_COMPRESSION_GZIP};

/* Every option with every other, on data that compress and data that do not. */
static void all_options_give_the_same_bits_back(void **state)
{
    (void)state;
    for (int few = 0; few < 2; few++) {
        const sample_shape shape = {.rows = 123,
                                    .dimension = 20,
                                    .external_ids = SOME_NULL,
                                    .metadata = SOME_NULL,
                                    .micros = few == 0,
                                    .few_values = few == 1};
        sample s;
        make_sample(&s, &shape, 11 + (uint64_t)few);
        for (unsigned i = 0; i < 5 * 2 * 2 * 2 * 2 * 2; i++) {
            const akidb_parquet_options options = {
                .struct_size = sizeof options,
                .compression = compressions[i % 5],
                .vector_encoding = i / 5 % 2 ? AKIDB_VECTOR_BYTE_STREAM_SPLIT : AKIDB_VECTOR_PLAIN,
                .enable_dictionary = i / 10 % 2 ? AKIDB_ON : AKIDB_OFF,
                .row_group_size = i / 20 % 2 ? 50 : 0,
                .page_bytes = i / 40 % 2 ? 4096 : 0,
                .threads = i / 80 % 2 ? 3 : 1,
            };
            round_trip(&s, &options, options.threads);
        }
        sample_free(&s);
    }
}

static void all_columns_give_the_same_bits_back(void **state)
{
    (void)state;
    for (int external_ids = 0; external_ids < TEXT_SHAPES; external_ids++) {
        for (int metadata = 0; metadata < TEXT_SHAPES; metadata++) {
            for (size_t rows = 1; rows <= 1001; rows += 200) {
                const sample_shape shape = {.rows = rows,
                                            .dimension = 3,
                                            .external_ids = external_ids,
                                            .metadata = metadata,
                                            .micros = rows % 400 == 1,
                                            .few_values = metadata % 2 == 0};
                sample s;
                make_sample(&s, &shape, rows);
                const akidb_parquet_options options = {
                    .struct_size = sizeof options, .row_group_size = 333, .page_bytes = 4096};
                round_trip(&s, &options, 1);
                sample_free(&s);
            }
        }
    }
}

static void all_dimensions_give_the_same_bits_back(void **state)
{
    (void)state;
    static const uint32_t dimensions[] = {1,
                                          2,
                                          3,
                                          4,
                                          5,
                                          7,
                                          8,
                                          9,
                                          12,
                                          15,
                                          16,
                                          17,
                                          31,
                                          63,
                                          64,
                                          65,
                                          71,
                                          72,
                                          100,
                                          127,
                                          128,
                                          384,
                                          512,
                                          768,
                                          1000,
                                          1536,
                                          4095,
                                          4096,
                                          AKIDB_DIMENSION_MAX};
    for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++) {
        const sample_shape shape = {.rows = dimensions[i] > 4096 ? 3 : 77,
                                    .dimension = dimensions[i]};
        sample s;
        make_sample(&s, &shape, i);
        for (unsigned pages = 0; pages < 2; pages++) {
            const akidb_parquet_options options = {
                .struct_size = sizeof options,
                .page_bytes = pages ? 4096 : 0,
                .vector_encoding = i % 2 ? AKIDB_VECTOR_BYTE_STREAM_SPLIT : AKIDB_VECTOR_PLAIN,
                .compression = compressions[i % 5]};
            round_trip(&s, &options, 1);
        }
        sample_free(&s);
    }
}

static void random_shapes_give_the_same_bits_back(void **state)
{
    (void)state;
    uint64_t seed = 2026;
    for (int i = 0; i < 60; i++) {
        const sample_shape shape = {.rows = 1 + test_random(&seed) % 700,
                                    .dimension = 1 + (uint32_t)(test_random(&seed) % 300),
                                    .external_ids = (int)(test_random(&seed) % TEXT_SHAPES),
                                    .metadata = (int)(test_random(&seed) % TEXT_SHAPES),
                                    .micros = test_random(&seed) % 2,
                                    .few_values = test_random(&seed) % 2};
        const akidb_parquet_options options = {
            .struct_size = sizeof options,
            .compression = compressions[test_random(&seed) % 5],
            .row_group_size = 1 + (uint32_t)(test_random(&seed) % 800),
            .row_group_bytes = 1000 + test_random(&seed) % 1000000,
            .page_bytes = 4096 + (uint32_t)(test_random(&seed) % 100000),
            .enable_dictionary = test_random(&seed) % 2 ? AKIDB_ON : AKIDB_OFF,
            .vector_encoding =
                test_random(&seed) % 2 ? AKIDB_VECTOR_BYTE_STREAM_SPLIT : AKIDB_VECTOR_PLAIN,
            .threads = 1 + (unsigned)(test_random(&seed) % 3)};
        sample s;
        make_sample(&s, &shape, test_random(&seed));
        round_trip(&s, &options, 1 + (unsigned)(i % 2));
        sample_free(&s);
    }
}

static void metadata_of_a_megabyte_comes_back(void **state)
{
    (void)state;
    const sample_shape shape = {.rows = 50,
                                .dimension = 2,
                                .external_ids = NONE_NULL,
                                .metadata = NONE_NULL,
                                .long_text = 1 << 20};
    sample s;
    make_sample(&s, &shape, 5);
    for (size_t i = 0; i < 5; i++) {
        const akidb_parquet_options options = {
            .struct_size = sizeof options, .compression = compressions[i], .page_bytes = 65536};
        round_trip(&s, &options, 1);
    }
    sample_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_options_give_the_same_bits_back),
        cmocka_unit_test(all_columns_give_the_same_bits_back),
        cmocka_unit_test(all_dimensions_give_the_same_bits_back),
        cmocka_unit_test(random_shapes_give_the_same_bits_back),
        cmocka_unit_test(metadata_of_a_megabyte_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
