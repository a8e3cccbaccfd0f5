/* Writing a snapshot: documents into parts, parts into the store, and at the end the metadata. */
#include "snapshot/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "base/options.h"
#include "document/new_ids.h"
#include "document/unique_ids.h"
#include "parquet/batch_check.h"
#include "snapshot/format.h"
#include "snapshot/keys.h"
#include "snapshot/metadata.h"
#include "snapshot/part.h"
#include "snapshot/slice.h"

struct akidb_snapshot_writer {
    akidb_snapshotter *snapshotter;
    akidb_snapshot_metadata metadata; /* what is known so far; parts and labels are owned */
    akidb_snapshot_part *parts;       /* stored ones; also in metadata.parts at the commit */
    size_t part_count, part_capacity;
    bool allow_empty;
    bool failed; /* only abort is left */
    uint64_t rows_hint;
    int64_t begun_at;
    ak_writer_settings settings; /* of every part; also what batches are checked for */
    ak_id_sequence new_ids;
    ak_unique_ids *unique; /* NULL: the caller is trusted */

    /* the part that is being written */
    bool folder;
    const ak_format_ops *format;
    ak_part_target target;
    void *part; /* NULL: none */
    ak_sink sink;
    uint64_t part_rows;
};

static akidb_status report(const akidb_snapshot_writer *writer, akidb_error *err)
{
    akidb_progress progress = {
        .rows_done = writer->metadata.vector_count,
        .rows_total = writer->rows_hint,
        .bytes_done = writer->metadata.size_bytes + writer->sink.size,
    };
    return ak_snapshotter_progress(writer->snapshotter, &progress, err);
}

/* Row groups can be so large that one append takes long: tells of every write within it too. */
static akidb_status watch_sink(void *context, akidb_error *err)
{
    return report(context, err);
}

/* ---- parts ----------------------------------------------------------------------------------- */

static void part_key(const akidb_snapshot_writer *writer, char key[AK_KEY_SIZE])
{
    const akidb_snapshot_metadata *metadata = &writer->metadata;
    if (writer->folder)
        ak_key_folder_part(&metadata->collection_id, &metadata->snapshot_id,
                           (uint32_t)writer->part_count, key);
    else
        ak_key_single_part(&metadata->collection_id, &metadata->snapshot_id, metadata->format,
                           metadata->compression, key);
}

/* One file was chosen, by a count of rows that turned out too low or texts that turned out long:
 * moves it to where the first of several belongs. */
static akidb_status move_to_folder(akidb_snapshot_writer *writer, akidb_error *err)
{
    akidb_store *store = writer->snapshotter->store;
    akidb_snapshot_metadata *metadata = &writer->metadata;
    char key[AK_KEY_SIZE];
    ak_key_folder_part(&metadata->collection_id, &metadata->snapshot_id, 0, key);
    char *copy = strdup(key);
    if (copy == NULL)
        return ak_fail_memory(err, sizeof key);
    char *single = (char *)writer->parts[0].key;
    akidb_status status = akidb_store_copy(store, single, key, AKIDB_PUT_ALWAYS, err);
    if (status != AKIDB_OK) {
        free(copy);
        ak_delete_leftover(writer->snapshotter, key);
        return ak_part_failure(status, err);
    }
    writer->parts[0].key = copy;
    writer->folder = true;
    ak_delete_leftover(writer->snapshotter, single);
    free(single);
    return AKIDB_OK;
}

static akidb_status check_another_part(akidb_snapshot_writer *writer, akidb_error *err)
{
    if (writer->part_count == 0)
        return AKIDB_OK;
    if (writer->snapshotter->layout == AKIDB_LAYOUT_FILE)
        return ak_fail(err, AKIDB_E_LIMIT,
                       "layout file: expected what fits into one part, found more after %" PRIu64
                       " documents and %" PRIu64 " bytes",
                       writer->metadata.vector_count, writer->metadata.size_bytes);
    if (writer->part_count >= AK_PARTS_MAX)
        return ak_fail(err, AKIDB_E_LIMIT, "expected at most %d parts, found more", AK_PARTS_MAX);
    return writer->folder ? AKIDB_OK : move_to_folder(writer, err);
}

