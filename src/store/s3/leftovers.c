/* Multipart uploads that nobody completed or aborted: what a crash leaves in a bucket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "store/s3/multipart.h"

enum { PAGE_BYTES_MAX = 16 << 20, PARTS_PER_PAGE = 1000 };

/* An upload of the list; its texts lie in page.texts. */
typedef struct entry {
    size_t key, upload_id;
    int64_t initiated;
    bool is_dated;
} entry;

typedef struct page {
    akidb_buffer texts;
    entry *entries;
    size_t count, capacity;
    entry next;
    bool truncated;
    size_t key_marker, id_marker; /* offsets in texts */
} page;

/* An empty text is as good as none: offset 0. */
static akidb_status keep(page *p, const char *text, size_t *offset_out, akidb_error *err)
{
    *offset_out = 0;
    if (text[0] == '\0')
        return AKIDB_OK;
    *offset_out = p->texts.size;
    return ak_buffer_append(&p->texts, text, strlen(text) + 1, err);
}

static akidb_status read_element(void *context, const char *name, const char *text,
                                 akidb_error *err)
{
    page *p = context;
    if (strcmp(name, "Upload/Key") == 0)
        return keep(p, text, &p->next.key, err);
    if (strcmp(name, "Upload/UploadId") == 0)
        return keep(p, text, &p->next.upload_id, err);
    if (strcmp(name, "Upload/Initiated") == 0) {
        p->next.is_dated = true;
        return akidb_time_parse(text, &p->next.initiated, err);
    }
    if (strcmp(name, "NextKeyMarker") == 0)
        return keep(p, text, &p->key_marker, err);
    if (strcmp(name, "NextUploadIdMarker") == 0)
        return keep(p, text, &p->id_marker, err);
    if (strcmp(name, "IsTruncated") == 0)
        p->truncated = strcmp(text, "true") == 0;
    if (strcmp(name, "Upload") != 0)
        return AKIDB_OK;
    /* Without a key or an id, the request that removes it would be one that deletes something else;
     * without a time, it may be one that goes on. */
    if (!p->next.is_dated || p->next.key == 0 || p->next.upload_id == 0)
        return ak_fail(err, AKIDB_E_STORE,
                       "the server's list of uploads has one without its key, id or time");
    void *entries = p->entries;
    akidb_status status =
        ak_array_reserve(&entries, &p->capacity, p->count + 1, sizeof *p->entries, err);
    p->entries = entries;
    if (status == AKIDB_OK)
        p->entries[p->count++] = p->next;
    p->next = (entry){0};
    return status;
}

/* No prefix is asked for, although it would be shorter: MinIO takes it for a whole key. */
static akidb_status fetch_page(ak_s3_client *client, const char *key_marker, const char *id_marker,
                               page *p, akidb_error *err)
{
    ak_s3_request request = {.method = "GET",
                             .action = "s3:ListBucketMultipartUploads",
                             .error_in_200 = true,
                             .max_body_bytes = PAGE_BYTES_MAX};
    ak_s3_add_parameter(&request, "uploads", "");
    if (key_marker[0] != '\0') {
        ak_s3_add_parameter(&request, "key-marker", key_marker);
        ak_s3_add_parameter(&request, "upload-id-marker", id_marker);
    }
    akidb_status status = ak_buffer_put(&p->texts, '\0', err); /* offset 0 is the empty text */
    if (status == AKIDB_OK)
        status = ak_s3_send_for_xml(client, &request, "ListMultipartUploadsResult", read_element, p,
                                    err);
    return status;
}

/* ---- the bytes of an upload ------------------------------------------------------------------ */

typedef struct part_page {
    uint64_t bytes;
    bool truncated;
    char marker[32];
} part_page;

static akidb_status read_part(void *context, const char *name, const char *text, akidb_error *err)
{
    (void)err;
    part_page *p = context;
    uint64_t size;
    if (strcmp(name, "Part/Size") == 0 && ak_s3_read_number(text, &size))
        p->bytes = size < UINT64_MAX - p->bytes ? p->bytes + size : UINT64_MAX;
    else if (strcmp(name, "IsTruncated") == 0)
        p->truncated = strcmp(text, "true") == 0;
    else if (strcmp(name, "NextPartNumberMarker") == 0)
        snprintf(p->marker, sizeof p->marker, "%s", text);
    return AKIDB_OK;
}

