#include "store/s3/credentials.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/s3/sign.h"
#include "store/s3/xml.h"
#include "json/json.h"

typedef enum source { SOURCE_STATIC, SOURCE_WEB_IDENTITY, SOURCE_CONTAINER, SOURCE_EC2 } source;

struct ak_s3_provider {
    source source;
    ak_http *http;
    const akidb_clock *clock;
    bool (*cancelled)(void *context);
    void *context;
    bool profile_is_named;
    pthread_mutex_t mutex;
    pthread_cond_t fetched;
    bool fetching; /* one thread is asking for new keys */
    bool have;
    int64_t next_try; /* after a failure while the old keys still serve: not before that time */
    ak_s3_credentials current;
    char *url;        /* token service, container or metadata endpoint */
    char *role_arn;   /* web identity */
    char *token_file; /* web identity; container, or NULL */
    char *token;      /* container: the header's value, or NULL */
};

enum {
    REFRESH_BEFORE_SECONDS = 300,
    TRY_AGAIN_SECONDS = 30,
    ANSWER_BYTES_MAX = 256 << 10,
    TOKEN_BYTES_MAX = 64 << 10,
    POLL_MS = 200,
    METADATA_TIMEOUT_MS = 2000,
    SERVICE_TIMEOUT_MS = 30000
};

void ak_s3_credentials_wipe(ak_s3_credentials *credentials)
{
    OPENSSL_cleanse(credentials, sizeof *credentials);
}

/* ---- small helpers --------------------------------------------------------------------------- */

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static akidb_status copy_text(char *to, size_t size, const char *from, const char *what,
                              akidb_error *err)
{
    size_t length = strlen(from);
    if (length >= size)
        return ak_fail(err, AKIDB_E_VALIDATION, "the %s has over %zu bytes", what, size - 1);
    for (size_t i = 0; i < length; i++)
        if (from[i] < '!' || from[i] > '~') /* it goes into a header */
            return ak_fail(
                err, AKIDB_E_VALIDATION,
                "the %s holds a blank, the end of a line or another byte that no key has", what);
    memcpy(to, from, length + 1);
    return AKIDB_OK;
}

static akidb_status duplicate(const char *from, char **to, akidb_error *err)
{
    *to = strdup(from);
    return *to != NULL ? AKIDB_OK : ak_fail_memory(err, strlen(from) + 1);
}

static void wipe_buffer(akidb_buffer *buffer)
{
    if (buffer->data != NULL)
        OPENSSL_cleanse(buffer->data, buffer->capacity);
    akidb_buffer_free(buffer);
}

static akidb_status set_keys(ak_s3_credentials *keys, const char *id, const char *secret,
                             const char *token, akidb_error *err)
{
    akidb_status status =
        copy_text(keys->access_key_id, sizeof keys->access_key_id, id, "access key id", err);
    if (status == AKIDB_OK)
        status = copy_text(keys->secret_access_key, sizeof keys->secret_access_key, secret,
                           "secret access key", err);
    if (status == AKIDB_OK)
        status = copy_text(keys->session_token, sizeof keys->session_token,
                           token == NULL ? "" : token, "session token", err);
    return status;
}

/* What goes into a header as it came: it must not begin another. */
static akidb_status check_header_text(const char *text, const char *what, akidb_error *err)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            return ak_fail(err, AKIDB_E_VALIDATION,
                           "%s holds the end of a line or another control "
                           "character",
                           what);
    return AKIDB_OK;
}

/* Waits for an answer, for a while, unless the caller wants to stop. */
static akidb_status wait_for_answer(const ak_s3_provider *provider, ak_http_transfer *transfer,
                                    int timeout_ms, const char *what, ak_http_response *response,
                                    akidb_error *err)
{
    for (int waited = 0; waited < timeout_ms; waited += POLL_MS) {
        if (ak_http_wait(transfer, POLL_MS, response))
            return AKIDB_OK;
        if (provider->cancelled != NULL && provider->cancelled(provider->context)) {
            ak_http_abandon(transfer);
            return ak_fail(err, AKIDB_E_CANCELLED, "cancelled");
        }
    }
    ak_http_abandon(transfer);
    return ak_fail(err, AKIDB_E_TIMEOUT, "%s did not answer within %d ms", what, timeout_ms);
}

