/* .parquet as documents, by whole row groups where they are small, by pieces of them otherwise. */
#include <stdlib.h>

#include "base/error.h"
#include "document/documents.h"
#include "formats/import.h"
#include "parquet/row_stream.h"

/* Vectors of a row group that are worth reading by pieces: other engines write a million rows. */
#define LARGE_BYTES (UINT64_C(64) << 20)

typedef struct parquet_source {
    ak_source source;
    akidb_input input;
    akidb_parquet_reader *reader;
    ak_row_stream *stream; /* of the row group before the next; or NULL */
    size_t row_group;      /* the next to be read */
    bool has_summary;      /* whose checksums are those of whole row groups */
} parquet_source;

/* How many row groups from the next one on have about max_rows rows: at least one. */
static akidb_status count_row_groups(const parquet_source *parquet, size_t max_rows,
                                     size_t *count_out, akidb_error *err)
{
    size_t last = akidb_parquet_reader_row_groups(parquet->reader);
    uint64_t rows = 0;
    size_t count = 0;
    while (parquet->row_group + count < last) {
        akidb_parquet_row_group_bounds bounds;
        akidb_status status =
            akidb_parquet_reader_bounds(parquet->reader, parquet->row_group + count, &bounds, err);
        if (status != AKIDB_OK)
            return status;
        if (count > 0 && bounds.rows > max_rows - rows)
            break;
        count++;
        rows += bounds.rows;
        if (rows >= max_rows)
            break;
    }
    *count_out = count;
    return AKIDB_OK;
}

/* Opens a stream of the next row group if it is large. */
static akidb_status open_stream(parquet_source *parquet, size_t max_rows, akidb_error *err)
{
    akidb_parquet_row_group_bounds bounds;
    akidb_status status =
        akidb_parquet_reader_bounds(parquet->reader, parquet->row_group, &bounds, err);
    bool is_large = bounds.rows > max_rows &&
                    bounds.rows > LARGE_BYTES / sizeof(float) / parquet->source.dimension;
    if (status != AKIDB_OK || !is_large || parquet->has_summary)
        return status;
    status = ak_row_stream_open(parquet->reader, parquet->row_group, 0, &parquet->stream, err);
    if (status == AKIDB_OK)
        parquet->row_group++;
    return status;
}

static akidb_status next_of_stream(parquet_source *parquet, size_t max_rows,
                                   akidb_documents *documents, akidb_error *err)
{
    akidb_status status = ak_row_stream_next(parquet->stream, max_rows, documents, err);
    if (status == AKIDB_OK && documents->rows == 0) {
        ak_row_stream_close(parquet->stream);
        parquet->stream = NULL;
    }
    return status;
}

static akidb_status next_groups(parquet_source *parquet, size_t max_rows,
                                akidb_documents *documents, akidb_error *err)
{
    size_t count;
    akidb_status status = count_row_groups(parquet, max_rows, &count, err);
    if (status == AKIDB_OK)
        status =
            akidb_parquet_reader_read(parquet->reader, parquet->row_group, count, documents, err);
    if (status == AKIDB_OK)
        parquet->row_group += count;
    return status;
}

static akidb_status parquet_next(ak_source *source, size_t max_rows, akidb_documents *documents,
                                 akidb_error *err)
{
    parquet_source *parquet = (parquet_source *)source;
    size_t last = akidb_parquet_reader_row_groups(parquet->reader);
    akidb_status status = AKIDB_OK;
    while (status == AKIDB_OK && documents->rows == 0) { /* a row group may be empty */
        if (parquet->stream == NULL && parquet->row_group == last)
            return AKIDB_OK;
        if (parquet->stream == NULL)
            status = open_stream(parquet, max_rows, err);
        if (status == AKIDB_OK)
            status = parquet->stream != NULL ? next_of_stream(parquet, max_rows, documents, err)
                                             : next_groups(parquet, max_rows, documents, err);
    }
    return status;
}

static void parquet_close(ak_source *source)
{
    parquet_source *parquet = (parquet_source *)source;
    ak_row_stream_close(parquet->stream);
    akidb_parquet_reader_close(parquet->reader);
    akidb_input_close(&parquet->input);
    free(parquet);
}

akidb_status ak_parquet_source_new(akidb_input input, const akidb_parquet_read_options *options,
                                   ak_source **source_out, akidb_error *err)
{
    static const ak_source_ops ops = {parquet_next, parquet_close};
    *source_out = NULL;
    parquet_source *parquet = calloc(1, sizeof *parquet);
    if (parquet == NULL) {
        akidb_input_close(&input);
        return ak_fail_memory(err, sizeof *parquet);
    }
    parquet->input = input;
    parquet->has_summary = options->expected != NULL;
    akidb_status status =
        akidb_parquet_reader_open(&parquet->input, options, &parquet->reader, err);
    if (status != AKIDB_OK) {
        parquet_close(&parquet->source);
        return status;
    }
    parquet->source = (ak_source){&ops, akidb_parquet_reader_dimension(parquet->reader),
                                  akidb_parquet_reader_rows(parquet->reader)};
    *source_out = &parquet->source;
    return AKIDB_OK;
}
