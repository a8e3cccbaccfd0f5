#include <inttypes.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "snapshot/metadata.h"
#include "json/json.h"

static akidb_status put_string(akidb_buffer *text, const char *string, akidb_error *err)
{
    return ak_json_append_string(text, (akidb_slice){string, strlen(string)}, err);
}

static akidb_status put_plan_fields(const akidb_snapshot_metadata *metadata, akidb_buffer *text,
                                    akidb_error *err)
{
    char snapshot[AKIDB_UUID_TEXT_SIZE], collection[AKIDB_UUID_TEXT_SIZE];
    char created_at[AKIDB_TIME_TEXT_SIZE];
    akidb_uuid_format(&metadata->snapshot_id, snapshot);
    akidb_uuid_format(&metadata->collection_id, collection);
    akidb_time_format(metadata->created_at, created_at);
    return ak_buffer_printf(
        text, err,
        "{\"snapshot_id\":\"%s\",\"collection_id\":\"%s\",\"vector_count\":%" PRIu64
        ",\"dimension\":%" PRIu32 ",\"created_at\":\"%s\",\"size_bytes\":%" PRIu64
        ",\"compression\":\"%s\",\"format\":\"%s\"",
        snapshot, collection, metadata->vector_count, metadata->dimension, created_at,
        metadata->size_bytes, akidb_compression_name(metadata->compression),
        metadata->format == AKIDB_FORMAT_JSON ? "Json" : "Parquet");
}

static akidb_status put_labels(const akidb_snapshot_metadata *metadata, akidb_buffer *text,
                               akidb_error *err)
{
    akidb_status status = ak_buffer_printf(text, err, ",\"labels\":{");
    for (size_t i = 0; i < metadata->label_count && status == AKIDB_OK; i++) {
        if (i > 0)
            status = ak_buffer_put(text, ',', err);
        if (status == AKIDB_OK)
            status = put_string(text, metadata->labels[i].key, err);
        if (status == AKIDB_OK)
            status = ak_buffer_put(text, ':', err);
        if (status == AKIDB_OK)
            status = put_string(text, metadata->labels[i].value, err);
    }
    return status != AKIDB_OK ? status : ak_buffer_put(text, '}', err);
}

static akidb_status put_part(const akidb_snapshot_part *part, akidb_buffer *text, akidb_error *err)
{
    const akidb_parquet_summary *summary = &part->summary;
    akidb_status status = ak_buffer_printf(text, err, "{\"key\":");
    if (status == AKIDB_OK)
        status = put_string(text, part->key, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(text, err,
                                  ",\"rows\":%" PRIu64 ",\"size_bytes\":%" PRIu64
                                  ",\"crc32c\":\"%08" PRIx32 "\",\"tail\":{\"size\":%" PRIu64
                                  ",\"crc32c\":\"%08" PRIx32 "\"},\"row_groups\":[",
                                  summary->rows, summary->file.size, summary->file.crc32c,
                                  summary->tail.size, summary->tail.crc32c);
    for (size_t i = 0; i < summary->row_group_count && status == AKIDB_OK; i++) {
        const akidb_parquet_row_group_summary *group = &summary->row_groups[i];
        status =
            ak_buffer_printf(text, err,
                             "%s{\"rows\":%" PRIu64 ",\"size\":%" PRIu64 ",\"crc32c\":\"%08" PRIx32
                             "\",\"small_size\":%" PRIu64 ",\"small_crc32c\":\"%08" PRIx32 "\"}",
                             i == 0 ? "" : ",", group->rows, group->all.size, group->all.crc32c,
                             group->small.size, group->small.crc32c);
    }
    return status != AKIDB_OK ? status : ak_buffer_printf(text, err, "]}");
}

static akidb_status put_lineage(const akidb_snapshot_metadata *metadata, akidb_buffer *text,
                                akidb_error *err)
{
    if (!metadata->has_lineage)
        return AKIDB_OK;
    char log_id[AKIDB_UUID_TEXT_SIZE], incarnation[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&metadata->log_id, log_id);
    akidb_uuid_format(&metadata->incarnation, incarnation);
    return ak_buffer_printf(text, err, ",\"log_id\":\"%s\",\"incarnation\":\"%s\",\"lsn\":%" PRIu64,
                            log_id, incarnation, metadata->lsn);
}

static akidb_status put_profile(const akidb_snapshot_metadata *metadata, akidb_buffer *text,
                                akidb_error *err)
{
    if (metadata->profile == NULL)
        return AKIDB_OK;
    akidb_status status = ak_buffer_printf(text, err, ",\"profile\":");
    if (status == AKIDB_OK)
        status = put_string(text, metadata->profile, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(text, err, ",\"profile_choice\":");
    return status != AKIDB_OK ? status : put_string(text, metadata->profile_choice, err);
}

akidb_status ak_metadata_write(const akidb_snapshot_metadata *metadata, akidb_buffer *text,
                               akidb_error *err)
{
    char writer[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&metadata->writer_id, writer);
    akidb_status status = put_plan_fields(metadata, text, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(text, err, ",\"format_version\":1,\"writer\":");
    if (status == AKIDB_OK)
        status = put_string(text, metadata->writer_version, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(text, err, ",\"writer_id\":\"%s\"", writer);
    if (status == AKIDB_OK)
        status = put_lineage(metadata, text, err);
    if (status == AKIDB_OK)
        status = put_profile(metadata, text, err);
    if (status == AKIDB_OK)
        status = put_labels(metadata, text, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(text, err, ",\"parts\":[");
    for (size_t i = 0; i < metadata->part_count && status == AKIDB_OK; i++) {
        if (i > 0)
            status = ak_buffer_put(text, ',', err);
        if (status == AKIDB_OK)
            status = put_part(&metadata->parts[i], text, err);
    }
    if (status == AKIDB_OK)
        status = ak_buffer_put(text, ']', err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(text, err, ",\"checksum\":\"crc32c:%08" PRIx32 "\"}\n",
                                  ak_crc32c(0, text->data, text->size));
    return status;
}
