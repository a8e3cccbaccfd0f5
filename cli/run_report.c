#include "run_report.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SIGNAL_EXIT = 128, VALUE_SIZE = 32 };

static const struct {
    const char *name, *type, *label, *help;
} added[] = {
    [CLI_LAST_SNAPSHOT_TIME] = {"akidb_last_snapshot_timestamp_seconds", "gauge", NULL,
                                "When the newest good snapshot was begun; 0: never."},
    [CLI_LAST_SNAPSHOT_BYTES] = {"akidb_last_snapshot_bytes", "gauge", NULL,
                                 "Bytes of the last snapshot that was made."},
    [CLI_LAST_SNAPSHOT_DOCUMENTS] = {"akidb_last_snapshot_documents", "gauge", NULL,
                                     "Documents of the last snapshot that was made."},
    [CLI_LAST_GOOD_VERIFY_TIME] = {"akidb_last_good_verify_timestamp_seconds", "gauge", "level",
                                   "When verify last ended with all that it looked at good."},
    [CLI_VERIFIED_SNAPSHOTS] = {"akidb_verified_snapshots", "gauge", "outcome",
                                "Snapshots of the last verify by outcome."},
    [CLI_DELETED_SNAPSHOTS] = {"akidb_snapshots_deleted_total", "counter", NULL,
                               "Snapshots that cleanup has deleted."},
    [CLI_SNAPSHOTS] = {"akidb_snapshots", "gauge", NULL,
                       "Snapshots that were there after the last cleanup."},
    [CLI_COPIED_SNAPSHOTS] = {"akidb_copied_snapshots_total", "counter", NULL,
                              "Snapshots that copy and sync have copied to another store."},
    [CLI_COPIED_BYTES] = {"akidb_copied_bytes_total", "counter", NULL,
                          "Bytes of parts that copy and sync have copied."},
    [CLI_REMOVED_LEFTOVERS] = {"akidb_gc_removed_objects_total", "counter", NULL,
                               "Leftovers that gc has removed."},
    [CLI_REMOVED_BYTES] = {"akidb_gc_removed_bytes_total", "counter", NULL,
                           "Bytes of leftovers that gc has removed."},
};

/* ---- while the command runs ------------------------------------------------------------------ */

static int64_t steady_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int cli_run_begin(cli *session, const char *path, const char *collection)
{
    if (path == NULL)
        return CLI_DONE;
    session->report = calloc(1, sizeof *session->report);
    if (session->report == NULL) {
        cli_say(session, "out of memory");
        return CLI_FAILED;
    }
    *session->report =
        (cli_run_report){.path = path, .collection = collection, .began = steady_ms()};
    return CLI_DONE;
}

uint64_t cli_run_seconds(int64_t time)
{
    return time > 0 ? (uint64_t)time / 1000000 : 0;
}

uint64_t cli_run_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec;
}

void cli_run_add(cli *session, cli_run_metric metric, const char *label, uint64_t value)
{
    if (session->report == NULL)
        return;
    char text[VALUE_SIZE], labels[128] = "";
    snprintf(text, sizeof text, "%" PRIu64, value);
    if (label != NULL) /* one of the program's own words: nothing to escape */
        snprintf(labels, sizeof labels, "%s=\"%s\"", added[metric].label, label);
    cli_metrics_put(&session->report->added, added[metric].name, added[metric].type,
                    added[metric].help, labels, text);
}

void cli_run_data(cli *session, const char *folder)
{
    if (session->report != NULL)
        session->report->data = folder;
}

void cli_run_storage(cli *session, akidb_storage *storage)
{
    cli_run_report *report = session->report;
    akidb_error err;
    if (report == NULL || storage == NULL)
        return;
    if (cli_metrics_of_storage(&report->storage, storage, &err) != AKIDB_OK) {
        (void)cli_fail(session, &err);
        return;
    }
    report->has_storage = true;
    /* The session counts the store's requests, with those that are not the storage's. */
    cli_metrics_remove(&report->storage, "akidb_store_");
}

/* ---- what is noted --------------------------------------------------------------------------- */

