/* Levels: rows that are no vectors are named, levels that are none are refused, and every shape of
 * list that writers give is read. */
#include "builder.h"

static builder b;

/* A run of levels: `count` times `level`. */
typedef struct run {
    uint8_t count;
    uint8_t level;
} run;

/* Levels of at most eight bits as RLE runs, behind their length. */
static void put_runs(akidb_buffer *body, const run *runs, size_t count)
{
    put_u32(body, (uint32_t)(2 * count));
    for (size_t i = 0; i < count; i++)
        put_bytes(body, (const uint8_t[]){(uint8_t)(runs[i].count << 1), runs[i].level}, 2);
}

static const run one_row[] = {{1, 0}, {3, 1}};

/* optional group vector { repeated group list { optional float element } } */
static void build_optional_vector(void)
{
    build_element(&b, "vector", -1, AK_OPTIONAL, 1);
    build_element(&b, "list", -1, AK_REPEATED, 1);
    build_element(&b, "element", AK_TYPE_FLOAT, AK_OPTIONAL, 0);
    build_chunk(&b, AK_TYPE_FLOAT);
}

/* Two rows of 4 values; then a third row with these levels. */
static void refuse_third_row(const run *repetition, size_t repetitions, const run *definition,
                             size_t definitions, int32_t entries, size_t floats, const char *text)
{
    run runs[12] = {{1, 0}, {3, 1}, {1, 0}, {3, 1}};
    run levels[12] = {{8, 3}};
    akidb_buffer body = {0};
    memcpy(runs + 4, repetition, repetitions * sizeof *runs);
    memcpy(levels + 1, definition, definitions * sizeof *levels);
    build_begin(&b, 3);
    build_optional_vector();
    put_runs(&body, runs, 4 + repetitions);
    put_runs(&body, levels, 1 + definitions);
    put_floats(&body, 0, 8 + floats);
    build_plain_page(&b, 8 + entries, body);
    build_refused(&b, AKIDB_E_VALIDATION, text);
    assert_int_equal(b.err.row, 2);
    assert_string_equal(b.err.column, "vector");
}

static void a_null_vector_is_named(void **state)
{
    (void)state;
    refuse_third_row((run[]){{1, 0}}, 1, (run[]){{1, 0}}, 1, 1, 0, "found null");
}

static void an_empty_vector_is_named(void **state)
{
    (void)state;
    refuse_third_row((run[]){{1, 0}}, 1, (run[]){{1, 1}}, 1, 1, 0, "an empty list");
}

static void a_null_element_is_named(void **state)
{
    (void)state;
    refuse_third_row(one_row, 2, (run[]){{2, 3}, {1, 2}, {1, 3}}, 3, 4, 3, "a null element");
}

static void a_ragged_row_is_named(void **state)
{
    (void)state;
    refuse_third_row((run[]){{1, 0}, {2, 1}}, 2, (run[]){{3, 3}}, 1, 3, 3, "4 floats, found 3");
    refuse_third_row((run[]){{1, 0}, {4, 1}}, 2, (run[]){{5, 3}}, 1, 5, 5, "more than 4");
}

/* A first row of these levels, then two rows of 4 values. */
static void refuse_first_row(const run *repetition, size_t repetitions, const run *definition,
                             int32_t entries, const char *text)
{
    run runs[6] = {{0, 0}};
    akidb_buffer body = {0};
    memcpy(runs, repetition, repetitions * sizeof *runs);
    memcpy(runs + repetitions, (run[]){{1, 0}, {3, 1}, {1, 0}, {3, 1}}, 4 * sizeof *runs);
    build_begin(&b, 3);
    build_optional_vector();
    put_runs(&body, runs, repetitions + 4);
    put_runs(&body, (run[]){*definition, {8, 3}}, 2);
    put_floats(&body, 0, 8);
    build_plain_page(&b, entries + 8, body);
    build_refused(&b, AKIDB_E_VALIDATION, text);
    assert_int_equal(b.err.row, 0);
    assert_string_equal(b.err.column, "vector");
}

/* It is not the measure of the others. */
static void a_first_row_that_is_no_vector_is_named(void **state)
{
    (void)state;
    refuse_first_row((run[]){{1, 0}}, 1, &(run){1, 0}, 1, "a vector of 4 floats, found null");
    refuse_first_row((run[]){{1, 0}}, 1, &(run){1, 1}, 1, "4 floats, found an empty list");
    refuse_first_row((run[]){{1, 0}, {3, 1}}, 2, &(run){4, 0}, 4, "4 floats, found null");
}

