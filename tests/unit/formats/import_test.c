/* Files that other tools write, as documents. */
#include "akidb/formats.h"
#include "base/buffer.h"
#include "codec/stream.h"

#include "test.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMPY AKIDB_GOLDEN_DIR "/numpy/"

/* ---- helpers --------------------------------------------------------------------------------- */

static char folder[] = "/tmp/akidb-import-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : 0;
}

/* Writes a file into the test's folder; the path lasts until the next call. */
static const char *file_with(const char *name, const void *bytes, size_t size)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_true(write(fd, bytes, size) == (ssize_t)size);
    close(fd);
    return path;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* Reads all documents, at most `step` at a time. */
static akidb_status import_all(const char *path, const akidb_import_options *options, size_t step,
                               akidb_documents **documents_out, akidb_error *err)
{
    akidb_error made;
    akidb_import *import;
    *documents_out = NULL;
    akidb_status status = akidb_import_open(path, options, &import, err);
    if (status != AKIDB_OK) {
        assert_null(import);
        return status;
    }
    uint32_t dimension = akidb_import_dimension(import);
    akidb_documents *block;
    assert_ok(made, akidb_documents_new(dimension == 0 ? 1 : dimension, documents_out, &made));
    assert_ok(made, akidb_documents_new(dimension == 0 ? 1 : dimension, &block, &made));
    bool done = false;
    while (status == AKIDB_OK && !done) {
        status = akidb_import_next(import, step, block, &done, err);
        akidb_batch batch = akidb_documents_batch(block);
        assert_true(done || status != AKIDB_OK ? batch.rows == 0 : batch.rows > 0);
        if (batch.rows > 0)
            assert_ok(made, akidb_documents_append_batch(*documents_out, &batch, &made));
    }
    if (status == AKIDB_OK && akidb_import_rows(import) != 0)
        assert_int_equal(akidb_import_rows(import), akidb_documents_batch(*documents_out).rows);
    akidb_documents_free(block);
    akidb_import_close(import);
    if (status != AKIDB_OK) {
        akidb_documents_free(*documents_out);
        *documents_out = NULL;
    }
    return status;
}

static void assert_refused(const char *path, const akidb_import_options *options,
                           akidb_status expected, const char *message)
{
    akidb_error err = {0};
    akidb_documents *documents;
    akidb_status found = import_all(path, options, 100, &documents, &err);
    akidb_documents_free(documents);
    if (found != expected || strstr(err.message, message) == NULL)
        fail_msg("%s: %s: %s", path, akidb_status_name(found), err.message);
    if (strcmp(err.object, path) != 0)
        fail_msg("%s: the error is of \"%s\"", path, err.object);
}

static void assert_golden(const akidb_documents *documents)
{
    float expected[15];
    for (int i = 0; i < 12; i++)
        expected[i] = (float)i / 4 - 1.5f;
    expected[12] = -0.0f;
    expected[13] = INFINITY;
    expected[14] = 0x1p-24f;
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, 5);
    assert_int_equal(batch.dimension, 3);
    assert_memory_equal(batch.vectors, expected, sizeof expected);
    for (size_t i = 0; i + 1 < batch.rows; i++)
        assert_true(akidb_uuid_compare(&batch.document_ids[i], &batch.document_ids[i + 1]) < 0);
    assert_null(akidb_texts_at(&batch.external_ids, 4).data);
    assert_true(batch.inserted_at[0] > 0 && batch.inserted_at[0] % 1000 == 0);
}

/* ---- .npy ------------------------------------------------------------------------------------ */

