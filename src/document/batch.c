#include "akidb/batch.h"

akidb_slice akidb_texts_at(const akidb_texts *texts, size_t row)
{
    const akidb_slice null = {NULL, 0};
    if (texts->offsets == NULL)
        return null;
    if (texts->validity != NULL && (texts->validity[row / 8] >> row % 8 & 1) == 0)
        return null;
    uint64_t first = texts->offsets[row];
    size_t size = (size_t)(texts->offsets[row + 1] - first);
    /* A column of empty texts may have no bytes at all; an empty text is still not null. */
    return (akidb_slice){texts->bytes == NULL ? "" : texts->bytes + first, size};
}

static akidb_texts texts_from(const akidb_texts *texts, size_t first)
{
    akidb_texts view = *texts;
    if (view.offsets != NULL)
        view.offsets += first;
    if (view.validity != NULL)
        view.validity += first / 8;
    return view;
}

akidb_batch akidb_batch_rows(const akidb_batch *batch, size_t first, size_t rows)
{
    akidb_batch view = *batch;
    view.rows = rows;
    if (view.vectors != NULL)
        view.vectors += first * view.dimension;
    if (view.document_ids != NULL)
        view.document_ids += first;
    if (view.inserted_at != NULL)
        view.inserted_at += first;
    view.external_ids = texts_from(&batch->external_ids, first);
    view.metadata = texts_from(&batch->metadata, first);
    return view;
}
