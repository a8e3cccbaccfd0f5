/* Settings of a client: from the options, the environment and the profile, in that order. */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/options.h"
#include "store/keys.h"
#include "store/s3/client.h"

enum {
    RETRY_BASE_MS = 100,
    RETRY_CAP_MS = 20000,
    RETRY_TOTAL_MS = 180000,
    ATTEMPTS = 8,
    PARALLEL = 4,
    PARALLEL_MAX = 64
};
#define SINGLE_PUT_BYTES (UINT64_C(32) << 20)
#define PART_BYTES       (UINT64_C(16) << 20)
#define PART_BYTES_MIN   (UINT64_C(5) << 20) /* S3's own limits */
#define PART_BYTES_MAX   (UINT64_C(1) << 30)

/* The first that is set. */
static const char *first_of(const char *option, const char *variable, const char *second_variable,
                            const char *setting)
{
    if (option != NULL && option[0] != '\0')
        return option;
    const char *value = variable == NULL ? NULL : getenv(variable);
    if (value != NULL && value[0] != '\0')
        return value;
    value = second_variable == NULL ? NULL : getenv(second_variable);
    if (value != NULL && value[0] != '\0')
        return value;
    return setting;
}

static akidb_status duplicate(const char *from, char **to, akidb_error *err)
{
    *to = strdup(from);
    return *to != NULL ? AKIDB_OK : ak_fail_memory(err, strlen(from) + 1);
}

static bool is_host_text(const char *text)
{
    if (text[0] == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr("-._:[]", *text) == NULL)
            return false;
    return true;
}

/* S3's rules for names, a little wider: older buckets have capitals and underscores. */
static akidb_status check_bucket(const char *bucket, akidb_error *err)
{
    size_t size = bucket == NULL ? 0 : strlen(bucket);
    bool ok = size >= 3 && size <= 255;
    for (size_t i = 0; ok && i < size; i++)
        ok = isalnum((unsigned char)bucket[i]) || (i > 0 && strchr("-._", bucket[i]) != NULL);
    if (!ok)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "the name of a bucket has 3 to 255 letters, digits, '-', '.' or '_', found "
                       "\"%.100s\"",
                       bucket == NULL ? "" : bucket);
    return AKIDB_OK;
}

static akidb_status set_prefix(ak_s3_client *client, const char *prefix, akidb_error *err)
{
    if (prefix == NULL)
        prefix = "";
    while (*prefix == '/')
        prefix++;
    size_t size = strlen(prefix);
    while (size > 0 && prefix[size - 1] == '/')
        size--;
    if (size >= AKIDB_KEY_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION, "the prefix of the store has over %u bytes",
                       AKIDB_KEY_MAX - 1);
    akidb_buffer text = {0};
    akidb_status status = ak_buffer_printf(&text, err, "%.*s", (int)size, prefix);
    client->prefix = (char *)text.data;
    if (status == AKIDB_OK && size > 0)
        status = ak_key_check(client->prefix, err);
    if (status != AKIDB_OK || size == 0)
        return status;
    status = ak_buffer_printf(&text, err, "/");
    client->prefix = (char *)text.data;
    return status;
}

/* "https://host:port/" into scheme and host; a port that the scheme implies is left out, as it is
 * in the Host header that libcurl sends. */
static akidb_status set_endpoint(ak_s3_client *client, const char *endpoint, akidb_error *err)
{
    bool tls = strncasecmp(endpoint, "https://", 8) == 0;
    bool plain = strncasecmp(endpoint, "http://", 7) == 0;
    const char *host = endpoint + (tls ? 8 : 7);
    akidb_buffer text = {0};
    akidb_status status = AKIDB_OK;
    if (tls || plain) {
        size_t size = strlen(host);
        if (size > 0 && host[size - 1] == '/')
            size--;
        const char *implied = tls ? ":443" : ":80";
        size_t implied_size = strlen(implied);
        if (size > implied_size && memcmp(host + size - implied_size, implied, implied_size) == 0)
            size -= implied_size;
        status = ak_buffer_printf(&text, err, "%.*s", (int)size, host);
    }
    if (status == AKIDB_OK && strchr(endpoint, '@') != NULL)
        status = ak_fail(err, AKIDB_E_VALIDATION,
                         "expected an endpoint such as https://s3.example.com:9000, found one with "
                         "an @: keys have settings of their own");
    if (status == AKIDB_OK && ((!tls && !plain) || !is_host_text((const char *)text.data)))
        status = ak_fail(err, AKIDB_E_VALIDATION,
                         "expected an endpoint such as https://s3.example.com:9000, found "
                         "\"%.200s\"",
                         endpoint);
    client->host = (char *)text.data;
    if (status == AKIDB_OK)
        status = duplicate(tls ? "https" : "http", &client->scheme, err);
    return status;
}

