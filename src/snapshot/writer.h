#ifndef AK_SNAPSHOT_WRITER_H
#define AK_SNAPSHOT_WRITER_H
/* Steps of the public writer that one-call create, migration and the storage backend take on their
 * own. */
#include "snapshot/snapshotter.h"

/* Where in a log a snapshot belongs; see akidb_snapshot_metadata. */
typedef struct ak_lineage {
    akidb_uuid log_id;
    akidb_uuid incarnation;
    uint64_t lsn;
} ak_lineage;

typedef struct ak_begin_options {
    akidb_create_options create; /* all fields set */
    const int64_t *created_at;   /* NULL: now */
    akidb_time_unit time_unit;   /* DEFAULT: as the snapshotter's options say */
    uint64_t bytes_hint;         /* of all documents before encoding; 0: unknown */
    const ak_lineage *lineage;   /* NULL: none */
} ak_begin_options;

AKIDB_CHECK akidb_status ak_snapshot_begin(akidb_snapshotter *snapshotter,
                                           const akidb_uuid *collection_id, uint32_t dimension,
                                           const ak_begin_options *options,
                                           akidb_snapshot_writer **writer_out, akidb_error *err);

/* Like akidb_snapshot_append for the last batch. */
AKIDB_CHECK akidb_status ak_snapshot_append_last(akidb_snapshot_writer *writer,
                                                 const akidb_batch *batch, akidb_error *err);

/* Puts the metadata object, which makes the snapshot exist. AKIDB_E_UNCERTAIN: nobody knows.
 * *absent_out is true when the snapshot surely does not exist, so that parts may be removed. */
AKIDB_CHECK akidb_status ak_commit_metadata(akidb_store *store, const char *key, akidb_slice text,
                                            bool *absent_out, akidb_error *err);

#endif
