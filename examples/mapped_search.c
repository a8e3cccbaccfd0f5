/*
 * Finds the nearest neighbours of a vector without loading a snapshot: its floats are read where
 * they lie in the mapped files. Read akidb/mapped.h before you do that: what happens to a mapped
 * file happens to your process.
 */
#include <akidb/akidb.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIMENSION = 64, ROWS = 20000, NEAREST = 3, WANTED = 1234 };

typedef struct hit {
    uint64_t row;
    float product;
} hit;

static akidb_status write_snapshot(akidb_snapshotter *snapshotter, const akidb_uuid *collection,
                                   akidb_uuid *snapshot_out, akidb_error *err)
{
    float *vectors = malloc((size_t)ROWS * DIMENSION * sizeof *vectors);
    if (vectors == NULL)
        return AKIDB_E_OUT_OF_MEMORY;
    uint32_t noise = 1; /* any values will do */
    for (size_t i = 0; i < (size_t)ROWS * DIMENSION; i++) {
        noise = noise * 1664525u + 1013904223u;
        vectors[i] = (float)(noise >> 8) / (1 << 23) - 1;
    }
    akidb_batch batch = {.rows = ROWS, .dimension = DIMENSION, .vectors = vectors};
    akidb_status status =
        akidb_snapshot_create(snapshotter, collection, &batch, NULL, snapshot_out, NULL, err);
    free(vectors);
    return status;
}

static float product(const float *a, const float *b)
{
    float sum = 0;
    for (size_t i = 0; i < DIMENSION; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Keeps the best hits, the best one first. */
static void offer(hit hits[NEAREST], hit found)
{
    for (size_t i = 0; i < NEAREST; i++)
        if (found.product > hits[i].product) {
            hit worse = hits[i];
            hits[i] = found;
            found = worse;
        }
}

/* The pieces are used in place, one after the other. */
static void search(const akidb_mapped_vectors *mapped, const float *query, hit hits[NEAREST])
{
    size_t count;
    const akidb_mapped_piece *pieces = akidb_mapped_vectors_pieces(mapped, &count);
    for (size_t i = 0; i < NEAREST; i++)
        hits[i] = (hit){0, -1e30f};
    for (size_t i = 0; i < count; i++)
        for (size_t row = 0; row < pieces[i].rows; row++)
            offer(hits, (hit){pieces[i].first_row + row,
                              product(query, pieces[i].vectors + row * DIMENSION)});
}

static akidb_status run(akidb_snapshotter *snapshotter, hit hits[NEAREST], akidb_error *err)
{
    akidb_uuid collection, snapshot;
    akidb_mapped_vectors *mapped = NULL;
    akidb_status status = akidb_collection_id("mapped", &collection, err);
    if (status == AKIDB_OK)
        status = write_snapshot(snapshotter, &collection, &snapshot, err);
    if (status == AKIDB_OK)
        status = akidb_mapped_vectors_open_snapshot(snapshotter, &collection, &snapshot, NULL,
                                                    &mapped, err);
    if (status != AKIDB_OK)
        return status;
    search(mapped, akidb_mapped_vectors_row(mapped, WANTED), hits);
    akidb_mapped_vectors_close(mapped);
    return AKIDB_OK;
}

int main(int argc, char **argv)
{
    /* Only floats that are stored as they are can be used in place. */
    const akidb_parquet_options parquet = {.struct_size = sizeof parquet,
                                           .compression = AKIDB_COMPRESSION_NONE};
    const akidb_snapshotter_options options = {
        .struct_size = sizeof options, .parquet = &parquet, .part_rows = 8000};
    akidb_error err = {0};
    akidb_store *store = NULL;
    akidb_snapshotter *snapshotter = NULL;
    hit hits[NEAREST];
    akidb_status status = akidb_store_open(argc > 1 ? argv[1] : "./akidb-data", &store, &err);
    if (status == AKIDB_OK)
        status = akidb_snapshotter_open(store, &options, &snapshotter, &err);
    if (status == AKIDB_OK)
        status = run(snapshotter, hits, &err);
    if (status != AKIDB_OK)
        fprintf(stderr, "%s\n", err.message);
    for (size_t i = 0; status == AKIDB_OK && i < NEAREST; i++)
        printf("row %llu: %.4f\n", (unsigned long long)hits[i].row, (double)hits[i].product);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    return status == AKIDB_OK && hits[0].row == WANTED ? EXIT_SUCCESS : EXIT_FAILURE;
}