static akidb_status set_address(ak_s3_client *client, const akidb_s3_options *options,
                                const ak_s3_profile *profile, akidb_error *err)
{
    const char *region = first_of(options->region, "AWS_REGION", "AWS_DEFAULT_REGION",
                                  ak_s3_profile_get(profile, "region"));
    if (region == NULL)
        region = "us-east-1";
    if (strlen(region) >= sizeof client->region || !is_host_text(region))
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "expected a region such as eu-central-1, found "
                       "\"%.100s\"",
                       region);
    memcpy(client->region, region, strlen(region) + 1);

    const char *endpoint = first_of(options->endpoint, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL",
                                    ak_s3_profile_get(profile, "endpoint_url"));
    client->is_aws = endpoint == NULL;
    /* A certificate of *.s3.amazonaws.com does not cover a bucket with a dot in its name. */
    bool path_style = !client->is_aws || strchr(client->bucket, '.') != NULL;
    client->path_style =
        options->path_style == AKIDB_DEFAULT ? path_style : options->path_style == AKIDB_ON;
    if (client->is_aws)
        return duplicate("https", &client->scheme, err);
    return set_endpoint(client, endpoint, err);
}

static akidb_status set_signing(ak_s3_client *client, akidb_toggle option, akidb_error *err)
{
    const char *word = first_of(NULL, "AKIDB_S3_SIGN_PAYLOAD", NULL, NULL);
    bool is_off = word != NULL && strcmp(word, "off") == 0;
    client->signs_payload = strcmp(client->scheme, "https") != 0;
    if (option != AKIDB_DEFAULT) {
        client->signs_payload = option == AKIDB_ON;
        return AKIDB_OK;
    }
    if (word != NULL && !is_off && strcmp(word, "on") != 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "expected AKIDB_S3_SIGN_PAYLOAD to be on or off, found \"%.100s\"", word);
    if (word != NULL)
        client->signs_payload = !is_off;
    return AKIDB_OK;
}

static akidb_status set_encryption(ak_s3_client *client, const char *sse, akidb_error *err)
{
    static const char kms[] = "aws:kms:";
    if (sse == NULL)
        return AKIDB_OK;
    if (strcmp(sse, "AES256") == 0 || strcmp(sse, "aws:kms") == 0)
        return duplicate(sse, &client->sse, err);
    if (strncmp(sse, kms, sizeof kms - 1) != 0 || sse[sizeof kms - 1] == '\0')
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "expected the encryption AES256, aws:kms or aws:kms:KEY, found \"%.100s\"",
                       sse);
    for (const char *c = sse; *c != '\0'; c++)
        if (*c < '!' || *c > '~') /* it goes into a header */
            return ak_fail(err, AKIDB_E_VALIDATION,
                           "the key of an encryption holds visible ASCII characters only");
    akidb_status status = duplicate("aws:kms", &client->sse, err);
    if (status == AKIDB_OK)
        status = duplicate(sse + sizeof kms - 1, &client->sse_key, err);
    return status;
}

static akidb_status set_limits(ak_s3_client *client, const akidb_s3_options *options,
                               akidb_error *err)
{
    client->retry = (ak_retry_policy){
        .attempts = options->attempts == 0 ? ATTEMPTS : options->attempts,
        .base_ms = RETRY_BASE_MS,
        .cap_ms = RETRY_CAP_MS,
        .total_ms = options->retry_total_ms == 0 ? RETRY_TOTAL_MS : options->retry_total_ms,
    };
    client->budget.tokens = AK_RETRY_TOKENS;
    client->parallel = options->parallel == 0 ? PARALLEL : options->parallel;
    client->part_bytes = options->part_bytes == 0 ? PART_BYTES : options->part_bytes;
    client->single_put_bytes =
        options->single_put_bytes == 0 ? SINGLE_PUT_BYTES : options->single_put_bytes;
    if (client->part_bytes < PART_BYTES_MIN || client->part_bytes > PART_BYTES_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "a part of an upload has 5 MiB to 1 GiB, found %llu bytes",
                       (unsigned long long)client->part_bytes);
    if (client->single_put_bytes > UINT64_C(5) << 30)
        return ak_fail(err, AKIDB_E_VALIDATION, "one PUT has at most 5 GiB, found %llu bytes",
                       (unsigned long long)client->single_put_bytes);
    if (client->parallel > PARALLEL_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION, "at most %d parts at once, found %u", PARALLEL_MAX,
                       client->parallel);
    return AKIDB_OK;
}

