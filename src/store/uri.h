#ifndef AK_STORE_URI_H
#define AK_STORE_URI_H
/* file: URIs (RFC 8089) of local paths. */
#include "akidb/base.h"

/* "file:///srv/my%20data" of "/srv/my data", with a NUL at the end that size does not count. */
AKIDB_CHECK akidb_status ak_uri_of_path(const char *path, akidb_buffer *uri_out, akidb_error *err);

/* The way back: AKIDB_E_VALIDATION when it is not a file: URI of an absolute path on this host. The
 * path ends in a NUL that size does not count. */
AKIDB_CHECK akidb_status ak_uri_to_path(const char *uri, akidb_buffer *path_out, akidb_error *err);

/* The length of the scheme before ':', or 0 when there is none (RFC 3986, section 3.1). */
size_t ak_uri_scheme(const char *uri);

#endif
