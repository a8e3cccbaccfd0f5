#include "wal/repair.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/buffer.h"
#include "base/error.h"
#include "os/random.h"

/* ---- a new segment --------------------------------------------------------------------------- */

int ak_wal_publish(const ak_wal_folder *folder, const char *temporary, akidb_file file,
                   uint64_t number, akidb_slice bytes, const char **step_out)
{
    const akidb_files *files = folder->files;
    char name[AK_WAL_NAME_SIZE];
    ak_wal_segment_name(number, name);
    *step_out = "writing a new segment";
    int error_number = 0;
    if (bytes.size > 0)
        error_number = files->ops->write_at(files->handle, file, 0, &bytes, 1);
    if (error_number != 0)
        return error_number;
    *step_out = "syncing a new segment";
    error_number = files->ops->sync_file(files->handle, file);
    if (error_number != 0)
        return error_number;
    *step_out = "giving a new segment its name";
    error_number = files->ops->rename(files->handle, folder->folder, temporary, name);
    if (error_number != 0)
        return error_number;
    *step_out = "syncing the folder of the log";
    return files->ops->sync_folder(files->handle, folder->folder);
}

static akidb_status begin_segment(const ak_wal_folder *folder, uint64_t segment_bytes,
                                  ak_wal_segment_head *head, ak_wal_outcome *outcome,
                                  ak_wal_ready *ready, akidb_error *err)
{
    static const char temporary[] = "begin" AK_WAL_TEMPORARY;
    head->created_ms = (uint64_t)akidb_clock_now(NULL) / 1000;
    akidb_status status = ak_wal_spare_make(folder, temporary, segment_bytes, &ready->file, err);
    if (status != AKIDB_OK)
        return status;
    uint8_t bytes[AK_WAL_SEGMENT_HEAD];
    ready->tail = ak_wal_tail_begin(head, bytes);
    ready->capacity = segment_bytes;
    const char *step;
    int error_number = ak_wal_publish(folder, temporary, ready->file, head->number,
                                      (akidb_slice){bytes, sizeof bytes}, &step);
    size_t capacity = outcome->count;
    if (error_number != 0)
        status = ak_wal_fail_errno(folder, error_number, NULL, step, err);
    else
        status = ak_array_reserve((void **)&outcome->segments, &capacity, outcome->count + 1,
                                  sizeof *outcome->segments, err);
    if (status != AKIDB_OK) {
        (void)folder->files->ops->close_file(folder->files->handle, ready->file);
        return status;
    }
    outcome->segments[outcome->count++] = (ak_wal_segment){
        .number = head->number,
        .size = segment_bytes,
        .end = AK_WAL_SEGMENT_HEAD,
        .first_lsn = head->first_lsn,
        .head = *head,
    };
    return AKIDB_OK;
}

/* ---- aside ----------------------------------------------------------------------------------- */

/* Copies the torn bytes into a file of their own. */
static akidb_status copy_torn(const ak_wal_folder *folder, akidb_file file, ak_wal_outcome *outcome,
                              akidb_error *err)
{
    const akidb_files *files = folder->files;
    ak_wal_report *report = &outcome->report;
    char stem[AK_WAL_NAME_SIZE];
    snprintf(stem, sizeof stem, "%020llu-%llu",
             (unsigned long long)outcome->segments[outcome->count - 1].number,
             (unsigned long long)outcome->end);
    akidb_status status = ak_wal_free_name(folder, stem, ".torn", report->torn_copy, err);
    if (status != AKIDB_OK)
        return status;
    enum { PIECE = 1 << 16 };
    uint8_t *bytes = malloc(PIECE);
    if (bytes == NULL)
        return ak_fail_memory(err, PIECE);
    akidb_file copy;
    int error_number = files->ops->open_file(files->handle, folder->folder, report->torn_copy,
                                             AKIDB_FILE_CREATE, &copy);
    if (error_number != 0) {
        free(bytes);
        return ak_wal_fail_errno(folder, error_number, report->torn_copy, "making a copy", err);
    }
    for (uint64_t at = outcome->end; at < outcome->torn_to && error_number == 0;) {
        uint64_t left = outcome->torn_to - at;
        size_t found = 0;
        error_number = files->ops->read_at(files->handle, file, at, bytes,
                                           left < PIECE ? (size_t)left : PIECE, &found);
        akidb_slice slice = {bytes, found};
        if (error_number == 0 && found == 0)
            break; /* shorter than it was: so much less to keep */
        if (error_number == 0)
            error_number = files->ops->write_at(files->handle, copy, at - outcome->end, &slice, 1);
        at += found;
    }
    free(bytes);
    if (error_number == 0)
        error_number = files->ops->sync_file(files->handle, copy);
    int close_error = files->ops->close_file(files->handle, copy);
    if (error_number == 0)
        error_number = close_error;
    if (error_number == 0)
        error_number = files->ops->sync_folder(files->handle, folder->folder);
    if (error_number == 0)
        return AKIDB_OK;
    return ak_wal_fail_errno(folder, error_number, report->torn_copy, "keeping torn bytes", err);
}

