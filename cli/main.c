/*
 * akidb: the command line. It finds the command in the table, fills the command's values from its
 * options, runs it, and makes sure that what was printed has really been written.
 */
#include "manual.h"
#include "run_report.h"
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the table ------------------------------------------------------------------------------- */

const cli_command *cli_find_command(const char *name)
{
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if (strcmp(cli_commands[i]->name, name) == 0)
            return cli_commands[i];
    return NULL;
}

const cli_family *cli_find_family(const char *name)
{
    for (size_t i = 0; cli_commands[i] != NULL; i++)
        if (cli_commands[i]->family != NULL && strcmp(cli_commands[i]->family->name, name) == 0)
            return cli_commands[i]->family;
    return NULL;
}

const char *cli_command_word(const cli_command *command)
{
    return command->family != NULL ? command->name + strlen(command->family->name) + 1
                                   : command->name;
}

const cli_family *cli_family_begins(size_t index)
{
    const cli_family *family = cli_commands[index]->family;
    return index > 0 && cli_commands[index - 1]->family == family ? NULL : family;
}

static const char *command_name(const void *context, size_t index)
{
    (void)context;
    return cli_commands[index] != NULL ? cli_commands[index]->name : NULL;
}

int cli_unknown_command(cli *session, const char *name)
{
    const char *nearest = cli_nearest(name, command_name, NULL);
    for (size_t i = 0; nearest == NULL && cli_commands[i] != NULL; i++)
        if (strcmp(cli_command_word(cli_commands[i]), name) == 0)
            nearest = cli_commands[i]->name;
    if (nearest != NULL)
        return cli_usage(session, "unknown command '%s'; did you mean '%s'?", name, nearest);
    return cli_usage(session, "unknown command '%s'", name);
}

/* ---- one command ----------------------------------------------------------------------------- */

static int check_argument_count(cli *session, const cli_command *command, char *const *arguments,
                                size_t count)
{
    if (count < command->arguments_min)
        return cli_usage(session, "%s: expected %s, found %zu argument%s", command->name,
                         command->arguments, count, count == 1 ? "" : "s");
    if (count > command->arguments_max)
        return cli_usage(session, "%s: one argument too many: '%s'", command->name,
                         arguments[command->arguments_max]);
    return CLI_DONE;
}

static int no_memory(cli *session)
{
    cli_say(session, "out of memory");
    return CLI_FAILED;
}

/* The value of --metrics-file, if the command has it; NULL: not given. */
static const char *metrics_file(const cli_command *command, const void *values)
{
    const cli_option *tables[] = {command->options,
                                  command->family != NULL ? command->family->options : NULL};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const cli_option *o = tables[i]; o != NULL && o->name != NULL; o++)
            if (strcmp(o->name, "metrics-file") == 0)
                return *(const char *const *)((const char *)values + o->field);
    return NULL;
}

static int run_with_report(cli *session, const cli_command *command, const void *values,
                           char *const *arguments, size_t count)
{
    bool has_collection =
        count > 0 && strncmp(command->arguments, "COLLECTION", strlen("COLLECTION")) == 0;
    int code =
        cli_run_begin(session, metrics_file(command, values), has_collection ? arguments[0] : NULL);
    if (code == CLI_DONE)
        code = command->run(session, values, arguments, count);
    return cli_run_end(session, code);
}