/* One request without retries; the answer's body must be a 2xx one. `what` names the service. */
static akidb_status ask(const ak_s3_provider *provider, const ak_http_request *request,
                        int timeout_ms, const char *what, akidb_buffer *body_out, akidb_error *err)
{
    ak_http_transfer *transfer;
    ak_http_response response = {0};
    akidb_status status = ak_http_start(provider->http, request, &transfer, err);
    if (status == AKIDB_OK)
        status = wait_for_answer(provider, transfer, timeout_ms, what, &response, err);
    if (status != AKIDB_OK)
        return status;
    if (response.outcome != AK_HTTP_ANSWERED)
        status = ak_fail(err, AKIDB_E_STORE, "%s could not be asked for keys: %s", what,
                         response.reason);
    else if (response.code < 200 || response.code > 299)
        status = ak_fail(err, AKIDB_E_PERMISSION, "%s gave no keys: it answered %d", what,
                         response.code);
    if (status == AKIDB_OK) {
        *body_out = response.body;
        response.body = (akidb_buffer){0};
        /* Terminated, for those who read it as text; the size does not count it. */
        status = ak_buffer_reserve(body_out, 1, err);
        if (status == AKIDB_OK)
            body_out->data[body_out->size] = '\0';
        else
            wipe_buffer(body_out);
    }
    wipe_buffer(&response.body);
    ak_http_response_free(&response);
    return status;
}

static akidb_status read_token_file(const char *path, akidb_buffer *text, akidb_error *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return ak_fail_errno(err, errno, path, "the token could not be read");
    akidb_status status = ak_buffer_reserve(text, TOKEN_BYTES_MAX + 1, err);
    if (status == AKIDB_OK) {
        text->size = fread(text->data, 1, TOKEN_BYTES_MAX, file);
        if (ferror(file))
            status = ak_fail_errno(err, errno, path, "the token could not be read");
        while (text->size > 0 && strchr("\r\n \t", text->data[text->size - 1]) != NULL)
            text->size--;
        text->data[text->size] = '\0';
    }
    fclose(file);
    return status;
}

/* ---- keys as JSON: container and EC2 --------------------------------------------------------- */

static akidb_status parse_json_keys(const akidb_buffer *body, const char *what,
                                    ak_s3_credentials *keys, akidb_error *err)
{
    ak_json_tree *tree;
    akidb_status status = ak_json_parse((akidb_slice){body->data, body->size}, &tree, err);
    if (status != AKIDB_OK) /* the parser's message might quote a secret */
        return ak_fail(err, AKIDB_E_STORE, "%s answered with text that is not JSON", what);
    const ak_json_value *root = ak_json_root(tree);
    const char *id = ak_json_string(ak_json_member(root, "AccessKeyId"));
    const char *secret = ak_json_string(ak_json_member(root, "SecretAccessKey"));
    const char *token = ak_json_string(ak_json_member(root, "Token"));
    const char *expiration = ak_json_string(ak_json_member(root, "Expiration"));
    keys->expires_at = INT64_MAX;
    if (id == NULL || secret == NULL)
        status = ak_fail(err, AKIDB_E_PERMISSION, "%s answered without keys", what);
    else
        status = set_keys(keys, id, secret, token, err);
    if (status == AKIDB_OK && expiration != NULL)
        status = akidb_time_parse(expiration, &keys->expires_at, err);
    ak_json_tree_free(tree);
    return status;
}

static akidb_status fetch_from_container(ak_s3_provider *provider, ak_s3_credentials *keys,
                                         akidb_error *err)
{
    akidb_buffer token = {0}, header = {0}, body = {0};
    akidb_status status = AKIDB_OK;
    if (provider->token_file != NULL)
        status = read_token_file(provider->token_file, &token, err);
    else if (provider->token != NULL)
        status = ak_buffer_printf(&token, err, "%s", provider->token);
    if (status == AKIDB_OK && token.size > 0)
        status = check_header_text((const char *)token.data, "the container's token", err);
    if (status == AKIDB_OK && token.size > 0)
        status = ak_buffer_printf(&header, err, "Authorization: %s", (const char *)token.data);
    const char *headers[1] = {(const char *)header.data};
    const ak_http_request request = {.method = "GET",
                                     .url = provider->url,
                                     .headers = headers,
                                     .header_count = header.size > 0 ? 1 : 0,
                                     .direct = true,
                                     .max_body_bytes = ANSWER_BYTES_MAX};
    if (status == AKIDB_OK)
        status =
            ask(provider, &request, SERVICE_TIMEOUT_MS, "the container's endpoint", &body, err);
    if (status == AKIDB_OK)
        status = parse_json_keys(&body, "the container's endpoint", keys, err);
    wipe_buffer(&token);
    wipe_buffer(&header);
    wipe_buffer(&body);
    return status;
}

