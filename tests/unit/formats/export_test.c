/* Documents as files, read again by the import. */
#include "akidb/formats.h"

#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIMENSION = 5, ROWS = 300 };

/* ---- helpers --------------------------------------------------------------------------------- */

static char folder[] = "/tmp/akidb-export-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static size_t files_in_folder(void)
{
    size_t count = 0;
    DIR *listing = opendir(folder);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return count;
}

static akidb_documents *some_documents(uint64_t seed)
{
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(DIMENSION, &documents, &err));
    for (size_t i = 0; i < ROWS; i++) {
        float vector[DIMENSION];
        test_random_bytes(test_random(&seed), (uint8_t *)vector, sizeof vector); /* NaN and all */
        akidb_uuid id;
        test_random_bytes(test_random(&seed), id.bytes, sizeof id.bytes);
        char text[40];
        int size = snprintf(text, sizeof text, "{\"row\": %zu}\n", i);
        int64_t time = (int64_t)(test_random(&seed) % 1000000000) * 1000;
        akidb_document document = {&id, {NULL, 0}, vector, DIMENSION, {NULL, 0}, &time};
        if (i % 3 != 0)
            document.metadata = (akidb_slice){text, (size_t)size};
        if (i % 5 != 0)
            document.external_id = (akidb_slice){text + 2, 3};
        assert_ok(err, akidb_documents_append(documents, &document, &err));
    }
    return documents;
}

static void export_all(const char *path, const akidb_export_options *options,
                       const akidb_batch *batch, size_t step)
{
    akidb_error err;
    akidb_export *exporter;
    assert_ok(err, akidb_export_open(path, batch->dimension, options, &exporter, &err));
    for (size_t first = 0; first < batch->rows; first += step) {
        size_t count = batch->rows - first < step ? batch->rows - first : step;
        akidb_batch rows = akidb_batch_rows(batch, first, count);
        assert_ok(err, akidb_export_append(exporter, &rows, &err));
    }
    assert_ok(err, akidb_export_commit(exporter, &err));
}

static akidb_documents *import_all(const char *path)
{
    akidb_error err;
    akidb_import *import;
    akidb_documents *all;
    akidb_documents *block;
    assert_ok(err, akidb_import_open(path, NULL, &import, &err));
    assert_ok(err, akidb_documents_new(DIMENSION, &all, &err));
    assert_ok(err, akidb_documents_new(DIMENSION, &block, &err));
    for (bool done = false; !done;) {
        assert_ok(err, akidb_import_next(import, 64, block, &done, &err));
        akidb_batch batch = akidb_documents_batch(block);
        assert_ok(err, akidb_documents_append_batch(all, &batch, &err));
    }
    akidb_documents_free(block);
    akidb_import_close(import);
    return all;
}

static void assert_same_texts(const akidb_texts *a, const akidb_texts *b)
{
    for (size_t i = 0; i < ROWS; i++) {
        akidb_slice x = akidb_texts_at(a, i);
        akidb_slice y = akidb_texts_at(b, i);
        assert_true((x.data == NULL) == (y.data == NULL));
        assert_int_equal(x.size, y.size);
        if (x.size > 0)
            assert_memory_equal(x.data, y.data, x.size);
    }
}

