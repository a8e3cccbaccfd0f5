/* A data folder as a whole: stat, metrics. */
#include "commands.h"
#include "db.h"
#include "metrics.h"

#include <inttypes.h>
#include <stdlib.h>

static const cli_option no_options[] = {{0}};

/* ---- stat ------------------------------------------------------------------------------------ */

static const cli_example stat_examples[] = {
    {"How large it is, and how long recovery took", "akidb db stat --data /srv/db"}, {0}};

typedef struct sums {
    uint64_t collections, documents, changed;
} sums;

static akidb_status sum_collections(akidb_storage *storage, sums *out, akidb_error *err)
{
    *out = (sums){0};
    akidb_collection_info *infos;
    size_t count;
    akidb_status status = akidb_storage_collections(storage, &infos, &count, err);
    if (status != AKIDB_OK)
        return status;
    out->collections = count;
    for (size_t i = 0; i < count; i++) {
        out->documents += infos[i].documents;
        out->changed += infos[i].flushed_at == 0 || infos[i].flushed_lsn < infos[i].last_lsn;
    }
    free(infos);
    return AKIDB_OK;
}

static int print_stat_json(const cli_db *db, const sums *s, const cli_metrics *m)
{
    cli_json json;
    cli_json_begin(&json);
    cli_json_open(&json, NULL, '{');
    cli_json_string(&json, "data", db->folder);
    cli_json_string(&json, "store", akidb_store_name(db->session->store));
    cli_json_number(&json, "collections", s->collections);
    cli_json_number(&json, "changed", s->changed);
    cli_json_number(&json, "documents", s->documents);
    cli_json_number(&json, "memory_bytes", cli_metrics_number(m, "akidb_memory_bytes"));
    cli_json_number(&json, "wal_bytes", cli_metrics_number(m, "akidb_wal_size_bytes"));
    cli_json_number(&json, "wal_segments", cli_metrics_number(m, "akidb_wal_segments"));
    cli_json_number(&json, "last_lsn", cli_metrics_number(m, "akidb_wal_last_lsn"));
    cli_json_open(&json, "recovery", '{');
    cli_json_number(&json, "microseconds", (uint64_t)db->recovered.duration);
    cli_json_number(&json, "entries", db->recovered.log_entries);
    cli_json_bool(&json, "torn", db->recovered.torn);
    cli_json_number(&json, "dropped_entries", db->recovered.dropped_entries);
    cli_json_number(&json, "older_snapshots", db->recovered.older_snapshots);
    cli_json_string(&json, "detail", db->recovered.detail);
    cli_json_close(&json, '}');
    cli_json_close(&json, '}');
    return cli_json_print(db->session, &json);
}

static int print_stat(const cli_db *db, const sums *s, const cli_metrics *m)
{
    cli_progress_clear(&db->session->progress);
    if (db->session->json)
        return print_stat_json(db, s, m);
    char size[CLI_SIZE_TEXT], text[CLI_COUNT_TEXT];
    printf("data         ");
    cli_print_text(stdout, db->folder);
    printf("\nstore        ");
    cli_print_text(stdout, akidb_store_name(db->session->store));
    printf("\ncollections  %" PRIu64 ", of which %" PRIu64 " changed since the last snapshot\n",
           s->collections, s->changed);
    printf("documents    %" PRIu64 "\n", s->documents);
    printf("memory       %s\n", cli_format_size(cli_metrics_number(m, "akidb_memory_bytes"), size));
    printf("log          %s in %s, up to LSN %" PRIu64 "\n",
           cli_format_size(cli_metrics_number(m, "akidb_wal_size_bytes"), size),
           cli_format_count(cli_metrics_number(m, "akidb_wal_segments"), "segment", text),
           cli_metrics_number(m, "akidb_wal_last_lsn"));
    printf("recovery     %" PRId64 ".%03" PRId64 " s, with %" PRIu64 " entr%s of the log\n",
           db->recovered.duration / 1000000, db->recovered.duration / 1000 % 1000,
           db->recovered.log_entries, db->recovered.log_entries == 1 ? "y" : "ies");
    return CLI_DONE;
}

static int run_stat(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    cli_db db;
    akidb_error err;
    sums s;
    cli_metrics metrics = {0};
    int code = cli_db_open(session, given, &(cli_db_how){0}, &db);
    if (code == CLI_DONE)
        code = sum_collections(db.storage, &s, &err) == AKIDB_OK &&
                       cli_metrics_of_storage(&metrics, db.storage, &err) == AKIDB_OK
                   ? print_stat(&db, &s, &metrics)
                   : cli_fail(session, &err);
    cli_metrics_free(&metrics);
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_stat = {
    .family = &cli_family_db,
    .name = "db stat",
    .arguments = "",
    .summary = "Tell how large a data folder is",
    .details = "Opens the data folder, which recovers it, and tells how many collections and "
               "documents it has, the memory that they take, the size of the log, and how long "
               "recovery took.",
    .options = no_options,
    .examples = stat_examples,
    .values_size = sizeof(cli_db_values),
    .run = run_stat,
};

/* ---- metrics --------------------------------------------------------------------------------- */

static const cli_example metrics_examples[] = {
    {"All of them", "akidb db metrics --data /srv/db"},
    {"One of them", "akidb db metrics --data /srv/db | grep ^akidb_wal_size_bytes"},
    {0}};

static void label_json(void *context, const char *name, const char *value)
{
    cli_json_string(context, name, value);
}

static int print_metrics_json(cli *session, const cli_metrics *metrics)
{
    cli_json json;
    cli_json_begin(&json);
    cli_json_open(&json, NULL, '[');
    for (size_t i = 0; i < metrics->count; i++) {
        const cli_metric *m = &metrics->items[i];
        cli_json_open(&json, NULL, '{');
        cli_json_string(&json, "name", m->name);
        cli_json_string(&json, "type", m->type);
        cli_json_string(&json, "help", m->help);
        cli_json_open(&json, "samples", '[');
        for (size_t j = 0; j < m->count; j++) {
            cli_json_open(&json, NULL, '{');
            if (*m->samples[j].suffix != '\0')
                cli_json_string(&json, "suffix", m->samples[j].suffix);
            cli_json_open(&json, "labels", '{');
            cli_metrics_each_label(&m->samples[j], label_json, &json);
            cli_json_close(&json, '}');
            cli_json_raw(&json, "value", m->samples[j].value);
            cli_json_close(&json, '}');
        }
        cli_json_close(&json, ']');
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    return cli_json_print(session, &json);
}

static int run_metrics(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    cli_db db;
    akidb_error err;
    cli_metrics metrics = {0};
    int code = cli_db_open(session, given, &(cli_db_how){0}, &db);
    if (code == CLI_DONE && cli_metrics_of_storage(&metrics, db.storage, &err) != AKIDB_OK)
        code = cli_fail(session, &err);
    cli_progress_clear(&session->progress);
    if (code == CLI_DONE && session->json)
        code = print_metrics_json(session, &metrics);
    else if (code == CLI_DONE)
        cli_metrics_print(stdout, &metrics);
    cli_metrics_free(&metrics);
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_metrics = {
    .family = &cli_family_db,
    .name = "db metrics",
    .arguments = "",
    .summary = "Print the metrics of a data folder",
    .details = "In Prometheus' text format, as a program that embeds the library would serve them. "
               "Counters begin with the command: those of many runs come together in the file "
               "that --metrics-file names.",
    .options = no_options,
    .examples = metrics_examples,
    .values_size = sizeof(cli_db_values),
    .run = run_metrics,
};
