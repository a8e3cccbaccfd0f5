/*
 * Every allocation fails once. The program is linked with -Wl,--wrap for malloc, calloc and
 * realloc, and walks through create, restore, list, verify and delete on a store in memory, failing
 * the first allocation, then the second, and so on until the walk succeeds. Each failure is a clean
 * status, nothing half-made becomes visible, and (by the sanitizer) nothing leaks. The same for
 * pages that several threads read, and for mapped ones, of a store on disk.
 */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "akidb/akidb.h"
#include "akidb/mapped.h"
#include "failing_allocator.h"
#include "folder.h"

/* ---- the walk -------------------------------------------------------------------------------- */

enum { ROWS = 20, DIMENSION = 4 };

typedef struct sample {
    float vectors[ROWS * DIMENSION];
    uint64_t offsets[ROWS + 1];
    char bytes[ROWS * 16];
    akidb_uuid ids[ROWS];
    akidb_batch batch;
} sample;

static void fill_sample(sample *s)
{
    uint64_t state = 7;
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < ROWS * DIMENSION; i++)
        s->vectors[i] = (float)(test_random(&state) % 1000) / 8;
    for (size_t i = 0; i < ROWS; i++) {
        test_random_bytes(i + 1, s->ids[i].bytes, sizeof s->ids[i].bytes);
        int n = snprintf(s->bytes + s->offsets[i], 16, "{\"n\":%zu}", i);
        s->offsets[i + 1] = s->offsets[i] + (uint64_t)n;
    }
    akidb_texts texts = {.offsets = s->offsets, .bytes = s->bytes};
    s->batch = (akidb_batch){.rows = ROWS,
                             .dimension = DIMENSION,
                             .vectors = s->vectors,
                             .document_ids = s->ids,
                             .external_ids = texts,
                             .metadata = texts};
}

typedef struct walk {
    akidb_snapshotter_options options;
    const sample *sample;
    akidb_uuid collection;
    akidb_store *store;
} walk;

static akidb_status restore_and_compare(akidb_snapshotter *snapshotter, const walk *w,
                                        const akidb_uuid *id, akidb_error *err)
{
    akidb_documents *documents = NULL;
    akidb_status status =
        akidb_snapshot_restore(snapshotter, &w->collection, id, NULL, &documents, err);
    if (status == AKIDB_OK) {
        akidb_batch batch = akidb_documents_batch(documents);
        assert_int_equal(batch.rows, ROWS);
        assert_memory_equal(batch.vectors, w->sample->vectors, sizeof w->sample->vectors);
    } else {
        assert_null(documents);
    }
    akidb_documents_free(documents);
    return status;
}

