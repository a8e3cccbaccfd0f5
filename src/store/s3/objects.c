#include "store/s3/objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"
#include "os/random.h"

/* ---- put ------------------------------------------------------------------------------------- */

akidb_status ak_s3_new_writer(char text_out[AK_S3_WRITER_SIZE], akidb_error *err)
{
    uint8_t bytes[(AK_S3_WRITER_SIZE - 1) / 2];
    akidb_status status = ak_random_bytes(bytes, sizeof bytes, err);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(text_out + 2 * i, 3, "%02x", status == AKIDB_OK ? bytes[i] : 0);
    return status;
}

akidb_status ak_s3_is_ours(ak_s3_client *client, const char *full_key, const char *writer,
                           bool once, bool *ours_out, akidb_error *err)
{
    const ak_s3_request request = {
        .method = "HEAD", .action = "s3:GetObject", .key = full_key, .once = once};
    ak_s3_answer answer;
    char found[AK_S3_WRITER_SIZE];
    *ours_out = false;
    akidb_status status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    *ours_out = ak_s3_is_good(&answer) &&
                ak_http_header(&answer.http, "x-amz-meta-writer", found, sizeof found) &&
                strcmp(found, writer) == 0;
    if (ak_s3_is_good(&answer) || answer.http.code == 404) {
        ak_s3_answer_free(&answer);
        return AKIDB_OK;
    }
    return ak_s3_finish(client, &request, &answer, err);
}

akidb_status ak_s3_resolve(ak_s3_client *client, const char *full_key, const char *writer,
                           akidb_status status, akidb_error *err)
{
    bool ours = false;
    if (status == AKIDB_E_UNCERTAIN &&
        ak_s3_is_ours(client, full_key, writer, true, &ours, NULL) == AKIDB_OK && ours)
        return ak_s3_check_encryption(client, full_key, client->sse == NULL, err);
    return status;
}

akidb_status ak_s3_check_absent(ak_s3_client *client, const char *full_key, akidb_error *err)
{
    const ak_s3_request request = {.method = "HEAD", .action = "s3:GetObject", .key = full_key};
    ak_s3_answer answer;
    if (!atomic_exchange(&client->lacks_conditional, true))
        ak_s3_log(
            client, AKIDB_LOG_WARNING,
            "the server does not know If-None-Match: two writers that put one key at the same "
            "moment can both succeed");
    akidb_status status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    int code = answer.http.code;
    if (code == 404) {
        ak_s3_answer_free(&answer);
        return AKIDB_OK;
    }
    if (!ak_s3_is_good(&answer))
        return ak_s3_finish(client, &request, &answer, err);
    ak_s3_answer_free(&answer);
    char name[AKIDB_KEY_MAX + 300];
    ak_s3_name(client, full_key, name, sizeof name);
    return ak_fail_at(err, AKIDB_E_ALREADY_EXISTS, AK_IN(name), "the key is taken");
}

akidb_status ak_s3_check_encryption(ak_s3_client *client, const char *full_key, bool told,
                                    akidb_error *err)
{
    const ak_s3_request request = {.method = "HEAD", .action = "s3:GetObject", .key = full_key};
    if (told)
        return AKIDB_OK;
    ak_s3_answer answer;
    akidb_error problem = {.status = AKIDB_OK};
    akidb_status status = ak_s3_send(client, &request, &answer, &problem);
    if (status == AKIDB_OK) {
        told = ak_s3_tells_encryption(client, &answer);
        status = ak_s3_finish(client, &request, &answer, &problem);
    }
    if (status == AKIDB_E_CANCELLED)
        return ak_fail(err, status, "%s", problem.message);
    if (status == AKIDB_OK && told)
        return AKIDB_OK;
    char name[AKIDB_KEY_MAX + 300];
    ak_s3_name(client, full_key, name, sizeof name);
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(name),
                      "the server has stored this, and does not say that it is encrypted with %s, "
                      "as was asked%s%s",
                      client->sse, status == AKIDB_OK ? "" : ": ", problem.message);
}

