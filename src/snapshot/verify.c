/* Looking whether a snapshot is what was written. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/error.h"
#include "document/documents.h"
#include "snapshot/part.h"
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

/* ---- bytes -------------------------------------------------------------------------------------
 */

enum { PIECE = 4 << 20 }; /* read at once */

/* Checks one range of a part, piece by piece, and goes on with the whole part's checksum. */
static akidb_status check_range(const verification *v, const akidb_input *input,
                                const akidb_parquet_range *range, uint8_t *piece,
                                uint32_t *part_crc, akidb_error *err)
{
    uint32_t crc = 0;
    for (uint64_t done = 0; done < range->size;) {
        uint64_t left = range->size - done;
        size_t size = left < PIECE ? (size_t)left : PIECE;
        akidb_status status = akidb_input_read_at(input, range->offset + done, piece, size, err);
        if (status != AKIDB_OK)
            return status;
        crc = ak_crc32c(crc, piece, size);
        done += size;
        v->report->bytes_read += size;
        status = report_progress(v, err);
        if (status != AKIDB_OK)
            return status;
    }
    *part_crc = ak_crc32c_combine(*part_crc, crc, range->size);
    if (crc != range->crc32c)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, range->offset),
                          "range of %" PRIu64 " bytes: expected crc32c %08" PRIx32
                          ", found %08" PRIx32,
                          range->size, range->crc32c, crc);
    return AKIDB_OK;
}

/* Reads every byte of a part and compares each stored checksum: of the row groups or blocks, of the
 * tail, and of the whole, which is the only one that covers Parquet's first four bytes. */
static akidb_status check_bytes(const verification *v, const akidb_input *input,
                                const akidb_parquet_summary *summary, akidb_error *err)
{
    enum { MAGIC_SIZE = 4 };
    size_t room = summary->file.size < PIECE ? (size_t)summary->file.size + 1 : PIECE;
    uint8_t *piece = malloc(room);
    if (piece == NULL)
        return ak_fail_memory(err, room);
    uint32_t part_crc = 0;
    akidb_status status = AKIDB_OK;
    if (v->metadata->format == AKIDB_FORMAT_PARQUET) {
        akidb_parquet_range magic = {.size = MAGIC_SIZE,
                                     .crc32c = ak_crc32c(0, "PAR1", MAGIC_SIZE)};
        status = check_range(v, input, &magic, piece, &part_crc, err);
    }
    for (size_t i = 0; i < summary->row_group_count && status == AKIDB_OK; i++)
        status = check_range(v, input, &summary->row_groups[i].all, piece, &part_crc, err);
    if (status == AKIDB_OK)
        status = check_range(v, input, &summary->tail, piece, &part_crc, err);
    if (status == AKIDB_OK && part_crc != summary->file.crc32c)
        status = ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(input->name),
                            "expected crc32c %08" PRIx32 " of the whole, found %08" PRIx32,
                            summary->file.crc32c, part_crc);
    free(piece);
    return status;
}

/* ---- parts -------------------------------------------------------------------------------------
 */

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
    akidb_status status = check_part(v, part, &problem);
    v->report->parts++;
    if (status == AKIDB_OK)
        return report_progress(v, err);
    if (status == AKIDB_E_NOT_FOUND) {
        status = ak_part_is_missing(v->snapshotter, v->metadata, part, &problem);
        if (status == AKIDB_E_CORRUPTION) {
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

/* ---- documents ---------------------------------------------------------------------------------
 */

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

/* ---- whole snapshots ---------------------------------------------------------------------------
 */

static akidb_status verify(verification *v, akidb_snapshot_metadata *metadata, akidb_error *err)
{
    v->metadata = metadata;
    akidb_status status = AKIDB_OK;
    /* When the store does not answer, the next part would only wait as long again. */
    for (size_t i = 0; i < metadata->part_count && status == AKIDB_OK &&
                       v->report->outcome != AKIDB_VERIFY_UNREACHABLE;
         i++)
        status = verify_part(v, &metadata->parts[i], err);
    bool decodes = v->level == AKIDB_VERIFY_DECODE && v->report->outcome == AKIDB_VERIFY_GOOD;
    if (status == AKIDB_OK && v->report->outcome == AKIDB_VERIFY_GOOD && !metadata->checked) {
        v->report->outcome = AKIDB_VERIFY_UNCHECKED;
        (void)ak_fail_at(&v->report->problem, AKIDB_OK, AK_IN(metadata->key),
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
