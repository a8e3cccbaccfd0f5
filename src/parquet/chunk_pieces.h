#ifndef AK_PARQUET_CHUNK_PIECES_H
#define AK_PARQUET_CHUNK_PIECES_H
/*
 * A column chunk, some MiB at a time: pieces of whole pages and whole rows, each of which can be
 * decoded as if it were a chunk of its own, with the dictionary before it where there is one. Where
 * a row goes from one page into the next, as older writers had it, a piece grows until a row ends
 * with a page.
 */
#include "parquet/reader_state.h"
#include "parquet/row_group_read.h"

typedef struct ak_chunk_pieces {
    const akidb_parquet_reader *reader;
    size_t group;
    const ak_file_leaf *leaf;
    uint32_t values_per_row;
    size_t piece_bytes; /* enough for a piece, as they lie in the file, and of values, which runs
                           may hold by the million */
    /* The rest belongs to chunk_pieces.c. */
    uint64_t at;            /* within the chunk, where the next piece begins */
    uint64_t values;        /* before it */
    size_t dictionary_size; /* of a page at the beginning of the chunk; 0: none, or not met yet */
    akidb_buffer bytes;     /* that page, then the chunk from `at` on, as far as it was read */
    size_t size;            /* of the piece that was found: what ak_chunk_pieces_pass passes */
    ak_column_chunk info;   /* as a footer would describe it */
} ak_chunk_pieces;

/* Finds the next piece, which is borrowed until the next call; *done_out when there is none. Its
 * rows are as many as its values say, but for the last, which has those that are left: decoding it
 * tells whether they are there. Found again until it is passed. */
AKIDB_CHECK akidb_status ak_chunk_pieces_find(ak_chunk_pieces *pieces, ak_chunk *piece_out,
                                              bool *done_out, akidb_error *err);

/* Whether all of the chunk was passed. */
bool ak_chunk_pieces_at_end(const ak_chunk_pieces *pieces);

/* Goes behind the piece that was found. */
void ak_chunk_pieces_pass(ak_chunk_pieces *pieces);

/* Has the bytes from the next piece on read anew: they may have been damaged on their way. */
void ak_chunk_pieces_forget(ak_chunk_pieces *pieces);

void ak_chunk_pieces_end(ak_chunk_pieces *pieces);

#endif
