/* Snapshots back into collections: restore and adopt; and the list of them. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "storage/storage.h"

/* ---- restore --------------------------------------------------------------------------------- */

/* Makes the contents those that will replace the collection's, with the room that writes on their
 * way were promised. */
static akidb_status announce(ak_collection *collection, ak_contents *incoming, akidb_error *err)
{
    pthread_rwlock_wrlock(&collection->lock);
    akidb_status status =
        collection->dropped ? ak_collection_fail_gone(&collection->id, err)
                            : ak_contents_reserve(incoming, collection->contents->reserved, 0, err);
    if (status == AKIDB_OK)
        collection->incoming = incoming;
    pthread_rwlock_unlock(&collection->lock);
    return status;
}

static void withdraw(ak_collection *collection)
{
    pthread_rwlock_wrlock(&collection->lock);
    ak_contents *incoming = collection->incoming;
    collection->incoming = NULL;
    pthread_rwlock_unlock(&collection->lock);
    ak_contents_free(incoming);
}

static akidb_status restore(akidb_storage *storage, ak_collection *collection,
                            const akidb_uuid *snapshot_id, akidb_error *err)
{
    ak_contents *incoming;
    akidb_status status = ak_load_snapshot(storage, &collection->id, snapshot_id,
                                           collection->created.dimension, NULL, &incoming, err);
    if (status == AKIDB_OK) {
        status = announce(collection, incoming, err);
        if (status != AKIDB_OK)
            ak_contents_free(incoming);
    }
    if (status != AKIDB_OK)
        return status;
    ak_log_entry entry = {.kind = AK_LOG_RESTORE,
                          .collection = collection->id,
                          .incarnation = collection->incarnation,
                          .created = collection->created,
                          .snapshot = *snapshot_id};
    ak_pending pending = {.collection = collection};
    status = ak_submit(storage, &entry, &pending, err);
    if (status != AKIDB_OK)
        withdraw(collection);
    else if (pending.status != AKIDB_OK)
        status = ak_collection_fail_gone(&collection->id, err);
    return status;
}

akidb_status akidb_storage_restore(akidb_storage *storage, const akidb_uuid *id,
                                   const akidb_uuid *snapshot_id, akidb_error *err)
{
    if (snapshot_id == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "snapshot_id: expected one, found NULL");
    ak_collection *collection;
    akidb_status status = ak_collection_get(storage, id, &collection, err);
    if (status != AKIDB_OK)
        return status;
    /* So that no retention removes the snapshot between the reading and the log's entry. */
    ak_flush_enter(storage, collection);
    status = restore(storage, collection, snapshot_id, err);
    ak_flush_leave(storage, collection);
    ak_collection_release(collection);
    if (status == AKIDB_OK)
        atomic_fetch_add(&storage->counters.restores, 1);
    return status;
}

akidb_status akidb_storage_list_snapshots(akidb_storage *storage, const akidb_uuid *id,
                                          akidb_snapshot_list *list_out, akidb_error *err)
{
    return akidb_snapshot_list_all(storage->foreground.store, id, list_out, err);
}

/* ---- adopt ----------------------------------------------------------------------------------- */

static akidb_status adopt_snapshot(akidb_storage *storage, const akidb_snapshot_metadata *metadata,
                                   uint64_t *adopted, akidb_error *err)
{
    ak_log_entry entry = {.kind = AK_LOG_RESTORE,
                          .collection = metadata->collection_id,
                          .created = {.dimension = metadata->dimension},
                          .snapshot = metadata->snapshot_id,
                          .creates = true};
    const char *name = akidb_snapshot_label(metadata, "name");
    if (name != NULL && name[0] != '\0' && strlen(name) <= AK_COLLECTION_NAME_MAX) {
        entry.created.has_name = true;
        memcpy(entry.created.name, name, strlen(name));
    }
    ak_pending pending = {0};
    ak_contents *contents;
    akidb_status status =
        ak_load_snapshot(storage, &metadata->collection_id, &metadata->snapshot_id,
                         metadata->dimension, NULL, &contents, err);
    if (status == AKIDB_OK)
        status = akidb_uuid_new_v4(&entry.incarnation, err);
    if (status == AKIDB_OK)
        status = ak_collection_new(storage, &entry.collection, &entry.incarnation, &entry.created,
                                   &pending.collection, err);
    if (status != AKIDB_OK) {
        ak_contents_free(contents);
        return status;
    }
    ak_contents_free(pending.collection->contents);
    pending.collection->contents = contents;
    status = ak_collections_promise(storage, err);
    if (status == AKIDB_OK) {
        status = ak_submit(storage, &entry, &pending, err);
        if (status != AKIDB_OK)
            ak_collections_unpromise(storage);
    }
    ak_collection_release(pending.collection);
    /* Created by somebody else meanwhile: then there is nothing to adopt. */
    if (status == AKIDB_OK && pending.status == AKIDB_OK)
        ++*adopted;
    return status;
}

static akidb_status adopt_newest(akidb_storage *storage, const akidb_uuid *id, uint64_t *adopted,
                                 akidb_error *err)
{
    akidb_snapshot_list list;
    akidb_status status = akidb_snapshot_list_all(storage->foreground.store, id, &list, err);
    if (status != AKIDB_OK)
        return status;
    /* Good ones come first. */
    if (list.count > 0 && list.entries[0].metadata != NULL) {
        status = adopt_snapshot(storage, list.entries[0].metadata, adopted, err);
    } else if (list.count > 0) {
        if (err != NULL)
            *err = list.entries[0].problem;
        status = list.entries[0].problem.status;
    }
    akidb_snapshot_list_free(&list);
    return status;
}

akidb_status akidb_storage_adopt(akidb_storage *storage, uint64_t *adopted_out, akidb_error *err)
{
    *adopted_out = 0;
    akidb_uuid *ids;
    size_t count;
    uint64_t adopted = 0;
    akidb_status status = akidb_snapshot_collections(storage->foreground.store, &ids, &count, err);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        ak_collection *there = ak_collection_find(storage, &ids[i]);
        ak_collection_release(there);
        if (there == NULL)
            status = adopt_newest(storage, &ids[i], &adopted, err);
    }
    free(ids);
    if (status == AKIDB_OK)
        *adopted_out = adopted;
    return status;
}
