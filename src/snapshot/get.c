/* Single documents out of a snapshot, by as few and as small reads as its files allow. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/checked.h"
#include "base/error.h"
#include "document/documents.h"
#include "parquet/find.h"
#include "snapshot/filter.h"
#include "snapshot/parquet_part.h"
#include "snapshot/part.h"
#include "snapshot/reader.h"

typedef struct getting {
    akidb_snapshotter *snapshotter;
    const akidb_snapshot_metadata *metadata;
    ak_filter filter;
    akidb_documents *found;
    uint64_t bytes_read; /* of the parts before */
} getting;

static bool wants_vectors(const getting *g)
{
    return (g->filter.wanted.columns & AKIDB_COLUMN_VECTOR) != 0;
}

/* No document id comes twice, an external id may: it is looked for in every row group. */
static bool is_done(const getting *g)
{
    const akidb_filter *wanted = &g->filter.wanted;
    if (wanted->limit > 0 && g->found->rows >= wanted->limit)
        return true;
    return wanted->external_id_count == 0 && g->found->rows >= wanted->id_count;
}

static akidb_status report(const getting *g, uint64_t bytes, akidb_error *err)
{
    akidb_progress progress = {
        .rows_done = g->found->rows,
        .bytes_done = g->bytes_read + bytes,
        .bytes_total = g->metadata->size_bytes,
    };
    return ak_snapshotter_progress(g->snapshotter, &progress, err);
}

/* ---- one row group --------------------------------------------------------------------------- */

/* Whether bounds and Bloom filters leave it possible that the row group holds a wanted document. */
static akidb_status may_match(const getting *g, const akidb_parquet_reader *reader, size_t group,
                              bool *result_out, akidb_error *err)
{
    const akidb_filter *wanted = &g->filter.wanted;
    akidb_parquet_row_group_bounds bounds;
    *result_out = false;
    akidb_status status = akidb_parquet_reader_bounds(reader, group, &bounds, err);
    if (status != AKIDB_OK || !ak_filter_may_match(&g->filter, &bounds))
        return status;
    for (size_t i = 0; i < wanted->id_count && status == AKIDB_OK && !*result_out; i++)
        status = ak_parquet_may_hold_id(reader, group, &wanted->ids[i], result_out, err);
    for (size_t i = 0; i < wanted->external_id_count && status == AKIDB_OK && !*result_out; i++)
        status = ak_parquet_may_hold_external_id(reader, group, wanted->external_ids[i], result_out,
                                                 err);
    return status;
}

/* Adds the chosen rows of a row group, whose small columns are there, with their vectors. */
static akidb_status take_with_vectors(const getting *g, const akidb_parquet_reader *reader,
                                      size_t group, const akidb_batch *small, const size_t *rows,
                                      size_t count, akidb_error *err)
{
    size_t floats, bytes;
    if (!ak_mul_size(count, small->dimension, &floats) ||
        !ak_mul_size(floats, sizeof(float), &bytes))
        return ak_fail_memory(err, SIZE_MAX);
    akidb_documents *chosen = NULL;
    float *vectors = malloc(bytes);
    size_t *all = malloc(count * sizeof *all);
    akidb_status status = AKIDB_OK;
    if (vectors == NULL || all == NULL)
        status = ak_fail_memory(err, bytes);
    if (status == AKIDB_OK)
        status = akidb_documents_new(small->dimension, &chosen, err);
    if (status == AKIDB_OK)
        status = ak_documents_append_rows(chosen, small, rows, count, err);
    if (status == AKIDB_OK)
        status = ak_parquet_part_failure(
            ak_parquet_read_vectors_of(reader, group, rows, count, vectors, err), err);
    if (status == AKIDB_OK) {
        akidb_batch batch = akidb_documents_batch(chosen);
        batch.vectors = vectors;
        akidb_batch projected = ak_filter_project(&g->filter, &batch);
        for (size_t i = 0; i < count; i++)
            all[i] = i;
        status = ak_documents_append_rows(g->found, &projected, all, count, err);
    }
    akidb_documents_free(chosen);
    free(vectors);
    free(all);
    return status;
}

static akidb_status take(const getting *g, const akidb_parquet_reader *reader, size_t group,
                         const akidb_batch *small, akidb_error *err)
{
    size_t *rows = malloc((small->rows + 1) * sizeof *rows);
    if (rows == NULL)
        return ak_fail_memory(err, small->rows * sizeof *rows);
    size_t count = ak_filter_rows(&g->filter, small, rows);
    uint64_t limit = g->filter.wanted.limit;
    if (limit > 0 && count > limit - g->found->rows)
        count = (size_t)(limit - g->found->rows);
    akidb_status status = AKIDB_OK;
    if (count > 0 && wants_vectors(g)) {
        status = take_with_vectors(g, reader, group, small, rows, count, err);
    } else if (count > 0) {
        akidb_batch projected = ak_filter_project(&g->filter, small);
        status = ak_documents_append_rows(g->found, &projected, rows, count, err);
    }
    free(rows);
    return status;
}