static void arrays_of_every_kind_give_the_same_vectors(void **state)
{
    (void)state;
    static const char *const names[] = {
        "f2_little_C_v1.npy", "f2_little_F_v1.npy", "f2_big_C_v1.npy", "f2_big_F_v1.npy",
        "f4_little_C_v1.npy", "f4_little_F_v1.npy", "f4_big_C_v1.npy", "f4_big_F_v1.npy",
        "f8_little_C_v1.npy", "f8_little_F_v1.npy", "f8_big_C_v1.npy", "f8_big_F_v1.npy",
        "f4_little_C_v2.npy", "f4_little_C_v3.npy",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        for (size_t step = 1; step <= 6; step++) {
            char path[300];
            snprintf(path, sizeof path, NUMPY "%s", names[i]);
            akidb_error err;
            akidb_documents *documents;
            akidb_import_options options = {.struct_size = sizeof options, .narrow_doubles = true};
            assert_ok(err, import_all(path, &options, step, &documents, &err));
            assert_golden(documents);
            akidb_documents_free(documents);
        }
}

static void an_array_without_rows_still_has_a_dimension(void **state)
{
    (void)state;
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, import_all(NUMPY "empty.npy", NULL, 10, &documents, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, 0);
    assert_int_equal(batch.dimension, 3);
    akidb_documents_free(documents);
}

static void arrays_that_are_no_table_of_floats_are_refused(void **state)
{
    (void)state;
    const akidb_import_options narrow = {.struct_size = sizeof narrow, .narrow_doubles = true};
    assert_refused(NUMPY "i4.npy", NULL, AKIDB_E_VALIDATION, "found the type '<i4'");
    assert_refused(NUMPY "one_axis.npy", NULL, AKIDB_E_VALIDATION, "two dimensions");
    assert_refused(NUMPY "three_axes.npy", NULL, AKIDB_E_VALIDATION, "two dimensions");
    assert_refused(NUMPY "records.npy", NULL, AKIDB_E_VALIDATION, "records");
    assert_refused(NUMPY "f8_little_C_v1.npy", NULL, AKIDB_E_VALIDATION,
                   "or float64 with the option narrow, found float64");
    assert_refused(NUMPY "too_large.npy", &narrow, AKIDB_E_VALIDATION, "row 1: column vector");
}

/* A file with this text as its header and `rest` zero bytes behind it. */
static const char *npy_file(const char *text, size_t rest)
{
    uint8_t bytes[600] = "\x93NUMPY\x01";
    size_t size = strlen(text);
    bytes[8] = (uint8_t)size;
    memcpy(bytes + 10, text, size);
    return file_with("a.npy", bytes, 10 + size + rest);
}

static void headers_are_read_strictly(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n",
        "{\"shape\":(2,3),\"fortran_order\":False,\"descr\":\"<f4\"}",
        " { 'descr' : '<f4' , 'shape' : ( 2L , 3L , ) , 'fortran_order' : False } \n\n",
    };
    akidb_error err;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        akidb_documents *documents;
        assert_ok(err, import_all(npy_file(good[i], 24), NULL, 9, &documents, &err));
        assert_int_equal(akidb_documents_batch(documents).rows, 2);
        akidb_documents_free(documents);
    }
    static const struct {
        const char *text;
        akidb_status status;
    } bad[] = {
        {"", AKIDB_E_CORRUPTION},
        {"{}", AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), } x", AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}", AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'x': 1}", AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}",
         AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 99999999999999999999)}",
         AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1,1)}",
         AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 65536)}",
         AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", AKIDB_E_CORRUPTION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 0)}", AKIDB_E_VALIDATION},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 65537)}", AKIDB_E_VALIDATION},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3)}", AKIDB_E_VALIDATION},
        {"{'descr': '=f4', 'fortran_order': False, 'shape': (2, 3)}", AKIDB_E_VALIDATION},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_refused(npy_file(bad[i].text, 24), NULL, bad[i].status, "expected");
}

static void every_cut_of_an_array_is_corruption(void **state)
{
    (void)state;
    uint8_t bytes[500];
    int fd = open(NUMPY "f4_little_C_v1.npy", O_RDONLY);
    ssize_t size = read(fd, bytes, sizeof bytes);
    close(fd);
    assert_int_equal(size, 188);
    for (size_t cut = 0; cut < 188; cut++)
        assert_refused(file_with("cut.npy", bytes, cut), NULL, AKIDB_E_CORRUPTION, "expected");
    assert_refused(file_with("long.npy", bytes, 189), NULL, AKIDB_E_CORRUPTION, "expected 5 rows");
    bytes[6] = 4;
    assert_refused(file_with("v4.npy", bytes, 188), NULL, AKIDB_E_UNSUPPORTED, "version");
}

/* ---- .fvecs ---------------------------------------------------------------------------------- */

