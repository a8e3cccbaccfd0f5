#include "wanted.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void cli_wanted_free(cli_wanted *wanted)
{
    for (size_t i = 0; i < wanted->count; i++)
        free(wanted->names[i].text);
    free(wanted->names);
    free(wanted->ids);
    free(wanted->id_seen);
    free(wanted->external_ids);
    free(wanted->external_id_seen);
    *wanted = (cli_wanted){0};
}

/* ---- adding ---------------------------------------------------------------------------------- */

static akidb_status no_memory(akidb_error *err)
{
    return cli_set_error(err, AKIDB_E_OUT_OF_MEMORY, "out of memory");
}

/* The new name, zeroed but for its text; NULL when there is no memory. */
static cli_wanted_name *add(cli_wanted *wanted, const char *text)
{
    if (wanted->count == wanted->capacity) {
        size_t capacity = wanted->capacity > 0 ? wanted->capacity * 2 : 16;
        cli_wanted_name *names = reallocarray(wanted->names, capacity, sizeof *names);
        if (names == NULL)
            return NULL;
        wanted->names = names;
        wanted->capacity = capacity;
    }
    cli_wanted_name *name = &wanted->names[wanted->count];
    *name = (cli_wanted_name){.text = strdup(text)};
    if (name->text == NULL)
        return NULL;
    wanted->count++;
    return name;
}

akidb_status cli_wanted_add_id(cli_wanted *wanted, const char *uuid, akidb_error *err)
{
    cli_wanted_name *name = add(wanted, uuid);
    if (name == NULL)
        return no_memory(err);
    name->is_id = true;
    return akidb_uuid_parse(uuid, &name->id, err);
}

akidb_status cli_wanted_add_external_id(cli_wanted *wanted, const char *text, akidb_error *err)
{
    cli_wanted_name *name = add(wanted, text);
    if (name == NULL)
        return no_memory(err);
    name->is_external_id = true;
    return AKIDB_OK;
}

static akidb_status add_line(cli_wanted *wanted, char *line, size_t size, akidb_error *err)
{
    while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
        line[--size] = '\0';
    if (size == 0)
        return AKIDB_OK;
    cli_wanted_name *name = add(wanted, line);
    if (name == NULL)
        return no_memory(err);
    name->is_external_id = true;
    name->is_id = akidb_uuid_parse(line, &name->id, NULL) == AKIDB_OK;
    return AKIDB_OK;
}

akidb_status cli_wanted_add_file(cli_wanted *wanted, const char *path, akidb_error *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return cli_set_error(err, errno == ENOENT ? AKIDB_E_NOT_FOUND : AKIDB_E_IO,
                             "%s: cannot be opened: %s", path, strerror(errno));
    akidb_status status = AKIDB_OK;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    uint64_t number = 0;
    while (status == AKIDB_OK && (size = getline(&line, &capacity, file)) >= 0) {
        number++;
        if (memchr(line, '\0', (size_t)size) != NULL)
            status = cli_set_error(err, AKIDB_E_VALIDATION,
                                   "%s: line %llu: expected an id, found a zero byte", path,
                                   (unsigned long long)number);
        else
            status = add_line(wanted, line, (size_t)size, err);
    }
    if (status == AKIDB_OK && ferror(file))
        status = cli_set_error(err, AKIDB_E_IO, "%s: %s", path, strerror(errno));
    free(line);
    fclose(file);
    return status;
}

/* ---- sorting and finding --------------------------------------------------------------------- */

static int compare_ids(const void *a, const void *b)
{
    return akidb_uuid_compare(a, b);
}

static int compare_texts(const void *a, const void *b)
{
    const akidb_slice *x = a, *y = b;
    size_t size = x->size < y->size ? x->size : y->size;
    int order = size > 0 ? memcmp(x->data, y->data, size) : 0;
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static size_t remove_doubles(void *items, size_t count, size_t size,
                             int (*compare)(const void *, const void *))
{
    char *bytes = items;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare(bytes + (kept - 1) * size, bytes + i * size) != 0) {
            memmove(bytes + kept * size, bytes + i * size, size);
            kept++;
        }
    return kept;
}

