/*
 * The vector column: every row k values, none null. That is one pattern of levels, which codec/
 * recognises without decoding; the values then lie one after the other and go straight to the
 * matrix. Levels that are not the pattern hold a row that is no vector: they are decoded to name
 * it.
 */
#include "base/error.h"
#include "codec/float_convert.h"
#include "codec/levels.h"
#include "codec/rle.h"
#include "parquet/column_read.h"

typedef struct vectors {
    ak_decoding *decoding;
    const ak_chunk *chunk;
    uint32_t k;
    uint64_t wanted; /* values: rows x k */
    uint64_t done;   /* values so far */
    uint64_t carry;  /* where the next row begins, counted from the next page's first value */
    ak_page page;
    float *out;             /* of the first value */
    ak_page_visitor *visit; /* not NULL: gets the pages, and nothing goes to `out` */
    void *context;
    akidb_error *err;
} vectors;

static akidb_status corrupt(const vectors *v, const char *text, uint64_t expected, uint64_t found)
{
    return ak_fail_at(v->err, AKIDB_E_CORRUPTION, ak_page_place(v->chunk, v->page.offset),
                      "expected %s %llu, found %llu", text, (unsigned long long)expected,
                      (unsigned long long)found);
}

/* ---- naming the row that is no vector -------------------------------------------------------- */

/* The definition level from which on an entry is an element of a list, null or not. */
static unsigned element_level(const ak_file_leaf *leaf)
{
    const ak_schema_element *top = leaf->element - (leaf->depth - 1);
    return leaf->depth > 1 && top->repetition == AK_OPTIONAL ? 2 : 1;
}

static akidb_status bad_row(const vectors *v, uint64_t row, const char *what)
{
    return ak_fail_at(v->err, AKIDB_E_VALIDATION, ak_row_place(v->chunk, row),
                      "expected a vector of %u floats, found %s", v->k, what);
}

static akidb_status bad_length(const vectors *v, uint64_t row, uint64_t found, bool more)
{
    return ak_fail_at(v->err, AKIDB_E_VALIDATION, ak_row_place(v->chunk, row),
                      "expected a vector of %u floats, found %s%llu", v->k,
                      more ? "more than " : "", (unsigned long long)found);
}

/* An entry that is not the next value of a vector: what is wrong with its row. */
static akidb_status name_entry(const vectors *v, uint64_t at, uint32_t repetition,
                               uint32_t definition)
{
    uint64_t row = at / v->k;
    uint64_t within = at % v->k;
    unsigned element = element_level(v->chunk->leaf);
    if (repetition == 0 && within != 0)
        return bad_length(v, row, within, false);
    if (repetition != 0 && at == 0)
        return corrupt(v, "a column chunk that begins with a row: a first repetition level of", 0,
                       repetition);
    if (repetition != 0 && within == 0)
        return bad_length(v, row - 1, v->k, true);
    if (definition + 1 < element)
        return bad_row(v, row, "null");
    if (definition + 1 == element)
        return bad_row(v, row, "an empty list");
    return bad_row(v, row, "a null element");
}

/* Decodes the levels of the page to find the first entry that breaks the pattern. One more than the
 * row group's rows can have is enough for that, whatever the page claims. */
static akidb_status name_row(vectors *v)
{
    const ak_file_leaf *leaf = v->chunk->leaf;
    uint64_t left = v->wanted - v->done;
    size_t count = v->page.values <= left ? v->page.values : (size_t)left + 1;
    akidb_status status = ak_decoding_reserve_levels(v->decoding, 2 * count, v->err);
    if (status != AKIDB_OK)
        return status;
    uint32_t *repetition = v->decoding->levels;
    uint32_t *definition = repetition + count;
    status = ak_rle_decode(v->page.repetition, 1, 1, count, repetition, NULL, v->err);
    if (status == AKIDB_OK)
        status = ak_rle_decode(v->page.definition, ak_bit_width(leaf->max_definition),
                               leaf->max_definition, count, definition, NULL, v->err);
    if (status != AKIDB_OK) {
        ak_page_context(v->chunk, v->page.offset, v->err);
        return status;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t at = v->done + i;
        if (at == v->wanted && repetition[i] == 0)
            break;
        if ((repetition[i] == 0) != (at % v->k == 0) || definition[i] != leaf->max_definition)
            return name_entry(v, at, repetition[i], definition[i]);
    }
    return corrupt(v, "pages with the values of the row group's rows,", v->wanted,
                   v->done + v->page.values);
}

/* ---- values ---------------------------------------------------------------------------------- */

/* Widened or rounded to where they belong. */
static akidb_status convert(const vectors *v, size_t count, float *out)
{
    size_t bad;
    ak_floats_convert((const uint8_t *)v->decoding->wide, count,
                      (unsigned)ak_value_width(v->chunk->leaf), false, out, 1, &bad);
    if (bad == count)
        return AKIDB_OK;
    return ak_fail_at(v->err, AKIDB_E_VALIDATION, ak_row_place(v->chunk, (v->done + bad) / v->k),
                      "expected numbers within the range of float32, found a larger one");
}

static akidb_status read_values(vectors *v, float *out)
{
    ak_decoding *decoding = v->decoding;
    const ak_file_leaf *leaf = v->chunk->leaf;
    size_t count = v->page.values;
    if (leaf->element->type == AK_TYPE_FLOAT)
        return ak_values_read_fixed(&decoding->values, &decoding->pages, &v->page, count, out,
                                    v->err);
    akidb_status status = ak_decoding_reserve_wide(decoding, count, ak_value_width(leaf), v->err);
    if (status == AKIDB_OK)
        status = ak_values_read_fixed(&decoding->values, &decoding->pages, &v->page, count,
                                      decoding->wide, v->err);
    return status != AKIDB_OK ? status : convert(v, count, out);
}

