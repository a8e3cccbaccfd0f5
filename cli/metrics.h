#ifndef CLI_METRICS_H
#define CLI_METRICS_H
/*
 * Metrics in Prometheus' text format (version 0.0.4), without timestamps: read, put together,
 * printed.
 *
 * A lack of memory is remembered, and told by `failed`.
 */
#include "cli.h"

typedef struct cli_sample {
    char *suffix; /* "_sum", "_count" or "_bucket" of a summary or histogram, else "" */
    char *labels; /* what stands between the braces, escaped; "" for none */
    char *value;
} cli_sample;

typedef struct cli_metric {
    char *name;
    char *type; /* "counter", "gauge", ...; "" when nobody said */
    char *help; /* escaped; or "" */
    cli_sample *samples;
    size_t count;
} cli_metric;

typedef struct cli_metrics { /* start from {0} */
    cli_metric *items;
    size_t count;
    bool failed;
} cli_metrics;

void cli_metrics_free(cli_metrics *metrics);

/* Adds what `file` says, up to its end. AKIDB_E_VALIDATION names `path` and the line that is not
 * what akidb writes. */
akidb_status cli_metrics_read(cli_metrics *metrics, FILE *file, const char *path, akidb_error *err);

/* Adds those of a storage. */
akidb_status cli_metrics_of_storage(cli_metrics *metrics, akidb_storage *storage, akidb_error *err);

/* NULL when there is none. */
const cli_metric *cli_metrics_find(const cli_metrics *metrics, const char *name);
/* The value of the sample without labels; 0 when there is none. */
uint64_t cli_metrics_number(const cli_metrics *metrics, const char *name);

/* Removes the metrics whose names begin so. */
void cli_metrics_remove(cli_metrics *metrics, const char *prefix);

/* Replaces the sample with these labels, or adds it. */
void cli_metrics_put(cli_metrics *metrics, const char *name, const char *type, const char *help,
                     const char *labels, const char *value);

/* Adds `from` to `into`, `labels` (or "") in front of those of each of its samples. Counters add
 * up, as do sums, counts and buckets; whatever else is there is replaced. What `from` does not have
 * stays. */
void cli_metrics_merge(cli_metrics *into, const cli_metrics *from, const char *labels);

/* Removes the gauges of `metrics` that `like` has under the same name, where the labels begin with
 * `labels`: they are told anew, or are of something that is not there any more. */
void cli_metrics_forget(cli_metrics *metrics, const cli_metrics *like, const char *labels);

void cli_metrics_print(FILE *file, const cli_metrics *metrics);

/* Writes NAME="VALUE", escaped, after a comma unless it is the first. */
void cli_metrics_label(FILE *file, bool first, const char *name, const char *value);

/* Calls `visit` for each label of a sample, unescaped. */
void cli_metrics_each_label(const cli_sample *sample,
                            void (*visit)(void *context, const char *name, const char *value),
                            void *context);

#endif