static akidb_status walk_through(walk *w, akidb_error *err)
{
    akidb_snapshotter *snapshotter = NULL;
    akidb_snapshot_metadata *metadata = NULL;
    akidb_snapshot_list list = {0};
    akidb_verify_report report;
    akidb_uuid id;
    akidb_status status = akidb_snapshotter_open(w->store, &w->options, &snapshotter, err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_create(snapshotter, &w->collection, &w->sample->batch, NULL, &id,
                                       &metadata, err);
    if (status == AKIDB_OK)
        status = restore_and_compare(snapshotter, w, &id, err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_list_all(snapshotter, &w->collection, &list, err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_verify(snapshotter, &w->collection, &id, AKIDB_VERIFY_DEFAULT,
                                       &report, err);
    if (status == AKIDB_OK) {
        /* A verify that could not have its memory answers "unreachable", with that status. */
        status = report.problem.status;
        if (status != AKIDB_OK)
            *err = report.problem;
        assert_true(report.outcome == AKIDB_VERIFY_GOOD ||
                    report.outcome == AKIDB_VERIFY_UNREACHABLE);
    }
    if (status == AKIDB_OK)
        status = akidb_snapshot_delete(snapshotter, &w->collection, &id, err);
    akidb_snapshot_list_free(&list);
    akidb_snapshot_metadata_free(metadata);
    akidb_snapshotter_close(snapshotter);
    return status;
}

/* With the allocator working again: whatever the store shows is whole. */
static void assert_nothing_half_made(walk *w)
{
    akidb_error err = {0};
    akidb_snapshotter *snapshotter = NULL;
    akidb_snapshot_list list = {0};
    assert_ok(err, akidb_snapshotter_open(w->store, NULL, &snapshotter, &err));
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &w->collection, &list, &err));
    for (size_t i = 0; i < list.count; i++) {
        akidb_verify_report report;
        const akidb_uuid *id = &list.entries[i].snapshot_id;
        assert_int_equal(list.entries[i].problem.status, AKIDB_OK);
        assert_ok(err, akidb_snapshot_verify(snapshotter, &w->collection, id, AKIDB_VERIFY_DEFAULT,
                                             &report, &err));
        assert_int_equal(report.outcome, AKIDB_VERIFY_GOOD);
        assert_ok(err, restore_and_compare(snapshotter, w, id, &err));
    }
    akidb_snapshot_list_free(&list);
    akidb_snapshotter_close(snapshotter);
}

static void fail_every_allocation(const akidb_snapshotter_options *options)
{
    enum { MANY = 1000000 };
    sample data;
    fill_sample(&data);
    walk w = {.options = *options, .sample = &data};
    w.options.struct_size = sizeof w.options;
    akidb_error err = {0};
    assert_ok(err, akidb_collection_id("crash", &w.collection, &err));
    akidb_status status = AKIDB_E_OUT_OF_MEMORY;
    long failed = 0;
    while (status != AKIDB_OK && failed < MANY) {
        assert_ok(err, akidb_store_memory_open(&w.store, &err));
        err = (akidb_error){0};
        failing_allocator_arm(++failed);
        status = walk_through(&w, &err);
        bool reached = failing_allocator_disarm();
        if (status != AKIDB_OK && status != AKIDB_E_OUT_OF_MEMORY)
            fail_msg("allocation %ld: expected \"out of memory\", found \"%s\": %s", failed,
                     akidb_status_name(status), err.message);
        if (status != AKIDB_OK)
            assert_true(reached);
        else if (reached)
            status = AKIDB_E_OUT_OF_MEMORY; /* survived that one: go on to the next */
        assert_nothing_half_made(&w);
        akidb_store_close(w.store);
    }
    assert_int_equal(status, AKIDB_OK);
    print_message("%ld allocations failed in turn\n", failed - 1);
    assert_true(failed > 20);
}

static void every_failed_allocation_of_a_parquet_snapshot_is_clean(void **state)
{
    (void)state;
    fail_every_allocation(&(akidb_snapshotter_options){
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .row_group_size = 6}});
}

static void every_failed_allocation_of_a_snapshot_of_several_parts_is_clean(void **state)
{
    (void)state;
    akidb_snapshotter_options options = {
        .part_rows = 7,
        .threads = 2,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .compression = AKIDB_COMPRESSION_ZSTD,
                                            .vector_encoding = AKIDB_VECTOR_BYTE_STREAM_SPLIT}};
    fail_every_allocation(&options);
}

static void every_failed_allocation_of_a_snapshot_with_a_profile_is_clean(void **state)
{
    (void)state;
    fail_every_allocation(&(akidb_snapshotter_options){
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .row_group_size = 6,
                                            .profile = AKIDB_PROFILE_SMALL}});
}

static void every_failed_allocation_of_a_json_snapshot_is_clean(void **state)
{
    (void)state;
    akidb_snapshotter_options options = {
        .format = AKIDB_FORMAT_JSON,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .compression = AKIDB_COMPRESSION_GZIP}};
    fail_every_allocation(&options);
}

/* ---- pages on several threads, and in place -------------------------------------------------- */

enum { PAGED_ROWS = 600, PAGED_DIMENSION = 32 };

typedef struct paged_walk {
    akidb_snapshotter *snapshotter;
    akidb_uuid collection;
    akidb_uuid id;
    const float *vectors;
    float *restored;
} paged_walk;

static akidb_status restore_pages(paged_walk *w, akidb_error *err)
{
    size_t rows;
    const akidb_restore_target target = {.struct_size = sizeof target,
                                         .capacity = PAGED_ROWS,
                                         .dimension = PAGED_DIMENSION,
                                         .vectors = w->restored};
    memset(w->restored, 0xff, PAGED_ROWS * PAGED_DIMENSION * sizeof(float));
    akidb_status status = akidb_snapshot_restore_into(w->snapshotter, &w->collection, &w->id, NULL,
                                                      &target, &rows, NULL, err);
    if (status == AKIDB_OK) {
        assert_int_equal(rows, PAGED_ROWS);
        assert_memory_equal(w->restored, w->vectors, PAGED_ROWS * PAGED_DIMENSION * sizeof(float));
    }
    return status;
}

