#ifndef AK_STORAGE_STORAGE_H
#define AK_STORAGE_STORAGE_H
/*
 * The inside of a storage.
 *
 *   Writing    A write is validated, gets room in memory (so that applying it cannot fail), is
 *              appended to the log, and is applied when the log has it. Writes are applied one
 *              after the other in the order of the log (apply.c): the thread that finds the head of
 *              the queue durable applies it, whosever it is. So memory is at every moment what a
 *              replay of the log up to `applied` would make.
 *   Replay     goes through the same ak_apply.
 *   Locks      in the order in which they nest; none but catalogue_lock and submit_lock is held
 *              while a file, the log or the store is used, and no reader ever takes those two.
 *                catalogue_lock  who replaces the catalogue
 *                access_lock     who tells the access hook
 *                submit_lock     appending to the log and queueing, so that both have one order
 *                lock            the table of collections
 *                collection      the members of a collection that say so; its contents
 *                queue_lock, flush_lock, ids_lock, log_lock, bases_lock  nothing is taken within
 *   Tiers     A hot collection has all its documents in `contents`. A warm or cold one has a base,
 *             the snapshot that it is read from; then `contents` hold what was written since, and
 *             `shadow` the ids of that, which hide what the base has under them. While a snapshot
 *             is being written that will become the base, writes also go into `next`, which is what
 *             the collection will have beside it. docs/tiers.md tells it at length.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "akidb/storage.h"
#include "document/new_ids.h"
#include "os/pool.h"
#include "storage/base.h"
#include "storage/cache.h"
#include "storage/catalogue.h"
#include "storage/contents.h"
#include "storage/log_entry.h"
#include "storage/shadow.h"
#include "wal/wal.h"

enum { AK_TIERS = AKIDB_TIER_COLD + 1 };

/* What was written since an LSN. */
typedef struct ak_layer {
    ak_contents *contents;
    ak_shadow *shadow;
} ak_layer;

typedef struct ak_collection {
    akidb_uuid id, incarnation;
    ak_log_collection created;
    uint64_t created_lsn; /* set when it enters the table, constant from then on */
    _Atomic uint32_t references;
    bool flushing;       /* under flush_lock */
    int64_t retry_at;    /* of the background thread alone: not before */
    int64_t retry_delay; /* likewise: the next wait after a failure */

    pthread_rwlock_t lock; /* of all below */
    bool dropped;
    akidb_tier tier;
    ak_contents *contents; /* NULL once dropped */
    ak_base *base;         /* NULL: hot */
    ak_shadow *shadow;     /* NULL: hot */
    size_t resolved;       /* ids of the shadow, from its first one on, of which it is known ... */
    uint64_t hidden;       /* ... whether the base has them; how many it has */
    ak_layer next;         /* contents NULL: there is none */
    size_t promised;       /* ids of writes on their way, for which shadows have room */
    ak_contents *incoming; /* what a restore on its way will put in its place */
    uint64_t last_lsn;     /* of the last write that was applied */
    uint64_t dirty_lsn;    /* of the first write that no begun or made snapshot holds; 0: none */
    uint64_t flushing_lsn; /* of the first write that only a begun snapshot holds; 0: none */
    int64_t dirty_since;   /* when dirty_lsn was applied */
    uint64_t replay_after; /* entries up to this one are not replayed into it */
    bool has_snapshot;
    akidb_uuid snapshot_id;
    uint64_t snapshot_lsn;
    int64_t snapshot_at;
    uint64_t snapshot_rows, snapshot_bytes; /* both 0: not known */
    akidb_status load_status; /* of recovery: its snapshot could not be loaded, and why */
    akidb_error load_error;
} ak_collection;

/* A write between the log and memory; lives on the stack of the thread that waits for it. */
typedef struct ak_pending {
    const ak_log_entry *entry;
    ak_collection *collection; /* NULL: a replay did not find it */
    ak_row_texts *texts;       /* UPSERT */
    uint64_t lsn;
    uint64_t deleted;    /* DELETE: how many were there, for all that is known */
    uint8_t *unknown;    /* DELETE, or NULL: 1 for each id that the base may have; zeroed before */
    ak_base *base;       /* that base, retained; NULL: all is known */
    akidb_status status; /* NOT_FOUND, ALREADY_EXISTS: another write came before it */
    bool applied;        /* under queue_lock, as `next` */
    struct ak_pending *next;
} ak_pending;

