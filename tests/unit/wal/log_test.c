/* Appending to a log and reading it back, on a disk that works. */
#include <errno.h>
#include <unistd.h>

#include "fault_files.h"
#include "simulated_disk.h"
#include "wal_model.h"

static const char folder[] = "/a/b/log";

typedef struct bench {
    simulated_disk *disk;
    wal_model *model;
    ak_wal_options options;
    ak_wal *wal;
    ak_wal_report report;
} bench;

static void bench_open(bench *b)
{
    akidb_error err = {0};
    wal_model_start(b->model);
    assert_ok(err, ak_wal_open(&b->options, wal_model_visit, b->model, &b->wal, &b->report, &err));
    const char *wrong = wal_model_finish(b->model, &b->report);
    if (wrong != NULL)
        fail_msg("%s", wrong);
}

static bench bench_new(void)
{
    bench b = {.disk = simulated_disk_new(), .model = calloc(1, sizeof(wal_model))};
    assert_non_null(b.disk);
    assert_non_null(b.model);
    b.options = (ak_wal_options){
        .files = simulated_disk_files(b.disk), .folder = folder, .segment_bytes = 64 << 10};
    bench_open(&b);
    return b;
}

static void bench_close(bench *b)
{
    akidb_error err = {0};
    assert_ok(err, ak_wal_close(b->wal, &err));
    b->wal = NULL;
}

static void bench_free(bench *b)
{
    bench_close(b);
    simulated_disk_free(b->disk);
    free(b->model);
}

static void append(bench *b, int count, uint32_t size)
{
    akidb_error err = {0};
    for (int i = 0; i < count; i++) {
        uint64_t lsn;
        assert_ok(err, wal_model_begin(b->model, b->wal, b->model->begun + 3, size, &lsn, &err));
        assert_ok(err, ak_wal_wait(b->wal, lsn, &err));
        b->model->acknowledged = lsn;
    }
}

static ak_wal_statistics statistics(const bench *b)
{
    ak_wal_statistics s;
    ak_wal_get_statistics(b->wal, &s);
    return s;
}

static bool exists(bench *b, const char *name)
{
    char path[128];
    uint64_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return simulated_disk_bytes(b->disk, path, &size) != NULL;
}

static void entries_of_every_size_come_back_whole(void **state)
{
    (void)state;
    /* Around the paddings, the room of a segment (65,536 - 64 - 32 - 56 = 65,384), and beyond. */
    static const uint32_t sizes[] = {0,     1,     7,     8,      9,      500,    4096, 65383,
                                     65384, 65385, 65392, 130768, 130769, 300000, 3};
    bench b = bench_new();
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            append(&b, 1, sizes[i]);
        bench_close(&b);
        bench_open(&b);
    }
    assert_int_equal(b.report.entries, 2 * sizeof sizes / sizeof sizes[0]);
    assert_int_equal(b.report.first_lsn, 1);
    assert_false(b.report.torn);
    bench_free(&b);
}

static void an_entry_of_many_megabytes_is_cut_into_records(void **state)
{
    (void)state;
    bench b = bench_new();
    bench_close(&b);
    b.options.segment_bytes = 5 << 20;
    bench_open(&b);
    append(&b, 2, 20 << 20);
    append(&b, 1, 10);
    bench_close(&b);
    bench_open(&b);
    assert_int_equal(b.report.entries, 3);
    bench_free(&b);
}

static void a_log_goes_on_in_the_segment_where_it_ended(void **state)
{
    (void)state;
    bench b = bench_new();
    for (int i = 0; i < 5; i++) {
        append(&b, 3, 100);
        bench_close(&b);
        bench_open(&b);
    }
    assert_int_equal(b.report.segments, 1);
    assert_int_equal(b.report.bytes, 64 + 15 * (32 + 104));
    assert_int_equal(statistics(&b).last_lsn, 15);
    assert_int_equal(statistics(&b).durable_lsn, 15);
    bench_free(&b);
}

