#ifndef AK_PARQUET_VALUES_READ_H
#define AK_PARQUET_VALUES_READ_H
/*
 * The values of a data page, out of their encoding. Nulls are not among the values: a page with
 * nulls holds fewer than its count says.
 */
#include "parquet/page_read.h"

/* Storage that is used again from page to page. Start from {0}. */
typedef struct ak_values {
    uint32_t *indices; /* into a dictionary */
    size_t index_capacity;
    akidb_slice *slices; /* of the page */
    size_t slice_capacity;
    akidb_slice *entries; /* of the dictionary, when has_entries */
    size_t entry_capacity;
    bool has_entries;
    akidb_buffer bytes; /* of texts that were put together from pieces */
} ak_values;

void ak_values_free(ak_values *values);

/* The bytes of a value: 4 for INT32 and FLOAT, and so on; 0 for BOOLEAN and BYTE_ARRAY. */
size_t ak_value_width(const ak_file_leaf *leaf);

/* Fills `out` with `count` values of ak_value_width bytes. */
AKIDB_CHECK akidb_status ak_values_read_fixed(ak_values *values, const ak_page_reader *pages,
                                              const ak_page *page, size_t count, void *out,
                                              akidb_error *err);

/* `count` values of BYTE_ARRAY as slices, which live until the next page is read. max_bytes is the
 * most that they may take together when the encoding repeats parts of them: AKIDB_E_LIMIT. */
AKIDB_CHECK akidb_status ak_values_read_slices(ak_values *values, const ak_page_reader *pages,
                                               const ak_page *page, size_t count,
                                               uint64_t max_bytes, const akidb_slice **slices_out,
                                               akidb_error *err);

#endif
