/* From the caller to memory: where the records of an entry go is decided, and everything that may
 * fail is done, before the entry is accepted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "wal/log.h"

/* A batch that would become bigger waits until it has been written, unless it is empty. */
enum { BATCH_BYTES = 16 << 20 };

/* ---- the plan of an entry -------------------------------------------------------------------- */

/* What an entry needs. */
typedef struct plan {
    uint64_t bytes;  /* in the batch */
    size_t segments; /* that begin in it */
} plan;

static uint32_t next_part(const ak_wal *wal, uint64_t left)
{
    return left < wal->max_payload ? (uint32_t)left : wal->max_payload;
}

/* Whether a record and, behind it, the seal have room. */
static bool fits(uint64_t offset, uint32_t payload, uint64_t capacity)
{
    return offset + ak_wal_record_bytes(payload) + AK_WAL_SEAL_BYTES <= capacity;
}

/* The same steps as put_entry, without the bytes. */
static plan plan_entry(const ak_wal *wal, uint64_t size)
{
    plan p = {0, 0};
    uint64_t offset = wal->tail.offset;
    uint64_t capacity = wal->capacity;
    uint64_t left = size;
    do {
        uint32_t part = next_part(wal, left);
        if (!fits(offset, part, capacity)) {
            p.bytes += AK_WAL_SEAL_BYTES + AK_WAL_SEGMENT_HEAD;
            p.segments++;
            offset = AK_WAL_SEGMENT_HEAD;
            capacity = wal->segment_bytes;
        }
        offset += ak_wal_record_bytes(part);
        p.bytes += ak_wal_record_bytes(part);
        left -= part;
    } while (left > 0);
    return p;
}

/* ---- putting it into the batch; nothing here can fail ---------------------------------------- */

static uint8_t *batch_end(ak_wal *wal, uint64_t size)
{
    uint8_t *end = wal->filling.bytes.data + wal->filling.bytes.size;
    wal->filling.bytes.size += (size_t)size;
    return end;
}

/* Where the batch goes on: at the tail of the segment, as far as it is written or in a batch. */
static void add_piece(ak_wal *wal)
{
    wal->filling.pieces[wal->filling.count++] =
        (ak_wal_piece){.start = wal->filling.bytes.size, .offset = wal->tail.offset};
}

static void change_segment(ak_wal *wal, uint64_t last_lsn)
{
    ak_wal_tail_seal(&wal->tail, last_lsn, wal->durable_lsn, batch_end(wal, AK_WAL_SEAL_BYTES));
    uint64_t records_end = wal->tail.offset;
    ak_wal_segment_head head = {
        .number = wal->tail.number + 1,
        .first_lsn = last_lsn + 1,
        .created_ms = (uint64_t)akidb_clock_now(NULL) / 1000,
        .previous_end = wal->tail.chain,
    };
    memcpy(head.log_id, wal->log_id, sizeof head.log_id);
    wal->tail.offset = 0;
    add_piece(wal);
    ak_wal_piece *piece = &wal->filling.pieces[wal->filling.count - 1];
    piece->begins = true;
    piece->spare = wal->spares[0];
    piece->number = head.number;
    piece->first_lsn = head.first_lsn;
    piece->records_end = records_end;
    wal->spare_count--;
    memmove(wal->spares, wal->spares + 1, wal->spare_count * sizeof *wal->spares);
    wal->tail = ak_wal_tail_begin(&head, batch_end(wal, AK_WAL_SEGMENT_HEAD));
    wal->capacity = wal->segment_bytes;
}

