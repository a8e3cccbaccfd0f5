#include "parquet/vector_pages.h"

#include "base/checked.h"
#include "base/error.h"

akidb_status ak_tail_bytes(const akidb_parquet_reader *reader, const ak_file_leaf *leaf,
                           const char *what, int64_t offset, int32_t size, akidb_slice *bytes_out,
                           akidb_error *err)
{
    uint64_t tail = reader->input->size - reader->tail.size;
    if (offset < 0 || size < 0 || (uint64_t)offset < tail ||
        !ak_range_fits((uint64_t)offset, (uint64_t)size, reader->input->size)) {
        ak_place place = {reader->input->name, leaf->column, -1, -1};
        return ak_fail_at(err, AKIDB_E_CORRUPTION, place,
                          "expected %s in the tail, from byte %llu on, found its place as %d bytes "
                          "from byte %lld on",
                          what, (unsigned long long)tail, (int)size, (long long)offset);
    }
    *bytes_out = (akidb_slice){reader->tail.data + ((uint64_t)offset - tail), (size_t)size};
    return AKIDB_OK;
}

static akidb_status check_pages(const akidb_parquet_reader *reader, size_t group,
                                const ak_file_leaf *leaf, const ak_page_list *list,
                                akidb_error *err)
{
    const ak_extent *extent = ak_reader_extent(reader, group, leaf);
    ak_place place = {reader->input->name, leaf->column, -1, -1};
    uint64_t offset = extent->offset, end = extent->offset + extent->size, row = 0;
    uint64_t rows = ak_reader_rows(reader, group);
    for (size_t i = 0; i < list->count; i++) {
        const ak_page_location *page = &list->pages[i];
        uint64_t next = ak_page_list_end(list, i, rows);
        if (page->offset < 0 || (uint64_t)page->offset != offset ||
            page->compressed_page_size <= 0 ||
            (uint64_t)page->compressed_page_size > end - offset || page->first_row_index < 0 ||
            (uint64_t)page->first_row_index != row || next <= row || next > rows)
            return ak_fail_at(err, AKIDB_E_CORRUPTION, place,
                              "in the offset index of row group %zu: expected page %zu at byte "
                              "%llu with row %llu, found %d bytes at byte %lld with row %lld",
                              group, i, (unsigned long long)offset, (unsigned long long)row,
                              (int)page->compressed_page_size, (long long)page->offset,
                              (long long)page->first_row_index);
        offset += (uint64_t)page->compressed_page_size;
        row = next;
    }
    if (offset == end && list->count > 0)
        return AKIDB_OK;
    return ak_fail_at(err, AKIDB_E_CORRUPTION, place,
                      "in the offset index of row group %zu: expected pages up to byte %llu, found "
                      "%zu of them up to byte %llu",
                      group, (unsigned long long)end, list->count, (unsigned long long)offset);
}

akidb_status ak_column_pages_read(const akidb_parquet_reader *reader, size_t group,
                                  const ak_file_leaf *leaf, ak_arena *arena, ak_page_list *list_out,
                                  akidb_error *err)
{
    const ak_column_chunk *chunk = ak_reader_chunk(reader, group, leaf);
    akidb_slice bytes;
    *list_out = (ak_page_list){0};
    ak_page_list list;
    akidb_status status = ak_tail_bytes(reader, leaf, "an offset index", chunk->offset_index_offset,
                                        chunk->offset_index_length, &bytes, err);
    if (status == AKIDB_OK)
        status =
            ak_offset_index_read(bytes, reader->input->name, (uint64_t)chunk->offset_index_offset,
                                 arena, &list.pages, &list.count, err);
    if (status == AKIDB_OK)
        status = check_pages(reader, group, leaf, &list, err);
    if (status == AKIDB_OK)
        *list_out = list;
    return status;
}

akidb_status ak_vector_pages_read(const akidb_parquet_reader *reader, size_t group, ak_arena *arena,
                                  ak_page_list *list_out, akidb_error *err)
{
    return ak_column_pages_read(reader, group, reader->columns.vector, arena, list_out, err);
}

akidb_status ak_vector_pages_load(akidb_parquet_reader *reader, akidb_error *err)
{
    size_t groups = reader->footer.metadata.row_group_count;
    akidb_status status = ak_arena_alloc(reader->arena, groups, sizeof *reader->vector_pages,
                                         &reader->vector_pages, err);
    if (reader->tail.size == 0 || !ak_reader_wants(reader, AKIDB_COLUMN_VECTOR))
        return status;
    for (size_t group = 0; status == AKIDB_OK && group < groups; group++) {
        ak_page_list *list = &reader->vector_pages[group];
        if (ak_vector_pages_read(reader, group, reader->arena, list, NULL) == AKIDB_E_OUT_OF_MEMORY)
            status = ak_fail_memory(err, 0);
    }
    return status;
}
