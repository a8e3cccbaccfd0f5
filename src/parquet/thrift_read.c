#include "parquet/thrift_read.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

enum { SKIP_DEPTH_MAX = 64, FIELD_ID_MAX = 32767 };

ak_thrift ak_thrift_from(akidb_slice bytes, const char *file, uint64_t file_offset,
                         akidb_error *err)
{
    const uint8_t *begin = bytes.data;
    return (ak_thrift){.begin = begin,
                       .at = begin,
                       .end = begin + bytes.size,
                       .file = file,
                       .file_offset = file_offset,
                       .err = err};
}

void ak_thrift_fail(ak_thrift *t, const char *format, ...)
{
    if (t->status != AKIDB_OK)
        return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    uint64_t offset = t->file_offset + (uint64_t)(t->at - t->begin);
    t->status = ak_fail_at(t->err, AKIDB_E_CORRUPTION, AK_AT(t->file, offset), "%s", text);
    t->at = t->end;
}

static size_t bytes_left(const ak_thrift *t)
{
    return (size_t)(t->end - t->at);
}

static uint8_t take_byte(ak_thrift *t)
{
    if (t->at == t->end) {
        ak_thrift_fail(t, "expected more metadata, found its end");
        return 0;
    }
    return *t->at++;
}

/* ULEB128 of at most `bits` bits. */
static uint64_t take_varint(ak_thrift *t, unsigned bits)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
        uint8_t byte = take_byte(t);
        uint64_t part = byte & 0x7F;
        if (bits - shift < 7 && part >> (bits - shift) != 0)
            break;
        value |= part << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    ak_thrift_fail(t, "expected an integer of at most %u bits, found a longer one", bits);
    return 0;
}

