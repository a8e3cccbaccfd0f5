/* Looks at a data folder and at the snapshots that it needs, without opening it. */
#include "commands.h"
#include "db.h"
#include "run_report.h"
#include "verify.h"

#include "akidb/verify.h"

#include <inttypes.h>

typedef struct values {
    cli_db_values db;
    int level;
} values;

static const cli_option options[] = {CLI_VERIFY_LEVEL_OPTION(offsetof(values, level)), {0}};

static const cli_example examples[] = {
    {"All that would be needed to bring everything back", "akidb db verify --data /srv/db"},
    {"From cron, beside the program that has the folder open",
     "akidb -q db verify --data /srv/db --store s3://vectors/prod --level checksum"},
    {0}};

static const char *part_name(akidb_data_part part)
{
    switch (part) {
    case AKIDB_DATA_CATALOGUE: return "catalogue";
    case AKIDB_DATA_LOG: return "log";
    case AKIDB_DATA_SNAPSHOT: return "snapshot";
    case AKIDB_DATA_LOCAL_COPY: return "local copy";
    }
    return "?";
}

typedef struct look {
    cli *session;
    cli_json json; /* an array, with --json */
    int code;
    bool missing; /* a snapshot is */
} look;

static bool is_of_collection(const akidb_data_finding *f)
{
    return f->part == AKIDB_DATA_SNAPSHOT || f->part == AKIDB_DATA_LOCAL_COPY;
}

static void print_count(const akidb_data_finding *f)
{
    if (f->outcome > AKIDB_VERIFY_UNCHECKED)
        return;
    char text[CLI_COUNT_TEXT], size[CLI_SIZE_TEXT];
    const char *noun = f->part == AKIDB_DATA_CATALOGUE ? "collection" : "document";
    if (f->part == AKIDB_DATA_LOG)
        printf("%" PRIu64 " entr%s", f->count, f->count == 1 ? "y" : "ies");
    else if (f->count > 0 || f->part == AKIDB_DATA_CATALOGUE)
        fputs(cli_format_count(f->count, noun, text), stdout);
    else
        fputs("there", stdout);
    if (f->bytes_read > 0)
        printf(", %s read", cli_format_size(f->bytes_read, size));
    if (f->torn)
        fputs(", its end an unfinished write, which nobody was promised", stdout);
}

static void report_text(cli *session, const akidb_data_finding *f)
{
    char id[AKIDB_UUID_TEXT_SIZE];
    bool well = f->outcome <= AKIDB_VERIFY_UNCHECKED;
    cli_progress_clear(&session->progress);
    if (session->quiet && well)
        return;
    const char *part = part_name(f->part);
    if (well || is_of_collection(f))
        printf("%-11s  %-10s  ", cli_outcome_name(f->outcome), part);
    else
        printf("%-11s  %s", cli_outcome_name(f->outcome), part);
    if (is_of_collection(f)) {
        akidb_uuid_format(&f->collection, id);
        cli_print_text(stdout, f->name != NULL ? f->name : id);
        akidb_uuid_format(&f->snapshot_id, id);
        printf(" (%s) %s%s", akidb_tier_name(f->tier), id, well ? ": " : "");
    }
    print_count(f);
    putchar('\n');
    fflush(stdout);
    if (!well)
        cli_say(session, "%s", f->problem.message);
    if (!well && f->part == AKIDB_DATA_LOCAL_COPY)
        cli_say(session,
                "the store serves it; 'akidb tier promote --to warm' makes the copy again");
}

static void report_json(cli_json *json, const akidb_data_finding *f)
{
    cli_json_open(json, NULL, '{');
    cli_json_string(json, "part", part_name(f->part));
    cli_json_string(json, "outcome", cli_outcome_name(f->outcome));
    if (is_of_collection(f)) {
        cli_json_uuid(json, "collection_id", &f->collection);
        cli_json_string(json, "name", f->name);
        cli_json_string(json, "tier", akidb_tier_name(f->tier));
        cli_json_uuid(json, "snapshot_id", &f->snapshot_id);
    }
    cli_json_number(json, "count", f->count);
    cli_json_number(json, "bytes_read", f->bytes_read);
    if (f->torn)
        cli_json_bool(json, "torn", true);
    cli_json_string(json, "problem",
                    f->outcome > AKIDB_VERIFY_UNCHECKED ? f->problem.message : NULL);
    cli_json_close(json, '}');
}

