/* Footers that lie: lengths, magic, thrift, schema, and where the chunks are. */
#include "builder.h"

static builder b;

/* Lays the whole of a sound file out, without freeing it. */
static void build_sound(void)
{
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    build_end(&b);
}

static void refuse_bytes(akidb_status expected, const char *text)
{
    akidb_documents *documents;
    akidb_status status = decode_exact(&b.file, NULL, &documents, &b.err);
    akidb_documents_free(documents);
    if (status != expected || strstr(b.err.message, text) == NULL)
        fail_msg("expected \"%s\" with \"%s\", found \"%s\": %s", akidb_status_name(expected), text,
                 akidb_status_name(status), b.err.message);
}

/* ---- the ends of the file -------------------------------------------------------------------- */

static void every_cut_off_file_is_corruption(void **state)
{
    (void)state;
    build_sound();
    size_t size = b.file.size;
    for (b.file.size = 0; b.file.size < size; b.file.size++)
        refuse_bytes(AKIDB_E_CORRUPTION, "expected");
    akidb_buffer_free(&b.file);
}

static void other_magic_is_no_parquet_file(void **state)
{
    (void)state;
    build_sound();
    b.file.data[0] = 'X';
    refuse_bytes(AKIDB_E_CORRUPTION, "\"PAR1\"");
    b.file.data[0] = 'P';
    b.file.data[b.file.size - 1] = '2';
    refuse_bytes(AKIDB_E_CORRUPTION, "\"PAR1\"");
    akidb_buffer_free(&b.file);
}

static void an_encrypted_footer_is_unsupported(void **state)
{
    (void)state;
    build_sound();
    memcpy(b.file.data + b.file.size - 4, "PARE", 4);
    memcpy(b.file.data, "PARE", 4);
    refuse_bytes(AKIDB_E_UNSUPPORTED, "encrypted");
    akidb_buffer_free(&b.file);
}

static void a_footer_of_impossible_length_is_corruption(void **state)
{
    (void)state;
    build_sound();
    const uint32_t lengths[] = {0, (uint32_t)b.file.size - 11, UINT32_MAX, 0x80000000u};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(b.file.data + b.file.size - 8, &lengths[i], 4);
        refuse_bytes(AKIDB_E_CORRUPTION, "a footer of 1 to");
    }
    akidb_buffer_free(&b.file);
}

/* ---- thrift ---------------------------------------------------------------------------------- */

/* A file that is nothing but this footer. */
static void refuse_footer(const char *bytes, size_t size, akidb_status status, const char *text)
{
    build_begin(&b, 0);
    put_bytes(&b.file, bytes, size);
    put_u32(&b.file, (uint32_t)size);
    put_bytes(&b.file, "PAR1", 4);
    refuse_bytes(status, text);
    akidb_buffer_free(&b.file);
}

#define REFUSE_FOOTER(bytes, text) refuse_footer(bytes, sizeof(bytes) - 1, AKIDB_E_CORRUPTION, text)

static void thrift_that_is_none_is_corruption(void **state)
{
    (void)state;
    REFUSE_FOOTER("\x15\x02\x15\xff\xff\xff\xff\xff\xff\xff\x00", "expected type 9");
    REFUSE_FOOTER("\x15\xff\xff\xff\xff\xff\x01\x00", "at most 32 bits");
    REFUSE_FOOTER("\x15\xff\xff\xff\xff\x1f\x00", "at most 32 bits");
    REFUSE_FOOTER("\x15", "found its end");
    REFUSE_FOOTER("\x15\x02", "found its end");
    REFUSE_FOOTER("\x1e\x02\x00", "found type 14");
    REFUSE_FOOTER("\x10\x02\x00", "found type 0");
    REFUSE_FOOTER("\x05\x01\x02\x00", "field number");          /* field -1 */
    REFUSE_FOOTER("\x15\x02\x05\x02\x02\x00", "field 1 again"); /* field 1 twice */
    REFUSE_FOOTER("\x15\x02\x00", "expected field 2 of FileMetaData");
    REFUSE_FOOTER("\x68\x7f\x00", "a text within");
}

