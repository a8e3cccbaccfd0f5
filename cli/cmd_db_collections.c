/* Collections: create, drop, collections, adopt. */
#include "commands.h"
#include "db.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>

static const cli_option no_options[] = {{0}};

/* ---- create ---------------------------------------------------------------------------------- */

typedef struct create_values {
    cli_db_values db;
    cli_count dimension;
} create_values;

static const cli_option create_options[] = {
    {"dimension", 0, "N", "The dimension of its vectors; must be given", cli_read_count,
     offsetof(create_values, dimension), NULL, 1, AKIDB_DIMENSION_MAX},
    {0}};

static const cli_example create_examples[] = {
    {"An empty collection", "akidb db create --data /srv/db words --dimension 512"}, {0}};

static int print_one(cli *session, const akidb_collection_info *info, const char *typed,
                     const char *what)
{
    cli_progress_clear(&session->progress);
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_db_json_open(&json, NULL, info);
        cli_json_number(&json, "dimension", info->dimension);
        cli_json_number(&json, "documents", info->documents);
        cli_json_close(&json, '}');
        return cli_json_print(session, &json);
    }
    char documents[CLI_COUNT_TEXT];
    if (session->quiet)
        return CLI_DONE;
    printf("%s ", what);
    cli_print_text(stdout, typed);
    printf(", of dimension %" PRIu32 ", with %s\n", info->dimension,
           cli_format_count(info->documents, "document", documents));
    return CLI_DONE;
}

static int create(cli_db *db, const char *name, uint32_t dimension)
{
    akidb_uuid id;
    akidb_error err;
    akidb_collection_info info;
    int code = cli_collection(db->session, name, &id);
    if (code != CLI_DONE)
        return code;
    akidb_status status =
        akidb_storage_create_collection(db->storage, &id, dimension, cli_db_given_name(name), &err);
    if (status == AKIDB_E_ALREADY_EXISTS) {
        cli_say(db->session, "%s: there is a collection '%s' already", db->folder, name);
        return CLI_FAILED;
    }
    if (status != AKIDB_OK)
        return cli_fail(db->session, &err);
    code = cli_db_collection(db, name, &info);
    return code == CLI_DONE ? print_one(db->session, &info, name, "created") : code;
}

