/* Pages that lie: each is refused with a reason, and nothing is allocated by its claims. */
#include "base/checksum.h"
#include "builder.h"
#include "codec/compress.h"

static builder b;

static void the_built_file_is_sound(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    akidb_documents *documents = build_decoded(&b);
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, 3);
    for (size_t i = 0; i < 12; i++)
        assert_true(batch.vectors[i] == (float)i);
    akidb_documents_free(documents);
}

/* ---- headers --------------------------------------------------------------------------------- */

static void refuse_header(ak_page_header header, akidb_status status, const char *text)
{
    akidb_buffer body = vector_body(3, 4, 0);
    build_begin(&b, 3);
    build_vector(&b);
    build_page(&b, &header, &body);
    b.chunks[0].num_values = 12;
    build_refused(&b, status, text);
}

static ak_page_header sound_header(void)
{
    akidb_buffer body = vector_body(3, 4, 0);
    ak_page_header header = data_header(12, body.size);
    akidb_buffer_free(&body);
    return header;
}

static void negative_sizes_are_corruption(void **state)
{
    (void)state;
    ak_page_header header = sound_header();
    header.compressed_size = -1;
    refuse_header(header, AKIDB_E_CORRUPTION, "sizes and counts of 0 or more");
    header = sound_header();
    header.uncompressed_size = INT32_MIN;
    refuse_header(header, AKIDB_E_CORRUPTION, "sizes and counts of 0 or more");
    header = sound_header();
    header.num_values = -12;
    refuse_header(header, AKIDB_E_CORRUPTION, "sizes and counts of 0 or more");
}

static void a_page_over_the_end_of_its_chunk_is_corruption(void **state)
{
    (void)state;
    ak_page_header header = sound_header();
    header.compressed_size += 1;
    header.uncompressed_size += 1;
    refuse_header(header, AKIDB_E_CORRUPTION, "within the bytes left");
}

static void two_sizes_of_a_page_that_is_not_compressed_are_corruption(void **state)
{
    (void)state;
    ak_page_header header = sound_header();
    header.uncompressed_size = 1 << 30;
    refuse_header(header, AKIDB_E_CORRUPTION, "not compressed");
}

static void a_wrong_crc_is_corruption(void **state)
{
    (void)state;
    ak_page_header header = sound_header();
    akidb_buffer body = vector_body(3, 4, 0);
    header.has_crc = true;
    header.crc = ak_crc32(0, body.data, body.size);
    refuse_header(header, AKIDB_OK, "");
    header.crc ^= 1;
    refuse_header(header, AKIDB_E_CORRUPTION, "CRC-32");
    akidb_buffer_free(&body);
}

static void an_encoding_that_the_footer_does_not_list_is_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunks[0].encodings = b.encodings[0] + 3; /* from RLE on: without PLAIN */
    b.chunks[0].encoding_count = 2;
    build_refused(&b, AKIDB_E_CORRUPTION, "an encoding that the footer lists");
}

static void an_unknown_encoding_is_unsupported(void **state)
{
    (void)state;
    ak_page_header header = sound_header();
    header.encoding = 10;
    refuse_header(header, AKIDB_E_UNSUPPORTED, "ALP");
    header.encoding = -1;
    refuse_header(header, AKIDB_E_UNSUPPORTED, "encoding -1");
    header.encoding = AK_ENCODING_DELTA_BINARY_PACKED;
    refuse_header(header, AKIDB_E_UNSUPPORTED, "DELTA_BINARY_PACKED");
}

static void levels_in_bit_packed_are_unsupported(void **state)
{
    (void)state;
    ak_page_header header = sound_header();
    header.repetition_encoding = AK_ENCODING_BIT_PACKED;
    refuse_header(header, AKIDB_E_UNSUPPORTED, "BIT_PACKED");
    header.repetition_encoding = AK_ENCODING_PLAIN;
    refuse_header(header, AKIDB_E_CORRUPTION, "encoding RLE");
}

