/* Vectors that are read straight to where they belong are those that are read the plain way, in
 * sound files and in damaged ones; and what is damaged on its way is read again. */
#include <stdatomic.h>

#include "akidb/sys/output.h"
#include "base/checksum.h"
#include "builder.h"

/* ---- inputs ---------------------------------------------------------------------------------- */

/* Memory as an input of either kind, which may spoil what it gives. */
typedef struct source {
    akidb_slice bytes;
    uint64_t tail;         /* reads of it are not spoiled */
    uint64_t spoiled;      /* reads that have this byte ... */
    atomic_int spoils;     /* ... are spoiled as often as this */
    atomic_size_t calls;   /* of read_pieces */
    atomic_size_t largest; /* bytes by one read_at */
} source;

static void spoil(source *s, uint64_t offset, uint8_t *bytes, size_t size)
{
    if (s->spoiled < offset || s->spoiled >= offset + size || offset + size > s->tail)
        return;
    if (atomic_fetch_sub(&s->spoils, 1) > 0)
        bytes[s->spoiled - offset] ^= 0x10;
}

static akidb_status read_at(void *handle, uint64_t offset, void *dst, size_t size, akidb_error *err)
{
    source *s = handle;
    (void)err;
    memcpy(dst, (const uint8_t *)s->bytes.data + offset, size);
    if (size > atomic_load(&s->largest))
        atomic_store(&s->largest, size);
    spoil(s, offset, dst, size);
    return AKIDB_OK;
}

static akidb_status read_pieces(void *handle, uint64_t offset, const akidb_piece *pieces,
                                size_t count, akidb_error *err)
{
    source *s = handle;
    (void)err;
    atomic_fetch_add(&s->calls, 1);
    for (size_t i = 0; i < count; i++) {
        assert_true(pieces[i].size > 0);
        memcpy(pieces[i].data, (const uint8_t *)s->bytes.data + offset, pieces[i].size);
        spoil(s, offset, pieces[i].data, pieces[i].size);
        offset += pieces[i].size;
    }
    return AKIDB_OK;
}

static akidb_input input_of(source *s, bool is_near)
{
    static const akidb_input_ops far_ops = {.read_at = read_at, .read_pieces = read_pieces};
    static const akidb_input_ops near_ops = {
        .read_at = read_at, .read_pieces = read_pieces, .is_near = true};
    return (akidb_input){is_near ? &near_ops : &far_ops, s, s->bytes.size, "memory"};
}

/* Every document of the file; NULL on failure. */
static akidb_status read_all(const akidb_input *input, const akidb_parquet_read_options *options,
                             akidb_documents **documents_out, akidb_error *err)
{
    akidb_parquet_reader *reader;
    *documents_out = NULL;
    akidb_status status = akidb_parquet_reader_open(input, options, &reader, err);
    if (status != AKIDB_OK)
        return status;
    uint32_t dimension = akidb_parquet_reader_dimension(reader);
    if (dimension > 0)
        status = akidb_documents_new(dimension, documents_out, err);
    if (*documents_out != NULL)
        status = akidb_parquet_reader_read(reader, 0, akidb_parquet_reader_row_groups(reader),
                                           *documents_out, err);
    akidb_parquet_reader_close(reader);
    if (status != AKIDB_OK) {
        akidb_documents_free(*documents_out);
        *documents_out = NULL;
    }
    return status;
}

static void assert_same(const akidb_documents *a, const akidb_documents *b)
{
    assert_int_equal(a == NULL, b == NULL);
    if (a == NULL)
        return;
    akidb_batch x = akidb_documents_batch(a), y = akidb_documents_batch(b);
    assert_int_equal(x.rows, y.rows);
    assert_int_equal(x.dimension, y.dimension);
    if (x.rows > 0)
        assert_memory_equal(x.vectors, y.vectors, x.rows * x.dimension * sizeof(float));
}

/* ---- files ----------------------------------------------------------------------------------- */

typedef struct written {
    akidb_buffer file;
    akidb_parquet_writer *writer; /* keeps the summary's row groups */
    akidb_parquet_summary summary;
    float *vectors;
    akidb_uuid *ids;
    size_t rows;
    uint32_t dimension;
} written;

