#include "metrics.h"
#include "json_out.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void free_sample(cli_sample *sample)
{
    free(sample->suffix);
    free(sample->labels);
    free(sample->value);
}

static void free_metric(cli_metric *m)
{
    for (size_t j = 0; j < m->count; j++)
        free_sample(&m->samples[j]);
    free(m->samples);
    free(m->name);
    free(m->type);
    free(m->help);
}

void cli_metrics_free(cli_metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++)
        free_metric(&metrics->items[i]);
    free(metrics->items);
    *metrics = (cli_metrics){0};
}

void cli_metrics_remove(cli_metrics *metrics, const char *prefix)
{
    size_t kept = 0;
    for (size_t i = 0; i < metrics->count; i++)
        if (strncmp(metrics->items[i].name, prefix, strlen(prefix)) == 0)
            free_metric(&metrics->items[i]);
        else
            metrics->items[kept++] = metrics->items[i];
    metrics->count = kept;
}

/* ---- finding and adding ---------------------------------------------------------------------- */

static cli_metric *find(const cli_metrics *metrics, const char *name)
{
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->items[i].name, name) == 0)
            return &metrics->items[i];
    return NULL;
}

const cli_metric *cli_metrics_find(const cli_metrics *metrics, const char *name)
{
    return find(metrics, name);
}

static cli_sample *find_sample(const cli_metric *m, const char *suffix, const char *labels)
{
    for (size_t i = 0; i < m->count; i++)
        if (strcmp(m->samples[i].labels, labels) == 0 && strcmp(m->samples[i].suffix, suffix) == 0)
            return &m->samples[i];
    return NULL;
}

uint64_t cli_metrics_number(const cli_metrics *metrics, const char *name)
{
    const cli_metric *m = find(metrics, name);
    const cli_sample *sample = m != NULL ? find_sample(m, "", "") : NULL;
    return sample != NULL ? strtoull(sample->value, NULL, 10) : 0;
}

/* The text in place of an earlier one; NULL leaves that. */
static void replace(cli_metrics *metrics, char **text, const char *with)
{
    char *copy = with != NULL ? strdup(with) : NULL;
    if (with != NULL && copy == NULL)
        metrics->failed = true;
    if (copy == NULL)
        return;
    free(*text);
    *text = copy;
}

/* The metric of that name, added if need be; NULL when there is no memory. */
static cli_metric *get(cli_metrics *metrics, const char *name, const char *type, const char *help)
{
    cli_metric *m = find(metrics, name);
    if (m == NULL) {
        cli_metric *items =
            reallocarray(metrics->items, metrics->count + 1, sizeof *metrics->items);
        if (items == NULL) {
            metrics->failed = true;
            return NULL;
        }
        metrics->items = items;
        m = &items[metrics->count];
        *m = (cli_metric){.name = strdup(name), .type = strdup(""), .help = strdup("")};
        if (m->name == NULL || m->type == NULL || m->help == NULL) {
            free(m->name);
            free(m->type);
            free(m->help);
            metrics->failed = true;
            return NULL;
        }
        metrics->count++;
    }
    replace(metrics, &m->type, type);
    replace(metrics, &m->help, help);
    return m;
}

static void put(cli_metrics *metrics, cli_metric *m, const char *suffix, const char *labels,
                const char *value)
{
    cli_sample *sample = find_sample(m, suffix, labels);
    if (sample != NULL) {
        replace(metrics, &sample->value, value);
        return;
    }
    cli_sample *samples = reallocarray(m->samples, m->count + 1, sizeof *samples);
    if (samples == NULL) {
        metrics->failed = true;
        return;
    }
    m->samples = samples;
    cli_sample added = {strdup(suffix), strdup(labels), strdup(value)};
    if (added.suffix == NULL || added.labels == NULL || added.value == NULL) {
        free_sample(&added);
        metrics->failed = true;
        return;
    }
    m->samples[m->count++] = added;
}

void cli_metrics_put(cli_metrics *metrics, const char *name, const char *type, const char *help,
                     const char *labels, const char *value)
{
    cli_metric *m = get(metrics, name, type, help);
    if (m != NULL)
        put(metrics, m, "", labels, value);
}

/* ---- reading --------------------------------------------------------------------------------- */

static size_t name_size(const char *text)
{
    size_t size = 0;
    while (isalpha((unsigned char)text[size]) || text[size] == '_' || text[size] == ':' ||
           (size > 0 && isdigit((unsigned char)text[size])))
        size++;
    return size;
}

/* The size of `name="value"` at the text's beginning, or 0. */
static size_t label_size(const char *text)
{
    size_t at = name_size(text);
    if (at == 0 || text[at] != '=' || text[at + 1] != '"')
        return 0;
    for (at += 2; text[at] != '"'; at++) {
        if (text[at] == '\\')
            at++;
        if (text[at] == '\0')
            return 0;
    }
    return at + 1;
}

