/* From memory to the disk: the batch, its segments, the syncs. */
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "wal/log.h"

/* A batch's memory beyond this is given back when it has been written. */
enum { KEPT_BATCH_BYTES = 32 << 20 };

/* ---- failures -------------------------------------------------------------------------------- */

void ak_wal_set_failed(ak_wal *wal, const akidb_error *err)
{
    if (!wal->failed)
        wal->failure = *err;
    wal->failed = true;
    pthread_cond_broadcast(&wal->changed);
}

akidb_status ak_wal_fail_failed(const ak_wal *wal, akidb_error *err)
{
    if (err != NULL) {
        *err = wal->failure;
        ak_error_context(err, "the log takes nothing more until it is opened again, since this "
                              "failed");
        err->status = AKIDB_E_IO;
    }
    return AKIDB_E_IO;
}

/* ---- the writer, without the mutex ----------------------------------------------------------- */

static akidb_status sync_current(ak_wal *wal, uint64_t *syncs, akidb_error *err)
{
    const akidb_files *files = wal->folder.files;
    ++*syncs;
    int error_number = files->ops->sync_data(files->handle, wal->file);
    if (error_number == 0)
        return AKIDB_OK;
    return ak_wal_fail_errno(&wal->folder, error_number, NULL, "syncing the log", err);
}

/* The segment before is complete in the kernel: it must be on the disk before the next one has its
 * name, or the log would seem damaged in the middle. */
static akidb_status leave_segment(ak_wal *wal, uint64_t *syncs, akidb_error *err)
{
    pthread_mutex_lock(&wal->mutex);
    while (wal->syncing)
        pthread_cond_wait(&wal->changed, &wal->mutex);
    pthread_mutex_unlock(&wal->mutex);
    akidb_status status = sync_current(wal, syncs, err);
    if (status != AKIDB_OK)
        return status;
    const akidb_files *files = wal->folder.files;
    int error_number = files->ops->close_file(files->handle, wal->file);
    pthread_mutex_lock(&wal->mutex);
    wal->file_open = false;
    pthread_mutex_unlock(&wal->mutex);
    if (error_number == 0)
        return AKIDB_OK;
    return ak_wal_fail_errno(&wal->folder, error_number, NULL, "closing a segment", err);
}

/* Writes and names a segment that begins in the batch. */
static akidb_status enter_segment(ak_wal *wal, ak_wal_piece *piece, akidb_slice bytes,
                                  uint64_t *syncs, akidb_error *err)
{
    akidb_status status = leave_segment(wal, syncs, err);
    if (status != AKIDB_OK)
        return status;
    const char *step;
    ++*syncs;
    int error_number = ak_wal_publish(&wal->folder, piece->spare.name, piece->spare.file,
                                      piece->number, bytes, &step);
    if (error_number != 0)
        return ak_wal_fail_errno(&wal->folder, error_number, NULL, step, err);
    pthread_mutex_lock(&wal->mutex);
    wal->file = piece->spare.file;
    wal->file_open = true;
    wal->flushing.done++;
    wal->segments[wal->segment_count - 1].end = piece->records_end;
    /* There is room: it was reserved with the piece. */
    wal->segments[wal->segment_count++] =
        (ak_wal_segment){.number = piece->number, .first_lsn = piece->first_lsn, .end = bytes.size};
    pthread_mutex_unlock(&wal->mutex);
    return AKIDB_OK;
}

static akidb_status write_pieces(ak_wal *wal, uint64_t *syncs, akidb_error *err)
{
    const akidb_files *files = wal->folder.files;
    ak_wal_batch *batch = &wal->flushing;
    for (size_t i = 0; i < batch->count; i++) {
        ak_wal_piece *piece = &batch->pieces[i];
        size_t end = i + 1 < batch->count ? piece[1].start : batch->bytes.size;
        akidb_slice bytes = {batch->bytes.data + piece->start, end - piece->start};
        if (piece->begins) {
            akidb_status status = enter_segment(wal, piece, bytes, syncs, err);
            if (status != AKIDB_OK)
                return status;
            continue;
        }
        int error_number = files->ops->write_at(files->handle, wal->file, piece->offset, &bytes, 1);
        if (error_number != 0)
            return ak_wal_fail_errno(&wal->folder, error_number, NULL, "writing the log", err);
        pthread_mutex_lock(&wal->mutex);
        wal->segments[wal->segment_count - 1].end = piece->offset + bytes.size;
        pthread_mutex_unlock(&wal->mutex);
    }
    return AKIDB_OK;
}

