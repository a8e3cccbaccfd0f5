#include "manual.h"

#include <string.h>

static const char program_summary[] = "snapshots of vector collections, as Parquet files";

static const char program_details[] =
    "akidb keeps collections of vectors safe: it imports them from files, stores them as immutable "
    "snapshots in plain Parquet (or JSON) with a checksum over every byte, and lists, verifies, "
    "restores and expires the snapshots.";

static const char names_details[] =
    "COLLECTION is a UUID, in any case, or any other name. A name stands for the version 5 UUID of "
    "its bytes, so the same name is the same collection everywhere; create keeps it as the label "
    "'name'.\n\n"
    "SNAPSHOT is a UUID, the beginning of one that no other snapshot of the collection shares, or "
    "'latest': the one that was created last.\n\n"
    "A document has an id (a UUID), an external id (any text, optional), a vector of 32-bit "
    "floats, metadata (a JSON value, optional) and the time when it was inserted.";

static const struct {
    const char *term, *text;
} exit_codes[] = {
    {"0", "Done."},
    {"1", "It failed: the disk is full, a permission is missing, the store cannot be reached."},
    {"2", "The command line is wrong."},
    {"3", "Not found: a collection, a snapshot, a part, a file or a document."},
    {"4", "Corrupt: bytes of a snapshot are not those that were written."},
    {"5", "Invalid input: a file is damaged, or a value in it breaks a rule."}};

static const char exit_details[] =
    "Of several answers, as verify and list give them, the worst counts: 4, then 3, then 1. After "
    "SIGINT, SIGTERM or SIGHUP the program removes what it had begun and ends by that signal (a "
    "shell shows 130 for Ctrl-C). When the reader of its output goes away, as head does, it ends "
    "by "
    "SIGPIPE without a word. Nothing half-made is ever visible.";

/* ---- pieces ---------------------------------------------------------------------------------- */

enum { TERM_SIZE = 96, TEXT_SIZE = 1024 };

/* Appends to a text that may run into the end of its array. */
static void add(char text[TEXT_SIZE], const char *a, const char *b)
{
    size_t used = strlen(text);
    snprintf(text + used, TEXT_SIZE - used, "%s%s", a, b);
}

