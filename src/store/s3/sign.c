#include "store/s3/sign.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

enum { HASH_BYTES = 32 };

/* ---- encoding -------------------------------------------------------------------------------- */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

akidb_status ak_s3_encode(const char *text, bool keep_slash, akidb_buffer *buffer, akidb_error *err)
{
    static const char hex[] = "0123456789ABCDEF";
    for (; *text != '\0'; text++) {
        uint8_t byte = (uint8_t)*text;
        char encoded[3] = {'%', hex[byte >> 4], hex[byte & 15]};
        bool plain = is_unreserved(*text) || (keep_slash && *text == '/');
        akidb_status status = plain ? ak_buffer_append(buffer, text, 1, err)
                                    : ak_buffer_append(buffer, encoded, sizeof encoded, err);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

/* The order is that of the encoded names. All names that S3 knows consist of unreserved characters,
 * which encode as themselves, and none comes twice. */
static void sort_parameters(ak_s3_parameter *parameters, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && strcmp(parameters[j].name, parameters[j - 1].name) < 0; j--) {
            ak_s3_parameter moved = parameters[j];
            parameters[j] = parameters[j - 1];
            parameters[j - 1] = moved;
        }
}

akidb_status ak_s3_append_query(const ak_s3_parameter *parameters, size_t count,
                                akidb_buffer *buffer, akidb_error *err)
{
    enum { PARAMETERS_MAX = 16 };
    ak_s3_parameter sorted[PARAMETERS_MAX];
    if (count > PARAMETERS_MAX)
        return ak_fail(err, AKIDB_E_LIMIT, "a request has at most %d query parameters, found %zu",
                       PARAMETERS_MAX, count);
    if (count > 0)
        memcpy(sorted, parameters, count * sizeof *parameters);
    sort_parameters(sorted, count);
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        if (i > 0)
            status = ak_buffer_put(buffer, '&', err);
        if (status == AKIDB_OK)
            status = ak_s3_encode(sorted[i].name, false, buffer, err);
        if (status == AKIDB_OK)
            status = ak_buffer_put(buffer, '=', err);
        if (status == AKIDB_OK)
            status = ak_s3_encode(sorted[i].value, false, buffer, err);
    }
    return status;
}

void ak_s3_date(int64_t time, char text_out[AK_S3_DATE_SIZE])
{
    char rfc3339[AKIDB_TIME_TEXT_SIZE]; /* 2013-05-24T00:00:00.000000Z */
    akidb_time_format(time, rfc3339);
    size_t used = 0;
    for (size_t i = 0; i < 19; i++)
        if (rfc3339[i] != '-' && rfc3339[i] != ':')
            text_out[used++] = rfc3339[i];
    text_out[used++] = 'Z';
    text_out[used] = '\0';
}

/* ---- hashing --------------------------------------------------------------------------------- */

static void to_hex(const uint8_t bytes[HASH_BYTES], char hex_out[AK_S3_HASH_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < HASH_BYTES; i++) {
        hex_out[2 * i] = hex[bytes[i] >> 4];
        hex_out[2 * i + 1] = hex[bytes[i] & 15];
    }
    hex_out[2 * HASH_BYTES] = '\0';
}

akidb_status ak_s3_hash(const akidb_slice *slices, size_t count, char hex_out[AK_S3_HASH_SIZE],
                        akidb_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; ok && i < count; i++)
        ok = slices[i].size == 0 || EVP_DigestUpdate(context, slices[i].data, slices[i].size) == 1;
    uint8_t digest[EVP_MAX_MD_SIZE];
    ok = ok && EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        return ak_fail(err, AKIDB_E_OUT_OF_MEMORY, "a SHA-256 could not be computed");
    to_hex(digest, hex_out);
    return AKIDB_OK;
}

static bool hmac(const void *key, size_t key_size, const void *text, size_t text_size,
                 uint8_t out[HASH_BYTES])
{
    unsigned size = HASH_BYTES;
    return HMAC(EVP_sha256(), key, (int)key_size, text, text_size, out, &size) != NULL;
}

/* ---- canonical request ----------------------------------------------------------------------- */

/* Two of one name stay in the order given, in which their values are joined. */
static void sort_headers(ak_s3_header *headers, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && strcmp(headers[j].name, headers[j - 1].name) < 0; j--) {
            ak_s3_header moved = headers[j];
            headers[j] = headers[j - 1];
            headers[j - 1] = moved;
        }
}

/* The value without blanks at its ends, and with one blank for each run of them inside. */
static akidb_status append_trimmed(akidb_buffer *buffer, const char *value, akidb_error *err)
{
    bool pending = false, any = false;
    for (; *value != '\0'; value++) {
        if (*value == ' ' || *value == '\t') {
            pending = any;
            continue;
        }
        akidb_status status = pending ? ak_buffer_put(buffer, ' ', err) : AKIDB_OK;
        if (status == AKIDB_OK)
            status = ak_buffer_put(buffer, (uint8_t)*value, err);
        if (status != AKIDB_OK)
            return status;
        pending = false;
        any = true;
    }
    return AKIDB_OK;
}

