#include "commands.h"
#include "json_out.h"
#include "run_report.h"

#include <stddef.h>

typedef struct values {
    cli_moment older_than;
    bool dry_run;
    const char *metrics_file;
} values;

static const cli_option options[] = {
    {"older-than", 0, "AGE",
     "Leave alone what was written less than this ago; 30s, 15m, 12h, 7d or 4w; default 7d. A "
     "writer that still works has leftovers too, so keep it longer than any create takes",
     cli_read_duration, offsetof(values, older_than), NULL, 0, 0},
    {"dry-run", 0, NULL, "Only say what would be removed", cli_read_flag, offsetof(values, dry_run),
     NULL, 0, 0},
    CLI_METRICS_FILE_OPTION(offsetof(values, metrics_file)),
    {0}};

static const cli_example examples[] = {
    {"See what interrupted work has left", "akidb gc --dry-run"},
    {"Remove what is older than a day", "akidb gc --older-than 1d"},
    {0}};

typedef struct gc_visit {
    cli *session;
    cli_json json;
    const char *verb;
} gc_visit;

static void on_object(void *context, const char *key, uint64_t bytes)
{
    gc_visit *v = context;
    if (v->session->json) {
        cli_json_open(&v->json, NULL, '{');
        cli_json_string(&v->json, "key", key);
        cli_json_number(&v->json, "size_bytes", bytes);
        cli_json_close(&v->json, '}');
    } else if (!v->session->quiet) {
        char size[CLI_SIZE_TEXT];
        cli_progress_clear(&v->session->progress);
        printf("%s  ", v->verb);
        cli_print_text(stdout, key);
        printf("  %s\n", cli_format_size(bytes, size));
    }
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    (void)arguments;
    (void)count;
    const values *v = given;
    int code = cli_open(session, NULL, "gc");
    if (code != CLI_DONE)
        return code;

    gc_visit visit = {.session = session, .verb = v->dry_run ? "would remove" : "removed"};
    if (session->json) {
        cli_json_begin(&visit.json);
        cli_json_open(&visit.json, NULL, '{');
        cli_json_open(&visit.json, "removed", '[');
    }
    akidb_error err;
    akidb_gc_report report;
    int64_t age = v->older_than.set ? v->older_than.value : AKIDB_GC_AGE_DEFAULT;
    if (akidb_snapshot_gc(session->snapshotter, age, v->dry_run, on_object, &visit, &report,
                          &err) != AKIDB_OK) {
        cli_json_free(&visit.json);
        return cli_fail(session, &err);
    }
    if (!v->dry_run) {
        cli_run_add(session, CLI_REMOVED_LEFTOVERS, NULL, report.objects);
        cli_run_add(session, CLI_REMOVED_BYTES, NULL, report.bytes);
    }
    if (session->json) {
        cli_json_close(&visit.json, ']');
        cli_json_number(&visit.json, "objects", report.objects);
        cli_json_number(&visit.json, "bytes", report.bytes);
        cli_json_bool(&visit.json, "dry_run", v->dry_run);
        cli_json_close(&visit.json, '}');
        return cli_json_print(session, &visit.json);
    }
    char size[CLI_SIZE_TEXT], objects[CLI_COUNT_TEXT];
    if (!session->quiet)
        printf("%s %s, %s\n", visit.verb, cli_format_count(report.objects, "leftover", objects),
               cli_format_size(report.bytes, size));
    return CLI_DONE;
}

const cli_command cli_cmd_gc = {
    .name = "gc",
    .arguments = "",
    .summary = "Remove what interrupted work has left behind",
    .details = "Leftovers are parts that belong to no snapshot, and temporary files. They are "
               "never visible as snapshots; they only take space. A snapshot whose metadata is "
               "damaged keeps all of its parts.",
    .options = options,
    .examples = examples,
    .arguments_max = 0,
    .values_size = sizeof(values),
    .run = run,
};