static bool has_md5(void)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    ERR_set_mark();
    bool has = EVP_Digest("", 0, digest, NULL, EVP_md5(), NULL) == 1;
    ERR_pop_to_mark();
    return has;
}

static akidb_status open_connections(ak_s3_client *client, const akidb_s3_options *options,
                                     const ak_s3_profile *profile, akidb_error *err)
{
    const ak_http_options http = {
        .connect_timeout_ms = options->connect_timeout_ms,
        .stall_timeout_ms = options->stall_timeout_ms,
        .lowest_speed = options->lowest_speed,
        .connections = client->parallel + 16,
        .ca_file = first_of(options->ca_file, "AWS_CA_BUNDLE", NULL,
                            ak_s3_profile_get(profile, "ca_bundle")),
    };
    akidb_status status = ak_http_open(&http, &client->http, err);
    if (status != AKIDB_OK)
        return status;
    const ak_s3_provider_options provider = {
        .access_key_id = options->access_key_id,
        .secret_access_key = options->secret_access_key,
        .session_token = options->session_token,
        .profile = profile,
        .profile_is_named = options->profile != NULL && options->profile[0] != '\0',
        .region = client->region,
        .http = client->http,
        .clock = client->clock,
        .cancelled = client->cancelled,
        .context = client->context,
    };
    return ak_s3_provider_open(&provider, &client->provider, err);
}

static akidb_status set_up(ak_s3_client *client, const char *bucket, const char *prefix,
                           const akidb_s3_options *options, akidb_error *err)
{
    ak_s3_profile profile = {0};
    akidb_status status = check_bucket(bucket, err);
    if (status == AKIDB_OK)
        status = ak_s3_profile_read(options->profile, &profile, err);
    if (status == AKIDB_OK)
        status = duplicate(bucket, &client->bucket, err);
    if (status == AKIDB_OK)
        status = set_prefix(client, prefix, err);
    if (status == AKIDB_OK)
        status = set_address(client, options, &profile, err);
    if (status == AKIDB_OK)
        status = set_signing(client, options->sign_payload, err);
    if (status == AKIDB_OK)
        status = set_encryption(client, options->sse, err);
    if (status == AKIDB_OK)
        status = set_limits(client, options, err);
    if (status == AKIDB_OK)
        status = open_connections(client, options, &profile, err);
    ak_s3_profile_free(&profile);
    return status;
}

akidb_status ak_s3_client_open(const char *bucket, const char *prefix,
                               const akidb_s3_options *given, ak_s3_client **client_out,
                               akidb_error *err)
{
    *client_out = NULL;
    akidb_s3_options options;
    akidb_status status = ak_options_copy(&options, sizeof options, given, "akidb_s3_options", err);
    if (status != AKIDB_OK)
        return status;
    ak_s3_client *client = calloc(1, sizeof *client);
    if (client == NULL)
        return ak_fail_memory(err, sizeof *client);
    pthread_mutex_init(&client->mutex, NULL);
    pthread_mutex_init(&client->log_mutex, NULL);
    client->lacks_md5 = !has_md5();
    client->clock = options.clock;
    client->context = options.context;
    client->log = options.log;
    client->cancelled = options.cancelled;
    status = set_up(client, bucket, prefix, &options, err);
    if (status == AKIDB_OK)
        *client_out = client;
    else
        ak_s3_client_close(client);
    return status;
}

void ak_s3_client_close(ak_s3_client *client)
{
    if (client == NULL)
        return;
    ak_s3_provider_close(client->provider);
    ak_http_close(client->http);
    pthread_mutex_destroy(&client->mutex);
    pthread_mutex_destroy(&client->log_mutex);
    free(client->bucket);
    free(client->prefix);
    free(client->scheme);
    free(client->host);
    free(client->sse);
    free(client->sse_key);
    free(client);
}

void ak_s3_log(ak_s3_client *client, akidb_log_level level, const char *format, ...)
{
    if (client->log == NULL)
        return;
    char message[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    pthread_mutex_lock(&client->log_mutex);
    client->log(client->context, level, message);
    pthread_mutex_unlock(&client->log_mutex);
}
