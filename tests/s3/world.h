#ifndef AK_S3_WORLD_H
#define AK_S3_WORLD_H
/* What the programs of this folder that test a bucket share: one server of the tests' own, and an
 * empty bucket of it for each test. */
#include "akidb/s3.h"
#include "s3_server.h"
#include "test.h"

enum { SMALL = 100, LARGE = 5000 }; /* one PUT, and an upload in parts */

extern s3_server server;
extern char last_log[1024]; /* what a store told last */

typedef struct world {
    akidb_store *store;
    akidb_error err;
    char bytes[LARGE];
} world;

/* For cmocka_run_group_tests. */
int world_start_server(void **state);
int world_stop_server(void **state);

/* The server forgets all that was told and stored. */
world *world_open(void);
void world_close(world *w);

/* The options of a world's store, and a store with other ones; its keys lie below "p/". */
akidb_s3_options usual(void);
akidb_store *open_with(const akidb_s3_options *options);

/* The first bytes of the world. */
akidb_status put(world *w, const char *key, size_t size, akidb_put_mode mode);
void assert_object(world *w, const char *key, size_t size);

/* A visitor; its context is a size_t. */
akidb_visit count_entry(void *context, const akidb_list_entry *entry);

#endif
