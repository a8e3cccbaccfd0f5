#include "cli.h"

#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 64 };

const cli_option cli_global_options[] = {
    {"store", 0, "URI",
     "Where the snapshots lie: a folder, file:///path or s3://bucket/prefix; default: the variable "
     "AKIDB_STORE, else ./akidb-data; of db and tier commands: the folder 'store' in their data "
     "folder",
     cli_read_file, offsetof(cli, store_uri), NULL, 0, 0},
    {"json", 0, NULL, "Print one JSON value on stdout", cli_read_flag, offsetof(cli, json), NULL, 0,
     0},
    {"quiet", 'q', NULL, "Print results only: no progress, no summaries, no notes", cli_read_flag,
     offsetof(cli, quiet), NULL, 0, 0},
    {"threads", 0, "N",
     "Encode and decode with N threads; default: one for each processor, at most 8. Memory grows "
     "with them, by a row group each",
     cli_read_count, offsetof(cli, threads), NULL, 1, 256},
    {"endpoint-url", 0, "URL",
     "The server of a bucket, such as http://127.0.0.1:9000; default: AWS_ENDPOINT_URL_S3, "
     "AWS_ENDPOINT_URL, the profile's endpoint_url, or AWS itself",
     cli_read_text, offsetof(cli, bucket.endpoint_url), NULL, 0, 0},
    {"region", 0, "NAME",
     "The region of a bucket; default: AWS_REGION, AWS_DEFAULT_REGION, the profile's, or us-east-1",
     cli_read_text, offsetof(cli, bucket.region), NULL, 0, 0},
    {"aws-profile", 0, "NAME",
     "The profile of the AWS configuration with a bucket's keys and settings. Goes before keys in "
     "the environment; the variable AWS_PROFILE does not",
     cli_read_text, offsetof(cli, bucket.profile), NULL, 0, 0},
    {"ca-bundle", 0, "FILE",
     "The certificates to trust in, for a bucket; default: AWS_CA_BUNDLE, the profile's, or the "
     "system's",
     cli_read_file, offsetof(cli, bucket.ca_bundle), NULL, 0, 0},
    {"sse", 0, "METHOD",
     "Have the bucket encrypt what is written: AES256, aws:kms or aws:kms:KEY; default: as the "
     "bucket is set up",
     cli_read_text, offsetof(cli, bucket.sse), NULL, 0, 0},
    {"help", 'h', NULL, "Print help and exit", cli_read_flag, offsetof(cli, help), NULL, 0, 0},
    {"version", 0, NULL, "Print the version and exit", cli_read_flag, offsetof(cli, version), NULL,
     0, 0},
    {0}};

/* ---- suggestions ----------------------------------------------------------------------------- */

enum { WORD_MAX = 40, NEAR = 2, LETTERS_PER_MISTAKE = 3 };

/* The number of letters to add, remove or replace, and of neighbours to swap, to make one of the
 * other; large for long words. */
