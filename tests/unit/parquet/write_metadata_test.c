/* The bytes of Thrift structures, derived by hand from the compact protocol. */
#include <string.h>

#include "parquet/metadata.h"
#include "parquet/thrift_write.h"

#include "test.h"

static void assert_bytes(const akidb_buffer *buffer, const uint8_t *expected, size_t size)
{
    assert_int_equal(buffer->size, size);
    assert_memory_equal(buffer->data, expected, size);
}

static void a_step_over_15_takes_the_long_field_head(void **state)
{
    (void)state;
    akidb_buffer buffer = {0};
    ak_thrift_writer writer = {&buffer, NULL, AKIDB_OK, 0};
    int enclosing = ak_thrift_begin_element(&writer);
    ak_thrift_put_i32(&writer, 1, 3);
    ak_thrift_put_i32(&writer, 16, -3); /* 15 further: still short */
    ak_thrift_put_bool(&writer, 32, true);
    ak_thrift_end_struct(&writer, enclosing);
    const uint8_t expected[] = {0x15, 0x06, 0xF5, 0x05, 0x01, 0x40, 0x00};
    assert_int_equal(writer.status, AKIDB_OK);
    assert_bytes(&buffer, expected, sizeof expected);
    akidb_buffer_free(&buffer);
}

static void a_list_of_15_takes_the_long_head(void **state)
{
    (void)state;
    for (size_t count = 14; count <= 15; count++) {
        akidb_buffer buffer = {0};
        ak_thrift_writer writer = {&buffer, NULL, AKIDB_OK, 0};
        ak_thrift_begin_list(&writer, 2, AK_THRIFT_I32, count);
        const uint8_t fourteen[] = {0x29, 0xE5}, fifteen[] = {0x29, 0xF5, 0x0F};
        if (count == 14)
            assert_bytes(&buffer, fourteen, sizeof fourteen);
        else
            assert_bytes(&buffer, fifteen, sizeof fifteen);
        akidb_buffer_free(&buffer);
    }
}

static void the_extreme_integers_are_ten_bytes(void **state)
{
    (void)state;
    akidb_buffer buffer = {0};
    ak_thrift_writer writer = {&buffer, NULL, AKIDB_OK, 0};
    ak_thrift_put_i64(&writer, 1, INT64_MIN);
    ak_thrift_put_i64(&writer, 2, INT64_MAX);
    const uint8_t expected[] = {0x16, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,
                                0x16, 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01};
    assert_bytes(&buffer, expected, sizeof expected);
    akidb_buffer_free(&buffer);
}

static void a_data_page_header(void **state)
{
    (void)state;
    const ak_page_header header = {.type = AK_PAGE_DATA,
                                   .uncompressed_size = 100,
                                   .compressed_size = 50,
                                   .has_crc = true,
                                   .crc = 0xFFFFFFFFu, /* stored as a signed -1 */
                                   .num_values = 10,
                                   .encoding = AK_ENCODING_PLAIN,
                                   .definition_encoding = AK_ENCODING_RLE,
                                   .repetition_encoding = AK_ENCODING_RLE};
    const uint8_t expected[] = {0x15, 0x00, 0x15, 0xC8, 0x01, 0x15, 0x64, 0x15, 0x01, 0x1C,
                                0x15, 0x14, 0x15, 0x00, 0x15, 0x06, 0x15, 0x06, 0x00, 0x00};
    akidb_buffer buffer = {0};
    akidb_error err = {0};
    assert_ok(err, ak_page_header_write(&header, &buffer, &err));
    assert_bytes(&buffer, expected, sizeof expected);
    akidb_buffer_free(&buffer);
}

static void a_dictionary_page_header_without_a_checksum(void **state)
{
    (void)state;
    const ak_page_header header = {.type = AK_PAGE_DICTIONARY,
                                   .uncompressed_size = 7,
                                   .compressed_size = 7,
                                   .num_values = 1,
                                   .encoding = AK_ENCODING_PLAIN};
    const uint8_t expected[] = {0x15, 0x04, 0x15, 0x0E, 0x15, 0x0E, 0x4C,
                                0x15, 0x02, 0x15, 0x00, 0x00, 0x00};
    akidb_buffer buffer = {0};
    akidb_error err = {0};
    assert_ok(err, ak_page_header_write(&header, &buffer, &err));
    assert_bytes(&buffer, expected, sizeof expected);
    akidb_buffer_free(&buffer);
}

