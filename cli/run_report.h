#ifndef CLI_RUN_REPORT_H
#define CLI_RUN_REPORT_H
/*
 * What a run of a command leaves in the file that --metrics-file names, for the textfile collector
 * of Prometheus' node_exporter. The file is replaced as a whole; what earlier runs left in it
 * stays: counters add up, a gauge is that of the last run that told it, so that a run that fails
 * does not erase when it last went well.
 *
 * main begins and ends the report; a command adds what it knows. Without --metrics-file all of this
 * does nothing.
 */
#include "metrics.h"

#include <stddef.h>

/* A row of an options table; `field` is the offset of a const char * in the values. main finds it
 * by its name. */
#define CLI_METRICS_FILE_OPTION(field)                                                             \
    {                                                                                              \
        "metrics-file", 0, "FILE",                                                                 \
            "Note the outcome, its time, requests and bytes in this file, as Prometheus metrics "  \
            "for node_exporter's textfile collector. What other runs noted there stays",           \
            cli_read_file, (field), NULL, 0, 0                                                     \
    }

typedef struct cli_run_report {
    const char *path;       /* NULL: no report */
    const char *collection; /* as the user typed it; NULL: the command is about none */
    const char *data;       /* of a db command */
    int64_t began;          /* milliseconds on a clock that only goes forward */
    cli_metrics added;      /* with the labels of the whole */
    cli_metrics storage;    /* of the whole data folder */
    bool has_storage;
} cli_run_report;

/* A metric that commands add; names and help are said once, here. */
typedef enum cli_run_metric {
    CLI_LAST_SNAPSHOT_TIME,
    CLI_LAST_SNAPSHOT_BYTES,
    CLI_LAST_SNAPSHOT_DOCUMENTS,
    CLI_LAST_GOOD_VERIFY_TIME, /* label: level */
    CLI_VERIFIED_SNAPSHOTS,    /* label: outcome */
    CLI_DELETED_SNAPSHOTS,
    CLI_SNAPSHOTS,
    CLI_COPIED_SNAPSHOTS,
    CLI_COPIED_BYTES,
    CLI_REMOVED_LEFTOVERS,
    CLI_REMOVED_BYTES
} cli_run_metric;

/* `path` NULL: there is no report. Returns an exit code, having said why. */
int cli_run_begin(cli *session, const char *path, const char *collection);

/* Adds a sample; `label` is the value of the metric's own label, or NULL when it has none. */
void cli_run_add(cli *session, cli_run_metric metric, const char *label, uint64_t value);
/* The seconds of a time of the library, or of now. */
uint64_t cli_run_seconds(int64_t time);
uint64_t cli_run_now(void);

/* The report is about this data folder. */
void cli_run_data(cli *session, const char *folder);
/* Takes the metrics of its storage, which is about to be closed. */
void cli_run_storage(cli *session, akidb_storage *storage);

/* Notes how the run ended, and writes the file. Returns the worse of `code` and its own, having
 * said why. The session's store must still be there. */
int cli_run_end(cli *session, int code);

#endif
