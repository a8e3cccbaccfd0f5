/* JSON text to documents: the stream is cut into documents on the calling thread, and groups of
 * them are decoded on all, each block of a group straight into its rows. With one thread it is the
 * same work in the same order, so what is read, and what is told to be wrong, is the same. */
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/buffer.h"
#include "base/error.h"
#include "document/documents.h"
#include "document/new_ids.h"
#include "formats/json_decode.h"
#include "formats/json_documents.h"
#include "json/scan.h"

enum {
    GROUP_DOCUMENTS = 4096, /* that are cut before they are decoded, at most */
    BLOCK_TEXT = 32 << 10   /* about so much text is decoded by one thread at a time */
};

/* Neighbours of a group, and what cannot be put into its place at once. */
typedef struct block {
    size_t first, count; /* within the group */
    ak_json_decoder decoder;
    ak_texts external_ids, metadata;
    akidb_buffer has_id; /* a byte for each document */
    bool lacks_ids;
} block;

struct ak_json_reader {
    ak_json_read_options options;
    char *name;
    ak_json_scan scan;
    uint64_t rows;
    ak_json_decoder head; /* learns the dimension, and tells what is wrong with the stream */
    ak_json_text *group;  /* borrowed from the scan until the next feed */
    size_t group_count, group_capacity;
    block *blocks;
    size_t block_count, blocks_made, block_capacity;
    ak_id_sequence new_ids;
    int64_t now; /* for documents without a time: whole milliseconds, as every snapshot holds it */
    bool has_unknown;
    uint64_t unknown_line;
    akidb_buffer unknown;
};

/* ---- life ------------------------------------------------------------------------------------ */

akidb_status ak_json_reader_new(const ak_json_read_options *options, ak_json_reader **reader_out,
                                akidb_error *err)
{
    *reader_out = NULL;
    ak_json_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return ak_fail_memory(err, sizeof *reader);
    reader->options = *options;
    if (reader->options.columns == 0)
        reader->options.columns = AKIDB_COLUMNS_ALL;
    ak_json_scan_begin(&reader->scan, options->lines, AK_JSON_DOCUMENT_MAX);
    reader->now = akidb_clock_now(NULL) / 1000 * 1000;
    reader->head = (ak_json_decoder){.options = &reader->options, .now = reader->now};
    if (options->name != NULL) {
        reader->name = strdup(options->name);
        if (reader->name == NULL) {
            ak_json_reader_free(reader);
            return ak_fail_memory(err, strlen(options->name) + 1);
        }
    }
    reader->options.name = reader->name;
    *reader_out = reader;
    return AKIDB_OK;
}

void ak_json_reader_free(ak_json_reader *reader)
{
    if (reader == NULL)
        return;
    ak_json_scan_end(&reader->scan);
    for (size_t i = 0; i < reader->blocks_made; i++) {
        block *b = &reader->blocks[i];
        ak_json_decoder_free(&b->decoder);
        ak_texts_free(&b->external_ids);
        ak_texts_free(&b->metadata);
        akidb_buffer_free(&b->has_id);
    }
    ak_json_decoder_free(&reader->head);
    akidb_buffer_free(&reader->unknown);
    free(reader->blocks);
    free(reader->group);
    free(reader->name);
    free(reader);
}

akidb_status ak_json_reader_feed(ak_json_reader *reader, akidb_slice bytes, akidb_error *err)
{
    return ak_json_scan_feed(&reader->scan, bytes, err);
}

void ak_json_reader_finish(ak_json_reader *reader)
{
    ak_json_scan_finish(&reader->scan);
}

uint64_t ak_json_reader_rows(const ak_json_reader *reader)
{
    return reader->rows;
}

bool ak_json_reader_unknown(const ak_json_reader *reader, akidb_slice *name_out, uint64_t *line_out)
{
    *name_out = (akidb_slice){reader->unknown.data, reader->unknown.size};
    *line_out = reader->unknown_line;
    return reader->has_unknown;
}

/* ---- cutting --------------------------------------------------------------------------------- */

static akidb_status fail_stream(ak_json_reader *reader, akidb_status status,
                                const akidb_error *inner, akidb_error *err)
{
    reader->head.row = reader->rows;
    reader->head.line = reader->scan.line;
    reader->head.line_begin = reader->scan.line_begin;
    return ak_json_decode_fail(&reader->head, status, inner, 0, NULL, err);
}

static akidb_status next_document(ak_json_reader *reader, ak_json_found *found_out,
                                  ak_json_text *document_out, akidb_error *err)
{
    akidb_status status = ak_json_scan_next(&reader->scan, found_out, &document_out->text,
                                            &document_out->offset, err);
    document_out->line = reader->scan.line;
    document_out->line_begin = reader->scan.line_begin;
    return status;
}

/* Cuts at most `wanted` further documents off the bytes that were fed; *more_out is false when they
 * hold no other. Those before a failure are there too. */
