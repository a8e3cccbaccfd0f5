#include "codec/levels.h"

#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/error.h"
#include "codec/hybrid.h"
#include "codec/rle.h"

/* ---- writing --------------------------------------------------------------------------------- */

/* From this length on, a row is one bit-packed group and one RLE run: 0 and seven 1, then at least
 * eight 1. Shorter rows share groups. */
enum { ROW_ALONE = 16 };

enum { RUN_VALUES = AK_HYBRID_GROUP * AK_HYBRID_GROUPS_MAX };

/* Enough for the values of a period of any k below ROW_ALONE (k = 5 takes 5 full runs), and for its
 * bytes. */
enum { PERIOD_VALUES_MAX = 5 * RUN_VALUES, PERIOD_BYTES_MAX = PERIOD_VALUES_MAX / 8 + 64 };

/* After how many rows of k values (2 to 15) the writer of the hybrid stands at the start of a row
 * and of a group with no run open, so that from there on all bytes come again. */
static uint32_t period_of(uint32_t k)
{
    if (k <= AK_HYBRID_GROUP) { /* never eight equal: full bit-packed runs only */
        uint32_t values = RUN_VALUES;
        while (values % k != 0)
            values += RUN_VALUES;
        return values / k;
    }
    uint32_t at = 0; /* the start of a group */
    while (at % k == 0 || k - at % k < AK_HYBRID_GROUP)
        at += AK_HYBRID_GROUP;
    return at / k + 1; /* an RLE run goes from here to the end of the row */
}

/* The levels of so many rows, by the writer itself: the template, or what is left over. */
static akidb_status append_short_rows(akidb_buffer *buffer, uint32_t rows, uint32_t k,
                                      akidb_error *err)
{
    uint32_t levels[PERIOD_VALUES_MAX];
    uint32_t count = rows * k;
    for (uint32_t i = 0; i < count; i++)
        levels[i] = i % k != 0;
    return ak_rle_encode(buffer, levels, count, 1, err);
}

/* Appends the last `size` bytes of the buffer so many times more, copying what is there already. */
static akidb_status repeat_end(akidb_buffer *buffer, size_t size, uint64_t times, akidb_error *err)
{
    size_t left;
    if (times > SIZE_MAX || !ak_mul_size(size, (size_t)times, &left))
        return ak_fail_memory(err, SIZE_MAX);
    akidb_status status = ak_buffer_reserve(buffer, left, err);
    if (status != AKIDB_OK)
        return status;
    const uint8_t *from = buffer->data + buffer->size - size;
    for (size_t there = size; left > 0; there = (size_t)(buffer->data + buffer->size - from)) {
        size_t piece = left < there ? left : there;
        memcpy(buffer->data + buffer->size, from, piece);
        buffer->size += piece;
        left -= piece;
    }
    return AKIDB_OK;
}

static akidb_status append_long_rows(akidb_buffer *buffer, uint64_t rows, uint32_t k,
                                     akidb_error *err)
{
    uint8_t row[16] = {1 << 1 | 1, 0xFE};
    size_t size = 2;
    size += ak_put_varint(row + size, (uint64_t)(k - AK_HYBRID_GROUP) << 1);
    row[size++] = 1;
    akidb_status status = ak_buffer_append(buffer, row, size, err);
    return status != AKIDB_OK ? status : repeat_end(buffer, size, rows - 1, err);
}

static akidb_status append_periods(akidb_buffer *buffer, uint64_t rows, uint32_t k,
                                   akidb_error *err)
{
    uint32_t period = period_of(k);
    akidb_status status = AKIDB_OK;
    if (rows >= period) {
        size_t before = buffer->size;
        status = append_short_rows(buffer, period, k, err);
        if (status == AKIDB_OK)
            status = repeat_end(buffer, buffer->size - before, rows / period - 1, err);
    }
    if (status == AKIDB_OK && rows % period != 0)
        status = append_short_rows(buffer, (uint32_t)(rows % period), k, err);
    return status;
}

akidb_status ak_levels_append_fixed_repetition(akidb_buffer *buffer, uint64_t rows, uint32_t k,
                                               akidb_error *err)
{
    size_t before = buffer->size;
    akidb_status status = AKIDB_OK;
    if (rows == 0 || k == 0)
        return AKIDB_OK;
    if (k == 1)
        status = ak_levels_append_constant(buffer, rows, 0, err);
    else if (k < ROW_ALONE)
        status = append_periods(buffer, rows, k, err);
    else
        status = append_long_rows(buffer, rows, k, err);
    if (status != AKIDB_OK)
        buffer->size = before;
    return status;
}

