#include <openssl/evp.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"

/* Positions of the hyphens in the text of a UUID. */
static bool is_hyphen_at(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static bool parse(const char *text, akidb_uuid *uuid_out)
{
    akidb_uuid uuid = {{0}};
    size_t digits = 0;
    for (size_t i = 0; i < AKIDB_UUID_TEXT_SIZE - 1; i++) {
        if (is_hyphen_at(i)) {
            if (text[i] != '-')
                return false;
            continue;
        }
        int value = hex_value(text[i]); /* -1 at the end of a text that is too short */
        if (value < 0)
            return false;
        uuid.bytes[digits / 2] = (uint8_t)(uuid.bytes[digits / 2] << 4 | value);
        digits++;
    }
    if (text[AKIDB_UUID_TEXT_SIZE - 1] != '\0')
        return false;
    *uuid_out = uuid;
    return true;
}

akidb_status akidb_uuid_parse(const char *text, akidb_uuid *uuid_out, akidb_error *err)
{
    *uuid_out = (akidb_uuid){{0}};
    if (text == NULL || !parse(text, uuid_out))
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "expected a UUID such as 0945db03-3ed2-5aea-b1b9-96709bcb3b20, found "
                       "\"%.100s\"",
                       text == NULL ? "" : text);
    return AKIDB_OK;
}

void akidb_uuid_format(const akidb_uuid *uuid, char text_out[AKIDB_UUID_TEXT_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    size_t digits = 0;
    for (size_t i = 0; i < AKIDB_UUID_TEXT_SIZE - 1; i++) {
        if (is_hyphen_at(i)) {
            text_out[i] = '-';
            continue;
        }
        uint8_t byte = uuid->bytes[digits / 2];
        text_out[i] = hex[digits % 2 == 0 ? byte >> 4 : byte & 15];
        digits++;
    }
    text_out[AKIDB_UUID_TEXT_SIZE - 1] = '\0';
}

int akidb_uuid_compare(const akidb_uuid *a, const akidb_uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* RFC 9562, section 5.5. */
akidb_status akidb_uuid_new_v5(const akidb_uuid *name_space, akidb_slice name, akidb_uuid *uuid_out,
                               akidb_error *err)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char digest[EVP_MAX_MD_SIZE];
    bool hashed = context != NULL && EVP_DigestInit_ex(context, EVP_sha1(), NULL) == 1 &&
                  EVP_DigestUpdate(context, name_space->bytes, sizeof name_space->bytes) == 1 &&
                  EVP_DigestUpdate(context, name.data, name.size) == 1 &&
                  EVP_DigestFinal_ex(context, digest, NULL) == 1;
    EVP_MD_CTX_free(context);
    *uuid_out = (akidb_uuid){{0}}; /* not before: it may be the name space itself */
    if (!hashed)
        return ak_fail(err, AKIDB_E_OUT_OF_MEMORY, "the SHA-1 of a name could not be computed");
    memcpy(uuid_out->bytes, digest, sizeof uuid_out->bytes);
    uuid_out->bytes[6] = (uint8_t)((uuid_out->bytes[6] & 0x0F) | 0x50);
    uuid_out->bytes[8] = (uint8_t)((uuid_out->bytes[8] & 0x3F) | 0x80);
    return AKIDB_OK;
}

akidb_status akidb_collection_id(const char *name, akidb_uuid *uuid_out, akidb_error *err)
{
    static const akidb_uuid collections = {{0x09, 0x45, 0xdb, 0x03, 0x3e, 0xd2, 0x5a, 0xea, 0xb1,
                                            0xb9, 0x96, 0x70, 0x9b, 0xcb, 0x3b, 0x20}};
    enum { NAME_MAX_BYTES = 1024 };
    *uuid_out = (akidb_uuid){{0}};
    size_t size = name == NULL ? 0 : strnlen(name, NAME_MAX_BYTES + 1);
    if (size == 0 || size > NAME_MAX_BYTES)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "the name of a collection has 1 to %d bytes, found %s", NAME_MAX_BYTES,
                       size == 0 ? "none" : "more");
    if (ak_utf8_valid_prefix(name, size) != size)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "the name of a collection is UTF-8; byte %zu of it is not",
                       ak_utf8_valid_prefix(name, size));
    if (parse(name, uuid_out))
        return AKIDB_OK;
    return akidb_uuid_new_v5(&collections, (akidb_slice){name, size}, uuid_out, err);
}
