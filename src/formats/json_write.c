/* Documents to JSON text. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "formats/json_documents.h"
#include "json/json.h"
#include "json/scan.h"

/* Room for a float and its comma. */
enum { FLOAT_ROOM = AK_FLOAT_TEXT_SIZE + 1, CANONICAL_NAN = 0x7FC00000 };

static akidb_status append_literal(akidb_buffer *buffer, const char *text, akidb_error *err)
{
    return ak_buffer_append(buffer, text, strlen(text), err);
}

/* What has no JSON number; NaN by its bits, because they may carry a payload. Returns its length.
 */
static size_t put_special(float value, char out[AK_FLOAT_TEXT_SIZE])
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isinf(value))
        return (size_t)snprintf(out, AK_FLOAT_TEXT_SIZE, "\"%sInfinity\"", value < 0 ? "-" : "");
    if (bits == CANONICAL_NAN)
        return (size_t)snprintf(out, AK_FLOAT_TEXT_SIZE, "\"NaN\"");
    return (size_t)snprintf(out, AK_FLOAT_TEXT_SIZE, "\"0x%08x\"", (unsigned)bits);
}

static akidb_status append_vector(akidb_buffer *buffer, const float *vector, size_t dimension,
                                  akidb_error *err)
{
    size_t room;
    if (!ak_mul_size(dimension, FLOAT_ROOM, &room))
        return ak_fail_memory(err, SIZE_MAX);
    akidb_status status = ak_buffer_reserve(buffer, room + 2, err);
    if (status != AKIDB_OK)
        return status;
    char *out = (char *)buffer->data + buffer->size;
    *out++ = '[';
    for (size_t i = 0; i < dimension; i++) {
        if (i > 0)
            *out++ = ',';
        size_t length = ak_float_print(vector[i], out);
        out += length > 0 ? length : put_special(vector[i], out);
    }
    *out++ = ']';
    buffer->size = (size_t)(out - (char *)buffer->data);
    return AKIDB_OK;
}

/* ---- metadata -------------------------------------------------------------------------------- */

static bool is_null_value(akidb_slice text)
{
    return text.size == 4 && memcmp(text.data, "null", 4) == 0;
}

static bool has_line_break(akidb_slice text)
{
    return memchr(text.data, '\n', text.size) != NULL || memchr(text.data, '\r', text.size) != NULL;
}

/* Whether the text, put where the value stands, is read back byte for byte. */
static bool stands_for_itself(akidb_slice text, bool lines)
{
    const uint8_t *bytes = text.data;
    return text.size > 0 && !ak_json_is_space(bytes[0]) &&
           !ak_json_is_space(bytes[text.size - 1]) && !is_null_value(text) &&
           !(lines && has_line_break(text));
}

/* The value on one line. In valid JSON a line break is always white space between tokens. */
static akidb_status append_value(akidb_buffer *buffer, akidb_slice text, akidb_error *err)
{
    size_t from = buffer->size;
    akidb_status status = ak_buffer_append(buffer, text.data, text.size, err);
    for (size_t i = from; status == AKIDB_OK && i < buffer->size; i++)
        if (buffer->data[i] == '\n' || buffer->data[i] == '\r')
            buffer->data[i] = ' ';
    return status;
}

static akidb_status append_metadata(akidb_buffer *buffer, akidb_slice text, bool lines,
                                    akidb_error *err)
{
    akidb_status status = append_literal(buffer, "\"metadata\":", err);
    if (status != AKIDB_OK)
        return status;
    if (text.data == NULL)
        return append_literal(buffer, "null", err);
    if (stands_for_itself(text, lines))
        return ak_buffer_append(buffer, text.data, text.size, err);
    status = append_value(buffer, text, err);
    if (status == AKIDB_OK)
        status = append_literal(buffer, ",\"metadata_text\":", err);
    if (status == AKIDB_OK)
        status = ak_json_append_string(buffer, text, err);
    return status;
}

/* ---- a document ------------------------------------------------------------------------------ */

static akidb_status append_id(akidb_buffer *buffer, const akidb_uuid *id, akidb_error *err)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    return ak_buffer_printf(buffer, err, "\"doc_id\":\"%s\"", text);
}

