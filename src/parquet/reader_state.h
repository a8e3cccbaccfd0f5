#ifndef AK_PARQUET_READER_STATE_H
#define AK_PARQUET_READER_STATE_H
/* The inside of akidb_parquet_reader, for the files of src/parquet that share it. Nothing here
 * changes after the open, but for what guards itself: row groups are read from it on many threads.
 */
#include "akidb/parquet.h"
#include "os/gate.h"
#include "os/pool.h"
#include "parquet/footer_read.h"

/* The pages of a chunk; none: they are not known. */
typedef struct ak_page_list {
    const ak_page_location *pages;
    size_t count;
} ak_page_list;

typedef struct ak_paged_workers ak_paged_workers; /* parquet/paged_read.h */

struct akidb_parquet_reader {
    const akidb_input *input; /* borrowed, as `expected` in the options is */
    akidb_parquet_read_options options;
    ak_arena *arena; /* of all that the footer says */
    ak_footer footer;
    ak_file_columns columns;
    const uint64_t *first_rows; /* row_group_count + 1 */
    const ak_extent *extents;   /* row_group_count x leaf_count */
    ak_page_list *vector_pages; /* per row group (vector_pages.h) */
    uint32_t dimension;
    ak_pool *pool;     /* as many as fetch or decode at a time */
    ak_gate *decoders; /* options.threads of them decode */
    ak_paged_workers *workers;
    akidb_buffer tail; /* as the file has it, for parquet/find.h; else empty */
};

/* Like akidb_parquet_reader_open; with keep_tail, and a summary of the file in the options, the
 * tail's bytes are kept, so that documents can be found by them. */
AKIDB_CHECK akidb_status ak_parquet_reader_open(const akidb_input *input,
                                                const akidb_parquet_read_options *options,
                                                bool keep_tail, akidb_parquet_reader **reader_out,
                                                akidb_error *err);

static inline const ak_column_chunk *ak_reader_chunk(const akidb_parquet_reader *reader,
                                                     size_t group, const ak_file_leaf *leaf)
{
    return &reader->footer.metadata.row_groups[group].columns[leaf->index];
}

static inline const ak_extent *ak_reader_extent(const akidb_parquet_reader *reader, size_t group,
                                                const ak_file_leaf *leaf)
{
    return &reader->extents[group * reader->columns.leaf_count + leaf->index];
}

static inline uint64_t ak_reader_rows(const akidb_parquet_reader *reader, size_t group)
{
    return reader->first_rows[group + 1] - reader->first_rows[group];
}

/* Whether the caller wants the field, by its bit in akidb_column. */
static inline bool ak_reader_wants(const akidb_parquet_reader *reader, akidb_column column)
{
    return (reader->options.columns & (unsigned)column) != 0;
}

#endif
