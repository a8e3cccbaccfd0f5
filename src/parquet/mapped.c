#include "parquet/mapped.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/checksum.h"
#include "base/endian.h" /* refuses machines on which floats lie otherwise in memory */
#include "base/error.h"
#include "base/options.h"
#include "parquet/column_read.h"
#include "parquet/reader_state.h"

akidb_status ak_mapped_new(const akidb_mapped_options *options, akidb_mapped_vectors **mapped_out,
                           akidb_error *err)
{
    *mapped_out = NULL;
    akidb_mapped_vectors *mapped = calloc(1, sizeof *mapped);
    if (mapped == NULL)
        return ak_fail_memory(err, sizeof *mapped);
    akidb_status status = ak_options_copy(&mapped->options, sizeof mapped->options, options,
                                          "akidb_mapped_options", err);
    size_t threads = mapped->options.threads == 0 ? 1 : mapped->options.threads;
    if (status == AKIDB_OK)
        status = ak_pool_new(ak_pool_threads_for(threads), &mapped->pool, err);
    if (status != AKIDB_OK) {
        akidb_mapped_vectors_close(mapped);
        return status;
    }
    *mapped_out = mapped;
    return AKIDB_OK;
}

void akidb_mapped_vectors_close(akidb_mapped_vectors *mapped)
{
    if (mapped == NULL)
        return;
    for (size_t i = 0; i < mapped->mapping_count; i++)
        ak_mapping_close(&mapped->mappings[i]);
    ak_pool_free(mapped->pool);
    free(mapped->mappings);
    free(mapped->pieces);
    free(mapped);
}

akidb_status ak_mapped_keep(akidb_mapped_vectors *mapped, ak_mapping *mapping, akidb_error *err)
{
    void *mappings = mapped->mappings;
    akidb_status status =
        ak_array_reserve(&mappings, &mapped->mapping_capacity, mapped->mapping_count + 1,
                         sizeof *mapped->mappings, err);
    mapped->mappings = mappings;
    if (status != AKIDB_OK) {
        ak_mapping_close(mapping);
        return status;
    }
    mapped->mappings[mapped->mapping_count++] = *mapping;
    return AKIDB_OK;
}

/* ---- one row group --------------------------------------------------------------------------- */

/* The pieces of one row group; first rows count in the file. */
typedef struct group_pieces {
    akidb_mapped_piece *pieces;
    size_t count;
    size_t capacity;
} group_pieces;

/* Adding one file. */
typedef struct adding {
    const akidb_mapped_vectors *mapped;
    const akidb_parquet_reader *reader;
    const uint8_t *bytes;
    group_pieces *groups;
} adding;

/* The pages of one row group, one after the other. */
typedef struct walk {
    const adding *a;
    size_t group;
    ak_chunk chunk;
    size_t page; /* data pages so far */
} walk;

/* What is sound, but does not lie in the file as it must to be used in place. */
static akidb_status refuse(const walk *w, const ak_page *page, const char *expected,
                           const char *found, akidb_error *err)
{
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, ak_page_place(&w->chunk, page->offset),
                      "row group %zu, page %zu cannot be mapped: expected %s, found %s", w->group,
                      w->page, expected, found);
}

static akidb_status refuse_offset(const walk *w, const ak_page *page, akidb_error *err)
{
    size_t at = (size_t)((const uint8_t *)page->data.data - w->a->bytes);
    return ak_fail_at(err, AKIDB_E_UNSUPPORTED, ak_page_place(&w->chunk, page->offset),
                      "row group %zu, page %zu cannot be mapped: expected floats that begin at a "
                      "multiple of %d bytes, found them at byte %zu; writing the vectors anew "
                      "aligns them",
                      w->group, w->page, AK_FLOATS_ALIGNMENT, at);
}

