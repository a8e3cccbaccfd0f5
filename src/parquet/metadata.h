#ifndef AK_PARQUET_METADATA_H
#define AK_PARQUET_METADATA_H
/*
 * The structures of parquet.thrift that matter to us, as C structs, and their compact-protocol
 * encoding both ways. Field names and numbers are those of parquet.thrift; unknown fields are
 * skipped on read. Everything parsed is allocated from an arena that dies with the file's metadata;
 * every count has been checked against the bytes that are left.
 */
#include "akidb/base.h"

typedef struct ak_arena ak_arena; /* parquet/arena.h */

typedef enum ak_physical_type {
    AK_TYPE_BOOLEAN = 0,
    AK_TYPE_INT32 = 1,
    AK_TYPE_INT64 = 2,
    AK_TYPE_INT96 = 3,
    AK_TYPE_FLOAT = 4,
    AK_TYPE_DOUBLE = 5,
    AK_TYPE_BYTE_ARRAY = 6,
    AK_TYPE_FIXED_LEN_BYTE_ARRAY = 7
} ak_physical_type;

typedef enum ak_repetition { AK_REQUIRED = 0, AK_OPTIONAL = 1, AK_REPEATED = 2 } ak_repetition;

typedef enum ak_converted_type {
    AK_CONVERTED_NONE = -1,
    AK_CONVERTED_UTF8 = 0,
    AK_CONVERTED_LIST = 3,
    AK_CONVERTED_ENUM = 4,
    AK_CONVERTED_DECIMAL = 5,
    AK_CONVERTED_TIMESTAMP_MILLIS = 9,
    AK_CONVERTED_TIMESTAMP_MICROS = 10,
    AK_CONVERTED_UINT_8 = 11, /* from here on to INT_64: integers of a width */
    AK_CONVERTED_UINT_32 = 13,
    AK_CONVERTED_UINT_64 = 14,
    AK_CONVERTED_INT_64 = 18,
    AK_CONVERTED_JSON = 19
} ak_converted_type;

/* LogicalType is a union: the field number that is set. */
typedef enum ak_logical_kind {
    AK_LOGICAL_NONE = 0,
    AK_LOGICAL_STRING = 1,
    AK_LOGICAL_LIST = 3,
    AK_LOGICAL_ENUM = 4,
    AK_LOGICAL_DECIMAL = 5,
    AK_LOGICAL_TIMESTAMP = 8,
    AK_LOGICAL_INTEGER = 10,
    AK_LOGICAL_JSON = 12,
    AK_LOGICAL_UUID = 14,
    AK_LOGICAL_FLOAT16 = 15
} ak_logical_kind;

typedef enum ak_time_unit_kind {
    AK_UNIT_MILLIS = 1,
    AK_UNIT_MICROS = 2,
    AK_UNIT_NANOS = 3
} ak_time_unit_kind;

typedef struct ak_logical_type {
    int kind; /* ak_logical_kind, or another field number that is not interpreted */
    /* TIMESTAMP */
    bool is_adjusted_to_utc;
    int unit; /* ak_time_unit_kind; 0: unknown */
    /* INTEGER */
    int bit_width;
    bool is_signed;
} ak_logical_type;

typedef enum ak_encoding {
    AK_ENCODING_PLAIN = 0,
    AK_ENCODING_PLAIN_DICTIONARY = 2,
    AK_ENCODING_RLE = 3,
    AK_ENCODING_BIT_PACKED = 4,
    AK_ENCODING_DELTA_BINARY_PACKED = 5,
    AK_ENCODING_DELTA_LENGTH_BYTE_ARRAY = 6,
    AK_ENCODING_DELTA_BYTE_ARRAY = 7,
    AK_ENCODING_RLE_DICTIONARY = 8,
    AK_ENCODING_BYTE_STREAM_SPLIT = 9
} ak_encoding;

/* "PLAIN", ...; "encoding 10" style names are the caller's: NULL for an unknown number. */
const char *ak_encoding_name(int encoding);

typedef enum ak_page_type {
    AK_PAGE_DATA = 0,
    AK_PAGE_INDEX = 1,
    AK_PAGE_DICTIONARY = 2,
    AK_PAGE_DATA_V2 = 3
} ak_page_type;

typedef struct ak_schema_element {
    int type;            /* ak_physical_type; -1 for a group */
    int32_t type_length; /* of FIXED_LEN_BYTE_ARRAY; 0 otherwise */
    int repetition;      /* ak_repetition; -1 for a root that has none */
    const char *name;
    int32_t num_children; /* 0 for a leaf */
    int converted_type;   /* ak_converted_type */
    ak_logical_type logical_type;
} ak_schema_element;

typedef struct ak_statistics {
    bool has_null_count;
    int64_t null_count;
    akidb_slice min_value; /* data NULL: not there */
    akidb_slice max_value;
    bool is_min_exact, is_max_exact; /* false also when not said */
} ak_statistics;

