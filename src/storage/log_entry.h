#ifndef AK_STORAGE_LOG_ENTRY_H
#define AK_STORAGE_LOG_ENTRY_H
/*
 * Payloads of the log's entries: bytes to struct and back. Pure; docs/formats/catalogue.md has
 * every field. Each begins with the collection's id and its incarnation, 16 bytes each; numbers are
 * little-endian and lie at any address. What decode gives points into the payload.
 */
#include "akidb/batch.h"

enum { AK_COLLECTION_NAME_MAX = 255 };

/* A text of this size is null. */
#define AK_LOG_NULL UINT32_MAX

/* Documents, column by column; the pointers have no alignment. */
typedef struct ak_log_rows {
    size_t rows;
    uint32_t dimension;
    const uint8_t *ids;            /* 16 bytes each */
    const uint8_t *times;          /* i64 each */
    const uint8_t *vectors;        /* dimension x f32 each */
    const uint8_t *external_sizes; /* u32 each, AK_LOG_NULL for null; NULL: all are null */
    const uint8_t *metadata_sizes;
    const uint8_t *external_bytes; /* of all rows, one after the other */
    const uint8_t *metadata_bytes;
    uint64_t text_size; /* of both together */
} ak_log_rows;

/* What a CREATE, or a RESTORE that creates, says of a collection. */
typedef struct ak_log_collection {
    uint32_t dimension;
    bool has_name;
    char name[AK_COLLECTION_NAME_MAX + 1];
} ak_log_collection;

typedef enum ak_log_kind { /* the numbers of ak_wal_kind */
                           AK_LOG_CREATE = 1,
                           AK_LOG_DROP = 2,
                           AK_LOG_UPSERT = 3,
                           AK_LOG_DELETE = 4,
                           AK_LOG_RESTORE = 5,
                           AK_LOG_CHECKPOINT = 6
} ak_log_kind;

typedef struct ak_log_entry {
    ak_log_kind kind;
    akidb_uuid collection, incarnation;
    ak_log_collection created; /* CREATE, RESTORE */
    ak_log_rows rows;          /* UPSERT */
    const uint8_t *ids;        /* DELETE: 16 bytes each */
    size_t id_count;
    akidb_uuid snapshot; /* RESTORE, CHECKPOINT */
    bool creates;        /* RESTORE: makes the collection, too */
    uint64_t lsn;        /* CHECKPOINT: the snapshot holds all up to this one */
} ak_log_entry;

/* The columns of a batch whose ids and times are there; owns the copied texts. Start from {0}. */
typedef struct ak_log_columns {
    ak_log_rows rows;
    akidb_buffer external_sizes, metadata_sizes, external_bytes, metadata_bytes;
} ak_log_columns;

/* The batch must be valid; its fixed-width columns are borrowed. AKIDB_E_LIMIT: a text of 4 GiB. */
AKIDB_CHECK akidb_status ak_log_columns_take(ak_log_columns *columns, const akidb_batch *batch,
                                             akidb_error *err);
void ak_log_columns_free(ak_log_columns *columns);

enum { AK_LOG_SLICES_MAX = 8 };

/* The payload in pieces: `head` owns what is not borrowed from `entry`. Start `head` from {0}. */
AKIDB_CHECK akidb_status ak_log_encode(const ak_log_entry *entry, akidb_buffer *head,
                                       akidb_slice slices_out[AK_LOG_SLICES_MAX], size_t *count_out,
                                       akidb_error *err);

/* AKIDB_E_CORRUPTION says which length or value is wrong. The texts themselves are not looked at:
 * they were checked before they were written, and the log's checksum covers them. */
AKIDB_CHECK akidb_status ak_log_decode(ak_log_kind kind, akidb_slice payload,
                                       ak_log_entry *entry_out, akidb_error *err);

#endif
