/* Looks at the log of a data folder, without opening it. */
#include "commands.h"
#include "db.h"

#include <inttypes.h>

typedef struct values {
    cli_db_values db;
    bool summary;
} values;

static const cli_option options[] = {
    {"summary", 0, NULL, "Read all of it, but tell of segments and entries only how many there are",
     cli_read_flag, offsetof(values, summary), NULL, 0, 0},
    {0}};

static const cli_example examples[] = {
    {"Is the log whole?", "akidb db wal --data /srv/db --summary"},
    {"What --recovery salvage would keep and drop",
     "akidb db wal --data /srv/db --recovery salvage"},
    {0}};

typedef struct dump {
    cli *session;
    const values *v;
    cli_json segments, entries; /* arrays, with --json */
    uint64_t segment_count, entry_count;
} dump;

/* ---- one after the other --------------------------------------------------------------------- */

static akidb_status take_segment(void *context, const akidb_wal_segment *segment, akidb_error *err)
{
    dump *d = context;
    d->segment_count++;
    if (cli_interrupted() != 0)
        return cli_set_error(err, AKIDB_E_CANCELLED, "interrupted");
    if (d->v->summary)
        return AKIDB_OK;
    if (d->session->json) {
        cli_json_open(&d->segments, NULL, '{');
        cli_json_number(&d->segments, "number", segment->number);
        cli_json_number(&d->segments, "first_lsn", segment->first_lsn);
        cli_json_time(&d->segments, "created_at", segment->created_at);
        cli_json_number(&d->segments, "file_bytes", segment->bytes);
        cli_json_bool(&d->segments, "rewritten", segment->rewritten);
        cli_json_close(&d->segments, '}');
        return AKIDB_OK;
    }
    char time[AKIDB_TIME_TEXT_SIZE], size[CLI_SIZE_TEXT];
    printf("segment %" PRIu64 ", made %s, a file of %s, from LSN %" PRIu64 "%s\n", segment->number,
           cli_format_time(segment->created_at, time), cli_format_size(segment->bytes, size),
           segment->first_lsn, segment->rewritten ? ", rewritten by a recovery" : "");
    return AKIDB_OK;
}

static bool names_snapshot(akidb_wal_kind kind)
{
    return kind == AKIDB_WAL_RESTORE || kind == AKIDB_WAL_CHECKPOINT;
}

static void entry_json(cli_json *json, const akidb_wal_entry *e)
{
    cli_json_open(json, NULL, '{');
    cli_json_number(json, "lsn", e->lsn);
    cli_json_string(json, "kind", akidb_wal_kind_name(e->kind));
    cli_json_bool(json, "whole", e->whole);
    cli_json_number(json, "segment", e->segment);
    cli_json_number(json, "offset", e->offset);
    cli_json_number(json, "records", e->records);
    cli_json_number(json, "payload_bytes", e->bytes);
    cli_json_number(json, "durable_lsn", e->durable_lsn);
    if (e->whole) {
        cli_json_uuid(json, "collection_id", &e->collection);
        cli_json_uuid(json, "incarnation", &e->incarnation);
    }
    if (e->documents > 0)
        cli_json_number(json, "documents", e->documents);
    if (e->dimension > 0)
        cli_json_number(json, "dimension", e->dimension);
    if (e->name != NULL)
        cli_json_string(json, "name", e->name);
    if (e->whole && names_snapshot(e->kind))
        cli_json_uuid(json, "snapshot_id", &e->snapshot_id);
    if (e->whole && e->kind == AKIDB_WAL_CHECKPOINT)
        cli_json_number(json, "snapshot_lsn", e->checkpoint_lsn);
    cli_json_close(json, '}');
}

static void print_detail(const akidb_wal_entry *e)
{
    char text[CLI_COUNT_TEXT], id[AKIDB_UUID_TEXT_SIZE];
    if (e->documents > 0)
        printf("  %s", cli_format_count(e->documents, "document", text));
    if (e->dimension > 0)
        printf("%s dimension %" PRIu32, e->documents > 0 ? "," : " ", e->dimension);
    if (e->name != NULL) {
        printf(", '");
        cli_print_text(stdout, e->name);
        putchar('\'');
    }
    if (names_snapshot(e->kind)) {
        akidb_uuid_format(&e->snapshot_id, id);
        printf("%s snapshot %s", e->dimension > 0 ? "," : " ", id);
    }
    if (e->kind == AKIDB_WAL_CHECKPOINT)
        printf(", up to LSN %" PRIu64, e->checkpoint_lsn);
}

static void print_entry(const akidb_wal_entry *e)
{
    char id[AKIDB_UUID_TEXT_SIZE], size[CLI_SIZE_TEXT];
    printf("  %10" PRIu64 "  %-10s  at %-10" PRIu64 "  %10s", e->lsn, akidb_wal_kind_name(e->kind),
           e->offset, cli_format_size(e->bytes, size));
    if (e->whole) {
        akidb_uuid_format(&e->collection, id);
        printf("  %s", id);
        print_detail(e);
    } else {
        printf("  not whole");
    }
    putchar('\n');
}

static akidb_status take_entry(void *context, const akidb_wal_entry *entry, akidb_error *err)
{
    dump *d = context;
    d->entry_count++;
    if (cli_interrupted() != 0)
        return cli_set_error(err, AKIDB_E_CANCELLED, "interrupted");
    if (d->v->summary)
        return AKIDB_OK;
    if (d->session->json)
        entry_json(&d->entries, entry);
    else
        print_entry(entry);
    return AKIDB_OK;
}