static const char *outcome_name(int code)
{
    if (cli_interrupted() != 0)
        return "interrupted";
    switch (code) {
    case CLI_DONE: return "done";
    case CLI_USAGE: return "usage";
    case CLI_MISSING: return "missing";
    case CLI_CORRUPT: return "corrupt";
    case CLI_INVALID: return "invalid";
    default: return "failed";
    }
}

/* Which folder or store, and the collection: labels of all that the run tells. Yours to free; NULL
 * when there is no memory. */
static char *make_labels(const cli *session, const char *command)
{
    const cli_run_report *report = session->report;
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    if (file == NULL)
        return NULL;
    if (report->data != NULL)
        cli_metrics_label(file, true, "data", report->data);
    else
        cli_metrics_label(file, true, "store", cli_store_uri(session));
    if (command != NULL)
        cli_metrics_label(file, false, "command", command);
    akidb_uuid id;
    if (report->collection != NULL &&
        akidb_collection_id(report->collection, &id, NULL) == AKIDB_OK) {
        char id_text[AKIDB_UUID_TEXT_SIZE];
        akidb_uuid given;
        bool named = akidb_uuid_parse(report->collection, &given, NULL) != AKIDB_OK;
        akidb_uuid_format(&id, id_text);
        cli_metrics_label(file, false, "collection", id_text);
        cli_metrics_label(file, false, "name", named ? report->collection : "");
    }
    bool whole = !ferror(file);
    if (fclose(file) == 0 && whole)
        return text;
    free(text);
    return NULL;
}

static void note(cli_metrics *run, const char *name, const char *type, const char *help,
                 const char *labels, uint64_t value)
{
    char text[VALUE_SIZE];
    snprintf(text, sizeof text, "%" PRIu64, value);
    cli_metrics_put(run, name, type, help, labels, text);
}

static void note_outcome(cli_metrics *run, int64_t began, int code)
{
    char labels[64], seconds[VALUE_SIZE];
    int exit_code = cli_interrupted() != 0 ? SIGNAL_EXIT + cli_interrupted() : code;
    int64_t took = steady_ms() - began;
    snprintf(labels, sizeof labels, "outcome=\"%s\"", outcome_name(code));
    snprintf(seconds, sizeof seconds, "%" PRId64 ".%03" PRId64, took / 1000, took % 1000);
    note(run, "akidb_command_runs_total", "counter", "Runs of the command by outcome.", labels, 1);
    note(run, "akidb_command_last_run_timestamp_seconds", "gauge",
         "When the command last ended, however it did.", "", cli_run_now());
    note(run, "akidb_command_last_exit_code", "gauge",
         "How it ended then: 0 done, 1 failed, 2 usage, 3 missing, 4 corrupt, 5 invalid input, 128 "
         "and more: by a signal.",
         "", (uint64_t)exit_code);
    cli_metrics_put(run, "akidb_command_last_duration_seconds", "gauge", "How long it ran then.",
                    "", seconds);
    if (exit_code == CLI_DONE)
        note(run, "akidb_command_last_success_timestamp_seconds", "gauge",
             "When the command last ended with exit code 0.", "", cli_run_now());
}

static void note_requests(cli_metrics *run, const cli *session)
{
    akidb_store_statistics s;
    cli_stats_get(session, &s);
    for (int kind = 0; kind < AKIDB_REQUEST_KIND_COUNT; kind++) {
        char labels[64];
        snprintf(labels, sizeof labels, "kind=\"%s\"",
                 akidb_request_kind_name((akidb_request_kind)kind));
        if (s.requests[kind] > 0)
            note(run, "akidb_store_requests_total", "counter",
                 "Requests to the object store by kind; of a local one, its calls.", labels,
                 s.requests[kind]);
    }
    note(run, "akidb_store_requests_retried_total", "counter",
         "Of these, those that repeat one that failed.", "", s.retries);
    note(run, "akidb_store_requests_failed_total", "counter",
         "Of these, those that failed; not found is no failure.", "", s.failed);
    note(run, "akidb_store_sent_bytes_total", "counter", "Bytes sent to the object store.", "",
         s.sent_bytes);
    note(run, "akidb_store_received_bytes_total", "counter", "Bytes received from it.", "",
         s.received_bytes);
}

