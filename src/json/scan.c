#include "json/scan.h"

#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

static const uint8_t *skip_space(const uint8_t *at, const uint8_t *end)
{
    while (at < end && ak_json_is_space(*at))
        at++;
    return at;
}

/* `found` is the byte that was not expected; NULL: the end came. */
static akidb_status fail_expected(ak_place place, const char *expected, const uint8_t *found,
                                  akidb_error *err)
{
    if (found == NULL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, place, "expected %s, found the end", expected);
    if (*found > 0x20 && *found < 0x7F)
        return ak_fail_at(err, AKIDB_E_VALIDATION, place, "expected %s, found \"%c\"", expected,
                          *found);
    return ak_fail_at(err, AKIDB_E_VALIDATION, place, "expected %s, found the byte 0x%02x",
                      expected, *found);
}

/* ---- where a value ends ---------------------------------------------------------------------- */

/* The bytes that matter outside strings. */
static bool is_structural(uint8_t c)
{
    static const bool structural[256] = {
        ['"'] = true, ['['] = true, [']'] = true,  ['{'] = true,  ['}'] = true,
        [','] = true, [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true,
    };
    return structural[c];
}

/* Within arrays and objects neither commas nor white space matter. */
static bool is_bracket_or_quote(uint8_t c)
{
    static const bool matters[256] = {
        ['"'] = true, ['['] = true, [']'] = true, ['{'] = true, ['}'] = true,
    };
    return matters[c];
}

/* Whether any of 64 bytes may be a bracket or a quote. A few other characters, which numbers do not
 * have, look like brackets here: "Y", "_", "y", DEL. Written so that compilers make vectors of it.
 */
static bool may_matter(const uint8_t bytes[64])
{
    uint8_t found = 0;
    for (size_t i = 0; i < 64; i++)
        found |= (uint8_t)(((bytes[i] | 0x26) == 0x7F) | (bytes[i] == '"'));
    return found != 0;
}

/* Passes what does not matter within arrays and objects: a few bytes one by one, because names and
 * texts are short, then as much of an array of numbers as can be in large steps. */
static const uint8_t *skip_plain(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *near = end - at < 16 ? end : at + 16;
    while (at < near && !is_bracket_or_quote(*at))
        at++;
    if (at < near)
        return at;
    while (end - at >= 64 && !may_matter(at))
        at += 64;
    while (at < end && !is_bracket_or_quote(*at))
        at++;
    return at;
}

/* From within a string to after its closing quote. When it does not end, *closed is false, and the
 * result is where to go on: a backslash at the very end is looked at again. */
static const uint8_t *skip_string(const uint8_t *at, const uint8_t *end, bool *closed)
{
    *closed = false;
    while (at < end) {
        if (*at == '"') {
            *closed = true;
            return at + 1;
        }
        if (*at == '\\') {
            if (end - at < 2)
                return at;
            at++;
        }
        at++;
    }
    return at;
}

/* How far a value has been followed, so that it can go on when more bytes come. */
typedef struct progress {
    size_t depth;
    bool in_string;
} progress;

/* Follows a value from `at`, its first byte or where the last call left off. Returns where it ends,
 * and *complete, or where to go on. A number or a word ends before what cannot belong to it. */
static const uint8_t *follow_value(progress *p, const uint8_t *at, const uint8_t *end,
                                   bool *complete)
{
    *complete = false;
    while (at < end) {
        if (p->in_string) {
            bool closed;
            at = skip_string(at, end, &closed);
            if (!closed)
                return at;
            p->in_string = false;
            if (p->depth == 0) {
                *complete = true;
                return at;
            }
            continue;
        }
        if (p->depth > 0) {
            at = skip_plain(at, end);
        } else {
            while (at < end && !is_structural(*at))
                at++;
        }
        if (at == end)
            return at;
        uint8_t c = *at;
        if (c == '"') {
            p->in_string = true;
            at++;
        } else if (c == '[' || c == '{') {
            p->depth++;
            at++;
        } else if (p->depth == 0) {
            *complete = true; /* what ends a number or a word */
            return at;
        } else {
            at++;
            if (--p->depth == 0) {
                *complete = true;
                return at;
            }
        }
    }
    return at;
}

/* ---- elements of a stream -------------------------------------------------------------------- */

enum state {
    AT_BEGINNING,  /* before "[" */
    AT_FIRST,      /* an element or "]" */
    AT_ELEMENT,    /* after a comma: an element */
    IN_ELEMENT,    /* within one */
    AFTER_ELEMENT, /* "," or "]" */
    AFTER_ARRAY,   /* only white space */
    AT_LINE        /* before a line */
};

void ak_json_scan_begin(ak_json_scan *scan, bool lines, size_t limit)
{
    memset(scan, 0, sizeof *scan);
    scan->lines = lines;
    scan->limit = limit;
    scan->state = lines ? AT_LINE : AT_BEGINNING;
    scan->line = 1;
}

void ak_json_scan_end(ak_json_scan *scan)
{
    akidb_buffer_free(&scan->bytes);
}

void ak_json_scan_finish(ak_json_scan *scan)
{
    scan->finished = true;
}

akidb_status ak_json_scan_feed(ak_json_scan *scan, akidb_slice bytes, akidb_error *err)
{
    size_t keep = scan->state == IN_ELEMENT ? scan->element : scan->at;
    if (keep > 0) {
        scan->bytes.size -= keep;
        memmove(scan->bytes.data, scan->bytes.data + keep, scan->bytes.size);
        scan->offset += keep;
        scan->at -= keep;
        scan->element = 0;
    }
    return ak_buffer_append(&scan->bytes, bytes.data, bytes.size, err);
}

static akidb_status fail_stream(const ak_json_scan *scan, const char *expected, akidb_error *err)
{
    const uint8_t *found = scan->at < scan->bytes.size ? scan->bytes.data + scan->at : NULL;
    return fail_expected(AK_AT(NULL, scan->offset + scan->at), expected, found, err);
}

static akidb_status check_limit(const ak_json_scan *scan, size_t size, akidb_error *err)
{
    if (size <= scan->limit)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_LIMIT, AK_AT(NULL, scan->offset + scan->element),
                      "expected at most %zu bytes for one document, found more", scan->limit);
}

