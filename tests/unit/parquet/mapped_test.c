/* Vectors in place: those of our files are what was written, aligned; others are refused by name;
 * damage is told. */
#include "akidb/mapped.h"

#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "folder.h"

/* A file of its own for each test. */
typedef struct place {
    char folder[TEST_FOLDER_SIZE];
    char path[TEST_FOLDER_SIZE + 16];
} place;

static int make_place(void **state)
{
    place *p = malloc(sizeof *p);
    assert_non_null(p);
    assert_true(test_folder_make(p->folder));
    snprintf(p->path, sizeof p->path, "%s/a.parquet", p->folder);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    place *p = *state;
    test_folder_remove(p->folder);
    free(p);
    return 0;
}

static void store(const place *p, const void *bytes, size_t size)
{
    FILE *file = fopen(p->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static float *random_floats(size_t count, uint64_t seed)
{
    float *floats = malloc(count * sizeof *floats);
    assert_non_null(floats);
    test_random_bytes(seed, (uint8_t *)floats, count * sizeof *floats);
    return floats;
}

static akidb_buffer encode(const float *vectors, size_t rows, uint32_t dimension,
                           akidb_parquet_options *options)
{
    akidb_error err;
    akidb_buffer file;
    const akidb_batch batch = {.rows = rows, .dimension = dimension, .vectors = vectors};
    options->struct_size = sizeof *options;
    assert_ok(err, akidb_parquet_encode_batch(&batch, options, &file, &err));
    return file;
}

/* Every row once, in order, aligned, and bit by bit that of `vectors`. */
static void assert_mapped(const akidb_mapped_vectors *mapped, const float *vectors, size_t rows,
                          uint32_t dimension)
{
    size_t count, row = 0;
    const akidb_mapped_piece *pieces = akidb_mapped_vectors_pieces(mapped, &count);
    assert_int_equal(akidb_mapped_vectors_rows(mapped), rows);
    assert_int_equal(akidb_mapped_vectors_dimension(mapped), dimension);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pieces[i].first_row, row);
        assert_true(pieces[i].rows > 0 && pieces[i].rows <= rows - row);
        assert_int_equal((uintptr_t)pieces[i].vectors % 64, 0);
        assert_memory_equal(pieces[i].vectors, vectors + row * dimension,
                            pieces[i].rows * dimension * sizeof(float));
        for (size_t j = 0; j < pieces[i].rows; j++)
            assert_ptr_equal(akidb_mapped_vectors_row(mapped, row + j),
                             pieces[i].vectors + j * dimension);
        row += pieces[i].rows;
    }
    assert_int_equal(row, rows);
    assert_null(akidb_mapped_vectors_row(mapped, rows));
}

static void round_trip(const place *p, size_t rows, uint32_t dimension,
                       akidb_parquet_options options)
{
    akidb_error err;
    akidb_mapped_vectors *mapped;
    float *vectors = random_floats(rows * dimension, rows * 2003 + dimension);
    akidb_buffer file = encode(vectors, rows, dimension, &options);
    store(p, file.data, file.size);
    for (int off = 0; off < 2; off++) {
        const akidb_mapped_options how = {
            .struct_size = sizeof how, .verify = off ? AKIDB_OFF : AKIDB_DEFAULT, .threads = 2};
        assert_ok(err, akidb_mapped_vectors_open_file(p->path, &how, &mapped, &err));
        assert_mapped(mapped, vectors, rows, dimension);
        akidb_mapped_vectors_close(mapped);
    }
    akidb_buffer_free(&file);
    free(vectors);
}

static void what_was_written_is_handed_out_in_place(void **state)
{
    const uint32_t dimensions[] = {1, 2, 3, 7, 8, 15, 16, 17, 100, 128, 511, 2000};
    enum { PAGE = 4096, GROUP = 300 };
    for (size_t d = 0; d < sizeof dimensions / sizeof dimensions[0]; d++) {
        size_t page = PAGE / (dimensions[d] * sizeof(float));
        page = page == 0 ? 1 : page;
        const size_t rows[] = {1,         page,  page + 1,  2 * page + 1,
                               GROUP - 1, GROUP, GROUP + 1, 2 * GROUP + page};
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++)
            round_trip(*state, rows[r], dimensions[d],
                       (akidb_parquet_options){.compression = AKIDB_COMPRESSION_NONE,
                                               .row_group_size = GROUP,
                                               .page_bytes = PAGE,
                                               .bloom_filter = r % 2 == 0 ? AKIDB_ON : AKIDB_OFF});
    }
}

/* Floats that Snappy does not shrink are stored as they are, beside columns that it shrinks. */
static void vectors_that_do_not_shrink_can_be_mapped(void **state)
{
    round_trip(*state, 5000, 96, (akidb_parquet_options){.threads = 2});
    round_trip(*state, 50, 2000, (akidb_parquet_options){.profile = AKIDB_PROFILE_FAST});
}

