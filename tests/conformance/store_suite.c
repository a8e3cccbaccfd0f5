#include "store_suite.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"

/* ---- the place of one test: its own keys below the prefix of the run ---- */

enum { KEY_ROOM = AKIDB_KEY_MAX + 64 };

typedef struct place {
    akidb_store *store;
    char base[300]; /* "prefix/test/" */
    char keys[8][KEY_ROOM];
    size_t next;
    akidb_error err;
} place;

/* The full key of a name; good until seven more were asked for. */
static const char *key_of(place *p, const char *name)
{
    char *key = p->keys[p->next++ % 8];
    snprintf(key, KEY_ROOM, "%s%s", p->base, name);
    return key;
}

static place *place_open(void **state, const char *test)
{
    const store_suite_target *target = *state;
    place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->store = target->store;
    snprintf(p->base, sizeof p->base, "%s/%s/", target->prefix, test);
    return p;
}

static akidb_visit delete_visited(void *context, const akidb_list_entry *entry)
{
    place *p = context;
    if (akidb_store_delete(p->store, entry->key, &p->err) != AKIDB_OK)
        return AKIDB_VISIT_STOP;
    return AKIDB_VISIT_CONTINUE;
}

static void place_close(place *p)
{
    assert_ok(p->err, akidb_store_list(p->store, p->base, 0, delete_visited, p, &p->err));
    free(p);
}

#define PLACE(state) place_open(state, __func__)

/* ---- short forms ---- */

static void put_text(place *p, const char *name, const char *text)
{
    akidb_slice slice = {text, strlen(text)};
    assert_ok(p->err,
              akidb_store_put(p->store, key_of(p, name), &slice, 1, AKIDB_PUT_ALWAYS, &p->err));
}

static akidb_status put_if_absent(place *p, const char *name, const char *text)
{
    akidb_slice slice = {text, strlen(text)};
    return akidb_store_put(p->store, key_of(p, name), &slice, 1, AKIDB_PUT_IF_ABSENT, &p->err);
}

static void assert_bytes(place *p, const char *name, const void *bytes, size_t size)
{
    akidb_buffer found;
    assert_ok(p->err, akidb_store_get(p->store, key_of(p, name), UINT64_MAX, &found, &p->err));
    assert_int_equal(found.size, size);
    if (size > 0)
        assert_memory_equal(found.data, bytes, size);
    akidb_buffer_free(&found);
}

static void assert_text(place *p, const char *name, const char *text)
{
    assert_bytes(p, name, text, strlen(text));
}

static bool exists(place *p, const char *name)
{
    bool there;
    assert_ok(p->err, akidb_store_exists(p->store, key_of(p, name), &there, &p->err));
    return there;
}

/* ---- keys ---- */

static const char *const bad_keys[] = {
    "",
    "/",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "./a",
    "../a",
    "a/./b",
    "a/../b",
    "a/..",
    ".akidb-tmp-",
    ".akidb-tmp-0123",
    "a/.akidb-tmp-0123/b",
    "a\nb",
    "a\x01",
    "a\x7f",
    "a\xff",
    "a/\xc3",        /* cut in the middle of a character */
    "\xc0\xaf",      /* '/' in an overlong form */
    "a\xed\xa0\x80", /* a surrogate */
};

static void assert_key_is_refused(place *p, const char *bad)
{
    akidb_store *store = p->store;
    const char *good = key_of(p, "good");
    akidb_error *err = &p->err;
    akidb_slice slice = {"x", 1};
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_put(store, bad, &slice, 1, AKIDB_PUT_ALWAYS, err));
    akidb_buffer buffer = {(uint8_t *)1, 1, 1};
    assert_status(AKIDB_E_VALIDATION, akidb_store_get(store, bad, UINT64_MAX, &buffer, err));
    assert_null(buffer.data);
    assert_int_equal(buffer.size, 0);
    char byte;
    size_t got = 1;
    assert_status(AKIDB_E_VALIDATION, akidb_store_get_range(store, bad, 0, &byte, 1, &got, err));
    assert_int_equal(got, 0);
    akidb_object_info info = {1, 1};
    assert_status(AKIDB_E_VALIDATION, akidb_store_head(store, bad, &info, err));
    assert_int_equal(info.size, 0);
    bool there = true;
    assert_status(AKIDB_E_VALIDATION, akidb_store_exists(store, bad, &there, err));
    assert_false(there);
    assert_status(AKIDB_E_VALIDATION, akidb_store_delete(store, bad, err));
    assert_status(AKIDB_E_VALIDATION, akidb_store_copy(store, bad, good, AKIDB_PUT_ALWAYS, err));
    assert_status(AKIDB_E_VALIDATION, akidb_store_copy(store, good, bad, AKIDB_PUT_ALWAYS, err));
    akidb_upload *upload = (akidb_upload *)p;
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_upload_begin(store, bad, AKIDB_PUT_ALWAYS, &upload, err));
    assert_null(upload);
}

static void a_key_that_breaks_a_rule_is_refused(void **state)
{
    place *p = PLACE(state);
    put_text(p, "good", "stays");
    for (size_t i = 0; i < sizeof bad_keys / sizeof bad_keys[0]; i++)
        assert_key_is_refused(p, bad_keys[i]);

    char part[260];
    memset(part, 'p', sizeof part);
    part[256] = '\0'; /* a part of 256 bytes */
    assert_key_is_refused(p, part);
    char key[AKIDB_KEY_MAX + 2];
    for (size_t i = 0; i <= AKIDB_KEY_MAX; i++)
        key[i] = i % 2 == 0 ? 'k' : '/';
    key[AKIDB_KEY_MAX + 1] = '\0'; /* 1,025 bytes */
    assert_key_is_refused(p, key);
    assert_text(p, "good", "stays");
    place_close(p);
}

