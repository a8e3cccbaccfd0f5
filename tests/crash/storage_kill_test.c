/*
 * A storage whose process is killed at any moment, while two threads write to a collection each:
 * what was acknowledged is there, what was under way is there as a whole or not at all, nothing
 * else is, and nothing is twice. Half of the kills come after a random time, the others at a random
 * call to the disk, of which a write is then half done. AKIDB_CRASH_ROUNDS asks for more than 20
 * rounds.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault_files.h"
#include "storage/storage.h"
#include "storage_story.h"

#include "../unit/storage/support.h"

enum { STORIES = 2, SEGMENT = 64 << 10, ROUNDS_FOR_ALL = 500 };

/* ---- what the writer tells ------------------------------------------------------------------- */

typedef enum word { OPENED, BEGUN, DONE } word;

typedef struct message {
    word word;
    size_t index; /* of the story */
    story_step step;
} message;

/* A pipe takes a message as a whole: it is shorter than PIPE_BUF. */
static void tell(int to, word what, size_t index, const story_step *step)
{
    message m;
    memset(&m, 0, sizeof m);
    m.word = what;
    m.index = index;
    if (step != NULL)
        m.step = *step;
    if (write(to, &m, sizeof m) != (ssize_t)sizeof m)
        _exit(1);
}

/* ---- the writer, which is killed ------------------------------------------------------------- */

typedef struct plan {
    const char *folder;
    uint64_t round;
    bool background;    /* flushes by itself, too, and lives longer */
    uint64_t kill_call; /* to the disk; UINT64_MAX: none */
    useconds_t moment;  /* microseconds */
} plan;

typedef struct writer {
    pthread_t thread;
    akidb_storage *storage;
    story story;
    size_t index;
    int to;
} writer;

static void give_up(const char *what, const akidb_error *err)
{
    fprintf(stderr, "the writer: %s: %s\n", what, err->message);
    _exit(1);
}

static void *write_until_killed(void *context)
{
    writer *w = context;
    akidb_error err = {0};
    for (;;) {
        story_step step = story_next(&w->story);
        tell(w->to, BEGUN, w->index, &step);
        if (story_do(&w->story, w->storage, &step, &err) != AKIDB_OK)
            give_up(story_deed_name(step.what), &err);
        story_note(&w->story, &step);
        tell(w->to, DONE, w->index, &step);
    }
    return NULL;
}

static akidb_storage_options options_of(const plan *p)
{
    akidb_storage_options options = test_options(p->folder);
    options.wal_segment_bytes = SEGMENT;
    options.durability = (akidb_durability)(p->round % 3);
    options.interval_ms = 5;
    return options;
}

/* The storage and its store are on files that end the process when their turn comes. */
static void child(const plan *p, const story *stories, int to)
{
    static const akidb_retention few = {.struct_size = sizeof few, .keep_last = 8};
    fault_files disk;
    fault_files_init(&disk, akidb_files_system());
    char store_folder[TEST_FOLDER_SIZE + 8];
    snprintf(store_folder, sizeof store_folder, "%s/store", p->folder);
    akidb_error err = {0};
    akidb_storage_options options = options_of(p);
    options.retention = p->background ? NULL : &few;
    if (p->background)
        options.flush_wal_bytes = SEGMENT;
    if (akidb_store_local_open_with(store_folder, &disk.files, &options.store, &err) != AKIDB_OK)
        give_up("opening the store", &err);
    if (p->kill_call != UINT64_MAX)
        fault_files_kill(&disk, ALL_CALLS, p->kill_call);
    akidb_storage *storage;
    if (ak_storage_open_with(&options, &disk.files, &storage, NULL, &err) != AKIDB_OK)
        give_up("opening the storage", &err);
    tell(to, OPENED, 0, NULL);
    writer writers[STORIES];
    for (size_t i = 0; i < STORIES; i++) {
        writers[i] = (writer){.storage = storage, .story = stories[i], .index = i, .to = to};
        if (pthread_create(&writers[i].thread, NULL, write_until_killed, &writers[i]) != 0)
            _exit(1);
    }
    for (size_t i = 0; i < STORIES; i++)
        pthread_join(writers[i].thread, NULL);
}

/* ---- the one who kills, and looks ------------------------------------------------------------ */

typedef struct watcher {
    story stories[STORIES];
    bool opened;
    bool is_under_way[STORIES];
    story_step under_way[STORIES];
    uint64_t killed_in[STORY_DEEDS]; /* how often each was under way */
    uint64_t killed_opening;
} watcher;

static void listen_to(watcher *w, int from)
{
    message m;
    while (read(from, &m, sizeof m) == (ssize_t)sizeof m) {
        if (m.word == OPENED) {
            w->opened = true;
            continue;
        }
        assert_true(m.index < STORIES);
        w->is_under_way[m.index] = m.word == BEGUN;
        w->under_way[m.index] = m.step;
        if (m.word == DONE)
            story_note(&w->stories[m.index], &m.step);
    }
}

/* What the writer says is read while it lives, so that a full pipe does not hold it up; so another
 * process does the killing. */
static void run_and_kill(watcher *w, const plan *p)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        child(p, w->stories, ends[1]);
        _exit(1);
    }
    close(ends[1]);
    pid_t killer = fork();
    assert_true(killer >= 0);
    if (killer == 0) {
        usleep(p->moment);
        kill(pid, SIGKILL);
        _exit(0);
    }
    w->opened = false;
    for (size_t i = 0; i < STORIES; i++)
        w->is_under_way[i] = false;
    listen_to(w, ends[0]);
    close(ends[0]);
    int status;
    kill(killer, SIGKILL); /* the writer has ended; its id is taken until it is waited for */
    assert_int_equal(waitpid(killer, &status, 0), killer);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("round %llu: the writer ended by itself", (unsigned long long)p->round);
}

static void check(watcher *w, const plan *p)
{
    akidb_storage_options options = options_of(p);
    akidb_storage *storage = test_open(&options, NULL);
    w->killed_opening += !w->opened;
    for (size_t i = 0; i < STORIES; i++) {
        bool under_way = w->is_under_way[i];
        story_check(&w->stories[i], storage, under_way ? &w->under_way[i] : NULL);
        w->killed_in[w->under_way[i].what] += under_way;
    }
    test_close(storage);
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
    watcher *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (size_t i = 0; i < STORIES; i++)
        story_begin(&w->stories[i], i, i + 1);
    for (uint64_t round = 0; round < rounds; round++) {
        plan p = make_plan(*state, round, &random);
        run_and_kill(w, &p);
        check(w, &p);
    }
    print_message("%llu kills while it was opening: %llu", (unsigned long long)rounds,
                  (unsigned long long)w->killed_opening);
    for (story_deed deed = STORY_CREATE; deed < STORY_DEEDS; deed++)
        print_message(", in %s: %llu", story_deed_name(deed),
                      (unsigned long long)w->killed_in[deed]);
    print_message("; %llu steps\n", (unsigned long long)(w->stories[0].done + w->stories[1].done));
    for (int deed = STORY_CREATE; deed < STORY_DEEDS && rounds >= ROUNDS_FOR_ALL; deed++)
        assert_true(w->killed_in[deed] > 0);
    assert_true(w->killed_opening > 0);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        storage_test(what_was_acknowledged_survives_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
