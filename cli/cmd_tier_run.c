/* The policy at work: run, worker. */
#include "commands.h"
#include "tier.h"

#include <inttypes.h>
#include <time.h>

typedef struct values {
    cli_tier_values tier;
    cli_tier_policy policy;
    cli_tier_moving moving;
    cli_moment every;
    bool dry_run;
} values;

/* ---- run ------------------------------------------------------------------------------------- */

static const cli_option run_options[] = {{"dry-run", 0, NULL, "Only tell what would move, and why",
                                          cli_read_flag, offsetof(values, dry_run), NULL, 0, 0},
                                         CLI_TIER_POLICY_OPTIONS(offsetof(values, policy)),
                                         CLI_TIER_MOVING_OPTIONS(offsetof(values, moving)),
                                         {0}};

static const cli_example run_examples[] = {
    {"What would move, and why", "akidb tier run --data /srv/db --dry-run"},
    {"From cron, with at most 50 GiB of disk and 100 MiB/s",
     "akidb tier run --data /srv/db --store s3://vectors/prod --warm-budget 50G --max-rate 100M"},
    {0}};

static const char *word_of(akidb_tier_outcome outcome)
{
    switch (outcome) {
    case AKIDB_TIER_PLANNED: return "would move";
    case AKIDB_TIER_MOVED: return "moved";
    case AKIDB_TIER_FAILED: return "failed";
    case AKIDB_TIER_WAITS: return "waits";
    }
    return "?";
}

static void print_one(const akidb_tier_move *move)
{
    char id[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(&move->collection, id);
    printf("%-10s  ", word_of(move->outcome));
    cli_print_text(stdout, move->name[0] != '\0' ? move->name : id);
    printf(": %s -> %s, %s\n", akidb_tier_name(move->from), akidb_tier_name(move->to),
           move->reason);
}

static void move_json(cli_json *json, const akidb_tier_move *move)
{
    cli_json_open(json, NULL, '{');
    cli_json_uuid(json, "collection_id", &move->collection);
    cli_json_string(json, "name", move->name[0] != '\0' ? move->name : NULL);
    cli_json_string(json, "from", akidb_tier_name(move->from));
    cli_json_string(json, "to", akidb_tier_name(move->to));
    cli_json_string(json, "outcome",
                    move->outcome == AKIDB_TIER_PLANNED ? "planned" : word_of(move->outcome));
    cli_json_string(json, "reason", move->reason);
    if (move->detail[0] != '\0')
        cli_json_string(json, "detail", move->detail);
    cli_json_number(json, "bytes", move->bytes);
    cli_json_number(json, "microseconds", (uint64_t)move->duration);
    cli_json_close(json, '}');
}

static int print_json(cli *session, const akidb_tier_report *report, bool dry_run)
{
    cli_json json;
    cli_json_begin(&json);
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "moves", '[');
    for (size_t i = 0; i < report->count; i++)
        move_json(&json, &report->moves[i]);
    cli_json_close(&json, ']');
    cli_json_number(&json, "moved", report->moved);
    cli_json_number(&json, "failed", report->failed);
    cli_json_number(&json, "waiting", report->waiting);
    cli_json_bool(&json, "dry_run", dry_run);
    cli_json_close(&json, '}');
    return cli_json_print(session, &json);
}

