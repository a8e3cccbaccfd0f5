#include "codec/delta.h"

#include "base/buffer.h"
#include "base/error.h"
#include "codec/bits.h"

/* Miniblocks hold a multiple of so many values: what is unpacked at a time. */
enum { BATCH = 32 };

/* The stream of one DELTA_BINARY_PACKED sequence. All arithmetic is unsigned and wraps, as the
 * specification wants it; a 32-bit type is the low half. */
typedef struct delta {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    unsigned width_max;      /* 32 or 64 */
    uint64_t miniblock_size; /* in values; a multiple of BATCH */
    uint64_t miniblocks;     /* in a block */
    uint64_t left;           /* values not given yet, the first included */
    bool first;              /* the first value, which is in the header, is still to be given */
    uint64_t value;          /* the last one given, or the first */
    uint64_t smallest;       /* delta of this block */
    const uint8_t *widths;   /* of this block's miniblocks, those to come */
    uint64_t widths_left;
    const uint8_t *packed; /* of this miniblock */
    size_t packed_size;
    unsigned width;
    uint64_t miniblock_done; /* values of this miniblock that have been given */
} delta;

static akidb_status fail_here(const delta *d, akidb_error *err, const char *problem)
{
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(NULL, d->at - d->start), "DELTA: %s", problem);
}

static uint64_t from_zigzag(uint64_t value)
{
    return value >> 1 ^ (0 - (value & 1));
}

static akidb_status open_delta(delta *d, akidb_slice bytes, size_t count, unsigned width_max,
                               akidb_error *err)
{
    *d = (delta){.start = bytes.data, .at = bytes.data, .end = bytes.data, .width_max = width_max};
    if (bytes.size > 0)
        d->end += bytes.size;
    else if (count == 0)
        return AKIDB_OK; /* no values may have no header either */
    uint64_t block_size, total, first;
    if (!ak_take_varint(&d->at, d->end, 64, &block_size) ||
        !ak_take_varint(&d->at, d->end, 64, &d->miniblocks) ||
        !ak_take_varint(&d->at, d->end, 64, &total) || !ak_take_varint(&d->at, d->end, 64, &first))
        return fail_here(d, err, "the header is cut off or holds a number over 64 bits");
    if (block_size == 0 || block_size % 128 != 0 || block_size > INT32_MAX)
        return ak_fail(err, AKIDB_E_CORRUPTION,
                       "DELTA: expected a block size that is a multiple of 128, found %llu",
                       (unsigned long long)block_size);
    if (d->miniblocks == 0 || block_size % d->miniblocks != 0 ||
        block_size / d->miniblocks % BATCH != 0)
        return ak_fail(err, AKIDB_E_CORRUPTION,
                       "DELTA: expected miniblocks of a multiple of 32 values, found %llu in a "
                       "block of %llu values",
                       (unsigned long long)d->miniblocks, (unsigned long long)block_size);
    if (total != count)
        return ak_fail(err, AKIDB_E_CORRUPTION, "DELTA: expected %zu values, found %llu", count,
                       (unsigned long long)total);
    d->miniblock_size = block_size / d->miniblocks;
    d->miniblock_done = d->miniblock_size;
    d->left = total;
    d->first = true;
    d->value = from_zigzag(first);
    return AKIDB_OK;
}

static akidb_status next_miniblock(delta *d, akidb_error *err)
{
    if (d->widths_left == 0) {
        uint64_t smallest;
        if (!ak_take_varint(&d->at, d->end, 64, &smallest) ||
            (uint64_t)(d->end - d->at) < d->miniblocks)
            return fail_here(d, err, "a block's header is cut off");
        d->smallest = from_zigzag(smallest);
        d->widths = d->at;
        d->widths_left = d->miniblocks;
        d->at += d->miniblocks;
    }
    d->width = *d->widths++;
    d->widths_left--;
    if (d->width > d->width_max)
        return fail_here(d, err, "a miniblock's bit width is over that of the type");
    /* Whole by the specification; but not all writers pad the last one. */
    uint64_t needed = d->left < d->miniblock_size ? d->left : d->miniblock_size;
    uint64_t size = d->miniblock_size / 8 * d->width; /* 28 bits by 7 */
    uint64_t there = (uint64_t)(d->end - d->at);
    if ((needed * d->width + 7) / 8 > there)
        return fail_here(d, err, "a miniblock is cut off");
    d->packed = d->at;
    d->packed_size = (size_t)(size < there ? size : there);
    d->at += d->packed_size;
    d->miniblock_done = 0;
    return AKIDB_OK;
}

