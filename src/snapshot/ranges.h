#ifndef AK_SNAPSHOT_RANGES_H
#define AK_SNAPSHOT_RANGES_H
/* The bytes of a part, range by range, compared with the checksums that the metadata has. */
#include "akidb/snapshot.h"
#include "akidb/sys/input.h"

enum { AK_PIECE_BYTES = 4 << 20 }; /* read at once */

/* Called with each piece, in order; a failure ends the reading. */
typedef akidb_status ak_piece_visitor(void *context, const uint8_t *bytes, size_t size,
                                      akidb_error *err);

/* Reads a range in pieces of up to AK_PIECE_BYTES into `piece`; AKIDB_E_CORRUPTION after the last
 * one when the checksum is another. */
AKIDB_CHECK akidb_status ak_range_read(const akidb_input *input, const akidb_parquet_range *range,
                                       uint8_t *piece, ak_piece_visitor *visit, void *context,
                                       akidb_error *err);

/* "PAR1": the range before the first row group of a Parquet part. */
extern const akidb_parquet_range ak_parquet_magic;

#endif
