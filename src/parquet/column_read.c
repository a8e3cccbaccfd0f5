#include "parquet/column_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"
#include "base/utf8.h"
#include "codec/levels.h"
#include "codec/rle.h"

enum { UUID_BYTES = 16, UUID_TEXT_BYTES = AKIDB_UUID_TEXT_SIZE - 1 };

akidb_status ak_decoding_new(ak_decoding *decoding_out, akidb_error *err)
{
    *decoding_out = (ak_decoding){0};
    return ak_decompressor_new(&decoding_out->decompressor, err);
}

void ak_decoding_free(ak_decoding *decoding)
{
    ak_page_reader_end(&decoding->pages);
    ak_values_free(&decoding->values);
    ak_decompressor_free(decoding->decompressor);
    free(decoding->levels);
    free(decoding->wide);
    *decoding = (ak_decoding){0};
}

akidb_status ak_decoding_reserve_levels(ak_decoding *decoding, size_t count, akidb_error *err)
{
    void *levels = decoding->levels;
    akidb_status status =
        ak_array_reserve(&levels, &decoding->level_capacity, count, sizeof *decoding->levels, err);
    decoding->levels = levels;
    return status;
}

akidb_status ak_decoding_reserve_wide(ak_decoding *decoding, size_t count, size_t width,
                                      akidb_error *err)
{
    size_t bytes;
    if (!ak_mul_size(count, width, &bytes))
        return ak_fail_memory(err, SIZE_MAX);
    void *wide = decoding->wide;
    akidb_status status =
        ak_array_reserve(&wide, &decoding->wide_capacity, bytes / sizeof *decoding->wide + 1,
                         sizeof *decoding->wide, err);
    decoding->wide = wide;
    return status;
}

/* ---- pages of a flat column ------------------------------------------------------------------ */

/* A page of a column that is not repeated, with its place among the rows. */
typedef struct flat {
    ak_decoding *decoding;
    const ak_chunk *chunk;
    ak_page page;
    uint64_t row;           /* of the page's first value, in the row group */
    size_t rows;            /* in the page */
    size_t present;         /* rows that are not null */
    const uint32_t *levels; /* 1 where a row is present; NULL: all are */
    akidb_error *err;
} flat;

static flat flat_begin(ak_decoding *decoding, const ak_chunk *chunk, akidb_error *err)
{
    ak_page_reader_begin(&decoding->pages, chunk, decoding->decompressor);
    decoding->values.has_entries = false;
    return (flat){.decoding = decoding, .chunk = chunk, .err = err};
}

static akidb_status flat_corrupt(const flat *f, const char *text, uint64_t expected, uint64_t found)
{
    return ak_fail_at(f->err, AKIDB_E_CORRUPTION, ak_page_place(f->chunk, f->page.offset),
                      "expected %s %llu, found %llu", text, (unsigned long long)expected,
                      (unsigned long long)found);
}

/* Which rows of the page are null. */
static akidb_status read_presence(flat *f)
{
    f->levels = NULL;
    f->present = f->rows;
    if (f->chunk->leaf->max_definition == 0)
        return AKIDB_OK;
    switch (ak_levels_all_equal(f->page.definition, 1, f->rows, 1)) {
    case AK_LEVELS_YES: return AKIDB_OK;
    case AK_LEVELS_NO: break;
    case AK_LEVELS_MALFORMED:
        return ak_fail_at(f->err, AKIDB_E_CORRUPTION, ak_page_place(f->chunk, f->page.offset),
                          "expected %zu definition levels of at most 1, found other bytes",
                          f->rows);
    }
    akidb_status status = ak_decoding_reserve_levels(f->decoding, f->rows, f->err);
    if (status == AKIDB_OK) {
        status =
            ak_rle_decode(f->page.definition, 1, 1, f->rows, f->decoding->levels, NULL, f->err);
        if (status != AKIDB_OK)
            ak_page_context(f->chunk, f->page.offset, f->err);
    }
    f->levels = f->decoding->levels;
    f->present = 0;
    for (size_t i = 0; status == AKIDB_OK && i < f->rows; i++)
        f->present += f->levels[i];
    return status;
}

