#include "storage/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/error.h"

enum { BUCKETS = 4096 };

struct ak_cache {
    uint64_t bytes_max;
    pthread_mutex_t lock; /* of all below, and of the members of pages that say so */
    ak_cached *buckets[BUCKETS];
    ak_cached *newest, *oldest;
    ak_cache_statistics statistics;
};

akidb_status ak_cache_new(uint64_t bytes_max, ak_cache **cache_out, akidb_error *err)
{
    *cache_out = calloc(1, sizeof **cache_out);
    if (*cache_out == NULL)
        return ak_fail_memory(err, sizeof **cache_out);
    (*cache_out)->bytes_max = bytes_max;
    pthread_mutex_init(&(*cache_out)->lock, NULL);
    return AKIDB_OK;
}

static void destroy(ak_cached *cached)
{
    cached->destroy(cached->value);
    free(cached);
}

static ak_cached **bucket_of(ak_cache *cache, const ak_cache_key *key)
{
    return &cache->buckets[XXH3_64bits(key, sizeof *key) % BUCKETS];
}

static void unlink_page(ak_cache *cache, ak_cached *cached)
{
    *(cached->newer != NULL ? &cached->newer->older : &cache->newest) = cached->older;
    *(cached->older != NULL ? &cached->older->newer : &cache->oldest) = cached->newer;
}

static void link_newest(ak_cache *cache, ak_cached *cached)
{
    cached->newer = NULL;
    cached->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = cached;
    cache->newest = cached;
}

/* Takes a page out of the cache; returns it when nobody holds it, to be destroyed. */
static ak_cached *take_out(ak_cache *cache, ak_cached *cached)
{
    ak_cached **at = bucket_of(cache, &cached->key);
    while (*at != cached)
        at = &(*at)->next;
    *at = cached->next;
    unlink_page(cache, cached);
    cached->listed = false;
    cache->statistics.bytes -= cached->bytes;
    return cached->references == 0 ? cached : NULL;
}

void ak_cache_free(ak_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->oldest != NULL)
        destroy(take_out(cache, cache->oldest));
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static ak_cached *find(ak_cache *cache, const ak_cache_key *key)
{
    ak_cached *at = *bucket_of(cache, key);
    while (at != NULL && memcmp(&at->key, key, sizeof *key) != 0)
        at = at->next;
    return at;
}

ak_cached *ak_cache_find(ak_cache *cache, const ak_cache_key *key)
{
    pthread_mutex_lock(&cache->lock);
    ak_cached *cached = find(cache, key);
    if (cached != NULL) {
        cached->references++;
        unlink_page(cache, cached);
        link_newest(cache, cached);
        cache->statistics.hits++;
    } else {
        cache->statistics.misses++;
    }
    pthread_mutex_unlock(&cache->lock);
    return cached;
}

/* Lists a page, unless another thread was first or it is too large; returns pages that had to go,
 * linked by `next`. */
static ak_cached *list_page(ak_cache *cache, ak_cached *cached)
{
    ak_cached *gone = NULL;
    if (cached->bytes > cache->bytes_max || find(cache, &cached->key) != NULL)
        return NULL;
    while (cache->statistics.bytes > cache->bytes_max - cached->bytes) {
        ak_cached *old = take_out(cache, cache->oldest);
        if (old == NULL)
            continue; /* who holds it destroys it */
        old->next = gone;
        gone = old;
    }
    ak_cached **bucket = bucket_of(cache, &cached->key);
    cached->next = *bucket;
    *bucket = cached;
    link_newest(cache, cached);
    cached->listed = true;
    cache->statistics.bytes += cached->bytes;
    return gone;
}

static void destroy_all(ak_cached *gone)
{
    while (gone != NULL) {
        ak_cached *next = gone->next;
        destroy(gone);
        gone = next;
    }
}

akidb_status ak_cache_add(ak_cache *cache, const ak_cache_key *key, void *value,
                          void (*destroy_value)(void *value), uint64_t bytes,
                          ak_cached **cached_out, akidb_error *err)
{
    ak_cached *cached = calloc(1, sizeof *cached);
    *cached_out = cached;
    if (cached == NULL) {
        destroy_value(value);
        return ak_fail_memory(err, sizeof *cached);
    }
    cached->key = *key;
    cached->value = value;
    cached->destroy = destroy_value;
    cached->bytes = bytes + sizeof *cached;
    cached->references = 1;
    pthread_mutex_lock(&cache->lock);
    ak_cached *gone = list_page(cache, cached);
    pthread_mutex_unlock(&cache->lock);
    destroy_all(gone);
    return AKIDB_OK;
}

void ak_cache_release(ak_cache *cache, ak_cached *cached)
{
    pthread_mutex_lock(&cache->lock);
    bool last = --cached->references == 0 && !cached->listed;
    pthread_mutex_unlock(&cache->lock);
    if (last)
        destroy(cached);
}

void ak_cache_forget(ak_cache *cache, const akidb_uuid *snapshot)
{
    ak_cached *gone = NULL;
    pthread_mutex_lock(&cache->lock);
    for (ak_cached *at = cache->oldest, *newer; at != NULL; at = newer) {
        newer = at->newer;
        if (memcmp(&at->key.snapshot, snapshot, sizeof *snapshot) != 0)
            continue;
        ak_cached *old = take_out(cache, at);
        if (old == NULL)
            continue;
        old->next = gone;
        gone = old;
    }
    pthread_mutex_unlock(&cache->lock);
    destroy_all(gone);
}

ak_cache_statistics ak_cache_get_statistics(ak_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    ak_cache_statistics statistics = cache->statistics;
    pthread_mutex_unlock(&cache->lock);
    return statistics;
}
