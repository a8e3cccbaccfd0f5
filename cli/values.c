#include "cli.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- choices --------------------------------------------------------------------------------- */

const cli_choice cli_formats[] = {
    {"parquet", AKIDB_FORMAT_PARQUET}, {"json", AKIDB_FORMAT_JSON}, {NULL, 0}};

const cli_choice cli_compressions[] = {
    {"none", AKIDB_COMPRESSION_NONE}, {"snappy", AKIDB_COMPRESSION_SNAPPY},
    {"zstd", AKIDB_COMPRESSION_ZSTD}, {"lz4", AKIDB_COMPRESSION_LZ4},
    {"gzip", AKIDB_COMPRESSION_GZIP}, {NULL, 0}};

const cli_choice cli_vector_encodings[] = {{"plain", AKIDB_VECTOR_PLAIN},
                                           {"byte-stream-split", AKIDB_VECTOR_BYTE_STREAM_SPLIT},
                                           {NULL, 0}};

const cli_choice cli_profiles[] = {{"fast", AKIDB_PROFILE_FAST},
                                   {"compatible", AKIDB_PROFILE_COMPATIBLE},
                                   {"balanced", AKIDB_PROFILE_BALANCED},
                                   {"small", AKIDB_PROFILE_SMALL},
                                   {NULL, 0}};

const cli_choice cli_layouts[] = {
    {"file", AKIDB_LAYOUT_FILE}, {"folder", AKIDB_LAYOUT_FOLDER}, {NULL, 0}};

const cli_choice cli_time_units[] = {
    {"millis", AKIDB_TIME_UNIT_MILLIS}, {"micros", AKIDB_TIME_UNIT_MICROS}, {NULL, 0}};

const cli_choice cli_columns[] = {
    {"document_id", AKIDB_COLUMN_DOCUMENT_ID}, {"external_id", AKIDB_COLUMN_EXTERNAL_ID},
    {"vector", AKIDB_COLUMN_VECTOR},           {"metadata", AKIDB_COLUMN_METADATA},
    {"inserted_at", AKIDB_COLUMN_INSERTED_AT}, {NULL, 0}};

const cli_choice cli_file_formats[] = {{"npy", AKIDB_FILE_NPY},
                                       {"fvecs", AKIDB_FILE_FVECS},
                                       {"jsonl", AKIDB_FILE_JSONL},
                                       {"parquet", AKIDB_FILE_PARQUET},
                                       {NULL, 0}};

const cli_choice cli_verify_levels[] = {{"exists", AKIDB_VERIFY_EXISTS},
                                        {"size", AKIDB_VERIFY_SIZE},
                                        {"checksum", AKIDB_VERIFY_CHECKSUM},
                                        {"decode", AKIDB_VERIFY_DECODE},
                                        {NULL, 0}};

const char *cli_choice_name(const cli_choice *choices, int value)
{
    for (; choices->name != NULL; choices++)
        if (choices->value == value)
            return choices->name;
    return "?";
}

/* '_' counts as '-', as in byte_stream_split: Parquet and other tools spell it so. */
static bool is_name(const char *name, const char *given, size_t size)
{
    if (strlen(name) != size)
        return false;
    for (size_t i = 0; i < size; i++)
        if (name[i] != given[i] &&
            !(strchr("-_", name[i]) != NULL && strchr("-_", given[i]) != NULL))
            return false;
    return true;
}

static const cli_choice *find_choice(const cli_choice *choices, const char *name, size_t size)
{
    for (; choices->name != NULL; choices++)
        if (is_name(choices->name, name, size))
            return choices;
    return NULL;
}

static bool expect_choice(const cli_choice *choices, char *why, size_t why_size)
{
    size_t used = (size_t)snprintf(why, why_size, "expected one of");
    for (const cli_choice *c = choices; c->name != NULL && used < why_size; c++)
        used += (size_t)snprintf(why + used, why_size - used, "%s %s", c == choices ? "" : ",",
                                 c->name);
    return false;
}

