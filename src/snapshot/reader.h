#ifndef AK_SNAPSHOT_READER_H
#define AK_SNAPSHOT_READER_H
/* Steps of the public reader that restore, verify and migration take on their own. */
#include "snapshot/snapshotter.h"

/* Takes the metadata over, whatever the outcome. */
AKIDB_CHECK akidb_status ak_snapshot_open(akidb_snapshotter *snapshotter,
                                          akidb_snapshot_metadata *metadata,
                                          const akidb_filter *filter,
                                          akidb_snapshot_reader **reader_out, akidb_error *err);

/* Like akidb_snapshot_next, but appends, and reads up to `groups` row groups at once. Nothing may
 * be appended although more is to come. */
AKIDB_CHECK akidb_status ak_snapshot_read(akidb_snapshot_reader *reader, size_t groups,
                                          akidb_documents *documents, bool *done_out,
                                          akidb_error *err);

/* Has every checksum compared, also those that tell the same again. Before the first read. */
void ak_snapshot_be_thorough(akidb_snapshot_reader *reader);

/* Bytes of parts read so far. */
uint64_t ak_snapshot_bytes_read(const akidb_snapshot_reader *reader);

#endif
