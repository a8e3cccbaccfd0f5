/* The files that documents are written to, each in a few lines. */
#include "base/error.h"
#include "formats/export.h"
#include "formats/npy.h"

static size_t vector_bytes(const ak_sink *sink)
{
    return sink->dimension * sizeof(float);
}

/* ---- .npy: the header is written again at the end, with the number of rows ------------------- */

static akidb_status npy_begin(ak_sink *sink, const akidb_export_options *options, akidb_error *err)
{
    (void)options;
    uint8_t header[AK_NPY_HEADER_SIZE];
    ak_npy_write_header(0, sink->dimension, header);
    return ak_file_out_write(sink->file, (akidb_slice){header, sizeof header}, err);
}

static akidb_status npy_append(ak_sink *sink, const akidb_batch *batch, akidb_error *err)
{
    akidb_slice all = {batch->vectors, batch->rows * vector_bytes(sink)};
    return ak_file_out_write(sink->file, all, err);
}

static akidb_status npy_end(ak_sink *sink, akidb_error *err)
{
    uint8_t header[AK_NPY_HEADER_SIZE];
    ak_npy_write_header(sink->rows, sink->dimension, header);
    return ak_file_out_patch(sink->file, (akidb_slice){header, sizeof header}, err);
}

const ak_sink_ops ak_npy_sink = {npy_begin, npy_append, npy_end};

/* ---- .fvecs ---------------------------------------------------------------------------------- */

static akidb_status fvecs_append(ak_sink *sink, const akidb_batch *batch, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; status == AKIDB_OK && i < batch->rows; i++) {
        akidb_slice head = {&sink->dimension, sizeof sink->dimension};
        akidb_slice vector = {batch->vectors + i * (size_t)sink->dimension, vector_bytes(sink)};
        status = ak_file_out_write(sink->file, head, err);
        if (status == AKIDB_OK)
            status = ak_file_out_write(sink->file, vector, err);
    }
    return status;
}

const ak_sink_ops ak_fvecs_sink = {NULL, fvecs_append, NULL};

/* ---- .jsonl ---------------------------------------------------------------------------------- */

static akidb_status jsonl_begin(ak_sink *sink, const akidb_export_options *options,
                                akidb_error *err)
{
    const ak_json_style style = {.lines = true, .columns = sink->columns};
    return ak_json_texts_new(style, options->threads == 0 ? 1 : options->threads, &sink->texts,
                             err);
}

static akidb_status put_text(void *context, akidb_slice text, akidb_error *err)
{
    return ak_file_out_write(context, text, err);
}

static akidb_status jsonl_append(ak_sink *sink, const akidb_batch *batch, akidb_error *err)
{
    return ak_json_texts_append(sink->texts, batch, put_text, sink->file, err);
}

const ak_sink_ops ak_jsonl_sink = {jsonl_begin, jsonl_append, NULL};

/* ---- .parquet -------------------------------------------------------------------------------- */

static akidb_status parquet_begin(ak_sink *sink, const akidb_export_options *options,
                                  akidb_error *err)
{
    sink->output = ak_file_out_output(sink->file);
    return akidb_parquet_writer_open(&sink->output, sink->dimension, options->parquet,
                                     &sink->writer, err);
}

static akidb_status parquet_append(ak_sink *sink, const akidb_batch *batch, akidb_error *err)
{
    return akidb_parquet_writer_append(sink->writer, batch, err);
}

static akidb_status parquet_end(ak_sink *sink, akidb_error *err)
{
    akidb_parquet_summary summary;
    return akidb_parquet_writer_finish(sink->writer, &summary, err);
}

const ak_sink_ops ak_parquet_sink = {parquet_begin, parquet_append, parquet_end};
