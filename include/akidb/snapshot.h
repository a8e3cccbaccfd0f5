#ifndef AKIDB_SNAPSHOT_H
#define AKIDB_SNAPSHOT_H
/*
 * Snapshots: immutable copies of a collection in an object store, as Parquet or as JSON.
 *
 *   Exists    A snapshot exists if and only if its metadata object does. Parts are written first,
 *             the metadata last, by put-if-absent; delete removes the metadata first. So a crash at
 *             any moment leaves a whole snapshot, or none and leftovers that akidb_snapshot_gc
 *             removes.
 *   Sequence  create is begin, append, commit in one; restore is open, next, close in one.
 *   Threads   A snapshotter may be used by many threads at once; a writer or reader belongs to one
 *             thread at a time. Writers in several processes do not disturb each other.
 *   Memory    A stream holds (threads + 1) row groups, whatever the size of the snapshot.
 *   Errors    AKIDB_E_NOT_FOUND: no such snapshot, deleted meanwhile, or a part is missing (the
 *             message tells which). AKIDB_E_CORRUPTION: the metadata or a part is damaged.
 *             AKIDB_E_STORE, AKIDB_E_IO: unreachable.
 */
#include "akidb/batch.h"
#include "akidb/parquet.h"
#include "akidb/store.h"
#include "akidb/sys/clock.h"

AKIDB_BEGIN_DECLS

/* ---- metadata -------------------------------------------------------------------------------- */

typedef enum akidb_snapshot_format {
    AKIDB_FORMAT_DEFAULT = 0, /* parquet */
    AKIDB_FORMAT_PARQUET = 1,
    AKIDB_FORMAT_JSON = 2
} akidb_snapshot_format;

typedef struct akidb_label {
    const char *key;   /* 1 to 128 bytes of UTF-8; "name" holds the collection's given name */
    const char *value; /* at most 1,024 bytes of UTF-8 */
} akidb_label;

typedef struct akidb_snapshot_part {
    const char *key; /* the whole key in the store */
    /* rows, size and checksums. For Parquet, its row groups. For JSON, `row_groups` are blocks of
     * the stored bytes, in which `rows` is 0 and `small` is empty, and `tail` is empty. */
    akidb_parquet_summary summary;
} akidb_snapshot_part;

/* Everything known of a snapshot. Owns all that it points to. */
typedef struct akidb_snapshot_metadata {
    akidb_uuid snapshot_id;
    akidb_uuid collection_id;
    uint64_t vector_count;
    uint32_t dimension;
    int64_t created_at;  /* when it was begun; microseconds since the epoch */
    uint64_t size_bytes; /* of all parts together */
    akidb_compression compression;
    akidb_snapshot_format format;
    bool checked; /* false: written by a tool that stored no checksums (the old layout) */
    char writer_version[64];
    akidb_uuid writer_id; /* random for each write: tells one's own commit from another's */
    size_t label_count;
    const akidb_label *labels; /* sorted by key */
    size_t part_count;
    const akidb_snapshot_part *parts;
    const char *key;  /* of the metadata object itself */
    const char *text; /* the object's bytes as stored, unknown fields and all; NUL-terminated */
    /* Where in a storage backend's log the snapshot belongs; false: made without one. */
    bool has_lineage;
    akidb_uuid log_id;
    akidb_uuid incarnation; /* of the collection: random for each time it was created */
    uint64_t lsn;           /* it holds all writes up to this one, and none after */
    /* The profile that the writer was given, as akidb_profile_name has it, and what it made of
     * that: how the vectors are stored, and what other ways would have come to. NULL: no profile.
     */
    const char *profile;
    const char *profile_choice;
} akidb_snapshot_metadata;

AKIDB_API void akidb_snapshot_metadata_free(akidb_snapshot_metadata *metadata);

/* The value of a label, or NULL. Lives as long as the metadata. */
AKIDB_API const char *akidb_snapshot_label(const akidb_snapshot_metadata *metadata,
                                           const char *key);

/* ---- snapshotter ----------------------------------------------------------------------------- */

