#include "commands.h"
#include "json_out.h"
#include "store_input.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

typedef struct values {
    bool row_groups;
} values;

static const cli_option options[] = {{"row-groups", 0, NULL,
                                      "Show each column of each row group, not only their sums",
                                      cli_read_flag, offsetof(values, row_groups), NULL, 0, 0},
                                     {0}};

static const cli_example examples[] = {
    {"Where the bytes of the newest snapshot are", "akidb show words"},
    {"The same for a program, down to each row group", "akidb --json show words"},
    {0}};

/* ---- metadata -------------------------------------------------------------------------------- */

static void print_metadata(const akidb_snapshot_metadata *m)
{
    char id[AKIDB_UUID_TEXT_SIZE], time[AKIDB_TIME_TEXT_SIZE];
    char size[CLI_SIZE_TEXT], text[CLI_COUNT_TEXT];
    akidb_uuid_format(&m->snapshot_id, id);
    printf("snapshot     %s\n", id);
    akidb_uuid_format(&m->collection_id, id);
    printf("collection   %s\n", id);
    akidb_time_format(m->created_at, time);
    printf("created      %s\n", time);
    printf("documents    %" PRIu64 "\n", m->vector_count);
    printf("dimension    %" PRIu32 "\n", m->dimension);
    printf("format       %s\n", cli_choice_name(cli_formats, (int)m->format));
    printf("compression  %s\n", cli_choice_name(cli_compressions, (int)m->compression));
    if (m->profile != NULL) {
        fputs("profile      ", stdout);
        cli_print_text(stdout, m->profile);
        fputs("\nvectors      ", stdout);
        cli_print_text(stdout, m->profile_choice);
        putchar('\n');
    }
    printf("size         %s", cli_format_size(m->size_bytes, size));
    if (m->size_bytes >= 1024)
        printf(" (%" PRIu64 " bytes)", m->size_bytes);
    putchar('\n');
    printf("checksums    %s\n", m->checked ? "yes" : "none (the old layout)");
    if (m->writer_version[0] != '\0') {
        fputs("written by   ", stdout);
        cli_print_text(stdout, m->writer_version);
        putchar('\n');
    }
    for (size_t i = 0; i < m->label_count; i++) {
        fputs("label        ", stdout);
        cli_print_text(stdout, m->labels[i].key);
        putchar('=');
        cli_print_text(stdout, m->labels[i].value);
        putchar('\n');
    }
    for (size_t i = 0; i < m->part_count; i++) {
        const akidb_parquet_summary *s = &m->parts[i].summary;
        fputs("part         ", stdout);
        cli_print_text(stdout, m->parts[i].key);
        printf("  %s, %s", cli_format_count(s->rows, "document", text),
               cli_format_size(s->file.size, size));
        if (m->format == AKIDB_FORMAT_PARQUET)
            printf(", %s", cli_format_count(s->row_group_count, "row group", text));
        putchar('\n');
    }
}

/* ---- columns --------------------------------------------------------------------------------- */

static void print_heading(const char *first)
{
    printf("\n%-14s  %12s  %10s  %10s  %6s  %-12s  %s\n", first, "VALUES", "STORED", "PLAIN",
           "RATIO", "CODEC", "ENCODINGS");
}

static void print_chunk(const akidb_parquet_chunk_info *c)
{
    char stored[CLI_SIZE_TEXT], plain[CLI_SIZE_TEXT];
    cli_print_text(stdout, c->column);
    for (size_t i = strlen(c->column); i < 14; i++)
        putchar(' ');
    printf("  %12" PRIu64 "  %10s  %10s", c->values, cli_format_size(c->compressed_bytes, stored),
           cli_format_size(c->uncompressed_bytes, plain));
    if (c->uncompressed_bytes > 0)
        printf("  %6.3f", (double)c->compressed_bytes / (double)c->uncompressed_bytes);
    else
        printf("  %6s", "-");
    printf("  %-12s  %s%s\n", c->codec, c->encodings,
           c->bloom_filter_bytes > 0 ? "; bloom filter" : "");
}

