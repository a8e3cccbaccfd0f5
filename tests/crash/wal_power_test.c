/* The log on a disk that loses power at every change in turn, also during recovery, and keeps
 * whatever a real one may. */
#include "simulated_disk.h"
#include "wal_model.h"

static const char folder[] = "/data/log";

static ak_wal_options options_on(simulated_disk *disk, ak_wal_durability durability)
{
    return (ak_wal_options){.files = simulated_disk_files(disk),
                            .folder = folder,
                            .segment_bytes = 64 << 10,
                            .durability = durability};
}

/* Small ones mostly, some of a page or more, now and then one that spans segments. */
static uint32_t draw_size(uint64_t *random)
{
    uint64_t way = test_random(random) % 16;
    if (way == 0)
        return (uint32_t)(test_random(random) % 150000);
    if (way < 4)
        return (uint32_t)(test_random(random) % 20000);
    return (uint32_t)(test_random(random) % 600);
}

/* Appends until something fails: 1 to 4 entries at a time before the wait. */
static akidb_status append_some(ak_wal *wal, wal_model *m, bool by_sync, int groups,
                                uint64_t *random, akidb_error *err)
{
    for (int i = 0; i < groups; i++) {
        uint64_t lsn = 0;
        for (uint64_t n = 1 + test_random(random) % 4; n > 0; n--) {
            akidb_status status =
                wal_model_begin(m, wal, test_random(random), draw_size(random), &lsn, err);
            if (status != AKIDB_OK)
                return status;
        }
        akidb_status status = ak_wal_wait(wal, lsn, err);
        if (status == AKIDB_OK && by_sync && test_random(random) % 3 != 0)
            continue; /* with the kernel only: not promised */
        if (status == AKIDB_OK && by_sync)
            status = ak_wal_sync(wal, err);
        if (status != AKIDB_OK)
            return status;
        m->acknowledged = lsn;
        if (test_random(random) % 6 == 0 && lsn > 8) {
            m->removed_before = lsn - 8;
            status = ak_wal_remove_before(wal, lsn - 8, err);
        }
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

/* Opens, appends and closes; the power may go off at any moment of it. The model is compared when
 * the open succeeds. */
static void one_life(simulated_disk *disk, wal_model *m, ak_wal_durability durability, int groups,
                     uint64_t *random, bool must_open)
{
    ak_wal_options options = options_on(disk, durability);
    akidb_error err = {0};
    ak_wal *wal;
    ak_wal_report report;
    wal_model_start(m);
    akidb_status status = ak_wal_open(&options, wal_model_visit, m, &wal, &report, &err);
    if (status != AKIDB_OK) {
        if (must_open || status != AKIDB_E_IO)
            fail_msg("opening: %s", err.message);
        return;
    }
    const char *wrong = wal_model_finish(m, &report);
    if (wrong != NULL)
        fail_msg("%s (entries %llu to %llu, acknowledged up to %llu, removed before %llu)", wrong,
                 (unsigned long long)report.first_lsn, (unsigned long long)report.last_lsn,
                 (unsigned long long)m->acknowledged, (unsigned long long)m->removed_before);
    status = append_some(wal, m, durability == AK_WAL_BY_CALL, groups, random, &err);
    if (status == AKIDB_OK)
        status = ak_wal_close(wal, &err);
    else
        (void)ak_wal_close(wal, NULL);
    if (status == AKIDB_OK)
        m->acknowledged = m->begun;
    else if (status != AKIDB_E_IO)
        fail_msg("appending: %s", err.message);
}

static uint64_t changes_without_cut(ak_wal_durability durability, uint64_t seed, int groups)
{
    simulated_disk *disk = simulated_disk_new();
    wal_model *m = calloc(1, sizeof *m);
    assert_non_null(disk);
    assert_non_null(m);
    one_life(disk, m, durability, groups, &seed, true);
    uint64_t changes = simulated_disk_changes(disk);
    simulated_disk_free(disk);
    free(m);
    return changes;
}

/* One log: cut at `cut`, then twice more at random, perhaps while it recovers. */
static void cut_and_recover(ak_wal_durability durability, uint64_t seed, uint64_t cut,
                            uint64_t loss, int groups)
{
    simulated_disk *disk = simulated_disk_new();
    wal_model *m = calloc(1, sizeof *m);
    assert_non_null(disk);
    assert_non_null(m);
    uint64_t random = seed;
    simulated_disk_cut_at(disk, cut);
    one_life(disk, m, durability, groups, &random, false);
    for (int i = 0; i < 2; i++) {
        simulated_disk_power_on(disk, loss + (uint64_t)i);
        simulated_disk_cut_at(disk, test_random(&random) % 24);
        one_life(disk, m, durability, groups, &random, false);
    }
    simulated_disk_power_on(disk, loss + 7);
    one_life(disk, m, durability, 2, &random, true);
    one_life(disk, m, durability, 0, &random, true);
    simulated_disk_free(disk);
    free(m);
}

static void cut_everywhere(ak_wal_durability durability, uint64_t logs, uint64_t losses)
{
    enum { GROUPS = 14 };
    for (uint64_t seed = 1; seed <= logs; seed++) {
        uint64_t changes = changes_without_cut(durability, seed, GROUPS);
        assert_true(changes > GROUPS);
        for (uint64_t cut = 0; cut < changes; cut++)
            for (uint64_t loss = 0; loss < losses; loss++)
                cut_and_recover(durability, seed, cut, seed << 32 | cut << 8 | loss << 4, GROUPS);
    }
}

static void nothing_committed_is_lost_whenever_the_power_goes(void **state)
{
    (void)state;
    cut_everywhere(AK_WAL_EVERY_COMMIT, 4, 3);
}

static void nothing_synced_is_lost_whenever_the_power_goes(void **state)
{
    (void)state;
    cut_everywhere(AK_WAL_BY_CALL, 4, 3);
}

/* The process goes, the disk stays: what was acknowledged by the kernel is all there. */
static void a_process_that_ends_loses_nothing_acknowledged(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        simulated_disk *disk = simulated_disk_new();
        wal_model *m = calloc(1, sizeof *m);
        assert_non_null(disk);
        assert_non_null(m);
        uint64_t random = seed;
        for (int i = 0; i < 4; i++) {
            ak_wal_options options = options_on(disk, AK_WAL_BY_CALL);
            akidb_error err = {0};
            ak_wal *wal;
            ak_wal_report report;
            wal_model_start(m);
            assert_ok(err, ak_wal_open(&options, wal_model_visit, m, &wal, &report, &err));
            assert_null(wal_model_finish(m, &report));
            for (int n = 0; n < 20; n++) {
                uint64_t lsn;
                assert_ok(err, wal_model_begin(m, wal, test_random(&random), draw_size(&random),
                                               &lsn, &err));
                assert_ok(err, ak_wal_wait(wal, lsn, &err));
                m->acknowledged = lsn;
            }
            simulated_disk_cut_at(disk, 0); /* nothing of the close reaches the disk */
            (void)ak_wal_close(wal, NULL);
            simulated_disk_process_gone(disk);
        }
        simulated_disk_free(disk);
        free(m);
    }
}

/* After a sync that failed, Linux takes the bytes for written. What the next open replays must be
 * on the disk nevertheless, since it is acknowledged from then on. */
static void what_is_replayed_after_a_failed_sync_survives_a_power_cut(void **state)
{
    (void)state;
    for (uint64_t sync = 0; sync < 60; sync++) {
        simulated_disk *disk = simulated_disk_new();
        wal_model *m = calloc(1, sizeof *m);
        assert_non_null(disk);
        assert_non_null(m);
        uint64_t random = sync;
        simulated_disk_fail_sync(disk, sync);
        one_life(disk, m, AK_WAL_EVERY_COMMIT, 14, &random, false);
        simulated_disk_process_gone(disk);
        one_life(disk, m, AK_WAL_EVERY_COMMIT, 0, &random, true);
        simulated_disk_power_on(disk, sync);
        one_life(disk, m, AK_WAL_EVERY_COMMIT, 3, &random, true);
        simulated_disk_free(disk);
        free(m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_committed_is_lost_whenever_the_power_goes),
        cmocka_unit_test(nothing_synced_is_lost_whenever_the_power_goes),
        cmocka_unit_test(a_process_that_ends_loses_nothing_acknowledged),
        cmocka_unit_test(what_is_replayed_after_a_failed_sync_survives_a_power_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
