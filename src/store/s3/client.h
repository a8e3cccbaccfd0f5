#ifndef AK_STORE_S3_CLIENT_H
#define AK_STORE_S3_CLIENT_H
/*
 * One bucket's client: builds a request's URL and headers, signs it, sends it, and sends it again
 * where that helps (send.c), and says what its answer means (answer.c). What a request is for (put,
 * list, ...) is known above, in objects.c, list.c and upload.c; what bytes on a wire are, below, in
 * net/http.h.
 *
 * Threads: any calls may run at once on one client, except that close runs alone.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "akidb/s3.h"
#include "akidb/sys/store_backend.h"
#include "net/http.h"
#include "net/retry.h"
#include "store/s3/credentials.h"
#include "store/s3/sign.h"
#include "store/s3/xml.h"

/* Requests as they went out; see akidb_store_statistics. */
typedef struct ak_s3_counters {
    atomic_uint_fast64_t requests[AKIDB_REQUEST_KIND_COUNT];
    atomic_uint_fast64_t retries, failed, sent_bytes, received_bytes;
} ak_s3_counters;

typedef struct ak_s3_client {
    /* Constant after open. */
    ak_http *http;
    ak_s3_provider *provider;
    char *bucket;
    char *prefix;       /* "" or "a/b/" */
    char *scheme;       /* "https" or "http" */
    char *host;         /* of the endpoint, with its port when it is not the scheme's */
    bool signs_payload; /* the signature covers large objects too */
    bool is_aws;        /* no endpoint was given: hosts follow from the region */
    bool path_style;
    char *sse; /* "AES256", "aws:kms" or NULL */
    char *sse_key;
    bool lacks_md5; /* OpenSSL has none, as where only FIPS algorithms are allowed */
    const akidb_clock *clock;
    void *context;
    void (*log)(void *context, akidb_log_level level, const char *message);
    bool (*cancelled)(void *context);
    ak_retry_policy retry;
    uint64_t single_put_bytes;
    uint64_t part_bytes;
    unsigned parallel;

    pthread_mutex_t log_mutex; /* one message at a time */
    ak_s3_counters counters;

    /* What the server has taught us; guarded by the mutex. */
    pthread_mutex_t mutex;
    char region[64];
    int64_t clock_offset; /* server's time less ours, in microseconds */
    ak_retry_budget budget;

    atomic_bool knows_crc32c;      /* the server answers x-amz-checksum-crc32c */
    atomic_bool lacks_crc32c;      /* it does not: Content-MD5 is sent */
    atomic_bool lacks_conditional; /* it answers If-None-Match with 501 */
    atomic_bool lacks_delete_many; /* it knows no DeleteObjects */
} ak_s3_client;

AKIDB_CHECK akidb_status ak_s3_client_open(const char *bucket, const char *prefix,
                                           const akidb_s3_options *options,
                                           ak_s3_client **client_out, akidb_error *err);
void ak_s3_client_close(ak_s3_client *client);

/* How often an upload's integrity is protected: by which header. */
typedef enum ak_s3_body_kind {
    AK_S3_BODY_NONE,
    AK_S3_BODY_OBJECT, /* bytes that are stored: CRC-32C travels with them */
    AK_S3_BODY_XML     /* an instruction: Content-MD5, which some servers insist on */
    /* Where OpenSSL has no MD5: a CRC-32C, or the hash in the signature. */
} ak_s3_body_kind;

enum { AK_S3_CRC32C_SIZE = 16 }; /* of a CRC-32C in base64, NUL and all */

enum { AK_S3_HEADERS_MAX = 12, AK_S3_PARAMETERS_MAX = 8 };

typedef struct ak_s3_request {
    const char *method;
    const char *action; /* the right that it needs, for messages: "s3:PutObject" */
    const char *key;    /* with the client's prefix; NULL: the bucket itself */
    ak_s3_parameter parameters[AK_S3_PARAMETERS_MAX];
    size_t parameter_count;
    ak_s3_header headers[AK_S3_HEADERS_MAX]; /* beyond those that every request has */
    size_t header_count;
    const akidb_slice *body;
    size_t body_count;
    ak_s3_body_kind body_kind;
    bool patient;      /* the server may work for minutes before it answers */
    bool error_in_200; /* a 200 may hold an <Error>: read the body */
    bool check_answer; /* hold its body, a whole object, against the checksum that comes along */
    bool invisible;    /* nobody sees what it does: a lost answer leaves no doubt */
    bool once;         /* a failure is not worth another try */
    const akidb_piece *into; /* as in ak_http_request */
    size_t into_count;
    size_t max_body_bytes; /* 0: 1 MiB */
} ak_s3_request;

/* What came of it. */
typedef struct ak_s3_answer {
    ak_http_response http;
    char error_code[64]; /* the S3 error's <Code>, or "" */
    char error_message[512];
    bool is_damaged; /* the body is not that of which the server told the checksum */
    bool was_lost;   /* an earlier try got no answer: the server may have done it already */
    char body_crc32c[AK_S3_CRC32C_SIZE];  /* of an AK_S3_BODY_OBJECT, in base64 */
    char told_crc32c[128];                /* of an answer that is damaged: what the server told */
    char found_crc32c[AK_S3_CRC32C_SIZE]; /* and what its body has */
} ak_s3_answer;

