/* layers: codec */
/* The DELTA encodings: all that is given lies within the input or the limit. Input: count (two
 * bytes), then the encoded bytes, which every decoder gets. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "codec/delta.h"

enum { JOINED_MAX = 100000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_numbers(akidb_slice bytes, size_t count)
{
    int64_t *wide = malloc((count + 1) * sizeof *wide);
    int32_t *narrow = malloc((count + 1) * sizeof *narrow);
    require(wide != NULL && narrow != NULL);
    size_t wide_used, narrow_used;
    akidb_error err;
    akidb_status wide_status = ak_delta_decode_i64(bytes, count, wide, &wide_used, &err);
    akidb_status narrow_status = ak_delta_decode_i32(bytes, count, narrow, &narrow_used, &err);
    require(wide_used <= bytes.size && narrow_used <= bytes.size);
    require(wide_status == AKIDB_OK || wide_status == AKIDB_E_CORRUPTION);
    if (narrow_status == AKIDB_OK) { /* whatever fits 32 bits fits 64, and has the same low half */
        require(wide_status == AKIDB_OK && wide_used == narrow_used);
        for (size_t i = 0; i < count; i++)
            require((uint32_t)narrow[i] == (uint32_t)(uint64_t)wide[i]);
    }
    free(wide);
    free(narrow);
}

static void check_lengths(akidb_slice bytes, size_t count, akidb_slice *slices)
{
    if (ak_delta_length_decode(bytes, count, slices, NULL) != AKIDB_OK)
        return;
    const uint8_t *end = (const uint8_t *)bytes.data + bytes.size;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *text = slices[i].data;
        require(text >= (const uint8_t *)bytes.data && text <= end &&
                slices[i].size <= (size_t)(end - text));
    }
}

static void check_joined(akidb_slice bytes, size_t count, akidb_slice *slices)
{
    akidb_buffer storage = {0};
    require(ak_buffer_append(&storage, "before", 6, NULL) == AKIDB_OK);
    akidb_error err;
    akidb_status status =
        ak_delta_byte_array_decode(bytes, count, JOINED_MAX, &storage, slices, &err);
    require(storage.size <= 6 + JOINED_MAX && memcmp(storage.data, "before", 6) == 0);
    if (status != AKIDB_OK)
        require(storage.size == 6);
    size_t total = 0;
    for (size_t i = 0; i < count && status == AKIDB_OK; i++) {
        require(slices[i].size == 0 || slices[i].data == storage.data + 6 + total);
        total += slices[i].size;
    }
    require(storage.size == 6 + total);
    akidb_buffer_free(&storage);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t count = (size_t)data[0] | (size_t)data[1] << 8;
    const akidb_slice bytes = {data + 2, size - 2};
    akidb_slice *slices = malloc((count + 1) * sizeof *slices);
    require(slices != NULL);
    check_numbers(bytes, count);
    check_lengths(bytes, count, slices);
    check_joined(bytes, count, slices);
    free(slices);
    return 0;
}
