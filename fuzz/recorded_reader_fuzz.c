/* layers: codec os json document parquet */
/* A file that its summary vouches for, checksums and all, and that is wrong all the same: what the
 * ways meet that take bytes to their place, or pages out of the middle, before they look at them.
 * The first byte chooses the file and the way, the rest are changes: three bytes of position, one
 * to be combined with the byte there. The checksums of the summary are those of the changed file.
 */
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/output.h"
#include "base/checksum.h"
#include "parquet/find.h"

enum { ROWS = 150, DIMENSION = 48, GROUP_ROWS = 100, PAGE_BYTES = 4096, GROUPS = 2 };

enum {
    WAY_SPLIT = 1,  /* split and compressed, not plain */
    WAY_FAR = 2,    /* an input where requests are dear */
    WAY_MANY = 4,   /* threads */
    WAY_FIND = 8,   /* single rows, by the tail */
    WAY_CHECKS = 16 /* the checksum of each page, too */
};

typedef struct written {
    akidb_buffer file;
    akidb_parquet_summary summary;
    akidb_parquet_row_group_summary groups[GROUPS];
} written;

static void write_file(written *w, bool is_split)
{
    static float vectors[ROWS * DIMENSION];
    static akidb_uuid ids[ROWS];
    static int64_t times[ROWS];
    for (size_t i = 0; i < ROWS * DIMENSION; i++)
        vectors[i] = (float)(i * 2654435761u % 1000) / 1000;
    for (size_t i = 0; i < ROWS; i++) {
        ids[i].bytes[0] = (uint8_t)i;
        ids[i].bytes[6] = 0x40;
        ids[i].bytes[8] = 0x80;
    }
    const akidb_batch batch = {.rows = ROWS,
                               .dimension = DIMENSION,
                               .vectors = vectors,
                               .document_ids = ids,
                               .inserted_at = times};
    const akidb_parquet_options options = {
        .struct_size = sizeof options,
        .compression = is_split ? AKIDB_COMPRESSION_ZSTD : AKIDB_COMPRESSION_NONE,
        .vector_encoding = is_split ? AKIDB_VECTOR_BYTE_STREAM_SPLIT : AKIDB_VECTOR_PLAIN,
        .row_group_size = GROUP_ROWS,
        .page_bytes = PAGE_BYTES};
    akidb_output output = akidb_output_to_buffer(&w->file);
    akidb_parquet_writer *writer;
    if (akidb_parquet_writer_open(&output, DIMENSION, &options, &writer, NULL) != AKIDB_OK ||
        akidb_parquet_writer_append(writer, &batch, NULL) != AKIDB_OK ||
        akidb_parquet_writer_finish(writer, &w->summary, NULL) != AKIDB_OK ||
        w->summary.row_group_count != GROUPS)
        abort();
    memcpy(w->groups, w->summary.row_groups, sizeof w->groups);
    akidb_parquet_writer_free(writer);
}

/* Both files, made when they are first asked for. */
static const written *sound_file(bool is_split)
{
    static written files[2];
    if (files[is_split].file.size == 0)
        write_file(&files[is_split], is_split);
    return &files[is_split];
}

static akidb_status read_at(void *handle, uint64_t offset, void *dst, size_t size, akidb_error *err)
{
    (void)err;
    memcpy(dst, (const uint8_t *)handle + offset, size);
    return AKIDB_OK;
}

static akidb_status read_pieces(void *handle, uint64_t offset, const akidb_piece *pieces,
                                size_t count, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        status = read_at(handle, offset, pieces[i].data, pieces[i].size, err);
        offset += pieces[i].size;
    }
    return status;
}

static void sum_range(const uint8_t *file, akidb_parquet_range *range)
{
    range->crc32c = ak_crc32c(0, file + range->offset, (size_t)range->size);
}

static float sum_floats(const float *floats, size_t count)
{
    float sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += floats[i];
    return sum;
}