static void records_of_fvecs_are_vectors(void **state)
{
    (void)state;
    const struct {
        int32_t dimension;
        float values[2];
    } records[3] = {{2, {1.5f, -2}}, {2, {3, 4}}, {2, {-0.0f, 5}}};
    for (size_t step = 1; step <= 4; step++) {
        akidb_error err;
        akidb_documents *documents;
        const char *path = file_with("a.fvecs", records, sizeof records);
        assert_ok(err, import_all(path, NULL, step, &documents, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        assert_int_equal(batch.rows, 3);
        for (size_t i = 0; i < 3; i++)
            assert_memory_equal(batch.vectors + 2 * i, records[i].values, 8);
        akidb_documents_free(documents);
    }
}

static void torn_and_uneven_fvecs_are_corruption(void **state)
{
    (void)state;
    int32_t words[6] = {2, 0, 0, 3, 0, 0};
    assert_refused(file_with("a.fvecs", words, 23), NULL, AKIDB_E_CORRUPTION, "at byte 12");
    assert_refused(file_with("a.fvecs", words, 3), NULL, AKIDB_E_CORRUPTION, "expected");
    assert_refused(file_with("a.fvecs", words, 24), NULL, AKIDB_E_CORRUPTION,
                   "row 1: column vector: at byte 12: expected dimension 2");
    words[0] = 0;
    assert_refused(file_with("a.fvecs", words, 24), NULL, AKIDB_E_CORRUPTION, "dimension of 1 to");
    words[0] = -1;
    assert_refused(file_with("a.fvecs", words, 24), NULL, AKIDB_E_CORRUPTION, "found -1");
    words[0] = 65537;
    assert_refused(file_with("a.fvecs", words, 24), NULL, AKIDB_E_CORRUPTION, "65537");
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, import_all(file_with("none.fvecs", words, 0), NULL, 5, &documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, 0);
    akidb_documents_free(documents);
}

/* ---- .jsonl ---------------------------------------------------------------------------------- */

static void keep_message(void *context, akidb_log_level level, const char *message)
{
    akidb_buffer *kept = context;
    assert_int_equal(AKIDB_LOG_WARNING, level);
    size_t size = strlen(message);
    kept->data = realloc(kept->data, kept->size + size + 2);
    memcpy(kept->data + kept->size, message, size);
    memcpy(kept->data + kept->size + size, "\n", 2);
    kept->size += size + 1;
}

enum { LINES = 40000 };

/* The first line, and then so many documents that count up. */
static akidb_buffer pack_lines(ak_stream_codec codec, const char *first)
{
    akidb_error err;
    akidb_buffer packed = {0};
    ak_stream_encoder *encoder;
    assert_ok(err, ak_stream_encoder_new(codec, 0, &encoder, &err));
    assert_ok(err, ak_stream_encode(encoder, (akidb_slice){first, strlen(first)}, &packed, &err));
    for (size_t line = 0; line < LINES; line++) {
        char text[60];
        int size = snprintf(text, sizeof text, "{\"vector\":[%zu,2]}\n", line);
        assert_ok(err, ak_stream_encode(encoder, (akidb_slice){text, (size_t)size}, &packed, &err));
    }
    assert_ok(err, ak_stream_encoder_finish(encoder, &packed, &err));
    ak_stream_encoder_free(encoder);
    return packed;
}

static void compressed_lines_are_lines(void **state)
{
    (void)state;
    static const struct {
        ak_stream_codec codec;
        const char *name;
    } cases[] = {{AK_STREAM_GZIP, "c.jsonl.gz"},
                 {AK_STREAM_ZSTD, "c.NDJSON.zst"},
                 {AK_STREAM_GZIP, "c.jsonl"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_error err;
        akidb_buffer packed = pack_lines(cases[i].codec, "");
        akidb_documents *documents;
        assert_ok(err, import_all(file_with(cases[i].name, packed.data, packed.size), NULL, 1000,
                                  &documents, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        assert_int_equal(batch.rows, LINES);
        for (size_t row = 0; row < LINES; row++)
            assert_true(batch.vectors[2 * row] == (float)row);
        akidb_documents_free(documents);
        const char *cut = file_with(cases[i].name, packed.data, packed.size - 5);
        assert_refused(cut, NULL, AKIDB_E_CORRUPTION, "expected");
        akidb_buffer_free(&packed);
    }
}

static void a_zstd_file_may_begin_with_a_frame_to_be_skipped(void **state)
{
    (void)state;
    static const char skipped[] = "\x5F\x2A\x4D\x18\x04\0\0\0size";
    akidb_error err;
    akidb_buffer packed = pack_lines(AK_STREAM_ZSTD, "");
    akidb_buffer file = {0};
    assert_ok(err, ak_buffer_append(&file, skipped, sizeof skipped - 1, &err));
    assert_ok(err, ak_buffer_append(&file, packed.data, packed.size, &err));
    akidb_documents *documents;
    assert_ok(err, import_all(file_with("skipped.jsonl.zst", file.data, file.size), NULL, 1000,
                              &documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, LINES);
    akidb_documents_free(documents);
    akidb_buffer_free(&file);
    akidb_buffer_free(&packed);
}

/* On many threads the cut is met before the line has been looked at. */
static void a_line_before_a_cut_is_judged_first_on_any_number_of_threads(void **state)
{
    (void)state;
    akidb_buffer packed = pack_lines(AK_STREAM_GZIP, "{\"vector\":[1,x]}\n");
    const char *cut = file_with("cut.jsonl.gz", packed.data, packed.size - 5);
    for (unsigned threads = 1; threads <= 8; threads *= 8) {
        akidb_import_options options = {.struct_size = sizeof options, .threads = threads};
        assert_refused(cut, &options, AKIDB_E_VALIDATION, "line 1: ");
    }
    akidb_buffer_free(&packed);
}

/* As an editor counts: blank lines, white space and a byte order mark too. */
static void errors_of_jsonl_tell_line_and_byte(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"{\"vector\":[1,2]}\n\r\n  \n {\"vector\":[1,x]}",
         "line 4: byte 15: vector: expected a number, found \"x\""},
        {"{\"vector\":[1,2]}\n{\"vector\":[1,\"4\"]}",
         "line 2: byte 14: vector: expected a number, found \"4\""},
        {"{\"vector\":[1,\"4]}", "line 1: byte 18: expected the rest of a value, found the end"},
        {"{\"vector\":[1,\x01]}",
         "line 1: byte 14: vector: expected a number, found the byte 0x01"},
        {"{\"vector\":[1,1e99]}", "found \"1e99\""},
        {"{\"vector\":[1,", "line 1: byte 14: expected the rest of a value, found the end"},
        {"\n\n[1,2]", "line 3: byte 1: expected an object, found \"[\""},
        {"{\"vector\":[1]}\n{\"vector\":[2],\"doc_id\":\"zz\"}",
         "line 2: byte 24: doc_id: expected a UUID"},
        {"{\"vector\":[1],\"metadata\":{\"a\":tru}}",
         "line 1: byte 34: metadata: expected one JSON value, found a lexical error: invalid "
         "string in json text"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(file_with("lines.jsonl", cases[i].text, strlen(cases[i].text)), NULL,
                       AKIDB_E_VALIDATION, cases[i].message);
}

static void members_of_jsonl_that_nobody_knows_are_told_once(void **state)
{
    (void)state;
    static const char text[] = "\xEF\xBB\xBF{\"vector\":[1]}\n{\"id\":7,\"vector\":[2]}\n"
                               "{\"meta\\ndata\":[],\"vector\":[3],\"id\":1}\n";
    for (unsigned threads = 0; threads <= 3; threads++) {
        akidb_error err;
        akidb_buffer kept = {0};
        akidb_documents *documents;
        akidb_hooks hooks = {.context = &kept, .log = keep_message};
        akidb_import_options options = {
            .struct_size = sizeof options, .threads = threads, .hooks = &hooks};
        const char *path = file_with("unknown.jsonl", text, sizeof text - 1);
        assert_ok(err, import_all(path, &options, 1, &documents, &err));
        assert_int_equal(3, akidb_documents_batch(documents).rows);
        assert_non_null(kept.data);
        assert_non_null(strstr((char *)kept.data, "unknown.jsonl: line 2: "));
        assert_non_null(strstr((char *)kept.data, "\"id\""));
        assert_true(strchr((char *)kept.data, '\n') == (char *)kept.data + kept.size - 1);
        akidb_documents_free(documents);
        free(kept.data);
    }
}

static void lines_are_documents(void **state)
{
    (void)state;
    static const char text[] = "{\"external_id\":\"a\",\"vector\":[1,2]}\r\n\n"
                               "{\"vector\":[\"NaN\",1e-3],\"metadata\":{\"k\": 1}}\n"
                               "{\"vector\":[5,6]}";
    for (size_t step = 1; step <= 4; step++) {
        akidb_error err;
        akidb_documents *documents;
        const char *path = file_with("a.NDJSON", text, sizeof text - 1);
        assert_ok(err, import_all(path, NULL, step, &documents, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        assert_int_equal(batch.rows, 3);
        assert_memory_equal(akidb_texts_at(&batch.external_ids, 0).data, "a", 1);
        assert_null(akidb_texts_at(&batch.external_ids, 1).data);
        assert_memory_equal(akidb_texts_at(&batch.metadata, 1).data, "{\"k\": 1}", 8);
        assert_true(batch.vectors[5] == 6);
        akidb_documents_free(documents);
    }
    static const char uneven[] = "{\"vector\":[1,2]}\n{\"vector\":[1]}\n";
    assert_refused(file_with("a.jsonl", uneven, sizeof uneven - 1), NULL, AKIDB_E_VALIDATION,
                   "a.jsonl: line 2: byte 11: vector: expected a vector of 2 numbers, found 1");
    assert_refused(file_with("a.jsonl", "[", 1), NULL, AKIDB_E_VALIDATION, "an object");
    assert_refused(file_with("a.jsonl", "{\"vector\":[]}", 13), NULL, AKIDB_E_VALIDATION,
                   "found 0");
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, import_all(file_with("a.jsonl", "\n", 1), NULL, 5, &documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, 0);
    akidb_documents_free(documents);
}

static void standard_input_gives_lines(void **state)
{
    (void)state;
    static const char text[] = "{\"vector\":[1,2]}\n{\"vector\":[3,4]}\n";
    int ends[2];
    int saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_true(write(ends[1], text, sizeof text - 1) == sizeof text - 1);
    close(ends[1]);
    assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
    close(ends[0]);
    akidb_error err;
    akidb_documents *documents;
    akidb_status status = import_all("-", NULL, 1, &documents, &err);
    dup2(saved, STDIN_FILENO);
    close(saved);
    assert_ok(err, status);
    assert_int_equal(akidb_documents_batch(documents).rows, 2);
    akidb_documents_free(documents);
}

static void a_line_is_given_before_the_pipe_ends(void **state)
{
    (void)state;
    static const char line[] = "{\"vector\":[1,2]}\n";
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(write(ends[1], line, sizeof line - 1) == sizeof line - 1);
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    akidb_error err;
    akidb_import *import;
    akidb_documents *documents;
    const akidb_import_options options = {.struct_size = sizeof options,
                                          .format = AKIDB_FILE_JSONL};
    assert_ok(err, akidb_import_open(path, &options, &import, &err));
    assert_ok(err, akidb_documents_new(akidb_import_dimension(import), &documents, &err));
    for (size_t i = 0; i < 3; i++) {
        bool done;
        assert_ok(err, akidb_import_next(import, 1, documents, &done, &err));
        assert_false(done);
        assert_int_equal(akidb_documents_batch(documents).rows, 1);
        assert_true(write(ends[1], line, sizeof line - 1) == sizeof line - 1);
    }
    akidb_documents_free(documents);
    akidb_import_close(import);
    close(ends[0]);
    close(ends[1]);
}

/* ---- external ids ---------------------------------------------------------------------------- */

static void a_list_of_external_ids_goes_with_the_documents_in_order(void **state)
{
    (void)state;
    static const char *const lists[] = {"a\nb\xC3\xA9\n\nd\ne\n", "a\r\nb\xC3\xA9\r\n\r\nd\r\ne"};
    for (size_t i = 0; i < 2; i++)
        for (size_t step = 1; step <= 6; step++) {
            akidb_error err;
            akidb_documents *documents;
            akidb_import_options options = {.struct_size = sizeof options,
                                            .external_ids_path =
                                                file_with("ids.txt", lists[i], strlen(lists[i]))};
            assert_ok(err,
                      import_all(NUMPY "f4_little_C_v1.npy", &options, step, &documents, &err));
            akidb_batch batch = akidb_documents_batch(documents);
            assert_memory_equal(akidb_texts_at(&batch.external_ids, 1).data, "b\xC3\xA9", 3);
            assert_null(akidb_texts_at(&batch.external_ids, 2).data);
            assert_int_equal(akidb_texts_at(&batch.external_ids, 4).size, 1);
            akidb_documents_free(documents);
        }
}

static void a_list_that_does_not_match_is_refused_with_both_counts(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *message;
    } cases[] = {
        {"a\nb\n", "each of the 5 documents"},
        {"a\nb\n", "found 2"},
        {"1\n2\n3\n4\n5\n6\n7", "found 7"},
        {"1\n2\n3\n4\n5\n\n", "found 6"},
        {"", "found 0"},
        {"1\n2\n\xFF\n4\n5\n", "row 2: column external_id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_error err = {0};
        akidb_documents *documents;
        akidb_import_options options = {
            .struct_size = sizeof options,
            .external_ids_path = file_with("ids.txt", cases[i].list, strlen(cases[i].list))};
        assert_status(AKIDB_E_VALIDATION,
                      import_all(NUMPY "f4_little_C_v1.npy", &options, 2, &documents, &err));
        if (strstr(err.message, cases[i].message) == NULL)
            fail_msg("%s", err.message);
    }
}

/* ---- files that are not there, or cannot be -------------------------------------------------- */

static void a_file_that_cannot_be_opened_is_named(void **state)
{
    (void)state;
    static const char *const names[] = {"/nowhere/a.npy", "/nowhere/a.fvecs", "/nowhere/a.jsonl",
                                        "/nowhere/a.parquet"};
    for (size_t i = 0; i < 4; i++)
        assert_refused(names[i], NULL, AKIDB_E_NOT_FOUND, names[i]);
    assert_refused("a.csv", NULL, AKIDB_E_VALIDATION, "ends in .npy");
    assert_refused("npy", NULL, AKIDB_E_VALIDATION, "ends in .npy");
    const akidb_import_options npy = {.struct_size = sizeof npy, .format = AKIDB_FILE_NPY};
    assert_refused("-", &npy, AKIDB_E_VALIDATION, "pipe");
    const akidb_import_options ids = {.struct_size = sizeof ids,
                                      .external_ids_path = "/nowhere/ids.txt"};
    akidb_error err = {0};
    akidb_documents *documents;
    assert_status(AKIDB_E_NOT_FOUND, import_all(NUMPY "empty.npy", &ids, 1, &documents, &err));
    assert_string_equal(err.object, "/nowhere/ids.txt");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_lines_are_lines),
        cmocka_unit_test(a_zstd_file_may_begin_with_a_frame_to_be_skipped),
        cmocka_unit_test(a_line_before_a_cut_is_judged_first_on_any_number_of_threads),
        cmocka_unit_test(errors_of_jsonl_tell_line_and_byte),
        cmocka_unit_test(members_of_jsonl_that_nobody_knows_are_told_once),
        cmocka_unit_test(arrays_of_every_kind_give_the_same_vectors),
        cmocka_unit_test(an_array_without_rows_still_has_a_dimension),
        cmocka_unit_test(arrays_that_are_no_table_of_floats_are_refused),
        cmocka_unit_test(headers_are_read_strictly),
        cmocka_unit_test(every_cut_of_an_array_is_corruption),
        cmocka_unit_test(records_of_fvecs_are_vectors),
        cmocka_unit_test(torn_and_uneven_fvecs_are_corruption),
        cmocka_unit_test(lines_are_documents),
        cmocka_unit_test(standard_input_gives_lines),
        cmocka_unit_test(a_line_is_given_before_the_pipe_ends),
        cmocka_unit_test(a_list_of_external_ids_goes_with_the_documents_in_order),
        cmocka_unit_test(a_list_that_does_not_match_is_refused_with_both_counts),
        cmocka_unit_test(a_file_that_cannot_be_opened_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
