/* JSON documents that many threads decode: what is read, and what is told to be wrong, is the same
 * as with one. */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "formats/json_documents.h"

enum { THREADS = 4 };

typedef struct outcome {
    akidb_status status;
    akidb_error err;
    akidb_documents *documents;
    bool has_unknown;
    char unknown[64];
    uint64_t unknown_line;
} outcome;

static outcome read_text(const akidb_buffer *text, ak_json_read_options options, size_t step,
                         size_t max_rows)
{
    akidb_error err;
    outcome o = {.err = {.offset = -1, .row = -1}};
    ak_json_reader *reader;
    assert_ok(err, ak_json_reader_new(&options, &reader, &err));
    assert_ok(err, akidb_documents_new(options.dimension, &o.documents, &err));
    bool more = false;
    for (size_t at = 0; o.status == AKIDB_OK; at += step) {
        size_t piece = at >= text->size ? 0 : text->size - at < step ? text->size - at : step;
        if (piece == 0)
            ak_json_reader_finish(reader);
        else
            assert_ok(err,
                      ak_json_reader_feed(reader, (akidb_slice){text->data + at, piece}, &err));
        do {
            size_t before = akidb_documents_batch(o.documents).rows;
            o.status = ak_json_reader_read(reader, before + max_rows, o.documents, &more, &o.err);
        } while (o.status == AKIDB_OK && more);
        if (piece == 0)
            break;
    }
    akidb_slice name;
    o.has_unknown = ak_json_reader_unknown(reader, &name, &o.unknown_line);
    if (o.has_unknown)
        snprintf(o.unknown, sizeof o.unknown, "%.*s", (int)name.size, (const char *)name.data);
    ak_json_reader_free(reader);
    return o;
}

static void assert_same_texts(const akidb_texts *a, const akidb_texts *b, size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        akidb_slice x = akidb_texts_at(a, i);
        akidb_slice y = akidb_texts_at(b, i);
        assert_int_equal(x.data == NULL, y.data == NULL);
        assert_int_equal(x.size, y.size);
        if (x.size > 0)
            assert_memory_equal(x.data, y.data, x.size);
    }
}

/* Reads with no pool and with one; both must come to the same. The first one's status. */
static akidb_status check_same(const akidb_buffer *text, ak_json_read_options options, size_t step,
                               size_t max_rows, ak_pool *pool)
{
    outcome alone = read_text(text, options, step, max_rows);
    options.pool = pool;
    outcome many = read_text(text, options, step, max_rows);
    if (many.status != alone.status)
        fail_msg("status %d, with threads %d: %s", (int)alone.status, (int)many.status,
                 many.status == AKIDB_OK ? alone.err.message : many.err.message);
    akidb_batch a = akidb_documents_batch(alone.documents);
    akidb_batch b = akidb_documents_batch(many.documents);
    assert_int_equal(a.rows, b.rows);
    if (alone.status != AKIDB_OK) {
        assert_string_equal(many.err.message, alone.err.message);
        assert_true(many.err.row == alone.err.row && many.err.offset == alone.err.offset);
    }
    if (a.rows > 0) {
        assert_memory_equal(a.vectors, b.vectors, a.rows * a.dimension * sizeof(float));
        assert_memory_equal(a.document_ids, b.document_ids, a.rows * sizeof(akidb_uuid));
        assert_memory_equal(a.inserted_at, b.inserted_at, a.rows * sizeof(int64_t));
    }
    assert_same_texts(&a.external_ids, &b.external_ids, a.rows);
    assert_same_texts(&a.metadata, &b.metadata, a.rows);
    assert_int_equal(alone.has_unknown, many.has_unknown);
    assert_string_equal(alone.unknown, many.unknown);
    assert_true(alone.unknown_line == many.unknown_line);
    akidb_documents_free(alone.documents);
    akidb_documents_free(many.documents);
    return alone.status;
}

/* Documents of very different sizes, with brackets, quotes and backslashes in their texts, and with
 * members that nobody knows in some rows from `unknown_from` on. */
