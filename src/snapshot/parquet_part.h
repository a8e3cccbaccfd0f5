#ifndef AK_SNAPSHOT_PARQUET_PART_H
#define AK_SNAPSHOT_PARQUET_PART_H
/* A Parquet part, opened and compared with what the metadata says of it: what the format's reader
 * and the search for single documents share. */
#include "snapshot/format.h"

/* Opens a part to read `columns` of it. keep_tail: for parquet/find.h. */
AKIDB_CHECK akidb_status ak_parquet_part_open(const ak_part_source *source, unsigned columns,
                                              bool keep_tail, akidb_parquet_reader **reader_out,
                                              akidb_error *err);

/* To import a file whose rows are no documents is a mistake of the caller. In a snapshot it means
 * that the part is not what was written: turns AKIDB_E_VALIDATION, also in *err, into
 * AKIDB_E_CORRUPTION. */
akidb_status ak_parquet_part_failure(akidb_status status, akidb_error *err);

#endif
