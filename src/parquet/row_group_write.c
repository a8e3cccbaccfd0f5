#include "parquet/row_group_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "parquet/bloom.h"
#include "parquet/column_write.h"

/* The order of the chunks in the file. The vectors come last, so that everything else is one range
 * that a reader of ids or metadata can fetch alone. */
static const ak_leaf file_order[AK_LEAF_COUNT] = {
    AK_LEAF_DOCUMENT_ID, AK_LEAF_EXTERNAL_ID, AK_LEAF_DIMENSION,
    AK_LEAF_METADATA,    AK_LEAF_INSERTED_AT, AK_LEAF_VECTOR,
};

void ak_row_group_encoder_init(ak_row_group_encoder *encoder, const ak_writer_settings *settings)
{
    *encoder = (ak_row_group_encoder){.settings = settings};
}

static akidb_status make_compressors(ak_row_group_encoder *encoder, akidb_error *err)
{
    const ak_writer_settings *settings = encoder->settings;
    akidb_status status = AKIDB_OK;
    if (settings->codec != AK_CODEC_UNCOMPRESSED)
        status = ak_compressor_new(settings->codec, settings->level, &encoder->compressor, err);
    if (status != AKIDB_OK || settings->vector_codec == AK_CODEC_UNCOMPRESSED)
        return status;
    if (settings->vector_codec == settings->codec && settings->vector_level == settings->level)
        encoder->vector_compressor = encoder->compressor;
    else
        status = ak_compressor_new(settings->vector_codec, settings->vector_level,
                                   &encoder->vector_compressor, err);
    return status;
}

void ak_row_group_encoder_free(ak_row_group_encoder *encoder)
{
    for (size_t i = 0; i < AK_LEAF_COUNT; i++)
        ak_chunk_free(&encoder->chunks[i]);
    if (encoder->vector_compressor != encoder->compressor)
        ak_compressor_free(encoder->vector_compressor);
    ak_compressor_free(encoder->compressor);
    akidb_buffer_free(&encoder->chunk_tools.split);
    ak_text_tools_free(&encoder->text_tools);
    free(encoder->slices);
    akidb_buffer_free(&encoder->blooms);
    *encoder = (ak_row_group_encoder){0};
}

static ak_chunk_record *begin_column(ak_row_group_encoder *encoder, ak_leaf leaf, uint64_t values)
{
    ak_chunk_clear(&encoder->chunks[leaf]);
    ak_chunk_record *record = &encoder->record.chunks[leaf];
    record->encoding = AK_ENCODING_PLAIN;
    record->num_values = (int64_t)values;
    return record;
}

static akidb_status write_ids(ak_row_group_encoder *encoder, const akidb_uuid *ids, size_t rows,
                              akidb_error *err)
{
    ak_chunk_record *record = begin_column(encoder, AK_LEAF_DOCUMENT_ID, rows);
    const akidb_uuid *min = ids, *max = ids;
    for (size_t i = 1; i < rows; i++) {
        if (akidb_uuid_compare(&ids[i], min) < 0)
            min = &ids[i];
        if (akidb_uuid_compare(&ids[i], max) > 0)
            max = &ids[i];
    }
    record->min = ak_bound_exact(min->bytes, sizeof min->bytes);
    record->max = ak_bound_exact(max->bytes, sizeof max->bytes);
    return ak_write_document_ids(&encoder->chunks[AK_LEAF_DOCUMENT_ID], ids, rows,
                                 encoder->settings->page_bytes, err);
}

static akidb_status write_dimension(ak_row_group_encoder *encoder, size_t rows, akidb_error *err)
{
    ak_chunk_record *record = begin_column(encoder, AK_LEAF_DIMENSION, rows);
    uint32_t dimension = encoder->settings->dimension;
    record->min = ak_bound_exact(&dimension, sizeof dimension);
    record->max = record->min;
    return ak_write_dimension(&encoder->chunks[AK_LEAF_DIMENSION], dimension, rows,
                              encoder->settings->page_bytes, err);
}

static akidb_status write_times(ak_row_group_encoder *encoder, const int64_t *times, size_t rows,
                                akidb_error *err)
{
    ak_chunk_record *record = begin_column(encoder, AK_LEAF_INSERTED_AT, rows);
    int64_t divisor = encoder->settings->unit == AK_UNIT_MICROS ? 1 : 1000;
    int64_t min = times[0], max = times[0];
    for (size_t i = 1; i < rows; i++) {
        min = times[i] < min ? times[i] : min;
        max = times[i] > max ? times[i] : max;
    }
    min /= divisor;
    max /= divisor;
    record->min = ak_bound_exact(&min, sizeof min);
    record->max = ak_bound_exact(&max, sizeof max);
    return ak_write_times(&encoder->chunks[AK_LEAF_INSERTED_AT], times, rows, divisor,
                          encoder->settings->page_bytes, err);
}