static void a_version_2_page_header(void **state)
{
    (void)state;
    const ak_page_header header = {.type = AK_PAGE_DATA_V2,
                                   .uncompressed_size = 3,
                                   .compressed_size = 3,
                                   .num_values = 2,
                                   .num_nulls = 1,
                                   .num_rows = 2,
                                   .encoding = AK_ENCODING_PLAIN,
                                   .definition_bytes = 2,
                                   .repetition_bytes = 0,
                                   .is_compressed = false};
    const uint8_t expected[] = {0x15, 0x06, 0x15, 0x06, 0x15, 0x06, 0x5C, 0x15, 0x04, 0x15, 0x02,
                                0x15, 0x04, 0x15, 0x00, 0x15, 0x04, 0x15, 0x00, 0x12, 0x00, 0x00};
    akidb_buffer buffer = {0};
    akidb_error err = {0};
    assert_ok(err, ak_page_header_write(&header, &buffer, &err));
    assert_bytes(&buffer, expected, sizeof expected);
    akidb_buffer_free(&buffer);
}

static void an_offset_index(void **state)
{
    (void)state;
    const ak_page_location pages[] = {{4, 100, 0}, {104, 64, 1000}};
    const uint8_t expected[] = {0x19, 0x2C,                                     /* 2 structs */
                                0x16, 0x08, 0x15, 0xC8, 0x01, 0x16, 0x00, 0x00, /* 4, 100, 0 */
                                0x16, 0xD0, 0x01, 0x15, 0x80, 0x01, 0x16, 0xD0, 0x0F, /* 104, 64 */
                                0x00, 0x00};
    akidb_buffer buffer = {0};
    akidb_error err = {0};
    assert_ok(err, ak_offset_index_write(pages, 2, &buffer, &err));
    assert_bytes(&buffer, expected, sizeof expected);
    akidb_buffer_free(&buffer);
}

static void a_footer_with_a_time_column(void **state)
{
    (void)state;
    const ak_schema_element schema[] = {
        {.type = -1, .repetition = -1, .name = "s", .num_children = 1, .converted_type = -1},
        {.type = AK_TYPE_INT64,
         .repetition = AK_REQUIRED,
         .name = "t",
         .converted_type = AK_CONVERTED_TIMESTAMP_MILLIS,
         .logical_type = {.kind = AK_LOGICAL_TIMESTAMP,
                          .is_adjusted_to_utc = true,
                          .unit = AK_UNIT_MILLIS}},
    };
    const int orders[] = {1};
    const ak_file_metadata metadata = {.version = 1,
                                       .schema = schema,
                                       .schema_count = 2,
                                       .created_by = "me",
                                       .column_orders = orders,
                                       .column_order_count = 1};
    const uint8_t expected[] = {
        0x15, 0x02,                                     /* version 1 */
        0x19, 0x2C,                                     /* schema: 2 structs */
        0x48, 0x01, 's',  0x15, 0x02, 0x00,             /* name, num_children */
        0x15, 0x04, 0x25, 0x00, 0x18, 0x01, 't',        /* INT64, REQUIRED, name */
        0x25, 0x12,                                     /* converted type 9 */
        0x4C, 0x8C, 0x11, 0x1C, 0x1C, 0x00, 0x00, 0x00, /* union 8: utc, union 1: {} */
        0x00, 0x00,                                     /* ends of the union and the element */
        0x16, 0x00,                                     /* no rows */
        0x19, 0x0C,                                     /* no row groups */
        0x28, 0x02, 'm',  'e',                          /* created_by */
        0x19, 0x1C, 0x1C, 0x00, 0x00,                   /* one column order, TYPE_ORDER */
        0x00,
    };
    akidb_buffer buffer = {0};
    akidb_error err = {0};
    assert_ok(err, ak_file_metadata_write(&metadata, &buffer, &err));
    assert_bytes(&buffer, expected, sizeof expected);
    akidb_buffer_free(&buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_over_15_takes_the_long_field_head),
        cmocka_unit_test(a_list_of_15_takes_the_long_head),
        cmocka_unit_test(the_extreme_integers_are_ten_bytes),
        cmocka_unit_test(a_data_page_header),
        cmocka_unit_test(a_dictionary_page_header_without_a_checksum),
        cmocka_unit_test(a_version_2_page_header),
        cmocka_unit_test(an_offset_index),
        cmocka_unit_test(a_footer_with_a_time_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
