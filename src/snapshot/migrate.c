/* A snapshot written anew, in another format or with other options, and compared bit by bit. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "document/documents.h"
#include "snapshot/reader.h"
#include "snapshot/writer.h"

static const char from_label[] = "migrated-from";

/* ---- writing --------------------------------------------------------------------------------- */

/* The source's labels, and where it came from. Borrows from the metadata and `id`; free with
 * free(). */
static akidb_label *make_labels(const akidb_snapshot_metadata *source, const char *id,
                                size_t *count_out)
{
    akidb_label *labels = calloc(source->label_count + 1, sizeof *labels);
    if (labels == NULL)
        return NULL;
    size_t count = 0;
    for (size_t i = 0; i < source->label_count; i++)
        if (strcmp(source->labels[i].key, from_label) != 0)
            labels[count++] = source->labels[i];
    labels[count++] = (akidb_label){from_label, id};
    *count_out = count;
    return labels;
}

static akidb_status begin(akidb_snapshotter *snapshotter, const akidb_snapshot_metadata *source,
                          akidb_snapshot_writer **writer_out, akidb_error *err)
{
    *writer_out = NULL;
    char id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&source->snapshot_id, id);
    /* The same documents hold the same writes. */
    ak_lineage lineage = {source->log_id, source->incarnation, source->lsn};
    ak_begin_options options = {
        .lineage = source->has_lineage ? &lineage : NULL,
        .create = {.struct_size = sizeof options.create,
                   .allow_empty = true,
                   .rows_hint = source->vector_count},
        .created_at = &source->created_at,
        /* How fine the times are is not known before all have been read. */
        .time_unit = snapshotter->parquet.time_unit == AKIDB_TIME_UNIT_DEFAULT
                         ? AKIDB_TIME_UNIT_MICROS
                         : snapshotter->parquet.time_unit,
    };
    akidb_label *labels = make_labels(source, id, &options.create.label_count);
    if (labels == NULL)
        return ak_fail_memory(err, sizeof *labels);
    options.create.labels = labels;
    akidb_status status = ak_snapshot_begin(snapshotter, &source->collection_id, source->dimension,
                                            &options, writer_out, err);
    free(labels);
    return status;
}

static akidb_status copy_documents(akidb_snapshotter *snapshotter, akidb_snapshot_reader *reader,
                                   akidb_snapshot_writer *writer, akidb_error *err)
{
    akidb_documents *documents;
    akidb_status status =
        akidb_documents_new(akidb_snapshot_reader_metadata(reader)->dimension, &documents, err);
    bool done = false;
    while (status == AKIDB_OK && !done) {
        akidb_documents_clear(documents);
        status = ak_snapshot_read(reader, snapshotter->threads, documents, &done, err);
        akidb_batch batch = akidb_documents_batch(documents);
        if (status == AKIDB_OK && batch.rows > 0)
            status = akidb_snapshot_append(writer, &batch, err);
    }
    akidb_documents_free(documents);
    return status;
}

static akidb_status write_copy(akidb_snapshotter *snapshotter, akidb_snapshot_reader *reader,
                               akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    *metadata_out = NULL;
    akidb_snapshot_writer *writer;
    akidb_status status = begin(snapshotter, akidb_snapshot_reader_metadata(reader), &writer, err);
    if (status != AKIDB_OK)
        return status;
    status = copy_documents(snapshotter, reader, writer, err);
    if (status != AKIDB_OK) {
        akidb_snapshot_abort(writer);
        return status;
    }
    return akidb_snapshot_commit(writer, NULL, metadata_out, err);
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* One of two streams that give the same documents in different helpings. */
typedef struct side {
    akidb_snapshot_reader *reader;
    akidb_documents *documents;
    akidb_batch batch;
    size_t row; /* of batch: the next to be compared */
    bool done;
    akidb_status status; /* of opening and reading it */
} side;

static akidb_status side_open(side *s, akidb_snapshotter *snapshotter,
                              const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
                              akidb_error *err)
{
    akidb_status status =
        akidb_snapshot_open(snapshotter, collection_id, snapshot_id, NULL, &s->reader, err);
    if (status == AKIDB_OK)
        status = akidb_documents_new(akidb_snapshot_reader_metadata(s->reader)->dimension,
                                     &s->documents, err);
    s->status = status;
    return status;
}

static void side_close(side *s)
{
    akidb_snapshot_close(s->reader);
    akidb_documents_free(s->documents);
}

/* Makes sure that there is a row to compare, unless there is none any more. */
static akidb_status side_fill(side *s, akidb_error *err)
{
    if (s->row < s->batch.rows || s->done)
        return AKIDB_OK;
    s->row = 0;
    akidb_status status = akidb_snapshot_next(s->reader, s->documents, &s->done, err);
    s->batch = akidb_documents_batch(s->documents);
    s->status = status;
    return status;
}

static bool same_text(const akidb_texts *a, size_t a_row, const akidb_texts *b, size_t b_row)
{
    akidb_slice left = akidb_texts_at(a, a_row), right = akidb_texts_at(b, b_row);
    if (left.data == NULL || right.data == NULL)
        return left.data == right.data; /* null is not the empty text */
    return left.size == right.size && memcmp(left.data, right.data, left.size) == 0;
}

/* The column in which two rows differ, or NULL. */
static const char *difference(const side *a, const side *b)
{
    const akidb_batch *left = &a->batch, *right = &b->batch;
    size_t d = left->dimension;
    if (akidb_uuid_compare(&left->document_ids[a->row], &right->document_ids[b->row]) != 0)
        return "document_id";
    if (!same_text(&left->external_ids, a->row, &right->external_ids, b->row))
        return "external_id";
    if (memcmp(left->vectors + a->row * d, right->vectors + b->row * d, d * sizeof(float)) != 0)
        return "vector";
    if (!same_text(&left->metadata, a->row, &right->metadata, b->row))
        return "metadata";
    if (left->inserted_at[a->row] != right->inserted_at[b->row])
        return "inserted_at";
    return NULL;
}

static akidb_status compare_rows(side *old, side *new, akidb_error *err)
{
    const akidb_snapshot_metadata *metadata = akidb_snapshot_reader_metadata(new->reader);
    for (uint64_t row = 0;; row++) {
        akidb_status status = side_fill(old, err);
        if (status == AKIDB_OK)
            status = side_fill(new, err);
        if (status != AKIDB_OK)
            return status;
        if (old->done && new->done)
            return AKIDB_OK;
        if (old->done || new->done)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(metadata->key),
                              "comparing with the source: expected as many documents, found %s "
                              "after %" PRIu64,
                              old->done ? "more" : "none", row);
        const char *column = difference(old, new);
        if (column != NULL)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_ROW(metadata->key, row, column),
                              "comparing with the source: expected the same bits, found others");
        old->row++;
        new->row++;
    }
}