static const char *const good_names[] = {
    "a",
    "a b",
    " ",
    "...",
    "..a",
    "a..",
    ".hidden",
    ".akidb-tmp", /* no '-' at its end */
    "x.akidb-tmp-1",
    "a+b=c%20&d?e#f;g:h@i!j$k'l(m)n*o,p",
    "~`^[]{}|\\\"<>",
    "COLLECTION",
    "collection", /* not the one before */
    "Gr\xc3\xb6\xc3\x9f"
    "e/\xe2\x82\xac/\xf0\x9f\x98\x80",
    "d/e/e/p/e/r/a/n/d/d/e/e/p/e/r/a/n/d/d/e/e/p/e/r",
};

static void keys_of_every_legal_form_work(void **state)
{
    place *p = PLACE(state);
    enum { COUNT = sizeof good_names / sizeof good_names[0] };
    for (size_t i = 0; i < COUNT; i++)
        put_text(p, good_names[i], good_names[i]);
    for (size_t i = 0; i < COUNT; i++)
        assert_text(p, good_names[i], good_names[i]);
    place_close(p);
}

static void the_longest_keys_work(void **state)
{
    const store_suite_target *target = *state;
    place *p = PLACE(state);
    size_t max = target->key_max == 0 ? AKIDB_KEY_MAX : target->key_max;
    char name[KEY_ROOM];
    size_t size = max - strlen(p->base);
    for (size_t i = 0; i < size; i++)
        name[i] = i % 256 == 255 ? '/' : (char)('a' + i % 26);
    name[size] = '\0';
    if (size % 256 == 0)
        name[size - 1] = 'z', name[size - 2] = '/';
    assert_int_equal(strlen(key_of(p, name)), max);
    put_text(p, name, "longest");
    assert_text(p, name, "longest");
    place_close(p);
}

static void other_arguments_are_checked(void **state)
{
    place *p = PLACE(state);
    akidb_slice slice = {"x", 1};
    akidb_slice nothing = {NULL, 1};
    const char *key = key_of(p, "a");
    akidb_upload *upload;
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_put(p->store, key, &slice, 1, (akidb_put_mode)2, NULL));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_put(p->store, key, &nothing, 1, AKIDB_PUT_ALWAYS, NULL));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_put(p->store, key, NULL, 1, AKIDB_PUT_ALWAYS, NULL));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_copy(p->store, key, key, (akidb_put_mode)2, NULL));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_upload_begin(p->store, key, (akidb_put_mode)2, &upload, NULL));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_list(p->store, p->base, '-', delete_visited, p, NULL));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_list(p->store, NULL, '/', delete_visited, p, NULL));
    assert_status(AKIDB_E_VALIDATION, akidb_store_get(p->store, NULL, 1, &(akidb_buffer){0}, NULL));
    assert_false(exists(p, "a"));
    place_close(p);
}

/* ---- put and get ---- */

static void what_was_put_is_got(void **state)
{
    place *p = PLACE(state);
    static const size_t sizes[] = {0, 1, 1000, 65536, (1 << 20) + 17};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *bytes = malloc(sizes[i] + 1);
        assert_non_null(bytes);
        test_random_bytes(i, bytes, sizes[i]);
        akidb_slice slice = {bytes, sizes[i]};
        assert_ok(p->err, akidb_store_put(p->store, key_of(p, "object"), &slice, 1,
                                          AKIDB_PUT_ALWAYS, &p->err));
        assert_bytes(p, "object", bytes, sizes[i]);
        free(bytes);
    }
    assert_ok(p->err,
              akidb_store_put(p->store, key_of(p, "none"), NULL, 0, AKIDB_PUT_ALWAYS, &p->err));
    assert_bytes(p, "none", "", 0);
    place_close(p);
}

static void slices_become_one_object(void **state)
{
    place *p = PLACE(state);
    enum { COUNT = 1500, SIZE = 3000 }; /* more slices than one system call takes */
    uint8_t bytes[SIZE];
    test_random_bytes(1, bytes, SIZE);
    akidb_slice slices[COUNT] = {{NULL, 0}};
    size_t used = 0;
    for (size_t i = 0; i < COUNT; i++) {
        slices[i] = (akidb_slice){bytes + used, i % 5};
        if (i % 5 == 0)
            slices[i].data = NULL; /* an empty one between others */
        used += i % 5;
    }
    assert_ok(p->err, akidb_store_put(p->store, key_of(p, "object"), slices, COUNT,
                                      AKIDB_PUT_ALWAYS, &p->err));
    assert_bytes(p, "object", bytes, used);
    place_close(p);
}

static void a_put_replaces(void **state)
{
    place *p = PLACE(state);
    put_text(p, "a", "a long first version");
    put_text(p, "a", "second");
    assert_text(p, "a", "second");
    place_close(p);
}

static void a_put_if_absent_never_replaces(void **state)
{
    place *p = PLACE(state);
    assert_ok(p->err, put_if_absent(p, "a", "first"));
    assert_status(AKIDB_E_ALREADY_EXISTS, put_if_absent(p, "a", "second"));
    assert_non_null(strstr(p->err.message, key_of(p, "a")));
    assert_text(p, "a", "first");
    assert_ok(p->err, akidb_store_delete(p->store, key_of(p, "a"), &p->err));
    assert_ok(p->err, put_if_absent(p, "a", "third"));
    assert_text(p, "a", "third");
    place_close(p);
}

static void a_get_keeps_to_its_limit(void **state)
{
    place *p = PLACE(state);
    put_text(p, "a", "12345");
    akidb_buffer buffer;
    assert_ok(p->err, akidb_store_get(p->store, key_of(p, "a"), 5, &buffer, &p->err));
    akidb_buffer_free(&buffer);
    assert_status(AKIDB_E_LIMIT, akidb_store_get(p->store, key_of(p, "a"), 4, &buffer, &p->err));
    assert_null(buffer.data);
    assert_int_equal(buffer.size, 0);
    put_text(p, "empty", "");
    assert_ok(p->err, akidb_store_get(p->store, key_of(p, "empty"), 0, &buffer, &p->err));
    akidb_buffer_free(&buffer);
    place_close(p);
}