/* Goes to the next page; false in *more_out after the last one. */
static akidb_status flat_next(flat *f, bool *more_out)
{
    bool done;
    *more_out = false;
    f->row += f->rows;
    f->rows = 0;
    akidb_status status = ak_page_reader_next(&f->decoding->pages, &f->page, &done, f->err);
    if (status != AKIDB_OK)
        return status;
    if (done && f->row != f->chunk->rows)
        return flat_corrupt(f, "pages with as many rows as the row group,", f->chunk->rows, f->row);
    if (done)
        return AKIDB_OK;
    if (f->page.values > f->chunk->rows - f->row)
        return flat_corrupt(f, "a page within the rows of the row group, at most",
                            f->chunk->rows - f->row, f->page.values);
    f->rows = f->page.values;
    if (f->page.is_v2 && f->page.rows != f->rows)
        return flat_corrupt(f, "as many rows as values,", f->rows, f->page.rows);
    status = read_presence(f);
    if (status == AKIDB_OK && f->page.is_v2 && f->page.nulls != f->rows - f->present)
        return flat_corrupt(f, "as many nulls as the levels have,", f->rows - f->present,
                            f->page.nulls);
    *more_out = status == AKIDB_OK;
    return status;
}

/* The same, for a column in which no row may be null. */
static akidb_status flat_next_present(flat *f, bool *more_out)
{
    akidb_status status = flat_next(f, more_out);
    if (status != AKIDB_OK || !*more_out || f->present == f->rows)
        return status;
    size_t i = 0;
    while (f->levels[i] != 0)
        i++;
    *more_out = false;
    return ak_fail_at(f->err, AKIDB_E_VALIDATION, ak_row_place(f->chunk, f->row + i),
                      "expected a value, found null");
}

/* The page's values of fixed width, in decoding->wide. */
static akidb_status flat_read_wide(flat *f)
{
    akidb_status status =
        ak_decoding_reserve_wide(f->decoding, f->rows, ak_value_width(f->chunk->leaf), f->err);
    if (status != AKIDB_OK)
        return status;
    return ak_values_read_fixed(&f->decoding->values, &f->decoding->pages, &f->page, f->rows,
                                f->decoding->wide, f->err);
}

static akidb_status flat_read_slices(flat *f, uint64_t max_bytes, const akidb_slice **slices_out)
{
    return ak_values_read_slices(&f->decoding->values, &f->decoding->pages, &f->page, f->present,
                                 max_bytes, slices_out, f->err);
}

/* ---- document ids ---------------------------------------------------------------------------- */

typedef struct id_target {
    akidb_uuid *ids;
    ak_texts *others;  /* NULL: what is no UUID is an error */
    uint8_t *is_other; /* per row */
    uint64_t *bytes_left;
} id_target;

static bool parse_id(const ak_file_leaf *leaf, akidb_slice value, akidb_uuid *id)
{
    if (value.size == UUID_BYTES && !ak_leaf_is_text(leaf)) {
        memcpy(id->bytes, value.data, UUID_BYTES);
        return true;
    }
    char text[AKIDB_UUID_TEXT_SIZE] = {0};
    if (value.size != UUID_TEXT_BYTES)
        return false;
    memcpy(text, value.data, UUID_TEXT_BYTES);
    return akidb_uuid_parse(text, id, NULL) == AKIDB_OK;
}

static akidb_status check_utf8(const flat *f, uint64_t row, akidb_slice text)
{
    size_t valid = ak_utf8_valid_prefix(text.data, text.size);
    if (valid == text.size)
        return AKIDB_OK;
    return ak_fail_at(f->err, AKIDB_E_VALIDATION, ak_row_place(f->chunk, row),
                      "expected text in UTF-8, found another byte at position %zu of %zu", valid,
                      text.size);
}

/* Adds a text to a column, if it is one and the row group may hold so much. */
static akidb_status append_text(const flat *f, uint64_t row, akidb_slice text, uint64_t *bytes_left,
                                ak_texts *texts)
{
    if (text.size > *bytes_left)
        return ak_fail_at(f->err, AKIDB_E_LIMIT, ak_row_place(f->chunk, row),
                          "expected texts that a file of this size would hold, found one of %zu "
                          "bytes where %llu are left",
                          text.size, (unsigned long long)*bytes_left);
    *bytes_left -= text.size;
    akidb_status status = check_utf8(f, row, text);
    return status != AKIDB_OK ? status : ak_texts_append(texts, (size_t)row, text, f->err);
}

static akidb_status keep_id(const flat *f, uint64_t row, akidb_slice value, const id_target *target)
{
    bool is_uuid = parse_id(f->chunk->leaf, value, &target->ids[row]);
    if (target->others == NULL) {
        if (is_uuid)
            return AKIDB_OK;
        return ak_fail_at(f->err, AKIDB_E_VALIDATION, ak_row_place(f->chunk, row),
                          "expected a UUID as %s, found a value of %zu bytes",
                          ak_leaf_is_text(f->chunk->leaf) ? "36 characters"
                                                          : "16 bytes or 36 characters",
                          value.size);
    }
    if (is_uuid)
        return ak_texts_append(target->others, (size_t)row, (akidb_slice){NULL, 0}, f->err);
    target->ids[row] = (akidb_uuid){{0}};
    target->is_other[row] = 1;
    if (value.data == NULL)
        value.data = ""; /* empty, not null */
    return append_text(f, row, value, target->bytes_left, target->others);
}

