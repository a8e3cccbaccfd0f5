#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/endian.h"

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xC0) == 0x80;
}

/* The length of the well-formed sequence at `at`, of which `left` bytes are there, or 0. */
static size_t sequence_length(const uint8_t *at, size_t left)
{
    uint8_t first = at[0];
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (left < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!is_continuation(at[i]))
            return 0;
    bool overlong = (first == 0xE0 && at[1] < 0xA0) || (first == 0xF0 && at[1] < 0x90);
    bool surrogate = first == 0xED && at[1] > 0x9F;
    bool too_large = first == 0xF4 && at[1] > 0x8F;
    return overlong || surrogate || too_large ? 0 : length;
}

size_t ak_utf8_valid_prefix(const void *text, size_t size)
{
    const uint8_t *bytes = text;
    size_t at = 0;
    while (at < size) {
        if (size - at >= 8 && (ak_load_u64(bytes + at) & UINT64_C(0x8080808080808080)) == 0) {
            at += 8; /* eight ASCII characters at once */
            continue;
        }
        size_t length = sequence_length(bytes + at, size - at);
        if (length == 0)
            return at;
        at += length;
    }
    return size;
}

void ak_utf8_make_line(char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            text[i] = '?';
    for (size_t i = 0; (i += ak_utf8_valid_prefix(text + i, size - i)) < size;)
        text[i] = '?';
}
