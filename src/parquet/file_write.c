#include "parquet/file_write.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "parquet/tail_write.h"

void ak_parquet_file_init(ak_parquet_file *file, const akidb_output *output,
                          const ak_writer_settings *settings)
{
    *file = (ak_parquet_file){.output = *output};
    ak_spool_init(&file->blooms, settings->temporary_folder, settings->bloom_memory);
}

void ak_parquet_file_free(ak_parquet_file *file)
{
    free(file->records);
    free(file->summaries);
    ak_spool_free(&file->blooms);
    akidb_buffer_free(&file->indexes);
}

/* `size` and `crc32c` are those of all slices together. */
static akidb_status put(ak_parquet_file *file, const akidb_slice *slices, size_t count,
                        uint64_t size, uint32_t crc32c, akidb_error *err)
{
    akidb_status status = akidb_output_write(&file->output, slices, count, err);
    if (status != AKIDB_OK)
        return status;
    file->size += size;
    file->crc32c = ak_crc32c_combine(file->crc32c, crc32c, size);
    return AKIDB_OK;
}

static akidb_status put_magic_once(ak_parquet_file *file, akidb_error *err)
{
    if (file->size > 0)
        return AKIDB_OK;
    const akidb_slice magic = {AK_PARQUET_MAGIC, AK_PARQUET_MAGIC_SIZE};
    return put(file, &magic, 1, magic.size, ak_crc32c(0, magic.data, magic.size), err);
}

static akidb_status reserve_row_group(ak_parquet_file *file, akidb_error *err)
{
    size_t wanted = file->row_group_count + 1;
    void *records = file->records, *summaries = file->summaries;
    akidb_status status =
        ak_array_reserve(&records, &file->record_capacity, wanted, sizeof *file->records, err);
    file->records = records;
    if (status == AKIDB_OK)
        status = ak_array_reserve(&summaries, &file->summary_capacity, wanted,
                                  sizeof *file->summaries, err);
    file->summaries = summaries;
    return status;
}

akidb_status ak_parquet_file_add(ak_parquet_file *file, ak_row_group_encoder *encoder,
                                 akidb_error *err)
{
    akidb_status status = reserve_row_group(file, err);
    if (status == AKIDB_OK)
        status = put_magic_once(file, err);
    if (status != AKIDB_OK)
        return status;
    uint64_t offset = file->size;
    status = ak_row_group_place(encoder, offset, err);
    if (status != AKIDB_OK)
        return status;
    ak_row_group_record *record = &file->records[file->row_group_count];
    *record = encoder->record;
    status = ak_row_group_append_indexes(encoder, record, &file->indexes, err);
    if (status == AKIDB_OK)
        status = ak_spool_append(&file->blooms,
                                 (akidb_slice){encoder->blooms.data, encoder->blooms.size}, err);
    if (status == AKIDB_OK)
        status =
            put(file, encoder->slices, encoder->slice_count, encoder->size, encoder->crc32c, err);
    if (status != AKIDB_OK)
        return status;
    file->summaries[file->row_group_count] = (akidb_parquet_row_group_summary){
        .rows = record->rows,
        .all = {offset, encoder->size, encoder->crc32c},
        .small = {offset, encoder->small_size, encoder->small_crc32c},
    };
    file->row_group_count++;
    file->rows += record->rows;
    return AKIDB_OK;
}

typedef struct tail_writer {
    ak_parquet_file *file;
    akidb_parquet_range *tail; /* as far as it is written */
} tail_writer;

static akidb_status put_tail(void *context, akidb_slice bytes, akidb_error *err)
{
    const tail_writer *writer = context;
    akidb_parquet_range *tail = writer->tail;
    uint32_t crc32c = ak_crc32c(0, bytes.data, bytes.size);
    tail->crc32c = ak_crc32c_combine(tail->crc32c, crc32c, bytes.size);
    tail->size += bytes.size;
    return put(writer->file, &bytes, 1, bytes.size, crc32c, err);
}

akidb_status ak_parquet_file_end(ak_parquet_file *file, const ak_writer_settings *settings,
                                 akidb_parquet_summary *summary_out, akidb_error *err)
{
    akidb_buffer *end = &file->indexes; /* and the footer behind them */
    akidb_status status = put_magic_once(file, err);
    uint64_t blooms_offset = file->size;
    if (status == AKIDB_OK)
        status = ak_footer_append(settings, file->records, file->row_group_count, blooms_offset,
                                  blooms_offset + ak_spool_size(&file->blooms), end, err);
    akidb_parquet_range tail = {.offset = blooms_offset};
    tail_writer writer = {file, &tail};
    if (status == AKIDB_OK)
        status = ak_spool_read(&file->blooms, put_tail, &writer, err);
    if (status == AKIDB_OK)
        status = put_tail(&writer, (akidb_slice){end->data, end->size}, err);
    if (status == AKIDB_OK)
        *summary_out = (akidb_parquet_summary){
            .rows = file->rows,
            .file = {0, file->size, file->crc32c},
            .tail = tail,
            .row_group_count = file->row_group_count,
            .row_groups = file->summaries,
        };
    return status;
}
