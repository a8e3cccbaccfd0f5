#ifndef AKIDB_STORAGE_H
#define AKIDB_STORAGE_H
/*
 * Storage backend: collections in memory, a write-ahead log that keeps every write, and snapshots
 * that let the log be short. What a vector database embeds so as never to lose a write.
 *
 *   Folder     DATA/wal holds the log, DATA/catalogue which collections there are; a lock on
 *              DATA/lock keeps a second storage out. Snapshots go to an object store, by default
 *              the folder DATA/store. docs/formats/catalogue.md and wal.md have every byte.
 *   Durable    When upsert, delete, create, drop, restore or adopt returns AKIDB_OK, what the
 *              chosen durability promises holds. All of one call happens, or none of it (adopt:
 *              for each collection).
 *   View       A get sees every write that has returned, and none in part. A cursor sees the
 *              collection as it was at one moment, whatever happens meanwhile.
 *   Flush      writes such a view as a snapshot while writers go on, and then shortens the log.
 *              A flush that fails loses nothing.
 *   Recovery   open brings back everything acknowledged: the newest snapshot of each collection,
 *              every byte checked, and the log after it. Damage to what was acknowledged is an
 *              error that says what and where, unless an option allows less.
 *   Failure    After a failed write or sync of the log every further write is AKIDB_E_IO until
 *              the storage is closed and opened again; reads go on. Whether a write that failed so
 *              was kept is known then. After any other failure nothing has happened.
 *   Threads    Any calls may run at once on one storage, except that close runs alone; a cursor
 *              belongs to one thread at a time.
 */
#include "akidb/snapshot.h"

AKIDB_BEGIN_DECLS

typedef enum akidb_durability {
    AKIDB_DURABLE_EVERY_COMMIT = 0, /* survives a power cut */
    AKIDB_DURABLE_INTERVAL = 1,     /* a power cut may take the last interval; a kill nothing */
    AKIDB_DURABLE_BY_CALL = 2 /* a power cut may take all since the last sync; a kill nothing */
} akidb_durability;

typedef enum akidb_recovery {
    AKIDB_RECOVER_STRICT = 0, /* damage to what was acknowledged is AKIDB_E_CORRUPTION */
    AKIDB_RECOVER_UP_TO = 1,  /* the log counts up to its first damage */
    AKIDB_RECOVER_SALVAGE = 2 /* every whole entry of the log counts */
} akidb_recovery;

#define AKIDB_NEVER UINT64_MAX

typedef struct akidb_storage_options {
    size_t struct_size;      /* sizeof(akidb_storage_options) */
    const char *data_folder; /* made if it is not there */
    akidb_store *store;      /* outlives the storage; NULL: the folder DATA/store */
    /* Format, compression, threads, clock, hooks, ...; NULL: all defaults. The log hook is told of
     * failed flushes; the progress hook is called by flush, restore, adopt and open, and not by the
     * flushes that the storage makes by itself. */
    const akidb_snapshotter_options *snapshots;
    akidb_durability durability;
    uint32_t interval_ms;       /* of AKIDB_DURABLE_INTERVAL; default 100 */
    uint64_t wal_segment_bytes; /* default 64 MiB */
    uint64_t wal_max_bytes;     /* of the log; then writes get AKIDB_E_LIMIT; at least 128 KiB;
                                   default 8 GiB. A segment has a quarter of it at most */
    uint64_t flush_wal_bytes;   /* flush when the log has so many; default 256 MiB; AKIDB_NEVER */
    uint64_t flush_age;         /* and when its oldest entry is older, in microseconds; default
                                   15 minutes; AKIDB_NEVER. When both are never there is no thread:
                                   what it mends besides waits for the next flush or move */
    uint64_t memory_limit;      /* of all collections; then writes get AKIDB_E_LIMIT; 0: none */
    akidb_recovery recovery;
    bool allow_older_snapshot; /* at open: if the newest snapshot of a hot collection is damaged,
                                  the one before it, with as much of the log as there is. Warm and
                                  cold ones are not read then; akidb_storage_restore helps them */
    /* After each flush of a collection; NULL: none. The newest snapshot of a storage stays whatever
     * the policy says. */
    const akidb_retention *retention;
    uint64_t page_cache_bytes; /* of pages of warm and cold collections, beside the memory limit;
                                  default 64 MiB */
} akidb_storage_options;