static akidb_status cut_group(ak_json_reader *reader, size_t wanted, bool *more_out,
                              akidb_error *err)
{
    *more_out = true;
    reader->group_count = 0;
    if (wanted > GROUP_DOCUMENTS)
        wanted = GROUP_DOCUMENTS;
    while (reader->group_count < wanted) {
        void *group = reader->group;
        akidb_status status = ak_array_reserve(&group, &reader->group_capacity,
                                               reader->group_count + 1, sizeof *reader->group, err);
        reader->group = group;
        if (status != AKIDB_OK)
            return status;
        ak_json_text *document = &reader->group[reader->group_count];
        ak_json_found found;
        status = next_document(reader, &found, document, err);
        if (status != AKIDB_OK)
            return status;
        *more_out = found == AK_JSON_FOUND_ELEMENT;
        if (!*more_out)
            return AKIDB_OK;
        reader->group_count++;
    }
    return AKIDB_OK;
}

/* The next block, empty, its memory kept from the group before. */
static akidb_status add_block(ak_json_reader *reader, block **block_out, akidb_error *err)
{
    if (reader->block_count == reader->blocks_made) {
        void *blocks = reader->blocks;
        akidb_status status = ak_array_reserve(&blocks, &reader->block_capacity,
                                               reader->block_count + 1, sizeof(block), err);
        reader->blocks = blocks;
        if (status != AKIDB_OK)
            return status;
        reader->blocks[reader->blocks_made++] =
            (block){.decoder = {.options = &reader->options, .now = reader->now}};
    }
    block *b = &reader->blocks[reader->block_count++];
    b->count = 0;
    b->lacks_ids = false;
    b->has_id.size = 0;
    ak_texts_truncate(&b->external_ids, 0);
    ak_texts_truncate(&b->metadata, 0);
    *block_out = b;
    return AKIDB_OK;
}

static akidb_status cut_blocks(ak_json_reader *reader, size_t first, size_t count, akidb_error *err)
{
    block *b = NULL;
    size_t size = 0;
    reader->block_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (b == NULL || size >= BLOCK_TEXT) {
            akidb_status status = add_block(reader, &b, err);
            if (status != AKIDB_OK)
                return status;
            b->first = first + i;
            size = 0;
        }
        b->count++;
        size += reader->group[first + i].text.size;
    }
    return AKIDB_OK;
}

/* ---- decoding -------------------------------------------------------------------------------- */

/* Documents of the group from `first` on become rows from documents->rows on. */
typedef struct decoding {
    ak_json_reader *reader;
    akidb_documents *documents;
    size_t first;
} decoding;

static akidb_status decode_block(void *context, size_t index, akidb_error *err)
{
    const decoding *job = context;
    akidb_documents *documents = job->documents;
    block *b = &job->reader->blocks[index];
    size_t before = documents->rows + b->first - job->first;
    b->decoder.row = job->reader->rows + b->first - job->first;
    akidb_status status = ak_buffer_reserve(&b->has_id, b->count, err);
    for (size_t i = 0; status == AKIDB_OK && i < b->count; i++) {
        size_t at = before + i;
        ak_json_row row = {
            .id = &documents->document_ids[at],
            .external_ids = &b->external_ids,
            .metadata = &b->metadata,
            .texts_before = i,
        };
        if (documents->has_vectors)
            row.vector = documents->vectors + at * (size_t)documents->dimension;
        if (documents->has_times)
            row.time = &documents->inserted_at[at];
        status = ak_json_decode(&b->decoder, &job->reader->group[b->first + i], &row, err);
        b->has_id.data[i] = row.has_id;
        b->lacks_ids = b->lacks_ids || !row.has_id;
        b->decoder.row++;
    }
    return status;
}

/* New ids are given in the order of the documents. */
static akidb_status give_ids(ak_json_reader *reader, const block *b, akidb_uuid *ids,
                             akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; b->lacks_ids && status == AKIDB_OK && i < b->count; i++)
        if (b->has_id.data[i] == 0)
            status = ak_id_sequence_take(&reader->new_ids, reader->now, &ids[i], 1, err);
    return status;
}

static akidb_status take_unknown(ak_json_reader *reader, block *b, akidb_error *err)
{
    if (reader->has_unknown || !b->decoder.has_unknown)
        return AKIDB_OK;
    reader->has_unknown = true;
    reader->unknown_line = b->decoder.unknown_line;
    return ak_buffer_append(&reader->unknown, b->decoder.unknown.data, b->decoder.unknown.size,
                            err);
}

/* Adds what a block has beside its rows; then they are part of the documents. */
static akidb_status take_block(ak_json_reader *reader, block *b, akidb_documents *documents,
                               akidb_error *err)
{
    akidb_texts external_ids = ak_texts_view(&b->external_ids);
    akidb_texts metadata = ak_texts_view(&b->metadata);
    size_t rows = documents->rows;
    akidb_status status = give_ids(reader, b, documents->document_ids + rows, err);
    if (status == AKIDB_OK)
        status =
            ak_texts_append_rows(&documents->external_ids, rows, &external_ids, 0, b->count, err);
    if (status == AKIDB_OK)
        status = ak_texts_append_rows(&documents->metadata, rows, &metadata, 0, b->count, err);
    if (status == AKIDB_OK)
        status = take_unknown(reader, b, err);
    if (status != AKIDB_OK)
        return status;
    documents->rows += b->count;
    reader->rows += b->count;
    return AKIDB_OK;
}

