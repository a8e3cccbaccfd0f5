/* Moves by order: promote, demote. */
#include "commands.h"
#include "tier.h"

#include <inttypes.h>

typedef struct values {
    cli_tier_values tier;
    int to; /* 0: one step; else akidb_tier + 1 */
    cli_tier_moving moving;
} values;

static const cli_choice upper_tiers[] = {
    {"hot", AKIDB_TIER_HOT + 1}, {"warm", AKIDB_TIER_WARM + 1}, {NULL, 0}};
static const cli_choice lower_tiers[] = {
    {"warm", AKIDB_TIER_WARM + 1}, {"cold", AKIDB_TIER_COLD + 1}, {NULL, 0}};

static const cli_option promote_options[] = {
    {"to", 0, "TIER", "The tier to move to; default: the next above", cli_read_choice,
     offsetof(values, to), upper_tiers, 0, 0},
    CLI_TIER_MOVING_OPTIONS(offsetof(values, moving)),
    {0}};

static const cli_option demote_options[] = {
    {"to", 0, "TIER", "The tier to move to; default: the next below", cli_read_choice,
     offsetof(values, to), lower_tiers, 0, 0},
    CLI_TIER_MOVING_OPTIONS(offsetof(values, moving)),
    {0}};

static const cli_example promote_examples[] = {
    {"Into memory before the work begins", "akidb tier promote --data /srv/db words --to hot"},
    {0}};

static const cli_example demote_examples[] = {
    {"Out of the way, into the bucket",
     "akidb tier demote --data /srv/db --store s3://vectors/prod words --to cold"},
    {0}};

static akidb_tier target_of(const values *v, akidb_tier from, bool up)
{
    if (v->to != 0)
        return (akidb_tier)(v->to - 1);
    if (up)
        return from == AKIDB_TIER_COLD ? AKIDB_TIER_WARM : AKIDB_TIER_HOT;
    return from == AKIDB_TIER_HOT ? AKIDB_TIER_WARM : AKIDB_TIER_COLD;
}

static int print_move(cli *session, const akidb_collection_info *info, const char *typed,
                      const akidb_move_report *report)
{
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_db_json_open(&json, NULL, info);
        cli_json_string(&json, "from", akidb_tier_name(report->from));
        cli_json_string(&json, "to", akidb_tier_name(report->to));
        cli_json_number(&json, "bytes", report->bytes);
        cli_json_number(&json, "microseconds",
                        report->duration > 0 ? (uint64_t)report->duration : 0);
        cli_json_close(&json, '}');
        return cli_json_print(session, &json);
    }
    if (session->quiet)
        return CLI_DONE;
    bool repaired = report->from == report->to && report->bytes > 0;
    bool moved = report->from != report->to;
    fputs(repaired ? "made the local copy of " : moved ? "moved " : "", stdout);
    cli_print_text(stdout, typed);
    if (repaired)
        fputs(" again", stdout);
    else if (moved)
        printf(" from %s to %s", akidb_tier_name(report->from), akidb_tier_name(report->to));
    else
        printf(" is %s already", akidb_tier_name(report->to));
    char size[CLI_SIZE_TEXT];
    if (repaired || moved)
        printf(", %s in %.1f s", cli_format_size(report->bytes, size),
               (double)report->duration / 1e6);
    putchar('\n');
    return CLI_DONE;
}

static int move(cli *session, const values *v, const char *name, bool up)
{
    cli_tier tier;
    akidb_error err;
    akidb_collection_info info;
    akidb_move_report report;
    int code = cli_tier_open(session, &v->tier, &(cli_tier_how){.moving = &v->moving}, &tier);
    if (code == CLI_DONE)
        code = cli_db_collection(&tier.db, name, &info);
    if (code == CLI_DONE) {
        akidb_tier to = target_of(v, info.tier, up);
        akidb_status status = up ? akidb_tiering_promote(tier.tiering, &info.id, to, &report, &err)
                                 : akidb_tiering_demote(tier.tiering, &info.id, to, &report, &err);
        code = status == AKIDB_OK ? print_move(session, &info, name, &report)
                                  : cli_db_fail(session, name, &info.id, &err);
    }
    return cli_tier_close(&tier, code);
}

static int run_promote(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    return move(session, given, arguments[0], true);
}

static int run_demote(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    return move(session, given, arguments[0], false);
}

const cli_command cli_cmd_tier_promote = {
    .family = &cli_family_tier,
    .name = "tier promote",
    .arguments = "COLLECTION",
    .summary = "Move a collection up now",
    .details = "From cold to warm its snapshot is copied to the local disk and checked; to hot its "
               "documents are read into memory, here and by whoever opens the folder next. "
               "The policy leaves it there for a window (--promote-window), and then as long as "
               "it is used.",
    .options = promote_options,
    .examples = promote_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(values),
    .run = run_promote,
};

const cli_command cli_cmd_tier_demote = {
    .family = &cli_family_tier,
    .name = "tier demote",
    .arguments = "COLLECTION",
    .summary = "Move a collection down now",
    .details = "What no snapshot has is flushed to the object store first. Nothing is removed here "
               "before its copy there has been checked. With --to cold the data folder keeps no "
               "file of the collection. The options for snapshots say how the one is written that "
               "the flush makes.",
    .options = demote_options,
    .examples = demote_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(values),
    .run = run_demote,
};
