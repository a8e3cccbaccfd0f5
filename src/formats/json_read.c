/* JSON text to documents. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/buffer.h"
#include "base/error.h"
#include "document/documents.h"
#include "document/new_ids.h"
#include "formats/json_documents.h"
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

struct ak_json_reader {
    ak_json_read_options options;
    char *name;
    ak_json_scan scan;
    uint64_t rows;
    akidb_buffer text; /* of one string, unescaped */
    float *scratch;    /* a vector that is read to be checked only */
    size_t scratch_capacity;
    ak_id_sequence new_ids;
    int64_t
        now; /* for documents without a time: whole milliseconds, so that every snapshot holds it */
};

/* ---- life ------------------------------------------------------------------------------------ */

akidb_status ak_json_reader_new(const ak_json_read_options *options, ak_json_reader **reader_out,
                                akidb_error *err)
{
    *reader_out = NULL;
    ak_json_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return ak_fail_memory(err, sizeof *reader);
    reader->options = *options;
    if (reader->options.columns == 0)
        reader->options.columns = AKIDB_COLUMNS_ALL;
    ak_json_scan_begin(&reader->scan, options->lines, AK_JSON_DOCUMENT_MAX);
    reader->now = akidb_clock_now(NULL) / 1000 * 1000;
    if (options->name != NULL) {
        reader->name = strdup(options->name);
        if (reader->name == NULL) {
            ak_json_reader_free(reader);
            return ak_fail_memory(err, strlen(options->name) + 1);
        }
    }
    reader->options.name = reader->name;
    *reader_out = reader;
    return AKIDB_OK;
}

void ak_json_reader_free(ak_json_reader *reader)
{
    if (reader == NULL)
        return;
    ak_json_scan_end(&reader->scan);
    akidb_buffer_free(&reader->text);
    free(reader->scratch);
    free(reader->name);
    free(reader);
}

akidb_status ak_json_reader_feed(ak_json_reader *reader, akidb_slice bytes, akidb_error *err)
{
    return ak_json_scan_feed(&reader->scan, bytes, err);
}

void ak_json_reader_finish(ak_json_reader *reader)
{
    ak_json_scan_finish(&reader->scan);
}

uint64_t ak_json_reader_rows(const ak_json_reader *reader)
{
    return reader->rows;
}

/* ---- errors ---------------------------------------------------------------------------------- */

static akidb_status fail_with(const ak_json_reader *reader, akidb_status status, uint64_t offset,
                              const char *column, akidb_error *err, const char *text)
{
    ak_place place = {reader->name, column, (int64_t)reader->rows, (int64_t)offset};
    if (status == AKIDB_E_VALIDATION && reader->options.stored)
        status = AKIDB_E_CORRUPTION;
    return ak_fail_at(err, status, place, "%s", text);
}

static akidb_status fail_document(const ak_json_reader *reader, uint64_t offset, const char *column,
                                  akidb_error *err, const char *text)
{
    return fail_with(reader, AKIDB_E_VALIDATION, offset, column, err, text);
}

/* Tells a failure of a function that saw only a piece, which begins at `offset`, as one of the
 * stream; `column` may be NULL. */
static akidb_status fail_piece(const ak_json_reader *reader, akidb_status status,
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
    return fail_with(reader, status, offset, column, err, text);
}

static uint64_t offset_of(const element *e, akidb_slice piece)
{
    return e->offset + (uint64_t)((const uint8_t *)piece.data - (const uint8_t *)e->text.data);
}

static akidb_status fail_field(const ak_json_reader *reader, const element *e, enum field field,
                               akidb_status status, const akidb_error *inner, akidb_error *err)
{
    return fail_piece(reader, status, inner, offset_of(e, e->fields[field]), field_names[field],
                      err);
}

/* ---- members --------------------------------------------------------------------------------- */

/* FIELD_COUNT for a member that is none of a document's. */
static akidb_status field_of(ak_json_reader *reader, const element *e, akidb_slice raw_name,
                             enum field *field_out, akidb_error *err)
{
    *field_out = FIELD_COUNT;
    akidb_error inner = {.offset = -1};
    reader->text.size = 0;
    akidb_status status = ak_json_unescape(raw_name, &reader->text, &inner);
    if (status != AKIDB_OK)
        return fail_piece(reader, status, &inner, offset_of(e, raw_name), NULL, err);
    for (int i = 0; i < FIELD_COUNT; i++)
        if (reader->text.size == strlen(field_names[i]) &&
            memcmp(reader->text.data, field_names[i], reader->text.size) == 0)
            *field_out = (enum field)i;
    return AKIDB_OK;
}

