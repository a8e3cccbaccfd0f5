#include <stdlib.h>
#include <string.h>

#include "akidb/sys/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "document/documents.h"
#include "parquet/again.h"
#include "parquet/paged_read.h"
#include "parquet/reader_state.h"
#include "parquet/row_group_read.h"
#include "parquet/rows_merge.h"
#include "parquet/vector_pages.h"

#define MAX_PAGE_BYTES_DEFAULT (UINT64_C(1) << 30)

/* Row groups that are fetched at once from far away, and how many bytes of them. */
#define READS_DEFAULT   8
#define READS_BYTES_MAX (UINT64_C(128) << 20)

/* ---- open ------------------------------------------------------------------------------------ */

static akidb_status copy_options(akidb_parquet_reader *reader,
                                 const akidb_parquet_read_options *options, akidb_error *err)
{
    akidb_parquet_read_options *own = &reader->options;
    akidb_status status =
        ak_options_copy(own, sizeof *own, options, "akidb_parquet_read_options", err);
    if (status != AKIDB_OK)
        return status;
    if ((own->columns & ~(unsigned)AKIDB_COLUMNS_ALL) != 0)
        return ak_fail(err, AKIDB_E_VALIDATION,
                       "akidb_parquet_read_options.columns: expected bits of akidb_column, found "
                       "0x%x",
                       own->columns);
    if (own->columns == 0)
        own->columns = AKIDB_COLUMNS_ALL;
    if (own->max_page_bytes == 0)
        own->max_page_bytes = MAX_PAGE_BYTES_DEFAULT;
    if (own->threads == 0)
        own->threads = 1;
    if (own->reads == 0)
        own->reads = READS_DEFAULT;
    if (own->reads < own->threads || reader->input->ops->is_near)
        own->reads = own->threads;
    return AKIDB_OK;
}

/* What our writer left for files without rows. A file with rows speaks for itself: its keys may
 * have been carried along by whoever made it from another. */
static uint32_t recorded_dimension(const ak_file_metadata *metadata)
{
    for (size_t i = 0; i < metadata->key_value_count; i++) {
        const ak_key_value *pair = &metadata->key_values[i];
        if (strcmp(pair->key, AK_KEY_DIMENSION) != 0 || pair->value == NULL)
            continue;
        char *end;
        unsigned long value = strtoul(pair->value, &end, 10);
        bool is_number = pair->value[0] >= '1' && pair->value[0] <= '9' && *end == '\0';
        return is_number && value <= AKIDB_DIMENSION_MAX ? (uint32_t)value : 0;
    }
    return 0;
}

/* Whether the footer's counts can be those of vectors of one length: then they tell it, and each
 * row is checked against it when it is read. A null counts as a value. */
static bool counts_tell_dimension(const ak_file_leaf *leaf, const ak_column_chunk *chunk,
                                  uint64_t rows)
{
    const ak_statistics *statistics = &chunk->statistics;
    bool has_nulls =
        statistics->has_null_count ? statistics->null_count != 0 : leaf->max_definition > 1;
    return !has_nulls && (uint64_t)chunk->num_values % rows == 0;
}

