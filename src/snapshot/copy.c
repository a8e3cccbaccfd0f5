/* Copying a snapshot to another store, byte by byte. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "parquet/again.h"
#include "snapshot/metadata.h"
#include "snapshot/part.h"
#include "snapshot/ranges.h"
#include "snapshot/snapshotter.h"
#include "snapshot/writer.h"

typedef struct copying {
    akidb_snapshotter *snapshotter;
    akidb_store *to;
    const akidb_snapshot_metadata *metadata;
    akidb_copy_report *report;
    uint8_t *piece;
    uint64_t bytes_before; /* of the parts that are done */
    const akidb_snapshot_part *part;
    uint64_t bytes_done;  /* of this one */
    akidb_output *output; /* NULL: only compare */
} copying;

/* Hands a piece that was read on to where it goes. */
static akidb_status pass_on(void *context, const uint8_t *bytes, size_t size, akidb_error *err)
{
    copying *c = context;
    if (c->output != NULL) {
        const akidb_slice slice = {bytes, size};
        akidb_status status = akidb_output_write(c->output, &slice, 1, err);
        if (status != AKIDB_OK)
            return status;
    }
    c->bytes_done += size;
    akidb_progress progress = {
        .bytes_done = c->bytes_before + c->bytes_done,
        .bytes_total = c->metadata->size_bytes,
    };
    return ak_snapshotter_progress(c->snapshotter, &progress, err);
}

/* All ranges of a part, in the order of its bytes, without gaps. */
static akidb_status read_ranges(copying *c, const akidb_input *input,
                                const akidb_parquet_summary *summary, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    if (c->metadata->format == AKIDB_FORMAT_PARQUET)
        status = ak_range_read(input, &ak_parquet_magic, c->piece, pass_on, c, err);
    for (size_t i = 0; status == AKIDB_OK && i < summary->row_group_count; i++)
        status = ak_range_read(input, &summary->row_groups[i].all, c->piece, pass_on, c, err);
    if (status == AKIDB_OK)
        status = ak_range_read(input, &summary->tail, c->piece, pass_on, c, err);
    if (status == AKIDB_OK && c->bytes_done != summary->file.size)
        status = ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(c->metadata->key),
                            "parts: ranges of %s: expected %" PRIu64 " bytes, found %" PRIu64,
                            input->name, summary->file.size, c->bytes_done);
    return status;
}

/* A part without checksums: all that can be said is its size. */
static akidb_status read_unchecked(copying *c, const akidb_input *input, akidb_store *store,
                                   akidb_error *err)
{
    akidb_object_info info;
    akidb_status status = akidb_store_head(store, input->name, &info, err);
    if (status == AKIDB_OK && info.size != input->size)
        status = ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(input->name),
                            "expected %" PRIu64 " bytes, as the metadata has it, found %" PRIu64,
                            input->size, info.size);
    while (status == AKIDB_OK && c->bytes_done < input->size) {
        uint64_t left = input->size - c->bytes_done;
        size_t size = left < AK_PIECE_BYTES ? (size_t)left : AK_PIECE_BYTES;
        status = akidb_input_read_at(input, c->bytes_done, c->piece, size, err);
        if (status == AKIDB_OK)
            status = pass_on(c, c->piece, size, err);
    }
    return status;
}

/* Reads a part out of `store` and compares it with its checksums, if it has any. */
static akidb_status read_part(copying *c, akidb_store *store, const akidb_snapshot_part *part,
                              akidb_output *output, akidb_error *err)
{
    ak_part_input source;
    akidb_input input = ak_part_input_open(&source, store, part->key, part->summary.file.size);
    c->output = output;
    c->bytes_done = 0;
    akidb_status status = c->metadata->checked ? read_ranges(c, &input, &part->summary, err)
                                               : read_unchecked(c, &input, store, err);
    akidb_input_close(&input);
    return status;
}

/* ---- parts ----------------------------------------------------------------------------------- */

/* Whether an earlier copy left the part, whole. One that gc could take before the metadata is there
 * is not counted on. */
static akidb_status is_there(copying *c, const akidb_snapshot_part *part, bool *result_out,
                             akidb_error *err)
{
    akidb_object_info info;
    akidb_error cause = {0};
    *result_out = false;
    akidb_status status = akidb_store_head(c->to, part->key, &info, &cause);
    if (status == AKIDB_E_NOT_FOUND)
        return AKIDB_OK;
    int64_t young = ak_snapshotter_now(c->snapshotter) - AKIDB_GC_AGE_DEFAULT / 2;
    if (status == AKIDB_OK &&
        (!c->metadata->checked || info.modified_at < young || info.size != part->summary.file.size))
        return AKIDB_OK;
    if (status == AKIDB_OK)
        status = read_part(c, c->to, part, NULL, &cause);
    *result_out = status == AKIDB_OK;
    if (status == AKIDB_OK || status == AKIDB_E_CORRUPTION || status == AKIDB_E_NOT_FOUND)
        return AKIDB_OK;
    if (err != NULL)
        *err = cause;
    return status;
}

