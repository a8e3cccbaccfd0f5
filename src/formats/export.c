#include "formats/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"
#include "document/check.h"
#include "document/documents.h"
#include "formats/file_format.h"

struct akidb_export {
    const ak_sink_ops *ops;
    ak_sink sink;
    char *path;
    bool failed;             /* only abort is left */
    akidb_documents *filled; /* a copy of a batch that lacks ids or times, with them; or NULL */
};

static const ak_sink_ops *ops_of(akidb_file_format format)
{
    switch (format) {
    case AKIDB_FILE_NPY: return &ak_npy_sink;
    case AKIDB_FILE_FVECS: return &ak_fvecs_sink;
    case AKIDB_FILE_JSONL: return &ak_jsonl_sink;
    default: return &ak_parquet_sink;
    }
}

/* All but the file, which is committed or aborted before. */
static void free_export(akidb_export *exporter)
{
    akidb_parquet_writer_free(exporter->sink.writer);
    ak_json_texts_free(exporter->sink.texts);
    akidb_documents_free(exporter->filled);
    free(exporter->path);
    free(exporter);
}

/* ---- open ------------------------------------------------------------------------------------ */

static akidb_status begin(akidb_export *exporter, const char *path,
                          const akidb_export_options *options, akidb_error *err)
{
    exporter->path = strdup(path);
    if (exporter->path == NULL)
        return ak_fail_memory(err, strlen(path) + 1);
    exporter->ops = ops_of(options->format);
    exporter->sink.columns = options->columns == 0 ? AKIDB_COLUMNS_ALL : options->columns;
    akidb_status status = ak_file_out_open(path, &exporter->sink.file, err);
    if (status == AKIDB_OK && exporter->ops->begin != NULL)
        status = exporter->ops->begin(&exporter->sink, options, err);
    return status;
}

akidb_status akidb_export_open(const char *path, uint32_t dimension,
                               const akidb_export_options *options, akidb_export **export_out,
                               akidb_error *err)
{
    *export_out = NULL;
    akidb_export_options copy;
    akidb_status status = ak_options_copy(&copy, sizeof copy, options, "akidb_export_options", err);
    if (status == AKIDB_OK && (copy.columns & ~(unsigned)AKIDB_COLUMNS_ALL) != 0)
        status = ak_fail(err, AKIDB_E_VALIDATION,
                         "akidb_export_options.columns: expected bits of akidb_column, found 0x%x",
                         copy.columns);
    if (status == AKIDB_OK)
        status = ak_file_format(path, false, &copy.format, err);
    if (status == AKIDB_OK)
        status = ak_check_dimension(dimension, err);
    if (status != AKIDB_OK)
        return status;
    akidb_export *exporter = calloc(1, sizeof *exporter);
    if (exporter == NULL)
        return ak_fail_memory(err, sizeof *exporter);
    exporter->sink.dimension = dimension;
    status = begin(exporter, path, &copy, err);
    if (status != AKIDB_OK) {
        akidb_export_abort(exporter);
        return status;
    }
    *export_out = exporter;
    return AKIDB_OK;
}

/* ---- append ---------------------------------------------------------------------------------- */

/* What .jsonl would otherwise pass on into a text that nobody can read. */
static akidb_status check_values(const akidb_batch *batch, uint64_t first, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; i < batch->rows && status == AKIDB_OK; i++) {
        status = ak_check_external_id(akidb_texts_at(&batch->external_ids, i), first + i, err);
        if (status == AKIDB_OK)
            status = ak_check_metadata(akidb_texts_at(&batch->metadata, i), first + i, err);
        if (status == AKIDB_OK && batch->inserted_at != NULL)
            status = ak_check_time(batch->inserted_at[i], first + i, err);
    }
    return status;
}

static akidb_status check_batch(const akidb_export *exporter, const akidb_batch *batch,
                                akidb_error *err)
{
    akidb_status status = ak_check_structure(batch, err);
    if (status != AKIDB_OK)
        return status;
    bool is_jsonl = exporter->ops == &ak_jsonl_sink;
    bool needs_vectors = !is_jsonl || (exporter->sink.columns & AKIDB_COLUMN_VECTOR) != 0;
    if (batch->dimension != exporter->sink.dimension)
        return ak_fail_at(err, AKIDB_E_VALIDATION,
                          AK_ROW(exporter->path, exporter->sink.rows, "vector"),
                          "expected dimension %u, found %u", (unsigned)exporter->sink.dimension,
                          (unsigned)batch->dimension);
    if (needs_vectors && batch->vectors == NULL)
        return ak_fail_at(err, AKIDB_E_VALIDATION,
                          AK_ROW(exporter->path, exporter->sink.rows, "vector"),
                          "expected vectors, found none");
    return is_jsonl ? check_values(batch, exporter->sink.rows, err) : AKIDB_OK;
}

/* Ids and times for a batch that lacks them, as akidb/batch.h has it; only .jsonl needs that done,
 * because the Parquet writer does it itself and the others have no such columns. */
static akidb_status fill_batch(akidb_export *exporter, akidb_batch *batch, akidb_error *err)
{
    unsigned columns = exporter->ops == &ak_jsonl_sink ? exporter->sink.columns : 0;
    bool lacks_ids = (columns & AKIDB_COLUMN_DOCUMENT_ID) != 0 && batch->document_ids == NULL;
    bool lacks_times = (columns & AKIDB_COLUMN_INSERTED_AT) != 0 && batch->inserted_at == NULL;
    if (!lacks_ids && !lacks_times)
        return AKIDB_OK;
    akidb_status status = AKIDB_OK;
    if (exporter->filled == NULL)
        status = akidb_documents_new(exporter->sink.dimension, &exporter->filled, err);
    if (status != AKIDB_OK)
        return status;
    akidb_documents_clear(exporter->filled);
    status = akidb_documents_append_batch(exporter->filled, batch, err);
    *batch = akidb_documents_batch(exporter->filled);
    return status;
}

akidb_status akidb_export_append(akidb_export *exporter, const akidb_batch *batch, akidb_error *err)
{
    if (exporter->failed)
        return ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(exporter->path),
                          "nothing can be added after a failure");
    if (batch->rows == 0)
        return AKIDB_OK;
    akidb_batch whole = *batch;
    akidb_status status = check_batch(exporter, &whole, err);
    if (status == AKIDB_OK)
        status = fill_batch(exporter, &whole, err);
    if (status != AKIDB_OK)
        return status;
    status = exporter->ops->append(&exporter->sink, &whole, err);
    if (status != AKIDB_OK) {
        exporter->failed = status != AKIDB_E_VALIDATION; /* then nothing was written */
        return status;
    }
    exporter->sink.rows += whole.rows;
    return AKIDB_OK;
}

/* ---- end ------------------------------------------------------------------------------------- */

akidb_status akidb_export_commit(akidb_export *exporter, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    if (exporter->failed)
        status = ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(exporter->path),
                            "cannot be finished after a failure");
    if (status == AKIDB_OK && exporter->ops->end != NULL)
        status = exporter->ops->end(&exporter->sink, err);
    if (status != AKIDB_OK) {
        akidb_export_abort(exporter);
        return status;
    }
    status = ak_file_out_commit(exporter->sink.file, err);
    free_export(exporter);
    return status;
}

void akidb_export_abort(akidb_export *exporter)
{
    if (exporter == NULL)
        return;
    ak_file_out_abort(exporter->sink.file);
    free_export(exporter);
}
