/* What is there. */
#include "snapshot/list.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "snapshot/keys.h"
#include "snapshot/metadata.h"

/* ---- keys ------------------------------------------------------------------------------------ */

akidb_status ak_key_list_add(ak_key_list *list, const char *key, akidb_error *err)
{
    void *keys = list->keys;
    akidb_status status =
        ak_array_reserve(&keys, &list->capacity, list->count + 1, sizeof *list->keys, err);
    list->keys = keys;
    if (status != AKIDB_OK)
        return status;
    char *copy = strdup(key);
    if (copy == NULL)
        return ak_fail_memory(err, strlen(key));
    list->keys[list->count++] = copy;
    return AKIDB_OK;
}

void ak_key_list_free(ak_key_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->keys[i]);
    free(list->keys);
    *list = (ak_key_list){0};
}

typedef struct gathering {
    ak_key_list *list;
    akidb_status status;
    akidb_error *err;
} gathering;

static akidb_visit gather_metadata(void *context, const akidb_list_entry *entry)
{
    gathering *gathered = context;
    ak_key_kind kind = entry->is_prefix ? AK_KEY_FOREIGN : ak_key_parse(entry->key).kind;
    if (kind == AK_KEY_METADATA || kind == AK_KEY_OLD_METADATA)
        gathered->status = ak_key_list_add(gathered->list, entry->key, gathered->err);
    return gathered->status == AKIDB_OK ? AKIDB_VISIT_CONTINUE : AKIDB_VISIT_STOP;
}

akidb_status ak_list_metadata_keys(akidb_store *store, const char *prefix, ak_key_list *list,
                                   akidb_error *err)
{
    gathering gathered = {list, AKIDB_OK, err};
    akidb_status status = akidb_store_list(store, prefix, '/', gather_metadata, &gathered, err);
    return status != AKIDB_OK ? status : gathered.status;
}

/* ---- snapshots of a collection --------------------------------------------------------------- */

/* Newest first, ties by the greatest id; damaged ones last, by id. */
static int compare_entries(const void *a, const void *b)
{
    const akidb_snapshot_entry *left = a, *right = b;
    if ((left->metadata == NULL) != (right->metadata == NULL))
        return left->metadata == NULL ? 1 : -1;
    if (left->metadata != NULL && left->metadata->created_at != right->metadata->created_at)
        return left->metadata->created_at < right->metadata->created_at ? 1 : -1;
    return akidb_uuid_compare(&right->snapshot_id, &left->snapshot_id);
}

/* Whether an old object belongs to the collection. One that is so damaged that it does not say
 * belongs to every collection, for it may be any one's. */
static bool old_object_belongs(akidb_slice text, const akidb_uuid *collection_id)
{
    akidb_uuid named;
    return !ak_metadata_collection(text, &named) || akidb_uuid_compare(&named, collection_id) == 0;
}

/* Reads one metadata object into an entry; *found_out is false when it was deleted meanwhile or
 * belongs to another collection. Damage is put into the entry, any other failure is returned. */
static akidb_status read_entry(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                               const char *key, akidb_snapshot_entry *entry, bool *found_out,
                               akidb_error *err)
{
    *found_out = false;
    ak_key parsed = ak_key_parse(key);
    *entry = (akidb_snapshot_entry){.snapshot_id = parsed.snapshot_id};
    akidb_buffer text = {0};
    akidb_error problem = {0};
    akidb_status status =
        akidb_store_get(snapshotter->store, key, AK_METADATA_BYTES_MAX, &text, &problem);
    akidb_slice slice = {text.data, text.size};
    bool read = status == AKIDB_OK;
    if (read)
        status = ak_metadata_read(key, slice, &entry->metadata, &problem);
    if (status == AKIDB_E_NOT_FOUND) {
        akidb_buffer_free(&text);
        return AKIDB_OK;
    }
    if (status != AKIDB_OK && !ak_status_is_damage(status)) {
        akidb_buffer_free(&text);
        if (err != NULL)
            *err = problem;
        return status;
    }
    *found_out = parsed.kind == AK_KEY_METADATA || !read ||
                 (entry->metadata != NULL
                      ? akidb_uuid_compare(&entry->metadata->collection_id, collection_id) == 0
                      : old_object_belongs(slice, collection_id));
    akidb_buffer_free(&text);
    if (status != AKIDB_OK)
        entry->problem = problem;
    if (!*found_out)
        akidb_snapshot_metadata_free(entry->metadata);
    return AKIDB_OK;
}

