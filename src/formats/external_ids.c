#include "formats/external_ids.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/utf8.h"
#include "formats/stream_in.h"

enum { LINE_MAX_BYTES = 16 << 20 };

struct ak_external_ids {
    ak_stream_in in;
    akidb_buffer bytes; /* read and not given out */
    size_t at;
    uint64_t lines; /* given out */
    bool ended;     /* all of the file is in `bytes` */
};

akidb_status ak_external_ids_open(const char *path, ak_external_ids **ids_out, akidb_error *err)
{
    *ids_out = NULL;
    ak_external_ids *ids = calloc(1, sizeof *ids);
    if (ids == NULL)
        return ak_fail_memory(err, sizeof *ids);
    akidb_status status = ak_stream_in_open(&ids->in, path, err);
    if (status != AKIDB_OK) {
        free(ids);
        return status;
    }
    *ids_out = ids;
    return AKIDB_OK;
}

void ak_external_ids_close(ak_external_ids *ids)
{
    if (ids == NULL)
        return;
    ak_stream_in_close(&ids->in);
    akidb_buffer_free(&ids->bytes);
    free(ids);
}

/* Reads on, after moving what is left to the beginning. */
static akidb_status read_more(ak_external_ids *ids, akidb_error *err)
{
    if (ids->bytes.size - ids->at > LINE_MAX_BYTES)
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_ROW(ids->in.name, ids->lines, NULL),
                          "expected lines of at most %d bytes, found more", (int)LINE_MAX_BYTES);
    if (ids->at > 0) {
        ids->bytes.size -= ids->at;
        memmove(ids->bytes.data, ids->bytes.data + ids->at, ids->bytes.size);
        ids->at = 0;
    }
    size_t before = ids->bytes.size;
    akidb_status status = ak_stream_in_read(&ids->in, &ids->bytes, err);
    ids->ended = status == AKIDB_OK && ids->bytes.size == before;
    return status;
}

/* The next line without its end, as far as `ids->bytes` has one. */
static bool take_line(ak_external_ids *ids, akidb_slice *line_out)
{
    size_t left = ids->bytes.size - ids->at;
    if (left == 0)
        return false;
    const uint8_t *line = ids->bytes.data + ids->at;
    const uint8_t *end = memchr(line, '\n', left);
    if (end == NULL && !ids->ended)
        return false;
    size_t size = end == NULL ? left : (size_t)(end - line);
    ids->at += end == NULL ? size : size + 1;
    if (size > 0 && line[size - 1] == '\r')
        size--;
    *line_out = (akidb_slice){size == 0 ? NULL : line, size};
    return true;
}

akidb_status ak_external_ids_next(ak_external_ids *ids, akidb_slice *id_out, bool *found_out,
                                  akidb_error *err)
{
    *id_out = (akidb_slice){NULL, 0};
    *found_out = false;
    while (!(*found_out = take_line(ids, id_out))) {
        if (ids->ended)
            return AKIDB_OK;
        akidb_status status = read_more(ids, err);
        if (status != AKIDB_OK)
            return status;
    }
    const uint8_t *bytes = id_out->data;
    size_t valid = ak_utf8_valid_prefix(bytes, id_out->size);
    if (bytes != NULL && valid != id_out->size)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(ids->in.name, ids->lines, "external_id"),
                          "expected UTF-8, found the byte 0x%02x at byte %zu of the line",
                          bytes[valid], valid);
    ids->lines++;
    return AKIDB_OK;
}

akidb_status ak_external_ids_too_few(const ak_external_ids *ids, const char *documents_path,
                                     uint64_t total, uint64_t seen, akidb_error *err)
{
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(ids->in.name),
                      "expected an external id for each of the %s%llu documents of %s, found %llu",
                      total == 0 ? "at least " : "",
                      (unsigned long long)(total == 0 ? seen : total), documents_path,
                      (unsigned long long)ids->lines);
}

akidb_status ak_external_ids_end(ak_external_ids *ids, const char *documents_path,
                                 uint64_t documents, akidb_error *err)
{
    akidb_slice id;
    bool found = true;
    akidb_status status = AKIDB_OK;
    while (status == AKIDB_OK && found)
        status = ak_external_ids_next(ids, &id, &found, err);
    if (status == AKIDB_OK && ids->lines != documents)
        status = ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(ids->in.name),
                            "expected an external id for each of the %llu documents of %s, found "
                            "%llu",
                            (unsigned long long)documents, documents_path,
                            (unsigned long long)ids->lines);
    return status;
}
