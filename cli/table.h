#ifndef CLI_TABLE_H
#define CLI_TABLE_H
/* Results of many items: a table for people, whose columns are as wide as what stands in them, or
 * an array for programs. */
#include "json_out.h"

typedef struct cli_column {
    const char *heading; /* NULL ends a table */
    int width;           /* at least */
    bool right;          /* numbers */
} cli_column;

typedef struct cli_table cli_table;

/* How one kind of item is told. */
typedef struct cli_rows {
    const cli_column *columns;
    size_t item_size;
    void (*cells)(cli_table *table, const void *item); /* puts one for each column, in order */
    void (*json)(cli_json *json, const void *item);
} cli_rows;

void cli_cell(cli_table *table, const char *format, ...) CLI_PRINTF(2, 3);
void cli_cell_text(cli_table *table, const char *text);
void cli_cell_size(cli_table *table, uint64_t bytes);
void cli_cell_time(cli_table *table, int64_t time); /* 0: "-" */
void cli_cell_uuid(cli_table *table, const akidb_uuid *id);

/* What people call a collection, or its id when it has no name (NULL or ""). */
void cli_cell_collection(cli_table *table, const akidb_uuid *id, const char *name);

/* Prints `count` items; the heading is left out with --quiet. When there are none, `none` is said
 * instead. Returns an exit code. */
int cli_print_rows(cli *session, const cli_rows *rows, const void *items, size_t count,
                   const char *none);

#endif
