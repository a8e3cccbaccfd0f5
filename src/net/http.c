#include "net/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/buffer.h"
#include "base/error.h"
#include "os/memory.h"

/* Who owns a transfer's fields: the starting thread until it is queued; then the loop thread, until
 * it is `ended`; then the waiting thread. `state` and the list links are guarded by http->mutex. */
typedef enum transfer_state { QUEUED, RUNNING, ENDED, ABANDONED } transfer_state;

struct ak_http_transfer {
    ak_http *http;
    ak_http_transfer *previous, *next; /* in http's list of live transfers */
    transfer_state state;
    ak_http_request request;
    CURL *easy;
    struct curl_slist *headers;
    uint64_t body_size;
    size_t slice;        /* of request.body, being sent */
    size_t slice_offset; /* in it */
    size_t into_size;    /* of all pieces of request.into */
    size_t piece;        /* of them, being filled */
    size_t piece_offset; /* in it */
    unsigned sendings;
    bool
        headers_ended; /* the empty line has come: libcurl takes headers that break off for whole */
    bool too_long;
    bool no_memory;
    ak_http_response response;
    char curl_reason[CURL_ERROR_SIZE];
};

struct ak_http {
    ak_http_options options;
    char *ca_file;
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a transfer ended */
    ak_http_transfer *live; /* every transfer that is queued, running or abandoned */
    bool closing;
};

enum {
    DEFAULT_CONNECT_MS = 5000,
    DEFAULT_STALL_MS = 30000,
    DEFAULT_LOWEST_SPEED = 1024,
    DEFAULT_CONNECTIONS = 16,
    PATIENCE = 20,
    HEADER_BYTES_MAX = 64 << 10,
    ERROR_BYTES_MAX = 64 << 10,
    EXPECT_BODY_BYTES = 1 << 20, /* from here on the server may say no before the body is sent */
    BACKED_BYTES = 64 << 10      /* a smaller piece is not worth a call */
};

/* ---- what libcurl calls ---------------------------------------------------------------------- */

static size_t send_body(char *to, size_t size, size_t count, void *context)
{
    ak_http_transfer *transfer = context;
    size_t room = size * count, used = 0;
    while (used < room && transfer->slice < transfer->request.body_count) {
        const akidb_slice *slice = &transfer->request.body[transfer->slice];
        size_t left = slice->size - transfer->slice_offset;
        size_t piece = left < room - used ? left : room - used;
        if (piece > 0)
            memcpy(to + used, (const char *)slice->data + transfer->slice_offset, piece);
        used += piece;
        transfer->slice_offset += piece;
        if (transfer->slice_offset == slice->size) {
            transfer->slice++;
            transfer->slice_offset = 0;
        }
    }
    transfer->response.sent_bytes += used;
    return used;
}

/* libcurl sends a body anew when a kept connection turns out to be dead. */
static int rewind_body(void *context, curl_off_t offset, int origin)
{
    ak_http_transfer *transfer = context;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    uint64_t left = (uint64_t)offset;
    size_t slice = 0;
    while (slice < transfer->request.body_count && left >= transfer->request.body[slice].size)
        left -= transfer->request.body[slice++].size;
    if (slice == transfer->request.body_count && left > 0)
        return CURL_SEEKFUNC_FAIL;
    transfer->slice = slice;
    transfer->slice_offset = (size_t)left;
    return CURL_SEEKFUNC_OK;
}

/* The connection stands and the request is about to go. libcurl would send it anew when a kept
 * connection breaks before the answer, although the server may have acted on the first; that is the
 * caller's to decide. */
static int allow_one_sending(void *context, char *to_ip, char *from_ip, int to_port, int from_port)
{
    (void)to_ip, (void)from_ip, (void)to_port, (void)from_port;
    ak_http_transfer *transfer = context;
    return transfer->sendings++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static bool is_good(const ak_http_transfer *transfer)
{
    long code = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &code);
    return code >= 200 && code < 300;
}

/* Hands out to the pieces what has come. */
static size_t receive_into(ak_http_transfer *transfer, const char *from, size_t got)
{
    const ak_http_request *request = &transfer->request;
    if (got > transfer->into_size - transfer->response.into_used) {
        transfer->too_long = true;
        return 0;
    }
    for (size_t left = got; left > 0;) {
        const akidb_piece *piece = &request->into[transfer->piece];
        size_t room = piece->size - transfer->piece_offset;
        size_t some = left < room ? left : room;
        memcpy((char *)piece->data + transfer->piece_offset, from, some);
        from += some;
        left -= some;
        transfer->piece_offset += some;
        if (some == room) {
            transfer->piece++;
            transfer->piece_offset = 0;
        }
    }
    transfer->response.into_used += got;
    return got;
}