static akidb_status see(void *context, const akidb_data_finding *finding, akidb_error *err)
{
    look *l = context;
    l->code = cli_exit_worse(l->code, cli_exit_of_outcome(finding->outcome));
    if (finding->outcome == AKIDB_VERIFY_MISSING && finding->part == AKIDB_DATA_SNAPSHOT)
        l->missing = true;
    if (l->session->json)
        report_json(&l->json, finding);
    else
        report_text(l->session, finding);
    cli_progress_begin(&l->session->progress, "verify");
    return cli_interrupted() == 0 ? AKIDB_OK : cli_set_error(err, AKIDB_E_CANCELLED, "interrupted");
}

static int verify(cli *session, const values *v, const char *folder)
{
    look l = {.session = session};
    const akidb_snapshotter_options snapshots = {.struct_size = sizeof snapshots,
                                                 .threads = (unsigned)session->threads.value,
                                                 .hooks = cli_hooks(session)};
    const akidb_storage_verify_options how = {.struct_size = sizeof how,
                                              .data_folder = folder,
                                              .store = session->store,
                                              .level = (akidb_verify_level)v->level,
                                              .snapshots = &snapshots,
                                              .context = &l,
                                              .finding = see};
    if (session->json) {
        cli_json_begin(&l.json);
        cli_json_open(&l.json, NULL, '[');
    }
    akidb_error err;
    akidb_verify_outcome worst;
    if (akidb_storage_verify(&how, &worst, &err) != AKIDB_OK) {
        cli_json_free(&l.json);
        return cli_exit_worse(l.code, cli_fail(session, &err));
    }
    int level = v->level != AKIDB_VERIFY_DEFAULT ? v->level : AKIDB_VERIFY_DECODE;
    if (l.code == CLI_DONE)
        cli_run_add(session, CLI_LAST_GOOD_VERIFY_TIME, cli_choice_name(cli_verify_levels, level),
                    cli_run_now());
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json_close(&l.json, ']');
        return cli_exit_worse(l.code, cli_json_print(session, &l.json));
    }
    if (l.missing)
        cli_say(session, "a snapshot that is missing may lie in another --store");
    return l.code;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    const values *v = given;
    const char *folder;
    int code = cli_db_folder(session, &v->db, &folder);
    if (code == CLI_DONE)
        code = cli_db_check_there(session, folder);
    if (code == CLI_DONE)
        code = cli_db_open_store(session, folder);
    if (code == CLI_DONE)
        code = cli_open(session, NULL, "verify");
    return code == CLI_DONE ? verify(session, v, folder) : code;
}

const cli_command cli_cmd_db_verify = {
    .family = &cli_family_db,
    .name = "db verify",
    .arguments = "",
    .summary = "Check a data folder and all that it needs",
    .details =
        "Reads the catalogue, the whole log, and the snapshots that the collections rest on: those "
        "from which hot ones would be recovered, the local copies of warm ones, and in the store "
        "the only copies of cold ones. Prints a line for each. Outcomes and exit codes are those "
        "of 'akidb verify'; with --quiet only what is not well is printed. The catalogue has the "
        "collections as of the last flush or move; newer ones are in the log.\n\n"
        "Nothing is changed and no lock is taken: it works on a folder that all other commands "
        "refuse to open, and on one that is in use. A damaged local copy is no loss, for the store "
        "has the same bytes. Older snapshots, which nothing rests on, are checked by 'akidb "
        "verify'.",
    .options = options,
    .examples = examples,
    .values_size = sizeof(values),
    .run = run,
};
