/*
 * The rules, by number as docs/formats/wal.md has them, are applied in begin_segment (1, 6),
 * judge_bad (2, 3), judge_end (4) and damage (5).
 */
#include "wal/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

typedef struct replay {
    const ak_wal_folder *folder;
    ak_wal_recovery recovery;
    const ak_wal_audience *audience;
    ak_wal_outcome *out;
    ak_wal_reader reader;
    size_t index; /* of the segment, in out->segments */
    bool have_log_id;

    /* What has been read of the log. */
    uint64_t next_lsn;    /* of the next entry that begins */
    uint64_t max_lsn;     /* the highest that any whole record names */
    uint64_t max_durable; /* likewise */
    bool stopped;         /* by AK_WAL_UP_TO: nothing more counts */
    bool resync;          /* after damage that was dropped: the next whole entry counts */
    bool lead;            /* the log begins with the end of an entry whose beginning was removed */

    /* The entry whose last record is to come. */
    bool open;
    uint64_t open_lsn;
    uint8_t open_kind;
    akidb_buffer entry; /* its payload so far */

    /* The segment. */
    bool skip;            /* it is not of this log */
    bool chain_lost;      /* by damage: no chain can match until the next segment */
    uint64_t offset;      /* of the next record */
    uint64_t records;     /* so far */
    uint32_t chain;       /* likewise */
    uint64_t entry_start; /* offset of the first record here of the open entry ... */
    uint64_t entry_records;
    uint32_t entry_chain; /* ... and the state before it */

    /* Two offsets with the highest LSN before each; see note_durable. */
    uint64_t sure_offset;
    uint64_t mark_offset;
    uint64_t mark_lsn;
    bool ended; /* by end_log */
} replay;

static const ak_wal_segment *current(const replay *r)
{
    return &r->out->segments[r->index];
}

static bool is_last(const replay *r)
{
    return r->index + 1 == r->out->count;
}

static void note_lsn(replay *r, uint64_t lsn)
{
    if (lsn > r->max_lsn)
        r->max_lsn = lsn;
}

/* ---- damage (rule 5) ------------------------------------------------------------------------- */

/* The entry that is begun will not be whole. Its LSN is the next again. */
static void drop_open_entry(replay *r)
{
    if (r->open)
        r->next_lsn = r->open_lsn;
    r->open = false;
    r->entry.size = 0;
}

/* Counts what lies in the current segment from the current offset up to `end`. Dropped entries are
 * counted by their LSNs, which are missing later. */
static void count_dropped(replay *r, uint64_t end)
{
    ak_wal_report *report = &r->out->report;
    if (!r->out->dropped)
        snprintf(report->dropped_from, sizeof report->dropped_from, "segment %llu, offset %llu",
                 (unsigned long long)current(r)->number, (unsigned long long)r->offset);
    r->out->dropped = true;
    report->dropped_bytes += end > r->offset ? end - r->offset : 0;
}

/* All that is left of the segment goes. */
static akidb_status drop_rest(replay *r, akidb_error *err)
{
    uint64_t end;
    akidb_status status = ak_wal_reader_data_end(&r->reader, r->offset, &end, err);
    if (status == AKIDB_OK)
        count_dropped(r, end);
    r->offset = r->reader.size;
    return status;
}

/* A damage that is not a torn end, at the current offset, described in `what`. Afterwards the
 * offset is behind what is dropped. */
static akidb_status damage(replay *r, akidb_error *err, const char *what)
{
    if (r->recovery == AK_WAL_STRICT)
        return ak_wal_fail_at(r->folder, AKIDB_E_CORRUPTION, r->reader.name, r->offset, err,
                              "segment %llu of the log is damaged: %s",
                              (unsigned long long)current(r)->number, what);
    ak_wal_scan scan;
    akidb_status status = ak_wal_reader_scan(&r->reader, r->offset + 8, &scan, err);
    if (status != AKIDB_OK)
        return status;
    note_lsn(r, scan.max_lsn);
    note_lsn(r, scan.max_durable);
    r->chain_lost = true;
    r->resync = true;
    r->stopped = r->recovery == AK_WAL_UP_TO;
    drop_open_entry(r);
    if (r->stopped || !scan.found)
        return drop_rest(r, err);
    count_dropped(r, scan.first);
    r->offset = scan.first;
    return AKIDB_OK;
}

