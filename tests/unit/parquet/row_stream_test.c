/* A row group by pieces gives the documents that it gives as a whole, reads little at a time, and
 * tells the same of what is wrong. Files of other engines: golden_test.c. */
#include "parquet/row_stream.h"

#include "akidb/sys/output.h"
#include "builder.h"
#include "same.h"

enum { ROWS = 2000, DIMENSION = 6 };

/* ---- inputs ---------------------------------------------------------------------------------- */

typedef struct source {
    akidb_slice bytes;
    size_t largest; /* of the reads */
    uint64_t spoiled;
    int spoils; /* reads of that byte still to be spoiled */
} source;

static akidb_status read_at(void *handle, uint64_t offset, void *dst, size_t size, akidb_error *err)
{
    source *s = handle;
    (void)err;
    memcpy(dst, (const uint8_t *)s->bytes.data + offset, size);
    s->largest = size > s->largest ? size : s->largest;
    if (s->spoils > 0 && offset <= s->spoiled && s->spoiled < offset + size) {
        ((uint8_t *)dst)[s->spoiled - offset] ^= 0x10;
        s->spoils--;
    }
    return AKIDB_OK;
}

static akidb_input input_of(source *s)
{
    static const akidb_input_ops ops = {.read_at = read_at};
    return (akidb_input){&ops, s, s->bytes.size, "memory"};
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Row group 0; NULL on failure. piece_bytes 0: as a whole. */
static akidb_status read_group(akidb_slice file, source *s, size_t piece_bytes, size_t max_rows,
                               const akidb_parquet_read_options *options,
                               akidb_documents **documents_out, akidb_error *err)
{
    s->bytes = file;
    akidb_input input = input_of(s);
    akidb_parquet_reader *reader;
    *documents_out = NULL;
    akidb_status status = akidb_parquet_reader_open(&input, options, &reader, err);
    if (status != AKIDB_OK)
        return status;
    s->largest = 0;
    akidb_documents *documents;
    assert_ok(*err, akidb_documents_new(akidb_parquet_reader_dimension(reader), &documents, err));
    if (piece_bytes == 0) {
        status = akidb_parquet_reader_read(reader, 0, 1, documents, err);
    } else {
        ak_row_stream *stream;
        size_t before = 1;
        status = ak_row_stream_open(reader, 0, piece_bytes, &stream, err);
        for (size_t rows = 0; status == AKIDB_OK && rows != before;) {
            before = rows;
            status = ak_row_stream_next(stream, max_rows, documents, err);
            rows = akidb_documents_batch(documents).rows;
            assert_true(status != AKIDB_OK || rows >= before);
        }
        ak_row_stream_close(stream);
    }
    akidb_parquet_reader_close(reader);
    if (status == AKIDB_OK)
        *documents_out = documents;
    else
        akidb_documents_free(documents);
    return status;
}

static void assert_same(const akidb_documents *a, const akidb_documents *b)
{
    akidb_batch x = akidb_documents_batch(a), y = akidb_documents_batch(b);
    assert_int_equal(x.rows, y.rows);
    assert_int_equal(x.vectors == NULL, y.vectors == NULL);
    if (x.vectors != NULL && y.vectors != NULL)
        assert_memory_equal(x.vectors, y.vectors, x.rows * x.dimension * sizeof(float));
    assert_memory_equal(x.document_ids, y.document_ids, x.rows * sizeof *x.document_ids);
    if (x.inserted_at != NULL)
        assert_memory_equal(x.inserted_at, y.inserted_at, x.rows * sizeof *x.inserted_at);
    assert_same_texts(&x.external_ids, &y.external_ids, x.rows);
    assert_same_texts(&x.metadata, &y.metadata, x.rows);
}

/* ---- files of ours --------------------------------------------------------------------------- */

static akidb_documents *make_documents(uint64_t seed)
{
    akidb_error err;
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(DIMENSION, &documents, &err));
    for (size_t row = 0; row < ROWS; row++) {
        float vector[DIMENSION];
        akidb_uuid id = {{0}};
        char external[24], metadata[40];
        for (size_t j = 0; j < DIMENSION; j++)
            vector[j] = (float)(test_random(&seed) % 1000) / 8;
        test_random_bytes(test_random(&seed), id.bytes, sizeof id.bytes);
        snprintf(external, sizeof external, "e%zu", row);
        snprintf(metadata, sizeof metadata, "{\"n\":%llu}",
                 (unsigned long long)(test_random(&seed) % 50));
        int64_t time = INT64_C(1700000000000000) + (int64_t)row * 1000;
        akidb_document document = {
            .document_id = &id,
            .external_id = {row % 3 == 0 ? NULL : external, strlen(external)},
            .vector = vector,
            .dimension = DIMENSION,
            .metadata = {row % 7 == 0 ? NULL : metadata, strlen(metadata)},
            .inserted_at = &time,
        };
        assert_ok(err, akidb_documents_append(documents, &document, &err));
    }
    return documents;
}

