#include "commands.h"
#include "list.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {{0}};

static const cli_example examples[] = {
    {"The collections of a store", "akidb --store /srv/vectors list"},
    {"The snapshots of one, newest first", "akidb list words"},
    {0}};

/* ---- the snapshots of a collection ----------------------------------------------------------- */

static void print_snapshots(cli *session, const akidb_snapshot_list *list)
{
    if (!session->quiet)
        printf("%-36s  %-20s  %-7s  %-6s  %10s  %9s  %10s\n", "SNAPSHOT", "CREATED", "FORMAT",
               "CODEC", "DOCUMENTS", "DIMENSION", "SIZE");
    for (size_t i = 0; i < list->count; i++) {
        const akidb_snapshot_entry *e = &list->entries[i];
        char id[AKIDB_UUID_TEXT_SIZE], time[AKIDB_TIME_TEXT_SIZE], size[CLI_SIZE_TEXT];
        akidb_uuid_format(&e->snapshot_id, id);
        if (e->metadata == NULL) {
            printf("%s  damaged: ", id);
            cli_print_text(stdout, e->problem.message);
            putchar('\n');
            continue;
        }
        const akidb_snapshot_metadata *m = e->metadata;
        printf("%s  %s  %-7s  %-6s  %10" PRIu64 "  %9" PRIu32 "  %10s\n", id,
               cli_format_time(m->created_at, time), cli_choice_name(cli_formats, (int)m->format),
               cli_choice_name(cli_compressions, (int)m->compression), m->vector_count,
               m->dimension, cli_format_size(m->size_bytes, size));
    }
}

static int print_snapshots_json(cli *session, const akidb_snapshot_list *list)
{
    cli_json json;
    cli_json_begin(&json);
    cli_json_open(&json, NULL, '[');
    for (size_t i = 0; i < list->count; i++) {
        const akidb_snapshot_entry *e = &list->entries[i];
        if (e->metadata != NULL) {
            cli_json_raw(&json, NULL, e->metadata->text);
            continue;
        }
        cli_json_open(&json, NULL, '{');
        cli_json_uuid(&json, "snapshot_id", &e->snapshot_id);
        cli_json_string(&json, "problem", e->problem.message);
        cli_json_close(&json, '}');
    }
    cli_json_close(&json, ']');
    return cli_json_print(session, &json);
}

/* The worst of what is wrong with the snapshots of a list; *damaged_out counts them. */
static int worst_of(const akidb_snapshot_list *list, size_t *damaged_out)
{
    int code = CLI_DONE;
    *damaged_out = 0;
    for (size_t i = 0; i < list->count; i++) {
        const akidb_snapshot_entry *e = &list->entries[i];
        if (e->metadata != NULL)
            continue;
        int answer = cli_exit_of_status(e->problem.status);
        code = cli_exit_worse(code, answer == CLI_INVALID ? CLI_CORRUPT : answer);
        ++*damaged_out;
    }
    return code;
}

int cli_tell_snapshots(cli *session, const akidb_snapshot_list *list)
{
    size_t damaged;
    int code = CLI_DONE;
    cli_progress_clear(&session->progress);
    if (session->json)
        code = print_snapshots_json(session, list);
    else
        print_snapshots(session, list);
    code = cli_exit_worse(code, worst_of(list, &damaged));
    if (damaged > 0) {
        fflush(stdout);
        cli_say(session, "%zu of %zu snapshots cannot be read; see 'akidb verify'", damaged,
                list->count);
    }
    return code;
}

