#ifndef AK_PARQUET_THRIFT_WRITE_H
#define AK_PARQUET_THRIFT_WRITE_H
/*
 * Thrift's compact protocol, writing (thrift-compact-protocol.md): what Parquet's headers, indexes
 * and footer are encoded in. Fields of a struct are written in ascending order of their numbers.
 * The first failure (memory) stays in `status`, and all later calls do nothing, so that a whole
 * structure is written without a check per field.
 */
#include "akidb/base.h"
#include "parquet/thrift.h"

typedef struct ak_thrift_writer {
    akidb_buffer *buffer;
    akidb_error *err;
    akidb_status status;
    int last_field; /* in the struct that is being written; 0 at its beginning */
} ak_thrift_writer;

/* A struct as a field, as an element of a list, or (field 0) alone. Hand what begin returns to its
 * end: it is the enclosing struct's place. */
int ak_thrift_begin_struct(ak_thrift_writer *writer, int field);
int ak_thrift_begin_element(ak_thrift_writer *writer);
void ak_thrift_end_struct(ak_thrift_writer *writer, int enclosing);

void ak_thrift_put_bool(ak_thrift_writer *writer, int field, bool value);
void ak_thrift_put_i8(ak_thrift_writer *writer, int field, int8_t value);
void ak_thrift_put_i32(ak_thrift_writer *writer, int field, int32_t value);
void ak_thrift_put_i64(ak_thrift_writer *writer, int field, int64_t value);
void ak_thrift_put_binary(ak_thrift_writer *writer, int field, akidb_slice value);
void ak_thrift_put_string(ak_thrift_writer *writer, int field, const char *value);

/* The head of a list field; the caller writes `count` elements after it. */
void ak_thrift_begin_list(ak_thrift_writer *writer, int field, ak_thrift_type type, size_t count);
void ak_thrift_element_i32(ak_thrift_writer *writer, int32_t value);
void ak_thrift_element_string(ak_thrift_writer *writer, const char *value);

#endif