static void put_entry(ak_wal *wal, ak_wal_kind kind, const akidb_slice *slices, uint64_t size)
{
    ak_wal_source source = {slices, 0};
    uint64_t lsn = wal->next_lsn;
    uint64_t begun = lsn - 1; /* the last entry of which a record has been put */
    uint64_t left = size;
    uint8_t flags = AK_WAL_FIRST;
    if (wal->filling.count == 0)
        add_piece(wal);
    do {
        uint32_t part = next_part(wal, left);
        if (!fits(wal->tail.offset, part, wal->capacity))
            change_segment(wal, begun);
        left -= part;
        if (left == 0)
            flags |= AK_WAL_LAST;
        ak_wal_record_head head = {.size = part,
                                   .lsn = lsn,
                                   .durable = wal->durable_lsn,
                                   .flags = flags,
                                   .kind = (uint8_t)kind};
        ak_wal_tail_record(&wal->tail, &head, &source, batch_end(wal, ak_wal_record_bytes(part)));
        begun = lsn;
        flags = 0;
    } while (left > 0);
    wal->next_lsn = lsn + 1;
}

/* ---- making sure that it can be put ---------------------------------------------------------- */

/* Makes one spare file, without the mutex meanwhile. */
static akidb_status make_spare(ak_wal *wal, akidb_error *err)
{
    akidb_status status = ak_array_reserve((void **)&wal->spares, &wal->spare_capacity,
                                           wal->spare_count + 1, sizeof *wal->spares, err);
    if (status != AKIDB_OK)
        return status;
    wal->making = true;
    ak_wal_spare spare;
    snprintf(spare.name, sizeof spare.name, "spare-%" PRIu64 "%s", ++wal->spares_made,
             AK_WAL_TEMPORARY);
    pthread_mutex_unlock(&wal->mutex);
    status = ak_wal_spare_make(&wal->folder, spare.name, wal->segment_bytes, &spare.file, err);
    pthread_mutex_lock(&wal->mutex);
    wal->making = false;
    pthread_cond_broadcast(&wal->changed);
    if (status == AKIDB_OK)
        wal->spares[wal->spare_count++] = spare; /* only the maker adds to them */
    return status;
}

static akidb_status check_limit(const ak_wal *wal, ak_wal_kind kind, uint64_t bytes,
                                akidb_error *err)
{
    /* A checkpoint is what makes room. */
    if (wal->max_bytes == 0 || kind == AK_WAL_CHECKPOINT)
        return AKIDB_OK;
    if (ak_range_fits(wal->total_bytes, bytes, wal->max_bytes))
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(wal->folder.path),
                      "the log holds %" PRIu64 " bytes, and an entry of %" PRIu64
                      " more would pass its limit of %" PRIu64
                      " (wal_max_bytes); a flush makes it short",
                      wal->total_bytes, bytes, wal->max_bytes);
}

/* Waits until the entry may be put into the batch, and reserves all memory for that. */
static akidb_status make_ready(ak_wal *wal, ak_wal_kind kind, uint64_t size, plan *plan_out,
                               akidb_error *err)
{
    for (;;) {
        if (wal->failed)
            return ak_wal_fail_failed(wal, err);
        plan p = plan_entry(wal, size);
        akidb_status status = check_limit(wal, kind, p.bytes, err);
        if (status != AKIDB_OK)
            return status;
        bool crowded =
            wal->filling.bytes.size > 0 && wal->filling.bytes.size + p.bytes > BATCH_BYTES;
        bool short_of_files = p.segments > wal->spare_count;
        if (!crowded && !short_of_files) {
            *plan_out = p;
            return AKIDB_OK;
        }
        if (crowded && !wal->writing)
            ak_wal_write_batch(wal);
        else if (crowded || wal->making)
            pthread_cond_wait(&wal->changed, &wal->mutex);
        else if ((status = make_spare(wal, err)) != AKIDB_OK)
            return status;
    }
}

