#include "parquet/row_group_load.h"

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/error.h"
#include "parquet/paged_read.h"

/* Unwanted bytes between two wanted chunks that are cheaper to read than to leave out. */
enum { GAP_BYTES_MAX = 1 << 20 };

const ak_file_leaf *ak_reader_field(const akidb_parquet_reader *reader, int field)
{
    const ak_file_columns *columns = &reader->columns;
    switch (field) {
    case AK_FIELD_DOCUMENT_ID: return columns->document_id;
    case AK_FIELD_EXTERNAL_ID:
        return ak_reader_wants(reader, AKIDB_COLUMN_EXTERNAL_ID) ? columns->external_id : NULL;
    case AK_FIELD_METADATA:
        return ak_reader_wants(reader, AKIDB_COLUMN_METADATA) ? columns->metadata : NULL;
    case AK_FIELD_INSERTED_AT:
        return ak_reader_wants(reader, AKIDB_COLUMN_INSERTED_AT) ? columns->inserted_at : NULL;
    case AK_FIELD_DIMENSION: return columns->dimension;
    default: return ak_reader_wants(reader, AKIDB_COLUMN_VECTOR) ? columns->vector : NULL;
    }
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static akidb_status read_range(const akidb_parquet_reader *reader, uint64_t offset, uint64_t size,
                               akidb_buffer *buffer, akidb_error *err)
{
    if (size > SIZE_MAX)
        return ak_fail_memory(err, SIZE_MAX);
    akidb_status status = ak_buffer_reserve(buffer, (size_t)size, err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(reader->input, offset, buffer->data + buffer->size,
                                     (size_t)size, err);
    if (status == AKIDB_OK)
        buffer->size += (size_t)size;
    return status;
}

static void place_chunk(ak_row_group_job *job, ak_loaded *l, int field, const akidb_buffer *buffer,
                        uint64_t buffer_offset)
{
    const akidb_parquet_reader *reader = job->reader;
    /* The vectors may be looked at for their dimension where nobody wants them. */
    const ak_file_leaf *leaf =
        field == AK_FIELD_VECTOR ? reader->columns.vector : ak_reader_field(reader, field);
    const ak_extent *extent = ak_reader_extent(reader, job->group, leaf);
    const uint8_t *bytes = buffer->data;
    if (extent->size > 0)
        bytes += extent->offset - buffer_offset;
    l->chunks[field] =
        (ak_chunk){.file = reader->input->name,
                   .leaf = leaf,
                   .info = ak_reader_chunk(reader, job->group, leaf),
                   .bytes = {bytes, (size_t)extent->size},
                   .offset = extent->offset,
                   .first_row = reader->first_rows[job->group],
                   .rows = ak_reader_rows(reader, job->group),
                   .max_page_bytes = reader->options.max_page_bytes,
                   .is_checked = reader->options.expected != NULL && !reader->options.check_pages};
}

/* The vector's chunk as the pages of the placement. */
static void place_pages(ak_row_group_job *job, ak_loaded *l)
{
    const ak_placement *placement = &job->placement;
    place_chunk(job, l, AK_FIELD_VECTOR, &placement->heads, 0);
    ak_chunk *chunk = &l->chunks[AK_FIELD_VECTOR];
    chunk->bytes = (akidb_slice){placement->heads.data, placement->heads.size};
    chunk->placed = placement->pages;
    chunk->placed_count = placement->page_count;
}

/* Reads the vector's chunk with its floats going to the matrix. False in *placed_out: it has to be
 * read as a whole. *crc continues over its bytes. */
static akidb_status place_vector(ak_row_group_job *job, ak_loaded *l, uint32_t *crc,
                                 bool *placed_out, akidb_error *err)
{
    ak_placement *placement = &job->placement;
    *placed_out = false;
    if (!l->places || job->vectors == NULL)
        return AKIDB_OK;
    akidb_status status = ak_placement_plan(placement, job->reader, job->group, job->vectors, err);
    if (status != AKIDB_OK || placement->page_count == 0)
        return status;
    placement->crc32c = *crc;
    status = ak_placement_read(placement, job->reader, err);
    if (status != AKIDB_OK)
        return status;
    *crc = placement->crc32c;
    *placed_out = true;
    place_pages(job, l);
    return AKIDB_OK;
}

static akidb_status check_range(const ak_row_group_job *job, const akidb_parquet_range *range,
                                const char *what, uint32_t found, akidb_error *err)
{
    if (found == range->crc32c)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(job->reader->input->name, range->offset),
                      "expected %s of row group %zu with CRC-32C %08x, found %08x", what,
                      job->group, range->crc32c, found);
}

static void place_small(ak_row_group_job *job, ak_loaded *l, const akidb_buffer *buffer,
                        uint64_t buffer_offset)
{
    for (int field = 0; field < AK_FIELD_VECTOR; field++)
        if (ak_reader_field(job->reader, field) != NULL)
            place_chunk(job, l, field, buffer, buffer_offset);
}

static akidb_status load_expected_small(ak_row_group_job *job, ak_loaded *l,
                                        const akidb_parquet_range *small, uint32_t *crc_out,
                                        akidb_error *err)
{
    akidb_status status = read_range(job->reader, small->offset, small->size, &job->small, err);
    if (status != AKIDB_OK)
        return status;
    *crc_out = ak_crc32c(0, job->small.data, job->small.size);
    place_small(job, l, &job->small, small->offset);
    return check_range(job, small, "the small columns", *crc_out, err);
}

/* Whether the vector is all that follows the small columns: then it can be placed. */
static bool is_vector_last(const ak_row_group_job *job,
                           const akidb_parquet_row_group_summary *summary)
{
    const ak_extent *extent =
        ak_reader_extent(job->reader, job->group, job->reader->columns.vector);
    uint64_t rest = summary->small.offset + summary->small.size;
    return extent->offset == rest && extent->size == summary->all.offset + summary->all.size - rest;
}

/* The small columns first, then the rest: of a near input. */
static akidb_status load_expected_in_turn(ak_row_group_job *job, ak_loaded *l,
                                          const akidb_parquet_row_group_summary *summary,
                                          akidb_error *err)
{
    const akidb_parquet_range *small = &summary->small, *all = &summary->all;
    uint64_t rest = small->offset + small->size;
    uint32_t crc;
    bool placed = false;
    akidb_status status = load_expected_small(job, l, small, &crc, err);
    if (status == AKIDB_OK && is_vector_last(job, summary)) {
        status = place_vector(job, l, &crc, &placed, err);
        if (status == AKIDB_OK && !placed && l->places && job->vectors != NULL &&
            ak_paged_can_read(job->reader, job->group)) {
            job->decodes_early = true;
            status = ak_paged_read(job->reader, job->group, job->vectors, &crc, err);
            placed = true;
        }
    }
    if (status == AKIDB_OK && !placed) {
        status = read_range(job->reader, rest, all->offset + all->size - rest, &job->vector, err);
        if (status == AKIDB_OK) {
            crc = ak_crc32c(crc, job->vector.data, job->vector.size);
            place_chunk(job, l, AK_FIELD_VECTOR, &job->vector, rest);
        }
    }
    return status == AKIDB_OK ? check_range(job, all, "the columns", crc, err) : status;
}

/* All of it by one read; true in *done_out when its floats could be placed. */
static akidb_status place_at_once(ak_row_group_job *job, ak_loaded *l,
                                  const akidb_parquet_row_group_summary *summary, bool *done_out,
                                  akidb_error *err)
{
    const akidb_parquet_range *small = &summary->small;
    ak_placement *placement = &job->placement;
    akidb_status status = AKIDB_OK;
    *done_out = false;
    if (l->places && job->vectors != NULL && is_vector_last(job, summary))
        status = ak_placement_plan(placement, job->reader, job->group, job->vectors, err);
    if (status != AKIDB_OK || placement->page_count == 0)
        return status;
    status = small->size > SIZE_MAX ? ak_fail_memory(err, SIZE_MAX)
                                    : ak_buffer_reserve(&job->small, (size_t)small->size, err);
    if (status != AKIDB_OK)
        return status;
    job->small.size = (size_t)small->size;
    placement->before = (akidb_piece){job->small.data, job->small.size};
    status = ak_placement_read(placement, job->reader, err);
    placement->before = (akidb_piece){NULL, 0};
    if (status != AKIDB_OK)
        return status;
    place_small(job, l, &job->small, small->offset);
    place_pages(job, l);
    *done_out = true;
    status = check_range(job, small, "the small columns", placement->before_crc32c, err);
    return status == AKIDB_OK
               ? check_range(job, &summary->all, "the columns", placement->crc32c, err)
               : status;
}

/* Of an input where requests are dear. */
static akidb_status load_expected_at_once(ak_row_group_job *job, ak_loaded *l,
                                          const akidb_parquet_row_group_summary *summary,
                                          akidb_error *err)
{
    const akidb_parquet_range *small = &summary->small, *all = &summary->all;
    bool done;
    akidb_status status = place_at_once(job, l, summary, &done, err);
    if (status != AKIDB_OK || done)
        return status;
    status = read_range(job->reader, all->offset, all->size, &job->vector, err);
    if (status != AKIDB_OK)
        return status;
    uint32_t crc = ak_crc32c(0, job->vector.data, (size_t)small->size);
    status = check_range(job, small, "the small columns", crc, err);
    if (status != AKIDB_OK)
        return status;
    crc = ak_crc32c(crc, job->vector.data + small->size, (size_t)(all->size - small->size));
    place_small(job, l, &job->vector, all->offset);
    place_chunk(job, l, AK_FIELD_VECTOR, &job->vector, all->offset);
    return check_range(job, all, "the columns", crc, err);
}

/* Reads and checks the row group as an earlier summary describes it. */
static akidb_status load_expected(ak_row_group_job *job, ak_loaded *l, akidb_error *err)
{
    const akidb_parquet_reader *reader = job->reader;
    const akidb_parquet_row_group_summary *summary =
        &reader->options.expected->row_groups[job->group];
    const akidb_parquet_range *small = &summary->small, *all = &summary->all;
    uint32_t unused;
    if (ak_reader_field(reader, AK_FIELD_VECTOR) == NULL)
        return load_expected_small(job, l, small, &unused, err);
    bool is_first = small->offset == all->offset && small->size <= all->size;
    if (is_first && !reader->input->ops->is_near)
        return load_expected_at_once(job, l, summary, err);
    return load_expected_in_turn(job, l, summary, err);
}

/* The range from the first to the last wanted small chunk, and whether it is worth one read. */
static bool span_small(const ak_row_group_job *job, ak_extent *span_out)
{
    uint64_t begin = UINT64_MAX, end = 0, wanted = 0;
    for (int field = 0; field < AK_FIELD_VECTOR; field++) {
        const ak_file_leaf *leaf = ak_reader_field(job->reader, field);
        const ak_extent *extent =
            leaf == NULL ? NULL : ak_reader_extent(job->reader, job->group, leaf);
        if (extent == NULL || extent->size == 0)
            continue;
        begin = extent->offset < begin ? extent->offset : begin;
        end = extent->offset + extent->size > end ? extent->offset + extent->size : end;
        wanted += extent->size;
    }
    *span_out = wanted == 0 ? (ak_extent){0, 0} : (ak_extent){begin, end - begin};
    return span_out->size - wanted <= GAP_BYTES_MAX;
}

/* Each chunk by itself, one behind the other in the buffer. */
static akidb_status load_scattered(ak_row_group_job *job, ak_loaded *l, akidb_error *err)
{
    const akidb_parquet_reader *reader = job->reader;
    uint64_t total = 0;
    for (int field = 0; field < AK_FIELD_VECTOR; field++)
        if (ak_reader_field(reader, field) != NULL)
            total += ak_reader_extent(reader, job->group, ak_reader_field(reader, field))->size;
    /* All room at once, so that the chunks stay where they are placed. */
    akidb_status status = total > SIZE_MAX ? ak_fail_memory(err, SIZE_MAX)
                                           : ak_buffer_reserve(&job->small, (size_t)total, err);
    for (int field = 0; status == AKIDB_OK && field < AK_FIELD_VECTOR; field++) {
        const ak_file_leaf *leaf = ak_reader_field(reader, field);
        if (leaf == NULL)
            continue;
        const ak_extent *extent = ak_reader_extent(reader, job->group, leaf);
        size_t before = job->small.size;
        status = read_range(reader, extent->offset, extent->size, &job->small, err);
        place_chunk(job, l, field, &job->small, extent->offset);
        l->chunks[field].bytes.data = job->small.data + before;
    }
    return status;
}

akidb_status ak_row_group_load_vector(ak_row_group_job *job, ak_loaded *l, uint64_t size,
                                      akidb_error *err)
{
    const ak_file_leaf *leaf = job->reader->columns.vector;
    const ak_extent *extent = ak_reader_extent(job->reader, job->group, leaf);
    akidb_status status = read_range(job->reader, extent->offset, size, &job->vector, err);
    if (status != AKIDB_OK)
        return status;
    place_chunk(job, l, AK_FIELD_VECTOR, &job->vector, extent->offset);
    l->chunks[AK_FIELD_VECTOR].bytes.size = (size_t)size;
    return AKIDB_OK;
}

static akidb_status load_or_place_vector(ak_row_group_job *job, ak_loaded *l, akidb_error *err)
{
    uint32_t unused = 0;
    bool placed;
    akidb_status status = place_vector(job, l, &unused, &placed, err);
    if (status != AKIDB_OK || placed)
        return status;
    const ak_file_leaf *leaf = job->reader->columns.vector;
    return ak_row_group_load_vector(job, l, ak_reader_extent(job->reader, job->group, leaf)->size,
                                    err);
}

akidb_status ak_row_group_load(ak_row_group_job *job, ak_loaded *l, akidb_error *err)
{
    const akidb_parquet_reader *reader = job->reader;
    job->small.size = 0;
    job->vector.size = 0;
    if (reader->options.expected != NULL)
        return load_expected(job, l, err);
    ak_extent span;
    akidb_status status;
    if (span_small(job, &span)) {
        status = read_range(reader, span.offset, span.size, &job->small, err);
        if (status == AKIDB_OK)
            place_small(job, l, &job->small, span.offset);
    } else {
        status = load_scattered(job, l, err);
    }
    if (status == AKIDB_OK && ak_reader_field(reader, AK_FIELD_VECTOR) != NULL)
        status = load_or_place_vector(job, l, err);
    return status;
}
