#include "commands.h"
#include "json_out.h"
#include "run_report.h"
#include "verify.h"

#include <stddef.h>

typedef struct values {
    int level;
    const char *metrics_file;
} values;

static const cli_option options[] = {CLI_VERIFY_LEVEL_OPTION(offsetof(values, level)),
                                     CLI_METRICS_FILE_OPTION(offsetof(values, metrics_file)),
                                     {0}};

static const cli_example examples[] = {
    {"Read every byte of every snapshot", "akidb verify words"},
    {"A quick look at the newest", "akidb verify words latest --level size"},
    {0}};

const char *cli_outcome_name(akidb_verify_outcome outcome)
{
    switch (outcome) {
    case AKIDB_VERIFY_GOOD: return "good";
    case AKIDB_VERIFY_UNCHECKED: return "unchecked";
    case AKIDB_VERIFY_UNREACHABLE: return "unreachable";
    case AKIDB_VERIFY_MISSING: return "missing";
    case AKIDB_VERIFY_CORRUPT: return "corrupt";
    }
    return "?";
}

int cli_exit_of_outcome(akidb_verify_outcome outcome)
{
    switch (outcome) {
    case AKIDB_VERIFY_GOOD:
    case AKIDB_VERIFY_UNCHECKED: return CLI_DONE;
    case AKIDB_VERIFY_UNREACHABLE: return CLI_FAILED;
    case AKIDB_VERIFY_MISSING: return CLI_MISSING;
    case AKIDB_VERIFY_CORRUPT: return CLI_CORRUPT;
    }
    return CLI_FAILED;
}

static void report_text(cli *session, const char *id, const akidb_verify_report *report)
{
    char size[CLI_SIZE_TEXT], text[CLI_COUNT_TEXT];
    bool good = report->problem.status == AKIDB_OK;
    cli_progress_clear(&session->progress);
    if (!session->quiet || !good || report->outcome > AKIDB_VERIFY_UNCHECKED) {
        printf("%s  %-11s  %s", id, cli_outcome_name(report->outcome),
               cli_format_count(report->parts, "part", text));
        if (report->bytes_read > 0)
            printf(", %s read", cli_format_size(report->bytes_read, size));
        if (report->rows_decoded > 0)
            printf(", %s decoded", cli_format_count(report->rows_decoded, "document", text));
        putchar('\n');
    }
    if (report->outcome > AKIDB_VERIFY_UNCHECKED && !good) {
        fflush(stdout);
        cli_say(session, "%s", report->problem.message);
    }
}

static void report_json(cli_json *json, const akidb_uuid *id, const akidb_verify_report *report)
{
    cli_json_open(json, NULL, '{');
    cli_json_uuid(json, "snapshot_id", id);
    cli_json_string(json, "outcome", cli_outcome_name(report->outcome));
    cli_json_number(json, "parts", report->parts);
    cli_json_number(json, "bytes_read", report->bytes_read);
    cli_json_number(json, "rows_decoded", report->rows_decoded);
    cli_json_string(json, "problem",
                    report->problem.status != AKIDB_OK ? report->problem.message : NULL);
    cli_json_close(json, '}');
}

enum { OUTCOMES = AKIDB_VERIFY_CORRUPT + 1 };

/* Verifies one snapshot and tells the result. One that is gone is no failure when it was only
 * `listed`: a cleanup beside this may remove what the list still had. */
static int verify(cli *session, const akidb_uuid *collection, const akidb_uuid *snapshot,
                  bool listed, const values *v, uint64_t found[OUTCOMES], cli_json *json)
{
    char id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(snapshot, id);
    akidb_error err;
    akidb_verify_report report;
    char what[32];
    snprintf(what, sizeof what, "verify %.8s", id);
    cli_progress_begin(&session->progress, what);
    akidb_status status = akidb_snapshot_verify(session->snapshotter, collection, snapshot,
                                                (akidb_verify_level)v->level, &report, &err);
    if (status == AKIDB_E_NOT_FOUND && listed)
        return CLI_DONE;
    if (status != AKIDB_OK)
        return cli_fail(session, &err);
    found[report.outcome]++;
    if (session->json)
        report_json(json, snapshot, &report);
    else
        report_text(session, id, &report);
    return cli_exit_of_outcome(report.outcome);
}

static int verify_all(cli *session, const char *name, const akidb_uuid *collection, const values *v,
                      uint64_t found[OUTCOMES], cli_json *json)
{
    akidb_error err;
    akidb_snapshot_list list;
    if (akidb_snapshot_list_all(session->snapshotter, collection, &list, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    int code = list.count == 0 ? cli_no_snapshots(session, name, collection) : CLI_DONE;
    for (size_t i = 0; i < list.count && cli_interrupted() == 0; i++)
        code = cli_exit_worse(
            code, verify(session, collection, &list.entries[i].snapshot_id, true, v, found, json));
    akidb_snapshot_list_free(&list);
    return code;
}

static void note_outcomes(cli *session, const values *v, const uint64_t found[OUTCOMES], int code)
{
    for (int i = 0; i < OUTCOMES; i++)
        cli_run_add(session, CLI_VERIFIED_SNAPSHOTS, cli_outcome_name((akidb_verify_outcome)i),
                    found[i]);
    int level = v->level != AKIDB_VERIFY_DEFAULT ? v->level : AKIDB_VERIFY_DECODE;
    if (code == CLI_DONE && cli_interrupted() == 0)
        cli_run_add(session, CLI_LAST_GOOD_VERIFY_TIME, cli_choice_name(cli_verify_levels, level),
                    cli_run_now());
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    const values *v = given;
    akidb_uuid collection, snapshot;
    int code = cli_open(session, NULL, "verify");
    if (code == CLI_DONE)
        code = count > 1 ? cli_snapshot(session, arguments[0], arguments[1], &collection, &snapshot)
                         : cli_collection(session, arguments[0], &collection);
    if (code != CLI_DONE)
        return code;

    cli_json json = {0};
    if (session->json) {
        cli_json_begin(&json);
        cli_json_open(&json, NULL, '[');
    }
    uint64_t found[OUTCOMES] = {0};
    code = count > 1 ? verify(session, &collection, &snapshot, false, v, found, &json)
                     : verify_all(session, arguments[0], &collection, v, found, &json);
    note_outcomes(session, v, found, code);
    if (session->json) {
        cli_json_close(&json, ']');
        code = cli_exit_worse(code, cli_json_print(session, &json));
    }
    return code;
}

const cli_command cli_cmd_verify = {
    .name = "verify",
    .arguments = "COLLECTION [SNAPSHOT]",
    .summary = "Check the stored bytes of one snapshot, or of all",
    .details =
        "Prints a line for each snapshot. 'good' and 'unchecked' are well: unchecked snapshots "
        "were written by a tool that stored no checksums, and can be read. 'missing' means that a "
        "part is not there (exit code 3), 'corrupt' that bytes are not those that were written "
        "(4), 'unreachable' that the store could not be asked, which says nothing about the "
        "snapshot (1). With --quiet only those three are printed.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 2,
    .values_size = sizeof(values),
    .run = run,
};