static size_t range(place *p, const char *name, uint64_t offset, void *dst, size_t size)
{
    size_t read = SIZE_MAX;
    assert_ok(p->err,
              akidb_store_get_range(p->store, key_of(p, name), offset, dst, size, &read, &p->err));
    return read;
}

static void ranges_are_short_only_at_the_end(void **state)
{
    place *p = PLACE(state);
    put_text(p, "a", "0123456789");
    char bytes[16] = {0};
    assert_int_equal(range(p, "a", 0, bytes, 10), 10);
    assert_memory_equal(bytes, "0123456789", 10);
    assert_int_equal(range(p, "a", 3, bytes, 4), 4);
    assert_memory_equal(bytes, "3456", 4);
    memset(bytes, '#', sizeof bytes);
    assert_int_equal(range(p, "a", 7, bytes, 16), 3);
    assert_memory_equal(bytes, "789#", 4);
    assert_int_equal(range(p, "a", 9, bytes, 1), 1);
    assert_int_equal(range(p, "a", 10, bytes, 1), 0);
    assert_int_equal(range(p, "a", 11, bytes, 1), 0);
    assert_int_equal(range(p, "a", UINT64_MAX, bytes, 16), 0);
    assert_int_equal(range(p, "a", 2, bytes, 0), 0);
    assert_int_equal(range(p, "a", 2, NULL, 0), 0);
    put_text(p, "empty", "");
    assert_int_equal(range(p, "empty", 0, bytes, 16), 0);
    place_close(p);
}

static void what_is_not_there_is_not_found(void **state)
{
    place *p = PLACE(state);
    akidb_store *store = p->store;
    put_text(p, "there/object", "x");
    static const char *const missing[] = {"a", "there", "there/a", "there/object/a", "no/a/b"};
    for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++) {
        const char *key = key_of(p, missing[i]);
        akidb_buffer buffer;
        assert_status(AKIDB_E_NOT_FOUND, akidb_store_get(store, key, 9, &buffer, &p->err));
        assert_non_null(strstr(p->err.message, key));
        char byte;
        size_t read;
        assert_status(AKIDB_E_NOT_FOUND,
                      akidb_store_get_range(store, key, 0, &byte, 1, &read, &p->err));
        akidb_object_info info;
        assert_status(AKIDB_E_NOT_FOUND, akidb_store_head(store, key, &info, &p->err));
        assert_status(AKIDB_E_NOT_FOUND,
                      akidb_store_copy(store, key, key_of(p, "to"), AKIDB_PUT_ALWAYS, &p->err));
        p->err = (akidb_error){0};
        assert_false(exists(p, missing[i]));
        assert_int_equal(p->err.status, AKIDB_OK); /* no failure, so nothing is told */
        assert_ok(p->err, akidb_store_delete(store, key, &p->err));
    }
    assert_false(exists(p, "to"));
    assert_text(p, "there/object", "x");
    place_close(p);
}

static void a_head_tells_size_and_time(void **state)
{
    place *p = PLACE(state);
    put_text(p, "a", "12345");
    akidb_object_info info;
    assert_ok(p->err, akidb_store_head(p->store, key_of(p, "a"), &info, &p->err));
    assert_int_equal(info.size, 5);
    assert_true(info.modified_at > INT64_C(1577836800000000)); /* 2020, in microseconds */
    assert_true(info.modified_at < INT64_C(4102444800000000)); /* 2100 */
    assert_true(exists(p, "a"));
    place_close(p);
}

static void a_delete_is_for_good_and_may_be_repeated(void **state)
{
    place *p = PLACE(state);
    put_text(p, "folder/a", "1");
    put_text(p, "folder/b", "2");
    for (int i = 0; i < 2; i++)
        assert_ok(p->err, akidb_store_delete(p->store, key_of(p, "folder/a"), &p->err));
    assert_false(exists(p, "folder/a"));
    assert_text(p, "folder/b", "2");
    assert_ok(p->err, akidb_store_delete(p->store, key_of(p, "folder/b"), &p->err));
    put_text(p, "folder/a", "again");
    assert_text(p, "folder/a", "again");
    place_close(p);
}

static void a_copy_is_an_object_of_its_own(void **state)
{
    place *p = PLACE(state);
    akidb_store *store = p->store;
    enum { SIZE = (2 << 20) + 5 };
    uint8_t *bytes = malloc(SIZE);
    assert_non_null(bytes);
    test_random_bytes(3, bytes, SIZE);
    akidb_slice slice = {bytes, SIZE};
    const char *from = key_of(p, "from");
    const char *to = key_of(p, "a/new/to");
    assert_ok(p->err, akidb_store_put(store, from, &slice, 1, AKIDB_PUT_ALWAYS, &p->err));
    assert_ok(p->err, akidb_store_copy(store, from, to, AKIDB_PUT_IF_ABSENT, &p->err));
    put_text(p, "from", "changed");
    assert_bytes(p, "a/new/to", bytes, SIZE);
    free(bytes);

    assert_status(AKIDB_E_ALREADY_EXISTS,
                  akidb_store_copy(store, from, to, AKIDB_PUT_IF_ABSENT, &p->err));
    assert_ok(p->err, akidb_store_copy(store, from, to, AKIDB_PUT_ALWAYS, &p->err));
    assert_text(p, "a/new/to", "changed");
    assert_ok(p->err, akidb_store_copy(store, from, from, AKIDB_PUT_ALWAYS, &p->err));
    assert_text(p, "from", "changed");
    put_text(p, "empty", "");
    assert_ok(p->err, akidb_store_copy(store, key_of(p, "empty"), to, AKIDB_PUT_ALWAYS, &p->err));
    assert_text(p, "a/new/to", "");
    place_close(p);
}

