#include "tiering/ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"
#include "os/random.h"

/* A power of two. */
enum { STRIPES = 16, BUCKETS_FIRST = 16, STRANGERS_MAX = 4096 };

static const int64_t retry_first = INT64_C(10) * 1000000, retry_longest = INT64_C(3600) * 1000000;

typedef struct entry {
    ak_record record;
    struct entry *next; /* in its bucket */
    int64_t retry_at;
    uint32_t failures;
    bool changed; /* since it was last taken to be written */
    bool asked;   /* it has called for attention */
    bool listed;  /* by the sync that runs */
} entry;

typedef struct stripe {
    pthread_mutex_t lock; /* of all below */
    entry **buckets;
    size_t bucket_count; /* a power of two */
    size_t entry_count;
    size_t strangers; /* entries that an access made since the last sync */
    uint64_t unrecorded;
} stripe;

struct ak_ledger {
    uint64_t seed; /* of hashes */
    int64_t slot_length;
    pthread_mutex_t sync_lock; /* one sync at a time: `listed` is its own */
    stripe stripes[STRIPES];
};

/* ---- finding --------------------------------------------------------------------------------- */

/* With a seed that nobody knows, whoever may choose ids cannot choose them to collide. */
static uint64_t hash_of(const ak_ledger *ledger, const akidb_uuid *id)
{
    return XXH3_64bits_withSeed(id->bytes, sizeof id->bytes, ledger->seed);
}

/* The stripe of a collection, locked. */
static stripe *enter(ak_ledger *ledger, const akidb_uuid *id)
{
    stripe *s = &ledger->stripes[hash_of(ledger, id) % STRIPES];
    pthread_mutex_lock(&s->lock);
    return s;
}

static void leave(stripe *s)
{
    pthread_mutex_unlock(&s->lock);
}

static size_t bucket_of(const ak_ledger *ledger, const stripe *s, const akidb_uuid *id)
{
    return (hash_of(ledger, id) / STRIPES) & (s->bucket_count - 1);
}

static entry *find(const ak_ledger *ledger, const stripe *s, const akidb_uuid *id)
{
    if (s->bucket_count == 0)
        return NULL;
    entry *e = s->buckets[bucket_of(ledger, s, id)];
    while (e != NULL && memcmp(e->record.id.bytes, id->bytes, sizeof id->bytes) != 0)
        e = e->next;
    return e;
}

static void link_in(const ak_ledger *ledger, stripe *s, entry *e)
{
    size_t at = bucket_of(ledger, s, &e->record.id);
    e->next = s->buckets[at];
    s->buckets[at] = e;
}

static bool grow(const ak_ledger *ledger, stripe *s)
{
    size_t count = s->bucket_count == 0 ? BUCKETS_FIRST : s->bucket_count * 2;
    entry **buckets = calloc(count, sizeof *buckets);
    if (buckets == NULL)
        return false;
    entry **old = s->buckets;
    size_t old_count = s->bucket_count;
    s->buckets = buckets;
    s->bucket_count = count;
    for (size_t i = 0; i < old_count; i++)
        for (entry *e = old[i], *next; e != NULL; e = next) {
            next = e->next;
            link_in(ledger, s, e);
        }
    free(old);
    return true;
}

/* NULL when there is no memory. */
static entry *add(const ak_ledger *ledger, stripe *s, const ak_record *record)
{
    if (s->entry_count >= s->bucket_count && !grow(ledger, s))
        return NULL;
    entry *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->record = *record;
    link_in(ledger, s, e);
    s->entry_count++;
    return e;
}

/* ---- from begin to end ----------------------------------------------------------------------- */

akidb_status ak_ledger_new(uint64_t window, ak_ledger **ledger_out, akidb_error *err)
{
    *ledger_out = NULL;
    ak_ledger *ledger = calloc(1, sizeof *ledger);
    if (ledger == NULL)
        return ak_fail_memory(err, sizeof *ledger);
    akidb_status status = ak_random_bytes(&ledger->seed, sizeof ledger->seed, err);
    if (status != AKIDB_OK) {
        free(ledger);
        return status;
    }
    ledger->slot_length = (int64_t)(window / AK_LEDGER_SLOTS);
    if (ledger->slot_length == 0)
        ledger->slot_length = 1;
    pthread_mutex_init(&ledger->sync_lock, NULL);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&ledger->stripes[i].lock, NULL);
    *ledger_out = ledger;
    return AKIDB_OK;
}

