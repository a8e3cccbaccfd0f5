#ifndef AK_SNAPSHOT_KEYS_H
#define AK_SNAPSHOT_KEYS_H
/*
 * Every key of the layout, made and parsed in one place.
 *
 *   snapshots/{collection_id}/{snapshot_id}.metadata.json      the commit
 *   snapshots/{collection_id}/{snapshot_id}.parquet            the only part
 *   snapshots/{collection_id}/{snapshot_id}/part-00000.parquet one of several
 *   snapshots/{collection_id}/{snapshot_id}.json[.gz|.sz|.zst] a JSON snapshot
 *   snapshots/{snapshot_id}.meta.json, {snapshot_id}.json      the old layout
 *
 * Ids are lower-case UUIDs; a key that is not spelled exactly so is not ours and is never touched.
 */
#include "akidb/snapshot.h"

/* The longest key of the layout and its NUL fit. */
enum { AK_KEY_SIZE = 128 };

/* Part numbers have five digits. */
enum { AK_PARTS_MAX = 100000 };

#define AK_SNAPSHOTS_PREFIX "snapshots/"

typedef enum ak_key_kind {
    AK_KEY_FOREIGN = 0, /* not of this layout */
    AK_KEY_METADATA,
    AK_KEY_PART,
    AK_KEY_OLD_METADATA, /* collection_id is not in the key: zero */
    AK_KEY_OLD_PART      /* likewise */
} ak_key_kind;

typedef struct ak_key {
    ak_key_kind kind;
    akidb_uuid collection_id;
    akidb_uuid snapshot_id;
    akidb_snapshot_format format;  /* of parts */
    akidb_compression compression; /* of JSON parts: what the ending says */
} ak_key;

/* "snapshots/{collection_id}/": what all of a collection's keys begin with. */
void ak_key_collection_prefix(const akidb_uuid *collection_id, char out[AK_KEY_SIZE]);

void ak_key_metadata(const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                     char out[AK_KEY_SIZE]);
void ak_key_old_metadata(const akidb_uuid *snapshot_id, char out[AK_KEY_SIZE]);

/* The part of a snapshot that has just one, outside a folder. `compression` matters to JSON only.
 */
void ak_key_single_part(const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                        akidb_snapshot_format format, akidb_compression compression,
                        char out[AK_KEY_SIZE]);
void ak_key_old_part(const akidb_uuid *snapshot_id, akidb_compression compression,
                     char out[AK_KEY_SIZE]);

/* Part `number` (below AK_PARTS_MAX) of a Parquet snapshot in a folder. */
void ak_key_folder_part(const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                        uint32_t number, char out[AK_KEY_SIZE]);

ak_key ak_key_parse(const char *key);

#endif
