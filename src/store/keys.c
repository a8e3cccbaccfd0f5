#include "store/keys.h"

#include <string.h>

#include "akidb/store.h"
#include "base/error.h"
#include "base/utf8.h"

static bool part_equals(const char *part, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(part, text, size) == 0;
}

static bool part_is_temporary(const char *part, size_t size)
{
    size_t length = strlen(AK_TEMPORARY_PREFIX);
    return size >= length && memcmp(part, AK_TEMPORARY_PREFIX, length) == 0;
}

bool ak_key_part_is_legal(const char *part, size_t size)
{
    return size > 0 && size <= AK_KEY_PART_MAX && !part_equals(part, size, ".") &&
           !part_equals(part, size, "..") && !part_is_temporary(part, size);
}

static akidb_status fail_part(const char *key, const char *part, size_t size, akidb_error *err)
{
    ak_place place = AK_AT(key, part - key);
    if (size == 0)
        return ak_fail_at(err, AKIDB_E_VALIDATION, place, "a part of the key is empty");
    if (size > AK_KEY_PART_MAX)
        return ak_fail_at(err, AKIDB_E_VALIDATION, place,
                          "a part of the key has %zu bytes, more than %u", size, AK_KEY_PART_MAX);
    if (part_is_temporary(part, size))
        return ak_fail_at(err, AKIDB_E_VALIDATION, place,
                          "a part of the key begins with \"%s\", which is for temporary files",
                          AK_TEMPORARY_PREFIX);
    return ak_fail_at(err, AKIDB_E_VALIDATION, place, "a part of the key is \"%.*s\"", (int)size,
                      part);
}

static akidb_status check_characters(const char *key, size_t size, akidb_error *err)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)key[i] < 0x20 || key[i] == 0x7F)
            return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(key, i),
                              "the key holds the control character 0x%02X",
                              (unsigned)(unsigned char)key[i]);
    size_t valid = ak_utf8_valid_prefix(key, size);
    if (valid < size)
        return ak_fail_at(err, AKIDB_E_VALIDATION, AK_AT(NULL, valid), "the key is not UTF-8");
    return AKIDB_OK;
}

akidb_status ak_key_check(const char *key, akidb_error *err)
{
    if (key == NULL || key[0] == '\0')
        return ak_fail(err, AKIDB_E_VALIDATION, "the key is empty");
    size_t size = strnlen(key, AKIDB_KEY_MAX + 1);
    if (size > AKIDB_KEY_MAX)
        return ak_fail(err, AKIDB_E_VALIDATION, "the key \"%.40s...\" is longer than %u bytes", key,
                       AKIDB_KEY_MAX);
    akidb_status status = check_characters(key, size, err);
    if (status != AKIDB_OK)
        return status;
    const char *part = key;
    for (;;) {
        size_t length = strcspn(part, "/");
        if (!ak_key_part_is_legal(part, length))
            return fail_part(key, part, length, err);
        if (part[length] == '\0')
            return AKIDB_OK;
        part += length + 1;
    }
}
