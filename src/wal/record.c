#include "wal/record.h"

#include <string.h>

#include "base/checksum.h"
#include "base/endian.h"

/* Entries are counted from 1. None was ever given a greater number, whose successors would wrap. */
#define LSN_MAX ((uint64_t)INT64_MAX)

/* ---- segment --------------------------------------------------------------------------------- */

static const char segment_magic[8] = {'A', 'K', 'I', 'D', 'B', 'W', 'A', 'L'};

/* Where the fields lie. Every version keeps the magic, the version and the checksum in place, so
 * that a later version can be told from damage. */
enum {
    SEGMENT_VERSION = 8,
    SEGMENT_FLAGS = 12,
    SEGMENT_LOG_ID = 16,
    SEGMENT_NUMBER = 32,
    SEGMENT_FIRST_LSN = 40,
    SEGMENT_CREATED = 48,
    SEGMENT_PREVIOUS_END = 56,
    SEGMENT_CRC = 60
};

void ak_wal_segment_head_write(ak_wal_segment_head *head, uint8_t bytes_out[AK_WAL_SEGMENT_HEAD])
{
    memcpy(bytes_out, segment_magic, sizeof segment_magic);
    ak_store_u32(bytes_out + SEGMENT_VERSION, AK_WAL_VERSION);
    ak_store_u32(bytes_out + SEGMENT_FLAGS, head->flags);
    memcpy(bytes_out + SEGMENT_LOG_ID, head->log_id, sizeof head->log_id);
    ak_store_u64(bytes_out + SEGMENT_NUMBER, head->number);
    ak_store_u64(bytes_out + SEGMENT_FIRST_LSN, head->first_lsn);
    ak_store_u64(bytes_out + SEGMENT_CREATED, head->created_ms);
    ak_store_u32(bytes_out + SEGMENT_PREVIOUS_END, head->previous_end);
    head->crc = ak_crc32c(0, bytes_out, SEGMENT_CRC);
    ak_store_u32(bytes_out + SEGMENT_CRC, head->crc);
}

ak_wal_head_state ak_wal_segment_head_read(const uint8_t bytes[AK_WAL_SEGMENT_HEAD],
                                           ak_wal_segment_head *head_out, uint32_t *version_out)
{
    *head_out = (ak_wal_segment_head){0};
    *version_out = ak_load_u32(bytes + SEGMENT_VERSION);
    uint32_t crc = ak_crc32c(0, bytes, SEGMENT_CRC);
    if (memcmp(bytes, segment_magic, sizeof segment_magic) != 0 ||
        crc != ak_load_u32(bytes + SEGMENT_CRC))
        return AK_WAL_HEAD_BAD;
    head_out->flags = ak_load_u32(bytes + SEGMENT_FLAGS);
    if (*version_out != AK_WAL_VERSION || (head_out->flags & ~AK_WAL_REWRITTEN) != 0)
        return AK_WAL_HEAD_UNKNOWN_VERSION;
    memcpy(head_out->log_id, bytes + SEGMENT_LOG_ID, sizeof head_out->log_id);
    head_out->number = ak_load_u64(bytes + SEGMENT_NUMBER);
    head_out->first_lsn = ak_load_u64(bytes + SEGMENT_FIRST_LSN);
    head_out->created_ms = ak_load_u64(bytes + SEGMENT_CREATED);
    head_out->previous_end = ak_load_u32(bytes + SEGMENT_PREVIOUS_END);
    head_out->crc = crc;
    bool is_lsn = head_out->first_lsn != 0 && head_out->first_lsn <= LSN_MAX;
    return is_lsn ? AK_WAL_HEAD_GOOD : AK_WAL_HEAD_BAD;
}

/* ---- record ---------------------------------------------------------------------------------- */

/* The kind comes last, with bits that are always set: a head whose last byte is 0 was cut short,
 * and no single flipped bit makes a whole one look like that. */
enum {
    KIND_MARK = 0xA0,
    KIND_MASK = 0x0F,

    RECORD_CRC = 0,
    RECORD_SIZE = 4,
    RECORD_LSN = 8,
    RECORD_DURABLE = 16,
    RECORD_HEAD_CRC = 24,
    RECORD_ZERO = 28,
    RECORD_FLAGS = 30,
    RECORD_KIND = 31
};

