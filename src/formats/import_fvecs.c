/* .fvecs as documents: records of one length, each an int32 dimension and that many float32. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/endian.h"
#include "base/error.h"
#include "formats/import.h"

typedef struct fvecs_source {
    ak_source source;
    akidb_input input;
    uint64_t record_size; /* in bytes */
    uint64_t row;         /* the next to be read */
    akidb_buffer records;
    ak_id_sequence ids;
    int64_t now;
} fvecs_source;

static akidb_status take_records(const fvecs_source *fvecs, size_t count, float *to,
                                 akidb_error *err)
{
    uint32_t dimension = fvecs->source.dimension;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *record = fvecs->records.data + i * fvecs->record_size;
        uint32_t found = ak_load_u32(record);
        if (found != dimension) {
            uint64_t row = fvecs->row + i;
            ak_place place = {fvecs->input.name, "vector", (int64_t)row,
                              (int64_t)(row * fvecs->record_size)};
            return ak_fail_at(err, AKIDB_E_CORRUPTION, place,
                              "expected dimension %u, as in the first row, found %d",
                              (unsigned)dimension, (int)found);
        }
        memcpy(to + i * (size_t)dimension, record + 4, dimension * sizeof(float));
    }
    return AKIDB_OK;
}

static akidb_status fvecs_next(ak_source *source, size_t max_rows, akidb_documents *documents,
                               akidb_error *err)
{
    fvecs_source *fvecs = (fvecs_source *)source;
    if (fvecs->row == source->rows)
        return AKIDB_OK;
    size_t count = ak_block_rows(max_rows, source->rows - fvecs->row, source->dimension);
    size_t size = count * (size_t)fvecs->record_size; /* no more than the file has */
    float *vectors = NULL;
    fvecs->records.size = 0;
    akidb_status status = ak_buffer_reserve(&fvecs->records, size, err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(&fvecs->input, fvecs->row * fvecs->record_size,
                                     fvecs->records.data, size, err);
    if (status == AKIDB_OK)
        status = ak_prepare_vectors(documents, count, &fvecs->ids, fvecs->now, &vectors, err);
    if (status == AKIDB_OK)
        status = take_records(fvecs, count, vectors, err);
    if (status == AKIDB_OK)
        status = ak_add_vectors(documents, count, err);
    if (status == AKIDB_OK)
        fvecs->row += count;
    return status;
}

static void fvecs_close(ak_source *source)
{
    fvecs_source *fvecs = (fvecs_source *)source;
    akidb_input_close(&fvecs->input);
    akidb_buffer_free(&fvecs->records);
    free(fvecs);
}

/* The dimension stands before the first vector, and all records are as long as the first. */
static akidb_status read_shape(fvecs_source *fvecs, akidb_error *err)
{
    const akidb_input *input = &fvecs->input;
    if (input->size == 0)
        return AKIDB_OK;
    uint8_t first[4] = {0};
    akidb_status status = akidb_input_read_at(input, 0, first, sizeof first, err);
    if (status != AKIDB_OK)
        return status;
    uint32_t dimension = ak_load_u32(first);
    if (dimension == 0 || dimension > AKIDB_DIMENSION_MAX)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, 0),
                          "expected a dimension of 1 to %u, found %d", AKIDB_DIMENSION_MAX,
                          (int)dimension);
    fvecs->record_size = 4 + (uint64_t)dimension * sizeof(float);
    fvecs->source.dimension = dimension;
    fvecs->source.rows = input->size / fvecs->record_size;
    uint64_t left = input->size % fvecs->record_size;
    if (left != 0)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, input->size - left),
                          "expected whole records of %llu bytes, found %llu bytes at the end",
                          (unsigned long long)fvecs->record_size, (unsigned long long)left);
    return AKIDB_OK;
}

akidb_status ak_fvecs_source_new(akidb_input input, ak_source **source_out, akidb_error *err)
{
    static const ak_source_ops ops = {fvecs_next, fvecs_close};
    *source_out = NULL;
    fvecs_source *fvecs = calloc(1, sizeof *fvecs);
    if (fvecs == NULL) {
        akidb_input_close(&input);
        return ak_fail_memory(err, sizeof *fvecs);
    }
    fvecs->input = input;
    fvecs->source.ops = &ops;
    fvecs->now = ak_import_time();
    akidb_status status = read_shape(fvecs, err);
    if (status != AKIDB_OK) {
        fvecs_close(&fvecs->source);
        return status;
    }
    *source_out = &fvecs->source;
    return AKIDB_OK;
}