/* `rows` rows of nothing, and a vector of 4 behind them. */
static void refuse_nulls(uint64_t rows, const char *text)
{
    akidb_buffer body = {0}, levels = {0};
    build_begin(&b, (int64_t)rows + 1);
    build_optional_vector();
    assert_ok(b.err, ak_levels_append_constant(&levels, rows + 1, 0, &b.err));
    put_bytes(&levels, (const uint8_t[]){3 << 1, 1}, 2);
    put_u32(&body, (uint32_t)levels.size);
    put_bytes(&body, levels.data, levels.size);
    levels.size = 0;
    assert_ok(b.err, ak_levels_append_constant(&levels, rows, 0, &b.err));
    put_bytes(&levels, (const uint8_t[]){4 << 1, 3}, 2);
    put_u32(&body, (uint32_t)levels.size);
    put_bytes(&body, levels.data, levels.size);
    put_floats(&body, 0, 4);
    build_plain_page(&b, (int32_t)rows + 4, body);
    akidb_buffer_free(&levels);
    build_refused(&b, AKIDB_E_VALIDATION, text);
    assert_int_equal(b.err.row, 0);
}

static void rows_of_nulls_before_the_first_vector_are_told(void **state)
{
    (void)state;
    refuse_nulls(100, "a vector of 4 floats, found null");
    refuse_nulls(AKIDB_DIMENSION_MAX - 1, "found null or an empty list"); /* it is cut there */
    refuse_nulls(3 * AKIDB_DIMENSION_MAX, "found null or an empty list");
}

static void a_column_of_nulls_alone_is_named(void **state)
{
    (void)state;
    akidb_buffer body = {0};
    build_begin(&b, 5);
    build_optional_vector();
    put_constant_levels(&body, 5, 0);
    put_constant_levels(&body, 5, 0);
    build_plain_page(&b, 5, body);
    build_refused(&b, AKIDB_E_VALIDATION, "found null or an empty list");
    assert_int_equal(b.err.row, 0);
}

/* DuckDB writes a null ARRAY as so many entries without a slot. */
static void a_null_array_of_duckdb_is_named(void **state)
{
    (void)state;
    refuse_third_row(one_row, 2, (run[]){{4, 0}}, 1, 4, 0, "found null");
}

static void rows_of_later_row_groups_count_from_the_start_of_the_file(void **state)
{
    (void)state;
    ak_row_group groups[2];
    ak_column_chunk chunks[2];
    akidb_documents *documents;
    build_begin(&b, 5);
    build_optional_vector();
    for (size_t i = 0; i < 2; i++) {
        akidb_buffer body = {0};
        b.chunks[0].data_page_offset = (int64_t)b.file.size;
        b.chunks[0].total_compressed_size = b.chunks[0].num_values = 0;
        put_constant_levels(&body, 4, 0); /* four rows of one value each */
        put_runs(&body, (run[]){{2, 3}, {2, i == 0 ? 3 : 0}}, 2);
        put_floats(&body, 0, i == 0 ? 4 : 2);
        build_plain_page(&b, 4, body);
        chunks[i] = b.chunks[0];
        groups[i] = (ak_row_group){.columns = &chunks[i], .column_count = 1, .num_rows = 4};
    }
    size_t before = b.file.size;
    b.metadata.schema = b.schema;
    b.metadata.schema_count = b.schema_count;
    b.metadata.row_groups = groups;
    b.metadata.row_group_count = 2;
    b.metadata.num_rows = 8;
    assert_ok(b.err, ak_file_metadata_write(&b.metadata, &b.file, &b.err));
    put_u32(&b.file, (uint32_t)(b.file.size - before));
    put_bytes(&b.file, "PAR1", 4);
    assert_status(AKIDB_E_VALIDATION, decode_exact(&b.file, &b.options, &documents, &b.err));
    assert_int_equal(b.err.row, 6);
    akidb_buffer_free(&b.file);
}

/* ---- malformed ------------------------------------------------------------------------------- */

