#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/checksum.h"
#include "base/error.h"
#include "snapshot/keys.h"
#include "snapshot/metadata.h"
#include "json/json.h"

/* The object that is being read: where it lies, for messages, and what its key says. */
typedef struct source {
    const char *key;
    ak_key parsed;
    akidb_error *err;
} source;

#define corrupt(from, ...)                                                                         \
    ak_fail_at((from)->err, AKIDB_E_CORRUPTION, AK_IN((from)->key), __VA_ARGS__)

/* ---- fields ---------------------------------------------------------------------------------- */

static akidb_status read_u64(const source *from, const ak_json_value *object, const char *name,
                             uint64_t least, uint64_t most, uint64_t *out)
{
    const ak_json_value *value = ak_json_member(object, name);
    if (value == NULL)
        return corrupt(from, "%s: expected an integer, found no such field", name);
    if (!ak_json_u64(value, out))
        return corrupt(from, "%s: expected an integer that is not negative, found something else",
                       name);
    if (*out < least || *out > most)
        return corrupt(from, "%s: expected %" PRIu64 " to %" PRIu64 ", found %" PRIu64, name, least,
                       most, *out);
    return AKIDB_OK;
}

static akidb_status read_string(const source *from, const ak_json_value *object, const char *name,
                                const char **out)
{
    const ak_json_value *value = ak_json_member(object, name);
    *out = ak_json_string(value);
    if (*out == NULL)
        return corrupt(from, "%s: expected a string, found %s", name,
                       value == NULL ? "no such field" : "something else");
    return AKIDB_OK;
}

static akidb_status read_uuid(const source *from, const ak_json_value *object, const char *name,
                              akidb_uuid *out)
{
    const char *text;
    akidb_status status = read_string(from, object, name, &text);
    if (status == AKIDB_OK && akidb_uuid_parse(text, out, NULL) != AKIDB_OK)
        return corrupt(from, "%s: expected a UUID, found \"%.80s\"", name, text);
    return status;
}

/* Eight lower-case hexadecimal digits, as the writer has them. */
static bool parse_crc(const char *text, size_t length, uint32_t *out)
{
    if (length != 8)
        return false;
    *out = 0;
    for (size_t i = 0; i < 8; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);
        if (digit == NULL)
            return false;
        *out = *out << 4 | (uint32_t)(digit - digits);
    }
    return true;
}

static akidb_status read_crc(const source *from, const ak_json_value *object, const char *name,
                             uint32_t *out)
{
    const char *text;
    akidb_status status = read_string(from, object, name, &text);
    if (status == AKIDB_OK && !parse_crc(text, strlen(text), out))
        return corrupt(from, "%s: expected 8 hexadecimal digits, found \"%.80s\"", name, text);
    return status;
}

/* ---- the plan's fields ----------------------------------------------------------------------- */

static akidb_status expect_id(const source *from, const char *name, const akidb_uuid *expected,
                              const akidb_uuid *found)
{
    if (akidb_uuid_compare(expected, found) == 0)
        return AKIDB_OK;
    char expected_text[AKIDB_UUID_TEXT_SIZE], found_text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(expected, expected_text);
    akidb_uuid_format(found, found_text);
    return corrupt(from, "%s: expected %s, as the key has it, found %s", name, expected_text,
                   found_text);
}

static akidb_status read_ids(const source *from, const ak_json_value *root,
                             akidb_snapshot_metadata *metadata)
{
    akidb_status status = read_uuid(from, root, "snapshot_id", &metadata->snapshot_id);
    if (status == AKIDB_OK)
        status = expect_id(from, "snapshot_id", &from->parsed.snapshot_id, &metadata->snapshot_id);
    if (status == AKIDB_OK)
        status = read_uuid(from, root, "collection_id", &metadata->collection_id);
    if (status == AKIDB_OK && from->parsed.kind == AK_KEY_METADATA)
        status =
            expect_id(from, "collection_id", &from->parsed.collection_id, &metadata->collection_id);
    return status;
}

