/* Damage and failing stores: what is wrong is said, and wrong data is never given. */
#include <errno.h>

#include "snapshot/metadata.h"

#include "support.h"

#include "fault_files.h"
#include "folder.h"

static const akidb_snapshot_format formats[] = {AKIDB_FORMAT_PARQUET, AKIDB_FORMAT_JSON};
enum { FORMATS = 2 };

static const akidb_uuid collection = {{9, 8, 7}};

static akidb_snapshotter *open_small(akidb_store *store, akidb_snapshot_format format)
{
    akidb_error err;
    akidb_snapshotter_options options = {
        .struct_size = sizeof options,
        .format = format,
        .part_rows = 8,
        .parquet = &(akidb_parquet_options){.struct_size = sizeof(akidb_parquet_options),
                                            .row_group_size = 4},
    };
    akidb_snapshotter *snapshotter;
    assert_ok(err, akidb_snapshotter_open(store, &options, &snapshotter, &err));
    return snapshotter;
}

/* ---- flipped bytes --------------------------------------------------------------------------- */

/* Restores and verifies after each single byte of an object was changed in turn. */
static void flip_every_byte(akidb_store *store, akidb_snapshotter *snapshotter,
                            const akidb_uuid *id, const char *key)
{
    akidb_error err;
    akidb_buffer object;
    assert_ok(err, akidb_store_get(store, key, 1 << 20, &object, &err));
    for (size_t i = 0; i < object.size; i++) {
        uint8_t change = (uint8_t)(i % 8 == 7 ? 0xFF : 1u << i % 8);
        object.data[i] ^= change;
        test_put(store, key, object.data, object.size);
        akidb_verify_report report;
        assert_ok(err, akidb_snapshot_verify(snapshotter, &collection, id, AKIDB_VERIFY_CHECKSUM,
                                             &report, &err));
        if (report.outcome != AKIDB_VERIFY_CORRUPT)
            fail_msg("%s: byte %zu: checksum: outcome %d", key, i, (int)report.outcome);
        assert_ok(err, akidb_snapshot_verify(snapshotter, &collection, id, AKIDB_VERIFY_DECODE,
                                             &report, &err));
        if (report.outcome != AKIDB_VERIFY_CORRUPT)
            fail_msg("%s: byte %zu: decode: outcome %d", key, i, (int)report.outcome);
        object.data[i] ^= change;
    }
    test_put(store, key, object.data, object.size);
    akidb_buffer_free(&object);
}

/* The same, restoring: right data, or an error that says corrupt. */
static size_t restore_with_every_flip(akidb_store *store, akidb_snapshotter *snapshotter,
                                      const akidb_uuid *id, const char *key,
                                      const akidb_documents *expected)
{
    akidb_error err;
    akidb_buffer object;
    size_t restored = 0;
    assert_ok(err, akidb_store_get(store, key, 1 << 20, &object, &err));
    for (size_t i = 0; i < object.size; i++) {
        object.data[i] ^= 0x04;
        test_put(store, key, object.data, object.size);
        akidb_documents *documents;
        akidb_status status =
            akidb_snapshot_restore(snapshotter, &collection, id, NULL, &documents, &err);
        if (status == AKIDB_OK) {
            assert_same_documents(expected, documents);
            akidb_documents_free(documents);
            restored++;
        } else {
            assert_int_equal(status, AKIDB_E_CORRUPTION);
        }
        object.data[i] ^= 0x04;
    }
    test_put(store, key, object.data, object.size);
    akidb_buffer_free(&object);
    return restored;
}

static void every_flipped_byte_is_corruption(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = open_small(store, formats[f]);
        akidb_documents *documents = test_documents(4, 6, 3);
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        akidb_snapshot_metadata *metadata;
        assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &metadata, &err));
        flip_every_byte(store, snapshotter, &id, metadata->key);
        flip_every_byte(store, snapshotter, &id, metadata->parts[0].key);
        assert_int_equal(restore_with_every_flip(store, snapshotter, &id, metadata->key, documents),
                         0);
        /* Only Parquet's four first bytes may change without being read. */
        assert_true(restore_with_every_flip(store, snapshotter, &id, metadata->parts[0].key,
                                            documents) <= 4);
        assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_GOOD);
        akidb_snapshot_metadata_free(metadata);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void every_cut_is_corruption(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = open_small(store, formats[f]);
        akidb_documents *documents = test_documents(4, 6, 3), *restored;
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        akidb_snapshot_metadata *metadata;
        assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &metadata, &err));
        const char *keys[] = {metadata->parts[0].key, metadata->key};
        for (int k = 0; k < 2; k++) {
            akidb_buffer object;
            assert_ok(err, akidb_store_get(store, keys[k], 1 << 20, &object, &err));
            for (size_t size = 0; size < object.size; size += 7) {
                test_put(store, keys[k], object.data, size);
                assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_CORRUPT);
                assert_status(
                    AKIDB_E_CORRUPTION,
                    akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &restored, &err));
            }
            test_put(store, keys[k], object.data, object.size);
            akidb_buffer_free(&object);
        }
        akidb_snapshot_metadata_free(metadata);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

