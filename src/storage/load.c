/* Snapshots into memory: recovery, restore and adoption. */
#include <inttypes.h>

#include "base/error.h"
#include "storage/storage.h"

akidb_status ak_check_lineage(const akidb_uuid *log_id, const akidb_snapshot_metadata *metadata,
                              const ak_catalogue_collection *lineage, akidb_error *err)
{
    if (metadata->has_lineage && metadata->lsn == lineage->snapshot_lsn &&
        akidb_uuid_compare(&metadata->log_id, log_id) == 0 &&
        akidb_uuid_compare(&metadata->incarnation, &lineage->incarnation) == 0)
        return AKIDB_OK;
    char log[AKIDB_UUID_TEXT_SIZE], incarnation[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(log_id, log);
    akidb_uuid_format(&lineage->incarnation, incarnation);
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(metadata->key),
                      "expected a snapshot of log %s, incarnation %s, LSN %" PRIu64
                      ", found one that is of another log, incarnation or LSN",
                      log, incarnation, lineage->snapshot_lsn);
}

akidb_status ak_check_snapshot(const akidb_storage *storage,
                               const akidb_snapshot_metadata *metadata, uint32_t dimension,
                               const ak_catalogue_collection *lineage, akidb_error *err)
{
    if (metadata->dimension != dimension)
        return ak_fail_at(err, lineage != NULL ? AKIDB_E_CORRUPTION : AKIDB_E_VALIDATION,
                          AK_IN(metadata->key), "expected dimension %" PRIu32 ", found %" PRIu32,
                          dimension, metadata->dimension);
    return lineage == NULL ? AKIDB_OK : ak_check_lineage(&storage->log_id, metadata, lineage, err);
}

akidb_status ak_load_batch(akidb_storage *storage, ak_contents *contents, const akidb_batch *batch,
                           akidb_error *err)
{
    if (batch->rows == 0)
        return AKIDB_OK;
    ak_log_columns columns = {0};
    akidb_status status = ak_log_columns_take(&columns, batch, err);
    if (status == AKIDB_OK)
        status = ak_contents_load(contents, &columns.rows, 0, storage->memory_limit, err);
    ak_log_columns_free(&columns);
    return status;
}

static akidb_status load_all(akidb_storage *storage, akidb_snapshot_reader *reader,
                             ak_contents *contents, akidb_error *err)
{
    akidb_documents *documents;
    bool done = false;
    akidb_status status = akidb_documents_new(contents->dimension, &documents, err);
    while (status == AKIDB_OK && !done) {
        status = akidb_snapshot_next(reader, documents, &done, err);
        akidb_batch batch = akidb_documents_batch(documents);
        if (status == AKIDB_OK)
            status = ak_load_batch(storage, contents, &batch, err);
    }
    akidb_documents_free(documents);
    return status;
}

akidb_status ak_load_snapshot(akidb_storage *storage, const akidb_uuid *collection_id,
                              const akidb_uuid *snapshot_id, uint32_t dimension,
                              const ak_catalogue_collection *lineage, ak_contents **contents_out,
                              akidb_error *err)
{
    *contents_out = NULL;
    akidb_snapshot_reader *reader;
    akidb_status status = akidb_snapshot_open(storage->foreground.store, collection_id, snapshot_id,
                                              NULL, &reader, err);
    if (status != AKIDB_OK)
        return status;
    ak_contents *contents = NULL;
    status =
        ak_check_snapshot(storage, akidb_snapshot_reader_metadata(reader), dimension, lineage, err);
    if (status == AKIDB_OK)
        status = ak_contents_new(dimension, storage->hash_seed, &storage->memory, &contents, err);
    if (status == AKIDB_OK)
        status = load_all(storage, reader, contents, err);
    akidb_snapshot_close(reader);
    if (status != AKIDB_OK) {
        ak_contents_free(contents);
        return status;
    }
    *contents_out = contents;
    return AKIDB_OK;
}