static void unknown_pages_are_skipped(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vector(&b);
    akidb_buffer nothing = {0}, index = {0};
    put_bytes(&index, "index", 5);
    build_page(&b, &(ak_page_header){.type = 77}, &nothing);
    build_page(
        &b, &(ak_page_header){.type = AK_PAGE_INDEX, .compressed_size = 5, .uncompressed_size = 5},
        &index);
    build_plain_page(&b, 12, vector_body(3, 4, 0));
    akidb_documents_free(build_decoded(&b));
}

static void pages_of_nothing_come_to_an_end(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vector(&b);
    for (int i = 0; i < 50; i++)
        build_plain_page(&b, 0, vector_body(0, 4, 0));
    build_plain_page(&b, 12, vector_body(3, 4, 0));
    akidb_documents_free(build_decoded(&b));
}

static void garbage_behind_the_last_page_is_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    put_bytes(&b.file, "\xFF\xFF\xFF", 3);
    b.chunks[0].total_compressed_size += 3;
    build_refused(&b, AKIDB_E_CORRUPTION, "expected");
}

/* ---- bombs ----------------------------------------------------------------------------------- */

static void refuse_compressed(int codec, int32_t claimed, akidb_status status, const char *text)
{
    akidb_error err;
    akidb_buffer plain = vector_body(3, 4, 0), packed = {0};
    ak_compressor *compressor;
    assert_ok(err, ak_compressor_new((ak_codec)codec, 0, &compressor, &err));
    assert_ok(err,
              ak_compress(compressor, &(akidb_slice){plain.data, plain.size}, 1, &packed, &err));
    ak_compressor_free(compressor);
    ak_page_header header = data_header(12, plain.size);
    header.compressed_size = (int32_t)packed.size;
    if (claimed >= 0)
        header.uncompressed_size = claimed;
    build_begin(&b, 3);
    build_vector(&b)->codec = codec;
    build_page(&b, &header, &packed);
    akidb_buffer_free(&plain);
    build_refused(&b, status, text);
}

static void a_page_of_another_size_than_claimed_is_corruption(void **state)
{
    (void)state;
    static const int codecs[] = {AK_CODEC_SNAPPY, AK_CODEC_GZIP, AK_CODEC_ZSTD, AK_CODEC_LZ4_RAW};
    akidb_buffer plain = vector_body(3, 4, 0);
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++) {
        refuse_compressed(codecs[i], -1, AKIDB_OK, "");
        refuse_compressed(codecs[i], (int32_t)plain.size - 1, AKIDB_E_CORRUPTION, "in this page");
        refuse_compressed(codecs[i], (int32_t)plain.size + 1, AKIDB_E_CORRUPTION, "in this page");
        refuse_compressed(codecs[i], 0, AKIDB_E_CORRUPTION, "in this page");
    }
    akidb_buffer_free(&plain);
}

static void a_page_that_its_bytes_cannot_hold_is_corruption(void **state)
{
    (void)state;
    refuse_compressed(AK_CODEC_SNAPPY, 1 << 30, AKIDB_E_CORRUPTION, "its bytes can hold");
    refuse_compressed(AK_CODEC_GZIP, 1 << 30, AKIDB_E_CORRUPTION, "its bytes can hold");
    refuse_compressed(AK_CODEC_LZ4_RAW, 1 << 30, AKIDB_E_CORRUPTION, "its bytes can hold");
}

static void a_page_over_the_limit_is_not_decompressed(void **state)
{
    (void)state;
    refuse_compressed(AK_CODEC_ZSTD, INT32_MAX, AKIDB_E_LIMIT, "max_page_bytes");
}

static void rows_that_the_bytes_cannot_hold_are_over_the_limit(void **state)
{
    (void)state;
    build_begin(&b, INT64_C(1) << 60);
    build_vectors(&b, 3, 4);
    b.chunks[0].num_values = INT64_C(1) << 62;
    build_refused(&b, AKIDB_E_LIMIT, "1152921504606846976 rows of 40 bytes; smaller row groups");
}