static akidb_buffer make_text(uint64_t seed, size_t rows, uint32_t dimension, bool lines,
                              size_t unknown_from)
{
    static const char *const texts[] = {
        "null", "\"]}\"", "\"\\\\\\\"[{\"", "{\"a\":[\"}\",{\"b\":\"\\\\\"}]}", "[[],{}]", "1e400",
    };
    akidb_error err;
    akidb_buffer text = {0};
    if (!lines)
        assert_ok(err, ak_buffer_put(&text, '[', &err));
    for (size_t i = 0; i < rows; i++) {
        const char *between = lines ? "" : i == 0 ? " " : ",\n";
        assert_ok(err,
                  ak_buffer_printf(&text, &err,
                                   "%s{\"doc_id\":\"00000000-0000-4000-8000-%012zx\",\"vector\":[",
                                   between, i));
        for (uint32_t d = 0; d < dimension; d++)
            assert_ok(err, ak_buffer_printf(&text, &err, "%s%.*g", d == 0 ? "" : ",",
                                            (int)(1 + test_random(&seed) % 17),
                                            (double)(int32_t)test_random(&seed) * 0x1p-33));
        assert_ok(
            err, ak_buffer_printf(&text, &err, "],\"metadata\":%s", texts[test_random(&seed) % 6]));
        size_t padding = test_random(&seed) % 40 == 0 ? 100000 : test_random(&seed) % 50;
        assert_ok(err,
                  ak_buffer_printf(&text, &err, ",\"external_id\":\"%*s\"", (int)padding, "x"));
        if (i >= unknown_from && test_random(&seed) % 3 == 0)
            assert_ok(err, ak_buffer_printf(&text, &err, ",\"extra %zu\":{\"]\":[]}", i));
        assert_ok(err, ak_buffer_printf(&text, &err, ",\"inserted_at\":\"2026-11-22T09:00:00Z\"}%s",
                                        lines ? "\n" : ""));
    }
    if (!lines)
        assert_ok(err, ak_buffer_put(&text, ']', &err));
    return text;
}

static ak_pool *make_pool(void)
{
    akidb_error err;
    ak_pool *pool;
    assert_ok(err, ak_pool_new(THREADS, &pool, &err));
    return pool;
}

static void threads_read_the_same_documents(void **state)
{
    (void)state;
    static const size_t steps[] = {1 << 12, 300000, SIZE_MAX / 2};
    ak_pool *pool = make_pool();
    for (int lines = 0; lines <= 1; lines++) {
        for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
            akidb_buffer text = make_text(s + 1, 300, 40, lines != 0, 100);
            ak_json_read_options options = {.lines = lines != 0, .stored = true, .dimension = 40};
            assert_int_equal(AKIDB_OK, check_same(&text, options, steps[s], 1000, pool));
            assert_int_equal(AKIDB_OK, check_same(&text, options, steps[s], 7, pool));
            options.columns =
                AKIDB_COLUMN_METADATA | AKIDB_COLUMN_VECTOR | AKIDB_COLUMN_INSERTED_AT;
            assert_int_equal(AKIDB_OK, check_same(&text, options, steps[s], 1000, pool));
            akidb_buffer_free(&text);
        }
    }
    ak_pool_free(pool);
}

static void with_threads_the_first_of_several_errors_is_told(void **state)
{
    (void)state;
    static const char damage[] = "\"[]{},:\\x0 \n\x80";
    uint64_t random = 7;
    ak_pool *pool = make_pool();
    akidb_buffer text = make_text(5, 250, 30, false, SIZE_MAX);
    size_t failures = 0;
    for (int i = 0; i < 150; i++) {
        size_t size = text.size;
        uint8_t *whole = malloc(size);
        memcpy(whole, text.data, size);
        for (uint64_t n = test_random(&random) % 4; n > 0; n--)
            text.data[test_random(&random) % size] =
                (uint8_t)damage[test_random(&random) % (sizeof damage - 1)];
        if (i % 5 == 0) /* the stream ends too early */
            text.size = test_random(&random) % size;
        ak_json_read_options options = {.name = "text", .stored = true, .dimension = 30};
        failures += check_same(&text, options, 1 + test_random(&random) % 400000,
                               1 + test_random(&random) % 300, pool) != AKIDB_OK;
        text.size = size;
        memcpy(text.data, whole, size);
        free(whole);
    }
    assert_true(failures > 50);
    akidb_buffer_free(&text);
    ak_pool_free(pool);
}

static void with_threads_new_ids_ascend_in_the_order_of_documents(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer text = {0};
    for (int i = 0; i < 5000; i++)
        assert_ok(err, ak_buffer_printf(&text, &err,
                                        "{\"vector\":[%d,7],\"external_id\":\"%200d\"}\n", i, i));
    ak_json_read_options options = {.lines = true, .dimension = 2, .pool = make_pool()};
    outcome o = read_text(&text, options, 1 << 20, SIZE_MAX / 2);
    assert_int_equal(AKIDB_OK, o.status);
    akidb_batch batch = akidb_documents_batch(o.documents);
    assert_int_equal(5000, batch.rows);
    for (size_t i = 0; i < batch.rows; i++) {
        assert_true(batch.vectors[2 * i] == (float)i);
        if (i > 0)
            assert_true(akidb_uuid_compare(&batch.document_ids[i - 1], &batch.document_ids[i]) < 0);
    }
    akidb_documents_free(o.documents);
    akidb_buffer_free(&text);
    ak_pool_free(options.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_read_the_same_documents),
        cmocka_unit_test(with_threads_the_first_of_several_errors_is_told),
        cmocka_unit_test(with_threads_new_ids_ascend_in_the_order_of_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
