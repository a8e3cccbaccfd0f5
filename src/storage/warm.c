/* The folder DATA/warm: a local store with copies of the snapshots of warm collections. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "snapshot/keys.h"
#include "storage/storage.h"

/* ---- at the open ----------------------------------------------------------------------------- */

/* Whether metadata and parts are there, in their sizes; bytes are checked when they are read. */
static void check_local(akidb_storage *storage, ak_base *base)
{
    akidb_error cause;
    akidb_verify_report report = {0};
    akidb_snapshot_metadata *metadata;
    akidb_snapshotter *warm = storage->background.warm;
    akidb_status status = ak_base_metadata(storage, warm, &base->of, &metadata, &cause);
    akidb_snapshot_metadata_free(metadata);
    if (status == AKIDB_OK)
        status = akidb_snapshot_verify(warm, &base->of.id, &base->of.snapshot_id, AKIDB_VERIFY_SIZE,
                                       &report, &cause);
    if (status == AKIDB_OK && report.outcome != AKIDB_VERIFY_GOOD) {
        status = AKIDB_E_CORRUPTION;
        cause = report.problem;
    }
    if (ak_is_local_failure(status))
        ak_base_note_damage(base, &cause);
}

/* Names of keys, one after the other, each with its NUL. */
typedef struct leftovers {
    akidb_storage *storage;
    akidb_buffer keys;
    akidb_status status;
} leftovers;

static bool is_named(akidb_storage *storage, const char *key)
{
    ak_key parsed = ak_key_parse(key);
    bool named = false;
    if (parsed.kind != AK_KEY_METADATA && parsed.kind != AK_KEY_PART)
        return false;
    ak_collection *collection = ak_collection_find(storage, &parsed.collection_id);
    ak_base *base = collection == NULL ? NULL : ak_collection_base(collection);
    if (base != NULL && base->local != NULL)
        named = akidb_uuid_compare(&base->of.snapshot_id, &parsed.snapshot_id) == 0;
    ak_base_release(base);
    ak_collection_release(collection);
    return named;
}

static akidb_visit note_leftover(void *context, const akidb_list_entry *entry)
{
    leftovers *l = context;
    if (!is_named(l->storage, entry->key))
        l->status = ak_buffer_append(&l->keys, entry->key, strlen(entry->key) + 1, NULL);
    return l->status == AKIDB_OK ? AKIDB_VISIT_CONTINUE : AKIDB_VISIT_STOP;
}

static akidb_status remove_leftovers(akidb_storage *storage, akidb_error *err)
{
    leftovers l = {.storage = storage};
    uint64_t count, bytes;
    akidb_status status = akidb_store_list(storage->warm, "", 0, note_leftover, &l, err);
    for (size_t at = 0; status == AKIDB_OK && at < l.keys.size;) {
        const char *key = (const char *)l.keys.data + at;
        status = akidb_store_delete(storage->warm, key, err);
        at += strlen(key) + 1;
    }
    akidb_buffer_free(&l.keys);
    return status != AKIDB_OK
               ? status
               : akidb_store_remove_leftovers(storage->warm, INT64_MAX, false, &count, &bytes, err);
}

void ak_warm_check(akidb_storage *storage)
{
    akidb_error cause;
    for (size_t i = 0; i < storage->collection_count; i++) {
        ak_base *base = storage->collections[i]->base;
        if (base != NULL && base->local != NULL)
            check_local(storage, base);
    }
    if (remove_leftovers(storage, &cause) != AKIDB_OK)
        ak_storage_log(storage, AKIDB_LOG_WARNING, &cause, "leftovers stay in DATA/warm");
}

/* ---- copies ---------------------------------------------------------------------------------- */

static akidb_status read_back(const ak_route *route, const ak_catalogue_collection *of,
                              akidb_error *err)
{
    akidb_verify_report report;
    akidb_status status = akidb_snapshot_verify(route->warm, &of->id, &of->snapshot_id,
                                                AKIDB_VERIFY_CHECKSUM, &report, err);
    if (status != AKIDB_OK || report.outcome == AKIDB_VERIFY_GOOD)
        return status;
    if (err != NULL)
        *err = report.problem;
    return report.problem.status;
}

static akidb_status remove_copy(const ak_route *route, const ak_catalogue_collection *of,
                                akidb_error *err)
{
    akidb_error cause = {0};
    akidb_status status = akidb_snapshot_delete(route->warm, &of->id, &of->snapshot_id, &cause);
    if (status == AKIDB_OK || status == AKIDB_E_NOT_FOUND || status == AKIDB_E_CORRUPTION)
        return AKIDB_OK;
    if (err != NULL)
        *err = cause;
    return status;
}

static akidb_status copy_down(akidb_storage *storage, const ak_route *route,
                              const ak_catalogue_collection *of, akidb_error *err)
{
    akidb_copy_report report;
    akidb_status status =
        akidb_snapshot_copy(route->store, &of->id, &of->snapshot_id, storage->warm, &report, err);
    if (status == AKIDB_OK)
        status = read_back(route, of, err);
    if (status == AKIDB_OK || !report.was_there || !ak_is_local_failure(status))
        return status;
    /* What was there from before is not what it should be. */
    status = remove_copy(route, of, err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_copy(route->store, &of->id, &of->snapshot_id, storage->warm,
                                     &report, err);
    return status == AKIDB_OK ? read_back(route, of, err) : status;
}

akidb_status ak_warm_copy(akidb_storage *storage, const ak_route *route,
                          const ak_catalogue_collection *of, ak_local **local_out, akidb_error *err)
{
    akidb_status status = ak_local_claim(storage, of, local_out, err);
    if (status != AKIDB_OK)
        return status;
    ak_local *local = *local_out;
    if (atomic_load(&local->damaged))
        status = remove_copy(route, of, err);
    if (status == AKIDB_OK)
        status = copy_down(storage, route, of, err);
    if (status == AKIDB_OK) {
        atomic_store(&local->damaged, false);
        return AKIDB_OK;
    }
    /* Unless somebody still reads it, nothing is left of it. */
    ak_local_give_up(storage, local);
    ak_local_release(storage, local);
    *local_out = NULL;
    return status;
}
