#include "store/s3/multipart.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

enum { NUMBER_TEXT = 16 };

/* ---- create ---------------------------------------------------------------------------------- */

static akidb_status read_upload_id(void *context, const char *name, const char *text,
                                   akidb_error *err)
{
    char *upload_id = context;
    if (strcmp(name, "UploadId") != 0)
        return AKIDB_OK;
    if (strlen(text) >= AK_S3_UPLOAD_ID_SIZE)
        return ak_fail(err, AKIDB_E_STORE, "the server's upload id has over %d bytes",
                       AK_S3_UPLOAD_ID_SIZE - 1);
    memcpy(upload_id, text, strlen(text) + 1);
    return AKIDB_OK;
}

/* A server that says with which checksum the parts will come compares it: the first of them, which
 * leave all at once, need no Content-MD5 besides. */
static void learn_checksum(ak_s3_client *client, const ak_s3_answer *answer)
{
    char algorithm[16];
    if (ak_http_header(&answer->http, "x-amz-checksum-algorithm", algorithm, sizeof algorithm) &&
        strcmp(algorithm, "CRC32C") == 0)
        atomic_store(&client->knows_crc32c, true);
}

akidb_status ak_s3_multipart_create(ak_s3_multipart *multipart, akidb_error *err)
{
    ak_s3_answer answer;
    ak_s3_request request = {.method = "POST",
                             .action = "s3:PutObject",
                             .key = multipart->full_key,
                             .invisible = true,
                             .error_in_200 = true};
    akidb_status status = ak_s3_new_writer(multipart->writer, err);
    if (status != AKIDB_OK)
        return status;
    ak_s3_add_parameter(&request, "uploads", "");
    ak_s3_add_header(&request, "x-amz-meta-writer", multipart->writer);
    if (!multipart->copies)
        ak_s3_add_header(&request, "x-amz-checksum-algorithm", "CRC32C");
    ak_s3_add_encryption(multipart->client, &request);
    status = ak_s3_send_for_good(multipart->client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_s3_read_xml(&request, &answer, "InitiateMultipartUploadResult", read_upload_id,
                            multipart->upload_id, err);
    if (status == AKIDB_OK)
        learn_checksum(multipart->client, &answer);
    multipart->is_encrypted = ak_s3_tells_encryption(multipart->client, &answer);
    ak_s3_answer_free(&answer);
    if (status == AKIDB_OK && multipart->upload_id[0] == '\0')
        status = ak_fail_at(err, AKIDB_E_STORE, AK_IN(multipart->full_key),
                            "the server began an upload without an id");
    return status;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void add_part(ak_s3_request *request, const ak_s3_multipart *multipart,
                     char number_text[NUMBER_TEXT], unsigned number)
{
    snprintf(number_text, NUMBER_TEXT, "%u", number);
    ak_s3_add_parameter(request, "partNumber", number_text);
    ak_s3_add_parameter(request, "uploadId", multipart->upload_id);
}

akidb_status ak_s3_multipart_put(const ak_s3_multipart *multipart, unsigned number,
                                 const akidb_slice *slices, size_t count, ak_s3_part *part_out,
                                 akidb_error *err)
{
    char number_text[NUMBER_TEXT], checksum[64];
    ak_s3_request request = {.method = "PUT",
                             .action = "s3:PutObject",
                             .key = multipart->full_key,
                             .invisible = true,
                             .body = slices,
                             .body_count = count,
                             .body_kind = AK_S3_BODY_OBJECT};
    ak_s3_answer answer;
    *part_out = (ak_s3_part){.etag = ""};
    add_part(&request, multipart, number_text, number);
    akidb_status status = ak_s3_send_for_good(multipart->client, &request, &answer, err);
    if (status != AKIDB_OK)
        return status;
    part_out->is_encrypted = ak_s3_tells_encryption(multipart->client, &answer);
    if (ak_http_header(&answer.http, "x-amz-checksum-crc32c", checksum, sizeof checksum))
        memcpy(part_out->crc32c, answer.body_crc32c, sizeof part_out->crc32c);
    if (!ak_http_header(&answer.http, "etag", part_out->etag, sizeof part_out->etag))
        status = ak_fail_at(err, AKIDB_E_STORE, AK_IN(multipart->full_key),
                            "the server took part %u without an ETag", number);
    ak_s3_answer_free(&answer);
    return status;
}

static akidb_status read_copied_etag(void *context, const char *name, const char *text,
                                     akidb_error *err)
{
    (void)err;
    ak_s3_part *part = context;
    if (strcmp(name, "ETag") == 0 && strlen(text) < sizeof part->etag)
        memcpy(part->etag, text, strlen(text) + 1);
    return AKIDB_OK;
}

akidb_status ak_s3_multipart_copy(const ak_s3_multipart *multipart, unsigned number,
                                  const char *source, uint64_t first, uint64_t size,
                                  ak_s3_part *part_out, akidb_error *err)
{
    char number_text[NUMBER_TEXT], range[64];
    ak_s3_request request = {.method = "PUT",
                             .action = "s3:PutObject",
                             .key = multipart->full_key,
                             .invisible = true,
                             .patient = true,
                             .error_in_200 = true};
    *part_out = (ak_s3_part){.etag = ""};
    add_part(&request, multipart, number_text, number);
    snprintf(range, sizeof range, "bytes=%" PRIu64 "-%" PRIu64, first, first + size - 1);
    ak_s3_add_header(&request, "x-amz-copy-source", source);
    ak_s3_add_header(&request, "x-amz-copy-source-range", range);
    akidb_status status = ak_s3_send_for_xml(multipart->client, &request, "CopyPartResult",
                                             read_copied_etag, part_out, err);
    if (status == AKIDB_OK && part_out->etag[0] == '\0')
        status = ak_fail_at(err, AKIDB_E_STORE, AK_IN(multipart->full_key),
                            "the server copied part %u without an ETag", number);
    return status;
}

/* ---- complete and abort ---------------------------------------------------------------------- */

static akidb_status append_part(akidb_buffer *xml, const ak_s3_part *part, size_t number,
                                akidb_error *err)
{
    akidb_status status =
        ak_buffer_printf(xml, err, "<Part><PartNumber>%zu</PartNumber><ETag>", number);
    if (status == AKIDB_OK)
        status = ak_xml_append_text(xml, part->etag, err);
    if (status == AKIDB_OK)
        status = ak_buffer_printf(xml, err, "</ETag>");
    if (status == AKIDB_OK && part->crc32c[0] != '\0') {
        status = ak_buffer_printf(xml, err, "<ChecksumCRC32C>");
        if (status == AKIDB_OK)
            status = ak_xml_append_text(xml, part->crc32c, err);
        if (status == AKIDB_OK)
            status = ak_buffer_printf(xml, err, "</ChecksumCRC32C>");
    }
    return status == AKIDB_OK ? ak_buffer_printf(xml, err, "</Part>") : status;
}

static akidb_status append_completion(akidb_buffer *xml, const ak_s3_part *parts, size_t count,
                                      akidb_error *err)
{
    akidb_status status = ak_buffer_printf(
        xml, err, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = append_part(xml, &parts[i], i + 1, err);
    return status == AKIDB_OK ? ak_buffer_printf(xml, err, "</CompleteMultipartUpload>") : status;
}

/* AWS and Ceph tell it when an upload is created, MinIO with each part, and with copied parts only
 * when the object is looked at. */
static bool is_encrypted(const ak_s3_multipart *multipart, const ak_s3_part *parts, size_t count)
{
    bool told = multipart->is_encrypted;
    for (size_t i = 0; i < count && !told; i++)
        told = parts[i].is_encrypted;
    return told;
}

static akidb_status fail_unencrypted(const ak_s3_multipart *multipart, akidb_error *err)
{
    char name[AKIDB_KEY_MAX + 300];
    ak_s3_name(multipart->client, multipart->full_key, name, sizeof name);
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(name),
                      "the server does not say that it encrypts this with %s, as was asked; the "
                      "upload is given up",
                      multipart->client->sse);
}

/* A completion whose answer was lost may have been done: then the upload is gone (404), or the key
 * is taken (412), by our own object. */
static akidb_status recognise(ak_s3_multipart *multipart, const ak_s3_request *request,
                              const ak_s3_answer *answer, akidb_error *err)
{
    bool ours = false;
    if (answer->was_lost && (answer->http.code == 404 || answer->http.code == 412)) {
        akidb_status status = ak_s3_is_ours(multipart->client, multipart->full_key,
                                            multipart->writer, false, &ours, err);
        if (status != AKIDB_OK) {
            if (err != NULL)
                err->status = AKIDB_E_UNCERTAIN;
            return AKIDB_E_UNCERTAIN;
        }
    }
    if (ours)
        return AKIDB_OK;
    if (strcmp(answer->error_code, "NoSuchUpload") == 0 && !answer->was_lost)
        return ak_fail_at(err, AKIDB_E_STORE, AK_IN(multipart->full_key),
                          "the upload is no longer there: somebody has removed its parts");
    return ak_s3_fail(multipart->client, request, answer, err);
}

akidb_status ak_s3_multipart_complete(ak_s3_multipart *multipart, const ak_s3_part *parts,
                                      size_t count, akidb_error *err)
{
    ak_s3_client *client = multipart->client;
    akidb_buffer xml = {0};
    ak_s3_answer answer;
    bool conditional = multipart->mode == AKIDB_PUT_IF_ABSENT;
    bool told = is_encrypted(multipart, parts, count);
    if (!told && !multipart->copies)
        return fail_unencrypted(multipart, err);
    akidb_status status = append_completion(&xml, parts, count, err);
    if (status == AKIDB_OK && conditional && atomic_load(&client->lacks_conditional)) {
        status = ak_s3_check_absent(client, multipart->full_key, err);
        conditional = false;
    }
    const akidb_slice body = {xml.data, xml.size};
    ak_s3_request request = {.method = "POST",
                             .action = "s3:PutObject",
                             .key = multipart->full_key,
                             .body = &body,
                             .body_count = 1,
                             .body_kind = AK_S3_BODY_XML,
                             .patient = true,
                             .error_in_200 = true};
    ak_s3_add_parameter(&request, "uploadId", multipart->upload_id);
    ak_s3_add_header(&request, "content-type", "application/xml");
    if (conditional)
        ak_s3_add_header(&request, "if-none-match", "*");
    if (status == AKIDB_OK)
        status = ak_s3_send(client, &request, &answer, err);
    akidb_buffer_free(&xml);
    if (status != AKIDB_OK)
        return ak_s3_resolve(client, multipart->full_key, multipart->writer, status, err);
    if (conditional && answer.http.code == 501) {
        ak_s3_answer_free(&answer);
        status = ak_s3_check_absent(client, multipart->full_key, err);
        return status == AKIDB_OK ? ak_s3_multipart_complete(multipart, parts, count, err) : status;
    }
    if (!ak_s3_is_good(&answer))
        status = recognise(multipart, &request, &answer, err);
    ak_s3_answer_free(&answer);
    if (status == AKIDB_OK)
        return ak_s3_check_encryption(client, multipart->full_key, told, err);
    return ak_s3_resolve(client, multipart->full_key, multipart->writer, status, err);
}

void ak_s3_multipart_abort(ak_s3_multipart *multipart)
{
    ak_s3_client *client = multipart->client;
    ak_s3_request request = {.method = "DELETE",
                             .action = "s3:AbortMultipartUpload",
                             .key = multipart->full_key,
                             .invisible = true};
    ak_s3_answer answer;
    akidb_error problem = {.status = AKIDB_OK};
    if (multipart->upload_id[0] == '\0')
        return;
    ak_s3_add_parameter(&request, "uploadId", multipart->upload_id);
    akidb_status status = ak_s3_send_uncancelled(client, &request, &answer, &problem);
    if (status == AKIDB_OK) {
        if (!ak_s3_is_good(&answer) && answer.http.code != 404)
            status = ak_s3_fail(client, &request, &answer, &problem);
        ak_s3_answer_free(&answer);
    }
    if (status != AKIDB_OK)
        ak_s3_log(client, AKIDB_LOG_WARNING, "parts of an upload stay behind until gc: %s",
                  problem.message);
    multipart->upload_id[0] = '\0';
}