static akidb_status read_compression(const source *from, const ak_json_value *root,
                                     akidb_compression *out)
{
    const char *text;
    akidb_status status = read_string(from, root, "compression", &text);
    if (status != AKIDB_OK)
        return status;
    for (int i = AKIDB_COMPRESSION_NONE; i <= AKIDB_COMPRESSION_GZIP; i++) {
        if (strcmp(text, akidb_compression_name((akidb_compression)i)) == 0) {
            *out = (akidb_compression)i;
            return AKIDB_OK;
        }
    }
    return corrupt(from, "compression: expected None, Snappy, Zstd, Lz4 or Gzip, found \"%.80s\"",
                   text);
}

/* The format; metadata from before there were two does not have it, and means JSON. */
static akidb_status read_format(const source *from, const ak_json_value *root,
                                akidb_snapshot_format *out)
{
    *out = AKIDB_FORMAT_JSON;
    if (ak_json_member(root, "format") == NULL)
        return AKIDB_OK;
    const char *text;
    akidb_status status = read_string(from, root, "format", &text);
    if (status != AKIDB_OK)
        return status;
    if (strcmp(text, "Parquet") == 0 && from->parsed.kind == AK_KEY_METADATA)
        *out = AKIDB_FORMAT_PARQUET;
    else if (strcmp(text, "Json") != 0)
        return corrupt(from, "format: expected %s, found \"%.80s\"",
                       from->parsed.kind == AK_KEY_METADATA ? "Json or Parquet" : "Json", text);
    return AKIDB_OK;
}