static void refuse_levels(const run *repetition, size_t repetitions, const run *definition,
                          size_t definitions, const char *text)
{
    akidb_buffer body = {0};
    build_begin(&b, 2);
    build_vector(&b);
    put_runs(&body, repetition, repetitions);
    put_runs(&body, definition, definitions);
    put_floats(&body, 0, 8);
    build_plain_page(&b, 8, body);
    build_refused(&b, AKIDB_E_CORRUPTION, text);
}

static void malformed_levels_are_corruption(void **state)
{
    (void)state;
    const run rows[] = {{1, 0}, {3, 1}, {1, 0}, {3, 1}};
    const run values[] = {{8, 1}};
    refuse_levels(rows, 3, values, 1, "levels");                       /* too few */
    refuse_levels(rows, 4, (run[]){{7, 1}}, 1, "levels");              /* too few */
    refuse_levels(rows, 4, (run[]){{0, 1}, {8, 1}}, 2, "levels");      /* a run of none */
    refuse_levels((run[]){{1, 0}, {7, 2}}, 2, values, 1, "");          /* over the maximum */
    refuse_levels(rows, 4, (run[]){{8, 2}}, 1, "");                    /* over the maximum */
    refuse_levels((run[]){{8, 1}}, 1, values, 1, "begins with a row"); /* first of a chunk */
    refuse_levels((run[]){{1, 0}, {2, 1}, {5, 9}}, 3, values, 1, "");
}

/* The same where the first row has to tell the dimension, before any row is read. */
static void malformed_levels_of_the_first_row_name_their_page(void **state)
{
    (void)state;
    akidb_buffer body = {0};
    build_begin(&b, 3);
    build_optional_vector();
    put_runs(&body, (run[]){{0, 0}}, 1);
    put_runs(&body, (run[]){{12, 3}}, 1);
    put_floats(&body, 0, 12);
    build_plain_page(&b, 12, body);
    build_refused(&b, AKIDB_E_CORRUPTION, "a run of no values");
    assert_string_equal(b.err.column, "vector");
    assert_int_equal(b.err.offset, 4);
}

static void a_length_of_levels_over_the_page_is_corruption(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        akidb_buffer body = vector_body(3, 4, 0);
        memset(body.data, 0xFF, 4);
        build_begin(&b, 3);
        build_vector(&b);
        if (i == 1)
            body.size = 3;
        build_plain_page(&b, 12, body);
        build_refused(&b, AKIDB_E_CORRUPTION, "levels");
    }
}

static void rows_that_the_counts_do_not_fit_are_named(void **state)
{
    (void)state;
    akidb_buffer body = {0};
    build_begin(&b, 2);
    build_vector(&b);
    const run rows[] = {{1, 0}, {3, 1}, {1, 0}, {3, 1}, {1, 0}, {3, 1}};
    put_runs(&body, rows, 6); /* three rows of 4: the footer's counts say two of 6 */
    put_runs(&body, (run[]){{12, 1}}, 1);
    put_floats(&body, 0, 12);
    build_plain_page(&b, 12, body);
    build_refused(&b, AKIDB_E_VALIDATION, "6 floats, found 4");
}

/* ---- shapes that are read -------------------------------------------------------------------- */

static void expect_floats(size_t rows, uint32_t k)
{
    akidb_documents *documents = build_decoded(&b);
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, rows);
    assert_int_equal(batch.dimension, k);
    for (size_t i = 0; i < rows * k; i++)
        assert_true(batch.vectors[i] == (float)i);
    akidb_documents_free(documents);
}

/* A page of part of the rows: levels of values first .. first + count - 1 of rows of 4. */
static void build_part(size_t first, size_t count)
{
    akidb_buffer body = {0};
    uint8_t levels[64];
    for (size_t i = 0; i < count; i++)
        levels[i] = (first + i) % 4 != 0;
    put_levels(&body, levels, count);
    put_constant_levels(&body, count, 1);
    put_floats(&body, first, count);
    build_plain_page(&b, (int32_t)count, body);
}

static void rows_may_span_pages(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 20; cut++) {
        build_begin(&b, 5);
        build_vector(&b);
        build_part(0, cut);
        build_part(cut, 20 - cut);
        expect_floats(5, 4);
    }
    build_begin(&b, 5);
    build_vector(&b);
    for (size_t i = 0; i < 20; i++)
        build_part(i, 1);
    expect_floats(5, 4);
}