static void render_option(FILE *file, const cli_renderer *to, const cli_option *option)
{
    char term[TERM_SIZE], text[TEXT_SIZE] = "";
    char letter[8] = "";
    if (option->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(term, sizeof term, "%s--%s%s%s", letter, option->name,
             option->argument != NULL ? " " : "", option->argument != NULL ? option->argument : "");

    add(text, option->help, "");
    const char *before = option->read == cli_read_columns ? ". Names: " : ". One of: ";
    for (const cli_choice *c = option->choices; c != NULL && c->name != NULL; c++, before = ", ")
        add(text, before, c->name);
    if (cli_option_is_list(option))
        add(text, ". ", "May be given several times");
    to->item(file, term, text);
}

static void render_options(FILE *file, const cli_renderer *to, const cli_option *options)
{
    for (; options->name != NULL; options++)
        render_option(file, to, options);
    to->items_end(file);
}

static void render_usage(FILE *file, const cli_renderer *to, const cli_command *command)
{
    char line[256];
    snprintf(line, sizeof line, "akidb %s [OPTION]...%s%s", command->name,
             command->arguments[0] != '\0' ? " " : "", command->arguments);
    to->usage(file, line);
}

static void render_family_usage(FILE *file, const cli_renderer *to, const cli_family *family)
{
    char line[256];
    snprintf(line, sizeof line, "akidb %s [OPTION]... COMMAND [ARGUMENT]...", family->name);
    to->usage(file, line);
}

static void render_examples(FILE *file, const cli_renderer *to, const cli_example *examples)
{
    for (const cli_example *e = examples; e->what != NULL; e++)
        to->example(file, e->what, e->line);
}

static void render_summary(FILE *file, const cli_renderer *to, const char *summary)
{
    char text[256];
    snprintf(text, sizeof text, "%s.", summary);
    to->text(file, text);
}

static void render_family_options(FILE *file, const cli_renderer *to, const cli_family *family)
{
    char title[64];
    snprintf(title, sizeof title, "Options of every '%s' command", family->name);
    to->section(file, title);
    render_options(file, to, family->options);
}

/* ---- pages ----------------------------------------------------------------------------------- */

void cli_help_command(FILE *file, const cli_command *command)
{
    const cli_renderer *to = &cli_plain;
    render_usage(file, to, command);
    fprintf(file, "%s.\n\n", command->summary);
    to->text(file, command->details);
    if (command->options[0].name != NULL) {
        to->section(file, "Options");
        render_options(file, to, command->options);
    }
    if (command->family != NULL)
        render_family_options(file, to, command->family);
    to->section(file, "Options of every command");
    render_options(file, to, cli_global_options);
    to->section(file, "Examples");
    render_examples(file, to, command->examples);
}

void cli_help_family(FILE *file, const cli_family *family)
{
    const cli_renderer *to = &cli_plain;
    render_family_usage(file, to, family);
    fprintf(file, "%s.\n\n", family->summary);
    to->text(file, family->details);
    to->section(file, "Commands");
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if (cli_commands[i]->family == family)
            to->item(file, cli_command_word(cli_commands[i]), cli_commands[i]->summary);
    render_family_options(file, to, family);
    to->section(file, "Options of every command");
    render_options(file, to, cli_global_options);
    to->section(file, "Examples");
    render_examples(file, to, family->examples);
    fprintf(file, "\n'akidb %s COMMAND --help' tells more of each.\n", family->name);
}

void cli_help(FILE *file)
{
    const cli_renderer *to = &cli_plain;
    to->usage(file, "akidb [OPTION]... COMMAND [ARGUMENT]...");
    to->text(file, program_details);
    to->section(file, "Commands");
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        const cli_family *family = cli_family_begins(i);
        if (family != NULL)
            to->item(file, family->name, family->summary);
        else if (cli_commands[i]->family == NULL)
            to->item(file, cli_commands[i]->name, cli_commands[i]->summary);
    }
    to->section(file, "Options");
    render_options(file, to, cli_global_options);
    to->section(file, "Names");
    to->text(file, names_details);
    to->section(file, "Exit codes");
    for (size_t i = 0; i < sizeof exit_codes / sizeof exit_codes[0]; i++)
        fprintf(file, "  %s  %s\n", exit_codes[i].term, exit_codes[i].text);
    fputs("\n'akidb COMMAND --help' tells more of each, 'man akidb' tells all.\n", file);
}

static void manual_of_command(FILE *file, const cli_renderer *to, const cli_command *command)
{
    to->subsection(file, command->name);
    render_usage(file, to, command);
    render_summary(file, to, command->summary);
    to->text(file, command->details);
    if (command->options[0].name != NULL)
        render_options(file, to, command->options);
    render_examples(file, to, command->examples);
}

static void manual_of_family(FILE *file, const cli_renderer *to, const cli_family *family)
{
    to->subsection(file, family->name);
    render_family_usage(file, to, family);
    render_summary(file, to, family->summary);
    to->text(file, family->details);
    render_options(file, to, family->options);
    render_examples(file, to, family->examples);
}

void cli_manual(FILE *file, const cli_renderer *to)
{
    to->title(file, "akidb", program_summary);
    to->section(file, "Synopsis");
    to->usage(file, "akidb [--store URI] [--json] [--quiet] [--threads N] COMMAND [ARGUMENT]...");
    to->section(file, "Description");
    to->text(file, program_details);
    to->text(file, names_details);
    to->section(file, "Global options");
    to->text(file, "They may stand before or after the command.");
    render_options(file, to, cli_global_options);

    to->section(file, "Commands");
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        if (cli_family_begins(i) != NULL)
            manual_of_family(file, to, cli_family_begins(i));
        manual_of_command(file, to, cli_commands[i]);
    }

    to->section(file, "Exit status");
    for (size_t i = 0; i < sizeof exit_codes / sizeof exit_codes[0]; i++)
        to->item(file, exit_codes[i].term, exit_codes[i].text);
    to->items_end(file);
    to->text(file, exit_details);

    to->section(file, "Environment");
    to->item(file, "AKIDB_STORE", "The store when there is no --store.");
    to->item(file, "TMPDIR",
             "The folder for what memory cannot hold: the ids of a large snapshot while it is "
             "checked that none comes twice, and its Bloom filters until the end of a part. "
             "Default: /tmp.");
    to->items_end(file);
}
