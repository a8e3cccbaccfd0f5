#include "sources.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

int cli_sources_make(cli *session, const cli_source_values *v, char *const *paths, size_t count,
                     size_t batch_rows, akidb_parquet_read_options *parquet, cli_sources *made_out)
{
    if (v->ids.count > 0 && v->ids.count != count)
        return cli_usage(session, "--ids: expected one for each FILE, that is %zu, found %zu",
                         count, v->ids.count);
    *parquet = (akidb_parquet_read_options){
        .struct_size = sizeof *parquet,
        .threads = (unsigned)session->threads.value,
        .document_id_column = v->id_column,
        .external_id_column = v->external_id_column,
        .vector_column = v->vector_column,
        .metadata_column = v->metadata_column,
        .inserted_at_column = v->inserted_at_column,
        .narrow_doubles = v->narrow,
        .allow_other_ids = v->id_column != NULL,
    };
    *made_out = (cli_sources){
        .paths = (const char *const *)paths,
        .count = count,
        .options = {.struct_size = sizeof(akidb_import_options),
                    .format = (akidb_file_format)v->input_format,
                    .parquet = parquet,
                    .narrow_doubles = v->narrow,
                    .threads = (unsigned)session->threads.value,
                    .hooks = &made_out->hooks},
        .hooks = {.context = session, .log = cli_hooks(session).log},
        .ids = &v->ids,
        .batch_rows = batch_rows,
    };
    return CLI_DONE;
}

akidb_status cli_sources_survey(const cli_sources *sources, uint64_t *rows_out, akidb_error *err)
{
    uint32_t dimension = 0;
    bool known = true;
    *rows_out = 0;
    for (size_t i = 0; i < sources->count; i++) {
        struct stat info;
        if (strcmp(sources->paths[i], "-") == 0 ||
            (stat(sources->paths[i], &info) == 0 && !S_ISREG(info.st_mode) &&
             !S_ISDIR(info.st_mode))) {
            known = false;
            continue;
        }
        akidb_import *import;
        akidb_status status = cli_source_open(sources, i, &import, err);
        if (status != AKIDB_OK)
            return status;
        uint64_t rows = akidb_import_rows(import);
        uint32_t found = akidb_import_dimension(import);
        akidb_import_close(import);
        status = cli_source_check_dimension(sources, i, found, &dimension, err);
        if (status != AKIDB_OK)
            return status;
        known = known && rows > 0 && rows <= UINT64_MAX - *rows_out;
        *rows_out += known ? rows : 0;
    }
    if (!known)
        *rows_out = 0;
    return AKIDB_OK;
}

int cli_sources_fail(cli *session, cli_ahead *ahead, uint64_t row_base, const akidb_error *err)
{
    char found[32];
    uint64_t row, row_of_all = row_base + (uint64_t)err->row;
    const char *path = ahead != NULL && err->row >= 0 && err->object[0] == '\0'
                           ? cli_ahead_source_of(ahead, row_of_all, &row)
                           : NULL;
    int size = snprintf(found, sizeof found, "row %lld: ", (long long)err->row);
    if (path == NULL || strncmp(err->message, found, (size_t)size) != 0)
        cli_fail(session, err);
    else if (row == row_of_all)
        cli_say(session, "%s: row %" PRIu64 ": %s", path, row, err->message + size);
    else
        cli_say(session, "%s: row %" PRIu64 " (row %" PRIu64 " of all files together): %s", path,
                row, row_of_all, err->message + size);
    return err->status == AKIDB_E_CORRUPTION ? CLI_INVALID : cli_exit_of_status(err->status);
}
