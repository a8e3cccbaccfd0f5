/* Files by other engines (tests/golden/make_golden.py) hold what their row numbers say. */
#include <stdlib.h>
#include <string.h>

#include "akidb/parquet.h"
#include "parquet/row_stream.h"
#include "test.h"

typedef struct golden {
    char path[512];
    char name[256];
    size_t rows;
    uint32_t k;
    char flags[16];
} golden;

static bool has_flag(const golden *g, char flag)
{
    return strchr(g->flags, flag) != NULL;
}

/* ---- the values of a row, by the rules of make_golden.py ------------------------------------- */

static akidb_uuid expected_id(const golden *g, size_t row)
{
    akidb_uuid id;
    for (size_t j = 0; j < 16; j++) {
        if (has_flag(g, 's'))
            id.bytes[j] = (uint8_t)(row * 16 + j * 7 + 1);
        else if (j < 8)
            id.bytes[j] = (uint8_t)((uint64_t)row >> (56 - 8 * j));
        else
            id.bytes[j] = (uint8_t)((17 * (j - 8)) ^ (row & 255));
    }
    return id;
}

static int64_t expected_time(const golden *g, size_t row)
{
    if (has_flag(g, 's'))
        return row == 0 ? -1000 : INT64_C(1700000000000000) + (int64_t)row * 1001000;
    return INT64_C(1700000000000000) + (int64_t)row * 61001000;
}

/* Its bits: minus zero is not zero. */
static uint32_t expected_float(const golden *g, size_t row, size_t j)
{
    static const struct {
        size_t row, j;
        uint32_t bits;
    } special[] = {{3, 2, 0x80000000}, {4, 1, 0x00000001}, {5, 0, 0x7F800000}, {6, 5, 0xFF7FFFFF}};
    float value = (float)(row * g->k + j) / 4 - 100;
    uint32_t bits;
    if (has_flag(g, 's'))
        value = ((float)row * 7 + (float)j * 3 - 50) / 8;
    memcpy(&bits, &value, sizeof bits);
    for (size_t i = 0; has_flag(g, 's') && i < sizeof special / sizeof special[0]; i++)
        if (special[i].row == row && special[i].j == j)
            bits = special[i].bits;
    return bits;
}

/* NULL for null; otherwise in `text`. */
static const char *expected_external_id(const golden *g, size_t row, char text[32])
{
    if (has_flag(g, 's')) {
        snprintf(text, 32, "doc-%zu-\u00fc", row);
        return row % 4 == 1 ? NULL : row == 6 ? "" : text;
    }
    snprintf(text, 32, has_flag(g, 'o') ? "%zu" : "ext-%zu", row);
    bool is_null = has_flag(g, 'e') || (row % 3 == 2 && !has_flag(g, 'n'));
    return is_null && !has_flag(g, 'o') ? NULL : text;
}

static const char *expected_metadata(const golden *g, size_t row, char text[32])
{
    if (has_flag(g, 's')) {
        snprintf(text, 32, "{\"n\":%zu}", row);
        return row % 5 == 3 ? NULL : text;
    }
    snprintf(text, 32, "{\"group\":%zu}", row % 4);
    return has_flag(g, 'm') || (row % 5 == 4 && !has_flag(g, 'n')) ? NULL : text;
}

/* ---- comparing ------------------------------------------------------------------------------- */

static void check_text(const golden *g, const char *column, size_t row, akidb_slice found,
                       const char *expected)
{
    if (expected == NULL
            ? found.data != NULL
            : found.size != strlen(expected) || memcmp(found.data, expected, found.size) != 0)
        fail_msg("%s: row %zu: %s: expected \"%s\", found \"%.*s\"", g->name, row, column,
                 expected == NULL ? "null" : expected, (int)found.size,
                 found.data == NULL ? "" : (const char *)found.data);
}

static void check_row(const golden *g, const akidb_batch *batch, size_t row)
{
    akidb_uuid id = expected_id(g, row);
    bool has_ids = !has_flag(g, 'i') && !has_flag(g, 'o');
    if (has_ids && akidb_uuid_compare(&id, &batch->document_ids[row]) != 0)
        fail_msg("%s: row %zu: another document id", g->name, row);
    if (!has_ids && row > 0 &&
        akidb_uuid_compare(&batch->document_ids[row - 1], &batch->document_ids[row]) >= 0)
        fail_msg("%s: row %zu: new ids do not ascend", g->name, row);
    for (size_t j = 0; j < g->k; j++) {
        uint32_t found, expected = expected_float(g, row, j);
        memcpy(&found, &batch->vectors[row * g->k + j], sizeof found);
        if (found != expected)
            fail_msg("%s: row %zu: value %zu: expected the bits %08x, found %08x", g->name, row, j,
                     expected, found);
    }
    char text[32];
    check_text(g, "external id", row, akidb_texts_at(&batch->external_ids, row),
               expected_external_id(g, row, text));
    check_text(g, "metadata", row, akidb_texts_at(&batch->metadata, row),
               expected_metadata(g, row, text));
    if (!has_flag(g, 't') && batch->inserted_at[row] != expected_time(g, row))
        fail_msg("%s: row %zu: another time", g->name, row);
}

/* All row groups by pieces of a page, or of as many as it takes to end with a row. */
static void read_by_pieces(akidb_parquet_reader *reader, akidb_documents *documents)
{
    akidb_error err;
    for (size_t i = 0; i < akidb_parquet_reader_row_groups(reader); i++) {
        ak_row_stream *stream;
        size_t before;
        assert_ok(err, ak_row_stream_open(reader, i, 1, &stream, &err));
        do {
            before = akidb_documents_batch(documents).rows;
            assert_ok(err, ak_row_stream_next(stream, 7, documents, &err));
        } while (akidb_documents_batch(documents).rows > before);
        ak_row_stream_close(stream);
    }
}