/* What a put that was answered has come to. */
static akidb_status finish_put(ak_s3_client *client, const ak_s3_request *request,
                               const char *writer, ak_s3_answer *answer, akidb_error *err)
{
    bool told = ak_s3_tells_encryption(client, answer);
    akidb_status status = ak_s3_finish(client, request, answer, err);
    if (status == AKIDB_OK)
        return ak_s3_check_encryption(client, request->key, told, err);
    return ak_s3_resolve(client, request->key, writer, status, err);
}

akidb_status ak_s3_put_whole(ak_s3_client *client, const char *full_key, const akidb_slice *slices,
                             size_t count, akidb_put_mode mode, akidb_error *err)
{
    char writer[AK_S3_WRITER_SIZE];
    ak_s3_answer answer;
    ak_s3_request request = {.method = "PUT",
                             .action = "s3:PutObject",
                             .key = full_key,
                             .body = slices,
                             .body_count = count,
                             .body_kind = AK_S3_BODY_OBJECT};
    akidb_status status = ak_s3_new_writer(writer, err);
    if (status != AKIDB_OK)
        return status;
    bool conditional = mode == AKIDB_PUT_IF_ABSENT;
    if (conditional && atomic_load(&client->lacks_conditional)) {
        status = ak_s3_check_absent(client, full_key, err);
        conditional = false;
    }
    if (status != AKIDB_OK)
        return status;
    ak_s3_add_header(&request, "x-amz-meta-writer", writer);
    ak_s3_add_encryption(client, &request);
    if (conditional)
        ak_s3_add_header(&request, "if-none-match", "*");
    status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return ak_s3_resolve(client, full_key, writer, status, err);
    if (conditional && answer.http.code == 501) {
        ak_s3_answer_free(&answer);
        status = ak_s3_check_absent(client, full_key, err);
        return status == AKIDB_OK ? ak_s3_put_whole(client, full_key, slices, count, mode, err)
                                  : status;
    }
    bool ours = false;
    if (answer.http.code == 412 && answer.was_lost) {
        status = ak_s3_is_ours(client, full_key, writer, false, &ours, err);
        if (status != AKIDB_OK || ours) {
            ak_s3_answer_free(&answer);
            if (status != AKIDB_OK && err != NULL)
                err->status = AKIDB_E_UNCERTAIN; /* it may be ours, and cannot be looked at */
            return status == AKIDB_OK
                       ? ak_s3_check_encryption(client, full_key, client->sse == NULL, err)
                       : AKIDB_E_UNCERTAIN;
        }
    }
    return finish_put(client, &request, writer, &answer, err);
}

akidb_status ak_s3_put(void *handle, const char *key, const akidb_slice *slices, size_t count,
                       akidb_put_mode mode, akidb_error *err)
{
    ak_s3_client *client = handle;
    char full[AKIDB_KEY_MAX + 1];
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += slices[i].size;
    if (size <= client->single_put_bytes) {
        akidb_status status = ak_s3_full_key(client, key, full, err);
        if (status == AKIDB_OK)
            status = ak_s3_put_whole(client, full, slices, count, mode, err);
        return status;
    }
    void *upload;
    akidb_status status = ak_s3_upload_begin(handle, key, mode, &upload, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_s3_upload_write(handle, upload, slices, count, err);
    if (status == AKIDB_OK)
        return ak_s3_upload_commit(handle, upload, err);
    ak_s3_upload_abort(handle, upload);
    return status;
}

/* ---- get ------------------------------------------------------------------------------------- */

akidb_status ak_s3_get(void *handle, const char *key, uint64_t max_size, akidb_buffer *buffer_out,
                       akidb_error *err)
{
    ak_s3_client *client = handle;
    char full[AKIDB_KEY_MAX + 1];
    ak_s3_answer answer;
    akidb_status status = ak_s3_full_key(client, key, full, err);
    if (status != AKIDB_OK)
        return status;
    ak_s3_request request = {.method = "GET",
                             .action = "s3:GetObject",
                             .key = full,
                             .check_answer = true,
                             .max_body_bytes =
                                 max_size < PTRDIFF_MAX - 1 ? (size_t)max_size + 1 : PTRDIFF_MAX};
    ak_s3_add_header(&request, "x-amz-checksum-mode", "ENABLED");
    status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    if (ak_s3_is_good(&answer) && answer.http.body.size > max_size) {
        ak_s3_answer_free(&answer);
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(key),
                          "the object has more than the %" PRIu64 " bytes that are allowed",
                          max_size);
    }
    if (ak_s3_is_good(&answer)) {
        *buffer_out = answer.http.body;
        answer.http.body = (akidb_buffer){0};
    }
    return ak_s3_finish(client, &request, &answer, err);
}