static size_t receive_body(char *from, size_t size, size_t count, void *context)
{
    ak_http_transfer *transfer = context;
    ak_http_response *response = &transfer->response;
    size_t got = size * count;
    bool good = is_good(transfer);
    if (good && transfer->request.into != NULL)
        return receive_into(transfer, from, got);
    size_t room = transfer->request.max_body_bytes;
    if (!good && room < ERROR_BYTES_MAX)
        room = ERROR_BYTES_MAX;
    if (got > room - response->body.size) {
        transfer->too_long = true;
        return 0;
    }
    transfer->no_memory = ak_buffer_append(&response->body, from, got, NULL) != AKIDB_OK;
    return transfer->no_memory ? 0 : got;
}

static size_t receive_header(char *from, size_t size, size_t count, void *context)
{
    ak_http_transfer *transfer = context;
    akidb_buffer *headers = &transfer->response.headers;
    size_t got = size * count;
    if (got >= 5 && memcmp(from, "HTTP/", 5) == 0)
        headers->size = 0; /* "100 Continue" and a proxy's answer come before the final one */
    transfer->headers_ended = got == 2 && memcmp(from, "\r\n", 2) == 0;
    if (got > HEADER_BYTES_MAX - headers->size) {
        transfer->too_long = true;
        return 0;
    }
    transfer->no_memory = ak_buffer_append(headers, from, got, NULL) != AKIDB_OK;
    return transfer->no_memory ? 0 : got;
}

/* ---- one transfer ---------------------------------------------------------------------------- */

static void transfer_free(ak_http_transfer *transfer)
{
    curl_slist_free_all(transfer->headers);
    curl_easy_cleanup(transfer->easy);
    ak_http_response_free(&transfer->response);
    free(transfer);
}

static bool add_header(ak_http_transfer *transfer, const char *line)
{
    struct curl_slist *longer = curl_slist_append(transfer->headers, line);
    if (longer != NULL)
        transfer->headers = longer;
    return longer != NULL;
}

static bool set_headers(ak_http_transfer *transfer)
{
    const ak_http_request *request = &transfer->request;
    for (size_t i = 0; i < request->header_count; i++)
        if (!add_header(transfer, request->headers[i]))
            return false;
    if (transfer->body_size < EXPECT_BODY_BYTES && !add_header(transfer, "Expect:"))
        return false;
    return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

static bool set_method(ak_http_transfer *transfer)
{
    CURL *easy = transfer->easy;
    const ak_http_request *request = &transfer->request;
    if (strcmp(request->method, "HEAD") == 0)
        return curl_easy_setopt(easy, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (request->body == NULL && strcmp(request->method, "PUT") != 0 &&
        strcmp(request->method, "POST") != 0)
        return curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK;
    /* An upload with the method's name sends a Content-Length, also for an empty body. */
    return curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)transfer->body_size) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READFUNCTION, send_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_READDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, rewind_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer) == CURLE_OK;
}

static bool set_limits(ak_http_transfer *transfer)
{
    CURL *easy = transfer->easy;
    const ak_http *http = transfer->http;
    long stall_ms = (long)http->options.stall_timeout_ms;
    if (transfer->request.patient) {
        stall_ms *= PATIENCE;
        if (curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, stall_ms) != CURLE_OK)
            return false;
    }
    long stall_seconds = (stall_ms + 999) / 1000;
    return curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)http->options.lowest_speed) ==
               CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, stall_seconds) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                            (long)http->options.connect_timeout_ms) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           /* A name that resolves slowly does not hold up whoever breaks the transfer off. */
           curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 512L * 1024) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024) == CURLE_OK;
}

static bool set_up(ak_http_transfer *transfer)
{
    CURL *easy = transfer->easy;
    const char *ca_file = transfer->http->ca_file;
    if (transfer->request.direct && curl_easy_setopt(easy, CURLOPT_PROXY, "") != CURLE_OK)
        return false;
    if (ca_file != NULL && curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file) != CURLE_OK)
        return false;
    return curl_easy_setopt(easy, CURLOPT_URL, transfer->request.url) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_reason) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, allow_one_sending) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
           set_method(transfer) && set_limits(transfer) && set_headers(transfer);
}

