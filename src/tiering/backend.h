#ifndef AK_TIERING_BACKEND_H
#define AK_TIERING_BACKEND_H
/* What tiering needs of a storage, as a table of functions: the real one (backend.c), or a fake one
 * that lets tests and simulations run years in seconds. Each slot must be there, and may be called
 * from many threads at once. */
#include "akidb/storage.h"

typedef struct ak_tier_backend_ops {
    /* As akidb_storage_collections. */
    akidb_status (*collections)(void *handle, akidb_collection_info **infos_out, size_t *count_out,
                                akidb_error *err);
    /* As akidb_storage_collection. */
    akidb_status (*collection)(void *handle, const akidb_uuid *id, akidb_collection_info *info_out,
                               akidb_error *err);
    /* As akidb_storage_move. */
    akidb_status (*move)(void *handle, const akidb_uuid *id, akidb_tier tier,
                         const akidb_move_options *options, akidb_move_report *report_out,
                         akidb_error *err);
    /* As akidb_storage_on_access. */
    void (*on_access)(void *handle, void *context,
                      void (*access)(void *context, const akidb_uuid *id, akidb_access kind));
} ak_tier_backend_ops;

typedef struct ak_tier_backend {
    const ak_tier_backend_ops *ops;
    void *handle;
} ak_tier_backend;

#endif
