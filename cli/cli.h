#ifndef CLI_H
#define CLI_H
/*
 * What the files of the command line share: the table of commands, the session that a command runs
 * in, and how things are said. The tables are the only source of what can be typed: parsing,
 * --help, the manual and the completions are all made from them (options.c, manual.c,
 * completions.c).
 *
 * Results go to stdout, everything else to stderr. A command returns an exit code; whatever it
 * prints is checked when main flushes stdout.
 */
#include "akidb/akidb.h"

#include <stdio.h>

#if defined(__GNUC__) || defined(__clang__)
#define CLI_PRINTF(at, first) __attribute__((format(printf, at, first)))
#else
#define CLI_PRINTF(at, first)
#endif

/* ---- exit codes ------------------------------------------------------------------------------ */

typedef enum cli_exit {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* also: a store that cannot be reached, a permission that is not there */
    CLI_USAGE = 2,
    CLI_MISSING = 3,
    CLI_CORRUPT = 4,
    CLI_INVALID = 5
} cli_exit;

int cli_exit_of_status(akidb_status status);

/* The one to tell of two: corrupt before missing before failed before done. */
int cli_exit_worse(int a, int b);

/* ---- options --------------------------------------------------------------------------------- */

typedef struct cli_choice {
    const char *name; /* NULL ends a table */
    int value;
} cli_choice;

typedef struct cli_option cli_option;

/* Reads the text of an option into the field of its command's values. On false, `why` says what
 * was expected. Flags get NULL for text. */
typedef bool cli_reader(const cli_option *option, const char *text, void *field, char *why,
                        size_t why_size);

struct cli_option {
    const char *name;     /* without the two hyphens; NULL ends a table */
    char letter;          /* its short form, or 0 */
    const char *argument; /* what stands for the value in texts; NULL: a flag */
    const char *help;     /* what it does; one sentence or two without the final stop */
    cli_reader *read;
    size_t field;              /* offset in the values struct */
    const cli_choice *choices; /* told in texts and completed; NULL: none */
    uint64_t min, max;         /* of a count */
};

typedef struct cli_list {
    const char **items; /* borrowed from the arguments */
    size_t count;
} cli_list;

typedef struct cli_count {
    bool set;
    uint64_t value;
} cli_count;

typedef struct cli_moment {
    bool set;
    int64_t value; /* microseconds; since the epoch, or of a duration */
} cli_moment;

typedef struct cli_compression {
    int codec; /* akidb_compression */
    int level;
} cli_compression;

/* The readers, each with the type of its field. */
cli_reader cli_read_flag;        /* bool */
cli_reader cli_read_text;        /* const char *; not empty */
cli_reader cli_read_file;        /* const char *; completed as a file name */
cli_reader cli_read_texts;       /* cli_list */
cli_reader cli_read_files;       /* cli_list */
cli_reader cli_read_ids;         /* cli_list, each a UUID */
cli_reader cli_read_labels;      /* cli_list, each KEY=VALUE */
cli_reader cli_read_count;       /* cli_count, from min to max */
cli_reader cli_read_size;        /* cli_count, in bytes, with K, M or G; from min to max */
cli_reader cli_read_duration;    /* cli_moment: 30s, 15m, 12h, 7d, 4w; at least min seconds */
cli_reader cli_read_time;        /* cli_moment: RFC 3339, or a date */
cli_reader cli_read_choice;      /* int */
cli_reader cli_read_columns;     /* unsigned: akidb_column bits */
cli_reader cli_read_compression; /* cli_compression */

bool cli_option_is_list(const cli_option *option);
bool cli_option_is_file(const cli_option *option);

/* The name of a value; "?" when it has none. */
const char *cli_choice_name(const cli_choice *choices, int value);

/* The format that the ending of `path` stands for, .jsonl for "-"; AKIDB_FILE_BY_ENDING when there
 * is none. */
akidb_file_format cli_file_format_of(const char *path);

extern const cli_choice cli_formats[];          /* akidb_snapshot_format */
extern const cli_choice cli_compressions[];     /* akidb_compression */
extern const cli_choice cli_vector_encodings[]; /* akidb_vector_encoding */
extern const cli_choice cli_profiles[];         /* akidb_profile */
extern const cli_choice cli_layouts[];          /* akidb_layout */
extern const cli_choice cli_time_units[];       /* akidb_time_unit */
extern const cli_choice cli_columns[];          /* akidb_column */
extern const cli_choice cli_file_formats[];     /* akidb_file_format */
extern const cli_choice cli_verify_levels[];    /* akidb_verify_level */

