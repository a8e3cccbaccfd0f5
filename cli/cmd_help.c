#include "commands.h"
#include "manual.h"

#include <stddef.h>

typedef struct values {
    bool man;
    bool markdown;
    int shell;
} values;

static const cli_choice shells[] = {
    {"bash", CLI_BASH}, {"zsh", CLI_ZSH}, {"fish", CLI_FISH}, {NULL, 0}};

static const cli_option options[] = {{"man", 0, NULL, "Print the manual page, for man",
                                      cli_read_flag, offsetof(values, man), NULL, 0, 0},
                                     {"markdown", 0, NULL, "Print the manual as Markdown",
                                      cli_read_flag, offsetof(values, markdown), NULL, 0, 0},
                                     {"completion", 0, "SHELL", "Print the completions for a shell",
                                      cli_read_choice, offsetof(values, shell), shells, 0, 0},
                                     {0}};

static const cli_example examples[] = {
    {"What create can do", "akidb help create"},
    {"Complete akidb commands in this bash", "eval \"$(akidb help --completion bash)\""},
    {0}};

/* The words of a command or a family. */
static int explain(cli *session, char *const *words, size_t count)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", words[0], count > 1 ? " " : "",
             count > 1 ? words[1] : "");
    const cli_command *command = cli_find_command(name);
    const cli_family *family = cli_find_family(name);
    session->command = NULL;
    if (command != NULL)
        cli_help_command(stdout, command);
    else if (family != NULL)
        cli_help_family(stdout, family);
    else
        return cli_unknown_command(session, name);
    return CLI_DONE;
}

static int run(cli *session, const void *given, char *const *arguments, size_t count)
{
    const values *v = given;
    if (v->man + v->markdown + (v->shell != 0) + (count > 0) > 1)
        return cli_usage(session, "help: expected one of COMMAND, --man, --markdown, --completion");
    if (v->man) {
        cli_manual(stdout, &cli_man);
    } else if (v->markdown) {
        cli_manual(stdout, &cli_markdown);
    } else if (v->shell != 0) {
        cli_completion(stdout, (cli_shell)v->shell);
    } else if (count == 0) {
        cli_help(stdout);
    } else {
        return explain(session, arguments, count);
    }
    return CLI_DONE;
}

const cli_command cli_cmd_help = {
    .name = "help",
    .arguments = "[COMMAND]...",
    .summary = "Explain a command, or list the commands",
    .details = "All that help prints is made from the same tables that the command line is parsed "
               "with.",
    .options = options,
    .examples = examples,
    .arguments_max = 2,
    .values_size = sizeof(values),
    .run = run,
};