static akidb_status map_pages(paged_walk *w, akidb_error *err)
{
    akidb_mapped_vectors *mapped;
    const akidb_mapped_options options = {.struct_size = sizeof options, .threads = 3};
    akidb_status status = akidb_mapped_vectors_open_snapshot(w->snapshotter, &w->collection, &w->id,
                                                             &options, &mapped, err);
    if (status == AKIDB_OK) {
        for (size_t i = 0; i < PAGED_ROWS; i++)
            assert_memory_equal(akidb_mapped_vectors_row(mapped, i),
                                w->vectors + i * PAGED_DIMENSION, PAGED_DIMENSION * sizeof(float));
    } else {
        assert_null(mapped);
    }
    akidb_mapped_vectors_close(mapped);
    return status;
}

static void fail_reads(paged_walk *w, akidb_status (*read)(paged_walk *w, akidb_error *err))
{
    enum { MANY = 100000 };
    long failed = 0;
    for (bool reached = true; reached && failed < MANY;) {
        akidb_error err = {0};
        failing_allocator_arm(++failed);
        akidb_status status = read(w, &err);
        reached = failing_allocator_disarm();
        if (status != AKIDB_OK && (status != AKIDB_E_OUT_OF_MEMORY || !reached))
            fail_msg("allocation %ld: expected \"out of memory\", found \"%s\": %s", failed,
                     akidb_status_name(status), err.message);
        assert_true(reached || status == AKIDB_OK);
    }
    print_message("%ld allocations failed in turn\n", failed - 1);
    assert_true(failed > 20 && failed < MANY);
}

static void fail_reads_of(akidb_vector_encoding encoding,
                          akidb_status (*read)(paged_walk *w, akidb_error *err))
{
    akidb_error err = {0};
    char folder[TEST_FOLDER_SIZE];
    akidb_store *store;
    float *vectors = malloc(PAGED_ROWS * PAGED_DIMENSION * sizeof *vectors);
    paged_walk w = {.vectors = vectors, .restored = malloc(PAGED_ROWS * PAGED_DIMENSION * 4)};
    assert_true(vectors != NULL && w.restored != NULL && test_folder_make(folder));
    for (size_t i = 0; i < PAGED_ROWS * PAGED_DIMENSION; i++)
        vectors[i] = (float)i;
    const akidb_parquet_options parquet = {.struct_size = sizeof parquet,
                                           .compression = AKIDB_COMPRESSION_NONE,
                                           .vector_encoding = encoding,
                                           .page_bytes = 4096,
                                           .row_group_size = 200};
    const akidb_snapshotter_options options = {
        .struct_size = sizeof options, .parquet = &parquet, .part_rows = 400, .threads = 3};
    const akidb_batch batch = {
        .rows = PAGED_ROWS, .dimension = PAGED_DIMENSION, .vectors = vectors};
    assert_ok(err, akidb_collection_id("crash", &w.collection, &err));
    assert_ok(err, akidb_store_local_open(folder, &store, &err));
    assert_ok(err, akidb_snapshotter_open(store, &options, &w.snapshotter, &err));
    assert_ok(err,
              akidb_snapshot_create(w.snapshotter, &w.collection, &batch, NULL, &w.id, NULL, &err));
    fail_reads(&w, read);
    akidb_snapshotter_close(w.snapshotter);
    akidb_store_close(store);
    test_folder_remove(folder);
    free(vectors);
    free(w.restored);
}

static void every_failed_allocation_of_pages_on_threads_is_clean(void **state)
{
    (void)state;
    fail_reads_of(AKIDB_VECTOR_BYTE_STREAM_SPLIT, restore_pages);
    fail_reads_of(AKIDB_VECTOR_ENCODING_DEFAULT, restore_pages);
}

static void every_failed_allocation_of_vectors_in_place_is_clean(void **state)
{
    (void)state;
    fail_reads_of(AKIDB_VECTOR_ENCODING_DEFAULT, map_pages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failed_allocation_of_a_parquet_snapshot_is_clean),
        cmocka_unit_test(every_failed_allocation_of_a_snapshot_of_several_parts_is_clean),
        cmocka_unit_test(every_failed_allocation_of_a_snapshot_with_a_profile_is_clean),
        cmocka_unit_test(every_failed_allocation_of_a_json_snapshot_is_clean),
        cmocka_unit_test(every_failed_allocation_of_pages_on_threads_is_clean),
        cmocka_unit_test(every_failed_allocation_of_vectors_in_place_is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
