/* The public writer: cuts, summaries, options, failures. */
#include <stdlib.h>
#include <string.h>

#include "akidb/parquet.h"
#include "base/buffer.h"
#include "base/checksum.h"
#include "base/endian.h"
#include "parquet/arena.h"
#include "parquet/metadata.h"
#include "parquet/schema_write.h"

#include "test.h"

/* ---- documents ------------------------------------------------------------------------------- */

enum { ROWS_MAX = 3000, DIMENSION = 24 };

typedef struct sample {
    float vectors[ROWS_MAX * DIMENSION];
    akidb_uuid ids[ROWS_MAX];
    int64_t times[ROWS_MAX];
    uint64_t offsets[ROWS_MAX + 1];
    char bytes[ROWS_MAX * 8];
    uint8_t validity[ROWS_MAX / 8 + 1];
} sample;

static sample *new_sample(void)
{
    sample *s = calloc(1, sizeof *s);
    assert_non_null(s);
    uint64_t seed = 3;
    for (size_t i = 0; i < ROWS_MAX * DIMENSION; i++)
        s->vectors[i] = (float)(int32_t)test_random(&seed) / 2147483648.0f;
    for (size_t i = 0; i < ROWS_MAX; i++) {
        test_random_bytes(i, s->ids[i].bytes, sizeof s->ids[i].bytes);
        s->times[i] = INT64_C(1700000000000000) + (int64_t)(i * 1000);
        bool is_null = i % 7 == 5;
        int size = 0;
        if (!is_null) {
            s->validity[i / 8] |= (uint8_t)(1 << i % 8);
            size = snprintf(s->bytes + s->offsets[i], 8, "%zu", i % 50);
        }
        s->offsets[i + 1] = s->offsets[i] + (uint64_t)size;
    }
    return s;
}

static akidb_batch sample_rows(const sample *s, size_t rows)
{
    const akidb_texts texts = {s->offsets, s->bytes, s->validity};
    return (akidb_batch){.rows = rows,
                         .dimension = DIMENSION,
                         .vectors = s->vectors,
                         .document_ids = s->ids,
                         .external_ids = texts,
                         .metadata = texts,
                         .inserted_at = s->times};
}

/* ---- writing to memory ----------------------------------------------------------------------- */

typedef struct written {
    akidb_buffer bytes;
    akidb_parquet_writer *writer;
    akidb_parquet_summary summary;
} written;

/* Appends `rows` rows in batches of `step`, which is a multiple of 8. */
static void write_rows(written *w, const sample *s, size_t rows, size_t step,
                       const akidb_parquet_options *options)
{
    akidb_error err = {0};
    *w = (written){0};
    const akidb_output output = akidb_output_to_buffer(&w->bytes);
    assert_ok(err, akidb_parquet_writer_open(&output, DIMENSION, options, &w->writer, &err));
    const akidb_batch all = sample_rows(s, rows);
    for (size_t first = 0; first < rows; first += step) {
        akidb_batch part = akidb_batch_rows(&all, first, rows - first < step ? rows - first : step);
        assert_ok(err, akidb_parquet_writer_append(w->writer, &part, &err));
    }
    assert_ok(err, akidb_parquet_writer_finish(w->writer, &w->summary, &err));
}

static void written_free(written *w)
{
    akidb_parquet_writer_free(w->writer);
    akidb_buffer_free(&w->bytes);
}

static void assert_range(const akidb_buffer *bytes, akidb_parquet_range range)
{
    assert_true(range.offset <= bytes->size && range.size <= bytes->size - range.offset);
    assert_int_equal(range.crc32c, ak_crc32c(0, bytes->data + range.offset, range.size));
}

static ak_arena *read_footer(const akidb_buffer *bytes, ak_file_metadata *metadata)
{
    akidb_error err = {0};
    ak_arena *arena;
    assert_ok(err, ak_arena_new(&arena, &err));
    size_t size = ak_load_u32(bytes->data + bytes->size - 8);
    size_t offset = bytes->size - 8 - size;
    assert_ok(err, ak_file_metadata_read((akidb_slice){bytes->data + offset, size}, "file", offset,
                                         arena, metadata, &err));
    return arena;
}

