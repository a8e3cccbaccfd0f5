/* Bloom filters: what was put in is found, little else is, and files place them where they say. */
#include "parquet/bloom.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/parquet.h"
#include "base/endian.h"
#include "parquet/arena.h"
#include "parquet/find.h"
#include "parquet/writer.h"

#include "test.h"

static akidb_slice number(uint64_t value, uint8_t bytes[8])
{
    ak_store_u64(bytes, value);
    return (akidb_slice){bytes, 8};
}

static void the_hash_is_that_of_the_specification(void **state)
{
    (void)state;
    /* XXH64 with seed 0 of nothing, and of "a", as its own specification has them */
    assert_true(ak_bloom_hash((akidb_slice){"", 0}) == UINT64_C(0xEF46DB3751D8E999));
    assert_true(ak_bloom_hash((akidb_slice){"a", 1}) == UINT64_C(0xD24EC4F1A98C6E5B));
}

static void a_filter_is_a_power_of_two_with_room_for_its_values(void **state)
{
    (void)state;
    assert_int_equal(ak_bloom_size(0), 32);
    assert_int_equal(ak_bloom_size(16), 32);
    assert_int_equal(ak_bloom_size(17), 64);
    assert_int_equal(ak_bloom_size(10000), 32768);
    assert_int_equal(ak_bloom_size(16384), 32768);
    assert_int_equal(ak_bloom_size(UINT64_MAX), 128 << 20);
}

static void what_was_put_in_is_found_and_little_else(void **state)
{
    (void)state;
    enum { VALUES = 16384, OTHERS = 200000 }; /* as full as a filter gets */
    size_t size = ak_bloom_size(VALUES), wrong = 0;
    uint8_t *bits = calloc(1, size), bytes[8];
    assert_non_null(bits);
    akidb_slice filter = {bits, size};
    for (uint64_t i = 0; i < VALUES; i++)
        ak_bloom_insert(bits, size, ak_bloom_hash(number(i, bytes)));
    for (uint64_t i = 0; i < VALUES; i++)
        assert_true(ak_bloom_may_hold(filter, ak_bloom_hash(number(i, bytes))));
    for (uint64_t i = VALUES; i < VALUES + OTHERS; i++)
        wrong += ak_bloom_may_hold(filter, ak_bloom_hash(number(i, bytes)));
    if (wrong > OTHERS / 500)
        fail_msg("%zu of %d other values seem to be there", wrong, OTHERS);
    free(bits);
}

static void a_header_comes_back(void **state)
{
    (void)state;
    akidb_error err = {0};
    akidb_buffer buffer = {0};
    assert_ok(err, ak_bloom_header_write(32768, &buffer, &err));
    /* field 1: 32768 as zigzag varint; fields 2, 3, 4: a struct that holds an empty struct 1 */
    const uint8_t expected[] = {0x15, 0x80, 0x80, 0x04, 0x1C, 0x1C, 0x00, 0x00, 0x1C,
                                0x1C, 0x00, 0x00, 0x1C, 0x1C, 0x00, 0x00, 0x00};
    assert_int_equal(buffer.size, sizeof expected);
    assert_memory_equal(buffer.data, expected, sizeof expected);
    ak_bloom_header header;
    size_t used;
    akidb_slice bytes = {buffer.data, buffer.size};
    assert_ok(err, ak_bloom_header_read(bytes, "file", 0, &header, &used, &err));
    assert_int_equal(header.size, 32768);
    assert_true(header.is_known);
    assert_int_equal(used, buffer.size);
    buffer.data[9] = 0x2C; /* hash number 2 */
    assert_ok(err, ak_bloom_header_read(bytes, "file", 0, &header, &used, &err));
    assert_false(header.is_known);
    for (size_t size = 0; size < buffer.size; size++)
        assert_status(AKIDB_E_CORRUPTION, ak_bloom_header_read((akidb_slice){buffer.data, size},
                                                               "file", 0, &header, &used, &err));
    akidb_buffer_free(&buffer);
}

/* ---- in a file ------------------------------------------------------------------------------- */

enum { ROWS = 90, DIMENSION = 3, GROUP = 40 };

typedef struct file {
    akidb_buffer bytes;
    akidb_parquet_writer *writer;
    akidb_parquet_summary summary;
    akidb_uuid ids[ROWS];
} file;

