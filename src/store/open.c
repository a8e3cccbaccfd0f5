/* From a URI to a store. */
#include <string.h>
#include <strings.h>

#include "akidb/s3.h"
#include "akidb/store.h"
#include "base/error.h"
#include "store/uri.h"

static bool scheme_is(const char *uri, size_t size, const char *scheme)
{
    return size == strlen(scheme) && strncasecmp(uri, scheme, size) == 0;
}

static akidb_status open_file_uri(const char *uri, akidb_store **store_out, akidb_error *err)
{
    akidb_buffer path = {0};
    akidb_status status = ak_uri_to_path(uri, &path, err);
    if (status != AKIDB_OK)
        return status;
    status = akidb_store_local_open((const char *)path.data, store_out, err);
    akidb_buffer_free(&path);
    return status;
}

/* "s3://bucket/prefix": nothing in it is encoded, as the AWS tools have it. */
static akidb_status open_s3_uri(const char *uri, const akidb_s3_options *options,
                                akidb_store **store_out, akidb_error *err)
{
    enum { BUCKET_MAX = 255 };
    char bucket[BUCKET_MAX + 1];
    const char *from = uri + strlen("s3:");
    if (from[0] != '/' || from[1] != '/')
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(uri), "expected s3://bucket/prefix");
    from += 2;
    size_t size = strcspn(from, "/");
    if (size > BUCKET_MAX)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(uri),
                          "the name of a bucket has at most %d bytes", BUCKET_MAX);
    memcpy(bucket, from, size);
    bucket[size] = '\0';
    return akidb_s3_store_open(bucket, from + size, options, store_out, err);
}

akidb_status akidb_store_open(const char *uri, akidb_store **store_out, akidb_error *err)
{
    return akidb_store_open_with(uri, NULL, store_out, err);
}

akidb_status akidb_store_open_with(const char *uri, const akidb_s3_options *options,
                                   akidb_store **store_out, akidb_error *err)
{
    *store_out = NULL;
    if (uri == NULL || uri[0] == '\0')
        return ak_fail(err, AKIDB_E_VALIDATION, "the store's URI is empty");
    size_t scheme = ak_uri_scheme(uri);
    if (scheme == 0)
        return akidb_store_local_open(uri, store_out, err);
    if (scheme_is(uri, scheme, "file"))
        return open_file_uri(uri, store_out, err);
    if (scheme_is(uri, scheme, "s3"))
        return open_s3_uri(uri, options, store_out, err);
    if (scheme_is(uri, scheme, "memory") && uri[scheme + 1] == '\0')
        return akidb_store_memory_open(store_out, err);
    if (scheme_is(uri, scheme, "memory"))
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(uri), "nothing may follow \"memory:\"");
    if (scheme_is(uri, scheme, "http") || scheme_is(uri, scheme, "https"))
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(uri),
                          "a bucket is named s3://BUCKET/PREFIX, and its server by the endpoint "
                          "URL, as in AWS_ENDPOINT_URL=%s",
                          uri);
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(uri),
                      "there is no store for \"%.*s:\" (a local path with ':' in its first part is "
                      "written ./%s)",
                      (int)scheme, uri, uri);
}
