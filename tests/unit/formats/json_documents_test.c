/* Documents as JSON text and back. */
#include "formats/json_documents.h"

#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const nil_id = "00000000-0000-0000-0000-000000000000";

/* ---- helpers --------------------------------------------------------------------------------- */

/* Reads a whole text, fed by pieces of `step` bytes, at most max_rows at a time. */
static akidb_status read_text(const char *text, size_t size, ak_json_read_options options,
                              size_t step, uint32_t dimension, akidb_documents **documents_out,
                              akidb_error *err)
{
    ak_json_reader *reader;
    akidb_error made;
    assert_ok(made, ak_json_reader_new(&options, &reader, &made));
    assert_ok(made, akidb_documents_new(dimension, documents_out, &made));
    size_t at = 0;
    akidb_status status = AKIDB_OK;
    bool ended = false;
    for (;;) {
        bool more;
        size_t before = akidb_documents_batch(*documents_out).rows;
        status = ak_json_reader_read(reader, before + 3, *documents_out, &more, err);
        if (status != AKIDB_OK) {
            assert_int_equal(akidb_documents_batch(*documents_out).rows, before);
            break;
        }
        if (more)
            continue;
        if (ended)
            break;
        size_t piece = size - at < step ? size - at : step;
        assert_ok(made, ak_json_reader_feed(reader, (akidb_slice){text + at, piece}, &made));
        at += piece;
        if (at == size) {
            ak_json_reader_finish(reader);
            ended = true;
        }
    }
    if (status == AKIDB_OK)
        assert_int_equal(ak_json_reader_rows(reader), akidb_documents_batch(*documents_out).rows);
    ak_json_reader_free(reader);
    return status;
}

static void assert_same_text(akidb_slice a, akidb_slice b)
{
    assert_true((a.data == NULL) == (b.data == NULL));
    assert_int_equal(a.size, b.size);
    if (a.size > 0)
        assert_memory_equal(a.data, b.data, a.size);
}

static void assert_same_documents(const akidb_batch *a, const akidb_batch *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->dimension, b->dimension);
    if (a->rows == 0)
        return;
    assert_memory_equal(a->vectors, b->vectors, a->rows * a->dimension * sizeof(float));
    assert_memory_equal(a->document_ids, b->document_ids, a->rows * sizeof(akidb_uuid));
    assert_memory_equal(a->inserted_at, b->inserted_at, a->rows * sizeof(int64_t));
    for (size_t i = 0; i < a->rows; i++) {
        assert_same_text(akidb_texts_at(&a->external_ids, i), akidb_texts_at(&b->external_ids, i));
        assert_same_text(akidb_texts_at(&a->metadata, i), akidb_texts_at(&b->metadata, i));
    }
}

static void write_text(const akidb_batch *batch, ak_json_style style, size_t step,
                       akidb_buffer *text)
{
    akidb_error err;
    if (!style.lines)
        memcpy((text->data = malloc(text->capacity = 1)), AK_JSON_ARRAY_BEGIN, text->size = 1);
    for (size_t first = 0; first < batch->rows; first += step) {
        size_t count = batch->rows - first < step ? batch->rows - first : step;
        assert_ok(err,
                  ak_json_append_documents(text, batch, first, count, style, first == 0, &err));
    }
    if (!style.lines) {
        size_t size = strlen(AK_JSON_ARRAY_END);
        text->data = realloc(text->data, text->size + size);
        memcpy(text->data + text->size, AK_JSON_ARRAY_END, size);
        text->size += size;
        text->capacity = text->size;
    }
}

/* ---- round trips ----------------------------------------------------------------------------- */

static akidb_slice random_metadata(uint64_t *random)
{
    static const char *const texts[] = {
        "{}",
        "null",
        " null",
        "\"null\"",
        " {\"a\": [1, 2.50]} ",
        "{\n  \"a\":\r\n 1\n}",
        "\t[1]",
        "\"\\u0000\\ud83d\\ude00\"",
        "1e400",
        "[1]\n",
        "{\"vector\":[\"]\"],\"\\\"\":\"}{\"}",
        "true",
        "\"\"",
        "[[[[]]]]",
        "\"caf\xC3\xA9\"",
    };
    const size_t count = sizeof texts / sizeof texts[0];
    size_t choice = test_random(random) % (count + 3);
    if (choice >= count)
        return (akidb_slice){NULL, 0};
    return (akidb_slice){texts[choice], strlen(texts[choice])};
}

