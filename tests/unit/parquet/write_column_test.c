/* Pages as the column encoders make them: levels, values, cuts, dictionaries. */
#include <stdlib.h>
#include <string.h>

#include "base/endian.h"
#include "parquet/column_write.h"
#include "parquet/text_write.h"

#include "test.h"

enum { PAGE = 4096 };

static void assert_body(const ak_chunk *chunk, size_t page, const uint8_t *expected, size_t size)
{
    assert_int_equal(chunk->pages[page].body_size, size);
    assert_memory_equal(chunk->body.data + chunk->pages[page].body_offset, expected, size);
}

static void vectors_of_100_have_levels_of_five_bytes_a_row(void **state)
{
    (void)state;
    const float vectors[200] = {0};
    ak_chunk chunk = {0};
    akidb_error err = {0};
    assert_ok(err, ak_write_vectors(&chunk, vectors, 2, 100, AK_ENCODING_PLAIN, PAGE, &err));
    const uint8_t expected[] = {
        10,   0,    0,    0,    0x03, 0xFE, 0xB8,
        0x01, 0x01, 0x03, 0xFE, 0xB8, 0x01, 0x01, /* per row: 8 packed, then 92 ones */
        3,    0,    0,    0,    0x90, 0x03, 0x01, /* 200 ones */
    };
    assert_int_equal(chunk.page_count, 1);
    assert_body(&chunk, 0, expected, sizeof expected);
    assert_ptr_equal(chunk.pages[0].floats, vectors);
    assert_int_equal(chunk.pages[0].float_count, 200);
    assert_int_equal(chunk.pages[0].num_values, 200);
    ak_chunk_free(&chunk);
}

static void vectors_of_one_float_are_all_row_starts(void **state)
{
    (void)state;
    const float vectors[20] = {0};
    ak_chunk chunk = {0};
    akidb_error err = {0};
    assert_ok(err, ak_write_vectors(&chunk, vectors, 20, 1, AK_ENCODING_PLAIN, PAGE, &err));
    const uint8_t expected[] = {2, 0, 0, 0, 0x28, 0x00, 2, 0, 0, 0, 0x28, 0x01};
    assert_body(&chunk, 0, expected, sizeof expected);
    ak_chunk_free(&chunk);
}

static void pages_are_cut_at_rows_and_share_their_levels(void **state)
{
    (void)state;
    enum { ROWS = 7, DIMENSION = 512 }; /* 2 KiB a row: two rows a page */
    float *vectors = calloc(ROWS * DIMENSION, sizeof *vectors);
    ak_chunk chunk = {0};
    akidb_error err = {0};
    assert_ok(err,
              ak_write_vectors(&chunk, vectors, ROWS, DIMENSION, AK_ENCODING_PLAIN, PAGE, &err));
    assert_int_equal(chunk.page_count, 4);
    for (size_t i = 0; i < 4; i++) {
        const ak_page *page = &chunk.pages[i];
        assert_int_equal(page->first_row, 2 * i);
        assert_int_equal(page->float_count, (i < 3 ? 2 : 1) * DIMENSION);
        assert_ptr_equal(page->floats, vectors + 2 * i * DIMENSION);
    }
    assert_int_equal(chunk.pages[0].body_offset, chunk.pages[2].body_offset);
    assert_int_not_equal(chunk.pages[0].body_offset, chunk.pages[3].body_offset);
    ak_chunk_free(&chunk);
    free(vectors);
}

static void a_row_larger_than_a_page_is_a_page(void **state)
{
    (void)state;
    enum { ROWS = 3, DIMENSION = 2000 };
    float *vectors = calloc(ROWS * DIMENSION, sizeof *vectors);
    ak_chunk chunk = {0};
    akidb_error err = {0};
    assert_ok(err,
              ak_write_vectors(&chunk, vectors, ROWS, DIMENSION, AK_ENCODING_PLAIN, PAGE, &err));
    assert_int_equal(chunk.page_count, ROWS);
    ak_chunk_free(&chunk);
    free(vectors);
}