/* Documents of which the first row group's have external ids. */
static akidb_documents *make_documents(akidb_uuid ids[ROWS])
{
    akidb_error err = {0};
    akidb_documents *documents;
    assert_ok(err, akidb_documents_new(DIMENSION, &documents, &err));
    for (size_t i = 0; i < ROWS; i++) {
        const float vector[DIMENSION] = {(float)i, 1, 2};
        const int64_t time = 0;
        test_random_bytes(i, ids[i].bytes, sizeof ids[i].bytes);
        akidb_document document = {
            .document_id = &ids[i], .vector = vector, .dimension = DIMENSION, .inserted_at = &time};
        if (i < GROUP && i % 2 == 0) /* none in the other row groups */
            document.external_id = (akidb_slice){"even", 4};
        assert_ok(err, akidb_documents_append(documents, &document, &err));
    }
    return documents;
}

/* `bloom_memory`: what the writer keeps of the filters; `folder`: where it puts the others. */
static void write_file_with(file *f, akidb_toggle bloom_filter, size_t bloom_memory,
                            const char *folder)
{
    akidb_error err = {0};
    *f = (file){0};
    akidb_documents *documents = make_documents(f->ids);
    const akidb_parquet_options options = {
        .struct_size = sizeof options, .row_group_size = GROUP, .bloom_filter = bloom_filter};
    ak_writer_settings settings;
    assert_ok(err, ak_writer_settings_make(&settings, DIMENSION, &options, &err));
    settings.bloom_memory = bloom_memory;
    settings.temporary_folder = folder;
    const akidb_output output = akidb_output_to_buffer(&f->bytes);
    akidb_batch batch = akidb_documents_batch(documents);
    assert_ok(err, ak_parquet_writer_open(&output, &settings, &f->writer, &err));
    assert_ok(err, akidb_parquet_writer_append(f->writer, &batch, &err));
    assert_ok(err, akidb_parquet_writer_finish(f->writer, &f->summary, &err));
    akidb_documents_free(documents);
}

static void write_file(file *f, akidb_toggle bloom_filter)
{
    write_file_with(f, bloom_filter, AK_BLOOM_MEMORY_DEFAULT, NULL);
}

static akidb_parquet_reader *open_file(const file *f, akidb_input *input)
{
    akidb_error err = {0};
    const akidb_parquet_read_options options = {.struct_size = sizeof options,
                                                .expected = &f->summary};
    akidb_parquet_reader *reader;
    *input = akidb_input_from_memory((akidb_slice){f->bytes.data, f->bytes.size}, "file");
    assert_ok(err, ak_parquet_reader_open(input, &options, true, &reader, &err));
    return reader;
}

static void file_free(file *f)
{
    akidb_parquet_writer_free(f->writer);
    akidb_buffer_free(&f->bytes);
}

static void filters_stand_at_the_beginning_of_the_tail(void **state)
{
    (void)state;
    file f;
    akidb_input input;
    write_file(&f, AKIDB_ON);
    akidb_parquet_reader *reader = open_file(&f, &input);
    uint64_t at = f.summary.tail.offset;
    size_t filters = 0;
    for (size_t g = 0; g < akidb_parquet_reader_row_groups(reader); g++) {
        const ak_row_group *group = &reader->footer.metadata.row_groups[g];
        for (size_t c = 0; c < group->column_count; c++) {
            if (group->columns[c].bloom_filter_offset == 0)
                continue;
            assert_int_equal(group->columns[c].bloom_filter_offset, at);
            at += (uint64_t)group->columns[c].bloom_filter_length;
            filters++;
        }
    }
    assert_int_equal(filters, 4); /* of ids in each row group; of external ids in the first */
    assert_int_equal(reader->footer.metadata.row_groups[0].columns[0].offset_index_offset, at);
    akidb_parquet_reader_close(reader);
    file_free(&f);
}

