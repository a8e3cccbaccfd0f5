#include "document/documents.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "document/check.h"
#include "os/memory.h"

akidb_status akidb_documents_new(uint32_t dimension, akidb_documents **documents_out,
                                 akidb_error *err)
{
    *documents_out = NULL;
    akidb_status status = ak_check_dimension(dimension, err);
    if (status != AKIDB_OK)
        return status;
    akidb_documents *documents = calloc(1, sizeof *documents);
    if (documents == NULL)
        return ak_fail_memory(err, sizeof *documents);
    documents->dimension = dimension;
    documents->has_vectors = true;
    documents->has_times = true;
    *documents_out = documents;
    return AKIDB_OK;
}

akidb_status ak_documents_new_over(uint32_t dimension, float *vectors, akidb_uuid *ids,
                                   int64_t *times, size_t rows, akidb_documents **documents_out,
                                   akidb_error *err)
{
    akidb_status status = akidb_documents_new(dimension, documents_out, err);
    if (status != AKIDB_OK)
        return status;
    akidb_documents *documents = *documents_out;
    documents->lent_vectors = vectors != NULL;
    documents->lent_ids = ids != NULL;
    documents->lent_times = times != NULL;
    documents->lent_rows = rows;
    documents->vectors = vectors;
    documents->document_ids = ids;
    documents->inserted_at = times;
    return AKIDB_OK;
}

void akidb_documents_free(akidb_documents *documents)
{
    if (documents == NULL)
        return;
    if (!documents->lent_vectors)
        free(documents->vectors);
    if (!documents->lent_ids)
        free(documents->document_ids);
    if (!documents->lent_times)
        free(documents->inserted_at);
    ak_texts_free(&documents->external_ids);
    ak_texts_free(&documents->metadata);
    free(documents);
}

void ak_documents_truncate(akidb_documents *documents, size_t rows)
{
    documents->rows = rows;
    ak_texts_truncate(&documents->external_ids, rows);
    ak_texts_truncate(&documents->metadata, rows);
}

void akidb_documents_clear(akidb_documents *documents)
{
    ak_documents_truncate(documents, 0);
}

akidb_batch akidb_documents_batch(const akidb_documents *documents)
{
    return (akidb_batch){
        .rows = documents->rows,
        .dimension = documents->dimension,
        .vectors = documents->has_vectors ? documents->vectors : NULL,
        .document_ids = documents->document_ids,
        .external_ids = ak_texts_view(&documents->external_ids),
        .metadata = ak_texts_view(&documents->metadata),
        .inserted_at = documents->has_times ? documents->inserted_at : NULL,
    };
}

static akidb_status reserve_vectors(akidb_documents *documents, size_t rows, akidb_error *err)
{
    size_t floats;
    if (!ak_mul_size(rows, documents->dimension, &floats))
        return ak_fail_memory(err, SIZE_MAX);
    void *vectors = documents->vectors;
    size_t before = documents->vector_capacity;
    akidb_status status = ak_array_reserve(&vectors, &documents->vector_capacity, floats,
                                           sizeof *documents->vectors, err);
    documents->vectors = vectors;
    if (documents->vector_capacity != before)
        ak_memory_prefer_large_pages(vectors, documents->vector_capacity * sizeof(float));
    return status;
}

akidb_status ak_documents_reserve(akidb_documents *documents, size_t rows, akidb_error *err)
{
    size_t wanted;
    if (!ak_add_size(documents->rows, rows, &wanted))
        return ak_fail_memory(err, SIZE_MAX);
    bool is_lent = documents->lent_vectors || documents->lent_ids || documents->lent_times;
    if (is_lent && wanted > documents->lent_rows)
        return ak_fail(err, AKIDB_E_LIMIT,
                       "expected at most %zu documents, which the caller's arrays have room for, "
                       "found %zu at least",
                       documents->lent_rows, wanted);
    akidb_status status = AKIDB_OK;
    if (documents->has_vectors && !documents->lent_vectors)
        status = reserve_vectors(documents, wanted, err);
    if (status == AKIDB_OK && documents->has_times && !documents->lent_times) {
        void *times = documents->inserted_at;
        status = ak_array_reserve(&times, &documents->time_capacity, wanted,
                                  sizeof *documents->inserted_at, err);
        documents->inserted_at = times;
    }
    if (status == AKIDB_OK && !documents->lent_ids) {
        void *ids = documents->document_ids;
        status = ak_array_reserve(&ids, &documents->id_capacity, wanted,
                                  sizeof *documents->document_ids, err);
        documents->document_ids = ids;
    }
    return status;
}

static float *vector_at(akidb_documents *documents, size_t row)
{
    return documents->vectors + row * documents->dimension;
}

/* Empty documents take over which columns there are; all rows have the same. */
static akidb_status agree_on_columns(akidb_documents *documents, bool has_vectors, bool has_times,
                                     akidb_error *err)
{
    if (documents->rows == 0) {
        documents->has_vectors = has_vectors;
        documents->has_times = has_times;
    }
    const char *column = documents->has_vectors != has_vectors ? "vector"
                         : documents->has_times != has_times   ? "inserted_at"
                                                               : NULL;
    if (column == NULL)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, documents->rows, column),
                      "expected a column that is there in all rows or in none");
}

static akidb_status check_same_dimension(const akidb_documents *documents, uint32_t dimension,
                                         akidb_error *err)
{
    if (dimension == documents->dimension)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, documents->rows, "vector"),
                      "expected dimension %u, found %u", documents->dimension, dimension);
}

