#include "parquet/rows_merge.h"

#include "base/checked.h"
#include "base/error.h"

/* What is read at once may stand for so many bytes per byte of its own, and for some more: vectors
 * that are all the same take next to nothing, and must come in. Dictionaries and runs could stand
 * for any number. What was recorded when it was written has been that large. */
#define EXPANSION_MAX      1024u
#define EXPANSION_RECORDED (1u << 20)
#define EXPANSION_ALLOWED  (UINT64_C(512) << 20)

uint64_t ak_stored_bytes(const akidb_parquet_reader *reader, size_t group)
{
    uint64_t total = 0; /* chunks do not overlap: no more than the file has */
    for (int field = 0; field < AK_FIELD_COUNT; field++) {
        const ak_file_leaf *leaf = ak_reader_field(reader, field);
        if (leaf != NULL)
            total += ak_reader_extent(reader, group, leaf)->size;
    }
    return total;
}

akidb_status ak_rows_allowed(const akidb_parquet_reader *reader, size_t first, size_t count,
                             uint64_t *rows_out, uint64_t *bytes_out, akidb_error *err)
{
    uint64_t rows = reader->first_rows[first + count] - reader->first_rows[first];
    uint64_t row_bytes = sizeof(akidb_uuid) + sizeof(int64_t);
    uint64_t factor = reader->options.expected != NULL ? EXPANSION_RECORDED : EXPANSION_MAX;
    uint64_t stored = 0, allowed, wanted;
    *rows_out = *bytes_out = 0;
    if (ak_reader_wants(reader, AKIDB_COLUMN_VECTOR))
        row_bytes += reader->dimension * sizeof(float);
    for (size_t i = 0; i < count; i++)
        stored += ak_stored_bytes(reader, first + i);
    if (!ak_mul_u64(stored, factor, &allowed) || !ak_add_u64(allowed, EXPANSION_ALLOWED, &allowed))
        allowed = UINT64_MAX;
    if (!ak_mul_u64(rows, row_bytes, &wanted) || wanted > allowed || rows > SIZE_MAX)
        return ak_fail_at(err, AKIDB_E_LIMIT, AK_IN(reader->input->name),
                          "expected at most %llu bytes of documents out of %llu bytes of columns "
                          "(%llu for each, and %llu MiB), found %llu rows of %llu bytes; smaller "
                          "row groups, or vectors that are not compressed, have room",
                          (unsigned long long)allowed, (unsigned long long)stored,
                          (unsigned long long)factor, (unsigned long long)(EXPANSION_ALLOWED >> 20),
                          (unsigned long long)rows, (unsigned long long)row_bytes);
    *bytes_out = allowed;
    *rows_out = rows;
    return AKIDB_OK;
}

/* Documents without an id get new ones, in the file's order. */
static akidb_status name_documents(const ak_row_group_job *job, size_t rows, int64_t now,
                                   akidb_documents *documents, akidb_error *err)
{
    const ak_file_columns *columns = &job->reader->columns;
    ak_id_sequence *new_ids = &documents->new_ids;
    akidb_status status = AKIDB_OK;
    if (columns->document_id == NULL)
        return ak_id_sequence_take(new_ids, now, job->document_ids, rows, err);
    if (!columns->has_other_ids)
        return AKIDB_OK;
    for (size_t i = 0; i < rows && status == AKIDB_OK; i++)
        if (job->is_other[i] != 0)
            status = ak_id_sequence_take(new_ids, now, &job->document_ids[i], 1, err);
    return status;
}

/* A time that the file does not have is that of the call. */
static void fill_times(const ak_row_group_job *job, size_t rows, int64_t now,
                       const akidb_documents *documents)
{
    if (!documents->has_times || job->reader->columns.inserted_at != NULL)
        return;
    for (size_t i = 0; i < rows; i++)
        job->inserted_at[i] = now;
}

/* An id that is no UUID becomes the external id, unless the document has one. */
static akidb_status append_external_ids(const ak_row_group_job *job, uint64_t file_row, size_t rows,
                                        size_t before, ak_texts *to, akidb_error *err)
{
    const akidb_parquet_reader *reader = job->reader;
    akidb_texts external = ak_texts_view(&job->external_ids);
    if (!ak_reader_wants(reader, AKIDB_COLUMN_EXTERNAL_ID))
        return ak_texts_append_rows(to, before, &(akidb_texts){0}, 0, rows, err);
    if (!reader->columns.has_other_ids || reader->columns.document_id == NULL)
        return ak_texts_append_rows(to, before, &external, 0, rows, err);
    akidb_texts other = ak_texts_view(&job->other_ids);
    for (size_t i = 0; i < rows; i++) {
        akidb_slice text = akidb_texts_at(&external, i);
        akidb_slice id = akidb_texts_at(&other, i);
        if (text.data != NULL && id.data != NULL)
            return ak_fail_at(
                err, AKIDB_E_VALIDATION,
                AK_ROW(reader->input->name, file_row + i, reader->columns.document_id->column),
                "expected a UUID for a document that has an external id, found a value of %zu "
                "bytes",
                id.size);
        akidb_status status = ak_texts_append(to, before + i, id.data != NULL ? id : text, err);
        if (status != AKIDB_OK)
            return status;
    }
    return AKIDB_OK;
}

akidb_status ak_rows_merge(const ak_row_group_job *job, uint64_t file_row, size_t rows,
                           size_t before, int64_t now, akidb_documents *documents, akidb_error *err)
{
    akidb_texts metadata = ak_texts_view(&job->metadata);
    akidb_status status = name_documents(job, rows, now, documents, err);
    fill_times(job, rows, now, documents);
    if (status == AKIDB_OK)
        status = append_external_ids(job, file_row, rows, before, &documents->external_ids, err);
    if (status == AKIDB_OK)
        status = ak_texts_append_rows(&documents->metadata, before, &metadata, 0, rows, err);
    return status;
}
