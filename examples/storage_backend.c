/* Embeds the storage backend: every write that returned is there after a crash. Run it twice. */
#include <akidb/akidb.h>
#include <stdio.h>
#include <stdlib.h>

static void check(akidb_status status, const akidb_error *err)
{
    if (status == AKIDB_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

int main(int argc, char **argv)
{
    akidb_error err;
    akidb_storage *storage;
    akidb_recovery_report recovery;
    akidb_storage_options options = {.struct_size = sizeof options,
                                     .data_folder = argc > 1 ? argv[1] : "./akidb-db"};
    check(akidb_storage_open(&options, &storage, &recovery, &err), &err);
    printf("%llu documents came back\n", (unsigned long long)recovery.documents);

    akidb_uuid articles, id;
    akidb_collection_info info;
    check(akidb_collection_id("articles", &articles, &err), &err);
    if (akidb_storage_collection(storage, &articles, &info, NULL) == AKIDB_E_NOT_FOUND)
        check(akidb_storage_create_collection(storage, &articles, 4, "articles", &err), &err);

    const float vector[4] = {0.1f, 0.2f, 0.3f, 0.4f};
    akidb_batch batch = {.rows = 1, .dimension = 4, .vectors = vector};
    check(akidb_storage_upsert(storage, &articles, &batch, &id, &err), &err); /* durable now */

    akidb_documents *found;
    size_t count;
    check(akidb_documents_new(4, &found, &err), &err);
    check(akidb_storage_get(storage, &articles, &id, 1, found, &count, &err), &err);
    check(akidb_storage_flush(storage, &articles, NULL, &err), &err); /* a Parquet snapshot */
    printf("%zu found again\n", count);

    akidb_documents_free(found);
    check(akidb_storage_close(storage, &err), &err);
    return 0;
}
