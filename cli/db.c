#include "db.h"
#include "run_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const cli_choice durabilities[] = {{"every-commit", AKIDB_DURABLE_EVERY_COMMIT + 1},
                                          {"interval", AKIDB_DURABLE_INTERVAL + 1},
                                          {"by-call", AKIDB_DURABLE_BY_CALL + 1},
                                          {NULL, 0}};

const cli_choice cli_recoveries[] = {{"strict", AKIDB_RECOVER_STRICT + 1},
                                     {"up-to", AKIDB_RECOVER_UP_TO + 1},
                                     {"salvage", AKIDB_RECOVER_SALVAGE + 1},
                                     {NULL, 0}};

static const cli_option family_options[] = {
    {"data", 0, "DIR", "The data folder; must be given", cli_read_file,
     offsetof(cli_db_values, data), NULL, 0, 0},
    {"durability", 0, "MODE",
     "When a write counts as done: on the disk (every-commit, the default), or with the operating "
     "system, so that a killed process loses nothing but a power cut may take the last interval, "
     "or all since the last command ended (by-call)",
     cli_read_choice, offsetof(cli_db_values, durability), durabilities, 0, 0},
    {"interval", 0, "MS", "The interval of --durability interval, in milliseconds; default 100",
     cli_read_count, offsetof(cli_db_values, interval), NULL, 1, 3600000},
    {"wal-segment-size", 0, "BYTES",
     "The size of one file of the log; K, M and G are understood; default 64M", cli_read_size,
     offsetof(cli_db_values, wal_segment_size), NULL, 64u << 10, UINT64_C(1) << 40},
    {"wal-max-size", 0, "BYTES",
     "Refuse writes when the log has so many bytes; a flush makes it short; default 8G",
     cli_read_size, offsetof(cli_db_values, wal_max_size), NULL, 128u << 10, UINT64_C(1) << 50},
    {"memory-limit", 0, "BYTES",
     "Refuse writes when the collections take so much memory; default: no limit", cli_read_size,
     offsetof(cli_db_values, memory_limit), NULL, 1, UINT64_C(1) << 50},
    {"recovery", 0, "MODE",
     "What to do when the log is damaged: refuse to open (strict, the default), take it up to the "
     "damage, or take every whole entry of it (salvage). What is dropped is told, and the damaged "
     "files are kept beside the log",
     cli_read_choice, offsetof(cli_db_values, recovery), cli_recoveries, 0, 0},
    {"allow-older-snapshot", 0, NULL,
     "When the newest snapshot of a collection is damaged, take the one before it, with as much of "
     "the log as there is",
     cli_read_flag, offsetof(cli_db_values, allow_older_snapshot), NULL, 0, 0},
    CLI_METRICS_FILE_OPTION(offsetof(cli_db_values, metrics_file)),
    {0}};

static const cli_word family_words[] = {{"memory_limit", "--memory-limit"},
                                        {"wal_segment_bytes", "--wal-segment-size"},
                                        {"wal_max_bytes", "--wal-max-size"},
                                        {NULL, NULL}};

static const cli_example family_examples[] = {
    {"Insert vectors", "akidb db --data /srv/db insert words glove.npy --ids words.txt"},
    {"See what is there", "akidb db --data /srv/db collections"},
    {"Snapshots in a bucket", "akidb db --data /srv/db --store s3://vectors/prod flush"},
    {0}};

const cli_family cli_family_db = {
    .name = "db",
    .summary = "Write to and look at the data folder of a storage backend",
    .details =
        "A data folder holds collections that are never lost: each write goes to a log on the disk "
        "first, 'db flush' makes snapshots of what has changed, and opening the folder brings back "
        "the newest snapshot of each collection and the log after it. It is what a vector database "
        "that embeds the library writes; a lock keeps all others out while one process has it "
        "open, except for 'db wal' and 'db verify', which only look.\n\n"
        "Snapshots lie in --store, by default in the folder DIR/store. Give the same store each "
        "time. The variable AKIDB_STORE is not used here. 'akidb --store DIR/store verify "
        "COLLECTION' and all other commands work on that store, too.\n\n"
        "What recovery had to cut off, drop or replace is told on stderr.",
    .options = family_options,
    .examples = family_examples,
    .words = family_words,
    .values_size = sizeof(cli_db_values),
};

