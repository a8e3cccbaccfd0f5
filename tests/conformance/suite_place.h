#ifndef AK_SUITE_PLACE_H
#define AK_SUITE_PLACE_H
/* What the files of the store suite share: a place for the keys of one test, and short forms. */
#include "store_suite.h"
#include "test.h"

enum { KEY_ROOM = AKIDB_KEY_MAX + 64 };

/* A test's own keys, below the prefix of the run. */
typedef struct place {
    akidb_store *store;
    char base[300]; /* "prefix/test/" */
    char keys[8][KEY_ROOM];
    size_t next;
    akidb_error err;
} place;

place *place_open(void **state, const char *test);

/* Deletes what is below the place. */
void place_close(place *p);

#define PLACE(state) place_open(state, __func__)

/* The full key of a name; good until seven more were asked for. */
const char *key_of(place *p, const char *name);

void put_text(place *p, const char *name, const char *text);
bool exists(place *p, const char *name);
void assert_bytes(place *p, const char *name, const void *bytes, size_t size);
void assert_text(place *p, const char *name, const char *text);

/* `expected` holds the names or prefixes, each with a blank after it. */
void assert_list(place *p, const char *prefix, char delimiter, const char *expected);

/* What a visitor noted, in the form of `expected` above. */
typedef struct listing {
    place *place;
    char text[4096];
    size_t stop_after; /* 0: never */
    size_t count;
} listing;

akidb_visit note(void *context, const akidb_list_entry *entry);

/* Parts of the suite. */
int suite_objects_run(const store_suite_target *target);
int suite_lists_run(const store_suite_target *target);
int suite_threads_run(const store_suite_target *target);

#endif
