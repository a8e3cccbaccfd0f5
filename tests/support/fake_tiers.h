#ifndef AK_TEST_FAKE_TIERS_H
#define AK_TEST_FAKE_TIERS_H
/*
 * A storage without documents: it knows where collections lie and how large they are, moves them at
 * once or fails as it is told, and has a clock that goes when it is set. For tests and simulations
 * of tiering.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "tiering/backend.h"

typedef struct fake_collection {
    akidb_uuid id;
    const char *name; /* or NULL */
    akidb_tier tier;
    bool gone;
    uint32_t dimension;
    uint64_t documents, hot_bytes, warm_bytes;
    akidb_status fails; /* a move of it ends so */
    uint64_t moves;
} fake_collection;

typedef struct fake_tiers {
    pthread_mutex_t lock;         /* of all but what is atomic */
    fake_collection *collections; /* in the order of their ids */
    size_t count;
    akidb_status store_fails; /* what needs the object store ends so */
    _Atomic int64_t now;
    _Atomic bool move_is_long; /* a move lasts until it is cancelled */
    _Atomic uint64_t moves, tries, moving;
    void *context;
    void (*access)(void *context, const akidb_uuid *id, akidb_access kind);
    /* Called, when it is there, after each move that has succeeded. */
    void (*moved)(struct fake_tiers *fake, void *moved_context, size_t at, akidb_tier from);
    void *moved_context;
} fake_tiers;

/* Ids ascend with the number. */
static inline akidb_uuid fake_id(uint64_t number)
{
    akidb_uuid id = {{0}};
    for (int i = 0; i < 8; i++)
        id.bytes[i] = (uint8_t)(number >> (56 - 8 * i));
    id.bytes[15] = 1;
    return id;
}

static inline uint64_t fake_number(const akidb_uuid *id)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++)
        number = number << 8 | id->bytes[i];
    return number;
}