bool cli_read_choice(const cli_option *option, const char *text, void *field, char *why,
                     size_t why_size)
{
    const cli_choice *choice = find_choice(option->choices, text, strlen(text));
    if (choice == NULL)
        return expect_choice(option->choices, why, why_size);
    *(int *)field = choice->value;
    return true;
}

bool cli_read_columns(const cli_option *option, const char *text, void *field, char *why,
                      size_t why_size)
{
    unsigned columns = 0;
    for (;;) {
        size_t size = strcspn(text, ",");
        const cli_choice *choice = find_choice(option->choices, text, size);
        if (choice == NULL)
            return expect_choice(option->choices, why, why_size);
        columns |= (unsigned)choice->value;
        if (text[size] == '\0')
            break;
        text += size + 1;
    }
    *(unsigned *)field = columns;
    return true;
}

akidb_file_format cli_file_format_of(const char *path)
{
    static const struct {
        const char *ending;
        akidb_file_format format;
    } endings[] = {{".npy", AKIDB_FILE_NPY},
                   {".fvecs", AKIDB_FILE_FVECS},
                   {".jsonl", AKIDB_FILE_JSONL},
                   {".ndjson", AKIDB_FILE_JSONL},
                   {".parquet", AKIDB_FILE_PARQUET}};
    if (strcmp(path, "-") == 0)
        return AKIDB_FILE_JSONL;
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i].ending);
        if (size > ending && strcasecmp(path + size - ending, endings[i].ending) == 0)
            return endings[i].format;
    }
    return AKIDB_FILE_BY_ENDING;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Reads digits at *text, and only digits, and moves *text behind them. False when there are none
 * or they do not fit. */
static bool read_digits(const char **text, uint64_t *value_out)
{
    if (**text < '0' || **text > '9')
        return false;
    char *end;
    errno = 0;
    *value_out = strtoumax(*text, &end, 10);
    *text = end;
    return errno == 0;
}

bool cli_read_count(const cli_option *option, const char *text, void *field, char *why,
                    size_t why_size)
{
    cli_count *count = field;
    if (read_digits(&text, &count->value) && *text == '\0' && count->value >= option->min &&
        count->value <= option->max) {
        count->set = true;
        return true;
    }
    snprintf(why, why_size, "expected a number from %" PRIu64 " to %" PRIu64, option->min,
             option->max);
    return false;
}

/* The number of bits that a suffix shifts by, or -1. */
static int size_shift(const char *suffix)
{
    static const char *const suffixes[][3] = {
        {"", "B", NULL}, {"K", "KiB", NULL}, {"M", "MiB", NULL}, {"G", "GiB", NULL}};
    for (int i = 0; i < 4; i++)
        if (strcmp(suffix, suffixes[i][0]) == 0 || strcmp(suffix, suffixes[i][1]) == 0)
            return 10 * i;
    return -1;
}

bool cli_read_size(const cli_option *option, const char *text, void *field, char *why,
                   size_t why_size)
{
    cli_count *count = field;
    uint64_t value;
    if (read_digits(&text, &value)) {
        int shift = size_shift(text);
        if (shift >= 0 && value <= UINT64_MAX >> shift) {
            value <<= shift;
            if (value >= option->min && value <= option->max) {
                *count = (cli_count){true, value};
                return true;
            }
        }
    }
    snprintf(why, why_size,
             "expected a size in bytes, or with K, M or G, from %" PRIu64 " to %" PRIu64,
             option->min, option->max);
    return false;
}

bool cli_read_duration(const cli_option *option, const char *text, void *field, char *why,
                       size_t why_size)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    uint64_t value;
    const char *at = text;
    if (read_digits(&at, &value) && at[0] != '\0' && at[1] == '\0') {
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
            if (at[0] != units[i].letter)
                continue;
            uint64_t unit = (uint64_t)units[i].seconds * 1000000;
            if (value > INT64_MAX / unit || value * unit < option->min * 1000000)
                break;
            *(cli_moment *)field = (cli_moment){true, (int64_t)(value * unit)};
            return true;
        }
    }
    snprintf(why, why_size, "expected a duration such as 30s, 15m, 12h, 7d or 4w%s",
             option->min > 0 ? ", longer than nothing" : "");
    return false;
}