/* After AK_WAL_UP_TO has stopped: what the segment holds is only counted. */
static akidb_status drop_segment(replay *r, akidb_error *err)
{
    ak_wal_scan scan;
    akidb_status status = ak_wal_reader_scan(&r->reader, r->offset, &scan, err);
    if (status != AKIDB_OK)
        return status;
    note_lsn(r, scan.max_lsn);
    note_lsn(r, scan.max_durable);
    return drop_rest(r, err);
}

/* ---- the beginning of a segment (rules 1 and 6) ---------------------------------------------- */

/* NULL, or what is wrong with the head. */
static const char *check_head(replay *r)
{
    const ak_wal_segment *segment = current(r);
    const ak_wal_segment_head *head = &segment->head;
    if (segment->state == AK_WAL_HEAD_BAD)
        return "its head does not match its checksum";
    r->skip = true; /* what follows the head is seeded with what the head says */
    if (memcmp(head->log_id, r->out->report.log_id, sizeof head->log_id) != 0)
        return "it belongs to another log";
    if (head->number != segment->number)
        return "its head has the number of another segment";
    r->skip = false;
    bool rewritten = (head->flags & AK_WAL_REWRITTEN) != 0;
    if (r->index == 0) {
        if (head->number == 1 && head->first_lsn != 1 && !rewritten)
            return "the first segment of a log begins with entry 1";
        r->next_lsn = head->first_lsn;
        r->lead = head->number != 1 && !rewritten;
        return NULL;
    }
    if (segment->number != segment[-1].number + 1)
        return "a segment before it is missing";
    if (r->resync)
        return NULL;
    if (!r->chain_lost && head->previous_end != r->chain)
        return "the segment before it does not end as it did when this one was begun";
    if (r->open && head->first_lsn == r->open_lsn)
        drop_open_entry(r); /* its end was never written */
    if (r->lead && head->first_lsn == r->next_lsn - 1) {
        r->next_lsn = head->first_lsn; /* nor that of the entry whose beginning was removed */
        r->lead = false;
    }
    return head->first_lsn == r->next_lsn ? NULL : "entries before it are missing";
}

static akidb_status tell_segment(replay *r, akidb_error *err)
{
    const ak_wal_check_visitor *check = r->audience->check;
    if (check == NULL || check->segment == NULL)
        return AKIDB_OK;
    const ak_wal_segment *segment = current(r);
    ak_wal_segment_info info = {
        .number = segment->number,
        .first_lsn = segment->head.first_lsn,
        .created_ms = segment->head.created_ms,
        .bytes = segment->size,
        .rewritten = (segment->head.flags & AK_WAL_REWRITTEN) != 0,
    };
    return check->segment(check->context, &info, err);
}

static akidb_status begin_segment(replay *r, akidb_error *err)
{
    const ak_wal_segment *segment = current(r);
    akidb_status status = ak_wal_reader_open(&r->reader, segment, r->out->report.log_id, err);
    if (status == AKIDB_OK)
        status = tell_segment(r, err);
    if (status != AKIDB_OK)
        return status;
    r->skip = false;
    r->offset = 0;
    r->out->sealed = false;
    const char *wrong = check_head(r);
    r->chain_lost = false;
    r->records = 0;
    r->chain = segment->head.crc;
    if (wrong != NULL) {
        bool skip = r->skip;
        status = damage(r, err, wrong);
        if (status != AKIDB_OK || r->stopped)
            return status;
        if (skip)
            return drop_rest(r, err);
        if (segment->state == AK_WAL_HEAD_GOOD)
            r->offset = AK_WAL_SEGMENT_HEAD; /* only what is before it is missing */
    } else {
        r->offset = AK_WAL_SEGMENT_HEAD;
    }
    r->entry_start = r->offset;
    r->entry_records = 0;
    r->entry_chain = r->chain;
    r->sure_offset = r->mark_offset = r->offset;
    r->mark_lsn = r->next_lsn - 1;
    return AKIDB_OK;
}

