#include "tiering/policy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/options.h"

#define SECOND UINT64_C(1000000)
#define HOUR   (UINT64_C(3600) * SECOND)
#define DAY    (UINT64_C(24) * HOUR)

const char *akidb_tier_name(akidb_tier tier)
{
    switch (tier) {
    case AKIDB_TIER_HOT: return "hot";
    case AKIDB_TIER_WARM: return "warm";
    case AKIDB_TIER_COLD: return "cold";
    }
    return "?";
}

/* ---- options --------------------------------------------------------------------------------- */

akidb_status ak_policy_copy(akidb_tier_policy *to, const akidb_tier_policy *from, akidb_error *err)
{
    akidb_status status = ak_options_copy(to, sizeof *to, from, "akidb_tier_policy", err);
    if (status != AKIDB_OK)
        return status;
    to->struct_size = sizeof *to;
    if ((unsigned)to->promote_cold > AKIDB_OFF)
        return ak_fail(err, AKIDB_E_VALIDATION, "promote_cold: expected 0 to 2, found %d",
                       (int)to->promote_cold);
    if (to->hot_idle == 0)
        to->hot_idle = 6 * HOUR;
    if (to->warm_idle == 0)
        to->warm_idle =
            to->hot_idle > 7 * DAY && to->hot_idle != AKIDB_NEVER ? to->hot_idle : 7 * DAY;
    if (to->promote_accesses == 0)
        to->promote_accesses = 10;
    if (to->promote_window == 0)
        to->promote_window = HOUR;
    if (to->promote_window > 366 * DAY)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "promote_window: expected at most 366 days, found %" PRIu64 " microseconds",
                       to->promote_window);
    if (to->hot_idle != AKIDB_NEVER && to->warm_idle < to->hot_idle)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "warm_idle: expected at least hot_idle, which is %" PRIu64
                       " microseconds, found %" PRIu64,
                       to->hot_idle, to->warm_idle);
    return AKIDB_OK;
}

/* ---- words ----------------------------------------------------------------------------------- */

enum { WORDS_SIZE = 32 };

/* "40 s", "6 h", "7 days": whole units, rounded down. */
static const char *duration_words(uint64_t duration, char words[WORDS_SIZE])
{
    uint64_t seconds = duration / SECOND;
    if (seconds < 120)
        snprintf(words, WORDS_SIZE, "%" PRIu64 " s", seconds);
    else if (seconds < 7200)
        snprintf(words, WORDS_SIZE, "%" PRIu64 " min", seconds / 60);
    else if (seconds < 172800)
        snprintf(words, WORDS_SIZE, "%" PRIu64 " h", seconds / 3600);
    else
        snprintf(words, WORDS_SIZE, "%" PRIu64 " days", seconds / 86400);
    return words;
}

static const char *size_words(uint64_t bytes, char words[WORDS_SIZE])
{
    static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1023.95 && unit + 1 < sizeof units / sizeof units[0]; unit++)
        value /= 1024;
    snprintf(words, WORDS_SIZE, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
    return words;
}

/* ---- what is known of a subject -------------------------------------------------------------- */

/* 0 when `then` lies in the future: the clock was set back. */
static uint64_t since(int64_t now, int64_t then)
{
    return then > now ? 0 : (uint64_t)now - (uint64_t)then;
}

/* Whether it came to its tier for this cause less than a window ago. After a clock was set back it
 * did not: a time to come would last too long. */
static bool came_lately(const akidb_tier_policy *policy, int64_t now, const ak_tier_subject *s,
                        ak_tier_cause cause)
{
    return s->cause == cause && s->moved_at <= now &&
           since(now, s->moved_at) < policy->promote_window;
}

static uint64_t bytes_in(const ak_tier_subject *s, akidb_tier tier)
{
    return tier == AKIDB_TIER_HOT ? s->hot_bytes : tier == AKIDB_TIER_WARM ? s->warm_bytes : 0;
}

static uint64_t budget_of(const akidb_tier_policy *policy, akidb_tier tier)
{
    uint64_t budget = tier == AKIDB_TIER_HOT    ? policy->hot_budget
                      : tier == AKIDB_TIER_WARM ? policy->warm_budget
                                                : 0;
    return budget == 0 ? UINT64_MAX : budget;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    uint64_t sum;
    return ak_add_u64(a, b, &sum) ? sum : UINT64_MAX;
}

ak_tier_usage ak_policy_usage(const ak_tier_subject *subjects, size_t count)
{
    ak_tier_usage usage = {0, 0};
    for (size_t i = 0; i < count; i++) {
        if (subjects[i].tier == AKIDB_TIER_HOT)
            usage.hot = add(usage.hot, subjects[i].hot_bytes);
        else if (subjects[i].tier == AKIDB_TIER_WARM)
            usage.warm = add(usage.warm, subjects[i].warm_bytes);
    }
    return usage;
}