bool cli_read_time(const cli_option *option, const char *text, void *field, char *why,
                   size_t why_size)
{
    (void)option;
    cli_moment *moment = field;
    if (akidb_time_parse(text, &moment->value, NULL) == AKIDB_OK) {
        moment->set = true;
        return true;
    }
    snprintf(why, why_size, "expected a date or a time such as 2026-11-22 or 2026-11-22T09:00:00Z");
    return false;
}

/* ---- compression ----------------------------------------------------------------------------- */

bool cli_read_compression(const cli_option *option, const char *text, void *field, char *why,
                          size_t why_size)
{
    cli_compression *compression = field;
    size_t size = strcspn(text, ":");
    const cli_choice *choice = find_choice(option->choices, text, size);
    if (choice == NULL) {
        expect_choice(option->choices, why, why_size);
        return false;
    }
    *compression = (cli_compression){choice->value, 0};
    if (text[size] == '\0')
        return true;

    unsigned max = choice->value == AKIDB_COMPRESSION_ZSTD   ? 19
                   : choice->value == AKIDB_COMPRESSION_GZIP ? 9
                                                             : 0;
    if (max == 0) {
        snprintf(why, why_size, "%s has no levels", choice->name);
        return false;
    }
    const char *at = text + size + 1;
    uint64_t level;
    if (!read_digits(&at, &level) || *at != '\0' || level < 1 || level > max) {
        snprintf(why, why_size, "expected a level of %s from 1 to %u", choice->name, max);
        return false;
    }
    compression->level = (int)level;
    return true;
}

/* ---- texts ----------------------------------------------------------------------------------- */

bool cli_read_flag(const cli_option *option, const char *text, void *field, char *why,
                   size_t why_size)
{
    (void)option;
    (void)text;
    (void)why;
    (void)why_size;
    *(bool *)field = true;
    return true;
}

bool cli_read_text(const cli_option *option, const char *text, void *field, char *why,
                   size_t why_size)
{
    (void)option;
    if (*text == '\0') {
        snprintf(why, why_size, "expected a text that is not empty");
        return false;
    }
    *(const char **)field = text;
    return true;
}

bool cli_read_file(const cli_option *option, const char *text, void *field, char *why,
                   size_t why_size)
{
    return cli_read_text(option, text, field, why, why_size);
}

static bool append(cli_list *list, const char *text, char *why, size_t why_size)
{
    const char **items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (items == NULL) {
        snprintf(why, why_size, "out of memory");
        return false;
    }
    list->items = items;
    list->items[list->count++] = text;
    return true;
}

bool cli_read_texts(const cli_option *option, const char *text, void *field, char *why,
                    size_t why_size)
{
    const char *checked;
    return cli_read_text(option, text, &checked, why, why_size) &&
           append(field, checked, why, why_size);
}

bool cli_read_files(const cli_option *option, const char *text, void *field, char *why,
                    size_t why_size)
{
    return cli_read_texts(option, text, field, why, why_size);
}

bool cli_read_ids(const cli_option *option, const char *text, void *field, char *why,
                  size_t why_size)
{
    (void)option;
    akidb_uuid id;
    if (akidb_uuid_parse(text, &id, NULL) != AKIDB_OK) {
        snprintf(why, why_size, "expected a UUID such as 0945db03-3ed2-5aea-b1b9-96709bcb3b20");
        return false;
    }
    return append(field, text, why, why_size);
}

bool cli_read_labels(const cli_option *option, const char *text, void *field, char *why,
                     size_t why_size)
{
    (void)option;
    const char *equals = strchr(text, '=');
    if (equals == NULL || equals == text) {
        snprintf(why, why_size, "expected KEY=VALUE");
        return false;
    }
    return append(field, text, why, why_size);
}

bool cli_option_is_list(const cli_option *option)
{
    return option->read == cli_read_texts || option->read == cli_read_files ||
           option->read == cli_read_ids || option->read == cli_read_labels;
}

bool cli_option_is_file(const cli_option *option)
{
    return option->read == cli_read_file || option->read == cli_read_files;
}