/* ---- one document ---------------------------------------------------------------------------- */

static akidb_status check_document(const akidb_documents *documents, const akidb_document *document,
                                   akidb_error *err)
{
    size_t row = documents->rows;
    if (document->vector == NULL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, row, "vector"),
                          "expected %u floats, found none", documents->dimension);
    akidb_status status = check_same_dimension(documents, document->dimension, err);
    if (status == AKIDB_OK)
        status = ak_check_external_id(document->external_id, row, err);
    if (status == AKIDB_OK)
        status = ak_check_metadata(document->metadata, row, err);
    if (status == AKIDB_OK && document->inserted_at != NULL)
        status = ak_check_time(*document->inserted_at, row, err);
    return status;
}

akidb_status akidb_documents_append(akidb_documents *documents, const akidb_document *document,
                                    akidb_error *err)
{
    size_t row = documents->rows;
    akidb_status status = check_document(documents, document, err);
    if (status == AKIDB_OK)
        status = agree_on_columns(documents, true, true, err);
    if (status == AKIDB_OK)
        status = ak_documents_reserve(documents, 1, err);
    if (status != AKIDB_OK)
        return status;
    akidb_uuid *id = &documents->document_ids[row];
    bool needs_now = document->document_id == NULL || document->inserted_at == NULL;
    int64_t now = needs_now ? akidb_clock_now(NULL) : 0;
    if (document->document_id != NULL)
        *id = *document->document_id;
    else
        status = ak_id_sequence_take(&documents->new_ids, now, id, 1, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->external_ids, row, document->external_id, err);
    if (status == AKIDB_OK)
        status = ak_texts_append(&documents->metadata, row, document->metadata, err);
    if (status != AKIDB_OK) {
        ak_documents_truncate(documents, row);
        return status;
    }
    memcpy(vector_at(documents, row), document->vector,
           documents->dimension * sizeof *document->vector);
    documents->inserted_at[row] = document->inserted_at != NULL ? *document->inserted_at : now;
    documents->rows++;
    return AKIDB_OK;
}

/* ---- many documents -------------------------------------------------------------------------- */

static akidb_status append_texts_of(akidb_documents *documents, const akidb_batch *batch, size_t at,
                                    size_t first, size_t count, akidb_error *err)
{
    akidb_status status =
        ak_texts_append_rows(&documents->external_ids, at, &batch->external_ids, first, count, err);
    if (status == AKIDB_OK)
        status =
            ak_texts_append_rows(&documents->metadata, at, &batch->metadata, first, count, err);
    return status;
}

akidb_status akidb_documents_append_batch(akidb_documents *documents, const akidb_batch *batch,
                                          akidb_error *err)
{
    size_t before = documents->rows;
    akidb_status status = ak_check_structure(batch, err);
    if (status == AKIDB_OK)
        status = check_same_dimension(documents, batch->dimension, err);
    if (status != AKIDB_OK || batch->rows == 0)
        return status;
    status = agree_on_columns(documents, batch->vectors != NULL, true, err);
    if (status == AKIDB_OK)
        status = ak_documents_reserve(documents, batch->rows, err);
    if (status == AKIDB_OK)
        status = append_texts_of(documents, batch, before, 0, batch->rows, err);
    int64_t now = akidb_clock_now(NULL);
    if (status == AKIDB_OK && batch->document_ids == NULL)
        status = ak_id_sequence_take(&documents->new_ids, now, documents->document_ids + before,
                                     batch->rows, err);
    if (status != AKIDB_OK) {
        ak_documents_truncate(documents, before);
        return status;
    }
    if (batch->document_ids != NULL)
        memcpy(documents->document_ids + before, batch->document_ids,
               batch->rows * sizeof *batch->document_ids);
    if (batch->vectors != NULL)
        memcpy(vector_at(documents, before), batch->vectors,
               batch->rows * batch->dimension * sizeof *batch->vectors);
    for (size_t i = 0; i < batch->rows; i++)
        documents->inserted_at[before + i] =
            batch->inserted_at != NULL ? batch->inserted_at[i] : now;
    documents->rows += batch->rows;
    return AKIDB_OK;
}

/* The two agree on the columns that they have. */
static void copy_row(akidb_documents *documents, size_t to, const akidb_batch *batch, size_t from)
{
    documents->document_ids[to] = batch->document_ids[from];
    if (batch->inserted_at != NULL)
        documents->inserted_at[to] = batch->inserted_at[from];
    if (batch->vectors != NULL)
        memcpy(vector_at(documents, to), batch->vectors + from * batch->dimension,
               batch->dimension * sizeof *batch->vectors);
}

akidb_status ak_documents_append_rows(akidb_documents *documents, const akidb_batch *batch,
                                      const size_t *rows, size_t count, akidb_error *err)
{
    size_t before = documents->rows;
    akidb_status status = check_same_dimension(documents, batch->dimension, err);
    if (status != AKIDB_OK || count == 0)
        return status;
    if (batch->document_ids == NULL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_ROW(NULL, before, "document_id"),
                          "expected the ids of the documents, found none");
    status = agree_on_columns(documents, batch->vectors != NULL, batch->inserted_at != NULL, err);
    if (status == AKIDB_OK)
        status = ak_documents_reserve(documents, count, err);
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = append_texts_of(documents, batch, before + i, rows[i], 1, err);
    if (status != AKIDB_OK) {
        ak_documents_truncate(documents, before);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        copy_row(documents, before + i, batch, rows[i]);
    documents->rows += count;
    return AKIDB_OK;
}