static akidb_status take_member(ak_json_reader *reader, element *e, akidb_slice name,
                                akidb_slice value, akidb_error *err)
{
    enum field field;
    akidb_status status = field_of(reader, e, name, &field, err);
    if (status != AKIDB_OK)
        return status;
    if (field == FIELD_COUNT) { /* somebody else's: it must be JSON, and that is all */
        akidb_error inner = {.offset = -1};
        status = ak_json_check(value, &inner);
        return status == AKIDB_OK
                   ? AKIDB_OK
                   : fail_piece(reader, status, &inner, offset_of(e, value), NULL, err);
    }
    if (e->fields[field].data != NULL)
        return fail_document(reader, offset_of(e, name), field_names[field], err,
                             "expected each member once, found a second one");
    e->fields[field] = value;
    return AKIDB_OK;
}

static akidb_status take_members(ak_json_reader *reader, element *e, akidb_error *err)
{
    akidb_error inner = {.offset = -1};
    ak_json_members members;
    akidb_status status = ak_json_members_begin(&members, e->text, &inner);
    bool found = true;
    while (status == AKIDB_OK && found) {
        akidb_slice name, value;
        status = ak_json_members_next(&members, &name, &value, &found, &inner);
        if (status == AKIDB_OK && found) {
            akidb_status taken = take_member(reader, e, name, value, err);
            if (taken != AKIDB_OK)
                return taken;
        }
    }
    if (status != AKIDB_OK)
        return fail_piece(reader, status, &inner, e->offset, NULL, err);
    return AKIDB_OK;
}

