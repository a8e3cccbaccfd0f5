/* Every byte of a file that we wrote, damaged in turn: with the summary of the write given, reading
 * fails or gives exactly what was written. */
#include <stdlib.h>
#include <string.h>

#include "akidb/parquet.h"
#include "akidb/sys/output.h"
#include "test.h"

enum { ROWS = 24, DIMENSION = 5 };

typedef struct written {
    akidb_buffer file;
    akidb_parquet_writer *writer; /* keeps the summary's row groups */
    akidb_parquet_summary summary;
} written;

static akidb_batch make_batch(void)
{
    static float vectors[ROWS * DIMENSION];
    static akidb_uuid ids[ROWS];
    static int64_t times[ROWS];
    static uint64_t offsets[ROWS + 1];
    static char bytes[ROWS * 8];
    static const uint8_t validity[] = {0xDB, 0xB6, 0x6D};
    uint64_t seed = 7;
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < DIMENSION; j++)
            vectors[i * DIMENSION + j] = (float)(int32_t)test_random(&seed) / 1e9f;
        ids[i].bytes[15] = (uint8_t)i;
        ids[i].bytes[0] = (uint8_t)(i * 5);
        times[i] = INT64_C(1700000000000000) + (int64_t)i * 1000;
        bool is_valid = (validity[i / 8] >> i % 8 & 1) != 0;
        offsets[i + 1] = offsets[i];
        if (is_valid)
            offsets[i + 1] += (uint64_t)snprintf(bytes + offsets[i], 8, "\"%zu\"", i % 4);
    }
    akidb_texts texts = {offsets, bytes, validity};
    return (akidb_batch){.rows = ROWS,
                         .dimension = DIMENSION,
                         .vectors = vectors,
                         .document_ids = ids,
                         .external_ids = texts,
                         .metadata = texts,
                         .inserted_at = times};
}

static void write_file(written *w, akidb_compression compression, akidb_vector_encoding encoding)
{
    akidb_error err;
    akidb_batch batch = make_batch();
    akidb_parquet_options options = {.struct_size = sizeof options,
                                     .compression = compression,
                                     .vector_encoding = encoding,
                                     .row_group_size = 10};
    *w = (written){0};
    akidb_output output = akidb_output_to_buffer(&w->file);
    assert_ok(err, akidb_parquet_writer_open(&output, DIMENSION, &options, &w->writer, &err));
    assert_ok(err, akidb_parquet_writer_append(w->writer, &batch, &err));
    assert_ok(err, akidb_parquet_writer_finish(w->writer, &w->summary, &err));
    assert_int_equal(w->summary.row_group_count, 3);
}

static void free_file(written *w)
{
    akidb_parquet_writer_free(w->writer);
    akidb_buffer_free(&w->file);
}

static bool same_texts(const akidb_texts *a, const akidb_texts *b)
{
    for (size_t i = 0; i < ROWS; i++) {
        akidb_slice x = akidb_texts_at(a, i), y = akidb_texts_at(b, i);
        if ((x.data == NULL) != (y.data == NULL) || x.size != y.size ||
            (x.size > 0 && memcmp(x.data, y.data, x.size) != 0))
            return false;
    }
    return true;
}

static bool same_documents(const akidb_documents *documents, bool with_vectors)
{
    akidb_batch found = akidb_documents_batch(documents);
    akidb_batch batch = make_batch();
    if (found.rows != ROWS || found.dimension != DIMENSION)
        return false;
    if (with_vectors && memcmp(found.vectors, batch.vectors, sizeof(float) * ROWS * DIMENSION) != 0)
        return false;
    return memcmp(found.document_ids, batch.document_ids, sizeof(akidb_uuid) * ROWS) == 0 &&
           memcmp(found.inserted_at, batch.inserted_at, sizeof(int64_t) * ROWS) == 0 &&
           same_texts(&found.external_ids, &batch.external_ids) &&
           same_texts(&found.metadata, &batch.metadata);
}

/* Reads the file; a success must give what was written. */
static akidb_status read_file(const written *w, unsigned columns, akidb_error *err)
{
    akidb_documents *documents;
    akidb_parquet_read_options options = {
        .struct_size = sizeof options, .columns = columns, .expected = &w->summary};
    akidb_status status = akidb_parquet_decode_batch((akidb_slice){w->file.data, w->file.size},
                                                     &options, &documents, err);
    if (status == AKIDB_OK &&
        !same_documents(documents, columns == 0 || (columns & AKIDB_COLUMN_VECTOR) != 0))
        fail_msg("a damaged file was read as other documents");
    akidb_documents_free(documents);
    return status;
}

