#include "commands.h"
#include "encoding.h"
#include "json_out.h"

typedef struct values {
    int to;
    bool delete_source;
    cli_encoding encoding;
} values;

static const cli_option options[] = {{"to", 0, "FORMAT", "The format to write; must be given",
                                      cli_read_choice, offsetof(values, to), cli_formats, 0, 0},
                                     {"delete-source", 0, NULL,
                                      "Delete the old snapshot once the new one has been verified",
                                      cli_read_flag, offsetof(values, delete_source), NULL, 0, 0},
                                     CLI_ENCODING_OPTIONS(offsetof(values, encoding)),
                                     {0}};

static const cli_example examples[] = {
    {"Turn an old JSON snapshot into Parquet", "akidb migrate words latest --to parquet"},
    {"Write a snapshot anew, smaller, and drop the old one",
     "akidb migrate words 3f1c --to parquet --profile small --delete-source"},
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
    (void)count;
    const values *v = given;
    if (v->to == 0)
        return cli_usage(session, "migrate: --to parquet or --to json must be given");
    akidb_snapshotter_options snapshotter = {0};
    akidb_parquet_options parquet;
    int code = cli_encoding_apply(session, &v->encoding, (akidb_snapshot_format)v->to, &snapshotter,
                                  &parquet);
    if (code == CLI_DONE)
        code = cli_open(session, &snapshotter, "migrate");
    akidb_uuid collection, snapshot;
    if (code == CLI_DONE)
        code = cli_snapshot(session, arguments[0], arguments[1], &collection, &snapshot);
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
    .arguments = "COLLECTION SNAPSHOT",
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
    .arguments_min = 2,
    .arguments_max = 2,
    .values_size = sizeof(values),
    .run = run,
};