static akidb_buffer write_file(akidb_compression compression, akidb_toggle dictionary,
                               uint32_t page_bytes)
{
    akidb_error err;
    akidb_buffer file;
    akidb_documents *documents = make_documents(page_bytes);
    akidb_batch batch = akidb_documents_batch(documents);
    const akidb_parquet_options options = {.struct_size = sizeof options,
                                           .compression = compression,
                                           .enable_dictionary = dictionary,
                                           .page_bytes = page_bytes};
    assert_ok(err, akidb_parquet_encode_batch(&batch, &options, &file, &err));
    akidb_documents_free(documents);
    return file;
}

static void pieces_of_any_size_make_the_whole(void **state)
{
    (void)state;
    static const akidb_compression codecs[] = {AKIDB_COMPRESSION_NONE, AKIDB_COMPRESSION_SNAPPY,
                                               AKIDB_COMPRESSION_ZSTD};
    static const size_t sizes[] = {1, 500, 9000, 1 << 20};
    static const unsigned columns[] = {
        AKIDB_COLUMNS_ALL, AKIDB_COLUMN_DOCUMENT_ID | AKIDB_COLUMN_METADATA, AKIDB_COLUMN_VECTOR};
    for (size_t i = 0; i < 3 * 2 * 4 * 3; i++) {
        akidb_error err;
        akidb_documents *whole, *pieces;
        source s = {0};
        akidb_buffer file = write_file(codecs[i % 3], i / 3 % 2 == 0 ? AKIDB_ON : AKIDB_OFF, 4096);
        akidb_parquet_read_options options = {.struct_size = sizeof options,
                                              .columns = columns[i / 24]};
        akidb_slice bytes = {file.data, file.size};
        assert_ok(err, read_group(bytes, &s, 0, 0, &options, &whole, &err));
        assert_ok(err, read_group(bytes, &s, sizes[i / 6 % 4], 1 + i * 5, &options, &pieces, &err));
        assert_int_equal(akidb_documents_batch(whole).rows, ROWS);
        assert_same(whole, pieces);
        akidb_documents_free(whole);
        akidb_documents_free(pieces);
        akidb_buffer_free(&file);
    }
}

