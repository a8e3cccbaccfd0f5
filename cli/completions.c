/*
 * Completions for three shells, written out from the tables: commands, options, the values of an
 * option that has choices, and file names where a file is expected.
 */
#include "manual.h"

#include <string.h>

/* Told of an option of a command; of a family, before its second word; or, with neither, of the
 * program. */
typedef void option_visitor(FILE *file, const cli_family *family, const cli_command *command,
                            const cli_option *option);

static void each_of(FILE *file, const cli_option *options, const cli_family *family,
                    const cli_command *command, option_visitor *visit)
{
    for (const cli_option *o = options; o->name != NULL; o++)
        visit(file, family, command, o);
}

/* The options that may stand there: a command's own, its family's, the global ones. */
static void each_option(FILE *file, const cli_family *family, const cli_command *command,
                        option_visitor *visit)
{
    if (command != NULL)
        each_of(file, command->options, family, command, visit);
    if (family != NULL)
        each_of(file, family->options, family, command, visit);
    each_of(file, cli_global_options, family, command, visit);
}

static void put_choices(FILE *file, const cli_choice *choices)
{
    for (const cli_choice *c = choices; c->name != NULL; c++)
        fprintf(file, "%s%s", c == choices ? "" : " ", c->name);
}

/* Told of the words that may come next: first words, or the second words of a family. */
typedef void word_visitor(FILE *file, const cli_family *family, const char *word,
                          const char *summary);

static void each_word(FILE *file, const cli_family *family, word_visitor *visit)
{
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        const cli_command *command = cli_commands[i];
        const cli_family *begins = cli_family_begins(i);
        if (command->family == family)
            visit(file, family, cli_command_word(command), command->summary);
        else if (family == NULL && begins != NULL)
            visit(file, family, begins->name, begins->summary);
    }
}

static void put_word(FILE *file, const cli_family *family, const char *word, const char *summary)
{
    (void)family;
    (void)summary;
    fprintf(file, " %s", word);
}

/* The first half of the help, before the details, for one line. */
static void put_short_help(FILE *file, const char *help, const char *avoid)
{
    size_t size = strcspn(help, ";.:");
    for (size_t i = 0; i < size; i++)
        if (strchr(avoid, help[i]) == NULL)
            fputc(help[i], file);
}

