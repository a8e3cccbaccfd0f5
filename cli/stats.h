#ifndef CLI_STATS_H
#define CLI_STATS_H
/* How many requests a command made of its store, for --stats and --metrics-file. */
#include "cli.h"

/* A row of an options table; `field` is the offset of a bool in the values, which the command hands
 * on to the session before it opens the store. */
#define CLI_STATS_OPTION(field)                                                                    \
    {                                                                                              \
        "stats", 0, NULL,                                                                          \
            "Tell on stderr, at the end, how many requests of each kind the store got, and their " \
            "bytes",                                                                               \
            cli_read_flag, (field), NULL, 0, 0                                                     \
    }

/* Puts a counting store around session->store, which moves to session->counted_store. Returns an
 * exit code, having said why. */
int cli_stats_open(cli *session);

/* Tells the counts, if there are any to tell. The store must still be open. */
void cli_stats_print(cli *session);

typedef struct cli_stats_totals {
    uint64_t requests[AKIDB_STORE_OP_COUNT];
    uint64_t failed; /* not found is no failure */
    uint64_t sent;   /* bytes of objects */
    uint64_t received;
} cli_stats_totals;

/* All zero when nothing was counted. */
void cli_stats_get(const cli *session, cli_stats_totals *totals_out);

void cli_stats_close(cli *session);

#endif