static void check_documents(const golden *g, akidb_parquet_reader *reader, bool by_pieces)
{
    akidb_error err;
    akidb_documents *documents;
    size_t groups = akidb_parquet_reader_row_groups(reader);
    assert_int_equal(akidb_parquet_reader_dimension(reader), g->k);
    assert_ok(err, akidb_documents_new(g->k, &documents, &err));
    if (by_pieces)
        read_by_pieces(reader, documents);
    else
        assert_ok(err, akidb_parquet_reader_read(reader, 0, groups, documents, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, g->rows);
    for (size_t row = 0; row < g->rows; row++)
        check_row(g, &batch, row);
    akidb_documents_free(documents);
}

/* Statistics, where they are, must hold all values of the row group. */
static void check_bounds(const golden *g, akidb_parquet_reader *reader)
{
    akidb_error err;
    size_t row = 0;
    for (size_t i = 0; i < akidb_parquet_reader_row_groups(reader); i++) {
        akidb_parquet_row_group_bounds bounds;
        assert_ok(err, akidb_parquet_reader_bounds(reader, i, &bounds, &err));
        for (size_t end = row + bounds.rows; row < end; row++) {
            akidb_uuid id = expected_id(g, row);
            int64_t time = expected_time(g, row);
            if (bounds.has_document_id && (akidb_uuid_compare(&bounds.document_id_min, &id) > 0 ||
                                           akidb_uuid_compare(&id, &bounds.document_id_max) > 0))
                fail_msg("%s: row %zu: outside the bounds of ids", g->name, row);
            if (bounds.has_inserted_at &&
                (bounds.inserted_at_min > time || bounds.inserted_at_max < time))
                fail_msg("%s: row %zu: outside the bounds of times", g->name, row);
        }
    }
    assert_int_equal(row, g->rows);
}

static void check_chunks(akidb_parquet_reader *reader)
{
    akidb_error err;
    for (size_t i = 0; i < akidb_parquet_reader_row_groups(reader); i++)
        for (size_t j = 0; j < akidb_parquet_reader_columns(reader); j++) {
            akidb_parquet_chunk_info info;
            assert_ok(err, akidb_parquet_reader_chunk(reader, i, j, &info, &err));
            assert_non_null(info.column);
            assert_string_not_equal(info.codec, "unknown");
            assert_true(info.values == 0 || strlen(info.encodings) > 0);
        }
}

static void check_file(const golden *g, unsigned threads)
{
    akidb_error err;
    akidb_input input;
    akidb_parquet_reader *reader;
    akidb_parquet_read_options options = {.struct_size = sizeof options,
                                          .threads = threads,
                                          .narrow_doubles = has_flag(g, 'd'),
                                          .allow_other_ids = has_flag(g, 'o')};
    assert_ok(err, akidb_input_open_file(g->path, &input, &err));
    assert_ok(err, akidb_parquet_reader_open(&input, &options, &reader, &err));
    assert_int_equal(akidb_parquet_reader_rows(reader), g->rows);
    if (has_flag(g, 'u')) {
        akidb_documents *documents;
        assert_ok(err, akidb_documents_new(g->k, &documents, &err));
        assert_status(AKIDB_E_UNSUPPORTED,
                      akidb_parquet_reader_read(reader, 0, 1, documents, &err));
        assert_int_equal(akidb_documents_batch(documents).rows, 0);
        akidb_documents_free(documents);
    } else if (g->rows > 0) {
        check_documents(g, reader, false);
        check_documents(g, reader, true);
        check_bounds(g, reader);
        check_chunks(reader);
    }
    akidb_parquet_reader_close(reader);
    akidb_input_close(&input);
}

/* Each line of files.txt; the number of them. */
static size_t for_each_file(void (*check)(const golden *g, unsigned threads), unsigned threads)
{
    FILE *list = fopen(AKIDB_GOLDEN_DIR "/files.txt", "r");
    assert_non_null(list);
    size_t count = 0;
    golden g;
    while (fscanf(list, "%255s %zu %u %15s", g.name, &g.rows, &g.k, g.flags) == 4) {
        snprintf(g.path, sizeof g.path, "%s/%s", AKIDB_GOLDEN_DIR, g.name);
        check(&g, threads);
        count++;
    }
    fclose(list);
    return count;
}

static void every_golden_file_holds_what_its_rows_say(void **state)
{
    (void)state;
    assert_true(for_each_file(check_file, 1) >= 190);
}

static void threads_change_nothing(void **state)
{
    (void)state;
    assert_true(for_each_file(check_file, 3) >= 190);
}

/* A file without the doubles' option is refused, not narrowed. */
static void doubles_are_narrowed_only_when_asked(void **state)
{
    (void)state;
    FILE *list = fopen(AKIDB_GOLDEN_DIR "/files.txt", "r");
    assert_non_null(list);
    size_t count = 0;
    golden g;
    while (fscanf(list, "%255s %zu %u %15s", g.name, &g.rows, &g.k, g.flags) == 4) {
        akidb_input input;
        akidb_error err;
        akidb_parquet_reader *reader;
        if (!has_flag(&g, 'd'))
            continue;
        snprintf(g.path, sizeof g.path, "%s/%s", AKIDB_GOLDEN_DIR, g.name);
        assert_ok(err, akidb_input_open_file(g.path, &input, &err));
        assert_status(AKIDB_E_VALIDATION, akidb_parquet_reader_open(&input, NULL, &reader, &err));
        assert_string_equal(err.column, "vector");
        akidb_input_close(&input);
        count++;
    }
    fclose(list);
    assert_true(count >= 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_file_holds_what_its_rows_say),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(doubles_are_narrowed_only_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
