/* Where things lie: parts, call counts, leftovers, the old layout, migration. */
#include "snapshot/keys.h"
#include "snapshot/writer.h"

#include "support.h"

static const akidb_uuid collection = {{5, 5, 5}};

/* ---- parts ----------------------------------------------------------------------------------- */

typedef struct shape {
    akidb_layout layout;
    uint64_t part_rows, part_bytes, rows_hint;
    unsigned threads;
    const char *first_key_end; /* how the key of the first part ends */
    size_t parts;              /* 0: more than one */
} shape;

static void check_shape(const shape *wanted, size_t append_rows)
{
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .layout = wanted->layout,
        .part_rows = wanted->part_rows,
        .part_bytes = wanted->part_bytes,
        .threads = wanted->threads,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .row_group_size = 50},
    };
    akidb_create_options create = {.struct_size = sizeof create, .rows_hint = wanted->rows_hint};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    akidb_documents *documents = test_documents(1, 1000, 8);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_snapshot_writer *writer;
    assert_ok(err, akidb_snapshot_begin(snapshotter, &collection, 8, &create, &writer, &err));
    for (size_t row = 0; row < batch.rows; row += append_rows) {
        size_t rows = batch.rows - row < append_rows ? batch.rows - row : append_rows;
        akidb_batch piece = akidb_batch_rows(&batch, row, rows);
        assert_ok(err, akidb_snapshot_append(writer, &piece, &err));
    }
    akidb_uuid id;
    akidb_snapshot_metadata *metadata;
    assert_ok(err, akidb_snapshot_commit(writer, &id, &metadata, &err));
    if (wanted->parts > 0)
        assert_int_equal(metadata->part_count, wanted->parts);
    else
        assert_true(metadata->part_count > 1);
    const char *key = metadata->parts[0].key;
    size_t end = strlen(wanted->first_key_end);
    assert_true(strlen(key) > end);
    assert_string_equal(key + strlen(key) - end, wanted->first_key_end);
    for (size_t i = 0; i < metadata->part_count; i++) {
        const akidb_parquet_summary *part = &metadata->parts[i].summary;
        if (wanted->part_rows > 0)
            assert_true(part->rows <= wanted->part_rows);
        if (wanted->part_bytes > 0 && part->rows > 50 * wanted->threads)
            assert_true(part->file.size <= 2 * wanted->part_bytes); /* with the tail */
    }
    assert_int_equal(test_count_objects(store), metadata->part_count + 1);
    assert_restores(snapshotter, &collection, &id, documents);
    assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_GOOD);
    assert_ok(err, akidb_snapshot_delete(snapshotter, &collection, &id, &err));
    assert_int_equal(test_count_objects(store), 0);
    akidb_snapshot_metadata_free(metadata);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void parts_are_cut_and_named_as_asked(void **state)
{
    (void)state;
    static const shape shapes[] = {
        {AKIDB_LAYOUT_DEFAULT, 0, 0, 0, 1, "/part-00000.parquet", 1},
        {AKIDB_LAYOUT_DEFAULT, 0, 0, 1000, 1, ".parquet", 1},
        {AKIDB_LAYOUT_FILE, 0, 0, 0, 1, ".parquet", 1},
        {AKIDB_LAYOUT_FOLDER, 0, 0, 1000, 1, "/part-00000.parquet", 1},
        {AKIDB_LAYOUT_DEFAULT, 300, 0, 1000, 1, "/part-00000.parquet", 4},
        {AKIDB_LAYOUT_DEFAULT, 333, 0, 0, 2, "/part-00000.parquet", 4},
        {AKIDB_LAYOUT_DEFAULT, 7, 0, 0, 1, "/part-00000.parquet", 143},
        {AKIDB_LAYOUT_DEFAULT, 0, 20000, 0, 1, "/part-00000.parquet", 0},
        {AKIDB_LAYOUT_DEFAULT, 0, 20000, 1000, 2, "/part-00000.parquet", 0},
        {AKIDB_LAYOUT_DEFAULT, 0, 1, 0, 1, "/part-00000.parquet", 20},
        /* The hint was wrong: what went to a single file moves into a folder. */
        {AKIDB_LAYOUT_DEFAULT, 300, 0, 10, 1, "/part-00000.parquet", 4},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_shape(&shapes[i], 1000);
        check_shape(&shapes[i], 24);
    }
}