/* ---- one part -------------------------------------------------------------------------------- */

static akidb_status search_groups(const getting *g, akidb_parquet_reader *reader,
                                  const ak_part_input *source, akidb_error *err)
{
    akidb_documents *small;
    akidb_status status = akidb_documents_new(g->metadata->dimension, &small, err);
    size_t groups = akidb_parquet_reader_row_groups(reader);
    for (size_t group = 0; status == AKIDB_OK && group < groups && !is_done(g); group++) {
        bool matches;
        status = may_match(g, reader, group, &matches, err);
        if (status != AKIDB_OK || !matches)
            continue;
        akidb_documents_clear(small);
        status =
            ak_parquet_part_failure(akidb_parquet_reader_read(reader, group, 1, small, err), err);
        if (status == AKIDB_OK) {
            akidb_batch batch = akidb_documents_batch(small);
            status = take(g, reader, group, &batch, err);
        }
        if (status == AKIDB_OK)
            status = report(g, atomic_load(&source->bytes_read), err);
    }
    akidb_documents_free(small);
    return status;
}

/* *paged_out is false when the part has no pages that could be read alone. */
static akidb_status search_part(getting *g, const akidb_snapshot_part *part, bool *paged_out,
                                akidb_error *err)
{
    ak_part_input source;
    akidb_input input =
        ak_part_input_open(&source, g->snapshotter->store, part->key, part->summary.file.size);
    const ak_part_source from = {
        .input = &input,
        .metadata = g->metadata,
        .part = part,
        .filter = &g->filter,
        .threads = 1,
        .hooks = &g->snapshotter->log_only,
    };
    unsigned columns = ak_filter_columns(&g->filter) & ~(unsigned)AKIDB_COLUMN_VECTOR;
    akidb_parquet_reader *reader;
    akidb_status status = ak_parquet_part_open(&from, columns, true, &reader, err);
    *paged_out = status == AKIDB_OK && ak_parquet_has_vector_pages(reader);
    if (*paged_out)
        status = search_groups(g, reader, &source, err);
    akidb_parquet_reader_close(reader);
    g->bytes_read += atomic_load(&source.bytes_read);
    akidb_input_close(&input);
    return status;
}

static akidb_status search_parts(getting *g, bool *paged_out, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    bool deleted;
    *paged_out = true;
    for (size_t i = 0; status == AKIDB_OK && *paged_out && i < g->metadata->part_count; i++) {
        if (is_done(g))
            break;
        status = search_part(g, &g->metadata->parts[i], paged_out, err);
        if (status == AKIDB_E_NOT_FOUND)
            status = ak_part_is_missing(g->snapshotter, g->metadata, &g->metadata->parts[i],
                                        &deleted, err);
    }
    return status;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* Reads the snapshot from one end to the other. Takes the metadata over. */
static akidb_status scan(akidb_snapshotter *snapshotter, akidb_snapshot_metadata *metadata,
                         const akidb_filter *filter, akidb_documents *found, akidb_error *err)
{
    akidb_snapshot_reader *reader;
    akidb_status status = ak_snapshot_open(snapshotter, metadata, filter, &reader, err);
    bool done = false;
    while (status == AKIDB_OK && !done)
        status = ak_snapshot_read(reader, snapshotter->threads, found, &done, err);
    akidb_snapshot_close(reader);
    return status;
}

static akidb_status check_filter(const akidb_filter *wanted, akidb_error *err)
{
    if (wanted->id_count > 0 || wanted->external_id_count > 0)
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_VALIDATION,
                   "akidb_filter: expected the ids of documents, found none");
}

akidb_status akidb_snapshot_get(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                const akidb_uuid *snapshot_id, const akidb_filter *filter,
                                akidb_documents **documents_out, akidb_error *err)
{
    *documents_out = NULL;
    getting g = {.snapshotter = snapshotter};
    akidb_snapshot_metadata *metadata = NULL;
    akidb_status status = ak_filter_init(&g.filter, filter, err);
    if (status == AKIDB_OK)
        status = check_filter(&g.filter.wanted, err);
    if (status == AKIDB_OK)
        status = ak_metadata_find(snapshotter, collection_id, snapshot_id, &metadata, err);
    if (status == AKIDB_OK)
        status = akidb_documents_new(metadata->dimension, &g.found, err);
    bool paged = false;
    g.metadata = metadata;
    if (status == AKIDB_OK && metadata->format == AKIDB_FORMAT_PARQUET && metadata->checked)
        status = search_parts(&g, &paged, err);
    if (status == AKIDB_OK && !paged) {
        akidb_documents_clear(g.found);
        status = scan(snapshotter, metadata, filter, g.found, err);
        metadata = NULL;
    }
    ak_filter_free(&g.filter);
    akidb_snapshot_metadata_free(metadata);
    if (status != AKIDB_OK) {
        akidb_documents_free(g.found);
        return status;
    }
    *documents_out = g.found;
    return AKIDB_OK;
}