/* Merges all that this run tells into what the file had. */
static void merge(cli *session, cli_metrics *into, int code)
{
    cli_run_report *report = session->report;
    cli_metrics run = {0};
    char *of_command = make_labels(session, session->command->name);
    char *of_collection = make_labels(session, NULL);
    const char *collection = report->collection;
    report->collection = NULL;
    char *of_folder = make_labels(session, NULL);
    report->collection = collection;
    if (of_command != NULL && of_collection != NULL && of_folder != NULL) {
        note_outcome(&run, report->began, code);
        note_requests(&run, session);
        cli_metrics_merge(into, &run, of_command);
        cli_metrics_merge(into, &report->added, of_collection);
        if (report->has_storage)
            cli_metrics_forget(into, &report->storage, of_folder);
        cli_metrics_merge(into, &report->storage, of_folder);
    } else {
        into->failed = true;
    }
    cli_metrics_free(&run);
    free(of_command);
    free(of_collection);
    free(of_folder);
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Whoever reads the file from now on and writes it anew comes after us. The lock is on the folder:
 * a file of its own would lie about among what the collector reads. Where a file system has no
 * locks, two runs at the same moment may lose what one of them noted. */
static int lock_folder(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        return -1;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd >= 0)
        (void)flock(fd, LOCK_EX);
    return fd;
}

static akidb_status fail_errno(const char *path, const char *doing, akidb_error *err)
{
    return cli_set_error(err, AKIDB_E_IO, "%s: %s: %s", path, doing, strerror(errno));
}

/* What earlier runs left; nothing when there is no file. */
static akidb_status read_earlier(const char *path, cli_metrics *metrics, akidb_error *err)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return errno == ENOENT ? AKIDB_OK : fail_errno(path, "cannot be read", err);
    if (!S_ISREG(info.st_mode))
        return cli_set_error(err, AKIDB_E_VALIDATION, "%s: expected a regular file", path);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return fail_errno(path, "cannot be read", err);
    akidb_status status = cli_metrics_read(metrics, file, path, err);
    fclose(file);
    return status;
}

/* The bytes are on the disk before the file has its name, and all may read it. */
static bool write_and_sync(int fd, const cli_metrics *metrics)
{
    FILE *file = fdopen(fd, "w");
    if (file == NULL) {
        close(fd);
        return false;
    }
    cli_metrics_print(file, metrics);
    bool done = fflush(file) == 0 && !ferror(file) && fchmod(fd, 0644) == 0 && fsync(fd) == 0;
    int error_number = errno;
    done = fclose(file) == 0 && done;
    errno = error_number;
    return done;
}

static akidb_status write_file(const char *path, const cli_metrics *metrics, akidb_error *err)
{
    char *temporary;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return cli_set_error(err, AKIDB_E_OUT_OF_MEMORY, "out of memory");
    akidb_status status = AKIDB_OK;
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) {
        status = fail_errno(path, "cannot be written", err);
    } else if (!write_and_sync(fd, metrics) || rename(temporary, path) != 0) {
        status = fail_errno(path, "cannot be written", err);
        unlink(temporary);
    }
    free(temporary);
    return status;
}

static akidb_status update_file(cli *session, int code, akidb_error *err)
{
    const char *path = session->report->path;
    cli_metrics metrics = {0};
    int lock = lock_folder(path);
    akidb_status status = read_earlier(path, &metrics, err);
    if (status == AKIDB_OK) {
        merge(session, &metrics, code);
        if (metrics.failed || session->report->added.failed || session->report->storage.failed)
            status = cli_set_error(err, AKIDB_E_OUT_OF_MEMORY, "out of memory");
    }
    if (status == AKIDB_OK)
        status = write_file(path, &metrics, err);
    if (lock >= 0)
        close(lock);
    cli_metrics_free(&metrics);
    return status;
}

int cli_run_end(cli *session, int code)
{
    cli_run_report *report = session->report;
    if (report == NULL)
        return code;
    akidb_error err;
    if (update_file(session, code, &err) != AKIDB_OK) {
        cli_say(session, "--metrics-file: %s", err.message);
        code = cli_exit_worse(code, CLI_FAILED);
    }
    cli_metrics_free(&report->added);
    cli_metrics_free(&report->storage);
    free(report);
    session->report = NULL;
    return code;
}