static void segments_before_an_lsn_are_removed_and_the_last_stays(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 200, 2000);
    uint64_t segments = statistics(&b).segments;
    assert_true(segments > 5);
    akidb_error err = {0};
    assert_ok(err, ak_wal_remove_before(b.wal, 1, &err));
    assert_int_equal(statistics(&b).segments, segments);
    assert_ok(err, ak_wal_remove_before(b.wal, 100, &err));
    assert_true(statistics(&b).segments < segments - 2);
    assert_false(exists(&b, "00000000000000000001.wal"));
    b.model->removed_before = 100;
    bench_close(&b);
    bench_open(&b);
    assert_true(b.report.first_lsn > 1 && b.report.first_lsn <= 100);
    assert_ok(err, ak_wal_remove_before(b.wal, UINT64_MAX, &err));
    assert_int_equal(statistics(&b).segments, 1);
    b.model->removed_before = 201;
    append(&b, 1, 10);
    bench_close(&b);
    bench_open(&b);
    assert_int_equal(b.report.last_lsn, 201);
    bench_free(&b);
}

/* The front of a long entry goes with its segments; the rest of it is passed over. */
static void an_entry_whose_front_was_removed_is_passed_over(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 1, 200000); /* ends in segment 4 */
    append(&b, 3, 100);
    akidb_error err = {0};
    assert_ok(err, ak_wal_remove_before(b.wal, 2, &err));
    assert_int_equal(statistics(&b).segments, 1);
    b.model->removed_before = 2;
    bench_close(&b);
    bench_open(&b);
    assert_int_equal(b.report.entries, 3);
    assert_int_equal(b.report.first_lsn, 2);
    bench_free(&b);
}

static void the_limit_refuses_entries_but_not_checkpoints(void **state)
{
    (void)state;
    bench b = bench_new();
    bench_close(&b);
    b.options.max_bytes = 150000;
    bench_open(&b);
    append(&b, 70, 2000);
    akidb_error err = {0};
    uint64_t lsn;
    uint8_t bytes[20000] = {0};
    akidb_slice slice = {bytes, sizeof bytes};
    assert_status(AKIDB_E_LIMIT, ak_wal_append(b.wal, AK_WAL_UPSERT, &slice, 1, &lsn, &err));
    assert_int_equal(lsn, 0);
    slice.size = 10;
    assert_ok(err, ak_wal_append(b.wal, AK_WAL_CHECKPOINT, &slice, 1, &lsn, &err));
    assert_int_equal(lsn, 71); /* what was refused got no LSN */
    assert_ok(err, ak_wal_remove_before(b.wal, 71, &err));
    slice.size = sizeof bytes;
    assert_ok(err, ak_wal_append(b.wal, AK_WAL_UPSERT, &slice, 1, &lsn, &err));
    bench_free(&b);
}

/* While a write is under way, another thread's sync of the folder fails: here from within the
 * write, so that the order is sure. */
static ak_wal *meanwhile;
static const akidb_files_ops *real;
static akidb_status meanwhile_status;

static int fail_to_sync(void *handle, akidb_folder at)
{
    (void)handle;
    (void)at;
    return EIO;
}

static int write_and_fail(void *handle, akidb_file file, uint64_t offset, const akidb_slice *slices,
                          size_t count)
{
    int error_number = real->write_at(handle, file, offset, slices, count);
    ak_wal *wal = meanwhile;
    meanwhile = NULL;
    if (wal != NULL)
        meanwhile_status = ak_wal_remove_before(wal, 90, NULL);
    return error_number;
}

static void what_is_written_while_the_log_fails_is_not_promised(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 100, 2000);
    bench_close(&b);
    const akidb_files *files = b.options.files;
    real = files->ops;
    akidb_files_ops ops = *real;
    ops.write_at = write_and_fail;
    akidb_files failing = {.ops = &ops, .handle = files->handle};
    b.options.files = &failing;
    b.options.durability = AK_WAL_BY_CALL;
    bench_open(&b);
    ops.sync_folder = fail_to_sync;
    akidb_error err = {0};
    uint64_t lsn;
    uint8_t bytes[10] = {0};
    akidb_slice slice = {bytes, sizeof bytes};
    meanwhile = b.wal;
    assert_status(AKIDB_E_IO, ak_wal_append(b.wal, AK_WAL_UPSERT, &slice, 1, &lsn, &err));
    assert_int_equal(meanwhile_status, AKIDB_E_IO);
    assert_true(statistics(&b).failed);
    assert_status(AKIDB_E_IO, ak_wal_close(b.wal, &err));
    b.wal = NULL;
    b.options.files = files;
    bench_free(&b);
}