/* ---- a whole record -------------------------------------------------------------------------- */

/* Moves sure_offset up to where all records are known to be on the disk. The mark follows the
 * record being read; when a later record says that what lies before the mark is durable, the mark
 * becomes sure. */
static void note_durable(replay *r, const ak_wal_record_head *head)
{
    if (head->durable > r->max_durable)
        r->max_durable = head->durable;
    if (r->max_durable < r->mark_lsn)
        return;
    r->sure_offset = r->mark_offset;
    r->mark_offset = r->offset;
    r->mark_lsn = head->lsn;
}

static akidb_status tell_record(replay *r, const ak_wal_read *read, akidb_error *err)
{
    const ak_wal_check_visitor *check = r->audience->check;
    if (check == NULL || check->record == NULL)
        return AKIDB_OK;
    ak_wal_record_info info = {
        .segment = current(r)->number,
        .offset = r->offset,
        .lsn = read->head.lsn,
        .durable_lsn = read->head.durable,
        .kind = (ak_wal_kind)read->head.kind,
        .first = (read->head.flags & AK_WAL_FIRST) != 0,
        .last = (read->head.flags & AK_WAL_LAST) != 0,
        .payload = read->payload,
    };
    return check->record(check->context, &info, err);
}

static bool may_jump(const replay *r)
{
    return r->resync || (current(r)->head.flags & AK_WAL_REWRITTEN) != 0;
}

/* NULL, or why the seal does not belong here. */
static const char *take_seal(replay *r, const ak_wal_read *read)
{
    ak_wal_seal seal;
    if (!ak_wal_seal_read(read->payload, &seal) || read->head.flags != 0)
        return "a seal does not look like one";
    if (!r->chain_lost && (seal.records != r->records || seal.chain != r->chain))
        return "its records are not those that were sealed";
    if (seal.last_lsn < r->next_lsn - 1 || (seal.last_lsn > r->next_lsn - 1 && !may_jump(r)))
        return "entries before its seal are missing";
    if (r->resync && seal.last_lsn >= r->next_lsn)
        r->out->report.dropped_entries += seal.last_lsn + 1 - r->next_lsn;
    r->next_lsn = seal.last_lsn + 1;
    r->out->sealed = true;
    return NULL;
}

/* NULL, or why the record cannot stand here. *whole_out: it is part of an entry that counts. */
static const char *take_place(replay *r, const ak_wal_record_head *head, bool *counts_out)
{
    *counts_out = true;
    if (head->durable >= head->lsn)
        return "a record says that it was on the disk before it was written";
    if ((head->flags & AK_WAL_FIRST) != 0) {
        if (r->open)
            return "an entry begins before the one before it has ended";
        if (head->lsn < r->next_lsn || (head->lsn > r->next_lsn && !may_jump(r)))
            return "its entries are not in the order of their LSNs";
        if (r->resync)
            r->out->report.dropped_entries += head->lsn - r->next_lsn;
        r->open = true;
        r->open_lsn = head->lsn;
        r->open_kind = head->kind;
        r->entry.size = 0;
        r->next_lsn = head->lsn + 1;
        r->resync = false;
        r->lead = false;
        r->entry_start = r->offset;
        r->entry_records = r->records;
        r->entry_chain = r->chain;
        return NULL;
    }
    if (r->open)
        return head->lsn == r->open_lsn && head->kind == r->open_kind
                   ? NULL
                   : "a record continues another entry than the one that is begun";
    *counts_out = false;
    bool removed = r->lead && head->lsn == r->next_lsn - 1;
    return r->resync || removed ? NULL : "a record continues an entry that was not begun";
}

