#include "store/uri.h"

#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/error.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t ak_uri_scheme(const char *uri)
{
    if (!is_letter(uri[0]))
        return 0;
    size_t size = 1;
    while (is_letter(uri[size]) || is_digit(uri[size]) ||
           (uri[size] != '\0' && strchr("+-.", uri[size]) != NULL))
        size++;
    return uri[size] == ':' ? size : 0;
}

/* RFC 3986: unreserved characters, and '/' between the parts. */
static bool stands_for_itself(char c)
{
    return is_letter(c) || is_digit(c) || (c != '\0' && strchr("-._~/", c) != NULL);
}

akidb_status ak_uri_of_path(const char *path, akidb_buffer *uri_out, akidb_error *err)
{
    akidb_status status = ak_buffer_printf(uri_out, err, "file://");
    for (size_t i = 0; path[i] != '\0' && status == AKIDB_OK; i++) {
        if (stands_for_itself(path[i]))
            status = ak_buffer_printf(uri_out, err, "%c", path[i]);
        else
            status = ak_buffer_printf(uri_out, err, "%%%02X", (unsigned)(unsigned char)path[i]);
    }
    return status;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static akidb_status decode(const char *uri, const char *from, akidb_buffer *path_out,
                           akidb_error *err)
{
    for (const char *c = from; *c != '\0'; c++) {
        if (*c == '?' || *c == '#')
            return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(uri, c - uri),
                              "'%c' in a file URI must be written %%%02X", *c, (unsigned)*c);
        uint8_t byte = (uint8_t)*c;
        if (*c == '%') {
            int high = hex_value(c[1]);
            int low = high < 0 ? -1 : hex_value(c[2]);
            if (low < 0 || high * 16 + low == 0)
                return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(uri, c - uri),
                                  "expected two hexadecimal digits, not 00, after '%%'");
            byte = (uint8_t)(high * 16 + low);
            c += 2;
        }
        akidb_status status = ak_buffer_put(path_out, byte, err);
        if (status != AKIDB_OK)
            return status;
    }
    akidb_status status = ak_buffer_put(path_out, '\0', err);
    if (status == AKIDB_OK)
        path_out->size--;
    return status;
}

/* Past "file:" and an authority that means this host; NULL when it means another. */
static const char *skip_to_path(const char *uri)
{
    const char *at = uri + ak_uri_scheme(uri) + 1;
    if (at[0] != '/' || at[1] != '/')
        return at;
    at += 2;
    if (strncasecmp(at, "localhost/", strlen("localhost/")) == 0)
        at += strlen("localhost");
    return at[0] == '/' ? at : NULL;
}

akidb_status ak_uri_to_path(const char *uri, akidb_buffer *path_out, akidb_error *err)
{
    const char *path = skip_to_path(uri);
    if (path == NULL || path[0] != '/')
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(uri),
                          "expected an absolute path on this host, as in file:///srv/akidb");
    akidb_status status = decode(uri, path, path_out, err);
    if (status != AKIDB_OK)
        akidb_buffer_free(path_out);
    return status;
}
