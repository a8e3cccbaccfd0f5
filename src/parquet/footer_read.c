#include "parquet/footer_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "base/checksum.h"
#include "base/endian.h"
#include "base/error.h"
#include "parquet/again.h"

enum {
    MAGIC_BYTES = 4,
    ENDING_BYTES = 8,           /* the footer's length and the magic */
    FIRST_READ_BYTES = 64 << 10 /* enough for most footers */
};

/* ---- the end of the file --------------------------------------------------------------------- */

/* The last bytes of the file. */
typedef struct ending {
    akidb_buffer bytes;
    uint64_t offset; /* of the first of them */
} ending;

static akidb_status read_from(const akidb_input *input, uint64_t offset, ending *e,
                              akidb_error *err)
{
    uint64_t size = input->size - offset;
    if (size > SIZE_MAX)
        return ak_fail_memory(err, SIZE_MAX);
    e->bytes.size = 0;
    akidb_status status = ak_buffer_reserve(&e->bytes, (size_t)size, err);
    if (status == AKIDB_OK)
        status = akidb_input_read_at(input, offset, e->bytes.data, (size_t)size, err);
    if (status != AKIDB_OK)
        return status;
    e->bytes.size = (size_t)size;
    e->offset = offset;
    return AKIDB_OK;
}

typedef struct tail_reading {
    const akidb_input *input;
    const akidb_parquet_range *tail;
    ending *ending;
} tail_reading;

static akidb_status read_tail(void *context, akidb_error *err)
{
    const tail_reading *r = context;
    akidb_status status = read_from(r->input, r->tail->offset, r->ending, err);
    if (status != AKIDB_OK)
        return status;
    uint32_t found = ak_crc32c(0, r->ending->bytes.data, r->ending->bytes.size);
    if (found == r->tail->crc32c)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(r->input->name, r->tail->offset),
                      "expected a tail with CRC-32C %08x, found %08x", r->tail->crc32c, found);
}

/* The tail, as it was written: nothing else of the file needs a look to know that it is ours. */
static akidb_status read_expected_tail(const akidb_input *input,
                                       const akidb_parquet_summary *expected,
                                       const akidb_hooks *hooks, ending *e, akidb_error *err)
{
    const akidb_parquet_range *tail = &expected->tail;
    if (input->size != expected->file.size)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(input->name),
                          "expected a file of %llu bytes, found one of %llu",
                          (unsigned long long)expected->file.size, (unsigned long long)input->size);
    if (!ak_range_fits(tail->offset, tail->size, input->size) || tail->size < ENDING_BYTES ||
        tail->offset < MAGIC_BYTES || tail->offset + tail->size != input->size)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(input->name),
                          "expected a tail at the end of the file, found it recorded as %llu bytes "
                          "from byte %llu on",
                          (unsigned long long)tail->size, (unsigned long long)tail->offset);
    tail_reading r = {input, tail, e};
    return ak_read_again(read_tail, &r, hooks, err);
}

static akidb_status not_parquet(const akidb_input *input, uint64_t offset, const uint8_t *found,
                                akidb_error *err)
{
    if (memcmp(found, "PARE", MAGIC_BYTES) == 0)
        return ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(input->name),
                          "the footer is encrypted; encrypted files are not read");
    return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, offset),
                      "expected \"PAR1\", found bytes %02x %02x %02x %02x: no Parquet file, or cut "
                      "off",
                      found[0], found[1], found[2], found[3]);
}

static akidb_status check_beginning(const akidb_input *input, const ending *e, akidb_error *err)
{
    uint8_t magic[MAGIC_BYTES];
    if (e->offset == 0) {
        memcpy(magic, e->bytes.data, MAGIC_BYTES);
    } else {
        akidb_status status = akidb_input_read_at(input, 0, magic, MAGIC_BYTES, err);
        if (status != AKIDB_OK)
            return status;
    }
    return memcmp(magic, "PAR1", MAGIC_BYTES) == 0 ? AKIDB_OK : not_parquet(input, 0, magic, err);
}

/* The size of the footer, of which `e` holds the end. */
static akidb_status footer_size(const akidb_input *input, const ending *e, uint64_t *size_out,
                                akidb_error *err)
{
    const uint8_t *last = e->bytes.data + e->bytes.size - ENDING_BYTES;
    uint64_t at = input->size - ENDING_BYTES;
    if (memcmp(last + 4, "PAR1", MAGIC_BYTES) != 0)
        return not_parquet(input, at + 4, last + 4, err);
    uint64_t size = ak_load_u32(last);
    uint64_t most = at - MAGIC_BYTES;
    if (size == 0 || size > most)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, at),
                          "expected a footer of 1 to %llu bytes, found one of %llu",
                          (unsigned long long)most, (unsigned long long)size);
    if (size > AK_FOOTER_BYTES_MAX)
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_AT(input->name, at),
                          "expected a footer of at most %d bytes, found one of %llu",
                          AK_FOOTER_BYTES_MAX, (unsigned long long)size);
    *size_out = size;
    return AKIDB_OK;
}

