/* A snapshot in one call. */
#include "base/error.h"
#include "base/options.h"
#include "parquet/batch_check.h"
#include "snapshot/writer.h"

/* The whole batch is there to look at: how many bytes will come, and how fine its times are. */
static void look_at(const akidb_snapshotter *snapshotter, const akidb_batch *batch,
                    ak_begin_options *options)
{
    options->create.rows_hint = batch->rows;
    options->bytes_hint = (uint64_t)batch->rows * (28 + (uint64_t)batch->dimension * 4);
    if (batch->external_ids.offsets != NULL)
        options->bytes_hint += batch->external_ids.offsets[batch->rows];
    if (batch->metadata.offsets != NULL)
        options->bytes_hint += batch->metadata.offsets[batch->rows];
    if (snapshotter->parquet.time_unit == AKIDB_TIME_UNIT_DEFAULT)
        options->time_unit =
            ak_batch_needs_micros(batch, NULL) ? AKIDB_TIME_UNIT_MICROS : AKIDB_TIME_UNIT_MILLIS;
}

akidb_status akidb_snapshot_create(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                   const akidb_batch *batch, const akidb_create_options *options,
                                   akidb_uuid *snapshot_id_out,
                                   akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    if (snapshot_id_out != NULL)
        *snapshot_id_out = (akidb_uuid){{0}};
    if (metadata_out != NULL)
        *metadata_out = NULL;
    if (batch == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "batch: expected documents, found NULL");
    ak_begin_options own = {0};
    akidb_status status =
        ak_options_copy(&own.create, sizeof own.create, options, "akidb_create_options", err);
    if (status != AKIDB_OK)
        return status;
    look_at(snapshotter, batch, &own);
    akidb_snapshot_writer *writer;
    status = ak_snapshot_begin(snapshotter, collection_id, batch->dimension, &own, &writer, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_snapshot_append_last(writer, batch, err);
    if (status != AKIDB_OK) {
        akidb_snapshot_abort(writer);
        return status;
    }
    return akidb_snapshot_commit(writer, snapshot_id_out, metadata_out, err);
}