static akidb_status deliver(replay *r, akidb_slice payload, akidb_error *err)
{
    ak_wal_report *report = &r->out->report;
    r->open = false;
    report->entries++;
    if (report->first_lsn == 0)
        report->first_lsn = r->open_lsn;
    report->last_lsn = r->open_lsn;
    if (r->audience->entry == NULL)
        return AKIDB_OK;
    return r->audience->entry(r->audience->entry_context, r->open_lsn, (ak_wal_kind)r->open_kind,
                              payload, err);
}

/* An entry of one record is handed on from where it was read; a longer one is put together. */
static akidb_status take_payload(replay *r, const ak_wal_read *read, akidb_error *err)
{
    bool last = (read->head.flags & AK_WAL_LAST) != 0;
    if (last && r->entry.size == 0)
        return deliver(r, read->payload, err);
    akidb_status status = ak_buffer_append(&r->entry, read->payload.data, read->payload.size, err);
    if (status != AKIDB_OK || !last)
        return status;
    status = deliver(r, (akidb_slice){r->entry.data, r->entry.size}, err);
    r->entry.size = 0;
    return status;
}

static akidb_status take_record(replay *r, const ak_wal_read *read, akidb_error *err)
{
    const ak_wal_record_head *head = &read->head;
    if (head->kind > AK_WAL_SEAL || (head->flags & ~(AK_WAL_FIRST | AK_WAL_LAST)) != 0)
        return ak_wal_fail_at(r->folder, AKIDB_E_UNSUPPORTED, r->reader.name, r->offset, err,
                              "a record of kind %u with flags %u, written by a later version of "
                              "this library",
                              head->kind, head->flags);
    akidb_status status = tell_record(r, read, err);
    if (status != AKIDB_OK)
        return status;
    bool counts = false;
    const char *wrong =
        head->kind == AK_WAL_SEAL ? take_seal(r, read) : take_place(r, head, &counts);
    if (wrong != NULL && r->recovery == AK_WAL_SALVAGE && !r->resync) {
        /* The record may well be the first that counts after what is missing: it is taken again. */
        count_dropped(r, r->offset);
        drop_open_entry(r);
        r->chain_lost = true;
        r->resync = true;
        return AKIDB_OK;
    }
    if (wrong != NULL)
        return damage(r, err, wrong);
    note_lsn(r, head->lsn);
    note_durable(r, head);
    r->records++;
    r->chain = ak_wal_chain(r->chain, head->crc);
    r->offset = read->next;
    r->out->segments[r->index].end = r->offset;
    return counts ? take_payload(r, read, err) : AKIDB_OK;
}

/* ---- the end of a segment (rules 2 to 4) ----------------------------------------------------- */

/* The last segment ends at the offset; what is behind it was promised to nobody. */
static void end_log(replay *r, uint64_t torn_to)
{
    ak_wal_outcome *out = r->out;
    r->ended = true;
    out->end = r->offset;
    out->records = r->records;
    out->chain = r->chain;
    out->torn_to = torn_to;
    out->unfinished = r->open || torn_to > r->offset;
    out->unsure = r->sure_offset;
    if (!r->open)
        return;
    /* An entry without its end is no entry. A seal behind a part of it stays. */
    if (!out->sealed) {
        out->end = r->entry_start;
        out->records = r->entry_records;
        out->chain = r->entry_chain;
    }
    drop_open_entry(r);
}

static akidb_status judge_end(replay *r, akidb_error *err)
{
    if (is_last(r)) {
        end_log(r, r->offset);
        r->offset = r->reader.size;
        return AKIDB_OK;
    }
    if (r->offset == r->reader.size) /* cut there by a recovery; the next head vouches for it */
        return AKIDB_OK;
    return damage(r, err, "it has no seal, but is not the last");
}