/* By tier; moves from one to another. */
typedef struct ak_tier_counters {
    _Atomic uint64_t hits, moves[AK_TIERS], failures[AK_TIERS], move_micros[AK_TIERS];
} ak_tier_counters;

typedef struct ak_counters {
    ak_tier_counters tiers[AK_TIERS];
    _Atomic uint64_t local_damage;
    _Atomic uint64_t upserts, upserted, deletes, deleted, gets, restores;
    _Atomic uint64_t snapshots_made, snapshots_failed, snapshot_bytes;
} ak_counters;

/* The snapshotters of object store and DATA/warm that one piece of work uses. */
typedef struct ak_route {
    akidb_snapshotter *store, *warm;
} ak_route;

struct akidb_storage {
    const akidb_files *files;
    akidb_folder folder;
    bool has_folder;
    akidb_file lock_file;
    bool has_lock_file;
    akidb_store *own_store; /* NULL: the caller's is used */
    akidb_store *store;     /* that one, or the caller's */
    akidb_store *warm;      /* DATA/warm */
    ak_route foreground;
    ak_route background; /* without the caller's progress hook */
    ak_cache *cache;
    _Atomic(ak_pool *) readers; /* of base_many.c, from the first time on that it needs it */
    akidb_hooks hooks;          /* the caller's */
    pthread_mutex_t log_lock;
    akidb_clock clock;
    bool has_clock;
    akidb_time_unit time_unit; /* of the caller's options */
    akidb_retention retention;
    bool has_retention;
    akidb_durability durability;
    uint64_t memory_limit;
    uint64_t flush_wal_bytes, flush_age;
    uint64_t hash_seed;
    ak_wal *wal;
    akidb_uuid log_id;
    akidb_recovery_report report;
    _Atomic uint64_t memory; /* bytes of contents, and of views of old ones */
    ak_counters counters;
    akidb_store_statistics store_before; /* what the store had done when this was opened */

    pthread_mutex_t catalogue_lock;
    _Atomic bool catalogue_stale; /* it must be written again, but that failed */
    _Atomic bool log_is_long;     /* it has segments that nobody needs, but that did not go */
    int64_t save_retry_at;        /* of the background thread alone: not before */
    int64_t save_retry_delay;     /* likewise: the next wait after a failure */
    _Atomic bool store_is_known;  /* ak_recognize_store has seen that it is the right one */

    pthread_mutex_t submit_lock;

    pthread_mutex_t lock;
    ak_collection **collections; /* sorted by id */
    size_t collection_count, collection_capacity;
    size_t creating; /* further places that are promised */

    pthread_mutex_t queue_lock;
    pthread_cond_t queue_moved;
    ak_pending *first, *last;
    bool applying;
    uint64_t durable; /* the promise holds for all up to this LSN */
    uint64_t applied; /* memory holds all up to this LSN */

    pthread_mutex_t bases_lock;
    pthread_cond_t local_removed;
    ak_base *bases[AK_BASE_BUCKETS]; /* by the hash of their snapshots, as the local copies */
    ak_local *locals[AK_BASE_BUCKETS];

    _Atomic bool has_access;
    pthread_rwlock_t access_lock;
    void *access_context;
    void (*access)(void *context, const akidb_uuid *collection, akidb_access kind);

    pthread_mutex_t ids_lock;
    ak_id_sequence new_ids;

    pthread_mutex_t flush_lock;
    pthread_cond_t flush_ended;
    pthread_cond_t background_wake;
    bool stopping;
    bool has_thread;
    pthread_t thread;
};

/* ---- open.c ---------------------------------------------------------------------------------- */

/* akidb_storage_open on other files than the system's, for data folder, log and catalogue. */
AKIDB_CHECK akidb_status ak_storage_open_with(const akidb_storage_options *options,
                                              const akidb_files *files, akidb_storage **storage_out,
                                              akidb_recovery_report *report_out, akidb_error *err);

void ak_route_close(ak_route *route);

