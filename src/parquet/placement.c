#include "parquet/placement.h"

#include <stdlib.h>

#include "base/buffer.h"
#include "base/checksum.h"
#include "base/error.h"
#include "parquet/vector_pages.h"

void ak_placement_free(ak_placement *placement)
{
    akidb_buffer_free(&placement->heads);
    free(placement->pages);
    *placement = (ak_placement){0};
}

/* ---- the plan -------------------------------------------------------------------------------- */

/* The plan of one chunk, growing page by page. */
typedef struct planning {
    ak_placement *placement;
    uint64_t offset; /* of the next page in the file */
    uint64_t end;    /* of the chunk */
    float *vectors;  /* where the next page's floats go */
    uint64_t floats; /* that are still to come */
    size_t heads;    /* bytes of the heads so far */
    akidb_error *err;
} planning;

/* A page of `size` bytes whose last are so many floats; *fits_out is false when it cannot be one of
 * this chunk. */
static akidb_status add_page(planning *p, uint64_t size, uint64_t floats, bool *fits_out)
{
    ak_placement *placement = p->placement;
    *fits_out = floats > 0 && floats <= p->floats && size <= p->end - p->offset &&
                floats < size / sizeof(float);
    if (!*fits_out)
        return AKIDB_OK;
    void *pages = placement->pages;
    akidb_status status =
        ak_array_reserve(&pages, &placement->page_capacity, placement->page_count + 1,
                         sizeof *placement->pages, p->err);
    placement->pages = pages;
    if (status != AKIDB_OK)
        return status;
    size_t bytes = (size_t)floats * sizeof(float);
    placement->pages[placement->page_count++] = (ak_placed_page){
        .offset = p->offset,
        .head = p->heads,
        .head_size = (size_t)size - bytes,
        .values = {p->vectors, bytes},
    };
    p->offset += size;
    p->vectors += floats;
    p->floats -= floats;
    p->heads += (size_t)size - bytes;
    return AKIDB_OK;
}

/* By the offset index: its pages lie one behind the other, from the chunk's first byte on. */
static akidb_status plan_by_index(planning *p, const ak_page_list *list, uint64_t rows, uint32_t k,
                                  bool *fits_out)
{
    akidb_status status = AKIDB_OK;
    *fits_out = true;
    for (size_t i = 0; status == AKIDB_OK && *fits_out && i < list->count; i++) {
        const ak_page_location *page = &list->pages[i];
        uint64_t page_rows = ak_page_list_end(list, i, rows) - (uint64_t)page->first_row_index;
        status = add_page(p, (uint64_t)page->compressed_page_size, page_rows * k, fits_out);
    }
    return status;
}

/* By the header of each page, which the one before leads to. */
static akidb_status plan_by_headers(planning *p, const akidb_input *input, bool *fits_out)
{
    enum { WINDOW = 512 }; /* bounds of floats, if a writer has them, are short */
    akidb_status status = AKIDB_OK;
    *fits_out = true;
    while (status == AKIDB_OK && *fits_out && p->offset < p->end) {
        uint8_t window[WINDOW];
        uint64_t left = p->end - p->offset;
        akidb_slice bytes = {window, left < WINDOW ? (size_t)left : WINDOW};
        ak_page_header header;
        size_t used;
        status = akidb_input_read_at(input, p->offset, window, bytes.size, p->err);
        if (status != AKIDB_OK)
            return status;
        *fits_out =
            ak_page_header_read(bytes, input->name, p->offset, &header, &used, NULL) == AKIDB_OK &&
            (header.type == AK_PAGE_DATA || header.type == AK_PAGE_DATA_V2) &&
            header.encoding == AK_ENCODING_PLAIN;
        if (*fits_out)
            status = add_page(p, used + (uint64_t)header.compressed_size,
                              (uint64_t)header.num_values, fits_out);
    }
    return status;
}

/* Whether the footer rules out that pages are compressed or encoded. The offset of a dictionary
 * says nothing: a writer may give one for a chunk without any. The encodings do. */
