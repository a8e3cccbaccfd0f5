#include "formats/json_vector.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/scan.h"

typedef struct cursor {
    const char *begin;
    const char *at;
    const char *end;
} cursor;

static void skip_space(cursor *c)
{
    while (c->at < c->end && ak_json_is_space((uint8_t)*c->at))
        c->at++;
}

static bool take(cursor *c, char expected)
{
    skip_space(c);
    if (c->at == c->end || *c->at != expected)
        return false;
    c->at++;
    skip_space(c);
    return true;
}

/* How much of what was found is shown: up to its end, no control characters, no half characters. */
static size_t shown_size(const char *at, size_t left)
{
    size_t most = left < 24 ? left : 24;
    size_t size = 1;
    bool is_string = *at == '"';
    while (size < most && (unsigned char)at[size] >= ' ' && at[size] != '"' &&
           (is_string || strchr(" ,]}", at[size]) == NULL))
        size++;
    if (is_string && size < most && at[size] == '"')
        size++;
    return (unsigned char)*at < ' ' ? 0 : ak_utf8_valid_prefix(at, size);
}

/* In quotes, but for a string, which has its own. */
static akidb_status fail_vector(const cursor *c, const char *expected, akidb_error *err)
{
    const ak_place place = AK_AT(NULL, c->at - c->begin);
    size_t left = (size_t)(c->end - c->at);
    if (left == 0)
        return ak_fail_at(err, AKIDB_E_VALIDATION, place, "expected %s, found the end", expected);
    int shown = (int)shown_size(c->at, left);
    if (shown == 0)
        return ak_fail_at(err, AKIDB_E_VALIDATION, place, "expected %s, found the byte 0x%02x",
                          expected, (unsigned)(unsigned char)*c->at);
    const char *quote = *c->at == '"' ? "" : "\"";
    return ak_fail_at(err, AKIDB_E_VALIDATION, place, "expected %s, found %s%.*s%s", expected,
                      quote, shown, c->at, quote);
}

/* "0x7fc00001": the bits of a NaN. */
static bool read_bits(const char *text, size_t size, float *value_out)
{
    if (size != 10 || memcmp(text, "0x", 2) != 0)
        return false;
    uint32_t bits = 0;
    for (size_t i = 2; i < 10; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9')
            bits = bits << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            bits = bits << 4 | (uint32_t)(c - 'a' + 10);
        else
            return false;
    }
    memcpy(value_out, &bits, sizeof bits);
    return (bits & 0x7FFFFFFF) > 0x7F800000;
}

/* What has no JSON number, as a string; returns its length with the quotes, or 0. */
static size_t read_special(const cursor *c, float *value_out)
{
    static const struct {
        const char *text;
        uint32_t bits;
    } specials[] = {{"NaN", 0x7FC00000}, {"Infinity", 0x7F800000}, {"-Infinity", 0xFF800000}};
    const char *text = c->at + 1;
    const char *close = memchr(text, '"', (size_t)(c->end - text));
    if (close == NULL)
        return 0;
    size_t size = (size_t)(close - text);
    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
        if (size == strlen(specials[i].text) && memcmp(text, specials[i].text, size) == 0) {
            memcpy(value_out, &specials[i].bits, sizeof *value_out);
            return size + 2;
        }
    }
    return read_bits(text, size, value_out) ? size + 2 : 0;
}

static akidb_status read_value(cursor *c, float *value_out, akidb_error *err)
{
    if (c->at == c->end)
        return fail_vector(c, "a number", err);
    bool quoted = *c->at == '"';
    size_t taken = quoted ? read_special(c, value_out)
                          : ak_float_parse(c->at, (size_t)(c->end - c->at), value_out);
    if (taken == 0)
        return fail_vector(c, "a number", err);
    if (!quoted && isinf(*value_out))
        return fail_vector(c, "a number within the range of float32", err);
    c->at += taken;
    return AKIDB_OK;
}

akidb_status ak_json_read_vector(akidb_slice raw, float *values, size_t capacity, size_t *count_out,
                                 akidb_error *err)
{
    *count_out = 0;
    cursor c = {raw.data, raw.data, (const char *)raw.data + raw.size};
    if (!take(&c, '['))
        return fail_vector(&c, "an array of numbers", err);
    size_t count = 0;
    bool more = !take(&c, ']');
    while (more) {
        float value = 0;
        akidb_status status = read_value(&c, &value, err);
        if (status != AKIDB_OK)
            return status;
        if (count < capacity)
            values[count] = value;
        count++;
        if (c.end - c.at >= 2 && c.at[0] == ',' && c.at[1] > ' ')
            c.at++; /* what nearly all are followed by */
        else
            more = take(&c, ',');
    }
    if (count > 0 && !take(&c, ']'))
        return fail_vector(&c, "\",\" or \"]\"", err);
    if (c.at != c.end)
        return fail_vector(&c, "the end of the array", err);
    *count_out = count;
    return AKIDB_OK;
}
