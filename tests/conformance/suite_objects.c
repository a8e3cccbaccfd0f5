/* Keys, objects and uploads. */
#include <stdlib.h>
#include <string.h>

#include "suite_place.h"

static akidb_status put_if_absent(place *p, const char *name, const char *text)
{
    akidb_slice slice = {text, strlen(text)};
    return akidb_store_put(p->store, key_of(p, name), &slice, 1, AKIDB_PUT_IF_ABSENT, &p->err);
}

/* ---- keys ------------------------------------------------------------------------------------ */

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
    "\xc3\xb6/\xe2\x82\xac/\xf0\x9f\x98\x80",
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
    listing l = {.place = p};
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
    assert_status(AKIDB_E_VALIDATION, akidb_store_list(p->store, p->base, '-', note, &l, NULL));
    assert_status(AKIDB_E_VALIDATION, akidb_store_list(p->store, NULL, '/', note, &l, NULL));
    assert_status(AKIDB_E_VALIDATION, akidb_store_get(p->store, NULL, 1, &(akidb_buffer){0}, NULL));
    assert_false(exists(p, "a"));
    place_close(p);
}

/* ---- put and get ----------------------------------------------------------------------------- */

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

/* Every cut of ten bytes into three pieces, from every offset, within the object and beyond it. */
static void pieces_are_filled_one_after_the_other(void **state)
{
    place *p = PLACE(state);
    put_text(p, "a", "0123456789");
    for (size_t offset = 0; offset < 12; offset++)
        for (size_t first = 1; first < 6; first++)
            for (size_t second = 1; second < 6; second++) {
                char a[6] = {0}, b[6] = {0}, c[3] = {0}, whole[16] = {0};
                const akidb_piece pieces[] = {{a, first}, {b, second}, {c, 2}};
                size_t size = first + second + 2, left = offset < 10 ? 10 - offset : 0, read = 77;
                assert_ok(p->err, akidb_store_get_pieces(p->store, key_of(p, "a"), offset, pieces,
                                                         3, &read, &p->err));
                assert_int_equal(read, size < left ? size : left);
                memcpy(whole, a, first);
                memcpy(whole + first, b, second);
                memcpy(whole + first + second, c, 2);
                if (read > 0)
                    assert_memory_equal(whole, &"0123456789"[offset], read);
            }
    char byte;
    size_t read = 77;
    const akidb_piece one = {&byte, 1}, empty = {&byte, 0};
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_store_get_pieces(p->store, key_of(p, "b"), 0, &one, 1, &read, &p->err));
    assert_int_equal(read, 0);
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_get_pieces(p->store, key_of(p, "a"), 0, &empty, 1, &read, &p->err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_get_pieces(p->store, key_of(p, "a"), 0, NULL, 0, &read, &p->err));
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

static void many_objects_are_deleted_in_one_call(void **state)
{
    place *p = PLACE(state);
    static const char *const names[] = {"plain", "a/b/c", "amp & <angle> \"quotes\" 'single'",
                                        " blank at both ends ", "\xC3\xA9\xE2\x82\xAC%2B+~"};
    enum { NAMES = sizeof names / sizeof names[0] };
    const char *keys[NAMES + 1];
    akidb_status outcomes[NAMES + 1];
    for (size_t i = 0; i < NAMES; i++)
        put_text(p, names[i], "x");
    put_text(p, "plain too", "stays");
    for (size_t i = 0; i < NAMES; i++)
        keys[i + 1] = key_of(p, names[i]);
    keys[0] = key_of(p, "never there");
    memset(outcomes, 0xFF, sizeof outcomes);
    assert_ok(p->err, akidb_store_delete_many(p->store, keys, NAMES + 1, outcomes, &p->err));
    for (size_t i = 0; i < NAMES + 1; i++)
        assert_int_equal(outcomes[i], AKIDB_OK);
    assert_list(p, "", 0, "plain too ");
    assert_ok(p->err, akidb_store_delete_many(p->store, keys, NAMES + 1, NULL, &p->err));
    assert_ok(p->err, akidb_store_delete_many(p->store, NULL, 0, NULL, &p->err));
    place_close(p);
}

