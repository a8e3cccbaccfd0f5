#include "storage_killer.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

void story_watch_init(story_watch *w, size_t count, size_t threads)
{
    *w = (story_watch){.count = count, .threads = threads};
    w->stories = calloc(count, sizeof *w->stories);
    w->is_under_way = calloc(count, sizeof *w->is_under_way);
    w->under_way = calloc(count, sizeof *w->under_way);
    assert_true(w->stories != NULL && w->is_under_way != NULL && w->under_way != NULL);
    for (size_t i = 0; i < count; i++)
        story_begin(&w->stories[i], i, i + 1);
}

void story_watch_free(story_watch *w)
{
    free(w->stories);
    free(w->is_under_way);
    free(w->under_way);
}

/* ---- what the writer says -------------------------------------------------------------------- */

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

static void listen_to(story_watch *w, int from, pid_t writer, uint64_t steps)
{
    message m;
    uint64_t done = 0;
    while (read(from, &m, sizeof m) == (ssize_t)sizeof m) {
        if (m.word == OPENED) {
            w->opened = true;
            continue;
        }
        assert_true(m.index < w->count);
        w->is_under_way[m.index] = m.word == BEGUN;
        w->under_way[m.index] = m.step;
        if (m.word == DONE)
            story_note(&w->stories[m.index], &m.step);
        if (m.word == DONE && ++done == steps)
            kill(writer, SIGKILL);
    }
}

/* ---- the writer, which is killed ------------------------------------------------------------- */

typedef struct writer {
    pthread_t thread;
    akidb_storage *storage;
    story *stories;
    size_t first, step, count;
    uint64_t seed; /* of the order of the stories */
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
    uint64_t random = w->seed;
    size_t mine = (w->count - w->first + w->step - 1) / w->step;
    for (;;) {
        size_t index = w->first + test_random(&random) % mine * w->step;
        story *s = &w->stories[index];
        story_step step = story_next(s);
        tell(w->to, BEGUN, index, &step);
        if (story_do(s, w->storage, &step, &err) != AKIDB_OK)
            give_up(story_deed_name(step.what), &err);
        story_note(s, &step);
        tell(w->to, DONE, index, &step);
    }
    return NULL;
}

static void child(const story_watch *watch, story_opener *opener, void *context, int to)
{
    akidb_error err = {0};
    akidb_storage *storage = opener(context, &err);
    if (storage == NULL)
        give_up("opening the storage", &err);
    tell(to, OPENED, 0, NULL);
    writer *writers = calloc(watch->threads, sizeof *writers);
    if (writers == NULL)
        _exit(1);
    uint64_t done = 0; /* so that each writer goes on in another order */
    for (size_t i = 0; i < watch->count; i++)
        done += watch->stories[i].done;
    for (size_t i = 0; i < watch->threads; i++) {
        writers[i] = (writer){.storage = storage,
                              .stories = watch->stories,
                              .first = i,
                              .step = watch->threads,
                              .count = watch->count,
                              .seed = done * 64 + i,
                              .to = to};
        if (pthread_create(&writers[i].thread, NULL, write_until_killed, &writers[i]) != 0)
            _exit(1);
    }
    for (size_t i = 0; i < watch->threads; i++)
        pthread_join(writers[i].thread, NULL);
    _exit(1);
}

/* ---- the one who kills, and looks ------------------------------------------------------------ */

/* What the writer says is read while it lives, so that a full pipe does not hold it up; so another
 * process does the killing. */
void story_run_and_kill(story_watch *w, story_opener *opener, void *context, useconds_t moment,
                        uint64_t steps)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(ends[0]);
        child(w, opener, context, ends[1]);
    }
    close(ends[1]);
    pid_t killer = fork();
    assert_true(killer >= 0);
    if (killer == 0) {
        usleep(moment);
        kill(pid, SIGKILL);
        _exit(0);
    }
    w->opened = false;
    memset(w->is_under_way, 0, w->count * sizeof *w->is_under_way);
    listen_to(w, ends[0], pid, steps);
    close(ends[0]);
    int status;
    kill(killer, SIGKILL); /* the writer has ended; its id is taken until it is waited for */
    assert_int_equal(waitpid(killer, &status, 0), killer);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
        fail_msg("the writer ended by itself");
}

void story_watch_check(story_watch *w, akidb_storage *storage)
{
    w->killed_opening += !w->opened;
    for (size_t i = 0; i < w->count; i++) {
        bool under_way = w->is_under_way[i];
        story_check(&w->stories[i], storage, under_way ? &w->under_way[i] : NULL);
        w->killed_in[w->under_way[i].what] += under_way;
    }
}

void story_watch_print(const story_watch *w, uint64_t kills)
{
    uint64_t steps = 0;
    for (size_t i = 0; i < w->count; i++)
        steps += w->stories[i].done;
    print_message("%llu kills, %llu while it was opening", (unsigned long long)kills,
                  (unsigned long long)w->killed_opening);
    for (int deed = STORY_CREATE; deed < STORY_DEEDS; deed++)
        print_message(", in %s: %llu", story_deed_name((story_deed)deed),
                      (unsigned long long)w->killed_in[deed]);
    print_message("; %llu steps\n", (unsigned long long)steps);
}
