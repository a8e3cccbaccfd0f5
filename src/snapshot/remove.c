/* Deleting: the metadata first, so that the snapshot is gone at once, then what it was made of. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "snapshot/keys.h"
#include "snapshot/list.h"
#include "snapshot/metadata.h"

/* ---- damaged snapshots ----------------------------------------------------------------------- */

typedef struct parts_of {
    akidb_uuid snapshot_id;
    ak_key_list keys;
    akidb_status status;
} parts_of;

static akidb_visit gather_part(void *context, const akidb_list_entry *entry)
{
    parts_of *parts = context;
    ak_key key = ak_key_parse(entry->key);
    if ((key.kind == AK_KEY_PART || key.kind == AK_KEY_OLD_PART) &&
        akidb_uuid_compare(&key.snapshot_id, &parts->snapshot_id) == 0)
        parts->status = ak_key_list_add(&parts->keys, entry->key, NULL);
    return parts->status == AKIDB_OK ? AKIDB_VISIT_CONTINUE : AKIDB_VISIT_STOP;
}

/* Metadata that cannot be read does not say which parts there are; their keys do. */
static void delete_parts_by_key(akidb_snapshotter *snapshotter, const char *metadata_key,
                                const akidb_uuid *snapshot_id)
{
    char prefix[AK_KEY_SIZE], id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(snapshot_id, id);
    strncpy(prefix, metadata_key, sizeof prefix - 1);
    prefix[sizeof prefix - 1] = '\0';
    char *end = strstr(prefix + strlen(AK_SNAPSHOTS_PREFIX), id);
    if (end != NULL)
        end[strlen(id)] = '\0';
    parts_of parts = {.snapshot_id = *snapshot_id};
    akidb_error cause;
    akidb_status status =
        akidb_store_list(snapshotter->store, prefix, 0, gather_part, &parts, &cause);
    if (status != AKIDB_OK)
        ak_snapshotter_log(snapshotter, AKIDB_LOG_WARNING, &cause, "parts are left to gc: %s",
                           prefix);
    ak_delete_leftovers(snapshotter, (const char *const *)parts.keys.keys, parts.keys.count);
    ak_key_list_free(&parts.keys);
}

/* The metadata is there and cannot be read: which of the two keys has it? The failure to read it is
 * in *err already. */
static akidb_status delete_damaged(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                   const akidb_uuid *snapshot_id, akidb_error *err)
{
    char key[AK_KEY_SIZE];
    bool exists;
    ak_key_metadata(collection_id, snapshot_id, key);
    akidb_status status = akidb_store_exists(snapshotter->store, key, &exists, err);
    if (status == AKIDB_OK && !exists)
        ak_key_old_metadata(snapshot_id, key);
    if (status == AKIDB_OK)
        status = akidb_store_delete(snapshotter->store, key, err);
    if (status == AKIDB_OK)
        delete_parts_by_key(snapshotter, key, snapshot_id);
    return status;
}

/* ---- whole snapshots ------------------------------------------------------------------------- */

/* The parts of the snapshots whose metadata is gone. */
static akidb_status delete_parts(akidb_snapshotter *snapshotter,
                                 const akidb_snapshot_metadata *const *snapshots, size_t count,
                                 const akidb_status *outcomes, akidb_error *err)
{
    size_t room = 0, used = 0;
    for (size_t i = 0; i < count; i++)
        room += outcomes[i] == AKIDB_OK ? snapshots[i]->part_count : 0;
    const char **keys = calloc(room + 1, sizeof *keys);
    if (keys == NULL)
        return ak_fail_memory(err, (room + 1) * sizeof *keys);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; outcomes[i] == AKIDB_OK && j < snapshots[i]->part_count; j++)
            keys[used++] = snapshots[i]->parts[j].key;
    ak_delete_leftovers(snapshotter, keys, used);
    free(keys);
    return AKIDB_OK;
}

akidb_status ak_delete_snapshots(akidb_snapshotter *snapshotter,
                                 const akidb_snapshot_metadata *const *snapshots, size_t count,
                                 uint64_t *deleted_out, akidb_error *err)
{
    *deleted_out = 0;
    const char **keys = calloc(count + 1, sizeof *keys);
    akidb_status *outcomes = calloc(count + 1, sizeof *outcomes);
    akidb_status status = AKIDB_OK;
    if (keys == NULL || outcomes == NULL)
        status = ak_fail_memory(err, count * sizeof *keys);
    if (status == AKIDB_OK) {
        for (size_t i = 0; i < count; i++)
            keys[i] = snapshots[i]->key;
        status = akidb_store_delete_many(snapshotter->store, keys, count, outcomes, err);
        for (size_t i = 0; i < count; i++)
            *deleted_out += outcomes[i] == AKIDB_OK;
        akidb_status parts =
            delete_parts(snapshotter, snapshots, count, outcomes, status == AKIDB_OK ? err : NULL);
        status = status == AKIDB_OK ? parts : status;
    }
    free(outcomes);
    free(keys);
    return status;
}

akidb_status akidb_snapshot_delete(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                   const akidb_uuid *snapshot_id, akidb_error *err)
{
    akidb_snapshot_metadata *metadata;
    akidb_status status = ak_metadata_find(snapshotter, collection_id, snapshot_id, &metadata, err);
    if (status == AKIDB_E_CORRUPTION || status == AKIDB_E_LIMIT)
        return delete_damaged(snapshotter, collection_id, snapshot_id, err);
    if (status != AKIDB_OK)
        return status;
    uint64_t deleted;
    const akidb_snapshot_metadata *one = metadata;
    status = ak_delete_snapshots(snapshotter, &one, 1, &deleted, err);
    akidb_snapshot_metadata_free(metadata);
    return status;
}