/* Reads the end of the file until the whole footer is there. */
static akidb_status read_ending(const akidb_input *input, const akidb_parquet_summary *expected,
                                const akidb_hooks *hooks, ending *e, uint64_t *size_out,
                                akidb_error *err)
{
    akidb_status status;
    if (input->size < MAGIC_BYTES + ENDING_BYTES)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(input->name),
                          "expected at least %d bytes of a Parquet file, found %llu",
                          MAGIC_BYTES + ENDING_BYTES, (unsigned long long)input->size);
    if (expected != NULL) {
        status = read_expected_tail(input, expected, hooks, e, err);
    } else {
        uint64_t size = input->size < FIRST_READ_BYTES ? input->size : FIRST_READ_BYTES;
        status = read_from(input, input->size - size, e, err);
        if (status == AKIDB_OK)
            status = check_beginning(input, e, err);
    }
    if (status == AKIDB_OK)
        status = footer_size(input, e, size_out, err);
    if (status != AKIDB_OK || *size_out + ENDING_BYTES <= e->bytes.size)
        return status;
    if (expected != NULL)
        return ak_fail_at(err, AKIDB_E_CORRUPTION, AK_AT(input->name, e->offset),
                          "expected the footer within the tail, found it longer");
    return read_from(input, input->size - ENDING_BYTES - *size_out, e, err);
}

akidb_status ak_footer_read(const akidb_input *input, const akidb_parquet_summary *expected,
                            const akidb_hooks *hooks, ak_arena *arena, ak_footer *footer_out,
                            akidb_buffer *tail_out, akidb_error *err)
{
    *footer_out = (ak_footer){0};
    ending e = {0};
    uint64_t size = 0;
    akidb_status status = read_ending(input, expected, hooks, &e, &size, err);
    if (status != AKIDB_OK)
        goto done;
    uint64_t offset = input->size - ENDING_BYTES - size;
    akidb_slice bytes = {e.bytes.data + (offset - e.offset), (size_t)size};
    status = ak_file_metadata_read(bytes, input->name, offset, arena, &footer_out->metadata, err);
    if (status == AKIDB_OK && footer_out->metadata.is_encrypted)
        status = ak_fail_at(err, AKIDB_E_UNSUPPORTED, AK_IN(input->name),
                            "the columns are encrypted; encrypted files are not read");
    footer_out->offset = offset;
    if (status == AKIDB_OK && expected != NULL) {
        *tail_out = e.bytes;
        e.bytes = (akidb_buffer){0};
    }
done:
    akidb_buffer_free(&e.bytes);
    if (status != AKIDB_OK)
        *footer_out = (ak_footer){0};
    return status;
}

/* ---- row groups ------------------------------------------------------------------------------ */

typedef struct checker {
    const ak_footer *footer;
    const char *file;
    const ak_file_columns *columns;
    const akidb_parquet_summary *expected;
    akidb_error *err;
} checker;

/* "row group 3: expected TEXT 5, found 7" */
static akidb_status bad_group(const checker *c, size_t group, const char *column, const char *text,
                              uint64_t expected, uint64_t found)
{
    ak_place place = {c->file, column, -1, -1};
    return ak_fail_at(c->err, AKIDB_E_CORRUPTION, place,
                      "in the footer, row group %zu: expected %s %llu, found %lld", group, text,
                      (unsigned long long)expected, (long long)found);
}

/* An offset counts only where a page can be: writers leave 0 in that of a page that is not there.
 */