/* A proxy that answers CONNECT with 4xx does not want us; what else it answers may pass. */
static bool is_refused_by_proxy(const ak_http_transfer *transfer)
{
    long code = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &code);
    return code >= 400 && code < 500 && code != 408 && code != 429;
}

/* Whether a failed handshake says that the other side does not speak TLS, or no TLS of ours.
 * libcurl has one code for that and for a connection that broke; the words are OpenSSL's and
 * GnuTLS's. */
static bool is_no_tls(const ak_http_transfer *transfer)
{
    static const char *const words[] = {"wrong version number", "unexpected TLS packet",
                                        "unsupported protocol", "alert protocol version",
                                        "alert handshake failure"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(transfer->curl_reason, words[i]) != NULL)
            return true;
    return false;
}

static ak_http_outcome outcome_of(const ak_http_transfer *transfer, CURLcode code)
{
    if (transfer->no_memory)
        return AK_HTTP_NO_MEMORY;
    if (transfer->too_long)
        return AK_HTTP_TOO_LONG;
    curl_off_t until_transfer = 0;
    switch (code) {
    case CURLE_OK: return AK_HTTP_ANSWERED;
    case CURLE_OUT_OF_MEMORY: return AK_HTTP_NO_MEMORY;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return is_refused_by_proxy(transfer) ? AK_HTTP_REFUSED : AK_HTTP_NOT_SENT;
    case CURLE_SSL_CONNECT_ERROR: return is_no_tls(transfer) ? AK_HTTP_REFUSED : AK_HTTP_NOT_SENT;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_URL_MALFORMAT: return AK_HTTP_REFUSED;
    case CURLE_UNSUPPORTED_PROTOCOL: /* the URL's, or the answer's */
        return transfer->sendings == 0 ? AK_HTTP_REFUSED : AK_HTTP_NO_HTTP;
    case CURLE_OPERATION_TIMEDOUT:
        /* Both limits end here. 0: the connection was not ready for a request yet. */
        curl_easy_getinfo(transfer->easy, CURLINFO_PRETRANSFER_TIME_T, &until_transfer);
        return until_transfer == 0 ? AK_HTTP_NOT_SENT : AK_HTTP_LOST;
    default:
        if (transfer->sendings > 0)
            return AK_HTTP_LOST;
        return is_refused_by_proxy(transfer) ? AK_HTTP_REFUSED : AK_HTTP_NOT_SENT;
    }
}

/* A body that only ends where the connection does may as well have broken off. So libcurl reads one
 * whose length is too large a number, or whose encoding is none that it knows. */
static bool tells_its_length(const ak_http_transfer *transfer)
{
    char value[64];
    curl_off_t length = -1;
    const ak_http_response *response = &transfer->response;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    return strcmp(transfer->request.method, "HEAD") == 0 || response->code == 204 || length >= 0 ||
           (ak_http_header(response, "transfer-encoding", value, sizeof value) &&
            strcasecmp(value, "chunked") == 0);
}

/* Cut where it does not fit. */
static void tell_reason(ak_http_response *response, const char *beginning, const char *reason)
{
    size_t used = strlen(beginning);
    size_t size = strnlen(reason, sizeof response->reason - 1 - used);
    memcpy(response->reason, beginning, used);
    memcpy(response->reason + used, reason, size);
    response->reason[used + size] = '\0';
}

static void finish(ak_http_transfer *transfer, CURLcode code)
{
    ak_http_response *response = &transfer->response;
    long status = 0;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    response->outcome = outcome_of(transfer, code);
    response->code = (int)status;
    if (response->outcome == AK_HTTP_ANSWERED &&
        (!transfer->headers_ended || (is_good(transfer) && !tells_its_length(transfer)))) {
        response->outcome = AK_HTTP_LOST;
        snprintf(transfer->curl_reason, sizeof transfer->curl_reason,
                 "the answer broke off, or does not tell its length");
    }
    if (code == CURLE_ABORTED_BY_CALLBACK)
        snprintf(transfer->curl_reason, sizeof transfer->curl_reason,
                 "the connection broke before the answer");
    if (response->outcome == AK_HTTP_ANSWERED)
        return;
    const char *reason =
        transfer->curl_reason[0] != '\0' ? transfer->curl_reason : curl_easy_strerror(code);
    const char *beginning = "";
    if (code == CURLE_SSL_CONNECT_ERROR && is_no_tls(transfer))
        beginning = "the server does not speak TLS, or no version of ours: ";
    else if (response->outcome == AK_HTTP_NO_HTTP)
        beginning =
            "the answer is no HTTP/1.1; the port may be one for TLS, or another program's: ";
    tell_reason(response, beginning, reason);
}