/* An ak_read_function over a copying: what was sent of a part that is found damaged is forgotten.
 */
static akidb_status send_part(void *context, akidb_error *err)
{
    copying *c = context;
    const akidb_snapshot_part *part = c->part;
    ak_sink sink = {0};
    ak_sink_begin(&sink, c->to, part->key);
    akidb_output output = ak_sink_output(&sink);
    bool deleted;
    akidb_status status = read_part(c, c->snapshotter->store, part, &output, err);
    if (status == AKIDB_E_NOT_FOUND)
        status = ak_part_is_missing(c->snapshotter, c->metadata, part, &deleted, err);
    if (status == AKIDB_OK)
        status = ak_part_failure(ak_sink_commit(&sink, err), err);
    else
        ak_sink_abort(&sink);
    if (status == AKIDB_OK) {
        c->report->parts_copied++;
        c->report->bytes_copied += part->summary.file.size;
    }
    return status;
}

static akidb_status copy_parts(copying *c, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    for (size_t i = 0; status == AKIDB_OK && i < c->metadata->part_count; i++) {
        const akidb_snapshot_part *part = &c->metadata->parts[i];
        bool there;
        c->part = part;
        status = is_there(c, part, &there, err);
        if (status == AKIDB_OK && there)
            c->report->parts_kept++;
        else if (status == AKIDB_OK)
            status = ak_read_again(send_part, c, &c->snapshotter->log_only, err);
        c->bytes_before += part->summary.file.size;
    }
    return status;
}

/* ---- metadata -------------------------------------------------------------------------------- */

static akidb_status look_for_metadata(const copying *c, akidb_slice text, akidb_error *err)
{
    akidb_buffer stored = {0};
    akidb_error cause = {0};
    const char *key = c->metadata->key;
    akidb_status status = akidb_store_get(c->to, key, text.size, &stored, &cause);
    bool is_same = status == AKIDB_OK && stored.size == text.size &&
                   memcmp(stored.data, text.data, text.size) == 0;
    akidb_buffer_free(&stored);
    c->report->was_there = is_same;
    if (is_same || status == AKIDB_E_NOT_FOUND)
        return AKIDB_OK;
    if (status == AKIDB_OK || status == AKIDB_E_LIMIT)
        return ak_fail_at(err, AKIDB_E_ALREADY_EXISTS, AK_IN(key),
                          "expected nothing or the same snapshot in %s, found another",
                          akidb_store_name(c->to));
    if (err != NULL)
        *err = cause;
    return status;
}

static akidb_status copy(copying *c, akidb_error *err)
{
    const akidb_slice text = {c->metadata->text, strlen(c->metadata->text)};
    akidb_status status = look_for_metadata(c, text, err);
    if (status != AKIDB_OK || c->report->was_there)
        return status;
    c->piece = malloc(AK_PIECE_BYTES);
    if (c->piece == NULL)
        return ak_fail_memory(err, AK_PIECE_BYTES);
    status = copy_parts(c, err);
    free(c->piece);
    bool absent;
    return status == AKIDB_OK ? ak_commit_metadata(c->to, c->metadata->key, text, &absent, err)
                              : status;
}

akidb_status akidb_snapshot_copy(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                 const akidb_uuid *snapshot_id, akidb_store *to,
                                 akidb_copy_report *report_out, akidb_error *err)
{
    akidb_copy_report report = {0};
    if (report_out != NULL)
        *report_out = report;
    if (to == NULL)
        return ak_fail(err, AKIDB_E_VALIDATION, "copy: expected a store to copy to, found NULL");
    akidb_snapshot_metadata *metadata;
    akidb_status status = ak_metadata_find(snapshotter, collection_id, snapshot_id, &metadata, err);
    if (status != AKIDB_OK)
        return status;
    copying c = {.snapshotter = snapshotter, .to = to, .metadata = metadata, .report = &report};
    status = copy(&c, err);
    akidb_snapshot_metadata_free(metadata);
    if (status == AKIDB_OK && report_out != NULL)
        *report_out = report;
    return status;
}
