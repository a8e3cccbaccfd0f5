#include <inttypes.h>
#include <stdlib.h>

#include "base/error.h"
#include "parquet/reader_state.h"
#include "parquet/writer.h"
#include "snapshot/parquet_part.h"

const ak_format_ops *ak_format_of(akidb_snapshot_format format)
{
    return format == AKIDB_FORMAT_JSON ? &ak_format_json : &ak_format_parquet;
}

/* ---- writing --------------------------------------------------------------------------------- */

static akidb_status writer_open(const ak_part_target *target, void **writer_out, akidb_error *err)
{
    akidb_parquet_writer *writer;
    akidb_status status = ak_parquet_writer_open(&target->output, target->settings, &writer, err);
    *writer_out = writer;
    return status;
}

/* The snapshot writer has checked the batch; to check it again would read every text twice. */
static akidb_status append(void *writer, const akidb_batch *batch, bool last, akidb_error *err)
{
    return ak_parquet_writer_append_checked(writer, batch, last, err);
}

static uint64_t size(const void *writer)
{
    return akidb_parquet_writer_size(writer);
}

static akidb_status finish(void *writer, akidb_parquet_summary *summary_out, akidb_error *err)
{
    return akidb_parquet_writer_finish(writer, summary_out, err);
}

static const ak_writer_settings *settings(const void *writer)
{
    return ak_parquet_writer_settings(writer);
}

static void writer_free(void *writer)
{
    akidb_parquet_writer_free(writer);
}

/* ---- reading --------------------------------------------------------------------------------- */

typedef struct parquet_part {
    akidb_parquet_reader *reader;
    const ak_filter *filter;
    size_t next; /* row group */
    size_t count;
} parquet_part;

static void reader_close(void *handle)
{
    parquet_part *part = handle;
    if (part == NULL)
        return;
    akidb_parquet_reader_close(part->reader);
    free(part);
}

akidb_status ak_parquet_part_failure(akidb_status status, akidb_error *err)
{
    if (status != AKIDB_E_VALIDATION)
        return status;
    if (err != NULL)
        err->status = AKIDB_E_CORRUPTION;
    return AKIDB_E_CORRUPTION;
}

/* The file must hold what the metadata says. */
static akidb_status check_part(const ak_part_source *source, const akidb_parquet_reader *reader,
                               akidb_error *err)
{
    uint64_t rows = akidb_parquet_reader_rows(reader);
    if (rows != source->part->summary.rows)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(source->part->key),
                          "expected %" PRIu64 " rows, as the metadata has it, found %" PRIu64,
                          source->part->summary.rows, rows);
    uint32_t dimension = akidb_parquet_reader_dimension(reader);
    if (dimension != source->metadata->dimension && !(dimension == 0 && rows == 0))
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(source->part->key),
                          "expected dimension %" PRIu32 ", as the metadata has it, found %" PRIu32,
                          source->metadata->dimension, dimension);
    return AKIDB_OK;
}

akidb_status ak_parquet_part_open(const ak_part_source *source, unsigned columns, bool keep_tail,
                                  akidb_parquet_reader **reader_out, akidb_error *err)
{
    akidb_parquet_read_options options = {
        .struct_size = sizeof options,
        .columns = columns,
        .threads = source->threads,
        .reads = keep_tail ? 1 : 0, /* single documents are looked for one after the other */
        .expected = source->metadata->checked ? &source->part->summary : NULL,
        .check_pages = source->thorough,
        .hooks = source->hooks,
    };
    akidb_status status = ak_parquet_part_failure(
        ak_parquet_reader_open(source->input, &options, keep_tail, reader_out, err), err);
    if (status == AKIDB_OK)
        status = check_part(source, *reader_out, err);
    if (status != AKIDB_OK) {
        akidb_parquet_reader_close(*reader_out);
        *reader_out = NULL;
    }
    return status;
}

static akidb_status reader_open(const ak_part_source *source, void **reader_out, akidb_error *err)
{
    *reader_out = NULL;
    parquet_part *part = calloc(1, sizeof *part);
    if (part == NULL)
        return ak_fail_memory(err, sizeof *part);
    akidb_status status =
        ak_parquet_part_open(source, ak_filter_columns(source->filter), false, &part->reader, err);
    if (status != AKIDB_OK) {
        reader_close(part);
        return status;
    }
    part->filter = source->filter;
    part->count = akidb_parquet_reader_row_groups(part->reader);
    *reader_out = part;
    return AKIDB_OK;
}

static akidb_status may_match(const parquet_part *part, size_t group, bool *result_out,
                              akidb_error *err)
{
    *result_out = true;
    if (!part->filter->conditional)
        return AKIDB_OK;
    akidb_parquet_row_group_bounds bounds;
    akidb_status status = akidb_parquet_reader_bounds(part->reader, group, &bounds, err);
    if (status == AKIDB_OK)
        *result_out = ak_filter_may_match(part->filter, &bounds);
    return status;
}

/* Reads the next run of row groups that may match, at most `groups` of them. */
static akidb_status next(void *handle, size_t groups, akidb_documents *documents, bool *done_out,
                         akidb_error *err)
{
    parquet_part *part = handle;
    size_t first = part->next;
    bool wanted = false;
    for (; first < part->count && !wanted; first++) {
        akidb_status status = may_match(part, first, &wanted, err);
        if (status != AKIDB_OK)
            return status;
        if (wanted)
            break;
    }
    size_t end = first;
    while (wanted && end < part->count && end - first < groups) {
        akidb_status status = may_match(part, end, &wanted, err);
        if (status != AKIDB_OK)
            return status;
        end += wanted ? 1 : 0;
    }
    part->next = end;
    *done_out = end == part->count;
    if (end == first)
        return AKIDB_OK;
    return ak_parquet_part_failure(
        akidb_parquet_reader_read(part->reader, first, end - first, documents, err), err);
}

const ak_format_ops ak_format_parquet = {
    .writer_open = writer_open,
    .append = append,
    .size = size,
    .finish = finish,
    .settings = settings,
    .writer_free = writer_free,
    .reader_open = reader_open,
    .next = next,
    .reader_close = reader_close,
};