static void lists_over_the_bytes_left_are_corruption(void **state)
{
    (void)state;
    REFUSE_FOOTER("\x15\x02\x19\xfc\xff\xff\xff\xff\x0f\x00", "a list within");
    REFUSE_FOOTER("\x15\x02\x19\xfc\xff\xff\xff\xff\x7f\x00", "at most 32 bits");
    REFUSE_FOOTER("\x15\x02\x19\x4c\x00\x00\x00\x00\x00", "a list within");
    REFUSE_FOOTER("\x15\x02\x19\x15\x02\x02\x02\x02\x02\x00", "a list of type 12");
    REFUSE_FOOTER("\xf9\xf0\x01\x00\x00\x00", ""); /* elements of type "stop" */
    REFUSE_FOOTER("\xf9\x10\x01\x00", "known type of element");
    REFUSE_FOOTER("\xfb\xff\xff\xff\xff\x0f\x11\x00", "a map within");
}

static void nesting_without_end_is_corruption(void **state)
{
    (void)state;
    char deep[4000];
    memset(deep, 0x1c, sizeof deep); /* field + 1: a struct */
    deep[0] = (char)0xfc;            /* an unknown field */
    refuse_footer(deep, sizeof deep, AKIDB_E_CORRUPTION, "64 levels deep");
    memset(deep, 0x19, sizeof deep); /* a list of one list */
    deep[0] = (char)0xf9;
    refuse_footer(deep, sizeof deep, AKIDB_E_CORRUPTION, "64 levels deep");
}

/* ---- schema ---------------------------------------------------------------------------------- */

static void children_that_are_not_there_are_corruption(void **state)
{
    (void)state;
    static const int32_t counts[] = {-1, 0, 2, INT32_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (size_t element = 0; element < 3; element++) {
            if (element == 0 && counts[i] == 1)
                continue;
            build_begin(&b, 3);
            build_vectors(&b, 3, 4);
            b.schema[element].num_children = counts[i];
            build_refused(&b, AKIDB_E_CORRUPTION, "schema");
        }
}

static void unknown_types_and_repetitions_are_refused(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.schema[3].type = 8;
    build_refused(&b, AKIDB_E_CORRUPTION, "physical type");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.schema[2].repetition = 4;
    build_refused(&b, AKIDB_E_CORRUPTION, "repeated");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.schema[2].repetition = 3;
    build_refused(&b, AKIDB_E_UNSUPPORTED, "VECTOR");
}

static void fixed_bytes_of_impossible_length_are_corruption(void **state)
{
    (void)state;
    static const int32_t lengths[] = {0, -16, INT32_MIN};
    for (size_t i = 0; i < 3; i++) {
        build_begin(&b, 3);
        build_vectors(&b, 3, 4);
        build_flat(&b, "x", AK_TYPE_FIXED_LEN_BYTE_ARRAY, AK_REQUIRED);
        b.schema[4].type_length = lengths[i];
        b.chunks[1].num_values = 3;
        build_refused(&b, AKIDB_E_CORRUPTION, "a length over 0");
    }
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    build_flat(&b, "x", AK_TYPE_FIXED_LEN_BYTE_ARRAY, AK_REQUIRED);
    b.schema[4].type_length = 15;
    b.schema[4].logical_type.kind = AK_LOGICAL_UUID;
    b.chunks[1].num_values = 3;
    build_refused(&b, AKIDB_E_CORRUPTION, "16 fixed bytes");
}

static void a_schema_without_end_is_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    for (int i = 0; i < 80; i++)
        build_element(&b, "group", -1, AK_REQUIRED, 1);
    build_element(&b, "leaf", AK_TYPE_FLOAT, AK_REPEATED, 0);
    build_chunk(&b, AK_TYPE_FLOAT)->num_values = 3;
    build_refused(&b, AKIDB_E_CORRUPTION, "64 levels");
}