/* Gives segments that were replaced other names. A crash leaves some of them; as long as the one
 * that replaces them is there, they do not count. */
static akidb_status set_aside(const ak_wal_folder *folder, const ak_wal_segment *segments,
                              size_t count, akidb_error *err)
{
    const akidb_files *files = folder->files;
    for (size_t i = 0; i < count; i++) {
        char name[AK_WAL_NAME_SIZE];
        char aside[AK_WAL_NAME_SIZE];
        ak_wal_segment_name(segments[i].number, name);
        akidb_status status = ak_wal_free_name(folder, name, ".dropped", aside, err);
        if (status != AKIDB_OK)
            return status;
        int error_number = files->ops->rename(files->handle, folder->folder, name, aside);
        if (error_number != 0)
            return ak_wal_fail_errno(folder, error_number, name, "setting a segment aside", err);
    }
    int error_number = count == 0 ? 0 : files->ops->sync_folder(files->handle, folder->folder);
    if (error_number != 0)
        return ak_wal_fail_errno(folder, error_number, NULL, "syncing the folder of the log", err);
    return AKIDB_OK;
}

/* ---- writing a log anew ---------------------------------------------------------------------- */

static const char rewrite_name[] = "rewrite" AK_WAL_TEMPORARY;

typedef struct rewriter {
    const ak_wal_folder *folder;
    akidb_file file;
    ak_wal_tail tail;
    akidb_buffer buffer; /* what comes after `written` bytes of the file */
    uint64_t written;
} rewriter;

static akidb_status flush_buffer(rewriter *w, akidb_error *err)
{
    const akidb_files *files = w->folder->files;
    akidb_slice slice = {w->buffer.data, w->buffer.size};
    int error_number = files->ops->write_at(files->handle, w->file, w->written, &slice, 1);
    if (error_number != 0)
        return ak_wal_fail_errno(w->folder, error_number, rewrite_name, "writing the log anew",
                                 err);
    w->written += w->buffer.size;
    w->buffer.size = 0;
    return AKIDB_OK;
}

static akidb_status rewrite_entry(void *context, uint64_t lsn, ak_wal_kind kind,
                                  akidb_slice payload, akidb_error *err)
{
    rewriter *w = context;
    ak_wal_source source = {&payload, 0};
    size_t left = payload.size;
    uint8_t flags = AK_WAL_FIRST;
    do {
        size_t part = left < AK_WAL_RECORD_MAX_PAYLOAD ? left : AK_WAL_RECORD_MAX_PAYLOAD;
        left -= part;
        if (left == 0)
            flags |= AK_WAL_LAST;
        ak_wal_record_head head = {
            .size = (uint32_t)part, .lsn = lsn, .flags = flags, .kind = (uint8_t)kind};
        size_t bytes = (size_t)ak_wal_record_bytes(head.size);
        akidb_status status = ak_buffer_reserve(&w->buffer, bytes, err);
        if (status != AKIDB_OK)
            return status;
        ak_wal_tail_record(&w->tail, &head, &source, w->buffer.data + w->buffer.size);
        w->buffer.size += bytes;
        if (w->buffer.size >= AK_WAL_RECORD_MAX_PAYLOAD)
            status = flush_buffer(w, err);
        if (status != AKIDB_OK)
            return status;
        flags = 0;
    } while (left > 0);
    return AKIDB_OK;
}

/* Replays the log a second time, as the first went, into the new segment. */
static akidb_status fill_rewritten(rewriter *w, ak_wal_recovery recovery,
                                   const ak_wal_outcome *outcome, ak_wal_segment_head *head,
                                   akidb_error *err)
{
    akidb_status status = ak_buffer_reserve(&w->buffer, AK_WAL_SEGMENT_HEAD, err);
    if (status != AKIDB_OK)
        return status;
    w->tail = ak_wal_tail_begin(head, w->buffer.data);
    w->buffer.size = AK_WAL_SEGMENT_HEAD;
    ak_wal_audience audience = {.entry = rewrite_entry, .entry_context = w};
    ak_wal_outcome again;
    status = ak_wal_replay(w->folder, recovery, &audience, &again, err);
    if (status == AKIDB_OK &&
        (again.next_lsn != outcome->next_lsn || again.report.entries != outcome->report.entries))
        status = ak_wal_fail_errno(w->folder, EIO, NULL,
                                   "the log reads differently when it is read again", err);
    ak_wal_outcome_free(&again);
    if (status == AKIDB_OK)
        status = ak_buffer_reserve(&w->buffer, AK_WAL_SEAL_BYTES, err);
    if (status != AKIDB_OK)
        return status;
    ak_wal_tail_seal(&w->tail, outcome->next_lsn - 1, 0, w->buffer.data + w->buffer.size);
    w->buffer.size += AK_WAL_SEAL_BYTES;
    return flush_buffer(w, err);
}

