#ifndef CLI_STATS_H
#define CLI_STATS_H
/* How many requests a command made of its store, for --stats. */
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

void cli_stats_close(cli *session);

#endif