static int64_t take_zigzag(ak_thrift *t, unsigned bits)
{
    uint64_t value = take_varint(t, bits);
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static akidb_slice take_binary(ak_thrift *t)
{
    uint64_t size = take_varint(t, 32);
    if (size > bytes_left(t)) {
        ak_thrift_fail(t, "expected a text within the %zu bytes left, found one of %llu bytes",
                       bytes_left(t), (unsigned long long)size);
        return (akidb_slice){"", 0};
    }
    akidb_slice slice = {t->at, (size_t)size};
    t->at += size;
    return slice;
}

bool ak_thrift_next(ak_thrift *t, ak_thrift_struct *s)
{
    uint8_t byte = take_byte(t);
    if (t->status != AKIDB_OK || byte == AK_THRIFT_STOP)
        return false;
    s->type = byte & 0x0F;
    int64_t id = byte >> 4 != 0 ? s->id + (byte >> 4) : take_zigzag(t, 16);
    if (s->type == AK_THRIFT_STOP || s->type > AK_THRIFT_UUID)
        ak_thrift_fail(t, "expected a field, found type %d", s->type);
    else if (id < 0 || id > FIELD_ID_MAX)
        ak_thrift_fail(t, "expected a field number from 0 to %d, found %lld", FIELD_ID_MAX,
                       (long long)id);
    else if (id < 64 && (s->seen >> id & 1) != 0)
        ak_thrift_fail(t, "expected each field once, found field %d again", (int)id);
    if (t->status != AKIDB_OK)
        return false;
    s->id = (int)id;
    if (id < 64)
        s->seen |= UINT64_C(1) << id;
    return true;
}

void ak_thrift_require(ak_thrift *t, const ak_thrift_struct *s, uint64_t fields, const char *name)
{
    uint64_t missing = fields & ~s->seen;
    if (missing != 0)
        ak_thrift_fail(t, "expected field %d of %s, found none", __builtin_ctzll(missing), name);
}

static bool check_type(ak_thrift *t, const ak_thrift_struct *s, int type)
{
    if (t->status == AKIDB_OK && s->type != type)
        ak_thrift_fail(t, "expected type %d for field %d, found type %d", type, s->id, s->type);
    return t->status == AKIDB_OK;
}

bool ak_thrift_bool(ak_thrift *t, const ak_thrift_struct *s)
{
    if (s->type == AK_THRIFT_TRUE)
        return t->status == AKIDB_OK;
    (void)check_type(t, s, AK_THRIFT_FALSE);
    return false;
}

int32_t ak_thrift_i8(ak_thrift *t, const ak_thrift_struct *s)
{
    return check_type(t, s, AK_THRIFT_I8) ? (int8_t)take_byte(t) : 0;
}

int32_t ak_thrift_i32(ak_thrift *t, const ak_thrift_struct *s)
{
    return check_type(t, s, AK_THRIFT_I32) ? (int32_t)take_zigzag(t, 32) : 0;
}

int64_t ak_thrift_i64(ak_thrift *t, const ak_thrift_struct *s)
{
    return check_type(t, s, AK_THRIFT_I64) ? take_zigzag(t, 64) : 0;
}

akidb_slice ak_thrift_binary(ak_thrift *t, const ak_thrift_struct *s)
{
    return check_type(t, s, AK_THRIFT_BINARY) ? take_binary(t) : (akidb_slice){"", 0};
}

bool ak_thrift_enter(ak_thrift *t, const ak_thrift_struct *s)
{
    return check_type(t, s, AK_THRIFT_STRUCT);
}

/* The header of a list or set: its count and the type of its elements. */
static size_t take_list(ak_thrift *t, size_t least_size, int *type_out)
{
    uint8_t byte = take_byte(t);
    uint64_t count = byte >> 4;
    if (count == 15)
        count = take_varint(t, 32);
    *type_out = byte & 0x0F;
    if (count > bytes_left(t) / least_size) {
        ak_thrift_fail(t, "expected a list within the %zu bytes left, found one of %llu elements",
                       bytes_left(t), (unsigned long long)count);
        return 0;
    }
    return t->status == AKIDB_OK ? (size_t)count : 0;
}

size_t ak_thrift_list(ak_thrift *t, const ak_thrift_struct *s, int type, size_t least_size)
{
    if (!check_type(t, s, AK_THRIFT_LIST))
        return 0;
    int found;
    size_t count = take_list(t, least_size, &found);
    if (count > 0 && found != type) {
        ak_thrift_fail(t, "expected a list of type %d, found one of type %d", type, found);
        return 0;
    }
    return count;
}

int32_t ak_thrift_list_i32(ak_thrift *t)
{
    return (int32_t)take_zigzag(t, 32);
}

akidb_slice ak_thrift_list_binary(ak_thrift *t)
{
    return take_binary(t);
}

/* ---- skipping -------------------------------------------------------------------------------- */

static void skip_value(ak_thrift *t, int type, bool is_element);

static void skip_elements(ak_thrift *t, size_t count, int type)
{
    for (size_t i = 0; i < count && t->status == AKIDB_OK; i++)
        skip_value(t, type, true);
}

static void skip_map(ak_thrift *t)
{
    uint64_t count = take_varint(t, 32);
    if (count == 0)
        return;
    uint8_t types = take_byte(t);
    if (count > bytes_left(t) / 2) {
        ak_thrift_fail(t, "expected a map within the %zu bytes left, found one of %llu entries",
                       bytes_left(t), (unsigned long long)count);
        return;
    }
    for (uint64_t i = 0; i < count && t->status == AKIDB_OK; i++) {
        skip_value(t, types >> 4, true);
        skip_value(t, types & 0x0F, true);
    }
}

static void skip_bytes(ak_thrift *t, size_t size)
{
    if (size > bytes_left(t))
        ak_thrift_fail(t, "expected %zu bytes, found %zu", size, bytes_left(t));
    else
        t->at += size;
}

static void skip_nested(ak_thrift *t, int type)
{
    if (++t->depth > SKIP_DEPTH_MAX) {
        ak_thrift_fail(t, "expected metadata at most %d levels deep, found more", SKIP_DEPTH_MAX);
        return;
    }
    if (type == AK_THRIFT_STRUCT) {
        ak_thrift_struct s = {0};
        while (ak_thrift_next(t, &s))
            skip_value(t, s.type, false);
    } else if (type == AK_THRIFT_MAP) {
        skip_map(t);
    } else {
        int element;
        size_t count = take_list(t, 1, &element);
        skip_elements(t, count, element);
    }
    t->depth--;
}

static void skip_value(ak_thrift *t, int type, bool is_element)
{
    switch (type) {
    case AK_THRIFT_TRUE:
    case AK_THRIFT_FALSE:
        if (is_element) /* the value of a field lies in its type */
            skip_bytes(t, 1);
        break;
    case AK_THRIFT_I8: skip_bytes(t, 1); break;
    case AK_THRIFT_I16:
    case AK_THRIFT_I32:
    case AK_THRIFT_I64: (void)take_varint(t, 64); break;
    case AK_THRIFT_DOUBLE: skip_bytes(t, 8); break;
    case AK_THRIFT_UUID: skip_bytes(t, 16); break;
    case AK_THRIFT_BINARY: (void)take_binary(t); break;
    case AK_THRIFT_LIST:
    case AK_THRIFT_SET:
    case AK_THRIFT_MAP:
    case AK_THRIFT_STRUCT: skip_nested(t, type); break;
    default: ak_thrift_fail(t, "expected a known type of element, found type %d", type);
    }
}

void ak_thrift_skip(ak_thrift *t, const ak_thrift_struct *s)
{
    if (t->status == AKIDB_OK)
        skip_value(t, s->type, false);
}