/* Whether an argument of the command is a file. */
static bool takes_files(const cli_command *command)
{
    return strstr(command->arguments, "FILE") != NULL || strstr(command->arguments, "OUT") != NULL;
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void bash_word(FILE *file, const cli_family *family, const cli_command *command,
                      const cli_option *option)
{
    (void)family;
    (void)command;
    fprintf(file, " --%s", option->name);
}

/* The words of a command before the one that is completed must not be taken for values. */
static void bash_skip(FILE *file, const cli_family *family, const cli_command *command,
                      const cli_option *option)
{
    (void)family;
    (void)command;
    if (option->argument != NULL)
        fprintf(file, "        --%s) skip=1 ;;\n", option->name);
}

/* How the value of an option is completed; options without a value need none. */
static void bash_value(FILE *file, const cli_family *family, const cli_command *command,
                       const cli_option *option)
{
    if (option->argument == NULL)
        return;
    if (command != NULL)
        fprintf(file, "    \"%s\":--%s)", command->name, option->name);
    else
        fprintf(file, "    %s*:--%s)", family != NULL ? family->name : "", option->name);
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

/* Finds the command: a first word, and the second one of a family. */
static void bash_find_command(FILE *file)
{
    fputs("    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        if [[ -n $skip ]]; then skip=; continue; fi\n"
          "        case ${COMP_WORDS[i]} in\n",
          file);
    each_of(file, cli_global_options, NULL, NULL, bash_skip);
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if (cli_family_begins(i) != NULL)
            each_of(file, cli_family_begins(i)->options, NULL, NULL, bash_skip);
    fputs("        -*) ;;\n"
          "        *)  command=${command:+$command }${COMP_WORDS[i]}\n"
          "            case $command in\n",
          file);
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if (cli_family_begins(i) != NULL)
            fprintf(file, "            %s) ;;\n", cli_family_begins(i)->name);
    fputs("            *) break ;;\n"
          "            esac ;;\n"
          "        esac\n"
          "    done\n",
          file);
}

static void bash_values(FILE *file)
{
    fputs("    case $command:$before in\n", file);
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        each_of(file, cli_commands[i]->options, NULL, cli_commands[i], bash_value);
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if (cli_family_begins(i) != NULL)
            each_of(file, cli_family_begins(i)->options, cli_family_begins(i), NULL, bash_value);
    each_of(file, cli_global_options, NULL, NULL, bash_value);
    fputs("    esac\n", file);
}

/* What is no option: the next word of a command, or a file for those that take any. */
static void bash_arguments(FILE *file)
{
    fputs("    if [[ $word != -* ]]; then\n"
          "        case $command in\n"
          "        ''|help) COMPREPLY=($(compgen -W \"",
          file);
    each_word(file, NULL, put_word);
    fputs("\" -- \"$word\")) ;;\n", file);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        const cli_family *family = cli_family_begins(i);
        if (family == NULL)
            continue;
        fprintf(file, "        %s) COMPREPLY=($(compgen -W \"", family->name);
        each_word(file, family, put_word);
        fputs("\" -- \"$word\")) ;;\n", file);
    }
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if (takes_files(cli_commands[i]))
            fprintf(file,
                    "        \"%s\") compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "
                    "\"$word\")) ;;\n",
                    cli_commands[i]->name);
    fputs("        esac\n"
          "        return\n"
          "    fi\n",
          file);
}

static void bash_options(FILE *file, const char *name, const cli_family *family,
                         const cli_command *command)
{
    fprintf(file, "    %s) COMPREPLY=($(compgen -W \"", name);
    each_option(file, family, command, bash_word);
    fputs("\" -- \"$word\")) ;;\n", file);
}

static void bash(FILE *file)
{
    fputs("# bash completion for akidb\n"
          "_akidb() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    local command= skip= i\n",
          file);
    bash_find_command(file);
    fputs("    COMPREPLY=()\n", file);
    bash_values(file);
    bash_arguments(file);
    fputs("    case $command in\n", file);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        const cli_command *command = cli_commands[i];
        char name[64];
        snprintf(name, sizeof name, "\"%s\"", command->name);
        bash_options(file, name, command->family, command);
        if (cli_family_begins(i) != NULL)
            bash_options(file, command->family->name, command->family, NULL);
    }
    bash_options(file, "*", NULL, NULL);
    fputs("    esac\n"
          "}\n"
          "complete -F _akidb akidb\n",
          file);
}

/* ---- zsh ------------------------------------------------------------------------------------- */

