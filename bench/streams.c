/* The same block of documents again and again, each time under other ids: more than need be in
 * memory. */
#include "works.h"

enum { STREAM_BLOCK_ROWS = 100000 };

/* Ids count up, so that no two rows of a stream have the same. */
static void number_ids(bench_data *block, uint64_t first)
{
    akidb_uuid *ids = (akidb_uuid *)(uintptr_t)block->batch.document_ids;
    for (size_t i = 0; i < block->batch.rows; i++) {
        for (unsigned byte = 0; byte < 8; byte++)
            ids[i].bytes[15 - byte] = (uint8_t)((first + i) >> (8 * byte));
    }
}

/* The block again, as rows `first` and following of `rows`. */
static akidb_batch next_batch(bench_data *block, uint64_t first, uint64_t rows)
{
    uint64_t left = rows - first;
    number_ids(block, first);
    return akidb_batch_rows(&block->batch, 0,
                            left < block->batch.rows ? (size_t)left : block->batch.rows);
}

bench_outcome bench_stream_create(const bench_settings *s)
{
    akidb_error err = {0};
    bench_session session = bench_session_open(s);
    bench_data block = bench_data_make(STREAM_BLOCK_ROWS, s->dimension);
    akidb_snapshot_writer *writer;
    akidb_snapshot_metadata *metadata;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .rows = s->rows};
    bench_must(akidb_snapshot_begin(session.snapshotter, &session.collection, s->dimension, NULL,
                                    &writer, &err),
               &err);
    for (uint64_t row = 0; row < s->rows; row += STREAM_BLOCK_ROWS) {
        akidb_batch batch = next_batch(&block, row, s->rows);
        bench_must(akidb_snapshot_append(writer, &batch, &err), &err);
    }
    bench_must(akidb_snapshot_commit(writer, NULL, &metadata, &err), &err);
    bench_end(&outcome.cost);
    outcome.bytes = metadata->size_bytes;
    akidb_snapshot_metadata_free(metadata);
    bench_data_free(&block);
    bench_session_close(&session);
    return outcome;
}

bench_outcome bench_stream_restore(const bench_settings *s)
{
    akidb_error err = {0};
    bench_session session = bench_session_open(s);
    akidb_uuid snapshot = bench_latest(&session);
    akidb_snapshot_reader *reader;
    akidb_documents *documents;
    bench_outcome outcome = {.cost = bench_begin(s->memory)};
    bench_must(akidb_snapshot_open(session.snapshotter, &session.collection, &snapshot, NULL,
                                   &reader, &err),
               &err);
    const akidb_snapshot_metadata *metadata = akidb_snapshot_reader_metadata(reader);
    outcome.bytes = metadata->size_bytes;
    bench_must(akidb_documents_new(metadata->dimension, &documents, &err), &err);
    for (bool done = false; !done;) {
        bench_must(akidb_snapshot_next(reader, documents, &done, &err), &err);
        outcome.rows += akidb_documents_batch(documents).rows;
    }
    akidb_snapshot_close(reader);
    akidb_documents_free(documents);
    bench_end(&outcome.cost);
    bench_session_close(&session);
    return outcome;
}

/* ---- encoding alone: the bytes go nowhere ---------------------------------------------------- */

static akidb_status discard(void *handle, const akidb_slice *slices, size_t count, akidb_error *err)
{
    (void)err;
    for (size_t i = 0; i < count; i++)
        *(uint64_t *)handle += slices[i].size;
    return AKIDB_OK;
}

static uint64_t vector_bytes_of(const akidb_parquet_summary *summary)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < summary->row_group_count; i++)
        bytes += summary->row_groups[i].all.size - summary->row_groups[i].small.size;
    return bytes;
}

static bench_outcome encode(const bench_settings *s, bench_data *block, uint64_t rows)
{
    static const akidb_output_ops ops = {.write = discard};
    akidb_error err = {0};
    uint64_t size = 0;
    akidb_output output = {.ops = &ops, .handle = &size};
    akidb_parquet_options options = bench_parquet_options(s);
    akidb_parquet_writer *writer;
    akidb_parquet_summary summary;
    bench_outcome outcome = {.cost = bench_begin(s->memory), .rows = rows};
    bench_must(akidb_parquet_writer_open(&output, block->batch.dimension, &options, &writer, &err),
               &err);
    for (uint64_t row = 0; row < rows; row += block->batch.rows) {
        akidb_batch batch = next_batch(block, row, rows);
        bench_must(akidb_parquet_writer_append(writer, &batch, &err), &err);
    }
    bench_must(akidb_parquet_writer_finish(writer, &summary, &err), &err);
    bench_end(&outcome.cost);
    outcome.bytes = size;
    outcome.vector_bytes = vector_bytes_of(&summary);
    akidb_parquet_writer_free(writer);
    return outcome;
}

bench_outcome bench_encode(const bench_settings *s)
{
    bench_data block = bench_data_make(STREAM_BLOCK_ROWS, s->dimension);
    bench_outcome outcome = encode(s, &block, s->rows);
    bench_data_free(&block);
    return outcome;
}

bench_outcome bench_encode_data(const bench_settings *s)
{
    bench_data data = bench_data_load(s->data);
    bench_outcome outcome = encode(s, &data, data.batch.rows);
    bench_data_free(&data);
    return outcome;
}
