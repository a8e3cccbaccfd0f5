/* .npy as documents. C order is read as it lies; of Fortran order, each block takes one positional
 * read per column. */
#include <stdlib.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codec/float_convert.h"
#include "formats/import.h"
#include "formats/npy.h"

typedef struct npy_source {
    ak_source source;
    akidb_input input;
    ak_npy_header header;
    uint64_t row;        /* the next to be read */
    akidb_buffer values; /* as they stand in the file */
    ak_id_sequence ids;
    int64_t now;
} npy_source;

static akidb_status fail_too_large(const npy_source *npy, uint64_t row, akidb_error *err)
{
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(npy->input.name, row, "vector"),
                      "expected numbers within the range of float32, found a larger one");
}

/* `count` values from index `first` of the array, as it lies, to every stride-th float. */
static akidb_status read_values(npy_source *npy, uint64_t first, size_t count, float *to,
                                size_t stride, size_t *bad_out, akidb_error *err)
{
    size_t size = count * npy->header.float_size; /* no more than the file has */
    npy->values.size = 0;
    akidb_status status = ak_buffer_reserve(&npy->values, size, err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(&npy->input, npy->header.data + first * npy->header.float_size,
                                     npy->values.data, size, err);
    if (status == AKIDB_OK)
        ak_floats_convert(npy->values.data, count, npy->header.float_size, npy->header.big_endian,
                          to, stride, bad_out);
    return status;
}

static akidb_status read_rows(npy_source *npy, size_t count, float *to, akidb_error *err)
{
    size_t values = count * (size_t)npy->header.dimension;
    uint64_t first = npy->row * npy->header.dimension;
    bool as_it_is = npy->header.float_size == sizeof(float) && !npy->header.big_endian;
    if (as_it_is)
        return akidb_input_read_at(&npy->input, npy->header.data + first * sizeof(float), to,
                                   values * sizeof(float), err);
    size_t bad;
    akidb_status status = read_values(npy, first, values, to, 1, &bad, err);
    if (status == AKIDB_OK && bad < values)
        return fail_too_large(npy, npy->row + bad / npy->header.dimension, err);
    return status;
}

static akidb_status read_columns(npy_source *npy, size_t count, float *to, akidb_error *err)
{
    size_t dimension = npy->header.dimension;
    for (size_t column = 0; column < dimension; column++) {
        size_t bad;
        akidb_status status = read_values(npy, column * npy->header.rows + npy->row, count,
                                          to + column, dimension, &bad, err);
        if (status != AKIDB_OK)
            return status;
        if (bad < count)
            return fail_too_large(npy, npy->row + bad, err);
    }
    return AKIDB_OK;
}

static akidb_status npy_next(ak_source *source, size_t max_rows, akidb_documents *documents,
                             akidb_error *err)
{
    npy_source *npy = (npy_source *)source;
    if (npy->row == npy->header.rows)
        return AKIDB_OK;
    size_t count = ak_block_rows(max_rows, npy->header.rows - npy->row, npy->header.dimension);
    float *vectors;
    akidb_status status = ak_prepare_vectors(documents, count, &npy->ids, npy->now, &vectors, err);
    if (status == AKIDB_OK)
        status = npy->header.fortran_order ? read_columns(npy, count, vectors, err)
                                           : read_rows(npy, count, vectors, err);
    if (status == AKIDB_OK)
        status = ak_add_vectors(documents, count, err);
    if (status == AKIDB_OK)
        npy->row += count;
    return status;
}

static void npy_close(ak_source *source)
{
    npy_source *npy = (npy_source *)source;
    akidb_input_close(&npy->input);
    akidb_buffer_free(&npy->values);
    free(npy);
}

akidb_status ak_npy_source_new(akidb_input input, bool narrow_doubles, ak_source **source_out,
                               akidb_error *err)
{
    static const ak_source_ops ops = {npy_next, npy_close};
    *source_out = NULL;
    npy_source *npy = calloc(1, sizeof *npy);
    if (npy == NULL) {
        akidb_input_close(&input);
        return ak_fail_memory(err, sizeof *npy);
    }
    npy->input = input;
    akidb_status status = ak_npy_read_header(&npy->input, &npy->header, err);
    if (status == AKIDB_OK && npy->header.float_size == sizeof(double) && !narrow_doubles)
        status = ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(input.name),
                            "expected float16 or float32, or float64 with the option narrow, found "
                            "float64");
    if (status != AKIDB_OK) {
        npy_close(&npy->source);
        return status;
    }
    npy->now = ak_import_time();
    npy->source = (ak_source){&ops, npy->header.dimension, npy->header.rows};
    *source_out = &npy->source;
    return AKIDB_OK;
}
