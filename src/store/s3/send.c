/* Sends a request until it is answered for good: builds, signs, sends, understands, tries again. */
#include <ctype.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/error.h"
#include "os/random.h"
#include "store/s3/client.h"
#include "store/s3/xml.h"

enum {
    POLL_MS = 200,
    BODY_BYTES_MAX = 1 << 20,
    MD5_BYTES = 16,
    CHECKSUM_TEXT = 32,
    MAX_REDIRECTS = 3,
    SLOW_MS = 2000, /* who waits that long is told why */
    CLEANING_MS = 500,
    HASH_BYTES_MAX = 1 << 20 /* hashing less is not felt */
};

/* What stays the same from one try to the next. */
typedef struct sending {
    ak_s3_client *client;
    const ak_s3_request *request;
    char payload_hash[AK_S3_HASH_SIZE];
    char crc32c[AK_S3_CRC32C_SIZE]; /* in base64 */
    char md5[CHECKSUM_TEXT];        /* in base64; "" until it is needed */
    ak_retry retry;
    /* Of the last try: */
    char region[64];
    int64_t time;
    bool has_token; /* its keys are temporary */

    unsigned tries; /* that went out */
    unsigned redirects;
    bool refreshed_keys;
    bool corrected_clock;
    bool want_new_keys;
    bool cleaning; /* goes on for a while when the caller wants to stop */
} sending;

static int64_t monotonic_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static bool is_cancelled(const sending *s)
{
    const ak_s3_client *client = s->client;
    if (client->cancelled == NULL || !client->cancelled(client->context))
        return false;
    return !s->cleaning || monotonic_ms() > s->retry.started_ms + CLEANING_MS;
}

/* ---- checksums of the body ------------------------------------------------------------------- */

static akidb_status compute_md5(sending *s, akidb_error *err)
{
    if (s->md5[0] != '\0')
        return AKIDB_OK;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    uint8_t digest[EVP_MAX_MD_SIZE];
    bool ok = context != NULL && EVP_DigestInit_ex(context, EVP_md5(), NULL) == 1;
    for (size_t i = 0; ok && i < s->request->body_count; i++)
        ok = s->request->body[i].size == 0 ||
             EVP_DigestUpdate(context, s->request->body[i].data, s->request->body[i].size) == 1;
    ok = ok && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        return ak_fail(err, AKIDB_E_UNSUPPORTED,
                       "an MD5 could not be computed, and the server knows no better checksum");
    EVP_EncodeBlock((unsigned char *)s->md5, digest, MD5_BYTES);
    return AKIDB_OK;
}

static void crc32c_text(const akidb_slice *slices, size_t count, char text_out[AK_S3_CRC32C_SIZE])
{
    uint32_t crc = 0;
    for (size_t i = 0; i < count; i++)
        crc = ak_crc32c(crc, slices[i].data, slices[i].size);
    const uint8_t bytes[4] = {(uint8_t)(crc >> 24), (uint8_t)(crc >> 16), (uint8_t)(crc >> 8),
                              (uint8_t)crc};
    EVP_EncodeBlock((unsigned char *)text_out, bytes, sizeof bytes);
}

/* Whether the signature covers the body. Where that is left out, its CRC-32C still goes along, and
 * is signed. */
static bool signs_body(const sending *s)
{
    const ak_s3_request *request = s->request;
    const ak_s3_client *client = s->client;
    bool tls = strcmp(client->scheme, "https") == 0;
    uint64_t size = 0;
    for (size_t i = 0; i < request->body_count; i++)
        size += request->body[i].size;
    if (request->body_count == 0 || client->signs_payload)
        return true;
    /* Without an MD5 the hash in the signature is what a server without CRC-32C compares. */
    if (client->lacks_md5 && !atomic_load(&client->knows_crc32c))
        return true;
    return !tls && (request->body_kind != AK_S3_BODY_OBJECT || size < HASH_BYTES_MAX);
}

