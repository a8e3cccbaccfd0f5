#include "akidb/parquet.h"
#include "base/error.h"

static akidb_status decode(akidb_parquet_reader *reader, akidb_documents **documents_out,
                           akidb_error *err)
{
    akidb_documents *documents;
    if (akidb_parquet_reader_dimension(reader) == 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "expected documents, found a file without rows that does not say their "
                       "dimension");
    akidb_status status =
        akidb_documents_new(akidb_parquet_reader_dimension(reader), &documents, err);
    if (status != AKIDB_OK)
        return status;
    status = akidb_parquet_reader_read(reader, 0, akidb_parquet_reader_row_groups(reader),
                                       documents, err);
    if (status != AKIDB_OK) {
        akidb_documents_free(documents);
        return status;
    }
    *documents_out = documents;
    return AKIDB_OK;
}

akidb_status akidb_parquet_decode_batch(akidb_slice file, const akidb_parquet_read_options *options,
                                        akidb_documents **documents_out, akidb_error *err)
{
    *documents_out = NULL;
    akidb_parquet_reader *reader;
    akidb_input input = akidb_input_from_memory(file, "Parquet file in memory");
    akidb_status status = akidb_parquet_reader_open(&input, options, &reader, err);
    if (status != AKIDB_OK)
        return status;
    status = decode(reader, documents_out, err);
    akidb_parquet_reader_close(reader);
    return status;
}
