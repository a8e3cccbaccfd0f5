#include "storage/catalogue.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/error.h"
#include "json/json.h"

#define NEW_NAME "catalogue.new"
/* A collection takes about 700 bytes: this is room for over a million. */
#define BYTES_MAX (UINT64_C(1) << 30)

void ak_catalogue_free(ak_catalogue *catalogue)
{
    free(catalogue->collections);
    *catalogue = (ak_catalogue){0};
}

akidb_status ak_catalogue_add(ak_catalogue *catalogue, ak_catalogue_collection **added_out,
                              akidb_error *err)
{
    *added_out = NULL;
    void *collections = catalogue->collections;
    akidb_status status = ak_array_reserve(&collections, &catalogue->capacity, catalogue->count + 1,
                                           sizeof *catalogue->collections, err);
    catalogue->collections = collections;
    if (status != AKIDB_OK)
        return status;
    *added_out = &catalogue->collections[catalogue->count++];
    **added_out = (ak_catalogue_collection){0};
    return AKIDB_OK;
}

/* ---- encode ---------------------------------------------------------------------------------- */

static akidb_status put_snapshot(const ak_catalogue_collection *collection, akidb_buffer *text,
                                 akidb_error *err)
{
    if (!collection->has_snapshot)
        return AKIDB_OK;
    char id[AKIDB_UUID_TEXT_SIZE], at[AKIDB_TIME_TEXT_SIZE];
    akidb_uuid_format(&collection->snapshot_id, id);
    akidb_time_format(collection->snapshot_at, at);
    akidb_status status = ak_buffer_printf(text, err,
                                           ",\"snapshot\":{\"snapshot_id\":\"%s\",\"lsn\":%" PRIu64
                                           ",\"created_at\":\"%s\"",
                                           id, collection->snapshot_lsn, at);
    if (status == AKIDB_OK && collection->snapshot_bytes > 0)
        status = ak_buffer_printf(text, err, ",\"documents\":%" PRIu64 ",\"size_bytes\":%" PRIu64,
                                  collection->snapshot_rows, collection->snapshot_bytes);
    return status != AKIDB_OK ? status : ak_buffer_put(text, '}', err);
}

static const char *const tier_names[] = {"hot", "warm", "cold"};

static akidb_status put_collection(const ak_catalogue_collection *collection, akidb_buffer *text,
                                   akidb_error *err)
{
    char id[AKIDB_UUID_TEXT_SIZE], incarnation[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&collection->id, id);
    akidb_uuid_format(&collection->incarnation, incarnation);
    akidb_status status =
        ak_buffer_printf(text, err,
                         "\n{\"collection_id\":\"%s\",\"incarnation\":\"%s\",\"dimension\":%" PRIu32
                         ",\"created_lsn\":%" PRIu64 ",\"replay_after\":%" PRIu64,
                         id, incarnation, collection->created.dimension, collection->created_lsn,
                         collection->replay_after);
    if (status == AKIDB_OK && collection->created.has_name) {
        const char *name = collection->created.name;
        status = ak_buffer_printf(text, err, ",\"name\":");
        if (status == AKIDB_OK)
            status = ak_json_append_string(text, (akidb_slice){name, strlen(name)}, err);
    }
    if (status == AKIDB_OK && collection->tier != AKIDB_TIER_HOT)
        status = ak_buffer_printf(text, err, ",\"tier\":\"%s\"", tier_names[collection->tier]);
    if (status == AKIDB_OK)
        status = put_snapshot(collection, text, err);
    return status != AKIDB_OK ? status : ak_buffer_put(text, '}', err);
}

