#ifndef AK_NET_HTTP_H
#define AK_NET_HTTP_H
/*
 * HTTP client: many requests at once over connections that are kept, on libcurl's multi interface.
 * One thread of the client's own moves all bytes; any thread starts requests and waits for them.
 *
 *   Redirects  are not followed: the caller reads them (a signature is good for one URL only).
 *   URLs       are sent exactly as given, dots and percent signs and all.
 *   TLS        is verified. Proxies are those of the environment (http_proxy, https_proxy,
 *              no_proxy).
 *   Time       Connecting has a limit. A body that moves more slowly than lowest_speed for the
 *              stall timeout is given up, so how long a request may take follows from its size. A
 *              patient request has twenty times as long, moving or not: such servers send blanks
 *              while they think, and one that does so for ever must not hold us.
 *   Retries    are the caller's: an outcome says whether the server may have seen the request. No
 *              request goes out twice by itself, not even where a kept connection turns out to be
 *              dead.
 *   Secrets    Headers and URLs never appear in a reason.
 *   Threads    Any calls may run at once on one client, except that close runs alone, after every
 *              transfer has been waited for or abandoned. A transfer belongs to one thread.
 */
#include "akidb/base.h"

typedef struct ak_http ak_http;

typedef struct ak_http_options {
    uint32_t connect_timeout_ms; /* default 5,000 */
    uint32_t stall_timeout_ms;   /* of moving more slowly than lowest_speed; default 30,000 */
    uint32_t lowest_speed;       /* bytes a second, of each request; default 1,024 */
    unsigned connections;        /* kept, also while nothing uses them; default 16 */
    const char *ca_file;         /* PEM; NULL: the system's */
} ak_http_options;

AKIDB_CHECK akidb_status ak_http_open(const ak_http_options *options, ak_http **http_out,
                                      akidb_error *err);
void ak_http_close(ak_http *http);

/* Everything is borrowed until the transfer has been waited for or abandoned. */
typedef struct ak_http_request {
    const char *method;
    const char *url;
    const char *const *headers; /* "Name: value"; "Name;" sends it empty; "Name:" leaves it out */
    size_t header_count;
    const akidb_slice *body; /* NULL: none */
    size_t body_count;
    bool direct;  /* through no proxy, whatever the environment says */
    bool patient; /* the server may think for minutes before it answers */
    /* Where the body of a 2xx answer goes, piece after piece, none of them empty; NULL: into
     * response.body. A body that is longer than all of them is AK_HTTP_TOO_LONG. */
    const akidb_piece *into;
    size_t into_count;
    size_t max_body_bytes; /* of response.body; a longer one is AK_HTTP_TOO_LONG. The body of an
                              error may always have 64 KiB. */
} ak_http_request;

typedef enum ak_http_outcome {
    AK_HTTP_ANSWERED = 0, /* headers and body arrived whole; `code` is the server's */
    AK_HTTP_NOT_SENT,     /* no connection: the server has seen nothing */
    AK_HTTP_LOST,         /* broke or stalled on the way: the server may have done it */
    AK_HTTP_TOO_LONG,     /* the body is longer than it may be */
    AK_HTTP_NO_HTTP,      /* the answer is none that we can read, so no retry helps; what its sender
                             has done with the request is not known */
    AK_HTTP_REFUSED, /* not sent, and no retry helps: the certificate is not trusted, the server
                        speaks no TLS, the proxy does not want us, the URL is malformed */
    AK_HTTP_NO_MEMORY
} ak_http_outcome;

typedef struct ak_http_response {
    ak_http_outcome outcome;
    int code;             /* 0 when no answer arrived */
    akidb_buffer headers; /* lines "name: value\r\n" of the final answer */
    akidb_buffer body;    /* of an answer that did not go to `into` */
    size_t into_used;     /* bytes that went to `into` */
    uint64_t sent_bytes;  /* of the request's body */
    char reason[256];     /* what went wrong when outcome is not ANSWERED */
} ak_http_response;

void ak_http_response_free(ak_http_response *response);

/* The value of a header, by its name in any case, copied without blanks around it; false when it is
 * not there or does not fit. */
bool ak_http_header(const ak_http_response *response, const char *name, char *value_out,
                    size_t value_size);

typedef struct ak_http_transfer ak_http_transfer;

/* Begins a request. */
AKIDB_CHECK akidb_status ak_http_start(ak_http *http, const ak_http_request *request,
                                       ak_http_transfer **transfer_out, akidb_error *err);

/* Waits at most timeout_ms (negative: for ever). True when the transfer has ended: then the
 * response is yours to free and the transfer is gone. */
bool ak_http_wait(ak_http_transfer *transfer, int timeout_ms, ak_http_response *response_out);

/* Breaks a transfer off and frees it; after the call nothing that it borrowed is used. NULL is
 * fine. */
void ak_http_abandon(ak_http_transfer *transfer);

#endif