static written write_random(uint64_t *seed, size_t rows, uint32_t dimension,
                            const akidb_parquet_options *options)
{
    written w = {.rows = rows, .dimension = dimension};
    akidb_error err;
    size_t floats = rows * dimension;
    w.vectors = malloc(floats * sizeof *w.vectors);
    w.ids = malloc(rows * sizeof *w.ids);
    assert_true(w.vectors != NULL && w.ids != NULL);
    test_random_bytes(test_random(seed), (uint8_t *)w.vectors, floats * sizeof *w.vectors);
    test_random_bytes(test_random(seed), (uint8_t *)w.ids, rows * sizeof *w.ids);
    akidb_batch batch = {
        .rows = rows, .dimension = dimension, .vectors = w.vectors, .document_ids = w.ids};
    akidb_output output = akidb_output_to_buffer(&w.file);
    assert_ok(err, akidb_parquet_writer_open(&output, dimension, options, &w.writer, &err));
    assert_ok(err, akidb_parquet_writer_append(w.writer, &batch, &err));
    assert_ok(err, akidb_parquet_writer_finish(w.writer, &w.summary, &err));
    return w;
}

static void free_written(written *w)
{
    akidb_parquet_writer_free(w->writer);
    akidb_buffer_free(&w->file);
    free(w->vectors);
    free(w->ids);
}