static akidb_status compute_checksums(sending *s, ak_s3_answer *answer, akidb_error *err)
{
    const ak_s3_request *request = s->request;
    if (request->body_kind != AK_S3_BODY_NONE)
        crc32c_text(request->body, request->body_count, s->crc32c);
    if (request->body_kind == AK_S3_BODY_OBJECT)
        memcpy(answer->body_crc32c, s->crc32c, sizeof s->crc32c);
    if (!signs_body(s)) {
        memcpy(s->payload_hash, "UNSIGNED-PAYLOAD", sizeof "UNSIGNED-PAYLOAD");
        return AKIDB_OK;
    }
    return ak_s3_hash(request->body, request->body_count, s->payload_hash, err);
}

/* ---- one try --------------------------------------------------------------------------------- */

/* The Host header, just as libcurl derives it from the URL. */
static akidb_status append_host(const ak_s3_client *client, const char *region, akidb_buffer *host,
                                akidb_error *err)
{
    const char *dot_bucket = client->path_style ? "" : client->bucket;
    const char *dot = client->path_style ? "" : ".";
    if (!client->is_aws)
        return ak_buffer_printf(host, err, "%s%s%s", dot_bucket, dot, client->host);
    const char *china = strncmp(region, "cn-", 3) == 0 ? ".cn" : "";
    return ak_buffer_printf(host, err, "%s%ss3.%s.amazonaws.com%s", dot_bucket, dot, region, china);
}

static akidb_status append_path(const ak_s3_client *client, const ak_s3_request *request,
                                akidb_buffer *path, akidb_error *err)
{
    akidb_status status = ak_buffer_put(path, '/', err);
    if (status == AKIDB_OK && client->path_style)
        status = ak_s3_encode(client->bucket, false, path, err);
    if (status == AKIDB_OK && client->path_style && request->key != NULL)
        status = ak_buffer_put(path, '/', err);
    if (status == AKIDB_OK && request->key != NULL)
        status = ak_s3_encode(request->key, true, path, err);
    return status == AKIDB_OK ? ak_buffer_put(path, '\0', err) : status;
}

/* The texts of one try. */
typedef struct attempt {
    ak_s3_credentials keys;
    int64_t time;
    char date[AK_S3_DATE_SIZE];
    akidb_buffer host, path, query, url, authorization;
    ak_s3_header headers[AK_S3_HEADERS_MAX + 8];
    size_t header_count;
    akidb_buffer lines; /* "name: value\0" one after the other */
    const char *line_starts[AK_S3_HEADERS_MAX + 10];
    size_t line_count;
} attempt;

static void attempt_free(attempt *a)
{
    ak_s3_credentials_wipe(&a->keys);
    akidb_buffer_free(&a->host);
    akidb_buffer_free(&a->path);
    akidb_buffer_free(&a->query);
    akidb_buffer_free(&a->url);
    akidb_buffer_free(&a->authorization);
    if (a->lines.data != NULL)
        OPENSSL_cleanse(a->lines.data, a->lines.capacity); /* the session token is among them */
    akidb_buffer_free(&a->lines);
}

static void add(attempt *a, const char *name, const char *value)
{
    a->headers[a->header_count++] = (ak_s3_header){name, value};
}

static akidb_status add_headers(sending *s, attempt *a, akidb_error *err)
{
    const ak_s3_request *request = s->request;
    ak_s3_client *client = s->client;
    akidb_status status = AKIDB_OK;
    add(a, "host", (const char *)a->host.data);
    add(a, "x-amz-date", a->date);
    add(a, "x-amz-content-sha256", s->payload_hash);
    if (a->keys.session_token[0] != '\0')
        add(a, "x-amz-security-token", a->keys.session_token);
    /* An instruction to the bucket needs a checksum; one to an object cannot have this one, which
     * would be taken for the object's. */
    bool md5 = request->body_kind == AK_S3_BODY_XML;
    bool crc32c = md5 && client->lacks_md5 && request->key == NULL;
    if (request->body_kind == AK_S3_BODY_OBJECT) {
        /* Until a server has answered with a CRC-32C, it may be one that ignores it. */
        md5 = !atomic_load(&client->knows_crc32c);
        crc32c = !atomic_load(&client->lacks_crc32c);
    }
    if (crc32c) {
        /* Ceph checks the first only when the second is there too. */
        add(a, "x-amz-checksum-crc32c", s->crc32c);
        add(a, "x-amz-sdk-checksum-algorithm", "CRC32C");
    }
    if (md5 && !client->lacks_md5) {
        status = compute_md5(s, err);
        add(a, "content-md5", s->md5);
    }
    for (size_t i = 0; i < request->header_count; i++)
        add(a, request->headers[i].name, request->headers[i].value);
    return status;
}

