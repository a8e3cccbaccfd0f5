/* Keeps collections within a budget of memory: what is used lies there, the rest in Parquet files.
 */
#include <akidb/akidb.h>
#include <stdio.h>
#include <stdlib.h>

enum { DIMENSION = 64, ROWS = 2000, COLLECTIONS = 4 };

static void check(akidb_status status, const akidb_error *err)
{
    if (status == AKIDB_OK)
        return;
    fprintf(stderr, "%s\n", err->message);
    exit(1);
}

static void fill(akidb_storage *storage, const akidb_uuid *id, const char *name)
{
    akidb_error err;
    float *vectors = calloc((size_t)ROWS * DIMENSION, sizeof *vectors);
    if (vectors == NULL)
        exit(1);
    akidb_batch batch = {.rows = ROWS, .dimension = DIMENSION, .vectors = vectors};
    if (akidb_storage_create_collection(storage, id, DIMENSION, name, &err) == AKIDB_OK)
        check(akidb_storage_upsert(storage, id, &batch, NULL, &err), &err);
    free(vectors);
}

int main(int argc, char **argv)
{
    akidb_error err;
    akidb_storage *storage;
    akidb_tiering *tiering;
    akidb_tier_report report;
    const char *folder = argc > 1 ? argv[1] : "./akidb-tiers";
    const akidb_storage_options options = {.struct_size = sizeof options, .data_folder = folder};
    const akidb_tier_policy policy = {.struct_size = sizeof policy, .hot_budget = 2 << 20};
    const akidb_tiering_options tiers = {
        .struct_size = sizeof tiers, .policy = &policy, .data_folder = folder};
    check(akidb_storage_open(&options, &storage, NULL, &err), &err);
    check(akidb_tiering_open(storage, &tiers, &tiering, &err), &err);
    for (int i = 0; i < COLLECTIONS; i++) {
        char name[24];
        akidb_uuid id;
        snprintf(name, sizeof name, "shelf %d", i);
        check(akidb_collection_id(name, &id, &err), &err);
        fill(storage, &id, name);
    }

    /* A server would call akidb_tiering_start instead, once. */
    check(akidb_tiering_run(tiering, false, &report, &err), &err);
    for (size_t i = 0; i < report.count; i++)
        printf("%s: %s to %s, %s\n", report.moves[i].name, akidb_tier_name(report.moves[i].from),
               akidb_tier_name(report.moves[i].to), report.moves[i].reason);
    akidb_tier_report_free(&report);

    check(akidb_tiering_close(tiering, &err), &err); /* before its storage */
    check(akidb_storage_close(storage, &err), &err);
    return 0;
}