/* ---- the loop thread ------------------------------------------------------------------------- */

static void unlink_transfer(ak_http *http, ak_http_transfer *transfer)
{
    if (transfer->previous != NULL)
        transfer->previous->next = transfer->next;
    else
        http->live = transfer->next;
    if (transfer->next != NULL)
        transfer->next->previous = transfer->previous;
}

/* Takes what other threads have asked for: queued transfers begin, abandoned ones end. This is done
 * whenever bytes have moved, so nobody is woken for nothing. */
static void take_requests(ak_http *http)
{
    bool any_ended = false;
    pthread_mutex_lock(&http->mutex);
    ak_http_transfer *next;
    for (ak_http_transfer *transfer = http->live; transfer != NULL; transfer = next) {
        next = transfer->next;
        if (transfer->state == QUEUED) {
            transfer->state = RUNNING;
            if (curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK) {
                finish(transfer, CURLE_OUT_OF_MEMORY);
                unlink_transfer(http, transfer);
                transfer->state = ENDED;
                any_ended = true;
            }
        } else if (transfer->state == ABANDONED) {
            curl_multi_remove_handle(http->multi, transfer->easy);
            unlink_transfer(http, transfer);
            transfer->state = ENDED;
            any_ended = true;
        }
    }
    if (any_ended)
        pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->mutex);
}

static void report_ended(ak_http *http)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode code = message->data.result;
        ak_http_transfer *transfer = NULL;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        curl_multi_remove_handle(http->multi, message->easy_handle);
        finish(transfer, code);
        pthread_mutex_lock(&http->mutex);
        unlink_transfer(http, transfer);
        transfer->state = ENDED;
        pthread_cond_broadcast(&http->changed);
        pthread_mutex_unlock(&http->mutex);
    }
}

static bool is_closing(ak_http *http)
{
    pthread_mutex_lock(&http->mutex);
    bool closing = http->closing;
    pthread_mutex_unlock(&http->mutex);
    return closing;
}

static void *loop(void *context)
{
    ak_http *http = context;
    while (!is_closing(http)) {
        take_requests(http);
        int running;
        curl_multi_perform(http->multi, &running);
        report_ended(http);
        curl_multi_poll(http->multi, NULL, 0, 1000, NULL);
    }
    return NULL;
}

/* ---- what callers call ----------------------------------------------------------------------- */

/* Waits are by the clock that nobody sets. */
static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* The loop takes no signals: they are the host's, and one for a broken pipe would end it. */
static bool start_loop(ak_http *http)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    bool started = pthread_create(&http->thread, NULL, loop, http) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void http_free(ak_http *http)
{
    curl_multi_cleanup(http->multi);
    pthread_cond_destroy(&http->changed);
    pthread_mutex_destroy(&http->mutex);
    free(http->ca_file);
    free(http);
}

akidb_status ak_http_open(const ak_http_options *options, ak_http **http_out, akidb_error *err)
{
    *http_out = NULL;
    ak_http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return ak_fail_memory(err, sizeof *http);
    if (options != NULL)
        http->options = *options;
    if (http->options.connect_timeout_ms == 0)
        http->options.connect_timeout_ms = DEFAULT_CONNECT_MS;
    if (http->options.stall_timeout_ms == 0)
        http->options.stall_timeout_ms = DEFAULT_STALL_MS;
    if (http->options.lowest_speed == 0)
        http->options.lowest_speed = DEFAULT_LOWEST_SPEED;
    if (http->options.connections == 0)
        http->options.connections = DEFAULT_CONNECTIONS;
    http->ca_file = http->options.ca_file == NULL ? NULL : strdup(http->options.ca_file);
    http->options.ca_file = NULL;
    /* Counted, and safe from any thread, since libcurl 7.84. */
    bool ok = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    http->multi = ok ? curl_multi_init() : NULL;
    pthread_mutex_init(&http->mutex, NULL);
    init_condition(&http->changed);
    ok = ok && http->multi != NULL &&
         curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)http->options.connections) ==
             CURLM_OK &&
         (options == NULL || options->ca_file == NULL || http->ca_file != NULL) && start_loop(http);
    if (!ok) {
        http_free(http);
        return ak_fail(err, AKIDB_E_OUT_OF_MEMORY, "the HTTP client could not be started");
    }
    *http_out = http;
    return AKIDB_OK;
}

