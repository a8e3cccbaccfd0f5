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
 *                submit_lock     appending to the log and queueing, so that both have one order
 *                lock            the table of collections
 *                collection      the members of a collection that say so; its contents
 *                queue_lock, flush_lock, ids_lock, log_lock  nothing is taken within
 */
#include <pthread.h>
#include <stdatomic.h>

#include "akidb/storage.h"
#include "document/new_ids.h"
#include "storage/catalogue.h"
#include "storage/contents.h"
#include "storage/log_entry.h"
#include "wal/wal.h"

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
    ak_contents *contents; /* NULL once dropped */
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
    akidb_status load_status; /* of recovery: its snapshot could not be loaded, and why */
    akidb_error load_error;
} ak_collection;

/* A write between the log and memory; lives on the stack of the thread that waits for it. */
typedef struct ak_pending {
    const ak_log_entry *entry;
    ak_collection *collection; /* NULL: a replay did not find it */
    ak_row_texts *texts;       /* UPSERT */
    uint64_t lsn;
    uint64_t deleted;    /* DELETE: how many were there */
    akidb_status status; /* NOT_FOUND, ALREADY_EXISTS: another write came before it */
    bool applied;        /* under queue_lock, as `next` */
    struct ak_pending *next;
} ak_pending;

typedef struct ak_counters {
    _Atomic uint64_t upserts, upserted, deletes, deleted, gets, restores;
    _Atomic uint64_t snapshots_made, snapshots_failed, snapshot_bytes;
    _Atomic uint64_t requests[AKIDB_STORE_OP_COUNT], requests_failed;
    _Atomic uint64_t bytes_up, bytes_down;
} ak_counters;

struct akidb_storage {
    const akidb_files *files;
    akidb_folder folder;
    bool has_folder;
    akidb_file lock_file;
    bool has_lock_file;
    akidb_store *own_store; /* NULL: the caller's is used */
    akidb_store *store;     /* counts the calls to it */
    akidb_snapshotter *snapshotter;
    akidb_snapshotter *background; /* without the caller's progress hook */
    akidb_hooks hooks;             /* the caller's */
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

    pthread_mutex_t catalogue_lock;
    _Atomic bool catalogue_stale; /* it must be written again, but that failed */

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

/* Promises room for rows in what the collection holds and in what will replace it. */
AKIDB_CHECK akidb_status ak_collection_reserve(akidb_storage *storage, ak_collection *collection,
                                               size_t rows, uint64_t text_bytes, akidb_error *err);
void ak_collection_unreserve(ak_collection *collection, size_t rows);

/* A view of the collection as it is now. AKIDB_E_NOT_FOUND when it was dropped. */
AKIDB_CHECK akidb_status ak_collection_view(akidb_storage *storage, ak_collection *collection,
                                            ak_view *view_out, akidb_error *err);

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

/* Reads a whole snapshot, every byte checked, into new contents. `lineage`, when given,
 * says which one it must be (else AKIDB_E_CORRUPTION); a wrong dimension is AKIDB_E_VALIDATION
 * without it. */
AKIDB_CHECK akidb_status ak_load_snapshot(akidb_storage *storage, const akidb_uuid *collection_id,
                                          const akidb_uuid *snapshot_id, uint32_t dimension,
                                          const ak_catalogue_collection *lineage,
                                          ak_contents **contents_out, akidb_error *err);

/* ---- recover.c ------------------------------------------------------------------------------- */

/* Catalogue, snapshots and log into memory; opens the log. */
AKIDB_CHECK akidb_status ak_recover(akidb_storage *storage, const ak_wal_options *wal_options,
                                    bool allow_older_snapshot, akidb_error *err);

/* ---- flush.c --------------------------------------------------------------------------------- */

/* Flushes one collection; in the background without the caller's progress. */
AKIDB_CHECK akidb_status ak_flush(akidb_storage *storage, ak_collection *collection,
                                  akidb_snapshotter *snapshotter, akidb_uuid *snapshot_id_out,
                                  akidb_error *err);

/* One flush or restore of a collection at a time: waits until the others have left. */
void ak_flush_enter(akidb_storage *storage, ak_collection *collection);
void ak_flush_leave(akidb_storage *storage, ak_collection *collection);

/* Writes the catalogue as things are, and then removes what the log no longer needs. */
AKIDB_CHECK akidb_status ak_save_catalogue(akidb_storage *storage, akidb_error *err);

/* ---- background.c ---------------------------------------------------------------------------- */

AKIDB_CHECK akidb_status ak_background_start(akidb_storage *storage, akidb_error *err);
void ak_background_stop(akidb_storage *storage);

#endif