/* A disk cannot hold both; a bucket can. Neither may harm the one that is there. */
static void a_key_above_another_is_stored_or_refused(void **state)
{
    place *p = PLACE(state);
    akidb_slice slice = {"new", 3};
    static const char *const pairs[][2] = {{"a", "a/b"}, {"c/d", "c"}, {"e/f/g", "e"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        for (int mode = AKIDB_PUT_ALWAYS; mode <= AKIDB_PUT_IF_ABSENT; mode++) {
            put_text(p, pairs[i][0], "old");
            akidb_status status = akidb_store_put(p->store, key_of(p, pairs[i][1]), &slice, 1,
                                                  (akidb_put_mode)mode, &p->err);
            assert_text(p, pairs[i][0], "old");
            if (status == AKIDB_OK)
                assert_text(p, pairs[i][1], "new");
            else
                assert_int_equal(status, AKIDB_E_VALIDATION);
            assert_int_equal(exists(p, pairs[i][1]), status == AKIDB_OK);
            assert_ok(p->err, akidb_store_delete(p->store, key_of(p, pairs[i][1]), &p->err));
            assert_text(p, pairs[i][0], "old");
        }
        assert_ok(p->err, akidb_store_delete(p->store, key_of(p, pairs[i][0]), &p->err));
        put_text(p, pairs[i][1], "alone");
        assert_text(p, pairs[i][1], "alone");
    }
    place_close(p);
}

/* ---- listing ---- */

typedef struct listing {
    place *place;
    char text[4096]; /* what was told, without the place's base: "key key prefix/ " */
    size_t stop_after;
    size_t count;
} listing;

static akidb_visit note(void *context, const akidb_list_entry *entry)
{
    listing *l = context;
    size_t base = strlen(l->place->base);
    size_t used = strlen(l->text);
    snprintf(l->text + used, sizeof l->text - used, "%s ", entry->key + base);
    if (entry->is_prefix && (entry->info.size != 0 || entry->info.modified_at != 0))
        snprintf(l->text, sizeof l->text, "a prefix with info");
    l->count++;
    return l->count == l->stop_after ? AKIDB_VISIT_STOP : AKIDB_VISIT_CONTINUE;
}

static void assert_list(place *p, const char *prefix, char delimiter, const char *expected)
{
    listing l = {.place = p};
    assert_ok(p->err, akidb_store_list(p->store, key_of(p, prefix), delimiter, note, &l, &p->err));
    assert_string_equal(l.text, expected);
}

static void put_all(place *p, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_text(p, names[i], names[i]);
}

static void a_list_is_in_byte_order_of_whole_keys(void **state)
{
    place *p = PLACE(state);
    static const char *const names[] = {"a/b",  "a-b", "a.b", "a0",       "a/",   "B",
                                        "a b/", "ab",  "c",   "\xc3\xa9", "a/b-", "aa/x/y"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t size = strlen(names[i]);
        char name[16];
        snprintf(name, sizeof name, "%s%s", names[i], names[i][size - 1] == '/' ? "z" : "");
        put_text(p, name, "x");
    }
    assert_list(p, "", 0, "B a b/z a-b a.b a/b a/b- a/z a0 aa/x/y ab c \xc3\xa9 ");
    assert_list(p, "", '/', "B a b/ a-b a.b a/ a0 aa/ ab c \xc3\xa9 ");
    place_close(p);
}

static void a_prefix_may_end_anywhere(void **state)
{
    place *p = PLACE(state);
    static const char *const names[] = {"x/alpha", "x/alps/top", "x/beta", "xy", "y/z"};
    put_all(p, names, sizeof names / sizeof names[0]);
    assert_list(p, "", 0, "x/alpha x/alps/top x/beta xy y/z ");
    assert_list(p, "x", 0, "x/alpha x/alps/top x/beta xy ");
    assert_list(p, "x/", 0, "x/alpha x/alps/top x/beta ");
    assert_list(p, "x/al", 0, "x/alpha x/alps/top ");
    assert_list(p, "x/alps", 0, "x/alps/top ");
    assert_list(p, "x/alps/", 0, "x/alps/top ");
    assert_list(p, "x/alps/top", 0, "x/alps/top ");
    assert_list(p, "x/alps/top/", 0, "");
    assert_list(p, "x/alpha/", 0, "");
    assert_list(p, "nothing", 0, "");
    assert_list(p, "no/thing/", 0, "");
    place_close(p);
}

/* A prefix may be any string; some are the beginning of no key. */
static void a_prefix_that_no_key_has_finds_nothing(void **state)
{
    place *p = PLACE(state);
    put_text(p, "a/b", "x");
    static const char *const prefixes[] = {"/",       "a//",     "./",           "../",
                                           "a/../a/", "a/./",    ".akidb-tmp-",  "\n",
                                           "\xff",    "a/\xff/", ".akidb-tmp-x/"};
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        assert_list(p, prefixes[i], 0, "");
        assert_list(p, prefixes[i], '/', "");
    }
    char long_prefix[3 * AKIDB_KEY_MAX];
    for (size_t i = 0; i < sizeof long_prefix; i++)
        long_prefix[i] = i % 2 == 0 ? 'a' : '/';
    long_prefix[sizeof long_prefix - 1] = '\0';
    listing l = {.place = p};
    assert_ok(p->err, akidb_store_list(p->store, long_prefix, 0, note, &l, &p->err));
    assert_ok(p->err, akidb_store_list(p->store, long_prefix, '/', note, &l, &p->err));
    assert_int_equal(l.count, 0);
    place_close(p);
}

