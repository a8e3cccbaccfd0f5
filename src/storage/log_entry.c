#include "storage/log_entry.h"

#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"
#include "base/utf8.h"

enum { ID = 16, HAS_EXTERNAL = 1, HAS_METADATA = 2, HAS_NAME = 1, CREATES = 2 };

/* ---- texts of a batch ------------------------------------------------------------------------ */

static akidb_status take_texts(const akidb_texts *texts, size_t rows, const char *column,
                               akidb_buffer *sizes, akidb_buffer *bytes, akidb_error *err)
{
    akidb_status status = ak_buffer_reserve(sizes, rows * sizeof(uint32_t), err);
    for (size_t row = 0; row < rows && status == AKIDB_OK; row++) {
        akidb_slice text = akidb_texts_at(texts, row);
        if (text.size >= AK_LOG_NULL)
            return ak_fail_at(err, AKIDB_E_LIMIT, AK_ROW(NULL, row, column),
                              "expected less than 4 GiB, found %zu bytes", text.size);
        uint32_t size = text.data == NULL ? AK_LOG_NULL : (uint32_t)text.size;
        ak_store_u32(sizes->data + sizes->size, size);
        sizes->size += sizeof size;
        if (text.size > 0)
            status = ak_buffer_append(bytes, text.data, text.size, err);
    }
    return status;
}

akidb_status ak_log_columns_take(ak_log_columns *columns, const akidb_batch *batch,
                                 akidb_error *err)
{
    ak_log_rows *rows = &columns->rows;
    rows->rows = batch->rows;
    rows->dimension = batch->dimension;
    rows->ids = (const uint8_t *)batch->document_ids;
    rows->times = (const uint8_t *)batch->inserted_at;
    rows->vectors = (const uint8_t *)batch->vectors;
    akidb_status status = AKIDB_OK;
    if (batch->external_ids.offsets != NULL) {
        status = take_texts(&batch->external_ids, batch->rows, "external_id",
                            &columns->external_sizes, &columns->external_bytes, err);
        rows->external_sizes = columns->external_sizes.data;
        rows->external_bytes = columns->external_bytes.data;
    }
    if (status == AKIDB_OK && batch->metadata.offsets != NULL) {
        status = take_texts(&batch->metadata, batch->rows, "metadata", &columns->metadata_sizes,
                            &columns->metadata_bytes, err);
        rows->metadata_sizes = columns->metadata_sizes.data;
        rows->metadata_bytes = columns->metadata_bytes.data;
    }
    rows->text_size = columns->external_bytes.size + columns->metadata_bytes.size;
    return status;
}

void ak_log_columns_free(ak_log_columns *columns)
{
    akidb_buffer_free(&columns->external_sizes);
    akidb_buffer_free(&columns->metadata_sizes);
    akidb_buffer_free(&columns->external_bytes);
    akidb_buffer_free(&columns->metadata_bytes);
    *columns = (ak_log_columns){0};
}

/* ---- encode ---------------------------------------------------------------------------------- */

static akidb_status put_u32(akidb_buffer *head, uint32_t value, akidb_error *err)
{
    uint8_t bytes[sizeof value];
    ak_store_u32(bytes, value);
    return ak_buffer_append(head, bytes, sizeof bytes, err);
}

static akidb_status put_u64(akidb_buffer *head, uint64_t value, akidb_error *err)
{
    uint8_t bytes[sizeof value];
    ak_store_u64(bytes, value);
    return ak_buffer_append(head, bytes, sizeof bytes, err);
}

static akidb_status put_collection(akidb_buffer *head, const ak_log_entry *entry, akidb_error *err)
{
    const ak_log_collection *created = &entry->created;
    size_t length = created->has_name ? strlen(created->name) : 0;
    uint32_t flags = (created->has_name ? HAS_NAME : 0) | (entry->creates ? CREATES : 0);
    akidb_status status = put_u32(head, created->dimension, err);
    if (status == AKIDB_OK)
        status = put_u32(head, flags, err);
    if (status == AKIDB_OK)
        status = put_u32(head, (uint32_t)length, err);
    return status != AKIDB_OK ? status : ak_buffer_append(head, created->name, length, err);
}

