#include "formats/import.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "document/documents.h"
#include "formats/external_ids.h"
#include "formats/file_format.h"

struct akidb_import {
    akidb_import_options options; /* its strings are not used after the open */
    char *path;
    ak_source *source;
    ak_external_ids *ids; /* NULL: the file's own */
    uint64_t rows;        /* given so far */
    bool done;
};

/* ---- shared by the sources ------------------------------------------------------------------- */

int64_t ak_import_time(void)
{
    return akidb_clock_now(NULL) / 1000 * 1000;
}

size_t ak_block_rows(size_t max_rows, uint64_t left, uint32_t dimension)
{
    const size_t block_bytes = (size_t)64 << 20;
    size_t rows = block_bytes / ((size_t)dimension * sizeof(float));
    if (rows > max_rows)
        rows = max_rows;
    if (rows > left)
        rows = (size_t)left;
    return rows > 0 ? rows : 1;
}

akidb_status ak_prepare_vectors(akidb_documents *documents, size_t count, ak_id_sequence *ids,
                                int64_t now, float **vectors_out, akidb_error *err)
{
    size_t row = documents->rows;
    if (row == 0)
        documents->has_vectors = documents->has_times = true;
    akidb_status status = ak_documents_reserve(documents, count, err);
    if (status == AKIDB_OK)
        status = ak_id_sequence_take(ids, now, documents->document_ids + row, count, err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; i < count; i++)
        documents->inserted_at[row + i] = now;
    *vectors_out = documents->vectors + row * (size_t)documents->dimension;
    return AKIDB_OK;
}

akidb_status ak_add_vectors(akidb_documents *documents, size_t count, akidb_error *err)
{
    const akidb_slice null = {NULL, 0};
    for (size_t i = 0; i < count; i++) {
        akidb_status status = ak_texts_append(&documents->external_ids, documents->rows, null, err);
        if (status == AKIDB_OK)
            status = ak_texts_append(&documents->metadata, documents->rows, null, err);
        if (status != AKIDB_OK)
            return status;
        documents->rows++;
    }
    return AKIDB_OK;
}

/* ---- open ------------------------------------------------------------------------------------ */

static akidb_status open_parquet(akidb_import *import, akidb_input input, akidb_error *err)
{
    akidb_parquet_read_options parquet;
    akidb_status status = ak_options_copy(&parquet, sizeof parquet, import->options.parquet,
                                          "akidb_parquet_read_options", err);
    if (status != AKIDB_OK) {
        akidb_input_close(&input);
        return status;
    }
    parquet.struct_size = sizeof parquet;
    parquet.narrow_doubles = parquet.narrow_doubles || import->options.narrow_doubles;
    return ak_parquet_source_new(input, &parquet, &import->source, err);
}

static akidb_status open_source(akidb_import *import, akidb_error *err)
{
    if (import->options.format == AKIDB_FILE_JSONL)
        return ak_jsonl_source_open(import->path, &import->options, &import->source, err);
    akidb_input input;
    akidb_status status = akidb_input_open_file(import->path, &input, err);
    if (status != AKIDB_OK)
        return status;
    switch (import->options.format) {
    case AKIDB_FILE_NPY:
        return ak_npy_source_new(input, import->options.narrow_doubles, &import->source, err);
    case AKIDB_FILE_FVECS: return ak_fvecs_source_new(input, &import->source, err);
    default: return open_parquet(import, input, err);
    }
}

akidb_status akidb_import_open(const char *path, const akidb_import_options *options,
                               akidb_import **import_out, akidb_error *err)
{
    *import_out = NULL;
    akidb_import *import = calloc(1, sizeof *import);
    if (import == NULL)
        return ak_fail_memory(err, sizeof *import);
    akidb_status status = ak_options_copy(&import->options, sizeof import->options, options,
                                          "akidb_import_options", err);
    if (status == AKIDB_OK)
        status = ak_file_format(path, true, &import->options.format, err);
    if (status == AKIDB_OK) {
        import->path = strdup(path);
        if (import->path == NULL)
            status = ak_fail_memory(err, strlen(path) + 1);
    }
    if (status == AKIDB_OK && import->options.external_ids_path != NULL)
        status = ak_external_ids_open(import->options.external_ids_path, &import->ids, err);
    if (status == AKIDB_OK)
        status = open_source(import, err);
    if (status != AKIDB_OK) {
        akidb_import_close(import);
        return status;
    }
    *import_out = import;
    return AKIDB_OK;
}

void akidb_import_close(akidb_import *import)
{
    if (import == NULL)
        return;
    if (import->source != NULL)
        import->source->ops->close(import->source);
    ak_external_ids_close(import->ids);
    free(import->path);
    free(import);
}

uint32_t akidb_import_dimension(const akidb_import *import)
{
    return import->source->dimension;
}

uint64_t akidb_import_rows(const akidb_import *import)
{
    return import->source->rows;
}

/* ---- next ------------------------------------------------------------------------------------ */

/* Gives the documents the ids of the list in place of their own. */
static akidb_status replace_external_ids(akidb_import *import, akidb_documents *documents,
                                         akidb_error *err)
{
    ak_texts_truncate(&documents->external_ids, 0);
    for (size_t i = 0; i < documents->rows; i++) {
        akidb_slice id;
        bool found;
        akidb_status status = ak_external_ids_next(import->ids, &id, &found, err);
        if (status == AKIDB_OK && !found)
            status = ak_external_ids_too_few(import->ids, import->path, import->source->rows,
                                             import->rows + documents->rows, err);
        if (status == AKIDB_OK)
            status = ak_texts_append(&documents->external_ids, i, id, err);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

akidb_status akidb_import_next(akidb_import *import, size_t max_rows, akidb_documents *documents,
                               bool *done_out, akidb_error *err)
{
    *done_out = false;
    akidb_documents_clear(documents);
    if (max_rows == 0)
        max_rows = 1;
    akidb_status status = AKIDB_OK;
    if (import->source->dimension != 0 && documents->dimension != import->source->dimension)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(import->path),
                          "reading vectors of dimension %u into documents of dimension %u",
                          (unsigned)import->source->dimension, (unsigned)documents->dimension);
    if (!import->done)
        status = import->source->ops->next(import->source, max_rows, documents, err);
    if (status == AKIDB_OK && import->ids != NULL)
        status = replace_external_ids(import, documents, err);
    if (status == AKIDB_OK && documents->rows == 0 && !import->done) {
        import->done = true;
        if (import->ids != NULL)
            status = ak_external_ids_end(import->ids, import->path, import->rows, err);
    }
    if (status != AKIDB_OK) {
        akidb_documents_clear(documents);
        return status;
    }
    import->rows += documents->rows;
    *done_out = import->done;
    return AKIDB_OK;
}
