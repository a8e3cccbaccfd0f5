#include "parquet/row_stream.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/buffer.h"
#include "base/error.h"
#include "document/documents.h"
#include "parquet/again.h"
#include "parquet/chunk_pieces.h"
#include "parquet/rows_merge.h"

#define BLOCK_BYTES (UINT64_C(64) << 20)
#define PIECE_BYTES ((size_t)4 << 20)

/* A column and the piece of it that was decoded last. */
typedef struct column {
    ak_chunk_pieces pieces; /* leaf NULL: not read */
    ak_row_group_job job;   /* where the piece was decoded to */
    size_t rows, taken;     /* of the piece */
    size_t id_capacity, time_capacity;
    int field;
} column;

struct ak_row_stream {
    const akidb_parquet_reader *reader;
    size_t group;
    uint64_t row; /* the next, within the row group */
    int64_t now;
    column columns[AK_FIELD_COUNT];
    ak_row_group_job block; /* the rows that are being put together */
};

/* ---- life ------------------------------------------------------------------------------------ */

static akidb_status open_column(ak_row_stream *stream, int field, size_t piece_bytes,
                                uint64_t text_bytes, akidb_error *err)
{
    column *c = &stream->columns[field];
    const akidb_parquet_reader *reader = stream->reader;
    c->field = field;
    c->pieces = (ak_chunk_pieces){
        .reader = reader,
        .group = stream->group,
        .leaf = ak_reader_field(reader, field),
        .values_per_row = field == AK_FIELD_VECTOR ? reader->dimension : 1,
        .piece_bytes = piece_bytes,
    };
    c->job =
        (ak_row_group_job){.reader = reader, .group = stream->group, .text_bytes_max = text_bytes};
    akidb_status status = ak_decoding_new(&c->job.decoding, err);
    c->job.has_decoding = status == AKIDB_OK;
    return status;
}

akidb_status ak_row_stream_open(const akidb_parquet_reader *reader, size_t group,
                                size_t piece_bytes, ak_row_stream **stream_out, akidb_error *err)
{
    uint64_t rows, text_bytes;
    *stream_out = NULL;
    akidb_status status = ak_rows_allowed(reader, group, 1, &rows, &text_bytes, err);
    if (status != AKIDB_OK)
        return status;
    ak_row_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return ak_fail_memory(err, sizeof *stream);
    stream->reader = reader;
    stream->group = group;
    stream->now = akidb_clock_now(NULL) / 1000 * 1000; /* what every time unit holds */
    stream->block = (ak_row_group_job){.reader = reader, .group = group};
    for (int field = 0; status == AKIDB_OK && field < AK_FIELD_COUNT; field++)
        status = open_column(stream, field, piece_bytes == 0 ? PIECE_BYTES : piece_bytes,
                             text_bytes, err);
    if (status != AKIDB_OK) {
        ak_row_stream_close(stream);
        return status;
    }
    *stream_out = stream;
    return AKIDB_OK;
}

void ak_row_stream_close(ak_row_stream *stream)
{
    if (stream == NULL)
        return;
    for (int field = 0; field < AK_FIELD_COUNT; field++) {
        column *c = &stream->columns[field];
        ak_chunk_pieces_end(&c->pieces);
        free(c->job.document_ids);
        free(c->job.inserted_at);
        ak_row_group_job_free(&c->job);
    }
    ak_row_group_job_free(&stream->block);
    free(stream);
}

/* ---- a piece --------------------------------------------------------------------------------- */

typedef struct piece_read {
    column *column;
    akidb_documents *documents; /* vectors go there; NULL for other columns */
    uint64_t text_bytes_max;    /* before */
    bool is_second;
} piece_read;