static void one_file_that_does_not_suffice_is_a_limit(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter_options options = {
        .struct_size = sizeof options, .layout = AKIDB_LAYOUT_FILE, .part_rows = 10};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    akidb_documents *documents = test_documents(1, 11, 4);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_uuid id;
    assert_status(AKIDB_E_LIMIT,
                  akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, NULL, &err));
    assert_int_equal(test_count_objects(store), 0);
    batch.rows = 10;
    assert_ok(err, akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, NULL, &err));
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void a_large_part_is_uploaded_while_it_is_written(void **state)
{
    (void)state;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 2600, 4096); /* 42 MB */
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    assert_restores(snapshotter, &collection, &id, documents);
    assert_int_equal(test_count_objects(store), 2);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* ---- calls to the store
 * -------------------------------------------------------------------------- */

static void count_call(void *context, const akidb_store_call *call)
{
    ((int *)context)[call->op]++;
}

static void a_small_snapshot_takes_few_calls(void **state)
{
    (void)state;
    for (int format = AKIDB_FORMAT_PARQUET; format <= AKIDB_FORMAT_JSON; format++) {
        akidb_error err;
        int calls[AKIDB_STORE_OP_COUNT] = {0};
        akidb_store *inner = test_store(), *store;
        assert_ok(err, akidb_store_trace_open(inner, count_call, calls, &store, &err));
        akidb_snapshotter *snapshotter = test_snapshotter(store, (akidb_snapshot_format)format);
        akidb_documents *documents = test_documents(1, 100, 8);
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        int total = 0;
        for (int i = 0; i < AKIDB_STORE_OP_COUNT; i++)
            total += calls[i];
        assert_int_equal(calls[AKIDB_STORE_PUT], 2); /* the part, the metadata */
        assert_int_equal(total, 2);
        memset(calls, 0, sizeof calls);
        assert_restores(snapshotter, &collection, &id, documents);
        assert_int_equal(calls[AKIDB_STORE_GET], 1);
        assert_true(calls[AKIDB_STORE_GET_RANGE] <= 3);
        assert_int_equal(calls[AKIDB_STORE_HEAD], 0);
        assert_int_equal(calls[AKIDB_STORE_LIST], 0);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
        akidb_store_close(inner);
    }
}

/* ---- leftovers
 * ------------------------------------------------------------------------------------ */

static void told_key(void *context, const char *key, uint64_t bytes)
{
    (void)bytes;
    assert_int_equal(ak_key_parse(key).kind, AK_KEY_PART);
    ++*(int *)context;
}