/* "name: value" lines for libcurl; it makes Host itself, the same. */
static akidb_status make_lines(attempt *a, akidb_error *err)
{
    size_t offsets[sizeof a->line_starts / sizeof a->line_starts[0]];
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < a->header_count && status == AKIDB_OK; i++) {
        const ak_s3_header *header = &a->headers[i];
        if (strcmp(header->name, "host") == 0)
            continue;
        offsets[a->line_count++] = a->lines.size;
        status = header->value[0] == '\0'
                     ? ak_buffer_printf(&a->lines, err, "%s;", header->name)
                     : ak_buffer_printf(&a->lines, err, "%s: %s", header->name, header->value);
        if (status == AKIDB_OK)
            status = ak_buffer_put(&a->lines, '\0', err);
    }
    if (status == AKIDB_OK) {
        offsets[a->line_count++] = a->lines.size;
        status = ak_buffer_printf(&a->lines, err, "authorization: %s",
                                  (const char *)a->authorization.data);
    }
    if (status == AKIDB_OK)
        status = ak_buffer_put(&a->lines, '\0', err);
    for (size_t i = 0; i < a->line_count; i++)
        a->line_starts[i] = (const char *)a->lines.data + offsets[i];
    return status;
}

static akidb_status prepare(sending *s, attempt *a, akidb_error *err)
{
    ak_s3_client *client = s->client;
    const ak_s3_request *request = s->request;
    akidb_status status = ak_s3_provider_get(client->provider, s->want_new_keys, &a->keys, err);
    s->want_new_keys = false;
    if (status != AKIDB_OK)
        return status;
    pthread_mutex_lock(&client->mutex);
    memcpy(s->region, client->region, sizeof s->region);
    a->time = akidb_clock_now(client->clock) + client->clock_offset;
    pthread_mutex_unlock(&client->mutex);
    s->time = a->time;
    s->has_token = a->keys.session_token[0] != '\0';
    ak_s3_date(a->time, a->date);

    status = append_host(client, s->region, &a->host, err);
    if (status == AKIDB_OK)
        status = append_path(client, request, &a->path, err);
    if (status == AKIDB_OK)
        status = ak_s3_append_query(request->parameters, request->parameter_count, &a->query, err);
    if (status == AKIDB_OK)
        status = ak_buffer_put(&a->query, '\0', err);
    if (status == AKIDB_OK)
        status = add_headers(s, a, err);
    if (status != AKIDB_OK)
        return status;

    const ak_s3_signer signer = {a->keys.access_key_id, a->keys.secret_access_key, s->region, "s3"};
    const ak_s3_to_sign to_sign = {
        .method = request->method,
        .path = (const char *)a->path.data,
        .query = (const char *)a->query.data,
        .headers = a->headers,
        .header_count = a->header_count,
        .payload_hash = s->payload_hash,
        .time = a->time,
    };
    status = ak_s3_sign(&signer, &to_sign, &a->authorization, err);
    if (status == AKIDB_OK)
        status = make_lines(a, err);
    if (status == AKIDB_OK)
        status =
            ak_buffer_printf(&a->url, err, "%s://%s%s%s%s", client->scheme,
                             (const char *)a->host.data, (const char *)a->path.data,
                             request->parameter_count > 0 ? "?" : "", (const char *)a->query.data);
    return status;
}

/* Lists are what S3's price lists call so too. */
static akidb_request_kind kind_of(const ak_s3_request *request)
{
    static const struct {
        const char *method;
        akidb_request_kind kind;
    } kinds[] = {{"HEAD", AKIDB_REQUEST_HEAD},
                 {"PUT", AKIDB_REQUEST_PUT},
                 {"POST", AKIDB_REQUEST_POST},
                 {"DELETE", AKIDB_REQUEST_DELETE}};
    if (strncmp(request->action, "s3:List", strlen("s3:List")) == 0)
        return AKIDB_REQUEST_LIST;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(request->method, kinds[i].method) == 0)
            return kinds[i].kind;
    return AKIDB_REQUEST_GET;
}

