#include "formats/npy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/batch.h"
#include "base/checked.h"
#include "base/endian.h"
#include "base/error.h"

enum { MAGIC_SIZE = 6, TEXT_MAX = 64 << 10, SHAPE_MAX = 8 };
static const char magic[MAGIC_SIZE + 1] = "\x93NUMPY";

/* ---- the text: a Python dictionary of three members ------------------------------------------ */

typedef struct cursor {
    const char *name; /* of the file */
    uint64_t offset;  /* of `begin` in it */
    const char *begin;
    const char *at;
    const char *end;
} cursor;

static akidb_status fail_text(const cursor *c, const char *expected, akidb_error *err)
{
    size_t left = (size_t)(c->end - c->at);
    return ak_fail_at(err, AKIDB_E_CORRUPTION,
                      AK_AT(c->name, c->offset + (uint64_t)(c->at - c->begin)),
                      "reading the array's header: expected %s, found \"%.*s\"", expected,
                      left < 24 ? (int)left : 24, c->at);
}

static void skip_space(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\t'))
        c->at++;
}

static bool take(cursor *c, char expected)
{
    skip_space(c);
    if (c->at == c->end || *c->at != expected)
        return false;
    c->at++;
    return true;
}

/* 'text' or "text", without escapes. */
static bool take_string(cursor *c, akidb_slice *out)
{
    skip_space(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    const char *from = c->at + 1;
    const char *close = memchr(from, *c->at, (size_t)(c->end - from));
    if (close == NULL || memchr(from, '\\', (size_t)(close - from)) != NULL)
        return false;
    *out = (akidb_slice){from, (size_t)(close - from)};
    c->at = close + 1;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    skip_space(c);
    size_t size = strlen(word);
    if ((size_t)(c->end - c->at) < size || memcmp(c->at, word, size) != 0)
        return false;
    c->at += size;
    return true;
}

static bool take_whole_number(cursor *c, uint64_t *out)
{
    skip_space(c);
    const char *from = c->at;
    uint64_t value = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (!ak_mul_u64(value, 10, &value) || !ak_add_u64(value, (uint64_t)(*c->at - '0'), &value))
            return false;
    (void)take_word(c, "L"); /* Python 2 wrote it */
    *out = value;
    return c->at > from;
}

typedef struct description {
    akidb_slice dtype;
    bool fortran_order;
    uint64_t shape[SHAPE_MAX];
    size_t axes;
    bool has_dtype, has_order, has_shape;
} description;

static akidb_status take_shape(cursor *c, description *d, akidb_error *err)
{
    if (!take(c, '('))
        return fail_text(c, "a shape such as (10, 128)", err);
    while (!take(c, ')')) {
        if (d->axes == SHAPE_MAX)
            return fail_text(c, "a shape of two numbers", err);
        if (!take_whole_number(c, &d->shape[d->axes]))
            return fail_text(c, "a whole number below 2^64", err);
        d->axes++;
        if (!take(c, ',')) {
            if (!take(c, ')'))
                return fail_text(c, "\",\" or \")\"", err);
            break;
        }
    }
    d->has_shape = true;
    return AKIDB_OK;
}

static bool is_text(akidb_slice text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

static akidb_status take_member(cursor *c, description *d, akidb_error *err)
{
    akidb_slice name;
    cursor before = *c;
    if (!take_string(c, &name) || !take(c, ':'))
        return fail_text(&before, "a name and a colon", err);
    if (is_text(name, "descr") && !d->has_dtype) {
        d->has_dtype = true;
        if (take_string(c, &d->dtype))
            return AKIDB_OK;
        if (take(c, '['))
            return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(c->name),
                              "expected an array of floats, found one of records");
        return fail_text(c, "a type such as '<f4'", err);
    }
    if (is_text(name, "fortran_order") && !d->has_order) {
        d->has_order = true;
        d->fortran_order = take_word(c, "True");
        return d->fortran_order || take_word(c, "False") ? AKIDB_OK
                                                         : fail_text(c, "True or False", err);
    }
    if (is_text(name, "shape") && !d->has_shape)
        return take_shape(c, d, err);
    return fail_text(&before, "'descr', 'fortran_order' and 'shape', each once", err);
}

static akidb_status parse_text(cursor *c, description *d, akidb_error *err)
{
    if (!take(c, '{'))
        return fail_text(c, "\"{\"", err);
    while (!take(c, '}')) {
        akidb_status status = take_member(c, d, err);
        if (status != AKIDB_OK)
            return status;
        if (!take(c, ',')) {
            if (!take(c, '}'))
                return fail_text(c, "\",\" or \"}\"", err);
            break;
        }
    }
    skip_space(c);
    if (c->at != c->end)
        return fail_text(c, "spaces up to the end of the header", err);
    if (!d->has_dtype || !d->has_order || !d->has_shape)
        return fail_text(c, "'descr', 'fortran_order' and 'shape'", err);
    return AKIDB_OK;
}

/* ---- what it must be ------------------------------------------------------------------------- */

static akidb_status check_dtype(const cursor *c, const description *d, ak_npy_header *header,
                                akidb_error *err)
{
    const char *dtype = d->dtype.data;
    bool ordered = d->dtype.size == 3 && (dtype[0] == '<' || dtype[0] == '>');
    if (!ordered || dtype[1] != 'f' || (dtype[2] != '2' && dtype[2] != '4' && dtype[2] != '8'))
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(c->name),
                          "expected an array of float16, float32 or float64, found the type "
                          "'%.*s'",
                          d->dtype.size < 40 ? (int)d->dtype.size : 40, dtype);
    header->big_endian = dtype[0] == '>';
    header->float_size = (unsigned)(dtype[2] - '0');
    return AKIDB_OK;
}