bool ak_policy_passes(const akidb_tier_policy *policy, ak_tier_usage usage, akidb_tier to,
                      const ak_tier_subject *subject)
{
    uint64_t used = to == AKIDB_TIER_HOT ? usage.hot : to == AKIDB_TIER_WARM ? usage.warm : 0;
    return add(used, bytes_in(subject, to)) > budget_of(policy, to);
}

/* ---- a plan ---------------------------------------------------------------------------------- */

typedef struct plan {
    const akidb_tier_policy *policy;
    int64_t now;
    const ak_tier_subject *subjects;
    size_t count;
    size_t *decided;  /* 1 + the index of the subject's decision, or 0 */
    uint64_t used[3]; /* by tier: what will be there, and what is on its way up from there */
    ak_tier_decision *decisions;
    size_t decision_count, decision_capacity;
    akidb_status status; /* of the first allocation that failed; nothing is decided after it */
    akidb_error *err;
} plan;

static akidb_status plan_begin(plan *p, const akidb_tier_policy *policy, int64_t now,
                               const ak_tier_subject *subjects, size_t count, akidb_error *err)
{
    *p = (plan){.policy = policy, .now = now, .subjects = subjects, .count = count, .err = err};
    p->decided = calloc(count + 1, sizeof *p->decided);
    if (p->decided == NULL)
        return ak_fail_memory(err, count * sizeof *p->decided);
    ak_tier_usage usage = ak_policy_usage(subjects, count);
    p->used[AKIDB_TIER_HOT] = usage.hot;
    p->used[AKIDB_TIER_WARM] = usage.warm;
    return AKIDB_OK;
}

static akidb_tier planned(const plan *p, size_t i)
{
    return p->decided[i] == 0 ? p->subjects[i].tier : p->decisions[p->decided[i] - 1].to;
}

static bool is_over(const plan *p, akidb_tier tier)
{
    return p->used[tier] > budget_of(p->policy, tier);
}

/* The subject's one decision, made or changed. What moves up keeps its room below: it leaves it
 * only after what moves down has come there. */
static void decide(plan *p, size_t i, akidb_tier to, ak_tier_cause cause, const char *reason)
{
    const ak_tier_subject *s = &p->subjects[i];
    akidb_tier from = planned(p, i);
    if (p->decided[i] == 0) {
        void *grown = p->decisions;
        p->status = ak_array_reserve(&grown, &p->decision_capacity, p->decision_count + 1,
                                     sizeof *p->decisions, p->err);
        p->decisions = grown;
        if (p->status != AKIDB_OK)
            return;
        p->decided[i] = ++p->decision_count;
    }
    ak_tier_decision *d = &p->decisions[p->decided[i] - 1];
    *d = (ak_tier_decision){.subject = i, .to = to, .cause = cause};
    snprintf(d->reason, sizeof d->reason, "%s", reason);
    if (to > from)
        p->used[from] -= bytes_in(s, from);
    p->used[to] = add(p->used[to], bytes_in(s, to));
}

/* ---- age ------------------------------------------------------------------------------------- */

static void plan_age(plan *p, size_t i)
{
    const akidb_tier_policy *policy = p->policy;
    const ak_tier_subject *s = &p->subjects[i];
    uint64_t idle = since(p->now, s->used_at);
    if (s->pinned || s->held || s->tier == AKIDB_TIER_COLD ||
        came_lately(policy, p->now, s, AK_CAME_UP) ||
        idle < (s->tier == AKIDB_TIER_HOT ? policy->hot_idle : policy->warm_idle))
        return;
    char words[WORDS_SIZE], reason[128];
    snprintf(reason, sizeof reason, "no access for %s", duration_words(idle, words));
    decide(p, i, idle >= policy->warm_idle ? AKIDB_TIER_COLD : AKIDB_TIER_WARM, AK_CAME_BY_AGE,
           reason);
}

/* ---- order of use ---------------------------------------------------------------------------- */

typedef struct use {
    uint64_t rank; /* the lowest comes first, then the least recently used */
    int64_t used_at;
    size_t subject;
} use;

static int compare_use(const void *left, const void *right)
{
    const use *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    if (a->used_at != b->used_at)
        return a->used_at < b->used_at ? -1 : 1;
    return a->subject < b->subject ? -1 : 1;
}

typedef struct uses {
    use *items;
    size_t count, capacity;
} uses;

static void uses_add(plan *p, uses *list, size_t i, uint64_t rank)
{
    void *grown = list->items;
    p->status =
        ak_array_reserve(&grown, &list->capacity, list->count + 1, sizeof *list->items, p->err);
    list->items = grown;
    if (p->status == AKIDB_OK)
        list->items[list->count++] = (use){rank, p->subjects[i].used_at, i};
}