static void a_row_that_ends_with_its_page_too_early_is_named(void **state)
{
    (void)state;
    build_begin(&b, 5);
    build_vector(&b);
    build_part(0, 7);
    build_part(8, 12);
    b.chunks[0].num_values = 19;
    build_refused(&b, AKIDB_E_VALIDATION, "row 1: column vector: expected a vector of 4");
}

static void lists_of_two_levels_and_bare_ones_are_read(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_element(&b, "anything", -1, AK_REQUIRED, 1);
    build_element(&b, "array", AK_TYPE_FLOAT, AK_REPEATED, 0);
    build_chunk(&b, AK_TYPE_FLOAT);
    build_plain_page(&b, 12, vector_body(3, 4, 0));
    expect_floats(3, 4);
    build_begin(&b, 3);
    build_flat(&b, "floats", AK_TYPE_FLOAT, AK_REPEATED);
    build_plain_page(&b, 12, vector_body(3, 4, 0));
    expect_floats(3, 4);
}

/* ---- flat columns ---------------------------------------------------------------------------- */

static void a_null_in_a_column_that_all_documents_have_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"inserted_at", "dimension"};
    for (size_t i = 0; i < 2; i++) {
        akidb_buffer body = {0};
        const int64_t values[] = {2, 2};
        build_begin(&b, 3);
        build_vectors(&b, 3, 2);
        build_flat(&b, names[i], AK_TYPE_INT64, AK_OPTIONAL);
        put_runs(&body, (run[]){{1, 1}, {1, 0}, {1, 1}}, 3);
        put_bytes(&body, values, sizeof values);
        build_plain_page(&b, 3, body);
        build_refused(&b, AKIDB_E_VALIDATION, "found null");
        assert_int_equal(b.err.row, 1);
        assert_string_equal(b.err.column, names[i]);
    }
}

static void a_dimension_that_the_vectors_do_not_have_is_corruption(void **state)
{
    (void)state;
    const int32_t values[] = {2, 2, 3};
    akidb_buffer body = {0};
    build_begin(&b, 3);
    build_vectors(&b, 3, 2);
    build_flat(&b, "dimension", AK_TYPE_INT32, AK_REQUIRED);
    put_bytes(&body, values, sizeof values);
    build_plain_page(&b, 3, body);
    build_refused(&b, AKIDB_E_CORRUPTION, "row 2: column dimension");
}

static void an_id_of_another_length_is_named(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 2; allowed++) {
        akidb_buffer body = {0};
        build_begin(&b, 2);
        build_vectors(&b, 2, 2);
        build_flat(&b, "document_id", AK_TYPE_BYTE_ARRAY, AK_REQUIRED);
        put_text(&body, "sixteen letters!");
        put_text(&body, "17 of them it is.");
        build_plain_page(&b, 2, body);
        b.options.allow_other_ids = allowed == 1;
        if (allowed == 0) {
            build_refused(&b, AKIDB_E_VALIDATION, "row 1: column document_id: expected a UUID");
            continue;
        }
        akidb_documents *documents = build_decoded(&b);
        akidb_batch batch = akidb_documents_batch(documents);
        assert_memory_equal(batch.document_ids[0].bytes, "sixteen letters!", 16);
        assert_null(akidb_texts_at(&batch.external_ids, 0).data);
        akidb_slice text = akidb_texts_at(&batch.external_ids, 1);
        assert_int_equal(text.size, 17);
        assert_memory_equal(text.data, "17 of them it is.", 17);
        akidb_documents_free(documents);
    }
}

static void a_time_out_of_range_is_named(void **state)
{
    (void)state;
    static const ak_converted_type types[] = {AK_CONVERTED_TIMESTAMP_MILLIS,
                                              AK_CONVERTED_TIMESTAMP_MICROS};
    for (size_t i = 0; i < 2; i++) {
        const int64_t values[] = {0, INT64_MAX - 5};
        akidb_buffer body = {0};
        build_begin(&b, 2);
        build_vectors(&b, 2, 2);
        build_flat(&b, "inserted_at", AK_TYPE_INT64, AK_REQUIRED);
        b.schema[b.schema_count - 1].converted_type = types[i];
        put_bytes(&body, values, sizeof values);
        build_plain_page(&b, 2, body);
        build_refused(&b, AKIDB_E_VALIDATION, "row 1: column inserted_at: expected a time");
    }
}

