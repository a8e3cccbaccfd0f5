/* What an open makes of a log that was damaged. */
#include "simulated_disk.h"
#include "wal_model.h"

static const char folder[] = "/log";
static const char first_segment[] = "/log/00000000000000000001.wal";
static const char second_segment[] = "/log/00000000000000000002.wal";

/* A log on a disk in memory, and what it must hold. */
typedef struct bench {
    simulated_disk *disk;
    wal_model *model;
    ak_wal_options options;
} bench;

static bench bench_new(void)
{
    bench b = {simulated_disk_new(), calloc(1, sizeof(wal_model)), {0}};
    assert_non_null(b.disk);
    assert_non_null(b.model);
    b.options = (ak_wal_options){
        .files = simulated_disk_files(b.disk), .folder = folder, .segment_bytes = 64 << 10};
    return b;
}

static void bench_free(bench *b)
{
    simulated_disk_free(b->disk);
    free(b->model);
}

/* Appends entries of `size` bytes, each acknowledged, and ends as a process that was killed. */
static void append(bench *b, int count, uint32_t size)
{
    akidb_error err = {0};
    ak_wal *wal;
    ak_wal_report report;
    wal_model_start(b->model);
    assert_ok(err, ak_wal_open(&b->options, wal_model_visit, b->model, &wal, &report, &err));
    assert_null(wal_model_finish(b->model, &report));
    for (int i = 0; i < count; i++) {
        uint64_t lsn;
        assert_ok(err, wal_model_begin(b->model, wal, b->model->begun + 17, size, &lsn, &err));
        assert_ok(err, ak_wal_wait(wal, lsn, &err));
        b->model->acknowledged = lsn;
    }
    assert_ok(err, ak_wal_close(wal, &err));
}

static akidb_status reopen(bench *b, ak_wal_recovery recovery, ak_wal_report *report,
                           akidb_error *err)
{
    ak_wal *wal;
    b->options.recovery = recovery;
    wal_model_start(b->model);
    akidb_status status = ak_wal_open(&b->options, wal_model_visit, b->model, &wal, report, err);
    b->options.recovery = AK_WAL_STRICT;
    if (status == AKIDB_OK)
        assert_ok(*err, ak_wal_close(wal, err));
    return status;
}

static uint8_t *segment(bench *b, const char *path, uint64_t *size_out)
{
    uint8_t *bytes = simulated_disk_bytes(b->disk, path, size_out);
    assert_non_null(bytes);
    return bytes;
}

/* ---- single bytes ---------------------------------------------------------------------------- */

/* A disk with a log of one segment of these bytes. */
static bench bench_of(const bench *b, const uint8_t *bytes, uint64_t size)
{
    bench copy = bench_new();
    *copy.model = *b->model;
    const akidb_files *files = copy.options.files;
    akidb_folder root;
    assert_int_equal(files->ops->open_root(files->handle, "/", &root), 0);
    assert_int_equal(files->ops->make_folder(files->handle, root, folder + 1), 0);
    assert_true(simulated_disk_put(copy.disk, first_segment, bytes, (size_t)size));
    return copy;
}

/* The log was refused: seven of its eight entries at least can be salvaged, and then it is in order
 * again. Only a lone segment whose head is damaged cannot, since nothing else has the log's id. */
static void check_salvage(bench *b, uint64_t at)
{
    ak_wal_report report;
    akidb_error err = {0};
    b->model->may_skip = true;
    akidb_status status = reopen(b, AK_WAL_SALVAGE, &report, &err);
    if (at < 64) {
        assert_int_equal(status, AKIDB_E_CORRUPTION);
        return;
    }
    assert_ok(err, status);
    assert_null(b->model->wrong);
    assert_true(report.entries >= 7);
    assert_true(report.dropped_bytes > 0);
    if (report.entries == 7)
        assert_int_equal(report.dropped_entries, 1);
    ak_wal_report again;
    assert_ok(err, reopen(b, AK_WAL_STRICT, &again, &err));
    assert_int_equal(again.entries, report.entries);
    assert_int_equal(again.dropped_bytes, 0);
}

