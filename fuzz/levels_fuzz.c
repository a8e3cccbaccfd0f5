/* layers: codec */
/* The answers about levels against a decoder that is too simple to be wrong. Input: k (two bytes),
 * carry, count (two bytes), then the levels, taken with bit width 1. */
#include <stdlib.h>

#include "codec/levels.h"
#include "codec/rle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Reads up to `count` levels, one at a time; how many there were before the end or an error. */
static size_t read_simply(const uint8_t *at, size_t size, size_t count, uint8_t *levels)
{
    size_t done = 0;
    while (done < count) {
        uint64_t header = 0;
        unsigned shift = 0;
        bool more = true;
        while (more) {
            if (size == 0 || shift > 28)
                return done;
            header |= (uint64_t)(*at & 0x7F) << shift;
            more = (*at & 0x80) != 0;
            shift += 7;
            at++;
            size--;
        }
        if (header >> 1 == 0 || header > UINT32_MAX)
            return done;
        if (header & 1) {
            for (uint64_t byte = 0; byte < header >> 1 && size > 0; byte++, at++, size--)
                for (int bit = 0; bit < 8 && done < count; bit++)
                    levels[done++] = *at >> bit & 1;
            continue;
        }
        if (size == 0 || *at > 1)
            return done;
        for (uint64_t i = 0; i < header >> 1 && done < count; i++)
            levels[done++] = *at;
        at++;
        size--;
    }
    return done;
}

static bool is_fixed(const uint8_t *levels, size_t count, size_t k, size_t carry)
{
    size_t next = carry;
    for (size_t i = 0; i < count; i++) {
        if (levels[i] != (i == next ? 0 : 1))
            return false;
        if (i == next)
            next += k;
    }
    return true;
}

static void check_fixed(akidb_slice bytes, const uint8_t *levels, size_t found, size_t count,
                        uint32_t k, uint64_t start)
{
    uint64_t carry = start;
    ak_levels_verdict verdict = ak_levels_fixed_repetition(bytes, count, k, &carry);
    if (verdict == AK_LEVELS_YES) {
        require(k > 0 && found == count && is_fixed(levels, count, k, (size_t)start));
        uint64_t next = start;
        while (next < count)
            next += k;
        require(carry == next - count);
        return;
    }
    require(carry == start);
    if (verdict == AK_LEVELS_MALFORMED)
        require(found < count);
    else
        require(k == 0 || !is_fixed(levels, found, k, (size_t)start));
}

static void check_equal(akidb_slice bytes, const uint8_t *levels, size_t found, size_t count,
                        uint8_t level)
{
    size_t equal = 0;
    while (equal < found && levels[equal] == level)
        equal++;
    ak_levels_verdict verdict = ak_levels_all_equal(bytes, 1, count, level);
    if (verdict == AK_LEVELS_YES)
        require(equal == count);
    else if (verdict == AK_LEVELS_MALFORMED)
        require(found < count && equal == found);
    else
        require(equal < found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 5)
        return 0;
    uint32_t k = (uint32_t)data[0] | (uint32_t)data[1] << 8;
    size_t count = (size_t)data[3] | (size_t)data[4] << 8;
    const akidb_slice bytes = {data + 5, size - 5};
    uint8_t *levels = calloc(count + 1, 1);
    uint32_t *values = malloc((count + 1) * sizeof *values);
    require(levels != NULL && values != NULL);
    size_t found = read_simply(data + 5, size - 5, count, levels);

    check_fixed(bytes, levels, found, count, k, data[2]);
    check_fixed(bytes, levels, found, count, k, 0);
    check_equal(bytes, levels, found, count, 0);
    check_equal(bytes, levels, found, count, 1);
    akidb_status status = ak_rle_decode(bytes, 1, 1, count, values, NULL, NULL);
    require((status == AKIDB_OK) == (found == count));
    for (size_t i = 0; i < count && status == AKIDB_OK; i++)
        require(values[i] == levels[i]);

    free(levels);
    free(values);
    return 0;
}
