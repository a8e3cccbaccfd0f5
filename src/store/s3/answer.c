/* What an answer means, in the library's words; and what a request is called in messages. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "store/s3/client.h"

bool ak_s3_code_is_transient(const char *code)
{
    static const char *const codes[] = {"SlowDown",
                                        "SlowDownRead",
                                        "SlowDownWrite",
                                        "ServiceUnavailable",
                                        "InternalError",
                                        "RequestTimeout",
                                        "Throttling",
                                        "ThrottlingException",
                                        "RequestLimitExceeded",
                                        "RequestThrottled",
                                        "OperationAborted",
                                        "ConditionalRequestConflict",
                                        "BadDigest",
                                        "XAmzContentChecksumMismatch",
                                        "XAmzContentSHA256Mismatch",
                                        "IncompleteBody"};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

void ak_s3_describe(const ak_s3_answer *answer, char *text, size_t size)
{
    if (answer->is_damaged)
        snprintf(text, size,
                 "the bytes that arrived have the CRC-32C %s (base64), the server told %s",
                 answer->found_crc32c, answer->told_crc32c);
    else if (answer->http.outcome != AK_HTTP_ANSWERED)
        snprintf(text, size, "%s", answer->http.reason);
    else
        snprintf(text, size, "%d%s%s%s%s", answer->http.code,
                 answer->error_code[0] != '\0' ? " " : "", answer->error_code,
                 answer->error_message[0] != '\0' ? ": " : "", answer->error_message);
}

void ak_s3_name(const ak_s3_client *client, const char *full_key, char *text_out, size_t size)
{
    const char *slash = full_key == NULL || full_key[0] == '\0' ? "" : "/";
    snprintf(text_out, size, "s3://%s%s%s", client->bucket, slash,
             full_key == NULL ? "" : full_key);
}

akidb_status ak_s3_full_key(const ak_s3_client *client, const char *key,
                            char full_out[AKIDB_KEY_MAX + 1], akidb_error *err)
{
    size_t prefix = strlen(client->prefix), size = strlen(key);
    if (prefix + size > AKIDB_KEY_MAX)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(key),
                          "with the store's prefix the key has %zu bytes; at most %u are allowed",
                          prefix + size, AKIDB_KEY_MAX);
    memcpy(full_out, client->prefix, prefix);
    memcpy(full_out + prefix, key, size + 1);
    return AKIDB_OK;
}

akidb_status ak_s3_fail(const ak_s3_client *client, const ak_s3_request *request,
                        const ak_s3_answer *answer, akidb_error *err)
{
    char name[AKIDB_KEY_MAX + 300], reason[800];
    int code = answer->http.code;
    ak_s3_name(client, request->key, name, sizeof name);
    ak_s3_describe(answer, reason, sizeof reason);
    if (answer->was_lost && ak_s3_is_visible(request) && code != 412)
        return ak_fail_at(err, AKIDB_E_UNCERTAIN, AK_IN(name),
                          "%s: the outcome of an earlier try is not known, and the last one was "
                          "answered with %s",
                          request->action, reason);
    if (strcmp(answer->error_code, "NoSuchBucket") == 0)
        return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(name), "there is no bucket %s",
                          client->bucket);
    if (code == 404)
        return ak_fail_at(err, AKIDB_E_NOT_FOUND, AK_IN(name), "not there (%s)", reason);
    if (code == 412)
        return ak_fail_at(err, AKIDB_E_ALREADY_EXISTS, AK_IN(name), "the key is taken");
    if (code == 401 || code == 403)
        return ak_fail_at(err, AKIDB_E_PERMISSION, AK_IN(name),
                          "the keys in use lack the right %s on bucket %s, or are not valid (%s)",
                          request->action, client->bucket, reason);
    return ak_fail_at(err, AKIDB_E_STORE, AK_IN(name), "%s: the server answered %s",
                      request->action, reason);
}

akidb_status ak_s3_finish(const ak_s3_client *client, const ak_s3_request *request,
                          ak_s3_answer *answer, akidb_error *err)
{
    akidb_status status =
        ak_s3_is_good(answer) ? AKIDB_OK : ak_s3_fail(client, request, answer, err);
    ak_s3_answer_free(answer);
    return status;
}

akidb_status ak_s3_send_for_good(ak_s3_client *client, const ak_s3_request *request,
                                 ak_s3_answer *answer_out, akidb_error *err)
{
    akidb_status status = ak_s3_send(client, request, answer_out, err);
    if (status != AKIDB_OK || ak_s3_is_good(answer_out))
        return status;
    return ak_s3_finish(client, request, answer_out, err);
}

/* ---- answers in XML -------------------------------------------------------------------------- */

