/* Copies of snapshots in other stores: byte by byte, checked, and continued after an interruption.
 */
#include "snapshot/keys.h"

#include "support.h"

static const akidb_uuid collection = {{7, 1}};

enum { ROWS = 30, PARTS = 4 };

static akidb_snapshotter *open_parts(akidb_store *store, akidb_snapshot_format format,
                                     const akidb_hooks *hooks)
{
    akidb_error err;
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .format = format,
        .part_rows = 8,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .row_group_size = 4},
    };
    if (hooks != NULL)
        options.hooks = *hooks;
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    return snapshotter;
}

static akidb_visit assert_same_object(void *context, const akidb_list_entry *entry)
{
    akidb_store *const *stores = context;
    akidb_error err;
    akidb_buffer a, b;
    assert_ok(err, akidb_store_get(stores[0], entry->key, 1 << 20, &a, &err));
    assert_ok(err, akidb_store_get(stores[1], entry->key, 1 << 20, &b, &err));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    akidb_buffer_free(&a);
    akidb_buffer_free(&b);
    return AKIDB_VISIT_CONTINUE;
}

static void assert_same_objects(akidb_store *a, akidb_store *b)
{
    akidb_error err;
    akidb_store *stores[2] = {a, b};
    assert_int_equal(test_count_objects(a), test_count_objects(b));
    assert_ok(err, akidb_store_list(a, "", 0, assert_same_object, stores, &err));
}

static void count_call(void *context, const akidb_store_call *call)
{
    ((int *)context)[call->op]++;
}

static void a_copy_has_the_same_bytes_and_is_made_once(void **state)
{
    (void)state;
    for (int format = AKIDB_FORMAT_PARQUET; format <= AKIDB_FORMAT_JSON; format++) {
        akidb_error err;
        int calls[AKIDB_STORE_OP_COUNT] = {0};
        akidb_store *from = test_store(), *inner = test_store(), *to;
        assert_ok(err, akidb_store_trace_open(inner, count_call, calls, &to, &err));
        akidb_snapshotter *snapshotter = open_parts(from, (akidb_snapshot_format)format, NULL);
        akidb_documents *documents = test_documents(1, ROWS, 6);
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        akidb_copy_report report;
        assert_ok(err, akidb_snapshot_copy(snapshotter, &collection, &id, to, &report, &err));
        assert_false(report.was_there);
        assert_int_equal(report.parts_copied, format == AKIDB_FORMAT_PARQUET ? PARTS : 1);
        assert_int_equal(report.parts_kept, 0);
        assert_true(report.bytes_copied > 0);
        assert_same_objects(from, inner);

        akidb_snapshotter *other = open_parts(inner, AKIDB_FORMAT_PARQUET, NULL);
        assert_restores(other, &collection, &id, documents);
        assert_verifies(other, &collection, &id, AKIDB_VERIFY_GOOD);

        memset(calls, 0, sizeof calls);
        assert_ok(err, akidb_snapshot_copy(snapshotter, &collection, &id, to, &report, &err));
        assert_true(report.was_there);
        assert_int_equal(report.parts_copied, 0);
        assert_int_equal(calls[AKIDB_STORE_PUT], 0);
        akidb_snapshotter_close(other);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(to);
        akidb_store_close(inner);
        akidb_store_close(from);
    }
}

/* ---- interruptions --------------------------------------------------------------------------- */

typedef struct faults {
    int at, calls;
    bool once; /* otherwise from there on */
    akidb_fault fault;
    akidb_store_op hit;
} faults;

static akidb_fault decide(void *context, akidb_store_op op, const char *key)
{
    (void)key;
    faults *f = context;
    int call = f->calls++;
    if (call < f->at || (f->once && call > f->at))
        return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
    f->hit = op;
    return f->fault;
}

/* Whether a metadata object, and with it a snapshot, is there. */
static bool exists(akidb_store *store, const akidb_uuid *id)
{
    akidb_error err;
    char key[AK_KEY_SIZE];
    bool there;
    ak_key_metadata(&collection, id, key);
    assert_ok(err, akidb_store_exists(store, key, &there, &err));
    return there;
}

