/* Finding one snapshot's metadata. */
#include <inttypes.h>

#include "base/error.h"
#include "snapshot/keys.h"
#include "snapshot/metadata.h"
#include "snapshot/snapshotter.h"

akidb_status ak_metadata_fetch(akidb_store *store, const char *key,
                               akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    *metadata_out = NULL;
    akidb_buffer text = {0};
    akidb_status status = akidb_store_get(store, key, AK_METADATA_BYTES_MAX, &text, err);
    if (status == AKIDB_OK)
        status = ak_metadata_read(key, (akidb_slice){text.data, text.size}, metadata_out, err);
    akidb_buffer_free(&text);
    return status;
}

static akidb_status fail_not_found(const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                                   const char *how, akidb_error *err)
{
    char collection[AKIDB_UUID_TEXT_SIZE], snapshot[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(collection_id, collection);
    akidb_uuid_format(snapshot_id, snapshot);
    return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(snapshot), "%s in collection %s", how,
                      collection);
}

/* The old layout does not say in the key which collection a snapshot belongs to. One of another
 * collection is not found, even if it is damaged, as long as it names its collection. */
static akidb_status fetch_old(akidb_store *store, const akidb_uuid *collection_id,
                              const akidb_uuid *snapshot_id, akidb_snapshot_metadata **metadata_out,
                              akidb_error *err)
{
    char key[AK_KEY_SIZE];
    ak_key_old_metadata(snapshot_id, key);
    akidb_buffer text = {0};
    akidb_status status = akidb_store_get(store, key, AK_METADATA_BYTES_MAX, &text, err);
    akidb_slice slice = {text.data, text.size};
    akidb_uuid named;
    if (status == AKIDB_OK && ak_metadata_collection(slice, &named) &&
        akidb_uuid_compare(&named, collection_id) != 0)
        status = AKIDB_E_NOT_FOUND;
    if (status == AKIDB_OK)
        status = ak_metadata_read(key, slice, metadata_out, err);
    akidb_buffer_free(&text);
    return status;
}

akidb_status ak_metadata_find(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                              const akidb_uuid *snapshot_id, akidb_snapshot_metadata **metadata_out,
                              akidb_error *err)
{
    *metadata_out = NULL;
    char key[AK_KEY_SIZE];
    akidb_error cause = {0}; /* that the first place is empty is no failure */
    ak_key_metadata(collection_id, snapshot_id, key);
    akidb_status status = ak_metadata_fetch(snapshotter->store, key, metadata_out, &cause);
    if (status == AKIDB_E_NOT_FOUND)
        status = fetch_old(snapshotter->store, collection_id, snapshot_id, metadata_out, &cause);
    if (status == AKIDB_E_NOT_FOUND)
        return fail_not_found(collection_id, snapshot_id, "no such snapshot", err);
    if (status != AKIDB_OK && err != NULL)
        *err = cause;
    return status;
}

akidb_status akidb_snapshot_get_metadata(akidb_snapshotter *snapshotter,
                                         const akidb_uuid *collection_id,
                                         const akidb_uuid *snapshot_id,
                                         akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    return ak_metadata_find(snapshotter, collection_id, snapshot_id, metadata_out, err);
}

akidb_status ak_part_is_missing(akidb_snapshotter *snapshotter,
                                const akidb_snapshot_metadata *metadata,
                                const akidb_snapshot_part *part, bool *deleted_out,
                                akidb_error *err)
{
    bool exists;
    *deleted_out = false;
    akidb_status status = akidb_store_exists(snapshotter->store, metadata->key, &exists, err);
    if (status != AKIDB_OK)
        return status;
    *deleted_out = !exists;
    if (!exists)
        return fail_not_found(&metadata->collection_id, &metadata->snapshot_id,
                              "deleted meanwhile: no such snapshot any more", err);
    return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(part->key),
                      "part is missing: expected an object of %" PRIu64 " bytes, found none",
                      part->summary.file.size);
}