static void filters_that_waited_in_a_file_give_the_same_bytes(void **state)
{
    (void)state;
    static const char *const folders[] = {NULL, "/nonexistent/folder"}; /* then memory has to do */
    file expected, found;
    akidb_input input;
    write_file(&expected, AKIDB_ON);
    for (size_t i = 0; i < 2; i++) {
        for (size_t memory = 0; memory < 500; memory += 100) {
            write_file_with(&found, AKIDB_ON, memory, folders[i]);
            assert_int_equal(found.bytes.size, expected.bytes.size);
            assert_memory_equal(found.bytes.data, expected.bytes.data, found.bytes.size);
            assert_int_equal(found.summary.tail.offset, expected.summary.tail.offset);
            assert_int_equal(found.summary.tail.size, expected.summary.tail.size);
            assert_int_equal(found.summary.tail.crc32c, expected.summary.tail.crc32c);
            assert_int_equal(found.summary.file.crc32c, expected.summary.file.crc32c);
            akidb_parquet_reader_close(
                open_file(&found, &input)); /* compares the tail's checksum */
            file_free(&found);
        }
    }
    file_free(&expected);
}

static void filters_tell_the_row_group_of_an_id(void **state)
{
    (void)state;
    akidb_error err = {0};
    file f;
    akidb_input input;
    write_file(&f, AKIDB_ON);
    akidb_parquet_reader *reader = open_file(&f, &input);
    size_t others = 0;
    for (size_t i = 0; i < ROWS; i++)
        for (size_t g = 0; g < 3; g++) {
            bool may;
            assert_ok(err, ak_parquet_may_hold_id(reader, g, &f.ids[i], &may, &err));
            if (i / GROUP == g)
                assert_true(may);
            else
                others += may;
        }
    assert_true(others < 3);
    for (size_t g = 0; g < 3; g++) {
        bool even, odd;
        assert_ok(
            err, ak_parquet_may_hold_external_id(reader, g, (akidb_slice){"even", 4}, &even, &err));
        assert_ok(err,
                  ak_parquet_may_hold_external_id(reader, g, (akidb_slice){"odd", 3}, &odd, &err));
        assert_int_equal(even, g == 0);
        assert_false(odd);
    }
    akidb_parquet_reader_close(reader);
    file_free(&f);
}

static void without_filters_any_row_group_may_hold_an_id(void **state)
{
    (void)state;
    akidb_error err = {0};
    file f;
    akidb_input input;
    write_file(&f, AKIDB_DEFAULT);
    akidb_parquet_reader *reader = open_file(&f, &input);
    akidb_parquet_chunk_info info;
    bool may;
    assert_ok(err, akidb_parquet_reader_chunk(reader, 0, 0, &info, &err));
    assert_int_equal(info.bloom_filter_bytes, 0);
    assert_ok(err, ak_parquet_may_hold_id(reader, 1, &f.ids[0], &may, &err));
    assert_true(may);
    akidb_parquet_reader_close(reader);
    file_free(&f);
}

static void a_page_gives_the_vectors_of_its_rows(void **state)
{
    (void)state;
    akidb_error err = {0};
    file f;
    akidb_input input;
    write_file(&f, AKIDB_ON);
    akidb_parquet_reader *reader = open_file(&f, &input);
    assert_true(ak_parquet_has_vector_pages(reader));
    const size_t rows[] = {0, 7, 39};
    float floats[3 * DIMENSION];
    assert_ok(err, ak_parquet_read_vectors_of(reader, 1, rows, 3, floats, &err));
    for (size_t i = 0; i < 3; i++)
        assert_true(floats[i * DIMENSION] == (float)(GROUP + rows[i]));
    const size_t beyond = ROWS - 2 * GROUP;
    assert_status(AKIDB_E_VALIDATION,
                  ak_parquet_read_vectors_of(reader, 2, &beyond, 1, floats, &err));
    akidb_parquet_reader_close(reader);
    file_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hash_is_that_of_the_specification),
        cmocka_unit_test(a_filter_is_a_power_of_two_with_room_for_its_values),
        cmocka_unit_test(what_was_put_in_is_found_and_little_else),
        cmocka_unit_test(a_header_comes_back),
        cmocka_unit_test(filters_stand_at_the_beginning_of_the_tail),
        cmocka_unit_test(filters_that_waited_in_a_file_give_the_same_bytes),
        cmocka_unit_test(filters_tell_the_row_group_of_an_id),
        cmocka_unit_test(without_filters_any_row_group_may_hold_an_id),
        cmocka_unit_test(a_page_gives_the_vectors_of_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