/* Lets the calls from number `at` on of one of the stores fail, for each `at`; then copies again.
 */
static void interrupt_everywhere(bool in_target, akidb_fault fault)
{
    akidb_error err;
    akidb_store *source = test_store();
    akidb_snapshotter *creator = open_parts(source, AKIDB_FORMAT_PARQUET, NULL);
    akidb_documents *documents = test_documents(2, ROWS, 6);
    akidb_uuid id = test_create(creator, &collection, documents);
    bool went_through = false;
    uint64_t most_kept = 0;
    for (int at = 0; !went_through; at++) {
        faults f = {.at = at, .fault = fault};
        akidb_store *target = test_store(), *faulty;
        assert_ok(err,
                  akidb_store_fault_open(in_target ? target : source, decide, &f, &faulty, &err));
        akidb_snapshotter *snapshotter =
            open_parts(in_target ? source : faulty, AKIDB_FORMAT_PARQUET, NULL);
        akidb_copy_report report;
        akidb_status status = akidb_snapshot_copy(snapshotter, &collection, &id,
                                                  in_target ? faulty : target, &report, &err);
        went_through = f.calls <= at;
        if (status == AKIDB_OK)
            assert_same_objects(source, target);
        else if (status != AKIDB_E_UNCERTAIN)
            assert_false(exists(target, &id));
        uint64_t left = test_count_objects(target);
        assert_ok(err, akidb_snapshot_copy(creator, &collection, &id, target, &report, &err));
        if (!report.was_there) {
            assert_int_equal(report.parts_kept, left);
            assert_int_equal(report.parts_copied, PARTS - left);
            most_kept = report.parts_kept > most_kept ? report.parts_kept : most_kept;
        }
        assert_same_objects(source, target);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(faulty);
        akidb_store_close(target);
    }
    assert_true(most_kept >= PARTS - 1);
    akidb_documents_free(documents);
    akidb_snapshotter_close(creator);
    akidb_store_close(source);
}

static void an_interrupted_copy_goes_on_where_it_stopped(void **state)
{
    (void)state;
    interrupt_everywhere(true, (akidb_fault){AKIDB_FAULT_BEFORE, AKIDB_E_STORE});
    interrupt_everywhere(false, (akidb_fault){AKIDB_FAULT_BEFORE, AKIDB_E_STORE});
    interrupt_everywhere(false, (akidb_fault){AKIDB_FAULT_FLIP, AKIDB_OK});
    interrupt_everywhere(false, (akidb_fault){AKIDB_FAULT_SHORT, AKIDB_OK});
}

static void a_part_that_is_damaged_on_its_way_is_sent_again(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *source = test_store();
    akidb_snapshotter *creator = open_parts(source, AKIDB_FORMAT_PARQUET, NULL);
    akidb_documents *documents = test_documents(2, ROWS, 6);
    akidb_uuid id = test_create(creator, &collection, documents);
    int mended = 0;
    bool went_through = false;
    for (int at = 0; !went_through; at++) {
        faults f = {.at = at, .once = true, .fault = {AKIDB_FAULT_FLIP, AKIDB_OK}};
        akidb_store *target = test_store(), *faulty;
        assert_ok(err, akidb_store_fault_open(source, decide, &f, &faulty, &err));
        akidb_snapshotter *snapshotter = open_parts(faulty, AKIDB_FORMAT_PARQUET, NULL);
        akidb_copy_report report;
        akidb_status status =
            akidb_snapshot_copy(snapshotter, &collection, &id, target, &report, &err);
        went_through = f.calls <= at;
        if (went_through || f.hit == AKIDB_STORE_GET_RANGE) {
            assert_int_equal(status, AKIDB_OK);
            assert_same_objects(source, target);
            assert_int_equal(report.parts_copied, PARTS);
            mended += !went_through;
        }
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(faulty);
        akidb_store_close(target);
    }
    assert_true(mended >= PARTS);
    akidb_documents_free(documents);
    akidb_snapshotter_close(creator);
    akidb_store_close(source);
}

typedef struct patience {
    int left;
} patience;

static bool stop_later(void *context, const akidb_progress *progress)
{
    (void)progress;
    return ((patience *)context)->left-- > 0;
}

