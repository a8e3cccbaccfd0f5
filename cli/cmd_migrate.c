#include "commands.h"
#include "encoding.h"
#include "json_out.h"
#include "run_report.h"

typedef struct values {
    int format;
    bool delete_source;
    cli_encoding encoding;
    const char *metrics_file;
} values;

static const cli_option options[] = {{"format", 0, "FORMAT", "The format to write; default parquet",
                                      cli_read_choice, offsetof(values, format), cli_formats, 0, 0},
                                     {"delete-source", 0, NULL,
                                      "Delete the old snapshot once the new one has been verified",
                                      cli_read_flag, offsetof(values, delete_source), NULL, 0, 0},
                                     CLI_ENCODING_OPTIONS(offsetof(values, encoding)),
                                     CLI_METRICS_FILE_OPTION(offsetof(values, metrics_file)),
                                     {0}};

static const cli_example examples[] = {
    {"Turn an old JSON snapshot into Parquet", "akidb migrate words"},
    {"Write a snapshot anew, smaller, and drop the old one",
     "akidb migrate words 3f1c --profile small --delete-source"},
    {0}};

static void print_result(cli *session, const akidb_snapshot_metadata *metadata, const char *source)
{
    char id[AKIDB_UUID_TEXT_SIZE], size[CLI_SIZE_TEXT], documents[CLI_COUNT_TEXT];
    akidb_uuid_format(&metadata->snapshot_id, id);
    if (!session->quiet)
        printf("%s: %s to %s, %s, compared bit by bit\n", source,
               cli_format_count(metadata->vector_count, "document", documents),
               cli_choice_name(cli_formats, (int)metadata->format),
               cli_format_size(metadata->size_bytes, size));
    printf("%s\n", id);
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    const values *v = given;
    if (v->delete_source && count < 2)
        return cli_usage(session, "migrate: with --delete-source the snapshot must be named");
    akidb_snapshotter_options snapshotter = {0};
    akidb_parquet_options parquet;
    int code =
        cli_encoding_apply(session, &v->encoding,
                           v->format != 0 ? (akidb_snapshot_format)v->format : AKIDB_FORMAT_PARQUET,
                           &snapshotter, &parquet);
    if (code == CLI_DONE)
        code = cli_open(session, &snapshotter, "migrate");
    akidb_uuid collection, snapshot;
    if (code == CLI_DONE)
        code = cli_snapshot(session, arguments[0], count > 1 ? arguments[1] : NULL, &collection,
                            &snapshot);
    if (code != CLI_DONE)
        return code;

    akidb_error err;
    akidb_uuid new_id;
    akidb_snapshot_metadata *metadata;
    akidb_migrate_options migrate = {sizeof migrate, v->delete_source};
    if (akidb_snapshot_migrate(session->snapshotter, &collection, &snapshot, &migrate, &new_id,
                               &metadata, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_json_raw(&json, NULL, metadata->text);
        code = cli_json_print(session, &json);
    } else {
        char source[AKIDB_UUID_TEXT_SIZE];
        akidb_uuid_format(&snapshot, source);
        print_result(session, metadata, source);
    }
    akidb_snapshot_metadata_free(metadata);
    return code;
}

const cli_command cli_cmd_migrate = {
    .name = "migrate",
    .arguments = "COLLECTION [SNAPSHOT]",
    .summary = "Write a snapshot anew, in another format or encoding",
    .details =
        "The new snapshot has the same documents in the same order, with their ids, times and "
        "metadata, the same labels and the same time of creation; the label 'migrated-from' holds "
        "the old id. Both are read and compared bit by bit before the old one may be deleted. As "
        "long as both are there, 'latest' is the one whose id is the greater, and cleanup takes it "
        "for the newer. Snapshots of the old layout are read as well.\n\n"
        "The new snapshot's id is the last line on stdout, and the only one with --quiet. With "
        "--json it is the new snapshot's metadata.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 2,
    .values_size = sizeof(values),
    .run = run,
};
