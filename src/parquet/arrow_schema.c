/*
 * An Arrow IPC message (Message.fbs, Schema.fbs of the Arrow format) as a FlatBuffer, written front
 * to back: a table comes before what it points to, so every offset is positive and is filled in
 * when its target is known. Each field of a table takes a cell of four bytes, which is legal for
 * all types up to that width and keeps everything aligned.
 */
#include "parquet/arrow_schema.h"

#include <string.h>

#include "base/buffer.h"
#include "base/endian.h"

enum { METADATA_V5 = 4, HEADER_SCHEMA = 1 };

/* Numbers of the union Type in Schema.fbs. */
enum {
    TYPE_INT = 2,
    TYPE_FLOATING_POINT = 3,
    TYPE_BINARY = 4,
    TYPE_UTF8 = 5,
    TYPE_TIMESTAMP = 10,
    TYPE_FIXED_SIZE_LIST = 16
};

enum { PRECISION_SINGLE = 1, TIME_MILLISECOND = 1, TIME_MICROSECOND = 2 };

/* Positions are counted from the FlatBuffer's beginning, after the message's prefix of 8 bytes. */
enum { PREFIX = 8 };

typedef struct flat {
    akidb_buffer *bytes;
    akidb_error *err;
    akidb_status status; /* the first failure; nothing is written after it */
} flat;

static size_t flat_position(const flat *f)
{
    return f->bytes->size - PREFIX;
}

static void flat_put(flat *f, const void *bytes, size_t size)
{
    if (f->status == AKIDB_OK)
        f->status = ak_buffer_append(f->bytes, bytes, size, f->err);
}

static void flat_put_u16(flat *f, size_t value)
{
    uint16_t number = (uint16_t)value;
    flat_put(f, &number, sizeof number);
}

static void flat_put_u32(flat *f, size_t value)
{
    uint32_t number = (uint32_t)value;
    flat_put(f, &number, sizeof number);
}

static void flat_align(flat *f, size_t to)
{
    static const uint8_t zeros[8] = {0};
    size_t over = f->bytes->size % to;
    if (over != 0)
        flat_put(f, zeros, to - over);
}

/* Lets the offset at `cell` point to what is written next. */
static void flat_point_here(flat *f, size_t cell)
{
    if (f->status == AKIDB_OK)
        ak_store_u32(f->bytes->data + PREFIX + cell, (uint32_t)(flat_position(f) - cell));
}

/* A field that is left out has its schema's default. */
typedef struct slot {
    bool present;
    uint32_t value; /* 0 for an offset that is filled in later */
} slot;

#define VALUE(value)                                                                               \
    {                                                                                              \
        true, (value)                                                                              \
    }
#define OFFSET_LATER                                                                               \
    {                                                                                              \
        true, 0                                                                                    \
    }
#define DEFAULT_VALUE                                                                              \
    {                                                                                              \
        false, 0                                                                                   \
    }

/* Writes a table, to which the offset at `cell` points, and its vtable before it. Returns the
 * table's position; see slot_cell. */
static size_t flat_table(flat *f, size_t cell, const slot *slots, size_t count)
{
    size_t vtable = flat_position(f);
    flat_put_u16(f, 4 + 2 * count);
    flat_put_u16(f, 4 + 4 * count);
    for (size_t i = 0; i < count; i++)
        flat_put_u16(f, slots[i].present ? 4 + 4 * i : 0);
    flat_align(f, 4);
    size_t table = flat_position(f);
    flat_point_here(f, cell);
    flat_put_u32(f, table - vtable);
    for (size_t i = 0; i < count; i++)
        flat_put_u32(f, slots[i].value);
    return table;
}

static size_t slot_cell(size_t table, size_t slot_number)
{
    return table + 4 + 4 * slot_number;
}

static void flat_string(flat *f, size_t cell, const char *text)
{
    size_t size = strlen(text);
    flat_point_here(f, cell);
    flat_put_u32(f, size);
    flat_put(f, text, size + 1);
    flat_align(f, 4);
}

/* A vector of `count` offsets to fill in later. Returns the position of the first. */
static size_t flat_vector(flat *f, size_t cell, size_t count)
{
    flat_point_here(f, cell);
    flat_put_u32(f, count);
    size_t first = flat_position(f);
    for (size_t i = 0; i < count; i++)
        flat_put_u32(f, 0);
    return first;
}

