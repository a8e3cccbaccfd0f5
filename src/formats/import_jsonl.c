/* .jsonl as documents, from a file or standard input. */
#include <stdlib.h>

#include "base/error.h"
#include "formats/import.h"
#include "formats/json_documents.h"
#include "formats/stream_in.h"

typedef struct jsonl_source {
    ak_source source;
    ak_stream_in in;
    ak_json_reader *reader;
    akidb_buffer bytes; /* of one read */
    bool ended;         /* the reader has all bytes */
} jsonl_source;

static akidb_status feed(jsonl_source *jsonl, akidb_error *err)
{
    jsonl->bytes.size = 0;
    akidb_status status = ak_stream_in_read(&jsonl->in, &jsonl->bytes, err);
    if (status != AKIDB_OK)
        return status;
    if (jsonl->bytes.size == 0) {
        jsonl->ended = true;
        ak_json_reader_finish(jsonl->reader);
        return AKIDB_OK;
    }
    return ak_json_reader_feed(jsonl->reader, (akidb_slice){jsonl->bytes.data, jsonl->bytes.size},
                               err);
}

static akidb_status jsonl_next(ak_source *source, size_t max_rows, akidb_documents *documents,
                               akidb_error *err)
{
    jsonl_source *jsonl = (jsonl_source *)source;
    for (;;) {
        bool more;
        akidb_status status = ak_json_reader_read(jsonl->reader, max_rows, documents, &more, err);
        if (status != AKIDB_OK || more || jsonl->ended)
            return status;
        status = feed(jsonl, err);
        if (status != AKIDB_OK)
            return status;
    }
}

static void jsonl_close(ak_source *source)
{
    jsonl_source *jsonl = (jsonl_source *)source;
    ak_stream_in_close(&jsonl->in);
    ak_json_reader_free(jsonl->reader);
    akidb_buffer_free(&jsonl->bytes);
    free(jsonl);
}

/* Reads up to the first document. */
static akidb_status find_dimension(jsonl_source *jsonl, akidb_error *err)
{
    for (;;) {
        akidb_status status =
            ak_json_reader_dimension(jsonl->reader, &jsonl->source.dimension, err);
        if (status != AKIDB_OK || jsonl->source.dimension != 0 || jsonl->ended)
            return status;
        status = feed(jsonl, err);
        if (status != AKIDB_OK)
            return status;
    }
}

akidb_status ak_jsonl_source_open(const char *path, ak_source **source_out, akidb_error *err)
{
    static const ak_source_ops ops = {jsonl_next, jsonl_close};
    *source_out = NULL;
    jsonl_source *jsonl = calloc(1, sizeof *jsonl);
    if (jsonl == NULL)
        return ak_fail_memory(err, sizeof *jsonl);
    jsonl->source.ops = &ops;
    akidb_status status = ak_stream_in_open(&jsonl->in, path, err);
    if (status == AKIDB_OK) {
        ak_json_read_options options = {.name = jsonl->in.name, .lines = true};
        status = ak_json_reader_new(&options, &jsonl->reader, err);
    }
    if (status == AKIDB_OK)
        status = find_dimension(jsonl, err);
    if (status != AKIDB_OK) {
        jsonl_close(&jsonl->source);
        return status;
    }
    *source_out = &jsonl->source;
    return AKIDB_OK;
}