static akidb_status find_extent(const checker *c, size_t group, const ak_file_leaf *leaf,
                                const ak_column_chunk *chunk, ak_extent *extent_out)
{
    int64_t begin = chunk->data_page_offset;
    int64_t dictionary = chunk->dictionary_page_offset;
    if (dictionary >= MAGIC_BYTES && (dictionary < begin || begin < MAGIC_BYTES))
        begin = dictionary;
    *extent_out = (ak_extent){0, 0};
    if (chunk->total_compressed_size < 0)
        return bad_group(c, group, leaf->column, "a size of at least", 0,
                         (uint64_t)chunk->total_compressed_size);
    if (chunk->total_compressed_size == 0)
        return AKIDB_OK;
    if (begin < MAGIC_BYTES)
        return bad_group(c, group, leaf->column, "an offset of at least", MAGIC_BYTES,
                         (uint64_t)begin);
    if (!ak_range_fits((uint64_t)begin, (uint64_t)chunk->total_compressed_size, c->footer->offset))
        return bad_group(c, group, leaf->column, "a column chunk that ends before the footer at",
                         c->footer->offset,
                         (uint64_t)begin + (uint64_t)chunk->total_compressed_size);
    *extent_out = (ak_extent){(uint64_t)begin, (uint64_t)chunk->total_compressed_size};
    return AKIDB_OK;
}

static akidb_status check_chunk(const checker *c, size_t group, const ak_file_leaf *leaf,
                                const ak_column_chunk *chunk, uint64_t rows, ak_extent *extent_out)
{
    ak_place place = {c->file, leaf->column, -1, -1};
    if (chunk->is_encrypted)
        return ak_fail_at(c->err, AKIDB_E_UNSUPPORTED, place,
                          "the column is encrypted; encrypted files are not read");
    if (chunk->has_file_path)
        return ak_fail_at(c->err, AKIDB_E_UNSUPPORTED, place,
                          "the column lies in another file; such files are not read");
    if (chunk->type != leaf->element->type)
        return ak_fail_at(c->err, AKIDB_E_CORRUPTION, place,
                          "in the footer, row group %zu: expected type %s as in the schema, found "
                          "%s",
                          group, ak_physical_type_name(leaf->element->type),
                          ak_physical_type_name(chunk->type));
    if (chunk->num_values < 0 || chunk->total_uncompressed_size < 0)
        return bad_group(c, group, leaf->column, "sizes and counts of at least", 0,
                         (uint64_t)chunk->num_values);
    uint64_t values = (uint64_t)chunk->num_values;
    if (leaf->max_repetition == 0 ? values != rows : values < rows)
        return bad_group(c, group, leaf->column,
                         leaf->max_repetition == 0 ? "as many values as rows,"
                                                   : "at least as many values as rows,",
                         rows, values);
    return find_extent(c, group, leaf, chunk, extent_out);
}

/* Whether the row group lies where an earlier summary says, the vector behind all else. */
static akidb_status check_expected_group(const checker *c, size_t group, const ak_extent *extents)
{
    const akidb_parquet_row_group_summary *summary = &c->expected->row_groups[group];
    const akidb_parquet_range *all = &summary->all;
    const akidb_parquet_range *small = &summary->small;
    uint64_t rows = (uint64_t)c->footer->metadata.row_groups[group].num_rows;
    if (summary->rows != rows)
        return bad_group(c, group, NULL, "as many rows as recorded,", summary->rows, rows);
    uint64_t before = group == 0 ? MAGIC_BYTES
                                 : c->expected->row_groups[group - 1].all.offset +
                                       c->expected->row_groups[group - 1].all.size;
    uint64_t end = c->expected->tail.offset;
    if (all->offset != before || !ak_range_fits(all->offset, all->size, end) ||
        small->offset != all->offset || small->size > all->size)
        return bad_group(c, group, NULL, "a recorded range of bytes from", before, all->offset);
    for (size_t i = 0; i < c->columns->leaf_count; i++) {
        bool is_vector = &c->columns->leaves[i] == c->columns->vector;
        uint64_t from = is_vector ? small->offset + small->size : small->offset;
        uint64_t until = is_vector ? all->offset + all->size : small->offset + small->size;
        const ak_extent *extent = &extents[i];
        if (extent->size > 0 && (extent->offset < from || extent->offset + extent->size > until))
            return bad_group(c, group, c->columns->leaves[i].column,
                             "a column chunk in the recorded range from", from, extent->offset);
    }
    return AKIDB_OK;
}

static akidb_status check_expected_file(const checker *c)
{
    const ak_file_metadata *metadata = &c->footer->metadata;
    const akidb_parquet_summary *expected = c->expected;
    if (metadata->row_group_count != expected->row_group_count)
        return ak_fail_at(c->err, AKIDB_E_CORRUPTION, AK_IN(c->file),
                          "expected %zu row groups as recorded, found %zu in the footer",
                          expected->row_group_count, metadata->row_group_count);
    if ((uint64_t)metadata->num_rows != expected->rows)
        return ak_fail_at(c->err, AKIDB_E_CORRUPTION, AK_IN(c->file),
                          "expected %llu rows as recorded, found %lld in the footer",
                          (unsigned long long)expected->rows, (long long)metadata->num_rows);
    return AKIDB_OK;
}