/* The row group has 24 MB; of its bytes no more than a read's least size is taken at once. */
static void a_large_row_group_is_read_a_little_at_a_time(void **state)
{
    (void)state;
    enum { MANY = 6000, LONG = 1000, READ_BYTES = 1 << 20 };
    akidb_error err;
    akidb_buffer file;
    float *vectors = calloc((size_t)MANY * LONG, sizeof *vectors);
    assert_non_null(vectors);
    for (size_t i = 0; i < (size_t)MANY * LONG; i++)
        vectors[i] = (float)i;
    akidb_batch batch = {.rows = MANY, .dimension = LONG, .vectors = vectors};
    const akidb_parquet_options options = {.struct_size = sizeof options,
                                           .compression = AKIDB_COMPRESSION_NONE};
    assert_ok(err, akidb_parquet_encode_batch(&batch, &options, &file, &err));
    source s = {.bytes = {file.data, file.size}};
    akidb_input input = input_of(&s);
    akidb_parquet_reader *reader;
    ak_row_stream *stream;
    akidb_documents *documents;
    assert_ok(err, akidb_parquet_reader_open(&input, NULL, &reader, &err));
    assert_ok(err, akidb_documents_new(LONG, &documents, &err));
    assert_ok(err, ak_row_stream_open(reader, 0, 1 << 20, &stream, &err));
    s.largest = 0;
    size_t total = 0, rows;
    do {
        akidb_documents_clear(documents);
        assert_ok(err, ak_row_stream_next(stream, 100, documents, &err));
        rows = akidb_documents_batch(documents).rows;
        assert_true(rows <= 600);
        if (rows > 0)
            assert_memory_equal(akidb_documents_batch(documents).vectors, vectors + total * LONG,
                                rows * LONG * sizeof *vectors);
        total += rows;
    } while (rows > 0);
    assert_int_equal(total, MANY);
    assert_true(s.largest <= 2 * READ_BYTES);
    ak_row_stream_close(stream);
    akidb_documents_free(documents);
    akidb_parquet_reader_close(reader);
    akidb_buffer_free(&file);
    free(vectors);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static size_t end_of_pages(const akidb_buffer *file)
{
    uint32_t footer;
    memcpy(&footer, file->data + file->size - 8, sizeof footer);
    return file->size - 8 - footer;
}

static void bytes_damaged_on_their_way_are_read_again(void **state)
{
    (void)state;
    akidb_error err;
    akidb_buffer file = write_file(AKIDB_COMPRESSION_SNAPPY, AKIDB_ON, 4096);
    akidb_slice bytes = {file.data, file.size};
    akidb_documents *whole, *pieces;
    source s = {0};
    assert_ok(err, read_group(bytes, &s, 0, 0, NULL, &whole, &err));
    size_t pages_end = end_of_pages(&file);
    size_t recovered = 0;
    for (uint64_t at = 4; at < pages_end; at += 211) {
        s = (source){.spoiled = at, .spoils = 1};
        akidb_status status = read_group(bytes, &s, 6000, 50, NULL, &pieces, &err);
        if (status != AKIDB_OK) /* a header that says something else that is no document */
            assert_true(status == AKIDB_E_VALIDATION || status == AKIDB_E_UNSUPPORTED ||
                        status == AKIDB_E_LIMIT);
        else
            assert_same(whole, pieces);
        recovered += status == AKIDB_OK;
        akidb_documents_free(pieces);
    }
    assert_true(recovered > pages_end / 211 * 9 / 10);
    akidb_documents_free(whole);
    akidb_buffer_free(&file);
}

static void damage_of_the_file_is_told_as_by_the_whole(void **state)
{
    (void)state;
    akidb_buffer file = write_file(AKIDB_COMPRESSION_NONE, AKIDB_ON, 4096);
    for (size_t at = 4; at < end_of_pages(&file); at += 223) {
        akidb_error err;
        akidb_documents *whole, *pieces;
        source s = {0};
        file.data[at] ^= 0x04;
        akidb_slice bytes = {file.data, file.size};
        akidb_status expected = read_group(bytes, &s, 0, 0, NULL, &whole, &err);
        akidb_status status = read_group(bytes, &s, 6000, 40, NULL, &pieces, &err);
        assert_int_equal(expected == AKIDB_OK, status == AKIDB_OK);
        if (status == AKIDB_OK)
            assert_same(whole, pieces);
        akidb_documents_free(whole);
        akidb_documents_free(pieces);
        file.data[at] ^= 0x04;
    }
    akidb_buffer_free(&file);
}

/* ---- pages that no writer of today gives ----------------------------------------------------- */

/* A page of the values first .. first + count - 1 of vectors of length k, wherever rows begin. */
static void put_page(builder *b, size_t first, size_t count, size_t k)
{
    akidb_buffer body = {0};
    uint8_t repetition[200];
    for (size_t i = 0; i < count; i++)
        repetition[i] = (first + i) % k != 0;
    put_levels(&body, repetition, count);
    put_constant_levels(&body, count, 1);
    put_floats(&body, first, count);
    build_plain_page(b, (int32_t)count, body);
}

static akidb_status read_built(builder *b, size_t piece_bytes, akidb_documents **documents_out)
{
    source s = {0};
    return read_group((akidb_slice){b->file.data, b->file.size}, &s, piece_bytes, 2, NULL,
                      documents_out, &b->err);
}

static void rows_may_go_from_page_to_page(void **state)
{
    (void)state;
    builder b;
    build_begin(&b, 20);
    build_vector(&b);
    static const size_t pages[] = {7, 1, 30, 2, 10, 25, 25};
    size_t first = 0;
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; first += pages[i++])
        put_page(&b, first, pages[i], 5);
    build_end(&b);
    akidb_documents *pieces;
    assert_ok(b.err, read_built(&b, 1, &pieces));
    akidb_batch batch = akidb_documents_batch(pieces);
    assert_int_equal(batch.rows, 20);
    for (size_t i = 0; i < 100; i++)
        assert_true(batch.vectors[i] == (float)i);
    akidb_documents_free(pieces);
    akidb_buffer_free(&b.file);
}

