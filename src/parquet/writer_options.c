#include "parquet/writer_options.h"

#include "akidb/batch.h"
#include "base/error.h"
#include "base/options.h"
#include "os/pool.h"
#include "parquet/profile.h"

const char *akidb_compression_name(akidb_compression compression)
{
    switch (compression) {
    case AKIDB_COMPRESSION_NONE: return "None";
    case AKIDB_COMPRESSION_DEFAULT:
    case AKIDB_COMPRESSION_SNAPPY: return "Snappy";
    case AKIDB_COMPRESSION_ZSTD: return "Zstd";
    case AKIDB_COMPRESSION_LZ4: return "Lz4";
    case AKIDB_COMPRESSION_GZIP: return "Gzip";
    }
    return NULL;
}

/* `value`, or the default when it is 0; it must lie between the limits. */
static akidb_status number_option(const char *name, uint64_t value, uint64_t if_zero, uint64_t min,
                                  uint64_t max, uint64_t *number_out, akidb_error *err)
{
    *number_out = value == 0 ? if_zero : value;
    if (*number_out >= min && *number_out <= max)
        return AKIDB_OK;
    return ak_fail(err, AKIDB_E_VALIDATION, "option %s: expected %llu to %llu, found %llu", name,
                   (unsigned long long)min, (unsigned long long)max, (unsigned long long)value);
}

const char *akidb_profile_name(akidb_profile profile)
{
    switch (profile) {
    case AKIDB_PROFILE_NONE: return "none";
    case AKIDB_PROFILE_FAST: return "fast";
    case AKIDB_PROFILE_COMPATIBLE: return "compatible";
    case AKIDB_PROFILE_BALANCED: return "balanced";
    case AKIDB_PROFILE_SMALL: return "small";
    }
    return NULL;
}

static akidb_status set_codec(ak_writer_settings *settings, const akidb_parquet_options *options,
                              akidb_error *err)
{
    int max_level = 0, default_level = 0;
    switch (options->compression) {
    case AKIDB_COMPRESSION_DEFAULT:
    case AKIDB_COMPRESSION_SNAPPY: settings->codec = AK_CODEC_SNAPPY; break;
    case AKIDB_COMPRESSION_NONE: settings->codec = AK_CODEC_UNCOMPRESSED; break;
    case AKIDB_COMPRESSION_LZ4: settings->codec = AK_CODEC_LZ4_RAW; break;
    case AKIDB_COMPRESSION_ZSTD:
        settings->codec = AK_CODEC_ZSTD;
        max_level = 19;
        default_level = 1;
        break;
    case AKIDB_COMPRESSION_GZIP:
        settings->codec = AK_CODEC_GZIP;
        max_level = 9;
        default_level = 6;
        break;
    default:
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "option compression: expected a value of akidb_compression, found %d",
                       (int)options->compression);
    }
    int level = options->compression_level;
    if (level < 0 || level > max_level) {
        const char *name = akidb_compression_name(options->compression);
        if (max_level == 0)
            return ak_fail(err, AKIDB_E_VALIDATION,
                           "option compression_level: %s has no levels, expected 0, found %d", name,
                           level);
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "option compression_level: expected 1 to %d for %s, found %d", max_level,
                       name, level);
    }
    settings->level = level == 0 ? default_level : level;
    settings->vector_codec = settings->codec;
    settings->vector_level = settings->level;
    return AKIDB_OK;
}

/* Which of the settings the profile may pick. Those of the vectors wait for a look at them; the
 * other columns are small, and each chunk of them that does not shrink is stored as it is. */
static akidb_status set_profile(ak_writer_settings *settings, const akidb_parquet_options *options,
                                akidb_error *err)
{
    if (akidb_profile_name(options->profile) == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "option profile: expected a value of akidb_profile, found %d",
                       (int)options->profile);
    settings->profile = options->profile;
    if (options->profile == AKIDB_PROFILE_NONE)
        return AKIDB_OK;
    settings->is_undecided = true;
    settings->codec_is_given = options->compression != AKIDB_COMPRESSION_DEFAULT;
    settings->encoding_is_given = options->vector_encoding != AKIDB_VECTOR_ENCODING_DEFAULT;
    if (!settings->codec_is_given)
        ak_profile_set_codec(settings);
    return AKIDB_OK;
}