typedef struct akidb_storage akidb_storage;

/* What open found and did. */
typedef struct akidb_recovery_report {
    uint64_t collections;
    uint64_t documents;
    uint64_t log_entries; /* replayed */
    uint64_t log_bytes;
    int64_t duration; /* microseconds */
    bool torn;        /* an unfinished write at the log's end was cut off: nobody was promised it */
    uint64_t dropped_entries; /* by AKIDB_RECOVER_UP_TO or AKIDB_RECOVER_SALVAGE */
    uint64_t older_snapshots; /* collections that came back from an older snapshot */
    char detail[1024];        /* what was cut off, dropped or replaced, in words; "" for nothing */
} akidb_recovery_report;

/* AKIDB_E_PRECONDITION when another process has the folder; AKIDB_E_CORRUPTION names object and
 * place. `report_out` may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_open(const akidb_storage_options *options,
                                                      akidb_storage **storage_out,
                                                      akidb_recovery_report *report_out,
                                                      akidb_error *err);

/* Syncs the log and closes. Cursors must be closed before. The handle is gone whatever the status.
 */
AKIDB_API akidb_status akidb_storage_close(akidb_storage *storage, akidb_error *err);

/* ---- collections ----------------------------------------------------------------------------- */

/* `name` is what people call it (the label "name" of its snapshots): 1 to 255 bytes of UTF-8, or
 * NULL. AKIDB_E_ALREADY_EXISTS. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_create_collection(akidb_storage *storage,
                                                                   const akidb_uuid *collection,
                                                                   uint32_t dimension,
                                                                   const char *name,
                                                                   akidb_error *err);

/* Removes the collection and all its documents. Its snapshots stay in the store until somebody
 * deletes them there (akidb/snapshot.h); they never come back by themselves, not even into a
 * collection that is created under the same id. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_drop_collection(akidb_storage *storage,
                                                                 const akidb_uuid *collection,
                                                                 akidb_error *err);

/* Where the documents of a collection lie. */
typedef enum akidb_tier {
    AKIDB_TIER_HOT = 0,  /* in memory */
    AKIDB_TIER_WARM = 1, /* a Parquet snapshot in DATA/warm, read by page */
    AKIDB_TIER_COLD = 2  /* a Parquet snapshot in the object store, and nothing on this disk */
} akidb_tier;

typedef struct akidb_collection_info {
    akidb_uuid id;
    uint32_t dimension;
    uint64_t documents;
    uint64_t memory_bytes;
    uint64_t last_lsn;      /* of its latest write */
    uint64_t flushed_lsn;   /* covered by its newest snapshot; 0: none */
    akidb_uuid snapshot_id; /* the newest; all zero: none */
    int64_t flushed_at;     /* microseconds since the epoch; 0: never */
    akidb_tier tier;
    uint64_t warm_bytes;     /* of its good copy in DATA/warm; 0 when the store serves it */
    uint64_t snapshot_bytes; /* of its newest snapshot; 0 when there is none */
    /* `documents` may count some twice that were written since the newest snapshot: which of them
     * that has would take a read to say. akidb_storage_count is exact, and does that. */
    bool documents_at_most;
    char name[256]; /* or "" */
} akidb_collection_info;

AKIDB_API AKIDB_CHECK akidb_status akidb_storage_collection(akidb_storage *storage,
                                                            const akidb_uuid *collection,
                                                            akidb_collection_info *info_out,
                                                            akidb_error *err);

