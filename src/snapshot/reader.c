/* Reading a snapshot: part after part, through the filter. */
#include "snapshot/reader.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/options.h"
#include "document/documents.h"
#include "snapshot/filter.h"
#include "snapshot/format.h"
#include "snapshot/part.h"

struct akidb_snapshot_reader {
    akidb_snapshotter *snapshotter;
    akidb_snapshot_metadata *metadata;
    const ak_format_ops *format;
    ak_filter filter;
    bool failed;
    bool gathers;        /* all documents go into one batch */
    bool thorough;       /* see ak_part_source */
    uint64_t given;      /* documents handed out */
    uint64_t bytes_read; /* of the parts that have been closed */

    /* the part that is being read */
    size_t next_part;
    void *part; /* NULL: none */
    ak_part_input source;
    akidb_input input;

    /* what a part gives before the filter has looked at its rows; NULL when all are wanted */
    akidb_documents *unfiltered;
    size_t *rows;
    size_t row_capacity;
};

/* ---- opening --------------------------------------------------------------------------------- */

akidb_status ak_snapshot_open(akidb_snapshotter *snapshotter, akidb_snapshot_metadata *metadata,
                              const akidb_filter *filter, akidb_snapshot_reader **reader_out,
                              akidb_error *err)
{
    *reader_out = NULL;
    akidb_snapshot_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        akidb_snapshot_metadata_free(metadata);
        return ak_fail_memory(err, sizeof *reader);
    }
    reader->snapshotter = snapshotter;
    reader->metadata = metadata;
    reader->format = ak_format_of(metadata->format);
    akidb_status status = ak_filter_init(&reader->filter, filter, err);
    if (status == AKIDB_OK && reader->filter.conditional)
        status = akidb_documents_new(metadata->dimension, &reader->unfiltered, err);
    if (status != AKIDB_OK) {
        akidb_snapshot_close(reader);
        return status;
    }
    *reader_out = reader;
    return AKIDB_OK;
}

akidb_status akidb_snapshot_open(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                 const akidb_uuid *snapshot_id, const akidb_filter *filter,
                                 akidb_snapshot_reader **reader_out, akidb_error *err)
{
    *reader_out = NULL;
    akidb_snapshot_metadata *metadata;
    akidb_status status = ak_metadata_find(snapshotter, collection_id, snapshot_id, &metadata, err);
    return status != AKIDB_OK ? status
                              : ak_snapshot_open(snapshotter, metadata, filter, reader_out, err);
}

static void close_part(akidb_snapshot_reader *reader)
{
    if (reader->part == NULL)
        return;
    reader->format->reader_close(reader->part);
    reader->part = NULL;
    reader->bytes_read += atomic_load(&reader->source.bytes_read);
    akidb_input_close(&reader->input);
}

void akidb_snapshot_close(akidb_snapshot_reader *reader)
{
    if (reader == NULL)
        return;
    close_part(reader);
    ak_filter_free(&reader->filter);
    akidb_documents_free(reader->unfiltered);
    akidb_snapshot_metadata_free(reader->metadata);
    free(reader->rows);
    free(reader);
}

const akidb_snapshot_metadata *akidb_snapshot_reader_metadata(const akidb_snapshot_reader *reader)
{
    return reader->metadata;
}

void ak_snapshot_be_thorough(akidb_snapshot_reader *reader)
{
    reader->thorough = true;
}

uint64_t ak_snapshot_bytes_read(const akidb_snapshot_reader *reader)
{
    return reader->bytes_read +
           (reader->part == NULL ? 0 : atomic_load(&reader->source.bytes_read));
}

/* Without checksums, at least the size must be the one that the metadata has; with them, a byte
 * that is missing or changed shows anyway, and a call to the store is saved. */
static akidb_status check_size(const akidb_snapshot_reader *reader, const akidb_snapshot_part *part,
                               akidb_error *err)
{
    if (reader->metadata->checked)
        return AKIDB_OK;
    akidb_object_info info;
    akidb_status status = akidb_store_head(reader->snapshotter->store, part->key, &info, err);
    if (status == AKIDB_OK && info.size != part->summary.file.size)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(part->key),
                          "expected %" PRIu64 " bytes, as the metadata has it, found %" PRIu64,
                          part->summary.file.size, info.size);
    return status;
}