/* ---- commands -------------------------------------------------------------------------------- */

typedef struct cli cli;

typedef struct cli_example {
    const char *what; /* NULL ends a table */
    const char *line;
} cli_example;

/* Commands of two words, such as `db insert`, share the first one and the options that go with it,
 * which may stand before or after the second. */
typedef struct cli_word {
    const char *library; /* NULL ends a table */
    const char *typed;
} cli_word;

typedef struct cli_family {
    const char *name;          /* the first word */
    const char *summary;       /* one line without the final stop */
    const char *details;       /* paragraphs divided by empty lines */
    const cli_option *options; /* of each of its commands */
    const cli_example *examples;
    const cli_word *words; /* fields of the library's options that messages name, and how they are
                              typed; NULL: none */
    size_t
        values_size; /* of the struct that these fill: the values of each command begin with it */
} cli_family;

typedef struct cli_command {
    const cli_family *family; /* NULL: its name is one word */
    const char *name;         /* all of it: "create", "db insert" */
    const char *arguments;    /* as the usage line shows them */
    const char *summary;      /* one line without the final stop */
    const char *details;      /* paragraphs divided by empty lines */
    const cli_option *options;
    const cli_example *examples;
    size_t arguments_min;
    size_t arguments_max; /* SIZE_MAX: any number */
    size_t values_size;   /* of the struct that the options fill */
    bool makes_store;     /* a local store that is not there is no error, but made */
    int (*run)(cli *session, const void *values, char *const *arguments, size_t count);
} cli_command;

/* Ends with NULL; the commands of a family stand together. */
extern const cli_command *const cli_commands[];
extern const cli_option cli_global_options[];

/* By the whole name; NULL: there is none. */
const cli_command *cli_find_command(const char *name);
const cli_family *cli_find_family(const char *name);
/* The last word of a command's name. */
const char *cli_command_word(const cli_command *command);
/* The family whose first command has this index in the table, or NULL. */
const cli_family *cli_family_begins(size_t index);
/* Says so, with a suggestion; returns CLI_USAGE. */
int cli_unknown_command(cli *session, const char *name);

/* Parses `argv` (whose first element is the word before: the program's, a family's or a command's)
 * into `values` and the session's globals. Without a command the options of the family, if there
 * is one, and the global ones are taken, up to the first word that is none; *rest_out is the index
 * of the first argument. Returns CLI_DONE or CLI_USAGE, having said why. */
int cli_parse(cli *session, const cli_family *family, const cli_command *command, void *values,
              int argc, char **argv, int *rest_out);
void cli_values_free(const cli_option *options, void *values);

/* The name in the table that a mistyped one is nearest to, or NULL: one mistake for each three
 * letters of its last word is near, two at most. `names` is asked with 0, 1, ... until it answers
 * NULL. */
const char *cli_nearest(const char *word, const char *(*names)(const void *context, size_t index),
                        const void *context);

/* ---- the session ----------------------------------------------------------------------------- */

typedef struct cli_progress {
    bool enabled;
    _Atomic bool drawn; /* warnings may come from any thread, and clear it */
    char what[32];
    int64_t began; /* milliseconds on a clock that only goes forward */
    int64_t told;
} cli_progress;

typedef struct cli_run_report cli_run_report; /* run_report.h */

/* How a bucket is reached; NULL: as the environment and the shared files of the AWS tools say. */
typedef struct cli_bucket {
    const char *endpoint_url;
    const char *region;
    const char *profile;
    const char *ca_bundle;
    const char *sse; /* of what is written */
} cli_bucket;

struct cli {
    /* the global options */
    const char *store_uri; /* NULL: not given */
    bool json;
    bool quiet;
    bool help;
    bool version;
    cli_count threads;
    cli_bucket bucket;