/* ---- missing --------------------------------------------------------------------------------- */

static void a_missing_part_is_missing_not_corrupt(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = open_small(store, formats[f]);
        akidb_documents *documents = test_documents(4, 20, 3), *restored;
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        akidb_snapshot_metadata *metadata;
        assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &metadata, &err));
        assert_int_equal(metadata->part_count, formats[f] == AKIDB_FORMAT_PARQUET ? 3 : 1);
        const char *key = metadata->parts[metadata->part_count - 1].key;
        assert_ok(err, akidb_store_delete(store, key, &err));
        for (int level = AKIDB_VERIFY_EXISTS; level <= AKIDB_VERIFY_DECODE; level++) {
            akidb_verify_report report;
            assert_ok(err, akidb_snapshot_verify(snapshotter, &collection, &id,
                                                 (akidb_verify_level)level, &report, &err));
            assert_int_equal(report.outcome, AKIDB_VERIFY_MISSING);
            assert_int_equal(report.parts, metadata->part_count);
            assert_non_null(strstr(report.problem.message, key));
        }
        assert_status(AKIDB_E_NOT_FOUND,
                      akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &restored, &err));
        assert_non_null(strstr(err.message, "missing"));
        akidb_snapshot_metadata_free(metadata);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void of_a_missing_and_a_corrupt_part_the_corrupt_one_counts(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = open_small(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(4, 20, 3);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    akidb_snapshot_metadata *metadata;
    assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &metadata, &err));
    assert_ok(err, akidb_store_delete(store, metadata->parts[0].key, &err));
    akidb_buffer object;
    assert_ok(err, akidb_store_get(store, metadata->parts[2].key, 1 << 20, &object, &err));
    object.data[100] ^= 1;
    test_put(store, metadata->parts[2].key, object.data, object.size);
    akidb_buffer_free(&object);
    for (int level = AKIDB_VERIFY_CHECKSUM; level <= AKIDB_VERIFY_DECODE; level++) {
        akidb_verify_report report;
        assert_ok(err, akidb_snapshot_verify(snapshotter, &collection, &id,
                                             (akidb_verify_level)level, &report, &err));
        assert_int_equal(report.outcome, AKIDB_VERIFY_CORRUPT);
        assert_int_equal(report.parts, 3);
        assert_string_equal(report.problem.object, metadata->parts[2].key);
    }
    akidb_snapshot_metadata_free(metadata);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* Metadata that is whole but whose checksum of a part is not the one that its ranges make. */
static void checksums_that_contradict_each_other_are_corruption(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        akidb_error err;
        akidb_store *store = test_store();
        akidb_snapshotter *snapshotter = open_small(store, formats[f]);
        akidb_documents *documents = test_documents(4, 20, 3);
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        akidb_snapshot_metadata *metadata;
        assert_ok(err, akidb_snapshot_get_metadata(snapshotter, &collection, &id, &metadata, &err));
        akidb_snapshot_part *part = (akidb_snapshot_part *)&metadata->parts[0];
        part->summary.file.crc32c ^= 1;
        akidb_buffer text = {0};
        assert_ok(err, ak_metadata_write(metadata, &text, &err));
        test_put(store, metadata->key, text.data, text.size);
        akidb_verify_level levels[] = {AKIDB_VERIFY_CHECKSUM, AKIDB_VERIFY_DECODE};
        for (int i = 0; i < 2; i++) {
            akidb_verify_report report;
            assert_ok(err, akidb_snapshot_verify(snapshotter, &collection, &id, levels[i], &report,
                                                 &err));
            assert_int_equal(report.outcome, AKIDB_VERIFY_CORRUPT);
        }
        akidb_buffer_free(&text);
        akidb_snapshot_metadata_free(metadata);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
    }
}