static akidb_status read_plan_fields(const source *from, const ak_json_value *root,
                                     akidb_snapshot_metadata *metadata)
{
    uint64_t dimension = 0;
    const char *created_at = NULL;
    akidb_status status = read_ids(from, root, metadata);
    if (status == AKIDB_OK)
        status = read_u64(from, root, "vector_count", 0, UINT64_MAX, &metadata->vector_count);
    if (status == AKIDB_OK)
        status = read_u64(from, root, "dimension", 1, AKIDB_DIMENSION_MAX, &dimension);
    if (status == AKIDB_OK)
        status = read_string(from, root, "created_at", &created_at);
    if (status == AKIDB_OK && akidb_time_parse(created_at, &metadata->created_at, NULL) != AKIDB_OK)
        status =
            corrupt(from, "created_at: expected an RFC 3339 time, found \"%.80s\"", created_at);
    if (status == AKIDB_OK)
        status = read_u64(from, root, "size_bytes", 0, INT64_MAX, &metadata->size_bytes);
    if (status == AKIDB_OK)
        status = read_compression(from, root, &metadata->compression);
    if (status == AKIDB_OK)
        status = read_format(from, root, &metadata->format);
    metadata->dimension = (uint32_t)dimension;
    return status;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static akidb_status read_row_group(const source *from, const ak_json_value *object, uint64_t offset,
                                   akidb_parquet_row_group_summary *group)
{
    group->all.offset = offset;
    group->small.offset = offset;
    akidb_status status = read_u64(from, object, "rows", 0, UINT64_MAX, &group->rows);
    if (status == AKIDB_OK)
        status = read_u64(from, object, "size", 0, INT64_MAX, &group->all.size);
    if (status == AKIDB_OK)
        status = read_crc(from, object, "crc32c", &group->all.crc32c);
    if (status == AKIDB_OK)
        status = read_u64(from, object, "small_size", 0, group->all.size, &group->small.size);
    if (status == AKIDB_OK)
        status = read_crc(from, object, "small_crc32c", &group->small.crc32c);
    return status;
}

/* The row groups must tile the part: after Parquet's four magic bytes, without gaps, up to the
 * tail. Their rows must sum up to the part's, except in JSON, where blocks have none. */
static akidb_status read_row_groups(const source *from, const ak_json_value *array,
                                    akidb_snapshot_format format, akidb_parquet_summary *summary)
{
    if (!ak_json_is_array(array))
        return corrupt(from, "row_groups: expected an array, found something else");
    size_t count = ak_json_count(array);
    akidb_parquet_row_group_summary *groups = calloc(count == 0 ? 1 : count, sizeof *groups);
    if (groups == NULL)
        return ak_fail_memory(from->err, count * sizeof *groups);
    summary->row_groups = groups;
    summary->row_group_count = count;
    uint64_t offset = format == AKIDB_FORMAT_PARQUET ? 4 : 0;
    uint64_t rows = 0;
    for (size_t i = 0; i < count; i++) {
        akidb_status status = read_row_group(from, ak_json_element(array, i), offset, &groups[i]);
        if (status != AKIDB_OK)
            return status;
        if (!ak_add_u64(offset, groups[i].all.size, &offset) ||
            !ak_add_u64(rows, groups[i].rows, &rows))
            return corrupt(from, "row_groups: expected sums below 2^64, found more");
    }
    uint64_t end;
    if (!ak_add_u64(offset, summary->tail.size, &end) || end != summary->file.size)
        return corrupt(from,
                       "parts: row groups and tail: expected %" PRIu64 " bytes, the part's "
                       "size_bytes, found %" PRIu64,
                       summary->file.size, offset + summary->tail.size);
    summary->tail.offset = offset;
    uint64_t expected_rows = format == AKIDB_FORMAT_PARQUET ? summary->rows : 0;
    if (rows != expected_rows)
        return corrupt(from, "parts: rows of row groups: expected %" PRIu64 ", found %" PRIu64,
                       expected_rows, rows);
    return AKIDB_OK;
}

static akidb_status copy_text(const source *from, const char *text, size_t size, const char **out)
{
    char *copy = malloc(size + 1);
    if (copy == NULL)
        return ak_fail_memory(from->err, size + 1);
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    *out = copy;
    return AKIDB_OK;
}

/* A part's key must be one of the layout, of this very snapshot and its format: what is read,
 * verified and deleted by this metadata never lies elsewhere. Another snapshot's part would not be
 * safe either: gc and delete ask only the snapshot in whose place a part lies who needs it. */
static akidb_status read_part_key(const source *from, const ak_json_value *object,
                                  const akidb_snapshot_metadata *metadata, const char **key_out)
{
    const char *key;
    akidb_status status = read_string(from, object, "key", &key);
    if (status != AKIDB_OK)
        return status;
    ak_key parsed = ak_key_parse(key);
    bool json = metadata->format == AKIDB_FORMAT_JSON;
    if (parsed.kind != AK_KEY_PART || parsed.format != metadata->format ||
        (json && parsed.compression != metadata->compression) ||
        akidb_uuid_compare(&parsed.collection_id, &metadata->collection_id) != 0 ||
        akidb_uuid_compare(&parsed.snapshot_id, &metadata->snapshot_id) != 0)
        return corrupt(from, "parts: key: expected a %s part of the snapshot, found \"%.200s\"",
                       json ? "JSON" : "Parquet", key);
    return copy_text(from, key, strlen(key), key_out);
}

static akidb_status read_part(const source *from, const ak_json_value *object,
                              const akidb_snapshot_metadata *metadata, akidb_snapshot_part *part)
{
    akidb_parquet_summary *summary = &part->summary;
    const ak_json_value *tail = ak_json_member(object, "tail");
    akidb_status status = read_part_key(from, object, metadata, &part->key);
    if (status == AKIDB_OK)
        status = read_u64(from, object, "rows", 0, metadata->vector_count, &summary->rows);
    if (status == AKIDB_OK)
        status = read_u64(from, object, "size_bytes", 0, metadata->size_bytes, &summary->file.size);
    if (status == AKIDB_OK)
        status = read_crc(from, object, "crc32c", &summary->file.crc32c);
    if (status == AKIDB_OK)
        status = read_u64(from, tail, "size", 0, summary->file.size, &summary->tail.size);
    if (status == AKIDB_OK)
        status = read_crc(from, tail, "crc32c", &summary->tail.crc32c);
    if (status == AKIDB_OK)
        status =
            read_row_groups(from, ak_json_member(object, "row_groups"), metadata->format, summary);
    return status;
}

static akidb_status read_parts(const source *from, const ak_json_value *root,
                               akidb_snapshot_metadata *metadata)
{
    const ak_json_value *array = ak_json_member(root, "parts");
    size_t count = ak_json_count(array);
    if (!ak_json_is_array(array) || count == 0)
        return corrupt(from, "parts: expected an array of at least one part, found none");
    akidb_snapshot_part *parts = calloc(count, sizeof *parts);
    if (parts == NULL)
        return ak_fail_memory(from->err, count * sizeof *parts);
    metadata->parts = parts;
    metadata->part_count = count;
    /* Each is at most the snapshot's own, so that the sums cannot wrap unseen. */
    uint64_t rows = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        akidb_status status = read_part(from, ak_json_element(array, i), metadata, &parts[i]);
        if (status != AKIDB_OK)
            return status;
        if (!ak_add_u64(rows, parts[i].summary.rows, &rows) ||
            !ak_add_u64(size, parts[i].summary.file.size, &size))
            return corrupt(from, "parts: expected sums below 2^64, found more");
    }
    if (rows != metadata->vector_count)
        return corrupt(from,
                       "vector_count: expected %" PRIu64 ", the rows of all parts, found %" PRIu64,
                       rows, metadata->vector_count);
    if (size != metadata->size_bytes)
        return corrupt(from,
                       "size_bytes: expected %" PRIu64 ", the bytes of all parts, found %" PRIu64,
                       size, metadata->size_bytes);
    return AKIDB_OK;
}

