/*
 * The writer cuts what is appended into row groups. A row group that lies in one batch is encoded
 * from the caller's memory; what does not fill one is collected in `pending`.
 */
#include "parquet/writer.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/error.h"
#include "document/documents.h"
#include "document/new_ids.h"
#include "parquet/batch_check.h"
#include "parquet/profile.h"
#include "parquet/row_group_queue.h"

typedef enum writer_state { STATE_OPEN, STATE_FINISHED, STATE_FAILED } writer_state;

struct akidb_parquet_writer {
    writer_state state;
    ak_writer_settings settings;
    ak_parquet_file file;
    ak_row_group_queue *queue;
    akidb_documents *pending;
    uint64_t pending_bytes; /* as row_bytes counts them */
    uint64_t rows;          /* appended */
    ak_id_sequence new_ids; /* for documents that come without an id */
};

akidb_status ak_parquet_writer_open(const akidb_output *output, const ak_writer_settings *settings,
                                    akidb_parquet_writer **writer_out, akidb_error *err)
{
    *writer_out = NULL;
    if (output == NULL || output->ops == NULL || output->ops->write == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "output: expected a write function, found none");
    akidb_parquet_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return ak_fail_memory(err, sizeof *writer);
    writer->settings = *settings;
    ak_parquet_file_init(&writer->file, output, settings);
    akidb_status status =
        ak_row_group_queue_new(&writer->settings, &writer->file, &writer->queue, err);
    if (status == AKIDB_OK)
        status = akidb_documents_new(settings->dimension, &writer->pending, err);
    if (status != AKIDB_OK) {
        akidb_parquet_writer_free(writer);
        return status;
    }
    *writer_out = writer;
    return AKIDB_OK;
}

akidb_status akidb_parquet_writer_open(const akidb_output *output, uint32_t dimension,
                                       const akidb_parquet_options *options,
                                       akidb_parquet_writer **writer_out, akidb_error *err)
{
    *writer_out = NULL;
    ak_writer_settings settings;
    akidb_status status = ak_writer_settings_make(&settings, dimension, options, err);
    return status != AKIDB_OK ? status : ak_parquet_writer_open(output, &settings, writer_out, err);
}

void akidb_parquet_writer_free(akidb_parquet_writer *writer)
{
    if (writer == NULL)
        return;
    ak_row_group_queue_free(writer->queue);
    ak_parquet_file_free(&writer->file);
    akidb_documents_free(writer->pending);
    free(writer);
}

uint64_t akidb_parquet_writer_size(const akidb_parquet_writer *writer)
{
    return writer->file.size;
}

const ak_writer_settings *ak_parquet_writer_settings(const akidb_parquet_writer *writer)
{
    return &writer->settings;
}

static akidb_status check_open(const akidb_parquet_writer *writer, akidb_error *err)
{
    switch (writer->state) {
    case STATE_OPEN: return AKIDB_OK;
    case STATE_FINISHED:
        return ak_fail(err, AKIDB_E_PRECONDITION, "parquet writer: the file is finished already");
    default:
        return ak_fail(err, AKIDB_E_PRECONDITION,
                       "parquet writer: an earlier call has failed, the file cannot be continued");
    }
}

/* ---- cutting into row groups ----------------------------------------------------------------- */

static uint64_t row_bytes(const akidb_batch *batch, size_t row)
{
    enum { FIXED = sizeof(akidb_uuid) + sizeof(uint32_t) + sizeof(int64_t) };
    return FIXED + (uint64_t)batch->dimension * sizeof(float) +
           akidb_texts_at(&batch->external_ids, row).size +
           akidb_texts_at(&batch->metadata, row).size;
}

/* How many rows from `first` on go into the pending row group: one at least when it is empty. */
static size_t rows_that_fit(const akidb_parquet_writer *writer, const akidb_batch *batch,
                            size_t first, uint64_t *bytes_out)
{
    const ak_writer_settings *settings = &writer->settings;
    size_t pending = writer->pending->rows, count = 0;
    uint64_t bytes = writer->pending_bytes;
    while (first + count < batch->rows && pending + count < settings->row_group_size) {
        uint64_t row = row_bytes(batch, first + count);
        if (pending + count > 0 && bytes + row > settings->row_group_bytes)
            break;
        bytes += row;
        count++;
    }
    *bytes_out = bytes;
    return count;
}

/* Copies rows of a valid batch to the pending documents. */
static akidb_status collect(akidb_documents *pending, const akidb_batch *batch, size_t first,
                            size_t rows, akidb_error *err)
{
    if (rows == 0)
        return AKIDB_OK;
    akidb_status status = ak_documents_reserve(pending, rows, err);
    if (status == AKIDB_OK)
        status = ak_texts_append_rows(&pending->external_ids, pending->rows, &batch->external_ids,
                                      first, rows, err);
    if (status == AKIDB_OK)
        status = ak_texts_append_rows(&pending->metadata, pending->rows, &batch->metadata, first,
                                      rows, err);
    if (status != AKIDB_OK)
        return status;
    size_t floats = batch->dimension;
    memcpy(pending->vectors + pending->rows * floats, batch->vectors + first * floats,
           rows * floats * sizeof(float));
    memcpy(pending->document_ids + pending->rows, batch->document_ids + first,
           rows * sizeof *batch->document_ids);
    memcpy(pending->inserted_at + pending->rows, batch->inserted_at + first,
           rows * sizeof *batch->inserted_at);
    pending->rows += rows;
    return AKIDB_OK;
}