/* Makes room for all documents of the part that has just been opened, if all of them will come and
 * its bytes can hold so many: floats hardly compress. A Parquet part that is open is known to be as
 * long as the metadata says, for its end was read; the documents of others just grow. */
static akidb_status reserve(const akidb_snapshot_reader *reader, const akidb_snapshot_part *part,
                            akidb_documents *documents, akidb_error *err)
{
    enum { PLAUSIBLE_RATIO = 4 };
    const ak_filter *filter = &reader->filter;
    uint64_t bytes;
    if (reader->metadata->format != AKIDB_FORMAT_PARQUET || filter->conditional ||
        filter->wanted.limit > 0 || (filter->wanted.columns & AKIDB_COLUMN_VECTOR) == 0 ||
        !ak_mul_u64(part->summary.rows, (uint64_t)reader->metadata->dimension * 4, &bytes) ||
        bytes / PLAUSIBLE_RATIO > part->summary.file.size)
        return AKIDB_OK;
    return ak_documents_reserve(documents, (size_t)part->summary.rows, err);
}

/* Opens the next part, whose documents will be added to `documents`. */
static akidb_status open_part(akidb_snapshot_reader *reader, akidb_documents *documents,
                              akidb_error *err)
{
    const akidb_snapshot_part *part = &reader->metadata->parts[reader->next_part];
    akidb_status status = check_size(reader, part, err);
    if (status != AKIDB_OK)
        return status;
    reader->input = ak_part_input_open(&reader->source, reader->snapshotter->store, part->key,
                                       part->summary.file.size);
    ak_part_source source = {
        .input = &reader->input,
        .metadata = reader->metadata,
        .part = part,
        .filter = &reader->filter,
        .threads = reader->snapshotter->threads,
        .thorough = reader->thorough,
        .hooks = &reader->snapshotter->log_only,
    };
    status = reader->format->reader_open(&source, &reader->part, err);
    if (status == AKIDB_OK && reader->gathers)
        status = reserve(reader, part, documents, err);
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Appends the rows that the filter wants. */
static akidb_status take_wanted(akidb_snapshot_reader *reader, akidb_documents *documents,
                                akidb_error *err)
{
    akidb_batch batch = akidb_documents_batch(reader->unfiltered);
    if (batch.rows > reader->row_capacity) {
        size_t *rows = realloc(reader->rows, batch.rows * sizeof *rows);
        if (rows == NULL)
            return ak_fail_memory(err, batch.rows * sizeof *rows);
        reader->rows = rows;
        reader->row_capacity = batch.rows;
    }
    size_t count = ak_filter_rows(&reader->filter, &batch, reader->rows);
    uint64_t limit = reader->filter.wanted.limit;
    if (limit > 0 && count > limit - reader->given)
        count = (size_t)(limit - reader->given);
    if (count == 0)
        return AKIDB_OK;
    akidb_batch projected = ak_filter_project(&reader->filter, &batch);
    return ak_documents_append_rows(documents, &projected, reader->rows, count, err);
}

/* Appends what the current part gives next; *done_out tells that the part ends. */
static akidb_status read_part(akidb_snapshot_reader *reader, size_t groups,
                              akidb_documents *documents, bool *done_out, akidb_error *err)
{
    if (reader->unfiltered == NULL)
        return reader->format->next(reader->part, groups, documents, done_out, err);
    akidb_documents_clear(reader->unfiltered);
    akidb_status status =
        reader->format->next(reader->part, groups, reader->unfiltered, done_out, err);
    return status != AKIDB_OK ? status : take_wanted(reader, documents, err);
}

static akidb_status report(const akidb_snapshot_reader *reader, akidb_error *err)
{
    akidb_progress progress = {
        .rows_done = reader->given,
        .rows_total = reader->metadata->vector_count,
        .bytes_done = ak_snapshot_bytes_read(reader),
        .bytes_total = reader->metadata->size_bytes,
    };
    return ak_snapshotter_progress(reader->snapshotter, &progress, err);
}

static akidb_status read_step(akidb_snapshot_reader *reader, size_t groups,
                              akidb_documents *documents, bool *done_out, akidb_error *err)
{
    *done_out = reader->part == NULL && reader->next_part == reader->metadata->part_count;
    if (*done_out)
        return AKIDB_OK;
    akidb_status status = AKIDB_OK;
    bool part_done = false, deleted;
    size_t before = documents->rows;
    if (reader->part == NULL)
        status = open_part(reader, documents, err);
    if (status == AKIDB_OK)
        status = read_part(reader, groups, documents, &part_done, err);
    if (status == AKIDB_E_NOT_FOUND)
        status = ak_part_is_missing(reader->snapshotter, reader->metadata,
                                    &reader->metadata->parts[reader->next_part], &deleted, err);
    if (status != AKIDB_OK)
        return status;
    if (part_done) {
        close_part(reader);
        reader->next_part++;
    }
    uint64_t limit = reader->filter.wanted.limit;
    uint64_t fresh = documents->rows - before;
    if (limit > 0 && fresh >= limit - reader->given) {
        fresh = limit - reader->given;
        ak_documents_truncate(documents, before + (size_t)fresh);
        close_part(reader);
        reader->next_part = reader->metadata->part_count;
    }
    reader->given += fresh;
    *done_out = reader->part == NULL && reader->next_part == reader->metadata->part_count;
    return report(reader, err);
}

akidb_status ak_snapshot_read(akidb_snapshot_reader *reader, size_t groups,
                              akidb_documents *documents, bool *done_out, akidb_error *err)
{
    *done_out = false;
    if (reader->failed)
        return ak_fail(err, AKIDB_E_PRECONDITION,
                       "snapshot reader: an earlier call has failed, only close is left");
    akidb_status status = read_step(reader, groups, documents, done_out, err);
    reader->failed = status != AKIDB_OK;
    return status;
}

akidb_status akidb_snapshot_next(akidb_snapshot_reader *reader, akidb_documents *documents,
                                 bool *done_out, akidb_error *err)
{
    akidb_documents_clear(documents);
    *done_out = false;
    if (documents->dimension != reader->metadata->dimension)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "documents: expected the snapshot's dimension %" PRIu32 ", found %" PRIu32,
                       reader->metadata->dimension, documents->dimension);
    bool ended = false;
    while (documents->rows == 0 && !ended) {
        akidb_status status =
            ak_snapshot_read(reader, reader->snapshotter->threads, documents, &ended, err);
        if (status != AKIDB_OK) {
            akidb_documents_clear(documents);
            return status;
        }
    }
    /* The end is told by a call of its own, which brings no documents. */
    *done_out = documents->rows == 0;
    return AKIDB_OK;
}