static void a_delimiter_tells_each_folder_once(void **state)
{
    place *p = PLACE(state);
    static const char *const names[] = {"a/1", "a/2/3", "a/2/4", "b", "ab/1", "a-/1"};
    put_all(p, names, sizeof names / sizeof names[0]);
    assert_list(p, "", '/', "a-/ a/ ab/ b ");
    assert_list(p, "a", '/', "a-/ a/ ab/ ");
    assert_list(p, "a/", '/', "a/1 a/2/ ");
    assert_list(p, "a/2", '/', "a/2/ ");
    assert_list(p, "a/2/", '/', "a/2/3 a/2/4 ");
    assert_list(p, "a/2/3", '/', "a/2/3 ");
    assert_list(p, "a/2/3/", '/', "");
    assert_ok(p->err, akidb_store_delete(p->store, key_of(p, "ab/1"), &p->err));
    assert_list(p, "", '/', "a-/ a/ b ");
    place_close(p);
}

static akidb_visit compare_with_head(void *context, const akidb_list_entry *entry)
{
    place *p = context;
    akidb_object_info info;
    bool same = akidb_store_head(p->store, entry->key, &info, &p->err) == AKIDB_OK &&
                info.size == entry->info.size && !entry->is_prefix;
    /* Some services tell whole seconds in one answer and finer times in the other. */
    int64_t difference = info.modified_at - entry->info.modified_at;
    same = same && difference > -1000000 && difference < 1000000;
    return same ? AKIDB_VISIT_CONTINUE : AKIDB_VISIT_STOP;
}

static void a_list_tells_what_a_head_tells(void **state)
{
    place *p = PLACE(state);
    static const char *const names[] = {"a", "bb/c", "ccc/dd/e"};
    put_all(p, names, 3);
    p->err = (akidb_error){0};
    assert_ok(p->err, akidb_store_list(p->store, p->base, 0, compare_with_head, p, &p->err));
    assert_int_equal(p->err.status, AKIDB_OK);
    place_close(p);
}

static void a_stop_ends_the_list(void **state)
{
    place *p = PLACE(state);
    static const char *const names[] = {"a", "b/1", "b/2", "c"};
    put_all(p, names, 4);
    for (size_t stop_after = 1; stop_after <= 4; stop_after++) {
        listing l = {.place = p, .stop_after = stop_after};
        assert_ok(p->err, akidb_store_list(p->store, p->base, 0, note, &l, &p->err));
        assert_int_equal(l.count, stop_after);
    }
    listing l = {.place = p, .stop_after = 2};
    assert_ok(p->err, akidb_store_list(p->store, p->base, '/', note, &l, &p->err));
    assert_string_equal(l.text, "a b/ ");
    place_close(p);
}

static akidb_visit delete_and_note(void *context, const akidb_list_entry *entry)
{
    listing *l = context;
    if (akidb_store_delete(l->place->store, entry->key, NULL) != AKIDB_OK)
        return AKIDB_VISIT_STOP;
    return note(context, entry);
}

