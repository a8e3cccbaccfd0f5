/* Takes a snapshot of three documents, restores it, and compares the vectors bit by bit. */
#include <akidb/akidb.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const float vectors[3][4] = {{1, 2, 3, 4}, {0.5f, -0.0f, 1e-40f, 2}, {-1, 0, 1, 0}};
    akidb_batch batch = {.rows = 3, .dimension = 4, .vectors = &vectors[0][0]};
    akidb_error err = {0};
    akidb_store *store = NULL;
    akidb_snapshotter *snapshotter = NULL;
    akidb_documents *documents = NULL;
    akidb_uuid collection, snapshot;
    int result = 1;

    if (akidb_store_open(argc > 1 ? argv[1] : "./akidb-data", &store, &err) ||
        akidb_snapshotter_open(store, NULL, &snapshotter, &err) ||
        akidb_collection_id("articles", &collection, &err) ||
        akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &snapshot, NULL, &err) ||
        akidb_snapshot_restore(snapshotter, &collection, &snapshot, NULL, &documents, &err)) {
        fprintf(stderr, "%s\n", err.message);
        goto done;
    }
    char id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&snapshot, id);
    akidb_batch restored = akidb_documents_batch(documents);
    bool same = restored.rows == 3 && memcmp(restored.vectors, vectors, sizeof vectors) == 0;
    printf("snapshot %s: %zu documents, %s\n", id, restored.rows, same ? "identical" : "different");
    result = same ? 0 : 1;
done:
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    return result;
}
