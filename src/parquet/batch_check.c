#include "parquet/batch_check.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

bool ak_batch_needs_micros(const akidb_batch *batch, size_t *row_out)
{
    if (batch->inserted_at == NULL)
        return false;
    for (size_t i = 0; i < batch->rows; i++) {
        if (batch->inserted_at[i] % 1000 != 0) {
            if (row_out != NULL)
                *row_out = i;
            return true;
        }
    }
    return false;
}

/* Counts the row of an error from the start of the file. The message begins with the row and the
 * column, as base/error.h puts them there, so it is made anew from what follows them. */
static void move_row(akidb_error *err, uint64_t first_row)
{
    if (err == NULL || err->row < 0 || first_row == 0)
        return;
    akidb_error old = *err;
    char before[128];
    snprintf(before, sizeof before, "row %lld: ", (long long)old.row);
    const char *text = old.message;
    if (strncmp(text, before, strlen(before)) == 0)
        text += strlen(before);
    snprintf(before, sizeof before, "column %s: ", old.column);
    if (strncmp(text, before, strlen(before)) == 0)
        text += strlen(before);
    (void)ak_fail_at(err, old.status,
                     AK_ROW(old.object[0] != '\0' ? old.object : NULL, old.row + (int64_t)first_row,
                            old.column[0] != '\0' ? old.column : NULL),
                     "%s", text);
}

static akidb_status check_texts(const akidb_texts *texts, size_t rows, const char *column,
                                uint64_t first_row, akidb_error *err)
{
    for (size_t i = 0; i < rows; i++) {
        akidb_slice text = akidb_texts_at(texts, i);
        if (text.size > AK_TEXT_BYTES_MAX)
            return ak_fail_at(err, AKIDB_E_LIMIT, AK_ROW(NULL, first_row + i, column),
                              "text of %zu bytes: at most %llu can be stored", text.size,
                              (unsigned long long)AK_TEXT_BYTES_MAX);
    }
    return AKIDB_OK;
}

akidb_status ak_check_batch(const akidb_batch *batch, const ak_writer_settings *settings,
                            uint64_t first_row, akidb_error *err)
{
    if (batch->dimension != settings->dimension)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, -1, "vector"),
                          "dimension: expected the file's %u, found %u in the batch",
                          settings->dimension, batch->dimension);
    akidb_status status = akidb_batch_validate(batch, err);
    if (status != AKIDB_OK) {
        move_row(err, first_row);
        return status;
    }
    status = check_texts(&batch->external_ids, batch->rows, "external_id", first_row, err);
    if (status == AKIDB_OK)
        status = check_texts(&batch->metadata, batch->rows, "metadata_json", first_row, err);
    size_t row;
    if (status == AKIDB_OK && settings->unit == AK_UNIT_MILLIS &&
        ak_batch_needs_micros(batch, &row)) {
        char time[AKIDB_TIME_TEXT_SIZE];
        akidb_time_format(batch->inserted_at[row], time);
        status = ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, first_row + row, "inserted_at"),
                            "time %s has finer digits than the file's milliseconds; the option "
                            "time_unit can be set to AKIDB_TIME_UNIT_MICROS",
                            time);
    }
    return status;
}