/* The sum of sizes, nulls apart. */
static uint64_t sum_sizes(const uint8_t *sizes, size_t rows)
{
    uint64_t sum = 0;
    for (size_t row = 0; row < rows; row++) {
        uint32_t size = ak_load_u32(sizes + row * sizeof(uint32_t));
        sum += size == AK_LOG_NULL ? 0 : size;
    }
    return sum;
}

static akidb_status put_rows(akidb_buffer *head, const ak_log_rows *rows, akidb_slice *slices,
                             size_t *count, akidb_error *err)
{
    uint32_t flags = (rows->external_sizes != NULL ? HAS_EXTERNAL : 0) |
                     (rows->metadata_sizes != NULL ? HAS_METADATA : 0);
    akidb_status status = put_u64(head, rows->rows, err);
    if (status == AKIDB_OK)
        status = put_u32(head, rows->dimension, err);
    if (status == AKIDB_OK)
        status = put_u32(head, flags, err);
    if (status != AKIDB_OK)
        return status;
    size_t n = *count, sizes = rows->rows * sizeof(uint32_t);
    slices[n++] = (akidb_slice){rows->ids, rows->rows * ID};
    slices[n++] = (akidb_slice){rows->times, rows->rows * sizeof(int64_t)};
    slices[n++] = (akidb_slice){rows->vectors, rows->rows * rows->dimension * sizeof(float)};
    if (rows->external_sizes != NULL) {
        slices[n++] = (akidb_slice){rows->external_sizes, sizes};
        slices[n++] = (akidb_slice){rows->external_bytes,
                                    (size_t)sum_sizes(rows->external_sizes, rows->rows)};
    }
    if (rows->metadata_sizes != NULL) {
        slices[n++] = (akidb_slice){rows->metadata_sizes, sizes};
        slices[n++] = (akidb_slice){rows->metadata_bytes,
                                    (size_t)sum_sizes(rows->metadata_sizes, rows->rows)};
    }
    *count = n;
    return AKIDB_OK;
}

akidb_status ak_log_encode(const ak_log_entry *entry, akidb_buffer *head,
                           akidb_slice slices_out[AK_LOG_SLICES_MAX], size_t *count_out,
                           akidb_error *err)
{
    size_t count = 1; /* the head comes first */
    head->size = 0;
    akidb_status status = ak_buffer_append(head, entry->collection.bytes, ID, err);
    if (status == AKIDB_OK)
        status = ak_buffer_append(head, entry->incarnation.bytes, ID, err);
    if (status == AKIDB_OK && entry->kind == AK_LOG_UPSERT)
        status = put_rows(head, &entry->rows, slices_out, &count, err);
    if (status == AKIDB_OK && entry->kind == AK_LOG_DELETE)
        slices_out[count++] = (akidb_slice){entry->ids, entry->id_count * ID};
    if (status == AKIDB_OK && (entry->kind == AK_LOG_RESTORE || entry->kind == AK_LOG_CHECKPOINT))
        status = ak_buffer_append(head, entry->snapshot.bytes, ID, err);
    if (status == AKIDB_OK && entry->kind == AK_LOG_CHECKPOINT)
        status = put_u64(head, entry->lsn, err);
    if (status == AKIDB_OK && (entry->kind == AK_LOG_CREATE || entry->kind == AK_LOG_RESTORE))
        status = put_collection(head, entry, err);
    slices_out[0] = (akidb_slice){head->data, head->size};
    *count_out = status == AKIDB_OK ? count : 0;
    return status;
}

/* ---- decode ---------------------------------------------------------------------------------- */

/* What is left of a payload. */
typedef struct scanner {
    const uint8_t *at;
    uint64_t left;
    const uint8_t *begin;
    akidb_error *err;
} scanner;

#define corrupt(s, ...)                                                                            \
    ak_fail_at((s)->err, AKIDB_E_CORRUPTION, AK_AT("log entry", (s)->at - (s)->begin), __VA_ARGS__)

