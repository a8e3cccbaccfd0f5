/* Single documents: get, delete, count. */
#include "commands.h"
#include "db.h"
#include "wanted.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- which documents ------------------------------------------------------------------------- */

typedef struct names {
    cli_list ids;
    cli_list external_ids;
    cli_list id_files;
} names;

#define NAME_OPTIONS(at)                                                                           \
    {"id", 0, "UUID", "The document with this id", cli_read_ids, (at) + offsetof(names, ids),      \
     NULL, 0, 0},                                                                                  \
        {"external-id",                                                                            \
         0,                                                                                        \
         "TEXT",                                                                                   \
         "The documents with this external id",                                                    \
         cli_read_texts,                                                                           \
         (at) + offsetof(names, external_ids),                                                     \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
    {                                                                                              \
        "ids", 0, "FILE",                                                                          \
            "The documents that a text file names, one a line: external ids, or UUIDs, which may " \
            "be either kind of id",                                                                \
            cli_read_files, (at) + offsetof(names, id_files), NULL, 0, 0                           \
    }

static int check_names(cli *session, const names *n)
{
    if (n->ids.count + n->external_ids.count + n->id_files.count > 0)
        return CLI_DONE;
    return cli_usage(session, "%s: expected --id, --external-id or --ids", session->command->name);
}

static akidb_status collect(const names *n, cli_wanted *wanted, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; status == AKIDB_OK && i < n->ids.count; i++)
        status = cli_wanted_add_id(wanted, n->ids.items[i], err);
    for (size_t i = 0; status == AKIDB_OK && i < n->external_ids.count; i++)
        status = cli_wanted_add_external_id(wanted, n->external_ids.items[i], err);
    for (size_t i = 0; status == AKIDB_OK && i < n->id_files.count; i++)
        status = cli_wanted_add_file(wanted, n->id_files.items[i], err);
    return status == AKIDB_OK ? cli_wanted_sort(wanted, err) : status;
}

static int compare_ids(const void *a, const void *b)
{
    return akidb_uuid_compare(a, b);
}

/* The documents that are there, each once, in the order of their ids. */
static akidb_status find(akidb_storage *storage, const akidb_uuid *collection,
                         const cli_wanted *wanted, akidb_documents *found, akidb_error *err)
{
    akidb_status status =
        akidb_storage_get(storage, collection, wanted->ids, wanted->id_count, found, NULL, err);
    for (size_t i = 0; status == AKIDB_OK && i < wanted->external_id_count; i++)
        status = akidb_storage_get_by_external_id(storage, collection, wanted->external_ids[i],
                                                  found, NULL, err);
    akidb_batch batch = akidb_documents_batch(found);
    if (status != AKIDB_OK || wanted->external_id_count == 0 || batch.rows == 0)
        return status;
    akidb_uuid *ids = calloc(batch.rows, sizeof *ids);
    if (ids == NULL)
        return cli_set_error(err, AKIDB_E_OUT_OF_MEMORY, "out of memory");
    size_t count = 0;
    for (size_t row = 0; row < batch.rows; row++)
        ids[row] = batch.document_ids[row];
    qsort(ids, batch.rows, sizeof *ids, compare_ids);
    for (size_t row = 0; row < batch.rows; row++)
        if (count == 0 || akidb_uuid_compare(&ids[count - 1], &ids[row]) != 0)
            ids[count++] = ids[row];
    akidb_documents_clear(found);
    status = akidb_storage_get(storage, collection, ids, count, found, NULL, err);
    free(ids);
    return status;
}

/* A collection, and the documents of it that were named: what get and delete begin with. */
typedef struct selection {
    cli_db db;
    akidb_collection_info info;
    cli_wanted wanted;
    akidb_documents *found;
} selection;