/* Metadata without a list of parts has one, where the layout puts it. */
static akidb_status imply_part(const source *from, akidb_snapshot_metadata *metadata)
{
    akidb_snapshot_part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return ak_fail_memory(from->err, sizeof *part);
    metadata->parts = part;
    metadata->part_count = 1;
    part->summary.rows = metadata->vector_count;
    part->summary.file.size = metadata->size_bytes;
    char key[AK_KEY_SIZE];
    if (from->parsed.kind == AK_KEY_OLD_METADATA)
        ak_key_old_part(&metadata->snapshot_id, metadata->compression, key);
    else
        ak_key_single_part(&metadata->collection_id, &metadata->snapshot_id, metadata->format,
                           metadata->compression, key);
    return copy_text(from, key, strlen(key), &part->key);
}

/* ---- labels and writer ----------------------------------------------------------------------- */

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const akidb_label *)a)->key, ((const akidb_label *)b)->key);
}

static akidb_status read_labels(const source *from, const ak_json_value *root,
                                akidb_snapshot_metadata *metadata)
{
    const ak_json_value *object = ak_json_member(root, "labels");
    if (!ak_json_is_object(object))
        return corrupt(from, "labels: expected an object, found something else");
    size_t count = ak_json_count(object);
    akidb_label *labels = calloc(count == 0 ? 1 : count, sizeof *labels);
    if (labels == NULL)
        return ak_fail_memory(from->err, count * sizeof *labels);
    metadata->labels = labels;
    metadata->label_count = count;
    for (size_t i = 0; i < count; i++) {
        const char *key = ak_json_member_name(object, i);
        const char *value = ak_json_string(ak_json_member_value(object, i));
        if (key == NULL || value == NULL)
            return corrupt(from, "labels: expected strings, found something else");
        akidb_status status = copy_text(from, key, strlen(key), &labels[i].key);
        if (status == AKIDB_OK)
            status = copy_text(from, value, strlen(value), &labels[i].value);
        if (status != AKIDB_OK)
            return status;
    }
    qsort(labels, count, sizeof *labels, compare_labels);
    return AKIDB_OK;
}

/* All three fields or none. */
static akidb_status read_lineage(const source *from, const ak_json_value *root,
                                 akidb_snapshot_metadata *metadata)
{
    metadata->has_lineage = ak_json_member(root, "log_id") != NULL ||
                            ak_json_member(root, "incarnation") != NULL ||
                            ak_json_member(root, "lsn") != NULL;
    if (!metadata->has_lineage)
        return AKIDB_OK;
    akidb_status status = read_uuid(from, root, "log_id", &metadata->log_id);
    if (status == AKIDB_OK)
        status = read_uuid(from, root, "incarnation", &metadata->incarnation);
    return status != AKIDB_OK ? status : read_u64(from, root, "lsn", 0, UINT64_MAX, &metadata->lsn);
}

