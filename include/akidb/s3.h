#ifndef AKIDB_S3_H
#define AKIDB_S3_H
/*
 * A bucket of AWS S3, MinIO, Ceph or any other S3-compatible server as an object store
 * (akidb/store.h, whose contract holds here too).
 *
 *   Settings     What an option leaves out is taken, when the store is opened, from where the AWS
 *                command line takes it: environment, then the shared config and credentials files.
 *   Credentials  explicit; environment; profile; web identity; container; EC2 (IMDSv2). They are
 *                refreshed before they expire, and appear in no message and no log. A profile that
 *                an option names goes before the environment's keys; one that AWS_PROFILE names
 *                does not.
 *   Integrity    Every upload carries a CRC-32C, or a Content-MD5 for a server that knows no other
 *                (without MD5 in OpenSSL: a signed SHA-256).
 *   Encryption   An object that the server does not call encrypted as `sse` asks is
 *                AKIDB_E_UNSUPPORTED. One that was put whole is there then; an upload in parts is
 *                given up before.
 *   Signature    covers every body where there is no TLS, so that nobody can change it on its way;
 *                with TLS, none. `sign_payload` says otherwise.
 *   Patience     Transient failures are tried again after a growing random wait. What is not
 *                transient (403, 404, 412; no HTTP) is told at once. A body that moves more slowly
 *                than `lowest_speed` for a stall timeout counts as one that broke off, so a request
 *                that moves N bytes ends within about N / lowest_speed seconds and that timeout. A
 *                server that copies, or puts an upload together, may be silent for 20 of them, and
 *                no longer. After a put whose answer stays lost
 *                the object is looked at, once: AKIDB_E_UNCERTAIN is what even that leaves open.
 *   Atomic       put-if-absent is If-None-Match. A server that answers it with 501 gets a check
 *                before the put instead, which two writers at once can both pass; that is logged.
 *                A server that passes over it without a word cannot be told apart: Ceph before 20
 *                does so where an object over `single_put_bytes` is completed.
 *   Many parts   An object over `single_put_bytes` is a multipart upload; what a crash leaves
 *                of one is removed by akidb_store_remove_leftovers.
 */
#include "akidb/store.h"
#include "akidb/sys/clock.h"

AKIDB_BEGIN_DECLS

typedef struct akidb_s3_options {
    size_t struct_size;   /* sizeof(akidb_s3_options); strings are copied */
    const char *endpoint; /* "https://host[:port]"; default AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL,
                             the profile's endpoint_url, or AWS itself */
    const char *region;   /* default AWS_REGION, AWS_DEFAULT_REGION, the profile's, "us-east-1" */
    const char *profile;  /* default AWS_PROFILE, or "default" */
    const char *access_key_id; /* these two together, or neither */
    const char *secret_access_key;
    const char *session_token;   /* with the two above, when they are temporary */
    akidb_toggle path_style;     /* bucket in the path, not in the host; default: on unless AWS */
    const char *ca_file;         /* PEM; default AWS_CA_BUNDLE, or the system's */
    const char *sse;             /* "AES256", "aws:kms" or "aws:kms:KEY"; default: the bucket's */
    uint32_t connect_timeout_ms; /* default 5,000 */
    uint32_t stall_timeout_ms;   /* too slow for so long; default 30,000; noticed a few s later */
    uint32_t retry_total_ms;     /* no new try of one request after that; default 180,000 */
    unsigned attempts;           /* of one request, the first too; default 8 */
    unsigned parallel;           /* parts of one upload at once; default 4 */
    uint64_t single_put_bytes;   /* default 32 MiB */
    uint64_t part_bytes;         /* default 16 MiB, at least 5 MiB; an upload has at most 10,000 */
    const akidb_clock *clock;    /* default: the system's */
    void *context;               /* handed to the two below; each may be NULL */
    /* Fallbacks, and retries of requests that have taken over two seconds, one line each; from
     * any thread, one call at a time. */
    void (*log)(void *context, akidb_log_level level, const char *message);
    /* Asked a few times a second while a call waits; from any thread, many at once. True ends the
     * call with AKIDB_E_CANCELLED; a change that was under way may have been made. */
    bool (*cancelled)(void *context);
    uint32_t lowest_speed; /* bytes a second, of each request; default 1,024 */
    /* Whether the signature covers bodies of 1 MiB and more that are stored, by a SHA-256 here and
     * on the server; default AKIDB_S3_SIGN_PAYLOAD ("on" or "off"), or: without TLS. Off is for a
     * plain connection that nobody else can write to; a CRC-32C goes along in any case. */
    akidb_toggle sign_payload;
} akidb_s3_options;

/* Opens `bucket`, every key under `prefix` ("" or NULL: none). Nothing is sent yet.
 * AKIDB_E_VALIDATION for a bucket, endpoint or option that cannot be. */
AKIDB_API AKIDB_CHECK akidb_status akidb_s3_store_open(const char *bucket, const char *prefix,
                                                       const akidb_s3_options *options,
                                                       akidb_store **store_out, akidb_error *err);

/* akidb_store_open, with these settings if the URI names a bucket; other stores pass them over. */
AKIDB_API AKIDB_CHECK akidb_status akidb_store_open_with(const char *uri,
                                                         const akidb_s3_options *options,
                                                         akidb_store **store_out, akidb_error *err);

AKIDB_END_DECLS
#endif
