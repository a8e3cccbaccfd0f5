#ifndef AK_PARQUET_PLACEMENT_H
#define AK_PARQUET_PLACEMENT_H
/*
 * A column chunk of vectors, read so that its floats land in the matrix and nowhere else.
 *
 *   Which    Chunks of FLOAT whose pages, by what the footer says, are neither compressed nor
 *            encoded: a page is then a header, levels, and floats, one behind the other.
 *   Plan     Where each page's floats begin is told by the offset index, when there is one that has
 *            been checked, or by the page headers, when the input is near and small reads are
 * cheap. Trust    A plan is a guess: it decides which bytes go where, never what they mean. The
 * pages are decoded afterwards as any others, from ak_chunk.placed, and must be what was planned.
 *            Whoever finds them otherwise reads the chunk again as a whole.
 */
#include "os/pool.h"
#include "parquet/page_read.h"
#include "parquet/reader_state.h"

/* Storage that is used again from chunk to chunk. Start from {0}. */
typedef struct ak_placement {
    ak_placed_page *pages; /* in order; none: the chunk could not be planned */
    size_t page_count;
    size_t page_capacity;
    akidb_buffer heads; /* headers and levels of all pages, one after the other */
    uint32_t crc32c;    /* of the bytes before the chunk, continued over all of it */
    akidb_piece before; /* room for the bytes before the chunk, to be read with it; or size 0 */
    uint32_t before_crc32c;
} ak_placement;

void ak_placement_free(ak_placement *placement);

/* Plans the pages of row group `group`, whose floats are to go to `vectors`. AKIDB_OK with no pages
 * when that cannot be done: for want of an index, or because the pages are of another kind. */
AKIDB_CHECK akidb_status ak_placement_plan(ak_placement *placement,
                                           const akidb_parquet_reader *reader, size_t group,
                                           float *vectors, akidb_error *err);

/* Reads the planned pages, of which there are some; from a near input on all threads of the
 * reader's pool, from any other by one request, together with `before`, if that has room. With a
 * summary of the file, crc32c goes on from what it is, or from before_crc32c, over all bytes of the
 * chunk; without one, each page gets the CRC-32 that its header asks for. */
AKIDB_CHECK akidb_status ak_placement_read(ak_placement *placement,
                                           const akidb_parquet_reader *reader, akidb_error *err);

#endif
