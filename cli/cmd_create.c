#include "commands.h"
#include "encoding.h"
#include "json_out.h"
#include "run_report.h"
#include "sources.h"
#include "stats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct values {
    int format;
    cli_encoding encoding;
    int time_unit;
    cli_source_values source;
    cli_list labels;
    bool allow_empty;
    bool trust_ids;
    bool stats;
    const char *metrics_file;
} values;

static const cli_option options[] = {
    {"format", 0, "FORMAT", "The format to write; default parquet", cli_read_choice,
     offsetof(values, format), cli_formats, 0, 0},
    CLI_ENCODING_OPTIONS(offsetof(values, encoding)),
    {"time-unit", 0, "UNIT",
     "How finely times are stored; default millis, or micros if the first documents have finer "
     "times. A time that would lose digits is refused. Parquet only",
     cli_read_choice, offsetof(values, time_unit), cli_time_units, 0, 0},
    CLI_SOURCE_OPTIONS(offsetof(values, source)),
    {"label", 0, "KEY=VALUE", "A label to store with the snapshot", cli_read_labels,
     offsetof(values, labels), NULL, 0, 0},
    {"allow-empty", 0, NULL, "Allow a snapshot of no documents", cli_read_flag,
     offsetof(values, allow_empty), NULL, 0, 0},
    {"trust-ids", 0, NULL, "Do not check that no document id comes twice", cli_read_flag,
     offsetof(values, trust_ids), NULL, 0, 0},
    CLI_STATS_OPTION(offsetof(values, stats)),
    CLI_METRICS_FILE_OPTION(offsetof(values, metrics_file)),
    {0}};

static const cli_example examples[] = {
    {"Vectors from NumPy, with a name for each", "akidb create words glove.npy --ids words.txt"},
    {"Several files, well compressed",
     "akidb create pages a.parquet b.parquet --id-column url --profile balanced"},
    {"Documents from another program", "produce | akidb create notes -"},
    {0}};

enum { ROW_GROUP_ROWS = AKIDB_ROW_GROUP_ROWS_DEFAULT };

/* ---- what to write --------------------------------------------------------------------------- */

/* The labels of the options, and the collection's name unless that is a UUID. Keys point into
 * copies that `storage` owns. */
static int make_labels(cli *session, const values *v, const char *collection, akidb_label *labels,
                       size_t *count_out, char **storage)
{
    size_t count = 0;
    akidb_uuid unused;
    if (akidb_uuid_parse(collection, &unused, NULL) != AKIDB_OK)
        labels[count++] = (akidb_label){"name", collection};
    for (size_t i = 0; i < v->labels.count; i++) {
        char *copy = storage[i] = strdup(v->labels.items[i]);
        if (copy == NULL) {
            cli_say(session, "out of memory");
            return CLI_FAILED;
        }
        char *equals = strchr(copy, '=');
        *equals = '\0';
        for (size_t j = 0; j < count; j++)
            if (strcmp(labels[j].key, copy) == 0)
                return cli_usage(session, "--label '%s': the label '%s' is set already, to '%s'",
                                 v->labels.items[i], copy, labels[j].value);
        labels[count++] = (akidb_label){copy, equals + 1};
    }
    *count_out = count;
    return CLI_DONE;
}

static void free_labels(akidb_label *labels, char **storage, size_t count)
{
    for (size_t i = 0; storage != NULL && i < count; i++)
        free(storage[i]);
    free(storage);
    free(labels);
}

/* ---- from the one to the other --------------------------------------------------------------- */

static bool has_fine_times(const akidb_batch *batch)
{
    for (size_t i = 0; batch->inserted_at != NULL && i < batch->rows; i++)
        if (batch->inserted_at[i] % 1000 != 0)
            return true;
    return false;
}

/* Opens the snapshotter once the first documents show how fine their times are. */
static int open_for(cli *session, const akidb_documents *first,
                    const akidb_snapshotter_options *how)
{
    akidb_parquet_options parquet = *how->parquet;
    akidb_snapshotter_options fitting = *how;
    fitting.parquet = &parquet;
    if (first != NULL && parquet.time_unit == AKIDB_TIME_UNIT_DEFAULT) {
        akidb_batch batch = akidb_documents_batch(first);
        if (has_fine_times(&batch))
            parquet.time_unit = AKIDB_TIME_UNIT_MICROS;
    }
    return cli_open(session, &fitting, "create");
}

