#include "snapshot/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "parquet/find.h"
#include "parquet/row_pages.h"
#include "snapshot/parquet_part.h"
#include "snapshot/part.h"

typedef struct row_part {
    ak_part_input source;
    akidb_input input;
    akidb_parquet_reader *reader; /* NULL: not open yet */
} row_part;

typedef struct row_group {
    size_t part, number; /* in the part */
    uint64_t first_row;
} row_group;

struct ak_snapshot_rows {
    akidb_snapshotter *snapshotter;
    akidb_snapshot_metadata *metadata;
    row_part *parts;
    row_group *groups; /* and one more, which begins where the rows end */
    size_t group_count;
    uint64_t bytes;
};

/* ---- opening --------------------------------------------------------------------------------- */

void ak_snapshot_rows_close(ak_snapshot_rows *rows)
{
    if (rows == NULL)
        return;
    for (size_t i = 0; rows->parts != NULL && i < rows->metadata->part_count; i++) {
        if (rows->parts[i].reader == NULL)
            continue;
        akidb_parquet_reader_close(rows->parts[i].reader);
        akidb_input_close(&rows->parts[i].input);
    }
    akidb_snapshot_metadata_free(rows->metadata);
    free(rows->parts);
    free(rows->groups);
    free(rows);
}

static akidb_status check_format(const akidb_snapshot_metadata *metadata, akidb_error *err)
{
    if (metadata->format == AKIDB_FORMAT_PARQUET && metadata->checked)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(metadata->key),
                      "expected a Parquet snapshot with checksums, to read single rows of");
}

static akidb_status open_part(ak_snapshot_rows *rows, size_t number, akidb_error *err)
{
    const akidb_snapshot_part *part = &rows->metadata->parts[number];
    row_part *to = &rows->parts[number];
    to->input = ak_part_input_open(&to->source, rows->snapshotter->store, part->key,
                                   part->summary.file.size);
    const ak_part_source source = {
        .input = &to->input, .metadata = rows->metadata, .part = part, .threads = 1};
    bool deleted;
    unsigned columns = AKIDB_COLUMNS_ALL & ~(unsigned)AKIDB_COLUMN_VECTOR;
    akidb_status status = ak_parquet_part_open(&source, columns, true, &to->reader, err);
    if (status == AKIDB_E_NOT_FOUND)
        status = ak_part_is_missing(rows->snapshotter, rows->metadata, part, &deleted, err);
    if (status != AKIDB_OK) {
        akidb_input_close(&to->input);
        return status;
    }
    rows->bytes += part->summary.tail.size;
    rows->group_count += akidb_parquet_reader_row_groups(to->reader);
    if (ak_parquet_has_vector_pages(to->reader))
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(part->key),
                      "expected an offset index of every vector column, to read single rows by");
}

static akidb_status list_groups(ak_snapshot_rows *rows, akidb_error *err)
{
    size_t at = 0;
    uint64_t row = 0;
    rows->groups = calloc(rows->group_count + 1, sizeof *rows->groups);
    if (rows->groups == NULL)
        return ak_fail_memory(err, (rows->group_count + 1) * sizeof *rows->groups);
    for (size_t i = 0; i < rows->metadata->part_count; i++) {
        const akidb_parquet_reader *reader = rows->parts[i].reader;
        for (size_t group = 0; group < akidb_parquet_reader_row_groups(reader); group++) {
            rows->groups[at++] = (row_group){i, group, row};
            row += ak_reader_rows(reader, group);
        }
    }
    rows->groups[at].first_row = row;
    return AKIDB_OK;
}

akidb_status ak_snapshot_rows_open(akidb_snapshotter *snapshotter,
                                   akidb_snapshot_metadata *metadata, ak_snapshot_rows **rows_out,
                                   akidb_error *err)
{
    *rows_out = NULL;
    ak_snapshot_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL) {
        akidb_snapshot_metadata_free(metadata);
        return ak_fail_memory(err, sizeof *rows);
    }
    rows->snapshotter = snapshotter;
    rows->metadata = metadata;
    akidb_status status = check_format(metadata, err);
    if (status == AKIDB_OK) {
        rows->parts = calloc(metadata->part_count + 1, sizeof *rows->parts);
        if (rows->parts == NULL)
            status = ak_fail_memory(err, (metadata->part_count + 1) * sizeof *rows->parts);
    }
    for (size_t i = 0; status == AKIDB_OK && i < metadata->part_count; i++)
        status = open_part(rows, i, err);
    if (status == AKIDB_OK)
        status = list_groups(rows, err);
    if (status != AKIDB_OK) {
        ak_snapshot_rows_close(rows);
        return status;
    }
    rows->bytes += strlen(metadata->text) + rows->group_count * sizeof *rows->groups;
    *rows_out = rows;
    return AKIDB_OK;
}

/* ---- what it is ------------------------------------------------------------------------------ */

uint64_t ak_snapshot_rows_bytes(const ak_snapshot_rows *rows)
{
    return rows->bytes;
}

