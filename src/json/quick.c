#include "json/quick.h"

#include <string.h>

#include "base/utf8.h"
#include "json/json.h"
#include "json/scan.h"

typedef struct walk {
    const uint8_t *at;
    const uint8_t *end;
    bool is_ascii; /* all strings so far */
    size_t depth;
    bool is_object[AK_JSON_DEPTH_MAX]; /* or an array; the innermost one last */
} walk;

static void skip_space(walk *w)
{
    while (w->at < w->end && ak_json_is_space(*w->at))
        w->at++;
}

static bool take(walk *w, uint8_t expected)
{
    if (w->at == w->end || *w->at != expected)
        return false;
    w->at++;
    return true;
}

/* ---- scalars --------------------------------------------------------------------------------- */

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool take_digits(walk *w)
{
    const uint8_t *from = w->at;
    while (w->at < w->end && is_digit(*w->at))
        w->at++;
    return w->at > from;
}

static bool take_number(walk *w)
{
    (void)take(w, '-');
    if (!take(w, '0') && !take_digits(w))
        return false;
    if (take(w, '.') && !take_digits(w))
        return false;
    if (!take(w, 'e') && !take(w, 'E'))
        return true;
    if (!take(w, '+'))
        (void)take(w, '-');
    return take_digits(w);
}

static bool take_word(walk *w, const char *word, size_t size)
{
    if ((size_t)(w->end - w->at) < size || memcmp(w->at, word, size) != 0)
        return false;
    w->at += size;
    return true;
}

static bool is_hex(uint8_t c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* What follows a backslash. */
static bool take_escape(walk *w)
{
    if (w->at == w->end)
        return false;
    uint8_t c = *w->at++;
    if (c != 'u')
        return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
    if (w->end - w->at < 4)
        return false;
    for (int i = 0; i < 4; i++)
        if (!is_hex(*w->at++))
            return false;
    return true;
}

/* The bytes of a string that stand for themselves in ASCII. */
static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static bool take_string(walk *w)
{
    if (!take(w, '"'))
        return false;
    for (;;) {
        while (w->at < w->end && is_plain(*w->at))
            w->at++;
        if (w->at == w->end || *w->at < 0x20)
            return false;
        uint8_t c = *w->at++;
        if (c == '"')
            return true;
        if (c >= 0x80)
            w->is_ascii = false;
        else if (!take_escape(w))
            return false;
    }
}

static bool take_scalar(walk *w)
{
    switch (*w->at) {
    case '"': return take_string(w);
    case 't': return take_word(w, "true", 4);
    case 'f': return take_word(w, "false", 5);
    case 'n': return take_word(w, "null", 4);
    default: return take_number(w);
    }
}

/* ---- arrays and objects ---------------------------------------------------------------------- */

static bool is_in_object(const walk *w)
{
    return w->depth > 0 && w->is_object[w->depth - 1];
}

static uint8_t closing_bracket(const walk *w)
{
    return is_in_object(w) ? '}' : ']';
}

static bool take_name(walk *w)
{
    skip_space(w);
    if (!take_string(w))
        return false;
    skip_space(w);
    return take(w, ':');
}

/* Takes what comes up to the end of a scalar, or before the bracket that ends an empty array or
 * object: names, and brackets that open. */
static bool take_inwards(walk *w)
{
    for (;;) {
        if (is_in_object(w) && !take_name(w))
            return false;
        skip_space(w);
        if (w->at == w->end)
            return false;
        if (*w->at != '{' && *w->at != '[')
            return take_scalar(w);
        if (w->depth == AK_JSON_DEPTH_MAX)
            return false;
        w->is_object[w->depth++] = *w->at++ == '{';
        skip_space(w);
        if (w->at < w->end && *w->at == closing_bracket(w))
            return true;
    }
}

/* Takes what ends after a value: brackets that close, up to a comma or the outermost of them. */
static bool take_outwards(walk *w)
{
    while (w->depth > 0) {
        skip_space(w);
        if (take(w, ','))
            return true;
        if (!take(w, closing_bracket(w)))
            return false;
        w->depth--;
    }
    return true;
}

bool ak_json_is_valid(akidb_slice text)
{
    if (text.size == 0)
        return false;
    const uint8_t *bytes = text.data;
    walk w; /* is_object is set as far as there is depth */
    w.at = bytes;
    w.end = bytes + text.size;
    w.is_ascii = true;
    w.depth = 0;
    do {
        if (!take_inwards(&w) || !take_outwards(&w))
            return false;
    } while (w.depth > 0);
    skip_space(&w);
    if (w.at != w.end)
        return false;
    return w.is_ascii || ak_utf8_valid_prefix(bytes, text.size) == text.size;
}