/* Where the counts do not tell it, the first row that has any floats is the measure. */
static akidb_status find_dimension(akidb_parquet_reader *reader, akidb_error *err)
{
    size_t group = 0;
    while (group < reader->footer.metadata.row_group_count && ak_reader_rows(reader, group) == 0)
        group++;
    if (group == reader->footer.metadata.row_group_count) {
        reader->dimension = recorded_dimension(&reader->footer.metadata);
        return AKIDB_OK;
    }
    const ak_file_leaf *leaf = reader->columns.vector;
    uint64_t rows = ak_reader_rows(reader, group);
    const ak_column_chunk *chunk = ak_reader_chunk(reader, group, leaf);
    uint64_t dimension = (uint64_t)chunk->num_values / rows;
    if (!counts_tell_dimension(leaf, chunk, rows)) {
        akidb_status status = ak_row_group_first_length(reader, group, &dimension, err);
        if (status != AKIDB_OK)
            return status;
    }
    if (dimension == 0)
        return ak_fail_at(err, AKIDB_E_VALIDATION,
                          AK_ROW(reader->input->name, reader->first_rows[group], leaf->column),
                          "expected a vector of 1 to %u floats, found null or an empty list",
                          AKIDB_DIMENSION_MAX);
    if (dimension > AKIDB_DIMENSION_MAX)
        return ak_fail_at(err, AKIDB_E_VALIDATION,
                          AK_ROW(reader->input->name, reader->first_rows[group], leaf->column),
                          "expected vectors of 1 to %u floats, found %llu", AKIDB_DIMENSION_MAX,
                          (unsigned long long)dimension);
    reader->dimension = (uint32_t)dimension;
    return AKIDB_OK;
}

static akidb_status open_gate(akidb_parquet_reader *reader, akidb_error *err)
{
    reader->decoders = malloc(sizeof *reader->decoders);
    if (reader->decoders == NULL)
        return ak_fail_memory(err, sizeof *reader->decoders);
    ak_gate_init(reader->decoders, reader->options.threads);
    return AKIDB_OK;
}

static akidb_status open_file(akidb_parquet_reader *reader, bool keep_tail, akidb_error *err)
{
    const akidb_input *input = reader->input;
    const akidb_parquet_summary *expected = reader->options.expected;
    akidb_status status = ak_arena_new(&reader->arena, err);
    if (status == AKIDB_OK)
        status = ak_footer_read(input, expected, reader->options.hooks, reader->arena,
                                &reader->footer, &reader->tail, err);
    if (status == AKIDB_OK)
        status = ak_file_columns_find(&reader->footer.metadata, input->name, &reader->options,
                                      reader->arena, &reader->columns, err);
    if (status == AKIDB_OK)
        status = ak_footer_check(&reader->footer, input->name, &reader->columns, expected,
                                 reader->arena, &reader->first_rows, &reader->extents, err);
    if (status == AKIDB_OK)
        status = ak_vector_pages_load(reader, err);
    if (!keep_tail)
        akidb_buffer_free(&reader->tail);
    if (status == AKIDB_OK)
        status = find_dimension(reader, err);
    if (status == AKIDB_OK)
        status = ak_pool_new(reader->options.reads, &reader->pool, err);
    if (status == AKIDB_OK)
        status = open_gate(reader, err);
    return status == AKIDB_OK ? ak_paged_workers_new(&reader->workers, err) : status;
}

akidb_status ak_parquet_reader_open(const akidb_input *input,
                                    const akidb_parquet_read_options *options, bool keep_tail,
                                    akidb_parquet_reader **reader_out, akidb_error *err)
{
    *reader_out = NULL;
    akidb_parquet_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return ak_fail_memory(err, sizeof *reader);
    reader->input = input;
    akidb_status status = copy_options(reader, options, err);
    if (status == AKIDB_OK)
        status = open_file(reader, keep_tail, err);
    if (status != AKIDB_OK) {
        akidb_parquet_reader_close(reader);
        return status;
    }
    *reader_out = reader;
    return AKIDB_OK;
}

akidb_status akidb_parquet_reader_open(const akidb_input *input,
                                       const akidb_parquet_read_options *options,
                                       akidb_parquet_reader **reader_out, akidb_error *err)
{
    return ak_parquet_reader_open(input, options, false, reader_out, err);
}

void akidb_parquet_reader_close(akidb_parquet_reader *reader)
{
    if (reader == NULL)
        return;
    akidb_buffer_free(&reader->tail);
    ak_pool_free(reader->pool);
    if (reader->decoders != NULL)
        ak_gate_destroy(reader->decoders);
    free(reader->decoders);
    ak_paged_workers_free(reader->workers);
    ak_arena_free(reader->arena);
    free(reader);
}