/* Reads the file through one kind of input, which must give what was written. */
static void expect_written(const written *w, bool is_near, bool has_summary, bool check_pages,
                           unsigned threads)
{
    akidb_error err = {0};
    source s = {.bytes = {w->file.data, w->file.size}};
    akidb_input input = input_of(&s, is_near);
    akidb_parquet_read_options options = {
        .struct_size = sizeof options,
        .threads = threads,
        .expected = has_summary ? &w->summary : NULL,
        .check_pages = check_pages,
    };
    akidb_documents *documents;
    assert_ok(err, read_all(&input, &options, &documents, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, w->rows);
    assert_memory_equal(batch.vectors, w->vectors, w->rows * w->dimension * sizeof(float));
    assert_memory_equal(batch.document_ids, w->ids, w->rows * sizeof(akidb_uuid));
    akidb_documents_free(documents);
}

/* ---- sound files ----------------------------------------------------------------------------- */

static void every_input_gives_what_was_written(void **state)
{
    (void)state;
    static const uint32_t dimensions[] = {1, 2, 3, 5, 7, 8, 9, 12, 15, 16, 17, 64, 100, 513};
    static const uint32_t page_bytes[] = {4096, 5000, 20000, 1 << 20};
    uint64_t seed = 20261122;
    for (int round = 0; round < 60; round++) {
        akidb_parquet_options options = {
            .struct_size = sizeof options,
            .compression = (akidb_compression)(1 + test_random(&seed) % 3),
            .vector_encoding = (akidb_vector_encoding)(1 + test_random(&seed) % 2),
            .page_bytes = page_bytes[test_random(&seed) % 4],
            .row_group_size = (uint32_t)(1 + test_random(&seed) % 500),
        };
        if (round % 2 == 0) {
            options.compression = AKIDB_COMPRESSION_NONE;
            options.vector_encoding = AKIDB_VECTOR_PLAIN;
        }
        uint32_t dimension = dimensions[round % 14];
        written w = write_random(&seed, 1 + test_random(&seed) % 700, dimension, &options);
        for (int kind = 0; kind < 8; kind++)
            expect_written(&w, kind & 1, kind & 2, kind & 4,
                           1 + (unsigned)(test_random(&seed) % 3));
        free_written(&w);
    }
}

/* Pages that several threads read in parts, some of a length that no part divides. */
static void pages_of_many_megabytes_give_what_was_written(void **state)
{
    (void)state;
    uint64_t seed = 8;
    for (size_t rows = 9000; rows <= 23000; rows += 4667) {
        const akidb_parquet_options options = {.struct_size = sizeof options,
                                               .compression = AKIDB_COMPRESSION_NONE,
                                               .page_bytes = 5 << 20,
                                               .row_group_size = 20000};
        written w = write_random(&seed, rows, 129, &options);
        for (int kind = 0; kind < 8; kind++)
            expect_written(&w, kind & 1, kind & 2, kind & 4, 1 + (unsigned)kind % 3);
        free_written(&w);
    }
}

/* One call for the floats of each row group of a far input, and small reads alone of a near one. */
static void plain_floats_are_not_read_into_memory_between(void **state)
{
    (void)state;
    uint64_t seed = 1;
    const akidb_parquet_options options = {.struct_size = sizeof options,
                                           .compression = AKIDB_COMPRESSION_NONE,
                                           .page_bytes = 64 << 10,
                                           .row_group_size = 500};
    written w = write_random(&seed, 2000, 256, &options);
    for (int is_near = 0; is_near < 2; is_near++) {
        akidb_error err = {0};
        source s = {.bytes = {w.file.data, w.file.size}};
        akidb_input input = input_of(&s, is_near);
        akidb_parquet_read_options read_options = {.struct_size = sizeof read_options,
                                                   .expected = is_near ? NULL : &w.summary};
        akidb_documents *documents;
        assert_ok(err, read_all(&input, &read_options, &documents, &err));
        akidb_documents_free(documents);
        assert_true(atomic_load(&s.largest) < 100000); /* the tail; a row group has 512,000 bytes */
        if (!is_near)
            assert_int_equal(atomic_load(&s.calls), 4);
    }
    free_written(&w);
}

/* ---- damaged and hostile files --------------------------------------------------------------- */

/* Reads the file both ways, which must come to the same. */
static void compare_ways(akidb_slice file, const akidb_parquet_read_options *options)
{
    akidb_documents *near_documents, *far_documents;
    akidb_error near_err = {0}, far_err = {0};
    source s = {.bytes = file};
    akidb_input near_input = input_of(&s, true), far_input = input_of(&s, false);
    akidb_status near_status = read_all(&near_input, options, &near_documents, &near_err);
    akidb_status far_status = read_all(&far_input, options, &far_documents, &far_err);
    assert_int_equal(near_status, far_status);
    assert_string_equal(near_err.message, far_err.message);
    assert_same(near_documents, far_documents);
    akidb_documents_free(near_documents);
    akidb_documents_free(far_documents);
}

/* A file of plain pages without checksums, so that every change is met by what comes after them. */
static void build_plain(builder *b, uint64_t *seed, size_t *begin_out, size_t *end_out)
{
    static int encodings[] = {AK_ENCODING_PLAIN, AK_ENCODING_RLE};
    uint32_t k = 1 + (uint32_t)(test_random(seed) % 20);
    uint64_t pages = 1 + test_random(seed) % 4, rows = 1 + test_random(seed) % 5;
    build_begin(b, (int64_t)(pages * rows));
    ak_column_chunk *chunk = build_vector(b);
    chunk->encodings = encodings;
    chunk->encoding_count = 2;
    *begin_out = b->file.size;
    for (uint64_t i = 0; i < pages; i++)
        build_plain_page(b, (int32_t)(rows * k), vector_body(rows, k, (size_t)(i * rows * k)));
    *end_out = b->file.size;
    build_end(b);
}

static void damaged_pages_end_the_same_both_ways(void **state)
{
    (void)state;
    uint64_t seed = 99;
    for (int round = 0; round < 100; round++) {
        builder b;
        size_t begin, end;
        build_plain(&b, &seed, &begin, &end);
        compare_ways((akidb_slice){b.file.data, b.file.size}, &b.options);
        for (int change = 0; change < 40; change++) {
            size_t at = begin + test_random(&seed) % (end - begin);
            uint8_t kept = b.file.data[at];
            b.file.data[at] = (uint8_t)test_random(&seed);
            compare_ways((akidb_slice){b.file.data, b.file.size}, &b.options);
            b.file.data[at] = kept;
        }
        akidb_buffer_free(&b.file);
    }
}

/* Polars names a place for a dictionary in every chunk, where there is none. */
static void a_dictionary_that_is_not_there_changes_nothing(void **state)
{
    (void)state;
    static int encodings[] = {AK_ENCODING_PLAIN, AK_ENCODING_RLE};
    enum { K = 64, ROWS = 2000 };
    builder b;
    build_begin(&b, ROWS);
    ak_column_chunk *chunk = build_vector(&b);
    chunk->encodings = encodings;
    chunk->encoding_count = 2;
    chunk->dictionary_page_offset = (int64_t)b.file.size;
    build_plain_page(&b, ROWS * K, vector_body(ROWS, K, 0));
    build_end(&b);
    source s = {.bytes = {b.file.data, b.file.size}};
    akidb_input input = input_of(&s, true);
    akidb_documents *documents;
    akidb_error err = {0};
    assert_ok(err, read_all(&input, &b.options, &documents, &err));
    assert_int_equal(akidb_documents_batch(documents).rows, ROWS);
    akidb_documents_free(documents);
    assert_true(atomic_load(&s.calls) > 0);
    compare_ways((akidb_slice){b.file.data, b.file.size}, &b.options);
    akidb_buffer_free(&b.file);
}

/* A file of pages of vectors whose length its counts do not tell. */
static void build_untold(builder *b, uint64_t pages, uint64_t rows, uint32_t k)
{
    static int encodings[] = {AK_ENCODING_PLAIN, AK_ENCODING_RLE};
    build_begin(b, (int64_t)(pages * rows));
    ak_column_chunk *chunk = build_vector(b);
    chunk->encodings = encodings;
    chunk->encoding_count = 2;
    chunk->statistics.has_null_count = true;
    chunk->statistics.null_count = 1;
    for (uint64_t i = 0; i < pages; i++)
        build_plain_page(b, (int32_t)(rows * k), vector_body(rows, k, (size_t)(i * rows * k)));
    build_end(b);
}

/* The length of the first vector is looked for in the beginning of a chunk; where the first page is
 * longer than that, in all of it. */
static void the_first_length_costs_no_reading_of_a_chunk(void **state)
{
    (void)state;
    enum { K = 100, BEGINNING = 2 << 20 };
    for (uint64_t pages = 1; pages <= 6; pages += 5) {
        builder b;
        build_untold(&b, pages, 6000 / pages, K);
        source s = {.bytes = {b.file.data, b.file.size}};
        akidb_input input = input_of(&s, true);
        akidb_documents *documents;
        akidb_error err = {0};
        assert_ok(err, read_all(&input, &b.options, &documents, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        assert_int_equal(batch.rows, 6000);
        assert_int_equal(batch.dimension, K);
        akidb_documents_free(documents);
        assert_int_equal(pages == 1, atomic_load(&s.largest) > BEGINNING);
        compare_ways((akidb_slice){b.file.data, b.file.size}, &b.options);
        akidb_buffer_free(&b.file);
    }
}

/* An offset index that lies, under a checksum that is right: the plan that follows from it must not
 * give other vectors than the pages do. */
static void a_lying_offset_index_changes_no_vector(void **state)
{
    (void)state;
    uint64_t seed = 5;
    const akidb_parquet_options options = {.struct_size = sizeof options,
                                           .compression = AKIDB_COMPRESSION_NONE,
                                           .page_bytes = 4096,
                                           .row_group_size = 40};
    written w = write_random(&seed, 100, 64, &options);
    size_t tail = (size_t)w.summary.tail.offset, read = 0;
    for (size_t at = tail; at < w.file.size; at++) {
        uint8_t kept = w.file.data[at];
        w.file.data[at] = (uint8_t)(kept + 1 + test_random(&seed) % 255);
        akidb_parquet_summary summary = w.summary;
        summary.tail.crc32c = ak_crc32c(0, w.file.data + tail, w.file.size - tail);
        source s = {.bytes = {w.file.data, w.file.size}};
        akidb_input input = input_of(&s, at % 2 == 0);
        akidb_parquet_read_options read_options = {.struct_size = sizeof read_options,
                                                   .expected = &summary};
        akidb_documents *documents;
        akidb_error err = {0};
        if (read_all(&input, &read_options, &documents, &err) == AKIDB_OK) {
            akidb_batch batch = akidb_documents_batch(documents);
            assert_int_equal(batch.rows, w.rows);
            assert_memory_equal(batch.vectors, w.vectors, w.rows * w.dimension * sizeof(float));
            read++;
        }
        akidb_documents_free(documents);
        w.file.data[at] = kept;
    }
    assert_true(read > 100); /* most of the tail says nothing that the vectors need */
    free_written(&w);
}

/* ---- damage on the way ----------------------------------------------------------------------- */

typedef struct heard {
    int lines;
    char last[2000];
} heard;

static void hear(void *context, akidb_log_level level, const char *message)
{
    heard *h = context;
    assert_int_equal(level, AKIDB_LOG_WARNING);
    h->lines++;
    (void)snprintf(h->last, sizeof h->last, "%s", message);
}

/* Reads with `spoils` reads of the byte at `at` spoiled. */
static akidb_status read_spoiled(const written *w, uint64_t at, int spoils, bool is_near,
                                 bool has_summary, heard *h, akidb_error *err)
{
    source s = {
        .bytes = {w->file.data, w->file.size}, .tail = w->summary.tail.offset, .spoiled = at};
    atomic_store(&s.spoils, spoils);
    akidb_input input = input_of(&s, is_near);
    const akidb_hooks hooks = {.context = h, .log = hear};
    akidb_parquet_read_options options = {.struct_size = sizeof options,
                                          .expected = has_summary ? &w->summary : NULL,
                                          .hooks = &hooks};
    akidb_documents *documents;
    *h = (heard){0};
    akidb_status status = read_all(&input, &options, &documents, err);
    if (status == AKIDB_OK) {
        akidb_batch batch = akidb_documents_batch(documents);
        assert_memory_equal(batch.vectors, w->vectors, w->rows * w->dimension * sizeof(float));
        assert_memory_equal(batch.document_ids, w->ids, w->rows * sizeof(akidb_uuid));
    }
    akidb_documents_free(documents);
    return status;
}

static void what_is_damaged_on_its_way_is_read_again_and_told(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int kind = 0; kind < 8; kind++) {
        bool is_near = kind & 1, has_summary = kind & 2, is_split = kind & 4;
        const akidb_parquet_options options = {
            .struct_size = sizeof options,
            .compression = is_split ? AKIDB_COMPRESSION_ZSTD : AKIDB_COMPRESSION_NONE,
            .vector_encoding = is_split ? AKIDB_VECTOR_BYTE_STREAM_SPLIT : AKIDB_VECTOR_PLAIN,
            .page_bytes = 4096,
            .row_group_size = 50};
        written w = write_random(&seed, 100, 32, &options);
        const akidb_parquet_row_group_summary *group = &w.summary.row_groups[1];
        const uint64_t places[] = {
            group->small.offset + 60,                /* the ids */
            group->all.offset + group->all.size - 5, /* the last vector */
        };
        for (size_t i = 0; i < 2; i++) {
            heard h;
            akidb_error err = {0};
            assert_ok(err, read_spoiled(&w, places[i], 0, is_near, has_summary, &h, &err));
            assert_int_equal(h.lines, 0);
            assert_ok(err, read_spoiled(&w, places[i], 1, is_near, has_summary, &h, &err));
            assert_int_equal(h.lines, 1);
            assert_non_null(strstr(h.last, "CRC-32"));
            assert_non_null(strstr(h.last, "whole when it was read again"));
            assert_status(AKIDB_E_CORRUPTION,
                          read_spoiled(&w, places[i], 1000, is_near, has_summary, &h, &err));
            assert_int_equal(h.lines, 0);
            assert_true(err.offset >= (int64_t)group->all.offset);
            assert_true(err.offset <= (int64_t)places[i]);
        }
        free_written(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_input_gives_what_was_written),
        cmocka_unit_test(pages_of_many_megabytes_give_what_was_written),
        cmocka_unit_test(a_dictionary_that_is_not_there_changes_nothing),
        cmocka_unit_test(the_first_length_costs_no_reading_of_a_chunk),
        cmocka_unit_test(plain_floats_are_not_read_into_memory_between),
        cmocka_unit_test(damaged_pages_end_the_same_both_ways),
        cmocka_unit_test(a_lying_offset_index_changes_no_vector),
        cmocka_unit_test(what_is_damaged_on_its_way_is_read_again_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