static void gc_removes_leftovers_and_nothing_else(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter_options options = {.struct_size = sizeof options, .part_rows = 4};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_uuid good = test_create(snapshotter, &collection, documents);
    akidb_uuid orphan = test_create(snapshotter, &collection, documents);
    akidb_uuid damaged = test_create(snapshotter, &collection, documents);
    char key[AK_KEY_SIZE];
    ak_key_metadata(&collection, &orphan, key);
    assert_ok(err, akidb_store_delete(store, key, &err));
    ak_key_metadata(&collection, &damaged, key);
    test_put(store, key, "{}", 2);
    ak_key_folder_part(&collection, &good, 77, key); /* of a snapshot that does not refer to it */
    test_put(store, key, "x", 1);
    test_put(store, "snapshots/notes.txt", "mine", 4);
    size_t before = test_count_objects(store);

    int told = 0;
    akidb_gc_report report;
    assert_ok(err, akidb_snapshot_gc(snapshotter, AKIDB_GC_AGE_DEFAULT, false, told_key, &told,
                                     &report, &err));
    assert_int_equal(report.objects, 0); /* all are young */
    akidb_snapshotter_close(snapshotter);
    int64_t later = akidb_clock_now(NULL) + AKIDB_GC_AGE_DEFAULT + 60000000;
    akidb_clock clock = test_clock(&later);
    options.clock = &clock;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    assert_ok(err, akidb_snapshot_gc(snapshotter, AKIDB_GC_AGE_DEFAULT, true, told_key, &told,
                                     &report, &err));
    assert_int_equal(report.objects, 4);
    assert_int_equal(told, 4);
    assert_int_equal(test_count_objects(store), before);
    uint64_t bytes = report.bytes;
    assert_ok(err, akidb_snapshot_gc(snapshotter, AKIDB_GC_AGE_DEFAULT, false, NULL, NULL, &report,
                                     &err));
    assert_int_equal(report.objects, 4);
    assert_int_equal(report.bytes, bytes);
    assert_int_equal(test_count_objects(store), before - 4);
    assert_restores(snapshotter, &collection, &good, documents);
    assert_verifies(snapshotter, &collection, &good, AKIDB_VERIFY_GOOD);
    assert_status(AKIDB_E_VALIDATION,
                  akidb_snapshot_gc(snapshotter, -1, false, NULL, NULL, &report, &err));
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* A writer commits between gc's listing and its look at the metadata. */
typedef struct late_commit {
    akidb_store *inner;
    char key[AK_KEY_SIZE];
    akidb_buffer text;
    int looks;
} late_commit;

static akidb_fault commit_after_the_listing(void *context, akidb_store_op op, const char *key)
{
    late_commit *late = context;
    if (op == AKIDB_STORE_GET && strcmp(key, late->key) == 0 && ++late->looks == 1)
        test_put(late->inner, late->key, late->text.data, late->text.size);
    return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
}

static void gc_looks_at_the_metadata_before_it_removes(void **state)
{
    (void)state;
    akidb_error err;
    late_commit late = {.inner = test_store()};
    akidb_store *store;
    assert_ok(err,
              akidb_store_fault_open(late.inner, commit_after_the_listing, &late, &store, &err));
    int64_t later = akidb_clock_now(NULL) + AKIDB_GC_AGE_DEFAULT + 60000000;
    akidb_clock clock = test_clock(&later);
    akidb_snapshotter_options options = {
        .struct_size = sizeof options, .part_rows = 4, .clock = &clock};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    ak_key_metadata(&collection, &id, late.key);
    assert_ok(err, akidb_store_get(late.inner, late.key, UINT64_MAX, &late.text, &err));
    assert_ok(err, akidb_store_delete(late.inner, late.key, &err));
    akidb_gc_report report;
    assert_ok(err, akidb_snapshot_gc(snapshotter, AKIDB_GC_AGE_DEFAULT, false, NULL, NULL, &report,
                                     &err));
    assert_int_equal(late.looks, 1); /* for all parts of the snapshot together */
    assert_int_equal(report.objects, 0);
    assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_GOOD);
    akidb_buffer_free(&late.text);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    akidb_store_close(late.inner);
}