/* `shared` is what the family's options before the command have filled. */
static int run_command(cli *session, const cli_command *command, const void *shared, int argc,
                       char **argv)
{
    session->command = command;
    void *values = calloc(1, command->values_size > 0 ? command->values_size : 1);
    if (values == NULL)
        return no_memory(session);
    if (shared != NULL)
        memcpy(values, shared, command->family->values_size);
    int rest;
    int code = cli_parse(session, command->family, command, values, argc, argv, &rest);
    if (code == CLI_DONE && session->help) {
        cli_help_command(stdout, command);
    } else if (code == CLI_DONE && session->version) {
        printf("akidb %s\n", akidb_version());
    } else if (code == CLI_DONE) {
        char *const *arguments = argv + rest;
        size_t count = (size_t)(argc - rest);
        code = check_argument_count(session, command, arguments, count);
        if (code == CLI_DONE) {
            session->progress.enabled = !session->quiet && !session->json && isatty(STDERR_FILENO);
            code = run_with_report(session, command, values, arguments, count);
        }
    }
    cli_progress_clear(&session->progress);
    cli_stats_print(session);
    akidb_snapshotter_close(session->snapshotter);
    akidb_store_close(session->store);
    cli_values_free(command->options, values);
    if (command->family != NULL)
        cli_values_free(command->family->options, values);
    free(values);
    return code;
}

/* The options between the two words, and then the command that the second one names. */
static int run_family(cli *session, const cli_family *family, int argc, char **argv)
{
    session->family = family;
    void *shared = calloc(1, family->values_size);
    if (shared == NULL)
        return no_memory(session);
    int rest;
    bool handed_on = false;
    int code = cli_parse(session, family, NULL, shared, argc, argv, &rest);
    if (code == CLI_DONE && session->version) {
        printf("akidb %s\n", akidb_version());
    } else if (code == CLI_DONE && rest >= argc) {
        cli_help_family(session->help ? stdout : stderr, family);
        code = session->help ? CLI_DONE : CLI_USAGE;
    } else if (code == CLI_DONE) {
        char name[64];
        snprintf(name, sizeof name, "%s %s", family->name, argv[rest]);
        const cli_command *command = cli_find_command(name);
        handed_on = command != NULL;
        code = handed_on ? run_command(session, command, shared, argc - rest, argv + rest)
                         : cli_unknown_command(session, name);
    }
    if (!handed_on)
        cli_values_free(family->options, shared);
    free(shared);
    return code;
}

static int run(cli *session, int argc, char **argv)
{
    int rest;
    int code = cli_parse(session, NULL, NULL, NULL, argc, argv, &rest);
    if (code != CLI_DONE)
        return code;
    if (session->version) {
        printf("akidb %s\n", akidb_version());
        return CLI_DONE;
    }
    if (session->help && rest >= argc) {
        cli_help(stdout);
        return CLI_DONE;
    }
    if (rest >= argc) {
        cli_help(stderr);
        return CLI_USAGE;
    }
    const cli_family *family = cli_find_family(argv[rest]);
    if (family != NULL)
        return run_family(session, family, argc - rest, argv + rest);
    const cli_command *command = cli_find_command(argv[rest]);
    if (command == NULL)
        return cli_unknown_command(session, argv[rest]);
    return run_command(session, command, NULL, argc - rest, argv + rest);
}

static void set_defaults(cli *session)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    session->threads.value = processors < 1 ? 1 : processors > 8 ? 8 : (uint64_t)processors;
}

/* A full disk or a closed pipe often shows only here. */
static int finish_stdout(cli *session, int code)
{
    int failed = ferror(stdout);
    errno = 0;
    if (fflush(stdout) != 0)
        failed = 1;
    if (!failed || cli_interrupted() != 0 || cli_interrupt_by_closed_pipe(session))
        return code;
    cli_say(session, "standard output: %s", errno != 0 ? strerror(errno) : "write failed");
    return code == CLI_DONE ? CLI_FAILED : code;
}

/* Whatever of stdin, stdout and stderr is closed, a file that is opened later would take its place,
 * a part of a snapshot for one, and get what is printed. Writing to this descriptor fails. */
static void hold_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDONLY);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    cli session = {0};
    hold_standard_streams();
    session.dies_of_closed_pipe = !cli_interrupt_install();
    set_defaults(&session);
    int code = run(&session, argc, argv);
    code = finish_stdout(&session, code);
    if (cli_interrupted() != 0)
        cli_interrupt_reraise();
    return code;
}
