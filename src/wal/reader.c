#include "wal/reader.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"

/* Holds the longest record, and little enough to stay in a processor's cache. */
enum { WINDOW = (1 << 20) + (1 << 19) };

akidb_status ak_wal_reader_new(ak_wal_reader *reader, const ak_wal_folder *folder, uint64_t largest,
                               akidb_error *err)
{
    size_t capacity = largest < WINDOW ? (size_t)largest + 1 : WINDOW;
    *reader = (ak_wal_reader){.folder = folder, .capacity = capacity, .window = malloc(capacity)};
    return reader->window == NULL ? ak_fail_memory(err, capacity) : AKIDB_OK;
}

static void close_segment(ak_wal_reader *reader)
{
    const akidb_files *files = reader->folder->files;
    if (reader->open)
        (void)files->ops->close_file(files->handle, reader->file); /* it was only read */
    reader->open = false;
}

void ak_wal_reader_free(ak_wal_reader *reader)
{
    if (reader->folder != NULL)
        close_segment(reader);
    free(reader->window);
    *reader = (ak_wal_reader){0};
}

akidb_status ak_wal_reader_open(ak_wal_reader *reader, const ak_wal_segment *segment,
                                const uint8_t log_id[16], akidb_error *err)
{
    close_segment(reader);
    const akidb_files *files = reader->folder->files;
    ak_wal_segment_name(segment->number, reader->name);
    int error_number = files->ops->open_file(files->handle, reader->folder->folder, reader->name,
                                             AKIDB_FILE_READ, &reader->file);
    if (error_number != 0)
        return ak_wal_fail_errno(reader->folder, error_number, reader->name, "opening the segment",
                                 err);
    reader->open = true;
    reader->size = segment->size;
    reader->seed = ak_wal_segment_seed(log_id, segment->number);
    reader->start = 0;
    reader->filled = 0;
    return AKIDB_OK;
}

/* ---- the window ------------------------------------------------------------------------------ */

/* Moves the window to `offset`, keeping what it holds from there on. */
static akidb_status move_window(ak_wal_reader *reader, uint64_t offset, akidb_error *err)
{
    const akidb_files *files = reader->folder->files;
    size_t kept = 0;
    uint64_t end = reader->start + reader->filled;
    if (offset >= reader->start && offset < end) {
        kept = (size_t)(end - offset);
        memmove(reader->window, reader->window + (offset - reader->start), kept);
    }
    reader->start = offset;
    reader->filled = kept;
    size_t found;
    int error_number = files->ops->read_at(files->handle, reader->file, offset + kept,
                                           reader->window + kept, reader->capacity - kept, &found);
    if (error_number != 0)
        return ak_wal_fail_errno(reader->folder, error_number, reader->name, "reading the segment",
                                 err);
    reader->filled += found;
    if (reader->filled < reader->capacity && offset + reader->filled < reader->size)
        return ak_wal_fail_at(reader->folder, AKIDB_E_IO, reader->name, offset + reader->filled,
                              err, "the segment became shorter than %llu bytes while it was read",
                              (unsigned long long)reader->size);
    return AKIDB_OK;
}

