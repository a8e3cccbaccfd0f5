#ifndef AK_PARQUET_PROFILE_H
#define AK_PARQUET_PROFILE_H
/*
 * Profiles: from an aim to a codec, a level and an encoding.
 *
 *   Plan      Each profile has a list of candidates, the cheapest first. A later one takes over if
 *             it makes the sample smaller by the factor that stands beside it: nobody pays for work
 *             that gains next to nothing.
 *   Sample    The floats of the first and of the last page of the first row group, 2 MiB at most
 *             unless a row is longer. Whole pages, because what compression makes of split floats
 *             depends on how many there are of a kind. No chance is involved.
 */
#include "akidb/batch.h"
#include "parquet/writer_options.h"

/* The codec of the columns that are not vectors, for a profile that is not NONE. */
void ak_profile_set_codec(ak_writer_settings *settings);

/* Settles what the profile left open about vectors, by rows first .. first + rows - 1, rows >= 1,
 * and says in settings->choice what and why. */
AKIDB_CHECK akidb_status ak_profile_decide(ak_writer_settings *settings, const akidb_batch *batch,
                                           size_t first, size_t rows, akidb_error *err);

#endif