static akidb_slice random_external_id(uint64_t *random)
{
    static const char *const texts[] = {"",   "a",        "null",        "\"",
                                        "\\", "\n\t\x01", "caf\xC3\xA9", "\xF0\x9F\x98\x80"};
    const size_t count = sizeof texts / sizeof texts[0];
    size_t choice = test_random(random) % (count + 2);
    if (choice >= count)
        return (akidb_slice){NULL, 0};
    return (akidb_slice){texts[choice], strlen(texts[choice])};
}

static akidb_documents *random_documents(uint64_t seed, uint32_t dimension, size_t rows)
{
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(dimension, &documents, &err));
    float *vector = malloc(dimension * sizeof *vector);
    for (size_t i = 0; i < rows; i++) {
        for (uint32_t j = 0; j < dimension; j++) { /* any bits: NaN, infinities and all */
            uint32_t bits = (uint32_t)test_random(&seed);
            if (test_random(&seed) % 4 == 0)
                bits |= 0x7F800000;
            if (test_random(&seed) % 16 == 0)
                bits &= 0xFF800000;
            memcpy(&vector[j], &bits, sizeof bits);
        }
        akidb_uuid id;
        test_random_bytes(test_random(&seed), id.bytes, sizeof id.bytes);
        int64_t time = AKIDB_TIME_MIN +
                       (int64_t)(test_random(&seed) % (uint64_t)(AKIDB_TIME_MAX - AKIDB_TIME_MIN));
        akidb_document document = {&id,       random_external_id(&seed), vector,
                                   dimension, random_metadata(&seed),    &time};
        assert_ok(err, akidb_documents_append(documents, &document, &err));
    }
    free(vector);
    return documents;
}

static void documents_come_back_bit_for_bit(void **state)
{
    (void)state;
    static const uint32_t dimensions[] = {1, 2, 7, 64, 1024};
    for (size_t d = 0; d < sizeof dimensions / sizeof dimensions[0]; d++) {
        for (int lines = 0; lines <= 1; lines++) {
            akidb_documents *documents = random_documents(d + 1, dimensions[d], 40);
            akidb_batch batch = akidb_documents_batch(documents);
            akidb_buffer text = {0};
            write_text(&batch, (ak_json_style){lines != 0, 0}, 1 + d * 3, &text);
            static const size_t steps[] = {1, 13, 4096, SIZE_MAX};
            for (size_t s = dimensions[d] > 64 ? 1 : 0; s < 4; s++) {
                akidb_error err;
                akidb_documents *back;
                ak_json_read_options options = {.lines = lines != 0, .stored = true};
                assert_ok(err, read_text((const char *)text.data, text.size, options, steps[s],
                                         dimensions[d], &back, &err));
                akidb_batch found = akidb_documents_batch(back);
                assert_same_documents(&batch, &found);
                akidb_documents_free(back);
            }
            akidb_buffer_free(&text);
            akidb_documents_free(documents);
        }
    }
}

static void a_line_holds_one_document_whatever_its_metadata(void **state)
{
    (void)state;
    akidb_documents *documents = random_documents(9, 3, 60);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_buffer text = {0};
    write_text(&batch, (ak_json_style){true, 0}, 7, &text);
    size_t lines = 0;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    assert_int_equal(lines, 60);
    akidb_buffer_free(&text);
    akidb_documents_free(documents);
}