static void a_full_disk_refuses_an_entry_and_the_log_goes_on(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 20, 2000);
    simulated_disk_set_room(b.disk, 100000);
    akidb_error err = {0};
    uint64_t lsn;
    assert_status(AKIDB_E_IO, wal_model_begin(b.model, b.wal, 1, 100000, &lsn, &err));
    assert_non_null(strstr(err.message, "No space left"));
    assert_false(statistics(&b).failed);
    append(&b, 5, 2000); /* fits the segment that is there */
    simulated_disk_set_room(b.disk, UINT64_MAX);
    append(&b, 2, 100000);
    assert_false(exists(&b, "spare-1.tmp"));
    bench_close(&b);
    bench_open(&b);
    assert_int_equal(b.report.entries, 27);
    bench_free(&b);
}

/* Where nothing can be allocated in advance, the log works all the same. */
static void a_file_system_without_allocation_will_do(void **state)
{
    (void)state;
    bench b = bench_new();
    bench_close(&b);
    fault_files faults;
    fault_files_init(&faults, simulated_disk_files(b.disk));
    faults.from_then_on = true;
    fault_files_fail(&faults, 1u << CALL_ALLOCATE, 0, EOPNOTSUPP);
    b.options.files = &faults.files;
    bench_open(&b);
    append(&b, 100, 2000);
    assert_true(faults.seen > 1);
    bench_close(&b);
    bench_open(&b);
    assert_int_equal(b.report.entries, 100);
    bench_free(&b);
}

static void a_log_is_open_once(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 3, 10);
    akidb_error err = {0};
    ak_wal *second;
    assert_status(AKIDB_E_PRECONDITION, ak_wal_open(&b.options, NULL, NULL, &second, NULL, &err));
    assert_null(second);
    bench_free(&b);
}

static void a_read_only_log_is_replayed_and_not_touched(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 3, 10);
    bench_close(&b);
    b.options.read_only = true;
    uint64_t changes = simulated_disk_changes(b.disk);
    bench_open(&b);
    assert_int_equal(b.report.entries, 3);
    uint64_t lsn;
    assert_status(AKIDB_E_PRECONDITION, ak_wal_append(b.wal, AK_WAL_DROP, NULL, 0, &lsn, NULL));
    assert_status(AKIDB_E_PRECONDITION, ak_wal_remove_before(b.wal, 2, NULL));
    bench_close(&b);
    assert_int_equal(simulated_disk_changes(b.disk), changes);
    b.options.folder = "/nowhere";
    akidb_error err = {0};
    assert_status(AKIDB_E_NOT_FOUND, ak_wal_open(&b.options, NULL, NULL, &b.wal, NULL, &err));
    simulated_disk_free(b.disk);
    free(b.model);
}

/* ---- what each durability promises ----------------------------------------------------------- */

static void by_call_syncs_when_it_is_told(void **state)
{
    (void)state;
    bench b = bench_new();
    bench_close(&b);
    b.options.durability = AK_WAL_BY_CALL;
    bench_open(&b);
    append(&b, 10, 100);
    assert_int_equal(statistics(&b).durable_lsn, 0);
    assert_int_equal(statistics(&b).syncs, 0);
    akidb_error err = {0};
    assert_ok(err, ak_wal_sync(b.wal, &err));
    assert_int_equal(statistics(&b).durable_lsn, 10);
    assert_int_equal(statistics(&b).syncs, 1);
    bench_free(&b);
}

static void the_interval_syncs_by_itself(void **state)
{
    (void)state;
    bench b = bench_new();
    bench_close(&b);
    b.options.durability = AK_WAL_INTERVAL;
    b.options.interval_ms = 1;
    bench_open(&b);
    append(&b, 10, 100);
    for (int i = 0; i < 20000 && statistics(&b).durable_lsn < 10; i++)
        usleep(1000);
    assert_int_equal(statistics(&b).durable_lsn, 10);
    bench_free(&b);
}

static void entries_begun_together_share_a_sync(void **state)
{
    (void)state;
    bench b = bench_new();
    akidb_error err = {0};
    uint64_t lsn;
    for (int i = 0; i < 50; i++)
        assert_ok(err, wal_model_begin(b.model, b.wal, (uint64_t)i, 100, &lsn, &err));
    assert_ok(err, ak_wal_wait(b.wal, lsn, &err));
    assert_int_equal(statistics(&b).syncs, 1);
    assert_int_equal(statistics(&b).entries, 50);
    assert_int_equal(statistics(&b).durable_lsn, 50);
    bench_free(&b);
}