uint32_t ak_wal_segment_seed(const uint8_t log_id[16], uint64_t number)
{
    uint32_t seed = ak_crc32c(0, log_id, 16);
    return ak_crc32c(seed, &number, sizeof number);
}

/* Over all of the head but the two checksums. */
static uint32_t head_crc(const uint8_t *bytes, uint32_t segment_seed, uint64_t offset)
{
    uint8_t
        covered[sizeof offset + RECORD_HEAD_CRC - RECORD_SIZE + AK_WAL_RECORD_HEAD - RECORD_ZERO];
    memcpy(covered, &offset, sizeof offset);
    memcpy(covered + 8, bytes + RECORD_SIZE, RECORD_HEAD_CRC - RECORD_SIZE);
    memcpy(covered + 28, bytes + RECORD_ZERO, AK_WAL_RECORD_HEAD - RECORD_ZERO);
    return ak_crc32c(segment_seed, covered, sizeof covered);
}

uint32_t ak_wal_record_write(ak_wal_record_head *head, uint32_t segment_seed, uint64_t offset,
                             uint8_t *record)
{
    ak_store_u32(record + RECORD_SIZE, head->size);
    ak_store_u64(record + RECORD_LSN, head->lsn);
    ak_store_u64(record + RECORD_DURABLE, head->durable);
    ak_store_u32(record + RECORD_ZERO, 0);
    record[RECORD_FLAGS] = head->flags;
    record[RECORD_KIND] = (uint8_t)(KIND_MARK | head->kind);
    uint32_t crc = head_crc(record, segment_seed, offset);
    ak_store_u32(record + RECORD_HEAD_CRC, crc);
    head->crc = ak_crc32c(crc, record + AK_WAL_RECORD_HEAD, (size_t)ak_wal_padded(head->size));
    ak_store_u32(record + RECORD_CRC, head->crc);
    return head->crc;
}

bool ak_wal_record_head_read(const uint8_t bytes[AK_WAL_RECORD_HEAD], uint32_t segment_seed,
                             uint64_t offset, ak_wal_record_head *head_out)
{
    head_out->crc = ak_load_u32(bytes + RECORD_CRC);
    head_out->size = ak_load_u32(bytes + RECORD_SIZE);
    head_out->lsn = ak_load_u64(bytes + RECORD_LSN);
    head_out->durable = ak_load_u64(bytes + RECORD_DURABLE);
    head_out->flags = bytes[RECORD_FLAGS];
    head_out->kind = bytes[RECORD_KIND] & KIND_MASK;
    return (bytes[RECORD_KIND] & ~KIND_MASK) == KIND_MARK && head_out->lsn <= LSN_MAX &&
           head_out->size <= AK_WAL_RECORD_MAX_PAYLOAD && ak_load_u16(bytes + RECORD_ZERO) == 0 &&
           ak_load_u32(bytes + RECORD_HEAD_CRC) == head_crc(bytes, segment_seed, offset);
}

bool ak_wal_record_verify(const ak_wal_record_head *head, const uint8_t *record)
{
    uint32_t crc = ak_load_u32(record + RECORD_HEAD_CRC); /* is right, and stands for the seed */
    return ak_crc32c(crc, record + AK_WAL_RECORD_HEAD, (size_t)ak_wal_padded(head->size)) ==
           head->crc;
}

uint32_t ak_wal_chain(uint32_t chain, uint32_t record_crc)
{
    return ak_crc32c(chain, &record_crc, sizeof record_crc);
}

/* ---- seal ------------------------------------------------------------------------------------ */

void ak_wal_seal_write(const ak_wal_seal *seal, uint8_t payload_out[AK_WAL_SEAL_PAYLOAD])
{
    ak_store_u64(payload_out, seal->records);
    ak_store_u64(payload_out + 8, seal->last_lsn);
    ak_store_u32(payload_out + 16, seal->chain);
    ak_store_u32(payload_out + 20, 0);
}

bool ak_wal_seal_read(akidb_slice payload, ak_wal_seal *seal_out)
{
    if (payload.size != AK_WAL_SEAL_PAYLOAD)
        return false;
    const uint8_t *bytes = payload.data;
    seal_out->records = ak_load_u64(bytes);
    seal_out->last_lsn = ak_load_u64(bytes + 8);
    seal_out->chain = ak_load_u32(bytes + 16);
    return ak_load_u32(bytes + 20) == 0;
}
