/* Looking whether a snapshot is what was written. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/error.h"
#include "document/documents.h"
#include "parquet/again.h"
#include "snapshot/part.h"
#include "snapshot/ranges.h"
#include "snapshot/reader.h"

typedef struct verification {
    akidb_snapshotter *snapshotter;
    const akidb_snapshot_metadata *metadata;
    akidb_verify_level level;
    akidb_verify_report *report;
} verification;

/* What a failure says about the snapshot; false when it says nothing and is the call's own: memory
 * that ran out, a caller who asked to stop, data that this version does not read. */
static bool outcome_of(akidb_status status, akidb_verify_outcome *outcome_out)
{
    switch (status) {
    case AKIDB_E_CORRUPTION:
    case AKIDB_E_VALIDATION: *outcome_out = AKIDB_VERIFY_CORRUPT; return true;
    case AKIDB_E_IO:
    case AKIDB_E_STORE:
    case AKIDB_E_PERMISSION:
    case AKIDB_E_TIMEOUT:
    case AKIDB_E_UNCERTAIN: *outcome_out = AKIDB_VERIFY_UNREACHABLE; return true;
    default: return false;
    }
}

/* Notes an outcome; of several the worst stays, with the first problem of that kind. */
static void note(akidb_verify_report *report, akidb_verify_outcome outcome,
                 const akidb_error *problem)
{
    if (outcome <= report->outcome)
        return;
    report->outcome = outcome;
    report->problem = *problem;
}

static akidb_status report_progress(const verification *v, akidb_error *err)
{
    akidb_progress progress = {
        .rows_done = v->report->rows_decoded,
        .rows_total = v->metadata->vector_count,
        .bytes_done = v->report->bytes_read,
        .bytes_total = v->metadata->size_bytes,
    };
    return ak_snapshotter_progress(v->snapshotter, &progress, err);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static akidb_status count_piece(void *context, const uint8_t *bytes, size_t size, akidb_error *err)
{
    const verification *v = context;
    (void)bytes;
    v->report->bytes_read += size;
    return report_progress(v, err);
}

typedef struct range_check {
    verification v;
    const akidb_input *input;
    const akidb_parquet_range *range;
    uint8_t *piece;
    uint64_t before; /* bytes read */
} range_check;

static akidb_status read_range(void *context, akidb_error *err)
{
    range_check *c = context;
    c->v.report->bytes_read = c->before;
    return ak_range_read(c->input, c->range, c->piece, count_piece, &c->v, err);
}

/* Checks one range of a part, piece by piece. */
static akidb_status check_range(const verification *v, const akidb_input *input,
                                const akidb_parquet_range *range, uint8_t *piece, akidb_error *err)
{
    range_check c = {*v, input, range, piece, v->report->bytes_read};
    return ak_read_again(read_range, &c, &v->snapshotter->log_only, err);
}

/* The checksum of the whole must be the one that those of its ranges make. */
static akidb_status check_sum(const verification *v, const akidb_snapshot_part *part,
                              akidb_error *err)
{
    const akidb_parquet_summary *summary = &part->summary;
    uint32_t crc = v->metadata->format == AKIDB_FORMAT_PARQUET ? ak_parquet_magic.crc32c : 0;
    for (size_t i = 0; i < summary->row_group_count; i++)
        crc = ak_crc32c_combine(crc, summary->row_groups[i].all.crc32c,
                                summary->row_groups[i].all.size);
    crc = ak_crc32c_combine(crc, summary->tail.crc32c, summary->tail.size);
    if (crc == summary->file.crc32c)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(v->metadata->key),
                      "parts: crc32c of %s: expected %08" PRIx32
                      ", which those of its ranges make, found %08" PRIx32,
                      part->key, crc, summary->file.crc32c);
}

/* Reads every byte of a part and compares each stored checksum. What will be decoded is checked
 * there, when it is read; only Parquet's first four bytes are not. */
