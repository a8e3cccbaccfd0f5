#include "formats/file_format.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

static akidb_file_format format_by_ending(const char *path)
{
    static const struct {
        const char *ending;
        akidb_file_format format;
    } endings[] = {
        {".npy", AKIDB_FILE_NPY},         {".fvecs", AKIDB_FILE_FVECS},
        {".jsonl", AKIDB_FILE_JSONL},     {".ndjson", AKIDB_FILE_JSONL},
        {".parquet", AKIDB_FILE_PARQUET},
    };
    size_t size = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t length = strlen(endings[i].ending);
        if (size >= length && strcasecmp(path + size - length, endings[i].ending) == 0)
            return endings[i].format;
    }
    return AKIDB_FILE_BY_ENDING;
}

akidb_status ak_file_format(const char *path, akidb_file_format *format, akidb_error *err)
{
    if (path == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "expected the path of a file, found NULL");
    bool is_standard = strcmp(path, "-") == 0;
    if (*format == AKIDB_FILE_BY_ENDING)
        *format = is_standard ? AKIDB_FILE_JSONL : format_by_ending(path);
    if (*format < AKIDB_FILE_NPY || *format > AKIDB_FILE_PARQUET)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(path),
                          "expected a name that ends in .npy, .fvecs, .jsonl, .ndjson or .parquet, "
                          "or the format as an option");
    if (is_standard && *format != AKIDB_FILE_JSONL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(path),
                          "expected a file, because only .jsonl goes through a pipe");
    return AKIDB_OK;
}