static void a_visitor_may_delete_what_it_visits(void **state)
{
    place *p = PLACE(state);
    static const char *const names[] = {"a", "b/1", "b/2/x", "b/3", "c/d/e", "f"};
    put_all(p, names, 6);
    listing l = {.place = p};
    assert_ok(p->err, akidb_store_list(p->store, p->base, 0, delete_and_note, &l, &p->err));
    assert_string_equal(l.text, "a b/1 b/2/x b/3 c/d/e f ");
    assert_list(p, "", 0, "");
    place_close(p);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

typedef struct model {
    char **keys; /* in byte order */
    size_t count;
    size_t next;
    const char *prefix;
    char delimiter;
    char last_prefix[KEY_ROOM];
    bool wrong;
} model;

/* The next thing that a list should tell, into `told`; false at the end. */
static bool model_next(model *m, char told[KEY_ROOM])
{
    size_t prefix = strlen(m->prefix);
    for (; m->next < m->count; m->next++) {
        const char *key = m->keys[m->next];
        if (strncmp(key, m->prefix, prefix) != 0)
            continue;
        size_t last = strlen(m->last_prefix);
        if (last > 0 && strncmp(key, m->last_prefix, last) == 0)
            continue;
        const char *slash = m->delimiter == 0 ? NULL : strchr(key + prefix, m->delimiter);
        int size = slash == NULL ? (int)strlen(key) : (int)(slash + 1 - key);
        snprintf(told, KEY_ROOM, "%.*s", size, key);
        if (slash != NULL)
            snprintf(m->last_prefix, KEY_ROOM, "%s", told);
        m->next++;
        return true;
    }
    return false;
}

static akidb_visit compare_with_model(void *context, const akidb_list_entry *entry)
{
    model *m = context;
    char expected[KEY_ROOM];
    size_t size = strlen(entry->key);
    bool prefix = size > 0 && entry->key[size - 1] == '/';
    m->wrong =
        !model_next(m, expected) || strcmp(expected, entry->key) != 0 || entry->is_prefix != prefix;
    return m->wrong ? AKIDB_VISIT_STOP : AKIDB_VISIT_CONTINUE;
}

static void assert_list_is_the_model(place *p, char **keys, size_t count, const char *prefix,
                                     char delimiter)
{
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    *m = (model){.keys = keys, .count = count, .prefix = prefix, .delimiter = delimiter};
    assert_ok(p->err,
              akidb_store_list(p->store, prefix, delimiter, compare_with_model, m, &p->err));
    char rest[KEY_ROOM];
    bool wrong = m->wrong || model_next(m, rest);
    free(m);
    if (wrong)
        fail_msg("list of \"%s\" with delimiter %d differs from the sorted keys", prefix,
                 delimiter);
}

/* A key that no other number gives: few names of each length, so that many share beginnings. Only
 * file names begin with 'f', only folder names do not. */
static char *random_key(place *p, uint64_t *random, size_t number)
{
    static const char letters[] = "ab-.~0Z";
    char name[64];
    size_t used = 0;
    for (size_t folders = test_random(random) % 4; folders > 0; folders--) {
        for (size_t letter = 1 + test_random(random) % 2; letter > 0; letter--)
            name[used++] = letters[test_random(random) % 2 == 0 ? 0 : test_random(random) % 7];
        if (name[used - 1] == '.')
            name[used++] = 'a'; /* neither "." nor ".." */
        name[used++] = '/';
    }
    snprintf(name + used, sizeof name - used, "f%zx", number * 7919 % 100003);
    char *key = strdup(key_of(p, name));
    assert_non_null(key);
    return key;
}

static void a_list_of_thousands_is_complete_and_in_order(void **state)
{
    const store_suite_target *target = *state;
    place *p = PLACE(state);
    size_t count = target->many == 0 ? 2500 : target->many;
    char **keys = calloc(count, sizeof *keys);
    assert_non_null(keys);
    uint64_t random = 42;
    for (size_t i = 0; i < count; i++) {
        keys[i] = random_key(p, &random, i);
        assert_ok(p->err,
                  akidb_store_put(p->store, keys[i], NULL, 0, AKIDB_PUT_IF_ABSENT, &p->err));
    }
    qsort(keys, count, sizeof *keys, compare_texts);
    for (char delimiter = 0; delimiter <= '/'; delimiter = (char)(delimiter + '/')) {
        assert_list_is_the_model(p, keys, count, p->base, delimiter);
        for (size_t i = 0; i < 40; i++) {
            char prefix[KEY_ROOM]; /* a piece of some key, cut anywhere */
            const char *key = keys[test_random(&random) % count];
            size_t base = strlen(p->base);
            size_t size = base + test_random(&random) % (strlen(key) - base + 1);
            snprintf(prefix, sizeof prefix, "%.*s", (int)size, key);
            assert_list_is_the_model(p, keys, count, prefix, delimiter);
        }
    }
    for (size_t i = 0; i < count; i++)
        free(keys[i]);
    free(keys);
    place_close(p);
}

/* ---- uploads ---- */

static akidb_upload *begin(place *p, const char *name, akidb_put_mode mode)
{
    akidb_upload *upload;
    assert_ok(p->err, akidb_store_upload_begin(p->store, key_of(p, name), mode, &upload, &p->err));
    return upload;
}

static void write_text(place *p, akidb_upload *upload, const char *text)
{
    akidb_slice slice = {text, strlen(text)};
    assert_ok(p->err, akidb_upload_write(upload, &slice, 1, &p->err));
}

static void an_upload_is_invisible_until_its_commit(void **state)
{
    place *p = PLACE(state);
    akidb_upload *upload = begin(p, "folder/a", AKIDB_PUT_ALWAYS);
    write_text(p, upload, "one ");
    assert_false(exists(p, "folder/a"));
    assert_list(p, "", 0, "");
    assert_list(p, "", '/', "");
    write_text(p, upload, "");
    assert_ok(p->err, akidb_upload_write(upload, NULL, 0, &p->err));
    write_text(p, upload, "two");
    assert_ok(p->err, akidb_upload_commit(upload, &p->err));
    assert_text(p, "folder/a", "one two");
    assert_list(p, "", 0, "folder/a ");
    place_close(p);
}

static void an_upload_without_bytes_is_an_empty_object(void **state)
{
    place *p = PLACE(state);
    akidb_upload *upload = begin(p, "a", AKIDB_PUT_IF_ABSENT);
    assert_ok(p->err, akidb_upload_commit(upload, &p->err));
    assert_text(p, "a", "");
    place_close(p);
}

static void an_aborted_upload_leaves_nothing(void **state)
{
    place *p = PLACE(state);
    put_text(p, "old", "stays");
    akidb_upload *upload = begin(p, "old", AKIDB_PUT_ALWAYS);
    write_text(p, upload, "half");
    akidb_upload_abort(upload);
    assert_text(p, "old", "stays");
    upload = begin(p, "new/a", AKIDB_PUT_ALWAYS);
    akidb_upload_abort(upload);
    assert_list(p, "", 0, "old ");
    assert_list(p, "", '/', "old ");
    akidb_upload_abort(NULL);
    place_close(p);
}

static void a_large_upload_arrives_whole(void **state)
{
    place *p = PLACE(state);
    enum { SIZE = 12 << 20, PIECE = 700001 };
    uint8_t *bytes = malloc(SIZE);
    assert_non_null(bytes);
    test_random_bytes(9, bytes, SIZE);
    akidb_upload *upload = begin(p, "large", AKIDB_PUT_ALWAYS);
    for (size_t done = 0; done < SIZE;) {
        size_t size = SIZE - done < PIECE ? SIZE - done : PIECE;
        akidb_slice halves[2] = {{bytes + done, size / 2},
                                 {bytes + done + size / 2, size - size / 2}};
        assert_ok(p->err, akidb_upload_write(upload, halves, 2, &p->err));
        done += size;
    }
    assert_ok(p->err, akidb_upload_commit(upload, &p->err));
    assert_bytes(p, "large", bytes, SIZE);
    free(bytes);
    place_close(p);
}

static void an_upload_if_absent_never_replaces(void **state)
{
    place *p = PLACE(state);
    akidb_upload *first = begin(p, "a", AKIDB_PUT_IF_ABSENT);
    akidb_upload *second = begin(p, "a", AKIDB_PUT_IF_ABSENT);
    write_text(p, first, "first");
    write_text(p, second, "second");
    assert_ok(p->err, akidb_upload_commit(second, &p->err));
    assert_status(AKIDB_E_ALREADY_EXISTS, akidb_upload_commit(first, &p->err));
    assert_text(p, "a", "second");

    /* A store may notice at the beginning already that the key is taken. */
    akidb_upload *third;
    akidb_status status =
        akidb_store_upload_begin(p->store, key_of(p, "a"), AKIDB_PUT_IF_ABSENT, &third, &p->err);
    if (status == AKIDB_OK)
        status = akidb_upload_commit(third, &p->err);
    assert_int_equal(status, AKIDB_E_ALREADY_EXISTS);
    assert_text(p, "a", "second");
    place_close(p);
}

static void the_last_commit_wins(void **state)
{
    place *p = PLACE(state);
    akidb_upload *first = begin(p, "a", AKIDB_PUT_ALWAYS);
    akidb_upload *second = begin(p, "a", AKIDB_PUT_ALWAYS);
    write_text(p, first, "first");
    write_text(p, second, "second");
    assert_ok(p->err, akidb_upload_commit(second, &p->err));
    assert_ok(p->err, akidb_upload_commit(first, &p->err));
    assert_text(p, "a", "first");
    place_close(p);
}

static void after_a_failed_write_only_abort_is_left(void **state)
{
    place *p = PLACE(state);
    akidb_slice nothing = {NULL, 1};
    for (int commit = 0; commit <= 1; commit++) {
        akidb_upload *upload = begin(p, "a", AKIDB_PUT_ALWAYS);
        assert_status(AKIDB_E_VALIDATION, akidb_upload_write(upload, &nothing, 1, &p->err));
        assert_status(AKIDB_E_PRECONDITION, akidb_upload_write(upload, NULL, 0, &p->err));
        if (commit)
            assert_status(AKIDB_E_PRECONDITION, akidb_upload_commit(upload, &p->err));
        else
            akidb_upload_abort(upload);
        assert_false(exists(p, "a"));
    }
    place_close(p);
}

/* The time is one at which nothing of anybody's was written. */
static void leftovers_can_be_counted(void **state)
{
    place *p = PLACE(state);
    put_text(p, "a", "stays");
    for (int dry_run = 0; dry_run <= 1; dry_run++) {
        uint64_t count = 1;
        uint64_t bytes = 1;
        assert_ok(p->err, akidb_store_remove_leftovers(p->store, AKIDB_TIME_MIN, dry_run == 1,
                                                       &count, &bytes, &p->err));
        assert_int_equal(count, 0);
        assert_int_equal(bytes, 0);
    }
    assert_text(p, "a", "stays");
    place_close(p);
}

/* ---- threads ---- */

enum { RACERS = 8 };

typedef struct racer {
    pthread_t thread;
    akidb_store *store;
    pthread_barrier_t *start;
    const char *key;
    const char *from; /* of a copy */
    int how;          /* 0 put, 1 upload, 2 copy */
    char text[16];
    akidb_status status;
} racer;

static akidb_status race_by_upload(racer *r)
{
    akidb_upload *upload;
    akidb_slice slice = {r->text, strlen(r->text)};
    akidb_status status =
        akidb_store_upload_begin(r->store, r->key, AKIDB_PUT_IF_ABSENT, &upload, NULL);
    if (status != AKIDB_OK)
        return status;
    status = akidb_upload_write(upload, &slice, 1, NULL);
    if (status != AKIDB_OK) {
        akidb_upload_abort(upload);
        return status;
    }
    return akidb_upload_commit(upload, NULL);
}

static void *race(void *context)
{
    racer *r = context;
    akidb_slice slice = {r->text, strlen(r->text)};
    pthread_barrier_wait(r->start);
    if (r->how == 0)
        r->status = akidb_store_put(r->store, r->key, &slice, 1, AKIDB_PUT_IF_ABSENT, NULL);
    else if (r->how == 1)
        r->status = race_by_upload(r);
    else
        r->status = akidb_store_copy(r->store, r->from, r->key, AKIDB_PUT_IF_ABSENT, NULL);
    return NULL;
}

/* how 3: some by each way. */
static void race_once(place *p, int how, int round)
{
    char name[64];
    snprintf(name, sizeof name, "way-%d/round-%d", how, round);
    char from[KEY_ROOM];
    snprintf(from, sizeof from, "%s", key_of(p, "from"));
    char key[KEY_ROOM];
    snprintf(key, sizeof key, "%s", key_of(p, name));
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
    racer racers[RACERS];
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (racer){.store = p->store, .start = &start, .key = key, .from = from};
        racers[i].how = how == 3 ? i % 3 : how;
        snprintf(racers[i].text, sizeof racers[i].text, "racer %d", i);
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++)
        pthread_join(racers[i].thread, NULL);
    pthread_barrier_destroy(&start);

    const racer *winner = NULL;
    for (int i = 0; i < RACERS; i++) {
        if (racers[i].status == AKIDB_E_ALREADY_EXISTS)
            continue;
        assert_int_equal(racers[i].status, AKIDB_OK);
        assert_null(winner);
        winner = &racers[i];
    }
    assert_non_null(winner);
    assert_text(p, name, winner->how == 2 ? "copied" : winner->text);
}