static akidb_status check_bytes(const verification *v, const akidb_input *input,
                                const akidb_parquet_summary *summary, akidb_error *err)
{
    size_t room =
        summary->file.size < AK_PIECE_BYTES ? (size_t)summary->file.size + 1 : AK_PIECE_BYTES;
    uint8_t *piece = malloc(room);
    if (piece == NULL)
        return ak_fail_memory(err, room);
    akidb_status status = AKIDB_OK;
    if (v->metadata->format == AKIDB_FORMAT_PARQUET)
        status = check_range(v, input, &ak_parquet_magic, piece, err);
    size_t count = v->level == AKIDB_VERIFY_DECODE ? 0 : summary->row_group_count;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        status = check_range(v, input, &summary->row_groups[i].all, piece, err);
    if (status == AKIDB_OK && v->level != AKIDB_VERIFY_DECODE)
        status = check_range(v, input, &summary->tail, piece, err);
    free(piece);
    return status;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static akidb_status check_part(const verification *v, const akidb_snapshot_part *part,
                               akidb_error *err)
{
    akidb_object_info info;
    akidb_status status = akidb_store_head(v->snapshotter->store, part->key, &info, err);
    if (status != AKIDB_OK || v->level == AKIDB_VERIFY_EXISTS)
        return status;
    if (info.size != part->summary.file.size)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(part->key),
                          "expected %" PRIu64 " bytes, as the metadata has it, found %" PRIu64,
                          part->summary.file.size, info.size);
    if (v->level == AKIDB_VERIFY_SIZE || !v->metadata->checked)
        return AKIDB_OK;
    status = check_sum(v, part, err);
    if (status != AKIDB_OK)
        return status;
    ak_part_input source;
    akidb_input input =
        ak_part_input_open(&source, v->snapshotter->store, part->key, part->summary.file.size);
    status = check_bytes(v, &input, &part->summary, err);
    akidb_input_close(&input);
    return status;
}

/* Looks at a part and notes what is wrong with it. A status of its own ends the call. */
static akidb_status verify_part(const verification *v, const akidb_snapshot_part *part,
                                akidb_error *err)
{
    akidb_error problem = {0};
    akidb_verify_outcome outcome;
    bool deleted;
    akidb_status status = check_part(v, part, &problem);
    v->report->parts++;
    if (status == AKIDB_OK)
        return report_progress(v, err);
    if (status == AKIDB_E_NOT_FOUND) {
        status = ak_part_is_missing(v->snapshotter, v->metadata, part, &deleted, &problem);
        if (status == AKIDB_E_NOT_FOUND && !deleted) {
            note(v->report, AKIDB_VERIFY_MISSING, &problem);
            return AKIDB_OK;
        }
    }
    if (outcome_of(status, &outcome)) {
        note(v->report, outcome, &problem);
        return AKIDB_OK;
    }
    if (err != NULL)
        *err = problem;
    return status;
}

/* ---- documents ------------------------------------------------------------------------------- */

static akidb_status decode(const verification *v, akidb_snapshot_reader *reader, akidb_error *err)
{
    akidb_documents *documents;
    akidb_status status = akidb_documents_new(v->metadata->dimension, &documents, err);
    bool done = false;
    while (status == AKIDB_OK && !done) {
        akidb_documents_clear(documents);
        status = ak_snapshot_read(reader, v->snapshotter->threads, documents, &done, err);
        if (status == AKIDB_OK)
            v->report->rows_decoded += akidb_documents_batch(documents).rows;
    }
    akidb_documents_free(documents);
    if (status == AKIDB_OK && v->report->rows_decoded != v->metadata->vector_count)
        status = ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(v->metadata->key),
                            "vector_count: expected %" PRIu64 " documents, found %" PRIu64,
                            v->metadata->vector_count, v->report->rows_decoded);
    return status;
}