/* Returns the exit code: of failed moves the worst. */
static int print_report(cli *session, const akidb_tier_report *report, bool dry_run)
{
    int code = CLI_DONE;
    cli_progress_clear(&session->progress);
    for (size_t i = 0; i < report->count; i++) {
        const akidb_tier_move *move = &report->moves[i];
        if (!session->json)
            print_one(move);
        if (move->outcome == AKIDB_TIER_FAILED) {
            fflush(stdout);
            cli_say(session, "%s", move->detail);
            code = cli_exit_worse(code, cli_exit_of_status(move->status));
        } else if (move->detail[0] != '\0' && !session->quiet) {
            fflush(stdout);
            cli_say(session, "note: %s", move->detail);
        }
    }
    if (session->json)
        return cli_exit_worse(code, print_json(session, report, dry_run));
    char all[CLI_COUNT_TEXT];
    if (session->quiet)
        return code;
    printf("%s %s", dry_run ? "would move" : "moved",
           cli_format_count(dry_run ? report->count : report->moved, "collection", all));
    if (report->failed + report->waiting > 0)
        printf(", %zu failed, %zu wait", report->failed, report->waiting);
    putchar('\n');
    return code;
}

static int run_run(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    const values *v = given;
    cli_tier tier;
    akidb_error err;
    akidb_tier_report report;
    int code = cli_tier_open(session, &v->tier,
                             &(cli_tier_how){.moving = &v->moving, .policy = &v->policy}, &tier);
    if (code == CLI_DONE) {
        akidb_status status = akidb_tiering_run(tier.tiering, v->dry_run, &report, &err);
        if (status == AKIDB_OK || status == AKIDB_E_CANCELLED)
            code = print_report(session, &report, v->dry_run);
        if (status != AKIDB_OK)
            code = cli_exit_worse(code, cli_fail(session, &err));
        akidb_tier_report_free(&report);
    }
    return cli_tier_close(&tier, code);
}

const cli_command cli_cmd_tier_run = {
    .family = &cli_family_tier,
    .name = "tier run",
    .arguments = "",
    .summary = "Let the policy decide once, and move what it has elsewhere",
    .details =
        "Prints what moved, or failed, or has to wait, with the reason. It works by what is known "
        "of accesses, which programs note that run tiering; a collection of which nothing is known "
        "counts as accessed when it was first seen. The options for snapshots say how those are "
        "written that moves down make of what has changed.",
    .options = run_options,
    .examples = run_examples,
    .values_size = sizeof(values),
    .run = run_run,
};

/* ---- worker ---------------------------------------------------------------------------------- */

static const cli_option worker_options[] = {
    {"every", 0, "AGE", "The time between two cycles; default 5m", cli_read_duration,
     offsetof(values, every), NULL, 1, 0},
    CLI_TIER_POLICY_OPTIONS(offsetof(values, policy)),
    CLI_TIER_MOVING_OPTIONS(offsetof(values, moving)),
    {0}};

static const cli_example worker_examples[] = {
    {"Until it is stopped",
     "akidb tier worker --data /srv/db --store s3://vectors/prod --hot-budget 8G"},
    {0}};

static void wait_for_signal(void)
{
    const struct timespec little = {0, 100000000};
    while (cli_interrupted() == 0)
        nanosleep(&little, NULL);
}

static int run_worker(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    const values *v = given;
    cli_tier tier;
    akidb_error err;
    const cli_tier_how how = {
        .moving = &v->moving, .policy = &v->policy, .every = v->every, .flushes_itself = true};
    int code = cli_tier_open(session, &v->tier, &how, &tier);
    if (code == CLI_DONE && akidb_tiering_start(tier.tiering, &err) != AKIDB_OK)
        code = cli_fail(session, &err);
    if (code == CLI_DONE)
        wait_for_signal();
    return cli_tier_close(&tier, code);
}

const cli_command cli_cmd_tier_worker = {
    .family = &cli_family_tier,
    .name = "tier worker",
    .arguments = "",
    .summary = "Let the policy decide again and again",
    .details = "Runs until SIGINT or SIGTERM, and then stops within a second; a move that is under "
               "way is cancelled, and its collection stays where it was. Moves are told on "
               "stderr; what failed is tried again, later each time. While it runs, no other "
               "process can open the data folder: for a folder that a program serves, let that "
               "program run the worker.",
    .options = worker_options,
    .examples = worker_examples,
    .values_size = sizeof(values),
    .run = run_worker,
};