static void a_slow_writer_notices_that_its_parts_were_removed(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        bool removed = i % 2 == 1, clock_set_back = i >= 2;
        akidb_error err;
        int64_t now = TEST_NOW;
        akidb_clock clock = test_clock(&now);
        akidb_store *store = test_store();
        akidb_snapshotter_options options = {
            .struct_size = sizeof options, .part_rows = 4, .clock = &clock};
        akidb_snapshotter *snapshotter;
        assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
        akidb_documents *documents = test_documents(1, 10, 4);
        akidb_batch batch = akidb_documents_batch(documents);
        akidb_snapshot_writer *writer;
        assert_ok(err, akidb_snapshot_begin(snapshotter, &collection, 4, NULL, &writer, &err));
        assert_ok(err, akidb_snapshot_append(writer, &batch, &err));
        now += clock_set_back ? -1 : INT64_C(3600) * 1000000 + 1;
        akidb_gc_report report;
        akidb_snapshotter *gc;
        int64_t later = akidb_clock_now(NULL) + INT64_C(60000000);
        akidb_clock gc_clock = test_clock(&later);
        akidb_snapshotter_options gc_options = {.struct_size = sizeof gc_options,
                                                .clock = &gc_clock};
        assert_ok(err, akidb_snapshotter_open(store, &gc_options, &gc, &err));
        if (removed)
            assert_ok(err, akidb_snapshot_gc(gc, 0, false, NULL, NULL, &report, &err));
        akidb_snapshotter_close(gc);
        akidb_uuid id;
        akidb_status status = akidb_snapshot_commit(writer, &id, NULL, &err);
        assert_int_equal(status, removed ? AKIDB_E_PRECONDITION : AKIDB_OK);
        assert_int_equal(test_count_objects(store), removed ? 0 : 4);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

/* ---- the old layout
 * ------------------------------------------------------------------------------- */

#define OLD_COLLECTION "019a61f5-4b32-7d71-9d1b-7b3e9c5a2f10"
#define OLD_SNAPSHOT   "3f1c8a52-6b7d-4e0f-9a43-2c5d7e8f9012"

static const char old_documents[] =
    "[{\"doc_id\":\"019a61f5-5555-7d71-9d1b-000000000001\",\"external_id\":null,"
    "\"vector\":[0.5,-1.25,3e-2],\"metadata\":null,"
    "\"inserted_at\":\"2025-11-08T04:23:45.152660Z\"},"
    "{\"doc_id\":\"019a61f5-5555-7d71-9d1b-000000000002\",\"external_id\":\"doc-2\","
    "\"vector\":[1.0,2.0,3.0],\"metadata\":{\"index\":2},"
    "\"inserted_at\":\"2025-11-08T04:23:45.152661Z\"}]";

static void put_old_snapshot(akidb_store *store, uint64_t count)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"snapshot_id\":\"" OLD_SNAPSHOT "\",\"collection_id\":\"" OLD_COLLECTION
             "\",\"vector_count\":%llu,\"dimension\":3,"
             "\"created_at\":\"2025-11-08T04:23:45.152660Z\",\"size_bytes\":%zu,"
             "\"compression\":\"None\"}",
             (unsigned long long)count, sizeof old_documents - 1);
    test_put(store, "snapshots/" OLD_SNAPSHOT ".json", old_documents, sizeof old_documents - 1);
    test_put(store, "snapshots/" OLD_SNAPSHOT ".meta.json", text, strlen(text));
}

static akidb_uuid parse(const char *text)
{
    akidb_error err;
    akidb_uuid id;
    assert_ok(err, akidb_uuid_parse(text, &id, &err));
    return id;
}

