#ifndef AK_PARQUET_TEXT_WRITE_H
#define AK_PARQUET_TEXT_WRITE_H
/* The columns of optional texts, as pages of a chunk: with a dictionary where that pays. */
#include "akidb/batch.h"
#include "parquet/bounds_write.h"
#include "parquet/chunk_write.h"

/* Memory of a worker, kept from one column to the next. Start from {0}. */
typedef struct ak_text_tools {
    akidb_slice *values; /* of the rows; data NULL is null */
    size_t value_capacity;
    uint32_t *numbers; /* dictionary indices of the rows that are not null */
    size_t number_capacity;
    uint32_t *levels; /* definition levels of a page */
    size_t level_capacity;
    uint32_t *table; /* hash table: entry number + 1; 0 is free */
    size_t table_capacity;
    akidb_slice *entries; /* of the dictionary */
    size_t entry_capacity;
} ak_text_tools;

void ak_text_tools_free(ak_text_tools *tools);

typedef struct ak_text_summary {
    bool has_dictionary;
    uint64_t null_count;
    ak_bound min, max; /* not present when all are null */
} ak_text_summary;

/* Rows first .. first + rows - 1 of the column, rows >= 1. The dictionary is given up when it, with
 * its indices, is not a quarter smaller than the plain values, or is larger than a page. */
AKIDB_CHECK akidb_status ak_write_texts(ak_chunk *chunk, ak_text_tools *tools,
                                        const akidb_texts *texts, size_t first, size_t rows,
                                        bool try_dictionary, uint32_t page_bytes,
                                        ak_text_summary *summary_out, akidb_error *err);

#endif
