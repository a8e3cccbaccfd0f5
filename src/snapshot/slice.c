#include "snapshot/slice.h"

#include <string.h>

#include "base/buffer.h"

/* Bits first .. first + rows - 1 of a bitmap, moved to begin at bit 0. */
static akidb_status shift_bits(const uint8_t *bits, size_t first, size_t rows, akidb_buffer *out,
                               akidb_error *err)
{
    size_t bytes = (rows + 7) / 8;
    out->size = 0;
    akidb_status status = ak_buffer_reserve(out, bytes, err);
    if (status != AKIDB_OK)
        return status;
    memset(out->data, 0, bytes);
    for (size_t i = 0; i < rows; i++)
        if ((bits[(first + i) / 8] >> ((first + i) % 8) & 1) != 0)
            out->data[i / 8] |= (uint8_t)(1u << i % 8);
    out->size = bytes;
    return AKIDB_OK;
}

static akidb_status slice_texts(akidb_texts *texts, size_t first, size_t rows, akidb_buffer *bits,
                                akidb_error *err)
{
    if (texts->offsets != NULL)
        texts->offsets += first;
    if (texts->validity == NULL)
        return AKIDB_OK;
    if (first % 8 == 0) {
        texts->validity += first / 8;
        return AKIDB_OK;
    }
    akidb_status status = shift_bits(texts->validity, first, rows, bits, err);
    texts->validity = bits->data;
    return status;
}

akidb_status ak_batch_slice_take(ak_batch_slice *slice, const akidb_batch *batch, size_t first,
                                 size_t rows, akidb_error *err)
{
    akidb_batch *own = &slice->batch;
    *own = *batch;
    own->rows = rows;
    if (batch->vectors != NULL)
        own->vectors = batch->vectors + first * batch->dimension;
    if (batch->document_ids != NULL)
        own->document_ids = batch->document_ids + first;
    if (batch->inserted_at != NULL)
        own->inserted_at = batch->inserted_at + first;
    akidb_status status =
        slice_texts(&own->external_ids, first, rows, &slice->external_validity, err);
    if (status == AKIDB_OK)
        status = slice_texts(&own->metadata, first, rows, &slice->metadata_validity, err);
    return status;
}

void ak_batch_slice_free(ak_batch_slice *slice)
{
    akidb_buffer_free(&slice->external_validity);
    akidb_buffer_free(&slice->metadata_validity);
    *slice = (ak_batch_slice){0};
}
