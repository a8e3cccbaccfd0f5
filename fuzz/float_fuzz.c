/* layers: json */
/* Properties: a number is read as the C library reads it; a float that is printed reads back as the
 * same bits. */
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void check_parse(const uint8_t *data, size_t size)
{
    char text[1024];
    if (size >= sizeof text)
        return;
    memcpy(text, data, size);
    float value;
    size_t taken = ak_float_parse((const char *)data, size, &value);
    text[taken] = '\0';
    if (taken > size || (taken > 0 && bits_of(strtof(text, NULL)) != bits_of(value)))
        abort();
}

static void check_print(float value)
{
    char text[AK_FLOAT_TEXT_SIZE];
    size_t length = ak_float_print(value, text);
    float again;
    if (length > sizeof text || (length > 0 && ak_float_parse(text, length, &again) != length))
        abort();
    if (length > 0 && bits_of(again) != bits_of(value))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_parse(data, size);
    for (size_t at = 0; at + sizeof(float) <= size && at < 256; at += sizeof(float)) {
        float value;
        memcpy(&value, data + at, sizeof value);
        check_print(value);
    }
    return 0;
}
