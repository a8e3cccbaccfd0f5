#ifndef AK_TEST_STORAGE_STORY_H
#define AK_TEST_STORAGE_STORY_H
/*
 * What happens to one collection, step by step, and what must be in it after each: for tests that
 * kill the storage in the middle. The next step follows from the seed and from what was done, so
 * that a process that goes on with a copy of a story does what the first would have done. Each step
 * is one call that happens wholly or not at all.
 */
#include "akidb/storage.h"

enum { STORY_DOCUMENTS = 1600, STORY_SNAPSHOTS = 4 };

typedef enum story_deed {
    STORY_CREATE = 0,
    STORY_DROP,
    STORY_UPSERT,
    STORY_DELETE,
    STORY_FLUSH,
    STORY_RESTORE,
    STORY_SYNC,
    STORY_DEEDS
} story_deed;

/* "create", ...; for messages. */
const char *story_deed_name(story_deed deed);

typedef struct story_step {
    story_deed what;
    uint32_t first, count; /* UPSERT, DELETE: documents */
    uint32_t version;      /* UPSERT: what they become */
    akidb_uuid snapshot;   /* FLUSH: what came of it; RESTORE: which one */
} story_step;

/* What there is of a collection. */
typedef struct story_state {
    bool exists;
    uint32_t versions[STORY_DOCUMENTS]; /* 0: not there */
} story_state;

typedef struct story_snapshot {
    akidb_uuid id;
    story_state state;
} story_snapshot;

typedef struct story {
    akidb_uuid collection;
    uint64_t first_number; /* of its first document; no other story may have its numbers */
    uint64_t seed;
    uint64_t done; /* steps */
    story_state now;
    story_snapshot snapshots[STORY_SNAPSHOTS]; /* the latest that were acknowledged */
    size_t snapshot_count;
} story;

/* Story `index` of several that share a storage. */
void story_begin(story *s, size_t index, uint64_t seed);

/* What comes next. */
story_step story_next(const story *s);

/* Makes the step; a flush fills in its snapshot, and a restore of what retention has removed
 * becomes a step that does nothing. */
akidb_status story_do(const story *s, akidb_storage *storage, story_step *step, akidb_error *err);

/* The step was acknowledged. */
void story_note(story *s, const story_step *step);

/* The storage must hold just what the story says or, when a step was `under_way` (or NULL), what
 * that one would have made of it; then the story has it. Ends the test otherwise. */
void story_check(story *s, akidb_storage *storage, const story_step *under_way);

#endif