akidb_status ak_levels_append_constant(akidb_buffer *buffer, uint64_t count, uint8_t level,
                                       akidb_error *err)
{
    size_t before = buffer->size;
    for (uint64_t piece; count > 0; count -= piece) {
        piece = count < AK_HYBRID_RUN_MAX ? count : AK_HYBRID_RUN_MAX;
        uint8_t run[16];
        size_t size = ak_put_varint(run, piece << 1);
        run[size++] = level;
        akidb_status status = ak_buffer_append(buffer, run, size, err);
        if (status != AKIDB_OK) {
            buffer->size = before;
            return status;
        }
    }
    return AKIDB_OK;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool packed_all_equal(const ak_hybrid_run *run, unsigned bit_width, uint64_t count,
                             uint32_t level)
{
    for (uint64_t i = 0; i < count; i++)
        if (ak_bits_at(run->packed, run->packed_size, i * bit_width, bit_width) != level)
            return false;
    return true;
}

ak_levels_verdict ak_levels_all_equal(akidb_slice levels, unsigned bit_width, uint64_t count,
                                      uint32_t level)
{
    if (bit_width > 32)
        return AK_LEVELS_MALFORMED;
    const uint8_t *at = levels.data;
    const uint8_t *end = levels.size == 0 ? at : at + levels.size;
    while (count > 0) {
        ak_hybrid_run run;
        if (ak_hybrid_next(&at, end, bit_width, &run) != NULL)
            return AK_LEVELS_MALFORMED;
        uint64_t taken = run.count < count ? run.count : count;
        bool equal = run.packed == NULL ? run.value == level
                                        : packed_all_equal(&run, bit_width, taken, level);
        if (!equal)
            return AK_LEVELS_NO;
        count -= taken;
    }
    return AK_LEVELS_YES;
}

/* Where the walk over a page's levels stands. Values are counted from the page's first. */
typedef struct walk {
    uint64_t position; /* values passed */
    uint64_t next;     /* where the next row begins; never before position */
    uint64_t k;
    uint64_t starts; /* bit i * k set: the row starts of a word whose first value starts a row */
} walk;

/* A run of `count` equal levels: all ones within a row, or one zero where a row begins. */
static bool walk_equal(walk *w, uint32_t value, uint64_t count)
{
    if (value == 1) {
        if (w->next < w->position + count)
            return false;
    } else {
        if (w->next != w->position || (count != 1 && w->k != 1))
            return false;
        w->next += count * w->k;
    }
    w->position += count;
    return true;
}

/* Bit-packed levels, 64 at a time, against the word that the pattern has there. */
static bool walk_packed(walk *w, const ak_hybrid_run *run, uint64_t count)
{
    for (uint64_t done = 0; done < count; done += 64) {
        unsigned bits = count - done < 64 ? (unsigned)(count - done) : 64;
        uint64_t found = ak_bits_at(run->packed, run->packed_size, done, bits);
        uint64_t to_next = w->next - w->position;
        uint64_t expected = to_next < 64 ? ~(w->starts << to_next) : ~UINT64_C(0);
        if (bits < 64)
            expected &= (UINT64_C(1) << bits) - 1;
        if (found != expected)
            return false;
        w->position += bits;
        if (w->next < w->position)
            w->next += (w->position - w->next + w->k - 1) / w->k * w->k;
    }
    return true;
}

/* Once the runs of the first rows are known to be right, the same bytes again are as many rows
 * again: one comparison of the levels with themselves, shifted by the `size` bytes read so far,
 * tells for all rows. Moves on behind the last whole repetition, if so. */
static size_t skip_repetitions(walk *w, const uint8_t *start, size_t size, size_t total,
                               uint64_t count)
{
    uint64_t times = count / w->position;
    if (times > total / size)
        times = total / size;
    if (times <= 2 || memcmp(start, start + size, size * (size_t)(times - 1)) != 0)
        return size;
    w->position *= times;
    w->next = w->position;
    return size * (size_t)times;
}

ak_levels_verdict ak_levels_fixed_repetition(akidb_slice levels, uint64_t count, uint32_t k,
                                             uint64_t *carry)
{
    if (k == 0)
        return AK_LEVELS_NO;
    const uint8_t *start = levels.data;
    const uint8_t *at = start;
    const uint8_t *end = levels.size == 0 ? start : start + levels.size;
    walk w = {.next = *carry, .k = k};
    for (unsigned bit = 0; bit < 64; bit += k < 64 ? k : 64)
        w.starts |= UINT64_C(1) << bit;
    bool may_skip = *carry == 0;
    while (w.position < count) {
        ak_hybrid_run run;
        if (ak_hybrid_next(&at, end, 1, &run) != NULL)
            return AK_LEVELS_MALFORMED;
        uint64_t left = count - w.position;
        uint64_t taken = run.count < left ? run.count : left;
        bool fits =
            run.packed == NULL ? walk_equal(&w, run.value, taken) : walk_packed(&w, &run, taken);
        if (!fits)
            return AK_LEVELS_NO;
        if (may_skip && w.position > 0 && w.next == w.position && w.position < count) {
            may_skip = false;
            at = start + skip_repetitions(&w, start, (size_t)(at - start), levels.size, count);
        }
    }
    *carry = w.next - count;
    return AK_LEVELS_YES;
}
