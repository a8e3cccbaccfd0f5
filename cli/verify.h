#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H
/* What the two commands that verify share. */
#include "cli.h"

/* A row of an options table; `field` is the offset of an int in the values. */
#define CLI_VERIFY_LEVEL_OPTION(field)                                                             \
    {                                                                                              \
        "level", 0, "LEVEL",                                                                       \
            "How far to look at a snapshot; each level includes those before it: every part is "   \
            "there, has the right size, every byte is the one that was written, every document "   \
            "can be read; default decode",                                                         \
            cli_read_choice, (field), cli_verify_levels, 0, 0                                      \
    }

const char *cli_outcome_name(akidb_verify_outcome outcome);
int cli_exit_of_outcome(akidb_verify_outcome outcome);

#endif
