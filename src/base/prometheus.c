#include "base/prometheus.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/buffer.h"

void ak_metrics_put(ak_metrics *m, const char *format, ...)
{
    if (m->status != AKIDB_OK)
        return;
    va_list arguments;
    va_start(arguments, format);
    m->status = ak_buffer_vprintf(m->text, m->err, format, arguments);
    va_end(arguments);
}

void ak_metrics_head(ak_metrics *m, const char *name, const char *type, const char *help)
{
    ak_metrics_put(m, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_one(ak_metrics *m, const char *name, const char *type, const char *help,
                    uint64_t value)
{
    ak_metrics_head(m, name, type, help);
    ak_metrics_put(m, "%s %" PRIu64 "\n", name, value);
}

void ak_metrics_counter(ak_metrics *m, const char *name, const char *help, uint64_t value)
{
    put_one(m, name, "counter", help, value);
}

void ak_metrics_gauge(ak_metrics *m, const char *name, const char *help, uint64_t value)
{
    put_one(m, name, "gauge", help, value);
}