/* All collections, in the order of their ids; `infos_out` is freed with free(). */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_collections(akidb_storage *storage,
                                                             akidb_collection_info **infos_out,
                                                             size_t *count_out, akidb_error *err);

/* ---- documents ------------------------------------------------------------------------------- */

/* Inserts the documents of a batch, or replaces those that are there under the same id. Within the
 * batch the last of an id wins. document_ids NULL: new ones, which `ids_out` (batch->rows of them,
 * or NULL) receives. inserted_at NULL: the time of the call, in whole milliseconds.
 * AKIDB_E_NOT_FOUND: no such collection; AKIDB_E_VALIDATION: the batch breaks a rule of
 * akidb/batch.h, or has another dimension; AKIDB_E_LIMIT: memory or log are full; a flush makes
 * the log short. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_upsert(akidb_storage *storage,
                                                        const akidb_uuid *collection,
                                                        const akidb_batch *batch,
                                                        akidb_uuid *ids_out, akidb_error *err);

/* Deletes documents; ids that are not there are passed over. `deleted_out` may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_delete(akidb_storage *storage,
                                                        const akidb_uuid *collection,
                                                        const akidb_uuid *ids, size_t count,
                                                        uint64_t *deleted_out, akidb_error *err);

/* Appends the documents that are there to `documents`, in the order of the ids given; *found_out,
 * which may be NULL, counts them. Not finding one is no error; on any failure nothing is appended.
 * `documents` must have the collection's dimension. Many ids of a cold collection are fetched side
 * by side, by up to 16 threads that the storage starts the first time, whatever its options say of
 * threads, and keeps. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_get(akidb_storage *storage,
                                                     const akidb_uuid *collection,
                                                     const akidb_uuid *ids, size_t count,
                                                     akidb_documents *documents, size_t *found_out,
                                                     akidb_error *err);

/* All documents with an external id, which need not be unique, in the order of their ids. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_get_by_external_id(
    akidb_storage *storage, const akidb_uuid *collection, akidb_slice external_id,
    akidb_documents *documents, size_t *found_out, akidb_error *err);

AKIDB_API AKIDB_CHECK akidb_status akidb_storage_count(akidb_storage *storage,
                                                       const akidb_uuid *collection,
                                                       uint64_t *count_out, akidb_error *err);

typedef struct akidb_cursor akidb_cursor;

/* Goes through a collection as it is at this moment, in no particular order. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_iterate(akidb_storage *storage,
                                                         const akidb_uuid *collection,
                                                         akidb_cursor **cursor_out,
                                                         akidb_error *err);
/* Replaces the contents of `documents` by at most max_rows next ones; *done_out is true, and none
 * come, after the last. */
AKIDB_API AKIDB_CHECK akidb_status akidb_cursor_next(akidb_cursor *cursor, size_t max_rows,
                                                     akidb_documents *documents, bool *done_out,
                                                     akidb_error *err);
AKIDB_API void akidb_cursor_close(akidb_cursor *cursor);

/* ---- durability ------------------------------------------------------------------------------ */

/* Returns when every write that has returned is on the disk. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_sync(akidb_storage *storage, akidb_error *err);

/* Writes a snapshot of the collection as it is now, and shortens the log. A collection that has not
 * changed since its newest snapshot keeps that one. AKIDB_E_PRECONDITION: the store has none of the
 * snapshots in which the folder's cold collections lie, so it is another one than theirs.
 * `snapshot_id_out` may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_flush(akidb_storage *storage,
                                                       const akidb_uuid *collection,
                                                       akidb_uuid *snapshot_id_out,
                                                       akidb_error *err);

/* Snapshots of the collection in its store, newest first, also those of before it was dropped. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_list_snapshots(akidb_storage *storage,
                                                                const akidb_uuid *collection,
                                                                akidb_snapshot_list *list_out,
                                                                akidb_error *err);

/* Replaces the contents of the collection by those of a snapshot of it, as one write. The log only
 * says which snapshot: it must not be deleted before the next flush of the collection. Waits for a
 * flush of the collection that is under way. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_restore(akidb_storage *storage,
                                                         const akidb_uuid *collection,
                                                         const akidb_uuid *snapshot_id,
                                                         akidb_error *err);

/* Takes over the newest snapshot of every collection that the store has and this storage has not:
 * how an existing store comes under a new data folder. *adopted_out counts the collections. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_adopt(akidb_storage *storage,
                                                       uint64_t *adopted_out, akidb_error *err);

/* ---- tiers ----------------------------------------------------------------------------------- */