typedef enum akidb_layout {
    AKIDB_LAYOUT_DEFAULT = 0, /* one file when the rows are known and fit one part, else folder */
    AKIDB_LAYOUT_FILE = 1,    /* {snapshot_id}.parquet; AKIDB_E_LIMIT when it takes more parts */
    AKIDB_LAYOUT_FOLDER = 2   /* {snapshot_id}/part-00000.parquet, ... */
} akidb_layout;

typedef struct akidb_snapshotter_options {
    size_t struct_size;                   /* sizeof(akidb_snapshotter_options) */
    akidb_snapshot_format format;         /* what create writes; every format is read */
    const akidb_parquet_options *parquet; /* NULL: all defaults. For JSON, `compression` and its
                                             level are used and nothing else; there the default is
                                             none, and a profile is AKIDB_E_VALIDATION */
    akidb_layout layout;                  /* Parquet only */
    uint64_t part_rows;                   /* at most so many rows in a part; 0: no such limit */
    uint64_t part_bytes;                  /* at most about so many bytes in a part; default 4 GiB */
    unsigned threads;                     /* default 1 */
    const char *temporary_folder;         /* for what memory cannot hold; default TMPDIR or /tmp */
    const akidb_clock *clock;             /* default: the system's */
    akidb_hooks hooks;
} akidb_snapshotter_options;

typedef struct akidb_snapshotter akidb_snapshotter;

/* The store must outlive the snapshotter. Strings in the options are copied. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshotter_open(akidb_store *store,
                                                          const akidb_snapshotter_options *options,
                                                          akidb_snapshotter **snapshotter_out,
                                                          akidb_error *err);
AKIDB_API void akidb_snapshotter_close(akidb_snapshotter *snapshotter);

/* ---- create ---------------------------------------------------------------------------------- */

typedef struct akidb_create_options {
    size_t struct_size;        /* sizeof(akidb_create_options) */
    const akidb_label *labels; /* copied */
    size_t label_count;
    bool allow_empty;   /* a snapshot of no documents is AKIDB_E_VALIDATION otherwise */
    bool trust_ids;     /* the caller promises that no document id comes twice: no check */
    uint64_t rows_hint; /* how many documents will come; 0: unknown. Chooses the layout */
} akidb_create_options;

/* Writes a snapshot of one batch. AKIDB_E_VALIDATION when the batch breaks a rule of akidb/batch.h
 * or a document id comes twice (the error names it); then nothing is stored.
 * `metadata_out` may be NULL; otherwise it is yours to free. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_create(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_batch *batch,
    const akidb_create_options *options, akidb_uuid *snapshot_id_out,
    akidb_snapshot_metadata **metadata_out, akidb_error *err);

typedef struct akidb_snapshot_writer akidb_snapshot_writer;

/* Begins a snapshot. The snapshotter must outlive the writer. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_begin(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, uint32_t dimension,
    const akidb_create_options *options, akidb_snapshot_writer **writer_out, akidb_error *err);

/* Adds documents; the batch is borrowed for the call. A batch that breaks a rule changes nothing
 * and the writer goes on; after any other failure only abort is left. Whether an id came twice may
 * be said as late as commit. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_append(akidb_snapshot_writer *writer,
                                                         const akidb_batch *batch,
                                                         akidb_error *err);

/* Makes the snapshot exist, and frees the writer whatever the outcome. AKIDB_E_VALIDATION: an id
 * came twice, or no documents came. AKIDB_E_UNCERTAIN: the answer to the commit was lost and could
 * not be read back; it may exist, nothing was cleaned up. AKIDB_E_PRECONDITION: the write took
 * long, and a part was removed as a leftover. Otherwise a failure leaves no snapshot. Each output
 * may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_commit(akidb_snapshot_writer *writer,
                                                         akidb_uuid *snapshot_id_out,
                                                         akidb_snapshot_metadata **metadata_out,
                                                         akidb_error *err);

/* Removes what was written and frees the writer. NULL is fine. */
AKIDB_API void akidb_snapshot_abort(akidb_snapshot_writer *writer);

/* ---- restore --------------------------------------------------------------------------------- */