/* Reads every document. Takes the metadata over. */
static akidb_status verify_documents(const verification *v, akidb_snapshot_metadata *metadata,
                                     akidb_error *err)
{
    akidb_snapshot_reader *reader;
    akidb_status status = ak_snapshot_open(v->snapshotter, metadata, NULL, &reader, err);
    if (status != AKIDB_OK)
        return status;
    akidb_error problem = {0};
    akidb_verify_outcome outcome;
    ak_snapshot_be_thorough(reader);
    status = decode(v, reader, &problem);
    v->report->bytes_read += ak_snapshot_bytes_read(reader);
    akidb_snapshot_close(reader);
    if (status != AKIDB_OK && outcome_of(status, &outcome)) {
        note(v->report, outcome, &problem);
        return AKIDB_OK;
    }
    if (status != AKIDB_OK && err != NULL)
        *err = problem;
    return status;
}

/* ---- whole snapshots ------------------------------------------------------------------------- */

static akidb_status verify_parts(const verification *v, akidb_error *err)
{
    akidb_status status = AKIDB_OK;
    /* When the store does not answer, the next part would only wait as long again. */
    for (size_t i = 0; i < v->metadata->part_count && status == AKIDB_OK &&
                       v->report->outcome != AKIDB_VERIFY_UNREACHABLE;
         i++)
        status = verify_part(v, &v->metadata->parts[i], err);
    return status;
}

static akidb_status verify(verification *v, akidb_snapshot_metadata *metadata, akidb_error *err)
{
    akidb_verify_report *report = v->report;
    bool decodes = v->level == AKIDB_VERIFY_DECODE;
    v->metadata = metadata;
    akidb_status status = verify_parts(v, err);
    if (status == AKIDB_OK && decodes && report->outcome == AKIDB_VERIFY_MISSING) {
        /* What is missing cannot be decoded; whether the rest is whole can be told all the same. */
        v->level = AKIDB_VERIFY_CHECKSUM;
        report->parts = 0;
        status = verify_parts(v, err);
    }
    decodes = decodes && report->outcome == AKIDB_VERIFY_GOOD;
    if (status == AKIDB_OK && report->outcome == AKIDB_VERIFY_GOOD && !metadata->checked) {
        report->outcome = AKIDB_VERIFY_UNCHECKED;
        (void)ak_fail_at(&report->problem, AKIDB_OK, AK_IN(metadata->key),
                         "written without checksums: a change that can still be read would not "
                         "be noticed");
    }
    if (status == AKIDB_OK && decodes)
        return verify_documents(v, metadata, err);
    akidb_snapshot_metadata_free(metadata);
    return status;
}

akidb_status akidb_snapshot_verify(akidb_snapshotter *snapshotter, const akidb_uuid *collection_id,
                                   const akidb_uuid *snapshot_id, akidb_verify_level level,
                                   akidb_verify_report *report_out, akidb_error *err)
{
    *report_out = (akidb_verify_report){0};
    if ((unsigned)level > AKIDB_VERIFY_DECODE)
        return ak_fail(err, AKIDB_E_VALIDATION, "verify level: expected 0 to 4, found %d",
                       (int)level);
    if (level == AKIDB_VERIFY_DEFAULT)
        level = AKIDB_VERIFY_DECODE;
    akidb_error problem = {0};
    akidb_verify_outcome outcome;
    akidb_snapshot_metadata *metadata;
    akidb_status status =
        ak_metadata_find(snapshotter, collection_id, snapshot_id, &metadata, &problem);
    if (status != AKIDB_OK) {
        if (outcome_of(status, &outcome)) {
            note(report_out, outcome, &problem);
            return AKIDB_OK;
        }
        if (err != NULL)
            *err = problem;
        return status;
    }
    verification v = {snapshotter, NULL, level, report_out};
    status = verify(&v, metadata, err);
    if (status != AKIDB_OK)
        *report_out = (akidb_verify_report){0};
    return status;
}
