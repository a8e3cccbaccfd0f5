/*
 * A simulation of tiering: the policy, the ledger, the cycles and the state file as they are, on a
 * storage that is faked, with a clock that goes as fast as it can.
 *
 *   Trace   Sessions come at random times; each is about one collection, chosen by Zipf's law, and
 *           has a few accesses within minutes. Every day some collections change their rank.
 *   Sizes   from 64 to 64 k documents of 128 dimensions, with short texts.
 *   Checks  After each single move no budget is passed. No collection goes down within a window
 *           after it came up, and what was moved down for room does not come up within one.
 *
 * Cycles come by the interval alone: a cold collection waits up to five minutes for its promotion,
 * which the worker would begin at once. So hit rates are a little worse than real ones.
 *
 *   tiering_sim [--collections N] [--days D] [--sessions PER_COLLECTION_AND_DAY] [--zipf S]
 *               [--hot PERCENT] [--warm PERCENT] [--seed N]
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/tiering.h"
#include "tiering/tiering.h"

#include "fake_tiers.h"
#include "folder.h"
#include "test.h"

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define NOW    (INT64_C(20000) * DAY)

enum { DIMENSION = 128, ROWS_OF_REPORT = 9 };

typedef struct settings {
    size_t collections, days;
    double sessions, zipf;            /* sessions of each collection and day, on average */
    double hot_percent, warm_percent; /* budgets, of the size of all */
    uint64_t seed;
} settings;

typedef struct past {
    int64_t up_at, room_at; /* when it last came up, and went down for room */
} past;

typedef struct event {
    int64_t at;
    size_t collection;
} event;

typedef struct simulation {
    settings s;
    fake_tiers fake;
    akidb_tier_policy policy;
    akidb_tiering *tiering;
    uint64_t seed;
    double *weights; /* of ranks, summed up */
    size_t *of_rank; /* the collection that has it */
    past *pasts;
    event *events; /* of the time to come, a heap: the earliest first */
    size_t event_count, event_capacity;
    uint64_t used[3], peak[3]; /* bytes by tier */
    size_t there[3];
    uint64_t hits[3], ups, downs; /* since the last line of the report */
    uint64_t all_hits[3], all_ups, all_downs;
    uint64_t passed, flaps; /* broken promises */
} simulation;

/* ---- chance ---------------------------------------------------------------------------------- */

static double chance(simulation *sim)
{
    return (double)(test_random(&sim->seed) >> 11) * 0x1p-53;
}

static double exponential(simulation *sim, double mean)
{
    return -mean * log(1 - chance(sim));
}

static void make_weights(simulation *sim)
{
    double sum = 0;
    for (size_t i = 0; i < sim->s.collections; i++) {
        sum += pow((double)(i + 1), -sim->s.zipf);
        sim->weights[i] = sum;
        sim->of_rank[i] = i;
    }
}

static void swap_ranks(simulation *sim)
{
    size_t a = test_random(&sim->seed) % sim->s.collections,
           b = test_random(&sim->seed) % sim->s.collections, kept = sim->of_rank[a];
    sim->of_rank[a] = sim->of_rank[b];
    sim->of_rank[b] = kept;
}

