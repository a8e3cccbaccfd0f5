/* The reader's own promises: which columns it finds, what it appends, what it leaves alone. */
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder.h"

static builder b;

/* ---- finding columns ------------------------------------------------------------------------- */

static void build_list(const char *name, int type)
{
    build_element(&b, name, -1, AK_REQUIRED, 1);
    build_element(&b, "list", -1, AK_REPEATED, 1);
    build_element(&b, "element", type, AK_REQUIRED, 0);
    build_chunk(&b, type);
    build_plain_page(&b, 4, vector_body(2, 2, 0));
}

static void expect_decoded(size_t rows, uint32_t k)
{
    akidb_documents *documents = build_decoded(&b);
    assert_int_equal(akidb_documents_batch(documents).rows, rows);
    assert_int_equal(akidb_documents_batch(documents).dimension, k);
    akidb_documents_free(documents);
}

static void the_only_list_of_floats_is_the_vector(void **state)
{
    (void)state;
    build_begin(&b, 2);
    build_list("embedding", AK_TYPE_FLOAT);
    build_list("tokens", AK_TYPE_INT32);
    expect_decoded(2, 2);
}

static void of_several_lists_one_must_be_named(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        build_begin(&b, 2);
        build_list("first", AK_TYPE_FLOAT);
        build_list("second", AK_TYPE_FLOAT);
        if (i == 0) {
            build_refused(&b, AKIDB_E_VALIDATION, "several: \"first\", \"second\"");
            continue;
        }
        b.options.vector_column = "SECOND";
        expect_decoded(2, 2);
    }
}

static void a_named_column_that_is_not_there_is_told_with_those_that_are(void **state)
{
    (void)state;
    build_begin(&b, 2);
    build_list("first", AK_TYPE_FLOAT);
    b.options.document_id_column = "key";
    build_refused(&b, AKIDB_E_VALIDATION, "expected a column \"key\", found: first");
    build_begin(&b, 2);
    build_list("numbers", AK_TYPE_INT32);
    build_refused(&b, AKIDB_E_VALIDATION, "found: numbers");
}

static void a_list_of_doubles_is_told_with_the_option_that_takes_it(void **state)
{
    (void)state;
    build_begin(&b, 2);
    build_list("numbers", AK_TYPE_INT32);
    build_list("doubles", AK_TYPE_DOUBLE);
    build_refused(&b, AKIDB_E_VALIDATION,
                  "column doubles: expected a list of float32, or of float64 with the option "
                  "narrow, found");
}

static void columns_of_other_types_are_refused_or_left_out(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        akidb_buffer body = {0};
        put_floats(&body, 0, 2);
        build_begin(&b, 2);
        build_vectors(&b, 2, 2);
        build_flat(&b, "metadata", AK_TYPE_FLOAT, AK_REQUIRED);
        build_plain_page(&b, 2, body);
        if (i == 0) {
            build_refused(&b, AKIDB_E_VALIDATION, "column metadata: expected JSON as text, found");
            continue;
        }
        b.options.metadata_column = "";
        expect_decoded(2, 2);
    }
}

static void a_double_out_of_range_names_its_row(void **state)
{
    (void)state;
    const double values[] = {1, -2.5, 1e39, (double)INFINITY};
    for (int bad = 0; bad < 2; bad++) {
        build_begin(&b, 2);
        build_element(&b, "vector", -1, AK_REQUIRED, 1);
        build_element(&b, "list", -1, AK_REPEATED, 1);
        build_element(&b, "element", AK_TYPE_DOUBLE, AK_REQUIRED, 0);
        build_chunk(&b, AK_TYPE_DOUBLE);
        akidb_buffer body = vector_body(2, 2, 0);
        body.size -= 4 * sizeof(float);
        for (int i = 0; i < 4; i++)
            put_bytes(&body, &values[i == 2 && bad == 0 ? 0 : i], sizeof values[i]);
        build_plain_page(&b, 4, body);
        b.options.narrow_doubles = true;
        if (bad) {
            build_refused(&b, AKIDB_E_VALIDATION, "row 1: column vector: expected numbers within");
            continue;
        }
        akidb_documents *documents = build_decoded(&b);
        const float expected[] = {1, -2.5f, 1, INFINITY};
        assert_memory_equal(akidb_documents_batch(documents).vectors, expected, sizeof expected);
        akidb_documents_free(documents);
    }
}

