#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H
/* The commands, each in a file cmd_*.c. */
#include "cli.h"

extern const cli_command cli_cmd_create, cli_cmd_restore, cli_cmd_get, cli_cmd_list, cli_cmd_show,
    cli_cmd_verify, cli_cmd_delete, cli_cmd_cleanup, cli_cmd_copy, cli_cmd_sync, cli_cmd_migrate,
    cli_cmd_gc, cli_cmd_help;

extern const cli_command cli_cmd_db_insert, cli_cmd_db_get, cli_cmd_db_delete, cli_cmd_db_count,
    cli_cmd_db_collections, cli_cmd_db_create, cli_cmd_db_drop, cli_cmd_db_adopt, cli_cmd_db_flush,
    cli_cmd_db_snapshots, cli_cmd_db_restore, cli_cmd_db_stat, cli_cmd_db_metrics,
    cli_cmd_db_verify, cli_cmd_db_wal;

extern const cli_command cli_cmd_tier_status, cli_cmd_tier_pin, cli_cmd_tier_unpin,
    cli_cmd_tier_promote, cli_cmd_tier_demote, cli_cmd_tier_run, cli_cmd_tier_worker;

#endif
