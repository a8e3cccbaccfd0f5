/* akidb/wal.h: the records of a log, put together to entries and told. */
#include "akidb/wal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "os/path.h"
#include "storage/log_entry.h"
#include "wal/wal.h"

const char *akidb_wal_kind_name(akidb_wal_kind kind)
{
    switch (kind) {
    case AKIDB_WAL_CREATE: return "create";
    case AKIDB_WAL_DROP: return "drop";
    case AKIDB_WAL_UPSERT: return "upsert";
    case AKIDB_WAL_DELETE: return "delete";
    case AKIDB_WAL_RESTORE: return "restore";
    case AKIDB_WAL_CHECKPOINT: return "checkpoint";
    }
    return "unknown";
}

/* The check under way, and the entry whose records are coming in. */
typedef struct check {
    const akidb_wal_visitor *visitor;
    akidb_wal_entry entry;
    bool open;
    akidb_buffer payload;
} check;

static akidb_status tell_segment(void *context, const ak_wal_segment_info *info, akidb_error *err)
{
    const akidb_wal_visitor *visitor = ((check *)context)->visitor;
    if (visitor == NULL || visitor->segment == NULL)
        return AKIDB_OK;
    const uint64_t last_ms = (uint64_t)AKIDB_TIME_MAX / 1000;
    const akidb_wal_segment segment = {
        .number = info->number,
        .first_lsn = info->first_lsn,
        .created_at = (int64_t)(info->created_ms < last_ms ? info->created_ms : last_ms) * 1000,
        .bytes = info->bytes,
        .rewritten = info->rewritten,
    };
    return visitor->segment(visitor->context, &segment, err);
}

static akidb_status tell_entry(check *c, akidb_error *err)
{
    const akidb_wal_visitor *visitor = c->visitor;
    c->open = false;
    if (visitor == NULL || visitor->entry == NULL)
        return AKIDB_OK;
    return visitor->entry(visitor->context, &c->entry, err);
}

static akidb_status decode(check *c, akidb_error *err)
{
    akidb_wal_entry *entry = &c->entry;
    ak_log_entry decoded;
    akidb_slice payload = {c->payload.data, c->payload.size};
    akidb_status status = ak_log_decode((ak_log_kind)entry->kind, payload, &decoded, err);
    if (status != AKIDB_OK) {
        ak_error_context(err, "segment %llu, offset %llu: entry %llu",
                         (unsigned long long)entry->segment, (unsigned long long)entry->offset,
                         (unsigned long long)entry->lsn);
        return status;
    }
    bool upsert = decoded.kind == AK_LOG_UPSERT;
    entry->whole = true;
    entry->collection = decoded.collection;
    entry->incarnation = decoded.incarnation;
    entry->documents = upsert ? decoded.rows.rows : decoded.id_count;
    entry->dimension = upsert ? decoded.rows.dimension : decoded.created.dimension;
    entry->name = decoded.created.has_name ? decoded.created.name : NULL;
    entry->snapshot_id = decoded.snapshot;
    entry->checkpoint_lsn = decoded.lsn;
    status = tell_entry(c, err);
    entry->name = NULL; /* its end */
    return status;
}

static akidb_status take_record(void *context, const ak_wal_record_info *record, akidb_error *err)
{
    check *c = context;
    if (record->kind == AK_WAL_SEAL)
        return AKIDB_OK;
    akidb_status status = AKIDB_OK;
    if (record->first) {
        if (c->open)
            status = tell_entry(c, err);
        c->entry = (akidb_wal_entry){.lsn = record->lsn,
                                     .kind = (akidb_wal_kind)record->kind,
                                     .segment = record->segment,
                                     .offset = record->offset};
        c->payload.size = 0;
        c->open = true;
    }
    /* The beginning may have gone with an earlier segment. */
    if (status != AKIDB_OK || !c->open || record->lsn != c->entry.lsn)
        return status;
    status = ak_buffer_append(&c->payload, record->payload.data, record->payload.size, err);
    c->entry.records++;
    c->entry.bytes = c->payload.size;
    c->entry.durable_lsn = record->durable_lsn;
    return status == AKIDB_OK && record->last ? decode(c, err) : status;
}

static void fill_report(akidb_wal_report *to, const ak_wal_report *from)
{
    *to = (akidb_wal_report){
        .segments = from->segments,
        .entries = from->entries,
        .bytes = from->bytes,
        .first_lsn = from->first_lsn,
        .last_lsn = from->last_lsn,
        .torn = from->torn,
        .torn_offset = from->torn_offset,
        .torn_bytes = from->torn_bytes,
        .dropped_entries = from->dropped_entries,
        .dropped_bytes = from->dropped_bytes,
    };
    memcpy(to->log_id.bytes, from->log_id, sizeof to->log_id.bytes);
    memcpy(to->torn_segment, from->torn_segment, sizeof to->torn_segment);
    memcpy(to->dropped_from, from->dropped_from, sizeof to->dropped_from);
}

static akidb_status check_folder(const char *folder, akidb_recovery recovery, check *c,
                                 ak_wal_report *found, akidb_error *err)
{
    const ak_wal_options options = {
        .folder = folder, .recovery = (ak_wal_recovery)recovery, .read_only = true};
    const ak_wal_check_visitor visitor = {
        .segment = tell_segment, .record = take_record, .context = c};
    akidb_status status = ak_wal_check(&options, &visitor, found, err);
    if (c->open) {
        akidb_status told = tell_entry(c, status == AKIDB_OK ? err : NULL);
        status = status == AKIDB_OK ? told : status;
    }
    return status;
}

akidb_status akidb_wal_check(const char *data_folder, akidb_recovery recovery,
                             const akidb_wal_visitor *visitor, akidb_wal_report *report_out,
                             akidb_error *err)
{
    if (report_out != NULL)
        *report_out = (akidb_wal_report){0};
    if (data_folder == NULL || data_folder[0] == '\0')
        return ak_fail(err, AKIDB_E_VALIDATION, "data_folder: expected a path, found none");
    char *path;
    akidb_status status = ak_path_absolute(data_folder, &path, err);
    if (status != AKIDB_OK)
        return status;
    size_t size = strlen(path) + sizeof "/wal";
    char *folder = malloc(size);
    if (folder == NULL)
        status = ak_fail_memory(err, size);
    check c = {.visitor = visitor};
    ak_wal_report found = {0};
    if (status == AKIDB_OK) {
        snprintf(folder, size, "%s/wal", path);
        status = check_folder(folder, recovery, &c, &found, err);
    }
    if (status == AKIDB_OK && report_out != NULL)
        fill_report(report_out, &found);
    akidb_buffer_free(&c.payload);
    free(folder);
    free(path);
    return status;
}
