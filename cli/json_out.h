#ifndef CLI_JSON_OUT_H
#define CLI_JSON_OUT_H
/*
 * One JSON value, built in memory and printed whole: a command that fails half-way prints none.
 * `name` is the member's name inside an object, and NULL elsewhere. Bytes that are not UTF-8 are
 * printed as U+FFFD. A lack of memory is told by cli_json_print.
 */
#include "cli.h"

typedef struct cli_json {
    FILE *file; /* over text */
    char *text;
    size_t size;
    bool comma; /* the next value follows another */
} cli_json;

void cli_json_begin(cli_json *json);
void cli_json_open(cli_json *json, const char *name, char bracket);        /* '{' or '[' */
void cli_json_close(cli_json *json, char bracket);                         /* '}' or ']' */
void cli_json_string(cli_json *json, const char *name, const char *value); /* NULL: null */
void cli_json_uuid(cli_json *json, const char *name, const akidb_uuid *value);
void cli_json_time(cli_json *json, const char *name, int64_t value);
void cli_json_number(cli_json *json, const char *name, uint64_t value);
void cli_json_bool(cli_json *json, const char *name, bool value);
/* Text that is JSON already. */
void cli_json_raw(cli_json *json, const char *name, const char *text);

/* A value that was built apart, and is whole. */
void cli_json_add(cli_json *json, const char *name, cli_json *value);

/* The length of the UTF-8 character at `text`, or 0 when there is none. */
size_t cli_utf8_size(const char *text);

/* Prints the value and a newline on stdout, and frees it. Returns an exit code. */
int cli_json_print(cli *session, cli_json *json);
void cli_json_free(cli_json *json);

#endif