static void unknown_logical_types_are_ignored(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.schema[3].logical_type.kind = 19;
    b.schema[3].converted_type = 99;
    akidb_documents_free(build_decoded(&b));
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static void chunks_outside_the_file_are_corruption(void **state)
{
    (void)state;
    static const int64_t values[] = {-1, INT64_MIN, INT64_MAX, 1000000, 0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        build_begin(&b, 3);
        build_vectors(&b, 3, 4);
        b.chunks[0].data_page_offset = values[i];
        build_refused(&b, AKIDB_E_CORRUPTION, "in the footer, row group 0");
        build_begin(&b, 3);
        build_vectors(&b, 3, 4);
        b.chunks[0].total_compressed_size = values[i];
        build_refused(&b, AKIDB_E_CORRUPTION, "expected");
    }
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunks[0].total_compressed_size += 1; /* one byte of the footer */
    build_refused(&b, AKIDB_E_CORRUPTION, "ends before the footer");
}

static void chunks_that_overlap_are_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    build_flat(&b, "x", AK_TYPE_FLOAT, AK_REQUIRED);
    b.chunks[1].num_values = 3;
    b.chunks[1].data_page_offset = b.chunks[0].data_page_offset + 5;
    b.chunks[1].total_compressed_size = 3;
    build_refused(&b, AKIDB_E_CORRUPTION, "overlaps");
}

static void counts_that_contradict_are_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.metadata.num_rows = 4;
    build_refused(&b, AKIDB_E_CORRUPTION, "as many rows as its row groups");
    build_begin(&b, -3);
    build_vectors(&b, 3, 4);
    build_refused(&b, AKIDB_E_CORRUPTION, "at least 0");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunks[0].num_values = -12;
    build_refused(&b, AKIDB_E_CORRUPTION, "at least 0");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunks[0].num_values = 2;
    build_refused(&b, AKIDB_E_CORRUPTION, "at least as many values");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    build_flat(&b, "x", AK_TYPE_INT32, AK_REQUIRED)->num_values = 2;
    build_refused(&b, AKIDB_E_CORRUPTION, "as many values as rows");
}

static void chunks_that_do_not_fit_the_schema_are_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunk_count = 0;
    build_refused(&b, AKIDB_E_CORRUPTION, "column chunks as the schema has leaves");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunk_count = 2;
    b.chunks[1] = b.chunks[0];
    build_refused(&b, AKIDB_E_CORRUPTION, "column chunks as the schema has leaves");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunks[0].type = AK_TYPE_INT32;
    build_refused(&b, AKIDB_E_CORRUPTION, "type FLOAT as in the schema, found INT32");
}

static void codecs_that_are_not_read_are_unsupported(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4)->codec = 3;
    build_refused(&b, AKIDB_E_UNSUPPORTED, "LZO");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4)->codec = 99;
    build_refused(&b, AKIDB_E_UNSUPPORTED, "compression 99");
    build_begin(&b, 3);
    build_vectors(&b, 3, 4)->codec = -1;
    build_refused(&b, AKIDB_E_UNSUPPORTED, "compression -1");
}

/* ---- statistics ------------------------------------------------------------------------------ */