/* Looked at before all else: what a later version writes into the other fields is not damage. */
static akidb_status read_version(const source *from, const ak_json_value *root)
{
    uint64_t version = 0;
    akidb_status status = read_u64(from, root, "format_version", 1, UINT64_MAX, &version);
    if (status == AKIDB_OK && version != 1)
        return ak_fail_at(
            from->err, AKIDB_E_UNSUPPORTED, AK_IN(from->key),
            "format_version: expected 1, found %" PRIu64 ": written by a later version", version);
    return status;
}

/* Both fields or none. */
static akidb_status read_profile(const source *from, const ak_json_value *root,
                                 akidb_snapshot_metadata *metadata)
{
    if (ak_json_member(root, "profile") == NULL && ak_json_member(root, "profile_choice") == NULL)
        return AKIDB_OK;
    const char *profile = "", *choice = "";
    akidb_status status = read_string(from, root, "profile", &profile);
    if (status == AKIDB_OK)
        status = read_string(from, root, "profile_choice", &choice);
    if (status == AKIDB_OK)
        status = copy_text(from, profile, strlen(profile), &metadata->profile);
    return status != AKIDB_OK ? status
                              : copy_text(from, choice, strlen(choice), &metadata->profile_choice);
}

static akidb_status read_own_fields(const source *from, const ak_json_value *root,
                                    akidb_snapshot_metadata *metadata)
{
    const char *writer = "";
    akidb_status status = read_string(from, root, "writer", &writer);
    if (status == AKIDB_OK)
        status = read_uuid(from, root, "writer_id", &metadata->writer_id);
    if (status == AKIDB_OK)
        status = read_lineage(from, root, metadata);
    if (status == AKIDB_OK)
        status = read_profile(from, root, metadata);
    if (status == AKIDB_OK)
        status = read_labels(from, root, metadata);
    if (status == AKIDB_OK)
        status = read_parts(from, root, metadata);
    snprintf(metadata->writer_version, sizeof metadata->writer_version, "%s", writer);
    return status;
}

/* ---- the whole object ------------------------------------------------------------------------ */

#define CHECKSUM_BEFORE ",\"checksum\":\"crc32c:"
#define CHECKSUM_AFTER  "\"}\n"
enum {
    BEFORE_SIZE = sizeof CHECKSUM_BEFORE - 1,
    AFTER_SIZE = sizeof CHECKSUM_AFTER - 1,
    CHECKSUM_SIZE = BEFORE_SIZE + 8 + AFTER_SIZE
};

/* Whether the text ends as a checked object does; if so, *found_out is the checksum it carries. */
static bool find_checksum(akidb_slice text, uint32_t *found_out)
{
    if (text.size < CHECKSUM_SIZE)
        return false;
    const char *end = (const char *)text.data + text.size - CHECKSUM_SIZE;
    return memcmp(end, CHECKSUM_BEFORE, BEFORE_SIZE) == 0 &&
           memcmp(end + BEFORE_SIZE + 8, CHECKSUM_AFTER, AFTER_SIZE) == 0 &&
           parse_crc(end + BEFORE_SIZE, 8, found_out);
}