void ak_s3_answer_free(ak_s3_answer *answer);

static inline bool ak_s3_is_good(const ak_s3_answer *answer)
{
    return answer->http.code >= 200 && answer->http.code < 300;
}

/* Whether another try may mend an error of that <Code>. */
bool ak_s3_code_is_transient(const char *code);

/* What went wrong, for a message: "503 SlowDown: Please reduce ...". */
void ak_s3_describe(const ak_s3_answer *answer, char *text_out, size_t size);

/* Sends a request until it is answered for good. AKIDB_OK: the server answered with something that
 * no retry changes, a 2xx or an error: look at answer->http.code. Otherwise it could not be had:
 * AKIDB_E_STORE, AKIDB_E_CANCELLED, AKIDB_E_PERMISSION (no credentials); and AKIDB_E_UNCERTAIN when
 * the server may have done something that others see. */
AKIDB_CHECK akidb_status ak_s3_send(ak_s3_client *client, const ak_s3_request *request,
                                    ak_s3_answer *answer_out, akidb_error *err);

/* The same, also when the caller wants to stop, for requests that clean up: then it has half a
 * second left. */
AKIDB_CHECK akidb_status ak_s3_send_uncancelled(ak_s3_client *client, const ak_s3_request *request,
                                                ak_s3_answer *answer_out, akidb_error *err);

/* Sends a request whose answer is XML below the element `root`, and hands each element in it to the
 * visitor (NULL: none), with its path below the root. What is not 2xx, not XML or another root is a
 * failure. */
AKIDB_CHECK akidb_status ak_s3_send_for_xml(ak_s3_client *client, const ak_s3_request *request,
                                            const char *root, ak_xml_visitor *visitor,
                                            void *context, akidb_error *err);

/* The same for an answer that has been had. */
AKIDB_CHECK akidb_status ak_s3_read_xml(const ak_s3_request *request, const ak_s3_answer *answer,
                                        const char *root, ak_xml_visitor *visitor, void *context,
                                        akidb_error *err);

/* Sends; an answer that is not 2xx is a failure. */
AKIDB_CHECK akidb_status ak_s3_send_for_good(ak_s3_client *client, const ak_s3_request *request,
                                             ak_s3_answer *answer_out, akidb_error *err);

/* For a request whose only result is that it was done: frees the answer, and returns the failure
 * that one which is not 2xx stands for. */
AKIDB_CHECK akidb_status ak_s3_finish(const ak_s3_client *client, const ak_s3_request *request,
                                      ak_s3_answer *answer, akidb_error *err);

/* The failure that a non-2xx answer stands for: AKIDB_E_NOT_FOUND, AKIDB_E_ALREADY_EXISTS (412),
 * AKIDB_E_PERMISSION naming bucket and right, AKIDB_E_STORE with the server's words. With any but a
 * 412 it is AKIDB_E_UNCERTAIN where the answer to an earlier try was lost: that one may have done
 * what others see. */
akidb_status ak_s3_fail(const ak_s3_client *client, const ak_s3_request *request,
                        const ak_s3_answer *answer, akidb_error *err);

/* "s3://bucket/key" of a key with the prefix, for messages; cut where it does not fit. */
void ak_s3_name(const ak_s3_client *client, const char *full_key, char *text_out, size_t size);

/* The key with the client's prefix. AKIDB_E_VALIDATION when it has over 1,024 bytes then. */
AKIDB_CHECK akidb_status ak_s3_full_key(const ak_s3_client *client, const char *key,
                                        char full_out[AKIDB_KEY_MAX + 1], akidb_error *err);

/* Adds a header or a parameter; the strings are borrowed. */
static inline void ak_s3_add_header(ak_s3_request *request, const char *name, const char *value)
{
    request->headers[request->header_count++] = (ak_s3_header){name, value};
}

static inline void ak_s3_add_parameter(ak_s3_request *request, const char *name, const char *value)
{
    request->parameters[request->parameter_count++] = (ak_s3_parameter){name, value};
}

/* The encryption headers of an object that is made, where the options ask for them. */
void ak_s3_add_encryption(const ak_s3_client *client, ak_s3_request *request);

/* Whether an answer says that the object is encrypted as the options ask; true when they do not. */
bool ak_s3_tells_encryption(const ak_s3_client *client, const ak_s3_answer *answer);

/* Whether a request does something that others see, so that a lost answer leaves doubt. */
bool ak_s3_is_visible(const ak_s3_request *request);

/* Copies a text that a server told, for a message: cut where it does not fit, on one line. */
void ak_s3_take(char *to, size_t size, const char *text);

/* A number that a server told: decimal digits alone, at most INT64_MAX. */
bool ak_s3_read_number(const char *text, uint64_t *number_out);

/* A header that holds a date, in microseconds since the epoch; false when it is not there, no date
 * or outside of what akidb/base.h calls a time. */
bool ak_s3_read_date(const ak_http_response *http, const char *name, int64_t *time_out);

/* Tells the log hook, when there is one. */
void ak_s3_log(ak_s3_client *client, akidb_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