static bool is_null(akidb_slice raw)
{
    return raw.data == NULL || (raw.size == 4 && memcmp(raw.data, "null", 4) == 0);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The text of a string member, in reader->text, with a NUL that is not counted. */
static akidb_status read_string(ak_json_reader *reader, const element *e, enum field field,
                                akidb_error *err)
{
    akidb_error inner = {.offset = -1};
    reader->text.size = 0;
    akidb_status status = ak_json_unescape(e->fields[field], &reader->text, &inner);
    if (status == AKIDB_OK)
        status = ak_buffer_put(&reader->text, '\0', &inner);
    if (status != AKIDB_OK)
        return fail_field(reader, e, field, status, &inner, err);
    reader->text.size--;
    return AKIDB_OK;
}

/* The same for a text that is read up to its NUL: nothing may hide behind one. */
static akidb_status read_c_string(ak_json_reader *reader, const element *e, enum field field,
                                  akidb_error *err)
{
    akidb_status status = read_string(reader, e, field, err);
    if (status == AKIDB_OK && strlen((const char *)reader->text.data) != reader->text.size)
        return fail_document(reader, offset_of(e, e->fields[field]), field_names[field], err,
                             "expected a text without U+0000, found one");
    return status;
}

static akidb_status fail_missing(const ak_json_reader *reader, const element *e, enum field field,
                                 akidb_error *err)
{
    char text[80];
    snprintf(text, sizeof text, "expected a member \"%s\", found none", field_names[field]);
    return fail_document(reader, e->offset, field_names[field], err, text);
}

static akidb_status read_id(ak_json_reader *reader, const element *e, akidb_uuid *id_out,
                            akidb_error *err)
{
    if (is_null(e->fields[DOC_ID])) {
        if (reader->options.stored)
            return fail_missing(reader, e, DOC_ID, err);
        return ak_id_sequence_take(&reader->new_ids, reader->now, id_out, 1, err);
    }
    akidb_status status = read_c_string(reader, e, DOC_ID, err);
    if (status != AKIDB_OK)
        return status;
    akidb_error inner = {.offset = -1};
    status = akidb_uuid_parse((const char *)reader->text.data, id_out, &inner);
    return status == AKIDB_OK ? AKIDB_OK : fail_field(reader, e, DOC_ID, status, &inner, err);
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

static akidb_status read_time(ak_json_reader *reader, const element *e, int64_t *time_out,
                              akidb_error *err)
{
    if (is_null(e->fields[INSERTED_AT])) {
        if (reader->options.stored)
            return fail_missing(reader, e, INSERTED_AT, err);
        *time_out = reader->now;
        return AKIDB_OK;
    }
    akidb_status status = read_c_string(reader, e, INSERTED_AT, err);
    if (status != AKIDB_OK)
        return status;
    cut_decimals((char *)reader->text.data);
    akidb_error inner = {.offset = -1};
    status = akidb_time_parse((const char *)reader->text.data, time_out, &inner);
    return status == AKIDB_OK ? AKIDB_OK : fail_field(reader, e, INSERTED_AT, status, &inner, err);
}

/* Reads the vector into `values`, which have room for the dimension; NULL: only checks it. */
static akidb_status read_vector(ak_json_reader *reader, const element *e, float *values,
                                akidb_error *err)
{
    size_t dimension = reader->options.dimension;
    if (values == NULL) {
        void *scratch = reader->scratch;
        akidb_status reserved =
            ak_array_reserve(&scratch, &reader->scratch_capacity, dimension, sizeof *values, err);
        reader->scratch = scratch;
        if (reserved != AKIDB_OK)
            return reserved;
        values = reader->scratch;
    }
    akidb_error inner = {.offset = -1};
    size_t count;
    akidb_status status = ak_json_read_vector(e->fields[VECTOR], values, dimension, &count, &inner);
    if (status != AKIDB_OK)
        return fail_field(reader, e, VECTOR, status, &inner, err);
    if (count != dimension) {
        char text[96];
        snprintf(text, sizeof text, "expected a vector of %zu numbers, found %zu", dimension,
                 count);
        return fail_document(reader, offset_of(e, e->fields[VECTOR]), field_names[VECTOR], err,
                             text);
    }
    return AKIDB_OK;
}

/* The slice's data is NULL for no external id. */
static akidb_status read_external_id(ak_json_reader *reader, const element *e,
                                     akidb_slice *text_out, akidb_error *err)
{
    *text_out = (akidb_slice){NULL, 0};
    if (is_null(e->fields[EXTERNAL_ID]))
        return AKIDB_OK;
    akidb_status status = read_string(reader, e, EXTERNAL_ID, err);
    if (status == AKIDB_OK)
        *text_out = (akidb_slice){reader->text.data, reader->text.size};
    return status;
}

/* "metadata_text" holds what "metadata" could not tell byte for byte. */
static akidb_status read_metadata(ak_json_reader *reader, const element *e, akidb_slice *text_out,
                                  akidb_error *err)
{
    *text_out = (akidb_slice){NULL, 0};
    akidb_error inner = {.offset = -1};
    akidb_status status;
    if (!is_null(e->fields[METADATA])) {
        status = ak_json_check(e->fields[METADATA], &inner);
        if (status != AKIDB_OK)
            return fail_field(reader, e, METADATA, status, &inner, err);
        *text_out = e->fields[METADATA];
    }
    if (is_null(e->fields[METADATA_TEXT]))
        return AKIDB_OK;
    status = read_string(reader, e, METADATA_TEXT, err);
    if (status != AKIDB_OK)
        return status;
    *text_out = (akidb_slice){reader->text.data, reader->text.size};
    status = ak_json_check(*text_out, &inner);
    inner.offset = -1; /* it counts in the unescaped text: the message keeps it, the place cannot */
    return status == AKIDB_OK ? AKIDB_OK
                              : fail_field(reader, e, METADATA_TEXT, status, &inner, err);
}

/* ---- documents ------------------------------------------------------------------------------- */

static bool wants(const ak_json_reader *reader, akidb_column column)
{
    return (reader->options.columns & (unsigned)column) != 0;
}

/* Appends what the members say as row documents->rows. */
static akidb_status append_element(ak_json_reader *reader, const element *e,
                                   akidb_documents *documents, akidb_error *err)
{
    if (is_null(e->fields[VECTOR]))
        return fail_missing(reader, e, VECTOR, err);
    akidb_status status = ak_documents_reserve(documents, 1, err);
    if (status != AKIDB_OK)
        return status;
    size_t row = documents->rows;
    int64_t time = 0;
    float *vector =
        documents->has_vectors ? documents->vectors + row * (size_t)documents->dimension : NULL;
    status = read_vector(reader, e, vector, err);
    if (status == AKIDB_OK)
        status = read_id(reader, e, &documents->document_ids[row], err);
    if (status == AKIDB_OK)
        status = read_time(reader, e, &time, err);
    if (status == AKIDB_OK && documents->has_times)
        documents->inserted_at[row] = time;
    const akidb_slice null = {NULL, 0};
    akidb_slice text;
    if (status == AKIDB_OK)
        status = read_external_id(reader, e, &text, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->external_ids, row,
                                 wants(reader, AKIDB_COLUMN_EXTERNAL_ID) ? text : null, err);
    if (status == AKIDB_OK)
        status = read_metadata(reader, e, &text, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->metadata, row,
                                 wants(reader, AKIDB_COLUMN_METADATA) ? text : null, err);
    if (status == AKIDB_OK)
        documents->rows++;
    return status;
}

/* Finds the next whole document and its members; *found_out is false when there is none. */
static akidb_status next_element(ak_json_reader *reader, element *e, bool *found_out,
                                 akidb_error *err)
{
    memset(e, 0, sizeof *e);
    *found_out = false;
    ak_json_found found;
    akidb_error inner = {.offset = -1};
    akidb_status status = ak_json_scan_next(&reader->scan, &found, &e->text, &e->offset, &inner);
    if (status != AKIDB_OK)
        return fail_piece(reader, status, &inner, 0, NULL, err);
    *found_out = found == AK_JSON_FOUND_ELEMENT;
    return *found_out ? take_members(reader, e, err) : AKIDB_OK;
}

/* Learns the dimension from the first document. */
static akidb_status learn_dimension(ak_json_reader *reader, const element *e, akidb_error *err)
{
    if (is_null(e->fields[VECTOR]))
        return fail_missing(reader, e, VECTOR, err);
    akidb_error inner = {.offset = -1};
    size_t count;
    akidb_status status = ak_json_read_vector(e->fields[VECTOR], NULL, 0, &count, &inner);
    if (status != AKIDB_OK)
        return fail_field(reader, e, VECTOR, status, &inner, err);
    if (count == 0 || count > AKIDB_DIMENSION_MAX) {
        char text[96];
        snprintf(text, sizeof text, "expected a vector of 1 to %u numbers, found %zu",
                 AKIDB_DIMENSION_MAX, count);
        return fail_document(reader, offset_of(e, e->fields[VECTOR]), field_names[VECTOR], err,
                             text);
    }
    reader->options.dimension = (uint32_t)count;
    return AKIDB_OK;
}

akidb_status ak_json_reader_dimension(ak_json_reader *reader, uint32_t *dimension_out,
                                      akidb_error *err)
{
    *dimension_out = reader->options.dimension;
    if (reader->options.dimension != 0)
        return AKIDB_OK;
    element e;
    bool found;
    akidb_status status = next_element(reader, &e, &found, err);
    if (status != AKIDB_OK || !found)
        return status;
    status = learn_dimension(reader, &e, err);
    ak_json_scan_put_back(&reader->scan);
    *dimension_out = reader->options.dimension;
    return status;
}

static akidb_status read_next(ak_json_reader *reader, akidb_documents *documents, bool *found_out,
                              akidb_error *err)
{
    element e;
    akidb_status status = next_element(reader, &e, found_out, err);
    if (status != AKIDB_OK || !*found_out)
        return status;
    if (reader->options.dimension == 0)
        status = learn_dimension(reader, &e, err);
    if (status == AKIDB_OK && reader->options.dimension != documents->dimension)
        status = ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(reader->name),
                            "reading documents of dimension %u into a batch of dimension %u",
                            (unsigned)reader->options.dimension, (unsigned)documents->dimension);
    if (status == AKIDB_OK)
        status = append_element(reader, &e, documents, err);
    if (status == AKIDB_OK)
        reader->rows++;
    return status;
}

/* Empty documents take over which columns the reader keeps; all rows have the same. */
static akidb_status agree_on_columns(const ak_json_reader *reader, akidb_documents *documents,
                                     akidb_error *err)
{
    bool vectors = wants(reader, AKIDB_COLUMN_VECTOR);
    bool times = wants(reader, AKIDB_COLUMN_INSERTED_AT);
    if (documents->rows == 0) {
        documents->has_vectors = vectors;
        documents->has_times = times;
    }
    if (documents->has_vectors == vectors && documents->has_times == times)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(reader->name),
                      "reading documents: expected the columns of the %zu that are there already",
                      documents->rows);
}

akidb_status ak_json_reader_read(ak_json_reader *reader, size_t max_rows,
                                 akidb_documents *documents, bool *more_out, akidb_error *err)
{
    *more_out = false;
    size_t before = documents->rows;
    akidb_status status = agree_on_columns(reader, documents, err);
    bool found = true;
    while (status == AKIDB_OK && found && documents->rows < max_rows)
        status = read_next(reader, documents, &found, err);
    if (status != AKIDB_OK) {
        ak_documents_truncate(documents, before);
        return status;
    }
    *more_out = found;
    return AKIDB_OK;
}
