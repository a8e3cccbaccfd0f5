#include "tier.h"
#include "run_report.h"

const cli_choice cli_tiers[] = {
    {"hot", AKIDB_TIER_HOT}, {"warm", AKIDB_TIER_WARM}, {"cold", AKIDB_TIER_COLD}, {NULL, 0}};

static const cli_option family_options[] = {
    {"data", 0, "DIR", "The data folder; must be given", cli_read_file,
     offsetof(cli_tier_values, db.data), NULL, 0, 0},
    CLI_METRICS_FILE_OPTION(offsetof(cli_tier_values, db.metrics_file)),
    {0}};

static const cli_example family_examples[] = {
    {"See where collections lie", "akidb tier --data /srv/db status"},
    {"What would move now, and why", "akidb tier --data /srv/db run --dry-run"},
    {"Keep one in memory", "akidb tier --data /srv/db pin words"},
    {0}};

const cli_family cli_family_tier = {
    .name = "tier",
    .summary = "Move the collections of a data folder between memory, disk and object store",
    .details =
        "A collection is hot (its documents are in memory), warm (a Parquet file in the data "
        "folder, read by page) or cold (a snapshot in the object store, and nothing here). It can "
        "be read and written in every tier. A policy moves it by how it is used: down when nobody "
        "has accessed it for long or a budget is passed, up when it is accessed.\n\n"
        "One process has a data folder at a time: these commands work on a folder that nobody has "
        "open. A program that embeds the library runs the same policy by itself (akidb/tiering.h), "
        "and these commands see what it has noted of accesses and pins. From the first tier "
        "command "
        "on 'akidb db' notes accesses, too.\n\n"
        "Cold snapshots lie in --store, by default in the folder DIR/store. Give the same store "
        "each time. The variable AKIDB_STORE is not used here.",
    .options = family_options,
    .examples = family_examples,
    .values_size = sizeof(cli_tier_values),
};

/* 0, the default, when it was not given. */
static uint64_t duration(const cli_moment *moment)
{
    return moment->set ? (uint64_t)moment->value : 0;
}

static akidb_tier_policy policy_of(const cli_tier_policy *given)
{
    akidb_tier_policy policy = {.struct_size = sizeof policy};
    if (given == NULL)
        return policy;
    policy.hot_idle = duration(&given->hot_idle);
    policy.warm_idle = duration(&given->warm_idle);
    policy.promote_accesses = (uint32_t)given->promote_accesses.value;
    policy.promote_window = duration(&given->promote_window);
    policy.promote_cold = given->keep_cold ? AKIDB_OFF : AKIDB_DEFAULT;
    policy.hot_budget = given->hot_budget.value;
    policy.warm_budget = given->warm_budget.value;
    return policy;
}

int cli_tier_open(cli *session, const cli_tier_values *v, const cli_tier_how *how,
                  cli_tier *tier_out)
{
    *tier_out = (cli_tier){.tiering = NULL, .db = {.session = session}};
    const cli_tier_policy *p = how->policy;
    if (p != NULL && p->hot_idle.set && p->warm_idle.set && p->warm_idle.value < p->hot_idle.value)
        return cli_usage(session, "--warm-idle: expected at least as long as --hot-idle");
    const cli_db_how db_how = {.flushing = how->moving != NULL ? &how->moving->flushing : NULL,
                               .flushes_itself = how->flushes_itself,
                               .has_tiering = true};
    int code = cli_db_open(session, &v->db, &db_how, &tier_out->db);
    if (code != CLI_DONE)
        return code;
    const akidb_hooks hooks = cli_hooks(session);
    const akidb_tier_policy policy = policy_of(how->policy);
    const akidb_tiering_options options = {
        .struct_size = sizeof options,
        .policy = how->policy != NULL ? &policy : NULL,
        .data_folder = tier_out->db.folder,
        .interval = duration(&how->every),
        .bytes_per_second = how->moving != NULL ? how->moving->max_rate.value : 0,
        .hooks = &hooks,
    };
    akidb_error err;
    akidb_status status =
        akidb_tiering_open(tier_out->db.storage, &options, &tier_out->tiering, &err);
    if (status == AKIDB_E_VALIDATION)
        return cli_usage(session, "%s", err.message);
    return status == AKIDB_OK ? CLI_DONE : cli_fail(session, &err);
}

int cli_tier_close(cli_tier *tier, int code)
{
    akidb_error err;
    if (akidb_tiering_close(tier->tiering, &err) != AKIDB_OK)
        code = cli_exit_worse(code, cli_fail(tier->db.session, &err));
    return cli_db_close(&tier->db, code);
}
