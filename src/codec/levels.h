#ifndef AK_CODEC_LEVELS_H
#define AK_CODEC_LEVELS_H
/* Repetition and definition levels of Parquet (Encodings.md, "RLE/Bit-Packing Hybrid"), above all
 * the one pattern that a column of vectors has: every row exactly `k` values, none null. */
#include "akidb/base.h"

/* Appends the repetition levels of `rows` rows of k values each (0, then k - 1 times 1), with bit
 * width 1, in the very bytes that parquet-rs, pyarrow and ClickHouse write, without the V1 length
 * prefix. From a template: the work is a copy per row (or per period of rows when k < 16). k is 1
 * or more. On failure, here and below, the buffer is as it was. */
AKIDB_CHECK akidb_status ak_levels_append_fixed_repetition(akidb_buffer *buffer, uint64_t rows,
                                                           uint32_t k, akidb_error *err);

/* Appends `count` times the same level as one RLE run of bit width 1. */
AKIDB_CHECK akidb_status ak_levels_append_constant(akidb_buffer *buffer, uint64_t count,
                                                   uint8_t level, akidb_error *err);

typedef enum ak_levels_verdict {
    AK_LEVELS_YES,      /* the question is answered with yes */
    AK_LEVELS_NO,       /* no, and well-formed as far as was read: decode them */
    AK_LEVELS_MALFORMED /* not legal levels, or fewer than `count` */
} ak_levels_verdict;

/* Whether all `count` levels of the hybrid are `level`. Takes any runs; O(runs). */
ak_levels_verdict ak_levels_all_equal(akidb_slice levels, unsigned bit_width, uint64_t count,
                                      uint32_t level);

/* Whether the `count` repetition levels are rows of exactly k values. *carry is where, from the
 * first value of this page on, the next row begins: 0 at the start of a chunk, and after the call
 * what it is for the next page of the same chunk (rows may span V1 pages). Bits that pad the last
 * run are ignored. */
ak_levels_verdict ak_levels_fixed_repetition(akidb_slice levels, uint64_t count, uint32_t k,
                                             uint64_t *carry);

#endif