static akidb_status read_text_ids(flat *f, const id_target *target)
{
    const akidb_slice *slices;
    akidb_status status = flat_read_slices(f, f->chunk->max_page_bytes, &slices);
    for (size_t i = 0; status == AKIDB_OK && i < f->rows; i++)
        status = keep_id(f, f->row + i, slices[i], target);
    return status;
}

/* Sixteen fixed bytes go straight to where the ids lie. */
static akidb_status read_fixed_ids(flat *f, const id_target *target)
{
    akidb_status status = ak_values_read_fixed(&f->decoding->values, &f->decoding->pages, &f->page,
                                               f->rows, target->ids + f->row, f->err);
    for (size_t i = 0; status == AKIDB_OK && target->others != NULL && i < f->rows; i++)
        status =
            ak_texts_append(target->others, (size_t)f->row + i, (akidb_slice){NULL, 0}, f->err);
    return status;
}

/* Whether the leaf's values count from 0 up to the type's unsigned maximum. */
static bool is_unsigned(const ak_file_leaf *leaf)
{
    const ak_schema_element *element = leaf->element;
    if (element->logical_type.kind == AK_LOGICAL_INTEGER)
        return !element->logical_type.is_signed;
    return element->converted_type >= AK_CONVERTED_UINT_8 &&
           element->converted_type <= AK_CONVERTED_UINT_64;
}

/* Integers are no UUIDs: they become text. */
static akidb_status read_integer_ids(flat *f, const id_target *target)
{
    bool is_narrow = f->chunk->leaf->element->type == AK_TYPE_INT32;
    akidb_status status = flat_read_wide(f);
    for (size_t i = 0; status == AKIDB_OK && i < f->rows; i++) {
        const uint8_t *at = (const uint8_t *)f->decoding->wide + i * (is_narrow ? 4 : 8);
        uint64_t bits = is_narrow ? ak_load_u32(at) : ak_load_u64(at);
        int64_t value = is_narrow ? (int32_t)(uint32_t)bits : (int64_t)bits;
        char text[24];
        int size = is_unsigned(f->chunk->leaf)
                       ? snprintf(text, sizeof text, "%llu", (unsigned long long)bits)
                       : snprintf(text, sizeof text, "%lld", (long long)value);
        status = keep_id(f, f->row + i, (akidb_slice){text, (size_t)size}, target);
    }
    return status;
}

akidb_status ak_read_ids(ak_decoding *decoding, const ak_chunk *chunk, akidb_uuid *ids_out,
                         ak_texts *others, uint8_t *is_other, uint64_t *bytes_left,
                         akidb_error *err)
{
    flat f = flat_begin(decoding, chunk, err);
    id_target target = {ids_out, others, is_other, bytes_left};
    bool more = true;
    akidb_status status = AKIDB_OK;
    while (more && status == AKIDB_OK) {
        status = flat_next_present(&f, &more);
        if (status != AKIDB_OK || !more)
            break;
        switch (chunk->leaf->element->type) {
        case AK_TYPE_BYTE_ARRAY: status = read_text_ids(&f, &target); break;
        case AK_TYPE_FIXED_LEN_BYTE_ARRAY: status = read_fixed_ids(&f, &target); break;
        default: status = read_integer_ids(&f, &target);
        }
    }
    return status;
}

/* ---- texts ----------------------------------------------------------------------------------- */

static akidb_status append_page(flat *f, uint64_t *bytes_left, ak_texts *texts)
{
    const akidb_slice *slices;
    akidb_status status = flat_read_slices(f, *bytes_left, &slices);
    size_t next = 0;
    for (size_t i = 0; status == AKIDB_OK && i < f->rows; i++) {
        if (f->levels != NULL && f->levels[i] == 0) {
            status = ak_texts_append(texts, (size_t)f->row + i, (akidb_slice){NULL, 0}, f->err);
            continue;
        }
        akidb_slice text = slices[next++];
        if (text.data == NULL)
            text.data = ""; /* empty, not null */
        status = append_text(f, f->row + i, text, bytes_left, texts);
    }
    return status;
}

akidb_status ak_read_texts(ak_decoding *decoding, const ak_chunk *chunk, uint64_t *bytes_left,
                           ak_texts *texts, akidb_error *err)
{
    flat f = flat_begin(decoding, chunk, err);
    bool more = true;
    akidb_status status = AKIDB_OK;
    while (more && status == AKIDB_OK) {
        status = flat_next(&f, &more);
        if (status == AKIDB_OK && more)
            status = append_page(&f, bytes_left, texts);
    }
    return status;
}