static akidb_status open_part(akidb_snapshot_writer *writer, akidb_error *err)
{
    akidb_status status = check_another_part(writer, err);
    if (status != AKIDB_OK)
        return status;
    char key[AK_KEY_SIZE];
    part_key(writer, key);
    ak_sink_begin(&writer->sink, writer->snapshotter->store, key);
    writer->sink.watch = watch_sink;
    writer->sink.context = writer;
    writer->target.output = ak_sink_output(&writer->sink);
    writer->part_rows = 0;
    return writer->format->writer_open(&writer->target, &writer->part, err);
}

/* Notes the part that is being written as one to be removed if the snapshot fails. */
static akidb_status add_part(akidb_snapshot_writer *writer, const akidb_parquet_summary *summary,
                             akidb_error *err)
{
    void *parts = writer->parts;
    akidb_status status = ak_array_reserve(&parts, &writer->part_capacity, writer->part_count + 1,
                                           sizeof *writer->parts, err);
    writer->parts = parts;
    if (status != AKIDB_OK)
        return status;
    size_t size = summary->row_group_count * sizeof *summary->row_groups;
    akidb_snapshot_part part = {strdup(writer->sink.key), *summary};
    akidb_parquet_row_group_summary *groups = malloc(size == 0 ? 1 : size);
    part.summary.row_groups = groups;
    if (part.key == NULL || groups == NULL) {
        free((char *)part.key);
        free(groups);
        return ak_fail_memory(err, size);
    }
    if (size > 0)
        memcpy(groups, summary->row_groups, size);
    writer->parts[writer->part_count++] = part;
    return AKIDB_OK;
}

/* Ends the part and makes it durable. */
static akidb_status finish_part(akidb_snapshot_writer *writer, akidb_error *err)
{
    akidb_parquet_summary summary;
    akidb_status status = writer->format->finish(writer->part, &summary, err);
    if (status == AKIDB_OK)
        status = add_part(writer, &summary, err);
    if (status == AKIDB_OK)
        status = ak_sink_commit(&writer->sink, err);
    if (status != AKIDB_OK)
        return status;
    writer->metadata.size_bytes += summary.file.size;
    if (writer->format->settings != NULL) /* the parts to come are stored as the first one is */
        writer->settings = *writer->format->settings(writer->part);
    writer->format->writer_free(writer->part);
    writer->part = NULL;
    return AKIDB_OK;
}

/* ---- begin ----------------------------------------------------------------------------------- */

static void writer_free(akidb_snapshot_writer *writer)
{
    if (writer->part != NULL)
        writer->format->writer_free(writer->part);
    ak_sink_abort(&writer->sink);
    ak_unique_ids_free(writer->unique);
    ak_labels_free((akidb_label *)writer->metadata.labels, writer->metadata.label_count);
    for (size_t i = 0; i < writer->part_count; i++) {
        free((char *)writer->parts[i].key);
        free((akidb_parquet_row_group_summary *)writer->parts[i].summary.row_groups);
    }
    free(writer->parts);
    free(writer);
}

void akidb_snapshot_abort(akidb_snapshot_writer *writer)
{
    if (writer == NULL)
        return;
    ak_sink_abort(&writer->sink);
    for (size_t i = 0; i < writer->part_count; i++)
        ak_delete_leftover(writer->snapshotter, writer->parts[i].key);
    writer_free(writer);
}

/* Whether all fits into one part, as far as the caller told how much will come. */
static bool fits_one_part(const akidb_snapshotter *snapshotter, uint32_t dimension,
                          const ak_begin_options *options)
{
    enum { OTHER_COLUMNS = 64 }; /* ids, times and short texts: a guess */
    uint64_t rows = options->create.rows_hint;
    uint64_t bytes = options->bytes_hint;
    if (bytes == 0 && !ak_mul_u64(rows, (uint64_t)dimension * 4 + OTHER_COLUMNS, &bytes))
        bytes = UINT64_MAX;
    return rows > 0 && rows <= snapshotter->part_rows && bytes <= snapshotter->part_bytes;
}