static unsigned distance(const char *a, const char *b)
{
    size_t a_size = strlen(a), b_size = strlen(b);
    if (a_size > WORD_MAX || b_size > WORD_MAX)
        return UINT_MAX;
    unsigned rows[3][WORD_MAX + 1]; /* the last three, by turns */
    for (unsigned i = 0; i <= a_size; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *before = rows[(i + 2) % 3], *earlier = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= b_size; j++) {
            unsigned best = row[j - 1] + 1;
            if (i > 0 && before[j] + 1 < best)
                best = before[j] + 1;
            if (i > 0 && before[j - 1] + (a[i - 1] != b[j - 1]) < best)
                best = before[j - 1] + (a[i - 1] != b[j - 1]);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                earlier[j - 2] + 1 < best)
                best = earlier[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[a_size % 3][b_size];
}

const char *cli_nearest(const char *word, const char *(*names)(const void *context, size_t index),
                        const void *context)
{
    const char *nearest = NULL;
    unsigned best = NEAR + 1;
    for (size_t i = 0;; i++) {
        const char *name = names(context, i);
        if (name == NULL)
            return nearest;
        unsigned found = distance(word, name);
        const char *space = strrchr(name, ' ');
        size_t letters = strlen(space != NULL ? space + 1 : name);
        if (found < best && found * LETTERS_PER_MISTAKE <= letters) {
            best = found;
            nearest = name;
        }
    }
}

static const char *long_name(const void *context, size_t index)
{
    return ((const struct option *)context)[index].name;
}

/* ---- parsing --------------------------------------------------------------------------------- */

/* The options that may stand in one place: the command's, the family's, the global ones.
 * getopt_long answers FIRST + t * OPTIONS_MAX + i for option i of table t, which lies above every
 * character. */
enum { TABLES_MAX = 3, FIRST = 1000 };

typedef struct tables {
    struct {
        const cli_option *options;
        char *values; /* the struct that they fill */
    } each[TABLES_MAX];
    size_t count;
    struct option longs[OPTIONS_MAX];
    size_t long_count;
    char shorts[2 * OPTIONS_MAX + 3];
    size_t short_count;
} tables;

static void add_table(tables *t, const cli_option *options, void *values)
{
    int first = FIRST + (int)t->count * OPTIONS_MAX;
    t->each[t->count].options = options;
    t->each[t->count++].values = values;
    for (int i = 0; options[i].name != NULL && t->long_count + 1 < OPTIONS_MAX; i++) {
        t->longs[t->long_count++] = (struct option){
            options[i].name, options[i].argument != NULL ? required_argument : no_argument, NULL,
            first + i};
        if (options[i].letter != 0) {
            t->shorts[t->short_count++] = options[i].letter;
            if (options[i].argument != NULL)
                t->shorts[t->short_count++] = ':';
        }
    }
}

static void make_tables(tables *t, cli *session, const cli_family *family,
                        const cli_command *command, void *values)
{
    *t = (tables){0};
    if (command == NULL)
        t->shorts[t->short_count++] = '+'; /* stop at the command */
    t->shorts[t->short_count++] = ':';     /* tell a missing argument from an unknown option */
    if (command != NULL)
        add_table(t, command->options, values);
    if (family != NULL)
        add_table(t, family->options, values);
    add_table(t, cli_global_options, session);
}

/* The option that getopt_long's answer stands for; *base_out is the struct that it fills. */
static const cli_option *find_option(const tables *t, int answer, char **base_out)
{
    for (size_t i = 0; i < t->count; i++) {
        const cli_option *options = t->each[i].options;
        *base_out = t->each[i].values;
        int first = FIRST + (int)i * OPTIONS_MAX;
        for (int j = 0; options[j].name != NULL; j++)
            if (answer == first + j || (options[j].letter != 0 && answer == options[j].letter))
                return &options[j];
    }
    return NULL;
}

static int refuse_unknown(cli *session, const struct option *longs, const char *word)
{
    if (word == NULL || strncmp(word, "--", 2) != 0)
        return cli_usage(session, "unknown option '-%c'", optopt);
    char name[WORD_MAX + 1];
    size_t size = strcspn(word + 2, "=");
    const char *nearest = NULL;
    if (size <= WORD_MAX) {
        memcpy(name, word + 2, size);
        name[size] = '\0';
        nearest = cli_nearest(name, long_name, longs);
    }
    if (nearest != NULL)
        return cli_usage(session, "unknown option '--%.*s'; did you mean '--%s'?", (int)size,
                         word + 2, nearest);
    return cli_usage(session, "unknown option '--%.*s'", (int)size, word + 2);
}

static int read_option(cli *session, const cli_option *option, char *base)
{
    char why[256];
    if (option->read(option, optarg, base + option->field, why, sizeof why))
        return CLI_DONE;
    return cli_usage(session, "--%s '%s': %s", option->name, optarg != NULL ? optarg : "", why);
}

int cli_parse(cli *session, const cli_family *family, const cli_command *command, void *values,
              int argc, char **argv, int *rest_out)
{
    tables t;
    make_tables(&t, session, family, command, values);
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    for (;;) {
        int answer = getopt_long(argc, argv, t.shorts, t.longs, NULL);
        if (answer == -1)
            break;
        char *base;
        const cli_option *option =
            find_option(&t, answer == '?' || answer == ':' ? optopt : answer, &base);
        if (answer == ':')
            return cli_usage(session, "%s needs a value", argv[optind - 1]);
        if (answer == '?' && option != NULL)
            return cli_usage(session, "--%s takes no value", option->name);
        if (option == NULL)
            return refuse_unknown(session, t.longs, argv[optind - 1]);
        int code = read_option(session, option, base);
        if (code != CLI_DONE)
            return code;
    }
    *rest_out = optind;
    return CLI_DONE;
}

void cli_values_free(const cli_option *options, void *values)
{
    for (; options->name != NULL; options++)
        if (cli_option_is_list(options))
            free(((cli_list *)((char *)values + options->field))->items);
}