static akidb_status check_shape(const cursor *c, const description *d, ak_npy_header *header,
                                akidb_error *err)
{
    if (d->axes != 2)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(c->name),
                          "expected an array of two dimensions, a vector a row, found %zu",
                          d->axes);
    if (d->shape[1] == 0 || d->shape[1] > AKIDB_DIMENSION_MAX)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(c->name),
                          "expected vectors of 1 to %u numbers, found %llu", AKIDB_DIMENSION_MAX,
                          (unsigned long long)d->shape[1]);
    header->rows = d->shape[0];
    header->dimension = (uint32_t)d->shape[1];
    header->fortran_order = d->fortran_order;
    return AKIDB_OK;
}

static akidb_status check_size(const akidb_input *input, const ak_npy_header *header,
                               akidb_error *err)
{
    uint64_t bytes;
    bool fits = ak_mul_u64(header->rows, (uint64_t)header->dimension * header->float_size, &bytes);
    uint64_t found = input->size - header->data;
    if (!fits || bytes != found)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, header->data),
                          "expected %llu rows of %u numbers of %u bytes each, found %llu bytes in "
                          "all",
                          (unsigned long long)header->rows, (unsigned)header->dimension,
                          header->float_size, (unsigned long long)found);
    return AKIDB_OK;
}

static akidb_status check_description(const akidb_input *input, const cursor *c,
                                      const description *d, ak_npy_header *header, akidb_error *err)
{
    akidb_status status = check_dtype(c, d, header, err);
    if (status == AKIDB_OK)
        status = check_shape(c, d, header, err);
    if (status == AKIDB_OK)
        status = check_size(input, header, err);
    return status;
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Magic, version and length: where the text lies. */
static akidb_status read_prefix(const akidb_input *input, uint64_t *text_out, uint32_t *size_out,
                                akidb_error *err)
{
    uint8_t prefix[MAGIC_SIZE + 6] = {0};
    size_t size = input->size < sizeof prefix ? (size_t)input->size : sizeof prefix;
    akidb_status status = akidb_input_read_at(input, 0, prefix, size, err);
    if (status != AKIDB_OK)
        return status;
    if (size < MAGIC_SIZE + 4 || memcmp(prefix, magic, MAGIC_SIZE) != 0)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, 0),
                          "expected a .npy file, which begins with \"\\x93NUMPY\", found "
                          "something else");
    uint8_t major = prefix[MAGIC_SIZE];
    if (major < 1 || major > 3)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_AT(input->name, MAGIC_SIZE),
                          "expected version 1, 2 or 3 of .npy, found %u", (unsigned)major);
    size_t length_size = major == 1 ? 2 : 4;
    *text_out = MAGIC_SIZE + 2 + length_size;
    *size_out =
        major == 1 ? ak_load_u16(prefix + MAGIC_SIZE + 2) : ak_load_u32(prefix + MAGIC_SIZE + 2);
    if (*size_out > TEXT_MAX || !ak_range_fits(*text_out, *size_out, input->size))
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, MAGIC_SIZE + 2),
                          "expected a header within the file and of at most %d bytes, found a "
                          "length of %u",
                          (int)TEXT_MAX, (unsigned)*size_out);
    return AKIDB_OK;
}

akidb_status ak_npy_read_header(const akidb_input *input, ak_npy_header *header_out,
                                akidb_error *err)
{
    memset(header_out, 0, sizeof *header_out);
    uint64_t at = 0;
    uint32_t size = 0;
    akidb_status status = read_prefix(input, &at, &size, err);
    if (status != AKIDB_OK)
        return status;
    char *text = malloc(size + 1);
    if (text == NULL)
        return ak_fail_memory(err, size);
    ak_npy_header header = {.data = at + size};
    status = akidb_input_read_at(input, at, text, size, err);
    if (status == AKIDB_OK) {
        cursor c = {input->name, at, text, text, text + size};
        description d = {0};
        status = parse_text(&c, &d, err);
        if (status == AKIDB_OK)
            status = check_description(input, &c, &d, &header, err);
    }
    free(text);
    if (status == AKIDB_OK)
        *header_out = header;
    return status;
}

void ak_npy_write_header(uint64_t rows, uint32_t dimension, uint8_t out[AK_NPY_HEADER_SIZE])
{
    enum { PREFIX = MAGIC_SIZE + 4, TEXT = AK_NPY_HEADER_SIZE - PREFIX };
    char text[TEXT + 1];
    memcpy(out, magic, MAGIC_SIZE);
    memcpy(out + MAGIC_SIZE, (const uint8_t[]){1, 0, TEXT, 0}, 4);
    int used = snprintf(text, sizeof text,
                        "{'descr': '<f4', 'fortran_order': False, 'shape': (%llu, %u), }",
                        (unsigned long long)rows, (unsigned)dimension);
    memset(text + used, ' ', (size_t)(TEXT - used));
    text[TEXT - 1] = '\n';
    memcpy(out + PREFIX, text, TEXT);
}
