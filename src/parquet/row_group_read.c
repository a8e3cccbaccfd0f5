#include "parquet/row_group_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/error.h"

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

typedef struct loaded {
    ak_chunk chunks[AK_FIELD_COUNT]; /* leaf NULL: not read */
    bool places;                     /* floats straight to the matrix, where that can be done */
} loaded;

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

static void place_chunk(ak_row_group_job *job, loaded *l, int field, const akidb_buffer *buffer,
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

/* Reads the vector's chunk with its floats going to the matrix. False in *placed_out: it has to be
 * read as a whole. *crc continues over its bytes. */
static akidb_status place_vector(ak_row_group_job *job, loaded *l, uint32_t *crc, bool *placed_out,
                                 akidb_error *err)
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
    place_chunk(job, l, AK_FIELD_VECTOR, &placement->heads, 0);
    ak_chunk *chunk = &l->chunks[AK_FIELD_VECTOR];
    chunk->bytes = (akidb_slice){placement->heads.data, placement->heads.size};
    chunk->placed = placement->pages;
    chunk->placed_count = placement->page_count;
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

/* Reads and checks the row group as an earlier summary describes it: all columns but the vector,
 * and behind them the vector when it is wanted. */
static akidb_status load_expected(ak_row_group_job *job, loaded *l, akidb_error *err)
{
    const akidb_parquet_reader *reader = job->reader;
    const akidb_parquet_row_group_summary *summary =
        &reader->options.expected->row_groups[job->group];
    const akidb_parquet_range *small = &summary->small;
    const akidb_parquet_range *all = &summary->all;
    uint64_t rest = small->offset + small->size;
    akidb_status status = read_range(reader, small->offset, small->size, &job->small, err);
    if (status != AKIDB_OK)
        return status;
    uint32_t crc = ak_crc32c(0, job->small.data, job->small.size);
    status = check_range(job, small, "the small columns", crc, err);
    for (int field = 0; status == AKIDB_OK && field < AK_FIELD_VECTOR; field++)
        if (ak_reader_field(reader, field) != NULL)
            place_chunk(job, l, field, &job->small, small->offset);
    if (status != AKIDB_OK || ak_reader_field(reader, AK_FIELD_VECTOR) == NULL)
        return status;
    uint64_t rest_size = all->offset + all->size - rest;
    const ak_extent *extent = ak_reader_extent(reader, job->group, reader->columns.vector);
    bool placed = false;
    if (extent->offset == rest && extent->size == rest_size)
        status = place_vector(job, l, &crc, &placed, err);
    if (status == AKIDB_OK && !placed) {
        status = read_range(reader, rest, rest_size, &job->vector, err);
        if (status == AKIDB_OK) {
            crc = ak_crc32c(crc, job->vector.data, job->vector.size);
            place_chunk(job, l, AK_FIELD_VECTOR, &job->vector, rest);
        }
    }
    return status == AKIDB_OK ? check_range(job, all, "the columns", crc, err) : status;
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
static akidb_status load_scattered(ak_row_group_job *job, loaded *l, akidb_error *err)
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

static akidb_status load_vector(ak_row_group_job *job, loaded *l, akidb_error *err)
{
    const ak_file_leaf *leaf = job->reader->columns.vector;
    const ak_extent *extent = ak_reader_extent(job->reader, job->group, leaf);
    uint32_t unused = 0;
    bool placed;
    akidb_status status = place_vector(job, l, &unused, &placed, err);
    if (status != AKIDB_OK || placed)
        return status;
    status = read_range(job->reader, extent->offset, extent->size, &job->vector, err);
    if (status == AKIDB_OK)
        place_chunk(job, l, AK_FIELD_VECTOR, &job->vector, extent->offset);
    return status;
}

static akidb_status load(ak_row_group_job *job, loaded *l, akidb_error *err)
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
        for (int field = 0; status == AKIDB_OK && field < AK_FIELD_VECTOR; field++)
            if (ak_reader_field(reader, field) != NULL)
                place_chunk(job, l, field, &job->small, span.offset);
    } else {
        status = load_scattered(job, l, err);
    }
    if (status == AKIDB_OK && ak_reader_field(reader, AK_FIELD_VECTOR) != NULL)
        status = load_vector(job, l, err);
    return status;
}

/* ---- columns --------------------------------------------------------------------------------- */

static akidb_status check_codec(const ak_chunk *chunk, akidb_error *err)
{
    int codec = chunk->info->codec;
    if (ak_codec_can_read(codec))
        return AKIDB_OK;
    const char *name = ak_codec_name(codec);
    ak_place place = {chunk->file, chunk->leaf->column, -1, -1};
    if (name == NULL)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, place, "compression %d is not read", codec);
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, place, "compression %s is not read", name);
}

