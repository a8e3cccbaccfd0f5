#ifndef AK_STORAGE_CONTENTS_H
#define AK_STORAGE_CONTENTS_H
/*
 * The documents of one collection in memory.
 *
 *   Rows     lie column by column in chunks, and are only ever added at the end. A row that was
 *            replaced or deleted stays where it is and is marked with the LSN that did it.
 *   Views    A view is the list of chunks, and how many rows each had, at one moment, with the LSN
 *            of that moment: it sees the rows that no LSN up to its own has marked. Chunks are
 *            counted, so that a view may outlive the contents; rows do not move under it.
 *   Room     ak_contents_reserve promises room, so that what the log has accepted can be applied
 *            without any allocation that may fail.
 *   Threads  The caller holds a lock: for writing where the contents are not const. A view needs
 *            none once it is taken.
 */
#include <stdatomic.h>

#include "akidb/batch.h"
#include "storage/index.h"
#include "storage/log_entry.h"

typedef struct ak_chunk ak_chunk;
typedef struct ak_text ak_text;

typedef struct ak_contents {
    uint32_t dimension;
    _Atomic uint64_t *memory; /* bytes of all contents of a storage; not owned */
    uint64_t hash_seed;
    ak_chunk **chunks; /* a NULL was emptied by compaction; its place is used again */
    size_t chunk_count, chunk_capacity;
    size_t *spares; /* the places of chunks without rows, the next to be filled last */
    size_t spare_count, spare_capacity;
    size_t current;  /* the place of the chunk that is being filled; SIZE_MAX: none */
    size_t room;     /* rows that fit into the current chunk and the spares */
    size_t reserved; /* of them promised */
    uint64_t live;
    uint64_t kills;    /* rows that died since a compaction found nothing to do */
    ak_index ids;      /* every row that is alive, by document id */
    ak_index external; /* the first row of each external id; more are linked to it */
} ak_contents;

/* `memory` must outlive the contents and every view of them. */
AKIDB_CHECK akidb_status ak_contents_new(uint32_t dimension, uint64_t hash_seed,
                                         _Atomic uint64_t *memory, ak_contents **contents_out,
                                         akidb_error *err);
void ak_contents_free(ak_contents *contents);

/* Promises room for `rows` rows more. AKIDB_E_LIMIT when *memory would pass `limit` (0: none). */
AKIDB_CHECK akidb_status ak_contents_reserve(ak_contents *contents, size_t rows, uint64_t limit,
                                             akidb_error *err);
void ak_contents_unreserve(ak_contents *contents, size_t rows);

/* Texts of rows on their way into contents, one block for each row or NULL. */
typedef struct ak_row_texts {
    ak_text **blocks;
    size_t count;
    uint64_t bytes;
} ak_row_texts;

AKIDB_CHECK akidb_status ak_row_texts_make(ak_row_texts *texts, const ak_log_rows *rows,
                                           akidb_error *err);
void ak_row_texts_free(ak_row_texts *texts);

/* Inserts or replaces rows for which there is room; shares the blocks of the texts. */
void ak_contents_upsert(ak_contents *contents, const ak_log_rows *rows, const ak_row_texts *texts,
                        uint64_t lsn);

/* Deletes the rows of `count` ids of 16 bytes each; returns how many were there. */
uint64_t ak_contents_delete(ak_contents *contents, const uint8_t *ids, size_t count, uint64_t lsn);

/* Reserves room and inserts at once: for filling contents that nobody else sees yet. */
AKIDB_CHECK akidb_status ak_contents_load(ak_contents *contents, const ak_log_rows *rows,
                                          uint64_t lsn, uint64_t limit, akidb_error *err);

/* Inserts or replaces all living rows of `from`, for which there is room. For contents that nobody
 * else sees yet. */
void ak_contents_merge(ak_contents *contents, const ak_contents *from);

/* Takes back memory of dead rows, in one chunk at most. `lsn` is that of the write that was applied
 * last: no view has been taken since. */
void ak_contents_compact(ak_contents *contents, uint64_t lsn);

uint64_t ak_contents_bytes(const ak_contents *contents);

bool ak_contents_has(const ak_contents *contents, const akidb_uuid *id);

/* Appends the document with this id, if it is there. */
AKIDB_CHECK akidb_status ak_contents_get(const ak_contents *contents, const akidb_uuid *id,
                                         akidb_documents *documents, bool *found_out,
                                         akidb_error *err);

/* Appends the documents with this external id, in the order of their ids. */
AKIDB_CHECK akidb_status ak_contents_get_external(const ak_contents *contents, akidb_slice text,
                                                  akidb_documents *documents, size_t *found_out,
                                                  akidb_error *err);

/* ---- views ----------------------------------------------------------------------------------- */

typedef struct ak_view_chunk {
    ak_chunk *chunk;
    uint32_t rows;
} ak_view_chunk;

typedef struct ak_view {
    uint32_t dimension;
    uint64_t lsn;
    uint64_t live;
    ak_view_chunk *chunks;
    size_t count;
    size_t at;    /* where ak_view_next goes on */
    uint32_t row; /* likewise, in that chunk */
} ak_view;

/* `lsn`: all writes up to it have been applied, and none after it. */
AKIDB_CHECK akidb_status ak_view_take(const ak_contents *contents, uint64_t lsn, ak_view *view_out,
                                      akidb_error *err);
void ak_view_free(ak_view *view);

/* Appends at most max_rows next documents; none: there are no more. On failure none was appended,
 * and the view stands where it stood. */
AKIDB_CHECK akidb_status ak_view_next(ak_view *view, size_t max_rows, akidb_documents *documents,
                                      akidb_error *err);

/* Whether a time in the view has finer digits than milliseconds. */
bool ak_view_needs_micros(const ak_view *view);

#endif
