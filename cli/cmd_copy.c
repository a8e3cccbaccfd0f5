#include "commands.h"
#include "json_out.h"
#include "run_report.h"

#include <stddef.h>

typedef struct values {
    const char *to;
    const char *to_endpoint_url;
    const char *to_profile;
    bool dry_run; /* of sync */
    const char *metrics_file;
} values;

#define TO_OPTION                                                                                  \
    {                                                                                              \
        "to", 0, "URI", "The store to copy to, as --store names one; must be given",               \
            cli_read_text, offsetof(values, to), NULL, 0, 0                                        \
    }

#define TO_ENDPOINT_OPTION                                                                         \
    {                                                                                              \
        "to-endpoint-url", 0, "URL",                                                               \
            "The server of the bucket to copy to, when it is another one than --store's",          \
            cli_read_text, offsetof(values, to_endpoint_url), NULL, 0, 0                           \
    }

#define TO_PROFILE_OPTION                                                                          \
    {                                                                                              \
        "to-aws-profile", 0, "NAME",                                                               \
            "The profile of the AWS configuration for the bucket to copy to. With either of the "  \
            "two, --endpoint-url, --region and --aws-profile are for --store alone",               \
            cli_read_text, offsetof(values, to_profile), NULL, 0, 0                                \
    }

static const cli_option copy_options[] = {TO_OPTION,
                                          TO_ENDPOINT_OPTION,
                                          TO_PROFILE_OPTION,
                                          CLI_METRICS_FILE_OPTION(offsetof(values, metrics_file)),
                                          {0}};

static const cli_option sync_options[] = {TO_OPTION,
                                          TO_ENDPOINT_OPTION,
                                          TO_PROFILE_OPTION,
                                          {"dry-run", 0, NULL,
                                           "Tell what would be copied, and copy nothing",
                                           cli_read_flag, offsetof(values, dry_run), NULL, 0, 0},
                                          CLI_METRICS_FILE_OPTION(offsetof(values, metrics_file)),
                                          {0}};

static const cli_example copy_examples[] = {
    {"The newest snapshot to another disk", "akidb copy words --to /mnt/backup"}, {0}};

static const cli_example sync_examples[] = {
    {"All that the bucket does not have yet", "akidb sync words --to s3://backup/akidb"},
    {"From a server of one's own to AWS", "akidb --store s3://vectors --endpoint-url "
                                          "http://127.0.0.1:9000 --aws-profile minio sync words "
                                          "--to s3://backup/akidb --to-aws-profile aws"},
    {0}};

/* ---- one snapshot ---------------------------------------------------------------------------- */

static void report_text(cli *session, const akidb_uuid *id, const akidb_copy_report *report)
{
    char text[AKIDB_UUID_TEXT_SIZE], size[CLI_SIZE_TEXT], parts[CLI_COUNT_TEXT];
    cli_progress_clear(&session->progress);
    if (session->quiet)
        return;
    akidb_uuid_format(id, text);
    if (report->was_there) {
        printf("%s  was there\n", text);
        return;
    }
    printf("%s  copied  %s, %s", text, cli_format_count(report->parts_copied, "part", parts),
           cli_format_size(report->bytes_copied, size));
    if (report->parts_kept > 0)
        printf(", %s there already", cli_format_count(report->parts_kept, "part", parts));
    putchar('\n');
}

static void report_json(cli_json *json, const akidb_uuid *id, const akidb_copy_report *report)
{
    cli_json_open(json, NULL, '{');
    cli_json_uuid(json, "snapshot_id", id);
    cli_json_bool(json, "was_there", report->was_there);
    cli_json_number(json, "parts_copied", report->parts_copied);
    cli_json_number(json, "parts_kept", report->parts_kept);
    cli_json_number(json, "copied_bytes", report->bytes_copied);
    cli_json_close(json, '}');
}

static int copy_one(cli *session, akidb_store *to, const akidb_uuid *collection,
                    const akidb_uuid *snapshot, cli_json *json)
{
    akidb_error err;
    akidb_copy_report report;
    cli_progress_begin(&session->progress, "copy");
    if (akidb_snapshot_copy(session->snapshotter, collection, snapshot, to, &report, &err) !=
        AKIDB_OK)
        return cli_fail(session, &err);
    if (session->json)
        report_json(json, snapshot, &report);
    else
        report_text(session, snapshot, &report);
    cli_run_add(session, CLI_COPIED_SNAPSHOTS, NULL, report.was_there ? 0 : 1);
    cli_run_add(session, CLI_COPIED_BYTES, NULL, report.bytes_copied);
    return CLI_DONE;
}

/* ---- all that are missing -------------------------------------------------------------------- */

static bool has(const akidb_snapshot_list *list, const akidb_uuid *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (akidb_uuid_compare(&list->entries[i].snapshot_id, id) == 0)
            return true;
    return false;
}

static void tell(cli *session, const akidb_snapshot_entry *entry, cli_json *json)
{
    char text[AKIDB_UUID_TEXT_SIZE], size[CLI_SIZE_TEXT];
    if (session->json) {
        cli_json_open(json, NULL, '{');
        cli_json_uuid(json, "snapshot_id", &entry->snapshot_id);
        cli_json_number(json, "size_bytes", entry->metadata->size_bytes);
        cli_json_close(json, '}');
        return;
    }
    akidb_uuid_format(&entry->snapshot_id, text);
    printf("%s  would be copied  %s\n", text, cli_format_size(entry->metadata->size_bytes, size));
}