/* Puts one new segment in the place of all, which keep their bytes under other names. The rename of
 * it is the moment in which it counts. */
static akidb_status rewrite(const ak_wal_folder *folder, ak_wal_recovery recovery,
                            ak_wal_outcome *outcome, akidb_error *err)
{
    const akidb_files *files = folder->files;
    const ak_wal_segment *last = &outcome->segments[outcome->count - 1];
    ak_wal_segment_head head = {
        .flags = AK_WAL_REWRITTEN,
        .number = last->number + 1,
        .first_lsn = outcome->report.first_lsn != 0 ? outcome->report.first_lsn : outcome->next_lsn,
        .created_ms = (uint64_t)akidb_clock_now(NULL) / 1000,
    };
    memcpy(head.log_id, outcome->report.log_id, sizeof head.log_id);
    rewriter w = {.folder = folder};
    akidb_status status = ak_wal_spare_make(folder, rewrite_name, 0, &w.file, err);
    if (status != AKIDB_OK)
        return status;
    status = fill_rewritten(&w, recovery, outcome, &head, err);
    akidb_buffer_free(&w.buffer);
    if (status == AKIDB_OK) {
        const char *step;
        int error_number =
            ak_wal_publish(folder, rewrite_name, w.file, head.number, (akidb_slice){0}, &step);
        if (error_number != 0)
            status = ak_wal_fail_errno(folder, error_number, NULL, step, err);
    }
    int close_error = files->ops->close_file(files->handle, w.file);
    if (status == AKIDB_OK && close_error != 0)
        status = ak_wal_fail_errno(folder, close_error, NULL, "closing the segment", err);
    if (status != AKIDB_OK)
        return status; /* the temporary file is removed by the next open */
    status = set_aside(folder, outcome->segments, outcome->count, err);
    outcome->segments[0] = (ak_wal_segment){.number = head.number,
                                            .size = w.written,
                                            .end = w.written,
                                            .first_lsn = head.first_lsn,
                                            .head = head};
    outcome->count = 1;
    outcome->sealed = true;
    outcome->unfinished = false;
    outcome->end = outcome->torn_to = w.written;
    outcome->unsure = w.written;
    outcome->chain = w.tail.chain;
    outcome->records = w.tail.records;
    return status;
}

/* ---- the last segment ------------------------------------------------------------------------ */

/* Writes the bytes from `unsure` on again. After a sync that failed, what is read may be only in
 * the kernel's memory, marked as if it had been written: another sync would do nothing. */
static int write_again(const akidb_files *files, akidb_file file, uint64_t from, uint64_t to)
{
    enum { PIECE = 1 << 16 };
    uint8_t *bytes = malloc(PIECE);
    if (bytes == NULL)
        return ENOMEM;
    int error_number = 0;
    while (from < to && error_number == 0) {
        uint64_t left = to - from;
        size_t found = 0;
        error_number = files->ops->read_at(files->handle, file, from, bytes,
                                           left < PIECE ? (size_t)left : PIECE, &found);
        if (error_number == 0 && found == 0)
            error_number = EIO; /* these bytes were there a moment ago */
        akidb_slice slice = {bytes, found};
        if (error_number == 0)
            error_number = files->ops->write_at(files->handle, file, from, &slice, 1);
        from += found;
    }
    free(bytes);
    return error_number;
}

/* How far the last segment may be filled. It may have been made when segments were larger. */
static uint64_t capacity_of(const ak_wal_outcome *outcome, uint64_t segment_bytes)
{
    uint64_t size = outcome->segments[outcome->count - 1].size & ~UINT64_C(7);
    return size < segment_bytes ? size : segment_bytes;
}

/* Whether the last segment can take records: after one that was cut, or that is full, comes a new
 * one. */
static bool can_continue(const ak_wal_outcome *outcome, uint64_t segment_bytes)
{
    return !outcome->sealed && !outcome->unfinished &&
           outcome->end + AK_WAL_RECORD_HEAD + AK_WAL_SEAL_BYTES <=
               capacity_of(outcome, segment_bytes);
}

