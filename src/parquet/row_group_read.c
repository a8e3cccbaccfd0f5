#include "parquet/row_group_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "parquet/row_group_load.h"

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
    if (chunk->rows > 0) /* or there may be no array at all */
        memset(job->is_other, 0, (size_t)chunk->rows);
    return ak_read_ids(&job->decoding, chunk, job->document_ids, &job->other_ids, job->is_other,
                       &job->text_bytes_max, err);
}

akidb_status ak_row_group_read_field(ak_row_group_job *job, int field, const ak_chunk *chunk,
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
    job->placement.page_count = 0;
    job->decodes_early = false;
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
    ak_loaded l = {.places = places};
    akidb_status status = begin(job, err);
    if (status == AKIDB_OK)
        status = ak_row_group_load(job, &l, err);
    if (status != AKIDB_OK)
        return status;
    ak_gate_enter(job->reader->decoders);
    for (int field = AK_FIELD_COUNT - 1; status == AKIDB_OK && field >= 0; field--)
        if (l.chunks[field].leaf != NULL)
            status = ak_row_group_read_field(job, field, &l.chunks[field], err);
    ak_gate_leave(job->reader->decoders);
    return status;
}

/* Damage; and what may come of damage, where bytes were taken for granted. */
static bool is_worth_another(const ak_row_group_job *job, akidb_status status)
{
    bool granted = job->placement.page_count > 0 || job->decodes_early;
    return status == AKIDB_E_CORRUPTION ||
           (granted && (status == AKIDB_E_VALIDATION || status == AKIDB_E_LIMIT ||
                        status == AKIDB_E_UNSUPPORTED));
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
    if (!is_worth_another(job, status)) {
        if (err != NULL)
            *err = job->damage;
        return status;
    }
    job->was_damaged = true;
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

/* The same of the first `size` bytes of the chunk. */
static akidb_status first_length_within(ak_row_group_job *job, uint64_t size, uint64_t *length_out,
                                        akidb_error *err)
{
    ak_loaded l = {0};
    job->vector.size = 0;
    akidb_status status = ak_row_group_load_vector(job, &l, size, err);
    if (status == AKIDB_OK)
        status = check_codec(&l.chunks[AK_FIELD_VECTOR], err);
    return status == AKIDB_OK
               ? ak_read_first_length(&job->decoding, &l.chunks[AK_FIELD_VECTOR], length_out, err)
               : status;
}

/* The first page mostly tells it. Where a beginning does not, for whatever reason, the whole chunk
 * does, or says what is wrong. */
akidb_status ak_row_group_first_length(const akidb_parquet_reader *reader, size_t group,
                                       uint64_t *length_out, akidb_error *err)
{
    enum { BEGINNING_BYTES = 2 << 20 };
    const ak_extent *extent = ak_reader_extent(reader, group, reader->columns.vector);
    ak_row_group_job job = {.reader = reader, .group = group};
    *length_out = 0;
    akidb_status status = begin(&job, err);
    if (status == AKIDB_OK &&
        (extent->size <= BEGINNING_BYTES ||
         first_length_within(&job, BEGINNING_BYTES, length_out, NULL) != AKIDB_OK))
        status = first_length_within(&job, extent->size, length_out, err);
    ak_row_group_job_free(&job);
    return status;
}
