#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H
/* One for each file cmd_*.c. */
#include "cli.h"

extern const cli_command cli_cmd_create, cli_cmd_restore, cli_cmd_get, cli_cmd_list, cli_cmd_show,
    cli_cmd_verify, cli_cmd_delete, cli_cmd_cleanup, cli_cmd_copy, cli_cmd_sync, cli_cmd_migrate,
    cli_cmd_gc, cli_cmd_help;

#endif
