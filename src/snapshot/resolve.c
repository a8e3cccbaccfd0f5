/* From what a person types to a snapshot's id. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "snapshot/keys.h"
#include "snapshot/list.h"

static akidb_status fail_unknown(const akidb_uuid *collection_id, const char *text,
                                 akidb_error *err)
{
    char collection[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(collection_id, collection);
    return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(text), "no such snapshot in collection %s",
                      collection);
}

static akidb_status fail_all_damaged(const akidb_uuid *collection_id, size_t damaged,
                                     akidb_error *err)
{
    char collection[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(collection_id, collection);
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN("latest"),
                      "expected a snapshot of collection %s whose metadata can be read, found %zu "
                      "damaged",
                      collection, damaged);
}

static akidb_status resolve_latest(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                   akidb_uuid *snapshot_id_out, akidb_error *err)
{
    akidb_snapshot_list list;
    akidb_status status = akidb_snapshot_list_all(snapshotter, collection_id, &list, err);
    if (status != AKIDB_OK)
        return status;
    size_t damaged = 0;
    for (size_t i = 0; i < list.count; i++)
        damaged += list.entries[i].metadata == NULL ? 1 : 0;
    if (damaged > 0 && damaged < list.count)
        ak_snapshotter_log(snapshotter, AKIDB_LOG_WARNING, NULL,
                           "%zu damaged snapshot%s passed over to find the latest", damaged,
                           damaged == 1 ? " was" : "s were");
    if (list.count > damaged)
        *snapshot_id_out = list.entries[0].snapshot_id;
    else if (damaged > 0)
        status = fail_all_damaged(collection_id, damaged, err);
    else
        status = fail_unknown(collection_id, "latest", err);
    akidb_snapshot_list_free(&list);
    return status;
}

/* Drops keys of the old layout that belong to another collection. */
static akidb_status drop_others(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                ak_key_list *keys, akidb_error *err)
{
    size_t kept = 0;
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < keys->count; i++) {
        bool belongs = true;
        if (status == AKIDB_OK && ak_key_parse(keys->keys[i]).kind == AK_KEY_OLD_METADATA) {
            akidb_snapshot_metadata *metadata;
            akidb_error cause = {0};
            akidb_status fetched =
                ak_metadata_fetch(snapshotter->store, keys->keys[i], &metadata, &cause);
            if (fetched == AKIDB_OK)
                belongs = akidb_uuid_compare(&metadata->collection_id, collection_id) == 0;
            else if (fetched == AKIDB_E_NOT_FOUND)
                belongs = false;
            else if (!ak_status_is_damage(fetched)) {
                status = fetched;
                if (err != NULL)
                    *err = cause;
            }
            akidb_snapshot_metadata_free(metadata);
        }
        if (belongs)
            keys->keys[kept++] = keys->keys[i];
        else
            free(keys->keys[i]);
    }
    keys->count = kept;
    return status;
}

static akidb_status resolve_beginning(akidb_snapshotter *snapshotter,
                                      const akidb_uuid *collection_id, const char *beginning,
                                      akidb_uuid *snapshot_id_out, akidb_error *err)
{
    char prefix[AK_KEY_SIZE], old_prefix[AK_KEY_SIZE] = AK_SNAPSHOTS_PREFIX;
    ak_key_collection_prefix(collection_id, prefix);
    strncat(prefix, beginning, sizeof prefix - strlen(prefix) - 1);
    strncat(old_prefix, beginning, sizeof old_prefix - strlen(old_prefix) - 1);
    ak_key_list keys = {0};
    akidb_status status = ak_list_metadata_keys(snapshotter->store, prefix, &keys, err);
    if (status == AKIDB_OK)
        status = ak_list_metadata_keys(snapshotter->store, old_prefix, &keys, err);
    if (status == AKIDB_OK)
        status = drop_others(snapshotter, collection_id, &keys, err);
    if (status == AKIDB_OK && keys.count == 0)
        status = fail_unknown(collection_id, beginning, err);
    if (status == AKIDB_OK && keys.count > 1)
        status = ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(beginning),
                            "expected the beginning of one snapshot's id, found %zu that begin so",
                            keys.count);
    if (status == AKIDB_OK)
        *snapshot_id_out = ak_key_parse(keys.keys[0]).snapshot_id;
    ak_key_list_free(&keys);
    return status;
}

akidb_status akidb_snapshot_resolve(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                    const char *text, akidb_uuid *snapshot_id_out, akidb_error *err)
{
    *snapshot_id_out = (akidb_uuid){{0}};
    if (text == NULL || *text == '\0')
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "snapshot: expected a UUID, the beginning of one or \"latest\", found "
                       "nothing");
    if (strcmp(text, "latest") == 0)
        return resolve_latest(snapshotter, collection_id, snapshot_id_out, err);
    if (akidb_uuid_parse(text, snapshot_id_out, NULL) == AKIDB_OK)
        return AKIDB_OK;
    char beginning[AKIDB_UUID_TEXT_SIZE];
    size_t length = strlen(text);
    if (length >= sizeof beginning || strspn(text, "0123456789abcdefABCDEF-") != length)
        return fail_unknown(collection_id, text, err);
    for (size_t i = 0; i <= length; i++)
        beginning[i] = (char)tolower((unsigned char)text[i]);
    return resolve_beginning(snapshotter, collection_id, beginning, snapshot_id_out, err);
}