static void the_text_is_what_the_format_page_says(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(8, &documents, &err));
    float vector[8] = {0.25f, -0.001f, -0.0f, INFINITY, -INFINITY, 0, 0, 1e-45f};
    const uint32_t nans[2] = {0x7FC00000, 0xFFC00001};
    memcpy(&vector[5], nans, sizeof nans);
    akidb_uuid id = {{0}};
    int64_t time = 1762575825152660;
    akidb_document document = {&id, {"a\"b", 3}, vector, 8, {"{ \"k\":1}", 8}, &time};
    assert_ok(err, akidb_documents_append(documents, &document, &err));
    document.external_id.data = NULL;
    document.metadata = (akidb_slice){"[1]\n", 4};
    vector[0] = 1;
    assert_ok(err, akidb_documents_append(documents, &document, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_buffer text = {0};
    write_text(&batch, (ak_json_style){0}, 10, &text);
    static const char expected[] =
        "[\n{\"doc_id\":\"00000000-0000-0000-0000-000000000000\",\"external_id\":\"a\\\"b\","
        "\"vector\":[0.25,-1e-3,-0.0,\"Infinity\",\"-Infinity\",\"NaN\",\"0xffc00001\",1e-45],"
        "\"metadata\":{ \"k\":1},\"inserted_at\":\"2025-11-08T04:23:45.152660Z\"},\n"
        "{\"doc_id\":\"00000000-0000-0000-0000-000000000000\",\"external_id\":null,"
        "\"vector\":[1,-1e-3,-0.0,\"Infinity\",\"-Infinity\",\"NaN\",\"0xffc00001\",1e-45],"
        "\"metadata\":[1] ,\"metadata_text\":\"[1]\\n\","
        "\"inserted_at\":\"2025-11-08T04:23:45.152660Z\"}\n]\n";
    assert_int_equal(text.size, sizeof expected - 1);
    assert_memory_equal(text.data, expected, text.size);
    text.size = 0;
    assert_ok(err, ak_json_append_documents(
                       &text, &batch, 1, 1,
                       (ak_json_style){true, AKIDB_COLUMN_EXTERNAL_ID | AKIDB_COLUMN_METADATA},
                       false, &err));
    static const char two[] =
        "{\"external_id\":null,\"metadata\":[1] ,\"metadata_text\":\"[1]\\n\"}\n";
    assert_int_equal(text.size, sizeof two - 1);
    assert_memory_equal(text.data, two, text.size);
    akidb_buffer_free(&text);
    akidb_documents_free(documents);
}

static void a_batch_without_ids_is_not_written(void **state)
{
    (void)state;
    const float vector = 1;
    const int64_t time = 0;
    akidb_batch batch = {.rows = 1, .dimension = 1, .vectors = &vector, .inserted_at = &time};
    akidb_buffer text = {0};
    assert_status(AKIDB_E_VALIDATION,
                  ak_json_append_documents(&text, &batch, 0, 1, (ak_json_style){0}, true, NULL));
    assert_int_equal(text.size, 0);
    akidb_buffer_free(&text);
}

/* ---- what others write ----------------------------------------------------------------------- */

static void the_older_layout_is_read(void **state)
{
    (void)state;
    static const char text[] =
        "[\n  {\n    \"doc_id\": \"018F3a5e-0000-7000-8000-0123456789ab\",\n"
        "    \"external_id\": null,\n    \"vector\": [\n      0.1,\n      -2.5e-7,\n      3\n    "
        "],\n"
        "    \"metadata\": null,\n    \"inserted_at\": \"2025-11-08T04:23:45.152660Z\"\n  },\n"
        "  {\"inserted_at\":\"2025-11-08T05:23:45.152660999+01:00\",\"unknown\":{\"a\":[1,\"]\"]},"
        "\"metadata\": {\"a\" : 1} ,\"vector\":[0.10000000149011612,1E2,-0],\"external_id\":\"x\","
        "\"doc\\u005fid\":\"00000000-0000-0000-0000-000000000001\"}\n]";
    akidb_error err;
    akidb_documents *documents;
    ak_json_read_options options = {.name = "old.json", .stored = true};
    assert_ok(err, read_text(text, sizeof text - 1, options, 10, 3, &documents, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, 2);
    char id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&batch.document_ids[0], id);
    assert_string_equal(id, "018f3a5e-0000-7000-8000-0123456789ab");
    assert_true(batch.inserted_at[0] == 1762575825152660);
    assert_true(batch.inserted_at[1] == 1762575825152660); /* nanoseconds are cut off */
    const float expected[6] = {0.1f, -2.5e-7f, 3, 0.1f, 100, -0.0f};
    assert_memory_equal(batch.vectors, expected, sizeof expected);
    assert_null(akidb_texts_at(&batch.external_ids, 0).data);
    assert_null(akidb_texts_at(&batch.metadata, 0).data);
    assert_same_text(akidb_texts_at(&batch.external_ids, 1), (akidb_slice){"x", 1});
    assert_same_text(akidb_texts_at(&batch.metadata, 1), (akidb_slice){"{\"a\" : 1}", 9});
    akidb_documents_free(documents);
}

static void an_import_makes_up_ids_and_times(void **state)
{
    (void)state;
    static const char text[] =
        "{\"vector\":[1]}\n{\"vector\":[2],\"doc_id\":null}\n{\"vector\":[3]}";
    akidb_error err;
    akidb_documents *documents;
    ak_json_read_options options = {.lines = true};
    assert_ok(err, read_text(text, sizeof text - 1, options, 5, 1, &documents, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, 3);
    for (size_t i = 0; i + 1 < batch.rows; i++)
        assert_true(akidb_uuid_compare(&batch.document_ids[i], &batch.document_ids[i + 1]) < 0);
    assert_int_equal(batch.document_ids[0].bytes[6] >> 4, 7);
    assert_true(batch.inserted_at[0] > 0 && batch.inserted_at[0] % 1000 == 0);
    akidb_documents_free(documents);
}

static void columns_that_are_not_wanted_are_not_kept(void **state)
{
    (void)state;
    akidb_documents *documents = random_documents(5, 4, 20);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_buffer text = {0};
    write_text(&batch, (ak_json_style){0}, 20, &text);
    akidb_error err;
    akidb_documents *back;
    ak_json_read_options options = {.stored = true, .columns = AKIDB_COLUMN_METADATA};
    assert_ok(err, read_text((const char *)text.data, text.size, options, 100, 4, &back, &err));
    akidb_batch found = akidb_documents_batch(back);
    assert_int_equal(found.rows, 20);
    assert_null(found.vectors);
    assert_null(found.inserted_at);
    assert_null(found.external_ids.offsets);
    assert_memory_equal(found.document_ids, batch.document_ids, 20 * sizeof(akidb_uuid));
    for (size_t i = 0; i < 20; i++)
        assert_same_text(akidb_texts_at(&batch.metadata, i), akidb_texts_at(&found.metadata, i));
    akidb_documents_free(back);
    akidb_buffer_free(&text);
    akidb_documents_free(documents);
}

static void the_dimension_is_known_from_the_first_document(void **state)
{
    (void)state;
    static const char text[] = "[{\"vector\":[1,2,3]},{\"vector\":[4,5,6]}]";
    akidb_error err;
    ak_json_reader *reader;
    ak_json_read_options options = {0};
    assert_ok(err, ak_json_reader_new(&options, &reader, &err));
    uint32_t dimension;
    size_t at = 0;
    do {
        assert_ok(err, ak_json_reader_dimension(reader, &dimension, &err));
        assert_ok(err, ak_json_reader_feed(reader, (akidb_slice){text + at, 1}, &err));
        at++;
    } while (dimension == 0);
    assert_int_equal(dimension, 3);
    assert_int_equal(text[at - 2], '}'); /* no sooner and no later */
    assert_ok(err,
              ak_json_reader_feed(reader, (akidb_slice){text + at, sizeof text - 1 - at}, &err));
    ak_json_reader_finish(reader);
    akidb_documents *documents;
    bool more;
    assert_ok(err, akidb_documents_new(3, &documents, &err));
    assert_ok(err, ak_json_reader_read(reader, 100, documents, &more, &err));
    assert_false(more);
    const float expected[6] = {1, 2, 3, 4, 5, 6};
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, 2);
    assert_memory_equal(batch.vectors, expected, sizeof expected);
    akidb_documents_free(documents);
    ak_json_reader_free(reader);
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void a_bad_document_is_named_by_row_column_and_offset(void **state)
{
    (void)state;
    static const struct {
        const char *member; /* of the second row, after its id, time and vector */
        const char *column;
        int64_t offset; /* in it; the JSON library may tell the byte after */
        const char *message;
    } cases[] = {
        {"\"external_id\":1", "external_id", 14, "expected a JSON string"},
        {"\"external_id\":\"\\x\"", "external_id", 15, "bad escape"},
        {"\"external_id\":\"\xFF\"", "external_id", 15, "not UTF-8"},
        {"\"external_id\":\"\\ud800\"", "external_id", 15, "surrogate"},
        {"\"metadata\":{a}", "metadata", 12, "expected one JSON value"},
        {"\"metadata\":[1,]", "metadata", 15, "expected one JSON value"},
        {"\"metadata\":01", "metadata", 12, "expected one JSON value"},
        {"\"metadata_text\":\"{\"", "metadata_text", 16, "expected one JSON value"},
        {"\"metadata_text\":{}", "metadata_text", 16, "expected a JSON string"},
        {"\"other\":tru", "", 11, "expected one JSON value"},
        {"\"vector\":[1,2]", "vector", 0, "each member once"},
        {"\"x\" 1", "", 4, "expected \":\""},
        {"x", "", 0, "a member's name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[600];
        int start = snprintf(text, sizeof text,
                             "[{\"doc_id\":\"%s\",\"inserted_at\":\"2025-01-01\",\"vector\":[1,2]},"
                             "{\"doc_id\":\"%s\",\"inserted_at\":\"2025-01-01\",\"vector\":[1,2],",
                             nil_id, nil_id);
        snprintf(text + start, sizeof text - (size_t)start, "%s}]", cases[i].member);
        akidb_error err = {0};
        akidb_documents *documents;
        ak_json_read_options options = {.name = "a.json", .stored = true};
        if (read_text(text, strlen(text), options, 17, 2, &documents, &err) != AKIDB_E_CORRUPTION)
            fail_msg("%s was accepted", cases[i].member);
        if (err.row != 1 || strcmp(err.column, cases[i].column) != 0 ||
            err.offset < start + cases[i].offset || err.offset > start + cases[i].offset + 1 ||
            strstr(err.message, cases[i].message) == NULL)
            fail_msg("%s: at %lld: %s", cases[i].member, (long long)(err.offset - start),
                     err.message);
        assert_string_equal(err.object, "a.json");
        akidb_documents_free(documents);
    }
}

static void nothing_hides_behind_a_nul(void **state)
{
    (void)state;
    static const char *const members[] = {
        "\"doc_id\":\"00000000-0000-0000-0000-000000000000\\u0000x\",\"inserted_at\":\"2025-01-"
        "01\"",
        "\"doc_id\":\"00000000-0000-0000-0000-000000000000\",\"inserted_at\":\"2025-01-01\\u0000\"",
    };
    for (size_t i = 0; i < 2; i++) {
        char text[200];
        snprintf(text, sizeof text, "[{%s,\"vector\":[1]}]", members[i]);
        akidb_error err = {0};
        akidb_documents *documents;
        ak_json_read_options options = {.name = "a.json", .stored = true};
        assert_status(AKIDB_E_CORRUPTION,
                      read_text(text, strlen(text), options, 100, 1, &documents, &err));
        assert_non_null(strstr(err.message, "U+0000"));
        akidb_documents_free(documents);
    }
}

static void a_document_over_the_limit_is_named(void **state)
{
    (void)state;
    akidb_error err = {0};
    akidb_documents *documents;
    size_t size = AK_JSON_DOCUMENT_MAX + 9;
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    ak_json_read_options options = {.name = "a.jsonl", .lines = true};
    text[3] = '\n';
    memset(text, ' ', 3);
    assert_status(AKIDB_E_LIMIT, read_text(text, size, options, size, 1, &documents, &err));
    assert_string_equal(err.object, "a.jsonl");
    assert_int_equal(err.offset, 4);
    assert_int_equal(err.row, 0);
    akidb_documents_free(documents);
    free(text);
}

static void a_bad_vector_is_refused(void **state)
{
    (void)state;
    static const char *const vectors[] = {
        "[1]",
        "[1,2,3]",
        "[]",
        "null",
        "1",
        "\"1,2\"",
        "{}",
        "[1 2]",
        "[1,,2]",
        "[1,2,]",
        "[,1,2]",
        "[1,null]",
        "[1,\"nan\"]",
        "[1,\"inf\"]",
        "[1,NaN]",
        "[1,Infinity]",
        "[1,1e39]",
        "[1,-1e999]",
        "[1,\"0x7f800000\"]",
        "[1,\"0x00000000\"]",
        "[1,\"0x7FC00001\"]",
        "[1,\"0x7fc0000\"]",
        "[1,\"NaN]",
        "[1,+2]",
        "[1,.5]",
        "[1,2.]",
        "[1,01]",
        "[1,[2]]",
        "[1,true]",
        "[1,0x10]",
        "[1,2] 3",
        "[1,1e]",
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "{\"vector\":%s}", vectors[i]);
        akidb_error err = {0};
        akidb_documents *documents;
        ak_json_read_options options = {.lines = true, .dimension = 2};
        if (read_text(text, strlen(text), options, 1000, 2, &documents, &err) != AKIDB_E_VALIDATION)
            fail_msg("%s was accepted", text);
        akidb_documents_free(documents);
    }
}

static void what_a_snapshot_must_have_is_asked_for(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[{\"vector\":[1],\"inserted_at\":\"2025-01-01\"}]",
        "[{\"vector\":[1],\"doc_id\":null,\"inserted_at\":\"2025-01-01\"}]",
        "[{\"vector\":[1],\"doc_id\":\"00000000-0000-0000-0000-000000000000\"}]",
        "[{\"doc_id\":\"00000000-0000-0000-0000-000000000000\",\"inserted_at\":\"2025-01-01\"}]",
        "[{\"vector\":[1],\"doc_id\":\"0\",\"inserted_at\":\"2025-01-01\"}]",
        "[{\"vector\":[1],\"doc_id\":\"00000000-0000-0000-0000-000000000000\",\"inserted_at\":1}]",
        "[{\"vector\":[1],\"doc_id\":\"00000000-0000-0000-0000-000000000000\","
        "\"inserted_at\":\"2025-13-01\"}]",
        "[{\"vector\":[1],\"doc_id\":\"00000000-0000-0000-0000-000000000000\","
        "\"inserted_at\":\"2025-01-01T00:00:00.1234567890Z\"}]",
        "[1]",
        "[[]]",
        "{}",
        "[",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        akidb_error err = {0};
        akidb_documents *documents;
        ak_json_read_options options = {.stored = true};
        if (read_text(texts[i], strlen(texts[i]), options, 1000, 1, &documents, &err) !=
            AKIDB_E_CORRUPTION)
            fail_msg("%s was accepted", texts[i]);
        akidb_documents_free(documents);
    }
}

static void every_cut_of_a_snapshot_is_corruption(void **state)
{
    (void)state;
    akidb_documents *documents = random_documents(11, 2, 4);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_buffer text = {0};
    write_text(&batch, (ak_json_style){0}, 4, &text);
    for (size_t size = 0; size < text.size - 2; size++) { /* but for the line break at the end */
        akidb_error err = {0};
        akidb_documents *back;
        ak_json_read_options options = {.stored = true};
        assert_status(AKIDB_E_CORRUPTION,
                      read_text((const char *)text.data, size, options, 64, 2, &back, &err));
        akidb_documents_free(back);
    }
    akidb_buffer_free(&text);
    akidb_documents_free(documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_back_bit_for_bit),
        cmocka_unit_test(a_line_holds_one_document_whatever_its_metadata),
        cmocka_unit_test(the_text_is_what_the_format_page_says),
        cmocka_unit_test(a_batch_without_ids_is_not_written),
        cmocka_unit_test(the_older_layout_is_read),
        cmocka_unit_test(an_import_makes_up_ids_and_times),
        cmocka_unit_test(columns_that_are_not_wanted_are_not_kept),
        cmocka_unit_test(the_dimension_is_known_from_the_first_document),
        cmocka_unit_test(a_bad_document_is_named_by_row_column_and_offset),
        cmocka_unit_test(nothing_hides_behind_a_nul),
        cmocka_unit_test(a_document_over_the_limit_is_named),
        cmocka_unit_test(a_bad_vector_is_refused),
        cmocka_unit_test(what_a_snapshot_must_have_is_asked_for),
        cmocka_unit_test(every_cut_of_a_snapshot_is_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
