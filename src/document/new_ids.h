#ifndef AK_DOCUMENT_NEW_IDS_H
#define AK_DOCUMENT_NEW_IDS_H
/* New document ids: UUIDs of version 7 (RFC 9562, section 5.7), which sort by the time of their
 * making; so tables of them stay in order, and a snapshot's check for duplicates has nothing to do.
 * Within one millisecond the random bits go on counting in random steps (section 6.2, method 2). */
#include "akidb/base.h"

/* What a maker of ids remembers, so that later ids sort after earlier ones even when the clock
 * stands or goes back. Start from {0}. One thread at a time. */
typedef struct ak_id_sequence {
    uint64_t milliseconds; /* of the last id */
    uint64_t high;         /* its random bits: 12 of them here, */
    uint64_t low;          /* and 62 here */
} ak_id_sequence;

/* Makes `count` ids, ascending and after all that the sequence gave before. `now` is microseconds
 * since the epoch. AKIDB_E_IO when there are no random numbers. */
AKIDB_CHECK akidb_status ak_id_sequence_take(ak_id_sequence *sequence, int64_t now,
                                             akidb_uuid *ids_out, size_t count, akidb_error *err);

/* `count` ascending ids at the system's time, with nothing remembered. */
AKIDB_CHECK akidb_status ak_new_ids(akidb_uuid *ids_out, size_t count, akidb_error *err);

#endif