/* Appends `documents`, and all that come after them, to a new snapshot. */
static akidb_status write_snapshot(cli *session, cli_ahead *ahead, const akidb_documents *documents,
                                   const akidb_uuid *collection, const akidb_create_options *create,
                                   akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    akidb_snapshot_writer *writer;
    akidb_status status = akidb_snapshot_begin(session->snapshotter, collection,
                                               cli_ahead_dimension(ahead), create, &writer, err);
    while (status == AKIDB_OK && documents != NULL) {
        akidb_batch batch = akidb_documents_batch(documents);
        status = akidb_snapshot_append(writer, &batch, err);
        if (status == AKIDB_OK)
            status = cli_ahead_next(ahead, &documents, err);
    }
    if (status == AKIDB_OK && cli_interrupted() != 0)
        status = cli_set_error(err, AKIDB_E_CANCELLED, "interrupted");
    if (status == AKIDB_OK)
        return akidb_snapshot_commit(writer, NULL, metadata_out, err);
    akidb_snapshot_abort(writer);
    return status;
}

static int print_result(cli *session, const akidb_snapshot_metadata *m)
{
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_json_raw(&json, NULL, m->text);
        return cli_json_print(session, &json);
    }
    char id[AKIDB_UUID_TEXT_SIZE], size[CLI_SIZE_TEXT];
    char documents[CLI_COUNT_TEXT], parts[CLI_COUNT_TEXT];
    akidb_uuid_format(&m->snapshot_id, id);
    if (!session->quiet)
        printf("%s of dimension %" PRIu32 ", %s in %s\n",
               cli_format_count(m->vector_count, "document", documents), m->dimension,
               cli_format_size(m->size_bytes, size),
               cli_format_count(m->part_count, "part", parts));
    printf("%s\n", id);
    return CLI_DONE;
}

static int fail(cli *session, cli_ahead *ahead, const akidb_snapshotter_options *how,
                const akidb_error *err)
{
    int code = cli_sources_fail(session, ahead, 0, err);
    if (err->row >= 0 && strcmp(err->column, "inserted_at") == 0 &&
        how->parquet->time_unit != AKIDB_TIME_UNIT_MICROS)
        cli_say(session, "--time-unit micros stores such times");
    return code;
}

static int create(cli *session, const cli_sources *sources, const akidb_uuid *collection,
                  const akidb_snapshotter_options *how, const akidb_create_options *what,
                  cli_ahead *ahead)
{
    akidb_error err;
    const akidb_documents *first;
    if (cli_ahead_next(ahead, &first, &err) != AKIDB_OK)
        return cli_sources_fail(session, NULL, 0, &err);
    if (cli_ahead_dimension(ahead) == 0) {
        cli_say(session, "%s: expected documents, found none, and nothing that says a dimension",
                sources->paths[0]);
        return CLI_INVALID;
    }
    if (first == NULL && !what->allow_empty) {
        cli_say(session, "%s: expected documents, found none; --allow-empty permits it",
                sources->paths[0]);
        return CLI_INVALID;
    }
    int code = open_for(session, first, how);
    if (code != CLI_DONE)
        return code;
    akidb_snapshot_metadata *metadata;
    if (write_snapshot(session, ahead, first, collection, what, &metadata, &err) != AKIDB_OK)
        return fail(session, ahead, how, &err);
    cli_run_add(session, CLI_LAST_SNAPSHOT_TIME, NULL, cli_run_seconds(metadata->created_at));
    cli_run_add(session, CLI_LAST_SNAPSHOT_BYTES, NULL, metadata->size_bytes);
    cli_run_add(session, CLI_LAST_SNAPSHOT_DOCUMENTS, NULL, metadata->vector_count);
    code = print_result(session, metadata);
    akidb_snapshot_metadata_free(metadata);
    return code;
}