static void a_snapshot_deleted_while_it_is_read_is_not_found(void **state)
{
    (void)state;
    akidb_error err;
    akidb_store *store = test_store();
    akidb_snapshotter *snapshotter = open_small(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(4, 20, 3), *next;
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    akidb_snapshot_reader *reader;
    assert_ok(err, akidb_snapshot_open(snapshotter, &collection, &id, NULL, &reader, &err));
    assert_ok(err, akidb_documents_new(3, &next, &err));
    bool done;
    assert_ok(err, akidb_snapshot_next(reader, next, &done, &err));
    assert_ok(err, akidb_snapshot_delete(snapshotter, &collection, &id, &err));
    akidb_status status = AKIDB_OK;
    while (status == AKIDB_OK)
        status = akidb_snapshot_next(reader, next, &done, &err);
    assert_int_equal(status, AKIDB_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "deleted meanwhile"));
    assert_int_equal(akidb_documents_batch(next).rows, 0);
    akidb_snapshot_close(reader);
    akidb_documents_free(next);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
}

/* ---- faults ---------------------------------------------------------------------------------- */

typedef struct faults {
    int calls;
    int at; /* the call, counted from 0, that goes wrong; -1: none */
    akidb_fault fault;
    int times;          /* how many calls from there on; 0 means one */
    akidb_store_op hit; /* the operation that it was */
} faults;

static akidb_fault decide(void *context, akidb_store_op op, const char *key)
{
    (void)key;
    faults *f = context;
    int call = f->calls++, times = f->times == 0 ? 1 : f->times;
    if (f->at < 0 || call < f->at || call >= f->at + times)
        return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
    f->hit = op;
    return f->fault;
}

/* Parts that were left must be invisible, and gc must find them. */
static void assert_nothing_is_visible(akidb_store *store)
{
    akidb_error err;
    akidb_snapshotter *plain = open_small(store, AKIDB_FORMAT_PARQUET);
    akidb_snapshot_list list;
    assert_ok(err, akidb_snapshot_list_all(plain, &collection, &list, &err));
    assert_int_equal(list.count, 0);
    akidb_snapshot_list_free(&list);
    akidb_snapshotter_close(plain);
}

static void check_create_with_faults(akidb_snapshot_format format, akidb_fault fault)
{
    akidb_documents *documents = test_documents(4, 20, 3);
    akidb_batch batch = akidb_documents_batch(documents);
    bool went_through = false;
    for (int at = 0; !went_through; at++) {
        akidb_error err;
        faults f = {.at = at, .fault = fault};
        akidb_store *inner = test_store(), *store;
        assert_ok(err, akidb_store_fault_open(inner, decide, &f, &store, &err));
        akidb_snapshotter *snapshotter = open_small(store, format);
        akidb_uuid id;
        akidb_status status =
            akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, NULL, &err);
        went_through = f.calls <= at;
        f.at = -1;
        if (status == AKIDB_OK) {
            /* Also when an answer was lost: the writer has recognised its own objects. */
            assert_restores(snapshotter, &collection, &id, documents);
            assert_verifies(snapshotter, &collection, &id, AKIDB_VERIFY_GOOD);
        } else {
            assert_int_equal(fault.effect, AKIDB_FAULT_BEFORE);
            assert_nothing_is_visible(inner);
            assert_int_equal(test_count_objects(inner), 0);
        }
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
        akidb_store_close(inner);
    }
    akidb_documents_free(documents);
}

static void a_create_that_fails_at_any_call_leaves_nothing(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        check_create_with_faults(formats[f], (akidb_fault){AKIDB_FAULT_BEFORE, AKIDB_E_IO});
        check_create_with_faults(formats[f], (akidb_fault){AKIDB_FAULT_BEFORE, AKIDB_E_STORE});
    }
}

static void a_lost_answer_at_any_call_is_looked_up(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++)
        check_create_with_faults(formats[f], (akidb_fault){AKIDB_FAULT_AFTER, AKIDB_OK});
}

/* From the metadata's put on, nothing answers any more. */
typedef struct outage {
    bool begun;
    akidb_fault_effect effect; /* of the put */
    akidb_status status;
    const char *ending; /* of the key that is put */
} outage;

