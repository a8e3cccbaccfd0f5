#include "commands.h"
#include "db.h"
#include "sources.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

typedef struct values {
    cli_db_values db;
    cli_source_values source;
    cli_count batch_rows;
    bool ack;
    bool no_create;
    cli_db_flushing flushing;
} values;

enum { BATCH_ROWS = 1000, BATCH_ROWS_MAX = 1000000 };

static const cli_option options[] = {
    {"ack", 0, NULL,
     "Print a line after each batch, as soon as it is as safe as --durability says: how many "
     "documents have been inserted so far. Nothing else goes to stdout",
     cli_read_flag, offsetof(values, ack), NULL, 0, 0},
    {"batch-rows", 0, "N",
     "Insert N documents at a time, each batch wholly or not at all; default 1000. A batch waits "
     "for the disk once",
     cli_read_count, offsetof(values, batch_rows), NULL, 1, BATCH_ROWS_MAX},
    {"no-create", 0, NULL, "Do not make the collection when it is not there", cli_read_flag,
     offsetof(values, no_create), NULL, 0, 0},
    CLI_SOURCE_OPTIONS(offsetof(values, source)),
    CLI_DB_FLUSHING_OPTIONS(offsetof(values, flushing)),
    {0}};

static const cli_example examples[] = {
    {"Vectors from NumPy, with a name for each",
     "akidb db insert --data /srv/db words glove.npy --ids words.txt"},
    {"Documents from another program, one at a time, with a receipt for each",
     "produce | akidb db insert --data /srv/db notes - --batch-rows 1 --ack"},
    {0}};

typedef struct job {
    cli_db db;
    const values *v;
    const char *name;
    const char *first_path; /* of the files */
    akidb_uuid collection;
    cli_ahead *ahead;
    akidb_documents *piece; /* rows of a batch that is too large, and cannot be cut at them */
    size_t batch_rows;
    uint64_t rows; /* of all files; 0: not known */
    uint64_t inserted;
    bool created;
} job;

/* ---- the collection -------------------------------------------------------------------------- */

/* The collection must be there, and have the documents' dimension; otherwise it is made. */
static int prepare_collection(job *j, uint32_t dimension)
{
    akidb_error err;
    akidb_collection_info info;
    akidb_status status = akidb_storage_collection(j->db.storage, &j->collection, &info, &err);
    if (status == AKIDB_E_NOT_FOUND && !j->v->no_create) {
        j->created = true;
        status = akidb_storage_create_collection(j->db.storage, &j->collection, dimension,
                                                 cli_db_given_name(j->name), &err);
        return status == AKIDB_OK ? CLI_DONE : cli_fail(j->db.session, &err);
    }
    int code = cli_db_collection(&j->db, j->name, &info);
    if (code != CLI_DONE || info.dimension == dimension)
        return code;
    cli_say(j->db.session,
            "collection '%s' has dimension %" PRIu32 ", the documents have dimension %" PRIu32,
            j->name, info.dimension, dimension);
    return CLI_INVALID;
}

/* ---- batches --------------------------------------------------------------------------------- */

/* Copies rows that lie across bytes of the validity bitmaps. */
static akidb_status cut(job *j, const akidb_batch *batch, size_t first, size_t rows,
                        akidb_batch *cut_out, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    if (j->piece == NULL)
        status = akidb_documents_new(batch->dimension, &j->piece, err);
    if (status == AKIDB_OK)
        akidb_documents_clear(j->piece);
    for (size_t row = first; status == AKIDB_OK && row < first + rows; row++) {
        const akidb_document document = {
            .document_id = batch->document_ids != NULL ? &batch->document_ids[row] : NULL,
            .external_id = akidb_texts_at(&batch->external_ids, row),
            .vector = batch->vectors + row * batch->dimension,
            .dimension = batch->dimension,
            .metadata = akidb_texts_at(&batch->metadata, row),
            .inserted_at = batch->inserted_at != NULL ? &batch->inserted_at[row] : NULL,
        };
        status = akidb_documents_append(j->piece, &document, err);
    }
    if (status == AKIDB_OK)
        *cut_out = akidb_documents_batch(j->piece);
    return status;
}

static int acknowledge(const job *j)
{
    if (!j->v->ack)
        return CLI_DONE;
    printf("%" PRIu64 "\n", j->inserted);
    if (fflush(stdout) == 0)
        return CLI_DONE;
    (void)cli_interrupt_by_closed_pipe(j->db.session);
    return CLI_FAILED; /* main says why */
}

/* A file of Parquet comes by whole row groups, whatever number of rows was asked for. */
static int insert_pieces(job *j, const akidb_batch *batch)
{
    akidb_error err;
    for (size_t first = 0; first < batch->rows;) {
        const akidb_progress progress = {.rows_done = j->inserted, .rows_total = j->rows};
        if (!cli_progress_hook(&j->db.session->progress, &progress)) {
            cli_set_error(&err, AKIDB_E_CANCELLED, "interrupted");
            return cli_fail(j->db.session, &err);
        }
        size_t left = batch->rows - first, rows = left < j->batch_rows ? left : j->batch_rows;
        akidb_batch piece;
        akidb_status status = AKIDB_OK;
        if (first % 8 == 0)
            piece = akidb_batch_rows(batch, first, rows);
        else
            status = cut(j, batch, first, rows, &piece, &err);
        if (status == AKIDB_OK)
            status = akidb_storage_upsert(j->db.storage, &j->collection, &piece, NULL, &err);
        if (status != AKIDB_OK)
            return cli_sources_fail(j->db.session, j->ahead, j->inserted, &err);
        first += rows;
        j->inserted += rows;
        int code = acknowledge(j);
        if (code != CLI_DONE)
            return code;
    }
    return CLI_DONE;
}

