#include "formats/file_format.h"

#include <string.h>
#include <strings.h>

#include "base/error.h"

static bool ends_in(const char *path, size_t size, const char *ending)
{
    size_t length = strlen(ending);
    return size >= length && strncasecmp(path + size - length, ending, length) == 0;
}

static akidb_file_format format_by_ending(const char *path, bool is_read)
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
    size_t compressed = ends_in(path, size, ".gz") ? 3 : ends_in(path, size, ".zst") ? 4 : 0;
    if (is_read &&
        (ends_in(path, size - compressed, ".jsonl") || ends_in(path, size - compressed, ".ndjson")))
        return AKIDB_FILE_JSONL;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (ends_in(path, size, endings[i].ending))
            return endings[i].format;
    }
    return AKIDB_FILE_BY_ENDING;
}

akidb_status ak_file_format(const char *path, bool is_read, akidb_file_format *format,
                            akidb_error *err)
{
    if (path == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "expected the path of a file, found NULL");
    bool is_standard = strcmp(path, "-") == 0;
    if (*format == AKIDB_FILE_BY_ENDING)
        *format = is_standard ? AKIDB_FILE_JSONL : format_by_ending(path, is_read);
    if (*format < AKIDB_FILE_NPY || *format > AKIDB_FILE_PARQUET)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(path),
                          "expected a name that ends in .npy, .fvecs, .jsonl, .ndjson or .parquet, "
                          "or the format as an option");
    if (is_standard && *format != AKIDB_FILE_JSONL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(path),
                          "expected a file, because only .jsonl goes through a pipe");
    return AKIDB_OK;
}