static void the_old_layout_is_listed_read_verified_and_deleted(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid c = parse(OLD_COLLECTION), s = parse(OLD_SNAPSHOT);
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    put_old_snapshot(store, 2);
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &c, &list, &err));
    assert_int_equal(list.count, 1);
    const akidb_snapshot_metadata *metadata = list.entries[0].metadata;
    assert_non_null(metadata);
    assert_false(metadata->checked);
    assert_int_equal(metadata->format, AKIDB_FORMAT_JSON);
    assert_int_equal(metadata->compression, AKIDB_COMPRESSION_NONE);
    assert_int_equal(metadata->created_at % 1000000, 152660);
    akidb_snapshot_list_free(&list);
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &collection, &list, &err));
    assert_int_equal(list.count, 0);
    akidb_snapshot_list_free(&list);
    akidb_uuid found, *ids;
    assert_ok(err, akidb_snapshot_resolve(snapshotter, &c, "3f1c", &found, &err));
    assert_memory_equal(&found, &s, sizeof s);
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_resolve(snapshotter, &collection, "3f1c", &found, &err));
    size_t count;
    assert_ok(err, akidb_snapshot_collections(snapshotter, &ids, &count, &err));
    assert_int_equal(count, 1);
    assert_memory_equal(ids, &c, sizeof c);
    free(ids);
    akidb_documents *documents;
    assert_ok(err, akidb_snapshot_restore(snapshotter, &c, &s, NULL, &documents, &err));
    akidb_batch batch = akidb_documents_batch(documents);
    assert_int_equal(batch.rows, 2);
    assert_true(batch.vectors[1] == -1.25f && batch.vectors[5] == 3.0f);
    assert_int_equal(batch.inserted_at[1] % 1000000, 152661);
    assert_null(akidb_texts_at(&batch.external_ids, 0).data);
    assert_int_equal(akidb_texts_at(&batch.metadata, 1).size, 11);
    akidb_documents_free(documents);
    assert_verifies(snapshotter, &c, &s, AKIDB_VERIFY_UNCHECKED);
    put_old_snapshot(store, 3); /* contradicts its part */
    assert_verifies(snapshotter, &c, &s, AKIDB_VERIFY_CORRUPT);
    put_old_snapshot(store, 2);
    test_put(store, "snapshots/" OLD_SNAPSHOT ".json", old_documents, sizeof old_documents - 2);
    assert_verifies(snapshotter, &c, &s, AKIDB_VERIFY_CORRUPT);
    assert_status(AKIDB_E_CORRUPTION,
                  akidb_snapshot_restore(snapshotter, &c, &s, NULL, &documents, &err));
    assert_ok(err, akidb_snapshot_delete(snapshotter, &c, &s, &err));
    assert_int_equal(test_count_objects(store), 0);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* Memory is given for bytes that are there, not for what the metadata claims. */
static void a_claim_of_more_documents_than_memory_holds_is_corruption(void **state)
{
    (void)state;
    static const char claim[] =
        "{\"snapshot_id\":\"" OLD_SNAPSHOT "\",\"collection_id\":\"" OLD_COLLECTION
        "\",\"vector_count\":10000000000000,\"dimension\":3,"
        "\"created_at\":\"2025-11-08T04:23:45.152660Z\","
        "\"size_bytes\":100000000000000,\"compression\":\"None\"}";
    akidb_error err;
    akidb_store *store = test_store();
    put_old_snapshot(store, 2);
    test_put(store, "snapshots/" OLD_SNAPSHOT ".meta.json", claim, sizeof claim - 1);
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_uuid id = parse(OLD_SNAPSHOT), of = parse(OLD_COLLECTION);
    akidb_documents *documents;
    assert_status(AKIDB_E_CORRUPTION,
                  akidb_snapshot_restore(snapshotter, &of, &id, NULL, &documents, &err));
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* Where the parts of the old layout lie is inferred; another file in their place may be the one
 * that holds the documents. */
static void gc_removes_nothing_of_a_snapshot_that_does_not_name_its_parts(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    int64_t later = akidb_clock_now(NULL) + AKIDB_GC_AGE_DEFAULT + 60000000;
    akidb_clock clock = test_clock(&later);
    akidb_snapshotter_options options = {.struct_size = sizeof options, .clock = &clock};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    put_old_snapshot(store, 2);
    test_put(store, "snapshots/" OLD_SNAPSHOT ".json.zst", "x", 1);
    size_t before = test_count_objects(store);
    akidb_gc_report report;
    assert_ok(err, akidb_snapshot_gc(snapshotter, AKIDB_GC_AGE_DEFAULT, false, NULL, NULL, &report,
                                     &err));
    assert_int_equal(report.objects, 0);
    assert_int_equal(test_count_objects(store), before);
    /* Without its metadata nothing speaks for either. */
    assert_ok(err, akidb_store_delete(store, "snapshots/" OLD_SNAPSHOT ".meta.json", &err));
    assert_ok(err, akidb_snapshot_gc(snapshotter, AKIDB_GC_AGE_DEFAULT, false, NULL, NULL, &report,
                                     &err));
    assert_int_equal(report.objects, 2);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void a_damaged_old_snapshot_is_listed_and_belongs_to_whom_it_names(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid c = parse(OLD_COLLECTION), s = parse(OLD_SNAPSHOT);
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    static const char named[] = "{\"collection_id\":\"" OLD_COLLECTION "\"}";
    test_put(store, "snapshots/" OLD_SNAPSHOT ".meta.json", named, sizeof named - 1);
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &collection, &list, &err));
    assert_int_equal(list.count, 0);
    akidb_snapshot_list_free(&list);
    assert_status(AKIDB_E_NOT_FOUND, akidb_snapshot_delete(snapshotter, &collection, &s, &err));
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &c, &list, &err));
    assert_int_equal(list.count, 1);
    assert_int_equal(list.entries[0].problem.status, AKIDB_E_CORRUPTION);
    akidb_snapshot_list_free(&list);
    test_put(store, "snapshots/" OLD_SNAPSHOT ".meta.json", "", 0); /* may be anybody's */
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &collection, &list, &err));
    assert_int_equal(list.count, 1);
    akidb_snapshot_list_free(&list);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void parquet_with_the_plans_eight_fields_is_read(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 30, 6);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    akidb_snapshot_metadata *metadata;
    assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &metadata, &err));
    char *cut = strstr(metadata->text, ",\"format_version\"");
    assert_non_null(cut);
    memcpy(cut, "}", 2);
    test_put(store, metadata->key, metadata->text, strlen(metadata->text));
    akidb_snapshot_metadata_free(metadata);
    assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &metadata, &err));
    assert_false(metadata->checked);
    assert_restores(snapshotter, &collection, &id, documents);
    assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_UNCHECKED);
    akidb_snapshot_metadata_free(metadata);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* ---- migration
 * ------------------------------------------------------------------------------------ */