static bool choose_folder(const akidb_snapshotter *snapshotter, uint32_t dimension,
                          const ak_begin_options *options)
{
    if (snapshotter->format == AKIDB_FORMAT_JSON || snapshotter->layout == AKIDB_LAYOUT_FILE)
        return false;
    return snapshotter->layout == AKIDB_LAYOUT_FOLDER ||
           !fits_one_part(snapshotter, dimension, options);
}

/* JSON holds every time to the microsecond and knows no row groups; what its batches are checked
 * for is what Parquet's are. */
static akidb_status make_settings(akidb_snapshot_writer *writer, akidb_error *err)
{
    akidb_parquet_options options = {.struct_size = sizeof options};
    if (writer->metadata.format == AKIDB_FORMAT_PARQUET)
        options = writer->snapshotter->parquet;
    options.time_unit = writer->target.time_unit;
    if (options.bloom_filter == AKIDB_DEFAULT)
        options.bloom_filter = AKIDB_ON;
    writer->target.settings = &writer->settings;
    akidb_status status =
        ak_writer_settings_make(&writer->settings, writer->target.dimension, &options, err);
    writer->settings.temporary_folder = writer->snapshotter->temporary_folder;
    return status;
}

static akidb_status fill_metadata(akidb_snapshot_writer *writer, const akidb_uuid *collection_id,
                                  uint32_t dimension, const ak_begin_options *options,
                                  akidb_error *err)
{
    const akidb_snapshotter *snapshotter = writer->snapshotter;
    akidb_snapshot_metadata *metadata = &writer->metadata;
    metadata->collection_id = *collection_id;
    metadata->dimension = dimension;
    metadata->compression = snapshotter->parquet.compression;
    metadata->format = snapshotter->format;
    metadata->created_at = options->created_at != NULL ? *options->created_at : writer->begun_at;
    snprintf(metadata->writer_version, sizeof metadata->writer_version, "akidb %s",
             AKIDB_VERSION_STRING);
    if (metadata->created_at < AKIDB_TIME_MIN || metadata->created_at > AKIDB_TIME_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "created_at: expected a time of the years 1 to 9999, found %" PRId64
                       " microseconds; is the clock set?",
                       metadata->created_at);
    metadata->has_lineage = options->lineage != NULL;
    if (options->lineage != NULL) {
        metadata->log_id = options->lineage->log_id;
        metadata->incarnation = options->lineage->incarnation;
        metadata->lsn = options->lineage->lsn;
    }
    akidb_status status = akidb_uuid_new_v4(&metadata->snapshot_id, err);
    if (status == AKIDB_OK)
        status = akidb_uuid_new_v4(&metadata->writer_id, err);
    akidb_label *labels = NULL;
    if (status == AKIDB_OK)
        status = ak_labels_copy(options->create.labels, options->create.label_count, &labels, err);
    metadata->labels = labels;
    metadata->label_count = labels == NULL ? 0 : options->create.label_count;
    return status;
}

akidb_status ak_snapshot_begin(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                               uint32_t dimension, const ak_begin_options *options,
                               akidb_snapshot_writer **writer_out, akidb_error *err)
{
    *writer_out = NULL;
    akidb_snapshot_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return ak_fail_memory(err, sizeof *writer);
    writer->snapshotter = snapshotter;
    writer->format = ak_format_of(snapshotter->format);
    writer->allow_empty = options->create.allow_empty;
    writer->rows_hint = options->create.rows_hint;
    writer->begun_at = ak_snapshotter_now(snapshotter);
    writer->folder = choose_folder(snapshotter, dimension, options);
    writer->target.snapshotter = snapshotter;
    writer->target.dimension = dimension;
    writer->target.time_unit = snapshotter->parquet.time_unit;
    if (options->time_unit != AKIDB_TIME_UNIT_DEFAULT)
        writer->target.time_unit = options->time_unit;
    if (snapshotter->format == AKIDB_FORMAT_JSON)
        writer->target.time_unit = AKIDB_TIME_UNIT_MICROS;
    akidb_status status = fill_metadata(writer, collection_id, dimension, options, err);
    if (status == AKIDB_OK)
        status = make_settings(writer, err);
    if (status == AKIDB_OK && !options->create.trust_ids)
        status = ak_unique_ids_new(snapshotter->temporary_folder, 0, &writer->unique, err);
    if (status == AKIDB_OK)
        status = open_part(writer, err);
    if (status != AKIDB_OK) {
        writer_free(writer);
        return status;
    }
    *writer_out = writer;
    return AKIDB_OK;
}