static akidb_status write_texts(ak_row_group_encoder *encoder, ak_leaf leaf,
                                const akidb_texts *texts, size_t first, size_t rows,
                                akidb_error *err)
{
    ak_chunk_record *record = begin_column(encoder, leaf, rows);
    ak_text_summary summary;
    akidb_status status =
        ak_write_texts(&encoder->chunks[leaf], &encoder->text_tools, texts, first, rows,
                       encoder->settings->dictionary, encoder->settings->page_bytes, &summary, err);
    if (status != AKIDB_OK)
        return status;
    record->has_dictionary = summary.has_dictionary;
    record->null_count = summary.null_count;
    if (leaf == AK_LEAF_EXTERNAL_ID) { /* nobody searches metadata by its text */
        record->min = summary.min;
        record->max = summary.max;
    }
    return AKIDB_OK;
}

static akidb_status write_vectors(ak_row_group_encoder *encoder, const float *vectors, size_t rows,
                                  akidb_error *err)
{
    const ak_writer_settings *settings = encoder->settings;
    ak_chunk_record *record =
        begin_column(encoder, AK_LEAF_VECTOR, (uint64_t)rows * settings->dimension);
    record->encoding = settings->vector_encoding;
    return ak_write_vectors(&encoder->chunks[AK_LEAF_VECTOR], vectors, rows, settings->dimension,
                            settings->vector_encoding, settings->page_bytes, err);
}

/* ---- Bloom filters --------------------------------------------------------------------------- */

/* Appends the header of a filter for `values` values, and its bits, all 0. */
static akidb_status begin_bloom(ak_row_group_encoder *encoder, ak_leaf leaf, uint64_t values,
                                uint8_t **bits_out, size_t *size_out, akidb_error *err)
{
    akidb_buffer *blooms = &encoder->blooms;
    size_t before = blooms->size, size = ak_bloom_size(values);
    akidb_status status = ak_bloom_header_write(size, blooms, err);
    if (status == AKIDB_OK)
        status = ak_buffer_reserve(blooms, size, err);
    if (status != AKIDB_OK)
        return status;
    *bits_out = blooms->data + blooms->size;
    *size_out = size;
    memset(*bits_out, 0, size);
    blooms->size += size;
    encoder->record.chunks[leaf].bloom_size = blooms->size - before;
    return AKIDB_OK;
}

static akidb_status write_blooms(ak_row_group_encoder *encoder, const akidb_batch *batch,
                                 size_t first, size_t rows, akidb_error *err)
{
    encoder->blooms.size = 0;
    if (!encoder->settings->bloom_filter)
        return AKIDB_OK;
    uint8_t *bits;
    size_t size;
    akidb_status status = begin_bloom(encoder, AK_LEAF_DOCUMENT_ID, rows, &bits, &size, err);
    for (size_t i = 0; status == AKIDB_OK && i < rows; i++) {
        const akidb_uuid *id = &batch->document_ids[first + i];
        ak_bloom_insert(bits, size, ak_bloom_hash((akidb_slice){id->bytes, sizeof id->bytes}));
    }
    uint64_t texts = rows - encoder->record.chunks[AK_LEAF_EXTERNAL_ID].null_count;
    if (status != AKIDB_OK || texts == 0)
        return status;
    status = begin_bloom(encoder, AK_LEAF_EXTERNAL_ID, texts, &bits, &size, err);
    for (size_t i = 0; status == AKIDB_OK && i < rows; i++) {
        akidb_slice text = akidb_texts_at(&batch->external_ids, first + i);
        if (text.data != NULL)
            ak_bloom_insert(bits, size, ak_bloom_hash(text));
    }
    return status;
}

static akidb_status write_columns(ak_row_group_encoder *encoder, const akidb_batch *batch,
                                  size_t first, size_t rows, akidb_error *err)
{
    encoder->record = (ak_row_group_record){.rows = rows};
    akidb_status status = write_ids(encoder, batch->document_ids + first, rows, err);
    if (status == AKIDB_OK)
        status = write_texts(encoder, AK_LEAF_EXTERNAL_ID, &batch->external_ids, first, rows, err);
    if (status == AKIDB_OK)
        status = write_dimension(encoder, rows, err);
    if (status == AKIDB_OK)
        status = write_vectors(encoder, batch->vectors + first * batch->dimension, rows, err);
    if (status == AKIDB_OK)
        status = write_texts(encoder, AK_LEAF_METADATA, &batch->metadata, first, rows, err);
    if (status == AKIDB_OK)
        status = write_times(encoder, batch->inserted_at + first, rows, err);
    if (status == AKIDB_OK)
        status = write_blooms(encoder, batch, first, rows, err);
    return status;
}