static akidb_status read_entries(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                 const ak_key_list *keys, akidb_snapshot_list *list,
                                 akidb_error *err)
{
    for (size_t i = 0; i < keys->count; i++) {
        bool found;
        akidb_status status = read_entry(snapshotter, collection_id, keys->keys[i],
                                         &list->entries[list->count], &found, err);
        if (status != AKIDB_OK)
            return status;
        list->count += found ? 1 : 0;
        akidb_progress progress = {.rows_done = i + 1, .rows_total = keys->count};
        status = ak_snapshotter_progress(snapshotter, &progress, err);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

akidb_status akidb_snapshot_list_all(akidb_snapshotter *snapshotter,
                                     const akidb_uuid *collection_id, akidb_snapshot_list *list_out,
                                     akidb_error *err)
{
    *list_out = (akidb_snapshot_list){0};
    char prefix[AK_KEY_SIZE];
    ak_key_collection_prefix(collection_id, prefix);
    ak_key_list keys = {0};
    akidb_snapshot_list list = {0};
    akidb_status status = ak_list_metadata_keys(snapshotter->store, prefix, &keys, err);
    if (status == AKIDB_OK)
        status = ak_list_metadata_keys(snapshotter->store, AK_SNAPSHOTS_PREFIX, &keys, err);
    if (status == AKIDB_OK && keys.count > 0) {
        list.entries = calloc(keys.count, sizeof *list.entries);
        if (list.entries == NULL)
            status = ak_fail_memory(err, keys.count * sizeof *list.entries);
    }
    if (status == AKIDB_OK)
        status = read_entries(snapshotter, collection_id, &keys, &list, err);
    ak_key_list_free(&keys);
    if (status != AKIDB_OK) {
        akidb_snapshot_list_free(&list);
        return status;
    }
    if (list.count > 1)
        qsort(list.entries, list.count, sizeof *list.entries, compare_entries);
    *list_out = list;
    return AKIDB_OK;
}

void akidb_snapshot_list_free(akidb_snapshot_list *list)
{
    if (list == NULL)
        return;
    for (size_t i = 0; i < list->count; i++)
        akidb_snapshot_metadata_free(list->entries[i].metadata);
    free(list->entries);
    *list = (akidb_snapshot_list){0};
}

/* ---- collections ----------------------------------------------------------------------------- */

typedef struct collections {
    akidb_uuid *ids;
    size_t count, capacity;
    ak_key_list old; /* metadata objects of the old layout: only their text names the collection */
    akidb_status status;
    akidb_error *err;
} collections;

static akidb_status add_collection(collections *found, const akidb_uuid *id)
{
    if (found->count > 0 && akidb_uuid_compare(&found->ids[found->count - 1], id) == 0)
        return AKIDB_OK;
    void *ids = found->ids;
    akidb_status status =
        ak_array_reserve(&ids, &found->capacity, found->count + 1, sizeof *found->ids, found->err);
    found->ids = ids;
    if (status == AKIDB_OK)
        found->ids[found->count++] = *id;
    return status;
}

static akidb_visit gather_collection(void *context, const akidb_list_entry *entry)
{
    collections *found = context;
    ak_key key = ak_key_parse(entry->key);
    if (key.kind == AK_KEY_METADATA)
        found->status = add_collection(found, &key.collection_id);
    else if (key.kind == AK_KEY_OLD_METADATA)
        found->status = ak_key_list_add(&found->old, entry->key, found->err);
    return found->status == AKIDB_OK ? AKIDB_VISIT_CONTINUE : AKIDB_VISIT_STOP;
}

static akidb_status add_old_collections(akidb_snapshotter *snapshotter, collections *found)
{
    for (size_t i = 0; i < found->old.count; i++) {
        akidb_buffer text = {0};
        akidb_uuid id;
        akidb_error cause = {0};
        akidb_status status = akidb_store_get(snapshotter->store, found->old.keys[i],
                                              AK_METADATA_BYTES_MAX, &text, &cause);
        if (status == AKIDB_E_NOT_FOUND)
            continue; /* deleted meanwhile */
        bool named =
            status == AKIDB_OK && ak_metadata_collection((akidb_slice){text.data, text.size}, &id);
        akidb_buffer_free(&text);
        if (status != AKIDB_OK && found->err != NULL)
            *found->err = cause;
        if (named)
            status = add_collection(found, &id);
        else if (status == AKIDB_OK)
            ak_snapshotter_log(snapshotter, AKIDB_LOG_WARNING, NULL,
                               "%s: damaged, its collection cannot be told", found->old.keys[i]);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

static int compare_ids(const void *a, const void *b)
{
    return akidb_uuid_compare(a, b);
}

static void sort_and_unite(collections *found)
{
    if (found->count == 0)
        return;
    qsort(found->ids, found->count, sizeof *found->ids, compare_ids);
    size_t kept = 1;
    for (size_t i = 1; i < found->count; i++)
        if (akidb_uuid_compare(&found->ids[i], &found->ids[kept - 1]) != 0)
            found->ids[kept++] = found->ids[i];
    found->count = kept;
}

akidb_status akidb_snapshot_collections(akidb_snapshotter *snapshotter, akidb_uuid **ids_out,
                                        size_t *count_out, akidb_error *err)
{
    *ids_out = NULL;
    *count_out = 0;
    collections found = {.err = err};
    akidb_status status = akidb_store_list(snapshotter->store, AK_SNAPSHOTS_PREFIX, 0,
                                           gather_collection, &found, err);
    if (status == AKIDB_OK)
        status = found.status;
    if (status == AKIDB_OK)
        status = add_old_collections(snapshotter, &found);
    ak_key_list_free(&found.old);
    if (status != AKIDB_OK) {
        free(found.ids);
        return status;
    }
    sort_and_unite(&found);
    *ids_out = found.ids;
    *count_out = found.count;
    return AKIDB_OK;
}
