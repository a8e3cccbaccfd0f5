/* Snapshots of a data folder: flush, snapshots, restore. */
#include "commands.h"
#include "db.h"
#include "list.h"

#include <inttypes.h>
#include <stdlib.h>

static const cli_option no_options[] = {{0}};

/* ---- flush ----------------------------------------------------------------------------------- */

typedef struct flush_values {
    cli_db_values db;
    cli_db_flushing flushing;
} flush_values;

static const cli_option flush_options[] = {
    CLI_DB_FLUSHING_OPTIONS(offsetof(flush_values, flushing)), {0}};

static const cli_example flush_examples[] = {
    {"Every collection that has changed", "akidb db flush --data /srv/db"},
    {"One, and keep a week of its snapshots", "akidb db flush --data /srv/db words --keep-daily 7"},
    {0}};

/* Flushes one collection and tells the result. */
static int flush(cli_db *db, const akidb_collection_info *before, cli_json *json)
{
    cli *session = db->session;
    akidb_error err;
    akidb_uuid snapshot;
    cli_progress_begin(&session->progress, "flush");
    if (akidb_storage_flush(db->storage, &before->id, &snapshot, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    cli_progress_clear(&session->progress);
    bool made = akidb_uuid_compare(&snapshot, &before->snapshot_id) != 0;
    if (session->json) {
        cli_db_json_open(json, NULL, before);
        cli_json_uuid(json, "snapshot_id", &snapshot);
        cli_json_bool(json, "made", made);
        cli_json_number(json, "documents", before->documents);
        cli_json_close(json, '}');
        return CLI_DONE;
    }
    char id[AKIDB_UUID_TEXT_SIZE], collection[AKIDB_UUID_TEXT_SIZE], text[CLI_COUNT_TEXT];
    akidb_uuid_format(&snapshot, id);
    akidb_uuid_format(&before->id, collection);
    printf("%s", id);
    if (!session->quiet) {
        printf("  %s, %s: ", cli_format_count(before->documents, "document", text),
               made ? "new" : "unchanged");
        cli_print_text(stdout, before->name[0] != '\0' ? before->name : collection);
    }
    putchar('\n');
    return CLI_DONE;
}

static int flush_named(cli_db *db, char *const *names, size_t count, cli_json *json)
{
    int code = CLI_DONE;
    for (size_t i = 0; i < count && cli_interrupted() == 0; i++) {
        akidb_collection_info info;
        int found = cli_db_collection(db, names[i], &info);
        code = cli_exit_worse(code, found == CLI_DONE ? flush(db, &info, json) : found);
    }
    return code;
}

static int flush_all(cli_db *db, cli_json *json)
{
    akidb_error err;
    akidb_collection_info *infos;
    size_t count;
    if (akidb_storage_collections(db->storage, &infos, &count, &err) != AKIDB_OK)
        return cli_fail(db->session, &err);
    int code = CLI_DONE;
    for (size_t i = 0; i < count && cli_interrupted() == 0; i++)
        code = cli_exit_worse(code, flush(db, &infos[i], json));
    free(infos);
    return code;
}

static int run_flush(cli *session, const void *given, char *const *arguments, size_t count)
{
    const flush_values *v = given;
    cli_db db;
    int code = cli_db_open(session, &v->db, &(cli_db_how){.flushing = &v->flushing}, &db);
    if (code != CLI_DONE)
        return cli_db_close(&db, code);
    cli_json json = {0};
    if (session->json) {
        cli_json_begin(&json);
        cli_json_open(&json, NULL, '[');
    }
    code = count > 0 ? flush_named(&db, arguments, count, &json) : flush_all(&db, &json);
    if (session->json) {
        cli_json_close(&json, ']');
        code = cli_exit_worse(code, cli_json_print(session, &json));
    }
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_flush = {
    .family = &cli_family_db,
    .name = "db flush",
    .arguments = "[COLLECTION]...",
    .summary = "Make snapshots of what has changed, and shorten the log",
    .details =
        "Without COLLECTION, all. Prints the newest snapshot of each, a new one or, when nothing "
        "was written since, the one that was there; with --quiet its id only. A flush that fails "
        "loses nothing.\n\n"
        "With rules of what to keep, as 'akidb cleanup' has them, older snapshots of each "
        "collection that was flushed are deleted then. The newest stays whatever the rules say.",
    .options = flush_options,
    .examples = flush_examples,
    .arguments_max = SIZE_MAX,
    .values_size = sizeof(flush_values),
    .run = run_flush,
};

/* ---- snapshots ------------------------------------------------------------------------------- */

static const cli_example snapshots_examples[] = {
    {"Newest first", "akidb db snapshots --data /srv/db words"}, {0}};

static int list_snapshots(cli_db *db, const char *name)
{
    akidb_error err;
    akidb_uuid collection;
    akidb_snapshot_list list;
    int code = cli_collection(db->session, name, &collection);
    if (code != CLI_DONE)
        return code;
    if (akidb_storage_list_snapshots(db->storage, &collection, &list, &err) != AKIDB_OK)
        return cli_fail(db->session, &err);
    code = list.count > 0 ? cli_tell_snapshots(db->session, &list)
                          : cli_no_snapshots(db->session, name, &collection);
    akidb_snapshot_list_free(&list);
    return code;
}

static int run_snapshots(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    cli_db db;
    int code = cli_db_open(session, given, &(cli_db_how){0}, &db);
    if (code == CLI_DONE)
        code = list_snapshots(&db, arguments[0]);
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_snapshots = {
    .family = &cli_family_db,
    .name = "db snapshots",
    .arguments = "COLLECTION",
    .summary = "List the snapshots of a collection",
    .details = "Newest first, also those from before the collection was dropped and made again. "
               "Output and exit codes are those of 'akidb list COLLECTION'.",
    .options = no_options,
    .examples = snapshots_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(cli_db_values),
    .run = run_snapshots,
};

/* ---- restore --------------------------------------------------------------------------------- */

static const cli_example restore_examples[] = {
    {"Back to an earlier snapshot", "akidb db restore --data /srv/db words 3f1c"}, {0}};

static int restore(cli_db *db, const char *name, const char *snapshot_name)
{
    cli *session = db->session;
    akidb_error err;
    akidb_uuid collection, snapshot;
    akidb_collection_info info;
    int code = cli_db_collection(db, name, &info);
    if (code == CLI_DONE)
        code = cli_snapshot(session, name, snapshot_name, &collection, &snapshot);
    if (code != CLI_DONE)
        return code;
    if (akidb_storage_restore(db->storage, &info.id, &snapshot, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    code = cli_db_collection(db, name, &info);
    if (code != CLI_DONE)
        return code;
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_db_json_open(&json, NULL, &info);
        cli_json_uuid(&json, "snapshot_id", &snapshot);
        cli_json_number(&json, "documents", info.documents);
        cli_json_close(&json, '}');
        return cli_json_print(session, &json);
    }
    char id[AKIDB_UUID_TEXT_SIZE], text[CLI_COUNT_TEXT];
    akidb_uuid_format(&snapshot, id);
    if (!session->quiet)
        printf("restored %s; the collection has %s\n", id,
               cli_format_count(info.documents, "document", text));
    return CLI_DONE;
}

static int run_restore(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    cli_db db;
    int code = cli_db_open(session, given, &(cli_db_how){0}, &db);
    if (code == CLI_DONE)
        code = restore(&db, arguments[0], arguments[1]);
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_restore = {
    .family = &cli_family_db,
    .name = "db restore",
    .arguments = "COLLECTION SNAPSHOT",
    .summary = "Put the contents of a snapshot in place of a collection's",
    .details =
        "All documents are replaced at once; what no snapshot has is gone. Flush first if it "
        "may be wanted again. SNAPSHOT must not be deleted before the next flush of the "
        "collection: until then the log only says which one it was.",
    .options = no_options,
    .examples = restore_examples,
    .arguments_min = 2,
    .arguments_max = 2,
    .values_size = sizeof(cli_db_values),
    .run = run_restore,
};