static int list_snapshots(cli *session, const char *name)
{
    akidb_error err;
    akidb_uuid collection;
    akidb_snapshot_list list;
    int code = cli_collection(session, name, &collection);
    if (code != CLI_DONE)
        return code;
    if (akidb_snapshot_list_all(session->snapshotter, &collection, &list, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    if (list.count == 0)
        return cli_no_snapshots(session, name, &collection);
    code = cli_tell_snapshots(session, &list);
    akidb_snapshot_list_free(&list);
    return code;
}

/* ---- the collections ------------------------------------------------------------------------- */

typedef struct collection {
    akidb_uuid id;
    char *name; /* of its newest snapshot that has one; NULL: none has */
    size_t snapshots, damaged;
    bool has_newest; /* that can be read */
    akidb_uuid newest;
    int64_t newest_at;
} collection;

static const cli_column collection_columns[] = {{"COLLECTION", 0, false}, {"SNAPSHOTS", 0, true},
                                                {"DAMAGED", 0, true},     {"NEWEST", 20, false},
                                                {"ID", 0, false},         {NULL, 0, false}};

static void put_cells(cli_table *table, const void *item)
{
    const collection *c = item;
    cli_cell_collection(table, &c->id, c->name);
    cli_cell(table, "%zu", c->snapshots);
    cli_cell(table, "%zu", c->damaged);
    cli_cell_time(table, c->newest_at);
    cli_cell_uuid(table, &c->id);
}

static void put_json(cli_json *json, const void *item)
{
    const collection *c = item;
    cli_json_open(json, NULL, '{');
    cli_json_uuid(json, "collection_id", &c->id);
    cli_json_string(json, "name", c->name);
    cli_json_number(json, "snapshots", c->snapshots);
    cli_json_number(json, "damaged", c->damaged);
    if (c->has_newest) {
        cli_json_uuid(json, "newest_snapshot_id", &c->newest);
        cli_json_time(json, "newest_created_at", c->newest_at);
    }
    cli_json_close(json, '}');
}

static const cli_rows collection_rows = {collection_columns, sizeof(collection), put_cells,
                                         put_json};

static int summarise(cli *session, const akidb_snapshot_list *list, collection *c)
{
    c->snapshots = list->count;
    for (size_t i = 0; i < list->count; i++) {
        const akidb_snapshot_metadata *m = list->entries[i].metadata;
        if (m == NULL) {
            c->damaged++;
            continue;
        }
        if (!c->has_newest) {
            c->has_newest = true;
            c->newest = m->snapshot_id;
            c->newest_at = m->created_at;
        }
        const char *name = akidb_snapshot_label(m, "name");
        if (c->name == NULL && name != NULL && (c->name = strdup(name)) == NULL) {
            cli_say(session, "out of memory");
            return CLI_FAILED;
        }
    }
    return CLI_DONE;
}

/* Looks at one collection; returns the worst of its snapshots, or of what hindered it. */
static int look_at(cli *session, const akidb_uuid *id, collection *c_out)
{
    akidb_error err;
    akidb_snapshot_list list;
    *c_out = (collection){.id = *id};
    if (akidb_snapshot_list_all(session->snapshotter, id, &list, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    size_t damaged;
    int code = cli_exit_worse(worst_of(&list, &damaged), summarise(session, &list, c_out));
    akidb_snapshot_list_free(&list);
    return code;
}

static int list_these(cli *session, const akidb_uuid *ids, size_t count)
{
    collection *all = calloc(count + 1, sizeof *all);
    if (all == NULL) {
        cli_say(session, "out of memory");
        return CLI_FAILED;
    }
    char none[4200];
    snprintf(none, sizeof none, "%s: no collections", akidb_store_name(session->store));
    int code = CLI_DONE;
    size_t seen = 0;
    while (seen < count && cli_interrupted() == 0) {
        code = cli_exit_worse(code, look_at(session, &ids[seen], &all[seen]));
        seen++;
    }
    code = cli_exit_worse(code, cli_print_rows(session, &collection_rows, all, seen, none));
    for (size_t i = 0; i < seen; i++)
        free(all[i].name);
    free(all);
    return code;
}

static int list_collections(cli *session)
{
    akidb_error err;
    akidb_uuid *ids;
    size_t count;
    if (akidb_snapshot_collections(session->snapshotter, &ids, &count, &err) != AKIDB_OK)
        return cli_fail(session, &err);
    int code = list_these(session, ids, count);
    free(ids);
    return code;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)given;
    int code = cli_open(session, NULL, "list");
    if (code != CLI_DONE)
        return code;
    return count > 0 ? list_snapshots(session, arguments[0]) : list_collections(session);
}

const cli_command cli_cmd_list = {
    .name = "list",
    .arguments = "[COLLECTION]",
    .summary = "List the snapshots of a collection, or the collections",
    .details =
        "Snapshots come newest first. A snapshot whose metadata cannot be read is listed too, as "
        "damaged, and the exit code is 4.\n\n"
        "With --json, snapshots are an array of their metadata objects; a damaged one is "
        "{\"snapshot_id\", \"problem\"}. With --quiet the heading is left out.",
    .options = options,
    .examples = examples,
    .arguments_max = 1,
    .run = run,
};