static akidb_status set_sizes(ak_writer_settings *settings, const akidb_parquet_options *options,
                              akidb_error *err)
{
    uint64_t rows, bytes, page, threads;
    akidb_status status = number_option("row_group_size", options->row_group_size,
                                        AKIDB_ROW_GROUP_ROWS_DEFAULT, 1, INT32_MAX, &rows, err);
    if (status == AKIDB_OK)
        status =
            number_option("row_group_bytes", options->row_group_bytes,
                          AKIDB_ROW_GROUP_BYTES_DEFAULT, 1, AK_ROW_GROUP_BYTES_MAX, &bytes, err);
    if (status == AKIDB_OK)
        status = number_option("page_bytes", options->page_bytes, AKIDB_PAGE_BYTES_DEFAULT,
                               AK_PAGE_BYTES_MIN, AK_PAGE_BYTES_MAX, &page, err);
    if (status == AKIDB_OK)
        status =
            number_option("threads", options->threads, 1, 1, AK_POOL_THREADS_MAX, &threads, err);
    if (status != AKIDB_OK)
        return status;
    settings->row_group_size = (uint32_t)rows;
    settings->row_group_bytes = bytes;
    settings->page_bytes = (uint32_t)page;
    settings->threads = (size_t)threads;
    return AKIDB_OK;
}

static akidb_status set_choices(ak_writer_settings *settings, const akidb_parquet_options *options,
                                akidb_error *err)
{
    switch (options->enable_dictionary) {
    case AKIDB_DEFAULT:
    case AKIDB_ON: settings->dictionary = true; break;
    case AKIDB_OFF: settings->dictionary = false; break;
    default:
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "option enable_dictionary: expected a value of akidb_toggle, found %d",
                       (int)options->enable_dictionary);
    }
    switch (options->bloom_filter) {
    case AKIDB_DEFAULT:
    case AKIDB_OFF: settings->bloom_filter = false; break;
    case AKIDB_ON: settings->bloom_filter = true; break;
    default:
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "option bloom_filter: expected a value of akidb_toggle, found %d",
                       (int)options->bloom_filter);
    }
    switch (options->vector_encoding) {
    case AKIDB_VECTOR_ENCODING_DEFAULT:
    case AKIDB_VECTOR_PLAIN: settings->vector_encoding = AK_ENCODING_PLAIN; break;
    case AKIDB_VECTOR_BYTE_STREAM_SPLIT:
        settings->vector_encoding = AK_ENCODING_BYTE_STREAM_SPLIT;
        break;
    default:
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "option vector_encoding: expected a value of akidb_vector_encoding, "
                       "found %d",
                       (int)options->vector_encoding);
    }
    settings->unit_is_default = options->time_unit == AKIDB_TIME_UNIT_DEFAULT;
    switch (options->time_unit) {
    case AKIDB_TIME_UNIT_DEFAULT:
    case AKIDB_TIME_UNIT_MILLIS: settings->unit = AK_UNIT_MILLIS; break;
    case AKIDB_TIME_UNIT_MICROS: settings->unit = AK_UNIT_MICROS; break;
    default:
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "option time_unit: expected a value of akidb_time_unit, found %d",
                       (int)options->time_unit);
    }
    return AKIDB_OK;
}

akidb_status ak_writer_settings_make(ak_writer_settings *settings_out, uint32_t dimension,
                                     const akidb_parquet_options *options, akidb_error *err)
{
    *settings_out =
        (ak_writer_settings){.dimension = dimension, .bloom_memory = AK_BLOOM_MEMORY_DEFAULT};
    akidb_parquet_options copy;
    akidb_status status =
        ak_options_copy(&copy, sizeof copy, options, "akidb_parquet_options", err);
    if (status != AKIDB_OK)
        return status;
    if (dimension < 1 || dimension > AKIDB_DIMENSION_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION, "dimension: expected 1 to %u, found %u",
                       AKIDB_DIMENSION_MAX, dimension);
    status = set_codec(settings_out, &copy, err);
    if (status == AKIDB_OK)
        status = set_sizes(settings_out, &copy, err);
    if (status == AKIDB_OK)
        status = set_choices(settings_out, &copy, err);
    if (status == AKIDB_OK)
        status = set_profile(settings_out, &copy, err);
    return status;
}