/* An ak_page_visitor over a walk. */
static akidb_status take_page(void *context, const ak_page *page, uint64_t first_value,
                              akidb_error *err)
{
    walk *w = context;
    const uint32_t k = w->a->reader->dimension;
    group_pieces *to = &w->a->groups[w->group];
    if (page->encoding != AK_ENCODING_PLAIN)
        return refuse(w, page, "floats in encoding PLAIN", ak_encoding_name(page->encoding), err);
    if (page->data.size != (size_t)page->values * sizeof(float))
        return ak_fail_at(err, AKIDB_E_CORRUPTION, ak_page_place(&w->chunk, page->offset),
                          "expected %u floats in %zu bytes, found %zu bytes", page->values,
                          (size_t)page->values * sizeof(float), page->data.size);
    if (first_value % k != 0 || page->values % k != 0)
        return refuse(w, page, "a page of whole rows", "a row that goes on in another page", err);
    if ((uintptr_t)page->data.data % AK_FLOATS_ALIGNMENT != 0)
        return refuse_offset(w, page, err);
    void *pieces = to->pieces;
    akidb_status status =
        ak_array_reserve(&pieces, &to->capacity, to->count + 1, sizeof *to->pieces, err);
    to->pieces = pieces;
    if (status != AKIDB_OK)
        return status;
    to->pieces[to->count++] = (akidb_mapped_piece){
        .first_row = w->chunk.first_row + first_value / k,
        .rows = page->values / k,
        .vectors = page->data.data,
    };
    w->page++;
    return AKIDB_OK;
}

/* What can be said before any page is looked at. */
static akidb_status check_chunk(const walk *w, akidb_error *err)
{
    const ak_page first = {.offset = w->chunk.offset};
    if (w->chunk.leaf->element->type != AK_TYPE_FLOAT)
        return refuse(w, &first, "floats of 32 bits",
                      ak_physical_type_name(w->chunk.leaf->element->type), err);
    if (w->chunk.info->codec == AK_CODEC_UNCOMPRESSED)
        return AKIDB_OK;
    const char *codec = ak_codec_name(w->chunk.info->codec);
    return refuse(w, &first, "vectors that are not compressed (written with compression none)",
                  codec != NULL ? codec : "an unknown codec", err);
}

/* With a summary its checksum is that of all bytes, as when documents are read; else those of the
 * pages are. */
static akidb_status check_sum(const adding *a, size_t group, akidb_error *err)
{
    const akidb_parquet_reader *reader = a->reader;
    const akidb_parquet_range *range = &reader->options.expected->row_groups[group].all;
    if (!ak_range_fits(range->offset, range->size, reader->input->size))
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(reader->input->name, range->offset),
                          "expected the %llu bytes of row group %zu within the file",
                          (unsigned long long)range->size, group);
    uint32_t found = ak_crc32c(0, a->bytes + range->offset, (size_t)range->size);
    if (found == range->crc32c)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(reader->input->name, range->offset),
                      "expected the columns of row group %zu with CRC-32C %08x, found %08x", group,
                      range->crc32c, found);
}

static akidb_status visit_pages(walk *w, akidb_error *err)
{
    ak_decoding decoding;
    akidb_status status = ak_decoding_new(&decoding, err);
    if (status != AKIDB_OK)
        return status;
    status = ak_visit_vectors(&decoding, &w->chunk, w->a->reader->dimension, take_page, w, err);
    ak_decoding_free(&decoding);
    return status;
}

/* An ak_index_function over an adding. */
static akidb_status add_group(void *context, size_t group, akidb_error *err)
{
    const adding *a = context;
    const akidb_parquet_reader *reader = a->reader;
    const ak_file_leaf *leaf = reader->columns.vector;
    const ak_extent *extent = ak_reader_extent(reader, group, leaf);
    bool verify = a->mapped->options.verify != AKIDB_OFF;
    bool by_pages = verify && reader->options.expected == NULL;
    walk w = {
        .a = a,
        .group = group,
        .chunk =
            {
                .file = reader->input->name,
                .leaf = leaf,
                .info = ak_reader_chunk(reader, group, leaf),
                .bytes = {a->bytes + extent->offset, (size_t)extent->size},
                .offset = extent->offset,
                .first_row = reader->first_rows[group],
                .rows = ak_reader_rows(reader, group),
                .max_page_bytes = reader->options.max_page_bytes,
                .is_checked = !by_pages,
            },
    };
    if (w.chunk.rows == 0)
        return AKIDB_OK;
    akidb_status status = check_chunk(&w, err);
    if (status == AKIDB_OK && verify && !by_pages)
        status = check_sum(a, group, err);
    return status == AKIDB_OK ? visit_pages(&w, err) : status;
}