/* The oldest first, so that what an interruption leaves is a beginning without gaps. */
static int sync_missing(cli *session, akidb_store *to, const akidb_uuid *collection,
                        const values *v, const akidb_snapshot_list *here,
                        const akidb_snapshot_list *there, cli_json *json)
{
    int code = CLI_DONE;
    size_t missing = 0;
    for (size_t i = here->count; i-- > 0 && cli_interrupted() == 0;) {
        const akidb_snapshot_entry *entry = &here->entries[i];
        if (entry->metadata == NULL) {
            cli_say(session, "%s", entry->problem.message);
            code = cli_exit_worse(code, cli_exit_of_status(entry->problem.status));
            continue;
        }
        if (has(there, &entry->snapshot_id))
            continue;
        missing++;
        if (v->dry_run)
            tell(session, entry, json);
        else
            code =
                cli_exit_worse(code, copy_one(session, to, collection, &entry->snapshot_id, json));
    }
    if (missing == 0 && code == CLI_DONE && !session->quiet && !session->json)
        puts("nothing is missing");
    return code;
}

static int sync_with(cli *session, akidb_store *to, const char *name, const akidb_uuid *collection,
                     const values *v, cli_json *json)
{
    akidb_error err;
    akidb_snapshotter *other = NULL;
    akidb_snapshot_list here = {0}, there = {0};
    akidb_status status = akidb_snapshot_list_all(session->snapshotter, collection, &here, &err);
    if (status == AKIDB_OK)
        status = akidb_snapshotter_open(to, NULL, &other, &err);
    if (status == AKIDB_OK)
        status = akidb_snapshot_list_all(other, collection, &there, &err);
    int code;
    if (status != AKIDB_OK)
        code = cli_fail(session, &err);
    else if (here.count == 0)
        code = cli_no_snapshots(session, name, collection);
    else
        code = sync_missing(session, to, collection, v, &here, &there, json);
    akidb_snapshot_list_free(&here);
    akidb_snapshot_list_free(&there);
    akidb_snapshotter_close(other);
    return code;
}

/* ---- both ------------------------------------------------------------------------------------ */

static int run_to(cli *session, const values *v, char *const *arguments, size_t count, bool is_sync,
                  akidb_store *to)
{
    akidb_uuid collection, snapshot;
    int code = is_sync ? cli_collection(session, arguments[0], &collection)
                       : cli_snapshot(session, arguments[0], count > 1 ? arguments[1] : NULL,
                                      &collection, &snapshot);
    if (code != CLI_DONE)
        return code;
    cli_json json = {0};
    if (session->json) {
        cli_json_begin(&json);
        cli_json_open(&json, NULL, '[');
    }
    code = is_sync ? sync_with(session, to, arguments[0], &collection, v, &json)
                   : copy_one(session, to, &collection, &snapshot, &json);
    if (session->json) {
        cli_json_close(&json, ']');
        code = cli_exit_worse(code, cli_json_print(session, &json));
    }
    return code;
}

static int run(cli *session, const values *v, char *const *arguments, size_t count, bool is_sync)
{
    if (v->to == NULL)
        return cli_usage(session, "%s: expected --to URI", session->command->name);
    session->writes_elsewhere = true;
    int code = cli_open(session, NULL, session->command->name);
    if (code != CLI_DONE)
        return code;
    cli_bucket bucket = session->bucket;
    if (v->to_endpoint_url != NULL || v->to_profile != NULL) {
        bucket.endpoint_url = v->to_endpoint_url;
        bucket.profile = v->to_profile;
        bucket.region = NULL;
    }
    akidb_store *to;
    code = cli_open_store(session, "--to", v->to, &bucket, &to);
    if (code == CLI_DONE)
        code = cli_check_sse(session, to);
    if (code == CLI_DONE)
        code = run_to(session, v, arguments, count, is_sync, to);
    akidb_store_close(to);
    return code;
}

static int run_copy(cli *session, const void *given, char *const *arguments, size_t count)
{
    return run(session, given, arguments, count, false);
}

static int run_sync(cli *session, const void *given, char *const *arguments, size_t count)
{
    return run(session, given, arguments, count, true);
}

const cli_command cli_cmd_copy = {
    .name = "copy",
    .arguments = "COLLECTION [SNAPSHOT]",
    .summary = "Copy a snapshot to another store",
    .details =
        "Byte by byte: ids, keys and metadata stay as they are. Without SNAPSHOT, the latest. "
        "Every byte is compared with its "
        "checksum on the way, and the copy exists only when it is whole. After an interruption the "
        "same command goes on: parts that arrived whole are not sent again. What is there already "
        "is left alone; another snapshot of that id is an error.",
    .options = copy_options,
    .examples = copy_examples,
    .arguments_min = 1,
    .arguments_max = 2,
    .values_size = sizeof(values),
    .run = run_copy,
};

const cli_command cli_cmd_sync = {
    .name = "sync",
    .arguments = "COLLECTION",
    .summary = "Copy to another store what it does not have",
    .details =
        "Copies every snapshot of the collection that the other store does not list, the oldest "
        "first, as 'akidb copy' does. Nothing is ever deleted there. A damaged snapshot is told "
        "and not copied; the exit code is then that of damage.",
    .options = sync_options,
    .examples = sync_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(values),
    .run = run_sync,
};