/* What is damaged was most likely a record of the entry that comes here. */
static void note_bad(replay *r, const ak_wal_read *read, uint64_t lsn)
{
    if (!read->head_known || read->head.kind != AK_WAL_SEAL)
        note_lsn(r, lsn);
}

/* Bytes at the offset that are neither a record nor the end. */
static akidb_status judge_bad(replay *r, const ak_wal_read *read, akidb_error *err)
{
    uint64_t lsn = r->open ? r->open_lsn : r->next_lsn;
    if (!is_last(r)) {
        note_bad(r, read, lsn);
        return damage(r, err, "a record does not match its checksum");
    }
    ak_wal_scan scan;
    akidb_status status = ak_wal_reader_scan(&r->reader, r->offset + 8, &scan, err);
    if (status != AKIDB_OK)
        return status;
    if (scan.found && scan.max_durable >= lsn) {
        note_bad(r, read, lsn);
        return damage(r, err, "later records say that what was here had been on the disk");
    }
    bool torn;
    uint64_t size =
        read->head_known ? ak_wal_record_bytes(read->head.size) : (uint64_t)AK_WAL_RECORD_HEAD;
    status = ak_wal_reader_looks_torn(&r->reader, r->offset, size, &torn, err);
    if (status != AKIDB_OK)
        return status;
    if (!torn) {
        note_bad(r, read, lsn);
        return damage(r, err, "a record does not match its checksum, though no part of it is lost");
    }
    uint64_t end;
    status = ak_wal_reader_data_end(&r->reader, r->offset, &end, err);
    if (status != AKIDB_OK)
        return status;
    end_log(r, end);
    r->offset = r->reader.size;
    return AKIDB_OK;
}

static akidb_status read_segment(replay *r, akidb_error *err)
{
    akidb_status status = begin_segment(r, err);
    r->out->segments[r->index].end = r->offset;
    while (status == AKIDB_OK && !r->stopped && r->offset < r->reader.size && !r->out->sealed) {
        ak_wal_read read;
        status = ak_wal_reader_record(&r->reader, r->offset, &read, err);
        if (status != AKIDB_OK)
            return status;
        if (read.found == AK_WAL_FOUND_RECORD)
            status = take_record(r, &read, err);
        else if (read.found == AK_WAL_FOUND_END)
            status = judge_end(r, err);
        else
            status = judge_bad(r, &read, err);
    }
    return status;
}

/* ---- the log --------------------------------------------------------------------------------- */

/* A library that does not know the format cannot tell what is damage: refused before all else. */
static akidb_status check_versions(const replay *r, akidb_error *err)
{
    for (size_t i = 0; i < r->out->count; i++) {
        const ak_wal_segment *segment = &r->out->segments[i];
        char name[AK_WAL_NAME_SIZE];
        ak_wal_segment_name(segment->number, name);
        if (segment->state == AK_WAL_HEAD_UNKNOWN_VERSION)
            return ak_wal_fail_at(r->folder, AKIDB_E_UNSUPPORTED, name, 8, err,
                                  "the segment has version %u with flags %u, and this library "
                                  "knows version %u only",
                                  segment->version, segment->head.flags, AK_WAL_VERSION);
    }
    return AKIDB_OK;
}

/* Parts the segments that a rewritten one replaced from those that count. */
static akidb_status part_replaced(ak_wal_outcome *out, akidb_error *err)
{
    size_t replaced = 0;
    for (size_t i = 0; i < out->count; i++)
        if (out->segments[i].state == AK_WAL_HEAD_GOOD &&
            out->segments[i].head.number == out->segments[i].number &&
            (out->segments[i].head.flags & AK_WAL_REWRITTEN) != 0)
            replaced = i;
    if (replaced == 0)
        return AKIDB_OK;
    out->replaced = malloc(replaced * sizeof *out->replaced);
    if (out->replaced == NULL)
        return ak_fail_memory(err, replaced * sizeof *out->replaced);
    memcpy(out->replaced, out->segments, replaced * sizeof *out->replaced);
    out->replaced_count = replaced;
    out->count -= replaced;
    memmove(out->segments, out->segments + replaced, out->count * sizeof *out->segments);
    return AKIDB_OK;
}