akidb_status ak_catalogue_encode(const ak_catalogue *catalogue, akidb_buffer *text,
                                 akidb_error *err)
{
    char log_id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&catalogue->log_id, log_id);
    akidb_status status =
        ak_buffer_printf(text, err,
                         "{\"format_version\":1,\"log_id\":\"%s\",\"lsn\":%" PRIu64
                         ",\"log_from\":%" PRIu64 ",\"collections\":[",
                         log_id, catalogue->lsn, catalogue->log_from);
    for (size_t i = 0; i < catalogue->count && status == AKIDB_OK; i++) {
        if (i > 0)
            status = ak_buffer_put(text, ',', err);
        if (status == AKIDB_OK)
            status = put_collection(&catalogue->collections[i], text, err);
    }
    if (status == AKIDB_OK)
        status = ak_buffer_put(text, ']', err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(text, err, ",\"checksum\":\"crc32c:%08" PRIx32 "\"}\n",
                                  ak_crc32c(0, text->data, text->size));
    return status;
}

/* ---- decode ---------------------------------------------------------------------------------- */

#define corrupt(err, ...)                                                                          \
    ak_fail_at((err), AKIDB_E_CORRUPTION, AK_IN(AK_CATALOGUE_NAME), __VA_ARGS__)

static akidb_status read_u64(const ak_json_value *object, const char *name, uint64_t most,
                             uint64_t *out, akidb_error *err)
{
    if (ak_json_u64(ak_json_member(object, name), out) && *out <= most)
        return AKIDB_OK;
    return corrupt(err, "%s: expected an integer up to %" PRIu64 ", found something else", name,
                   most);
}

static akidb_status read_uuid(const ak_json_value *object, const char *name, akidb_uuid *out,
                              akidb_error *err)
{
    const char *text = ak_json_string(ak_json_member(object, name));
    if (text != NULL && akidb_uuid_parse(text, out, NULL) == AKIDB_OK)
        return AKIDB_OK;
    return corrupt(err, "%s: expected a UUID, found %s", name,
                   text == NULL ? "none" : "other text");
}

static akidb_status read_snapshot(const ak_json_value *value, ak_catalogue_collection *collection,
                                  akidb_error *err)
{
    const ak_json_value *snapshot = ak_json_member(value, "snapshot");
    if (snapshot == NULL)
        return AKIDB_OK;
    collection->has_snapshot = true;
    akidb_status status = read_uuid(snapshot, "snapshot_id", &collection->snapshot_id, err);
    if (status == AKIDB_OK)
        status = read_u64(snapshot, "lsn", UINT64_MAX, &collection->snapshot_lsn, err);
    if (status != AKIDB_OK)
        return status;
    const char *at = ak_json_string(ak_json_member(snapshot, "created_at"));
    if (at == NULL || akidb_time_parse(at, &collection->snapshot_at, NULL) != AKIDB_OK)
        return corrupt(err, "created_at: expected an RFC 3339 time, found something else");
    if (ak_json_member(snapshot, "size_bytes") == NULL)
        return AKIDB_OK;
    status = read_u64(snapshot, "documents", UINT64_MAX, &collection->snapshot_rows, err);
    return status != AKIDB_OK
               ? status
               : read_u64(snapshot, "size_bytes", UINT64_MAX, &collection->snapshot_bytes, err);
}

/* After the snapshot. */
static akidb_status read_tier(const ak_json_value *value, ak_catalogue_collection *collection,
                              akidb_error *err)
{
    const ak_json_value *member = ak_json_member(value, "tier");
    if (member == NULL)
        return AKIDB_OK;
    const char *name = ak_json_string(member);
    int tier = AKIDB_TIER_COLD;
    while (tier > AKIDB_TIER_HOT && (name == NULL || strcmp(name, tier_names[tier]) != 0))
        tier--;
    if (tier == AKIDB_TIER_HOT)
        return corrupt(err, "tier: expected \"warm\" or \"cold\", found something else");
    if (collection->snapshot_bytes == 0)
        return corrupt(err, "tier: expected a snapshot with its size beside it, found none");
    collection->tier = (akidb_tier)tier;
    return AKIDB_OK;
}

