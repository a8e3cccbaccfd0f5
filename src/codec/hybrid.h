#ifndef AK_CODEC_HYBRID_H
#define AK_CODEC_HYBRID_H
/* The runs of the RLE/bit-packing hybrid (Parquet's Encodings.md), one after the other. The decoder
 * and the questions of levels.h all walk with ak_hybrid_next, so that they agree on what is legal.
 */
#include "codec/bits.h"

/* Groups of eight that a bit-packed run of the common writers has at most: with 63 the run's header
 * is one byte. */
enum { AK_HYBRID_GROUP = 8, AK_HYBRID_GROUPS_MAX = 63 };

/* Values that one RLE run may stand for: what a reader with 32-bit signed counts can take. */
#define AK_HYBRID_RUN_MAX ((uint64_t)INT32_MAX)

typedef struct ak_hybrid_run {
    uint64_t count;        /* values; never 0 */
    const uint8_t *packed; /* NULL for a run of equal values */
    size_t packed_size;    /* in bytes */
    uint32_t value;        /* of a run of equal values */
} ak_hybrid_run;

/* Reads the next run and moves *at behind it. NULL when that went well, otherwise what is wrong
 * with it. bit_width is 0 to 32. The last bit-packed run may lack bytes at its end, as some writers
 * leave them out: its count is what is there. */
static inline const char *ak_hybrid_next(const uint8_t **at, const uint8_t *end, unsigned bit_width,
                                         ak_hybrid_run *run)
{
    uint64_t header;
    if (*at == end)
        return "too few values";
    if (!ak_take_varint(at, end, 32, &header))
        return "a run's length is cut off or over 32 bits";
    size_t left = (size_t)(end - *at);
    *run = (ak_hybrid_run){.count = header >> 1};
    if (run->count == 0)
        return "a run of no values";
    if (header & 1) {
        run->packed = *at;
        uint64_t size = run->count * bit_width; /* 31 bits by 6 */
        run->count *= AK_HYBRID_GROUP;
        if (size > left) {
            size = left;
            run->count = size * 8 / bit_width;
            if (run->count == 0)
                return "a bit-packed run without its bytes";
        }
        run->packed_size = (size_t)size;
        *at += size;
        return NULL;
    }
    size_t value_size = (bit_width + 7) / 8;
    if (value_size > left)
        return "a run without its value";
    memcpy(&run->value, *at, value_size);
    *at += value_size;
    if (bit_width < 32 && run->value >> bit_width != 0)
        return "a run's value has too many bits";
    return NULL;
}

#endif