void ak_ledger_free(ak_ledger *ledger)
{
    if (ledger == NULL)
        return;
    for (size_t i = 0; i < STRIPES; i++) {
        stripe *s = &ledger->stripes[i];
        for (size_t b = 0; b < s->bucket_count; b++)
            for (entry *e = s->buckets[b], *next; e != NULL; e = next) {
                next = e->next;
                free(e);
            }
        free(s->buckets);
        pthread_mutex_destroy(&s->lock);
    }
    pthread_mutex_destroy(&ledger->sync_lock);
    free(ledger);
}

int64_t ak_ledger_slot_length(const ak_ledger *ledger)
{
    return ledger->slot_length;
}

void ak_ledger_set_slot_length(ak_ledger *ledger, int64_t length)
{
    ledger->slot_length = length;
}

/* ---- accesses -------------------------------------------------------------------------------- */

static uint32_t *slot(ak_record *record, int64_t number)
{
    return &record->slots[(uint64_t)number % AK_LEDGER_SLOTS];
}

/* A window apart, one way or the other: a clock can be set back. */
static bool is_far(int64_t number, int64_t newest)
{
    return number - newest >= AK_LEDGER_SLOTS || newest - number >= AK_LEDGER_SLOTS;
}

static void count_access(const ak_ledger *ledger, ak_record *record, int64_t now)
{
    int64_t number = now / ledger->slot_length;
    if (is_far(number, record->newest_slot)) {
        memset(record->slots, 0, sizeof record->slots);
        record->newest_slot = number;
    }
    while (record->newest_slot < number)
        *slot(record, ++record->newest_slot) = 0;
    uint32_t *count = slot(record, record->newest_slot);
    if (*count < UINT32_MAX)
        ++*count;
    record->accesses++;
    record->last_access = now;
}