/* "host:...\nx-amz-date:...\n"; a name that comes twice is one line, its values joined by ','. */
static akidb_status append_headers(akidb_buffer *buffer, const ak_s3_header *headers, size_t count,
                                   akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        bool again = i > 0 && strcmp(headers[i].name, headers[i - 1].name) == 0;
        bool more = i + 1 < count && strcmp(headers[i].name, headers[i + 1].name) == 0;
        if (again)
            status = ak_buffer_put(buffer, ',', err);
        else
            status = ak_buffer_printf(buffer, err, "%s:", headers[i].name);
        if (status == AKIDB_OK)
            status = append_trimmed(buffer, headers[i].value, err);
        if (status == AKIDB_OK && !more)
            status = ak_buffer_put(buffer, '\n', err);
    }
    return status;
}

/* "host;x-amz-date" */
static akidb_status append_names(akidb_buffer *buffer, const ak_s3_header *headers, size_t count,
                                 akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        if (i > 0 && strcmp(headers[i].name, headers[i - 1].name) == 0)
            continue;
        status = ak_buffer_printf(buffer, err, "%s%s", i > 0 ? ";" : "", headers[i].name);
    }
    return status;
}

static akidb_status hash_canonical_request(const ak_s3_to_sign *request,
                                           const ak_s3_header *headers, const char *names,
                                           char hex_out[AK_S3_HASH_SIZE], akidb_error *err)
{
    akidb_buffer text = {0};
    akidb_status status = ak_buffer_printf(&text, err, "%s\n%s\n%s\n", request->method,
                                           request->path, request->query);
    if (status == AKIDB_OK)
        status = append_headers(&text, headers, request->header_count, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(&text, err, "\n%s\n%s", names, request->payload_hash);
    if (status == AKIDB_OK)
        status = ak_s3_hash(&(akidb_slice){text.data, text.size}, 1, hex_out, err);
    akidb_buffer_free(&text);
    return status;
}

/* ---- signature ------------------------------------------------------------------------------- */

/* The key of a day, region and service, and with it the signature of `text`. */
static akidb_status compute_signature(const ak_s3_signer *signer, const char *date,
                                      akidb_slice text, char hex_out[AK_S3_HASH_SIZE],
                                      akidb_error *err)
{
    akidb_buffer secret = {0};
    akidb_status status = ak_buffer_printf(&secret, err, "AWS4%s", signer->secret_access_key);
    if (status != AKIDB_OK)
        return status;
    uint8_t a[HASH_BYTES], b[HASH_BYTES];
    bool ok = hmac(secret.data, secret.size, date, 8, a) &&
              hmac(a, sizeof a, signer->region, strlen(signer->region), b) &&
              hmac(b, sizeof b, signer->service, strlen(signer->service), a) &&
              hmac(a, sizeof a, "aws4_request", 12, b) &&
              hmac(b, sizeof b, text.data, text.size, a);
    if (ok)
        to_hex(a, hex_out);
    OPENSSL_cleanse(secret.data, secret.capacity);
    OPENSSL_cleanse(b, sizeof b);
    akidb_buffer_free(&secret);
    return ok ? AKIDB_OK : ak_fail(err, AKIDB_E_OUT_OF_MEMORY, "an HMAC could not be computed");
}

static akidb_status sign_with_names(const ak_s3_signer *signer, const ak_s3_to_sign *request,
                                    const ak_s3_header *headers, const char *names,
                                    akidb_buffer *authorization, akidb_error *err)
{
    char date[AK_S3_DATE_SIZE], hash[AK_S3_HASH_SIZE], signature[AK_S3_HASH_SIZE];
    akidb_buffer text = {0};
    ak_s3_date(request->time, date);
    akidb_status status = hash_canonical_request(request, headers, names, hash, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(&text, err, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s",
                                  date, date, signer->region, signer->service, hash);
    if (status == AKIDB_OK)
        status =
            compute_signature(signer, date, (akidb_slice){text.data, text.size}, signature, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(authorization, err,
                                  "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request,"
                                  "SignedHeaders=%s,Signature=%s",
                                  signer->access_key_id, date, signer->region, signer->service,
                                  names, signature);
    akidb_buffer_free(&text);
    return status;
}

akidb_status ak_s3_sign(const ak_s3_signer *signer, const ak_s3_to_sign *request,
                        akidb_buffer *authorization, akidb_error *err)
{
    enum { HEADERS_MAX = 64 };
    ak_s3_header sorted[HEADERS_MAX];
    if (request->header_count > HEADERS_MAX)
        return ak_fail(err, AKIDB_E_LIMIT, "a request has at most %d signed headers, found %zu",
                       HEADERS_MAX, request->header_count);
    if (request->header_count > 0)
        memcpy(sorted, request->headers, request->header_count * sizeof *sorted);
    sort_headers(sorted, request->header_count);

    akidb_buffer names = {0};
    akidb_status status = append_names(&names, sorted, request->header_count, err);
    if (status == AKIDB_OK)
        status = ak_buffer_put(&names, '\0', err);
    if (status == AKIDB_OK)
        status =
            sign_with_names(signer, request, sorted, (const char *)names.data, authorization, err);
    akidb_buffer_free(&names);
    return status;
}
