#include "commands.h"
#include "json_out.h"

#include <string.h>

static const cli_option options[] = {{0}};

static const cli_example examples[] = {{"Delete one snapshot", "akidb delete words 3f1c"}, {0}};

/* 'latest' passes over damaged snapshots. One of them may be what the user means, and a delete has
 * no way back: while there are any, the snapshot to delete must be named. */
static int check_latest(cli *session, const akidb_uuid *collection)
{
    akidb_error err;
    akidb_snapshot_list list;
    if (akidb_snapshot_list_all(session->snapshotter, collection, &list, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    bool damaged = false;
    for (size_t i = 0; i < list.count; i++)
        damaged = damaged || list.entries[i].metadata == NULL;
    akidb_snapshot_list_free(&list);
    if (!damaged)
        return CLI_DONE;
    cli_say(session, "delete: 'latest' may not be the one meant; name the snapshot by its id");
    return CLI_CORRUPT;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)given;
    (void)count;
    akidb_uuid collection, snapshot;
    int code = cli_open(session, NULL, "delete");
    if (code == CLI_DONE)
        code = cli_snapshot(session, arguments[0], arguments[1], &collection, &snapshot);
    if (code == CLI_DONE && strcmp(arguments[1], "latest") == 0)
        code = check_latest(session, &collection);
    if (code != CLI_DONE)
        return code;

    akidb_error err;
    if (akidb_snapshot_delete(session->snapshotter, &collection, &snapshot, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_json_open(&json, NULL, '{');
        cli_json_uuid(&json, "collection_id", &collection);
        cli_json_uuid(&json, "snapshot_id", &snapshot);
        cli_json_bool(&json, "deleted", true);
        cli_json_close(&json, '}');
        return cli_json_print(session, &json);
    }
    if (!session->quiet) {
        char text[AKIDB_UUID_TEXT_SIZE];
        akidb_uuid_format(&snapshot, text);
        printf("deleted %s\n", text);
    }
    return CLI_DONE;
}

const cli_command cli_cmd_delete = {
    .name = "delete",
    .arguments = "COLLECTION SNAPSHOT",
    .summary = "Delete one snapshot",
    .details =
        "The metadata goes first and the parts after it, so a snapshot is there whole or "
        "not at all. There is no way back. 'latest' is refused while a snapshot of the collection "
        "is damaged.",
    .options = options,
    .examples = examples,
    .arguments_min = 2,
    .arguments_max = 2,
    .run = run,
};
