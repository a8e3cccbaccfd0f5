/*
 * Completions for three shells, written out from the tables: commands, options, the values of an
 * option that has choices, and file names where a file is expected.
 */
#include "manual.h"

#include <string.h>

/* Each option of a command, the global ones after its own. */
typedef void option_visitor(FILE *file, const cli_command *command, const cli_option *option);

static void each_option(FILE *file, const cli_command *command, option_visitor *visit)
{
    for (const cli_option *o = command->options; o->name != NULL; o++)
        visit(file, command, o);
    for (const cli_option *o = cli_global_options; o->name != NULL; o++)
        visit(file, command, o);
}

static void put_choices(FILE *file, const cli_choice *choices)
{
    for (const cli_choice *c = choices; c->name != NULL; c++)
        fprintf(file, "%s%s", c == choices ? "" : " ", c->name);
}

static void put_commands(FILE *file)
{
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        fprintf(file, "%s%s", i == 0 ? "" : " ", cli_commands[i]->name);
}

/* The first half of the help, before the details, for one line. */
static void put_short_help(FILE *file, const char *help, const char *avoid)
{
    size_t size = strcspn(help, ";.:");
    for (size_t i = 0; i < size; i++)
        if (strchr(avoid, help[i]) == NULL)
            fputc(help[i], file);
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void bash_word(FILE *file, const cli_command *command, const cli_option *option)
{
    (void)command;
    fprintf(file, " --%s", option->name);
}

/* How the value of an option is completed; options without a value need none. */
static void bash_value(FILE *file, const cli_command *command, const cli_option *option)
{
    if (option->argument == NULL)
        return;
    fprintf(file, "    %s:--%s)", command != NULL ? command->name : "*", option->name);
    if (option->choices != NULL) {
        fputs(" COMPREPLY=($(compgen -W \"", file);
        put_choices(file, option->choices);
        fputs("\" -- \"$word\")); return ;;\n", file);
    } else if (cli_option_is_file(option)) {
        fputs(" compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$word\")); return "
              ";;\n",
              file);
    } else {
        fputs(" return ;;\n", file);
    }
}

static void bash(FILE *file)
{
    fputs("# bash completion for akidb\n"
          "_akidb() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command= skip= i\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        if [[ -n $skip ]]; then skip=; continue; fi\n"
          "        case ${COMP_WORDS[i]} in\n",
          file);
    for (const cli_option *o = cli_global_options; o->name != NULL; o++)
        if (o->argument != NULL)
            fprintf(file, "        --%s) skip=1 ;;\n", o->name);
    fputs("        -*) ;;\n"
          "        *) command=${COMP_WORDS[i]}; break ;;\n"
          "        esac\n"
          "    done\n"
          "    COMPREPLY=()\n"
          "    case $command:$before in\n",
          file);
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        for (const cli_option *o = cli_commands[i]->options; o->name != NULL; o++)
            bash_value(file, cli_commands[i], o);
    for (const cli_option *o = cli_global_options; o->name != NULL; o++)
        bash_value(file, NULL, o);
    fputs("    esac\n"
          "    if [[ $word != -* ]]; then\n"
          "        case $command in\n"
          "        '') COMPREPLY=($(compgen -W \"",
          file);
    put_commands(file);
    fputs("\" -- \"$word\")) ;;\n"
          "        help) COMPREPLY=($(compgen -W \"",
          file);
    put_commands(file);
    fputs("\" -- \"$word\")) ;;\n"
          "        create|restore) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "
          "\"$word\")) ;;\n"
          "        esac\n"
          "        return\n"
          "    fi\n"
          "    case $command in\n",
          file);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        fprintf(file, "    %s) COMPREPLY=($(compgen -W \"", cli_commands[i]->name);
        each_option(file, cli_commands[i], bash_word);
        fputs("\" -- \"$word\")) ;;\n", file);
    }
    fputs("    *) COMPREPLY=($(compgen -W \"", file);
    for (const cli_option *o = cli_global_options; o->name != NULL; o++)
        bash_word(file, NULL, o);
    fputs("\" -- \"$word\")) ;;\n"
          "    esac\n"
          "}\n"
          "complete -F _akidb akidb\n",
          file);
}