static int compare_extents(const void *a, const void *b)
{
    const ak_extent *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* Overlapping chunks would let a small file stand for any number of bytes. */
static akidb_status check_overlap(const checker *c, const ak_extent *extents, size_t count)
{
    if (count == 0)
        return AKIDB_OK;
    ak_extent *sorted = malloc(count * sizeof *sorted); /* fits: the array is there already */
    if (sorted == NULL)
        return ak_fail_memory(c->err, count * sizeof *sorted);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (extents[i].size > 0)
            sorted[kept++] = extents[i];
    qsort(sorted, kept, sizeof *sorted, compare_extents);
    akidb_status status = AKIDB_OK;
    for (size_t i = 1; i < kept && status == AKIDB_OK; i++)
        if (sorted[i].offset < sorted[i - 1].offset + sorted[i - 1].size)
            status = ak_fail_at(c->err, AKIDB_E_CORRUPTION, AK_AT(c->file, sorted[i].offset),
                                "expected a column chunk behind the one that ends at byte %llu, "
                                "found one that overlaps it",
                                (unsigned long long)(sorted[i - 1].offset + sorted[i - 1].size));
    free(sorted);
    return status;
}

static akidb_status check_group(const checker *c, size_t group, uint64_t *first_rows,
                                ak_extent *extents)
{
    const ak_row_group *g = &c->footer->metadata.row_groups[group];
    if (g->num_rows < 0)
        return bad_group(c, group, NULL, "a number of rows of at least", 0, (uint64_t)g->num_rows);
    if (g->column_count != c->columns->leaf_count)
        return bad_group(c, group, NULL, "as many column chunks as the schema has leaves,",
                         c->columns->leaf_count, g->column_count);
    uint64_t rows = (uint64_t)g->num_rows;
    if (!ak_add_u64(first_rows[group], rows, &first_rows[group + 1]) ||
        first_rows[group + 1] > INT64_MAX)
        return bad_group(c, group, NULL, "a number of rows below", INT64_MAX, rows);
    for (size_t i = 0; i < g->column_count; i++) {
        akidb_status status =
            check_chunk(c, group, &c->columns->leaves[i], &g->columns[i], rows, &extents[i]);
        if (status != AKIDB_OK)
            return status;
    }
    return c->expected == NULL ? AKIDB_OK : check_expected_group(c, group, extents);
}

akidb_status ak_footer_check(const ak_footer *footer, const char *file,
                             const ak_file_columns *columns, const akidb_parquet_summary *expected,
                             ak_arena *arena, const uint64_t **first_rows_out,
                             const ak_extent **extents_out, akidb_error *err)
{
    const checker c = {footer, file, columns, expected, err};
    size_t groups = footer->metadata.row_group_count;
    uint64_t *first_rows = NULL;
    ak_extent *extents = NULL;
    size_t count = 0;
    *first_rows_out = NULL;
    *extents_out = NULL;
    akidb_status status = expected == NULL ? AKIDB_OK : check_expected_file(&c);
    for (size_t i = 0; i < groups; i++) /* what the groups have, before anything is made for it */
        count += footer->metadata.row_groups[i].column_count;
    if (status == AKIDB_OK && groups > 0 && count / groups != columns->leaf_count)
        status = bad_group(&c, 0, NULL, "as many column chunks as the schema has leaves,",
                           columns->leaf_count, count / groups);
    if (status == AKIDB_OK)
        status = ak_arena_alloc(arena, groups + 1, sizeof *first_rows, &first_rows, err);
    if (status == AKIDB_OK)
        status =
            ak_arena_alloc(arena, groups * columns->leaf_count, sizeof *extents, &extents, err);
    for (size_t i = 0; status == AKIDB_OK && i < groups; i++)
        status = check_group(&c, i, first_rows, extents + i * columns->leaf_count);
    if (status == AKIDB_OK && first_rows[groups] != (uint64_t)footer->metadata.num_rows)
        status = ak_fail_at(err, AKIDB_E_CORRUPTION, AK_IN(file),
                            "in the footer: expected as many rows as its row groups have, %llu, "
                            "found %lld",
                            (unsigned long long)first_rows[groups],
                            (long long)footer->metadata.num_rows);
    if (status == AKIDB_OK)
        status = check_overlap(&c, extents, groups * columns->leaf_count);
    if (status != AKIDB_OK)
        return status;
    *first_rows_out = first_rows;
    *extents_out = extents;
    return AKIDB_OK;
}
