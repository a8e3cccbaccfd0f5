#ifndef CLI_STATS_H
#define CLI_STATS_H
/* How many requests a command made of its store, for --stats and --metrics-file. */
#include "cli.h"

/* A row of an options table; `field` is the offset of a bool in the values, which the command hands
 * on to the session. */
#define CLI_STATS_OPTION(field)                                                                    \
    {                                                                                              \
        "stats", 0, NULL,                                                                          \
            "Tell on stderr, at the end, how many requests of each kind the store got, how many "  \
            "of them were retries or failed, and the bytes that they moved",                       \
            cli_read_flag, (field), NULL, 0, 0                                                     \
    }

/* Tells the counts, if they are wanted. The store must still be open. */
void cli_stats_print(cli *session);

/* All zero when no store is open. */
void cli_stats_get(const cli *session, akidb_store_statistics *statistics_out);

#endif