/* Gives up to BATCH values; *count_out is 0 only when all have been given. */
static akidb_status next_values(delta *d, uint64_t values[BATCH], size_t *count_out,
                                akidb_error *err)
{
    *count_out = 0;
    if (d->left == 0)
        return AKIDB_OK;
    if (d->first) {
        d->first = false;
        d->left--;
        values[0] = d->value;
        *count_out = 1;
        return AKIDB_OK;
    }
    if (d->miniblock_done == d->miniblock_size) {
        akidb_status status = next_miniblock(d, err);
        if (status != AKIDB_OK)
            return status;
    }
    size_t count = d->left < BATCH ? (size_t)d->left : BATCH;
    uint64_t bit = d->miniblock_done * d->width;
    for (size_t i = 0; i < count; i++, bit += d->width) {
        d->value += d->smallest + ak_bits_at(d->packed, d->packed_size, bit, d->width);
        values[i] = d->value;
    }
    d->miniblock_done += BATCH;
    d->left -= count;
    *count_out = count;
    return AKIDB_OK;
}

static size_t used(const delta *d)
{
    return d->at == d->start ? 0 : (size_t)(d->at - d->start);
}

/* ---- numbers --------------------------------------------------------------------------------- */

akidb_status ak_delta_decode_i64(akidb_slice bytes, size_t count, int64_t *values_out,
                                 size_t *used_out, akidb_error *err)
{
    if (used_out != NULL)
        *used_out = 0;
    delta d;
    uint64_t values[BATCH];
    akidb_status status = open_delta(&d, bytes, count, 64, err);
    for (size_t done = 0, got = 1; status == AKIDB_OK && got > 0; done += got) {
        status = next_values(&d, values, &got, err);
        for (size_t i = 0; i < got; i++)
            values_out[done + i] = (int64_t)values[i];
    }
    if (status == AKIDB_OK && used_out != NULL)
        *used_out = used(&d);
    return status;
}

akidb_status ak_delta_decode_i32(akidb_slice bytes, size_t count, int32_t *values_out,
                                 size_t *used_out, akidb_error *err)
{
    if (used_out != NULL)
        *used_out = 0;
    delta d;
    uint64_t values[BATCH];
    akidb_status status = open_delta(&d, bytes, count, 32, err);
    for (size_t done = 0, got = 1; status == AKIDB_OK && got > 0; done += got) {
        status = next_values(&d, values, &got, err);
        for (size_t i = 0; i < got; i++)
            values_out[done + i] = (int32_t)(uint32_t)values[i];
    }
    if (status == AKIDB_OK && used_out != NULL)
        *used_out = used(&d);
    return status;
}

/* ---- byte arrays ----------------------------------------------------------------------------- */

/* As next_values, for lengths: none is negative. `done` of them were given before. */
static akidb_status next_lengths(delta *d, size_t done, uint64_t lengths[BATCH], size_t *count_out,
                                 akidb_error *err)
{
    akidb_status status = next_values(d, lengths, count_out, err);
    for (size_t i = 0; i < *count_out; i++) {
        lengths[i] = (uint32_t)lengths[i];
        if (lengths[i] > INT32_MAX)
            return ak_fail(err, AKIDB_E_CORRUPTION, "DELTA: the length of value %zu is %d",
                           done + i, (int32_t)(uint32_t)lengths[i]);
    }
    return status;
}

/* What follows a sequence of `count` lengths, which go into the sizes of the slices, when given. */
static akidb_status read_lengths(akidb_slice bytes, size_t count, akidb_slice *slices_out,
                                 akidb_slice *rest_out, akidb_error *err)
{
    delta d;
    uint64_t lengths[BATCH];
    akidb_status status = open_delta(&d, bytes, count, 32, err);
    for (size_t done = 0, got = 1; status == AKIDB_OK && got > 0; done += got) {
        status = next_lengths(&d, done, lengths, &got, err);
        for (size_t i = 0; i < got && slices_out != NULL; i++)
            slices_out[done + i].size = (size_t)lengths[i];
    }
    *rest_out = (akidb_slice){d.at, (size_t)(d.end - d.at)};
    return status;
}