/* Of the same bytes an annotation can make something that is no id, text or time. */
static void decimals_and_times_of_day_are_taken_for_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int type, logical, converted;
    } cases[] = {
        {"document_id", AK_TYPE_FIXED_LEN_BYTE_ARRAY, AK_LOGICAL_DECIMAL, AK_CONVERTED_NONE},
        {"document_id", AK_TYPE_BYTE_ARRAY, AK_LOGICAL_NONE, AK_CONVERTED_DECIMAL},
        {"document_id", AK_TYPE_INT64, AK_LOGICAL_NONE, AK_CONVERTED_DECIMAL},
        {"document_id", AK_TYPE_INT64, AK_LOGICAL_TIMESTAMP, AK_CONVERTED_NONE},
        {"external_id", AK_TYPE_BYTE_ARRAY, AK_LOGICAL_DECIMAL, AK_CONVERTED_NONE},
        {"metadata", AK_TYPE_BYTE_ARRAY, AK_LOGICAL_NONE, AK_CONVERTED_DECIMAL},
        {"inserted_at", AK_TYPE_INT64, AK_LOGICAL_NONE, AK_CONVERTED_DECIMAL},
        {"inserted_at", AK_TYPE_INT64, AK_LOGICAL_NONE, 8 /* TIME_MICROS */},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        build_begin(&b, 2);
        build_vectors(&b, 2, 2);
        build_flat(&b, cases[i].name, cases[i].type, AK_REQUIRED);
        ak_schema_element *element = &b.schema[b.schema_count - 1];
        element->type_length = 16;
        element->logical_type.kind = cases[i].logical;
        element->logical_type.unit = AK_UNIT_MICROS;
        element->converted_type = cases[i].converted;
        b.chunks[1].num_values = 2;
        b.options.allow_other_ids = true;
        build_refused(&b, AKIDB_E_VALIDATION, cases[i].name);
    }
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct opened {
    akidb_buffer file;
    akidb_input input;
    akidb_parquet_reader *reader;
} opened;

/* Forty rows of three values, ten to a row group, with texts of the row's number. */
static void open_written(opened *o, const akidb_parquet_read_options *options)
{
    enum { ROWS = 40 };
    akidb_error err;
    float vectors[ROWS * 3];
    int64_t times[ROWS];
    akidb_uuid ids[ROWS] = {{{0}}};
    uint64_t offsets[ROWS + 1] = {0};
    char bytes[ROWS * 3 + 1];
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < 3; j++)
            vectors[3 * i + j] = (float)(3 * i + j);
        times[i] = i * 1000;
        ids[i].bytes[15] = (uint8_t)i;
        offsets[i + 1] = offsets[i] + (uint64_t)snprintf(bytes + offsets[i], 3, "%d", i);
    }
    akidb_batch batch = {.rows = ROWS,
                         .dimension = 3,
                         .vectors = vectors,
                         .document_ids = ids,
                         .external_ids = {offsets, bytes, NULL},
                         .metadata = {offsets, bytes, NULL},
                         .inserted_at = times};
    akidb_parquet_options write = {
        .struct_size = sizeof write, .compression = AKIDB_COMPRESSION_NONE, .row_group_size = 10};
    *o = (opened){0};
    assert_ok(err, akidb_parquet_encode_batch(&batch, &write, &o->file, &err));
    o->input = akidb_input_from_memory((akidb_slice){o->file.data, o->file.size}, "written");
    assert_ok(err, akidb_parquet_reader_open(&o->input, options, &o->reader, &err));
    assert_int_equal(akidb_parquet_reader_row_groups(o->reader), 4);
}

static void close_written(opened *o)
{
    akidb_parquet_reader_close(o->reader);
    akidb_input_close(&o->input);
    akidb_buffer_free(&o->file);
}

