/* Many threads on one store. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "suite_place.h"

enum { RACERS = 8 };

typedef struct racer {
    pthread_t thread;
    akidb_store *store;
    pthread_barrier_t *start;
    const char *key;
    const char *from; /* of a copy */
    int how;          /* 0 put, 1 upload, 2 copy */
    char text[16];
    akidb_status status;
} racer;

static akidb_status race_by_upload(racer *r)
{
    akidb_upload *upload;
    akidb_slice slice = {r->text, strlen(r->text)};
    akidb_status status =
        akidb_store_upload_begin(r->store, r->key, AKIDB_PUT_IF_ABSENT, &upload, NULL);
    if (status != AKIDB_OK)
        return status;
    status = akidb_upload_write(upload, &slice, 1, NULL);
    if (status != AKIDB_OK) {
        akidb_upload_abort(upload);
        return status;
    }
    return akidb_upload_commit(upload, NULL);
}

static void *race(void *context)
{
    racer *r = context;
    akidb_slice slice = {r->text, strlen(r->text)};
    pthread_barrier_wait(r->start);
    if (r->how == 0)
        r->status = akidb_store_put(r->store, r->key, &slice, 1, AKIDB_PUT_IF_ABSENT, NULL);
    else if (r->how == 1)
        r->status = race_by_upload(r);
    else
        r->status = akidb_store_copy(r->store, r->from, r->key, AKIDB_PUT_IF_ABSENT, NULL);
    return NULL;
}

/* how 3: some by each way. */
static void race_once(place *p, int how, int round)
{
    char name[64];
    snprintf(name, sizeof name, "way-%d/round-%d", how, round);
    char from[KEY_ROOM];
    snprintf(from, sizeof from, "%s", key_of(p, "from"));
    char key[KEY_ROOM];
    snprintf(key, sizeof key, "%s", key_of(p, name));
    pthread_barrier_t start;
    assert_int_equal(pthread_barrier_init(&start, NULL, RACERS), 0);
    racer racers[RACERS];
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (racer){.store = p->store, .start = &start, .key = key, .from = from};
        racers[i].how = how == 3 ? i % 3 : how;
        snprintf(racers[i].text, sizeof racers[i].text, "racer %d", i);
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++)
        pthread_join(racers[i].thread, NULL);
    pthread_barrier_destroy(&start);

    const racer *winner = NULL;
    for (int i = 0; i < RACERS; i++) {
        if (racers[i].status == AKIDB_E_ALREADY_EXISTS)
            continue;
        assert_int_equal(racers[i].status, AKIDB_OK);
        assert_null(winner);
        winner = &racers[i];
    }
    assert_non_null(winner);
    assert_text(p, name, winner->how == 2 ? "copied" : winner->text);
}

static void of_many_who_create_a_key_one_wins(void **state)
{
    place *p = PLACE(state);
    put_text(p, "from", "copied");
    for (int how = 0; how <= 3; how++)
        for (int round = 0; round < 8; round++)
            race_once(p, how, round);
    place_close(p);
}

enum { VERSIONS = 30, VERSION_SIZE = 20000 };

typedef struct rewriter {
    pthread_t thread;
    akidb_store *store;
    const char *key;
    bool reads;
    const char *wrong; /* what went wrong; NULL: nothing */
} rewriter;

static const char *check_version(const akidb_buffer *bytes)
{
    if (bytes->size == 0 || bytes->size != VERSION_SIZE - 100 * (size_t)bytes->data[0])
        return "a read is not of a version's size";
    for (size_t i = 0; i < bytes->size; i++)
        if (bytes->data[i] != bytes->data[0])
            return "a read mixes two versions";
    return NULL;
}

static void *rewrite(void *context)
{
    rewriter *r = context;
    uint8_t *bytes = malloc(VERSION_SIZE);
    if (bytes == NULL)
        return NULL;
    for (int i = 0; i < VERSIONS && r->wrong == NULL; i++) {
        if (r->reads) {
            akidb_buffer found;
            if (akidb_store_get(r->store, r->key, VERSION_SIZE, &found, NULL) != AKIDB_OK)
                r->wrong = "a read failed";
            else
                r->wrong = check_version(&found);
            akidb_buffer_free(&found);
        } else {
            akidb_slice slice = {bytes, VERSION_SIZE - 100 * (size_t)i};
            memset(bytes, i, VERSION_SIZE);
            if (akidb_store_put(r->store, r->key, &slice, 1, AKIDB_PUT_ALWAYS, NULL) != AKIDB_OK)
                r->wrong = "a write failed";
        }
    }
    free(bytes);
    return NULL;
}

static void a_reader_sees_whole_versions_only(void **state)
{
    place *p = PLACE(state);
    char key[KEY_ROOM];
    snprintf(key, sizeof key, "%s", key_of(p, "object"));
    rewriter workers[5];
    workers[0] = (rewriter){.store = p->store, .key = key};
    uint8_t *first = calloc(1, VERSION_SIZE); /* version 0 */
    akidb_slice slice = {first, VERSION_SIZE};
    assert_ok(p->err, akidb_store_put(p->store, key, &slice, 1, AKIDB_PUT_ALWAYS, &p->err));
    free(first);
    for (size_t i = 0; i < 5; i++) {
        workers[i] = (rewriter){.store = p->store, .key = key, .reads = i >= 2};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, rewrite, &workers[i]), 0);
    }
    for (size_t i = 0; i < 5; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < 5; i++)
        if (workers[i].wrong != NULL)
            fail_msg("%s", workers[i].wrong);
    place_close(p);
}

typedef struct churner {
    pthread_t thread;
    akidb_store *store;
    char key[KEY_ROOM];
    akidb_status status;
    akidb_error err;
} churner;

/* Ends with the object there. */
static void *churn(void *context)
{
    churner *c = context;
    akidb_slice slice = {c->key, strlen(c->key)};
    for (int i = 0; i < 12 && c->status == AKIDB_OK; i++) {
        if (i > 0)
            c->status = akidb_store_delete(c->store, c->key, &c->err);
        if (c->status == AKIDB_OK)
            c->status = akidb_store_put(c->store, c->key, &slice, 1, AKIDB_PUT_IF_ABSENT, &c->err);
    }
    return NULL;
}

/* Each has its own key, in folders that come and go with the objects of all. */
static void puts_and_deletes_of_neighbours_do_not_meet(void **state)
{
    place *p = PLACE(state);
    churner *workers = calloc(RACERS, sizeof *workers);
    assert_non_null(workers);
    for (size_t i = 0; i < RACERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "x/y/%zu/object-%zu", i % 2, i);
        workers[i].store = p->store;
        snprintf(workers[i].key, KEY_ROOM, "%s", key_of(p, name));
        assert_int_equal(pthread_create(&workers[i].thread, NULL, churn, &workers[i]), 0);
    }
    for (size_t i = 0; i < RACERS; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < RACERS; i++)
        assert_ok(workers[i].err, workers[i].status);
    assert_list(p, "", 0,
                "x/y/0/object-0 x/y/0/object-2 x/y/0/object-4 x/y/0/object-6 "
                "x/y/1/object-1 x/y/1/object-3 x/y/1/object-5 x/y/1/object-7 ");
    free(workers);
    place_close(p);
}

int suite_threads_run(const store_suite_target *target)
{
    void *state = (void *)(uintptr_t)target;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(a_reader_sees_whole_versions_only, state),
        cmocka_unit_test_prestate(puts_and_deletes_of_neighbours_do_not_meet, state),
        cmocka_unit_test_prestate(of_many_who_create_a_key_one_wins, state),
    };
    return _cmocka_run_group_tests(target->name, tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
