#include "commands.h"
#include "stats.h"
#include "wanted.h"

#include <stddef.h>

typedef struct values {
    cli_list ids;
    cli_list external_ids;
    unsigned columns;
    bool stats;
} values;

static const cli_option options[] = {
    {"id", 0, "UUID", "The document with this id", cli_read_ids, offsetof(values, ids), NULL, 0, 0},
    {"external-id", 0, "TEXT", "The documents with this external id", cli_read_texts,
     offsetof(values, external_ids), NULL, 0, 0},
    {"columns", 0, "NAME[,NAME]...", "These columns only; the document id always comes",
     cli_read_columns, offsetof(values, columns), cli_columns, 0, 0},
    CLI_STATS_OPTION(offsetof(values, stats)),
    {0}};

static const cli_example examples[] = {
    {"One document of the newest snapshot", "akidb get words --external-id king"},
    {"Two, without their vectors",
     "akidb get words 3f1c --external-id king --external-id queen --columns external_id,metadata"},
    {0}};

static akidb_status collect_names(const values *v, cli_wanted *wanted, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; status == AKIDB_OK && i < v->ids.count; i++)
        status = cli_wanted_add_id(wanted, v->ids.items[i], err);
    for (size_t i = 0; status == AKIDB_OK && i < v->external_ids.count; i++)
        status = cli_wanted_add_external_id(wanted, v->external_ids.items[i], err);
    return status == AKIDB_OK ? cli_wanted_sort(wanted, err) : status;
}

static akidb_status print_documents(const cli *session, akidb_batch batch, unsigned columns,
                                    akidb_error *err)
{
    akidb_export_options out = {
        .struct_size = sizeof out,
        .format = AKIDB_FILE_JSONL,
        .columns = columns,
        .threads = (unsigned)session->threads.value,
    };
    akidb_export *exporter;
    akidb_status status = akidb_export_open("-", batch.dimension, &out, &exporter, err);
    if (status != AKIDB_OK)
        return status;
    if ((columns & AKIDB_COLUMN_EXTERNAL_ID) == 0)
        batch.external_ids = (akidb_texts){0}; /* read only to know which have come */
    status = akidb_export_append(exporter, &batch, err);
    if (status == AKIDB_OK)
        return akidb_export_commit(exporter, err);
    akidb_export_abort(exporter);
    return status;
}

/* What is there is printed, also when something else is not. */
static akidb_status get(cli *session, const values *v, const akidb_uuid *collection,
                        const akidb_uuid *snapshot, cli_wanted *wanted, akidb_error *err)
{
    unsigned columns = v->columns != 0 ? v->columns | AKIDB_COLUMN_DOCUMENT_ID : AKIDB_COLUMNS_ALL;
    akidb_status status = collect_names(v, wanted, err);
    if (status != AKIDB_OK)
        return status;
    const akidb_filter filter = {
        .struct_size = sizeof filter,
        .ids = wanted->ids,
        .id_count = wanted->id_count,
        .external_ids = wanted->external_ids,
        .external_id_count = wanted->external_id_count,
        .columns =
            columns | (wanted->external_id_count > 0 ? (unsigned)AKIDB_COLUMN_EXTERNAL_ID : 0u),
    };
    akidb_documents *documents;
    status =
        akidb_snapshot_get(session->snapshotter, collection, snapshot, &filter, &documents, err);
    if (status != AKIDB_OK)
        return status;
    akidb_batch batch = akidb_documents_batch(documents);
    cli_wanted_see(wanted, &batch);
    if (batch.rows > 0)
        status = print_documents(session, batch, columns, err);
    akidb_documents_free(documents);
    return status == AKIDB_OK ? cli_wanted_check(wanted, err) : status;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    const values *v = given;
    if (v->ids.count + v->external_ids.count == 0)
        return cli_usage(session, "get: expected --id or --external-id");
    akidb_uuid collection, snapshot;
    session->progress.enabled = false; /* the documents may go to the same terminal */
    session->wants_stats = v->stats;
    int code = cli_open(session, NULL, "get");
    if (code == CLI_DONE)
        code = cli_snapshot(session, arguments[0], count > 1 ? arguments[1] : NULL, &collection,
                            &snapshot);
    if (code != CLI_DONE)
        return code;
    akidb_error err;
    cli_wanted wanted = {0};
    akidb_status status = get(session, v, &collection, &snapshot, &wanted, &err);
    cli_wanted_free(&wanted);
    if (status == AKIDB_OK)
        return CLI_DONE;
    fflush(stdout);
    return cli_fail(session, &err);
}

const cli_command cli_cmd_get = {
    .name = "get",
    .arguments = "COLLECTION [SNAPSHOT]",
    .summary = "Print single documents of a snapshot",
    .details =
        "Prints the documents as JSON lines on stdout, in the order in which they were written; "
        "without SNAPSHOT, of the latest. Of "
        "a Parquet snapshot only what is needed is read: the metadata, the end of each file until "
        "all are found, the ids of the row group and one page of vectors; four requests for one "
        "document of one file. A JSON snapshot is read whole.\n\n"
        "When some of those that were named are not there, the others are printed, the missing "
        "names are told, and the exit code is 3.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 2,
    .values_size = sizeof(values),
    .run = run,
};