static int insert_all(job *j)
{
    akidb_error err;
    const akidb_documents *documents;
    if (cli_ahead_next(j->ahead, &documents, &err) != AKIDB_OK)
        return cli_sources_fail(j->db.session, NULL, 0, &err);
    uint32_t dimension = cli_ahead_dimension(j->ahead);
    if (dimension == 0) {
        cli_say(j->db.session, "%s: expected documents, found none", j->first_path);
        return CLI_INVALID;
    }
    int code = prepare_collection(j, dimension);
    while (code == CLI_DONE && documents != NULL) {
        akidb_batch batch = akidb_documents_batch(documents);
        code = insert_pieces(j, &batch);
        if (code == CLI_DONE && cli_ahead_next(j->ahead, &documents, &err) != AKIDB_OK)
            code = cli_sources_fail(j->db.session, NULL, 0, &err);
    }
    return code;
}

/* ---- results --------------------------------------------------------------------------------- */

static int print_result(job *j)
{
    cli *session = j->db.session;
    akidb_collection_info info;
    cli_progress_clear(&session->progress);
    if (j->v->ack || (session->quiet && !session->json))
        return CLI_DONE;
    int code = cli_db_collection(&j->db, j->name, &info);
    if (code != CLI_DONE)
        return code;
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_db_json_open(&json, NULL, &info);
        cli_json_bool(&json, "created", j->created);
        cli_json_number(&json, "dimension", info.dimension);
        cli_json_number(&json, "inserted", j->inserted);
        cli_json_number(&json, "documents", info.documents);
        cli_json_close(&json, '}');
        return cli_json_print(session, &json);
    }
    char inserted[CLI_COUNT_TEXT];
    printf("inserted %s of dimension %" PRIu32 "; the %scollection has %" PRIu64 "\n",
           cli_format_count(j->inserted, "document", inserted), info.dimension,
           j->created ? "new " : "", info.documents);
    return CLI_DONE;
}

/* What was inserted before a failure stays: unlike a snapshot, this is not all or nothing. */
static void tell_kept(const job *j)
{
    char inserted[CLI_COUNT_TEXT];
    if (j->inserted > 0 && cli_interrupted() != SIGPIPE)
        cli_say(j->db.session, "%s were inserted before that, and stay",
                cli_format_count(j->inserted, "document", inserted));
}

static int insert(job *j, const cli_sources *sources)
{
    akidb_error err;
    if (cli_sources_survey(sources, &j->rows, &err) != AKIDB_OK)
        return cli_sources_fail(j->db.session, NULL, 0, &err);
    cli_db_how how = {
        .makes = !j->v->no_create, .flushing = &j->v->flushing, .flushes_itself = true};
    int code = cli_db_open(j->db.session, &j->v->db, &how, &j->db);
    if (code != CLI_DONE)
        return code;
    if (cli_ahead_open(sources, &j->ahead, &err) != AKIDB_OK)
        return cli_fail(j->db.session, &err);
    code = insert_all(j);
    if (code != CLI_DONE)
        tell_kept(j);
    cli_ahead_close(j->ahead);
    return code == CLI_DONE ? print_result(j) : code;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    const values *v = given;
    job j = {.db = {.session = session},
             .v = v,
             .name = arguments[0],
             .first_path = arguments[1],
             .batch_rows = v->batch_rows.set ? (size_t)v->batch_rows.value : BATCH_ROWS};
    if (session->json && v->ack)
        return cli_usage(session, "db insert: --json and --ack both want stdout");
    if (v->ack)
        session->progress.enabled = false; /* the counts may go to the same terminal */
    akidb_parquet_read_options parquet;
    cli_sources sources;
    int code = cli_db_folder(session, &v->db, &j.db.folder);
    if (code == CLI_DONE)
        code = cli_collection(session, arguments[0], &j.collection);
    if (code == CLI_DONE)
        code = cli_sources_make(session, &v->source, arguments + 1, count - 1, j.batch_rows,
                                &parquet, &sources);
    if (code == CLI_DONE)
        code = insert(&j, &sources);
    akidb_documents_free(j.piece);
    return cli_db_close(&j.db, code);
}

const cli_command cli_cmd_db_insert = {
    .family = &cli_family_db,
    .name = "db insert",
    .arguments = "COLLECTION FILE...",
    .summary = "Insert documents of files into a collection",
    .details =
        "FILE is .npy, .fvecs, .jsonl or .parquet; '-' is .jsonl from standard input. 'akidb "
        "create --help' tells how they are read. A document whose id is there already replaces it; "
        "one without an id gets a new one, so that the same file inserted twice is there twice.\n\n"
        "A collection that is not there is made, with the dimension of the documents. The data "
        "folder is made, too.\n\n"
        "Each batch is safe when it is done, and stays when a later one fails or the program is "
        "killed. While it runs, snapshots are made when the log has grown by 256 MiB or has not "
        "been flushed for 15 minutes; 'db flush' makes one at once.",
    .options = options,
    .examples = examples,
    .arguments_min = 2,
    .arguments_max = SIZE_MAX,
    .values_size = sizeof(values),
    .run = run,
};