/* Takes the one byte between elements that the state wants, when it is there. */
static akidb_status take_punctuation(ak_json_scan *scan, akidb_error *err)
{
    uint8_t c = scan->bytes.data[scan->at];
    switch ((enum state)scan->state) {
    case AT_BEGINNING:
        if (c != '[')
            return fail_stream(scan, "\"[\"", err);
        scan->state = AT_FIRST;
        scan->at++;
        return AKIDB_OK;
    case AFTER_ELEMENT:
        if (c != ',' && c != ']')
            return fail_stream(scan, "\",\" or \"]\"", err);
        scan->state = c == ',' ? AT_ELEMENT : AFTER_ARRAY;
        scan->at++;
        return AKIDB_OK;
    case AT_FIRST:
        if (c == ']') {
            scan->state = AFTER_ARRAY;
            scan->at++;
            return AKIDB_OK;
        }
        break;
    case AFTER_ARRAY: return fail_stream(scan, "the end after \"]\"", err);
    default: break;
    }
    if (c == ',' || c == ']' || c == '}')
        return fail_stream(scan, "a value", err);
    scan->state = IN_ELEMENT;
    scan->element = scan->at;
    scan->depth = 0;
    scan->in_string = false;
    return AKIDB_OK;
}

static akidb_status next_of_array(ak_json_scan *scan, ak_json_found *found_out,
                                  akidb_slice *element_out, akidb_error *err)
{
    const uint8_t *bytes = scan->bytes.data;
    size_t size = scan->bytes.size;
    while (scan->state != IN_ELEMENT) {
        if (scan->at < size)
            scan->at = (size_t)(skip_space(bytes + scan->at, bytes + size) - bytes);
        if (scan->at == size) {
            if (!scan->finished)
                return AKIDB_OK;
            if (scan->state != AFTER_ARRAY)
                return fail_stream(scan, "an array that ends with \"]\"", err);
            *found_out = AK_JSON_FOUND_END;
            return AKIDB_OK;
        }
        akidb_status status = take_punctuation(scan, err);
        if (status != AKIDB_OK)
            return status;
    }
    progress p = {scan->depth, scan->in_string};
    bool complete;
    scan->at = (size_t)(follow_value(&p, bytes + scan->at, bytes + size, &complete) - bytes);
    scan->depth = p.depth;
    scan->in_string = p.in_string;
    akidb_status status = check_limit(scan, scan->at - scan->element, err);
    if (status != AKIDB_OK)
        return status;
    if (!complete && scan->finished) {
        scan->at = size;
        return fail_stream(scan, "the rest of a value", err);
    }
    if (!complete)
        return AKIDB_OK;
    *found_out = AK_JSON_FOUND_ELEMENT;
    *element_out = (akidb_slice){bytes + scan->element, scan->at - scan->element};
    scan->state = AFTER_ELEMENT;
    return AKIDB_OK;
}

/* Passes a byte order mark at the very beginning, which some editors write before UTF-8. False when
 * only more bytes will tell. */
static bool pass_byte_order_mark(ak_json_scan *scan)
{
    static const uint8_t mark[] = {0xEF, 0xBB, 0xBF};
    size_t size = scan->bytes.size < sizeof mark ? scan->bytes.size : sizeof mark;
    if (scan->offset + scan->at > 0 || size == 0 || memcmp(scan->bytes.data, mark, size) != 0)
        return true;
    if (size == sizeof mark)
        scan->at = size;
    return size == sizeof mark || scan->finished;
}

