#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Defined here, without what error.h wraps around a call. */
#undef ak_fail_at
#undef ak_fail_errno
#undef ak_fail_memory

#include "base/utf8.h"

const char *akidb_version(void)
{
    return AKIDB_VERSION_STRING;
}

const char *akidb_status_name(akidb_status status)
{
    switch (status) {
    case AKIDB_OK: return "ok";
    case AKIDB_E_VALIDATION: return "invalid input";
    case AKIDB_E_NOT_FOUND: return "not found";
    case AKIDB_E_ALREADY_EXISTS: return "already exists";
    case AKIDB_E_PRECONDITION: return "precondition failed";
    case AKIDB_E_UNCERTAIN: return "uncertain";
    case AKIDB_E_CORRUPTION: return "corrupt";
    case AKIDB_E_IO: return "input/output error";
    case AKIDB_E_STORE: return "object store error";
    case AKIDB_E_PERMISSION: return "permission denied";
    case AKIDB_E_TIMEOUT: return "timeout";
    case AKIDB_E_UNSUPPORTED: return "unsupported";
    case AKIDB_E_LIMIT: return "limit reached";
    case AKIDB_E_OUT_OF_MEMORY: return "out of memory";
    case AKIDB_E_CANCELLED: return "cancelled";
    }
    return "unknown status";
}

/* A text that may run into the end of a fixed array: it is cut there, never past it, and never in
 * the middle of a UTF-8 character. */
typedef struct text {
    char *data;
    size_t size; /* of the array */
    size_t used; /* without the NUL */
} text;

static void text_cut(text *t)
{
    size_t end = t->used;
    while (end > 0 && ((unsigned char)t->data[end - 1] & 0xC0) == 0x80)
        end--;
    if (end > 0 && (unsigned char)t->data[end - 1] >= 0xC0)
        end--;
    else
        end = t->used;
    t->data[end] = '\0';
    t->used = end;
}

static void text_add_list(text *t, const char *format, va_list arguments)
{
    int n = vsnprintf(t->data + t->used, t->size - t->used, format, arguments);
    if (n < 0)
        return;
    if ((size_t)n >= t->size - t->used) {
        t->used = t->size - 1;
        text_cut(t);
    } else {
        t->used += (size_t)n;
    }
}

static void text_add(text *t, const char *format, ...) AK_PRINTF(2, 3);
static void text_add(text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    text_add_list(t, format, arguments);
    va_end(arguments);
}

/* Messages are one line, whatever a name, a server or a format's precision put into them. */
static void text_make_printable(text *t)
{
    ak_utf8_make_line(t->data, t->used);
}

static text begin_message(akidb_error *err, akidb_status status, ak_place place)
{
    memset(err, 0, sizeof *err);
    err->status = status;
    err->offset = place.offset;
    err->row = place.row;
    if (place.object != NULL)
        text_add(&(text){err->object, sizeof err->object, 0}, "%s", place.object);
    if (place.column != NULL)
        text_add(&(text){err->column, sizeof err->column, 0}, "%s", place.column);

    text message = {err->message, sizeof err->message, 0};
    if (place.object != NULL)
        text_add(&message, "%s: ", place.object);
    if (place.row >= 0)
        text_add(&message, "row %lld: ", (long long)place.row);
    if (place.column != NULL)
        text_add(&message, "column %s: ", place.column);
    if (place.offset >= 0)
        text_add(&message, "at byte %lld: ", (long long)place.offset);
    return message;
}

akidb_status ak_fail_at(akidb_error *err, akidb_status status, ak_place place, const char *format,
                        ...)
{
    if (err == NULL)
        return status;
    text message = begin_message(err, status, place);
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&message, format, arguments);
    va_end(arguments);
    text_make_printable(&message);
    return status;
}

static akidb_status status_of_errno(int error_number)
{
    switch (error_number) {
    case ENOENT:
    case ENOTDIR: return AKIDB_E_NOT_FOUND;
    case EEXIST: return AKIDB_E_ALREADY_EXISTS;
    case EACCES:
    case EPERM:
    case EROFS: return AKIDB_E_PERMISSION;
    case ENOMEM: return AKIDB_E_OUT_OF_MEMORY;
    case ENAMETOOLONG: return AKIDB_E_VALIDATION;
    default: return AKIDB_E_IO;
    }
}

akidb_status ak_fail_errno(akidb_error *err, int error_number, const char *object,
                           const char *format, ...)
{
    akidb_status status = status_of_errno(error_number);
    if (err == NULL)
        return status;
    text message = begin_message(err, status, AK_IN(object));
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&message, format, arguments);
    va_end(arguments);
    char unknown[64];
    const char *reason = strerror_r(error_number, unknown, sizeof unknown); /* GNU's variant */
    text_add(&message, ": %s", reason);
    text_make_printable(&message);
    return status;
}

akidb_status ak_fail_memory(akidb_error *err, size_t size)
{
    return ak_fail(err, AKIDB_E_OUT_OF_MEMORY, "out of memory: %zu bytes could not be allocated",
                   size);
}

void ak_error_context(akidb_error *err, const char *format, ...)
{
    if (err == NULL)
        return;
    char before[sizeof err->message];
    memcpy(before, err->message, sizeof before);
    text message = {err->message, sizeof err->message, 0};
    va_list arguments;
    va_start(arguments, format);
    text_add_list(&message, format, arguments);
    va_end(arguments);
    text_add(&message, ": %s", before);
    text_make_printable(&message);
}
