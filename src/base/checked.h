#ifndef AK_BASE_CHECKED_H
#define AK_BASE_CHECKED_H
/* Arithmetic on sizes, offsets and counts that come from a file or a caller: true when the result
 * fits, and then it is in *out. Every such number passes through here before it is used. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool ak_add_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool ak_mul_u64(uint64_t a, uint64_t b, uint64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool ak_add_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

static inline bool ak_mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* Whether the bytes [offset, offset + size) lie within an object of `total` bytes. */
static inline bool ak_range_fits(uint64_t offset, uint64_t size, uint64_t total)
{
    return offset <= total && size <= total - offset;
}

#endif