/* Sends it once and waits; AKIDB_E_CANCELLED when the caller wants to stop. */
static akidb_status exchange(sending *s, attempt *a, ak_http_response *response, akidb_error *err)
{
    const ak_s3_request *request = s->request;
    const ak_http_request http = {
        .method = request->method,
        .url = (const char *)a->url.data,
        .headers = a->line_starts,
        .header_count = a->line_count,
        .body = request->body,
        .body_count = request->body_count,
        .patient = request->patient,
        .into = request->into,
        .into_count = request->into_count,
        .max_body_bytes = request->max_body_bytes == 0 ? BODY_BYTES_MAX : request->max_body_bytes,
    };
    ak_http_transfer *transfer;
    ak_s3_counters *counters = &s->client->counters;
    akidb_status status = ak_http_start(s->client->http, &http, &transfer, err);
    if (status != AKIDB_OK)
        return status;
    atomic_fetch_add(&counters->requests[kind_of(request)], 1);
    if (s->tries++ > 0)
        atomic_fetch_add(&counters->retries, 1);
    while (!ak_http_wait(transfer, POLL_MS, response)) {
        if (is_cancelled(s)) {
            ak_http_abandon(transfer);
            atomic_fetch_add(&counters->failed, 1);
            return ak_fail(err, AKIDB_E_CANCELLED, "cancelled");
        }
    }
    atomic_fetch_add(&counters->sent_bytes, response->sent_bytes);
    atomic_fetch_add(&counters->received_bytes, response->into_used + response->body.size);
    return AKIDB_OK;
}

/* ---- understanding the answer ---------------------------------------------------------------- */

typedef struct error_body {
    ak_s3_answer *answer;
    char region[64];
    bool is_error;
} error_body;

static akidb_status read_error(void *context, const char *path, const char *text, akidb_error *err)
{
    (void)err;
    error_body *body = context;
    if (strncmp(path, "Error", 5) != 0)
        return AKIDB_OK;
    body->is_error = true;
    if (strcmp(path, "Error/Code") == 0)
        ak_s3_take(body->answer->error_code, sizeof body->answer->error_code, text);
    else if (strcmp(path, "Error/Message") == 0)
        ak_s3_take(body->answer->error_message, sizeof body->answer->error_message, text);
    else if (strcmp(path, "Error/Region") == 0)
        ak_s3_take(body->region, sizeof body->region, text);
    return AKIDB_OK;
}

static bool is_code(const ak_s3_answer *answer, const char *const *codes)
{
    for (; *codes != NULL; codes++)
        if (strcmp(answer->error_code, *codes) == 0)
            return true;
    return false;
}

static bool is_transient(const ak_s3_answer *answer)
{
    int code = answer->http.code;
    return code == 408 || code == 429 || code == 500 || code == 502 || code == 503 || code == 504 ||
           ak_s3_code_is_transient(answer->error_code);
}

/* Another region's bucket: learns it and says to sign anew. */
static bool follow_region(sending *s, const ak_s3_answer *answer, const char *body_region)
{
    char region[64];
    ak_s3_client *client = s->client;
    if (answer->http.code != 301 && answer->http.code != 307 && answer->http.code != 400)
        return false;
    if (!ak_http_header(&answer->http, "x-amz-bucket-region", region, sizeof region))
        ak_s3_take(region, sizeof region, body_region);
    for (const char *c = region; *c != '\0'; c++)
        if (!isalnum((unsigned char)*c) && *c != '-')
            return false;
    if (region[0] == '\0' || s->redirects == MAX_REDIRECTS)
        return false;
    if (strcmp(s->region, region) == 0)
        return false;
    s->redirects++;
    pthread_mutex_lock(&client->mutex);
    bool changed = strcmp(client->region, region) != 0; /* another thread may have learnt it too */
    if (changed)
        memcpy(client->region, region, sizeof region);
    pthread_mutex_unlock(&client->mutex);
    if (changed)
        ak_s3_log(client, AKIDB_LOG_INFO, "bucket %s lies in region %s", client->bucket, region);
    return true;
}