/* Every call above works in every tier: a get from a warm collection reads a page of its file, one
 * from a cold collection reads ranges of its snapshot; what was written since lies in memory, until
 * the next flush writes both into one snapshot. All durable data is in the object store or in the
 * log at every moment; memory and DATA/warm hold copies. A copy in DATA/warm that is damaged is
 * told to the log hook, and the store serves the collection until the copy has been made again: by
 * the storage's thread as fast as it can, by a move, or by a flush.
 * docs/tiers.md tells more.
 *   Store    A cold collection needs it for gets, cursors, its exact count after writes, and to say
 *            how many documents a delete found; not for upserts, nor for deletes that do not ask.
 *   Restore  A collection that is restored is hot.
 *   Cursors  stay what they are while their collection moves. */

typedef struct akidb_move_options {
    size_t struct_size;        /* sizeof(akidb_move_options) */
    uint64_t bytes_per_second; /* from and to the object store, or, from warm to hot, of the local
                                  disk; 0: no limit */
    const akidb_hooks *hooks;  /* progress (which may cancel) and log; NULL: none */
} akidb_move_options;

typedef struct akidb_move_report {
    akidb_tier from, to;
    uint64_t bytes;   /* that were copied or read */
    int64_t duration; /* microseconds */
} akidb_move_report;

/* Moves a collection to a tier: copies, verifies, records it in the catalogue, and only then
 * removes what it left behind; a move that is cut short is finished or undone by the next open.
 * Readers and writers go on meanwhile. Down to warm or cold it flushes first, and to cold it
 * compares every byte that the store has with its checksum; so it needs the object store, as
 * everything does that leaves cold. On failure the collection is where it was, unless only the
 * catalogue could not be written: then it has moved, and a next open may find it where it was. A
 * collection that is there already stays, and nothing is copied, unless its copy in DATA/warm is
 * damaged. AKIDB_E_UNSUPPORTED when the storage writes JSON snapshots, which can be neither warm
 * nor cold; AKIDB_E_LIMIT: the memory limit leaves no room for a hot one. Waits for another move,
 * flush or restore of the same collection. `options` and `report_out` may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_move(akidb_storage *storage,
                                                      const akidb_uuid *collection, akidb_tier tier,
                                                      const akidb_move_options *options,
                                                      akidb_move_report *report_out,
                                                      akidb_error *err);

typedef enum akidb_access {
    AKIDB_ACCESS_GET = 0,     /* akidb_storage_get, akidb_storage_get_by_external_id */
    AKIDB_ACCESS_ITERATE = 1, /* akidb_storage_iterate */
    AKIDB_ACCESS_UPSERT = 2
} akidb_access;

/* `access` is told of each access of a collection, as it begins: from any thread, many at once; it
 * must be quick and must not call the storage. NULL: nobody is told; when this returns, the hook
 * that was there before is not running any more. */
AKIDB_API void akidb_storage_on_access(akidb_storage *storage, void *context,
                                       void (*access)(void *context, const akidb_uuid *collection,
                                                      akidb_access kind));

/* ---- metrics --------------------------------------------------------------------------------- */

/* All metrics in Prometheus' text format; `text_out` is yours to free. */
AKIDB_API AKIDB_CHECK akidb_status akidb_storage_metrics(akidb_storage *storage,
                                                         akidb_buffer *text_out, akidb_error *err);

AKIDB_END_DECLS
#endif
