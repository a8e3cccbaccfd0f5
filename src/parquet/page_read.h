#ifndef AK_PARQUET_PAGE_READ_H
#define AK_PARQUET_PAGE_READ_H
/*
 * The pages of one column chunk, one after the other: header, checksum, decompression, and the
 * split into levels and values. Everything that the header claims is checked against the bytes that
 * are there, and the pages together against what the footer says of the chunk.
 */
#include "base/error.h"
#include "codec/compress.h"
#include "parquet/metadata.h"
#include "parquet/schema_read.h"

/* A page whose last bytes, its values, were read to somewhere else than what stands before them:
 * its header and levels. */
typedef struct ak_placed_page {
    uint64_t offset; /* in the file */
    size_t head;     /* where its first bytes begin among those of the chunk, and how many */
    size_t head_size;
    akidb_piece values; /* its last bytes */
    uint32_t crc32;     /* of its body, if its header has one */
} ak_placed_page;

/* A chunk, as bytes in memory and as the footer describes it. */
typedef struct ak_chunk {
    const char *file; /* for messages */
    const ak_file_leaf *leaf;
    const ak_column_chunk *info;
    akidb_slice bytes;
    uint64_t offset;    /* of the bytes in the file */
    uint64_t first_row; /* of the row group in the file */
    uint64_t rows;      /* in the row group */
    uint64_t max_page_bytes;
    /* Not NULL: `bytes` has the heads of these pages alone. */
    const ak_placed_page *placed;
    size_t placed_count;
    bool is_checked; /* against a checksum of all its bytes: those of the pages are not looked at */
} ak_chunk;

typedef struct ak_page {
    uint64_t offset; /* of its header in the file */
    uint32_t values; /* with nulls */
    int encoding;
    bool is_v2;
    uint32_t rows;          /* V2 only */
    uint32_t nulls;         /* V2 only */
    akidb_slice repetition; /* levels as RLE, without a length; size 0 when there are none */
    akidb_slice definition;
    akidb_slice data; /* the values that are not null */
} ak_page;

typedef struct ak_page_reader {
    const ak_chunk *chunk;
    ak_decompressor *decompressor; /* borrowed */
    size_t at;                     /* in the chunk's bytes */
    size_t page;                   /* among those that were placed */
    uint64_t values;               /* of the data pages so far */
    bool has_dictionary;
    uint32_t dictionary_count;
    akidb_slice dictionary;          /* PLAIN values; lives as long as the reader */
    akidb_buffer dictionary_storage; /* of a dictionary that was compressed */
    akidb_buffer page_storage;       /* of a page that was compressed */
} ak_page_reader;

void ak_page_reader_begin(ak_page_reader *reader, const ak_chunk *chunk,
                          ak_decompressor *decompressor);

/* Frees the storage; the struct may begin again. A zeroed one is fine. */
void ak_page_reader_end(ak_page_reader *reader);

/* The next data page; *done_out after the last one. The page lives until the next call. */
AKIDB_CHECK akidb_status ak_page_reader_next(ak_page_reader *reader, ak_page *page_out,
                                             bool *done_out, akidb_error *err);

/* The place of a page, and of a row that is counted in its row group, for messages. */
ak_place ak_page_place(const ak_chunk *chunk, uint64_t offset);
ak_place ak_row_place(const ak_chunk *chunk, uint64_t row);

/* Puts the place of a page into an error that a codec has filled, which knows none. */
void ak_page_context(const ak_chunk *chunk, uint64_t offset, akidb_error *err);

#endif
