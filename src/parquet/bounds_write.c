#include "parquet/bounds_write.h"

#include <string.h>

ak_bound ak_bound_exact(const void *bytes, size_t size)
{
    ak_bound bound = {.present = true, .exact = true, .size = (uint8_t)size};
    if (size > 0)
        memcpy(bound.bytes, bytes, size);
    return bound;
}

int ak_compare_bytes(akidb_slice a, akidb_slice b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    if (order != 0)
        return order;
    return a.size < b.size ? -1 : a.size > b.size;
}

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The text, or as many of its whole characters as fit. */
static ak_bound cut(akidb_slice text)
{
    if (text.size <= AK_BOUND_MAX)
        return ak_bound_exact(text.data, text.size);
    const uint8_t *bytes = text.data;
    size_t size = AK_BOUND_MAX;
    while (size > 0 && is_continuation(bytes[size]))
        size--;
    ak_bound bound = ak_bound_exact(bytes, size);
    bound.exact = false;
    return bound;
}

ak_bound ak_bound_below_text(akidb_slice text)
{
    return cut(text);
}

static uint32_t decode_character(const uint8_t *bytes, size_t size)
{
    if (size == 1)
        return bytes[0];
    uint32_t character = bytes[0] & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++)
        character = character << 6 | (bytes[i] & 0x3Fu);
    return character;
}

static size_t encode_character(uint32_t character, uint8_t bytes_out[4])
{
    if (character < 0x80) {
        bytes_out[0] = (uint8_t)character;
        return 1;
    }
    size_t size = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = size - 1; i > 0; i--) {
        bytes_out[i] = (uint8_t)(0x80 | (character & 0x3F));
        character >>= 6;
    }
    bytes_out[0] = (uint8_t)((0xF00u >> size & 0xF0) | character);
    return size;
}

/* UTF-8 sorts as its characters do, so a text with one character raised and the rest dropped is
 * above every text that begins as it did. */
ak_bound ak_bound_above_text(akidb_slice text)
{
    ak_bound bound = cut(text);
    if (bound.exact)
        return bound;
    size_t end = bound.size;
    while (end > 0) {
        size_t start = end - 1;
        while (start > 0 && is_continuation(bound.bytes[start]))
            start--;
        uint32_t next = decode_character(bound.bytes + start, end - start) + 1;
        if (next == 0xD800) /* surrogates are no characters */
            next = 0xE000;
        uint8_t raised[4];
        size_t size = next <= 0x10FFFF ? encode_character(next, raised) : 0;
        if (size > 0 && start + size <= AK_BOUND_MAX) {
            memcpy(bound.bytes + start, raised, size);
            bound.size = (uint8_t)(start + size);
            return bound;
        }
        end = start;
    }
    return (ak_bound){0};
}