/* ---- one file -------------------------------------------------------------------------------- */

static akidb_status append_pieces(akidb_mapped_vectors *mapped, const group_pieces *from,
                                  akidb_error *err)
{
    void *pieces = mapped->pieces;
    akidb_status status =
        ak_array_reserve(&pieces, &mapped->piece_capacity, mapped->piece_count + from->count,
                         sizeof *mapped->pieces, err);
    mapped->pieces = pieces;
    for (size_t i = 0; status == AKIDB_OK && i < from->count; i++) {
        akidb_mapped_piece *piece = &mapped->pieces[mapped->piece_count++];
        *piece = from->pieces[i];
        piece->first_row += mapped->rows;
    }
    return status;
}

akidb_status ak_mapped_add(akidb_mapped_vectors *mapped, const akidb_parquet_reader *reader,
                           const uint8_t *bytes, akidb_error *err)
{
    size_t count = akidb_parquet_reader_row_groups(reader);
    adding a = {.mapped = mapped, .reader = reader, .bytes = bytes};
    a.groups = calloc(count + 1, sizeof *a.groups);
    if (a.groups == NULL)
        return ak_fail_memory(err, (count + 1) * sizeof *a.groups);
    akidb_status status = ak_pool_run_indexed(mapped->pool, count, add_group, &a, err);
    for (size_t i = 0; status == AKIDB_OK && i < count; i++)
        status = append_pieces(mapped, &a.groups[i], err);
    for (size_t i = 0; i < count; i++)
        free(a.groups[i].pieces);
    free(a.groups);
    if (status != AKIDB_OK)
        return status;
    mapped->rows += akidb_parquet_reader_rows(reader);
    mapped->dimension = reader->dimension;
    return AKIDB_OK;
}

akidb_status akidb_mapped_vectors_open_file(const char *path, const akidb_mapped_options *options,
                                            akidb_mapped_vectors **mapped_out, akidb_error *err)
{
    *mapped_out = NULL;
    akidb_mapped_vectors *mapped;
    akidb_status status = ak_mapped_new(options, &mapped, err);
    if (status != AKIDB_OK)
        return status;
    ak_mapping mapping;
    akidb_parquet_reader *reader = NULL;
    const akidb_parquet_read_options columns = {.struct_size = sizeof columns,
                                                .columns = AKIDB_COLUMN_VECTOR};
    akidb_input input = {0};
    status = ak_mapping_open(path, &mapping, err);
    if (status == AKIDB_OK)
        status = ak_mapped_keep(mapped, &mapping, err);
    if (status == AKIDB_OK) {
        input = akidb_input_from_memory((akidb_slice){mapping.data, mapping.size}, path);
        status = akidb_parquet_reader_open(&input, &columns, &reader, err);
    }
    if (status == AKIDB_OK)
        status = ak_mapped_add(mapped, reader, mapping.data, err);
    akidb_parquet_reader_close(reader);
    if (status != AKIDB_OK) {
        akidb_mapped_vectors_close(mapped);
        return status;
    }
    *mapped_out = mapped;
    return AKIDB_OK;
}

/* ---- what there is --------------------------------------------------------------------------- */

uint64_t akidb_mapped_vectors_rows(const akidb_mapped_vectors *mapped)
{
    return mapped->rows;
}

uint32_t akidb_mapped_vectors_dimension(const akidb_mapped_vectors *mapped)
{
    return mapped->dimension;
}

const akidb_mapped_piece *akidb_mapped_vectors_pieces(const akidb_mapped_vectors *mapped,
                                                      size_t *count_out)
{
    *count_out = mapped->piece_count;
    return mapped->pieces;
}

const float *akidb_mapped_vectors_row(const akidb_mapped_vectors *mapped, uint64_t row)
{
    if (row >= mapped->rows)
        return NULL;
    size_t low = 0, high = mapped->piece_count;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (mapped->pieces[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    const akidb_mapped_piece *piece = &mapped->pieces[low];
    return piece->vectors + (size_t)(row - piece->first_row) * mapped->dimension;
}