static size_t choose(simulation *sim)
{
    size_t low = 0, high = sim->s.collections - 1;
    double wanted = chance(sim) * sim->weights[high];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sim->weights[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return sim->of_rank[low];
}

/* ---- events ---------------------------------------------------------------------------------- */

static void push(simulation *sim, int64_t at, size_t collection)
{
    if (sim->event_count == sim->event_capacity) {
        sim->event_capacity = sim->event_capacity * 2 + 64;
        sim->events = realloc(sim->events, sim->event_capacity * sizeof *sim->events);
        assert_non_null(sim->events);
    }
    size_t place = sim->event_count++;
    for (; place > 0 && sim->events[(place - 1) / 2].at > at; place = (place - 1) / 2)
        sim->events[place] = sim->events[(place - 1) / 2];
    sim->events[place] = (event){at, collection};
}

static event pop(simulation *sim)
{
    event first = sim->events[0], last = sim->events[--sim->event_count];
    size_t place = 0;
    for (;;) {
        size_t child = 2 * place + 1;
        if (child + 1 < sim->event_count && sim->events[child + 1].at < sim->events[child].at)
            child++;
        if (child >= sim->event_count || sim->events[child].at >= last.at)
            break;
        sim->events[place] = sim->events[child];
        place = child;
    }
    sim->events[place] = last;
    return first;
}

/* All accesses of a session that begins now: five on average, a minute apart. */
static void begin_session(simulation *sim, int64_t now)
{
    size_t collection = choose(sim);
    push(sim, now, collection);
    for (int64_t at = now; chance(sim) < 0.8;) {
        at += (int64_t)exponential(sim, (double)MINUTE);
        push(sim, at, collection);
    }
}

/* ---- checks ---------------------------------------------------------------------------------- */

static uint64_t bytes_in(const fake_collection *c, akidb_tier tier)
{
    return tier == AKIDB_TIER_HOT ? c->hot_bytes : c->warm_bytes;
}

static void move_bytes(simulation *sim, size_t at, akidb_tier from, akidb_tier to)
{
    const fake_collection *c = &sim->fake.collections[at];
    sim->used[from] -= bytes_in(c, from);
    sim->used[to] += bytes_in(c, to);
    sim->there[from]--;
    sim->there[to]++;
    for (int tier = 0; tier < 3; tier++)
        if (sim->used[tier] > sim->peak[tier])
            sim->peak[tier] = sim->used[tier];
}

/* After each move, within the cycle. */
static void moved(fake_tiers *fake, void *context, size_t at, akidb_tier from)
{
    simulation *sim = context;
    move_bytes(sim, at, from, fake->collections[at].tier);
    sim->passed += sim->used[AKIDB_TIER_HOT] > sim->policy.hot_budget ? 1 : 0;
    sim->passed += sim->used[AKIDB_TIER_WARM] > sim->policy.warm_budget ? 1 : 0;
}

static void check_turn(simulation *sim, const akidb_tier_move *move, int64_t now)
{
    size_t at = (size_t)fake_number(&move->collection) - 1;
    past *p = &sim->pasts[at];
    if (move->to < move->from) {
        sim->flaps += now - p->room_at < HOUR ? 1 : 0;
        p->up_at = now;
        sim->ups++;
        return;
    }
    sim->flaps += now - p->up_at < HOUR ? 1 : 0;
    if (strstr(move->reason, "least recently used") != NULL)
        p->room_at = now;
    sim->downs++;
}

static void cycle(simulation *sim, int64_t now)
{
    akidb_error err;
    akidb_tier_report report;
    atomic_store(&sim->fake.now, now);
    assert_ok(err, akidb_tiering_run(sim->tiering, false, &report, &err));
    assert_int_equal(report.failed, 0);
    for (size_t i = 0; i < report.count; i++)
        if (report.moves[i].outcome == AKIDB_TIER_MOVED)
            check_turn(sim, &report.moves[i], now);
    akidb_tier_report_free(&report);
}

/* ---- the report ------------------------------------------------------------------------------ */

static void print_head(const simulation *sim)
{
    printf("%zu collections, %zu days, Zipf %.2f, seed %" PRIu64 "; all warm: %.1f GiB, all hot: "
           "%.1f GiB\nbudgets: hot %.2f GiB, warm %.2f GiB\n\n",
           sim->s.collections, sim->s.days, sim->s.zipf, sim->s.seed,
           (double)sim->used[AKIDB_TIER_COLD] * 0x1p-30,
           100 / sim->s.hot_percent * (double)sim->policy.hot_budget * 0x1p-30,
           (double)sim->policy.hot_budget * 0x1p-30, (double)sim->policy.warm_budget * 0x1p-30);
    printf("       collections          GiB                 accesses, %%          moves\n"
           "day    hot  warm  cold    hot   warm   cold    hot   warm   cold      up   down\n");
}

static void print_row(const char *day, const simulation *sim, const uint64_t hits[3], uint64_t ups,
                      uint64_t downs)
{
    double all = (double)(hits[0] + hits[1] + hits[2]);
    all = all > 0 ? all / 100 : 1;
    printf("%-5s %5zu %5zu %5zu %6.2f %6.2f %6.2f %6.2f %6.2f %6.2f %7" PRIu64 " %6" PRIu64 "\n",
           day, sim->there[0], sim->there[1], sim->there[2], (double)sim->used[0] * 0x1p-30,
           (double)sim->used[1] * 0x1p-30, (double)sim->used[2] * 0x1p-30, (double)hits[0] / all,
           (double)hits[1] / all, (double)hits[2] / all, ups, downs);
}

static void end_row(simulation *sim, size_t day)
{
    char text[16];
    snprintf(text, sizeof text, "%zu", day);
    print_row(text, sim, sim->hits, sim->ups, sim->downs);
    for (size_t tier = 0; tier < 3; tier++) {
        sim->all_hits[tier] += sim->hits[tier];
        sim->hits[tier] = 0;
    }
    sim->all_ups += sim->ups;
    sim->all_downs += sim->downs;
    sim->ups = sim->downs = 0;
}

static void print_end(const simulation *sim)
{
    print_row("all", sim, sim->all_hits, sim->all_ups, sim->all_downs);
    printf("\nmost at any moment: hot %.2f GiB, warm %.2f GiB; budgets passed: %" PRIu64
           " times; flaps: %" PRIu64 "\n",
           (double)sim->peak[0] * 0x1p-30, (double)sim->peak[1] * 0x1p-30, sim->passed, sim->flaps);
}

/* ---- from begin to end ----------------------------------------------------------------------- */

/* All collections are cold to begin with. */
static void make_collections(simulation *sim)
{
    uint64_t hot = 0, cold = 0;
    for (size_t i = 0; i < sim->s.collections; i++) {
        fake_collection *c = &sim->fake.collections[i];
        uint64_t text = 40 + test_random(&sim->seed) % 200;
        c->tier = AKIDB_TIER_COLD;
        c->dimension = DIMENSION;
        c->documents = (uint64_t)exp2(6 + 10 * chance(sim));
        c->hot_bytes = c->documents * (DIMENSION * 4 + 112 + text);
        c->warm_bytes = c->documents * (DIMENSION * 4 + 24 + text);
        hot += c->hot_bytes;
        cold += c->warm_bytes;
        sim->pasts[i] = (past){NOW - DAY, NOW - DAY};
    }
    sim->used[AKIDB_TIER_COLD] = sim->peak[AKIDB_TIER_COLD] = cold;
    sim->there[AKIDB_TIER_COLD] = sim->s.collections;
    sim->policy = (akidb_tier_policy){
        .struct_size = sizeof sim->policy,
        .hot_budget = (uint64_t)((double)hot * sim->s.hot_percent / 100),
        .warm_budget = (uint64_t)((double)cold * sim->s.warm_percent / 100),
    };
}

static void begin(simulation *sim, const settings *s)
{
    memset(sim, 0, sizeof *sim);
    sim->s = *s;
    sim->seed = s->seed;
    assert_true(fake_init(&sim->fake, s->collections, NOW));
    sim->weights = calloc(s->collections, sizeof *sim->weights);
    sim->of_rank = calloc(s->collections, sizeof *sim->of_rank);
    sim->pasts = calloc(s->collections, sizeof *sim->pasts);
    assert_true(sim->weights != NULL && sim->of_rank != NULL && sim->pasts != NULL);
    make_weights(sim);
    make_collections(sim);
    sim->fake.moved = moved;
    sim->fake.moved_context = sim;
    for (size_t i = 0; i < s->collections; i++)
        swap_ranks(sim);
}

static void end(simulation *sim)
{
    fake_free(&sim->fake);
    free(sim->weights);
    free(sim->of_rank);
    free(sim->pasts);
    free(sim->events);
}

static void run_day(simulation *sim, int64_t from, int64_t *next_session)
{
    double pause = (double)DAY / ((double)sim->s.collections * sim->s.sessions);
    for (int64_t now = from + 5 * MINUTE; now <= from + DAY; now += 5 * MINUTE) {
        while (*next_session < now) {
            begin_session(sim, *next_session);
            *next_session += (int64_t)exponential(sim, pause) + 1;
        }
        while (sim->event_count > 0 && sim->events[0].at < now) {
            event e = pop(sim);
            atomic_store(&sim->fake.now, e.at);
            sim->hits[sim->fake.collections[e.collection].tier]++;
            fake_access(&sim->fake, e.collection, AKIDB_ACCESS_GET);
        }
        cycle(sim, now);
    }
    for (size_t i = 0; i < sim->s.collections / 200 + 1; i++)
        swap_ranks(sim);
}

static void run(simulation *sim, const char *folder)
{
    akidb_error err;
    const akidb_clock clock = fake_clock(&sim->fake);
    const akidb_tiering_options options = {
        .struct_size = sizeof options,
        .policy = &sim->policy,
        .data_folder = folder,
        .clock = &clock,
    };
    assert_ok(err, ak_tiering_open_on(fake_backend(&sim->fake), &options, &sim->tiering, &err));
    print_head(sim);
    int64_t next_session = NOW;
    size_t every = sim->s.days / ROWS_OF_REPORT + 1;
    every = sim->s.days % ROWS_OF_REPORT == 0 ? sim->s.days / ROWS_OF_REPORT : every;
    for (size_t day = 1; day <= sim->s.days; day++) {
        run_day(sim, NOW + (int64_t)(day - 1) * DAY, &next_session);
        if (day % every == 0 || day == sim->s.days)
            end_row(sim, day);
        fflush(stdout);
    }
    assert_ok(err, akidb_tiering_close(sim->tiering, &err));
    print_end(sim);
}

static bool read_settings(int argc, char **argv, settings *s)
{
    for (int i = 1; i < argc; i += 2) {
        char *rest = NULL;
        double value = i + 1 < argc ? strtod(argv[i + 1], &rest) : -1;
        if (rest == NULL || *rest != '\0' || !(value > 0))
            return false;
        if (strcmp(argv[i], "--collections") == 0)
            s->collections = (size_t)value;
        else if (strcmp(argv[i], "--days") == 0)
            s->days = (size_t)value;
        else if (strcmp(argv[i], "--sessions") == 0)
            s->sessions = value;
        else if (strcmp(argv[i], "--zipf") == 0)
            s->zipf = value;
        else if (strcmp(argv[i], "--hot") == 0)
            s->hot_percent = value;
        else if (strcmp(argv[i], "--warm") == 0)
            s->warm_percent = value;
        else if (strcmp(argv[i], "--seed") == 0)
            s->seed = (uint64_t)value;
        else
            return false;
    }
    return true;
}

static settings given;

static void budgets_hold_and_nothing_flaps(void **state)
{
    (void)state;
    char folder[TEST_FOLDER_SIZE];
    simulation *sim = malloc(sizeof *sim);
    assert_non_null(sim);
    assert_true(test_folder_make(folder));
    begin(sim, &given);
    run(sim, folder);
    test_folder_remove(folder);
    uint64_t passed = sim->passed, flaps = sim->flaps, moves = sim->all_ups + sim->all_downs;
    uint64_t hits = sim->all_hits[AKIDB_TIER_HOT];
    end(sim);
    free(sim);
    assert_int_equal(passed, 0);
    assert_int_equal(flaps, 0);
    assert_true(moves > 0 && hits > 0);
}

int main(int argc, char **argv)
{
    given = (settings){.collections = 300,
                       .days = 9,
                       .sessions = 2,
                       .zipf = 1.1,
                       .hot_percent = 5,
                       .warm_percent = 25,
                       .seed = 1};
    if (!read_settings(argc, argv, &given)) {
        fprintf(stderr, "usage: tiering_sim [--collections N] [--days D] [--sessions N] [--zipf S]"
                        " [--hot PERCENT] [--warm PERCENT] [--seed N]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(budgets_hold_and_nothing_flaps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
