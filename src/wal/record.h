#ifndef AK_WAL_RECORD_H
#define AK_WAL_RECORD_H
/*
 * The bytes of a segment, without I/O: its header, its records, its seal. docs/formats/wal.md has
 * the layout; this is its only reader and writer.
 *
 * A record's checksums begin with a seed made of log id, segment number and file offset, so that
 * bytes left over from another file, or written to another place, never verify. A record has two:
 * one over its head, so that the length is known to be good before it is used and a search for
 * records costs the same whatever is searched, and one over the head and all that follows.
 */
#include "akidb/base.h"

#define AK_WAL_VERSION 1u

enum {
    AK_WAL_SEGMENT_HEAD = 64,
    AK_WAL_RECORD_HEAD = 32,
    AK_WAL_RECORD_MAX_PAYLOAD = 1 << 20,
    AK_WAL_SEAL_PAYLOAD = 24,
    AK_WAL_SEAL_BYTES = AK_WAL_RECORD_HEAD + AK_WAL_SEAL_PAYLOAD,
    AK_WAL_SECTOR = 512 /* what a disk writes wholly or not at all */
};

/* Of a segment: recovery wrote it anew. It replaces all segments before it, and LSNs may jump
 * forward in it where entries were lost. */
#define AK_WAL_REWRITTEN 1u

typedef struct ak_wal_segment_head {
    uint32_t flags;
    uint8_t log_id[16];
    uint64_t number;       /* of the segment; from 1 */
    uint64_t first_lsn;    /* of the next entry that begins, here or later */
    uint64_t created_ms;   /* since the epoch; for people */
    uint32_t previous_end; /* the chain at the end of the segment before; 0: none before */
    uint32_t crc;          /* of this head; with it the chain of this segment begins */
} ak_wal_segment_head;

typedef enum ak_wal_head_state {
    AK_WAL_HEAD_GOOD,
    AK_WAL_HEAD_BAD,
    AK_WAL_HEAD_UNKNOWN_VERSION /* of a later library, undamaged; *version_out says which */
} ak_wal_head_state;

/* Fills in the checksum as well. */
void ak_wal_segment_head_write(ak_wal_segment_head *head, uint8_t bytes_out[AK_WAL_SEGMENT_HEAD]);

ak_wal_head_state ak_wal_segment_head_read(const uint8_t bytes[AK_WAL_SEGMENT_HEAD],
                                           ak_wal_segment_head *head_out, uint32_t *version_out);

/* A record's flags. */
enum { AK_WAL_FIRST = 1, AK_WAL_LAST = 2 };

typedef struct ak_wal_record_head {
    uint32_t crc;     /* over the head, from its size to its kind, and the padded payload */
    uint32_t size;    /* of the payload, in bytes */
    uint64_t lsn;     /* of its entry */
    uint64_t durable; /* the highest LSN that was known to be on the disk when it was written */
    uint8_t flags;
    uint8_t kind; /* below 16 */
} ak_wal_record_head;

/* The part of the seed that is the same for all records of a segment. */
uint32_t ak_wal_segment_seed(const uint8_t log_id[16], uint64_t number);

/* What a payload takes with the zeros that fill it up to a multiple of 8. */
static inline uint64_t ak_wal_padded(uint64_t size)
{
    return (size + 7) & ~UINT64_C(7);
}

static inline uint64_t ak_wal_record_bytes(uint32_t payload)
{
    return AK_WAL_RECORD_HEAD + ak_wal_padded(payload);
}

/* Completes a record whose payload lies, padded, behind the room for its head. Returns its
 * checksum, which is also in head->crc then. */
uint32_t ak_wal_record_write(ak_wal_record_head *head, uint32_t segment_seed, uint64_t offset,
                             uint8_t *record);

/* Whether these are the head of a record that was written at this place; its length may be used
 * then. Says nothing of the payload. */
bool ak_wal_record_head_read(const uint8_t bytes[AK_WAL_RECORD_HEAD], uint32_t segment_seed,
                             uint64_t offset, ak_wal_record_head *head_out);

/* Whether head and payload of the record whose head was read are as they were written. */
bool ak_wal_record_verify(const ak_wal_record_head *head, const uint8_t *record);

/* The chain ties a segment's records, their order and number together: it begins with the
 * segment's checksum and takes up each record's. */
uint32_t ak_wal_chain(uint32_t chain, uint32_t record_crc);

/* The last record of a segment that was filled. */
typedef struct ak_wal_seal {
    uint64_t records;  /* before it */
    uint64_t last_lsn; /* of the last entry that began before it */
    uint32_t chain;    /* before it */
} ak_wal_seal;

void ak_wal_seal_write(const ak_wal_seal *seal, uint8_t payload_out[AK_WAL_SEAL_PAYLOAD]);
bool ak_wal_seal_read(akidb_slice payload, ak_wal_seal *seal_out);

#endif