uint64_t akidb_parquet_reader_rows(const akidb_parquet_reader *reader)
{
    return reader->first_rows[reader->footer.metadata.row_group_count];
}

uint32_t akidb_parquet_reader_dimension(const akidb_parquet_reader *reader)
{
    return reader->dimension;
}

size_t akidb_parquet_reader_row_groups(const akidb_parquet_reader *reader)
{
    return reader->footer.metadata.row_group_count;
}

const char *akidb_parquet_reader_created_by(const akidb_parquet_reader *reader)
{
    const char *created_by = reader->footer.metadata.created_by;
    return created_by == NULL ? "" : created_by;
}

/* ---- read ------------------------------------------------------------------------------------ */

/* One call of akidb_parquet_reader_read. */
typedef struct reading {
    const akidb_parquet_reader *reader;
    size_t first;
    size_t count;
    akidb_documents *documents;
    size_t base;             /* rows of the documents before */
    uint64_t text_bytes_max; /* that all row groups together may still add */
    int64_t now;             /* for documents without a time or an id */
    ak_row_group_job *jobs;  /* as many as work at a time; row group i is job i % job_count */
    size_t job_count;
    size_t submitted;
    akidb_error *err;
} reading;

/* Whether the rows can be appended to what the documents hold already. */
static akidb_status check_documents(const reading *r)
{
    const akidb_parquet_reader *reader = r->reader;
    const akidb_documents *documents = r->documents;
    if (documents->dimension != reader->dimension)
        return ak_fail_at(r->err, AKIDB_E_VALIDATION, AK_IN(reader->input->name),
                          "expected vectors of %u floats as the documents have, found %u",
                          documents->dimension, reader->dimension);
    bool same = documents->has_vectors == ak_reader_wants(reader, AKIDB_COLUMN_VECTOR) &&
                documents->has_times == ak_reader_wants(reader, AKIDB_COLUMN_INSERTED_AT);
    if (documents->rows > 0 && !same)
        return ak_fail_at(r->err, AKIDB_E_VALIDATION, AK_IN(reader->input->name),
                          "expected the same columns for all documents, found others asked for");
    return AKIDB_OK;
}

static void submit(reading *r)
{
    const akidb_parquet_reader *reader = r->reader;
    akidb_documents *documents = r->documents;
    size_t group = r->first + r->submitted;
    size_t row = r->base + (size_t)(reader->first_rows[group] - reader->first_rows[r->first]);
    ak_row_group_job *job = &r->jobs[r->submitted % r->job_count];
    job->reader = reader;
    job->group = group;
    job->text_bytes_max = r->text_bytes_max;
    job->vectors =
        documents->has_vectors ? documents->vectors + row * (size_t)documents->dimension : NULL;
    job->document_ids = documents->document_ids + row;
    job->inserted_at = documents->has_times ? documents->inserted_at + row : NULL;
    r->submitted++;
    ak_pool_submit(reader->pool, &job->task, ak_row_group_read, job);
}

/* Puts what a job collected behind the rows of the row groups before it. */
static akidb_status merge(reading *r, ak_row_group_job *job)
{
    const akidb_parquet_reader *reader = r->reader;
    size_t rows = (size_t)ak_reader_rows(reader, job->group);
    size_t before =
        r->base + (size_t)(reader->first_rows[job->group] - reader->first_rows[r->first]);
    uint64_t texts = (uint64_t)job->external_ids.bytes.size + job->metadata.bytes.size +
                     job->other_ids.bytes.size;
    if (texts > r->text_bytes_max)
        return ak_fail_at(r->err, AKIDB_E_LIMIT, AK_IN(reader->input->name),
                          "expected texts that a file of this size would hold, found more in row "
                          "group %zu",
                          job->group);
    r->text_bytes_max -= texts;
    if (job->was_damaged)
        ak_log_read_again(reader->options.hooks, &job->damage);
    return ak_rows_merge(job, reader->first_rows[job->group], rows, before, r->now, r->documents,
                         r->err);
}