static void uses_sort(uses *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_use);
}

/* ---- budgets --------------------------------------------------------------------------------- */

static void move_down_for_room(plan *p, size_t i, akidb_tier tier, const char *why)
{
    char words[WORDS_SIZE], reason[128];
    snprintf(reason, sizeof reason, "%s; least recently used, %s ago", why,
             duration_words(since(p->now, p->subjects[i].used_at), words));
    decide(p, i, tier == AKIDB_TIER_HOT ? AKIDB_TIER_WARM : AKIDB_TIER_COLD, AK_CAME_FOR_ROOM,
           reason);
}

static void plan_budget(plan *p, akidb_tier tier)
{
    if (p->status != AKIDB_OK || !is_over(p, tier))
        return;
    uses list = {0};
    for (size_t i = 0; i < p->count && p->status == AKIDB_OK; i++) {
        const ak_tier_subject *s = &p->subjects[i];
        if (planned(p, i) == tier && !s->pinned && !s->held)
            uses_add(p, &list, i, came_lately(p->policy, p->now, s, AK_CAME_UP) ? 1 : 0);
    }
    uses_sort(&list);
    char words[WORDS_SIZE], why[64];
    snprintf(why, sizeof why, "%s is over its budget of %s", akidb_tier_name(tier),
             size_words(budget_of(p->policy, tier), words));
    for (size_t i = 0; i < list.count && p->status == AKIDB_OK && is_over(p, tier); i++)
        move_down_for_room(p, list.items[i].subject, tier, why);
    free(list.items);
}

/* ---- up -------------------------------------------------------------------------------------- */

/* The accesses that bring a collection up into a tier. */
static uint32_t accesses_for(const plan *p, akidb_tier tier)
{
    return tier == AKIDB_TIER_HOT ? p->policy->promote_accesses : 1;
}

/* Those that may leave `tier` for others to come, the least recently used first. */
static uses find_room(plan *p, akidb_tier tier, bool by_order)
{
    uses list = {0};
    for (size_t i = 0; i < p->count && p->status == AKIDB_OK; i++) {
        const ak_tier_subject *s = &p->subjects[i];
        if (s->tier == tier && p->decided[i] == 0 && !s->pinned && !s->held &&
            !came_lately(p->policy, p->now, s, AK_CAME_UP) &&
            (by_order || 2 * (uint64_t)s->accesses < accesses_for(p, tier)))
            uses_add(p, &list, i, 0);
    }
    uses_sort(&list);
    return list;
}

/* Moves down what stands in the list from *at on until `bytes` more fit into the tier. False, and
 * nothing moves, when that is not enough without those that were used after `used_at`. */
static bool make_room(plan *p, akidb_tier tier, uint64_t bytes, int64_t used_at, const uses *list,
                      size_t *at)
{
    uint64_t budget = budget_of(p->policy, tier), wanted = add(p->used[tier], bytes), gained = 0;
    size_t end = *at;
    while (wanted > budget && gained < wanted - budget) {
        if (end == list->count || list->items[end].used_at >= used_at)
            return false;
        gained = add(gained, bytes_in(&p->subjects[list->items[end++].subject], tier));
    }
    for (; *at < end && p->status == AKIDB_OK; ++*at)
        move_down_for_room(p, list->items[*at].subject, tier, "makes room");
    return p->status == AKIDB_OK;
}

static bool wants_up(const plan *p, size_t i, akidb_tier to)
{
    const ak_tier_subject *s = &p->subjects[i];
    if (s->held || p->decided[i] != 0 || came_lately(p->policy, p->now, s, AK_CAME_FOR_ROOM))
        return false;
    if (to == AKIDB_TIER_HOT)
        return s->tier == AKIDB_TIER_WARM && s->accesses >= p->policy->promote_accesses;
    /* An access so long ago, the store may have been down, would be undone by age. */
    return s->tier == AKIDB_TIER_COLD && s->accessed && p->policy->promote_cold != AKIDB_OFF &&
           since(p->now, s->used_at) < p->policy->warm_idle;
}

static void move_up(plan *p, size_t i, akidb_tier to)
{
    char words[WORDS_SIZE], reason[128];
    if (to == AKIDB_TIER_WARM)
        snprintf(reason, sizeof reason, "accessed while cold");
    else
        snprintf(reason, sizeof reason, "%u accesses within %s", p->subjects[i].accesses,
                 duration_words(p->policy->promote_window, words));
    decide(p, i, to, AK_CAME_UP, reason);
}