static void assert_same_vectors(const akidb_batch *a, const akidb_batch *b)
{
    assert_int_equal(a->rows, ROWS);
    assert_int_equal(b->rows, ROWS);
    assert_memory_equal(a->vectors, b->vectors, ROWS * DIMENSION * sizeof(float));
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void what_a_file_holds_comes_back_bit_for_bit(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool vectors_only;
    } cases[] = {{"a.npy", true}, {"a.fvecs", true}, {"a.jsonl", false}, {"a.parquet", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_documents *documents = some_documents(i);
        akidb_batch batch = akidb_documents_batch(documents);
        export_all(path_of(cases[i].name), NULL, &batch, i % 2 == 0 ? 56 : ROWS);
        akidb_documents *back = import_all(path_of(cases[i].name));
        akidb_batch found = akidb_documents_batch(back);
        assert_same_vectors(&batch, &found);
        if (!cases[i].vectors_only) {
            assert_memory_equal(batch.document_ids, found.document_ids, ROWS * sizeof(akidb_uuid));
            assert_memory_equal(batch.inserted_at, found.inserted_at, ROWS * sizeof(int64_t));
            assert_same_texts(&batch.external_ids, &found.external_ids);
            assert_same_texts(&batch.metadata, &found.metadata);
        }
        akidb_documents_free(back);
        akidb_documents_free(documents);
        struct stat info;
        assert_int_equal(stat(path_of(cases[i].name), &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

static void an_export_of_nothing_is_a_file_of_no_rows(void **state)
{
    (void)state;
    static const char *const names[] = {"none.npy", "none.fvecs", "none.jsonl"};
    for (size_t i = 0; i < 3; i++) {
        const akidb_batch none = {.dimension = DIMENSION};
        export_all(path_of(names[i]), NULL, &none, 1);
        akidb_documents *back = import_all(path_of(names[i]));
        assert_int_equal(akidb_documents_batch(back).rows, 0);
        akidb_documents_free(back);
    }
}

static void a_file_appears_only_at_the_commit(void **state)
{
    (void)state;
    static const char *const names[] = {"b.npy", "b.fvecs", "b.jsonl", "b.parquet"};
    akidb_documents *documents = some_documents(1);
    akidb_batch batch = akidb_documents_batch(documents);
    for (size_t i = 0; i < 4; i++) {
        size_t before = files_in_folder();
        akidb_error err;
        akidb_export *exporter;
        assert_ok(err, akidb_export_open(path_of(names[i]), DIMENSION, NULL, &exporter, &err));
        assert_ok(err, akidb_export_append(exporter, &batch, &err));
        assert_true(access(path_of(names[i]), F_OK) != 0);
        akidb_export_abort(exporter);
        assert_int_equal(files_in_folder(), before);
    }
    akidb_export_abort(NULL);
    akidb_documents_free(documents);
}

static void what_stood_there_is_replaced_whole_or_not_at_all(void **state)
{
    (void)state;
    akidb_documents *documents = some_documents(2);
    akidb_batch batch = akidb_documents_batch(documents);
    int fd = open(path_of("c.npy"), O_WRONLY | O_CREAT, 0600);
    assert_true(write(fd, "old", 3) == 3);
    close(fd);
    akidb_error err;
    akidb_export *exporter;
    assert_ok(err, akidb_export_open(path_of("c.npy"), DIMENSION, NULL, &exporter, &err));
    assert_ok(err, akidb_export_append(exporter, &batch, &err));
    struct stat info;
    assert_int_equal(stat(path_of("c.npy"), &info), 0);
    assert_int_equal(info.st_size, 3);
    assert_ok(err, akidb_export_commit(exporter, &err));
    assert_int_equal(stat(path_of("c.npy"), &info), 0);
    assert_int_equal(info.st_size, 128 + ROWS * DIMENSION * 4);
    akidb_documents_free(documents);
}

static void a_place_that_cannot_be_written_is_named_at_the_open(void **state)
{
    (void)state;
    akidb_error err = {0};
    akidb_export *exporter;
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_export_open("/nowhere/a.npy", DIMENSION, NULL, &exporter, &err));
    assert_string_equal(err.object, "/nowhere/a.npy");
    assert_null(exporter);
    assert_int_equal(mkdir(path_of("folder.npy"), 0700), 0);
    assert_status(AKIDB_E_VALIDATION,
                  akidb_export_open(path_of("folder.npy"), DIMENSION, NULL, &exporter, &err));
    assert_non_null(strstr(err.message, "found a folder"));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_export_open(path_of("a.csv"), DIMENSION, NULL, &exporter, &err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_export_open(path_of("a.npy"), 0, NULL, &exporter, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_export_open("", DIMENSION, NULL, &exporter, &err));
    const akidb_export_options npy = {.struct_size = sizeof npy, .format = AKIDB_FILE_NPY};
    assert_status(AKIDB_E_VALIDATION, akidb_export_open("-", DIMENSION, &npy, &exporter, &err));
}

static void a_full_disk_fails_and_leaves_nothing(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    akidb_documents *documents = some_documents(3);
    akidb_batch batch = akidb_documents_batch(documents);
    int saved = dup(STDOUT_FILENO);
    int full = open("/dev/full", O_WRONLY);
    akidb_error err = {0};
    akidb_export *exporter;
    assert_ok(err, akidb_export_open("-", DIMENSION, NULL, &exporter, &err));
    fflush(stdout);
    dup2(full, STDOUT_FILENO);
    akidb_status status = akidb_export_append(exporter, &batch, &err);
    akidb_status committed = akidb_export_commit(exporter, &err);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    close(full);
    assert_status(AKIDB_E_IO, status == AKIDB_OK ? committed : status);
    assert_non_null(strstr(err.message, "standard output"));
    akidb_documents_free(documents);
}

static void standard_output_gets_the_lines(void **state)
{
    (void)state;
    const float vectors[2] = {0.5f, -1};
    const akidb_batch batch = {.rows = 2, .dimension = 1, .vectors = vectors};
    const akidb_export_options options = {.struct_size = sizeof options,
                                          .columns = AKIDB_COLUMN_VECTOR};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    akidb_error err;
    akidb_export *exporter;
    akidb_status status = akidb_export_open("-", 1, &options, &exporter, &err);
    if (status == AKIDB_OK)
        status = akidb_export_append(exporter, &batch, &err);
    if (status == AKIDB_OK)
        status = akidb_export_commit(exporter, &err);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_ok(err, status);
    char text[100];
    ssize_t size = read(ends[0], text, sizeof text);
    close(ends[0]);
    assert_int_equal(size, 33);
    assert_memory_equal(text, "{\"vector\":[0.5]}\n{\"vector\":[-1]}\n", 33);
}

static void a_batch_that_breaks_a_rule_changes_nothing(void **state)
{
    (void)state;
    akidb_documents *documents = some_documents(4);
    akidb_batch good = akidb_documents_batch(documents);
    akidb_error err;
    akidb_export *exporter;
    assert_ok(err, akidb_export_open(path_of("d.jsonl"), DIMENSION, NULL, &exporter, &err));
    assert_ok(err, akidb_export_append(exporter, &good, &err));
    const uint64_t offsets[2] = {0, 1};
    const float vector[DIMENSION] = {0};
    akidb_batch bad = {.rows = 1, .dimension = DIMENSION, .vectors = vector};
    bad.metadata = (akidb_texts){offsets, "{", NULL};
    assert_status(AKIDB_E_VALIDATION, akidb_export_append(exporter, &bad, &err));
    assert_int_equal(err.row, ROWS);
    assert_string_equal(err.column, "metadata");
    bad.metadata.offsets = NULL;
    bad.dimension = 1;
    assert_status(AKIDB_E_VALIDATION, akidb_export_append(exporter, &bad, &err));
    bad.dimension = DIMENSION;
    bad.vectors = NULL;
    assert_status(AKIDB_E_VALIDATION, akidb_export_append(exporter, &bad, &err));
    assert_ok(err, akidb_export_commit(exporter, &err));
    akidb_documents *back = import_all(path_of("d.jsonl"));
    akidb_batch found = akidb_documents_batch(back);
    assert_same_vectors(&good, &found);
    akidb_documents_free(back);
    akidb_documents_free(documents);
}

static void missing_ids_and_times_are_made_up_for_lines(void **state)
{
    (void)state;
    akidb_documents *documents = some_documents(5);
    akidb_batch batch = akidb_documents_batch(documents);
    batch.document_ids = NULL;
    batch.inserted_at = NULL;
    export_all(path_of("e.jsonl"), NULL, &batch, ROWS);
    akidb_documents *back = import_all(path_of("e.jsonl"));
    akidb_batch found = akidb_documents_batch(back);
    assert_same_vectors(&batch, &found);
    assert_same_texts(&batch.metadata, &found.metadata);
    assert_true(akidb_uuid_compare(&found.document_ids[0], &found.document_ids[1]) < 0);
    akidb_documents_free(back);
    akidb_documents_free(documents);
}

static void the_lines_do_not_depend_on_the_threads(void **state)
{
    (void)state;
    enum { MANY = 200 }; /* times the rows: some pieces of text in each append */
    akidb_error err;
    akidb_documents *documents = some_documents(11), *many;
    akidb_batch batch = akidb_documents_batch(documents);
    assert_ok(err, akidb_documents_new(DIMENSION, &many, &err));
    for (size_t i = 0; i < MANY; i++)
        assert_ok(err, akidb_documents_append_batch(many, &batch, &err));
    batch = akidb_documents_batch(many);
    for (unsigned threads = 0; threads <= 5; threads++) {
        char name[40];
        snprintf(name, sizeof name, "threads-%u.jsonl", threads);
        const akidb_export_options options = {.struct_size = sizeof options, .threads = threads};
        export_all(path_of(name), &options, &batch, batch.rows / 16 * 8);
    }
    char command[400];
    snprintf(command, sizeof command,
             "cd %s && for i in 1 2 3 4 5; do cmp threads-0.jsonl threads-$i.jsonl || exit 1; done "
             "&& test $(wc -l <threads-0.jsonl) = %zu",
             folder, batch.rows);
    assert_int_equal(system(command), 0);
    akidb_documents_free(many);
    akidb_documents_free(documents);
}

static void unknown_columns_are_refused(void **state)
{
    (void)state;
    akidb_error err;
    akidb_export *exporter;
    const akidb_export_options options = {.struct_size = sizeof options, .columns = 33};
    assert_status(AKIDB_E_VALIDATION,
                  akidb_export_open(path_of("columns.jsonl"), 3, &options, &exporter, &err));
    assert_null(exporter);
    assert_non_null(strstr(err.message, "found 0x21"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_file_holds_comes_back_bit_for_bit),
        cmocka_unit_test(an_export_of_nothing_is_a_file_of_no_rows),
        cmocka_unit_test(a_file_appears_only_at_the_commit),
        cmocka_unit_test(what_stood_there_is_replaced_whole_or_not_at_all),
        cmocka_unit_test(a_place_that_cannot_be_written_is_named_at_the_open),
        cmocka_unit_test(a_full_disk_fails_and_leaves_nothing),
        cmocka_unit_test(standard_output_gets_the_lines),
        cmocka_unit_test(a_batch_that_breaks_a_rule_changes_nothing),
        cmocka_unit_test(missing_ids_and_times_are_made_up_for_lines),
        cmocka_unit_test(the_lines_do_not_depend_on_the_threads),
        cmocka_unit_test(unknown_columns_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