static akidb_status read_collection(const ak_json_value *value, ak_catalogue_collection *collection,
                                    akidb_error *err)
{
    uint64_t dimension = 0;
    akidb_status status = read_uuid(value, "collection_id", &collection->id, err);
    if (status == AKIDB_OK)
        status = read_uuid(value, "incarnation", &collection->incarnation, err);
    if (status == AKIDB_OK)
        status = read_u64(value, "dimension", AKIDB_DIMENSION_MAX, &dimension, err);
    if (status == AKIDB_OK && dimension == 0)
        return corrupt(err, "dimension: expected at least 1, found 0");
    collection->created.dimension = (uint32_t)dimension;
    if (status == AKIDB_OK)
        status = read_u64(value, "created_lsn", UINT64_MAX, &collection->created_lsn, err);
    if (status == AKIDB_OK)
        status = read_u64(value, "replay_after", UINT64_MAX, &collection->replay_after, err);
    const ak_json_value *member = ak_json_member(value, "name");
    if (status == AKIDB_OK && member != NULL) {
        const char *name = ak_json_string(member);
        if (name == NULL || strlen(name) > AK_COLLECTION_NAME_MAX)
            return corrupt(err, "name: expected a string of at most %d bytes, found something else",
                           AK_COLLECTION_NAME_MAX);
        collection->created.has_name = true;
        memcpy(collection->created.name, name, strlen(name));
    }
    if (status == AKIDB_OK)
        status = read_snapshot(value, collection, err);
    return status != AKIDB_OK ? status : read_tier(value, collection, err);
}

static akidb_status read_tree(const ak_json_value *root, ak_catalogue *catalogue, akidb_error *err)
{
    uint64_t version = 0;
    akidb_status status = read_u64(root, "format_version", UINT64_MAX, &version, err);
    if (status == AKIDB_OK && version != 1)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(AK_CATALOGUE_NAME),
                          "format_version: expected 1, found %" PRIu64, version);
    if (status == AKIDB_OK)
        status = read_uuid(root, "log_id", &catalogue->log_id, err);
    if (status == AKIDB_OK)
        status = read_u64(root, "lsn", UINT64_MAX, &catalogue->lsn, err);
    if (status == AKIDB_OK)
        status = read_u64(root, "log_from", UINT64_MAX, &catalogue->log_from, err);
    const ak_json_value *collections = ak_json_member(root, "collections");
    if (status == AKIDB_OK && !ak_json_is_array(collections))
        return corrupt(err, "collections: expected an array, found something else");
    size_t count = ak_json_count(collections);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        ak_catalogue_collection *collection;
        status = ak_catalogue_add(catalogue, &collection, err);
        if (status == AKIDB_OK)
            status = read_collection(ak_json_element(collections, i), collection, err);
    }
    return status;
}

/* The last bytes must be those that the checksum of all before them makes. */
static akidb_status check_checksum(akidb_slice text, akidb_error *err)
{
    enum { SIZE = sizeof ",\"checksum\":\"crc32c:01234567\"}\n" - 1 };
    if (text.size < SIZE)
        return corrupt(err, "expected at least %d bytes, found %zu", SIZE, text.size);
    const char *end = (const char *)text.data + text.size - SIZE;
    char expected[SIZE + 1];
    snprintf(expected, sizeof expected, ",\"checksum\":\"crc32c:%08" PRIx32 "\"}\n",
             ak_crc32c(0, text.data, text.size - SIZE));
    if (memcmp(end, expected, SIZE) != 0)
        return corrupt(err, "expected the end %.*s, found %.*s", SIZE - 1, expected, SIZE - 1, end);
    return AKIDB_OK;
}

