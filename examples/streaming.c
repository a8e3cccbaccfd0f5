/*
 * Writes a snapshot of a million floats in bounded memory, several parts of it, and reads it back
 * as a stream: what to do when a collection does not fit into memory. Prints the progress.
 */
#include <akidb/akidb.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIMENSION = 64, ROWS = 16384, BLOCK = 1024 };

static bool on_progress(void *context, const akidb_progress *progress)
{
    *(uint64_t *)context = progress->rows_done;
    return true; /* false would stop the call with AKIDB_E_CANCELLED */
}

/* Any values will do: the point is that only one block of them is in memory. */
static void fill(float *vectors, size_t first)
{
    for (size_t i = 0; i < (size_t)BLOCK * DIMENSION; i++)
        vectors[i] = (float)((first * DIMENSION + i) % 8191) / 8191.0f;
}

static akidb_status write_snapshot(akidb_snapshotter *snapshotter, const akidb_uuid *collection,
                                   akidb_uuid *snapshot_out, akidb_error *err)
{
    akidb_create_options options = {.struct_size = sizeof options, .rows_hint = ROWS};
    akidb_snapshot_writer *writer = NULL;
    akidb_status status =
        akidb_snapshot_begin(snapshotter, collection, DIMENSION, &options, &writer, err);
    if (status != AKIDB_OK)
        return status;
    static float vectors[BLOCK * DIMENSION];
    for (size_t first = 0; first < ROWS; first += BLOCK) {
        fill(vectors, first);
        akidb_batch batch = {.rows = BLOCK, .dimension = DIMENSION, .vectors = vectors};
        status = akidb_snapshot_append(writer, &batch, err);
        if (status != AKIDB_OK) {
            akidb_snapshot_abort(writer);
            return status;
        }
    }
    return akidb_snapshot_commit(writer, snapshot_out, NULL, err);
}

static akidb_status read_snapshot(akidb_snapshotter *snapshotter, const akidb_uuid *collection,
                                  const akidb_uuid *snapshot, size_t *rows_out, akidb_error *err)
{
    akidb_snapshot_reader *reader = NULL;
    akidb_documents *documents = NULL;
    akidb_status status =
        akidb_snapshot_open(snapshotter, collection, snapshot, NULL, &reader, err);
    if (status == AKIDB_OK)
        status = akidb_documents_new(DIMENSION, &documents, err);
    bool done = false;
    while (status == AKIDB_OK && !done) {
        status = akidb_snapshot_next(reader, documents, &done, err);
        if (status == AKIDB_OK && !done)
            *rows_out += akidb_documents_batch(documents).rows;
    }
    akidb_documents_free(documents);
    akidb_snapshot_close(reader);
    return status;
}

int main(int argc, char **argv)
{
    uint64_t rows_seen = 0;
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .part_rows = 5000,
        .threads = 2,
        .hooks = {.context = &rows_seen, .progress = on_progress},
    };
    akidb_error err = {0};
    akidb_store *store = NULL;
    akidb_snapshotter *snapshotter = NULL;
    akidb_uuid collection, snapshot;
    size_t rows = 0;
    akidb_status status = akidb_store_open(argc > 1 ? argv[1] : "./akidb-data", &store, &err);
    if (status == AKIDB_OK)
        status = akidb_snapshotter_open(store, &options, &snapshotter, &err);
    if (status == AKIDB_OK)
        status = akidb_collection_id("stream", &collection, &err);
    if (status == AKIDB_OK)
        status = write_snapshot(snapshotter, &collection, &snapshot, &err);
    if (status == AKIDB_OK)
        status = read_snapshot(snapshotter, &collection, &snapshot, &rows, &err);
    if (status != AKIDB_OK)
        fprintf(stderr, "%s\n", err.message);
    else
        printf("%zu documents written and read; progress told of %llu\n", rows,
               (unsigned long long)rows_seen);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    return status == AKIDB_OK && rows == ROWS ? EXIT_SUCCESS : EXIT_FAILURE;
}