static void one_illegal_key_of_many_deletes_nothing(void **state)
{
    place *p = PLACE(state);
    put_text(p, "a", "x");
    const char *keys[] = {key_of(p, "a"), "/", NULL};
    akidb_status outcomes[3];
    assert_status(AKIDB_E_VALIDATION,
                  akidb_store_delete_many(p->store, keys, 3, outcomes, &p->err));
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(outcomes[i], AKIDB_E_VALIDATION);
    assert_status(AKIDB_E_VALIDATION, akidb_store_delete_many(p->store, NULL, 1, NULL, &p->err));
    assert_text(p, "a", "x");
    place_close(p);
}

static void statistics_tell_what_was_done(void **state)
{
    place *p = PLACE(state);
    akidb_store_statistics before, after;
    akidb_store_get_statistics(p->store, &before);
    put_text(p, "a", "12345");
    assert_text(p, "a", "12345");
    assert_true(exists(p, "a"));
    assert_false(exists(p, "b"));
    assert_list(p, "", 0, "a ");
    assert_ok(p->err, akidb_store_delete(p->store, key_of(p, "a"), &p->err));
    akidb_store_get_statistics(p->store, &after);
    static const struct {
        akidb_request_kind kind;
        uint64_t least;
    } expected[] = {{AKIDB_REQUEST_PUT, 1},
                    {AKIDB_REQUEST_GET, 1},
                    {AKIDB_REQUEST_HEAD, 2},
                    {AKIDB_REQUEST_LIST, 1},
                    {AKIDB_REQUEST_DELETE, 1}};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        akidb_request_kind kind = expected[i].kind;
        if (after.requests[kind] - before.requests[kind] < expected[i].least)
            fail_msg("%s requests: %u", akidb_request_kind_name(kind),
                     (unsigned)(after.requests[kind] - before.requests[kind]));
    }
    assert_true(after.sent_bytes - before.sent_bytes >= 5);
    assert_true(after.received_bytes - before.received_bytes >= 5);
    assert_int_equal(after.failed, before.failed);
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

/* ---- uploads --------------------------------------------------------------------------------- */

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

int suite_objects_run(const store_suite_target *target)
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
        cmocka_unit_test_prestate(pieces_are_filled_one_after_the_other, state),
        cmocka_unit_test_prestate(what_is_not_there_is_not_found, state),
        cmocka_unit_test_prestate(a_head_tells_size_and_time, state),
        cmocka_unit_test_prestate(a_delete_is_for_good_and_may_be_repeated, state),
        cmocka_unit_test_prestate(many_objects_are_deleted_in_one_call, state),
        cmocka_unit_test_prestate(one_illegal_key_of_many_deletes_nothing, state),
        cmocka_unit_test_prestate(statistics_tell_what_was_done, state),
        cmocka_unit_test_prestate(a_copy_is_an_object_of_its_own, state),
        cmocka_unit_test_prestate(a_key_above_another_is_stored_or_refused, state),
        cmocka_unit_test_prestate(an_upload_is_invisible_until_its_commit, state),
        cmocka_unit_test_prestate(an_upload_without_bytes_is_an_empty_object, state),
        cmocka_unit_test_prestate(an_aborted_upload_leaves_nothing, state),
        cmocka_unit_test_prestate(a_large_upload_arrives_whole, state),
        cmocka_unit_test_prestate(an_upload_if_absent_never_replaces, state),
        cmocka_unit_test_prestate(the_last_commit_wins, state),
        cmocka_unit_test_prestate(after_a_failed_write_only_abort_is_left, state),
        cmocka_unit_test_prestate(leftovers_can_be_counted, state),
    };
    return _cmocka_run_group_tests(target->name, tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
