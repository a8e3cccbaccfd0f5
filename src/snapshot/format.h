#ifndef AK_SNAPSHOT_FORMAT_H
#define AK_SNAPSHOT_FORMAT_H
/* What a snapshot format does with one part. Everything around it (parts, metadata, commit, filter
 * of rows, progress) is the same for all. */
#include "akidb/snapshot.h"
#include "akidb/sys/input.h"
#include "akidb/sys/output.h"
#include "parquet/writer_options.h"
#include "snapshot/filter.h"
#include "snapshot/snapshotter.h"

/* Where a part goes. */
typedef struct ak_part_target {
    const akidb_snapshotter *snapshotter;
    akidb_output output;
    uint32_t dimension;
    akidb_time_unit time_unit;
    const ak_writer_settings *settings; /* for Parquet; borrowed until the part is finished */
} ak_part_target;

/* Where a part comes from. All borrowed until the reader is closed. */
typedef struct ak_part_source {
    const akidb_input *input;
    const akidb_snapshot_metadata *metadata;
    const akidb_snapshot_part *part;
    const ak_filter *filter;
    unsigned threads;
    bool thorough; /* compare every checksum, also those that tell the same again */
    const akidb_hooks *hooks;
} ak_part_source;

typedef struct ak_format_ops {
    /* The target is copied. */
    akidb_status (*writer_open)(const ak_part_target *target, void **writer_out, akidb_error *err);
    /* Adds a valid batch with ids and times; `last` promises that no other follows. */
    akidb_status (*append)(void *writer, const akidb_batch *batch, bool last, akidb_error *err);
    /* Bytes handed to the output so far. */
    uint64_t (*size)(const void *writer);
    /* The summary's row groups live as long as the writer. */
    akidb_status (*finish)(void *writer, akidb_parquet_summary *summary_out, akidb_error *err);
    /* The target's settings with what the first documents have decided. NULL: nothing is. */
    const ak_writer_settings *(*settings)(const void *writer);
    void (*writer_free)(void *writer);

    akidb_status (*reader_open)(const ak_part_source *source, void **reader_out, akidb_error *err);
    /* Appends the documents of up to `groups` further row groups, or about as many, those left out
     * that the filter rules out as a whole; all that is appended has been checked. *done_out is
     * true after the last. */
    akidb_status (*next)(void *reader, size_t groups, akidb_documents *documents, bool *done_out,
                         akidb_error *err);
    void (*reader_close)(void *reader);
} ak_format_ops;

extern const ak_format_ops ak_format_parquet;
extern const ak_format_ops ak_format_json;

/* The table of a format that is not DEFAULT. */
const ak_format_ops *ak_format_of(akidb_snapshot_format format);

#endif