static void document_ids_carry_their_length(void **state)
{
    (void)state;
    const akidb_uuid ids[2] = {{"0123456789abcde"}, {"fedcba987654321"}};
    ak_chunk chunk = {0};
    akidb_error err = {0};
    assert_ok(err, ak_write_document_ids(&chunk, ids, 2, PAGE, &err));
    assert_body(&chunk, 0,
                (const uint8_t *)"\x10\0\0\0"
                                 "0123456789abcde\0"
                                 "\x10\0\0\0"
                                 "fedcba987654321\0",
                40);
    ak_chunk_free(&chunk);
}

static void times_are_divided_and_the_dimension_is_repeated(void **state)
{
    (void)state;
    const int64_t times[2] = {-5000, 7000};
    const int64_t millis[2] = {-5, 7};
    ak_chunk chunk = {0};
    akidb_error err = {0};
    assert_ok(err, ak_write_times(&chunk, times, 2, 1000, PAGE, &err));
    assert_body(&chunk, 0, (const uint8_t *)millis, sizeof millis);
    ak_chunk_clear(&chunk);

    enum { ROWS = 1025 }; /* one more than a page holds */
    assert_ok(err, ak_write_dimension(&chunk, 384, ROWS, PAGE, &err));
    assert_int_equal(chunk.page_count, 2);
    assert_int_equal(chunk.pages[1].num_values, 1);
    assert_body(&chunk, 1, (const uint8_t *)"\x80\x01\0", 4);
    ak_chunk_free(&chunk);
}

/* ---- texts ----------------------------------------------------------------------------------- */

typedef struct texts {
    ak_chunk chunk;
    ak_text_tools tools;
    ak_text_summary summary;
} texts;

static void texts_free(texts *t)
{
    ak_chunk_free(&t->chunk);
    ak_text_tools_free(&t->tools);
}

static void levels_of_texts_tell_the_nulls(void **state)
{
    (void)state;
    const uint64_t offsets[] = {0, 1, 1, 1, 3};
    const uint8_t validity = 0x0D; /* "a", null, "", "bc" */
    const akidb_texts column = {offsets, "abc", &validity};
    texts t = {0};
    akidb_error err = {0};
    assert_ok(err, ak_write_texts(&t.chunk, &t.tools, &column, 0, 4, true, PAGE, &t.summary, &err));
    const uint8_t expected[] = {2, 0, 0, 0, 0x03, 0x0D, /* 8 packed levels */
                                1, 0, 0, 0, 'a',  0,    0, 0, 0, 2, 0, 0, 0, 'b', 'c'};
    assert_int_equal(t.chunk.page_count, 1);
    assert_body(&t.chunk, 0, expected, sizeof expected);
    assert_int_equal(t.chunk.pages[0].num_values, 4);
    assert_int_equal(t.summary.null_count, 1);
    assert_false(t.summary.has_dictionary);
    assert_true(t.summary.min.present && t.summary.min.size == 0);
    assert_int_equal(t.summary.max.size, 2);
    texts_free(&t);
}

static void an_absent_column_is_all_null(void **state)
{
    (void)state;
    const akidb_texts column = {0};
    texts t = {0};
    akidb_error err = {0};
    assert_ok(err,
              ak_write_texts(&t.chunk, &t.tools, &column, 0, 100, true, PAGE, &t.summary, &err));
    const uint8_t expected[] = {3, 0, 0, 0, 0xC8, 0x01, 0x00}; /* one run of 100 zeros */
    assert_body(&t.chunk, 0, expected, sizeof expected);
    assert_int_equal(t.summary.null_count, 100);
    assert_false(t.summary.min.present || t.summary.max.present);
    texts_free(&t);
}