akidb_status ak_catalogue_decode(akidb_slice text, ak_catalogue *catalogue_out, akidb_error *err)
{
    *catalogue_out = (ak_catalogue){0};
    akidb_status status = check_checksum(text, err);
    if (status != AKIDB_OK)
        return status;
    ak_json_tree *tree = NULL;
    akidb_error cause = {0};
    status = ak_json_parse(text, &tree, &cause);
    if (status == AKIDB_E_VALIDATION)
        return corrupt(err, "expected JSON: %s", cause.message);
    if (status == AKIDB_OK)
        status = read_tree(ak_json_root(tree), catalogue_out, err);
    else if (err != NULL)
        *err = cause;
    ak_json_tree_free(tree);
    if (status != AKIDB_OK)
        ak_catalogue_free(catalogue_out);
    return status;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int write_new(const akidb_files *files, akidb_folder folder, const akidb_slice *text)
{
    const akidb_files_ops *ops = files->ops;
    akidb_file file;
    int error_number = ops->unlink(files->handle, folder, NEW_NAME);
    if (error_number != 0 && error_number != ENOENT)
        return error_number;
    error_number = ops->open_file(files->handle, folder, NEW_NAME, AKIDB_FILE_CREATE, &file);
    if (error_number != 0)
        return error_number;
    error_number = ops->write_at(files->handle, file, 0, text, 1);
    if (error_number == 0)
        error_number = ops->sync_file(files->handle, file);
    int closing = ops->close_file(files->handle, file);
    return error_number != 0 ? error_number : closing;
}

akidb_status ak_catalogue_write(const ak_catalogue *catalogue, const akidb_files *files,
                                akidb_folder folder, akidb_error *err)
{
    akidb_buffer text = {0};
    akidb_status status = ak_catalogue_encode(catalogue, &text, err);
    if (status == AKIDB_OK && text.size > BYTES_MAX)
        status = ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(AK_CATALOGUE_NAME),
                            "expected at most %" PRIu64 " bytes, found %zu", BYTES_MAX, text.size);
    if (status == AKIDB_OK) {
        akidb_slice slice = {text.data, text.size};
        int error_number = write_new(files, folder, &slice);
        if (error_number == 0)
            error_number = files->ops->rename(files->handle, folder, NEW_NAME, AK_CATALOGUE_NAME);
        if (error_number == 0)
            error_number = files->ops->sync_folder(files->handle, folder);
        if (error_number != 0)
            status = ak_fail_errno(err, error_number, AK_CATALOGUE_NAME, "replacing it");
    }
    akidb_buffer_free(&text);
    return status;
}

static akidb_status read_file(const akidb_files *files, akidb_file file, akidb_buffer *text,
                              akidb_error *err)
{
    akidb_file_info info;
    size_t found = 0;
    int error_number = files->ops->file_info(files->handle, file, &info);
    if (error_number == 0 && info.size > BYTES_MAX)
        return corrupt(err, "expected at most %" PRIu64 " bytes, found %" PRIu64, BYTES_MAX,
                       info.size);
    if (error_number == 0) {
        akidb_status status = ak_buffer_reserve(text, (size_t)info.size, err);
        if (status != AKIDB_OK)
            return status;
        error_number =
            files->ops->read_at(files->handle, file, 0, text->data, (size_t)info.size, &found);
    }
    if (error_number != 0)
        return ak_fail_errno(err, error_number, AK_CATALOGUE_NAME, "reading it");
    text->size = found;
    return AKIDB_OK;
}

akidb_status ak_catalogue_read(const akidb_files *files, akidb_folder folder,
                               ak_catalogue *catalogue_out, bool *found_out, akidb_error *err)
{
    *catalogue_out = (ak_catalogue){0};
    akidb_file file;
    int error_number =
        files->ops->open_file(files->handle, folder, AK_CATALOGUE_NAME, AKIDB_FILE_READ, &file);
    *found_out = error_number == 0;
    if (error_number == ENOENT)
        return AKIDB_OK;
    if (error_number != 0)
        return ak_fail_errno(err, error_number, AK_CATALOGUE_NAME, "opening it");
    akidb_buffer text = {0};
    akidb_status status = read_file(files, file, &text, err);
    files->ops->close_file(files->handle, file);
    if (status == AKIDB_OK)
        status = ak_catalogue_decode((akidb_slice){text.data, text.size}, catalogue_out, err);
    akidb_buffer_free(&text);
    return status;
}