bool ak_snapshot_rows_in_micros(const ak_snapshot_rows *rows)
{
    for (size_t i = 0; i < rows->metadata->part_count; i++) {
        const ak_file_leaf *leaf = rows->parts[i].reader->columns.inserted_at;
        if (leaf == NULL || leaf->element->logical_type.unit != AK_UNIT_MILLIS)
            return true;
    }
    return false;
}

size_t ak_snapshot_group_count(const ak_snapshot_rows *rows)
{
    return rows->group_count;
}

uint64_t ak_snapshot_first_row(const ak_snapshot_rows *rows, size_t group)
{
    return rows->groups[group].first_row;
}

size_t ak_snapshot_group_of(const ak_snapshot_rows *rows, uint64_t row)
{
    size_t low = 0, high = rows->group_count;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->groups[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- reading --------------------------------------------------------------------------------- */

static akidb_parquet_reader *reader_of(const ak_snapshot_rows *rows, size_t group)
{
    return rows->parts[rows->groups[group].part].reader;
}

/* What a failure to read a part means for the snapshot. */
static akidb_status in_part(const ak_snapshot_rows *rows, size_t group, akidb_status status,
                            akidb_error *err)
{
    bool deleted;
    if (status != AKIDB_E_NOT_FOUND)
        return ak_parquet_part_failure(status, err);
    return ak_part_is_missing(rows->snapshotter, rows->metadata,
                              &rows->metadata->parts[rows->groups[group].part], &deleted, err);
}

akidb_status ak_snapshot_may_hold_id(const ak_snapshot_rows *rows, size_t group,
                                     const akidb_uuid *id, bool *result_out, akidb_error *err)
{
    const akidb_parquet_reader *reader = reader_of(rows, group);
    size_t number = rows->groups[group].number;
    akidb_parquet_row_group_bounds bounds;
    *result_out = false;
    akidb_status status = akidb_parquet_reader_bounds(reader, number, &bounds, err);
    if (status != AKIDB_OK)
        return status;
    if (bounds.has_document_id && (akidb_uuid_compare(id, &bounds.document_id_min) < 0 ||
                                   akidb_uuid_compare(id, &bounds.document_id_max) > 0))
        return AKIDB_OK;
    return ak_parquet_may_hold_id(reader, number, id, result_out, err);
}

akidb_status ak_snapshot_may_hold_external_id(const ak_snapshot_rows *rows, size_t group,
                                              akidb_slice text, bool *result_out, akidb_error *err)
{
    return ak_parquet_may_hold_external_id(reader_of(rows, group), rows->groups[group].number, text,
                                           result_out, err);
}

akidb_status ak_snapshot_read_small(const ak_snapshot_rows *rows, size_t group,
                                    akidb_documents *documents, akidb_error *err)
{
    return in_part(rows, group,
                   akidb_parquet_reader_read(reader_of(rows, group), rows->groups[group].number, 1,
                                             documents, err),
                   err);
}

bool ak_snapshot_has_row_pages(const ak_snapshot_rows *rows, size_t group)
{
    return ak_parquet_has_row_pages(reader_of(rows, group), rows->groups[group].number);
}

akidb_status ak_snapshot_row_page(const ak_snapshot_rows *rows, size_t group, akidb_column column,
                                  size_t row, ak_row_span *span_out, akidb_error *err)
{
    ak_row_page page;
    akidb_status status = ak_parquet_find_row_page(
        reader_of(rows, group), rows->groups[group].number, column, row, &page, err);
    *span_out = (ak_row_span){page.first, page.count};
    return status;
}

akidb_status ak_snapshot_read_row_page(const ak_snapshot_rows *rows, size_t group,
                                       akidb_column column, size_t row, ak_row_span *span_out,
                                       ak_texts *texts_out, int64_t **times_out, akidb_error *err)
{
    const akidb_parquet_reader *reader = reader_of(rows, group);
    size_t number = rows->groups[group].number;
    ak_row_page page;
    *texts_out = (ak_texts){0};
    *times_out = NULL;
    akidb_status status = ak_parquet_find_row_page(reader, number, column, row, &page, err);
    *span_out = (ak_row_span){page.first, page.count};
    if (status != AKIDB_OK)
        return status;
    return in_part(
        rows, group,
        ak_parquet_read_row_page(reader, number, column, &page, texts_out, times_out, err), err);
}

akidb_status ak_snapshot_vector_page(const ak_snapshot_rows *rows, size_t group, size_t row,
                                     size_t *first_out, size_t *count_out, akidb_error *err)
{
    return ak_parquet_vector_page(reader_of(rows, group), rows->groups[group].number, row,
                                  first_out, count_out, err);
}

akidb_status ak_snapshot_read_vectors(const ak_snapshot_rows *rows, size_t group, size_t first,
                                      size_t count, float *floats_out, akidb_error *err)
{
    size_t *wanted = malloc((count + 1) * sizeof *wanted);
    if (wanted == NULL)
        return ak_fail_memory(err, (count + 1) * sizeof *wanted);
    for (size_t i = 0; i < count; i++)
        wanted[i] = first + i;
    akidb_status status =
        in_part(rows, group,
                ak_parquet_read_vectors_of(reader_of(rows, group), rows->groups[group].number,
                                           wanted, count, floats_out, err),
                err);
    free(wanted);
    return status;
}
