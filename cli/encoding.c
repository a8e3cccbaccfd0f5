#include "encoding.h"

/* The option that was given and means nothing for JSON, or NULL. */
static const char *parquet_only(const cli_encoding *encoding)
{
    return encoding->profile != 0           ? "profile"
           : encoding->vector_encoding != 0 ? "vector-encoding"
           : encoding->row_group_size.set   ? "row-group-size"
           : encoding->page_size.set        ? "page-size"
           : encoding->no_dictionary        ? "no-dictionary"
           : encoding->part_rows.set        ? "part-rows"
           : encoding->layout != 0          ? "layout"
                                            : NULL;
}

int cli_encoding_apply(cli *session, const cli_encoding *encoding, akidb_snapshot_format format,
                       akidb_snapshotter_options *options, akidb_parquet_options *parquet)
{
    if (format == AKIDB_FORMAT_JSON) {
        const char *name = parquet_only(encoding);
        if (name != NULL)
            return cli_usage(session, "--%s is for Parquet, not for JSON", name);
        if (encoding->compression.codec == AKIDB_COMPRESSION_LZ4)
            return cli_usage(session, "--compression lz4 is not offered for JSON; "
                                      "use none, snappy, zstd or gzip");
    }
    options->format = format;
    options->layout = (akidb_layout)encoding->layout;
    options->part_rows = encoding->part_rows.value;
    options->parquet = parquet;
    *parquet = (akidb_parquet_options){
        .struct_size = sizeof *parquet,
        .compression = (akidb_compression)encoding->compression.codec,
        .compression_level = encoding->compression.level,
        .row_group_size = (uint32_t)encoding->row_group_size.value,
        .page_bytes = (uint32_t)encoding->page_size.value,
        .enable_dictionary = encoding->no_dictionary ? AKIDB_OFF : AKIDB_DEFAULT,
        .vector_encoding = (akidb_vector_encoding)encoding->vector_encoding,
        .threads = (unsigned)session->threads.value,
        .profile = (akidb_profile)encoding->profile,
    };
    return CLI_DONE;
}