/* Begun and never waited for: bounded memory, and on the disk after the close. */
static void entries_that_nobody_waits_for_are_written_too(void **state)
{
    (void)state;
    bench b = bench_new();
    akidb_error err = {0};
    uint64_t lsn;
    for (int i = 0; i < 40; i++)
        assert_ok(err, wal_model_begin(b.model, b.wal, (uint64_t)i, 1 << 20, &lsn, &err));
    assert_true(statistics(&b).durable_lsn > 0); /* the batch had become too big */
    bench_close(&b);
    b.model->acknowledged = lsn;
    bench_open(&b);
    assert_int_equal(b.report.entries, 40);
    bench_free(&b);
}

static void impossible_calls_are_refused(void **state)
{
    (void)state;
    bench b = bench_new();
    uint64_t lsn;
    assert_status(AKIDB_E_VALIDATION, ak_wal_append(b.wal, AK_WAL_SEAL, NULL, 0, &lsn, NULL));
    assert_status(AKIDB_E_VALIDATION, ak_wal_append(b.wal, (ak_wal_kind)0, NULL, 0, &lsn, NULL));
    assert_status(AKIDB_E_VALIDATION, ak_wal_wait(b.wal, 1, NULL));
    ak_wal_options options = b.options;
    ak_wal *wal;
    options.segment_bytes = 1000;
    assert_status(AKIDB_E_VALIDATION, ak_wal_open(&options, NULL, NULL, &wal, NULL, NULL));
    bench_free(&b);
}

/* ---- looking --------------------------------------------------------------------------------- */

typedef struct seen {
    uint64_t segments, records, seals, entries;
} seen;

static akidb_status see_segment(void *context, const ak_wal_segment_info *segment, akidb_error *err)
{
    (void)err;
    seen *s = context;
    s->segments++;
    assert_int_equal(segment->number, s->segments);
    assert_int_equal(segment->bytes, 64 << 10);
    assert_false(segment->rewritten);
    return AKIDB_OK;
}

static akidb_status see_record(void *context, const ak_wal_record_info *record, akidb_error *err)
{
    (void)err;
    seen *s = context;
    s->records++;
    s->seals += record->kind == AK_WAL_SEAL;
    s->entries += record->first;
    assert_int_equal(record->segment, s->segments);
    return AKIDB_OK;
}

static void a_check_tells_of_every_segment_and_record(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 50, 1000);
    append(&b, 1, 150000);
    seen s = {0};
    ak_wal_check_visitor visitor = {see_segment, see_record, &s};
    ak_wal_report report;
    akidb_error err = {0};
    assert_ok(err, ak_wal_check(&b.options, &visitor, &report, &err)); /* the log being open */
    assert_int_equal(s.segments, 4);
    assert_int_equal(s.seals, 3);
    assert_int_equal(s.entries, 51);
    assert_int_equal(s.records, 50 + 3 + 3);
    assert_int_equal(report.entries, 51);
    bench_free(&b);
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* Of each kind of call the nth fails, once or from then on: whatever was acknowledged is there when
 * the disk works again, and the log takes nothing after a failed write or sync. */
static void fail_nth(uint64_t nth, int error_number, bool half, bool from_then_on, bool *reached)
{
    bench b = {.disk = simulated_disk_new(), .model = calloc(1, sizeof(wal_model))};
    assert_non_null(b.disk);
    assert_non_null(b.model);
    fault_files faults;
    fault_files_init(&faults, simulated_disk_files(b.disk));
    faults.half_write = half;
    faults.from_then_on = from_then_on;
    fault_files_fail(&faults, ALL_CALLS, nth, error_number);
    b.options =
        (ak_wal_options){.files = &faults.files, .folder = folder, .segment_bytes = 64 << 10};
    akidb_error err = {0};
    akidb_status status = ak_wal_open(&b.options, NULL, NULL, &b.wal, NULL, &err);
    for (int i = 0; i < 12 && status == AKIDB_OK; i++) {
        uint64_t lsn;
        bool failed = statistics(&b).failed;
        akidb_status append_status =
            wal_model_begin(b.model, b.wal, (uint64_t)i, 17000, &lsn, &err);
        if (append_status == AKIDB_OK)
            append_status = ak_wal_wait(b.wal, lsn, &err);
        if (append_status == AKIDB_OK)
            b.model->acknowledged = lsn;
        else
            assert_int_equal(append_status, AKIDB_E_IO);
        assert_false(failed && append_status == AKIDB_OK);
        if (i == 8 && !statistics(&b).failed &&
            ak_wal_remove_before(b.wal, b.model->acknowledged, NULL) == AKIDB_OK)
            b.model->removed_before = b.model->acknowledged;
    }
    if (status == AKIDB_OK)
        (void)ak_wal_close(b.wal, &err);
    *reached = faults.failed != CALL_COUNT;
    fault_files_heal(&faults);
    if (b.model->removed_before == 0) /* a removal that failed may have removed */
        b.model->removed_before = b.model->acknowledged;
    simulated_disk_process_gone(b.disk);
    bench_open(&b);
    append(&b, 3, 100);
    bench_close(&b);
    bench_open(&b);
    bench_free(&b);
}

