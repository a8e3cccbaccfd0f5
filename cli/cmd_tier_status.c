/* What tiering knows: status, pin, unpin. */
#include "commands.h"
#include "table.h"
#include "tier.h"

#include <inttypes.h>
#include <stdlib.h>

static const cli_option no_options[] = {{0}};

/* ---- status ---------------------------------------------------------------------------------- */

static const cli_example status_examples[] = {
    {"Where collections lie", "akidb tier status --data /srv/db"},
    {"The memory that hot ones take",
     "akidb tier status --data /srv/db --json | jq 'map(select(.tier == \"hot\").bytes) | add'"},
    {0}};

static const cli_column status_columns[] = {
    {"COLLECTION", 0, false}, {"TIER", 0, false},   {"SIZE", 10, true}, {"LAST ACCESS", 20, false},
    {"ACCESSES", 0, true},    {"PINNED", 0, false}, {"ID", 0, false},   {NULL, 0, false}};

static void put_cells(cli_table *table, const void *item)
{
    const akidb_tier_status *s = item;
    cli_cell_collection(table, &s->id, s->name);
    cli_cell_text(table, akidb_tier_name(s->tier));
    cli_cell_size(table, s->bytes);
    cli_cell_time(table, s->last_access);
    cli_cell(table, "%" PRIu64, s->accesses_total);
    cli_cell_text(table, s->pinned ? "yes" : "no");
    cli_cell_uuid(table, &s->id);
}

static void put_json(cli_json *json, const void *item)
{
    const akidb_tier_status *s = item;
    cli_json_open(json, NULL, '{');
    cli_json_uuid(json, "collection_id", &s->id);
    cli_json_string(json, "name", s->name[0] != '\0' ? s->name : NULL);
    cli_json_string(json, "tier", akidb_tier_name(s->tier));
    cli_json_number(json, "bytes", s->bytes);
    cli_json_number(json, "documents", s->documents);
    if (s->last_access != 0)
        cli_json_time(json, "last_access", s->last_access);
    cli_json_number(json, "accesses", s->accesses_total);
    cli_json_number(json, "recent_accesses", s->accesses);
    cli_json_bool(json, "pinned", s->pinned);
    if (s->moved_at != 0)
        cli_json_time(json, "moved_at", s->moved_at);
    cli_json_close(json, '}');
}

static const cli_rows status_rows = {status_columns, sizeof(akidb_tier_status), put_cells,
                                     put_json};

static int run_status(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    cli_tier tier;
    akidb_error err;
    akidb_tier_status *all;
    size_t found;
    int code = cli_tier_open(session, given, &(cli_tier_how){0}, &tier);
    if (code == CLI_DONE && akidb_tiering_status(tier.tiering, &all, &found, &err) != AKIDB_OK)
        code = cli_fail(session, &err);
    else if (code == CLI_DONE) {
        code = cli_print_rows(session, &status_rows, all, found, "no collections");
        free(all);
    }
    return cli_tier_close(&tier, code);
}

const cli_command cli_cmd_tier_status = {
    .family = &cli_family_tier,
    .name = "tier status",
    .arguments = "",
    .summary = "Tell where collections lie and how they are used",
    .details = "Prints, for each collection, its tier, the memory, local disk or space in the "
               "store that it takes, when it was last accessed, how often it was, and whether it "
               "is pinned. Accesses are those that programs noted that run tiering, and 'akidb "
               "db' since the first tier command. With --quiet the heading is left out.",
    .options = no_options,
    .examples = status_examples,
    .values_size = sizeof(cli_tier_values),
    .run = run_status,
};

/* ---- pin, unpin ------------------------------------------------------------------------------ */

static const cli_example pin_examples[] = {
    {"Keep a collection where it is, whatever the policy says",
     "akidb tier pin --data /srv/db words"},
    {0}};

static const cli_example unpin_examples[] = {
    {"Let the policy have it again", "akidb tier unpin --data /srv/db words"}, {0}};

static int print_pin(cli *session, const akidb_collection_info *info, const char *typed,
                     bool pinned)
{
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_db_json_open(&json, NULL, info);
        cli_json_string(&json, "tier", akidb_tier_name(info->tier));
        cli_json_bool(&json, "pinned", pinned);
        cli_json_close(&json, '}');
        return cli_json_print(session, &json);
    }
    if (session->quiet)
        return CLI_DONE;
    printf("%s ", pinned ? "pinned" : "unpinned");
    cli_print_text(stdout, typed);
    printf(", which is %s\n", akidb_tier_name(info->tier));
    return CLI_DONE;
}

static int set_pin(cli *session, const void *given, const char *name, bool pinned)
{
    cli_tier tier;
    akidb_error err;
    akidb_collection_info info;
    int code = cli_tier_open(session, given, &(cli_tier_how){0}, &tier);
    if (code == CLI_DONE)
        code = cli_db_collection(&tier.db, name, &info);
    if (code == CLI_DONE) {
        akidb_status status = pinned ? akidb_tiering_pin(tier.tiering, &info.id, &err)
                                     : akidb_tiering_unpin(tier.tiering, &info.id, &err);
        code = status == AKIDB_OK ? print_pin(session, &info, name, pinned)
                                  : cli_db_fail(session, name, &info.id, &err);
    }
    return cli_tier_close(&tier, code);
}

static int run_pin(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    return set_pin(session, given, arguments[0], true);
}

static int run_unpin(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    return set_pin(session, given, arguments[0], false);
}

const cli_command cli_cmd_tier_pin = {
    .family = &cli_family_tier,
    .name = "tier pin",
    .arguments = "COLLECTION",
    .summary = "Keep a collection from moving down",
    .details = "A pinned collection never moves down, neither by age, nor for want of room, nor by "
               "'tier demote'. It may move up. Promote it first to pin it in memory.",
    .options = no_options,
    .examples = pin_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(cli_tier_values),
    .run = run_pin,
};

const cli_command cli_cmd_tier_unpin = {
    .family = &cli_family_tier,
    .name = "tier unpin",
    .arguments = "COLLECTION",
    .summary = "Let a collection move down again",
    .details = "It stays where it is until the policy moves it.",
    .options = no_options,
    .examples = unpin_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(cli_tier_values),
    .run = run_unpin,
};