akidb_status ak_delta_length_decode(akidb_slice bytes, size_t count, akidb_slice *slices_out,
                                    akidb_error *err)
{
    akidb_slice rest;
    akidb_status status = read_lengths(bytes, count, slices_out, &rest, err);
    if (status != AKIDB_OK)
        return status;
    const uint8_t *at = rest.data;
    size_t left = rest.size;
    for (size_t i = 0; i < count; i++) {
        size_t size = slices_out[i].size;
        if (size > left)
            return ak_fail(err, AKIDB_E_CORRUPTION,
                           "DELTA: value %zu has %zu bytes, but only %zu are left", i, size, left);
        slices_out[i].data = at;
        at += size;
        left -= size;
    }
    return AKIDB_OK;
}

/* Puts a value together at the end of `storage`: the first bytes of the value before it, which lies
 * there too, and a suffix. */
static akidb_status append_joined(akidb_buffer *storage, size_t previous_size, size_t prefix_size,
                                  akidb_slice suffix, akidb_error *err)
{
    akidb_status status = ak_buffer_reserve(storage, prefix_size + suffix.size, err);
    if (status != AKIDB_OK)
        return status;
    uint8_t *to = storage->data + storage->size;
    memcpy(to, to - previous_size, prefix_size);
    if (suffix.size > 0)
        memcpy(to + prefix_size, suffix.data, suffix.size);
    storage->size += prefix_size + suffix.size;
    return AKIDB_OK;
}

/* The slices are the suffixes before, and have the sizes of the whole values after. */
static akidb_status join_all(delta *prefixes, size_t count, uint64_t max_bytes,
                             akidb_buffer *storage, akidb_slice *slices, akidb_error *err)
{
    uint64_t lengths[BATCH];
    uint64_t room = max_bytes;
    size_t previous = 0, got = 0;
    for (size_t done = 0; done < count; done += got) {
        akidb_status status = next_lengths(prefixes, done, lengths, &got, err);
        for (size_t i = 0; i < got && status == AKIDB_OK; i++) {
            akidb_slice suffix = slices[done + i];
            size_t prefix_size = (size_t)lengths[i];
            if (prefix_size > previous)
                return ak_fail(err, AKIDB_E_CORRUPTION,
                               "DELTA: value %zu shares %zu bytes with a value of %zu bytes",
                               done + i, prefix_size, previous);
            if (prefix_size > room || suffix.size > room - prefix_size)
                return ak_fail(err, AKIDB_E_LIMIT,
                               "DELTA: at value %zu of %zu, the values take over %llu bytes",
                               done + i, count, (unsigned long long)max_bytes);
            status = append_joined(storage, previous, prefix_size, suffix, err);
            previous = prefix_size + suffix.size;
            room -= previous;
            slices[done + i].size = previous;
        }
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

/* The lengths of the prefixes are gone through twice, so that they need no memory of their own: to
 * find the suffixes behind them, and to put the values together. */
akidb_status ak_delta_byte_array_decode(akidb_slice bytes, size_t count, uint64_t max_bytes,
                                        akidb_buffer *storage, akidb_slice *slices_out,
                                        akidb_error *err)
{
    akidb_slice suffixes;
    delta prefixes;
    size_t before = storage->size;
    akidb_status status = read_lengths(bytes, count, NULL, &suffixes, err);
    if (status == AKIDB_OK)
        status = ak_delta_length_decode(suffixes, count, slices_out, err);
    if (status == AKIDB_OK)
        status = open_delta(&prefixes, bytes, count, 32, err);
    if (status == AKIDB_OK)
        status = join_all(&prefixes, count, max_bytes, storage, slices_out, err);
    if (status != AKIDB_OK) {
        storage->size = before;
        return status;
    }
    size_t at = before;
    for (size_t i = 0; i < count; i++) {
        slices_out[i].data = slices_out[i].size == 0 ? (const uint8_t *)"" : storage->data + at;
        at += slices_out[i].size;
    }
    return AKIDB_OK;
}
