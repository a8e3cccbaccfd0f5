#include "commands.h"
#include "json_out.h"
#include "stats.h"
#include "wanted.h"

#include <stddef.h>
#include <string.h>

typedef struct values {
    cli_list ids;
    cli_list external_ids;
    cli_list id_files;
    cli_moment inserted_after;
    cli_moment inserted_before;
    unsigned columns;
    cli_count limit;
    bool stats;
} values;

static const cli_option options[] = {
    {"id", 0, "UUID", "Restore the document with this id", cli_read_ids, offsetof(values, ids),
     NULL, 0, 0},
    {"external-id", 0, "TEXT", "Restore the documents with this external id", cli_read_texts,
     offsetof(values, external_ids), NULL, 0, 0},
    {"ids", 0, "FILE",
     "Restore the documents that a text file names, one a line: external ids, or UUIDs, which may "
     "be either kind of id",
     cli_read_files, offsetof(values, id_files), NULL, 0, 0},
    {"inserted-after", 0, "TIME",
     "Restore what was inserted at this time or after it: 2026-11-22 or 2026-11-22T09:00:00Z",
     cli_read_time, offsetof(values, inserted_after), NULL, 0, 0},
    {"inserted-before", 0, "TIME", "Restore what was inserted before this time", cli_read_time,
     offsetof(values, inserted_before), NULL, 0, 0},
    {"columns", 0, "NAME[,NAME]...",
     "Restore these columns only; the document id always comes. A .parquet file always has vector "
     "and inserted_at",
     cli_read_columns, offsetof(values, columns), cli_columns, 0, 0},
    {"limit", 0, "N", "Restore N documents at most", cli_read_count, offsetof(values, limit), NULL,
     1, UINT64_MAX},
    CLI_STATS_OPTION(offsetof(values, stats)),
    {0}};

static const cli_example examples[] = {
    {"The newest snapshot, for NumPy", "akidb restore words words.npy"},
    {"Two documents, to look at", "akidb restore words - --external-id king "
                                  "--external-id queen"},
    {"What came in November, without its vectors",
     "akidb restore notes - --inserted-after 2026-11-01 --inserted-before 2026-12-01 "
     "--columns external_id,metadata"},
    {0}};

/* ---- what to write --------------------------------------------------------------------------- */

/* Which columns to read for a file of this format. Returns an exit code, having said why. */
static int choose_columns(cli *session, const values *v, akidb_file_format format,
                          unsigned *columns_out)
{
    unsigned columns = v->columns != 0 ? v->columns | AKIDB_COLUMN_DOCUMENT_ID : AKIDB_COLUMNS_ALL;
    bool vectors_only = format == AKIDB_FILE_NPY || format == AKIDB_FILE_FVECS;
    if (vectors_only && v->columns != 0 && (columns & AKIDB_COLUMN_VECTOR) == 0)
        return cli_usage(session, "--columns: .npy and .fvecs hold vectors only; name 'vector'");
    if (vectors_only)
        columns = AKIDB_COLUMN_DOCUMENT_ID | AKIDB_COLUMN_VECTOR;
    if (format == AKIDB_FILE_PARQUET)
        columns |= AKIDB_COLUMN_VECTOR | AKIDB_COLUMN_INSERTED_AT;
    *columns_out = columns;
    return CLI_DONE;
}

/* ---- what to read ---------------------------------------------------------------------------- */

static akidb_status collect_names(const values *v, cli_wanted *wanted, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; status == AKIDB_OK && i < v->ids.count; i++)
        status = cli_wanted_add_id(wanted, v->ids.items[i], err);
    for (size_t i = 0; status == AKIDB_OK && i < v->external_ids.count; i++)
        status = cli_wanted_add_external_id(wanted, v->external_ids.items[i], err);
    for (size_t i = 0; status == AKIDB_OK && i < v->id_files.count; i++)
        status = cli_wanted_add_file(wanted, v->id_files.items[i], err);
    if (status == AKIDB_OK && v->id_files.count > 0 && wanted->count == 0)
        status = cli_set_error(err, AKIDB_E_VALIDATION, "%s: expected ids, one a line, found none",
                               v->id_files.items[0]);
    return status == AKIDB_OK ? cli_wanted_sort(wanted, err) : status;
}

/* ---- from the one to the other --------------------------------------------------------------- */

typedef struct job {
    cli *session;
    const char *path;
    akidb_file_format format;
    unsigned columns; /* that the file shall have */
    cli_wanted wanted;
    uint64_t limit;
    uint64_t restored;
    akidb_documents *documents;
    akidb_snapshot_reader *reader;
    akidb_export *exporter;
} job;

static akidb_status copy_documents(job *j, akidb_error *err)
{
    for (;;) {
        bool done;
        akidb_status status = akidb_snapshot_next(j->reader, j->documents, &done, err);
        if (status != AKIDB_OK || done)
            return status;
        akidb_batch batch = akidb_documents_batch(j->documents);
        if (j->wanted.count > 0)
            cli_wanted_see(&j->wanted, &batch);
        if ((j->columns & AKIDB_COLUMN_EXTERNAL_ID) == 0)
            batch.external_ids = (akidb_texts){0}; /* read only to know which have come */
        status = akidb_export_append(j->exporter, &batch, err);
        if (status != AKIDB_OK)
            return status;
        j->restored += batch.rows;
        if (cli_interrupted() != 0)
            return cli_set_error(err, AKIDB_E_CANCELLED, "interrupted");
    }
}