static akidb_status reserve(ak_wal *wal, const plan *p, akidb_error *err)
{
    ak_wal_batch *batch = &wal->filling;
    if (p->bytes > SIZE_MAX)
        return ak_fail_memory(err, SIZE_MAX);
    akidb_status status = ak_buffer_reserve(&batch->bytes, (size_t)p->bytes, err);
    if (status == AKIDB_OK)
        status = ak_array_reserve((void **)&batch->pieces, &batch->capacity,
                                  batch->count + p->segments + 1, sizeof *batch->pieces, err);
    /* The writer adds a segment for each piece that begins one, and cannot fail there. */
    if (status == AKIDB_OK)
        status = ak_array_reserve((void **)&wal->segments, &wal->segment_capacity,
                                  wal->segment_count + wal->filling.count + wal->flushing.count +
                                      p->segments + 1,
                                  sizeof *wal->segments, err);
    return status;
}

/* ---- the interface --------------------------------------------------------------------------- */

static akidb_status check_entry(const ak_wal *wal, ak_wal_kind kind, const akidb_slice *slices,
                                size_t count, uint64_t *size_out, akidb_error *err)
{
    if (wal->read_only)
        return ak_fail_at(err, AKIDB_E_PRECONDITION, AK_IN(wal->folder.path),
                          "the log was opened read-only");
    if (kind < AK_WAL_CREATE || kind >= AK_WAL_SEAL)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(wal->folder.path),
                          "an entry cannot have kind %d", (int)kind);
    *size_out = 0;
    for (size_t i = 0; i < count; i++)
        if (!ak_add_u64(*size_out, slices[i].size, size_out) || *size_out > INT64_MAX / 2)
            return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(wal->folder.path),
                              "no entry can be this long");
    return AKIDB_OK;
}

akidb_status ak_wal_begin(ak_wal *wal, ak_wal_kind kind, const akidb_slice *slices, size_t count,
                          uint64_t *lsn_out, akidb_error *err)
{
    *lsn_out = 0;
    uint64_t size;
    akidb_status status = check_entry(wal, kind, slices, count, &size, err);
    if (status != AKIDB_OK)
        return status;
    plan p = {0, 0};
    pthread_mutex_lock(&wal->mutex);
    status = make_ready(wal, kind, size, &p, err);
    if (status == AKIDB_OK)
        status = reserve(wal, &p, err);
    if (status == AKIDB_OK) {
        put_entry(wal, kind, slices, size);
        *lsn_out = wal->next_lsn - 1;
        wal->total_bytes += p.bytes;
        wal->entries++;
        wal->bytes += p.bytes;
    }
    pthread_mutex_unlock(&wal->mutex);
    return status;
}

akidb_status ak_wal_wait(ak_wal *wal, uint64_t lsn, akidb_error *err)
{
    pthread_mutex_lock(&wal->mutex);
    akidb_status status;
    if (lsn >= wal->next_lsn)
        status = ak_fail_at(err, AKIDB_E_VALIDATION, AK_IN(wal->folder.path),
                            "nothing has LSN %" PRIu64 " yet: the last one is %" PRIu64, lsn,
                            wal->next_lsn - 1);
    else if (wal->durability == AK_WAL_EVERY_COMMIT)
        status = ak_wal_until_durable(wal, lsn, err);
    else
        status = ak_wal_until_written(wal, lsn, err);
    pthread_mutex_unlock(&wal->mutex);
    return status;
}

akidb_status ak_wal_append(ak_wal *wal, ak_wal_kind kind, const akidb_slice *slices, size_t count,
                           uint64_t *lsn_out, akidb_error *err)
{
    akidb_status status = ak_wal_begin(wal, kind, slices, count, lsn_out, err);
    if (status == AKIDB_OK)
        status = ak_wal_wait(wal, *lsn_out, err);
    if (status != AKIDB_OK)
        *lsn_out = 0;
    return status;
}

akidb_status ak_wal_sync(ak_wal *wal, akidb_error *err)
{
    pthread_mutex_lock(&wal->mutex);
    akidb_status status = ak_wal_until_durable(wal, wal->next_lsn - 1, err);
    pthread_mutex_unlock(&wal->mutex);
    return status;
}