/* One line of the metadata service, with a session token (IMDSv2). */
static akidb_status ask_metadata(ak_s3_provider *provider, const char *method, const char *path,
                                 const char *header, akidb_buffer *body_out, akidb_error *err)
{
    akidb_buffer url = {0};
    akidb_status status = ak_buffer_printf(&url, err, "%s%s", provider->url, path);
    if (status == AKIDB_OK) {
        const ak_http_request request = {.method = method,
                                         .url = (const char *)url.data,
                                         .headers = &header,
                                         .header_count = 1,
                                         .direct = true,
                                         .max_body_bytes = ANSWER_BYTES_MAX};
        status =
            ask(provider, &request, METADATA_TIMEOUT_MS, "the EC2 metadata service", body_out, err);
    }
    akidb_buffer_free(&url);
    return status;
}

static akidb_status fetch_from_ec2(ak_s3_provider *provider, ak_s3_credentials *keys,
                                   akidb_error *err)
{
    static const char list[] = "/latest/meta-data/iam/security-credentials/";
    akidb_buffer token = {0}, header = {0}, role = {0}, path = {0}, body = {0};
    akidb_status status = ask_metadata(provider, "PUT", "/latest/api/token",
                                       "X-aws-ec2-metadata-token-ttl-seconds: 21600", &token, err);
    if (status == AKIDB_OK)
        status =
            check_header_text((const char *)token.data, "the EC2 metadata service's token", err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(&header, err, "X-aws-ec2-metadata-token: %s",
                                  (const char *)token.data);
    if (status == AKIDB_OK)
        status = ask_metadata(provider, "GET", list, (const char *)header.data, &role, err);
    if (status == AKIDB_OK && role.data != NULL) {
        role.data[strcspn((const char *)role.data, "\r\n")] = '\0'; /* the first role of the list */
        status = ak_buffer_printf(&path, err, "%s", list);
    }
    if (status == AKIDB_OK)
        status = ak_s3_encode((const char *)role.data, false, &path, err);
    if (status == AKIDB_OK)
        status = ak_buffer_put(&path, '\0', err);
    if (status == AKIDB_OK)
        status = ask_metadata(provider, "GET", (const char *)path.data, (const char *)header.data,
                              &body, err);
    if (status == AKIDB_OK)
        status = parse_json_keys(&body, "the EC2 metadata service", keys, err);
    wipe_buffer(&token);
    wipe_buffer(&header);
    akidb_buffer_free(&role);
    akidb_buffer_free(&path);
    wipe_buffer(&body);
    return status;
}

/* ---- web identity ---------------------------------------------------------------------------- */

typedef struct identity_answer {
    ak_s3_credentials *keys;
    bool has_id, has_secret;
} identity_answer;

static akidb_status read_identity(void *context, const char *path, const char *text,
                                  akidb_error *err)
{
    static const char credentials[] =
        "AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials/";
    identity_answer *answer = context;
    ak_s3_credentials *keys = answer->keys;
    if (strncmp(path, credentials, sizeof credentials - 1) != 0)
        return AKIDB_OK;
    const char *name = path + sizeof credentials - 1;
    if (strcmp(name, "AccessKeyId") == 0) {
        answer->has_id = true;
        return copy_text(keys->access_key_id, sizeof keys->access_key_id, text, name, err);
    }
    if (strcmp(name, "SecretAccessKey") == 0) {
        answer->has_secret = true;
        return copy_text(keys->secret_access_key, sizeof keys->secret_access_key, text, name, err);
    }
    if (strcmp(name, "SessionToken") == 0)
        return copy_text(keys->session_token, sizeof keys->session_token, text, name, err);
    if (strcmp(name, "Expiration") == 0)
        return akidb_time_parse(text, &keys->expires_at, err);
    return AKIDB_OK;
}

static akidb_status append_identity_form(const ak_s3_provider *provider, akidb_buffer *form,
                                         akidb_error *err)
{
    akidb_buffer token = {0}; /* read each time: whoever issues it replaces the file */
    akidb_status status = read_token_file(provider->token_file, &token, err);
    if (status == AKIDB_OK) {
        const ak_s3_parameter parameters[] = {
            {"Action", "AssumeRoleWithWebIdentity"},
            {"Version", "2011-06-15"},
            {"RoleArn", provider->role_arn},
            {"RoleSessionName", "akidb"},
            {"WebIdentityToken", (const char *)token.data},
        };
        status =
            ak_s3_append_query(parameters, sizeof parameters / sizeof parameters[0], form, err);
    }
    wipe_buffer(&token);
    return status;
}

static akidb_status fetch_by_web_identity(ak_s3_provider *provider, ak_s3_credentials *keys,
                                          akidb_error *err)
{
    static const char what[] = "the security token service";
    const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded"};
    akidb_buffer form = {0}, body = {0};
    akidb_status status = append_identity_form(provider, &form, err);
    const akidb_slice text = {form.data, form.size};
    const ak_http_request request = {.method = "POST",
                                     .url = provider->url,
                                     .headers = headers,
                                     .header_count = 1,
                                     .body = &text,
                                     .body_count = 1,
                                     .max_body_bytes = ANSWER_BYTES_MAX};
    if (status == AKIDB_OK)
        status = ask(provider, &request, SERVICE_TIMEOUT_MS, what, &body, err);
    identity_answer answer = {.keys = keys};
    keys->expires_at = INT64_MAX;
    if (status == AKIDB_OK)
        status =
            ak_xml_read((akidb_slice){body.data, body.size}, what, read_identity, &answer, err);
    if (status == AKIDB_OK && (!answer.has_id || !answer.has_secret))
        status = ak_fail(err, AKIDB_E_PERMISSION, "%s answered without keys", what);
    wipe_buffer(&form);
    wipe_buffer(&body);
    return status;
}

/* ---- choosing a source ----------------------------------------------------------------------- */

static akidb_status use_static(ak_s3_provider *provider, const char *id, const char *secret,
                               const char *token, const char *where, akidb_error *err)
{
    if (id == NULL || secret == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "%s: %s is set without %s", where,
                       id == NULL ? "the secret access key" : "the access key id",
                       id == NULL ? "the access key id" : "the secret access key");
    provider->source = SOURCE_STATIC;
    provider->have = true;
    provider->current.expires_at = INT64_MAX;
    return set_keys(&provider->current, id, secret, token, err);
}

static akidb_status use_web_identity(ak_s3_provider *provider, const char *token_file,
                                     const char *role_arn, const char *region, akidb_error *err)
{
    provider->source = SOURCE_WEB_IDENTITY;
    const char *url = environment("AWS_ENDPOINT_URL_STS");
    char regional[512];
    if (url == NULL) {
        snprintf(regional, sizeof regional, "https://sts.%s.amazonaws.com/", region);
        url = regional;
    }
    akidb_status status = duplicate(url, &provider->url, err);
    if (status == AKIDB_OK)
        status = duplicate(token_file, &provider->token_file, err);
    if (status == AKIDB_OK)
        status = duplicate(role_arn, &provider->role_arn, err);
    return status;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncasecmp(text, beginning, strlen(beginning)) == 0;
}

/* A full URI gets the container's token, so it may only lead to this machine, to the addresses that
 * Amazon's container services use, or anywhere by TLS. */
static bool is_trusted_container_url(const char *url)
{
    static const char *const plain[] = {"http://127.0.0.1",      "http://localhost",
                                        "http://[::1]",          "http://169.254.170.2",
                                        "http://169.254.170.23", "http://[fd00:ec2::23]"};
    if (begins_with(url, "https://"))
        return true;
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        size_t size = strlen(plain[i]);
        if (begins_with(url, plain[i]) && strchr(":/?", url[size]) != NULL)
            return true;
    }
    return false;
}