/* 80 MB out of 3 KB, as other engines write them: one entry of a dictionary, and runs. */
static void vectors_that_are_all_the_same_are_read(void **state)
{
    (void)state;
    enum { ROWS = 300, K = AKIDB_DIMENSION_MAX };
    akidb_buffer entry = {0}, body = {0}, levels = {0};
    build_begin(&b, ROWS);
    build_vector(&b);
    put_floats(&entry, 7, 1);
    ak_page_header header = {
        .type = AK_PAGE_DICTIONARY, .compressed_size = 4, .uncompressed_size = 4, .num_values = 1};
    build_page(&b, &header, &entry);
    assert_ok(b.err, ak_levels_append_fixed_repetition(&levels, ROWS, K, &b.err));
    put_u32(&body, (uint32_t)levels.size);
    put_bytes(&body, levels.data, levels.size);
    akidb_buffer_free(&levels);
    put_constant_levels(&body, (uint64_t)ROWS * K, 1);
    put_bytes(&body, "\0", 1); /* width 0, one run of all */
    for (uint32_t run = (uint32_t)ROWS * K << 1; run > 0; run >>= 7)
        put_bytes(&body, &(uint8_t){(uint8_t)(run < 128 ? run : run | 128)}, 1);
    header = data_header(ROWS * K, body.size);
    header.encoding = AK_ENCODING_RLE_DICTIONARY;
    build_page(&b, &header, &body);
    assert_true(b.file.size < 4000);
    akidb_documents *documents = build_decoded(&b);
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, ROWS);
    assert_true(batch.vectors[0] == 7 && batch.vectors[(size_t)ROWS * K - 1] == 7);
    akidb_documents_free(documents);
}

/* ---- counts ---------------------------------------------------------------------------------- */

static void more_values_than_the_footer_counts_are_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunks[0].num_values = 9;
    build_refused(&b, AKIDB_E_CORRUPTION, "at most 9");
}

static void fewer_values_than_the_footer_counts_are_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    b.chunks[0].num_values = 15;
    build_refused(&b, AKIDB_E_VALIDATION, "5 floats, found 4");
    build_begin(&b, 4);
    build_vectors(&b, 3, 4);
    b.chunks[0].num_values = 16;
    build_refused(&b, AKIDB_E_CORRUPTION, "as many values as the footer counts, 16, found 12");
}

static void pages_of_flat_columns_must_have_the_rows_of_the_row_group(void **state)
{
    (void)state;
    for (int32_t rows = 1; rows <= 3; rows += 2) {
        build_begin(&b, 2);
        build_vectors(&b, 2, 4);
        build_flat(&b, "inserted_at", AK_TYPE_INT64, AK_REQUIRED);
        akidb_buffer body = {0};
        put_bytes(&body, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 8 * (size_t)rows);
        build_plain_page(&b, rows, body);
        b.chunks[1].num_values = 2;
        build_refused(&b, AKIDB_E_CORRUPTION, "expected");
    }
}

/* ---- dictionaries ---------------------------------------------------------------------------- */

/* A vector column whose two rows of two values are indices into a dictionary of two floats. */
static void build_dictionary(const ak_page_header *dictionary, const char *indices, size_t size)
{
    build_begin(&b, 2);
    build_vector(&b);
    if (dictionary != NULL) {
        akidb_buffer entries = {0};
        put_floats(&entries, 7, 2);
        ak_page_header header = *dictionary;
        header.type = AK_PAGE_DICTIONARY;
        header.compressed_size = header.uncompressed_size = 8;
        build_page(&b, &header, &entries);
    }
    akidb_buffer body = {0};
    put_levels(&body, (const uint8_t[]){0, 1, 0, 1}, 4);
    put_constant_levels(&body, 4, 1);
    put_bytes(&body, indices, size);
    ak_page_header header = data_header(4, body.size);
    header.encoding = AK_ENCODING_RLE_DICTIONARY;
    build_page(&b, &header, &body);
}

static const ak_page_header two_entries = {.num_values = 2, .encoding = AK_ENCODING_PLAIN};