/* Which documents, and which of their fields. A document is taken if it is named (by `ids` or by
 * `external_ids`; all are, when both are empty) and its time lies within the range. */
typedef struct akidb_filter {
    size_t struct_size;    /* sizeof(akidb_filter) */
    const akidb_uuid *ids; /* borrowed until the reader is closed, as all pointers here */
    size_t id_count;
    const akidb_slice *external_ids;
    size_t external_id_count;
    const int64_t *inserted_from;  /* at or after; NULL: no bound */
    const int64_t *inserted_until; /* before; NULL: no bound */
    unsigned columns;              /* akidb_column bits; 0: all. The document id always comes */
    uint64_t limit;                /* at most so many documents; 0: no limit */
} akidb_filter;

/* All documents that the filter takes (NULL: all), in the order in which they were written. Every
 * byte is checked against the stored checksums before the call succeeds. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_restore(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    const akidb_filter *filter, akidb_documents **documents_out, akidb_error *err);

/* Arrays of the caller that documents are restored into: a NumPy array, memory of a device, a
 * mapped file. Zero all, then set what there is. */
typedef struct akidb_restore_target {
    size_t struct_size;       /* sizeof(akidb_restore_target) */
    size_t capacity;          /* rows that each array has room for */
    uint32_t dimension;       /* floats of a row of `vectors` */
    float *vectors;           /* capacity x dimension, row-major, without gaps; NULL: not read */
    akidb_uuid *document_ids; /* NULL: not wanted */
    int64_t *inserted_at;     /* microseconds since the epoch; NULL: not read */
} akidb_restore_target;

/* akidb_snapshot_restore into the caller's arrays. Floats that are stored as they are go from the
 * store straight into `vectors`. *rows_out tells how many rows were filled, from the first on; of
 * the filter's columns those are read that the target has room for. `documents_out` (NULL: texts
 * are not read) is a view of all of it, which owns external ids and metadata and borrows the
 * arrays. AKIDB_E_VALIDATION when the snapshot's dimension is not the target's, AKIDB_E_LIMIT when
 * more documents would come than there is room for: before anything is read, if no condition of the
 * filter is needed to know. On failure the arrays hold anything. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_restore_into(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    const akidb_filter *filter, const akidb_restore_target *target, size_t *rows_out,
    akidb_documents **documents_out, akidb_error *err);

/* The documents that the filter names by id or external id, as akidb_snapshot_restore would give
 * them, but read piece by piece and never a whole part: of a Parquet snapshot the metadata, the
 * tail of each part until all are found, the ids and texts of each row group that may hold one, and
 * a page of vectors for each. One document of a single part takes four calls to the store; each
 * byte is checked as ever. Without Bloom filters (other options, other versions) every row group's
 * ids may be read; a JSON snapshot, or one without checksums, is read whole. What is not there does
 * not come, and is no error. AKIDB_E_VALIDATION when the filter names no ids. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_get(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    const akidb_filter *filter, akidb_documents **documents_out, akidb_error *err);

typedef struct akidb_snapshot_reader akidb_snapshot_reader;

AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_open(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    const akidb_filter *filter, akidb_snapshot_reader **reader_out, akidb_error *err);

/* Replaces the contents of `documents` (made with the reader's dimension) by the next ones, about a
 * row group for each thread; *done_out is true, and no documents come, after the last. What next
 * gives has been checked. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_next(akidb_snapshot_reader *reader,
                                                       akidb_documents *documents, bool *done_out,
                                                       akidb_error *err);
AKIDB_API const akidb_snapshot_metadata *
akidb_snapshot_reader_metadata(const akidb_snapshot_reader *reader); /* until it is closed */
AKIDB_API void akidb_snapshot_close(akidb_snapshot_reader *reader);

/* ---- what is there --------------------------------------------------------------------------- */

AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_get_metadata(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    akidb_snapshot_metadata **metadata_out, akidb_error *err);

/* A snapshot in a list. A damaged one is listed too: `metadata` is then NULL and `problem` says
 * what is wrong with its metadata object. */