static int run_create(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    const create_values *v = given;
    if (!v->dimension.set)
        return cli_usage(session, "db create: expected --dimension N");
    cli_db db;
    int code = cli_db_open(session, &v->db, &(cli_db_how){.makes = true}, &db);
    if (code == CLI_DONE)
        code = create(&db, arguments[0], (uint32_t)v->dimension.value);
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_create = {
    .family = &cli_family_db,
    .name = "db create",
    .arguments = "COLLECTION",
    .summary = "Make an empty collection",
    .details = "'db insert' makes the collection that it inserts into by itself. Here it can be "
               "made beforehand. The data folder is made, too.",
    .options = create_options,
    .examples = create_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(create_values),
    .run = run_create,
};

/* ---- drop ------------------------------------------------------------------------------------ */

static const cli_example drop_examples[] = {
    {"Remove a collection", "akidb db drop --data /srv/db words"}, {0}};

static int run_drop(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)count;
    cli_db db;
    akidb_error err;
    akidb_collection_info info;
    int code = cli_db_open(session, given, &(cli_db_how){0}, &db);
    if (code == CLI_DONE)
        code = cli_db_collection(&db, arguments[0], &info);
    if (code == CLI_DONE)
        code = akidb_storage_drop_collection(db.storage, &info.id, &err) == AKIDB_OK
                   ? print_one(session, &info, arguments[0], "dropped")
                   : cli_db_fail(session, arguments[0], &info.id, &err);
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_drop = {
    .family = &cli_family_db,
    .name = "db drop",
    .arguments = "COLLECTION",
    .summary = "Remove a collection and all its documents",
    .details = "There is no way back for what no snapshot has. Its snapshots stay in the store "
               "until somebody deletes them there; they do not come back by themselves, not even "
               "when a collection of the same name is made again. 'db restore' brings one back "
               "into a collection, 'db adopt' those of all collections that are not there.",
    .options = no_options,
    .examples = drop_examples,
    .arguments_min = 1,
    .arguments_max = 1,
    .values_size = sizeof(cli_db_values),
    .run = run_drop,
};

/* ---- collections ----------------------------------------------------------------------------- */

static const cli_example collections_examples[] = {
    {"What is there", "akidb db collections --data /srv/db"},
    {"Which have writes that no snapshot has",
     "akidb db collections --data /srv/db --json | jq '.[] | select(.flushed | not) | .name'"},
    {0}};

static bool is_flushed(const akidb_collection_info *info)
{
    return info->flushed_at != 0 && info->flushed_lsn >= info->last_lsn;
}

static const cli_column collections_columns[] = {{"COLLECTION", 0, false},
                                                 {"DIMENSION", 0, true},
                                                 {"DOCUMENTS", 10, true},
                                                 {"MEMORY", 10, true},
                                                 {"LAST SNAPSHOT", 20, false},
                                                 {"CHANGED", 0, false},
                                                 {"ID", 0, false},
                                                 {NULL, 0, false}};

static void put_cells(cli_table *table, const void *item)
{
    const akidb_collection_info *info = item;
    cli_cell_collection(table, &info->id, info->name);
    cli_cell(table, "%" PRIu32, info->dimension);
    cli_cell(table, "%" PRIu64, info->documents);
    cli_cell_size(table, info->memory_bytes);
    cli_cell_time(table, info->flushed_at);
    cli_cell_text(table, is_flushed(info) ? "no" : "yes");
    cli_cell_uuid(table, &info->id);
}

static void put_json(cli_json *json, const void *item)
{
    const akidb_collection_info *info = item;
    cli_db_json_open(json, NULL, info);
    cli_json_number(json, "dimension", info->dimension);
    cli_json_number(json, "documents", info->documents);
    cli_json_number(json, "memory_bytes", info->memory_bytes);
    cli_json_number(json, "last_lsn", info->last_lsn);
    cli_json_bool(json, "flushed", is_flushed(info));
    if (info->flushed_at != 0) {
        cli_json_uuid(json, "snapshot_id", &info->snapshot_id);
        cli_json_time(json, "snapshot_created_at", info->flushed_at);
        cli_json_number(json, "snapshot_lsn", info->flushed_lsn);
    }
    cli_json_close(json, '}');
}

static const cli_rows collections_rows = {collections_columns, sizeof(akidb_collection_info),
                                          put_cells, put_json};

static int run_collections(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    cli_db db;
    akidb_error err;
    akidb_collection_info *infos;
    size_t found;
    int code = cli_db_open(session, given, &(cli_db_how){0}, &db);
    if (code == CLI_DONE && akidb_storage_collections(db.storage, &infos, &found, &err) != AKIDB_OK)
        code = cli_fail(session, &err);
    else if (code == CLI_DONE) {
        code = cli_print_rows(session, &collections_rows, infos, found, "no collections");
        free(infos);
    }
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_collections = {
    .family = &cli_family_db,
    .name = "db collections",
    .arguments = "",
    .summary = "List the collections",
    .details = "Prints, for each, how many documents it has, the memory that they take, when the "
               "snapshot was made from which it would be recovered, and whether it has changed "
               "since. With --quiet the heading is left out. One that was made under a UUID, and "
               "has no name, is listed by that.",
    .options = no_options,
    .examples = collections_examples,
    .values_size = sizeof(cli_db_values),
    .run = run_collections,
};

/* ---- adopt ----------------------------------------------------------------------------------- */

static const cli_example adopt_examples[] = {
    {"A new data folder over the snapshots of a bucket",
     "akidb db adopt --data /srv/db --store s3://vectors/prod"},
    {0}};

static int run_adopt(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    cli_db db;
    akidb_error err;
    uint64_t adopted;
    int code = cli_db_open(session, given, &(cli_db_how){.makes = true}, &db);
    if (code != CLI_DONE)
        return cli_db_close(&db, code);
    if (akidb_storage_adopt(db.storage, &adopted, &err) != AKIDB_OK)
        return cli_db_close(&db, cli_fail(session, &err));
    cli_progress_clear(&session->progress);
    char text[CLI_COUNT_TEXT];
    if (session->json) {
        cli_json json;
        cli_json_begin(&json);
        cli_json_open(&json, NULL, '{');
        cli_json_number(&json, "adopted", adopted);
        cli_json_close(&json, '}');
        code = cli_json_print(session, &json);
    } else if (!session->quiet) {
        printf("adopted %s\n", cli_format_count(adopted, "collection", text));
    }
    return cli_db_close(&db, code);
}

const cli_command cli_cmd_db_adopt = {
    .family = &cli_family_db,
    .name = "db adopt",
    .arguments = "",
    .summary = "Take over the collections of a store",
    .details =
        "Takes the newest snapshot of each collection that the store has and the data folder has "
        "not: how snapshots that were made by 'akidb create', or by a data folder that is lost, "
        "come under a new one. Collections that are there stay as they are.",
    .options = no_options,
    .examples = adopt_examples,
    .values_size = sizeof(cli_db_values),
    .run = run_adopt,
};