int64_t ak_storage_now(const akidb_storage *storage);
void ak_storage_log(akidb_storage *storage, akidb_log_level level, const akidb_error *err,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- collection.c ---------------------------------------------------------------------------- */

AKIDB_CHECK akidb_status ak_collection_new(akidb_storage *storage, const akidb_uuid *id,
                                           const akidb_uuid *incarnation,
                                           const ak_log_collection *created,
                                           ak_collection **collection_out, akidb_error *err);
void ak_collection_release(ak_collection *collection); /* NULL is fine */

/* The collection, retained; NULL when there is none. */
ak_collection *ak_collection_find(akidb_storage *storage, const akidb_uuid *id);

/* The same, with AKIDB_E_NOT_FOUND. */
AKIDB_CHECK akidb_status ak_collection_get(akidb_storage *storage, const akidb_uuid *id,
                                           ak_collection **collection_out, akidb_error *err);
akidb_status ak_collection_fail_gone(const akidb_uuid *id, akidb_error *err);

/* All collections, retained, in the order of their ids. */
AKIDB_CHECK akidb_status ak_collections_all(akidb_storage *storage, ak_collection ***all_out,
                                            size_t *count_out, akidb_error *err);
void ak_collections_release(ak_collection **all, size_t count);

/* Promises a place in the table, until ak_collections_add took it or it is given back. */
AKIDB_CHECK akidb_status ak_collections_promise(akidb_storage *storage, akidb_error *err);
void ak_collections_unpromise(akidb_storage *storage);

/* Into a promised place, retaining it; false when the id is taken. */
bool ak_collections_add(akidb_storage *storage, ak_collection *collection);
/* Takes it out, if it is in; false otherwise. */
bool ak_collections_remove(akidb_storage *storage, ak_collection *collection);

/* Promises room for a write of so many rows, or for the deletion of so many ids, in what the
 * collection holds and in what will replace it. */
AKIDB_CHECK akidb_status ak_collection_reserve(akidb_storage *storage, ak_collection *collection,
                                               size_t rows, uint64_t text_bytes, akidb_error *err);
AKIDB_CHECK akidb_status ak_collection_reserve_ids(ak_collection *collection, size_t ids,
                                                   akidb_error *err);
void ak_collection_unreserve(ak_collection *collection, size_t rows);
void ak_collection_unreserve_ids(ak_collection *collection, size_t ids);

/* The LSN of what is seen now; the caller holds the collection's lock, and has taken `applied` from
 * ak_applied_lsn before that. */
uint64_t ak_collection_lsn(const ak_collection *collection, uint64_t applied);

/* How many documents it has; the caller holds the lock for writing. False: at most so many, for it
 * is not known which of the ids written since its snapshot that has. */
bool ak_collection_count(ak_collection *collection, uint64_t *count_out);

/* The base, retained, or NULL. */
ak_base *ak_collection_base(ak_collection *collection);

/* What a collection had: taken from it under its lock for writing, and released without. With
 * `give_up_local` the files in DATA/warm go as well. */
typedef struct ak_remains {
    ak_contents *contents[3];
    ak_shadow *shadows[2];
    ak_base *base;
} ak_remains;
ak_remains ak_collection_empty(ak_collection *collection);
void ak_remains_release(akidb_storage *storage, ak_remains *remains, bool give_up_local);

/* Tells the access hook, if there is one, and counts. */
void ak_collection_accessed(akidb_storage *storage, ak_collection *collection, akidb_access kind);

/* ---- apply.c --------------------------------------------------------------------------------- */

/* Appends the entry to the log, waits for the promise of the durability, and until it is applied;
 * pending->status is then the outcome. On failure nothing was applied; whether the entry is in the
 * log is known after the next open. */
AKIDB_CHECK akidb_status ak_submit(akidb_storage *storage, const ak_log_entry *entry,
                                   ak_pending *pending, akidb_error *err);

/* Does to memory what the entry says. One call at a time, in the order of the LSNs. */
void ak_apply(akidb_storage *storage, ak_pending *pending);

uint64_t ak_applied_lsn(akidb_storage *storage);

/* ---- load.c ---------------------------------------------------------------------------------- */

/* Whether the snapshot is the one that the catalogue means, which is that of the log `log_id`;
 * AKIDB_E_CORRUPTION. */
AKIDB_CHECK akidb_status ak_check_lineage(const akidb_uuid *log_id,
                                          const akidb_snapshot_metadata *metadata,
                                          const ak_catalogue_collection *lineage, akidb_error *err);

/* Whether a snapshot has the dimension and is the one that `lineage` means (AKIDB_E_CORRUPTION);
 * without a lineage a wrong dimension is AKIDB_E_VALIDATION. */
AKIDB_CHECK akidb_status ak_check_snapshot(const akidb_storage *storage,
                                           const akidb_snapshot_metadata *metadata,
                                           uint32_t dimension,
                                           const ak_catalogue_collection *lineage,
                                           akidb_error *err);

/* Adds the documents to contents that nobody else sees yet. */
AKIDB_CHECK akidb_status ak_load_batch(akidb_storage *storage, ak_contents *contents,
                                       const akidb_batch *batch, akidb_error *err);

/* Reads a whole snapshot, every byte checked, into new contents. `lineage`, when given,
 * says which one it must be (else AKIDB_E_CORRUPTION); a wrong dimension is AKIDB_E_VALIDATION
 * without it. */
AKIDB_CHECK akidb_status ak_load_snapshot(akidb_storage *storage, const akidb_uuid *collection_id,
                                          const akidb_uuid *snapshot_id, uint32_t dimension,
                                          const ak_catalogue_collection *lineage,
                                          ak_contents **contents_out, akidb_error *err);

/* ---- recognize.c ----------------------------------------------------------------------------- */

/* Before the first snapshot is written: AKIDB_E_PRECONDITION when the store has none of the
 * snapshots that are the only copies of collections. */
AKIDB_CHECK akidb_status ak_recognize_store(akidb_storage *storage, akidb_snapshotter *snapshotter,
                                            akidb_error *err);

/* ---- recover.c ------------------------------------------------------------------------------- */

/* Catalogue, snapshots and log into memory; opens the log. */
AKIDB_CHECK akidb_status ak_recover(akidb_storage *storage, const ak_wal_options *wal_options,
                                    bool allow_older_snapshot, akidb_error *err);

/* ---- flush.c --------------------------------------------------------------------------------- */

/* Flushes one collection, where it is. The caller has entered. */
AKIDB_CHECK akidb_status ak_flush_entered(akidb_storage *storage, ak_collection *collection,
                                          const ak_route *route, akidb_error *err);

/* Brings a collection to rest in a tier that is not hot, or flushes it where it is: writes a
 * snapshot if one is needed, makes what the tier needs, and records it. The caller has entered. */
typedef struct ak_settling {
    akidb_tier tier;
    ak_route route;
    bool is_move;       /* a copy in DATA/warm must come about; a cold snapshot is verified */
    bool keeps_overlay; /* no flush: from cold to warm */
} ak_settling;
AKIDB_CHECK akidb_status ak_settle(akidb_storage *storage, ak_collection *collection,
                                   const ak_settling *how, akidb_error *err);

/* From the call on, writes go into collection->next, too; the caller holds the lock for writing.
 * End takes the lock itself, and forgets what was gathered. */
AKIDB_CHECK akidb_status ak_collection_begin_next(akidb_storage *storage, ak_collection *collection,
                                                  akidb_error *err);
void ak_collection_end_next(ak_collection *collection);

/* What the collection is in the catalogue; lowers *needed_lsn, when given, to the first entry of
 * the log that no snapshot holds. */
ak_catalogue_collection ak_collection_describe(ak_collection *collection, uint64_t *needed_lsn);

/* One flush, restore or move of a collection at a time: waits until the others have left. */
void ak_flush_enter(akidb_storage *storage, ak_collection *collection);
bool ak_flush_try_enter(akidb_storage *storage, ak_collection *collection);
void ak_flush_leave(akidb_storage *storage, ak_collection *collection);

/* Writes the catalogue as things are, and then removes what the log no longer needs. */
AKIDB_CHECK akidb_status ak_save_catalogue(akidb_storage *storage, akidb_error *err);

/* Whether that must be done again, because the last time not all of it succeeded. */
bool ak_catalogue_is_due(const akidb_storage *storage);

/* ---- warm.c ---------------------------------------------------------------------------------- */

/* After the replay: notes local copies that are missing or not what they should be, and removes
 * from DATA/warm what belongs to no collection. Neither can fail the open. */
void ak_warm_check(akidb_storage *storage);

/* A copy of the collection's snapshot in DATA/warm, whole and read back; the one that is there
 * already, if it is good. */
AKIDB_CHECK akidb_status ak_warm_copy(akidb_storage *storage, const ak_route *route,
                                      const ak_catalogue_collection *of, ak_local **local_out,
                                      akidb_error *err);

/* ---- move.c ---------------------------------------------------------------------------------- */

/* Makes the local copy of a warm collection again that is damaged or missing. */
AKIDB_CHECK akidb_status ak_repair(akidb_storage *storage, ak_collection *collection,
                                   akidb_error *err);
/* Whether a warm collection is served by the store. */
bool ak_needs_repair(ak_collection *collection);

/* ---- background.c ---------------------------------------------------------------------------- */

AKIDB_CHECK akidb_status ak_background_start(akidb_storage *storage, akidb_error *err);
void ak_background_stop(akidb_storage *storage);

#endif