static void a_sound_dictionary_is_read(void **state)
{
    (void)state;
    build_dictionary(&two_entries, "\1\3\6", 3);
    akidb_documents *documents = build_decoded(&b);
    akidb_batch batch = akidb_documents_batch(documents);
    static const float expected[] = {7, 8, 8, 7};
    assert_memory_equal(batch.vectors, expected, sizeof expected);
    akidb_documents_free(documents);
    build_dictionary(&two_entries, "\0\10", 2); /* width 0: no value follows */
    akidb_documents_free(build_decoded(&b));
}

static void bad_indices_are_corruption(void **state)
{
    (void)state;
    build_dictionary(&two_entries, "\2\3\27", 3); /* one index is 3 */
    build_refused(&b, AKIDB_E_CORRUPTION, "in this page");
    build_dictionary(&two_entries, "\41\10\0\0\0\0\0", 7);
    build_refused(&b, AKIDB_E_CORRUPTION, "bit width up to 32");
    build_dictionary(&two_entries, "", 0);
    build_refused(&b, AKIDB_E_CORRUPTION, "bit width");
    build_dictionary(&two_entries, "\1\4\1", 3); /* two indices of four */
    build_refused(&b, AKIDB_E_CORRUPTION, "in this page");
    build_dictionary(&two_entries, "\1\0\1", 3); /* a run of none */
    build_refused(&b, AKIDB_E_CORRUPTION, "in this page");
}

static void bad_dictionaries_are_corruption(void **state)
{
    (void)state;
    build_dictionary(NULL, "\1\3\6", 3);
    build_refused(&b, AKIDB_E_CORRUPTION, "a dictionary page before");
    ak_page_header header = two_entries;
    header.num_values = INT32_MAX;
    build_dictionary(&header, "\1\3\6", 3);
    build_refused(&b, AKIDB_E_CORRUPTION, "a dictionary of this many bytes");
    header.num_values = 0;
    build_dictionary(&header, "\1\3\6", 3);
    build_refused(&b, AKIDB_E_CORRUPTION, "a dictionary of this many bytes");
    header = two_entries;
    header.encoding = AK_ENCODING_RLE;
    build_dictionary(&header, "\1\3\6", 3);
    build_refused(&b, AKIDB_E_CORRUPTION, "encoding PLAIN");
}

static void a_second_dictionary_is_corruption(void **state)
{
    (void)state;
    build_dictionary(&two_entries, "\1\3\6", 3);
    akidb_buffer entries = {0};
    put_floats(&entries, 7, 2);
    ak_page_header header = two_entries;
    header.type = AK_PAGE_DICTIONARY;
    header.compressed_size = header.uncompressed_size = 8;
    build_page(&b, &header, &entries);
    build_refused(&b, AKIDB_E_CORRUPTION, "at most one dictionary page");
}

static void a_dictionary_behind_data_is_corruption(void **state)
{
    (void)state;
    build_begin(&b, 3);
    build_vectors(&b, 3, 4);
    akidb_buffer entries = {0};
    put_floats(&entries, 7, 2);
    ak_page_header header = data_header(2, entries.size);
    header.type = AK_PAGE_DICTIONARY;
    build_page(&b, &header, &entries);
    build_refused(&b, AKIDB_E_CORRUPTION, "found one behind them");
}

/* ---- values ---------------------------------------------------------------------------------- */

static void values_of_another_size_are_corruption(void **state)
{
    (void)state;
    for (int encoding = 0; encoding <= AK_ENCODING_BYTE_STREAM_SPLIT;
         encoding += AK_ENCODING_BYTE_STREAM_SPLIT)
        for (int cut = -4; cut <= 4; cut += 8) {
            akidb_buffer body = vector_body(3, 4, 0);
            put_u32(&body, 0);
            body.size = (size_t)((int)body.size - 4 + cut);
            ak_page_header header = data_header(12, body.size);
            header.encoding = encoding;
            build_begin(&b, 3);
            build_vector(&b);
            build_page(&b, &header, &body);
            build_refused(&b, AKIDB_E_CORRUPTION, "values of this many bytes: 48");
        }
}