/* "bytes 0-9/100": the whole object's size. */
static bool read_content_range(const ak_http_response *http, uint64_t offset, uint64_t *total_out)
{
    char text[96];
    uint64_t first;
    if (!ak_http_header(http, "content-range", text, sizeof text) ||
        strncmp(text, "bytes ", 6) != 0)
        return false;
    char *dash = strchr(text, '-'), *slash = strchr(text, '/');
    if (dash == NULL || slash == NULL)
        return false;
    *dash = '\0';
    return ak_s3_read_number(text + 6, &first) && first == offset &&
           ak_s3_read_number(slash + 1, total_out);
}

akidb_status ak_s3_get_pieces(void *handle, const char *key, uint64_t offset,
                              const akidb_piece *pieces, size_t count, size_t *read_out,
                              akidb_error *err)
{
    ak_s3_client *client = handle;
    char full[AKIDB_KEY_MAX + 1], range[64];
    akidb_object_info info;
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += pieces[i].size;
    /* No object is so large, and servers choke on such numbers. */
    if (offset > INT64_MAX)
        return ak_s3_head(handle, key, &info, err);
    akidb_status status = ak_s3_full_key(client, key, full, err);
    if (status != AKIDB_OK)
        return status;
    uint64_t room = (uint64_t)INT64_MAX - offset;
    uint64_t last = size - 1 < room ? offset + (size - 1) : (uint64_t)INT64_MAX;
    snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, offset, last);
    ak_s3_request request = {.method = "GET",
                             .action = "s3:GetObject",
                             .key = full,
                             .into = pieces,
                             .into_count = count};
    ak_s3_add_header(&request, "range", range);
    ak_s3_answer answer;
    status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    uint64_t total = 0;
    if (answer.http.code == 416) {
        ak_s3_answer_free(&answer); /* at or past the end */
        return AKIDB_OK;
    }
    if (answer.http.code == 206 && read_content_range(&answer.http, offset, &total) &&
        offset < total) {
        uint64_t there = total - offset;
        size_t expected = there < size ? (size_t)there : size;
        if (answer.http.into_used == expected) {
            *read_out = expected;
            ak_s3_answer_free(&answer);
            return AKIDB_OK;
        }
    }
    if (!ak_s3_is_good(&answer))
        return ak_s3_finish(client, &request, &answer, err);
    size_t got = answer.http.into_used;
    int code = answer.http.code;
    ak_s3_answer_free(&answer);
    return ak_fail_at(
        err, AKIDB_E_STORE, AK_AT(key, offset),
        "asked for %zu bytes by a range, the server answered %d with %zu bytes of %" PRIu64, size,
        code, got, total);
}

akidb_status ak_s3_get_range(void *handle, const char *key, uint64_t offset, void *dst, size_t size,
                             size_t *read_out, akidb_error *err)
{
    const akidb_piece piece = {dst, size};
    akidb_object_info info;
    if (size == 0)
        return ak_s3_head(handle, key, &info, err);
    return ak_s3_get_pieces(handle, key, offset, &piece, 1, read_out, err);
}

akidb_status ak_s3_head(void *handle, const char *key, akidb_object_info *info_out,
                        akidb_error *err)
{
    ak_s3_client *client = handle;
    char full[AKIDB_KEY_MAX + 1], text[96];
    ak_s3_answer answer;
    akidb_status status = ak_s3_full_key(client, key, full, err);
    if (status != AKIDB_OK)
        return status;
    const ak_s3_request request = {.method = "HEAD", .action = "s3:GetObject", .key = full};
    status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    if (ak_s3_is_good(&answer)) {
        if (!ak_http_header(&answer.http, "content-length", text, sizeof text) ||
            !ak_s3_read_number(text, &info_out->size)) {
            ak_s3_answer_free(&answer);
            return ak_fail_at(err, AKIDB_E_STORE, AK_IN(key), "the server told no size");
        }
        if (!ak_s3_read_date(&answer.http, "last-modified", &info_out->modified_at))
            info_out->modified_at = 0;
    }
    return ak_s3_finish(client, &request, &answer, err);
}