static float read_all(akidb_parquet_reader *reader)
{
    akidb_documents *documents;
    float sum = 0;
    uint32_t dimension = akidb_parquet_reader_dimension(reader);
    if (dimension == 0 || akidb_documents_new(dimension, &documents, NULL) != AKIDB_OK)
        return 0;
    size_t groups = akidb_parquet_reader_row_groups(reader);
    if (akidb_parquet_reader_read(reader, 0, groups, documents, NULL) == AKIDB_OK) {
        akidb_batch batch = akidb_documents_batch(documents);
        sum = sum_floats(batch.vectors, batch.rows * batch.dimension);
    }
    akidb_documents_free(documents);
    return sum;
}

/* The first row of each row group, and the last. */
static float find_some(const akidb_parquet_reader *reader)
{
    float sum = 0;
    uint32_t dimension = akidb_parquet_reader_dimension(reader);
    if (dimension == 0 || !ak_parquet_has_vector_pages(reader))
        return 0;
    float *floats = malloc(2 * dimension * sizeof *floats);
    for (size_t i = 0; floats != NULL && i < akidb_parquet_reader_row_groups(reader); i++) {
        akidb_uuid id = {{(uint8_t)i}};
        bool may_hold;
        size_t first, count;
        uint64_t last = ak_reader_rows(reader, i) - 1;
        const size_t rows[2] = {0, (size_t)last};
        if (ak_parquet_may_hold_id(reader, i, &id, &may_hold, NULL) == AKIDB_OK)
            sum += may_hold;
        if (ak_parquet_vector_page(reader, i, rows[1], &first, &count, NULL) == AKIDB_OK)
            sum += (float)count;
        if (ak_parquet_read_vectors_of(reader, i, rows, last == 0 ? 1 : 2, floats, NULL) ==
            AKIDB_OK)
            sum += sum_floats(floats, dimension);
    }
    free(floats);
    return sum;
}

static float read_file(uint8_t *file, const akidb_parquet_summary *summary, unsigned way)
{
    static const akidb_input_ops near_ops = {
        .read_at = read_at, .read_pieces = read_pieces, .is_near = true};
    static const akidb_input_ops far_ops = {.read_at = read_at, .read_pieces = read_pieces};
    const akidb_input input = {(way & WAY_FAR) != 0 ? &far_ops : &near_ops, file,
                               summary->file.size, "fuzz"};
    const akidb_parquet_read_options options = {.struct_size = sizeof options,
                                                .threads = (way & WAY_MANY) != 0 ? 2 : 1,
                                                .reads = 1,
                                                .max_page_bytes = 1 << 20,
                                                .expected = summary,
                                                .check_pages = (way & WAY_CHECKS) != 0};
    akidb_parquet_reader *reader;
    bool finds = (way & WAY_FIND) != 0;
    if (ak_parquet_reader_open(&input, &options, finds, &reader, NULL) != AKIDB_OK)
        return 0;
    float sum = finds ? find_some(reader) : read_all(reader);
    akidb_parquet_reader_close(reader);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const written *sound = sound_file((data[0] & WAY_SPLIT) != 0);
    uint8_t *file = malloc(sound->file.size); /* exact, so that a read past the end is seen */
    if (file == NULL)
        return 0;
    memcpy(file, sound->file.data, sound->file.size);
    for (size_t i = 1; i + 4 <= size; i += 4) {
        size_t position = (size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2];
        file[position % sound->file.size] ^= data[i + 3];
    }
    akidb_parquet_row_group_summary groups[GROUPS];
    akidb_parquet_summary summary = sound->summary;
    memcpy(groups, sound->groups, sizeof groups);
    summary.row_groups = groups;
    for (size_t i = 0; i < GROUPS; i++) {
        sum_range(file, &groups[i].all);
        sum_range(file, &groups[i].small);
    }
    sum_range(file, &summary.tail);
    volatile float used = read_file(file, &summary, data[0]); /* or it would be left out */
    (void)used;
    free(file);
    return 0;
}