static uint32_t accesses_within(const ak_ledger *ledger, const ak_record *record, int64_t now)
{
    int64_t running = now / ledger->slot_length;
    int64_t first = running - AK_LEDGER_SLOTS + 1;
    uint64_t sum = 0;
    if (first < record->newest_slot - AK_LEDGER_SLOTS + 1)
        first = record->newest_slot - AK_LEDGER_SLOTS + 1;
    if (!is_far(running, record->newest_slot))
        for (int64_t number = first; number <= record->newest_slot; number++)
            sum += record->slots[(uint64_t)number % AK_LEDGER_SLOTS];
    return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

bool ak_ledger_access(ak_ledger *ledger, const akidb_uuid *id, int64_t now)
{
    bool call = false;
    stripe *s = enter(ledger, id);
    entry *e = find(ledger, s, id);
    if (e == NULL && s->strangers < STRANGERS_MAX) {
        /* Where it lies is known with the next sync: new collections begin in memory. */
        e = add(ledger, s, &(ak_record){.id = *id, .tier = AKIDB_TIER_HOT, .fresh_at = now});
        s->strangers += e != NULL ? 1 : 0;
    }
    if (e == NULL) {
        s->unrecorded++;
    } else {
        count_access(ledger, &e->record, now);
        e->changed = true;
        call = e->record.tier == AKIDB_TIER_COLD && !e->asked;
        e->asked = e->asked || call;
    }
    leave(s);
    return call;
}

/* ---- what the storage and the file say ------------------------------------------------------- */

akidb_status ak_ledger_restore(ak_ledger *ledger, const ak_record *record, akidb_error *err)
{
    stripe *s = enter(ledger, &record->id);
    entry *e = find(ledger, s, &record->id);
    if (e != NULL)
        e->record = *record;
    else
        e = add(ledger, s, record);
    leave(s);
    return e == NULL ? ak_fail_memory(err, sizeof *e) : AKIDB_OK;
}

static void set_tier(ak_record *record, akidb_tier tier, ak_tier_cause cause, int64_t at)
{
    if (tier < record->tier)
        record->fresh_at = at;
    record->tier = tier;
    record->cause = cause;
    record->moved_at = at;
    memset(record->slots, 0, sizeof record->slots);
}

/* Whether that is news. */
static bool measure(ak_record *record, const akidb_collection_info *info)
{
    if (info->tier != AKIDB_TIER_HOT || info->documents == 0 ||
        (record->hot_bytes == info->memory_bytes && record->hot_documents == info->documents))
        return false;
    record->hot_bytes = info->memory_bytes;
    record->hot_documents = info->documents;
    return true;
}

/* False when there is no memory. */
static bool sync_one(ak_ledger *ledger, const akidb_collection_info *info, int64_t now, bool listed,
                     bool ask_again)
{
    stripe *s = enter(ledger, &info->id);
    entry *e = find(ledger, s, &info->id);
    if (e == NULL) {
        e = add(ledger, s, &(ak_record){.id = info->id, .tier = info->tier, .fresh_at = now});
        if (e != NULL)
            e->changed = true;
    }
    if (e != NULL) {
        ak_record *record = &e->record;
        if (record->tier != info->tier) {
            set_tier(record, info->tier, AK_CAME_SOMEHOW, now);
            e->changed = true;
        }
        if (measure(record, info))
            e->changed = true;
        e->asked = e->asked && !ask_again;
        e->listed = e->listed || listed;
    }
    leave(s);
    return e != NULL;
}

akidb_status ak_ledger_meet(ak_ledger *ledger, const akidb_collection_info *info, int64_t now,
                            akidb_error *err)
{
    return sync_one(ledger, info, now, false, false) ? AKIDB_OK
                                                     : ak_fail_memory(err, sizeof(entry));
}

/* Takes out what was not listed. Room for all ids is promised. */
static void forget(stripe *s, int64_t listed_at, akidb_uuid *forgotten, size_t *count)
{
    for (size_t b = 0; b < s->bucket_count; b++)
        for (entry **at = &s->buckets[b]; *at != NULL;) {
            entry *e = *at;
            if (!e->listed && e->record.fresh_at < listed_at) {
                *at = e->next;
                forgotten[(*count)++] = e->record.id;
                s->entry_count--;
                free(e);
            } else {
                e->listed = false;
                at = &e->next;
            }
        }
    s->strangers = 0;
}

static akidb_status forget_all(ak_ledger *ledger, int64_t listed_at, akidb_uuid **forgotten_out,
                               size_t *count_out, akidb_error *err)
{
    akidb_uuid *forgotten = NULL;
    size_t count = 0;
    for (size_t i = 0; i < STRIPES; i++) {
        stripe *s = &ledger->stripes[i];
        pthread_mutex_lock(&s->lock);
        akidb_uuid *grown = realloc(forgotten, (count + s->entry_count + 1) * sizeof *grown);
        if (grown != NULL)
            forget(s, listed_at, forgotten = grown, &count);
        pthread_mutex_unlock(&s->lock);
        if (grown == NULL) {
            free(forgotten);
            return ak_fail_memory(err, count * sizeof *grown);
        }
    }
    *forgotten_out = forgotten;
    *count_out = count;
    return AKIDB_OK;
}

akidb_status ak_ledger_sync(ak_ledger *ledger, const akidb_collection_info *infos, size_t count,
                            int64_t listed_at, bool ask_again, akidb_uuid **forgotten_out,
                            size_t *forgotten_count_out, akidb_error *err)
{
    akidb_uuid *forgotten = NULL;
    size_t forgotten_count = 0;
    akidb_status status = AKIDB_OK;
    pthread_mutex_lock(&ledger->sync_lock);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        if (!sync_one(ledger, &infos[i], listed_at, true, ask_again))
            status = ak_fail_memory(err, sizeof(entry));
    if (status == AKIDB_OK)
        status = forget_all(ledger, listed_at, &forgotten, &forgotten_count, err);
    pthread_mutex_unlock(&ledger->sync_lock);
    if (forgotten_out != NULL) {
        *forgotten_out = forgotten;
        *forgotten_count_out = forgotten_count;
    } else {
        free(forgotten);
    }
    return status;
}

/* ---- looking --------------------------------------------------------------------------------- */

bool ak_ledger_look(ak_ledger *ledger, const akidb_uuid *id, int64_t now, ak_ledger_view *view_out)
{
    stripe *s = enter(ledger, id);
    const entry *e = find(ledger, s, id);
    if (e != NULL)
        *view_out = (ak_ledger_view){
            .record = e->record,
            .accesses = accesses_within(ledger, &e->record, now),
            .failures = e->failures,
            .retry_at = e->retry_at,
        };
    leave(s);
    if (e == NULL)
        *view_out = (ak_ledger_view){.record = {.id = *id}};
    return e != NULL;
}

/* Beside its vector a document in memory takes ids, times, marks and places in indexes. How long
 * its texts are is not known before they were seen: a quarter of a KiB stands for them. */
enum { ROW_IN_MEMORY = 112 + 256 };

/* By what it took when it was last in memory, unless it was much smaller then, or else by its
 * documents. */
static uint64_t expected_memory(const ak_record *record, const akidb_collection_info *info)
{
    bool known = record->hot_documents > 0 && record->hot_documents >= info->documents / 2;
    double each = known ? (double)record->hot_bytes / (double)record->hot_documents
                        : (double)info->dimension * sizeof(float) + ROW_IN_MEMORY;
    double bytes = each * (double)info->documents;
    return bytes < 0x1p62 ? (uint64_t)bytes : UINT64_MAX / 4;
}

/* The file will be its newest snapshot; with what was written since, if it has to be flushed. That
 * takes more in memory than in a file. */
static uint64_t expected_file(const akidb_collection_info *info)
{
    if (info->last_lsn <= info->flushed_lsn && info->snapshot_bytes > 0)
        return info->snapshot_bytes;
    return info->tier == AKIDB_TIER_HOT ? info->memory_bytes
                                        : info->snapshot_bytes + info->memory_bytes;
}

ak_tier_subject ak_ledger_subject(ak_ledger *ledger, const akidb_collection_info *info, int64_t now)
{
    ak_ledger_view view;
    ak_tier_subject subject = {.tier = info->tier};
    /* Without an entry it has come since the sync: it is as good as new. */
    if (!ak_ledger_look(ledger, &info->id, now, &view))
        view.record.fresh_at = now;
    const ak_record *record = &view.record;
    subject.hot_bytes =
        info->tier == AKIDB_TIER_HOT ? info->memory_bytes : expected_memory(record, info);
    subject.warm_bytes = info->tier == AKIDB_TIER_WARM ? info->warm_bytes : expected_file(info);
    subject.cause = record->cause;
    subject.pinned = record->pinned;
    /* A clock that was set back must not hold anything for longer than it ever would be. */
    subject.held = now < view.retry_at && now >= view.retry_at - retry_longest;
    subject.accessed = record->last_access != 0 && record->last_access >= record->moved_at;
    subject.accesses = view.accesses;
    subject.used_at =
        record->last_access > record->fresh_at ? record->last_access : record->fresh_at;
    subject.moved_at = record->moved_at;
    return subject;
}

/* ---- moves ----------------------------------------------------------------------------------- */

void ak_ledger_moved(ak_ledger *ledger, const akidb_uuid *id, akidb_tier tier, ak_tier_cause cause,
                     int64_t at)
{
    stripe *s = enter(ledger, id);
    entry *e = find(ledger, s, id);
    if (e != NULL) {
        set_tier(&e->record, tier, cause, at);
        e->failures = 0;
        e->retry_at = 0;
        e->asked = false;
        e->changed = true;
    }
    leave(s);
}

int64_t ak_ledger_failed(ak_ledger *ledger, const akidb_uuid *id, int64_t now)
{
    int64_t delay = retry_first;
    stripe *s = enter(ledger, id);
    entry *e = find(ledger, s, id);
    if (e != NULL) {
        for (uint32_t i = 0; i < e->failures && delay < retry_longest; i++)
            delay *= 2;
        delay = delay < retry_longest ? delay : retry_longest;
        e->failures += e->failures < UINT32_MAX ? 1 : 0;
        e->retry_at = now + delay;
    }
    leave(s);
    return delay;
}

bool ak_ledger_pin(ak_ledger *ledger, const akidb_uuid *id, bool pinned)
{
    stripe *s = enter(ledger, id);
    entry *e = find(ledger, s, id);
    bool before = e != NULL && e->record.pinned;
    if (e != NULL && before != pinned) {
        e->record.pinned = pinned;
        e->changed = true;
    }
    leave(s);
    return before;
}

/* ---- what has changed ------------------------------------------------------------------------ */

static void take_changed(stripe *s, ak_record *records, size_t max, size_t *taken)
{
    for (size_t b = 0; b < s->bucket_count; b++)
        for (entry *e = s->buckets[b]; e != NULL && *taken < max; e = e->next)
            if (e->changed) {
                e->changed = false;
                records[(*taken)++] = e->record;
            }
}

size_t ak_ledger_take_changed(ak_ledger *ledger, ak_record *records, size_t max)
{
    size_t taken = 0;
    for (size_t i = 0; i < STRIPES && taken < max; i++) {
        pthread_mutex_lock(&ledger->stripes[i].lock);
        take_changed(&ledger->stripes[i], records, max, &taken);
        pthread_mutex_unlock(&ledger->stripes[i].lock);
    }
    return taken;
}

void ak_ledger_put_back(ak_ledger *ledger, const ak_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stripe *s = enter(ledger, &records[i].id);
        entry *e = find(ledger, s, &records[i].id);
        if (e != NULL)
            e->changed = true;
        leave(s);
    }
}

ak_ledger_counts ak_ledger_count(ak_ledger *ledger)
{
    ak_ledger_counts counts = {.unrecorded = 0};
    for (size_t i = 0; i < STRIPES; i++) {
        stripe *s = &ledger->stripes[i];
        pthread_mutex_lock(&s->lock);
        counts.unrecorded += s->unrecorded;
        for (size_t b = 0; b < s->bucket_count; b++)
            for (const entry *e = s->buckets[b]; e != NULL; e = e->next)
                counts.pinned += e->record.pinned ? 1 : 0;
        pthread_mutex_unlock(&s->lock);
    }
    return counts;
}