/* The log id is that of the first segment whose head can be read. */
static akidb_status find_log_id(replay *r, akidb_error *err)
{
    for (size_t i = 0; i < r->out->count; i++)
        if (r->out->segments[i].state == AK_WAL_HEAD_GOOD) {
            memcpy(r->out->report.log_id, r->out->segments[i].head.log_id, 16);
            return AKIDB_OK;
        }
    char name[AK_WAL_NAME_SIZE];
    ak_wal_segment_name(r->out->segments[0].number, name);
    return ak_wal_fail_at(r->folder, AKIDB_E_CORRUPTION, name, 0, err,
                          "no segment of the log has a head that matches its checksum, and "
                          "without one no entry can be checked");
}

static void finish(replay *r)
{
    ak_wal_outcome *out = r->out;
    ak_wal_report *report = &out->report;
    const ak_wal_segment *last = &out->segments[out->count - 1];
    if (!r->ended)
        end_log(r, r->offset); /* behind a seal, or a record with which the file ends */
    out->segments[out->count - 1].end = out->end;
    /* Where something was dropped, LSNs that were ever seen are not given again. */
    if (out->dropped && r->max_lsn >= r->next_lsn) {
        report->dropped_entries += r->max_lsn + 1 - r->next_lsn;
        r->next_lsn = r->max_lsn + 1;
    }
    out->next_lsn = r->next_lsn;
    report->segments = out->count;
    for (size_t i = 0; i < out->count; i++)
        report->bytes += out->segments[i].end;
    if (out->unfinished && !out->dropped) {
        report->torn = true;
        ak_wal_segment_name(last->number, report->torn_segment);
        report->torn_offset = out->end;
        report->torn_bytes = out->torn_to - out->end;
    }
}

static uint64_t largest_segment(const ak_wal_outcome *out)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < out->count; i++)
        if (out->segments[i].size > largest)
            largest = out->segments[i].size;
    return largest;
}

akidb_status ak_wal_replay(const ak_wal_folder *folder, ak_wal_recovery recovery,
                           const ak_wal_audience *audience, ak_wal_outcome *outcome_out,
                           akidb_error *err)
{
    *outcome_out = (ak_wal_outcome){.next_lsn = 1};
    replay r = {.folder = folder, .recovery = recovery, .audience = audience, .out = outcome_out};
    r.next_lsn = 1;
    akidb_status status =
        ak_wal_segments_list(folder, &outcome_out->segments, &outcome_out->count, err);
    if (status != AKIDB_OK || outcome_out->count == 0)
        return status;
    status = check_versions(&r, err);
    if (status == AKIDB_OK)
        status = part_replaced(outcome_out, err);
    if (status == AKIDB_OK)
        status = find_log_id(&r, err);
    if (status == AKIDB_OK)
        status = ak_wal_reader_new(&r.reader, folder, largest_segment(outcome_out), err);
    for (r.index = 0; r.index < outcome_out->count && status == AKIDB_OK; r.index++) {
        if (!r.stopped) {
            status = read_segment(&r, err);
            continue;
        }
        status = ak_wal_reader_open(&r.reader, current(&r), outcome_out->report.log_id, err);
        r.offset = 0;
        if (status == AKIDB_OK)
            status = drop_segment(&r, err);
    }
    if (status == AKIDB_OK)
        finish(&r);
    ak_wal_reader_free(&r.reader);
    akidb_buffer_free(&r.entry);
    return status;
}

void ak_wal_outcome_free(ak_wal_outcome *outcome)
{
    free(outcome->segments);
    free(outcome->replaced);
    outcome->segments = NULL;
    outcome->replaced = NULL;
    outcome->count = 0;
    outcome->replaced_count = 0;
}