static void the_summary_tells_ranges_and_their_checksums(void **state)
{
    (void)state;
    sample *s = new_sample();
    const akidb_parquet_options options = {
        .struct_size = sizeof options, .row_group_size = 1000, .page_bytes = 8192};
    written w;
    write_rows(&w, s, 2500, ROWS_MAX, &options);
    assert_int_equal(w.summary.rows, 2500);
    assert_int_equal(w.summary.row_group_count, 3);
    assert_int_equal(w.summary.file.offset, 0);
    assert_int_equal(w.summary.file.size, w.bytes.size);
    assert_int_equal(akidb_parquet_writer_size(w.writer), w.bytes.size);
    assert_range(&w.bytes, w.summary.file);
    uint64_t at = 4;
    for (size_t i = 0; i < 3; i++) {
        const akidb_parquet_row_group_summary *group = &w.summary.row_groups[i];
        assert_int_equal(group->rows, i < 2 ? 1000 : 500);
        assert_int_equal(group->all.offset, at);
        assert_int_equal(group->small.offset, at);
        assert_true(group->small.size < group->all.size);
        assert_range(&w.bytes, group->all);
        assert_range(&w.bytes, group->small);
        at += group->all.size;
    }
    assert_int_equal(w.summary.tail.offset, at);
    assert_int_equal(w.summary.tail.offset + w.summary.tail.size, w.bytes.size);
    assert_range(&w.bytes, w.summary.tail);
    assert_memory_equal(w.bytes.data, "PAR1", 4);
    assert_memory_equal(w.bytes.data + w.bytes.size - 4, "PAR1", 4);
    written_free(&w);
    free(s);
}

static void the_footer_places_chunks_and_indexes_without_gaps(void **state)
{
    (void)state;
    sample *s = new_sample();
    const akidb_parquet_options options = {
        .struct_size = sizeof options, .row_group_size = 1000, .page_bytes = 8192};
    written w;
    write_rows(&w, s, 2500, ROWS_MAX, &options);
    ak_file_metadata metadata;
    ak_arena *arena = read_footer(&w.bytes, &metadata);
    assert_int_equal(metadata.num_rows, 2500);
    uint64_t index_at = w.summary.tail.offset;
    for (size_t i = 0; i < metadata.row_group_count; i++) {
        const akidb_parquet_row_group_summary *group = &w.summary.row_groups[i];
        const ak_row_group *found = &metadata.row_groups[i];
        assert_int_equal(found->file_offset, group->all.offset);
        assert_int_equal(found->total_compressed_size, group->all.size);
        const ak_column_chunk *vector = &found->columns[AK_LEAF_VECTOR];
        assert_int_equal(vector->data_page_offset, group->small.offset + group->small.size);
        assert_int_equal(group->small.size + (uint64_t)vector->total_compressed_size,
                         group->all.size); /* nothing comes after the vectors */
        assert_null(vector->statistics.min_value.data);
        assert_int_equal(vector->num_values, group->rows * DIMENSION);
        for (size_t leaf = 0; leaf < AK_LEAF_COUNT; leaf++) {
            const ak_column_chunk *chunk = &found->columns[leaf];
            assert_true(chunk->statistics.has_null_count);
            assert_int_equal(chunk->offset_index_offset, index_at);
            index_at += (uint64_t)chunk->offset_index_length;
            const ak_page_location *pages;
            size_t count;
            akidb_error err = {0};
            const akidb_slice index = {w.bytes.data + chunk->offset_index_offset,
                                       (size_t)chunk->offset_index_length};
            assert_ok(err, ak_offset_index_read(index, "file", 0, arena, &pages, &count, &err));
            assert_int_equal(pages[0].offset, chunk->data_page_offset);
            assert_int_equal(pages[count - 1].offset + pages[count - 1].compressed_page_size -
                                 (chunk->dictionary_page_offset != 0 ? chunk->dictionary_page_offset
                                                                     : chunk->data_page_offset),
                             chunk->total_compressed_size);
        }
    }
    ak_arena_free(arena);
    written_free(&w);
    free(s);
}