/* True when the log was refused. */
static bool check_flipped(const bench *b, const uint8_t *bytes, uint64_t size, uint64_t at)
{
    bench flipped = bench_of(b, bytes, size);
    ak_wal_report report;
    akidb_error err = {0};
    akidb_status status = reopen(&flipped, AK_WAL_STRICT, &report, &err);
    assert_null(flipped.model->wrong);
    if (status == AKIDB_OK) {
        if (report.last_lsn != 8)
            fail_msg("byte %llu: only %llu entries", (unsigned long long)at,
                     (unsigned long long)report.last_lsn);
    } else {
        assert_int_equal(status, AKIDB_E_CORRUPTION);
        assert_non_null(strstr(err.message, "00000000000000000001.wal"));
        if (at % 4 == 0)
            check_salvage(&flipped, at);
    }
    bench_free(&flipped);
    return status != AKIDB_OK;
}

static void a_flipped_bit_never_costs_an_acknowledged_entry_silently(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 6, 40);
    append(&b, 2, 700);
    uint64_t size;
    const uint8_t *original = segment(&b, first_segment, &size);
    uint8_t *bytes = malloc((size_t)size);
    assert_non_null(bytes);
    memcpy(bytes, original, (size_t)size);
    uint64_t used = size;
    while (bytes[used - 1] == 0)
        used--;
    uint64_t refused = 0;
    for (uint64_t at = 0; at < used + 64; at++)
        for (int bit = at < 136 ? 0 : (int)(at % 8); bit < 8; bit += at < 136 ? 1 : 8) {
            bytes[at] ^= (uint8_t)(1 << bit);
            refused += check_flipped(&b, bytes, size, at);
            bytes[at] ^= (uint8_t)(1 << bit);
        }
    assert_true(refused >= used);
    free(bytes);
    bench_free(&b);
}

/* ---- which end is torn ----------------------------------------------------------------------- */

static void a_last_record_that_lost_a_sector_is_cut_off_and_kept(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 3, 2000);
    uint64_t size;
    uint8_t *bytes = segment(&b, first_segment, &size);
    memset(bytes + 5120, 0, 512); /* in the third entry */
    ak_wal_report report;
    akidb_error err = {0};
    b.options.read_only = true;
    assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_true(report.torn);
    assert_string_equal(report.torn_copy, "");
    b.options.read_only = false;
    assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_null(b.model->wrong);
    assert_int_equal(report.last_lsn, 2);
    assert_true(report.torn);
    assert_string_equal(report.torn_segment, "00000000000000000001.wal");
    assert_int_equal(report.torn_offset, 64 + 2 * 2032);
    assert_int_equal(report.torn_bytes, 2032);
    char path[128];
    snprintf(path, sizeof path, "/log/%s", report.torn_copy);
    segment(&b, path, &size);
    assert_int_equal(size, 2032);
    segment(&b, first_segment, &size);
    assert_int_equal(size, 64 + 2 * 2032);
    segment(&b, second_segment, &size); /* never appended to what was cut */
    assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_false(report.torn);
    assert_int_equal(report.last_lsn, 2);
    assert_int_equal(report.segments, 2);
    bench_free(&b);
}

static void a_lost_sector_before_acknowledged_entries_is_damage(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 3, 2000);
    uint64_t size;
    uint8_t *bytes = segment(&b, first_segment, &size);
    memset(bytes + 1024, 0, 512); /* in the first entry */
    ak_wal_report report;
    akidb_error err = {0};
    assert_status(AKIDB_E_CORRUPTION, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_int_equal(err.offset, 64);
    assert_non_null(strstr(err.message, "segment 1"));
    bench_free(&b);
}

static void up_to_drops_everything_from_the_damage_on(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 60, 2000); /* two segments */
    uint64_t size;
    uint8_t *bytes = segment(&b, first_segment, &size);
    bytes[64 + 10 * 2032 + 100] ^= 1;
    ak_wal_report report;
    akidb_error err = {0};
    assert_ok(err, reopen(&b, AK_WAL_UP_TO, &report, &err));
    assert_null(b.model->wrong);
    assert_int_equal(report.last_lsn, 10);
    assert_int_equal(report.dropped_entries, 50);
    assert_string_equal(report.dropped_from, "segment 1, offset 20384");
    assert_true(report.dropped_bytes >= 50 * 2032);
    /* What was dropped lies beside, and LSNs are not given twice. */
    segment(&b, "/log/00000000000000000001.wal.dropped", &size);
    segment(&b, "/log/00000000000000000002.wal.dropped", &size);
    ak_wal *wal;
    assert_ok(err, ak_wal_open(&b.options, NULL, NULL, &wal, &report, &err));
    assert_int_equal(report.entries, 10);
    uint64_t lsn;
    assert_ok(err, ak_wal_append(wal, AK_WAL_DELETE, NULL, 0, &lsn, &err));
    assert_int_equal(lsn, 61);
    assert_ok(err, ak_wal_close(wal, &err));
    assert_ok(err, ak_wal_open(&b.options, NULL, NULL, &wal, &report, &err));
    assert_int_equal(report.entries, 11);
    assert_int_equal(report.last_lsn, 61);
    assert_ok(err, ak_wal_close(wal, &err));
    bench_free(&b);
}

