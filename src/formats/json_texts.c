#include "formats/json_texts.h"

#include <stdlib.h>

#include "base/error.h"

enum { TEXT_SIZE = 256 << 10 }; /* about so much is made at once */

/* Some rows of the batch in hand, whose text is made on any thread. */
typedef struct piece {
    ak_task task;
    ak_json_style style;
    const akidb_batch *batch;
    size_t first, count;
    bool begins; /* with the first document of all */
    akidb_buffer text;
} piece;

struct ak_json_texts {
    ak_json_style style;
    ak_pool *pool;
    piece *pieces; /* a ring: piece i lies in pieces[i % piece_count] */
    size_t piece_count;
    uint64_t rows; /* handed on */
};

/* One piece for each thread, and one that is handed on meanwhile. */
akidb_status ak_json_texts_new(ak_json_style style, size_t threads, ak_json_texts **texts_out,
                               akidb_error *err)
{
    *texts_out = NULL;
    ak_json_texts *texts = calloc(1, sizeof *texts);
    if (texts == NULL)
        return ak_fail_memory(err, sizeof *texts);
    texts->style = style;
    akidb_status status = ak_pool_new(threads, &texts->pool, err);
    if (status == AKIDB_OK) {
        size_t count = ak_pool_threads(texts->pool);
        count = count == 1 ? 1 : count + 1;
        texts->pieces = calloc(count, sizeof *texts->pieces);
        if (texts->pieces == NULL)
            status = ak_fail_memory(err, count * sizeof *texts->pieces);
        else
            texts->piece_count = count;
    }
    if (status != AKIDB_OK) {
        ak_json_texts_free(texts);
        return status;
    }
    *texts_out = texts;
    return AKIDB_OK;
}

void ak_json_texts_free(ak_json_texts *texts)
{
    if (texts == NULL)
        return;
    ak_pool_free(texts->pool);
    for (size_t i = 0; i < texts->piece_count; i++)
        akidb_buffer_free(&texts->pieces[i].text);
    free(texts->pieces);
    free(texts);
}

uint64_t ak_json_texts_rows(const ak_json_texts *texts)
{
    return texts->rows;
}

/* How many rows from `row` on make about TEXT_SIZE of text; only the last of them may be large. */
static size_t rows_of_text(ak_json_style style, const akidb_batch *batch, size_t row)
{
    bool vectors = style.columns == 0 || (style.columns & AKIDB_COLUMN_VECTOR) != 0;
    uint64_t size = 0;
    size_t rows = 0;
    while (row + rows < batch->rows && size < TEXT_SIZE) {
        size += 60 + (vectors ? 12 * (uint64_t)batch->dimension : 0) +
                akidb_texts_at(&batch->external_ids, row + rows).size +
                akidb_texts_at(&batch->metadata, row + rows).size;
        rows++;
    }
    return rows;
}

static akidb_status make_text(void *context, akidb_error *err)
{
    piece *p = context;
    p->text.size = 0;
    return ak_json_append_documents(&p->text, p->batch, p->first, p->count, p->style, p->begins,
                                    err);
}

static void begin_piece(ak_json_texts *texts, piece *p, const akidb_batch *batch, size_t row)
{
    p->style = texts->style;
    p->batch = batch;
    p->first = row;
    p->count = rows_of_text(texts->style, batch, row);
    p->begins = texts->rows == 0 && row == 0;
    ak_pool_submit(texts->pool, &p->task, make_text, p);
}

/* Hands on the text of a piece, which some thread may still be making. */
static akidb_status end_piece(ak_json_texts *texts, piece *p, ak_json_put *put, void *context,
                              akidb_error *err)
{
    akidb_status status = ak_pool_wait(texts->pool, &p->task, err);
    if (status == AKIDB_OK && p->text.size > AK_JSON_DOCUMENT_MAX)
        status = ak_fail_at(err, AKIDB_E_LIMIT, AK_ROW(NULL, texts->rows + p->count - 1, NULL),
                            "expected a document of at most %zu bytes as JSON, found %zu",
                            AK_JSON_DOCUMENT_MAX, p->text.size);
    if (status == AKIDB_OK)
        status = put(context, (akidb_slice){p->text.data, p->text.size}, err);
    if (status == AKIDB_OK)
        texts->rows += p->count;
    return status;
}

/* All pieces have ended when this returns: the batch is the caller's. */
akidb_status ak_json_texts_append(ak_json_texts *texts, const akidb_batch *batch, ak_json_put *put,
                                  void *context, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    size_t begun = 0, ended = 0;
    for (size_t row = 0; status == AKIDB_OK && row < batch->rows; begun++) {
        piece *p = &texts->pieces[begun % texts->piece_count];
        if (begun - ended == texts->piece_count) {
            ended++;
            status = end_piece(texts, p, put, context, err);
        }
        if (status != AKIDB_OK)
            break;
        begin_piece(texts, p, batch, row);
        row += p->count;
    }
    for (; ended < begun; ended++) {
        piece *p = &texts->pieces[ended % texts->piece_count];
        if (status == AKIDB_OK)
            status = end_piece(texts, p, put, context, err);
        else
            (void)!ak_pool_wait(texts->pool, &p->task, NULL); /* an earlier one has failed */
    }
    return status;
}
