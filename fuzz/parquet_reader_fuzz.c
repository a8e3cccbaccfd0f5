/* layers: codec os json document parquet */
/* Any bytes as a Parquet file: every way to open it, and every row group of it, as a whole and by
 * pieces, which must be the same. The first byte chooses the options, the rest is the file.
 * Checksums of pages that are damaged end a run early: the corpus has files without them. */
#include <stdlib.h>

#include "parquet/row_stream.h"
#include "same.h"

/* Touches what the documents hold, so that a sanitizer sees what is not there. */
static uint64_t sum_documents(const akidb_documents *documents)
{
    akidb_batch batch = akidb_documents_batch(documents);
    uint64_t sum = 0;
    for (size_t i = 0; i < batch.rows; i++) {
        akidb_slice texts[2] = {akidb_texts_at(&batch.external_ids, i),
                                akidb_texts_at(&batch.metadata, i)};
        for (size_t t = 0; t < 2; t++)
            for (size_t j = 0; j < texts[t].size; j++)
                sum += ((const uint8_t *)texts[t].data)[j];
        sum += batch.document_ids[i].bytes[15];
        if (batch.inserted_at != NULL)
            sum += (uint64_t)batch.inserted_at[i];
        for (uint32_t j = 0; batch.vectors != NULL && j < batch.dimension; j++)
            sum += batch.vectors[i * batch.dimension + j] > 0;
    }
    return sum;
}

static uint64_t look_at(const akidb_parquet_reader *reader)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < akidb_parquet_reader_row_groups(reader); i++) {
        akidb_parquet_row_group_bounds bounds;
        if (akidb_parquet_reader_bounds(reader, i, &bounds, NULL) == AKIDB_OK)
            sum += bounds.has_external_id ? bounds.external_id_min.size : bounds.rows;
        for (size_t j = 0; j < akidb_parquet_reader_columns(reader); j++) {
            akidb_parquet_chunk_info info;
            if (akidb_parquet_reader_chunk(reader, i, j, &info, NULL) == AKIDB_OK)
                sum += info.values + (uint8_t)info.column[0] + (uint8_t)info.codec[0];
        }
    }
    return sum;
}

static akidb_documents *new_documents(const akidb_parquet_reader *reader)
{
    akidb_documents *documents;
    if (akidb_documents_new(akidb_parquet_reader_dimension(reader), &documents, NULL) != AKIDB_OK)
        abort();
    return documents;
}

static akidb_status read_by_pieces(akidb_parquet_reader *reader, size_t group, size_t piece_bytes,
                                   akidb_documents *documents)
{
    ak_row_stream *stream;
    akidb_status status = ak_row_stream_open(reader, group, piece_bytes, &stream, NULL);
    for (size_t before = SIZE_MAX; status == AKIDB_OK;) {
        size_t rows = akidb_documents_batch(documents).rows;
        if (rows == before)
            break;
        before = rows;
        status = ak_row_stream_next(stream, 3, documents, NULL);
    }
    ak_row_stream_close(stream);
    return status;
}

/* Limits of texts count by column in pieces, and damage may be met in another order. */
static uint64_t read_group(akidb_parquet_reader *reader, size_t group, size_t piece_bytes)
{
    akidb_documents *whole = new_documents(reader);
    akidb_documents *pieces = new_documents(reader);
    akidb_status status = akidb_parquet_reader_read(reader, group, 1, whole, NULL);
    akidb_status other = read_by_pieces(reader, group, piece_bytes, pieces);
    const ak_file_columns *columns = &reader->columns;
    if ((status == AKIDB_OK) != (other == AKIDB_OK) && status != AKIDB_E_LIMIT)
        abort();
    if (status == AKIDB_OK)
        check_same(whole, pieces, columns->document_id != NULL && !columns->has_other_ids,
                   columns->inserted_at != NULL);
    uint64_t sum = sum_documents(whole) + sum_documents(pieces);
    akidb_documents_free(whole);
    akidb_documents_free(pieces);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    akidb_error err;
    akidb_parquet_reader *reader;
    akidb_parquet_read_options options = {.struct_size = sizeof options,
                                          .columns = data[0] & AKIDB_COLUMNS_ALL,
                                          .narrow_doubles = (data[0] & 32) != 0,
                                          .allow_other_ids = (data[0] & 64) != 0,
                                          .max_page_bytes = 1 << 22};
    size_t piece_bytes = (data[0] & 128) != 0 ? 300 : 1;
    akidb_input input = akidb_input_from_memory((akidb_slice){data + 1, size - 1}, "fuzz");
    if (akidb_parquet_reader_open(&input, &options, &reader, &err) != AKIDB_OK)
        return 0;
    uint64_t sum = look_at(reader);
    size_t groups = akidb_parquet_reader_row_groups(reader);
    for (size_t i = 0; akidb_parquet_reader_dimension(reader) > 0 && i < groups; i++)
        sum += read_group(reader, i, piece_bytes);
    akidb_parquet_reader_close(reader);
    volatile uint64_t used = sum; /* or the compiler would leave out the looking */
    (void)used;
    return 0;
}
