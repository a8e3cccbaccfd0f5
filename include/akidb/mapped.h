#ifndef AKIDB_MAPPED_H
#define AKIDB_MAPPED_H
/*
 * Vectors in place: a file is mapped into memory, and its floats are used where they lie, without a
 * copy. Ids, texts and times come through the ordinary readers (akidb/snapshot.h, akidb/parquet.h),
 * which give documents in the same order.
 *
 * What a mapped file can do to its host. Every other function of this library answers trouble with
 * a status. A mapped file cannot: when the processor finds no bytes behind an address, the system
 * sends the process SIGBUS, which ends it, at whatever line of yours reads the float.
 *
 *   Truncated   A file that somebody makes shorter while it is mapped: SIGBUS, in the open as well.
 *   Failing     A disk, or a server of files, that cannot give the bytes any more: SIGBUS.
 *   Overwritten Bytes that somebody writes into the file change under the reader. Checksums were
 *               compared when it was opened and say nothing of later.
 *   Deleted     Harmless on the file systems of a POSIX machine: delete, retention and gc take the
 *               name, and the bytes stay until the last mapping is closed. On NFS the server may
 *               take the bytes too: SIGBUS.
 *
 * So this is for files that nobody writes to, on a disk of the machine itself. Snapshots are such
 * files, as long as only this library touches their folder: a part is never written to again.
 * Never map what others may write to. That is why nothing is mapped unless you call this.
 *
 *   When it pays   Several processes of a machine share one copy, that of the page cache; a few
 *                  vectors of many are wanted, and the rest need not be loaded (then open without
 *                  `verify`); the vectors are more than the memory; a file in the page cache is to
 *                  be gone through once, which takes a third of the time of a restore.
 *   When not       One process works on the vectors for long: akidb_snapshot_restore_into costs the
 *                  copy once, has none of the above, and gives one matrix instead of pieces.
 *   What can be    Parquet whose floats lie in the file as in memory, each page's at a multiple of
 *                  64 bytes. This library writes them so when the vectors are plain and not
 *                  compressed: with compression none always, with others where the vectors do not
 *                  shrink. All else is AKIDB_E_UNSUPPORTED, with row group, page and what was
 *                  found: it can be read in the ordinary way, or written anew. Of the stores only
 *                  the local one has files to map.
 *   Sequence       open, then look at pieces and rows, close.
 *   Memory         24 bytes for each piece, and the mapped addresses.
 *   Threads        All functions but close may be called by many threads at once.
 *   Lifetime       What is handed out is borrowed until close. Closing while a float is being read
 *                  is a mistake that ends the process as a truncated file does.
 */
#include "akidb/base.h"
#include "akidb/snapshot.h"

AKIDB_BEGIN_DECLS

typedef struct akidb_mapped_vectors akidb_mapped_vectors;

typedef struct akidb_mapped_options {
    size_t struct_size;  /* sizeof(akidb_mapped_options) */
    akidb_toggle verify; /* compare every byte with its checksum now, once: reads all of the file.
                            Of a file alone these are the checksums of its pages, which other
                            writers may have left out: then there is nothing to compare. Off, only
                            footer, headers and levels are looked at, and a damaged float is not
                            noticed. Default on */
    unsigned threads;    /* that compare; default 1 */
} akidb_mapped_options;

/* Rows that lie one behind the other; a page of the file. */
typedef struct akidb_mapped_piece {
    uint64_t first_row;   /* of all rows of all files */
    size_t rows;          /* at least 1 */
    const float *vectors; /* rows x dimension, row-major, without gaps, at a multiple of 64 bytes */
} akidb_mapped_piece;

/* Maps the vectors of a Parquet file. Errors as those of akidb_parquet_reader_open and _read
 * (AKIDB_E_CORRUPTION with the place, AKIDB_E_VALIDATION for a row that is no vector), and
 * AKIDB_E_UNSUPPORTED as above. `options` may be NULL. */
AKIDB_API AKIDB_CHECK akidb_status
akidb_mapped_vectors_open_file(const char *path, const akidb_mapped_options *options,
                               akidb_mapped_vectors **mapped_out, akidb_error *err);

/* Maps the vectors of a snapshot, all parts of it, and compares them with what the snapshot's
 * metadata says of them. AKIDB_E_UNSUPPORTED also for a JSON snapshot, and for a store that is not
 * on the local disk. Errors else as those of akidb_snapshot_open and _next. The snapshotter may be
 * closed before the vectors. */
AKIDB_API AKIDB_CHECK akidb_status akidb_mapped_vectors_open_snapshot(
    akidb_snapshotter *snapshotter, const akidb_uuid *collection_id, const akidb_uuid *snapshot_id,
    const akidb_mapped_options *options, akidb_mapped_vectors **mapped_out, akidb_error *err);

/* Unmaps. NULL is fine. */
AKIDB_API void akidb_mapped_vectors_close(akidb_mapped_vectors *mapped);

AKIDB_API uint64_t akidb_mapped_vectors_rows(const akidb_mapped_vectors *mapped);
/* 0 for a file without rows that does not say its dimension. */
AKIDB_API uint32_t akidb_mapped_vectors_dimension(const akidb_mapped_vectors *mapped);

/* All pieces, in the order of their rows, none missing: the first begins with row 0. */
AKIDB_API const akidb_mapped_piece *akidb_mapped_vectors_pieces(const akidb_mapped_vectors *mapped,
                                                                size_t *count_out);

/* The vector of one row; NULL when there is no such row. */
AKIDB_API const float *akidb_mapped_vectors_row(const akidb_mapped_vectors *mapped, uint64_t row);

AKIDB_END_DECLS
#endif