/* ---- times ----------------------------------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0 ? 1 : 0);
}

bool ak_time_to_micros(ak_time_unit_kind unit, int64_t value, int64_t *micros_out)
{
    int64_t micros = value;
    if (unit == AK_UNIT_MILLIS && __builtin_mul_overflow(value, 1000, &micros))
        return false;
    if (unit == AK_UNIT_NANOS)
        micros = floor_div(value, 1000);
    *micros_out = micros;
    return micros >= AKIDB_TIME_MIN && micros <= AKIDB_TIME_MAX;
}

/* INT96 of Impala and old Spark: nanoseconds of the day, then the Julian day. */
static bool int96_to_micros(const uint8_t *bytes, int64_t *micros_out)
{
    enum { JULIAN_EPOCH = 2440588, JULIAN_MIN = 1721425, JULIAN_MAX = 5373484 };
    const int64_t micros_per_day = INT64_C(86400000000);
    int64_t nanos = (int64_t)ak_load_u64(bytes);
    int64_t day = ak_load_u32(bytes + 8);
    if (day < JULIAN_MIN || day > JULIAN_MAX || nanos < 0 || nanos >= micros_per_day * 1000)
        return false;
    *micros_out = (day - JULIAN_EPOCH) * micros_per_day + nanos / 1000;
    return *micros_out >= AKIDB_TIME_MIN && *micros_out <= AKIDB_TIME_MAX;
}

static akidb_status bad_time(const flat *f, size_t i, const uint8_t *bytes)
{
    ak_place place = ak_row_place(f->chunk, f->row + i);
    if (f->chunk->leaf->element->type == AK_TYPE_INT96)
        return ak_fail_at(f->err, AKIDB_E_VALIDATION, place,
                          "expected a time in the years 1 to 9999, found Julian day %u and %lld "
                          "nanoseconds",
                          ak_load_u32(bytes + 8), (long long)ak_load_u64(bytes));
    return ak_fail_at(f->err, AKIDB_E_VALIDATION, place,
                      "expected a time in the years 1 to 9999, found %lld",
                      (long long)ak_load_u64(bytes));
}

static akidb_status convert_times(const flat *f, int64_t *times)
{
    const ak_file_leaf *leaf = f->chunk->leaf;
    const uint8_t *bytes = (const uint8_t *)f->decoding->wide;
    bool is_int96 = leaf->element->type == AK_TYPE_INT96;
    ak_time_unit_kind unit = ak_leaf_time_unit(leaf);
    for (size_t i = 0; i < f->rows; i++, bytes += is_int96 ? 12 : 8) {
        bool fits = is_int96 ? int96_to_micros(bytes, &times[i])
                             : ak_time_to_micros(unit, (int64_t)ak_load_u64(bytes), &times[i]);
        if (!fits)
            return bad_time(f, i, bytes);
    }
    return AKIDB_OK;
}

akidb_status ak_read_times(ak_decoding *decoding, const ak_chunk *chunk, int64_t *times_out,
                           akidb_error *err)
{
    flat f = flat_begin(decoding, chunk, err);
    bool more = true;
    akidb_status status = AKIDB_OK;
    while (more && status == AKIDB_OK) {
        status = flat_next_present(&f, &more);
        if (status == AKIDB_OK && more)
            status = flat_read_wide(&f);
        if (status == AKIDB_OK && more)
            status = convert_times(&f, times_out + f.row);
    }
    return status;
}

/* ---- dimensions ------------------------------------------------------------------------------ */

static akidb_status compare_dimensions(const flat *f, uint32_t k)
{
    bool is_narrow = f->chunk->leaf->element->type == AK_TYPE_INT32;
    const uint8_t *bytes = (const uint8_t *)f->decoding->wide;
    for (size_t i = 0; i < f->rows; i++) {
        uint64_t found = is_narrow ? ak_load_u32(bytes + 4 * i) : ak_load_u64(bytes + 8 * i);
        if (found != k)
            return ak_fail_at(f->err, AKIDB_E_CORRUPTION, ak_row_place(f->chunk, f->row + i),
                              "expected the length of the vectors, %u, found %llu", k,
                              (unsigned long long)found);
    }
    return AKIDB_OK;
}

akidb_status ak_check_dimensions(ak_decoding *decoding, const ak_chunk *chunk, uint32_t k,
                                 akidb_error *err)
{
    flat f = flat_begin(decoding, chunk, err);
    bool more = true;
    akidb_status status = AKIDB_OK;
    while (more && status == AKIDB_OK) {
        status = flat_next_present(&f, &more);
        if (status == AKIDB_OK && more)
            status = flat_read_wide(&f);
        if (status == AKIDB_OK && more)
            status = compare_dimensions(&f, k);
    }
    return status;
}