/* Summed for the report only: an upload that ended meanwhile counts as nothing. */
static akidb_status sum_parts(ak_s3_client *client, const char *key, const char *upload_id,
                              uint64_t *bytes, akidb_error *err)
{
    part_page p = {.truncated = true};
    akidb_status status = AKIDB_OK;
    for (unsigned i = 0; p.truncated && status == AKIDB_OK; i++) {
        ak_s3_request request = {.method = "GET",
                                 .action = "s3:ListMultipartUploadParts",
                                 .key = key,
                                 .error_in_200 = true};
        ak_s3_answer answer;
        char marker[sizeof p.marker];
        memcpy(marker, p.marker, sizeof marker);
        ak_s3_add_parameter(&request, "uploadId", upload_id);
        if (i > 0)
            ak_s3_add_parameter(&request, "part-number-marker", marker);
        p.truncated = false;
        status = ak_s3_send(client, &request, &answer, err);
        if (status != AKIDB_OK)
            break;
        if (ak_s3_is_good(&answer))
            status = ak_s3_read_xml(&request, &answer, "ListPartsResult", read_part, &p, err);
        p.truncated = p.truncated && i < AK_S3_PARTS_MAX / PARTS_PER_PAGE;
        ak_s3_answer_free(&answer);
    }
    *bytes = p.bytes < UINT64_MAX - *bytes ? *bytes + p.bytes : UINT64_MAX;
    return status;
}

/* ---- removal --------------------------------------------------------------------------------- */

static akidb_status remove_upload(ak_s3_client *client, const char *key, const char *upload_id,
                                  akidb_error *err)
{
    ak_s3_request request = {
        .method = "DELETE", .action = "s3:AbortMultipartUpload", .key = key, .invisible = true};
    ak_s3_answer answer;
    ak_s3_add_parameter(&request, "uploadId", upload_id);
    akidb_status status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    if (answer.http.code != 404)
        return ak_s3_finish(client, &request, &answer, err);
    ak_s3_answer_free(&answer);
    return AKIDB_OK;
}

static akidb_status handle_page(ak_s3_client *client, const page *p, int64_t before, bool dry_run,
                                uint64_t *count, uint64_t *bytes, akidb_error *err)
{
    const char *texts = (const char *)p->texts.data;
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < p->count && status == AKIDB_OK; i++) {
        const char *key = texts + p->entries[i].key, *id = texts + p->entries[i].upload_id;
        if (p->entries[i].initiated >= before ||
            strncmp(key, client->prefix, strlen(client->prefix)) != 0)
            continue;
        status = sum_parts(client, key, id, bytes, err);
        if (status == AKIDB_OK && !dry_run)
            status = remove_upload(client, key, id, err);
        if (status == AKIDB_OK)
            ++*count;
    }
    return status;
}

/* Where the next page begins: after this one, and not where this one did. */
static akidb_status go_on(const page *p, akidb_buffer *markers, akidb_error *err)
{
    const char *texts = (const char *)p->texts.data, *before = (const char *)markers->data;
    const char *key = texts + p->key_marker, *id = texts + p->id_marker;
    int order = strcmp(key, before);
    if (order < 0 || (order == 0 && strcmp(id, before + strlen(before) + 1) == 0))
        return ak_fail(err, AKIDB_E_STORE,
                       "the server says that its list of uploads goes on, but not where");
    markers->size = 0;
    akidb_status status = ak_buffer_append(markers, key, strlen(key) + 1, err);
    return status == AKIDB_OK ? ak_buffer_append(markers, id, strlen(id) + 1, err) : status;
}

akidb_status ak_s3_remove_leftovers(void *handle, int64_t before, bool dry_run, uint64_t *count_out,
                                    uint64_t *bytes_out, akidb_error *err)
{
    ak_s3_client *client = handle;
    akidb_buffer markers = {0}; /* key marker, NUL, id marker, NUL */
    akidb_status status = ak_buffer_append(&markers, "\0", 2, err);
    bool more = true;
    while (status == AKIDB_OK && more) {
        page p = {.count = 0};
        const char *key_marker = (const char *)markers.data;
        status = fetch_page(client, key_marker, key_marker + strlen(key_marker) + 1, &p, err);
        if (status == AKIDB_OK)
            status = handle_page(client, &p, before, dry_run, count_out, bytes_out, err);
        more = p.truncated;
        if (status == AKIDB_OK && more)
            status = go_on(&p, &markers, err);
        akidb_buffer_free(&p.texts);
        free(p.entries);
    }
    akidb_buffer_free(&markers);
    return status;
}
