#ifndef CLI_WANTED_H
#define CLI_WANTED_H
/*
 * The documents that a user asks for by name, and which of them have been seen. A name from a file
 * that looks like a UUID may be either kind of id: it counts as both.
 */
#include "cli.h"

typedef struct cli_wanted_name {
    char *text; /* owned */
    bool is_id;
    bool is_external_id;
    akidb_uuid id;
} cli_wanted_name;

typedef struct cli_wanted {
    cli_wanted_name *names; /* in the order in which they were added */
    size_t count;
    size_t capacity;
    /* After cli_wanted_sort, sorted, without doubles, with a flag each: seen. */
    akidb_uuid *ids;
    size_t id_count;
    bool *id_seen;
    akidb_slice *external_ids;
    size_t external_id_count;
    bool *external_id_seen;
} cli_wanted;

void cli_wanted_free(cli_wanted *wanted);

akidb_status cli_wanted_add_id(cli_wanted *wanted, const char *uuid, akidb_error *err);
akidb_status cli_wanted_add_external_id(cli_wanted *wanted, const char *text, akidb_error *err);
/* One a line; empty lines are skipped. */
akidb_status cli_wanted_add_file(cli_wanted *wanted, const char *path, akidb_error *err);

/* Makes the arrays that a filter borrows. Call once, after the last add. */
akidb_status cli_wanted_sort(cli_wanted *wanted, akidb_error *err);

/* Notes the documents of a batch as seen. */
void cli_wanted_see(cli_wanted *wanted, const akidb_batch *batch);

/* AKIDB_E_NOT_FOUND, naming the first of them, when some names have not been seen. */
akidb_status cli_wanted_check(const cli_wanted *wanted, akidb_error *err);

bool cli_wanted_was_seen(const cli_wanted *wanted, const cli_wanted_name *name);

#endif