static akidb_status decode_run(ak_json_reader *reader, size_t first, size_t count,
                               akidb_documents *documents, akidb_error *err)
{
    decoding job = {reader, documents, first};
    akidb_status status = cut_blocks(reader, first, count, err);
    if (status == AKIDB_OK)
        status =
            ak_pool_run_indexed(reader->options.pool, reader->block_count, decode_block, &job, err);
    for (size_t i = 0; status == AKIDB_OK && i < reader->block_count; i++)
        status = take_block(reader, &reader->blocks[i], documents, err);
    return status;
}

/* The dimension, from the first document of the group where the options do not say it. */
static akidb_status agree_on_dimension(ak_json_reader *reader, const akidb_documents *documents,
                                       akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    reader->head.row = reader->rows;
    if (reader->options.dimension == 0)
        status = ak_json_decode_dimension(&reader->head, &reader->group[0],
                                          &reader->options.dimension, err);
    if (status != AKIDB_OK || reader->options.dimension == documents->dimension)
        return status;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(reader->name),
                      "reading documents of dimension %u into a batch of dimension %u",
                      (unsigned)reader->options.dimension, (unsigned)documents->dimension);
}

static akidb_status decode_group(ak_json_reader *reader, akidb_documents *documents,
                                 akidb_error *err)
{
    size_t count = reader->group_count;
    if (count == 0)
        return AKIDB_OK;
    akidb_status status = agree_on_dimension(reader, documents, err);
    if (status != AKIDB_OK)
        return status;
    if (ak_documents_reserve(documents, count, NULL) == AKIDB_OK)
        return decode_run(reader, 0, count, documents, err);
    /* There is no room for all; then the first that is wrong, or the first too many, is told. */
    for (size_t i = 0; status == AKIDB_OK && i < count; i++) {
        status = ak_documents_reserve(documents, 1, err);
        if (status == AKIDB_OK)
            status = decode_run(reader, i, 1, documents, err);
    }
    return status;
}

akidb_status ak_json_reader_dimension(ak_json_reader *reader, uint32_t *dimension_out,
                                      akidb_error *err)
{
    *dimension_out = reader->options.dimension;
    if (reader->options.dimension != 0)
        return AKIDB_OK;
    ak_json_found found;
    ak_json_text document;
    akidb_error inner = {.offset = -1};
    akidb_status status = next_document(reader, &found, &document, &inner);
    if (status != AKIDB_OK)
        return fail_stream(reader, status, &inner, err);
    if (found != AK_JSON_FOUND_ELEMENT)
        return AKIDB_OK;
    status = ak_json_decode_dimension(&reader->head, &document, &reader->options.dimension, err);
    ak_json_scan_put_back(&reader->scan);
    *dimension_out = reader->options.dimension;
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool wants(const ak_json_reader *reader, akidb_column column)
{
    return (reader->options.columns & (unsigned)column) != 0;
}

/* Empty documents take over which columns the reader keeps; all rows have the same. */
static akidb_status agree_on_columns(const ak_json_reader *reader, akidb_documents *documents,
                                     akidb_error *err)
{
    bool vectors = wants(reader, AKIDB_COLUMN_VECTOR);
    bool times = wants(reader, AKIDB_COLUMN_INSERTED_AT);
    if (documents->rows == 0) {
        documents->has_vectors = vectors;
        documents->has_times = times;
    }
    if (documents->has_vectors == vectors && documents->has_times == times)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(reader->name),
                      "reading documents: expected the columns of the %zu that are there already",
                      documents->rows);
}

/* What is wrong with a document comes before what is wrong with the stream after it. */
static akidb_status read_group(ak_json_reader *reader, size_t max_rows, akidb_documents *documents,
                               bool *more_out, akidb_error *err)
{
    akidb_error inner = {.offset = -1};
    akidb_status cut = cut_group(reader, max_rows - documents->rows, more_out, &inner);
    akidb_status status = decode_group(reader, documents, err);
    if (status == AKIDB_OK && cut != AKIDB_OK)
        status = fail_stream(reader, cut, &inner, err);
    return status;
}

akidb_status ak_json_reader_read(ak_json_reader *reader, size_t max_rows,
                                 akidb_documents *documents, bool *more_out, akidb_error *err)
{
    *more_out = false;
    size_t before = documents->rows;
    akidb_status status = agree_on_columns(reader, documents, err);
    bool more = true;
    while (status == AKIDB_OK && more && documents->rows < max_rows)
        status = read_group(reader, max_rows, documents, &more, err);
    if (status != AKIDB_OK) {
        ak_documents_truncate(documents, before);
        return status;
    }
    *more_out = more;
    return AKIDB_OK;
}