/* The most used first, then the most recently used. */
static void plan_up(plan *p, akidb_tier to)
{
    uses wanted = {0}, room = {0};
    bool looked = false;
    size_t at = 0;
    for (size_t i = 0; i < p->count && p->status == AKIDB_OK; i++)
        if (wants_up(p, i, to))
            uses_add(p, &wanted, i, to == AKIDB_TIER_HOT ? p->subjects[i].accesses : 0);
    uses_sort(&wanted);
    for (size_t n = wanted.count; n-- > 0 && p->status == AKIDB_OK;) {
        size_t i = wanted.items[n].subject;
        uint64_t bytes = bytes_in(&p->subjects[i], to);
        if (bytes > budget_of(p->policy, to))
            continue;
        if (!looked && add(p->used[to], bytes) > budget_of(p->policy, to)) {
            room = find_room(p, to, false);
            looked = true;
        }
        if (make_room(p, to, bytes, wanted.items[n].used_at, &room, &at))
            move_up(p, i, to);
    }
    free(wanted.items);
    free(room.items);
}

/* ---- all together ---------------------------------------------------------------------------- */

/* What takes room comes after what makes it. */
static int stage(const ak_tier_subject *subjects, const ak_tier_decision *d)
{
    if (d->to == AKIDB_TIER_COLD)
        return 0;
    if (subjects[d->subject].tier == AKIDB_TIER_HOT)
        return 1;
    return d->to == AKIDB_TIER_HOT ? 2 : 3;
}

/* Hands the decisions over, in the order of their stages. */
static akidb_status plan_end(plan *p, ak_tier_decision **decisions_out, size_t *count_out)
{
    ak_tier_decision *sorted = NULL;
    if (p->status == AKIDB_OK && p->decision_count > 0) {
        sorted = calloc(p->decision_count, sizeof *sorted);
        if (sorted == NULL)
            p->status = ak_fail_memory(p->err, p->decision_count * sizeof *sorted);
    }
    size_t n = 0;
    for (int at = 0; at < 4 && sorted != NULL; at++)
        for (size_t i = 0; i < p->decision_count; i++)
            if (stage(p->subjects, &p->decisions[i]) == at)
                sorted[n++] = p->decisions[i];
    *decisions_out = sorted;
    *count_out = n;
    free(p->decisions);
    free(p->decided);
    return p->status;
}

akidb_status ak_policy_decide(const akidb_tier_policy *policy, int64_t now,
                              const ak_tier_subject *subjects, size_t count,
                              ak_tier_decision **decisions_out, size_t *count_out, akidb_error *err)
{
    *decisions_out = NULL;
    *count_out = 0;
    plan p;
    akidb_status status = plan_begin(&p, policy, now, subjects, count, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < count && p.status == AKIDB_OK; i++)
        plan_age(&p, i);
    plan_budget(&p, AKIDB_TIER_HOT);
    plan_up(&p, AKIDB_TIER_HOT);
    plan_budget(&p, AKIDB_TIER_WARM); /* with what has left hot */
    plan_up(&p, AKIDB_TIER_WARM);
    return plan_end(&p, decisions_out, count_out);
}

akidb_status ak_policy_order(const akidb_tier_policy *policy, int64_t now,
                             const ak_tier_subject *subjects, size_t count, size_t subject,
                             akidb_tier to, ak_tier_decision **decisions_out, size_t *count_out,
                             akidb_error *err)
{
    *decisions_out = NULL;
    *count_out = 0;
    plan p;
    akidb_status status = plan_begin(&p, policy, now, subjects, count, err);
    if (status != AKIDB_OK)
        return status;
    uint64_t bytes = bytes_in(&subjects[subject], to);
    uses room = {0};
    if (add(p.used[to], bytes) > budget_of(policy, to))
        room = find_room(&p, to, true);
    size_t at = 0;
    bool fits = p.status == AKIDB_OK && make_room(&p, to, bytes, INT64_MAX, &room, &at);
    free(room.items);
    if (fits)
        decide(&p, subject, to, to < subjects[subject].tier ? AK_CAME_UP : AK_CAME_SOMEHOW,
               "by hand");
    if (fits && to == AKIDB_TIER_HOT)
        plan_budget(&p, AKIDB_TIER_WARM);
    status = p.status;
    if (!fits && status == AKIDB_OK) {
        char used[WORDS_SIZE], needed[WORDS_SIZE], budget[WORDS_SIZE];
        status = p.status =
            ak_fail(err, AKIDB_E_LIMIT,
                    "%s holds %s and would need %s more: its budget is %s, and what "
                    "is pinned or has just come up stays",
                    akidb_tier_name(to), size_words(p.used[to], used), size_words(bytes, needed),
                    size_words(budget_of(policy, to), budget));
    }
    akidb_status ended = plan_end(&p, decisions_out, count_out);
    return status != AKIDB_OK ? status : ended;
}
