#ifndef AK_WAL_TAIL_H
#define AK_WAL_TAIL_H
/* The end of a segment, where records are put: what must be known to make the next one. Pure: the
 * bytes go into memory with enough room. */
#include "wal/record.h"

typedef struct ak_wal_tail {
    uint64_t number; /* of the segment */
    uint64_t offset; /* of the next record */
    uint64_t records;
    uint32_t chain;
    uint32_t seed;
} ak_wal_tail;

/* Slices, as far as they have not been used. */
typedef struct ak_wal_source {
    const akidb_slice *slices;
    size_t skip; /* bytes of the first that were used */
} ak_wal_source;

/* Begins a segment: fills in the head's checksum and writes AK_WAL_SEGMENT_HEAD bytes. */
ak_wal_tail ak_wal_tail_begin(ak_wal_segment_head *head, uint8_t *to);

/* Writes a record with the next head->size bytes of the source: ak_wal_record_bytes(head->size). */
void ak_wal_tail_record(ak_wal_tail *tail, ak_wal_record_head *head, ak_wal_source *source,
                        uint8_t *to);

/* Ends the segment: AK_WAL_SEAL_BYTES. */
void ak_wal_tail_seal(ak_wal_tail *tail, uint64_t last_lsn, uint64_t durable, uint8_t *to);

#endif