/* The size of all labels, up to the closing brace; false when there is none. */
static bool labels_size(const char *text, size_t *size_out)
{
    size_t at = 0;
    while (text[at] != '}') {
        size_t size = label_size(text + at);
        if (size == 0)
            return false;
        at += size;
        if (text[at] == ',')
            at++;
    }
    *size_out = at;
    return true;
}

/* Cuts `# HELP name text` or `# TYPE name type` into name and rest. */
static bool take_comment(char *line, const char *kind, char **name_out, char **rest_out)
{
    size_t size = strlen(kind);
    if (strncmp(line, kind, size) != 0)
        return false;
    *name_out = line + size;
    size = name_size(*name_out);
    if (size == 0 || (*name_out)[size] != ' ')
        return false;
    (*name_out)[size] = '\0';
    *rest_out = *name_out + size + 1;
    return true;
}

/* The metric that a sample of this name belongs to; that of `akidb_x_sum` may be akidb_x. */
static cli_metric *owner(cli_metrics *metrics, char *name, const char **suffix_out)
{
    static const char *const suffixes[] = {"_sum", "_count", "_bucket"};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        size_t end = strlen(suffixes[i]);
        if (size <= end || strcmp(name + size - end, suffixes[i]) != 0)
            continue;
        name[size - end] = '\0';
        cli_metric *m = find(metrics, name);
        if (m != NULL && (strcmp(m->type, "summary") == 0 || strcmp(m->type, "histogram") == 0)) {
            *suffix_out = suffixes[i];
            return m;
        }
        name[size - end] = '_';
    }
    *suffix_out = "";
    return get(metrics, name, NULL, NULL);
}

static bool take_sample(cli_metrics *metrics, char *line)
{
    size_t size = name_size(line), labels = 0;
    char *rest = line + size;
    const char *labels_text = "";
    if (size == 0)
        return false;
    if (*rest == '{') {
        if (!labels_size(rest + 1, &labels))
            return false;
        labels_text = rest + 1;
        rest[0] = '\0';
        rest[1 + labels] = '\0';
        rest += labels + 2;
    }
    if (*rest != ' ')
        return false;
    *rest++ = '\0';
    char *end;
    (void)strtod(rest, &end);
    if (end == rest || *end != '\0')
        return false;
    const char *suffix;
    cli_metric *m = owner(metrics, line, &suffix);
    if (m != NULL)
        put(metrics, m, suffix, labels_text, rest);
    return true;
}

static bool take_line(cli_metrics *metrics, char *line)
{
    char *name, *rest;
    if (*line == '\0')
        return true;
    if (take_comment(line, "# HELP ", &name, &rest)) {
        (void)get(metrics, name, NULL, rest);
        return true;
    }
    if (take_comment(line, "# TYPE ", &name, &rest)) {
        (void)get(metrics, name, rest, NULL);
        return true;
    }
    return *line != '#' && take_sample(metrics, line);
}

akidb_status cli_metrics_read(cli_metrics *metrics, FILE *file, const char *path, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    uint64_t number = 0;
    while (status == AKIDB_OK && (size = getline(&line, &capacity, file)) >= 0) {
        number++;
        if (size > 0 && line[size - 1] == '\n')
            line[--size] = '\0';
        if (strlen(line) != (size_t)size || !take_line(metrics, line))
            status = cli_set_error(err, AKIDB_E_VALIDATION,
                                   "%s: line %" PRIu64
                                   ": expected Prometheus metrics as akidb writes them, found "
                                   "something else",
                                   path, number);
    }
    if (status == AKIDB_OK && ferror(file))
        status = cli_set_error(err, AKIDB_E_IO, "%s: %s", path, strerror(errno));
    if (status == AKIDB_OK && metrics->failed)
        status = cli_set_error(err, AKIDB_E_OUT_OF_MEMORY, "out of memory");
    free(line);
    return status;
}

akidb_status cli_metrics_of_storage(cli_metrics *metrics, akidb_storage *storage, akidb_error *err)
{
    akidb_buffer text;
    akidb_status status = akidb_storage_metrics(storage, &text, err);
    if (status != AKIDB_OK)
        return status;
    FILE *file = fmemopen(text.data, text.size, "r");
    if (file == NULL) {
        status = cli_set_error(err, AKIDB_E_OUT_OF_MEMORY, "out of memory");
    } else {
        status = cli_metrics_read(metrics, file, "metrics", err);
        fclose(file);
    }
    akidb_buffer_free(&text);
    return status;
}