/* False when there is no memory. All are warm, of two documents, 1000 bytes in each tier. */
static inline bool fake_init(fake_tiers *fake, size_t count, int64_t now)
{
    memset(fake, 0, sizeof *fake);
    pthread_mutex_init(&fake->lock, NULL);
    atomic_store(&fake->now, now);
    fake->collections = calloc(count + 1, sizeof *fake->collections);
    fake->count = count;
    if (fake->collections == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        fake->collections[i] = (fake_collection){.id = fake_id(i + 1),
                                                 .tier = AKIDB_TIER_WARM,
                                                 .dimension = 4,
                                                 .documents = 2,
                                                 .hot_bytes = 1000,
                                                 .warm_bytes = 1000};
    return true;
}

static inline void fake_free(fake_tiers *fake)
{
    pthread_mutex_destroy(&fake->lock);
    free(fake->collections);
}

static inline int64_t fake_clock_now(void *handle)
{
    fake_tiers *fake = handle;
    return atomic_load(&fake->now);
}

static inline akidb_clock fake_clock(fake_tiers *fake)
{
    return (akidb_clock){fake_clock_now, fake};
}

static inline void fake_access(fake_tiers *fake, size_t at, akidb_access kind)
{
    fake->access(fake->context, &fake->collections[at].id, kind);
}

static inline akidb_tier fake_tier(fake_tiers *fake, size_t at)
{
    pthread_mutex_lock(&fake->lock);
    akidb_tier tier = fake->collections[at].tier;
    pthread_mutex_unlock(&fake->lock);
    return tier;
}

/* ---- the table of functions ------------------------------------------------------------------ */

static inline void fake_info(const fake_collection *c, akidb_collection_info *info_out)
{
    *info_out = (akidb_collection_info){
        .id = c->id,
        .dimension = c->dimension,
        .documents = c->documents,
        .tier = c->tier,
        .memory_bytes = c->tier == AKIDB_TIER_HOT ? c->hot_bytes : 0,
        .warm_bytes = c->tier == AKIDB_TIER_WARM ? c->warm_bytes : 0,
        .snapshot_bytes = c->warm_bytes,
    };
    if (c->name != NULL)
        (void)snprintf(info_out->name, sizeof info_out->name, "%s", c->name);
}

static inline akidb_status fake_collections(void *handle, akidb_collection_info **infos_out,
                                            size_t *count_out, akidb_error *err)
{
    fake_tiers *fake = handle;
    *count_out = 0;
    *infos_out = calloc(fake->count + 1, sizeof **infos_out);
    if (*infos_out == NULL)
        return ak_fail_memory(err, fake->count);
    pthread_mutex_lock(&fake->lock);
    for (size_t i = 0; i < fake->count; i++)
        if (!fake->collections[i].gone)
            fake_info(&fake->collections[i], &(*infos_out)[(*count_out)++]);
    pthread_mutex_unlock(&fake->lock);
    return AKIDB_OK;
}

/* Under the lock; NULL when there is none. Looks by halves: ids ascend. */
static inline fake_collection *fake_find(fake_tiers *fake, const akidb_uuid *id)
{
    size_t low = 0, high = fake->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = akidb_uuid_compare(id, &fake->collections[middle].id);
        if (order == 0)
            return fake->collections[middle].gone ? NULL : &fake->collections[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static inline akidb_status fake_collection_info(void *handle, const akidb_uuid *id,
                                                akidb_collection_info *info_out, akidb_error *err)
{
    fake_tiers *fake = handle;
    *info_out = (akidb_collection_info){.documents = 0};
    pthread_mutex_lock(&fake->lock);
    const fake_collection *found = fake_find(fake, id);
    if (found != NULL)
        fake_info(found, info_out);
    pthread_mutex_unlock(&fake->lock);
    return found != NULL ? AKIDB_OK : ak_fail(err, AKIDB_E_NOT_FOUND, "no such collection");
}

static inline akidb_status fake_wait(fake_tiers *fake, const akidb_move_options *options,
                                     akidb_error *err)
{
    const struct timespec little = {0, 1000000};
    const akidb_progress progress = {.rows_done = 1};
    const akidb_hooks *hooks = options->hooks;
    while (atomic_load(&fake->move_is_long)) {
        if (!hooks->progress(hooks->context, &progress))
            return ak_fail(err, AKIDB_E_CANCELLED, "cancelled");
        nanosleep(&little, NULL);
    }
    return AKIDB_OK;
}

static inline akidb_status fake_move_now(fake_tiers *fake, const akidb_uuid *id, akidb_tier to,
                                         akidb_move_report *report, akidb_error *err)
{
    fake_collection *c = fake_find(fake, id);
    if (c == NULL)
        return ak_fail(err, AKIDB_E_NOT_FOUND, "no such collection");
    akidb_tier from = c->tier;
    if (c->fails != AKIDB_OK)
        return ak_fail(err, c->fails, "this collection cannot be moved");
    if (fake->store_fails != AKIDB_OK && !(from == AKIDB_TIER_WARM && to == AKIDB_TIER_HOT))
        return ak_fail(err, fake->store_fails, "the object store is down");
    *report = (akidb_move_report){from, to, c->warm_bytes, 1000};
    if (from == to)
        return AKIDB_OK;
    c->tier = to;
    c->moves++;
    atomic_fetch_add(&fake->moves, 1);
    if (fake->moved != NULL)
        fake->moved(fake, fake->moved_context, (size_t)(c - fake->collections), from);
    return AKIDB_OK;
}

static inline akidb_status fake_move(void *handle, const akidb_uuid *id, akidb_tier tier,
                                     const akidb_move_options *options,
                                     akidb_move_report *report_out, akidb_error *err)
{
    fake_tiers *fake = handle;
    *report_out = (akidb_move_report){.bytes = 0};
    atomic_fetch_add(&fake->tries, 1);
    atomic_fetch_add(&fake->moving, 1);
    akidb_status status = fake_wait(fake, options, err);
    if (status == AKIDB_OK) {
        pthread_mutex_lock(&fake->lock);
        status = fake_move_now(fake, id, tier, report_out, err);
        pthread_mutex_unlock(&fake->lock);
    }
    atomic_fetch_sub(&fake->moving, 1);
    return status;
}

static inline void fake_on_access(void *handle, void *context,
                                  void (*access)(void *context, const akidb_uuid *id,
                                                 akidb_access kind))
{
    fake_tiers *fake = handle;
    fake->context = context;
    fake->access = access;
}

static inline ak_tier_backend fake_backend(fake_tiers *fake)
{
    static const ak_tier_backend_ops ops = {fake_collections, fake_collection_info, fake_move,
                                            fake_on_access};
    return (ak_tier_backend){&ops, fake};
}

#endif
