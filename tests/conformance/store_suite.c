#include "store_suite.h"

#include <stdlib.h>
#include <string.h>

#include "suite_place.h"

const char *key_of(place *p, const char *name)
{
    char *key = p->keys[p->next++ % 8];
    snprintf(key, KEY_ROOM, "%s%s", p->base, name);
    return key;
}

place *place_open(void **state, const char *test)
{
    const store_suite_target *target = *state;
    place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->store = target->store;
    snprintf(p->base, sizeof p->base, "%s/%s/", target->prefix, test);
    return p;
}

typedef struct key_list {
    char **keys;
    size_t count, capacity;
} key_list;

static akidb_visit keep_key(void *context, const akidb_list_entry *entry)
{
    key_list *list = context;
    if (list->count == list->capacity) {
        list->capacity = 2 * list->capacity + 16;
        list->keys = realloc(list->keys, list->capacity * sizeof *list->keys);
        assert_non_null(list->keys);
    }
    list->keys[list->count] = strdup(entry->key);
    assert_non_null(list->keys[list->count++]);
    return AKIDB_VISIT_CONTINUE;
}

void place_close(place *p)
{
    key_list list = {0};
    assert_ok(p->err, akidb_store_list(p->store, p->base, 0, keep_key, &list, &p->err));
    assert_ok(p->err, akidb_store_delete_many(p->store, (const char *const *)list.keys, list.count,
                                              NULL, &p->err));
    for (size_t i = 0; i < list.count; i++)
        free(list.keys[i]);
    free(list.keys);
    list = (key_list){0};
    assert_ok(p->err, akidb_store_list(p->store, p->base, 0, keep_key, &list, &p->err));
    assert_int_equal(list.count, 0);
    free(p);
}

/* ---- short forms ----------------------------------------------------------------------------- */

void put_text(place *p, const char *name, const char *text)
{
    akidb_slice slice = {text, strlen(text)};
    assert_ok(p->err,
              akidb_store_put(p->store, key_of(p, name), &slice, 1, AKIDB_PUT_ALWAYS, &p->err));
}

void assert_bytes(place *p, const char *name, const void *bytes, size_t size)
{
    akidb_buffer found;
    assert_ok(p->err, akidb_store_get(p->store, key_of(p, name), UINT64_MAX, &found, &p->err));
    assert_int_equal(found.size, size);
    if (size > 0)
        assert_memory_equal(found.data, bytes, size);
    akidb_buffer_free(&found);
}

void assert_text(place *p, const char *name, const char *text)
{
    assert_bytes(p, name, text, strlen(text));
}

bool exists(place *p, const char *name)
{
    bool there;
    assert_ok(p->err, akidb_store_exists(p->store, key_of(p, name), &there, &p->err));
    return there;
}

akidb_visit note(void *context, const akidb_list_entry *entry)
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

void assert_list(place *p, const char *prefix, char delimiter, const char *expected)
{
    listing l = {.place = p};
    assert_ok(p->err, akidb_store_list(p->store, key_of(p, prefix), delimiter, note, &l, &p->err));
    assert_string_equal(l.text, expected);
}

int store_suite_run(const store_suite_target *target)
{
    return suite_objects_run(target) + suite_lists_run(target) + suite_threads_run(target);
}