/* Our clock is off: learns by how much, once a request, and says to sign anew. */
static bool correct_clock(sending *s, const ak_s3_answer *answer)
{
    int64_t server;
    ak_s3_client *client = s->client;
    if (s->corrected_clock || strcmp(answer->error_code, "RequestTimeTooSkewed") != 0 ||
        !ak_s3_read_date(&answer->http, "date", &server))
        return false;
    int64_t offset = server - akidb_clock_now(client->clock);
    pthread_mutex_lock(&client->mutex);
    client->clock_offset = offset;
    pthread_mutex_unlock(&client->mutex);
    ak_s3_log(client, AKIDB_LOG_WARNING,
              "this machine's clock is %lld s off the server's: corrected",
              (long long)(-offset / 1000000));
    s->corrected_clock = true;
    return true;
}

/* The answer to a HEAD has no body that could say what is wrong: this guesses the two codes that
 * are worth another try. */
static void guess_code(const sending *s, ak_s3_answer *answer)
{
    const int64_t skew_max = INT64_C(15) * 60 * 1000000;
    int64_t server;
    if (strcmp(s->request->method, "HEAD") != 0)
        return;
    if (answer->http.code == 400 && s->has_token)
        ak_s3_take(answer->error_code, sizeof answer->error_code, "ExpiredToken");
    if (answer->http.code != 403 || !ak_s3_read_date(&answer->http, "date", &server))
        return;
    if (server - s->time > skew_max || s->time - server > skew_max)
        ak_s3_take(answer->error_code, sizeof answer->error_code, "RequestTimeTooSkewed");
}

static bool renew_keys(sending *s, const ak_s3_answer *answer)
{
    static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException",
                                        "TokenRefreshRequired", NULL};
    if (s->refreshed_keys || !is_code(answer, codes))
        return false;
    s->refreshed_keys = true;
    s->want_new_keys = true;
    return true;
}

/* Learns from the answer to an upload whether the server knows CRC-32C. Where it does, it has
 * compared it; until that is known, it has compared the Content-MD5. */
static void learn_checksum(sending *s, const ak_s3_answer *answer)
{
    ak_s3_client *client = s->client;
    char found[128];
    if (s->request->body_kind != AK_S3_BODY_OBJECT)
        return;
    if (ak_http_header(&answer->http, "x-amz-checksum-crc32c", found, sizeof found))
        atomic_store(&client->knows_crc32c, true);
    else if (!atomic_load(&client->knows_crc32c) && !atomic_exchange(&client->lacks_crc32c, true))
        ak_s3_log(client, AKIDB_LOG_INFO, "the server knows no CRC-32C: uploads carry %s instead",
                  client->lacks_md5 ? "a signed SHA-256" : "a Content-MD5");
}

/* An object that was uploaded in parts has a checksum of checksums, "...-N", which says nothing of
 * the bytes. */
static bool is_damaged(const sending *s, ak_s3_answer *answer)
{
    if (!s->request->check_answer ||
        !ak_http_header(&answer->http, "x-amz-checksum-crc32c", answer->told_crc32c,
                        sizeof answer->told_crc32c) ||
        strchr(answer->told_crc32c, '-') != NULL)
        return false;
    const akidb_slice body = {answer->http.body.data, answer->http.body.size};
    crc32c_text(&body, 1, answer->found_crc32c);
    return strcmp(answer->told_crc32c, answer->found_crc32c) != 0;
}

typedef enum verdict { FINAL, AGAIN_NOW, AGAIN_LATER } verdict;

static verdict judge_answer(sending *s, ak_s3_answer *answer)
{
    ak_http_response *http = &answer->http;
    error_body body = {.answer = answer};
    answer->error_code[0] = '\0';
    answer->error_message[0] = '\0';
    bool good = http->code >= 200 && http->code < 300;
    if ((!good || s->request->error_in_200) && http->body.size > 0) {
        akidb_status status = ak_xml_read((akidb_slice){http->body.data, http->body.size},
                                          s->request->action, read_error, &body, NULL);
        if (good && status != AKIDB_OK)
            body.is_error = true;
    }
    if (good && s->request->error_in_200 && http->body.size == 0)
        body.is_error = true;
    if (good && !body.is_error) {
        learn_checksum(s, answer);
        answer->is_damaged = is_damaged(s, answer);
        return answer->is_damaged ? AGAIN_LATER : FINAL;
    }
    if (good) { /* 200, and then it went wrong after all */
        http->code = 500;
        answer->was_lost = true;
        return AGAIN_LATER;
    }
    guess_code(s, answer);
    if (follow_region(s, answer, body.region) || correct_clock(s, answer) || renew_keys(s, answer))
        return AGAIN_NOW;
    /* Not implemented, no space: the server has not even begun. */
    if (http->code >= 500 && http->code != 501 && http->code != 507)
        answer->was_lost = true;
    return is_transient(answer) ? AGAIN_LATER : FINAL;
}

