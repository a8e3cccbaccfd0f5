#include "codec/rle.h"

#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "codec/hybrid.h"

unsigned ak_bit_width(uint32_t maximum)
{
    unsigned width = 0;
    for (; maximum != 0; maximum >>= 1)
        width++;
    return width;
}

/* ---- decoding -------------------------------------------------------------------------------- */

static void unpack(const ak_hybrid_run *run, unsigned bit_width, size_t count, uint32_t *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] =
            (uint32_t)ak_bits_at(run->packed, run->packed_size, (uint64_t)i * bit_width, bit_width);
}

static void fill(uint32_t value, size_t count, uint32_t *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = value;
}

static uint32_t greatest(const uint32_t *values, size_t count)
{
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    return most;
}

akidb_status ak_rle_decode(akidb_slice bytes, unsigned bit_width, uint32_t maximum, size_t count,
                           uint32_t *values_out, size_t *used_out, akidb_error *err)
{
    if (used_out != NULL)
        *used_out = 0;
    if (bit_width > 32)
        return ak_fail(err, AKIDB_E_CORRUPTION, "RLE: expected a bit width of at most 32, found %u",
                       bit_width);
    const uint8_t *start = bytes.data;
    const uint8_t *at = start;
    const uint8_t *end = bytes.size == 0 ? start : start + bytes.size;
    for (size_t done = 0; done < count;) {
        const uint8_t *run_start = at;
        ak_hybrid_run run;
        const char *problem = ak_hybrid_next(&at, end, bit_width, &run);
        if (problem != NULL)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(NULL, run_start - start),
                              "RLE: %s, after %zu of %zu values", problem, done, count);
        size_t taken = run.count < count - done ? (size_t)run.count : count - done;
        uint32_t most = run.value;
        if (run.packed != NULL) {
            unpack(&run, bit_width, taken, values_out + done);
            most = greatest(values_out + done, taken);
        } else {
            fill(run.value, taken, values_out + done);
        }
        if (most > maximum)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(NULL, run_start - start),
                              "RLE: expected values of at most %u, found %u", maximum, most);
        done += taken;
    }
    if (used_out != NULL)
        *used_out = count == 0 ? 0 : (size_t)(at - start);
    return AKIDB_OK;
}

/* ---- encoding -------------------------------------------------------------------------------- */

/* The size of the runs is at most that of one bit-packed run per group, or of one RLE run per 8
 * values. */
static bool encoded_bound(size_t count, unsigned bit_width, size_t *bound_out)
{
    size_t groups = count / AK_HYBRID_GROUP + 1;
    return ak_mul_size(groups, (size_t)bit_width + 10, bound_out);
}

static size_t equal_run(const uint32_t *values, size_t count)
{
    size_t length = 1;
    while (length < count && values[length] == values[0])
        length++;
    return length;
}

static uint8_t *put_equal_run(uint8_t *to, uint32_t value, uint64_t count, unsigned bit_width)
{
    for (uint64_t piece; count > 0; count -= piece) {
        piece = count < AK_HYBRID_RUN_MAX ? count : AK_HYBRID_RUN_MAX;
        to += ak_put_varint(to, piece << 1);
        memcpy(to, &value, (bit_width + 7) / 8);
        to += (bit_width + 7) / 8;
    }
    return to;
}

/* Packs up to eight values into bit_width bytes; those that are not there are 0. */
static uint8_t *put_group(uint8_t *to, const uint32_t *values, size_t count, unsigned bit_width)
{
    uint64_t pending = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < AK_HYBRID_GROUP; i++) {
        pending |= (uint64_t)(i < count ? values[i] : 0) << bits;
        for (bits += bit_width; bits >= 8; bits -= 8, pending >>= 8)
            *to++ = (uint8_t)pending;
    }
    return to;
}

/* The writers of the Arrow family and parquet-java decide group by group: eight equal values at the
 * start of a group make an RLE run, as long as it goes; any other group is bit-packed. Files come
 * out the same byte for byte, and a reader that knows theirs knows ours. */
akidb_status ak_rle_encode(akidb_buffer *buffer, const uint32_t *values, size_t count,
                           unsigned bit_width, akidb_error *err)
{
    size_t bound;
    if (!encoded_bound(count, bit_width, &bound))
        return ak_fail_memory(err, SIZE_MAX);
    akidb_status status = ak_buffer_reserve(buffer, bound, err);
    if (status != AKIDB_OK)
        return status;
    uint8_t *to = buffer->data + buffer->size;
    uint8_t *header = NULL; /* of the bit-packed run that is open */
    unsigned groups = 0;
    for (size_t done = 0; done < count;) {
        size_t left = count - done;
        size_t equal = equal_run(values + done, left);
        if (equal >= AK_HYBRID_GROUP || (equal == left && header == NULL)) {
            header = NULL;
            to = put_equal_run(to, values[done], equal, bit_width);
            done += equal;
            continue;
        }
        if (header == NULL) {
            header = to++;
            groups = 0;
        }
        to = put_group(to, values + done, left, bit_width);
        *header = (uint8_t)(++groups << 1 | 1);
        if (groups == AK_HYBRID_GROUPS_MAX)
            header = NULL;
        done += left < AK_HYBRID_GROUP ? left : AK_HYBRID_GROUP;
    }
    buffer->size = (size_t)(to - buffer->data);
    return AKIDB_OK;
}
