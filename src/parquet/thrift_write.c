#include "parquet/thrift_write.h"

#include <string.h>

#include "base/buffer.h"
#include "codec/bits.h"

static void put_bytes(ak_thrift_writer *writer, const void *bytes, size_t size)
{
    if (writer->status == AKIDB_OK)
        writer->status = ak_buffer_append(writer->buffer, bytes, size, writer->err);
}

static void put_byte(ak_thrift_writer *writer, unsigned byte)
{
    uint8_t one = (uint8_t)byte;
    put_bytes(writer, &one, 1);
}

static void put_varint(ak_thrift_writer *writer, uint64_t value)
{
    uint8_t bytes[10];
    put_bytes(writer, bytes, ak_put_varint(bytes, value));
}

static void put_zigzag(ak_thrift_writer *writer, int64_t value)
{
    put_varint(writer, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

/* A field's head is one byte when its number is at most 15 above the one before it. */
static void put_field(ak_thrift_writer *writer, int field, ak_thrift_type type)
{
    int step = field - writer->last_field;
    if (step >= 1 && step <= 15) {
        put_byte(writer, (unsigned)step << 4 | (unsigned)type);
    } else {
        put_byte(writer, (unsigned)type);
        put_zigzag(writer, field);
    }
    writer->last_field = field;
}

int ak_thrift_begin_element(ak_thrift_writer *writer)
{
    int enclosing = writer->last_field;
    writer->last_field = 0;
    return enclosing;
}

int ak_thrift_begin_struct(ak_thrift_writer *writer, int field)
{
    if (field != 0)
        put_field(writer, field, AK_THRIFT_STRUCT);
    return ak_thrift_begin_element(writer);
}

void ak_thrift_end_struct(ak_thrift_writer *writer, int enclosing)
{
    put_byte(writer, 0); /* STOP */
    writer->last_field = enclosing;
}

void ak_thrift_put_bool(ak_thrift_writer *writer, int field, bool value)
{
    put_field(writer, field, value ? AK_THRIFT_TRUE : AK_THRIFT_FALSE);
}

void ak_thrift_put_i8(ak_thrift_writer *writer, int field, int8_t value)
{
    put_field(writer, field, AK_THRIFT_I8);
    put_byte(writer, (uint8_t)value);
}

void ak_thrift_put_i32(ak_thrift_writer *writer, int field, int32_t value)
{
    put_field(writer, field, AK_THRIFT_I32);
    put_zigzag(writer, value);
}

void ak_thrift_put_i64(ak_thrift_writer *writer, int field, int64_t value)
{
    put_field(writer, field, AK_THRIFT_I64);
    put_zigzag(writer, value);
}

void ak_thrift_put_binary(ak_thrift_writer *writer, int field, akidb_slice value)
{
    put_field(writer, field, AK_THRIFT_BINARY);
    put_varint(writer, value.size);
    put_bytes(writer, value.data, value.size);
}

void ak_thrift_put_string(ak_thrift_writer *writer, int field, const char *value)
{
    ak_thrift_put_binary(writer, field, (akidb_slice){value, strlen(value)});
}

/* Up to 14 elements are counted in the head's upper four bits. */
void ak_thrift_begin_list(ak_thrift_writer *writer, int field, ak_thrift_type type, size_t count)
{
    put_field(writer, field, AK_THRIFT_LIST);
    if (count < 15) {
        put_byte(writer, (unsigned)count << 4 | (unsigned)type);
    } else {
        put_byte(writer, 0xF0u | (unsigned)type);
        put_varint(writer, count);
    }
}

void ak_thrift_element_i32(ak_thrift_writer *writer, int32_t value)
{
    put_zigzag(writer, value);
}

void ak_thrift_element_string(ak_thrift_writer *writer, const char *value)
{
    size_t size = strlen(value);
    put_varint(writer, size);
    put_bytes(writer, value, size);
}