/* ---- zsh ------------------------------------------------------------------------------------- */

static void zsh_option(FILE *file, const cli_command *command, const cli_option *option)
{
    (void)command;
    fprintf(file, " \\\n            '%s--%s%s[", cli_option_is_list(option) ? "*" : "",
            option->name, option->argument != NULL ? "=" : "");
    put_short_help(file, option->help, "'[]");
    fputc(']', file);
    if (option->argument != NULL) {
        fprintf(file, ":%.*s:", (int)strcspn(option->argument, "[:"), option->argument);
        if (option->choices != NULL) {
            fputc('(', file);
            put_choices(file, option->choices);
            fputc(')', file);
        } else if (cli_option_is_file(option)) {
            fputs("_files", file);
        }
    }
    fputc('\'', file);
}

static void zsh(FILE *file)
{
    fputs("#compdef akidb\n"
          "# zsh completion for akidb\n"
          "_akidb() {\n"
          "    local context state state_descr line\n"
          "    typeset -A opt_args\n"
          "    _arguments -C",
          file);
    for (const cli_option *o = cli_global_options; o->name != NULL; o++)
        zsh_option(file, NULL, o);
    fputs(" \\\n            '1:command:->command' '*::argument:->arguments'\n"
          "    case $state in\n"
          "    command)\n"
          "        local -a commands=(",
          file);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        fprintf(file, "\n            '%s:", cli_commands[i]->name);
        put_short_help(file, cli_commands[i]->summary, "'");
        fputc('\'', file);
    }
    fputs(")\n"
          "        _describe command commands ;;\n"
          "    arguments)\n"
          "        case $line[1] in\n",
          file);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        fprintf(file, "        %s)\n            _arguments", cli_commands[i]->name);
        each_option(file, cli_commands[i], zsh_option);
        bool help = strcmp(cli_commands[i]->name, "help") == 0;
        fputs(" \\\n            '*:argument:", file);
        if (help) {
            fputc('(', file);
            put_commands(file);
            fputc(')', file);
        } else {
            fputs("_files", file);
        }
        fputs("' ;;\n", file);
    }
    fputs("        esac ;;\n"
          "    esac\n"
          "}\n"
          "_akidb \"$@\"\n",
          file);
}

/* ---- fish ------------------------------------------------------------------------------------ */

static void fish_option(FILE *file, const cli_command *command, const cli_option *option)
{
    fputs("complete -c akidb", file);
    if (command != NULL)
        fprintf(file, " -n '__fish_seen_subcommand_from %s'", command->name);
    if (option->letter != 0)
        fprintf(file, " -s %c", option->letter);
    fprintf(file, " -l %s", option->name);
    if (option->argument != NULL)
        fputs(cli_option_is_file(option) ? " -r -F" : " -x", file);
    if (option->choices != NULL) {
        fputs(" -a '", file);
        put_choices(file, option->choices);
        fputc('\'', file);
    }
    fputs(" -d '", file);
    put_short_help(file, option->help, "'\\");
    fputs("'\n", file);
}

static void fish(FILE *file)
{
    fputs("# fish completion for akidb\n", file);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        fprintf(file, "complete -c akidb -f -n __fish_use_subcommand -a %s -d '",
                cli_commands[i]->name);
        put_short_help(file, cli_commands[i]->summary, "'\\");
        fputs("'\n", file);
    }
    fputs("complete -c akidb -f -n '__fish_seen_subcommand_from help' -a '", file);
    put_commands(file);
    fputs("'\n", file);
    for (const cli_option *o = cli_global_options; o->name != NULL; o++)
        fish_option(file, NULL, o);
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        for (const cli_option *o = cli_commands[i]->options; o->name != NULL; o++)
            fish_option(file, cli_commands[i], o);
}

void cli_completion(FILE *file, cli_shell shell)
{
    switch (shell) {
    case CLI_BASH: bash(file); break;
    case CLI_ZSH: zsh(file); break;
    case CLI_FISH: fish(file); break;
    }
}