typedef struct rooted {
    const char *root;
    size_t root_size;
    bool found;
    ak_xml_visitor *visitor;
    void *context;
} rooted;

static akidb_status visit_below_root(void *context, const char *path, const char *text,
                                     akidb_error *err)
{
    rooted *r = context;
    if (strncmp(path, r->root, r->root_size) != 0)
        return AKIDB_OK;
    const char *rest = path + r->root_size;
    r->found = r->found || *rest == '\0';
    if (*rest != '/' || r->visitor == NULL)
        return AKIDB_OK;
    return r->visitor(r->context, rest + 1, text, err);
}

akidb_status ak_s3_read_xml(const ak_s3_request *request, const ak_s3_answer *answer,
                            const char *root, ak_xml_visitor *visitor, void *context,
                            akidb_error *err)
{
    rooted r = {root, strlen(root), false, visitor, context};
    const akidb_slice body = {answer->http.body.data, answer->http.body.size};
    akidb_status status = ak_xml_read(body, request->action, visit_below_root, &r, err);
    if (status == AKIDB_OK && !r.found)
        status = ak_fail(err, AKIDB_E_STORE, "%s: expected the XML of a %s, found another",
                         request->action, root);
    return status;
}

akidb_status ak_s3_send_for_xml(ak_s3_client *client, const ak_s3_request *request,
                                const char *root, ak_xml_visitor *visitor, void *context,
                                akidb_error *err)
{
    ak_s3_answer answer;
    akidb_status status = ak_s3_send_for_good(client, request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_s3_read_xml(request, &answer, root, visitor, context, err);
    ak_s3_answer_free(&answer);
    return status;
}

void ak_s3_add_encryption(const ak_s3_client *client, ak_s3_request *request)
{
    if (client->sse != NULL)
        ak_s3_add_header(request, "x-amz-server-side-encryption", client->sse);
    if (client->sse_key != NULL)
        ak_s3_add_header(request, "x-amz-server-side-encryption-aws-kms-key-id", client->sse_key);
}

/* The key is not compared: servers give it another name than it was asked for by. */
bool ak_s3_tells_encryption(const ak_s3_client *client, const ak_s3_answer *answer)
{
    char told[64];
    return client->sse == NULL ||
           (ak_http_header(&answer->http, "x-amz-server-side-encryption", told, sizeof told) &&
            strcmp(told, client->sse) == 0);
}

/* ---- values that a server tells -------------------------------------------------------------- */

bool ak_s3_is_visible(const ak_s3_request *request)
{
    return strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0 &&
           !request->invisible;
}

void ak_s3_take(char *to, size_t size, const char *text)
{
    size_t length = strnlen(text, size - 1);
    for (size_t i = 0; i < length; i++)
        to[i] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
    to[length] = '\0';
}

bool ak_s3_read_number(const char *text, uint64_t *number_out)
{
    uint64_t number = 0;
    *number_out = 0;
    if (text[0] == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (number > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *number_out = number;
    return true;
}

bool ak_s3_read_date(const ak_http_response *http, const char *name, int64_t *time_out)
{
    char text[64];
    *time_out = 0;
    if (!ak_http_header(http, name, text, sizeof text))
        return false;
    time_t seconds = curl_getdate(text, NULL); /* of any year that fits in an int */
    if (seconds < 0 || seconds > AKIDB_TIME_MAX / 1000000)
        return false;
    *time_out = (int64_t)seconds * 1000000;
    return true;
}
