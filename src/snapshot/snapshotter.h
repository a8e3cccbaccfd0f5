#ifndef AK_SNAPSHOT_SNAPSHOTTER_H
#define AK_SNAPSHOT_SNAPSHOTTER_H
/* The inside of a snapshotter, and what the modules of this folder ask of it. */
#include <pthread.h>

#include "akidb/snapshot.h"

struct akidb_snapshotter {
    akidb_store *store;
    akidb_snapshot_format format;  /* what create writes; not DEFAULT */
    akidb_parquet_options parquet; /* threads is not 0; compression is not DEFAULT, unless there
                                      is a profile */
    akidb_layout layout;
    uint64_t part_rows;     /* UINT64_MAX: no limit */
    uint64_t part_bytes;    /* not 0 */
    unsigned threads;       /* not 0 */
    char *temporary_folder; /* NULL: the default */
    bool has_clock;
    akidb_clock clock;
    akidb_hooks hooks;
    pthread_mutex_t log_lock; /* one call at a time, as akidb_hooks promises */
    akidb_hooks log_only;     /* for lower layers: hands on what they log, and nothing else */
};

int64_t ak_snapshotter_now(const akidb_snapshotter *snapshotter);

/* Tells the caller how far a long call is; AKIDB_E_CANCELLED when he asks to stop. */
AKIDB_CHECK akidb_status ak_snapshotter_progress(const akidb_snapshotter *snapshotter,
                                                 const akidb_progress *progress, akidb_error *err);

/* Tells the caller's log; `err` may be NULL, otherwise its message is added. */
void ak_snapshotter_log(akidb_snapshotter *snapshotter, akidb_log_level level,
                        const akidb_error *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Deletes objects that no snapshot refers to. What cannot be deleted is left to gc and logged. */
void ak_delete_leftover(akidb_snapshotter *snapshotter, const char *key);
void ak_delete_leftovers(akidb_snapshotter *snapshotter, const char *const *keys, size_t count);

/* Deletes snapshots: the metadata of all, then the parts of those whose metadata is gone, which
 * *deleted_out counts. One that cannot be deleted does not keep the others; the first failure is
 * returned. */
AKIDB_CHECK akidb_status ak_delete_snapshots(akidb_snapshotter *snapshotter,
                                             const akidb_snapshot_metadata *const *snapshots,
                                             size_t count, uint64_t *deleted_out, akidb_error *err);

/* Whether a failure says something about the stored bytes; any other says that they could not be
 * reached, or that memory or the caller's patience ran out. */
bool ak_status_is_damage(akidb_status status);

/* Fetches and reads one metadata object. AKIDB_E_NOT_FOUND when it is not there. */
AKIDB_CHECK akidb_status ak_metadata_fetch(akidb_store *store, const char *key,
                                           akidb_snapshot_metadata **metadata_out,
                                           akidb_error *err);

/* Fetches a snapshot's metadata from where this layout or the old one has it. */
AKIDB_CHECK akidb_status ak_metadata_find(akidb_snapshotter *snapshotter,
                                          const akidb_uuid *collection_id,
                                          const akidb_uuid *snapshot_id,
                                          akidb_snapshot_metadata **metadata_out, akidb_error *err);

/* What to say when a part is not there: AKIDB_E_NOT_FOUND naming the snapshot, which was deleted
 * meanwhile (*deleted_out), or the part, whose snapshot still claims to exist; or why that could
 * not be told. */
AKIDB_CHECK akidb_status ak_part_is_missing(akidb_snapshotter *snapshotter,
                                            const akidb_snapshot_metadata *metadata,
                                            const akidb_snapshot_part *part, bool *deleted_out,
                                            akidb_error *err);

#endif
