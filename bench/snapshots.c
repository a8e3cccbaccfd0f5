/* Whole snapshots, and files of other engines. */
#include <string.h>

#include "works.h"

bench_outcome bench_create(const bench_settings *s)
{
    akidb_error err = {0};
    bench_data data = bench_data_load(s->data);
    bench_session session = bench_session_open(s);
    akidb_snapshot_metadata *metadata;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .rows = data.batch.rows};
    bench_must(akidb_snapshot_create(session.snapshotter, &session.collection, &data.batch, NULL,
                                     NULL, &metadata, &err),
               &err);
    bench_end(&outcome.cost);
    outcome.bytes = metadata->size_bytes;
    akidb_snapshot_metadata_free(metadata);
    bench_session_close(&session);
    bench_data_free(&data);
    return outcome;
}

static bool same_texts(const akidb_texts *a, const akidb_texts *b, size_t rows)
{
    return memcmp(a->offsets, b->offsets, (rows + 1) * sizeof *a->offsets) == 0 &&
           memcmp(a->bytes, b->bytes, a->offsets[rows]) == 0;
}

static void must_be_same(const akidb_batch *found, const bench_data *data)
{
    const akidb_batch *want = &data->batch;
    size_t rows = want->rows;
    if (found->rows != rows || found->dimension != want->dimension ||
        memcmp(found->vectors, want->vectors, data->vector_bytes) != 0 ||
        memcmp(found->document_ids, want->document_ids, rows * sizeof(akidb_uuid)) != 0 ||
        memcmp(found->inserted_at, want->inserted_at, rows * sizeof(int64_t)) != 0 ||
        !same_texts(&found->external_ids, &want->external_ids, rows) ||
        !same_texts(&found->metadata, &want->metadata, rows))
        bench_die("restore", "the documents differ from those that were written");
}

bench_outcome bench_restore(const bench_settings *s)
{
    akidb_error err = {0};
    bench_session session = bench_session_open(s);
    akidb_uuid snapshot = bench_latest(&session);
    akidb_documents *documents;
    bench_outcome outcome = {.cost = bench_begin(s->memory)};
    bench_must(akidb_snapshot_restore(session.snapshotter, &session.collection, &snapshot, NULL,
                                      &documents, &err),
               &err);
    bench_end(&outcome.cost);
    akidb_batch batch = akidb_documents_batch(documents);
    bench_data data = bench_data_load(s->data);
    must_be_same(&batch, &data);
    outcome.bytes = data.vector_bytes;
    outcome.rows = batch.rows;
    bench_data_free(&data);
    akidb_documents_free(documents);
    bench_session_close(&session);
    return outcome;
}

/* Into arrays that the caller has, whose pages are there. */
bench_outcome bench_restore_into(const bench_settings *s)
{
    akidb_error err = {0};
    bench_data data = bench_data_load(s->data);
    bench_session session = bench_session_open(s);
    akidb_uuid snapshot = bench_latest(&session);
    bench_data room = bench_data_load(s->data);
    akidb_restore_target target = {.struct_size = sizeof target,
                                   .capacity = data.batch.rows,
                                   .dimension = data.batch.dimension,
                                   .vectors = (float *)(uintptr_t)room.batch.vectors,
                                   .document_ids = (akidb_uuid *)(uintptr_t)room.batch.document_ids,
                                   .inserted_at = (int64_t *)(uintptr_t)room.batch.inserted_at};
    memset(target.vectors, 0xFF, data.vector_bytes);
    akidb_documents *documents;
    size_t rows;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    bench_must(akidb_snapshot_restore_into(session.snapshotter, &session.collection, &snapshot,
                                           NULL, &target, &rows, &documents, &err),
               &err);
    bench_end(&outcome.cost);
    akidb_batch batch = akidb_documents_batch(documents);
    must_be_same(&batch, &data);
    outcome.rows = rows;
    akidb_documents_free(documents);
    bench_data_free(&room);
    bench_session_close(&session);
    bench_data_free(&data);
    return outcome;
}

/* FOLDER is the file here; all of it is read at once, as the other engines do. */
bench_outcome bench_import(const bench_settings *s)
{
    akidb_error err = {0};
    akidb_parquet_read_options parquet = {.struct_size = sizeof parquet, .threads = s->threads};
    akidb_import_options options = {.struct_size = sizeof options, .parquet = &parquet};
    bench_data data = bench_data_load(s->data);
    akidb_import *import;
    akidb_documents *documents;
    bool done;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .bytes = data.vector_bytes};
    bench_must(akidb_import_open(s->folder, &options, &import, &err), &err);
    bench_must(akidb_documents_new(akidb_import_dimension(import), &documents, &err), &err);
    bench_must(akidb_import_next(import, data.batch.rows, documents, &done, &err), &err);
    bench_end(&outcome.cost);
    akidb_batch found = akidb_documents_batch(documents);
    must_be_same(&found, &data);
    outcome.rows = found.rows;
    akidb_documents_free(documents);
    akidb_import_close(import);
    bench_data_free(&data);
    return outcome;
}