akidb_status ak_wal_reader_bytes(ak_wal_reader *reader, uint64_t offset, uint64_t size,
                                 akidb_slice *bytes_out, akidb_error *err)
{
    *bytes_out = (akidb_slice){0};
    uint64_t left = offset < reader->size ? reader->size - offset : 0;
    if (size > left)
        size = left;
    if (size > reader->capacity)
        size = reader->capacity;
    if (size == 0)
        return AKIDB_OK;
    if (offset < reader->start || offset + size > reader->start + reader->filled) {
        akidb_status status = move_window(reader, offset, err);
        if (status != AKIDB_OK)
            return status;
    }
    *bytes_out = (akidb_slice){reader->window + (offset - reader->start), (size_t)size};
    return AKIDB_OK;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

akidb_status ak_wal_reader_data_end(ak_wal_reader *reader, uint64_t offset, uint64_t *end_out,
                                    akidb_error *err)
{
    enum { STEP = 4096 };
    *end_out = offset;
    while (offset < reader->size) {
        akidb_slice bytes;
        akidb_status status = ak_wal_reader_bytes(reader, offset, STEP, &bytes, err);
        if (status != AKIDB_OK)
            return status;
        const uint8_t *data = bytes.data;
        size_t used = all_zero(data, bytes.size) ? 0 : bytes.size;
        while (used > 0 && data[used - 1] == 0)
            used--;
        if (used > 0)
            *end_out = offset + used;
        offset += bytes.size;
    }
    return AKIDB_OK;
}

/* ---- records --------------------------------------------------------------------------------- */

/* Whether a whole record begins at `offset`; its head is known at least when *head_known_out. */
static akidb_status try_record(ak_wal_reader *reader, uint64_t offset, ak_wal_read *read,
                               akidb_error *err)
{
    *read = (ak_wal_read){.found = AK_WAL_FOUND_BAD};
    akidb_slice bytes;
    akidb_status status = ak_wal_reader_bytes(reader, offset, AK_WAL_RECORD_HEAD, &bytes, err);
    if (status != AKIDB_OK || bytes.size < AK_WAL_RECORD_HEAD)
        return status;
    if (!ak_wal_record_head_read(bytes.data, reader->seed, offset, &read->head))
        return AKIDB_OK;
    read->head_known = true;
    uint64_t size = ak_wal_record_bytes(read->head.size);
    if (!ak_range_fits(offset, size, reader->size))
        return AKIDB_OK;
    status = ak_wal_reader_bytes(reader, offset, size, &bytes, err);
    if (status != AKIDB_OK || !ak_wal_record_verify(&read->head, bytes.data))
        return status;
    const uint8_t *payload = (const uint8_t *)bytes.data + AK_WAL_RECORD_HEAD;
    read->found = AK_WAL_FOUND_RECORD;
    read->payload = (akidb_slice){payload, read->head.size};
    read->next = offset + size;
    return AKIDB_OK;
}

akidb_status ak_wal_reader_record(ak_wal_reader *reader, uint64_t offset, ak_wal_read *read_out,
                                  akidb_error *err)
{
    akidb_status status = try_record(reader, offset, read_out, err);
    if (status != AKIDB_OK || read_out->found == AK_WAL_FOUND_RECORD || read_out->head_known)
        return status;
    akidb_slice bytes;
    status = ak_wal_reader_bytes(reader, offset, AK_WAL_RECORD_HEAD, &bytes, err);
    if (status != AKIDB_OK || !all_zero(bytes.data, bytes.size))
        return status;
    uint64_t end;
    status = ak_wal_reader_data_end(reader, offset, &end, err);
    if (status == AKIDB_OK && end == offset)
        read_out->found = AK_WAL_FOUND_END;
    return status;
}

akidb_status ak_wal_reader_scan(ak_wal_reader *reader, uint64_t offset, ak_wal_scan *scan_out,
                                akidb_error *err)
{
    *scan_out = (ak_wal_scan){0};
    while (ak_range_fits(offset, AK_WAL_RECORD_HEAD, reader->size)) {
        ak_wal_read read;
        akidb_status status = try_record(reader, offset, &read, err);
        if (status != AKIDB_OK)
            return status;
        if (read.found != AK_WAL_FOUND_RECORD) {
            offset += 8;
            continue;
        }
        if (!scan_out->found)
            scan_out->first = offset;
        scan_out->found = true;
        if (read.head.durable > scan_out->max_durable)
            scan_out->max_durable = read.head.durable;
        if (read.head.lsn > scan_out->max_lsn)
            scan_out->max_lsn = read.head.lsn;
        offset = read.next;
    }
    return AKIDB_OK;
}

akidb_status ak_wal_reader_looks_torn(ak_wal_reader *reader, uint64_t offset, uint64_t size,
                                      bool *torn_out, akidb_error *err)
{
    *torn_out = !ak_range_fits(offset, size, reader->size);
    uint64_t end = offset + size;
    /* The last byte of a head is never zero; of a payload, a few may well be. */
    uint64_t tail = size == AK_WAL_RECORD_HEAD ? 1 : 8;
    for (uint64_t at = offset; at < end && !*torn_out;) {
        uint64_t sector_end = (at / AK_WAL_SECTOR + 1) * AK_WAL_SECTOR;
        uint64_t part = (sector_end < end ? sector_end : end) - at;
        akidb_slice bytes;
        akidb_status status = ak_wal_reader_bytes(reader, at, part, &bytes, err);
        if (status != AKIDB_OK)
            return status;
        const uint8_t *data = bytes.data;
        *torn_out = all_zero(data, bytes.size) ||
                    (at + part == end && all_zero(data + part - tail, (size_t)tail));
        at += part;
    }
    return AKIDB_OK;
}