typedef struct akidb_snapshot_entry {
    akidb_uuid snapshot_id;
    akidb_snapshot_metadata *metadata; /* owned by the list */
    akidb_error problem;               /* .status is AKIDB_OK when metadata is there */
} akidb_snapshot_entry;

typedef struct akidb_snapshot_list {
    size_t count;
    akidb_snapshot_entry *entries; /* newest first, ties by id; damaged ones last */
} akidb_snapshot_list;

AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_list_all(akidb_snapshotter *snapshotter,
                                                           const akidb_uuid *collection_id,
                                                           akidb_snapshot_list *list_out,
                                                           akidb_error *err);
AKIDB_API void akidb_snapshot_list_free(akidb_snapshot_list *list);

/* The collections that have a snapshot, in the order of their ids. `ids_out` is freed with free().
 */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_collections(akidb_snapshotter *snapshotter,
                                                              akidb_uuid **ids_out,
                                                              size_t *count_out, akidb_error *err);

/* The snapshot that `text` names: a UUID (taken as it is, nothing is read), the beginning of
 * exactly one snapshot's id, or "latest": the greatest created_at, ties by the greatest id;
 * the log hook hears of damaged ones that were passed over. AKIDB_E_NOT_FOUND; AKIDB_E_VALIDATION
 * when several begin so; AKIDB_E_CORRUPTION when all that could be the latest are damaged. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_resolve(akidb_snapshotter *snapshotter,
                                                          const akidb_uuid *collection_id,
                                                          const char *text,
                                                          akidb_uuid *snapshot_id_out,
                                                          akidb_error *err);

/* Removes a snapshot: the metadata, then the parts. AKIDB_E_NOT_FOUND when it is not there. A part
 * that cannot be removed is left to gc, and that is logged. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_delete(akidb_snapshotter *snapshotter,
                                                         const akidb_uuid *collection_id,
                                                         const akidb_uuid *snapshot_id,
                                                         akidb_error *err);

/* ---- verify ---------------------------------------------------------------------------------- */

typedef enum akidb_verify_level {
    AKIDB_VERIFY_DEFAULT = 0,  /* decode */
    AKIDB_VERIFY_EXISTS = 1,   /* the metadata is whole and every part is there */
    AKIDB_VERIFY_SIZE = 2,     /* and has the size that it should have */
    AKIDB_VERIFY_CHECKSUM = 3, /* and every byte is the one that was written */
    AKIDB_VERIFY_DECODE = 4    /* and every document can be read, as many as there should be */
} akidb_verify_level;

typedef enum akidb_verify_outcome {
    AKIDB_VERIFY_GOOD = 0,
    AKIDB_VERIFY_UNCHECKED = 1,   /* readable, but written without checksums (the old layout) */
    AKIDB_VERIFY_UNREACHABLE = 2, /* the store failed: says nothing about the snapshot */
    AKIDB_VERIFY_MISSING = 3,     /* a part is not there */
    AKIDB_VERIFY_CORRUPT = 4
} akidb_verify_outcome;

typedef struct akidb_verify_report {
    akidb_verify_outcome outcome; /* of several parts the worst, the last in the list above */
    uint64_t parts;               /* looked at */
    uint64_t bytes_read;
    uint64_t rows_decoded;
    akidb_error problem; /* the first of that outcome; .status is AKIDB_OK when good or unchecked */
} akidb_verify_report;

/* AKIDB_OK when the question was answered, whatever the answer; AKIDB_E_NOT_FOUND when there is no
 * such snapshot. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_verify(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    akidb_verify_level level, akidb_verify_report *report_out, akidb_error *err);

/* ---- retention ------------------------------------------------------------------------------- */

/* Removes every snapshot whose created_at lies more than `age` microseconds back, even the newest;
 * *deleted_out counts them. Damaged snapshots are left alone. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_cleanup_old(akidb_snapshotter *snapshotter,
                                                              const akidb_uuid *collection_id,
                                                              int64_t age, uint64_t *deleted_out,
                                                              akidb_error *err);

/* Keep rules unite: a snapshot stays if any rule keeps it. older_than, when set, spares what is
 * younger. A policy of no rule at all is AKIDB_E_VALIDATION. Days, ISO weeks and months in UTC; of
 * each the newest snapshot stays. The newest snapshot stays unless keep_last is AKIDB_KEEP_NONE. */