/* A text column of one row with this body behind the vectors. */
static void refuse_text(int encoding, const char *body_bytes, size_t size, akidb_status status,
                        const char *text)
{
    build_begin(&b, 1);
    build_vectors(&b, 1, 4);
    build_flat(&b, "external_id", AK_TYPE_BYTE_ARRAY, AK_REQUIRED);
    akidb_buffer body = {0};
    put_bytes(&body, body_bytes, size);
    ak_page_header header = data_header(1, size);
    header.encoding = encoding;
    build_page(&b, &header, &body);
    build_refused(&b, status, text);
}

static void texts_over_the_end_of_their_page_are_corruption(void **state)
{
    (void)state;
    refuse_text(AK_ENCODING_PLAIN, "\1\0\0\0x", 5, AKIDB_OK, "");
    refuse_text(AK_ENCODING_PLAIN, "\2\0\0\0x", 5, AKIDB_E_CORRUPTION, "within the bytes left");
    refuse_text(AK_ENCODING_PLAIN, "\377\377\377\377x", 5, AKIDB_E_CORRUPTION,
                "within the bytes left");
    refuse_text(AK_ENCODING_PLAIN, "\1\0\0", 3, AKIDB_E_CORRUPTION, "the length of a value");
    refuse_text(AK_ENCODING_PLAIN, "\1\0\0\0xy", 6, AKIDB_E_CORRUPTION, "after the last value");
}

static void damaged_delta_pages_are_corruption(void **state)
{
    (void)state;
    static const int encodings[] = {AK_ENCODING_DELTA_LENGTH_BYTE_ARRAY,
                                    AK_ENCODING_DELTA_BYTE_ARRAY};
    for (size_t i = 0; i < 2; i++) {
        refuse_text(encodings[i], "", 0, AKIDB_E_CORRUPTION, "in this page");
        refuse_text(encodings[i], "\377\377\377\377\17\4\1\2", 8, AKIDB_E_CORRUPTION,
                    "in this page");
        refuse_text(encodings[i], "\200\1\4\1\1", 5, AKIDB_E_CORRUPTION, "in this page");
    }
    refuse_text(AK_ENCODING_RLE, "x", 1, AKIDB_E_UNSUPPORTED, "encoding RLE");
}

static void text_that_is_not_utf8_is_invalid(void **state)
{
    (void)state;
    refuse_text(AK_ENCODING_PLAIN, "\2\0\0\0\300\200", 6, AKIDB_E_VALIDATION, "row 0");
    assert_string_equal(b.err.column, "external_id");
    assert_int_equal(b.err.row, 0);
}

/* One entry of 60 KB, meant for each of many rows by a run of a few bytes. */
static void a_dictionary_text_for_very_many_rows_is_over_the_limit(void **state)
{
    (void)state;
    enum { ROWS = 30000, SIZE = 60000 };
    build_begin(&b, ROWS);
    build_vectors(&b, ROWS, 1);
    build_flat(&b, "external_id", AK_TYPE_BYTE_ARRAY, AK_REQUIRED);
    akidb_buffer entry = {0};
    put_u32(&entry, SIZE);
    for (int i = 0; i < SIZE; i++)
        put_bytes(&entry, "x", 1);
    ak_page_header header = {.type = AK_PAGE_DICTIONARY,
                             .compressed_size = SIZE + 4,
                             .uncompressed_size = SIZE + 4,
                             .num_values = 1};
    build_page(&b, &header, &entry);
    akidb_buffer body = {0};
    put_bytes(&body, "\0\340\324\3", 4); /* width 0, one run of 30,000 */
    header = data_header(ROWS, body.size);
    header.encoding = AK_ENCODING_RLE_DICTIONARY;
    build_page(&b, &header, &body);
    build_refused(&b, AKIDB_E_LIMIT, "texts that a file of this size would hold");
}

/* ---- V2 pages -------------------------------------------------------------------------------- */