static bool is_plain(const ak_file_leaf *leaf, const ak_column_chunk *chunk)
{
    if (leaf->element->type != AK_TYPE_FLOAT || chunk->codec != AK_CODEC_UNCOMPRESSED)
        return false;
    for (size_t i = 0; i < chunk->encoding_count; i++) {
        int encoding = chunk->encodings[i];
        if (encoding != AK_ENCODING_PLAIN && encoding != AK_ENCODING_RLE &&
            encoding != AK_ENCODING_BIT_PACKED)
            return false;
    }
    return true;
}

static akidb_status reserve_heads(ak_placement *placement, size_t size, akidb_error *err)
{
    akidb_status status = ak_buffer_reserve(&placement->heads, size, err);
    if (status == AKIDB_OK)
        placement->heads.size = size;
    else
        placement->page_count = 0;
    return status;
}

akidb_status ak_placement_plan(ak_placement *placement, const akidb_parquet_reader *reader,
                               size_t group, float *vectors, akidb_error *err)
{
    const ak_file_leaf *leaf = reader->columns.vector;
    const ak_extent *extent = ak_reader_extent(reader, group, leaf);
    const ak_page_list *list = &reader->vector_pages[group];
    uint64_t rows = ak_reader_rows(reader, group);
    placement->page_count = 0;
    placement->heads.size = 0;
    bool has_way = list->count > 0 || reader->input->ops->is_near;
    if (!has_way || !is_plain(leaf, ak_reader_chunk(reader, group, leaf)))
        return AKIDB_OK;
    planning p = {
        .placement = placement,
        .offset = extent->offset,
        .end = extent->offset + extent->size,
        .vectors = vectors,
        .floats = rows * reader->dimension,
        .err = err,
    };
    bool fits;
    akidb_status status = list->count > 0 ? plan_by_index(&p, list, rows, reader->dimension, &fits)
                                          : plan_by_headers(&p, reader->input, &fits);
    if (status == AKIDB_OK && fits && p.offset == p.end && p.floats == 0)
        return reserve_heads(placement, p.heads, err);
    placement->page_count = 0;
    return status;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Of a near input as much is read at once as a processor's cache holds, so that checksums find it
 * there; a page that is much larger (DuckDB makes one of a whole row group) is cut, so that all
 * threads have their share. Of others the chunk is read at once. */
enum { NEAR_BYTES = 2 << 20, WHOLE_BYTES_MAX = 2 * NEAR_BYTES };

/* What is read at once. */
typedef struct page_run {
    uint64_t offset; /* in the file */
    size_t first_piece;
    size_t piece_count;
    size_t first_page; /* pages that lie in the run as a whole */
    size_t page_count;
    uint64_t size; /* in bytes */
    uint32_t crc32c;
} page_run;

typedef struct reading {
    ak_placement *placement;
    const akidb_parquet_reader *reader;
    akidb_piece *pieces; /* `before`, then for each page its head and its values, cut or not */
    size_t piece_count;
    page_run *runs;
    size_t run_count;
} reading;

static bool is_cut(const reading *r, const ak_placed_page *page)
{
    return r->reader->input->ops->is_near && page->values.size > WHOLE_BYTES_MAX;
}

/* Pieces, `before` among them; there are no more runs than that. */
static size_t count_pieces(const reading *r)
{
    const ak_placement *placement = r->placement;
    size_t count = 1;
    for (size_t i = 0; i < placement->page_count; i++) {
        const ak_placed_page *page = &placement->pages[i];
        count += is_cut(r, page) ? 2 + page->values.size / NEAR_BYTES : 2;
    }
    return count;
}

/* The run that goes on at `offset`, with page `page` or behind a cut of the one before it. */
static page_run *run_at(reading *r, uint64_t offset, size_t page)
{
    uint64_t enough = r->reader->input->ops->is_near ? NEAR_BYTES : UINT64_MAX;
    page_run *last = r->run_count == 0 ? NULL : &r->runs[r->run_count - 1];
    if (last != NULL && last->size < enough)
        return last;
    last = &r->runs[r->run_count++];
    *last = (page_run){.offset = offset, .first_piece = r->piece_count, .first_page = page};
    return last;
}

static void add_piece(reading *r, page_run *run, void *data, size_t size)
{
    r->pieces[r->piece_count++] = (akidb_piece){data, size};
    run->piece_count++;
    run->size += size;
}

static void form_runs(reading *r)
{
    const ak_placement *placement = r->placement;
    r->pieces[0] = placement->before;
    r->piece_count = 1;
    for (size_t i = 0; i < placement->page_count; i++) {
        const ak_placed_page *page = &placement->pages[i];
        page_run *run = run_at(r, page->offset, i);
        add_piece(r, run, placement->heads.data + page->head, page->head_size);
        if (!is_cut(r, page)) {
            add_piece(r, run, page->values.data, page->values.size);
            run->page_count++;
            continue;
        }
        uint64_t values = page->offset + page->head_size;
        for (size_t at = 0; at < page->values.size; at += NEAR_BYTES) {
            size_t left = page->values.size - at;
            run = at == 0 ? run : run_at(r, values + at, i + 1);
            add_piece(r, run, (uint8_t *)page->values.data + at,
                      left < NEAR_BYTES ? left : NEAR_BYTES);
        }
    }
}

/* The CRC-32 of a page's body, when its header has one to compare with. */
static void sum_page(const reading *r, ak_placed_page *page)
{
    akidb_slice head = {r->placement->heads.data + page->head, page->head_size};
    ak_page_header header;
    size_t used;
    akidb_status status =
        ak_page_header_read(head, r->reader->input->name, page->offset, &header, &used, NULL);
    if (status != AKIDB_OK || !header.has_crc)
        return;
    page->crc32 = ak_crc32(0, (const uint8_t *)head.data + used, head.size - used);
    page->crc32 = ak_crc32(page->crc32, page->values.data, page->values.size);
}

/* With a summary the whole chunk is compared; then a page is only when it is asked for. */
static bool sums_pages(const reading *r)
{
    const akidb_parquet_read_options *options = &r->reader->options;
    return options->expected == NULL || options->check_pages;
}

static akidb_status read_run(void *context, size_t index, akidb_error *err)
{
    const reading *r = context;
    page_run *run = &r->runs[index];
    const akidb_piece *pieces = r->pieces + run->first_piece;
    ak_placed_page *pages = r->placement->pages + run->first_page;
    size_t before = index == 0 ? r->pieces[0].size : 0;
    akidb_status status =
        akidb_input_read_pieces(r->reader->input, run->offset - before, pieces - (before > 0),
                                run->piece_count + (before > 0), err);
    if (status != AKIDB_OK)
        return status;
    for (size_t i = 0; sums_pages(r) && i < run->page_count; i++)
        sum_page(r, &pages[i]);
    for (size_t i = 0; r->reader->options.expected != NULL && i < run->piece_count; i++)
        run->crc32c = ak_crc32c(run->crc32c, pieces[i].data, pieces[i].size);
    return AKIDB_OK;
}

akidb_status ak_placement_read(ak_placement *placement, const akidb_parquet_reader *reader,
                               akidb_error *err)
{
    reading r = {.placement = placement, .reader = reader};
    size_t most = count_pieces(&r);
    r.pieces = malloc(most * sizeof *r.pieces);
    r.runs = malloc(most * sizeof *r.runs);
    akidb_status status = AKIDB_OK;
    if (r.pieces == NULL || r.runs == NULL)
        status = ak_fail_memory(err, most * sizeof *r.runs);
    if (status == AKIDB_OK) {
        form_runs(&r);
        status = ak_pool_run_indexed(reader->pool, r.run_count, read_run, &r, err);
    }
    for (size_t i = 0; status == AKIDB_OK && sums_pages(&r) && i < placement->page_count; i++)
        if (is_cut(&r, &placement->pages[i]))
            sum_page(&r, &placement->pages[i]);
    if (status == AKIDB_OK && placement->before.size > 0) {
        placement->before_crc32c = ak_crc32c(0, placement->before.data, placement->before.size);
        placement->crc32c = placement->before_crc32c;
    }
    for (size_t i = 0; status == AKIDB_OK && i < r.run_count; i++)
        placement->crc32c = ak_crc32c_combine(placement->crc32c, r.runs[i].crc32c, r.runs[i].size);
    free(r.pieces);
    free(r.runs);
    return status;
}
