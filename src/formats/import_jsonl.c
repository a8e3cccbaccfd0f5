/* .jsonl as documents, from a file or standard input. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/utf8.h"
#include "formats/import.h"
#include "formats/json_documents.h"
#include "formats/text_in.h"

typedef struct jsonl_source {
    ak_source source;
    ak_text_in text;
    ak_json_reader *reader;
    ak_pool *pool;
    size_t feed_size;    /* bytes of several reads, so that all threads find work */
    akidb_buffer bytes;  /* of one feed */
    bool ended;          /* the reader has all bytes */
    akidb_status failed; /* of a read, told when what came before it has been taken */
    akidb_error failure;
    const akidb_hooks *hooks;
    bool told; /* of members that nobody knows */
} jsonl_source;

enum { FEED_SIZE = 256 << 10 }; /* for each thread */

/* Who writes documents into a pipe one by one may wait for what becomes of each: whole lines are
 * not kept back until there are more. */
static bool takes_more(const jsonl_source *jsonl)
{
    return jsonl->bytes.size < jsonl->feed_size &&
           (jsonl->bytes.size == 0 || ak_text_in_ready(&jsonl->text));
}

static akidb_status feed(jsonl_source *jsonl, akidb_error *err)
{
    jsonl->bytes.size = 0;
    bool more = true;
    while (more && jsonl->failed == AKIDB_OK && takes_more(jsonl)) {
        size_t before = jsonl->bytes.size;
        jsonl->failed = ak_text_in_read(&jsonl->text, &jsonl->bytes, &jsonl->failure);
        more = jsonl->bytes.size > before;
    }
    if (jsonl->bytes.size == 0 && jsonl->failed != AKIDB_OK) {
        if (err != NULL)
            *err = jsonl->failure;
        return jsonl->failed;
    }
    if (jsonl->bytes.size == 0) {
        jsonl->ended = true;
        ak_json_reader_finish(jsonl->reader);
        return AKIDB_OK;
    }
    return ak_json_reader_feed(jsonl->reader, (akidb_slice){jsonl->bytes.data, jsonl->bytes.size},
                               err);
}

/* Members that nobody knows may be a misspelt name: that is told, once for a file. */
static void tell_unknown(jsonl_source *jsonl)
{
    akidb_slice name;
    uint64_t line;
    if (jsonl->told || jsonl->hooks == NULL || jsonl->hooks->log == NULL ||
        !ak_json_reader_unknown(jsonl->reader, &name, &line))
        return;
    jsonl->told = true;
    char shown[100];
    size_t size = name.size < sizeof shown ? name.size : sizeof shown;
    size = ak_utf8_valid_prefix(name.data, size);
    for (size_t i = 0; i < size; i++) {
        char c = ((const char *)name.data)[i];
        shown[i] = (c >= 0 && c < ' ') || c == 0x7F ? '?' : c; /* a message is one line */
    }
    char message[512];
    snprintf(message, sizeof message,
             "%.200s: line %" PRIu64
             ": documents have no member \"%.*s\": it is left out, and so are "
             "others that they do not have",
             jsonl->text.in.name, line, (int)size, shown);
    jsonl->hooks->log(jsonl->hooks->context, AKIDB_LOG_WARNING, message);
}

static akidb_status jsonl_next(ak_source *source, size_t max_rows, akidb_documents *documents,
                               akidb_error *err)
{
    jsonl_source *jsonl = (jsonl_source *)source;
    for (;;) {
        bool more;
        akidb_status status = ak_json_reader_read(jsonl->reader, max_rows, documents, &more, err);
        tell_unknown(jsonl);
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
    ak_text_in_close(&jsonl->text);
    ak_json_reader_free(jsonl->reader);
    ak_pool_free(jsonl->pool);
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

akidb_status ak_jsonl_source_open(const char *path, const akidb_import_options *import,
                                  ak_source **source_out, akidb_error *err)
{
    static const ak_source_ops ops = {jsonl_next, jsonl_close};
    *source_out = NULL;
    jsonl_source *jsonl = calloc(1, sizeof *jsonl);
    if (jsonl == NULL)
        return ak_fail_memory(err, sizeof *jsonl);
    jsonl->source.ops = &ops;
    jsonl->hooks = import->hooks;
    akidb_status status = ak_text_in_open(&jsonl->text, path, err);
    if (status == AKIDB_OK)
        status = ak_pool_new(import->threads == 0 ? 1 : import->threads, &jsonl->pool, err);
    if (status == AKIDB_OK) {
        jsonl->feed_size = FEED_SIZE * ak_pool_threads(jsonl->pool);
        ak_json_read_options options = {
            .name = jsonl->text.in.name, .lines = true, .pool = jsonl->pool};
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