static akidb_status restore(job *j, const akidb_uuid *collection, const akidb_uuid *snapshot,
                            const akidb_filter *filter, akidb_error *err)
{
    akidb_status status =
        akidb_snapshot_open(j->session->snapshotter, collection, snapshot, filter, &j->reader, err);
    if (status != AKIDB_OK)
        return status;
    uint32_t dimension = akidb_snapshot_reader_metadata(j->reader)->dimension;
    akidb_parquet_options parquet = {.struct_size = sizeof parquet,
                                     .time_unit = AKIDB_TIME_UNIT_MICROS,
                                     .threads = (unsigned)j->session->threads.value};
    akidb_export_options out = {
        .struct_size = sizeof out,
        .format = j->format,
        .columns = j->columns,
        .parquet = &parquet,
        .threads = (unsigned)j->session->threads.value,
    };
    status = akidb_documents_new(dimension, &j->documents, err);
    if (status == AKIDB_OK)
        status = akidb_export_open(j->path, dimension, &out, &j->exporter, err);
    if (status == AKIDB_OK)
        status = copy_documents(j, err);
    /* With a limit, a document that did not come may still be there. */
    if (status == AKIDB_OK && (j->limit == 0 || j->restored < j->limit))
        status = cli_wanted_check(&j->wanted, err);
    if (status == AKIDB_OK) {
        akidb_export *whole = j->exporter;
        j->exporter = NULL;
        status = akidb_export_commit(whole, err);
    }
    return status;
}

static int print_result(const job *j, const akidb_uuid *collection, const akidb_uuid *snapshot)
{
    cli_progress_clear(&j->session->progress);
    if (j->session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_json_open(&json, NULL, '{');
        cli_json_uuid(&json, "collection_id", collection);
        cli_json_uuid(&json, "snapshot_id", snapshot);
        cli_json_number(&json, "documents", j->restored);
        cli_json_string(&json, "file", j->path);
        cli_json_close(&json, '}');
        return cli_json_print(j->session, &json);
    }
    if (!j->session->quiet && strcmp(j->path, "-") != 0) {
        char documents[CLI_COUNT_TEXT];
        printf("%s to ", cli_format_count(j->restored, "document", documents));
        cli_print_text(stdout, j->path);
        putchar('\n');
    }
    return CLI_DONE;
}

/* `snapshot` NULL: the latest. */
static int run_job(job *j, const values *v, const char *collection_name, const char *snapshot_name)
{
    akidb_uuid collection, snapshot;
    j->session->wants_stats = v->stats;
    int code = cli_open(j->session, NULL, "restore");
    if (code == CLI_DONE)
        code = cli_snapshot(j->session, collection_name, snapshot_name, &collection, &snapshot);
    if (code != CLI_DONE)
        return code;

    akidb_error err;
    akidb_status status = collect_names(v, &j->wanted, &err);
    if (status == AKIDB_OK) {
        akidb_filter filter = {
            .struct_size = sizeof filter,
            .ids = j->wanted.ids,
            .id_count = j->wanted.id_count,
            .external_ids = j->wanted.external_ids,
            .external_id_count = j->wanted.external_id_count,
            .inserted_from = v->inserted_after.set ? &v->inserted_after.value : NULL,
            .inserted_until = v->inserted_before.set ? &v->inserted_before.value : NULL,
            .columns = j->columns |
                       (j->wanted.external_id_count > 0 ? (unsigned)AKIDB_COLUMN_EXTERNAL_ID : 0u),
            .limit = v->limit.value,
        };
        status = restore(j, &collection, &snapshot, &filter, &err);
    }
    return status == AKIDB_OK ? print_result(j, &collection, &snapshot)
                              : cli_fail(j->session, &err);
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    const values *v = given;
    const char *out = arguments[count - 1];
    job j = {.session = session,
             .path = out,
             .format = cli_file_format_of(out),
             .limit = v->limit.value};
    if (j.format == AKIDB_FILE_BY_ENDING)
        return cli_usage(session,
                         "restore: '%s': expected a name that ends in .npy, .fvecs, .jsonl or "
                         ".parquet, or '-'",
                         j.path);
    if (session->json && strcmp(j.path, "-") == 0)
        return cli_usage(session, "restore: --json and '-' both want stdout");
    int code = choose_columns(session, v, j.format, &j.columns);
    if (code != CLI_DONE)
        return code;
    if (strcmp(j.path, "-") == 0)
        session->progress.enabled = false; /* the documents may go to the same terminal */
    code = run_job(&j, v, arguments[0], count > 2 ? arguments[1] : NULL);
    akidb_export_abort(j.exporter);
    akidb_snapshot_close(j.reader);
    akidb_documents_free(j.documents);
    cli_wanted_free(&j.wanted);
    return code;
}

const cli_command cli_cmd_restore = {
    .name = "restore",
    .arguments = "COLLECTION [SNAPSHOT] OUT",
    .summary = "Write the documents of a snapshot to a file",
    .details =
        "Without SNAPSHOT, the latest. OUT is .npy or .fvecs (vectors only), .jsonl or .parquet; "
        "'-' "
        "is .jsonl on stdout. Every "
        "byte that is read is checked. OUT appears only when it is whole, with mode 0600, and "
        "replaces what stood there; documents on stdout come as they are read.\n\n"
        "A document is restored if it is named by --id, --external-id or --ids (all are, if none "
        "of the three is given) and its time lies in the range. If a document that was named does "
        "not come, the missing names are told, OUT is not made, and the exit code is 3; with "
        "--limit that is told only if the limit was not reached.",
    .options = options,
    .examples = examples,
    .arguments_min = 2,
    .arguments_max = 3,
    .values_size = sizeof(values),
    .run = run,
};