static void statistics_are_the_extremes(void **state)
{
    (void)state;
    sample *s = new_sample();
    written w;
    write_rows(&w, s, 100, ROWS_MAX, NULL);
    ak_file_metadata metadata;
    ak_arena *arena = read_footer(&w.bytes, &metadata);
    const ak_column_chunk *columns = metadata.row_groups[0].columns;
    const ak_statistics *ids = &columns[AK_LEAF_DOCUMENT_ID].statistics;
    for (size_t i = 0; i < 100; i++) {
        assert_true(memcmp(ids->min_value.data, s->ids[i].bytes, 16) <= 0);
        assert_true(memcmp(ids->max_value.data, s->ids[i].bytes, 16) >= 0);
    }
    assert_true(ids->is_min_exact && ids->is_max_exact);
    const ak_statistics *texts = &columns[AK_LEAF_EXTERNAL_ID].statistics;
    assert_int_equal(texts->null_count, 14);
    assert_memory_equal(texts->min_value.data, "0", 1);
    assert_memory_equal(texts->max_value.data, "9", 1);
    const ak_statistics *times = &columns[AK_LEAF_INSERTED_AT].statistics;
    assert_true(ak_load_u64(times->min_value.data) == UINT64_C(1700000000000));
    assert_true(ak_load_u64(times->max_value.data) == UINT64_C(1700000000099));
    assert_null(columns[AK_LEAF_METADATA].statistics.min_value.data);
    assert_int_equal(columns[AK_LEAF_METADATA].statistics.null_count, 14);
    ak_arena_free(arena);
    written_free(&w);
    free(s);
}

static void the_bytes_do_not_depend_on_batches_or_threads(void **state)
{
    (void)state;
    sample *s = new_sample();
    akidb_parquet_options options = {
        .struct_size = sizeof options, .row_group_size = 400, .page_bytes = 4096};
    written expected;
    write_rows(&expected, s, ROWS_MAX, ROWS_MAX, &options);
    assert_int_equal(expected.summary.row_group_count, 8);
    const size_t steps[] = {8, 128, 400, 1000, 2000};
    for (unsigned threads = 1; threads <= 3; threads++) {
        for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
            options.threads = threads;
            written w;
            write_rows(&w, s, ROWS_MAX, steps[i], &options);
            assert_int_equal(w.bytes.size, expected.bytes.size);
            assert_memory_equal(w.bytes.data, expected.bytes.data, w.bytes.size);
            written_free(&w);
        }
    }
    written_free(&expected);
    free(s);
}

static void row_groups_are_cut_by_bytes_too(void **state)
{
    (void)state;
    sample *s = new_sample();
    memset(s->offsets, 0, sizeof s->offsets); /* no texts: a row is 24 floats and 28 bytes */
    memset(s->validity, 0, sizeof s->validity);
    akidb_parquet_options options = {.struct_size = sizeof options, .row_group_bytes = 1240};
    written w;
    write_rows(&w, s, 100, 16, &options);
    assert_int_equal(w.summary.row_group_count, 10);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(w.summary.row_groups[i].rows, 10);
    written_free(&w);
    options.row_group_bytes = 1239;
    write_rows(&w, s, 100, 16, &options);
    assert_int_equal(w.summary.row_group_count, 12);
    assert_int_equal(w.summary.row_groups[0].rows, 9);
    written_free(&w);
    options.row_group_bytes = 1; /* a row at least */
    write_rows(&w, s, 20, 8, &options);
    assert_int_equal(w.summary.row_group_count, 20);
    written_free(&w);
    free(s);
}

static void a_file_without_rows_is_whole(void **state)
{
    (void)state;
    sample *s = new_sample();
    written w;
    write_rows(&w, s, 0, 8, NULL);
    assert_int_equal(w.summary.row_group_count, 0);
    assert_int_equal(w.summary.tail.offset, 4);
    assert_range(&w.bytes, w.summary.tail);
    ak_file_metadata metadata;
    ak_arena *arena = read_footer(&w.bytes, &metadata);
    assert_int_equal(metadata.num_rows, 0);
    assert_int_equal(metadata.row_group_count, 0);
    bool found = false;
    for (size_t i = 0; i < metadata.key_value_count; i++)
        if (strcmp(metadata.key_values[i].key, AK_KEY_DIMENSION) == 0)
            found = strcmp(metadata.key_values[i].value, "24") == 0;
    assert_true(found);
    ak_arena_free(arena);
    written_free(&w);
    free(s);
}