static void zsh_option(FILE *file, const cli_family *family, const cli_command *command,
                       const cli_option *option)
{
    (void)family;
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

static void zsh_word(FILE *file, const cli_family *family, const char *word, const char *summary)
{
    (void)family;
    fprintf(file, "\n            '%s:", word);
    put_short_help(file, summary, "'");
    fputc('\'', file);
}

static void zsh_arguments(FILE *file, const cli_command *command)
{
    fprintf(file, "        %s)\n            _arguments", cli_command_word(command));
    each_option(file, command->family, command, zsh_option);
    fputs(" \\\n            '*:argument:", file);
    if (strcmp(command->name, "help") == 0) {
        fputc('(', file);
        each_word(file, NULL, put_word);
        fputc(')', file);
    } else {
        fputs("_files", file);
    }
    fputs("' ;;\n", file);
}

/* A function for the words after `akidb`, or after a family's word. */
static void zsh_level(FILE *file, const cli_family *family)
{
    fprintf(file,
            "_akidb%s%s() {\n"
            "    local context state state_descr line\n"
            "    typeset -A opt_args\n"
            "    _arguments -C",
            family != NULL ? "_" : "", family != NULL ? family->name : "");
    each_option(file, family, NULL, zsh_option);
    fputs(" \\\n            '1:command:->command' '*::argument:->arguments'\n"
          "    case $state in\n"
          "    command)\n"
          "        local -a commands=(",
          file);
    each_word(file, family, zsh_word);
    fputs(")\n"
          "        _describe command commands ;;\n"
          "    arguments)\n"
          "        case $line[1] in\n",
          file);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        const cli_family *begins = cli_family_begins(i);
        if (cli_commands[i]->family == family)
            zsh_arguments(file, cli_commands[i]);
        else if (family == NULL && begins != NULL)
            fprintf(file, "        %s) _akidb_%s ;;\n", begins->name, begins->name);
    }
    fputs("        esac ;;\n"
          "    esac\n"
          "}\n",
          file);
}

static void zsh(FILE *file)
{
    fputs("#compdef akidb\n"
          "# zsh completion for akidb\n",
          file);
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if (cli_family_begins(i) != NULL)
            zsh_level(file, cli_family_begins(i));
    zsh_level(file, NULL);
    fputs("_akidb \"$@\"\n", file);
}

/* ---- fish ------------------------------------------------------------------------------------ */

/* The condition: this command, this family, or anywhere. A second word may be another command's
 * first one. */
static void fish_condition(FILE *file, const cli_family *family, const cli_command *command)
{
    if (family == NULL && command == NULL)
        return;
    fputs(" -n '", file);
    if (family != NULL)
        fprintf(file, "__fish_seen_subcommand_from %s", family->name);
    if (family != NULL && command != NULL)
        fputs("; and ", file);
    if (command != NULL)
        fprintf(file, "__fish_seen_subcommand_from %s", cli_command_word(command));
    if (family == NULL)
        for (size_t i = 0; cli_commands[i] != NULL; i++)
            if (cli_family_begins(i) != NULL)
                fprintf(file, "; and not __fish_seen_subcommand_from %s",
                        cli_family_begins(i)->name);
    fputc('\'', file);
}

static void fish_option(FILE *file, const cli_family *family, const cli_command *command,
                        const cli_option *option)
{
    fputs("complete -c akidb", file);
    fish_condition(file, family, command);
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

static void fish_word(FILE *file, const cli_family *family, const char *word, const char *summary)
{
    if (family == NULL) {
        fputs("complete -c akidb -f -n __fish_use_subcommand", file);
    } else {
        fprintf(file,
                "complete -c akidb -f -n '__fish_seen_subcommand_from %s; and not "
                "__fish_seen_subcommand_from",
                family->name);
        each_word(file, family, put_word);
        fputc('\'', file);
    }
    fprintf(file, " -a %s -d '", word);
    put_short_help(file, summary, "'\\");
    fputs("'\n", file);
}

static void fish(FILE *file)
{
    fputs("# fish completion for akidb\n", file);
    each_word(file, NULL, fish_word);
    fputs("complete -c akidb -f -n '__fish_seen_subcommand_from help' -a '", file);
    each_word(file, NULL, put_word);
    fputs("'\n", file);
    each_of(file, cli_global_options, NULL, NULL, fish_option);
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        const cli_command *command = cli_commands[i];
        const cli_family *begins = cli_family_begins(i);
        if (begins != NULL) {
            each_word(file, begins, fish_word);
            each_of(file, begins->options, begins, NULL, fish_option);
        }
        each_of(file, command->options, command->family, command, fish_option);
    }
}

void cli_completion(FILE *file, cli_shell shell)
{
    switch (shell) {
    case CLI_BASH: bash(file); break;
    case CLI_ZSH: zsh(file); break;
    case CLI_FISH: fish(file); break;
    }
}
