#ifndef AK_PARQUET_CHUNK_WRITE_H
#define AK_PARQUET_CHUNK_WRITE_H
/*
 * One column chunk on its way to the file. The column's encoder adds pages; sealing the chunk then
 * compresses them, or not when that does not pay, and takes checksums; placing it makes the
 * headers, once its offset in the file is known; the result is a list of slices to write. Memory is
 * kept from one row group to the next.
 *
 * A page's bytes before compression are a piece of `body` followed by floats of the caller, which
 * are not copied: what is not compressed goes to the output from where it lies.
 *
 * Floats that are stored as they are begin at a multiple of AK_FLOATS_ALIGNMENT in the file, so
 * that a mapped file can be used in place: the header of their page is made longer by an extension
 * (docs/formats/parquet.md), which readers pass over.
 */
#include "codec/compress.h"
#include "parquet/metadata.h"

typedef struct ak_page {
    int type;            /* AK_PAGE_DATA or AK_PAGE_DICTIONARY */
    int encoding;        /* of the values */
    uint32_t num_values; /* with nulls; of a dictionary: entries */
    uint64_t first_row;  /* in the row group */
    size_t body_offset;  /* levels and values, in ak_chunk.body; pages may share a piece */
    size_t body_size;
    const float *floats; /* after them; NULL: none */
    size_t float_count;

    /* Set by sealing. */
    size_t packed_offset; /* in ak_chunk.packed */
    size_t packed_size;
    size_t stored_size; /* after the header, in the file; and checksums of these bytes */
    uint32_t stored_crc32;
    uint32_t stored_crc32c;

    /* Set by placing. */
    size_t header_offset; /* in ak_chunk.headers */
    size_t header_size;
} ak_page;

typedef struct ak_chunk {
    ak_page *pages;
    size_t page_count;
    size_t page_capacity;
    akidb_buffer body;
    akidb_buffer headers;
    akidb_buffer packed; /* compressed pages, or split floats of pages that are not compressed */

    bool is_compressed; /* set by sealing */

    /* Set by placing. */
    uint64_t size; /* in the file */
    uint64_t uncompressed_size;
    uint32_t crc32c;                /* of all its bytes */
    int64_t dictionary_page_offset; /* from the chunk's beginning; -1: none */
    int64_t data_page_offset;
    ak_page_location *locations; /* of the data pages; offsets from the chunk's beginning */
    size_t location_count;
    size_t location_capacity;
} ak_chunk;

/* Forgets the pages and keeps the memory. */
void ak_chunk_clear(ak_chunk *chunk);
void ak_chunk_free(ak_chunk *chunk);

/* Adds a page whose members before "set by sealing" are set. */
AKIDB_CHECK akidb_status ak_chunk_add_page(ak_chunk *chunk, const ak_page *page, akidb_error *err);

/* What sealing needs besides: owned by a worker. */
typedef struct ak_chunk_tools {
    ak_compressor *compressor; /* NULL: no compression */
    akidb_buffer split;        /* one page, its levels and its split floats */
} ak_chunk_tools;

/* `by_sample`, for pages of floats: when the first page is not 2 % smaller than its floats, nothing
 * more is tried. A chunk that compression does not shrink is stored uncompressed. */
AKIDB_CHECK akidb_status ak_chunk_seal(ak_chunk *chunk, ak_chunk_tools *tools, bool by_sample,
                                       akidb_error *err);

/* Makes the headers of a sealed chunk that will begin at `offset` in the file. */
AKIDB_CHECK akidb_status ak_chunk_place(ak_chunk *chunk, uint64_t offset, akidb_error *err);

/* The slices of a placed chunk, at most AK_PAGE_SLICES for a page, into slices_out; returns their
 * number. They live until the chunk is cleared and as long as the caller's floats. */
enum { AK_PAGE_SLICES = 3 };
size_t ak_chunk_slices(const ak_chunk *chunk, akidb_slice *slices_out);

#endif