/* ---- opening --------------------------------------------------------------------------------- */

int cli_db_folder(cli *session, const cli_db_values *v, const char **folder_out)
{
    if (v->data == NULL)
        return cli_usage(session, "%s: expected --data DIR", session->command->name);
    struct stat info;
    if (stat(v->data, &info) == 0 && !S_ISDIR(info.st_mode))
        return cli_usage(session, "--data '%s': expected a folder, found something else", v->data);
    *folder_out = v->data;
    cli_run_data(session, v->data);
    return CLI_DONE;
}

int cli_db_check_there(cli *session, const char *folder)
{
    static const char *const parts[] = {"wal", "catalogue"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        char path[4200];
        struct stat info;
        if (snprintf(path, sizeof path, "%s/%s", folder, parts[i]) < (int)sizeof path &&
            (stat(path, &info) == 0 || errno != ENOENT))
            return CLI_DONE;
    }
    cli_say(session,
            "%s: no data folder is there; 'akidb db insert' and 'akidb db create' make one",
            folder);
    return CLI_MISSING;
}

int cli_db_open_store(cli *session, const char *folder)
{
    if (session->store_uri != NULL)
        return CLI_DONE; /* cli_open takes it */
    char path[4200];
    akidb_error err;
    if (snprintf(path, sizeof path, "%s/store", folder) >= (int)sizeof path) {
        cli_say(session, "%s: the path is too long", folder);
        return CLI_FAILED;
    }
    if (akidb_store_local_open(path, &session->store, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    return CLI_DONE;
}

static void tell_recovery(cli *session, const akidb_recovery_report *report)
{
    if (report->detail[0] == '\0')
        return;
    if (report->dropped_entries > 0 || report->older_snapshots > 0)
        cli_say(session, "warning: recovery: %s", report->detail);
    else if (!session->quiet)
        cli_say(session, "note: recovery: %s", report->detail);
}

static int fail_to_open(cli *session, const cli_db_values *v, const akidb_error *err)
{
    int code = cli_fail(session, err);
    if (err->status != AKIDB_E_CORRUPTION)
        return code;
    if (v->recovery <= AKIDB_RECOVER_STRICT + 1)
        cli_say(session, "'akidb db verify' tells all that is damaged; a snapshot that is missing "
                         "may lie in another --store; --recovery goes on with less of the log, "
                         "--allow-older-snapshot with an older snapshot");
    cli_say(session, "when nothing else helps, 'akidb db adopt' with a new data folder brings back "
                     "what was flushed");
    return code;
}

static int open_storage(cli *session, const cli_db_values *v, const cli_db_how *how,
                        const akidb_snapshotter_options *snapshots, cli_db *db)
{
    akidb_storage_options options = {
        .struct_size = sizeof options,
        .data_folder = db->folder,
        .store = session->store,
        .snapshots = snapshots,
        .durability = (akidb_durability)(v->durability > 0 ? v->durability - 1 : 0),
        .interval_ms = (uint32_t)v->interval.value,
        .wal_segment_bytes = v->wal_segment_size.value,
        .wal_max_bytes = v->wal_max_size.value,
        .flush_wal_bytes = how->flushes_itself ? 0 : AKIDB_NEVER,
        .flush_age = how->flushes_itself ? 0 : AKIDB_NEVER,
        .memory_limit = v->memory_limit.value,
        .recovery = (akidb_recovery)(v->recovery > 0 ? v->recovery - 1 : 0),
        .allow_older_snapshot = v->allow_older_snapshot,
    };
    akidb_retention retention;
    if (how->flushing != NULL && cli_retention_has_rule(&how->flushing->retention)) {
        retention = cli_retention_policy(&how->flushing->retention);
        options.retention = &retention;
    }
    akidb_error err;
    if (akidb_storage_open(&options, &db->storage, &db->recovered, &err) != AKIDB_OK)
        return fail_to_open(session, v, &err);
    cli_progress_clear(&session->progress);
    tell_recovery(session, &db->recovered);
    return CLI_DONE;
}

/* Where tiering is used, what db commands access counts. It is no reason for a command to fail. */
static void watch(cli_db *db)
{
    char path[4200];
    struct stat info;
    if (snprintf(path, sizeof path, "%s/tiering.sqlite", db->folder) >= (int)sizeof path ||
        stat(path, &info) != 0)
        return;
    const akidb_hooks hooks = cli_hooks(db->session);
    const akidb_tiering_options options = {
        .struct_size = sizeof options, .data_folder = db->folder, .hooks = &hooks};
    akidb_error err;
    if (akidb_tiering_open(db->storage, &options, &db->watch, &err) != AKIDB_OK)
        cli_say(db->session, "warning: accesses are not noted: %s", err.message);
}

int cli_db_open(cli *session, const cli_db_values *v, const cli_db_how *how, cli_db *db_out)
{
    *db_out = (cli_db){.session = session};
    akidb_snapshotter_options snapshots = {0};
    akidb_parquet_options parquet;
    int code = cli_db_folder(session, v, &db_out->folder);
    if (code == CLI_DONE && v->interval.set && v->durability != AKIDB_DURABLE_INTERVAL + 1)
        code = cli_usage(session, "--interval goes with --durability interval");
    if (code == CLI_DONE && how->flushing != NULL) {
        if (how->flushing->retention.keep_last.set &&
            !cli_retention_has_rule(&how->flushing->retention))
            return cli_usage(session, "--keep-last 0: nothing says what to delete; give "
                                      "--older-than or another rule of what to keep");
        int format = how->flushing->format;
        code =
            cli_encoding_apply(session, &how->flushing->encoding,
                               format != 0 ? (akidb_snapshot_format)format : AKIDB_FORMAT_PARQUET,
                               &snapshots, &parquet);
    }
    if (code == CLI_DONE && !how->makes)
        code = cli_db_check_there(session, db_out->folder);
    if (code == CLI_DONE)
        code = cli_db_open_store(session, db_out->folder);
    if (code == CLI_DONE)
        code = cli_open(session, &snapshots, cli_command_word(session->command));
    if (code == CLI_DONE)
        code = open_storage(session, v, how, &snapshots, db_out);
    if (code == CLI_DONE && !how->has_tiering)
        watch(db_out);
    return code;
}

int cli_db_close(cli_db *db, int code)
{
    akidb_error err;
    (void)akidb_tiering_close(db->watch, NULL); /* what cannot be written was told by the log */
    cli_run_storage(db->session, db->storage);
    if (db->storage == NULL || akidb_storage_close(db->storage, &err) == AKIDB_OK)
        return code;
    return cli_exit_worse(code, cli_fail(db->session, &err));
}

/* ---- collections ----------------------------------------------------------------------------- */

int cli_db_collection(cli_db *db, const char *name, akidb_collection_info *info_out)
{
    akidb_error err;
    akidb_uuid id;
    int code = cli_collection(db->session, name, &id);
    if (code != CLI_DONE)
        return code;
    akidb_status status = akidb_storage_collection(db->storage, &id, info_out, &err);
    if (status == AKIDB_OK)
        return CLI_DONE;
    if (status != AKIDB_E_NOT_FOUND)
        return cli_fail(db->session, &err);
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&id, text);
    cli_say(db->session, "%s: no collection '%s' (%s)", db->folder, name, text);
    return CLI_MISSING;
}

int cli_db_fail(cli *session, const char *typed, const akidb_uuid *id, const akidb_error *err)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    size_t size = strlen(text);
    if (strncmp(err->message, text, size) != 0)
        return cli_fail(session, err);
    akidb_error named;
    (void)cli_set_error(&named, err->status, "%s%s", typed, err->message + size);
    return cli_fail(session, &named);
}

const char *cli_db_given_name(const char *typed)
{
    akidb_uuid unused;
    bool is_id = akidb_uuid_parse(typed, &unused, NULL) == AKIDB_OK;
    return is_id || strlen(typed) > sizeof((akidb_collection_info *)0)->name - 1 ? NULL : typed;
}

void cli_db_json_open(cli_json *json, const char *name, const akidb_collection_info *info)
{
    cli_json_open(json, name, '{');
    cli_json_uuid(json, "collection_id", &info->id);
    cli_json_string(json, "name", info->name[0] != '\0' ? info->name : NULL);
}
