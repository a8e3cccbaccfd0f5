#ifndef AK_WAL_LOG_H
#define AK_WAL_LOG_H
/*
 * The open log. Appending fills a batch in memory (append.c); a thread that waits takes the whole
 * batch to the disk while others fill the next (commit.c).
 *
 *   mutex     Guards every member that changes. Never held over I/O: who does I/O holds a role.
 *   Roles     writing: takes batches to the disk, one at a time; owns `flushing`, and `file` but
 *             for a sync of it. syncing: syncs `file` beside that; the writer waits for it before
 * it changes the file. making: makes spare files. removing: removes segments from the front.
 * Whoever lays a role down signals `changed`. Lead      The batch may be segments ahead of the
 * disk: it carries their heads, and the files, which were made before the entry was accepted, wait
 * in its pieces.
 */
#include <pthread.h>

#include "wal/repair.h"
#include "wal/wal.h"

/* A file for a segment to come. */
typedef struct ak_wal_spare {
    akidb_file file;
    char name[AK_WAL_NAME_SIZE];
} ak_wal_spare;

/* Bytes of a batch that go to one place of one segment: up to the start of the next piece. */
typedef struct ak_wal_piece {
    size_t start;    /* in the batch */
    uint64_t offset; /* in the segment */
    bool begins;     /* a segment, with these: */
    ak_wal_spare spare;
    uint64_t number;
    uint64_t first_lsn;
    uint64_t records_end; /* where the segment before it ends, in that one's bytes */
} ak_wal_piece;

typedef struct ak_wal_batch {
    akidb_buffer bytes;
    ak_wal_piece *pieces;
    size_t count;
    size_t capacity;
    size_t done; /* pieces whose spare files have become segments, or gone */
    uint64_t last_lsn;
} ak_wal_batch;

struct ak_wal {
    /* Never changed after the open. */
    ak_wal_folder folder;
    akidb_file lock;
    uint8_t log_id[16];
    uint64_t segment_bytes;
    uint64_t max_bytes;
    uint32_t max_payload; /* of a record: fits a segment */
    uint32_t interval_ms;
    ak_wal_durability durability;
    bool read_only;
    bool have_thread;
    pthread_t thread;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_cond_t closed; /* ends the thread's sleep; monotonic clock */
    bool writing, syncing, making, removing, closing;
    bool failed;
    akidb_error failure; /* what failed first */

    /* Where the next record goes. */
    ak_wal_tail tail;
    uint64_t capacity; /* of the segment of the tail */
    uint64_t next_lsn;
    uint64_t total_bytes; /* of all segments, with what is only in a batch */
    ak_wal_batch filling;
    ak_wal_spare *spares;
    size_t spare_count;
    size_t spare_capacity;
    uint64_t spares_made; /* for their names */

    /* On the disk. */
    akidb_file file; /* of the last segment */
    bool file_open;
    ak_wal_batch flushing;
    ak_wal_segment *segments;
    size_t segment_count;
    size_t segment_capacity;
    uint64_t written_lsn; /* with the kernel */
    uint64_t durable_lsn; /* on the disk */

    uint64_t entries, bytes, syncs;
};

/* All of these with the mutex held; it is given up over I/O and while waiting. */

/* Keeps the first failure; everything that waits is woken. */
void ak_wal_set_failed(ak_wal *wal, const akidb_error *err);

/* AKIDB_E_IO, with what had failed first. */
akidb_status ak_wal_fail_failed(const ak_wal *wal, akidb_error *err);

/* Takes the batch that is being filled to the kernel, and to the disk when the durability asks for
 * that. Only when nobody is writing; a failure is in wal->failed. */
void ak_wal_write_batch(ak_wal *wal);

/* Everything up to `lsn` is with the kernel, or on the disk, when this returns AKIDB_OK. */
akidb_status ak_wal_until_written(ak_wal *wal, uint64_t lsn, akidb_error *err);
akidb_status ak_wal_until_durable(ak_wal *wal, uint64_t lsn, akidb_error *err);

/* Closes and removes the files of spares that have not become segments. */
void ak_wal_discard_spares(ak_wal *wal);

#endif