static void read_bounds(akidb_slice min, akidb_slice max, int order,
                        akidb_parquet_row_group_bounds *bounds)
{
    akidb_parquet_reader *reader;
    int orders[] = {order, order};
    akidb_buffer body = {0};
    const int64_t times[] = {5, 6};
    build_begin(&b, 2);
    build_vectors(&b, 2, 2);
    ak_column_chunk *chunk = build_flat(&b, "inserted_at", AK_TYPE_INT64, AK_REQUIRED);
    put_bytes(&body, times, sizeof times);
    build_plain_page(&b, 2, body);
    chunk->statistics = (ak_statistics){.min_value = min, .max_value = max};
    b.metadata.column_orders = orders;
    b.metadata.column_order_count = 2;
    build_end(&b);
    akidb_input input = akidb_input_from_memory((akidb_slice){b.file.data, b.file.size}, "built");
    assert_ok(b.err, akidb_parquet_reader_open(&input, NULL, &reader, &b.err));
    assert_ok(b.err, akidb_parquet_reader_bounds(reader, 0, bounds, &b.err));
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_reader_bounds(reader, 1, bounds + 1, &b.err));
    akidb_parquet_reader_close(reader);
    akidb_buffer_free(&b.file);
}

static void odd_statistics_are_not_used(void **state)
{
    (void)state;
    const int64_t five = 5, six = 6, never = INT64_MAX;
    const akidb_slice min = {&five, 8}, max = {&six, 8};
    akidb_parquet_row_group_bounds bounds[2];
    read_bounds(min, max, 1, bounds);
    assert_true(bounds->has_inserted_at);
    assert_int_equal(bounds->inserted_at_min, 5);
    assert_int_equal(bounds->inserted_at_max, 6);
    read_bounds(min, max, 2, bounds); /* an order that is not known */
    assert_false(bounds->has_inserted_at);
    read_bounds(max, min, 1, bounds);
    assert_false(bounds->has_inserted_at);
    read_bounds((akidb_slice){&five, 7}, max, 1, bounds);
    assert_false(bounds->has_inserted_at);
    read_bounds(min, (akidb_slice){"", 0}, 1, bounds);
    assert_false(bounds->has_inserted_at);
    read_bounds(min, (akidb_slice){&never, 8}, 1, bounds);
    assert_false(bounds->has_inserted_at);
}

/* Two ids of 16 bytes in a column of the type; whether their bounds are used. */
static bool bounds_ids(int type, bool min_exact, bool max_exact, bool allow_other_ids)
{
    static const char ids[] = "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbb";
    int orders[] = {1, 1};
    akidb_buffer body = {0};
    build_begin(&b, 2);
    build_vectors(&b, 2, 2);
    ak_column_chunk *chunk = build_flat(&b, "document_id", type, AK_REQUIRED);
    b.schema[b.schema_count - 1].type_length = 16;
    for (int i = 0; i < 2; i++) {
        if (type == AK_TYPE_BYTE_ARRAY)
            put_u32(&body, 16);
        put_bytes(&body, ids + 16 * i, 16);
    }
    build_plain_page(&b, 2, body);
    chunk->statistics = (ak_statistics){.min_value = {ids, 16},
                                        .max_value = {ids + 16, 16},
                                        .is_min_exact = min_exact,
                                        .is_max_exact = max_exact};
    b.metadata.column_orders = orders;
    b.metadata.column_order_count = 2;
    b.options.allow_other_ids = allow_other_ids;
    build_end(&b);
    akidb_parquet_reader *reader;
    akidb_parquet_row_group_bounds bounds;
    akidb_input input = akidb_input_from_memory((akidb_slice){b.file.data, b.file.size}, "built");
    assert_ok(b.err, akidb_parquet_reader_open(&input, &b.options, &reader, &b.err));
    assert_ok(b.err, akidb_parquet_reader_bounds(reader, 0, &bounds, &b.err));
    assert_int_equal(memcmp(&bounds.document_id_min, ids, 16) == 0, bounds.has_document_id);
    assert_int_equal(memcmp(&bounds.document_id_max, ids + 16, 16) == 0, bounds.has_document_id);
    akidb_parquet_reader_close(reader);
    akidb_buffer_free(&b.file);
    return bounds.has_document_id;
}

/* A text of 36 characters may be cut to 16 bytes in the statistics, and its UUID lies elsewhere. So
 * does the new UUID of a document whose id is none. */
