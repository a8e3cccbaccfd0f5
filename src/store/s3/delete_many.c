/* DeleteObjects: up to 1,000 keys in one request. In quiet mode the answer names the keys that
 * could not be deleted, and no others. */
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/s3/objects.h"

enum { ANSWER_BYTES_MAX = 4 << 20 };

static const char action[] = "s3:DeleteObject";

/* ---- the request ----------------------------------------------------------------------------- */

/* U+FFFE and U+FFFF are legal in a key and in no XML. */
static bool xml_can_hold(const char *key)
{
    return strstr(key, "\xEF\xBF\xBE") == NULL && strstr(key, "\xEF\xBF\xBF") == NULL;
}

/* The keys go in as they are; those that cannot are left to single deletes. *used_out counts. */
static akidb_status append_keys(const ak_s3_client *client, const char *const *keys, size_t count,
                                akidb_status *outcomes, akidb_buffer *xml, size_t *used_out,
                                akidb_error *err)
{
    char full[AKIDB_KEY_MAX + 1];
    akidb_status status = ak_buffer_printf(
        xml, err, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
    *used_out = 0;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        outcomes[i] = AKIDB_E_UNSUPPORTED;
        if (!xml_can_hold(keys[i]) || ak_s3_full_key(client, keys[i], full, NULL) != AKIDB_OK)
            continue;
        outcomes[i] = AKIDB_OK;
        ++*used_out;
        status = ak_buffer_printf(xml, err, "<Object><Key>");
        if (status == AKIDB_OK)
            status = ak_xml_append_text(xml, full, err);
        if (status == AKIDB_OK)
            status = ak_buffer_printf(xml, err, "</Key></Object>");
    }
    return status == AKIDB_OK ? ak_buffer_printf(xml, err, "</Delete>") : status;
}

/* ---- the answer ------------------------------------------------------------------------------ */

typedef struct result {
    const ak_s3_client *client;
    const char *const *keys;
    size_t count;
    akidb_status *outcomes;
    size_t next; /* where the key of the next error is looked for first: servers keep the order */
    size_t errors;
    akidb_status first;
    akidb_error *err; /* told of the first */
    /* The error that is being read. */
    char key[AKIDB_KEY_MAX + 1];
    char code[64];
    char message[256];
} result;

/* Its index among the keys of which nothing was told yet, or count. */
static size_t find(result *r, const char *full_key)
{
    size_t prefix = strlen(r->client->prefix);
    if (strncmp(full_key, r->client->prefix, prefix) != 0)
        return r->count;
    for (size_t i = 0; i < r->count; i++) {
        size_t at = (r->next + i) % r->count;
        if (r->outcomes[at] == AKIDB_OK && strcmp(r->keys[at], full_key + prefix) == 0)
            return at;
    }
    return r->count;
}

/* AKIDB_E_UNCERTAIN while the answer is read: another try may mend it, or a request of its own. */
static akidb_status status_of(const char *code)
{
    if (strcmp(code, "NoSuchKey") == 0)
        return AKIDB_OK;
    if (ak_s3_code_is_transient(code) || strcmp(code, "NotImplemented") == 0 ||
        strcmp(code, "MethodNotAllowed") == 0)
        return AKIDB_E_UNCERTAIN;
    return strcmp(code, "AccessDenied") == 0 ? AKIDB_E_PERMISSION : AKIDB_E_STORE;
}

static akidb_status keep_error(result *r, akidb_error *err)
{
    char name[AKIDB_KEY_MAX + 300];
    size_t at = find(r, r->key);
    if (at == r->count || ++r->errors > r->count)
        return ak_fail(
            err, AKIDB_E_STORE,
            "the server tells of a key that it was not asked to delete, or of one twice");
    r->next = at + 1;
    r->outcomes[at] = status_of(r->code);
    bool final = r->outcomes[at] != AKIDB_OK && r->outcomes[at] != AKIDB_E_UNCERTAIN;
    if (!final || r->first != AKIDB_OK)
        return AKIDB_OK;
    ak_s3_name(r->client, r->key, name, sizeof name);
    r->first = ak_fail_at(r->err, r->outcomes[at], AK_IN(name),
                          "%s on bucket %s: the server answered %s%s%s", action, r->client->bucket,
                          r->code, r->message[0] != '\0' ? ": " : "", r->message);
    return AKIDB_OK;
}

