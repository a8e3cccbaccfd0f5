/* The storage behind a tiering. */
#include "tiering/tiering.h"

static akidb_status collections(void *handle, akidb_collection_info **infos_out, size_t *count_out,
                                akidb_error *err)
{
    return akidb_storage_collections(handle, infos_out, count_out, err);
}

static akidb_status collection(void *handle, const akidb_uuid *id, akidb_collection_info *info_out,
                               akidb_error *err)
{
    return akidb_storage_collection(handle, id, info_out, err);
}

static akidb_status move(void *handle, const akidb_uuid *id, akidb_tier tier,
                         const akidb_move_options *options, akidb_move_report *report_out,
                         akidb_error *err)
{
    return akidb_storage_move(handle, id, tier, options, report_out, err);
}

static void on_access(void *handle, void *context,
                      void (*access)(void *context, const akidb_uuid *id, akidb_access kind))
{
    akidb_storage_on_access(handle, context, access);
}

akidb_status akidb_tiering_open(akidb_storage *storage, const akidb_tiering_options *options,
                                akidb_tiering **tiering_out, akidb_error *err)
{
    *tiering_out = NULL;
    if (storage == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "storage: expected one, found NULL");
    static const ak_tier_backend_ops ops = {collections, collection, move, on_access};
    return ak_tiering_open_on((ak_tier_backend){&ops, storage}, options, tiering_out, err);
}