typedef struct ak_column_chunk {
    /* ColumnMetaData */
    int type;
    const int *encodings;
    size_t encoding_count;
    const char *const *path_in_schema;
    size_t path_count; /* 0: not there */
    int codec;
    int64_t num_values;
    int64_t total_uncompressed_size;
    int64_t total_compressed_size;
    int64_t data_page_offset;
    int64_t dictionary_page_offset; /* 0: none */
    ak_statistics statistics;
    int64_t bloom_filter_offset; /* 0: none */
    int32_t bloom_filter_length; /* with its header; 0: not said */
    /* ColumnChunk */
    int64_t offset_index_offset; /* 0: none */
    int32_t offset_index_length;
    bool has_file_path; /* the chunk lies in another file: not supported */
    bool is_encrypted;
} ak_column_chunk;

typedef struct ak_row_group {
    const ak_column_chunk *columns;
    size_t column_count;
    int64_t total_byte_size;
    int64_t num_rows;
    int64_t file_offset;
    int64_t total_compressed_size;
} ak_row_group;

typedef struct ak_key_value {
    const char *key;
    const char *value; /* NULL: not there */
} ak_key_value;

/* Longer footers are neither written nor read: metadata takes a multiple of this in memory. */
enum { AK_FOOTER_BYTES_MAX = 1 << 28 };

/* Floats that are stored as they are begin at a multiple of so many bytes in the file: a cache
 * line, and the widest vector register. */
enum { AK_FLOATS_ALIGNMENT = 64 };

/* Our files name their dimension in decimal under this key, so that one without rows has it too. */
#define AK_KEY_DIMENSION "akidb.dimension"

typedef struct ak_file_metadata {
    int32_t version;
    const ak_schema_element *schema; /* depth first, the root first */
    size_t schema_count;
    int64_t num_rows;
    const ak_row_group *row_groups;
    size_t row_group_count;
    const ak_key_value *key_values;
    size_t key_value_count;
    const char *created_by;   /* NULL: not there */
    const int *column_orders; /* the union's field number per leaf; 1 is TYPE_ORDER */
    size_t column_order_count;
    bool is_encrypted; /* encryption_algorithm is set */
} ak_file_metadata;

typedef struct ak_page_header {
    int type; /* ak_page_type, or another number: skip the page */
    int32_t uncompressed_size;
    int32_t compressed_size;
    bool has_crc;
    uint32_t crc;
    int32_t num_values; /* data pages: with nulls; dictionary pages: entries */
    int encoding;
    /* V1 */
    int definition_encoding;
    int repetition_encoding;
    /* V2 */
    int32_t num_nulls;
    int32_t num_rows;
    int32_t definition_bytes;
    int32_t repetition_bytes;
    bool is_compressed; /* true unless the header says otherwise */
    /* Bytes that no reader looks at, as the format's field for extensions; size 0: none. Written
     * only. */
    akidb_slice extension;
} ak_page_header;

typedef struct ak_page_location {
    int64_t offset;
    int32_t compressed_page_size; /* with the header */
    int64_t first_row_index;
} ak_page_location;

/* What stands before the bits of a Bloom filter. */
typedef struct ak_bloom_header {
    int32_t size;  /* of the bits */
    bool is_known; /* split blocks, XXH64, not compressed: parquet/bloom.h can use it */
} ak_bloom_header;

/* ---- writing: metadata_write.c --------------------------------------------------------------- */

AKIDB_CHECK akidb_status ak_file_metadata_write(const ak_file_metadata *metadata,
                                                akidb_buffer *buffer, akidb_error *err);
AKIDB_CHECK akidb_status ak_page_header_write(const ak_page_header *header, akidb_buffer *buffer,
                                              akidb_error *err);
AKIDB_CHECK akidb_status ak_offset_index_write(const ak_page_location *pages, size_t count,
                                               akidb_buffer *buffer, akidb_error *err);

AKIDB_CHECK akidb_status ak_bloom_header_write(size_t size, akidb_buffer *buffer, akidb_error *err);

/* ---- reading: metadata_read.c ---------------------------------------------------------------- */

/* Parses a footer. `place` names the file and the footer's offset in it, for messages. */
AKIDB_CHECK akidb_status ak_file_metadata_read(akidb_slice bytes, const char *file,
                                               uint64_t file_offset, ak_arena *arena,
                                               ak_file_metadata *metadata_out, akidb_error *err);

/* Parses a page header; *used_out is its length. AKIDB_E_LIMIT is not used: a header that does not
 * end within `bytes` is AKIDB_E_CORRUPTION. */
AKIDB_CHECK akidb_status ak_page_header_read(akidb_slice bytes, const char *file,
                                             uint64_t file_offset, ak_page_header *header_out,
                                             size_t *used_out, akidb_error *err);

AKIDB_CHECK akidb_status ak_offset_index_read(akidb_slice bytes, const char *file,
                                              uint64_t file_offset, ak_arena *arena,
                                              const ak_page_location **pages_out, size_t *count_out,
                                              akidb_error *err);

/* *used_out is the header's length; the bits follow it. */
AKIDB_CHECK akidb_status ak_bloom_header_read(akidb_slice bytes, const char *file,
                                              uint64_t file_offset, ak_bloom_header *header_out,
                                              size_t *used_out, akidb_error *err);

#endif