/* ---- trying again ---------------------------------------------------------------------------- */

static uint32_t server_wait_ms(const ak_http_response *http)
{
    char text[16];
    if (http->outcome != AK_HTTP_ANSWERED ||
        !ak_http_header(http, "retry-after", text, sizeof text))
        return 0;
    char *end;
    unsigned long seconds = strtoul(text, &end, 10);
    return end == text || *end != '\0' || seconds > 300 ? 0 : (uint32_t)seconds * 1000;
}

static akidb_status sleep_ms(const sending *s, uint32_t delay_ms, akidb_error *err)
{
    while (delay_ms > 0) {
        uint32_t piece = delay_ms < POLL_MS ? delay_ms : POLL_MS;
        const struct timespec time = {0, (long)piece * 1000000};
        nanosleep(&time, NULL);
        delay_ms -= piece;
        if (is_cancelled(s))
            return ak_fail(err, AKIDB_E_CANCELLED, "cancelled");
    }
    return AKIDB_OK;
}

static akidb_status give_up(sending *s, const ak_s3_answer *answer, akidb_error *err)
{
    char name[AKIDB_KEY_MAX + 300], reason[800];
    ak_s3_name(s->client, s->request->key, name, sizeof name);
    ak_s3_describe(answer, reason, sizeof reason);
    long long seconds = (monotonic_ms() - s->retry.started_ms + 500) / 1000;
    bool uncertain = answer->was_lost && ak_s3_is_visible(s->request);
    akidb_status status = answer->is_damaged ? AKIDB_E_CORRUPTION
                          : uncertain        ? AKIDB_E_UNCERTAIN
                                             : AKIDB_E_STORE;
    return ak_fail_at(err, status, AK_IN(name), "%s: %s after %u tries in %lld s: %s",
                      s->request->action, uncertain ? "the outcome is not known" : "gave up",
                      s->retry.made, seconds, reason);
}

static akidb_status fail_without_retry(sending *s, const ak_s3_answer *answer, akidb_error *err)
{
    char name[AKIDB_KEY_MAX + 300];
    ak_s3_name(s->client, s->request->key, name, sizeof name);
    const char *action = s->request->action;
    switch (answer->http.outcome) {
    case AK_HTTP_NO_MEMORY: return ak_fail_memory(err, 0);
    case AK_HTTP_TOO_LONG:
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(name), "%s: the answer is too long", action);
    default:
        return ak_fail_at(err, AKIDB_E_STORE, AK_IN(name), "%s: %s", action, answer->http.reason);
    }
}

/* The last try did not go out, or its answer was none; an earlier one may have been acted on, or
 * this one, if an answer had begun. */
static akidb_status add_doubt(const sending *s, const ak_s3_answer *answer, akidb_status status,
                              akidb_error *err)
{
    bool broken_off = answer->http.code != 0 && (answer->http.outcome == AK_HTTP_TOO_LONG ||
                                                 answer->http.outcome == AK_HTTP_NO_MEMORY);
    if ((!answer->was_lost && !broken_off) || !ak_s3_is_visible(s->request) ||
        status == AKIDB_E_CANCELLED || status == AKIDB_E_UNCERTAIN)
        return status;
    ak_error_context(err, "the outcome is not known");
    if (err != NULL)
        err->status = AKIDB_E_UNCERTAIN;
    return AKIDB_E_UNCERTAIN;
}

/* What one try led to. */
static verdict judge(sending *s, ak_s3_answer *answer)
{
    switch (answer->http.outcome) {
    case AK_HTTP_ANSWERED: return judge_answer(s, answer);
    case AK_HTTP_NOT_SENT: return AGAIN_LATER;
    case AK_HTTP_LOST: answer->was_lost = true; return AGAIN_LATER;
    case AK_HTTP_NO_HTTP: answer->was_lost = true; break;
    case AK_HTTP_TOO_LONG:
    case AK_HTTP_REFUSED:
    case AK_HTTP_NO_MEMORY: break;
    }
    return FINAL;
}