/* Opens the file, which must fail just so. */
static void assert_refused(const place *p, akidb_status expected, const char *text)
{
    akidb_error err = {0};
    akidb_mapped_vectors *mapped = (akidb_mapped_vectors *)&err;
    akidb_status status = akidb_mapped_vectors_open_file(p->path, NULL, &mapped, &err);
    if (status != expected || strstr(err.message, text) == NULL)
        fail_msg("expected \"%s\" with \"%s\", found \"%s\": %s", akidb_status_name(expected), text,
                 akidb_status_name(status), err.message);
    assert_null(mapped);
}

static void refuse_encoded(const place *p, akidb_parquet_options options, const char *text)
{
    float vectors[300 * 16];
    for (size_t i = 0; i < 300 * 16; i++)
        vectors[i] = (float)(i % 3);
    options.row_group_size = 100;
    akidb_buffer file = encode(vectors, 300, 16, &options);
    store(p, file.data, file.size);
    assert_refused(p, AKIDB_E_UNSUPPORTED, text);
    akidb_buffer_free(&file);
}

static void what_is_compressed_or_split_is_refused(void **state)
{
    refuse_encoded(*state, (akidb_parquet_options){.compression = AKIDB_COMPRESSION_SNAPPY},
                   "row group 0, page 0 cannot be mapped: expected vectors that are not compressed "
                   "(written with compression none), found SNAPPY");
    refuse_encoded(*state, (akidb_parquet_options){.compression = AKIDB_COMPRESSION_ZSTD}, "ZSTD");
    refuse_encoded(*state,
                   (akidb_parquet_options){.compression = AKIDB_COMPRESSION_NONE,
                                           .vector_encoding = AKIDB_VECTOR_BYTE_STREAM_SPLIT},
                   "expected floats in encoding PLAIN, found BYTE_STREAM_SPLIT");
}

static void refuse_built(const place *p, builder *b, akidb_status status, const char *text)
{
    build_end(b);
    store(p, b->file.data, b->file.size);
    akidb_buffer_free(&b->file);
    assert_refused(p, status, text);
}

static void what_is_not_aligned_is_refused(void **state)
{
    builder b;
    build_begin(&b, 5);
    build_vectors(&b, 5, 4);
    refuse_built(*state, &b, AKIDB_E_UNSUPPORTED,
                 "expected floats that begin at a multiple of 64 bytes, found them at byte ");
}

static void a_dictionary_of_floats_is_refused(void **state)
{
    builder b;
    build_begin(&b, 4);
    build_vector(&b);
    akidb_buffer entries = {0}, body = vector_body(4, 2, 0);
    put_floats(&entries, 0, 3);
    ak_page_header header = {.type = AK_PAGE_DICTIONARY,
                             .uncompressed_size = 12,
                             .compressed_size = 12,
                             .num_values = 3,
                             .encoding = AK_ENCODING_PLAIN};
    build_page(&b, &header, &entries);
    header = data_header(8, body.size);
    header.encoding = AK_ENCODING_RLE_DICTIONARY;
    build_page(&b, &header, &body);
    refuse_built(*state, &b, AKIDB_E_UNSUPPORTED, "found RLE_DICTIONARY");
}

/* Two pages, of 3 and 5 values, for 4 rows of 2. */
static void a_row_in_two_pages_is_refused(void **state)
{
    static const uint8_t repetition[] = {0, 1, 0, 1, 0, 1, 0, 1};
    builder b;
    build_begin(&b, 4);
    build_vector(&b);
    for (size_t first = 0, count = 3; first < 8; first += count, count = 5) {
        akidb_buffer body = {0};
        put_levels(&body, repetition + first, count);
        put_constant_levels(&body, count, 1);
        put_floats(&body, first, count);
        build_plain_page(&b, (int32_t)count, body);
    }
    refuse_built(*state, &b, AKIDB_E_UNSUPPORTED, "expected a page of whole rows");
}

static void a_row_that_is_no_vector_is_named(void **state)
{
    static const uint8_t repetition[] = {0, 1, 0, 0, 1, 1};
    builder b;
    build_begin(&b, 3);
    build_vector(&b);
    akidb_buffer body = {0};
    put_levels(&body, repetition, 6);
    put_constant_levels(&body, 6, 1);
    put_floats(&body, 0, 6);
    build_plain_page(&b, 6, body);
    refuse_built(*state, &b, AKIDB_E_VALIDATION, "expected a vector of 2 floats, found 1");
}

static akidb_buffer sound_file(void)
{
    float *vectors = random_floats(64 * 80, 5);
    akidb_parquet_options options = {.compression = AKIDB_COMPRESSION_NONE, .page_bytes = 4096};
    akidb_buffer file = encode(vectors, 64, 80, &options);
    free(vectors);
    return file;
}