static int select_documents(cli *session, const cli_db_values *db, const names *n,
                            const char *collection, selection *s)
{
    akidb_error err;
    *s = (selection){.db = {.session = session}};
    int code = check_names(session, n);
    if (code == CLI_DONE && collect(n, &s->wanted, &err) != AKIDB_OK)
        code = cli_fail(session, &err);
    if (code == CLI_DONE)
        code = cli_db_open(session, db, &(cli_db_how){0}, &s->db);
    if (code == CLI_DONE)
        code = cli_db_collection(&s->db, collection, &s->info);
    if (code != CLI_DONE)
        return code;
    if (akidb_documents_new(s->info.dimension, &s->found, &err) != AKIDB_OK ||
        find(s->db.storage, &s->info.id, &s->wanted, s->found, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    akidb_batch batch = akidb_documents_batch(s->found);
    cli_wanted_see(&s->wanted, &batch);
    return CLI_DONE;
}

/* Tells the names that were not there. */
static int check_all_found(selection *s)
{
    akidb_error err;
    if (cli_wanted_check(&s->wanted, &err) == AKIDB_OK)
        return CLI_DONE;
    fflush(stdout);
    return cli_fail(s->db.session, &err);
}

static int end_selection(selection *s, int code)
{
    akidb_documents_free(s->found);
    cli_wanted_free(&s->wanted);
    return cli_db_close(&s->db, code);
}

/* ---- get ------------------------------------------------------------------------------------- */

typedef struct get_values {
    cli_db_values db;
    names names;
    unsigned columns;
    const char *out;
} get_values;

static const cli_option get_options[] = {
    NAME_OPTIONS(offsetof(get_values, names)),
    {"columns", 0, "NAME[,NAME]...", "These columns only; the document id always comes",
     cli_read_columns, offsetof(get_values, columns), cli_columns, 0, 0},
    {"output", 'o', "FILE",
     "Write to this file (.jsonl, .parquet, .npy or .fvecs) instead of stdout", cli_read_file,
     offsetof(get_values, out), NULL, 0, 0},
    {0}};

static const cli_example get_examples[] = {
    {"One document", "akidb db get --data /srv/db words --external-id king"},
    {"Many, without their vectors, to a file", "akidb db get --data /srv/db words --ids wanted.txt "
                                               "--columns external_id,metadata -o out.jsonl"},
    {0}};

static akidb_status write_documents(const cli *session, const char *path, unsigned columns,
                                    const akidb_batch *batch, akidb_error *err)
{
    const akidb_export_options options = {
        .struct_size = sizeof options,
        .format = path == NULL ? AKIDB_FILE_JSONL : AKIDB_FILE_BY_ENDING,
        .columns = columns,
        .threads = (unsigned)session->threads.value,
    };
    akidb_export *exporter;
    akidb_status status =
        akidb_export_open(path == NULL ? "-" : path, batch->dimension, &options, &exporter, err);
    if (status != AKIDB_OK)
        return status;
    status = akidb_export_append(exporter, batch, err);
    if (status == AKIDB_OK)
        return akidb_export_commit(exporter, err);
    akidb_export_abort(exporter);
    return status;
}

static int check_output(cli *session, const char *path, unsigned columns)
{
    akidb_file_format format = cli_file_format_of(path);
    if (format == AKIDB_FILE_BY_ENDING)
        return cli_usage(session,
                         "--output '%s': expected a name that ends in .npy, .fvecs, .jsonl or "
                         ".parquet, or '-'",
                         path);
    if (columns != 0 && format != AKIDB_FILE_JSONL)
        return cli_usage(session, "--columns is for .jsonl; the other formats have all columns, or "
                                  "vectors only");
    return CLI_DONE;
}

static int run_get(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    const get_values *v = given;
    const char *path = v->out != NULL ? v->out : "-";
    session->progress.enabled = false; /* the documents may go to the same terminal */
    int code = check_output(session, path, v->columns);
    if (code != CLI_DONE)
        return code;
    selection s;
    code = select_documents(session, &v->db, &v->names, arguments[0], &s);
    akidb_error err;
    unsigned columns = v->columns != 0 ? v->columns | AKIDB_COLUMN_DOCUMENT_ID : AKIDB_COLUMNS_ALL;
    if (code == CLI_DONE) {
        akidb_batch batch = akidb_documents_batch(s.found);
        if (batch.rows > 0 && write_documents(session, path, columns, &batch, &err) != AKIDB_OK)
            code = cli_fail(session, &err);
    }
    if (code == CLI_DONE)
        code = check_all_found(&s);
    return end_selection(&s, code);
}

const cli_command cli_cmd_db_get = {
    .family = &cli_family_db,
    .name = "db get",
    .arguments = "COLLECTION",
    .summary = "Print single documents of a collection",
    .details =
        "Prints the documents as JSON lines on stdout, in the order of their ids; --json changes "
        "nothing. When some of those that were named are not there, the others are printed, the "
        "missing names are told, and the exit code is 3.",
    .options = get_options,
    .examples = get_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(get_values),
    .run = run_get,
};

/* ---- delete ---------------------------------------------------------------------------------- */

typedef struct delete_values {
    cli_db_values db;
    names names;
} delete_values;

static const cli_option delete_options[] = {NAME_OPTIONS(offsetof(delete_values, names)), {0}};

static const cli_example delete_examples[] = {
    {"Delete what a file names", "akidb db delete --data /srv/db words --ids gone.txt"}, {0}};

static int delete_found(selection *s)
{
    cli *session = s->db.session;
    akidb_batch batch = akidb_documents_batch(s->found);
    akidb_error err;
    uint64_t deleted = 0;
    if (batch.rows > 0 && akidb_storage_delete(s->db.storage, &s->info.id, batch.document_ids,
                                               batch.rows, &deleted, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_db_json_open(&json, NULL, &s->info);
        cli_json_number(&json, "deleted", deleted);
        cli_json_number(&json, "documents", s->info.documents - deleted);
        cli_json_close(&json, '}');
        return cli_json_print(session, &json);
    }
    char text[CLI_COUNT_TEXT];
    if (!session->quiet)
        printf("deleted %s; the collection has %" PRIu64 "\n",
               cli_format_count(deleted, "document", text), s->info.documents - deleted);
    return CLI_DONE;
}

static int run_delete(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    const delete_values *v = given;
    selection s;
    int code = select_documents(session, &v->db, &v->names, arguments[0], &s);
    if (code == CLI_DONE)
        code = delete_found(&s);
    if (code == CLI_DONE)
        code = check_all_found(&s);
    return end_selection(&s, code);
}

const cli_command cli_cmd_db_delete = {
    .family = &cli_family_db,
    .name = "db delete",
    .arguments = "COLLECTION",
    .summary = "Delete documents of a collection",
    .details = "All that were named and are there are deleted together, or none of them. When some "
               "are not there, their names are told, and the exit code is 3. Snapshots made before "
               "still have what was deleted.",
    .options = delete_options,
    .examples = delete_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(delete_values),
    .run = run_delete,
};

/* ---- count ----------------------------------------------------------------------------------- */

static const cli_option count_options[] = {{0}};

static const cli_example count_examples[] = {
    {"How many documents there are", "akidb db count --data /srv/db words"}, {0}};

static int print_count(cli *session, const akidb_collection_info *info)
{
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_db_json_open(&json, NULL, info);
        cli_json_number(&json, "documents", info->documents);
        cli_json_close(&json, '}');
        return cli_json_print(session, &json);
    }
    printf("%" PRIu64 "\n", info->documents);
    return CLI_DONE;
}

static int run_count(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    const cli_db_values *v = given;
    cli_db db;
    akidb_error err;
    akidb_collection_info info;
    int code = cli_db_open(session, v, &(cli_db_how){0}, &db);
    if (code == CLI_DONE)
        code = cli_db_collection(&db, arguments[0], &info);
    /* The collection's own number may count some twice that were written while it was not hot. */
    if (code == CLI_DONE &&
        akidb_storage_count(db.storage, &info.id, &info.documents, &err) != AKIDB_OK)
        code = cli_fail(session, &err);
    if (code == CLI_DONE)
        code = print_count(session, &info);
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_count = {
    .family = &cli_family_db,
    .name = "db count",
    .arguments = "COLLECTION",
    .summary = "Print how many documents a collection has",
    .details = "A number and nothing else.",
    .options = count_options,
    .examples = count_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(cli_db_values),
    .run = run_count,
};
