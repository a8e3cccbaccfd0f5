/* Many threads on one log. What they prove by themselves is little; ThreadSanitizer looks on. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "folder.h"
#include "wal_model.h"

enum { THREADS = 8, ENTRIES = 150 };

/* Each entry says which thread made it, as which of its own. */
typedef struct label {
    uint32_t thread;
    uint32_t number;
    uint64_t size; /* of what follows: bytes of the thread's number */
} label;

typedef struct job {
    ak_wal *wal;
    uint32_t thread;
    uint64_t lsns[ENTRIES];
    akidb_status status;
    akidb_error err;
} job;

static void *append_entries(void *context)
{
    job *j = context;
    uint64_t random = j->thread;
    uint8_t *bytes = malloc(100000);
    if (bytes == NULL)
        return NULL;
    memset(bytes, (int)j->thread, 100000);
    for (uint32_t i = 0; i < ENTRIES && j->status == AKIDB_OK; i++) {
        uint64_t size = test_random(&random) % (i % 30 == 0 ? 100000 : 300);
        label l = {j->thread, i, size};
        akidb_slice slices[] = {{&l, sizeof l}, {bytes, (size_t)size}};
        j->status = ak_wal_append(j->wal, AK_WAL_UPSERT, slices, 2, &j->lsns[i], &j->err);
        if (j->status == AKIDB_OK && i % 40 == 39)
            j->status = ak_wal_sync(j->wal, &j->err);
    }
    free(bytes);
    return NULL;
}

typedef struct watcher {
    ak_wal *wal;
    atomic_bool stop;
    akidb_status status;
    bool removes;
} watcher;

/* Looks once more after the stop: it has then seen the end, however the threads were scheduled. */
static void *watch(void *context)
{
    watcher *w = context;
    bool last = false;
    while (!last && w->status == AKIDB_OK) {
        last = atomic_load(&w->stop);
        ak_wal_statistics s;
        ak_wal_get_statistics(w->wal, &s);
        if (s.durable_lsn > s.last_lsn)
            w->status = AKIDB_E_CORRUPTION;
        else if (w->removes)
            w->status = ak_wal_remove_before(w->wal, s.durable_lsn / 2, NULL);
        usleep(200);
    }
    return NULL;
}

/* What was replayed, by thread. */
typedef struct seen {
    uint32_t counts[THREADS + 1];
    uint64_t lsns[THREADS + 1][ENTRIES];
    uint64_t next;
    bool wrong;
} seen;

static akidb_status see(void *context, uint64_t lsn, ak_wal_kind kind, akidb_slice payload,
                        akidb_error *err)
{
    (void)err;
    (void)kind;
    seen *s = context;
    label l;
    s->wrong = s->wrong || payload.size < sizeof l || (s->next != 0 && lsn != s->next);
    s->next = lsn + 1;
    if (s->wrong)
        return AKIDB_OK;
    memcpy(&l, payload.data, sizeof l);
    s->wrong = payload.size != sizeof l + l.size || l.thread > THREADS || l.number >= ENTRIES ||
               s->lsns[l.thread][l.number] != 0;
    if (s->wrong)
        return AKIDB_OK;
    const uint8_t *bytes = (const uint8_t *)payload.data + sizeof l;
    for (uint64_t i = 0; i < l.size; i++)
        s->wrong = s->wrong || bytes[i] != l.thread;
    s->counts[l.thread]++;
    s->lsns[l.thread][l.number] = lsn;
    return AKIDB_OK;
}

static void compare(const job *jobs, const seen *s, uint64_t first_lsn)
{
    assert_false(s->wrong);
    for (uint32_t t = 1; t <= THREADS; t++)
        for (uint32_t i = 0; i < ENTRIES; i++) {
            uint64_t lsn = jobs[t - 1].lsns[i];
            assert_true(i == 0 || lsn > jobs[t - 1].lsns[i - 1]);
            assert_int_equal(s->lsns[t][i], lsn < first_lsn ? 0 : lsn);
        }
}

static void run(ak_wal_durability durability, bool removes)
{
    char folder[TEST_FOLDER_SIZE];
    assert_true(test_folder_make(folder));
    ak_wal_options options = {
        .folder = folder, .segment_bytes = 256 << 10, .durability = durability, .interval_ms = 1};
    akidb_error err = {0};
    watcher w = {.removes = removes};
    assert_ok(err, ak_wal_open(&options, NULL, NULL, &w.wal, NULL, &err));
    static job jobs[THREADS];
    memset(jobs, 0, sizeof jobs);
    pthread_t threads[THREADS];
    pthread_t watching;
    assert_int_equal(pthread_create(&watching, NULL, watch, &w), 0);
    for (uint32_t i = 0; i < THREADS; i++) {
        jobs[i].wal = w.wal;
        jobs[i].thread = i + 1;
        assert_int_equal(pthread_create(&threads[i], NULL, append_entries, &jobs[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_ok(jobs[i].err, jobs[i].status);
    }
    atomic_store(&w.stop, true);
    pthread_join(watching, NULL);
    assert_int_equal(w.status, AKIDB_OK);
    assert_ok(err, ak_wal_close(w.wal, &err));

    seen *s = calloc(1, sizeof *s);
    assert_non_null(s);
    ak_wal_report report;
    assert_ok(err, ak_wal_open(&options, see, s, &w.wal, &report, &err));
    assert_int_equal(report.last_lsn, THREADS * ENTRIES);
    compare(jobs, s, report.first_lsn);
    assert_int_equal(report.first_lsn == 1, !removes);
    assert_ok(err, ak_wal_close(w.wal, &err));
    free(s);
    test_folder_remove(folder);
}

static void threads_append_together_in_every_durability(void **state)
{
    (void)state;
    run(AK_WAL_EVERY_COMMIT, false);
    run(AK_WAL_INTERVAL, false);
    run(AK_WAL_BY_CALL, false);
}

static void segments_go_while_threads_append(void **state)
{
    (void)state;
    run(AK_WAL_EVERY_COMMIT, true);
    run(AK_WAL_INTERVAL, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_append_together_in_every_durability),
        cmocka_unit_test(segments_go_while_threads_append),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