static akidb_status use_container(ak_s3_provider *provider, const char *relative, const char *full,
                                  akidb_error *err)
{
    provider->source = SOURCE_CONTAINER;
    akidb_buffer url = {0};
    akidb_status status = relative != NULL
                              ? ak_buffer_printf(&url, err, "http://169.254.170.2%s", relative)
                              : ak_buffer_printf(&url, err, "%s", full);
    if (status == AKIDB_OK && !is_trusted_container_url((const char *)url.data))
        status = ak_fail(err, AKIDB_E_VALIDATION,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI must use https or lead to this "
                         "machine or to the container service");
    if (status == AKIDB_OK)
        status = duplicate((const char *)url.data, &provider->url, err);
    const char *token_file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (status == AKIDB_OK && token_file != NULL)
        status = duplicate(token_file, &provider->token_file, err);
    if (status == AKIDB_OK && token != NULL)
        status = duplicate(token, &provider->token, err);
    akidb_buffer_free(&url);
    return status;
}

static akidb_status use_ec2(ak_s3_provider *provider, akidb_error *err)
{
    const char *disabled = environment("AWS_EC2_METADATA_DISABLED");
    if (disabled != NULL && strcasecmp(disabled, "true") == 0)
        return ak_fail(err, AKIDB_E_PERMISSION,
                       "no AWS credentials: looked for %sAWS_CONTAINER_CREDENTIALS_*; EC2 is "
                       "disabled by AWS_EC2_METADATA_DISABLED",
                       provider->profile_is_named
                           ? "keys in the profile that was asked for and "
                           : "AWS_ACCESS_KEY_ID, the shared config and credentials files, "
                             "AWS_WEB_IDENTITY_TOKEN_FILE and ");
    provider->source = SOURCE_EC2;
    const char *endpoint = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    akidb_status status =
        duplicate(endpoint == NULL ? "http://169.254.169.254" : endpoint, &provider->url, err);
    if (status == AKIDB_OK) {
        size_t size = strlen(provider->url);
        if (size > 0 && provider->url[size - 1] == '/')
            provider->url[size - 1] = '\0';
    }
    return status;
}