static void missing_ids_and_times_are_made(void **state)
{
    (void)state;
    sample *s = new_sample();
    akidb_batch batch = sample_rows(s, 10);
    batch.document_ids = NULL;
    batch.inserted_at = NULL;
    akidb_error err = {0};
    akidb_buffer file;
    assert_ok(err, akidb_parquet_encode_batch(&batch, NULL, &file, &err));
    ak_file_metadata metadata;
    ak_arena *arena = read_footer(&file, &metadata);
    const ak_statistics *ids = &metadata.row_groups[0].columns[AK_LEAF_DOCUMENT_ID].statistics;
    const uint8_t *min = ids->min_value.data;
    assert_int_equal(min[6] >> 4, 7);
    assert_memory_not_equal(min, ids->max_value.data, 16);
    const ak_statistics *times = &metadata.row_groups[0].columns[AK_LEAF_INSERTED_AT].statistics;
    assert_true(ak_load_u64(times->min_value.data) > UINT64_C(1600000000000));
    assert_true(ak_load_u64(times->min_value.data) < UINT64_C(9000000000000)); /* millis */
    ak_arena_free(arena);
    akidb_buffer_free(&file);
    free(s);
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void a_finer_time_is_refused_by_name(void **state)
{
    (void)state;
    sample *s = new_sample();
    written w = {0};
    akidb_error err = {0};
    const akidb_output output = akidb_output_to_buffer(&w.bytes);
    assert_ok(err, akidb_parquet_writer_open(&output, DIMENSION, NULL, &w.writer, &err));
    const akidb_batch batch = sample_rows(s, 16);
    assert_ok(err, akidb_parquet_writer_append(w.writer, &batch, &err));
    s->times[5]++;
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_writer_append(w.writer, &batch, &err));
    assert_int_equal(err.row, 21);
    assert_string_equal(err.column, "inserted_at");
    assert_non_null(strstr(err.message, "row 21: column inserted_at: "));
    assert_non_null(strstr(err.message, "AKIDB_TIME_UNIT_MICROS"));
    s->times[5]--; /* nothing was changed: the writer goes on */
    assert_ok(err, akidb_parquet_writer_append(w.writer, &batch, &err));
    assert_ok(err, akidb_parquet_writer_finish(w.writer, &w.summary, &err));
    assert_int_equal(w.summary.rows, 32);
    written_free(&w);
    free(s);
}

static int unit_of(const akidb_batch *batch, akidb_time_unit unit)
{
    const akidb_parquet_options options = {.struct_size = sizeof options, .time_unit = unit};
    akidb_error err = {0};
    akidb_buffer file;
    assert_ok(err, akidb_parquet_encode_batch(batch, &options, &file, &err));
    ak_file_metadata metadata;
    ak_arena *arena = read_footer(&file, &metadata);
    int found = metadata.schema[metadata.schema_count - 1].logical_type.unit;
    ak_arena_free(arena);
    akidb_buffer_free(&file);
    return found;
}

static void one_call_looks_for_finer_times_first(void **state)
{
    (void)state;
    sample *s = new_sample();
    const akidb_batch batch = sample_rows(s, 100);
    assert_int_equal(unit_of(&batch, AKIDB_TIME_UNIT_DEFAULT), AK_UNIT_MILLIS);
    assert_int_equal(unit_of(&batch, AKIDB_TIME_UNIT_MICROS), AK_UNIT_MICROS);
    s->times[99] = -1;
    assert_int_equal(unit_of(&batch, AKIDB_TIME_UNIT_DEFAULT), AK_UNIT_MICROS);
    const akidb_parquet_options millis = {.struct_size = sizeof millis,
                                          .time_unit = AKIDB_TIME_UNIT_MILLIS};
    akidb_buffer file;
    akidb_error err = {0};
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_encode_batch(&batch, &millis, &file, &err));
    assert_int_equal(err.row, 99);
    assert_null(file.data);
    free(s);
}

static void rows_in_errors_count_from_the_start_of_the_file(void **state)
{
    (void)state;
    sample *s = new_sample();
    written w = {0};
    akidb_error err = {0};
    const akidb_output output = akidb_output_to_buffer(&w.bytes);
    assert_ok(err, akidb_parquet_writer_open(&output, DIMENSION, NULL, &w.writer, &err));
    akidb_batch batch = sample_rows(s, 40);
    assert_ok(err, akidb_parquet_writer_append(w.writer, &batch, &err));
    s->bytes[s->offsets[3]] = '{'; /* no JSON any longer */
    batch.external_ids = (akidb_texts){0};
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_writer_append(w.writer, &batch, &err));
    assert_int_equal(err.row, 43);
    assert_ptr_equal(strstr(err.message, "row 43: "), err.message);
    assert_null(strstr(err.message, "row 3:"));
    assert_null(strstr(err.message + 1, "row 43"));
    written_free(&w);
    free(s);
}

