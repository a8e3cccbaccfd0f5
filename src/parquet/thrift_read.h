#ifndef AK_PARQUET_THRIFT_READ_H
#define AK_PARQUET_THRIFT_READ_H
/*
 * Reading Thrift's compact protocol (thrift-compact-protocol.md) from bytes that may be hostile.
 *
 * The first failure sticks: it is kept in `status`, the rest of the bytes count as gone, and every
 * later read gives zero. So a parser reads its fields one after the other and asks once. Every loop
 * ends: ak_thrift_next is false after a failure, and a list's count is no more than its bytes.
 */
#include "akidb/base.h"
#include "parquet/thrift.h"

typedef struct ak_thrift {
    const uint8_t *begin;
    const uint8_t *at;
    const uint8_t *end;
    const char *file;     /* for messages */
    uint64_t file_offset; /* of begin */
    akidb_status status;
    akidb_error *err;
    unsigned depth; /* structs, lists and maps that are being skipped */
} ak_thrift;

/* A struct that is being read, and the field that it is at. Start from {0}. */
typedef struct ak_thrift_struct {
    int id;
    int type;
    uint64_t seen; /* bit per field id below 64 */
} ak_thrift_struct;

ak_thrift ak_thrift_from(akidb_slice bytes, const char *file, uint64_t file_offset,
                         akidb_error *err);

/* Fails at the place that has been reached; AKIDB_E_CORRUPTION. */
void ak_thrift_fail(ak_thrift *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Goes to the next field; false at the end of the struct or after a failure. The field's value must
 * then be read, or skipped with ak_thrift_skip. A field that comes twice is a failure. */
bool ak_thrift_next(ak_thrift *t, ak_thrift_struct *s);

/* Fails unless every field whose bit is set in `fields` was there. */
void ak_thrift_require(ak_thrift *t, const ak_thrift_struct *s, uint64_t fields, const char *name);

/* The value of the field. Another type than the asked one is a failure. */
bool ak_thrift_bool(ak_thrift *t, const ak_thrift_struct *s);
int32_t ak_thrift_i8(ak_thrift *t, const ak_thrift_struct *s);
int32_t ak_thrift_i32(ak_thrift *t, const ak_thrift_struct *s);
int64_t ak_thrift_i64(ak_thrift *t, const ak_thrift_struct *s);
akidb_slice ak_thrift_binary(ak_thrift *t, const ak_thrift_struct *s);
void ak_thrift_skip(ak_thrift *t, const ak_thrift_struct *s);

/* Enters a struct; false after a failure. */
bool ak_thrift_enter(ak_thrift *t, const ak_thrift_struct *s);

/* The number of elements of a list of `type`, each of at least least_size bytes: a count that the
 * bytes left cannot hold is a failure. */
size_t ak_thrift_list(ak_thrift *t, const ak_thrift_struct *s, int type, size_t least_size);

/* Elements of a list. */
int32_t ak_thrift_list_i32(ak_thrift *t);
akidb_slice ak_thrift_list_binary(ak_thrift *t);

#endif