typedef struct arrow_field {
    const char *name;
    bool nullable;
    uint32_t type;
    slot type_slots[2];
    size_t type_slot_count;
    const char *timezone;            /* of a timestamp, in its second slot */
    const struct arrow_field *child; /* of a list */
} arrow_field;

static void write_field(flat *f, size_t cell, const arrow_field *field)
{
    /* Lists do not nest any deeper than this loop. */
    for (; field != NULL; field = field->child) {
        const slot slots[] = {
            OFFSET_LATER, VALUE(field->nullable),         VALUE(field->type),
            OFFSET_LATER, DEFAULT_VALUE /* dictionary */, OFFSET_LATER /* children */};
        size_t table = flat_table(f, cell, slots, 6);
        flat_string(f, slot_cell(table, 0), field->name);
        size_t type = flat_table(f, slot_cell(table, 3), field->type_slots, field->type_slot_count);
        if (field->timezone != NULL)
            flat_string(f, slot_cell(type, 1), field->timezone);
        cell = flat_vector(f, slot_cell(table, 5), field->child != NULL ? 1 : 0);
    }
}

static void write_schema(flat *f, size_t cell, uint32_t dimension, ak_time_unit_kind unit)
{
    const arrow_field element = {
        .name = "element",
        .type = TYPE_FLOATING_POINT,
        .type_slots = {VALUE(PRECISION_SINGLE)},
        .type_slot_count = 1,
    };
    const arrow_field fields[] = {
        {.name = "document_id", .type = TYPE_BINARY},
        {.name = "external_id", .nullable = true, .type = TYPE_UTF8},
        {.name = "dimension",
         .type = TYPE_INT,
         .type_slots = {VALUE(32), VALUE(false) /* signed */},
         .type_slot_count = 2},
        {.name = "vector",
         .type = TYPE_FIXED_SIZE_LIST,
         .type_slots = {VALUE(dimension)},
         .type_slot_count = 1,
         .child = &element},
        {.name = "metadata_json", .nullable = true, .type = TYPE_UTF8},
        {.name = "inserted_at",
         .type = TYPE_TIMESTAMP,
         .type_slots = {VALUE(unit == AK_UNIT_MICROS ? TIME_MICROSECOND : TIME_MILLISECOND),
                        OFFSET_LATER},
         .type_slot_count = 2,
         .timezone = "UTC"},
    };
    enum { FIELDS = sizeof fields / sizeof fields[0] };

    const slot slots[] = {DEFAULT_VALUE /* little-endian */, OFFSET_LATER};
    size_t table = flat_table(f, cell, slots, 2);
    size_t first = flat_vector(f, slot_cell(table, 1), FIELDS);
    for (size_t i = 0; i < FIELDS; i++)
        write_field(f, first + 4 * i, &fields[i]);
}

/* The message's prefix is a continuation mark and the size of the padded FlatBuffer. */
static akidb_status write_message(akidb_buffer *bytes, uint32_t dimension, ak_time_unit_kind unit,
                                  akidb_error *err)
{
    flat message = {bytes, err, AKIDB_OK}, *f = &message;
    flat_put_u32(f, 0xFFFFFFFFu);
    flat_put_u32(f, 0);
    flat_put_u32(f, 0); /* the root's offset */
    const slot slots[] = {VALUE(METADATA_V5), VALUE(HEADER_SCHEMA), OFFSET_LATER};
    size_t table = flat_table(f, 0, slots, 3);
    write_schema(f, slot_cell(table, 2), dimension, unit);
    flat_align(f, 8);
    if (message.status == AKIDB_OK)
        ak_store_u32(bytes->data + 4, (uint32_t)flat_position(f));
    return message.status;
}

/* RFC 4648, section 4. */
static void base64_encode(const uint8_t *from, size_t size, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)from[i] << 16;
        group |= left > 1 ? (uint32_t)from[i + 1] << 8 : 0;
        group |= left > 2 ? from[i + 2] : 0u;
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[group & 63] : '=';
    }
    *to = '\0';
}

akidb_status ak_arrow_schema_append(akidb_buffer *text, uint32_t dimension, ak_time_unit_kind unit,
                                    akidb_error *err)
{
    akidb_buffer message = {0};
    akidb_status status = write_message(&message, dimension, unit, err);
    size_t size = (message.size + 2) / 3 * 4 + 1;
    if (status == AKIDB_OK)
        status = ak_buffer_reserve(text, size, err);
    if (status == AKIDB_OK) {
        base64_encode(message.data, message.size, (char *)text->data + text->size);
        text->size += size;
    }
    akidb_buffer_free(&message);
    return status;
}