void ak_http_close(ak_http *http)
{
    if (http == NULL)
        return;
    pthread_mutex_lock(&http->mutex);
    http->closing = true;
    pthread_mutex_unlock(&http->mutex);
    curl_multi_wakeup(http->multi);
    pthread_join(http->thread, NULL);
    http_free(http);
}

/* New memory is backed by pages while the server thinks, and by the thread that asks: the loop,
 * which moves the bytes of all transfers, would otherwise spend most of its time on that. */
static void back_pieces(const ak_http_request *request)
{
    for (size_t i = 0; i < request->into_count; i++)
        if (request->into[i].size >= BACKED_BYTES)
            ak_memory_back_now(request->into[i].data, request->into[i].size);
}

akidb_status ak_http_start(ak_http *http, const ak_http_request *request,
                           ak_http_transfer **transfer_out, akidb_error *err)
{
    *transfer_out = NULL;
    ak_http_transfer *transfer = calloc(1, sizeof *transfer);
    if (transfer == NULL)
        return ak_fail_memory(err, sizeof *transfer);
    transfer->http = http;
    transfer->request = *request;
    for (size_t i = 0; i < request->body_count; i++)
        transfer->body_size += request->body[i].size;
    for (size_t i = 0; i < request->into_count; i++)
        transfer->into_size += request->into[i].size;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL || !set_up(transfer)) {
        transfer_free(transfer);
        return ak_fail(err, AKIDB_E_OUT_OF_MEMORY, "an HTTP request could not be set up");
    }
    pthread_mutex_lock(&http->mutex);
    transfer->next = http->live;
    if (http->live != NULL)
        http->live->previous = transfer;
    http->live = transfer;
    pthread_mutex_unlock(&http->mutex);
    curl_multi_wakeup(http->multi);
    back_pieces(request);
    *transfer_out = transfer;
    return AKIDB_OK;
}

static struct timespec after(int timeout_ms)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += timeout_ms / 1000;
    time.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (time.tv_nsec >= 1000000000) {
        time.tv_sec++;
        time.tv_nsec -= 1000000000;
    }
    return time;
}

bool ak_http_wait(ak_http_transfer *transfer, int timeout_ms, ak_http_response *response_out)
{
    ak_http *http = transfer->http;
    struct timespec until = after(timeout_ms < 0 ? 0 : timeout_ms);
    pthread_mutex_lock(&http->mutex);
    int waited = 0;
    while (transfer->state != ENDED && waited != ETIMEDOUT)
        waited = timeout_ms < 0 ? pthread_cond_wait(&http->changed, &http->mutex)
                                : pthread_cond_timedwait(&http->changed, &http->mutex, &until);
    bool ended = transfer->state == ENDED;
    pthread_mutex_unlock(&http->mutex);
    if (!ended)
        return false;
    *response_out = transfer->response;
    transfer->response = (ak_http_response){0};
    transfer_free(transfer);
    return true;
}

void ak_http_abandon(ak_http_transfer *transfer)
{
    if (transfer == NULL)
        return;
    ak_http *http = transfer->http;
    pthread_mutex_lock(&http->mutex);
    if (transfer->state != ENDED)
        transfer->state = ABANDONED;
    curl_multi_wakeup(http->multi);
    while (transfer->state != ENDED)
        pthread_cond_wait(&http->changed, &http->mutex);
    pthread_mutex_unlock(&http->mutex);
    transfer_free(transfer);
}

void ak_http_response_free(ak_http_response *response)
{
    akidb_buffer_free(&response->headers);
    akidb_buffer_free(&response->body);
}

bool ak_http_header(const ak_http_response *response, const char *name, char *value_out,
                    size_t value_size)
{
    size_t name_size = strlen(name);
    const char *at = (const char *)response->headers.data;
    size_t left = response->headers.size;
    while (left > 0) {
        const char *end = memchr(at, '\n', left);
        size_t line = end == NULL ? left : (size_t)(end - at) + 1;
        if (line > name_size && at[name_size] == ':' && strncasecmp(at, name, name_size) == 0) {
            const char *value = at + name_size + 1;
            const char *stop = at + line;
            while (value < stop && strchr(" \t\r\n", *value) != NULL)
                value++;
            while (stop > value && strchr(" \t\r\n", stop[-1]) != NULL)
                stop--;
            if ((size_t)(stop - value) >= value_size)
                return false;
            memcpy(value_out, value, (size_t)(stop - value));
            value_out[stop - value] = '\0';
            return true;
        }
        at += line;
        left -= line;
    }
    return false;
}