/* Room for what a piece of a column other than texts is decoded to. */
static akidb_status make_room(piece_read *read, size_t rows, akidb_error *err)
{
    column *c = read->column;
    akidb_status status = AKIDB_OK;
    if (c->field == AK_FIELD_VECTOR) {
        akidb_documents *documents = read->documents;
        status = ak_documents_reserve(documents, rows, err);
        if (status == AKIDB_OK)
            c->job.vectors = documents->vectors + documents->rows * (size_t)documents->dimension;
    } else if (c->field == AK_FIELD_DOCUMENT_ID) {
        void *ids = c->job.document_ids;
        status = ak_array_reserve(&ids, &c->id_capacity, rows, sizeof(akidb_uuid), err);
        c->job.document_ids = ids;
    } else if (c->field == AK_FIELD_INSERTED_AT) {
        void *times = c->job.inserted_at;
        status = ak_array_reserve(&times, &c->time_capacity, rows, sizeof(int64_t), err);
        c->job.inserted_at = times;
    }
    return status;
}

static akidb_status read_piece(void *context, akidb_error *err)
{
    piece_read *read = context;
    column *c = read->column;
    ak_chunk piece;
    bool done;
    if (read->is_second)
        ak_chunk_pieces_forget(&c->pieces);
    read->is_second = true;
    c->job.text_bytes_max = read->text_bytes_max;
    ak_texts_truncate(&c->job.external_ids, 0);
    ak_texts_truncate(&c->job.metadata, 0);
    ak_texts_truncate(&c->job.other_ids, 0);
    akidb_status status = ak_chunk_pieces_find(&c->pieces, &piece, &done, err);
    if (status != AKIDB_OK)
        return status;
    if (done)
        return ak_fail_at(
            err, AKIDB_E_CORRUPTION,
            (ak_place){c->job.reader->input->name, c->pieces.leaf->column, -1, -1},
            "expected pages with as many rows as row group %zu has, %llu, found fewer",
            c->job.group, (unsigned long long)ak_reader_rows(c->job.reader, c->job.group));
    status = make_room(read, (size_t)piece.rows, err);
    if (status == AKIDB_OK)
        status = ak_row_group_read_field(&c->job, c->field, &piece, err);
    if (status != AKIDB_OK)
        return status;
    ak_chunk_pieces_pass(&c->pieces);
    c->rows = (size_t)piece.rows;
    c->taken = 0;
    return AKIDB_OK;
}

static akidb_status next_piece(column *c, akidb_documents *documents, akidb_error *err)
{
    piece_read read = {
        .column = c, .documents = documents, .text_bytes_max = c->job.text_bytes_max};
    return ak_read_again(read_piece, &read, c->job.reader->options.hooks, err);
}

/* ---- a block of rows ------------------------------------------------------------------------- */

/* `count` rows of the column's piece become rows of the block, behind `before` of them. */
static akidb_status take_rows(ak_row_stream *stream, column *c, size_t before, size_t count,
                              akidb_error *err)
{
    ak_row_group_job *block = &stream->block;
    akidb_texts texts;
    switch (c->field) {
    case AK_FIELD_DOCUMENT_ID:
        memcpy(block->document_ids + before, c->job.document_ids + c->taken,
               count * sizeof *block->document_ids);
        if (!stream->reader->columns.has_other_ids)
            return AKIDB_OK;
        memcpy(block->is_other + before, c->job.is_other + c->taken, count);
        texts = ak_texts_view(&c->job.other_ids);
        return ak_texts_append_rows(&block->other_ids, before, &texts, c->taken, count, err);
    case AK_FIELD_EXTERNAL_ID:
        texts = ak_texts_view(&c->job.external_ids);
        return ak_texts_append_rows(&block->external_ids, before, &texts, c->taken, count, err);
    case AK_FIELD_METADATA:
        texts = ak_texts_view(&c->job.metadata);
        return ak_texts_append_rows(&block->metadata, before, &texts, c->taken, count, err);
    case AK_FIELD_INSERTED_AT:
        memcpy(block->inserted_at + before, c->job.inserted_at + c->taken,
               count * sizeof *block->inserted_at);
        return AKIDB_OK;
    default: return AKIDB_OK; /* dimensions were compared, vectors are in their place */
    }
}

