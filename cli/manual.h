#ifndef CLI_MANUAL_H
#define CLI_MANUAL_H
/* What can be read about the commands, all of it made from the tables. */
#include "cli.h"
#include "render.h"

/* `akidb --help`: the commands and the global options. */
void cli_help(FILE *file);
/* `akidb COMMAND --help`. */
void cli_help_command(FILE *file, const cli_command *command);
/* `akidb db --help`: the commands of a family and the options that they share. */
void cli_help_family(FILE *file, const cli_family *family);
/* Everything: the manual page, or docs/cli.md. */
void cli_manual(FILE *file, const cli_renderer *renderer);

/* Completions, for bash, zsh or fish. */
typedef enum cli_shell { CLI_BASH = 1, CLI_ZSH = 2, CLI_FISH = 3 } cli_shell;
void cli_completion(FILE *file, cli_shell shell);

#endif