static int import(cli *session, const cli_sources *sources, const akidb_uuid *collection,
                  const akidb_snapshotter_options *how, akidb_create_options *what)
{
    akidb_error err;
    cli_ahead *ahead;
    if (cli_sources_survey(sources, &what->rows_hint, &err) != AKIDB_OK ||
        cli_ahead_open(sources, &ahead, &err) != AKIDB_OK)
        return cli_sources_fail(session, NULL, 0, &err);
    int code = create(session, sources, collection, how, what, ahead);
    cli_ahead_close(ahead);
    return code;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    const values *v = given;
    akidb_uuid collection;
    akidb_snapshotter_options snapshotter = {0};
    akidb_parquet_options parquet;
    session->wants_stats = v->stats;
    int code = CLI_DONE;
    if (v->format == AKIDB_FORMAT_JSON && v->time_unit != 0)
        code = cli_usage(session, "--time-unit is for Parquet, not for JSON");
    uint64_t row_group = v->encoding.row_group_size.value;
    size_t batch_rows =
        (size_t)(row_group > 0 ? row_group : ROW_GROUP_ROWS) * (size_t)session->threads.value;
    akidb_parquet_read_options read;
    cli_sources sources;
    if (code == CLI_DONE)
        code = cli_sources_make(session, &v->source, arguments + 1, count - 1, batch_rows, &read,
                                &sources);
    if (code == CLI_DONE)
        code = cli_collection(session, arguments[0], &collection);
    if (code == CLI_DONE)
        code = cli_encoding_apply(session, &v->encoding,
                                  v->format != 0 ? (akidb_snapshot_format)v->format
                                                 : AKIDB_FORMAT_PARQUET,
                                  &snapshotter, &parquet);
    if (code != CLI_DONE)
        return code;
    parquet.time_unit = (akidb_time_unit)v->time_unit;

    size_t label_count = 0;
    akidb_label *labels = calloc(v->labels.count + 1, sizeof *labels);
    char **storage = calloc(v->labels.count + 1, sizeof *storage);
    if (labels == NULL || storage == NULL) {
        cli_say(session, "out of memory");
        code = CLI_FAILED;
    }
    if (code == CLI_DONE)
        code = make_labels(session, v, arguments[0], labels, &label_count, storage);
    if (code == CLI_DONE) {
        akidb_create_options create_options = {.struct_size = sizeof create_options,
                                               .labels = labels,
                                               .label_count = label_count,
                                               .allow_empty = v->allow_empty,
                                               .trust_ids = v->trust_ids};
        code = import(session, &sources, &collection, &snapshotter, &create_options);
    }
    free_labels(labels, storage, v->labels.count);
    return code;
}

const cli_command cli_cmd_create = {
    .name = "create",
    .arguments = "COLLECTION FILE...",
    .summary = "Import files and store them as one snapshot",
    .details =
        "FILE is .npy, .fvecs, .jsonl or .parquet; '-' is .jsonl from standard input. Several "
        "files become one snapshot, in the order given; their vectors must have one dimension. "
        "Files are read as streams, so memory does not grow with them.\n\n"
        "A line of .jsonl (.ndjson is the same) is an object: {\"vector\": [0.5, 1], \"doc_id\": "
        "UUID, \"external_id\": text, \"metadata\": any JSON, \"inserted_at\": "
        "\"2026-11-22T09:00:00Z\"}. Only the vector must be there; members of other names are "
        "ignored. Compressed files are read, too (.jsonl.gz, .jsonl.zst).\n\n"
        "A document without an id gets a new one. The same document id twice is refused. Every "
        "float is kept bit for bit. Messages count rows from 0, lines from 1.\n\n"
        "The snapshot becomes visible at the very end, whole; if anything fails before, nothing "
        "stored is changed. Its id is the last line on stdout, and the only one with --quiet. With "
        "--json it is the snapshot's metadata.",
    .options = options,
    .examples = examples,
    .arguments_min = 2,
    .arguments_max = SIZE_MAX,
    .values_size = sizeof(values),
    .makes_store = true,
    .run = run,
};