static akidb_status fill_column(ak_row_stream *stream, column *c, size_t rows, akidb_error *err)
{
    for (size_t filled = 0; filled < rows;) {
        akidb_status status = AKIDB_OK;
        if (c->taken == c->rows)
            status = next_piece(c, NULL, err);
        size_t count = c->rows - c->taken;
        if (count > rows - filled)
            count = rows - filled;
        if (status == AKIDB_OK)
            status = take_rows(stream, c, filled, count, err);
        if (status != AKIDB_OK)
            return status;
        c->taken += count;
        filled += count;
    }
    return AKIDB_OK;
}

static akidb_status begin_block(ak_row_stream *stream, akidb_documents *documents, size_t rows,
                                akidb_error *err)
{
    ak_row_group_job *block = &stream->block;
    akidb_status status = ak_documents_reserve(documents, rows, err);
    if (status != AKIDB_OK)
        return status;
    block->document_ids = documents->document_ids + documents->rows;
    block->inserted_at = documents->has_times ? documents->inserted_at + documents->rows : NULL;
    ak_texts_truncate(&block->external_ids, 0);
    ak_texts_truncate(&block->metadata, 0);
    ak_texts_truncate(&block->other_ids, 0);
    if (!stream->reader->columns.has_other_ids)
        return AKIDB_OK;
    void *is_other = block->is_other;
    status = ak_array_reserve(&is_other, &block->is_other_capacity, rows, 1, err);
    block->is_other = is_other;
    return status;
}

/* The rows of the next piece of vectors, or of what would be one; the other columns follow. */
static akidb_status read_block(ak_row_stream *stream, size_t max_rows, akidb_documents *documents,
                               akidb_error *err)
{
    const akidb_parquet_reader *reader = stream->reader;
    column *vectors = &stream->columns[AK_FIELD_VECTOR];
    uint64_t left = ak_reader_rows(reader, stream->group) - stream->row;
    size_t rows = left < max_rows ? (size_t)left : max_rows;
    akidb_status status = AKIDB_OK;
    if (vectors->pieces.leaf != NULL) {
        status = next_piece(vectors, documents, err);
        rows = vectors->rows;
    }
    if (status == AKIDB_OK && rows > 0)
        status = begin_block(stream, documents, rows, err);
    for (int field = 0; status == AKIDB_OK && field < AK_FIELD_VECTOR; field++)
        if (stream->columns[field].pieces.leaf != NULL)
            status = fill_column(stream, &stream->columns[field], rows, err);
    if (status == AKIDB_OK)
        status = ak_rows_merge(&stream->block, reader->first_rows[stream->group] + stream->row,
                               rows, documents->rows, stream->now, documents, err);
    if (status != AKIDB_OK)
        return status;
    documents->rows += rows;
    stream->row += rows;
    return AKIDB_OK;
}

/* Behind the last row there may be pages, but no values. */
static akidb_status check_end(ak_row_stream *stream, akidb_documents *documents, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (int field = 0; status == AKIDB_OK && field < AK_FIELD_COUNT; field++) {
        column *c = &stream->columns[field];
        while (status == AKIDB_OK && c->pieces.leaf != NULL && !ak_chunk_pieces_at_end(&c->pieces))
            status = next_piece(c, documents, err);
    }
    return status;
}

akidb_status ak_row_stream_next(ak_row_stream *stream, size_t max_rows, akidb_documents *documents,
                                akidb_error *err)
{
    const akidb_parquet_reader *reader = stream->reader;
    const uint64_t rows = ak_reader_rows(reader, stream->group);
    const size_t before = documents->rows;
    size_t most = (size_t)(BLOCK_BYTES / (reader->dimension * sizeof(float)));
    most = most < max_rows ? most : max_rows;
    akidb_status status = AKIDB_OK;
    if (before == 0) {
        documents->has_vectors = ak_reader_wants(reader, AKIDB_COLUMN_VECTOR);
        documents->has_times = ak_reader_wants(reader, AKIDB_COLUMN_INSERTED_AT);
    }
    while (status == AKIDB_OK && stream->row < rows &&
           (documents->rows == before || documents->rows - before < most))
        status = read_block(stream, max_rows, documents, err);
    if (status == AKIDB_OK && stream->row == rows)
        status = check_end(stream, documents, err);
    if (status != AKIDB_OK)
        ak_documents_truncate(documents, before);
    return status;
}