/* ---- and the whole --------------------------------------------------------------------------- */

static bool drops(const akidb_wal_report *r)
{
    return r->dropped_entries > 0 || r->dropped_bytes > 0;
}

static void print_report(const akidb_wal_report *r)
{
    char size[CLI_SIZE_TEXT], text[CLI_COUNT_TEXT];
    printf("%" PRIu64 " entr%s", r->entries, r->entries == 1 ? "y" : "ies");
    if (r->entries > 0)
        printf(", LSN %" PRIu64 " to %" PRIu64, r->first_lsn, r->last_lsn);
    printf(", %s in %s\n", cli_format_size(r->bytes, size),
           cli_format_count(r->segments, "segment", text));
    if (r->torn)
        printf("the end is torn: %s at offset %" PRIu64
               " of %s are an unfinished write, which nobody was promised\n",
               cli_format_size(r->torn_bytes, size), r->torn_offset, r->torn_segment);
    if (drops(r))
        printf("damaged: recovery would drop at least %" PRIu64 " entr%s, %s, from %s on\n",
               r->dropped_entries, r->dropped_entries == 1 ? "y" : "ies",
               cli_format_size(r->dropped_bytes, size), r->dropped_from);
}

static void report_json(cli_json *json, const akidb_wal_report *r)
{
    cli_json_uuid(json, "log_id", &r->log_id);
    cli_json_number(json, "segment_count", r->segments);
    cli_json_number(json, "entry_count", r->entries);
    cli_json_number(json, "written_bytes", r->bytes);
    cli_json_number(json, "first_lsn", r->first_lsn);
    cli_json_number(json, "last_lsn", r->last_lsn);
    if (r->torn) {
        cli_json_open(json, "torn", '{');
        cli_json_string(json, "file", r->torn_segment);
        cli_json_number(json, "offset", r->torn_offset);
        cli_json_number(json, "torn_bytes", r->torn_bytes);
        cli_json_close(json, '}');
    }
    if (drops(r)) {
        cli_json_open(json, "dropped", '{');
        cli_json_number(json, "entries", r->dropped_entries);
        cli_json_number(json, "dropped_bytes", r->dropped_bytes);
        cli_json_string(json, "from", r->dropped_from);
        cli_json_close(json, '}');
    }
}

/* With a problem there is no report, only what was told before it. */
static int print_json(dump *d, const akidb_wal_report *r, const char *problem)
{
    cli_json json;
    cli_json_begin(&json);
    cli_json_open(&json, NULL, '{');
    if (problem == NULL)
        report_json(&json, r);
    cli_json_string(&json, "problem", problem);
    if (!d->v->summary) {
        cli_json_close(&d->segments, ']');
        cli_json_close(&d->entries, ']');
        cli_json_add(&json, "segments", &d->segments);
        cli_json_add(&json, "entries", &d->entries);
    }
    cli_json_close(&json, '}');
    return cli_json_print(d->session, &json);
}

static int check(dump *d, const char *folder)
{
    akidb_error err;
    akidb_wal_report report;
    int recovery = d->v->db.recovery;
    const akidb_wal_visitor visitor = {d, take_segment, take_entry};
    akidb_status status = akidb_wal_check(folder, (akidb_recovery)(recovery > 0 ? recovery - 1 : 0),
                                          &visitor, &report, &err);
    int code = CLI_DONE;
    if (d->session->json)
        code = print_json(d, &report, status == AKIDB_OK ? NULL : err.message);
    else if (status == AKIDB_OK)
        print_report(&report);
    fflush(stdout);
    if (status != AKIDB_OK)
        return cli_exit_worse(code, cli_fail(d->session, &err));
    return drops(&report) ? cli_exit_worse(code, CLI_CORRUPT) : code;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    const values *v = given;
    const char *folder;
    dump d = {.session = session, .v = v};
    int code = cli_db_folder(session, &v->db, &folder);
    if (code == CLI_DONE)
        code = cli_db_check_there(session, folder);
    if (code != CLI_DONE)
        return code;
    if (session->json) {
        cli_json_begin(&d.segments);
        cli_json_open(&d.segments, NULL, '[');
        cli_json_begin(&d.entries);
        cli_json_open(&d.entries, NULL, '[');
    }
    code = check(&d, folder);
    cli_json_free(&d.segments);
    cli_json_free(&d.entries);
    return code;
}

const cli_command cli_cmd_db_wal = {
    .family = &cli_family_db,
    .name = "db wal",
    .arguments = "",
    .summary = "Print the log and check it",
    .details =
        "Reads every byte of the log and prints its segments and entries: LSN, kind, offset in the "
        "segment, size, collection, and what was written. Nothing is changed and no lock is taken: "
        "it works on a log that all other commands refuse to open, and on one that is in use, "
        "whose end may then seem torn.\n\n"
        "An unfinished write at the end is no damage: nobody was told that it was done. Damage is "
        "told, after all entries before it, and the exit code is 4. With --recovery up-to or "
        "salvage it goes on, and tells what such a recovery would drop.",
    .options = options,
    .examples = examples,
    .values_size = sizeof(values),
    .run = run,
};