static void migration_keeps_everything_both_ways(void **state)
{
    (void)state;
    akidb_error err;
    for (int to = AKIDB_FORMAT_PARQUET; to <= AKIDB_FORMAT_JSON; to++) {
        int from = to == AKIDB_FORMAT_PARQUET ? AKIDB_FORMAT_JSON : AKIDB_FORMAT_PARQUET;
        akidb_store *store = test_store();
        akidb_snapshotter *writer = test_snapshotter(store, (akidb_snapshot_format)from);
        akidb_snapshotter *migrator = test_snapshotter(store, (akidb_snapshot_format)to);
        akidb_documents *documents = test_documents(1, 500, 12);
        akidb_batch batch = akidb_documents_batch(documents);
        ((int64_t *)batch.inserted_at)[3] += 7; /* microseconds */
        akidb_label label = {"name", "books"};
        akidb_create_options create = {
            .struct_size = sizeof create, .labels = &label, .label_count = 1};
        akidb_uuid old, new;
        akidb_snapshot_metadata *source, *copy;
        assert_ok(err,
                  akidb_snapshot_create(writer, &collection, &batch, &create, &old, &source, &err));
        assert_ok(err,
                  akidb_snapshot_migrate(migrator, &collection, &old, NULL, &new, &copy, &err));
        assert_int_equal(copy->format, to);
        assert_int_equal(copy->created_at, source->created_at);
        assert_int_equal(copy->label_count, 2);
        assert_string_equal(akidb_snapshot_label(copy, "name"), "books");
        char text[AKIDB_UUID_TEXT_SIZE];
        akidb_uuid_format(&old, text);
        assert_string_equal(akidb_snapshot_label(copy, "migrated-from"), text);
        assert_restores(migrator, &collection, &new, documents);
        assert_restores(migrator, &collection, &old, documents);
        assert_verifies(migrator, &collection, &new, AKIDB_VERIFY_GOOD);
        akidb_snapshot_metadata_free(source);
        akidb_snapshot_metadata_free(copy);
        akidb_documents_free(documents);
        akidb_snapshotter_close(writer);
        akidb_snapshotter_close(migrator);
        akidb_store_close(store);
    }
}

