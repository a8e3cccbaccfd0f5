#ifndef AK_PARQUET_THRIFT_H
#define AK_PARQUET_THRIFT_H
/* Types of values, by their number in Thrift's compact protocol. */

typedef enum ak_thrift_type {
    AK_THRIFT_STOP = 0,
    AK_THRIFT_TRUE = 1, /* in a list: a boolean */
    AK_THRIFT_FALSE = 2,
    AK_THRIFT_I8 = 3,
    AK_THRIFT_I16 = 4,
    AK_THRIFT_I32 = 5,
    AK_THRIFT_I64 = 6,
    AK_THRIFT_DOUBLE = 7,
    AK_THRIFT_BINARY = 8,
    AK_THRIFT_LIST = 9,
    AK_THRIFT_SET = 10,
    AK_THRIFT_MAP = 11,
    AK_THRIFT_STRUCT = 12,
    AK_THRIFT_UUID = 13
} ak_thrift_type;

#endif