/* ---- merging --------------------------------------------------------------------------------- */

/* Both as whole numbers if they are, so that large ones stay exact. */
static void add_values(const char *a, const char *b, char sum_out[32])
{
    if (strspn(a, "0123456789") == strlen(a) && strspn(b, "0123456789") == strlen(b))
        snprintf(sum_out, 32, "%llu", strtoull(a, NULL, 10) + strtoull(b, NULL, 10));
    else
        snprintf(sum_out, 32, "%.15g", strtod(a, NULL) + strtod(b, NULL));
}

static void merge_sample(cli_metrics *into, const cli_metric *from, const cli_sample *sample,
                         const char *labels)
{
    char *all;
    const char *comma = *labels != '\0' && *sample->labels != '\0' ? "," : "";
    if (asprintf(&all, "%s%s%s", labels, comma, sample->labels) < 0) {
        into->failed = true;
        return;
    }
    cli_metric *m = get(into, from->name, from->type, from->help);
    const cli_sample *earlier = m != NULL ? find_sample(m, sample->suffix, all) : NULL;
    char sum[32];
    const char *value = sample->value;
    if (earlier != NULL && (strcmp(from->type, "counter") == 0 || *sample->suffix != '\0')) {
        add_values(earlier->value, value, sum);
        value = sum;
    }
    if (m != NULL)
        put(into, m, sample->suffix, all, value);
    free(all);
}

void cli_metrics_merge(cli_metrics *into, const cli_metrics *from, const char *labels)
{
    for (size_t i = 0; i < from->count; i++)
        for (size_t j = 0; j < from->items[i].count; j++)
            merge_sample(into, &from->items[i], &from->items[i].samples[j], labels);
    into->failed = into->failed || from->failed;
}

void cli_metrics_forget(cli_metrics *metrics, const cli_metrics *like, const char *labels)
{
    size_t size = strlen(labels);
    for (size_t i = 0; i < metrics->count; i++) {
        cli_metric *m = &metrics->items[i];
        if (strcmp(m->type, "gauge") != 0 || find(like, m->name) == NULL)
            continue;
        size_t kept = 0;
        for (size_t j = 0; j < m->count; j++) {
            char next =
                strncmp(m->samples[j].labels, labels, size) == 0 ? m->samples[j].labels[size] : 'x';
            if (next == '\0' || next == ',')
                free_sample(&m->samples[j]);
            else
                m->samples[kept++] = m->samples[j];
        }
        m->count = kept;
    }
}

/* ---- printing -------------------------------------------------------------------------------- */

void cli_metrics_print(FILE *file, const cli_metrics *metrics)
{
    for (size_t i = 0; i < metrics->count; i++) {
        const cli_metric *m = &metrics->items[i];
        if (m->count == 0)
            continue;
        if (*m->help != '\0')
            fprintf(file, "# HELP %s %s\n", m->name, m->help);
        if (*m->type != '\0')
            fprintf(file, "# TYPE %s %s\n", m->name, m->type);
        for (size_t j = 0; j < m->count; j++) {
            const cli_sample *s = &m->samples[j];
            bool labels = *s->labels != '\0';
            fprintf(file, "%s%s%s%s%s %s\n", m->name, s->suffix, labels ? "{" : "", s->labels,
                    labels ? "}" : "", s->value);
        }
    }
}

void cli_metrics_label(FILE *file, bool first, const char *name, const char *value)
{
    fprintf(file, "%s%s=\"", first ? "" : ",", name);
    while (*value != '\0') {
        size_t size = cli_utf8_size(value);
        if (size == 0)
            fputs("\xEF\xBF\xBD", file); /* what is no character makes the whole file unreadable */
        else if (*value == '\n')
            fputs("\\n", file);
        else if (*value == '"' || *value == '\\')
            fprintf(file, "\\%c", *value);
        else
            fwrite(value, 1, size, file);
        value += size > 0 ? size : 1;
    }
    fputc('"', file);
}

void cli_metrics_each_label(const cli_sample *sample,
                            void (*visit)(void *context, const char *name, const char *value),
                            void *context)
{
    for (const char *at = sample->labels; *at != '\0';) {
        size_t name = name_size(at), size = label_size(at);
        char *text = size > 0 ? strndup(at, size - 1) : NULL; /* without the closing quote */
        if (text == NULL)
            return;
        text[name] = '\0';
        char *to = text + name + 2;
        for (const char *from = to; *from != '\0'; from++) {
            if (*from == '\\')
                *to++ = *++from == 'n' ? '\n' : *from;
            else
                *to++ = *from;
        }
        *to = '\0';
        visit(context, text, text + name + 2);
        free(text);
        at += size;
        at += *at == ',';
    }
}