/* Adds one comma-divided name after another, each once. */
static void add_names(char *to, size_t to_size, const char *names)
{
    while (*names != '\0') {
        size_t size = strcspn(names, ",");
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)size, names);
        bool there = false;
        for (const char *at = strstr(to, name); at != NULL && !there; at = strstr(at + 1, name))
            there = (at == to || at[-1] == ' ') && (at[size] == '\0' || at[size] == ',');
        size_t used = strlen(to);
        if (!there)
            snprintf(to + used, to_size - used, "%s%s", used > 0 ? ", " : "", name);
        names += size;
        names += strspn(names, ", ");
    }
}

/* The sum of one column over the row groups of a part. */
static akidb_status sum_column(const akidb_parquet_reader *reader, size_t column,
                               akidb_parquet_chunk_info *sum, char codecs[64], akidb_error *err)
{
    *sum = (akidb_parquet_chunk_info){.column = ""};
    codecs[0] = '\0';
    for (size_t g = 0; g < akidb_parquet_reader_row_groups(reader); g++) {
        akidb_parquet_chunk_info chunk;
        akidb_status status = akidb_parquet_reader_chunk(reader, g, column, &chunk, err);
        if (status != AKIDB_OK)
            return status;
        sum->column = chunk.column;
        sum->values += chunk.values;
        sum->compressed_bytes += chunk.compressed_bytes;
        sum->uncompressed_bytes += chunk.uncompressed_bytes;
        sum->bloom_filter_bytes += chunk.bloom_filter_bytes;
        add_names(sum->encodings, sizeof sum->encodings, chunk.encodings);
        add_names(codecs, 64, chunk.codec);
    }
    sum->codec = codecs;
    return AKIDB_OK;
}

static akidb_status print_columns(const akidb_parquet_reader *reader, akidb_error *err)
{
    if (akidb_parquet_reader_row_groups(reader) == 0)
        return AKIDB_OK;
    print_heading("COLUMN");
    for (size_t c = 0; c < akidb_parquet_reader_columns(reader); c++) {
        akidb_parquet_chunk_info sum;
        char codecs[64];
        akidb_status status = sum_column(reader, c, &sum, codecs, err);
        if (status != AKIDB_OK)
            return status;
        print_chunk(&sum);
    }
    return AKIDB_OK;
}

static akidb_status print_row_groups(const akidb_parquet_reader *reader, akidb_error *err)
{
    for (size_t g = 0; g < akidb_parquet_reader_row_groups(reader); g++) {
        char first[32];
        snprintf(first, sizeof first, "ROW GROUP %zu", g);
        print_heading(first);
        for (size_t c = 0; c < akidb_parquet_reader_columns(reader); c++) {
            akidb_parquet_chunk_info chunk;
            akidb_status status = akidb_parquet_reader_chunk(reader, g, c, &chunk, err);
            if (status != AKIDB_OK)
                return status;
            print_chunk(&chunk);
        }
    }
    return AKIDB_OK;
}