static bool has_own_field(const ak_json_value *root)
{
    static const char *const names[] = {
        "format_version", "writer", "writer_id", "labels",  "parts",         "checksum",
        "incarnation",    "log_id", "lsn",       "profile", "profile_choice"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (ak_json_member(root, names[i]) != NULL)
            return true;
    return false;
}

static akidb_status check_checksum(const source *from, akidb_slice text, bool *checked_out)
{
    uint32_t found;
    *checked_out = find_checksum(text, &found);
    if (!*checked_out)
        return AKIDB_OK;
    uint32_t expected = ak_crc32c(0, text.data, text.size - CHECKSUM_SIZE);
    if (found != expected)
        return corrupt(from,
                       "checksum: expected crc32c:%08" PRIx32 " over the bytes before it, found "
                       "crc32c:%08" PRIx32,
                       expected, found);
    return AKIDB_OK;
}

static akidb_status parse(const source *from, akidb_slice text, ak_json_tree **tree_out)
{
    akidb_error cause = {0};
    akidb_status status = ak_json_parse(text, tree_out, &cause);
    if (status == AKIDB_E_VALIDATION)
        return ak_fail_at(from->err, AKIDB_E_CORRUPTION, AK_AT(from->key, cause.offset),
                          "expected a JSON object, found %zu bytes that are none: %s", text.size,
                          cause.message);
    if (status != AKIDB_OK && from->err != NULL)
        *from->err = cause;
    return status;
}

static akidb_status read_tree(const source *from, const ak_json_value *root,
                              akidb_snapshot_metadata *metadata)
{
    if (!ak_json_is_object(root))
        return corrupt(from, "expected a JSON object, found another JSON value");
    if (!metadata->checked && has_own_field(root))
        return corrupt(from, "checksum: expected " CHECKSUM_BEFORE
                             "xxxxxxxx\"} and a newline as the last bytes, found something else");
    akidb_status status = metadata->checked ? read_version(from, root) : AKIDB_OK;
    if (status == AKIDB_OK)
        status = read_plan_fields(from, root, metadata);
    if (status != AKIDB_OK)
        return status;
    return metadata->checked ? read_own_fields(from, root, metadata) : imply_part(from, metadata);
}

akidb_status ak_metadata_read(const char *key, akidb_slice text,
                              akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    *metadata_out = NULL;
    source from = {key, ak_key_parse(key), err};
    if (from.parsed.kind != AK_KEY_METADATA && from.parsed.kind != AK_KEY_OLD_METADATA)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key),
                          "expected the key of a metadata object, found another");
    akidb_snapshot_metadata *metadata = calloc(1, sizeof *metadata);
    if (metadata == NULL)
        return ak_fail_memory(err, sizeof *metadata);
    ak_json_tree *tree = NULL;
    akidb_status status = check_checksum(&from, text, &metadata->checked);
    if (status == AKIDB_OK)
        status = parse(&from, text, &tree);
    if (status == AKIDB_OK)
        status = read_tree(&from, ak_json_root(tree), metadata);
    if (status == AKIDB_OK)
        status = copy_text(&from, key, strlen(key), &metadata->key);
    if (status == AKIDB_OK)
        status = copy_text(&from, text.data, text.size, &metadata->text);
    ak_json_tree_free(tree);
    if (status != AKIDB_OK) {
        akidb_snapshot_metadata_free(metadata);
        return status;
    }
    *metadata_out = metadata;
    return AKIDB_OK;
}

bool ak_metadata_collection(akidb_slice text, akidb_uuid *collection_id_out)
{
    ak_json_tree *tree = NULL;
    if (ak_json_parse(text, &tree, NULL) != AKIDB_OK)
        return false;
    const char *id = ak_json_string(ak_json_member(ak_json_root(tree), "collection_id"));
    bool found = id != NULL && akidb_uuid_parse(id, collection_id_out, NULL) == AKIDB_OK;
    ak_json_tree_free(tree);
    return found;
}

void akidb_snapshot_metadata_free(akidb_snapshot_metadata *metadata)
{
    if (metadata == NULL)
        return;
    ak_labels_free((akidb_label *)metadata->labels, metadata->label_count);
    for (size_t i = 0; i < metadata->part_count; i++) {
        free((char *)metadata->parts[i].key);
        free((akidb_parquet_row_group_summary *)metadata->parts[i].summary.row_groups);
    }
    free((akidb_snapshot_part *)metadata->parts);
    free((char *)metadata->profile);
    free((char *)metadata->profile_choice);
    free((char *)metadata->key);
    free((char *)metadata->text);
    free(metadata);
}
