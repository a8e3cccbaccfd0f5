#include "wal/tail.h"

#include <string.h>

#include "wal/wal.h"

ak_wal_tail ak_wal_tail_begin(ak_wal_segment_head *head, uint8_t *to)
{
    ak_wal_segment_head_write(head, to);
    return (ak_wal_tail){
        .number = head->number,
        .offset = AK_WAL_SEGMENT_HEAD,
        .chain = head->crc,
        .seed = ak_wal_segment_seed(head->log_id, head->number),
    };
}

static void take(ak_wal_source *source, uint8_t *to, size_t size)
{
    while (size > 0) {
        size_t left = source->slices->size - source->skip;
        size_t part = left < size ? left : size;
        if (part > 0)
            memcpy(to, (const uint8_t *)source->slices->data + source->skip, part);
        to += part;
        size -= part;
        source->skip += part;
        if (source->skip == source->slices->size) {
            source->slices++;
            source->skip = 0;
        }
    }
}

void ak_wal_tail_record(ak_wal_tail *tail, ak_wal_record_head *head, ak_wal_source *source,
                        uint8_t *to)
{
    uint8_t *payload = to + AK_WAL_RECORD_HEAD;
    take(source, payload, head->size);
    memset(payload + head->size, 0, (size_t)ak_wal_padded(head->size) - head->size);
    uint32_t crc = ak_wal_record_write(head, tail->seed, tail->offset, to);
    tail->chain = ak_wal_chain(tail->chain, crc);
    tail->records++;
    tail->offset += ak_wal_record_bytes(head->size);
}

void ak_wal_tail_seal(ak_wal_tail *tail, uint64_t last_lsn, uint64_t durable, uint8_t *to)
{
    ak_wal_seal seal = {tail->records, last_lsn, tail->chain};
    uint8_t payload[AK_WAL_SEAL_PAYLOAD];
    ak_wal_seal_write(&seal, payload);
    ak_wal_record_head head = {
        .size = sizeof payload, .lsn = last_lsn, .durable = durable, .kind = AK_WAL_SEAL};
    akidb_slice slice = {payload, sizeof payload};
    ak_wal_tail_record(tail, &head, &(ak_wal_source){&slice, 0}, to);
}
