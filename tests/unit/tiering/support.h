#ifndef AK_TEST_TIERING_SUPPORT_H
#define AK_TEST_TIERING_SUPPORT_H
/* What the tests of tiering share: a tiering on a fake storage, and what it said to its log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "tiering/tiering.h"

#include "fake_tiers.h"
#include "folder.h"
#include "test.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define NOW    (INT64_C(20000) * DAY)

enum { BUDGET = 3500 }; /* three fakes of 1000 bytes, not four */

typedef struct test_log {
    pthread_mutex_t lock;
    char text[1 << 16];
    size_t lines;
    _Atomic bool cancel; /* the progress hook asks to stop */
} test_log;

static inline void test_log_hook(void *context, akidb_log_level level, const char *message)
{
    test_log *log = context;
    pthread_mutex_lock(&log->lock);
    size_t used = strlen(log->text);
    snprintf(log->text + used, sizeof log->text - used, "%s %s\n",
             level == AKIDB_LOG_WARNING ? "warning:" : "note:", message);
    log->lines++;
    pthread_mutex_unlock(&log->lock);
}

static inline bool test_progress_hook(void *context, const akidb_progress *progress)
{
    test_log *log = context;
    (void)progress;
    return !atomic_load(&log->cancel);
}

static inline bool test_log_has(test_log *log, const char *part)
{
    pthread_mutex_lock(&log->lock);
    bool has = strstr(log->text, part) != NULL;
    pthread_mutex_unlock(&log->lock);
    return has;
}

/* A folder, a fake storage of ten warm collections, a log. */
typedef struct place {
    char folder[TEST_FOLDER_SIZE];
    fake_tiers fake;
    akidb_clock clock;
    test_log log;
    akidb_hooks hooks;
    akidb_tier_policy policy;
    akidb_tiering_options options;
} place;

static inline int place_setup(void **state)
{
    place *p = calloc(1, sizeof *p);
    if (p == NULL || !test_folder_make(p->folder) || !fake_init(&p->fake, 10, NOW))
        return -1;
    pthread_mutex_init(&p->log.lock, NULL);
    p->clock = fake_clock(&p->fake);
    p->hooks = (akidb_hooks){&p->log, test_progress_hook, test_log_hook};
    p->policy.struct_size = sizeof p->policy;
    p->options = (akidb_tiering_options){
        .struct_size = sizeof p->options,
        .policy = &p->policy,
        .data_folder = p->folder,
        .clock = &p->clock,
        .hooks = &p->hooks,
    };
    *state = p;
    return 0;
}

static inline int place_teardown(void **state)
{
    place *p = *state;
    test_folder_remove(p->folder);
    fake_free(&p->fake);
    pthread_mutex_destroy(&p->log.lock);
    free(p);
    return 0;
}

static inline akidb_tiering *place_open(place *p)
{
    akidb_error err;
    akidb_tiering *tiering;
    assert_ok(err, ak_tiering_open_on(fake_backend(&p->fake), &p->options, &tiering, &err));
    return tiering;
}

static inline void place_close(akidb_tiering *tiering)
{
    akidb_error err;
    assert_ok(err, akidb_tiering_close(tiering, &err));
}

/* Runs a cycle; the report is to be freed. */
static inline akidb_tier_report place_run(akidb_tiering *tiering)
{
    akidb_error err;
    akidb_tier_report report;
    assert_ok(err, akidb_tiering_run(tiering, false, &report, &err));
    return report;
}

static inline akidb_tier_report place_cycle(place *p, akidb_tiering *tiering, int64_t later)
{
    atomic_fetch_add(&p->fake.now, later);
    return place_run(tiering);
}

static inline akidb_tier_status place_status(akidb_tiering *tiering, size_t at)
{
    akidb_error err;
    akidb_tier_status *all;
    size_t count;
    assert_ok(err, akidb_tiering_status(tiering, &all, &count, &err));
    assert_in_range(at, 0, count - 1);
    akidb_tier_status one = all[at];
    free(all);
    return one;
}

static inline uint64_t metric_of(akidb_tiering *tiering, const char *line)
{
    akidb_error err;
    akidb_buffer text;
    assert_ok(err, akidb_tiering_metrics(tiering, &text, &err));
    assert_ok(err, ak_buffer_put(&text, 0, &err));
    const char *found = strstr((const char *)text.data, line);
    assert_non_null(found);
    uint64_t value = strtoull(found + strlen(line), NULL, 10);
    akidb_buffer_free(&text);
    return value;
}

#define place_test(f) cmocka_unit_test_setup_teardown(f, place_setup, place_teardown)

#endif