/* ---- delete and copy ------------------------------------------------------------------------- */

akidb_status ak_s3_remove(void *handle, const char *key, akidb_error *err)
{
    ak_s3_client *client = handle;
    char full[AKIDB_KEY_MAX + 1];
    ak_s3_answer answer;
    akidb_status status = ak_s3_full_key(client, key, full, err);
    if (status != AKIDB_OK)
        return status;
    const ak_s3_request request = {.method = "DELETE", .action = "s3:DeleteObject", .key = full};
    status = ak_s3_send(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    if (strcmp(answer.error_code, "NoSuchKey") == 0) {
        ak_s3_answer_free(&answer);
        return AKIDB_OK;
    }
    return ak_s3_finish(client, &request, &answer, err);
}

/* CopyObject has no If-None-Match on most servers, so a copy that must not replace goes another
 * way: a small object is read and put, a large one is a multipart upload whose end is conditional.
 */
static akidb_status copy_if_absent(ak_s3_client *client, const char *from_key, const char *source,
                                   const char *full_to, uint64_t size, akidb_error *err)
{
    if (size > client->single_put_bytes)
        return ak_s3_copy_in_parts(client, source, full_to, size, AKIDB_PUT_IF_ABSENT, err);
    akidb_buffer bytes = {0};
    akidb_status status = ak_s3_get(client, from_key, client->single_put_bytes, &bytes, err);
    if (status == AKIDB_OK)
        status = ak_s3_put_whole(client, full_to, &(akidb_slice){bytes.data, bytes.size}, 1,
                                 AKIDB_PUT_IF_ABSENT, err);
    akidb_buffer_free(&bytes);
    return status;
}

static akidb_status copy_at_once(ak_s3_client *client, const char *source, const char *full_to,
                                 akidb_error *err)
{
    ak_s3_request request = {.method = "PUT",
                             .action = "s3:PutObject",
                             .key = full_to,
                             .patient = true,
                             .error_in_200 = true};
    ak_s3_answer answer;
    ak_s3_add_header(&request, "x-amz-copy-source", source);
    ak_s3_add_encryption(client, &request);
    akidb_status status = ak_s3_send_for_good(client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    bool told = ak_s3_tells_encryption(client, &answer); /* MinIO does not */
    ak_s3_answer_free(&answer);
    return ak_s3_check_encryption(client, full_to, told, err);
}

akidb_status ak_s3_copy(void *handle, const char *from_key, const char *to_key, akidb_put_mode mode,
                        akidb_error *err)
{
    const uint64_t copy_bytes_max = UINT64_C(5) << 30; /* of one CopyObject */
    ak_s3_client *client = handle;
    char from[AKIDB_KEY_MAX + 1], to[AKIDB_KEY_MAX + 1];
    akidb_object_info info = {0};
    akidb_buffer source = {0};
    akidb_status status = ak_s3_full_key(client, from_key, from, err);
    if (status == AKIDB_OK)
        status = ak_s3_full_key(client, to_key, to, err);
    if (status == AKIDB_OK)
        status = ak_s3_head(client, from_key, &info, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(&source, err, "/%s/", client->bucket);
    if (status == AKIDB_OK)
        status = ak_s3_encode(from, true, &source, err);
    if (status == AKIDB_OK)
        status = ak_buffer_put(&source, '\0', err);
    const char *text = (const char *)source.data;
    if (status == AKIDB_OK && mode == AKIDB_PUT_IF_ABSENT)
        status = copy_if_absent(client, from_key, text, to, info.size, err);
    else if (status == AKIDB_OK && strcmp(from, to) == 0)
        status = AKIDB_OK; /* S3 refuses a copy that changes nothing */
    else if (status == AKIDB_OK && info.size > copy_bytes_max)
        status = ak_s3_copy_in_parts(client, text, to, info.size, mode, err);
    else if (status == AKIDB_OK)
        status = copy_at_once(client, text, to, err);
    akidb_buffer_free(&source);
    return status;
}
