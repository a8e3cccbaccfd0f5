#include "parquet/file_write.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "parquet/tail_write.h"

void ak_parquet_file_free(ak_parquet_file *file)
{
    free(file->records);
    free(file->summaries);
    akidb_buffer_free(&file->blooms);
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
    ak_row_group_record *record = &file->records[file->row_group_count];
    *record = encoder->record;
    status = ak_row_group_append_indexes(encoder, offset, record, &file->indexes, err);
    if (status == AKIDB_OK)
        status = ak_buffer_append(&file->blooms, encoder->blooms.data, encoder->blooms.size, err);
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

akidb_status ak_parquet_file_end(ak_parquet_file *file, const ak_writer_settings *settings,
                                 akidb_parquet_summary *summary_out, akidb_error *err)
{
    akidb_buffer footer = {0};
    akidb_status status = put_magic_once(file, err);
    if (status == AKIDB_OK)
        status = ak_footer_append(settings, file->records, file->row_group_count, file->size,
                                  file->size + file->blooms.size, &footer, err);
    if (status != AKIDB_OK)
        goto done;
    enum { PIECES = 3 };
    const akidb_slice tail[PIECES] = {{file->blooms.data, file->blooms.size},
                                      {file->indexes.data, file->indexes.size},
                                      {footer.data, footer.size}};
    uint64_t offset = file->size, size = 0;
    uint32_t crc32c = 0;
    for (size_t i = 0; i < PIECES; i++) {
        crc32c = ak_crc32c(crc32c, tail[i].data, tail[i].size);
        size += tail[i].size;
    }
    status = put(file, tail, PIECES, size, crc32c, err);
    if (status == AKIDB_OK)
        *summary_out = (akidb_parquet_summary){
            .rows = file->rows,
            .file = {0, file->size, file->crc32c},
            .tail = {offset, size, crc32c},
            .row_group_count = file->row_group_count,
            .row_groups = file->summaries,
        };
done:
    akidb_buffer_free(&footer);
    return status;
}
