#include "snapshot/keys.h"

#include <stdio.h>
#include <string.h>

enum { UUID_LENGTH = AKIDB_UUID_TEXT_SIZE - 1 };

static const struct {
    akidb_compression compression;
    const char *ending;
} json_endings[] = {
    {AKIDB_COMPRESSION_NONE, ".json"},
    {AKIDB_COMPRESSION_GZIP, ".json.gz"},
    {AKIDB_COMPRESSION_SNAPPY, ".json.sz"},
    {AKIDB_COMPRESSION_ZSTD, ".json.zst"},
};
enum { JSON_ENDINGS = sizeof json_endings / sizeof json_endings[0] };

static const char *json_ending(akidb_compression compression)
{
    for (size_t i = 0; i < JSON_ENDINGS; i++)
        if (json_endings[i].compression == compression)
            return json_endings[i].ending;
    return json_endings[0].ending;
}

/* ---- making ---------------------------------------------------------------------------------- */

void ak_key_collection_prefix(const akidb_uuid *collection_id, char out[AK_KEY_SIZE])
{
    char collection[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(collection_id, collection);
    snprintf(out, AK_KEY_SIZE, AK_SNAPSHOTS_PREFIX "%s/", collection);
}

static void make_key(const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                     const char *ending, char out[AK_KEY_SIZE])
{
    char collection[AKIDB_UUID_TEXT_SIZE], snapshot[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(collection_id, collection);
    akidb_uuid_format(snapshot_id, snapshot);
    snprintf(out, AK_KEY_SIZE, AK_SNAPSHOTS_PREFIX "%s/%s%s", collection, snapshot, ending);
}

static void make_old_key(const akidb_uuid *snapshot_id, const char *ending, char out[AK_KEY_SIZE])
{
    char snapshot[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(snapshot_id, snapshot);
    snprintf(out, AK_KEY_SIZE, AK_SNAPSHOTS_PREFIX "%s%s", snapshot, ending);
}

void ak_key_metadata(const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                     char out[AK_KEY_SIZE])
{
    make_key(collection_id, snapshot_id, ".metadata.json", out);
}

void ak_key_old_metadata(const akidb_uuid *snapshot_id, char out[AK_KEY_SIZE])
{
    make_old_key(snapshot_id, ".meta.json", out);
}

void ak_key_single_part(const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                        akidb_snapshot_format format, akidb_compression compression,
                        char out[AK_KEY_SIZE])
{
    make_key(collection_id, snapshot_id,
             format == AKIDB_FORMAT_JSON ? json_ending(compression) : ".parquet", out);
}

void ak_key_old_part(const akidb_uuid *snapshot_id, akidb_compression compression,
                     char out[AK_KEY_SIZE])
{
    make_old_key(snapshot_id, json_ending(compression), out);
}

void ak_key_folder_part(const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                        uint32_t number, char out[AK_KEY_SIZE])
{
    char ending[32];
    snprintf(ending, sizeof ending, "/part-%05u.parquet", (unsigned)number);
    make_key(collection_id, snapshot_id, ending, out);
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* Takes a UUID in its canonical spelling off the text; false when there is none. */
static bool take_uuid(const char **text, akidb_uuid *uuid_out)
{
    char spelled[AKIDB_UUID_TEXT_SIZE], canonical[AKIDB_UUID_TEXT_SIZE];
    size_t length = strnlen(*text, UUID_LENGTH);
    memcpy(spelled, *text, length);
    spelled[length] = '\0';
    if (akidb_uuid_parse(spelled, uuid_out, NULL) != AKIDB_OK)
        return false;
    akidb_uuid_format(uuid_out, canonical);
    if (strcmp(spelled, canonical) != 0)
        return false;
    *text += UUID_LENGTH;
    return true;
}

static bool is_folder_part(const char *rest)
{
    static const char before[] = "/part-";
    if (strncmp(rest, before, sizeof before - 1) != 0)
        return false;
    rest += sizeof before - 1;
    for (int i = 0; i < 5; i++)
        if (rest[i] < '0' || rest[i] > '9')
            return false;
    return strcmp(rest + 5, ".parquet") == 0;
}

static bool is_json_ending(const char *rest, akidb_compression *compression_out)
{
    for (size_t i = 0; i < JSON_ENDINGS; i++) {
        if (strcmp(rest, json_endings[i].ending) == 0) {
            *compression_out = json_endings[i].compression;
            return true;
        }
    }
    return false;
}

/* What follows snapshots/{collection_id}/{snapshot_id}. */
static void parse_new(const char *rest, ak_key *key)
{
    if (strcmp(rest, ".metadata.json") == 0) {
        key->kind = AK_KEY_METADATA;
    } else if (strcmp(rest, ".parquet") == 0 || is_folder_part(rest)) {
        key->kind = AK_KEY_PART;
        key->format = AKIDB_FORMAT_PARQUET;
    } else if (is_json_ending(rest, &key->compression)) {
        key->kind = AK_KEY_PART;
        key->format = AKIDB_FORMAT_JSON;
    }
}

/* What follows snapshots/{snapshot_id}. */
static void parse_old(const char *rest, ak_key *key)
{
    if (strcmp(rest, ".meta.json") == 0) {
        key->kind = AK_KEY_OLD_METADATA;
    } else if (is_json_ending(rest, &key->compression)) {
        key->kind = AK_KEY_OLD_PART;
        key->format = AKIDB_FORMAT_JSON;
    }
}

ak_key ak_key_parse(const char *text)
{
    ak_key key = {0};
    const char *rest = text;
    if (strncmp(rest, AK_SNAPSHOTS_PREFIX, strlen(AK_SNAPSHOTS_PREFIX)) != 0)
        return key;
    rest += strlen(AK_SNAPSHOTS_PREFIX);
    akidb_uuid first;
    if (!take_uuid(&rest, &first))
        return key;
    if (*rest == '/') {
        rest++;
        key.collection_id = first;
        if (take_uuid(&rest, &key.snapshot_id))
            parse_new(rest, &key);
    } else {
        key.snapshot_id = first;
        parse_old(rest, &key);
    }
    return key.kind == AK_KEY_FOREIGN ? (ak_key){0} : key;
}