static akidb_status read_element(void *context, const char *name, const char *text,
                                 akidb_error *err)
{
    result *r = context;
    akidb_status status = AKIDB_OK;
    if (strcmp(name, "Error/Key") == 0)
        ak_s3_take(r->key, sizeof r->key, text);
    else if (strcmp(name, "Error/Code") == 0)
        ak_s3_take(r->code, sizeof r->code, text);
    else if (strcmp(name, "Error/Message") == 0)
        ak_s3_take(r->message, sizeof r->message, text);
    else if (strcmp(name, "Error") == 0) {
        status = keep_error(r, err);
        r->key[0] = r->code[0] = r->message[0] = '\0';
    }
    return status;
}

/* ---- both ------------------------------------------------------------------------------------ */

static bool is_unknown_to(const ak_s3_answer *answer)
{
    return answer->http.code == 501 || answer->http.code == 405 ||
           strcmp(answer->error_code, "NotImplemented") == 0 ||
           strcmp(answer->error_code, "MethodNotAllowed") == 0;
}

/* Those that were part of the request. */
static akidb_status set_sent(akidb_status *outcomes, size_t count, akidb_status status)
{
    for (size_t i = 0; i < count; i++)
        if (outcomes[i] != AKIDB_E_UNSUPPORTED)
            outcomes[i] = status;
    return status;
}

akidb_status ak_s3_read_deleted(const ak_s3_client *client, const ak_s3_answer *answer,
                                const char *const *keys, size_t count, akidb_status *outcomes,
                                akidb_error *err)
{
    const ak_s3_request request = {.action = action};
    result r = {.client = client, .keys = keys, .count = count, .outcomes = outcomes, .err = err};
    akidb_status status = ak_s3_read_xml(&request, answer, "DeleteResult", read_element, &r, err);
    if (status != AKIDB_OK) /* nobody knows which are gone */
        return set_sent(outcomes, count, status);
    for (size_t i = 0; i < count; i++)
        if (outcomes[i] == AKIDB_E_UNCERTAIN)
            outcomes[i] = AKIDB_E_UNSUPPORTED;
    return r.first;
}

static akidb_status send_keys(ak_s3_client *client, const akidb_slice *xml, const char *const *keys,
                              size_t count, akidb_status *outcomes, akidb_error *err)
{
    ak_s3_request request = {.method = "POST",
                             .action = action,
                             .body = xml,
                             .body_count = 1,
                             .body_kind = AK_S3_BODY_XML,
                             .error_in_200 = true,
                             .max_body_bytes = ANSWER_BYTES_MAX};
    ak_s3_answer answer;
    ak_s3_add_parameter(&request, "delete", "");
    ak_s3_add_header(&request, "content-type", "application/xml");
    akidb_status status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return set_sent(outcomes, count, status);
    if (is_unknown_to(&answer)) {
        if (!atomic_exchange(&client->lacks_delete_many, true))
            ak_s3_log(client, AKIDB_LOG_INFO,
                      "the server knows no DeleteObjects: keys are deleted one by one");
        set_sent(outcomes, count, AKIDB_E_UNSUPPORTED);
    } else if (ak_s3_is_good(&answer)) {
        status = ak_s3_read_deleted(client, &answer, keys, count, outcomes, err);
    } else {
        status = set_sent(outcomes, count, ak_s3_fail(client, &request, &answer, err));
    }
    ak_s3_answer_free(&answer);
    return status;
}

akidb_status ak_s3_remove_many(void *handle, const char *const *keys, size_t count,
                               akidb_status *outcomes, akidb_error *err)
{
    ak_s3_client *client = handle;
    akidb_buffer xml = {0};
    size_t used = 0;
    akidb_status status = append_keys(client, keys, count, outcomes, &xml, &used, err);
    if (status != AKIDB_OK) {
        for (size_t i = 0; i < count; i++)
            outcomes[i] = status;
    } else if (atomic_load(&client->lacks_delete_many)) {
        set_sent(outcomes, count, AKIDB_E_UNSUPPORTED);
    } else if (used > 0) {
        status = send_keys(client, &(akidb_slice){xml.data, xml.size}, keys, count, outcomes, err);
    }
    akidb_buffer_free(&xml);
    return status;
}