static akidb_status seal_column(ak_row_group_encoder *encoder, ak_leaf leaf, akidb_error *err)
{
    ak_chunk *chunk = &encoder->chunks[leaf];
    bool is_vector = leaf == AK_LEAF_VECTOR;
    ak_codec codec = is_vector ? encoder->settings->vector_codec : encoder->settings->codec;
    encoder->chunk_tools.compressor = is_vector ? encoder->vector_compressor : encoder->compressor;
    akidb_status status = ak_chunk_seal(chunk, &encoder->chunk_tools, is_vector, err);
    encoder->record.chunks[leaf].codec = chunk->is_compressed ? (int)codec : AK_CODEC_UNCOMPRESSED;
    return status;
}

/* Places a chunk behind what the row group has so far. */
static akidb_status place_column(ak_row_group_encoder *encoder, ak_leaf leaf, akidb_error *err)
{
    ak_chunk *chunk = &encoder->chunks[leaf];
    akidb_status status = ak_chunk_place(chunk, encoder->record.offset + encoder->size, err);
    if (status != AKIDB_OK)
        return status;
    ak_chunk_record *record = &encoder->record.chunks[leaf];
    record->size = chunk->size;
    record->uncompressed_size = chunk->uncompressed_size;
    record->data_page_offset = (int64_t)encoder->size + chunk->data_page_offset;
    record->dictionary_page_offset = -1;
    if (chunk->dictionary_page_offset >= 0)
        record->dictionary_page_offset = (int64_t)encoder->size + chunk->dictionary_page_offset;
    for (size_t i = 0; i < chunk->location_count; i++)
        chunk->locations[i].offset += (int64_t)(encoder->record.offset + encoder->size);
    encoder->crc32c = ak_crc32c_combine(encoder->crc32c, chunk->crc32c, chunk->size);
    encoder->size += chunk->size;
    return AKIDB_OK;
}

static akidb_status collect_slices(ak_row_group_encoder *encoder, akidb_error *err)
{
    size_t pages = 0;
    for (size_t i = 0; i < AK_LEAF_COUNT; i++)
        pages += encoder->chunks[i].page_count;
    void *slices = encoder->slices;
    akidb_status status = ak_array_reserve(&slices, &encoder->slice_capacity,
                                           pages * AK_PAGE_SLICES, sizeof *encoder->slices, err);
    encoder->slices = slices;
    if (status != AKIDB_OK)
        return status;
    encoder->slice_count = 0;
    for (size_t i = 0; i < AK_LEAF_COUNT; i++)
        encoder->slice_count += ak_chunk_slices(&encoder->chunks[file_order[i]],
                                                encoder->slices + encoder->slice_count);
    return AKIDB_OK;
}

akidb_status ak_row_group_encode(ak_row_group_encoder *encoder, const akidb_batch *batch,
                                 size_t first, size_t rows, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    if (!encoder->has_compressors)
        status = make_compressors(encoder, err);
    encoder->has_compressors = status == AKIDB_OK;
    if (status == AKIDB_OK)
        status = write_columns(encoder, batch, first, rows, err);
    for (size_t i = 0; i < AK_LEAF_COUNT && status == AKIDB_OK; i++)
        status = seal_column(encoder, file_order[i], err);
    return status;
}

akidb_status ak_row_group_place(ak_row_group_encoder *encoder, uint64_t offset, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    encoder->record.offset = offset;
    encoder->size = 0;
    encoder->crc32c = 0;
    for (size_t i = 0; i < AK_LEAF_COUNT && status == AKIDB_OK; i++) {
        if (file_order[i] == AK_LEAF_VECTOR) {
            encoder->small_size = encoder->size;
            encoder->small_crc32c = encoder->crc32c;
        }
        status = place_column(encoder, file_order[i], err);
    }
    return status != AKIDB_OK ? status : collect_slices(encoder, err);
}

akidb_status ak_row_group_append_indexes(ak_row_group_encoder *encoder, ak_row_group_record *record,
                                         akidb_buffer *indexes, akidb_error *err)
{
    for (size_t leaf = 0; leaf < AK_LEAF_COUNT; leaf++) {
        const ak_chunk *chunk = &encoder->chunks[leaf];
        size_t before = indexes->size;
        akidb_status status =
            ak_offset_index_write(chunk->locations, chunk->location_count, indexes, err);
        if (status != AKIDB_OK)
            return status;
        record->chunks[leaf].index_size = indexes->size - before;
    }
    return AKIDB_OK;
}