/* ---- one call -------------------------------------------------------------------------------- */

/* How many row groups to read in one step: several for each thread, so that none waits for the
 * others often, but no more than a fraction of a second's work, so that progress is told. */
static size_t groups_at_once(const akidb_snapshot_reader *reader)
{
    enum { PER_THREAD = 4, FAR = 32, STEP_BYTES = 256 << 20 };
    const akidb_snapshot_metadata *metadata = reader->metadata;
    size_t threads = reader->snapshotter->threads, count = 0;
    size_t most = PER_THREAD * threads;
    if (most < FAR && !akidb_store_is_near(reader->snapshotter->store))
        most = FAR; /* so that some are always on their way */
    for (size_t i = 0; i < metadata->part_count; i++)
        count += metadata->parts[i].summary.row_group_count;
    if (count == 0 || reader->filter.conditional)
        return threads;
    uint64_t fit = STEP_BYTES / (metadata->size_bytes / count + 1);
    if (fit < threads)
        return threads;
    return fit < most ? (size_t)fit : most;
}

static akidb_status gather(akidb_snapshot_reader *reader, akidb_documents *documents,
                           akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    size_t groups = groups_at_once(reader);
    reader->gathers = true;
    for (bool done = false; status == AKIDB_OK && !done;)
        status = ak_snapshot_read(reader, groups, documents, &done, err);
    return status;
}

akidb_status akidb_snapshot_restore(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                    const akidb_uuid *snapshot_id, const akidb_filter *filter,
                                    akidb_documents **documents_out, akidb_error *err)
{
    *documents_out = NULL;
    akidb_snapshot_reader *reader;
    akidb_status status =
        akidb_snapshot_open(snapshotter, collection_id, snapshot_id, filter, &reader, err);
    if (status != AKIDB_OK)
        return status;
    akidb_documents *documents;
    status = akidb_documents_new(reader->metadata->dimension, &documents, err);
    if (status == AKIDB_OK)
        status = gather(reader, documents, err);
    akidb_snapshot_close(reader);
    if (status != AKIDB_OK) {
        akidb_documents_free(documents);
        return status;
    }
    *documents_out = documents;
    return AKIDB_OK;
}

