#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

struct cli_table {
    char **cells; /* row after row */
    size_t count, capacity;
    bool out_of_memory;
};

static void add(cli_table *table, char *cell)
{
    table->out_of_memory = table->out_of_memory || cell == NULL;
    if (!table->out_of_memory && table->count < table->capacity)
        table->cells[table->count++] = cell;
    else
        free(cell);
}

void cli_cell(cli_table *table, const char *format, ...)
{
    char text[128];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    add(table, strdup(text));
}

void cli_cell_text(cli_table *table, const char *text)
{
    add(table, strdup(text));
}

void cli_cell_size(cli_table *table, uint64_t bytes)
{
    char text[CLI_SIZE_TEXT];
    add(table, strdup(cli_format_size(bytes, text)));
}

void cli_cell_time(cli_table *table, int64_t time)
{
    char text[AKIDB_TIME_TEXT_SIZE];
    add(table, strdup(time != 0 ? cli_format_time(time, text) : "-"));
}

void cli_cell_uuid(cli_table *table, const akidb_uuid *id)
{
    char text[AKIDB_UUID_TEXT_SIZE];
    akidb_uuid_format(id, text);
    add(table, strdup(text));
}

void cli_cell_collection(cli_table *table, const akidb_uuid *id, const char *name)
{
    if (name != NULL && *name != '\0')
        cli_cell_text(table, name);
    else
        cli_cell_uuid(table, id);
}

/* ---- printing -------------------------------------------------------------------------------- */

/* The number of characters, each of which is taken to be as wide as the next. */
static int width_of(const char *text)
{
    int width = 0;
    while (*text != '\0') {
        size_t size = cli_utf8_size(text);
        text += size > 0 ? size : 1;
        width++;
    }
    return width;
}

static void print_cell(const char *text, bool right, bool last, int width)
{
    int space = width - width_of(text);
    printf("%*s", right ? space : 0, "");
    cli_print_text(stdout, text);
    printf("%*s", right || last ? 0 : space, "");
    fputs(last ? "\n" : "  ", stdout);
}

/* A table has at least one. */
static size_t count_columns(const cli_column *columns)
{
    size_t count = 1;
    while (count < COLUMNS_MAX && columns[count].heading != NULL)
        count++;
    return count;
}

static size_t next(size_t column, size_t count)
{
    return column + 1 < count ? column + 1 : 0;
}

static void print_table(const cli_table *table, const cli_column *columns, bool heading)
{
    size_t count = count_columns(columns);
    int widths[COLUMNS_MAX] = {0};
    for (size_t c = 0; c < count; c++) {
        int width = width_of(columns[c].heading);
        widths[c] = width > columns[c].width ? width : columns[c].width;
    }
    for (size_t i = 0, c = 0; i < table->count; i++, c = next(c, count)) {
        int width = width_of(table->cells[i]);
        if (width > widths[c])
            widths[c] = width;
    }
    for (size_t c = 0; heading && c < count; c++)
        print_cell(columns[c].heading, columns[c].right, c + 1 == count, widths[c]);
    for (size_t i = 0, c = 0; i < table->count; i++, c = next(c, count))
        print_cell(table->cells[i], columns[c].right, c + 1 == count, widths[c]);
}

static int print_text(cli *session, const cli_rows *rows, const void *items, size_t count)
{
    size_t columns = count_columns(rows->columns);
    cli_table table = {.capacity = count * columns};
    table.cells = calloc(table.capacity, sizeof *table.cells);
    table.out_of_memory = table.cells == NULL;
    for (size_t i = 0; i < count && !table.out_of_memory; i++)
        rows->cells(&table, (const char *)items + i * rows->item_size);
    if (table.out_of_memory)
        cli_say(session, "out of memory");
    else
        print_table(&table, rows->columns, !session->quiet);
    for (size_t i = 0; i < table.count; i++)
        free(table.cells[i]);
    free(table.cells);
    return table.out_of_memory ? CLI_FAILED : CLI_DONE;
}

static int print_json(cli *session, const cli_rows *rows, const void *items, size_t count)
{
    cli_json json;
    cli_json_begin(&json);
    cli_json_open(&json, NULL, '[');
    for (size_t i = 0; i < count; i++)
        rows->json(&json, (const char *)items + i * rows->item_size);
    cli_json_close(&json, ']');
    return cli_json_print(session, &json);
}

int cli_print_rows(cli *session, const cli_rows *rows, const void *items, size_t count,
                   const char *none)
{
    cli_progress_clear(&session->progress);
    if (session->json)
        return print_json(session, rows, items, count);
    if (count > 0)
        return print_text(session, rows, items, count);
    if (!session->quiet)
        cli_say(session, "%s", none);
    return CLI_DONE;
}