static void every_call_to_the_disk_may_fail(void **state)
{
    (void)state;
    static const int errors[] = {EIO, ENOSPC};
    for (int mode = 0; mode < 8; mode++) {
        bool reached = true;
        uint64_t nth = 0;
        for (; reached; nth++)
            fail_nth(nth, errors[mode & 1], (mode & 2) != 0, (mode & 4) != 0, &reached);
        assert_true(nth > 40);
    }
}

static void a_failed_sync_is_the_end_until_the_log_is_opened_again(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 2, 100);
    simulated_disk_fail_sync(b.disk, 0);
    akidb_error err = {0};
    uint64_t lsn;
    assert_status(AKIDB_E_IO, ak_wal_append(b.wal, AK_WAL_DROP, NULL, 0, &lsn, &err));
    assert_true(statistics(&b).failed);
    simulated_disk_fail_sync(b.disk, UINT64_MAX);
    assert_status(AKIDB_E_IO, ak_wal_append(b.wal, AK_WAL_DROP, NULL, 0, &lsn, &err));
    assert_non_null(strstr(err.message, "opened again"));
    assert_status(AKIDB_E_IO, ak_wal_sync(b.wal, &err));
    assert_status(AKIDB_E_IO, ak_wal_close(b.wal, &err));
    ak_wal_report report;
    assert_ok(err, ak_wal_open(&b.options, NULL, NULL, &b.wal, &report, &err));
    assert_true(report.entries >= 2);
    assert_ok(err, ak_wal_append(b.wal, AK_WAL_DROP, NULL, 0, &lsn, &err));
    bench_free(&b);
}

static void a_failed_read_is_never_a_torn_end(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 40, 4000);
    bench_close(&b);
    fault_files faults;
    fault_files_init(&faults, simulated_disk_files(b.disk));
    b.options.files = &faults.files;
    for (uint64_t nth = 0; nth < 6; nth++)
        for (int recovery = AK_WAL_STRICT; recovery <= AK_WAL_SALVAGE; recovery++) {
            akidb_error err = {0};
            b.options.recovery = (ak_wal_recovery)recovery;
            fault_files_fail(&faults, 1u << CALL_READ_AT, nth, EIO);
            assert_status(AKIDB_E_IO, ak_wal_open(&b.options, NULL, NULL, &b.wal, NULL, &err));
        }
    fault_files_heal(&faults);
    bench_open(&b);
    assert_int_equal(b.report.entries, 40);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_of_every_size_come_back_whole),
        cmocka_unit_test(an_entry_of_many_megabytes_is_cut_into_records),
        cmocka_unit_test(a_log_goes_on_in_the_segment_where_it_ended),
        cmocka_unit_test(segments_before_an_lsn_are_removed_and_the_last_stays),
        cmocka_unit_test(an_entry_whose_front_was_removed_is_passed_over),
        cmocka_unit_test(the_limit_refuses_entries_but_not_checkpoints),
        cmocka_unit_test(what_is_written_while_the_log_fails_is_not_promised),
        cmocka_unit_test(a_full_disk_refuses_an_entry_and_the_log_goes_on),
        cmocka_unit_test(a_file_system_without_allocation_will_do),
        cmocka_unit_test(a_log_is_open_once),
        cmocka_unit_test(a_read_only_log_is_replayed_and_not_touched),
        cmocka_unit_test(by_call_syncs_when_it_is_told),
        cmocka_unit_test(the_interval_syncs_by_itself),
        cmocka_unit_test(entries_begun_together_share_a_sync),
        cmocka_unit_test(entries_that_nobody_waits_for_are_written_too),
        cmocka_unit_test(impossible_calls_are_refused),
        cmocka_unit_test(a_check_tells_of_every_segment_and_record),
        cmocka_unit_test(every_call_to_the_disk_may_fail),
        cmocka_unit_test(a_failed_sync_is_the_end_until_the_log_is_opened_again),
        cmocka_unit_test(a_failed_read_is_never_a_torn_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