static akidb_status read_ids(ak_row_group_job *job, const ak_chunk *chunk, akidb_error *err)
{
    if (!job->reader->columns.has_other_ids)
        return ak_read_ids(&job->decoding, chunk, job->document_ids, NULL, NULL,
                           &job->text_bytes_max, err);
    void *is_other = job->is_other;
    akidb_status status =
        ak_array_reserve(&is_other, &job->is_other_capacity, (size_t)chunk->rows, 1, err);
    job->is_other = is_other;
    if (status != AKIDB_OK)
        return status;
    memset(job->is_other, 0, (size_t)chunk->rows);
    return ak_read_ids(&job->decoding, chunk, job->document_ids, &job->other_ids, job->is_other,
                       &job->text_bytes_max, err);
}

static akidb_status read_field(ak_row_group_job *job, int field, const ak_chunk *chunk,
                               akidb_error *err)
{
    akidb_status status = check_codec(chunk, err);
    if (status != AKIDB_OK)
        return status;
    switch (field) {
    case AK_FIELD_DOCUMENT_ID: return read_ids(job, chunk, err);
    case AK_FIELD_EXTERNAL_ID:
        return ak_read_texts(&job->decoding, chunk, &job->text_bytes_max, &job->external_ids, err);
    case AK_FIELD_METADATA:
        return ak_read_texts(&job->decoding, chunk, &job->text_bytes_max, &job->metadata, err);
    case AK_FIELD_INSERTED_AT: return ak_read_times(&job->decoding, chunk, job->inserted_at, err);
    case AK_FIELD_DIMENSION:
        return ak_check_dimensions(&job->decoding, chunk, job->reader->dimension, err);
    default:
        return ak_read_vectors(&job->decoding, chunk, job->reader->dimension, job->vectors, err);
    }
}

static akidb_status begin(ak_row_group_job *job, akidb_error *err)
{
    ak_texts_truncate(&job->external_ids, 0);
    ak_texts_truncate(&job->metadata, 0);
    ak_texts_truncate(&job->other_ids, 0);
    if (job->has_decoding)
        return AKIDB_OK;
    akidb_status status = ak_decoding_new(&job->decoding, err);
    job->has_decoding = status == AKIDB_OK;
    return status;
}

/* The vector first: a row whose vector has another length is named as that, before the dimension
 * column is compared. */
static akidb_status read_fields(ak_row_group_job *job, bool places, akidb_error *err)
{
    loaded l = {.places = places};
    akidb_status status = begin(job, err);
    if (status == AKIDB_OK)
        status = load(job, &l, err);
    for (int field = AK_FIELD_COUNT - 1; status == AKIDB_OK && field >= 0; field--)
        if (l.chunks[field].leaf != NULL)
            status = read_field(job, field, &l.chunks[field], err);
    return status;
}

/* The second time nothing is placed: a plan that did not fit must not fail twice, and what is wrong
 * is named by the plain way. */
akidb_status ak_row_group_read(void *context, akidb_error *err)
{
    ak_row_group_job *job = context;
    uint64_t text_bytes_max = job->text_bytes_max;
    job->was_damaged = false;
    akidb_status status = read_fields(job, true, &job->damage);
    if (status == AKIDB_OK)
        return AKIDB_OK;
    bool again = status == AKIDB_E_CORRUPTION ||
                 (status == AKIDB_E_VALIDATION && job->placement.page_count > 0);
    if (!again) {
        if (err != NULL)
            *err = job->damage;
        return status;
    }
    job->was_damaged = status == AKIDB_E_CORRUPTION;
    job->text_bytes_max = text_bytes_max;
    return read_fields(job, false, err);
}

void ak_row_group_job_free(ak_row_group_job *job)
{
    ak_texts_free(&job->external_ids);
    ak_texts_free(&job->metadata);
    ak_texts_free(&job->other_ids);
    free(job->is_other);
    if (job->has_decoding)
        ak_decoding_free(&job->decoding);
    akidb_buffer_free(&job->small);
    akidb_buffer_free(&job->vector);
    ak_placement_free(&job->placement);
    *job = (ak_row_group_job){0};
}

akidb_status ak_row_group_first_length(const akidb_parquet_reader *reader, size_t group,
                                       uint64_t *length_out, akidb_error *err)
{
    ak_row_group_job job = {.reader = reader, .group = group};
    loaded l = {0};
    *length_out = 0;
    akidb_status status = begin(&job, err);
    if (status == AKIDB_OK)
        status = load_vector(&job, &l, err);
    if (status == AKIDB_OK)
        status = check_codec(&l.chunks[AK_FIELD_VECTOR], err);
    if (status == AKIDB_OK)
        status = ak_read_first_length(&job.decoding, &l.chunks[AK_FIELD_VECTOR], length_out, err);
    ak_row_group_job_free(&job);
    return status;
}