/* ---- roles ----------------------------------------------------------------------------------- */

static void reset_batch(ak_wal_batch *batch)
{
    batch->bytes.size = 0;
    batch->count = 0;
    batch->done = 0;
    if (batch->bytes.capacity > KEPT_BATCH_BYTES)
        akidb_buffer_free(&batch->bytes);
}

void ak_wal_write_batch(ak_wal *wal)
{
    wal->writing = true;
    ak_wal_batch batch = wal->filling;
    wal->filling = wal->flushing;
    wal->flushing = batch;
    uint64_t last_lsn = wal->next_lsn - 1;
    pthread_mutex_unlock(&wal->mutex);

    akidb_error err = {0};
    uint64_t syncs = 0;
    bool sync = wal->durability == AK_WAL_EVERY_COMMIT;
    akidb_status status = write_pieces(wal, &syncs, &err);
    /* A batch that ends with what began a segment was synced with it. */
    bool synced = batch.count > 0 && batch.pieces[batch.count - 1].begins;
    if (status == AKIDB_OK && sync && !synced)
        status = sync_current(wal, &syncs, &err);

    pthread_mutex_lock(&wal->mutex);
    wal->writing = false;
    wal->syncs += syncs;
    if (status != AKIDB_OK) {
        ak_wal_set_failed(wal, &err);
        return; /* the batch keeps its spare files for ak_wal_discard_spares */
    }
    /* What failed beside this has told those who wait for earlier entries: none later may hold. */
    if (!wal->failed)
        wal->written_lsn = last_lsn;
    if ((sync || synced) && !wal->failed)
        wal->durable_lsn = last_lsn;
    reset_batch(&wal->flushing);
    pthread_cond_broadcast(&wal->changed);
}

/* Syncs what is with the kernel, beside a writer. */
static void sync_written(ak_wal *wal)
{
    wal->syncing = true;
    uint64_t last_lsn = wal->written_lsn;
    pthread_mutex_unlock(&wal->mutex);
    akidb_error err = {0};
    uint64_t syncs = 0;
    akidb_status status = sync_current(wal, &syncs, &err);
    pthread_mutex_lock(&wal->mutex);
    wal->syncing = false;
    wal->syncs += syncs;
    if (status != AKIDB_OK)
        ak_wal_set_failed(wal, &err);
    else if (!wal->failed && last_lsn > wal->durable_lsn)
        wal->durable_lsn = last_lsn;
    pthread_cond_broadcast(&wal->changed);
}

akidb_status ak_wal_until_written(ak_wal *wal, uint64_t lsn, akidb_error *err)
{
    while (wal->written_lsn < lsn) {
        if (wal->failed)
            return ak_wal_fail_failed(wal, err);
        if (wal->writing)
            pthread_cond_wait(&wal->changed, &wal->mutex);
        else
            ak_wal_write_batch(wal);
    }
    return AKIDB_OK;
}

akidb_status ak_wal_until_durable(ak_wal *wal, uint64_t lsn, akidb_error *err)
{
    while (wal->durable_lsn < lsn) {
        if (wal->failed)
            return ak_wal_fail_failed(wal, err);
        if (wal->written_lsn < lsn && !wal->writing)
            ak_wal_write_batch(wal);
        else if (wal->writing || wal->syncing)
            pthread_cond_wait(&wal->changed, &wal->mutex);
        else
            sync_written(wal);
    }
    return AKIDB_OK;
}

static void discard(ak_wal *wal, const ak_wal_spare *spare)
{
    const akidb_files *files = wal->folder.files;
    (void)files->ops->close_file(files->handle, spare->file); /* nothing in it counts */
    (void)files->ops->unlink(files->handle, wal->folder.folder, spare->name); /* or the next open */
}

static void discard_pieces(ak_wal *wal, ak_wal_batch *batch)
{
    size_t begun = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->pieces[i].begins && begun++ >= batch->done)
            discard(wal, &batch->pieces[i].spare);
    batch->count = 0;
}

void ak_wal_discard_spares(ak_wal *wal)
{
    discard_pieces(wal, &wal->flushing);
    discard_pieces(wal, &wal->filling);
    for (size_t i = 0; i < wal->spare_count; i++)
        discard(wal, &wal->spares[i]);
    wal->spare_count = 0;
}
