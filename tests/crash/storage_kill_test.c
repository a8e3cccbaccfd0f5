/*
 * A storage whose process is killed at any moment, while two threads write to a collection each:
 * what was acknowledged is there, what was under way is there as a whole or not at all, nothing
 * else is, and nothing is twice. Half of the kills come after a random time, the others at a random
 * call to the disk, of which a write is then half done. AKIDB_CRASH_ROUNDS asks for more than 20
 * rounds.
 */
#include "fault_files.h"
#include "storage/storage.h"
#include "storage_killer.h"

#include "../unit/storage/support.h"

enum { STORIES = 2, SEGMENT = 64 << 10, ROUNDS_FOR_ALL = 500 };

typedef struct plan {
    const char *folder;
    uint64_t round;
    bool background;    /* flushes by itself, too, and lives longer */
    uint64_t kill_call; /* to the disk; UINT64_MAX: none */
    useconds_t moment;  /* microseconds */
} plan;

static akidb_storage_options options_of(const plan *p)
{
    akidb_storage_options options = test_options(p->folder);
    options.wal_segment_bytes = SEGMENT;
    options.durability = (akidb_durability)(p->round % 3);
    options.interval_ms = 5;
    return options;
}

/* The storage and its store are on files that end the process when their turn comes. */
static akidb_storage *open_to_be_killed(void *context, akidb_error *err)
{
    static const akidb_retention few = {.struct_size = sizeof few, .keep_last = 8};
    static fault_files disk;
    const plan *p = context;
    char store_folder[TEST_FOLDER_SIZE + 8];
    snprintf(store_folder, sizeof store_folder, "%s/store", p->folder);
    fault_files_init(&disk, akidb_files_system());
    akidb_storage_options options = options_of(p);
    options.retention = p->background ? NULL : &few;
    if (p->background)
        options.flush_wal_bytes = SEGMENT;
    akidb_storage *storage = NULL;
    if (akidb_store_local_open_with(store_folder, &disk.files, &options.store, err) != AKIDB_OK)
        return NULL;
    if (p->kill_call != UINT64_MAX)
        fault_files_kill(&disk, ALL_CALLS, p->kill_call);
    return ak_storage_open_with(&options, &disk.files, &storage, NULL, err) == AKIDB_OK ? storage
                                                                                        : NULL;
}

static plan make_plan(const char *folder, uint64_t round, uint64_t *random)
{
    plan p = {.folder = folder, .round = round, .kill_call = UINT64_MAX, .moment = 2000000};
    p.background = round % 16 == 7;
    bool early = round % 4 == 0; /* most likely while it recovers */
    if (p.background)
        p.moment = (useconds_t)(100000 + test_random(random) % 60000);
    else if (round % 2 == 0)
        p.moment = (useconds_t)(test_random(random) % (early ? 4000 : 30000));
    else
        p.kill_call = test_random(random) % (round % 4 == 1 ? 80 : 600);
    return p;
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
    const char *asked = getenv("AKIDB_CRASH_ROUNDS");
    uint64_t rounds = asked == NULL ? 20 : strtoull(asked, NULL, 10), random = 5;
    story_watch w;
    story_watch_init(&w, STORIES, STORIES);
    for (uint64_t round = 0; round < rounds; round++) {
        plan p = make_plan(*state, round, &random);
        story_run_and_kill(&w, open_to_be_killed, &p, p.moment, UINT64_MAX);
        akidb_storage_options options = options_of(&p);
        akidb_storage *storage = test_open(&options, NULL);
        story_watch_check(&w, storage);
        test_close(storage);
    }
    story_watch_print(&w, rounds);
    /* A sync of what is on the disk already takes no time: no kill need fall into one. */
    for (int deed = STORY_CREATE; deed < STORY_DEEDS && rounds >= ROUNDS_FOR_ALL; deed++)
        assert_true(deed == STORY_SYNC || w.killed_in[deed] > 0);
    assert_true(w.killed_opening > 0);
    story_watch_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(what_was_acknowledged_survives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
