/*
 * A storage whose process is killed at any moment while its collections move from tier to tier, and
 * two threads write to them: afterwards every document is readable and equal, the catalogue and
 * DATA/warm agree, and no file is left over. Every other kill comes at a random call to the disk,
 * of which a write is then half done. AKIDB_CRASH_ROUNDS asks for more than 20 rounds.
 */
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault_files.h"
#include "storage/storage.h"
#include "storage_killer.h"

#include "../unit/storage/support.h"

enum { STORIES = 2, SEGMENT = 64 << 10 };

/* Seen by the process that is killed and by the one that looks. */
typedef struct shared {
    _Atomic bool moving;
    _Atomic uint64_t moves;
} shared;

typedef struct plan {
    const char *folder;
    uint64_t round;
    uint64_t kill_call; /* to the disk; UINT64_MAX: none */
    useconds_t moment;  /* microseconds */
    shared *shared;
    const story_watch *watch;
    akidb_storage *storage;
} plan;

static akidb_storage_options options_of(const plan *p)
{
    akidb_storage_options options = test_options(p->folder);
    options.wal_segment_bytes = SEGMENT;
    options.durability = (akidb_durability)(p->round % 3);
    options.interval_ms = 5;
    return options;
}

/* A collection that is dropped meanwhile, or not made yet, does not move. */
static void *move_until_killed(void *context)
{
    plan *p = context;
    akidb_error err = {0};
    uint64_t random = p->round;
    for (;;) {
        const akidb_uuid *id = &p->watch->stories[test_random(&random) % STORIES].collection;
        akidb_tier tier = (akidb_tier)(test_random(&random) % 3);
        atomic_store(&p->shared->moving, true);
        akidb_status status = akidb_storage_move(p->storage, id, tier, NULL, NULL, &err);
        atomic_store(&p->shared->moving, false);
        if (status != AKIDB_OK && status != AKIDB_E_NOT_FOUND) {
            fprintf(stderr, "the mover: %s\n", err.message);
            _exit(1);
        }
        if (status == AKIDB_OK)
            atomic_fetch_add(&p->shared->moves, 1);
        else
            usleep(200);
    }
    return NULL;
}

static akidb_storage *open_to_be_killed(void *context, akidb_error *err)
{
    /* More than what moves flush between the snapshots that a story may still restore. */
    static const akidb_retention some = {.struct_size = sizeof some, .keep_last = 200};
    static fault_files disk;
    plan *p = context;
    char store_folder[TEST_FOLDER_SIZE + 8];
    snprintf(store_folder, sizeof store_folder, "%s/store", p->folder);
    fault_files_init(&disk, akidb_files_system());
    akidb_storage_options options = options_of(p);
    options.retention = &some;
    if (akidb_store_local_open_with(store_folder, &disk.files, &options.store, err) != AKIDB_OK)
        return NULL;
    if (p->kill_call != UINT64_MAX)
        fault_files_kill(&disk, ALL_CALLS, p->kill_call);
    if (ak_storage_open_with(&options, &disk.files, &p->storage, NULL, err) != AKIDB_OK)
        return NULL;
    pthread_t thread;
    return pthread_create(&thread, NULL, move_until_killed, p) == 0 ? p->storage : NULL;
}

static akidb_visit count_key(void *context, const akidb_list_entry *entry)
{
    (void)entry;
    ++*(uint64_t *)context;
    return AKIDB_VISIT_CONTINUE;
}

/* A warm collection has the metadata and the one part of its snapshot in DATA/warm, both good;
 * there is nothing else, nor anything unfinished. */
static void check_files(const plan *p, akidb_storage *storage)
{
    akidb_error err;
    akidb_collection_info *infos;
    size_t count;
    char folder[TEST_FOLDER_SIZE + 8];
    akidb_store *warm;
    uint64_t expected = 0, keys = 0, leftovers, bytes;
    assert_ok(err, akidb_storage_collections(storage, &infos, &count, &err));
    for (size_t i = 0; i < count; i++) {
        expected += infos[i].tier == AKIDB_TIER_WARM ? 2 : 0;
        assert_int_equal(infos[i].warm_bytes > 0, infos[i].tier == AKIDB_TIER_WARM);
    }
    free(infos);
    snprintf(folder, sizeof folder, "%s/warm", p->folder);
    assert_ok(err, akidb_store_local_open(folder, &warm, &err));
    assert_ok(err, akidb_store_list(warm, "", 0, count_key, &keys, &err));
    assert_int_equal(keys, expected);
    assert_ok(err, akidb_store_remove_leftovers(warm, INT64_MAX, true, &leftovers, &bytes, &err));
    assert_int_equal(leftovers, 0);
    akidb_store_close(warm);
}

static void what_was_acknowledged_survives_a_kill_while_collections_move(void **state)
{
    const char *asked = getenv("AKIDB_CRASH_ROUNDS");
    uint64_t rounds = asked == NULL ? 20 : strtoull(asked, NULL, 10), random = 7, in_moves = 0;
    shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(s, MAP_FAILED);
    story_watch w;
    story_watch_init(&w, STORIES, STORIES);
    for (uint64_t round = 0; round < rounds; round++) {
        plan p = {.folder = *state,
                  .round = round,
                  .kill_call = UINT64_MAX,
                  .moment = 2000000,
                  .shared = s,
                  .watch = &w};
        if (round % 2 == 0)
            p.moment = (useconds_t)(test_random(&random) % 60000);
        else
            p.kill_call = test_random(&random) % 1500;
        atomic_store(&s->moving, false);
        story_run_and_kill(&w, open_to_be_killed, &p, p.moment, UINT64_MAX);
        in_moves += atomic_load(&s->moving);
        akidb_storage_options options = options_of(&p);
        akidb_storage *storage = test_open(&options, NULL);
        check_files(&p, storage);
        story_watch_check(&w, storage);
        check_files(&p, storage);
        test_close(storage);
    }
    story_watch_print(&w, rounds);
    print_message("%llu moves, %llu kills in one\n", (unsigned long long)atomic_load(&s->moves),
                  (unsigned long long)in_moves);
    assert_true(in_moves > 0);
    story_watch_free(&w);
    munmap(s, sizeof *s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(what_was_acknowledged_survives_a_kill_while_collections_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
