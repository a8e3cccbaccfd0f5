#ifndef AK_TEST_STORAGE_KILLER_H
#define AK_TEST_STORAGE_KILLER_H
/* A process that goes on with stories (storage_story.h) in several threads until it is killed, and
 * what it had said by then. Failures end the test. */
#include <sys/types.h>

#include "storage_story.h"

typedef struct story_watch {
    story *stories;
    size_t count;
    size_t threads; /* of the writer; thread t has the stories t, t + threads, ... */
    /* Of the last writer: */
    bool opened;           /* the storage, before it was killed */
    bool *is_under_way;    /* by story: a step was begun and not done */
    story_step *under_way; /* that one */
    /* Of all writers: how often each was under way. */
    uint64_t killed_in[STORY_DEEDS], killed_opening;
} story_watch;

void story_watch_init(story_watch *w, size_t count, size_t threads);
void story_watch_free(story_watch *w);

/* Opens the storage in the process that will be killed; NULL when that fails. */
typedef akidb_storage *story_opener(void *context, akidb_error *err);

/* Starts a writer, and kills it after so many microseconds, or when it has said that so many steps
 * are done, unless it has ended by SIGKILL before. */
void story_run_and_kill(story_watch *w, story_opener *opener, void *context, useconds_t moment,
                        uint64_t steps);

/* All stories, with what was under way, on a storage that was opened again. */
void story_watch_check(story_watch *w, akidb_storage *storage);

/* "1000 kills, 320 while it was opening, in create: 2, ..." */
void story_watch_print(const story_watch *w, uint64_t kills);

#endif
