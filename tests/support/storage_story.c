#include "storage_story.h"

#include <stdlib.h>
#include <string.h>

#include "../unit/storage/support.h"

const char *story_deed_name(story_deed deed)
{
    static const char *const names[] = {
        "create", "drop", "upsert", "delete", "flush", "restore", "sync",
    };
    return deed < STORY_DEEDS ? names[deed] : "nothing";
}

void story_begin(story *s, size_t index, uint64_t seed)
{
    *s = (story){.seed = seed, .first_number = (uint64_t)index * STORY_DOCUMENTS};
    s->collection = test_id(UINT64_C(1) << 32 | index);
}

/* ---- what comes next ------------------------------------------------------------------------- */

/* Mostly a few documents; at times all of them, which is more than a small segment holds. */
static void choose_range(story_step *step, uint64_t *random)
{
    uint64_t way = test_random(random) % 30;
    uint32_t most = way == 0 ? STORY_DOCUMENTS : way < 5 ? 200 : 6;
    step->count = 1 + (uint32_t)(test_random(random) % most);
    if (way == 0)
        step->count = STORY_DOCUMENTS;
    step->first = (uint32_t)(test_random(random) % (STORY_DOCUMENTS - step->count + 1));
}

static story_deed choose_deed(const story *s, uint64_t *random)
{
    uint64_t way = test_random(random) % 100;
    if (!s->now.exists)
        return STORY_CREATE;
    if (way < 3)
        return STORY_DROP;
    if (way < 10)
        return STORY_FLUSH;
    if (way < 15)
        return s->snapshot_count > 0 ? STORY_RESTORE : STORY_FLUSH;
    if (way < 20)
        return STORY_SYNC;
    return way < 35 ? STORY_DELETE : STORY_UPSERT;
}

story_step story_next(const story *s)
{
    uint64_t random = s->seed * 1000003 + s->done;
    story_step step = {.what = choose_deed(s, &random), .version = (uint32_t)s->done + 1};
    if (step.what == STORY_UPSERT || step.what == STORY_DELETE)
        choose_range(&step, &random);
    if (step.what == STORY_RESTORE)
        step.snapshot = s->snapshots[test_random(&random) % s->snapshot_count].id;
    return step;
}

/* ---- doing it -------------------------------------------------------------------------------- */

static akidb_status upsert_some(const story *s, akidb_storage *storage, const story_step *step,
                                akidb_error *err)
{
    akidb_documents *documents =
        test_documents(s->first_number + step->first, step->count, step->version);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_status status = akidb_storage_upsert(storage, &s->collection, &batch, NULL, err);
    akidb_documents_free(documents);
    return status;
}

static akidb_status delete_some(const story *s, akidb_storage *storage, const story_step *step,
                                akidb_error *err)
{
    akidb_uuid ids[STORY_DOCUMENTS];
    uint64_t deleted, there = 0;
    for (uint32_t i = 0; i < step->count; i++) {
        ids[i] = test_id(s->first_number + step->first + i);
        there += s->now.versions[step->first + i] != 0;
    }
    akidb_status status =
        akidb_storage_delete(storage, &s->collection, ids, step->count, &deleted, err);
    if (status == AKIDB_OK && deleted != there) {
        snprintf(err->message, sizeof err->message, "deleted %llu of %llu documents",
                 (unsigned long long)deleted, (unsigned long long)there);
        return AKIDB_E_CORRUPTION;
    }
    return status;
}

/* Retention may have taken any snapshot but the newest: behind flushes whose end nobody was told
 * of, those that the story knows are old. Then nothing happens. */
static akidb_status restore_some(const story *s, akidb_storage *storage, story_step *step,
                                 akidb_error *err)
{
    const akidb_uuid *newest = &s->snapshots[s->snapshot_count - 1].id;
    akidb_status status = akidb_storage_restore(storage, &s->collection, &step->snapshot, err);
    if (status != AKIDB_E_NOT_FOUND || akidb_uuid_compare(&step->snapshot, newest) == 0)
        return status;
    step->what = STORY_SYNC;
    return AKIDB_OK;
}

akidb_status story_do(const story *s, akidb_storage *storage, story_step *step, akidb_error *err)
{
    const akidb_uuid *id = &s->collection;
    switch (step->what) {
    case STORY_CREATE:
        return akidb_storage_create_collection(storage, id, TEST_DIMENSION, "story", err);
    case STORY_DROP: return akidb_storage_drop_collection(storage, id, err);
    case STORY_UPSERT: return upsert_some(s, storage, step, err);
    case STORY_DELETE: return delete_some(s, storage, step, err);
    case STORY_FLUSH: return akidb_storage_flush(storage, id, &step->snapshot, err);
    case STORY_RESTORE: return restore_some(s, storage, step, err);
    case STORY_SYNC: return akidb_storage_sync(storage, err);
    case STORY_DEEDS: break;
    }
    return AKIDB_E_VALIDATION;
}

/* ---- what it makes of the collection --------------------------------------------------------- */

static void set_versions(story_state *state, const story_step *step, uint32_t version)
{
    for (uint32_t i = 0; i < step->count; i++)
        state->versions[step->first + i] = version;
}

