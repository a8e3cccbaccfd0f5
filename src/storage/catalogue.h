#ifndef AK_STORAGE_CATALOGUE_H
#define AK_STORAGE_CATALOGUE_H
/* The catalogue: which collections there are and where recovery begins with each. A small JSON file
 * with a checksum, replaced as a whole; docs/formats/catalogue.md has every field. */
#include "akidb/storage.h"
#include "akidb/sys/files.h"
#include "storage/log_entry.h"

#define AK_CATALOGUE_NAME "catalogue"

typedef struct ak_catalogue_collection {
    akidb_uuid id, incarnation;
    ak_log_collection created; /* dimension and name */
    uint64_t created_lsn;
    uint64_t replay_after; /* entries up to this LSN are in the snapshot or were never */
    akidb_tier tier;
    bool has_snapshot; /* a warm or cold one has */
    akidb_uuid snapshot_id;
    uint64_t snapshot_lsn;
    int64_t snapshot_at;
    uint64_t snapshot_rows, snapshot_bytes; /* both 0: not known; only of a hot one */
} ak_catalogue_collection;

/* Start from {0}. */
typedef struct ak_catalogue {
    akidb_uuid log_id;
    uint64_t lsn; /* it knows of every create and drop up to this LSN */
    uint64_t
        log_from; /* the first entry that is not in a snapshot: the log must have all from it */
    ak_catalogue_collection *collections;
    size_t count, capacity;
} ak_catalogue;

void ak_catalogue_free(ak_catalogue *catalogue);

/* Adds room for one collection, zeroed. */
AKIDB_CHECK akidb_status ak_catalogue_add(ak_catalogue *catalogue,
                                          ak_catalogue_collection **added_out, akidb_error *err);

AKIDB_CHECK akidb_status ak_catalogue_encode(const ak_catalogue *catalogue, akidb_buffer *text,
                                             akidb_error *err);

/* AKIDB_E_CORRUPTION says what; AKIDB_E_UNSUPPORTED: of a later version. */
AKIDB_CHECK akidb_status ak_catalogue_decode(akidb_slice text, ak_catalogue *catalogue_out,
                                             akidb_error *err);

/* Replaces the file in `folder`: at every moment it is the old one or the new one, whole. On
 * failure it may be either. One caller at a time. */
AKIDB_CHECK akidb_status ak_catalogue_write(const ak_catalogue *catalogue, const akidb_files *files,
                                            akidb_folder folder, akidb_error *err);

/* *found_out is false when there is none. */
AKIDB_CHECK akidb_status ak_catalogue_read(const akidb_files *files, akidb_folder folder,
                                           ak_catalogue *catalogue_out, bool *found_out,
                                           akidb_error *err);

#endif