/* Whether the page is nothing but values of vectors, in their place. */
static ak_levels_verdict check_pattern(vectors *v)
{
    const ak_file_leaf *leaf = v->chunk->leaf;
    ak_levels_verdict present =
        ak_levels_all_equal(v->page.definition, ak_bit_width(leaf->max_definition), v->page.values,
                            leaf->max_definition);
    if (present == AK_LEVELS_MALFORMED)
        return present;
    ak_levels_verdict fixed =
        ak_levels_fixed_repetition(v->page.repetition, v->page.values, v->k, &v->carry);
    if (fixed != AK_LEVELS_YES)
        return fixed;
    return v->page.values <= v->wanted - v->done ? present : AK_LEVELS_NO;
}

static akidb_status read_page(vectors *v)
{
    switch (check_pattern(v)) {
    case AK_LEVELS_YES: break;
    case AK_LEVELS_NO: return name_row(v);
    case AK_LEVELS_MALFORMED:
        return ak_fail_at(v->err, AKIDB_E_CORRUPTION, ak_page_place(v->chunk, v->page.offset),
                          "expected %u repetition and definition levels, found other bytes",
                          v->page.values);
    }
    if (v->page.is_v2 && (uint64_t)v->page.rows * v->k != v->page.values)
        return corrupt(v, "a V2 page of whole rows, with rows:", v->page.values / v->k,
                       v->page.rows);
    akidb_status status = v->visit != NULL ? v->visit(v->context, &v->page, v->done, v->err)
                                           : read_values(v, v->out + v->done);
    v->done += v->page.values;
    return status;
}

/* After the last page: the last row must be whole, and all rows there. */
static akidb_status check_end(const vectors *v)
{
    if (v->done == v->wanted)
        return AKIDB_OK;
    if (v->done % v->k != 0)
        return bad_length(v, v->done / v->k, v->done % v->k, false);
    return corrupt(v, "pages with the values of the row group's rows,", v->wanted, v->done);
}

static void begin_pages(ak_decoding *decoding, const ak_chunk *chunk)
{
    ak_page_reader_begin(&decoding->pages, chunk, decoding->decompressor);
    decoding->values.has_entries = false;
}

static akidb_status read_pages(vectors *v)
{
    begin_pages(v->decoding, v->chunk);
    for (;;) {
        bool done;
        akidb_status status = ak_page_reader_next(&v->decoding->pages, &v->page, &done, v->err);
        if (status == AKIDB_OK && done)
            return check_end(v);
        if (status == AKIDB_OK && v->page.values > 0)
            status = read_page(v);
        if (status != AKIDB_OK)
            return status;
    }
}

akidb_status ak_read_vectors(ak_decoding *decoding, const ak_chunk *chunk, uint32_t k,
                             float *vectors_out, akidb_error *err)
{
    vectors v = {.decoding = decoding,
                 .chunk = chunk,
                 .k = k,
                 .wanted = chunk->rows * k,
                 .out = vectors_out,
                 .err = err};
    return read_pages(&v);
}

akidb_status ak_visit_vectors(ak_decoding *decoding, const ak_chunk *chunk, uint32_t k,
                              ak_page_visitor *visit, void *context, akidb_error *err)
{
    vectors v = {.decoding = decoding,
                 .chunk = chunk,
                 .k = k,
                 .wanted = chunk->rows * k,
                 .visit = visit,
                 .context = context,
                 .err = err};
    return read_pages(&v);
}

/* ---- the length of the first row ------------------------------------------------------------- */

/* Levels of the beginning of a page; one entry past the largest dimension is enough. */
static akidb_status read_beginning(ak_decoding *decoding, const ak_chunk *chunk,
                                   const ak_page *page, size_t count, akidb_error *err)
{
    unsigned max = chunk->leaf->max_definition;
    akidb_status status = ak_decoding_reserve_levels(decoding, 2 * count, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_rle_decode(page->repetition, 1, 1, count, decoding->levels, NULL, err);
    if (status == AKIDB_OK)
        status = ak_rle_decode(page->definition, ak_bit_width(max), max, count,
                               decoding->levels + count, NULL, err);
    if (status != AKIDB_OK)
        ak_page_context(chunk, page->offset, err);
    return status;
}

/* Counts the elements of the first row that has any, up to the row behind it. Rows before it are no
 * vectors, and it is reading them that tells. */
akidb_status ak_read_first_length(ak_decoding *decoding, const ak_chunk *chunk,
                                  uint64_t *length_out, akidb_error *err)
{
    unsigned element = element_level(chunk->leaf);
    uint64_t length = 0;
    *length_out = 0;
    begin_pages(decoding, chunk);
    for (;;) {
        ak_page page;
        bool done;
        akidb_status status = ak_page_reader_next(&decoding->pages, &page, &done, err);
        if (status != AKIDB_OK)
            return status;
        if (done)
            break;
        size_t count = page.values <= AKIDB_DIMENSION_MAX ? page.values : AKIDB_DIMENSION_MAX + 1;
        status = read_beginning(decoding, chunk, &page, count, err);
        if (status != AKIDB_OK)
            return status;
        for (size_t i = 0; i < count; i++) {
            if (decoding->levels[i] == 0 && length > 0) {
                *length_out = length;
                return AKIDB_OK;
            }
            length += decoding->levels[count + i] >= element;
        }
        if (length > AKIDB_DIMENSION_MAX)
            break;
        if (count < page.values) /* so many rows that are no vectors: no length is told */
            return AKIDB_OK;
    }
    *length_out = length;
    return AKIDB_OK;
}
