#ifndef AK_BASE_PROMETHEUS_H
#define AK_BASE_PROMETHEUS_H
/*
 * Metrics in Prometheus' text format, version 0.0.4. A text that grows; after a failure nothing
 * more is added, so that only the end needs to look at the status.
 */
#include "akidb/base.h"

typedef struct ak_metrics {
    akidb_buffer *text;
    akidb_status status;
    akidb_error *err;
} ak_metrics;

void ak_metrics_put(ak_metrics *m, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The lines before the values of a metric; `type` is "counter", "gauge" or "summary". */
void ak_metrics_head(ak_metrics *m, const char *name, const char *type, const char *help);

/* A metric of one value, without labels. */
void ak_metrics_counter(ak_metrics *m, const char *name, const char *help, uint64_t value);
void ak_metrics_gauge(ak_metrics *m, const char *name, const char *help, uint64_t value);

#endif
