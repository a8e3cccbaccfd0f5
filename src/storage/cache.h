#ifndef AK_STORAGE_CACHE_H
#define AK_STORAGE_CACHE_H
/*
 * Decoded pages of snapshots, the least recently used of which go first. What is in it has been
 * compared with its checksums. Any calls from any threads at once.
 */
#include "akidb/base.h"

typedef struct ak_cache ak_cache;

/* Of a row group: all its small columns, or the values of one column from a row on. */
typedef struct ak_cache_key {
    akidb_uuid snapshot;
    uint64_t group;
    uint64_t column; /* a bit of akidb_column; 0: all small ones */
    uint64_t first;
} ak_cache_key;

typedef struct ak_cached {
    ak_cache_key key;
    void *value;
    void (*destroy)(void *value);
    uint64_t bytes;
    /* of the cache */
    uint32_t references;
    bool listed;
    struct ak_cached *newer, *older, *next;
} ak_cached;

AKIDB_CHECK akidb_status ak_cache_new(uint64_t bytes_max, ak_cache **cache_out, akidb_error *err);
void ak_cache_free(ak_cache *cache); /* nothing may be held */

/* The page, held until the release; NULL when it is not there. */
ak_cached *ak_cache_find(ak_cache *cache, const ak_cache_key *key);

/* Puts a value there and holds it. What is larger than the cache is only held. On failure the value
 * is destroyed. */
AKIDB_CHECK akidb_status ak_cache_add(ak_cache *cache, const ak_cache_key *key, void *value,
                                      void (*destroy)(void *value), uint64_t bytes,
                                      ak_cached **cached_out, akidb_error *err);
void ak_cache_release(ak_cache *cache, ak_cached *cached);

/* Lets go of all pages of a snapshot. */
void ak_cache_forget(ak_cache *cache, const akidb_uuid *snapshot);

typedef struct ak_cache_statistics {
    uint64_t bytes, hits, misses;
} ak_cache_statistics;

ak_cache_statistics ak_cache_get_statistics(ak_cache *cache);

#endif