static void expect_row(const akidb_documents *documents, size_t row, int number)
{
    akidb_batch batch = akidb_documents_batch(documents);
    char text[16];
    assert_true(row < batch.rows);
    snprintf(text, sizeof text, "%d", number);
    assert_int_equal(batch.document_ids[row].bytes[15], number);
    if (batch.vectors != NULL)
        assert_true(batch.vectors[3 * row + 2] == (float)(3 * number + 2));
    if (batch.inserted_at != NULL)
        assert_int_equal(batch.inserted_at[row], number * 1000);
    akidb_slice metadata = akidb_texts_at(&batch.metadata, row);
    if (metadata.data != NULL)
        assert_memory_equal(metadata.data, text, strlen(text));
}

static void row_groups_are_read_in_any_order(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents;
    opened o;
    akidb_parquet_read_options options = {.struct_size = sizeof options, .threads = 3};
    open_written(&o, &options);
    assert_ok(err, akidb_documents_new(3, &documents, &err));
    assert_ok(err, akidb_parquet_reader_read(o.reader, 3, 1, documents, &err));
    assert_ok(err, akidb_parquet_reader_read(o.reader, 0, 0, documents, &err));
    assert_ok(err, akidb_parquet_reader_read(o.reader, 0, 3, documents, &err));
    for (int i = 0; i < 40; i++)
        expect_row(documents, (size_t)i, (i + 30) % 40);
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_reader_read(o.reader, 4, 1, documents, &err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_parquet_reader_read(o.reader, 1, SIZE_MAX, documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, 40);
    akidb_documents_free(documents);
    close_written(&o);
}

static void only_the_columns_asked_for_are_there(void **state)
{
    (void)state;
    for (unsigned columns = 1; columns <= AKIDB_COLUMNS_ALL; columns++) {
        akidb_error err;
        akidb_documents *documents;
        opened o;
        akidb_parquet_read_options options = {.struct_size = sizeof options, .columns = columns};
        open_written(&o, &options);
        assert_ok(err, akidb_documents_new(3, &documents, &err));
        assert_ok(err, akidb_parquet_reader_read(o.reader, 0, 4, documents, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        assert_int_equal(batch.vectors != NULL, (columns & AKIDB_COLUMN_VECTOR) != 0);
        assert_int_equal(batch.inserted_at != NULL, (columns & AKIDB_COLUMN_INSERTED_AT) != 0);
        assert_int_equal(akidb_texts_at(&batch.metadata, 7).data != NULL,
                         (columns & AKIDB_COLUMN_METADATA) != 0);
        assert_int_equal(akidb_texts_at(&batch.external_ids, 7).data != NULL,
                         (columns & AKIDB_COLUMN_EXTERNAL_ID) != 0);
        for (int i = 0; i < 40; i++)
            expect_row(documents, (size_t)i, i);
        akidb_documents_free(documents);
        close_written(&o);
    }
}

/* Writers leave row groups of no rows behind, as pyarrow does for an empty batch. */
static void a_row_group_without_rows_changes_nothing(void **state)
{
    (void)state;
    ak_row_group groups[3];
    ak_column_chunk empty[2];
    akidb_documents *documents;
    akidb_buffer ids = {0};
    build_begin(&b, 2);
    build_vectors(&b, 2, 2);
    build_flat(&b, "document_id", AK_TYPE_BYTE_ARRAY, AK_REQUIRED);
    put_text(&ids, "first");
    put_text(&ids, "second");
    build_plain_page(&b, 2, ids);
    for (size_t i = 0; i < 2; i++) {
        empty[i] = b.chunks[i];
        empty[i].num_values = empty[i].total_compressed_size = 0;
        empty[i].total_uncompressed_size = 0;
    }
    groups[0] = groups[2] = (ak_row_group){.columns = empty, .column_count = 2};
    groups[1] = (ak_row_group){.columns = b.chunks, .column_count = 2, .num_rows = 2};
    size_t before = b.file.size;
    b.metadata.schema = b.schema;
    b.metadata.schema_count = b.schema_count;
    b.metadata.row_groups = groups;
    b.metadata.row_group_count = 3;
    assert_ok(b.err, ak_file_metadata_write(&b.metadata, &b.file, &b.err));
    put_u32(&b.file, (uint32_t)(b.file.size - before));
    put_bytes(&b.file, "PAR1", 4);
    b.options.allow_other_ids = true;
    assert_ok(b.err, decode_exact(&b.file, &b.options, &documents, &b.err));
    akidb_batch batch = akidb_documents_batch(documents);
    const float expected[] = {0, 1, 2, 3};
    assert_int_equal(batch.rows, 2);
    assert_memory_equal(batch.vectors, expected, sizeof expected);
    assert_int_equal(akidb_texts_at(&batch.external_ids, 1).size, strlen("second"));
    akidb_documents_free(documents);
    akidb_buffer_free(&b.file);
}

/* Damage in the third of four row groups: the documents keep what they had before. */
static void a_failed_read_appends_nothing(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 4; threads++) {
        akidb_error err;
        akidb_documents *documents;
        opened o;
        akidb_parquet_read_options options = {.struct_size = sizeof options, .threads = threads};
        open_written(&o, &options);
        assert_ok(err, akidb_documents_new(3, &documents, &err));
        assert_ok(err, akidb_parquet_reader_read(o.reader, 0, 1, documents, &err));
        float needle[3] = {3 * 25, 3 * 25 + 1, 3 * 25 + 2};
        uint8_t *at = memmem(o.file.data, o.file.size, needle, sizeof needle);
        assert_non_null(at);
        at[1] ^= 1;
        assert_status(AKIDB_E_CORRUPTION,
                      akidb_parquet_reader_read(o.reader, 0, 4, documents, &err));
        assert_string_equal(err.column, "vector");
        assert_int_equal(akidb_documents_batch(documents).rows, 10);
        at[1] ^= 1;
        assert_ok(err, akidb_parquet_reader_read(o.reader, 1, 3, documents, &err));
        for (int i = 0; i < 40; i++)
            expect_row(documents, (size_t)i, i);
        akidb_documents_free(documents);
        close_written(&o);
    }
}

static void a_file_without_rows_says_its_dimension(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer file = {0};
    akidb_documents *documents;
    akidb_parquet_writer *writer;
    akidb_parquet_summary summary;
    akidb_output output = akidb_output_to_buffer(&file);
    assert_ok(err, akidb_parquet_writer_open(&output, 300, NULL, &writer, &err));
    assert_ok(err, akidb_parquet_writer_finish(writer, &summary, &err));
    akidb_parquet_writer_free(writer);
    assert_ok(err, decode_exact(&file, NULL, &documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, 0);
    assert_int_equal(akidb_documents_batch(documents).dimension, 300);
    akidb_documents_free(documents);
    akidb_buffer_free(&file);
}

/* Zeros in so few bytes that no stranger's file would be believed. */
static void what_was_recorded_is_read_however_well_it_was_compressed(void **state)
{
    (void)state;
    enum { ROWS = 2200 };
    akidb_error err;
    akidb_buffer file = {0};
    akidb_documents *documents;
    akidb_parquet_writer *writer;
    akidb_parquet_summary summary;
    akidb_output output = akidb_output_to_buffer(&file);
    akidb_uuid ids[ROWS] = {{{0}}};
    for (int i = 0; i < ROWS; i++)
        memcpy(ids[i].bytes, &i, sizeof i);
    float *vectors = calloc(ROWS, AKIDB_DIMENSION_MAX * sizeof *vectors);
    assert_non_null(vectors);
    const akidb_batch batch = {
        .rows = ROWS, .dimension = AKIDB_DIMENSION_MAX, .vectors = vectors, .document_ids = ids};
    const akidb_parquet_options options = {.struct_size = sizeof options,
                                           .compression = AKIDB_COMPRESSION_ZSTD,
                                           .row_group_size = ROWS,
                                           .page_bytes = 64 << 20};
    assert_ok(err, akidb_parquet_writer_open(&output, batch.dimension, &options, &writer, &err));
    assert_ok(err, akidb_parquet_writer_append(writer, &batch, &err));
    assert_ok(err, akidb_parquet_writer_finish(writer, &summary, &err));
    free(vectors);
    akidb_parquet_read_options read = {.struct_size = sizeof read};
    assert_status(AKIDB_E_LIMIT, decode_exact(&file, &read, &documents, &err));
    read.expected = &summary;
    assert_ok(err, decode_exact(&file, &read, &documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, ROWS);
    akidb_documents_free(documents);
    akidb_parquet_writer_free(writer);
    akidb_buffer_free(&file);
}

static void documents_of_another_kind_are_refused(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents;
    opened with, without;
    akidb_parquet_read_options options = {.struct_size = sizeof options,
                                          .columns = AKIDB_COLUMN_METADATA};
    open_written(&with, NULL);
    open_written(&without, &options);
    assert_ok(err, akidb_documents_new(4, &documents, &err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_parquet_reader_read(with.reader, 0, 1, documents, &err));
    akidb_documents_free(documents);
    assert_ok(err, akidb_documents_new(3, &documents, &err));
    assert_ok(err, akidb_parquet_reader_read(with.reader, 0, 1, documents, &err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_parquet_reader_read(without.reader, 0, 1, documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, 10);
    akidb_documents_free(documents);
    close_written(&with);
    close_written(&without);
}

static void unknown_columns_are_refused(void **state)
{
    (void)state;
    akidb_documents *documents;
    akidb_error err;
    akidb_parquet_read_options options = {.struct_size = sizeof options, .columns = 32};
    assert_status(AKIDB_E_VALIDATION,
                  akidb_parquet_decode_batch((akidb_slice){"x", 1}, &options, &documents, &err));
    assert_null(documents);
}

/* ---- inputs ---------------------------------------------------------------------------------- */

static void an_input_gives_only_bytes_that_it_has(void **state)
{
    (void)state;
    akidb_error err;
    char bytes[4];
    akidb_input input = akidb_input_from_memory((akidb_slice){"abcdef", 6}, "letters");
    assert_ok(err, akidb_input_read_at(&input, 2, bytes, 4, &err));
    assert_memory_equal(bytes, "cdef", 4);
    assert_ok(err, akidb_input_read_at(&input, 6, bytes, 0, &err));
    assert_status(AKIDB_E_CORRUPTION, akidb_input_read_at(&input, 3, bytes, 4, &err));
    assert_status(AKIDB_E_CORRUPTION, akidb_input_read_at(&input, UINT64_MAX, bytes, 2, &err));
    assert_string_equal(err.object, "letters");
    akidb_input_close(&input);
    akidb_input_close(&input);
    akidb_input_close(NULL);
}

static void a_file_that_becomes_shorter_is_corruption(void **state)
{
    (void)state;
    akidb_error err;
    akidb_input input;
    char bytes[8], path[] = "/tmp/akidb-input-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "12345678", 8), 8);
    assert_ok(err, akidb_input_open_file(path, &input, &err));
    assert_int_equal(input.size, 8);
    assert_ok(err, akidb_input_read_at(&input, 0, bytes, 8, &err));
    assert_int_equal(ftruncate(fd, 5), 0);
    assert_status(AKIDB_E_CORRUPTION, akidb_input_read_at(&input, 0, bytes, 8, &err));
    assert_non_null(strstr(err.message, "became shorter"));
    akidb_input_close(&input);
    close(fd);
    unlink(path);
    assert_status(AKIDB_E_NOT_FOUND, akidb_input_open_file(path, &input, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_input_open_file("/tmp", &input, &err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_only_list_of_floats_is_the_vector),
        cmocka_unit_test(of_several_lists_one_must_be_named),
        cmocka_unit_test(a_named_column_that_is_not_there_is_told_with_those_that_are),
        cmocka_unit_test(a_list_of_doubles_is_told_with_the_option_that_takes_it),
        cmocka_unit_test(columns_of_other_types_are_refused_or_left_out),
        cmocka_unit_test(a_double_out_of_range_names_its_row),
        cmocka_unit_test(decimals_and_times_of_day_are_taken_for_nothing_else),
        cmocka_unit_test(row_groups_are_read_in_any_order),
        cmocka_unit_test(only_the_columns_asked_for_are_there),
        cmocka_unit_test(a_row_group_without_rows_changes_nothing),
        cmocka_unit_test(a_failed_read_appends_nothing),
        cmocka_unit_test(a_file_without_rows_says_its_dimension),
        cmocka_unit_test(what_was_recorded_is_read_however_well_it_was_compressed),
        cmocka_unit_test(documents_of_another_kind_are_refused),
        cmocka_unit_test(unknown_columns_are_refused),
        cmocka_unit_test(an_input_gives_only_bytes_that_it_has),
        cmocka_unit_test(a_file_that_becomes_shorter_is_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
