/* The quick check takes what the library takes, but for what the library overlooks: an unfinished
 * token behind a value. */
#include "json/quick.h"

#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "json/parse.h"

#include "test.h"

/* Whether the text is a value and something behind it. */
static bool begins_with_a_value(akidb_slice text)
{
    for (size_t size = 1; size < text.size; size++)
        if (ak_json_is_valid((akidb_slice){text.data, size}))
            return true;
    return false;
}

static void assert_agreement(const char *bytes, size_t size)
{
    char *copy = malloc(size + (size == 0)); /* so that a read beyond the end is seen */
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    akidb_slice text = {copy, size};
    akidb_error err = {0};
    bool taken = ak_json_events(text, NULL, NULL, &err) == AKIDB_OK;
    if (taken != ak_json_is_valid(text))
        fail_msg("<%.*s>: the library %s it", (int)size, bytes, taken ? "takes" : "refuses");
    if (strstr(err.message, "unfinished") != NULL && !begins_with_a_value(text))
        fail_msg("<%.*s>: the library takes it", (int)size, bytes);
    free(copy);
}

static const char *const samples[] = {
    "{\"title\":\"Document 17\",\"shard\":612}",
    " {\t\"a\" :\r\n[ 1 , -0.5e+10,2E-3,0, [ ] ,{ } ] , \"\" : null }\n",
    "[true,false,null,\"\",\"x\\n\\\"\\\\\\/\\b\\f\\r\\t\\u00e9\\uD83d\\ude00\"]",
    "{\"\xC3\xA9\":\"\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\",\"b\":{\"c\":{\"d\":[[[0]]]}}}",
    "-12.75",
    "\"alone\"",
    "null",
};

enum { SAMPLES = sizeof samples / sizeof samples[0] };

static void what_is_json_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++)
        assert_true(ak_json_is_valid((akidb_slice){samples[i], strlen(samples[i])}));
    assert_false(ak_json_is_valid((akidb_slice){NULL, 0}));
}

static void every_cut_agrees_with_the_library(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++)
        for (size_t from = 0; from < strlen(samples[i]); from++)
            for (size_t size = 0; from + size <= strlen(samples[i]); size++)
                assert_agreement(samples[i] + from, size);
}

static void every_other_byte_anywhere_agrees_with_the_library(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        char text[256];
        size_t size = strlen(samples[i]);
        memcpy(text, samples[i], size);
        for (size_t at = 0; at < size; at++) {
            for (int byte = 0; byte < 256; byte++) {
                text[at] = (char)byte;
                assert_agreement(text, size);
            }
            text[at] = samples[i][at];
        }
    }
}

static void random_words_of_json_agree_with_the_library(void **state)
{
    (void)state;
    static const char *const words[] = {"{", "}",  "[",  "]",     ",",    ":",    "\"a\"", "\"",
                                        "0", "1",  "-",  ".5",    "e1",   "E-",   "true",  "nul",
                                        " ", "\n", "\\", "\\u12", "\xC3", "\xA9", "\v",    "\x01"};
    uint64_t seed = 20;
    for (int round = 0; round < 200000; round++) {
        char text[64];
        size_t size = 0;
        for (uint64_t left = test_random(&seed) % 8 + 1; left > 0; left--) {
            const char *word = words[test_random(&seed) % (sizeof words / sizeof words[0])];
            memcpy(text + size, word, strlen(word));
            size += strlen(word);
        }
        assert_agreement(text, size);
    }
}

static void what_is_unfinished_behind_a_value_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"1\"", "{} \"a", "[] tru", "null \"\\", "\"\" n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        akidb_slice text = {texts[i], strlen(texts[i])};
        ak_json_tree *tree;
        assert_status(AKIDB_E_VALIDATION, ak_json_check(text, NULL));
        assert_status(AKIDB_E_VALIDATION, ak_json_parse(text, &tree, NULL));
        assert_null(tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_json_is_taken),
        cmocka_unit_test(every_cut_agrees_with_the_library),
        cmocka_unit_test(every_other_byte_anywhere_agrees_with_the_library),
        cmocka_unit_test(random_words_of_json_agree_with_the_library),
        cmocka_unit_test(what_is_unfinished_behind_a_value_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
