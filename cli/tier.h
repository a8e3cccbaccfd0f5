#ifndef CLI_TIER_H
#define CLI_TIER_H
/* What the tier commands share: the options that say which data folder and which policy, and the
 * storage with its tiering while a command runs. As in db.h, a command returns what cli_tier_close
 * returns. */
#include "db.h"

/* The values of every tier command begin with these. */
typedef struct cli_tier_values {
    cli_db_values db;
} cli_tier_values;

extern const cli_family cli_family_tier;
extern const cli_choice cli_tiers[]; /* akidb_tier */

/* ---- options of commands that move ----------------------------------------------------------- */

typedef struct cli_tier_moving {
    cli_count max_rate;
    cli_db_flushing flushing;
} cli_tier_moving;

/* Rows of an options table; `at` is the offset of the cli_tier_moving in the values. */
#define CLI_TIER_MOVING_OPTIONS(at)                                                                \
    {"max-rate",                                                                                   \
     0,                                                                                            \
     "BYTES",                                                                                      \
     "Copy at most so much in a second; K, M and G are understood; default: no limit",             \
     cli_read_size,                                                                                \
     (at) + offsetof(cli_tier_moving, max_rate),                                                   \
     NULL,                                                                                         \
     1,                                                                                            \
     UINT64_C(1) << 40},                                                                           \
        CLI_DB_FLUSHING_OPTIONS((at) + offsetof(cli_tier_moving, flushing))

/* ---- the policy ------------------------------------------------------------------------------ */

typedef struct cli_tier_policy {
    cli_moment hot_idle;
    cli_moment warm_idle;
    cli_count promote_accesses;
    cli_moment promote_window;
    bool keep_cold;
    cli_count hot_budget;
    cli_count warm_budget;
} cli_tier_policy;

/* Rows of an options table; `at` is the offset of the cli_tier_policy in the values. */
#define CLI_TIER_POLICY_OPTIONS(at)                                                                \
    {"hot-idle",                                                                                   \
     0,                                                                                            \
     "AGE",                                                                                        \
     "From hot to warm after so long without access; default 6h",                                  \
     cli_read_duration,                                                                            \
     (at) + offsetof(cli_tier_policy, hot_idle),                                                   \
     NULL,                                                                                         \
     1,                                                                                            \
     0},                                                                                           \
        {"warm-idle",                                                                              \
         0,                                                                                        \
         "AGE",                                                                                    \
         "To cold after so long without access; default 7d",                                       \
         cli_read_duration,                                                                        \
         (at) + offsetof(cli_tier_policy, warm_idle),                                              \
         NULL,                                                                                     \
         1,                                                                                        \
         0},                                                                                       \
        {"promote-accesses",                                                                       \
         0,                                                                                        \
         "N",                                                                                      \
         "From warm to hot after N accesses within --promote-window; default 10",                  \
         cli_read_count,                                                                           \
         (at) + offsetof(cli_tier_policy, promote_accesses),                                       \
         NULL,                                                                                     \
         1,                                                                                        \
         UINT32_MAX},                                                                              \
        {"promote-window",                                                                         \
         0,                                                                                        \
         "AGE",                                                                                    \
         "The time in which accesses count. What has come up stays up, and what was moved down "   \
         "for room stays down, for as long; default 1h",                                           \
         cli_read_duration,                                                                        \
         (at) + offsetof(cli_tier_policy, promote_window),                                         \
         NULL,                                                                                     \
         1,                                                                                        \
         0},                                                                                       \
        {"keep-cold",                                                                              \
         0,                                                                                        \
         NULL,                                                                                     \
         "Leave cold what is accessed while it is cold",                                           \
         cli_read_flag,                                                                            \
         (at) + offsetof(cli_tier_policy, keep_cold),                                              \
         NULL,                                                                                     \
         0,                                                                                        \
         0},                                                                                       \
        {"hot-budget",                                                                             \
         0,                                                                                        \
         "BYTES",                                                                                  \
         "Memory for hot collections; beyond it the least recently used move down; default: no "   \
         "limit",                                                                                  \
         cli_read_size,                                                                            \
         (at) + offsetof(cli_tier_policy, hot_budget),                                             \
         NULL,                                                                                     \
         1,                                                                                        \
         UINT64_C(1) << 50},                                                                       \
    {                                                                                              \
        "warm-budget", 0, "BYTES", "Local disk for warm collections, likewise", cli_read_size,     \
            (at) + offsetof(cli_tier_policy, warm_budget), NULL, 1, UINT64_C(1) << 50              \
    }

/* ---- opening --------------------------------------------------------------------------------- */

typedef struct cli_tier {
    cli_db db;
    akidb_tiering *tiering;
} cli_tier;

typedef struct cli_tier_how {
    const cli_tier_moving *moving; /* NULL: the command moves nothing down */
    const cli_tier_policy *policy; /* NULL: it does not decide */
    cli_moment every;              /* the interval of a worker */
    bool flushes_itself;           /* as in cli_db_how */
} cli_tier_how;

/* Opens the data folder, which must be there, and a tiering on it. Returns an exit code, having
 * said why. */
int cli_tier_open(cli *session, const cli_tier_values *v, const cli_tier_how *how,
                  cli_tier *tier_out);
int cli_tier_close(cli_tier *tier, int code);

#endif
