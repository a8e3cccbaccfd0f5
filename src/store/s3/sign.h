#ifndef AK_STORE_S3_SIGN_H
#define AK_STORE_S3_SIGN_H
/*
 * AWS Signature Version 4 (docs.aws.amazon.com, "Create a signed AWS API request"), header form.
 *
 * libcurl has a signer of its own. It is not used: in the versions that distributions ship it
 * signs wrongly where a header's name begins another's (x-amz-copy-source and its -range), where
 * Expect is suppressed, with an empty header, and with a clock that is corrected; and input that
 * one version needs is wrong for the next (%2B in a query).
 *
 * The URL that is sent must be built from the very path and query that are signed here, and both
 * strictly encoded (ak_s3_encode), so that nothing between can change them.
 */
#include "akidb/base.h"

typedef struct ak_s3_header {
    const char *name; /* lower case */
    const char *value;
} ak_s3_header;

typedef struct ak_s3_parameter {
    const char *name; /* not encoded */
    const char *value;
} ak_s3_parameter;

/* Who signs. Strings are borrowed for the call. */
typedef struct ak_s3_signer {
    const char *access_key_id;
    const char *secret_access_key;
    const char *region;
    const char *service; /* "s3" */
} ak_s3_signer;

typedef struct ak_s3_to_sign {
    const char *method;
    const char *path;            /* encoded, begins with '/' */
    const char *query;           /* as ak_s3_append_query writes it; "" for none */
    const ak_s3_header *headers; /* those to sign, host and x-amz-date among them, any order */
    size_t header_count;
    const char *payload_hash; /* 64 hex digits or "UNSIGNED-PAYLOAD" */
    int64_t time;             /* microseconds since the epoch: that of x-amz-date */
} ak_s3_to_sign;

/* Percent-encodes all but unreserved characters (RFC 3986), and '/' where `keep_slash`. */
AKIDB_CHECK akidb_status ak_s3_encode(const char *text, bool keep_slash, akidb_buffer *buffer,
                                      akidb_error *err);

/* Appends the parameters encoded and in the order in which they are signed: "a=1&uploads=". */
AKIDB_CHECK akidb_status ak_s3_append_query(const ak_s3_parameter *parameters, size_t count,
                                            akidb_buffer *buffer, akidb_error *err);

enum { AK_S3_DATE_SIZE = 17, AK_S3_HASH_SIZE = 65 };

/* "20130524T000000Z" and a NUL. */
void ak_s3_date(int64_t time, char text_out[AK_S3_DATE_SIZE]);

/* SHA-256 of the slices, taken as one, in hex with a NUL. */
AKIDB_CHECK akidb_status ak_s3_hash(const akidb_slice *slices, size_t count,
                                    char hex_out[AK_S3_HASH_SIZE], akidb_error *err);

/* Appends the value of the Authorization header, with a NUL that does not count as size. */
AKIDB_CHECK akidb_status ak_s3_sign(const ak_s3_signer *signer, const ak_s3_to_sign *request,
                                    akidb_buffer *authorization, akidb_error *err);

#endif