/* Before the first row group is encoded: lets the profile look at it. */
static akidb_status decide(akidb_parquet_writer *writer, const akidb_batch *batch, size_t first,
                           size_t rows, akidb_error *err)
{
    if (!writer->settings.is_undecided)
        return AKIDB_OK;
    return ak_profile_decide(&writer->settings, batch, first, rows, err);
}

static akidb_status flush_pending(akidb_parquet_writer *writer, akidb_error *err)
{
    akidb_batch batch = akidb_documents_batch(writer->pending);
    akidb_status status = decide(writer, &batch, 0, batch.rows, err);
    if (status != AKIDB_OK)
        return status;
    writer->pending_bytes = 0;
    return ak_row_group_queue_add_owned(writer->queue, &writer->pending, err);
}

static akidb_status append_rows(akidb_parquet_writer *writer, const akidb_batch *batch,
                                bool is_last, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    size_t first = 0;
    while (first < batch->rows && status == AKIDB_OK) {
        uint64_t bytes;
        size_t rows = rows_that_fit(writer, batch, first, &bytes);
        bool is_full = first + rows < batch->rows || is_last ||
                       writer->pending->rows + rows == writer->settings.row_group_size;
        if (is_full && writer->pending->rows == 0) {
            status = decide(writer, batch, first, rows, err);
            if (status == AKIDB_OK)
                status = ak_row_group_queue_add_borrowed(writer->queue, batch, first, rows, err);
        } else {
            status = collect(writer->pending, batch, first, rows, err);
            writer->pending_bytes = bytes;
            if (status == AKIDB_OK && is_full)
                status = flush_pending(writer, err);
        }
        first += rows;
    }
    return status != AKIDB_OK ? status : ak_row_group_queue_return_borrowed(writer->queue, err);
}

/* ---- append and finish ----------------------------------------------------------------------- */

/* Columns that the caller left to us. */
typedef struct made_columns {
    akidb_uuid *ids;
    int64_t *times;
} made_columns;

static void made_columns_free(made_columns *made)
{
    free(made->ids);
    free(made->times);
}

static akidb_status make_columns(akidb_parquet_writer *writer, akidb_batch *batch,
                                 made_columns *made, akidb_error *err)
{
    int64_t now = akidb_clock_now(NULL);
    if (batch->document_ids == NULL) {
        made->ids = calloc(batch->rows, sizeof *made->ids);
        if (made->ids == NULL)
            return ak_fail_memory(err, batch->rows * sizeof *made->ids);
        akidb_status status =
            ak_id_sequence_take(&writer->new_ids, now, made->ids, batch->rows, err);
        if (status != AKIDB_OK)
            return status;
        batch->document_ids = made->ids;
    }
    if (batch->inserted_at == NULL) {
        made->times = calloc(batch->rows, sizeof *made->times);
        if (made->times == NULL)
            return ak_fail_memory(err, batch->rows * sizeof *made->times);
        if (writer->settings.unit == AK_UNIT_MILLIS)
            now -= now % 1000;
        for (size_t i = 0; i < batch->rows; i++)
            made->times[i] = now;
        batch->inserted_at = made->times;
    }
    return AKIDB_OK;
}

akidb_status ak_parquet_writer_append_checked(akidb_parquet_writer *writer,
                                              const akidb_batch *batch, bool is_last,
                                              akidb_error *err)
{
    akidb_status status = check_open(writer, err);
    if (status == AKIDB_OK && batch->rows > 0)
        status = append_rows(writer, batch, is_last, err);
    if (status == AKIDB_OK) {
        writer->rows += batch->rows;
    } else {
        writer->state = STATE_FAILED;
        ak_row_group_queue_stop(writer->queue); /* the batch is not borrowed any longer */
    }
    return status;
}

static akidb_status append(akidb_parquet_writer *writer, const akidb_batch *batch, bool is_last,
                           akidb_error *err)
{
    akidb_status status = check_open(writer, err);
    if (status != AKIDB_OK || batch->rows == 0)
        return status;
    status = ak_check_batch(batch, &writer->settings, writer->rows, err);
    if (status != AKIDB_OK)
        return status;

    made_columns made = {0};
    akidb_batch whole = *batch;
    status = make_columns(writer, &whole, &made, err);
    if (status == AKIDB_OK)
        status = ak_parquet_writer_append_checked(writer, &whole, is_last, err);
    else
        writer->state = STATE_FAILED;
    made_columns_free(&made);
    return status;
}

akidb_status akidb_parquet_writer_append(akidb_parquet_writer *writer, const akidb_batch *batch,
                                         akidb_error *err)
{
    return append(writer, batch, false, err);
}

akidb_status ak_parquet_writer_append_last(akidb_parquet_writer *writer, const akidb_batch *batch,
                                           akidb_error *err)
{
    return append(writer, batch, true, err);
}

akidb_status akidb_parquet_writer_finish(akidb_parquet_writer *writer,
                                         akidb_parquet_summary *summary_out, akidb_error *err)
{
    *summary_out = (akidb_parquet_summary){0};
    akidb_status status = check_open(writer, err);
    if (status != AKIDB_OK)
        return status;
    if (writer->pending->rows > 0)
        status = flush_pending(writer, err);
    if (status == AKIDB_OK)
        status = ak_row_group_queue_finish(writer->queue, err);
    if (status == AKIDB_OK)
        status = ak_parquet_file_end(&writer->file, &writer->settings, summary_out, err);
    writer->state = status == AKIDB_OK ? STATE_FINISHED : STATE_FAILED;
    return status;
}