static akidb_status try_once(sending *s, ak_s3_answer *answer, akidb_error *err)
{
    attempt a = {.header_count = 0};
    ak_http_response_free(&answer->http);
    answer->http = (ak_http_response){0};
    answer->is_damaged = false;
    if (is_cancelled(s))
        return ak_fail(err, AKIDB_E_CANCELLED, "cancelled");
    akidb_status status = prepare(s, &a, err);
    if (status == AKIDB_OK)
        status = exchange(s, &a, &answer->http, err);
    attempt_free(&a);
    return status;
}

/* Whether to try again: waits, or fills *err and returns the failure. */
static akidb_status wait_for_next(sending *s, const ak_s3_answer *answer, akidb_error *err)
{
    ak_s3_client *client = s->client;
    uint64_t random = 0;
    uint32_t delay_ms;
    akidb_status status = ak_random_bytes(&random, sizeof random, err);
    if (status != AKIDB_OK)
        return status;
    pthread_mutex_lock(&client->mutex);
    bool again = ak_retry_again(&s->retry, &client->budget, monotonic_ms(),
                                server_wait_ms(&answer->http), random, &delay_ms);
    pthread_mutex_unlock(&client->mutex);
    if (!again || s->request->once)
        return give_up(s, answer, err);
    int64_t waited_ms = monotonic_ms() - s->retry.started_ms;
    if (waited_ms + delay_ms >= SLOW_MS) {
        char reason[800];
        ak_s3_describe(answer, reason, sizeof reason);
        ak_s3_log(client, AKIDB_LOG_INFO, "%s: try %u failed after %lld s, again in %u ms: %s",
                  s->request->action, s->retry.made, (long long)(waited_ms / 1000), delay_ms,
                  reason);
    }
    return sleep_ms(s, delay_ms, err);
}

/* Whether it says what the caller wanted to know, be that "not there" or "already there". */
static bool is_an_answer(const ak_s3_answer *answer)
{
    int code = answer->http.code;
    return answer->http.outcome == AK_HTTP_ANSWERED &&
           (ak_s3_is_good(answer) || code == 404 || code == 412 || code == 416);
}

static akidb_status send_until_answered(ak_s3_client *client, const ak_s3_request *request,
                                        bool cleaning, ak_s3_answer *answer_out, akidb_error *err)
{
    *answer_out = (ak_s3_answer){0};
    sending s = {.client = client, .request = request, .cleaning = cleaning};
    s.retry = ak_retry_begin(&client->retry, monotonic_ms());
    akidb_status status = compute_checksums(&s, answer_out, err);
    while (status == AKIDB_OK) {
        status = try_once(&s, answer_out, err);
        if (status != AKIDB_OK)
            break;
        verdict next = judge(&s, answer_out);
        if (next != FINAL || !is_an_answer(answer_out))
            atomic_fetch_add(&client->counters.failed, 1);
        if (next == FINAL)
            break;
        if (next == AGAIN_LATER)
            status = wait_for_next(&s, answer_out, err);
    }
    if (status == AKIDB_OK && answer_out->http.outcome != AK_HTTP_ANSWERED)
        status = fail_without_retry(&s, answer_out, err);
    if (status != AKIDB_OK)
        status = add_doubt(&s, answer_out, status, err);
    if (status == AKIDB_OK) {
        pthread_mutex_lock(&client->mutex);
        ak_retry_succeeded(&s.retry, &client->budget);
        pthread_mutex_unlock(&client->mutex);
    } else {
        ak_s3_answer_free(answer_out);
    }
    return status;
}

akidb_status ak_s3_send(ak_s3_client *client, const ak_s3_request *request,
                        ak_s3_answer *answer_out, akidb_error *err)
{
    return send_until_answered(client, request, false, answer_out, err);
}

akidb_status ak_s3_send_uncancelled(ak_s3_client *client, const ak_s3_request *request,
                                    ak_s3_answer *answer_out, akidb_error *err)
{
    return send_until_answered(client, request, true, answer_out, err);
}

void ak_s3_answer_free(ak_s3_answer *answer)
{
    ak_http_response_free(&answer->http);
    *answer = (ak_s3_answer){0};
}