static akidb_status row_groups_json(const akidb_parquet_reader *reader, cli_json *json,
                                    akidb_error *err)
{
    for (size_t g = 0; g < akidb_parquet_reader_row_groups(reader); g++) {
        akidb_parquet_row_group_bounds bounds;
        akidb_status status = akidb_parquet_reader_bounds(reader, g, &bounds, err);
        if (status != AKIDB_OK)
            return status;
        cli_json_open(json, NULL, '{');
        cli_json_number(json, "rows", bounds.rows);
        cli_json_open(json, "columns", '[');
        for (size_t c = 0; c < akidb_parquet_reader_columns(reader); c++) {
            akidb_parquet_chunk_info chunk;
            status = akidb_parquet_reader_chunk(reader, g, c, &chunk, err);
            if (status != AKIDB_OK)
                return status;
            cli_json_open(json, NULL, '{');
            cli_json_string(json, "column", chunk.column);
            cli_json_string(json, "codec", chunk.codec);
            cli_json_string(json, "encodings", chunk.encodings);
            cli_json_number(json, "values", chunk.values);
            cli_json_number(json, "compressed_bytes", chunk.compressed_bytes);
            cli_json_number(json, "uncompressed_bytes", chunk.uncompressed_bytes);
            cli_json_number(json, "bloom_filter_bytes", chunk.bloom_filter_bytes);
            cli_json_close(json, '}');
        }
        cli_json_close(json, ']');
        cli_json_close(json, '}');
    }
    return AKIDB_OK;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static akidb_status show_part(cli *session, const akidb_snapshot_part *part, const values *v,
                              cli_json *json, akidb_error *err)
{
    cli_object object = {session->store, part->key};
    akidb_object_info info;
    akidb_status status = akidb_store_head(session->store, part->key, &info, err);
    if (status != AKIDB_OK)
        return status;
    akidb_input input = cli_store_input(&object, info.size);
    akidb_parquet_reader *reader;
    status = akidb_parquet_reader_open(&input, NULL, &reader, err);
    if (status != AKIDB_OK)
        return status;

    if (session->json) {
        cli_json_open(json, NULL, '{');
        cli_json_string(json, "key", part->key);
        cli_json_number(json, "rows", akidb_parquet_reader_rows(reader));
        cli_json_number(json, "size_bytes", info.size);
        cli_json_string(json, "created_by", akidb_parquet_reader_created_by(reader));
        cli_json_open(json, "row_groups", '[');
        status = row_groups_json(reader, json, err);
        cli_json_close(json, ']');
        cli_json_close(json, '}');
    } else {
        printf("\npart         ");
        cli_print_text(stdout, part->key);
        fputs("\nwritten by   ", stdout);
        cli_print_text(stdout, akidb_parquet_reader_created_by(reader));
        putchar('\n');
        status = v->row_groups ? print_row_groups(reader, err) : print_columns(reader, err);
    }
    akidb_parquet_reader_close(reader);
    return status;
}

static int show_parts(cli *session, const akidb_snapshot_metadata *m, const values *v,
                      cli_json *json)
{
    for (size_t i = 0; i < m->part_count && m->format == AKIDB_FORMAT_PARQUET; i++) {
        akidb_error err;
        if (show_part(session, &m->parts[i], v, json, &err) == AKIDB_OK)
            continue;
        fflush(stdout);
        return cli_fail(session, &err);
    }
    return CLI_DONE;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    const values *v = given;
    akidb_uuid collection, snapshot;
    int code = cli_open(session, NULL, "show");
    if (code == CLI_DONE)
        code = cli_snapshot(session, arguments[0], count > 1 ? arguments[1] : NULL, &collection,
                            &snapshot);
    if (code != CLI_DONE)
        return code;
    akidb_error err;
    akidb_snapshot_metadata *metadata;
    if (akidb_snapshot_get_metadata(session->snapshotter, &collection, &snapshot, &metadata,
                                    &err) != AKIDB_OK)
        return cli_fail(session, &err);

    cli_json json = {0};
    if (session->json) {
        cli_json_begin(&json);
        cli_json_open(&json, NULL, '{');
        cli_json_raw(&json, "metadata", metadata->text);
        cli_json_open(&json, "parts", '[');
    } else {
        print_metadata(metadata);
    }
    code = show_parts(session, metadata, v, &json);
    if (session->json && code == CLI_DONE) {
        cli_json_close(&json, ']');
        cli_json_close(&json, '}');
        code = cli_json_print(session, &json);
    }
    cli_json_free(&json);
    akidb_snapshot_metadata_free(metadata);
    return code;
}

const cli_command cli_cmd_show = {
    .name = "show",
    .arguments = "COLLECTION [SNAPSHOT]",
    .summary = "Show what a snapshot is made of",
    .details =
        "Prints the metadata and the parts; what a profile has chosen, and what the other ways "
        "came to in its sample; and for Parquet how each column is stored: values, bytes before "
        "and after compression, codec, encodings, and whether there is a Bloom filter. Without "
        "SNAPSHOT, the latest. Only the footers of the parts are read; 'akidb verify' reads "
        "everything.",
    .options = options,
    .examples = examples,
    .arguments_min = 1,
    .arguments_max = 2,
    .values_size = sizeof(values),
    .run = run,
};
