#ifndef AK_PARQUET_BOUNDS_WRITE_H
#define AK_PARQUET_BOUNDS_WRITE_H
/* Smallest and greatest value of a column chunk, for the footer's statistics. */
#include "akidb/base.h"

/* A bound as the footer stores it: at most so many bytes, so that a long text does not bloat it. */
enum { AK_BOUND_MAX = 64 };

typedef struct ak_bound {
    bool present;
    bool exact; /* it is a value of the chunk, not one that was cut */
    uint8_t size;
    uint8_t bytes[AK_BOUND_MAX];
} ak_bound;

/* `size` <= AK_BOUND_MAX bytes, as they are. */
ak_bound ak_bound_exact(const void *bytes, size_t size);

/* A bound not above, or not below, the UTF-8 text in bytewise order, which itself is UTF-8. A text
 * over AK_BOUND_MAX bytes is cut between characters; for the upper bound the last character that
 * can be is then raised to the next one. An upper bound that cannot be found is not present. */
ak_bound ak_bound_below_text(akidb_slice text);
ak_bound ak_bound_above_text(akidb_slice text);

/* Below, at or above 0: unsigned bytes, a prefix first, as Parquet orders BYTE_ARRAY. */
int ak_compare_bytes(akidb_slice a, akidb_slice b);

#endif