static void bad_options_are_refused_by_name(void **state)
{
    (void)state;
    const struct {
        akidb_parquet_options options;
        const char *says;
    } cases[] = {
        {{.compression = (akidb_compression)6}, "compression"},
        {{.compression = (akidb_compression)-1}, "compression"},
        {{.compression_level = 1}, "Snappy has no levels"},
        {{.compression = AKIDB_COMPRESSION_LZ4, .compression_level = 3}, "Lz4 has no levels"},
        {{.compression = AKIDB_COMPRESSION_ZSTD, .compression_level = 20}, "1 to 19"},
        {{.compression = AKIDB_COMPRESSION_ZSTD, .compression_level = -1}, "1 to 19"},
        {{.compression = AKIDB_COMPRESSION_GZIP, .compression_level = 10}, "1 to 9"},
        {{.row_group_size = UINT32_MAX}, "row_group_size"},
        {{.row_group_bytes = UINT64_C(1) << 40}, "row_group_bytes"},
        {{.page_bytes = 100}, "page_bytes"},
        {{.page_bytes = 1u << 31}, "page_bytes"},
        {{.enable_dictionary = (akidb_toggle)3}, "enable_dictionary"},
        {{.vector_encoding = (akidb_vector_encoding)3}, "vector_encoding"},
        {{.time_unit = (akidb_time_unit)3}, "time_unit"},
        {{.threads = 100000}, "threads"},
    };
    akidb_buffer buffer = {0};
    const akidb_output output = akidb_output_to_buffer(&buffer);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        akidb_parquet_options options = cases[i].options;
        options.struct_size = sizeof options;
        akidb_error err = {0};
        akidb_parquet_writer *writer;
        assert_status(AKIDB_E_VALIDATION,
                      akidb_parquet_writer_open(&output, 4, &options, &writer, &err));
        assert_null(writer);
        assert_non_null(strstr(err.message, cases[i].says));
    }
}

static void bad_dimensions_outputs_and_batches_are_refused(void **state)
{
    (void)state;
    sample *s = new_sample();
    akidb_error err = {0};
    written w = {0};
    const akidb_output output = akidb_output_to_buffer(&w.bytes), nowhere = {NULL, NULL};
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_writer_open(&output, 0, NULL, &w.writer, &err));
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_writer_open(&output, AKIDB_DIMENSION_MAX + 1,
                                                                NULL, &w.writer, &err));
    assert_status(AKIDB_E_VALIDATION,
                  akidb_parquet_writer_open(&nowhere, 4, NULL, &w.writer, &err));

    assert_ok(err, akidb_parquet_writer_open(&output, DIMENSION - 1, NULL, &w.writer, &err));
    akidb_batch batch = sample_rows(s, 4);
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_writer_append(w.writer, &batch, &err));
    assert_non_null(strstr(err.message, "expected the file's 23, found 24"));
    batch.rows = 0; /* adds nothing */
    assert_ok(err, akidb_parquet_writer_append(w.writer, &batch, &err));
    assert_ok(err, akidb_parquet_writer_finish(w.writer, &w.summary, &err));
    assert_status(AKIDB_E_PRECONDITION, akidb_parquet_writer_append(w.writer, &batch, &err));
    assert_status(AKIDB_E_PRECONDITION, akidb_parquet_writer_finish(w.writer, &w.summary, &err));

    akidb_buffer file;
    assert_status(AKIDB_E_VALIDATION, akidb_parquet_encode_batch(&batch, NULL, &file, &err));
    written_free(&w);
    free(s);
}

/* ---- an output that fails -------------------------------------------------------------------- */

typedef struct failing {
    size_t left; /* writes that succeed */
    size_t calls;
} failing;

static akidb_status failing_write(void *handle, const akidb_slice *slices, size_t count,
                                  akidb_error *err)
{
    (void)slices;
    (void)count;
    failing *f = handle;
    f->calls++;
    if (f->left == 0) {
        if (err != NULL)
            err->status = AKIDB_E_IO;
        return AKIDB_E_IO;
    }
    f->left--;
    return AKIDB_OK;
}

