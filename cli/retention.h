#ifndef CLI_RETENTION_H
#define CLI_RETENTION_H
/* Which snapshots stay: the options that cleanup shares with the db commands that flush. */
#include "cli.h"

#include <stddef.h>

typedef struct cli_retention {
    cli_moment older_than;
    cli_moment keep_within;
    cli_count keep_last;
    cli_count keep_daily;
    cli_count keep_weekly;
    cli_count keep_monthly;
} cli_retention;

enum { CLI_KEEP_MAX = 1000000000 };

/* Rows of an options table; `at` is the offset of the cli_retention in the values. */
#define CLI_RETENTION_OPTIONS(at)                                                                  \
    {"older-than",                                                                                 \
     0,                                                                                            \
     "AGE",                                                                                        \
     "Delete only what is older than this; 30s, 15m, 12h, 7d or 4w",                               \
     cli_read_duration,                                                                            \
     (at) + offsetof(cli_retention, older_than),                                                   \
     NULL,                                                                                         \
     1,                                                                                            \
     0},                                                                                           \
        {"keep-within",                                                                            \
         0,                                                                                        \
         "AGE",                                                                                    \
         "Keep every snapshot that is younger than this",                                          \
         cli_read_duration,                                                                        \
         (at) + offsetof(cli_retention, keep_within),                                              \
         NULL,                                                                                     \
         1,                                                                                        \
         0},                                                                                       \
        {"keep-last",                                                                              \
         0,                                                                                        \
         "N",                                                                                      \
         "Keep the newest N; with 0 not even the newest is kept for being the newest",             \
         cli_read_count,                                                                           \
         (at) + offsetof(cli_retention, keep_last),                                                \
         NULL,                                                                                     \
         0,                                                                                        \
         CLI_KEEP_MAX},                                                                            \
        {"keep-daily",                                                                             \
         0,                                                                                        \
         "N",                                                                                      \
         "Keep the newest of each of the last N days that have a snapshot",                        \
         cli_read_count,                                                                           \
         (at) + offsetof(cli_retention, keep_daily),                                               \
         NULL,                                                                                     \
         0,                                                                                        \
         CLI_KEEP_MAX},                                                                            \
        {"keep-weekly",                                                                            \
         0,                                                                                        \
         "N",                                                                                      \
         "The same for ISO weeks",                                                                 \
         cli_read_count,                                                                           \
         (at) + offsetof(cli_retention, keep_weekly),                                              \
         NULL,                                                                                     \
         0,                                                                                        \
         CLI_KEEP_MAX},                                                                            \
    {                                                                                              \
        "keep-monthly", 0, "N", "The same for months", cli_read_count,                             \
            (at) + offsetof(cli_retention, keep_monthly), NULL, 0, CLI_KEEP_MAX                    \
    }

/* False when nothing but keep_last 0 says what to delete. */
bool cli_retention_has_rule(const cli_retention *v);

akidb_retention cli_retention_policy(const cli_retention *v);

#endif
