#ifndef AK_WAL_READER_H
#define AK_WAL_READER_H
/*
 * Reads one segment at a time, in big blocks and without an allocation per record. What it says of
 * bytes is only what they are; what that means for the log is replay.c's to decide.
 */
#include "wal/segment.h"

typedef struct ak_wal_reader {
    const ak_wal_folder *folder;
    char name[AK_WAL_NAME_SIZE]; /* of the open segment */
    akidb_file file;
    bool open;
    uint64_t size; /* of the file */
    uint32_t seed;
    size_t capacity; /* of the window, in bytes */
    uint8_t *window; /* holds the bytes [start, start + filled) of the file */
    uint64_t start;
    size_t filled;
} ak_wal_reader;

/* For segments of `largest` bytes at most. */
AKIDB_CHECK akidb_status ak_wal_reader_new(ak_wal_reader *reader, const ak_wal_folder *folder,
                                           uint64_t largest, akidb_error *err);
void ak_wal_reader_free(ak_wal_reader *reader);

/* Closes the segment that was open, if any. The log id is given apart from the segment, since its
 * head may be damaged. */
AKIDB_CHECK akidb_status ak_wal_reader_open(ak_wal_reader *reader, const ak_wal_segment *segment,
                                            const uint8_t log_id[16], akidb_error *err);

typedef enum ak_wal_found {
    AK_WAL_FOUND_END,   /* zeros to the end of the file, or its end */
    AK_WAL_FOUND_BAD,   /* anything else */
    AK_WAL_FOUND_RECORD /* a whole record that was written for this place */
} ak_wal_found;

typedef struct ak_wal_read {
    ak_wal_found found;
    bool head_known; /* of what is bad */
    ak_wal_record_head head;
    akidb_slice payload; /* borrowed until the next call on the reader */
    uint64_t next;       /* offset behind a record */
} ak_wal_read;

/* Fails only when the file cannot be read. */
AKIDB_CHECK akidb_status ak_wal_reader_record(ak_wal_reader *reader, uint64_t offset,
                                              ak_wal_read *read_out, akidb_error *err);

/* Whole records found from an offset on, wherever they begin. */
typedef struct ak_wal_scan {
    bool found;
    uint64_t first;       /* offset of the first */
    uint64_t max_durable; /* of all */
    uint64_t max_lsn;
} ak_wal_scan;

AKIDB_CHECK akidb_status ak_wal_reader_scan(ak_wal_reader *reader, uint64_t offset,
                                            ak_wal_scan *scan_out, akidb_error *err);

/* The offset behind the last byte from `offset` on that is not zero; `offset` when all are. */
AKIDB_CHECK akidb_status ak_wal_reader_data_end(ak_wal_reader *reader, uint64_t offset,
                                                uint64_t *end_out, akidb_error *err);

/* Whether a record of `size` bytes (a head, if that is all that is known) may be what is left of a
 * write that was cut short: the part of it in some sector is still zero, or its end is, or the file
 * ends in it. Space is zero before it is written, so a record that was written as a whole and
 * damaged later does not look like this, unless its payload has such zeros of its own. */
AKIDB_CHECK akidb_status ak_wal_reader_looks_torn(ak_wal_reader *reader, uint64_t offset,
                                                  uint64_t size, bool *torn_out, akidb_error *err);

/* Up to `size` bytes at `offset`, at most a window's worth, fewer at the end of the file. */
AKIDB_CHECK akidb_status ak_wal_reader_bytes(ak_wal_reader *reader, uint64_t offset, uint64_t size,
                                             akidb_slice *bytes_out, akidb_error *err);

#endif