static void migration_takes_the_old_layout_and_deletes_it_when_told(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid c = parse(OLD_COLLECTION), s = parse(OLD_SNAPSHOT), new;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    put_old_snapshot(store, 2);
    akidb_documents *documents, *again;
    assert_ok(err, akidb_snapshot_restore(snapshotter, &c, &s, NULL, &documents, &err));
    akidb_migrate_options options = {.struct_size = sizeof options, .delete_source = true};
    akidb_snapshot_metadata *copy;
    assert_ok(err, akidb_snapshot_migrate(snapshotter, &c, &s, &options, &new, &copy, &err));
    assert_true(copy->checked);
    assert_int_equal(copy->created_at % 1000000, 152660);
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_restore(snapshotter, &c, &s, NULL, &again, &err));
    assert_restores(snapshotter, &c, &new, documents);
    assert_int_equal(test_count_objects(store), 2);
    akidb_snapshot_metadata_free(copy);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

static void a_migration_that_would_lose_digits_or_reads_damage_leaves_the_source(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid c = parse(OLD_COLLECTION), s = parse(OLD_SNAPSHOT), new;
    akidb_store *store = test_store();
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .time_unit = AKIDB_TIME_UNIT_MILLIS}};
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    put_old_snapshot(store, 2);
    akidb_migrate_options migrate = {.struct_size = sizeof migrate, .delete_source = true};
    assert_status(AKIDB_E_VALIDATION,
                  akidb_snapshot_migrate(snapshotter, &c, &s, &migrate, &new, NULL, &err));
    assert_int_equal(test_count_objects(store), 2);
    put_old_snapshot(store, 3);
    assert_status(AKIDB_E_CORRUPTION,
                  akidb_snapshot_migrate(snapshotter, &c, &s, &migrate, &new, NULL, &err));
    assert_int_equal(test_count_objects(store), 2);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* The source's part is damaged once the copy exists. */
static akidb_fault damage_after_commit(void *context, akidb_store_op op, const char *key)
{
    bool *committed = context;
    if (op == AKIDB_STORE_PUT && strstr(key, ".metadata.json") != NULL)
        *committed = true;
    bool source = strstr(key, OLD_SNAPSHOT ".json") != NULL;
    return (akidb_fault){*committed && source && op == AKIDB_STORE_GET_RANGE ? AKIDB_FAULT_BEFORE
                                                                             : AKIDB_FAULT_NONE,
                         AKIDB_E_CORRUPTION};
}

static void a_copy_stays_when_the_source_cannot_be_read_again(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid c = parse(OLD_COLLECTION), s = parse(OLD_SNAPSHOT);
    bool committed = false;
    akidb_store *inner = test_store(), *store;
    assert_ok(err, akidb_store_fault_open(inner, damage_after_commit, &committed, &store, &err));
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    put_old_snapshot(inner, 2);
    akidb_migrate_options migrate = {.struct_size = sizeof migrate, .delete_source = true};
    assert_status(AKIDB_E_CORRUPTION,
                  akidb_snapshot_migrate(snapshotter, &c, &s, &migrate, NULL, NULL, &err));
    assert_non_null(strstr(err.message, "stands"));
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(snapshotter, &c, &list, &err));
    assert_int_equal(list.count, 2);
    akidb_snapshot_list_free(&list);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    akidb_store_close(inner);
}

/* Once the copy exists, the source has other digits, which without checksums nobody notices. */
typedef struct rewrite {
    akidb_store *inner;
    bool committed, done;
} rewrite;

static akidb_fault rewrite_after_commit(void *context, akidb_store_op op, const char *key)
{
    rewrite *r = context;
    r->committed = r->committed || (op == AKIDB_STORE_PUT && strstr(key, ".metadata.json") != NULL);
    if (r->committed && !r->done && op == AKIDB_STORE_HEAD) {
        char text[sizeof old_documents];
        memcpy(text, old_documents, sizeof text);
        *strstr(text, "-1.25") = ' ';
        test_put(r->inner, "snapshots/" OLD_SNAPSHOT ".json", text, sizeof text - 1);
        r->done = true;
    }
    return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
}