/* What a profile may ask for that this library does not do is said, not passed over. */
static akidb_status use_profile(ak_s3_provider *provider, const ak_s3_profile *profile,
                                const char *region, bool *used_out, akidb_error *err)
{
    static const char *const unsupported[] = {"credential_process", "sso_session", "sso_start_url",
                                              "source_profile", "credential_source"};
    *used_out = true;
    const char *id = ak_s3_profile_get(profile, "aws_access_key_id");
    const char *secret = ak_s3_profile_get(profile, "aws_secret_access_key");
    const char *token_file = ak_s3_profile_get(profile, "web_identity_token_file");
    const char *role_arn = ak_s3_profile_get(profile, "role_arn");
    if (token_file != NULL && role_arn != NULL)
        return use_web_identity(provider, token_file, role_arn, region, err);
    for (size_t i = 0; i < sizeof unsupported / sizeof unsupported[0]; i++)
        if (ak_s3_profile_get(profile, unsupported[i]) != NULL)
            return ak_fail(err, AKIDB_E_UNSUPPORTED,
                           "AWS profile \"%s\" uses %s, which is not supported: export its keys to "
                           "the environment, e.g. with \"aws configure export-credentials\"",
                           profile->name, unsupported[i]);
    if (id != NULL || secret != NULL)
        return use_static(provider, id, secret, ak_s3_profile_get(profile, "aws_session_token"),
                          profile->name, err);
    *used_out = false;
    return AKIDB_OK;
}

static akidb_status choose_source(ak_s3_provider *provider, const ak_s3_provider_options *options,
                                  akidb_error *err)
{
    if (options->access_key_id != NULL || options->secret_access_key != NULL)
        return use_static(provider, options->access_key_id, options->secret_access_key,
                          options->session_token, "the options of the store", err);
    bool named = options->profile_is_named;
    const char *id = named ? NULL : environment("AWS_ACCESS_KEY_ID");
    const char *secret = named ? NULL : environment("AWS_SECRET_ACCESS_KEY");
    if (id != NULL || secret != NULL)
        return use_static(provider, id, secret, environment("AWS_SESSION_TOKEN"), "the environment",
                          err);
    bool used;
    akidb_status status = use_profile(provider, options->profile, options->region, &used, err);
    if (status != AKIDB_OK || used)
        return status;
    const char *token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *role_arn = environment("AWS_ROLE_ARN");
    if (token_file != NULL && role_arn != NULL && !named)
        return use_web_identity(provider, token_file, role_arn, options->region, err);
    const char *relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (relative != NULL || full != NULL)
        return use_container(provider, relative, full, err);
    return use_ec2(provider, err);
}