static akidb_status append_external_id(akidb_buffer *buffer, akidb_slice text, akidb_error *err)
{
    akidb_status status = append_literal(buffer, "\"external_id\":", err);
    if (status != AKIDB_OK)
        return status;
    return text.data == NULL ? append_literal(buffer, "null", err)
                             : ak_json_append_string(buffer, text, err);
}

static akidb_status append_time(akidb_buffer *buffer, int64_t time, akidb_error *err)
{
    char text[AKIDB_TIME_TEXT_SIZE];
    akidb_time_format(time, text);
    return ak_buffer_printf(buffer, err, "\"inserted_at\":\"%s\"", text);
}

static akidb_status append_member(akidb_buffer *buffer, const akidb_batch *batch, size_t row,
                                  akidb_column column, bool lines, akidb_error *err)
{
    switch (column) {
    case AKIDB_COLUMN_DOCUMENT_ID: return append_id(buffer, &batch->document_ids[row], err);
    case AKIDB_COLUMN_EXTERNAL_ID:
        return append_external_id(buffer, akidb_texts_at(&batch->external_ids, row), err);
    case AKIDB_COLUMN_VECTOR: {
        akidb_status status = append_literal(buffer, "\"vector\":", err);
        return status != AKIDB_OK
                   ? status
                   : append_vector(buffer, batch->vectors + row * (size_t)batch->dimension,
                                   batch->dimension, err);
    }
    case AKIDB_COLUMN_METADATA:
        return append_metadata(buffer, akidb_texts_at(&batch->metadata, row), lines, err);
    default: return append_time(buffer, batch->inserted_at[row], err);
    }
}

static akidb_status append_document(akidb_buffer *buffer, const akidb_batch *batch, size_t row,
                                    ak_json_style style, akidb_error *err)
{
    static const akidb_column order[] = {AKIDB_COLUMN_DOCUMENT_ID, AKIDB_COLUMN_EXTERNAL_ID,
                                         AKIDB_COLUMN_VECTOR, AKIDB_COLUMN_METADATA,
                                         AKIDB_COLUMN_INSERTED_AT};
    akidb_status status = ak_buffer_put(buffer, '{', err);
    bool first = true;
    for (size_t i = 0; status == AKIDB_OK && i < sizeof order / sizeof order[0]; i++) {
        if ((style.columns & (unsigned)order[i]) == 0)
            continue;
        if (!first)
            status = ak_buffer_put(buffer, ',', err);
        first = false;
        if (status == AKIDB_OK)
            status = append_member(buffer, batch, row, order[i], style.lines, err);
    }
    return status != AKIDB_OK ? status : ak_buffer_put(buffer, '}', err);
}

static akidb_status check_columns(const akidb_batch *batch, unsigned columns, akidb_error *err)
{
    const char *missing = NULL;
    if ((columns & AKIDB_COLUMN_DOCUMENT_ID) != 0 && batch->document_ids == NULL)
        missing = "document ids";
    else if ((columns & AKIDB_COLUMN_VECTOR) != 0 && batch->vectors == NULL)
        missing = "vectors";
    else if ((columns & AKIDB_COLUMN_INSERTED_AT) != 0 && batch->inserted_at == NULL)
        missing = "times";
    if (missing == NULL)
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_VALIDATION,
                   "writing documents as JSON: expected a batch with %s, found none", missing);
}

akidb_status ak_json_append_documents(akidb_buffer *buffer, const akidb_batch *batch, size_t first,
                                      size_t count, ak_json_style style, bool begins,
                                      akidb_error *err)
{
    if (style.columns == 0)
        style.columns = AKIDB_COLUMNS_ALL;
    if (count == 0)
        return AKIDB_OK;
    size_t before = buffer->size;
    akidb_status status = check_columns(batch, style.columns, err);
    for (size_t i = 0; status == AKIDB_OK && i < count; i++) {
        if (!style.lines)
            status = append_literal(buffer, begins && i == 0 ? "\n" : ",\n", err);
        if (status == AKIDB_OK)
            status = append_document(buffer, batch, first + i, style, err);
        if (status == AKIDB_OK && style.lines)
            status = ak_buffer_put(buffer, '\n', err);
    }
    if (status != AKIDB_OK)
        buffer->size = before;
    return status;
}