/* Returns whether all went well. */
static bool write_to_failing(const sample *s, failing *f, unsigned threads, size_t step)
{
    static const akidb_output_ops ops = {failing_write};
    const akidb_output output = {&ops, f};
    const akidb_parquet_options options = {
        .struct_size = sizeof options, .row_group_size = 100, .threads = threads};
    akidb_parquet_writer *writer;
    akidb_parquet_summary summary;
    akidb_error err = {0};
    assert_ok(err, akidb_parquet_writer_open(&output, DIMENSION, &options, &writer, &err));
    const akidb_batch all = sample_rows(s, 1000);
    akidb_status status = AKIDB_OK;
    for (size_t first = 0; first < all.rows && status == AKIDB_OK; first += step) {
        size_t left = all.rows - first;
        const akidb_batch part = akidb_batch_rows(&all, first, left < step ? left : step);
        status = akidb_parquet_writer_append(writer, &part, &err);
    }
    if (status == AKIDB_OK)
        status = akidb_parquet_writer_finish(writer, &summary, &err);
    if (status != AKIDB_OK) {
        assert_int_equal(status, AKIDB_E_IO);
        assert_int_equal(err.status, AKIDB_E_IO);
        size_t calls = f->calls; /* the output is not used again */
        assert_status(AKIDB_E_PRECONDITION, akidb_parquet_writer_append(writer, &all, &err));
        assert_status(AKIDB_E_PRECONDITION, akidb_parquet_writer_finish(writer, &summary, &err));
        assert_int_equal(f->calls, calls);
        assert_null(summary.row_groups);
    }
    akidb_parquet_writer_free(writer);
    return status == AKIDB_OK;
}

static void a_failing_write_leaves_only_free(void **state)
{
    (void)state;
    sample *s = new_sample();
    const size_t steps[] = {1000, 72};
    for (unsigned threads = 1; threads <= 3; threads++) {
        for (size_t i = 0; i < 2; i++) {
            size_t good = 0;
            while (!write_to_failing(s, &(failing){good, 0}, threads, steps[i]))
                good++;
            assert_int_equal(good, 12); /* magic, ten row groups, tail */
        }
    }
    free(s);
}

static void a_writer_can_be_freed_at_any_time(void **state)
{
    (void)state;
    sample *s = new_sample();
    akidb_parquet_writer_free(NULL);
    for (unsigned threads = 1; threads <= 2; threads++) {
        const akidb_parquet_options options = {
            .struct_size = sizeof options, .row_group_size = 64, .threads = threads};
        akidb_buffer bytes = {0};
        const akidb_output output = akidb_output_to_buffer(&bytes);
        akidb_parquet_writer *writer;
        akidb_error err = {0};
        assert_ok(err, akidb_parquet_writer_open(&output, DIMENSION, &options, &writer, &err));
        const akidb_batch all = sample_rows(s, 200);
        for (size_t first = 0; first < 200; first += 40) {
            const akidb_batch part = akidb_batch_rows(&all, first, 40);
            assert_ok(err, akidb_parquet_writer_append(writer, &part, &err));
        }
        akidb_parquet_writer_free(writer);
        akidb_buffer_free(&bytes);
    }
    free(s);
}

static void compressions_have_the_names_of_the_metadata(void **state)
{
    (void)state;
    assert_string_equal(akidb_compression_name(AKIDB_COMPRESSION_NONE), "None");
    assert_string_equal(akidb_compression_name(AKIDB_COMPRESSION_DEFAULT), "Snappy");
    assert_string_equal(akidb_compression_name(AKIDB_COMPRESSION_SNAPPY), "Snappy");
    assert_string_equal(akidb_compression_name(AKIDB_COMPRESSION_ZSTD), "Zstd");
    assert_string_equal(akidb_compression_name(AKIDB_COMPRESSION_LZ4), "Lz4");
    assert_string_equal(akidb_compression_name(AKIDB_COMPRESSION_GZIP), "Gzip");
    assert_null(akidb_compression_name((akidb_compression)6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_summary_tells_ranges_and_their_checksums),
        cmocka_unit_test(the_footer_places_chunks_and_indexes_without_gaps),
        cmocka_unit_test(statistics_are_the_extremes),
        cmocka_unit_test(the_bytes_do_not_depend_on_batches_or_threads),
        cmocka_unit_test(row_groups_are_cut_by_bytes_too),
        cmocka_unit_test(a_file_without_rows_is_whole),
        cmocka_unit_test(missing_ids_and_times_are_made),
        cmocka_unit_test(a_finer_time_is_refused_by_name),
        cmocka_unit_test(one_call_looks_for_finer_times_first),
        cmocka_unit_test(rows_in_errors_count_from_the_start_of_the_file),
        cmocka_unit_test(bad_options_are_refused_by_name),
        cmocka_unit_test(bad_dimensions_outputs_and_batches_are_refused),
        cmocka_unit_test(a_failing_write_leaves_only_free),
        cmocka_unit_test(a_writer_can_be_freed_at_any_time),
        cmocka_unit_test(compressions_have_the_names_of_the_metadata),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