akidb_status ak_s3_provider_open(const ak_s3_provider_options *options,
                                 ak_s3_provider **provider_out, akidb_error *err)
{
    *provider_out = NULL;
    ak_s3_provider *provider = calloc(1, sizeof *provider);
    if (provider == NULL)
        return ak_fail_memory(err, sizeof *provider);
    provider->http = options->http;
    provider->clock = options->clock;
    provider->cancelled = options->cancelled;
    provider->context = options->context;
    provider->profile_is_named = options->profile_is_named;
    pthread_mutex_init(&provider->mutex, NULL);
    pthread_cond_init(&provider->fetched, NULL);
    akidb_status status = choose_source(provider, options, err);
    if (status == AKIDB_OK)
        *provider_out = provider;
    else
        ak_s3_provider_close(provider);
    return status;
}

void ak_s3_provider_close(ak_s3_provider *provider)
{
    if (provider == NULL)
        return;
    if (provider->token != NULL)
        OPENSSL_cleanse(provider->token, strlen(provider->token));
    free(provider->url);
    free(provider->role_arn);
    free(provider->token_file);
    free(provider->token);
    pthread_cond_destroy(&provider->fetched);
    pthread_mutex_destroy(&provider->mutex);
    OPENSSL_cleanse(provider, sizeof *provider);
    free(provider);
}

/* ---- keeping them fresh ---------------------------------------------------------------------- */

/* The last resort: who is not on EC2 wants to know what else was looked for. */
static akidb_status fetch_at_last(ak_s3_provider *provider, ak_s3_credentials *keys,
                                  akidb_error *err)
{
    akidb_status status = fetch_from_ec2(provider, keys, err);
    if (status != AKIDB_OK)
        ak_error_context(err, provider->profile_is_named
                                  ? "no AWS keys: neither the profile that was asked for nor a "
                                    "container has any"
                                  : "no AWS keys: neither AWS_ACCESS_KEY_ID nor the shared config "
                                    "and credentials files, a web identity or a container has any");
    return status;
}

static akidb_status fetch(ak_s3_provider *provider, ak_s3_credentials *keys, akidb_error *err)
{
    switch (provider->source) {
    case SOURCE_WEB_IDENTITY: return fetch_by_web_identity(provider, keys, err);
    case SOURCE_CONTAINER: return fetch_from_container(provider, keys, err);
    case SOURCE_EC2: return fetch_at_last(provider, keys, err);
    case SOURCE_STATIC: break;
    }
    return ak_fail(err, AKIDB_E_PERMISSION, "the server says that the session token has expired");
}

static bool is_fresh(const ak_s3_provider *provider, int64_t seconds)
{
    if (!provider->have)
        return false;
    if (provider->current.expires_at == INT64_MAX)
        return true;
    return akidb_clock_now(provider->clock) < provider->current.expires_at - seconds * 1000000;
}

/* So that a service that is down does not hold up every request until the keys expire. */
static bool must_wait(const ak_s3_provider *provider)
{
    return is_fresh(provider, 0) && akidb_clock_now(provider->clock) < provider->next_try;
}

akidb_status ak_s3_provider_get(ak_s3_provider *provider, bool refresh,
                                ak_s3_credentials *credentials_out, akidb_error *err)
{
    *credentials_out = (ak_s3_credentials){0};
    pthread_mutex_lock(&provider->mutex);
    while (provider->fetching && !is_fresh(provider, 0))
        pthread_cond_wait(&provider->fetched, &provider->mutex);
    if (!refresh &&
        (provider->fetching || is_fresh(provider, REFRESH_BEFORE_SECONDS) || must_wait(provider))) {
        *credentials_out = provider->current;
        pthread_mutex_unlock(&provider->mutex);
        return AKIDB_OK;
    }
    while (provider->fetching)
        pthread_cond_wait(&provider->fetched, &provider->mutex);
    provider->fetching = true;
    pthread_mutex_unlock(&provider->mutex); /* no lock is held while a service is asked */

    ak_s3_credentials keys = {0};
    akidb_status status = fetch(provider, &keys, err);

    pthread_mutex_lock(&provider->mutex);
    provider->fetching = false;
    if (status == AKIDB_OK) {
        ak_s3_credentials_wipe(&provider->current);
        provider->current = keys;
        provider->have = true;
    } else if (!refresh && is_fresh(provider, 0)) {
        status = AKIDB_OK; /* the old ones still serve */
        provider->next_try =
            akidb_clock_now(provider->clock) + (int64_t)TRY_AGAIN_SECONDS * 1000000;
    }
    if (status == AKIDB_OK)
        *credentials_out = provider->current;
    pthread_cond_broadcast(&provider->fetched);
    pthread_mutex_unlock(&provider->mutex);
    ak_s3_credentials_wipe(&keys);
    return status;
}