akidb_status cli_wanted_sort(cli_wanted *wanted, akidb_error *err)
{
    size_t room = wanted->count > 0 ? wanted->count : 1;
    wanted->ids = calloc(room, sizeof *wanted->ids);
    wanted->id_seen = calloc(room, sizeof *wanted->id_seen);
    wanted->external_ids = calloc(room, sizeof *wanted->external_ids);
    wanted->external_id_seen = calloc(room, sizeof *wanted->external_id_seen);
    if (wanted->ids == NULL || wanted->id_seen == NULL || wanted->external_ids == NULL ||
        wanted->external_id_seen == NULL)
        return no_memory(err);
    for (size_t i = 0; i < wanted->count; i++) {
        const cli_wanted_name *name = &wanted->names[i];
        if (name->is_id)
            wanted->ids[wanted->id_count++] = name->id;
        if (name->is_external_id)
            wanted->external_ids[wanted->external_id_count++] =
                (akidb_slice){name->text, strlen(name->text)};
    }
    qsort(wanted->ids, wanted->id_count, sizeof *wanted->ids, compare_ids);
    wanted->id_count =
        remove_doubles(wanted->ids, wanted->id_count, sizeof *wanted->ids, compare_ids);
    qsort(wanted->external_ids, wanted->external_id_count, sizeof *wanted->external_ids,
          compare_texts);
    wanted->external_id_count = remove_doubles(wanted->external_ids, wanted->external_id_count,
                                               sizeof *wanted->external_ids, compare_texts);
    return AKIDB_OK;
}

static bool *find_id(const cli_wanted *wanted, const akidb_uuid *id)
{
    const akidb_uuid *found =
        bsearch(id, wanted->ids, wanted->id_count, sizeof *wanted->ids, compare_ids);
    return found != NULL ? &wanted->id_seen[found - wanted->ids] : NULL;
}

static bool *find_external_id(const cli_wanted *wanted, akidb_slice text)
{
    const akidb_slice *found = bsearch(&text, wanted->external_ids, wanted->external_id_count,
                                       sizeof *wanted->external_ids, compare_texts);
    return found != NULL ? &wanted->external_id_seen[found - wanted->external_ids] : NULL;
}

void cli_wanted_see(cli_wanted *wanted, const akidb_batch *batch)
{
    for (size_t row = 0; row < batch->rows; row++) {
        bool *seen =
            batch->document_ids != NULL ? find_id(wanted, &batch->document_ids[row]) : NULL;
        if (seen != NULL)
            *seen = true;
        akidb_slice text = akidb_texts_at(&batch->external_ids, row);
        seen = text.data != NULL ? find_external_id(wanted, text) : NULL;
        if (seen != NULL)
            *seen = true;
    }
}

bool cli_wanted_was_seen(const cli_wanted *wanted, const cli_wanted_name *name)
{
    akidb_slice text = {name->text, strlen(name->text)};
    const bool *by_id = name->is_id ? find_id(wanted, &name->id) : NULL;
    const bool *by_text = name->is_external_id ? find_external_id(wanted, text) : NULL;
    return (by_id != NULL && *by_id) || (by_text != NULL && *by_text);
}

akidb_status cli_wanted_check(const cli_wanted *wanted, akidb_error *err)
{
    enum { NAMES_TOLD = 5 };
    size_t missing = 0;
    char names[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < wanted->count; i++) {
        if (cli_wanted_was_seen(wanted, &wanted->names[i]))
            continue;
        if (missing++ < NAMES_TOLD && used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s'%.64s'",
                                     used > 0 ? ", " : "", wanted->names[i].text);
    }
    if (missing == 0)
        return AKIDB_OK;
    return cli_set_error(err, AKIDB_E_NOT_FOUND,
                         "%zu of %zu documents asked for are not there: %s%s", missing,
                         wanted->count, names, missing > NAMES_TOLD ? ", ..." : "");
}