static void salvage_keeps_whole_entries_after_the_damage(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 20, 2000);
    append(&b, 2, 200000); /* each spans segments */
    append(&b, 20, 2000);
    uint64_t size;
    uint8_t *bytes = segment(&b, first_segment, &size);
    bytes[64 + 10 * 2032 + 100] ^= 1; /* entry 11 */
    bytes = segment(&b, "/log/00000000000000000003.wal", &size);
    bytes[5000] ^= 1; /* the middle of entry 21 */
    ak_wal_report report;
    akidb_error err = {0};
    assert_status(AKIDB_E_CORRUPTION, reopen(&b, AK_WAL_STRICT, &report, &err));
    b.model->may_skip = true;
    assert_ok(err, reopen(&b, AK_WAL_SALVAGE, &report, &err));
    assert_null(b.model->wrong);
    assert_int_equal(report.entries, 40);
    assert_int_equal(report.dropped_entries, 2);
    assert_int_equal(report.last_lsn, 42);
    assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_int_equal(report.entries, 40);
    bench_free(&b);
}

/* ---- whole segments -------------------------------------------------------------------------- */

static int remove_file(bench *b, const char *name)
{
    const akidb_files *files = b->options.files;
    akidb_folder root;
    assert_int_equal(files->ops->open_root(files->handle, folder, &root), 0);
    return files->ops->unlink(files->handle, root, name);
}

static void a_missing_segment_is_damage(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 100, 2000);
    assert_int_equal(remove_file(&b, "00000000000000000002.wal"), 0);
    ak_wal_report report;
    akidb_error err = {0};
    assert_status(AKIDB_E_CORRUPTION, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_non_null(strstr(err.message, "a segment before it is missing"));
    assert_ok(err, reopen(&b, AK_WAL_SALVAGE, &report, &err));
    assert_true(report.dropped_entries > 20 && report.dropped_entries < 40);
    assert_int_equal(report.entries + report.dropped_entries, 100);
    bench_free(&b);
}

static void a_segment_of_another_log_is_damage(void **state)
{
    (void)state;
    bench b = bench_new();
    bench other = bench_new();
    append(&b, 60, 2000);
    append(&other, 60, 2000);
    uint64_t size;
    uint8_t *bytes = segment(&other, second_segment, &size);
    assert_true(simulated_disk_put(b.disk, second_segment, bytes, (size_t)size));
    ak_wal_report report;
    akidb_error err = {0};
    assert_status(AKIDB_E_CORRUPTION, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_non_null(strstr(err.message, "another log"));
    bench_free(&b);
    bench_free(&other);
}

static void records_in_another_place_do_not_verify(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 3, 2000);
    uint64_t size;
    uint8_t *bytes = segment(&b, first_segment, &size);
    memcpy(bytes + 64 + 3 * 2032, bytes + 64 + 2 * 2032, 2032); /* the third again, behind it */
    ak_wal_report report;
    akidb_error err = {0};
    assert_status(AKIDB_E_CORRUPTION, reopen(&b, AK_WAL_STRICT, &report, &err));
    bench_free(&b);
}

static void an_unknown_version_is_refused_whatever_the_recovery(void **state)
{
    (void)state;
    /* Version 2, with a right checksum. */
    static const uint8_t later[64] = {
        'A', 'K', 'I', 'D', 'B', 'W', 'A', 'L', 2, [60] = 0,
    };
    bench b = bench_new();
    append(&b, 1, 10);
    uint64_t size;
    uint8_t *bytes = segment(&b, first_segment, &size);
    memcpy(bytes, later, sizeof later);
    uint32_t crc = ~UINT32_C(0); /* CRC-32C, bit by bit, apart from the library's */
    for (int i = 0; i < 60; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ UINT32_C(0x82F63B78) : crc >> 1;
    }
    crc = ~crc;
    memcpy(bytes + 60, &crc, 4);
    for (int recovery = AK_WAL_STRICT; recovery <= AK_WAL_SALVAGE; recovery++) {
        ak_wal_report report;
        akidb_error err = {0};
        assert_status(AKIDB_E_UNSUPPORTED, reopen(&b, (ak_wal_recovery)recovery, &report, &err));
        assert_non_null(strstr(err.message, "version 2"));
    }
    bench_free(&b);
}

