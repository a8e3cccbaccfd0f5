#include "formats/json_decode.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "formats/json_vector.h"
#include "json/json.h"
#include "json/scan.h"
#include "json/string.h"

enum field { DOC_ID, EXTERNAL_ID, VECTOR, METADATA, METADATA_TEXT, INSERTED_AT, FIELD_COUNT };

static const char *const field_names[FIELD_COUNT] = {"doc_id",   "external_id",   "vector",
                                                     "metadata", "metadata_text", "inserted_at"};

/* One document: where it is, and its members as they stand there; those it lacks have data NULL. */
typedef struct element {
    akidb_slice text;
    uint64_t offset; /* in the stream */
    akidb_slice fields[FIELD_COUNT];
} element;

void ak_json_decoder_free(ak_json_decoder *d)
{
    akidb_buffer_free(&d->text);
    akidb_buffer_free(&d->unknown);
    free(d->scratch);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static akidb_status fail_with(const ak_json_decoder *d, akidb_status status, uint64_t offset,
                              const char *column, akidb_error *err, const char *text)
{
    ak_place place = {d->options->name, column, (int64_t)d->row, (int64_t)offset};
    if (status == AKIDB_E_VALIDATION && d->options->stored)
        status = AKIDB_E_CORRUPTION;
    if (!d->options->lines)
        return ak_fail_at(err, status, place, "%s", text);
    /* People look for a line, and for a place in it, as an editor counts them. */
    akidb_error whole = {0};
    status = ak_fail_at(&whole, status, place, "%s", "");
    status = ak_fail_at(
        err, status, AK_IN(d->options->name), "line %" PRIu64 ": byte %" PRIu64 ": %s%s%s", d->line,
        offset - d->line_begin + 1, column == NULL ? "" : column, column == NULL ? "" : ": ", text);
    if (err != NULL) {
        memcpy(err->column, whole.column, sizeof err->column);
        err->row = whole.row;
        err->offset = whole.offset;
    }
    return status;
}

static akidb_status fail_document(const ak_json_decoder *d, uint64_t offset, const char *column,
                                  akidb_error *err, const char *text)
{
    return fail_with(d, AKIDB_E_VALIDATION, offset, column, err, text);
}

akidb_status ak_json_decode_fail(const ak_json_decoder *d, akidb_status status,
                                 const akidb_error *inner, uint64_t offset, const char *column,
                                 akidb_error *err)
{
    if (status != AKIDB_E_VALIDATION && status != AKIDB_E_LIMIT) {
        if (err != NULL)
            *err = *inner;
        return status;
    }
    const char *text = inner->message;
    if (inner->offset >= 0) { /* the place moves; what comes after it stays */
        char before[64];
        int length = snprintf(before, sizeof before, "at byte %lld: ", (long long)inner->offset);
        if (strncmp(text, before, (size_t)length) == 0)
            text += length;
        offset += (uint64_t)inner->offset;
    }
    return fail_with(d, status, offset, column, err, text);
}

static uint64_t offset_of(const element *e, akidb_slice piece)
{
    return e->offset + (uint64_t)((const uint8_t *)piece.data - (const uint8_t *)e->text.data);
}

static akidb_status fail_field(const ak_json_decoder *d, const element *e, enum field field,
                               akidb_status status, const akidb_error *inner, akidb_error *err)
{
    return ak_json_decode_fail(d, status, inner, offset_of(e, e->fields[field]), field_names[field],
                               err);
}

/* ---- members --------------------------------------------------------------------------------- */

/* FIELD_COUNT for a member that is none of a document's. */
static akidb_status field_of(ak_json_decoder *d, const element *e, akidb_slice raw_name,
                             enum field *field_out, akidb_error *err)
{
    *field_out = FIELD_COUNT;
    akidb_error inner = {.offset = -1};
    d->text.size = 0;
    akidb_status status = ak_json_unescape(raw_name, &d->text, &inner);
    if (status != AKIDB_OK)
        return ak_json_decode_fail(d, status, &inner, offset_of(e, raw_name), NULL, err);
    for (int i = 0; i < FIELD_COUNT; i++)
        if (d->text.size == strlen(field_names[i]) &&
            memcmp(d->text.data, field_names[i], d->text.size) == 0)
            *field_out = (enum field)i;
    return AKIDB_OK;
}

/* Keeps the name, which lies in d->text, when it is the first of its kind. */
static akidb_status note_unknown(ak_json_decoder *d, akidb_error *err)
{
    if (d->has_unknown)
        return AKIDB_OK;
    d->has_unknown = true;
    d->unknown_line = d->options->lines ? d->line : d->row;
    d->unknown.size = 0;
    return ak_buffer_append(&d->unknown, d->text.data, d->text.size, err);
}

static akidb_status take_member(ak_json_decoder *d, element *e, akidb_slice name, akidb_slice value,
                                akidb_error *err)
{
    enum field field;
    akidb_status status = field_of(d, e, name, &field, err);
    if (status != AKIDB_OK)
        return status;
    if (field == FIELD_COUNT) { /* somebody else's: it must be JSON, and that is all */
        status = note_unknown(d, err);
        if (status != AKIDB_OK)
            return status;
        akidb_error inner = {.offset = -1};
        status = ak_json_check(value, &inner);
        return status == AKIDB_OK
                   ? AKIDB_OK
                   : ak_json_decode_fail(d, status, &inner, offset_of(e, value), NULL, err);
    }
    if (e->fields[field].data != NULL)
        return fail_document(d, offset_of(e, name), field_names[field], err,
                             "expected each member once, found a second one");
    e->fields[field] = value;
    return AKIDB_OK;
}

static akidb_status take_members(ak_json_decoder *d, element *e, akidb_error *err)
{
    akidb_error inner = {.offset = -1};
    ak_json_members members;
    akidb_status status = ak_json_members_begin(&members, e->text, &inner);
    bool found = true;
    while (status == AKIDB_OK && found) {
        akidb_slice name, value;
        status = ak_json_members_next(&members, &name, &value, &found, &inner);
        if (status == AKIDB_OK && found) {
            akidb_status taken = take_member(d, e, name, value, err);
            if (taken != AKIDB_OK)
                return taken;
        }
    }
    if (status != AKIDB_OK)
        return ak_json_decode_fail(d, status, &inner, e->offset, NULL, err);
    return AKIDB_OK;
}

static bool is_null(akidb_slice raw)
{
    return raw.data == NULL || (raw.size == 4 && memcmp(raw.data, "null", 4) == 0);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The text of a string member, in d->text, with a NUL that is not counted. */
static akidb_status read_string(ak_json_decoder *d, const element *e, enum field field,
                                akidb_error *err)
{
    akidb_error inner = {.offset = -1};
    d->text.size = 0;
    akidb_status status = ak_json_unescape(e->fields[field], &d->text, &inner);
    if (status == AKIDB_OK)
        status = ak_buffer_put(&d->text, '\0', &inner);
    if (status != AKIDB_OK)
        return fail_field(d, e, field, status, &inner, err);
    d->text.size--;
    return AKIDB_OK;
}

/* The same for a text that is read up to its NUL: nothing may hide behind one. */
static akidb_status read_c_string(ak_json_decoder *d, const element *e, enum field field,
                                  akidb_error *err)
{
    akidb_status status = read_string(d, e, field, err);
    if (status == AKIDB_OK && strlen((const char *)d->text.data) != d->text.size)
        return fail_document(d, offset_of(e, e->fields[field]), field_names[field], err,
                             "expected a text without U+0000, found one");
    return status;
}

static akidb_status fail_missing(const ak_json_decoder *d, const element *e, enum field field,
                                 akidb_error *err)
{
    char text[80];
    snprintf(text, sizeof text, "expected a member \"%s\", found none", field_names[field]);
    return fail_document(d, e->offset, field_names[field], err, text);
}

static akidb_status read_id(ak_json_decoder *d, const element *e, akidb_uuid *id_out,
                            bool *found_out, akidb_error *err)
{
    *found_out = !is_null(e->fields[DOC_ID]);
    if (!*found_out)
        return d->options->stored ? fail_missing(d, e, DOC_ID, err) : AKIDB_OK;
    akidb_status status = read_c_string(d, e, DOC_ID, err);
    if (status != AKIDB_OK)
        return status;
    akidb_error inner = {.offset = -1};
    status = akidb_uuid_parse((const char *)d->text.data, id_out, &inner);
    return status == AKIDB_OK ? AKIDB_OK : fail_field(d, e, DOC_ID, status, &inner, err);
}

/* Digits beyond the sixth decimal go: other writers have nanoseconds, documents do not. */
static void cut_decimals(char *text)
{
    char *point = strchr(text, '.');
    if (point == NULL)
        return;
    size_t digits = strspn(point + 1, "0123456789");
    if (digits > 6 && digits <= 9)
        memmove(point + 7, point + 1 + digits, strlen(point + 1 + digits) + 1);
}

static akidb_status read_time(ak_json_decoder *d, const element *e, int64_t *time_out,
                              akidb_error *err)
{
    if (is_null(e->fields[INSERTED_AT])) {
        if (d->options->stored)
            return fail_missing(d, e, INSERTED_AT, err);
        *time_out = d->now;
        return AKIDB_OK;
    }
    akidb_status status = read_c_string(d, e, INSERTED_AT, err);
    if (status != AKIDB_OK)
        return status;
    cut_decimals((char *)d->text.data);
    akidb_error inner = {.offset = -1};
    status = akidb_time_parse((const char *)d->text.data, time_out, &inner);
    return status == AKIDB_OK ? AKIDB_OK : fail_field(d, e, INSERTED_AT, status, &inner, err);
}

/* Reads the vector into `values`, which have room for the dimension; NULL: only checks it. */
static akidb_status read_vector(ak_json_decoder *d, const element *e, float *values,
                                akidb_error *err)
{
    size_t dimension = d->options->dimension;
    if (values == NULL) {
        void *scratch = d->scratch;
        akidb_status reserved =
            ak_array_reserve(&scratch, &d->scratch_capacity, dimension, sizeof *values, err);
        d->scratch = scratch;
        if (reserved != AKIDB_OK)
            return reserved;
        values = d->scratch;
    }
    akidb_error inner = {.offset = -1};
    size_t count;
    akidb_status status = ak_json_read_vector(e->fields[VECTOR], values, dimension, &count, &inner);
    if (status != AKIDB_OK)
        return fail_field(d, e, VECTOR, status, &inner, err);
    if (count != dimension) {
        char text[96];
        snprintf(text, sizeof text, "expected a vector of %zu numbers, found %zu", dimension,
                 count);
        return fail_document(d, offset_of(e, e->fields[VECTOR]), field_names[VECTOR], err, text);
    }
    return AKIDB_OK;
}

/* The slice's data is NULL for no external id. */
static akidb_status read_external_id(ak_json_decoder *d, const element *e, akidb_slice *text_out,
                                     akidb_error *err)
{
    *text_out = (akidb_slice){NULL, 0};
    if (is_null(e->fields[EXTERNAL_ID]))
        return AKIDB_OK;
    akidb_status status = read_string(d, e, EXTERNAL_ID, err);
    if (status == AKIDB_OK)
        *text_out = (akidb_slice){d->text.data, d->text.size};
    return status;
}

/* "metadata_text" holds what "metadata" could not tell byte for byte. */
static akidb_status read_metadata(ak_json_decoder *d, const element *e, akidb_slice *text_out,
                                  akidb_error *err)
{
    *text_out = (akidb_slice){NULL, 0};
    akidb_error inner = {.offset = -1};
    akidb_status status;
    if (!is_null(e->fields[METADATA])) {
        status = ak_json_check(e->fields[METADATA], &inner);
        if (status != AKIDB_OK)
            return fail_field(d, e, METADATA, status, &inner, err);
        *text_out = e->fields[METADATA];
    }
    if (is_null(e->fields[METADATA_TEXT]))
        return AKIDB_OK;
    status = read_string(d, e, METADATA_TEXT, err);
    if (status != AKIDB_OK)
        return status;
    *text_out = (akidb_slice){d->text.data, d->text.size};
    status = ak_json_check(*text_out, &inner);
    inner.offset = -1; /* it counts in the unescaped text: the message keeps it, the place cannot */
    return status == AKIDB_OK ? AKIDB_OK : fail_field(d, e, METADATA_TEXT, status, &inner, err);
}

/* ---- documents ------------------------------------------------------------------------------- */

static bool wants(const ak_json_decoder *d, akidb_column column)
{
    return (d->options->columns & (unsigned)column) != 0;
}

static akidb_status read_texts(ak_json_decoder *d, const element *e, ak_json_row *row,
                               akidb_error *err)
{
    const akidb_slice null = {NULL, 0};
    akidb_slice text;
    akidb_status status = read_external_id(d, e, &text, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(row->external_ids, row->texts_before,
                                 wants(d, AKIDB_COLUMN_EXTERNAL_ID) ? text : null, err);
    if (status == AKIDB_OK)
        status = read_metadata(d, e, &text, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(row->metadata, row->texts_before,
                                 wants(d, AKIDB_COLUMN_METADATA) ? text : null, err);
    return status;
}

static element begin_document(ak_json_decoder *d, const ak_json_text *document)
{
    d->line = document->line;
    d->line_begin = document->line_begin;
    return (element){.text = document->text, .offset = document->offset};
}

akidb_status ak_json_decode(ak_json_decoder *d, const ak_json_text *document, ak_json_row *row,
                            akidb_error *err)
{
    element e = begin_document(d, document);
    akidb_status status = take_members(d, &e, err);
    if (status == AKIDB_OK && is_null(e.fields[VECTOR]))
        status = fail_missing(d, &e, VECTOR, err);
    if (status == AKIDB_OK)
        status = read_vector(d, &e, row->vector, err);
    if (status == AKIDB_OK)
        status = read_id(d, &e, row->id, &row->has_id, err);
    int64_t time = 0;
    if (status == AKIDB_OK)
        status = read_time(d, &e, &time, err);
    if (status == AKIDB_OK && row->time != NULL)
        *row->time = time;
    return status == AKIDB_OK ? read_texts(d, &e, row, err) : status;
}

akidb_status ak_json_decode_dimension(ak_json_decoder *d, const ak_json_text *document,
                                      uint32_t *dimension_out, akidb_error *err)
{
    *dimension_out = 0;
    element e = begin_document(d, document);
    akidb_status status = take_members(d, &e, err);
    if (status != AKIDB_OK)
        return status;
    if (is_null(e.fields[VECTOR]))
        return fail_missing(d, &e, VECTOR, err);
    akidb_error inner = {.offset = -1};
    size_t count;
    status = ak_json_read_vector(e.fields[VECTOR], NULL, 0, &count, &inner);
    if (status != AKIDB_OK)
        return fail_field(d, &e, VECTOR, status, &inner, err);
    if (count == 0 || count > AKIDB_DIMENSION_MAX) {
        char text[96];
        snprintf(text, sizeof text, "expected a vector of 1 to %u numbers, found %zu",
                 AKIDB_DIMENSION_MAX, count);
        return fail_document(d, offset_of(&e, e.fields[VECTOR]), field_names[VECTOR], err, text);
    }
    *dimension_out = (uint32_t)count;
    return AKIDB_OK;
}
