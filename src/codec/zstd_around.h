#ifndef AK_CODEC_ZSTD_AROUND_H
#define AK_CODEC_ZSTD_AROUND_H
/*
 * A zstd frame around bytes that do not shrink. Three of four planes of split floats are noise: to
 * let the library find that out takes as long as to compress the one that is not. The format has
 * blocks that are stored as they are, so the noise is put between the library's blocks (RFC 8878,
 * 3.1.1.2).
 *
 *   What the library gets    head | last WINDOW of the noise | rest
 *   What the frame holds     head | all of the noise         | rest
 *
 * This is one ordinary frame, and every block of it is what a decoder expects there: those of the
 * head have the same bytes before them as when they were made; the library too has stored the last
 * WINDOW of the noise, which is checked, so no block of it refers to anything, nor changes what
 * blocks hand on to each other (offsets, tables of codes); and blocks of the rest refer to nothing
 * that is further back than WINDOW.
 */
#include <zstd.h>

#include "akidb/base.h"

enum { AK_ZSTD_AROUND_WINDOW_LOG = 17, AK_ZSTD_AROUND_WINDOW = 1 << AK_ZSTD_AROUND_WINDOW_LOG };

/* How many of the bytes after the first `head` are noise, in whole planes from the first on: by the
 * frequencies of single bytes in a sample of each. The other bytes are four planes of one size. */
size_t ak_zstd_noise(akidb_slice page, size_t head);

/* Appends one frame of `page`, with `noise` bytes after the first `head` that are not compressed.
 * *done_out tells whether there is one: not when there is no head, or too little noise to be worth
 * it, or the library finds that it shrinks. Parameters of `zstd` that are changed are the library's
 * own defaults afterwards. When nothing is appended the buffer is as it was. */
AKIDB_CHECK akidb_status ak_zstd_compress_around(ZSTD_CCtx *zstd, akidb_slice page, size_t head,
                                                 size_t noise, akidb_buffer *buffer, bool *done_out,
                                                 akidb_error *err);

#endif
