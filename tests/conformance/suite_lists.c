/* Lists. */
#include <stdlib.h>
#include <string.h>

#include "suite_place.h"

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

int suite_lists_run(const store_suite_target *target)
{
    void *state = (void *)(uintptr_t)target;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_list_is_in_byte_order_of_whole_keys, state),
        cmocka_unit_test_prestate(a_prefix_may_end_anywhere, state),
        cmocka_unit_test_prestate(a_prefix_that_no_key_has_finds_nothing, state),
        cmocka_unit_test_prestate(a_delimiter_tells_each_folder_once, state),
        cmocka_unit_test_prestate(a_list_tells_what_a_head_tells, state),
        cmocka_unit_test_prestate(a_stop_ends_the_list, state),
        cmocka_unit_test_prestate(a_visitor_may_delete_what_it_visits, state),
        cmocka_unit_test_prestate(a_list_of_thousands_is_complete_and_in_order, state),
    };
    return _cmocka_run_group_tests(target->name, tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
