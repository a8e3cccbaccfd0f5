#ifndef AK_STORAGE_BASE_H
#define AK_STORAGE_BASE_H
/*
 * The snapshot that a warm or a cold collection is read from where it lies.
 *
 *   Copies   The object store has it; a warm collection has a copy of the same bytes in DATA/warm,
 *            its local copy. What cannot be read from the local copy, or is damaged there, is read
 *            from the store; from then on the copy counts as damaged, until it is made again.
 *   Memory   At first use the tails of its files, and for a warm one the index of its rows; pages
 *            come and go in the storage's cache.
 *   Life     Counted: who reads it keeps it. A snapshot that is kept is not removed by retention,
 *            and the files of a local copy are removed with its last reference, if it was given up.
 *   Locks    No lock of a storage is held during any call here; those that say so do I/O.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "snapshot/rows.h"
#include "storage/catalogue.h"
#include "storage/row_index.h"

typedef struct akidb_storage akidb_storage;

/* A snapshot's files in DATA/warm. */
typedef struct ak_local {
    akidb_uuid collection, snapshot;
    uint64_t bytes;
    _Atomic bool damaged; /* nobody reads it any more */
    /* under bases_lock */
    uint32_t references;
    bool given_up; /* the files go with the last reference */
    bool removing; /* they are going */
    struct ak_local *next;
} ak_local;

enum { AK_SIDE_LOCAL, AK_SIDE_STORE, AK_SIDES };

/* Of the tables of bases and of local copies. */
enum { AK_BASE_BUCKETS = 4096 };

typedef struct ak_base {
    _Atomic uint32_t references;
    akidb_storage *storage;
    ak_catalogue_collection of; /* which snapshot of which collection, and how large */
    ak_local *local;            /* NULL: cold */
    pthread_mutex_t opening;    /* who reads the tails; others wait for him */
    _Atomic(ak_snapshot_rows *) opened[AK_SIDES];
    pthread_mutex_t indexing; /* who loads the index; likewise */
    _Atomic(ak_row_index *) index;
    _Atomic uint64_t bytes; /* of memory; part of the storage's count */
    struct ak_base *next;   /* under bases_lock */
} ak_base;

/* ---- base.c ---------------------------------------------------------------------------------- */

/* Claims the local copy of a snapshot, whose files may be there already or be made now; waits while
 * they are being removed. */
AKIDB_CHECK akidb_status ak_local_claim(akidb_storage *storage, const ak_catalogue_collection *of,
                                        ak_local **local_out, akidb_error *err);
/* I/O. NULL is fine. */
void ak_local_release(akidb_storage *storage, ak_local *local);
void ak_local_give_up(akidb_storage *storage, ak_local *local); /* before a release */

/* Takes over a reference to `local` (NULL: cold), whatever the outcome. */
AKIDB_CHECK akidb_status ak_base_new(akidb_storage *storage, const ak_catalogue_collection *of,
                                     ak_local *local, ak_base **base_out, akidb_error *err);
void ak_base_retain(ak_base *base);
void ak_base_release(ak_base *base); /* I/O. NULL is fine */

/* Whether a snapshot is kept by anybody. */
bool ak_base_exists(akidb_storage *storage, const akidb_uuid *snapshot);

/* Whether its local copy is there and good, for all that is known. */
bool ak_base_is_local(const ak_base *base);

/* Whether a failure says that the local copy cannot be used. */
bool ak_is_local_failure(akidb_status status);

/* The local copy is damaged: counts and logs that, the first time. */
void ak_base_note_damage(ak_base *base, const akidb_error *problem);

/* ---- base_read.c, base_many.c: all do I/O, by base_pages.h ----------------------------------- */

/* NULL: it has not been loaded. */
const ak_row_index *ak_base_index(const ak_base *base);
AKIDB_CHECK akidb_status ak_base_load_index(ak_base *base, akidb_error *err);

/* Appends the document with this id, if it is there. */
AKIDB_CHECK akidb_status ak_base_get(ak_base *base, const akidb_uuid *id,
                                     akidb_documents *documents, bool *found_out, akidb_error *err);

/* The same for many ids, of a base that the store serves: several requests at once, and no page is
 * fetched twice. Appends in no particular order; places_out[i] is the row of ids[i] in `documents`,
 * or SIZE_MAX. On failure, which is that of the first row group that failed, `documents` have some
 * of them. */
AKIDB_CHECK akidb_status ak_base_get_many(ak_base *base, const akidb_uuid *ids, size_t count,
                                          akidb_documents *documents, size_t *places_out,
                                          akidb_error *err);

/* Appends the documents with this external id, in no particular order. */
AKIDB_CHECK akidb_status ak_base_get_external(ak_base *base, akidb_slice text,
                                              akidb_documents *documents, akidb_error *err);

/* Whether its times are stored in microseconds. */
AKIDB_CHECK akidb_status ak_base_in_micros(ak_base *base, bool *result_out, akidb_error *err);

/* The metadata of the snapshot as one side has it, checked to be the one that is meant. */
AKIDB_CHECK akidb_status ak_base_metadata(const akidb_storage *storage,
                                          akidb_snapshotter *snapshotter,
                                          const ak_catalogue_collection *of,
                                          akidb_snapshot_metadata **metadata_out, akidb_error *err);

#endif
