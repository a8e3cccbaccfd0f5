#include "document/check.h"

#include "base/checked.h"
#include "base/error.h"
#include "base/utf8.h"
#include "json/json.h"

akidb_status ak_check_dimension(uint32_t dimension, akidb_error *err)
{
    if (dimension >= 1 && dimension <= AKIDB_DIMENSION_MAX)
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_VALIDATION, "dimension: expected 1 to %u, found %u",
                   AKIDB_DIMENSION_MAX, dimension);
}

akidb_status ak_check_external_id(akidb_slice text, uint64_t row, akidb_error *err)
{
    size_t valid = text.data == NULL ? text.size : ak_utf8_valid_prefix(text.data, text.size);
    if (valid == text.size)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, row, "external_id"),
                      "expected UTF-8, found byte 0x%02X at %zu of %zu",
                      ((const uint8_t *)text.data)[valid], valid, text.size);
}

akidb_status ak_check_metadata(akidb_slice text, uint64_t row, akidb_error *err)
{
    if (text.data == NULL)
        return AKIDB_OK;
    akidb_error json;
    akidb_status status = ak_json_check(text, &json);
    if (status == AKIDB_OK)
        return AKIDB_OK;
    ak_fail_at(err, status, AK_ROW(NULL, row, "metadata"), "%s", json.message);
    if (err != NULL)
        err->offset = json.offset; /* in the text; the message says it already */
    return status;
}

akidb_status ak_check_time(int64_t time, uint64_t row, akidb_error *err)
{
    if (time >= AKIDB_TIME_MIN && time <= AKIDB_TIME_MAX)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, row, "inserted_at"),
                      "expected microseconds since 1970 within the years 1 to 9999, found %lld",
                      (long long)time);
}

static akidb_status check_texts(const akidb_texts *texts, size_t rows, const char *column,
                                akidb_error *err)
{
    const ak_place place = {NULL, column, -1, -1};
    const uint64_t *offsets = texts->offsets;
    if (offsets == NULL) {
        if (texts->bytes == NULL && texts->validity == NULL)
            return AKIDB_OK;
        return ak_fail_at(err, AKIDB_E_VALIDATION, place,
                          "expected offsets beside the bytes and the validity, found none");
    }
    for (size_t row = 0; row < rows; row++)
        if (offsets[row + 1] < offsets[row])
            return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, row, column),
                              "expected offsets that never fall, found %llu after %llu",
                              (unsigned long long)offsets[row + 1],
                              (unsigned long long)offsets[row]);
    if (offsets[rows] > PTRDIFF_MAX)
        return ak_fail_at(err, AKIDB_E_VALIDATION, place,
                          "expected offsets within memory, found %llu",
                          (unsigned long long)offsets[rows]);
    if (texts->bytes == NULL && offsets[rows] > offsets[0])
        return ak_fail_at(err, AKIDB_E_VALIDATION, place, "expected %llu bytes, found none",
                          (unsigned long long)(offsets[rows] - offsets[0]));
    return AKIDB_OK;
}

akidb_status ak_check_structure(const akidb_batch *batch, akidb_error *err)
{
    akidb_status status = ak_check_dimension(batch->dimension, err);
    if (status != AKIDB_OK)
        return status;
    size_t size;
    size_t row_size = batch->dimension * sizeof *batch->vectors;
    if (!ak_mul_size(batch->rows, row_size < 16 ? 16 : row_size, &size) || size > PTRDIFF_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "%zu rows of dimension %u are more than memory can hold", batch->rows,
                       batch->dimension);
    status = check_texts(&batch->external_ids, batch->rows, "external_id", err);
    if (status != AKIDB_OK)
        return status;
    return check_texts(&batch->metadata, batch->rows, "metadata", err);
}

akidb_status akidb_batch_validate(const akidb_batch *batch, akidb_error *err)
{
    akidb_status status = ak_check_structure(batch, err);
    if (status != AKIDB_OK)
        return status;
    if (batch->rows == 0)
        return ak_fail(err, AKIDB_E_VALIDATION, "the batch is empty: expected at least one row");
    if (batch->vectors == NULL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, 0, "vector"),
                          "expected a vector, found none in the whole batch");
    for (size_t row = 0; row < batch->rows && status == AKIDB_OK; row++) {
        status = ak_check_external_id(akidb_texts_at(&batch->external_ids, row), row, err);
        if (status == AKIDB_OK)
            status = ak_check_metadata(akidb_texts_at(&batch->metadata, row), row, err);
        if (status == AKIDB_OK && batch->inserted_at != NULL)
            status = ak_check_time(batch->inserted_at[row], row, err);
    }
    return status;
}
