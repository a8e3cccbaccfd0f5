/*
 * akidb_storage_bench [options] FOLDER: what the storage backend takes on the disk of FOLDER,
 * beside what the disk itself takes for the same bytes and beside SQLite with the same rows.
 * Contenders take turns; figures are medians. --json FILE receives one JSON object for each line of
 * a table.
 */
#include "storage_bench.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] = "usage: akidb_storage_bench [options] FOLDER\n"
                            "  --only WHAT     inserts, recovery or flush (all three)\n"
                            "  --runs N        runs of which the median is told, 1 to 64 (9)\n"
                            "  --seconds X     of one run of inserts (0.25)\n"
                            "  --dimension N   of the inserts: 128 or 512 (both)\n"
                            "  --batch N       of the inserts: 1 or 100 (both)\n"
                            "  --threads N     of the inserts: 1 or 8 (both)\n"
                            "  --wal-mb N      of the log that is recovered (1000)\n"
                            "  --rows N        of the collection that is flushed (100000)\n"
                            "  --json FILE     write the results as JSON lines too\n";

typedef struct arguments {
    storage_settings settings;
    const char *only, *json_path;
} arguments;

static int read_number(const char *text, double min, double max, double *number_out)
{
    char *end;
    *number_out = strtod(text, &end);
    return end != text && *end == '\0' && *number_out >= min && *number_out <= max;
}

static int read_option(arguments *a, const char *option, const char *value)
{
    double number = 0;
    if (strcmp(option, "--json") == 0) {
        a->json_path = value;
    } else if (strcmp(option, "--only") == 0) {
        a->only = value;
        return strcmp(value, "inserts") == 0 || strcmp(value, "recovery") == 0 ||
               strcmp(value, "flush") == 0;
    } else if (strcmp(option, "--runs") == 0 && read_number(value, 1, 64, &number)) {
        a->settings.runs = (int)number;
    } else if (strcmp(option, "--seconds") == 0 && read_number(value, 0.01, 60, &number)) {
        a->settings.seconds = number;
    } else if (strcmp(option, "--wal-mb") == 0 && read_number(value, 1, 7000, &number)) {
        a->settings.wal_bytes = (uint64_t)(number * 1e6);
    } else if (strcmp(option, "--rows") == 0 && read_number(value, 1, 10000000, &number)) {
        a->settings.rows = (size_t)number;
    } else if (strcmp(option, "--dimension") == 0 && read_number(value, 128, 512, &number)) {
        a->settings.dimension = (uint32_t)number;
    } else if (strcmp(option, "--batch") == 0 && read_number(value, 1, 100, &number)) {
        a->settings.batch = (size_t)number;
    } else if (strcmp(option, "--threads") == 0 && read_number(value, 1, 8, &number)) {
        a->settings.threads = (unsigned)number;
    } else {
        return 0;
    }
    return 1;
}

static int read_arguments(arguments *a, int argc, char **argv)
{
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2)
        if (!read_option(a, argv[i], argv[i + 1]))
            return 0;
    if (i + 1 != argc || argv[i][0] == '-')
        return 0;
    a->settings.folder = argv[i];
    return 1;
}

static int wants(const arguments *a, const char *what)
{
    return a->only == NULL || strcmp(a->only, what) == 0;
}

int main(int argc, char **argv)
{
    arguments a = {
        .settings = {.runs = 9, .seconds = 0.25, .wal_bytes = 1000000000, .rows = 100000}};
    if (!read_arguments(&a, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    if (mkdir(a.settings.folder, 0700) != 0 && errno != EEXIST) {
        perror(a.settings.folder);
        return EXIT_FAILURE;
    }
    a.settings.json = a.json_path == NULL ? NULL : fopen(a.json_path, "w");
    if (a.json_path != NULL && a.settings.json == NULL) {
        perror(a.json_path);
        return EXIT_FAILURE;
    }
    printf("akidb %s, storage\n", akidb_version());
    int failed = wants(&a, "inserts") && run_inserts(&a.settings) != 0;
    failed |= wants(&a, "recovery") && run_recovery(&a.settings) != 0;
    failed |= wants(&a, "flush") && run_flush(&a.settings) != 0;
    if (a.settings.json != NULL && fclose(a.settings.json) != 0)
        failed = 1;
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
