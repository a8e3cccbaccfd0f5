#include "base/error.h"
#include "parquet/batch_check.h"
#include "parquet/writer.h"

static akidb_status encode(const akidb_batch *batch, const ak_writer_settings *settings,
                           akidb_buffer *file, akidb_error *err)
{
    const akidb_output output = akidb_output_to_buffer(file);
    akidb_parquet_writer *writer;
    akidb_status status = ak_parquet_writer_open(&output, settings, &writer, err);
    if (status != AKIDB_OK)
        return status;
    akidb_parquet_summary summary;
    status = ak_parquet_writer_append_last(writer, batch, err);
    if (status == AKIDB_OK)
        status = akidb_parquet_writer_finish(writer, &summary, err);
    akidb_parquet_writer_free(writer);
    return status;
}

akidb_status akidb_parquet_encode_batch(const akidb_batch *batch,
                                        const akidb_parquet_options *options,
                                        akidb_buffer *file_out, akidb_error *err)
{
    *file_out = (akidb_buffer){0};
    ak_writer_settings settings;
    akidb_status status = ak_writer_settings_make(&settings, batch->dimension, options, err);
    if (status != AKIDB_OK)
        return status;
    if (batch->rows == 0)
        return ak_fail(err, AKIDB_E_VALIDATION, "batch: expected one row at least, found none");
    if (settings.unit_is_default && ak_batch_needs_micros(batch, NULL))
        settings.unit = AK_UNIT_MICROS;
    status = encode(batch, &settings, file_out, err);
    if (status != AKIDB_OK)
        akidb_buffer_free(file_out);
    return status;
}