static akidb_status take(scanner *s, uint64_t count, uint64_t each, const char *what,
                         const uint8_t **out)
{
    uint64_t size;
    if (!ak_mul_u64(count, each, &size) || size > s->left)
        return corrupt(s, "%s: expected %" PRIu64 " times %" PRIu64 " bytes, found %" PRIu64, what,
                       count, each, s->left);
    *out = s->at;
    s->at += size;
    s->left -= size;
    return AKIDB_OK;
}

static akidb_status take_id(scanner *s, const char *what, akidb_uuid *out)
{
    const uint8_t *bytes = NULL;
    akidb_status status = take(s, 1, ID, what, &bytes);
    if (bytes != NULL)
        memcpy(out->bytes, bytes, ID);
    return status;
}

static akidb_status take_u32(scanner *s, const char *what, uint32_t *out)
{
    const uint8_t *bytes = NULL;
    akidb_status status = take(s, 1, sizeof *out, what, &bytes);
    if (bytes != NULL)
        *out = ak_load_u32(bytes);
    return status;
}

static akidb_status take_u64(scanner *s, const char *what, uint64_t *out)
{
    const uint8_t *bytes = NULL;
    akidb_status status = take(s, 1, sizeof *out, what, &bytes);
    if (bytes != NULL)
        *out = ak_load_u64(bytes);
    return status;
}

static akidb_status take_dimension(scanner *s, uint32_t *out)
{
    akidb_status status = take_u32(s, "dimension", out);
    if (status == AKIDB_OK && (*out == 0 || *out > AKIDB_DIMENSION_MAX))
        return corrupt(s, "dimension: expected 1 to %u, found %" PRIu32, AKIDB_DIMENSION_MAX, *out);
    return status;
}

static akidb_status take_flags(scanner *s, uint32_t known, uint32_t *out)
{
    akidb_status status = take_u32(s, "flags", out);
    if (status == AKIDB_OK && (*out & ~known) != 0)
        return corrupt(s, "flags: expected none but 0x%" PRIX32 ", found 0x%" PRIX32, known, *out);
    return status;
}

static akidb_status take_collection(scanner *s, uint32_t known, ak_log_entry *entry)
{
    uint32_t flags = 0, length = 0;
    const uint8_t *name = NULL;
    akidb_status status = take_dimension(s, &entry->created.dimension);
    if (status == AKIDB_OK)
        status = take_flags(s, known, &flags);
    if (status == AKIDB_OK)
        status = take_u32(s, "length of the name", &length);
    if (status == AKIDB_OK &&
        (length > AK_COLLECTION_NAME_MAX || ((flags & HAS_NAME) == 0 && length > 0)))
        return corrupt(s, "length of the name: expected at most %d, found %" PRIu32,
                       (flags & HAS_NAME) != 0 ? AK_COLLECTION_NAME_MAX : 0, length);
    if (status == AKIDB_OK)
        status = take(s, length, 1, "name", &name);
    if (status != AKIDB_OK)
        return status;
    if (length > 0 &&
        (ak_utf8_valid_prefix(name, length) != length || memchr(name, '\0', length) != NULL))
        return corrupt(s, "name: expected UTF-8 without U+0000, found something else");
    entry->creates = (flags & CREATES) != 0;
    entry->created.has_name = (flags & HAS_NAME) != 0;
    memcpy(entry->created.name, name, length);
    return AKIDB_OK;
}

static akidb_status take_column(scanner *s, size_t rows, const char *what, const uint8_t **sizes,
                                const uint8_t **bytes, uint64_t *text_size)
{
    akidb_status status = take(s, rows, sizeof(uint32_t), what, sizes);
    if (status != AKIDB_OK)
        return status;
    /* Cannot wrap: the sizes were there, so that their sum is below 2^32 times what memory holds.
     */
    uint64_t sum = sum_sizes(*sizes, rows);
    *text_size += sum;
    return take(s, sum, 1, what, bytes);
}

