/* Whether the object store is the one that the data folder's cold collections lie in. Opened with
 * another one, a folder would put its next snapshots there, and could then be opened with neither.
 */
#include <inttypes.h>

#include "base/error.h"
#include "storage/storage.h"

enum { LOOKS_MAX = 8 }; /* one that is there is enough; a few may have been lost otherwise */

/* The newest snapshot of a cold collection; false for any other. */
static bool cold_snapshot(ak_collection *collection, akidb_uuid *snapshot_id_out)
{
    pthread_rwlock_rdlock(&collection->lock);
    bool is_cold = !collection->dropped && collection->tier == AKIDB_TIER_COLD;
    *snapshot_id_out = collection->snapshot_id;
    pthread_rwlock_unlock(&collection->lock);
    return is_cold;
}

static akidb_status fail_foreign(const akidb_storage *storage, const ak_collection *collection,
                                 const akidb_uuid *snapshot_id, akidb_error *err)
{
    char id[AKIDB_UUID_TEXT_SIZE], snapshot[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&collection->id, id);
    akidb_uuid_format(snapshot_id, snapshot);
    return ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(akidb_store_name(storage->store)),
                      "expected the store of this data folder, found one without snapshot %s, the "
                      "only copy of collection %s: open the folder with the store that has it",
                      snapshot, id);
}

static akidb_status look(akidb_storage *storage, akidb_snapshotter *snapshotter,
                         ak_collection **all, size_t count, akidb_error *err)
{
    unsigned looks = 0;
    akidb_status missing = AKIDB_OK;
    for (size_t i = 0; i < count && looks < LOOKS_MAX; i++) {
        akidb_uuid snapshot_id;
        if (!cold_snapshot(all[i], &snapshot_id))
            continue;
        looks++;
        akidb_snapshot_metadata *metadata;
        akidb_status status =
            akidb_snapshot_get_metadata(snapshotter, &all[i]->id, &snapshot_id, &metadata, err);
        akidb_snapshot_metadata_free(metadata);
        if (status == AKIDB_OK || status == AKIDB_E_CORRUPTION)
            return AKIDB_OK;
        if (status != AKIDB_E_NOT_FOUND)
            return status;
        missing = fail_foreign(storage, all[i], &snapshot_id, err);
    }
    return missing;
}

akidb_status ak_recognize_store(akidb_storage *storage, akidb_snapshotter *snapshotter,
                                akidb_error *err)
{
    if (atomic_load(&storage->store_is_known))
        return AKIDB_OK;
    ak_collection **all;
    size_t count;
    akidb_status status = ak_collections_all(storage, &all, &count, err);
    if (status != AKIDB_OK)
        return status;
    status = look(storage, snapshotter, all, count, err);
    ak_collections_release(all, count);
    if (status == AKIDB_OK)
        atomic_store(&storage->store_is_known, true);
    return status;
}
