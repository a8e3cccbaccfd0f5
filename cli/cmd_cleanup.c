#include "commands.h"
#include "json_out.h"
#include "retention.h"
#include "run_report.h"

#include <inttypes.h>
#include <stddef.h>

typedef struct values {
    cli_retention retention;
    bool dry_run;
    const char *metrics_file;
} values;

static const cli_option options[] = {CLI_RETENTION_OPTIONS(offsetof(values, retention)),
                                     {"dry-run", 0, NULL, "Only say what would be deleted, and why",
                                      cli_read_flag, offsetof(values, dry_run), NULL, 0, 0},
                                     CLI_METRICS_FILE_OPTION(offsetof(values, metrics_file)),
                                     {0}};

static const cli_example examples[] = {
    {"A week of days, two months of weeks, a year of months",
     "akidb cleanup words --keep-daily 7 --keep-weekly 8 --keep-monthly 12"},
    {"See what would go if only the last month were kept",
     "akidb cleanup words --older-than 30d --dry-run"},
    {0}};

static void print_decisions(const akidb_retention_report *report, bool dry_run)
{
    uint64_t gone = 0;
    const char *verb = dry_run ? "would delete" : "delete";
    for (size_t i = 0; i < report->count; i++) {
        const akidb_retention_decision *d = &report->decisions[i];
        char id[AKIDB_UUID_TEXT_SIZE], time[AKIDB_TIME_TEXT_SIZE] = "-", size[CLI_SIZE_TEXT];
        akidb_uuid_format(&d->snapshot_id, id);
        if (d->created_at != 0) /* a damaged one does not say */
            cli_format_time(d->created_at, time);
        printf("%-*s  %s  %-20s  %10s  ", dry_run ? 12 : 6, d->keep ? "keep" : verb, id, time,
               cli_format_size(d->size_bytes, size));
        cli_print_text(stdout, d->reason);
        putchar('\n');
        gone += !d->keep;
    }
    printf("%s %" PRIu64 " of %zu\n", dry_run ? "would delete" : "deleted",
           dry_run ? gone : report->deleted, report->count);
}

static int print_json(cli *session, const akidb_retention_report *report, bool dry_run)
{
    cli_json json;
    cli_json_begin(&json);
    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "dry_run", dry_run);
    cli_json_number(&json, "deleted", report->deleted);
    cli_json_open(&json, "decisions", '[');
    for (size_t i = 0; i < report->count; i++) {
        const akidb_retention_decision *d = &report->decisions[i];
        cli_json_open(&json, NULL, '{');
        cli_json_uuid(&json, "snapshot_id", &d->snapshot_id);
        if (d->created_at != 0) /* a damaged one does not say */
            cli_json_time(&json, "created_at", d->created_at);
        cli_json_number(&json, "size_bytes", d->size_bytes);
        cli_json_bool(&json, "keep", d->keep);
        cli_json_string(&json, "reason", d->reason);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return cli_json_print(session, &json);
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    const values *v = given;
    if (!cli_retention_has_rule(&v->retention))
        return cli_usage(
            session, "cleanup: nothing says what to delete; give --older-than or a rule of what "
                     "to keep, such as --keep-last 3 or --keep-daily 7");
    akidb_uuid collection;
    int code = cli_collection(session, arguments[0], &collection);
    if (code == CLI_DONE)
        code = cli_open(session, NULL, "cleanup");
    if (code != CLI_DONE)
        return code;

    akidb_retention policy = cli_retention_policy(&v->retention);
    akidb_error err;
    akidb_retention_report report;
    if (akidb_snapshot_cleanup(session->snapshotter, &collection, &policy, v->dry_run, &report,
                               &err) != AKIDB_OK)
        return cli_fail(session, &err);
    if (!v->dry_run) {
        cli_run_add(session, CLI_DELETED_SNAPSHOTS, NULL, report.deleted);
        cli_run_add(session, CLI_SNAPSHOTS, NULL, report.count - report.deleted);
    }
    cli_progress_clear(&session->progress);
    if (report.count == 0)
        code = cli_no_snapshots(session, arguments[0], &collection);
    else if (session->json)
        code = print_json(session, &report, v->dry_run);
    else if (!session->quiet)
        print_decisions(&report, v->dry_run);
    akidb_retention_report_free(&report);
    return code;
}

const cli_command cli_cmd_cleanup = {
    .name = "cleanup",
    .arguments = "COLLECTION",
    .summary = "Delete the snapshots that no rule keeps",
    .details =
        "The rules of what to keep unite: a snapshot stays if one of them keeps it, and is deleted "
        "if none does. --older-than spares what is younger. Days, ISO weeks and months are in UTC. "
        "The newest snapshot stays whatever the rules say, unless --keep-last 0 is given. Without "
        "any rule nothing is done. Damaged snapshots are left alone.\n\n"
        "Each snapshot is printed with what was decided and why.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(values),
    .run = run,
};