static void a_damaged_float_is_corruption_unless_nobody_looks(void **state)
{
    const place *p = *state;
    akidb_error err = {0};
    akidb_buffer file = sound_file();
    akidb_mapped_vectors *mapped;
    store(p, file.data, file.size);
    assert_ok(err, akidb_mapped_vectors_open_file(p->path, NULL, &mapped, &err));
    size_t count;
    const akidb_mapped_piece *pieces = akidb_mapped_vectors_pieces(mapped, &count);
    assert_true(count > 3);
    uint8_t value[16];
    memcpy(value, pieces[2].vectors + 8, sizeof value);
    akidb_mapped_vectors_close(mapped);
    uint8_t *at = file.data;
    while (memcmp(at, value, sizeof value) != 0)
        at++;
    at[3] ^= 4;
    store(p, file.data, file.size);
    assert_refused(p, AKIDB_E_CORRUPTION, "expected a page with CRC-32");
    const akidb_mapped_options off = {.struct_size = sizeof off, .verify = AKIDB_OFF};
    assert_ok(err, akidb_mapped_vectors_open_file(p->path, &off, &mapped, &err));
    akidb_mapped_vectors_close(mapped);
    akidb_buffer_free(&file);
}

static void every_cut_is_told_at_the_open(void **state)
{
    akidb_buffer file = sound_file();
    for (size_t size = 0; size < file.size; size += size < 16 || file.size - size < 16 ? 1 : 211) {
        store(*state, file.data, size);
        assert_refused(*state, AKIDB_E_CORRUPTION, "");
    }
    akidb_buffer_free(&file);
}

/* Flipped bits of headers, levels and footer: an error, or the same rows in aligned pieces. */
static void flipped_bits_never_lead_out_of_the_file(void **state)
{
    const place *p = *state;
    akidb_buffer file = sound_file();
    uint64_t seed = 9;
    for (int i = 0; i < 400; i++) {
        size_t at = (size_t)(test_random(&seed) % file.size);
        uint8_t bit = (uint8_t)(1u << test_random(&seed) % 8);
        akidb_mapped_vectors *mapped;
        akidb_error err;
        file.data[at] ^= bit;
        store(p, file.data, file.size);
        const akidb_mapped_options how = {.struct_size = sizeof how,
                                          .verify = i % 2 == 0 ? AKIDB_OFF : AKIDB_ON};
        if (akidb_mapped_vectors_open_file(p->path, &how, &mapped, &err) == AKIDB_OK) {
            size_t count;
            volatile float sum = 0;
            const akidb_mapped_piece *pieces = akidb_mapped_vectors_pieces(mapped, &count);
            uint32_t k = akidb_mapped_vectors_dimension(mapped);
            for (size_t j = 0; j < count; j++)
                sum = sum + pieces[j].vectors[0] + pieces[j].vectors[pieces[j].rows * k - 1];
            akidb_mapped_vectors_close(mapped);
        }
        file.data[at] ^= bit;
    }
    akidb_buffer_free(&file);
}

static void what_is_no_file_is_named(void **state)
{
    const place *p = *state;
    assert_refused(p, AKIDB_E_NOT_FOUND, "");
    place folder = *p;
    memcpy(folder.path, p->folder, sizeof p->folder);
    assert_refused(&folder, AKIDB_E_VALIDATION, "expected a regular file, found a folder");
}

static void a_file_without_rows_has_no_pieces(void **state)
{
    const place *p = *state;
    akidb_error err;
    akidb_buffer file = {0};
    akidb_parquet_writer *writer;
    akidb_parquet_summary summary;
    const akidb_output output = akidb_output_to_buffer(&file);
    assert_ok(err, akidb_parquet_writer_open(&output, 12, NULL, &writer, &err));
    assert_ok(err, akidb_parquet_writer_finish(writer, &summary, &err));
    akidb_parquet_writer_free(writer);
    store(p, file.data, file.size);
    akidb_buffer_free(&file);
    akidb_mapped_vectors *mapped;
    assert_ok(err, akidb_mapped_vectors_open_file(p->path, NULL, &mapped, &err));
    assert_mapped(mapped, NULL, 0, 12);
    akidb_mapped_vectors_close(mapped);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(what_was_written_is_handed_out_in_place),
        IN_PLACE(vectors_that_do_not_shrink_can_be_mapped),
        IN_PLACE(what_is_compressed_or_split_is_refused),
        IN_PLACE(what_is_not_aligned_is_refused),
        IN_PLACE(a_dictionary_of_floats_is_refused),
        IN_PLACE(a_row_in_two_pages_is_refused),
        IN_PLACE(a_row_that_is_no_vector_is_named),
        IN_PLACE(a_damaged_float_is_corruption_unless_nobody_looks),
        IN_PLACE(every_cut_is_told_at_the_open),
        IN_PLACE(flipped_bits_never_lead_out_of_the_file),
        IN_PLACE(what_is_no_file_is_named),
        IN_PLACE(a_file_without_rows_has_no_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
