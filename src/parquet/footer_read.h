#ifndef AK_PARQUET_FOOTER_READ_H
#define AK_PARQUET_FOOTER_READ_H
/*
 * Opening a file: its footer, and every claim of the footer that can be checked without reading a
 * column: row and value counts, and where the column chunks lie.
 */
#include "akidb/parquet.h"
#include "parquet/arena.h"
#include "parquet/metadata.h"
#include "parquet/schema_read.h"

/* Where a column chunk lies in the file. */
typedef struct ak_extent {
    uint64_t offset;
    uint64_t size;
} ak_extent;

typedef struct ak_footer {
    ak_file_metadata metadata;
    uint64_t offset; /* where the thrift bytes begin: behind all column chunks */
} ak_footer;

/* Reads the end of the file; with `expected`, the whole tail, checked against its checksum, which
 * then goes to `tail_out` as well; a tail that is damaged is read again, and `hooks`, unless NULL,
 * hear of it. AKIDB_E_UNSUPPORTED when the file is encrypted. */
AKIDB_CHECK akidb_status ak_footer_read(const akidb_input *input,
                                        const akidb_parquet_summary *expected,
                                        const akidb_hooks *hooks, ak_arena *arena,
                                        ak_footer *footer_out, akidb_buffer *tail_out,
                                        akidb_error *err);

/* What the row groups say: first_rows_out[i] rows lie before row group i (one entry more than there
 * are row groups), and extents_out[i * leaves + j] is chunk j of row group i. No two overlap. With
 * `expected`, each row group lies where it says. Both arrays are in the arena. */
AKIDB_CHECK akidb_status ak_footer_check(const ak_footer *footer, const char *file,
                                         const ak_file_columns *columns,
                                         const akidb_parquet_summary *expected, ak_arena *arena,
                                         const uint64_t **first_rows_out,
                                         const ak_extent **extents_out, akidb_error *err);

#endif
