/*
 * Files that other engines wrote (tests/interop/make_golden.py) stay readable: each holds the same
 * 20 documents, which come back bit by bit.
 */
#include "test.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/akidb.h"

enum { ROWS = 20, DIMENSION = 6, FILES_MAX = 256 };

/* ---- the documents, by the rules of make_golden.py --------------------------------------------
 */

static float expected_float(size_t row, size_t column)
{
    static const struct {
        size_t row, column;
        uint32_t bits;
    } special[] = {{3, 2, 0x80000000}, {4, 1, 0x00000001}, {5, 0, 0x7F800000}, {6, 5, 0xFF7FFFFF}};
    float value = ((float)row * 7 + (float)column * 3 - 50) / 8;
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) {
        if (special[i].row == row && special[i].column == column)
            memcpy(&value, &special[i].bits, sizeof value);
    }
    return value;
}

static int64_t expected_time(size_t row)
{
    return row == 0 ? -1000 : INT64_C(1700000000000000) + (int64_t)row * 1001000;
}

static void assert_text(akidb_slice found, const char *expected)
{
    if (expected == NULL) {
        assert_null(found.data);
        return;
    }
    assert_non_null(found.data);
    assert_int_equal(found.size, strlen(expected));
    assert_memory_equal(found.data, expected, found.size);
}

static void assert_document(const akidb_batch *batch, size_t row)
{
    uint8_t id[16];
    for (size_t i = 0; i < sizeof id; i++)
        id[i] = (uint8_t)(row * 16 + i * 7 + 1);
    assert_memory_equal(batch->document_ids[row].bytes, id, sizeof id);
    for (size_t column = 0; column < DIMENSION; column++) {
        float expected = expected_float(row, column);
        assert_memory_equal(&batch->vectors[row * DIMENSION + column], &expected, sizeof expected);
    }
    char text[32];
    snprintf(text, sizeof text, "doc-%zu-ü", row);
    assert_text(akidb_texts_at(&batch->external_ids, row), row % 4 == 1 ? NULL
                                                           : row == 6   ? ""
                                                                        : text);
    snprintf(text, sizeof text, "{\"n\":%zu}", row);
    assert_text(akidb_texts_at(&batch->metadata, row), row % 5 == 3 ? NULL : text);
    assert_int_equal(batch->inserted_at[row], expected_time(row));
}

/* ---- the files ------------------------------------------------------------------------------- */

static int is_parquet(const struct dirent *entry)
{
    const char *ending = strrchr(entry->d_name, '.');
    return ending != NULL && strcmp(ending, ".parquet") == 0;
}

static void check_file(const char *path)
{
    akidb_error err = {0};
    akidb_import *import = NULL;
    akidb_documents *documents = NULL, *all = NULL;
    bool done = false;
    assert_ok(err, akidb_import_open(path, NULL, &import, &err));
    assert_int_equal(akidb_import_dimension(import), DIMENSION);
    assert_int_equal(akidb_import_rows(import), ROWS);
    assert_ok(err, akidb_documents_new(DIMENSION, &documents, &err));
    assert_ok(err, akidb_documents_new(DIMENSION, &all, &err));
    while (!done) {
        assert_ok(err, akidb_import_next(import, 100, documents, &done, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        if (!done)
            assert_ok(err, akidb_documents_append_batch(all, &batch, &err));
    }
    akidb_batch batch = akidb_documents_batch(all);
    assert_int_equal(batch.rows, ROWS);
    for (size_t row = 0; row < ROWS; row++)
        assert_document(&batch, row);
    akidb_documents_free(all);
    akidb_documents_free(documents);
    akidb_import_close(import);
}

static void a_file_by_another_engine_reads_as_the_same_documents(void **state)
{
    struct dirent **names = NULL;
    (void)state;
    int count = scandir(AKIDB_GOLDEN_DIR "/parquet", &names, is_parquet, alphasort);
    assert_true(count > 0 && count < FILES_MAX);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/parquet/%s", AKIDB_GOLDEN_DIR, names[i]->d_name);
        print_message("%s\n", names[i]->d_name);
        check_file(path);
        free(names[i]);
    }
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_by_another_engine_reads_as_the_same_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
