#ifndef AK_PARQUET_ROW_STREAM_H
#define AK_PARQUET_ROW_STREAM_H
/*
 * A row group, some rows at a time, in memory that does not grow with it: other engines write row
 * groups of a million rows. Each column is read by pieces of some MiB, on the thread that calls.
 * What is found damaged is read once more. For files without a summary (options.expected): that has
 * checksums of whole row groups only.
 */
#include "parquet/reader_state.h"

typedef struct ak_row_stream ak_row_stream;

/* The reader must outlive the stream. `piece_bytes`: how large a piece should be; 0: 4 MiB.
 * AKIDB_E_LIMIT as akidb_parquet_reader_read has it. */
AKIDB_CHECK akidb_status ak_row_stream_open(const akidb_parquet_reader *reader, size_t group,
                                            size_t piece_bytes, ak_row_stream **stream_out,
                                            akidb_error *err);
void ak_row_stream_close(ak_row_stream *stream); /* NULL is fine */

/* Appends at least max_rows documents (not 0), at most a piece more; fewer when their vectors take
 * 64 MiB; none only after the last. On failure nothing is appended, and only close is left. */
AKIDB_CHECK akidb_status ak_row_stream_next(ak_row_stream *stream, size_t max_rows,
                                            akidb_documents *documents, akidb_error *err);

#endif