/* ---- into the caller's arrays ---------------------------------------------------------------- */

static unsigned columns_of(const akidb_restore_target *target, bool wants_texts)
{
    unsigned columns = AKIDB_COLUMN_DOCUMENT_ID;
    if (target->vectors != NULL)
        columns |= AKIDB_COLUMN_VECTOR;
    if (target->inserted_at != NULL)
        columns |= AKIDB_COLUMN_INSERTED_AT;
    if (wants_texts)
        columns |= AKIDB_COLUMN_EXTERNAL_ID | AKIDB_COLUMN_METADATA;
    return columns;
}

/* Whether the target can hold what will come, as far as the metadata tells. */
static akidb_status check_target(const akidb_snapshot_reader *reader,
                                 const akidb_restore_target *target, akidb_error *err)
{
    const akidb_snapshot_metadata *metadata = reader->metadata;
    if (target->vectors != NULL && target->dimension != metadata->dimension)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(metadata->key),
                          "target: expected dimension %" PRIu32 ", as the snapshot has it, found "
                          "%" PRIu32,
                          metadata->dimension, target->dimension);
    uint64_t limit = reader->filter.wanted.limit, rows = metadata->vector_count;
    if (limit > 0 && limit < rows)
        rows = limit;
    if (reader->filter.conditional || rows <= target->capacity)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(metadata->key),
                      "target: expected room for %" PRIu64 " documents, found a capacity of %zu",
                      rows, target->capacity);
}

/* What comes in row groups must be cut to the limit before it meets the target's end. */
static akidb_status use_own_room(akidb_snapshot_reader *reader, akidb_error *err)
{
    if (reader->unfiltered != NULL || reader->filter.wanted.limit == 0)
        return AKIDB_OK;
    return akidb_documents_new(reader->metadata->dimension, &reader->unfiltered, err);
}

static akidb_status restore_into(akidb_snapshot_reader *reader, const akidb_restore_target *target,
                                 akidb_documents **documents_out, akidb_error *err)
{
    akidb_status status = check_target(reader, target, err);
    if (status == AKIDB_OK)
        status = use_own_room(reader, err);
    if (status == AKIDB_OK)
        status = ak_documents_new_over(reader->metadata->dimension, target->vectors,
                                       target->document_ids, target->inserted_at, target->capacity,
                                       documents_out, err);
    return status == AKIDB_OK ? gather(reader, *documents_out, err) : status;
}

akidb_status akidb_snapshot_restore_into(akidb_snapshotter *snapshotter,
                                         const akidb_uuid *collection_id,
                                         const akidb_uuid *snapshot_id, const akidb_filter *filter,
                                         const akidb_restore_target *target, size_t *rows_out,
                                         akidb_documents **documents_out, akidb_error *err)
{
    akidb_restore_target own;
    akidb_filter wanted;
    akidb_snapshot_reader *reader;
    akidb_documents *documents = NULL;
    *rows_out = 0;
    if (documents_out != NULL)
        *documents_out = NULL;
    akidb_status status = ak_options_copy(&own, sizeof own, target, "akidb_restore_target", err);
    if (status == AKIDB_OK)
        status = ak_options_copy(&wanted, sizeof wanted, filter, "akidb_filter", err);
    if (status != AKIDB_OK)
        return status;
    wanted.struct_size = sizeof wanted;
    wanted.columns =
        (wanted.columns == 0 ? AKIDB_COLUMNS_ALL : wanted.columns | AKIDB_COLUMN_DOCUMENT_ID) &
        (columns_of(&own, documents_out != NULL) | ~(unsigned)AKIDB_COLUMNS_ALL);
    status = akidb_snapshot_open(snapshotter, collection_id, snapshot_id, &wanted, &reader, err);
    if (status != AKIDB_OK)
        return status;
    status = restore_into(reader, &own, &documents, err);
    akidb_snapshot_close(reader);
    if (status == AKIDB_OK)
        *rows_out = documents->rows;
    if (status != AKIDB_OK || documents_out == NULL)
        akidb_documents_free(documents);
    else
        *documents_out = documents;
    return status;
}