/* Passes white space before a line, and counts the lines in it. */
static void pass_blank_lines(ak_json_scan *scan)
{
    for (; scan->at < scan->bytes.size && ak_json_is_space(scan->bytes.data[scan->at]); scan->at++)
        if (scan->bytes.data[scan->at] == '\n') {
            scan->line++;
            scan->line_begin = scan->offset + scan->at + 1;
        }
}

static akidb_status next_line(ak_json_scan *scan, ak_json_found *found_out,
                              akidb_slice *element_out, akidb_error *err)
{
    const uint8_t *bytes = scan->bytes.data;
    size_t size = scan->bytes.size;
    if (scan->state == AT_LINE) {
        if (!pass_byte_order_mark(scan))
            return AKIDB_OK;
        pass_blank_lines(scan);
        if (scan->at == size) {
            if (scan->finished)
                *found_out = AK_JSON_FOUND_END;
            return AKIDB_OK;
        }
        scan->element = scan->at;
        scan->state = IN_ELEMENT;
    }
    const uint8_t *line_end = memchr(bytes + scan->at, '\n', size - scan->at);
    scan->at = line_end == NULL ? size : (size_t)(line_end - bytes);
    akidb_status status = check_limit(scan, scan->at - scan->element, err);
    if (status != AKIDB_OK || (line_end == NULL && !scan->finished))
        return status;
    size_t end = scan->at;
    while (end > scan->element && ak_json_is_space(bytes[end - 1]))
        end--;
    *found_out = AK_JSON_FOUND_ELEMENT;
    *element_out = (akidb_slice){bytes + scan->element, end - scan->element};
    scan->state = AT_LINE;
    return AKIDB_OK;
}

akidb_status ak_json_scan_next(ak_json_scan *scan, ak_json_found *found_out,
                               akidb_slice *element_out, uint64_t *offset_out, akidb_error *err)
{
    *found_out = AK_JSON_FOUND_NOTHING;
    *element_out = (akidb_slice){NULL, 0};
    akidb_status status = scan->lines ? next_line(scan, found_out, element_out, err)
                                      : next_of_array(scan, found_out, element_out, err);
    *offset_out = scan->offset + scan->element;
    return status;
}

void ak_json_scan_put_back(ak_json_scan *scan)
{
    scan->at = scan->element;
    scan->depth = 0;
    scan->in_string = false;
    scan->state = IN_ELEMENT;
}

/* ---- members of an object -------------------------------------------------------------------- */

static akidb_status fail_members(const ak_json_members *m, const char *expected, akidb_error *err)
{
    return fail_expected(AK_AT(NULL, m->at - m->begin), expected, m->at < m->end ? m->at : NULL,
                         err);
}

akidb_status ak_json_members_begin(ak_json_members *members, akidb_slice object, akidb_error *err)
{
    const uint8_t *bytes = object.data;
    *members = (ak_json_members){bytes, bytes, bytes, false};
    if (object.size > 0)
        members->end += object.size;
    members->at = skip_space(members->at, members->end);
    if (members->at == members->end || *members->at != '{')
        return fail_members(members, "an object", err);
    members->at++;
    return AKIDB_OK;
}

/* Passes white space, one byte that must be there, and white space. */
static bool take(ak_json_members *m, uint8_t expected)
{
    m->at = skip_space(m->at, m->end);
    if (m->at == m->end || *m->at != expected)
        return false;
    m->at = skip_space(m->at + 1, m->end);
    return true;
}

static akidb_status take_value(ak_json_members *m, akidb_slice *value_out, akidb_error *err)
{
    const uint8_t *from = m->at;
    progress p = {0, false};
    bool complete;
    m->at = follow_value(&p, m->at, m->end, &complete);
    if (!complete)
        return fail_members(m, "the rest of a value", err);
    if (m->at == from)
        return fail_members(m, "a value", err);
    *value_out = (akidb_slice){from, (size_t)(m->at - from)};
    return AKIDB_OK;
}

akidb_status ak_json_members_next(ak_json_members *m, akidb_slice *name_out, akidb_slice *value_out,
                                  bool *found_out, akidb_error *err)
{
    *name_out = *value_out = (akidb_slice){NULL, 0};
    *found_out = false;
    if (take(m, '}')) {
        if (m->at != m->end)
            return fail_members(m, "the end after \"}\"", err);
        return AKIDB_OK;
    }
    if (m->any && !take(m, ','))
        return fail_members(m, "\",\" or \"}\"", err);
    if (m->at == m->end || *m->at != '"')
        return fail_members(m, "a member's name", err);
    akidb_status status = take_value(m, name_out, err);
    if (status != AKIDB_OK)
        return status;
    if (!take(m, ':'))
        return fail_members(m, "\":\"", err);
    status = take_value(m, value_out, err);
    if (status != AKIDB_OK)
        return status;
    m->any = true;
    *found_out = true;
    return AKIDB_OK;
}