/* *source_lost_out tells that it was the source that could not be read any more. */
static akidb_status compare(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                            const akidb_uuid *old_id, const akidb_uuid *new_id,
                            bool *source_lost_out, akidb_error *err)
{
    side old = {0}, new = {0};
    akidb_status status = side_open(&old, snapshotter, collection_id, old_id, err);
    if (status == AKIDB_OK)
        status = side_open(&new, snapshotter, collection_id, new_id, err);
    if (status == AKIDB_OK)
        status = compare_rows(&old, &new, err);
    *source_lost_out = old.status != AKIDB_OK && old.status != AKIDB_E_CANCELLED;
    side_close(&old);
    side_close(&new);
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* The copy is not to be had, or not to be trusted: takes it away again. But when it is the source
 * that cannot be read any more, the copy may be all that is left, and stays. */
static void withdraw(akidb_snapshotter *snapshotter, const akidb_snapshot_metadata *copy)
{
    akidb_error cause;
    if (akidb_snapshot_delete(snapshotter, &copy->collection_id, &copy->snapshot_id, &cause) !=
        AKIDB_OK)
        ak_snapshotter_log(snapshotter, AKIDB_LOG_WARNING, &cause,
                           "a copy that failed its comparison could not be removed: %s", copy->key);
}

static akidb_status delete_source(akidb_snapshotter *snapshotter,
                                  const akidb_snapshot_metadata *copy,
                                  const akidb_uuid *snapshot_id, akidb_error *err)
{
    akidb_status status =
        akidb_snapshot_delete(snapshotter, &copy->collection_id, snapshot_id, err);
    if (status != AKIDB_OK)
        ak_error_context(err, "the new snapshot %s stands, but the source could not be removed",
                         copy->key);
    return status;
}

akidb_status akidb_snapshot_migrate(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                    const akidb_uuid *snapshot_id,
                                    const akidb_migrate_options *options, akidb_uuid *new_id_out,
                                    akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    if (new_id_out != NULL)
        *new_id_out = (akidb_uuid){{0}};
    if (metadata_out != NULL)
        *metadata_out = NULL;
    akidb_migrate_options own;
    akidb_status status = ak_options_copy(&own, sizeof own, options, "akidb_migrate_options", err);
    if (status != AKIDB_OK)
        return status;
    akidb_snapshot_reader *reader;
    status = akidb_snapshot_open(snapshotter, collection_id, snapshot_id, NULL, &reader, err);
    if (status != AKIDB_OK)
        return status;
    akidb_snapshot_metadata *copy;
    status = write_copy(snapshotter, reader, &copy, err);
    akidb_snapshot_close(reader);
    if (status != AKIDB_OK)
        return status;
    bool source_lost;
    status =
        compare(snapshotter, collection_id, snapshot_id, &copy->snapshot_id, &source_lost, err);
    if (status != AKIDB_OK && source_lost)
        ak_error_context(err, "the new snapshot %s stands, but the source could not be read again",
                         copy->key);
    else if (status != AKIDB_OK)
        withdraw(snapshotter, copy);
    else if (own.delete_source)
        status = delete_source(snapshotter, copy, snapshot_id, err);
    if (status != AKIDB_OK) {
        akidb_snapshot_metadata_free(copy);
        return status;
    }
    if (new_id_out != NULL)
        *new_id_out = copy->snapshot_id;
    if (metadata_out != NULL)
        *metadata_out = copy;
    else
        akidb_snapshot_metadata_free(copy);
    return AKIDB_OK;
}