static void only_bounds_of_whole_uuids_are_used(void **state)
{
    (void)state;
    assert_true(bounds_ids(AK_TYPE_FIXED_LEN_BYTE_ARRAY, false, false, false));
    assert_true(bounds_ids(AK_TYPE_FIXED_LEN_BYTE_ARRAY, false, false, true));
    assert_true(bounds_ids(AK_TYPE_BYTE_ARRAY, true, true, false));
    assert_false(bounds_ids(AK_TYPE_BYTE_ARRAY, false, true, false));
    assert_false(bounds_ids(AK_TYPE_BYTE_ARRAY, true, false, false));
    assert_false(bounds_ids(AK_TYPE_BYTE_ARRAY, true, true, true));
}

/* ---- columns that cannot be had -------------------------------------------------------------- */

#define THRIFT_HEAD                                                                                \
    "\x15\x02"                           /* version 1 */                                           \
    "\x19\x2c\x48\x01s\x15\x02\x00"      /* schema: a root with one child, */                      \
    "\x15\x08\x25\x04\x18\x06vector\x00" /* repeated float vector */                               \
    "\x16\x02"                           /* one row */                                             \
    "\x19\x1c\x19\x1c"                   /* one row group of one column chunk */
#define THRIFT_TAIL                                                                                \
    "\x16\x00\x16\x02\x00"                                                                         \
    "\x00" /* size 0, one row, and the ends */

static void columns_encrypted_or_elsewhere_are_unsupported(void **state)
{
    (void)state;
    static const char footer[] = "\x15\x02\x19\x0c\x16\x00\x19\x0c"
                                 "\x4c\x00\x00"; /* encryption_algorithm */
    refuse_footer(footer, sizeof footer - 1, AKIDB_E_UNSUPPORTED, "the columns are encrypted");
    static const char column[] = THRIFT_HEAD "\x26\x00\x6c\x00" /* crypto_metadata */
                                             "\x18\x10"
                                             "0123456789abcdef"
                                             "\x00" THRIFT_TAIL;
    refuse_footer(column, sizeof column - 1, AKIDB_E_UNSUPPORTED, "the column is encrypted");
    static const char elsewhere[] =
        THRIFT_HEAD "\x18\x01x" /* file_path */
                    "\x16\x00\x1c\x15\x08\x19\x05\x25\x00\x16\x02\x16\x00\x16\x00\x26\x08\x00"
                    "\x00" THRIFT_TAIL;
    refuse_footer(elsewhere, sizeof elsewhere - 1, AKIDB_E_UNSUPPORTED, "lies in another file");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_off_file_is_corruption),
        cmocka_unit_test(other_magic_is_no_parquet_file),
        cmocka_unit_test(an_encrypted_footer_is_unsupported),
        cmocka_unit_test(a_footer_of_impossible_length_is_corruption),
        cmocka_unit_test(thrift_that_is_none_is_corruption),
        cmocka_unit_test(lists_over_the_bytes_left_are_corruption),
        cmocka_unit_test(nesting_without_end_is_corruption),
        cmocka_unit_test(children_that_are_not_there_are_corruption),
        cmocka_unit_test(unknown_types_and_repetitions_are_refused),
        cmocka_unit_test(fixed_bytes_of_impossible_length_are_corruption),
        cmocka_unit_test(a_schema_without_end_is_corruption),
        cmocka_unit_test(unknown_logical_types_are_ignored),
        cmocka_unit_test(chunks_outside_the_file_are_corruption),
        cmocka_unit_test(chunks_that_overlap_are_corruption),
        cmocka_unit_test(counts_that_contradict_are_corruption),
        cmocka_unit_test(chunks_that_do_not_fit_the_schema_are_corruption),
        cmocka_unit_test(codecs_that_are_not_read_are_unsupported),
        cmocka_unit_test(columns_encrypted_or_elsewhere_are_unsupported),
        cmocka_unit_test(odd_statistics_are_not_used),
        cmocka_unit_test(only_bounds_of_whole_uuids_are_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