static akidb_status check_times(scanner *s, const ak_log_rows *rows)
{
    for (size_t row = 0; row < rows->rows; row++) {
        int64_t time = (int64_t)ak_load_u64(rows->times + row * sizeof time);
        if (time < AKIDB_TIME_MIN || time > AKIDB_TIME_MAX)
            return corrupt(s,
                           "inserted_at of row %zu: expected the years 1 to 9999, found %" PRId64,
                           row, time);
    }
    return AKIDB_OK;
}

static akidb_status take_rows(scanner *s, ak_log_rows *rows)
{
    uint64_t count = 0;
    uint32_t flags = 0;
    akidb_status status = take_u64(s, "rows", &count);
    if (status == AKIDB_OK)
        status = take_dimension(s, &rows->dimension);
    if (status == AKIDB_OK)
        status = take_flags(s, HAS_EXTERNAL | HAS_METADATA, &flags);
    if (status == AKIDB_OK && count == 0)
        return corrupt(s, "rows: expected at least 1, found 0");
    if (status == AKIDB_OK)
        status = take(s, count, ID, "document_id", &rows->ids);
    if (status == AKIDB_OK)
        status = take(s, count, sizeof(int64_t), "inserted_at", &rows->times);
    if (status == AKIDB_OK)
        status = take(s, count, rows->dimension * sizeof(float), "vector", &rows->vectors);
    rows->rows = (size_t)count;
    if (status == AKIDB_OK && (flags & HAS_EXTERNAL) != 0)
        status = take_column(s, rows->rows, "external_id", &rows->external_sizes,
                             &rows->external_bytes, &rows->text_size);
    if (status == AKIDB_OK && (flags & HAS_METADATA) != 0)
        status = take_column(s, rows->rows, "metadata", &rows->metadata_sizes,
                             &rows->metadata_bytes, &rows->text_size);
    return status != AKIDB_OK ? status : check_times(s, rows);
}

static akidb_status take_ids(scanner *s, ak_log_entry *entry)
{
    if (s->left == 0 || s->left % ID != 0)
        return corrupt(s, "document ids: expected 16 bytes each, found %" PRIu64 " bytes", s->left);
    entry->id_count = (size_t)(s->left / ID);
    return take(s, entry->id_count, ID, "document ids", &entry->ids);
}

static akidb_status take_body(scanner *s, ak_log_entry *entry)
{
    akidb_status status = AKIDB_OK;
    switch (entry->kind) {
    case AK_LOG_CREATE: return take_collection(s, HAS_NAME, entry);
    case AK_LOG_DROP: return AKIDB_OK;
    case AK_LOG_UPSERT: return take_rows(s, &entry->rows);
    case AK_LOG_DELETE: return take_ids(s, entry);
    case AK_LOG_RESTORE:
        status = take_id(s, "snapshot", &entry->snapshot);
        return status != AKIDB_OK ? status : take_collection(s, HAS_NAME | CREATES, entry);
    case AK_LOG_CHECKPOINT:
        status = take_id(s, "snapshot", &entry->snapshot);
        return status != AKIDB_OK ? status : take_u64(s, "lsn", &entry->lsn);
    }
    return corrupt(s, "kind: expected 1 to 6, found %d", (int)entry->kind);
}

akidb_status ak_log_decode(ak_log_kind kind, akidb_slice payload, ak_log_entry *entry_out,
                           akidb_error *err)
{
    *entry_out = (ak_log_entry){.kind = kind};
    scanner s = {payload.data, payload.size, payload.data, err};
    akidb_status status = take_id(&s, "collection", &entry_out->collection);
    if (status == AKIDB_OK)
        status = take_id(&s, "incarnation", &entry_out->incarnation);
    if (status == AKIDB_OK)
        status = take_body(&s, entry_out);
    if (status == AKIDB_OK && s.left > 0)
        status = corrupt(&s, "expected the end, found %" PRIu64 " bytes more", s.left);
    if (status != AKIDB_OK)
        *entry_out = (ak_log_entry){0};
    return status;
}