akidb_status akidb_snapshot_begin(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                  uint32_t dimension, const akidb_create_options *options,
                                  akidb_snapshot_writer **writer_out, akidb_error *err)
{
    *writer_out = NULL;
    ak_begin_options own = {0};
    akidb_status status =
        ak_options_copy(&own.create, sizeof own.create, options, "akidb_create_options", err);
    return status != AKIDB_OK
               ? status
               : ak_snapshot_begin(snapshotter, collection_id, dimension, &own, writer_out, err);
}

/* ---- append ---------------------------------------------------------------------------------- */

/* Columns that the caller left to us. */
typedef struct made_columns {
    akidb_uuid *ids;
    int64_t *times;
} made_columns;

static akidb_status make_ids(akidb_snapshot_writer *writer, akidb_batch *batch, made_columns *made,
                             akidb_error *err)
{
    if (batch->document_ids != NULL)
        return AKIDB_OK;
    made->ids = calloc(batch->rows, sizeof *made->ids);
    if (made->ids == NULL)
        return ak_fail_memory(err, batch->rows * sizeof *made->ids);
    batch->document_ids = made->ids;
    return ak_id_sequence_take(&writer->new_ids, ak_snapshotter_now(writer->snapshotter), made->ids,
                               batch->rows, err);
}

static akidb_status make_times(const akidb_snapshot_writer *writer, akidb_batch *batch,
                               made_columns *made, akidb_error *err)
{
    if (batch->inserted_at != NULL)
        return AKIDB_OK;
    made->times = calloc(batch->rows, sizeof *made->times);
    if (made->times == NULL)
        return ak_fail_memory(err, batch->rows * sizeof *made->times);
    int64_t now = ak_snapshotter_now(writer->snapshotter);
    if (writer->settings.unit == AK_UNIT_MILLIS)
        now -= ((now % 1000) + 1000) % 1000;
    for (size_t i = 0; i < batch->rows; i++)
        made->times[i] = now;
    batch->inserted_at = made->times;
    return AKIDB_OK;
}

/* About the bytes of a row on average; at least 1. */
static uint64_t raw_row_bytes(const akidb_batch *batch)
{
    enum { FIXED = 16 + 4 + 8 };
    uint64_t texts = 0;
    if (batch->external_ids.offsets != NULL)
        texts += batch->external_ids.offsets[batch->rows] - batch->external_ids.offsets[0];
    if (batch->metadata.offsets != NULL)
        texts += batch->metadata.offsets[batch->rows] - batch->metadata.offsets[0];
    return FIXED + (uint64_t)batch->dimension * sizeof(float) + texts / batch->rows;
}

/* How many further rows the part takes before the next look at its size: whole row groups, one for
 * each thread; 0 when it is full. `row_bytes` are a row's. */
static uint64_t part_room(const akidb_snapshot_writer *writer, uint64_t row_bytes)
{
    const akidb_snapshotter *snapshotter = writer->snapshotter;
    if (writer->metadata.format == AKIDB_FORMAT_JSON)
        return UINT64_MAX; /* always one part */
    uint64_t group = writer->settings.row_group_size;
    uint64_t begun = writer->part_rows % group; /* rows of a row group that is not full */
    uint64_t room = group * snapshotter->parquet.threads - begun;
    uint64_t left = snapshotter->part_rows - writer->part_rows;
    if (room > left)
        room = left;
    /* Rows of the begun row group have not been written yet. */
    uint64_t size = writer->format->size(writer->part) + begun * row_bytes;
    uint64_t bytes_left = size < snapshotter->part_bytes ? snapshotter->part_bytes - size : 0;
    uint64_t fit = bytes_left / row_bytes;
    if (room <= fit)
        return room;
    uint64_t whole = (begun + fit) / group * group; /* cut where a row group ends */
    if (whole > begun)
        return whole - begun;
    if (begun == 0 && writer->part_rows > 0)
        return 0;
    return group - begun < left ? group - begun : left;
}