/* Makes sure that the kept part of the last segment is on the disk and that nothing follows it. */
static akidb_status settle(const ak_wal_folder *folder, akidb_file file, uint64_t segment_bytes,
                           ak_wal_outcome *outcome, akidb_error *err)
{
    const akidb_files *files = folder->files;
    char name[AK_WAL_NAME_SIZE];
    ak_wal_segment_name(outcome->segments[outcome->count - 1].number, name);
    if (outcome->torn_to > outcome->end) {
        akidb_status status = copy_torn(folder, file, outcome, err);
        if (status != AKIDB_OK)
            return status;
    }
    int error_number = write_again(files, file, outcome->unsure, outcome->end);
    /* Without a seal only the end of its file says that a segment with one behind it is whole. */
    bool ends_here = !outcome->sealed && !can_continue(outcome, segment_bytes);
    if (error_number == 0 && (outcome->unfinished || ends_here))
        error_number = files->ops->truncate(files->handle, file, outcome->end);
    if (error_number == 0)
        error_number = files->ops->sync_file(files->handle, file);
    if (error_number == 0)
        error_number = files->ops->sync_folder(files->handle, folder->folder);
    if (error_number != 0)
        return ak_wal_fail_errno(folder, error_number, name, "settling the end of the log", err);
    return AKIDB_OK;
}

static akidb_status open_last(const ak_wal_folder *folder, const ak_wal_outcome *outcome,
                              akidb_file *file_out, akidb_error *err)
{
    char name[AK_WAL_NAME_SIZE];
    ak_wal_segment_name(outcome->segments[outcome->count - 1].number, name);
    int error_number = folder->files->ops->open_file(folder->files->handle, folder->folder, name,
                                                     AKIDB_FILE_UPDATE, file_out);
    if (error_number != 0)
        return ak_wal_fail_errno(folder, error_number, name, "opening the segment", err);
    return AKIDB_OK;
}

static akidb_status continue_log(const ak_wal_folder *folder, uint64_t segment_bytes,
                                 ak_wal_outcome *outcome, ak_wal_ready *ready, akidb_error *err)
{
    const ak_wal_segment *last = &outcome->segments[outcome->count - 1];
    akidb_status status = open_last(folder, outcome, &ready->file, err);
    if (status != AKIDB_OK)
        return status;
    status = settle(folder, ready->file, segment_bytes, outcome, err);
    if (status == AKIDB_OK && can_continue(outcome, segment_bytes)) {
        ready->tail = (ak_wal_tail){
            .number = last->number,
            .offset = outcome->end,
            .records = outcome->records,
            .chain = outcome->chain,
            .seed = ak_wal_segment_seed(outcome->report.log_id, last->number),
        };
        ready->capacity = capacity_of(outcome, segment_bytes);
        return AKIDB_OK;
    }
    int error_number = folder->files->ops->close_file(folder->files->handle, ready->file);
    if (status == AKIDB_OK && error_number != 0)
        status = ak_wal_fail_errno(folder, error_number, NULL, "closing the segment", err);
    if (status != AKIDB_OK)
        return status;
    ak_wal_segment_head head = {
        .number = last->number + 1,
        .first_lsn = outcome->next_lsn,
        .previous_end = outcome->chain,
    };
    memcpy(head.log_id, outcome->report.log_id, sizeof head.log_id);
    return begin_segment(folder, segment_bytes, &head, outcome, ready, err);
}

static akidb_status begin_log(const ak_wal_folder *folder, uint64_t segment_bytes,
                              ak_wal_outcome *outcome, ak_wal_ready *ready, akidb_error *err)
{
    ak_wal_segment_head head = {.number = 1, .first_lsn = 1};
    akidb_status status = ak_random_bytes(head.log_id, sizeof head.log_id, err);
    if (status != AKIDB_OK)
        return status;
    memcpy(outcome->report.log_id, head.log_id, sizeof head.log_id);
    return begin_segment(folder, segment_bytes, &head, outcome, ready, err);
}

akidb_status ak_wal_repair(const ak_wal_folder *folder, ak_wal_recovery recovery,
                           uint64_t segment_bytes, ak_wal_outcome *outcome, ak_wal_ready *ready_out,
                           akidb_error *err)
{
    *ready_out = (ak_wal_ready){0};
    akidb_status status = set_aside(folder, outcome->replaced, outcome->replaced_count, err);
    if (status == AKIDB_OK && outcome->dropped)
        status = rewrite(folder, recovery, outcome, err);
    if (status != AKIDB_OK)
        return status;
    if (outcome->count == 0)
        return begin_log(folder, segment_bytes, outcome, ready_out, err);
    return continue_log(folder, segment_bytes, outcome, ready_out, err);
}