    bool dies_of_closed_pipe;   /* unless who started the program chose to ignore SIGPIPE */
    const cli_family *family;   /* NULL before it is known, or when there is none */
    const cli_command *command; /* NULL before it is known */
    cli_progress progress;
    akidb_store *store;
    akidb_snapshotter *snapshotter;
    bool wants_stats;       /* tells them at the end */
    bool writes_elsewhere;  /* set before cli_open, which checks --sse for what is written to */
    cli_run_report *report; /* NULL: none is kept */
};

/* Where the store is: --store, else AKIDB_STORE, else a folder here. */
const char *cli_store_uri(const cli *session);

/* The progress bar, and messages on stderr. */
akidb_hooks cli_hooks(cli *session);

/* Opens the store that a URI names, with the bucket's settings if it is one; it tells notes and
 * warnings, and a signal ends its waiting. `option` is the one that holds the URI, for messages.
 * Returns an exit code, having said why. */
int cli_open_store(cli *session, const char *option, const char *uri, const cli_bucket *bucket,
                   akidb_store **store_out);

/* Refuses --sse for a store that is no bucket. Returns an exit code. */
int cli_check_sse(cli *session, const akidb_store *store);

/* Opens the store, unless session->store is there already, and a snapshotter on it. A local store
 * that is not there is CLI_MISSING, unless the command makes one or belongs to a family; `options`
 * (NULL: defaults) gets threads and hooks filled in. `what` is the word before the progress bar.
 * Returns an exit code, having said why; main closes both. */
int cli_open(cli *session, akidb_snapshotter_options *options, const char *what);

/* The UUID of the collection that the user named. Returns an exit code, having said why. */
int cli_collection(cli *session, const char *name, akidb_uuid *id_out);

/* Both a collection and a snapshot of it; `snapshot` NULL: the latest. The store must be open. */
int cli_snapshot(cli *session, const char *collection, const char *snapshot,
                 akidb_uuid *collection_out, akidb_uuid *snapshot_out);

/* ---- saying things --------------------------------------------------------------------------- */

/* "akidb: ..." on stderr. */
void cli_say(cli *session, const char *format, ...) CLI_PRINTF(2, 3);

/* The same for a failure of the library, whose options are named as they are typed; returns the
 * exit code of its status. */
int cli_fail(cli *session, const akidb_error *err);

/* The same for a wrong command line, with a hint to --help; returns CLI_USAGE. */
int cli_usage(cli *session, const char *format, ...) CLI_PRINTF(2, 3);

/* Fills an error as the library would. Returns the status. */
akidb_status cli_set_error(akidb_error *err, akidb_status status, const char *format, ...)
    CLI_PRINTF(3, 4);

/* The collection has no snapshots: says so, returns CLI_MISSING. */
int cli_no_snapshots(cli *session, const char *collection, const akidb_uuid *id);

/* Text that came from a file or a user, with control characters made visible as '?'. */
void cli_print_text(FILE *file, const char *text);

#define CLI_SIZE_TEXT 24
/* "512 B", "10.1 KiB", ... */
const char *cli_format_size(uint64_t bytes, char text_out[CLI_SIZE_TEXT]);

#define CLI_COUNT_TEXT 64
/* "1 document", "2 documents": a noun whose plural is an s more. */
const char *cli_format_count(uint64_t count, const char *noun, char text_out[CLI_COUNT_TEXT]);

/* "2026-11-22T09:00:00Z" */
const char *cli_format_time(int64_t time, char text_out[AKIDB_TIME_TEXT_SIZE]);

/* Begins to measure; the bar shows after a second of work if stderr is a terminal. */
void cli_progress_begin(cli_progress *progress, const char *what);
void cli_progress_clear(cli_progress *progress);
/* The hook: draws, and returns false once the user asked to stop. */
bool cli_progress_hook(void *context, const akidb_progress *progress);

/* ---- interruption ---------------------------------------------------------------------------- */

/* SIGINT, SIGTERM and SIGHUP set a flag, once: a second signal ends the program at once. SIGPIPE is
 * ignored from here on, since it may come from a store's socket too; returns whether it was
 * before. */
bool cli_interrupt_install(void);
/* The signal that came, or 0. */
int cli_interrupted(void);
/* After a failure to write to stdout: whether its reader, `head` for one, has had enough. Then it
 * is as if SIGPIPE had come, and there is nothing to say. */
bool cli_interrupt_by_closed_pipe(const cli *session);
/* Ends the program as that signal would have. */
void cli_interrupt_reraise(void);

#endif
