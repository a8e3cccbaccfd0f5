#ifndef AK_TEST_WAL_MODEL_H
#define AK_TEST_WAL_MODEL_H
/* What a log must hold: every entry that was acknowledged, none that was not appended, each once
 * and whole. An entry's bytes follow from a number that is drawn for it. */
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "wal/wal.h"

enum { WAL_MODEL_MAX = 4096 };

typedef struct wal_model {
    uint64_t seeds[WAL_MODEL_MAX]; /* by LSN: of what was appended last with it */
    uint32_t sizes[WAL_MODEL_MAX];
    uint64_t begun; /* LSNs up to this were handed out */
    uint64_t acknowledged;
    uint64_t removed_before; /* entries that may be missing at the front */
    bool may_skip;           /* LSNs, where a recovery dropped entries */
    uint64_t next;           /* of the replay */
    const char *wrong;       /* what the replay broke; NULL: nothing */
} wal_model;

static inline void wal_model_payload(uint64_t seed, uint32_t size, uint8_t *bytes)
{
    for (uint32_t i = 0; i < size; i += 8) {
        uint64_t word = test_random(&seed);
        memcpy(bytes + i, &word, size - i < 8 ? size - i : 8);
    }
}

/* Begins an entry and notes it. The kind follows from the seed too. */
static inline akidb_status wal_model_begin(wal_model *m, ak_wal *wal, uint64_t seed, uint32_t size,
                                           uint64_t *lsn_out, akidb_error *err)
{
    uint8_t *bytes = malloc(size + 8u);
    assert_non_null(bytes);
    wal_model_payload(seed, size, bytes);
    /* In two slices, and an empty one. */
    akidb_slice slices[3] = {{bytes, size / 3}, {NULL, 0}, {bytes + size / 3, size - size / 3}};
    akidb_status status = ak_wal_begin(wal, (ak_wal_kind)(1 + seed % 6), slices, 3, lsn_out, err);
    free(bytes);
    if (status != AKIDB_OK)
        return status;
    assert_true(*lsn_out < WAL_MODEL_MAX);
    m->seeds[*lsn_out] = seed;
    m->sizes[*lsn_out] = size;
    m->begun = *lsn_out;
    return AKIDB_OK;
}

/* To be called before a replay. */
static inline void wal_model_start(wal_model *m)
{
    m->next = 0;
    m->wrong = NULL;
}

/* The visitor. Says what is wrong by m->wrong, since a failing visitor would look like a failing
 * log. */
static inline akidb_status wal_model_visit(void *context, uint64_t lsn, ak_wal_kind kind,
                                           akidb_slice payload, akidb_error *err)
{
    (void)err;
    wal_model *m = context;
    if (m->next != 0 && (m->may_skip ? lsn < m->next : lsn != m->next))
        m->wrong = "an LSN is missing or comes twice";
    m->next = lsn + 1;
    if (lsn == 0 || lsn > m->begun) {
        m->wrong = "an entry was never appended";
        return AKIDB_OK;
    }
    uint8_t *bytes = malloc(payload.size + 8u);
    assert_non_null(bytes);
    wal_model_payload(m->seeds[lsn], (uint32_t)payload.size, bytes);
    if (payload.size != m->sizes[lsn] || (ak_wal_kind)(1 + m->seeds[lsn] % 6) != kind ||
        (payload.size > 0 && memcmp(bytes, payload.data, payload.size) != 0))
        m->wrong = "an entry is not what was appended";
    free(bytes);
    return AKIDB_OK;
}

/* After a replay: what is wrong, or NULL. What was replayed counts as acknowledged from now on. */
static inline const char *wal_model_finish(wal_model *m, const ak_wal_report *report)
{
    if (m->wrong != NULL)
        return m->wrong;
    if (report->last_lsn < m->acknowledged && m->acknowledged >= m->removed_before)
        return "an acknowledged entry at the end is missing";
    if (report->first_lsn > (m->removed_before > 1 ? m->removed_before : 1))
        return "an acknowledged entry at the front is missing";
    if (m->next != (report->last_lsn == 0 ? 0 : report->last_lsn + 1))
        return "the report counts other entries than were replayed";
    if (report->last_lsn != 0)
        m->begun = m->acknowledged = report->last_lsn;
    else
        m->begun = m->acknowledged;
    return NULL;
}

#endif