/* Writes a valid batch, with ids and times, into as many parts as it takes. */
static akidb_status write_rows(akidb_snapshot_writer *writer, const akidb_batch *batch, bool last,
                               akidb_error *err)
{
    ak_batch_slice slice = {0};
    uint64_t row_bytes = raw_row_bytes(batch);
    akidb_status status = AKIDB_OK;
    size_t row = 0;
    while (row < batch->rows && status == AKIDB_OK) {
        if (writer->part == NULL)
            status = open_part(writer, err);
        uint64_t room = status == AKIDB_OK ? part_room(writer, row_bytes) : 0;
        size_t rows = batch->rows - row < room ? batch->rows - row : (size_t)room;
        bool ends = last && row + rows == batch->rows;
        if (status == AKIDB_OK && rows > 0)
            status = ak_batch_slice_take(&slice, batch, row, rows, err);
        if (status == AKIDB_OK && rows > 0)
            status = writer->format->append(writer->part, &slice.batch, ends, err);
        if (status == AKIDB_OK && rows == 0)
            status = finish_part(writer, err);
        if (status != AKIDB_OK)
            break;
        row += rows;
        writer->part_rows += rows;
        writer->metadata.vector_count += rows;
        status = report(writer, err);
    }
    ak_batch_slice_free(&slice);
    return status;
}

static akidb_status append(akidb_snapshot_writer *writer, const akidb_batch *batch, bool last,
                           akidb_error *err)
{
    if (writer->failed)
        return ak_fail(err, AKIDB_E_PRECONDITION,
                       "snapshot writer: an earlier call has failed, only abort is left");
    if (batch == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "batch: expected documents, found NULL");
    if (batch->rows == 0 && batch->dimension == writer->target.dimension)
        return report(writer, err);
    akidb_status status =
        ak_check_batch(batch, &writer->settings, writer->metadata.vector_count, err);
    if (status != AKIDB_OK)
        return status;
    akidb_batch whole = *batch;
    made_columns made = {0};
    status = make_ids(writer, &whole, &made, err);
    if (status == AKIDB_OK)
        status = make_times(writer, &whole, &made, err);
    if (status == AKIDB_OK && writer->unique != NULL)
        status = ak_unique_ids_add(writer->unique, whole.document_ids, whole.rows, err);
    if (status == AKIDB_OK)
        status = write_rows(writer, &whole, last, err);
    free(made.ids);
    free(made.times);
    writer->failed = status != AKIDB_OK;
    return status;
}

akidb_status akidb_snapshot_append(akidb_snapshot_writer *writer, const akidb_batch *batch,
                                   akidb_error *err)
{
    return append(writer, batch, false, err);
}

akidb_status ak_snapshot_append_last(akidb_snapshot_writer *writer, const akidb_batch *batch,
                                     akidb_error *err)
{
    return append(writer, batch, true, err);
}

/* ---- commit ---------------------------------------------------------------------------------- */

/* Someone else's gc takes parts without a snapshot for leftovers once they are old, and how old its
 * caller decides. A writer that was slow, or whose clock was set back meanwhile, looks whether its
 * parts are still there; one look for each costs nothing beside an hour's work. */
static akidb_status check_parts_are_there(const akidb_snapshot_writer *writer, akidb_error *err)
{
    static const int64_t hour = INT64_C(3600) * 1000000;
    int64_t now = ak_snapshotter_now(writer->snapshotter), took;
    if (!__builtin_sub_overflow(now, writer->begun_at, &took) && took >= 0 && took <= hour)
        return AKIDB_OK;
    for (size_t i = 0; i < writer->part_count; i++) {
        const akidb_snapshot_part *part = &writer->parts[i];
        akidb_object_info info;
        akidb_status status = akidb_store_head(writer->snapshotter->store, part->key, &info, err);
        if (status == AKIDB_E_NOT_FOUND)
            return ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(part->key),
                              "expected a part that was written long ago, found none: removed as a "
                              "leftover before the commit");
        if (status != AKIDB_OK)
            return status;
        if (info.size != part->summary.file.size)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(part->key),
                              "expected the %" PRIu64 " bytes that were written, found %" PRIu64,
                              part->summary.file.size, info.size);
    }
    return AKIDB_OK;
}

