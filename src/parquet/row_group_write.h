#ifndef AK_PARQUET_ROW_GROUP_WRITE_H
#define AK_PARQUET_ROW_GROUP_WRITE_H
/* Encodes row groups, each alone and on any thread: rows of a batch in, slices to write and what
 * the footer must say of them out. The headers of pages depend on where they come to lie: they are
 * made by placing, which takes the row groups in the file's order. */
#include "akidb/batch.h"
#include "parquet/bounds_write.h"
#include "parquet/chunk_write.h"
#include "parquet/schema_write.h"
#include "parquet/text_write.h"
#include "parquet/writer_options.h"

/* What the footer says about a column chunk. Offsets count from the row group's beginning. */
typedef struct ak_chunk_record {
    int codec;
    bool has_dictionary;
    int encoding; /* of the values in data pages that use no dictionary */
    int64_t num_values;
    uint64_t size; /* in the file, with page headers */
    uint64_t uncompressed_size;
    int64_t data_page_offset;
    int64_t dictionary_page_offset; /* -1: none */
    uint64_t null_count;
    ak_bound min, max;
    size_t index_size; /* of its offset index; set when that is written */
    size_t bloom_size; /* of its Bloom filter with the header; 0: none */
} ak_chunk_record;

typedef struct ak_row_group_record {
    uint64_t rows;
    uint64_t offset; /* in the file */
    ak_chunk_record chunks[AK_LEAF_COUNT];
} ak_row_group_record;

/* One row group at a time; its memory is kept for the next. One thread at a time. */
typedef struct ak_row_group_encoder {
    const ak_writer_settings *settings;
    ak_chunk chunks[AK_LEAF_COUNT];
    ak_chunk_tools chunk_tools;
    ak_compressor *compressor;        /* of all columns but the vectors; NULL: no compression */
    ak_compressor *vector_compressor; /* may be the same one */
    bool has_compressors;             /* made for the first row group, once settings are decided */
    ak_text_tools text_tools;
    akidb_slice *slices;
    size_t slice_count;
    size_t slice_capacity;

    /* Results of the last encoding, all but the filters once it has been placed. */
    ak_row_group_record record;
    uint64_t size;
    uint64_t small_size; /* of all chunks but the vector's, which come first */
    uint32_t crc32c;
    uint32_t small_crc32c;
    akidb_buffer blooms; /* Bloom filters with their headers, in the order of the schema */
} ak_row_group_encoder;

/* `settings` must outlive the encoder, and be decided before it encodes. */
void ak_row_group_encoder_init(ak_row_group_encoder *encoder, const ak_writer_settings *settings);
void ak_row_group_encoder_free(ak_row_group_encoder *encoder);

/* Encodes rows first .. first + rows - 1, rows >= 1, of a valid batch in which document ids and
 * times are not NULL, which must stay until the slices have been written. */
AKIDB_CHECK akidb_status ak_row_group_encode(ak_row_group_encoder *encoder,
                                             const akidb_batch *batch, size_t first, size_t rows,
                                             akidb_error *err);

/* Makes what was encoded a row group that begins at `offset` in the file. The slices point into the
 * encoder and into the batch's vectors. Once per encoding. */
AKIDB_CHECK akidb_status ak_row_group_place(ak_row_group_encoder *encoder, uint64_t offset,
                                            akidb_error *err);

/* Appends the offset indexes of all chunks, in the order of the schema, for a row group that was
 * placed, and notes their sizes in `record`. Once per encoding. */
AKIDB_CHECK akidb_status ak_row_group_append_indexes(ak_row_group_encoder *encoder,
                                                     ak_row_group_record *record,
                                                     akidb_buffer *indexes, akidb_error *err);

#endif