/* The range whose checksum the summary has: everything but the first four bytes. */
static void flip_every_byte(akidb_compression compression, akidb_vector_encoding encoding)
{
    akidb_error err;
    written w;
    write_file(&w, compression, encoding);
    assert_ok(err, read_file(&w, 0, &err));
    for (size_t i = 0; i < w.file.size; i++)
        for (int bit = 0; bit < 8; bit += 7) {
            w.file.data[i] ^= (uint8_t)(1 << bit);
            akidb_status status = read_file(&w, 0, &err);
            if (i >= 4 && status != AKIDB_E_CORRUPTION)
                fail_msg("byte %zu: expected corruption, found %s", i, akidb_status_name(status));
            w.file.data[i] ^= (uint8_t)(1 << bit);
        }
    assert_ok(err, read_file(&w, 0, &err));
    free_file(&w);
}

static void every_flipped_byte_is_corruption(void **state)
{
    (void)state;
    flip_every_byte(AKIDB_COMPRESSION_SNAPPY, AKIDB_VECTOR_PLAIN);
    flip_every_byte(AKIDB_COMPRESSION_ZSTD, AKIDB_VECTOR_BYTE_STREAM_SPLIT);
    flip_every_byte(AKIDB_COMPRESSION_NONE, AKIDB_VECTOR_PLAIN);
}

/* The small columns are checked by themselves; damage to vectors that are not read is not seen. */
static void without_vectors_the_small_columns_are_checked(void **state)
{
    (void)state;
    akidb_error err;
    written w;
    unsigned columns = AKIDB_COLUMNS_ALL & ~(unsigned)AKIDB_COLUMN_VECTOR;
    write_file(&w, AKIDB_COMPRESSION_SNAPPY, AKIDB_VECTOR_PLAIN);
    for (size_t i = 4; i < w.file.size; i++) {
        bool is_vector = false;
        for (size_t g = 0; g < w.summary.row_group_count; g++) {
            const akidb_parquet_row_group_summary *group = &w.summary.row_groups[g];
            is_vector |= i >= group->small.offset + group->small.size &&
                         i < group->all.offset + group->all.size;
        }
        w.file.data[i] ^= 0x10;
        assert_status(is_vector ? AKIDB_OK : AKIDB_E_CORRUPTION, read_file(&w, columns, &err));
        w.file.data[i] ^= 0x10;
    }
    free_file(&w);
}

/* Without a summary the file's own checksums guard the pages; no flip may crash the reader. */
static void without_a_summary_flips_in_page_bodies_are_found(void **state)
{
    (void)state;
    akidb_error err;
    written w;
    size_t refused = 0;
    write_file(&w, AKIDB_COMPRESSION_SNAPPY, AKIDB_VECTOR_PLAIN);
    for (size_t i = 0; i < w.file.size; i++) {
        akidb_documents *documents;
        w.file.data[i] ^= 0x04;
        refused += akidb_parquet_decode_batch((akidb_slice){w.file.data, w.file.size}, NULL,
                                              &documents, &err) != AKIDB_OK;
        akidb_documents_free(documents);
        w.file.data[i] ^= 0x04;
    }
    assert_true(refused > w.summary.tail.offset / 2);
    free_file(&w);
}

/* A summary of another file, or one that contradicts itself, is not believed. */
static void a_summary_that_does_not_fit_is_corruption(void **state)
{
    (void)state;
    akidb_error err;
    written w;
    write_file(&w, AKIDB_COMPRESSION_SNAPPY, AKIDB_VECTOR_PLAIN);
    const akidb_parquet_summary sound = w.summary;
    akidb_parquet_row_group_summary groups[3];
    memcpy(groups, sound.row_groups, sizeof groups);
    for (int i = 0; i < 11; i++) {
        memcpy(groups, sound.row_groups, sizeof groups);
        w.summary = sound;
        w.summary.row_groups = groups;
        switch (i) {
        case 0: w.summary.rows++; break;
        case 1: w.summary.file.size++; break;
        case 2: w.summary.tail.size = UINT64_MAX; break;
        case 3: w.summary.tail.offset -= 4; break;
        case 4: w.summary.tail.crc32c ^= 1; break;
        case 5: w.summary.row_group_count = 2; break;
        case 6: groups[1].rows--; break;
        case 7: groups[1].all.offset = UINT64_MAX; break;
        case 8: groups[1].all.size = UINT64_MAX; break;
        case 9: groups[2].small.size = 1; break;
        default: groups[0].small.crc32c ^= 1;
        }
        assert_status(AKIDB_E_CORRUPTION, read_file(&w, 0, &err));
        assert_true(strstr(err.message, "expected") != NULL &&
                    strstr(err.message, "found") != NULL);
    }
    w.summary = sound;
    assert_ok(err, read_file(&w, 0, &err));
    free_file(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_byte_is_corruption),
        cmocka_unit_test(without_vectors_the_small_columns_are_checked),
        cmocka_unit_test(without_a_summary_flips_in_page_bodies_are_found),
        cmocka_unit_test(a_summary_that_does_not_fit_is_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
