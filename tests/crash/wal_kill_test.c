/* A writer that is killed: the parent reads from a pipe what was acknowledged, kills the writer at
 * a random moment, opens the log and compares. AKIDB_CRASH_ROUNDS asks for more than 20 rounds. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "wal_model.h"

/* An entry's bytes follow from its LSN, so that nothing else need be said over the pipe. */
static uint32_t size_of(uint64_t lsn)
{
    uint64_t random = lsn;
    uint64_t way = test_random(&random) % 40;
    return (uint32_t)(test_random(&random) % (way == 0 ? 300000 : way < 8 ? 20000 : 400));
}

static ak_wal_options options_in(const char *folder, uint64_t round)
{
    return (ak_wal_options){.folder = folder,
                            .segment_bytes = 128 << 10,
                            .durability = (ak_wal_durability)(round % 3),
                            .interval_ms = 5};
}

/* The child: appends for ever, and tells each LSN when its promise holds. */
static void write_until_killed(const ak_wal_options *options, int pipe_end)
{
    akidb_error err = {0};
    ak_wal *wal;
    ak_wal_report report;
    if (ak_wal_open(options, NULL, NULL, &wal, &report, &err) != AKIDB_OK)
        _exit(1);
    uint8_t *bytes = malloc(300008);
    if (bytes == NULL)
        _exit(1);
    for (uint64_t next = report.last_lsn + 1;; next++) {
        uint32_t size = size_of(next);
        wal_model_payload(next, size, bytes);
        akidb_slice slice = {bytes, size};
        uint64_t lsn;
        if (ak_wal_append(wal, AK_WAL_UPSERT, &slice, 1, &lsn, &err) != AKIDB_OK || lsn != next)
            _exit(1);
        if (next % 500 == 0 && ak_wal_remove_before(wal, next - 300, &err) != AKIDB_OK)
            _exit(1);
        if (write(pipe_end, &lsn, sizeof lsn) != (ssize_t)sizeof lsn)
            _exit(1);
    }
}

static akidb_status check_entry(void *context, uint64_t lsn, ak_wal_kind kind, akidb_slice payload,
                                akidb_error *err)
{
    (void)kind;
    (void)err;
    uint64_t *next = context;
    if (*next != 0)
        assert_int_equal(lsn, *next);
    *next = lsn + 1;
    assert_int_equal(payload.size, size_of(lsn));
    uint8_t *bytes = malloc(payload.size + 8u);
    assert_non_null(bytes);
    wal_model_payload(lsn, (uint32_t)payload.size, bytes);
    if (payload.size > 0)
        assert_memory_equal(bytes, payload.data, payload.size);
    free(bytes);
    return AKIDB_OK;
}

/* Reads what is acknowledged until so much was, and a moment longer; then all that was said before
 * the writer went. */
static uint64_t kill_after(pid_t child, int pipe_end, uint64_t count, useconds_t moment)
{
    uint64_t last = 0;
    uint64_t lsn;
    for (uint64_t i = 0; i < count && read(pipe_end, &lsn, sizeof lsn) == (ssize_t)sizeof lsn; i++)
        last = lsn;
    usleep(moment);
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(pipe_end, &lsn, sizeof lsn) == (ssize_t)sizeof lsn)
        last = lsn;
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

static void a_killed_writer_loses_nothing_acknowledged(void **state)
{
    (void)state;
    const char *asked = getenv("AKIDB_CRASH_ROUNDS");
    uint64_t rounds = asked == NULL ? 20 : strtoull(asked, NULL, 10);
    char folder[TEST_FOLDER_SIZE];
    assert_true(test_folder_make(folder));
    uint64_t random = 1;
    uint64_t acknowledged = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        ak_wal_options options = options_in(folder, round);
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            write_until_killed(&options, ends[1]);
        }
        close(ends[1]);
        uint64_t last = kill_after(child, ends[0], test_random(&random) % 400,
                                   (useconds_t)(test_random(&random) % 3000));
        close(ends[0]);
        if (last > acknowledged)
            acknowledged = last;

        akidb_error err = {0};
        ak_wal *wal;
        ak_wal_report report;
        uint64_t next = 0;
        assert_ok(err, ak_wal_open(&options, check_entry, &next, &wal, &report, &err));
        assert_true(report.last_lsn >= acknowledged);
        assert_true(report.first_lsn <= 1 || report.first_lsn + 300 <= report.last_lsn + 1);
        acknowledged = report.last_lsn;
        assert_ok(err, ak_wal_close(wal, &err));
    }
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_writer_loses_nothing_acknowledged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