/* Everything that must hold before the metadata may be put. */
static akidb_status finish(akidb_snapshot_writer *writer, akidb_error *err)
{
    if (writer->failed)
        return ak_fail(err, AKIDB_E_PRECONDITION,
                       "snapshot writer: an earlier call has failed, only abort is left");
    if (writer->metadata.vector_count == 0 && !writer->allow_empty)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "snapshot: expected at least one document, found none; the option "
                       "allow_empty permits it");
    akidb_status status = AKIDB_OK;
    if (writer->unique != NULL)
        status = ak_unique_ids_finish(writer->unique, err);
    if (status == AKIDB_OK && writer->part != NULL)
        status = finish_part(writer, err);
    if (status == AKIDB_OK)
        status = report(writer, err);
    return status != AKIDB_OK ? status : check_parts_are_there(writer, err);
}

/* What a profile's codec is called among the options. */
static akidb_compression compression_of(ak_codec codec)
{
    switch (codec) {
    case AK_CODEC_SNAPPY: return AKIDB_COMPRESSION_SNAPPY;
    case AK_CODEC_ZSTD: return AKIDB_COMPRESSION_ZSTD;
    case AK_CODEC_LZ4_RAW: return AKIDB_COMPRESSION_LZ4;
    case AK_CODEC_GZIP: return AKIDB_COMPRESSION_GZIP;
    default: return AKIDB_COMPRESSION_NONE;
    }
}

/* Makes the metadata's text, and reads it as everybody will before anybody does. */
static akidb_status make_metadata(akidb_snapshot_writer *writer, akidb_buffer *text,
                                  akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    char key[AK_KEY_SIZE];
    akidb_snapshot_metadata *metadata = &writer->metadata;
    metadata->parts = writer->parts;
    metadata->part_count = writer->part_count;
    if (writer->settings.profile != AKIDB_PROFILE_NONE) {
        metadata->profile = akidb_profile_name(writer->settings.profile);
        metadata->profile_choice = writer->settings.choice;
        metadata->compression = compression_of(writer->settings.vector_codec);
    }
    ak_key_metadata(&metadata->collection_id, &metadata->snapshot_id, key);
    akidb_status status = ak_metadata_write(metadata, text, err);
    if (status != AKIDB_OK)
        return status;
    if (text->size > AK_METADATA_BYTES_MAX)
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(key),
                          "metadata: expected at most %" PRIu64 " bytes, found %zu",
                          AK_METADATA_BYTES_MAX, text->size);
    return ak_metadata_read(key, (akidb_slice){text->data, text->size}, metadata_out, err);
}

akidb_status akidb_snapshot_commit(akidb_snapshot_writer *writer, akidb_uuid *snapshot_id_out,
                                   akidb_snapshot_metadata **metadata_out, akidb_error *err)
{
    if (snapshot_id_out != NULL)
        *snapshot_id_out = (akidb_uuid){{0}};
    if (metadata_out != NULL)
        *metadata_out = NULL;
    akidb_buffer text = {0};
    akidb_snapshot_metadata *metadata = NULL;
    bool absent = true;
    akidb_status status = finish(writer, err);
    if (status == AKIDB_OK)
        status = make_metadata(writer, &text, &metadata, err);
    if (status == AKIDB_OK)
        status = ak_commit_metadata(writer->snapshotter->store, metadata->key,
                                    (akidb_slice){text.data, text.size}, &absent, err);
    akidb_buffer_free(&text);
    if (status != AKIDB_OK) {
        akidb_snapshot_metadata_free(metadata);
        if (absent)
            akidb_snapshot_abort(writer);
        else
            writer_free(writer);
        return status;
    }
    if (snapshot_id_out != NULL)
        *snapshot_id_out = metadata->snapshot_id;
    if (metadata_out != NULL)
        *metadata_out = metadata;
    else
        akidb_snapshot_metadata_free(metadata);
    writer_free(writer);
    return AKIDB_OK;
}
