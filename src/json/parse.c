#include "json/parse.h"

#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "json/json.h"
#include "json/memory.h"
#include "json/quick.h"

typedef struct parse {
    const yajl_callbacks *events; /* NULL: only check */
    void *context;
    size_t depth;
    bool too_deep;
    size_t offset; /* how far the library came */
    ak_json_memory memory;
    jmp_buf out;
    yajl_handle handle;
} parse;

/* ---- events: depth, then whatever the caller wants ------------------------------------------- */

static int enter(parse *p)
{
    p->too_deep = p->depth == AK_JSON_DEPTH_MAX;
    if (p->too_deep)
        return 0;
    p->depth++;
    return 1;
}

static int on_start_map(void *context)
{
    parse *p = context;
    return enter(p) && (p->events == NULL || p->events->yajl_start_map(p->context));
}

static int on_start_array(void *context)
{
    parse *p = context;
    return enter(p) && (p->events == NULL || p->events->yajl_start_array(p->context));
}

static int on_end_map(void *context)
{
    parse *p = context;
    p->depth--;
    return p->events == NULL || p->events->yajl_end_map(p->context);
}

static int on_end_array(void *context)
{
    parse *p = context;
    p->depth--;
    return p->events == NULL || p->events->yajl_end_array(p->context);
}

static int on_null(void *context)
{
    parse *p = context;
    return p->events->yajl_null(p->context);
}

static int on_boolean(void *context, int value)
{
    parse *p = context;
    return p->events->yajl_boolean(p->context, value);
}

static int on_number(void *context, const char *text, size_t size)
{
    parse *p = context;
    return p->events->yajl_number(p->context, text, size);
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
    parse *p = context;
    return p->events->yajl_string(p->context, text, size);
}

static int on_map_key(void *context, const unsigned char *text, size_t size)
{
    parse *p = context;
    return p->events->yajl_map_key(p->context, text, size);
}

static const yajl_callbacks checking = {
    .yajl_start_map = on_start_map,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

static const yajl_callbacks telling = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_map_key = on_map_key,
    .yajl_start_map = on_start_map,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

/* ---- the call -------------------------------------------------------------------------------- */

typedef enum outcome { PARSED, REFUSED, STOPPED, NO_MEMORY } outcome;

/* Keeps no local variable across the jump: all state lies in *p, in the caller's frame. */
static outcome run_library(parse *p, akidb_slice text)
{
    if (setjmp(p->out) != 0)
        return NO_MEMORY;
    p->memory.out = &p->out;
    yajl_alloc_funcs functions = {ak_json_library_malloc, ak_json_library_realloc,
                                  ak_json_library_free, &p->memory};
    p->handle = yajl_alloc(p->events == NULL ? &checking : &telling, &functions, p);
    /* UTF-8 has been checked more strictly than the library would. */
    yajl_config(p->handle, yajl_dont_validate_strings, 1);
    yajl_status status = yajl_parse(p->handle, text.data, text.size);
    p->offset = yajl_get_bytes_consumed(p->handle);
    if (status == yajl_status_ok) {
        p->offset = text.size; /* where a value that is not complete ends */
        status = yajl_complete_parse(p->handle);
    }
    if (status == yajl_status_ok)
        return PARSED;
    return status == yajl_status_client_canceled ? STOPPED : REFUSED;
}

/* What the library says, without the line break at its end. */
static akidb_status fail_refused(parse *p, akidb_slice text, akidb_error *err)
{
    if (err == NULL)
        return AKIDB_E_VALIDATION;
    p->memory.out = &p->out;
    if (setjmp(p->out) != 0)
        return ak_fail_memory(err, 0);
    const char *reason = (const char *)yajl_get_error(p->handle, 0, text.data, text.size);
    size_t length = strcspn(reason, "\n");
    length -= length > 0 && reason[length - 1] == '.';
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(NULL, p->offset),
                      "expected one JSON value, found a %.*s", (int)length, reason);
}

static akidb_status fail_stopped(parse *p, akidb_error *err)
{
    ak_place place = AK_AT(NULL, p->offset);
    if (p->too_deep)
        return ak_fail_at(err, AKIDB_E_VALIDATION, place,
                          "expected at most %d levels of nesting, found more",
                          (int)AK_JSON_DEPTH_MAX);
    return ak_fail_at(err, AKIDB_E_VALIDATION, place, "a value that cannot be taken");
}

/* What the library would let pass, and JSON does not: bytes that are not well-formed UTF-8, and the
 * vertical tab and form feed, which it takes for white space. */
static akidb_status check_bytes(akidb_slice text, akidb_error *err)
{
    const unsigned char *bytes = text.data;
    size_t valid = ak_utf8_valid_prefix(bytes, text.size);
    if (valid != text.size)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(NULL, valid),
                          "expected UTF-8, found the byte 0x%02x", bytes[valid]);
    for (int control = '\v'; control <= '\f' && text.size > 0; control++) {
        const unsigned char *found = memchr(bytes, control, text.size);
        if (found != NULL)
            return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(NULL, found - bytes),
                              "expected one JSON value, found the control character 0x%02x",
                              (unsigned)control);
    }
    return AKIDB_OK;
}

/* The library passes over a token that is not finished behind a value. */
static akidb_status check_end(akidb_slice text, akidb_error *err)
{
    if (ak_json_is_valid(text))
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(NULL, text.size),
                      "expected one JSON value, found another behind it, unfinished");
}

akidb_status ak_json_events(akidb_slice text, const yajl_callbacks *events, void *context,
                            akidb_error *err)
{
    akidb_status status = check_bytes(text, err);
    if (status != AKIDB_OK)
        return status;
    parse p;
    p.events = events;
    p.context = context;
    p.depth = 0;
    p.too_deep = false;
    p.offset = 0;
    p.handle = NULL;
    ak_json_memory_begin(&p.memory);
    switch (run_library(&p, text)) {
    case PARSED: status = check_end(text, err); break;
    case NO_MEMORY: status = ak_fail_memory(err, text.size); break;
    case STOPPED: status = fail_stopped(&p, err); break;
    case REFUSED: status = fail_refused(&p, text, err); break;
    }
    ak_json_memory_end(&p.memory);
    return status;
}

akidb_status ak_json_check(akidb_slice text, akidb_error *err)
{
    if (ak_json_is_valid(text))
        return AKIDB_OK;
    return ak_json_events(text, NULL, NULL, err);
}