/* `distinct` different texts of `width` characters, over and over, the first row null. */
static akidb_texts make_texts(size_t rows, size_t distinct, size_t width, uint64_t **offsets,
                              char **bytes, uint8_t **validity)
{
    *offsets = calloc(rows + 1, sizeof **offsets);
    *bytes = calloc(rows, width + 1);
    *validity = malloc(rows / 8 + 1);
    memset(*validity, 0xFF, rows / 8 + 1);
    (*validity)[0] = 0xFE;
    for (size_t i = 1; i < rows; i++) {
        (*offsets)[i + 1] = (*offsets)[i] + width;
        snprintf(*bytes + (*offsets)[i], width + 1, "%0*zu", (int)width, i % distinct);
    }
    return (akidb_texts){*offsets, *bytes, *validity};
}

static bool takes_dictionary(size_t rows, size_t distinct, size_t width, texts *t)
{
    uint64_t *offsets;
    char *bytes;
    uint8_t *validity;
    akidb_texts column = make_texts(rows, distinct, width, &offsets, &bytes, &validity);
    akidb_error err = {0};
    assert_ok(
        err, ak_write_texts(&t->chunk, &t->tools, &column, 0, rows, true, PAGE, &t->summary, &err));
    free(offsets);
    free(bytes);
    free(validity);
    return t->summary.has_dictionary;
}

static void a_dictionary_holds_each_text_once(void **state)
{
    (void)state;
    texts t = {0};
    assert_true(takes_dictionary(9, 2, 8, &t));
    assert_int_equal(t.chunk.page_count, 2);
    const uint8_t entries[] = "\x08\0\0\0"
                              "00000001"
                              "\x08\0\0\0"
                              "00000000";
    assert_int_equal(t.chunk.pages[0].type, AK_PAGE_DICTIONARY);
    assert_int_equal(t.chunk.pages[0].num_values, 2);
    assert_body(&t.chunk, 0, entries, sizeof entries - 1);
    /* Levels 0 and 8 times 1; width 1; indices 0 1 0 1 ..., packed. */
    const ak_page *page = &t.chunk.pages[1];
    assert_int_equal(page->encoding, AK_ENCODING_RLE_DICTIONARY);
    assert_int_equal(page->num_values, 9);
    const uint8_t *end = t.chunk.body.data + page->body_offset + page->body_size;
    assert_memory_equal(end - 3, "\x01\x03\xAA", 3);
    texts_free(&t);
}

static void a_dictionary_that_does_not_pay_is_given_up(void **state)
{
    (void)state;
    texts t = {0};
    assert_true(takes_dictionary(1000, 10, 8, &t));
    ak_chunk_clear(&t.chunk);
    assert_false(takes_dictionary(300, 300, 8, &t)); /* every text differs */
    assert_int_equal(t.chunk.pages[0].encoding, AK_ENCODING_PLAIN);
    ak_chunk_clear(&t.chunk);
    assert_false(takes_dictionary(1000, 350, 8, &t)); /* 350 x 12 bytes: larger than a page */
    assert_int_equal(t.chunk.pages[0].encoding, AK_ENCODING_PLAIN);
    texts_free(&t);
}

static void one_entry_has_indices_of_one_bit(void **state)
{
    (void)state;
    texts t = {0};
    assert_true(takes_dictionary(17, 1, 8, &t));
    const ak_page *page = &t.chunk.pages[1];
    const uint8_t *end = t.chunk.body.data + page->body_offset + page->body_size;
    assert_memory_equal(end - 3, "\x01\x20\x00", 3); /* a run of 16 */
    texts_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_of_100_have_levels_of_five_bytes_a_row),
        cmocka_unit_test(vectors_of_one_float_are_all_row_starts),
        cmocka_unit_test(pages_are_cut_at_rows_and_share_their_levels),
        cmocka_unit_test(a_row_larger_than_a_page_is_a_page),
        cmocka_unit_test(document_ids_carry_their_length),
        cmocka_unit_test(times_are_divided_and_the_dimension_is_repeated),
        cmocka_unit_test(levels_of_texts_tell_the_nulls),
        cmocka_unit_test(an_absent_column_is_all_null),
        cmocka_unit_test(a_dictionary_holds_each_text_once),
        cmocka_unit_test(a_dictionary_that_does_not_pay_is_given_up),
        cmocka_unit_test(one_entry_has_indices_of_one_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