static void nanoseconds_are_rounded_down(void **state)
{
    (void)state;
    const int64_t values[] = {-1, -1000, 999, 1000};
    const int64_t expected[] = {-1, -1, 0, 1};
    akidb_buffer body = {0};
    build_begin(&b, 4);
    build_vectors(&b, 4, 2);
    build_flat(&b, "inserted_at", AK_TYPE_INT64, AK_REQUIRED);
    b.schema[b.schema_count - 1].logical_type =
        (ak_logical_type){.kind = AK_LOGICAL_TIMESTAMP, .unit = AK_UNIT_NANOS};
    put_bytes(&body, values, sizeof values);
    build_plain_page(&b, 4, body);
    akidb_documents *documents = build_decoded(&b);
    akidb_batch batch = akidb_documents_batch(documents);
    assert_memory_equal(batch.inserted_at, expected, sizeof expected);
    akidb_documents_free(documents);
}

typedef struct old_time {
    int64_t nanoseconds; /* of the day */
    uint32_t day;        /* Julian */
} old_time;

static void build_old_times(const old_time *times, int count)
{
    akidb_buffer body = {0};
    build_begin(&b, count);
    build_vectors(&b, (uint64_t)count, 2);
    build_flat(&b, "inserted_at", AK_TYPE_INT96, AK_REQUIRED);
    for (int i = 0; i < count; i++) {
        put_bytes(&body, &times[i].nanoseconds, 8);
        put_u32(&body, times[i].day);
    }
    build_plain_page(&b, count, body);
}

static void times_of_96_bits_count_nanoseconds_of_a_day(void **state)
{
    (void)state;
    enum { DAY_1970 = 2440588 };
    const int64_t day = INT64_C(86400000000000);
    const old_time sound[] = {
        {0, DAY_1970}, {1999, DAY_1970}, {day - 1, DAY_1970 - 1}, {day - 1, 5373484}, {0, 1721426}};
    const int64_t expected[] = {0, 1, -1, AKIDB_TIME_MAX, AKIDB_TIME_MIN};
    build_old_times(sound, 5);
    akidb_documents *documents = build_decoded(&b);
    assert_memory_equal(akidb_documents_batch(documents).inserted_at, expected, sizeof expected);
    akidb_documents_free(documents);
    const old_time bad[] = {
        {-1, DAY_1970}, {day, DAY_1970}, {0, 5373485}, {day - 1, 1721425}, {0, UINT32_MAX}};
    for (int i = 0; i < 5; i++) {
        char text[64];
        snprintf(text, sizeof text, "row 1: column inserted_at: expected a time");
        build_old_times((old_time[]){sound[0], bad[i]}, 2);
        build_refused(&b, AKIDB_E_VALIDATION, text);
        snprintf(text, sizeof text, "day %u", bad[i].day);
        assert_non_null(strstr(b.err.message, text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_null_vector_is_named),
        cmocka_unit_test(an_empty_vector_is_named),
        cmocka_unit_test(a_null_element_is_named),
        cmocka_unit_test(a_ragged_row_is_named),
        cmocka_unit_test(a_first_row_that_is_no_vector_is_named),
        cmocka_unit_test(rows_of_nulls_before_the_first_vector_are_told),
        cmocka_unit_test(a_column_of_nulls_alone_is_named),
        cmocka_unit_test(a_null_array_of_duckdb_is_named),
        cmocka_unit_test(rows_of_later_row_groups_count_from_the_start_of_the_file),
        cmocka_unit_test(malformed_levels_are_corruption),
        cmocka_unit_test(malformed_levels_of_the_first_row_name_their_page),
        cmocka_unit_test(a_length_of_levels_over_the_page_is_corruption),
        cmocka_unit_test(rows_that_the_counts_do_not_fit_are_named),
        cmocka_unit_test(rows_may_span_pages),
        cmocka_unit_test(a_row_that_ends_with_its_page_too_early_is_named),
        cmocka_unit_test(lists_of_two_levels_and_bare_ones_are_read),
        cmocka_unit_test(a_null_in_a_column_that_all_documents_have_is_named),
        cmocka_unit_test(a_dimension_that_the_vectors_do_not_have_is_corruption),
        cmocka_unit_test(an_id_of_another_length_is_named),
        cmocka_unit_test(a_time_out_of_range_is_named),
        cmocka_unit_test(nanoseconds_are_rounded_down),
        cmocka_unit_test(times_of_96_bits_count_nanoseconds_of_a_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