static void refuse_v2(ak_page_header header, akidb_status status, const char *text)
{
    akidb_error err;
    akidb_buffer body = {0}, levels = {0};
    assert_ok(err, ak_levels_append_fixed_repetition(&body, 3, 4, &err));
    header.repetition_bytes += (int32_t)body.size;
    assert_ok(err, ak_levels_append_constant(&levels, 12, 1, &err));
    header.definition_bytes += (int32_t)levels.size;
    put_bytes(&body, levels.data, levels.size);
    put_floats(&body, 0, 12);
    akidb_buffer_free(&levels);
    header.type = AK_PAGE_DATA_V2;
    header.num_values = 12;
    header.num_rows += 3;
    header.compressed_size += (int32_t)body.size;
    header.uncompressed_size += (int32_t)body.size;
    build_begin(&b, 3);
    build_vector(&b);
    build_page(&b, &header, &body);
    build_refused(&b, status, text);
}

static void v2_pages_that_contradict_themselves_are_corruption(void **state)
{
    (void)state;
    refuse_v2((ak_page_header){0}, AKIDB_OK, "");
    refuse_v2((ak_page_header){.repetition_bytes = 1000}, AKIDB_E_CORRUPTION, "levels within");
    refuse_v2((ak_page_header){.definition_bytes = INT32_MAX - 9}, AKIDB_E_CORRUPTION,
              "levels within");
    refuse_v2((ak_page_header){.repetition_bytes = -100}, AKIDB_E_CORRUPTION, "0 or more");
    refuse_v2((ak_page_header){.num_rows = 1}, AKIDB_E_CORRUPTION, "V2 page of whole rows");
    refuse_v2((ak_page_header){.num_nulls = 13}, AKIDB_E_CORRUPTION, "nulls");
    refuse_v2((ak_page_header){.uncompressed_size = 9}, AKIDB_E_CORRUPTION, "not compressed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_file_is_sound),
        cmocka_unit_test(negative_sizes_are_corruption),
        cmocka_unit_test(a_page_over_the_end_of_its_chunk_is_corruption),
        cmocka_unit_test(two_sizes_of_a_page_that_is_not_compressed_are_corruption),
        cmocka_unit_test(a_wrong_crc_is_corruption),
        cmocka_unit_test(an_encoding_that_the_footer_does_not_list_is_corruption),
        cmocka_unit_test(an_unknown_encoding_is_unsupported),
        cmocka_unit_test(levels_in_bit_packed_are_unsupported),
        cmocka_unit_test(unknown_pages_are_skipped),
        cmocka_unit_test(pages_of_nothing_come_to_an_end),
        cmocka_unit_test(garbage_behind_the_last_page_is_corruption),
        cmocka_unit_test(a_page_of_another_size_than_claimed_is_corruption),
        cmocka_unit_test(a_page_that_its_bytes_cannot_hold_is_corruption),
        cmocka_unit_test(a_page_over_the_limit_is_not_decompressed),
        cmocka_unit_test(rows_that_the_bytes_cannot_hold_are_over_the_limit),
        cmocka_unit_test(vectors_that_are_all_the_same_are_read),
        cmocka_unit_test(more_values_than_the_footer_counts_are_corruption),
        cmocka_unit_test(fewer_values_than_the_footer_counts_are_corruption),
        cmocka_unit_test(pages_of_flat_columns_must_have_the_rows_of_the_row_group),
        cmocka_unit_test(a_sound_dictionary_is_read),
        cmocka_unit_test(bad_indices_are_corruption),
        cmocka_unit_test(bad_dictionaries_are_corruption),
        cmocka_unit_test(a_second_dictionary_is_corruption),
        cmocka_unit_test(a_dictionary_behind_data_is_corruption),
        cmocka_unit_test(values_of_another_size_are_corruption),
        cmocka_unit_test(texts_over_the_end_of_their_page_are_corruption),
        cmocka_unit_test(damaged_delta_pages_are_corruption),
        cmocka_unit_test(text_that_is_not_utf8_is_invalid),
        cmocka_unit_test(a_dictionary_text_for_very_many_rows_is_over_the_limit),
        cmocka_unit_test(v2_pages_that_contradict_themselves_are_corruption),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