static akidb_fault fail_from_put(void *context, akidb_store_op op, const char *key)
{
    outage *o = context;
    if (op == AKIDB_STORE_PUT && strstr(key, o->ending) != NULL && !o->begun) {
        o->begun = true;
        return (akidb_fault){o->effect, o->status};
    }
    return o->begun ? (akidb_fault){AKIDB_FAULT_BEFORE, AKIDB_E_STORE}
                    : (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
}

static void a_commit_that_nobody_can_look_up_is_uncertain(void **state)
{
    (void)state;
    static const akidb_fault_effect effects[] = {AKIDB_FAULT_AFTER, AKIDB_FAULT_BEFORE,
                                                 AKIDB_FAULT_BEFORE};
    static const akidb_status statuses[] = {AKIDB_OK, AKIDB_E_TIMEOUT, AKIDB_E_CANCELLED};
    for (int i = 0; i < 3; i++) {
        akidb_error err;
        outage o = {.effect = effects[i], .status = statuses[i], .ending = ".metadata.json"};
        akidb_store *inner = test_store(), *store;
        assert_ok(err, akidb_store_fault_open(inner, fail_from_put, &o, &store, &err));
        akidb_snapshotter *snapshotter = open_small(store, AKIDB_FORMAT_PARQUET);
        akidb_documents *documents = test_documents(4, 20, 3);
        akidb_batch batch = akidb_documents_batch(documents);
        akidb_uuid id;
        assert_status(AKIDB_E_UNCERTAIN, akidb_snapshot_create(snapshotter, &collection, &batch,
                                                               NULL, &id, NULL, &err));
        /* On doubt nothing is cleaned up: three parts, and the metadata if it got through. */
        assert_int_equal(test_count_objects(inner), effects[i] == AKIDB_FAULT_AFTER ? 4 : 3);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
        akidb_store_close(inner);
    }
}

/* The answer to the commit is lost, and what is read back differs by a bit. */
static akidb_fault answer_with_another(void *context, akidb_store_op op, const char *key)
{
    (void)context;
    bool metadata = strstr(key, ".metadata.json") != NULL;
    if (metadata && op == AKIDB_STORE_PUT)
        return (akidb_fault){AKIDB_FAULT_AFTER, AKIDB_OK};
    return (akidb_fault){metadata && op == AKIDB_STORE_GET ? AKIDB_FAULT_FLIP : AKIDB_FAULT_NONE,
                         AKIDB_OK};
}

/* The put is refused, and whether the metadata is there all the same cannot be asked. */
static akidb_fault refuse_and_fall_silent(void *context, akidb_store_op op, const char *key)
{
    (void)context;
    bool silent =
        strstr(key, ".metadata.json") != NULL && (op == AKIDB_STORE_PUT || op == AKIDB_STORE_GET);
    return (akidb_fault){silent ? AKIDB_FAULT_BEFORE : AKIDB_FAULT_NONE, AKIDB_E_IO};
}

static void a_commit_that_finds_other_metadata_or_no_answer_removes_nothing(void **state)
{
    (void)state;
    static const struct {
        akidb_fault (*decide)(void *context, akidb_store_op op, const char *key);
        akidb_status status;
        size_t objects; /* three parts, and the metadata if it got through */
    } cases[] = {{answer_with_another, AKIDB_E_ALREADY_EXISTS, 4},
                 {refuse_and_fall_silent, AKIDB_E_IO, 3}};
    for (int i = 0; i < 2; i++) {
        akidb_error err;
        akidb_store *inner = test_store(), *store;
        assert_ok(err, akidb_store_fault_open(inner, cases[i].decide, NULL, &store, &err));
        akidb_snapshotter *snapshotter = open_small(store, AKIDB_FORMAT_PARQUET);
        akidb_documents *documents = test_documents(4, 20, 3);
        akidb_batch batch = akidb_documents_batch(documents);
        akidb_uuid id;
        assert_status(cases[i].status, akidb_snapshot_create(snapshotter, &collection, &batch, NULL,
                                                             &id, NULL, &err));
        assert_int_equal(test_count_objects(inner), cases[i].objects);
        akidb_documents_free(documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
        akidb_store_close(inner);
    }
}

static void a_lost_answer_about_a_part_leaves_no_doubt_about_the_snapshot(void **state)
{
    (void)state;
    akidb_error err;
    outage o = {.effect = AKIDB_FAULT_AFTER, .ending = "part-00001.parquet"};
    akidb_store *inner = test_store(), *store;
    assert_ok(err, akidb_store_fault_open(inner, fail_from_put, &o, &store, &err));
    akidb_snapshotter *snapshotter = open_small(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(4, 20, 3);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_uuid id;
    assert_status(AKIDB_E_STORE,
                  akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, NULL, &err));
    assert_int_equal(err.status, AKIDB_E_STORE);
    assert_nothing_is_visible(inner);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    akidb_store_close(inner);
}

/* The answer to the first put of a part is lost, and no further put of it goes through. */
static akidb_fault lose_then_refuse(void *context, akidb_store_op op, const char *key)
{
    int *puts = context;
    if (op != AKIDB_STORE_PUT || strstr(key, "part-00001.parquet") == NULL)
        return (akidb_fault){AKIDB_FAULT_NONE, AKIDB_OK};
    return ++*puts == 1 ? (akidb_fault){AKIDB_FAULT_AFTER, AKIDB_OK}
                        : (akidb_fault){AKIDB_FAULT_BEFORE, AKIDB_E_IO};
}

static void a_part_that_can_be_seen_is_not_taken_to_last(void **state)
{
    (void)state;
    akidb_error err;
    int puts = 0;
    akidb_store *inner = test_store(), *store;
    assert_ok(err, akidb_store_fault_open(inner, lose_then_refuse, &puts, &store, &err));
    akidb_snapshotter *snapshotter = open_small(store, AKIDB_FORMAT_PARQUET);
    akidb_documents *documents = test_documents(4, 20, 3);
    akidb_batch batch = akidb_documents_batch(documents);
    akidb_uuid id;
    assert_status(AKIDB_E_STORE,
                  akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, NULL, &err));
    assert_int_equal(test_count_objects(inner), 0);
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    akidb_store_close(inner);
}

/* A disk that syncs nothing from some call on still shows what was written: seeing it is no proof
 * that it lasts. */
static void what_could_not_be_synced_is_never_acknowledged(void **state)
{
    (void)state;
    akidb_documents *documents = test_documents(4, 20, 3);
    akidb_batch batch = akidb_documents_batch(documents);
    size_t uncertain = 0;
    bool went_through = false;
    for (uint64_t nth = 0; !went_through; nth++) {
        akidb_error err;
        char folder[TEST_FOLDER_SIZE];
        fault_files disk;
        akidb_store *store;
        akidb_uuid id;
        assert_true(test_folder_make(folder));
        fault_files_init(&disk, akidb_files_system());
        assert_ok(err, akidb_store_local_open_with(folder, &disk.files, &store, &err));
        akidb_snapshotter *snapshotter = open_small(store, AKIDB_FORMAT_PARQUET);
        fault_files_fail(&disk, 1u << CALL_SYNC_FOLDER | 1u << CALL_SYNC_FILE, nth, EIO);
        disk.from_then_on = true;
        akidb_status status =
            akidb_snapshot_create(snapshotter, &collection, &batch, NULL, &id, NULL, &err);
        went_through = disk.failed == CALL_COUNT;
        fault_files_heal(&disk);
        assert_int_equal(status == AKIDB_OK, went_through);
        uncertain += status == AKIDB_E_UNCERTAIN;
        if (!went_through && status != AKIDB_E_UNCERTAIN)
            assert_nothing_is_visible(store);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
        test_folder_remove(folder);
    }
    assert_int_equal(uncertain, 1); /* the last sync of all: the name of the metadata */
    akidb_documents_free(documents);
}

/* Ranges that are spoiled once are read again; those that stay spoiled are corruption. JSON is not
 * read again. */
static void check_reads_with_faults(akidb_snapshot_format format, akidb_fault fault, int times)
{
    akidb_error err;
    faults f = {.at = -1, .times = times, .fault = fault};
    bool mends = times == 1 && fault.effect != AKIDB_FAULT_BEFORE && format == AKIDB_FORMAT_PARQUET;
    akidb_store *inner = test_store(), *store;
    assert_ok(err, akidb_store_fault_open(inner, decide, &f, &store, &err));
    akidb_snapshotter *snapshotter = open_small(store, format);
    akidb_documents *documents = test_documents(4, 20, 3);
    akidb_uuid id = test_create(snapshotter, &collection, documents);
    bool went_through = false;
    for (int at = 0; !went_through; at++) {
        f.calls = 0;
        f.at = at;
        akidb_documents *restored;
        akidb_status status =
            akidb_snapshot_restore(snapshotter, &collection, &id, NULL, &restored, &err);
        went_through = f.calls <= at;
        if (status == AKIDB_OK) {
            assert_true(went_through || (mends && f.hit == AKIDB_STORE_GET_RANGE));
            assert_same_documents(documents, restored);
            akidb_documents_free(restored);
        } else if (fault.effect == AKIDB_FAULT_BEFORE) {
            assert_int_equal(status, fault.status);
        } else {
            assert_false(mends && f.hit == AKIDB_STORE_GET_RANGE);
            assert_int_equal(status, AKIDB_E_CORRUPTION);
        }
    }
    went_through = false;
    for (int at = 0; !went_through; at++) {
        f.calls = 0;
        f.at = at;
        akidb_verify_report report;
        assert_ok(err, akidb_snapshot_verify(snapshotter, &collection, &id, AKIDB_VERIFY_DECODE,
                                             &report, &err));
        went_through = f.calls <= at;
        if (went_through)
            assert_int_equal(report.outcome, AKIDB_VERIFY_GOOD);
        else if (fault.effect == AKIDB_FAULT_BEFORE)
            assert_int_equal(report.outcome, AKIDB_VERIFY_UNREACHABLE);
        else if (mends && f.hit == AKIDB_STORE_GET_RANGE)
            assert_int_equal(report.outcome, AKIDB_VERIFY_GOOD);
        else if (f.hit == AKIDB_STORE_GET || f.hit == AKIDB_STORE_GET_RANGE)
            assert_int_equal(report.outcome, AKIDB_VERIFY_CORRUPT);
    }
    akidb_documents_free(documents);
    akidb_snapshotter_close(snapshotter);
    akidb_store_close(store);
    akidb_store_close(inner);
}

static void reads_that_fail_at_any_call_say_so(void **state)
{
    (void)state;
    for (int f = 0; f < FORMATS; f++) {
        check_reads_with_faults(formats[f], (akidb_fault){AKIDB_FAULT_BEFORE, AKIDB_E_STORE}, 1);
        const int times[] = {1, 1000000};
        for (size_t i = 0; i < 2; i++) {
            check_reads_with_faults(formats[f], (akidb_fault){AKIDB_FAULT_FLIP, AKIDB_OK},
                                    times[i]);
            check_reads_with_faults(formats[f], (akidb_fault){AKIDB_FAULT_SHORT, AKIDB_OK},
                                    times[i]);
        }
    }
}

static void a_delete_that_fails_at_any_call_leaves_all_or_nothing_visible(void **state)
{
    (void)state;
    akidb_documents *documents = test_documents(4, 20, 3);
    bool went_through = false;
    for (int at = 0; !went_through; at++) {
        akidb_error err;
        faults f = {.at = -1, .fault = {AKIDB_FAULT_BEFORE, AKIDB_E_IO}};
        akidb_store *inner = test_store(), *store;
        assert_ok(err, akidb_store_fault_open(inner, decide, &f, &store, &err));
        akidb_snapshotter *snapshotter = open_small(store, AKIDB_FORMAT_PARQUET);
        akidb_uuid id = test_create(snapshotter, &collection, documents);
        f.calls = 0;
        f.at = at;
        akidb_status status = akidb_snapshot_delete(snapshotter, &collection, &id, &err);
        went_through = f.calls <= at;
        f.at = -1;
        if (status == AKIDB_OK)
            assert_nothing_is_visible(inner);
        else
            assert_restores(snapshotter, &collection, &id, documents);
        akidb_snapshotter_close(snapshotter);
        akidb_store_close(store);
        akidb_store_close(inner);
    }
    akidb_documents_free(documents);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_byte_is_corruption),
        cmocka_unit_test(every_cut_is_corruption),
        cmocka_unit_test(a_missing_part_is_missing_not_corrupt),
        cmocka_unit_test(of_a_missing_and_a_corrupt_part_the_corrupt_one_counts),
        cmocka_unit_test(checksums_that_contradict_each_other_are_corruption),
        cmocka_unit_test(a_snapshot_deleted_while_it_is_read_is_not_found),
        cmocka_unit_test(a_create_that_fails_at_any_call_leaves_nothing),
        cmocka_unit_test(a_lost_answer_at_any_call_is_looked_up),
        cmocka_unit_test(a_commit_that_nobody_can_look_up_is_uncertain),
        cmocka_unit_test(a_commit_that_finds_other_metadata_or_no_answer_removes_nothing),
        cmocka_unit_test(a_lost_answer_about_a_part_leaves_no_doubt_about_the_snapshot),
        cmocka_unit_test(a_part_that_can_be_seen_is_not_taken_to_last),
        cmocka_unit_test(what_could_not_be_synced_is_never_acknowledged),
        cmocka_unit_test(reads_that_fail_at_any_call_say_so),
        cmocka_unit_test(a_delete_that_fails_at_any_call_leaves_all_or_nothing_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