/* A batch whose last record never reached the disk is dropped as a whole, also where it began in a
 * segment before. */
static void an_entry_without_its_end_is_dropped(void **state)
{
    (void)state;
    bench b = bench_new();
    append(&b, 3, 100);
    append(&b, 1, 200000);
    assert_int_equal(remove_file(&b, "00000000000000000005.wal"), 0);
    ak_wal_report report;
    akidb_error err = {0};
    assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_null(b.model->wrong);
    assert_int_equal(report.entries, 3);
    assert_true(report.torn);
    b.model->acknowledged = b.model->begun = 3; /* what a power cut would not have done */
    append(&b, 5, 100);
    assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
    assert_null(b.model->wrong);
    assert_int_equal(report.last_lsn, 8);
    assert_false(report.torn);
    bench_free(&b);
}

/* Segments are removed one by one: a kill between leaves some that hold only the middle of such an
 * entry, and name its LSN as given, before the one that gives it again. */
static void the_middle_of_a_dropped_entry_may_begin_the_log(void **state)
{
    (void)state;
    for (int removed = 1; removed <= 4; removed++) {
        bench b = bench_new();
        append(&b, 3, 100);
        append(&b, 1, 200000);
        assert_int_equal(remove_file(&b, "00000000000000000005.wal"), 0);
        ak_wal_report report;
        akidb_error err = {0};
        assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
        b.model->acknowledged = b.model->begun = 3;
        append(&b, 5, 100);
        for (int number = 1; number <= removed; number++) {
            char name[32];
            snprintf(name, sizeof name, "%020d.wal", number);
            assert_int_equal(remove_file(&b, name), 0);
        }
        b.model->removed_before = 4;
        for (int i = 0; i < 2; i++) {
            assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
            assert_null(wal_model_finish(b.model, &report));
            assert_int_equal(report.first_lsn, 4);
            assert_int_equal(report.last_lsn, 8);
            assert_false(report.torn);
        }
        append(&b, 1, 100);
        bench_free(&b);
    }
}

/* A last record may leave room for a seal but for nothing more; then no seal was needed yet. */
static void a_full_segment_without_a_seal_is_followed_by_another(void **state)
{
    (void)state;
    enum { SEGMENT = 64 << 10, HEADS = 64 + 32, SEAL = 56 };
    for (uint32_t left = SEAL; left <= 3 * SEAL; left += 8) {
        bench b = bench_new();
        ak_wal_report report;
        akidb_error err = {0};
        append(&b, 1, SEGMENT - HEADS - left);
        for (int i = 0; i < 3; i++) {
            assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
            assert_null(b.model->wrong);
            assert_int_equal(report.last_lsn, 1);
            assert_false(report.torn);
        }
        append(&b, 3, 10);
        assert_ok(err, reopen(&b, AK_WAL_STRICT, &report, &err));
        assert_null(b.model->wrong);
        assert_int_equal(report.last_lsn, 4);
        bench_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flipped_bit_never_costs_an_acknowledged_entry_silently),
        cmocka_unit_test(a_last_record_that_lost_a_sector_is_cut_off_and_kept),
        cmocka_unit_test(a_lost_sector_before_acknowledged_entries_is_damage),
        cmocka_unit_test(up_to_drops_everything_from_the_damage_on),
        cmocka_unit_test(salvage_keeps_whole_entries_after_the_damage),
        cmocka_unit_test(a_missing_segment_is_damage),
        cmocka_unit_test(a_segment_of_another_log_is_damage),
        cmocka_unit_test(records_in_another_place_do_not_verify),
        cmocka_unit_test(an_unknown_version_is_refused_whatever_the_recovery),
        cmocka_unit_test(an_entry_without_its_end_is_dropped),
        cmocka_unit_test(the_middle_of_a_dropped_entry_may_begin_the_log),
        cmocka_unit_test(a_full_segment_without_a_seal_is_followed_by_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