static void of_many_who_create_a_key_one_wins(void **state)
{
    place *p = PLACE(state);
    put_text(p, "from", "copied");
    for (int how = 0; how <= 3; how++)
        for (int round = 0; round < 15; round++)
            race_once(p, how, round);
    place_close(p);
}

enum { VERSIONS = 60, VERSION_SIZE = 20000 };

typedef struct rewriter {
    pthread_t thread;
    akidb_store *store;
    const char *key;
    bool reads;
    const char *wrong; /* what went wrong; NULL: nothing */
} rewriter;

static const char *check_version(const akidb_buffer *bytes)
{
    if (bytes->size == 0 || bytes->size != VERSION_SIZE - 100 * (size_t)bytes->data[0])
        return "a read is not of a version's size";
    for (size_t i = 0; i < bytes->size; i++)
        if (bytes->data[i] != bytes->data[0])
            return "a read mixes two versions";
    return NULL;
}

static void *rewrite(void *context)
{
    rewriter *r = context;
    uint8_t *bytes = malloc(VERSION_SIZE);
    if (bytes == NULL)
        return NULL;
    for (int i = 0; i < VERSIONS && r->wrong == NULL; i++) {
        if (r->reads) {
            akidb_buffer found;
            if (akidb_store_get(r->store, r->key, VERSION_SIZE, &found, NULL) != AKIDB_OK)
                r->wrong = "a read failed";
            else
                r->wrong = check_version(&found);
            akidb_buffer_free(&found);
        } else {
            akidb_slice slice = {bytes, VERSION_SIZE - 100 * (size_t)i};
            memset(bytes, i, VERSION_SIZE);
            if (akidb_store_put(r->store, r->key, &slice, 1, AKIDB_PUT_ALWAYS, NULL) != AKIDB_OK)
                r->wrong = "a write failed";
        }
    }
    free(bytes);
    return NULL;
}