static const story_state *find_snapshot(const story *s, const akidb_uuid *id)
{
    for (size_t i = 0; i < s->snapshot_count; i++)
        if (akidb_uuid_compare(&s->snapshots[i].id, id) == 0)
            return &s->snapshots[i].state;
    return NULL;
}

static void remove_snapshot(story *s, size_t index)
{
    s->snapshot_count--;
    memmove(&s->snapshots[index], &s->snapshots[index + 1],
            (s->snapshot_count - index) * sizeof s->snapshots[0]);
}

static void keep_snapshot(story *s, const akidb_uuid *id)
{
    if (find_snapshot(s, id) != NULL) /* nothing had changed */
        return;
    if (s->snapshot_count == STORY_SNAPSHOTS)
        remove_snapshot(s, 0);
    s->snapshots[s->snapshot_count++] = (story_snapshot){*id, s->now};
}

static story_state state_after(const story *s, const story_step *step)
{
    story_state state = s->now;
    switch (step->what) {
    case STORY_CREATE: state.exists = true; break;
    case STORY_DROP: state = (story_state){0}; break;
    case STORY_UPSERT: set_versions(&state, step, step->version); break;
    case STORY_DELETE: set_versions(&state, step, 0); break;
    case STORY_RESTORE:
        state = *find_snapshot(s, &step->snapshot);
        state.exists = true;
        break;
    case STORY_FLUSH:
    case STORY_SYNC:
    case STORY_DEEDS: break;
    }
    return state;
}

void story_note(story *s, const story_step *step)
{
    if (step->what == STORY_FLUSH)
        keep_snapshot(s, &step->snapshot);
    s->now = state_after(s, step);
    s->done++;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void take_row(const story *s, const akidb_batch *batch, size_t row, story_state *found)
{
    uint64_t number = (uint64_t)batch->vectors[row * TEST_DIMENSION];
    uint64_t version = (uint64_t)batch->vectors[row * TEST_DIMENSION + 1];
    uint64_t index = number - s->first_number;
    if (number < s->first_number || index >= STORY_DOCUMENTS || version == 0)
        fail_msg("document %llu is of another collection", (unsigned long long)number);
    if (found->versions[index] != 0)
        fail_msg("document %llu is there twice", (unsigned long long)number);
    assert_document(batch, row, number, version);
    found->versions[index] = (uint32_t)version;
}

static story_state look(const story *s, akidb_storage *storage)
{
    akidb_error err;
    akidb_documents *documents;
    akidb_cursor *cursor;
    story_state found = {0};
    uint64_t count, rows = 0;
    akidb_status status = akidb_storage_count(storage, &s->collection, &count, &err);
    if (status == AKIDB_E_NOT_FOUND)
        return found;
    assert_ok(err, status);
    found.exists = true;
    assert_ok(err, akidb_documents_new(TEST_DIMENSION, &documents, &err));
    assert_ok(err, akidb_storage_iterate(storage, &s->collection, &cursor, &err));
    for (bool done = false; !done;) {
        assert_ok(err, akidb_cursor_next(cursor, 1000, documents, &done, &err));
        akidb_batch batch = akidb_documents_batch(documents);
        for (size_t row = 0; row < batch.rows; row++)
            take_row(s, &batch, row, &found);
        rows += batch.rows;
    }
    akidb_cursor_close(cursor);
    akidb_documents_free(documents);
    assert_int_equal(rows, count);
    return found;
}

static bool same(const story_state *a, const story_state *b)
{
    return a->exists == b->exists && memcmp(a->versions, b->versions, sizeof a->versions) == 0;
}

static void fail_different(const story *s, const story_state *found, const story_step *under_way)
{
    const char *deed = under_way == NULL ? "nothing" : story_deed_name(under_way->what);
    if (found->exists != s->now.exists)
        fail_msg("step %llu, %s under way: the collection %s", (unsigned long long)s->done, deed,
                 found->exists ? "is there" : "is not there");
    for (size_t i = 0; i < STORY_DOCUMENTS; i++)
        if (found->versions[i] != s->now.versions[i])
            fail_msg("step %llu, %s under way: document %zu: expected version %u, found %u",
                     (unsigned long long)s->done, deed, i, s->now.versions[i], found->versions[i]);
}

/* Retention may have removed snapshots that the story knows. */
static void forget_removed(story *s, akidb_storage *storage)
{
    akidb_error err;
    akidb_snapshot_list list;
    assert_ok(err, akidb_storage_list_snapshots(storage, &s->collection, &list, &err));
    for (size_t i = s->snapshot_count; i > 0; i--) {
        bool there = false;
        for (size_t j = 0; j < list.count && !there; j++)
            there = akidb_uuid_compare(&list.entries[j].snapshot_id, &s->snapshots[i - 1].id) == 0;
        if (!there)
            remove_snapshot(s, i - 1);
    }
    akidb_snapshot_list_free(&list);
}

void story_check(story *s, akidb_storage *storage, const story_step *under_way)
{
    story_state found = look(s, storage);
    if (!same(&found, &s->now)) {
        story_state next = {0};
        if (under_way != NULL)
            next = state_after(s, under_way);
        if (under_way == NULL || !same(&found, &next))
            fail_different(s, &found, under_way);
        s->now = next;
    }
    if (under_way != NULL)
        s->done++; /* what did not happen is passed over, so that no version is given twice */
    forget_removed(s, storage);
}