static void a_cancelled_copy_does_not_exist(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *from = test_store(), *to = test_store();
    akidb_snapshotter *creator = open_parts(from, AKIDB_FORMAT_PARQUET, NULL);
    akidb_documents *documents = test_documents(2, ROWS, 6);
    akidb_uuid id = test_create(creator, &collection, documents);
    patience p = {9};
    akidb_hooks hooks = {.context = &p, .progress = stop_later};
    akidb_snapshotter *snapshotter = open_parts(from, AKIDB_FORMAT_PARQUET, &hooks);
    assert_status(AKIDB_E_CANCELLED,
                  akidb_snapshot_copy(snapshotter, &collection, &id, to, NULL, &err));
    assert_false(exists(to, &id));
    assert_true(test_count_objects(to) > 0);
    assert_ok(err, akidb_snapshot_copy(creator, &collection, &id, to, NULL, &err));
    assert_same_objects(from, to);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_snapshotter_close(creator);
    akidb_store_close(from);
    akidb_store_close(to);
}

/* ---- damage ---------------------------------------------------------------------------------- */

static void a_damaged_snapshot_is_not_copied(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *from = test_store(), *to = test_store();
    akidb_snapshotter *snapshotter = open_parts(from, AKIDB_FORMAT_PARQUET, NULL);
    akidb_documents *documents = test_documents(2, ROWS, 6);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    char key[AK_KEY_SIZE];
    ak_key_folder_part(&collection, &id, 2, key);
    akidb_buffer part;
    assert_ok(err, akidb_store_get(from, key, 1 << 20, &part, &err));
    for (size_t at = 0; at < part.size; at += 97) {
        part.data[at] ^= 4;
        test_put(from, key, part.data, part.size);
        part.data[at] ^= 4;
        assert_status(AKIDB_E_CORRUPTION,
                      akidb_snapshot_copy(snapshotter, &collection, &id, to, NULL, &err));
        assert_false(exists(to, &id));
    }
    assert_ok(err, akidb_store_delete(from, key, &err));
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_copy(snapshotter, &collection, &id, to, NULL, &err));
    /* A part that is damaged in the other store, in whatever way, is sent again. */
    test_put(from, key, part.data, part.size);
    part.data[part.size / 2] ^= 1;
    test_put(to, key, part.data, part.size);
    ak_key_folder_part(&collection, &id, 3, key);
    test_put(to, key, "short", 5);
    akidb_copy_report report;
    assert_ok(err, akidb_snapshot_copy(snapshotter, &collection, &id, to, &report, &err));
    assert_int_equal(report.parts_kept, 2);
    assert_same_objects(from, to);
    akidb_buffer_free(&part);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(from);
    akidb_store_close(to);
}

static void another_snapshot_of_that_id_is_left_alone(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *from = test_store(), *to = test_store();
    akidb_snapshotter *snapshotter = open_parts(from, AKIDB_FORMAT_PARQUET, NULL);
    akidb_documents *documents = test_documents(2, ROWS, 6);
    akidb_uuid id = test_create(snapshotter, &collection, documents), nobody = {{1}};
    char key[AK_KEY_SIZE];
    ak_key_metadata(&collection, &id, key);
    test_put(to, key, "{}", 2);
    assert_status(AKIDB_E_ALREADY_EXISTS,
                  akidb_snapshot_copy(snapshotter, &collection, &id, to, NULL, &err));
    assert_int_equal(test_count_objects(to), 1);
    assert_status(AKIDB_E_NOT_FOUND,
                  akidb_snapshot_copy(snapshotter, &collection, &nobody, to, NULL, &err));
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(from);
    akidb_store_close(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_has_the_same_bytes_and_is_made_once),
        cmocka_unit_test(an_interrupted_copy_goes_on_where_it_stopped),
        cmocka_unit_test(a_part_that_is_damaged_on_its_way_is_sent_again),
        cmocka_unit_test(a_cancelled_copy_does_not_exist),
        cmocka_unit_test(a_damaged_snapshot_is_not_copied),
        cmocka_unit_test(another_snapshot_of_that_id_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