#define AKIDB_KEEP_NONE UINT32_MAX
typedef struct akidb_retention {
    size_t struct_size;  /* sizeof(akidb_retention) */
    int64_t older_than;  /* microseconds; 0: not set */
    int64_t keep_within; /* microseconds back from now; 0: not set */
    uint32_t keep_last;  /* the newest N; 0: not set */
    uint32_t keep_daily; /* of the newest N days that have a snapshot */
    uint32_t keep_weekly;
    uint32_t keep_monthly;
} akidb_retention;

typedef struct akidb_retention_decision {
    akidb_uuid snapshot_id;
    int64_t created_at;
    uint64_t size_bytes;
    bool keep;
    char reason[96]; /* e.g. "daily 2026-11-22", "older than 7d", "damaged: left alone" */
} akidb_retention_decision;

typedef struct akidb_retention_report {
    size_t count;
    akidb_retention_decision *decisions; /* newest first */
    uint64_t deleted;                    /* 0 in a dry run */
} akidb_retention_report;

/* Decides on every snapshot of the collection and removes those that nothing keeps, oldest first.
 */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_cleanup(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_retention *policy,
    bool dry_run, akidb_retention_report *report_out, akidb_error *err);
AKIDB_API void akidb_retention_report_free(akidb_retention_report *report);

/* ---- leftovers ------------------------------------------------------------------------------- */

#define AKIDB_GC_AGE_DEFAULT (INT64_C(7) * 24 * 3600 * 1000000)

typedef struct akidb_gc_report {
    uint64_t objects; /* parts without a snapshot, and what interrupted writes left */
    uint64_t bytes;
} akidb_gc_report;

/* Removes parts that no snapshot refers to and that were last written more than `age` microseconds
 * ago, and the store's own leftovers of that age. A damaged metadata object protects every part of
 * its snapshot, and so does one of the old layout. With dry_run it only counts. `visit`, when
 * given, is told each key. */
AKIDB_API AKIDB_CHECK akidb_status
akidb_snapshot_gc(akidb_snapshotter *snapshotter, int64_t age, bool dry_run,
                  void (*visit)(void *context, const char *key, uint64_t bytes), void *context,
                  akidb_gc_report *report_out, akidb_error *err);

/* ---- copies in other stores ------------------------------------------------------------------ */

typedef struct akidb_copy_report {
    bool was_there; /* whole and the same already: nothing was written */
    uint64_t parts_copied;
    uint64_t parts_kept; /* that an earlier, interrupted copy had left, whole */
    uint64_t bytes_copied;
} akidb_copy_report;

/* Copies a snapshot to another store byte by byte: ids, keys and metadata stay as they are. Every
 * byte is compared with its checksum on the way; the metadata comes last, so that the copy exists
 * whole or not at all. After a failure the parts that arrived stay, and another call goes on with
 * the first that is missing or different; gc takes them when nobody does. The two stores may be of
 * any kind; at most 8 MiB are held. AKIDB_E_ALREADY_EXISTS when the store has another snapshot of
 * that id. `report_out` may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_copy(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    akidb_store *to, akidb_copy_report *report_out, akidb_error *err);

/* ---- migration ------------------------------------------------------------------------------- */

typedef struct akidb_migrate_options {
    size_t struct_size; /* sizeof(akidb_migrate_options) */
    bool delete_source; /* once the new snapshot has been verified */
} akidb_migrate_options;

/* Writes a snapshot anew in the snapshotter's format and options, under a new id: same documents in
 * the same order, ids, times (to the microsecond), labels and created_at; label "migrated-from" is
 * the old id. Both are then read and compared bit by bit before the call succeeds; if they differ,
 * the new one is removed again, and if the source cannot be read any more, it stays. */
AKIDB_API AKIDB_CHECK akidb_status akidb_snapshot_migrate(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    const akidb_migrate_options *options, akidb_uuid *new_id_out,
    akidb_snapshot_metadata **metadata_out, akidb_error *err);

AKIDB_END_DECLS
#endif