static void a_reader_sees_whole_versions_only(void **state)
{
    place *p = PLACE(state);
    char key[KEY_ROOM];
    snprintf(key, sizeof key, "%s", key_of(p, "object"));
    rewriter workers[5];
    workers[0] = (rewriter){.store = p->store, .key = key};
    uint8_t *first = calloc(1, VERSION_SIZE); /* version 0 */
    akidb_slice slice = {first, VERSION_SIZE};
    assert_ok(p->err, akidb_store_put(p->store, key, &slice, 1, AKIDB_PUT_ALWAYS, &p->err));
    free(first);
    for (size_t i = 0; i < 5; i++) {
        workers[i] = (rewriter){.store = p->store, .key = key, .reads = i >= 2};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, rewrite, &workers[i]), 0);
    }
    for (size_t i = 0; i < 5; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < 5; i++)
        if (workers[i].wrong != NULL)
            fail_msg("%s", workers[i].wrong);
    place_close(p);
}

typedef struct churner {
    pthread_t thread;
    akidb_store *store;
    char key[KEY_ROOM];
    akidb_status status;
    akidb_error err;
} churner;

/* Ends with the object there. */
static void *churn(void *context)
{
    churner *c = context;
    akidb_slice slice = {c->key, strlen(c->key)};
    for (int i = 0; i < 40 && c->status == AKIDB_OK; i++) {
        if (i > 0)
            c->status = akidb_store_delete(c->store, c->key, &c->err);
        if (c->status == AKIDB_OK)
            c->status = akidb_store_put(c->store, c->key, &slice, 1, AKIDB_PUT_IF_ABSENT, &c->err);
    }
    return NULL;
}

/* Each has its own key, in folders that come and go with the objects of all. */
static void puts_and_deletes_of_neighbours_do_not_meet(void **state)
{
    place *p = PLACE(state);
    churner *workers = calloc(RACERS, sizeof *workers);
    assert_non_null(workers);
    for (size_t i = 0; i < RACERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "x/y/%zu/object-%zu", i % 2, i);
        workers[i].store = p->store;
        snprintf(workers[i].key, KEY_ROOM, "%s", key_of(p, name));
        assert_int_equal(pthread_create(&workers[i].thread, NULL, churn, &workers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < RACERS; i++)
        assert_ok(workers[i].err, workers[i].status);
    assert_list(p, "", 0,
                "x/y/0/object-0 x/y/0/object-2 x/y/0/object-4 x/y/0/object-6 "
                "x/y/1/object-1 x/y/1/object-3 x/y/1/object-5 x/y/1/object-7 ");
    free(workers);
    place_close(p);
}

int store_suite_run(const store_suite_target *target)
{
    void *state = (void *)(uintptr_t)target;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_key_that_breaks_a_rule_is_refused, state),
        cmocka_unit_test_prestate(keys_of_every_legal_form_work, state),
        cmocka_unit_test_prestate(the_longest_keys_work, state),
        cmocka_unit_test_prestate(other_arguments_are_checked, state),
        cmocka_unit_test_prestate(what_was_put_is_got, state),
        cmocka_unit_test_prestate(slices_become_one_object, state),
        cmocka_unit_test_prestate(a_put_replaces, state),
        cmocka_unit_test_prestate(a_put_if_absent_never_replaces, state),
        cmocka_unit_test_prestate(a_get_keeps_to_its_limit, state),
        cmocka_unit_test_prestate(ranges_are_short_only_at_the_end, state),
        cmocka_unit_test_prestate(what_is_not_there_is_not_found, state),
        cmocka_unit_test_prestate(a_head_tells_size_and_time, state),
        cmocka_unit_test_prestate(a_delete_is_for_good_and_may_be_repeated, state),
        cmocka_unit_test_prestate(a_copy_is_an_object_of_its_own, state),
        cmocka_unit_test_prestate(a_key_above_another_is_stored_or_refused, state),
        cmocka_unit_test_prestate(a_list_is_in_byte_order_of_whole_keys, state),
        cmocka_unit_test_prestate(a_prefix_may_end_anywhere, state),
        cmocka_unit_test_prestate(a_prefix_that_no_key_has_finds_nothing, state),
        cmocka_unit_test_prestate(a_delimiter_tells_each_folder_once, state),
        cmocka_unit_test_prestate(a_list_tells_what_a_head_tells, state),
        cmocka_unit_test_prestate(a_stop_ends_the_list, state),
        cmocka_unit_test_prestate(a_visitor_may_delete_what_it_visits, state),
        cmocka_unit_test_prestate(a_list_of_thousands_is_complete_and_in_order, state),
        cmocka_unit_test_prestate(an_upload_is_invisible_until_its_commit, state),
        cmocka_unit_test_prestate(an_upload_without_bytes_is_an_empty_object, state),
        cmocka_unit_test_prestate(an_aborted_upload_leaves_nothing, state),
        cmocka_unit_test_prestate(a_large_upload_arrives_whole, state),
        cmocka_unit_test_prestate(an_upload_if_absent_never_replaces, state),
        cmocka_unit_test_prestate(the_last_commit_wins, state),
        cmocka_unit_test_prestate(after_a_failed_write_only_abort_is_left, state),
        cmocka_unit_test_prestate(leftovers_can_be_counted, state),
        cmocka_unit_test_prestate(a_reader_sees_whole_versions_only, state),
        cmocka_unit_test_prestate(puts_and_deletes_of_neighbours_do_not_meet, state),
        cmocka_unit_test_prestate(of_many_who_create_a_key_one_wins, state),
    };
    return _cmocka_run_group_tests(target->name, tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
