#include "snapshot/snapshotter.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/options.h"

static const uint64_t part_bytes_default = UINT64_C(4) << 30;

/* ---- options --------------------------------------------------------------------------------- */

static akidb_status check_options(const akidb_snapshotter_options *options,
                                  akidb_compression compression, akidb_profile profile,
                                  akidb_error *err)
{
    if (akidb_profile_name(profile) == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "profile: expected 0 to 4, found %d", (int)profile);
    if ((unsigned)options->format > AKIDB_FORMAT_JSON)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "akidb_snapshotter_options.format: expected 0 to 2, found %d",
                       (int)options->format);
    if ((unsigned)options->layout > AKIDB_LAYOUT_FOLDER)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "akidb_snapshotter_options.layout: expected 0 to 2, found %d",
                       (int)options->layout);
    if ((unsigned)compression > AKIDB_COMPRESSION_GZIP)
        return ak_fail(err, AKIDB_E_VALIDATION, "compression: expected 0 to 5, found %d",
                       (int)compression);
    if (options->format == AKIDB_FORMAT_JSON && compression == AKIDB_COMPRESSION_LZ4)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "compression: expected none, gzip, snappy or zstd for JSON, found lz4");
    if (options->format == AKIDB_FORMAT_JSON && profile != AKIDB_PROFILE_NONE)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "profile: expected none for JSON, which has no columns, found %s",
                       akidb_profile_name(profile));
    if (options->format == AKIDB_FORMAT_JSON && options->layout != AKIDB_LAYOUT_DEFAULT)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "layout: expected the default for JSON, which has one part, found %d",
                       (int)options->layout);
    return AKIDB_OK;
}

static akidb_compression default_compression(akidb_snapshot_format format,
                                             akidb_compression compression)
{
    if (compression != AKIDB_COMPRESSION_DEFAULT)
        return compression;
    return format == AKIDB_FORMAT_JSON ? AKIDB_COMPRESSION_NONE : AKIDB_COMPRESSION_SNAPPY;
}

static void set_options(akidb_snapshotter *snapshotter, const akidb_snapshotter_options *options)
{
    snapshotter->format =
        options->format == AKIDB_FORMAT_DEFAULT ? AKIDB_FORMAT_PARQUET : options->format;
    snapshotter->layout = options->layout;
    snapshotter->part_rows = options->part_rows == 0 ? UINT64_MAX : options->part_rows;
    snapshotter->part_bytes = options->part_bytes == 0 ? part_bytes_default : options->part_bytes;
    snapshotter->threads = options->threads == 0 ? 1 : options->threads;
    snapshotter->hooks = options->hooks;
    snapshotter->has_clock = options->clock != NULL;
    if (options->clock != NULL)
        snapshotter->clock = *options->clock;
    akidb_parquet_options *parquet = &snapshotter->parquet;
    parquet->struct_size = sizeof *parquet;
    if (parquet->profile == AKIDB_PROFILE_NONE) /* otherwise it picks what was left open */
        parquet->compression = default_compression(snapshotter->format, parquet->compression);
    if (parquet->threads == 0)
        parquet->threads = snapshotter->threads;
}

/* What a lower layer has to say. */
static void hand_on(void *context, akidb_log_level level, const char *message)
{
    ak_snapshotter_log(context, level, NULL, "%s", message);
}

/* ---- handle ---------------------------------------------------------------------------------- */

akidb_status akidb_snapshotter_open(akidb_store *store, const akidb_snapshotter_options *options,
                                    akidb_snapshotter **snapshotter_out, akidb_error *err)
{
    *snapshotter_out = NULL;
    if (store == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "snapshotter: expected a store, found NULL");
    akidb_snapshotter_options own;
    akidb_parquet_options parquet;
    akidb_status status =
        ak_options_copy(&own, sizeof own, options, "akidb_snapshotter_options", err);
    if (status == AKIDB_OK)
        status =
            ak_options_copy(&parquet, sizeof parquet, own.parquet, "akidb_parquet_options", err);
    if (status == AKIDB_OK)
        status = check_options(&own, parquet.compression, parquet.profile, err);
    if (status != AKIDB_OK)
        return status;
    akidb_snapshotter *snapshotter = calloc(1, sizeof *snapshotter);
    if (snapshotter == NULL)
        return ak_fail_memory(err, sizeof *snapshotter);
    snapshotter->store = store;
    snapshotter->log_only = (akidb_hooks){.context = snapshotter, .log = hand_on};
    pthread_mutex_init(&snapshotter->log_lock, NULL);
    snapshotter->parquet = parquet;
    set_options(snapshotter, &own);
    if (own.temporary_folder != NULL) {
        snapshotter->temporary_folder = strdup(own.temporary_folder);
        if (snapshotter->temporary_folder == NULL)
            status = ak_fail_memory(err, strlen(own.temporary_folder));
    }
    if (status != AKIDB_OK) {
        akidb_snapshotter_close(snapshotter);
        return status;
    }
    *snapshotter_out = snapshotter;
    return AKIDB_OK;
}

void akidb_snapshotter_close(akidb_snapshotter *snapshotter)
{
    if (snapshotter == NULL)
        return;
    pthread_mutex_destroy(&snapshotter->log_lock);
    free(snapshotter->temporary_folder);
    free(snapshotter);
}

/* ---- clock and hooks ------------------------------------------------------------------------- */

int64_t ak_snapshotter_now(const akidb_snapshotter *snapshotter)
{
    return akidb_clock_now(snapshotter->has_clock ? &snapshotter->clock : NULL);
}

akidb_status ak_snapshotter_progress(const akidb_snapshotter *snapshotter,
                                     const akidb_progress *progress, akidb_error *err)
{
    const akidb_hooks *hooks = &snapshotter->hooks;
    if (hooks->progress == NULL || hooks->progress(hooks->context, progress))
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_CANCELLED, "cancelled by the caller");
}

void ak_snapshotter_log(akidb_snapshotter *snapshotter, akidb_log_level level,
                        const akidb_error *err, const char *format, ...)
{
    const akidb_hooks *hooks = &snapshotter->hooks;
    if (hooks->log == NULL)
        return;
    char text[1536], line[sizeof text + sizeof err->message + 2];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    snprintf(line, sizeof line, "%s%s%s", text, err == NULL ? "" : ": ",
             err == NULL ? "" : err->message);
    pthread_mutex_lock(&snapshotter->log_lock);
    hooks->log(hooks->context, level, line);
    pthread_mutex_unlock(&snapshotter->log_lock);
}

void ak_delete_leftovers(akidb_snapshotter *snapshotter, const char *const *keys, size_t count)
{
    akidb_error cause;
    if (akidb_store_delete_many(snapshotter->store, keys, count, NULL, &cause) == AKIDB_OK)
        return;
    /* Most causes begin with the key. What could not be deleted may never have been stored. */
    bool named = strstr(cause.message, keys[0]) != NULL;
    ak_snapshotter_log(snapshotter, AKIDB_LOG_WARNING, &cause, "left to gc, if there%s%s%s",
                       named ? "" : ": ", named ? "" : keys[0], count > 1 ? " and others" : "");
}

void ak_delete_leftover(akidb_snapshotter *snapshotter, const char *key)
{
    ak_delete_leftovers(snapshotter, &key, 1);
}

bool ak_status_is_damage(akidb_status status)
{
    return status == AKIDB_E_CORRUPTION || status == AKIDB_E_VALIDATION ||
           status == AKIDB_E_UNSUPPORTED || status == AKIDB_E_LIMIT;
}