/* Keeps as many row groups in work as there are jobs, and merges them in order, so that the first
 * failure in the file's order is the one that is told. */
static akidb_status run(reading *r)
{
    akidb_status status = AKIDB_OK;
    size_t merged = 0;
    for (; merged < r->count && status == AKIDB_OK; merged++) {
        while (r->submitted < r->count && r->submitted < merged + r->job_count)
            submit(r);
        ak_row_group_job *job = &r->jobs[merged % r->job_count];
        status = ak_pool_wait(r->reader->pool, &job->task, r->err);
        if (status == AKIDB_OK)
            status = merge(r, job);
    }
    for (; merged < r->submitted; merged++)
        (void)!ak_pool_wait(r->reader->pool, &r->jobs[merged % r->job_count].task, NULL);
    return status;
}

/* How many row groups to have in work, at least one: one for each thread, and more where fetching
 * them takes longer than decoding, as far as memory for their bytes goes. */
static size_t groups_at_once(const reading *r)
{
    size_t threads = r->reader->options.threads, most = ak_pool_threads(r->reader->pool);
    uint64_t largest = 1;
    for (size_t i = 0; i < r->count; i++) {
        uint64_t bytes = ak_stored_bytes(r->reader, r->first + i);
        largest = bytes > largest ? bytes : largest;
    }
    uint64_t fit = READS_BYTES_MAX / largest;
    if (fit < most)
        most = fit < threads ? threads : (size_t)fit;
    if (r->count < most)
        most = r->count;
    return most > 0 ? most : 1;
}

static akidb_status read_groups(reading *r, size_t rows)
{
    const akidb_parquet_reader *reader = r->reader;
    akidb_documents *documents = r->documents;
    r->base = documents->rows;
    if (documents->rows == 0) {
        documents->has_vectors = ak_reader_wants(reader, AKIDB_COLUMN_VECTOR);
        documents->has_times = ak_reader_wants(reader, AKIDB_COLUMN_INSERTED_AT);
    }
    akidb_status status = ak_documents_reserve(documents, rows, r->err);
    if (status != AKIDB_OK)
        return status;
    r->job_count = groups_at_once(r);
    r->jobs = calloc(r->job_count + 1, sizeof *r->jobs); /* never of no bytes */
    if (r->jobs == NULL)
        return ak_fail_memory(r->err, (r->job_count + 1) * sizeof *r->jobs);
    status = run(r);
    for (size_t i = 0; i < r->job_count; i++)
        ak_row_group_job_free(&r->jobs[i]);
    free(r->jobs);
    if (status == AKIDB_OK) {
        documents->rows += rows;
    } else {
        ak_documents_truncate(documents, r->base);
    }
    return status;
}

akidb_status akidb_parquet_reader_read(akidb_parquet_reader *reader, size_t first, size_t count,
                                       akidb_documents *documents, akidb_error *err)
{
    size_t groups = reader->footer.metadata.row_group_count;
    if (first > groups || count > groups - first)
        return ak_fail_at(
            err, AKIDB_E_VALIDATION, AK_IN(reader->input->name),
            "expected row groups among the %zu of the file, asked for %zu from %zu on", groups,
            count, first);
    reading r = {.reader = reader,
                 .first = first,
                 .count = count,
                 .documents = documents,
                 .now = akidb_clock_now(NULL) / 1000 * 1000, /* what every time unit holds */
                 .err = err};
    uint64_t rows;
    akidb_status status = ak_rows_allowed(reader, first, count, &rows, &r.text_bytes_max, err);
    if (status != AKIDB_OK || rows == 0)
        return status;
    status = check_documents(&r);
    return status != AKIDB_OK ? status : read_groups(&r, (size_t)rows);
}