static void a_row_that_is_no_vector_is_named_in_any_piece(void **state)
{
    (void)state;
    for (size_t bad = 0; bad < 3; bad++) {
        builder b;
        build_begin(&b, 12);
        build_vector(&b);
        for (size_t page = 0; page < 3;
             page++) /* row 5 of a page has a value less, row 6 one more */
            put_page(&b, page * 20, 20, page == bad ? 4 : 5);
        build_end(&b);
        akidb_documents *pieces;
        akidb_status status = read_built(&b, 1, &pieces);
        assert_null(pieces);
        assert_status(AKIDB_E_VALIDATION, status);
        if (bad > 0)
            assert_int_equal(b.err.row, bad * 4);
        akidb_buffer_free(&b.file);
    }
}

static void values_behind_the_last_row_are_damage(void **state)
{
    (void)state;
    builder b;
    build_begin(&b, 8);
    build_vector(&b);
    put_page(&b, 0, 20, 5);
    put_page(&b, 20, 20, 5);
    put_page(&b, 40, 5, 5);
    build_flat(&b, "document_id", AK_TYPE_INT64, AK_REQUIRED);
    akidb_documents *pieces;
    b.options.allow_other_ids = true;
    akidb_buffer body = {0};
    for (uint32_t i = 0; i < 16; i++)
        put_u32(&body, i);
    build_plain_page(&b, 8, body);
    build_end(&b);
    source s = {0};
    akidb_status status =
        read_group((akidb_slice){b.file.data, b.file.size}, &s, 1, 3, &b.options, &pieces, &b.err);
    assert_true(status == AKIDB_E_CORRUPTION || status == AKIDB_E_VALIDATION);
    assert_null(pieces);
    akidb_buffer_free(&b.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_any_size_make_the_whole),
        cmocka_unit_test(a_large_row_group_is_read_a_little_at_a_time),
        cmocka_unit_test(bytes_damaged_on_their_way_are_read_again),
        cmocka_unit_test(damage_of_the_file_is_told_as_by_the_whole),
        cmocka_unit_test(rows_may_go_from_page_to_page),
        cmocka_unit_test(a_row_that_is_no_vector_is_named_in_any_piece),
        cmocka_unit_test(values_behind_the_last_row_are_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
