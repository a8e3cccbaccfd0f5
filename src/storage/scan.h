#ifndef AK_STORAGE_SCAN_H
#define AK_STORAGE_SCAN_H
/* All documents of a collection as it was at one moment, in whatever tier: those of its base that
 * the shadow does not hide, as a stream of row groups, and then a view of what lies in memory. What
 * it holds it keeps, whatever becomes of the collection. One thread at a time. */
#include "storage/storage.h"

typedef struct ak_scan {
    akidb_storage *storage;
    ak_route route; /* what the base is read through */
    uint64_t lsn;
    uint32_t dimension;
    uint64_t rows_max; /* no more documents will come */
    ak_base *base;     /* NULL: all lies in memory */
    ak_shadow *shadow; /* of the base */
    ak_view view;
    /* where it stands in the base */
    akidb_snapshot_reader *reader; /* NULL: not open */
    bool from_local;
    akidb_documents *group; /* what the reader gave last */
    akidb_documents *shown; /* and before that, if it is kept */
    bool keeps_shown;       /* what was shown stays until the call after the next one */
    bool group_is_shown;    /* with keeps_shown: by the last call, where it lies */
    size_t at;              /* the next row of it */
    uint64_t passed;        /* rows of the base before the group */
    bool base_done;
    size_t *rows; /* of a group, that are seen */
    size_t row_capacity;
} ak_scan;

/* The collection as it is now; the caller holds its lock. No I/O. `lsn` as ak_collection_lsn. */
AKIDB_CHECK akidb_status ak_scan_take(akidb_storage *storage, const ak_collection *collection,
                                      uint64_t lsn, ak_scan *scan_out, akidb_error *err);

/* The same, by who holds no lock. AKIDB_E_NOT_FOUND when it was dropped. */
AKIDB_CHECK akidb_status ak_scan_collection(akidb_storage *storage, ak_collection *collection,
                                            ak_scan *scan_out, akidb_error *err);
void ak_scan_end(ak_scan *scan); /* I/O. A zeroed one is fine */

/* Appends at most max_rows next documents; none: there are no more. On failure none was appended.
 * I/O when there is a base. */
AKIDB_CHECK akidb_status ak_scan_next(ak_scan *scan, size_t max_rows, akidb_documents *documents,
                                      akidb_error *err);

/* The next documents, about a row group of them, where they lie or, if they must be copied, in
 * `room`; until the next call, or with keeps_shown until the one after that, of which the room must
 * be another one. An empty batch: there are no more. After a failure only rewind and end are left.
 */
AKIDB_CHECK akidb_status ak_scan_show(ak_scan *scan, akidb_documents *room, akidb_batch *batch_out,
                                      akidb_error *err);

/* Begins again with the first document. */
void ak_scan_rewind(ak_scan *scan);

/* Whether a time of it may have finer digits than milliseconds. I/O when there is a base. */
AKIDB_CHECK akidb_status ak_scan_needs_micros(ak_scan *scan, bool *result_out, akidb_error *err);

#endif
