#include "json/string.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/utf8.h"
#include "json/json.h"

/* ---- writing --------------------------------------------------------------------------------- */

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

/* The escape of a byte that must not stand as it is; returns its length. */
static size_t escape(uint8_t byte, char out[6])
{
    static const char hex[] = "0123456789abcdef";
    char letter = '\0';
    switch (byte) {
    case '"': letter = '"'; break;
    case '\\': letter = '\\'; break;
    case '\b': letter = 'b'; break;
    case '\f': letter = 'f'; break;
    case '\n': letter = 'n'; break;
    case '\r': letter = 'r'; break;
    case '\t': letter = 't'; break;
    default: break;
    }
    out[0] = '\\';
    if (letter != '\0') {
        out[1] = letter;
        return 2;
    }
    memcpy(out + 1, "u00", 3);
    out[4] = hex[byte >> 4];
    out[5] = hex[byte & 15];
    return 6;
}

akidb_status ak_json_append_string(akidb_buffer *buffer, akidb_slice text, akidb_error *err)
{
    const uint8_t *bytes = text.data;
    size_t before = buffer->size;
    akidb_status status = ak_buffer_put(buffer, '"', err);
    for (size_t at = 0; status == AKIDB_OK && at < text.size;) {
        size_t run = at;
        while (run < text.size && is_plain(bytes[run]))
            run++;
        status = ak_buffer_append(buffer, bytes + at, run - at, err);
        at = run;
        if (status == AKIDB_OK && at < text.size) {
            char escaped[6];
            status = ak_buffer_append(buffer, escaped, escape(bytes[at], escaped), err);
            at++;
        }
    }
    if (status == AKIDB_OK)
        status = ak_buffer_put(buffer, '"', err);
    if (status != AKIDB_OK)
        buffer->size = before;
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool take_hex(const uint8_t *at, const uint8_t *end, uint32_t *out)
{
    if (end - at < 4)
        return false;
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        uint8_t c = at[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        else
            return false;
        value = value << 4 | digit;
    }
    *out = value;
    return true;
}

static size_t put_utf8(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xC0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (uint8_t)(0xE0 | code >> 12);
        out[1] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
        out[2] = (uint8_t)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (uint8_t)(0xF0 | code >> 18);
    out[1] = (uint8_t)(0x80 | (code >> 12 & 0x3F));
    out[2] = (uint8_t)(0x80 | (code >> 6 & 0x3F));
    out[3] = (uint8_t)(0x80 | (code & 0x3F));
    return 4;
}

/* "\ud83d\ude00" and the like: `at` stands after "\u". Returns the bytes taken, or 0. */
static size_t take_unicode(const uint8_t *at, const uint8_t *end, uint32_t *code_out)
{
    uint32_t high, low;
    if (!take_hex(at, end, &high) || (high >= 0xDC00 && high <= 0xDFFF))
        return 0;
    *code_out = high;
    if (high < 0xD800 || high > 0xDFFF)
        return 4;
    if (end - at < 10 || at[4] != '\\' || at[5] != 'u' || !take_hex(at + 6, end, &low) ||
        low < 0xDC00 || low > 0xDFFF)
        return 0;
    *code_out = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return 10;
}

/* The escape at `at`, which is a backslash: its UTF-8 goes to out. Returns the bytes taken, or 0.
 */
static size_t take_escape(const uint8_t *at, const uint8_t *end, uint8_t out[4], size_t *size_out)
{
    if (end - at < 2)
        return 0;
    *size_out = 1;
    switch (at[1]) {
    case '"':
    case '\\':
    case '/': out[0] = at[1]; return 2;
    case 'b': out[0] = '\b'; return 2;
    case 'f': out[0] = '\f'; return 2;
    case 'n': out[0] = '\n'; return 2;
    case 'r': out[0] = '\r'; return 2;
    case 't': out[0] = '\t'; return 2;
    default: break;
    }
    uint32_t code;
    size_t taken = at[1] == 'u' ? take_unicode(at + 2, end, &code) : 0;
    if (taken == 0)
        return 0;
    *size_out = put_utf8(code, out);
    return taken + 2;
}

static akidb_status fail_string(size_t offset, const char *problem, akidb_error *err)
{
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(NULL, offset),
                      "expected a JSON string, found %s", problem);
}

akidb_status ak_json_unescape(akidb_slice raw, akidb_buffer *buffer, akidb_error *err)
{
    const uint8_t *bytes = raw.data;
    if (raw.size < 2 || bytes[0] != '"' || bytes[raw.size - 1] != '"')
        return fail_string(0, "text without quotes", err);
    size_t valid = ak_utf8_valid_prefix(raw.data, raw.size);
    if (valid != raw.size)
        return fail_string(valid, "bytes that are not UTF-8", err);
    /* No escape is shorter than what it stands for, so the text fits where the raw one would. */
    akidb_status status = ak_buffer_reserve(buffer, raw.size, err);
    if (status != AKIDB_OK)
        return status;
    uint8_t *out = buffer->data + buffer->size;
    const uint8_t *at = bytes + 1;
    const uint8_t *end = bytes + raw.size - 1;
    while (at < end) {
        const uint8_t *run = at;
        while (run < end && is_plain(*run))
            run++;
        memcpy(out, at, (size_t)(run - at));
        out += run - at;
        at = run;
        if (at == end)
            break;
        if (*at != '\\')
            return fail_string((size_t)(at - bytes),
                               *at == '"' ? "a quote inside it" : "a control character", err);
        uint8_t text[4];
        size_t size;
        size_t taken = take_escape(at, end, text, &size);
        if (taken == 0)
            return fail_string((size_t)(at - bytes), "a bad escape or half a surrogate pair", err);
        memcpy(out, text, size);
        out += size;
        at += taken;
    }
    buffer->size = (size_t)(out - buffer->data);
    return AKIDB_OK;
}