static void a_copy_that_differs_is_removed_and_the_source_stays(void **state)
{
    (void)state;
    akidb_error err;
    akidb_uuid c = parse(OLD_COLLECTION), s = parse(OLD_SNAPSHOT);
    rewrite r = {.inner = test_store()};
    akidb_store *store;
    assert_ok(err, akidb_store_fault_open(r.inner, rewrite_after_commit, &r, &store, &err));
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    put_old_snapshot(r.inner, 2);
    akidb_migrate_options migrate = {.struct_size = sizeof migrate, .delete_source = true};
    assert_status(AKIDB_E_CORRUPTION,
                  akidb_snapshot_migrate(snapshotter, &c, &s, &migrate, NULL, NULL, &err));
    assert_true(r.done);
    assert_string_equal(err.column, "vector");
    assert_int_equal(err.row, 0);
    assert_int_equal(test_count_objects(r.inner), 2);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    akidb_store_close(r.inner);
}

static void migration_keeps_the_place_in_a_log(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = test_snapshotter(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(1, 10, 4);
    akidb_batch batch = akidb_documents_batch(documents);
    ak_lineage lineage = {test_uuid(1), test_uuid(2), 77};
    ak_begin_options options = {.create = {.struct_size = sizeof options.create},
                                .lineage = &lineage};
    akidb_snapshot_writer *writer;
    akidb_uuid id;
    assert_ok(err, ak_snapshot_begin(snapshotter, &collection, 4, &options, &writer, &err));
    assert_ok(err, akidb_snapshot_append(writer, &batch, &err));
    assert_ok(err, akidb_snapshot_commit(writer, &id, NULL, &err));
    akidb_snapshot_metadata *metadata;
    assert_ok(err,
              akidb_snapshot_migrate(snapshotter, &collection, &id, NULL, NULL, &metadata, &err));
    assert_true(metadata->has_lineage);
    assert_int_equal(akidb_uuid_compare(&metadata->log_id, &lineage.log_id), 0);
    assert_int_equal(akidb_uuid_compare(&metadata->incarnation, &lineage.incarnation), 0);
    assert_int_equal(metadata->lsn, 77);
    akidb_snapshot_metadata_free(metadata);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_cut_and_named_as_asked),
        cmocka_unit_test(one_file_that_does_not_suffice_is_a_limit),
        cmocka_unit_test(a_large_part_is_uploaded_while_it_is_written),
        cmocka_unit_test(a_small_snapshot_takes_few_calls),
        cmocka_unit_test(gc_removes_leftovers_and_nothing_else),
        cmocka_unit_test(gc_looks_at_the_metadata_before_it_removes),
        cmocka_unit_test(a_slow_writer_notices_that_its_parts_were_removed),
        cmocka_unit_test(the_old_layout_is_listed_read_verified_and_deleted),
        cmocka_unit_test(a_claim_of_more_documents_than_memory_holds_is_corruption),
        cmocka_unit_test(gc_removes_nothing_of_a_snapshot_that_does_not_name_its_parts),
        cmocka_unit_test(a_damaged_old_snapshot_is_listed_and_belongs_to_whom_it_names),
        cmocka_unit_test(parquet_with_the_plans_eight_fields_is_read),
        cmocka_unit_test(migration_keeps_everything_both_ways),
        cmocka_unit_test(migration_takes_the_old_layout_and_deletes_it_when_told),
        cmocka_unit_test(a_migration_that_would_lose_digits_or_reads_damage_leaves_the_source),
        cmocka_unit_test(a_copy_stays_when_the_source_cannot_be_read_again),
        cmocka_unit_test(a_copy_that_differs_is_removed_and_the_source_stays),
        cmocka_unit_test(migration_keeps_the_place_in_a_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
